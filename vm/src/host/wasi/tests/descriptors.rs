//! Standard streams, numbers, rights and limits.

use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::*;
use crate::host::{Console, Stdin};

type Captured = Arc<Mutex<Vec<u8>>>;

fn capturing(limit: u64) -> (Guest, Captured, Captured) {
    let (stdout, stderr) = (Captured::default(), Captured::default());
    let console = Console::Capture { stdout: stdout.clone(), stderr: stderr.clone() };
    let guest = Guest::with(|grants| {
        grants.console = console;
        grants.output_limit = limit;
    });
    (guest, stdout, stderr)
}

fn with_pipes() -> (Guest, PipeWriter, PipeReader) {
    let mut guest = Guest::with(|grants| grants.output_limit = 1 << 30);
    let ((stdin, feed), (drain, stdout)) = (pipe().unwrap(), pipe().unwrap());
    guest.set_stdin(stdin);
    guest.set_stdout(stdout);
    (guest, feed, drain)
}

cases! {
    fn output_goes_to_the_streams_it_was_written_to() {
        let (mut guest, stdout, stderr) = capturing(100);
        assert_eq!(guest.write(1, b"out"), Ok(3));
        assert_eq!(guest.write(2, b"err"), Ok(3));
        assert_eq!((&stdout.lock().unwrap()[..], &stderr.lock().unwrap()[..]), (&b"out"[..], &b"err"[..]));
        assert_eq!(guest.host.output_left(), 94);
    }

    fn several_buffers_are_written_in_order() {
        let (mut guest, stdout, _) = capturing(100);
        let (one, two) = (guest.put(b"one "), guest.put(b"two"));
        let array: Vec<u8> = [one, 4, 0, 0, two, 3].iter().flat_map(|n| n.to_le_bytes()).collect();
        let array = guest.put(&array);
        let done = guest.room(4);
        guest.call("fd_write", &[1, array.into(), 3, done.into()]).unwrap();
        assert_eq!(guest.u32_at(done), 7);
        assert_eq!(&stdout.lock().unwrap()[..], b"one two");
    }

    fn the_output_limit_counts_both_streams_and_ends_the_run() {
        let (mut guest, stdout, _) = capturing(10);
        assert_eq!(guest.write(2, b"12345678"), Ok(8));
        let (text, done) = (guest.put(b"abcdef"), guest.room(4));
        let array = guest.buffer(text, 6);
        let result = guest.try_call("fd_write", &[1, array.into(), 1, done.into()]);
        assert!(matches!(result, Err(HostError::OutputLimit)));
        assert_eq!(&stdout.lock().unwrap()[..], b"ab", "what the limit leaves room for is written");
    }

    fn exactly_the_output_limit_is_fine() {
        let (mut guest, _, _) = capturing(3);
        assert_eq!(guest.write(1, b"abc"), Ok(3));
        assert_eq!(guest.write(1, b""), Ok(0));
    }

    fn ungranted_streams_are_empty_and_discard() {
        let mut guest = Guest::new();
        assert_eq!(guest.read(0, 10), Ok(vec![]));
        assert_eq!(guest.write(1, b"lost"), Ok(4));
        assert_eq!(guest.description(1).unwrap().0, abi::FileKind::Unknown as u8);
    }

    fn input_from_bytes_ends() {
        let mut guest = Guest::with(|grants| grants.stdin = Stdin::Bytes(b"hello"[..].into()));
        assert_eq!(guest.read(0, 3).unwrap(), b"hel");
        assert_eq!(guest.read(0, 3).unwrap(), b"lo");
        assert_eq!(guest.read(0, 3).unwrap(), b"");
    }

    fn streams_go_one_way_and_cannot_seek() {
        let mut guest = Guest::new();
        assert_eq!(guest.read(1, 1), Err(Errno::Notcapable));
        assert_eq!(guest.write(0, b"x"), Err(Errno::Notcapable));
        assert_eq!(guest.seek(1, 0, 1), Err(Errno::Spipe));
        let place = guest.room(8);
        assert_eq!(guest.call("fd_tell", &[0, place.into()]), Err(Errno::Spipe));
        let array = guest.buffer(place, 8);
        assert_eq!(guest.call("fd_pread", &[0, array.into(), 1, 0, place.into()]), Err(Errno::Spipe));
        assert_eq!(guest.call("fd_pwrite", &[1, array.into(), 1, 0, place.into()]), Err(Errno::Spipe));
        assert_eq!(guest.call("fd_sync", &[1]), Err(Errno::Inval));
        assert_eq!(guest.call("fd_filestat_set_size", &[1, 0]), Err(Errno::Inval));
    }

    fn a_stream_tells_nothing_of_the_host() {
        let (mut guest, _feed, _drain) = with_pipes();
        let attributes = guest.attributes(0).unwrap();
        assert_eq!((attributes.inode, attributes.kind, attributes.modified), (0, 0, 0));
    }

    fn a_read_from_a_pipe_gives_what_is_there() {
        let (mut guest, mut feed, _drain) = with_pipes();
        feed.write_all(b"abc").unwrap();
        assert_eq!(guest.read(0, 10).unwrap(), b"abc");
        drop(feed);
        assert_eq!(guest.read(0, 10).unwrap(), b"");
    }

    fn several_buffers_are_filled_in_order() {
        let (mut guest, mut feed, _drain) = with_pipes();
        feed.write_all(b"abcdef").unwrap();
        let (one, two, done) = (guest.room(8), guest.room(8), guest.room(4));
        let array: Vec<u8> = [one, 4, two, 8].iter().flat_map(|n| n.to_le_bytes()).collect();
        let array = guest.put(&array);
        guest.call("fd_read", &[0, array.into(), 2, done.into()]).unwrap();
        assert_eq!((guest.u32_at(done), guest.bytes_at(one, 4), guest.bytes_at(two, 2)), (6, &b"abcd"[..], &b"ef"[..]));
    }

    fn non_blocking_input_answers_again_until_there_is_some() {
        let (mut guest, mut feed, _drain) = with_pipes();
        guest.set_flags(0, abi::FDFLAG_NONBLOCK).unwrap();
        assert_eq!(guest.description(0).unwrap().1, abi::FDFLAG_NONBLOCK);
        assert_eq!(guest.read(0, 10), Err(Errno::Again));
        feed.write_all(b"x").unwrap();
        assert_eq!(guest.read(0, 10).unwrap(), b"x");
        assert_eq!(guest.read(0, 10), Err(Errno::Again));
    }

    fn the_hosts_own_stream_stays_blocking() {
        let (stdin, _feed) = pipe().unwrap();
        let mut guest = Guest::new();
        guest.set_stdin(&stdin);
        guest.set_flags(0, abi::FDFLAG_NONBLOCK).unwrap();
        let flags = rustix::fs::fcntl_getfl(&stdin).unwrap();
        assert!(!flags.contains(rustix::fs::OFlags::NONBLOCK));
    }

    fn large_output_passes_a_pipe_whole() {
        let (mut guest, _feed, mut drain) = with_pipes();
        let bytes: Vec<u8> = (0..300_000u32).map(|n| n as u8).collect();
        let reader = std::thread::spawn(move || {
            let mut all = vec![0; 300_000];
            drain.read_exact(&mut all).map(|()| all)
        });
        assert_eq!(guest.write(1, &bytes), Ok(300_000));
        assert_eq!(reader.join().unwrap().unwrap(), bytes);
    }

    fn a_stop_ends_a_read_that_waits() {
        let (mut guest, _feed, _drain) = with_pipes();
        let stop = Arc::new(AtomicBool::new(false));
        let seen = stop.clone();
        guest.host.set_interrupt(move || seen.load(Ordering::Relaxed));
        let stopper = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(30));
            stop.store(true, Ordering::Relaxed);
            Instant::now()
        });
        let (buffer, done) = (guest.room(4), guest.room(4));
        let array = guest.buffer(buffer, 4);
        let result = guest.try_call("fd_read", &[0, array.into(), 1, done.into()]);
        let late = stopper.join().unwrap().elapsed();
        assert!(matches!(result, Err(HostError::Interrupted)));
        assert!(late < Duration::from_millis(500), "{late:?}");
    }

    fn a_stop_ends_a_write_to_a_full_pipe() {
        let (mut guest, _feed, _drain) = with_pipes();
        let start = Instant::now();
        guest.host.set_interrupt(move || start.elapsed() > Duration::from_millis(30));
        let bytes = vec![0; 1 << 20];
        let (buffer, done) = (guest.put(&bytes), guest.room(4));
        let array = guest.buffer(buffer, 1 << 20);
        let result = guest.try_call("fd_write", &[1, array.into(), 1, done.into()]);
        assert!(matches!(result, Err(HostError::Interrupted)));
        assert!(start.elapsed() < Duration::from_secs(1));
    }

    fn a_write_to_a_closed_pipe_is_an_error() {
        let (mut guest, _feed, drain) = with_pipes();
        drop(drain);
        assert_eq!(guest.write(1, b"x"), Err(Errno::Pipe));
    }

    fn a_stream_of_the_host_is_written_directly() {
        let (mut guest, _feed, mut drain) = with_pipes();
        assert_eq!(guest.write(1, b"now"), Ok(3));
        let mut now = [0; 3];
        drain.read_exact(&mut now).unwrap();
        assert_eq!(&now, b"now");
    }

    fn numbers_that_are_not_open_are_bad() {
        let mut guest = Guest::new();
        for name in ["fd_close", "fd_sync", "fd_datasync"] {
            assert_eq!(guest.call(name, &[99]), Err(Errno::Badf), "{name}");
            assert_eq!(guest.call(name, &[u64::from(u32::MAX)]), Err(Errno::Badf), "{name}");
        }
        assert_eq!(guest.read(99, 1), Err(Errno::Badf));
        assert_eq!(guest.open(99, "a", READ), Err(Errno::Badf));
    }

    fn the_lowest_free_number_is_taken_but_never_a_standard_stream() {
        let mut guest = Guest::new();
        guest.file("data/a", "");
        guest.close(1).unwrap();
        assert_eq!(guest.open(DATA, "a", READ), Ok(FIRST));
        assert_eq!(guest.open(DATA, "a", READ), Ok(FIRST + 1));
        guest.close(FIRST).unwrap();
        assert_eq!(guest.open(DATA, "a", READ), Ok(FIRST));
        assert_eq!(guest.write(1, b"x"), Err(Errno::Badf));
    }

    fn renumbering_moves_and_closes() {
        let mut guest = Guest::new();
        guest.file("data/a", "aaa");
        guest.file("data/b", "bbb");
        let (a, b) = (guest.open(DATA, "a", READ).unwrap(), guest.open(DATA, "b", READ).unwrap());
        assert_eq!(guest.call("fd_renumber", &[a.into(), b.into()]), Ok(()));
        assert_eq!(guest.read(b, 3).unwrap(), b"aaa");
        assert_eq!(guest.read(a, 3), Err(Errno::Badf));
        assert_eq!(guest.call("fd_renumber", &[b.into(), 50]), Err(Errno::Badf));
        assert_eq!(guest.call("fd_renumber", &[50, b.into()]), Err(Errno::Badf));
        assert_eq!(guest.call("fd_renumber", &[b.into(), b.into()]), Ok(()));
    }

    fn renumbering_takes_a_granted_directory_along_and_closes_another() {
        let mut guest = Guest::new();
        guest.file("more/inside", "");
        let prestat = guest.room(8);
        assert_eq!(guest.call("fd_renumber", &[MORE.into(), DATA.into()]), Ok(()));
        assert_eq!(guest.call("fd_prestat_get", &[DATA.into(), prestat.into()]), Ok(()));
        assert_eq!(guest.u32_at(prestat + 4), "/more".len() as u32);
        assert!(guest.path_attributes(DATA, "inside", true).is_ok());
        assert_eq!(guest.path_attributes(MORE, "inside", true), Err(Errno::Badf));
        let directory = guest.open(SHOWN, ".", DIRECTORY).unwrap();
        assert_eq!(directory, MORE, "its number is free");
        assert_eq!(guest.call("fd_renumber", &[directory.into(), DATA.into()]), Ok(()));
        assert_eq!(guest.call("fd_prestat_get", &[DATA.into(), prestat.into()]), Err(Errno::Badf));
        assert_eq!(guest.open(DATA, "new", CREATE), Err(Errno::Rofs), "it is for reading wherever it goes");
    }

    fn renumbering_to_itself_needs_an_open_descriptor_and_changes_nothing() {
        let mut guest = Guest::new();
        let prestat = guest.room(8);
        for fd in [0, 1, 2, DATA] {
            assert_eq!(guest.call("fd_renumber", &[fd.into(), fd.into()]), Ok(()));
        }
        assert_eq!(guest.call("fd_prestat_get", &[DATA.into(), prestat.into()]), Ok(()));
        assert_eq!(guest.call("fd_renumber", &[FIRST.into(), FIRST.into()]), Err(Errno::Badf));
        for far in [1 << 16, u64::from(u32::MAX)] {
            assert_eq!(guest.call("fd_renumber", &[0, far]), Err(Errno::Badf));
            assert_eq!(guest.call("fd_renumber", &[far, 0]), Err(Errno::Badf));
        }
        assert_eq!(guest.read(0, 1), Ok(vec![]), "a failed move leaves both open");
    }

    fn everything_can_be_closed_once() {
        let mut guest = Guest::new();
        let file = guest.open(DATA, "new", CREATE).unwrap();
        for fd in [0, 1, 2, DATA, SHOWN, MORE, file] {
            assert_eq!(guest.close(fd), Ok(()), "{fd}");
            assert_eq!(guest.close(fd), Err(Errno::Badf), "{fd}");
            assert_eq!(guest.description(fd), Err(Errno::Badf), "{fd}");
        }
    }

    fn moving_and_closing_make_room_below_the_limit() {
        let mut guest = Guest::with(|grants| grants.handle_limit = 8);
        guest.file("data/a", "");
        let (one, two) = (guest.open(DATA, "a", READ).unwrap(), guest.open(DATA, "a", READ).unwrap());
        assert_eq!(guest.open(DATA, "a", READ), Err(Errno::Mfile));
        guest.call("fd_renumber", &[one.into(), two.into()]).unwrap();
        assert_eq!(guest.open(DATA, "a", READ), Ok(one));
        assert_eq!(guest.open(DATA, "a", READ), Err(Errno::Mfile));
        guest.close(0).unwrap();
        assert_eq!(guest.open(DATA, "a", READ), Ok(two + 1));
    }

    fn output_can_be_redirected_to_a_file() {
        let mut guest = Guest::new();
        let file = guest.open(DATA, "log", CREATE).unwrap();
        guest.call("fd_renumber", &[file.into(), 1]).unwrap();
        guest.write(1, b"logged").unwrap();
        assert_eq!(guest.content("data/log"), "logged");
    }

    fn open_descriptors_are_limited() {
        let mut guest = Guest::with(|grants| grants.handle_limit = 8);
        guest.file("data/a", "");
        let first = guest.open(DATA, "a", READ).unwrap();
        guest.open(DATA, "a", READ).unwrap();
        assert_eq!(guest.open(DATA, "a", READ), Err(Errno::Mfile));
        assert_eq!(guest.open(DATA, "new", CREATE), Err(Errno::Mfile));
        assert!(!guest.exists("data/new"), "what cannot be opened is not made either");
        guest.close(first).unwrap();
        assert_eq!(guest.open(DATA, "a", READ), Ok(first));
    }

    fn rights_can_be_given_up_but_not_won_back() {
        let mut guest = Guest::new();
        let file = guest.open(DATA, "a", CREATE).unwrap();
        let (_, _, all, inheriting) = guest.description(file).unwrap();
        assert_eq!(all, rights::FILE);
        let fewer = all & !rights::FD_WRITE;
        guest.call("fd_fdstat_set_rights", &[file.into(), fewer, inheriting]).unwrap();
        assert_eq!(guest.write(file, b"x"), Err(Errno::Notcapable));
        assert_eq!(guest.call("fd_fdstat_set_rights", &[file.into(), all, inheriting]), Err(Errno::Notcapable));
        assert_eq!(guest.description(file).unwrap().2, fewer);
    }

    fn the_right_to_seek_includes_the_right_to_tell() {
        let mut guest = Guest::new();
        guest.file("data/a", "0123");
        let place = guest.room(8);
        let cases = [
            (rights::FD_SEEK, Ok(()), Ok(2), Ok(2)),
            (rights::FD_TELL, Ok(()), Err(Errno::Notcapable), Ok(0)),
            (0, Err(Errno::Notcapable), Err(Errno::Notcapable), Err(Errno::Notcapable)),
        ];
        for (right, tells, seeks, stays) in cases {
            let file = guest.open(DATA, "a", Open { rights: right, ..READ }).unwrap();
            assert_eq!(guest.call("fd_tell", &[file.into(), place.into()]), tells, "{right}");
            assert_eq!(guest.seek(file, 2, 0), seeks, "{right}");
            assert_eq!(guest.seek(file, 0, 1), stays, "{right}");
        }
    }

    fn rights_of_a_directory_bound_what_is_opened_through_it() {
        let mut guest = Guest::new();
        guest.file("data/a", "a");
        let all = rights::DIRECTORY;
        let inheriting = all | READ.rights;
        guest.call("fd_fdstat_set_rights", &[DATA.into(), all & !rights::PATH_UNLINK_FILE, inheriting]).unwrap();
        assert_eq!(guest.open(DATA, "a", WRITE), Err(Errno::Notcapable));
        assert!(guest.open(DATA, "a", READ).is_ok());
        assert_eq!(guest.call_path("path_unlink_file", DATA, "a"), Err(Errno::Notcapable));
        guest.call("fd_fdstat_set_rights", &[DATA.into(), rights::FD_READDIR, inheriting]).unwrap();
        assert_eq!(guest.open(DATA, "a", READ), Err(Errno::Notcapable));
    }

    fn what_is_opened_inherits_no_more_than_its_directory_passes_on() {
        let mut guest = Guest::new();
        std::fs::create_dir_all(guest.at("data/d/e")).unwrap();
        guest.file("data/d/file", "");
        let passed_on = rights::PATH_OPEN | READ.rights;
        let how = Open { rights: rights::PATH_OPEN, inheriting: passed_on, ..DIRECTORY };
        let outer = guest.open(DATA, "d", how).unwrap();
        assert_eq!(guest.description(outer).unwrap(), (3, 0, rights::PATH_OPEN, passed_on));
        let inner = guest.open(outer, "e", Open { inheriting: u64::MAX, ..how }).unwrap();
        assert_eq!(guest.description(inner).unwrap().3, passed_on);
        assert!(guest.open(outer, "file", READ).is_ok());
        assert_eq!(guest.open(outer, "file", WRITE), Err(Errno::Notcapable));
        assert_eq!(guest.open(outer, "e", DIRECTORY), Err(Errno::Notcapable));
        assert_eq!(guest.open(inner, "new", CREATE), Err(Errno::Notcapable));
    }

    fn inherited_rights_can_only_be_given_up() {
        let mut guest = Guest::new();
        let (_, _, all, inheriting) = guest.description(DATA).unwrap();
        let mut set = |base: u64, inheriting: u64| guest.call("fd_fdstat_set_rights", &[DATA.into(), base, inheriting]);
        assert_eq!(set(all, inheriting), Ok(()));
        assert_eq!(set(all | rights::FD_READ, inheriting), Err(Errno::Notcapable));
        assert_eq!(set(all, u64::MAX), Err(Errno::Notcapable));
        assert_eq!(set(all, inheriting & !rights::FD_WRITE), Ok(()));
        assert_eq!(set(all, inheriting), Err(Errno::Notcapable));
        assert_eq!(set(0, 0), Ok(()));
        assert_eq!(guest.description(DATA).unwrap(), (3, 0, 0, 0));
        assert_eq!(guest.open(DATA, "a", READ), Err(Errno::Notcapable));
    }

    fn flags_of_streams_and_directories_are_kept() {
        let mut guest = Guest::new();
        for fd in [0, 1, 2, DATA] {
            assert_eq!(guest.set_flags(fd, abi::FDFLAG_NONBLOCK), Ok(()), "{fd}");
            assert_eq!(guest.description(fd).unwrap().1, abi::FDFLAG_NONBLOCK, "{fd}");
            assert_eq!(guest.set_flags(fd, abi::FDFLAG_NONBLOCK | abi::FDFLAG_DSYNC), Err(Errno::Notsup), "{fd}");
            assert_eq!(guest.set_flags(fd, 0), Ok(()), "{fd}");
        }
        let how = Open { fdflags: abi::FDFLAG_SYNC | abi::FDFLAG_RSYNC, ..CREATE };
        let file = guest.open(DATA, "a", how).unwrap();
        assert_eq!(guest.set_flags(file, how.fdflags | abi::FDFLAG_APPEND), Ok(()), "what stays is no change");
        assert_eq!(guest.set_flags(file, 0), Err(Errno::Notsup));
        assert_eq!(guest.description(file).unwrap().1, how.fdflags | abi::FDFLAG_APPEND);
    }

    fn unknown_or_unchangeable_flags_are_refused() {
        let mut guest = Guest::new();
        let file = guest.open(DATA, "a", CREATE).unwrap();
        assert_eq!(guest.set_flags(file, 32), Err(Errno::Inval));
        assert_eq!(guest.call("fd_fdstat_set_flags", &[file.into(), 1 << 16]), Err(Errno::Inval));
        assert_eq!(guest.set_flags(file, abi::FDFLAG_SYNC), Err(Errno::Notsup));
    }

    fn no_bytes_take_no_time() {
        let (mut guest, _feed, _drain) = with_pipes();
        let file = guest.open(DATA, "new", CREATE).unwrap();
        let done = guest.room(4);
        let end = guest.memory.len() as u32;
        let empty = guest.buffer(end, 0);
        for fd in [0, file] {
            for (array, count) in [(empty, 1), (end, 0)] {
                assert_eq!(guest.call("fd_read", &[fd.into(), array.into(), count, done.into()]), Ok(()), "{fd}");
                assert_eq!(guest.u32_at(done), 0);
            }
        }
        for fd in [1, file] {
            for (array, count) in [(empty, 1), (end, 0)] {
                assert_eq!(guest.call("fd_write", &[fd.into(), array.into(), count, done.into()]), Ok(()), "{fd}");
                assert_eq!(guest.u32_at(done), 0);
            }
        }
    }

    fn buffers_of_more_than_the_memory_are_moved_as_far_as_one_call_goes() {
        let mut guest = Guest::new();
        let len = guest.memory.len() as u32;
        let array: Vec<u8> = (0..1024).flat_map(|_| [0, len]).flat_map(u32::to_le_bytes).collect();
        let (array, done) = (guest.put(&array), guest.room(4));
        guest.call("fd_write", &[1, array.into(), 1024, done.into()]).unwrap();
        assert_eq!(guest.u32_at(done), 0x7fff_f000, "4 GiB do not fit a result");
        for name in ["fd_read", "fd_write"] {
            assert_eq!(guest.call(name, &[1, array.into(), 1025, done.into()]), Err(Errno::Inval), "{name}");
            assert_eq!(guest.call(name, &[1, array.into(), 1 << 29, done.into()]), Err(Errno::Inval), "{name}");
        }
    }

    fn buffers_outside_of_the_memory_are_a_fault_and_move_nothing() {
        let (mut guest, mut feed, _drain) = with_pipes();
        feed.write_all(b"x").unwrap();
        let end = guest.memory.len() as u32;
        let done = guest.room(4);
        let array = guest.buffer(end - 1, 2);
        assert_eq!(guest.call("fd_read", &[0, array.into(), 1, done.into()]), Err(Errno::Fault));
        assert_eq!(guest.call("fd_read", &[0, (end - 4).into(), 1, done.into()]), Err(Errno::Fault));
        let array = guest.buffer(0, 1);
        assert_eq!(guest.call("fd_read", &[0, array.into(), 1, end.into()]), Err(Errno::Fault));
        assert_eq!(guest.call("fd_read", &[0, array.into(), 1025, done.into()]), Err(Errno::Inval));
        assert_eq!(guest.read(0, 1).unwrap(), b"x", "it is still there");
    }
}
