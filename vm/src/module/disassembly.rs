//! A function's bytecode as text: one operator a line, with its byte offset in the module.

use std::fmt::{self, Display, Write};

use wasmparser::{BinaryReader, BlockType, Catch, FunctionBody, HeapType, MemArg, MemArgTarget, Operator};

use super::{Escaped, FuncIndex, Module};
use crate::types::FuncType;

impl Module {
    /// Writes the bytecode of a function in the operators' names of the text format, an imported
    /// function as what is imported. The guest's words in it are escaped.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn disassemble(&self, func: FuncIndex, out: &mut dyn Write) -> fmt::Result {
        let name = FuncName(self, func);
        let ty = Signature(self.func_type(func));
        let Some(defined) = self.defined(func) else { return writeln!(out, "(import func {}{name}{ty})", func.0) };
        writeln!(out, "(func {}{name}{ty}", func.0)?;
        let start = self.bodies[defined.index()].bytes.start;
        let body = FunctionBody::new(BinaryReader::new(self.body(defined), start as u64));
        // Reading a verified body cannot fail.
        for (count, ty) in body.get_locals_reader().into_iter().flatten().map_while(Result::ok) {
            writeln!(out, "{:10}(local {count} × {ty})", "")?;
        }
        let Ok(mut operators) = body.get_operators_reader() else { return Ok(()) };
        let mut depth = 1;
        while !operators.is_end_then_eof()
            && let Ok((operator, offset)) = operators.read_with_offset()
        {
            if matches!(operator, Operator::End | Operator::Else) {
                depth -= 1;
            }
            write!(out, "{offset:08x}  {:indent$}{}", "", mnemonic(&operator), indent = 2 * depth.min(DEEPEST))?;
            self.immediates(&operator, out)?;
            writeln!(out)?;
            let opens = matches!(
                operator,
                Operator::Block { .. }
                    | Operator::Loop { .. }
                    | Operator::If { .. }
                    | Operator::TryTable { .. }
                    | Operator::Else
            );
            depth += usize::from(opens);
        }
        writeln!(out, ")")
    }

    fn immediates(&self, operator: &Operator<'_>, out: &mut dyn Write) -> fmt::Result {
        match operator {
            Operator::Call { function_index }
            | Operator::ReturnCall { function_index }
            | Operator::RefFunc { function_index } => {
                write!(out, " {function_index}{}", FuncName(self, FuncIndex(*function_index)))
            }
            Operator::CallIndirect { type_index, table_index }
            | Operator::ReturnCallIndirect { type_index, table_index } => {
                let ty = self.types.get(*type_index as usize).and_then(|ty| ty.func());
                write!(out, " {table_index}")?;
                ty.map_or(Ok(()), |ty| write!(out, "{}", Signature(ty)))
            }
            Operator::Block { blockty } | Operator::Loop { blockty } | Operator::If { blockty } => {
                self.block_type(*blockty, out)
            }
            Operator::TryTable { try_table } => {
                self.block_type(try_table.ty, out)?;
                try_table.catches.iter().try_for_each(|catch| match catch {
                    Catch::One { tag, label } => write!(out, " (catch {tag} {label})"),
                    Catch::OneRef { tag, label } => write!(out, " (catch_ref {tag} {label})"),
                    Catch::All { label } => write!(out, " (catch_all {label})"),
                    Catch::AllRef { label } => write!(out, " (catch_all_ref {label})"),
                })
            }
            Operator::BrTable { targets } => targets
                .targets()
                .chain([Ok(targets.default())])
                .flatten()
                .try_for_each(|target| write!(out, " {target}")),
            Operator::F32Const { value } => {
                let number = f32::from_bits(value.bits());
                float(number.is_nan(), value.bits() & 0x7f_ffff, number.is_sign_negative(), &number, out)
            }
            Operator::F64Const { value } => {
                let number = f64::from_bits(value.bits());
                float(number.is_nan(), value.bits() & 0xf_ffff_ffff_ffff, number.is_sign_negative(), &number, out)
            }
            Operator::V128Const { value } => write!(out, " {:#034x}", value.i128()),
            Operator::RefNull { hty } => {
                write!(out, " {}", heap_name(*hty))
            }
            Operator::I8x16Shuffle { lanes } => lanes.iter().try_for_each(|lane| write!(out, " {lane}")),
            Operator::MemoryInit { data_index, mem } => {
                memory(*mem, out)?;
                write!(out, " {data_index}")
            }
            Operator::MemorySize { mem } | Operator::MemoryGrow { mem } | Operator::MemoryFill { mem } => {
                memory(*mem, out)
            }
            Operator::MemoryCopy { dst_mem: 0, src_mem: 0 } => Ok(()),
            Operator::MemoryCopy { dst_mem, src_mem } => write!(out, " {dst_mem} {src_mem}"),
            Operator::TypedSelect { ty } => write!(out, " (result {ty})"),
            other => plain_immediates(other, out),
        }
    }

    fn block_type(&self, ty: BlockType, out: &mut dyn Write) -> fmt::Result {
        match ty {
            BlockType::Empty => Ok(()),
            BlockType::Type(ty) => write!(out, " (result {ty})"),
            BlockType::FuncType(index) => {
                let ty = self.types.get(index as usize).and_then(|ty| ty.func());
                ty.map_or(Ok(()), |ty| write!(out, "{}", Signature(ty)))
            }
        }
    }
}

