//! Statements.

use super::PanicKind;
use super::machine::{Eval, Flow, Frame, Machine};
use super::value::Value;
use crate::typed::{Expr, LoopId, Stmt, StmtKind};

impl<'p> Machine<'p> {
    /// Does what a statement says.
    pub(super) fn statement(&mut self, frame: &mut Frame<'p>, stmt: &'p Stmt) -> Eval<'p, ()> {
        match &stmt.kind {
            StmtKind::Expr(value) => {
                self.eval(frame, value)?;
            }
            StmtKind::Let(pattern, value, otherwise) => {
                let value = self.eval(frame, value)?;
                if !self.matches(frame, pattern, &value) {
                    if let Some(otherwise) = otherwise {
                        self.eval(frame, otherwise)?;
                    }
                    self.span = stmt.span;
                    return self.panic(PanicKind::Unreachable, "a pattern does not match");
                }
            }
            StmtKind::While(id, condition, body) => {
                while self.eval(frame, condition)?.is_true() {
                    if !self.turn(frame, *id, body)? {
                        break;
                    }
                }
            }
            StmtKind::For { id, pattern, iterator, next, body } => {
                let iterator = self.eval(frame, iterator)?;
                loop {
                    self.step()?;
                    let target = self.target(frame, next)?;
                    match self.call_target(target, vec![iterator.clone()])? {
                        Value::Variant(_, 1, parts) => {
                            if !self.matches(frame, pattern, &parts[0]) {
                                self.span = stmt.span;
                                return self.panic(PanicKind::Unreachable, "a pattern does not match");
                            }
                        }
                        _ => break,
                    }
                    if !self.turn(frame, *id, body)? {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// A turn of a loop: whether there may be another.
    fn turn(&mut self, frame: &mut Frame<'p>, id: LoopId, body: &'p Expr) -> Eval<'p, bool> {
        match self.eval(frame, body) {
            Ok(_) => Ok(true),
            Err(Flow::Continue(other)) if other == id => Ok(true),
            Err(Flow::Break(other)) if other == id => Ok(false),
            Err(flow) => Err(flow),
        }
    }
}
