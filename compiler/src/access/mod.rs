//! Whether values are changed only where they may be.
//!
//! # What is promised
//!
//! `let`, a plain parameter, a plain name of a pattern, a plain field: what is reached through it is not changed *by means of it*,
//! however it goes on from there. `var` says that it may be. A function's signature therefore tells all that a call can do to
//! its arguments. Access is no part of a type and nothing at run time; it is found here, once all types are known.
//!
//! # How it is found
//!
//! Each expression, local, result and instance of a type parameter has a *flag* for each part of its type in which something can be
//! changed ([`shape`]): a `List<List<Int>>` has two, an `Option<Int>` none. A flag is set where a change is *demanded* through
//! the value. Demands go backwards, from where a value is used to where it came from: for each way that a value takes, an edge
//! leads from the flag there to the flag here ([`flow`]). Where something is changed (a call of a `var self` method, an
//! argument for a `var` parameter, an assignment of a field, a value that is kept in a `var` field) a flag is set to begin with; where a
//! declaration says read-only, a flag must stay clear. The program is right if the least set of flags that the edges lead to
//! has none of those ([`graph`]). An error shows the shortest way. All bodies make one graph, and it is gone through once.
//!
//! # Why it is sound
//!
//! Say that a *place* (local, field, element, argument, result) *owns up to* a change if its flag is set. Claim: whenever a running
//! program changes an object, each place through which the running code reached it owns up to that, up to the one at which it
//! was made or declared; so if one of them is read-only, there is an error. By cases of how a reference can move:
//!
//! 1. *From place to place* (binding, assignment, argument, result, capture, a branch's value): the edge from target to source.
//!    Locals are captured by reference and flags do not depend on time, so a capture is the same place.
//! 2. *Into a container and out of it.* A value that is put in goes to the container's argument flag, and what is taken out comes
//!    from it. Two names of one container share elements, so their argument flags must agree as soon as one of the two can put
//!    something in: when a container's own flag is set at the target of a way, the parts' edges are added in the other direction too
//!    ([`graph::Action::Back`]). As long as the target is read-only, nothing can be put in there, and one direction is
//!    enough: read-only containers are covariant. Parameters of functions go the other way, and a type parameter of a record
//!    goes whichever ways its fields say.
//! 3. *Out of a field.* What is declared mutable in a field is so only through a record that is: its flag leads to the record's (the
//!    *gate*). What is declared read-only stays clear. What a `var` field holds is demanded where the record is made.
//! 4. *Through a signature.* A `var` parameter demands of the argument all that the body could do; a plain one demands nothing, and
//!    its flags must stay clear in the body. Results lead to the flags of what the body returns. A type parameter is a tree of
//!    flags for each call, shared by all places of the signature that mention it: nothing of such a type can come from anywhere
//!    but the arguments, and nothing can be done to it but what its bounds allow. That is a flag for each type
//!    parameter of a function: *its body changes values of it by means of the bounds*, which leads, at each call, to what
//!    implementations of those traits change in the argument ([`graph::Action::Receive`]).
//! 5. *Through a trait.* A call for a known type is a call of the implementation. For a `dyn` or a type parameter it is a call of the
//!    trait's signature, and each implementation demands no more than that and gives no less (`signature`). Where a value becomes
//!    `dyn`, a demand of the `dyn` is one of the value as a receiver.
//! 6. *By a cast.* The one cast there is, from `dyn Error` back to its type, gives something read-only.
//!
//! `copy` shares nothing mutable, so its result owes nothing to the original.

mod body;
mod call;
mod flow;
mod graph;
mod report;
mod shape;
mod signature;
#[cfg(test)]
mod tests;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::names::Names;
use crate::typed::{Body, FnId, FunctionKind, ImplId, Program, TraitId, Ty};

use call::Found;
use graph::{Action, Graph, Why};
use report::{Cause, Owner, Source, Stricter};
use shape::{Shapes, Tree};

/// Checks the access of a program whose types are right.
pub fn check(program: &Program, names: &Names, diagnostics: &mut Diagnostics) {
    let mut checker = Checker::new(program, names);
    for (index, function) in program.functions.iter().enumerate() {
        let id = FnId(index as u32);
        match &function.kind {
            FunctionKind::Plain(body) | FunctionKind::Host(Some(body)) => checker.function(id, body),
            FunctionKind::Required => checker.required(id),
            _ => {}
        }
    }
    for constant in &program.constants {
        checker.constant(&constant.body);
    }
    for index in 0..program.impls.len() {
        checker.implementation(ImplId(index as u32));
    }
    if checker.solve() {
        checker.report(diagnostics);
    } else {
        let span = program.main.as_ref().map(|main| program.functions[main.function.index()].span).unwrap_or_default();
        diagnostics.push(
            Diagnostic::error("F0722", span, "the program is too large to check what it changes")
                .label(format!("there are more than {} parts of values to look at", graph::LIMIT)),
        );
    }
}

