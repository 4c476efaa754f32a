//! How much work a function is for Cranelift, before it is given any.
//!
//! Bytes do not tell: where control flow meets, each local that lives is a parameter of a block there, and around each call and allocation
//! each reference that lives is in a list; and in loops within loops, each time again. A function can be made of which twenty kilobytes
//! take gigabytes and minutes.

use wasmparser::{BinaryReader, BlockType, FunctionBody, Operator};

use crate::module::{DefinedFunc, Module};

/// The most values that blocks and safepoints of a function may have together. The largest functions of CPython and QuickJS have a sixth of it.
const MOST: usize = 1_000_000;

/// Whether a function has so few values where control flow meets, and at safepoints, that it can be compiled.
pub fn is_bounded(module: &Module, func: DefinedFunc) -> bool {
    count(module, func).is_ok_and(|count| count <= MOST)
}

fn count(module: &Module, func: DefinedFunc) -> wasmparser::Result<usize> {
    let body = FunctionBody::new(BinaryReader::new(module.body(func), 0));
    let ty = module.func_type(module.func_index(func));
    let (mut locals, mut references) = (ty.params().len(), ty.params().iter().filter(|ty| ty.is_ref()).count());
    for group in body.get_locals_reader()? {
        let (count, ty) = group?;
        locals += count as usize;
        references += if ty.is_reference_type() { count as usize } else { 0 };
    }
    // How many values a block takes or gives, whichever is more.
    let arity = |ty: BlockType| match ty {
        BlockType::Empty => 0,
        BlockType::Type(_) => 1,
        BlockType::FuncType(index) => {
            let ty = module.types.get(index as usize).and_then(|ty| ty.func());
            ty.map_or(0, |ty| ty.params().len().max(ty.results().len()))
        }
    };
    let (mut values, mut widest) = (0usize, ty.results().len());
    // Of each open block, how many loops it is within.
    let mut open = vec![0usize];
    let mut operators = body.get_operators_reader()?;
    while !operators.eof() {
        let within = open.last().copied().unwrap_or(0);
        let more = match operators.read()? {
            Operator::Block { blockty } | Operator::If { blockty } => {
                open.push(within);
                widest = widest.max(arity(blockty));
                locals + arity(blockty)
            }
            Operator::Loop { blockty } => {
                open.push(within + 1);
                (locals + arity(blockty)) * (within + 1)
            }
            Operator::TryTable { try_table } => {
                open.push(within);
                widest = widest.max(arity(try_table.ty));
                locals + arity(try_table.ty) + try_table.catches.len()
            }
            Operator::End => {
                open.pop();
                0
            }
            Operator::BrTable { targets } => targets.len() as usize * (1 + widest),
            // Whatever may collect the heap: calls, and what makes objects.
            Operator::Call { .. }
            | Operator::CallIndirect { .. }
            | Operator::CallRef { .. }
            | Operator::Throw { .. }
            | Operator::StructNew { .. }
            | Operator::StructNewDefault { .. }
            | Operator::ArrayNew { .. }
            | Operator::ArrayNewDefault { .. }
            | Operator::ArrayNewFixed { .. }
            | Operator::ArrayNewData { .. }
            | Operator::ArrayNewElem { .. } => references,
            _ => 0,
        };
        values = values.saturating_add(more);
    }
    Ok(values)
}
