//! What each phase makes of a session's entry, without running it.

use std::time::{Duration, Instant};

use pinfold::fold;
use pinfold::job::{Reply, Told};
use pinfold::question::Phase;
use pinfold_compiler::session::{Entry, Session};
use pinfold_vm::api::{Engine, Module};
use pinfold_vm::module::{DefinedFunc, FuncIndex};
use pinfold_vm::{interpreter, jit};

/// Shows functions of the session's entries: of the standard library, whose functions are in the module too, nothing.
pub fn show(session: &Session, engine: &Engine, stage: Phase, text: &str) -> Reply {
    let begin = Instant::now();
    let shown = session.check(text).map_err(|rejected| fold::rejections(&rejected)).and_then(|entry| {
        let checked = begin.elapsed();
        phase(&entry, engine, stage, checked)
    });
    match shown {
        Ok(Ok(text)) => Reply { value: Some(Told { text, ..Told::default() }), ..Reply::default() },
        Ok(Err(ending)) => Reply { ended: Some(ending), ..Reply::default() },
        Err(findings) => Reply { findings, ..Reply::default() },
    }
}

type Shown = Result<Result<String, pinfold::job::Ending>, Vec<pinfold::answer::Finding>>;

fn phase(entry: &Entry, engine: &Engine, stage: Phase, checked: Duration) -> Shown {
    if stage == Phase::Ir {
        return entry.ir().map(Ok).map_err(|rejected| fold::rejections(&rejected));
    }
    let begin = Instant::now();
    let bytes = entry.compile().map_err(|rejected| fold::rejections(&rejected))?.module;
    let compiled = begin.elapsed();
    let size = bytes.len();
    let begin = Instant::now();
    let refused = |why: String| {
        use pinfold::job::{EndKind, Ending};
        Ending::new(EndKind::Refused, pinfold::exit::REFUSED, Some(why))
    };
    let module = match Module::new(engine, bytes) {
        Ok(module) => module,
        Err(error) => return Ok(Err(refused(error.to_string()))),
    };
    let verified = begin.elapsed();
    let listing = match stage {
        Phase::Stages => Ok(table(&module, checked, compiled, size, verified)),
        _ => listing(entry, &module, stage),
    };
    Ok(listing.map_err(refused))
}

/// The functions of the session in a module, as a phase has them.
fn listing(entry: &Entry, module: &Module, stage: Phase) -> Result<String, String> {
    let (code, inner) = (module.code(), module.inner());
    let mut text = String::new();
    for func in (0..inner.defined_count() as u32).map(DefinedFunc) {
        let index = inner.func_index(func);
        let name = inner.names().function(index).unwrap_or_default();
        if !entry.is_own(name) {
            continue;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        match stage {
            Phase::Slots => {
                text += &format!("{name}: {}", interpreter::disassemble(inner, &code.config, func));
            }
            Phase::Asm => {
                let machine = jit::disassemble(code, func).map_err(|error| error.to_string())?;
                text += &format!("{name}:\n{}\n", machine.trim_end());
            }
            // A `String` takes everything.
            _ => drop(inner.disassemble(index, &mut text)),
        }
    }
    Ok(text)
}

/// How large what each phase makes of the whole module is, and how long it takes.
fn table(module: &Module, checked: Duration, compiled: Duration, size: usize, verified: Duration) -> String {
    let (code, inner) = (module.code(), module.inner());
    let functions = || (0..inner.defined_count() as u32).map(DefinedFunc);
    let begin = Instant::now();
    let slots: usize = functions().map(|func| interpreter::translate(inner, &code.config, func).size()).sum();
    let translated = begin.elapsed();
    let begin = Instant::now();
    let lines: usize =
        functions().filter_map(|func| jit::disassemble(code, func).ok()).map(|text| text.lines().count()).sum();
    let machine = begin.elapsed();
    let count = inner.defined_count();
    let row = |name: &str, what: String, time: Duration| {
        format!("{name:<12}{what:<34}{:>8.2} ms\n", time.as_secs_f64() * 1e3)
    };
    let own = (0..inner.function_count() as u32).map(FuncIndex).filter(|&func| inner.defined(func).is_none()).count();
    [
        row("check", "types, patterns, access".into(), checked),
        row("compile", format!("{count} functions, {own} of the host, {size} bytes"), compiled),
        row("verify", format!("{size} bytes"), verified),
        row("interpreter", format!("{} words of slot code", slots), translated),
        row("jit", format!("{lines} lines of machine code"), machine),
    ]
    .concat()
}
