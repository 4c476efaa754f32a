//! Calls.

use std::rc::Rc;

use super::Lower;
use crate::ir::mono::{Context, Key};
use crate::ir::resolve::Target;
use crate::ir::{BinaryOp, Callee as Code, Expr, FuncId, Heap, Stmt, Val};
use crate::typed::{self, Callee, FnId, FunctionKind, TraitId, Ty, TyKind};

impl Context<'_> {
    /// The number of a function with type arguments.
    pub fn function(&mut self, id: FnId, args: &[Ty]) -> FuncId {
        match self.host_function(id) {
            Some(func) => func,
            None => self.instance(Key::Function(id, args.into())),
        }
    }
}

/// What a call turns out to be.
pub(super) enum Resolved {
    /// A function of the program.
    Function(FnId, Vec<Ty>),
    /// One that the compiler made.
    Made(FuncId),
    /// Of a `dyn` value of a type.
    Dynamic(Ty, TraitId, u32),
}

impl<'a> Lower<'_, 'a> {
    /// A call in the source.
    pub fn call(&mut self, callee: &'a Callee, args: &'a [typed::Expr], expr: &'a typed::Expr) -> Vec<Expr> {
        let result = self.ty(expr.ty);
        if let Callee::Value(function) = callee {
            let mut operands = self.operands(std::iter::once(&**function).chain(args)).into_iter();
            if self.b.dead {
                return Vec::new();
            }
            let function_ty = self.ty(function.ty);
            let function = Self::only(operands.next().unwrap_or_default());
            let args = operands.flatten().collect();
            self.at(expr.span);
            return self.call_value(function_ty, function, args);
        }
        let operands = self.operands(args);
        if self.b.dead {
            return Vec::new();
        }
        self.at(expr.span);
        let first = args.first().map_or(Ty::ERROR, |arg| arg.ty);
        let first = self.ty(first);
        self.call_with(callee, first, operands.into_iter().flatten().collect(), result)
    }

    /// What a callee is, with the type arguments of this function put in.
    pub(super) fn resolve(&mut self, callee: &Callee) -> Option<Resolved> {
        match callee {
            Callee::Fn(id, args) => Some(Resolved::Function(*id, self.tys(args))),
            Callee::Trait { of, args, method, self_ty, method_args } => {
                let (args, method_args) = (self.tys(args), self.tys(method_args));
                let self_ty = self.ty(*self_ty);
                Some(self.resolve_method(*of, &args, *method, self_ty, &method_args))
            }
            Callee::Dyn(..) | Callee::Value(_) => None,
        }
    }

    /// What a function of a trait is for a type.
    pub(super) fn resolve_method(
        &mut self,
        of: TraitId,
        args: &[Ty],
        method: u32,
        self_ty: Ty,
        method_args: &[Ty],
    ) -> Resolved {
        match self.cx.target(of, args, method, self_ty, method_args) {
            Target::Function(id, args) => Resolved::Function(id, args),
            Target::Derived => Resolved::Made(self.cx.instance(Key::Derived(of, method, self_ty))),
            Target::Dynamic => Resolved::Dynamic(self_ty, of, method),
        }
    }

    /// A call with arguments that are evaluated, the first of this type.
    pub fn call_with(&mut self, callee: &Callee, first: Ty, args: Vec<Expr>, result: Ty) -> Vec<Expr> {
        match (self.resolve(callee), callee) {
            (Some(resolved), _) => self.call_resolved(resolved, args, result),
            (None, Callee::Dyn(of, method)) => self.call_dynamic(first, *of, *method, args),
            _ => Vec::new(),
        }
    }

    /// A call of what is known.
    pub(super) fn call_resolved(&mut self, resolved: Resolved, args: Vec<Expr>, result: Ty) -> Vec<Expr> {
        match resolved {
            Resolved::Function(id, type_args) => self.call_function(id, &type_args, args, result),
            Resolved::Made(func) => self.call_func(func, args),
            Resolved::Dynamic(ty, of, method) => self.call_dynamic(ty, of, method, args),
        }
    }

    /// A call of a function of the program.
    pub fn call_function(&mut self, id: FnId, type_args: &[Ty], args: Vec<Expr>, result: Ty) -> Vec<Expr> {
        if self.b.dead {
            return Vec::new();
        }
        let function = &self.cx.program.functions[id.index()];
        if matches!(function.kind, FunctionKind::Intrinsic) {
            return self.intrinsic(id, type_args, args);
        }
        let declared = self.cx.substitute(function.result, type_args);
        let never = self.is_never(declared) || self.is_never(result);
        let func = self.cx.function(id, type_args);
        let expected = self.cx.parts(declared);
        let found = self.cx.module.functions[func.index()].results.clone();
        let at = self.b.at;
        // A handle that the host gives may be null as far as its types go.
        let parts = self.call_func(func, args).into_iter().zip(found.iter().zip(expected.iter()));
        let parts: Vec<Expr> = parts
            .map(|(part, (found, expected))| if found == expected { part } else { Expr::NonNull(Box::new(part), at) })
            .collect();
        if never {
            self.b.push(Stmt::Unreachable);
        }
        parts
    }

    /// A call of a function by its number.
    pub fn call_func(&mut self, func: FuncId, args: Vec<Expr>) -> Vec<Expr> {
        let results = self.cx.module.functions[func.index()].results.clone();
        self.b.call_direct(func, args, &results)
    }

    /// A call of a function value.
    pub fn call_value(&mut self, function_ty: Ty, function: Expr, args: Vec<Expr>) -> Vec<Expr> {
        let TyKind::Fn(params, result) = self.cx.types.kind(function_ty).clone() else { return Vec::new() };
        let base = self.cx.module.types.tagged();
        let val = Val::Ref(Heap::Type(base));
        let function = self.b.stable(function, val);
        let (ty, results) = self.function_type(&params, result);
        let index = self.b.field(base, 0, function.clone());
        let args = std::iter::once(function).chain(args).collect();
        let parts = self.b.call(Code::Table(ty, index), args, &results);
        if self.is_never(result) {
            self.b.push(Stmt::Unreachable);
        }
        parts
    }

    /// The type of the code of function values, and its results.
    pub fn function_type(&mut self, params: &[Ty], result: Ty) -> (crate::ir::TypeId, Rc<[Val]>) {
        let base = self.cx.module.types.tagged();
        let mut types = vec![Val::Ref(Heap::Type(base))];
        for &param in params {
            types.extend_from_slice(&self.cx.parts(param));
        }
        let results = self.cx.parts(result);
        (self.cx.module.types.func(types, results.to_vec()), results)
    }

    /// A call of a function of a `dyn` value of a type; the value is the first argument.
    pub fn call_dynamic(&mut self, ty: Ty, of: TraitId, method: u32, args: Vec<Expr>) -> Vec<Expr> {
        let TyKind::Dyn(id, dyn_args) = self.cx.types.kind(ty).clone() else { return Vec::new() };
        let place = self.cx.row(id).iter().position(|each| *each == (of, method));
        debug_assert!(place.is_some(), "the checker did not see that this is called");
        if place.is_none() {
            // Rather than another function.
            self.b.push(Stmt::Unreachable);
        }
        let place = place.unwrap_or(0) as u32;
        let of_args = self.cx.super_arguments(id, &dyn_args, of, 0).unwrap_or_default();
        let declared = self.cx.program.traits[of.index()].methods[method as usize].function;
        let type_args: Vec<Ty> = std::iter::once(ty).chain(of_args).collect();
        let (mut types, results) = super::declared(self.cx, declared, &type_args, 1);
        types.insert(0, Val::Null(Heap::Any));
        let code = self.cx.module.types.func(types, results.clone());

        let dynamic = self.cx.module.types.dynamic();
        let mut args = args.into_iter();
        let first = args.next().unwrap_or(Expr::I32(0));
        let value = self.b.stable(first, Val::Ref(Heap::Type(dynamic)));
        let slot = self.b.field(dynamic, 0, value.clone());
        let data = self.b.field(dynamic, 1, value);
        let index = if place == 0 { slot } else { Expr::binary(BinaryOp::Add32, slot, Expr::I32(place as i32)) };
        let parts = self.b.call(Code::Table(code, index), std::iter::once(data).chain(args).collect(), &results);
        let result = self.cx.program.functions[declared.index()].result;
        if self.is_never(result) {
            self.b.push(Stmt::Unreachable);
        }
        parts
    }
}
