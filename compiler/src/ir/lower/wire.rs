//! Values that cross between a program and its host: see `prelude/wire.fold`, which has what is put and taken by itself.

use super::Lower;
use crate::ir::mono::Key;
use crate::ir::{BinaryOp, Expr, Local, Stmt, UnaryOp, Val};
use crate::typed::interface::Param;
use crate::typed::{FnId, ModuleId, Ty, TyKind};

/// What the standard library has for a type, with its type arguments; others are put and taken by what they hold.
type Own = Option<(&'static str, Box<[Ty]>)>;

impl<'a> Lower<'_, 'a> {
    /// A function that the host calls: takes arguments off the wire, and puts the result there. Where that has room in the buffers that the
    /// host gave, it gets null instead of others.
    pub fn export(&mut self, index: u32) {
        let program = self.cx.program;
        let export = &program.interface.functions[index as usize];
        let function = &program.functions[export.function.index()];
        self.at(function.span);
        let granted = export.params.iter().filter(|param| matches!(param, Param::Capability(_))).count();
        let buffers = [granted, granted + 1].map(|index| Expr::Local(Local(index as u32)));
        let Some(record) = self.cx.wire() else { return self.b.push(Stmt::Unreachable) };
        let wire = self.wire_call("wire_of", &[], buffers.to_vec(), record);
        let wire = Self::only(self.stable(record, wire));
        let (mut args, mut handle) = (Vec::new(), 0);
        for (param, declared) in export.params.iter().zip(&function.params) {
            match param {
                Param::Capability(of) => {
                    let at = self.b.at;
                    let local = Expr::NonNull(Box::new(Expr::Local(Local(handle))), at);
                    handle += 1;
                    let made = self.capability(*of, local);
                    args.extend(self.stable(declared.ty, made));
                }
                Param::Value(_) => {
                    let taken = self.wire_take(declared.ty, wire.clone());
                    args.extend(self.stable(declared.ty, taken));
                }
            }
        }
        let result = self.call_function(export.function, &[], args, function.result);
        let result = self.stable(function.result, result);
        self.wire_call("wire_rewind", &[], vec![wire.clone()], Ty::UNIT);
        self.wire_put(function.result, wire.clone(), result);
        let mut fields: Vec<Expr> = (0..4).flat_map(|field| self.record_field(record, field, wire.clone())).collect();
        for (field, given) in [(0, &buffers[0]), (2, &buffers[1])] {
            let ty = self.cx.fields(record).types[field];
            let part = self.cx.parts(ty)[0];
            fields[field] = self.unless_same(fields[field].clone(), given.clone(), part);
        }
        self.b.push(Stmt::Return(fields));
    }

    /// A reference, or null if it is another one.
    fn unless_same(&mut self, reference: Expr, other: Expr, ty: Val) -> Expr {
        let found = self.b.variable(ty.nullable());
        self.b.push(Stmt::Set(found, reference));
        let before = self.b.begin_if();
        if let Some(heap) = ty.heap() {
            self.b.push(Stmt::Set(found, Expr::Null(heap)));
        }
        let then = self.b.otherwise(before);
        let is_same = Expr::RefEq(Box::new([Expr::Local(found), other]));
        self.b.end_if(before, is_same, then);
        Expr::Local(found)
    }

    /// The code that puts a value on the wire.
    pub fn put(&mut self, ty: Ty) {
        let wire = Expr::Local(Local(0));
        let value: Vec<Expr> = (1..self.params).map(|index| Expr::Local(Local(index as u32))).collect();
        if let TyKind::Enum(..) = self.cx.types.kind(ty) {
            self.each_variant(ty, &value, |lower, variant| {
                lower.wire_call("wire_put_int", &[], vec![wire.clone(), Expr::I64(variant.into())], Ty::UNIT);
                for (_, ty, field) in lower.variant_values(ty, &value, variant) {
                    lower.wire_put(ty, wire.clone(), field);
                }
            });
        } else {
            let fields = self.fields_of(ty, &value);
            if fields.is_empty() {
                self.wire_call("wire_put_int", &[], vec![wire.clone(), Expr::I64(0)], Ty::UNIT);
            }
            for (_, ty, field) in fields {
                self.wire_put(ty, wire.clone(), field);
            }
        }
        self.b.push(Stmt::Return(Vec::new()));
    }

    /// The code that takes a value off the wire.
    pub fn take(&mut self, ty: Ty) {
        let wire = Expr::Local(Local(0));
        let fields = match self.cx.types.kind(ty).clone() {
            TyKind::Enum(..) => {
                let tag = Self::only(self.wire_call("wire_take_int", &[], vec![wire.clone()], Ty::INT));
                for variant in 0..self.cx.variant_count(ty) {
                    let next = self.b.begin_block();
                    let other = Expr::binary(BinaryOp::Ne, tag.clone(), Expr::I64(variant.into()));
                    self.b.break_if(other, next);
                    let fields = self.cx.variant_fields(ty, variant);
                    let fields = self.wire_take_all(&fields, &wire);
                    let made = self.variant(ty, variant, fields);
                    self.b.push(Stmt::Return(made));
                    self.b.end_block(next);
                }
                self.wire_call("wire_malformed", &[], Vec::new(), Ty::NEVER);
                return self.b.push(Stmt::Unreachable);
            }
            TyKind::Record(..) => self.cx.fields(ty).types.clone(),
            TyKind::Tuple(elements) => elements.to_vec(),
            _ => Vec::new(),
        };
        if fields.is_empty() {
            self.wire_call("wire_take_int", &[], vec![wire.clone()], Ty::INT);
        }
        let values = self.wire_take_all(&fields, &wire);
        let made = match self.cx.types.kind(ty) {
            TyKind::Record(..) => vec![Expr::StructNew(self.cx.fields(ty).ty, values)],
            _ => self.pack(ty, values),
        };
        self.b.push(Stmt::Return(made));
    }

    fn wire_take_all(&mut self, types: &[Ty], wire: &Expr) -> Vec<Expr> {
        let mut values = Vec::new();
        for &ty in types {
            let taken = self.wire_take(ty, wire.clone());
            values.extend(self.stable(ty, taken));
        }
        values
    }

    /// Puts a value on the wire.
    pub fn wire_put(&mut self, ty: Ty, wire: Expr, value: Vec<Expr>) {
        let number = match self.cx.types.kind(ty) {
            TyKind::Int => Some(Self::only(value.clone())),
            TyKind::Float => Some(Expr::unary(UnaryOp::FBits, Self::only(value.clone()))),
            TyKind::Bool | TyKind::Char => Some(Expr::unary(UnaryOp::ExtendU, Self::only(value.clone()))),
            _ => None,
        };
        if let Some(number) = number {
            self.wire_call("wire_put_int", &[], vec![wire, number], Ty::UNIT);
            return;
        }
        let args: Vec<Expr> = std::iter::once(wire).chain(value).collect();
        match self.wire_own(ty, "put") {
            Some((name, types)) => {
                self.wire_call(name, &types, args, Ty::UNIT);
            }
            None => {
                let func = self.cx.instance(Key::Put(ty));
                self.call_func(func, args);
            }
        }
    }

    /// Takes a value off the wire.
    pub fn wire_take(&mut self, ty: Ty, wire: Expr) -> Vec<Expr> {
        let op = match self.cx.types.kind(ty) {
            TyKind::Int => None,
            TyKind::Float => Some(UnaryOp::FFromBits),
            TyKind::Bool | TyKind::Char => Some(UnaryOp::Wrap),
            _ => {
                return match self.wire_own(ty, "take") {
                    Some((name, types)) => self.wire_call(name, &types, vec![wire], ty),
                    None => {
                        let func = self.cx.instance(Key::Take(ty));
                        self.call_func(func, vec![wire])
                    }
                };
            }
        };
        let number = Self::only(self.wire_call("wire_take_int", &[], vec![wire], Ty::INT));
        vec![op.map_or(number.clone(), |op| Expr::unary(op, number))]
    }

    fn wire_own(&self, ty: Ty, what: &str) -> Own {
        let lang = self.cx.program.lang;
        let is_put = what == "put";
        let either = |put, take| if is_put { put } else { take };
        let (name, types): (_, Box<[Ty]>) = match self.cx.types.kind(ty) {
            TyKind::String => (either("wire_put_string", "wire_take_string"), Box::default()),
            TyKind::Dyn(..) => (either("wire_put_error", "wire_take_error"), Box::default()),
            TyKind::Record(id, _) if Some(*id) == lang.bytes => {
                (either("wire_put_bytes", "wire_take_bytes"), Box::default())
            }
            TyKind::Record(id, args) if Some(*id) == lang.list && **args == [Ty::INT] => {
                (either("wire_put_ints", "wire_take_ints"), Box::default())
            }
            TyKind::Record(id, args) if Some(*id) == lang.list => {
                (either("wire_put_list", "wire_take_list"), args.clone())
            }
            TyKind::Record(id, args) if Some(*id) == lang.set => {
                (either("wire_put_set", "wire_take_set"), args.clone())
            }
            TyKind::Record(id, args) if Some(*id) == lang.map => {
                (either("wire_put_map", "wire_take_map"), args.clone())
            }
            _ => return None,
        };
        Some((name, types))
    }

    /// Calls a function of `prelude/wire.fold`.
    fn wire_call(&mut self, name: &str, types: &[Ty], args: Vec<Expr>, result: Ty) -> Vec<Expr> {
        match self.cx.prelude_function(name) {
            Some(id) => self.call_function(id, types, args, result),
            None => Vec::new(),
        }
    }
}

