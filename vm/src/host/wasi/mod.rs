//! WASI preview 1 (`wasi_snapshot_preview1`): all of its 46 functions, one file per group.
//!
//! A function here takes the host's state, the guest's memory and its arguments, and either does
//! its work or fails with an error number for the guest or an end for the run ([`Failure`]). The
//! macro [`rows`] makes a table row of it.

pub mod abi;

mod args;
mod clock;
mod directory;
mod environ;
mod fd;
pub mod path;
mod poll;
mod proc;
mod random;
mod sock;
mod stream;
#[cfg(test)]
mod tests;

pub use abi::Errno;

use super::error::HostError;
use super::memory::OutOfBounds;
use super::table::Row;

/// The rows of each group.
pub(super) const GROUPS: &[&[Row]] = &[
    args::ROWS,
    clock::ROWS,
    directory::ROWS,
    environ::ROWS,
    fd::ROWS,
    path::ROWS,
    poll::ROWS,
    proc::ROWS,
    random::ROWS,
    sock::ROWS,
];

/// First name of all imports of preview 1.
pub const MODULE: &str = "wasi_snapshot_preview1";

/// Why a function did not do its work.
#[derive(Debug)]
enum Failure {
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

impl From<rustix::io::Errno> for Failure {
    fn from(errno: rustix::io::Errno) -> Self {
        Self::Errno(errno.into())
    }
}

impl From<OutOfBounds> for Failure {
    fn from(_: OutOfBounds) -> Self {
        Self::Errno(Errno::Fault)
    }
}

impl From<HostError> for Failure {
    fn from(error: HostError) -> Self {
        Self::Host(error)
    }
}

type Answer = Result<(), Failure>;

/// What the guest gets: zero, or an error number.
fn encode(answer: Answer) -> Result<u64, HostError> {
    match answer {
        Ok(()) => Ok(0),
        Err(Failure::Errno(errno)) => Ok(errno as u64),
        Err(Failure::Host(error)) => Err(error),
    }
}

/// Makes the `ROWS` of a group. A row is written as the function's name and parameters, then what it
/// needs, which system calls it makes, and its line of documentation. Functions that never return to
/// the guest are marked `-> never`.
///
/// A parameter is `i32` or `i64` where it is a number (`u32` and `u64` on the Rust side), and
/// otherwise what it stands for ([`Meaning`](crate::host::Meaning)): `fd` a descriptor, `path` the
/// address of a text whose `len` follows, `oflags`, `rights` and `inheriting` how something is opened, `at` an
/// address, `new_fd` and `done` the addresses where the number of a new descriptor and the number of
/// bytes moved are written.
macro_rules! rows {
    ($($name:ident($($param:ident: $ty:ident),*) $(-> $never:ident)?, $capability:ident, [$($syscall:literal),*], $doc:literal;)*) => {
        /// The rows of this group.
        pub(super) const ROWS: &[$crate::host::table::Row] = &[$($crate::host::table::Row {
            module: $crate::host::wasi::MODULE,
            name: stringify!($name),
            param_names: &[$(stringify!($param)),*],
            meanings: &[$($crate::host::wasi::rows!(@meaning $ty)),*],
            params: &[$($crate::host::wasi::rows!(@type $ty)),*],
            results: $crate::host::wasi::rows!(@results $($never)?),
            capability: $crate::host::Capability::$capability,
            syscalls: &[$($syscall),*],
            doc: $doc,
            call: $crate::host::table::HostCall::Memory(|host, memory, arguments| {
                let &[$($param),*] = arguments else {
                    return Err($crate::host::HostError::WrongArguments);
                };
                $crate::host::wasi::encode($name(host, memory, $($crate::host::wasi::rows!(@cast $param $ty)),*))
            }),
        }),*];
    };
    (@type i64) => { $crate::types::ValType::I64 };
    (@type rights) => { $crate::types::ValType::I64 };
    (@type inheriting) => { $crate::types::ValType::I64 };
    (@type $i32:ident) => { $crate::types::ValType::I32 };
    (@cast $param:ident i64) => { $param };
    (@cast $param:ident rights) => { $param };
    (@cast $param:ident inheriting) => { $param };
    (@cast $param:ident $i32:ident) => { $param as u32 };
    (@meaning i32) => { $crate::host::Meaning::Number };
    (@meaning i64) => { $crate::host::Meaning::Number };
    (@meaning fd) => { $crate::host::Meaning::Descriptor };
    (@meaning path) => { $crate::host::Meaning::Path };
    (@meaning len) => { $crate::host::Meaning::Length };
    (@meaning oflags) => { $crate::host::Meaning::OpenFlags };
    (@meaning rights) => { $crate::host::Meaning::Rights };
    (@meaning inheriting) => { $crate::host::Meaning::Inheriting };
    (@meaning at) => { $crate::host::Meaning::Address };
    (@meaning new_fd) => { $crate::host::Meaning::NewDescriptor };
    (@meaning done) => { $crate::host::Meaning::Done };
    (@results) => { &[$crate::types::ValType::I32] };
    (@results never) => { &[] };
}
use rows;

/// Writes the sizes of a list of strings: how many, and bytes in all with their closing zeros.
fn write_sizes(mut memory: super::GuestMemory<'_>, strings: &[String], count_out: u32, bytes_out: u32) -> Answer {
    let bytes: usize = strings.iter().map(|s| s.len() + 1).sum();
    memory.write_u32(count_out, u32::try_from(strings.len()).map_err(|_| Errno::Overflow)?)?;
    memory.write_u32(bytes_out, u32::try_from(bytes).map_err(|_| Errno::Overflow)?)?;
    Ok(())
}

/// Writes a list of strings, each closed by a zero, and an array of their addresses.
fn write_strings(mut memory: super::GuestMemory<'_>, strings: &[String], pointers: u32, buffer: u32) -> Answer {
    let (mut pointer, mut at) = (u64::from(pointers), u64::from(buffer));
    for string in strings {
        let address = u32::try_from(at).map_err(|_| Errno::Fault)?;
        memory.write_u32(u32::try_from(pointer).map_err(|_| Errno::Fault)?, address)?;
        memory.write(address, string.as_bytes())?;
        at += string.len() as u64;
        memory.write_u8(u32::try_from(at).map_err(|_| Errno::Fault)?, 0)?;
        at += 1;
        pointer += 4;
    }
    Ok(())
}
