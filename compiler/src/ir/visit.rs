//! Going through expressions and statements.

use super::{Callee, Expr, Local, Stmt};

/// Goes through what is directly in an expression or statement, given how lists are gone through and locals borrowed.
macro_rules! parts {
    (expr $this:ident, $f:ident, $iter:ident $(, $mut:tt)?) => {
        match $this {
            Expr::I32(_)
            | Expr::I64(_)
            | Expr::F64(_)
            | Expr::Null(_)
            | Expr::Row(_)
            | Expr::Local(_)
            | Expr::Global(_)
            | Expr::ArrayData(..) => {}
            Expr::Unary(_, a)
            | Expr::Index(a, _)
            | Expr::StructGet(_, _, a, _)
            | Expr::ArrayDefault(_, a, _)
            | Expr::ArrayLen(a, _)
            | Expr::NonNull(a, _)
            | Expr::Cast(_, a, _)
            | Expr::FromExtern(a)
            | Expr::ToExtern(a)
            | Expr::IsNull(a) => $f(a),
            Expr::Binary(_, parts)
            | Expr::Checked(_, parts, _)
            | Expr::ArrayNew(_, parts, _)
            | Expr::ArrayGet(_, parts, _)
            | Expr::RefEq(parts) => parts.$iter().for_each($f),
            Expr::StructNew(_, parts) | Expr::ArrayFixed(_, parts) => parts.$iter().for_each($f),
            Expr::Call(call) => parts!(call call, $f, $iter $(, $mut)?),
        }
    };
    (stmt $this:ident, $f:ident, $iter:ident $(, $mut:tt)?) => {
        match $this {
            Stmt::Set(_, a) | Stmt::GlobalSet(_, a) | Stmt::If(a, _, _) | Stmt::Switch(a, _, _) | Stmt::Drop(a) => $f(a),
            Stmt::Call(call, _) => parts!(call call, $f, $iter $(, $mut)?),
            Stmt::StructSet(_, _, parts, _) => parts.$iter().for_each($f),
            Stmt::ArraySet(_, parts, _) => parts.$iter().for_each($f),
            Stmt::ArrayCopy(_, _, parts, _) => parts.$iter().for_each($f),
            Stmt::ArrayFill(_, parts, _) => parts.$iter().for_each($f),
            Stmt::Return(parts) => parts.$iter().for_each($f),
            Stmt::Block(..) | Stmt::Loop(..) | Stmt::Break(_) | Stmt::Unreachable => {}
        }
    };
    (call $call:ident, $f:ident, $iter:ident $(, $mut:tt)?) => {{
        $call.args.$iter().for_each(&mut *$f);
        if let Callee::Table(_, index) = &$($mut)? $call.callee {
            $f(index);
        }
    }};
}

impl Expr {
    /// Its parts, in the order in which they are evaluated.
    pub fn each(&self, f: &mut impl FnMut(&Expr)) {
        parts!(expr self, f, iter);
    }

    /// Its parts, to change them.
    pub fn each_mut(&mut self, f: &mut impl FnMut(&mut Expr)) {
        parts!(expr self, f, iter_mut, mut);
    }

    /// Whether it or a part of it is such an expression.
    pub fn any(&self, f: &mut impl FnMut(&Expr) -> bool) -> bool {
        if f(self) {
            return true;
        }
        let mut found = false;
        self.each(&mut |part| found = found || part.any(f));
        found
    }

    /// Whether evaluating it can trap.
    pub fn traps(&self) -> bool {
        self.any(&mut |expr| {
            matches!(
                expr,
                Expr::Checked(..)
                    | Expr::Index(..)
                    | Expr::ArrayNew(..)
                    | Expr::ArrayDefault(..)
                    | Expr::ArrayGet(..)
                    | Expr::NonNull(..)
                    | Expr::Call(_)
            )
        })
    }
}

impl Stmt {
    /// Its own expressions, in the order in which they are evaluated; not those of statements in it.
    pub fn exprs(&self, f: &mut impl FnMut(&Expr)) {
        parts!(stmt self, f, iter);
    }

    /// Its own expressions, to change them.
    pub fn exprs_mut(&mut self, f: &mut impl FnMut(&mut Expr)) {
        parts!(stmt self, f, iter_mut, mut);
    }

    /// The lists of statements in it.
    pub fn lists(&self, f: &mut impl FnMut(&[Stmt])) {
        match self {
            Stmt::Block(_, body) | Stmt::Loop(_, body) => f(body),
            Stmt::If(_, then, otherwise) => {
                f(then);
                f(otherwise);
            }
            _ => {}
        }
    }

    /// The lists of statements in it, to change them.
    pub fn lists_mut(&mut self, f: &mut impl FnMut(&mut Vec<Stmt>)) {
        match self {
            Stmt::Block(_, body) | Stmt::Loop(_, body) => f(body),
            Stmt::If(_, then, otherwise) => {
                f(then);
                f(otherwise);
            }
            _ => {}
        }
    }

