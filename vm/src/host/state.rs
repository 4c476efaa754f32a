//! What a running program's host functions work on: granted things, opened once.

use super::clock::Clock;
use super::descriptor::Descriptors;
use super::error::HostSetupError;
use super::fold;
use super::grants::Grants;
use super::random::Random;
use super::record::Sink;

/// The host's side of one program: its descriptors, clocks and settings. One per store.
///
/// ```
/// use pinfold_vm::host::{Grants, HostState};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut host = HostState::new(&Grants::none())?;
/// host.set_output_left(100);
/// assert_eq!(host.output_left(), 100);
/// # Ok(())
/// # }
/// ```
pub struct HostState {
    /// Arguments, without their closing zero byte.
    pub(super) args: Vec<String>,
    /// Variables as `NAME=value`.
    pub(super) environ: Vec<String>,
    pub(super) descriptors: Descriptors,
    pub(super) clock: Option<Clock>,
    pub(super) random: Random,
    /// Bytes that may still be written to standard output and error.
    pub(super) output_left: u64,
    interrupt: Option<Box<dyn Fn() -> bool + Send>>,
    /// Who is told of calls.
    pub(super) recorder: Option<Sink>,
    /// Connections that were handed in.
    pub(super) sockets: usize,
    /// What Fold's host functions keep.
    pub(super) fold: fold::State,
}

/// What a program found of its host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Its arguments.
    pub args: Option<Vec<String>>,
    /// Its environment, `NAME=value`.
    pub environ: Option<Vec<String>>,
    /// Nanoseconds that it had run.
    pub elapsed: u64,
}

impl HostState {
    /// Opens what is granted, but for connections: those are handed in with [`Self::add_socket`], in the order in which they were
    /// granted, before anything else is opened. Nothing is opened by its path afterwards, except below the granted directories.
    ///
    /// # Errors
    /// [`HostSetupError`], if a directory cannot be opened, or an argument or variable cannot be given.
    pub fn new(grants: &Grants) -> Result<Self, HostSetupError> {
        for arg in &grants.args {
            refuse_zero_byte("argument", arg)?;
        }
        let mut environ = Vec::with_capacity(grants.env.len());
        for (name, value) in &grants.env {
            if name.is_empty() || name.contains('=') {
                return Err(HostSetupError::VariableName(name.clone()));
            }
            let entry = format!("{name}={value}");
            refuse_zero_byte("variable", &entry)?;
            environ.push(entry);
        }
        environ.extend(grants.socket_variables());
        Ok(Self {
            args: grants.args.clone(),
            environ,
            descriptors: Descriptors::new(grants)?,
            clock: Clock::new(grants),
            random: Random::new(grants),
            output_left: grants.output_limit,
            interrupt: None,
            recorder: None,
            sockets: 0,
            fold: fold::State::default(),
        })
    }

    /// Sets how waiting functions learn that the run is to be stopped: they ask again after every
    /// signal and every few milliseconds.
    #[doc(hidden)]
    pub fn set_interrupt(&mut self, stop: impl Fn() -> bool + Send + 'static) {
        self.interrupt = Some(Box::new(stop));
    }

    /// Whether the run is to be stopped.
    #[doc(hidden)]
    pub fn interrupted(&self) -> bool {
        self.interrupt.as_ref().is_some_and(|stop| stop())
    }

    /// What its programs found so far that one which goes on with theirs is to find again.
    #[doc(hidden)]
    pub fn found(&self) -> Found {
        let elapsed = self.clock.as_ref().map_or(0, Clock::elapsed);
        Found { args: Some(self.args.clone()), environ: Some(self.environ.clone()), elapsed }
    }

    /// Lets a program that is gone on with find what it found before; what is not said stays as it was granted.
    #[doc(hidden)]
    pub fn go_on_from(&mut self, found: Found) {
        let Found { args, environ, elapsed } = found;
        self.args = args.unwrap_or_else(|| std::mem::take(&mut self.args));
        self.environ = environ.unwrap_or_else(|| std::mem::take(&mut self.environ));
        if let Some(clock) = &mut self.clock {
            clock.go_on_from(elapsed);
        }
    }

    /// Sets how many bytes may be written from now on.
    pub fn set_output_left(&mut self, bytes: u64) {
        self.output_left = bytes;
    }

    /// Bytes that may still be written to standard output and error.
    pub fn output_left(&self) -> u64 {
        self.output_left
    }
}

impl std::fmt::Debug for HostState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostState")
            .field("args", &self.args)
            .field("environ", &self.environ)
            .field("descriptors", &self.descriptors)
            .field("output_left", &self.output_left)
            .finish_non_exhaustive()
    }
}

pub(super) fn refuse_zero_byte(what: &'static str, text: &str) -> Result<(), HostSetupError> {
    if text.contains('\0') {
        return Err(HostSetupError::ZeroByte { what, text: text.into() });
    }
    Ok(())
}

/// A program may run on another thread than the one that prepared it.
const _: fn() = || {
    fn needs_send<T: Send>() {}
    needs_send::<HostState>();
};
