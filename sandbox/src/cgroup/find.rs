//! Where groups can be made: from what the kernel tells of this process and of what is mounted.
//!
//! ```text
//!  /proc/self/cgroup      which group this process is in, by hierarchy     4:memory:/user/7      0::/user.slice/shell.scope
//!  /proc/self/mountinfo   where hierarchies are mounted, and from which group on
//! ```
//!
//! In version 1 a group is made below the one that this process is in. In version 2 a group either holds processes or shares its
//! controllers out to groups below, so there it is made beside it: below the nearest ancestor that shares, and may be written.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};

use super::{Controller, Version};

/// A hierarchy of groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hierarchy {
    pub version: Version,
    /// Of version 1: the controllers that it is for.
    pub controllers: Vec<Controller>,
    /// Where it is mounted.
    pub mount: PathBuf,
    /// The group of this process, below that.
    pub own: PathBuf,
}

/// A group below which others can be made.
#[derive(Debug, PartialEq, Eq)]
pub struct Base {
    pub directory: PathBuf,
    /// What it shares out, of what is wanted.
    pub controllers: Vec<Controller>,
    /// What it does not share out of that, each with the reason.
    pub missing: Vec<String>,
    /// Bytes that the groups allow this process between here and where it is: what is made here is to have no more.
    pub memory: u64,
}

/// Where this process is, as the kernel tells.
#[derive(Debug)]
pub struct Here(Vec<u8>);

impl Here {
    /// Asks.
    ///
    /// # Errors
    /// If there is no `/proc`.
    pub fn ask() -> io::Result<Self> {
        read("/proc/self/cgroup").map(Self)
    }

    /// Which version has the memory controller: a controller is in one only.
    pub fn version(&self) -> Version {
        let is_memory = |line: &&[u8]| {
            line.split(|byte| *byte == b':')
                .nth(1)
                .is_some_and(|names| names.split(|b| *b == b',').any(|n| n == b"memory"))
        };
        if lines(&self.0).any(|line| is_memory(&line)) { Version::One } else { Version::Two }
    }

    /// The hierarchies that this process can see.
    ///
    /// # Errors
    /// If there is no `/proc`.
    pub fn hierarchies(&self) -> io::Result<Vec<Hierarchy>> {
        Ok(parse(&self.0, &read("/proc/self/mountinfo")?))
    }
}

/// Reads a file that the kernel makes while it is read: all at once, where it is not large.
fn read(path: &str) -> io::Result<Vec<u8>> {
    let mut text = Vec::with_capacity(16 << 10);
    fs::File::open(path)?.read_to_end(&mut text)?;
    Ok(text)
}

/// From the text of the two files.
fn parse(cgroups: &[u8], mounts: &[u8]) -> Vec<Hierarchy> {
    let mounts: Vec<Mount> = lines(mounts).filter_map(Mount::parse).collect();
    lines(cgroups).filter_map(|line| hierarchy(line, &mounts)).collect()
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n')
}

/// From a line such as `4:memory:/user/7`.
fn hierarchy(line: &[u8], mounts: &[Mount]) -> Option<Hierarchy> {
    let mut fields = line.splitn(3, |byte| *byte == b':');
    let (number, names, path) = (fields.next()?, fields.next()?, Path::new(OsStr::from_bytes(fields.next()?)));
    let version = if number == b"0" && names.is_empty() { Version::Two } else { Version::One };
    let names: Vec<&[u8]> = names.split(|byte| *byte == b',').collect();
    let controllers: Vec<Controller> = names.iter().filter_map(|name| Controller::by_name(name)).collect();
    if version == Version::One && controllers.is_empty() {
        return None;
    }
    let is_it = |mount: &&Mount| match version {
        Version::Two => mount.kind == b"cgroup2",
        Version::One => mount.kind == b"cgroup" && names.iter().all(|name| mount.has(name)),
    };
    // What is above the group from which on it is mounted cannot be reached.
    mounts.iter().filter(is_it).find_map(|mount| {
        let below = path.strip_prefix(&mount.root).ok()?;
        let own = if below.as_os_str().is_empty() { mount.point.clone() } else { mount.point.join(below) };
        Some(Hierarchy { version, controllers: controllers.clone(), mount: mount.point.clone(), own })
    })
}

/// A file system that is mounted.
struct Mount<'a> {
    /// The directory of it that is seen.
    root: PathBuf,
    /// Where.
    point: PathBuf,
    kind: &'a [u8],
    /// Of the file system, not of the place.
    options: &'a [u8],
}

impl<'a> Mount<'a> {
    /// From a line such as `35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory`.
    fn parse(line: &'a [u8]) -> Option<Self> {
        let mut fields = line.split(|byte| *byte == b' ');
        let (root, point) = (fields.nth(3)?, fields.next()?);
        // Optional fields end with a dash.
        fields.find(|field| *field == b"-")?;
        let (kind, options) = (fields.next()?, fields.nth(1)?);
        Some(Self { root: unescape(root), point: unescape(point), kind, options })
    }

