//! Paths below granted directories.
//!
//! ```text
//!  fd, "a/b/../c"  ──► openat2(fd, "a/b/..", BENEATH) ──► directory ──► mkdirat(directory, "c")
//! ```
//!
//! Invariant: the host resolves a guest's path in one of two ways only. Either the whole of it by
//! [`resolve`], that is `openat2` with `RESOLVE_BENEATH` and `RESOLVE_NO_MAGICLINKS`, which fails
//! where the path would leave the directory at any moment, whatever else happens to the tree
//! meanwhile. Or, for what changes names, all but the last component so, and the last by a call
//! that does not follow links, with a name that holds no slash and is neither `.` nor `..`
//! ([`Place`]). Where the directory is to be walked step by step ([`Grants::stepwise`]), `resolve` does the same itself: it
//! opens one component after the other, each without following links, and goes back up by the descriptors that it holds.
//!
//! [`Grants::stepwise`]: crate::host::Grants::stepwise
//!
//! A path that leads outside is refused with `perm`. A change below a directory that was granted
//! for reading is refused with `rofs`, which programs know from file systems mounted so; a hard
//! link *from* one would allow changes by the other name, so it counts as a change.

#![allow(clippy::too_many_arguments)] // As many as the standard gives a function.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno as HostErrno;

use super::abi::{self, FileKind, rights};
use super::{Answer, Errno, Failure, fd, rows};
use crate::host::descriptor::{Descriptor, Directory, File, Kind, is_proc};
use crate::host::record::Origin;
use crate::host::{GuestMemory, HostState};

rows! {
    path_create_directory(fd: fd, path: path, path_len: len), Files, ["openat2", "close", "mkdirat"], "Makes a directory.";
    path_filestat_get(fd: fd, flags: i32, path: path, path_len: len, stat: at), Files, ["openat2", "close", "fstat"], "Tells the attributes of what is at a path.";
    path_filestat_set_times(fd: fd, flags: i32, path: path, path_len: len, atim: i64, mtim: i64, fst_flags: i32), Files, ["openat2", "close", "utimensat"], "Sets the times of what is at a path.";
    path_link(old_fd: fd, old_flags: i32, old_path: path, old_path_len: len, new_fd: fd, new_path: path, new_path_len: len), Files, ["openat2", "close", "newfstatat", "linkat"], "Makes a hard link.";
    path_open(fd: fd, dirflags: i32, path: path, path_len: len, oflags: oflags, rights_base: rights, rights_inheriting: inheriting, fdflags: i32, opened_fd: new_fd), Files, ["openat2", "close", "fstat", "fstatfs", "lseek"], "Opens a file or directory.";
    path_readlink(fd: fd, path: path, path_len: len, buf: at, buf_len: i32, bufused: done), Files, ["openat2", "close", "fstat", "readlinkat"], "Reads a symbolic link.";
    path_remove_directory(fd: fd, path: path, path_len: len), Files, ["openat2", "close", "unlinkat"], "Removes an empty directory.";
    path_rename(fd: fd, old_path: path, old_path_len: len, new_fd: fd, new_path: path, new_path_len: len), Files, ["openat2", "close", "newfstatat", "renameat"], "Renames a file or directory.";
    path_symlink(old_path: path, old_path_len: len, fd: fd, new_path: path, new_path_len: len), Files, ["openat2", "close", "symlinkat"], "Makes a symbolic link; an absolute one is refused.";
    path_unlink_file(fd: fd, path: path, path_len: len), Files, ["openat2", "close", "newfstatat", "unlinkat"], "Removes a file.";
}

/// Bytes in a path, as on Linux, its closing zero not counted.
pub(in crate::host) const PATH_MAX: u32 = 4095;
/// How often a path is tried again whose `..` met a rename.
const ATTEMPTS: usize = 64;

/// Reads a path. It is UTF-8, relative, not empty and without zero bytes.
fn read_path(memory: &GuestMemory<'_>, address: u32, len: u32) -> Result<String, Failure> {
    let path = read_text(memory, address, len)?;
    if path.starts_with('/') {
        return Err(Errno::Perm.into());
    }
    Ok(path)
}

