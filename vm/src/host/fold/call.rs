//! A call of one of these functions: what it sees of the guest, and what the guest gets.

use std::any::Any;
use std::sync::Arc;

use super::handle::{Handle, Kind};
use crate::host::state::HostState;
use crate::host::wasi::{self, Errno};
use crate::host::{GuestMemory, HostError, record, table};

/// A value of the host's as guests hold it.
pub type HostValue = Arc<dyn Any + Send + Sync>;

/// What host functions see of a guest's heap. References are the bits of the guest's own.
pub trait Objects {
    /// The bytes of an array of bytes. They may move with the next call of another function.
    fn bytes(&self, reference: u64) -> &[u8];

    /// A new array of bytes.
    fn make_bytes(&mut self, bytes: &[u8]) -> Result<u64, HostError>;

    /// The host value behind an externref; none if it is null, closed, or a guest's.
    fn host_value(&self, reference: u64) -> Option<HostValue>;

    /// An externref to a host value.
    fn make_externref(&mut self, value: HostValue) -> Result<u64, HostError>;
}

/// A text or bytes of the guest's.
#[derive(Clone, Copy)]
pub(super) struct Text(pub(super) u64);

/// Why a function did not do its work.
#[derive(Debug)]
pub(super) enum Failure {
    /// The guest gets this number.
    Errno(Errno),
    /// The run ends.
    Host(HostError),
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

impl From<HostError> for Failure {
    fn from(error: HostError) -> Self {
        Self::Host(error)
    }
}

/// What one of the functions gives.
pub(super) type Answer<T> = Result<T, Failure>;

/// A running call.
pub(super) struct Call<'a> {
    pub(super) host: &'a mut HostState,
    objects: &'a mut dyn Objects,
}

impl<'a> Call<'a> {
    pub(super) fn new(host: &'a mut HostState, objects: &'a mut dyn Objects) -> Self {
        Self { host, objects }
    }

    /// What an argument refers to: a handle of this program's.
    pub(super) fn handle(&self, reference: u64) -> Answer<Arc<Handle>> {
        let value = self.objects.host_value(reference).and_then(|value| value.downcast::<Handle>().ok());
        match value {
            Some(handle) if handle.is_of(self.host) => Ok(handle),
            _ => Err(HostError::NoCapability.into()),
        }
    }

    /// The bytes of an argument.
    pub(super) fn bytes(&self, text: Text) -> &[u8] {
        self.objects.bytes(text.0)
    }

    /// An argument as text.
    pub(super) fn text(&self, text: Text) -> Answer<&str> {
        Ok(std::str::from_utf8(self.bytes(text)).map_err(|_| Errno::Ilseq)?)
    }

    /// Calls a function of WASI on bytes that stand for the guest's memory.
    pub(super) fn wasi(&mut self, name: &'static str, memory: &mut [u8], arguments: &[u64]) -> Answer<()> {
        let row = table::lookup(wasi::MODULE, name).ok_or(HostError::WrongArguments)?;
        let number = match self.host.recorder {
            Some(_) => record::call(row, self.host, memory, arguments)?,
            None => row.call.on_memory(self.host, GuestMemory::new(memory), arguments)?,
        };
        match Errno::from_number(number) {
            None => Ok(()),
            Some(errno) => Err(errno.into()),
        }
    }

    /// Closes the descriptors of handles that nobody has any more.
    pub(super) fn tidy(&mut self) -> Answer<()> {
        let unused = match self.host.fold.unused.lock() {
            Ok(mut unused) if !unused.is_empty() => std::mem::take(&mut *unused),
            _ => return Ok(()),
        };
        for fd in unused {
            self.wasi("fd_close", &mut [], &[u64::from(fd)])?;
        }
        Ok(())
    }

    /// Runs a function, and hands what it gives to the guest.
    pub(super) fn answer<T: Give>(mut self, run: impl FnOnce(&mut Self) -> Answer<T>) -> Result<u64, HostError> {
        match run(&mut self) {
            Ok(value) => value.give(&mut self),
            Err(Failure::Host(error)) => Err(error),
            Err(Failure::Errno(errno)) => {
                self.host.fold.error = errno as u16;
                T::failed(errno)
            }
        }
    }

