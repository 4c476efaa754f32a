//! Functions: locals and instructions.

use wasm_encoder::{BlockType, Encode, HeapType, InstructionSink, RefType, ValType};

use super::Numbers;
use crate::ir::visit::{each_stmt, falls_through};
use crate::ir::{
    At, BinaryOp, Call, Callee, CheckedOp, Code, Expr, Function, GlobalId, Heap, Init, Label, Local, Module, Panic,
    Stmt, Storage, TypeId, UnaryOp, Val,
};

/// A function's body.
pub(crate) struct Body {
    /// As the code section has it.
    pub bytes: Vec<u8>,
    /// Where code comes from: offsets in `bytes`.
    pub places: Vec<(u32, At)>,
}

struct Emit<'m> {
    module: &'m Module,
    numbers: &'m Numbers,
    bytes_type: TypeId,
    function: &'m Function,
    code: Vec<u8>,
    places: Vec<(u32, At)>,
    /// What jumps can go to, the outermost first; `None` for an `if`.
    labels: Vec<Option<Label>>,
    /// The numbers of locals; `None` for those that nothing reads.
    locals: Vec<Option<u32>>,
    /// Locals of references that are null until they are assigned.
    nullable: Vec<bool>,
    /// Types of locals that are not parameters.
    declared: Vec<ValType>,
    /// Locals of 64-bit integers for what is used twice, and how many of them are in use.
    scratch: Vec<u32>,
    scratch_used: usize,
}

/// Writes a function.
pub(crate) fn function(module: &Module, numbers: &Numbers, bytes_type: TypeId, function: &Function) -> Body {
    let Code::Body(body) = &function.code else { return Body { bytes: vec![0, 0x0b], places: Vec::new() } };
    let mut emit = Emit {
        module,
        numbers,
        bytes_type,
        function,
        code: Vec::new(),
        places: Vec::new(),
        labels: Vec::new(),
        locals: vec![None; function.locals.len()],
        nullable: nullable(function, body),
        declared: Vec::new(),
        scratch: Vec::new(),
        scratch_used: 0,
    };
    emit.number_locals(body);
    emit.list(body);
    if !body.last().is_some_and(Stmt::is_end) {
        emit.sink().unreachable();
    }
    emit.sink().end();
    let mut bytes = Vec::with_capacity(emit.code.len() + 16);
    let mut groups: Vec<(u32, ValType)> = Vec::new();
    for &ty in &emit.declared {
        match groups.last_mut() {
            Some((count, last)) if *last == ty => *count += 1,
            _ => groups.push((1, ty)),
        }
    }
    groups.len().encode(&mut bytes);
    for (count, ty) in groups {
        count.encode(&mut bytes);
        ty.encode(&mut bytes);
    }
    let begin = bytes.len() as u32;
    bytes.extend(&emit.code);
    let places = emit.places.into_iter().map(|(offset, at)| (offset + begin, at)).collect();
    Body { bytes, places }
}

/// Which locals of references that are never null are read where the verifier does not see that they were assigned: what is
/// assigned in a block is forgotten at its end.
fn nullable(function: &Function, body: &[Stmt]) -> Vec<bool> {
    struct Init<'f> {
        function: &'f Function,
        known: Vec<bool>,
        order: Vec<Local>,
        nullable: Vec<bool>,
    }
    impl Init<'_> {
        fn read(&mut self, expr: &Expr) {
            if let Expr::Local(local) = expr
                && matches!(self.function.locals[local.index()], Val::Ref(_))
                && !self.known[local.index()]
            {
                self.nullable[local.index()] = true;
            }
            expr.each(&mut |part| self.read(part));
        }

        fn list(&mut self, list: &[Stmt]) {
            for stmt in list {
                stmt.exprs(&mut |expr| self.read(expr));
                stmt.lists(&mut |inner| {
                    let height = self.order.len();
                    self.list(inner);
                    for local in self.order.drain(height..) {
                        self.known[local.index()] = false;
                    }
                });
                for &local in stmt.assigned() {
                    if !self.known[local.index()] {
                        self.known[local.index()] = true;
                        self.order.push(local);
                    }
                }
            }
        }
    }
    let mut init = Init {
        function,
        known: (0..function.locals.len()).map(|index| index < function.params).collect(),
        order: Vec::new(),
        nullable: vec![false; function.locals.len()],
    };
    init.list(body);
    init.nullable
}

