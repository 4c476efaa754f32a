//! Numbers and layouts of WASI preview 1, as its `witx` files define them.

use rustix::io::Errno as HostErrno;

macro_rules! errnos {
    ($($name:ident = $number:literal $(from $host:ident)?, $doc:literal;)*) => {
        /// Error numbers as the guest sees them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u16)]
        pub enum Errno {
            $(#[doc = $doc] $name = $number,)*
        }

        impl From<HostErrno> for Errno {
            fn from(errno: HostErrno) -> Self {
                match errno {
                    $($(HostErrno::$host => Self::$name,)?)*
                    HostErrno::CANCELED => Self::Canceled,
                    _ => Self::Io,
                }
            }
        }

        impl Errno {
            /// The error behind a number; zero is success and none.
            pub const fn from_number(number: u64) -> Option<Self> {
                match number {
                    $($number => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// Its name in the standard.
            pub fn name(self) -> String {
                let name = match self {
                    $(Self::$name => stringify!($name),)*
                };
                // What starts with a digit is no name in Rust.
                if self == Self::TooBig { "2big".to_owned() } else { name.to_ascii_lowercase() }
            }

            /// Whether it says that a grant is missing, and not that something is wrong otherwise.
            pub const fn is_refusal(self) -> bool {
                matches!(self, Self::Perm | Self::Rofs | Self::Notcapable)
            }
        }
    };
}

errnos! {
    TooBig = 1 from TOOBIG, "Argument list too long.";
    Acces = 2 from ACCESS, "Permission denied.";
    Addrinuse = 3 from ADDRINUSE, "Address in use.";
    Addrnotavail = 4 from ADDRNOTAVAIL, "Address not available.";
    Afnosupport = 5 from AFNOSUPPORT, "Address family not supported.";
    Again = 6 from AGAIN, "Would block.";
    Already = 7 from ALREADY, "Already in progress.";
    Badf = 8 from BADF, "Not an open descriptor, or not one of the right kind.";
    Badmsg = 9 from BADMSG, "Bad message.";
    Busy = 10 from BUSY, "In use.";
    Canceled = 11, "Canceled.";
    Child = 12 from CHILD, "No child process.";
    Connaborted = 13 from CONNABORTED, "Connection aborted.";
    Connrefused = 14 from CONNREFUSED, "Connection refused.";
    Connreset = 15 from CONNRESET, "Connection reset.";
    Deadlk = 16 from DEADLK, "Deadlock.";
    Destaddrreq = 17 from DESTADDRREQ, "Destination address needed.";
    Dom = 18 from DOM, "Argument outside of the function's domain.";
    Dquot = 19 from DQUOT, "Quota exceeded.";
    Exist = 20 from EXIST, "Exists already.";
    Fault = 21 from FAULT, "Bad address.";
    Fbig = 22 from FBIG, "File too large.";
    Hostunreach = 23 from HOSTUNREACH, "Host cannot be reached.";
    Idrm = 24 from IDRM, "Identifier removed.";
    Ilseq = 25 from ILSEQ, "Not UTF-8.";
    Inprogress = 26 from INPROGRESS, "In progress.";
    Intr = 27 from INTR, "Interrupted.";
    Inval = 28 from INVAL, "Invalid argument.";
    Io = 29 from IO, "Input or output failed.";
    Isconn = 30 from ISCONN, "Connected already.";
    Isdir = 31 from ISDIR, "Is a directory.";
    Loop = 32 from LOOP, "Too many symbolic links, or one where none may be.";
    Mfile = 33 from MFILE, "Too many open descriptors.";
    Mlink = 34 from MLINK, "Too many links.";
    Msgsize = 35 from MSGSIZE, "Message too large.";
    Multihop = 36 from MULTIHOP, "Reserved.";
    Nametoolong = 37 from NAMETOOLONG, "Name too long.";
    Netdown = 38 from NETDOWN, "Network is down.";
    Netreset = 39 from NETRESET, "Connection aborted by the network.";
    Netunreach = 40 from NETUNREACH, "Network cannot be reached.";
    Nfile = 41 from NFILE, "The host has too many open files.";
    Nobufs = 42 from NOBUFS, "No buffer space.";
    Nodev = 43 from NODEV, "No such device.";
    Noent = 44 from NOENT, "No such file or directory.";
    Noexec = 45 from NOEXEC, "Not executable.";
    Nolck = 46 from NOLCK, "No locks.";
    Nolink = 47 from NOLINK, "Reserved.";
    Nomem = 48 from NOMEM, "Out of memory.";
    Nomsg = 49 from NOMSG, "No message.";
    Noprotoopt = 50 from NOPROTOOPT, "Protocol not available.";
    Nospc = 51 from NOSPC, "No space left.";
    Nosys = 52 from NOSYS, "Not implemented.";
    Notconn = 53 from NOTCONN, "Not connected.";
    Notdir = 54 from NOTDIR, "Not a directory.";
    Notempty = 55 from NOTEMPTY, "Directory not empty.";
    Notrecoverable = 56 from NOTRECOVERABLE, "State cannot be recovered.";
    Notsock = 57 from NOTSOCK, "Not a socket.";
    Notsup = 58 from NOTSUP, "Not supported.";
    Notty = 59 from NOTTY, "Not a terminal.";
    Nxio = 60 from NXIO, "No such device or address.";
    Overflow = 61 from OVERFLOW, "Value too large.";
    Ownerdead = 62 from OWNERDEAD, "Owner died.";
    Perm = 63 from PERM, "Not permitted; also for paths that lead outside.";
    Pipe = 64 from PIPE, "Broken pipe.";
    Proto = 65 from PROTO, "Protocol error.";
    Protonosupport = 66 from PROTONOSUPPORT, "Protocol not supported.";
    Prototype = 67 from PROTOTYPE, "Protocol of the wrong type.";
    Range = 68 from RANGE, "Result too large.";
    Rofs = 69 from ROFS, "Granted for reading only.";
    Spipe = 70 from SPIPE, "Cannot seek.";
    Srch = 71 from SRCH, "No such process.";
    Stale = 72 from STALE, "Stale file handle.";
    Timedout = 73 from TIMEDOUT, "Timed out.";
    Txtbsy = 74 from TXTBSY, "Text file busy.";
    Xdev = 75 from XDEV, "On different devices.";
    Notcapable = 76, "The descriptor lacks the right.";
}

/// Rights of a descriptor: one bit for each thing that can be done with it.
#[allow(missing_docs)] // Each is named for the function it allows.
pub mod rights {
    pub const FD_DATASYNC: u64 = 1 << 0;
    pub const FD_READ: u64 = 1 << 1;
    pub const FD_SEEK: u64 = 1 << 2;
    pub const FD_FDSTAT_SET_FLAGS: u64 = 1 << 3;
    pub const FD_SYNC: u64 = 1 << 4;
    pub const FD_TELL: u64 = 1 << 5;
    pub const FD_WRITE: u64 = 1 << 6;
    pub const FD_ADVISE: u64 = 1 << 7;
    pub const FD_ALLOCATE: u64 = 1 << 8;
    pub const PATH_CREATE_DIRECTORY: u64 = 1 << 9;
    pub const PATH_CREATE_FILE: u64 = 1 << 10;
    pub const PATH_LINK_SOURCE: u64 = 1 << 11;
    pub const PATH_LINK_TARGET: u64 = 1 << 12;
    pub const PATH_OPEN: u64 = 1 << 13;
    pub const FD_READDIR: u64 = 1 << 14;
    pub const PATH_READLINK: u64 = 1 << 15;
    pub const PATH_RENAME_SOURCE: u64 = 1 << 16;
    pub const PATH_RENAME_TARGET: u64 = 1 << 17;
    pub const PATH_FILESTAT_GET: u64 = 1 << 18;
    pub const PATH_FILESTAT_SET_SIZE: u64 = 1 << 19;
    pub const PATH_FILESTAT_SET_TIMES: u64 = 1 << 20;
    pub const FD_FILESTAT_GET: u64 = 1 << 21;
    pub const FD_FILESTAT_SET_SIZE: u64 = 1 << 22;
    pub const FD_FILESTAT_SET_TIMES: u64 = 1 << 23;
    pub const PATH_SYMLINK: u64 = 1 << 24;
    pub const PATH_REMOVE_DIRECTORY: u64 = 1 << 25;
    pub const PATH_UNLINK_FILE: u64 = 1 << 26;
    pub const POLL_FD_READWRITE: u64 = 1 << 27;
    pub const SOCK_SHUTDOWN: u64 = 1 << 28;
    pub const SOCK_ACCEPT: u64 = 1 << 29;

    /// What can be done with a file.
    pub const FILE: u64 = FD_DATASYNC
        | FD_READ
        | FD_SEEK
        | FD_FDSTAT_SET_FLAGS
        | FD_SYNC
        | FD_TELL
        | FD_WRITE
        | FD_ADVISE
        | FD_ALLOCATE
        | FD_FILESTAT_GET
        | FD_FILESTAT_SET_SIZE
        | FD_FILESTAT_SET_TIMES
        | POLL_FD_READWRITE;

    /// What can be done with a directory.
    pub const DIRECTORY: u64 = FD_DATASYNC
        | FD_FDSTAT_SET_FLAGS
        | FD_SYNC
        | PATH_CREATE_DIRECTORY
        | PATH_CREATE_FILE
        | PATH_LINK_SOURCE
        | PATH_LINK_TARGET
        | PATH_OPEN
        | FD_READDIR
        | PATH_READLINK
        | PATH_RENAME_SOURCE
        | PATH_RENAME_TARGET
        | PATH_FILESTAT_GET
        | PATH_FILESTAT_SET_SIZE
        | PATH_FILESTAT_SET_TIMES
        | FD_FILESTAT_GET
        | FD_FILESTAT_SET_TIMES
        | PATH_SYMLINK
        | PATH_REMOVE_DIRECTORY
        | PATH_UNLINK_FILE
        | POLL_FD_READWRITE;

    /// What can be done with a stream, be it a pipe, a terminal or a socket.
    pub const STREAM: u64 = FD_READ | FD_WRITE | FD_FDSTAT_SET_FLAGS | FD_FILESTAT_GET | POLL_FD_READWRITE;

    /// What can be done with a socket.
    pub const SOCKET: u64 = STREAM | SOCK_SHUTDOWN | SOCK_ACCEPT;

    /// Rights that change a file: what is not opened for writing has none of them.
    pub const WRITING: u64 = FD_WRITE | FD_ALLOCATE | FD_FILESTAT_SET_SIZE;
}

/// Kinds of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FileKind {
    /// None of the others: a pipe, for instance.
    Unknown = 0,
    /// A block device.
    BlockDevice = 1,
    /// A character device, such as a terminal.
    CharacterDevice = 2,
    /// A directory.
    Directory = 3,
    /// A regular file.
    RegularFile = 4,
    /// A datagram socket.
    SocketDgram = 5,
    /// A stream socket.
    SocketStream = 6,
    /// A symbolic link.
    SymbolicLink = 7,
}

impl From<rustix::fs::FileType> for FileKind {
    fn from(kind: rustix::fs::FileType) -> Self {
        use rustix::fs::FileType;
        match kind {
            FileType::RegularFile => Self::RegularFile,
            FileType::Directory => Self::Directory,
            FileType::Symlink => Self::SymbolicLink,
            FileType::CharacterDevice => Self::CharacterDevice,
            FileType::BlockDevice => Self::BlockDevice,
            FileType::Socket => Self::SocketStream,
            FileType::Fifo | FileType::Unknown => Self::Unknown,
        }
    }
}

macro_rules! numbers {
    ($($name:ident: $ty:ty = $value:expr, $doc:literal;)*) => {
        $(#[doc = $doc] pub const $name: $ty = $value;)*
    };
}

numbers! {
    CLOCK_REALTIME: u32 = 0, "Clock: time of day.";
    CLOCK_MONOTONIC: u32 = 1, "Clock: time since some start, never set.";
    CLOCK_PROCESS_CPUTIME: u32 = 2, "Clock: processor time of the process.";
    CLOCK_THREAD_CPUTIME: u32 = 3, "Clock: processor time of the thread.";

    FDFLAG_APPEND: u16 = 1, "Descriptor flag: every write goes to the end.";
    FDFLAG_DSYNC: u16 = 2, "Descriptor flag: data is on the disk when a write returns.";
    FDFLAG_NONBLOCK: u16 = 4, "Descriptor flag: `again` instead of waiting.";
    FDFLAG_RSYNC: u16 = 8, "Descriptor flag: like the other two, for reads.";
    FDFLAG_SYNC: u16 = 16, "Descriptor flag: data and attributes are on the disk when a write returns.";
    FDFLAG_ALL: u16 = 31, "All descriptor flags.";

    OFLAG_CREAT: u16 = 1, "Open flag: create what is missing.";
    OFLAG_DIRECTORY: u16 = 2, "Open flag: fail unless it is a directory.";
    OFLAG_EXCL: u16 = 4, "Open flag: fail if it exists.";
    OFLAG_TRUNC: u16 = 8, "Open flag: cut to nothing.";
    OFLAG_ALL: u16 = 15, "All open flags.";

    LOOKUP_FOLLOW: u32 = 1, "Lookup flag: follow a symbolic link in the path's last place.";

    FSTFLAG_ATIM: u16 = 1, "Set the time of the last access to what is given,";
    FSTFLAG_ATIM_NOW: u16 = 2, "or to now.";
    FSTFLAG_MTIM: u16 = 4, "Set the time of the last change to what is given,";
    FSTFLAG_MTIM_NOW: u16 = 8, "or to now.";

    EVENT_CLOCK: u8 = 0, "Event: a time has come.";
    EVENT_FD_READ: u8 = 1, "Event: a descriptor can be read.";
    EVENT_FD_WRITE: u8 = 2, "Event: a descriptor can be written.";
    EVENT_HANGUP: u16 = 1, "Event flag: the peer has closed.";
    SUBSCRIPTION_ABSTIME: u16 = 1, "Subscription flag: the timeout is a time, not a duration.";
    SUBSCRIPTION_SIZE: u32 = 48, "Bytes of a subscription.";
    EVENT_SIZE: u32 = 32, "Bytes of an event.";

    RIFLAG_PEEK: u16 = 1, "Receive flag: leave the data where it is.";
    RIFLAG_WAITALL: u16 = 2, "Receive flag: wait until the buffers are full.";
    ROFLAG_TRUNCATED: u16 = 1, "Received flag: the message was longer than the buffers.";
    SHUT_RD: u32 = 1, "Shut down receiving.";
    SHUT_WR: u32 = 2, "Shut down sending.";

    DIRENT_SIZE: usize = 24, "Bytes of a directory entry before its name.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_numbers_are_those_of_the_standard() {
        let known =
            [(Errno::TooBig, 1), (Errno::Badf, 8), (Errno::Inval, 28), (Errno::Noent, 44), (Errno::Notcapable, 76)];
        for (errno, number) in known {
            assert_eq!(errno as u64, number);
            assert_eq!(Errno::from_number(number), Some(errno));
        }
        assert_eq!(Errno::from_number(0), None);
        assert_eq!(Errno::from_number(77), None);
    }

    #[test]
    fn host_errors_become_their_namesakes() {
        assert_eq!(Errno::from(HostErrno::NOENT), Errno::Noent);
        assert_eq!(Errno::from(HostErrno::LOOP), Errno::Loop);
        assert_eq!(Errno::from(HostErrno::AGAIN), Errno::Again);
        assert_eq!(Errno::from(HostErrno::NOTSUP), Errno::Notsup);
        assert_eq!(Errno::from(HostErrno::XDEV), Errno::Xdev);
        assert_eq!(Errno::from(HostErrno::NOTEMPTY), Errno::Notempty);
        assert_eq!(Errno::from(HostErrno::WOULDBLOCK), Errno::Again);
    }
}
