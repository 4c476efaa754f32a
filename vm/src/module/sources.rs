//! Where code comes from: the custom section `fold.sources`, which Fold's compiler writes.
//!
//! All numbers are unsigned LEB128, texts are their length and UTF-8.
//!
//! ```text
//! version        1
//! files          count, then each: its name
//! functions      count, then each: its name
//! positions      count, then each: file, line, column (both from 1), function, caller (0, or one more than an earlier position)
//! code           count of functions, then each: count of entries, then each: bytes since the entry before, position
//! ```
//!
//! A function without a name is no frame: it stands for code that was moved out of the function whose frame comes before it.
//!
//! It is the guest's own word: it decides nothing, and what is malformed in it is ignored. It is read when somebody asks.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::{DefinedFunc, FuncIndex, Module};

/// The section's name.
pub const SOURCES: &str = "fold.sources";

/// How many calls that were put into one function are told of a place.
const INLINED: usize = 64;

/// A place in a source. The guest's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcePlace {
    /// The function that was written there.
    pub function: String,
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in characters.
    pub column: u32,
}

/// A source map.
#[derive(Clone, Debug)]
pub struct SourceMap<'a> {
    files: Vec<&'a str>,
    functions: Vec<&'a str>,
    positions: Vec<Position>,
    /// The entries of each function, of which the rest is not looked at before it is needed.
    code: &'a [u8],
    /// Where those of each function begin in there, once that was asked for.
    starts: OnceCell<Vec<u32>>,
}

#[derive(Clone, Copy, Debug)]
struct Position {
    file: u32,
    line: u32,
    column: u32,
    function: u32,
    caller: u32,
}

impl<'a> SourceMap<'a> {
    /// The map in a section's bytes; none if it is malformed or of another version.
    pub fn parse(section: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(section);
        if reader.number()? != 1 {
            return None;
        }
        let files = reader.list(Reader::text)?;
        let functions = reader.list(Reader::text)?;
        let positions = reader.list(|reader| {
            let [file, line, column, function, caller] =
                [reader.number()?, reader.number()?, reader.number()?, reader.number()?, reader.number()?];
            Some(Position { file, line, column, function, caller })
        })?;
        Some(Self { files, functions, positions, code: reader.0, starts: OnceCell::new() })
    }

    /// For each function in each file the first place that is known of it, in no order.
    pub fn beginnings(&self) -> Vec<SourcePlace> {
        let mut first: HashMap<(u32, u32), &Position> = HashMap::new();
        for position in &self.positions {
            let found = first.entry((position.file, position.function)).or_insert(position);
            if (position.line, position.column) < (found.line, found.column) {
                *found = position;
            }
        }
        first.into_values().filter_map(|position| self.place(position)).collect()
    }

    /// Where the first code of a function comes from that comes from anywhere: as [`Self::places`].
    pub fn first_places(&self, func: DefinedFunc) -> Vec<SourcePlace> {
        let first = || {
            let mut reader = self.entries(func)?;
            if reader.number()? == 0 {
                return None;
            }
            reader.number()
        };
        first().map_or(Vec::new(), |offset| self.places(func, offset))
    }

    /// What there is of a function: how many entries, and those.
    fn entries(&self, func: DefinedFunc) -> Option<Reader<'a>> {
        let starts = self.starts.get_or_init(|| {
            let mut starts = Vec::new();
            let mut reader = Reader(self.code);
            let mut find = || {
                for _ in 0..reader.number()? {
                    starts.push((self.code.len() - reader.0.len()) as u32);
                    for _ in 0..reader.number()? {
                        reader.number()?;
                        reader.number()?;
                    }
                }
                Some(())
            };
            // What comes before the place where it is malformed is there.
            find();
            starts
        });
        self.code.get(*starts.get(func.index())? as usize..).map(Reader)
    }

    /// Where the code comes from that is so many bytes behind the beginning of a function's body: the innermost function first, then those
    /// that it was put into.
    pub fn places(&self, func: DefinedFunc, offset: u32) -> Vec<SourcePlace> {
        let mut next = self.position(func, offset);
        let mut places = Vec::new();
        while let Some(number) = next.filter(|_| places.len() < INLINED) {
            let Some(position) = self.positions.get(number as usize) else { break };
            let Some(place) = self.place(position) else { break };
            places.push(place);
            // Earlier ones only, so that this ends.
            next = position.caller.checked_sub(1).filter(|caller| *caller < number);
        }
        places
    }

    fn place(&self, position: &Position) -> Option<SourcePlace> {
        let function = *self.functions.get(position.function as usize)?;
        let file = *self.files.get(position.file as usize)?;
        Some(SourcePlace { function: function.into(), file: file.into(), line: position.line, column: position.column })
    }

    /// The position of the last entry that is not behind an offset.
    fn position(&self, func: DefinedFunc, offset: u32) -> Option<u32> {
        let mut reader = self.entries(func)?;
        let (mut at, mut found) = (0_u32, None);
        for _ in 0..reader.number()? {
            at = at.checked_add(reader.number()?)?;
            let position = reader.number()?;
            if at > offset {
                break;
            }
            found = Some(position);
        }
        found
    }
}

