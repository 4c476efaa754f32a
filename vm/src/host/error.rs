//! How host functions end a run, and how the host's side can fail to start.

use std::path::PathBuf;

/// A host function ended the run; what it merely refuses is an error number for the guest.
///
/// ```
/// use pinfold_vm::host::HostError;
///
/// assert_eq!(HostError::Exit(3).to_string(), "the program exited with code 3");
/// assert!(HostError::OutputLimit.to_string().contains("passed its limit"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// The program ended itself with this code.
    #[error("the program exited with code {0}")]
    Exit(i32),
    /// More output than the limit allows.
    #[error("the program's output passed its limit")]
    OutputLimit,
    /// The run is to be stopped; the function gave up waiting.
    #[error("the host function was interrupted")]
    Interrupted,
    /// The function was called with another number of arguments than its row says.
    #[error("the host function was called with the wrong number of arguments")]
    WrongArguments,
    /// The program met a mistake of its own.
    #[error("panic: {0}")]
    Panic(String),
    /// The program ended itself with an error.
    #[error("{0}")]
    Fail(String),
    /// What a function of Fold's was handed is no capability of the program's, or of another kind.
    #[error("what was handed to the host is no capability of this program, or one of another kind")]
    NoCapability,
    /// What a function of Fold's was handed was closed.
    #[error("the file or connection was closed")]
    ClosedCapability,
    /// No memory is left for what a function gives.
    #[error("the program's memory is used up")]
    OutOfMemory,
    /// The function failed.
    #[error(transparent)]
    Failed(Box<dyn std::error::Error + Send + Sync>),
}

/// Something granted cannot be provided.
///
/// ```
/// use pinfold_vm::host::{Grants, HostSetupError, HostState};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let grants = Grants { dirs: vec!["/there/is/no/such/folder".parse()?], ..Grants::none() };
/// assert!(matches!(HostState::new(&grants), Err(HostSetupError::Directory { .. })));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostSetupError {
    /// A directory cannot be opened.
    #[error("the directory {} cannot be opened: {source}", .path.display())]
    Directory {
        /// The directory on the host.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The kernel cannot resolve paths below a directory: it is older than 5.6, or a filter forbids it.
    #[error("directories cannot be granted on this host: the kernel refuses openat2 ({0})")]
    NoOpenat2(std::io::Error),
    /// A directory through which a program could reach into the process that runs it.
    #[error("the directory {} cannot be granted: its file system (proc) controls processes of the host", .0.display())]
    ControlsProcesses(PathBuf),
    /// Two directories have the same name inside.
    #[error("two directories are granted under the name {0} inside")]
    DuplicateGuestPath(String),
    /// A string for the program holds a zero byte.
    #[error("the {what} {text:?} holds a zero byte")]
    ZeroByte {
        /// Argument, variable or path.
        what: &'static str,
        /// The string.
        text: String,
    },
    /// An environment variable's name is empty or holds `=`.
    #[error("{0:?} is not a name for an environment variable")]
    VariableName(String),
    /// A standard stream cannot be used.
    #[error("the standard {stream} cannot be used: {source}")]
    Stream {
        /// `input`, `output` or `error`.
        stream: &'static str,
        /// Why.
        source: std::io::Error,
    },
}
