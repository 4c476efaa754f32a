//! The last walk over a body: types in the places of holes, operators that are calls, captures of closures, and what of
//! the standard library is reached.

use rustc_hash::FxHashSet;

use super::Infer;
use super::operator::is_plain;
use crate::source::Span;
use crate::typed::{
    BinaryOp, Callee, Conversion, Expr, ExprKind, LocalId, Pattern, PatternKind, Stmt, StmtKind, Ty, TyKind, UnaryOp,
};

/// What is known of closures and locals on the way.
#[derive(Default)]
struct Walk {
    /// How many closures are around each local.
    depth: Vec<u32>,
    /// The closures around, outermost first, with what each captures.
    closures: Vec<(Vec<LocalId>, FxHashSet<LocalId>)>,
}

impl Walk {
    fn bind(&mut self, local: LocalId) {
        if let Some(depth) = self.depth.get_mut(local.index()) {
            *depth = self.closures.len() as u32;
        }
    }
}

impl Infer<'_, '_> {
    /// Finishes a body's value and locals.
    pub(super) fn finish(&mut self, value: &mut Expr) {
        let mut walk = Walk { depth: vec![0; self.locals.len()], closures: Vec::new() };
        self.finish_expr(value, &mut walk);
        for index in 0..self.locals.len() {
            let (ty, span) = (self.locals[index].ty, self.locals[index].span);
            self.locals[index].ty = self.finish_type(ty, span);
        }
    }

    /// A type without holes; what is not known is told, once.
    fn finish_type(&mut self, ty: Ty, span: Span) -> Ty {
        if !self.c.program.types.has_infer(ty) {
            return ty;
        }
        let mut found = self.c.resolve(ty);
        self.c.report_exceeded(span);
        while let Some((hole, origin)) = self.first_hole(found) {
            let at = if origin == Span::default() { span } else { origin };
            let label = if found == hole {
                "the type of this does not follow from anything".to_owned()
            } else {
                format!("this is a `{}`, where `_` does not follow from anything", self.c.show(found))
            };
            // Where something is wrong in the body, that may be why.
            if self.errors == self.c.errors || self.told_unknown {
                self.told_unknown = true;
                self.annotate(at, &label);
            }
            self.c.unify(hole, Ty::ERROR);
            found = self.c.resolve(found);
        }
        found
    }

    fn first_hole(&self, ty: Ty) -> Option<(Ty, Span)> {
        if !self.c.program.types.has_infer(ty) {
            return None;
        }
        match self.c.program.types.kind(ty) {
            TyKind::Infer(_) => self.c.hole(ty).map(|(_, origin)| (ty, origin)),
            TyKind::Fn(params, result) => {
                params.iter().chain(std::iter::once(result)).find_map(|&part| self.first_hole(part))
            }
            _ => self.c.program.types.parts(ty).iter().find_map(|&part| self.first_hole(part)),
        }
    }

    fn finish_types(&mut self, types: &mut [Ty], span: Span) {
        for ty in types {
            *ty = self.finish_type(*ty, span);
        }
    }

    fn finish_all(&mut self, exprs: &mut [Expr], walk: &mut Walk) {
        for expr in exprs {
            self.finish_expr(expr, walk);
        }
    }

