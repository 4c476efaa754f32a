//! Versions of a function that came out equal are one.

use rustc_hash::FxHashMap;

use crate::ir::visit::each_stmt_mut;
use crate::ir::{Callee, Code, FuncId, Function, Module, Stmt, Val};
use crate::source::Span;

/// What makes functions different, but for what they call.
#[derive(PartialEq, Eq, Hash)]
struct Form<'m> {
    name: u32,
    ends: Option<Span>,
    params: usize,
    locals: &'m [Val],
    results: &'m [Val],
    body: &'m [Stmt],
}

/// Merges equal functions. Only those of one name are, so that traces stay true.
pub(crate) fn merge(module: &mut Module) {
    let calls: Vec<Vec<FuncId>> =
        module.functions.iter_mut().map(|function| replace_calls(&mut function.code, &mut |_, _| FuncId(0))).collect();
    let classes = classes(module, &calls);
    let mut first = FxHashMap::default();
    let same: Vec<FuncId> =
        classes.iter().enumerate().map(|(index, class)| *first.entry(*class).or_insert(FuncId(index as u32))).collect();
    for (index, function) in module.functions.iter_mut().enumerate() {
        replace_calls(&mut function.code, &mut |at, _| same[calls[index][at].index()]);
        if same[index].index() != index {
            function.code = Code::Gone;
        }
    }
    let find = |id: &mut FuncId| *id = same[id.index()];
    module.rows.iter_mut().flatten().for_each(find);
    module.exports.iter_mut().for_each(|(_, id)| find(id));
    module.panics.iter_mut().flatten().for_each(find);
    module.product.iter_mut().for_each(find);
}

/// Replaces the functions that are called directly, each by its place among them; which they were.
fn replace_calls(code: &mut Code, with: &mut dyn FnMut(usize, FuncId) -> FuncId) -> Vec<FuncId> {
    let mut calls = Vec::new();
    if let Code::Body(body) = code {
        each_stmt_mut(body, &mut |stmt| {
            if let Stmt::Call(call, _) = stmt
                && let Callee::Direct(id) = &mut call.callee
            {
                calls.push(*id);
                *id = with(calls.len() - 1, *id);
            }
        });
    }
    calls
}

/// Numbers for functions, equal where they do the same. All that look the same are taken to be equal at first, and told apart by what
/// they call until nothing new is found: so functions that call themselves or one another are equal too.
fn classes(module: &Module, calls: &[Vec<FuncId>]) -> Vec<u32> {
    // Most have a name of their own, and need not be looked at.
    let mut named: FxHashMap<(u32, usize), u32> = FxHashMap::default();
    let key = |function: &Function| (function.name, function.locals.len());
    for function in module.functions.iter().filter(|function| matches!(function.code, Code::Body(_))) {
        *named.entry(key(function)).or_insert(0) += 1;
    }
    let mut forms: FxHashMap<Form<'_>, u32> = FxHashMap::default();
    let mut classes: Vec<u32> = Vec::with_capacity(module.functions.len());
    let mut count = 0;
    for function in &module.functions {
        let mut new = || {
            count += 1;
            count - 1
        };
        let class = match &function.code {
            Code::Body(body) if named[&key(function)] > 1 => {
                let (name, params) = (function.name, function.params);
                let form = Form {
                    name,
                    ends: function.ends,
                    params,
                    locals: &function.locals,
                    results: &function.results,
                    body,
                };
                *forms.entry(form).or_insert_with(new)
            }
            _ => new(),
        };
        classes.push(class);
    }
    loop {
        let mut refined: FxHashMap<(u32, Vec<u32>), u32> = FxHashMap::default();
        let mut next = Vec::with_capacity(classes.len());
        for (class, calls) in classes.iter().zip(calls) {
            let called = calls.iter().map(|id| classes[id.index()]).collect();
            let number = refined.len() as u32;
            next.push(*refined.entry((*class, called)).or_insert(number));
        }
        let found = refined.len() as u32;
        classes = next;
        if found == count {
            return classes;
        }
        count = found;
    }
}
