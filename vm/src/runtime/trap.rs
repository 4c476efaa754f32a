//! How a run ends before its time: kinds of traps, and traps with their backtraces.

use std::fmt;

macro_rules! trap_kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal $text:literal,)*) => {
        /// Why a run was ended.
        ///
        /// ```
        /// use pinfold_vm::api::{Engine, Error, Func, Store, Trap, TrapKind};
        ///
        /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
        /// let mut store = Store::new(&Engine::default(), ());
        /// // A host function may end a program with any of them.
        /// let ends = Func::wrap(&mut store, || Err::<(), Error>(Trap::new(TrapKind::OutOfFuel).into()));
        /// let error = ends.typed::<(), ()>(&store)?.call(&mut store, ()).unwrap_err();
        /// assert_eq!(error.trap().map(|trap| trap.kind), Some(TrapKind::OutOfFuel));
        /// assert_eq!(TrapKind::OutOfFuel.to_string(), "out of fuel");
        /// # Ok(())
        /// # }
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
        #[repr(u32)]
        #[non_exhaustive]
        pub enum TrapKind {
            $($(#[$doc])* $name = $number,)*
        }

        impl TrapKind {
            /// The kind behind a number; zero is none.
            #[doc(hidden)]
            pub const fn from_number(number: u32) -> Option<Self> {
                match number {
                    $($number => Some(Self::$name),)*
                    _ => None,
                }
            }
        }

        impl fmt::Display for TrapKind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$name => $text,)*
                })
            }
        }
    };
}

// The texts of the first group are those that the WebAssembly test suite expects.
trap_kinds! {
    /// The `unreachable` operator ran.
    Unreachable = 1 "unreachable",
    /// An access outside of a linear memory.
    MemoryOutOfBounds = 2 "out of bounds memory access",
    /// An access outside of a table, or of an element segment.
    TableOutOfBounds = 3 "out of bounds table access",
    /// `call_indirect` of an index outside of the table.
    UndefinedElement = 4 "undefined element",
    /// `call_indirect` of a null element.
    UninitializedElement = 5 "uninitialized element",
    /// `call_indirect` of a function of another type.
    IndirectCallTypeMismatch = 6 "indirect call type mismatch",
    /// Division by zero.
    DivideByZero = 7 "integer divide by zero",
    /// The smallest integer divided by minus one, or a conversion out of range.
    IntegerOverflow = 8 "integer overflow",
    /// Conversion of NaN to an integer.
    InvalidConversion = 9 "invalid conversion to integer",
    /// The guest's stack is used up.
    StackExhausted = 10 "call stack exhausted",
    /// The fuel is used up.
    OutOfFuel = 11 "out of fuel",
    /// The deadline has passed.
    Timeout = 12 "deadline passed",
    /// Another thread asked for it.
    Interrupted = 13 "interrupted",
    /// The memory limit would have been passed, or the host has no more.
    OutOfMemory = 14 "out of memory",
    /// A host function failed; the error says how.
    Host = 15 "host function failed",
    /// The program ended itself (`proc_exit`); not an error as such.
    Exit = 16 "exit",
    /// An import that was not granted, or is not known, was called.
    NotGranted = 17 "import not granted",
    /// More output than the limit allows.
    OutputLimit = 18 "output limit passed",
    /// An exception that nobody caught.
    UncaughtException = 19 "uncaught exception",
    /// `throw_ref` of null.
    NullException = 20 "null exception reference",
    /// A reference that must not be null was.
    NullReference = 21 "null reference",
    /// A call through null.
    NullFunction = 22 "null function reference",
    /// An access to a field of null.
    NullStruct = 23 "null structure reference",
    /// An access to an element, or the length, of null.
    NullArray = 24 "null array reference",
    /// The value of null as a small integer.
    NullI31 = 25 "null i31 reference",
    /// A cast to a type that the reference is not of.
    CastFailure = 26 "cast failure",
    /// An access outside of an array.
    ArrayOutOfBounds = 27 "out of bounds array access",
}

/// A frame of a backtrace.
///
/// ```
/// use pinfold_vm::api::{Engine, Error, Instance, Module, Store};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, wat::parse_str(r#"(module
///     (func $inner (unreachable))
///     (func $outer (export "run") (call $inner)))"#)?)?;
/// let mut store = Store::new(&engine, ());
/// let run = Instance::new(&mut store, &module, &[])?.get_typed_func::<(), ()>(&store, "run")?;
/// let Err(Error::Trap(trap)) = run.call(&mut store, ()) else { panic!() };
/// let names: Vec<_> = trap.frames.iter().filter_map(|frame| frame.name.as_deref()).collect();
/// assert_eq!(names, ["inner", "outer"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame {
    /// The function's index in its module.
    pub func: u32,
    /// The function's name, if the module has one.
    pub name: Option<String>,
    /// The module's name, if it has one.
    pub module: Option<String>,
    /// Byte offset in the module of the operator that trapped or called.
    pub offset: u32,
}

/// A trap as a value.
///
/// ```
/// use pinfold_vm::api::{Engine, Error, Func, Store, TrapKind};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut store = Store::new(&Engine::default(), ());
/// // A host function's error is what the trap is from.
/// let fails = Func::wrap(&mut store, || Err::<(), _>(Error::host("the disk is full")));
/// let Err(Error::Trap(trap)) = fails.typed::<(), ()>(&store)?.call(&mut store, ()) else { panic!() };
/// assert_eq!(trap.kind, TrapKind::Host);
/// assert_eq!(trap.source.as_ref().map(ToString::to_string).as_deref(), Some("the disk is full"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Trap {
    /// Why.
    pub kind: TrapKind,
    /// For [`TrapKind::Exit`]: the exit code.
    pub exit_code: i32,
    /// For [`TrapKind::Host`] and others that carry one: the error.
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
    /// For [`TrapKind::UncaughtException`]: the exception.
    pub(crate) exception: Option<super::exception::Exception>,
    /// Frames, newest first; the newest 64 and the oldest 16 where there are more.
    pub frames: Vec<Frame>,
    /// How many frames were left out.
    pub omitted: usize,
}

impl Trap {
    /// A trap without a backtrace yet.
    pub fn new(kind: TrapKind) -> Self {
        Self { kind, exit_code: 0, source: None, exception: None, frames: Vec::new(), omitted: 0 }
    }
}

impl Trap {
    /// A trap with the error behind it.
    pub fn with_source(kind: TrapKind, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..Self::new(kind) }
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if let Some(source) = &self.source {
            write!(f, ": {source}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Trap {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|e| e as _)
    }
}
