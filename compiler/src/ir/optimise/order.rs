//! The order of functions by their calls.

use crate::ir::visit::each_stmt;
use crate::ir::{Callee, Code, FuncId, Module, Stmt};

/// All functions, those that are called before their callers, and which of them call themselves, perhaps by way of others.
pub(crate) fn order(module: &Module) -> (Vec<FuncId>, Vec<bool>) {
    let count = module.functions.len();
    let mut search = Search {
        index: vec![None; count],
        low: vec![0; count],
        on_stack: vec![false; count],
        stack: Vec::new(),
        next: 0,
        order: Vec::with_capacity(count),
        recursive: vec![false; count],
    };
    for index in 0..count {
        search.visit(module, FuncId(index as u32));
    }
    (search.order, search.recursive)
}

/// Tarjan's algorithm, with a stack of its own.
struct Search {
    index: Vec<Option<u32>>,
    low: Vec<u32>,
    on_stack: Vec<bool>,
    stack: Vec<FuncId>,
    next: u32,
    order: Vec<FuncId>,
    recursive: Vec<bool>,
}

impl Search {
    fn visit(&mut self, module: &Module, root: FuncId) {
        if self.index[root.index()].is_some() {
            return;
        }
        self.enter(root);
        let mut path = vec![(root, calls(module, root), 0)];
        while let Some((id, edges, at)) = path.last_mut() {
            let id = *id;
            let Some(&edge) = edges.get(*at) else {
                path.pop();
                self.leave(id);
                if let Some((parent, ..)) = path.last() {
                    self.low[parent.index()] = self.low[parent.index()].min(self.low[id.index()]);
                }
                continue;
            };
            *at += 1;
            match self.index[edge.index()] {
                None => {
                    self.enter(edge);
                    path.push((edge, calls(module, edge), 0));
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
        for each in &group {
            self.on_stack[each.index()] = false;
            self.recursive[each.index()] |= group.len() > 1;
        }
        self.order.extend(group.into_iter().rev());
    }
}

fn calls(module: &Module, id: FuncId) -> Vec<FuncId> {
    let mut calls = Vec::new();
    if let Code::Body(body) = &module.functions[id.index()].code {
        each_stmt(body, &mut |stmt| {
            if let Stmt::Call(call, _) = stmt
                && let Callee::Direct(callee) = call.callee
            {
                calls.push(callee);
            }
            // What closures and objects refer to by the table is likely to be called from here.
            stmt.exprs(&mut |expr| rows(module, expr, &mut calls));
        });
    }
    calls
}

fn rows(module: &Module, expr: &crate::ir::Expr, calls: &mut Vec<FuncId>) {
    match expr {
        crate::ir::Expr::Row(row) => calls.extend(&module.rows[row.index()]),
        crate::ir::Expr::Global(id) => {
            if let crate::ir::Init::Function(_, row) = &module.globals[id.index()].init {
                calls.extend(&module.rows[row.index()]);
            }
        }
        _ => {}
    }
    expr.each(&mut |part| rows(module, part, calls));
}