    /// The locals that it assigns itself.
    pub fn assigned(&self) -> &[Local] {
        match self {
            Stmt::Set(local, _) => std::slice::from_ref(local),
            Stmt::Call(_, to) => to,
            _ => &[],
        }
    }

    /// Whether nothing comes after it.
    pub fn is_end(&self) -> bool {
        matches!(self, Stmt::Break(_) | Stmt::Switch(..) | Stmt::Return(_) | Stmt::Unreachable)
    }
}

/// Goes through all statements, those in others too.
pub(crate) fn each_stmt(list: &[Stmt], f: &mut impl FnMut(&Stmt)) {
    for stmt in list {
        f(stmt);
        match stmt {
            Stmt::Block(_, body) | Stmt::Loop(_, body) => each_stmt(body, f),
            Stmt::If(_, then, otherwise) => {
                each_stmt(then, f);
                each_stmt(otherwise, f);
            }
            _ => {}
        }
    }
}

/// Goes through all statements, to change them.
pub(crate) fn each_stmt_mut(list: &mut [Stmt], f: &mut impl FnMut(&mut Stmt)) {
    for stmt in list {
        f(stmt);
        match stmt {
            Stmt::Block(_, body) | Stmt::Loop(_, body) => each_stmt_mut(body, f),
            Stmt::If(_, then, otherwise) => {
                each_stmt_mut(then, f);
                each_stmt_mut(otherwise, f);
            }
            _ => {}
        }
    }
}

/// What becomes of a statement that [`edit`] comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fate {
    /// Whether it stays.
    pub stays: bool,
    /// Whether what comes after it stays too.
    pub goes_on: bool,
}

impl Fate {
    /// It stays.
    pub const STAYS: Fate = Fate { stays: true, goes_on: true };
    /// It goes.
    pub const GOES: Fate = Fate { stays: false, goes_on: true };
}

/// Goes through statements to change them, leave them out, and put others in, which `f` adds to the list that it is handed: they come before
/// the statement. Whether all went on to the end.
pub(crate) fn edit(list: &mut Vec<Stmt>, f: &mut impl FnMut(&mut Stmt, &mut Vec<Stmt>) -> Fate) -> bool {
    let mut new = Vec::new();
    // As long as nothing was put in, statements move towards the beginning of their list.
    let (mut kept, mut at) = (0, 0);
    while at < list.len() {
        let fate = f(&mut list[at], &mut new);
        if !new.is_empty() {
            let rest = list.split_off(at);
            list.truncate(kept);
            return put_in(list, rest, fate, new, f);
        }
        if fate.stays {
            if kept < at {
                list.swap(kept, at);
            }
            kept += 1;
        }
        if !fate.goes_on {
            list.truncate(kept);
            return false;
        }
        at += 1;
    }
    list.truncate(kept);
    true
}

/// Goes on in another list, from a statement of that fate, before which `new` is put.
fn put_in(
    list: &mut Vec<Stmt>,
    rest: Vec<Stmt>,
    fate: Fate,
    mut new: Vec<Stmt>,
    f: &mut impl FnMut(&mut Stmt, &mut Vec<Stmt>) -> Fate,
) -> bool {
    list.reserve(new.len() + rest.len());
    let mut first = Some(fate);
    for mut stmt in rest {
        let fate = first.take().unwrap_or_else(|| f(&mut stmt, &mut new));
        list.append(&mut new);
        if fate.stays {
            list.push(stmt);
        }
        if !fate.goes_on {
            return false;
        }
    }
    true
}

/// Whether an expression reads one of these locals.
pub(crate) fn mentions(expr: &Expr, locals: &[Local]) -> bool {
    expr.any(&mut |part| matches!(part, Expr::Local(local) if locals.contains(local)))
}

/// Whether control reaches the end of statements.
pub(crate) fn falls_through(list: &[Stmt]) -> bool {
    match list.last() {
        None => true,
        Some(Stmt::If(_, then, otherwise)) => falls_through(then) || falls_through(otherwise),
        Some(Stmt::Block(label, body)) => falls_through(body) || jumps_to(body, *label),
        Some(Stmt::Loop(_, body)) => falls_through(body),
        Some(last) => !last.is_end(),
    }
}

/// Whether something in these statements jumps to a label.
pub(crate) fn jumps_to(list: &[Stmt], label: super::Label) -> bool {
    list.iter().any(|stmt| match stmt {
        Stmt::Break(to) => *to == label,
        Stmt::Switch(_, labels, last) => labels.contains(&label) || *last == label,
        Stmt::Block(_, body) | Stmt::Loop(_, body) => jumps_to(body, label),
        Stmt::If(_, then, otherwise) => jumps_to(then, label) || jumps_to(otherwise, label),
        _ => false,
    })
}
