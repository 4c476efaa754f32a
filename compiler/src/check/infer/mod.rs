//! Inference in bodies.
//!
//! An expression is visited once, with what is wanted of it ([`Want`]), and gives a typed expression. Types that are not
//! known yet are holes, found out by unification. A value becomes a `dyn` only where the wanted type is known to be one.
//!
//! Methods and fields need the type of what they are taken from. Where it is not known, because it is a closure's parameter
//! that only a later call tells, the expression is put off: in the tree stands an empty block whose type is a hole (a
//! written empty block has type `()`), and [`Infer::resume`] makes the expression when its time has come, with the names
//! that were in scope.
//!
//! At the end `finish` goes through the tree: it puts types in the places of holes, tells those that are not known, turns
//! operators on other than plain values into calls, and finds what closures capture.

mod call;
mod closure;
mod expr;
mod finish;
mod literal;
mod method;
mod operator;
mod path;
mod pattern;
mod probe;
mod record;
mod report;
mod statement;
mod text;

use rustc_hash::FxHashMap;

use super::declare::Code;
use super::traits::{Step, Wanted};
use super::types::{BoundsOf, TypeScope};
use super::{Checker, Owner};
use crate::diagnostic::Diagnostic;
use crate::names::Name;
use crate::source::Span;
use crate::syntax;
use crate::typed::{self, Body, Expr, ExprKind, FnId, Local, LocalId, LoopId, ModuleId, TraitId, Ty, TyKind};

/// What is wanted of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// A value, probably of this type.
    Value(Option<Ty>),
    /// A value of this type, or one that becomes it.
    Exactly(Ty),
    /// No value.
    Nothing,
}

impl Want {
    /// The type that is probably wanted.
    fn hint(self) -> Option<Ty> {
        match self {
            Want::Value(hint) => hint,
            Want::Exactly(ty) => Some(ty),
            Want::Nothing => None,
        }
    }
}

/// A bound that has to hold, and why.
struct Obligation {
    wanted: Wanted,
    /// What was asked for at first: the type and the trait.
    root: (Ty, TraitId),
    span: Span,
    depth: u32,
}

/// How deep obligations may follow from one another while types are not known.
const MAX_OBLIGATION_DEPTH: u32 = 64;

/// How much work may go into looking again at what was not known, in a body; an obligation counts as [`SETTLING`].
const MAX_RETRIES: usize = 20_000_000;

/// See [`MAX_RETRIES`].
const SETTLING: usize = 20;

/// How many names may be remembered for expressions that are put off, in a body.
const MAX_REMEMBERED: usize = 1_000_000;

/// A loop that is being checked.
struct LoopFrame {
    id: LoopId,
    label: Option<Name>,
    broken: bool,
}

/// The function or closure that is being checked.
#[derive(Clone, Copy, Debug)]
struct Frame {
    /// What it gives.
    result: Ty,
    kind: FrameKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FrameKind {
    Function,
    Script,
    Test,
    Closure,
    Constant,
}

/// An expression that waits until a type is known.
struct Deferred<'a> {
    /// The hole that is its type.
    hole: u32,
    ty: Ty,
    /// What is waited for.
    receiver: Expr,
    member: Member<'a>,
    hint: Option<Ty>,
    names: FxHashMap<Name, LocalId>,
    frame: Frame,
}

/// What is done with a receiver.
#[derive(Clone, Copy)]
enum Member<'a> {
    Field(syntax::Ident),
    TupleField(u32, Span),
    Index(&'a syntax::Expr),
    Method { name: syntax::Ident, types: &'a [syntax::Type], args: &'a [syntax::Expr], span: Span },
}

