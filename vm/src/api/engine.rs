//! Engines and modules.

use std::fmt;
use std::sync::Arc;

use super::error::Result;
use crate::heap::Checks;
use crate::runtime::code::ModuleCode;
use crate::runtime::config::{CodeConfig, MemoryKind, Tier};
use crate::runtime::events::{Sink, TierEvent};
use crate::runtime::kept::{self, Kept, Unfit};
use crate::runtime::{engine, signals, tier};
use crate::types::ExternType;
use crate::{jit, module, verifier};

/// Settings of an [`Engine`].
///
/// ```
/// use pinfold_vm::api::{Config, Engine, Tier};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut config = Config::new();
/// config.tier(Tier::Interpreter).consume_fuel(true).canonical_nans(true);
/// let engine = Engine::new(&config)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Config {
    code: CodeConfig,
    verifier: verifier::Options,
    compile_memory: Option<usize>,
    events: Option<Sink>,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, verifier, compile_memory, events } = self;
        f.debug_struct("Config")
            .field("code", code)
            .field("verifier", verifier)
            .field("compile_memory", compile_memory)
            .field("tells", &events.is_some())
            .finish()
    }
}

impl Config {
    /// The default: tier `auto`, reserved memories, no fuel.
    pub fn new() -> Self {
        Self::default()
    }

    /// Which tier runs functions. Where the feature `jit` is left out, the default is the interpreter too.
    pub fn tier(&mut self, tier: Tier) -> &mut Self {
        self.code.tier = tier;
        self
    }

    /// Whether fuel is counted: see [`super::Store::set_fuel`].
    pub fn consume_fuel(&mut self, count: bool) -> &mut Self {
        self.code.fuel = count;
        self
    }

    /// About how many bytes compiling may take, and what comes of it: functions that it may not be enough for stay in the interpreter. Enough for all that
    /// are not too large anyway, 1.5 GiB, if nothing is said.
    pub fn compile_memory(&mut self, bytes: usize) -> &mut Self {
        self.compile_memory = Some(bytes);
        self
    }

    /// Whether a store's [`Debugger`](super::Debugger) is called before each operator. All code is interpreted then, and slowly.
    #[doc(hidden)]
    pub fn debug(&mut self, debug: bool) -> &mut Self {
        self.code.debug = debug;
        if debug {
            self.code.tier = Tier::Interpreter;
        }
        self
    }

    /// Whether programs can be [written down](super::Instance::snapshot) to be gone on with elsewhere. All code is interpreted then.
    pub fn snapshots(&mut self, snapshots: bool) -> &mut Self {
        self.code.suspends = snapshots;
        if snapshots {
            self.code.tier = Tier::Interpreter;
        }
        self
    }

    /// Whether what a module [keeps](Module::keep) also holds the interpreter's translations. They are for processes of the very same executable: in
    /// others they are wrong code.
    #[doc(hidden)]
    pub fn keep_translations(&mut self, keep: bool) -> &mut Self {
        self.code.keeps_translations = keep;
        self
    }

    /// Who is told what the tiers do: which functions turn hot, what is compiled, where loops are entered. It is called on the thread that does
    /// it, which may be the guest's.
    #[doc(hidden)]
    pub fn tier_events(&mut self, tell: impl Fn(&TierEvent) + Send + Sync + 'static) -> &mut Self {
        self.events = Some(Arc::new(tell));
        self
    }

    /// How linear memories are laid out in the address space.
    pub fn memory(&mut self, kind: MemoryKind) -> &mut Self {
        self.code.memory = kind;
        self
    }

    /// Whether to rely on signals (the default). Without them compiled code checks everything
    /// itself, which is slower; memories must be [`MemoryKind::Dynamic`] and are made so.
    pub fn signals(&mut self, signals: bool) -> &mut Self {
        self.code.no_signals = !signals;
        self
    }

    /// Whether every NaN that an operation produces is the canonical one.
    pub fn canonical_nans(&mut self, canonical: bool) -> &mut Self {
        self.code.canonical_nans = canonical;
        self
    }

    /// How closely the heap watches itself: for tests.
    #[doc(hidden)]
    pub fn heap_checks(&mut self, checks: Checks) -> &mut Self {
        self.code.heap = checks;
        self
    }

    /// Whether it is proved of each function that is compiled that the collector finds its references, as builds with debug
    /// assertions always do: for tests. The process ends if it does not.
    #[doc(hidden)]
    pub fn check_code(&mut self, check: bool) -> &mut Self {
        self.code.check_code = check;
        self
    }

    /// What the verifier admits.
    #[doc(hidden)]
    pub fn verifier(&mut self, options: verifier::Options) -> &mut Self {
        self.verifier = options;
        self
    }
}

