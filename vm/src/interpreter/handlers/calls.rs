//! Calls and returns.
//!
//! A callee's frame starts at its arguments, which are the topmost operands of its caller, so
//! that nothing is moved:
//!
//! ```text
//! caller's sp ─► locals │ header │ operands … ┐
//! callee's sp ───────────────────────────────►│ arguments = first locals │ locals │ header │ operands …
//! ```
//!
//! The header has three slots: the caller's next instruction, its function, its instance. The
//! last word of every call is the distance between the two `sp`; a return reads it there, so
//! frames are linked by distances. Results are left at the callee's `sp`.

use std::sync::atomic::Ordering;

use super::exceptions::failed;
use super::{goes_on, interrupted, reload_memory, save, stop, trap};
use crate::interpreter::dispatch::{Ip, Machine, Regs, Stop, handler, word};
use crate::interpreter::value::{Address, Source, Value};
use crate::interpreter::{Function, frame};
use crate::module::{DefinedFunc, FuncIndex};
use crate::runtime::context::{FuncRef, InstanceContext, StoreContext, TableDef};
use crate::runtime::store::StoreInner;
use crate::runtime::trap::TrapKind;
use crate::runtime::{Outcome, call as call_any};
use crate::types::TypeId;

/// Slots of a frame's header.
pub const HEADER: u32 = 3;

/// What a call needs of the callee's frame has room.
///
/// # Safety
/// The machine is live.
#[inline(always)]
unsafe fn fits(m: *mut Machine, sp: *mut u64, callee: *const Function) -> bool {
    // SAFETY: by contract.
    unsafe { ((*m).limit as usize).wrapping_sub(sp as usize) as isize >= (*callee).frame_bytes as isize }
}

/// Enters a function of the same instance: its frame starts at `sp`.
macro_rules! enter {
    ($m:ident, $ip:ident, $r:ident, $callee:expr, $sp:expr, $after:expr) => {{
        let callee: *const Function = $callee;
        let sp: *mut u64 = $sp;
        if !fits($m, sp, callee) {
            return trap($m, $ip, $r.sp, TrapKind::StackExhausted);
        }
        if (*(*$m).interrupt).load(Ordering::Relaxed) != 0 {
            return interrupted($m, $ip, $r.sp, $r.mem, $r.len, $r.int, $r.f32, $r.f64);
        }
        let header = sp.add((*callee).header as usize);
        header.write($after as u64);
        header.add(1).write((*$m).function as u64);
        header.add(2).write((*$m).context as u64);
        (*$m).function = callee;
        $r.sp = sp;
        $r.next($m, (*callee).entry)
    }};
}

