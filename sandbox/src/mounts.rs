//! An empty root with nothing in it but the granted directories.
//!
//! ```text
//!  /            tmpfs, read-only, empty
//!  ├── 0        first granted directory   (ro, nosuid, nodev, noexec; rw where granted)
//!  └── 1        second …
//! ```
//!
//! There is no `/proc`, no `/dev`, no way back: the old root is detached, and nobody holds a descriptor into it.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_change, unmount};

use crate::error::{Context, LayerError, check};
use crate::plan::{Access, Directory, Layer};

/// Where the new root is put up: any directory that there is, since it is only hidden, in this namespace.
const BASES: [&CStr; 5] = [c"/tmp", c"/mnt", c"/run", c"/usr", c"/etc"];

/// From `linux/mount.h`.
const OPEN_TREE_CLONE: u32 = 1;
const AT_RECURSIVE: u32 = 0x8000;
const MOVE_MOUNT_F_EMPTY_PATH: u32 = 4;
const MOUNT_ATTR_RDONLY: u64 = 1;
const MOUNT_ATTR_NOSUID: u64 = 2;
const MOUNT_ATTR_NODEV: u64 = 4;
const MOUNT_ATTR_NOEXEC: u64 = 8;

#[repr(C)]
struct MountAttr {
    set: u64,
    clear: u64,
    propagation: u64,
    userns: u64,
}

/// Opens a granted directory by its name, and makes sure that it is the one that was granted.
pub fn open(directory: &Directory) -> io::Result<OwnedFd> {
    let fd = rustix::fs::open(&directory.host, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    if identity(&fd)? != directory.identity {
        return Err(io::Error::other(format!(
            "{} is not the directory any more that it was",
            directory.host.display()
        )));
    }
    Ok(fd)
}

/// Device and inode of what a descriptor stands for.
pub fn identity(fd: impl AsFd) -> io::Result<(u64, u64)> {
    let data = rustix::fs::fstat(fd)?;
    Ok((data.st_dev, data.st_ino))
}

/// Makes the empty root, in a mount namespace of the process's own.
pub fn enter(directories: &[Directory]) -> Result<(), LayerError> {
    let layer = Layer::Mount;
    // What is mounted here is not seen outside; what is mounted outside later is not seen here.
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .context(layer, "make mounts private")?;
    let trees = directories.iter().map(|directory| tree(directory).context(layer, "clone the mount of a directory"));
    let trees: Vec<OwnedFd> = trees.collect::<Result<_, _>>()?;
    let base = base().context(layer, "mount the new root")?;
    rustix::process::chdir(base).context(layer, "enter the new root")?;
    for (index, (tree, directory)) in trees.iter().zip(directories).enumerate() {
        let place = directory.place(index);
        attach(tree, place.strip_prefix("/").unwrap_or(&place)).context(layer, "mount a granted directory")?;
    }
    rustix::process::pivot_root(".", ".").context(layer, "make it the root")?;
    unmount(".", UnmountFlags::DETACH).context(layer, "detach the old root")?;
    rustix::process::chdir("/").context(layer, "enter the root")?;
    let attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    set_attributes(libc::AT_FDCWD, c"/", 0, attributes).context(layer, "make the root read-only")
}

fn base() -> io::Result<&'static CStr> {
    let mut last = io::ErrorKind::NotFound.into();
    for base in BASES {
        let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
        match mount(c"tmpfs", base, c"tmpfs", flags, Some(c"size=64k,nr_inodes=4096,mode=0755")) {
            Ok(()) => return Ok(base),
            Err(error) => last = error.into(),
        }
    }
    Err(last)
}

/// A detached copy of the mounts at and below a directory, with the flags that it is to have.
fn tree(directory: &Directory) -> io::Result<OwnedFd> {
    let fd = open(directory)?;
    let flags = OPEN_TREE_CLONE | AT_RECURSIVE | libc::AT_EMPTY_PATH as u32 | libc::O_CLOEXEC as u32;
    // SAFETY: valid arguments; the result is a descriptor of ours.
    let tree = check(unsafe { libc::syscall(libc::SYS_open_tree, fd.as_raw_fd(), c"".as_ptr(), flags) })?;
    // SAFETY: just made by the kernel.
    let tree = unsafe { <OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(tree as i32) };
    let attributes = MOUNT_ATTR_NOSUID
        | MOUNT_ATTR_NODEV
        | match directory.access {
            Access::Read => MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC,
            Access::Run => MOUNT_ATTR_RDONLY,
            Access::Write => MOUNT_ATTR_NOEXEC,
        };
    set_attributes(tree.as_raw_fd(), c"", libc::AT_EMPTY_PATH as u32 | AT_RECURSIVE, attributes)?;
    Ok(tree)
}

fn attach(tree: &OwnedFd, place: &Path) -> io::Result<()> {
    std::fs::create_dir_all(place)?;
    let place = CString::new(place.as_os_str().as_bytes())?;
    // SAFETY: valid arguments.
    check(unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            tree.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_FDCWD,
            place.as_ptr(),
            MOVE_MOUNT_F_EMPTY_PATH,
        )
    })?;
    Ok(())
}

fn set_attributes(fd: i32, path: &CStr, flags: u32, attributes: u64) -> io::Result<()> {
    let attributes = MountAttr { set: attributes, clear: 0, propagation: 0, userns: 0 };
    let size = size_of::<MountAttr>();
    // SAFETY: valid arguments.
    check(unsafe { libc::syscall(libc::SYS_mount_setattr, fd, path.as_ptr(), flags, &raw const attributes, size) })?;
    Ok(())
}
