-- Primes below 100,000 by the sieve of Eratosthenes, as often as the argument says.

local function primes(stop)
  local composite = {}
  for n = 1, stop - 1 do composite[n] = false end
  local count = 0
  for n = 2, stop - 1 do
    if not composite[n] then
      count = count + 1
      for multiple = n * n, stop - 1, n do composite[multiple] = true end
    end
  end
  return count
end

local rounds = tonumber(arg[1] or 0)
local sum = 0
for round = 0, rounds - 1 do sum = sum + primes(100000 - round % 10) end
print(string.format("sieve %d", sum))
