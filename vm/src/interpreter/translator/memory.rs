//! Loads and stores of numbers.

use wasmparser::{MemArg, MemArgTarget};

use super::Translator;
use super::numeric::type_of;
use super::operands::operand;
use crate::interpreter::handlers::memory::{
    Form, Memory, Near32, Near64, far_load_handlers, far_store_handler, load_handlers, load_sum_handlers, store_handler,
};
use crate::interpreter::operators::{Load, Store};

/// Where an access goes, but for the address: how the instruction says it, and its last words.
pub struct Where {
    /// How.
    pub form: Form,
    words: [u32; 3],
    len: usize,
}

impl Where {
    /// The instruction's last words.
    pub fn words(&self) -> &[u32] {
        &self.words[..self.len]
    }
}

impl Translator<'_> {
    /// Where an access with this argument goes.
    pub fn place(&self, memarg: &MemArg) -> Where {
        let memory = match memarg.target {
            MemArgTarget::Memory(memory) => memory,
            // The verifier admits no arrays.
            MemArgTarget::Array(_) => 0,
        };
        let is_64 = self.module.memories[memory as usize].address.is_64();
        if memory == 0
            && let Ok(offset) = u32::try_from(memarg.offset)
        {
            let form = if is_64 { Form::Near64 } else { Form::Near32 };
            return Where { form, words: [offset, 0, 0], len: 1 };
        }
        let form = if is_64 { Form::Far64 } else { Form::Far32 };
        let words = [self.layout.memory(memory), memarg.offset as u32, (memarg.offset >> 32) as u32];
        Where { form, words, len: 3 }
    }

    /// A load of a number.
    pub fn load<O: Load>(&mut self, memarg: &MemArg) {
        let at = self.place(memarg);
        let far = match at.form {
            Form::Near32 => return self.near_load::<O, Near32>(&at),
            Form::Near64 => return self.near_load::<O, Near64>(&at),
            Form::Far32 => far_load_handlers::<O, u32>(),
            Form::Far64 => far_load_handlers::<O, u64>(),
        };
        let address = self.operands.pop_slot(&mut self.emitter);
        self.emitter.locate(self.offset);
        let [slot, low, high] = at.words;
        self.produce(O::NAME, far, type_of::<O::Out>(), &[], &[address, slot, low, high]);
    }

    fn near_load<O: Load, M: Memory>(&mut self, at: &Where) {
        let (ty, address) = (type_of::<O::Out>(), type_of::<M::Address>());
        if let Some((l, r)) = self.take_back_sum() {
            self.emitter.locate(self.offset);
            let pair = load_sum_handlers::<O, M>(l.from(), r.from());
            return self.produce(O::NAME, pair, ty, &[(address, l), (address, r)], at.words());
        }
        let (src, _) = self.operands.pop(&mut self.emitter);
        self.emitter.locate(self.offset);
        self.produce(O::NAME, load_handlers::<O, M>(src.from()), ty, &[(address, src)], at.words());
    }

    /// A store of a number.
    pub fn store<O: Store>(&mut self, memarg: &MemArg) {
        let at = self.place(memarg);
        let far = match at.form {
            Form::Near32 => return self.near_store::<O, Near32>(&at),
            Form::Near64 => return self.near_store::<O, Near64>(&at),
            Form::Far32 => far_store_handler::<O, u32>(),
            Form::Far64 => far_store_handler::<O, u64>(),
        };
        let value = self.operands.pop_slot(&mut self.emitter);
        let address = self.operands.pop_slot(&mut self.emitter);
        self.emitter.locate(self.offset);
        self.emitter.emit(O::NAME, far, &[address, value]);
        self.emitter.words.extend_from_slice(at.words());
    }

    fn near_store<O: Store, M: Memory>(&mut self, at: &Where) {
        let (value, ty) = self.operands.pop(&mut self.emitter);
        let (address, address_ty) = self.operands.pop(&mut self.emitter);
        self.emitter.locate(self.offset);
        self.emitter.begin(O::NAME, store_handler::<O, M>(address.from(), value.from()));
        operand(&mut self.emitter, address_ty, address);
        operand(&mut self.emitter, ty, value);
        self.emitter.words.extend_from_slice(at.words());
    }
}
