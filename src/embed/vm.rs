//! The machine as a host sets it up.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pinfold_vm::api::{Config, Engine, Linker, Module, Tier};
use pinfold_vm::host;

use super::capability::{self, Declares, Made};
use super::confined::Workers;
use super::error::{Error, Result};
use super::guest::{self, BufferTypes, Host, machine};
use super::program::Program;
use super::sections;
#[cfg(feature = "workers")]
use crate::cache::Cache;

/// What a program may use, each time that it is called. All of it is finite, unless it is said otherwise.
///
/// ```
/// use pinfold::Vm;
///
/// # fn main() -> Result<(), pinfold::Error> {
/// use std::time::Duration;
///
/// let vm = Vm::builder().deadline(Duration::from_secs(1)).memory(64 << 20).build()?;
/// let program = vm.compile("double.fold", "pub fn double(n: Int) -> Int { 2 * n }")?;
/// // For one program, or one call, of it.
/// let careful = program.with_limits(|limits| limits.fuel = Some(10_000));
/// assert_eq!(careful.call::<i64>("double", (21,))?, 42);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Units of fuel; without, none is counted.
    pub fuel: Option<u64>,
    /// Bytes of memory.
    pub memory: u64,
    /// How long it may take.
    pub deadline: Option<Duration>,
    /// Bytes of its stack.
    pub stack: usize,
    /// Bytes that it writes, and bytes of what a function gives.
    pub output: u64,
    /// Files, directories and connections that are open at a time.
    pub handles: usize,
}

impl Default for Limits {
    /// 10⁹ units of fuel, 256 MiB of memory, 5 s, 1 MiB of stack, 16 MiB of output, 64 handles.
    fn default() -> Self {
        Self {
            fuel: Some(1_000_000_000),
            memory: 256 << 20,
            deadline: Some(Duration::from_secs(5)),
            stack: 1 << 20,
            output: 16 << 20,
            handles: 64,
        }
    }
}

impl Limits {
    /// As the machine's host functions have them.
    pub(crate) fn machine(&self) -> host::Grants {
        host::Grants { output_limit: self.output, handle_limit: self.handles, ..host::Grants::none() }
    }
}

/// Where programs are compiled and run.
///
/// ```
/// use pinfold::{Error, Isolation, Vm};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// let vm = Vm::builder().isolation(Isolation::Worker).worker("/there/is/no/worker").build()?;
/// // It compiles there too: nothing of a stranger's is read in this process.
/// assert!(matches!(vm.compile("hello.fold", "let n = 1"), Err(Error::Worker(_))));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Isolation {
    /// In this process: fastest, and what capabilities of the host's own take. A program is held by the machine alone.
    #[default]
    InProcess,
    /// In a process of their own each time, which is locked down before it reads a byte of them: held by the kernel too, whatever becomes of
    /// the machine. It takes milliseconds, the executable `pinfold-worker`, and the feature `workers`.
    Worker,
}

/// A machine that compiles and runs programs in Fold. Cheap to clone; programs of one can be used on any thread.
///
/// ```
/// use std::time::Duration;
/// use pinfold::{Console, Vm, grants};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// let vm = Vm::builder().fuel(50_000_000).memory(64 << 20).deadline(Duration::from_secs(2)).build()?;
/// let source = r#"
///     pub fn score(word: String, weight: Int) -> Int { word.len() * weight }
///     fn main(out: Console) { out.print("abc scores {score("abc", 3)}") }
/// "#;
/// let program = vm.compile("report.fold", source)?;
/// assert_eq!(program.needs(), [("out", "Console")]);
/// let out = Console::capture();
/// program.run(grants! { out: out.clone() })?;
/// assert_eq!(out.text(), "abc scores 9\n");
/// let score: i64 = program.call("score", ("abcd", 3))?;
/// assert_eq!(score, 12);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Vm(pub(super) Arc<Inner>);

