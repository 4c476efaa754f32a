//! From the typed tree of one function, with concrete type arguments, to the compiler's own language.

mod call;
mod closure;
mod control;
mod derive;
mod expr;
mod intrinsic;
mod matching;
mod pattern;
mod special;
mod value;
mod wire;

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::build::Builder;
use super::mono::{Accessor, Captured, Context, Key, Work};
use super::{At, Code, Expr, FuncId, GlobalId, Heap, Label, Local, Stmt, TypeId, Val};
use crate::source::Span;
use crate::typed::{self, FunctionKind, LocalId, LoopId, Ty, TyKind};

/// How deep expressions may be nested: more than the parser allows, even with what shorthands add.
const MAX_DEPTH: u32 = 2000;

/// Where a name's value is.
#[derive(Clone, Debug)]
pub(super) enum Slot {
    /// Its parts in locals.
    Parts(Rc<[Local]>),
    /// In an object that closures share.
    Cell(Local, TypeId),
}

/// A function that is being made.
pub(super) struct Lower<'c, 'a> {
    /// The module.
    pub cx: &'c mut Context<'a>,
    /// The code so far.
    pub b: Builder,
    /// Names bound in the function.
    pub locals: &'a [typed::Local],
    /// Where they are.
    pub slots: Vec<Option<Slot>>,
    /// Type arguments.
    pub args: Rc<[Ty]>,
    /// Types with the arguments put in.
    concrete: FxHashMap<Ty, Ty>,
    /// Where loops end and begin.
    pub loops: FxHashMap<LoopId, (Label, Label)>,
    /// What the function gives.
    pub result: Ty,
    /// Its name in traces.
    pub name: u32,
    /// How many of its locals are parameters.
    pub params: usize,
    /// Of a session's entry: variables that later entries see, and their globals.
    shared: Vec<(LocalId, GlobalId)>,
    depth: u32,
}

/// The name, the parameters and the results of a function.
pub(super) fn signature(cx: &mut Context<'_>, key: &Key) -> (String, Vec<Val>, Vec<Val>) {
    let program = cx.program;
    let bytes = Val::Ref(Heap::Type(cx.module.types.bytes()));
    match key {
        Key::Function(id, args) => {
            let function = &program.functions[id.index()];
            let (params, results) = declared(cx, *id, args, 0);
            (function.path.to_string(), params, results)
        }
        Key::Derived(of, method, ty) => {
            let id = program.traits[of.index()].methods[*method as usize].function;
            let (params, results) = declared(cx, id, &[*ty], 0);
            (program.functions[id.index()].path.to_string(), params, results)
        }
        Key::Method(ty, of, args, method) => {
            let id = program.traits[of.index()].methods[*method as usize].function;
            let args: Vec<Ty> = std::iter::once(*ty).chain(args.iter().copied()).collect();
            let (mut params, results) = declared(cx, id, &args, 1);
            params.insert(0, Val::Null(Heap::Any));
            (program.functions[id.index()].path.to_string(), params, results)
        }
        Key::Forward(ty, of, args, method) => {
            let id = program.traits[of.index()].methods[*method as usize].function;
            let args: Vec<Ty> = std::iter::once(*ty).chain(args.iter().copied()).collect();
            let (params, results) = declared(cx, id, &args, 0);
            (program.functions[id.index()].path.to_string(), params, results)
        }
        Key::Adapter(func) => {
            let function = &cx.module.functions[func.index()];
            let (name, mut params) = (function.name, function.locals[..function.params].to_vec());
            let results = function.results.clone();
            params.insert(0, Val::Ref(Heap::Type(cx.module.types.tagged())));
            (cx.module.names[name as usize].to_string(), params, results)
        }
        Key::Constructor(id, variant, ty) => {
            let mut params = vec![Val::Ref(Heap::Type(cx.module.types.tagged()))];
            for field in cx.variant_fields(*ty, *variant) {
                params.extend_from_slice(&cx.parts(field));
            }
            let declared = &program.enums[id.index()];
            let name = cx.names.text(declared.variants[*variant as usize].name).to_owned();
            (name, params, cx.parts(*ty).to_vec())
        }
        Key::Constant(id) => {
            let constant = &program.constants[id.index()];
            let module = &program.modules[constant.module.index()].path;
            (format!("{module}.{}", cx.names.text(constant.name)), Vec::new(), cx.parts(constant.ty).to_vec())
        }
        Key::Panic(panic) => (format!("panic.{panic:?}").to_lowercase(), Vec::new(), Vec::new()),
        Key::Product => ("product".to_owned(), vec![Val::I64, Val::I64], Vec::new()),
        Key::Main => {
            let count = program.main.as_ref().map_or(0, |main| main.needs.len());
            let is_entry = program.main.as_ref().is_some_and(|main| main.entry.is_some());
            let results = if is_entry { vec![bytes] } else { Vec::new() };
            ("main".to_owned(), vec![Val::Null(Heap::Extern); count], results)
        }
        Key::Test(index) => (format!("test {:?}", program.tests[*index as usize].name), Vec::new(), Vec::new()),
        Key::Export(index) => {
            let function = &program.functions[program.interface.functions[*index as usize].function.index()];
            let (params, results) = cx.export_signature(*index);
            (format!("call {}", cx.names.text(function.name)), params, results)
        }
        Key::Put(ty) | Key::Take(ty) => {
            let wire = cx.wire().map(|wire| cx.parts(wire).to_vec()).unwrap_or_default();
            let parts = cx.parts(*ty).to_vec();
            match key {
                Key::Put(_) => ("wire.put".to_owned(), [wire, parts].concat(), Vec::new()),
                _ => ("wire.take".to_owned(), wire, parts),
            }
        }
        Key::Accessor(accessor) => {
            let (params, results) = match accessor {
                Accessor::New => (vec![Val::I32], vec![bytes]),
                Accessor::Len => (vec![bytes], vec![Val::I32]),
                Accessor::Get => (vec![bytes, Val::I32], vec![Val::I32]),
                Accessor::Set => (vec![bytes, Val::I32, Val::I32], Vec::new()),
            };
            let name = Accessor::ALL.iter().find(|(each, _)| each == accessor).map_or("", |(_, name)| name);
            (name.to_owned(), params, results)
        }
    }
}

