//! The extension `pinfold._pinfold`: the crate `pinfold` for Python. What users see of it is in `pinfold/`, with its types in
//! `_pinfold.pyi`.
//!
//! Python's lock is released while a program runs, and taken again where values cross and where functions of Python are called.

mod cancel;
mod capability;
mod convert;
mod error;
mod grants;
mod interrupt;
mod program;
mod vm;

use pyo3::prelude::*;

/// Programs in Fold, run by Python.
#[pymodule]
mod _pinfold {
    #[pymodule_export]
    use crate::cancel::Cancel;
    #[pymodule_export]
    use crate::capability::{Capability, Granted};
    #[pymodule_export]
    use crate::error::Usage;
    #[pymodule_export]
    use crate::grants::{Args, Clock, Console, Dir, Env, Net, Random};
    #[pymodule_export]
    use crate::program::{Program, Session};
    #[pymodule_export]
    use crate::vm::Vm;
}
