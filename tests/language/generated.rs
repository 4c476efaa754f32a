//! Generated programs, which compiled code and the evaluator of the typed tree have to mean the same by; and damaged ones, which must
//! not harm the compiler. `PROGRAMS` and `MUTANTS` in the environment say how many, `SEED` where to begin.

#![expect(clippy::unwrap_used, reason = "what fails in here fails the test")]

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pinfold_compiler::check::{self, STANDARD};
use pinfold_compiler::evaluator::{self, Ending, Limits, PanicKind, with_stack};
use pinfold_compiler::generate::{self, Choices};
use pinfold_compiler::{Options, driver};

use crate::program::{self, End, World};
use crate::{case, random::Random};

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Looks at so many seeds on all cores; what is wrong, and how often each word was said of one that is right.
fn each_seed(
    count: u64,
    look: impl Fn(u64) -> Result<&'static str, String> + Send + Sync + Copy + 'static,
) -> (Vec<String>, BTreeMap<&'static str, u64>) {
    let first = setting("SEED", 0);
    let next = Arc::new(AtomicU64::new(first));
    let found = Arc::new(Mutex::new((Vec::new(), BTreeMap::new())));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let handles: Vec<_> = (0..threads)
        .map(|_| {
            let (next, found) = (next.clone(), found.clone());
            std::thread::spawn(move || {
                with_stack(move || {
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= first + count {
                            return;
                        }
                        let said = look(seed);
                        let mut found = found.lock().unwrap();
                        match said {
                            Ok(word) => *found.1.entry(word).or_insert(0) += 1,
                            Err(why) => found.0.push(format!("seed {seed}: {why}")),
                        }
                    }
                })
                .unwrap();
            })
        })
        .collect();
    handles.into_iter().for_each(|handle| handle.join().unwrap());
    std::mem::take(&mut *found.lock().unwrap())
}

#[test]
fn compiled_programs_mean_what_the_evaluator_says() {
    let count = setting("PROGRAMS", if cfg!(debug_assertions) { 50 } else { 200 });
    let (wrong, said) = each_seed(count, |seed| {
        let text = generate::program(Choices::seeded(seed));
        let checked = program::check(&text).map_err(|rejected| format!("{}\n{text}", program::lines(&rejected)))?;
        let wanted = evaluator::run(&checked.program, &checked.names, Limits::default(), b"");
        let (word, end) = match wanted.ending {
            Ending::Finished => ("finished", End::Good),
            Ending::Failed(message) => ("failed", End::Failed(message)),
            // This one is a trap of the machine, with the machine's words.
            Ending::Panicked(panic) if panic.kind == PanicKind::Division => {
                ("panicked", End::Panic("integer divide by zero".to_owned()))
            }
            Ending::Panicked(panic) => ("panicked", End::Panic(panic.message)),
            // It goes on for too long to be compared.
            Ending::Steps | Ending::Depth => return Ok("too long"),
        };
        let done = program::run(&checked, &World::default()).map_err(|why| format!("{why}\n{text}"))?;
        let output = String::from_utf8_lossy(&wanted.output);
        match done.output == output && done.end == end {
            true => Ok(word),
            false => Err(format!("evaluated: {end:?}\n{output}\ncompiled: {:?}\n{}\n{text}", done.end, done.output)),
        }
    });
    println!("{count} programs: {said:?}");
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
    let often = |word| said.get(word).copied().unwrap_or(0);
    assert!(count < 50 || often("finished") > count / 2 && often("panicked") > 0, "{said:?}");
}

