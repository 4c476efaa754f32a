//! Fibonacci numbers by double recursion: the 27th, as often as the argument says.

fn fib(n: i64) -> i64 {
    if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
}

fn main() {
    let rounds: i64 = std::env::args().nth(1).map_or(0, |n| n.parse().expect("a number"));
    let mut sum = 0;
    for round in 0..rounds {
        sum += fib(std::hint::black_box(27)) + round;
    }
    println!("fib {sum}");
}
