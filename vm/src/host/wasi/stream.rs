//! Reading and writing descriptors so that a stop always gets through: wherever the host could
//! block, it first waits with `ppoll` in short slices, and what is long is done in pieces. Sockets
//! cannot block; they are waited for where they ask for it.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::PoisonError;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno as HostErrno;

use super::abi::{FileKind, rights};
use super::{Errno, Failure};
use crate::host::descriptor::{File, Kind, Sink, Source};
use crate::host::memory::Buffer;
use crate::host::{GuestMemory, HostError, HostState};

/// A stop is noticed after this at the latest.
pub(super) const SLICE_NANOSECONDS: u64 = 5_000_000;
/// Bytes moved by one system call where it cannot block.
const CHUNK: usize = 1 << 20;
/// Bytes written by one system call where it could block: a pipe that is ready takes as many.
const PIPE_CHUNK: usize = 4096;
/// Several buffers that are smaller than this together are read with one system call.
const GATHER: usize = 64 << 10;
/// Buffers in one call, as POSIX systems have it.
const MAX_BUFFERS: u32 = 1024;
/// Bytes in one call, as on Linux.
const MAX_BYTES: usize = 0x7fff_f000;

/// Reads an array of buffers.
pub(super) fn buffers(memory: &GuestMemory<'_>, address: u32, count: u32) -> Result<Vec<Buffer>, Failure> {
    if count > MAX_BUFFERS {
        return Err(Errno::Inval.into());
    }
    Ok(memory.buffers(address, count)?)
}

/// A way to move bytes to or from a descriptor of the host.
#[derive(Clone, Copy)]
struct Channel<'a> {
    fd: BorrowedFd<'a>,
    can_block: bool,
    nonblocking: bool,
    /// It never blocks the host, and knows best what cannot be done at all: a socket that is not
    /// connected will never be ready.
    is_socket: bool,
}

impl<'a> Channel<'a> {
    fn new(fd: BorrowedFd<'a>, can_block: bool, nonblocking: bool) -> Self {
        Self { fd, can_block, nonblocking, is_socket: false }
    }

    fn of_file(file: &'a File, nonblocking: bool) -> Self {
        Self::new(file.fd.as_fd(), file.kind != FileKind::RegularFile, nonblocking)
    }

    fn of_socket(fd: BorrowedFd<'a>, nonblocking: bool) -> Self {
        Self { fd, can_block: true, nonblocking, is_socket: true }
    }
}

impl HostState {
    /// Fails if the run is to be stopped.
    pub(super) fn check_interrupt(&self) -> Result<(), HostError> {
        if self.interrupted() { Err(HostError::Interrupted) } else { Ok(()) }
    }

    /// Waits until a descriptor is ready.
    pub(super) fn wait(&self, fd: BorrowedFd<'_>, events: PollFlags) -> Result<(), HostError> {
        loop {
            self.check_interrupt()?;
            if is_ready(fd, events, SLICE_NANOSECONDS) {
                return Ok(());
            }
        }
    }

    /// Repeats a transfer until it is done: waits where it may, goes on after signals.
    fn transfer(
        &self,
        channel: Channel<'_>,
        events: PollFlags,
        mut run: impl FnMut() -> rustix::io::Result<usize>,
    ) -> Result<usize, Failure> {
        loop {
            if !channel.can_block || channel.is_socket {
                self.check_interrupt()?;
            } else if !channel.nonblocking {
                self.wait(channel.fd, events)?;
            } else if !is_ready(channel.fd, events, 0) {
                return Err(Errno::Again.into());
            }
            match run() {
                Err(HostErrno::INTR) => {}
                // Another reader was quicker, or a socket has nothing yet. One that cannot wait is
                // told so.
                Err(HostErrno::AGAIN) if channel.can_block && !channel.nonblocking => self.wait(channel.fd, events)?,
                other => return Ok(other?),
            }
        }
    }
}

/// Whether a descriptor is ready, waiting for up to one slice. An error or hang-up is ready: the
/// transfer will tell.
pub(super) fn is_ready(fd: BorrowedFd<'_>, events: PollFlags, nanoseconds: u64) -> bool {
    let timeout = Timespec { tv_sec: 0, tv_nsec: nanoseconds.cast_signed() };
    matches!(poll(&mut [PollFd::from_borrowed_fd(fd, events)], Some(&timeout)), Ok(1..))
}