impl super::Context<'_> {
    /// The type of what crosses.
    pub fn wire(&self) -> Option<Ty> {
        let make = self.prelude_function("wire_of")?;
        Some(self.program.functions[make.index()].result)
    }

    fn prelude_function(&self, name: &str) -> Option<FnId> {
        let name = self.names.find(name)?;
        let all = self.program.functions.iter();
        let is = |function: &crate::typed::Function| function.module == ModuleId(0) && function.name == name;
        (0..).zip(all).find(|(_, function)| is(function)).map(|(index, _)| FnId(index))
    }

    /// Parameters and results of a function that the host calls.
    pub fn export_signature(&mut self, index: u32) -> (Vec<Val>, Vec<Val>) {
        let program = self.program;
        let export = &program.interface.functions[index as usize];
        let granted = export.params.iter().filter(|param| matches!(param, Param::Capability(_)));
        let mut params: Vec<Val> = granted.map(|_| Val::Null(crate::ir::Heap::Extern)).collect();
        let Some(TyKind::Record(..)) = self.wire().map(|ty| self.types.kind(ty)) else { return (params, Vec::new()) };
        let wire = self.wire().map(|ty| self.fields(ty).types.clone()).unwrap_or_default();
        let results: Vec<Val> = wire.iter().flat_map(|&ty| self.parts(ty).to_vec()).collect();
        params.extend(results.iter().filter(|part| part.heap().is_some()));
        (params, results.iter().map(|part| part.nullable()).collect())
    }
}
