-- Base64 of 4,000 bytes, there and back, as often as the argument says; in each round another byte is changed.

-- LuaJIT has operations on 32 bits in a library, Lua 5.4 operators for 64 bits.
local bit = bit or load([[
  return {
    band = function(a, b) return a & b end,
    bor = function(a, b, c, d) return a | b | c | (d or 0) end,
    lshift = function(a, n) return a << n end,
    rshift = function(a, n) return a >> n end,
  }
]])()
local band, bor, lshift, rshift = bit.band, bit.bor, bit.lshift, bit.rshift

local ALPHABET = { string.byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 1, 64) }
local PAD = 61

-- For each byte its value as a digit.
local function digits()
  local values = {}
  for byte = 0, 255 do values[byte] = 0 end
  for i, byte in ipairs(ALPHABET) do values[byte] = i - 1 end
  return values
end

local function encode(data)
  local length = #data
  local text = {}
  local to = 1
  for at = 1, length, 3 do
    local group = bor(lshift(data[at], 16), lshift(data[at + 1] or 0, 8), data[at + 2] or 0)
    text[to] = ALPHABET[rshift(group, 18) + 1]
    text[to + 1] = ALPHABET[band(rshift(group, 12), 63) + 1]
    text[to + 2] = at + 1 <= length and ALPHABET[band(rshift(group, 6), 63) + 1] or PAD
    text[to + 3] = at + 2 <= length and ALPHABET[band(group, 63) + 1] or PAD
    to = to + 4
  end
  return text
end

local function decode(text, values)
  local length = #text
  local missing = text[length] ~= PAD and 0 or text[length - 1] ~= PAD and 1 or 2
  local size = length / 4 * 3 - missing
  local data = {}
  local to = 1
  for at = 1, length, 4 do
    local group = bor(lshift(values[text[at]], 18), lshift(values[text[at + 1]], 12),
      lshift(values[text[at + 2]], 6), values[text[at + 3]])
    data[to] = rshift(group, 16)
    if to + 1 <= size then data[to + 1] = band(rshift(group, 8), 255) end
    if to + 2 <= size then data[to + 2] = band(group, 255) end
    to = to + 3
  end
  return data
end

local rounds = tonumber(arg[1] or 0)
local values = digits()
local data = {}
for i = 0, 3999 do data[i + 1] = i * i % 256 end
local sum = 0
for round = 0, rounds - 1 do
  data[round % #data + 1] = round % 256
  local text = encode(data)
  data = decode(text, values)
  sum = (sum * 31 + text[round % #text + 1] + data[round * 7 % #data + 1]) % 65521
end
print(string.format("base64 %d %d", #data, sum))
