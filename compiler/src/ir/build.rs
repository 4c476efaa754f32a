//! Making a function, statement by statement.

use super::{At, BinaryOp, Call, Callee, Expr, FuncId, Function, Label, Local, Stmt, TypeId, Val};

/// A function in the making.
///
/// After a jump the code is dead until a block ends that something jumped out of: statements for it are dropped, and their expressions may be
/// anything.
#[derive(Debug)]
pub(crate) struct Builder {
    /// Types of locals, parameters first.
    pub locals: Vec<Val>,
    /// Locals that are assigned again, by index; missing ones are not.
    variable: Vec<bool>,
    /// Statements of the open blocks, the innermost last.
    lists: Vec<Vec<Stmt>>,
    /// Whether something jumps to it, for each label.
    used: Vec<bool>,
    /// Whether what follows is never reached.
    pub dead: bool,
    /// Where the code comes from.
    pub at: At,
}

impl Builder {
    /// A function with these parameters.
    pub fn new(params: &[Val], at: At) -> Self {
        Self {
            locals: params.to_vec(),
            variable: Vec::new(),
            lists: vec![Vec::new()],
            used: Vec::new(),
            dead: false,
            at,
        }
    }

    /// The finished function.
    pub fn finish(mut self, name: u32, params: usize, results: Vec<Val>) -> Function {
        let body = self.lists.pop().unwrap_or_default();
        let labels = self.used.len() as u32;
        Function { name, params, locals: self.locals, results, code: super::Code::Body(body), labels, ends: None }
    }

    /// A new local that is assigned once.
    pub fn local(&mut self, ty: Val) -> Local {
        self.locals.push(ty);
        Local(self.locals.len() as u32 - 1)
    }

    /// A new local that may be assigned more than once.
    pub fn variable(&mut self, ty: Val) -> Local {
        let local = self.local(ty);
        self.vary(local);
        local
    }

    /// Says that a local may be assigned more than once.
    pub fn vary(&mut self, local: Local) {
        if self.variable.len() <= local.index() {
            self.variable.resize(local.index() + 1, false);
        }
        self.variable[local.index()] = true;
    }

    /// Adds a statement.
    pub fn push(&mut self, stmt: Stmt) {
        if self.dead {
            return;
        }
        match &stmt {
            Stmt::Break(label) => self.used[label.index()] = true,
            Stmt::Switch(_, labels, last) => {
                for label in labels.iter().chain([last]) {
                    self.used[label.index()] = true;
                }
            }
            _ => {}
        }
        let end = matches!(stmt, Stmt::Break(_) | Stmt::Switch(..) | Stmt::Return(_) | Stmt::Unreachable);
        self.list().push(stmt);
        self.dead |= end;
    }

    /// The innermost open block.
    fn list(&mut self) -> &mut Vec<Stmt> {
        if self.lists.is_empty() {
            self.lists.push(Vec::new());
        }
        let last = self.lists.len() - 1;
        &mut self.lists[last]
    }

    /// How many statements the innermost open block has.
    pub fn mark(&self) -> usize {
        self.lists.last().map_or(0, Vec::len)
    }

    /// A new label.
    pub fn label(&mut self) -> Label {
        self.used.push(false);
        Label(self.used.len() as u32 - 1)
    }

    /// Begins the statements of a block, loop or branch.
    pub fn begin(&mut self) {
        self.lists.push(Vec::new());
    }

    /// Begins a block.
    pub fn begin_block(&mut self) -> Label {
        self.begin();
        self.label()
    }

    /// Ends the block with this label.
    pub fn end_block(&mut self, label: Label) {
        let body = self.end();
        if self.used[label.index()] {
            self.dead = false;
            self.push(Stmt::Block(label, body));
        } else {
            self.list().extend(body);
        }
    }

    /// Ends the loop with this label.
    pub fn end_loop(&mut self, label: Label) {
        let dead = self.dead;
        let body = self.end();
        if self.used[label.index()] {
            self.dead = false;
            self.push(Stmt::Loop(label, body));
        } else {
            self.list().extend(body);
        }
        self.dead = dead;
    }

