//! Telling what a program asks of its host, for whoever wants to know: one [`Event`] for each call of a host function.
//!
//! Nothing here runs unless it was asked for, by [`HostState::record_to`] and
//! [`Linker::recorded_host_table`](crate::api::Linker::recorded_host_table) together. What is told comes from the process that runs the
//! program: it is true as long as that process was not taken over.

use std::io;
use std::time::Instant;

use super::error::HostError;
use super::memory::GuestMemory;
use super::state::HostState;
use super::table::{self, Row};
use super::wasi::Errno;
use super::wasi::abi::{self, rights};
use super::{Grants, descriptor};

/// What a parameter of a [`Row`] stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A number.
    Number,
    /// A descriptor.
    Descriptor,
    /// The address of a text; the next parameter is its [`Self::Length`].
    Path,
    /// The length of the text before.
    Length,
    /// How something is opened (`oflags`).
    OpenFlags,
    /// What is to be done with what is opened.
    Rights,
    /// What may be done with what is opened below it.
    Inheriting,
    /// An address in the program's memory, or the length of an array there: it means nothing outside.
    Address,
    /// The address where the number of a descriptor is written that was made.
    NewDescriptor,
    /// The address where the number of bytes is written that were moved.
    Done,
}

/// What a descriptor comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Origin {
    /// Standard input.
    Stdin,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// A granted directory: its index in [`Grants::dirs`].
    Directory(usize),
    /// A connection that was handed in: its index in [`Grants::net`], if it was granted there.
    Socket(usize),
}

/// A call of a host function that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Event {
    /// Which function.
    pub callee: Callee,
    /// One for each parameter of its row.
    pub arguments: Vec<Argument>,
    /// How it ended.
    pub outcome: Outcome,
    /// What the program got.
    pub given: Option<Given>,
    /// Nanoseconds that it took.
    pub took: u64,
}

/// A function that was called.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Callee {
    /// The index of a row in [`table::rows`].
    Row(usize),
    /// One that is in no table; the program's words.
    Unknown {
        /// First name of the import.
        module: String,
        /// Second name of the import.
        name: String,
    },
}

/// An argument, as its parameter's [`Meaning`] has it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Argument {
    /// It means nothing outside.
    Hidden,
    /// A number, or flags.
    Number(u64),
    /// A text; the program's words.
    Path(String),
    /// A text that is not in the program's memory.
    Unreadable,
    /// A descriptor.
    Descriptor {
        /// Its number.
        number: u32,
        /// What it comes from; nothing if there is none of this number.
        origin: Option<Origin>,
        /// The path below a granted directory by which it was opened, as the program wrote it.
        path: Option<String>,
    },
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Outcome {
    /// It did its work.
    Done,
    /// With this error number for the program.
    Errno(u16),
    /// It ended the program, which wanted that.
    Exit(i32),
    /// It would have written more than is allowed.
    OutputLimit,
    /// The run was to be stopped.
    Interrupted,
    /// It failed otherwise, which ends the program.
    Failed,
    /// The function is not there for this program, which that ends.
    NotGranted,
}

/// What a call gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Given {
    /// A new descriptor.
    Descriptor(u32),
    /// So many bytes were moved.
    Bytes(u32),
}

/// Gets each event. Calls that cannot be told end the run.
pub type Sink = Box<dyn FnMut(&Event) -> io::Result<()> + Send>;

/// Bytes of a text that are told: what is longer is no path.
const LONGEST: usize = 4096;

impl Event {
    /// A call of a function that is not there for the program.
    pub fn not_granted(module: &str, name: &str) -> Self {
        let callee = match table::position(module, name) {
            Some(at) => Callee::Row(at),
            None => Callee::Unknown { module: cut(module), name: cut(name) },
        };
        let hidden = match callee {
            Callee::Row(at) => table::rows().get(at).map_or(0, |row| row.params.len()),
            Callee::Unknown { .. } => 0,
        };
        let arguments = vec![Argument::Hidden; hidden];
        Self { callee, arguments, outcome: Outcome::NotGranted, given: None, took: 0 }
    }

