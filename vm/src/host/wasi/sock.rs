//! Sockets that the host handed in. There is no way to make one from inside.

#![allow(clippy::too_many_arguments)] // As many as the standard gives a function.

use std::os::fd::{AsFd, OwnedFd};

use rustix::event::PollFlags;
use rustix::io::Errno as HostErrno;
use rustix::net::{Shutdown, SocketFlags, SocketType, accept_with, shutdown, sockopt};

use super::abi::{self, FileKind, rights};
use super::{Answer, Errno, Failure, rows, stream};
use crate::host::descriptor::{Descriptor, Kind};
use crate::host::record::Origin;
use crate::host::{GuestMemory, HostState};

rows! {
    sock_accept(fd: fd, flags: i32, connection: new_fd), Sockets, ["ppoll", "accept4"], "Accepts a connection on a listening socket.";
    sock_recv(fd: fd, ri_data: at, ri_data_len: at, ri_flags: i32, ro_data_len: done, ro_flags: at), Sockets, ["ppoll", "recvmsg"], "Receives from a socket.";
    sock_send(fd: fd, si_data: at, si_data_len: at, si_flags: i32, so_data_len: done), Sockets, ["ppoll", "sendmsg"], "Sends to a socket.";
    sock_shutdown(fd: fd, how: i32), Sockets, ["shutdown"], "Ends receiving, sending or both on a socket.";
}

impl HostState {
    /// Hands a socket to the program and returns its number there. It is made non-blocking.
    pub fn add_socket(&mut self, socket: OwnedFd) -> std::io::Result<u32> {
        let kind = match sockopt::socket_type(&socket)? {
            SocketType::DGRAM => FileKind::SocketDgram,
            _ => FileKind::SocketStream,
        };
        rustix::io::ioctl_fionbio(&socket, true)?;
        let full = |_| std::io::Error::from(HostErrno::MFILE);
        let origin = Origin::Socket(self.sockets);
        self.sockets += 1;
        self.descriptors.insert(socket_descriptor(socket, kind, 0, origin)).map_err(full)
    }
}

fn socket_descriptor(fd: OwnedFd, kind: FileKind, flags: u16, origin: Origin) -> Descriptor {
    let kind = Kind::Socket { fd, kind };
    Descriptor { kind, rights: rights::SOCKET, inheriting: rights::SOCKET, flags, origin, path: None }
}

/// The descriptor of a socket; `notsock` for anything else that is open.
fn socket(host: &HostState, number: u32, rights: u64) -> Result<&Descriptor, Errno> {
    match host.descriptors.get(number)?.kind {
        Kind::Socket { .. } => host.descriptors.with_rights(number, rights),
        _ => Err(Errno::Notsock),
    }
}

fn sock_accept(host: &mut HostState, mut memory: GuestMemory<'_>, fd: u32, flags: u32, connection: u32) -> Answer {
    let flags = u16::try_from(flags).map_err(|_| Errno::Inval)?;
    if flags & !abi::FDFLAG_NONBLOCK != 0 {
        return Err(Errno::Inval.into());
    }
    memory.read_u32(connection)?;
    host.descriptors.check_room()?;
    let listener = socket(host, fd, rights::SOCK_ACCEPT)?;
    let Kind::Socket { fd: listening, kind } = &listener.kind else { return Err(Errno::Notsock.into()) };
    let accepted = loop {
        match accept_with(listening, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
            Err(HostErrno::INTR) => host.check_interrupt()?,
            Err(HostErrno::AGAIN) if !listener.is_nonblocking() => {
                host.wait(listening.as_fd(), PollFlags::IN)?;
            }
            other => break other?,
        }
    };
    let descriptor = socket_descriptor(accepted, *kind, flags, listener.origin);
    let number = host.descriptors.insert(descriptor)?;
    Ok(memory.write_u32(connection, number)?)
}

fn sock_recv(
    host: &mut HostState,
    mut memory: GuestMemory<'_>,
    fd: u32,
    ri_data: u32,
    ri_data_len: u32,
    ri_flags: u32,
    ro_data_len: u32,
    ro_flags: u32,
) -> Answer {
    let flags = u16::try_from(ri_flags).map_err(|_| Errno::Inval)?;
    if flags & !(abi::RIFLAG_PEEK | abi::RIFLAG_WAITALL) != 0 {
        return Err(Errno::Inval.into());
    }
    socket(host, fd, rights::FD_READ)?;
    let buffers = stream::buffers(&memory, ri_data, ri_data_len)?;
    // Before anything is taken from the socket that could not be told.
    memory.read_u32(ro_data_len)?;
    memory.read_u16(ro_flags)?;
    let (peek, wait_all) = (flags & abi::RIFLAG_PEEK != 0, flags & abi::RIFLAG_WAITALL != 0);
    let received = stream::receive(host, &mut memory, fd, &buffers, peek, wait_all)?;
    memory.write_u32(ro_data_len, received.bytes)?;
    Ok(memory.write_u16(ro_flags, if received.truncated { abi::ROFLAG_TRUNCATED } else { 0 })?)
}

fn sock_send(
    host: &mut HostState,
    mut memory: GuestMemory<'_>,
    fd: u32,
    si_data: u32,
    si_data_len: u32,
    si_flags: u32,
    so_data_len: u32,
) -> Answer {
    if si_flags != 0 {
        return Err(Errno::Inval.into());
    }
    socket(host, fd, rights::FD_WRITE)?;
    let buffers = stream::buffers(&memory, si_data, si_data_len)?;
    memory.read_u32(so_data_len)?;
    let sent = stream::write(host, &memory, fd, &buffers)?;
    Ok(memory.write_u32(so_data_len, sent)?)
}

fn sock_shutdown(host: &mut HostState, _: GuestMemory<'_>, fd: u32, how: u32) -> Answer {
    let how = match how {
        abi::SHUT_RD => Shutdown::Read,
        abi::SHUT_WR => Shutdown::Write,
        3 => Shutdown::Both,
        _ => return Err(Errno::Inval.into()),
    };
    let Kind::Socket { fd, .. } = &socket(host, fd, rights::SOCK_SHUTDOWN)?.kind else {
        return Err(Failure::Errno(Errno::Notsock));
    };
    Ok(shutdown(fd, how)?)
}
