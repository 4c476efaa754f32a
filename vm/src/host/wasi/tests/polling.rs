//! Waiting for times and descriptors.

use std::io::{Write, pipe};
use std::time::{Duration, Instant};

use super::*;
use crate::host::{ClockGrant, Stdin};

const MILLISECOND: u64 = 1_000_000;

fn clock(userdata: u64, timeout: u64, absolute: bool) -> [u64; 6] {
    [userdata, 0, 1, timeout, 0, absolute.into()]
}

fn descriptor(userdata: u64, fd: u32, write: bool) -> [u64; 6] {
    [userdata, if write { 2 } else { 1 }, fd.into(), 0, 0, 0]
}

/// What happened: user data, error, kind, bytes, flags.
type Happened = (u64, u16, u8, u64, u16);

fn try_poll(guest: &mut Guest, subscriptions: &[[u64; 6]]) -> Result<Result<Vec<Happened>, Errno>, HostError> {
    let bytes: Vec<u8> = subscriptions.iter().flatten().flat_map(|n| n.to_le_bytes()).collect();
    let (input, output, count) = (guest.put(&bytes), guest.room(32 * subscriptions.len() as u32), guest.room(4));
    let arguments = [input.into(), output.into(), subscriptions.len() as u64, count.into()];
    let answer = guest.try_call("poll_oneoff", &arguments)?;
    Ok(answer.map(|()| {
        (0..guest.u32_at(count))
            .map(|at| {
                let at = output + at * 32;
                let second = guest.u64_at(at + 8);
                (
                    guest.u64_at(at),
                    second as u16,
                    (second >> 16) as u8,
                    guest.u64_at(at + 16),
                    guest.u64_at(at + 24) as u16,
                )
            })
            .collect()
    }))
}

fn poll(guest: &mut Guest, subscriptions: &[[u64; 6]]) -> Result<Vec<Happened>, Errno> {
    try_poll(guest, subscriptions).unwrap()
}