/// A heap type as the text format has it after an operator.
fn heap_name(ty: HeapType) -> String {
    match ty {
        HeapType::Concrete(index) | HeapType::Exact(index) => {
            index.as_module_index().map_or_else(String::new, |index| index.to_string())
        }
        ty => super::heap_type(ty, |_| crate::types::HeapType::Any).to_string(),
    }
}

/// Blocks within one another beyond this are not indented further.
const DEEPEST: usize = 40;

/// A memory's index, which is left out where it is zero.
fn memory(index: u32, out: &mut dyn Write) -> fmt::Result {
    if index == 0 { Ok(()) } else { write!(out, " {index}") }
}

/// A constant in the text format's way: NaN with its payload.
fn float(
    nan: bool,
    payload: impl fmt::LowerHex,
    negative: bool,
    number: &dyn fmt::Debug,
    out: &mut dyn Write,
) -> fmt::Result {
    match nan {
        true => write!(out, " {}nan:{payload:#x}", if negative { "-" } else { "" }),
        false => write!(out, " {number:?}"),
    }
}

/// ` $name` of a function, nothing if it has none.
struct FuncName<'a>(&'a Module, FuncIndex);

impl Display for FuncName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.names.function(self.1).map_or(Ok(()), |name| write!(f, " ${}", Escaped(name)))
    }
}

/// ` (param …) (result …)`, without what is empty.
struct Signature<'a>(&'a FuncType);

impl Display for Signature<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (title, types) in [("param", self.0.params()), ("result", self.0.results())] {
            if !types.is_empty() {
                write!(f, " ({title}")?;
                types.iter().try_for_each(|ty| write!(f, " {ty}"))?;
                f.write_str(")")?;
            }
        }
        Ok(())
    }
}

/// Numbers after an operator's name, as the text format has them.
trait Immediate {
    fn show(&self, out: &mut dyn Write) -> fmt::Result;
}

macro_rules! immediate_as {
    ($format:literal: $($ty:ty)*) => {
        $(impl Immediate for $ty {
            fn show(&self, out: &mut dyn Write) -> fmt::Result {
                write!(out, $format, self)
            }
        })*
    };
}

immediate_as!(" {}": u8 u32 i32 i64 wasmparser::ValType);
// These are shown above, or belong to proposals that no verified module uses.
immediate_as!(" {:?}": wasmparser::RefType wasmparser::Ieee32 wasmparser::Ieee64 wasmparser::V128 BlockType HeapType [u8; 16]
    wasmparser::BrTable<'_> wasmparser::Ordering wasmparser::ResumeTable wasmparser::TryTable Vec<wasmparser::ValType>);

impl Immediate for MemArg {
    fn show(&self, out: &mut dyn Write) -> fmt::Result {
        if let MemArgTarget::Memory(index) = self.target {
            memory(index, out)?;
        }
        if self.offset != 0 {
            write!(out, " offset={}", self.offset)?;
        }
        if self.align != self.max_align {
            write!(out, " align={}", 1u32 << self.align)?;
        }
        Ok(())
    }
}

macro_rules! define_printers {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        fn plain_immediates(operator: &Operator<'_>, out: &mut dyn Write) -> fmt::Result {
            match operator {
                $(Operator::$op $({ $($arg),* })? => { $($($arg.show(out)?;)*)? })*
                _ => {}
            }
            Ok(())
        }

        fn visitor_name(operator: &Operator<'_>) -> &'static str {
            match operator {
                $(Operator::$op $({ $($arg: _),* })? => stringify!($visit),)*
                _ => "visit_unknown",
            }
        }
    };
}

wasmparser::for_each_operator!(define_printers);

/// What stands before the dot in operators' names.
const PREFIXES: [&str; 18] = [
    "i32", "i64", "f32", "f64", "v128", "i8x16", "i16x8", "i32x4", "i64x2", "f32x4", "f64x2", "local", "global",
    "table", "memory", "ref", "elem", "data",
];

/// An operator's name in the text format.
fn mnemonic(operator: &Operator<'_>) -> Mnemonic {
    Mnemonic(match operator {
        Operator::TypedSelect { .. } => "select",
        Operator::TryTable { .. } => "try_table",
        Operator::ThrowRef => "throw_ref",
        _ => visitor_name(operator).trim_start_matches("visit_"),
    })
}

struct Mnemonic(&'static str);

impl Display for Mnemonic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.split_once('_') {
            Some((prefix, rest)) if PREFIXES.contains(&prefix) => write!(f, "{prefix}.{rest}"),
            _ => f.write_str(self.0),
        }
    }
}
