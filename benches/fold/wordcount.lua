-- The words of generated texts of 1,000 words each: how many, how many different ones, and the most frequent; so many texts.

local floor = math.floor

local Source = {}
Source.__index = Source

-- A number from 0 up to stop, which is at most 65,536.
function Source:below(stop)
  self.seed = (self.seed * 1664525 + 1013904223) % 4294967296
  return floor(self.seed / 65536) % stop
end

local function vocabulary(source)
  local words = {}
  for i = 1, 3000 do
    local letters = {}
    for k = 1, 2 + source:below(8) do letters[k] = string.char(97 + source:below(26)) end
    words[i] = table.concat(letters)
  end
  return words
end

-- Lines of ten words; those at the beginning of the vocabulary are more frequent.
local function generate(words, source)
  local lines = {}
  for i = 1, 100 do
    local line = {}
    for k = 1, 10 do line[k] = words[floor(source:below(3000) * source:below(3000) / 3000) + 1] end
    lines[i] = table.concat(line, " ")
  end
  return table.concat(lines, "\n")
end

local function count(text, counts)
  for line in text:gmatch("[^\n]+") do
    for word in line:gmatch("%S+") do counts[word] = (counts[word] or 0) + 1 end
  end
end

local texts = tonumber(arg[1] or 0)
local source = setmetatable({ seed = 42 }, Source)
local words = vocabulary(source)
local counts = {}
for _ = 1, texts do count(generate(words, source), counts) end
local ranking, total = {}, 0
for word, n in pairs(counts) do
  ranking[#ranking + 1] = { word, n }
  total = total + n
end
table.sort(ranking, function(a, b)
  if a[2] ~= b[2] then return a[2] > b[2] end
  return a[1] < b[1]
end)
local top = {}
for i = 1, math.min(5, #ranking) do top[i] = ranking[i][1] .. ":" .. ranking[i][2] end
print(string.format("wordcount %d %d %s", total, #ranking, table.concat(top, " ")))
