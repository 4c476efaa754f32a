//! The suite for WASI preview 1: rows called directly, on a memory and directories made for each
//! case.
//!
//! [`cases`] makes a test of each case and a list of them all, by which [`every_row_works_somewhere`]
//! makes sure that no row is left out.

mod arguments;
mod attacks;
mod descriptors;
mod directories;
mod files;
mod links;
mod names;
mod opening;
mod paths;
mod polling;
mod process;
mod sockets;
mod steps;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use super::abi::{self, rights};
use super::{Errno, MODULE};
use crate::host::descriptor::{Descriptor, HostStream, Kind, Sink, Source};
use crate::host::{DirGrant, Grants, GuestMemory, HostError, HostState, table};

/// Declares the cases of a file.
macro_rules! cases {
    ($(fn $name:ident() $body:block)*) => {
        $(#[test] fn $name() $body)*
        /// All of them.
        pub(super) const CASES: &[fn()] = &[$($name),*];
    };
}
use cases;

thread_local! {
    /// Rows that did their work on this thread.
    static WORKED: RefCell<BTreeSet<&'static str>> = const { RefCell::new(BTreeSet::new()) };
}

#[test]
fn every_row_works_somewhere() {
    let files = [
        arguments::CASES,
        attacks::CASES,
        descriptors::CASES,
        directories::CASES,
        files::CASES,
        links::CASES,
        names::CASES,
        opening::CASES,
        paths::CASES,
        polling::CASES,
        process::CASES,
        sockets::CASES,
        steps::CASES,
    ];
    WORKED.with_borrow_mut(BTreeSet::clear);
    files.into_iter().flatten().for_each(|case| case());
    let worked = WORKED.with_borrow(BTreeSet::clone);
    let missing: Vec<_> = rows().map(|row| row.name).filter(|name| !worked.contains(name)).collect();
    assert!(missing.is_empty(), "no case makes these work: {missing:?}");
    println!("{} cases, {} functions", files.iter().map(|f| f.len()).sum::<usize>(), worked.len());
}

/// The rows of preview 1.
fn rows() -> impl Iterator<Item = &'static table::Row> {
    table::rows().iter().filter(|row| row.module == MODULE)
}

/// The first granted directory: `data`, for writing, seen as `/data`.
const DATA: u32 = 3;
/// The second: `shown`, for reading, seen as `/shown`.
const SHOWN: u32 = 4;
/// The third: `more`, for writing, seen as `/more`.
const MORE: u32 = 5;
/// What the program itself opens first.
const FIRST: u32 = 6;

/// A program that calls rows of the table.
struct Guest {
    host: HostState,
    memory: Vec<u8>,
    top: u32,
    /// Holds `data`, `shown`, `more`, and `outside`, which is not granted.
    tree: tempfile::TempDir,
}

/// How to open something; nothing asked for but to read.
#[derive(Clone, Copy)]
struct Open {
    oflags: u16,
    rights: u64,
    inheriting: u64,
    fdflags: u16,
    follow: bool,
}

const READ: Open = Open {
    oflags: 0,
    rights: rights::FD_READ
        | rights::FD_SEEK
        | rights::FD_TELL
        | rights::FD_READDIR
        | rights::FD_FILESTAT_GET
        | rights::POLL_FD_READWRITE
        | rights::FD_ADVISE
        | rights::FD_FDSTAT_SET_FLAGS,
    inheriting: 0,
    fdflags: 0,
    follow: true,
};
const WRITE: Open = Open { rights: rights::FILE, ..READ };
const CREATE: Open = Open { oflags: abi::OFLAG_CREAT, ..WRITE };
const DIRECTORY: Open = Open {
    oflags: abi::OFLAG_DIRECTORY,
    rights: rights::DIRECTORY,
    inheriting: rights::DIRECTORY | rights::FILE,
    ..READ
};

/// Attributes as the program sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Attributes {
    inode: u64,
    kind: u8,
    links: u64,
    size: u64,
    accessed: u64,
    modified: u64,
}

/// An entry as the program sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    next: u64,
    kind: u8,
    name: String,
}