/// The parameters, from one on, and the results of a function with type arguments.
fn declared(cx: &mut Context<'_>, id: typed::FnId, args: &[Ty], from: usize) -> (Vec<Val>, Vec<Val>) {
    let program = cx.program;
    let function = &program.functions[id.index()];
    let mut params = Vec::new();
    // Variables of a session are no arguments.
    let variables = cx.entry_of(id).map_or(0, |entry| entry.earlier.len());
    let given = &function.params[..function.params.len() - variables];
    for param in &given[from.min(given.len())..] {
        let ty = cx.substitute(param.ty, args);
        params.extend_from_slice(&cx.parts(ty));
    }
    let result = cx.substitute(function.result, args);
    (params, cx.parts(result).to_vec())
}

/// Makes the code of a function.
pub(super) fn function<'a>(cx: &mut Context<'a>, work: Work<'a>) {
    let program = cx.program;
    match work {
        Work::Key(func, Key::Function(id, args)) => {
            cx.current = Some(id);
            let function = &program.functions[id.index()];
            let result = cx.substitute(function.result, &args);
            let body = match &function.kind {
                FunctionKind::Plain(body) | FunctionKind::Host(Some(body)) => Some(body),
                _ => None,
            };
            let locals = body.map_or(&[][..], |body| &body.locals);
            let mut lower = Lower::new(cx, func, locals, args, result, function.span);
            match body {
                Some(body) => {
                    let variables = lower.variables(id, body.params);
                    lower.parameters((0..body.params - variables).map(|index| LocalId(index as u32)), 0);
                    lower.result(&body.value);
                }
                None => lower.without_body(id),
            }
            lower.finish(func);
        }
        Work::Key(func, key) => {
            let mut lower = Lower::new(cx, func, &[], Rc::new([]), Ty::UNIT, Span::default());
            match key {
                Key::Derived(of, method, ty) => lower.derived(of, method, ty),
                Key::Method(ty, of, args, method) => lower.method(ty, of, &args, method),
                Key::Forward(ty, of, _, method) => lower.forward(ty, of, method),
                Key::Adapter(target) => lower.adapter(target),
                Key::Constructor(_, variant, ty) => lower.constructor(variant, ty),
                Key::Constant(id) => lower.constant(id),
                Key::Panic(panic) => lower.panic(panic),
                Key::Product => lower.product(),
                Key::Main => lower.main(),
                Key::Test(index) => lower.entry(index),
                Key::Export(index) => lower.export(index),
                Key::Put(ty) => lower.put(ty),
                Key::Take(ty) => lower.take(ty),
                Key::Accessor(accessor) => lower.accessor(accessor),
                Key::Function(..) => {}
            }
            lower.finish(func);
        }
        Work::Closure { func, closure, locals, args, object, captures, result } => {
            let mut lower = Lower::new(cx, func, locals, args, result, closure.body.span);
            lower.captured(object, captures);
            lower.parameters(closure.params.iter().copied(), 1);
            lower.result(&closure.body);
            lower.finish(func);
        }
    }
}

