//! The compiler's own language as text, for people.

use std::fmt::Write;

use super::{Callee, Code, Expr, Function, Heap, Module, Stmt, Val};

/// All functions of a module that are left.
pub(crate) fn module(module: &Module) -> String {
    some(module, |_| true)
}

/// Those of them that have certain names.
pub(crate) fn some(module: &Module, is_shown: impl Fn(&str) -> bool) -> String {
    let mut output = String::new();
    for (index, each) in module.functions.iter().enumerate() {
        if matches!(each.code, Code::Body(_)) && is_shown(&module.names[each.name as usize]) {
            function(module, index, each, &mut output);
        }
    }
    output
}

/// One function.
pub(crate) fn function(module: &Module, index: usize, function: &Function, output: &mut String) {
    let name = &module.names[function.name as usize];
    let params: Vec<String> =
        (0..function.params).map(|index| format!("v{index}: {}", val(function.locals[index]))).collect();
    let results: Vec<String> = function.results.iter().map(|&result| val(result)).collect();
    let _ = write!(output, "fn{index} {name}({})", params.join(", "));
    if !results.is_empty() {
        let _ = write!(output, " -> {}", results.join(", "));
    }
    output.push_str(" {\n");
    if let Code::Body(body) = &function.code {
        list(body, 1, module, output);
    }
    output.push_str("}\n");
}

/// One expression.
pub(crate) fn expression(each: &Expr, module: &Module) -> String {
    expr(each, module)
}

fn val(val: Val) -> String {
    match val {
        Val::I32 => "i32".to_owned(),
        Val::I64 => "i64".to_owned(),
        Val::F64 => "f64".to_owned(),
        Val::Ref(to) => heap(to),
        Val::Null(to) => format!("{}?", heap(to)),
    }
}

fn heap(heap: Heap) -> String {
    match heap {
        Heap::Any => "any".to_owned(),
        Heap::Extern => "extern".to_owned(),
        Heap::Type(id) => format!("t{}", id.0),
    }
}

fn list(stmts: &[Stmt], depth: usize, module: &Module, output: &mut String) {
    for each in stmts {
        stmt(each, depth, module, output);
    }
}

fn stmt(stmt: &Stmt, depth: usize, module: &Module, output: &mut String) {
    let indent = "    ".repeat(depth);
    output.push_str(&indent);
    let _ = match stmt {
        Stmt::Set(local, value) => writeln!(output, "v{} = {}", local.0, expr(value, module)),
        Stmt::Call(call, to) => {
            let to: Vec<String> = to.iter().map(|local| format!("v{}", local.0)).collect();
            let assign = if to.is_empty() { String::new() } else { format!("{} = ", to.join(", ")) };
            writeln!(output, "{assign}{}", call_text(call, module))
        }
        Stmt::StructSet(_, field, parts, _) => {
            writeln!(output, "{}.{field} = {}", expr(&parts[0], module), expr(&parts[1], module))
        }
        Stmt::ArraySet(_, parts, _) => {
            let [array, index, value] = &**parts;
            writeln!(output, "{}[{}] = {}", expr(array, module), expr(index, module), expr(value, module))
        }
        Stmt::ArrayCopy(_, _, parts, _) => writeln!(output, "copy({})", exprs(&parts[..], module)),
        Stmt::ArrayFill(_, parts, _) => writeln!(output, "fill({})", exprs(&parts[..], module)),
        Stmt::GlobalSet(id, value) => writeln!(output, "g{} = {}", id.0, expr(value, module)),
        Stmt::Block(label, body) => {
            let _ = writeln!(output, "block l{} {{", label.0);
            list(body, depth + 1, module, output);
            writeln!(output, "{indent}}}")
        }
        Stmt::Loop(label, body) => {
            let _ = writeln!(output, "loop l{} {{", label.0);
            list(body, depth + 1, module, output);
            writeln!(output, "{indent}}}")
        }
        Stmt::If(condition, then, otherwise) => {
            let _ = writeln!(output, "if {} {{", expr(condition, module));
            list(then, depth + 1, module, output);
            if !otherwise.is_empty() {
                let _ = writeln!(output, "{indent}}} else {{");
                list(otherwise, depth + 1, module, output);
            }
            writeln!(output, "{indent}}}")
        }
        Stmt::Switch(index, labels, last) => {
            let labels: Vec<String> = labels.iter().map(|label| format!("l{}", label.0)).collect();
            writeln!(output, "switch {} [{}] l{}", expr(index, module), labels.join(", "), last.0)
        }
        Stmt::Break(label) => writeln!(output, "break l{}", label.0),
        Stmt::Return(values) => writeln!(output, "return {}", exprs(values, module)),
        Stmt::Drop(value) => writeln!(output, "drop {}", expr(value, module)),
        Stmt::Unreachable => writeln!(output, "unreachable"),
    };
}