/// Reads from a descriptor's place in the stream. Zero bytes are its end.
pub(super) fn read(
    host: &mut HostState,
    memory: &mut GuestMemory<'_>,
    number: u32,
    buffers: &[Buffer],
) -> Result<u32, Failure> {
    if matches!(host.descriptors.get(number)?.kind, Kind::Directory(_)) {
        return Err(Errno::Isdir.into());
    }
    host.descriptors.with_rights(number, rights::FD_READ)?;
    if let Kind::Input(Source::Bytes { bytes, read }) = &mut host.descriptors.get_mut(number)?.kind {
        let rest = bytes.get(*read..).unwrap_or_default();
        let done = scatter(memory, buffers, 0, rest)?;
        *read += done as usize;
        return Ok(done);
    }
    let descriptor = host.descriptors.get(number)?;
    let nonblocking = descriptor.is_nonblocking();
    let channel = match &descriptor.kind {
        Kind::Input(Source::Host(stream)) => Channel::new(stream.fd.as_fd(), stream.can_block, nonblocking),
        Kind::File(file) => Channel::of_file(file, nonblocking),
        Kind::Socket { fd, .. } => Channel::of_socket(fd.as_fd(), nonblocking),
        _ => return Ok(0),
    };
    read_channel(host, memory, channel, buffers, |bytes, _| rustix::io::read(channel.fd, bytes))
}

/// Reads from a place in a file.
pub(super) fn read_at(
    host: &HostState,
    memory: &mut GuestMemory<'_>,
    number: u32,
    buffers: &[Buffer],
    offset: u64,
) -> Result<u32, Failure> {
    let fd = positioned(host, number, rights::FD_READ | rights::FD_SEEK, offset)?;
    let channel = Channel::new(fd, false, false);
    read_channel(host, memory, channel, buffers, |bytes, done| rustix::io::pread(fd, bytes, offset + done as u64))
}

/// The file behind a descriptor, for access at a place in it.
fn positioned(host: &HostState, number: u32, rights: u64, offset: u64) -> Result<BorrowedFd<'_>, Failure> {
    let descriptor = host.descriptors.get(number)?;
    match &descriptor.kind {
        Kind::Directory(_) => Err(Errno::Isdir.into()),
        Kind::File(file) if !file.is_pipe() => {
            host.descriptors.with_rights(number, rights)?;
            if offset > i64::MAX as u64 - MAX_BYTES as u64 {
                return Err(Errno::Inval.into());
            }
            Ok(file.fd.as_fd())
        }
        _ => Err(Errno::Spipe.into()),
    }
}

fn read_channel(
    host: &HostState,
    memory: &mut GuestMemory<'_>,
    channel: Channel<'_>,
    buffers: &[Buffer],
    mut read: impl FnMut(&mut [u8], usize) -> rustix::io::Result<usize>,
) -> Result<u32, Failure> {
    let wanted: usize = buffers.iter().map(|b| b.len as usize).sum();
    let filled = buffers.iter().filter(|b| b.len > 0).count();
    if filled > 1 && wanted <= GATHER {
        let mut bytes = vec![0; wanted];
        let done = host.transfer(channel, PollFlags::IN, || read(&mut bytes, 0))?;
        return scatter(memory, buffers, 0, bytes.get(..done).unwrap_or_default());
    }
    let mut total = 0;
    for buffer in buffers.iter().filter(|b| b.len > 0) {
        for chunk in memory.slice_mut(buffer.address, buffer.len)?.chunks_mut(CHUNK) {
            // What is there already is not held back for what may come.
            if total > 0 && channel.can_block && !is_ready(channel.fd, PollFlags::IN, 0) {
                return Ok(total as u32);
            }
            let done = match host.transfer(channel, PollFlags::IN, || read(chunk, total)) {
                Ok(done) => done,
                Err(Failure::Errno(_)) if total > 0 => return Ok(total as u32),
                Err(failure) => return Err(failure),
            };
            total += done;
            if done < chunk.len() || total > MAX_BYTES - CHUNK {
                return Ok(total as u32);
            }
        }
    }
    Ok(total as u32)
}

