//! Objects that nothing but the function's own code sees become locals, one for each field.

use super::fold::take;
use super::{body_mut, new_local};
use crate::ir::visit::{Fate, each_stmt, edit, mentions};
use crate::ir::{Call, Callee, Code, Expr, FuncId, Function, Local, Module, Stmt, TypeDef, TypeId, Val};

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// Nothing is known.
    Unknown,
    /// Only objects of this type are assigned to it, made on the spot.
    Object(TypeId),
    /// Anything else.
    Other,
}

/// What takes the place of an object.
#[derive(Clone)]
struct Object {
    ty: TypeId,
    /// For each field.
    locals: Vec<Local>,
}

/// Which parameters a function uses for nothing but their fields, or to call them as function values, or to hand them to functions that
/// do no more, itself among them.
pub(crate) fn kept(module: &Module, state: &super::State, id: FuncId, function: &Function) -> Vec<bool> {
    let Code::Body(body) = &function.code else { return Vec::new() };
    let mut states = vec![State::Unknown; function.locals.len()];
    each_stmt(body, &mut |stmt| match stmt {
        Stmt::Call(call, _) if ends(module, call) => {}
        Stmt::Call(call, to) => {
            let called = match (&call.callee, call.args.first()) {
                (Callee::Table(_, Expr::StructGet(_, 0, object, _)), Some(first)) => **object == *first,
                _ => false,
            };
            for (index, arg) in call.args.iter().enumerate().skip(called as usize) {
                let passed = match (&call.callee, arg) {
                    (Callee::Direct(callee), Expr::Local(local)) => {
                        (*callee == id && local.index() == index)
                            || state.kept[callee.index()].get(index).copied().unwrap_or(false)
                    }
                    _ => false,
                };
                if !passed {
                    escapes(arg, &mut states);
                }
            }
            to.iter().for_each(|local| states[local.index()] = State::Other);
        }
        stmt => look(stmt, &mut states),
    });
    (0..function.params)
        .map(|index| states[index] == State::Unknown && function.locals[index].heap().is_some())
        .collect()
}

/// Replaces objects by locals; whether there were any.
pub(crate) fn replace(module: &Module, function: &mut Function) -> bool {
    let mut states = vec![State::Unknown; function.locals.len()];
    states[..function.params].fill(State::Other);
    let body = std::mem::take(body_mut(function));
    each_stmt(&body, &mut |stmt| match stmt {
        Stmt::Call(call, _) if ends(module, call) => call.args.iter().for_each(|arg| escapes_at_end(arg, &mut states)),
        stmt => look(stmt, &mut states),
    });
    let mut fields: Vec<Option<Object>> = vec![None; states.len()];
    let mut changed = false;
    for (index, state) in states.iter().enumerate() {
        if let State::Object(ty) = state {
            let locals = field_types(module, *ty).into_iter().map(|val| new_local(function, val)).collect();
            fields[index] = Some(Object { ty: *ty, locals });
            changed = true;
        }
    }
    *body_mut(function) = body;
    if changed {
        let mut body = std::mem::take(body_mut(function));
        rewrite(module, &mut body, &fields, function);
        *body_mut(function) = body;
    }
    changed
}

/// Whether a call ends the program, and is made of code that was written here.
fn ends(module: &Module, call: &Call) -> bool {
    matches!(call.callee, Callee::Direct(callee) if module.functions[callee.index()].ends.is_some())
}

/// Notes locals that are used otherwise than for a field, in an argument of what ends the program: that can be handed a copy.
fn escapes_at_end(arg: &Expr, states: &mut [State]) {
    match arg {
        Expr::Local(_) => {}
        Expr::StructNew(_, parts) => parts.iter().for_each(|part| escapes_at_end(part, states)),
        other => escapes(other, states),
    }
}

/// Makes objects of locals in an argument of what ends the program.
fn make(arg: &mut Expr, fields: &[Option<Object>]) {
    match arg {
        Expr::Local(local) => {
            if let Some(object) = fields.get(local.index()).and_then(Option::as_ref) {
                *arg = Expr::StructNew(object.ty, object.locals.iter().copied().map(Expr::Local).collect());
            }
        }
        Expr::StructNew(_, parts) => parts.iter_mut().for_each(|part| make(part, fields)),
        _ => {}
    }
}

