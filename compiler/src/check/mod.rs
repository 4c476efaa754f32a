//! From syntax trees to one typed tree: names, types, traits.
//!
//! ```text
//! modules     loads the root and all that it imports, importers after what they import
//! outline     what files of the standard library declare, each declaration parsed when it is asked for
//! declare     gives each item of each module a number and a name in its module's scope
//! signature   resolves what is written of types: fields, parameters, bounds, `impl` heads; by `types`
//! coherence   whether implementations are whole, do not overlap, and stand where they may
//! infer/      bodies: bidirectional inference with unification, ending in typed expressions
//! reach       which bodies of the standard library are looked at: those that something reaches
//! derive      implementations that follow from a type's structure, made as typed functions
//! entry       `main`, scripts, tests
//! ```
//!
//! Of the standard library most programs use little: signatures of its functions are resolved once something names them, and
//! bodies looked at once something that is compiled reaches them. What is wrong in it is for the tests to find, which look at all of it.
//!
//! `unify` holds what is known of types during inference, `traits` finds implementations. A trait's arguments follow from
//! the type that implements it: so a bound is not only a demand, it also tells types.
//!
//! What was wrong has type [`Ty::ERROR`], which goes with anything: nothing is said twice. Everything is visited in the
//! order of the source, and no hash table is iterated, so that the same source gives the same tree and the same messages.
//!
//! Recursion follows the syntax tree, whose depth the parser bounds, and types, whose depth [`Types`](crate::typed::Types)
//! bounds.

mod coherence;
mod constants;
mod declare;
mod derive;
mod display;
mod entry;
mod infer;
mod interface;
mod limits;
mod modules;
mod outline;
pub mod probe;
mod reach;
mod scope;
mod signature;
mod standard;
mod suggest;
mod traits;
mod types;
mod unify;
mod written;

use rustc_hash::{FxHashMap, FxHashSet};

pub use modules::{Loaded, Loader, Memory};
pub use standard::STANDARD;

use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::names::{Name, Names};
use crate::session::Session;
use crate::source::{FileId, Sources, Span};
use crate::typed::{FnId, Generic, ImplId, LocalId, ModuleId, Program, TraitId, Ty};

/// What is checked, and against which standard library.
#[derive(Clone, Copy, Debug)]
pub struct Options<'s> {
    /// The standard library: paths (`prelude/list.fold`, `text/csv.fold`) and texts, ordered by path.
    pub standard: &'s [(&'s str, &'s str)],
    /// Whether all bodies of the standard library are checked, or those that something reaches.
    pub check_all: bool,
    /// Whether all signatures of the standard library are resolved, or those that something asks for.
    pub all_signatures: bool,
    /// Whether the root has to have a `main` or be a script.
    pub needs_main: bool,
    /// Whether tests of the root are checked and kept.
    pub tests: bool,
    /// The session that the root is the next entry of.
    pub session: Option<&'s Session>,
    /// Whether the root's public functions are for a host that embeds the program.
    pub embedded: bool,
    /// What is asked about a place in the root.
    pub probe: Option<&'s probe::Probe>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            standard: STANDARD,
            check_all: false,
            all_signatures: false,
            needs_main: true,
            tests: true,
            session: None,
            embedded: false,
            probe: None,
        }
    }
}

/// Checks the module at path `root` and all that it imports. There is a program where no error was found.
///
/// Whether patterns cover all values, and whether only what may be changed is changed, is checked on the result.
pub fn check(
    root: &str,
    loader: &mut dyn Loader,
    options: Options<'_>,
    sources: &mut Sources,
    names: &mut Names,
    diagnostics: &mut Diagnostics,
) -> Option<(Program, Trees)> {
    let before = diagnostics.iter().filter(|found| found.severity == Severity::Error).count();
    let modules = modules::load(root, loader, &options, sources, names, diagnostics)?;
    let words = scope::Words::new(names);
    // Who asks what may be written at a place is told of all that there is; and entries of a session agree on what a `dyn` has.
    let all_signatures = options.all_signatures || options.probe.is_some() || options.session.is_some();
    let options = Options { all_signatures, ..options };
    let is_broken = |found: &&Diagnostic| found.severity == Severity::Error && !found.code.starts_with("F08");
    let broken = diagnostics.iter().filter(is_broken);
    let broken = broken.map(|found| found.primary.span.file).collect();
    let mut checker = Checker {
        program: Program::default(),
        scopes: Vec::new(),
        declared: declare::Declared::default(),
        table: unify::Table::default(),
        index: traits::Index::default(),
        env: Vec::new(),
        cache: FxHashMap::default(),
        reach: reach::Reach::default(),
        derive: derive::Derive::default(),
        imports: Vec::new(),
        told_limits: FxHashSet::default(),
        pending_bounds: Vec::new(),
        pending_dyns: Vec::new(),
        broken,
        errors: 0,
        warnings: 0,
        binds: Vec::new(),
        alias_depth: 0,
        stopped: false,
        steps: traits::MAX_ALL_STEPS,
        words,
        options,
        sources,
        names,
        diagnostics,
    };
    checker.run(&modules);
    let program = std::mem::take(&mut checker.program);
    let after = diagnostics.iter().filter(|found| found.severity == Severity::Error).count();
    (after == before).then_some((program, Trees(modules)))
}

