//! Where workers are left out: there are never any.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use pinfold_vm::api::Tier;

use super::error::{Error, Result, Usage};
use super::grants::{Grants, Need};
use super::vm::Limits;
use super::wire::Writer;

/// What no machine has.
#[derive(Clone)]
pub(crate) struct Workers(Never);

/// What no program is.
pub(crate) struct Sealed(Never);

#[derive(Clone)]
enum Never {}

impl Workers {
    /// Says that there are none.
    pub fn new(_: Option<PathBuf>, _: Tier, _: Option<Arc<str>>, _: usize) -> Result<Self> {
        Err(Error::Worker("workers were left out of this program (the feature `workers`)".into()))
    }

    #[cfg(feature = "compiler")]
    pub fn compile(&self, _: &crate::bundle::Bundle) -> Result<Sealed> {
        match self.0 {}
    }

    pub fn load(&self, _: Vec<u8>) -> Result<Sealed> {
        match self.0 {}
    }

    pub fn run(&self, _: &Sealed, _: &Limits, _: (&Grants, &[Need]), _: Option<OwnedFd>) -> Result<Usage> {
        match self.0 {}
    }

    pub fn call(
        &self,
        _: &Sealed,
        _: &Limits,
        _: (&Grants, &[Need]),
        _: (&str, &Writer),
        _: Option<OwnedFd>,
    ) -> Result<(Vec<u8>, Vec<u8>)> {
        match self.0 {}
    }
}

impl Sealed {
    pub fn module(&self) -> &[u8] {
        match self.0 {}
    }

    pub fn offer(&self) -> (&str, &str) {
        match self.0 {}
    }
}