impl<'c, 'a> Lower<'c, 'a> {
    fn new(
        cx: &'c mut Context<'a>,
        func: FuncId,
        locals: &'a [typed::Local],
        args: Rc<[Ty]>,
        result: Ty,
        span: Span,
    ) -> Self {
        let function = &cx.module.functions[func.index()];
        let (name, params) = (function.name, function.locals.clone());
        let at = cx.place(span, name);
        Self {
            cx,
            b: Builder::new(&params, at),
            locals,
            slots: vec![None; locals.len()],
            args,
            concrete: FxHashMap::default(),
            loops: FxHashMap::default(),
            result,
            name,
            params: params.len(),
            shared: Vec::new(),
            depth: 0,
        }
    }

    fn finish(self, func: FuncId) {
        let function = &mut self.cx.module.functions[func.index()];
        let (params, results) = (function.params, std::mem::take(&mut function.results));
        *function = self.b.finish(self.name, params, results);
        debug_assert!(matches!(function.code, Code::Body(_)));
    }

    /// The body's value, as the function's.
    fn result(&mut self, body: &'a typed::Expr) {
        let parts = self.value(body);
        self.b.push(Stmt::Return(parts));
    }

    /// Puts parameters, the first in the local `at`, where their names are looked for.
    fn parameters(&mut self, params: impl Iterator<Item = LocalId>, at: usize) {
        let mut at = at;
        for param in params {
            let local = &self.locals[param.index()];
            let ty = self.ty(local.ty);
            let count = self.cx.parts(ty).len();
            let parts: Rc<[Local]> = (at..at + count).map(|index| Local(index as u32)).collect();
            at += count;
            if local.captured && local.assigned {
                let values = parts.iter().map(|&part| Expr::Local(part)).collect();
                self.bind(param, values);
            } else {
                if local.assigned {
                    parts.iter().for_each(|&part| self.b.vary(part));
                }
                self.slots[param.index()] = Some(Slot::Parts(parts));
            }
        }
    }

    /// Makes the variables of a session known, and tells how many come from earlier entries: the last ones of the `params` first locals.
    fn variables(&mut self, id: typed::FnId, params: usize) -> usize {
        let Some(entry) = self.cx.entry_of(id) else { return 0 };
        let first = params - entry.earlier.len();
        for (index, earlier) in entry.earlier.iter().enumerate() {
            let parts = self.cx.parts(earlier.ty);
            let cell = self.cx.cell_of(&parts);
            let global = self.cx.shared_global(cell, &earlier.global, true);
            let place = self.b.local(Val::Ref(Heap::Type(cell)));
            let value = Expr::NonNull(Box::new(Expr::Global(global)), self.b.at);
            self.b.push(Stmt::Set(place, value));
            self.slots[first + index] = Some(Slot::Cell(place, cell));
        }
        for (local, global) in &entry.binds {
            let parts = self.cx.parts(self.locals[local.index()].ty);
            let cell = self.cx.cell_of(&parts);
            let global = self.cx.shared_global(cell, global, false);
            self.shared.push((*local, global));
        }
        entry.earlier.len()
    }

    /// Puts what a closure captured where its names are looked for.
    fn captured(&mut self, object: TypeId, captures: Vec<(LocalId, Captured)>) {
        if captures.is_empty() {
            return;
        }
        let ty = Val::Ref(Heap::Type(object));
        let closure = self.b.local(ty);
        let at = self.b.at;
        self.b.push(Stmt::Set(closure, Expr::Cast(ty, Box::new(Expr::Local(Local(0))), at)));
        let mut field = 1;
        for (id, captured) in captures {
            let mut load = |lower: &mut Self, ty: Val| {
                let local = lower.b.local(ty);
                let value = lower.b.field(object, field, Expr::Local(closure));
                lower.b.push(Stmt::Set(local, value));
                field += 1;
                local
            };
            let slot = match captured {
                Captured::Parts(parts) => Slot::Parts(parts.iter().map(|&part| load(self, part)).collect()),
                Captured::Cell(cell) => Slot::Cell(load(self, Val::Ref(Heap::Type(cell))), cell),
            };
            self.slots[id.index()] = Some(slot);
        }
    }

