-- Binary trees: in each round many small ones and few large ones are built and counted; one stays for a round.

local function build(depth)
  if depth == 0 then return {} end
  return { left = build(depth - 1), right = build(depth - 1) }
end

local function count(tree)
  if not tree.left then return 1 end
  return 1 + count(tree.left) + count(tree.right)
end

local rounds = tonumber(arg[1] or 0)
local sum = 0
local kept = build(0)
for round = 0, rounds - 1 do
  for depth = 4, 14, 2 do
    for _ = 1, 2 ^ (14 - depth) do sum = sum + count(build(depth)) end
  end
  sum = sum + count(kept)
  kept = build(12 + round % 3)
end
print(string.format("trees %d", sum))
