//! Capabilities of the host's own: interfaces in Fold, behind which are objects of Python.

use pinfold::{Failed, Shape, Type, Value};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::convert::{from_value, to_value};
use crate::error::{Raised, exception};

/// An interface for programs, written in Fold, with the records and enums that it names. Behind it are objects of Python with methods of the
/// same names.
#[pyclass(frozen, module = "pinfold")]
pub struct Capability(pub pinfold::Capability<Py<PyAny>>);

/// An object that is granted as a capability.
#[pyclass(frozen, module = "pinfold")]
pub struct Granted(pub pinfold::Granted<Py<PyAny>>);

#[pymethods]
impl Capability {
    #[new]
    fn new(py: Python<'_>, declaration: &str) -> PyResult<Self> {
        let fail = |error: pinfold::Error| exception(py, &error);
        let mut capability = pinfold::Capability::<Py<PyAny>>::declared(declaration).map_err(fail)?;
        for name in capability.functions() {
            let method = name.clone();
            let run = move |object: &Py<PyAny>, arguments: Vec<Value>, result: Type<'_>| {
                Python::attach(|py| call(py, object, &method, &arguments, result))
            };
            capability = capability.implement(&name, run).map_err(fail)?;
        }
        Ok(Self(capability))
    }

    /// An object to grant: one with methods of the names that are declared.
    fn grant(&self, object: Py<PyAny>) -> Granted {
        Granted(self.0.with(object))
    }

    /// How programs see it, as text in Fold.
    #[getter]
    fn declaration(&self) -> String {
        self.0.declaration()
    }
}

/// Calls a method. What it raises is an `Err` where the result is one with a text or `dyn Error`, and ends the program otherwise.
fn call(
    py: Python<'_>,
    object: &Py<PyAny>,
    method: &str,
    arguments: &[Value],
    result: Type<'_>,
) -> Result<Value, Failed> {
    let raised = |error: PyErr| -> Failed { Box::new(Raised(error)) };
    let called = || {
        let arguments = arguments.iter().map(|value| from_value(py, value)).collect::<PyResult<Vec<_>>>()?;
        object.bind(py).call_method1(method, PyTuple::new(py, arguments)?)
    };
    let shape = result.shape();
    let given = match (called(), &shape) {
        (Ok(given), _) => given,
        (Err(error), Shape::Result(_, bad))
            if matches!(bad.shape(), Shape::Error | Shape::String) && error.is_instance_of::<PyException>(py) =>
        {
            return Ok(Value::Result(Err(Box::new(Value::String(error.value(py).to_string())))));
        }
        (Err(error), _) => return Err(raised(error)),
    };
    match (to_value(result, &given, DEPTH), shape) {
        (Ok(value), _) => Ok(value),
        // What is neither `Ok` nor `Err` is what is in an `Ok`.
        (Err(_), Shape::Result(good, _)) => Ok(Value::Result(Ok(Box::new(to_value(good, &given, DEPTH)?)))),
        (Err(mismatch), _) => Err(mismatch.within(method).into()),
    }
}

/// How deep what a method returns may be nested.
const DEPTH: u32 = 128;
