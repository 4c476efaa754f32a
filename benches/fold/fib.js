// Fibonacci numbers by double recursion: the 27th, as often as the argument says.
'use strict';

function fib(n) {
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

const rounds = Number(process.argv[2] ?? 0);
let sum = 0;
for (let round = 0; round < rounds; round++) sum += fib(27) + round;
console.log(`fib ${sum}`);