pub(crate) struct Inner {
    pub engine: Engine,
    pub linker: Linker<Host>,
    pub types: Arc<BufferTypes>,
    pub limits: Limits,
    /// Where programs run, if not here.
    pub workers: Option<Workers>,
    /// The module `host` of the host's own capabilities, if it has any.
    pub host: Option<Arc<str>>,
}

/// Settings of a [`Vm`].
///
/// ```
/// use pinfold::{Tier, Vm};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// use std::time::Duration;
///
/// let vm = Vm::builder()
///     .fuel(50_000_000)
///     .deadline(Duration::from_secs(2))
///     .memory(64 << 20)
///     .stack(512 << 10)
///     .output(1 << 20)
///     .handles(16)
///     .tier(Tier::Interpreter)
///     .build()?;
/// let program = vm.compile("double.fold", "pub fn double(n: Int) -> Int { 2 * n }")?;
/// assert_eq!(program.call::<i64>("double", (21,))?, 42);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct VmBuilder {
    limits: Limits,
    tier: Tier,
    isolation: Isolation,
    worker: Option<PathBuf>,
    spare_workers: usize,
    #[cfg(feature = "workers")]
    cache: Option<Arc<Cache>>,
    capabilities: Vec<Made>,
}

impl Vm {
    /// One with the [limits](Limits) that there are by default.
    ///
    /// # Errors
    /// As [`VmBuilder::build`].
    pub fn new() -> Result<Self> {
        Self::builder().build()
    }

    /// One with settings.
    pub fn builder() -> VmBuilder {
        VmBuilder::default()
    }

    /// Makes a program of what [`Program::module`] gave of one, on a machine with the same capabilities of the host's own. No compiler is
    /// needed for it.
    ///
    /// ```
    /// # fn main() -> Result<(), pinfold::Error> {
    /// # #[cfg(feature = "compiler")] {
    /// let compiled = pinfold::Vm::new()?.compile("double.fold", "pub fn double(n: Int) -> Int { 2 * n }")?.module().to_vec();
    /// // In another process, perhaps.
    /// let program = pinfold::Vm::new()?.load(compiled)?;
    /// assert_eq!(program.call::<i64>("double", (21,))?, 42);
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// It may be anything, as a source may: it is verified.
    ///
    /// # Errors
    /// If it is no module, or of a machine with other capabilities.
    pub fn load(&self, module: impl Into<Vec<u8>>) -> Result<Program> {
        let module = module.into();
        let host = sections::find(&module, sections::HOST);
        if host.is_some_and(|host| host != self.0.host.as_deref().unwrap_or_default().as_bytes()) {
            return Err(Error::Grant("the program was compiled for other capabilities of its host".into()));
        }
        match &self.0.workers {
            Some(workers) => Program::sealed(self.0.clone(), workers.clone(), workers.load(module)?),
            None => Program::new(self.0.clone(), Module::new(&self.0.engine, module).map_err(machine)?),
        }
    }
}

impl std::fmt::Debug for Vm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vm").field("limits", &self.0.limits).finish_non_exhaustive()
    }
}

impl VmBuilder {
    /// Units of fuel that a call may use; `None` counts none, which is a little faster.
    #[must_use]
    pub fn fuel(mut self, units: impl Into<Option<u64>>) -> Self {
        self.limits.fuel = units.into();
        self
    }

    /// How long a call may take; `None`: as long as it likes.
    #[must_use]
    pub fn deadline(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.limits.deadline = time.into();
        self
    }

