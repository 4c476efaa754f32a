//! The source map: custom section `fold.sources`.
//!
//! All numbers are unsigned LEB128, texts are their length and UTF-8.
//!
//! ```text
//! version        1
//! files          count, then each: its name
//! functions      count, then each: its name, as it is written in traces
//! positions      count, then each: file, line, column (both from 1), function, caller
//! code           count of functions in the code section, then each: count of entries, then each entry:
//!                bytes since the entry before (at first, since the beginning of the function's body, where its locals are declared),
//!                position
//! ```
//!
//! An entry says where the code comes from that begins there and goes on to the next entry. A position's function is the one that was
//! written there; its caller is 0, or, where that function was put into another one, one more than the position of the call,
//! which is always less than the number of the position itself. A function without a name is no frame: the
//! code that ends a program is called from where it was written, and has the frame itself.

use rustc_hash::FxHashMap;

use crate::ir::{At, Module};
use crate::source::{FileId, Sources};

/// A map in the making.
#[derive(Debug, Default)]
pub(crate) struct Map {
    /// Positions by the module's places.
    positions: FxHashMap<u32, u32>,
    order: Vec<u32>,
    code: Vec<u8>,
    functions: u32,
}

impl Map {
    /// Adds a function's entries: offsets with places.
    pub fn function(&mut self, module: &Module, entries: &[(u32, At)]) {
        self.functions += 1;
        number(&mut self.code, entries.len() as u32);
        let mut before = 0;
        for &(offset, at) in entries {
            number(&mut self.code, offset - before);
            before = offset;
            let position = self.position(module, at.0);
            number(&mut self.code, position);
        }
    }

    /// The number of a place, and of those that it was called from.
    fn position(&mut self, module: &Module, place: u32) -> u32 {
        let mut chain = Vec::new();
        let mut next = Some(place);
        while let Some(each) = next.filter(|each| !self.positions.contains_key(each)) {
            chain.push(each);
            next = module.places[each as usize].caller;
        }
        for each in chain.into_iter().rev() {
            self.positions.insert(each, self.order.len() as u32);
            self.order.push(each);
        }
        self.positions[&place]
    }

    /// The section's content.
    pub fn finish(self, module: &Module, sources: &Sources) -> Vec<u8> {
        let mut files: Vec<FileId> = Vec::new();
        let mut file_numbers = FxHashMap::default();
        let mut functions: Vec<u32> = Vec::new();
        let mut function_numbers = FxHashMap::default();
        let mut positions = Vec::new();
        for &place in &self.order {
            let place = &module.places[place as usize];
            let file = *file_numbers.entry(place.span.file).or_insert_with(|| {
                files.push(place.span.file);
                files.len() as u32 - 1
            });
            let function = *function_numbers.entry(place.function).or_insert_with(|| {
                functions.push(place.function);
                functions.len() as u32 - 1
            });
            let known = (place.span.file.0 as usize) < sources.iter().count();
            let (line, column) = if known { sources.get(place.span.file).position(place.span.start) } else { (0, 0) };
            number(&mut positions, file);
            number(&mut positions, line as u32 + 1);
            number(&mut positions, column as u32 + 1);
            number(&mut positions, function);
            number(&mut positions, place.caller.map_or(0, |caller| self.positions[&caller] + 1));
        }
        let mut output = Vec::new();
        number(&mut output, 1);
        number(&mut output, files.len() as u32);
        for file in files {
            let known = (file.0 as usize) < sources.iter().count();
            text(&mut output, if known { &sources.get(file).name } else { "" });
        }
        number(&mut output, functions.len() as u32);
        for function in functions {
            text(&mut output, &module.names[function as usize]);
        }
        number(&mut output, self.order.len() as u32);
        output.extend(positions);
        number(&mut output, self.functions);
        output.extend(self.code);
        output
    }
}

fn number(output: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        output.push(value as u8 | 0x80);
        value >>= 7;
    }
    output.push(value as u8);
}

fn text(output: &mut Vec<u8>, text: &str) {
    number(output, text.len() as u32);
    output.extend(text.as_bytes());
}
