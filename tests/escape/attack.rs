//! What an attack is: something that the payload tries, and how that must end.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use pinfold_sandbox::{Layer, Plan};
use pinfold_vm::host::{DirGrant, Grants};
use serde::{Deserialize, Serialize};

/// Makes a system call; `-1` comes back as the error. Arguments are numbers and pointers.
macro_rules! sys {
    ($number:expr $(, $argument:expr)* $(,)?) => {{
        // SAFETY: every pointer among the arguments is to memory that is valid for as long as the call takes.
        let result = unsafe { libc::syscall($number $(, $crate::attack::Word::word($argument))*) };
        $crate::attack::check(result)
    }};
}
pub(crate) use sys;

/// What can be an argument of a system call.
pub trait Word {
    fn word(self) -> usize;
}

macro_rules! words {
    ($($number:ty),*) => {
        $(impl Word for $number {
            fn word(self) -> usize {
                self as usize
            }
        })*
    };
}

words!(i32, u32, i64, u64, usize);

impl<T> Word for *const T {
    fn word(self) -> usize {
        self as usize
    }
}

impl<T> Word for *mut T {
    fn word(self) -> usize {
        self as usize
    }
}

/// The result of a system call.
pub fn check(result: i64) -> io::Result<i64> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Why an attack came to nothing.
#[derive(Debug)]
pub enum Failure {
    /// The kernel refused it, or there was nothing to be had.
    Refused(String),
    /// This host has not what is attacked.
    Lacks(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Refused(error.to_string())
    }
}

/// `Ok` is an escape, with what was got by it.
pub type Attempt = Result<String, Failure>;

/// An escape.
pub fn escaped(what: impl Into<String>) -> Attempt {
    Ok(what.into())
}

/// Nothing to be had.
pub fn refused(why: impl Into<String>) -> Attempt {
    Err(Failure::Refused(why.into()))
}

/// The host cannot show it.
pub fn lacks(what: impl Into<String>) -> Attempt {
    Err(Failure::Lacks(what.into()))
}

/// A call whose success is the escape; on a kernel that was built without it there is nothing to show.
pub fn gives(result: io::Result<i64>) -> Attempt {
    match result {
        Ok(value) => escaped(format!("the call gave {value}")),
        Err(error) => Err(unless_missing(error)),
    }
}

/// A call that is wrong in itself, so that it does no harm: whoever is told what is wrong with it had the privilege to make it.
pub fn privileged(result: io::Result<i64>) -> Attempt {
    match result {
        Ok(value) => escaped(format!("the call gave {value}")),
        Err(error) if error.raw_os_error() == Some(libc::EPERM) => refused(error.to_string()),
        Err(error) if is_missing(&error) => lacks(error.to_string()),
        Err(error) => escaped(format!("past the question for privilege: {error}")),
    }
}

/// An error, which may be that the kernel was built without what is asked for.
pub fn unless_missing(error: io::Error) -> Failure {
    if is_missing(&error) { Failure::Lacks(error.to_string()) } else { error.into() }
}

fn is_missing(error: &io::Error) -> bool {
    let missing = [libc::ENOSYS, libc::EAFNOSUPPORT, libc::EPROTONOSUPPORT, libc::ESOCKTNOSUPPORT, libc::EOPNOTSUPP];
    error.raw_os_error().is_some_and(|number| missing.contains(&number))
}

/// What the suite has put up outside, for attacks to aim at.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Targets {
    /// A directory of the suite's own. `secret` is in it, and `granted`, which some attacks are granted.
    pub scratch: PathBuf,
    /// This executable.
    pub executable: PathBuf,
    /// Whoever supervises.
    pub supervisor: i32,
    /// A process with a secret in its memory, at this address.
    pub victim: i32,
    pub secret_at: usize,
    /// A loopback server.
    pub tcp: u16,
    pub udp: u16,
    pub tcp6: Option<u16>,
    /// Another, which nothing is granted to reach.
    pub other: u16,
    /// A loopback address that no other suite uses.
    pub own_address: String,
    /// Abstract name of a stream server.
    pub abstract_name: String,
    /// The host's name.
    pub host: String,
    /// Key of a segment of shared memory.
    pub segment: i32,
    /// A handle of `secret`, as `name_to_handle_at` gives it.
    pub handle: Vec<u8>,
    /// Whether there is no device in the granted directory: not everyone may make one.
    pub without_device: bool,
    /// The far end of a pseudo terminal.
    pub terminal: PathBuf,
}

/// What the targets hold, where it is found.
pub const SECRET: &str = "the secret that nobody granted";

/// Where the payload stands when it attacks.
pub struct Ground<'a> {
    pub targets: &'a Targets,
    pub plan: &'a Plan,
    /// The granted directory, if there is one.
    pub folder: Option<PathBuf>,
    /// Number of the filter's listener.
    pub listener: Option<i32>,
}

impl Ground<'_> {
    /// A path of the suite's own directory, as the host has it.
    pub fn outside(&self, name: &str) -> std::ffi::CString {
        text(self.targets.scratch.join(name))
    }

    /// A path of the granted directory, as the payload has it.
    pub fn inside(&self, name: &str) -> std::ffi::CString {
        text(self.folder.as_deref().unwrap_or("/".as_ref()).join(name))
    }
}

