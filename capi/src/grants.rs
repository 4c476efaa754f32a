//! What a program is handed.

use std::ffi::c_char;
use std::time::Duration;

use pinfold::{Args, Clock, Dir, Env, Grant, Net, Random};

use crate::capability::Object;
use crate::console::Console;
use crate::entry::{delete, entry, handle, quiet, text, there, there_mut, values};
use crate::error::Error;

/// What a program is granted, by the names that it has for it. Nothing is, unless it is put in here. For one thread at a time.
pub struct Grants(pub(crate) pinfold::Grants);

/// Nothing yet.
#[unsafe(no_mangle)]
pub extern "C" fn pinfold_grants_new() -> *mut Grants {
    quiet(std::ptr::null_mut(), || handle(Grants(pinfold::Grants::none())))
}

/// Grants something under a name.
///
/// # Safety
/// The pointers lead to what they say, or are null.
unsafe fn grant<T: Into<Grant>>(
    grants: *mut Grants,
    name: *const c_char,
    make: impl FnOnce() -> Result<T, Error>,
) -> *mut Error {
    entry(|| {
        // SAFETY: by contract.
        let (grants, name) = unsafe { (there_mut(grants, "grants")?, text(name, "name")?) };
        grants.0.insert(name, make()?);
        Ok(())
    })
}

/// Grants a console.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_grants_console(
    grants: *mut Grants,
    name: *const c_char,
    console: *const Console,
) -> *mut Error {
    // SAFETY: the caller gives handles or null, and a text or null.
    unsafe { grant(grants, name, || Ok(there(console, "console")?.0.clone())) }
}

/// Grants the directory at a path, and what is below it: to read, and to change if it is `writable`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_grants_dir(
    grants: *mut Grants,
    name: *const c_char,
    path: *const c_char,
    writable: bool,
) -> *mut Error {
    let dir = || {
        // SAFETY: the caller gives a text or null.
        let dir = Dir::open(unsafe { text(path, "path")? })?;
        Ok(if writable { dir.writable() } else { dir })
    };
    // SAFETY: the caller gives handles or null, and a text or null.
    unsafe { grant(grants, name, dir) }
}

/// Grants a connection to `HOST:PORT`, which is opened when the program begins. A name has to lead to a public address.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_grants_connect(
    grants: *mut Grants,
    name: *const c_char,
    origin: *const c_char,
) -> *mut Error {
    // SAFETY: the caller gives handles or null, and texts or null.
    unsafe { grant(grants, name, || Ok(Net::connect(text(origin, "origin")?)?)) }
}

/// Grants being a server at `ADDRESS:PORT` of this host.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_grants_listen(
    grants: *mut Grants,
    name: *const c_char,
    address: *const c_char,
) -> *mut Error {
    // SAFETY: the caller gives handles or null, and texts or null.
    unsafe { grant(grants, name, || Ok(Net::listen(text(address, "address")?)?)) }
}

/// Grants the time, in multiples of so many nanoseconds; 0 is a millisecond.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_grants_clock(
    grants: *mut Grants,
    name: *const c_char,
    resolution_ns: u64,
) -> *mut Error {
    let clock = || match resolution_ns {
        0 => Ok(Clock::system()),
        _ => Ok(Clock::system().with_resolution(Duration::from_nanos(resolution_ns))),
    };
    // SAFETY: the caller gives handles or null, and a text or null.
    unsafe { grant(grants, name, clock) }
}

/// Grants random numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_grants_random(grants: *mut Grants, name: *const c_char) -> *mut Error {
    // SAFETY: the caller gives handles or null, and a text or null.
    unsafe { grant(grants, name, || Ok(Random::system())) }
}

/// Grants environment variables, which need not be those of this process: `count` keys, and what each stands for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_grants_env(
    grants: *mut Grants,
    name: *const c_char,
    keys: *const *const c_char,
    contents: *const *const c_char,
    count: usize,
) -> *mut Error {
    // SAFETY: the caller gives handles or null, and as many texts as it says.
    unsafe { grant(grants, name, || Ok(Env::new(texts(keys, count)?.into_iter().zip(texts(contents, count)?)))) }
}

/// Grants arguments, as a command line has them, without the program's name: `count` of them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_grants_args(
    grants: *mut Grants,
    name: *const c_char,
    args: *const *const c_char,
    count: usize,
) -> *mut Error {
    // SAFETY: the caller gives handles or null, and as many texts as it says.
    unsafe { grant(grants, name, || Ok(Args::new(texts(args, count)?))) }
}

/// Grants an object of a capability of the host's own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_grants_object(
    grants: *mut Grants,
    name: *const c_char,
    object: *const Object,
) -> *mut Error {
    // SAFETY: the caller gives handles or null, and a text or null.
    unsafe { grant(grants, name, || Ok(there(object, "object")?.0.clone())) }
}

/// Frees the handle; programs that were granted something keep it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_grants_delete(grants: *mut Grants) {
    // SAFETY: the caller does not use it again.
    unsafe { delete(grants) }
}

/// So many texts.
///
/// # Safety
/// There are as many pointers, each null or to a text.
pub(crate) unsafe fn texts<'a>(pointers: *const *const c_char, count: usize) -> Result<Vec<&'a str>, Error> {
    // SAFETY: by contract.
    unsafe { values(pointers, count, "texts")?.iter().map(|pointer| text(*pointer, "a text")).collect() }
}
