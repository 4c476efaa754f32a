//! What workers found out about programs, kept for the next run of the same program: that it is verified, what it compiles to if it is source,
//! and its machine code.
//!
//! ```text
//!  pinfold/            the user's own, 0700
//!    1984f0/           how many bytes the program has, so that most of those that are new need not be hashed before they run
//!      3f8a…c2-f       its BLAKE3 hash, and the settings that its code depends on
//!      91b0…7e-o       that a program with this hash brings its code, and was made here
//! ```
//!
//! Nothing in an entry is looked at here: a worker wrote it, and only a worker of the very same program is handed it, within walls of its own.
//! A program that took over its worker could leave an entry for itself, and so would be what it is: itself.
//!
//! *Invariants: an entry is written beside its place and moved there, so that whoever reads finds all of one. What others could have written is
//! not used. All entries together stay below a bound.*

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use pinfold_vm::module::parts_read;
use rustix::fs::{AtFlags, Dir, FileType, FlockOperation, Mode, OFlags, Stat, Timespec, Timestamps, UTIME_NOW};
use rustix::io::Errno;
use rustix::pipe::SpliceFlags;

use crate::job::Run;

/// Bytes in the largest entry.
pub const LARGEST: u64 = 128 << 20;
/// Bytes that the code of a program and what explains it may take where it is compiled [ahead](Run::ahead): with the rest they are an entry.
pub const MOST_CODE: u64 = LARGEST / 4 * 3;
/// Bytes in all entries together.
const ALL: u64 = 512 << 20;
/// What an entry begins with; the program's hash comes after it, and who made the entry.
const MAGIC: &[u8; 16] = b"pinfold cache 1\n";
/// Bytes of all that.
const HEAD: usize = MAGIC.len() + 32 + 40;
/// Bytes of the number, of the first of its two parts, that comes next.
const LENGTH: usize = 8;
/// Bytes that can be written into a pipe before anyone reads.
const AT_ONCE: u64 = 32 << 10;
/// What a name begins with while its entry is written.
const UNFINISHED: &str = ".new-";
/// How long what another process is about to finish is waited for: it takes milliseconds.
const PATIENCE: Duration = Duration::from_millis(500);
/// What a mark ends with.
const MARK: &str = "-o";
/// How old what is unfinished is when nobody finishes it any more.
const ABANDONED: Duration = Duration::from_secs(3600);
/// The variable that names the folder. Empty, it turns the cache off.
const VARIABLE: &str = "PINFOLD_CACHE";

/// What is kept of a program: what its worker left, and what its compiler did.
#[derive(Debug)]
pub struct Entry {
    file: File,
    /// Where each part begins, and its bytes.
    parts: [(u64, u64); 2],
}

impl Entry {
    /// In a file that nobody can write any more: where each part begins, and its bytes.
    pub fn of(file: File, parts: [(u64, u64); 2]) -> Self {
        Self { file, parts }
    }

    /// Whether there is code.
    pub fn has_code(&self) -> bool {
        self.parts[1].1 > 0
    }

    /// Whether either part can be written into a pipe before anyone reads.
    pub fn is_small(&self) -> bool {
        self.parts.iter().all(|(_, length)| *length <= AT_ONCE)
    }

