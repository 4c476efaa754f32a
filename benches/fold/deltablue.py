"""An incremental solver of constraints with strengths, on a chain of 100 equalities and on 100 scalings; so many rounds."""
import sys

# From the strongest to the weakest.
REQUIRED, PREFERRED, STRONG_DEFAULT, NORMAL, WEAK_DEFAULT, WEAKEST = range(6)


class Variable:
    def __init__(self, value):
        self.value = value
        self.constraints = []
        self.determined_by = None
        self.mark = 0
        self.strength = WEAKEST
        self.stays = True

    def forget(self, constraint):
        self.constraints = [other for other in self.constraints if other is not constraint]
        if self.determined_by is constraint:
            self.determined_by = None

    def is_known(self, mark):
        return self.mark == mark or self.stays or self.determined_by is None


class Unary:
    """Lets a variable stay as it is, or be edited from outside."""

    def __init__(self, strength, edit, variable):
        self.strength = strength
        self.edit = edit
        self.variable = variable
        self.satisfied = False

    def is_input(self):
        return self.edit

    def is_satisfied(self):
        return self.satisfied

    def unsatisfy(self):
        self.satisfied = False

    def output(self):
        return self.variable

    def variables(self):
        return [self.variable]

    def choose(self, mark):
        self.satisfied = self.variable.mark != mark and self.strength < self.variable.strength

    def mark_inputs(self, mark):
        pass

    def inputs_known(self, mark):
        return True

    def recalculate(self):
        self.variable.strength = self.strength
        self.variable.stays = not self.edit

    def execute(self):
        pass


NOWHERE, FORWARD, BACKWARD = range(3)


class Binary:
    """Keeps two variables equal, or the second one a multiple of the first plus an offset."""

    def __init__(self, first, second, scaling):
        self.strength = REQUIRED
        self.first = first
        self.second = second
        self.scaling = scaling
        self.direction = NOWHERE

    def is_input(self):
        return False

    def is_satisfied(self):
        return self.direction != NOWHERE

    def unsatisfy(self):
        self.direction = NOWHERE

    def input(self):
        return self.first if self.direction == FORWARD else self.second

    def output(self):
        return self.second if self.direction == FORWARD else self.first

    def variables(self):
        return [self.first, self.second, *(self.scaling or ())]

    def toward(self, to, mark, direction):
        return direction if to.mark != mark and self.strength < to.strength else NOWHERE

    def choose(self, mark):
        if self.first.mark == mark:
            self.direction = self.toward(self.second, mark, FORWARD)
        elif self.second.mark == mark:
            self.direction = self.toward(self.first, mark, BACKWARD)
        elif self.second.strength < self.first.strength:
            self.direction = self.toward(self.first, mark, BACKWARD)
        else:
            self.direction = self.toward(self.second, mark, FORWARD)

    def mark_inputs(self, mark):
        self.input().mark = mark
        if self.scaling is not None:
            factor, offset = self.scaling
            factor.mark = mark
            offset.mark = mark

    def inputs_known(self, mark):
        if not self.input().is_known(mark):
            return False
        return self.scaling is None or all(variable.is_known(mark) for variable in self.scaling)

    def recalculate(self):
        input = self.input()
        output = self.output()
        output.strength = max(self.strength, input.strength)
        output.stays = input.stays and (self.scaling is None or all(variable.stays for variable in self.scaling))
        if output.stays:
            self.execute()

    def execute(self):
        first, second = self.first, self.second
        forward = self.direction == FORWARD
        if self.scaling is None:
            if forward:
                second.value = first.value
            else:
                first.value = second.value
        else:
            factor, offset = self.scaling
            if forward:
                second.value = first.value * factor.value + offset.value
            else:
                first.value = (second.value - offset.value) // factor.value


