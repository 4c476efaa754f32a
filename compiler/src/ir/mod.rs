//! The compiler's own language: monomorphic functions over WebAssembly's values.
//!
//! A function is a tree of statements; expressions in it have one value, change nothing and jump nowhere, though they may trap, allocate and read what
//! statements change. Values of several parts are several locals, and where control flow meets, a value waits in locals that each
//! branch assigns. Blocks, loops and jumps are those of WebAssembly, so each statement is a few instructions of it.
//!
//! `lower` makes it from the typed tree (`mono` decides which functions there are, `layout` what values consist of),
//! `optimise` improves it, `bytecode` writes it down.
//!
//! Invariants, kept by all of these:
//! * A local has a value before it is read, on each way through the function. One with a single assignment is read only in the
//!   same turn of the loops around that assignment; so a copy of such a local may stand for it.
//! * An expression that is no number, null, global or local is in one place only, and evaluated once.

pub(crate) mod build;
pub(crate) mod check;
pub(crate) mod layout;
pub(crate) mod lower;
pub(crate) mod mono;
pub(crate) mod optimise;
pub(crate) mod print;
pub(crate) mod reach;
pub(crate) mod resolve;
pub(crate) mod types;
pub(crate) mod visit;

#[cfg(test)]
mod tests;

use std::hash::{Hash, Hasher};
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::source::Span;
use crate::typed::{Implemented, Types};

pub(crate) use types::{FieldDef, Heap, Storage, TypeDef, TypeId, TypeTable, Val};

