//! Improving the code. Every step is optional and leaves the same program.
//!
//! What ends the program moves out of functions first (`outline`). They are improved in the order of their calls, those that are called
//! first (`order`), so that what is put into a caller is as good as it gets; but only those that something leads to which is improved itself. A function goes through the steps again as long as they find something: calls are replaced by what they call (`inline`), values
//! put where they are used (`simplify`), objects that stay inside become locals (`scalar`), jumps with known outcome go where they
//! lead (`jumps`), assignments that nobody reads vanish (`liveness`). Of what is left in the end, and equals nothing else (`merge`), loops are
//! peeled, loads and checks looked at (`peel`, `loads`, `range`), and at last values that are used once move to their place (`stack`).
//!
//! All of it is bounded: by the number of rounds, and by how much code may grow.

mod fold;
mod inline;
mod jumps;
mod liveness;
mod loads;
mod merge;
mod order;
mod outline;
mod peel;
mod range;
mod scalar;
mod simplify;
mod specialise;
mod stack;
mod uses;

use super::reach::{self, Reached};
use super::{Code, FuncId, Function, Module, Stmt, Val};
use order::{Edge, Order};
use uses::Contents;

pub(crate) use loads::Writes;

/// How often a function goes through the steps.
const MAX_ROUNDS: usize = 6;

/// Beyond this size a function is only tidied up.
const MAX_SIZE: usize = 60_000;

/// How many functions may wait for others that turn out to be called while they are improved: all of them are on the stack.
const MAX_WAITING: usize = 8;

/// What is known of functions while they are improved.
pub(crate) struct State {
    /// Where functions lead, and in which order they are improved.
    order: Order,
    /// Functions that are improved, or being improved.
    begun: Vec<bool>,
    /// How many functions wait for others.
    waiting: usize,
    /// How much code each function was before.
    sizes: Vec<usize>,
    /// What is in each function that is done.
    contents: Vec<Option<Contents>>,
    /// How often each is called.
    calls: Vec<u32>,
    /// Which parameters each only reads and writes fields of, or calls.
    kept: Vec<Vec<bool>>,
    /// What each writes.
    writes: Vec<Writes>,
    /// Versions of functions for function values that are known.
    versions: specialise::Versions,
    /// How much code may still be added.
    budget: usize,
}

impl State {
    fn new(module: &Module) -> Self {
        let order = order::order(module);
        let count = module.functions.len();
        let mut calls = vec![0; count];
        for edge in order.edges.iter().flatten() {
            if let Edge::Call(id) = edge {
                calls[id.index()] += 1;
            }
        }
        let sizes: Vec<usize> = module.functions.iter().map(uses::size).collect();
        Self {
            order,
            begun: vec![false; count],
            waiting: 0,
            budget: sizes.iter().sum::<usize>() * 4 + 20_000,
            sizes,
            contents: vec![None; count],
            calls,
            kept: vec![Vec::new(); count],
            writes: vec![Writes::everything(); count],
            versions: specialise::Versions::default(),
        }
    }

    /// Adds a version of a function, which is improved at once.
    fn add(&mut self, of: FuncId) {
        self.begun.push(true);
        self.sizes.push(self.size(of).unwrap_or(0));
        self.contents.push(None);
        self.calls.push(2);
        self.kept.push(Vec::new());
        self.writes.push(Writes::everything());
        self.order.recursive.push(self.order.recursive[of.index()]);
    }

    /// The size of a function that is done.
    fn size(&self, id: FuncId) -> Option<usize> {
        Some(self.contents[id.index()]?.size)
    }

