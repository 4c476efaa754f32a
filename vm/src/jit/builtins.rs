//! Functions of the runtime that compiled code calls, and the thunks through which it does.
//!
//! A thunk notes where compiled code was left, for backtraces, and jumps on. A builtin that fails
//! raises its trap and returns a value that compiled code tests for. Those that throw do not return:
//! their thunks go on where the exception is caught, with no Rust frame left behind.

use std::arch::naked_asm;
use std::mem::offset_of;

use crate::heap;
use crate::runtime::context::{FuncRef, InstanceContext, StoreContext};
use crate::runtime::objects;
use crate::runtime::operations::{self, Grown, Result};
use crate::runtime::store::StoreInner;
use crate::runtime::trap::TrapKind;
use crate::runtime::x86_64::resume_or_unwind;
use crate::runtime::{call_from_compiled, exception, raise};
use crate::types::TypeId;

macro_rules! builtins {
    (
        returning { $($(#[$doc:meta])* $name:ident ($($arg:ident: $ty:ty),*) -> $ret:ty $body:block)* }
        throwing { $($(#[$throw_doc:meta])* $throw:ident ($value:ident: $value_ty:ty) $find:block)* }
    ) => {
        /// Their addresses, as compiled code finds them.
        #[repr(C)]
        pub struct Builtins {
            $($(#[$doc])* pub $name: unsafe extern "sysv64" fn(*mut InstanceContext, $($ty),*) -> $ret,)*
            $($(#[$throw_doc])* pub $throw: unsafe extern "sysv64" fn(*mut InstanceContext, $value_ty) -> !,)*
        }

        $(
            #[unsafe(naked)]
            unsafe extern "sysv64" fn $name(_context: *mut InstanceContext, $(_: $ty),*) -> $ret {
                /// # Safety
                /// `context` is that of the running compiled code.
                unsafe extern "sysv64" fn builtin(context: *mut InstanceContext, $($arg: $ty),*) -> $ret {
                    let body = |$($arg: $ty),*| -> $ret {
                        #[allow(unused_unsafe)]
                        // SAFETY: the running context is live; the compiler took indices from verified code.
                        unsafe { ($body)(context) }
                    };
                    body($($arg),*)
                }
                naked_asm!(
                    "mov r11, [rdi]",
                    "mov [r11 + {fp}], rbp",
                    "mov r10, [rsp]",
                    "mov [r11 + {pc}], r10",
                    "jmp {builtin}",
                    fp = const offset_of!(StoreContext, exit_fp),
                    pc = const offset_of!(StoreContext, exit_pc),
                    builtin = sym builtin,
                )
            }
        )*

        $(
            #[unsafe(naked)]
            unsafe extern "sysv64" fn $throw(_context: *mut InstanceContext, _: $value_ty) -> ! {
                /// # Safety
                /// `context` is that of the running compiled code.
                unsafe extern "sysv64" fn find(context: *mut InstanceContext, $value: $value_ty) -> bool {
                    // SAFETY: as for the other builtins.
                    unsafe { ($find)(context) }
                }
                naked_asm!(
                    "mov r11, [rdi]",
                    "mov [r11 + {fp}], rbp",
                    "mov r10, [rsp]",
                    "mov [r11 + {pc}], r10",
                    "push r11",
                    "call {find}",
                    "pop rdi",
                    "movzx esi, al",
                    "jmp {resume}",
                    fp = const offset_of!(StoreContext, exit_fp),
                    pc = const offset_of!(StoreContext, exit_pc),
                    find = sym find,
                    resume = sym resume_or_unwind,
                )
            }
        )*

        static TABLE: Builtins = Builtins { $($name,)* $($throw,)* };
    };
}

const _: () = assert!(offset_of!(InstanceContext, store) == 0);

/// What a builtin with a result of 32 bits returns when it has raised a trap.
pub const FAILED: u64 = u64::MAX;

/// # Safety
/// `context` is that of the running compiled code.
unsafe fn value(context: *mut InstanceContext, result: Result<u32>) -> u64 {
    match result {
        Ok(value) => value.into(),
        Err(kind) => {
            // SAFETY: by contract.
            unsafe { raise((*context).store, kind) };
            FAILED
        }
    }
}

/// One more than the old size; zero if it cannot grow.
///
/// # Safety
/// As for [`value`].
unsafe fn grown(context: *mut InstanceContext, result: Grown) -> u64 {
    match result {
        Ok(old) => old.map_or(0, |old| old + 1),
        // SAFETY: by contract.
        Err(kind) => unsafe { value(context, Err(kind)) },
    }
}

/// # Safety
/// As for [`value`].
unsafe fn made(context: *mut InstanceContext, result: Result<u32>) -> u64 {
    match result {
        Ok(reference) => reference.into(),
        Err(kind) => {
            // SAFETY: by contract.
            unsafe { raise((*context).store, kind) };
            0
        }
    }
}

/// A value of two words.
fn wide(low: u64, high: u64) -> u128 {
    u128::from(low) | u128::from(high) << 64
}

/// # Safety
/// As for [`value`].
unsafe fn done(context: *mut InstanceContext, result: Result<()>) -> u64 {
    // SAFETY: by contract.
    unsafe { value(context, result.map(|()| 0)) }
}

builtins! {
    returning {
        /// `memory.grow`: see [`grown`]
        memory_grow(memory: u32, pages: u64) -> u64 {
            |c| grown(c, operations::memory_grow(c, memory, pages))
        }
        /// `memory.copy` between addresses that are in bounds
        bytes_copy(to: *mut u8, from: *const u8, len: usize) -> u64 {
            |c| done(c, operations::bytes_copy(c, to, from, len))
        }
        /// `memory.fill` of bytes that are in bounds
        bytes_fill(to: *mut u8, byte: u32, len: usize) -> u64 {
            |c| done(c, operations::bytes_fill(c, to, byte as u8, len))
        }
        /// `memory.init`
        memory_init(indices: u64, to: u64, from: u32, len: u32) -> u64 {
            |c| done(c, operations::memory_init(c, indices as u32, (indices >> 32) as u32, to, from, len))
        }
        /// `data.drop`
        data_drop(data: u32) -> u64 {
            |c| { operations::data_drop(c, data); 0 }
        }
        /// `table.grow`: see [`grown`]
        table_grow(table: u32, value: u64, delta: u64) -> u64 {
            |c| grown(c, operations::table_grow(c, table, value, delta))
        }
        /// `table.fill`
        table_fill(table: u32, at: u64, value: u64, len: u64) -> u64 {
            |c| done(c, operations::table_fill(c, table, at, value, len))
        }
        /// `table.copy`
        table_copy(tables: u64, to: u64, from: u64, len: u64) -> u64 {
            |c| done(c, operations::table_copy(c, tables as u32, (tables >> 32) as u32, to, from, len))
        }
        /// `table.init`
        table_init(indices: u64, to: u64, from: u32, len: u32) -> u64 {
            |c| done(c, operations::table_init(c, indices as u32, (indices >> 32) as u32, to, from, len))
        }
        /// `elem.drop`
        elem_drop(elem: u32) -> u64 {
            |c| { operations::elem_drop(c, elem); 0 }
        }
        /// A call of a function that is not compiled: the [`Outcome`](crate::runtime::Outcome).
        call_interpreted(func: *mut FuncRef, buffer: *mut u64) -> u64 {
            |c: *mut InstanceContext| call_from_compiled((*c).store, func, buffer) as u64
        }
        /// Raises a trap.
        raise_kind(kind: u32) -> u64 {
            |c: *mut InstanceContext| {
                raise((*c).store, TrapKind::from_number(kind).unwrap_or(TrapKind::Host));
                FAILED
            }
        }
        /// A struct with its header; zero if that failed
        new_struct(id: u32) -> u64 {
            |c| made(c, objects::new_struct(c, TypeId(id)))
        }
        /// `struct.new_default`; zero if that failed
        struct_new_default(ty: u32) -> u64 {
            |c| made(c, objects::struct_new_default(c, ty))
        }
        /// An array with its header and length; zero if that failed
        new_array(id: u32, len: u32) -> u64 {
            |c| made(c, objects::new_array(c, TypeId(id), len))
        }
        /// `array.new_default`; zero if that failed
        array_new_default(ty: u32, len: u32) -> u64 {
            |c| made(c, objects::array_new_default(c, ty, len))
        }
        /// `array.new`; zero if that failed
        array_new(ty: u32, low: u64, high: u64, len: u32) -> u64 {
            |c| made(c, objects::array_new(c, ty, wide(low, high), len))
        }
        /// `array.new_data`; zero if that failed
        array_new_data(indices: u64, from: u32, len: u32) -> u64 {
            |c| made(c, objects::array_new_data(c, indices as u32, (indices >> 32) as u32, from, len))
        }
        /// `array.new_elem`; zero if that failed
        array_new_elem(indices: u64, from: u32, len: u32) -> u64 {
            |c| made(c, objects::array_new_elem(c, indices as u32, (indices >> 32) as u32, from, len))
        }
        /// `array.fill`
        array_fill(ty: u32, array: u32, at: u32, low: u64, high: u64, len: u32) -> u64 {
            |c| done(c, objects::array_fill(c, ty, array, at, wide(low, high), len))
        }
        /// `array.copy`
        array_copy(ty: u32, to: u32, to_at: u32, from: u32, from_at: u32, len: u32) -> u64 {
            |c| done(c, objects::array_copy(c, ty, to, to_at, from, from_at, len))
        }
        /// `array.copy` of `len` elements that are no references and in bounds, `bytes` in all
        elements_copy(to: *mut u8, from: *const u8, len: u64, bytes: usize) -> u64 {
            |c| done(c, operations::elements_copy(c, to, from, len, bytes))
        }
        /// `array.init_data`
        array_init_data(indices: u64, array: u32, at: u32, from: u32, len: u32) -> u64 {
            |c| done(c, objects::array_init_data(c, indices as u32, (indices >> 32) as u32, array, at, from, len))
        }
        /// `array.init_elem`
        array_init_elem(indices: u64, array: u32, at: u32, from: u32, len: u32) -> u64 {
            |c| done(c, objects::array_init_elem(c, indices as u32, (indices >> 32) as u32, array, at, from, len))
        }
        /// The number of a function for the heap
        number_of(func: *mut FuncRef) -> u64 {
            |c: *mut InstanceContext| u64::from(StoreInner::of((*c).store).number_of(func))
        }
        /// Whether the type with a header is another, or a subtype of it
        is_subtype(header: u32, id: u32, depth: u32) -> u64 {
            |c: *mut InstanceContext| u64::from(heap::is_subtype((*c).heap, header, TypeId(id), depth))
        }
        /// A reference to the exception that was just caught; zero if that failed.
        exception_ref() -> u64 {
            |c: *mut InstanceContext| match exception::reference((*c).store) {
                Ok(reference) => reference.into(),
                Err(kind) => {
                    raise((*c).store, kind);
                    0
                }
            }
        }
    }
    throwing {
        /// `throw` of the tag at this offset of the context; the payload is in its place. In the compiled convention.
        throw(tag: u32) {
            |c: *mut InstanceContext| exception::throw(c, tag)
        }
        /// `throw_ref`, in the compiled convention.
        throw_ref(object: u32) {
            |c: *mut InstanceContext| exception::throw_ref((*c).store, object)
        }
    }
}

/// Where a stub goes on when its callee failed, with a trap or an exception.
///
/// # Safety
/// `context` starts with a pointer to the live store; the newest activation is the stub's.
#[unsafe(naked)]
pub unsafe extern "sysv64" fn leave(_context: *mut ()) -> ! {
    unsafe extern "sysv64" fn is_here(store: *mut StoreContext) -> bool {
        // SAFETY: the stub's store is live.
        unsafe { exception::is_caught_here(store) }
    }
    naked_asm!(
        "mov rdi, [rdi]",
        "push rdi",
        "call {is_here}",
        "pop rdi",
        "movzx esi, al",
        "jmp {resume}",
        is_here = sym is_here,
        resume = sym resume_or_unwind,
    )
}

/// The table that [`InstanceContext::builtins`] points to.
pub fn table() -> *const Builtins {
    &raw const TABLE
}
