//! Code that was compiled together, and the side tables that explain it.

use super::arena::{Arena, Range};
use crate::module::{FuncIndex, Module};

/// One function or trampoline in a batch.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Where it starts and ends in the batch.
    pub start: u32,
    /// One past its last byte.
    pub end: u32,
    /// The function that it is the body of; none for trampolines.
    pub func: Option<FuncIndex>,
}

/// A call that something catches exceptions of.
#[derive(Clone, Copy, Debug)]
pub struct CallSite {
    /// The address that the call returns to, in the batch.
    pub returns: u32,
    /// Distance from the frame pointer down to the stack pointer during the call.
    pub frame: u32,
    /// Where the frame keeps the instance's context, from the stack pointer.
    pub context: u32,
    /// Its handlers in the batch's list: the first, and how many.
    pub handlers: (u32, u32),
}

/// A call during which the frame holds references that the collector traces.
#[derive(Clone, Copy, Debug)]
pub struct StackMap {
    /// The address that the call returns to, in the batch.
    pub returns: u32,
    /// Distance from the frame pointer down to the stack pointer during the call.
    pub frame: u32,
    /// Its references in the batch's list: the first, and how many.
    pub references: (u32, u32),
}

/// A handler of a call.
#[derive(Clone, Copy, Debug)]
pub struct Handler<Address = usize> {
    /// Where the context keeps the tag that it takes; none: any.
    pub tag: Option<u32>,
    /// Where it starts.
    pub address: Address,
}

/// Code that is freed together.
pub struct Batch {
    arena: &'static Arena,
    range: Range,
    /// In order of address.
    entries: Vec<Entry>,
    /// Trap kinds by offset, as numbers; zero where a builtin has raised already. Sorted.
    traps: Vec<(u32, u32)>,
    /// From this offset on, code stems from this byte of the module. Sorted.
    locations: Vec<(u32, u32)>,
    /// Calls with handlers. Sorted.
    sites: Vec<CallSite>,
    /// Handlers of calls, innermost first.
    handlers: Vec<Handler<u32>>,
    /// Calls during which the frame holds references. Sorted.
    maps: Vec<StackMap>,
    /// Where they are, from the stack pointer.
    references: Vec<u32>,
    /// The module, which owns the batch; null for trampolines.
    module: *const Module,
}

// SAFETY: a batch is immutable; the module is only used while it owns the batch.
unsafe impl Send for Batch {}
// SAFETY: as above.
unsafe impl Sync for Batch {}

/// What a batch is made from.
#[derive(Default)]
pub struct Parts {
    /// Machine code, calls between entries resolved.
    pub code: Vec<u8>,
    /// See [`Batch`].
    pub entries: Vec<Entry>,
    /// See [`Batch`].
    pub traps: Vec<(u32, u32)>,
    /// See [`Batch`].
    pub locations: Vec<(u32, u32)>,
    /// See [`Batch`].
    pub sites: Vec<CallSite>,
    /// See [`Batch`].
    pub handlers: Vec<Handler<u32>>,
    /// See [`Batch`].
    pub maps: Vec<StackMap>,
    /// See [`Batch`].
    pub references: Vec<u32>,
}

impl Batch {
    /// Places code in the arena; `None` if that is full.
    ///
    /// # Safety
    /// `module` is null, or lives as long as the batch.
    pub unsafe fn place(arena: &'static Arena, parts: Parts, module: *const Module) -> Option<std::sync::Arc<Self>> {
        let range = arena.take(parts.code.len())?;
        arena.write(&range, &parts.code);
        let Parts { entries, traps, locations, sites, handlers, maps, references, .. } = parts;
        let batch = Self { arena, range, entries, traps, locations, sites, handlers, maps, references, module };
        let batch = std::sync::Arc::new(batch);
        arena.publish(&batch.range, std::sync::Arc::as_ptr(&batch).cast_mut());
        Some(batch)
    }

    /// Where an offset is executed.
    pub fn address(&self, offset: u32) -> *const u8 {
        self.arena.address(&self.range).wrapping_add(offset as usize)
    }

    fn offset(&self, pc: usize) -> u32 {
        (pc - self.arena.address(&self.range) as usize) as u32
    }

    /// The kind of trap at a program counter.
    pub fn trap(&self, pc: usize) -> Option<u32> {
        let offset = self.offset(pc);
        let at = self.traps.binary_search_by_key(&offset, |trap| trap.0).ok()?;
        Some(self.traps[at].1)
    }

    /// The handlers of the call that returns to a program counter, if it has any.
    pub fn handlers(&self, pc: usize) -> Option<(&CallSite, impl Iterator<Item = Handler>)> {
        let offset = self.offset(pc);
        let at = self.sites.binary_search_by_key(&offset, |site| site.returns).ok()?;
        let site = &self.sites[at];
        let (first, count) = site.handlers;
        let handlers = &self.handlers[first as usize..][..count as usize];
        let place =
            |handler: &Handler<u32>| Handler { tag: handler.tag, address: self.address(handler.address) as usize };
        Some((site, handlers.iter().map(place)))
    }

    /// The references in the frame of the call that returns to a program counter: see [`super::registry::lookup_map`].
    pub fn map(&self, pc: usize) -> Option<(u32, &[u32])> {
        let offset = self.offset(pc);
        let at = self.maps.binary_search_by_key(&offset, |map| map.returns).ok()?;
        let StackMap { frame, references: (first, count), .. } = self.maps[at];
        Some((frame, &self.references[first as usize..][..count as usize]))
    }

    /// The function whose body a program counter is in.
    pub fn func(&self, pc: usize) -> Option<FuncIndex> {
        let offset = self.offset(pc);
        let at = self.entries.partition_point(|entry| entry.start <= offset).checked_sub(1)?;
        let entry = self.entries.get(at).filter(|entry| offset < entry.end)?;
        entry.func
    }

    /// The module, function and byte of the module that a program counter stems from.
    pub fn location(&self, pc: usize) -> Option<(&Module, FuncIndex, u32)> {
        let func = self.func(pc)?;
        let offset = self.offset(pc);
        let at = self.locations.partition_point(|location| location.0 <= offset).checked_sub(1);
        let byte = at.and_then(|at| self.locations.get(at)).map_or(0, |location| location.1);
        // SAFETY: a batch with functions has a module, which owns it.
        Some((unsafe { self.module.as_ref()? }, func, byte))
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.arena.give(&self.range);
    }
}