    /// The row that was called, if it was one.
    pub fn row(&self) -> Option<&'static Row> {
        match self.callee {
            Callee::Row(at) => table::rows().get(at),
            Callee::Unknown { .. } => None,
        }
    }

    /// Parameters and arguments.
    pub fn arguments(&self) -> impl Iterator<Item = (&'static str, Meaning, &Argument)> + Clone {
        let (names, meanings) = self.row().map_or((&[][..], &[][..]), |row| (row.param_names, row.meanings));
        names.iter().zip(meanings).zip(&self.arguments).map(|((name, meaning), argument)| (*name, *meaning, argument))
    }

    /// What the descriptors come from that it was called with.
    pub fn origins(&self) -> impl Iterator<Item = Origin> {
        self.arguments.iter().filter_map(|argument| match argument {
            Argument::Descriptor { origin, .. } => *origin,
            _ => None,
        })
    }

    /// Whether the program asked for a change of a directory or of what is in it.
    pub fn asks_for_change(&self) -> bool {
        let flags = |meaning, argument: &Argument| match (meaning, argument) {
            (Meaning::OpenFlags, Argument::Number(flags)) => {
                flags & u64::from(abi::OFLAG_CREAT | abi::OFLAG_TRUNC) != 0
            }
            (Meaning::Rights, Argument::Number(wanted)) => wanted & rights::FD_WRITE != 0,
            _ => false,
        };
        self.row().is_some_and(Row::changes) || self.arguments().any(|(_, meaning, argument)| flags(meaning, argument))
    }

    /// Whether there is such a function, with such parameters, for a program with these grants. What comes from another process is
    /// to be looked at so before anything else is asked of it.
    pub fn is_sound(&self, grants: &Grants) -> bool {
        let is_granted = |origin: &Origin| match *origin {
            Origin::Directory(at) => at < grants.dirs.len(),
            Origin::Socket(at) => at < grants.net.len(),
            Origin::Stdin | Origin::Stdout | Origin::Stderr => true,
        };
        let fits = |meaning: &Meaning, argument: &Argument| match argument {
            Argument::Hidden => true,
            Argument::Number(_) => {
                matches!(meaning, Meaning::Number | Meaning::OpenFlags | Meaning::Rights | Meaning::Inheriting)
            }
            Argument::Path(_) | Argument::Unreadable => *meaning == Meaning::Path,
            Argument::Descriptor { origin, .. } => {
                *meaning == Meaning::Descriptor && origin.as_ref().is_none_or(is_granted)
            }
        };
        match (&self.callee, self.row()) {
            (Callee::Unknown { .. }, _) => self.arguments.is_empty() && self.outcome == Outcome::NotGranted,
            (Callee::Row(_), Some(row)) => {
                row.meanings.len() == self.arguments.len()
                    && row.meanings.iter().zip(&self.arguments).all(|(meaning, argument)| fits(meaning, argument))
            }
            (Callee::Row(_), None) => false,
        }
    }
}

impl Outcome {
    /// The error behind it, if it is one for the program.
    pub fn errno(self) -> Option<Errno> {
        match self {
            Self::Errno(number) => Errno::from_number(number.into()),
            _ => None,
        }
    }

    /// Whether it was refused for want of a grant.
    pub fn is_refusal(self) -> bool {
        match self {
            Self::Errno(_) => self.errno().is_some_and(Errno::is_refusal),
            Self::OutputLimit | Self::NotGranted => true,
            Self::Done | Self::Exit(_) | Self::Interrupted | Self::Failed => false,
        }
    }

    fn new(result: &Result<u64, HostError>) -> Self {
        match result {
            Ok(0) => Self::Done,
            Ok(errno) => Self::Errno(u16::try_from(*errno).unwrap_or(u16::MAX)),
            Err(HostError::Exit(code)) => Self::Exit(*code),
            Err(HostError::OutputLimit) => Self::OutputLimit,
            Err(HostError::Interrupted) => Self::Interrupted,
            Err(HostError::Fail(_)) => Self::Exit(1),
            Err(_) => Self::Failed,
        }
    }
}

impl HostState {
    /// Has every call of a recorded host table told to `sink`.
    #[doc(hidden)]
    pub fn record_to(&mut self, sink: Sink) {
        self.recorder = Some(sink);
    }

    /// Tells an event, if anyone wants to know.
    ///
    /// # Errors
    /// If it cannot be told.
    #[doc(hidden)]
    pub fn tell(&mut self, event: &Event) -> Result<(), HostError> {
        match &mut self.recorder {
            Some(sink) => sink(event).map_err(|error| HostError::Failed(Box::new(error))),
            None => Ok(()),
        }
    }
}

/// Calls a row, and tells of it.
pub(crate) fn call(
    row: &'static Row,
    host: &mut HostState,
    bytes: &mut [u8],
    arguments: &[u64],
) -> Result<u64, HostError> {
    let told = told(row, host, &GuestMemory::new(bytes), arguments);
    let start = Instant::now();
    let result = row.call.on_memory(host, GuestMemory::new(bytes), arguments);
    let took = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let outcome = Outcome::new(&result);
    let given = match outcome {
        Outcome::Done => given(row, &GuestMemory::new(bytes), arguments),
        _ => None,
    };
    if let (Some(Given::Descriptor(number)), Some(path)) = (given, opened(&told)) {
        host.descriptors.name(number, path);
    }
    let at = table::position(row.module, row.name).unwrap_or(usize::MAX);
    let event = Event { callee: Callee::Row(at), arguments: told, outcome, given, took };
    let is_told = host.tell(&event);
    // What ended the run already counts more.
    result.and_then(|value| is_told.map(|()| value))
}

