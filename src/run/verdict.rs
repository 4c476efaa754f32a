//! How a run ended, in words and as an exit code.

use pinfold_vm::api::{Error, Trap, TrapKind};
use pinfold_vm::module::Escaped;

use super::{Args, own_code, signals};
use crate::exit;

/// Says how the run ended, and gives the exit code.
pub fn explain(error: &Error, args: &Args) -> u8 {
    let trap = match error {
        Error::Trap(trap) => trap,
        Error::Instantiate(limit) => {
            eprintln!("pinfold: {limit}; raise it with --max-memory");
            return exit::MEMORY;
        }
        other => {
            eprintln!("pinfold: {other}");
            return exit::REFUSED;
        }
    };
    let (message, code) = match trap.kind {
        TrapKind::Exit => return own_code(trap),
        TrapKind::Timeout => {
            (format!("the program was ended after {} s; --timeout gives it more", args.timeout), exit::TIMEOUT)
        }
        TrapKind::OutOfFuel => ("the program used up its fuel; --fuel gives it more".into(), exit::FUEL),
        TrapKind::OutOfMemory => {
            let message = format!(
                "the program wanted more than {} bytes of memory; --max-memory gives it more",
                args.max_memory.0
            );
            (message, exit::MEMORY)
        }
        TrapKind::OutputLimit => {
            let message = format!("the program wrote more than {} bytes; --max-output allows more", args.max_output.0);
            (message, exit::OUTPUT)
        }
        TrapKind::Interrupted => {
            let signal = signals::received().unwrap_or(libc::SIGINT);
            let name = if signal == libc::SIGTERM { "SIGTERM" } else { "Ctrl-C" };
            eprintln!("pinfold: the program was ended by {name}");
            return 128 + signal as u8;
        }
        TrapKind::StackExhausted => {
            let message = format!("call stack exhausted: more than {} bytes; --max-stack gives more", args.max_stack.0);
            (message, exit::TRAP)
        }
        _ => (format!("the program trapped: {}", Escaped(&trap.to_string())), exit::TRAP),
    };
    eprintln!("pinfold: {message}");
    backtrace(trap);
    code
}

fn backtrace(trap: &Trap) {
    const SHOWN: usize = 16;
    for (i, frame) in trap.frames.iter().take(SHOWN).enumerate() {
        let name = match &frame.name {
            Some(name) => Escaped(name).to_string(),
            None => format!("function {}", frame.func),
        };
        eprintln!("  {i:>2}: {name} at {:#x}", frame.offset);
    }
    let more = trap.frames.len().saturating_sub(SHOWN) + trap.omitted;
    if more > 0 {
        eprintln!("      and {more} more frames");
    }
}
