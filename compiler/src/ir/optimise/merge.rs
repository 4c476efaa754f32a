//! Versions of a function that came out equal are one.

use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHasher};

use crate::ir::visit::each_stmt_mut;
use crate::ir::{Callee, Code, FuncId, Module, Stmt};

/// How often functions are compared: callers may be equal once what they call is.
const MAX_ROUNDS: usize = 4;

/// Merges equal functions. Only those of one name are, so that traces stay true.
pub(crate) fn merge(module: &mut Module) {
    for _ in 0..MAX_ROUNDS {
        let mut groups: FxHashMap<u64, Vec<usize>> = FxHashMap::default();
        let mut same: FxHashMap<FuncId, FuncId> = FxHashMap::default();
        for (index, function) in module.functions.iter().enumerate() {
            let Code::Body(body) = &function.code else { continue };
            let mut hasher = FxHasher::default();
            (function.name, function.params, &function.locals, &function.results, body).hash(&mut hasher);
            let group = groups.entry(hasher.finish()).or_default();
            let equal = group.iter().copied().find(|&other| {
                let other = &module.functions[other];
                other.name == function.name
                    && other.params == function.params
                    && other.locals == function.locals
                    && other.results == function.results
                    && matches!(&other.code, Code::Body(found) if found == body)
            });
            match equal {
                Some(other) => {
                    same.insert(FuncId(index as u32), FuncId(other as u32));
                }
                None => group.push(index),
            }
        }
        if same.is_empty() {
            return;
        }
        for gone in same.keys() {
            module.functions[gone.index()].code = Code::Gone;
        }
        let find = |id: &mut FuncId| {
            if let Some(&other) = same.get(id) {
                *id = other;
            }
        };
        for function in &mut module.functions {
            if let Code::Body(body) = &mut function.code {
                each_stmt_mut(body, &mut |stmt| {
                    if let Stmt::Call(call, _) = stmt
                        && let Callee::Direct(id) = &mut call.callee
                    {
                        find(id);
                    }
                });
            }
        }
        module.rows.iter_mut().flatten().for_each(find);
        module.exports.iter_mut().for_each(|(_, id)| find(id));
        module.panics.iter_mut().flatten().for_each(find);
        module.product.iter_mut().for_each(find);
    }
}
