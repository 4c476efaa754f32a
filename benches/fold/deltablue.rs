//! An incremental solver of constraints with strengths, on a chain of 100 equalities and on 100 scalings; so many rounds.

/// From the strongest to the weakest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    Required,
    Preferred,
    StrongDefault,
    Normal,
    Weakest,
}

/// A variable's place in the planner's list.
type VariableId = usize;
/// A constraint's place in the planner's list.
type ConstraintId = usize;

struct Variable {
    value: i64,
    constraints: Vec<ConstraintId>,
    determined_by: Option<ConstraintId>,
    mark: u64,
    strength: Strength,
    stays: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Nowhere,
    Forward,
    Backward,
}

#[derive(Clone, Copy)]
struct Scaling {
    factor: VariableId,
    offset: VariableId,
}

enum Constraint {
    /// Lets a variable stay as it is, or be edited from outside.
    Unary { strength: Strength, edit: bool, variable: VariableId, satisfied: bool },
    /// Keeps two variables equal, or the second one a multiple of the first plus an offset.
    Binary { strength: Strength, first: VariableId, second: VariableId, scaling: Option<Scaling>, direction: Direction },
}

use Constraint::{Binary, Unary};
use Direction::{Backward, Forward, Nowhere};

impl Constraint {
    fn strength(&self) -> Strength {
        match *self {
            Unary { strength, .. } | Binary { strength, .. } => strength,
        }
    }

    fn is_input(&self) -> bool {
        matches!(self, Unary { edit: true, .. })
    }

    fn is_satisfied(&self) -> bool {
        match *self {
            Unary { satisfied, .. } => satisfied,
            Binary { direction, .. } => direction != Nowhere,
        }
    }

    fn unsatisfy(&mut self) {
        match self {
            Unary { satisfied, .. } => *satisfied = false,
            Binary { direction, .. } => *direction = Nowhere,
        }
    }

    /// The variable that it determines.
    fn output(&self) -> VariableId {
        match *self {
            Unary { variable, .. } => variable,
            Binary { first, second, direction, .. } => {
                if direction == Forward {
                    second
                } else {
                    first
                }
            }
        }
    }

    /// All variables that it is about.
    fn variables(&self) -> Vec<VariableId> {
        match *self {
            Unary { variable, .. } => vec![variable],
            Binary { first, second, scaling: Some(by), .. } => vec![first, second, by.factor, by.offset],
            Binary { first, second, scaling: None, .. } => vec![first, second],
        }
    }

    /// Decides whether and how it can be satisfied, given which variables have the mark.
    fn choose(&mut self, variables: &[Variable], mark: u64) {
        match self {
            Unary { strength, variable, satisfied, .. } => {
                let variable = &variables[*variable];
                *satisfied = variable.mark != mark && *strength < variable.strength;
            }
            Binary { strength, first, second, direction, .. } => {
                let (first, second) = (&variables[*first], &variables[*second]);
                let toward = |to: &Variable, way: Direction| {
                    if to.mark != mark && *strength < to.strength { way } else { Nowhere }
                };
                *direction = if first.mark == mark {
                    toward(second, Forward)
                } else if second.mark == mark || second.strength < first.strength {
                    toward(first, Backward)
                } else {
                    toward(second, Forward)
                };
            }
        }
    }

    fn mark_inputs(&self, variables: &mut [Variable], mark: u64) {
        if let Binary { first, second, scaling, direction, .. } = *self {
            variables[if direction == Forward { first } else { second }].mark = mark;
            if let Some(by) = scaling {
                variables[by.factor].mark = mark;
                variables[by.offset].mark = mark;
            }
        }
    }

    fn inputs_known(&self, variables: &[Variable], mark: u64) -> bool {
        let known = |variable: VariableId| {
            let variable = &variables[variable];
            variable.mark == mark || variable.stays || variable.determined_by.is_none()
        };
        match *self {
            Unary { .. } => true,
            Binary { first, second, scaling, direction, .. } => {
                known(if direction == Forward { first } else { second })
                    && scaling.is_none_or(|by| known(by.factor) && known(by.offset))
            }
        }
    }

