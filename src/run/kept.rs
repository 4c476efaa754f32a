//! What is kept of programs from run to run, or comes with them.

use std::fs::File;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::mpsc::Receiver;
use std::thread::scope;

use pinfold::cache::{self, Cache, Entry, Hasher, Maker, Place};
use pinfold::job::{Run, TierName};
use pinfold::precompiled::{self, Precompiled, Refused};
use pinfold::supervisor::{self, Keeping, Outcome, Program};
use pinfold_sandbox::Layers;
use pinfold_vm::module::{Bytes, Piece};

use super::Args;

/// Bytes that it takes a while to hash, or to write down.
const LARGE: usize = 1 << 20;

/// What comes of a program while it is copied.
pub enum Copied {
    /// Some of it. All of them together are what it is known by.
    Piece(Piece),
    /// All of it: there is no more.
    All(Bytes),
}

/// The program that is run, and where in the user's cache it has its place.
pub struct Kept {
    finding: Finding,
    /// Where its worker and its compiler wait for what was kept.
    to: [File; 2],
    /// What was kept; not known yet of a program that takes a while to be hashed.
    found: Option<Option<Entry>>,
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
                finding.place.find(Hasher::of(bytes));
                Some(finding.find(bytes))
            }
            _ => None,
        };
        Some((Self { finding, to, found }, keeping))
    }

    /// Whether the program's compiler is wanted from the beginning, since code was kept, or the program is large: to run anything of that takes as long as
    /// to start a compiler.
    pub fn compiles(&self) -> bool {
        self.found.as_ref().is_none_or(|entry| entry.as_ref().is_some_and(Entry::has_code))
    }

    /// Sees to it that a worker which is started meanwhile is given what was kept, and keeps what it leaves. The program comes while it is copied.
    ///
    /// # Errors
    /// Those of the run.
    pub fn during<E>(self, program: Receiver<Copied>, run: impl FnOnce() -> Result<Outcome, E>) -> Result<Outcome, E> {
        let Self { finding, to, found } = self;
        let mut outcome = scope(|scope| {
            match found {
                Some(entry) if entry.as_ref().is_none_or(Entry::is_small) => give(to, entry),
                found => {
                    supervisor::block_signals();
                    let finding = &finding;
                    scope.spawn(move || match found {
                        Some(entry) => give(to, entry),
                        None => finding.follow(&program, to),
                    });
                }
            }
            run()
        })?;
        if finding.brought.get().is_some() && outcome.verdict.used().is_some_and(|used| used.adopted == Some(0)) {
            warn(&finding.run.file, &Refused::Unfit);
        }
        let Finding { cache, place, .. } = finding;
        // That it cannot be kept is a loss of time only.
        if let Some((parts, cache)) = outcome.kept.take().zip(cache)
            && let Ok(entry) = cache.begin(&place)
        {
            let bytes: u64 = parts.iter().map(|(_, _, length)| length).sum();
            let finish = move || drop(entry.finish(&cache, cache::bounded(&parts)));
            // Whoever waits for this run does not wait for what only later ones need.
            if bytes < LARGE as u64 { finish() } else { outcome.remains.later(finish) }
        }
        Ok(outcome)
    }
}

impl Finding {
    /// Whether there may be something in the cache.
    fn may_find(&self) -> bool {
        self.cache.as_ref().is_some_and(|cache| cache.may_have(&self.place))
    }

    /// Finds what was kept of a large program while that is copied, and gives it.
    fn follow(&self, program: &Receiver<Copied>, to: [File; 2]) {
        let may_find = self.may_find();
        let (mut hasher, mut waiting) = (Hasher::default(), Vec::new());
        let program = loop {
            match program.recv() {
                Ok(Copied::Piece(piece)) if may_find => hasher.add(&piece),
                Ok(Copied::Piece(piece)) => waiting.push(piece),
                Ok(Copied::All(program)) => break program,
                Err(_) => return,
            }
        };
        if may_find || Precompiled::find(&program).is_some() {
            waiting.iter().for_each(|piece| hasher.add(piece));
            self.place.find(hasher);
            return give(to, self.find(&program));
        }
        give(to, None);
        // Whatever is to be kept of it needs its hash too. The program's own threads go first.
        // SAFETY: a plain call, on this thread.
        unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 19) };
        waiting.iter().for_each(|piece| hasher.add(piece));
        self.place.find(hasher);
    }

    /// What was kept of the program, whose hash is known: later runs know more than what it brings.
    fn find(&self, program: &Bytes) -> Option<Entry> {
        let Self { cache, place, run, is_trusted, brought } = self;
        if let Some(entry) = cache.as_ref().and_then(|cache| cache.get(place)) {
            return Some(entry);
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