/// Declares the number of a thing.
macro_rules! ids {
    ($($(#[$doc:meta])* $id:ident)*) => {
        $($(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) struct $id(pub u32);

        impl $id {
            /// As an index.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        })*
    };
}

ids! {
    /// Of [`Module::functions`].
    FuncId
    /// Of [`Module::globals`].
    GlobalId
    /// Of [`Module::data`].
    DataId
    /// Of [`Module::rows`].
    RowId
    /// Of [`Function::locals`]; parameters come first.
    Local
    /// Of a block or loop, each with its own in a function.
    Label
}

/// A number of [`Module::places`]. Code that differs in nothing else is equal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At(pub u32);

impl PartialEq for At {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for At {}

impl Hash for At {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// Where code comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    /// The source.
    pub span: Span,
    /// The function that was written there: a number of [`Module::names`].
    pub function: u32,
    /// Of inlined code, the call that it replaces.
    pub caller: Option<u32>,
}

/// A whole program.
#[derive(Debug, Default)]
pub(crate) struct Module {
    /// Types of objects and functions.
    pub types: TypeTable,
    /// Functions, those of the host among them.
    pub functions: Vec<Function>,
    /// Values made once.
    pub globals: Vec<Global>,
    /// Bytes that objects are made from.
    pub data: Vec<Rc<[u8]>>,
    /// Functions that are called by their place in the table: those of a closure, one, or of an implementation of a trait.
    pub rows: Vec<Vec<FuncId>>,
    /// What the host can call.
    pub exports: Vec<(String, FuncId)>,
    /// Where code comes from.
    pub places: Vec<Place>,
    /// Names of functions, for traces.
    pub names: Vec<Rc<str>>,
    /// What ends the program, by [`Panic`].
    pub panics: [Option<FuncId>; Panic::ALL.len()],
    /// What ends the program if a product of two numbers does not fit.
    pub product: Option<FuncId>,
    /// Of a session's entry: what it has in common with others.
    pub shared: Option<Shared>,
    /// Lists: their type, and the fields with the array and the length. The length is never above the array's.
    pub lists: FxHashSet<TypeId>,
}

impl Module {
    /// Where in the table a row is that an earlier entry has put there.
    pub fn earlier_row(&self, id: RowId) -> Option<u32> {
        self.shared.as_ref()?.earlier_rows.get(&id).copied()
    }

    /// The name of a global that it imports.
    pub fn imports_global(&self, id: GlobalId) -> Option<&Rc<str>> {
        let imports = &self.shared.as_ref()?.imports;
        imports.iter().find(|(global, _)| *global == id).map(|(_, name)| name)
    }
}

/// What a module of a session has in common with others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shared {
    /// Variables of earlier entries.
    pub imports: Vec<(GlobalId, Rc<str>)>,
    /// Variables for later ones.
    pub exports: Vec<(GlobalId, Rc<str>)>,
    /// The name of the module, by which its frames in traces are told from those of others.
    pub name: String,
    /// The first place in the table that is its own.
    pub first_row: u32,
    /// Which rows of the module are of which types.
    pub implemented: Vec<(Implemented, RowId)>,
    /// The types that those are of.
    pub types: Option<Types>,
    /// Those that earlier entries have put into the table: where they are.
    pub earlier_rows: FxHashMap<RowId, u32>,
}

/// What ends a program when an expression has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Panic {
    /// A sum, difference or product that 64 bits do not hold.
    Overflow,
    /// A number of bits to shift by that is not in 0..=63.
    Shift,
    /// An index of an array.
    Index,
}

impl Panic {
    /// Each with what it says.
    pub const ALL: [(Panic, &'static str); 3] = [
        (Panic::Overflow, "integer overflow"),
        (Panic::Shift, "shift by a number that is not in 0..=63"),
        (Panic::Index, "index out of range"),
    ];
}

/// A function.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    /// What it is called in traces: a number of [`Module::names`].
    pub name: u32,
    /// How many of the locals are parameters.
    pub params: usize,
    /// Types of all locals.
    pub locals: Vec<Val>,
    /// Types of the results.
    pub results: Vec<Val>,
    /// What it does.
    pub code: Code,
    /// How many labels it has.
    pub labels: u32,
    /// Of statements that end the program and were taken out of another function: where they are written.
    pub ends: Option<Span>,
}

/// See [`Function`].
#[derive(Clone, Debug)]
pub(crate) enum Code {
    /// The host has it, by this name.
    Import(Rc<str>),
    /// Statements; their end is never reached.
    Body(Vec<Stmt>),
    /// It is not made yet, equals another one that took its place, or is called by nothing.
    Gone,
}

/// A value that functions share.
#[derive(Clone, Debug)]
pub(crate) struct Global {
    /// Its type.
    pub ty: Val,
    /// What it is.
    pub init: Init,
}

/// See [`Global`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Init {
    /// A text.
    Bytes(Rc<[u8]>),
    /// An object that never changes, with this number in it.
    Struct(TypeId, i32),
    /// An object that never changes, with the place of a function in it.
    Function(TypeId, RowId),
    /// A variable: zero or null at first.
    Variable(u32),
}

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Stmt {
    /// Assigns a local.
    Set(Local, Expr),
    /// Calls a function and assigns its results.
    Call(Box<Call>, Vec<Local>),
    /// Assigns a field.
    StructSet(TypeId, u32, Box<[Expr; 2]>, At),
    /// Assigns an element: array, index, value.
    ArraySet(TypeId, Box<[Expr; 3]>, At),
    /// Copies elements: of both array types, to, its index, from, its index, count.
    ArrayCopy(TypeId, TypeId, Box<[Expr; 5]>, At),
    /// Assigns elements: array, index, value, count.
    ArrayFill(TypeId, Box<[Expr; 4]>, At),
    /// Assigns a variable.
    GlobalSet(GlobalId, Expr),
    /// Statements whose end can be jumped to.
    Block(Label, Vec<Stmt>),
    /// Statements whose beginning can be jumped to. Whoever reaches their end goes on behind them.
    Loop(Label, Vec<Stmt>),
    /// One or the other, by a number that is 0 or not.
    If(Expr, Vec<Stmt>, Vec<Stmt>),
    /// Jumps to one of these labels, or to the last where the number is too great.
    Switch(Expr, Vec<Label>, Label),
    /// Jumps to the end of a block or the beginning of a loop.
    Break(Label),
    /// Ends the function.
    Return(Vec<Expr>),
    /// Evaluates for the traps.
    Drop(Expr),
    /// Never reached.
    Unreachable,
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Call {
    /// Of what.
    pub callee: Callee,
    /// The arguments.
    pub args: Vec<Expr>,
    /// Where.
    pub at: At,
}

/// See [`Call`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Callee {
    /// A function.
    Direct(FuncId),
    /// The one at an index of the table, of this type. The index is evaluated after the arguments.
    Table(TypeId, Expr),
}

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Expr {
    /// A number.
    I32(i32),
    /// A number.
    I64(i64),
    /// The bits of a number.
    F64(u64),
    /// No object.
    Null(Heap),
    /// Where functions begin in the table.
    Row(RowId),
    /// A local.
    Local(Local),
    /// A global.
    Global(GlobalId),
    /// Of one number.
    Unary(UnaryOp, Box<Expr>),
    /// Of two.
    Binary(BinaryOp, Box<[Expr; 2]>),
    /// Of two Ints, if there is a result.
    Checked(CheckedOp, Box<[Expr; 2]>, At),
    /// An Int as the index of an element; traps if it cannot be one.
    Index(Box<Expr>, At),
    /// A new object.
    StructNew(TypeId, Vec<Expr>),
    /// A field.
    StructGet(TypeId, u32, Box<Expr>, At),
    /// A new array: element, length.
    ArrayNew(TypeId, Box<[Expr; 2]>, At),
    /// A new array of zeros or nulls.
    ArrayDefault(TypeId, Box<Expr>, At),
    /// A new array of these elements.
    ArrayFixed(TypeId, Vec<Expr>),
    /// A new array from data, of this many elements.
    ArrayData(TypeId, DataId, u32, At),
    /// An element.
    ArrayGet(TypeId, Box<[Expr; 2]>, At),
    /// How many elements an array has.
    ArrayLen(Box<Expr>, At),
    /// A reference that is not null.
    NonNull(Box<Expr>, At),
    /// An object as what it is known to be.
    Cast(Val, Box<Expr>, At),
    /// A handle as an object of any kind.
    FromExtern(Box<Expr>),
    /// And back.
    ToExtern(Box<Expr>),
    /// Whether a reference is null.
    IsNull(Box<Expr>),
    /// Whether two references are the same.
    RefEq(Box<[Expr; 2]>),
    /// A call with one result. Only where code is about to be written down.
    Call(Box<Call>),
}

/// What [`Expr::Unary`] does: WebAssembly's instruction of that name; of 64-bit integers where nothing else is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum UnaryOp {
    Eqz,
    Eqz32,
    Wrap,
    ExtendU,
    Clz,
    Ctz,
    Popcnt,
    FNeg,
    FAbs,
    FFloor,
    FCeil,
    FTrunc,
    FNearest,
    FSqrt,
    FConvertS,
    FConvertU,
    FTruncSatS,
    FBits,
    FFromBits,
}

/// What [`Expr::Binary`] does, likewise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum BinaryOp {
    Add,
    Sub,
    Mul,
    And,
    Or,
    Xor,
    Shl,
    ShrS,
    ShrU,
    Rotl,
    Rotr,
    Eq,
    Ne,
    LtS,
    LeS,
    GtS,
    GeS,
    LtU,
    LeU,
    GtU,
    GeU,
    Add32,
    Sub32,
    And32,
    Or32,
    Xor32,
    Eq32,
    Ne32,
    LtS32,
    LeS32,
    GtS32,
    GeS32,
    LtU32,
    LeU32,
    GtU32,
    GeU32,
    FAdd,
    FSub,
    FMul,
    FDiv,
    FMin,
    FMax,
    FCopysign,
    FEq,
    FNe,
    FLt,
    FLe,
    FGt,
    FGe,
}

