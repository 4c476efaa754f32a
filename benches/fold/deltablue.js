// An incremental solver of constraints with strengths, on a chain of 100 equalities and on 100 scalings; so many rounds.
'use strict';

// From the strongest to the weakest.
const REQUIRED = 0, PREFERRED = 1, STRONG_DEFAULT = 2, NORMAL = 3, WEAKEST = 5;

class Variable {
    constructor(value) {
        this.value = value;
        this.constraints = [];
        this.determinedBy = null;
        this.mark = 0;
        this.strength = WEAKEST;
        this.stays = true;
    }

    forget(constraint) {
        this.constraints = this.constraints.filter(other => other !== constraint);
        if (this.determinedBy === constraint) this.determinedBy = null;
    }

    isKnown(mark) {
        return this.mark === mark || this.stays || this.determinedBy === null;
    }
}

// Lets a variable stay as it is, or be edited from outside.
class Unary {
    constructor(strength, edit, variable) {
        this.strength = strength;
        this.edit = edit;
        this.variable = variable;
        this.satisfied = false;
    }

    isInput() { return this.edit; }
    isSatisfied() { return this.satisfied; }
    unsatisfy() { this.satisfied = false; }
    output() { return this.variable; }
    variables() { return [this.variable]; }

    choose(mark) {
        this.satisfied = this.variable.mark !== mark && this.strength < this.variable.strength;
    }

    markInputs() {}
    inputsKnown() { return true; }

    recalculate() {
        this.variable.strength = this.strength;
        this.variable.stays = !this.edit;
    }

    execute() {}
}

const NOWHERE = 0, FORWARD = 1, BACKWARD = 2;

// Keeps two variables equal, or the second one a multiple of the first plus an offset.
class Binary {
    constructor(first, second, scaling) {
        this.strength = REQUIRED;
        this.first = first;
        this.second = second;
        this.scaling = scaling;
        this.direction = NOWHERE;
    }

    isInput() { return false; }
    isSatisfied() { return this.direction !== NOWHERE; }
    unsatisfy() { this.direction = NOWHERE; }
    input() { return this.direction === FORWARD ? this.first : this.second; }
    output() { return this.direction === FORWARD ? this.second : this.first; }

    variables() {
        if (this.scaling === null) return [this.first, this.second];
        return [this.first, this.second, this.scaling.factor, this.scaling.offset];
    }

    toward(to, mark, direction) {
        return to.mark !== mark && this.strength < to.strength ? direction : NOWHERE;
    }

    choose(mark) {
        if (this.first.mark === mark) this.direction = this.toward(this.second, mark, FORWARD);
        else if (this.second.mark === mark) this.direction = this.toward(this.first, mark, BACKWARD);
        else if (this.second.strength < this.first.strength) this.direction = this.toward(this.first, mark, BACKWARD);
        else this.direction = this.toward(this.second, mark, FORWARD);
    }

    markInputs(mark) {
        this.input().mark = mark;
        if (this.scaling !== null) {
            this.scaling.factor.mark = mark;
            this.scaling.offset.mark = mark;
        }
    }

    inputsKnown(mark) {
        return this.input().isKnown(mark) &&
            (this.scaling === null || this.scaling.factor.isKnown(mark) && this.scaling.offset.isKnown(mark));
    }

    recalculate() {
        const input = this.input();
        const output = this.output();
        output.strength = Math.max(this.strength, input.strength);
        output.stays = input.stays && (this.scaling === null || this.scaling.factor.stays && this.scaling.offset.stays);
        if (output.stays) this.execute();
    }

    execute() {
        const { first, second, scaling } = this;
        const forward = this.direction === FORWARD;
        if (scaling === null) {
            if (forward) second.value = first.value;
            else first.value = second.value;
        } else if (forward) {
            second.value = first.value * scaling.factor.value + scaling.offset.value;
        } else {
            first.value = Math.trunc((second.value - scaling.offset.value) / scaling.factor.value);
        }
    }
}

class Planner {
    constructor() {
        this.marks = 0;
    }

    newMark() {
        return ++this.marks;
    }

    unary(variable, strength, edit) {
        const constraint = new Unary(strength, edit, variable);
        this.add(constraint);
        return constraint;
    }

    binary(first, second, scaling) {
        this.add(new Binary(first, second, scaling));
    }

    add(constraint) {
        for (const variable of constraint.variables()) variable.constraints.push(constraint);
        this.enforce(constraint);
    }

    // Satisfies a constraint, then one that it put out of force, and so on.
    enforce(constraint) {
        const mark = this.newMark();
        let next = constraint;
        while (next !== null) next = this.satisfy(next, mark);
    }

