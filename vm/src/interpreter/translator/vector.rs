//! Vectors.

use wasmparser::Operator;

use super::Translator;
use crate::interpreter::handlers::control;

impl Translator<'_> {
    /// Translates an operator over vectors.
    pub fn vector(&mut self, _operator: &Operator<'_>) {
        self.emitter.locate(self.offset);
        self.emitter.emit("unreachable", control::unreachable, &[]);
        self.reachable = false;
    }
}