/// The state of the inference of a body.
pub(super) struct Infer<'c, 'a> {
    c: &'c mut Checker<'a>,
    module: ModuleId,
    scope: TypeScope,
    locals: Vec<Local>,
    used: Vec<bool>,
    /// Names of locals in scope, and how to get back to those of the scopes around.
    names: FxHashMap<Name, LocalId>,
    undo: Vec<(Name, Option<LocalId>)>,
    loops: Vec<LoopFrame>,
    loop_count: u32,
    frame: Frame,
    pending: Vec<Obligation>,
    deferred: Vec<Deferred<'a>>,
    /// Expressions that were put off and are there now, by their holes.
    resumed: FxHashMap<u32, Expr>,
    /// Work that may still go into looking again.
    retries: usize,
    /// Names that may still be remembered.
    remembered: usize,
    /// Operators whose operands' type was not known.
    operators: Vec<operator::Open>,
    /// How many errors there were before.
    errors: usize,
    /// Whether it was said that a type is not known.
    told_unknown: bool,
}

impl<'c, 'a> Infer<'c, 'a> {
    fn new(c: &'c mut Checker<'a>, module: ModuleId, scope: TypeScope, frame: Frame) -> Self {
        c.clear_holes();
        let errors = c.errors;
        Self {
            c,
            module,
            scope,
            locals: Vec::new(),
            used: Vec::new(),
            names: FxHashMap::default(),
            undo: Vec::new(),
            loops: Vec::new(),
            loop_count: 0,
            frame,
            pending: Vec::new(),
            deferred: Vec::new(),
            resumed: FxHashMap::default(),
            retries: MAX_RETRIES,
            remembered: MAX_REMEMBERED,
            operators: Vec::new(),
            errors,
            told_unknown: false,
        }
    }

    fn standard(&self) -> bool {
        self.c.program.modules[self.module.index()].standard
    }

    fn kind(&self, ty: Ty) -> &TyKind {
        self.c.kind(ty)
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.c.report(diagnostic);
    }

    fn expr_of(&self, kind: ExprKind, ty: Ty, span: Span) -> Expr {
        Expr { kind, ty, span }
    }

    fn error(&self, span: Span) -> Expr {
        Expr { kind: ExprKind::Tuple(Vec::new()), ty: Ty::ERROR, span }
    }

    /// A type in a body; what its arguments have to implement is asked for.
    fn written_type(&mut self, ty: &syntax::Type) -> (Ty, super::written::Written) {
        let resolved = self.c.resolve_type(ty, &self.scope);
        let mut pending = std::mem::take(&mut self.c.pending_bounds);
        for bound in pending.drain(..) {
            for (ty, of, args) in self.c.wanted_of(bound.ty) {
                self.oblige(ty, of, args, bound.span);
            }
        }
        self.c.pending_bounds = pending;
        if !self.c.pending_dyns.is_empty() {
            self.c.check_pending_dyns();
        }
        resolved
    }

    // Scopes.

    fn enter(&mut self) -> usize {
        self.undo.len()
    }

    fn leave(&mut self, mark: usize) {
        while self.undo.len() > mark {
            match self.undo.pop() {
                Some((name, Some(local))) => self.names.insert(name, local),
                Some((name, None)) => self.names.remove(&name),
                None => None,
            };
        }
    }

    fn bring(&mut self, name: Name, local: LocalId) {
        let before = self.names.insert(name, local);
        self.undo.push((name, before));
    }

    fn new_local(&mut self, name: Name, ty: Ty, mutable: bool, span: Span) -> LocalId {
        let id = LocalId(self.locals.len() as u32);
        self.locals.push(Local { name, ty, mutable, assigned: false, captured: false, access: None, span });
        self.used.push(false);
        id
    }

    /// A local that a shorthand needs.
    fn temporary(&mut self, name: Name, ty: Ty, mutable: bool, span: Span) -> LocalId {
        let id = self.new_local(name, ty, mutable, span);
        self.used[id.index()] = true;
        id
    }

    fn local(&mut self, id: LocalId, span: Span) -> Expr {
        self.used[id.index()] = true;
        Expr { kind: ExprKind::Local(id), ty: self.locals[id.index()].ty, span }
    }

    // Obligations.

    /// Asks for a type to implement a trait.
    fn oblige(&mut self, ty: Ty, of: TraitId, args: Vec<Ty>, span: Span) {
        self.pending.push(Obligation { wanted: Wanted { ty, of, args }, root: (ty, of), span, depth: 0 });
    }

