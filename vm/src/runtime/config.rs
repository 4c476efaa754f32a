//! Settings of an engine that are baked into its code.

use crate::heap::Checks;

/// Which tier runs functions.
///
/// ```
/// use pinfold_vm::api::{Config, Engine, Tier};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // No compiler: an engine starts at once, and nothing that a guest does makes code.
/// let engine = Engine::new(Config::new().tier(Tier::Interpreter))?;
/// assert_eq!(Tier::default(), Tier::Auto);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Tier {
    /// The interpreter only.
    Interpreter,
    /// Everything is compiled before it runs.
    Jit,
    /// A function is compiled when it is first called.
    JitLazy,
    /// Starts in the interpreter; what turns hot is compiled in the background.
    #[default]
    Auto,
    #[doc(hidden)]
    /// For tests: functions with an even index are compiled, the others interpreted.
    AlternateEven,
    #[doc(hidden)]
    /// For tests: functions with an odd index are compiled, the others interpreted.
    AlternateOdd,
    #[doc(hidden)]
    /// For tests: starts in the interpreter, which enters compiled code at the first header of a loop that each frame comes to.
    EveryLoop,
    #[doc(hidden)]
    /// For tests: the same at headers picked pseudo-randomly, the same ones in each run.
    SomeLoops,
}

impl Tier {
    /// Whether the interpreter enters compiled code in mid-loop.
    #[doc(hidden)]
    pub fn enters_loops(self) -> bool {
        matches!(self, Self::Auto | Self::EveryLoop | Self::SomeLoops)
    }
}

/// How linear memories are laid out in the address space.
///
/// ```
/// use pinfold_vm::api::{Config, Engine, MemoryKind};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // Where address space is short: thousands of memories, each as large as what is in it.
/// let engine = Engine::new(Config::new().memory(MemoryKind::Dynamic))?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MemoryKind {
    /// All that a memory may ever have and a guard are reserved, so the base never moves. For 32-bit
    /// memories that is all that addresses reach: compiled code has no bounds checks. Addresses of
    /// 64-bit memories are cut off at the guard.
    #[default]
    Reserved,
    /// Only what is used is reserved: bounds are checked, growth may move the base.
    Dynamic,
}

/// Settings that code depends on. Code made under one setting never runs under another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CodeConfig {
    /// Which tier runs functions.
    pub tier: Tier,
    /// Count fuel.
    pub fuel: bool,
    /// How memories are laid out.
    pub memory: MemoryKind,
    /// Do without signals: explicit checks instead, and polling for interruption.
    pub no_signals: bool,
    /// Make every NaN that an operation produces the canonical one.
    pub canonical_nans: bool,
    /// How closely the heap watches itself.
    pub heap: Checks,
    /// Call whoever looks on before each operator; only with [`Tier::Interpreter`].
    pub debug: bool,
    /// Keep all operands in their own slots at calls, so that a run can be written down there; only with [`Tier::Interpreter`].
    pub suspends: bool,
    /// Remember of translations what it takes to [keep](crate::interpreter::kept) them.
    pub keeps_translations: bool,
    /// Prove of compiled code that the collector finds its references: see [`Self::is_code_checked`].
    pub check_code: bool,
}

impl CodeConfig {
    /// Whether it is proved of each function that is compiled that the collector finds its references; the process ends if it does not.
    /// Builds with debug assertions always do so.
    pub fn is_code_checked(&self) -> bool {
        self.check_code || cfg!(debug_assertions)
    }
}

/// Bytes after a reserved memory's range that fault: of accesses whose constant offset is below
/// this only the address needs a check, and that of a 32-bit memory none at all.
pub const GUARD: u64 = 2 << 30;
