//! Code that was compiled together, and the side tables that explain it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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

/// What explains code: everything by offset from the code's first byte.
#[derive(Debug, Default)]
pub struct Tables {
    /// In order of address.
    pub entries: Vec<Entry>,
    /// Trap kinds by offset, as numbers; zero where a builtin has raised already. Sorted.
    pub traps: Vec<(u32, u32)>,
    /// From this offset on, code stems from this byte of the module. Sorted.
    pub locations: Vec<(u32, u32)>,
    /// Calls with handlers. Sorted.
    pub sites: Vec<CallSite>,
    /// Handlers of calls, innermost first.
    pub handlers: Vec<Handler<u32>>,
    /// Calls during which the frame holds references. Sorted.
    pub maps: Vec<StackMap>,
    /// Where they are, from the stack pointer.
    pub references: Vec<u32>,
}

/// What a batch is made from.
#[derive(Debug, Default)]
pub struct Parts {
    /// Machine code, calls between entries resolved.
    pub code: Vec<u8>,
    /// What explains it.
    pub tables: Tables,
}

/// What was made of functions of a module, or a trampoline.
pub struct Made {
    /// The code.
    pub parts: Parts,
    /// What stands in it and where it starts: of functions their numbers, of a loop its function's twice, for code and trampoline.
    pub starts: Vec<[u32; 2]>,
}

/// Code that is freed together.
pub struct Batch {
    arena: &'static Arena,
    range: Range,
    /// Bytes of code.
    len: usize,
    tables: Tables,
    /// The module, which owns the batch; null for trampolines.
    module: *const Module,
    /// Bytes of memory that its compiler's code takes, this among it.
    used: Arc<AtomicUsize>,
}

// SAFETY: a batch is immutable; the module is only used while it owns the batch.
unsafe impl Send for Batch {}
// SAFETY: as above.
unsafe impl Sync for Batch {}

impl Tables {
    /// Adds those of code that stands at an offset, behind all that is explained so far.
    pub fn append(&mut self, other: &Self, start: u32) {
        let shift = |list: &[(u32, u32)]| list.iter().map(|(at, x)| (at + start, *x)).collect::<Vec<_>>();
        self.entries.extend(other.entries.iter().map(|entry| Entry {
            start: entry.start + start,
            end: entry.end + start,
            func: entry.func,
        }));
        self.traps.extend(shift(&other.traps));
        self.locations.extend(shift(&other.locations));
        let handlers = self.handlers.len() as u32;
        self.sites.extend(other.sites.iter().map(|site| CallSite {
            returns: site.returns + start,
            handlers: (site.handlers.0 + handlers, site.handlers.1),
            ..*site
        }));
        self.handlers.extend(other.handlers.iter().map(|h| Handler { tag: h.tag, address: h.address + start }));
        let references = self.references.len() as u32;
        self.maps.extend(other.maps.iter().map(|map| StackMap {
            returns: map.returns + start,
            references: (map.references.0 + references, map.references.1),
            ..*map
        }));
        self.references.extend_from_slice(&other.references);
    }
}

impl Tables {
    /// Whether all that they say is of the first so many bytes, and nothing in them is missing.
    pub fn are_inside(&self, len: u32) -> bool {
        let Self { entries, traps, locations, sites, handlers, maps, references } = self;
        let has = |list: usize, (first, count): (u32, u32)| u64::from(first) + u64::from(count) <= list as u64;
        entries.iter().all(|entry| entry.start <= entry.end && entry.end <= len)
            && traps.iter().chain(locations).all(|(at, _)| *at <= len)
            && sites.iter().all(|site| site.returns <= len && has(handlers.len(), site.handlers))
            && handlers.iter().all(|handler| handler.address < len)
            && maps.iter().all(|map| map.returns <= len && has(references.len(), map.references))
    }

    /// Bytes that they take.
    fn memory(&self) -> usize {
        let Self { entries, traps, locations, sites, handlers, maps, references } = self;
        size_of_val(&entries[..])
            + size_of_val(&traps[..])
            + size_of_val(&locations[..])
            + size_of_val(&sites[..])
            + size_of_val(&handlers[..])
            + size_of_val(&maps[..])
            + size_of_val(&references[..])
    }
}

impl Parts {
    /// Adds code with its tables; tells where it stands.
    pub fn append(&mut self, code: &[u8], tables: &Tables) -> u32 {
        // x86-64 wants no more than 16; the padding traps if anyone ever gets there.
        self.code.resize(self.code.len().next_multiple_of(64), 0xcc);
        let start = self.code.len() as u32;
        self.code.extend_from_slice(code);
        self.tables.append(tables, start);
        start
    }
}

impl Batch {
    /// Places code in the arena; `None` if that is full, or others write it.
    ///
    /// # Safety
    /// `module` is null, or lives as long as the batch.
    pub unsafe fn place(
        arena: &'static Arena,
        used: &Arc<AtomicUsize>,
        parts: Parts,
        module: *const Module,
    ) -> Option<Arc<Self>> {
        let range = arena.take(parts.code.len())?;
        arena.write(&range, &parts.code);
        // SAFETY: by contract.
        Some(unsafe { Self::standing(arena, used, range, parts.code.len(), parts.tables, module) })
    }

