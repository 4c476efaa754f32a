//! Making an instance what a snapshot says.

use std::ops::Range;

use super::{Result, SnapshotError, State};
use crate::interpreter::suspended::{Callee, Ready, Sites, callee};
use crate::module::{FuncIndex, Module};
use crate::runtime::instance::Instance;
use crate::runtime::memory::LinearMemory;
use crate::runtime::operations::{grow_memory, grow_table};
use crate::runtime::space::{self, HOST_PAGE};
use crate::runtime::store::StoreInner;
use crate::types::{HeapType, Kind, PAGE, ValType};

fn damaged<T>(what: impl Into<String>) -> Result<T> {
    Err(SnapshotError::Damaged(what.into()))
}

/// Where the first memory begins, if it is the only one and what it held ends the module's file, which was
/// [mapped for it](space::prepare_behind): nothing is copied then but pages that are written.
pub fn place(module: &Module, state: &State, image: usize) -> Option<*mut u8> {
    let [memory] = state.memories.as_slice() else { return None };
    let [run] = memory.runs.as_slice() else { return None };
    let len = usize::try_from(run.end).ok()?.checked_mul(HOST_PAGE)?;
    let ends =
        run.start == 0 && image.is_multiple_of(HOST_PAGE) && image.checked_add(len) == Some(module.bytes().len());
    let is_small = module.memories.first().is_some_and(|ty| !ty.address.is_64());
    (ends && is_small).then(|| space::take_behind(module.bytes())).flatten().map(|base| base.wrapping_add(image))
}

/// Gives a new instance, of which no segment was used, the state of a snapshot. `image` is where its memories' contents begin in the module, and
/// `is_placed` whether they [are there](place).
pub fn restore(
    store: &mut StoreInner,
    instance: &mut Instance,
    state: &State,
    image: usize,
    is_placed: bool,
) -> Result<()> {
    let code = instance.code.clone();
    let module = &code.module;
    let fits = state.memories.len() == instance.memories.len()
        && state.tables.len() == instance.tables.len()
        && state.globals.len() == module.globals.len()
        && state.elements_dropped.len() == instance.elements.len();
    if !fits || module.needs_heap() {
        return damaged("it is of another module");
    }
    globals(store, instance, state)?;
    tables(store, instance, state)?;
    memories(store, instance, state, image, is_placed)?;
    for ((dropped, cells), segment) in state.elements_dropped.iter().zip(&mut instance.elements).zip(&module.elements) {
        if *dropped {
            *cells = Box::default();
        } else if cells.len() != segment.items.len() {
            return damaged("an element segment is there that was used");
        }
    }
    // Of active ones nothing is left in the module either.
    instance
        .data_dropped
        .iter_mut()
        .zip(&module.data)
        .for_each(|(dropped, segment)| *dropped |= segment.active.is_some());
    Ok(())
}

/// The bits of a value that was written down.
fn value(store: &StoreInner, instance: &Instance, ty: ValType, written: u128) -> Result<u128> {
    let ValType::Ref(reference) = ty else {
        let fits = ty == ValType::V128 || written >> (if ty.is_wide() { 64 } else { 32 }) == 0;
        return if fits { Ok(written) } else { damaged(format!("a value is no {ty}")) };
    };
    let no_such = || SnapshotError::Damaged(format!("a reference is no {ty}"));
    if written == 0 && reference.nullable {
        return Ok(0);
    }
    let index = u32::try_from(written).ok().and_then(|number| number.checked_sub(1)).ok_or_else(no_such)?;
    let module = &instance.code.module;
    if index as usize >= module.functions.len() {
        return Err(no_such());
    }
    let own = HeapType::Defined(Kind::Func, module.func_type_id(FuncIndex(index)));
    if !store.engine.types.matches_heap(own, reference.heap) {
        return Err(no_such());
    }
    Ok(instance.func_ref(index) as u128)
}

fn globals(store: &StoreInner, instance: &Instance, state: &State) -> Result<()> {
    for ((written, ty), index) in state.globals.iter().zip(&instance.code.module.globals).zip(0..) {
        let bits = value(store, instance, ty.value, *written)?;
        // SAFETY: the slot is this global's, whose cell has room for the largest value.
        unsafe { (*instance.global_slot(index)).at.cast::<[u64; 2]>().write([bits as u64, (bits >> 64) as u64]) };
    }
    Ok(())
}

