-- The Mandelbrot set: a picture of as many rows as the argument says, 500 points each, at most 50 turns for a point.

local function turns(x, y)
  local a, b = 0.0, 0.0
  for turn = 0, 49 do
    local a2, b2 = a * a, b * b
    if a2 + b2 > 4 then return turn end
    b = 2 * a * b + y
    a = a2 - b2 + x
  end
  return 50
end

local rows = tonumber(arg[1] or 0)
local inside, sum = 0, 0
for row = 0, rows - 1 do
  local y = row / rows * 2 - 1
  for column = 0, 499 do
    local n = turns(column / 500 * 3 - 2, y)
    if n == 50 then inside = inside + 1 end
    sum = sum + n
  end
end
print(string.format("mandelbrot %d %d", inside, sum))