    /// Ends statements and hands them out.
    pub fn end(&mut self) -> Vec<Stmt> {
        self.lists.pop().unwrap_or_default()
    }

    /// Begins a branch of an `if`: call [`Self::otherwise`] with what this gives, then [`Self::end_if`].
    pub fn begin_if(&mut self) -> bool {
        self.begin();
        self.dead
    }

    /// Begins the other branch.
    pub fn otherwise(&mut self, before: bool) -> (Vec<Stmt>, bool) {
        let then = (self.end(), self.dead);
        self.dead = before;
        self.begin();
        then
    }

    /// Ends the `if`.
    pub fn end_if(&mut self, before: bool, condition: Expr, then: (Vec<Stmt>, bool)) {
        let otherwise = self.end();
        let dead = self.dead && then.1;
        self.dead = before;
        self.push(Stmt::If(condition, then.0, otherwise));
        self.dead = dead;
    }

    /// Jumps if a condition holds.
    pub fn break_if(&mut self, condition: Expr, label: Label) {
        match condition {
            Expr::I32(0) => {}
            Expr::I32(_) => self.push(Stmt::Break(label)),
            condition => {
                if !self.dead {
                    self.used[label.index()] = true;
                    self.push(Stmt::If(condition, vec![Stmt::Break(label)], Vec::new()));
                }
            }
        }
    }

    /// Whether an expression is the same from now on, and can be used more than once.
    pub fn is_stable(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Local(local) => !self.variable.get(local.index()).copied().unwrap_or(false),
            other => other.is_atom(),
        }
    }

    /// An expression that stays what this one is now.
    pub fn stable(&mut self, expr: Expr, ty: Val) -> Expr {
        if self.dead || self.is_stable(&expr) {
            return expr;
        }
        let local = self.local(ty);
        self.push(Stmt::Set(local, expr));
        Expr::Local(local)
    }

    /// Puts assignments before what was added since `mark`, so that these expressions are evaluated before it.
    pub fn spill(&mut self, mark: usize, exprs: &mut [(Expr, Val)]) {
        let mut at = mark;
        for (expr, ty) in exprs {
            if !self.is_stable(expr) {
                let local = self.local(*ty);
                let value = std::mem::replace(expr, Expr::Local(local));
                self.list().insert(at, Stmt::Set(local, value));
                at += 1;
            }
        }
    }

    /// Assigns locals, as if at once.
    pub fn assign(&mut self, to: &[Local], values: Vec<Expr>) {
        if self.dead {
            return;
        }
        let mut values = values;
        let overlap = values.iter().skip(1).any(|value| super::visit::mentions(value, to));
        if overlap {
            for (value, &local) in values.iter_mut().zip(to) {
                let ty = self.locals[local.index()];
                let taken = std::mem::replace(value, Expr::I32(0));
                *value = self.stable(taken, ty);
            }
        }
        for (value, &local) in values.into_iter().zip(to) {
            self.push(Stmt::Set(local, value));
        }
    }

    /// Calls a function.
    pub fn call(&mut self, callee: Callee, args: Vec<Expr>, results: &[Val]) -> Vec<Expr> {
        let to: Vec<Local> = results.iter().map(|&ty| self.local(ty)).collect();
        let at = self.at;
        self.push(Stmt::Call(Box::new(Call { callee, args, at }), to.clone()));
        to.into_iter().map(Expr::Local).collect()
    }

    /// Calls a function by its number.
    pub fn call_direct(&mut self, func: FuncId, args: Vec<Expr>, results: &[Val]) -> Vec<Expr> {
        self.call(Callee::Direct(func), args, results)
    }

    /// A field of an object.
    pub fn field(&self, ty: TypeId, field: u32, object: Expr) -> Expr {
        Expr::StructGet(ty, field, Box::new(object), self.at)
    }

    /// `a == b` of 32-bit integers.
    pub fn equals(&self, a: Expr, b: i32) -> Expr {
        if b == 0 {
            return Expr::unary(super::UnaryOp::Eqz32, a);
        }
        Expr::binary(BinaryOp::Eq32, a, Expr::I32(b))
    }
}
