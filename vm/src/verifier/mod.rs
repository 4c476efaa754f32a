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

use decode::Decoded;
use wasmparser::{ValidatorResources, WasmFeatures};

pub(crate) use bodies::Found;
pub use error::{Place, VerifyError};
pub use limits::{LimitKind, Limits};
pub use proposals::Proposal;

use crate::module::{Bytes, DefinedFunc, FuncIndex, Module, Names};
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
    Outline::new(bytes, options, types)?.verify(options)
}

/// A module of which all but the function bodies is verified.
pub(crate) struct Outline(Decoded);

impl Outline {
    /// Decodes and verifies all but the function bodies.
    pub fn new(bytes: Bytes, options: &Options, types: &TypeRegistry) -> Result<Self, VerifyError> {
        check_header(&bytes, &options.limits)?;
        let decoded = decode::decode(&bytes, &options.limits, types).map_err(|refused| describe(refused, &bytes))?;
        Ok(Self(decoded))
    }

    /// What is known so far.
    pub fn module(&self) -> &Module {
        &self.0.module
    }

    /// Verifies the function bodies.
    pub fn verify(self, options: &Options) -> Result<Module, VerifyError> {
        let bytes = self.0.module.bytes.clone();
        let found = bodies::verify(&bytes, &self.0, options).map_err(|refused| describe(refused, &bytes))?;
        Ok(self.complete(found))
    }

    /// The module, if its function bodies were verified before.
    ///
    /// # Safety
    /// They were, in a module of the same bytes, under the same limits, and this was found.
    pub unsafe fn trust(self, found: Found) -> Module {
        self.complete(found)
    }

    /// The module, whose function bodies are verified one by one, when they are first looked at; somebody says what would be found in all of
    /// them.
    ///
    /// # Safety
    /// Nothing looks at a body that [`Bodies::check`] has not admitted.
    pub unsafe fn divide(self, options: &Options, found: Found) -> (Module, Bodies) {
        let bodies = Bodies { resources: self.0.resources.clone(), limits: options.limits.clone() };
        (self.complete(found), bodies)
    }

    fn complete(self, found: Found) -> Module {
        let mut module = self.0.module;
        Found { table_grows: module.table_grows, uses_heap: module.uses_heap, has_tail_calls: module.has_tail_calls } =
            found;
        module
    }
}

/// What it takes to verify function bodies.
pub(crate) struct Bodies {
    resources: Option<ValidatorResources>,
    limits: Limits,
}

impl Bodies {
    /// Verifies one, and what is found in it has to be among what was said of all.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn check(&self, module: &Module, func: DefinedFunc) -> Result<(), VerifyError> {
        let Some(resources) = &self.resources else { return Ok(()) };
        let found = bodies::verify_one(module, resources, &self.limits, func)
            .map_err(|refused| describe(refused, &module.bytes))?;
        let mut tables = found.table_grows.iter().zip(&module.table_grows);
        let is_said = tables.all(|(found, said)| said | !found)
            && module.uses_heap | !found.uses_heap
            && module.has_tail_calls | !found.has_tail_calls;
        let place = Place { offset: 0, function: Some(module.func_index(func).0), name: None };
        let reason = "it is another function than was said of the module".to_owned();
        if is_said { Ok(()) } else { Err(VerifyError::Invalid { place, reason }) }
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
