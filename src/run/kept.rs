//! What is kept of programs from run to run, or comes with them.

use std::fs::File;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::mpsc::Receiver;
use std::thread::scope;

use pinfold::cache::{self, Cache, Entry, Maker, Place};
use pinfold::job::{Run, TierName};
use pinfold::precompiled::{self, Precompiled, Refused};
use pinfold::supervisor::{self, Keeping, Outcome, Program};
use pinfold_sandbox::Layers;
use pinfold_vm::module::Bytes;

use super::Args;

/// Bytes of a program that takes a while to be hashed.
const LARGE: usize = 1 << 20;

/// The program that is run, and where in the user's cache it has its place.
pub struct Kept {
    finding: Finding,
    /// Where its worker and its compiler wait for what was kept.
    to: [File; 2],
    /// What was kept; not known yet of a program that takes a while to be hashed.
    found: Option<Option<Entry>>,
    /// Whether a program that takes a while seems to bring code.
    is_likely: bool,
}

/// What it takes to find what was kept of a program.
struct Finding {
    cache: Option<Cache>,
    place: Place,
    run: Run,
    /// Whether code is taken that the program brings, whoever made it.
    is_trusted: bool,
    /// Whether its worker was given such code, and wants it.
    brought: OnceLock<()>,
}

impl Kept {
    /// Of a program that is going to be run, and what is handed to its worker; none if nothing is to be kept. Without all walls nothing is:
    /// what a worker left is for workers that are held by them.
    pub fn new(args: &Args, program: &Program, run: &mut Run) -> Option<(Self, Keeping)> {
        if (args.no_cache && !args.precompiled) || args.layers() != Layers::all() {
            return None;
        }
        // A cache that cannot be used is a loss of time only; `pinfold cache` says why.
        let cache = if args.no_cache { None } else { Cache::of_user().ok().flatten() };
        let is_likely = match program {
            Program::Whole(bytes) => Precompiled::find(bytes).is_some(),
            Program::Filling(_) => {
                File::open(&args.file).and_then(|file| precompiled::is_likely(&file)).unwrap_or(false)
            }
        };
        if args.precompiled && !is_likely {
            warn(&args.file, &"it brings none; `pinfold compile -o` writes it");
        }
        if cache.is_none() && !args.precompiled {
            if is_likely {
                warn(&args.file, &Refused::NoCache);
            }
            return None;
        }
        let maker = Maker::at(&supervisor::path_of_worker(None).ok()?).ok()?;
        let place = Place::of(program.len(), run, maker);
        let (keeping, to) = Keeping::new(cache::LARGEST).ok()?;
        run.keeps = Some(cache::LARGEST);
        let finding =
            Finding { cache, place, run: run.clone(), is_trusted: args.precompiled, brought: OnceLock::new() };
        let found = match program {
            Program::Whole(bytes) if bytes.len() < LARGE => {
                finding.place.find(bytes);
                Some(finding.find(bytes))
            }
            _ => None,
        };
        Some((Self { finding, to, found, is_likely }, keeping))
    }

    /// Whether the program's compiler is wanted from the beginning, since code was kept; of a large program that is guessed. Of one that is new
    /// all processors verify first.
    pub fn compiles(&self) -> bool {
        match &self.found {
            Some(entry) => entry.as_ref().is_some_and(Entry::has_code),
            None => self.is_likely || self.finding.may_find(),
        }
    }

    /// Sees to it that a worker which is started meanwhile is given what was kept, and keeps what it leaves. The program comes once it is whole.
    ///
    /// # Errors
    /// Those of the run.
    pub fn during<E>(self, program: Receiver<Bytes>, run: impl FnOnce() -> Result<Outcome, E>) -> Result<Outcome, E> {
        let Self { finding, to, found, .. } = self;
        let mut outcome = scope(|scope| {
            match found {
                Some(entry) if entry.as_ref().is_none_or(Entry::is_small) => give(to, entry),
                found => {
                    supervisor::block_signals();
                    let finding = &finding;
                    scope.spawn(move || {
                        let Ok(program) = program.recv() else { return };
                        give(to, found.unwrap_or_else(|| finding.find(&program)));
                        // Whatever is to be kept of a large program needs its hash too. Where there was nothing like it, it was not computed
                        // yet, and the program's own threads go first.
                        // SAFETY: a plain call, on this thread.
                        unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 19) };
                        finding.place.find(&program);
                    });
                }
            }
            run()
        })?;
        if finding.brought.get().is_some() && outcome.verdict.used().is_some_and(|used| used.adopted == Some(0)) {
            warn(&finding.run.file, &Refused::Unfit);
        }
        if let (Some(parts), Some(cache)) = (outcome.kept.take(), &finding.cache) {
            // That it cannot be kept is a loss of time only.
            let _ = cache.put(&finding.place, cache::bounded(&parts));
        }
        Ok(outcome)
    }
}

impl Finding {
    /// Whether there may be something in the cache.
    fn may_find(&self) -> bool {
        self.cache.as_ref().is_some_and(|cache| cache.may_have(&self.place))
    }

    /// What was kept of the program: later runs know more than what it brings.
    fn find(&self, program: &Bytes) -> Option<Entry> {
        let Self { cache, place, run, is_trusted, brought } = self;
        if self.may_find() {
            place.find(program);
            if let Some(entry) = cache.as_ref().and_then(|cache| cache.get(place)) {
                return Some(entry);
            }
        }
        match Precompiled::find(program)?.entry(program, run, cache.as_ref(), place, *is_trusted) {
            Ok(entry) => {
                if entry.has_code() && run.tier != TierName::Interpreter {
                    brought.get_or_init(|| ());
                }
                Some(entry)
            }
            Err(why) => {
                warn(&run.file, &why);
                None
            }
        }
    }
}

/// Says why code is not used that a program brings, or should have brought.
fn warn(file: &Path, why: &dyn std::fmt::Display) {
    eprintln!("pinfold: warning: {} runs without the code that came with it: {why}", file.display());
}

/// Gives a worker and its compiler what was kept, each as soon as it reads. One that does not read it does without.
fn give(to: [File; 2], entry: Option<Entry>) {
    let Some(entry) = entry else { return };
    let write = |part: usize, to: File| drop(entry.write(part, &to));
    let [to_worker, to_compiler] = to;
    if entry.is_small() {
        write(0, to_worker);
        return write(1, to_compiler);
    }
    scope(|scope| {
        scope.spawn(|| write(1, to_compiler));
        write(0, to_worker);
    });
}
