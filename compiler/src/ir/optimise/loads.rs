//! Fields and elements that were loaded before and did not change since are not loaded again; fields that do not change in a loop are
//! loaded before it.

use rustc_hash::{FxHashMap, FxHashSet};

use super::fold::take;
use super::uses::definitions;
use super::{State, body_mut, new_local};
use crate::ir::visit::{Fate, each_stmt, edit, falls_through};
use crate::ir::{
    At, Callee, Code, Expr, Function, GlobalId, Heap, Label, Local, Module, RowId, Stmt, TypeId, UnaryOp, Val,
};

/// Beyond so many different fields all are taken to be written.
const MAX_FIELDS: usize = 48;

/// How many loads are remembered at a time.
const MAX_KNOWN: usize = 64;

/// In the place of a field's number, the elements of an array.
const ELEMENTS: u32 = u32::MAX;

/// Which fields code assigns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Writes {
    all: bool,
    fields: Vec<(TypeId, u32)>,
}

impl Writes {
    /// All fields of all objects.
    pub fn everything() -> Self {
        Self { all: true, fields: Vec::new() }
    }

    fn add(&mut self, ty: TypeId, field: u32) {
        if self.all || self.fields.contains(&(ty, field)) {
            return;
        }
        self.fields.push((ty, field));
        if self.fields.len() > MAX_FIELDS {
            *self = Self::everything();
        }
    }

    fn merge(&mut self, other: &Writes) {
        if other.all {
            *self = Self::everything();
        }
        other.fields.iter().for_each(|&(ty, field)| self.add(ty, field));
    }

    fn contains(&self, ty: TypeId, field: u32) -> bool {
        self.all || self.fields.contains(&(ty, field))
    }
}

/// What a function assigns, with all that it calls.
pub(crate) fn writes_of(state: &State, function: &Function) -> Writes {
    match &function.code {
        Code::Body(body) => list_writes(state, body),
        _ => Writes::default(),
    }
}

fn list_writes(state: &State, list: &[Stmt]) -> Writes {
    let mut writes = Writes::default();
    each_stmt(list, &mut |stmt| stmt_writes(state, stmt, &mut writes));
    writes
}

fn stmt_writes(state: &State, stmt: &Stmt, writes: &mut Writes) {
    match stmt {
        Stmt::StructSet(ty, field, ..) => writes.add(*ty, *field),
        Stmt::ArraySet(ty, ..) | Stmt::ArrayCopy(ty, ..) | Stmt::ArrayFill(ty, ..) => writes.add(*ty, ELEMENTS),
        Stmt::Call(call, _) => match call.callee {
            Callee::Direct(id) => writes.merge(&state.writes[id.index()]),
            Callee::Table(..) => *writes = Writes::everything(),
        },
        _ => {}
    }
}

/// What is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Load {
    Field(TypeId, u32, Local),
    Length(Local),
    /// An element, at an index that is a local's number or a constant.
    Element(TypeId, Local, Result<Local, i32>),
    /// The local itself, which is not null.
    NonNull(Local),
}

impl Load {
    /// What is loaded from.
    fn base(&self) -> Local {
        match self {
            Load::Field(_, _, local) | Load::Length(local) | Load::Element(_, local, _) | Load::NonNull(local) => {
                *local
            }
        }
    }
}

/// An expression that can be copied, as [`Expr::is_atom`] says it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Atom {
    I32(i32),
    I64(i64),
    F64(u64),
    Null(Heap),
    Row(RowId),
    Local(Local),
    Global(GlobalId),
}

impl Atom {
    fn of(expr: &Expr) -> Option<Self> {
        Some(match expr {
            Expr::I32(value) => Atom::I32(*value),
            Expr::I64(value) => Atom::I64(*value),
            Expr::F64(bits) => Atom::F64(*bits),
            Expr::Null(heap) => Atom::Null(*heap),
            Expr::Row(row) => Atom::Row(*row),
            Expr::Local(local) => Atom::Local(*local),
            Expr::Global(global) => Atom::Global(*global),
            _ => return None,
        })
    }

