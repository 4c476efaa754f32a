//! Improving the code. Every step is optional and leaves the same program.
//!
//! Functions are improved in the order of their calls, those that are called first, so that what is put into a caller is as good as it
//! gets. A function goes through the steps again as long as they find something: calls are replaced by what they call (`inline`), values
//! put where they are used (`simplify`), objects that stay inside become locals (`scalar`), jumps with known outcome go where they
//! lead (`jumps`), assignments that nobody reads vanish (`liveness`). Then loads and checks of loops are looked at (`loads`, `range`), and
//! at last values that are used once move to their place (`stack`).
//!
//! All of it is bounded: by the number of rounds, and by how much code may grow.

mod fold;
mod inline;
mod jumps;
mod liveness;
mod loads;
mod merge;
mod order;
mod range;
mod scalar;
mod simplify;
mod stack;
mod uses;

use super::visit::each_stmt;
use super::{Code, FuncId, Function, Module, Stmt, Val};

pub(crate) use loads::Writes;

/// How often a function goes through the steps.
const MAX_ROUNDS: usize = 8;

/// Beyond this size a function is only tidied up.
const MAX_SIZE: usize = 60_000;

/// What is known of functions while they are improved.
pub(crate) struct State {
    /// The size of each function that is done.
    sizes: Vec<Option<usize>>,
    /// How often each is called.
    calls: Vec<u32>,
    /// Which parameters each only reads and writes fields of, or calls.
    kept: Vec<Vec<bool>>,
    /// What each writes.
    writes: Vec<Writes>,
    /// Functions whose calls come back to them.
    recursive: Vec<bool>,
    /// How much code may still be added.
    budget: usize,
}

/// Improves a module.
pub(crate) fn run(module: &mut Module) {
    let (order, recursive) = order::order(module);
    let count = module.functions.len();
    let mut state = State {
        sizes: vec![None; count],
        calls: vec![0; count],
        kept: vec![Vec::new(); count],
        writes: vec![Writes::everything(); count],
        recursive,
        budget: 0,
    };
    for id in &order {
        let function = &module.functions[id.index()];
        state.budget += uses::size(function);
        count_calls(function, &mut state.calls);
    }
    state.budget = state.budget * 4 + 20_000;
    for &id in &order {
        improve(module, &mut state, id);
    }
    merge::merge(module);
    for function in &mut module.functions {
        stack::nest(function);
    }
}

/// Improves one function.
fn improve(module: &mut Module, state: &mut State, id: FuncId) {
    if !matches!(module.functions[id.index()].code, Code::Body(_)) {
        state.writes[id.index()] = Writes::default();
        return;
    }
    let mut function = take(module, id);
    let size = uses::size(&function);
    if size <= MAX_SIZE {
        for round in 0..MAX_ROUNDS {
            let mut changed = simplify::simplify(module, &mut function);
            changed |= inline::inline(module, state, &mut function, id);
            changed |= jumps::thread(module, &mut function);
            changed |= scalar::replace(module, &mut function);
            changed |= liveness::remove(&mut function);
            if !changed || (round > 1 && uses::size(&function) > MAX_SIZE) {
                break;
            }
        }
        for _ in 0..3 {
            let mut changed = loads::reuse(module, state, &mut function);
            changed |= simplify::simplify(module, &mut function);
            changed |= range::check(module, &mut function);
            changed |= simplify::simplify(module, &mut function);
            changed |= jumps::thread(module, &mut function);
            changed |= liveness::remove(&mut function);
            if !changed {
                break;
            }
        }
    }
    state.sizes[id.index()] = Some(uses::size(&function));
    state.writes[id.index()] = loads::writes_of(state, &function);
    state.kept[id.index()] = scalar::kept(&function);
    module.functions[id.index()] = function;
}

/// Takes a function out, and leaves its signature.
fn take(module: &mut Module, id: FuncId) -> Function {
    let function = &mut module.functions[id.index()];
    let left = Function {
        name: function.name,
        params: function.params,
        locals: function.locals[..function.params].to_vec(),
        results: function.results.clone(),
        code: Code::Gone,
        labels: 0,
    };
    std::mem::replace(function, left)
}

fn count_calls(function: &Function, calls: &mut [u32]) {
    if let Code::Body(body) = &function.code {
        each_stmt(body, &mut |stmt| {
            if let Stmt::Call(call, _) = stmt
                && let super::Callee::Direct(id) = call.callee
            {
                calls[id.index()] += 1;
            }
        });
    }
}

/// A new local of a function.
fn new_local(function: &mut Function, ty: Val) -> super::Local {
    function.locals.push(ty);
    super::Local(function.locals.len() as u32 - 1)
}

/// The statements of a function.
fn body_mut(function: &mut Function) -> &mut Vec<Stmt> {
    if !matches!(function.code, Code::Body(_)) {
        function.code = Code::Body(Vec::new());
    }
    match &mut function.code {
        Code::Body(body) => body,
        _ => unreachable!("it was just made"),
    }
}