handler! {
    /// Calls the defined function in word 2; word 3 is the distance.
    fn call[](m, ip, r) {
        let callee = (*(*m).functions.add(word(ip, 2) as usize)).interpreted.load(Ordering::Acquire);
        let sp = r.sp.add(word(ip, 3) as usize);
        if callee.is_null() {
            return call_slow(m, ip, r.sp, r.mem, r.len, r.int);
        }
        enter!(m, ip, r, callee, sp, ip.add(4))
    }

    /// Calls the imported function whose reference is at the offset in word 2 of the context; word 3 is the distance.
    fn call_import[](m, ip, r) {
        let func = (*m).context.cast::<u8>().add(word(ip, 2) as usize).cast::<FuncRef>();
        call_reference(m, ip, r.sp, func, 4)
    }

    /// `call_indirect`: offset of the table in the context, type, index, distance.
    fn call_indirect[I: Address, A: Source](m, ip, r) {
        let index = A::get::<I>(ip, 4, &r).wide();
        let size = 5 + A::words::<I>();
        let func = match resolve(m, index, word(ip, 2), word(ip, 3)) {
            Ok(func) => func,
            Err(kind) => return trap(m, ip, r.sp, kind),
        };
        if (*func).context != (*m).context.cast() {
            return call_reference(m, ip, r.sp, func, size);
        }
        let callee = (*interpreted(m, func)).load(Ordering::Acquire);
        if callee.is_null() {
            return call_reference(m, ip, r.sp, func, size);
        }
        let sp = r.sp.add(word(ip, size - 1) as usize);
        enter!(m, ip, r, callee, sp, ip.add(size))
    }

    /// `call_ref` of the function in the slot of word 2; word 3 is the distance.
    fn call_ref[](m, ip, r) {
        let func = r.sp.add(word(ip, 2) as usize).read() as *const FuncRef;
        if func.is_null() {
            return trap(m, ip, r.sp, TrapKind::NullFunction);
        }
        if (*func).context != (*m).context.cast() {
            return call_reference(m, ip, r.sp, func, 4);
        }
        let callee = (*interpreted(m, func)).load(Ordering::Acquire);
        if callee.is_null() {
            return call_reference(m, ip, r.sp, func, 4);
        }
        let sp = r.sp.add(word(ip, 3) as usize);
        enter!(m, ip, r, callee, sp, ip.add(4))
    }

    /// Tail call of the function in the slot of word 2, then as [`return_call`].
    fn return_call_ref[](m, ip, r) {
        let func = r.sp.add(word(ip, 2) as usize).read() as *const FuncRef;
        if func.is_null() {
            return trap(m, ip, r.sp, TrapKind::NullFunction);
        }
        tail_call(m, ip, r.sp, func, 3)
    }

    /// Tail call of the defined function in word 2: distance of the arguments, their slots, own header.
    fn return_call[](m, ip, r) {
        let func = (*m).context.cast::<u8>().add(word(ip, 2) as usize).cast::<FuncRef>();
        tail_call(m, ip, r.sp, func, 3)
    }

    /// Tail call through a table: offset of the table, type, index, then as [`return_call`].
    fn return_call_indirect[I: Address, A: Source](m, ip, r) {
        let index = A::get::<I>(ip, 4, &r).wide();
        match resolve(m, index, word(ip, 2), word(ip, 3)) {
            Ok(func) => tail_call(m, ip, r.sp, func, 4 + A::words::<I>()),
            Err(kind) => trap(m, ip, r.sp, kind),
        }
    }

    /// Returns nothing; word 2 is the own header.
    fn ret[](m, ip, r) {
        let header = r.sp.add(word(ip, 2) as usize);
        back(m, r, header.read(), header.add(1).read(), header.add(2).read())
    }

    /// Returns a row of slots; word 2 is the own header, word 3 the first slot, word 4 how many.
    fn ret_row[](m, ip, r) {
        let header = r.sp.add(word(ip, 2) as usize);
        // The results may lie over the header.
        let (after, function, context) = (header.read(), header.add(1).read(), header.add(2).read());
        r.sp.add(word(ip, 3) as usize).copy_to(r.sp, word(ip, 4) as usize);
        back(m, r, after, function, context)
    }

    /// Returns one value, word 2 is the own header.
    fn ret_one[T: Value, A: Source](m, ip, r) {
        let value = A::get::<T>(ip, 3, &r);
        let header = r.sp.add(word(ip, 2) as usize);
        let after = header.read();
        let function = header.add(1).read();
        let context = header.add(2).read();
        value.store(r.sp);
        value.to_acc(&mut r);
        back(m, r, after, function, context)
    }
}

#[inline(always)]
unsafe fn back(m: *mut Machine, mut r: Regs, after: u64, function: u64, context: u64) -> Stop {
    // SAFETY: the three were in the running function's header.
    unsafe {
        let after = after as Ip;
        (*m).function = function as *const Function;
        r.sp = r.sp.sub(after.sub(1).read() as usize);
        if context != (*m).context as u64 {
            return switch(m, after, r.sp, context as *mut InstanceContext, r.int, r.f32, r.f64);
        }
        r.next(m, after)
    }
}

/// Goes on in another instance.
#[inline(never)]
unsafe extern "C" fn switch(
    m: *mut Machine,
    ip: Ip,
    sp: *mut u64,
    context: *mut InstanceContext,
    int: u64,
    f32: f32,
    f64: f64,
) -> Stop {
    // SAFETY: the frame at `sp` belongs to that instance.
    unsafe {
        let (mem, len) = enter_instance(m, context);
        Regs { sp, mem, len, int, f32, f64 }.next(m, ip)
    }
}

/// Makes an instance the machine's; gives its memory.
///
/// # Safety
/// The context is live.
#[inline(never)]
pub unsafe fn enter_instance(m: *mut Machine, context: *mut InstanceContext) -> (*mut u8, usize) {
    // SAFETY: by contract.
    unsafe {
        (*m).context = context;
        (*m).functions = (*(*context).code).functions().as_ptr();
        let mut regs = Regs::at(std::ptr::null_mut());
        reload_memory(context, &mut regs);
        (regs.mem, regs.len)
    }
}

