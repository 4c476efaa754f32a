//! The order of functions by their calls.

use crate::ir::visit::each_stmt;
use crate::ir::{Callee, Code, Expr, FuncId, Init, Module, Stmt};

/// How functions lead to one another.
pub(crate) struct Order {
    /// The place of each function: those that are called come before their callers.
    pub place: Vec<u32>,
    /// Functions whose calls come back to them, perhaps by way of others.
    pub recursive: Vec<bool>,
    /// What each function leads to.
    pub edges: Vec<Vec<Edge>>,
}

/// How one function leads to another.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Edge {
    /// It calls it.
    Call(FuncId),
    /// It makes a function value of it, and is likely to call that.
    Value(FuncId),
    /// It refers to it as a method in the table, which it calls perhaps.
    Method(FuncId),
}

impl Edge {
    /// Where it leads.
    pub fn to(self) -> FuncId {
        let (Edge::Call(id) | Edge::Value(id) | Edge::Method(id)) = self;
        id
    }
}

/// Looks at all functions.
pub(crate) fn order(module: &Module) -> Order {
    let count = module.functions.len();
    let mut search = Search {
        edges: (0..count as u32).map(|id| edges(module, FuncId(id))).collect(),
        index: vec![None; count],
        low: vec![0; count],
        on_stack: vec![false; count],
        stack: Vec::new(),
        next: 0,
        place: vec![0; count],
        placed: 0,
        recursive: vec![false; count],
    };
    for index in 0..count {
        search.visit(FuncId(index as u32));
    }
    Order { place: search.place, recursive: search.recursive, edges: search.edges }
}

/// Tarjan's algorithm, with a stack of its own.
struct Search {
    edges: Vec<Vec<Edge>>,
    index: Vec<Option<u32>>,
    low: Vec<u32>,
    on_stack: Vec<bool>,
    stack: Vec<FuncId>,
    next: u32,
    place: Vec<u32>,
    placed: u32,
    recursive: Vec<bool>,
}

impl Search {
    fn visit(&mut self, root: FuncId) {
        if self.index[root.index()].is_some() {
            return;
        }
        self.enter(root);
        let mut path = vec![(root, 0)];
        while let Some((id, at)) = path.last_mut() {
            let id = *id;
            let Some(edge) = self.edges[id.index()].get(*at).map(|edge| edge.to()) else {
                path.pop();
                self.leave(id);
                if let Some((parent, _)) = path.last() {
                    self.low[parent.index()] = self.low[parent.index()].min(self.low[id.index()]);
                }
                continue;
            };
            *at += 1;
            match self.index[edge.index()] {
                None => {
                    self.enter(edge);
                    path.push((edge, 0));
                }
                Some(index) if self.on_stack[edge.index()] => {
                    self.low[id.index()] = self.low[id.index()].min(index);
                    if edge == id {
                        self.recursive[id.index()] = true;
                    }
                }
                Some(_) => {}
            }
        }
    }

    fn enter(&mut self, id: FuncId) {
        self.index[id.index()] = Some(self.next);
        self.low[id.index()] = self.next;
        self.next += 1;
        self.stack.push(id);
        self.on_stack[id.index()] = true;
    }

    fn leave(&mut self, id: FuncId) {
        if Some(self.low[id.index()]) != self.index[id.index()] {
            return;
        }
        let begin = self.stack.iter().rposition(|&each| each == id).unwrap_or(0);
        let group = self.stack.split_off(begin);
        for each in group.iter().rev() {
            self.on_stack[each.index()] = false;
            self.recursive[each.index()] |= group.len() > 1;
            self.place[each.index()] = self.placed;
            self.placed += 1;
        }
    }
}

fn edges(module: &Module, id: FuncId) -> Vec<Edge> {
    let mut edges = Vec::new();
    if let Code::Body(body) = &module.functions[id.index()].code {
        each_stmt(body, &mut |stmt| {
            if let Stmt::Call(call, _) = stmt
                && let Callee::Direct(callee) = call.callee
            {
                edges.push(Edge::Call(callee));
            }
            stmt.exprs(&mut |expr| rows(module, expr, &mut edges));
        });
    }
    edges
}

fn rows(module: &Module, expr: &Expr, edges: &mut Vec<Edge>) {
    let row = match expr {
        Expr::Row(row) => Some(row),
        Expr::Global(id) => match &module.globals[id.index()].init {
            Init::Function(_, row) => Some(row),
            _ => None,
        },
        _ => None,
    };
    match row.map(|row| &module.rows[row.index()][..]) {
        Some([function]) => edges.push(Edge::Value(*function)),
        Some(methods) => edges.extend(methods.iter().copied().map(Edge::Method)),
        None => {}
    }
    expr.each(&mut |part| rows(module, part, edges));
}
