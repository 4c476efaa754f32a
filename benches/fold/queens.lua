-- All ways to put eight queens on a board, by trying columns and marking what is taken; as often as the argument says.

local Board = {}
Board.__index = Board

local function filled(count, value)
  local list = {}
  for i = 1, count do list[i] = value end
  return list
end

function Board.new(size)
  return setmetatable({
    size = size,
    columns = filled(size, false),
    rising = filled(size * 2, false),
    falling = filled(size * 2, false),
    places = filled(size, 0),
    found = 0,
    sum = 0,
  }, Board)
end

function Board:mark(row, column, taken)
  self.columns[column] = taken
  self.rising[row + column] = taken
  self.falling[row - column + self.size] = taken
end

function Board:place(row)
  if row > self.size then
    self.found = self.found + 1
    for r = 1, self.size do self.sum = self.sum + r * (self.places[r] - 1) end
    return
  end
  for column = 1, self.size do
    if not (self.columns[column] or self.rising[row + column] or self.falling[row - column + self.size]) then
      self:mark(row, column, true)
      self.places[row] = column
      self:place(row + 1)
      self:mark(row, column, false)
    end
  end
end

local rounds = tonumber(arg[1] or 0)
local found, sum = 0, 0
for _ = 1, rounds do
  local board = Board.new(8)
  board:place(1)
  found = found + board.found
  sum = sum + board.sum
end
print(string.format("queens %d %d", found, sum))