    /// A type with the function's type arguments put in.
    pub fn ty(&mut self, ty: Ty) -> Ty {
        if self.args.is_empty() {
            return ty;
        }
        if let Some(&concrete) = self.concrete.get(&ty) {
            return concrete;
        }
        let concrete = self.cx.substitute(ty, &self.args);
        self.concrete.insert(ty, concrete);
        concrete
    }

    /// Types with the function's type arguments put in.
    pub fn tys(&mut self, types: &[Ty]) -> Vec<Ty> {
        types.iter().map(|&ty| self.ty(ty)).collect()
    }

    /// Says where the next code comes from.
    pub fn at(&mut self, span: Span) -> At {
        let at = self.cx.place(span, self.name);
        self.b.at = at;
        at
    }

    /// Counts a level of nesting; whether there are too many.
    fn enter(&mut self, span: Span) -> bool {
        self.depth += 1;
        if self.depth <= MAX_DEPTH {
            return false;
        }
        if self.cx.errors.is_empty() {
            let message = format!("an expression is nested more than {MAX_DEPTH} deep");
            self.cx.errors.push(crate::diagnostic::Diagnostic::error("F0712", span, message));
        }
        self.b.push(Stmt::Unreachable);
        self.b.dead = true;
        true
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Binds a name to a value.
    pub fn bind(&mut self, id: LocalId, values: Vec<Expr>) {
        let local = &self.locals[id.index()];
        let ty = self.ty(local.ty);
        let parts = self.cx.parts(ty);
        if local.captured && local.assigned {
            let cell = self.cx.cell_of(&parts);
            let place = match &self.slots[id.index()] {
                Some(Slot::Cell(place, _)) => *place,
                _ => self.b.local(Val::Ref(Heap::Type(cell))),
            };
            self.slots[id.index()] = Some(Slot::Cell(place, cell));
            self.b.push(Stmt::Set(place, Expr::StructNew(cell, values)));
            if let Some((_, global)) = self.shared.iter().find(|(local, _)| *local == id) {
                self.b.push(Stmt::GlobalSet(*global, Expr::Local(place)));
            }
            return;
        }
        let to = self.declare(id, &parts);
        self.b.assign(&to, values);
    }

    /// The locals of a name that is in no object.
    fn declare(&mut self, id: LocalId, parts: &[Val]) -> Rc<[Local]> {
        if let Some(Slot::Parts(to)) = &self.slots[id.index()] {
            return to.clone();
        }
        let assigned = self.locals[id.index()].assigned;
        let to: Rc<[Local]> =
            parts.iter().map(|&part| if assigned { self.b.variable(part) } else { self.b.local(part) }).collect();
        self.slots[id.index()] = Some(Slot::Parts(to.clone()));
        to
    }

    /// A name's value.
    pub fn read(&mut self, id: LocalId) -> Vec<Expr> {
        match self.slots[id.index()].clone() {
            Some(Slot::Parts(parts)) => parts.iter().map(|&part| Expr::Local(part)).collect(),
            Some(Slot::Cell(place, cell)) => {
                let ty = self.ty(self.locals[id.index()].ty);
                let count = self.cx.parts(ty).len() as u32;
                (0..count).map(|field| self.b.field(cell, field, Expr::Local(place))).collect()
            }
            // Only dead code has not bound it.
            None => {
                let ty = self.ty(self.locals[id.index()].ty);
                self.cx.parts(ty).iter().map(|&part| super::layout::zero(part)).collect()
            }
        }
    }

    /// The only part of a value.
    pub fn only(parts: Vec<Expr>) -> Expr {
        parts.into_iter().next().unwrap_or(Expr::I32(0))
    }

    /// Whether a type has no values.
    pub fn is_never(&self, ty: Ty) -> bool {
        matches!(self.cx.types.kind(ty), TyKind::Never)
    }
}
