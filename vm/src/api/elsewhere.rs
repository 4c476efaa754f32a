//! Compiling in a process of its own.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use super::engine::{Config, Engine};
use super::error::Result;
use crate::jit::arena::{self, Arena};
use crate::jit::elsewhere::{Earlier, Later, Remote, Service, ServiceError};
use crate::module::Bytes;
use crate::runtime::threads;

/// The other process, as an engine has it whose code it makes.
#[derive(Debug)]
pub struct Compiling {
    /// A stream to it, at whose other end a [`CompilerService`] is.
    pub channel: OwnedFd,
    /// The [code memory](code_memory) that it writes: [as it can be read](readable), nothing more is needed.
    pub code: OwnedFd,
}

/// Memory for code, for two processes: one writes it, one runs it.
///
/// # Errors
/// If the kernel refuses it.
pub fn code_memory() -> io::Result<OwnedFd> {
    arena::file()
}

/// The same file, opened to be read and executed: whoever has this and nothing else can by no road write to it.
///
/// # Errors
/// If it cannot be opened anew; that takes `/proc`.
pub fn readable(file: &OwnedFd) -> io::Result<OwnedFd> {
    let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC;
    Ok(rustix::fs::open(format!("/proc/self/fd/{}", file.as_raw_fd()), flags, rustix::fs::Mode::empty())?)
}

impl Engine {
    /// An engine whose code another process makes, for one module: the first of which anything is compiled. Others are interpreted. All engines
    /// of this process have their code from there, so this is for the first engine of a process, and for one.
    ///
    /// As long as nothing is to be compiled nothing is sent: that process may be started when there is something to be read. Once it is gone, what
    /// is not compiled stays in the interpreter.
    ///
    /// # Errors
    /// If the kernel refuses something, or this process has code memory already.
    #[doc(hidden)]
    pub fn with_compiler(config: &Config, other: Compiling) -> Result<Self> {
        let engine = Self::of(config, true);
        Arena::executed(&other.code).map_err(|error| super::Error::Host(error.into()))?;
        engine.inner.compile_elsewhere(Remote::new(other.channel))?;
        Ok(engine)
    }

    /// Says that the other process has these bytes too: should they be the module, they need not be sent. Before anything is compiled.
    #[doc(hidden)]
    pub fn compiler_has(&self, bytes: &Bytes) {
        if let Some(remote) = self.inner.compiler_if_any().and_then(|compiler| compiler.remote()) {
            remote.share(bytes.clone());
        }
    }
}

/// Compiles for an engine that was made by [`Engine::with_compiler`] under the same settings.
///
/// What it is asked comes from a process that may have been taken over, and the module from nobody that is trusted: this is to run where a guest
/// would be run.
pub struct CompilerService(Service);

impl CompilerService {
    /// Makes what it needs: a process has one.
    ///
    /// `program` are bytes that the other process has too. Large modules are compiled by so many threads more than one; all are made now. Afterwards this takes no
    /// system calls but `read` and `write` of its channel, `futex`, and what the allocator makes.
    ///
    /// # Errors
    /// If the kernel refuses something, or this process has code memory or such threads already; if there is no compiler for this host.
    pub fn new(
        config: &Config,
        channel: OwnedFd,
        code: OwnedFd,
        program: Option<Bytes>,
        threads: usize,
    ) -> Result<Self> {
        threads::prepare(threads + 1).map_err(|error| super::Error::Host(error.into()))?;
        let engine = Engine::of(config, true);
        Arena::written(code).map_err(|error| super::Error::Host(error.into()))?;
        engine.inner.compiler().map_err(Clone::clone)?;
        Ok(Self(Service::new(engine.inner, engine.verifier, channel, program)))
    }

    /// Where what was kept of the module comes from, and where it goes to; the other process asks for either at most once. See
    /// [`Module::keep`](super::Module::keep).
    #[must_use]
    pub fn keeping(self, earlier: Option<Earlier>, later: Option<Later>) -> Self {
        Self(self.0.keeping(earlier, later))
    }

    /// Compiles until the other process is gone.
    ///
    /// # Errors
    /// If what it is asked makes no sense, or the module is not as it was said to be.
    pub fn run(self) -> std::result::Result<(), ServiceError> {
        self.0.run()
    }
}