    /// Code that stands in the arena.
    ///
    /// # Safety
    /// As for [`Self::place`].
    pub unsafe fn standing(
        arena: &'static Arena,
        used: &Arc<AtomicUsize>,
        range: Range,
        len: usize,
        tables: Tables,
        module: *const Module,
    ) -> Arc<Self> {
        let batch = Arc::new(Self { arena, range, len, tables, module, used: used.clone() });
        used.fetch_add(batch.memory(), Ordering::Relaxed);
        arena.publish(&batch.range, Arc::as_ptr(&batch).cast_mut());
        batch
    }

    /// Where in the arena it stands, and how many bytes of code it is.
    pub fn place_in_arena(&self) -> (usize, usize) {
        (self.range.start(), self.len)
    }

    /// Bytes that it takes: its pages, and what explains it.
    pub fn memory(&self) -> usize {
        self.range.bytes() + self.tables.memory()
    }

    /// Where an offset is executed.
    pub fn address(&self, offset: u32) -> *const u8 {
        self.arena.address(&self.range).wrapping_add(offset as usize)
    }

    /// Whether an offset is in its code.
    pub fn has(&self, offset: u32) -> bool {
        (offset as usize) < self.len
    }

    /// Its code.
    pub fn code(&self) -> &[u8] {
        // SAFETY: the range is the batch's own, and nobody writes it any more; what can be executed can be read.
        unsafe { std::slice::from_raw_parts(self.arena.address(&self.range), self.len) }
    }

    /// What explains its code.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// How far behind its first byte an address is, if it is in its code.
    pub fn offset_of(&self, address: *const u8) -> Option<u32> {
        let offset = (address as usize).checked_sub(self.arena.address(&self.range) as usize)?;
        (offset < self.len).then_some(offset as u32)
    }

    fn offset(&self, pc: usize) -> u32 {
        (pc - self.arena.address(&self.range) as usize) as u32
    }

    /// The kind of trap at a program counter.
    pub fn trap(&self, pc: usize) -> Option<u32> {
        let offset = self.offset(pc);
        let at = self.tables.traps.binary_search_by_key(&offset, |trap| trap.0).ok()?;
        Some(self.tables.traps[at].1)
    }

    /// The handlers of the call that returns to a program counter, if it has any.
    pub fn handlers(&self, pc: usize) -> Option<(&CallSite, impl Iterator<Item = Handler>)> {
        let offset = self.offset(pc);
        let at = self.tables.sites.binary_search_by_key(&offset, |site| site.returns).ok()?;
        let site = &self.tables.sites[at];
        let (first, count) = site.handlers;
        let handlers = &self.tables.handlers[first as usize..][..count as usize];
        let place =
            |handler: &Handler<u32>| Handler { tag: handler.tag, address: self.address(handler.address) as usize };
        Some((site, handlers.iter().map(place)))
    }

    /// The references in the frame of the call that returns to a program counter: see [`super::registry::lookup_map`].
    pub fn map(&self, pc: usize) -> Option<(u32, &[u32])> {
        let offset = self.offset(pc);
        let at = self.tables.maps.binary_search_by_key(&offset, |map| map.returns).ok()?;
        let StackMap { frame, references: (first, count), .. } = self.tables.maps[at];
        Some((frame, &self.tables.references[first as usize..][..count as usize]))
    }

    /// The function or trampoline that a program counter is in.
    fn entry(&self, pc: usize) -> Option<&Entry> {
        let offset = self.offset(pc);
        let at = self.tables.entries.partition_point(|entry| entry.start <= offset).checked_sub(1)?;
        self.tables.entries.get(at).filter(|entry| offset < entry.end)
    }

    /// Bytes of the function or trampoline at an address, if that is in its code.
    pub fn size_at(&self, address: *const u8) -> Option<u64> {
        self.offset_of(address)?;
        self.entry(address as usize).map(|entry| u64::from(entry.end - entry.start))
    }

    /// The function whose body a program counter is in.
    pub fn func(&self, pc: usize) -> Option<FuncIndex> {
        self.entry(pc)?.func
    }

    /// Where the return address is of a function that has no frame at a program counter: see [`super::registry::frameless`].
    pub fn frameless(&self, pc: usize) -> Option<usize> {
        /// `push rbp`, which all code begins with.
        const PUSH: u8 = 0x55;
        /// `ret`, without and with arguments to take off the stack.
        const RETURN: [u8; 2] = [0xc3, 0xc2];
        let (start, offset) = (self.entry(pc)?.start, self.offset(pc));
        let byte = |offset: u32| self.code().get(offset as usize).copied();
        match offset - start {
            0 => Some(0),
            1 if byte(start) == Some(PUSH) => Some(size_of::<usize>()),
            _ => byte(offset).filter(|byte| RETURN.contains(byte)).map(|_| 0),
        }
    }

    /// The module, function and byte of the module that a program counter stems from.
    pub fn location(&self, pc: usize) -> Option<(&Module, FuncIndex, u32)> {
        let func = self.func(pc)?;
        let offset = self.offset(pc);
        let at = self.tables.locations.partition_point(|location| location.0 <= offset).checked_sub(1);
        let byte = at.and_then(|at| self.tables.locations.get(at)).map_or(0, |location| location.1);
        // SAFETY: a batch with functions has a module, which owns it.
        Some((unsafe { self.module.as_ref()? }, func, byte))
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.used.fetch_sub(self.memory(), Ordering::Relaxed);
        self.arena.give(&self.range);
    }
}