    /// Looks at the obligations from `from` on; those about which too little is known stay.
    fn settle(&mut self, from: usize) {
        let mut next = from;
        while next < self.pending.len() {
            let obligation = self.pending.swap_remove(next);
            self.retries = self.retries.saturating_sub(SETTLING);
            match self.settle_one(obligation) {
                Some(unknown) => {
                    self.pending.push(unknown);
                    let last = self.pending.len() - 1;
                    self.pending.swap(next, last);
                    next += 1;
                }
                None => continue,
            }
        }
    }

    fn settle_one(&mut self, mut obligation: Obligation) -> Option<Obligation> {
        let wanted = &mut obligation.wanted;
        wanted.ty = self.c.resolve(wanted.ty);
        if self.c.program.types.has_error(wanted.ty) {
            return None;
        }
        if !self.c.program.types.has_infer(wanted.ty) && wanted.args.is_empty() {
            match self.c.prove(wanted.clone()) {
                super::traits::Proof::Yes => return None,
                super::traits::Proof::No(found) => self.does_not_implement(&obligation, Some(found)),
                super::traits::Proof::TooLong => self.takes_too_long(&obligation),
                super::traits::Proof::Unknown => return Some(obligation),
            }
            return None;
        }
        match self.c.find(wanted.ty, wanted.of, &wanted.args) {
            Step::Unknown => return Some(obligation),
            Step::No => self.does_not_implement(&obligation, None),
            Step::Yes(solution, nested) => {
                let wanted = obligation.wanted.clone();
                if !solution.args.iter().zip(&wanted.args).all(|(&a, &b)| self.c.unify(a, b)) {
                    let has = self.c.show_trait(wanted.of, &solution.args);
                    let needs = self.c.show_trait(wanted.of, &wanted.args);
                    let ty = self.c.show(wanted.ty);
                    let message = format!("`{ty}` implements `{has}`, not `{needs}`");
                    self.report(Diagnostic::error("F0401", obligation.span, message));
                    return None;
                }
                if obligation.depth >= MAX_OBLIGATION_DEPTH {
                    self.takes_too_long(&obligation);
                    return None;
                }
                let (root, span, depth) = (obligation.root, obligation.span, obligation.depth + 1);
                self.pending.extend(nested.into_iter().map(|wanted| Obligation { wanted, root, span, depth }));
            }
        }
        None
    }

    /// Looks at all obligations and all that was put off.
    fn progress(&mut self) {
        loop {
            if self.retries == 0 {
                return;
            }
            self.settle(0);
            let ready = self.deferred.iter().position(|deferred| !self.c.is_hole(deferred.receiver.ty));
            self.retries = self.retries.saturating_sub(ready.unwrap_or(self.deferred.len()) + 1);
            match ready {
                Some(index) => {
                    let deferred = self.deferred.remove(index);
                    self.resume(deferred);
                }
                None => return,
            }
        }
    }

    /// Puts an expression off until its receiver's type is known.
    fn defer(&mut self, receiver: Expr, member: Member<'a>, hint: Option<Ty>, span: Span) -> Expr {
        // Names are looked up in arguments and indices only.
        let has_names = match member {
            Member::Field(_) | Member::TupleField(..) => false,
            Member::Index(_) => true,
            Member::Method { args, .. } => !args.is_empty(),
        };
        let cost = if has_names { self.names.len() } else { 0 };
        if self.remembered < cost {
            self.annotate(receiver.span, "the type of this is not known here");
            return self.error(span);
        }
        self.remembered -= cost;
        let ty = self.c.fresh(span);
        let Some((hole, _)) = self.c.hole(ty) else { return self.error(span) };
        let names = if has_names { self.names.clone() } else { FxHashMap::default() };
        self.deferred.push(Deferred { hole, ty, receiver, member, hint, names, frame: self.frame });
        Expr { kind: ExprKind::Block(Vec::new(), None), ty, span }
    }

