//! Large objects: whole pages, from the end of the heap downwards; marked and swept, never moved, old from birth.
//!
//! Memory is opened and closed in chunks of 1 MiB. Pages of an open chunk that are free keep what was on
//! them.

use std::collections::BTreeMap;

use super::region::{Base, CARD_SHIFT, GRAIN, HEAP, Region};

/// Bytes of a page: objects take a multiple of it.
const PAGE: u64 = 4 << 10;
/// Bytes of a chunk.
const CHUNK: u64 = 1 << 20;
/// Bytes of heap whose cards are opened together.
pub const CARD_GROUP: u64 = (GRAIN as u64) << CARD_SHIFT;

/// A large object.
#[derive(Clone, Copy, Debug)]
pub struct Object {
    /// Its offset.
    pub start: u32,
    /// Its bytes.
    pub bytes: u64,
    /// Whether it may hold references.
    pub refs: bool,
    /// Whether it was reached by the collection under way.
    pub marked: bool,
}

impl Object {
    fn pages(&self) -> u32 {
        self.bytes.div_ceil(PAGE) as u32
    }

    fn page(&self) -> u32 {
        (u64::from(self.start) / PAGE) as u32
    }
}

/// A chunk of the heap's end.
#[derive(Clone, Copy, Debug, Default)]
struct Chunk {
    open: bool,
    used: u16,
}

/// The large objects of a heap.
#[derive(Debug)]
pub struct Large {
    base: Base,
    objects: Vec<Option<Object>>,
    vacant: Vec<u32>,
    /// For each page from the end: which object begins there, plus one.
    by_page: Vec<u32>,
    /// Free pages: number of the first, how many.
    runs: BTreeMap<u32, u32>,
    /// From the end.
    chunks: Vec<Chunk>,
    /// Groups of cards that are open, from the end.
    cards: usize,
    used: u64,
}

impl Large {
    /// No objects.
    pub fn new(base: Base) -> Self {
        Self {
            base,
            objects: Vec::new(),
            vacant: Vec::new(),
            by_page: Vec::new(),
            runs: BTreeMap::new(),
            chunks: Vec::new(),
            cards: 0,
            used: 0,
        }
    }

    /// Bytes of all objects' pages.
    pub fn used(&self) -> u64 {
        self.used
    }

    /// Lowest offset that was ever used.
    pub fn low(&self) -> u64 {
        HEAP - self.chunks.len() as u64 * CHUNK
    }