    /// Bytes of memory that a program may have.
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.limits.memory = bytes;
        self
    }

    /// Bytes of stack that a program may have.
    #[must_use]
    pub fn stack(mut self, bytes: usize) -> Self {
        self.limits.stack = bytes;
        self
    }

    /// Bytes that a program may write, and that what a function gives may have.
    #[must_use]
    pub fn output(mut self, bytes: u64) -> Self {
        self.limits.output = bytes;
        self
    }

    /// Files, directories and connections that a program may have open at a time.
    #[must_use]
    pub fn handles(mut self, count: usize) -> Self {
        self.limits.handles = count;
        self
    }

    /// How code is run: the interpreter alone, all compiled before it runs, or compiled as it turns hot, which is the default. Without the
    /// feature `jit` there is only the interpreter.
    #[must_use]
    pub fn tier(mut self, tier: Tier) -> Self {
        self.tier = tier;
        self
    }

    /// Where programs are compiled and run.
    #[must_use]
    pub fn isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = isolation;
        self
    }

    /// Where the executable `pinfold-worker` is: otherwise it is what `PINFOLD_WORKER` names, or beside this executable.
    #[must_use]
    pub fn worker(mut self, path: impl Into<PathBuf>) -> Self {
        self.worker = Some(path.into());
        self
    }

    /// How many workers are kept ready; without, none, and each call makes its own. Such a worker is locked down and has its program prepared, for calls
    /// with the same grants as were made before, and is used for one. Each is a process with some megabytes of memory.
    #[must_use]
    pub fn spare_workers(mut self, count: usize) -> Self {
        self.spare_workers = count;
        self
    }

    /// Keeps what workers find out about a program for the next worker of the same program, in this process or another: that it is verified, and its
    /// machine code. Without, which is the default, each worker begins anew. The folder may be that of `pinfold run`
    /// ([`Cache::of_user`]) or one of the host's own ([`Cache::at`]), which nobody else can write.
    ///
    /// It is of use with [`Isolation::Worker`] only. A program in this process takes no code from files, since nothing could check that it is what was kept;
    /// a worker is held by its walls, whatever its code is. A program that broke out of the machine can leave code for later runs of itself there, which
    /// may have been granted more.
    ///
    /// ```
    /// use pinfold::{Cache, Isolation, Vm};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = std::env::temp_dir().join(format!("pinfold-kept-{}", std::process::id()));
    /// let vm = Vm::builder().isolation(Isolation::Worker).cache(Cache::at(&folder)?).build()?;
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "workers")]
    #[must_use]
    pub fn cache(mut self, cache: Cache) -> Self {
        self.cache = Some(Arc::new(cache));
        self
    }

    /// A capability of the host's own, which programs find in the module `host`: a [`Capability`](crate::Capability), or a trait that
    /// [is one](macro@crate::capability).
    #[must_use]
    pub fn capability(mut self, capability: &impl Declares) -> Self {
        self.capabilities.push(capability.made().clone());
        self
    }

    /// The machine.
    ///
    /// # Errors
    /// If a capability's declaration is not right: names that are none in Fold, two types of one name, or a type that is none in Fold. If programs are to run in workers, and
    /// those were left out when this was built.
    pub fn build(self) -> Result<Vm> {
        if let Some(name) = self.capabilities.iter().find_map(Made::wrong_name) {
            return Err(Error::Grant(format!(
                "{name:?} is no name that a capability or something of it can have in Fold"
            )));
        }
        if let Some(made) = self.capabilities.iter().find(|made| made.declarations.problem().is_some()) {
            let problem = made.declarations.problem().unwrap_or_default();
            return Err(Error::Grant(format!("the capability {}: {problem}", made.name)));
        }
        let host: Option<Arc<str>> =
            (!self.capabilities.is_empty()).then(|| capability::module(&self.capabilities).into());
        let workers = match self.isolation {
            Isolation::InProcess => None,
            Isolation::Worker => Some(Workers::new(self.worker, self.tier, host.clone(), self.spare_workers)?),
        };
        #[cfg(feature = "workers")]
        let workers = workers.map(|workers| workers.keeping(self.cache));
        let mut config = Config::new();
        config.tier(self.tier).consume_fuel(self.limits.fuel.is_some());
        let engine = Engine::new(&config).map_err(machine)?;
        let types = Arc::new(BufferTypes::new(&engine)?);
        let inner =
            Inner { linker: guest::linker(&engine, &types)?, types, engine, limits: self.limits, workers, host };
        let vm = Vm(Arc::new(inner));
        #[cfg(feature = "compiler")]
        vm.check_capabilities()?;
        Ok(vm)
    }
}
