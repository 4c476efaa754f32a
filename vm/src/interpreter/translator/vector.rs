//! Vectors.

use wasmparser::{MemArg, Operator};

use super::Translator;
use super::numeric::{makes_nans, type_of};
use super::operands::{Place, copy, operand};
use crate::interpreter::dispatch::Handler;
use crate::interpreter::float;
use crate::interpreter::handlers::Pair;
use crate::interpreter::handlers::memory::{Form, Near32, Near64, far_store_handler};
use crate::interpreter::handlers::scalar::From;
use crate::interpreter::handlers::vector::*;
use crate::interpreter::operators::{Binary, Load, Unary};
use crate::interpreter::translator::operands::Src;
use crate::interpreter::vectors::{self, Extract, LoadLane, Replace, StoreLane, Ternary, for_each_vector_operator};
use crate::relaxed;
use crate::runtime::trap::TrapKind;
use crate::types::ValType;

/// The canonical NaN in place of any NaN.
struct F32x4Canonical;
/// The canonical NaN in place of any NaN.
struct F64x2Canonical;

impl Unary for F32x4Canonical {
    const NAME: &'static str = "f32x4.canonical";
    const TRAPS: bool = false;
    type In = [f32; 4];
    type Out = [f32; 4];
    #[inline(always)]
    fn run(a: [f32; 4]) -> Result<[f32; 4], TrapKind> {
        Ok(a.map(float::canonical_f32))
    }
}

impl Unary for F64x2Canonical {
    const NAME: &'static str = "f64x2.canonical";
    const TRAPS: bool = false;
    type In = [f64; 2];
    type Out = [f64; 2];
    #[inline(always)]
    fn run(a: [f64; 2]) -> Result<[f64; 2], TrapKind> {
        Ok(a.map(float::canonical_f64))
    }
}

macro_rules! vector {
    (
        unary { $($u:ident $uname:literal ($ua:ident: $ui:ty) -> $uo:ty $ubody:block)* }
        binary { $($b:ident $bname:literal ($ba:ident: $bl:ty, $bb:ident: $br:ty) -> $bo:ty $bbody:block)* }
        ternary { $($t:ident $tname:literal ($ta:ident: $t1:ty, $tb:ident: $t2:ty, $tc:ident: $t3:ty) -> $to:ty $tbody:block)* }
        shift { $($h:ident $hname:literal ($ha:ident: $hl:ty, $hb:ident: $hr:ty) -> $ho:ty $hbody:block)* }
        reduce { $($r:ident $rname:literal ($ra:ident: $ri:ty) -> $ro:ty $rbody:block)* }
        splat { $($p:ident $pname:literal ($pa:ident: $pi:ty) -> $po:ty $pbody:block)* }
        extract { $($e:ident $ename:literal ($ea:ident: $ev:ty, $el:ident) -> $eo:ty $ebody:block)* }
        replace { $($c:ident $cname:literal ($ca:ident: $cv:ty, $cb:ident: $ci:ty, $cl:ident) $cbody:block)* }
        load { $($l:ident $lname:literal ($la:ident: $lm:ty) -> $lo:ty $lbody:block)* }
        load_lane { $($g:ident $gname:literal ($ga:ident: $gv:ty, $gb:ident: $gm:ty, $gl:ident) $gbody:block)* }
        store_lane { $($s:ident $sname:literal ($sa:ident: $sv:ty, $sl:ident) -> $sm:ty $sbody:block)* }
    ) => {
        impl Translator<'_> {
            /// Translates an operator over vectors.
            pub fn vector(&mut self, operator: &Operator<'_>) {
                match relaxed::strict(operator).as_ref().unwrap_or(operator) {
                    $(Operator::$u => self.over_vector(
                        <vectors::$u as Unary>::NAME, vector_unary::<vectors::$u>(), ValType::V128,
                    ),)*
                    $(Operator::$r => self.over_vector(
                        <vectors::$r as Unary>::NAME, vector_reduce::<vectors::$r>(), ValType::I32,
                    ),)*
                    $(Operator::$b => self.vector_binary::<vectors::$b>(),)*
                    $(Operator::$t => self.ternary::<vectors::$t>(),)*
                    $(Operator::$h => self.shift::<vectors::$h>(),)*
                    $(Operator::$p => self.splat::<vectors::$p>(),)*
                    $(Operator::$e { lane } => self.extract::<vectors::$e>(*lane),)*
                    $(Operator::$c { lane } => self.replace::<vectors::$c>(*lane),)*
                    $(Operator::$l { memarg } => self.vector_load::<vectors::$l>(memarg),)*
                    $(Operator::$g { memarg, lane } => self.load_lane::<vectors::$g>(memarg, *lane),)*
                    $(Operator::$s { memarg, lane } => self.store_lane::<vectors::$s>(memarg, *lane),)*
                    Operator::V128Store { memarg } => self.vector_store(memarg),
                    Operator::V128Const { value } => self.vector_constant(value.bytes()),
                    Operator::V128Bitselect => {
                        let slots = self.slots::<3>();
                        self.over_slots("v128.bitselect", bitselect, &slots);
                    }
                    Operator::I8x16Shuffle { lanes } => self.shuffle(lanes),
                    // The verifier lets nothing else through.
                    _ => {
                        self.emitter.locate(self.offset);
                        self.emitter.emit("unreachable", crate::interpreter::handlers::control::unreachable, &[]);
                        self.reachable = false;
                    }
                }
            }
        }
    };
}

