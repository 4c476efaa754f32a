// All ways to put eight queens on a board, by trying columns and marking what is taken; as often as the argument says.
'use strict';

class Board {
    constructor(size) {
        this.size = size;
        this.columns = new Array(size).fill(false);
        this.rising = new Array(size * 2).fill(false);
        this.falling = new Array(size * 2).fill(false);
        this.places = new Array(size).fill(0);
        this.found = 0;
        this.sum = 0;
    }

    mark(row, column, taken) {
        this.columns[column] = taken;
        this.rising[row + column] = taken;
        this.falling[row - column + this.size] = taken;
    }

    place(row) {
        if (row === this.size) {
            this.found++;
            for (let r = 0; r < this.size; r++) this.sum += (r + 1) * this.places[r];
            return;
        }
        for (let column = 0; column < this.size; column++) {
            if (this.columns[column] || this.rising[row + column] || this.falling[row - column + this.size]) continue;
            this.mark(row, column, true);
            this.places[row] = column;
            this.place(row + 1);
            this.mark(row, column, false);
        }
    }
}

const rounds = Number(process.argv[2] ?? 0);
let found = 0, sum = 0;
for (let round = 0; round < rounds; round++) {
    const board = new Board(8);
    board.place(0);
    found += board.found;
    sum += board.sum;
}
console.log(`queens ${found} ${sum}`);