impl Emit<'_> {
    fn sink(&mut self) -> InstructionSink<'_> {
        InstructionSink::new(&mut self.code)
    }

    fn at(&mut self, at: At) {
        let offset = self.code.len() as u32;
        match self.places.last_mut() {
            Some((_, last)) if last.0 == at.0 => {}
            Some((before, last)) if *before == offset => *last = at,
            _ => self.places.push((offset, at)),
        }
    }

    /// Numbers the locals that something reads, those of a type together.
    fn number_locals(&mut self, body: &[Stmt]) {
        fn reads(expr: &Expr, read: &mut [bool]) {
            if let Expr::Local(local) = expr {
                read[local.index()] = true;
            }
            expr.each(&mut |part| reads(part, read));
        }
        let mut read = vec![false; self.function.locals.len()];
        each_stmt(body, &mut |stmt| stmt.exprs(&mut |expr| reads(expr, &mut read)));
        let params = self.function.params;
        let mut used: Vec<(Val, usize)> = (params..read.len())
            .filter(|&index| read[index])
            .map(|index| {
                let val = self.function.locals[index];
                (if self.nullable[index] { val.nullable() } else { val }, index)
            })
            .collect();
        used.sort();
        for index in 0..params {
            self.locals[index] = Some(index as u32);
        }
        for (number, (val, index)) in used.into_iter().enumerate() {
            self.locals[index] = Some((params + number) as u32);
            let ty = self.numbers.types.val(val);
            self.declared.push(ty);
        }
    }

    /// A local for a value that is used more than once; give it back with [`Self::release`].
    fn scratch(&mut self) -> u32 {
        if self.scratch_used == self.scratch.len() {
            self.scratch.push((self.function.params + self.declared.len()) as u32);
            self.declared.push(ValType::I64);
        }
        self.scratch_used += 1;
        self.scratch[self.scratch_used - 1]
    }

    fn release(&mut self, count: usize) {
        self.scratch_used -= count;
    }

    fn depth(&self, label: Label) -> u32 {
        let position = self.labels.iter().rev().position(|each| *each == Some(label));
        debug_assert!(position.is_some(), "a jump out of nowhere");
        // No verifier lets this one through.
        position.map_or(u32::MAX, |position| position as u32)
    }

    fn list(&mut self, list: &[Stmt]) {
        for stmt in list {
            self.stmt(stmt);
            if stmt.is_end() {
                return;
            }
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Set(local, value) => self.set(*local, value),
            Stmt::Call(call, to) => {
                self.call(call);
                for &local in to.iter().rev() {
                    match self.locals[local.index()] {
                        Some(number) => self.sink().local_set(number),
                        None => self.sink().drop(),
                    };
                }
            }
            Stmt::StructSet(ty, field, parts, at) => {
                let [object, value] = &**parts;
                self.expr(object, false);
                let non_null = matches!(self.module.types.field(*ty, *field).storage, Storage::Val(Val::Ref(_)));
                self.expr(value, non_null);
                self.at(*at);
                let ty = self.numbers.ty(*ty);
                self.sink().struct_set(ty, *field);
            }
            Stmt::ArraySet(ty, parts, at) => {
                parts.iter().for_each(|part| self.expr(part, false));
                self.at(*at);
                let ty = self.numbers.ty(*ty);
                self.sink().array_set(ty);
            }
            Stmt::ArrayCopy(to, from, parts, at) => {
                parts.iter().for_each(|part| self.expr(part, false));
                self.at(*at);
                let (to, from) = (self.numbers.ty(*to), self.numbers.ty(*from));
                self.sink().array_copy(to, from);
            }
            Stmt::ArrayFill(ty, parts, at) => {
                parts.iter().for_each(|part| self.expr(part, false));
                self.at(*at);
                let ty = self.numbers.ty(*ty);
                self.sink().array_fill(ty);
            }
            Stmt::GlobalSet(id, value) => {
                self.expr(value, false);
                let number = self.numbers.global(*id);
                self.sink().global_set(number);
            }
            Stmt::Block(label, body) => {
                self.sink().block(BlockType::Empty);
                self.inside(Some(*label), body);
            }
            Stmt::Loop(label, body) => {
                self.sink().loop_(BlockType::Empty);
                self.inside(Some(*label), body);
            }
            Stmt::If(condition, then, otherwise) => self.conditional(condition, then, otherwise),
            Stmt::Switch(index, labels, last) => {
                self.expr(index, true);
                let depths: Vec<u32> = labels.iter().map(|&label| self.depth(label)).collect();
                let last = self.depth(*last);
                self.sink().br_table(depths, last);
            }
            Stmt::Break(label) => {
                let depth = self.depth(*label);
                self.sink().br(depth);
            }
            Stmt::Return(values) => {
                let results = &self.function.results;
                for (value, result) in values.iter().zip(results) {
                    self.expr(value, matches!(result, Val::Ref(_)));
                }
                self.sink().return_();
            }
            Stmt::Drop(value) => {
                self.expr(value, true);
                self.sink().drop();
            }
            Stmt::Unreachable => {
                self.sink().unreachable();
            }
        }
    }

    fn inside(&mut self, label: Option<Label>, body: &[Stmt]) {
        self.labels.push(label);
        self.list(body);
        self.labels.pop();
        self.sink().end();
    }

    fn conditional(&mut self, condition: &Expr, then: &[Stmt], otherwise: &[Stmt]) {
        match (then, otherwise) {
            ([Stmt::Break(label)], []) => {
                self.expr(condition, true);
                let depth = self.depth(*label);
                self.sink().br_if(depth);
            }
            ([], _) => {
                let negated = condition.clone().negate();
                self.expr(&negated, true);
                self.sink().if_(BlockType::Empty);
                self.inside(None, otherwise);
            }
            _ => {
                self.expr(condition, true);
                self.sink().if_(BlockType::Empty);
                self.labels.push(None);
                self.list(then);
                // What follows a branch that does not come back needs no block of its own.
                if !otherwise.is_empty() && !falls_through(then) {
                    self.labels.pop();
                    self.sink().end();
                    self.list(otherwise);
                    return;
                }
                if !otherwise.is_empty() {
                    self.sink().else_();
                    self.list(otherwise);
                }
                self.labels.pop();
                self.sink().end();
            }
        }
    }

    fn set(&mut self, local: Local, value: &Expr) {
        match self.locals[local.index()] {
            Some(number) => {
                let non_null =
                    matches!(self.function.locals[local.index()], Val::Ref(_)) && !self.nullable[local.index()];
                self.expr(value, non_null);
                self.sink().local_set(number);
            }
            None => {
                if value.traps() {
                    self.expr(value, true);
                    self.sink().drop();
                }
            }
        }
    }

    fn call(&mut self, call: &Call) {
        let params: Vec<Val> = match &call.callee {
            Callee::Direct(id) => {
                let function = &self.module.functions[id.index()];
                function.locals[..function.params].to_vec()
            }
            Callee::Table(ty, _) => match self.module.types.get(*ty) {
                crate::ir::TypeDef::Func(params, _) => params.clone(),
                _ => Vec::new(),
            },
        };
        for (arg, param) in call.args.iter().zip(params) {
            self.expr(arg, matches!(param, Val::Ref(_)));
        }
        match &call.callee {
            Callee::Direct(id) => {
                self.at(call.at);
                let number = self.numbers.function(*id);
                self.sink().call(number);
            }
            Callee::Table(ty, index) => {
                self.expr(index, true);
                self.at(call.at);
                let ty = self.numbers.ty(*ty);
                self.sink().call_indirect(0, ty);
            }
        }
    }

    /// An expression's value; one that may be null will do unless `non_null`.
    fn expr(&mut self, expr: &Expr, non_null: bool) {
        match expr {
            Expr::I32(value) => {
                self.sink().i32_const(*value);
            }
            Expr::I64(value) => {
                self.sink().i64_const(*value);
            }
            Expr::F64(bits) => {
                self.sink().f64_const(f64::from_bits(*bits).into());
            }
            Expr::Null(heap) => {
                let heap = self.numbers.types.heap(*heap);
                self.sink().ref_null(heap);
            }
            Expr::Row(id) => {
                let row = self.numbers.row(*id);
                self.sink().i32_const(row);
            }
            Expr::Local(local) => {
                let number = self.locals[local.index()].unwrap_or(0);
                self.sink().local_get(number);
                if non_null && self.nullable[local.index()] {
                    self.sink().ref_as_non_null();
                }
            }
            Expr::Global(id) => self.global(*id),
            Expr::Unary(op, value) => {
                self.expr(value, true);
                unary(*op, &mut self.sink());
            }
            Expr::Binary(op, parts) => {
                parts.iter().for_each(|part| self.expr(part, true));
                binary(*op, &mut self.sink());
            }
            Expr::Checked(op, parts, at) => self.checked(*op, &parts[0], &parts[1], *at),
            Expr::Index(value, at) => {
                let t = self.scratch();
                self.expr(value, true);
                self.sink().local_tee(t).i64_const(i32::MAX as i64).i64_gt_u();
                self.panic_if(Panic::Index, *at);
                self.sink().local_get(t).i32_wrap_i64();
                self.release(1);
            }
            Expr::Call(call) => self.call(call),
            Expr::IsNull(value) => {
                self.expr(value, false);
                self.sink().ref_is_null();
            }
            Expr::RefEq(parts) => {
                parts.iter().for_each(|part| self.expr(part, false));
                self.sink().ref_eq();
            }
            Expr::NonNull(value, at) => {
                self.expr(value, false);
                if non_null {
                    self.at(*at);
                    self.sink().ref_as_non_null();
                }
            }
            Expr::Cast(val, value, at) => {
                self.expr(value, false);
                self.at(*at);
                let heap = self.numbers.types.heap(val.heap().unwrap_or(Heap::Any));
                match val {
                    Val::Null(_) => self.sink().ref_cast_nullable(heap),
                    _ => self.sink().ref_cast_non_null(heap),
                };
            }
            Expr::FromExtern(value) => {
                self.expr(value, false);
                self.sink().any_convert_extern();
            }
            Expr::ToExtern(value) => {
                self.expr(value, false);
                self.sink().extern_convert_any();
            }
            _ => self.object(expr),
        }
    }

    /// What makes or reads objects.
    fn object(&mut self, expr: &Expr) {
        match expr {
            Expr::StructNew(ty, fields) => {
                for (index, field) in fields.iter().enumerate() {
                    let storage = self.module.types.field(*ty, index as u32).storage;
                    self.expr(field, matches!(storage, Storage::Val(Val::Ref(_))));
                }
                let ty = self.numbers.ty(*ty);
                self.sink().struct_new(ty);
            }
            Expr::StructGet(ty, field, object, at) => {
                self.expr(object, false);
                self.at(*at);
                let ty = self.numbers.ty(*ty);
                self.sink().struct_get(ty, *field);
            }
            Expr::ArrayNew(ty, parts, at) => {
                parts.iter().for_each(|part| self.expr(part, false));
                self.at(*at);
                let ty = self.numbers.ty(*ty);
                self.sink().array_new(ty);
            }
            Expr::ArrayDefault(ty, length, at) => {
                self.expr(length, true);
                self.at(*at);
                let ty = self.numbers.ty(*ty);
                self.sink().array_new_default(ty);
            }
            Expr::ArrayFixed(ty, elements) => {
                elements.iter().for_each(|element| self.expr(element, false));
                let ty = self.numbers.ty(*ty);
                self.sink().array_new_fixed(ty, elements.len() as u32);
            }
            Expr::ArrayData(ty, data, length, at) => {
                self.at(*at);
                let (ty, data) = (self.numbers.ty(*ty), self.numbers.data[data.index()].unwrap_or(0));
                self.sink().i32_const(0).i32_const(*length as i32).array_new_data(ty, data);
            }
            Expr::ArrayGet(ty, parts, at) => {
                parts.iter().for_each(|part| self.expr(part, false));
                self.at(*at);
                let packed = self.module.types.element(*ty).storage == Storage::I8;
                let ty = self.numbers.ty(*ty);
                if packed {
                    self.sink().array_get_u(ty);
                } else {
                    self.sink().array_get(ty);
                }
            }
            Expr::ArrayLen(array, at) => {
                self.expr(array, false);
                self.at(*at);
                self.sink().array_len();
            }
            _ => {}
        }
    }

    fn global(&mut self, id: GlobalId) {
        let number = self.numbers.global(id);
        let (Some(data), Init::Bytes(text)) = (self.numbers.lazy[id.index()], &self.module.globals[id.index()].init)
        else {
            self.sink().global_get(number);
            return;
        };
        let ty = self.numbers.ty(self.bytes_type);
        let result = ValType::Ref(RefType { nullable: false, heap_type: HeapType::Concrete(ty) });
        let length = text.len() as i32;
        self.sink()
            .block(BlockType::Result(result))
            .global_get(number)
            .br_on_non_null(0)
            .i32_const(0)
            .i32_const(length)
            .array_new_data(ty, data)
            .global_set(number)
            .global_get(number)
            .ref_as_non_null()
            .end();
    }

    /// Ends the program if the number on the stack is not 0.
    fn panic_if(&mut self, panic: Panic, at: At) {
        let index = Panic::ALL.iter().position(|(each, _)| *each == panic).unwrap_or(0);
        self.sink().if_(BlockType::Empty);
        self.at(at);
        if let Some(id) = self.module.panics[index] {
            let number = self.numbers.function(id);
            self.sink().call(number);
        }
        self.sink().unreachable().end();
    }

    /// The local that a value is in: its own if it is one, otherwise a new one, assigned now.
    fn hold(&mut self, value: &Expr) -> (u32, bool) {
        if let Expr::Local(local) = value
            && let Some(number) = self.locals[local.index()]
        {
            return (number, false);
        }
        self.expr(value, true);
        let number = self.scratch();
        self.sink().local_set(number);
        (number, true)
    }

    fn checked(&mut self, op: CheckedOp, a: &Expr, b: &Expr, at: At) {
        match (op, b) {
            (CheckedOp::DivS | CheckedOp::RemS | CheckedOp::DivU | CheckedOp::RemU, _) => {
                self.expr(a, true);
                self.expr(b, true);
                self.at(at);
                match op {
                    CheckedOp::DivS => self.sink().i64_div_s(),
                    CheckedOp::RemS => self.sink().i64_rem_s(),
                    CheckedOp::DivU => self.sink().i64_div_u(),
                    _ => self.sink().i64_rem_u(),
                };
            }
            (CheckedOp::Shl | CheckedOp::ShrS, _) => self.shift(op, a, b, at),
            (CheckedOp::Add, &Expr::I64(value)) => self.add_constant(a, value, at),
            (CheckedOp::Sub, &Expr::I64(value)) if value != i64::MIN => self.add_constant(a, -value, at),
            (CheckedOp::Mul, &Expr::I64(value)) if !(-1..=1).contains(&value) => self.multiply_constant(a, value, at),
            (CheckedOp::Mul, _) => self.multiply(a, b, at),
            _ => self.add(op == CheckedOp::Add, a, b, at),
        }
    }

    fn shift(&mut self, op: CheckedOp, a: &Expr, b: &Expr, at: At) {
        self.expr(a, true);
        match b {
            Expr::I64(0..=63) => self.expr(b, true),
            _ => {
                let (count, held) = self.hold(b);
                self.sink().local_get(count).i64_const(63).i64_gt_u();
                self.panic_if(Panic::Shift, at);
                self.sink().local_get(count);
                self.release(held as usize);
            }
        }
        match op {
            CheckedOp::Shl => self.sink().i64_shl(),
            _ => self.sink().i64_shr_s(),
        };
    }

    /// A sum is on the right side of the first term if it fits.
    fn add_constant(&mut self, a: &Expr, value: i64, at: At) {
        let (a, held) = self.hold(a);
        let sum = self.scratch();
        self.sink().local_get(a).i64_const(value).i64_add().local_tee(sum).local_get(a);
        match value {
            0.. => self.sink().i64_lt_s(),
            _ => self.sink().i64_gt_s(),
        };
        self.panic_if(Panic::Overflow, at);
        self.sink().local_get(sum);
        self.release(1 + held as usize);
    }

    /// A sum fits unless its sign is that of neither term; a difference unless its sign and the second's are not the first's.
    fn add(&mut self, add: bool, a: &Expr, b: &Expr, at: At) {
        let (a, a_held) = self.hold(a);
        let (b, b_held) = self.hold(b);
        let result = self.scratch();
        self.sink().local_get(a).local_get(b);
        match add {
            true => self.sink().i64_add(),
            false => self.sink().i64_sub(),
        };
        self.sink().local_tee(result).local_get(a).i64_xor();
        if add {
            self.sink().local_get(result).local_get(b).i64_xor();
        } else {
            self.sink().local_get(a).local_get(b).i64_xor();
        }
        self.sink().i64_and().i64_const(0).i64_lt_s();
        self.panic_if(Panic::Overflow, at);
        self.sink().local_get(result);
        self.release(1 + a_held as usize + b_held as usize);
    }

    /// A product with a constant fits if the other factor is in a range.
    fn multiply_constant(&mut self, a: &Expr, value: i64, at: At) {
        let (low, high) =
            if value > 0 { (i64::MIN / value, i64::MAX / value) } else { (i64::MAX / value, i64::MIN / value) };
        let (a, held) = self.hold(a);
        self.sink().local_get(a).i64_const(low).i64_sub().i64_const(high.wrapping_sub(low)).i64_gt_u();
        self.panic_if(Panic::Overflow, at);
        self.sink().local_get(a).i64_const(value).i64_mul();
        self.release(held as usize);
    }

    /// A product fits if both factors have 32 bits; otherwise a function looks.
    fn multiply(&mut self, a: &Expr, b: &Expr, at: At) {
        const HALF: i64 = 1 << 31;
        let (a, a_held) = self.hold(a);
        let (b, b_held) = self.hold(b);
        self.sink().local_get(a).i64_const(HALF).i64_add().local_get(b).i64_const(HALF).i64_add().i64_or();
        self.sink().i64_const(u32::MAX as i64).i64_gt_u().if_(BlockType::Empty).local_get(a).local_get(b);
        self.at(at);
        match self.module.product {
            Some(product) => {
                let number = self.numbers.function(product);
                self.sink().call(number);
            }
            None => {
                self.sink().drop().drop();
            }
        }
        self.sink().end().local_get(a).local_get(b).i64_mul();
        self.release(a_held as usize + b_held as usize);
    }
}