    fn has(&self, option: &[u8]) -> bool {
        self.options.split(|byte| *byte == b',').any(|other| other == option)
    }
}

/// Blanks and the like are written as a backslash and three octal digits.
fn unescape(field: &[u8]) -> PathBuf {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let [byte, tail @ ..] = rest {
        let code = match (byte, tail) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..]) => {
                Some((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'))
            }
            _ => None,
        };
        out.push(code.unwrap_or(*byte));
        rest = if code.is_some() { &tail[3..] } else { tail };
    }
    PathBuf::from(std::ffi::OsString::from_vec(out))
}

/// Where groups with these controllers can be made in a hierarchy of version 2; memory is indispensable.
///
/// # Errors
/// Why not, in words.
pub fn base(hierarchy: &Hierarchy, wanted: &[Controller]) -> Result<Base, String> {
    let mut memory = u64::MAX;
    let mut reasons = Vec::new();
    for directory in hierarchy.own.ancestors().take_while(|directory| directory.starts_with(&hierarchy.mount)) {
        match shared(directory, wanted) {
            Ok((controllers, missing)) => {
                return Ok(Base { directory: directory.into(), controllers, missing, memory });
            }
            Err(why) => reasons.push(format!("{} {why}", directory.display())),
        }
        let limit = fs::read_to_string(directory.join("memory.max")).unwrap_or_default();
        memory = memory.min(limit.trim().parse().unwrap_or(u64::MAX));
    }
    // Those further up are nobody's but root's.
    reasons.truncate(2);
    Err(reasons.join("; "))
}

