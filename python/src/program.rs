//! Compiled programs, and sessions of them.

use std::sync::Mutex;

use pinfold::Value;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::cancel::Cancel;
use crate::convert::{Objects, from_value};
use crate::error::{Usage, exception};
use crate::grants::{grants, seconds};
use crate::interrupt::watched;

/// A compiled program, for any thread.
#[pyclass(frozen, module = "pinfold")]
pub struct Program(pub pinfold::Program);

/// A program with what it was granted, for one call after the other.
#[pyclass(frozen, module = "pinfold")]
pub struct Session(Mutex<pinfold::Session>);

fn objects(arguments: &Bound<'_, PyTuple>) -> Objects {
    Objects(arguments.iter().map(Bound::unbind).collect())
}

fn used(py: Python<'_>, used: pinfold::Result<pinfold::Usage>) -> PyResult<Usage> {
    used.map(|used| Usage::from(&used)).map_err(|error| exception(py, &error))
}

fn given<'py>(py: Python<'py>, given: pinfold::Result<Value>) -> PyResult<Bound<'py, PyAny>> {
    from_value(py, &given.map_err(|error| exception(py, &error))?)
}

#[pymethods]
impl Program {
    /// What its `main` or its `needs` is handed: names and kinds of capabilities, in order.
    fn needs(&self) -> Vec<(String, String)> {
        self.0.needs().iter().map(|need| (need.name.clone(), need.kind.clone())).collect()
    }

    /// The functions that can be called, as they are declared.
    fn functions(&self) -> Vec<String> {
        self.0.functions()
    }

    /// Runs it from its beginning to its end: `main`, or the script's statements.
    #[pyo3(signature = (**named))]
    fn run(&self, py: Python<'_>, named: Option<&Bound<'_, PyDict>>) -> PyResult<Usage> {
        let grants = grants(named)?;
        used(py, watched(py, |cancel| self.0.with_cancel(cancel).run(grants))?)
    }

    /// Calls a public function. Nothing is granted: for functions that take capabilities, see `session`.
    #[pyo3(signature = (function, /, *arguments))]
    fn call<'py>(
        &self,
        py: Python<'py>,
        function: &str,
        arguments: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let objects = objects(arguments);
        given(py, watched(py, |cancel| self.0.with_cancel(cancel).call(function, objects))?)
    }

    /// The program with what it is granted, for several calls.
    #[pyo3(signature = (**named))]
    fn session(&self, py: Python<'_>, named: Option<&Bound<'_, PyDict>>) -> PyResult<Session> {
        let grants = grants(named)?;
        let session = py.detach(|| self.0.session(grants)).map_err(|error| exception(py, &error))?;
        Ok(Session(Mutex::new(session)))
    }

    /// The same program with other limits: those that are named.
    #[pyo3(signature = (**named))]
    fn with_limits(&self, named: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let mut wrong = Ok(());
        let limited = self.0.with_limits(|limits| wrong = named.map_or(Ok(()), |named| limit(limits, named)));
        wrong.map(|()| Self(limited))
    }

    /// The same program, which ends when this is cancelled, too.
    fn with_cancel(&self, cancel: &Cancel) -> Self {
        Self(self.0.with_cancel(&cancel.0))
    }

    fn __repr__(&self) -> String {
        format!("{:?}", self.0)
    }
}

/// Changes the limits that are named.
pub fn limit(limits: &mut pinfold::Limits, named: &Bound<'_, PyDict>) -> PyResult<()> {
    for (name, value) in named {
        match name.extract::<String>()?.as_str() {
            "fuel" => limits.fuel = value.extract()?,
            "memory" => limits.memory = value.extract()?,
            "deadline" => limits.deadline = value.extract::<Option<f64>>()?.map(seconds).transpose()?,
            "stack" => limits.stack = value.extract()?,
            "output" => limits.output = value.extract()?,
            "handles" => limits.handles = value.extract()?,
            other => return Err(pyo3::exceptions::PyTypeError::new_err(format!("{other} is no limit"))),
        }
    }
    Ok(())
}

impl Session {
    /// Does something with the session, unless that is in use: by another thread, or further up on this one.
    fn with<R: Send>(&self, py: Python<'_>, act: impl FnOnce(&mut pinfold::Session) -> R + Send) -> PyResult<R> {
        let Ok(mut session) = self.0.try_lock() else {
            return Err(PyRuntimeError::new_err("the session is in use"));
        };
        let session = &mut *session;
        watched(py, |cancel| session.with_cancel(cancel, act))
    }
}

#[pymethods]
impl Session {
    /// Calls a public function; what it takes of capabilities is found among what was granted by its parameters' names.
    #[pyo3(signature = (function, /, *arguments))]
    fn call<'py>(
        &self,
        py: Python<'py>,
        function: &str,
        arguments: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let objects = objects(arguments);
        given(py, self.with(py, |session| session.call(function, objects))?)
    }

    /// Runs `main`, or the script's statements.
    fn run(&self, py: Python<'_>) -> PyResult<Usage> {
        used(py, self.with(py, pinfold::Session::run)?)
    }
}