fn unary(op: UnaryOp, sink: &mut InstructionSink<'_>) {
    match op {
        UnaryOp::Eqz => sink.i64_eqz(),
        UnaryOp::Eqz32 => sink.i32_eqz(),
        UnaryOp::Wrap => sink.i32_wrap_i64(),
        UnaryOp::ExtendU => sink.i64_extend_i32_u(),
        UnaryOp::Clz => sink.i64_clz(),
        UnaryOp::Ctz => sink.i64_ctz(),
        UnaryOp::Popcnt => sink.i64_popcnt(),
        UnaryOp::FNeg => sink.f64_neg(),
        UnaryOp::FAbs => sink.f64_abs(),
        UnaryOp::FFloor => sink.f64_floor(),
        UnaryOp::FCeil => sink.f64_ceil(),
        UnaryOp::FTrunc => sink.f64_trunc(),
        UnaryOp::FNearest => sink.f64_nearest(),
        UnaryOp::FSqrt => sink.f64_sqrt(),
        UnaryOp::FConvertS => sink.f64_convert_i64_s(),
        UnaryOp::FConvertU => sink.f64_convert_i64_u(),
        UnaryOp::FTruncSatS => sink.i64_trunc_sat_f64_s(),
        UnaryOp::FBits => sink.i64_reinterpret_f64(),
        UnaryOp::FFromBits => sink.f64_reinterpret_i64(),
    };
}