    /// Makes an expression that was put off.
    fn resume(&mut self, deferred: Deferred<'a>) {
        let names = std::mem::replace(&mut self.names, deferred.names);
        let undo = std::mem::take(&mut self.undo);
        let frame = std::mem::replace(&mut self.frame, deferred.frame);
        let loops = std::mem::take(&mut self.loops);
        let span = deferred.receiver.span;
        let made = self.member(deferred.receiver, deferred.member, deferred.hint);
        let made = self.coerce(made, deferred.ty);
        if made.ty == Ty::ERROR {
            self.c.unify(deferred.ty, Ty::ERROR);
            let hole = self.c.is_hole(deferred.ty);
            debug_assert!(!hole || span == span.begin());
        }
        self.resumed.insert(deferred.hole, made);
        (self.names, self.undo, self.frame, self.loops) = (names, undo, frame, loops);
    }

    /// Makes a value one of the wanted type; says so where it cannot be.
    fn coerce(&mut self, value: Expr, expected: Ty) -> Expr {
        let (found, wanted) = (self.c.shallow(value.ty), self.c.shallow(expected));
        if found == wanted {
            return value;
        }
        if found == Ty::ERROR {
            self.c.poison(wanted);
            return value;
        }
        if found == Ty::NEVER {
            self.c.note_diverging(wanted);
            return value;
        }
        if let TyKind::Dyn(of, args) = self.c.program.types.kind(wanted)
            && !matches!(self.c.program.types.kind(found), TyKind::Infer(_))
            && !matches!(self.c.program.types.kind(found), TyKind::Dyn(other, _) if other == of)
        {
            let (of, args) = (*of, args.to_vec());
            return self.coerce_to_dyn(value, found, wanted, of, args);
        }
        if self.c.try_unify(found, wanted) {
            return value;
        }
        self.mismatch(value.span, wanted, found);
        Expr { ty: Ty::ERROR, ..value }
    }

    fn coerce_to_dyn(&mut self, value: Expr, found: Ty, wanted: Ty, of: TraitId, args: Vec<Ty>) -> Expr {
        match self.c.find(found, of, &args) {
            Step::Yes(solution, nested) => {
                let span = value.span;
                if !solution.args.iter().zip(&args).all(|(&a, &b)| self.c.unify(a, b)) {
                    let has = self.c.show_trait(of, &solution.args);
                    let message = format!("expected `{}`, found `{}`", self.c.show(wanted), self.c.show(found));
                    self.report(Diagnostic::error("F0301", span, message).note(format!("it implements `{has}`")));
                    return self.error(span);
                }
                for nested in nested {
                    self.oblige(nested.ty, nested.of, nested.args, span);
                }
                Expr { kind: ExprKind::ToDyn(Box::new(value), of, args), ty: wanted, span }
            }
            Step::Unknown => {
                let span = value.span;
                self.oblige(found, of, args.clone(), span);
                Expr { kind: ExprKind::ToDyn(Box::new(value), of, args), ty: wanted, span }
            }
            Step::No => {
                let (ty, name) = (self.c.show(found), self.c.show_trait(of, &args));
                let message = format!("expected `{}`, found `{ty}`", self.c.show(wanted));
                let error = Diagnostic::error("F0301", value.span, message);
                self.report(error.note(format!("`{ty}` does not implement `{name}`")));
                Expr { ty: Ty::ERROR, ..value }
            }
        }
    }

    /// Ends a body: all types are known then, or were told to be unknown.
    fn end(mut self, mut value: Expr, params: usize) -> Body {
        self.progress();
        self.settle_operators();
        self.c.fill_diverging();
        self.progress();
        for deferred in std::mem::take(&mut self.deferred) {
            // Where something is wrong, that is why.
            if self.errors == self.c.errors || self.told_unknown {
                self.annotate(deferred.receiver.span, "its type is needed here");
                self.told_unknown = true;
            }
            self.c.poison(deferred.receiver.ty);
            self.c.poison(deferred.ty);
            let error = self.error(deferred.receiver.span);
            self.resumed.insert(deferred.hole, error);
        }
        self.settle(0);
        self.finish(&mut value);
        for obligation in std::mem::take(&mut self.pending) {
            // Where its type stays unknown, that was told.
            if self.errors == self.c.errors {
                self.annotate(obligation.span, "the type that is meant here is not known");
            }
        }
        self.warn_unused();
        Body { locals: self.locals, params, loops: self.loop_count, value }
    }
}