impl Module {
    /// Where the code of a function comes from, at an offset in the module; nothing if the module does not tell.
    pub fn source_places(&self, map: &SourceMap<'_>, func: FuncIndex, offset: u32) -> Vec<SourcePlace> {
        let Some(defined) = self.defined(func) else { return Vec::new() };
        let Some(body) = self.bodies.get(defined.index()) else { return Vec::new() };
        let inside = (offset as usize).checked_sub(body.bytes.start).and_then(|inside| u32::try_from(inside).ok());
        inside.map(|inside| map.places(defined, inside)).unwrap_or_default()
    }
}

/// What is left of a section.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn number(&mut self) -> Option<u32> {
        let mut value = 0;
        for shift in (0..35).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return u32::try_from(value).ok();
            }
        }
        None
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.number()?;
        let (text, rest) = self.0.split_at_checked(length as usize)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }

    fn list<T>(&mut self, mut element: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        // Room is made as they come: the count may be any number.
        (0..self.number()?).map(|_| element(self)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two files, two functions; `inner` is put into `outer` at offsets 3 to 6.
    const SECTION: &[u8] = b"\x01\x02\x01a\x01b\x02\x05outer\x05inner\x03\
        \x00\x01\x02\x00\x00\
        \x01\x81\x01\x05\x01\x01\
        \x00\x09\x09\x00\x00\
        \x02\x00\x03\x02\x00\x01\x01\x04\x02";

    fn places(offset: u32) -> Vec<String> {
        let map = SourceMap::parse(SECTION).unwrap();
        let text = |place: &SourcePlace| format!("{} {}:{}:{}", place.function, place.file, place.line, place.column);
        map.places(DefinedFunc(1), offset).iter().map(text).collect()
    }

    #[test]
    fn code_has_the_place_of_the_last_entry_before_it_and_of_its_callers() {
        assert_eq!(places(1), Vec::<String>::new());
        assert_eq!(places(2), ["outer a:1:2"]);
        assert_eq!(places(3), ["inner b:129:5", "outer a:1:2"]);
        assert_eq!(places(6), ["inner b:129:5", "outer a:1:2"]);
        assert_eq!(places(7), ["outer a:9:9"]);
        assert_eq!(places(u32::MAX), ["outer a:9:9"]);
        let map = SourceMap::parse(SECTION).unwrap();
        assert!(map.places(DefinedFunc(0), 5).is_empty() && map.places(DefinedFunc(2), 5).is_empty());
        assert_eq!(
            (map.first_places(DefinedFunc(1)), map.first_places(DefinedFunc(0))),
            (map.places(DefinedFunc(1), 2), vec![])
        );
        let mut beginnings: Vec<_> = map.beginnings().into_iter().map(|place| (place.function, place.line)).collect();
        beginnings.sort();
        assert_eq!(beginnings, [("inner".to_owned(), 129), ("outer".to_owned(), 1)]);
    }

    #[test]
    fn whatever_the_section_holds_it_is_read_without_harm() {
        for end in 0..SECTION.len() {
            if let Some(map) = SourceMap::parse(&SECTION[..end]) {
                (0..8).for_each(|offset| drop(map.places(DefinedFunc(1), offset)));
            }
            for byte in [0, 1, 0x7f, 0x80, 0xff] {
                let mut changed = SECTION.to_vec();
                changed[end] = byte;
                if let Some(map) = SourceMap::parse(&changed) {
                    (0..8).for_each(|offset| assert!(map.places(DefinedFunc(1), offset).len() <= INLINED));
                }
            }
        }
        assert!(SourceMap::parse(b"\x01\xff\xff\xff\xff\x0f").is_none());
        assert!(SourceMap::parse(b"\x02").is_none());
    }
}
