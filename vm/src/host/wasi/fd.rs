//! Descriptors: reading, writing, seeking, attributes.

use std::num::NonZeroU64;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{Advice, FallocateFlags, OFlags, SeekFrom, Stat, Timespec, Timestamps};
use rustix::io::Errno as HostErrno;

use super::abi::{self, FileKind, rights};
use super::{Answer, Errno, Failure, rows, stream};
use crate::host::clock::SECOND;
use crate::host::descriptor::{Descriptor, Kind};
use crate::host::{GuestMemory, HostState};

rows! {
    fd_advise(fd: fd, offset: i64, len: i64, advice: i32), Files, ["fadvise64"], "Says how a range of a file will be used.";
    fd_allocate(fd: fd, offset: i64, len: i64), Files, ["fallocate"], "Makes sure that a range of a file has space.";
    fd_close(fd: fd), Files, ["close"], "Closes a descriptor.";
    fd_datasync(fd: fd), Files, ["fdatasync"], "Waits until a file's data is on the disk.";
    fd_fdstat_get(fd: fd, stat: at), Files, [], "Tells a descriptor's kind, flags and rights.";
    fd_fdstat_set_flags(fd: fd, flags: i32), Files, ["fcntl"], "Sets a descriptor's flags.";
    fd_fdstat_set_rights(fd: fd, rights_base: i64, rights_inheriting: i64), Files, [], "Gives up rights of a descriptor.";
    fd_filestat_get(fd: fd, stat: at), Files, ["fstat"], "Tells a file's attributes.";
    fd_filestat_set_size(fd: fd, size: i64), Files, ["ftruncate"], "Sets a file's size.";
    fd_filestat_set_times(fd: fd, atim: i64, mtim: i64, fst_flags: i32), Files, ["utimensat"], "Sets a file's times.";
    fd_pread(fd: fd, iovs: at, iovs_len: at, offset: i64, nread: done), Files, ["pread64"], "Reads at a place in a file.";
    fd_pwrite(fd: fd, iovs: at, iovs_len: at, offset: i64, nwritten: done), Files, ["pwritev"], "Writes at a place in a file.";
    fd_read(fd: fd, iovs: at, iovs_len: at, nread: done), Files, ["ppoll", "read"], "Reads from a descriptor.";
    fd_renumber(fd: fd, to: fd), Files, ["close"], "Moves a descriptor to another number.";
    fd_seek(fd: fd, offset: i64, whence: i32, newoffset: at), Files, ["lseek"], "Moves a descriptor's place in its file.";
    fd_sync(fd: fd), Files, ["fsync"], "Waits until a file's data and attributes are on the disk.";
    fd_tell(fd: fd, offset: at), Files, ["lseek"], "Tells a descriptor's place in its file.";
    fd_write(fd: fd, iovs: at, iovs_len: at, nwritten: done), Files, ["ppoll", "writev", "sendmsg"], "Writes to a descriptor.";
}

/// The file behind a descriptor that can be sought in. What cannot is `spipe`; directories are
/// `badf`, as programs find it elsewhere.
fn seekable(host: &HostState, number: u32, rights: u64) -> Result<BorrowedFd<'_>, Errno> {
    let file = match &host.descriptors.get(number)?.kind {
        Kind::File(file) => file,
        Kind::Directory(_) => return Err(Errno::Badf),
        _ => return Err(Errno::Spipe),
    };
    if file.is_pipe() {
        return Err(Errno::Spipe);
    }
    host.descriptors.with_rights(number, rights)?;
    Ok(file.fd.as_fd())
}

/// The host's file or directory behind a descriptor, `inval` for streams.
fn stored(host: &HostState, number: u32, rights: u64) -> Result<BorrowedFd<'_>, Errno> {
    match &host.descriptors.get(number)?.kind {
        Kind::File(_) | Kind::Directory(_) => {}
        _ => return Err(Errno::Inval),
    }
    host.descriptors.with_rights(number, rights)?.host_fd().ok_or(Errno::Inval)
}

