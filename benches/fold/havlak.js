// Finds the nested loops of a generated control flow graph by Havlak's algorithm; so many graphs.
'use strict';

class Block {
    constructor(number) {
        this.number = number;
        this.before = [];
        this.after = [];
    }
}

class Graph {
    constructor() {
        this.blocks = [];
    }

    connect(from, to) {
        from.after.push(to);
        to.before.push(from);
    }

    // A new block after another one.
    follow(from) {
        const block = this.block();
        this.connect(from, block);
        return block;
    }

    block() {
        const block = new Block(this.blocks.length);
        this.blocks.push(block);
        return block;
    }

    // A loop after a block: with loops in it, or at depth 0 a branch. Some can be entered beside their header. Gives the block after it.
    nest(from, depth) {
        const header = this.follow(from);
        let tail = header;
        if (depth > 0) {
            for (let i = 0; i < 2; i++) tail = this.nest(tail, depth - 1);
        } else {
            const left = this.follow(header);
            const right = this.follow(header);
            tail = this.follow(left);
            this.connect(right, tail);
            this.connect(left, left);
        }
        if (header.number % 7 === 0) this.connect(from, tail);
        this.connect(tail, header);
        return this.follow(tail);
    }

    static generate() {
        const graph = new Graph();
        const first = graph.block();
        for (let i = 0; i < 5; i++) graph.nest(first, 4);
        return graph;
    }
}

class Loop {
    constructor(reducible, header) {
        this.reducible = reducible;
        this.parent = null;
        this.blocks = [header];
    }

    depth() {
        return this.parent === null ? 1 : 1 + this.parent.depth();
    }
}

// A block in the order of a depth-first walk. Those of an inner loop point to its header.
class Node {
    constructor(number, block) {
        this.number = number;
        this.block = block;
        this.last = 0;
        this.parent = null;
        this.inner = null;
        this.pool = -1;
        this.back = [];
        this.other = new Set();
    }

    // The header of the outermost loop found so far in which it is.
    find() {
        let root = this;
        while (root.parent !== null) root = root.parent;
        let at = this;
        while (at.parent !== null) {
            const parent = at.parent;
            if (parent !== root) at.parent = root;
            at = parent;
        }
        return root;
    }
}

class Finder {
    constructor(size) {
        this.nodes = [];
        this.numbers = new Array(size).fill(-1);
        this.loops = [];
    }

    // Numbers the blocks that can be reached from one.
    walk(block) {
        const number = this.nodes.length;
        this.numbers[block.number] = number;
        const node = new Node(number, block);
        this.nodes.push(node);
        for (const next of block.after) {
            if (this.numbers[next.number] < 0) this.walk(next);
        }
        node.last = this.nodes.length - 1;
    }

    isAncestor(above, below) {
        return above <= below && below <= this.nodes[above].last;
    }

    // Tells edges that go back to a block from those that come in.
    classify() {
        for (const node of this.nodes) {
            for (const before of node.block.before) {
                const from = this.numbers[before.number];
                if (from < 0) continue;
                if (this.isAncestor(node.number, from)) node.back.push(from);
                else node.other.add(from);
            }
        }
    }

    // The loop whose header a node is, if it is one: what reaches one of its back edges without passing the header.
    findLoop(header) {
        const w = header.number;
        const pool = [];
        let toItself = false, reducible = true;
        for (const from of header.back) {
            if (from === w) {
                toItself = true;
            } else {
                const node = this.nodes[from].find();
                if (node.pool !== w) {
                    node.pool = w;
                    pool.push(node);
                }
            }
        }
        for (let at = 0; at < pool.length; at++) {
            for (const from of pool[at].other) {
                const outer = this.nodes[from].find();
                if (!this.isAncestor(w, outer.number)) {
                    reducible = false;
                    header.other.add(outer.number);
                } else if (outer !== header && outer.pool !== w) {
                    outer.pool = w;
                    pool.push(outer);
                }
            }
        }
        if (pool.length === 0 && !toItself) return;
        const found = new Loop(reducible, header.block);
        for (const node of pool) {
            node.parent = header;
            if (node.inner !== null) node.inner.parent = found;
            else found.blocks.push(node.block);
        }
        header.inner = found;
        this.loops.push(found);
    }
}

const rounds = Number(process.argv[2] ?? 0);
let loops = 0, depths = 0, blocks = 0, irreducible = 0;
for (let round = 0; round < rounds; round++) {
    const graph = Graph.generate();
    const finder = new Finder(graph.blocks.length);
    finder.walk(graph.blocks[0]);
    finder.classify();
    for (let w = finder.nodes.length - 1; w >= 0; w--) finder.findLoop(finder.nodes[w]);
    loops += finder.loops.length;
    for (const found of finder.loops) {
        depths += found.depth();
        blocks += found.blocks.length;
        if (!found.reducible) irreducible++;
    }
}
console.log(`havlak ${loops} ${depths} ${blocks} ${irreducible}`);