fn binary(op: BinaryOp, sink: &mut InstructionSink<'_>) {
    use BinaryOp::*;
    match op {
        Add => sink.i64_add(),
        Sub => sink.i64_sub(),
        Mul => sink.i64_mul(),
        And => sink.i64_and(),
        Or => sink.i64_or(),
        Xor => sink.i64_xor(),
        Shl => sink.i64_shl(),
        ShrS => sink.i64_shr_s(),
        ShrU => sink.i64_shr_u(),
        Rotl => sink.i64_rotl(),
        Rotr => sink.i64_rotr(),
        Eq => sink.i64_eq(),
        Ne => sink.i64_ne(),
        LtS => sink.i64_lt_s(),
        LeS => sink.i64_le_s(),
        GtS => sink.i64_gt_s(),
        GeS => sink.i64_ge_s(),
        LtU => sink.i64_lt_u(),
        LeU => sink.i64_le_u(),
        GtU => sink.i64_gt_u(),
        GeU => sink.i64_ge_u(),
        Add32 => sink.i32_add(),
        Sub32 => sink.i32_sub(),
        And32 => sink.i32_and(),
        Or32 => sink.i32_or(),
        Xor32 => sink.i32_xor(),
        Eq32 => sink.i32_eq(),
        Ne32 => sink.i32_ne(),
        LtS32 => sink.i32_lt_s(),
        LeS32 => sink.i32_le_s(),
        GtS32 => sink.i32_gt_s(),
        GeS32 => sink.i32_ge_s(),
        LtU32 => sink.i32_lt_u(),
        LeU32 => sink.i32_le_u(),
        GtU32 => sink.i32_gt_u(),
        GeU32 => sink.i32_ge_u(),
        FAdd => sink.f64_add(),
        FSub => sink.f64_sub(),
        FMul => sink.f64_mul(),
        FDiv => sink.f64_div(),
        FMin => sink.f64_min(),
        FMax => sink.f64_max(),
        FCopysign => sink.f64_copysign(),
        FEq => sink.f64_eq(),
        FNe => sink.f64_ne(),
        FLt => sink.f64_lt(),
        FLe => sink.f64_le(),
        FGt => sink.f64_gt(),
        FGe => sink.f64_ge(),
    };
}
