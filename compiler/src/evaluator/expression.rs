//! Expressions.

use std::rc::Rc;

use super::PanicKind;
use super::machine::{Eval, Flow, Frame, Machine};
use super::value::{Function, Value};
use crate::typed::{BinaryOp, Conversion, Expr, ExprKind, TyKind};

impl<'p> Machine<'p> {
    /// The value of an expression.
    pub(super) fn eval(&mut self, frame: &mut Frame<'p>, expr: &'p Expr) -> Eval<'p> {
        self.step()?;
        Ok(match &expr.kind {
            ExprKind::Int(n) => Value::Int(*n),
            ExprKind::Float(x) => Value::Float(*x),
            ExprKind::Bool(b) => Value::Bool(*b),
            ExprKind::Char(c) => Value::Char(*c as u32),
            ExprKind::String(text) => Value::text(text),
            ExprKind::Buffer(bytes) => Value::bytes(bytes),
            ExprKind::Local(id) => frame.get(*id),
            ExprKind::Const(id) => self.constant(*id)?,
            ExprKind::Tuple(parts) => Value::Tuple(self.all(frame, parts)?.into()),
            ExprKind::Array(parts) => Value::array(self.all(frame, parts)?.into_iter().map(Some)),
            ExprKind::Variant(id, tag, parts) => Value::Variant(*id, *tag, self.all(frame, parts)?.into()),
            ExprKind::Constructor(id, tag) => Value::Function(Rc::new(Function::Constructor(*id, *tag))),
            ExprKind::TupleField(base, index) => match self.eval(frame, base)? {
                Value::Tuple(parts) => parts[*index as usize].clone(),
                other => unreachable!("{other:?} is no tuple"),
            },
            ExprKind::Field(base, _, index) => self.eval(frame, base)?.field(*index),
            ExprKind::Function(callee) => self.function_value(frame, callee)?,
            ExprKind::Binary(op, left, right) => self.binary(frame, expr.span, *op, left, right)?,
            ExprKind::Unary(op, base) => {
                let value = self.eval(frame, base)?;
                self.span = expr.span;
                self.unary(*op, &value)?
            }
            ExprKind::Block(stmts, value) => {
                for stmt in stmts {
                    self.statement(frame, stmt)?;
                }
                match value {
                    Some(value) => return self.eval(frame, value),
                    None => Value::unit(),
                }
            }
            ExprKind::Is(base, pattern) => {
                let value = self.eval(frame, base)?;
                Value::Bool(self.matches(frame, pattern, &value))
            }
            ExprKind::If(condition, then, otherwise) => {
                if self.eval(frame, condition)?.is_true() {
                    return self.eval(frame, then);
                }
                match otherwise {
                    Some(otherwise) => return self.eval(frame, otherwise),
                    None => Value::unit(),
                }
            }
            _ => return self.eval_more(frame, expr),
        })
    }

    /// The others: apart, so that the native stack that `eval` takes is small.
    #[inline(never)]
    fn eval_more(&mut self, frame: &mut Frame<'p>, expr: &'p Expr) -> Eval<'p> {
        Ok(match &expr.kind {
            ExprKind::Call(callee, args) => {
                let target = self.target(frame, callee)?;
                let args = self.all(frame, args)?;
                self.span = expr.span;
                self.call_target(target, args)?
            }
            ExprKind::Record(id, fields) => {
                let mut values = vec![None; fields.len()];
                for (index, field) in fields {
                    values[*index as usize] = Some(self.eval(frame, field)?);
                }
                Value::record(*id, values.into_iter().flatten().collect())
            }
            ExprKind::Closure(closure) => {
                let captured = closure.captures.iter().map(|id| frame.locals[id.index()].clone()).collect();
                Value::Function(Rc::new(Function::Closure(closure, frame.env, captured, frame.body)))
            }
            ExprKind::ToDyn(base, _, _) => {
                let value = self.eval(frame, base)?;
                self.as_dyn(frame, base, value)
            }
            ExprKind::Match(base, arms) => {
                let value = self.eval(frame, base)?;
                for arm in arms {
                    if !self.matches(frame, &arm.pattern, &value) {
                        continue;
                    }
                    let taken = match &arm.guard {
                        Some(guard) => self.eval(frame, guard)?.is_true(),
                        None => true,
                    };
                    if taken {
                        return self.eval(frame, &arm.body);
                    }
                }
                self.span = expr.span;
                return self.panic(PanicKind::Unreachable, "no arm matches");
            }
            ExprKind::Try(base, conversion) => return self.question(frame, base, conversion),
            ExprKind::Return(value) => {
                let value = match value {
                    Some(value) => self.eval(frame, value)?,
                    None => Value::unit(),
                };
                return Err(Flow::Return(value));
            }
            ExprKind::Break(id) => return Err(Flow::Break(*id)),
            ExprKind::Continue(id) => return Err(Flow::Continue(*id)),
            ExprKind::AssignLocal(id, value) => {
                let value = self.eval(frame, value)?;
                frame.assign(*id, value);
                Value::unit()
            }
            ExprKind::AssignField(base, _, index, value) => {
                let base = self.eval(frame, base)?;
                let value = self.eval(frame, value)?;
                *base.as_record().fields[*index as usize].borrow_mut() = value;
                Value::unit()
            }
            ExprKind::Assert(condition, source, message) => {
                if !self.eval(frame, condition)?.is_true() {
                    let text = match message {
                        Some(message) => {
                            format!("assertion failed: {source}: {}", self.eval(frame, message)?.to_text())
                        }
                        None => format!("assertion failed: {source}"),
                    };
                    self.span = expr.span;
                    return self.panic(PanicKind::Assertion, text);
                }
                Value::unit()
            }
            other => unreachable!("{other:?} is evaluated elsewhere"),
        })
    }

    /// The values of expressions, in order.
    fn all(&mut self, frame: &mut Frame<'p>, exprs: &'p [Expr]) -> Eval<'p, Vec<Value<'p>>> {
        exprs.iter().map(|expr| self.eval(frame, expr)).collect()
    }

    /// A value of an expression's type as `dyn`. What is `dyn` already stays what it is.
    fn as_dyn(&mut self, frame: &Frame<'p>, expr: &Expr, value: Value<'p>) -> Value<'p> {
        match value {
            Value::Dyn(_) => value,
            _ => Value::Dyn(Rc::new((self.ty(expr.ty, frame.env), value))),
        }
    }

    #[inline(never)]
    fn question(&mut self, frame: &mut Frame<'p>, base: &'p Expr, conversion: &'p Conversion) -> Eval<'p> {
        let value = self.eval(frame, base)?;
        let Value::Variant(id, tag, parts) = &value else { unreachable!("{value:?} is no Option or Result") };
        if Some(*id) == self.program.lang.option {
            return if *tag == 1 { Ok(parts[0].clone()) } else { Err(Flow::Return(value)) };
        }
        if *tag == 0 {
            return Ok(parts[0].clone());
        }
        let error = parts[0].clone();
        let error = match conversion {
            Conversion::Option | Conversion::Same => error,
            Conversion::Call(callee) => {
                let target = self.target(frame, callee)?;
                self.call_target(target, vec![error])?
            }
            Conversion::Dyn(_) => match error {
                Value::Dyn(_) => error,
                _ => {
                    let ty = self.ty(base.ty, frame.env);
                    let TyKind::Enum(_, args) = self.types.kind(ty) else { unreachable!("no Result") };
                    Value::Dyn(Rc::new((args[1], error)))
                }
            },
        };
        Err(Flow::Return(Value::Variant(*id, 1, Rc::from([error]))))
    }

    #[inline(never)]
    fn binary(
        &mut self,
        frame: &mut Frame<'p>,
        span: crate::source::Span,
        op: BinaryOp,
        left: &'p Expr,
        right: &'p Expr,
    ) -> Eval<'p> {
        let left = self.eval(frame, left)?;
        match (op, &left) {
            (BinaryOp::And, Value::Bool(false)) | (BinaryOp::Or, Value::Bool(true)) => return Ok(left),
            (BinaryOp::And | BinaryOp::Or, _) => return self.eval(frame, right),
            _ => {}
        }
        let right = self.eval(frame, right)?;
        self.span = span;
        self.binary_values(op, &left, &right)
    }
}