    /// What is to be improved for a function: itself, and what it leads to and is not begun, those that are called first. Methods in the table
    /// are left until something is found to call them, or to keep them in the table.
    fn wanted(&mut self, id: FuncId) -> Vec<FuncId> {
        let mut wanted = Vec::new();
        let mut add = |id: FuncId, wanted: &mut Vec<FuncId>| {
            if !std::mem::replace(&mut self.begun[id.index()], true) {
                wanted.push(id);
            }
        };
        add(id, &mut wanted);
        let mut next = 0;
        while let Some(id) = wanted.get(next) {
            next += 1;
            for edge in &self.order.edges[id.index()] {
                if let Edge::Call(to) | Edge::Value(to) = edge {
                    add(*to, &mut wanted);
                }
            }
        }
        wanted.sort_unstable_by_key(|id| self.order.place[id.index()]);
        wanted
    }
}

/// Improves a module.
pub(crate) fn run(module: &mut Module) {
    outline::outline(module);
    let mut state = State::new(module);
    let mut reached = Reached::exports(module);
    while let Some(id) = reached.next() {
        demand(module, &mut state, id);
        reached.look(module, id);
    }
    reach::keep(module, &reached);
    merge::merge(module);
    for index in 0..module.functions.len() {
        finish(module, &state, FuncId(index as u32));
    }
}

/// Improves a function, if that is not begun yet, and before it what it calls.
fn demand(module: &mut Module, state: &mut State, id: FuncId) {
    if !state.begun[id.index()] && state.waiting < MAX_WAITING {
        state.waiting += 1;
        for id in state.wanted(id) {
            improve(module, state, id);
        }
        state.waiting -= 1;
    }
}

/// Improves one function.
fn improve(module: &mut Module, state: &mut State, id: FuncId) {
    if !matches!(module.functions[id.index()].code, Code::Body(_)) {
        state.writes[id.index()] = Writes::default();
        return;
    }
    let mut function = take(module, id);
    let mut seen = Contents { size: state.sizes[id.index()], ..Contents::default() };
    if seen.size <= MAX_SIZE {
        seen.kinds = simplify::simplify(module, &mut function);
        seen.size = uses::size(&function);
        for _ in 0..MAX_ROUNDS {
            let inlined = seen.kinds.calls && inline::inline(module, state, &mut function, id, seen);
            if inlined {
                seen.kinds = simplify::simplify(module, &mut function);
            }
            let mut changed = seen.kinds.blocks && jumps::thread(module, &mut function);
            changed |= seen.kinds.objects && scalar::replace(module, &mut function);
            let removed = liveness::remove(&mut function);
            if !(inlined || changed || removed) {
                break;
            }
            if changed || removed {
                seen.kinds = simplify::simplify(module, &mut function);
            }
            seen.size = uses::size(&function);
            if !(inlined || changed) || seen.size > MAX_SIZE {
                break;
            }
        }
    }
    state.contents[id.index()] = Some(seen);
    state.writes[id.index()] = loads::writes_of(state, &function);
    state.kept[id.index()] = scalar::kept(module, state, id, &function);
    module.functions[id.index()] = function;
}

/// Improves what nothing is put into any more: its loads, its checks, its loops.
fn finish(module: &mut Module, state: &State, id: FuncId) {
    if !matches!(module.functions[id.index()].code, Code::Body(_)) {
        return;
    }
    let mut function = take(module, id);
    let seen = state.contents[id.index()].unwrap_or_default();
    if seen.size <= MAX_SIZE {
        if seen.kinds.loops {
            peel::peel(&mut function);
        }
        for _ in 0..if seen.kinds.loops { 2 } else { 1 } {
            let mut changed = loads::reuse(module, state, &mut function);
            changed |= range::check(module, &mut function);
            if !changed {
                break;
            }
            simplify::simplify(module, &mut function);
            if seen.kinds.blocks && jumps::thread(module, &mut function) {
                simplify::simplify(module, &mut function);
            }
            if liveness::remove(&mut function) {
                simplify::simplify(module, &mut function);
            }
        }
    }
    stack::nest(&mut function);
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
        ends: function.ends,
    };
    std::mem::replace(function, left)
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
