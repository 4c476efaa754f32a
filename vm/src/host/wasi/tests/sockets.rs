//! Sockets that the host hands in.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::time::{Duration, Instant};

use super::*;

fn receive(guest: &mut Guest, fd: u32, len: u32, flags: u64) -> Result<(Vec<u8>, u16), Errno> {
    let (buffer, done, out_flags) = (guest.room(len), guest.room(4), guest.room(2));
    let array = guest.buffer(buffer, len);
    guest.call("sock_recv", &[fd.into(), array.into(), 1, flags, done.into(), out_flags.into()])?;
    let bytes = guest.bytes_at(buffer, guest.u32_at(done)).to_vec();
    Ok((bytes, guest.u32_at(out_flags) as u16))
}

fn send(guest: &mut Guest, fd: u32, bytes: &[u8]) -> Result<u32, Errno> {
    let (buffer, done) = (guest.put(bytes), guest.room(4));
    let array = guest.buffer(buffer, bytes.len() as u32);
    guest.call("sock_send", &[fd.into(), array.into(), 1, 0, done.into()])?;
    Ok(guest.u32_at(done))
}

fn pair() -> (Guest, u32, UnixStream) {
    let mut guest = Guest::new();
    let (inside, outside) = UnixStream::pair().unwrap();
    let fd = guest.host.add_socket(inside.into()).unwrap();
    (guest, fd, outside)
}

