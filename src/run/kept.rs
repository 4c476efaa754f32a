//! What is kept of programs from run to run.

use std::fs::File;
use std::sync::mpsc::Receiver;
use std::thread::scope;

use pinfold::cache::{self, Cache, Entry, Maker, Place};
use pinfold::job::Run;
use pinfold::supervisor::{self, Keeping, Outcome, Program};
use pinfold_sandbox::Layers;
use pinfold_vm::module::Bytes;

use super::Args;

/// Bytes of a program that takes a while to be hashed.
const LARGE: usize = 1 << 20;
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
                place.find(bytes);
                Some(cache.get(&place))
            }
            _ => None,
        };
        Some((Self { cache, place, to, found }, keeping))
    }

    /// Whether the program's compiler is wanted from the beginning, since code was kept; of a large program that is guessed. Of one that is new
    /// all processors verify first.
    pub fn compiles(&self) -> bool {
        match &self.found {
            Some(entry) => entry.as_ref().is_some_and(Entry::has_code),
            None => self.cache.may_have(&self.place),
        }
    }

    /// Sees to it that a worker which is started meanwhile is given what was kept, and keeps what it leaves. The program comes once it is whole.
    ///
    /// # Errors
    /// Those of the run.
    pub fn during<E>(self, program: Receiver<Bytes>, run: impl FnOnce() -> Result<Outcome, E>) -> Result<Outcome, E> {
        let Self { cache, place, to, found } = self;
        let mut outcome = scope(|scope| {
            match found {
                Some(entry) if entry.as_ref().is_none_or(Entry::is_small) => give(to, entry),
                found => {
                    supervisor::block_signals();
                    let (cache, place) = (&cache, &place);
                    scope.spawn(move || {
                        let Ok(program) = program.recv() else { return };
                        let find = || {
                            if !cache.may_have(place) {
                                return None;
                            }
                            place.find(&program);
                            cache.get(place)
                        };
                        give(to, found.unwrap_or_else(find));
                        // Whatever is to be kept of a large program needs its hash too. Where there was nothing like it, it was not computed
                        // yet, and the program's own threads go first.
                        // SAFETY: a plain call, on this thread.
                        unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 19) };
                        place.find(&program);
                    });
                }
            }
            run()
        })?;
        if let Some(parts) = outcome.kept.take() {
            // That it cannot be kept is a loss of time only.
            let _ = cache.put(&place, cache::bounded(&parts));
        }
        Ok(outcome)
    }
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
