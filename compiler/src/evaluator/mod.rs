//! A plain evaluator of the typed tree: what a program means, without any of the cleverness that makes it fast.
//!
//! It is what compiled code is compared with, so it is made to be obviously right: values are Rust enums, each generic function
//! runs with a list of its type arguments, traits are resolved when they are called, patterns are tried one after the other.
//! It is not part of the compiler that is shipped: only tests have it, and who asks for the feature `evaluator`.
//!
//! | file | what |
//! |---|---|
//! | `machine` | functions, frames, type arguments, limits |
//! | `expression`, `statement`, `pattern`, `operator` | the parts of the tree |
//! | `resolve` | which implementation a type has of a trait |
//! | `structure` | equality, order, hashes, texts and copies that the compiler makes |
//! | `intrinsic`, `host` | functions without Fold code |
//!
//! A panic, a limit or a failed program is an [`Ending`]. Work and depth are limited. Depth is that of Fold's calls;
//! each takes some kilobytes of the native stack, so run it [`with_stack`].

mod expression;
mod host;
mod intrinsic;
mod machine;
mod operator;
mod pattern;
mod resolve;
mod statement;
mod structure;
#[cfg(test)]
mod tests;
mod value;

use crate::names::Names;
use crate::source::Span;
use crate::typed::{Program, TyKind};

use machine::{Flow, Machine};
use value::Value;

/// What a run may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many expressions are evaluated.
    pub steps: u64,
    /// How many calls are open at once.
    pub depth: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 20_000_000, depth: 2_000 }
    }
}

/// Why a program panicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PanicKind {
    /// It called `panic`.
    Called,
    /// A number did not fit.
    Overflow,
    /// It divided by zero.
    Division,
    /// It shifted by something else than 0 to 63.
    Shift,
    /// What it asserted did not hold.
    Assertion,
    /// It used a raw array outside of it, or an element that was never set. The standard library checks before.
    Array,
    /// It came to where nothing comes.
    Unreachable,
    /// It called a function of the host that is not there.
    Host,
}

/// A panic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panic {
    /// Why.
    pub kind: PanicKind,
    /// In words.
    pub message: String,
    /// Where.
    pub span: Span,
    /// The functions that were running, the innermost first; at most [`TRACE`].
    pub trace: Vec<String>,
}

/// How many functions a trace has.
pub const TRACE: usize = 16;

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Well.
    Finished,
    /// With an error as its value: its text.
    Failed(String),
    /// With a panic.
    Panicked(Panic),
    /// It took too many steps.
    Steps,
    /// Its calls nested too deep.
    Depth,
}

/// What a run gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// How it ended.
    pub ending: Ending,
    /// What it wrote to the console.
    pub output: Vec<u8>,
    /// What it wrote where errors go.
    pub errors: Vec<u8>,
    /// How many expressions were evaluated.
    pub steps: u64,
}

/// Runs `main`. `input` is what the console reads. A program without `main` finishes at once.
pub fn run(program: &Program, names: &Names, limits: Limits, input: &[u8]) -> Run {
    let mut machine = Machine::new(program, names, limits, input);
    let ending = match &program.main {
        Some(main) => machine.run_main(main),
        None => Ending::Finished,
    };
    machine.finish(ending)
}

/// Runs a test, by its place in the program.
pub fn run_test(program: &Program, names: &Names, limits: Limits, test: usize) -> Run {
    let mut machine = Machine::new(program, names, limits, b"");
    let function = program.tests[test].function;
    let result = machine.call_function(function, Vec::new(), Vec::new());
    let ending = machine.ending(result, program.functions[function.index()].result);
    machine.finish(ending)
}

/// Runs something on a thread with a stack that is large enough for the depth of [`Limits::default`].
pub fn with_stack<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> std::io::Result<T> {
    let thread = std::thread::Builder::new().stack_size(2 << 30).spawn(act)?;
    match thread.join() {
        Ok(value) => Ok(value),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

impl<'p> Machine<'p> {
    fn run_main(&mut self, main: &'p crate::typed::Main) -> Ending {
        let mut args = Vec::new();
        for (index, (_, capability)) in main.needs.iter().enumerate() {
            match self.capability(*capability, index as u32) {
                Ok(value) => args.push(value),
                Err(flow) => return self.ending(Err(flow), crate::typed::Ty::UNIT),
            }
        }
        let result = self.call_function(main.function, Vec::new(), args);
        self.ending(result, self.program.functions[main.function.index()].result)
    }

    /// What a function's value, of a type without parameters, means as the end of a program.
    fn ending(&mut self, result: Result<Value<'p>, Flow<'p>>, ty: crate::typed::Ty) -> Ending {
        let value = match result {
            Ok(value) => value,
            Err(Flow::End(ending)) => return *ending,
            Err(_) => unreachable!("a function has no loop around it"),
        };
        match (value, self.types.kind(ty).clone()) {
            (Value::Variant(_, 1, parts), TyKind::Enum(id, args)) if Some(id) == self.program.lang.result => {
                match self.text_of(args[1], parts[0].clone()) {
                    Ok(text) => Ending::Failed(text),
                    Err(Flow::End(ending)) => *ending,
                    Err(_) => unreachable!("a function has no loop around it"),
                }
            }
            _ => Ending::Finished,
        }
    }
}