/// The function in a table's cell, checked.
#[inline(always)]
unsafe fn resolve(m: *mut Machine, index: u64, table: u32, ty: u32) -> Result<*const FuncRef, TrapKind> {
    // SAFETY: the offset is that of a table in the context; cells of a table of functions hold null or live references.
    unsafe {
        let table = (*m).context.cast::<u8>().add(table as usize).cast::<*const TableDef>().read();
        if index as usize >= (*table).len {
            return Err(TrapKind::UndefinedElement);
        }
        let func = (*table).base.add(index as usize).read() as *const FuncRef;
        if func.is_null() {
            return Err(TrapKind::UninitializedElement);
        }
        if (*func).type_id != TypeId(ty) && !is_subtype(func, TypeId(ty)) {
            return Err(TrapKind::IndirectCallTypeMismatch);
        }
        Ok(func)
    }
}

/// Whether a function's type, which is another, is a subtype of a type.
#[cold]
#[inline(never)]
unsafe fn is_subtype(func: *const FuncRef, of: TypeId) -> bool {
    // SAFETY: a live function's store lives, and its context begins with it.
    unsafe {
        let store = (*func).context.cast::<*mut StoreContext>().read();
        StoreInner::of(store).engine.types.is_subtype((*func).type_id, of)
    }
}

/// Where the translation of a function of the machine's instance is published.
#[inline(always)]
unsafe fn interpreted(m: *mut Machine, func: *const FuncRef) -> *const std::sync::atomic::AtomicPtr<Function> {
    // SAFETY: the function is one of the instance's, so its index is in range; an imported one has another context.
    unsafe {
        let imported = (*(*(*m).context).code).module.imported.functions;
        &raw const (*(*m).functions.add(((*func).index - imported) as usize)).interpreted
    }
}

/// The translation of a function that the interpreter runs, made now if need be; `None` for functions
/// of the host or of the other tier.
///
/// # Safety
/// `func` is live.
#[inline(never)]
pub unsafe fn translation(func: *const FuncRef) -> Option<*const Function> {
    // SAFETY: by contract; the context of a function that is not the host's is an instance's.
    unsafe {
        if (*func).is_host() {
            return None;
        }
        let context: *mut InstanceContext = (*func).context.cast();
        let code = &*(*context).code;
        code.interpreted(code.module.defined(FuncIndex((*func).index))?).map(std::ptr::from_ref)
    }
}

/// A call of a function of this instance that has no translation, or is compiled.
#[cold]
#[inline(never)]
unsafe extern "C" fn call_slow(m: *mut Machine, ip: Ip, sp: *mut u64, _mem: *mut u8, _len: usize, _int: u64) -> Stop {
    // SAFETY: word 2 is a defined function of the instance.
    unsafe {
        let code = &*(*(*m).context).code;
        let index = code.module.func_index(DefinedFunc(word(ip, 2)));
        let func = crate::runtime::operations::func_ref((*m).context, index.0);
        call_reference(m, ip, sp, func, 4)
    }
}

/// A call of any function, from an instruction of `size` words.
#[inline(never)]
unsafe extern "C" fn call_reference(m: *mut Machine, ip: Ip, sp: *mut u64, func: *const FuncRef, size: usize) -> Stop {
    // SAFETY: the arguments stand at the distance in the instruction's last word.
    unsafe {
        let frame = sp.add(word(ip, size - 1) as usize);
        match translation(func) {
            Some(callee) => enter_other(m, ip, sp, func, callee, frame, ip.add(size)),
            None => call_out(m, ip, sp, func, frame, size),
        }
    }
}

/// Enters an interpreted function of any instance.
#[inline(always)]
unsafe fn enter_other(
    m: *mut Machine,
    ip: Ip,
    caller: *mut u64,
    func: *const FuncRef,
    callee: *const Function,
    frame: *mut u64,
    after: Ip,
) -> Stop {
    // SAFETY: as for `call_reference`.
    unsafe {
        let mut r = Regs::at(caller);
        if !fits(m, frame, callee) {
            return trap(m, ip, r.sp, TrapKind::StackExhausted);
        }
        if (*(*m).interrupt).load(Ordering::Relaxed) != 0 && !goes_on(m, ip, r.sp) {
            return stop(m, ip, r.sp);
        }
        let header = frame.add((*callee).header as usize);
        header.write(after as u64);
        header.add(1).write((*m).function as u64);
        header.add(2).write((*m).context as u64);
        (*m).function = callee;
        r.sp = frame;
        (r.mem, r.len) = enter_instance(m, (*func).context.cast());
        r.next(m, (*callee).entry)
    }
}

