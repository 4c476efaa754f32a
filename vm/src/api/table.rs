//! The host table in a linker: its rows, as far as they are granted, become host functions.

use super::caller::Caller;
use super::error::Result;
use super::host::HostFunc;
use super::linker::Linker;
use super::store::{AsContext, Store};
use super::val::Val;
use crate::heap::handles::HostValue;
use crate::host::fold::Objects;
use crate::host::table::{HostCall, Row, lookup, rows};
use crate::host::{Capability, DependsOn, Grants, GuestMemory, HostError, HostState, record};
use crate::runtime::context::HostContext;
use crate::runtime::instance::HostFunction;
use crate::runtime::raise_trap;
use crate::runtime::store::StoreInner;
use crate::runtime::trap::{Trap, TrapKind};
use crate::types::{FuncType, StorageType, TypeId};

/// A row bound to the place of its state in the embedder's data.
pub(crate) struct BoundRow<T> {
    row: &'static Row,
    state: fn(&mut T) -> &mut HostState,
}

/// The rows of the host table that are granted, as functions of a linker.
pub(super) struct HostTable<T> {
    allowed: Vec<Capability>,
    state: fn(&mut T) -> &mut HostState,
    make: fn(FuncType, BoundRow<T>) -> HostFunc,
}

impl<T> Clone for HostTable<T> {
    fn clone(&self) -> Self {
        Self { allowed: self.allowed.clone(), ..*self }
    }
}

impl<T> HostTable<T> {
    /// The row with a name, if it is granted.
    pub fn row(&self, module: &str, name: &str) -> Option<&'static Row> {
        lookup(module, name).filter(|row| self.allowed.contains(&row.capability))
    }

    /// The function that it is.
    pub fn func(&self, module: &str, name: &str) -> Option<HostFunc> {
        let row = self.row(module, name)?;
        Some((self.make)(row.func_type(), BoundRow { row, state: self.state }))
    }
}

impl<T: 'static> Linker<T> {
    /// Defines the rows of the host table that `grants` allow, in the place of what had their names. `state` finds what they work on
    /// in the embedder's data; [`Store::connect`] ties it to the store.
    pub fn host_table(&mut self, grants: &Grants, state: fn(&mut T) -> &mut HostState) -> &mut Self {
        self.table::<false>(grants, state)
    }

    /// The same, with each call told to whom [`HostState::record_to`] names.
    #[doc(hidden)]
    pub fn recorded_host_table(&mut self, grants: &Grants, state: fn(&mut T) -> &mut HostState) -> &mut Self {
        self.table::<true>(grants, state)
    }

    /// The same, with somebody asked before each call, who is told what its answer depends on. An error ends the run.
    #[doc(hidden)]
    pub fn watched_host_table(
        &mut self,
        grants: &Grants,
        state: fn(&mut T) -> &mut HostState,
        before: fn(&mut Caller<'_, T>, &'static Row, DependsOn) -> Result<()>,
    ) -> &mut Self {
        for row in rows().iter().filter(|row| grants.allows(row.capability)) {
            let watched = move |mut caller: Caller<'_, T>, params: &[Val], results: &mut [Val]| {
                let arguments: Vec<u64> = params.iter().map(bits).collect();
                let depends = row.depends_on(state(caller.data_mut()), &arguments);
                before(&mut caller, row, depends)?;
                let (bytes, data) = caller.memory_and_data();
                match row.call.on_memory(state(data), GuestMemory::new(bytes), &arguments) {
                    Ok(value) => results.iter_mut().for_each(|result| *result = Val::I32(value as i32)),
                    Err(error) => return Err(trap(error, &caller).into()),
                }
                Ok(())
            };
            self.define_host(row.module, row.name, HostFunc::dynamic(row.func_type(), watched));
        }
        self
    }

    fn table<const RECORDED: bool>(&mut self, grants: &Grants, state: fn(&mut T) -> &mut HostState) -> &mut Self {
        let allowed = Capability::ALL.into_iter().filter(|capability| grants.allows(*capability)).collect();
        self.define_table(HostTable { allowed, state, make: HostFunc::row::<T, RECORDED> })
    }
}

impl<T> Store<T> {
    /// Lets waiting host functions notice when the run is to be stopped.
    pub fn connect(&mut self, state: fn(&mut T) -> &mut HostState) {
        let handle = self.interrupt_handle();
        state(self.data_mut()).set_interrupt(move || handle.requested());
    }
}

