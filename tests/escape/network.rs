//! Network: no socket can be made, and those that are there carry bytes to the supervisor only.

use std::io;

use libc::{AF_INET, AF_INET6, AF_NETLINK, AF_UNIX, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM, c_int};
use pinfold::job::descriptors::CHANNEL;

use crate::attack::{Attack, Attempt, attack, escaped, gives, lacks, refused, sys, unless_missing};

fn socket(family: c_int, kind: c_int, protocol: c_int) -> io::Result<i64> {
    sys!(libc::SYS_socket, family, kind, protocol)
}

/// A socket of a family whose making is the attack.
fn makes(family: c_int, kind: c_int, protocol: c_int) -> Attempt {
    gives(socket(family, kind, protocol))
}

/// The address of the loopback interface.
pub fn loopback(port: u16) -> [u8; 16] {
    let mut address = [0u8; 16];
    address[..2].copy_from_slice(&(AF_INET as u16).to_ne_bytes());
    address[2..4].copy_from_slice(&port.to_be_bytes());
    address[4..8].copy_from_slice(&[127, 0, 0, 1]);
    address
}

fn loopback6(port: u16) -> [u8; 28] {
    let mut address = [0u8; 28];
    address[..2].copy_from_slice(&(AF_INET6 as u16).to_ne_bytes());
    address[2..4].copy_from_slice(&port.to_be_bytes());
    address[23] = 1;
    address
}

fn unix(name: &[u8]) -> [u8; 110] {
    let mut address = [0u8; 110];
    address[..2].copy_from_slice(&(AF_UNIX as u16).to_ne_bytes());
    address[2..2 + name.len()].copy_from_slice(name);
    address
}

pub fn connect(fd: i64, address: &[u8]) -> Attempt {
    gives(sys!(libc::SYS_connect, fd, address.as_ptr(), address.len()))
}

/// Sends a word in one call, to an address if there is one.
fn send_to(fd: i64, address: &[u8], flags: c_int) -> Attempt {
    gives(sys!(libc::SYS_sendto, fd, c"out".as_ptr(), 3, flags, address.as_ptr(), address.len()))
}

/// A message with a descriptor in it.
struct Message {
    header: libc::msghdr,
    _vector: Box<libc::iovec>,
    _control: Box<[u64; 8]>,
}

impl Message {
    fn new(descriptor: i32) -> Self {
        let mut vector = Box::new(libc::iovec { iov_base: c"x".as_ptr().cast_mut().cast(), iov_len: 1 });
        let mut control = Box::new([0u64; 8]);
        // `struct cmsghdr`: its length, then level and kind, then the descriptor.
        control[0] = 20;
        control[1] = libc::SOL_SOCKET as u64 | (libc::SCM_RIGHTS as u64) << 32;
        control[2] = descriptor as u64;
        // SAFETY: all-zero is a valid header.
        let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
        header.msg_iov = &raw mut *vector;
        header.msg_iovlen = 1;
        header.msg_control = control.as_mut_ptr().cast();
        header.msg_controllen = 24;
        Self { header, _vector: vector, _control: control }
    }
}

pub fn attacks() -> Vec<Attack> {
    let mut all = connections();
    all.extend(families());
    all.extend(local());
    all.extend(channel());
    all
}

