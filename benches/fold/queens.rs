//! All ways to put eight queens on a board, by trying columns and marking what is taken; as often as the argument says.

struct Board {
    size: usize,
    columns: Vec<bool>,
    rising: Vec<bool>,
    falling: Vec<bool>,
    places: Vec<usize>,
    found: usize,
    sum: usize,
}

impl Board {
    fn new(size: usize) -> Board {
        Board {
            size,
            columns: vec![false; size],
            rising: vec![false; size * 2],
            falling: vec![false; size * 2],
            places: vec![0; size],
            found: 0,
            sum: 0,
        }
    }

    fn mark(&mut self, row: usize, column: usize, taken: bool) {
        self.columns[column] = taken;
        self.rising[row + column] = taken;
        self.falling[row + self.size - column] = taken;
    }

    fn place(&mut self, row: usize) {
        if row == self.size {
            self.found += 1;
            for (r, column) in self.places.iter().enumerate() {
                self.sum += (r + 1) * column;
            }
            return;
        }
        for column in 0..self.size {
            if self.columns[column] || self.rising[row + column] || self.falling[row + self.size - column] {
                continue;
            }
            self.mark(row, column, true);
            self.places[row] = column;
            self.place(row + 1);
            self.mark(row, column, false);
        }
    }
}

fn main() {
    let rounds: usize = std::env::args().nth(1).map_or(0, |n| n.parse().expect("a number"));
    let (mut found, mut sum) = (0, 0);
    for _ in 0..rounds {
        let mut board = Board::new(8);
        board.place(0);
        found += board.found;
        sum += board.sum;
    }
    println!("queens {found} {sum}");
}