    /// Works out its output's strength, whether that stays, and its value if so.
    fn recalculate(&self, variables: &mut [Variable]) {
        match *self {
            Unary { strength, edit, variable, .. } => {
                variables[variable].strength = strength;
                variables[variable].stays = !edit;
            }
            Binary { strength, first, second, scaling, direction } => {
                let (input, output) = if direction == Forward { (first, second) } else { (second, first) };
                let stays = variables[input].stays
                    && scaling.is_none_or(|by| variables[by.factor].stays && variables[by.offset].stays);
                variables[output].strength = strength.max(variables[input].strength);
                variables[output].stays = stays;
                if stays {
                    self.execute(variables);
                }
            }
        }
    }

    fn execute(&self, variables: &mut [Variable]) {
        if let Binary { first, second, scaling, direction, .. } = *self {
            match (direction, scaling) {
                (Forward, None) => variables[second].value = variables[first].value,
                (_, None) => variables[first].value = variables[second].value,
                (Forward, Some(by)) => {
                    variables[second].value =
                        variables[first].value * variables[by.factor].value + variables[by.offset].value;
                }
                (_, Some(by)) => {
                    variables[first].value =
                        (variables[second].value - variables[by.offset].value) / variables[by.factor].value;
                }
            }
        }
    }
}

#[derive(Default)]
struct Planner {
    variables: Vec<Variable>,
    constraints: Vec<Constraint>,
    marks: u64,
}

impl Planner {
    fn new_mark(&mut self) -> u64 {
        self.marks += 1;
        self.marks
    }

    fn variable(&mut self, value: i64) -> VariableId {
        self.variables.push(Variable {
            value,
            constraints: Vec::new(),
            determined_by: None,
            mark: 0,
            strength: Strength::Weakest,
            stays: true,
        });
        self.variables.len() - 1
    }

    fn unary(&mut self, variable: VariableId, strength: Strength, edit: bool) -> ConstraintId {
        self.add(Unary { strength, edit, variable, satisfied: false })
    }

    fn binary(&mut self, first: VariableId, second: VariableId, scaling: Option<Scaling>) {
        self.add(Binary { strength: Strength::Required, first, second, scaling, direction: Nowhere });
    }

    fn add(&mut self, constraint: Constraint) -> ConstraintId {
        let id = self.constraints.len();
        for variable in constraint.variables() {
            self.variables[variable].constraints.push(id);
        }
        self.constraints.push(constraint);
        self.enforce(id);
        id
    }

    /// Satisfies a constraint, then one that it put out of force, and so on.
    fn enforce(&mut self, constraint: ConstraintId) {
        let mark = self.new_mark();
        let mut next = Some(constraint);
        while let Some(constraint) = next {
            next = self.satisfy(constraint, mark);
        }
    }

    /// Gives the constraint that determined the variable before.
    fn satisfy(&mut self, id: ConstraintId, mark: u64) -> Option<ConstraintId> {
        let constraint = &mut self.constraints[id];
        constraint.choose(&self.variables, mark);
        if !constraint.is_satisfied() {
            assert!(constraint.strength() != Strength::Required, "a required constraint cannot be satisfied");
            return None;
        }
        constraint.mark_inputs(&mut self.variables, mark);
        let output = constraint.output();
        let before = self.variables[output].determined_by.replace(id);
        if let Some(other) = before {
            self.constraints[other].unsatisfy();
        }
        self.propagate(id, mark);
        self.variables[output].mark = mark;
        before
    }

    fn propagate(&mut self, constraint: ConstraintId, mark: u64) {
        let mut todo = vec![constraint];
        while let Some(next) = todo.pop() {
            let output = self.constraints[next].output();
            assert!(self.variables[output].mark != mark, "constraints in a circle");
            self.constraints[next].recalculate(&mut self.variables);
            self.add_consumers(output, &mut todo);
        }
    }

    /// Adds the satisfied constraints that a variable is an input of.
    fn add_consumers(&self, variable: VariableId, list: &mut Vec<ConstraintId>) {
        let variable = &self.variables[variable];
        for &constraint in &variable.constraints {
            if Some(constraint) != variable.determined_by && self.constraints[constraint].is_satisfied() {
                list.push(constraint);
            }
        }
    }

    fn remove(&mut self, id: ConstraintId) {
        let constraint = &mut self.constraints[id];
        let output = constraint.output();
        let was_satisfied = constraint.is_satisfied();
        constraint.unsatisfy();
        for variable in constraint.variables() {
            let variable = &mut self.variables[variable];
            variable.constraints.retain(|&other| other != id);
            variable.determined_by = variable.determined_by.filter(|&other| other != id);
        }
        if !was_satisfied {
            return;
        }
        let mut open = self.release(output);
        open.sort_by_key(|&constraint| self.constraints[constraint].strength());
        for constraint in open {
            self.enforce(constraint);
        }
    }

