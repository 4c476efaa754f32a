-- A document of 50 records is printed as JSON, parsed, and walked; so many documents.

local byte, sub = string.byte, string.sub

-- What marks a table as a list; all others are objects.
local List = {}
local null = setmetatable({}, { __tostring = function() return "null" end })

local function item(id)
  local tags = setmetatable({}, List)
  for i, tag in ipairs({ "red", "green", "blue" }) do
    if i <= id % 4 then tags[i] = tag end
  end
  return {
    id = id,
    name = "item number " .. id,
    price = id * 37 % 1000 + 0.25,
    ["in stock"] = id % 3 == 0,
    note = id % 4 == 0 and 'a "quoted" word,\na new line and a \\' or null,
    tags = tags,
    size = { width = id % 50, height = 0 - id },
  }
end

local function document(number)
  local items = setmetatable({}, List)
  for i = 0, 49 do items[i + 1] = item(number % 1000 + i) end
  return { number = number, items = items }
end

local function print_text(text, out)
  out[#out + 1] = '"'
  for i = 1, #text do
    local c = sub(text, i, i)
    if c == '"' then
      out[#out + 1] = '\\"'
    elseif c == "\\" then
      out[#out + 1] = "\\\\"
    elseif c == "\n" then
      out[#out + 1] = "\\n"
    else
      out[#out + 1] = c
    end
  end
  out[#out + 1] = '"'
end

local function print_value(value, out)
  if type(value) == "string" then
    print_text(value, out)
  elseif type(value) ~= "table" or value == null then
    out[#out + 1] = tostring(value)
  elseif getmetatable(value) == List then
    out[#out + 1] = "["
    for i = 1, #value do
      if i > 1 then out[#out + 1] = "," end
      print_value(value[i], out)
    end
    out[#out + 1] = "]"
  else
    local before = "{"
    for name, field in pairs(value) do
      out[#out + 1] = before
      print_text(name, out)
      out[#out + 1] = ":"
      print_value(field, out)
      before = ","
    end
    out[#out + 1] = before == "{" and "{}" or "}"
  end
end

local Parser = {}
Parser.__index = Parser

function Parser:peek()
  return byte(self.text, self.at) or 0
end

function Parser:skip_space()
  while self:peek() == 32 or self:peek() == 10 do self.at = self.at + 1 end
end

-- Goes over a byte if it is the next one after white space.
function Parser:eat(code)
  self:skip_space()
  local found = self:peek() == code
  if found then self.at = self.at + 1 end
  return found
end

function Parser:expect(code)
  if not self:eat(code) then error("byte " .. code .. " expected at " .. self.at) end
end

function Parser:word(word, value)
  for i = 1, #word do self:expect(byte(word, i)) end
  return value
end

function Parser:value()
  self:skip_space()
  local code = self:peek()
  if code == 123 then return self:object() end
  if code == 91 then return self:list() end
  if code == 34 then return self:string() end
  if code == 110 then return self:word("null", null) end
  if code == 116 then return self:word("true", true) end
  if code == 102 then return self:word("false", false) end
  return self:number()
end

function Parser:object()
  self.at = self.at + 1
  local fields = {}
  if self:eat(125) then return fields end
  repeat
    self:skip_space()
    local name = self:string()
    self:expect(58)
    fields[name] = self:value()
  until not self:eat(44)
  self:expect(125)
  return fields
end

function Parser:list()
  self.at = self.at + 1
  local items = setmetatable({}, List)
  if self:eat(93) then return items end
  repeat items[#items + 1] = self:value() until not self:eat(44)
  self:expect(93)
  return items
end

function Parser:string()
  self:expect(34)
  local out = ""
  local start = self.at
  while self:peek() ~= 34 do
    if self:peek() == 92 then
      out = out .. sub(self.text, start, self.at - 1)
      self.at = self.at + 1
      local code = self:peek()
      if code == 34 then
        out = out .. '"'
      elseif code == 92 then
        out = out .. "\\"
      elseif code == 110 then
        out = out .. "\n"
      else
        error("no such escape at " .. self.at)
      end
      start = self.at + 1
    end
    self.at = self.at + 1
    if self.at > #self.text then error("a text without end") end
  end
  out = out .. sub(self.text, start, self.at - 1)
  self.at = self.at + 1
  return out
end

function Parser:number()
  local start = self.at
  while true do
    local code = self:peek()
    if code ~= 46 and code ~= 101 and code ~= 45 and (code < 48 or code > 57) then break end
    self.at = self.at + 1
  end
  return tonumber(sub(self.text, start, self.at - 1)) or error("no number at " .. start)
end

-- Adds up numbers, lengths of texts, and how many values there are.
local function walk(value)
  local kind = type(value)
  if value == null then return 1 end
  if kind == "boolean" then return value and 2 or 1 end
  if kind == "number" then return value + 1 end
  if kind == "string" then return #value end
  local sum = 0
  if getmetatable(value) == List then
    for i = 1, #value do sum = sum + walk(value[i]) end
    return sum + 1
  end
  for name, field in pairs(value) do sum = sum + walk(field) + #name end
  return sum
end

local rounds = tonumber(arg[1] or 0)
local length, sum = 0, 0
for round = 0, rounds - 1 do
  local parts = {}
  print_value(document(round), parts)
  local text = table.concat(parts)
  sum = sum + walk(setmetatable({ text = text, at = 1 }, Parser):value())
  length = length + #text
end
print(string.format("json %d %.2f", length, sum))
