//! Where a guest's time goes.

use super::engine::Module;
use super::error::{Error, Result};
use super::store::Store;
use crate::module::{FuncIndex, ImportKind, Module as Decoded};
use crate::runtime::sampler::{Mark, Place, Sampler};

/// Samples of the stacks of a store's guests.
#[derive(Clone)]
pub struct Samples {
    /// The modules that places are in.
    pub modules: Vec<Module>,
    /// The places that were seen. The first is the root; each other one comes after the one that leads to it.
    pub places: Vec<SampledPlace>,
    /// Samples in the order of time: the place by its number, and for how many microseconds it counts. Those in a row that were taken at one place are
    /// one.
    pub samples: Vec<(usize, u32)>,
    /// Whether there was room for all places; where there was none, samples are counted at the place that leads there.
    pub is_complete: bool,
}

/// A place in a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampledPlace {
    /// The place that leads to it, by its number; of the root its own.
    pub parent: usize,
    /// What is there.
    pub what: Sampled,
}

/// What is at a place in a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sampled {
    /// The bottom of all stacks.
    Root,
    /// Frames that were left out, since the stack was deep.
    Deeper,
    /// A function of a guest.
    Guest {
        /// Its module, by its number in [`Samples::modules`].
        module: usize,
        /// Its index.
        func: FuncIndex,
        /// The offset in the module of the operator that ran; zero of a function of which it is not known, since it had
        /// returned to the interpreter before that looked.
        offset: u32,
    },
    /// A function of a module that has no instance in the store any more.
    Gone,
    /// A function of the host, by the names under which it was imported, if that is known.
    Host(Option<String>),
    /// The runtime itself: the collector, or an operator that does more than a few instructions do.
    Runtime,
}

impl<T> Store<T> {
    /// Takes samples of the guest's stack from its next run on: one whenever [`InterruptHandle::tick`](super::InterruptHandle::tick) is called
    /// while it runs, or another process sends `SIGPROF` to this one, whose other threads block it. There is room for 65 536 places and, where more
    /// samples come, for less of them in the same time; they take 4 MB.
    ///
    /// The handler of `SIGPROF` that this process had, if it had one, is replaced for good.
    ///
    /// # Errors
    /// If signals are [turned off](super::Config::signals).
    #[doc(hidden)]
    pub fn sample(&mut self) -> Result<()> {
        if self.inner.engine.config.no_signals {
            return Err(Error::host("samples take signals, which are turned off"));
        }
        if self.inner.sampler.is_none() {
            self.inner.sampler = Some(Sampler::new(self.inner.context()));
            self.inner.interrupt.samples();
        }
        Ok(())
    }

    /// The samples that were taken so far; none if none are.
    #[doc(hidden)]
    pub fn samples(&mut self) -> Option<Samples> {
        let mut modules: Vec<Module> = Vec::new();
        let mut sampler = self.inner.sampler.take()?;
        let (nodes, samples, is_complete) = sampler.seen();
        let mut places: Vec<SampledPlace> = Vec::with_capacity(nodes.len());
        for node in nodes {
            let parent = node.parent as usize;
            let what = match node.place.as_mark() {
                Some(Mark::Root) => Sampled::Root,
                Some(Mark::Deeper) => Sampled::Deeper,
                Some(Mark::Outside) => outside(&modules, places.get(parent)),
                None => self.guest(&mut modules, node.place),
            };
            places.push(SampledPlace { parent, what });
        }
        let samples = samples.iter().map(|sample| (sample.node as usize, sample.micros)).collect();
        self.inner.sampler = Some(sampler);
        Some(Samples { modules, places, samples, is_complete })
    }

    fn guest(&self, modules: &mut Vec<Module>, place: Place) -> Sampled {
        let is = |module: &Decoded| std::ptr::eq(module, place.module);
        let (func, offset) = (FuncIndex(place.func), place.offset);
        if let Some(module) = modules.iter().position(|module| is(&module.code.module)) {
            return Sampled::Guest { module, func, offset };
        }
        match self.inner.instances.values().find(|instance| is(&instance.code.module)) {
            Some(instance) => {
                modules.push(Module { code: instance.code.clone(), engine: self.engine.clone() });
                Sampled::Guest { module: modules.len() - 1, func, offset }
            }
            None => Sampled::Gone,
        }
    }
}

/// What a guest's function has called that is none of the guest's, as its operator says.
fn outside(modules: &[Module], caller: Option<&SampledPlace>) -> Sampled {
    let Some(Sampled::Guest { module, offset, .. }) = caller.map(|caller| &caller.what) else {
        return Sampled::Host(None);
    };
    let Some(module) = modules.get(*module).map(Module::inner) else { return Sampled::Host(None) };
    match module.bytes().get(*offset as usize..).and_then(called) {
        Some(Called::Direct(func)) if func < module.imported().functions => {
            let mut functions = module.imports().iter().filter(|import| matches!(import.kind, ImportKind::Func(_)));
            Sampled::Host(functions.nth(func as usize).map(|import| format!("{}.{}", import.module, import.name)))
        }
        Some(Called::Other) => Sampled::Host(None),
        _ => Sampled::Runtime,
    }
}

/// What an operator calls.
enum Called {
    /// The function with this index.
    Direct(u32),
    /// One that is known when it is called.
    Other,
}

/// What the operator calls that these bytes begin with, if it does.
fn called(bytes: &[u8]) -> Option<Called> {
    const DIRECT: [u8; 2] = [0x10, 0x12];
    const OTHERS: [u8; 4] = [0x11, 0x13, 0x14, 0x15];
    let (operator, rest) = bytes.split_first()?;
    if OTHERS.contains(operator) {
        return Some(Called::Other);
    }
    if !DIRECT.contains(operator) {
        return None;
    }
    let mut index = 0;
    for (byte, shift) in rest.iter().zip((0..35).step_by(7)) {
        index |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return u32::try_from(index).ok().map(Called::Direct);
        }
    }
    None
}
