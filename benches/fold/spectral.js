// The greatest singular value of an infinite matrix, cut to 100 × 100, by ten turns of power iteration, as often as the argument says.
'use strict';

function cell(i, j) {
    return 1 / ((i + j) * (i + j + 1) / 2 + i + 1);
}

function times(from, to) {
    for (let i = 0; i < to.length; i++) {
        let sum = 0;
        for (let j = 0; j < from.length; j++) sum += cell(i, j) * from[j];
        to[i] = sum;
    }
}

function timesTurned(from, to) {
    for (let i = 0; i < to.length; i++) {
        let sum = 0;
        for (let j = 0; j < from.length; j++) sum += cell(j, i) * from[j];
        to[i] = sum;
    }
}

function dot(a, b) {
    let sum = 0;
    for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
    return sum;
}

function norm() {
    const u = new Float64Array(100).fill(1);
    const v = new Float64Array(100).fill(1);
    const between = new Float64Array(100);
    for (let turn = 0; turn < 10; turn++) {
        times(u, between);
        timesTurned(between, v);
        times(v, between);
        timesTurned(between, u);
    }
    return Math.sqrt(dot(u, v) / dot(v, v));
}

const rounds = Number(process.argv[2] ?? 0);
let sum = 0;
for (let round = 0; round < rounds; round++) sum += norm();
console.log(`spectral ${sum.toFixed(9)}`);