cases! {
    fn bytes_go_both_ways() {
        let (mut guest, fd, mut outside) = pair();
        assert_eq!(guest.description(fd).unwrap().0, 6);
        assert_eq!(send(&mut guest, fd, b"ping"), Ok(4));
        let mut bytes = [0; 4];
        outside.read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"ping");
        outside.write_all(b"pong").unwrap();
        assert_eq!(receive(&mut guest, fd, 100, 0), Ok((b"pong".to_vec(), 0)));
        drop(outside);
        assert_eq!(receive(&mut guest, fd, 100, 0), Ok((vec![], 0)));
        assert_eq!(send(&mut guest, fd, b"x"), Err(Errno::Pipe));
    }

    fn plain_reads_and_writes_work_too() {
        let (mut guest, fd, mut outside) = pair();
        guest.write(fd, b"out").unwrap();
        let mut bytes = [0; 3];
        outside.read_exact(&mut bytes).unwrap();
        outside.write_all(&bytes).unwrap();
        assert_eq!(guest.read(fd, 10).unwrap(), b"out");
        assert_eq!(guest.seek(fd, 0, 0), Err(Errno::Spipe));
    }

    fn peeking_leaves_the_bytes_and_waiting_for_all_fills_the_buffer() {
        let (mut guest, fd, mut outside) = pair();
        outside.write_all(b"abc").unwrap();
        assert_eq!(receive(&mut guest, fd, 2, 1), Ok((b"ab".to_vec(), 0)));
        let later = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            outside.write_all(b"def").map(|()| outside)
        });
        assert_eq!(receive(&mut guest, fd, 6, 2), Ok((b"abcdef".to_vec(), 0)));
        later.join().unwrap().unwrap();
    }

    fn non_blocking_sockets_answer_again() {
        let (mut guest, fd, _outside) = pair();
        guest.set_flags(fd, abi::FDFLAG_NONBLOCK).unwrap();
        assert_eq!(receive(&mut guest, fd, 1, 0), Err(Errno::Again));
        assert_eq!(guest.read(fd, 1), Err(Errno::Again));
    }

    fn a_message_that_is_cut_says_so() {
        let mut guest = Guest::new();
        let (inside, outside) = UnixDatagram::pair().unwrap();
        let fd = guest.host.add_socket(inside.into()).unwrap();
        assert_eq!(guest.description(fd).unwrap().0, 5);
        outside.send(b"abcdef").unwrap();
        assert_eq!(receive(&mut guest, fd, 4, 0), Ok((b"abcd".to_vec(), abi::ROFLAG_TRUNCATED)));
        outside.send(b"gh").unwrap();
        assert_eq!(receive(&mut guest, fd, 4, 0), Ok((b"gh".to_vec(), 0)));
    }

    fn all_bytes_are_sent_and_waited_for_however_many() {
        const LEN: u32 = 1_500_000;
        let (mut guest, fd, mut outside) = pair();
        let sent: Vec<u8> = (0..LEN).map(|n| (n / 3) as u8).collect();
        let echo = std::thread::spawn(move || {
            let mut bytes = vec![0; LEN as usize];
            outside.read_exact(&mut bytes)?;
            outside.write_all(&bytes)?;
            outside.write_all(b"x").map(|()| outside)
        });
        assert_eq!(send(&mut guest, fd, &sent), Ok(LEN));
        // In two buffers, so that what comes in pieces ends in the right places.
        let (one, two, done, flags) = (guest.room(100), guest.room(LEN - 100), guest.room(4), guest.room(2));
        let array: Vec<u8> = [one, 100, two, LEN - 100].into_iter().flat_map(u32::to_le_bytes).collect();
        let array = guest.put(&array);
        let wait_all = abi::RIFLAG_WAITALL.into();
        let arguments = [fd.into(), array.into(), 2, wait_all, done.into(), flags.into()];
        guest.call("sock_recv", &arguments).unwrap();
        assert_eq!(guest.u32_at(done), LEN);
        assert!(guest.bytes_at(one, 100) == &sent[..100] && guest.bytes_at(two, LEN - 100) == &sent[100..]);
        let _outside = echo.join().unwrap().unwrap();
        assert_eq!(receive(&mut guest, fd, 10, 0), Ok((b"x".to_vec(), 0)));
    }

    fn a_socket_that_does_not_wait_sends_what_there_is_room_for() {
        let (mut guest, fd, _outside) = pair();
        guest.set_flags(fd, abi::FDFLAG_NONBLOCK).unwrap();
        let sent = send(&mut guest, fd, &[0; 1_500_000]).unwrap();
        assert!((1..1_500_000).contains(&sent), "{sent}");
        assert_eq!(send(&mut guest, fd, &[0; 1_500_000]), Err(Errno::Again));
    }

    fn messages_stay_whole_and_apart() {
        let mut guest = Guest::new();
        let (inside, outside) = UnixDatagram::pair().unwrap();
        let fd = guest.host.add_socket(inside.into()).unwrap();
        let message: Vec<u8> = (0..100_000u32).map(|n| n as u8).collect();
        assert_eq!(send(&mut guest, fd, &message), Ok(100_000));
        let mut bytes = vec![0; 200_000];
        assert_eq!(outside.recv(&mut bytes).unwrap(), 100_000);
        outside.send(&message).unwrap();
        assert!(receive(&mut guest, fd, 200_000, 0) == Ok((message, 0)));
        outside.send(b"one").unwrap();
        outside.send(b"two").unwrap();
        let wait_all = abi::RIFLAG_WAITALL.into();
        assert_eq!(receive(&mut guest, fd, 100, wait_all), Ok((b"one".to_vec(), 0)));
        assert_eq!(send(&mut guest, fd, &vec![0; 3_000_000]), Err(Errno::Msgsize));
        assert_eq!(send(&mut guest, fd, b""), Ok(0));
        assert_eq!(outside.recv(&mut bytes).unwrap(), 0, "an empty message is one");
    }

    fn shutting_down_ends_a_direction() {
        let (mut guest, fd, mut outside) = pair();
        assert_eq!(guest.call("sock_shutdown", &[fd.into(), 2]), Ok(()));
        assert_eq!(outside.read(&mut [0; 4]).unwrap(), 0);
        assert_eq!(send(&mut guest, fd, b"x"), Err(Errno::Pipe));
        outside.write_all(b"y").unwrap();
        assert_eq!(receive(&mut guest, fd, 4, 0), Ok((b"y".to_vec(), 0)));
        assert_eq!(guest.call("sock_shutdown", &[fd.into(), 0]), Err(Errno::Inval));
        assert_eq!(guest.call("sock_shutdown", &[fd.into(), 4]), Err(Errno::Inval));
    }

    fn connections_are_accepted() {
        let mut guest = Guest::new();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let fd = guest.host.add_socket(listener.into()).unwrap();
        let out = guest.room(4);
        let nonblock = u64::from(abi::FDFLAG_NONBLOCK);
        guest.set_flags(fd, abi::FDFLAG_NONBLOCK).unwrap();
        assert_eq!(guest.call("sock_accept", &[fd.into(), 0, out.into()]), Err(Errno::Again));
        guest.set_flags(fd, 0).unwrap();
        let client = std::thread::spawn(move || {
            let mut client = TcpStream::connect(address).unwrap();
            client.write_all(b"hello").map(|()| client)
        });
        guest.call("sock_accept", &[fd.into(), 0, out.into()]).unwrap();
        let connection = guest.u32_at(out);
        assert_eq!(receive(&mut guest, connection, 10, 0).unwrap().0, b"hello");
        let _client = client.join().unwrap().unwrap();
        assert_eq!(guest.call("sock_accept", &[fd.into(), 1, out.into()]), Err(Errno::Inval));
        let _other = TcpStream::connect(address).unwrap();
        guest.call("sock_accept", &[fd.into(), nonblock, out.into()]).unwrap();
        let connection = guest.u32_at(out);
        assert_eq!(receive(&mut guest, connection, 10, 0), Err(Errno::Again));
    }

    fn a_connection_that_finds_no_room_waits_until_there_is_some() {
        let mut guest = Guest::with(|grants| grants.handle_limit = 8);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let fd = guest.host.add_socket(listener.into()).unwrap();
        let file = guest.open(DATA, "a", CREATE).unwrap();
        let out = guest.room(4);
        assert_eq!(guest.call("sock_accept", &[fd.into(), 0, out.into()]), Err(Errno::Mfile));
        guest.close(file).unwrap();
        assert_eq!(guest.call("sock_accept", &[fd.into(), 0, out.into()]), Ok(()));
        assert_eq!(guest.u32_at(out), file);
    }

    fn sockets_have_no_places_entries_or_sizes() {
        let (mut guest, fd, _outside) = pair();
        let room = guest.room(64);
        let array = guest.buffer(room, 8);
        let (fd64, array, room) = (u64::from(fd), u64::from(array), u64::from(room));
        for (name, arguments, errno) in [
            ("fd_seek", &[fd64, 0, 0, room][..], Errno::Spipe),
            ("fd_tell", &[fd64, room], Errno::Spipe),
            ("fd_pread", &[fd64, array, 1, 0, room], Errno::Spipe),
            ("fd_pwrite", &[fd64, array, 1, 0, room], Errno::Spipe),
            ("fd_advise", &[fd64, 0, 0, 0], Errno::Spipe),
            ("fd_allocate", &[fd64, 0, 1], Errno::Spipe),
            ("fd_sync", &[fd64], Errno::Inval),
            ("fd_datasync", &[fd64], Errno::Inval),
            ("fd_filestat_set_size", &[fd64, 0], Errno::Inval),
            ("fd_filestat_set_times", &[fd64, 0, 0, 0], Errno::Inval),
            ("fd_readdir", &[fd64, room, 64, 0, room], Errno::Notdir),
            ("fd_prestat_get", &[fd64, room], Errno::Badf),
        ] {
            assert_eq!(guest.call(name, arguments), Err(errno), "{name}");
        }
        assert_eq!(guest.open(fd, "a", READ), Err(Errno::Notdir));
        assert_eq!(guest.attributes(fd).unwrap().kind, 6);
    }

    fn sockets_that_are_not_connected_say_so() {
        let mut guest = Guest::new();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let fd = guest.host.add_socket(listener.into()).unwrap();
        assert_eq!(receive(&mut guest, fd, 1, 0), Err(Errno::Notconn));
        assert_eq!(send(&mut guest, fd, b"x"), Err(Errno::Pipe));
        let datagrams = guest.host.add_socket(UdpSocket::bind("127.0.0.1:0").unwrap().into()).unwrap();
        assert_eq!(guest.call("sock_shutdown", &[datagrams.into(), 1]), Err(Errno::Notconn));
        let out = guest.room(4);
        assert_eq!(guest.call("sock_accept", &[datagrams.into(), 0, out.into()]), Err(Errno::Notsup));
    }

    fn a_stop_ends_waiting_for_a_connection() {
        let mut guest = Guest::new();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let fd = guest.host.add_socket(listener.into()).unwrap();
        let start = Instant::now();
        guest.host.set_interrupt(move || start.elapsed() > Duration::from_millis(20));
        let out = guest.room(4);
        assert!(matches!(guest.try_call("sock_accept", &[fd.into(), 0, out.into()]), Err(HostError::Interrupted)));
    }

    fn what_is_no_socket_is_told_so() {
        let mut guest = Guest::new();
        let file = guest.open(DATA, "a", CREATE).unwrap();
        let out = guest.room(4);
        for fd in [0, DATA, file] {
            assert_eq!(receive(&mut guest, fd, 1, 0), Err(Errno::Notsock));
            assert_eq!(send(&mut guest, fd, b"x"), Err(Errno::Notsock));
            assert_eq!(guest.call("sock_shutdown", &[fd.into(), 1]), Err(Errno::Notsock));
            assert_eq!(guest.call("sock_accept", &[fd.into(), 0, out.into()]), Err(Errno::Notsock));
        }
        assert_eq!(receive(&mut guest, 99, 1, 0), Err(Errno::Badf));
    }

    fn unknown_flags_are_invalid() {
        let (mut guest, fd, _outside) = pair();
        assert_eq!(receive(&mut guest, fd, 1, 4), Err(Errno::Inval));
        let out = guest.room(4);
        assert_eq!(guest.call("sock_send", &[fd.into(), 0, 0, 1, out.into()]), Err(Errno::Inval));
        assert_eq!(guest.call("sock_accept", &[fd.into(), 0, out.into()]), Err(Errno::Inval), "it does not listen");
    }

    fn unconnected_datagram_sockets_cannot_send() {
        let mut guest = Guest::new();
        let fd = guest.host.add_socket(UdpSocket::bind("127.0.0.1:0").unwrap().into()).unwrap();
        assert_eq!(send(&mut guest, fd, b"x"), Err(Errno::Destaddrreq));
    }
}
