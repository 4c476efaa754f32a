//! How a snapshot is written as a module, and found in one.

use std::ops::Range;

use super::{Frame, Memory, Result, SECTION, SnapshotError, State};
use crate::jit::words::{CutOff, Reader, Writer};
use crate::module::{FuncIndex, Module};
use crate::runtime::space::HOST_PAGE;

/// What the section's contents begin with.
const VERSION: u32 = 1;
/// Bytes before the first section.
const PREAMBLE: usize = 8;
/// Section numbers (WebAssembly 3.0, section 5.5.2).
const CUSTOM: u8 = 0;
const DATA: u8 = 11;
const DATA_COUNT: u8 = 12;
/// Bytes that the state's section begins with: its number, its size, its name.
const HEAD: usize = 1 + 5 + 1 + SECTION.len();
/// The most bytes that the verifier admits in a module.
const LARGEST: usize = 256 << 20;

impl From<CutOff> for SnapshotError {
    fn from(_: CutOff) -> Self {
        Self::Damaged("its state is cut off".into())
    }
}

impl State {
    fn write(&self) -> Vec<u8> {
        let mut to = Writer::default();
        let wide = |value: u64| [value as u32, (value >> 32) as u32];
        let whole = |value: u128| [0, 32, 64, 96].map(|shift| (value >> shift) as u32);
        to.word(VERSION);
        to.list(self.memories.iter().map(|memory| wide(memory.pages)));
        for memory in &self.memories {
            to.list(memory.runs.iter().map(|run| {
                let ([a, b], [c, d]) = (wide(run.start), wide(run.end));
                [a, b, c, d]
            }));
        }
        to.list(self.globals.iter().map(|bits| whole(*bits)));
        to.word(self.tables.len() as u32);
        self.tables.iter().for_each(|cells| to.list(cells.iter().map(|cell| [*cell])));
        to.list(self.elements_dropped.iter().map(|is| [u32::from(*is)]));
        to.list(self.frames.iter().map(|frame| [frame.func.0, frame.offset]));
        for frame in &self.frames {
            to.list(frame.values.iter().map(|bits| whole(*bits)));
        }
        to.0
    }

    fn read(bytes: &[u8]) -> Result<Self> {
        let mut from = Reader(bytes);
        if from.word()? != VERSION {
            return Err(SnapshotError::Damaged("another version of Pinfold made it".into()));
        }
        let wide = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
        let whole = |[a, b, c, d]: [u32; 4]| u128::from(wide(a, b)) | u128::from(wide(c, d)) << 64;
        let pages: Vec<u64> = from.list()?.map(|[a, b]| wide(a, b)).collect();
        let mut memories = Vec::new();
        for pages in pages {
            let runs = from.list()?.map(|[a, b, c, d]| wide(a, b)..wide(c, d)).collect();
            memories.push(Memory { pages, runs });
        }
        let globals = from.list()?.map(whole).collect();
        let mut tables = Vec::new();
        for _ in 0..from.word()? {
            tables.push(from.list()?.map(|[cell]| cell).collect());
        }
        let elements_dropped = from.list()?.map(|[is]| is != 0).collect();
        let places: Vec<[u32; 2]> = from.list()?.collect();
        let mut frames = Vec::new();
        for [func, offset] in places {
            frames.push(Frame { func: FuncIndex(func), offset, values: from.list()?.map(whole).collect() });
        }
        Ok(Self { memories, globals, tables, elements_dropped, frames })
    }
}

/// The module that an instance with this state can be gone on from. Of data segments only those that are passive and not dropped are in
/// it; `dropped` says which were. `sections` are further custom sections, and `pages` what is in the memories.
pub fn module<'a>(
    module: &Module,
    state: &State,
    dropped: &[bool],
    sections: &[(&str, &[u8])],
    pages: impl Iterator<Item = &'a [u8]>,
) -> Result<Vec<u8>> {
    let bytes = module.bytes();
    let mut all = bytes[..PREAMBLE].to_vec();
    let has_count = raw_sections(bytes).any(|section| section.id == DATA_COUNT);
    let ours = |name: &[u8]| {
        name == SECTION.as_bytes()
            || name.starts_with(b".debug_")
            || sections.iter().any(|(of, _)| of.as_bytes() == name)
    };
    for section in raw_sections(bytes) {
        match section.id {
            DATA if has_count => data(module, dropped, &mut all),
            // Without their count, code names no segments.
            DATA => {}
            CUSTOM if custom_name(&bytes[section.contents.clone()]).is_some_and(ours) => {}
            _ => all.extend_from_slice(&bytes[section.whole]),
        }
    }
    for (name, contents) in sections {
        custom(&mut all, name, contents.len());
        all.extend_from_slice(contents);
    }
    let written = state.write();
    let image: u64 = state.memories.iter().flat_map(|memory| &memory.runs).map(|run| run.end - run.start).sum();
    let image = usize::try_from(image).ok().and_then(|pages| pages.checked_mul(HOST_PAGE));
    let image = image.filter(|image| *image < LARGEST).ok_or(SnapshotError::Size { limit: LARGEST })?;
    // What comes before the image: its place in the file is that of a page, so that it can be mapped.
    let before = HEAD + 4 + written.len();
    let padding = (all.len() + before).next_multiple_of(HOST_PAGE) - all.len() - before;
    custom(&mut all, SECTION, 4 + written.len() + padding + image);
    all.extend_from_slice(&(written.len() as u32).to_le_bytes());
    all.extend_from_slice(&written);
    all.resize(all.len() + padding, 0);
    pages.for_each(|pages| all.extend_from_slice(pages));
    if all.len() > LARGEST { Err(SnapshotError::Size { limit: LARGEST }) } else { Ok(all) }
}

