//! Layout of statements and expressions.

use super::comments::Layout;
use super::doc::{Chain, Doc, List};
use super::item::Entry;
use super::pattern::single_tuple;
use crate::source::Span;
use crate::syntax::{
    Arm, BinaryOp, Block, ClosureParam, Expr, ExprKind, FieldInit, Ident, Pattern, Stmt, StmtKind, Type,
};

impl<'a> Layout<'a> {
    pub(super) fn stmt(&mut self, stmt: &'a Stmt) -> Doc<'a> {
        match &stmt.kind {
            StmtKind::Let { pattern, ty, value, otherwise } => {
                self.let_stmt(stmt.span, pattern, ty.as_ref(), value, otherwise.as_ref())
            }
            StmtKind::Assign { place, op, value } => {
                let place = self.expr(place);
                let sign = format!(" {}= ", op.map_or("", BinaryOp::sign));
                Doc::concat([place, Doc::Text(sign.into()), self.expr(value)])
            }
            StmtKind::While { label, condition, body } => {
                let label = self.label(label);
                let condition = self.expr(condition).indent();
                Doc::concat([label, Doc::text("while "), condition, Doc::text(" "), self.block(body)])
            }
            StmtKind::For { label, pattern, value, body } => {
                let label = self.label(label);
                let pattern = self.pattern(pattern);
                let value = self.expr(value);
                Doc::concat([
                    label,
                    Doc::text("for "),
                    pattern,
                    Doc::text(" in "),
                    value,
                    Doc::text(" "),
                    self.block(body),
                ])
            }
            StmtKind::Expr { expr, ended } => {
                let expr = self.expr(expr);
                Doc::concat([expr, Doc::text(if *ended { ";" } else { "" })])
            }
            StmtKind::Error => self.source(stmt.span),
        }
    }

    fn label(&mut self, label: &Option<Ident>) -> Doc<'a> {
        match label {
            Some(label) => Doc::concat([self.source(label.span), Doc::text(": ")]),
            None => Doc::NIL,
        }
    }

