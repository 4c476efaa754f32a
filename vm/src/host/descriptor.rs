//! A program's descriptors: numbers for what it may use, each with its rights.
//!
//! Numbers 0 to 2 belong to the standard streams, granted directories follow from 3 on (where
//! wasi-libc looks for them), and what the program opens takes the lowest free number above 2,
//! even where a standard stream was closed: a file never becomes standard output by accident.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex};

use rustix::fs::{FileType, Mode, OFlags};

use super::error::HostSetupError;
use super::grants::{Console, DirGrant, Grants, Stdin};
use super::record::Origin;
use super::state::refuse_zero_byte;
use super::wasi::Errno;
use super::wasi::abi::{self, FileKind, rights};
use super::wasi::path;

/// Something a program has open.
#[derive(Debug)]
pub struct Descriptor {
    /// What it is.
    pub kind: Kind,
    /// What may be done with it.
    pub rights: u64,
    /// What may be done with what is opened through it.
    pub inheriting: u64,
    /// Descriptor flags as the program set them.
    pub flags: u16,
    /// What was granted that it comes from.
    pub origin: Origin,
    /// By which path it was opened, below its granted directory; known only where calls are recorded.
    pub path: Option<Box<str>>,
}

/// What a descriptor stands for.
#[derive(Debug)]
pub enum Kind {
    /// Standard input.
    Input(Source),
    /// Standard output or error.
    Output(Sink),
    /// A file below a granted directory. Opened without blocking, whatever the program asked for:
    /// waiting is done by `ppoll`, which a stop can end.
    File(File),
    /// A granted directory, or one below it.
    Directory(Directory),
    /// A socket that does not block.
    Socket {
        /// The socket.
        fd: OwnedFd,
        /// Stream or datagram.
        kind: FileKind,
    },
}

/// A file below a granted directory.
#[derive(Debug)]
pub struct File {
    /// The file.
    pub fd: OwnedFd,
    /// Its kind.
    pub kind: FileKind,
    /// Whether it was granted for reading only.
    pub read_only: bool,
    /// Whether it is below a directory that is walked step by step.
    pub stepwise: bool,
}

impl File {
    /// Whether it has no places, only an order: a pipe that has a name.
    pub fn is_pipe(&self) -> bool {
        matches!(self.kind, FileKind::Unknown | FileKind::SocketStream)
    }
}

/// A granted directory, or one below it.
#[derive(Debug)]
pub struct Directory {
    /// The directory.
    pub fd: OwnedFd,
    /// Whether it was granted for reading only.
    pub read_only: bool,
    /// The name it was granted under, if it was.
    pub preopen: Option<String>,
    /// Whether paths below it are walked step by step.
    pub stepwise: bool,
    /// The device it is on.
    pub device: u64,
}

/// Where standard input comes from.
#[derive(Debug)]
pub enum Source {
    /// Nowhere.
    Empty,
    /// A descriptor of the host, which it may share with others.
    Host(HostStream),
    /// Bytes.
    Bytes {
        /// All of them.
        bytes: Arc<[u8]>,
        /// How many were read.
        read: usize,
    },
}

/// Where standard output and error go.
#[derive(Debug)]
pub enum Sink {
    /// Nowhere.
    Discard,
    /// A descriptor of the host, which it may share with others.
    Host(HostStream),
    /// A buffer.
    Buffer(Arc<Mutex<Vec<u8>>>),
}

/// A standard stream of the host.
#[derive(Debug)]
pub struct HostStream {
    /// A duplicate of the host's descriptor.
    pub fd: OwnedFd,
    /// Whether it is a terminal: the only thing a program learns about it.
    pub is_terminal: bool,
    /// Whether reads and writes can block.
    pub can_block: bool,
}

/// All descriptors of a program.
#[derive(Debug)]
pub struct Descriptors {
    slots: Vec<Option<Descriptor>>,
    open: usize,
    limit: usize,
}

impl Descriptor {
    /// The kind of file it is, as far as the program may know.
    pub fn file_kind(&self) -> FileKind {
        match &self.kind {
            Kind::Input(Source::Host(stream)) | Kind::Output(Sink::Host(stream)) if stream.is_terminal => {
                FileKind::CharacterDevice
            }
            Kind::Input(_) | Kind::Output(_) => FileKind::Unknown,
            Kind::File(file) => file.kind,
            Kind::Directory(_) => FileKind::Directory,
            Kind::Socket { kind, .. } => *kind,
        }
    }

    /// Whether the program may know that it is a terminal.
    pub fn is_terminal(&self) -> bool {
        self.file_kind() == FileKind::CharacterDevice
    }