class Planner:
    def __init__(self):
        self.marks = 0

    def new_mark(self):
        self.marks += 1
        return self.marks

    def unary(self, variable, strength, edit):
        constraint = Unary(strength, edit, variable)
        self.add(constraint)
        return constraint

    def binary(self, first, second, scaling):
        self.add(Binary(first, second, scaling))

    def add(self, constraint):
        for variable in constraint.variables():
            variable.constraints.append(constraint)
        self.enforce(constraint)

    def enforce(self, constraint):
        """Satisfies a constraint, then one that it put out of force, and so on."""
        mark = self.new_mark()
        while constraint is not None:
            constraint = self.satisfy(constraint, mark)

    def satisfy(self, constraint, mark):
        """Gives the constraint that determined the variable before."""
        constraint.choose(mark)
        if not constraint.is_satisfied():
            if constraint.strength == REQUIRED:
                raise ValueError("a required constraint cannot be satisfied")
            return None
        constraint.mark_inputs(mark)
        output = constraint.output()
        before = output.determined_by
        if before is not None:
            before.unsatisfy()
        output.determined_by = constraint
        self.propagate(constraint, mark)
        output.mark = mark
        return before

    def propagate(self, constraint, mark):
        todo = [constraint]
        while todo:
            next = todo.pop()
            output = next.output()
            if output.mark == mark:
                raise ValueError("constraints in a circle")
            next.recalculate()
            add_consumers(output, todo)

    def remove(self, constraint):
        output = constraint.output()
        was_satisfied = constraint.is_satisfied()
        constraint.unsatisfy()
        for variable in constraint.variables():
            variable.forget(constraint)
        if not was_satisfied:
            return
        open = self.release(output)
        open.sort(key=lambda constraint: constraint.strength)
        for other in open:
            self.enforce(other)

    def release(self, variable):
        """Works out anew what depends on a variable that nothing determines; gives the constraints that might now be satisfied."""
        variable.determined_by = None
        variable.strength = WEAKEST
        variable.stays = True
        open = []
        todo = [variable]
        while todo:
            next = todo.pop()
            for constraint in next.constraints:
                if not constraint.is_satisfied():
                    open.append(constraint)
                elif constraint is not next.determined_by:
                    constraint.recalculate()
                    todo.append(constraint.output())
        return open

    def plan(self, sources):
        """What has to be executed, in turn, when the sources change."""
        mark = self.new_mark()
        plan = []
        todo = [source for source in sources if source.is_input() and source.is_satisfied()]
        while todo:
            next = todo.pop()
            output = next.output()
            if output.mark != mark and next.inputs_known(mark):
                plan.append(next)
                output.mark = mark
                add_consumers(output, todo)
        return plan

    def change(self, variable, value):
        """Sets a variable a few times by an edit."""
        edit = self.unary(variable, PREFERRED, True)
        plan = self.plan([edit])
        for _ in range(10):
            variable.value = value
            for constraint in plan:
                constraint.execute()
        self.remove(edit)


def add_consumers(variable, todo):
    """Adds the satisfied constraints that a variable is an input of."""
    for constraint in variable.constraints:
        if constraint is not variable.determined_by and constraint.is_satisfied():
            todo.append(constraint)


def chain(length):
    planner = Planner()
    variables = [Variable(0) for _ in range(length + 1)]
    for i in range(length):
        planner.binary(variables[i], variables[i + 1], None)
    planner.unary(variables[length], STRONG_DEFAULT, False)
    edit = planner.unary(variables[0], PREFERRED, True)
    plan = planner.plan([edit])
    total = 0
    for value in range(100):
        variables[0].value = value
        for constraint in plan:
            constraint.execute()
        if variables[length].value != value:
            raise ValueError("the chain is broken")
        total += variables[length // 2].value
    planner.remove(edit)
    return total


def projection(count):
    planner = Planner()
    factor = Variable(10)
    offset = Variable(1000)
    sources, targets = [], []
    for i in range(count):
        source = Variable(i)
        target = Variable(i)
        planner.unary(source, NORMAL, False)
        planner.binary(source, target, (factor, offset))
        sources.append(source)
        targets.append(target)
    planner.change(sources[-1], 17)
    if targets[-1].value != 1170:
        raise ValueError("the projection is wrong")
    planner.change(targets[-1], 1050)
    if sources[-1].value != 5:
        raise ValueError("the projection back is wrong")
    planner.change(factor, 5)
    planner.change(offset, 2000)
    for i in range(count - 1):
        if targets[i].value != i * 5 + 2000:
            raise ValueError("the projection is wrong after its change")
    return sum(variable.value for variable in targets)


def main(rounds):
    print(f"deltablue {sum(chain(100) + projection(100) for _ in range(rounds))}")


main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
