//! Code and what explains it as words of four bytes, the least significant first: to be kept, or to cross between processes.

use super::batch::{CallSite, Entry, Handler, Parts, StackMap, Tables};
use crate::module::FuncIndex;

/// It ends too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it was cut off")]
pub struct CutOff;

type Result<T> = std::result::Result<T, CutOff>;

/// Stands for nothing where a number may stand.
const NONE: u32 = u32::MAX;

/// Writes words.
#[derive(Default)]
pub struct Writer(pub Vec<u8>);

impl Writer {
    /// A number.
    pub fn word(&mut self, word: u32) {
        self.0.extend_from_slice(&word.to_le_bytes());
    }

    /// Bytes, after their number.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u32);
        self.0.extend_from_slice(bytes);
    }

    /// What something writes, after its number of bytes.
    pub fn block(&mut self, write: impl FnOnce(&mut Self)) {
        let at = self.0.len();
        self.word(0);
        write(self);
        let len = (self.0.len() - at - 4) as u32;
        self.0[at..at + 4].copy_from_slice(&len.to_le_bytes());
    }

    /// A list of single words, quicker than others.
    pub fn words(&mut self, words: &[u32]) {
        self.word(words.len() as u32);
        const { assert!(cfg!(target_endian = "little")) };
        // SAFETY: the bytes of numbers.
        self.0.extend_from_slice(unsafe { std::slice::from_raw_parts(words.as_ptr().cast(), size_of_val(words)) });
    }

    /// A list, after its length.
    pub fn list<const N: usize>(&mut self, list: impl ExactSizeIterator<Item = [u32; N]>) {
        self.word(list.len() as u32);
        let at = self.0.len();
        self.0.resize(at + 4 * N * list.len(), 0);
        let to = self.0[at..].as_chunks_mut::<4>().0;
        to.iter_mut().zip(list.flatten()).for_each(|(to, word)| *to = word.to_le_bytes());
    }

    /// Code, and what explains it.
    pub fn parts(&mut self, parts: &Parts) {
        self.bytes(&parts.code);
        self.tables(&parts.tables);
    }

    /// What explains code.
    pub fn tables(&mut self, tables: &Tables) {
        let Tables { entries, traps, locations, sites, handlers, maps, references } = tables;
        self.list(entries.iter().map(|of| [of.start, of.end, of.func.map_or(NONE, |func| func.0)]));
        self.list(traps.iter().map(|(at, kind)| [*at, *kind]));
        self.list(locations.iter().map(|(at, byte)| [*at, *byte]));
        self.list(sites.iter().map(|of| [of.returns, of.frame, of.context, of.handlers.0, of.handlers.1]));
        self.list(handlers.iter().map(|of| [of.tag.unwrap_or(NONE), of.address]));
        self.list(maps.iter().map(|of| [of.returns, of.frame, of.references.0, of.references.1]));
        self.list(references.iter().map(|at| [*at]));
    }
}

/// Reads what a [`Writer`] wrote.
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(CutOff)?;
        self.0 = rest;
        Ok(taken)
    }

    /// A number.
    pub fn word(&mut self) -> Result<u32> {
        let (word, rest) = self.0.split_first_chunk().ok_or(CutOff)?;
        self.0 = rest;
        Ok(u32::from_le_bytes(*word))
    }

    /// Bytes.
    pub fn bytes(&mut self) -> Result<&'a [u8]> {
        let len = self.word()?;
        self.take(len as usize)
    }

    /// A list.
    pub fn list<const N: usize>(&mut self) -> Result<impl Iterator<Item = [u32; N]> + use<'a, N>> {
        let len = (self.word()? as usize).checked_mul(4 * N).ok_or(CutOff)?;
        let items = self.take(len)?.as_chunks::<4>().0.as_chunks::<N>().0;
        Ok(items.iter().map(|item| item.map(u32::from_le_bytes)))
    }

    /// Code, and what explains it.
    pub fn parts(&mut self) -> Result<Parts> {
        Ok(Parts { code: self.bytes()?.to_vec(), tables: self.tables()? })
    }

    /// What explains code.
    pub fn tables(&mut self) -> Result<Tables> {
        let some = |number| (number != NONE).then_some(number);
        let entry = |[start, end, func]: [u32; 3]| Entry { start, end, func: some(func).map(FuncIndex) };
        let site = |[returns, frame, context, first, count]: [u32; 5]| CallSite {
            returns,
            frame,
            context,
            handlers: (first, count),
        };
        let map = |[returns, frame, first, count]: [u32; 4]| StackMap { returns, frame, references: (first, count) };
        Ok(Tables {
            entries: self.list()?.map(entry).collect(),
            traps: self.list()?.map(|[at, kind]| (at, kind)).collect(),
            locations: self.list()?.map(|[at, byte]| (at, byte)).collect(),
            sites: self.list()?.map(site).collect(),
            handlers: self.list()?.map(|[tag, address]| Handler { tag: some(tag), address }).collect(),
            maps: self.list()?.map(map).collect(),
            references: self.list()?.map(|[at]| at).collect(),
        })
    }
}