fn tables(store: &mut StoreInner, instance: &Instance, state: &State) -> Result<()> {
    for (written, table) in state.tables.iter().zip(&instance.tables) {
        let table = &table.item;
        let Some(more) = written.len().checked_sub(table.len()) else { return damaged("a table has shrunk") };
        match grow_table(store, table, 0, more as u64) {
            Ok(Some(_)) => {}
            Ok(None) => return damaged("a table is larger than it may be"),
            Err(kind) => return Err(SnapshotError::Limit(format!("a table of {} elements: {kind}", written.len()))),
        }
        let ty = table.ty().element;
        // SAFETY: nobody else looks at the cells meanwhile.
        let cells = unsafe { table.cells() };
        for (cell, written) in cells.iter_mut().zip(written) {
            *cell = value(store, instance, ty, u128::from(*written))? as u64;
        }
    }
    Ok(())
}

fn memories(
    store: &mut StoreInner,
    instance: &Instance,
    state: &State,
    mut image: usize,
    is_placed: bool,
) -> Result<()> {
    for (written, memory) in state.memories.iter().zip(&instance.memories) {
        let memory = &memory.item;
        let Some(more) = written.pages.checked_sub((memory.len() / PAGE) as u64) else {
            return damaged("a memory has shrunk");
        };
        match grow_memory(store, memory, more) {
            Ok(Some(_)) => {}
            Ok(None) => return damaged("a memory is larger than it may be"),
            Err(kind) => return Err(SnapshotError::Limit(format!("a memory of {} pages: {kind}", written.pages))),
        }
        for run in &written.runs {
            let len = (run.end.saturating_sub(run.start) as usize).saturating_mul(HOST_PAGE);
            let Some(bytes) = instance.code.module.bytes().get(image..).and_then(|rest| rest.get(..len)) else {
                return damaged("what its memories held is cut off");
            };
            let start = inside(memory, run, len)?;
            if !is_placed {
                // SAFETY: inside of the memory, which nobody else uses meanwhile.
                unsafe { memory.base().add(start).copy_from_nonoverlapping(bytes.as_ptr(), len) };
            }
            image += len;
        }
    }
    Ok(())
}

/// Where pages begin in a memory that has room for them.
fn inside(memory: &LinearMemory, run: &Range<u64>, len: usize) -> Result<usize> {
    let start = usize::try_from(run.start).ok().and_then(|page| page.checked_mul(HOST_PAGE));
    let fits = |start: &usize| start.checked_add(len).is_some_and(|end| end <= memory.len());
    match start.filter(fits) {
        Some(start) => Ok(start),
        None => damaged("a page is outside of its memory"),
    }
}

/// The frames of a snapshot, ready to be made; none if it was taken between calls.
pub fn frames(store: &StoreInner, instance: &Instance, state: &State) -> Result<Vec<Ready>> {
    let code = &instance.code;
    let module = &code.module;
    let mut sites = Sites::new(code);
    let mut ready = Vec::new();
    for (at, frame) in state.frames.iter().enumerate() {
        let newer = state.frames.get(at + 1);
        let body = if (frame.func.0 as usize) < module.functions.len() { module.body_offset(frame.func) } else { None };
        let offset = body.and_then(|body| body.checked_add(frame.offset));
        let site = offset.and_then(|offset| Some((callee(module, offset)?, sites.get(frame.func, offset)?)));
        let Some((callee, site)) = site else { return damaged("a frame does not stand at a call") };
        if !fits(store, module, callee, newer.map(|frame| frame.func)) {
            return damaged("a frame is of a function that cannot be called below it");
        }
        let left = site.operands.len() - if newer.is_some() { callee.operands } else { 0 };
        let places = site.locals.iter().chain(&site.operands[..left]);
        if frame.values.len() != site.locals.len() + left {
            return damaged("a frame has more or fewer values than its function");
        }
        let mut slots = Vec::new();
        for (&(slot, ty), written) in places.zip(&frame.values) {
            let bits = value(store, instance, ty, *written)?;
            slots.push((slot, bits as u64));
            if ty == ValType::V128 {
                slots.push((slot + 1, (bits >> 64) as u64));
            }
        }
        let word = if newer.is_some() { site.end } else { site.at };
        // Read above as one that is defined.
        let Some(defined) = module.defined(frame.func) else { return damaged("a frame is of no function") };
        ready.push(Ready { function: code.ir(defined), word, slots });
    }
    Ok(ready)
}

/// Whether the next newer frame can be of a function that takes the place of what a call calls, be it by tail calls: what it returns fits.
/// Where there is none, the host is called.
fn fits(store: &StoreInner, module: &Module, callee: Callee, newer: Option<FuncIndex>) -> bool {
    let Some(newer) = newer else { return callee.func.is_some_and(|func| module.defined(func).is_none()) };
    let Some(own) = module.functions.get(newer.0 as usize) else { return false };
    let (own, wanted) = (module.func_type_at(*own).results(), module.func_type_at(callee.ty).results());
    own.len() == wanted.len() && own.iter().zip(wanted).all(|(own, wanted)| store.engine.types.matches(*own, *wanted))
}
