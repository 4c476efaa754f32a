// Binary trees: in each round many small ones and few large ones are built and counted; one stays for a round.
'use strict';

class Tree {
    constructor(left, right) {
        this.left = left;
        this.right = right;
    }
}

function build(depth) {
    return depth === 0 ? new Tree(null, null) : new Tree(build(depth - 1), build(depth - 1));
}

function count(tree) {
    return tree.left === null ? 1 : 1 + count(tree.left) + count(tree.right);
}

const rounds = Number(process.argv[2] ?? 0);
let sum = 0;
let kept = build(0);
for (let round = 0; round < rounds; round++) {
    for (const depth of [4, 6, 8, 10, 12, 14]) {
        for (let i = 0; i < 1 << (14 - depth); i++) sum += count(build(depth));
    }
    sum += count(kept);
    kept = build(12 + round % 3);
}
console.log(`trees ${sum}`);
