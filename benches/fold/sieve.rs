//! Primes below 100,000 by the sieve of Eratosthenes, as often as the argument says.

fn primes(end: usize) -> usize {
    let mut composite = vec![false; end];
    let mut count = 0;
    for n in 2..end {
        if composite[n] {
            continue;
        }
        count += 1;
        let mut multiple = n * n;
        while multiple < end {
            composite[multiple] = true;
            multiple += n;
        }
    }
    count
}

fn main() {
    let rounds: usize = std::env::args().nth(1).map_or(0, |n| n.parse().expect("a number"));
    let sum: usize = (0..rounds).map(|round| primes(100_000 - round % 10)).sum();
    println!("sieve {sum}");
}