impl<'a> Checker<'a> {
    /// The names that types have in a function.
    fn function_scope(&self, id: FnId) -> TypeScope {
        let function = &self.program.functions[id.index()];
        let self_ty = match self.declared.fns[id.index()].owner {
            Owner::Module => None,
            Owner::Impl(of) => Some(self.program.impls[of.index()].self_ty),
            Owner::Trait(_) => function.params.first().filter(|_| function.receiver).map(|param| param.ty),
        };
        TypeScope {
            module: function.module,
            params: function.generics.iter().map(|generic| generic.name).collect(),
            self_ty,
            owner: BoundsOf::Fn(id),
            holes: true,
        }
    }

    /// Checks a function's body.
    pub(super) fn infer_function(&mut self, id: FnId) {
        self.sign(id);
        let source = match self.declared.fns[id.index()].source {
            Code::Outline(place) => match &self.parsed(place).kind {
                syntax::ItemKind::Fn(function) => Code::Fn(function),
                _ => return,
            },
            source => source,
        };
        let module = self.program.functions[id.index()].module;
        self.env = self.program.functions[id.index()].generics.clone();
        let mut scope = self.function_scope(id);
        if let Owner::Trait(_) = self.declared.fns[id.index()].owner {
            scope.self_ty = Some(self.program.types.intern(TyKind::Param(0)));
        }
        let result = self.program.functions[id.index()].result;
        let kind = match source {
            Code::Fn(_) | Code::Outline(_) => FrameKind::Function,
            Code::Test(_) => FrameKind::Test,
            Code::Script(_) => FrameKind::Script,
        };
        let body = if let Code::Fn(function) = source { self.body_of(function) } else { None };
        let mut infer = Infer::new(self, module, scope, Frame { result, kind });
        infer.bring_params(id);
        let params = infer.locals.len();
        let value = match source {
            Code::Fn(_) | Code::Outline(_) => {
                let Some(body) = body else { return };
                infer.function_body(body, result)
            }
            Code::Test(test) => infer.block(&test.body, Want::Nothing),
            Code::Script(file) => infer.script_body(file, params),
        };
        let body = infer.end(value, params);
        self.env.clear();
        let kind = &mut self.program.functions[id.index()].kind;
        use crate::typed::FunctionKind;
        *kind = match kind {
            FunctionKind::Host(_) => FunctionKind::Host(Some(body)),
            _ => FunctionKind::Plain(body),
        };
    }

    /// What a function does, which may have to be parsed.
    fn body_of(&mut self, function: &'a syntax::Fn) -> Option<&'a syntax::Block> {
        match function.body.as_ref()? {
            syntax::Body::Here(block) => Some(block),
            syntax::Body::Later(span, parsed) => Some(parsed.get_or_init(|| {
                crate::parser::body(*span, &self.sources.get(span.file).text, self.names, self.diagnostics)
            })),
        }
    }

    /// Checks a constant's value.
    pub(super) fn infer_constant(&mut self, id: crate::typed::ConstId) {
        let written = self.declared.consts[id.index()];
        let (module, ty) = (self.program.constants[id.index()].module, self.program.constants[id.index()].ty);
        let scope = TypeScope { module, params: Vec::new(), self_ty: None, owner: BoundsOf::Nothing, holes: true };
        let frame = Frame { result: ty, kind: FrameKind::Constant };
        let mut infer = Infer::new(self, module, scope, frame);
        let value = infer.expr(&written.value, Want::Exactly(ty));
        let body = infer.end(value, 0);
        self.program.constants[id.index()].body = body;
        self.check_calls(id);
    }
}

impl<'a> Infer<'_, 'a> {
    fn bring_params(&mut self, id: FnId) {
        for index in 0..self.c.program.functions[id.index()].params.len() {
            let param = &self.c.program.functions[id.index()].params[index];
            let (name, ty, mutable, span) = (param.name, param.ty, param.mutable, param.span);
            let access = param.access.clone();
            let local = self.new_local(name, ty, mutable, span);
            self.locals[local.index()].access = Some(access);
            self.bring(name, local);
            // What a trait or the host asks for has to be there, used or not.
            let owner = self.c.declared.fns[id.index()].owner;
            let of_trait = match owner {
                Owner::Module => false,
                Owner::Trait(_) => true,
                Owner::Impl(of) => self.c.program.impls[of.index()].of.is_some(),
            };
            self.used[local.index()] = of_trait;
        }
    }

