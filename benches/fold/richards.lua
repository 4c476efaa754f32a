-- The kernel of an operating system, simulated: tasks of different priority send packets to one another; so many runs.

-- LuaJIT has operations on 32 bits in a library, Lua 5.4 operators for 64 bits.
local bit = bit or load([[
  return {
    band = function(a, b) return a & b end,
    bxor = function(a, b) return a ~ b end,
    rshift = function(a, n) return a >> n end,
  }
]])()
local band, bxor, rshift = bit.band, bit.bxor, bit.rshift

-- Numbers of tasks, by which they are found in a list.
local WORKER, HANDLER_A, HANDLER_B, DEVICE_A, DEVICE_B = 2, 3, 4, 5, 6
local KIND_DEVICE, KIND_WORK = 0, 1

local function new_packet(link, task, kind)
  return { link = link, task = task, kind = kind, datum = 0, data = { 0, 0, 0, 0 } }
end

-- The queue with a packet at its end.
local function append(queue, packet)
  packet.link = nil
  if not queue then return packet end
  local at = queue
  while at.link do at = at.link end
  at.link = packet
  return queue
end

local Kernel = {}
Kernel.__index = Kernel

function Kernel.new()
  return setmetatable({ all = nil, tasks = {}, current = nil, queued = 0, held = 0 }, Kernel)
end

-- Adds a task; it comes before those that were added earlier.
function Kernel:add(priority, job, queue, waiting)
  local task = {
    id = #self.tasks + 1, priority = priority, link = self.all, job = job, queue = queue,
    held = false, waiting = waiting, ready = queue ~= nil,
  }
  self.all = task
  self.tasks[task.id] = task
end

function Kernel:run()
  self.current = self.all
  while self.current do
    local task = self.current
    if task.held or task.waiting and not task.ready then
      self.current = task.link
    else
      self.current = self:turn(task)
    end
  end
end

-- Gives a task its turn, and the first packet of its queue if it waited for one.
function Kernel:turn(task)
  local packet
  if task.waiting and task.ready then
    packet = task.queue
    if packet then task.queue = packet.link end
    task.waiting = false
    task.ready = task.queue ~= nil
  end
  return task.job:run(self, packet)
end

-- The current task waits for a packet.
function Kernel:wait()
  self.current.waiting = true
  return self.current
end

-- The current task stops until it is released.
function Kernel:hold()
  self.held = self.held + 1
  self.current.held = true
  return self.current.link
end

-- Lets a task go on; gives it if it is more urgent than the current one.
function Kernel:release(id)
  local task = self.tasks[id]
  task.held = false
  return task.priority > self.current.priority and task or self.current
end

-- Puts a packet into the queue of its task; gives that if it is more urgent than the current one.
function Kernel:send(packet)
  local task = self.tasks[packet.task]
  self.queued = self.queued + 1
  packet.link = nil
  packet.task = self.current.id
  if task.queue then
    task.queue = append(task.queue, packet)
    return self.current
  end
  task.queue = packet
  task.ready = true
  return task.priority > self.current.priority and task or self.current
end

-- Releases one device or the other, as a shift register says, for a number of turns.
local Idle = {}
Idle.__index = Idle

function Idle:run(kernel)
  self.left = self.left - 1
  if self.left == 0 then return kernel:hold() end
  if band(self.bits, 1) == 0 then
    self.bits = rshift(self.bits, 1)
    return kernel:release(DEVICE_A)
  end
  self.bits = bxor(rshift(self.bits, 1), 0xD008)
  return kernel:release(DEVICE_B)
end

-- Fills packets with letters, for one handler and the other in turn.
local Worker = {}
Worker.__index = Worker

function Worker:run(kernel, packet)
  if not packet then return kernel:wait() end
  self.handler = self.handler == HANDLER_A and HANDLER_B or HANDLER_A
  packet.task = self.handler
  packet.datum = 0
  for i = 1, 4 do
    self.letter = self.letter == 26 and 1 or self.letter + 1
    packet.data[i] = self.letter
  end
  return kernel:send(packet)
end

-- Passes what work packets hold on to a device, a letter in each device packet.
local Handler = {}
Handler.__index = Handler

function Handler:run(kernel, packet)
  if packet then
    if packet.kind == KIND_WORK then
      self.work = append(self.work, packet)
    else
      self.device = append(self.device, packet)
    end
  end
  local work = self.work
  if not work then return kernel:wait() end
  if work.datum == 4 then
    self.work = work.link
    return kernel:send(work)
  end
  local device = self.device
  if not device then return kernel:wait() end
  self.device = device.link
  device.datum = work.data[work.datum + 1]
  work.datum = work.datum + 1
  return kernel:send(device)
end

-- Keeps a packet for a while, then sends it back.
local Device = {}
Device.__index = Device

function Device:run(kernel, packet)
  if packet then
    self.pending = packet
    return kernel:hold()
  end
  local pending = self.pending
  if not pending then return kernel:wait() end
  self.pending = nil
  return kernel:send(pending)
end

local function packets(task, kind, count)
  local queue
  for _ = 1, count do queue = new_packet(queue, task, kind) end
  return queue
end

local function simulate()
  local kernel = Kernel.new()
  kernel:add(0, setmetatable({ bits = 1, left = 10000 }, Idle), nil, false)
  kernel:add(1000, setmetatable({ handler = HANDLER_A, letter = 0 }, Worker), packets(WORKER, KIND_WORK, 2), true)
  kernel:add(2000, setmetatable({}, Handler), packets(DEVICE_A, KIND_DEVICE, 3), true)
  kernel:add(3000, setmetatable({}, Handler), packets(DEVICE_B, KIND_DEVICE, 3), true)
  kernel:add(4000, setmetatable({}, Device), nil, true)
  kernel:add(5000, setmetatable({}, Device), nil, true)
  kernel:run()
  return kernel
end

local rounds = tonumber(arg[1] or 0)
local queued, held = 0, 0
for _ = 1, rounds do
  local kernel = simulate()
  queued = queued + kernel.queued
  held = held + kernel.held
end
print(string.format("richards %d %d", queued, held))
