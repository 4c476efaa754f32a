//! Translations that are kept for the next process that runs the same executable on the same module.
//!
//! Instructions hold the addresses of their handlers. Written down, those are distances, since the executable may stand elsewhere the next time;
//! a bit for each word says which they are. Everything else in a translation is the same in each process.

use std::ops::Range;
use std::sync::Arc;

use super::maps::Maps;
use super::regions::Regions;
use super::{Function, LoopHeader, translate};
use crate::jit::words::{CutOff, Reader, Writer};
use crate::module::FuncIndex;

/// Where handlers are counted from.
fn anchor() -> u64 {
    translate as *const () as u64
}

/// Which words of a function are the first of an instruction: a bit each.
#[derive(Clone, Debug, Default)]
pub struct Starts(Vec<u32>);

impl Starts {
    /// An instruction starts at a word.
    pub fn add(&mut self, word: u32) {
        let at = word as usize / 32;
        if self.0.len() <= at {
            self.0.resize(at + 1, 0);
        }
        self.0[at] |= 1 << (word % 32);
    }

    /// None starts there or behind it.
    pub fn truncate(&mut self, word: u32) {
        self.0.truncate(word as usize / 32 + 1);
        if let Some(last) = self.0.get_mut(word as usize / 32) {
            *last &= (1 << (word % 32)) - 1;
        }
    }

    fn words(&self) -> impl Iterator<Item = usize> {
        let bits = |(at, mut bits): (usize, u32)| {
            std::iter::from_fn(move || {
                let bit = bits.trailing_zeros() as usize;
                bits &= bits.checked_sub(1)?;
                Some(at * 32 + bit)
            })
        };
        self.0.iter().copied().enumerate().flat_map(bits)
    }
}

/// Translations that were kept of a module: each is made when it is wanted.
#[derive(Debug, Default)]
pub struct Translations {
    /// They are somewhere in this.
    bytes: Arc<Vec<u8>>,
    /// Functions, and where each stands. Ascending.
    index: Vec<(u32, usize)>,
}

impl Translations {
    /// Finds what [`write`] wrote of functions in their order, in a part of some bytes.
    ///
    /// # Errors
    /// If it is cut off.
    pub fn open(bytes: Arc<Vec<u8>>, part: Range<usize>) -> Result<Self, CutOff> {
        let mut index = Vec::new();
        let mut rest = Reader(bytes.get(part.clone()).ok_or(CutOff)?);
        while !rest.0.is_empty() {
            let func = rest.word()?;
            index.push((func, part.end - rest.0.len()));
            rest.bytes()?;
        }
        if index.is_sorted_by_key(|(func, _)| *func) { Ok(Self { bytes, index }) } else { Err(CutOff) }
    }

    /// The translation of a function, if it was kept.
    ///
    /// # Safety
    /// It was kept of this module and this executable, under the same settings.
    pub unsafe fn get(&self, func: FuncIndex) -> Option<Function> {
        let at = self.index.binary_search_by_key(&func.0, |(func, _)| *func).ok()?;
        let mut from = Reader(self.bytes.get(self.index[at].1..)?);
        read(&mut Reader(from.bytes().ok()?), func).ok()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }
}

/// About how many bytes [`write`] takes.
pub fn size(function: &Function) -> usize {
    function.code.len() * 4 + function.code.len() / 8 + function.offsets.len() * 8 + function.loops.len() * 12 + 64
}

/// Writes a translation down that was made to be kept. Those with handlers of exceptions are not.
pub fn write(function: &Function, to: &mut Writer) {
    let Some(starts) = function.starts.as_ref().filter(|_| function.regions.is_empty()) else { return };
    to.word(function.index.0);
    to.block(|body| {
        body.word(function.frame_slots);
        body.word(function.header);
        let first = body.0.len() + size_of::<u32>();
        body.words(&function.code);
        let code = body.0[first..].as_chunks_mut::<4>().0;
        for at in starts.words() {
            if let Some([low, high]) = code.get_mut(at..at + 2).and_then(|words| words.as_mut_array()) {
                let address = u64::from(u32::from_le_bytes(*low)) | u64::from(u32::from_le_bytes(*high)) << 32;
                let distance = address.wrapping_sub(anchor());
                (*low, *high) = ((distance as u32).to_le_bytes(), ((distance >> 32) as u32).to_le_bytes());
            }
        }
        body.words(&starts.0);
        body.list(function.offsets.iter().map(|(at, offset)| [*at, *offset]));
        body.list(function.loops.iter().map(|of| [of.offset, of.operands, of.slot]));
        let Maps { locals, points, nodes } = &function.maps;
        body.words(locals);
        for list in [points, nodes] {
            body.list(list.iter().map(|(a, b)| [*a, *b]));
        }
    });
}

fn read(from: &mut Reader<'_>, index: FuncIndex) -> Result<Function, CutOff> {
    let [frame_slots, header] = [from.word()?, from.word()?];
    let mut code: Box<[u32]> = from.list()?.map(|[word]| word).collect();
    let starts = Starts(from.list()?.map(|[bits]| bits).collect());
    for at in starts.words() {
        if at + 1 >= code.len() {
            return Err(CutOff);
        }
        shift(&mut code, at, anchor());
    }
    let pairs = |from: &mut Reader<'_>| from.list().map(|list| list.map(|[a, b]| (a, b)).collect::<Vec<_>>());
    let offsets = pairs(from)?.into_boxed_slice();
    let loops = from.list()?.map(|[offset, operands, slot]| LoopHeader { offset, operands, slot }).collect();
    let locals = from.list()?.map(|[slot]| slot).collect();
    let maps = Maps { locals, points: pairs(from)?, nodes: pairs(from)? };
    Ok(Function {
        entry: code.as_ptr(),
        frame_slots,
        header,
        frame_bytes: frame_slots as usize * 8,
        index,
        code,
        offsets,
        loops,
        regions: Regions::default(),
        maps,
        steps: None,
        starts: Some(Box::new(starts)),
    })
}

/// Adds to the address that two words are.
fn shift(code: &mut [u32], at: usize, by: u64) {
    let address = (u64::from(code[at]) | u64::from(code[at + 1]) << 32).wrapping_add(by);
    (code[at], code[at + 1]) = (address as u32, (address >> 32) as u32);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_are_found_again_and_taken_back() {
        let mut starts = Starts::default();
        [0, 5, 31, 32, 64, 100].into_iter().for_each(|word| starts.add(word));
        assert_eq!(starts.words().collect::<Vec<_>>(), [0, 5, 31, 32, 64, 100]);
        for (at, left) in [(101, 6), (100, 5), (65, 5), (64, 4), (33, 4), (32, 3), (6, 2), (0, 0)] {
            starts.truncate(at);
            assert_eq!(starts.words().count(), left, "{at}");
        }
    }
}