impl Guest {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Grants)) -> Self {
        let tree = tempfile::tempdir().unwrap();
        for name in ["data", "shown", "more", "outside"] {
            std::fs::create_dir(tree.path().join(name)).unwrap();
        }
        std::fs::write(tree.path().join("outside/secret"), "secret").unwrap();
        std::fs::write(tree.path().join("shown/page"), "page").unwrap();
        let grant = |name: &str, writable| DirGrant {
            name: None,
            host: tree.path().join(name),
            guest: format!("/{name}"),
            writable,
        };
        let mut grants =
            Grants { dirs: vec![grant("data", true), grant("shown", false), grant("more", true)], ..Grants::none() };
        change(&mut grants);
        let host = HostState::new(&grants).unwrap();
        Self { host, memory: vec![0; 4 << 20], top: 64, tree }
    }

    /// A path on the host.
    fn at(&self, path: &str) -> PathBuf {
        self.tree.path().join(path)
    }

    /// Makes a file on the host.
    fn file(&self, path: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.at(path), content).unwrap();
    }

    /// Makes a symbolic link on the host.
    fn symlink(&self, target: &str, path: &str) {
        std::os::unix::fs::symlink(target, self.at(path)).unwrap();
    }

    fn content(&self, path: &str) -> String {
        std::fs::read_to_string(self.at(path)).unwrap()
    }

    fn exists(&self, path: &str) -> bool {
        std::fs::symlink_metadata(self.at(path)).is_ok()
    }

    /// Sets memory aside.
    fn room(&mut self, len: u32) -> u32 {
        let address = self.top;
        self.top = (self.top + len).next_multiple_of(8);
        assert!((self.top as usize) < self.memory.len(), "the memory for cases is used up");
        address
    }

    fn put(&mut self, bytes: &[u8]) -> u32 {
        let address = self.room(bytes.len() as u32);
        self.memory()[address as usize..][..bytes.len()].copy_from_slice(bytes);
        address
    }

    fn memory(&mut self) -> &mut [u8] {
        &mut self.memory
    }

    fn u32_at(&self, address: u32) -> u32 {
        u32::from_le_bytes(self.memory[address as usize..][..4].try_into().unwrap())
    }

    fn u64_at(&self, address: u32) -> u64 {
        u64::from_le_bytes(self.memory[address as usize..][..8].try_into().unwrap())
    }

    fn bytes_at(&self, address: u32, len: u32) -> &[u8] {
        &self.memory[address as usize..][..len as usize]
    }

    /// Calls a row as a program would.
    fn try_call(&mut self, name: &str, arguments: &[u64]) -> Result<Result<(), Errno>, HostError> {
        let row = table::lookup(MODULE, name).unwrap_or_else(|| panic!("there is no row {name}"));
        let result = row.call.on_memory(&mut self.host, GuestMemory::new(&mut self.memory), arguments);
        if matches!(result, Ok(0) | Err(HostError::Exit(_))) {
            WORKED.with_borrow_mut(|worked| worked.insert(row.name));
        }
        Ok(Errno::from_number(result?).map_or(Ok(()), Err))
    }

    /// Calls a row that does not end the run.
    fn call(&mut self, name: &str, arguments: &[u64]) -> Result<(), Errno> {
        self.try_call(name, arguments).unwrap()
    }

    /// Calls a row that takes a descriptor and a path.
    fn call_path(&mut self, name: &str, fd: u32, path: &str) -> Result<(), Errno> {
        let address = self.put(path.as_bytes());
        self.call(name, &[fd.into(), address.into(), path.len() as u64])
    }

    fn open(&mut self, fd: u32, path: &str, how: Open) -> Result<u32, Errno> {
        let address = self.put(path.as_bytes());
        let opened = self.room(4);
        let arguments = [
            fd.into(),
            how.follow.into(),
            address.into(),
            path.len() as u64,
            how.oflags.into(),
            how.rights,
            how.inheriting,
            how.fdflags.into(),
            opened.into(),
        ];
        self.call("path_open", &arguments).map(|()| self.u32_at(opened))
    }

    /// An array of one buffer.
    fn buffer(&mut self, address: u32, len: u32) -> u32 {
        self.put(&(u64::from(address) | u64::from(len) << 32).to_le_bytes())
    }

    fn read(&mut self, fd: u32, len: u32) -> Result<Vec<u8>, Errno> {
        let buffer = self.room(len);
        let array = self.buffer(buffer, len);
        let done = self.room(4);
        self.call("fd_read", &[fd.into(), array.into(), 1, done.into()])?;
        Ok(self.bytes_at(buffer, self.u32_at(done)).to_vec())
    }

    fn write(&mut self, fd: u32, bytes: &[u8]) -> Result<u32, Errno> {
        let buffer = self.put(bytes);
        let array = self.buffer(buffer, bytes.len() as u32);
        let done = self.room(4);
        self.call("fd_write", &[fd.into(), array.into(), 1, done.into()])?;
        Ok(self.u32_at(done))
    }

    fn seek(&mut self, fd: u32, offset: i64, whence: u64) -> Result<u64, Errno> {
        let place = self.room(8);
        self.call("fd_seek", &[fd.into(), offset.cast_unsigned(), whence, place.into()])?;
        Ok(self.u64_at(place))
    }

    fn close(&mut self, fd: u32) -> Result<(), Errno> {
        self.call("fd_close", &[fd.into()])
    }

    fn attributes_at(&self, address: u32) -> Attributes {
        Attributes {
            inode: self.u64_at(address + 8),
            kind: self.memory[address as usize + 16],
            links: self.u64_at(address + 24),
            size: self.u64_at(address + 32),
            accessed: self.u64_at(address + 40),
            modified: self.u64_at(address + 48),
        }
    }

    fn attributes(&mut self, fd: u32) -> Result<Attributes, Errno> {
        let stat = self.room(64);
        self.call("fd_filestat_get", &[fd.into(), stat.into()]).map(|()| self.attributes_at(stat))
    }

    fn path_attributes(&mut self, fd: u32, path: &str, follow: bool) -> Result<Attributes, Errno> {
        let address = self.put(path.as_bytes());
        let stat = self.room(64);
        let arguments = [fd.into(), follow.into(), address.into(), path.len() as u64, stat.into()];
        self.call("path_filestat_get", &arguments).map(|()| self.attributes_at(stat))
    }

    /// Kind, flags, rights and inherited rights of a descriptor.
    fn description(&mut self, fd: u32) -> Result<(u8, u16, u64, u64), Errno> {
        let stat = self.room(24);
        self.call("fd_fdstat_get", &[fd.into(), stat.into()])?;
        let first = self.u32_at(stat);
        Ok((first as u8, (first >> 16) as u16, self.u64_at(stat + 8), self.u64_at(stat + 16)))
    }

    /// Calls a row that takes two descriptors and two paths.
    fn rename(&mut self, from: u32, old: &str, to: u32, new: &str) -> Result<(), Errno> {
        let (old_at, new_at) = (self.put(old.as_bytes()), self.put(new.as_bytes()));
        let arguments = [from.into(), old_at.into(), old.len() as u64, to.into(), new_at.into(), new.len() as u64];
        self.call("path_rename", &arguments)
    }

    fn link(&mut self, from: u32, follow: bool, old: &str, to: u32, new: &str) -> Result<(), Errno> {
        let (old_at, new_at) = (self.put(old.as_bytes()), self.put(new.as_bytes()));
        let arguments =
            [from.into(), follow.into(), old_at.into(), old.len() as u64, to.into(), new_at.into(), new.len() as u64];
        self.call("path_link", &arguments)
    }

    fn make_symlink(&mut self, target: &str, fd: u32, path: &str) -> Result<(), Errno> {
        let (target_at, path_at) = (self.put(target.as_bytes()), self.put(path.as_bytes()));
        let arguments = [target_at.into(), target.len() as u64, fd.into(), path_at.into(), path.len() as u64];
        self.call("path_symlink", &arguments)
    }

    fn read_link(&mut self, fd: u32, path: &str, len: u32) -> Result<String, Errno> {
        let (path_at, buffer, used) = (self.put(path.as_bytes()), self.room(len), self.room(4));
        let arguments = [fd.into(), path_at.into(), path.len() as u64, buffer.into(), len.into(), used.into()];
        self.call("path_readlink", &arguments)?;
        Ok(String::from_utf8(self.bytes_at(buffer, self.u32_at(used)).to_vec()).unwrap())
    }

    /// Entries from a cookie on, as far as they fit; and whether the buffer was full.
    fn entries(&mut self, fd: u32, cookie: u64, len: u32) -> Result<(Vec<Entry>, bool), Errno> {
        let (buffer, used) = (self.room(len), self.room(4));
        self.call("fd_readdir", &[fd.into(), buffer.into(), len.into(), cookie, used.into()])?;
        let used = self.u32_at(used);
        let mut rest = self.bytes_at(buffer, used);
        let mut entries = Vec::new();
        while let Some((header, after)) = rest.split_at_checked(24) {
            let name_len = u32::from_le_bytes(header[16..20].try_into().unwrap()) as usize;
            let Some((name, after)) = after.split_at_checked(name_len) else { break };
            let name = String::from_utf8(name.to_vec()).unwrap();
            let next = u64::from_le_bytes(header[..8].try_into().unwrap());
            entries.push(Entry { next, kind: header[20], name });
            rest = after;
        }
        Ok((entries, used == len))
    }

    /// Replaces standard input by a descriptor of the host.
    fn set_stdin(&mut self, fd: impl AsFd) {
        let stream = host_stream(fd);
        self.replace(0, Kind::Input(Source::Host(stream)));
    }

    /// Replaces standard output by a descriptor of the host.
    fn set_stdout(&mut self, fd: impl AsFd) {
        let stream = host_stream(fd);
        self.replace(1, Kind::Output(Sink::Host(stream)));
    }

    fn replace(&mut self, number: u32, kind: Kind) {
        let Descriptor { kind: old, .. } = self.host.descriptors.get_mut(number).unwrap();
        *old = kind;
    }

    fn set_flags(&mut self, fd: u32, flags: u16) -> Result<(), Errno> {
        self.call("fd_fdstat_set_flags", &[fd.into(), flags.into()])
    }
}

fn host_stream(fd: impl AsFd) -> HostStream {
    let fd: OwnedFd = fd.as_fd().try_clone_to_owned().unwrap();
    HostStream { fd, is_terminal: false, can_block: true }
}
