//! Writing an instance down.

use std::ops::Range;

use super::{Frame, Memory, Result, SnapshotError, State, format};
use crate::interpreter::suspended;
use crate::module::GlobalIndex;
use crate::runtime::activation::activations;
use crate::runtime::context::{Activation, FuncRef, StoreContext};
use crate::runtime::instance::Instance;
use crate::runtime::memory::LinearMemory;
use crate::runtime::space::HOST_PAGE;
use crate::runtime::table::Table;
use crate::types::{HeapType, Kind, ValType};

/// Runs with fewer empty pages than these between them are one.
const GAP: u64 = 16;

/// The module that goes on where an instance is now: where its run called the host, if it runs, or else between calls. `sections` are
/// further custom sections of it.
///
/// # Safety
/// The store is live and the instance is one of it; if anything of the store runs, then the function of the host that calls this.
pub unsafe fn take(store: *mut StoreContext, instance: &Instance, sections: &[(&str, &[u8])]) -> Result<Vec<u8>> {
    let module = &instance.code.module;
    if !instance.code.config.suspends {
        return Err(SnapshotError::NotMadeForIt);
    }
    let imported = module.imported;
    if imported.memories + imported.tables + imported.globals + imported.tags > 0 {
        return Err(SnapshotError::Imports);
    }
    if module.needs_heap() {
        return Err(SnapshotError::Heap);
    }
    let mut memories = Vec::new();
    let mut images = Vec::new();
    for memory in &instance.memories {
        let runs = dense(runs(memory.item.len(), &|page| is_zero(&memory.item, page)));
        images.extend(runs.iter().map(|run| (&*memory.item, run.clone())));
        memories.push(Memory { pages: (memory.item.len() / crate::types::PAGE) as u64, runs });
    }
    let state = State {
        memories,
        globals: globals(instance)?,
        tables: tables(instance)?,
        elements_dropped: instance.elements.iter().map(|cells| cells.is_empty()).collect(),
        // SAFETY: by contract.
        frames: unsafe { frames(store, instance)? },
    };
    let pages = images.iter().map(|(memory, run)| {
        // SAFETY: the run is inside of the memory, which nobody writes meanwhile.
        unsafe {
            let start = memory.base().add(run.start as usize * HOST_PAGE);
            std::slice::from_raw_parts(start, (run.end - run.start) as usize * HOST_PAGE)
        }
    });
    format::module(module, &state, &instance.data_dropped, sections, pages)
}

/// Where the pages are that are not empty.
fn runs(len: usize, is_empty: &dyn Fn(u64) -> bool) -> Vec<Range<u64>> {
    let mut runs: Vec<Range<u64>> = Vec::new();
    for page in (0..(len / HOST_PAGE) as u64).filter(|page| !is_empty(*page)) {
        match runs.last_mut() {
            Some(last) if page - last.end <= GAP => last.end = page + 1,
            _ => runs.push(page..page + 1),
        }
    }
    runs
}

/// One run from the beginning on, where that takes at most half as much again: the memory is then what follows the module in its file.
fn dense(runs: Vec<Range<u64>>) -> Vec<Range<u64>> {
    let (end, full) = (runs.last().map_or(0, |last| last.end), runs.iter().map(|run| run.end - run.start).sum::<u64>());
    if end > 0 && end <= full + full / 2 { std::iter::once(0..end).collect() } else { runs }
}

fn is_zero(memory: &LinearMemory, page: u64) -> bool {
    // SAFETY: the page is inside of the memory, which nobody writes meanwhile.
    let bytes = unsafe { std::slice::from_raw_parts(memory.base().add(page as usize * HOST_PAGE), HOST_PAGE) };
    bytes.as_chunks::<64>().0.iter().all(|chunk| *chunk == [0; 64])
}

