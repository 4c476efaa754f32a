//! Stores, and the traits by which everything that leads to one is accepted as one.

use std::fmt;
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
///
/// ```
/// use pinfold_vm::api::{Config, Engine, Instance, Module, Store, StoreLimits};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::new(Config::new().consume_fuel(true))?;
/// let limits = StoreLimits { memory: 1 << 20, ..StoreLimits::default() };
/// let mut store = Store::with_limits(&engine, String::from("the host's"), limits);
/// store.set_fuel(100)?;
/// let module = Module::new(&engine, wat::parse_str(r#"(module (memory 4) (func (export "run") (drop (i32.load (i32.const 8)))))"#)?)?;
/// let run = Instance::new(&mut store, &module, &[])?.get_typed_func::<(), ()>(&store, "run")?;
/// run.call(&mut store, ())?;
/// assert!(store.get_fuel()? < 100);
/// assert_eq!(store.memory_used(), (4 * 65536, 4 * 65536));
/// store.data_mut().push_str(" data");
/// assert_eq!(store.into_data(), "the host's data");
/// # Ok(())
/// # }
/// ```
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
    #[doc(hidden)]
    pub fn collections(&self) -> Option<&Statistics> {
        self.inner.heap.as_ref().map(|heap| heap.statistics())
    }

    /// How often the interpreter went on in compiled code in the middle of a loop.
    #[doc(hidden)]
    pub fn loops_entered(&self) -> u64 {
        self.inner.loops_entered
    }

    /// Bytes of memories, tables and the heap in use, and the most there were at one time.
    pub fn memory_used(&self) -> (u64, u64) {
        (self.inner.used, self.inner.peak)
    }
}

impl<T: fmt::Debug> fmt::Debug for Store<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("data", &self.data).finish_non_exhaustive()
    }
}

/// Ends what runs in a store, from any thread.
///
/// ```
/// use pinfold_vm::api::{Engine, Error, Instance, Module, Store, TrapKind};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, wat::parse_str(r#"(module (func (export "run") (loop (br 0))))"#)?)?;
/// let mut store = Store::new(&engine, ());
/// let run = Instance::new(&mut store, &module, &[])?.get_typed_func::<(), ()>(&store, "run")?;
/// let handle = store.interrupt_handle();
/// std::thread::spawn(move || handle.interrupt());
/// let Err(Error::Trap(trap)) = run.call(&mut store, ()) else { panic!() };
/// assert_eq!(trap.kind, TrapKind::Interrupted);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct InterruptHandle(Arc<InterruptState>);

impl InterruptHandle {
    /// Ends the present run, or the next one if none is going on, with [`TrapKind::Interrupted`].
    pub fn interrupt(&self) {
        self.0.request(TrapKind::Interrupted);
    }

    /// Has a sample taken of the stack of what runs now, if the store [takes samples](Store::sample).
    #[doc(hidden)]
    pub fn tick(&self) {
        self.0.tick();
    }

    /// Whether the run is to be stopped, for whatever reason.
    #[doc(hidden)]
    pub fn requested(&self) -> bool {
        self.0.requested()
    }
}

/// Whatever leads to a store that may be read.
///
/// ```
/// use pinfold_vm::api::{AsContext, Caller, Engine, Memory, MemoryType, Result, Store};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// /// Works with a store, a reference to one, and a [`Caller`].
/// fn sum(store: impl AsContext, memory: &Memory) -> Result<u64> {
///     Ok(memory.data(&store)?.iter().map(|byte| u64::from(*byte)).sum())
/// }
/// let mut store = Store::new(&Engine::default(), ());
/// let memory = Memory::new(&mut store, MemoryType::new(1, None))?;
/// memory.write(&mut store, 0, &[40, 2])?;
/// assert_eq!(sum(&store, &memory)?, 42);
/// # Ok(())
/// # }
/// ```
pub trait AsContext {
    /// The embedder's data.
    type Data;

    #[doc(hidden)]
    fn inner(&self) -> &StoreInner;
}

/// Whatever leads to a store that may be changed.
///
/// ```
/// use pinfold_vm::api::{AsContextMut, Engine, Memory, MemoryType, Result, Store};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// /// A memory with these bytes, in whatever leads to a store.
/// fn filled(mut store: impl AsContextMut, bytes: &[u8]) -> Result<Memory> {
///     let memory = Memory::new(&mut store, MemoryType::new(1, None))?;
///     memory.write(&mut store, 0, bytes)?;
///     Ok(memory)
/// }
/// let mut store = Store::new(&Engine::default(), ());
/// assert_eq!(filled(&mut store, b"pound")?.data(&store)?[..5], *b"pound");
/// # Ok(())
/// # }
/// ```
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
