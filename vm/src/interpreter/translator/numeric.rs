//! Numeric operators, memory accesses and selects.

use wasmparser::Operator;

use super::Translator;
use super::operands::{Held, Place, Src, bank, operand};
use crate::interpreter::dispatch::Handler;
use crate::interpreter::float;
use crate::interpreter::handlers::Pair;
use crate::interpreter::handlers::scalar::{
    From, binary_handlers, branch_handler, select_handlers, select_if_handlers, unary_handlers,
};
use crate::interpreter::operators::{self, Binary, Compare, Unary, for_each_operator};
use crate::interpreter::value::{Bank, V128, Value};
use crate::runtime::trap::TrapKind;
use crate::types::ValType;

/// The last instruction, as far as it can become part of the next.
pub struct Fusible {
    /// Its place.
    pub at: u32,
    /// Where it ends.
    end: u32,
    /// The operand that is its result.
    operand: usize,
    /// What the integer accumulator held before it.
    held: Held,
    l: Src,
    r: Src,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    /// A comparison, whose result may have been negated.
    Compare(Condition),
    /// `i32.add` or `i64.add`
    Sum,
}

/// A comparison to decide something by.
#[derive(Clone, Copy)]
pub struct Condition {
    /// Its name.
    pub name: &'static str,
    /// Type of its operands.
    pub ty: ValType,
    /// The handlers of branches on it.
    pub branch: fn(From, From, bool, bool) -> Handler,
    /// The handlers of selects by it.
    pub select: fn(From, From) -> Pair,
    /// What it has to say.
    pub when: bool,
}

impl Condition {
    /// That a comparison holds.
    pub fn of<C: Compare>() -> Self {
        Self {
            name: C::NAME,
            ty: type_of::<C::L>(),
            branch: branch_handler::<C>,
            select: select_if_handlers::<C, u64>,
            when: true,
        }
    }
}

/// A value type with this accumulator and size of immediates.
pub fn type_of<T: Value>() -> ValType {
    match (T::BANK, T::WORDS) {
        (Bank::Int, 1) => ValType::I32,
        (Bank::Int, _) => ValType::I64,
        (Bank::F32, _) => ValType::F32,
        (Bank::F64, _) => ValType::F64,
        (Bank::Vector, _) => ValType::V128,
    }
}

/// The canonical NaN in place of any NaN.
struct F32Canonical;
/// The canonical NaN in place of any NaN.
struct F64Canonical;

impl Unary for F32Canonical {
    const NAME: &'static str = "f32.canonical";
    const TRAPS: bool = false;
    type In = f32;
    type Out = f32;
    #[inline(always)]
    fn run(a: f32) -> Result<f32, TrapKind> {
        Ok(float::canonical_f32(a))
    }
}

impl Unary for F64Canonical {
    const NAME: &'static str = "f64.canonical";
    const TRAPS: bool = false;
    type In = f64;
    type Out = f64;
    #[inline(always)]
    fn run(a: f64) -> Result<f64, TrapKind> {
        Ok(float::canonical_f64(a))
    }
}

/// Whether an operator may make a NaN of its own.
pub fn makes_nans(name: &str) -> bool {
    name.starts_with('f')
        && name.split_once('.').is_some_and(|(_, op)| {
            let arithmetic = ["add", "sub", "mul", "div", "min", "max", "sqrt", "ceil", "floor", "trunc", "nearest"];
            arithmetic.contains(&op) || ["demote", "promote", "relaxed"].iter().any(|start| op.starts_with(start))
        })
}

macro_rules! numeric {
    (
        binary { $($b:ident $bname:literal $bcomm:literal ($ba:ident: $bl:ty, $bb:ident: $br:ty) -> $bo:ty $bbody:block)* }
        fallible_binary { $($f:ident $fname:literal ($fa:ident: $fl:ty, $fb:ident: $fr:ty) -> $fo:ty $fbody:block)* }
        compare { $($c:ident $cname:literal $cswap:ident ($ca:ident: $cl:ty, $cb:ident: $cr:ty) $cbody:block)* }
        unary { $($u:ident $uname:literal ($ua:ident: $ui:ty) -> $uo:ty $ubody:block)* }
        fallible_unary { $($v:ident $vname:literal ($va:ident: $vi:ty) -> $vo:ty $vbody:block)* }
        load { $($l:ident $lname:literal ($la:ident: $lm:ty) -> $lo:ty $lbody:block)* }
        store { $($s:ident $sname:literal ($sa:ident: $si:ty) -> $sm:ty $sbody:block)* }
    ) => {
        impl Translator<'_> {
            /// Translates an operator of the table and its relatives; whether it was one.
            pub fn numeric(&mut self, operator: &Operator<'_>) -> bool {
                match operator {
                    $(Operator::$b => self.binary::<operators::$b>(),)*
                    $(Operator::$f => self.binary::<operators::$f>(),)*
                    $(Operator::$c => self.compare::<operators::$c>(),)*
                    $(Operator::$u => self.unary::<operators::$u>(),)*
                    $(Operator::$v => self.unary::<operators::$v>(),)*
                    $(Operator::$l { memarg } => self.load::<operators::$l>(memarg),)*
                    $(Operator::$s { memarg } => self.store::<operators::$s>(memarg),)*
                    Operator::I32Eqz => self.eqz(),
                    Operator::I32Const { value } => self.constant(ValType::I32, u64::from(*value as u32)),
                    Operator::I64Const { value } => self.constant(ValType::I64, *value as u64),
                    Operator::F32Const { value } => self.constant(ValType::F32, u64::from(value.bits())),
                    Operator::F64Const { value } => self.constant(ValType::F64, value.bits()),
                    Operator::Select | Operator::TypedSelect { .. } => self.select(),
                    _ => return false,
                }
                true
            }
        }
    };
}

