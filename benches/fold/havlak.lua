-- Finds the nested loops of a generated control flow graph by Havlak's algorithm; so many graphs.

local Graph = {}
Graph.__index = Graph

function Graph:connect(from, to)
  from.after[#from.after + 1] = to
  to.before[#to.before + 1] = from
end

-- A new block after another one.
function Graph:follow(from)
  local block = self:block()
  self:connect(from, block)
  return block
end

function Graph:block()
  local block = { number = #self.blocks + 1, before = {}, after = {} }
  self.blocks[block.number] = block
  return block
end

-- A loop after a block: with loops in it, or at depth 0 a branch. Some can be entered beside their header. Gives the block after it.
function Graph:nest(from, depth)
  local header = self:follow(from)
  local tail = header
  if depth > 0 then
    for _ = 1, 2 do tail = self:nest(tail, depth - 1) end
  else
    local left = self:follow(header)
    local right = self:follow(header)
    tail = self:follow(left)
    self:connect(right, tail)
    self:connect(left, left)
  end
  if (header.number - 1) % 7 == 0 then self:connect(from, tail) end
  self:connect(tail, header)
  return self:follow(tail)
end

function Graph.generate()
  local graph = setmetatable({ blocks = {} }, Graph)
  local first = graph:block()
  for _ = 1, 5 do graph:nest(first, 4) end
  return graph
end

local function depth(loop)
  return loop.parent and 1 + depth(loop.parent) or 1
end

-- A block in the order of a depth-first walk. Those of an inner loop point to its header.
local Node = {}
Node.__index = Node

function Node.new(number, block)
  return setmetatable({
    number = number, block = block, last = 0, parent = nil, inner = nil, pool = -1, back = {}, other = {},
  }, Node)
end

-- The header of the outermost loop found so far in which it is.
function Node:find()
  local root = self
  while root.parent do root = root.parent end
  local at = self
  while at.parent do
    local parent = at.parent
    if parent ~= root then at.parent = root end
    at = parent
  end
  return root
end

local Finder = {}
Finder.__index = Finder

function Finder.new()
  return setmetatable({ nodes = {}, numbers = {}, loops = {} }, Finder)
end

-- Numbers the blocks that can be reached from one.
function Finder:walk(block)
  local number = #self.nodes + 1
  self.numbers[block.number] = number
  local node = Node.new(number, block)
  self.nodes[number] = node
  for _, next in ipairs(block.after) do
    if not self.numbers[next.number] then self:walk(next) end
  end
  node.last = #self.nodes
end

function Finder:is_ancestor(above, below)
  return above <= below and below <= self.nodes[above].last
end

-- Tells edges that go back to a block from those that come in.
function Finder:classify()
  for _, node in ipairs(self.nodes) do
    for _, before in ipairs(node.block.before) do
      local from = self.numbers[before.number]
      if from then
        if self:is_ancestor(node.number, from) then
          node.back[#node.back + 1] = from
        else
          node.other[from] = true
        end
      end
    end
  end
end

-- The loop whose header a node is, if it is one: what reaches one of its back edges without passing the header.
function Finder:find_loop(header)
  local w = header.number
  local pool = {}
  local to_itself, reducible = false, true
  for _, from in ipairs(header.back) do
    if from == w then
      to_itself = true
    else
      local node = self.nodes[from]:find()
      if node.pool ~= w then
        node.pool = w
        pool[#pool + 1] = node
      end
    end
  end
  local at = 1
  while at <= #pool do
    for from in pairs(pool[at].other) do
      local outer = self.nodes[from]:find()
      if not self:is_ancestor(w, outer.number) then
        reducible = false
        header.other[outer.number] = true
      elseif outer ~= header and outer.pool ~= w then
        outer.pool = w
        pool[#pool + 1] = outer
      end
    end
    at = at + 1
  end
  if #pool == 0 and not to_itself then return end
  local found = { reducible = reducible, parent = nil, blocks = { header.block } }
  for _, node in ipairs(pool) do
    node.parent = header
    if node.inner then
      node.inner.parent = found
    else
      found.blocks[#found.blocks + 1] = node.block
    end
  end
  header.inner = found
  self.loops[#self.loops + 1] = found
end

local rounds = tonumber(arg[1] or 0)
local loops, depths, blocks, irreducible = 0, 0, 0, 0
for _ = 1, rounds do
  local graph = Graph.generate()
  local finder = Finder.new()
  finder:walk(graph.blocks[1])
  finder:classify()
  for w = #finder.nodes, 1, -1 do finder:find_loop(finder.nodes[w]) end
  loops = loops + #finder.loops
  for _, found in ipairs(finder.loops) do
    depths = depths + depth(found)
    blocks = blocks + #found.blocks
    if not found.reducible then irreducible = irreducible + 1 end
  end
end
print(string.format("havlak %d %d %d %d", loops, depths, blocks, irreducible))
