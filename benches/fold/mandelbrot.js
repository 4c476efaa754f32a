// The Mandelbrot set: a picture of as many rows as the argument says, 500 points each, at most 50 turns for a point.
'use strict';

function turns(x, y) {
    let a = 0, b = 0;
    for (let turn = 0; turn < 50; turn++) {
        const a2 = a * a, b2 = b * b;
        if (a2 + b2 > 4) return turn;
        b = 2 * a * b + y;
        a = a2 - b2 + x;
    }
    return 50;
}

const rows = Number(process.argv[2] ?? 0);
let inside = 0, sum = 0;
for (let row = 0; row < rows; row++) {
    const y = row / rows * 2 - 1;
    for (let column = 0; column < 500; column++) {
        const n = turns(column / 500 * 3 - 2, y);
        if (n === 50) inside++;
        sum += n;
    }
}
console.log(`mandelbrot ${inside} ${sum}`);