    fn expr(self) -> Expr {
        match self {
            Atom::I32(value) => Expr::I32(value),
            Atom::I64(value) => Expr::I64(value),
            Atom::F64(bits) => Expr::F64(bits),
            Atom::Null(heap) => Expr::Null(heap),
            Atom::Row(row) => Expr::Row(row),
            Atom::Local(local) => Expr::Local(local),
            Atom::Global(global) => Expr::Global(global),
        }
    }
}

/// What was loaded, and what has that value now.
type Known = Vec<(Load, Atom)>;

/// Leaves what is known on another way too.
fn meet(known: &mut Known, other: &Known) {
    // Most was known before the ways parted, and is in the same place.
    let mut places = 0..;
    known.retain(|each| places.next().and_then(|place| other.get(place)) == Some(each) || other.contains(each));
}

struct Reuse<'m, 's, 'f> {
    module: &'m Module,
    state: &'s State,
    function: &'f mut Function,
    /// Locals with one assignment.
    single: Vec<bool>,
    /// Locals that have their value here on every way.
    assigned: Vec<bool>,
    order: Vec<Local>,
    /// How often each is loaded or stored in the code.
    often: FxHashMap<Load, u32>,
    known: Known,
    /// What is known at jumps to the blocks around; `None` before the first.
    exits: Vec<(Label, Option<Known>)>,
    changed: bool,
}

/// Reuses loads in a function; whether there were any to reuse.
pub(crate) fn reuse(module: &Module, state: &State, function: &mut Function) -> bool {
    let definitions = definitions(function);
    let mut often = FxHashMap::default();
    let mut body = std::mem::take(body_mut(function));
    each_stmt(&body, &mut |stmt| {
        stmt.exprs(&mut |expr| count(expr, &mut often));
        if let Stmt::StructSet(ty, field, parts, _) = stmt
            && let Expr::Local(local) = parts[0]
        {
            *often.entry(Load::Field(*ty, *field, local)).or_insert(0) += 1;
        }
    });
    let assigned = (0..function.locals.len()).map(|index| index < function.params).collect();
    let single = definitions.into_iter().map(|count| count == 1).collect();
    let mut pass = Reuse {
        module,
        state,
        function,
        single,
        assigned,
        order: Vec::new(),
        often,
        known: Vec::new(),
        exits: Vec::new(),
        changed: false,
    };
    pass.list(&mut body);
    let changed = pass.changed;
    *body_mut(function) = body;
    changed
}

fn count(expr: &Expr, often: &mut FxHashMap<Load, u32>) {
    if let Some(load) = load_of(expr) {
        *often.entry(load).or_insert(0) += 1;
    }
    expr.each(&mut |part| count(part, often));
}

fn load_of(expr: &Expr) -> Option<Load> {
    match expr {
        Expr::StructGet(ty, field, object, _) => match **object {
            Expr::Local(local) => Some(Load::Field(*ty, *field, local)),
            _ => None,
        },
        Expr::ArrayLen(array, _) => match **array {
            Expr::Local(local) => Some(Load::Length(local)),
            _ => None,
        },
        Expr::ArrayGet(ty, parts, _) => match &**parts {
            [Expr::Local(array), Expr::I32(index)] => Some(Load::Element(*ty, *array, Err(*index))),
            [Expr::Local(array), Expr::Unary(UnaryOp::Wrap, index)] => match **index {
                Expr::Local(index) => Some(Load::Element(*ty, *array, Ok(index))),
                _ => None,
            },
            _ => None,
        },
        Expr::NonNull(value, _) => match **value {
            Expr::Local(local) => Some(Load::NonNull(local)),
            _ => None,
        },
        _ => None,
    }
}