    /// Works out anew what depends on a variable that nothing determines; gives the constraints that might now be satisfied.
    fn release(&mut self, variable: VariableId) -> Vec<ConstraintId> {
        self.variables[variable].determined_by = None;
        self.variables[variable].strength = Strength::Weakest;
        self.variables[variable].stays = true;
        let mut open = Vec::new();
        let mut todo = vec![variable];
        while let Some(next) = todo.pop() {
            for i in 0..self.variables[next].constraints.len() {
                let id = self.variables[next].constraints[i];
                let constraint = &self.constraints[id];
                if !constraint.is_satisfied() {
                    open.push(id);
                } else if Some(id) != self.variables[next].determined_by {
                    constraint.recalculate(&mut self.variables);
                    todo.push(constraint.output());
                }
            }
        }
        open
    }

    /// What has to be executed, in turn, when the sources change.
    fn plan(&mut self, sources: &[ConstraintId]) -> Vec<ConstraintId> {
        let mark = self.new_mark();
        let mut plan = Vec::new();
        let usable =
            |&source: &ConstraintId| self.constraints[source].is_input() && self.constraints[source].is_satisfied();
        let mut todo: Vec<ConstraintId> = sources.iter().copied().filter(usable).collect();
        while let Some(next) = todo.pop() {
            let constraint = &self.constraints[next];
            let output = constraint.output();
            if self.variables[output].mark != mark && constraint.inputs_known(&self.variables, mark) {
                plan.push(next);
                self.variables[output].mark = mark;
                self.add_consumers(output, &mut todo);
            }
        }
        plan
    }

    fn execute(&mut self, plan: &[ConstraintId]) {
        for &constraint in plan {
            self.constraints[constraint].execute(&mut self.variables);
        }
    }

    /// Sets a variable a few times by an edit.
    fn change(&mut self, variable: VariableId, value: i64) {
        let edit = self.unary(variable, Strength::Preferred, true);
        let plan = self.plan(&[edit]);
        for _ in 0..10 {
            self.variables[variable].value = value;
            self.execute(&plan);
        }
        self.remove(edit);
    }
}

fn chain(length: usize) -> i64 {
    let mut planner = Planner::default();
    let variables: Vec<VariableId> = (0..=length).map(|_| planner.variable(0)).collect();
    for pair in variables.windows(2) {
        planner.binary(pair[0], pair[1], None);
    }
    planner.unary(variables[length], Strength::StrongDefault, false);
    let edit = planner.unary(variables[0], Strength::Preferred, true);
    let plan = planner.plan(&[edit]);
    let mut sum = 0;
    for value in 0..100 {
        planner.variables[variables[0]].value = value;
        planner.execute(&plan);
        assert!(planner.variables[variables[length]].value == value, "the chain is broken");
        sum += planner.variables[variables[length / 2]].value;
    }
    planner.remove(edit);
    sum
}

fn projection(count: usize) -> i64 {
    let mut planner = Planner::default();
    let factor = planner.variable(10);
    let offset = planner.variable(1000);
    let (mut from, mut to) = (Vec::new(), Vec::new());
    for i in 0..count as i64 {
        let source = planner.variable(i);
        let target = planner.variable(i);
        planner.unary(source, Strength::Normal, false);
        planner.binary(source, target, Some(Scaling { factor, offset }));
        from.push(source);
        to.push(target);
    }
    planner.change(from[count - 1], 17);
    assert!(planner.variables[to[count - 1]].value == 1170, "the projection is wrong");
    planner.change(to[count - 1], 1050);
    assert!(planner.variables[from[count - 1]].value == 5, "the projection back is wrong");
    planner.change(factor, 5);
    planner.change(offset, 2000);
    for (i, &variable) in to[..count - 1].iter().enumerate() {
        assert!(planner.variables[variable].value == i as i64 * 5 + 2000, "the projection is wrong after its change");
    }
    to.iter().map(|&variable| planner.variables[variable].value).sum()
}

fn main() {
    let rounds: usize = std::env::args().nth(1).map_or(0, |n| n.parse().expect("a number"));
    let sum: i64 = (0..rounds).map(|_| chain(100) + projection(100)).sum();
    println!("deltablue {sum}");
}