for_each_vector_operator!(vector);

/// The words of sixteen bytes.
fn words(bytes: &[u8; 16]) -> [u32; 4] {
    std::array::from_fn(|i| u32::from_le_bytes([bytes[4 * i], bytes[4 * i + 1], bytes[4 * i + 2], bytes[4 * i + 3]]))
}

impl Translator<'_> {
    /// Pops operands to slots, the first one first.
    fn slots<const N: usize>(&mut self) -> [u32; N] {
        let mut slots = [0; N];
        for slot in slots.iter_mut().rev() {
            *slot = self.operands.pop_slot(&mut self.emitter);
        }
        slots
    }

    /// An instruction over slots, and other words, that gives a vector.
    fn over_slots(&mut self, name: &'static str, handler: Handler, words: &[u32]) {
        self.produce(name, Pair { slot: handler, acc: handler }, ValType::V128, &[], words);
    }

    fn over_vector(&mut self, name: &'static str, pair: Pair, ty: ValType) {
        let a = self.operands.pop_slot(&mut self.emitter);
        self.produce(name, pair, ty, &[], &[a]);
        self.canonicalize_lanes(name);
    }

    fn vector_binary<O: Binary>(&mut self) {
        let slots = self.slots::<2>();
        self.produce(O::NAME, vector_binary::<O>(), ValType::V128, &[], &slots);
        self.canonicalize_lanes(O::NAME);
    }

    fn ternary<O: Ternary>(&mut self) {
        let slots = self.slots::<3>();
        self.over_slots(O::NAME, ternary::<O>, &slots);
        self.canonicalize_lanes(O::NAME);
    }

    /// Makes NaNs that an operator left canonical, if that is wanted.
    fn canonicalize_lanes(&mut self, name: &str) {
        if self.config.canonical_nans && makes_nans(name) {
            let a = self.operands.pop_slot(&mut self.emitter);
            let pair = if name.starts_with("f32x4") {
                vector_unary::<F32x4Canonical>()
            } else {
                vector_unary::<F64x2Canonical>()
            };
            self.produce("canonical", pair, ValType::V128, &[], &[a]);
        }
    }

    fn shift<O: Binary>(&mut self) {
        let (b, _) = self.operands.pop(&mut self.emitter);
        let a = self.operands.pop_slot(&mut self.emitter);
        let sources = [(ValType::V128, Src::Slot(a)), (ValType::I32, b)];
        self.produce(O::NAME, vector_shift::<O>(b.from()), ValType::V128, &sources, &[]);
    }

    fn splat<O: Unary>(&mut self) {
        let (a, ty) = self.operands.pop(&mut self.emitter);
        let a = self.in_slot(ty, a);
        self.produce(O::NAME, vector_splat::<O>(a.from()), ValType::V128, &[(ty, a)], &[]);
    }

    fn extract<O: Extract>(&mut self, lane: u8) {
        let a = self.operands.pop_slot(&mut self.emitter);
        self.produce(O::NAME, vector_extract::<O>(), type_of::<O::Out>(), &[], &[a, u32::from(lane)]);
    }

    fn replace<O: Replace>(&mut self, lane: u8) {
        let (b, ty) = self.operands.pop(&mut self.emitter);
        let a = self.operands.pop_slot(&mut self.emitter);
        let to = self.operands.top;
        let pair = vector_replace::<O>(b.from());
        let at = self.emitter.emit(O::NAME, pair.slot, &[to, a, u32::from(lane)]);
        operand(&mut self.emitter, ty, b);
        self.push_result(ValType::V128, at, pair.acc);
    }

    fn vector_load<O: Load>(&mut self, memarg: &MemArg) {
        let at = self.place(memarg);
        let pair: fn(From) -> Pair = match at.form {
            Form::Near32 => vector_load::<O, Near32>,
            Form::Near64 => vector_load::<O, Near64>,
            Form::Far32 => |_| far_vector_load::<O, u32>(),
            Form::Far64 => |_| far_vector_load::<O, u64>(),
        };
        let (src, ty) = self.address(at.form);
        self.emitter.locate(self.offset);
        self.produce(O::NAME, pair(src.from()), ValType::V128, &[(ty, src)], at.words());
    }

    /// Pops an address, to a slot if the form of the access takes it from there only.
    fn address(&mut self, form: Form) -> (Src, ValType) {
        match form {
            Form::Near32 | Form::Near64 => self.operands.pop(&mut self.emitter),
            Form::Far32 | Form::Far64 => {
                let ty = self.operands.get(self.operands.len() - 1).ty;
                (Src::Slot(self.operands.pop_slot(&mut self.emitter)), ty)
            }
        }
    }

    fn vector_store(&mut self, memarg: &MemArg) {
        let at = self.place(memarg);
        let value = self.operands.pop_slot(&mut self.emitter);
        let (address, ty) = self.address(at.form);
        let handler = match at.form {
            Form::Near32 => vector_store::<Near32>(address.from()),
            Form::Near64 => vector_store::<Near64>(address.from()),
            Form::Far32 => far_store_handler::<V128Store, u32>(),
            Form::Far64 => far_store_handler::<V128Store, u64>(),
        };
        self.emitter.locate(self.offset);
        self.emitter.begin("v128.store", handler);
        operand(&mut self.emitter, ty, address);
        self.emitter.words.push(value);
        self.emitter.words.extend_from_slice(at.words());
    }

    fn load_lane<O: LoadLane>(&mut self, memarg: &MemArg, lane: u8) {
        let at = self.place(memarg);
        let [address, a] = self.slots();
        self.emitter.locate(self.offset);
        let mut words = vec![address, a, u32::from(lane)];
        words.extend_from_slice(at.words());
        self.over_slots(O::NAME, load_lane_handler::<O>(at.form), &words);
    }

    fn store_lane<O: StoreLane>(&mut self, memarg: &MemArg, lane: u8) {
        let at = self.place(memarg);
        let [address, a] = self.slots();
        self.emitter.locate(self.offset);
        self.emitter.emit(O::NAME, store_lane_handler::<O>(at.form), &[address, a, u32::from(lane)]);
        self.emitter.words.extend_from_slice(at.words());
    }

    fn vector_constant(&mut self, bytes: &[u8; 16]) {
        let to = self.operands.top;
        copy(&mut self.emitter, ValType::V128, Src::Imm(0), to);
        // `copy` knows immediates of eight bytes: it wrote one word.
        self.emitter.words.pop();
        self.emitter.words.extend(words(bytes));
        self.operands.push(ValType::V128, Place::Own);
    }

    fn shuffle(&mut self, lanes: &[u8; 16]) {
        let [a, b] = self.slots();
        let [c, d, e, f] = words(lanes);
        self.over_slots("i8x16.shuffle", shuffle, &[a, b, c, d, e, f]);
    }
}
