//! Calls, and what is instantiated for them.

use super::path::Path;
use super::{Infer, Member, Want};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::{self, ExprKind as Written};
use crate::typed::{Callee, EnumId, Expr, ExprKind, FnId, Ty, TyKind};

/// A function that is called, with the types that it has there.
pub(super) struct Called {
    pub callee: Callee,
    pub params: Vec<Ty>,
    pub result: Ty,
    /// Where its parameters are told, for messages.
    pub function: Option<FnId>,
}

/// A closure, perhaps in parentheses: what is looked at after other arguments.
fn is_closure(expr: &syntax::Expr) -> bool {
    match &expr.kind {
        Written::Closure { .. } => true,
        Written::Paren(inner) => is_closure(inner),
        _ => false,
    }
}

impl<'a> Infer<'_, 'a> {
    pub(super) fn call(
        &mut self,
        expr: &'a syntax::Expr,
        callee: &'a syntax::Expr,
        args: &'a [syntax::Expr],
        hint: Option<Ty>,
    ) -> Expr {
        let span = expr.span;
        let mark = self.pending.len();
        match self.path(callee) {
            Path::Error => {
                self.loose_args(args);
                self.error(span)
            }
            Path::Value => self.call_value(callee, args, hint, span),
            Path::Local(_) | Path::Const(_) => {
                let callee = self.expr(callee, Want::Value(None));
                self.call_closure(callee, args, span)
            }
            Path::Fn(id, types) => {
                let count = self.generic_count(id);
                let Some(type_args) = self.own_args(count, 0, types, callee.span) else {
                    self.loose_args(args);
                    return self.error(span);
                };
                let (params, result) = self.instantiate(id, &type_args, callee.span);
                let called = Called { callee: Callee::Fn(id, type_args), params, result, function: Some(id) };
                self.finish_call(called, Vec::new(), args, hint, mark, span)
            }
            Path::Variant(id, tag) => {
                let ty = self.fresh_enum(id, span);
                self.call_variant(ty, id, tag, args, hint, span)
            }
            Path::Associated(ty, name, types) => {
                if let Some((id, tag)) = self.find_variant(ty, name.name) {
                    return self.call_variant(ty, id, tag, args, hint, span);
                }
                match self.associated(ty, name, types, callee.span) {
                    Some(called) => self.finish_call(called, Vec::new(), args, hint, mark, span),
                    None => {
                        self.loose_args(args);
                        self.error(span)
                    }
                }
            }
            Path::Module(_) | Path::Type(..) => {
                let wrong = self.path_expr(callee, None);
                self.loose_args(args);
                Expr { span, ..wrong }
            }
        }
    }

    /// A call of what is no path: a method, or a function value.
    fn call_value(&mut self, callee: &'a syntax::Expr, args: &'a [syntax::Expr], hint: Option<Ty>, span: Span) -> Expr {
        let (base, name, types): (_, _, &'a [syntax::Type]) = match &callee.kind {
            Written::Field(base, name) => (base, *name, &[]),
            Written::Generic(inner, types) => match &inner.kind {
                Written::Field(base, name) => (base, *name, types),
                _ => {
                    let callee = self.expr(callee, Want::Value(None));
                    return self.call_closure(callee, args, span);
                }
            },
            _ => {
                let callee = self.expr(callee, Want::Value(None));
                return self.call_closure(callee, args, span);
            }
        };
        let base = self.expr(base, Want::Value(None));
        self.member(base, Member::Method { name, types, args, span }, hint)
    }

    /// A call of a function value.
    fn call_closure(&mut self, callee: Expr, args: &'a [syntax::Expr], span: Span) -> Expr {
        if self.c.is_hole(callee.ty) {
            self.progress();
        }
        let ty = self.c.shallow(callee.ty);
        match self.c.program.types.kind(ty) {
            TyKind::Fn(params, result) => {
                let (params, result) = (params.to_vec(), *result);
                let args = self.args(&params, args, None, self.pending.len(), span);
                Expr { kind: ExprKind::Call(Callee::Value(Box::new(callee)), args), ty: result, span }
            }
            TyKind::Infer(_) => {
                let args: Vec<Expr> = args.iter().map(|arg| self.expr(arg, Want::Value(None))).collect();
                let params: Vec<Ty> = args.iter().map(|arg| arg.ty).collect();
                let result = self.c.fresh(span);
                let function = self.c.program.types.function(&params, result);
                self.c.unify(ty, function);
                Expr { kind: ExprKind::Call(Callee::Value(Box::new(callee)), args), ty: result, span }
            }
            TyKind::Error | TyKind::Never => {
                self.loose_args(args);
                Expr { span, ..callee }
            }
            _ => {
                let message = format!("`{}` cannot be called", self.c.show(ty));
                self.report(Diagnostic::error("F0304", callee.span, message).label("no function"));
                self.loose_args(args);
                self.error(span)
            }
        }
    }

    fn call_variant(
        &mut self,
        ty: Ty,
        id: EnumId,
        tag: u32,
        args: &'a [syntax::Expr],
        hint: Option<Ty>,
        span: Span,
    ) -> Expr {
        if let Some(hint) = hint {
            self.c.try_unify(ty, hint);
        }
        let variant = &self.c.program.enums[id.index()].variants[tag as usize];
        if variant.named || variant.fields.is_empty() {
            let (text, named) = (self.c.text(variant.name).to_owned(), variant.named);
            let error = Diagnostic::error("F0330", span, format!("`{text}` has no values in parentheses"));
            let help = if named {
                format!("it is written `{text} {{ field: value }}`")
            } else {
                format!("it is written `{text}`")
            };
            self.report(error.help(help));
            self.loose_args(args);
            return self.error(span);
        }
        let params = self.variant_fields(ty, id, tag);
        if params.len() != args.len() {
            let text = self.c.text(self.c.program.enums[id.index()].variants[tag as usize].name).to_owned();
            self.wrong_count(&format!("`{text}`"), params.len(), args.len(), None, span);
            self.loose_args(args);
            return Expr { ty, ..self.error(span) };
        }
        let args = self.args(&params, args, None, self.pending.len(), span);
        Expr { kind: ExprKind::Variant(id, tag, args), ty, span }
    }

    /// A call, once its function is known; `before` are arguments that are there already.
    pub(super) fn finish_call(
        &mut self,
        called: Called,
        before: Vec<Expr>,
        args: &'a [syntax::Expr],
        hint: Option<Ty>,
        mark: usize,
        span: Span,
    ) -> Expr {
        if let Some(hint) = hint {
            // A value of any type is made a `dyn` afterwards.
            let later = self.c.is_hole(called.result) && matches!(self.kind(hint), TyKind::Dyn(..));
            if !later {
                self.c.try_unify(called.result, hint);
            }
        }
        let mut all = before;
        let rest = self.args(&called.params[all.len()..], args, called.function, mark, span);
        all.extend(rest);
        Expr { kind: ExprKind::Call(called.callee, all), ty: called.result, span }
    }

    /// Arguments of a call; closures after the others, since these tell what closures are given.
    fn args(
        &mut self,
        params: &[Ty],
        args: &'a [syntax::Expr],
        function: Option<FnId>,
        mark: usize,
        span: Span,
    ) -> Vec<Expr> {
        if params.len() != args.len() {
            let name = function.map(|id| format!("`{}`", self.c.text(self.c.program.functions[id.index()].name)));
            self.wrong_count(name.as_deref().unwrap_or("this function"), params.len(), args.len(), function, span);
        }
        let any_closure = args.iter().any(is_closure);
        let mut made: Vec<Option<Expr>> = Vec::with_capacity(args.len());
        for (i, arg) in args.iter().enumerate() {
            let want = params.get(i).map_or(Want::Value(None), |&ty| Want::Exactly(ty));
            made.push((!is_closure(arg)).then(|| self.expr(arg, want)));
        }
        self.settle(mark);
        if any_closure {
            for (i, arg) in args.iter().enumerate() {
                if made[i].is_none() {
                    let want = params.get(i).map_or(Want::Value(None), |&ty| Want::Exactly(ty));
                    made[i] = Some(self.expr(arg, want));
                    self.settle(mark);
                }
            }
        }
        made.into_iter().flatten().collect()
    }

    /// Arguments of what is wrong: their own errors are told.
    pub(super) fn loose_args(&mut self, args: &'a [syntax::Expr]) {
        for arg in args {
            // What a closure is given is not known, and it would be told to be so.
            if !is_closure(arg) {
                self.expr(arg, Want::Value(None));
            }
        }
    }

    fn wrong_count(&mut self, what: &str, wanted: usize, found: usize, function: Option<FnId>, span: Span) {
        let s = if wanted == 1 { "" } else { "s" };
        let message = format!("{what} takes {wanted} argument{s}, not {found}");
        let mut error = Diagnostic::error("F0303", span, message);
        if let Some(function) = function {
            let function = &self.c.program.functions[function.index()];
            error = error.also(function.span, "declared here");
        }
        self.report(error);
    }

    /// How many type parameters a function has, whose signature is known from here on.
    pub(super) fn generic_count(&mut self, id: FnId) -> usize {
        self.c.sign(id);
        self.c.program.functions[id.index()].generics.len()
    }

    /// Type arguments of a function: the written ones for those from `own` on, holes for the others.
    pub(super) fn own_args(
        &mut self,
        count: usize,
        own: usize,
        types: Option<&'a [syntax::Type]>,
        span: Span,
    ) -> Option<Vec<Ty>> {
        let mut args = self.c.fresh_list(count, span);
        if let Some(types) = types {
            if types.len() != count - own {
                let wanted = count - own;
                let s = if wanted == 1 { "" } else { "s" };
                let message = format!("this function has {wanted} type parameter{s}, not {}", types.len());
                self.report(Diagnostic::error("F0306", span, message));
                return None;
            }
            for (arg, ty) in args[own..].iter_mut().zip(types) {
                *arg = self.written_type(ty).0;
            }
        }
        Some(args)
    }

    /// Parameters and result of a function with type arguments, whose bounds are asked for.
    pub(super) fn instantiate(&mut self, id: FnId, args: &[Ty], span: Span) -> (Vec<Ty>, Ty) {
        self.c.sign(id);
        for (i, &arg) in args.iter().enumerate() {
            for bound in 0..self.c.program.functions[id.index()].generics[i].bounds.len() {
                let (of, of_args) = self.c.program.functions[id.index()].generics[i].bounds[bound].clone();
                let of_args = of_args.iter().map(|&ty| self.c.program.types.substitute(ty, args)).collect();
                self.oblige(arg, of, of_args, span);
            }
        }
        let count = self.c.program.functions[id.index()].params.len();
        let params = (0..count)
            .map(|i| {
                let ty = self.c.program.functions[id.index()].params[i].ty;
                self.c.program.types.substitute(ty, args)
            })
            .collect();
        let result = self.c.program.functions[id.index()].result;
        (params, self.c.program.types.substitute(result, args))
    }
}
