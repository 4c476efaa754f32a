//! The typed tree as text: close to Fold, with every local numbered, every type argument and every conversion written.

use std::fmt::Write;

use super::text::TypeText;
use super::{
    AccessTree, Body, Callee, Conversion, Expr, ExprKind, Field, FnId, Function, FunctionKind, Generic, LocalId,
    ModuleId, Pattern, PatternKind, Program, Stmt, StmtKind, Ty, UnaryOp,
};
use crate::names::Names;
use crate::syntax::Access;

/// All that a module declares, or all of the program that is not of the standard library.
pub fn dump(program: &Program, names: &Names, module: Option<ModuleId>) -> String {
    let mut dump = Dump { program, names, generics: &[], locals: None, text: String::new(), indent: 0 };
    let shown = |id: ModuleId| match module {
        Some(module) => module == id,
        None => !program.modules[id.index()].standard,
    };
    for record in program.records.iter().filter(|record| shown(record.module)) {
        dump.generics = &record.generics;
        let head = format!("record {}{}", names.text(record.name), dump.generics_text(&record.generics, 0));
        dump.line(&head);
        dump.fields(&record.fields);
    }
    for found in program.enums.iter().filter(|found| shown(found.module)) {
        dump.generics = &found.generics;
        let head = format!("enum {}{}", names.text(found.name), dump.generics_text(&found.generics, 0));
        dump.line(&head);
        dump.indent += 1;
        for variant in &found.variants {
            let head = names.text(variant.name).to_owned();
            dump.line(&head);
            dump.fields(&variant.fields);
        }
        dump.indent -= 1;
    }
    for constant in program.constants.iter().filter(|constant| shown(constant.module)) {
        dump.generics = &[];
        dump.locals = Some(&constant.body);
        let head = format!("const {}: {} = ", names.text(constant.name), dump.ty(constant.ty));
        let value = dump.expr(&constant.body.value);
        dump.line(&format!("{head}{value}"));
    }
    for function in program.functions.iter().filter(|function| shown(function.module)) {
        dump.function(function);
    }
    dump.text
}

struct Dump<'p> {
    program: &'p Program,
    names: &'p Names,
    generics: &'p [Generic],
    locals: Option<&'p Body>,
    text: String,
    indent: usize,
}

impl<'p> Dump<'p> {
    fn line(&mut self, line: &str) {
        let _ = writeln!(self.text, "{:indent$}{line}", "", indent = self.indent * 4);
    }

    fn ty(&self, ty: Ty) -> String {
        TypeText::new(self.program, self.names, self.generics).ty(ty)
    }

    fn types(&self, types: &[Ty]) -> String {
        if types.is_empty() {
            return String::new();
        }
        format!("::<{}>", TypeText::new(self.program, self.names, self.generics).list(types))
    }

    fn generics_text(&self, generics: &[Generic], from: usize) -> String {
        let text = TypeText::new(self.program, self.names, self.generics);
        let list: Vec<String> = generics[from..]
            .iter()
            .map(|generic| {
                let bounds: Vec<String> = generic.bounds.iter().map(|(of, args)| text.of(*of, args)).collect();
                let name = self.names.text(generic.name);
                if bounds.is_empty() { name.to_owned() } else { format!("{name}: {}", bounds.join(" + ")) }
            })
            .collect();
        if list.is_empty() { String::new() } else { format!("<{}>", list.join(", ")) }
    }

    fn fields(&mut self, fields: &[Field]) {
        self.indent += 1;
        for field in fields {
            let mutable = if field.mutable { "var " } else { "" };
            let name = self.names.text(field.name);
            let line = format!("{mutable}{name}: {}{}", self.ty(field.ty), access(&field.access));
            self.line(&line);
        }
        self.indent -= 1;
    }

