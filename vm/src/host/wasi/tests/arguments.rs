//! What no function takes, tried on all of them: descriptors that are not open, addresses outside
//! of the memory, missing rights, names that are none.

use std::os::unix::net::{UnixListener, UnixStream};

use super::*;

/// What a function is called with.
#[derive(Clone, Copy)]
enum Argument {
    /// A descriptor, and the right that it must have.
    Fd(Opened, u64),
    /// A number.
    Number(u64),
    /// The address of a path.
    Path(&'static str),
    /// The length of the path before.
    Length,
    /// The address of an array of one buffer.
    Buffers,
    /// The address of a subscription to a time that has come.
    Subscription,
    /// The address of room for what is written.
    Out,
}

/// What a descriptor stands for.
#[derive(Clone, Copy)]
enum Opened {
    Granted,
    Regular,
    Connection,
    Listener,
}

use Argument::{Buffers, Fd, Length, Number, Out, Path, Subscription};
use Opened::{Connection, Granted, Listener, Regular};

const NONE: Argument = Number(0);
const ONE: Argument = Number(1);

/// Each function that returns, with arguments by which it does its work.
#[rustfmt::skip] // One line each.
const CALLS: &[(&str, &[Argument])] = &[
    ("args_get", &[Out, Out]),
    ("args_sizes_get", &[Out, Out]),
    ("clock_res_get", &[NONE, Out]),
    ("clock_time_get", &[NONE, NONE, Out]),
    ("environ_get", &[Out, Out]),
    ("environ_sizes_get", &[Out, Out]),
    ("fd_advise", &[Fd(Regular, rights::FD_ADVISE), NONE, NONE, NONE]),
    ("fd_allocate", &[Fd(Regular, rights::FD_ALLOCATE), NONE, ONE]),
    ("fd_close", &[Fd(Regular, 0)]),
    ("fd_datasync", &[Fd(Regular, rights::FD_DATASYNC)]),
    ("fd_fdstat_get", &[Fd(Regular, 0), Out]),
    ("fd_fdstat_set_flags", &[Fd(Regular, rights::FD_FDSTAT_SET_FLAGS), NONE]),
    ("fd_fdstat_set_rights", &[Fd(Regular, 0), NONE, NONE]),
    ("fd_filestat_get", &[Fd(Regular, rights::FD_FILESTAT_GET), Out]),
    ("fd_filestat_set_size", &[Fd(Regular, rights::FD_FILESTAT_SET_SIZE), NONE]),
    ("fd_filestat_set_times", &[Fd(Regular, rights::FD_FILESTAT_SET_TIMES), NONE, NONE, NONE]),
    ("fd_pread", &[Fd(Regular, rights::FD_READ), Buffers, ONE, NONE, Out]),
    ("fd_pread", &[Fd(Regular, rights::FD_SEEK), Buffers, ONE, NONE, Out]),
    ("fd_prestat_dir_name", &[Fd(Granted, 0), Out, Number(5)]),
    ("fd_prestat_get", &[Fd(Granted, 0), Out]),
    ("fd_pwrite", &[Fd(Regular, rights::FD_WRITE), Buffers, ONE, NONE, Out]),
    ("fd_pwrite", &[Fd(Regular, rights::FD_SEEK), Buffers, ONE, NONE, Out]),
    ("fd_read", &[Fd(Regular, rights::FD_READ), Buffers, ONE, Out]),
    ("fd_readdir", &[Fd(Granted, rights::FD_READDIR), Out, Number(64), NONE, Out]),
    ("fd_renumber", &[Fd(Regular, 0), Fd(Granted, 0)]),
    ("fd_seek", &[Fd(Regular, rights::FD_SEEK), NONE, NONE, Out]),
    ("fd_seek", &[Fd(Regular, rights::FD_SEEK | rights::FD_TELL), NONE, ONE, Out]),
    ("fd_sync", &[Fd(Regular, rights::FD_SYNC)]),
    ("fd_tell", &[Fd(Regular, rights::FD_SEEK | rights::FD_TELL), Out]),
    ("fd_write", &[Fd(Regular, rights::FD_WRITE), Buffers, ONE, Out]),
    ("path_create_directory", &[Fd(Granted, rights::PATH_CREATE_DIRECTORY), Path("new"), Length]),
    ("path_filestat_get", &[Fd(Granted, rights::PATH_FILESTAT_GET), NONE, Path("file"), Length, Out]),
    ("path_filestat_set_times", &[Fd(Granted, rights::PATH_FILESTAT_SET_TIMES), NONE, Path("file"), Length, NONE, NONE, NONE]),
    ("path_link", &[Fd(Granted, rights::PATH_LINK_SOURCE), NONE, Path("file"), Length, Fd(Granted, rights::PATH_LINK_TARGET), Path("new"), Length]),
    ("path_open", &[Fd(Granted, rights::PATH_OPEN), NONE, Path("file"), Length, NONE, NONE, NONE, NONE, Out]),
    ("path_open", &[Fd(Granted, rights::PATH_CREATE_FILE), NONE, Path("new"), Length, Number(1), NONE, NONE, NONE, Out]),
    ("path_open", &[Fd(Granted, rights::PATH_FILESTAT_SET_SIZE), NONE, Path("file"), Length, Number(8), NONE, NONE, NONE, Out]),
    ("path_readlink", &[Fd(Granted, rights::PATH_READLINK), Path("link"), Length, Out, Number(64), Out]),
    ("path_remove_directory", &[Fd(Granted, rights::PATH_REMOVE_DIRECTORY), Path("directory"), Length]),
    ("path_rename", &[Fd(Granted, rights::PATH_RENAME_SOURCE), Path("file"), Length, Fd(Granted, rights::PATH_RENAME_TARGET), Path("new"), Length]),
    ("path_symlink", &[Path("target"), Length, Fd(Granted, rights::PATH_SYMLINK), Path("new"), Length]),
    ("path_unlink_file", &[Fd(Granted, rights::PATH_UNLINK_FILE), Path("file"), Length]),
    ("poll_oneoff", &[Subscription, Out, ONE, Out]),
    ("proc_raise", &[NONE]),
    ("random_get", &[Out, ONE]),
    ("sched_yield", &[]),
    ("sock_accept", &[Fd(Listener, rights::SOCK_ACCEPT), NONE, Out]),
    ("sock_recv", &[Fd(Connection, rights::FD_READ), Buffers, ONE, NONE, Out, Out]),
    ("sock_send", &[Fd(Connection, rights::FD_WRITE), Buffers, ONE, NONE, Out]),
    ("sock_shutdown", &[Fd(Connection, rights::SOCK_SHUTDOWN), Number(3)]),
];

/// A program with all that [`CALLS`] name.
struct World {
    guest: Guest,
    /// The peers of the connection and of the listener.
    peers: Vec<UnixStream>,
}

const FILE: u32 = FIRST;
const CONNECTION: u32 = FIRST + 1;
const LISTENER: u32 = FIRST + 2;

impl World {
    fn new() -> Self {
        let mut guest = Guest::with(|grants| {
            grants.deterministic = Some(1);
            grants.args = vec!["program".into()];
            grants.env = vec![("NAME".into(), "value".into())];
        });
        guest.file("data/file", "0123456789");
        std::fs::create_dir(guest.at("data/directory")).unwrap();
        guest.symlink("file", "data/link");
        assert_eq!(guest.open(DATA, "file", WRITE), Ok(FILE));
        Self { guest, peers: Vec::new() }
    }

