//! Statements.

use super::types::Type;
use super::{COST, Generator, Var};

impl Generator<'_> {
    /// Some statements.
    pub(super) fn statements(&mut self, count: u64, depth: u32) {
        for _ in 0..count {
            self.statement(depth);
        }
    }

    fn statement(&mut self, depth: u32) {
        match self.choices.below(if depth == 0 { 10 } else { 17 }) {
            0..=2 => self.let_statement(),
            3 | 4 => self.var_statement(),
            5 | 6 => self.assign(),
            7 => self.change(),
            8 => self.print(),
            9 => self.closure(),
            10 | 11 => self.if_statement(depth),
            12 | 13 => self.for_statement(depth),
            14 => self.while_statement(depth),
            15 => self.match_statement(depth),
            _ => self.leave(),
        }
    }

    fn let_statement(&mut self) {
        if self.choices.percent(15) {
            return self.let_parts();
        }
        let name = self.name("a");
        let ty = if self.choices.percent(12) { Type::list(Type::Dyn) } else { self.data_type(2) };
        let value = self.expr(&ty, 3);
        self.line(&format!("let {name}: {ty} = {value}"));
        self.bind(&name, ty, false, false);
    }

    /// A value that is taken apart.
    fn let_parts(&mut self) {
        let (one, other) = (self.data_type(1), self.data_type(1));
        let (a, b) = (self.name("a"), self.name("b"));
        if self.choices.percent(50) {
            let value = self.known(&Type::Tuple(vec![one.clone(), other.clone()]), 2);
            self.line(&format!("let ({a}, {b}) = {value}"));
        } else {
            let value = self.known(&Type::Pair(Box::new(one.clone()), Box::new(other.clone())), 2);
            self.line(&format!("let Pair {{ left: {a}, right: {b} }} = {value}"));
        }
        self.bind(&a, one, false, false);
        self.bind(&b, other, false, false);
    }

    fn var_statement(&mut self) {
        let name = self.name("v");
        let ty = match self.choices.below(6) {
            0 | 1 => Type::Int,
            2 => Type::list(self.data_type(1)),
            3 => Type::Map(Box::new(self.key_type()), Box::new(self.data_type(1))),
            4 if !self.records.is_empty() => Type::Record(self.choices.below(self.records.len() as u64) as usize),
            _ => self.data_type(1),
        };
        let value = self.owned(&ty);
        self.line(&format!("var {name}: {ty} = {value}"));
        self.bind(&name, ty, true, true);
    }

    /// A value of which nothing else has a part that can be changed.
    fn owned(&mut self, ty: &Type) -> String {
        match ty {
            Type::List(element) => {
                let parts: Vec<String> = (0..self.choices.below(4)).map(|_| self.expr(element, 2)).collect();
                format!("[{}]", parts.join(", "))
            }
            Type::Map(key, value) => self.map_literal(key, value, 2),
            Type::Record(index) => self.record_literal(*index, 2),
            _ => self.expr(ty, 3),
        }
    }

    fn some_var(&mut self, fits: impl Fn(&Var) -> bool) -> Option<Var> {
        let all: Vec<Var> = self.vars.iter().filter(|var| fits(var)).cloned().collect();
        if all.is_empty() { None } else { Some(self.choices.pick(&all).clone()) }
    }

    fn assign(&mut self) {
        let Some(var) = self.some_var(|var| var.assignable) else { return self.var_statement() };
        let name = &var.name;
        match &var.ty {
            Type::Int if self.choices.percent(60) => {
                let value = self.expr(&Type::Int, 2);
                let op = *self.choices.pick(&["+", "-", "+", "^", "&"]);
                // Kept small mostly, so that few programs end early.
                if self.choices.percent(85) {
                    self.line(&format!("{name} = ({name} {op} ({value}) % 1000) % 100000"));
                } else {
                    self.line(&format!("{name} {op}= {value}"));
                }
            }
            Type::String => {
                let value = self.expr(&Type::String, 2);
                self.line(&format!("{name} = ({name} + ({value})).take(20)"));
            }
            Type::List(_) | Type::Map(..) | Type::Record(_) => {
                let value = self.owned(&var.ty.clone());
                self.line(&format!("{name} = {value}"));
            }
            // Values that could grow by being put into themselves are made without names.
            ty => {
                let vars = std::mem::take(&mut self.vars);
                let value = self.expr(&ty.clone(), 2);
                self.vars = vars;
                self.line(&format!("{name} = {value}"));
            }
        }
    }

    /// Changes a list, map or record.
    fn change(&mut self) {
        let fits = |var: &Var| var.owned && matches!(var.ty, Type::List(_) | Type::Map(..) | Type::Record(_));
        let Some(var) = self.some_var(fits) else { return self.var_statement() };
        let name = &var.name;
        match var.ty.clone() {
            Type::List(element) => {
                let vars = std::mem::take(&mut self.vars);
                let value = self.expr(&element, 2);
                self.vars = vars;
                match self.choices.below(8) {
                    0..=2 => self.line(&format!("if {name}.len() < 12 {{ {name}.push({value}) }}")),
                    3 => self.line(&format!("if !{name}.is_empty() {{ {name}[{name}.len() - 1] = {value} }}")),
                    4 => self.line(&format!("{name}.pop()")),
                    5 => self.line(&format!("{name}.reverse()")),
                    6 if element.is_structural() && !has_map(&element) => self.line(&format!("{name}.sort()")),
                    6 => self.line(&format!("{name}.truncate(3)")),
                    _ => self.line(&format!("if {name}.len() < 12 {{ {name}.insert(0, {value}) }}")),
                }
            }
            Type::Map(key, value) => {
                let key_text = self.expr(&key, 1);
                let vars = std::mem::take(&mut self.vars);
                let value_text = self.expr(&value, 2);
                self.vars = vars;
                match self.choices.below(3) {
                    0 => self.line(&format!("{name}[{key_text}] = {value_text}")),
                    1 => self.line(&format!("{name}.remove({key_text})")),
                    _ => self.line(&format!("{name}.insert({key_text}, {value_text})")),
                }
            }
            Type::Record(index) => {
                let fields = self.records[index].fields.clone();
                let Some((field, _, _)) = fields.iter().find(|(_, _, mutable)| *mutable) else { return self.print() };
                let value = self.expr(&Type::Int, 2);
                if self.choices.percent(50) {
                    self.line(&format!("{name}.{field} = {value}"));
                } else {
                    self.line(&format!("{name}.bump({value})"));
                }
            }
            _ => {}
        }
    }

    fn print(&mut self) {
        let ty = self.data_type(2);
        self.texts += 1;
        let value = self.known(&ty, 2);
        self.texts -= 1;
        self.line(&format!("out.print(\"{{{value}}}\")"));
    }

    /// A closure, which may change a number around it.
    fn closure(&mut self) {
        let name = self.name("c");
        let params: Vec<Type> = (0..1 + self.choices.below(2)).map(|_| self.data_type(1)).collect();
        let counter = self.some_var(|var| var.assignable && var.ty == Type::Int);
        let changed = counter.filter(|_| self.choices.percent(60));
        let result = if changed.is_some() { Type::Int } else { self.data_type(1) };
        let vars = self.vars.len();
        let names: Vec<String> = params.iter().map(|_| self.name("x")).collect();
        for (param, ty) in names.iter().zip(&params) {
            self.bind(param, ty.clone(), false, false);
        }
        // It may be called anywhere, so that it calls nothing itself.
        let (factor, loops) = (std::mem::replace(&mut self.factor, COST), std::mem::take(&mut self.loops));
        let value = self.expr(&result, 2);
        (self.factor, self.loops) = (factor, loops);
        self.vars.truncate(vars);
        let head: Vec<String> = names.iter().zip(&params).map(|(name, ty)| format!("{name}: {ty}")).collect();
        let head = head.join(", ");
        match changed {
            Some(counter) => self
                .line(&format!("let {name} = |{head}| {{ {0} = ({0} + ({value}) % 100) % 10000; {0} }}", counter.name)),
            None => self.line(&format!("let {name} = |{head}| -> {result} {{ {value} }}")),
        }
        self.bind(&name, Type::Fn(params, Box::new(result)), false, false);
    }

    fn inside(&mut self, head: &str, depth: u32) {
        self.block(head, |this| {
            let count = 1 + this.choices.below(3);
            this.statements(count, depth - 1);
        });
    }

    fn if_statement(&mut self, depth: u32) {
        if self.choices.percent(25) {
            let inner = self.data_type(1);
            let value = self.known(&Type::Option(Box::new(inner.clone())), 2);
            let name = self.name("s");
            return self.block(&format!("if let Some({name}) = {value}"), |this| {
                this.bind(&name, inner, false, false);
                let count = 1 + this.choices.below(3);
                this.statements(count, depth - 1);
            });
        }
        let condition = self.expr(&Type::Bool, 2);
        self.inside(&format!("if {condition}"), depth);
        if self.choices.percent(50) {
            // `else` goes with the brace before it.
            self.out.truncate(self.out.trim_end().len());
            let at = self.out.len() - 1;
            self.out.truncate(at);
            self.out.truncate(self.out.trim_end_matches(' ').len());
            self.inside("} else", depth);
        }
    }

    fn repeated(&mut self, times: u64, label: String, head: &str, depth: u32, bind: impl FnOnce(&mut Self)) {
        self.factor = self.factor.saturating_mul(times);
        self.loops.push(label);
        self.block(head, |this| {
            bind(this);
            let count = 1 + this.choices.below(3);
            this.statements(count, depth - 1);
        });
        self.loops.pop();
        self.factor /= times;
    }

    fn for_statement(&mut self, depth: u32) {
        let (label, name) = (self.name("l"), self.name("i"));
        if self.choices.percent(60) {
            let end = 1 + self.choices.below(6);
            let dots = if self.choices.percent(30) { "..=" } else { ".." };
            let head = format!("{label}: for {name} in 0{dots}{end}");
            return self.repeated(end + 1, label, &head, depth, |this| this.bind(&name, Type::Int, false, false));
        }
        let element = self.data_type(1);
        let value = self.known(&Type::list(element.clone()), 2);
        let head = format!("{label}: for {name} in ({value}).iter().take(6)");
        self.repeated(6, label, &head, depth, |this| this.bind(&name, element, false, false));
    }

    fn while_statement(&mut self, depth: u32) {
        let (label, name) = (self.name("l"), self.name("w"));
        let end = 1 + self.choices.below(5);
        let condition = self.expr(&Type::Bool, 1);
        self.line(&format!("var {name} = 0"));
        let head = format!("{label}: while {name} < {end} && {condition}");
        self.repeated(end, label, &head, depth, |this| {
            this.line(&format!("{name} += 1"));
            this.bind(&name, Type::Int, false, false);
        });
    }

    fn match_statement(&mut self, depth: u32) {
        let ty = self.data_type(2);
        let value = self.known(&ty, 2);
        let arms = self.arms(&ty);
        self.block(&format!("match {value}"), |this| {
            for (pattern, bound) in arms {
                let vars = this.vars.len();
                this.vars.extend(bound);
                this.inside(&format!("{pattern} =>"), depth);
                this.vars.truncate(vars);
            }
        });
    }

    /// Leaves a loop, or the function.
    fn leave(&mut self) {
        let condition = self.expr(&Type::Bool, 2);
        if !self.loops.is_empty() && self.choices.percent(75) {
            let label = self.choices.pick(&self.loops.clone()).clone();
            let word = *self.choices.pick(&["break", "continue"]);
            let label = if self.choices.percent(50) { format!(" {label}") } else { String::new() };
            return self.line(&format!("if {condition} {{ {word}{label} }}"));
        }
        let result = self.result.clone();
        if result == Type::Unit || self.choices.percent(10) {
            return match self.choices.below(5) {
                0 => self.line(&format!("assert {condition}, \"as it is\"")),
                1 => self.line(&format!("if {condition} {{ panic(\"here\") }}")),
                _ => self.line(&format!("assert {condition} || true, \"never\"")),
            };
        }
        let value = self.expr(&result, 2);
        self.line(&format!("if {condition} {{ return {value} }}"));
    }
}

/// Whether maps are in a type: they have no order.
pub(super) fn has_map(ty: &Type) -> bool {
    match ty {
        Type::Map(..) => true,
        // What declared types hold is not looked at.
        Type::Record(_) | Type::Enum(_) => true,
        Type::Tuple(parts) => parts.iter().any(has_map),
        Type::List(inner) | Type::Option(inner) | Type::Result(inner) => has_map(inner),
        Type::Pair(left, right) => has_map(left) || has_map(right),
        _ => false,
    }
}
