-- The greatest singular value of an infinite matrix, cut to 100 × 100, by ten turns of power iteration, as often as the argument says.

local function cell(i, j)
  return 1 / ((i + j) * (i + j + 1) / 2 + i + 1)
end

local function times(from, to)
  for i = 1, #to do
    local sum = 0.0
    for j = 1, #from do sum = sum + cell(i - 1, j - 1) * from[j] end
    to[i] = sum
  end
end

local function times_turned(from, to)
  for i = 1, #to do
    local sum = 0.0
    for j = 1, #from do sum = sum + cell(j - 1, i - 1) * from[j] end
    to[i] = sum
  end
end

local function dot(a, b)
  local sum = 0.0
  for i = 1, #a do sum = sum + a[i] * b[i] end
  return sum
end

local function norm()
  local u, v, between = {}, {}, {}
  for i = 1, 100 do
    u[i], v[i], between[i] = 1.0, 1.0, 0.0
  end
  for _ = 1, 10 do
    times(u, between)
    times_turned(between, v)
    times(v, between)
    times_turned(between, u)
  end
  return math.sqrt(dot(u, v) / dot(v, v))
end

local rounds = tonumber(arg[1] or 0)
local sum = 0.0
for _ = 1, rounds do sum = sum + norm() end
print(string.format("spectral %.9f", sum))
