// All orders of eight pancakes: how often the pile is turned, by its top one's number, until that is 0. As often as the argument says.
'use strict';

function flips(order, pile) {
    for (let i = 0; i < order.length; i++) pile[i] = order[i];
    let count = 0;
    while (pile[0] !== 0) {
        for (let low = 0, high = pile[0]; low < high; low++, high--) {
            const value = pile[low];
            pile[low] = pile[high];
            pile[high] = value;
        }
        count++;
    }
    return count;
}

// Makes the next order; false after the last. turns[i] says how often the first i + 1 will still be turned around.
function advance(order, turns) {
    for (let i = 1; i < order.length; i++) {
        const first = order[0];
        for (let k = 0; k < i; k++) order[k] = order[k + 1];
        order[i] = first;
        turns[i]--;
        if (turns[i] > 0) return true;
        turns[i] = i + 1;
    }
    return false;
}

function fannkuch(size) {
    const order = Int32Array.from({ length: size }, (_, i) => i);
    const turns = Int32Array.from({ length: size }, (_, i) => i + 1);
    const pile = new Int32Array(size);
    let most = 0, sum = 0, even = true;
    do {
        const count = flips(order, pile);
        if (count > most) most = count;
        sum += even ? count : -count;
        even = !even;
    } while (advance(order, turns));
    return [most, sum];
}

const rounds = Number(process.argv[2] ?? 0);
let most = 0, sum = 0;
for (let round = 0; round < rounds; round++) {
    const [m, s] = fannkuch(8);
    most += m;
    sum += s;
}
console.log(`fannkuch ${most} ${sum}`);
