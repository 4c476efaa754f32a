//! From bytes that nobody vouches for to a [`Module`] that both tiers may rely on.
//!
//! ```text
//! bytes ─► header ─► sections, one after the other ──────────► function bodies ─► Module
//!          (mod)     limits, then wasmparser, then decoding    on all cores
//!                    (decode)                                  (bodies)
//! ```
//!
//! The rules of WebAssembly itself are checked by `wasmparser`, with exactly the features in
//! [`FEATURES`]; on top come Pinfold's size [`Limits`]. A section's counts are compared with the
//! limits before anything in it is read. Each body is walked once, here; tiers translate
//! from the same bytes later, function by function.
//!
//! Promise: no input makes this module panic, and time and memory are bounded by the size of
//! the input times a constant.

mod bodies;
mod decode;
mod error;
mod limits;
mod proposals;
#[cfg(test)]
mod tests;
mod type_group;

use wasmparser::WasmFeatures;

pub(crate) use bodies::Found;
pub use error::{Place, VerifyError};
pub use limits::{LimitKind, Limits};
pub use proposals::Proposal;

use crate::module::{Bytes, FuncIndex, Module, Names};
use crate::runtime::types::TypeRegistry;

/// What Pinfold runs: WebAssembly 3.0.
pub const FEATURES: WasmFeatures = WasmFeatures::WASM2
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::EXCEPTIONS)
    .union(WasmFeatures::RELAXED_SIMD)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::MULTI_MEMORY)
    .union(WasmFeatures::MEMORY64)
    .union(WasmFeatures::FUNCTION_REFERENCES)
    .union(WasmFeatures::GC);

/// How to verify.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How large a module may be.
    pub limits: Limits,
    /// Threads that may work on one module, the calling one among them; 0 stands for as many as
    /// there are cores.
    pub threads: usize,
}

/// Decodes and verifies a module, whose types get their numbers from `types`.
///
/// # Errors
/// The first reason found to refuse the module; of several faulty functions, the one that comes
/// first.
pub fn verify(bytes: Bytes, options: &Options, types: &TypeRegistry) -> Result<Module, VerifyError> {
    check_header(&bytes, &options.limits)?;
    match verify_module(&bytes, options, types) {
        Ok(module) => Ok(module),
        Err(refused) => Err(describe(refused, &bytes)),
    }
}

fn check_header(bytes: &[u8], limits: &Limits) -> Result<(), VerifyError> {
    limits.check(LimitKind::ModuleBytes, bytes.len() as u64, || Place::at(0))?;
    match *bytes {
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => Ok(()),
        [0, b'a', b's', b'm', _, _, 1, 0, ..] => Err(VerifyError::Component),
        [0, b'a', b's', b'm', low, high, ..] => Err(VerifyError::Version { version: u16::from_le_bytes([low, high]) }),
        _ => Err(VerifyError::NotWasm { start: bytes.iter().copied().take(4).collect() }),
    }
}

/// A refusal before it is put into words.
enum Refused {
    /// By one of Pinfold's own checks.
    Own(VerifyError),
    /// By `wasmparser`, in a function if it is known which.
    Rules(wasmparser::Error, Option<u32>),
}

impl From<VerifyError> for Refused {
    fn from(error: VerifyError) -> Self {
        Self::Own(error)
    }
}

impl From<wasmparser::Error> for Refused {
    fn from(error: wasmparser::Error) -> Self {
        Self::Rules(error, None)
    }
}

fn verify_module(bytes: &Bytes, options: &Options, types: &TypeRegistry) -> Result<Module, Refused> {
    let decoded = decode::decode(bytes, &options.limits, types)?;
    let found = bodies::verify(bytes, &decoded, options)?;
    Ok(complete(decoded.module, found))
}

fn complete(mut module: Module, found: Found) -> Module {
    Found { table_grows: module.table_grows, uses_heap: module.uses_heap, has_tail_calls: module.has_tail_calls } =
        found;
    module
}

/// Decodes a module whose function bodies were verified before, and what was found out then.
///
/// # Errors
/// The first reason found to refuse it outside of function bodies.
///
/// # Safety
/// [`verify`] admitted the same bytes, under the same limits, and found this.
pub(crate) unsafe fn decode_verified(
    bytes: Bytes,
    options: &Options,
    types: &TypeRegistry,
    found: Found,
) -> Result<Module, VerifyError> {
    check_header(&bytes, &options.limits)?;
    match decode::decode(&bytes, &options.limits, types) {
        Ok(decoded) => Ok(complete(decoded.module, found)),
        Err(refused) => Err(describe(refused, &bytes)),
    }
}

/// Names the proposal that is missing, if that is why, and the function.
fn describe(refused: Refused, bytes: &Bytes) -> VerifyError {
    let mut error = match refused {
        Refused::Own(error) => error,
        Refused::Rules(error, function) => {
            let place = Place { offset: error.offset(), function, name: None };
            let reason = error.message().to_owned();
            match proposals::needed(bytes) {
                proposals if proposals.is_empty() => VerifyError::Invalid { place, reason },
                proposals => VerifyError::Proposal { proposals, place, reason },
            }
        }
    };
    if let Some(place) = error.place_mut()
        && let Some(function) = place.function
    {
        place.name = Names::of(bytes.clone()).function(FuncIndex(function)).map(str::to_owned);
    }
    error
}
