local function fee(weight)
    if weight > 20 then return 900 end
    if weight > 5 then return 500 else return 250 end
end
function total(parcels)
    local sum = 0
    for parcel = 1, parcels do sum = sum + fee(parcel * 7 % 31) end
    if parcels > 10 then sum = sum - math.floor(sum / 20) end
    return sum
end