/// Settings and compiler, shared by the stores made from it. Cheap to clone.
///
/// ```
/// use pinfold_vm::api::{Config, Engine, Module, Store};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::new(&Config::new())?;
/// let module = Module::new(&engine, wat::parse_str("(module)")?)?;
/// // What is to run together is of one engine.
/// let store = Store::new(&engine, ());
/// assert!(module.engine().same(store.engine()) && !engine.same(&Engine::default()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: Arc<engine::Engine>,
    pub(super) verifier: verifier::Options,
}

impl Engine {
    /// An engine with these settings. Installs Pinfold's signal handlers unless they are turned
    /// off; they pass on what is not theirs.
    ///
    /// # Errors
    /// [`Error::Compile`](super::Error::Compile), if its tier takes a compiler and there is none: it was left out when this was built.
    pub fn new(config: &Config) -> Result<Self> {
        let engine = Self::of(config, jit::IS_THERE);
        if !jit::IS_THERE && engine.inner.config.tier != Tier::Interpreter {
            engine.inner.compiler().map_err(Clone::clone)?;
        }
        Ok(engine)
    }

    /// One in a process that has a compiler, or not.
    pub(super) fn of(config: &Config, has_compiler: bool) -> Self {
        let mut code = config.code;
        if code.no_signals {
            code.memory = MemoryKind::Dynamic;
        } else {
            signals::install();
        }
        if !has_compiler && code.tier == Tier::Auto {
            // Nobody is to be asked for what turns hot.
            code.tier = Tier::Interpreter;
        }
        let inner =
            engine::Engine::new(code, config.compile_memory.unwrap_or(jit::MEMORY)).telling(config.events.clone());
        Self { inner: Arc::new(inner), verifier: config.verifier.clone() }
    }

    /// Leaves in the interpreter what waits to be compiled in the background, for a process whose programs have all ended: it has other things to do.
    #[doc(hidden)]
    pub fn compile_no_more(&self) {
        tier::compile_no_more(&self.inner);
    }

    /// Whether two handles are of one engine.
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("code", &self.inner.config).finish_non_exhaustive()
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self::of(&Config::default(), jit::IS_THERE)
    }
}

/// A verified module and its code. Cheap to clone.
///
/// ```
/// use pinfold_vm::api::{Engine, ExternType, Module};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let module = Module::new(&Engine::default(), wat::parse_str(r#"(module
///     (import "host" "log" (func (param i32)))
///     (memory (export "memory") 1))"#)?)?;
/// let imports: Vec<String> = module.imports().map(|(from, name, ty)| format!("{from}.{name} {ty}")).collect();
/// assert_eq!(imports, ["host.log func (i32) -> ()"]);
/// assert!(module.exports().any(|(name, ty)| name == "memory" && matches!(ty, ExternType::Memory(_))));
/// assert!(Module::new(&Engine::default(), b"not a module".as_slice()).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Module {
    pub(crate) code: Arc<ModuleCode>,
    pub(crate) engine: Engine,
}

impl Module {
    /// Verifies a module, and compiles it if the engine's tier wants that done ahead.
    ///
    /// # Errors
    /// [`Error::Verify`](super::Error::Verify), if it is malformed, invalid, or beyond a limit. [`Error::Compile`](super::Error::Compile), if it is to be compiled
    /// ahead, and cannot be.
    pub fn new(engine: &Engine, bytes: impl Into<module::Bytes>) -> Result<Self> {
        // SAFETY: nothing was kept.
        unsafe { Self::with_kept(engine, bytes, || None) }.map(|(module, _)| module)
    }

