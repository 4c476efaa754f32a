"""All ways to put eight queens on a board, by trying columns and marking what is taken; as often as the argument says."""
import sys


class Board:
    def __init__(self, size):
        self.size = size
        self.columns = [False] * size
        self.rising = [False] * (size * 2)
        self.falling = [False] * (size * 2)
        self.places = [0] * size
        self.found = 0
        self.sum = 0

    def mark(self, row, column, taken):
        self.columns[column] = taken
        self.rising[row + column] = taken
        self.falling[row - column + self.size] = taken

    def place(self, row):
        if row == self.size:
            self.found += 1
            for r, column in enumerate(self.places):
                self.sum += (r + 1) * column
            return
        for column in range(self.size):
            if self.columns[column] or self.rising[row + column] or self.falling[row - column + self.size]:
                continue
            self.mark(row, column, True)
            self.places[row] = column
            self.place(row + 1)
            self.mark(row, column, False)


def main(rounds):
    found = total = 0
    for _ in range(rounds):
        board = Board(8)
        board.place(0)
        found += board.found
        total += board.sum
    print(f"queens {found} {total}")


main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
