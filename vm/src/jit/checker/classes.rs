//! What each value of a function is, as far as the collector is concerned.
//!
//! A value's class only ever rises while the passes go on, so that they end.

use cranelift_codegen::entity::SecondaryMap;
use cranelift_codegen::ir::{Block, BlockArg, Inst, InstructionData, Opcode, Value, ValueDef};

use super::{Access, Code};

/// What a value is. Where ways meet, the higher one counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Not reached yet.
    #[default]
    Unknown,
    /// A reference that is never moved: null, or a small integer as a constant or just made.
    Small,
    /// Anything that has nothing to do with references.
    Plain,
    /// The base of the heap, or a place of its tables.
    Base,
    /// A reference.
    Reference,
    /// A place inside of an object, counted from the heap's base, or a number of it, as that of a card.
    Inside,
    /// The address of an object, or inside of one.
    Address,
}

impl Class {
    /// Whether it may be taken for a reference.
    pub fn is_reference(self) -> bool {
        matches!(self, Self::Small | Self::Reference)
    }

    /// Whether it is worth nothing once objects have moved.
    pub fn goes_stale(self) -> bool {
        self >= Self::Reference
    }

    fn plus(self, other: Self) -> Self {
        match (self.min(other), self.max(other)) {
            (Self::Unknown, _) => Self::Unknown,
            (_, Self::Address) => Self::Address,
            (Self::Base, Self::Base) => Self::Plain,
            // Null, as something that is not moved.
            (Self::Small, Self::Base) => Self::Address,
            (Self::Plain, Self::Base) => Self::Base,
            (Self::Base, _) => Self::Address,
            (_, Self::Reference | Self::Inside) => Self::Inside,
            _ => Self::Plain,
        }
    }
}

/// The classes of a function's values.
pub type Classes = SecondaryMap<Value, Class>;

/// Finds the classes of all values.
pub fn classify(code: &Code<'_>) -> Classes {
    let mut classes = Classes::new();
    if let Some(entry) = code.func.layout.entry_block() {
        let params = code.func.dfg.block_params(entry);
        for (at, param) in params.iter().enumerate() {
            // Before a function's own stand the context and the function.
            let ty = at.checked_sub(2).and_then(|at| code.ty.params().get(at));
            classes[*param] = if ty.is_some_and(|ty| ty.is_traced()) { Class::Reference } else { Class::Plain };
        }
    }
    let mut again = true;
    while again {
        again = false;
        let mut raise = |classes: &mut Classes, value: Value, class: Class| {
            if class > classes[value] {
                classes[value] = class;
                again = true;
            }
        };
        for block in code.func.layout.blocks() {
            for inst in code.func.layout.block_insts(block) {
                for value in code.func.dfg.inst_results(inst) {
                    let class = class_of(code, &classes, inst, *value);
                    raise(&mut classes, *value, class);
                }
            }
            code.edges(block, |target, args| {
                for (param, arg) in code.func.dfg.block_params(target).iter().zip(args) {
                    let given = match arg {
                        BlockArg::Value(value) => classes[value],
                        BlockArg::TryCallRet(at) if returned(code, block, at) => Class::Reference,
                        _ => Class::Plain,
                    };
                    let class = if code.claims.born.contains(param) { Class::Reference } else { given };
                    raise(&mut classes, *param, class);
                }
            });
        }
    }
    classes
}

/// The class of an instruction's result, from those of its arguments.
fn class_of(code: &Code<'_>, classes: &Classes, inst: Inst, result: Value) -> Class {
    debug_assert!(matches!(code.func.dfg.value_def(result), ValueDef::Result(..)));
    let args = code.args(inst);
    let opcode = code.opcode(inst);
    match opcode {
        Opcode::Iconst => match code.constant(result) {
            Some(number) if number == 0 || number & 1 == 1 => Class::Small,
            _ => Class::Plain,
        },
        Opcode::Uextend | Opcode::Sextend | Opcode::Ireduce | Opcode::Bitcast => classes[args[0]],
        Opcode::Select | Opcode::SelectSpectreGuard => classes[args[1]].max(classes[args[2]]),
        Opcode::Iadd | Opcode::Isub => classes[args[0]].plus(classes[args[1]]),
        // A small integer is made, by the bit that tells it from an object.
        Opcode::Bor if args.iter().any(|arg| code.constant(*arg).is_some_and(|number| number & 1 == 1)) => Class::Small,
        // The number in a small integer, or that of the card that a place is in.
        Opcode::Ushr if classes[args[0]] == Class::Reference => Class::Plain,
        Opcode::Ushr => classes[args[0]].max(Class::Plain),
        _ if opcode.can_load() => loaded(code, inst, result),
        _ if opcode.is_call() => called(code, inst, result),
        _ => Class::Plain,
    }
}

/// Whether the call that ends a block returns a reference at a place.
fn returned(code: &Code<'_>, block: Block, at: u32) -> bool {
    code.func.layout.last_inst(block).is_some_and(|call| code.returns_reference(call, at as usize))
}

fn called(code: &Code<'_>, call: Inst, result: Value) -> Class {
    let at = code.func.dfg.inst_results(call).iter().position(|own| *own == result);
    let by_type = at.is_some_and(|at| code.returns_reference(call, at));
    if by_type || code.claims.born.contains(&result) { Class::Reference } else { Class::Plain }
}

fn loaded(code: &Code<'_>, inst: Inst, result: Value) -> Class {
    if code.claims.born.contains(&result) || matches!(code.access(inst), Some(Access::Load(_))) {
        return Class::Reference;
    }
    let is_base = matches!(code.func.dfg.insts[inst], InstructionData::Load { .. }) && code.is_heap_base(result);
    if is_base { Class::Base } else { Class::Plain }
}
