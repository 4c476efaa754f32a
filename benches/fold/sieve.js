// Primes below 100,000 by the sieve of Eratosthenes, as often as the argument says.
'use strict';

function primes(end) {
    const composite = new Uint8Array(end);
    let count = 0;
    for (let n = 2; n < end; n++) {
        if (composite[n]) continue;
        count++;
        for (let multiple = n * n; multiple < end; multiple += n) composite[multiple] = 1;
    }
    return count;
}

const rounds = Number(process.argv[2] ?? 0);
let sum = 0;
for (let round = 0; round < rounds; round++) sum += primes(100000 - round % 10);
console.log(`sieve ${sum}`);
