//! Functions that nobody wrote: entries, constants, panics, accessors.

use super::Lower;
use crate::ir::layout::Shape;
use crate::ir::mono::Accessor;
use crate::ir::{Expr, Heap, Local, Panic, Stmt, UnaryOp, Val};
use crate::typed::{ConstId, FnId, FunctionKind, TraitId, Ty, TyKind};

impl<'a> Lower<'_, 'a> {
    /// The code of a function that is called by its number but has no body of its own.
    pub fn without_body(&mut self, id: FnId) {
        let program = self.cx.program;
        let function = &program.functions[id.index()];
        if matches!(function.kind, FunctionKind::Intrinsic) {
            let args = (0..self.params).map(|index| Expr::Local(Local(index as u32))).collect();
            let types = self.args.clone();
            let parts = self.intrinsic(id, &types, args);
            self.b.push(Stmt::Return(parts));
        }
        self.b.push(Stmt::Unreachable);
    }

    /// Makes a constant the first time, and gives it.
    pub fn constant(&mut self, id: ConstId) {
        let program = self.cx.program;
        let constant = &program.constants[id.index()];
        self.locals = &constant.body.locals;
        self.slots = vec![None; self.locals.len()];
        self.at(constant.span);
        let types = self.cx.parts(constant.ty);
        let globals: Vec<_> = types.iter().map(|&part| self.cx.shared_variable(part)).collect();
        let (flag, is_reference) = match types.iter().position(|part| matches!(part, Val::Ref(_))) {
            Some(index) => (globals[index], true),
            None => (self.cx.shared_variable(Val::I32), false),
        };
        let missing = if is_reference {
            Expr::IsNull(Box::new(Expr::Global(flag)))
        } else {
            Expr::unary(UnaryOp::Eqz32, Expr::Global(flag))
        };
        let before = self.b.begin_if();
        let parts = self.value(&constant.body.value);
        let parts = self.stable(constant.ty, parts);
        for (&global, part) in globals.iter().zip(parts) {
            self.b.push(Stmt::GlobalSet(global, part));
        }
        if !is_reference {
            self.b.push(Stmt::GlobalSet(flag, Expr::I32(1)));
        }
        let done = self.b.otherwise(before);
        self.b.end_if(before, missing, done);
        let at = self.b.at;
        let parts = globals.iter().zip(types.iter()).map(|(&global, part)| match part {
            Val::Ref(_) => Expr::NonNull(Box::new(Expr::Global(global)), at),
            _ => Expr::Global(global),
        });
        self.b.push(Stmt::Return(parts.collect()));
    }

    /// Ends the program.
    pub fn panic(&mut self, panic: Panic) {
        let message = Panic::ALL.iter().find(|(each, _)| *each == panic).map_or("", |(_, message)| message);
        let text = self.cx.text(message);
        self.panic_with(text);
    }

    /// Ends the program with a message.
    pub fn panic_with(&mut self, text: Expr) {
        if let Some(panic) = self.cx.program.lang.panic {
            self.call_function(panic, &[], vec![text], Ty::NEVER);
        }
        self.b.push(Stmt::Unreachable);
    }

    /// What the host calls: makes capabilities of handles, calls `main`, and tells what went wrong.
    pub fn main(&mut self) {
        let program = self.cx.program;
        let Some(main) = &program.main else { return self.b.push(Stmt::Return(Vec::new())) };
        let function = &program.functions[main.function.index()];
        self.at(function.span);
        let mut args = Vec::new();
        for (index, (_, of)) in main.needs.iter().enumerate() {
            let at = self.b.at;
            let handle = Expr::NonNull(Box::new(Expr::Local(Local(index as u32))), at);
            args.extend(self.capability(*of, handle));
        }
        let parts = self.call_function(main.function, &[], args, function.result);
        let (result, parts) = (function.result, self.stable(function.result, parts));
        self.report(result, parts.clone());
        let value = match &main.entry {
            Some(_) => self.value_of_entry(result, &parts),
            None => Vec::new(),
        };
        self.b.push(Stmt::Return(value));
    }

    /// The text that an entry of a session gives; empty where it failed.
    fn value_of_entry(&mut self, ty: Ty, parts: &[Expr]) -> Vec<Expr> {
        let bytes = self.cx.module.types.bytes();
        let text = self.b.variable(Val::Ref(Heap::Type(bytes)));
        let good = self.is_variant(ty, parts, 0);
        let empty = self.cx.text("");
        self.b.push(Stmt::Set(text, empty));
        let before = self.b.begin_if();
        if let Some((_, value)) = self.payload(ty, parts, 0, &[true]).pop() {
            self.b.assign(&[text], value);
        }
        let done = self.b.otherwise(before);
        self.b.end_if(before, good, done);
        vec![Expr::Local(text)]
    }

    /// A handle as the interface that it is for.
    pub(super) fn capability(&mut self, of: TraitId, handle: Expr) -> Vec<Expr> {
        let interface = self.cx.types.intern(TyKind::Dyn(of, [].into()));
        match self.cx.inherent(interface, "from_handle") {
            Some(make) => self.call_function(make, &[], vec![handle], interface),
            None => vec![self.as_dyn_value(Ty::EXTERN, vec![handle], of, &[])],
        }
    }

    /// Tells the host if a result is an error.
    fn report(&mut self, ty: Ty, parts: Vec<Expr>) {
        let program = self.cx.program;
        let lang = program.lang;
        let TyKind::Enum(id, _) = *self.cx.types.kind(ty) else { return };
        let (Some(fail), true) = (lang.fail, Some(id) == lang.result) else { return };
        let good = self.is_variant(ty, &parts, 0);
        let before = self.b.begin_if();
        let done = self.b.otherwise(before);
        if let Some((error_ty, error)) = self.payload(ty, &parts, 1, &[true]).pop()
            && let Some(text) = self.shown(error_ty, error)
        {
            self.call_function(fail, &[], vec![text], Ty::UNIT);
        }
        self.b.end_if(before, good, done);
    }

    /// The text of a value.
    fn shown(&mut self, ty: Ty, value: Vec<Expr>) -> Option<Expr> {
        let lang = self.cx.program.lang;
        let (new, finish, show) = (lang.text_new?, lang.text_finish?, lang.show?);
        let record = lang.text?;
        let text_ty = self.cx.record_ty(record, &[]);
        let text = self.call_function(new, &[], Vec::new(), text_ty);
        let text = self.stable(text_ty, text);
        let method = self.cx.method_place(show, "show");
        let mut args = value;
        args.extend(text.clone());
        let show = self.resolve_method(show, &[], method, ty, &[]);
        self.call_resolved(show, args, Ty::UNIT);
        Some(Self::only(self.call_function(finish, &[], text, Ty::STRING)))
    }

    /// Calls a test.
    pub fn entry(&mut self, index: u32) {
        let program = self.cx.program;
        let id = program.tests[index as usize].function;
        let result = program.functions[id.index()].result;
        let parts = self.call_function(id, &[], Vec::new(), result);
        let parts = self.stable(result, parts);
        self.report_failure(result, parts);
        self.b.push(Stmt::Return(Vec::new()));
    }

    /// Ends the program if a test's result is an error.
    fn report_failure(&mut self, ty: Ty, parts: Vec<Expr>) {
        let TyKind::Enum(id, _) = self.cx.types.kind(ty) else { return };
        if Some(*id) != self.cx.program.lang.result || !matches!(self.cx.shape(ty), Shape::Flat(_)) {
            return;
        }
        let good = self.is_variant(ty, &parts, 0);
        let before = self.b.begin_if();
        let done = self.b.otherwise(before);
        let shown = self.payload(ty, &parts, 1, &[true]).pop();
        let text = shown.and_then(|(ty, value)| self.shown(ty, value));
        let text = text.unwrap_or_else(|| self.cx.text("the test gave an error"));
        self.panic_with(text);
        self.b.end_if(before, good, done);
    }

    /// Ends the program if the product of two numbers needs more than 64 bits.
    pub fn product(&mut self) {
        let overflows = self.multiplication_overflows(Expr::Local(Local(0)), Expr::Local(Local(1)));
        self.cx.panic(Panic::Overflow);
        let before = self.b.begin_if();
        let panic =
            Panic::ALL.iter().position(|(each, _)| *each == Panic::Overflow).and_then(|at| self.cx.module.panics[at]);
        if let Some(panic) = panic {
            self.call_func(panic, Vec::new());
        }
        self.b.push(Stmt::Unreachable);
        let done = self.b.otherwise(before);
        self.b.end_if(before, overflows, done);
        self.b.push(Stmt::Return(Vec::new()));
    }

    /// What hosts make and read texts with.
    pub fn accessor(&mut self, accessor: Accessor) {
        let bytes = self.cx.module.types.bytes();
        let at = self.b.at;
        let param = |index| Expr::Local(Local(index));
        let results = match accessor {
            Accessor::New => vec![Expr::ArrayDefault(bytes, Box::new(param(0)), at)],
            Accessor::Len => vec![Expr::ArrayLen(Box::new(param(0)), at)],
            Accessor::Get => vec![Expr::ArrayGet(bytes, Box::new([param(0), param(1)]), at)],
            Accessor::Set => {
                self.b.push(Stmt::ArraySet(bytes, Box::new([param(0), param(1), param(2)]), at));
                Vec::new()
            }
        };
        self.b.push(Stmt::Return(results));
    }
}