/// Repeats what a signal ended, unless the run is to be stopped.
fn uninterrupted<T>(host: &HostState, mut run: impl FnMut() -> rustix::io::Result<T>) -> Result<T, Failure> {
    loop {
        host.check_interrupt()?;
        match run() {
            Err(HostErrno::INTR) => {}
            other => return Ok(other?),
        }
    }
}

fn fd_advise(host: &mut HostState, _: GuestMemory<'_>, fd: u32, offset: u64, len: u64, advice: u32) -> Answer {
    let advice = match advice {
        0 => Advice::Normal,
        1 => Advice::Sequential,
        2 => Advice::Random,
        3 => Advice::WillNeed,
        4 => Advice::DontNeed,
        5 => Advice::NoReuse,
        _ => return Err(Errno::Inval.into()),
    };
    let file = seekable(host, fd, rights::FD_ADVISE)?;
    if i64::try_from(offset).is_err() || i64::try_from(len).is_err() {
        return Err(Errno::Inval.into());
    }
    Ok(rustix::fs::fadvise(file, offset, NonZeroU64::new(len), advice)?)
}

fn fd_allocate(host: &mut HostState, _: GuestMemory<'_>, fd: u32, offset: u64, len: u64) -> Answer {
    let file = seekable(host, fd, rights::FD_ALLOCATE)?;
    // As the kernel says of a file that is not open for writing, without asking it.
    if is_read_only(host.descriptors.get(fd)?) {
        return Err(if len == 0 { Errno::Inval } else { Errno::Badf }.into());
    }
    uninterrupted(host, || rustix::fs::fallocate(file, FallocateFlags::empty(), offset, len))
}

fn fd_close(host: &mut HostState, _: GuestMemory<'_>, fd: u32) -> Answer {
    Ok(host.descriptors.close(fd)?)
}

fn fd_datasync(host: &mut HostState, _: GuestMemory<'_>, fd: u32) -> Answer {
    let file = stored(host, fd, rights::FD_DATASYNC)?;
    uninterrupted(host, || rustix::fs::fdatasync(file))
}

fn fd_sync(host: &mut HostState, _: GuestMemory<'_>, fd: u32) -> Answer {
    let file = stored(host, fd, rights::FD_SYNC)?;
    uninterrupted(host, || rustix::fs::fsync(file))
}

fn fd_fdstat_get(host: &mut HostState, mut memory: GuestMemory<'_>, fd: u32, stat: u32) -> Answer {
    let descriptor = host.descriptors.get(fd)?;
    let mut bytes = [0; 24];
    let [kind, _, flags_low, flags_high, _, _, _, _, rights @ ..] = &mut bytes;
    *kind = descriptor.file_kind() as u8;
    [*flags_low, *flags_high] = descriptor.flags.to_le_bytes();
    let both = u128::from(descriptor.rights) | u128::from(descriptor.inheriting) << 64;
    *rights = both.to_le_bytes();
    Ok(memory.write(stat, &bytes)?)
}

fn fd_fdstat_set_flags(host: &mut HostState, _: GuestMemory<'_>, fd: u32, flags: u32) -> Answer {
    let flags = u16::try_from(flags).ok().filter(|f| f & !abi::FDFLAG_ALL == 0).ok_or(Errno::Inval)?;
    host.descriptors.with_rights(fd, rights::FD_FDSTAT_SET_FLAGS)?;
    let descriptor = host.descriptors.get_mut(fd)?;
    // The host cannot change these once a file is open.
    if (flags ^ descriptor.flags) & !(abi::FDFLAG_APPEND | abi::FDFLAG_NONBLOCK) != 0 {
        return Err(Errno::Notsup.into());
    }
    if let Kind::File(file) = &descriptor.kind {
        let append = if flags & abi::FDFLAG_APPEND != 0 { OFlags::APPEND } else { OFlags::empty() };
        rustix::fs::fcntl_setfl(&file.fd, append | OFlags::NONBLOCK)?;
    }
    descriptor.flags = flags;
    Ok(())
}