/// What [`Expr::Checked`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum CheckedOp {
    Add,
    Sub,
    Mul,
    DivS,
    RemS,
    DivU,
    RemU,
    Shl,
    ShrS,
}

impl CheckedOp {
    /// How the program ends where there is no result; `None` if the machine's own instruction traps.
    pub fn panic(self) -> Option<Panic> {
        match self {
            CheckedOp::Add | CheckedOp::Sub | CheckedOp::Mul => Some(Panic::Overflow),
            CheckedOp::Shl | CheckedOp::ShrS => Some(Panic::Shift),
            CheckedOp::DivS | CheckedOp::RemS | CheckedOp::DivU | CheckedOp::RemU => None,
        }
    }
}

impl Expr {
    /// `a op b`
    pub fn binary(op: BinaryOp, a: Expr, b: Expr) -> Expr {
        Expr::Binary(op, Box::new([a, b]))
    }

    /// `op a`
    pub fn unary(op: UnaryOp, a: Expr) -> Expr {
        Expr::Unary(op, Box::new(a))
    }

    /// Whether it is the same wherever it is evaluated, if the local (if it is one) is assigned once: it can be copied.
    pub fn is_atom(&self) -> bool {
        matches!(
            self,
            Expr::I32(_)
                | Expr::I64(_)
                | Expr::F64(_)
                | Expr::Null(_)
                | Expr::Row(_)
                | Expr::Local(_)
                | Expr::Global(_)
        )
    }

