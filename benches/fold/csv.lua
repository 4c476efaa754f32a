-- Tables of 100 rows are written as CSV and read again; amounts are grouped and summed by city. So many tables.

local floor, byte = math.floor, string.byte

local Source = {}
Source.__index = Source

-- A number from 0 up to stop, which is at most 65,536.
function Source:below(stop)
  self.seed = (self.seed * 1664525 + 1013904223) % 4294967296
  return floor(self.seed / 65536) % stop
end

local CITIES = {
  "Amberg", "Bad Tölz", "Celle, North", "Dahn", "Emden", 'Furth "the old"', "Gera", 'Hof, "upper"', "Ilmenau", "Jena",
  "Kehl", "Lahr", "Marl", "Naila", "Olpe", "Passau", "Rain, Lech", "Selb", "Thale", "Uelzen",
}

local function written(field)
  if field:find(",", 1, true) or field:find('"', 1, true) or field:find("\n", 1, true) then
    return '"' .. field:gsub('"', '""') .. '"'
  end
  return field
end

local function generate(source)
  local out = { "id,city,amount,note\n" }
  for id = 0, 99 do
    out[#out + 1] = id .. ","
    out[#out + 1] = written(CITIES[source:below(20) + 1])
    out[#out + 1] = "," .. source:below(10000) .. ","
    out[#out + 1] = written(id % 10 == 0 and "first of ten,\nchecked" or "")
    out[#out + 1] = "\n"
  end
  return table.concat(out)
end

-- A field in quotes that begins at a place, and where what follows it begins.
local function quoted(text, start)
  local parts = {}
  local from = start + 1
  local at = from
  while true do
    if byte(text, at) ~= 34 then
      at = at + 1
    else
      parts[#parts + 1] = text:sub(from, at - 1)
      if byte(text, at + 1) ~= 34 then break end
      from = at + 1
      at = at + 2
    end
  end
  return table.concat(parts), at + 1
end

local function parse(text)
  local rows = {}
  local at = 1
  while at <= #text do
    local row = {}
    repeat
      if byte(text, at) == 34 then
        row[#row + 1], at = quoted(text, at)
      else
        local start = at
        while byte(text, at) ~= 44 and byte(text, at) ~= 10 do at = at + 1 end
        row[#row + 1] = text:sub(start, at - 1)
      end
      at = at + 1
    until byte(text, at - 1) == 10
    rows[#rows + 1] = row
  end
  return rows
end

local function collect(rows, groups)
  for i = 2, #rows do
    local row = rows[i]
    local amount = tonumber(row[3])
    local group = groups[row[2]]
    if not group then
      group = { count = 0, sum = 0, most = 0 }
      groups[row[2]] = group
    end
    group.count = group.count + 1
    group.sum = group.sum + amount
    if amount > group.most then group.most = amount end
  end
end

local tables = tonumber(arg[1] or 0)
local source = setmetatable({ seed = 7 }, Source)
local groups = {}
for _ = 1, tables do collect(parse(generate(source)), groups) end
local cities = {}
for city in pairs(groups) do cities[#cities + 1] = city end
table.sort(cities)
local count, sum, check = 0, 0, 0
for _, city in ipairs(cities) do
  local group = groups[city]
  count = count + group.count
  sum = sum + group.sum
  local _, letters = city:gsub("[^\128-\191]", "")
  check = (check * 31 + group.sum + group.most * group.count + letters) % 1000003
end
print(string.format("csv %d %d %d %d", #cities, count, sum, check))