    /// All objects.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.objects.iter().flatten()
    }

    /// The object that begins at an offset.
    #[inline]
    pub fn find(&mut self, start: u32) -> Option<&mut Object> {
        if u64::from(start) % PAGE != 0 {
            return None;
        }
        let index = *self.by_page.get(from_end(start))?;
        self.objects.get_mut((index as usize).wrapping_sub(1))?.as_mut()
    }

    /// Where the object ends that begins at an offset; there, if none does.
    pub fn end_of(&mut self, start: u32) -> u64 {
        u64::from(start) + self.find(start).map_or(0, |object| object.bytes)
    }

    /// Whether all chunks of a range are open, which is not empty, and lies in the heap.
    pub fn is_open(&self, start: u32, end: u64) -> bool {
        let chunks = self.chunks.get(chunk_of((end - 1) as u32)..=chunk_of(start));
        chunks.is_some_and(|chunks| chunks.iter().all(|chunk| chunk.open))
    }

    /// Marks all cards clean.
    pub fn clean_cards(&mut self) {
        for object in self.objects().filter(|object| object.refs) {
            let cards = object.bytes.div_ceil(1 << CARD_SHIFT) as usize;
            // SAFETY: the cards of large objects are open.
            unsafe { self.base.card(object.start).write_bytes(0, cards) };
        }
    }

    /// Takes room for an object, not below the offset `floor`. Its contents are undefined.
    pub fn allocate(&mut self, region: &mut Region, bytes: u64, refs: bool, floor: u64) -> Option<u32> {
        let pages = u32::try_from(bytes.div_ceil(PAGE)).ok()?;
        let fit =
            |runs: &BTreeMap<u32, u32>| runs.iter().rev().find(|(_, len)| **len >= pages).map(|(at, len)| (*at, *len));
        let (at, len) = match fit(&self.runs) {
            Some(run) => run,
            None => {
                self.extend(pages, floor)?;
                fit(&self.runs)?
            }
        };
        let page = at + len - pages;
        let object = Object { start: (u64::from(page) * PAGE) as u32, bytes, refs, marked: false };
        if !self.open(region, &object) {
            return None;
        }
        self.runs.remove(&at);
        if len > pages {
            self.runs.insert(at, len - pages);
        }
        each_chunk(&object, |chunk, used| self.chunks[chunk].used += used);
        self.used += u64::from(pages) * PAGE;
        let index = self.vacant.pop().unwrap_or_else(|| {
            self.objects.push(None);
            self.objects.len() as u32 - 1
        });
        self.objects[index as usize] = Some(object);
        self.by_page[from_end(object.start)] = index + 1;
        Some(object.start)
    }

    /// Adds chunks below, so that there is a run of this many pages.
    fn extend(&mut self, pages: u32, floor: u64) -> Option<()> {
        let bytes = (u64::from(pages) * PAGE).next_multiple_of(CHUNK);
        let low = self.low().checked_sub(bytes)?;
        if low / CARD_GROUP * CARD_GROUP < floor.next_multiple_of(CARD_GROUP) {
            return None;
        }
        let chunks = self.chunks.len() + (bytes / CHUNK) as usize;
        self.chunks.resize(chunks, Chunk::default());
        self.by_page.resize(chunks * (CHUNK / PAGE) as usize, 0);
        self.release((low / PAGE) as u32, (bytes / PAGE) as u32);
        Some(())
    }

    /// Opens the chunks of an object, and their cards.
    fn open(&mut self, region: &mut Region, object: &Object) -> bool {
        let group = ((HEAP - u64::from(object.start)).div_ceil(CARD_GROUP)) as usize;
        while self.cards < group {
            let from = HEAP - (self.cards as u64 + 1) * CARD_GROUP;
            if !region.open(self.base.card(from as u32), GRAIN) {
                return false;
            }
            self.cards += 1;
        }
        let (mut low, mut high) = (usize::MAX, 0);
        each_chunk(object, |chunk, _| (low, high) = (low.min(chunk), high.max(chunk)));
        let mut at = low;
        while at <= high {
            let closed = self.chunks[at..=high].iter().take_while(|chunk| !chunk.open).count();
            if closed > 0 {
                let from = HEAP - (at + closed) as u64 * CHUNK;
                if !region.open(self.base.at(from as u32), closed * CHUNK as usize) {
                    return false;
                }
                self.chunks[at..at + closed].iter_mut().for_each(|chunk| chunk.open = true);
            }
            at += closed + 1;
        }
        true
    }

    /// Makes pages free, together with those beside them.
    fn release(&mut self, page: u32, pages: u32) {
        let (mut page, mut pages) = (page, pages);
        if let Some((before, len)) = self.runs.range(..page).next_back().map(|(at, len)| (*at, *len))
            && before + len == page
        {
            self.runs.remove(&before);
            (page, pages) = (before, len + pages);
        }
        if let Some(after) = self.runs.remove(&(page + pages)) {
            pages += after;
        }
        self.runs.insert(page, pages);
    }

    /// Drops the objects that are not marked, unmarks the others, and calls `dropped` for each that goes.
    pub fn sweep(&mut self, mut dropped: impl FnMut(&Object)) {
        for index in 0..self.objects.len() {
            match &mut self.objects[index] {
                Some(object) if object.marked => object.marked = false,
                Some(object) => {
                    let object = *object;
                    dropped(&object);
                    self.objects[index] = None;
                    self.vacant.push(index as u32);
                    self.by_page[from_end(object.start)] = 0;
                    each_chunk(&object, |chunk, used| self.chunks[chunk].used -= used);
                    self.used -= u64::from(object.pages()) * PAGE;
                    self.release(object.page(), object.pages());
                }
                None => {}
            }
        }
    }

    /// Closes chunks without objects, but for the first `keep` bytes of them, and leaves the lowest to the old space.
    pub fn close(&mut self, region: &mut Region, keep: u64) {
        let mut kept = 0;
        for (index, chunk) in self.chunks.iter_mut().enumerate() {
            if !chunk.open || chunk.used > 0 {
                continue;
            }
            if kept < keep {
                kept += CHUNK;
            } else {
                chunk.open = false;
                region.close(self.base.at((HEAP - (index as u64 + 1) * CHUNK) as u32), CHUNK as usize);
            }
        }
        let needed = self.chunks.iter().rposition(|chunk| chunk.open).map_or(0, |last| last + 1);
        let left = (self.chunks.len() - needed) as u32 * (CHUNK / PAGE) as u32;
        if left > 0 {
            let lowest = (self.low() / PAGE) as u32;
            // What is left is the beginning of the lowest run.
            if let Some(len) = self.runs.remove(&lowest).filter(|len| *len > left) {
                self.runs.insert(lowest + left, len - left);
            }
            self.chunks.truncate(needed);
            self.by_page.truncate(needed * (CHUNK / PAGE) as usize);
            while self.cards > (HEAP - self.low()).div_ceil(CARD_GROUP) as usize {
                region.close(self.base.card((HEAP - self.cards as u64 * CARD_GROUP) as u32), GRAIN);
                self.cards -= 1;
            }
        }
    }
}

/// Number of an offset's page, from the end.
fn from_end(offset: u32) -> usize {
    ((HEAP - 1 - u64::from(offset)) / PAGE) as usize
}

/// Number of an offset's chunk, from the end.
fn chunk_of(offset: u32) -> usize {
    ((HEAP - 1 - u64::from(offset)) / CHUNK) as usize
}

/// Calls `visit` with each chunk of an object, and how many of its pages lie there.
fn each_chunk(object: &Object, mut visit: impl FnMut(usize, u16)) {
    let end = u64::from(object.start) + u64::from(object.pages()) * PAGE;
    let mut at = u64::from(object.start);
    while at < end {
        let stop = end.min((at / CHUNK + 1) * CHUNK);
        visit(chunk_of(at as u32), ((stop - at) / PAGE) as u16);
        at = stop;
    }
}
