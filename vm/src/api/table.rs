//! The host table in a linker: its rows, as far as they are granted, become host functions.

use super::caller::Caller;
use super::host::HostFunc;
use super::linker::Linker;
use super::store::{AsContext, Store};
use crate::host::table::{Row, rows};
use crate::host::{Grants, GuestMemory, HostError, HostState, record};
use crate::runtime::context::HostContext;
use crate::runtime::instance::HostFunction;
use crate::runtime::raise_trap;
use crate::runtime::trap::{Trap, TrapKind};

/// A row bound to the place of its state in the embedder's data.
pub(crate) struct BoundRow<T> {
    row: &'static Row,
    state: fn(&mut T) -> &mut HostState,
}

impl<T: 'static> Linker<T> {
    /// Defines the rows of the host table that `grants` allow. `state` finds what they work on
    /// in the embedder's data; [`Store::connect`] ties it to the store.
    pub fn host_table(&mut self, grants: &Grants, state: fn(&mut T) -> &mut HostState) -> &mut Self {
        self.table::<false>(grants, state)
    }

    /// The same, with each call told to whom [`HostState::record_to`] names.
    pub fn recorded_host_table(&mut self, grants: &Grants, state: fn(&mut T) -> &mut HostState) -> &mut Self {
        self.table::<true>(grants, state)
    }

    fn table<const RECORDED: bool>(&mut self, grants: &Grants, state: fn(&mut T) -> &mut HostState) -> &mut Self {
        for row in rows().iter().filter(|row| grants.allows(row.capability)) {
            let func = HostFunc::row::<T, RECORDED>(row.func_type(), BoundRow { row, state });
            self.define_host(row.module, row.name, func);
        }
        self
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
            let (bytes, data) = caller.memory_and_data();
            let args = std::slice::from_raw_parts(buffer, bound.row.params.len());
            let host = (bound.state)(data);
            let result = match RECORDED {
                true => record::call(bound.row, host, bytes, args),
                false => (bound.row.call)(host, GuestMemory::new(bytes), args),
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

fn trap<T>(error: HostError, caller: &Caller<'_, T>) -> Trap {
    match error {
        HostError::Exit(exit_code) => Trap { exit_code, ..Trap::new(TrapKind::Exit) },
        HostError::OutputLimit => Trap::new(TrapKind::OutputLimit),
        HostError::Interrupted => {
            // SAFETY: the store is running this host function.
            let kind = unsafe { (*caller.inner().context()).interrupted() };
            Trap::new(kind.unwrap_or(TrapKind::Interrupted))
        }
        other => Trap { source: Some(Box::new(other)), ..Trap::new(TrapKind::Host) },
    }
}
