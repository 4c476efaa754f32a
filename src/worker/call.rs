//! Calling one function of a program in Fold with the arguments that a host gave; and functions of the host's own objects, which are called there.

use std::fs::File;
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;
use std::sync::Arc;

use pinfold::exchange::{self, HOST_CALL, filled};
use pinfold::job::{GIVEN, Run, descriptors};
use pinfold_vm::api::{
    AnyRef, ArrayRef, ArrayType, Caller, Error, ExternRef, FieldType, Func, Instance, Linker, StorageType, Store, Trap,
    TrapKind, Val, ValType,
};
use pinfold_vm::host::HostError;

use crate::Channel;
use crate::run::Host;

/// A function that can be called at once.
pub struct Callee<'a> {
    name: &'a str,
    func: Func,
    /// Of words, and of bytes.
    types: [ArrayType; 2],
    exchange: ManuallyDrop<File>,
}

impl<'a> Callee<'a> {
    /// Finds it.
    pub fn new(name: &'a str, run: &Run, store: &Store<Host>, instance: Instance) -> Result<Self, Error> {
        let number = descriptors::exchange(run).ok_or_else(|| missing(name))?;
        let func = instance.get_func(store, &format!("call {name}")).ok_or_else(|| missing(name))?;
        let array = |storage| ArrayType::new(store.engine(), FieldType::mutable(storage));
        let types = [array(StorageType::from(ValType::I64))?, array(StorageType::I8)?];
        // SAFETY: the supervisor gives it; nobody else uses it. To close it is refused.
        let exchange = ManuallyDrop::new(unsafe { File::from_raw_fd(number) });
        Ok(Self { name, func, types, exchange })
    }

    /// Calls it, and writes what it gives behind its arguments.
    pub fn call(mut self, store: &mut Store<Host>, mut arguments: Vec<Val>) -> Result<(), Error> {
        let (words, bytes) = exchange::read(&mut *self.exchange, u64::MAX).map_err(Error::host)?;
        for (ty, part) in self.types.iter().zip([words, bytes]) {
            arguments.push(ArrayRef::from_bytes(&mut *store, ty, &part)?.into());
        }
        let given = arguments.split_off(arguments.len().saturating_sub(2));
        arguments.extend(given.iter().cloned());
        let mut results = [Val::AnyRef(None), Val::I64(0), Val::AnyRef(None), Val::I64(0)];
        self.func.call(&mut *store, &arguments, &mut results)?;
        let missing = || missing(self.name);
        let used = |buffer: &Val, given: Option<&Val>, count: &Val, size: usize| -> Result<Vec<u8>, Error> {
            let same = given.and_then(Val::any_ref).flatten();
            let Some(buffer) = buffer.any_ref().flatten().or(same) else { return Err(missing()) };
            let buffer = AnyRef::to_array(buffer, &*store)?;
            let count =
                count.i64().and_then(|count| usize::try_from(count).ok()).and_then(|count| count.checked_mul(size));
            let used = count.and_then(|count| Some(buffer.bytes(&*store).ok()?.get(..count)?.to_vec()));
            used.ok_or_else(missing)
        };
        let words = used(&results[0], given.first(), &results[1], 8)?;
        let bytes = used(&results[2], given.get(1), &results[3], 1)?;
        let too_much = |_| Error::from(Trap::new(TrapKind::OutputLimit));
        exchange::write(&mut *self.exchange, &words, &bytes).map_err(too_much)
    }
}

fn missing(name: &str) -> Error {
    Error::NoExport { name: name.to_owned(), kind: "function" }
}

/// Calls what the program begins with.
pub fn main(store: &mut Store<Host>, instance: Instance, handed: &[Val]) -> Result<(), Error> {
    let main = instance.get_func(&*store, "main").ok_or_else(|| missing("main"))?;
    main.call(store, handed, &mut [])
}

/// An object of the host's own: its place among those that were handed over.
struct Object(usize);

/// What was handed over, with the objects of the host's own at their places.
pub fn with_own(of_machine: Vec<Val>, own: &[usize]) -> Vec<Val> {
    let (mut rest, count) = (of_machine.into_iter(), own.len());
    let mut all = Vec::with_capacity(rest.len() + count);
    for (number, &at) in own.iter().enumerate() {
        all.extend(rest.by_ref().take(at.saturating_sub(all.len())));
        all.push(Val::ExternRef(Some(ExternRef::of(Arc::new(Object(number))))));
    }
    all.extend(rest);
    all
}

/// By what functions of the host's own objects are called.
pub struct Own {
    channel: ManuallyDrop<Channel>,
    exchange: ManuallyDrop<File>,
}

impl Own {
    /// That of a job which has some.
    pub fn new(run: &Run) -> Option<Self> {
        let number = descriptors::calls(run)?;
        // SAFETY: the supervisor gives both, which stay open; nobody else uses the second, and the first only while nothing is called.
        let [channel, exchange] =
            [descriptors::CHANNEL, number].map(|number| ManuallyDrop::new(unsafe { File::from_raw_fd(number) }));
        Some(Self { channel: ManuallyDrop::new(Channel::new(ManuallyDrop::into_inner(channel))), exchange })
    }

    /// Calls a function; what it takes and gives are words and bytes.
    fn call(&mut self, object: usize, function: i64, words: &[u8], bytes: &[u8]) -> io::Result<(Vec<u8>, Vec<u8>)> {
        if exchange::write(&mut *self.exchange, words, bytes).is_err() {
            // What cannot be is refused there.
            io::Write::write_all(&mut *self.exchange, &[0xff; exchange::HEAD])?;
        }
        if self.channel.call(object, function)? != GIVEN {
            return Err(io::Error::other("a function of the host failed"));
        }
        exchange::read(&mut *self.exchange, u64::MAX)
    }
}

/// Defines the import for a store whose host has objects of its own.
///
/// # Errors
/// If it is there already.
pub fn link(linker: &mut Linker<Host>) -> Result<(), Error> {
    linker.func_wrap(HOST_CALL.0, HOST_CALL.1, host_call).map(drop)
}

/// Calls a function of an object of the host's own. Its arguments are in the buffers, and so is then what it gives.
fn host_call(
    mut caller: Caller<'_, Host>,
    handle: ExternRef,
    function: i64,
    words: ArrayRef,
    word: i64,
    bytes: ArrayRef,
    byte: i64,
) -> Result<(ArrayRef, ArrayRef), Error> {
    let no_capability = || Error::host(HostError::NoCapability);
    let object = handle.downcast_ref::<Object>().ok_or_else(no_capability)?.0;
    let used = |array: &ArrayRef, count: i64, size: usize| -> Result<Vec<u8>, Error> {
        let count = usize::try_from(count).ok().and_then(|count| count.checked_mul(size));
        let used = count.and_then(|count| Some(array.bytes(&caller).ok()?.get(..count)?.to_vec()));
        used.ok_or_else(no_capability)
    };
    let (words_used, bytes_used) = (used(&words, word, 8)?, used(&bytes, byte, 1)?);
    let own = caller.data_mut().own.as_mut().ok_or_else(no_capability)?;
    let (words_given, bytes_given) = own.call(object, function, &words_used, &bytes_used).map_err(Error::host)?;
    Ok((filled(&mut caller, words, &words_given)?, filled(&mut caller, bytes, &bytes_given)?))
}
