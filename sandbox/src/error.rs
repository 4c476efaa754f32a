//! What can go wrong while walls are put up.

use std::io;

use crate::plan::Layer;

/// A layer that could not be put up.
#[derive(Debug, thiserror::Error)]
#[error("the layer {} cannot be put up: {what}: {error}", .layer.name())]
pub struct LayerError {
    /// Which.
    pub layer: Layer,
    /// What was tried.
    pub what: &'static str,
    /// What the kernel said.
    #[source]
    pub error: io::Error,
}

/// Says of an error what was being done.
pub(crate) trait Context<T> {
    fn context(self, layer: Layer, what: &'static str) -> Result<T, LayerError>;
}

impl<T, E: Into<io::Error>> Context<T> for Result<T, E> {
    fn context(self, layer: Layer, what: &'static str) -> Result<T, LayerError> {
        self.map_err(|error| LayerError { layer, what, error: error.into() })
    }
}

/// The result of a libc call: -1 is an error.
pub(crate) fn check(result: impl Into<i64>) -> io::Result<i64> {
    match result.into() {
        -1 => Err(io::Error::last_os_error()),
        other => Ok(other),
    }
}