    /// Writes a part into a pipe, or a file.
    ///
    /// # Errors
    /// Those of reading and writing.
    pub fn write(&self, part: usize, to: &File) -> io::Result<()> {
        let (mut start, mut left) = self.parts[part];
        let is_pipe = FileType::from_raw_mode(rustix::fs::fstat(to)?.st_mode) == FileType::Fifo;
        while left > 0 {
            // Of its own place: both parts may be on their way.
            let count = usize::try_from(left).unwrap_or(usize::MAX);
            let moved = if is_pipe {
                rustix::pipe::splice(&self.file, Some(&mut start), to, None, count, SpliceFlags::empty())
            } else {
                rustix::fs::sendfile(to, &self.file, Some(&mut start), count)
            };
            match moved {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(moved) => left -= moved as u64,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// A folder in which is kept what workers find out about programs, for the next worker of the same one: see
/// [`VmBuilder::cache`](crate::VmBuilder::cache).
///
/// ```
/// use pinfold::Cache;
///
/// # fn main() -> std::io::Result<()> {
/// # let folder = std::env::temp_dir().join(format!("pinfold-folder-{}", std::process::id()));
/// let cache = Cache::at(&folder)?;
/// assert_eq!(cache.path(), folder);
/// # std::fs::remove_dir_all(&folder)
/// # }
/// ```
#[derive(Debug)]
pub struct Cache {
    folder: OwnedFd,
    path: PathBuf,
}

/// A program, and where its entry is or would be.
#[derive(Debug)]
pub struct Place {
    len: u64,
    hash: OnceLock<[u8; 32]>,
    variant: &'static str,
    maker: Maker,
}

/// What programs are known by: all of their bytes but [what no run of them looks at](parts_read).
#[derive(Debug, Default)]
pub struct Hasher(blake3::Hasher);

impl Hasher {
    /// Of a whole program.
    pub fn of(program: &[u8]) -> Self {
        let mut hasher = Self::default();
        parts_read(program).into_iter().for_each(|part| hasher.add(&program[part]));
        hasher
    }

    /// Adds what comes next.
    pub fn add(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }
}

/// Which worker makes entries and understands them: one that was built or installed anew is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maker([u8; 40]);

impl Maker {
    /// The worker that is an executable.
    ///
    /// # Errors
    /// If it is not there.
    pub fn at(path: &Path) -> io::Result<Self> {
        let stat = rustix::fs::stat(path)?;
        let mut id = [0; 40];
        let words = [stat.st_dev, stat.st_ino, stat.st_size as u64, stat.st_ctime as u64, stat.st_ctime_nsec as u64];
        id.as_chunks_mut().0.iter_mut().zip(words).for_each(|(to, word)| *to = word.to_le_bytes());
        Ok(Self(id))
    }

    /// The one that was written down so.
    pub fn of(bytes: [u8; 40]) -> Self {
        Self(bytes)
    }

    /// As it is written down.
    pub fn bytes(&self) -> [u8; 40] {
        self.0
    }
}

/// How much is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Entries.
    pub entries: usize,
    /// Their bytes.
    pub bytes: u64,
}

impl Place {
    /// Where what a worker knows of a program of so many bytes is, under the settings of a run.
    pub fn of(len: u64, run: &Run, maker: Maker) -> Self {
        let variant = match (run.fuel.is_some(), run.deterministic) {
            (false, false) => "",
            (true, false) => "-f",
            (false, true) => "-d",
            (true, true) => "-fd",
        };
        Self { len, hash: OnceLock::new(), variant, maker }
    }

    /// The same of a program whose [hash](program_hash) is known.
    pub fn of_hash(len: u64, hash: [u8; 32], run: &Run, maker: Maker) -> Self {
        Self { hash: hash.into(), ..Self::of(len, run, maker) }
    }

    /// How many bytes the program has.
    pub fn program_len(&self) -> u64 {
        self.len
    }

    /// Learns the program's hash, once. Nothing is found or kept before.
    pub fn find(&self, hasher: Hasher) {
        self.hash.get_or_init(|| *hasher.0.finalize().as_bytes());
    }

    /// Whether this one makes its entries.
    pub fn is_of(&self, maker: Maker) -> bool {
        self.maker == maker
    }

    /// Where it stands that a program [brings its code](crate::precompiled), and was made here.
    fn mark(&self) -> Self {
        Self { hash: self.hash.clone(), variant: MARK, ..*self }
    }

    /// Which folder it is in.
    fn folder(&self) -> String {
        format!("{:x}", self.len)
    }

    /// What its entry is called, and what it begins with; none before it is known.
    fn entry(&self) -> Option<(String, [u8; HEAD])> {
        let (hash, mut head) = (self.hash.get()?, [0; HEAD]);
        let parts = MAGIC.iter().chain(hash).chain(&self.maker.0);
        head.iter_mut().zip(parts).for_each(|(to, byte)| *to = *byte);
        let name: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Some((name + self.variant, head))
    }
}

/// Parts that a worker and its compiler [left](crate::supervisor::Outcome::kept), as [`Cache::put`] takes them: no more of them than there was room for.
pub fn bounded(parts: &[(File, u64, u64); 2]) -> [(&File, u64, u64); 2] {
    parts.each_ref().map(|(file, start, length)| (file, *start, (*length).min(LARGEST)))
}

/// What tells a program from others.
pub fn program_hash(program: &[u8]) -> [u8; 32] {
    *Hasher::of(program).0.finalize().as_bytes()
}

/// The folder of this user's entries; none if it is turned off, or the user has no home.
pub fn folder_of_user() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    match variable(VARIABLE) {
        Some(path) => Some(path).filter(|path| !path.as_os_str().is_empty()),
        None => {
            let caches = variable("XDG_CACHE_HOME").filter(|path| path.is_absolute());
            let caches = caches.or_else(|| Some(variable("HOME").filter(|home| home.is_absolute())?.join(".cache")));
            Some(caches?.join("pinfold"))
        }
    }
}

/// How everything is opened: no link is followed, and no pipe that stands in the place of a file is waited for.
const OPEN: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

impl Cache {
    /// This user's, made if it is not there; none if it is turned off.
    ///
    /// # Errors
    /// If it cannot be made or opened, or if others than this user could write there.
    pub fn of_user() -> io::Result<Option<Self>> {
        let Some(path) = folder_of_user() else { return Ok(None) };
        // Whoever acts for another user, with that one's home, leaves nothing there that is not that one's.
        if std::env::var_os(VARIABLE).is_none()
            && !path.exists()
            && let Some(stat) = path.ancestors().find_map(|path| rustix::fs::stat(path).ok())
            && stat.st_uid != rustix::process::geteuid().as_raw()
        {
            return Ok(None);
        }
        Self::at(&path).map(Some)
    }

    /// The one in a folder, made if it is not there.
    ///
    /// # Errors
    /// If it cannot be made or opened, or if others than this user could write there.
    pub fn at(path: &Path) -> io::Result<Self> {
        let open = || rustix::fs::open(path, OPEN | OFlags::DIRECTORY, Mode::empty());
        let folder = match open() {
            Err(Errno::NOENT) => {
                std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
                open()?
            }
            other => other?,
        };
        if !is_own(&rustix::fs::fstat(&folder)?) {
            let why = format!("{} can be written by others; what it keeps is not used", path.display());
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        }
        Ok(Self { folder, path: path.to_owned() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there may be something of a program: there is something of one that has as many bytes.
    #[doc(hidden)]
    pub fn may_have(&self, place: &Place) -> bool {
        self.open_folder(&place.folder()).is_ok()
    }

    /// What is kept of a program: what [`Self::put`] was given. An entry that is not as it should be is none.
    #[doc(hidden)]
    pub fn get(&self, place: &Place) -> Option<Entry> {
        let folder = self.open_folder(&place.folder()).ok()?;
        let (name, expected) = place.entry()?;
        wait_for_others(&folder, &name);
        let file = rustix::fs::openat(&folder, &name, OPEN, Mode::empty()).ok()?;
        let stat = rustix::fs::fstat(&file).ok()?;
        if !is_own(&stat) || !is_file(&stat) {
            return None;
        }
        let mut file = File::from(file);
        let mut head = [0; HEAD];
        file.read_exact(&mut head).ok()?;
        if head != expected {
            return None;
        }
        let mut length = [0; LENGTH];
        file.read_exact(&mut length).ok()?;
        let facts = u64::from_le_bytes(length);
        let rest = u64::try_from(stat.st_size).ok()?.checked_sub((HEAD + LENGTH) as u64)?;
        let code = rest.checked_sub(facts).filter(|_| rest <= LARGEST)?;
        // What was used last is the last to be removed.
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        let _ = rustix::fs::futimens(&file, &Timestamps { last_access: now, last_modification: now });
        let start = (HEAD + LENGTH) as u64;
        Some(Entry { file, parts: [(start, facts), (start + facts, code)] })
    }

    /// Keeps two parts of files for a program, in place of what is kept of it: where each begins, and its bytes.
    ///
    /// # Errors
    /// Those of the file system; then what was kept before still is.
    #[doc(hidden)]
    pub fn put(&self, place: &Place, parts: [(&File, u64, u64); 2]) -> io::Result<()> {
        self.begin(place)?.finish(self, parts)
    }

    /// Begins an entry. Who wants one of the same program meanwhile waits for it, for a while.
    ///
    /// # Errors
    /// Those of the file system.
    #[doc(hidden)]
    pub fn begin(&self, place: &Place) -> io::Result<Unfinished> {
        let (name, head) = place.entry().ok_or(io::ErrorKind::NotFound)?;
        let folder = place.folder();
        match rustix::fs::mkdirat(&self.folder, &folder, Mode::RWXU) {
            Err(Errno::EXIST) => {}
            other => other?,
        }
        let folder = self.open_folder(&folder)?;
        let unfinished = format!("{UNFINISHED}{name}-{}-{:x}", std::process::id(), std::ptr::from_ref(place) as usize);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&folder, &unfinished, flags, Mode::RUSR | Mode::WUSR)?;
        // Where there are no locks, nobody waits.
        let _ = rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive);
        Ok(Unfinished { folder, file: file.into(), unfinished, name, head })
    }

    /// Remembers that a program [brings code](crate::precompiled) that the maker of its place made.
    ///
    /// # Errors
    /// Those of the file system.
    #[doc(hidden)]
    pub fn mark(&self, place: &Place) -> io::Result<()> {
        let nothing = File::open("/dev/null")?;
        self.put(&place.mark(), [(&nothing, 0, 0), (&nothing, 0, 0)])
    }

    /// Whether it was [marked](Self::mark), and is as it was then.
    #[doc(hidden)]
    pub fn is_marked(&self, place: &Place) -> bool {
        self.get(&place.mark()).is_some()
    }

    /// How much is kept.
    ///
    /// # Errors
    /// Those of the file system.
    #[doc(hidden)]
    pub fn kept(&self) -> io::Result<Kept> {
        let entries = self.entries()?;
        let programs = entries.iter().filter(|entry| !entry.name.ends_with(MARK)).count();
        Ok(Kept { entries: programs, bytes: entries.iter().map(|entry| entry.bytes).sum() })
    }

    /// Removes everything; tells how much it was.
    ///
    /// # Errors
    /// Those of the file system.
    #[doc(hidden)]
    pub fn clear(&self) -> io::Result<Kept> {
        let kept = self.kept()?;
        self.shrink(0)?;
        Ok(kept)
    }

    /// Removes what was not used for the longest time, until no more than so many bytes are left.
    fn shrink(&self, bytes: u64) -> io::Result<()> {
        let mut entries = self.entries()?;
        let mut left: u64 = entries.iter().map(|entry| entry.bytes).sum();
        entries.sort_by_key(|entry| entry.used);
        for entry in entries {
            if left <= bytes {
                break;
            }
            left -= entry.bytes;
            let folder = self.open_folder(&entry.folder)?;
            // Somebody else may have been faster.
            let _ = rustix::fs::unlinkat(&folder, &entry.name, AtFlags::empty());
            let _ = rustix::fs::unlinkat(&self.folder, &entry.folder, AtFlags::REMOVEDIR);
        }
        Ok(())
    }

    /// All entries; what nobody finishes any more is removed on the way.
    fn entries(&self) -> io::Result<Vec<Listed>> {
        let mut all = Vec::new();
        for folder in names(&self.folder)? {
            // Whatever else is there is not ours.
            let Ok(inside) = self.open_folder(&folder) else { continue };
            for name in names(&inside)? {
                let Ok(stat) = rustix::fs::statat(&inside, &name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
                let used =
                    SystemTime::UNIX_EPOCH + Duration::new(stat.st_mtime.max(0) as u64, stat.st_mtime_nsec as u32);
                if !name.starts_with(UNFINISHED) {
                    let bytes = stat.st_size.max(0) as u64;
                    all.push(Listed { folder: folder.clone(), name, bytes, used });
                } else if used.elapsed().is_ok_and(|age| age > ABANDONED) {
                    let _ = rustix::fs::unlinkat(&inside, &name, AtFlags::empty());
                }
            }
        }
        Ok(all)
    }

    /// A folder in it, which has a number as its name.
    fn open_folder(&self, name: &str) -> io::Result<OwnedFd> {
        if !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(rustix::fs::openat(&self.folder, name, OPEN | OFlags::DIRECTORY, Mode::empty())?)
    }
}

/// An entry that was begun, and is removed if it is not finished.
#[derive(Debug)]
pub struct Unfinished {
    folder: OwnedFd,
    /// Locked as long as somebody finishes it.
    file: File,
    unfinished: String,
    name: String,
    head: [u8; HEAD],
}

impl Unfinished {
    /// Writes two parts of files into it: where each begins, and its bytes.
    ///
    /// # Errors
    /// Those of the file system; then what was kept before still is.
    pub fn finish(mut self, cache: &Cache, parts: [(&File, u64, u64); 2]) -> io::Result<()> {
        self.file.write_all(&self.head)?;
        self.file.write_all(&parts[0].2.to_le_bytes())?;
        for (mut contents, start, length) in parts {
            contents.seek(SeekFrom::Start(start))?;
            if io::copy(&mut contents.take(length), &mut self.file)? != length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        rustix::fs::renameat(&self.folder, &self.unfinished, &self.folder, &self.name)?;
        drop(self);
        cache.shrink(ALL)
    }
}

impl Drop for Unfinished {
    /// One that was finished is not there any more under this name.
    fn drop(&mut self) {
        let _ = rustix::fs::unlinkat(&self.folder, &self.unfinished, AtFlags::empty());
    }
}

/// Waits until nobody is about to finish an entry of this name in a folder.
fn wait_for_others(folder: &OwnedFd, name: &str) {
    let end = Instant::now() + PATIENCE;
    let begins = format!("{UNFINISHED}{name}-");
    let unfinished = names(folder).unwrap_or_default().into_iter().filter(|name| name.starts_with(&begins));
    let is_locked = |file: &OwnedFd| {
        matches!(rustix::fs::flock(file, FlockOperation::NonBlockingLockShared), Err(Errno::WOULDBLOCK))
    };
    for name in unfinished {
        // It may be finished by now.
        let Ok(file) = rustix::fs::openat(folder, &name, OPEN, Mode::empty()) else { continue };
        while is_locked(&file) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

struct Listed {
    folder: String,
    name: String,
    bytes: u64,
    used: SystemTime,
}

/// The names in a folder that are text, as all of ours are.
fn names(folder: impl AsFd) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        if let Ok(name) = entry.file_name().to_str()
            && !matches!(name, "." | "..")
        {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// Whether nobody but this user, and whoever may do everything, can write it.
fn is_own(stat: &Stat) -> bool {
    let others = Mode::WGRP | Mode::WOTH;
    stat.st_uid == rustix::process::geteuid().as_raw() && !Mode::from_raw_mode(stat.st_mode).intersects(others)
}

fn is_file(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn place(program: &[u8]) -> Place {
        let place = Place { len: program.len() as u64, hash: OnceLock::new(), variant: "", maker: Maker([7; 40]) };
        place.find(Hasher::of(program));
        place
    }

    fn contents(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn cache() -> (tempfile::TempDir, Cache) {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(&folder.path().join("a/b")).unwrap();
        (folder, cache)
    }

    fn put(cache: &Cache, program: &[u8], bytes: &[u8]) {
        let (file, half) = (contents(bytes), bytes.len() as u64 / 2);
        cache.put(&place(program), [(&file, 0, half), (&file, half, bytes.len() as u64 - half)]).unwrap();
    }

    /// Both parts of what is kept, put together.
    fn get(cache: &Cache, place: &Place) -> Option<Vec<u8>> {
        let entry = cache.get(place)?;
        let part = |part| {
            let (mut from, to) = std::io::pipe().unwrap();
            entry.write(part, &File::from(OwnedFd::from(to))).unwrap();
            let mut all = Vec::new();
            from.read_to_end(&mut all).unwrap();
            all
        };
        Some([part(0), part(1)].concat())
    }

    #[test]
    fn what_is_put_is_got_for_the_same_program_only() {
        let (_folder, cache) = cache();
        assert!(cache.get(&place(b"program")).is_none() && !cache.may_have(&place(b"program")));
        put(&cache, b"program", b"first");
        put(&cache, b"program", b"second");
        assert!(cache.may_have(&place(b"another")) && !cache.may_have(&place(b"a longer one")));
        put(&cache, b"another", b"third");
        assert_eq!(get(&cache, &place(b"program")).unwrap(), b"second");
        assert_eq!(get(&cache, &place(b"another")).unwrap(), b"third");
        assert!(cache.get(&place(b"progrem")).is_none());
        assert!(cache.get(&Place { variant: "-f", ..place(b"program") }).is_none());
        assert!(cache.get(&Place { maker: Maker([8; 40]), ..place(b"program") }).is_none());
        assert_eq!(cache.clear().unwrap(), Kept { entries: 2, bytes: 2 * (HEAD + LENGTH) as u64 + 11 });
        assert_eq!(cache.kept().unwrap(), Kept::default());
    }

    /// Where the entry of a program is.
    fn entry(cache: &Cache, of: &Place) -> PathBuf {
        cache.path().join(of.folder()).join(of.entry().unwrap().0)
    }

    #[test]
    fn an_entry_that_stands_in_the_place_of_another_is_none() {
        let (_folder, cache) = cache();
        put(&cache, b"program", b"first");
        let moved = entry(&cache, &place(b"victims"));
        std::fs::rename(entry(&cache, &place(b"program")), &moved).unwrap();
        assert!(cache.get(&place(b"victims")).is_none());
        // Nor is what is cut off before it says whose it is.
        std::fs::write(&moved, b"pinfold").unwrap();
        assert!(cache.get(&place(b"victims")).is_none());
        // Nor one whose parts are not where it says.
        for length in [0_u64, 1, u64::MAX - 7, u64::MAX] {
            let contents: Vec<u8> =
                place(b"victims").entry().unwrap().1.into_iter().chain(length.to_le_bytes()).collect();
            std::fs::write(&moved, contents).unwrap();
            assert_eq!(cache.get(&place(b"victims")).is_some(), length == 0, "{length}");
        }
    }

    #[test]
    fn what_others_can_write_or_lead_elsewhere_is_not_used() {
        let (folder, cache) = cache();
        put(&cache, b"program", b"first");
        let path = entry(&cache, &place(b"program"));
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o666)).unwrap();
        assert!(cache.get(&place(b"program")).is_none());
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        assert!(cache.get(&place(b"program")).is_some());
        let elsewhere = folder.path().join("elsewhere");
        std::fs::rename(&path, &elsewhere).unwrap();
        symlink(&elsewhere, &path).unwrap();
        assert!(cache.get(&place(b"program")).is_none());
        // What is put takes the place of the link; where that led to stays as it is.
        put(&cache, b"program", b"second");
        assert_eq!(get(&cache, &place(b"program")).unwrap(), b"second");
        assert!(std::fs::read(&elsewhere).unwrap().ends_with(b"first"));
        std::fs::set_permissions(cache.path(), PermissionsExt::from_mode(0o770)).unwrap();
        assert_eq!(Cache::at(cache.path()).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }

    #[test]
    fn what_was_not_used_for_the_longest_time_goes_first() {
        let (_folder, cache) = cache();
        for (age, program) in [(300, b"one"), (200, b"two"), (100, b"six")] {
            put(&cache, program, &[0; 1000]);
            let file = File::options().write(true).open(entry(&cache, &place(program))).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
        }
        // Using it makes it the youngest.
        assert!(cache.get(&place(b"one")).is_some());
        cache.shrink(2300).unwrap();
        let left = [b"one", b"two", b"six"].map(|program| cache.get(&place(program)).is_some());
        assert_eq!(left, [true, false, true]);
    }

    #[test]
    fn many_at_once_find_whole_entries() {
        let (_folder, cache) = cache();
        let texts: Vec<Vec<u8>> = (0..4).map(|text| vec![text; 100_000]).collect();
        std::thread::scope(|scope| {
            for text in &texts {
                scope.spawn(|| {
                    for _ in 0..50 {
                        put(&cache, b"program", text);
                        let found = get(&cache, &place(b"program")).unwrap();
                        assert!(texts.iter().any(|text| **text == found));
                    }
                });
            }
        });
        assert_eq!(cache.kept().unwrap().entries, 1);
    }

    #[test]
    fn who_comes_while_an_entry_is_written_waits_for_it() {
        let (_folder, cache) = cache();
        let contents = contents(b"contents");
        for program in 0..50_u8 {
            let begun = cache.begin(&place(&[program])).unwrap();
            std::thread::scope(|scope| {
                let waiting = scope.spawn(|| get(&cache, &place(&[program])));
                begun.finish(&cache, [(&contents, 0, 3), (&contents, 3, 5)]).unwrap();
                assert_eq!(waiting.join().unwrap().unwrap(), b"contents");
            });
        }
        // What nobody finishes goes, and what was there stays. For another program nobody waits.
        let of = place(&[0]);
        let begun = cache.begin(&of).unwrap();
        assert_eq!(get(&cache, &place(&[1])).unwrap(), b"contents");
        drop(begun);
        assert_eq!(get(&cache, &of).unwrap(), b"contents");
        assert_eq!(std::fs::read_dir(cache.path().join(of.folder())).unwrap().count(), 50);
    }

    #[test]
    fn what_was_never_finished_is_removed_and_what_is_cut_off_is_not_put() {
        let (_folder, cache) = cache();
        assert!(cache.put(&place(b"program"), [(&contents(b"short"), 0, 5), (&contents(b"short"), 1, 5)]).is_err());
        assert_eq!(cache.kept().unwrap(), Kept::default());
        let path = cache.path().join("7").join(".new-1-2");
        std::fs::write(&path, b"x").unwrap();
        cache.kept().unwrap();
        assert!(path.exists());
        let file = File::options().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(7200)).unwrap();
        cache.kept().unwrap();
        assert!(!path.exists());
    }
}