    /// The host's descriptor behind it, if there is one.
    pub fn host_fd(&self) -> Option<BorrowedFd<'_>> {
        match &self.kind {
            Kind::Input(Source::Host(stream)) | Kind::Output(Sink::Host(stream)) => Some(stream.fd.as_fd()),
            Kind::Input(_) | Kind::Output(_) => None,
            Kind::File(file) => Some(file.fd.as_fd()),
            Kind::Directory(directory) => Some(directory.fd.as_fd()),
            Kind::Socket { fd, .. } => Some(fd.as_fd()),
        }
    }

    /// Whether the program asked for `again` instead of waiting.
    pub fn is_nonblocking(&self) -> bool {
        self.flags & abi::FDFLAG_NONBLOCK != 0
    }

    /// The directory it is; `notdir` if it is something else.
    pub fn directory(&self) -> Result<&Directory, Errno> {
        match &self.kind {
            Kind::Directory(directory) => Ok(directory),
            _ => Err(Errno::Notdir),
        }
    }
}

impl Descriptors {
    /// The lowest number that a program's own descriptors take.
    pub const FIRST: usize = 3;

    /// Opens what is granted.
    pub fn new(grants: &Grants) -> Result<Self, HostSetupError> {
        let stream = |kind, right, origin| {
            Some(Descriptor {
                kind,
                rights: rights::STREAM & !(rights::FD_READ | rights::FD_WRITE) | right,
                inheriting: 0,
                flags: 0,
                origin,
                path: None,
            })
        };
        let [input, out, err] = grants.terminals;
        let (stdout, stderr) = match &grants.console {
            Console::Discard => (Sink::Discard, Sink::Discard),
            Console::Inherit => (
                host_stream("output", rustix::stdio::stdout(), out)?.map_or(Sink::Discard, Sink::Host),
                host_stream("error", rustix::stdio::stderr(), err)?.map_or(Sink::Discard, Sink::Host),
            ),
            Console::Capture { stdout, stderr } => (Sink::Buffer(stdout.clone()), Sink::Buffer(stderr.clone())),
        };
        let stdin = match &grants.stdin {
            Stdin::Empty => Source::Empty,
            Stdin::Inherit => host_stream("input", rustix::stdio::stdin(), input)?.map_or(Source::Empty, Source::Host),
            Stdin::Bytes(bytes) => Source::Bytes { bytes: bytes.clone(), read: 0 },
        };
        let mut slots = vec![
            stream(Kind::Input(stdin), rights::FD_READ, Origin::Stdin),
            stream(Kind::Output(stdout), rights::FD_WRITE, Origin::Stdout),
            stream(Kind::Output(stderr), rights::FD_WRITE, Origin::Stderr),
        ];
        for (index, grant) in grants.dirs.iter().enumerate() {
            if grants.dirs.iter().take(index).any(|earlier| earlier.guest == grant.guest) {
                return Err(HostSetupError::DuplicateGuestPath(grant.guest.clone()));
            }
            slots.push(Some(open_granted(grant, Origin::Directory(index), grants.stepwise)?));
        }
        Ok(Self { open: slots.len(), slots, limit: grants.handle_limit })
    }

    /// The descriptor of a number.
    pub fn get(&self, number: u32) -> Result<&Descriptor, Errno> {
        self.slots.get(number as usize).and_then(Option::as_ref).ok_or(Errno::Badf)
    }

    /// The descriptor of a number, to be changed.
    pub fn get_mut(&mut self, number: u32) -> Result<&mut Descriptor, Errno> {
        self.slots.get_mut(number as usize).and_then(Option::as_mut).ok_or(Errno::Badf)
    }

    /// The descriptor of a number; `notcapable` if it lacks one of these rights.
    pub fn with_rights(&self, number: u32, rights: u64) -> Result<&Descriptor, Errno> {
        let descriptor = self.get(number)?;
        if descriptor.rights & rights != rights {
            return Err(Errno::Notcapable);
        }
        Ok(descriptor)
    }

    /// The directory of a number; it must have these rights.
    pub fn directory(&self, number: u32, rights: u64) -> Result<&Directory, Errno> {
        let directory = self.get(number)?.directory()?;
        self.with_rights(number, rights)?;
        Ok(directory)
    }

    /// Fails with `mfile` if no more descriptors may be opened.
    pub fn check_room(&self) -> Result<(), Errno> {
        if self.open < self.limit { Ok(()) } else { Err(Errno::Mfile) }
    }