fn connections() -> Vec<Attack> {
    vec![
        attack("tcp", "socket", "connect to a server of the host", |g| {
            connect(socket(AF_INET, SOCK_STREAM, 0)?, &loopback(g.targets.tcp))
        }),
        attack("tcp6", "socket", "the same over IPv6", |g| match g.targets.tcp6 {
            Some(port) => connect(socket(AF_INET6, SOCK_STREAM, 0)?, &loopback6(port)),
            None => socket(AF_INET6, SOCK_STREAM, 0).map_err(unless_missing).and_then(|_| lacks("IPv6")),
        }),
        attack("tcp_fast_open", "socket", "send with the first packet, without connecting", |g| {
            send_to(socket(AF_INET, SOCK_STREAM, 0)?, &loopback(g.targets.tcp), libc::MSG_FASTOPEN)
        }),
        attack("mptcp", "socket", "connect with a protocol that Landlock does not know", |g| {
            let fd = socket(AF_INET, SOCK_STREAM, libc::IPPROTO_MPTCP).map_err(unless_missing)?;
            connect(fd, &loopback(g.targets.tcp))
        }),
        attack("udp", "socket", "send a datagram to a server of the host", |g| {
            send_to(socket(AF_INET, SOCK_DGRAM, 0)?, &loopback(g.targets.udp), 0)
        }),
        attack("udp_connected", "socket", "send one after connecting", |g| {
            let fd = socket(AF_INET, SOCK_DGRAM, 0)?;
            connect(fd, &loopback(g.targets.udp))?;
            gives(sys!(libc::SYS_write, fd, c"out".as_ptr(), 3))
        }),
        attack("ping", "socket", "send a ping", |_| {
            let mut echo = [0u8; 8];
            echo[0] = 8;
            // Its sum, with everything else zero.
            (echo[2], echo[3]) = (0xf7, 0xff);
            let fd = socket(AF_INET, SOCK_RAW, libc::IPPROTO_ICMP)?;
            let address = loopback(0);
            gives(sys!(libc::SYS_sendto, fd, echo.as_ptr(), echo.len(), 0, address.as_ptr(), address.len()))
        }),
        attack("bind_tcp", "socket", "be a server", |_| {
            let (fd, address) = (socket(AF_INET, SOCK_STREAM, 0)?, loopback(0));
            sys!(libc::SYS_bind, fd, address.as_ptr(), address.len())?;
            gives(sys!(libc::SYS_listen, fd, 1))
        })
        .filter_only(),
        attack("listen_unbound", "socket", "be a server at any port that is free", |_| {
            gives(sys!(libc::SYS_listen, socket(AF_INET, SOCK_STREAM, 0)?, 1))
        })
        .filter_only(),
        attack("bind_udp", "socket", "receive datagrams", |_| {
            let (fd, address) = (socket(AF_INET, SOCK_DGRAM, 0)?, loopback(0));
            gives(sys!(libc::SYS_bind, fd, address.as_ptr(), address.len()))
        })
        .filter_only(),
        attack("interfaces", "socket", "list the host's interfaces", |_| {
            let (fd, mut request) = (socket(AF_INET, SOCK_DGRAM, 0)?, [0u64; 5]);
            request[0] = u64::from_ne_bytes(*b"lo\0\0\0\0\0\0");
            sys!(libc::SYS_ioctl, fd, libc::SIOCGIFFLAGS, request.as_mut_ptr())?;
            match request[2] & libc::IFF_UP as u64 {
                0 => refused("there is no interface that is up"),
                _ => escaped("the loopback interface is up"),
            }
        }),
    ]
}

/// Kinds of sockets whose making alone opens a part of the kernel.
fn families() -> Vec<Attack> {
    vec![
        attack("socket_udp", "socket", "have a socket", |_| makes(AF_INET, SOCK_DGRAM, 0)).filter_only(),
        attack("netlink_route", "socket", "ask the kernel for routes", |_| {
            makes(AF_NETLINK, SOCK_RAW, libc::NETLINK_ROUTE)
        })
        .filter_only(),
        attack("netlink_uevent", "socket", "hear of devices", |_| {
            makes(AF_NETLINK, SOCK_RAW, libc::NETLINK_KOBJECT_UEVENT)
        })
        .filter_only(),
        attack("netlink_audit", "socket", "reach the audit system", |_| {
            makes(AF_NETLINK, SOCK_RAW, libc::NETLINK_AUDIT)
        })
        .filter_only(),
        attack("netlink_netfilter", "socket", "reach the packet filter", |_| {
            makes(AF_NETLINK, SOCK_RAW, libc::NETLINK_NETFILTER)
        })
        .filter_only(),
        attack("packet", "socket", "see all packets", |_| makes(libc::AF_PACKET, SOCK_RAW, 0x300)),
        attack("raw", "socket", "forge packets", |_| makes(AF_INET, SOCK_RAW, libc::IPPROTO_RAW)),
        attack("raw6", "socket", "forge packets of IPv6", |_| makes(AF_INET6, SOCK_RAW, libc::IPPROTO_RAW)),
        attack("vsock", "socket", "reach the machine that this one is in", |_| makes(libc::AF_VSOCK, SOCK_STREAM, 0))
            .filter_only(),
        attack("alg", "socket", "have the kernel compute a hash", |_| makes(libc::AF_ALG, libc::SOCK_SEQPACKET, 0))
            .filter_only(),
        attack("xdp", "socket", "share memory with a network card", |_| makes(libc::AF_XDP, SOCK_RAW, 0)),
        attack("sctp", "socket", "connect with SCTP", |_| makes(AF_INET, SOCK_STREAM, libc::IPPROTO_SCTP))
            .filter_only(),
        attack("key", "socket", "reach the keys of IPsec", |_| makes(libc::AF_KEY, SOCK_RAW, 2)),
        attack("bluetooth", "socket", "reach the radio", |_| makes(libc::AF_BLUETOOTH, SOCK_RAW, 1)),
        attack("tipc", "socket", "reach a cluster", |_| makes(libc::AF_TIPC, SOCK_STREAM, 0)).filter_only(),
        attack("socketpair", "socketpair", "have a pair of sockets", |_| {
            let mut pair = [0i32; 2];
            gives(sys!(libc::SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, pair.as_mut_ptr()))
        })
        .filter_only(),
    ]
}