/// Copies bytes into buffers, as many as fit, behind the first `skip` that are in them already.
fn scatter(
    memory: &mut GuestMemory<'_>,
    buffers: &[Buffer],
    mut skip: usize,
    mut bytes: &[u8],
) -> Result<u32, Failure> {
    let mut total = 0;
    for buffer in buffers {
        let start = skip.min(buffer.len as usize);
        skip -= start;
        let len = bytes.len().min(buffer.len as usize - start).min(MAX_BYTES - total);
        let (now, rest) = bytes.split_at(len);
        // The range was checked, so that the sum is an address, too.
        memory.write(buffer.address.saturating_add(start as u32), now)?;
        bytes = rest;
        total += len;
    }
    Ok(total as u32)
}

/// Writes at a descriptor's place in the stream.
pub(super) fn write(
    host: &mut HostState,
    memory: &GuestMemory<'_>,
    number: u32,
    buffers: &[Buffer],
) -> Result<u32, Failure> {
    if matches!(host.descriptors.get(number)?.kind, Kind::Directory(_)) {
        return Err(Errno::Isdir.into());
    }
    let descriptor = host.descriptors.with_rights(number, rights::FD_WRITE)?;
    let nonblocking = descriptor.is_nonblocking();
    let channel = match &descriptor.kind {
        Kind::File(file) => Channel::of_file(file, nonblocking),
        Kind::Socket { fd, kind } => {
            let channel = Channel::of_socket(fd.as_fd(), nonblocking);
            return send(host, memory, channel, buffers, *kind == FileKind::SocketDgram);
        }
        Kind::Output(sink) => {
            let wanted = wanted(buffers);
            let allowed = wanted.min(usize::try_from(host.output_left).unwrap_or(usize::MAX));
            let done = match sink {
                Sink::Discard => return Ok(wanted as u32),
                Sink::Buffer(buffer) => {
                    let mut bytes = buffer.lock().unwrap_or_else(PoisonError::into_inner);
                    for slice in gather(memory, buffers, 0, allowed)? {
                        bytes.extend_from_slice(&slice);
                    }
                    allowed
                }
                Sink::Host(stream) => {
                    let channel = Channel::new(stream.fd.as_fd(), stream.can_block, nonblocking);
                    write_channel(host, memory, channel, buffers, allowed, |slices, _| {
                        rustix::io::writev(channel.fd, slices)
                    })?
                }
            };
            host.output_left -= done as u64;
            if done == allowed && allowed < wanted {
                return Err(HostError::OutputLimit.into());
            }
            return Ok(done as u32);
        }
        _ => return Err(Errno::Badf.into()),
    };
    let done = write_channel(host, memory, channel, buffers, wanted(buffers), |slices, _| {
        rustix::io::writev(channel.fd, slices)
    })?;
    Ok(done as u32)
}

/// Writes at a place in a file.
pub(super) fn write_at(
    host: &HostState,
    memory: &GuestMemory<'_>,
    number: u32,
    buffers: &[Buffer],
    offset: u64,
) -> Result<u32, Failure> {
    let fd = positioned(host, number, rights::FD_WRITE | rights::FD_SEEK, offset)?;
    let channel = Channel::new(fd, false, false);
    let done = write_channel(host, memory, channel, buffers, wanted(buffers), |slices, done| {
        rustix::io::pwritev(fd, slices, offset + done as u64)
    })?;
    Ok(done as u32)
}

fn wanted(buffers: &[Buffer]) -> usize {
    buffers.iter().map(|b| b.len as usize).sum::<usize>().min(MAX_BYTES)
}