    fn finish_expr(&mut self, expr: &mut Expr, walk: &mut Walk) {
        // An empty block whose type is a hole stands for what was put off.
        while let (ExprKind::Block(stmts, None), TyKind::Infer(hole)) = (&expr.kind, self.c.program.types.kind(expr.ty))
            && stmts.is_empty()
            && let Some(made) = self.resumed.remove(hole)
        {
            *expr = made;
        }
        let span = expr.span;
        expr.ty = self.finish_type(expr.ty, span);
        match &mut expr.kind {
            ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Bool(_)
            | ExprKind::Char(_)
            | ExprKind::String(_)
            | ExprKind::Buffer(_)
            | ExprKind::Constructor(..)
            | ExprKind::Break(_)
            | ExprKind::Continue(_) => {}
            ExprKind::Local(local) => self.capture(*local, walk),
            ExprKind::Const(id) => self.c.reach_const(*id),
            ExprKind::Tuple(parts) | ExprKind::Array(parts) | ExprKind::Variant(_, _, parts) => {
                self.finish_all(parts, walk);
            }
            ExprKind::Record(_, fields) => {
                for (_, value) in fields {
                    self.finish_expr(value, walk);
                }
            }
            ExprKind::TupleField(inner, _) | ExprKind::Field(inner, ..) | ExprKind::Unary(_, inner) => {
                self.finish_expr(inner, walk);
            }
            ExprKind::Call(callee, args) => {
                self.finish_callee(callee, span, walk);
                self.finish_all(args, walk);
            }
            ExprKind::Function(callee) => self.finish_callee(callee, span, walk),
            ExprKind::Closure(_) => self.finish_closure(expr, walk),
            ExprKind::ToDyn(value, of, args) => {
                self.finish_expr(value, walk);
                let (of, ty) = (*of, value.ty);
                self.finish_types(args, span);
                self.c.reach_dyn(of, ty);
            }
            ExprKind::Binary(..) => self.finish_binary(expr, walk),
            ExprKind::Is(value, pattern) => {
                self.finish_expr(value, walk);
                self.finish_pattern(pattern, walk);
            }
            ExprKind::Block(stmts, value) => {
                for stmt in stmts {
                    self.finish_stmt(stmt, walk);
                }
                if let Some(value) = value {
                    self.finish_expr(value, walk);
                }
            }
            ExprKind::If(condition, then, otherwise) => {
                self.finish_expr(condition, walk);
                self.finish_expr(then, walk);
                if let Some(otherwise) = otherwise {
                    self.finish_expr(otherwise, walk);
                }
            }
            ExprKind::Match(value, arms) => {
                self.finish_expr(value, walk);
                for arm in arms {
                    self.finish_pattern(&mut arm.pattern, walk);
                    if let Some(guard) = &mut arm.guard {
                        self.finish_expr(guard, walk);
                    }
                    self.finish_expr(&mut arm.body, walk);
                }
            }
            ExprKind::Try(value, conversion) => {
                self.finish_expr(value, walk);
                let error = self.c.program.types.parts(value.ty).get(1).copied();
                match (conversion, error) {
                    (Conversion::Call(callee), _) => self.finish_callee(callee, span, walk),
                    (Conversion::Dyn(of), Some(error)) => self.c.reach_dyn(*of, error),
                    _ => {}
                }
            }
            ExprKind::Return(value) => {
                if let Some(value) = value {
                    self.finish_expr(value, walk);
                }
            }
            ExprKind::AssignLocal(local, value) => {
                let local = *local;
                self.finish_expr(value, walk);
                self.capture(local, walk);
                self.locals[local.index()].assigned = true;
            }
            ExprKind::AssignField(base, _, _, value) => {
                self.finish_expr(base, walk);
                self.finish_expr(value, walk);
            }
            ExprKind::Assert(condition, _, message) => {
                self.finish_expr(condition, walk);
                if let Some(message) = message {
                    self.finish_expr(message, walk);
                }
            }
        }
    }

    /// Notes which closures a local is captured by, where it is used.
    fn capture(&mut self, local: LocalId, walk: &mut Walk) {
        let depth = walk.depth[local.index()] as usize;
        if depth < walk.closures.len() {
            self.locals[local.index()].captured = true;
            for (captures, seen) in &mut walk.closures[depth..] {
                if seen.insert(local) {
                    captures.push(local);
                }
            }
        }
    }

    fn finish_closure(&mut self, expr: &mut Expr, walk: &mut Walk) {
        let ExprKind::Closure(closure) = &mut expr.kind else { return };
        walk.closures.push((Vec::new(), FxHashSet::default()));
        for &param in &closure.params {
            walk.bind(param);
        }
        self.finish_expr(&mut closure.body, walk);
        if let Some((captures, _)) = walk.closures.pop() {
            closure.captures = captures;
        }
    }

    fn finish_callee(&mut self, callee: &mut Callee, span: Span, walk: &mut Walk) {
        match callee {
            Callee::Fn(id, args) => {
                self.finish_types(args, span);
                self.c.reach_fn(*id);
                self.c.reach_arguments(*id, args);
            }
            Callee::Trait { of, args, method, self_ty, method_args } => {
                *self_ty = self.finish_type(*self_ty, span);
                self.finish_types(args, span);
                self.finish_types(method_args, span);
                self.c.reach_trait(*of, *method, *self_ty);
                let function = self.c.program.traits[of.index()].methods[*method as usize].function;
                let all: Vec<Ty> = [*self_ty].iter().chain(&*args).chain(&*method_args).copied().collect();
                self.c.reach_arguments(function, &all);
            }
            Callee::Dyn(of, method) => self.c.reach_dynamic(*of, *method),
            Callee::Value(value) => self.finish_expr(value, walk),
        }
    }