/// Reads the text of a path or of a link's target.
fn read_text(memory: &GuestMemory<'_>, address: u32, len: u32) -> Result<String, Failure> {
    let bytes = memory.slice(address, len)?;
    if len > PATH_MAX {
        return Err(Errno::Nametoolong.into());
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Errno::Ilseq)?;
    if text.contains('\0') {
        return Err(Errno::Inval.into());
    }
    if text.is_empty() {
        return Err(Errno::Noent.into());
    }
    Ok(text.to_string())
}

/// What keeps a path below the directory it starts from.
const WITHIN: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_MAGICLINKS);

/// Fails where the host cannot resolve paths below a directory.
pub(in crate::host) fn check_support(directory: BorrowedFd<'_>) -> rustix::io::Result<()> {
    rustix::fs::openat2(directory, c".", OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), WITHIN).map(drop)
}

/// Opens what a path names, below a directory, or below one in it.
fn resolve(within: &Directory, directory: BorrowedFd<'_>, path: &str, flags: OFlags) -> Result<OwnedFd, Failure> {
    if within.stepwise {
        return walk(directory, path, flags);
    }
    let mode = if flags.contains(OFlags::CREATE) { Mode::from_raw_mode(0o666) } else { Mode::empty() };
    for _ in 0..ATTEMPTS {
        match rustix::fs::openat2(directory, path, flags | OFlags::CLOEXEC, mode, WITHIN) {
            Ok(fd) => return Ok(fd),
            Err(HostErrno::AGAIN | HostErrno::INTR) => {}
            Err(HostErrno::XDEV) => return Err(Errno::Perm.into()),
            Err(errno) => return Err(errno.into()),
        }
    }
    Err(Errno::Again.into())
}

/// Opens what a path names, one component after the other.
fn walk(directory: BorrowedFd<'_>, path: &str, mut flags: OFlags) -> Result<OwnedFd, Failure> {
    const STEP: OFlags = OFlags::NOFOLLOW.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);
    let mode = if flags.contains(OFlags::CREATE) { Mode::from_raw_mode(0o666) } else { Mode::empty() };
    if flags.contains(OFlags::PATH) {
        // What is only looked at is opened for that.
        flags = flags & OFlags::DIRECTORY | OFlags::RDONLY;
    }
    let (before, last) = path.trim_end_matches('/').rsplit_once('/').unwrap_or(("", path.trim_end_matches('/')));
    if last.len() < path.len() && path.ends_with('/') {
        flags |= OFlags::DIRECTORY;
    }
    let mut way: Vec<OwnedFd> = Vec::new();
    for name in before.split('/').chain((last == "..").then_some(last)) {
        match name {
            "" | "." => {}
            ".." => drop(way.pop().ok_or(Errno::Perm)?),
            name => {
                let at = way.last().map_or(directory, AsFd::as_fd);
                let next = rustix::fs::openat(at, name, STEP | OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty());
                way.push(next.map_err(|errno| not_a_link(errno, at, name))?);
            }
        }
    }
    let at = way.last().map_or(directory, AsFd::as_fd);
    let name = if matches!(last, "" | "..") { "." } else { last };
    Ok(rustix::fs::openat(at, name, STEP | flags, mode).map_err(|errno| not_a_link(errno, at, name))?)
}

/// Of a link where a directory was wanted the kernel says only that it is none.
fn not_a_link(errno: HostErrno, at: BorrowedFd<'_>, name: &str) -> Errno {
    let is_link = || {
        let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        rustix::fs::openat(at, name, flags, Mode::empty()).err() == Some(HostErrno::LOOP)
    };
    if errno == HostErrno::NOTDIR && is_link() { Errno::Loop } else { errno.into() }
}

/// Finds what a path names, without opening it.
fn locate(directory: &Directory, path: &str, follow: bool) -> Result<OwnedFd, Failure> {
    let flags = if follow { OFlags::PATH } else { OFlags::PATH | OFlags::NOFOLLOW };
    resolve(directory, directory.fd.as_fd(), path, flags)
}

