//! What the tiers do, for whoever wants to know.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::code::ModuleCode;
use crate::jit::{Batch, CompileError, LoopCode};
use crate::module::{DefinedFunc, Module};

/// Something that a tier did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum TierEvent {
    /// A function turned hot: its code, or that of one of its loops, is asked for.
    Hot {
        /// Which.
        function: Named,
        /// What there was much of.
        heat: Heat,
    },
    /// It was compiled.
    Compiled {
        /// Which.
        function: Named,
        /// The loop that its code is entered at; none: its beginning.
        number: Option<u32>,
        /// Bytes of its body.
        body: u64,
        /// Bytes of its code.
        code: u64,
        /// Microseconds that it took, together with others.
        micros: u64,
        /// How many were compiled together, this one among them.
        together: u32,
    },
    /// The interpreter went on in code in the middle of a loop, for the first time in this one.
    Entered {
        /// Which.
        function: Named,
        /// The loop.
        number: u32,
    },
    /// It stays in the interpreter.
    Refused {
        /// Which.
        function: Named,
        /// The loop that its code would have been entered at; none: its beginning.
        number: Option<u32>,
        /// Why.
        why: String,
    },
    /// Code that an earlier process left was taken.
    Kept {
        /// How many functions.
        functions: u64,
        /// How many loops.
        loops: u64,
    },
}

/// A function.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Named {
    /// Its index in its module.
    pub index: u32,
    /// Its name, if it has one, or the beginning of that. The guest's words.
    pub name: Option<String>,
}

/// What there was much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Heat {
    /// Calls.
    Calls,
    /// Turns of its loops: it is to be compiled as a whole.
    Turns,
    /// Turns of its loops, this one's most of all: it is to be compiled for being entered there.
    Loop(u32),
}

/// Characters of a name that are told.
const NAME: usize = 120;

impl Named {
    fn of(module: &Module, func: DefinedFunc) -> Self {
        let index = module.func_index(func);
        let name = module.names().function(index).map(|name| name.chars().take(NAME).collect());
        Self { index: index.0, name }
    }
}

/// Who is told, from whichever thread something is done on.
pub type Sink = Arc<dyn Fn(&TierEvent) + Send + Sync>;

/// Tells of the code of one module, if anybody wants to know.
#[derive(Default)]
pub struct Events {
    sink: Option<Sink>,
    /// Loops that were entered before.
    entered: Mutex<HashSet<(u32, u32)>>,
}

impl Events {
    /// For a sink, if there is one.
    pub fn new(sink: Option<Sink>) -> Self {
        Self { sink, ..Self::default() }
    }

    /// Whether anybody wants to know.
    pub fn are_wanted(&self) -> bool {
        self.sink.is_some()
    }

    /// Tells.
    pub fn tell(&self, event: impl FnOnce() -> TierEvent) {
        if let Some(sink) = &self.sink {
            sink(&event());
        }
    }

    /// A function of the module turned hot.
    pub fn hot(&self, module: &Module, func: DefinedFunc, heat: Heat) {
        self.tell(|| TierEvent::Hot { function: Named::of(module, func), heat });
    }

    /// One was compiled, perhaps for being entered at a loop.
    pub fn compiled(&self, module: &Module, func: DefinedFunc, number: Option<u32>, made: &Made) {
        self.tell(|| TierEvent::Compiled {
            function: Named::of(module, func),
            number,
            body: module.body(func).len() as u64,
            code: made.code,
            micros: made.micros,
            together: made.together,
        });
    }

    /// One is not.
    pub fn refused(&self, module: &Module, func: DefinedFunc, number: Option<u32>, why: &dyn fmt::Display) {
        self.tell(|| TierEvent::Refused { function: Named::of(module, func), number, why: why.to_string() });
    }

    /// A loop was entered: told once.
    pub fn entered(&self, module: &Module, func: DefinedFunc, number: u32) {
        if self.are_wanted() && self.entered.lock().unwrap_or_else(PoisonError::into_inner).insert((func.0, number)) {
            self.tell(|| TierEvent::Entered { function: Named::of(module, func), number });
        }
    }
}

/// What was made when a function was compiled.
#[derive(Clone, Copy, Debug)]
pub struct Made {
    /// Bytes of code.
    pub code: u64,
    /// Microseconds that it took.
    pub micros: u64,
    /// How many functions were made together.
    pub together: u32,
}

/// Why a function is not compiled that the compiler leaves out.
const TOO_LARGE: &str = "it is too large, or the memory for compiling is used up";

/// Tells of functions that were compiled together, in this time: those that have code, and those that have not.
pub fn of_functions(code: &ModuleCode, funcs: &[DefinedFunc], error: Option<&CompileError>, took: Duration) {
    let made: Vec<_> = funcs.iter().map(|func| (*func, size(code, *func))).collect();
    let together = made.iter().filter(|(_, size)| size.is_some()).count() as u32;
    for (func, size) in made {
        match size {
            Some(size) => {
                let made = Made { code: size, micros: took.as_micros() as u64, together };
                code.events.compiled(&code.module, func, None, &made);
            }
            None => {
                let why: &dyn fmt::Display = error.map_or(&TOO_LARGE, |error| error);
                code.events.refused(&code.module, func, None, why);
            }
        }
    }
}

/// Bytes of a function's code, if it has any.
fn size(code: &ModuleCode, func: DefinedFunc) -> Option<u64> {
    let (address, _) = code.function(func).compiled()?;
    // The newest first: it was made just now.
    code.batches().iter().rev().find_map(|batch| batch.size_at(address))
}

/// Tells what came of compiling a loop, in this time.
pub fn of_loop(code: &ModuleCode, func: DefinedFunc, number: u32, made: &MadeLoop, took: Duration) {
    match made {
        Ok(Some((made, batch))) => {
            let size = batch.size_at(made.code).unwrap_or(0);
            let made = Made { code: size, micros: took.as_micros() as u64, together: 1 };
            code.events.compiled(&code.module, func, Some(number), &made);
        }
        Ok(None) => code.events.refused(&code.module, func, Some(number), &TOO_LARGE),
        Err(error) => code.events.refused(&code.module, func, Some(number), error),
    }
}

/// What comes of compiling a loop: nothing if it is too large.
type MadeLoop = Result<Option<(LoopCode, Arc<Batch>)>, CompileError>;
