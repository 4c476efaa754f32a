//! Random programs that are right: what the evaluator and compiled code are compared with.
//!
//! A program is made from choices, which come from a seed or from bytes ([`Choices`]). It passes all checks, ends, and prints what it
//! computes; it may panic. Three things keep it finite: functions call only those before them, loops have counters, and what calls in
//! loops cost is added up ([`body`]); texts and lists that are assigned are cut to a few elements.
//!
//! `declare` makes records, enums, traits and functions, `body` statements, `expr` and `value` expressions of a wanted type, `types` types.

mod body;
mod choices;
mod declare;
mod expr;
#[cfg(test)]
mod tests;
mod types;
mod value;

pub use choices::Choices;

use types::Type;

/// A program.
pub fn program(choices: Choices<'_>) -> String {
    let mut generator = Generator::new(choices);
    generator.declarations();
    for _ in 0..2 + generator.choices.below(5) {
        generator.function();
    }
    generator.main();
    generator.out
}

/// A name that is bound.
#[derive(Clone)]
struct Var {
    name: String,
    ty: Type,
    /// Whether it can be assigned.
    assignable: bool,
    /// Whether what it holds can be changed.
    owned: bool,
}

/// A function that can be called.
#[derive(Clone)]
struct Function {
    name: String,
    params: Vec<Type>,
    /// Whether the last parameter is `var`, a list.
    changes: bool,
    result: Type,
    cost: u64,
}

/// See the module.
struct Generator<'c> {
    choices: Choices<'c>,
    out: String,
    indent: usize,
    vars: Vec<Var>,
    functions: Vec<Function>,
    records: Vec<declare::Record>,
    enums: Vec<declare::Enum>,
    /// What the function gives that is made now.
    result: Type,
    /// How often what is written now may run.
    factor: u64,
    /// What the function costs that is made now, at most.
    cost: u64,
    /// Loops around, by their labels.
    loops: Vec<String>,
    names: u32,
    /// In how many interpolations it is.
    texts: u32,
}

/// What a function may cost.
const COST: u64 = 4_000;

impl<'c> Generator<'c> {
    fn new(choices: Choices<'c>) -> Self {
        Self {
            choices,
            out: String::new(),
            indent: 0,
            vars: Vec::new(),
            functions: Vec::new(),
            records: Vec::new(),
            enums: Vec::new(),
            result: Type::Unit,
            factor: 1,
            cost: 0,
            loops: Vec::new(),
            names: 0,
            texts: 0,
        }
    }

    /// A new name.
    fn name(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}{}", self.names)
    }

    fn line(&mut self, text: &str) {
        self.out.extend(std::iter::repeat_n("    ", self.indent));
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// Opens a block, writes what is in it, closes it. Names that are bound in it are gone then.
    fn block(&mut self, head: &str, inside: impl FnOnce(&mut Self)) {
        self.line(&format!("{head} {{"));
        let vars = self.vars.len();
        self.indent += 1;
        inside(self);
        self.indent -= 1;
        self.vars.truncate(vars);
        self.line("}");
    }

    /// Binds a name.
    fn bind(&mut self, name: &str, ty: Type, assignable: bool, owned: bool) {
        self.vars.push(Var { name: name.to_owned(), ty, assignable, owned });
    }
}
