//! Checks that code is well formed, after it was made and after each step that changes it, in builds with assertions.

use super::visit::falls_through;
use super::{BinaryOp, Callee, Code, Expr, Function, Heap, Label, Local, Module, Stmt, TypeDef, UnaryOp, Val};

struct Checker<'m> {
    module: &'m Module,
    function: &'m Function,
    labels: Vec<Label>,
    error: Option<String>,
}

/// Whether all functions of a module are well formed; what is wrong with the first that is not.
pub(crate) fn module(module: &Module) -> Result<(), String> {
    module.functions.iter().try_for_each(|each| function(module, each))
}

/// Whether a function is.
pub(crate) fn function(module: &Module, function: &Function) -> Result<(), String> {
    let Code::Body(body) = &function.code else { return Ok(()) };
    let mut checker = Checker { module, function, labels: Vec::new(), error: None };
    checker.list(body);
    if falls_through(body) && !function.results.is_empty() {
        checker.fail("its end is reached".to_owned());
    }
    match checker.error {
        Some(error) => Err(format!("{}: {error}", module.names[function.name as usize])),
        None => Ok(()),
    }
}

impl Checker<'_> {
    fn fail(&mut self, error: String) {
        self.error.get_or_insert(error);
    }

    fn list(&mut self, list: &[Stmt]) {
        for stmt in list {
            self.stmt(stmt);
            match stmt {
                Stmt::Block(label, body) | Stmt::Loop(label, body) => {
                    if self.labels.contains(label) {
                        self.fail(format!("label l{} is inside of itself", label.0));
                    }
                    self.labels.push(*label);
                    self.list(body);
                    self.labels.pop();
                }
                Stmt::If(_, then, otherwise) => {
                    self.list(then);
                    self.list(otherwise);
                }
                _ => {}
            }
        }
    }

    fn label(&mut self, label: Label) {
        if !self.labels.contains(&label) {
            self.fail(format!("a jump to l{}, which is not around it", label.0));
        }
        if label.0 >= self.function.labels {
            self.fail(format!("label l{} is beyond the count", label.0));
        }
    }

    fn local(&mut self, local: Local) -> Val {
        match self.function.locals.get(local.index()) {
            Some(&val) => val,
            None => {
                self.fail(format!("no local v{}", local.0));
                Val::I32
            }
        }
    }

    /// Whether a value of one type can stand where one of the other is meant, leaving null aside.
    fn expect(&mut self, expr: &Expr, expected: Val) {
        let found = self.expr(expr);
        let fits = match (found.heap(), expected.heap()) {
            (None, None) => found == expected,
            (Some(found), Some(expected)) => self.is_sub(found, expected),
            _ => false,
        };
        let null = matches!(expected, Val::Ref(_)) && matches!(found, Val::Null(_));
        if !fits || null {
            let text = super::print::expression(expr, self.module);
            self.fail(format!("{text} is {found:?}, not {expected:?}"));
        }
    }

    fn is_sub(&self, found: Heap, expected: Heap) -> bool {
        match (found, expected) {
            (Heap::Extern, Heap::Extern) => true,
            (Heap::Extern, _) | (_, Heap::Extern) => false,
            (_, Heap::Any) => true,
            (Heap::Any, _) => false,
            (Heap::Type(found), Heap::Type(expected)) => {
                found == expected
                    || matches!(self.module.types.get(found), TypeDef::Struct { parent: Some(parent), .. } if *parent == expected)
            }
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Set(local, value) => {
                let val = self.local(*local);
                self.expect(value, val);
            }
            Stmt::Call(call, to) => {
                let results = self.call(call);
                if results.len() != to.len() {
                    return self.fail(format!("{} results in {} locals", results.len(), to.len()));
                }
                for (result, &local) in results.into_iter().zip(to) {
                    let val = self.local(local);
                    let fits = val == result || (val.nullable() == result.nullable() && matches!(result, Val::Ref(_)));
                    if !fits {
                        self.fail(format!("a result {result:?} in a local {val:?}"));
                    }
                }
            }
            Stmt::StructSet(ty, field, parts, _) => {
                self.expect(&parts[0], Val::Null(Heap::Type(*ty)));
                let def = self.module.types.field(*ty, *field);
                if !def.mutable {
                    self.fail(format!("an assignment of field {field} of t{}, which is constant", ty.0));
                }
                self.expect(&parts[1], def.storage.unpacked());
            }
            Stmt::ArraySet(ty, parts, _) => {
                self.expect(&parts[0], Val::Null(Heap::Type(*ty)));
                self.expect(&parts[1], Val::I32);
                self.expect(&parts[2], self.module.types.element(*ty).storage.unpacked());
            }
            Stmt::ArrayCopy(to, from, parts, _) => {
                self.expect(&parts[0], Val::Null(Heap::Type(*to)));
                self.expect(&parts[1], Val::I32);
                self.expect(&parts[2], Val::Null(Heap::Type(*from)));
                self.expect(&parts[3], Val::I32);
                self.expect(&parts[4], Val::I32);
            }
            Stmt::ArrayFill(ty, parts, _) => {
                self.expect(&parts[0], Val::Null(Heap::Type(*ty)));
                self.expect(&parts[1], Val::I32);
                self.expect(&parts[2], self.module.types.element(*ty).storage.unpacked());
                self.expect(&parts[3], Val::I32);
            }
            Stmt::GlobalSet(id, value) => self.expect(value, self.module.globals[id.index()].ty),
            Stmt::If(condition, ..) => self.expect(condition, Val::I32),
            Stmt::Switch(index, labels, last) => {
                self.expect(index, Val::I32);
                labels.iter().chain([last]).for_each(|&label| self.label(label));
            }
            Stmt::Break(label) => self.label(*label),
            Stmt::Return(values) => {
                let results = self.function.results.clone();
                if values.len() != results.len() {
                    return self.fail(format!("{} values returned as {} results", values.len(), results.len()));
                }
                for (value, result) in values.iter().zip(results) {
                    self.expect(value, result);
                }
            }
            Stmt::Drop(value) => {
                self.expr(value);
            }
            Stmt::Block(..) | Stmt::Loop(..) | Stmt::Unreachable => {}
        }
    }

    fn call(&mut self, call: &super::Call) -> Vec<Val> {
        let (params, results) = match &call.callee {
            Callee::Direct(id) => {
                let function = &self.module.functions[id.index()];
                (function.locals[..function.params].to_vec(), function.results.clone())
            }
            Callee::Table(ty, index) => {
                self.expect(index, Val::I32);
                match self.module.types.get(*ty) {
                    TypeDef::Func(params, results) => (params.clone(), results.clone()),
                    _ => (Vec::new(), Vec::new()),
                }
            }
        };
        if params.len() != call.args.len() {
            let name = match &call.callee {
                Callee::Direct(id) => self.module.names[self.module.functions[id.index()].name as usize].to_string(),
                Callee::Table(..) => "a function value".to_owned(),
            };
            self.fail(format!("{} arguments for {} parameters of {name}", call.args.len(), params.len()));
            return results;
        }
        for (arg, param) in call.args.iter().zip(params) {
            self.expect(arg, param);
        }
        results
    }

    fn expr(&mut self, expr: &Expr) -> Val {
        match expr {
            Expr::I32(_) => Val::I32,
            Expr::I64(_) => Val::I64,
            Expr::F64(_) => Val::F64,
            Expr::Null(heap) => Val::Null(*heap),
            Expr::Row(_) => Val::I32,
            Expr::Local(local) => self.local(*local),
            Expr::Global(id) => self.module.globals[id.index()].ty,
            Expr::Unary(op, value) => {
                let (from, to) = unary(*op);
                self.expect(value, from);
                to
            }
            Expr::Binary(op, parts) => {
                let (from, to) = binary(*op);
                parts.iter().for_each(|part| self.expect(part, from));
                to
            }
            Expr::Checked(_, parts, _) => {
                parts.iter().for_each(|part| self.expect(part, Val::I64));
                Val::I64
            }
            Expr::Index(value, _) => {
                self.expect(value, Val::I64);
                Val::I32
            }
            Expr::NonNull(value, _) => match self.expr(value).heap() {
                Some(heap) => Val::Ref(heap),
                None => {
                    self.fail("a number that is to be no null".to_owned());
                    Val::I32
                }
            },
            Expr::Cast(val, value, _) => {
                self.expect(value, Val::Null(Heap::Any));
                *val
            }
            Expr::FromExtern(value) => {
                self.expect(value, Val::Null(Heap::Extern));
                Val::Null(Heap::Any)
            }
            Expr::ToExtern(value) => {
                self.expect(value, Val::Null(Heap::Any));
                Val::Null(Heap::Extern)
            }
            Expr::IsNull(value) => {
                self.expr(value);
                Val::I32
            }
            Expr::RefEq(parts) => {
                parts.iter().for_each(|part| self.expect(part, Val::Null(Heap::Any)));
                Val::I32
            }
            Expr::Call(call) => self.call(call).first().copied().unwrap_or(Val::I32),
            _ => self.object(expr),
        }
    }

    fn object(&mut self, expr: &Expr) -> Val {
        match expr {
            Expr::StructNew(ty, values) => {
                let TypeDef::Struct { fields, .. } = self.module.types.get(*ty).clone() else {
                    self.fail(format!("t{} is no struct", ty.0));
                    return Val::I32;
                };
                if fields.len() != values.len() {
                    self.fail(format!("{} values for {} fields of t{}", values.len(), fields.len(), ty.0));
                }
                for (value, field) in values.iter().zip(fields) {
                    self.expect(value, field.storage.unpacked());
                }
                Val::Ref(Heap::Type(*ty))
            }
            Expr::StructGet(ty, field, object, _) => {
                self.expect(object, Val::Null(Heap::Type(*ty)));
                self.module.types.field(*ty, *field).storage.unpacked()
            }
            Expr::ArrayNew(ty, parts, _) => {
                self.expect(&parts[0], self.module.types.element(*ty).storage.unpacked());
                self.expect(&parts[1], Val::I32);
                Val::Ref(Heap::Type(*ty))
            }
            Expr::ArrayDefault(ty, length, _) => {
                self.expect(length, Val::I32);
                Val::Ref(Heap::Type(*ty))
            }
            Expr::ArrayFixed(ty, elements) => {
                let element = self.module.types.element(*ty).storage.unpacked();
                elements.iter().for_each(|each| self.expect(each, element));
                Val::Ref(Heap::Type(*ty))
            }
            Expr::ArrayData(ty, ..) => Val::Ref(Heap::Type(*ty)),
            Expr::ArrayGet(ty, parts, _) => {
                self.expect(&parts[0], Val::Null(Heap::Type(*ty)));
                self.expect(&parts[1], Val::I32);
                self.module.types.element(*ty).storage.unpacked()
            }
            Expr::ArrayLen(array, _) => {
                self.expr(array);
                Val::I32
            }
            _ => Val::I32,
        }
    }
}

fn unary(op: UnaryOp) -> (Val, Val) {
    use UnaryOp::*;
    match op {
        Eqz | Wrap => (Val::I64, Val::I32),
        Eqz32 => (Val::I32, Val::I32),
        ExtendU => (Val::I32, Val::I64),
        Clz | Ctz | Popcnt => (Val::I64, Val::I64),
        FNeg | FAbs | FFloor | FCeil | FTrunc | FNearest | FSqrt => (Val::F64, Val::F64),
        FConvertS | FConvertU | FFromBits => (Val::I64, Val::F64),
        FTruncSatS | FBits => (Val::F64, Val::I64),
    }
}

fn binary(op: BinaryOp) -> (Val, Val) {
    let from = if op.is_float() {
        Val::F64
    } else if op.is_32() {
        Val::I32
    } else {
        Val::I64
    };
    (from, if op.is_comparison() { Val::I32 } else { from })
}
