//! Globals, tables, references, and the bulk operations of memories and tables.

use super::control::stopped;
use super::{reload_memory, save, trap};
use crate::interpreter::dispatch::{Ip, Machine, handler, word};
use crate::interpreter::value::{Address, Slot, Source, Target, Value};
use crate::runtime::context::{GlobalSlot, MemoryDef, MemorySlot, TableDef};
use crate::runtime::operations;
use crate::runtime::trap::TrapKind;
use crate::types::PAGE;

handler! {
    /// `global.get` of a global whose cell is in the context: result, offset.
    fn global_get[T: Value, D: Target](m, ip, r) {
        let cell = (*m).context.cast::<u8>().add(word(ip, 3) as usize).cast::<u64>();
        D::put(T::load(cell), ip, &mut r);
        r.next(m, ip.add(4))
    }

    /// `global.set` of a global whose cell is in the context: offset, value.
    fn global_set[T: Value, A: Source](m, ip, r) {
        let value = A::get::<T>(ip, 3, &r);
        let cell = (*m).context.cast::<u8>().add(word(ip, 2) as usize).cast::<u64>();
        value.store(cell);
        r.next(m, ip.add(3 + A::words::<T>()))
    }

    /// `global.get` of a global elsewhere: result, offset of its slot.
    fn global_get_far[T: Value, D: Target](m, ip, r) {
        let slot = (*m).context.cast::<u8>().add(word(ip, 3) as usize).cast::<GlobalSlot>();
        D::put(T::load((*slot).at), ip, &mut r);
        r.next(m, ip.add(4))
    }

    /// `global.set` of a global elsewhere: offset of its slot, value.
    fn global_set_far[T: Value, A: Source](m, ip, r) {
        let value = A::get::<T>(ip, 3, &r);
        let slot = (*m).context.cast::<u8>().add(word(ip, 2) as usize).cast::<GlobalSlot>();
        value.store((*slot).at);
        r.next(m, ip.add(3 + A::words::<T>()))
    }

    /// `table.get`: result, offset of the table, index.
    fn table_get[I: Address, A: Source, D: Target](m, ip, r) {
        let table = (*m).context.cast::<u8>().add(word(ip, 3) as usize).cast::<*const TableDef>().read();
        let index = A::get::<I>(ip, 4, &r).wide() as usize;
        if index >= (*table).len {
            return trap(m, ip, r.sp, TrapKind::TableOutOfBounds);
        }
        D::put((*table).base.add(index).read(), ip, &mut r);
        r.next(m, ip.add(4 + A::words::<I>()))
    }

    /// `table.set`: offset of the table, slots of index and value.
    fn table_set[I: Address](m, ip, r) {
        let table = (*m).context.cast::<u8>().add(word(ip, 2) as usize).cast::<*const TableDef>().read();
        let index = Slot::get::<I>(ip, 3, &r).wide() as usize;
        let value = r.sp.add(word(ip, 4) as usize).read();
        if index >= (*table).len {
            return trap(m, ip, r.sp, TrapKind::TableOutOfBounds);
        }
        (*table).base.add(index).write(value);
        r.next(m, ip.add(5))
    }

    /// `table.size`: result, offset of the table.
    fn table_size[I: Address, D: Target](m, ip, r) {
        let table = (*m).context.cast::<u8>().add(word(ip, 3) as usize).cast::<*const TableDef>().read();
        D::put(I::size((*table).len), ip, &mut r);
        r.next(m, ip.add(4))
    }

    /// `ref.func`: result, offset of the function's reference in the context.
    fn ref_func[D: Target](m, ip, r) {
        let func = (*m).context.cast::<u8>().add(word(ip, 3) as usize);
        D::put(func as u64, ip, &mut r);
        r.next(m, ip.add(4))
    }

    /// `memory.size`: result, offset of the memory.
    fn memory_size[A: Address, D: Target](m, ip, r) {
        let slot = (*m).context.cast::<u8>().add(word(ip, 3) as usize).cast::<MemorySlot>();
        let def: *const MemoryDef = (*slot).def;
        D::put(A::size((*def).len / PAGE), ip, &mut r);
        r.next(m, ip.add(4))
    }

    /// A bulk operation; see [`Bulk`]. Word 2 is the slot of the result if there is one, words 3 and 4 are
    /// indices, 5 to 7 slots of operands, 8 says which of these and the result have 64 bits ([`width`]).
    fn bulk[B: Bulk](m, ip, r) {
        let status = bulk_out::<B>(m, ip, r.sp);
        if status != DONE {
            return stopped(m, ip, r.sp, status);
        }
        reload_memory((*m).context, &mut r);
        r.next(m, ip.add(9))
    }
}

