//! Sockets of the host that were granted: a worker has them, and must do nothing with them but what connections are for.

use std::io;

use libc::{AF_UNSPEC, MSG_DONTWAIT, MSG_NOSIGNAL, c_int};
use pinfold::job::descriptors::{CHANNEL, SOCKETS};
use pinfold_vm::host::{Grants, NetGrant};

use crate::attack::{Attack, Attempt, End, Targets, attack, escaped, gives, refused, sys};
use crate::network::{connect, loopback};

/// The connection, and the socket that listens.
const CONNECTION: c_int = SOCKETS;
const LISTENER: c_int = SOCKETS + 1;

/// A connection to one of the servers, and a place to be one at.
fn network(targets: &Targets) -> Grants {
    let connection = NetGrant::connect(&format!("127.0.0.1:{}", targets.tcp));
    let listener = NetGrant::listen(&format!("{}:8080", targets.own_address));
    Grants { net: connection.into_iter().chain(listener).collect(), ..Grants::none() }
}

fn granted(attack: Attack) -> Attack {
    attack.granted(network)
}

/// Takes a socket's connection, or its place to listen, away from it.
fn disconnect(fd: c_int) -> io::Result<i64> {
    let nobody = [AF_UNSPEC as u64, 0];
    sys!(libc::SYS_connect, fd, nobody.as_ptr(), 16)
}

/// Sends a word as a message, to an address if there is one.
fn send(fd: c_int, address: &mut [u8], flags: c_int) -> io::Result<i64> {
    let mut word = *b"out";
    let mut vector = libc::iovec { iov_base: word.as_mut_ptr().cast(), iov_len: word.len() };
    // SAFETY: all-zero is a valid header.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_iov = &raw mut vector;
    header.msg_iovlen = 1;
    if !address.is_empty() {
        header.msg_name = address.as_mut_ptr().cast();
        header.msg_namelen = address.len() as u32;
    }
    sys!(libc::SYS_sendmsg, fd, &raw const header, flags)
}

fn receive(fd: c_int, flags: c_int) -> io::Result<i64> {
    let mut bytes = [0u8; 64];
    let mut vector = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    // SAFETY: all-zero is a valid header.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_iov = &raw mut vector;
    header.msg_iovlen = 1;
    sys!(libc::SYS_recvmsg, fd, &raw mut header, flags)
}

pub fn attacks() -> Vec<Attack> {
    let mut all = elsewhere();
    all.extend(more_of_it());
    all.into_iter().map(granted).collect()
}

/// Going to where nobody granted.
fn elsewhere() -> Vec<Attack> {
    vec![
        attack("connection_elsewhere", "connect", "connect what was connected to another server", |g| {
            disconnect(CONNECTION)?;
            connect(CONNECTION.into(), &loopback(g.targets.other))
        }),
        attack("listener_connects", "shutdown", "make a client of a server", |g| {
            // To shut a listener down is allowed, and leaves a socket that is nothing yet.
            sys!(libc::SYS_shutdown, LISTENER, libc::SHUT_RD)?;
            connect(LISTENER.into(), &loopback(g.targets.other))
        })
        .ends(End::Violation("connect")),
        attack("listener_fast_open", "sendmsg", "connect a socket that was shut down by sending", |g| {
            sys!(libc::SYS_shutdown, LISTENER, libc::SHUT_RD)?;
            let sent = send(LISTENER, &mut loopback(g.targets.other), libc::MSG_FASTOPEN | MSG_NOSIGNAL);
            gives(sent)
        })
        .filter_only(),
        attack("listener_anywhere", "listen", "be a server at another port", |_| {
            sys!(libc::SYS_shutdown, LISTENER, libc::SHUT_RD)?;
            gives(sys!(libc::SYS_listen, LISTENER, 1))
        })
        .filter_only(),
        attack("listener_bind", "bind", "be a server at another address", |_| {
            sys!(libc::SYS_shutdown, LISTENER, libc::SHUT_RD)?;
            let mut address = loopback(80);
            address[7] = 2;
            gives(sys!(libc::SYS_bind, LISTENER, address.as_ptr(), address.len()))
        })
        .stopped_anyway("the socket keeps its address"),
    ]
}

/// Doing more with them than to receive and to send.
fn more_of_it() -> Vec<Attack> {
    vec![
        attack("connection_interfaces", "ioctl", "list the host's interfaces", |_| {
            let mut request = [0u64; 5];
            request[0] = u64::from_ne_bytes(*b"lo\0\0\0\0\0\0");
            sys!(libc::SYS_ioctl, CONNECTION, libc::SIOCGIFFLAGS, request.as_mut_ptr())?;
            up(request[2])
        })
        .filter_only(),
        attack("connection_own_name", "getsockname", "learn the host's address and port", |_| {
            let (mut name, mut size) = ([0u64; 4], 32u32);
            gives(sys!(libc::SYS_getsockname, CONNECTION, name.as_mut_ptr(), &raw mut size))
        })
        .filter_only(),
        attack("connection_filter", "setsockopt", "attach a program to it", |_| {
            let program = [libc::sock_filter { code: 6, jt: 0, jf: 0, k: u32::MAX }];
            let filter = libc::sock_fprog { len: 1, filter: program.as_ptr().cast_mut() };
            let (level, option) = (libc::SOL_SOCKET, libc::SO_ATTACH_FILTER);
            gives(sys!(libc::SYS_setsockopt, CONNECTION, level, option, &raw const filter, size_of_val(&filter)))
        })
        .filter_only(),
        attack("connection_urgent", "sendmsg", "send past the stream", |_| {
            gives(send(CONNECTION, &mut [], libc::MSG_OOB | MSG_DONTWAIT | MSG_NOSIGNAL))
        })
        .filter_only(),
        attack("connection_errors", "recvmsg", "read the kernel's reports on packets", |_| {
            gives(receive(CONNECTION, libc::MSG_ERRQUEUE | MSG_DONTWAIT))
        })
        .stopped_anyway("there is none"),
        attack("listener_signal", "fcntl", "be signalled, or have others be, at each connection", |_| {
            gives(sys!(libc::SYS_fcntl, LISTENER, libc::F_SETOWN, 1))
        })
        .filter_only(),
        attack("connection_wait", "recvmsg", "wait in a way that a stop does not reach", |_| {
            gives(receive(CONNECTION, libc::MSG_WAITALL | MSG_DONTWAIT))
        })
        .stopped_anyway("there is nothing to be had"),
        attack("granted_channel_message", "sendmsg", "send the supervisor what is no message", |_| {
            send(CHANNEL, &mut [], MSG_DONTWAIT | MSG_NOSIGNAL)?;
            loop {
                std::hint::spin_loop();
            }
        })
        .ends(End::Nonsense)
        .stopped_anyway("the supervisor knows no such message"),
        attack("granted_channel_receive", "recvmsg", "take something from the channel", |_| {
            gives(receive(CHANNEL, MSG_DONTWAIT))
        })
        .ends(End::Refused)
        .stopped_anyway("the supervisor sends nothing after its word to begin"),
    ]
}

fn up(flags: u64) -> Attempt {
    match flags & libc::IFF_UP as u64 {
        0 => refused("there is no interface that is up"),
        _ => escaped("the loopback interface is up"),
    }
}
