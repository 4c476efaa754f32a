//! The section with the names of functions.

use wasm_encoder::{NameMap, NameSection};

use super::Numbers;
use crate::ir::reach::Reached;
use crate::ir::{Code, FuncId, Module};

/// The names of all functions, those of the host first.
pub(crate) fn section(module: &Module, reached: &Reached, defined: &[FuncId], numbers: &Numbers) -> NameSection {
    let mut names = NameMap::new();
    let imports = reached.functions.iter().filter(|id| matches!(module.functions[id.index()].code, Code::Import(_)));
    for id in imports.chain(defined) {
        let name = &module.names[module.functions[id.index()].name as usize];
        names.append(numbers.function(*id), name);
    }
    let mut section = NameSection::new();
    if let Some(shared) = &module.shared {
        section.module(&shared.name);
    }
    section.functions(&names);
    section
}