for_each_operator!(numeric);

impl Translator<'_> {
    fn constant(&mut self, ty: ValType, bits: u64) {
        self.operands.push(ty, Place::Const(bits));
    }

    /// Pushes the result of the instruction at `at`, which writes it to the slot that was on top.
    pub fn push_result(&mut self, ty: ValType, at: u32, acc: Handler) {
        let index = self.operands.push(ty, Place::Own);
        if bank(ty) != Bank::Vector {
            *self.operands.held(bank(ty)) = Held { operand: Some(index), local: None, producer: Some((at, acc)) };
        }
        self.last = Some((at, index, self.emitter.here()));
    }

    /// An instruction with a result.
    pub fn produce(&mut self, name: &'static str, pair: Pair, ty: ValType, sources: &[(ValType, Src)], rest: &[u32]) {
        let to = self.operands.top;
        let at = self.emitter.emit(name, pair.slot, &[to]);
        for (ty, src) in sources {
            operand(&mut self.emitter, *ty, *src);
        }
        self.emitter.words.extend_from_slice(rest);
        self.push_result(ty, at, pair.acc);
    }

    /// A constant that the next instruction needs in a slot: the one that is free on top.
    pub fn in_slot(&mut self, ty: ValType, src: Src) -> Src {
        match src {
            Src::Imm(_) => {
                let to = self.operands.top;
                self.operands.reserve(ty.slots() as u32);
                super::operands::copy(&mut self.emitter, ty, src, to);
                Src::Slot(to)
            }
            src => src,
        }
    }

    /// Pops two operands of which one at most is taken from a given accumulator.
    fn pop_two(&mut self, l_ty: ValType, r_ty: ValType) -> (Src, Src) {
        let (mut r, _) = self.operands.pop(&mut self.emitter);
        let (mut l, _) = self.operands.pop(&mut self.emitter);
        if let (Src::Acc, Src::Acc) = (l, r)
            && bank(l_ty) == bank(r_ty)
            && let Some(local) = self.operands.held(bank(r_ty)).local
        {
            // Both are the same local.
            r = Src::Slot(local);
        }
        if let (Src::Imm(_), Src::Imm(_)) = (l, r) {
            l = self.in_slot(l_ty, l);
        }
        (l, r)
    }

    fn binary<O: Binary>(&mut self) {
        let (lt, rt) = (type_of::<O::L>(), type_of::<O::R>());
        let (mut l, mut r) = self.pop_two(lt, rt);
        if O::COMMUTES && (matches!(l, Src::Imm(_)) || matches!(r, Src::Acc)) {
            std::mem::swap(&mut l, &mut r);
        }
        if O::TRAPS {
            self.emitter.locate(self.offset);
        }
        let held = *self.operands.held(Bank::Int);
        self.produce(O::NAME, binary_handlers::<O>(l.from(), r.from()), type_of::<O::Out>(), &[(lt, l), (rt, r)], &[]);
        if O::NAME == operators::I32Add::NAME || O::NAME == operators::I64Add::NAME {
            self.fuse_later(held, l, r, Kind::Sum);
        }
        self.canonicalize(O::NAME, type_of::<O::Out>());
    }

    fn compare<C: Compare>(&mut self) {
        let ty = type_of::<C::L>();
        let (l, r) = self.pop_two(ty, ty);
        if matches!(l, Src::Imm(_)) || matches!(r, Src::Acc) {
            self.compare_in_order::<C::Swapped>(r, l);
        } else {
            self.compare_in_order::<C>(l, r);
        }
    }

    fn compare_in_order<C: Compare>(&mut self, l: Src, r: Src) {
        let ty = type_of::<C::L>();
        let held = *self.operands.held(Bank::Int);
        self.produce(C::NAME, binary_handlers::<C>(l.from(), r.from()), ValType::I32, &[(ty, l), (ty, r)], &[]);
        self.fuse_later(held, l, r, Kind::Compare(Condition::of::<C>()));
    }

    fn eqz(&mut self) {
        let inner = self.fusible_top().map(|fusible| (fusible.at, fusible.held, fusible.l, fusible.r, fusible.kind));
        self.constant(ValType::I32, 0);
        self.compare::<operators::I32Eq>();
        if let Some((at, held, l, r, Kind::Compare(condition))) = inner {
            let condition = Condition { when: !condition.when, ..condition };
            self.fuse_later(held, l, r, Kind::Compare(condition));
            if let Some(fusible) = &mut self.fusible {
                fusible.at = at;
            }
        }
    }

    /// Notes that the instruction just made, whose result is on top, can become part of the next.
    fn fuse_later(&mut self, held: Held, l: Src, r: Src, kind: Kind) {
        if let Some((at, operand, end)) = self.last {
            self.fusible = Some(Fusible { at, end, operand, held, l, r, kind });
        }
    }

    /// The last instruction, if its result is on top and it can become part of the next.
    fn fusible_top(&self) -> Option<&Fusible> {
        self.fusible.as_ref().filter(|fusible| {
            // Its result may have been dropped, and something else be on top that took no instruction: a constant, or a local.
            fusible.end == self.emitter.here()
                && fusible.operand + 1 == self.operands.len()
                && self.operands.get(fusible.operand).place == Place::Own
        })
    }

    /// Takes back an addition that is the last instruction: its operands.
    pub fn take_back_sum(&mut self) -> Option<(Src, Src)> {
        let Some(Fusible { kind: Kind::Sum, .. }) = self.fusible_top() else { return None };
        self.take_back().map(|fusible| (fusible.l, fusible.r))
    }

    /// Takes back the last instruction and its result.
    fn take_back(&mut self) -> Option<Fusible> {
        let fusible = self.fusible.take()?;
        self.emitter.truncate(fusible.at);
        self.operands.drop_top();
        *self.operands.held(Bank::Int) = fusible.held;
        self.last = None;
        Some(fusible)
    }

    /// Pops a condition: the comparison it was made by, if that can be part of the next instruction, or
    /// whether it is not zero.
    pub fn condition(&mut self) -> (Condition, Src, Src) {
        if let Some(Fusible { kind: Kind::Compare(condition), .. }) = self.fusible_top()
            && let condition = *condition
            && let Some(fusible) = self.take_back()
        {
            return (condition, fusible.l, fusible.r);
        }
        let (src, _) = self.operands.pop(&mut self.emitter);
        let src = self.in_slot(ValType::I32, src);
        (Condition::of::<operators::I32Ne>(), src, Src::Imm(0))
    }

    fn unary<O: Unary>(&mut self) {
        let ty = type_of::<O::In>();
        let (src, _) = self.operands.pop(&mut self.emitter);
        let src = self.in_slot(ty, src);
        if O::TRAPS {
            self.emitter.locate(self.offset);
        }
        self.produce(O::NAME, unary_handlers::<O>(src.from()), type_of::<O::Out>(), &[(ty, src)], &[]);
        self.canonicalize(O::NAME, type_of::<O::Out>());
    }

    /// Makes a NaN that an operator left the canonical one, if that is wanted.
    fn canonicalize(&mut self, name: &str, ty: ValType) {
        if self.config.canonical_nans && makes_nans(name) {
            let (src, _) = self.operands.pop(&mut self.emitter);
            let pair = match ty {
                ValType::F32 => unary_handlers::<F32Canonical>(src.from()),
                _ => unary_handlers::<F64Canonical>(src.from()),
            };
            self.produce("canonical", pair, ty, &[(ty, src)], &[]);
        }
    }

    fn select(&mut self) {
        let ty = self.operands.get(self.operands.len() - 2).ty;
        let integer = bank(ty) == Bank::Int;
        if let Some(Fusible { kind: Kind::Compare(condition), .. }) = self.fusible_top()
            && integer
            && let condition = *condition
            && let Some(Fusible { l, r, .. }) = self.take_back()
        {
            let b = self.operands.pop_slot(&mut self.emitter);
            let a = self.operands.pop_slot(&mut self.emitter);
            let (a, b) = if condition.when { (a, b) } else { (b, a) };
            let pair = (condition.select)(l.from(), r.from());
            self.produce("select", pair, ty, &[(condition.ty, l), (condition.ty, r)], &[a, b]);
            return;
        }
        let (condition, _) = self.operands.pop(&mut self.emitter);
        let condition = self.in_slot(ValType::I32, condition);
        // A condition that was a constant stands just above the operands now.
        let b = self.operands.pop_slot(&mut self.emitter);
        let a = self.operands.pop_slot(&mut self.emitter);
        let pair = match ty {
            ValType::F32 => select_handlers::<f32>(condition.from()),
            ValType::F64 => select_handlers::<f64>(condition.from()),
            ValType::V128 => select_handlers::<V128>(condition.from()),
            _ => select_handlers::<u64>(condition.from()),
        };
        self.produce("select", pair, ty, &[(ValType::I32, condition)], &[a, b]);
    }
}
