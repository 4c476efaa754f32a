//! What an import needs to be there at all.

use super::Grants;

/// What a row of the table needs before a program that imports it may run.
///
/// Some rows carry no authority of their own: what `fd_write` can reach is decided by the
/// descriptors that exist, and every program built with wasi-libc imports the file functions
/// whether it uses them or not. Those are always there, and find nothing where nothing was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Capability {
    /// Arguments, exit, yielding, waiting.
    Process,
    /// Environment variables; an empty environment without a grant.
    Environment,
    /// Descriptors and paths: standard streams and directories, as far as they were granted.
    Files,
    /// Connections that were granted, and handed in by the host.
    Sockets,
    /// Reading clocks.
    Clock,
    /// Random bytes.
    Random,
}

impl Capability {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Process, Self::Environment, Self::Files, Self::Sockets, Self::Clock, Self::Random];

    /// Its name, one lower-case word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Environment => "environment",
            Self::Files => "files",
            Self::Sockets => "sockets",
            Self::Clock => "clock",
            Self::Random => "random",
        }
    }

    /// What it stands for, one sentence.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Process => "Arguments, exit and waiting: always there, reaches nothing outside.",
            Self::Environment => "Environment variables: always there, empty unless variables are granted.",
            Self::Files => {
                "Descriptors and paths: always there, reaches the standard streams and the granted directories only."
            }
            Self::Sockets => "Connections: always there, reaches only those that were granted.",
            Self::Clock => "The time of day, elapsed time and processor time.",
            Self::Random => "Random bytes.",
        }
    }

    /// How `pinfold run` is told to grant it, or more of it.
    pub const fn flag(self) -> &'static str {
        match self {
            Self::Process => "nothing: always there",
            Self::Environment => "--env KEY[=VALUE]",
            Self::Files => "--dir [NAME=]HOST[::GUEST][:rw]",
            Self::Sockets => "--net [NAME=]HOST:PORT, --listen [NAME=]ADDR:PORT",
            Self::Clock => "default, unless --none or --no-clock",
            Self::Random => "default, unless --none or --no-random",
        }
    }

    /// Whether rows that need it exist whatever was granted.
    pub const fn is_always_there(self) -> bool {
        !matches!(self, Self::Clock | Self::Random)
    }
}

impl Grants {
    /// Whether rows that need this capability exist for the program.
    #[doc(hidden)]
    pub fn allows(&self, capability: Capability) -> bool {
        match capability {
            Capability::Process | Capability::Environment | Capability::Files | Capability::Sockets => true,
            Capability::Clock => self.clock.is_some() || self.deterministic.is_some(),
            Capability::Random => self.random || self.deterministic.is_some(),
        }
    }
}
