//! A game whose behaviour is Fold, and is replaced while it runs: the state is the host's, and crosses each turn.

use std::error::Error;
use std::io::Write;

use pinfold::{FromFold, Program, ToFold, Vm};

#[derive(Debug, FromFold, ToFold)]
struct Ball {
    x: f64,
    y: f64,
    dx: f64,
    dy: f64,
}

const BEFORE: &str = "
record Ball { x: Float, y: Float, dx: Float, dy: Float }
pub fn step(ball: Ball, seconds: Float) -> Ball {
    Ball { x: ball.x + ball.dx * seconds, y: ball.y + ball.dy * seconds, dx: ball.dx, dy: ball.dy }
}
";

const AFTER: &str = "
record Ball { x: Float, y: Float, dx: Float, dy: Float }
pub fn step(ball: Ball, seconds: Float) -> Ball {
    let dy = ball.dy - 10.0 * seconds
    let y = ball.y + dy * seconds
    // It bounces.
    Ball { x: ball.x + ball.dx * seconds, y: y.abs(), dx: ball.dx, dy: if y < 0.0 { -dy * 0.8 } else { dy } }
}
";

/// The new behaviour; the old one, if there is something wrong with it.
fn reload(vm: &Vm, source: &str, old: Program, out: &mut dyn Write) -> std::io::Result<Program> {
    match vm.compile("ball.fold", source) {
        Ok(new) => Ok(new),
        Err(error) => {
            writeln!(out, "  kept as it was: {}", error.code())?;
            Ok(old)
        }
    }
}

pub fn run(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let vm = Vm::new()?;
    let mut behaviour = vm.compile("ball.fold", BEFORE)?;
    let mut ball = Ball { x: 0.0, y: 1.0, dx: 2.0, dy: 0.0 };
    for turn in 0..60 {
        match turn {
            20 => behaviour = reload(&vm, "pub fn step(", behaviour, out)?,
            30 => behaviour = reload(&vm, AFTER, behaviour, out)?,
            _ => {}
        }
        ball = behaviour.call("step", (&ball, 1.0 / 30.0))?;
        if turn % 15 == 14 {
            writeln!(out, "  after {} turns at {:.2}, {:.2}", turn + 1, ball.x, ball.y)?;
        }
    }
    Ok(())
}
