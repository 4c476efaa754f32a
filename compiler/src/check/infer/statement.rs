//! Blocks and statements.

use super::{FrameKind, Infer, LoopFrame, Want};
use crate::check::written::access_tree;
use crate::diagnostic::Diagnostic;
use crate::names::Name;
use crate::source::Span;
use crate::syntax::{self, Access, BinaryOp, StmtKind as Written};
use crate::typed::{Callee, Expr, ExprKind, LocalId, LoopId, Pattern, PatternKind, Stmt, StmtKind, Ty, TyKind};

/// What is assigned.
enum Value<'a> {
    Written(&'a syntax::Expr),
    Made(Expr),
}

impl<'a> Infer<'_, 'a> {
    pub(super) fn block(&mut self, block: &'a syntax::Block, want: Want) -> Expr {
        let mark = self.enter();
        let (stmts, value, ty) = self.statements(&block.stmts, want, block.span);
        self.leave(mark);
        Expr { kind: ExprKind::Block(stmts, value.map(Box::new)), ty, span: block.span }
    }

    /// Statements, the value that the last one gives, and its type: `Never` where the end is not reached.
    pub(super) fn statements(
        &mut self,
        list: &'a [syntax::Stmt],
        want: Want,
        span: Span,
    ) -> (Vec<Stmt>, Option<Expr>, Ty) {
        let mut stmts = Vec::with_capacity(list.len());
        let mut diverges = false;
        for (i, stmt) in list.iter().enumerate() {
            if self.c.is_over() {
                // No more is told.
                return (stmts, None, Ty::ERROR);
            }
            if let Written::Expr { expr, ended: false } = &stmt.kind
                && i + 1 == list.len()
                && want != Want::Nothing
            {
                let value = self.expr(expr, want);
                let ty = if diverges { Ty::NEVER } else { self.c.shallow(value.ty) };
                return (stmts, Some(value), ty);
            }
            let never = self.statement(stmt, &mut stmts);
            if never && !diverges && i + 1 < list.len() && !self.standard() {
                let next = list[i + 1].span;
                self.report(
                    Diagnostic::warning("F0334", next, "this is never reached")
                        .also(stmt.span, "nothing runs after this"),
                );
            }
            diverges |= never;
        }
        let ty = match want {
            _ if diverges => Ty::NEVER,
            Want::Exactly(ty) => self.end_without_value(list, ty, span),
            Want::Value(_) | Want::Nothing => Ty::UNIT,
        };
        (stmts, None, ty)
    }

    /// The type of a block whose end has no value where one is wanted.
    fn end_without_value(&mut self, list: &[syntax::Stmt], wanted: Ty, span: Span) -> Ty {
        if self.c.try_unify(wanted, Ty::UNIT) {
            return Ty::UNIT;
        }
        let wanted = self.c.resolve(wanted);
        if self.c.program.types.has_error(wanted) || list.iter().any(|stmt| matches!(stmt.kind, Written::Error)) {
            return Ty::ERROR;
        }
        let text = self.c.show(wanted);
        let place = list.last().map_or(span, |stmt| stmt.span);
        let mut error = Diagnostic::error("F0301", place, format!("expected `{text}`, found no value"));
        error = match list.last().map(|stmt| &stmt.kind) {
            Some(Written::Expr { expr, ended: true }) => {
                let end = Span { start: expr.span.end, end: expr.span.end + 1, ..expr.span };
                if self.c.sources.text(end) == ";" {
                    error.repair("without `;` this is the value", end, "")
                } else {
                    error.help("`;` drops the value")
                }
            }
            _ => error.label("the block ends here").note("the value of a block is that of its last expression"),
        };
        self.report(error);
        Ty::ERROR
    }

    /// Adds a statement; tells whether what follows is never reached.
    fn statement(&mut self, stmt: &'a syntax::Stmt, stmts: &mut Vec<Stmt>) -> bool {
        let span = stmt.span;
        let (kind, never) = match &stmt.kind {
            Written::Error => return false,
            Written::Let { pattern, ty, value, otherwise } => {
                self.let_statement(pattern, ty.as_ref(), value, otherwise.as_ref())
            }
            Written::Assign { place, op, value } => {
                let assigned = self.assign(place, *op, value, span);
                let never = assigned.ty == Ty::NEVER;
                (StmtKind::Expr(assigned), never)
            }
            Written::While { label, condition, body } => {
                self.while_statement(label.map(|label| label.name), condition, body)
            }
            Written::For { label, pattern, value, body } => {
                self.for_statement(label.map(|label| label.name), pattern, value, body, span)
            }
            Written::Expr { expr, .. } => {
                let value = self.dropped(expr);
                let never = self.c.shallow(value.ty) == Ty::NEVER;
                (StmtKind::Expr(value), never)
            }
        };
        stmts.push(Stmt { kind, span });
        never
    }

    /// An expression whose value nobody takes; warns where it is only its value.
    pub(super) fn dropped(&mut self, expr: &'a syntax::Expr) -> Expr {
        let value = self.expr(expr, Want::Nothing);
        if !self.standard() {
            self.warn_dropped(expr, value.ty);
        }
        value
    }

    fn warn_dropped(&mut self, expr: &syntax::Expr, ty: Ty) {
        use syntax::ExprKind as E;
        let mut inner = expr;
        while let E::Paren(e) = &inner.kind {
            inner = e;
        }
        let only_value = match &inner.kind {
            E::Int(_) | E::Float(_) | E::Bool(_) | E::Char(_) | E::String(_) | E::Bytes(_) | E::Interpolation(_) => {
                true
            }
            E::Name(_) | E::Field(..) | E::TupleField(..) | E::List(_) | E::Map(_) | E::Record { .. } => true,
            E::Unary(..) | E::Closure { .. } | E::Range { .. } => true,
            E::Binary(op, ..) => !matches!(op, BinaryOp::And | BinaryOp::Or),
            E::Tuple(parts) => !parts.is_empty(),
            _ => false,
        };
        let ty = self.c.shallow(ty);
        if ty == Ty::ERROR || ty == Ty::NEVER || ty == Ty::UNIT {
            return;
        }
        if only_value {
            let warning = Diagnostic::warning("F0321", expr.span, "this value is not used");
            self.report(warning.help("`let _ = …` says that this is meant"));
        } else if matches!(inner.kind, E::Call(..))
            && matches!(self.kind(ty), TyKind::Enum(id, _) if Some(*id) == self.c.program.lang.result)
        {
            let warning = Diagnostic::warning("F0321", expr.span, "whether this failed is not looked at");
            self.report(warning.help("`?` passes the error on, `let _ = …` says that it does not matter"));
        }
    }

    /// An expression whose value is dropped, as an expression without a value.
    pub(super) fn without_value(&mut self, expr: &'a syntax::Expr) -> Expr {
        let value = self.dropped(expr);
        match self.c.shallow(value.ty) {
            Ty::UNIT | Ty::NEVER | Ty::ERROR => value,
            _ => {
                let span = value.span;
                let stmt = Stmt { kind: StmtKind::Expr(value), span };
                Expr { kind: ExprKind::Block(vec![stmt], None), ty: Ty::UNIT, span }
            }
        }
    }

    fn let_statement(
        &mut self,
        pattern: &'a syntax::Pattern,
        ty: Option<&'a syntax::Type>,
        value: &'a syntax::Expr,
        otherwise: Option<&'a syntax::Block>,
    ) -> (StmtKind, bool) {
        let written = ty.map(|ty| self.written_type(ty));
        let value = match &written {
            Some((ty, _)) => self.expr(value, Want::Exactly(*ty)),
            None => self.expr(value, Want::Value(None)),
        };
        let never = self.c.shallow(value.ty) == Ty::NEVER;
        let otherwise = otherwise.map(|block| {
            let made = self.block(block, Want::Nothing);
            if made.ty != Ty::NEVER && made.ty != Ty::ERROR {
                let error = Diagnostic::error("F0325", block.span, "`else` of a `let` has to leave")
                    .label("its end is reached")
                    .help("end it with `return`, `break`, `continue` or `panic(…)`");
                self.report(error);
            }
            made
        });
        let bound_ty = written.as_ref().map_or(value.ty, |(ty, _)| *ty);
        let made = self.bind_pattern(pattern, bound_ty);
        if let (PatternKind::Bind(local, None), Some((ty, written))) = (&made.kind, &written) {
            let ty = self.c.resolve(*ty);
            let default = if self.locals[local.index()].mutable { Access::Mutable } else { Access::Read };
            let access = access_tree(&self.c.program.types, ty, written, Some(default));
            self.locals[local.index()].access = Some(access);
        }
        (StmtKind::Let(made, value, otherwise), never)
    }

    fn begin_loop(&mut self, label: Option<Name>) -> LoopId {
        let id = LoopId(self.loop_count);
        self.loop_count += 1;
        self.loops.push(LoopFrame { id, label, broken: false });
        id
    }

    /// Ends a loop; tells whether a `break` ends it.
    fn end_loop(&mut self) -> bool {
        self.loops.pop().is_some_and(|frame| frame.broken)
    }

    fn while_statement(
        &mut self,
        label: Option<Name>,
        condition: &'a syntax::Expr,
        body: &'a syntax::Block,
    ) -> (StmtKind, bool) {
        let mark = self.enter();
        let made = self.condition(condition);
        let id = self.begin_loop(label);
        let body = self.block(body, Want::Nothing);
        let broken = self.end_loop();
        self.leave(mark);
        let never = matches!(made.kind, ExprKind::Bool(true)) && !broken;
        (StmtKind::While(id, made, body), never)
    }

    fn for_statement(
        &mut self,
        label: Option<Name>,
        pattern: &'a syntax::Pattern,
        value: &'a syntax::Expr,
        body: &'a syntax::Block,
        span: Span,
    ) -> (StmtKind, bool) {
        let value = self.expr(value, Want::Value(None));
        let (iterator, next, element) = self.iterate(value);
        let mark = self.enter();
        let pattern = self.bind_pattern(pattern, element);
        let id = self.begin_loop(label);
        let body = self.block(body, Want::Nothing);
        self.end_loop();
        self.leave(mark);
        let Some(next) = next else {
            // What is gone through was wrong.
            let unit = self.error(span);
            return (StmtKind::Expr(unit), false);
        };
        (StmtKind::For { id, pattern, iterator, next, body }, false)
    }

    /// The loop that a `break` or `continue` means.
    pub(super) fn find_loop(&mut self, label: Option<syntax::Ident>, what: &str, span: Span) -> Option<usize> {
        let found = match label {
            None => self.loops.len().checked_sub(1),
            Some(label) => self.loops.iter().rposition(|frame| frame.label == Some(label.name)),
        };
        if found.is_none() {
            let error = match label {
                Some(label) => {
                    let text = self.c.text(label.name).to_owned();
                    Diagnostic::error("F0215", label.span, format!("there is no loop `{text}` here"))
                }
                None => Diagnostic::error("F0215", span, format!("`{what}` outside of a loop")),
            };
            let error = if self.frame.kind == FrameKind::Closure {
                error.note("a closure cannot leave a loop around it")
            } else {
                error
            };
            self.report(error);
        }
        found
    }

    pub(super) fn break_loop(&mut self, label: Option<syntax::Ident>, leave: bool, span: Span) -> Expr {
        let what = if leave { "break" } else { "continue" };
        let Some(found) = self.find_loop(label, what, span) else {
            return self.error(span);
        };
        let frame = &mut self.loops[found];
        frame.broken |= leave;
        let kind = if leave { ExprKind::Break(frame.id) } else { ExprKind::Continue(frame.id) };
        Expr { kind, ty: Ty::NEVER, span }
    }

    /// An assignment, perhaps with an operator.
    fn assign(&mut self, place: &'a syntax::Expr, op: Option<BinaryOp>, value: &'a syntax::Expr, span: Span) -> Expr {
        if let (syntax::ExprKind::Tuple(places), None) = (&place.kind, op)
            && !places.is_empty()
        {
            return self.assign_tuple(places, value, span);
        }
        self.assign_to(place, op, Value::Written(value), span)
    }

    /// The value of an assignment, of this type.
    fn assigned(&mut self, value: Value<'a>, ty: Ty) -> Expr {
        match value {
            Value::Written(value) => self.expr(value, Want::Exactly(ty)),
            Value::Made(value) => self.coerce(value, ty),
        }
    }

    /// The value of an assignment to what is wrong.
    fn assigned_loosely(&mut self, value: Value<'a>) {
        if let Value::Written(value) = value {
            self.expr(value, Want::Value(None));
        }
    }

    /// The second operand of an assignment with an operator.
    fn assigned_operand(&mut self, op: BinaryOp, value: Value<'a>, first: Ty) -> Expr {
        match value {
            Value::Written(value) => self.operand(op, value, first),
            Value::Made(value) => value,
        }
    }

    fn assign_to(&mut self, place: &'a syntax::Expr, op: Option<BinaryOp>, value: Value<'a>, span: Span) -> Expr {
        let mut target = place;
        while let syntax::ExprKind::Paren(inner) = &target.kind {
            target = inner;
        }
        match &target.kind {
            syntax::ExprKind::Name(name) => match self.names.get(&name.name).copied() {
                Some(local) => self.assign_local(local, target, op, value, span),
                None => {
                    if self.expr(target, Want::Value(None)).ty != Ty::ERROR {
                        let error = Diagnostic::error("F0311", target.span, "this cannot be assigned");
                        self.report(error.help("a `var` can be assigned, a field that is `var`, and an element"));
                    }
                    self.assigned_loosely(value);
                    self.error(span)
                }
            },
            syntax::ExprKind::Field(base, name) => self.assign_field(base, *name, target, op, value, span),
            syntax::ExprKind::Index(base, index) => self.assign_index(base, index, target, op, value, span),
            _ => {
                let assigned = self.expr(target, Want::Value(None));
                self.assigned_loosely(value);
                // Of others the parser told that they are no place.
                if matches!(target.kind, syntax::ExprKind::TupleField(..)) && assigned.ty != Ty::ERROR {
                    let error = Diagnostic::error("F0311", target.span, "this cannot be assigned");
                    self.report(error.help("a `var` can be assigned, a field that is `var`, and an element"));
                }
                self.error(span)
            }
        }
    }

    /// `(a, b) = value`: the value is there before the first place is assigned.
    fn assign_tuple(&mut self, places: &'a [syntax::Expr], value: &'a syntax::Expr, span: Span) -> Expr {
        let value = self.expr(value, Want::Value(None));
        let types = self.c.fresh_list(places.len(), span);
        let ty = self.c.program.types.tuple(&types);
        let value = self.coerce(value, ty);
        let ok = value.ty != Ty::ERROR;
        let mut parts = Vec::with_capacity(places.len());
        let mut sources = Vec::with_capacity(places.len());
        for (place, &ty) in places.iter().zip(&types) {
            let ty = if ok { ty } else { Ty::ERROR };
            let local = self.temporary(self.c.words.value, ty, true, place.span);
            parts.push(Pattern { kind: PatternKind::Bind(local, None), ty, span: place.span });
            sources.push(Expr { kind: ExprKind::Local(local), ty, span: place.span });
        }
        let pattern = Pattern { kind: PatternKind::Tuple(parts), ty, span };
        let mut stmts = vec![Stmt { kind: StmtKind::Let(pattern, value, None), span }];
        for (place, source) in places.iter().zip(sources) {
            let assigned = self.assign_to(place, None, Value::Made(source), place.span);
            stmts.push(Stmt { kind: StmtKind::Expr(assigned), span: place.span });
        }
        Expr { kind: ExprKind::Block(stmts, None), ty: Ty::UNIT, span }
    }

    fn assign_local(
        &mut self,
        local: LocalId,
        target: &syntax::Expr,
        op: Option<BinaryOp>,
        value: Value<'a>,
        span: Span,
    ) -> Expr {
        let found = &self.locals[local.index()];
        let (ty, mutable, bound, name) = (found.ty, found.mutable, found.span, found.name);
        if !mutable || name == self.c.words.self_value {
            let text = self.c.text(name).to_owned();
            let error = Diagnostic::error("F0311", target.span, format!("cannot assign `{text}`"));
            self.report(if name == self.c.words.self_value {
                error.help("assign its fields")
            } else {
                self.suggest_var(error.also(bound, "it is not `var`"), &text, bound)
            });
        }
        let value = match op {
            None => self.assigned(value, ty),
            Some(op) => {
                let old = self.local(local, target.span);
                let right = self.assigned_operand(op, value, ty);
                self.binary(op, old, right, span)
            }
        };
        let value = self.coerce(value, ty);
        let never = self.c.shallow(value.ty) == Ty::NEVER;
        let ty = if never { Ty::NEVER } else { Ty::UNIT };
        Expr { kind: ExprKind::AssignLocal(local, Box::new(value)), ty, span }
    }

    /// How a `let` is made a `var`.
    fn suggest_var(&self, error: Diagnostic, name: &str, bound: Span) -> Diagnostic {
        let text = self.c.sources.text(bound);
        let before = Span { start: bound.start.saturating_sub(4), end: bound.start, ..bound };
        if text.starts_with(name) && self.c.sources.text(before) == "let " {
            error.repair("declare it with `var`", before, "var ")
        } else if text.starts_with(name) {
            error.repair("declare it with `var`", bound.begin(), "var ")
        } else {
            error.help("declare it with `var`")
        }
    }

    fn assign_field(
        &mut self,
        base: &'a syntax::Expr,
        name: syntax::Ident,
        target: &'a syntax::Expr,
        op: Option<BinaryOp>,
        value: Value<'a>,
        span: Span,
    ) -> Expr {
        if self.is_path(base) {
            // A name of a module or a type.
            let found = self.expr(target, Want::Value(None));
            self.assigned_loosely(value);
            if found.ty != Ty::ERROR {
                self.report(Diagnostic::error("F0311", target.span, "this cannot be assigned"));
            }
            return self.error(span);
        }
        let base = self.expr(base, Want::Value(None));
        if self.c.is_hole(base.ty) {
            self.progress();
        }
        let field = if self.c.is_hole(base.ty) {
            self.annotate(base.span, "the type of this is not known here");
            None
        } else {
            self.find_field(base.ty, name)
        };
        let Some((record, index, ty)) = field else {
            self.assigned_loosely(value);
            return self.error(span);
        };
        let field = &self.c.program.records[record.index()].fields[index as usize];
        if !field.mutable {
            let at = field.span;
            let text = self.c.text(name.name).to_owned();
            let foreign = self.c.program.records[record.index()].module != self.module;
            let error = Diagnostic::error("F0311", target.span, format!("cannot assign the field `{text}`"))
                .also(at, "it is not `var`");
            self.report(if foreign { error } else { error.repair("declare it with `var`", at.begin(), "var ") });
        }
        let Some(op) = op else {
            let value = self.assigned(value, ty);
            let kind = ExprKind::AssignField(Box::new(base), record, index, Box::new(value));
            return Expr { kind, ty: Ty::UNIT, span };
        };
        let mut before = Vec::new();
        let base = self.once(base, self.c.words.place, &mut before);
        let old = ExprKind::Field(Box::new(base.clone()), record, index);
        let old = Expr { kind: old, ty, span: target.span };
        let right = self.assigned_operand(op, value, ty);
        let new = self.binary(op, old, right, span);
        let new = self.coerce(new, ty);
        let assign = ExprKind::AssignField(Box::new(base), record, index, Box::new(new));
        self.after(before, Expr { kind: assign, ty: Ty::UNIT, span })
    }

    fn assign_index(
        &mut self,
        base: &'a syntax::Expr,
        index: &'a syntax::Expr,
        target: &'a syntax::Expr,
        op: Option<BinaryOp>,
        value: Value<'a>,
        span: Span,
    ) -> Expr {
        let mut before = Vec::new();
        let base = self.expr(base, Want::Value(None));
        let set = self.c.words.set_index;
        if op.is_none() {
            let Some((call, params, result)) = self.index_function(&base, set, target.span) else {
                self.expr(index, Want::Value(None));
                self.assigned_loosely(value);
                return self.error(span);
            };
            let index = self.expr(index, Want::Exactly(params[1]));
            let value = self.assigned(value, params[2]);
            let call = ExprKind::Call(call, vec![base, index, value]);
            return Expr { kind: call, ty: result, span };
        }
        let base = self.once(base, self.c.words.place, &mut before);
        let get = self.index_function(&base, self.c.words.index, target.span);
        let found = get.and_then(|get| Some((get, self.index_function(&base, set, target.span)?)));
        let (Some(op), Some(((get, get_params, element), (set, params, result)))) = (op, found) else {
            self.expr(index, Want::Value(None));
            self.assigned_loosely(value);
            return self.error(span);
        };
        let index = self.expr(index, Want::Exactly(get_params[1]));
        let index = self.once(index, self.c.words.key, &mut before);
        let old = Expr { kind: ExprKind::Call(get, vec![base.clone(), index.clone()]), ty: element, span: target.span };
        let right = self.assigned_operand(op, value, element);
        let new = self.binary(op, old, right, span);
        let new = self.coerce(new, params[2]);
        let call = ExprKind::Call(set, vec![base, index, new]);
        self.after(before, Expr { kind: call, ty: result, span })
    }

    /// A value that can be written twice: the value itself if it is a name or plain, or else a local that it is bound to before.
    pub(super) fn once(&mut self, value: Expr, name: Name, before: &mut Vec<Stmt>) -> Expr {
        match value.kind {
            ExprKind::Local(_) | ExprKind::Const(_) | ExprKind::Int(_) | ExprKind::String(_) | ExprKind::Char(_) => {
                value
            }
            _ => {
                let (ty, span) = (value.ty, value.span);
                // The access of such a local is that of its value.
                let local = self.temporary(name, ty, true, span);
                let pattern = Pattern { kind: PatternKind::Bind(local, None), ty, span };
                before.push(Stmt { kind: StmtKind::Let(pattern, value, None), span });
                Expr { kind: ExprKind::Local(local), ty, span }
            }
        }
    }

    /// An expression after statements.
    pub(super) fn after(&self, before: Vec<Stmt>, value: Expr) -> Expr {
        if before.is_empty() {
            return value;
        }
        let (ty, span) = (value.ty, value.span);
        Expr { kind: ExprKind::Block(before, Some(Box::new(value))), ty, span }
    }

    /// The iterator that a `for` goes through, its `next`, and the type of its elements.
    fn iterate(&mut self, value: Expr) -> (Expr, Option<Callee>, Ty) {
        let span = value.span;
        if self.c.is_hole(value.ty) {
            self.progress();
        }
        if self.c.is_hole(value.ty) {
            self.annotate(span, "the type of this is not known here");
            return (value, None, Ty::ERROR);
        }
        let ty = self.c.shallow(value.ty);
        if ty == Ty::ERROR || ty == Ty::NEVER {
            return (value, None, Ty::ERROR);
        }
        let iterator = if self.is_iterator(ty) { Some(value) } else { self.call_iter(value) };
        if let Some(iterator) = iterator
            && let Some((next, element)) = self.next_of(iterator.ty, span)
        {
            return (iterator, Some(next), element);
        }
        let text = self.c.show(ty);
        let error = Diagnostic::error("F0309", span, format!("`{text}` cannot be gone through"));
        let error = match self.kind(ty) {
            TyKind::Int => error.help("`0..n` goes through the numbers below `n`"),
            TyKind::String => error.help("`.chars()` goes through its characters, `.lines()` through its lines"),
            TyKind::Enum(id, _) if Some(*id) == self.c.program.lang.option => {
                error.help("`if let Some(x) = …` looks at one value")
            }
            TyKind::Enum(id, _) if Some(*id) == self.c.program.lang.result => {
                error.help("use `?` to pass the error on first")
            }
            _ => error.note("it is no `Iterator`, and has no method `iter` that gives one"),
        };
        self.report(error);
        let wrong = self.error(span);
        (wrong, None, Ty::ERROR)
    }
}