    fn function(&mut self, function: &'p Function) {
        self.generics = &function.generics;
        let params: Vec<String> = function
            .params
            .iter()
            .enumerate()
            .map(|(i, param)| {
                let mutable = if param.mutable { "var " } else { "" };
                format!("{mutable}{}#{i}: {}{}", self.names.text(param.name), self.ty(param.ty), access(&param.access))
            })
            .collect();
        let generics = self.generics_text(&function.generics, 0);
        let result =
            if function.result == Ty::UNIT { String::new() } else { format!(" -> {}", self.ty(function.result)) };
        let head = format!("fn {}{generics}({}){result}", function.path, params.join(", "));
        match &function.kind {
            FunctionKind::Plain(body) | FunctionKind::Host(Some(body)) => {
                self.locals = Some(body);
                let value = self.expr(&body.value);
                self.line(&format!("{head} {value}"));
            }
            FunctionKind::Required => self.line(&head),
            FunctionKind::Intrinsic => self.line(&format!("intrinsic {head}")),
            FunctionKind::Host(None) => self.line(&format!("host {head}")),
            FunctionKind::Unreached => self.line(&format!("unreached {head}")),
        }
    }

    fn local(&self, id: LocalId) -> String {
        match self.locals.and_then(|body| body.locals.get(id.index())) {
            Some(local) => format!("{}#{}", self.names.text(local.name), id.0),
            None => format!("#{}", id.0),
        }
    }

    /// A local where it is bound.
    fn binding(&self, id: LocalId) -> String {
        let Some(local) = self.locals.and_then(|body| body.locals.get(id.index())) else { return self.local(id) };
        let mutable = if local.mutable { "var " } else { "" };
        let boxed = if local.captured && local.assigned { "box " } else { "" };
        format!("{boxed}{mutable}{}: {}", self.local(id), self.ty(local.ty))
    }

    fn list(&mut self, exprs: &[Expr]) -> String {
        let list: Vec<String> = exprs.iter().map(|expr| self.expr(expr)).collect();
        list.join(", ")
    }

