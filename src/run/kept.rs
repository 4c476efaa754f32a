//! What is kept of programs from run to run.

use pinfold::cache::{self, Cache, Maker, Place};
use pinfold::job::{Keeps, Run};
use pinfold::supervisor::{self, Keeping, Outcome};
use pinfold_sandbox::Layers;
use pinfold_vm::module::Bytes;

use super::Args;

/// Bytes of a program from which it is hashed while it runs: that takes a while.
const LARGE: usize = 1 << 20;

/// The cache, and the place in it of the program that is run.
pub struct Kept {
    cache: Option<Cache>,
    place: Option<Place>,
}

impl Kept {
    /// The user's cache, if it is to be used. Without all walls it is not: what a worker left is for workers that are held by them.
    pub fn new(args: &Args) -> Self {
        let is_used = !args.no_cache && args.layers() == Layers::all();
        // One that cannot be used is a loss of time only; `pinfold cache` says why.
        Self { cache: if is_used { Cache::of_user().ok().flatten() } else { None }, place: None }
    }

    /// What is handed to the program's worker.
    pub fn get(&mut self, program: &Bytes, run: &mut Run) -> Option<Keeping> {
        let cache = self.cache.as_ref()?;
        let maker = Maker::at(&supervisor::path_of_worker(None).ok()?).ok()?;
        let place = self.place.insert(Place::of(program, run, maker));
        let keeping = Keeping::new(cache.get(place), cache::LARGEST).ok()?;
        run.keeps = Some(Keeps { has_entry: keeping.entry.is_some(), room: cache::LARGEST });
        Some(keeping)
    }

    /// Does what takes a while, and meanwhile what is known of a large program's place.
    pub fn meanwhile<T>(&self, run: impl FnOnce() -> T) -> T {
        match &self.place {
            Some(place) if place.program().len() >= LARGE => std::thread::scope(|scope| {
                scope.spawn(|| place.hash());
                run()
            }),
            _ => run(),
        }
    }

    /// Keeps what a run left. That it cannot be kept is a loss of time only.
    pub fn put(&self, outcome: &mut Outcome) {
        if let (Some(cache), Some(place), Some((file, length))) = (&self.cache, &self.place, outcome.kept.take()) {
            let _ = cache.put(place, &file, length.min(cache::LARGEST));
        }
    }
}
