-- An incremental solver of constraints with strengths, on a chain of 100 equalities and on 100 scalings; so many rounds.

-- From the strongest to the weakest.
local REQUIRED, PREFERRED, STRONG_DEFAULT, NORMAL, WEAKEST = 0, 1, 2, 3, 5

local Variable = {}
Variable.__index = Variable

function Variable.new(value)
  return setmetatable(
    { value = value, constraints = {}, determined_by = nil, mark = 0, strength = WEAKEST, stays = true }, Variable)
end

function Variable:forget(constraint)
  local kept = {}
  for _, other in ipairs(self.constraints) do
    if other ~= constraint then kept[#kept + 1] = other end
  end
  self.constraints = kept
  if self.determined_by == constraint then self.determined_by = nil end
end

function Variable:is_known(mark)
  return self.mark == mark or self.stays or not self.determined_by
end

-- Lets a variable stay as it is, or be edited from outside.
local Unary = {}
Unary.__index = Unary

function Unary.new(strength, edit, variable)
  return setmetatable({ strength = strength, edit = edit, variable = variable, satisfied = false }, Unary)
end

function Unary:is_input() return self.edit end
function Unary:is_satisfied() return self.satisfied end
function Unary:unsatisfy() self.satisfied = false end
function Unary:output() return self.variable end
function Unary:variables() return { self.variable } end

function Unary:choose(mark)
  self.satisfied = self.variable.mark ~= mark and self.strength < self.variable.strength
end

function Unary:mark_inputs() end
function Unary:inputs_known() return true end

function Unary:recalculate()
  self.variable.strength = self.strength
  self.variable.stays = not self.edit
end

function Unary:execute() end

local NOWHERE, FORWARD, BACKWARD = 0, 1, 2

-- Keeps two variables equal, or the second one a multiple of the first plus an offset.
local Binary = {}
Binary.__index = Binary

function Binary.new(first, second, scaling)
  return setmetatable(
    { strength = REQUIRED, first = first, second = second, scaling = scaling, direction = NOWHERE }, Binary)
end

function Binary:is_input() return false end
function Binary:is_satisfied() return self.direction ~= NOWHERE end
function Binary:unsatisfy() self.direction = NOWHERE end
function Binary:input() return self.direction == FORWARD and self.first or self.second end
function Binary:output() return self.direction == FORWARD and self.second or self.first end

function Binary:variables()
  if not self.scaling then return { self.first, self.second } end
  return { self.first, self.second, self.scaling.factor, self.scaling.offset }
end

function Binary:toward(to, mark, direction)
  return to.mark ~= mark and self.strength < to.strength and direction or NOWHERE
end

function Binary:choose(mark)
  if self.first.mark == mark then
    self.direction = self:toward(self.second, mark, FORWARD)
  elseif self.second.mark == mark then
    self.direction = self:toward(self.first, mark, BACKWARD)
  elseif self.second.strength < self.first.strength then
    self.direction = self:toward(self.first, mark, BACKWARD)
  else
    self.direction = self:toward(self.second, mark, FORWARD)
  end
end

function Binary:mark_inputs(mark)
  self:input().mark = mark
  if self.scaling then
    self.scaling.factor.mark = mark
    self.scaling.offset.mark = mark
  end
end

function Binary:inputs_known(mark)
  return self:input():is_known(mark) and
    (not self.scaling or self.scaling.factor:is_known(mark) and self.scaling.offset:is_known(mark))
end

function Binary:recalculate()
  local input = self:input()
  local output = self:output()
  output.strength = math.max(self.strength, input.strength)
  output.stays = input.stays and (not self.scaling or self.scaling.factor.stays and self.scaling.offset.stays)
  if output.stays then self:execute() end
end

function Binary:execute()
  local first, second, scaling = self.first, self.second, self.scaling
  local forward = self.direction == FORWARD
  if not scaling then
    if forward then second.value = first.value else first.value = second.value end
  elseif forward then
    second.value = first.value * scaling.factor.value + scaling.offset.value
  else
    first.value = math.floor((second.value - scaling.offset.value) / scaling.factor.value)
  end
end

-- Adds the satisfied constraints that a variable is an input of.
local function add_consumers(variable, list)
  for _, constraint in ipairs(variable.constraints) do
    if constraint ~= variable.determined_by and constraint:is_satisfied() then list[#list + 1] = constraint end
  end
end

local Planner = {}
Planner.__index = Planner

function Planner.new()
  return setmetatable({ marks = 0 }, Planner)
end

function Planner:new_mark()
  self.marks = self.marks + 1
  return self.marks
end

function Planner:unary(variable, strength, edit)
  local constraint = Unary.new(strength, edit, variable)
  self:add(constraint)
  return constraint
end

function Planner:binary(first, second, scaling)
  self:add(Binary.new(first, second, scaling))
end

function Planner:add(constraint)
  for _, variable in ipairs(constraint:variables()) do
    variable.constraints[#variable.constraints + 1] = constraint
  end
  self:enforce(constraint)
end

-- Satisfies a constraint, then one that it put out of force, and so on.
function Planner:enforce(constraint)
  local mark = self:new_mark()
  while constraint do constraint = self:satisfy(constraint, mark) end
end

-- Gives the constraint that determined the variable before.
function Planner:satisfy(constraint, mark)
  constraint:choose(mark)
  if not constraint:is_satisfied() then
    if constraint.strength == REQUIRED then error("a required constraint cannot be satisfied") end
    return nil
  end
  constraint:mark_inputs(mark)
  local output = constraint:output()
  local before = output.determined_by
  if before then before:unsatisfy() end
  output.determined_by = constraint
  self:propagate(constraint, mark)
  output.mark = mark
  return before
end

function Planner:propagate(constraint, mark)
  local todo = { constraint }
  while #todo > 0 do
    local next = table.remove(todo)
    local output = next:output()
    if output.mark == mark then error("constraints in a circle") end
    next:recalculate()
    add_consumers(output, todo)
  end
end

function Planner:remove(constraint)
  local output = constraint:output()
  local was_satisfied = constraint:is_satisfied()
  constraint:unsatisfy()
  for _, variable in ipairs(constraint:variables()) do variable:forget(constraint) end
  if not was_satisfied then return end
  local open = self:release(output)
  table.sort(open, function(a, b) return a.strength < b.strength end)
  for _, other in ipairs(open) do self:enforce(other) end
end

-- Works out anew what depends on a variable that nothing determines; gives the constraints that might now be satisfied.
function Planner:release(variable)
  variable.determined_by = nil
  variable.strength = WEAKEST
  variable.stays = true
  local open = {}
  local todo = { variable }
  while #todo > 0 do
    local next = table.remove(todo)
    for _, constraint in ipairs(next.constraints) do
      if not constraint:is_satisfied() then
        open[#open + 1] = constraint
      elseif constraint ~= next.determined_by then
        constraint:recalculate()
        todo[#todo + 1] = constraint:output()
      end
    end
  end
  return open
end

-- What has to be executed, in turn, when the sources change.
function Planner:plan(sources)
  local mark = self:new_mark()
  local plan, todo = {}, {}
  for _, source in ipairs(sources) do
    if source:is_input() and source:is_satisfied() then todo[#todo + 1] = source end
  end
  while #todo > 0 do
    local next = table.remove(todo)
    local output = next:output()
    if output.mark ~= mark and next:inputs_known(mark) then
      plan[#plan + 1] = next
      output.mark = mark
      add_consumers(output, todo)
    end
  end
  return plan
end

-- Sets a variable a few times by an edit.
function Planner:change(variable, value)
  local edit = self:unary(variable, PREFERRED, true)
  local plan = self:plan({ edit })
  for _ = 1, 10 do
    variable.value = value
    for _, constraint in ipairs(plan) do constraint:execute() end
  end
  self:remove(edit)
end

local function chain(length)
  local planner = Planner.new()
  local variables = {}
  for i = 0, length do variables[i] = Variable.new(0) end
  for i = 0, length - 1 do planner:binary(variables[i], variables[i + 1], nil) end
  planner:unary(variables[length], STRONG_DEFAULT, false)
  local edit = planner:unary(variables[0], PREFERRED, true)
  local plan = planner:plan({ edit })
  local sum = 0
  for value = 0, 99 do
    variables[0].value = value
    for _, constraint in ipairs(plan) do constraint:execute() end
    if variables[length].value ~= value then error("the chain is broken") end
    sum = sum + variables[length / 2].value
  end
  planner:remove(edit)
  return sum
end

local function projection(count)
  local planner = Planner.new()
  local factor = Variable.new(10)
  local offset = Variable.new(1000)
  local from, to = {}, {}
  for i = 1, count do
    from[i] = Variable.new(i - 1)
    to[i] = Variable.new(i - 1)
    planner:unary(from[i], NORMAL, false)
    planner:binary(from[i], to[i], { factor = factor, offset = offset })
  end
  planner:change(from[count], 17)
  if to[count].value ~= 1170 then error("the projection is wrong") end
  planner:change(to[count], 1050)
  if from[count].value ~= 5 then error("the projection back is wrong") end
  planner:change(factor, 5)
  planner:change(offset, 2000)
  local sum = 0
  for i = 1, count do
    if i < count and to[i].value ~= (i - 1) * 5 + 2000 then error("the projection is wrong after its change") end
    sum = sum + to[i].value
  end
  return sum
end

local rounds = tonumber(arg[1] or 0)
local sum = 0
for _ = 1, rounds do sum = sum + chain(100) + projection(100) end
print(string.format("deltablue %d", sum))