cases! {
    fn a_duration_passes() {
        let mut guest = Guest::new();
        let start = Instant::now();
        assert_eq!(poll(&mut guest, &[clock(7, 20 * MILLISECOND, false)]), Ok(vec![(7, 0, 0, 0, 0)]));
        assert!((20..1000).contains(&start.elapsed().as_millis()));
    }

    fn a_point_in_time_comes_and_past_ones_are_over() {
        let mut guest = Guest::with(|grants| grants.clock = Some(ClockGrant::default()));
        let start = Instant::now();
        assert_eq!(poll(&mut guest, &[clock(1, 30 * MILLISECOND, true)]), Ok(vec![(1, 0, 0, 0, 0)]));
        assert!((15..1000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
        assert_eq!(poll(&mut guest, &[clock(1, 1, true)]), Ok(vec![(1, 0, 0, 0, 0)]));
    }

    fn a_point_in_time_needs_a_clock() {
        let error = Errno::Notcapable as u16;
        assert_eq!(poll(&mut Guest::new(), &[clock(1, 1, true)]), Ok(vec![(1, error, 0, 0, 0)]));
    }

    fn the_first_of_several_times_wins() {
        let mut guest = Guest::new();
        let times = [clock(1, 3_600_000 * MILLISECOND, false), clock(2, MILLISECOND, false)];
        assert_eq!(poll(&mut guest, &times), Ok(vec![(2, 0, 0, 0, 0)]));
    }

    fn a_pipe_is_ready_when_there_is_something_to_read() {
        let mut guest = Guest::new();
        let (stdin, mut feed) = pipe().unwrap();
        guest.set_stdin(stdin);
        let both = [descriptor(1, 0, false), clock(2, 10 * MILLISECOND, false)];
        assert_eq!(poll(&mut guest, &both), Ok(vec![(2, 0, 0, 0, 0)]));
        feed.write_all(b"abc").unwrap();
        assert_eq!(poll(&mut guest, &both), Ok(vec![(1, 0, 1, 3, 0)]));
        assert_eq!(guest.read(0, 3).unwrap(), b"abc");
        drop(feed);
        assert_eq!(poll(&mut guest, &both), Ok(vec![(1, 0, 1, 0, abi::EVENT_HANGUP)]));
    }

    fn waiting_ends_when_something_arrives() {
        let mut guest = Guest::new();
        let (stdin, mut feed) = pipe().unwrap();
        guest.set_stdin(stdin);
        let writer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            feed.write_all(b"x").map(|()| feed)
        });
        assert_eq!(poll(&mut guest, &[descriptor(1, 0, false)]), Ok(vec![(1, 0, 1, 1, 0)]));
        writer.join().unwrap().unwrap();
    }

    fn a_full_pipe_is_not_ready_to_be_written() {
        let mut guest = Guest::with(|grants| grants.output_limit = 1 << 20);
        let (_drain, stdout) = pipe().unwrap();
        guest.set_stdout(stdout);
        let both = [descriptor(1, 1, true), clock(2, MILLISECOND, false)];
        assert_eq!(poll(&mut guest, &both), Ok(vec![(1, 0, 2, 0, 0)]));
        guest.set_flags(1, abi::FDFLAG_NONBLOCK).unwrap();
        let wrote = guest.write(1, &[0; 200_000]).unwrap();
        assert!((1..200_000).contains(&wrote), "a pipe took {wrote} bytes");
        assert_eq!(guest.write(1, b"x"), Err(Errno::Again));
        assert_eq!(poll(&mut guest, &both), Ok(vec![(2, 0, 0, 0, 0)]));
    }

    fn files_and_made_up_streams_are_always_ready() {
        let mut guest = Guest::with(|grants| grants.stdin = Stdin::Bytes(b"hello"[..].into()));
        guest.file("data/a", "0123456789");
        let file = guest.open(DATA, "a", READ).unwrap();
        guest.seek(file, 4, 0).unwrap();
        let all = [descriptor(1, 0, false), descriptor(2, file, false), descriptor(3, 1, true), clock(4, 1 << 60, false)];
        assert_eq!(poll(&mut guest, &all), Ok(vec![(1, 0, 1, 5, 0), (2, 0, 1, 6, 0), (3, 0, 2, 0, 0)]));
    }

    fn a_bad_descriptor_is_an_event_with_an_error() {
        let mut guest = Guest::new();
        let all = [descriptor(1, 99, false), clock(2, 1 << 60, false)];
        assert_eq!(poll(&mut guest, &all), Ok(vec![(1, Errno::Badf as u16, 1, 0, 0)]));
        guest.call("fd_fdstat_set_rights", &[0, rights::FD_READ, 0]).unwrap();
        assert_eq!(poll(&mut guest, &[descriptor(1, 0, false)]), Ok(vec![(1, Errno::Notcapable as u16, 1, 0, 0)]));
    }

    fn each_bad_subscription_has_an_event_and_the_good_ones_too() {
        let mut guest = Guest::with(|grants| grants.stdin = Stdin::Bytes(b"x"[..].into()));
        guest.call("fd_fdstat_set_rights", &[2, rights::FD_WRITE, 0]).unwrap();
        let unknown_clock = [5, 0, 9, MILLISECOND, 0, 0];
        let all = [
            descriptor(1, 99, false),
            descriptor(2, u32::MAX, true),
            descriptor(3, 2, true),
            descriptor(4, 0, false),
            unknown_clock,
            clock(6, 1 << 60, false),
        ];
        let (badf, notcapable, inval) = (Errno::Badf as u16, Errno::Notcapable as u16, Errno::Inval as u16);
        let expected =
            vec![(1, badf, 1, 0, 0), (2, badf, 2, 0, 0), (3, notcapable, 2, 0, 0), (4, 0, 1, 1, 0), (5, inval, 0, 0, 0)];
        assert_eq!(poll(&mut guest, &all), Ok(expected));
    }

    fn input_at_its_end_is_ready() {
        let mut guest = Guest::new();
        let both = [descriptor(1, 0, false), clock(2, 1 << 60, false)];
        assert_eq!(poll(&mut guest, &both), Ok(vec![(1, 0, 1, 0, 0)]));
        assert_eq!(guest.read(0, 1), Ok(vec![]));
        let mut guest = Guest::with(|grants| grants.stdin = Stdin::Bytes(b"x"[..].into()));
        guest.read(0, 1).unwrap();
        assert_eq!(poll(&mut guest, &both), Ok(vec![(1, 0, 1, 0, 0)]));
    }

    fn a_time_that_has_come_does_not_hide_a_ready_descriptor() {
        let mut guest = Guest::new();
        let (stdin, mut feed) = pipe().unwrap();
        guest.set_stdin(stdin);
        let both = [clock(1, 0, false), descriptor(2, 0, false)];
        assert_eq!(poll(&mut guest, &both), Ok(vec![(1, 0, 0, 0, 0)]));
        feed.write_all(b"abc").unwrap();
        assert!(poll(&mut guest, &both).unwrap().contains(&(2, 0, 1, 3, 0)));
    }

    fn a_descriptor_can_be_waited_for_both_ways_and_twice() {
        let mut guest = Guest::new();
        let (inside, mut outside) = std::os::unix::net::UnixStream::pair().unwrap();
        let fd = guest.host.add_socket(inside.into()).unwrap();
        let all = [descriptor(1, fd, false), descriptor(2, fd, true), descriptor(3, fd, true)];
        assert_eq!(poll(&mut guest, &all), Ok(vec![(2, 0, 2, 0, 0), (3, 0, 2, 0, 0)]));
        outside.write_all(b"ab").unwrap();
        assert_eq!(poll(&mut guest, &all), Ok(vec![(1, 0, 1, 2, 0), (2, 0, 2, 0, 0), (3, 0, 2, 0, 0)]));
    }

    fn output_whose_reader_is_gone_has_hung_up() {
        let mut guest = Guest::new();
        let (drain, stdout) = pipe().unwrap();
        guest.set_stdout(stdout);
        drop(drain);
        assert_eq!(poll(&mut guest, &[descriptor(1, 1, true)]), Ok(vec![(1, 0, 2, 0, abi::EVENT_HANGUP)]));
    }

    fn directories_never_wait() {
        let mut guest = Guest::new();
        let both = [descriptor(1, DATA, false), descriptor(2, DATA, true)];
        assert_eq!(poll(&mut guest, &both), Ok(vec![(1, 0, 1, 0, 0), (2, 0, 2, 0, 0)]));
    }

    fn subscriptions_must_be_there_and_known() {
        let mut guest = Guest::new();
        assert_eq!(poll(&mut guest, &[]), Err(Errno::Inval));
        assert_eq!(poll(&mut guest, &[[0, 3, 0, 0, 0, 0]]), Err(Errno::Inval));
        assert_eq!(guest.call("poll_oneoff", &[0, 0, 5000, 0]), Err(Errno::Inval));
        let end = guest.memory.len() as u64;
        assert_eq!(guest.call("poll_oneoff", &[end - 40, 0, 1, 0]), Err(Errno::Fault));
        assert_eq!(guest.call("poll_oneoff", &[0, end - 31, 1, 0]), Err(Errno::Fault));
        assert_eq!(guest.call("poll_oneoff", &[u64::from(u32::MAX), 0, 2, 0]), Err(Errno::Fault));
    }

    fn a_stop_ends_waiting() {
        let mut guest = Guest::new();
        let start = Instant::now();
        guest.host.set_interrupt(move || start.elapsed() > Duration::from_millis(20));
        assert!(matches!(try_poll(&mut guest, &[clock(1, u64::MAX, false)]), Err(HostError::Interrupted)));
        assert!(start.elapsed() < Duration::from_secs(1));
    }

    fn virtual_time_passes_at_once() {
        let mut guest = Guest::with(|grants| grants.deterministic = Some(1));
        let start = Instant::now();
        let hour = 3_600_000 * MILLISECOND;
        assert_eq!(poll(&mut guest, &[clock(1, hour, false)]), Ok(vec![(1, 0, 0, 0, 0)]));
        assert!(start.elapsed() < Duration::from_secs(5));
        let time = guest.room(8);
        guest.call("clock_time_get", &[1, 0, time.into()]).unwrap();
        assert!((hour..2 * hour).contains(&guest.u64_at(time)));
    }
}