    /// As [`Self::new`], with what an earlier process has [kept](Self::keep) of a module of the same bytes: if it fits, nothing is verified again,
    /// and what was compiled then is not compiled again. It fits in an engine of the same build and settings, on a processor of the
    /// same kind, that has had no other modules yet. The second result says why it does not fit, if so; [`Self::adopted`] what came of the code. It is
    /// asked for late, since some of the work needs to be done in any case.
    ///
    /// # Errors
    /// Those of [`Self::new`].
    ///
    /// # Safety
    /// It was kept of a module of the same bytes, and nobody has changed it on purpose since. Damage is found. If it holds
    /// [translations](Config::keep_translations), the same executable kept it.
    ///
    /// ```
    /// use pinfold_vm::api::{Engine, Module};
    ///
    /// # fn main() -> pinfold_vm::api::Result<()> {
    /// let bytes = wat::parse_str("(module (func (export \"run\")))").expect("it is valid");
    /// let kept = Module::new(&Engine::default(), &bytes)?.keep();
    /// // SAFETY: just kept, of the same bytes.
    /// let (module, fits) = unsafe { Module::with_kept(&Engine::default(), &bytes, || Some(kept))? };
    /// assert_eq!((module.exports().count(), fits, module.adopted()), (1, Ok(()), Some(Ok(0))));
    /// # Ok(())
    /// # }
    /// ```
    #[doc(hidden)]
    pub unsafe fn with_kept(
        engine: &Engine,
        bytes: impl Into<module::Bytes>,
        kept: impl FnOnce() -> Option<Vec<u8>>,
    ) -> Result<(Self, Result<(), Unfit>)> {
        let outline = verifier::Outline::new(bytes.into(), &engine.verifier, &engine.inner.types)?;
        let kept = Arc::new(kept().unwrap_or_default());
        let kept = Kept::open(&engine.inner, &kept).and_then(|kept| kept.fitting(outline.module()));
        let module = match &kept {
            // SAFETY: by contract.
            Ok(kept) => unsafe { outline.trust(kept.found()) },
            Err(_) => outline.verify(&engine.verifier)?,
        };
        let code = Arc::new(ModuleCode::new(module, engine.inner.config).telling(engine.inner.events.clone()));
        // SAFETY: by contract; it fits.
        let fits = kept.and_then(|kept| unsafe { kept.adopt(&engine.inner, &code) });
        if fits.is_err() {
            tier::prepare_elsewhere(&engine.inner, &code);
        }
        tier::compile_ahead(&engine.inner, &code)?;
        Ok((Self { code, engine: engine.clone() }, fits))
    }

    /// What was found out about it, for a later process that has the same module: that it is verified, and the code that is compiled so far. See
    /// [`Self::with_kept`]. Where [another process compiles](Engine::with_compiler), that one keeps the code, and is told to.
    #[doc(hidden)]
    pub fn keep(&self) -> Vec<u8> {
        kept::keep(&self.engine.inner, &self.code)
    }

    /// How many functions and loops an earlier process had compiled of it that need not be compiled again, or why there are none. Nothing if nothing was
    /// [kept](Self::with_kept), and as long as it is not known: code that [another process](Engine::with_compiler) has kept comes while the
    /// program runs.
    #[doc(hidden)]
    pub fn adopted(&self) -> Option<Result<usize, Unfit>> {
        self.code.adopted.get().copied()
    }

    /// The engine that it is of.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// How many functions are compiled, those not counted twice that are also entered in mid-loop.
    #[doc(hidden)]
    pub fn compiled(&self) -> usize {
        self.code.compiled()
    }

    /// Compiles all functions that are not compiled yet, so that [what is kept](Self::keep) spares the next process that, until their code and what explains
    /// it take so many bytes. Those that the compiler does not take stay in the interpreter.
    ///
    /// ```
    /// use pinfold_vm::api::{Engine, Module};
    ///
    /// # fn main() -> pinfold_vm::api::Result<()> {
    /// let bytes = wat::parse_str("(module (func) (func (export \"run\") (call 0)))").expect("it is valid");
    /// let module = Module::new(&Engine::default(), &bytes)?;
    /// assert_eq!(module.compiled(), 0);
    /// # #[cfg(feature = "jit")] {
    /// module.compile_all(1 << 20)?;
    /// assert_eq!(module.compiled(), 2);
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If there is no compiler, or it ends before; what was compiled then stays.
    #[doc(hidden)]
    pub fn compile_all(&self, most: usize) -> Result<()> {
        Ok(tier::compile_all(&self.engine.inner, &self.code, most)?)
    }

    /// The decoded module.
    #[doc(hidden)]
    pub fn inner(&self) -> &module::Module {
        &self.code.module
    }

    /// The module with its code in both tiers, for inspection.
    #[doc(hidden)]
    pub fn code(&self) -> &Arc<ModuleCode> {
        &self.code
    }

    /// What it imports: module, name, type.
    pub fn imports(&self) -> impl Iterator<Item = (&str, &str, ExternType)> {
        let module = &self.code.module;
        module.imports().iter().map(|i| (i.module.as_str(), i.name.as_str(), module.import_type(i)))
    }

    /// The contents of its first custom section of a name. The guest's own words.
    pub fn custom_section(&self, name: &str) -> Option<&[u8]> {
        self.code.module.custom_section(name)
    }

    /// What it exports: name, type.
    pub fn exports(&self) -> impl Iterator<Item = (&str, ExternType)> {
        let module = &self.code.module;
        module.exports().iter().map(|(name, kind)| (name.as_str(), module.export_type(*kind)))
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let module = &self.code.module;
        let (imports, exports) = (module.imports().len(), module.exports().len());
        f.debug_struct("Module").field("imports", &imports).field("exports", &exports).finish_non_exhaustive()
    }
}