fn fd_fdstat_set_rights(host: &mut HostState, _: GuestMemory<'_>, fd: u32, base: u64, inheriting: u64) -> Answer {
    let descriptor = host.descriptors.get_mut(fd)?;
    if base & !descriptor.rights != 0 || inheriting & !descriptor.inheriting != 0 {
        return Err(Errno::Notcapable.into());
    }
    (descriptor.rights, descriptor.inheriting) = (base, inheriting);
    Ok(())
}

/// The 64 bytes of a `filestat`.
pub(super) fn filestat(stat: &Stat) -> [u8; 64] {
    let kind = FileKind::from(rustix::fs::FileType::from_raw_mode(stat.st_mode));
    // Times before 1970 count as 1970, those from 2554 on as the last there is.
    let nanoseconds = |seconds: i64, nanoseconds: u64| {
        u64::try_from(seconds).map_or(0, |seconds| seconds.saturating_mul(SECOND).saturating_add(nanoseconds))
    };
    encode_filestat([
        stat.st_dev,
        stat.st_ino,
        u64::from(kind as u8),
        stat.st_nlink,
        u64::try_from(stat.st_size).unwrap_or(0),
        nanoseconds(stat.st_atime, stat.st_atime_nsec),
        nanoseconds(stat.st_mtime, stat.st_mtime_nsec),
        nanoseconds(stat.st_ctime, stat.st_ctime_nsec),
    ])
}

fn encode_filestat(fields: [u64; 8]) -> [u8; 64] {
    let mut bytes = [0; 64];
    for (chunk, field) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(fields) {
        *chunk = field.to_le_bytes();
    }
    bytes
}

/// The attributes of a stream are its kind and nothing else: what the host's is, is not told.
fn fd_filestat_get(host: &mut HostState, mut memory: GuestMemory<'_>, fd: u32, stat: u32) -> Answer {
    let descriptor = host.descriptors.with_rights(fd, rights::FD_FILESTAT_GET)?;
    let bytes = match &descriptor.kind {
        Kind::File(file) => filestat(&rustix::fs::fstat(&file.fd)?),
        Kind::Directory(directory) => filestat(&rustix::fs::fstat(&directory.fd)?),
        _ => encode_filestat([0, 0, descriptor.file_kind() as u64, 1, 0, 0, 0, 0]),
    };
    Ok(memory.write(stat, &bytes)?)
}

fn fd_filestat_set_size(host: &mut HostState, _: GuestMemory<'_>, fd: u32, size: u64) -> Answer {
    let file = stored(host, fd, rights::FD_FILESTAT_SET_SIZE)?;
    // As the kernel says of a file that is not open for writing, without asking it.
    if is_read_only(host.descriptors.get(fd)?) {
        return Err(Errno::Inval.into());
    }
    uninterrupted(host, || rustix::fs::ftruncate(file, size))
}

/// The times that `fstflags` ask for; what they do not name stays.
pub(super) fn timestamps(atim: u64, mtim: u64, flags: u32) -> Result<Timestamps, Errno> {
    const OMIT: i64 = rustix::fs::UTIME_OMIT;
    const NOW: i64 = rustix::fs::UTIME_NOW;
    let flags = u16::try_from(flags).ok().filter(|f| f & !15 == 0).ok_or(Errno::Inval)?;
    let time = |set: u16, now: u16, time: u64| match (flags & set != 0, flags & now != 0) {
        (true, true) => Err(Errno::Inval),
        (true, false) => Ok(Timespec { tv_sec: (time / SECOND).cast_signed(), tv_nsec: (time % SECOND).cast_signed() }),
        (false, true) => Ok(Timespec { tv_sec: 0, tv_nsec: NOW }),
        (false, false) => Ok(Timespec { tv_sec: 0, tv_nsec: OMIT }),
    };
    Ok(Timestamps {
        last_access: time(abi::FSTFLAG_ATIM, abi::FSTFLAG_ATIM_NOW, atim)?,
        last_modification: time(abi::FSTFLAG_MTIM, abi::FSTFLAG_MTIM_NOW, mtim)?,
    })
}