/// Calls a function of the host or of the other tier.
#[inline(always)]
unsafe fn call_out(m: *mut Machine, ip: Ip, sp: *mut u64, func: *const FuncRef, buffer: *mut u64, size: usize) -> Stop {
    // SAFETY: as for `call_reference`; the frame has room for arguments and results.
    unsafe {
        save(m, ip, sp);
        if call_any((*m).store, func, buffer) != Outcome::Done {
            return failed(m);
        }
        let bits = buffer.read();
        let mut r = Regs {
            sp,
            mem: std::ptr::null_mut(),
            len: 0,
            int: bits,
            f32: f32::from_bits(bits as u32),
            f64: f64::from_bits(bits),
        };
        reload_memory((*m).context, &mut r);
        r.next(m, ip.add(size))
    }
}

/// A tail call of any function: from word `at` on stand the distance of the arguments, how many slots they
/// take, and the running function's header.
#[inline(never)]
unsafe extern "C" fn tail_call(m: *mut Machine, ip: Ip, sp: *mut u64, func: *const FuncRef, at: usize) -> Stop {
    // SAFETY: the arguments are operands of the running frame, which nobody needs after this.
    unsafe {
        let tail = Tail {
            arguments: sp.add(word(ip, at) as usize),
            params: word(ip, at + 1) as usize,
            header: sp.add(word(ip, at + 2) as usize),
            results: word(ip, at + 3) as usize,
        };
        give_way(m, ip, sp, func, tail)
    }
}

/// A tail call.
pub struct Tail {
    /// The arguments.
    pub arguments: *mut u64,
    /// Slots that they take.
    pub params: usize,
    /// The running frame's header.
    pub header: *mut u64,
    /// Slots of the results.
    pub results: usize,
}

/// Lets a tail call's callee take the running frame's place.
///
/// # Safety
/// The arguments are in the running frame, with room for the results, and nobody needs the frame after this.
#[inline(always)]
pub unsafe fn give_way(m: *mut Machine, ip: Ip, sp: *mut u64, func: *const FuncRef, tail: Tail) -> Stop {
    // SAFETY: by contract.
    unsafe {
        let Tail { arguments, params, header, results } = tail;
        let (after, function, context) = (header.read(), header.add(1).read(), header.add(2).read());
        let translation = translation(func);
        if let Some(callee) = translation {
            if !fits(m, sp, callee) {
                return trap(m, ip, sp, TrapKind::StackExhausted);
            }
            if (*(*m).interrupt).load(Ordering::Relaxed) != 0 && !goes_on(m, ip, sp) {
                return stop(m, ip, sp);
            }
            arguments.copy_to(sp, params);
            let header = sp.add((*callee).header as usize);
            header.write(after);
            header.add(1).write(function);
            header.add(2).write(context);
            (*m).function = callee;
            let (mem, len) = enter_instance(m, (*func).context.cast());
            return Regs { sp, mem, len, int: 0, f32: 0.0, f64: 0.0 }.next(m, (*callee).entry);
        }
        if after as Ip == frame::bottom() {
            let store = (*m).store;
            (*store).tail_callee = func;
            (*store).tail_arguments = arguments;
            (*m).outcome = Outcome::TailCall;
            return Stop::Over;
        }
        // Not at the bottom: an ordinary call, then a return. The header survives it: results go where
        // the arguments were.
        save(m, ip, sp);
        // What this frame would catch is not for the callee, which stands in for it.
        (*m).activation.replaced = 1;
        let outcome = call_any((*m).store, func, arguments);
        (*m).activation.replaced = 0;
        if outcome != Outcome::Done {
            return failed(m);
        }
        arguments.copy_to(sp, results);
        finish(m, sp, after, function, context)
    }
}

/// Returns from a frame whose results are at `sp`, and which something else stood in for; the three were in its header.
///
/// # Safety
/// As for a return.
#[inline(always)]
pub unsafe fn finish(m: *mut Machine, sp: *mut u64, after: u64, function: u64, context: u64) -> Stop {
    // SAFETY: by contract; there is at least the header to read.
    unsafe {
        let bits = sp.read();
        (*m).function = function as *const Function;
        let sp = sp.sub((after as Ip).sub(1).read() as usize);
        let context = context as *mut InstanceContext;
        switch(m, after as Ip, sp, context, bits, f32::from_bits(bits as u32), f64::from_bits(bits))
    }
}
