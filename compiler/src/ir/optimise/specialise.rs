//! Functions that are given function values which are known at the call, but are too great to stand in its place, get versions of their own for
//! them: so they call what they were given directly.

use rustc_hash::FxHashMap;

use super::{State, improve};
use crate::ir::visit::each_stmt_mut;
use crate::ir::{Code, Expr, FuncId, Function, GlobalId, Init, Local, Module, RowId, Stmt, TypeId, Val};

/// Greater functions have no versions.
const MAX_SIZE: usize = 2000;

/// How many versions there may be.
const MAX_VERSIONS: usize = 2000;

/// What is known of a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Known {
    /// Nothing.
    Nothing,
    /// A function value that captures nothing.
    Global(GlobalId),
    /// A closure of this type and function. What it captured is given instead of it.
    Closure(TypeId, RowId),
}

/// Versions that there are.
#[derive(Debug, Default)]
pub(crate) struct Versions(FxHashMap<(FuncId, Vec<Known>), FuncId>);

/// Closures that locals refer to: their types, and the values in them.
pub(crate) type Closures = FxHashMap<Local, (TypeId, Vec<Expr>)>;

/// A version of a function for a call with these arguments, and the arguments for it.
pub(crate) fn version(
    module: &mut Module,
    state: &mut State,
    closures: &Closures,
    callee: FuncId,
    args: &[Expr],
) -> Option<(FuncId, Vec<Expr>)> {
    let kept = &state.kept[callee.index()];
    if state.size(callee).is_none_or(|size| size > MAX_SIZE) || kept.is_empty() {
        return None;
    }
    let mut known = Vec::with_capacity(args.len());
    let mut left = Vec::with_capacity(args.len());
    for (arg, &kept) in args.iter().zip(kept) {
        let found = if kept { known_function(module, closures, arg) } else { Known::Nothing };
        match (&found, arg) {
            (Known::Nothing, _) => left.push(arg.clone()),
            (Known::Closure(..), Expr::Local(local)) => left.extend(closures[local].1[1..].iter().cloned()),
            _ => {}
        }
        known.push(found);
    }
    if known.iter().all(|each| *each == Known::Nothing) {
        return None;
    }
    let key = (callee, known);
    if let Some(&version) = state.versions.0.get(&key) {
        return Some((version, left));
    }
    let size = state.size(callee).unwrap_or(0);
    if state.versions.0.len() >= MAX_VERSIONS || size > state.budget {
        return None;
    }
    state.budget -= size;
    let function = make(module, &module.functions[callee.index()], &key.1)?;
    let id = FuncId(module.functions.len() as u32);
    module.functions.push(function);
    state.add(callee);
    state.versions.0.insert(key, id);
    improve(module, state, id);
    Some((id, left))
}

fn known_function(module: &Module, closures: &Closures, arg: &Expr) -> Known {
    match arg {
        Expr::Global(id) if matches!(module.globals[id.index()].init, Init::Function(..)) => Known::Global(*id),
        Expr::Local(local) => match closures.get(local) {
            Some((ty, fields)) => match fields.first() {
                Some(Expr::Row(row)) => Known::Closure(*ty, *row),
                _ => Known::Nothing,
            },
            None => Known::Nothing,
        },
        _ => Known::Nothing,
    }
}

/// A copy of a function with other parameters, which makes those that it had before all else.
fn make(module: &Module, function: &Function, known: &[Known]) -> Option<Function> {
    let Code::Body(body) = &function.code else { return None };
    let mut params: Vec<Val> = Vec::new();
    let mut values = Vec::with_capacity(known.len());
    for (index, known) in known.iter().enumerate() {
        let first = params.len() as u32;
        values.push(match known {
            Known::Nothing => {
                params.push(function.locals[index]);
                Expr::Local(Local(first))
            }
            Known::Global(id) => Expr::Global(*id),
            Known::Closure(ty, row) => {
                let crate::ir::TypeDef::Struct { fields, .. } = module.types.get(*ty) else { return None };
                params.extend(fields[1..].iter().map(|field| field.storage.unpacked()));
                let captured = (first..params.len() as u32).map(|index| Expr::Local(Local(index)));
                Expr::StructNew(*ty, std::iter::once(Expr::Row(*row)).chain(captured).collect())
            }
        });
    }
    let shift = params.len() as u32;
    let mut body = body.clone();
    each_stmt_mut(&mut body, &mut |stmt| {
        match stmt {
            Stmt::Set(local, _) => local.0 += shift,
            Stmt::Call(_, to) => to.iter_mut().for_each(|local| local.0 += shift),
            _ => {}
        }
        stmt.exprs_mut(&mut |expr| rename(expr, shift));
    });
    let begin = values.into_iter().enumerate().map(|(index, value)| Stmt::Set(Local(shift + index as u32), value));
    let body = begin.chain(body).collect();
    let count = params.len();
    let locals = params.into_iter().chain(function.locals.iter().copied()).collect();
    Some(Function { params: count, locals, code: Code::Body(body), ..function.clone() })
}

fn rename(expr: &mut Expr, shift: u32) {
    if let Expr::Local(local) = expr {
        local.0 += shift;
    }
    expr.each_mut(&mut |part| rename(part, shift));
}
