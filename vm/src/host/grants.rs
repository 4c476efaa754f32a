//! What the owner of a program lets it have: one value, plain data, that the host table and every
//! other layer derive from.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::NetGrant;

/// Everything that is granted to a program. The default is nothing.
///
/// ```
/// use pinfold_vm::host::{ClockGrant, Console, DirGrant, Grants};
///
/// let data = DirGrant { name: None, host: "stock".into(), guest: "/data".into(), writable: false };
/// let grants = Grants {
///     args: vec!["report".into(), "-v".into()],
///     dirs: vec![data],
///     console: Console::Inherit,
///     clock: Some(ClockGrant::default()),
///     ..Grants::none()
/// };
/// assert!(!grants.random && grants.net.is_empty());
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Grants {
    /// The program's arguments, its own name first.
    pub args: Vec<String>,
    /// Environment variables: names and values.
    pub env: Vec<(String, String)>,
    /// Directories.
    pub dirs: Vec<DirGrant>,
    /// Whether paths below them are walked step by step, with calls whose flags alone show that they stay there: for a process that other
    /// directories are hidden from by nothing else. Symbolic links are not followed or read then, and times not set.
    pub stepwise: bool,
    /// Connections.
    pub net: Vec<NetGrant>,
    /// Standard input.
    pub stdin: Stdin,
    /// Standard output and error.
    pub console: Console,
    /// Which of standard input, output and error the program is to take for terminals although they are none here: what is at their other
    /// ends is.
    pub terminals: [bool; 3],
    /// Clocks, or none.
    pub clock: Option<ClockGrant>,
    /// Random bytes.
    pub random: bool,
    /// A seed: random bytes come from it, clocks are virtual and start at a fixed time, waiting
    /// takes no real time.
    pub deterministic: Option<u64>,
    /// Bytes that may be written to standard output and error together.
    pub output_limit: u64,
    /// Descriptors that may be open at a time, standard streams and granted directories included.
    pub handle_limit: usize,
}

/// A directory of the host that a program may use.
///
/// ```
/// use pinfold_vm::host::DirGrant;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // As it is written on a command line.
/// let data: DirGrant = "data=/srv/stock::/data:rw".parse()?;
/// assert_eq!((data.name.as_deref(), data.guest.as_str(), data.writable), (Some("data"), "/data", true));
/// assert_eq!(data.to_string(), "data=/srv/stock::/data:rw");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DirGrant {
    /// The parameter it is bound to, for programs whose grants have names.
    pub name: Option<String>,
    /// Where it is.
    pub host: PathBuf,
    /// Where the program sees it.
    pub guest: String,
    /// Whether it may be changed.
    pub writable: bool,
}

/// How clocks behave.
///
/// ```
/// use pinfold_vm::host::ClockGrant;
///
/// let hourly = ClockGrant { resolution: std::time::Duration::from_secs(3600) };
/// assert!(ClockGrant::default().resolution < hourly.resolution);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ClockGrant {
    /// Times are rounded down to multiples of this, since a fine clock lets a program measure
    /// what else the machine does.
    pub resolution: Duration,
}

/// Where standard input comes from.
///
/// ```
/// use pinfold_vm::host::{Grants, Stdin};
///
/// let grants = Grants { stdin: Stdin::Bytes(b"Ada\n".as_slice().into()), ..Grants::none() };
/// ```
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Stdin {
    /// It is empty.
    #[default]
    Empty,
    /// The process's own.
    Inherit,
    /// These bytes.
    Bytes(Arc<[u8]>),
}

/// Where standard output and error go.
///
/// ```
/// use pinfold_vm::host::{Console, Grants, HostState};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::{Arc, Mutex};
///
/// let stdout: Arc<Mutex<Vec<u8>>> = Arc::default();
/// let console = Console::Capture { stdout: stdout.clone(), stderr: Arc::default() };
/// let host = HostState::new(&Grants { console, ..Grants::none() })?;
/// // What its program writes is there then.
/// assert!(stdout.lock().expect("nobody panics with it").is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Console {
    /// Nowhere: what is written is discarded.
    #[default]
    Discard,
    /// To the process's own.
    Inherit,
    /// Into these buffers.
    #[cfg_attr(feature = "serde", serde(skip))]
    Capture {
        /// Receives standard output.
        stdout: Arc<Mutex<Vec<u8>>>,
        /// Receives standard error.
        stderr: Arc<Mutex<Vec<u8>>>,
    },
}

