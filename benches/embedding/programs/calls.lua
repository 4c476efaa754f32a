function nothing() end
function add(a, b) return a + b end
function rate(order)
    if order.paid then return order.price * 2.0 + order.id + #order.name else return 0.0 end
end

function numbers(turns)
    local sum = 0
    for turn = 0, turns - 1 do sum = desk.add(sum, turn) end
    return sum
end
function records(turns)
    local sum = 0.0
    for turn = 0, turns - 1 do
        sum = sum + desk.rate({ id = turn, price = 9.5, name = "twenty bytes of text", paid = true })
    end
    return sum
end
