//! Machines.

use std::path::PathBuf;

use pinfold::{Isolation, Tier};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::capability::Capability;
use crate::error::exception;
use crate::program::{Program, limit};

/// A machine that compiles programs, for any thread.
#[pyclass(frozen, module = "pinfold")]
pub struct Vm(pinfold::Vm);

/// The worker that came with the package, unless the environment names another one.
fn own_worker(py: Python<'_>) -> PyResult<Option<PathBuf>> {
    if std::env::var_os("PINFOLD_WORKER").is_some() {
        return Ok(None);
    }
    let package: PathBuf = PyModule::import(py, "pinfold")?.getattr("__file__")?.extract()?;
    let worker = package.with_file_name("pinfold-worker");
    Ok(worker.exists().then_some(worker))
}

#[pymethods]
impl Vm {
    #[new]
    #[pyo3(signature = (*, isolation = "process", worker = None, spare_workers = 0, tier = "auto", capabilities = Vec::new(), **limits))]
    fn new(
        py: Python<'_>,
        isolation: &str,
        worker: Option<PathBuf>,
        spare_workers: usize,
        tier: &str,
        capabilities: Vec<Bound<'_, PyAny>>,
        limits: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let mut all = pinfold::Limits::default();
        if let Some(limits) = limits {
            limit(&mut all, limits)?;
        }
        let mut builder = pinfold::Vm::builder().fuel(all.fuel).memory(all.memory).deadline(all.deadline);
        builder = builder.stack(all.stack).output(all.output).handles(all.handles).spare_workers(spare_workers);
        builder = builder.isolation(match isolation {
            "process" => Isolation::InProcess,
            "worker" => Isolation::Worker,
            _ => return Err(PyValueError::new_err("isolation is \"process\" or \"worker\"")),
        });
        builder = builder.tier(match tier {
            "auto" => Tier::Auto,
            "interpreter" => Tier::Interpreter,
            "jit" => Tier::Jit,
            _ => return Err(PyValueError::new_err("tier is \"auto\", \"interpreter\" or \"jit\"")),
        });
        if let Some(worker) = worker.map_or_else(|| own_worker(py), |worker| Ok(Some(worker)))? {
            builder = builder.worker(worker);
        }
        for capability in capabilities {
            // Itself, or a class that was declared as one.
            let own = capability.getattr("__pinfold__").unwrap_or(capability);
            builder = builder.capability(&own.cast::<Capability>()?.get().0);
        }
        py.detach(|| builder.build()).map(Self).map_err(|error| exception(py, &error))
    }

    /// Compiles a program that is one text. `name` is what messages call it.
    fn compile(&self, py: Python<'_>, name: &str, source: &str) -> PyResult<Program> {
        py.detach(|| self.0.compile(name, source)).map(Program).map_err(|error| exception(py, &error))
    }

    /// Compiles a program of several texts by their paths; `root` is the path of the one that it begins with.
    fn compile_modules(
        &self,
        py: Python<'_>,
        root: &str,
        sources: std::collections::BTreeMap<String, String>,
    ) -> PyResult<Program> {
        let compiled = py
            .detach(|| self.0.compile_modules(root, sources.iter().map(|(path, text)| (path.as_str(), text.as_str()))));
        compiled.map(Program).map_err(|error| exception(py, &error))
    }

    /// Compiles the program in a file, with the files of its package.
    fn compile_file(&self, py: Python<'_>, path: PathBuf) -> PyResult<Program> {
        py.detach(|| self.0.compile_file(path)).map(Program).map_err(|error| exception(py, &error))
    }
}
