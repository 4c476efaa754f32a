//! What a module's exports lead to, in the order in which it is found.

use super::visit::each_stmt;
use super::{Callee, Code, DataId, Expr, FuncId, GlobalId, Heap, Init, Module, Panic, RowId, Stmt, TypeId, Val};

/// What is there.
#[derive(Debug, Default)]
pub(crate) struct Reached {
    pub functions: Vec<FuncId>,
    pub globals: Vec<GlobalId>,
    pub data: Vec<DataId>,
    pub rows: Vec<RowId>,
    /// Types that code and globals name; not what those types refer to.
    pub types: Vec<TypeId>,
    seen: Seen,
    /// How many of the functions were looked into.
    looked: usize,
}

/// What was found, by numbers.
#[derive(Debug, Default)]
struct Seen {
    functions: Numbers,
    globals: Numbers,
    data: Numbers,
    rows: Numbers,
    types: Numbers,
}

/// A set of numbers that are not much greater than how many there are.
#[derive(Debug, Default)]
struct Numbers(Vec<bool>);

impl Numbers {
    /// Whether it was not there before.
    fn insert(&mut self, number: u32) -> bool {
        let index = number as usize;
        if index >= self.0.len() {
            self.0.resize(index + 1, false);
        }
        !std::mem::replace(&mut self.0[index], true)
    }
}

/// Finds everything.
pub(crate) fn reach(module: &Module) -> Reached {
    let mut reached = Reached::exports(module);
    while let Some(id) = reached.next() {
        reached.look(module, id);
    }
    reached
}

/// Leaves out what nothing leads to.
pub(crate) fn leave_out(module: &mut Module) {
    keep(module, &reach(module));
}

/// Leaves out all functions but those that were found.
pub(crate) fn keep(module: &mut Module, reached: &Reached) {
    let mut is_reached = vec![false; module.functions.len()];
    for id in &reached.functions {
        is_reached[id.index()] = true;
    }
    for (function, is_reached) in module.functions.iter_mut().zip(is_reached) {
        if !is_reached {
            function.code = Code::Gone;
        }
    }
}

impl Reached {
    /// What is exported, of which nothing was looked into yet.
    pub fn exports(module: &Module) -> Self {
        let mut reached = Self::default();
        for (_, id) in &module.exports {
            reached.function(module, *id);
        }
        for (id, _) in module.shared.iter().flat_map(|shared| &shared.exports) {
            reached.global(module, *id);
        }
        reached
    }

    /// A function that was found and is to be looked into.
    pub fn next(&mut self) -> Option<FuncId> {
        let id = self.functions.get(self.looked).copied();
        self.looked += id.is_some() as usize;
        id
    }

    /// Finds what is in a function.
    pub fn look(&mut self, module: &Module, id: FuncId) {
        let function = &module.functions[id.index()];
        for &val in &function.locals {
            self.val(val);
        }
        if let Code::Body(body) = &function.code {
            each_stmt(body, &mut |stmt| self.stmt(module, stmt));
        }
    }

    fn function(&mut self, module: &Module, id: FuncId) {
        if self.seen.functions.insert(id.0) {
            debug_assert!(!matches!(module.functions[id.index()].code, Code::Gone), "a function is gone but called");
            self.functions.push(id);
        }
    }

    fn val(&mut self, val: Val) {
        if let Some(Heap::Type(id)) = val.heap() {
            self.ty(id);
        }
    }

    fn ty(&mut self, id: TypeId) {
        if self.seen.types.insert(id.0) {
            self.types.push(id);
        }
    }

    fn panic(&mut self, module: &Module, panic: Panic) {
        let index = Panic::ALL.iter().position(|(each, _)| *each == panic);
        if let Some(id) = index.and_then(|index| module.panics[index]) {
            self.function(module, id);
        }
    }

    fn row(&mut self, module: &Module, id: RowId) {
        if self.seen.rows.insert(id.0) {
            self.rows.push(id);
            if module.earlier_row(id).is_some() {
                return;
            }
            for &function in &module.rows[id.index()] {
                self.function(module, function);
            }
        }
    }

    fn global(&mut self, module: &Module, id: GlobalId) {
        if self.seen.globals.insert(id.0) {
            self.globals.push(id);
            self.val(module.globals[id.index()].ty);
            match &module.globals[id.index()].init {
                Init::Struct(ty, _) => self.ty(*ty),
                Init::Function(ty, row) => {
                    self.ty(*ty);
                    self.row(module, *row);
                }
                Init::Bytes(_) | Init::Variable(_) => {}
            }
        }
    }

    fn stmt(&mut self, module: &Module, stmt: &Stmt) {
        match stmt {
            Stmt::Call(call, _) => self.callee(module, &call.callee),
            Stmt::StructSet(ty, ..) | Stmt::ArraySet(ty, ..) | Stmt::ArrayFill(ty, ..) => self.ty(*ty),
            Stmt::ArrayCopy(to, from, ..) => {
                self.ty(*to);
                self.ty(*from);
            }
            Stmt::GlobalSet(id, _) => self.global(module, *id),
            _ => {}
        }
        stmt.exprs(&mut |expr| self.expr(module, expr));
    }

    fn callee(&mut self, module: &Module, callee: &Callee) {
        match callee {
            Callee::Direct(id) => self.function(module, *id),
            Callee::Table(ty, _) => self.ty(*ty),
        }
    }

    fn expr(&mut self, module: &Module, expr: &Expr) {
        match expr {
            Expr::Global(id) => self.global(module, *id),
            Expr::Row(id) => self.row(module, *id),
            Expr::Checked(op, ..) => {
                if let Some(panic) = op.panic() {
                    self.panic(module, panic);
                }
                if let (super::CheckedOp::Mul, Some(product)) = (op, module.product) {
                    self.function(module, product);
                }
            }
            Expr::Index(..) => self.panic(module, Panic::Index),
            Expr::Null(Heap::Type(ty)) => self.ty(*ty),
            Expr::StructNew(ty, _)
            | Expr::StructGet(ty, ..)
            | Expr::ArrayNew(ty, ..)
            | Expr::ArrayDefault(ty, ..)
            | Expr::ArrayFixed(ty, _)
            | Expr::ArrayGet(ty, ..) => self.ty(*ty),
            Expr::ArrayData(ty, data, ..) => {
                self.ty(*ty);
                if self.seen.data.insert(data.0) {
                    self.data.push(*data);
                }
            }
            Expr::Cast(val, ..) => self.val(*val),
            Expr::Call(call) => self.callee(module, &call.callee),
            _ => {}
        }
        expr.each(&mut |part| self.expr(module, part));
    }
}
