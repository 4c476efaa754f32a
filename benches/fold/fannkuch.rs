//! All orders of eight pancakes: how often the pile is turned, by its top one's number, until that is 0. As often as the argument says.

fn flips(order: &[usize], pile: &mut [usize]) -> i64 {
    pile.copy_from_slice(order);
    let mut count = 0;
    while pile[0] != 0 {
        let (mut low, mut high) = (0, pile[0]);
        while low < high {
            pile.swap(low, high);
            low += 1;
            high -= 1;
        }
        count += 1;
    }
    count
}

/// Makes the next order; false after the last. `turns[i]` says how often the first i + 1 will still be turned around.
fn advance(order: &mut [usize], turns: &mut [usize]) -> bool {
    for i in 1..order.len() {
        let first = order[0];
        for k in 0..i {
            order[k] = order[k + 1];
        }
        order[i] = first;
        turns[i] -= 1;
        if turns[i] > 0 {
            return true;
        }
        turns[i] = i + 1;
    }
    false
}

fn fannkuch(size: usize) -> (i64, i64) {
    let mut order: Vec<usize> = (0..size).collect();
    let mut turns: Vec<usize> = (1..=size).collect();
    let mut pile = vec![0; size];
    let (mut most, mut sum, mut even) = (0, 0, true);
    loop {
        let count = flips(&order, &mut pile);
        most = most.max(count);
        sum += if even { count } else { -count };
        even = !even;
        if !advance(&mut order, &mut turns) {
            return (most, sum);
        }
    }
}

fn main() {
    let rounds: usize = std::env::args().nth(1).map_or(0, |n| n.parse().expect("a number"));
    let (mut most, mut sum) = (0, 0);
    for _ in 0..rounds {
        let (m, s) = fannkuch(8);
        most += m;
        sum += s;
    }
    println!("fannkuch {most} {sum}");
}
