//! What a sandbox is to be: data that its maker writes, and both sides act on.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::seccomp::{Filter, Refusal, UnknownSyscall};

macro_rules! layers {
    ($($(#[doc = $doc:literal])* $layer:ident $name:literal;)*) => {
        /// A wall, independent of the others as far as the kernel allows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Layer {
            $($(#[doc = $doc])* $layer,)*
        }

        impl Layer {
            /// All of them, in the order in which they are put up.
            pub const ALL: &[Self] = &[$(Self::$layer,)*];

            /// Its name in flags and tables.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$layer => $name,)* }
            }

            /// What it does, one sentence.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$layer => concat!($($doc, " ",)*).trim_ascii(),)* }
            }
        }
    };
}

layers! {
    /// A control group: memory, processes and processors that all of it can have together.
    Cgroup "cgroup";
    /// A user namespace: no identity and no privilege of the host's.
    User "userns";
    /// A process namespace: no other process is there to be named.
    Pid "pidns";
    /// A mount namespace with an empty root: no file is there but what is granted.
    Mount "mountns";
    /// A network namespace: no interface, not even loopback.
    Net "netns";
    /// An IPC namespace: no queue, semaphore or shared memory of others.
    Ipc "ipcns";
    /// A host name of its own.
    Uts "utsns";
    /// A cgroup namespace: the place in the host's tree is hidden.
    CgroupNs "cgroupns";
    /// Resource limits of the process.
    Rlimits "rlimits";
    /// No capability in any set, none to be had again.
    Capabilities "capabilities";
    /// No privilege from running a program, no tracing, and no code that was data.
    NoNewPrivileges "no_new_privs";
    /// Landlock: paths, ports, abstract sockets and signals, whatever the names above say.
    Landlock "landlock";
    /// The system call filter.
    Seccomp "seccomp";
}

impl Layer {
    /// The namespaces: a host that forbids the first to ordinary users gives them none of the others either.
    pub const NAMESPACES: &[Self] =
        &[Self::User, Self::Pid, Self::Mount, Self::Net, Self::Ipc, Self::Uts, Self::CgroupNs];

    /// Whether nobody may go without it, short of having no sandbox at all.
    pub const fn is_indispensable(self) -> bool {
        matches!(self, Self::Capabilities | Self::NoNewPrivileges | Self::Seccomp)
    }

    /// The layer of a name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|layer| layer.name() == name)
    }

    /// The flag by which a process gets this namespace when it is made; zero for what is no namespace.
    pub(crate) const fn clone_flag(self) -> u64 {
        let flag = match self {
            Self::User => libc::CLONE_NEWUSER,
            Self::Pid => libc::CLONE_NEWPID,
            Self::Mount => libc::CLONE_NEWNS,
            Self::Net => libc::CLONE_NEWNET,
            Self::Ipc => libc::CLONE_NEWIPC,
            Self::Uts => libc::CLONE_NEWUTS,
            Self::CgroupNs => libc::CLONE_NEWCGROUP,
            _ => 0,
        };
        flag as u64
    }
}

/// A set of layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layers(u32);

impl Layers {
    /// None of them.
    pub const NONE: Self = Self(0);

    /// All of them.
    pub fn all() -> Self {
        Layer::ALL.iter().fold(Self::NONE, |all, layer| all.with(*layer))
    }

    /// These and one more.
    #[must_use]
    pub const fn with(self, layer: Layer) -> Self {
        Self(self.0 | 1 << layer as u32)
    }

    /// These but one.
    #[must_use]
    pub const fn without(self, layer: Layer) -> Self {
        Self(self.0 & !(1 << layer as u32))
    }

    /// Whether a layer is among them.
    pub const fn has(self, layer: Layer) -> bool {
        self.0 & 1 << layer as u32 != 0
    }

    /// Those that are in the set, in order.
    pub fn iter(self) -> impl Iterator<Item = Layer> {
        Layer::ALL.iter().copied().filter(move |layer| self.has(*layer))
    }
}

/// A directory that is granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    /// Where it is on the host, absolute.
    pub host: PathBuf,
    /// Device and inode that it had when it was granted: what is found under the name later must be the same.
    pub identity: (u64, u64),
    /// What may be done there.
    pub access: Access,
    /// Where it is inside, absolute, if that matters; a short name under the empty root otherwise.
    pub inside: Option<PathBuf>,
}

/// What may be done in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Files are read.
    Read,
    /// They are read, and programs are run.
    Run,
    /// They are read, made, changed and removed.
    Write,
}

impl Directory {
    /// Where the directory is inside, which is granted as the one with this index.
    pub fn place(&self, index: usize) -> PathBuf {
        self.inside.clone().unwrap_or_else(|| PathBuf::from(format!("/{index}")))
    }

    /// Whether it may be changed.
    pub fn is_writable(&self) -> bool {
        self.access == Access::Write
    }
}

/// Bounds of the process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of memory in all: heap, code, stacks, page tables as far as the kernel counts them.
    pub memory: u64,
    /// Open descriptors.
    pub descriptors: u64,
    /// Processes and threads, beside one for each processor. Held by the cgroup alone: no limit of a process counts what root has.
    pub processes: u64,
    /// Processor time.
    pub cpu_time: Option<Duration>,
    /// How much of the processors, in hundredths of one. Held by the cgroup alone.
    pub cpu_percent: Option<u32>,
}

/// A sandbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The walls to put up; one that cannot be is an error.
    pub layers: Layers,
    /// What is there of the file system.
    pub directories: Vec<Directory>,
    /// System calls that are allowed after lock-down, each with who asked for it.
    pub syscalls: Vec<(String, String)>,
    /// What happens at any other.
    pub refusal: Refusal,
    /// Bounds.
    pub limits: Limits,
}

impl Plan {
    /// Whether the supervisor could not take the filter's listener from a process that is not dumpable, so that it becomes so only when
    /// that is done: without a user namespace an ordinary user has no privilege over its processes.
    pub fn seals_late(&self) -> bool {
        self.layers.has(Layer::Seccomp) && self.refusal == Refusal::Notify && !self.layers.has(Layer::User)
    }

    /// The system call filter.
    ///
    /// # Errors
    /// If a name is unknown.
    pub fn filter(&self) -> Result<Filter, UnknownSyscall> {
        let mut filter = Filter::new();
        for (name, why) in &self.syscalls {
            filter.allow(name, why)?;
        }
        Ok(filter)
    }
}