impl Reuse<'_, '_, '_> {
    fn list(&mut self, list: &mut Vec<Stmt>) {
        edit(list, &mut |stmt, new| {
            self.stmt(stmt, new);
            Fate::STAYS
        });
    }

    /// The statements of a block, loop or branch: what is assigned in them may not be assigned after them.
    fn inside(&mut self, list: &mut Vec<Stmt>) {
        let height = self.order.len();
        self.list(list);
        for local in self.order.drain(height..) {
            self.assigned[local.index()] = false;
        }
    }

    /// Goes through a statement; what is to be loaded before it is added to `new`.
    fn stmt(&mut self, stmt: &mut Stmt, new: &mut Vec<Stmt>) {
        let is_named = matches!(stmt, Stmt::Set(local, _) if self.single[local.index()]);
        stmt.exprs_mut(&mut |expr| self.expr(expr, is_named, new));
        match stmt {
            Stmt::StructSet(ty, field, parts, _) => {
                let [object, value] = &mut **parts;
                *value = self.store(*ty, *field, object, take(value), new);
                return;
            }
            Stmt::If(_, then, otherwise) => {
                let before = self.known.clone();
                self.inside(then);
                let after_then = std::mem::replace(&mut self.known, before);
                self.inside(otherwise);
                match (falls_through(then), falls_through(otherwise)) {
                    (true, true) => meet(&mut self.known, &after_then),
                    (true, false) => self.known = after_then,
                    _ => {}
                }
                return;
            }
            Stmt::Block(label, body) => {
                self.exits.push((*label, None));
                self.inside(body);
                let exit = self.exits.pop().and_then(|(_, exit)| exit);
                match exit {
                    Some(exit) if falls_through(body) => meet(&mut self.known, &exit),
                    Some(exit) => self.known = exit,
                    None => {}
                }
                return;
            }
            Stmt::Loop(_, body) => {
                let writes = list_writes(self.state, body);
                self.forget(&writes);
                self.hoist(body, &writes, new);
                let before = self.known.clone();
                self.inside(body);
                self.known = before;
                return;
            }
            Stmt::Break(label) => self.exit(*label),
            Stmt::Switch(_, labels, last) => labels.iter().chain([&*last]).for_each(|&label| self.exit(label)),
            Stmt::Call(..) | Stmt::ArraySet(..) | Stmt::ArrayCopy(..) | Stmt::ArrayFill(..) => {
                let mut writes = Writes::default();
                stmt_writes(self.state, stmt, &mut writes);
                self.forget(&writes);
            }
            _ => {}
        }
        for &local in stmt.assigned() {
            if !self.assigned[local.index()] {
                self.assigned[local.index()] = true;
                self.order.push(local);
            }
        }
        // A load that has a name already needs no other.
        if let Stmt::Set(local, value) = stmt
            && self.single[local.index()]
            && let Some(load) = load_of(value)
            && self.is_single(&load)
            && !self.known.iter().any(|(each, _)| *each == load)
        {
            self.remember(load, Atom::Local(*local));
        }
    }

    /// Notes what is known at a jump.
    fn exit(&mut self, label: Label) {
        if let Some((_, exit)) = self.exits.iter_mut().rev().find(|(each, _)| *each == label) {
            match exit {
                Some(exit) => meet(exit, &self.known),
                None => *exit = Some(self.known.clone()),
            }
        }
    }

    /// Forgets what may have been assigned.
    fn forget(&mut self, writes: &Writes) {
        let mut known = std::mem::take(&mut self.known);
        known.retain(|(load, _)| !self.is_written(load, writes));
        self.known = known;
    }

    fn is_written(&self, load: &Load, writes: &Writes) -> bool {
        match load {
            Load::Field(ty, field, _) => self.is_mutable(*ty, *field) && writes.contains(*ty, *field),
            Load::Element(ty, ..) => writes.contains(*ty, ELEMENTS),
            Load::Length(_) | Load::NonNull(_) => false,
        }
    }

    fn is_mutable(&self, ty: TypeId, field: u32) -> bool {
        self.module.types.field(ty, field).mutable
    }

    fn is_single(&self, load: &Load) -> bool {
        let index = match load {
            Load::Element(_, _, Ok(index)) => self.single[index.index()],
            _ => true,
        };
        self.single[load.base().index()] && index
    }

    /// The type of what is loaded.
    fn type_of(&self, load: &Load) -> Val {
        match load {
            Load::Field(ty, field, _) => self.module.types.field(*ty, *field).storage.unpacked(),
            Load::Length(_) => Val::I32,
            Load::Element(ty, ..) => self.module.types.element(*ty).storage.unpacked(),
            Load::NonNull(local) => match self.function.locals[local.index()] {
                Val::Null(heap) => Val::Ref(heap),
                other => other,
            },
        }
    }

    fn remember(&mut self, load: Load, value: Atom) {
        if self.known.len() >= MAX_KNOWN {
            self.known.remove(0);
        }
        self.known.push((load, value));
    }

    fn expr(&mut self, expr: &mut Expr, is_whole: bool, output: &mut Vec<Stmt>) {
        expr.each_mut(&mut |part| self.expr(part, false, output));
        let Some(load) = load_of(expr).filter(|load| self.is_single(load)) else { return };
        if let Some((_, value)) = self.known.iter().find(|(each, _)| *each == load) {
            *expr = value.expr();
            self.changed = true;
            return;
        }
        // An expression changes nothing, so that what it loads can as well be loaded before its statement.
        if !is_whole && self.often.get(&load).copied().unwrap_or(0) >= 2 {
            let held = self.name(self.type_of(&load));
            output.push(Stmt::Set(held, std::mem::replace(expr, Expr::Local(held))));
            self.remember(load, Atom::Local(held));
        }
    }

    /// Remembers what is stored.
    fn store(&mut self, ty: TypeId, field: u32, object: &Expr, value: Expr, output: &mut Vec<Stmt>) -> Expr {
        self.known.retain(|(load, _)| !matches!(load, Load::Field(of, each, _) if *of == ty && *each == field));
        let Expr::Local(local) = *object else { return value };
        let load = Load::Field(ty, field, local);
        if !self.single[local.index()] || self.often.get(&load).copied().unwrap_or(0) < 2 {
            return value;
        }
        let stable = match Atom::of(&value) {
            Some(Atom::Local(local)) if !self.single[local.index()] => None,
            found => found,
        };
        let known = stable.unwrap_or_else(|| {
            let held = self.name(self.module.types.field(ty, field).storage.unpacked());
            output.push(Stmt::Set(held, value));
            Atom::Local(held)
        });
        self.remember(load, known);
        known.expr()
    }

    fn name(&mut self, ty: Val) -> Local {
        let local = new_local(self.function, ty);
        self.single.push(true);
        self.assigned.push(true);
        self.order.push(local);
        local
    }

    /// Loads before a loop what does not change in it.
    fn hoist(&mut self, body: &[Stmt], writes: &Writes, output: &mut Vec<Stmt>) {
        let mut found = Vec::new();
        let mut seen = FxHashSet::default();
        each_stmt(body, &mut |stmt| stmt.exprs(&mut |expr| loads(expr, &mut found, &mut seen)));
        if found.is_empty() {
            return;
        }
        let mut inside = FxHashSet::default();
        each_stmt(body, &mut |stmt| inside.extend(stmt.assigned().iter().copied()));
        for (load, at) in found {
            let local = load.base();
            let is_sure = self.single[local.index()]
                && self.assigned[local.index()]
                && !inside.contains(&local)
                && matches!(self.function.locals[local.index()], Val::Ref(_));
            if !is_sure || self.is_written(&load, writes) || self.known.iter().any(|(each, _)| *each == load) {
                continue;
            }
            let object = Box::new(Expr::Local(local));
            let value = match load {
                Load::Field(ty, field, _) => Expr::StructGet(ty, field, object, at),
                Load::Length(_) => Expr::ArrayLen(object, at),
                // Before its time it could trap.
                Load::Element(..) | Load::NonNull(_) => continue,
            };
            let held = self.name(self.type_of(&load));
            output.push(Stmt::Set(held, value));
            self.remember(load, Atom::Local(held));
            self.changed = true;
        }
    }
}

fn loads(expr: &Expr, found: &mut Vec<(Load, At)>, seen: &mut FxHashSet<Load>) {
    if let Some(load) = load_of(expr)
        && seen.insert(load)
        && let Expr::StructGet(.., at) | Expr::ArrayLen(_, at) = expr
    {
        found.push((load, *at));
    }
    expr.each(&mut |part| loads(part, found, seen));
}
