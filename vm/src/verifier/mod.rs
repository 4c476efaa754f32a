//! To be filled.
use crate::module::Module;
use crate::types::{FuncType, TypeId};
/// What the verifier admits.
#[derive(Clone, Debug, Default)]
pub struct Options {}
/// Why a module was refused.
#[derive(Debug, thiserror::Error)]
#[error("not yet")]
pub struct VerifyError {}
/// Verifies a module.
pub fn verify(
    _bytes: std::sync::Arc<[u8]>,
    _options: &Options,
    _types: &mut dyn FnMut(&FuncType) -> TypeId,
) -> Result<Module, VerifyError> {
    Err(VerifyError {})
}