fn local() -> Vec<Attack> {
    vec![
        attack("unix_path", "socket", "connect to a server by its path", |g| {
            let path = g.outside("socket");
            connect(socket(AF_UNIX, SOCK_STREAM, 0)?, &unix(path.as_bytes()))
        }),
        attack("unix_abstract", "socket", "connect to one by its abstract name", |g| {
            let name = [b"\0", g.targets.abstract_name.as_bytes()].concat();
            let (fd, address) = (socket(AF_UNIX, SOCK_STREAM, 0)?, unix(&name));
            gives(sys!(libc::SYS_connect, fd, address.as_ptr(), 2 + name.len()))
        }),
        attack("unix_bind", "socket", "be a server at a path", |g| {
            let path = g.outside("made");
            let (fd, address) = (socket(AF_UNIX, SOCK_STREAM, 0)?, unix(path.as_bytes()));
            gives(sys!(libc::SYS_bind, fd, address.as_ptr(), address.len()))
        }),
        attack("unix_bind_abstract", "socket", "be a server at an abstract name", |_| {
            let (fd, address) = (socket(AF_UNIX, SOCK_STREAM, 0)?, unix(b"\0pinfold-escape-made"));
            gives(sys!(libc::SYS_bind, fd, address.as_ptr(), 30))
        })
        .filter_only(),
    ]
}

/// The channel is a socket: the only one that is there.
fn channel() -> Vec<Attack> {
    vec![
        attack("channel_connect", "connect", "connect the channel to someone else", |g| {
            connect(CHANNEL.into(), &loopback(g.targets.tcp))
        })
        .stopped_anyway("a socket of a pair is connected for good"),
        attack("channel_sendto", "sendto", "send past the supervisor", |g| {
            send_to(CHANNEL.into(), &loopback(g.targets.tcp), 0)
        })
        .stopped_anyway("a socket of a pair takes no address"),
        attack("channel_descriptor", "sendmsg", "hand the supervisor a descriptor", |_| {
            let message = Message::new(1);
            gives(sys!(libc::SYS_sendmsg, CHANNEL, &raw const message.header, 0))
        })
        .stopped_anyway("the supervisor reads bytes, and takes no descriptor with them"),
        attack("channel_receive", "recvmsg", "take a descriptor from the channel", |_| {
            let mut message = Message::new(0);
            message.header.msg_controllen = 64;
            gives(sys!(libc::SYS_recvmsg, CHANNEL, &raw mut message.header, libc::MSG_DONTWAIT))
        })
        .stopped_anyway("the supervisor sends none, and nothing after its word to begin"),
        attack("channel_peer", "getsockopt", "learn who the supervisor is", |g| {
            let (mut peer, mut size) = ([0u32; 3], 12u32);
            let (level, option) = (libc::SOL_SOCKET, libc::SO_PEERCRED);
            sys!(libc::SYS_getsockopt, CHANNEL, level, option, peer.as_mut_ptr(), &raw mut size)?;
            match peer[0] == g.targets.supervisor as u32 {
                true => escaped("the supervisor's number"),
                false => refused("a number that means nothing here"),
            }
        }),
        attack("channel_pidfd", "getsockopt", "hold the supervisor by the channel", |_| {
            let (mut fd, mut size) = (0i32, 4u32);
            let (level, option) = (libc::SOL_SOCKET, 77);
            gives(sys!(libc::SYS_getsockopt, CHANNEL, level, option, &raw mut fd, &raw mut size))
        })
        .filter_only(),
        attack("channel_buffer", "setsockopt", "make the kernel keep more for it", |_| {
            let size = 1 << 20;
            let (level, option) = (libc::SOL_SOCKET, libc::SO_SNDBUFFORCE);
            gives(sys!(libc::SYS_setsockopt, CHANNEL, level, option, &raw const size, 4))
        }),
        attack("channel_accept", "accept4", "accept a connection at it", |_| {
            gives(sys!(libc::SYS_accept4, CHANNEL, 0, 0, 0))
        })
        .stopped_anyway("it does not listen"),
        attack("channel_filter", "setsockopt", "attach a program to it", |_| {
            let program = [libc::sock_filter { code: 6, jt: 0, jf: 0, k: u32::MAX }];
            let filter = libc::sock_fprog { len: 1, filter: program.as_ptr().cast_mut() };
            let (level, option) = (libc::SOL_SOCKET, libc::SO_ATTACH_FILTER);
            let size = size_of_val(&filter);
            gives(sys!(libc::SYS_setsockopt, CHANNEL, level, option, &raw const filter, size))
        })
        .filter_only(),
    ]
}