    fn finish_stmt(&mut self, stmt: &mut Stmt, walk: &mut Walk) {
        let span = stmt.span;
        match &mut stmt.kind {
            StmtKind::Let(pattern, value, otherwise) => {
                self.finish_expr(value, walk);
                if let Some(otherwise) = otherwise {
                    self.finish_expr(otherwise, walk);
                }
                self.finish_pattern(pattern, walk);
            }
            StmtKind::Expr(value) => self.finish_expr(value, walk),
            StmtKind::While(_, condition, body) => {
                self.finish_expr(condition, walk);
                self.finish_expr(body, walk);
            }
            StmtKind::For { pattern, iterator, next, body, .. } => {
                self.finish_expr(iterator, walk);
                self.finish_callee(next, span, walk);
                self.finish_pattern(pattern, walk);
                self.finish_expr(body, walk);
            }
        }
    }

    fn finish_pattern(&mut self, pattern: &mut Pattern, walk: &mut Walk) {
        pattern.ty = self.finish_type(pattern.ty, pattern.span);
        match &mut pattern.kind {
            PatternKind::Wildcard
            | PatternKind::Int(_)
            | PatternKind::Float(_)
            | PatternKind::Bool(_)
            | PatternKind::Char(_)
            | PatternKind::String(_)
            | PatternKind::IntRange(..)
            | PatternKind::CharRange(..) => {}
            PatternKind::Bind(local, sub) => {
                walk.bind(*local);
                if let Some(sub) = sub {
                    self.finish_pattern(sub, walk);
                }
            }
            PatternKind::Tuple(parts) | PatternKind::Variant(_, _, parts) | PatternKind::Or(parts) => {
                parts.iter_mut().for_each(|part| self.finish_pattern(part, walk));
            }
            PatternKind::Record(_, fields) => {
                fields.iter_mut().for_each(|(_, part)| self.finish_pattern(part, walk));
            }
            PatternKind::List { before, rest, after } => {
                before.iter_mut().for_each(|part| self.finish_pattern(part, walk));
                if let Some(Some(rest)) = rest {
                    self.finish_pattern(rest, walk);
                }
                after.iter_mut().for_each(|part| self.finish_pattern(part, walk));
            }
        }
    }

    /// An operator; of values that are not plain it becomes a call.
    fn finish_binary(&mut self, expr: &mut Expr, walk: &mut Walk) {
        let span = expr.span;
        let ExprKind::Binary(op, left, right) = &mut expr.kind else { return };
        let op = *op;
        self.finish_expr(left, walk);
        self.finish_expr(right, walk);
        let ty = if left.ty == Ty::NEVER { right.ty } else { left.ty };
        if ty == Ty::STRING {
            self.c.reach_string_operator(op);
        }
        if is_plain(ty) || ty == Ty::ERROR || ty == Ty::NEVER {
            return;
        }
        let lang = self.c.program.lang;
        let (of, found) = match op {
            BinaryOp::Eq | BinaryOp::Ne => (lang.eq, None),
            // `a < b` is that their order is `Less`, `a >= b` that it is not.
            BinaryOp::Lt | BinaryOp::Ge => (lang.ord, Some(0)),
            BinaryOp::Gt | BinaryOp::Le => (lang.ord, Some(2)),
            _ => return,
        };
        let Some(of) = of else { return };
        self.c.reach_trait(of, 0, ty);
        let ExprKind::Binary(_, left, right) = std::mem::replace(&mut expr.kind, ExprKind::Bool(false)) else { return };
        let callee = Callee::Trait { of, args: Vec::new(), method: 0, self_ty: ty, method_args: Vec::new() };
        let call = ExprKind::Call(callee, vec![*left, *right]);
        let (value, negated) = match (found, lang.ordering) {
            (Some(tag), Some(ordering)) => {
                let order = self.c.program.types.intern(TyKind::Enum(ordering, Box::new([])));
                let call = Expr { kind: call, ty: order, span };
                let pattern = Pattern { kind: PatternKind::Variant(ordering, tag, Vec::new()), ty: order, span };
                (ExprKind::Is(Box::new(call), Box::new(pattern)), matches!(op, BinaryOp::Ge | BinaryOp::Le))
            }
            _ => (call, op == BinaryOp::Ne),
        };
        expr.kind = if negated {
            ExprKind::Unary(UnaryOp::Not, Box::new(Expr { kind: value, ty: Ty::BOOL, span }))
        } else {
            value
        };
    }
}
