//! The stack of a program that was ended, in words.

use pinfold_vm::api::{Frame, Module, Trap};
use pinfold_vm::module::{FuncIndex, SOURCES, SourceMap, SourcePlace};

/// Frames that are told.
const FRAMES: usize = 80;

/// The modules of a store, by their names.
pub type Modules<'m> = dyn Fn(Option<&str>) -> Option<&'m Module> + 'm;

/// The frames of a trap, newest first, and how many more there are: with places in sources where their modules tell them.
pub fn frames(trap: &Trap, modules: &Modules<'_>) -> (Vec<String>, usize) {
    let mut last: Option<(Option<&str>, Option<(&Module, SourceMap<'_>)>)> = None;
    let mut frames: Vec<String> = Vec::new();
    let mut before = String::new();
    for (number, frame) in trap.frames.iter().enumerate() {
        let name = frame.module.as_deref();
        if last.as_ref().is_none_or(|(other, _)| *other != name) {
            let module = modules(name);
            let map = module.and_then(|module| SourceMap::parse(module.custom_section(SOURCES)?));
            last = Some((name, module.zip(map)));
        }
        let map = last.as_ref().and_then(|(_, map)| map.as_ref());
        let places = map.map(|(module, map)| module.inner().source_places(map, FuncIndex(frame.func), frame.offset));
        let mut places = places.unwrap_or_default();
        let is_known = !places.is_empty();
        // What ends the program is called from elsewhere in the same function, of which there is a frame already.
        places.retain(|place| !place.function.is_empty());
        // What is exported only calls what is written.
        let is_export = |place: &SourcePlace| place.function == "main" || place.function.starts_with("test ");
        let inner = places.len().checked_sub(2).and_then(|at| places.get(at)).map_or(&before, |inner| &inner.function);
        if number + 1 == trap.frames.len()
            && places.last().is_some_and(|last| is_export(last) && last.function == *inner)
        {
            places.pop();
        } else if !is_known {
            frames.push(offset(frame));
        }
        frames.extend(places.iter().map(place));
        before = places.pop().map_or(before, |place| place.function);
    }
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