/// Writes the first `len` bytes of the buffers. Fewer are written where waiting is not wanted or
/// something fails midway.
fn write_channel(
    host: &HostState,
    memory: &GuestMemory<'_>,
    channel: Channel<'_>,
    buffers: &[Buffer],
    len: usize,
    mut write: impl FnMut(&[IoSlice<'_>], usize) -> rustix::io::Result<usize>,
) -> Result<usize, Failure> {
    let chunk = if channel.can_block && !channel.is_socket { PIPE_CHUNK } else { CHUNK };
    let mut total = 0;
    while total < len {
        let slices = gather(memory, buffers, total, chunk.min(len - total))?;
        match host.transfer(channel, PollFlags::OUT, || write(&slices, total)) {
            Ok(0) => break,
            Ok(done) => total += done,
            Err(Failure::Errno(_)) if total > 0 => break,
            Err(failure) => return Err(failure),
        }
    }
    Ok(total)
}

/// The bytes of the buffers from `skip` on, at most `len`.
fn gather<'m>(
    memory: &'m GuestMemory<'_>,
    buffers: &[Buffer],
    mut skip: usize,
    mut len: usize,
) -> Result<Vec<IoSlice<'m>>, Failure> {
    let mut slices = Vec::new();
    for buffer in buffers {
        let bytes = memory.slice(buffer.address, buffer.len)?;
        let start = skip.min(bytes.len());
        skip -= start;
        let bytes = bytes.get(start..).unwrap_or_default();
        let bytes = bytes.get(..len.min(bytes.len())).unwrap_or_default();
        len -= bytes.len();
        if !bytes.is_empty() {
            slices.push(IoSlice::new(bytes));
        }
    }
    Ok(slices)
}

/// Sends the bytes of the buffers: all of them if it may wait, and datagrams in one piece.
fn send(
    host: &HostState,
    memory: &GuestMemory<'_>,
    channel: Channel<'_>,
    buffers: &[Buffer],
    is_datagram: bool,
) -> Result<u32, Failure> {
    use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};

    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    let send = |slices: &[IoSlice<'_>]| sendmsg(channel.fd, slices, &mut SendAncillaryBuffer::default(), flags);
    let len = wanted(buffers);
    let done = if is_datagram {
        let slices = gather(memory, buffers, 0, len)?;
        host.transfer(channel, PollFlags::OUT, || send(&slices))?
    } else {
        write_channel(host, memory, channel, buffers, len, |slices, _| send(slices))?
    };
    Ok(done as u32)
}

/// How a message was received.
pub(super) struct Received {
    pub(super) bytes: u32,
    pub(super) truncated: bool,
}

/// Receives from a socket.
pub(super) fn receive(
    host: &HostState,
    memory: &mut GuestMemory<'_>,
    number: u32,
    buffers: &[Buffer],
    peek: bool,
    wait_all: bool,
) -> Result<Received, Failure> {
    use rustix::net::{RecvAncillaryBuffer, RecvFlags, ReturnFlags, recvmsg};

    let descriptor = host.descriptors.with_rights(number, rights::FD_READ)?;
    let Kind::Socket { fd, kind } = &descriptor.kind else { return Err(Errno::Notsock.into()) };
    let channel = Channel::of_socket(fd.as_fd(), descriptor.is_nonblocking());
    let mut flags = RecvFlags::DONTWAIT;
    flags.set(RecvFlags::PEEK, peek);
    // What is one message, or stays where it is, is not gone on with.
    let goes_on = wait_all && !peek && *kind == FileKind::SocketStream;
    let wanted = wanted(buffers);
    let mut bytes = vec![0; wanted.min(CHUNK)];
    let (mut total, mut truncated) = (0, false);
    loop {
        let rest = bytes.get_mut(..(wanted - total).min(CHUNK)).unwrap_or_default();
        let done = host.transfer(channel, PollFlags::IN, || {
            let message = recvmsg(fd, &mut [IoSliceMut::new(rest)], &mut RecvAncillaryBuffer::default(), flags)?;
            truncated = message.flags.contains(ReturnFlags::TRUNC);
            Ok(message.bytes)
        });
        let done = match done {
            Ok(done) => done,
            Err(Failure::Errno(_)) if total > 0 => break,
            Err(failure) => return Err(failure),
        };
        scatter(memory, buffers, total, bytes.get(..done).unwrap_or_default())?;
        total += done;
        if !goes_on || done == 0 || total == wanted {
            break;
        }
    }
    Ok(Received { bytes: total as u32, truncated })
}
