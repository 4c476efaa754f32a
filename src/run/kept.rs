//! What is kept of programs from run to run.

use std::fs::File;
use std::sync::mpsc::Receiver;
use std::thread::scope;

use pinfold::cache::{self, Cache, Entry, Hasher, Maker, Place};
use pinfold::job::Run;
use pinfold::supervisor::{self, Keeping, Outcome, Program};
use pinfold_sandbox::Layers;
use pinfold_vm::module::Piece;

use super::Args;

/// Bytes that it takes a while to hash, or to write down.
const LARGE: usize = 1 << 20;
/// What comes of a program while it is copied.
pub enum Copied {
    /// Some of it. All of them together are what it is known by.
    Piece(Piece),
    /// There is no more of it.
    All,
}

/// The program that is run, and where in the user's cache it has its place.
pub struct Kept {
    cache: Cache,
    place: Place,
    /// Where its worker and its compiler wait for what was kept.
    to: [File; 2],
    /// What was kept; not known yet of a program that takes a while to be hashed.
    found: Option<Option<Entry>>,
}

impl Kept {
    /// Of a program that is going to be run, and what is handed to its worker; none if nothing is to be kept. Without all walls nothing is:
    /// what a worker left is for workers that are held by them.
    pub fn new(args: &Args, program: &Program, run: &mut Run) -> Option<(Self, Keeping)> {
        if args.no_cache || args.layers() != Layers::all() {
            return None;
        }
        // A cache that cannot be used is a loss of time only; `pinfold cache` says why.
        let cache = Cache::of_user().ok()??;
        let maker = Maker::at(&supervisor::path_of_worker(None).ok()?).ok()?;
        let place = Place::of(program.len(), run, maker);
        let (keeping, to) = Keeping::new(cache::LARGEST).ok()?;
        run.keeps = Some(cache::LARGEST);
        let found = match program {
            Program::Whole(bytes) if bytes.len() < LARGE => {
                place.find(Hasher::of(bytes));
                Some(cache.get(&place))
            }
            _ => None,
        };
        Some((Self { cache, place, to, found }, keeping))
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
        let Self { cache, place, to, found } = self;
        let mut outcome = scope(|scope| {
            match found {
                Some(entry) if entry.as_ref().is_none_or(Entry::is_small) => give(to, entry),
                found => {
                    supervisor::block_signals();
                    let (cache, place) = (&cache, &place);
                    scope.spawn(move || match found {
                        Some(entry) => give(to, entry),
                        None => find(cache, place, program, to),
                    });
                }
            }
            run()
        })?;
        // That it cannot be kept is a loss of time only.
        if let Some(parts) = outcome.kept.take()
            && let Ok(entry) = cache.begin(&place)
        {
            let bytes: u64 = parts.iter().map(|(_, _, length)| length).sum();
            let finish = move || {
                let parts = parts.each_ref().map(|(file, start, length)| (file, *start, (*length).min(cache::LARGEST)));
                let _ = entry.finish(&cache, parts);
            };
            // Whoever waits for this run does not wait for what only later ones need.
            if bytes < LARGE as u64 { finish() } else { outcome.remains.later(finish) }
        }
        Ok(outcome)
    }
}

/// Finds what was kept of a large program while that is copied, and gives it.
fn find(cache: &Cache, place: &Place, program: Receiver<Copied>, to: [File; 2]) {
    let may_be_there = cache.may_have(place);
    let (mut hasher, mut waiting) = (Hasher::default(), Vec::new());
    loop {
        match program.recv() {
            Ok(Copied::Piece(piece)) if may_be_there => hasher.add(&piece),
            Ok(Copied::Piece(piece)) => waiting.push(piece),
            Ok(Copied::All) => break,
            Err(_) => return,
        }
    }
    if may_be_there {
        place.find(hasher);
        return give(to, cache.get(place));
    }
    give(to, None);
    // Whatever is to be kept of it needs its hash too. The program's own threads go first.
    // SAFETY: a plain call, on this thread.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 19) };
    waiting.iter().for_each(|piece| hasher.add(piece));
    place.find(hasher);
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