fn field_types(module: &Module, ty: TypeId) -> Vec<Val> {
    match module.types.get(ty) {
        TypeDef::Struct { fields, .. } => fields.iter().map(|field| field.storage.unpacked()).collect(),
        _ => Vec::new(),
    }
}

fn look(stmt: &Stmt, states: &mut [State]) {
    match stmt {
        Stmt::Set(local, Expr::StructNew(ty, _)) => {
            let state = &mut states[local.index()];
            *state = match *state {
                State::Unknown => State::Object(*ty),
                State::Object(other) if other == *ty => State::Object(*ty),
                _ => State::Other,
            };
        }
        Stmt::StructSet(_, _, parts, _) => {
            if !matches!(parts[0], Expr::Local(_)) {
                escapes(&parts[0], states);
            }
            escapes(&parts[1], states);
            return;
        }
        other => {
            for local in other.assigned() {
                states[local.index()] = State::Other;
            }
        }
    }
    stmt.exprs(&mut |expr| escapes(expr, states));
}

/// Notes locals that are used otherwise than for a field.
fn escapes(expr: &Expr, states: &mut [State]) {
    match expr {
        Expr::Local(local) => states[local.index()] = State::Other,
        Expr::StructGet(_, _, object, _) | Expr::IsNull(object) if matches!(**object, Expr::Local(_)) => {}
        other => other.each(&mut |part| escapes(part, states)),
    }
}

fn rewrite(module: &Module, list: &mut Vec<Stmt>, fields: &[Option<Object>], function: &mut Function) {
    let known = |local: Local| fields.get(local.index()).and_then(Option::as_ref);
    edit(list, &mut |stmt, new| {
        if let Stmt::Call(call, _) = stmt
            && ends(module, call)
        {
            call.args.iter_mut().for_each(|arg| make(arg, fields));
        }
        stmt.exprs_mut(&mut |expr| rewrite_expr(expr, fields));
        stmt.lists_mut(&mut |inner| rewrite(module, inner, fields, function));
        match stmt {
            Stmt::Set(local, Expr::StructNew(_, values)) => {
                if let Some(to) = known(*local) {
                    assign(&to.locals, std::mem::take(values), function, new);
                    return Fate::GOES;
                }
            }
            Stmt::StructSet(_, field, parts, _) => {
                if let Expr::Local(local) = parts[0]
                    && let Some(to) = known(local)
                {
                    *stmt = Stmt::Set(to.locals[*field as usize], take(&mut parts[1]));
                }
            }
            _ => {}
        }
        Fate::STAYS
    });
}

/// Assigns locals as if at once.
fn assign(to: &[Local], mut values: Vec<Expr>, function: &mut Function, output: &mut Vec<Stmt>) {
    if values.iter().skip(1).any(|value| mentions(value, to)) {
        for (value, &local) in values.iter_mut().zip(to) {
            if !value.is_const() {
                let held = new_local(function, function.locals[local.index()]);
                let taken = std::mem::replace(value, Expr::Local(held));
                output.push(Stmt::Set(held, taken));
            }
        }
    }
    output.extend(to.iter().zip(values).map(|(&local, value)| Stmt::Set(local, value)));
}

fn rewrite_expr(expr: &mut Expr, fields: &[Option<Object>]) {
    let known = |object: &Expr| match object {
        Expr::Local(local) => fields.get(local.index()).and_then(Option::as_ref),
        _ => None,
    };
    match expr {
        Expr::StructGet(_, field, object, _) => {
            if let Some(object) = known(object) {
                *expr = Expr::Local(object.locals[*field as usize]);
                return;
            }
        }
        Expr::IsNull(object) if known(object).is_some() => {
            *expr = Expr::I32(0);
            return;
        }
        _ => {}
    }
    expr.each_mut(&mut |part| rewrite_expr(part, fields));
}