/// Runs a row in the array convention.
///
/// # Safety
/// `context` was made from a `BoundRow<T>`; the buffer has the row's slots.
pub(crate) unsafe extern "sysv64" fn call<T: 'static, const RECORDED: bool>(
    context: *mut HostContext,
    buffer: *mut u64,
) -> bool {
    // SAFETY: by contract; `guarded` keeps panics from leaving.
    unsafe {
        super::host::guarded(context, || {
            let bound = &*(*context.cast::<HostFunction>()).target.cast::<BoundRow<T>>();
            let mut caller = Caller::<T>::new(context);
            let args = std::slice::from_raw_parts(buffer, bound.row.params.len());
            let result = match bound.row.call {
                HostCall::Memory(call) => {
                    let (bytes, data) = caller.memory_and_data();
                    let host = (bound.state)(data);
                    match RECORDED {
                        true => record::call(bound.row, host, bytes, args),
                        false => call(host, GuestMemory::new(bytes), args),
                    }
                }
                // What it does is recorded as the functions on memory that it calls.
                HostCall::Objects(call) => {
                    let (store, data) = caller.store_and_data();
                    call((bound.state)(data), &mut View(store), args)
                }
            };
            match result {
                Ok(value) => {
                    if !bound.row.results.is_empty() {
                        buffer.write(value);
                    }
                }
                Err(error) => raise_trap(caller.inner().context(), trap(error, &caller)),
            }
            Ok(())
        }) && (*(*context).store).has_pending == 0
    }
}

/// The heap of the running program, for functions of the host.
struct View<'a>(&'a mut StoreInner);

impl Objects for View<'_> {
    fn bytes(&self, reference: u64) -> &[u8] {
        // SAFETY: the row's type says that it is an array of bytes, and not null; while the store is borrowed nothing moves.
        unsafe {
            let len = self.0.array_len(reference as u32) as usize;
            match self.0.array_bytes(reference as u32, len as u64) {
                Some(start) => std::slice::from_raw_parts(start.as_ptr(), len),
                None => &[],
            }
        }
    }

    fn make_bytes(&mut self, bytes: &[u8]) -> Result<u64, HostError> {
        let len = u32::try_from(bytes.len()).map_err(|_| HostError::OutOfMemory)?;
        let ty = self.0.engine.types.get(TypeId::BYTES).ok_or(HostError::OutOfMemory)?;
        // SAFETY: the guest waits for its host function, and its references are where the collector looks; the array is new.
        unsafe {
            let array = self.0.make_array(&ty, StorageType::I8, len).map_err(|_| HostError::OutOfMemory)?;
            let start = self.0.array_bytes(array, u64::from(len)).ok_or(HostError::OutOfMemory)?;
            start.copy_from_nonoverlapping(std::ptr::NonNull::from(bytes).cast(), bytes.len());
            Ok(u64::from(array))
        }
    }

    fn host_value(&self, reference: u64) -> Option<HostValue> {
        self.0.heap.as_ref()?.handles().get(reference as u32).cloned()
    }

    fn make_externref(&mut self, value: HostValue) -> Result<u64, HostError> {
        // SAFETY: as in `make_bytes`.
        let reserved = unsafe { self.0.reserve_host_values(&[&value]) };
        match reserved {
            Ok(true) => self.0.host_value(&value).map(u64::from).ok_or(HostError::OutOfMemory),
            _ => Err(HostError::OutOfMemory),
        }
    }
}

/// A number in the array convention.
fn bits(value: &Val) -> u64 {
    match *value {
        Val::I32(value) => u64::from(value as u32),
        Val::I64(value) => value as u64,
        _ => 0,
    }
}

fn trap<T>(error: HostError, caller: &Caller<'_, T>) -> Trap {
    match error {
        HostError::Exit(exit_code) => Trap { exit_code, ..Trap::new(TrapKind::Exit) },
        HostError::OutputLimit => Trap::new(TrapKind::OutputLimit),
        HostError::OutOfMemory => Trap::new(TrapKind::OutOfMemory),
        HostError::Fail(_) => Trap { exit_code: 1, source: Some(Box::new(error)), ..Trap::new(TrapKind::Exit) },
        HostError::Interrupted => {
            // SAFETY: the store is running this host function.
            let kind = unsafe { (*caller.inner().context()).interrupted() };
            Trap::new(kind.unwrap_or(TrapKind::Interrupted))
        }
        other => Trap { source: Some(Box::new(other)), ..Trap::new(TrapKind::Host) },
    }
}