    fn with_sockets() -> Self {
        let mut world = Self::new();
        let (connection, mut peer) = UnixStream::pair().unwrap();
        std::io::Write::write_all(&mut peer, b"received").unwrap();
        let path = world.guest.at("outside/listener");
        let listener = UnixListener::bind(&path).unwrap();
        world.peers = vec![peer, UnixStream::connect(path).unwrap()];
        assert_eq!(world.guest.host.add_socket(connection.into()).unwrap(), CONNECTION);
        assert_eq!(world.guest.host.add_socket(listener.into()).unwrap(), LISTENER);
        // So that what is lost is an error and not a wait without end.
        for fd in [CONNECTION, LISTENER] {
            world.guest.set_flags(fd, abi::FDFLAG_NONBLOCK).unwrap();
        }
        world
    }

    /// A new one for a call. Sockets take long to make, so that they are only where they are used.
    fn of(arguments: &[Argument]) -> Self {
        let has_socket = arguments.iter().any(|a| matches!(a, Fd(Connection | Listener, _)));
        if has_socket { Self::with_sockets() } else { Self::new() }
    }

    /// The bits of arguments.
    fn prepare(&mut self, arguments: &[Argument]) -> Vec<u64> {
        let mut bits = Vec::new();
        let mut length = 0;
        for argument in arguments {
            bits.push(match argument {
                Fd(opened, _) => number(*opened).into(),
                Number(number) => *number,
                Path(path) => {
                    length = path.len() as u64;
                    self.guest.put(path.as_bytes()).into()
                }
                Length => length,
                Buffers => {
                    let buffer = self.guest.room(4);
                    self.guest.buffer(buffer, 4).into()
                }
                Subscription => self.guest.put(&[0; abi::SUBSCRIPTION_SIZE as usize]).into(),
                Out => self.guest.room(64).into(),
            });
        }
        bits
    }
}

fn number(opened: Opened) -> u32 {
    match opened {
        Granted => DATA,
        Regular => FILE,
        Connection => CONNECTION,
        Listener => LISTENER,
    }
}

/// Every place of an argument: the function, its arguments, and the argument's place.
fn places() -> impl Iterator<Item = (&'static str, &'static [Argument], usize)> {
    CALLS.iter().flat_map(|(name, arguments)| (0..arguments.len()).map(|at| (*name, *arguments, at)))
}

cases! {
    fn every_function_takes_what_it_should() {
        for (name, arguments) in CALLS {
            let mut world = World::of(arguments);
            let bits = world.prepare(arguments);
            assert_eq!(world.guest.call(name, &bits), Ok(()), "{name}");
        }
        let names: BTreeSet<_> = CALLS.iter().map(|(name, _)| *name).chain(["proc_exit"]).collect();
        assert_eq!(names, rows().map(|row| row.name).collect(), "a function is left out");
    }

    fn descriptors_that_are_not_open_are_bad() {
        let mut world = World::with_sockets();
        for (name, arguments, at) in places() {
            if let Fd(..) = arguments[at] {
                for bad in [LISTENER + 1, 1 << 31, u32::MAX] {
                    let mut bits = world.prepare(arguments);
                    bits[at] = bad.into();
                    assert_eq!(world.guest.call(name, &bits), Err(Errno::Badf), "{name}, argument {at}, {bad}");
                }
            }
        }
    }

    fn descriptors_that_were_closed_are_bad() {
        for (name, arguments, at) in places() {
            if let Fd(opened, _) = arguments[at] {
                let mut world = World::of(arguments);
                let bits = world.prepare(arguments);
                world.guest.close(number(opened)).unwrap();
                assert_eq!(world.guest.call(name, &bits), Err(Errno::Badf), "{name}, argument {at}");
            }
        }
    }

    fn rights_that_were_given_up_are_missed() {
        for (name, arguments, at) in places() {
            if let Fd(opened, right @ 1..) = arguments[at] {
                let mut world = World::of(arguments);
                let bits = world.prepare(arguments);
                let fd = number(opened);
                let (_, _, all, inheriting) = world.guest.description(fd).unwrap();
                world.guest.call("fd_fdstat_set_rights", &[fd.into(), all & !right, inheriting]).unwrap();
                assert_eq!(world.guest.call(name, &bits), Err(Errno::Notcapable), "{name}, argument {at}");
            }
        }
    }

    fn addresses_outside_of_the_memory_are_a_fault() {
        let mut world = World::with_sockets();
        let end = world.guest.memory.len() as u32;
        for (name, arguments, at) in places() {
            if let Path(_) | Buffers | Subscription | Out = arguments[at] {
                for address in [end, u32::MAX] {
                    let mut bits = world.prepare(arguments);
                    bits[at] = address.into();
                    assert_eq!(world.guest.call(name, &bits), Err(Errno::Fault), "{name}, argument {at}, {address}");
                }
            }
        }
    }

    fn paths_are_relative_text_of_some_length() {
        let too_long = "n/".repeat(2048);
        let bad: [(&[u8], Errno); 6] = [
            (b"", Errno::Noent),
            (b"/", Errno::Perm),
            (b"/file", Errno::Perm),
            (b"file\0", Errno::Inval),
            (b"file\xc3", Errno::Ilseq),
            (too_long.as_bytes(), Errno::Nametoolong),
        ];
        let mut world = World::with_sockets();
        for (name, arguments, at) in places() {
            if let Path(_) = arguments[at] {
                for (path, errno) in bad {
                    let mut bits = world.prepare(arguments);
                    (bits[at], bits[at + 1]) = (world.guest.put(path).into(), path.len() as u64);
                    assert_eq!(world.guest.call(name, &bits), Err(errno), "{name}, argument {at}, {path:?}");
                }
            }
        }
    }

    fn a_call_that_fails_opens_and_takes_nothing() {
        let mut world = World::with_sockets();
        let end = world.guest.memory.len() as u64;
        let path = world.guest.put(b"new");
        let opening = [DATA.into(), 0, path.into(), 3, 1, 0, 0, 0, end];
        assert_eq!(world.guest.call("path_open", &opening), Err(Errno::Fault));
        assert!(!world.guest.exists("data/new"));
        assert_eq!(world.guest.call("sock_accept", &[LISTENER.into(), 0, end]), Err(Errno::Fault));
        assert_eq!(world.guest.close(LISTENER + 1), Err(Errno::Badf));
        let out = world.guest.room(4);
        assert_eq!(world.guest.call("sock_accept", &[LISTENER.into(), 0, out.into()]), Ok(()));
        let arguments = world.prepare(&[Fd(Connection, 0), Buffers, ONE, NONE, Out, Out]);
        for at in [4, 5] {
            let mut arguments = arguments.clone();
            arguments[at] = end;
            assert_eq!(world.guest.call("sock_recv", &arguments), Err(Errno::Fault));
        }
        assert_eq!(world.guest.read(CONNECTION, 8).unwrap(), b"received");
    }
}