/// The bit that says of an operand of a bulk operation that it has 64 bits.
pub const fn width(operand: usize) -> u32 {
    1 << operand
}

/// The bit that says it of the result.
pub const RESULT_WIDTH: u32 = width(3);

/// No trap's number: the operation is done.
const DONE: u32 = u32::MAX;

/// An operation of the runtime.
pub trait Bulk {
    /// Does it; the result of those that have one.
    ///
    /// # Safety
    /// As for [`operations::memory_grow`]; operands as in the specification's order.
    unsafe fn run(m: *mut Machine, index: [u32; 2], operands: [u64; 3]) -> operations::Result<Option<u64>>;
}

/// Runs a bulk operation: [`DONE`], or the trap.
#[inline(never)]
unsafe extern "C" fn bulk_out<B: Bulk>(m: *mut Machine, ip: Ip, sp: *mut u64) -> u32 {
    // SAFETY: the instruction is a bulk operation's.
    unsafe {
        save(m, ip, sp);
        let widths = word(ip, 8);
        let fit = |bits: u64, width: u32| if widths & width != 0 { bits } else { u64::from(bits as u32) };
        let operands = [0, 1, 2].map(|i| fit(sp.add(word(ip, 5 + i) as usize).read(), width(i)));
        match B::run(m, [word(ip, 3), word(ip, 4)], operands) {
            Ok(result) => {
                if let Some(result) = result {
                    sp.add(word(ip, 2) as usize).write(fit(result, RESULT_WIDTH));
                }
                DONE
            }
            Err(kind) => kind as u32,
        }
    }
}

macro_rules! bulk {
    ($($(#[$doc:meta])* $name:ident |$context:ident, $i:ident, $o:ident| $body:expr;)*) => {$(
        $(#[$doc])*
        pub struct $name;

        impl Bulk for $name {
            #[inline]
            unsafe fn run(m: *mut Machine, $i: [u32; 2], $o: [u64; 3]) -> operations::Result<Option<u64>> {
                // SAFETY: by contract.
                unsafe {
                    let $context = (*m).context;
                    $body
                }
            }
        }
    )*};
}

/// What a growth left: the old size, or -1.
fn grown(old: Option<u64>) -> Option<u64> {
    Some(old.unwrap_or(u64::MAX))
}

bulk! {
    /// `memory.grow`
    MemoryGrow |c, i, o| operations::memory_grow(c, i[0], o[0]).map(grown);
    /// `memory.copy`
    MemoryCopy |c, i, o| operations::memory_copy(c, i[0], i[1], o[0], o[1], o[2]).map(|()| None);
    /// `memory.fill`
    MemoryFill |c, i, o| operations::memory_fill(c, i[0], o[0], o[1] as u8, o[2]).map(|()| None);
    /// `memory.init`
    MemoryInit |c, i, o| operations::memory_init(c, i[0], i[1], o[0], o[1] as u32, o[2] as u32).map(|()| None);
    /// `data.drop`
    DataDrop |c, i, _o| {
        operations::data_drop(c, i[0]);
        Ok(None)
    };
    /// `table.grow`
    TableGrow |c, i, o| operations::table_grow(c, i[0], o[0], o[1]).map(grown);
    /// `table.fill`
    TableFill |c, i, o| operations::table_fill(c, i[0], o[0], o[1], o[2]).map(|()| None);
    /// `table.copy`
    TableCopy |c, i, o| operations::table_copy(c, i[0], i[1], o[0], o[1], o[2]).map(|()| None);
    /// `table.init`
    TableInit |c, i, o| operations::table_init(c, i[0], i[1], o[0], o[1] as u32, o[2] as u32).map(|()| None);
    /// `elem.drop`
    ElemDrop |c, i, _o| {
        operations::elem_drop(c, i[0]);
        Ok(None)
    };
}
