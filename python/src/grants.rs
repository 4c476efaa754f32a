//! What a program is handed.

use std::path::PathBuf;
use std::time::Duration;

use pinfold::Grant;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::capability::{Capability, Granted};
use crate::error::exception;

/// A place where a program writes texts and reads lines.
#[pyclass(frozen, module = "pinfold")]
pub struct Console(pinfold::Console);

#[pymethods]
impl Console {
    /// One that keeps what is written, for `text`. `input` is what there is to be read.
    #[staticmethod]
    #[pyo3(signature = (input = None))]
    fn capture(input: Option<Input>) -> Self {
        let console = pinfold::Console::capture();
        Self(match input {
            None => console,
            Some(Input::Text(text)) => console.with_input(text),
            Some(Input::Bytes(bytes)) => console.with_input(bytes),
        })
    }

    /// The standard streams of this process, which are not `sys.stdout` and its like.
    #[staticmethod]
    fn inherit() -> Self {
        Self(pinfold::Console::inherit())
    }

    /// What was written, where it is kept.
    #[getter]
    fn text(&self) -> String {
        self.0.text()
    }

    /// What was written where errors go.
    #[getter]
    fn errors(&self) -> String {
        self.0.errors()
    }
}

/// What can be read from a console.
#[derive(FromPyObject)]
enum Input {
    Text(String),
    Bytes(Vec<u8>),
}

/// A directory of the host, and what is below it: to read, and to change if it is `writable`.
#[pyclass(frozen, module = "pinfold")]
pub struct Dir(pinfold::Dir);

#[pymethods]
impl Dir {
    #[new]
    #[pyo3(signature = (path, *, writable = false))]
    fn new(py: Python<'_>, path: PathBuf, writable: bool) -> PyResult<Self> {
        let dir = pinfold::Dir::open(path).map_err(|error| exception(py, &error))?;
        Ok(Self(if writable { dir.writable() } else { dir }))
    }
}

/// Connections to named origins, which are opened when the program begins.
#[pyclass(frozen, module = "pinfold")]
pub struct Net(pinfold::Net);

#[pymethods]
impl Net {
    /// Connections to `HOST:PORT`. A name has to lead to a public address.
    #[staticmethod]
    #[pyo3(signature = (origin, *others))]
    fn connect(py: Python<'_>, origin: &str, others: Vec<String>) -> PyResult<Self> {
        let all = others.iter().try_fold(pinfold::Net::connect(origin), |net, other| {
            Ok::<_, pinfold::Error>(Ok(net?.and_connect(other)?))
        });
        all.and_then(|net| net).map(Self).map_err(|error| exception(py, &error))
    }

    /// To be a server at `ADDRESS:PORT` of this host.
    #[staticmethod]
    fn listen(py: Python<'_>, address: &str) -> PyResult<Self> {
        pinfold::Net::listen(address).map(Self).map_err(|error| exception(py, &error))
    }
}

/// The time, in multiples of `resolution` seconds: a millisecond, if it is not said.
#[pyclass(frozen, module = "pinfold")]
pub struct Clock(pinfold::Clock);

#[pymethods]
impl Clock {
    #[new]
    #[pyo3(signature = (resolution = None))]
    fn new(resolution: Option<f64>) -> PyResult<Self> {
        let clock = pinfold::Clock::system();
        Ok(Self(match resolution.map(seconds).transpose()? {
            Some(resolution) => clock.with_resolution(resolution),
            None => clock,
        }))
    }
}

/// A time from seconds.
///
/// # Errors
/// If there is no such time.
pub fn seconds(seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| PyValueError::new_err(format!("{seconds} is no number of seconds")))
}

/// Random numbers.
#[pyclass(frozen, module = "pinfold")]
pub struct Random(pinfold::Random);

#[pymethods]
impl Random {
    #[new]
    fn new() -> Self {
        Self(pinfold::Random::system())
    }
}

/// Environment variables, which need not be those of this process.
#[pyclass(frozen, module = "pinfold")]
pub struct Env(pinfold::Env);

#[pymethods]
impl Env {
    #[new]
    fn new(variables: std::collections::BTreeMap<String, String>) -> Self {
        Self(pinfold::Env::new(variables))
    }
}

/// What a program is called with on a command line, without its name.
#[pyclass(frozen, module = "pinfold")]
pub struct Args(pinfold::Args);

#[pymethods]
impl Args {
    #[new]
    fn new(args: Vec<String>) -> Self {
        Self(pinfold::Args::new(args))
    }
}

/// What is granted, by names; an object whose class is a capability is granted as that.
pub fn grants(named: Option<&Bound<'_, PyDict>>) -> PyResult<pinfold::Grants> {
    let mut grants = pinfold::Grants::none();
    for (name, object) in named.into_iter().flatten() {
        grants.insert(&name.extract::<String>()?, grant(&object)?);
    }
    Ok(grants)
}

fn grant(object: &Bound<'_, PyAny>) -> PyResult<Grant> {
    macro_rules! known {
        ($($class:ident)*) => {$(
            if let Ok(known) = object.cast::<$class>() {
                return Ok(known.get().0.clone().into());
            }
        )*};
    }
    known! { Console Dir Net Clock Random Env Args Granted }
    let class = object.get_type();
    let Ok(capability) = class.getattr("__pinfold__") else {
        let name = class.qualname()?;
        return Err(PyTypeError::new_err(format!("{name} is nothing that can be granted")));
    };
    Ok(capability.cast::<Capability>()?.get().0.with(object.clone().unbind()).into())
}
