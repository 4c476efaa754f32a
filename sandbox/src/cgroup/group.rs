//! One directory of a hierarchy: made, held for as long as its maker lives, removed.
//!
//! Its maker holds a lock on it, which the kernel takes away with the maker, however that ends. So a group that nobody holds is left
//! over, whatever process numbers mean by then; whoever runs next sweeps it.

use std::ffi::{CStr, CString};
use std::fmt::Display;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags, RawDir, flock, fstat, mkdirat, openat, statat, unlinkat};
use rustix::io::Errno;

/// How names of groups begin; the number of the maker and one more follow.
const PREFIX: &str = "pinfold-";
/// Groups that one process can have at a time, and names that are tried.
const MOST: u32 = 4096;
/// How often, and after how long again, it is tried to remove a group whose process is about to be gone.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(1);

/// A group that this process made, and holds. Dropping it removes it; what is still in use then is swept later.
#[derive(Debug)]
pub struct Group {
    base: OwnedFd,
    name: CString,
    directory: OwnedFd,
}

fn open(base: BorrowedFd<'_>, name: &CStr) -> rustix::io::Result<OwnedFd> {
    openat(base, name, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
}

impl Group {
    /// Makes one.
    ///
    /// # Errors
    /// If this process may not, or has too many.
    pub fn make(base: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let base = openat(rustix::fs::CWD, base, flags, Mode::empty())?;
        for number in 0..MOST {
            let name = CString::new(format!("{PREFIX}{}-{number}", std::process::id()))?;
            match mkdirat(&base, &name, Mode::RWXU | Mode::RGRP | Mode::XGRP | Mode::ROTH | Mode::XOTH) {
                Err(Errno::EXIST) => continue,
                other => other?,
            }
            match hold(base.as_fd(), &name) {
                Ok(Some(directory)) => return Ok(Self { base, name, directory }),
                // Someone swept it before it was held.
                Ok(None) => continue,
                Err(error) => {
                    let _ = unlinkat(&base, &name, AtFlags::REMOVEDIR);
                    return Err(error.into());
                }
            }
        }
        Err(io::Error::other("there are too many groups of this process"))
    }

    /// Writes one of its files.
    pub fn write(&self, file: &CStr, value: impl Display) -> io::Result<()> {
        write(self.directory.as_fd(), file, value.to_string().as_bytes())
    }

    /// Opens one of its files for writing.
    pub fn open(&self, file: &CStr) -> io::Result<OwnedFd> {
        Ok(openat(&self.directory, file, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?)
    }

    /// Reads one of its files; what is longer than a page is cut off.
    pub fn read(&self, file: &CStr) -> io::Result<String> {
        let file = openat(&self.directory, file, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let mut text = vec![0; 4096];
        let len = rustix::io::read(&file, &mut text[..])?;
        text.truncate(len);
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Removes it, by system calls alone; `false` if something is in it still.
    pub fn remove(&self) -> bool {
        (0..TRIES).any(|_| match unlinkat(&self.base, &self.name, AtFlags::REMOVEDIR) {
            Err(Errno::BUSY) => {
                std::thread::sleep(PAUSE);
                false
            }
            _ => true,
        })
    }

    /// Removes the groups beside this one that nobody holds any more, by system calls alone. Those of other users, and whatever is
    /// named otherwise, stay.
    pub fn sweep(&self) {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        // A descriptor of its own: from where on entries are read is a matter of the descriptor.
        let Ok(base) = open(self.base.as_fd(), c".") else { return };
        let mut entries = RawDir::new(&base, &mut buffer);
        while let Some(Ok(entry)) = entries.next() {
            if is_ours(entry.file_name()) {
                let _ = remove_if_left(self.base.as_fd(), entry.file_name());
            }
        }
    }
}

impl AsFd for Group {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.remove();
    }
}

fn write(directory: BorrowedFd<'_>, file: &CStr, value: &[u8]) -> io::Result<()> {
    let file = openat(directory, file, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(&file, value)?;
    Ok(())
}

/// Takes hold of a group. `None` if it is not there any more, or someone else holds it.
fn hold(base: BorrowedFd<'_>, name: &CStr) -> rustix::io::Result<Option<OwnedFd>> {
    let gone = |error| match error {
        Errno::NOENT | Errno::WOULDBLOCK => Ok(None),
        other => Err(other),
    };
    let directory = match open(base, name) {
        Ok(directory) => directory,
        Err(error) => return gone(error),
    };
    if let Err(error) = flock(&directory, FlockOperation::NonBlockingLockExclusive) {
        return gone(error);
    }
    // It may have been removed by whoever held it until now, and another made under its name.
    match statat(base, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(now) if now.st_ino == fstat(&directory)?.st_ino => Ok(Some(directory)),
        Ok(_) => Ok(None),
        Err(error) => gone(error),
    }
}

/// Whether a name is one that [`Group::make`] gives.
fn is_ours(name: &CStr) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let numbers = name.to_str().ok().and_then(|name| name.strip_prefix(PREFIX)).and_then(|rest| rest.split_once('-'));
    numbers.is_some_and(|(maker, number)| is_number(maker) && is_number(number))
}

fn remove_if_left(base: BorrowedFd<'_>, name: &CStr) -> rustix::io::Result<()> {
    let Some(directory) = hold(base, name)? else { return Ok(()) };
    if fstat(&directory)?.st_uid != rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    // In version 2: a worker that outlived its maker, which none does unless the kernel is late. The group then goes next time.
    let _ = write(directory.as_fd(), c"cgroup.kill", b"1");
    unlinkat(base, name, AtFlags::REMOVEDIR)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn names(base: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(base).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn groups_have_names_of_their_own_and_are_gone_when_dropped() {
        let base = tempfile::tempdir().unwrap();
        let pid = std::process::id();
        let (first, second) = (Group::make(base.path()).unwrap(), Group::make(base.path()).unwrap());
        assert_eq!(names(base.path()), [format!("pinfold-{pid}-0"), format!("pinfold-{pid}-1")]);
        drop(first);
        assert_eq!(names(base.path()), [format!("pinfold-{pid}-1")]);
        drop(second);
        assert_eq!(names(base.path()), [""; 0]);
    }

    #[test]
    fn sweeping_takes_what_nobody_holds_and_leaves_all_else() {
        let base = tempfile::tempdir().unwrap();
        // Left over: by processes that are gone, or have another's number now, which is no matter.
        let left = ["pinfold-1-0", "pinfold-4194304-17", &format!("pinfold-{}-9", std::process::id())];
        let others = ["pinfold-", "pinfold-1", "pinfold-1-", "pinfold-1-a", "pinfold--1", "pinfold-1-0.scope", "x"];
        left.iter().chain(&others).for_each(|name| fs::create_dir(base.path().join(name)).unwrap());
        // Not empty: in use, whoever held it.
        fs::create_dir_all(base.path().join("pinfold-2-0/below")).unwrap();
        fs::write(base.path().join("pinfold-3-0"), "a file").unwrap();
        std::os::unix::fs::symlink("x", base.path().join("pinfold-4-0")).unwrap();
        let (own, held) = (Group::make(base.path()).unwrap(), Group::make(base.path()).unwrap());
        own.sweep();
        let mut expected: Vec<String> =
            others.iter().chain(&["pinfold-2-0", "pinfold-3-0", "pinfold-4-0"]).map(|name| (*name).into()).collect();
        expected.extend([&own, &held].map(|group| group.name.to_str().unwrap().to_owned()));
        expected.sort();
        assert_eq!(names(base.path()), expected);
    }

    #[test]
    fn a_group_is_left_over_as_soon_as_its_maker_is_gone() {
        let base = tempfile::tempdir().unwrap();
        let own = Group::make(base.path()).unwrap();
        let other = Group::make(base.path()).unwrap();
        own.sweep();
        assert_eq!(names(base.path()).len(), 2);
        // As at the end of a process: the descriptors are closed, and nothing is done.
        let Group { base: b, name, directory } = &other;
        assert!(hold(b.as_fd(), name).unwrap().is_none(), "it is held");
        // SAFETY: the descriptor is not used any more: the group is forgotten.
        unsafe { libc::close(std::os::fd::AsRawFd::as_raw_fd(directory)) };
        std::mem::forget(other);
        own.sweep();
        assert_eq!(names(base.path()).len(), 1);
    }
}