    fn function_body(&mut self, body: &'a syntax::Block, result: Ty) -> Expr {
        if result == Ty::UNIT { self.block(body, Want::Nothing) } else { self.block(body, Want::Exactly(result)) }
    }

    fn script_body(&mut self, file: &'a syntax::File, params: usize) -> Expr {
        let span =
            file.body.first().map_or(self.locals.first().map_or(Span::default(), |local| local.span), |stmt| stmt.span);
        let in_session = self.c.options.session.is_some();
        let want = if in_session { Want::Value(None) } else { Want::Nothing };
        let (mut stmts, value, ty) = self.statements(&file.body, want, span);
        let good = match value {
            Some(value) if in_session => self.shown(value, &mut stmts),
            _ => self.no_value(span),
        };
        if in_session {
            self.keep_names(params);
        }
        let result = self.frame.result;
        let Some(id) = self.c.program.lang.result.filter(|_| result != Ty::UNIT && ty != Ty::NEVER) else {
            return Expr { kind: ExprKind::Block(stmts, None), ty, span };
        };
        let ok = self.expr_of(ExprKind::Variant(id, 0, vec![good]), result, span);
        Expr { kind: ExprKind::Block(stmts, Some(Box::new(ok))), ty: result, span }
    }

    /// What a script gives that has no value: in a session, a text for people.
    fn no_value(&self, span: Span) -> Expr {
        match self.c.options.session {
            Some(_) => self.expr_of(ExprKind::String("".into()), Ty::STRING, span),
            None => self.expr_of(ExprKind::Tuple(Vec::new()), Ty::UNIT, span),
        }
    }

    /// The value of a session's entry: it gets a name, and its text is what the entry gives.
    fn shown(&mut self, value: Expr, stmts: &mut Vec<typed::Stmt>) -> Expr {
        self.progress();
        let (ty, span) = (self.c.resolve(value.ty), value.span);
        if matches!(ty, Ty::UNIT | Ty::NEVER | Ty::ERROR) {
            stmts.push(typed::Stmt { kind: typed::StmtKind::Expr(value), span });
            return self.no_value(span);
        }
        let name = self.c.names.intern(super::VALUE);
        let it = self.temporary(name, ty, false, span);
        let bind = typed::Pattern { kind: typed::PatternKind::Bind(it, None), ty, span };
        stmts.push(typed::Stmt { kind: typed::StmtKind::Let(bind, value, None), span });
        self.bring(name, it);
        let shows = self.c.program.lang.show.is_some_and(|of| {
            let wanted = Wanted { ty, of, args: Vec::new() };
            self.c.program.types.has_infer(ty) || matches!(self.c.prove(wanted), super::traits::Proof::Yes)
        });
        if shows {
            return self.debug_text(it, span);
        }
        let text = format!("<{}>", self.c.show(ty));
        self.expr_of(ExprKind::String(text.into()), Ty::STRING, span)
    }

    /// Remembers which names a session's entry binds.
    fn keep_names(&mut self, params: usize) {
        let mut bound: Vec<LocalId> = self.names.values().copied().filter(|id| id.index() >= params).collect();
        bound.sort_unstable();
        for index in (0..params).chain(bound.iter().map(|id| id.index())) {
            self.used[index] = true;
        }
        self.c.binds = bound;
    }
}