fn fd_filestat_set_times(
    host: &mut HostState,
    _: GuestMemory<'_>,
    fd: u32,
    atim: u64,
    mtim: u64,
    fst_flags: u32,
) -> Answer {
    let times = timestamps(atim, mtim, fst_flags)?;
    let file = stored(host, fd, rights::FD_FILESTAT_SET_TIMES)?;
    if is_read_only(host.descriptors.get(fd)?) {
        return Err(Errno::Rofs.into());
    }
    if is_stepwise(host.descriptors.get(fd)?) {
        return Err(Errno::Notsup.into());
    }
    Ok(rustix::fs::futimens(file, &times)?)
}

fn is_stepwise(descriptor: &Descriptor) -> bool {
    match &descriptor.kind {
        Kind::File(file) => file.stepwise,
        Kind::Directory(directory) => directory.stepwise,
        _ => false,
    }
}

fn is_read_only(descriptor: &Descriptor) -> bool {
    match &descriptor.kind {
        Kind::File(file) => file.read_only,
        Kind::Directory(directory) => directory.read_only,
        _ => false,
    }
}

fn fd_read(host: &mut HostState, mut memory: GuestMemory<'_>, fd: u32, iovs: u32, iovs_len: u32, nread: u32) -> Answer {
    let buffers = stream::buffers(&memory, iovs, iovs_len)?;
    memory.read_u32(nread)?;
    let done = stream::read(host, &mut memory, fd, &buffers)?;
    Ok(memory.write_u32(nread, done)?)
}

fn fd_pread(
    host: &mut HostState,
    mut memory: GuestMemory<'_>,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    offset: u64,
    nread: u32,
) -> Answer {
    let buffers = stream::buffers(&memory, iovs, iovs_len)?;
    memory.read_u32(nread)?;
    let done = stream::read_at(host, &mut memory, fd, &buffers, offset)?;
    Ok(memory.write_u32(nread, done)?)
}

fn fd_write(
    host: &mut HostState,
    mut memory: GuestMemory<'_>,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    nwritten: u32,
) -> Answer {
    let buffers = stream::buffers(&memory, iovs, iovs_len)?;
    memory.read_u32(nwritten)?;
    let done = stream::write(host, &memory, fd, &buffers)?;
    Ok(memory.write_u32(nwritten, done)?)
}

fn fd_pwrite(
    host: &mut HostState,
    mut memory: GuestMemory<'_>,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    offset: u64,
    nwritten: u32,
) -> Answer {
    let buffers = stream::buffers(&memory, iovs, iovs_len)?;
    memory.read_u32(nwritten)?;
    let done = stream::write_at(host, &memory, fd, &buffers, offset)?;
    Ok(memory.write_u32(nwritten, done)?)
}

fn fd_renumber(host: &mut HostState, _: GuestMemory<'_>, fd: u32, to: u32) -> Answer {
    Ok(host.descriptors.renumber(fd, to)?)
}

fn fd_seek(
    host: &mut HostState,
    mut memory: GuestMemory<'_>,
    fd: u32,
    offset: u64,
    whence: u32,
    newoffset: u32,
) -> Answer {
    let signed = offset.cast_signed();
    let (to, rights) = match whence {
        0 if signed < 0 => return Err(Errno::Inval.into()),
        0 => (SeekFrom::Start(offset), rights::FD_SEEK),
        1 if offset == 0 => (SeekFrom::Current(0), telling(host, fd)),
        1 => (SeekFrom::Current(signed), rights::FD_SEEK),
        2 => (SeekFrom::End(signed), rights::FD_SEEK),
        _ => return Err(Errno::Inval.into()),
    };
    let at = rustix::fs::seek(seekable(host, fd, rights)?, to)?;
    Ok(memory.write_u64(newoffset, at)?)
}

/// The right that telling the place takes: the one to move it includes it.
fn telling(host: &HostState, fd: u32) -> u64 {
    match host.descriptors.with_rights(fd, rights::FD_SEEK) {
        Ok(_) => rights::FD_SEEK,
        Err(_) => rights::FD_TELL,
    }
}

fn fd_tell(host: &mut HostState, mut memory: GuestMemory<'_>, fd: u32, offset: u32) -> Answer {
    let at = rustix::fs::tell(seekable(host, fd, telling(host, fd))?)?;
    Ok(memory.write_u64(offset, at)?)
}