    fn let_stmt(
        &mut self,
        span: Span,
        pattern: &'a Pattern,
        ty: Option<&'a Type>,
        value: &'a Expr,
        otherwise: Option<&'a Block>,
    ) -> Doc<'a> {
        let variable = self.text[span.start as usize..].starts_with("var");
        let mut parts = vec![Doc::text(if variable { "var " } else { "let " })];
        parts.push(if variable { self.single_pattern(pattern, false) } else { self.pattern(pattern) });
        if let Some(ty) = ty {
            parts.extend([Doc::text(": "), self.ty(ty)]);
        }
        parts.push(Doc::text(" = "));
        parts.push(self.expr(value));
        if let Some(block) = otherwise {
            parts.extend([Doc::text(" else "), self.block(block)]);
        }
        Doc::Concat(parts)
    }

    /// A block with its braces.
    pub(super) fn block(&mut self, block: &'a Block) -> Doc<'a> {
        self.block_lines(block).group()
    }

    /// A block whose lines belong to the group around it.
    fn block_lines(&mut self, block: &'a Block) -> Doc<'a> {
        // A statement that stands for a block.
        if let [stmt] = block.stmts.as_slice()
            && stmt.span == block.span
        {
            return self.stmt(stmt);
        }
        let close = block.span.end - 1;
        let before = self.inline(block.span.start);
        if block.stmts.is_empty() && !self.has_comment(close) {
            return Doc::concat([before, Doc::text("{}")]);
        }
        let one_line = block.stmts.len() < 2 && self.in_one_line(block.span);
        let after = self.trail(block.span.start + 1);
        let entries: Vec<Entry<'a, 'a>> = block
            .stmts
            .iter()
            .map(|stmt| Entry {
                span: stmt.span,
                doc: None,
                layout: Box::new(move |layout: &mut Layout<'a>| layout.stmt(stmt)),
            })
            .collect();
        let body = self.sequence(entries, 0, close);
        let mut parts = vec![before, Doc::text("{"), after, Doc::concat([Doc::Line, body]).indent(), Doc::Line];
        if !one_line {
            parts.push(Doc::BREAK);
        }
        parts.push(Doc::text("}"));
        Doc::Concat(parts)
    }

    pub(super) fn expr(&mut self, expr: &'a Expr) -> Doc<'a> {
        let before = self.inline(expr.span.start);
        let layout = self.expr_kind(expr);
        if before.is_empty() { layout } else { Doc::concat([before, layout]) }
    }

    fn expr_kind(&mut self, expr: &'a Expr) -> Doc<'a> {
        match &expr.kind {
            ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Bool(_)
            | ExprKind::Char(_)
            | ExprKind::String(_)
            | ExprKind::Interpolation(_)
            | ExprKind::Bytes(_)
            | ExprKind::Name(_)
            | ExprKind::Error => self.source(expr.span),
            ExprKind::Generic(..)
            | ExprKind::Field(..)
            | ExprKind::TupleField(..)
            | ExprKind::Index(..)
            | ExprKind::Call(..)
            | ExprKind::Try(..) => self.chain(expr),
            ExprKind::Unary(op, value) => Doc::concat([Doc::text(op.sign()), self.expr(value)]),
            ExprKind::Binary(op, left, right, _) => self.binary(*op, left, right),
            ExprKind::Range { start, end, inclusive } => {
                let start = start.as_ref().map(|start| self.expr(start));
                let end = end.as_ref().map(|end| self.expr(end));
                let sign = Doc::text(if *inclusive { "..=" } else { ".." });
                Doc::concat(start.into_iter().chain([sign]).chain(end))
            }
            ExprKind::Tuple(parts) => {
                let inner = self.list("(", ")", parts, |part| part.span, expr.span.end - 1, Self::expr);
                if parts.len() == 1 { single_tuple(inner) } else { inner }
            }
            ExprKind::Paren(inner) => {
                let inner = self.expr(inner);
                let end = self.inline(expr.span.end);
                Doc::concat([Doc::text("("), inner, end, Doc::text(")")])
            }
            ExprKind::List(parts) => self.list_expr(parts, expr.span),
            ExprKind::Repeat(value, count) => {
                let value = self.expr(value);
                Doc::concat([Doc::text("["), value, Doc::text("; "), self.expr(count), Doc::text("]")])
            }
            ExprKind::Map(pairs) if pairs.is_empty() => Doc::text("[:]"),
            ExprKind::Map(pairs) => self.list(
                "[",
                "]",
                pairs,
                |pair| pair.0.span.to(pair.1.span),
                expr.span.end - 1,
                |layout, (key, value)| {
                    let key = layout.expr(key);
                    Doc::concat([key, Doc::text(": "), layout.expr(value)])
                },
            ),
            ExprKind::Record { path, fields, base } => self.record(path, fields, base.as_deref(), expr.span),
            ExprKind::Block(block) => self.block(block),
            ExprKind::If { .. } => self.if_else(expr).group(),
            ExprKind::Let(pattern, value) => {
                let pattern = self.pattern(pattern);
                Doc::concat([Doc::text("let "), pattern, Doc::text(" = "), self.expr(value)])
            }
            ExprKind::Match { value, arms } => self.match_arms(value, arms, expr.span),
            ExprKind::Closure { params, result, body } => self.closure(params, result.as_deref(), body, expr.span),
            ExprKind::Return(value) => self.word("return", value.as_deref()),
            ExprKind::Break(label) => self.jump("break", label),
            ExprKind::Continue(label) => self.jump("continue", label),
            ExprKind::Assert(condition, message) => {
                let mut parts = vec![Doc::text("assert "), self.expr(condition)];
                if let Some(message) = message {
                    parts.extend([Doc::text(", "), self.expr(message)]);
                }
                Doc::Concat(parts)
            }
        }
    }

    fn word(&mut self, word: &'static str, value: Option<&'a Expr>) -> Doc<'a> {
        match value {
            Some(value) => Doc::concat([Doc::text(word), Doc::text(" "), self.expr(value)]),
            None => Doc::text(word),
        }
    }

    fn jump(&mut self, word: &'static str, label: &Option<Ident>) -> Doc<'a> {
        match label {
            Some(label) => Doc::concat([Doc::text(word), Doc::text(" "), self.source(label.span)]),
            None => Doc::text(word),
        }
    }

    /// Operands between operators of the same kind, with lines after the operators.
    fn binary(&mut self, op: BinaryOp, left: &'a Expr, right: &'a Expr) -> Doc<'a> {
        // From the outside in: the right sides of a chain of operators that bind equally.
        let mut rights = vec![(op, right)];
        let mut first = left;
        while let ExprKind::Binary(inner, left, right, _) = &first.kind
            && level(*inner) == level(op)
        {
            rights.push((*inner, right));
            first = left;
        }
        let head = self.expr(first);
        let mut parts = Vec::new();
        for (op, right) in rights.into_iter().rev() {
            parts.push(Doc::Text(format!(" {}", op.sign()).into()));
            parts.push(Doc::Line);
            parts.push(self.lead(right.span.start));
            parts.push(self.expr(right));
        }
        Doc::concat([head, Doc::Concat(parts).indent()]).group()
    }

    fn list_expr(&mut self, parts: &'a [Expr], span: Span) -> Doc<'a> {
        let short = parts.len() > 6 && !self.has_comment(span.end) && parts.iter().all(|part| self.is_short(part));
        if short {
            let parts = parts.iter().map(|part| self.expr(part)).collect();
            let inner = Doc::concat([Doc::Soft, Doc::Fill(parts)]).indent();
            return Doc::concat([Doc::text("["), inner, Doc::Soft, Doc::text("]")]).group();
        }
        let hug = parts.len() == 1 && can_hug(&parts[0], true);
        with_hug(self.list("[", "]", parts, |part| part.span, span.end - 1, Self::expr), hug)
    }

    /// A literal, or a tuple of them, of a few characters.
    fn is_short(&self, expr: &Expr) -> bool {
        let literal = |expr: &Expr| match &expr.kind {
            ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Bool(_) | ExprKind::Char(_) | ExprKind::String(_) => true,
            ExprKind::Unary(_, inner) => matches!(inner.kind, ExprKind::Int(_) | ExprKind::Float(_)),
            _ => false,
        };
        let simple = match &expr.kind {
            ExprKind::Tuple(parts) => parts.iter().all(literal),
            _ => literal(expr),
        };
        simple && expr.span.range().len() <= 24 && self.in_one_line(expr.span)
    }

    fn record(&mut self, path: &'a Expr, fields: &'a [FieldInit], base: Option<&'a Expr>, span: Span) -> Doc<'a> {
        let path = self.expr(path);
        let mut elements: Vec<Doc<'a>> = Vec::new();
        // The base may be written before fields.
        for field in fields {
            let place = if field.short { field.name.span } else { field.name.span.to(field.value.span) };
            let lead = self.lead(place.start);
            let name = self.source(field.name.span);
            let value = if field.short { Doc::NIL } else { Doc::concat([Doc::text(": "), self.expr(&field.value)]) };
            elements.push(Doc::concat([lead, name, value, self.trail(place.end)]));
        }
        if let Some(base) = base {
            let lead = self.lead(base.span.start);
            let value = self.expr(base);
            elements.push(Doc::concat([lead, Doc::text(".."), value, self.trail(base.span.end)]));
        }
        let end = self.list_end(span.end - 1, elements.is_empty());
        if elements.is_empty() && end.is_empty() {
            return Doc::concat([path, Doc::text(" {}")]);
        }
        let list = List {
            open: " { ",
            elements,
            close: " }",
            end: Box::new(end),
            hug: false,
            comma: base.is_none(),
            breaks: false,
        };
        Doc::concat([path, Doc::list(list)])
    }

    fn if_else(&mut self, expr: &'a Expr) -> Doc<'a> {
        let ExprKind::If { condition, then, otherwise } = &expr.kind else { return self.expr(expr) };
        let mut parts = vec![Doc::text("if "), self.expr(condition).indent(), Doc::text(" "), self.block_lines(then)];
        if let Some(otherwise) = otherwise {
            // Comments before `else` are at the end of the block.
            let before = self.inline(otherwise.span.start);
            parts.extend([Doc::text(" else "), before]);
            parts.push(match &otherwise.kind {
                ExprKind::If { .. } => self.if_else(otherwise),
                ExprKind::Block(block) => self.block_lines(block),
                _ => self.expr(otherwise),
            });
        }
        Doc::Concat(parts)
    }

    fn match_arms(&mut self, value: &'a Expr, arms: &'a [Arm], span: Span) -> Doc<'a> {
        let head = Doc::concat([Doc::text("match "), self.expr(value), Doc::text(" ")]);
        let close = span.end - 1;
        if arms.is_empty() && !self.has_comment(close) {
            return Doc::concat([head, Doc::text("{}")]);
        }
        let one_line = self.in_one_line(Span { start: value.span.end, ..span });
        let first = arms.first().map_or(close, |arm| arm.span.start);
        let open = self.text[value.span.end as usize..first as usize].find('{').unwrap_or(0) as u32 + value.span.end;
        let mut parts = vec![self.trail(open + 1), Doc::Line];
        for (index, arm) in arms.iter().enumerate() {
            if index > 0 {
                let begin = self.next_comment().filter(|comment| *comment < arm.span.start).unwrap_or(arm.span.start);
                let blank = self.blank_before(begin);
                // A range without a beginning would go on with the line before.
                let comma = one_line || self.written(arm.span).starts_with("..");
                parts.push(if comma {
                    Doc::IfFlat(",", if self.written(arm.span).starts_with("..") { "," } else { "" })
                } else {
                    Doc::NIL
                });
                parts.push(self.trail(arms[index - 1].span.end));
                parts.push(if one_line {
                    Doc::Line
                } else if blank {
                    Doc::Blank
                } else {
                    Doc::Hard
                });
            }
            parts.push(self.lead(arm.span.start));
            parts.push(self.arm(arm));
        }
        if let Some(arm) = arms.last() {
            parts.push(self.trail(arm.span.end));
        }
        parts.push(self.list_end(close, arms.is_empty()));
        let mut body = vec![Doc::text("{"), Doc::Concat(parts).indent(), Doc::Line];
        if !one_line {
            body.push(Doc::BREAK);
        }
        body.push(Doc::text("}"));
        Doc::concat([head, Doc::Concat(body).group()])
    }

    fn arm(&mut self, arm: &'a Arm) -> Doc<'a> {
        let mut parts = vec![self.pattern(&arm.pattern)];
        if let Some(guard) = &arm.guard {
            parts.extend([Doc::text(" if "), self.expr(guard)]);
        }
        parts.push(Doc::text(" => "));
        parts.push(self.expr(&arm.body));
        Doc::Concat(parts)
    }

    fn closure(&mut self, params: &'a [ClosureParam], result: Option<&'a Type>, body: &'a Expr, span: Span) -> Doc<'a> {
        let mut parts =
            vec![Doc::text(if params.is_empty() && self.written(span).starts_with("||") { "||" } else { "|" })];
        for (index, param) in params.iter().enumerate() {
            parts.push(Doc::text(if index > 0 { ", " } else { "" }));
            parts.push(self.inline(param.pattern.span.start));
            parts.push(self.single_pattern(&param.pattern, true));
            if let Some(ty) = &param.ty {
                parts.extend([Doc::text(": "), self.ty(ty)]);
            }
        }
        if !params.is_empty() || !self.written(span).starts_with("||") {
            parts.push(Doc::text("|"));
        }
        if let Some(result) = result {
            parts.extend([Doc::text(" -> "), self.ty(result)]);
        }
        parts.push(Doc::text(" "));
        parts.push(self.expr(body));
        Doc::Concat(parts)
    }

    /// What follows an operand: fields, calls, indices.
    fn chain(&mut self, expr: &'a Expr) -> Doc<'a> {
        let mut nodes = Vec::new();
        let mut base = expr;
        while let Some(inner) = base_of(base) {
            nodes.push(base);
            base = inner;
        }
        nodes.reverse();
        let mut head = vec![self.expr(base)];
        // A path, or a value and its fields, up to what is called first.
        let calls = nodes.iter().filter(|node| matches!(node.kind, ExprKind::Call(..))).count();
        let static_call =
            matches!(base.kind, ExprKind::Name(name) if self.written(name.span).starts_with(char::is_uppercase));
        let mut links: Vec<Vec<Doc<'a>>> = Vec::new();
        let mut hug = false;
        for (index, node) in nodes.iter().enumerate() {
            let method = matches!(node.kind, ExprKind::Field(..)) && is_called(&nodes[index + 1..]);
            let first = links.is_empty();
            if method && !(first && static_call) {
                links.push(Vec::new());
            }
            let part = self.link(node, &mut hug);
            match links.last_mut() {
                Some(link) => link.push(part),
                None => head.push(part),
            }
            // After a static call, methods follow.
            if matches!(node.kind, ExprKind::Call(..)) && links.is_empty() && !static_call {
                continue;
            }
            if matches!(node.kind, ExprKind::Call(..)) && links.is_empty() {
                links.push(Vec::new());
            }
        }
        let links: Vec<Doc<'a>> = links.into_iter().filter(|link| !link.is_empty()).map(Doc::Concat).collect();
        if links.is_empty() || calls < 2 {
            return Doc::concat(head.into_iter().chain(links));
        }
        let breaks = head.iter().chain(&links).any(Doc::breaks);
        Doc::Chain(Chain { head: Box::new(Doc::Concat(head)), links, hug, breaks })
    }

    /// What a node adds to its base.
    fn link(&mut self, node: &'a Expr, hug: &mut bool) -> Doc<'a> {
        match &node.kind {
            ExprKind::Generic(_, args) => Doc::concat([Doc::text("::"), self.types("<", args, ">")]),
            ExprKind::Field(_, name) => {
                let before = self.inline(name.span.start);
                Doc::concat([before, Doc::text("."), self.source(name.span)])
            }
            ExprKind::TupleField(_, _, span) => Doc::concat([Doc::text("."), self.source(*span)]),
            ExprKind::Index(_, index) => {
                let index = self.expr(index);
                let end = self.inline(node.span.end);
                Doc::concat([Doc::text("["), index, end, Doc::text("]")])
            }
            ExprKind::Try(_) => Doc::text("?"),
            ExprKind::Call(_, args) => {
                *hug = args.last().is_some_and(|last| can_hug(last, args.len() == 1));
                with_hug(self.list("(", ")", args, |arg| arg.span, node.span.end - 1, Self::expr), *hug)
            }
            _ => self.source(node.span),
        }
    }
}

/// What an expression is made of by something that follows it.
fn base_of(expr: &Expr) -> Option<&Expr> {
    match &expr.kind {
        ExprKind::Generic(base, _)
        | ExprKind::Field(base, _)
        | ExprKind::TupleField(base, ..)
        | ExprKind::Index(base, _)
        | ExprKind::Call(base, _)
        | ExprKind::Try(base) => Some(base),
        _ => None,
    }
}

/// Whether the next thing is a call, perhaps with type arguments.
fn is_called(nodes: &[&Expr]) -> bool {
    match nodes {
        [first, ..] if matches!(first.kind, ExprKind::Call(..)) => true,
        [first, second, ..] => matches!(first.kind, ExprKind::Generic(..)) && matches!(second.kind, ExprKind::Call(..)),
        _ => false,
    }
}

/// Whether the lines of the last argument can be those of the call.
fn can_hug(expr: &Expr, alone: bool) -> bool {
    match &expr.kind {
        ExprKind::Closure { body, .. } => can_hug(body, true),
        ExprKind::Block(_) | ExprKind::Match { .. } | ExprKind::Record { .. } => true,
        ExprKind::List(parts) => !parts.is_empty(),
        ExprKind::Map(parts) => !parts.is_empty(),
        ExprKind::Tuple(parts) => alone && parts.len() > 1,
        ExprKind::Call(_, args) => alone && args.last().is_some_and(|last| can_hug(last, args.len() == 1)),
        ExprKind::If { .. } => alone,
        ExprKind::Try(base) => can_hug(base, alone),
        _ => false,
    }
}

fn with_hug(list: Doc<'_>, hug: bool) -> Doc<'_> {
    match list {
        Doc::List(list) => Doc::List(List { hug, ..list }),
        other => other,
    }
}

/// How tightly an operator binds.
fn level(op: BinaryOp) -> u8 {
    match op {
        BinaryOp::Or => 1,
        BinaryOp::And => 2,
        BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => 3,
        BinaryOp::BitOr => 4,
        BinaryOp::BitXor => 5,
        BinaryOp::BitAnd => 6,
        BinaryOp::Shl | BinaryOp::Shr => 7,
        BinaryOp::Add | BinaryOp::Sub => 8,
        BinaryOp::Mul | BinaryOp::Div | BinaryOp::Rem => 9,
    }
}