/// How long a compiler that was not optimised may take for a text of some kilobytes, before it is taken to hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// Pieces that change much.
const PIECES: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "<",
    ">",
    "\"",
    "'",
    "\\",
    "|",
    "..",
    "=>",
    "->",
    "::",
    "?",
    "!",
    "-",
    "&&",
    "=",
    "+=",
    "\n",
    ";",
    ",",
    ".",
    ":",
    "@",
    "/*",
    "*/",
    "//",
    "///",
    "\"\"\"",
    "r#\"",
    "b\"",
    "#!",
    " fn ",
    " let ",
    " var ",
    " match ",
    " if ",
    " else ",
    " while ",
    " for ",
    " in ",
    " impl ",
    " trait ",
    " record ",
    " enum ",
    " dyn ",
    " where ",
    " import ",
    " needs ",
    " pub ",
    " return ",
    " break ",
    " continue ",
    " assert ",
    " test ",
    " const ",
    " type ",
    " capability ",
    " host ",
    " intrinsic ",
    "self",
    "Self",
    "Int",
    "String",
    "List<",
    "Option<",
    "Some(",
    "None",
    "Ok(",
    "Err(",
    "9223372036854775807",
    "-9223372036854775808",
    "0x",
    "1e999",
    "0.0",
    "\u{202e}",
    "\u{0}",
    "é",
    "_",
];

/// Changes a text in a few places: pieces put in, cut out, said twice, exchanged, or taken from another text.
fn damage(text: &mut String, others: &[String], random: &mut Random) {
    let place = |text: &str, random: &mut Random| {
        let at = random.below(text.len() + 1);
        (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
    };
    for _ in 0..1 + random.below(4) {
        let (mut from, mut to) = (place(text, random), place(text, random));
        if from > to {
            std::mem::swap(&mut from, &mut to);
        }
        // Long pieces are seldom cut, since little would be left.
        if to - from > 40 && !random.one_in(8) {
            to = (from..=from + 40).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(from);
        }
        match random.below(6) {
            0 | 1 => text.insert_str(from, random.pick::<&str>(PIECES)),
            2 => drop(text.drain(from..to)),
            3 => {
                let piece = text[from..to].to_owned();
                text.insert_str(to, &piece);
            }
            4 => text.replace_range(from..to, random.pick::<&str>(PIECES)),
            _ => {
                let other = random.pick(others);
                let (a, b) = (place(other, random), place(other, random));
                let piece = &other[a.min(b)..a.max(b)];
                let piece = piece.char_indices().nth(60).map_or(piece, |(at, _)| &piece[..at]);
                text.insert_str(from, piece);
            }
        }
    }
}

/// Texts to be damaged: all cases, the standard library, the examples.
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = case::all().into_iter().map(|case| case.text).collect();
    texts.extend(STANDARD.iter().map(|(_, text)| (*text).to_owned()));
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut files: Vec<_> = std::fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let files = files.iter().filter(|path| path.extension().is_some_and(|extension| extension == "fold"));
    texts.extend(files.map(|path| std::fs::read_to_string(path).unwrap()));
    texts
}

#[test]
fn damaged_programs_neither_crash_nor_hang_the_compiler() {
    let count = setting("MUTANTS", if cfg!(debug_assertions) { 1_000 } else { 3_000 });
    let texts: &'static [String] = Vec::leak(texts());
    let (wrong, said) = each_seed(count, move |seed| {
        let mut random = Random::new(seed);
        let mut text = random.pick(texts).clone();
        damage(&mut text, texts, &mut random);
        let begin = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let options = check::Options { needs_main: false, ..check::Options::default() };
            let Ok(checked) = driver::check("main", &mut program::modules(&text), options) else { return "refused" };
            match checked.compile(Options { tests: true, ..Options::default() }) {
                Ok(_) => "compiled",
                Err(_) => "refused late",
            }
        }));
        let took = begin.elapsed();
        if took > PATIENCE {
            return Err(format!("it took {took:?}\n{text}"));
        }
        outcome.map_err(|_| format!("a panic\n{text}"))
    });
    println!("{count} damaged programs: {said:?}");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    // Of few it is chance what becomes of them.
    let often = |word| said.get(word).copied().unwrap_or(0);
    assert!(count < 100 || often("compiled") > 0 && often("refused") > count / 2, "{said:?}");
}
