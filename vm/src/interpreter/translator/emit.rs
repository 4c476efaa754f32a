//! The instructions as they are made: words, jumps to be patched, side tables.

use crate::interpreter::LoopHeader;
use crate::interpreter::dispatch::Handler;
use crate::interpreter::kept::Starts;

/// Words of a handler's address.
const HANDLER_WORDS: usize = size_of::<Handler>() / 4;
const _: () = assert!(HANDLER_WORDS == 2);

/// An instruction for the listing.
#[derive(Clone, Debug)]
pub struct Record {
    /// Index of its first word.
    pub at: u32,
    /// Its name.
    pub name: &'static str,
    /// Whether its result stays in the accumulator.
    pub to_acc: bool,
}

/// The code of a function in the making.
#[derive(Default)]
pub struct Emitter {
    /// The instructions so far.
    pub words: Vec<u32>,
    /// See [`Function::offsets`](crate::interpreter::Function).
    pub offsets: Vec<(u32, u32)>,
    /// See [`Function::loops`](crate::interpreter::Function).
    pub loops: Vec<LoopHeader>,
    /// What was made, if a listing is wanted.
    pub records: Option<Vec<Record>>,
    /// Where instructions start, if they are to be kept.
    pub starts: Option<Box<Starts>>,
}

/// A jump whose distance is not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patch {
    /// The word that holds the distance.
    pub word: u32,
    /// The word it counts from.
    pub from: u32,
}

impl Emitter {
    /// The place of the next instruction.
    pub fn here(&self) -> u32 {
        self.words.len() as u32
    }

    /// Starts an instruction; its place.
    pub fn begin(&mut self, name: &'static str, handler: Handler) -> u32 {
        let at = self.here();
        if let Some(records) = &mut self.records {
            records.push(Record { at, name, to_acc: false });
        }
        if let Some(starts) = &mut self.starts {
            starts.add(at);
        }
        let bits = handler as usize as u64;
        self.words.extend([bits as u32, (bits >> 32) as u32]);
        at
    }

    /// A whole instruction; its place.
    pub fn emit(&mut self, name: &'static str, handler: Handler, operands: &[u32]) -> u32 {
        let at = self.begin(name, handler);
        self.words.extend_from_slice(operands);
        at
    }

    /// Gives an instruction another handler, which leaves its result in the accumulator only.
    pub fn redirect_to_accumulator(&mut self, at: u32, handler: Handler) {
        self.handle_by(at, handler);
        if let Some(record) = self.record(at) {
            record.to_acc = true;
        }
    }

    /// Makes another instruction with the same operands of one.
    pub fn redirect(&mut self, at: u32, name: &'static str, handler: Handler) {
        self.handle_by(at, handler);
        if let Some(record) = self.record(at) {
            record.name = name;
        }
    }

    fn handle_by(&mut self, at: u32, handler: Handler) {
        let bits = handler as usize as u64;
        self.words[at as usize] = bits as u32;
        self.words[at as usize + 1] = (bits >> 32) as u32;
    }

    fn record(&mut self, at: u32) -> Option<&mut Record> {
        self.records.iter_mut().flatten().rev().find(|record| record.at == at)
    }

    /// Takes back all instructions from a place on.
    pub fn truncate(&mut self, at: u32) {
        self.words.truncate(at as usize);
        while self.offsets.last().is_some_and(|(place, _)| *place >= at) {
            self.offsets.pop();
        }
        if let Some(starts) = &mut self.starts {
            starts.truncate(at);
        }
        if let Some(records) = &mut self.records {
            while records.last().is_some_and(|record| record.at >= at) {
                records.pop();
            }
        }
    }

    /// Notes which operator the next instruction comes from.
    pub fn locate(&mut self, offset: u32) {
        self.offsets.push((self.here(), offset));
    }

    /// Lets a jump lead to a place.
    pub fn patch(&mut self, patch: Patch, to: u32) {
        self.words[patch.word as usize] = to.wrapping_sub(patch.from);
    }
}