fn follows(lookup_flags: u32) -> Result<bool, Errno> {
    match lookup_flags {
        0 => Ok(false),
        abi::LOOKUP_FOLLOW => Ok(true),
        _ => Err(Errno::Inval),
    }
}

/// Where a name is or will be: a directory, and a single component in it.
struct Place<'a> {
    directory: &'a Directory,
    /// The directory that holds the name, if it is another.
    parent: Option<OwnedFd>,
    name: &'a str,
    /// The path ended in a slash, so that it can only mean a directory.
    must_be_directory: bool,
}

impl<'a> Place<'a> {
    /// Finds the place of a path. One that ends in `.` or `..` names no place and gives `dots`.
    fn find(directory: &'a Directory, path: &'a str, dots: Errno) -> Result<Self, Failure> {
        let trimmed = path.trim_end_matches('/');
        let (before, name) = match trimmed.rsplit_once('/') {
            Some((before, name)) => (Some(before), name),
            None => (None, trimmed),
        };
        let parent = match before {
            Some(before) => Some(resolve(directory, directory.fd.as_fd(), before, OFlags::PATH | OFlags::DIRECTORY)?),
            None => None,
        };
        if matches!(name, "" | "." | "..") {
            return Err(dots.into());
        }
        Ok(Self { directory, parent, name, must_be_directory: trimmed.len() < path.len() })
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.parent.as_ref().map_or(self.directory.fd.as_fd(), |parent| parent.as_fd())
    }

