//! The greatest singular value of an infinite matrix, cut to 100 × 100, by ten turns of power iteration, as often as the argument says.

fn cell(i: usize, j: usize) -> f64 {
    1.0 / ((i + j) * (i + j + 1) / 2 + i + 1) as f64
}

fn times(from: &[f64], to: &mut [f64]) {
    for (i, to) in to.iter_mut().enumerate() {
        let mut sum = 0.0;
        for (j, value) in from.iter().enumerate() {
            sum += cell(i, j) * value;
        }
        *to = sum;
    }
}

fn times_turned(from: &[f64], to: &mut [f64]) {
    for (i, to) in to.iter_mut().enumerate() {
        let mut sum = 0.0;
        for (j, value) in from.iter().enumerate() {
            sum += cell(j, i) * value;
        }
        *to = sum;
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sum = 0.0;
    for (x, y) in a.iter().zip(b) {
        sum += x * y;
    }
    sum
}

fn norm() -> f64 {
    let mut u = vec![1.0; 100];
    let mut v = vec![1.0; 100];
    let mut between = vec![0.0; 100];
    for _ in 0..10 {
        times(&u, &mut between);
        times_turned(&between, &mut v);
        times(&v, &mut between);
        times_turned(&between, &mut u);
    }
    (dot(&u, &v) / dot(&v, &v)).sqrt()
}

fn main() {
    let rounds: usize = std::env::args().nth(1).map_or(0, |n| n.parse().expect("a number"));
    let mut sum = 0.0;
    for _ in 0..rounds {
        sum += norm();
    }
    println!("spectral {sum:.9}");
}