    /// A handle for the guest.
    pub(super) fn make_handle(&self, kind: Kind) -> Handle {
        Handle::new(self.host, kind)
    }
}

/// What a function may give.
pub(super) trait Give {
    /// As the guest gets it.
    fn give(self, call: &mut Call<'_>) -> Result<u64, HostError>;

    /// What stands for failure.
    fn failed(errno: Errno) -> Result<u64, HostError>;
}

/// An error that the function's type has no room for.
fn impossible(errno: Errno) -> Result<u64, HostError> {
    Err(HostError::Failed(format!("a function that cannot fail failed with {errno:?}").into()))
}

/// Nothing but whether it was done: zero, or an error number.
pub(super) struct Done;

impl Give for Done {
    fn give(self, _: &mut Call<'_>) -> Result<u64, HostError> {
        Ok(0)
    }

    fn failed(errno: Errno) -> Result<u64, HostError> {
        Ok(errno as u64)
    }
}

/// A number from zero on, or the negative of an error number.
pub(super) struct Count(pub(super) u64);

impl Give for Count {
    fn give(self, _: &mut Call<'_>) -> Result<u64, HostError> {
        Ok(self.0.min(i64::MAX as u64))
    }

    fn failed(errno: Errno) -> Result<u64, HostError> {
        Ok((-(errno as i64)) as u64)
    }
}

/// A number that is no count.
pub(super) struct Code(pub(super) i64);

impl Give for Code {
    fn give(self, _: &mut Call<'_>) -> Result<u64, HostError> {
        Ok(self.0 as u64)
    }

    fn failed(errno: Errno) -> Result<u64, HostError> {
        impossible(errno)
    }
}

impl Give for () {
    fn give(self, _: &mut Call<'_>) -> Result<u64, HostError> {
        Ok(0)
    }

    fn failed(errno: Errno) -> Result<u64, HostError> {
        impossible(errno)
    }
}

impl Give for bool {
    fn give(self, _: &mut Call<'_>) -> Result<u64, HostError> {
        Ok(u64::from(self))
    }

    fn failed(errno: Errno) -> Result<u64, HostError> {
        impossible(errno)
    }
}

impl Give for f64 {
    fn give(self, _: &mut Call<'_>) -> Result<u64, HostError> {
        Ok(self.to_bits())
    }

    fn failed(_: Errno) -> Result<u64, HostError> {
        Ok(f64::NAN.to_bits())
    }
}

impl Give for Vec<u8> {
    fn give(self, call: &mut Call<'_>) -> Result<u64, HostError> {
        call.objects.make_bytes(&self)
    }

    fn failed(_: Errno) -> Result<u64, HostError> {
        Ok(0)
    }
}

impl Give for Option<Vec<u8>> {
    fn give(self, call: &mut Call<'_>) -> Result<u64, HostError> {
        match self {
            Some(bytes) => bytes.give(call),
            None => {
                call.host.fold.error = 0;
                Ok(0)
            }
        }
    }

    fn failed(_: Errno) -> Result<u64, HostError> {
        Ok(0)
    }
}

impl Give for Handle {
    fn give(self, call: &mut Call<'_>) -> Result<u64, HostError> {
        call.objects.make_externref(Arc::new(self))
    }

    fn failed(_: Errno) -> Result<u64, HostError> {
        Ok(0)
    }
}

/// No heap at all.
#[derive(Debug)]
pub struct Nothing;

impl Objects for Nothing {
    fn bytes(&self, _: u64) -> &[u8] {
        &[]
    }

    fn make_bytes(&mut self, _: &[u8]) -> Result<u64, HostError> {
        Err(HostError::WrongArguments)
    }

    fn host_value(&self, _: u64) -> Option<HostValue> {
        None
    }

    fn make_externref(&mut self, _: HostValue) -> Result<u64, HostError> {
        Err(HostError::WrongArguments)
    }
}