    /// Whether it is a number or null.
    pub fn is_const(&self) -> bool {
        matches!(self, Expr::I32(_) | Expr::I64(_) | Expr::F64(_) | Expr::Null(_))
    }

    /// The opposite of a condition.
    pub fn negate(self) -> Expr {
        use BinaryOp as B;
        match self {
            Expr::Unary(UnaryOp::Eqz32, inner) if inner.is_condition() => *inner,
            Expr::I32(value) => Expr::I32((value == 0) as i32),
            Expr::Binary(op, parts) => {
                let other = match op {
                    B::Eq => B::Ne,
                    B::Ne => B::Eq,
                    B::LtS => B::GeS,
                    B::LeS => B::GtS,
                    B::GtS => B::LeS,
                    B::GeS => B::LtS,
                    B::LtU => B::GeU,
                    B::LeU => B::GtU,
                    B::GtU => B::LeU,
                    B::GeU => B::LtU,
                    B::Eq32 => B::Ne32,
                    B::Ne32 => B::Eq32,
                    B::LtS32 => B::GeS32,
                    B::LeS32 => B::GtS32,
                    B::GtS32 => B::LeS32,
                    B::GeS32 => B::LtS32,
                    B::LtU32 => B::GeU32,
                    B::LeU32 => B::GtU32,
                    B::GtU32 => B::LeU32,
                    B::GeU32 => B::LtU32,
                    B::FEq => B::FNe,
                    B::FNe => B::FEq,
                    _ => return Expr::unary(UnaryOp::Eqz32, Expr::Binary(op, parts)),
                };
                Expr::Binary(other, parts)
            }
            other => Expr::unary(UnaryOp::Eqz32, other),
        }
    }

    /// Whether it is 0 or 1.
    pub fn is_condition(&self) -> bool {
        match self {
            Expr::I32(value) => matches!(value, 0 | 1),
            Expr::IsNull(_) | Expr::RefEq(_) | Expr::Unary(UnaryOp::Eqz | UnaryOp::Eqz32, _) => true,
            Expr::Binary(BinaryOp::And32 | BinaryOp::Or32 | BinaryOp::Xor32, parts) => {
                parts.iter().all(Expr::is_condition)
            }
            Expr::Binary(op, _) => op.is_comparison(),
            _ => false,
        }
    }
}

impl BinaryOp {
    /// Whether its result is 0 or 1.
    pub fn is_comparison(self) -> bool {
        use BinaryOp::*;
        matches!(
            self,
            Eq | Ne
                | LtS
                | LeS
                | GtS
                | GeS
                | LtU
                | LeU
                | GtU
                | GeU
                | Eq32
                | Ne32
                | LtS32
                | LeS32
                | GtS32
                | GeS32
                | LtU32
                | LeU32
                | GtU32
                | GeU32
                | FEq
                | FNe
                | FLt
                | FLe
                | FGt
                | FGe
        )
    }

    /// Whether it is of 32-bit integers.
    pub fn is_32(self) -> bool {
        use BinaryOp::*;
        matches!(
            self,
            Add32
                | Sub32
                | And32
                | Or32
                | Xor32
                | Eq32
                | Ne32
                | LtS32
                | LeS32
                | GtS32
                | GeS32
                | LtU32
                | LeU32
                | GtU32
                | GeU32
        )
    }

    /// Whether it is of floating-point numbers.
    pub fn is_float(self) -> bool {
        use BinaryOp::*;
        matches!(self, FAdd | FSub | FMul | FDiv | FMin | FMax | FCopysign | FEq | FNe | FLt | FLe | FGt | FGe)
    }
}
