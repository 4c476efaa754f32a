//! The Mandelbrot set: a picture of as many rows as the argument says, 500 points each, at most 50 turns for a point.

fn turns(x: f64, y: f64) -> i64 {
    let (mut a, mut b) = (0.0, 0.0);
    for turn in 0..50 {
        let (a2, b2) = (a * a, b * b);
        if a2 + b2 > 4.0 {
            return turn;
        }
        b = 2.0 * a * b + y;
        a = a2 - b2 + x;
    }
    50
}

fn main() {
    let rows: i64 = std::env::args().nth(1).map_or(0, |n| n.parse().expect("a number"));
    let (mut inside, mut sum) = (0, 0);
    for row in 0..rows {
        let y = row as f64 / rows as f64 * 2.0 - 1.0;
        for column in 0..500 {
            let n = turns(f64::from(column) / 500.0 * 3.0 - 2.0, y);
            if n == 50 {
                inside += 1;
            }
            sum += n;
        }
    }
    println!("mandelbrot {inside} {sum}");
}