    /// The attributes of what is there; a link's own.
    fn stat(&self) -> Result<Stat, Failure> {
        if self.directory.stepwise {
            return Ok(rustix::fs::fstat(walk(self.fd(), self.name, OFlags::PATH)?)?);
        }
        Ok(rustix::fs::statat(self.fd(), self.name, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Refuses to make the name if the directory was granted for reading, as on a file system
    /// mounted so: a name that is there is told, since programs go on where what they make exists.
    fn check_read_only(&self) -> Answer {
        if !self.directory.read_only {
            return Ok(());
        }
        match resolve(self.directory, self.fd(), self.name, OFlags::PATH | OFlags::NOFOLLOW) {
            Ok(_) => Err(Errno::Exist.into()),
            Err(Failure::Errno(Errno::Noent)) => Err(Errno::Rofs.into()),
            Err(failure) => Err(failure),
        }
    }

    fn is_directory(&self) -> Result<bool, Failure> {
        Ok(FileType::from_raw_mode(self.stat()?.st_mode) == FileType::Directory)
    }
}

/// The directory of a number, to be changed.
fn writable(host: &HostState, fd: u32, rights: u64) -> Result<&Directory, Errno> {
    let directory = host.descriptors.directory(fd, rights)?;
    if directory.read_only { Err(Errno::Rofs) } else { Ok(directory) }
}

fn path_create_directory(host: &mut HostState, memory: GuestMemory<'_>, fd: u32, path: u32, path_len: u32) -> Answer {
    let path = read_path(&memory, path, path_len)?;
    let directory = host.descriptors.directory(fd, rights::PATH_CREATE_DIRECTORY)?;
    let place = Place::find(directory, &path, Errno::Exist)?;
    place.check_read_only()?;
    Ok(rustix::fs::mkdirat(place.fd(), place.name, Mode::from_raw_mode(0o777))?)
}

fn path_filestat_get(
    host: &mut HostState,
    mut memory: GuestMemory<'_>,
    fd: u32,
    flags: u32,
    path: u32,
    path_len: u32,
    stat: u32,
) -> Answer {
    let follow = follows(flags)?;
    let path = read_path(&memory, path, path_len)?;
    let directory = host.descriptors.directory(fd, rights::PATH_FILESTAT_GET)?;
    let found = rustix::fs::fstat(locate(directory, &path, follow)?)?;
    Ok(memory.write(stat, &fd::filestat(&found))?)
}

fn path_filestat_set_times(
    host: &mut HostState,
    memory: GuestMemory<'_>,
    fd: u32,
    flags: u32,
    path: u32,
    path_len: u32,
    atim: u64,
    mtim: u64,
    fst_flags: u32,
) -> Answer {
    let follow = follows(flags)?;
    let times = fd::timestamps(atim, mtim, fst_flags)?;
    let path = read_path(&memory, path, path_len)?;
    let directory = host.descriptors.directory(fd, rights::PATH_FILESTAT_SET_TIMES)?;
    let found = locate(directory, &path, follow)?;
    if directory.read_only {
        return Err(Errno::Rofs.into());
    }
    if directory.stepwise {
        return Err(Errno::Notsup.into());
    }
    Ok(rustix::fs::utimensat(found, c"", &times, AtFlags::EMPTY_PATH)?)
}

fn path_link(
    host: &mut HostState,
    memory: GuestMemory<'_>,
    old_fd: u32,
    old_flags: u32,
    old_path: u32,
    old_path_len: u32,
    new_fd: u32,
    new_path: u32,
    new_path_len: u32,
) -> Answer {
    // To link what a link leads to, the host would have to follow it a second time, unguarded.
    if follows(old_flags)? {
        return Err(Errno::Inval.into());
    }
    let old_path = read_path(&memory, old_path, old_path_len)?;
    let new_path = read_path(&memory, new_path, new_path_len)?;
    let old = Place::find(writable(host, old_fd, rights::PATH_LINK_SOURCE)?, &old_path, Errno::Perm)?;
    let new = Place::find(writable(host, new_fd, rights::PATH_LINK_TARGET)?, &new_path, Errno::Exist)?;
    if old.must_be_directory && !old.is_directory()? {
        return Err(Errno::Notdir.into());
    }
    if new.must_be_directory {
        new.stat()?;
    }
    Ok(rustix::fs::linkat(old.fd(), old.name, new.fd(), new.name, AtFlags::empty())?)
}

/// How a guest wants to open something. The right to write decides whether it is opened for
/// writing: programs ask for the other rights that change a file where they only read, too.
#[derive(Clone, Copy)]
struct Opening {
    follow: bool,
    create: bool,
    exclusive: bool,
    truncate: bool,
    directory: bool,
    read: bool,
    write: bool,
    flags: u16,
}

impl Opening {
    fn new(dirflags: u32, oflags: u32, fdflags: u32, rights: u64) -> Result<Self, Errno> {
        let oflags = u16::try_from(oflags).ok().filter(|f| f & !abi::OFLAG_ALL == 0).ok_or(Errno::Inval)?;
        let flags = u16::try_from(fdflags).ok().filter(|f| f & !abi::FDFLAG_ALL == 0).ok_or(Errno::Inval)?;
        let (create, directory) = (oflags & abi::OFLAG_CREAT != 0, oflags & abi::OFLAG_DIRECTORY != 0);
        // Opening makes no directories; hosts of before Linux 6.4 would make a file.
        if create && directory {
            return Err(Errno::Inval);
        }
        Ok(Self {
            follow: follows(dirflags)?,
            create,
            exclusive: oflags & abi::OFLAG_EXCL != 0,
            truncate: oflags & abi::OFLAG_TRUNC != 0,
            directory,
            read: rights & (rights::FD_READ | rights::FD_READDIR) != 0,
            write: rights & rights::FD_WRITE != 0,
            flags,
        })
    }

    /// What the directory's descriptor must allow.
    fn needs(&self) -> u64 {
        let mut needs = rights::PATH_OPEN;
        if self.create {
            needs |= rights::PATH_CREATE_FILE;
        }
        if self.truncate {
            needs |= rights::PATH_FILESTAT_SET_SIZE;
        }
        needs
    }

    /// Without waiting for anything (see [`Kind::File`]), and never as a controlling terminal.
    fn host_flags(&self) -> OFlags {
        let mut flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        flags |= match (self.read, self.write) {
            (true, true) => OFlags::RDWR,
            (false, true) => OFlags::WRONLY,
            (_, false) => OFlags::RDONLY,
        };
        flags.set(OFlags::NOFOLLOW, !self.follow);
        flags.set(OFlags::CREATE, self.create);
        flags.set(OFlags::EXCL, self.exclusive);
        flags.set(OFlags::TRUNC, self.truncate);
        flags.set(OFlags::DIRECTORY, self.directory);
        flags.set(OFlags::APPEND, self.flags & abi::FDFLAG_APPEND != 0);
        flags.set(OFlags::DSYNC, self.flags & abi::FDFLAG_DSYNC != 0);
        flags.set(OFlags::SYNC, self.flags & (abi::FDFLAG_SYNC | abi::FDFLAG_RSYNC) != 0);
        flags
    }

    /// Refuses what would change a directory that was granted for reading: as on a file system
    /// mounted so, where what is wrong elsewhere is wrong in the same way.
    fn check_read_only(&mut self, directory: &Directory, path: &str) -> Result<(), Failure> {
        if !(self.create || self.truncate || self.write) {
            return Ok(());
        }
        // Where there must be nothing, a link is in the way wherever it leads.
        let exclusive = self.create && self.exclusive;
        let found = match locate(directory, path, self.follow && !exclusive) {
            Err(Failure::Errno(Errno::Noent)) if self.create => {
                let place = Place::find(directory, path, Errno::Isdir)?;
                return Err(if place.must_be_directory { Errno::Isdir } else { Errno::Rofs }.into());
            }
            found => found?,
        };
        let refused = match FileType::from_raw_mode(rustix::fs::fstat(found)?.st_mode) {
            _ if exclusive => Errno::Exist,
            FileType::Directory => Errno::Isdir,
            _ if self.directory => Errno::Notdir,
            FileType::Symlink => Errno::Loop,
            _ if self.write || self.truncate => Errno::Rofs,
            _ => {
                self.create = false;
                return Ok(());
            }
        };
        Err(refused.into())
    }
}

fn path_open(
    host: &mut HostState,
    mut memory: GuestMemory<'_>,
    fd: u32,
    dirflags: u32,
    path: u32,
    path_len: u32,
    oflags: u32,
    rights_base: u64,
    rights_inheriting: u64,
    fdflags: u32,
    opened_fd: u32,
) -> Answer {
    let path = read_path(&memory, path, path_len)?;
    memory.read_u32(opened_fd)?;
    // Rights that neither files nor directories have mean nothing here.
    let wanted = rights_base & (rights::FILE | rights::DIRECTORY);
    let mut opening = Opening::new(dirflags, oflags, fdflags, wanted)?;
    host.descriptors.check_room()?;
    let directory = host.descriptors.directory(fd, opening.needs())?;
    let Descriptor { inheriting: allowed, origin, .. } = *host.descriptors.get(fd)?;
    if wanted & !allowed != 0 {
        return Err(Errno::Notcapable.into());
    }
    if directory.read_only {
        opening.check_read_only(directory, &path)?;
    }
    let opened = resolve(directory, directory.fd.as_fd(), &path, opening.host_flags())?;
    let wanted = if opening.write { wanted } else { wanted & !rights::WRITING };
    let descriptor = describe(directory, opened, wanted, rights_inheriting & allowed, opening.flags, origin)?;
    let number = host.descriptors.insert(descriptor)?;
    Ok(memory.write_u32(opened_fd, number)?)
}

/// Makes a descriptor of what was opened, with those of the wanted rights that suit its kind.
fn describe(
    directory: &Directory,
    opened: OwnedFd,
    wanted: u64,
    inheriting: u64,
    flags: u16,
    origin: Origin,
) -> Result<Descriptor, Failure> {
    let stat = rustix::fs::fstat(&opened)?;
    if stat.st_dev != directory.device && is_proc(opened.as_fd())? {
        return Err(Errno::Acces.into());
    }
    let kind = FileKind::from(FileType::from_raw_mode(stat.st_mode));
    let (read_only, stepwise) = (directory.read_only, directory.stepwise);
    let suitable = match kind {
        FileKind::Directory => rights::DIRECTORY,
        FileKind::Unknown => rights::FILE & !(rights::FD_SEEK | rights::FD_TELL),
        // Terminals have no places, and a character device without is what programs take for one.
        FileKind::CharacterDevice if rustix::fs::tell(&opened).is_err() => {
            rights::FILE & !(rights::FD_SEEK | rights::FD_TELL)
        }
        _ => rights::FILE,
    };
    let kind = match kind {
        FileKind::Directory => {
            Kind::Directory(Directory { fd: opened, read_only, preopen: None, stepwise, device: stat.st_dev })
        }
        kind => Kind::File(File { fd: opened, kind, read_only, stepwise }),
    };
    Ok(Descriptor { kind, rights: wanted & suitable, inheriting, flags, origin, path: None })
}

fn path_readlink(
    host: &mut HostState,
    mut memory: GuestMemory<'_>,
    fd: u32,
    path: u32,
    path_len: u32,
    buf: u32,
    buf_len: u32,
    bufused: u32,
) -> Answer {
    let path = read_path(&memory, path, path_len)?;
    memory.read_u32(bufused)?;
    let directory = host.descriptors.directory(fd, rights::PATH_READLINK)?;
    if directory.stepwise {
        return Err(Errno::Notsup.into());
    }
    let link = locate(directory, &path, false)?;
    if FileType::from_raw_mode(rustix::fs::fstat(&link)?.st_mode) != FileType::Symlink {
        return Err(Errno::Inval.into());
    }
    let target = rustix::fs::readlinkat(&link, c"", Vec::new())?;
    let target = target.as_bytes();
    let target = target.get(..target.len().min(buf_len as usize)).unwrap_or_default();
    memory.write(buf, target)?;
    Ok(memory.write_u32(bufused, target.len() as u32)?)
}

fn path_remove_directory(host: &mut HostState, memory: GuestMemory<'_>, fd: u32, path: u32, path_len: u32) -> Answer {
    let path = read_path(&memory, path, path_len)?;
    let directory = writable(host, fd, rights::PATH_REMOVE_DIRECTORY)?;
    let place = Place::find(directory, &path, Errno::Inval)?;
    Ok(rustix::fs::unlinkat(place.fd(), place.name, AtFlags::REMOVEDIR)?)
}

fn path_rename(
    host: &mut HostState,
    memory: GuestMemory<'_>,
    fd: u32,
    old_path: u32,
    old_path_len: u32,
    new_fd: u32,
    new_path: u32,
    new_path_len: u32,
) -> Answer {
    let old_path = read_path(&memory, old_path, old_path_len)?;
    let new_path = read_path(&memory, new_path, new_path_len)?;
    let old = Place::find(writable(host, fd, rights::PATH_RENAME_SOURCE)?, &old_path, Errno::Busy)?;
    let new = Place::find(writable(host, new_fd, rights::PATH_RENAME_TARGET)?, &new_path, Errno::Busy)?;
    if (old.must_be_directory || new.must_be_directory) && !old.is_directory()? {
        return Err(Errno::Notdir.into());
    }
    Ok(rustix::fs::renameat(old.fd(), old.name, new.fd(), new.name)?)
}

fn path_symlink(
    host: &mut HostState,
    memory: GuestMemory<'_>,
    old_path: u32,
    old_path_len: u32,
    fd: u32,
    new_path: u32,
    new_path_len: u32,
) -> Answer {
    // No program here could follow it, but one outside could.
    let target = read_path(&memory, old_path, old_path_len)?;
    let new_path = read_path(&memory, new_path, new_path_len)?;
    let new = Place::find(host.descriptors.directory(fd, rights::PATH_SYMLINK)?, &new_path, Errno::Exist)?;
    new.check_read_only()?;
    if new.must_be_directory {
        new.stat()?;
        return Err(Errno::Exist.into());
    }
    Ok(rustix::fs::symlinkat(target.as_str(), new.fd(), new.name)?)
}

fn path_unlink_file(host: &mut HostState, memory: GuestMemory<'_>, fd: u32, path: u32, path_len: u32) -> Answer {
    let path = read_path(&memory, path, path_len)?;
    let directory = writable(host, fd, rights::PATH_UNLINK_FILE)?;
    let place = Place::find(directory, &path, Errno::Isdir)?;
    if place.must_be_directory {
        return Err(if place.is_directory()? { Errno::Isdir } else { Errno::Notdir }.into());
    }
    Ok(rustix::fs::unlinkat(place.fd(), place.name, AtFlags::empty())?)
}