    /// Gives a descriptor the lowest free number.
    pub fn insert(&mut self, descriptor: Descriptor) -> Result<u32, Errno> {
        self.check_room()?;
        let free = self.slots.iter().skip(Self::FIRST).position(Option::is_none);
        let number = free.map_or(self.slots.len(), |at| at + Self::FIRST);
        if number == self.slots.len() {
            self.slots.push(None);
        }
        let slot = self.slots.get_mut(number).ok_or(Errno::Mfile)?;
        *slot = Some(descriptor);
        self.open += 1;
        u32::try_from(number).map_err(|_| Errno::Mfile)
    }

    /// Remembers by which path a descriptor was opened.
    pub fn name(&mut self, number: u32, path: String) {
        if let Ok(descriptor) = self.get_mut(number) {
            descriptor.path = Some(path.into());
        }
    }

    /// Closes a descriptor.
    pub fn close(&mut self, number: u32) -> Result<(), Errno> {
        let closed = self.slots.get_mut(number as usize).and_then(Option::take).ok_or(Errno::Badf)?;
        if let Kind::Socket { fd, .. } = closed.kind {
            close_quietly(fd);
        }
        self.open -= 1;
        Ok(())
    }

    /// Moves a descriptor to the number of another, which is closed.
    pub fn renumber(&mut self, from: u32, to: u32) -> Result<(), Errno> {
        self.get(from)?;
        self.get(to)?;
        if from != to {
            self.close(to)?;
            let moved = self.slots.get_mut(from as usize).and_then(Option::take);
            *self.slots.get_mut(to as usize).ok_or(Errno::Badf)? = moved;
        }
        Ok(())
    }
}

/// A path from a directory that itself was opened by a path.
pub fn joined(directory: &str, path: &str) -> String {
    format!("{}/{path}", directory.trim_end_matches('/'))
}

/// Duplicates a standard stream of the host, which may stand for a terminal; `None` if it is closed.
fn host_stream(
    stream: &'static str,
    fd: BorrowedFd<'_>,
    is_terminal: bool,
) -> Result<Option<HostStream>, HostSetupError> {
    let fail = |errno: rustix::io::Errno| HostSetupError::Stream { stream, source: errno.into() };
    let fd = match rustix::io::fcntl_dupfd_cloexec(fd, 3) {
        Ok(fd) => fd,
        Err(rustix::io::Errno::BADF) => return Ok(None),
        Err(errno) => return Err(fail(errno)),
    };
    let kind = FileType::from_raw_mode(rustix::fs::fstat(&fd).map_err(fail)?.st_mode);
    let is_terminal = is_terminal || kind == FileType::CharacterDevice && std::io::IsTerminal::is_terminal(&fd);
    Ok(Some(HostStream { fd, is_terminal, can_block: kind != FileType::RegularFile }))
}

fn open_granted(grant: &DirGrant, origin: Origin, stepwise: bool) -> Result<Descriptor, HostSetupError> {
    refuse_zero_byte("path", &grant.guest)?;
    let fail = |errno: rustix::io::Errno| HostSetupError::Directory { path: grant.host.clone(), source: errno.into() };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let fd = rustix::fs::open(grant.host.as_path() as &Path, flags, Mode::empty()).map_err(fail)?;
    if is_proc(fd.as_fd()).map_err(fail)? {
        return Err(HostSetupError::ControlsProcesses(grant.host.clone()));
    }
    if !stepwise {
        path::check_support(fd.as_fd()).map_err(|errno| HostSetupError::NoOpenat2(errno.into()))?;
    }
    let device = rustix::fs::fstat(&fd).map_err(fail)?.st_dev;
    Ok(Descriptor {
        kind: Kind::Directory(Directory {
            fd,
            read_only: !grant.writable,
            preopen: Some(grant.guest.clone()),
            stepwise,
            device,
        }),
        rights: rights::DIRECTORY,
        inheriting: rights::DIRECTORY | rights::FILE,
        flags: 0,
        origin,
        path: None,
    })
}

/// Closes a socket. In builds with debug assertions the standard library asks before whether it is open, by a call that serving
/// connections does not take otherwise.
#[allow(unsafe_code)]
fn close_quietly(fd: OwnedFd) {
    // SAFETY: it is owned, and not used any more.
    unsafe { rustix::io::close(std::os::fd::IntoRawFd::into_raw_fd(fd)) }
}

/// Whether a file is on a proc file system, where a program could write the memory of the
/// process that runs it.
pub fn is_proc(fd: BorrowedFd<'_>) -> rustix::io::Result<bool> {
    Ok(rustix::fs::fstatfs(fd)?.f_type == rustix::fs::PROC_SUPER_MAGIC)
}