/// The state in a module that is a snapshot, and where in the module the image of its memories begins.
pub fn find(module: &Module) -> Result<Option<(State, usize)>> {
    let bytes = module.bytes();
    let section = raw_sections(bytes).find(|section| {
        section.id == CUSTOM && custom_name(&bytes[section.contents.clone()]) == Some(SECTION.as_bytes())
    });
    let Some(Range { start, end }) = section.map(|section| section.contents) else { return Ok(None) };
    let start = start + 1 + SECTION.len();
    let cut = || SnapshotError::from(CutOff);
    let contents = bytes.get(start..end).ok_or_else(cut)?;
    let (length, rest) = contents.split_first_chunk().ok_or_else(cut)?;
    let state = rest.get(..u32::from_le_bytes(*length) as usize).ok_or_else(cut)?;
    let image = (start + 4 + state.len()).next_multiple_of(HOST_PAGE);
    let state = State::read(state)?;
    let pages: u64 = state
        .memories
        .iter()
        .flat_map(|memory| &memory.runs)
        .fold(0, |sum: u64, run| sum.saturating_add(run.end.saturating_sub(run.start)));
    if pages.saturating_mul(HOST_PAGE as u64) > end.saturating_sub(image) as u64 {
        return Err(SnapshotError::Damaged("what its memories held is cut off".into()));
    }
    Ok(Some((state, image)))
}

/// A section as it stands in a module.
struct Raw {
    id: u8,
    /// With its number and its size.
    whole: Range<usize>,
    contents: Range<usize>,
}

/// The sections of a module that was decoded.
fn raw_sections(bytes: &[u8]) -> impl Iterator<Item = Raw> {
    let mut at = PREAMBLE;
    std::iter::from_fn(move || {
        let id = *bytes.get(at)?;
        let (size, start) = number(bytes, at + 1)?;
        let end = start.checked_add(size).filter(|end| *end <= bytes.len())?;
        let section = Raw { id, whole: at..end, contents: start..end };
        at = end;
        Some(section)
    })
}

/// The name of a custom section.
fn custom_name(contents: &[u8]) -> Option<&[u8]> {
    let (length, start) = number(contents, 0)?;
    contents.get(start..start.checked_add(length)?)
}

/// A number in LEB128, and where it ends.
fn number(bytes: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let mut value = 0;
    for shift in (0..35).step_by(7) {
        let byte = *bytes.get(at)?;
        value |= usize::from(byte & 0x7f) << shift;
        at += 1;
        if byte & 0x80 == 0 {
            return Some((value, at));
        }
    }
    None
}

/// Writes a number in LEB128, always five bytes long.
fn put_number(to: &mut Vec<u8>, value: usize) {
    to.extend((0..5).map(|at| (value >> (7 * at)) as u8 & 0x7f | if at < 4 { 0x80 } else { 0 }));
}

/// Begins a custom section.
fn custom(to: &mut Vec<u8>, name: &str, contents: usize) {
    to.push(CUSTOM);
    put_number(to, 1 + name.len() + contents);
    to.push(name.len() as u8);
    to.extend_from_slice(name.as_bytes());
}

/// Writes the data section: as many segments as there were, all passive.
fn data(module: &Module, dropped: &[bool], to: &mut Vec<u8>) {
    let mut contents = Vec::new();
    put_number(&mut contents, module.data.len());
    for (segment, dropped) in module.data.iter().zip(dropped) {
        contents.push(1);
        let bytes = if *dropped || segment.active.is_some() { &[] } else { &module.bytes()[segment.bytes.clone()] };
        put_number(&mut contents, bytes.len());
        contents.extend_from_slice(bytes);
    }
    to.push(DATA);
    put_number(to, contents.len());
    to.extend_from_slice(&contents);
}
