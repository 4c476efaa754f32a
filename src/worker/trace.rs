//! The stack of a program that was ended, in words.

use pinfold_vm::api::{Frame, Module, Trap};
use pinfold_vm::module::{FuncIndex, SOURCES, SourceMap, SourcePlace};

/// Frames that are told.
const FRAMES: usize = 80;

/// The frames of a trap, newest first, and how many more there are: with places in sources where the module tells them.
pub fn frames(trap: &Trap, module: &Module) -> (Vec<String>, usize) {
    let map = module.custom_section(SOURCES).and_then(SourceMap::parse);
    let words = |frame: &Frame| {
        let places = map.as_ref().map(|map| module.inner().source_places(map, FuncIndex(frame.func), frame.offset));
        match places.filter(|places| !places.is_empty()) {
            Some(places) => places.iter().map(place).collect(),
            None => vec![offset(frame)],
        }
    };
    let mut frames: Vec<String> = trap.frames.iter().flat_map(words).collect();
    let more = frames.len().saturating_sub(FRAMES);
    frames.truncate(FRAMES);
    (frames, more + trap.omitted)
}

fn place(place: &SourcePlace) -> String {
    let SourcePlace { function, file, line, column } = place;
    format!("{function}  {file}:{line}:{column}")
}

fn offset(frame: &Frame) -> String {
    match &frame.name {
        Some(name) => format!("{name} at {:#x}", frame.offset),
        None => format!("function {} at {:#x}", frame.func, frame.offset),
    }
}
