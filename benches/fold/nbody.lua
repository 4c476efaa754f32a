-- Sun and four giant planets under gravity, so many steps of a hundredth of a day; prints the energy before and after.

local sqrt = math.sqrt
local DAYS = 365.24
local SOLAR_MASS = 4 * math.pi * math.pi

local function planet(x, y, z, vx, vy, vz, mass)
  return { x = x, y = y, z = z, vx = vx * DAYS, vy = vy * DAYS, vz = vz * DAYS, mass = mass * SOLAR_MASS }
end

local function system()
  local bodies = {
    planet(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0),
    planet(4.841431442, -1.160320044, -0.103622044, 0.001660076, 0.007699011, -0.000069046, 0.000954792),
    planet(8.343366718, 4.124798564, -0.403523417, -0.002767425, 0.004998528, 0.000023042, 0.000285886),
    planet(12.894369562, -15.111151401, -0.223307579, 0.002964601, 0.002378472, -0.000029659, 0.000043662),
    planet(15.379697115, -25.919314610, 0.179258773, 0.002680678, 0.001628242, -0.000095159, 0.000051514),
  }
  -- The sun moves so that the whole stays where it is.
  local sun = bodies[1]
  for i = 2, #bodies do
    local body = bodies[i]
    sun.vx = sun.vx - body.vx * body.mass / sun.mass
    sun.vy = sun.vy - body.vy * body.mass / sun.mass
    sun.vz = sun.vz - body.vz * body.mass / sun.mass
  end
  return bodies
end

local function step(bodies, time)
  for i = 1, #bodies do
    local a = bodies[i]
    for j = i + 1, #bodies do
      local b = bodies[j]
      local dx, dy, dz = a.x - b.x, a.y - b.y, a.z - b.z
      local square = dx * dx + dy * dy + dz * dz
      local pull = time / (square * sqrt(square))
      a.vx = a.vx - dx * b.mass * pull
      a.vy = a.vy - dy * b.mass * pull
      a.vz = a.vz - dz * b.mass * pull
      b.vx = b.vx + dx * a.mass * pull
      b.vy = b.vy + dy * a.mass * pull
      b.vz = b.vz + dz * a.mass * pull
    end
  end
  for i = 1, #bodies do
    local body = bodies[i]
    body.x = body.x + time * body.vx
    body.y = body.y + time * body.vy
    body.z = body.z + time * body.vz
  end
end

local function energy(bodies)
  local sum = 0
  for i = 1, #bodies do
    local a = bodies[i]
    sum = sum + 0.5 * a.mass * (a.vx * a.vx + a.vy * a.vy + a.vz * a.vz)
    for j = i + 1, #bodies do
      local b = bodies[j]
      local dx, dy, dz = a.x - b.x, a.y - b.y, a.z - b.z
      sum = sum - a.mass * b.mass / sqrt(dx * dx + dy * dy + dz * dz)
    end
  end
  return sum
end

local steps = tonumber(arg[1] or 0)
local bodies = system()
local before = energy(bodies)
for _ = 1, steps do step(bodies, 0.01) end
print(string.format("nbody %.9f %.9f", before, energy(bodies)))
