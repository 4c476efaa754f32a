//! Frames of a run that stands at a call: how they are read, to be written down, and made again in another process.
//!
//! What a frame holds does not depend on its translation: locals, and the operands below the call's arguments, each of a type that the
//! verifier saw. In between, the place is that of an operator in the module. So a run can go on under other settings than those that it
//! was written down under, if only all of its operands stood in their own slots then ([`suspends`](crate::runtime::config::CodeConfig)).

use std::collections::HashMap;
use std::ops::ControlFlow;

use wasmparser::{BinaryReader, Operator, OperatorsReader};

use super::dispatch::{Machine, run};
use super::frame::{bottom, refuse, walk};
use super::handlers::calls::enter_instance;
use super::{Function, call_site};
use crate::module::{FuncIndex, Module, TypeIndex};
use crate::runtime::Outcome;
use crate::runtime::activation::{pop, push};
use crate::runtime::code::ModuleCode;
use crate::runtime::context::{Activation, InstanceContext, StoreContext};
use crate::runtime::trap::TrapKind;
use crate::types::ValType;

pub use crate::runtime::debug::Slot;

/// A call, and what is in its frame before it.
#[derive(Clone, Debug)]
pub struct CallSite {
    /// The locals.
    pub locals: Vec<Slot>,
    /// The operands, the deepest first, the call's own among them.
    pub operands: Vec<Slot>,
    /// The instruction's first word.
    pub at: u32,
    /// The word after its last one.
    pub end: u32,
}

/// What a call calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Callee {
    /// The function, if the call names it.
    pub func: Option<FuncIndex>,
    /// The function's type.
    pub ty: TypeIndex,
    /// How many operands the call takes.
    pub operands: usize,
}

/// A frame that was read: function, offset of the call in the module, and its values, each with its type.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The function.
    pub func: FuncIndex,
    /// The offset of the call that it stands at.
    pub offset: u32,
    /// Its locals and operands. Of the newest frame with the arguments of the call, which is still to be made.
    pub values: Vec<(ValType, u128)>,
}

/// A frame to be made.
#[derive(Debug)]
pub struct Ready {
    /// Its function's translation.
    pub function: *const Function,
    /// The word that it goes on with: after its call, or that of the call itself for the newest frame.
    pub word: u32,
    /// Its slots, and what is in them.
    pub slots: Vec<(u32, u64)>,
}

/// Why frames cannot be read.
///
/// ```
/// use pinfold_vm::api::SnapshotError;
/// use pinfold_vm::interpreter::suspended::Unreadable;
///
/// let error = SnapshotError::Stack(Unreadable::Indirect);
/// assert!(error.to_string().contains("in a tail call"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unreadable {
    /// Something other than a frame of this instance is among them.
    Foreign,
    /// The newest frame's function does not call by itself, but by a reference, or as its own last act.
    Indirect,
}

/// Finds calls, each once.
pub struct Sites<'a> {
    code: &'a ModuleCode,
    known: HashMap<(FuncIndex, u32), Option<CallSite>>,
}

impl<'a> Sites<'a> {
    /// Those of a module.
    pub fn new(code: &'a ModuleCode) -> Self {
        Self { code, known: HashMap::new() }
    }

    /// The call at an offset in the module, if there is one.
    pub fn get(&mut self, func: FuncIndex, offset: u32) -> Option<&CallSite> {
        let code = self.code;
        let defined = code.module.defined(func)?;
        let site = || call_site(&code.module, &code.config, defined, offset);
        self.known.entry((func, offset)).or_insert_with(site).as_ref()
    }
}

/// What the operator at an offset calls; nothing if it is no call, or a tail call.
pub fn callee(module: &Module, offset: u32) -> Option<Callee> {
    let bytes = module.bytes.get(offset as usize..)?;
    let operator = OperatorsReader::new(BinaryReader::new(bytes, u64::from(offset))).read().ok()?;
    let (func, ty) = match operator {
        Operator::Call { function_index } => {
            (Some(FuncIndex(function_index)), *module.functions.get(function_index as usize)?)
        }
        Operator::CallIndirect { type_index, .. } | Operator::CallRef { type_index } => (None, TypeIndex(type_index)),
        _ => return None,
    };
    let params = module.types.get(ty.index())?.func()?.params().len();
    Some(Callee { func, ty, operands: params + usize::from(func.is_none()) })
}