/// See the module.
struct Checker<'p> {
    program: &'p Program,
    names: &'p Names,
    shapes: Shapes<'p>,
    graph: Graph,
    causes: Vec<Cause<'p>>,
    sources: Vec<Source<'p>>,
    /// Parameters of implementations that demand more than the trait's.
    stricter: Vec<Stricter>,
    /// What declarations that are gone through now make read-only.
    given: Source<'p>,
    /// What is looked at.
    context: Context<'p>,
    /// Flags of what functions give, where inference finds it.
    results: FxHashMap<FnId, u32>,
    /// Flags of what functions that are handed to parameters or fields give.
    places: FxHashMap<Place, u32>,
    /// Whether functions change values of their type parameters.
    params: FxHashMap<(FnId, u32), u32>,
    /// The same of implementations as receivers.
    impl_params: FxHashMap<(ImplId, u32), u32>,
    /// The same of what they are handed and give.
    impl_owes: FxHashMap<(ImplId, u32), u32>,
    /// Flags for the arguments that implementations give to their traits: for what comes out, and for what goes in.
    impl_args: FxHashMap<(ImplId, u32), (u32, u32)>,
    /// Implementations of traits.
    by_trait: FxHashMap<TraitId, Vec<ImplId>>,
    found: FxHashMap<(TraitId, Ty), Found>,
    /// The traits whose functions these are.
    trait_of: FxHashMap<FnId, TraitId>,
    /// What was done already, each time a flag was set.
    back: FxHashSet<(u32, u32)>,
    received: FxHashSet<(Tree, TraitId)>,
}

/// A declared place that a function can be put in.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    Param(FnId, u32),
    Field(Owner, u32),
}

/// The function that is looked at.
struct Context<'p> {
    function: Option<FnId>,
    body: Option<&'p Body>,
    /// Flags of locals, plus one; 0 where there are none yet.
    locals: Vec<u32>,
    /// Where `return` goes: of the function, then of the closures that the expression is in.
    returns: Vec<Tree>,
    /// The statement that binds a single name now.
    binding: Option<crate::source::Span>,
}

impl<'p> Checker<'p> {
    fn new(program: &'p Program, names: &'p Names) -> Self {
        let mut by_trait: FxHashMap<TraitId, Vec<ImplId>> = FxHashMap::default();
        for (index, implementation) in program.impls.iter().enumerate() {
            if let Some((of, _)) = &implementation.of {
                by_trait.entry(*of).or_default().push(ImplId(index as u32));
            }
        }
        let methods = (0..)
            .zip(&program.traits)
            .flat_map(|(index, declared)| declared.methods.iter().map(move |method| (method.function, TraitId(index))));
        Self {
            program,
            names,
            shapes: Shapes::new(program),
            graph: Graph::default(),
            causes: Vec::new(),
            sources: Vec::new(),
            stricter: Vec::new(),
            given: Source::Cast,
            context: Context { function: None, body: None, locals: Vec::new(), returns: Vec::new(), binding: None },
            results: FxHashMap::default(),
            places: FxHashMap::default(),
            params: FxHashMap::default(),
            impl_params: FxHashMap::default(),
            impl_owes: FxHashMap::default(),
            impl_args: FxHashMap::default(),
            by_trait,
            found: FxHashMap::default(),
            trait_of: methods.collect(),
            back: FxHashSet::default(),
            received: FxHashSet::default(),
        }
    }

    /// Sets what follows from what is set. Whether that was possible.
    fn solve(&mut self) -> bool {
        let mut actions = Vec::new();
        while let Some(flag) = self.graph.next() {
            if self.graph.is_full() {
                return false;
            }
            self.graph.take_actions(flag, &mut actions);
            for &(action, site) in &actions {
                self.graph.at_site(site);
                self.act_at(flag, action, site);
            }
        }
        !self.graph.is_full()
    }

    /// Does what happens when a flag is set, as it is.
    fn act(&mut self, flag: u32, action: Action) {
        match action {
            Action::Set(other) => self.graph.implies(flag, other),
            _ => self.act_at(flag, action, 0),
        }
    }

    fn act_at(&mut self, flag: u32, action: Action, site: u32) {
        match action {
            Action::Set(other) => self.graph.set(other, Why::Flag(flag, site)),
            Action::Fill(other) => self.graph.set(other, Why::Fill(flag, site)),
            Action::Back { from, to } => self.go_back(from, to),
            Action::Receive { value, of, call: false } => self.receive(value, of, flow::Demand::Flag(flag)),
            Action::Receive { value, of, call: true } => self.receive(value, of, flow::Demand::Call(flag)),
        }
    }

    /// The other way for the parts of a container that can be changed at `to`.
    fn go_back(&mut self, from: Tree, to: Tree) {
        if !self.back.insert((from.base, to.base)) {
            return;
        }
        for (part, variance) in self.shapes.parts(from) {
            let other = Tree { ty: part.ty, base: to.base + (part.base - from.base) };
            if self.shapes.size(part.ty) == 0 {
                continue;
            }
            if variance.same || !variance.other {
                self.flow(other, part);
            }
            if variance.other {
                self.flow(part, other);
            }
        }
    }
}