/// What a group shares out to those below, of what is wanted, and why it does not share the rest; or why nothing.
fn shared(directory: &Path, wanted: &[Controller]) -> Result<(Vec<Controller>, Vec<String>), String> {
    let list = |name: &str| match fs::read(directory.join(name)) {
        Ok(text) => Ok(text.split(u8::is_ascii_whitespace).filter_map(Controller::by_name).collect::<Vec<_>>()),
        Err(error) => Err(format!("has no {name} to be read: {error}")),
    };
    let there = list("cgroup.controllers")?;
    if !there.contains(&Controller::Memory) {
        return Err("has no memory controller".into());
    }
    // To make a process in a group below is to take it there from where its maker is: past this one.
    for (name, access) in [("", Access::WRITE_OK | Access::EXEC_OK), ("cgroup.procs", Access::WRITE_OK)] {
        accessat(CWD, directory.join(name), access, AtFlags::EACCESS)
            .map_err(|error| format!("may not be written: {error}"))?;
    }
    let is_shared = list("cgroup.subtree_control")?;
    let (mut controllers, mut missing) = (Vec::new(), Vec::new());
    for controller in wanted.iter().copied().filter(|controller| *controller != Controller::Cpuacct) {
        let name = controller.name();
        let share = || fs::write(directory.join("cgroup.subtree_control"), format!("+{name}"));
        let is_there = there.contains(&controller);
        match if is_shared.contains(&controller) || !is_there { Ok(()) } else { share() } {
            Ok(()) if is_there => controllers.push(controller),
            Ok(()) => missing.push(format!("{} has no {name} controller", directory.display())),
            Err(error) if controller == Controller::Memory => {
                return Err(format!("cannot share its memory controller out: {error}"));
            }
            Err(error) => missing.push(format!("{} cannot share {name} out: {error}", directory.display())),
        }
    }
    Ok((controllers, missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CGROUPS: &[u8] = b"9:name=systemd:/\n8:pids:/\n4:memory:/jobs/7\n2:cpu,cpuacct:/jobs\n0::/\n";
    const MOUNTS: &[u8] = b"\
22 27 0:21 / /proc rw,relatime shared:5 - proc proc rw
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime master:1 propagate_from:2 - cgroup cgroup rw,memory
33 31 0:30 /jobs /sys/fs/cgroup/my\\040cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
";

    fn found(cgroups: &[u8], mounts: &[u8]) -> Vec<(Version, Vec<Controller>, String)> {
        let all = parse(cgroups, mounts).into_iter();
        all.map(|h| (h.version, h.controllers, h.own.display().to_string())).collect()
    }

    #[test]
    fn hierarchies_are_found_where_they_are_mounted() {
        use Controller::*;
        assert_eq!(
            found(CGROUPS, MOUNTS),
            [
                (Version::One, vec![Memory], "/sys/fs/cgroup/memory/jobs/7".into()),
                (Version::One, vec![Cpu, Cpuacct], "/sys/fs/cgroup/my cpu".into()),
                (Version::Two, vec![], "/sys/fs/cgroup/unified".into()),
            ]
        );
    }

    #[test]
    fn a_group_that_is_not_below_what_is_mounted_is_not_reached() {
        let mounts = b"35 31 0:32 /jobs/8 /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        for path in ["/", "/jobs", "/jobs/88", "/../jobs/8"] {
            assert_eq!(found(format!("0::{path}\n").as_bytes(), mounts), [], "{path}");
        }
        let inside = (Version::Two, vec![], "/sys/fs/cgroup/a".to_owned());
        assert_eq!(found(b"0::/jobs/8/a\n", mounts), [inside]);
    }

    #[test]
    fn damaged_tables_are_no_hierarchies() {
        for (cgroups, mounts) in [
            (&b""[..], MOUNTS),
            (CGROUPS, &b""[..]),
            (b"0:\n4\n:\n::\n", MOUNTS),
            (b"\xff:\xff:\xff\n", b"\xff \xff \xff"),
            (CGROUPS, b"1 2 3 / /x rw cgroup2 cgroup2 rw\n35 31 0:32 / /m rw -\n"),
        ] {
            assert_eq!(found(cgroups, mounts), []);
        }
    }

    #[test]
    fn escapes_are_undone_where_they_are_some() {
        assert_eq!(unescape(br"/a\040b\134c\011"), Path::new("/a b\\c\t"));
        assert_eq!(unescape(br"/a\04"), Path::new(r"/a\04"));
        assert_eq!(unescape(br"/a\999\777"), Path::new(r"/a\999\777"));
    }

    /// A hierarchy of version 2 that is made of plain files: for each directory what its controllers are, and what it shares out.
    struct Tree(tempfile::TempDir);

    impl Tree {
        fn new(groups: &[(&str, &str, &str)]) -> Self {
            let tree = tempfile::tempdir().unwrap();
            for (path, controllers, shared) in groups {
                let directory = tree.path().join(path);
                fs::create_dir_all(&directory).unwrap();
                for (name, text) in
                    [("cgroup.controllers", *controllers), ("cgroup.subtree_control", *shared), ("cgroup.procs", "1")]
                {
                    fs::write(directory.join(name), text).unwrap();
                }
            }
            Self(tree)
        }

        fn write(&self, path: &str, text: &str) {
            fs::write(self.0.path().join(path), text).unwrap();
        }

        /// The base for a process in this group, as a path of the tree.
        fn base(&self, own: &str) -> Result<(String, Vec<Controller>, u64), String> {
            let mount = self.0.path().to_owned();
            let hierarchy =
                Hierarchy { version: Version::Two, controllers: vec![], own: mount.join(own), mount: mount.clone() };
            let base = base(&hierarchy, Controller::ALL)?;
            let below = base.directory.strip_prefix(mount).unwrap().display().to_string();
            Ok((below, base.controllers, base.memory))
        }
    }

    #[test]
    fn a_group_is_made_beside_the_own_one_where_that_shares_nothing() {
        use Controller::*;
        let tree = Tree::new(&[
            ("", "cpu memory pids", "cpu memory pids"),
            ("app.slice", "memory pids", "memory pids"),
            ("app.slice/run.scope", "memory pids", ""),
        ]);
        // The kernel refuses to share out of a group that has processes; a directory in the place of the file does so too.
        let control = tree.0.path().join("app.slice/run.scope/cgroup.subtree_control");
        fs::remove_file(&control).unwrap();
        fs::create_dir(&control).unwrap();
        assert_eq!(tree.base("app.slice/run.scope"), Ok(("app.slice".into(), vec![Memory, Pids], u64::MAX)));
        // What bounds this process bounds what it makes.
        tree.write("app.slice/run.scope/memory.max", "1000\n");
        assert_eq!(tree.base("app.slice/run.scope"), Ok(("app.slice".into(), vec![Memory, Pids], 1000)));
        tree.write("app.slice/run.scope/memory.max", "max\n");
        assert_eq!(tree.base("app.slice/run.scope"), Ok(("app.slice".into(), vec![Memory, Pids], u64::MAX)));
    }

    #[test]
    fn what_is_not_shared_out_yet_is() {
        let tree = Tree::new(&[("delegated", "cpu memory", "")]);
        let expected = ("delegated".into(), vec![Controller::Memory, Controller::Cpu], u64::MAX);
        assert_eq!(tree.base("delegated"), Ok(expected));
        let written = fs::read_to_string(tree.0.path().join("delegated/cgroup.subtree_control")).unwrap();
        assert!(written.starts_with('+'), "{written}");
    }

    #[test]
    fn without_a_memory_controller_or_the_right_to_write_there_is_no_base_and_a_reason() {
        let tree = Tree::new(&[("", "", ""), ("a", "pids", "pids"), ("a/b", "memory", "memory")]);
        fs::remove_file(tree.0.path().join("a/b/cgroup.procs")).unwrap();
        let why = tree.base("a/b").unwrap_err();
        assert!(why.contains("a/b may not be written") && why.contains("a has no memory controller"), "{why}");
        let why = tree.base("gone").unwrap_err();
        assert!(why.contains("cgroup.controllers"), "{why}");
    }
}