fn text(path: PathBuf) -> std::ffi::CString {
    let bytes = std::os::unix::ffi::OsStringExt::into_vec(path.into_os_string());
    std::ffi::CString::new(bytes).unwrap_or_default()
}

/// How a run must end with all layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The filter does not have this call, or not in this form.
    Violation(&'static str),
    /// The calls are allowed, and give nothing.
    Refused,
    /// By this signal.
    Killed(i32),
    /// The deadline.
    Timeout,
    /// The limit of output.
    Output,
    /// The supervisor does not believe the worker.
    Nonsense,
    /// The process ends without a word.
    Exited,
}

/// What happens without any layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bare {
    /// The attack succeeds: what it tries is worth a wall.
    Succeeds,
    /// The kernel, or the supervisor, stops it anyway; why.
    Stopped(&'static str),
}

/// When the payload attacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Once the supervisor has said that it may run the program.
    Running,
    /// Locked, in place of saying so.
    Announcing,
}

/// What the supervisor's own streams are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streams {
    Nothing,
    /// Nothing, for errors too.
    Silent,
    /// A terminal, which controls the session.
    Terminal,
    /// Output is a pipe that nobody reads any more.
    Deaf,
    /// Input is a directory.
    Directory,
    /// Input is a file that holds the secret, and is open for writing too.
    Secret,
}

/// An attack.
pub struct Attack {
    pub name: &'static str,
    /// What it tries, for the table.
    pub tries: &'static str,
    pub run: fn(&Ground<'_>) -> Attempt,
    pub ends: End,
    pub bare: Bare,
    /// The one layer without which it succeeds, if nothing else stands behind that.
    pub only: Option<Layer>,
    /// Why it succeeds where there are no namespaces: what is known, and told.
    pub without_namespaces: Option<&'static str>,
    pub grants: fn(&Targets) -> Grants,
    pub moment: Moment,
    /// When the supervisor is to end it.
    pub timeout: Duration,
    /// Whether it is about the supervisor: layers are not what stops it.
    pub on_supervisor: bool,
    /// Whether the supervisor has nothing to do meanwhile, and must not be busy.
    pub idle: bool,
    /// Whether the worker has a compiler.
    pub beside_compiler: bool,
    pub streams: Streams,
}

/// An attack that ends at the filter, by a call of this name.
pub fn attack(
    name: &'static str,
    syscall: &'static str,
    tries: &'static str,
    run: fn(&Ground<'_>) -> Attempt,
) -> Attack {
    Attack {
        name,
        tries,
        run,
        ends: End::Violation(syscall),
        bare: Bare::Succeeds,
        only: None,
        without_namespaces: None,
        grants: |_| Grants::none(),
        moment: Moment::Running,
        timeout: Duration::from_secs(10),
        on_supervisor: false,
        idle: false,
        beside_compiler: false,
        streams: Streams::Nothing,
    }
}

impl Attack {
    /// Ends otherwise than at the filter.
    pub fn ends(mut self, end: End) -> Self {
        self.ends = end;
        self
    }

    /// Is stopped without any layer too, and why.
    pub fn stopped_anyway(mut self, why: &'static str) -> Self {
        self.bare = Bare::Stopped(why);
        self
    }

    /// Is stopped by one layer and no other.
    pub fn only(mut self, layer: Layer) -> Self {
        self.only = Some(layer);
        self
    }

    /// Is stopped by the filter and nothing else.
    pub fn filter_only(self) -> Self {
        self.only(Layer::Seccomp)
    }

    /// Is stopped by a namespace and nothing else, and why the other layers do not.
    pub fn needs_namespaces(mut self, layer: Layer, why: &'static str) -> Self {
        self.without_namespaces = Some(why);
        self.only(layer)
    }

    pub fn granted(mut self, grants: fn(&Targets) -> Grants) -> Self {
        self.grants = grants;
        self
    }

    pub fn announcing(mut self) -> Self {
        self.moment = Moment::Announcing;
        self
    }

    pub fn on_supervisor(mut self, end: End) -> Self {
        self.on_supervisor = true;
        self.ends(end)
    }

    pub fn idly(mut self) -> Self {
        self.idle = true;
        self
    }

    /// In a worker whose code another process makes.
    pub fn beside_compiler(mut self) -> Self {
        self.beside_compiler = true;
        self
    }

    pub fn streams(mut self, streams: Streams) -> Self {
        self.streams = streams;
        self
    }

    pub fn timeout(mut self, milliseconds: u64) -> Self {
        self.timeout = Duration::from_millis(milliseconds);
        self
    }
}

/// Grants of the directory `granted`.
pub fn folder(targets: &Targets, writable: bool) -> Grants {
    let granted = DirGrant { name: None, host: targets.scratch.join("granted"), guest: "/granted".into(), writable };
    Grants { dirs: vec![granted], ..Grants::none() }
}

/// The directory for reading.
pub fn readable(targets: &Targets) -> Grants {
    folder(targets, false)
}

/// The directory for writing.
pub fn writable(targets: &Targets) -> Grants {
    folder(targets, true)
}

/// The console, and the directory for reading.
pub fn console_and_readable(targets: &Targets) -> Grants {
    Grants { dirs: readable(targets).dirs, ..Grants::command() }
}

/// The console, a clock and randomness.
pub fn console(_: &Targets) -> Grants {
    Grants::command()
}
