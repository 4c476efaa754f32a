-- All orders of eight pancakes: how often the pile is turned, by its top one's number, until that is 1. As often as the argument says.

local function flips(order, pile)
  for i = 1, #order do pile[i] = order[i] end
  local count = 0
  while pile[1] ~= 1 do
    local low, high = 1, pile[1]
    while low < high do
      pile[low], pile[high] = pile[high], pile[low]
      low = low + 1
      high = high - 1
    end
    count = count + 1
  end
  return count
end

-- Makes the next order; false after the last. turns[i] says how often the first i will still be turned around.
local function advance(order, turns)
  for i = 2, #order do
    local first = order[1]
    for k = 1, i - 1 do order[k] = order[k + 1] end
    order[i] = first
    turns[i] = turns[i] - 1
    if turns[i] > 0 then return true end
    turns[i] = i
  end
  return false
end

local function fannkuch(size)
  local order, turns, pile = {}, {}, {}
  for i = 1, size do
    order[i], turns[i], pile[i] = i, i, 0
  end
  local most, sum, even = 0, 0, true
  repeat
    local count = flips(order, pile)
    if count > most then most = count end
    sum = sum + (even and count or -count)
    even = not even
  until not advance(order, turns)
  return most, sum
end

local rounds = tonumber(arg[1] or 0)
local most, sum = 0, 0
for _ = 1, rounds do
  local m, s = fannkuch(8)
  most = most + m
  sum = sum + s
end
print(string.format("fannkuch %d %d", most, sum))