impl Default for Grants {
    fn default() -> Self {
        Self::none()
    }
}

impl Grants {
    /// Nothing, with the limits that libraries have by default.
    pub fn none() -> Self {
        Self {
            args: Vec::new(),
            env: Vec::new(),
            dirs: Vec::new(),
            stepwise: false,
            net: Vec::new(),
            stdin: Stdin::Empty,
            console: Console::Discard,
            terminals: [false; 3],
            clock: None,
            random: false,
            deterministic: None,
            output_limit: 16 << 20,
            handle_limit: 64,
        }
    }

    /// What `pinfold run` grants by default: console, clock at 1 ms, random.
    pub fn command() -> Self {
        Self {
            stdin: Stdin::Inherit,
            console: Console::Inherit,
            clock: Some(ClockGrant::default()),
            random: true,
            output_limit: 256 << 20,
            handle_limit: 256,
            ..Self::none()
        }
    }
}

impl Default for ClockGrant {
    fn default() -> Self {
        Self { resolution: Duration::from_millis(1) }
    }
}

/// A directory grant is written `[NAME=]HOST[::GUEST][:rw]`.
///
/// ```
/// use pinfold_vm::host::DirGrant;
///
/// let wrong = "/srv::".parse::<DirGrant>().unwrap_err();
/// assert_eq!(wrong.problem, "GUEST is empty");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the directory {text:?} is not written [NAME=]HOST[::GUEST][:rw]: {problem}")]
pub struct DirGrantError {
    /// What was written.
    pub text: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl FromStr for DirGrant {
    type Err = DirGrantError;

    fn from_str(text: &str) -> Result<Self, DirGrantError> {
        let error = |problem| DirGrantError { text: text.into(), problem };
        let (rest, writable) = match text.strip_suffix(":rw") {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let (host, guest) = match rest.split_once("::") {
            Some((host, guest)) => (host, Some(guest)),
            None => (rest, None),
        };
        // A name is an identifier, so a path that holds `=` elsewhere stays a path.
        let (name, host) = match host.split_once('=') {
            Some((name, host)) if is_identifier(name) => (Some(name), host),
            _ => (None, host),
        };
        if host.is_empty() {
            return Err(error("HOST is missing"));
        }
        let guest = match (guest, name) {
            (Some(""), _) => return Err(error("GUEST is empty")),
            (Some(guest), _) => guest.to_string(),
            (None, Some(name)) => format!("/{name}"),
            (None, None) => host.to_string(),
        };
        Ok(Self { name: name.map(str::to_string), host: host.into(), guest, writable })
    }
}

impl fmt::Display for DirGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "{name}=")?;
        }
        write!(f, "{}::{}{}", self.host.display(), self.guest, if self.writable { ":rw" } else { "" })
    }
}

/// Whether this can be the name of a parameter.
pub(super) fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Option<String>, String, String, bool) {
        let grant: DirGrant = text.parse().unwrap();
        (grant.name, grant.host.display().to_string(), grant.guest, grant.writable)
    }

    #[test]
    fn directories_are_read_only_and_keep_their_path_by_default() {
        assert_eq!(parse("/srv/data"), (None, "/srv/data".into(), "/srv/data".into(), false));
        assert_eq!(parse("."), (None, ".".into(), ".".into(), false));
    }

    #[test]
    fn name_guest_path_and_mode_are_understood() {
        assert_eq!(parse("in=/srv"), (Some("in".into()), "/srv".into(), "/in".into(), false));
        assert_eq!(parse("in=/srv::/data:rw"), (Some("in".into()), "/srv".into(), "/data".into(), true));
        assert_eq!(parse("/srv::/:rw"), (None, "/srv".into(), "/".into(), true));
        assert_eq!(parse("/a=b"), (None, "/a=b".into(), "/a=b".into(), false));
    }

    #[test]
    fn what_is_written_is_read_back() {
        for text in ["/srv::/srv", "in=/srv::/in", "in=/srv::/data:rw"] {
            assert_eq!(text.parse::<DirGrant>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn missing_parts_are_errors() {
        for text in ["", ":rw", "in=", "/srv::", "/srv:::rw"] {
            assert!(text.parse::<DirGrant>().is_err(), "{text}");
        }
    }
}