/// The arguments of a call, before it changes what they stand for.
fn told(row: &Row, host: &HostState, memory: &GuestMemory<'_>, arguments: &[u64]) -> Vec<Argument> {
    let descriptor = |number: u32| {
        let found = host.descriptors.get(number).ok();
        let path = found.and_then(|found| found.path.as_deref()).map(str::to_owned);
        Argument::Descriptor { number, origin: found.map(|found| found.origin), path }
    };
    let text = |address: u64, len: Option<&u64>| {
        let len = len.map_or(0, |len| (*len as u32).min(LONGEST as u32));
        match memory.slice(address as u32, len) {
            Ok(bytes) => Argument::Path(String::from_utf8_lossy(bytes).into_owned()),
            Err(_) => Argument::Unreadable,
        }
    };
    let one = |(at, meaning): (usize, &Meaning)| {
        let value = arguments.get(at).copied().unwrap_or_default();
        match meaning {
            Meaning::Number | Meaning::OpenFlags | Meaning::Rights | Meaning::Inheriting => Argument::Number(value),
            Meaning::Descriptor => descriptor(value as u32),
            Meaning::Path => text(value, arguments.get(at + 1)),
            Meaning::Length | Meaning::Address | Meaning::NewDescriptor | Meaning::Done => Argument::Hidden,
        }
    };
    row.meanings.iter().enumerate().map(one).collect()
}

/// What a call left for the program.
fn given(row: &Row, memory: &GuestMemory<'_>, arguments: &[u64]) -> Option<Given> {
    row.meanings.iter().zip(arguments).find_map(|(meaning, address)| {
        let make = match meaning {
            Meaning::NewDescriptor => Given::Descriptor,
            Meaning::Done => Given::Bytes,
            _ => return None,
        };
        memory.read_u32(*address as u32).ok().map(make)
    })
}

/// The path of what was opened, below its granted directory.
fn opened(arguments: &[Argument]) -> Option<String> {
    let mut below = None;
    for argument in arguments {
        match (argument, below) {
            (Argument::Descriptor { path, .. }, _) => below = path.as_deref(),
            (Argument::Path(path), Some(directory)) => return Some(cut(&descriptor::joined(directory, path))),
            (Argument::Path(path), None) => return Some(path.clone()),
            _ => {}
        }
    }
    None
}