    // Gives the constraint that determined the variable before.
    satisfy(constraint, mark) {
        constraint.choose(mark);
        if (!constraint.isSatisfied()) {
            if (constraint.strength === REQUIRED) throw new Error('a required constraint cannot be satisfied');
            return null;
        }
        constraint.markInputs(mark);
        const output = constraint.output();
        const before = output.determinedBy;
        if (before !== null) before.unsatisfy();
        output.determinedBy = constraint;
        this.propagate(constraint, mark);
        output.mark = mark;
        return before;
    }

    propagate(constraint, mark) {
        const todo = [constraint];
        while (todo.length > 0) {
            const next = todo.pop();
            const output = next.output();
            if (output.mark === mark) throw new Error('constraints in a circle');
            next.recalculate();
            addConsumers(output, todo);
        }
    }

    remove(constraint) {
        const output = constraint.output();
        const wasSatisfied = constraint.isSatisfied();
        constraint.unsatisfy();
        for (const variable of constraint.variables()) variable.forget(constraint);
        if (!wasSatisfied) return;
        const open = this.release(output);
        open.sort((a, b) => a.strength - b.strength);
        for (const constraint of open) this.enforce(constraint);
    }

    // Works out anew what depends on a variable that nothing determines; gives the constraints that might now be satisfied.
    release(variable) {
        variable.determinedBy = null;
        variable.strength = WEAKEST;
        variable.stays = true;
        const open = [];
        const todo = [variable];
        while (todo.length > 0) {
            const next = todo.pop();
            for (const constraint of next.constraints) {
                if (!constraint.isSatisfied()) {
                    open.push(constraint);
                } else if (constraint !== next.determinedBy) {
                    constraint.recalculate();
                    todo.push(constraint.output());
                }
            }
        }
        return open;
    }

    // What has to be executed, in turn, when the sources change.
    plan(sources) {
        const mark = this.newMark();
        const plan = [];
        const todo = sources.filter(source => source.isInput() && source.isSatisfied());
        while (todo.length > 0) {
            const next = todo.pop();
            const output = next.output();
            if (output.mark !== mark && next.inputsKnown(mark)) {
                plan.push(next);
                output.mark = mark;
                addConsumers(output, todo);
            }
        }
        return plan;
    }

    // Sets a variable a few times by an edit.
    change(variable, value) {
        const edit = this.unary(variable, PREFERRED, true);
        const plan = this.plan([edit]);
        for (let i = 0; i < 10; i++) {
            variable.value = value;
            for (const constraint of plan) constraint.execute();
        }
        this.remove(edit);
    }
}

// Adds the satisfied constraints that a variable is an input of.
function addConsumers(variable, list) {
    for (const constraint of variable.constraints) {
        if (constraint !== variable.determinedBy && constraint.isSatisfied()) list.push(constraint);
    }
}

function chain(length) {
    const planner = new Planner();
    const variables = Array.from({ length: length + 1 }, () => new Variable(0));
    for (let i = 0; i < length; i++) planner.binary(variables[i], variables[i + 1], null);
    planner.unary(variables[length], STRONG_DEFAULT, false);
    const edit = planner.unary(variables[0], PREFERRED, true);
    const plan = planner.plan([edit]);
    let sum = 0;
    for (let value = 0; value < 100; value++) {
        variables[0].value = value;
        for (const constraint of plan) constraint.execute();
        if (variables[length].value !== value) throw new Error('the chain is broken');
        sum += variables[length / 2].value;
    }
    planner.remove(edit);
    return sum;
}

function projection(count) {
    const planner = new Planner();
    const factor = new Variable(10);
    const offset = new Variable(1000);
    const from = [], to = [];
    for (let i = 0; i < count; i++) {
        const source = new Variable(i);
        const target = new Variable(i);
        planner.unary(source, NORMAL, false);
        planner.binary(source, target, { factor, offset });
        from.push(source);
        to.push(target);
    }
    planner.change(from[count - 1], 17);
    if (to[count - 1].value !== 1170) throw new Error('the projection is wrong');
    planner.change(to[count - 1], 1050);
    if (from[count - 1].value !== 5) throw new Error('the projection back is wrong');
    planner.change(factor, 5);
    planner.change(offset, 2000);
    for (let i = 0; i < count - 1; i++) {
        if (to[i].value !== i * 5 + 2000) throw new Error('the projection is wrong after its change');
    }
    return to.reduce((sum, variable) => sum + variable.value, 0);
}

const rounds = Number(process.argv[2] ?? 0);
let sum = 0;
for (let round = 0; round < rounds; round++) sum += chain(100) + projection(100);
console.log(`deltablue ${sum}`);