/// Reads the frames of an activation, the oldest first.
///
/// # Safety
/// As for [`walk`]; the newest frame's instruction calls a function of the host. The code was made to be [suspended](self).
pub unsafe fn read(activation: &Activation, context: *mut InstanceContext) -> Result<Vec<Frame>, Unreadable> {
    if activation.replaced != 0 {
        return Err(Unreadable::Indirect);
    }
    // SAFETY: by contract the context is live.
    let code = unsafe { &*(*context).code };
    let mut sites = Sites::new(code);
    let (mut frames, mut failed) = (Vec::new(), None);
    let mut look = |of: *mut InstanceContext, function: &Function, word: u32, sp: *mut u64| {
        let (func, offset) = (function.index, function.offset(word));
        let is_newest = frames.is_empty();
        let called = if of == context { callee(&code.module, offset) } else { None };
        let why = if is_newest { Unreadable::Indirect } else { Unreadable::Foreign };
        let (Some(callee), Some(site)) = (called, sites.get(func, offset)) else {
            failed = Some(if of == context { why } else { Unreadable::Foreign });
            return ControlFlow::Break(());
        };
        if is_newest && callee.func.is_none() {
            failed = Some(Unreadable::Indirect);
            return ControlFlow::Break(());
        }
        let left = site.operands.len() - if is_newest { 0 } else { callee.operands };
        let slots = site.locals.iter().chain(&site.operands[..left]);
        // SAFETY: slots of the frame, whose code does not run meanwhile.
        let values = slots.map(|&(slot, ty)| (ty, unsafe { value(sp.add(slot as usize), ty) })).collect();
        frames.push(Frame { func, offset, values });
        ControlFlow::Continue(())
    };
    // SAFETY: by contract.
    unsafe { walk(activation, &mut look) };
    frames.reverse();
    failed.map_or(Ok(frames), Err)
}

/// The bits of a value.
///
/// # Safety
/// It has as many slots as its type says.
unsafe fn value(at: *const u64, ty: ValType) -> u128 {
    // SAFETY: by contract.
    unsafe {
        match ty {
            ValType::V128 => u128::from(at.read()) | u128::from(at.add(1).read()) << 64,
            ValType::I32 | ValType::F32 => u128::from(at.read() as u32),
            _ => u128::from(at.read()),
        }
    }
}

/// Makes frames, the oldest first, and goes on in the newest one. The results of the oldest go to the buffer.
///
/// # Safety
/// Execution is on the guest's stack, where nothing else runs. The frames are of functions of this instance, each called by the call of the
/// one before it, with values of the types that are there; the newest goes on with a call. The buffer has room for the oldest one's results.
pub unsafe fn resume(
    store: *mut StoreContext,
    context: *mut InstanceContext,
    frames: &[Ready],
    buffer: *mut u64,
) -> Outcome {
    // SAFETY: by contract.
    unsafe {
        let base = (*store).value_top;
        let (mut sp, mut after, mut caller): (_, _, *const Function) = (base, bottom(), std::ptr::null());
        let mut newest: Option<(&Ready, *mut u64)> = None;
        for frame in frames {
            if let Some((older, at)) = newest {
                after = (*older.function).entry.add(older.word as usize);
                sp = at.add(after.sub(1).read() as usize);
                caller = older.function;
            }
            let room = ((*store).value_limit as usize).saturating_sub(sp as usize);
            if room < (*frame.function).frame_bytes {
                return refuse(store, TrapKind::StackExhausted);
            }
            let header = sp.add((*frame.function).header as usize);
            header.write(after as u64);
            header.add(1).write(caller as u64);
            header.add(2).write(context as u64);
            frame.slots.iter().for_each(|&(slot, word)| sp.add(slot as usize).write(word));
            newest = Some((frame, sp));
        }
        let Some((frame, sp)) = newest else { return Outcome::Done };
        let mut machine = Machine::new(store, context, frame.function, sp);
        let m = &raw mut machine;
        (*m).activation.data = m.cast();
        push(store, &raw mut (*m).activation);
        let mut regs = super::dispatch::Regs::at(sp);
        (regs.mem, regs.len) = enter_instance(m, context);
        run(m, (*frame.function).entry.add(frame.word as usize), regs);
        pop(store, &raw mut (*m).activation);
        (*store).value_top = base;
        if (*m).outcome == Outcome::Done {
            let code = &*(*context).code;
            let oldest = frames.first().map_or(FuncIndex(0), |frame| (*frame.function).index);
            base.copy_to(buffer, code.module.func_type(oldest).result_slots());
        }
        (*m).outcome
    }
}