/// What an entry's value is bound to in its session.
pub(crate) const VALUE: &str = "it";

/// What later entries may do with a variable of a session: as if it was a parameter.
pub(crate) fn access_of(types: &crate::typed::Types, ty: Ty, mutable: bool) -> crate::typed::AccessTree {
    let access = if mutable { crate::syntax::Access::Mutable } else { crate::syntax::Access::Read };
    written::access_tree(types, ty, &written::Written::Nothing, Some(access))
}

/// The syntax trees of a program's modules. To free them takes as long as a phase: who ends soon need not.
#[derive(Debug)]
pub struct Trees(#[expect(dead_code, reason = "kept, not used")] Vec<modules::Module>);

/// How many errors are told, and how many warnings.
const MAX_FINDINGS: usize = 300;

/// All that is known while a program is checked.
struct Checker<'a> {
    program: Program,
    /// Of each module.
    scopes: Vec<scope::ModuleScope>,
    /// Where each thing is written.
    declared: declare::Declared<'a>,
    table: unify::Table,
    index: traits::Index,
    /// The type parameters of what is being checked.
    env: Vec<Generic>,
    /// What is known of traits of types without holes and parameters.
    cache: FxHashMap<(TraitId, Ty), bool>,
    reach: reach::Reach,
    derive: derive::Derive,
    imports: Vec<scope::ImportUse>,
    /// Places where it was said that a type is too large.
    told_limits: FxHashSet<Span>,
    pending_bounds: Vec<types::PendingBound>,
    /// Traits that `dyn` is written with.
    pending_dyns: Vec<(TraitId, Span)>,
    /// Files with errors that the parser found.
    broken: FxHashSet<FileId>,
    /// How many errors and warnings there are, those that were not told among them.
    errors: usize,
    warnings: usize,
    /// Of a session's entry: the names that it binds for later ones.
    binds: Vec<LocalId>,
    /// How many aliases are being resolved.
    alias_depth: usize,
    /// Whether a limit was met after which nothing more is looked at.
    stopped: bool,
    /// Steps that may still be taken to show what implements what.
    steps: u64,
    words: scope::Words,
    options: Options<'a>,
    sources: &'a Sources,
    names: &'a mut Names,
    diagnostics: &'a mut Diagnostics,
}

impl<'a> Checker<'a> {
    /// Phase after phase; what is beyond a limit is not looked at further.
    fn run(&mut self, modules: &'a [modules::Module]) {
        self.declare(modules);
        self.find_derived();
        self.check_counts();
        if self.stopped {
            return;
        }
        self.resolve_signatures();
        if !self.stopped {
            self.check_coherence();
        }
        if self.stopped {
            return;
        }
        self.check_bodies();
        if self.options.session.is_none() {
            self.report_imports();
        }
    }

    /// Adds a finding, unless there are too many.
    fn report(&mut self, diagnostic: Diagnostic) {
        let is_error = diagnostic.severity == Severity::Error;
        if !is_error && self.broken.contains(&diagnostic.primary.span.file) {
            // What could not be parsed may be what uses it.
            return;
        }
        let count = if is_error { &mut self.errors } else { &mut self.warnings };
        *count += 1;
        let count = *count;
        if count > MAX_FINDINGS {
            return;
        }
        let span = diagnostic.primary.span;
        self.diagnostics.push(diagnostic);
        // Warnings that are too many make no program wrong.
        if is_error && count == MAX_FINDINGS {
            self.diagnostics.push(Diagnostic::error("F0703", span, "too many errors: the rest is not told"));
        }
    }

    /// Whether nothing more is told.
    fn is_over(&self) -> bool {
        self.errors >= MAX_FINDINGS
    }

    fn text(&self, name: Name) -> &str {
        self.names.text(name)
    }

    /// Whether what a module declares is looked at in any case. Of the standard library it is right, and looked at where something asks for it.
    fn is_eager(&self, module: ModuleId) -> bool {
        self.options.check_all || self.options.all_signatures || !self.program.modules[module.index()].standard
    }

    /// Whether something of a module can be used in another one.
    fn is_visible(&self, owner: ModuleId, public: bool, from: ModuleId) -> bool {
        // The standard library's modules see all of the prelude, and entries of a session see one another.
        let in_session = |id: ModuleId| self.scopes[id.index()].session;
        public
            || owner == from
            || in_session(owner) && in_session(from)
            || owner == scope::PRELUDE && self.program.modules[from.index()].standard
    }

    /// Says that a type at this place is too large, if one was made since the last call.
    fn report_exceeded(&mut self, span: Span) {
        if self.program.types.take_exceeded() && self.told_limits.insert(span) {
            let (depth, size) = (crate::typed::types::MAX_DEPTH, crate::typed::types::MAX_SIZE);
            self.report(
                Diagnostic::error("F0730", span, "this type is too large")
                    .note(format!("a type nests at most {depth} deep and has at most {size} parts"))
                    .help("give a part of it a name of its own, as a record or an enum"),
            );
        }
    }
}

/// What a function is declared in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// A module.
    Module,
    /// An `impl`.
    Impl(ImplId),
    /// A trait.
    Trait(TraitId),
}

/// The function of an id, for loops over all of them.
fn function_ids(program: &Program) -> impl Iterator<Item = FnId> + use<> {
    (0..program.functions.len() as u32).map(FnId)
}