/// The beginning of a text that may be of any length.
fn cut(text: &str) -> String {
    text.get(..text.floor_char_boundary(LONGEST)).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::host::DirGrant;
    use crate::types::ValType;

    #[test]
    fn every_parameter_is_what_its_name_says() {
        for row in table::rows().iter().filter(|row| row.module == crate::host::wasi::MODULE) {
            assert_eq!((row.meanings.len(), row.param_names.len()), (row.params.len(), row.params.len()));
            for (at, (name, meaning)) in row.param_names.iter().zip(row.meanings).enumerate() {
                let where_ = format!("{} {name}", row.name);
                let is_wide = matches!(meaning, Meaning::Rights | Meaning::Inheriting);
                assert!(!is_wide || row.params[at] == ValType::I64, "{where_}");
                if *meaning == Meaning::Path {
                    assert_eq!(row.meanings.get(at + 1), Some(&Meaning::Length), "{where_}");
                }
                if name.ends_with("fd") {
                    assert!(matches!(meaning, Meaning::Descriptor | Meaning::NewDescriptor), "{where_}");
                }
                if name.ends_with("path") && row.name != "fd_prestat_dir_name" {
                    assert_eq!(*meaning, Meaning::Path, "{where_}");
                }
            }
        }
    }

    struct Guest {
        host: HostState,
        memory: Vec<u8>,
        told: mpsc::Receiver<Event>,
        grants: Grants,
        _tree: tempfile::TempDir,
    }

    impl Guest {
        fn new() -> Self {
            let tree = tempfile::tempdir().unwrap();
            std::fs::create_dir(tree.path().join("sub")).unwrap();
            std::fs::write(tree.path().join("sub/file"), "contents").unwrap();
            let dir = DirGrant { name: None, host: tree.path().to_owned(), guest: "/data".to_owned(), writable: false };
            let grants = Grants { dirs: vec![dir], ..Grants::none() };
            let mut host = HostState::new(&grants).unwrap();
            let (tell, told) = mpsc::channel();
            host.record_to(Box::new(move |event| tell.send(event.clone()).map_err(io::Error::other)));
            Self { host, memory: vec![0; 65536], told, grants, _tree: tree }
        }

        /// Calls a function, and gives what was told of it.
        fn call(&mut self, name: &str, arguments: &[u64]) -> Event {
            let row = table::lookup(crate::host::wasi::MODULE, name).unwrap();
            let _ = call(row, &mut self.host, &mut self.memory, arguments);
            let event = self.told.try_recv().unwrap();
            assert!(event.is_sound(&self.grants) && event.row().is_some_and(|row| row.name == name), "{event:?}");
            assert!(self.told.try_recv().is_err(), "one event a call");
            event
        }

        /// Opens something, and gives its number.
        fn open(&mut self, directory: u64, path: &str, oflags: u64, wanted: u64) -> u64 {
            self.memory[100..100 + path.len()].copy_from_slice(path.as_bytes());
            let arguments = [directory, 1, 100, path.len() as u64, oflags, wanted, u64::MAX, 0, 16];
            match self.call("path_open", &arguments) {
                Event { given: Some(Given::Descriptor(number)), outcome: Outcome::Done, .. } => number.into(),
                other => panic!("{other:?}"),
            }
        }
    }

    fn descriptor(number: u32, path: Option<&str>) -> Argument {
        Argument::Descriptor { number, origin: Some(Origin::Directory(0)), path: path.map(str::to_owned) }
    }

    #[test]
    fn descriptors_are_told_with_what_they_come_from_and_how_they_were_opened() {
        let mut guest = Guest::new();
        let sub = guest.open(3, "sub", abi::OFLAG_DIRECTORY.into(), rights::DIRECTORY);
        let file = guest.open(sub, "file", 0, rights::FD_READ);
        guest.memory[..8].copy_from_slice(&[200, 0, 0, 0, 100, 0, 0, 0]);
        let read = guest.call("fd_read", &[file, 0, 1, 12]);
        assert_eq!(read.arguments[0], descriptor(file as u32, Some("sub/file")));
        assert_eq!((read.outcome, read.given), (Outcome::Done, Some(Given::Bytes(8))));
        assert!(!read.asks_for_change() && !read.outcome.is_refusal());
        // What has moved is still what it was, and what is closed is nothing.
        guest.call("fd_renumber", &[file, sub]);
        let stat = guest.call("fd_filestat_get", &[sub, 512]);
        assert_eq!(stat.arguments[0], descriptor(sub as u32, Some("sub/file")));
        let closed = guest.call("fd_close", &[file]);
        assert_eq!(closed.arguments[0], Argument::Descriptor { number: file as u32, origin: None, path: None });
        assert_eq!(closed.outcome.errno(), Some(Errno::Badf));
    }

    #[test]
    fn what_is_refused_is_told_from_what_fails() {
        let mut guest = Guest::new();
        guest.memory[100..108].copy_from_slice(b"sub/file");
        let removed = guest.call("path_unlink_file", &[3, 100, 8]);
        assert!(removed.outcome.is_refusal() && removed.asks_for_change(), "{removed:?}");
        assert_eq!(removed.arguments[1], Argument::Path("sub/file".to_owned()));
        guest.memory[100..105].copy_from_slice(b"../..");
        let outside = guest.call("path_filestat_get", &[3, 0, 100, 5, 512]);
        assert!(outside.outcome.is_refusal() && !outside.asks_for_change(), "{outside:?}");
        guest.memory[100..104].copy_from_slice(b"none");
        let missing = guest.call("path_filestat_get", &[3, 0, 100, 4, 512]);
        assert!(!missing.outcome.is_refusal() && missing.outcome.errno() == Some(Errno::Noent), "{missing:?}");
        let outside = guest.call("path_filestat_get", &[3, 0, 65530, 100, 512]);
        assert_eq!(outside.arguments[2], Argument::Unreadable);
    }

    #[test]
    fn what_ends_a_program_is_told() {
        let mut guest = Guest::new();
        assert_eq!(guest.call("proc_exit", &[7]).outcome, Outcome::Exit(7));
    }

    #[test]
    fn texts_are_told_as_far_as_a_path_can_be_long() {
        let mut guest = Guest::new();
        guest.memory[100..60_000].fill(0xff);
        let event = guest.call("path_unlink_file", &[3, 100, 50_000]);
        let Argument::Path(path) = &event.arguments[1] else { panic!("{event:?}") };
        assert_eq!(path.chars().count(), LONGEST);
    }

    #[test]
    fn a_call_that_cannot_be_told_ends_the_run() {
        let mut guest = Guest::new();
        guest.host.record_to(Box::new(|_| Err(io::ErrorKind::BrokenPipe.into())));
        let call = |guest: &mut Guest, name, arguments: &[u64]| {
            let row = table::lookup(crate::host::wasi::MODULE, name).unwrap();
            call(row, &mut guest.host, &mut guest.memory, arguments)
        };
        assert!(matches!(call(&mut guest, "fd_close", &[3]), Err(HostError::Failed(_))));
        // What ended it already counts more.
        assert!(matches!(call(&mut guest, "proc_exit", &[7]), Err(HostError::Exit(7))));
    }
}
