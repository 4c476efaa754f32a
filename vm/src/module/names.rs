//! Names of functions, for messages: from the name section, or else from exports and imports.

use std::collections::HashMap;

use super::FuncIndex;

/// Names that a module carries. They are the guest's words: whoever prints them escapes them.
#[derive(Clone, Debug, Default)]
pub struct Names {
    pub(crate) module: Option<String>,
    pub(crate) functions: HashMap<u32, String>,
}

impl Names {
    /// The module's own name.
    pub fn module(&self) -> Option<&str> {
        self.module.as_deref()
    }

    /// A function's name.
    pub fn function(&self, func: FuncIndex) -> Option<&str> {
        self.functions.get(&func.0).map(String::as_str)
    }
}
