//! Fold's host functions (`fold`): what capabilities and intrinsics of Fold's standard library call.
//!
//! Texts and bytes are arrays of `i8` in the guest's heap, capabilities are host values behind an `externref`. A guest can make
//! externrefs of its own (`extern.convert_any`) and keep them as long as it likes, so every call checks that a handle is
//! the host's, of this program, of the right kind, and not closed ([`Handle`]); anything else ends the run.
//!
//! Whatever reaches files, connections, clocks and random bytes does so by calling functions of [WASI](super::wasi) on the same
//! descriptors: there is one place where paths are resolved and rights are checked, the system calls are the same, and records
//! of calls show what was done.
//!
//! A call that fails gives null or a negative number, and leaves the error number for `error`.

mod bytes;
mod call;
mod console;
mod dir;
mod file;
mod handle;
mod needs;
mod net;
mod number;
mod process;
mod system;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex};

pub use call::{HostValue, Nothing, Objects};
pub use needs::{Missing, NEEDS, Need};

use super::table::Row;
use call::{Call, Code, Count, Done, Failure, Text};

/// First name of all imports.
pub const MODULE: &str = "fold";

/// The rows of each group.
pub(super) const GROUPS: &[&[Row]] =
    &[bytes::ROWS, console::ROWS, dir::ROWS, file::ROWS, net::ROWS, number::ROWS, process::ROWS, system::ROWS];

/// What these functions keep for a program.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The error number of the last call that failed.
    error: u16,
    /// Written to standard output, and not yet passed on.
    output: Vec<u8>,
    /// Read from standard input, and not yet asked for.
    input: Vec<u8>,
    /// Descriptors of handles that nobody has any more.
    unused: Arc<Mutex<Vec<u32>>>,
}

/// Makes the `ROWS` of a group. A row is written as the function's name and parameters with what they are, what it gives, what it needs,
/// and its line of documentation.
///
/// Parameters: `handle` an externref, `text` an array of bytes, `int`, `float`. Results: those, `flag` (`i32`), each with `?` where
/// null stands for failure.
macro_rules! rows {
    ($($name:ident($($param:ident: $ty:ident),*) $(-> $result:ident $(($opt:ident))?)?, $capability:ident, $doc:literal;)*) => {
        /// The rows of this group.
        pub(super) const ROWS: &[$crate::host::table::Row] = &[$($crate::host::table::Row {
            module: $crate::host::fold::MODULE,
            name: stringify!($name),
            param_names: &[$(stringify!($param)),*],
            meanings: &[$($crate::host::fold::rows!(@meaning $ty)),*],
            params: &[$($crate::host::fold::rows!(@type $ty)),*],
            results: &[$($crate::host::fold::rows!(@result $result $($opt)?))?],
            capability: $crate::host::Capability::$capability,
            syscalls: &[],
            doc: $doc,
            call: $crate::host::table::HostCall::Objects(|host, objects, arguments| {
                let &[$($param),*] = arguments else {
                    return Err($crate::host::HostError::WrongArguments);
                };
                $crate::host::fold::Call::new(host, objects).answer(|call| {
                    $(let $param = $crate::host::fold::rows!(@cast call $param $ty);)*
                    $name(call, $($param),*)
                })
            }),
        }),*];
    };
    (@type handle) => { $crate::types::ValType::EXTERN };
    (@type text) => { $crate::types::ValType::BYTES };
    (@type int) => { $crate::types::ValType::I64 };
    (@type float) => { $crate::types::ValType::F64 };
    (@result text optional) => { $crate::types::ValType::NULLABLE_BYTES };
    (@result handle optional) => { $crate::types::ValType::EXTERNREF };
    (@result flag) => { $crate::types::ValType::I32 };
    (@result $ty:ident) => { $crate::host::fold::rows!(@type $ty) };
    (@cast $call:ident $param:ident handle) => { $call.handle($param)? };
    (@cast $call:ident $param:ident text) => { $crate::host::fold::Text($param) };
    (@cast $call:ident $param:ident int) => { $param as i64 };
    (@cast $call:ident $param:ident float) => { f64::from_bits($param) };
    (@meaning $ty:ident) => { $crate::host::Meaning::Number };
}
use rows;
