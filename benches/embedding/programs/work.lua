function mix(turns)
    local x, odd = 1, 0
    for turn = 0, turns - 1 do
        x = (x * 16807 + turn % 127) % 2147483647
        if x % 2 == 1 then odd = odd + 1 end
    end
    return x + odd
end

function words(text)
    local counts = {}
    for word in text:gmatch("%S+") do counts[word] = (counts[word] or 0) + 1 end
    local sum = 0
    for word, count in pairs(counts) do sum = sum + count * count * #word end
    return sum
end
