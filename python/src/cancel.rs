//! Ending programs from other threads.

use pyo3::prelude::*;

/// Ends programs from another thread: all that run with it, and those that are run with it later.
#[pyclass(frozen, module = "pinfold")]
pub struct Cancel(pub pinfold::Cancel);

#[pymethods]
impl Cancel {
    #[new]
    fn new() -> Self {
        Self(pinfold::Cancel::new())
    }

    /// Ends what runs, and what is to run with it.
    fn cancel(&self) {
        self.0.cancel();
    }

    /// Whether it was cancelled.
    #[getter]
    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}
