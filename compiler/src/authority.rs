//! What the functions of a program can be given: capabilities, and values that bring whatever somebody passes.
//!
//! It follows from signatures. A parameter's type is looked at as a whole: what records and enums hold counts too.

use std::collections::BTreeSet;

use rustc_hash::FxHashSet;

use crate::names::Names;
use crate::typed::text::TypeText;
use crate::typed::{Field, FnId, Function, FunctionKind, Program, Ty, TyKind};

/// How a value brings what its type does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Passed {
    /// A function: whatever it captured.
    Function,
    /// A `dyn`: whatever implements it.
    Dyn,
    /// A type parameter: whatever it stands for.
    Generic,
}

impl Passed {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Dyn => "dyn",
            Self::Generic => "generic",
        }
    }
}

/// What a module's functions can be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// Its path.
    pub path: String,
    /// Whether it is of the standard library.
    pub standard: bool,
    /// Those that can be given something: of the program's own modules all, of the standard library's those that others see.
    pub functions: Vec<Reach>,
}

/// What a function can be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Its name, with its type's if it is a method.
    pub name: String,
    /// Whether the program begins with it.
    pub main: bool,
    /// Names of capabilities, in order.
    pub capabilities: Vec<String>,
    /// Parameters that bring whatever is passed: name, type, and how.
    pub passed: Vec<(String, String, Passed)>,
}

/// Of each module but the prelude, the program's own first; of a program that was checked with
/// [`all_signatures`](crate::check::Options::all_signatures).
pub fn authority(program: &Program, names: &Names) -> Vec<Module> {
    let prelude = |path: &str| path == "prelude";
    let mut modules: Vec<(usize, Module)> = program
        .modules
        .iter()
        .enumerate()
        .rev()
        .map(|(index, module)| {
            let module = Module { path: module.path.to_string(), standard: module.standard, functions: Vec::new() };
            (index, module)
        })
        .filter(|(_, module)| !module.standard || !prelude(&module.path))
        .collect();
    modules.sort_by_key(|(_, module)| module.standard);
    let main = program.main.as_ref().map(|main| main.function);
    for (index, module) in &mut modules {
        let own = program.functions.iter().enumerate().filter(|(_, function)| function.module.index() == *index);
        for (number, function) in own {
            let is_main = main == Some(FnId(number as u32));
            let is_signature = matches!(function.kind, FunctionKind::Required);
            if is_signature || module.standard && !function.public {
                continue;
            }
            let reach = reach(program, names, function, &module.path, is_main);
            if is_main || !reach.capabilities.is_empty() || !reach.passed.is_empty() {
                module.functions.push(reach);
            }
        }
        module.functions.sort_by_key(|reach| !reach.main);
    }
    modules.into_iter().map(|(_, module)| module).collect()
}

fn reach(program: &Program, names: &Names, function: &Function, module: &str, main: bool) -> Reach {
    let mut capabilities = BTreeSet::new();
    let mut passed = Vec::new();
    let text = TypeText::new(program, names, &function.generics);
    for parameter in &function.params {
        let mut found =
            Found { program, names, seen: FxHashSet::default(), capabilities: &mut capabilities, passed: None };
        found.ty(parameter.ty, true);
        if let Some(how) = found.passed {
            passed.push((names.text(parameter.name).to_owned(), text.ty(parameter.ty), how));
        }
    }
    // Within its module a function needs no module's name.
    let last = module.rsplit('/').next().unwrap_or(module);
    let name = function.path.strip_prefix(last).and_then(|rest| rest.strip_prefix('.')).unwrap_or(&function.path);
    Reach { name: name.to_owned(), main, capabilities: capabilities.into_iter().collect(), passed }
}

/// What is found in the type of a parameter.
struct Found<'a> {
    program: &'a Program,
    names: &'a Names,
    /// Types whose fields were looked at.
    seen: FxHashSet<TyKind>,
    capabilities: &'a mut BTreeSet<String>,
    passed: Option<Passed>,
}

impl Found<'_> {
    /// Looks at a type: of a parameter (`own`), or of a field, whose type parameters stand for arguments that are looked at.
    fn ty(&mut self, ty: Ty, own: bool) {
        let program = self.program;
        match program.types.kind(ty) {
            TyKind::Dyn(of, args) => {
                let of = &program.traits[of.index()];
                if of.capability {
                    self.capabilities.insert(self.names.text(of.name).to_owned());
                } else {
                    self.passes(Passed::Dyn);
                }
                self.all(args, own);
            }
            TyKind::Fn(..) => self.passes(Passed::Function),
            TyKind::Param(_) if own => self.passes(Passed::Generic),
            TyKind::Array(element) => self.ty(*element, own),
            TyKind::Tuple(parts) => self.all(parts, own),
            TyKind::Record(id, args) => {
                self.all(args, own);
                if self.seen.insert(TyKind::Record(*id, Box::default())) {
                    self.fields(&program.records[id.index()].fields);
                }
            }
            TyKind::Enum(id, args) => {
                self.all(args, own);
                if self.seen.insert(TyKind::Enum(*id, Box::default())) {
                    program.enums[id.index()].variants.iter().for_each(|variant| self.fields(&variant.fields));
                }
            }
            _ => {}
        }
    }

    fn all(&mut self, types: &[Ty], own: bool) {
        types.iter().for_each(|&ty| self.ty(ty, own));
    }

    fn fields(&mut self, fields: &[Field]) {
        fields.iter().for_each(|field| self.ty(field.ty, false));
    }

    fn passes(&mut self, how: Passed) {
        self.passed = Some(self.passed.map_or(how, |before| before.min(how)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Options;
    use crate::checked::Checked;

    #[test]
    fn parameters_tell_what_a_function_can_be_given() {
        let text = r#"
import text/csv

record Job { dir: Dir, name: String }
record Task<T> { value: T, next: List<fn() -> Int> }

fn plain(a: Int, b: List<String>) -> Int { a + b.len() }
fn held(jobs: List<Job>) -> Int { jobs.len() }
fn called(f: fn(Int) -> Int) -> Int { f(1) }
fn any<T: Show>(x: T) -> String { "{x}" }
fn inside(task: Task<Int>) -> Int { task.value }
fn fails(why: dyn Error) -> String { why.message() }

fn main(out: Console, clock: Clock) {
    out.print("{plain(1, [])} {held([])} {called(|x| x)} {any(1)} {inside(Task { value: 1, next: [] })} {csv.rows("").count()}")
}
"#;
        let checked = Checked::new(text, Options { all_signatures: true, ..Options::default() });
        assert_eq!(checked.errors(), "");
        let found = authority(&checked.program.unwrap(), &checked.names);
        let lines: Vec<String> = found[0]
            .functions
            .iter()
            .map(|reach| {
                let passed: Vec<String> =
                    reach.passed.iter().map(|(name, ty, how)| format!("{name}: {ty} {}", how.name())).collect();
                format!("{} [{}] [{}]", reach.name, reach.capabilities.join(" "), passed.join(", "))
            })
            .collect();
        assert_eq!(
            lines,
            [
                "main [Clock Console] []",
                "held [Dir] []",
                "called [] [f: fn(Int) -> Int function]",
                "any [] [x: T generic]",
                "inside [] [task: Task<Int> function]",
                "fails [] [why: dyn Error dyn]",
            ]
        );
        let paths: Vec<(&str, bool)> = found.iter().map(|module| (module.path.as_str(), module.standard)).collect();
        assert_eq!(paths, [("main", false), ("text/csv", true)]);
        assert!(found[1].functions.iter().all(|reach| reach.capabilities.is_empty()), "{:?}", found[1]);
    }
}
