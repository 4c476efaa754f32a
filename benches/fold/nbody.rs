//! Sun and four giant planets under gravity, so many steps of a hundredth of a day; prints the energy before and after.

use std::f64::consts::PI;

const DAYS: f64 = 365.24;
const SOLAR_MASS: f64 = 4.0 * PI * PI;

struct Body {
    x: f64,
    y: f64,
    z: f64,
    vx: f64,
    vy: f64,
    vz: f64,
    mass: f64,
}

fn planet(x: f64, y: f64, z: f64, vx: f64, vy: f64, vz: f64, mass: f64) -> Body {
    Body { x, y, z, vx: vx * DAYS, vy: vy * DAYS, vz: vz * DAYS, mass: mass * SOLAR_MASS }
}

fn system() -> Vec<Body> {
    let mut bodies = vec![
        planet(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0),
        planet(4.841431442, -1.160320044, -0.103622044, 0.001660076, 0.007699011, -0.000069046, 0.000954792),
        planet(8.343366718, 4.124798564, -0.403523417, -0.002767425, 0.004998528, 0.000023042, 0.000285886),
        planet(12.894369562, -15.111151401, -0.223307579, 0.002964601, 0.002378472, -0.000029659, 0.000043662),
        planet(15.379697115, -25.919314610, 0.179258773, 0.002680678, 0.001628242, -0.000095159, 0.000051514),
    ];
    // The sun moves so that the whole stays where it is.
    let (sun, planets) = bodies.split_first_mut().expect("a sun");
    for body in planets {
        sun.vx -= body.vx * body.mass / sun.mass;
        sun.vy -= body.vy * body.mass / sun.mass;
        sun.vz -= body.vz * body.mass / sun.mass;
    }
    bodies
}

fn step(bodies: &mut [Body], time: f64) {
    for i in 0..bodies.len() {
        let (head, tail) = bodies.split_at_mut(i + 1);
        let a = &mut head[i];
        for b in tail {
            let (dx, dy, dz) = (a.x - b.x, a.y - b.y, a.z - b.z);
            let square = dx * dx + dy * dy + dz * dz;
            let pull = time / (square * square.sqrt());
            a.vx -= dx * b.mass * pull;
            a.vy -= dy * b.mass * pull;
            a.vz -= dz * b.mass * pull;
            b.vx += dx * a.mass * pull;
            b.vy += dy * a.mass * pull;
            b.vz += dz * a.mass * pull;
        }
    }
    for body in bodies {
        body.x += time * body.vx;
        body.y += time * body.vy;
        body.z += time * body.vz;
    }
}

fn energy(bodies: &[Body]) -> f64 {
    let mut sum = 0.0;
    for (i, a) in bodies.iter().enumerate() {
        sum += 0.5 * a.mass * (a.vx * a.vx + a.vy * a.vy + a.vz * a.vz);
        for b in &bodies[i + 1..] {
            let (dx, dy, dz) = (a.x - b.x, a.y - b.y, a.z - b.z);
            sum -= a.mass * b.mass / (dx * dx + dy * dy + dz * dz).sqrt();
        }
    }
    sum
}

fn main() {
    let steps: usize = std::env::args().nth(1).map_or(0, |n| n.parse().expect("a number"));
    let mut bodies = system();
    let before = energy(&bodies);
    for _ in 0..steps {
        step(&mut bodies, 0.01);
    }
    println!("nbody {before:.9} {:.9}", energy(&bodies));
}
