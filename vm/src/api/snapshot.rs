//! Programs that are written down when they have begun, and gone on with elsewhere.

use super::caller::Caller;
use super::engine::Module;
use super::error::{Error, Result};
use super::instance::Instance;
use super::linker::Linker;
use super::store::{AsContext, AsContextMut};
use super::val::{self, Val};
use crate::interpreter::suspended::Ready;
use crate::runtime::call;
use crate::runtime::instantiate::Beginning;
use crate::runtime::snapshot::{self, SnapshotError};
use crate::types::FuncType;

/// An instance that was made from a snapshot, and the run that it was in the middle of.
///
/// ```
/// use pinfold_vm::api::{Config, Engine, Linker, Module, Resumable, Store};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::new(Config::new().snapshots(true))?;
/// let module = Module::new(&engine, wat::parse_str(r#"(module (global (export "n") (mut i32) (i32.const 7)))"#)?)?;
/// let mut store = Store::new(&engine, ());
/// let instance = Linker::new(&engine).instantiate(&mut store, &module)?;
/// let taken = Module::new(&engine, instance.snapshot(&store, &[])?)?;
/// assert!(taken.is_snapshot() && !module.is_snapshot());
///
/// let resumable: Resumable = Linker::new(&engine).restore(&mut store, &taken)?;
/// assert!(!resumable.is_running(), "it was taken between calls");
/// let global = resumable.instance.get_global(&store, "n").ok_or("there is none")?;
/// assert_eq!(global.get(&store)?.i32(), Some(7));
/// assert!(resumable.resume(&mut store)?.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Resumable {
    /// The instance.
    pub instance: Instance,
    /// Nothing if the snapshot was taken between calls.
    frames: Vec<Ready>,
    /// The type of the function that the run began with.
    ty: Option<FuncType>,
}

impl Instance {
    /// Writes down what this instance has come to, as a module that [goes on](Linker::restore) from there. The engine must be [made for
    /// it](super::Config::snapshots). `sections` are put into it as further custom sections, in the place of those that have their names.
    ///
    /// It holds memories, globals and tables, and nothing of the host. The module's start function is not run again.
    ///
    /// ```
    /// use pinfold_vm::api::{Config, Engine, Linker, Module, Store};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let text = r#"(module
    ///     (memory 1)
    ///     (func (export "prepare") (i32.store (i32.const 8) (i32.const 42)))
    ///     (func (export "answer") (result i32) (i32.load (i32.const 8))))"#;
    /// let engine = Engine::new(Config::new().snapshots(true))?;
    /// let module = Module::new(&engine, wat::parse_str(text)?)?;
    /// let mut store = Store::new(&engine, ());
    /// let instance = Linker::new(&engine).instantiate(&mut store, &module)?;
    /// instance.get_typed_func::<(), ()>(&store, "prepare")?.call(&mut store, ())?;
    /// let warm = instance.snapshot(&store, &[])?;
    ///
    /// let engine = Engine::default();
    /// let mut store = Store::new(&engine, ());
    /// let restored = Linker::new(&engine).restore(&mut store, &Module::new(&engine, warm)?)?;
    /// let answer = restored.instance.get_typed_func::<(), i32>(&store, "answer")?;
    /// assert_eq!(answer.call(&mut store, ())?, 42);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SnapshotError`] says why it cannot be written down; [`Error::Stale`] if it is gone.
    pub fn snapshot(&self, store: impl AsContext, sections: &[(&str, &[u8])]) -> Result<Vec<u8>> {
        let store = store.inner();
        // SAFETY: the store is borrowed; if something runs, then the host function that borrowed it from its caller.
        unsafe { Ok(snapshot::take(store.context(), self.inner(store)?, sections)?) }
    }
}

impl<T> Caller<'_, T> {
    /// Writes down what the importer of this function has come to, in the middle of its run: gone on with, the run makes this call again.
    /// For the rest as [`Instance::snapshot`].
    ///
    /// # Errors
    /// As there; also if there is something other than functions of that instance on the stack.
    pub fn snapshot(&self, sections: &[(&str, &[u8])]) -> Result<Vec<u8>> {
        let instance = self.instance().ok_or(SnapshotError::Imports)?;
        instance.snapshot(self, sections)
    }
}

impl<T: 'static> Linker<T> {
    /// Makes an instance of a module that is a snapshot. Imports are looked up as ever.
    ///
    /// # Errors
    /// [`SnapshotError`] if it is none, or damaged; others as [`Self::instantiate`].
    pub fn restore(&self, mut store: impl AsContextMut<Data = T>, module: &Module) -> Result<Resumable> {
        let (state, image) = snapshot::find(module.inner())?.ok_or(SnapshotError::None)?;
        let store = store.inner_mut();
        let instance = self.begin(store, module, Beginning::Snapshot(&state, image))?;
        match snapshot::frames(store, instance.inner(store)?, &state) {
            Ok(frames) => {
                let ty = state.frames.first().map(|frame| module.inner().func_type(frame.func).clone());
                Ok(Resumable { instance, frames, ty })
            }
            Err(error) => {
                store.close(instance.key());
                Err(error.into())
            }
        }
    }
}

impl Module {
    /// Whether it is a [snapshot](Instance::snapshot). One whose snapshot is damaged is one.
    pub fn is_snapshot(&self) -> bool {
        !matches!(snapshot::find(self.inner()), Ok(None))
    }
}

impl Resumable {
    /// Whether the snapshot was taken in the middle of a run.
    pub fn is_running(&self) -> bool {
        !self.frames.is_empty()
    }

    /// Goes on with the run, until it ends; its results. Nothing if the snapshot was taken between calls.
    ///
    /// # Errors
    /// As those of a call.
    pub fn resume(self, mut store: impl AsContextMut) -> Result<Vec<Val>> {
        let store = store.inner_mut();
        let context = self.instance.inner(store)?.context();
        let Some(ty) = self.ty.filter(|_| !self.frames.is_empty()) else { return Ok(Vec::new()) };
        if store.running() {
            return Err(Error::Type("a run is gone on with while another is running in its store".into()));
        }
        let mut buffer = vec![0u64; ty.buffer_slots()];
        // SAFETY: the instance is live, nothing runs; `frames` checked that the run could have come there, in code of this instance.
        let ended = unsafe { call::resume(store.context(), context, &self.frames, buffer.as_mut_ptr()) };
        // SAFETY: it wrote its results, if it came to its end.
        let results = ended.map(|()| unsafe { val::read(store, ty.results(), buffer.as_ptr()) });
        store.bury();
        Ok(results?)
    }
}