fn call_text(call: &super::Call, module: &Module) -> String {
    let args = exprs(&call.args, module);
    match &call.callee {
        Callee::Direct(id) => {
            let name = &module.names[module.functions[id.index()].name as usize];
            format!("call {name}({args})")
        }
        Callee::Table(_, index) => format!("call [{}]({args})", expr(index, module)),
    }
}

fn exprs(list: &[Expr], module: &Module) -> String {
    list.iter().map(|each| expr(each, module)).collect::<Vec<_>>().join(", ")
}

fn expr(each: &Expr, module: &Module) -> String {
    match each {
        Expr::I32(value) => format!("{value}i"),
        Expr::I64(value) => format!("{value}"),
        Expr::F64(bits) => format!("{:?}f", f64::from_bits(*bits)),
        Expr::Null(_) => "null".to_owned(),
        Expr::Row(id) => format!("row{}", id.0),
        Expr::Local(local) => format!("v{}", local.0),
        Expr::Global(id) => match &module.globals[id.index()].init {
            super::Init::Bytes(text) => format!("{:?}", String::from_utf8_lossy(text)),
            _ => format!("g{}", id.0),
        },
        Expr::Unary(op, value) => format!("{}({})", name(op), expr(value, module)),
        Expr::Binary(op, parts) => format!("{}({})", name(op), exprs(&parts[..], module)),
        Expr::Checked(op, parts, _) => format!("{}!({})", name(op), exprs(&parts[..], module)),
        Expr::Index(value, _) => format!("index!({})", expr(value, module)),
        Expr::StructNew(ty, fields) => format!("t{}{{{}}}", ty.0, exprs(fields, module)),
        Expr::StructGet(_, field, object, _) => format!("{}.{field}", expr(object, module)),
        Expr::ArrayNew(ty, parts, _) => format!("t{}[{}; {}]", ty.0, expr(&parts[0], module), expr(&parts[1], module)),
        Expr::ArrayDefault(ty, length, _) => format!("t{}[; {}]", ty.0, expr(length, module)),
        Expr::ArrayFixed(ty, elements) => format!("t{}[{}]", ty.0, exprs(elements, module)),
        Expr::ArrayData(ty, data, length, _) => format!("t{}[data {}; {length}]", ty.0, data.0),
        Expr::ArrayGet(_, parts, _) => format!("{}[{}]", expr(&parts[0], module), expr(&parts[1], module)),
        Expr::ArrayLen(array, _) => format!("len({})", expr(array, module)),
        Expr::NonNull(value, _) => format!("some({})", expr(value, module)),
        Expr::Cast(to, value, _) => format!("cast({}, {})", val(*to), expr(value, module)),
        Expr::FromExtern(value) => format!("from_extern({})", expr(value, module)),
        Expr::ToExtern(value) => format!("to_extern({})", expr(value, module)),
        Expr::IsNull(value) => format!("null?({})", expr(value, module)),
        Expr::RefEq(parts) => format!("same({})", exprs(&parts[..], module)),
        Expr::Call(call) => call_text(call, module),
    }
}

fn name(op: &impl std::fmt::Debug) -> String {
    format!("{op:?}").to_lowercase()
}