    fn path(&self, id: FnId) -> &'p str {
        &self.program.functions[id.index()].path
    }

    fn callee(&mut self, callee: &Callee) -> String {
        match callee {
            Callee::Fn(id, args) => format!("{}{}", self.path(*id), self.types(args)),
            Callee::Trait { of, args, method, self_ty, method_args } => {
                let text = TypeText::new(self.program, self.names, self.generics);
                let head = format!("<{} as {}>", text.ty(*self_ty), text.of(*of, args));
                let name = self.names.text(self.program.traits[of.index()].methods[*method as usize].name);
                format!("{head}.{name}{}", self.types(method_args))
            }
            Callee::Dyn(of, method) => {
                let of = &self.program.traits[of.index()];
                let (name, method) = (self.names.text(of.name), of.methods[*method as usize].name);
                format!("dyn {name}.{}", self.names.text(method))
            }
            Callee::Value(value) => {
                let value = self.expr(value);
                format!("({value})")
            }
        }
    }

    fn variant(&self, id: super::EnumId, tag: u32) -> String {
        let found = &self.program.enums[id.index()];
        format!("{}.{}", self.names.text(found.name), self.names.text(found.variants[tag as usize].name))
    }

    fn expr(&mut self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Int(value) => value.to_string(),
            ExprKind::Float(value) => format!("{value:?}"),
            ExprKind::Bool(value) => value.to_string(),
            ExprKind::Char(value) => format!("{value:?}"),
            ExprKind::String(value) => format!("{value:?}"),
            ExprKind::Buffer(bytes) => format!("buffer{bytes:?}"),
            ExprKind::Local(id) => self.local(*id),
            ExprKind::Const(id) => self.names.text(self.program.constants[id.index()].name).to_owned(),
            ExprKind::Tuple(parts) => format!("({})", self.list(parts)),
            ExprKind::TupleField(inner, index) => format!("{}.{index}", self.expr(inner)),
            ExprKind::Record(id, fields) => {
                let record = &self.program.records[id.index()];
                let mut list = Vec::new();
                for (place, value) in fields {
                    let name = self.names.text(record.fields[*place as usize].name);
                    list.push(format!("{name}: {}", self.expr(value)));
                }
                format!("{} {{ {} }}", self.ty(expr.ty), list.join(", "))
            }
            ExprKind::Field(inner, id, place) => {
                let name = self.program.records[id.index()].fields[*place as usize].name;
                format!("{}.{}", self.expr(inner), self.names.text(name))
            }
            ExprKind::Variant(id, tag, parts) if parts.is_empty() => self.variant(*id, *tag),
            ExprKind::Variant(id, tag, parts) => format!("{}({})", self.variant(*id, *tag), self.list(parts)),
            ExprKind::Array(parts) => format!("array[{}]", self.list(parts)),
            ExprKind::Call(callee, args) => format!("{}({})", self.callee(callee), self.list(args)),
            ExprKind::Function(callee) => format!("fn {}", self.callee(callee)),
            ExprKind::Constructor(id, tag) => format!("fn {}", self.variant(*id, *tag)),
            ExprKind::Closure(closure) => {
                let params: Vec<String> = closure.params.iter().map(|&param| self.binding(param)).collect();
                let captures: Vec<String> = closure.captures.iter().map(|&local| self.local(local)).collect();
                let captures = if captures.is_empty() { String::new() } else { format!("[{}]", captures.join(", ")) };
                format!("|{}|{captures} {}", params.join(", "), self.expr(&closure.body))
            }
            ExprKind::ToDyn(value, ..) => format!("({} as {})", self.expr(value), self.ty(expr.ty)),
            ExprKind::Unary(op, inner) => {
                let op = match op {
                    UnaryOp::Neg => "-",
                    UnaryOp::Not => "!",
                    UnaryOp::BitNot => "~",
                };
                format!("{op}{}", self.expr(inner))
            }
            ExprKind::Binary(op, left, right) => {
                format!("({} {} {})", self.expr(left), op.sign(), self.expr(right))
            }
            ExprKind::Is(value, pattern) => format!("({} is {})", self.expr(value), self.pattern(pattern)),
            ExprKind::Block(stmts, value) => self.block(stmts, value.as_deref()),
            ExprKind::If(condition, then, otherwise) => {
                let head = format!("if {} {}", self.expr(condition), self.expr(then));
                match otherwise {
                    Some(otherwise) => format!("{head} else {}", self.expr(otherwise)),
                    None => head,
                }
            }
            ExprKind::Match(value, arms) => {
                let mut text = format!("match {} {{\n", self.expr(value));
                self.indent += 1;
                for arm in arms {
                    let pattern = self.pattern(&arm.pattern);
                    let guard = arm.guard.as_ref().map_or(String::new(), |guard| format!(" if {}", self.expr(guard)));
                    let body = self.expr(&arm.body);
                    let _ = writeln!(text, "{:indent$}{pattern}{guard} => {body}", "", indent = self.indent * 4);
                }
                self.indent -= 1;
                let _ = write!(text, "{:indent$}}}", "", indent = self.indent * 4);
                text
            }
            ExprKind::Try(value, conversion) => {
                let value = self.expr(value);
                match conversion {
                    Conversion::Option | Conversion::Same => format!("{value}?"),
                    Conversion::Call(callee) => format!("{value}?[{}]", self.callee(callee)),
                    Conversion::Dyn(of) => {
                        format!("{value}?[dyn {}]", self.names.text(self.program.traits[of.index()].name))
                    }
                }
            }
            ExprKind::Return(Some(value)) => format!("return {}", self.expr(value)),
            ExprKind::Return(None) => "return".to_owned(),
            ExprKind::Break(id) => format!("break L{}", id.0),
            ExprKind::Continue(id) => format!("continue L{}", id.0),
            ExprKind::AssignLocal(id, value) => format!("{} = {}", self.local(*id), self.expr(value)),
            ExprKind::AssignField(base, id, place, value) => {
                let name = self.program.records[id.index()].fields[*place as usize].name;
                format!("{}.{} = {}", self.expr(base), self.names.text(name), self.expr(value))
            }
            ExprKind::Assert(condition, text, message) => {
                let message = message.as_ref().map_or(String::new(), |message| format!(", {}", self.expr(message)));
                format!("assert {}, {text:?}{message}", self.expr(condition))
            }
        }
    }

    fn block(&mut self, stmts: &[Stmt], value: Option<&Expr>) -> String {
        if stmts.is_empty() {
            return value.map_or("{}".to_owned(), |value| format!("{{ {} }}", self.expr(value)));
        }
        let mut text = String::from("{\n");
        self.indent += 1;
        for stmt in stmts {
            let stmt = self.stmt(stmt);
            let _ = writeln!(text, "{:indent$}{stmt}", "", indent = self.indent * 4);
        }
        if let Some(value) = value {
            let value = self.expr(value);
            let _ = writeln!(text, "{:indent$}{value}", "", indent = self.indent * 4);
        }
        self.indent -= 1;
        let _ = write!(text, "{:indent$}}}", "", indent = self.indent * 4);
        text
    }

    fn stmt(&mut self, stmt: &Stmt) -> String {
        match &stmt.kind {
            StmtKind::Let(pattern, value, otherwise) => {
                let head = format!("let {} = {}", self.pattern(pattern), self.expr(value));
                match otherwise {
                    Some(otherwise) => format!("{head} else {}", self.expr(otherwise)),
                    None => head,
                }
            }
            StmtKind::Expr(value) => format!("{};", self.expr(value)),
            StmtKind::While(id, condition, body) => {
                format!("L{}: while {} {}", id.0, self.expr(condition), self.expr(body))
            }
            StmtKind::For { id, pattern, iterator, next, body } => {
                let (pattern, iterator) = (self.pattern(pattern), self.expr(iterator));
                let next = self.callee(next);
                format!("L{}: for {pattern} in {iterator} by {next} {}", id.0, self.expr(body))
            }
        }
    }

    fn patterns(&mut self, patterns: &[Pattern], separator: &str) -> String {
        let list: Vec<String> = patterns.iter().map(|pattern| self.pattern(pattern)).collect();
        list.join(separator)
    }

    fn pattern(&mut self, pattern: &Pattern) -> String {
        match &pattern.kind {
            PatternKind::Wildcard => "_".to_owned(),
            PatternKind::Bind(id, None) => self.binding(*id),
            PatternKind::Bind(id, Some(sub)) => format!("{} @ {}", self.binding(*id), self.pattern(sub)),
            PatternKind::Int(value) => value.to_string(),
            PatternKind::Float(value) => format!("{value:?}"),
            PatternKind::Bool(value) => value.to_string(),
            PatternKind::Char(value) => format!("{value:?}"),
            PatternKind::String(value) => format!("{value:?}"),
            PatternKind::IntRange(low, high) => format!("{low}..={high}"),
            PatternKind::CharRange(low, high) => format!("{low:?}..={high:?}"),
            PatternKind::Tuple(parts) => format!("({})", self.patterns(parts, ", ")),
            PatternKind::Record(id, fields) => {
                let record = &self.program.records[id.index()];
                let mut list = Vec::new();
                for (place, part) in fields {
                    let name = self.names.text(record.fields[*place as usize].name);
                    list.push(format!("{name}: {}", self.pattern(part)));
                }
                format!("{} {{ {} }}", self.names.text(record.name), list.join(", "))
            }
            PatternKind::Variant(id, tag, parts) if parts.is_empty() => self.variant(*id, *tag),
            PatternKind::Variant(id, tag, parts) => {
                format!("{}({})", self.variant(*id, *tag), self.patterns(parts, ", "))
            }
            PatternKind::List { before, rest, after } => {
                let mut parts: Vec<String> = before.iter().map(|part| self.pattern(part)).collect();
                match rest {
                    None => {}
                    Some(None) => parts.push("..".to_owned()),
                    Some(Some(rest)) => parts.push(format!("..{}", self.pattern(rest))),
                }
                parts.extend(after.iter().map(|part| self.pattern(part)));
                format!("[{}]", parts.join(", "))
            }
            PatternKind::Or(alternatives) => self.patterns(alternatives, " | "),
        }
    }
}

/// What a type says of access, where it says more than its position would alone.
fn access(tree: &AccessTree) -> String {
    fn write(tree: &AccessTree, text: &mut String) {
        match tree {
            AccessTree::Leaf => text.push('.'),
            AccessTree::Node { access, parts } => {
                text.push(match access {
                    Some(Access::Mutable) => 'v',
                    Some(Access::Read) => 'l',
                    None => '?',
                });
                if !parts.is_empty() {
                    text.push('(');
                    parts.iter().for_each(|part| write(part, text));
                    text.push(')');
                }
            }
        }
    }
    let mut text = String::new();
    write(tree, &mut text);
    if text.contains('v') { format!(" [{text}]") } else { String::new() }
}
