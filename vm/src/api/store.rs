//! Stores, and the traits by which everything that leads to one is accepted as one.

use std::sync::Arc;
use std::time::Instant;

use super::engine::Engine;
use super::error::{Error, Result};
use crate::heap::statistics::Statistics;
use crate::runtime::host_objects::HeapStatistics;
use crate::runtime::interrupt::InterruptState;
use crate::runtime::store::{StoreInner, StoreLimits};
use crate::runtime::trap::TrapKind;

/// Everything that a group of programs shares: instances, memories, limits, and the embedder's `T`.
pub struct Store<T> {
    pub(super) inner: Box<StoreInner>,
    data: Box<T>,
    pub(super) engine: Engine,
}

impl<T> Store<T> {
    /// A store with the default limits.
    pub fn new(engine: &Engine, data: T) -> Self {
        Self::with_limits(engine, data, StoreLimits::default())
    }

    /// A store with these limits.
    pub fn with_limits(engine: &Engine, data: T, limits: StoreLimits) -> Self {
        let mut inner = StoreInner::new(engine.inner.clone(), limits);
        let mut data = Box::new(data);
        inner.data = (&raw mut *data).cast();
        Self { inner, data, engine: engine.clone() }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The embedder's data.
    pub fn data(&self) -> &T {
        &self.data
    }

    /// The embedder's data.
    pub fn data_mut(&mut self) -> &mut T {
        &mut self.data
    }

    /// Takes the embedder's data out and ends the store.
    pub fn into_data(self) -> T {
        let Self { inner, data, .. } = self;
        drop(inner);
        *data
    }

    /// Sets the fuel that programs may use from now on. At first they have more than they can use up.
    ///
    /// # Errors
    /// [`Error::FuelNotCounted`], if the engine's settings do not say that it is [to be](super::Config::consume_fuel).
    pub fn set_fuel(&mut self, fuel: u64) -> Result<()> {
        self.counts_fuel()?;
        // SAFETY: the context lives as long as the store.
        unsafe { (*self.inner.context()).fuel = i64::try_from(fuel).unwrap_or(i64::MAX) };
        Ok(())
    }

    fn counts_fuel(&self) -> Result<()> {
        if self.inner.engine.config.fuel { Ok(()) } else { Err(Error::FuelNotCounted) }
    }

    /// Fuel left. After a run that was interrupted in compiled code, which charges for stretches of code as a whole, it may differ from what
    /// the interpreter would say by what one stretch, or one bulk operation, costs.
    ///
    /// # Errors
    /// As [`Self::set_fuel`].
    pub fn get_fuel(&self) -> Result<u64> {
        self.counts_fuel()?;
        // SAFETY: the context lives as long as the store.
        Ok(unsafe { (*self.inner.context()).fuel.max(0) as u64 })
    }

    /// Ends whatever runs at this time with [`TrapKind::Timeout`]; `None` lifts the deadline.
    pub fn set_deadline(&mut self, at: Option<Instant>) {
        self.inner.interrupt.set_deadline(at);
    }

    /// A handle by which another thread can end what runs in this store.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        InterruptHandle(self.inner.interrupt.clone())
    }

    /// Collects everything in the heap that nobody can reach, guests or host, and drops host values of which that is true. There is
    /// no need to: a store does it by itself when its memory or its places for host values run short.
    pub fn gc(&mut self) {
        // SAFETY: nothing runs.
        unsafe { self.inner.collect() };
    }

    /// What the heap holds, and how often it was collected.
    pub fn heap_statistics(&self) -> HeapStatistics {
        self.inner.heap_statistics()
    }

    /// What collections of the heap did; none if nothing needed a heap. Pauses are measured where [`Checks::timed`](crate::heap::Checks::timed) says so.
    pub fn collections(&self) -> Option<&Statistics> {
        self.inner.heap.as_ref().map(|heap| heap.statistics())
    }

    /// How often the interpreter went on in compiled code in the middle of a loop.
    pub fn loops_entered(&self) -> u64 {
        self.inner.loops_entered
    }

    /// Bytes of memories, tables and the heap in use, and the most there were at one time.
    pub fn memory_used(&self) -> (u64, u64) {
        (self.inner.used, self.inner.peak)
    }
}

/// Ends what runs in a store, from any thread.
#[derive(Clone, Debug)]
pub struct InterruptHandle(Arc<InterruptState>);

impl InterruptHandle {
    /// Ends the present run, or the next one if none is going on, with [`TrapKind::Interrupted`].
    pub fn interrupt(&self) {
        self.0.request(TrapKind::Interrupted);
    }

    /// Has a sample taken of the stack of what runs now, if the store [takes samples](Store::sample).
    pub fn tick(&self) {
        self.0.tick();
    }

    /// Whether the run is to be stopped, for whatever reason.
    pub fn requested(&self) -> bool {
        self.0.requested()
    }
}

/// Whatever leads to a store that may be read.
pub trait AsContext {
    /// The embedder's data.
    type Data;

    #[doc(hidden)]
    fn inner(&self) -> &StoreInner;
}

/// Whatever leads to a store that may be changed.
pub trait AsContextMut: AsContext {
    #[doc(hidden)]
    fn inner_mut(&mut self) -> &mut StoreInner;
}

impl<T> AsContext for Store<T> {
    type Data = T;

    fn inner(&self) -> &StoreInner {
        &self.inner
    }
}

impl<T> AsContextMut for Store<T> {
    fn inner_mut(&mut self) -> &mut StoreInner {
        &mut self.inner
    }
}

impl<C: AsContext> AsContext for &C {
    type Data = C::Data;

    fn inner(&self) -> &StoreInner {
        (**self).inner()
    }
}

impl<C: AsContext> AsContext for &mut C {
    type Data = C::Data;

    fn inner(&self) -> &StoreInner {
        (**self).inner()
    }
}

impl<C: AsContextMut> AsContextMut for &mut C {
    fn inner_mut(&mut self) -> &mut StoreInner {
        (**self).inner_mut()
    }
}
