//! Errors of the library as exceptions.

use std::fmt;
use std::sync::Arc;

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{IntoPyDict, PyType};

/// What a program used.
#[pyclass(frozen, get_all, module = "pinfold")]
pub struct Usage {
    /// Units of fuel, if they are counted.
    fuel: Option<u64>,
    /// The most bytes of memory at one time.
    memory: u64,
    /// Bytes that were written.
    output: u64,
    /// How many seconds it took.
    time: f64,
}

#[pymethods]
impl Usage {
    fn __repr__(&self) -> String {
        let fuel = self.fuel.map_or_else(|| "None".to_owned(), |fuel| fuel.to_string());
        let Self { memory, output, time, .. } = self;
        format!("Usage(fuel={fuel}, memory={memory}, output={output}, time={time})")
    }
}

impl From<&pinfold::Usage> for Usage {
    fn from(usage: &pinfold::Usage) -> Self {
        let pinfold::Usage { fuel, memory, output, time, .. } = *usage;
        Self { fuel, memory, output, time: time.as_secs_f64() }
    }
}

/// An exception that a function of Python raised, on its way through a program.
#[derive(Debug)]
pub struct Raised(pub PyErr);

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Python::attach(|py| write!(f, "{}", self.0.value(py)))
    }
}

impl std::error::Error for Raised {}

/// A class of the package's own, by its name.
pub fn class<'py>(
    py: Python<'py>,
    of: &'static PyOnceLock<Py<PyType>>,
    name: &str,
) -> PyResult<&'py Bound<'py, PyType>> {
    of.import(py, "pinfold._types", name)
}

/// The exception for an error. What a function of Python raised is its cause; it is raised itself where it is to end everything, as
/// `KeyboardInterrupt` is.
pub fn exception(py: Python<'_>, error: &pinfold::Error) -> PyErr {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let cause = match error {
        pinfold::Error::Host { source, .. } => raised(source).map(|raised| raised.0.clone_ref(py)),
        _ => None,
    };
    if let Some(cause) = &cause
        && !cause.is_instance_of::<PyException>(py)
    {
        return cause.clone_ref(py);
    }
    let make = || -> PyResult<PyErr> {
        let findings = serde_json::to_string(error.findings()).unwrap_or_else(|_| "[]".into());
        let frame = |frame: &pinfold::trace::Frame| {
            let place = frame.place.as_ref().map(|place| (place.file.clone(), place.line, place.column));
            (frame.function.clone(), place)
        };
        let stack: Vec<_> = error.stack().iter().map(frame).collect();
        let details = [("code", error.code()), ("findings", &findings)].into_py_dict(py)?;
        details.set_item("stack", stack)?;
        details.set_item("usage", error.usage().map(Usage::from))?;
        let made = class(py, &CLASS, "Error")?.call((error.to_string(),), Some(&details))?;
        Ok(PyErr::from_value(made))
    };
    let made = make().unwrap_or_else(|failed| failed);
    if cause.is_some() {
        made.set_cause(py, cause);
    }
    made
}

fn raised(source: &Arc<dyn std::error::Error + Send + Sync>) -> Option<&Raised> {
    source.downcast_ref()
}