/// A value as it is written down: of a reference the function's number.
fn written(instance: &Instance, ty: ValType, bits: u128, place: &dyn Fn() -> String) -> Result<u128> {
    let ValType::Ref(reference) = ty else { return Ok(bits) };
    if bits == 0 && reference.nullable {
        return Ok(0);
    }
    let first = instance.func_ref(0) as u128;
    let distance = bits.wrapping_sub(first);
    let is_func = matches!(reference.heap, HeapType::Func | HeapType::Defined(Kind::Func, _));
    let end = (instance.code.module.functions.len() * size_of::<FuncRef>()) as u128;
    if is_func && distance < end && distance.is_multiple_of(size_of::<FuncRef>() as u128) {
        return Ok(distance / size_of::<FuncRef>() as u128 + 1);
    }
    Err(SnapshotError::Reference { place: place(), ty })
}

fn globals(instance: &Instance) -> Result<Vec<u128>> {
    let types = (0..).zip(&instance.code.module.globals);
    types
        .map(|(index, ty)| {
            let slot = instance.global_slot(index);
            // SAFETY: the slot is this global's; only vectors have a second half.
            let bits = unsafe {
                let cell = (*slot).at;
                let high = if ty.value == ValType::V128 { cell.add(1).read() } else { 0 };
                let low = if ty.value.is_wide() { cell.read() } else { u64::from(cell.cast::<u32>().read()) };
                u128::from(low) | u128::from(high) << 64
            };
            written(instance, ty.value, bits, &|| format!("global {}", GlobalIndex(index).0))
        })
        .collect()
}

fn tables(instance: &Instance) -> Result<Vec<Vec<u32>>> {
    let cells = |(index, table): (usize, &Table)| {
        let ty = table.ty().element;
        // SAFETY: nobody else looks at the cells meanwhile.
        let cells = unsafe { table.cells() };
        let place = || format!("table {index}");
        cells.iter().map(|cell| written(instance, ty, u128::from(*cell), &place).map(|bits| bits as u32)).collect()
    };
    instance.tables.iter().map(|table| &*table.item).enumerate().map(cells).collect()
}

/// # Safety
/// As for [`take`].
unsafe fn frames(store: *mut StoreContext, instance: &Instance) -> Result<Vec<Frame>> {
    // SAFETY: by contract.
    let running: Vec<*mut Activation> = unsafe { activations(store).map(|(activation, _)| activation).collect() };
    let foreign = SnapshotError::Stack(suspended::Unreadable::Foreign);
    // SAFETY: activations are live as long as what runs in them.
    let kinds: Vec<u32> = running.iter().map(|activation| unsafe { (**activation).kind }).collect();
    let frames = match kinds[..] {
        [] => return Ok(Vec::new()),
        // SAFETY: by contract; the activation's newest frame called the host.
        [Activation::INTERPRETER, Activation::HOST] => unsafe { suspended::read(&*running[0], instance.context())? },
        _ => return Err(foreign),
    };
    let module = &instance.code.module;
    let frame = |frame: suspended::Frame| {
        let name = || format!("function {} on the stack", frame.func.0);
        let values = frame.values.iter().map(|(ty, bits)| written(instance, *ty, *bits, &name));
        let values = values.collect::<Result<_>>()?;
        let start = module.body_offset(frame.func).unwrap_or_default();
        Ok(Frame { func: frame.func, offset: frame.offset.wrapping_sub(start), values })
    };
    frames.into_iter().map(frame).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_that_are_near_one_another_are_one_run() {
        let full = [0, 1, 5, 40, 41, 99];
        let runs = runs(100 * HOST_PAGE, &|page| !full.contains(&page));
        assert_eq!(runs, [0..6, 40..42, 99..100]);
        assert_eq!(dense(runs.clone()), runs);
        assert_eq!(dense(vec![2..4, 6..10]), vec![2..4, 6..10]);
        assert!(dense(vec![2..5, 6..10]).into_iter().eq(std::iter::once(0..10)));
        assert_eq!(dense(Vec::new()), Vec::new());
    }
}
