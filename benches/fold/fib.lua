-- Fibonacci numbers by double recursion: the 27th, as often as the argument says.

local function fib(n)
  if n < 2 then return n end
  return fib(n - 1) + fib(n - 2)
end

local rounds = tonumber(arg[1] or 0)
local sum = 0
for round = 0, rounds - 1 do sum = sum + fib(27) + round end
print(string.format("fib %d", sum))
