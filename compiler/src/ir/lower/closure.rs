//! Function values and `dyn` values.
//!
//! A function value is an object with an index of the table, at which its code is, and what the closure captured after it. The
//! code gets the object as its first argument. A `dyn` value is an object with the index at which the functions of its type's implementation
//! begin, and the value.

use std::rc::Rc;

use super::call::Resolved;
use super::{Lower, Slot};
use crate::ir::mono::{Captured, Key, Work};
use crate::ir::{Expr, FieldDef, FuncId, Heap, Init, Local, Stmt, Val};
use crate::typed::{Callee, Closure, EnumId, FunctionKind, TraitId, Ty, TyKind};

impl<'a> Lower<'_, 'a> {
    /// A closure.
    pub fn closure(&mut self, closure: &'a Closure, ty: Ty) -> Vec<Expr> {
        let ty = self.ty(ty);
        let TyKind::Fn(params, result) = self.cx.types.kind(ty).clone() else { return Vec::new() };
        let mut fields = vec![FieldDef::constant(Val::I32)];
        let mut values = Vec::new();
        let mut captures = Vec::new();
        for &id in &closure.captures {
            match self.slots[id.index()].clone() {
                Some(Slot::Cell(place, cell)) => {
                    let val = Val::Ref(Heap::Type(cell));
                    fields.push(FieldDef::constant(val));
                    values.push(Expr::Local(place));
                    captures.push((id, Captured::Cell(cell)));
                }
                _ => {
                    let local_ty = self.ty(self.locals[id.index()].ty);
                    let parts = self.cx.parts(local_ty);
                    fields.extend(parts.iter().map(|&part| FieldDef::constant(part)));
                    values.extend(self.read(id));
                    captures.push((id, Captured::Parts(parts)));
                }
            }
        }
        let base = self.cx.module.types.tagged();
        let object = self.cx.module.types.extension(base, fields);
        let mut types = vec![Val::Ref(Heap::Type(base))];
        for &param in params.iter() {
            types.extend_from_slice(&self.cx.parts(param));
        }
        let results = self.cx.parts(result);
        let name = self.cx.module.names[self.name as usize].clone();
        let name = if name.ends_with(".closure") { name.to_string() } else { format!("{name}.closure") };
        let (locals, args) = (self.locals, self.args.clone());
        let is_constant = captures.is_empty();
        let func = self.cx.closure(&name, &types, &results, |func| Work::Closure {
            func,
            closure,
            locals,
            args,
            object,
            captures,
            result,
        });
        if is_constant {
            return vec![self.constant_function(func)];
        }
        let mut parts = vec![Expr::Row(self.cx.closure_row(func))];
        parts.extend(values);
        vec![Expr::StructNew(object, parts)]
    }

    /// A function value that captures nothing: one object for all.
    fn constant_function(&mut self, func: FuncId) -> Expr {
        let base = self.cx.module.types.tagged();
        let row = self.cx.closure_row(func);
        self.cx.global(Val::Ref(Heap::Type(base)), Init::Function(base, row))
    }

    /// A function as a value.
    pub fn function_value(&mut self, callee: &'a Callee) -> Vec<Expr> {
        let target = match self.resolve(callee) {
            Some(Resolved::Function(id, args)) => {
                let program = self.cx.program;
                match program.functions[id.index()].kind {
                    FunctionKind::Intrinsic => self.cx.instance(Key::Function(id, args.into())),
                    _ => self.cx.function(id, &args),
                }
            }
            Some(Resolved::Made(func)) => func,
            Some(Resolved::Dynamic(dyn_ty, of, method)) => {
                let TyKind::Dyn(id, args) = self.cx.types.kind(dyn_ty).clone() else { return Vec::new() };
                let args = self.cx.super_arguments(id, &args, of, 0).unwrap_or_default();
                self.cx.instance(Key::Forward(dyn_ty, of, args.into(), method))
            }
            None => return Vec::new(),
        };
        let func = self.cx.instance(Key::Adapter(target));
        vec![self.constant_function(func)]
    }

    /// A variant's constructor as a value.
    pub fn constructor_value(&mut self, id: EnumId, variant: u32, ty: Ty) -> Vec<Expr> {
        let ty = self.ty(ty);
        let TyKind::Fn(_, result) = *self.cx.types.kind(ty) else { return Vec::new() };
        let func = self.cx.instance(Key::Constructor(id, variant, result));
        vec![self.constant_function(func)]
    }

    /// A value as `dyn` of a trait with arguments.
    pub fn as_dyn_value(&mut self, ty: Ty, parts: Vec<Expr>, of: TraitId, args: &[Ty]) -> Expr {
        let row = self.cx.implemented(ty, of, args);
        let data = self.boxed_as_any(ty, parts);
        let dynamic = self.cx.module.types.dynamic();
        Expr::StructNew(dynamic, vec![Expr::Row(row), data])
    }

    /// The code of a function of a `dyn` value of a type.
    pub fn method(&mut self, ty: Ty, of: TraitId, args: &Rc<[Ty]>, method: u32) {
        let declared = self.cx.program.traits[of.index()].methods[method as usize].function;
        let type_args: Vec<Ty> = std::iter::once(ty).chain(args.iter().copied()).collect();
        let result = self.cx.program.functions[declared.index()].result;
        let result = self.cx.substitute(result, &type_args);
        let mut values = self.value_of_any(ty, Expr::Local(Local(0)));
        values.extend((1..self.params).map(|index| Expr::Local(Local(index as u32))));
        let resolved = self.resolve_method(of, args, method, ty, &[]);
        let parts = self.call_resolved(resolved, values, result);
        self.b.push(Stmt::Return(parts));
    }

    /// The code of a function of a trait, for a `dyn` type.
    pub fn forward(&mut self, ty: Ty, of: TraitId, method: u32) {
        let values = (0..self.params).map(|index| Expr::Local(Local(index as u32))).collect();
        let parts = self.call_dynamic(ty, of, method, values);
        self.b.push(Stmt::Return(parts));
    }

    /// The code of a function value that calls a function.
    pub fn adapter(&mut self, target: FuncId) {
        let values = (1..self.params).map(|index| Expr::Local(Local(index as u32))).collect();
        let parts = self.call_func(target, values);
        self.b.push(Stmt::Return(parts));
    }

    /// The code of a function value that makes a variant.
    pub fn constructor(&mut self, variant: u32, ty: Ty) {
        let values = (1..self.params).map(|index| Expr::Local(Local(index as u32))).collect();
        let parts = self.variant(ty, variant, values);
        self.b.push(Stmt::Return(parts));
    }
}
