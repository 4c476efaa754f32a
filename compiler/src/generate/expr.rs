//! Expressions of a wanted type.

use super::body::has_map;
use super::types::Type;
use super::{COST, Generator, Var};

impl Generator<'_> {
    /// An expression where its type is known from around it.
    pub(super) fn expr(&mut self, ty: &Type, depth: u32) -> String {
        // What is `dyn` becomes so where that is written, not in what is inferred.
        if depth == 0 || ty.has_dyn() || self.choices.percent(25) {
            return match self.variable(ty) {
                Some(name) => name,
                None => self.literal(ty, depth),
            };
        }
        match self.choices.below(12) {
            0 | 1 => self.variable(ty).unwrap_or_else(|| self.literal(ty, depth)),
            2 => self.literal(ty, depth),
            3 => {
                let condition = self.expr(&Type::Bool, depth - 1);
                format!("if {condition} {{ {} }} else {{ {} }}", self.expr(ty, depth - 1), self.expr(ty, depth - 1))
            }
            4 => self.matched(ty, depth),
            5 => self.call(ty, depth),
            6 => self.generic_call(ty, depth),
            7 => self.part(ty, depth),
            _ => self.operation(ty, depth),
        }
    }

    /// An expression that says its type itself.
    pub(super) fn known(&mut self, ty: &Type, depth: u32) -> String {
        if !ty.is_open() {
            return format!("({})", self.expr(ty, depth));
        }
        if let Some(name) = self.variable(ty).filter(|_| self.choices.percent(50)) {
            return name;
        }
        let name = self.name("t");
        format!("({{ let {name}: {ty} = {}; {name} }})", self.expr(ty, depth))
    }

    fn variable(&mut self, ty: &Type) -> Option<String> {
        let all: Vec<&Var> = self.vars.iter().filter(|var| var.ty == *ty).collect();
        if all.is_empty() { None } else { Some(self.choices.pick(&all).name.clone()) }
    }

    fn matched(&mut self, ty: &Type, depth: u32) -> String {
        let over = self.data_type(1);
        let value = self.known(&over, depth - 1);
        let arms: Vec<String> = self
            .arms(&over)
            .into_iter()
            .map(|(pattern, bound)| {
                let vars = self.vars.len();
                self.vars.extend(bound);
                let value = self.expr(ty, depth - 1);
                self.vars.truncate(vars);
                format!("{pattern} => {value}")
            })
            .collect();
        format!("match {value} {{ {} }}", arms.join(", "))
    }

    /// A call of a function of the program, if it can be afforded.
    fn call(&mut self, ty: &Type, depth: u32) -> String {
        let budget = COST.saturating_sub(self.cost) / self.factor.max(1);
        let all: Vec<_> = self
            .functions
            .iter()
            .filter(|function| function.result == *ty && function.cost <= budget)
            .cloned()
            .collect();
        if all.is_empty() {
            return self.operation(ty, depth);
        }
        let function = self.choices.pick(&all).clone();
        let mut args = vec!["out".to_owned()];
        for (index, param) in function.params.iter().enumerate() {
            if function.changes && index + 1 == function.params.len() {
                let owned: Vec<&Var> = self.vars.iter().filter(|var| var.owned && var.ty == *param).collect();
                if owned.is_empty() {
                    return self.operation(ty, depth);
                }
                let name = self.choices.pick(&owned).name.clone();
                args.push(name);
            } else {
                args.push(self.expr(param, depth - 1));
            }
        }
        self.cost += function.cost * self.factor;
        format!("{}({})", function.name, args.join(", "))
    }

    /// A call of a generic function, or of a closure.
    fn generic_call(&mut self, ty: &Type, depth: u32) -> String {
        let closures: Vec<(String, Vec<Type>)> = self
            .vars
            .iter()
            .filter_map(|var| match &var.ty {
                Type::Fn(params, result) if **result == *ty => Some((var.name.clone(), params.clone())),
                _ => None,
            })
            .collect();
        if !closures.is_empty() && self.choices.percent(70) {
            let (name, params) = self.choices.pick(&closures).clone();
            let args: Vec<String> = params.iter().map(|param| self.expr(param, depth - 1)).collect();
            return format!("{name}({})", args.join(", "));
        }
        match self.choices.below(3) {
            0 => {
                let condition = self.expr(&Type::Bool, depth - 1);
                format!("pick({condition}, {}, {})", self.known(ty, depth - 1), self.known(ty, depth - 1))
            }
            1 => {
                let from = self.data_type(1);
                let value = self.known(&from, depth - 1);
                let closure = self.annotated(&from, ty, depth - 1);
                format!("apply({value}, {closure})")
            }
            _ => {
                let (from, middle) = (self.data_type(1), self.data_type(0));
                let (first, second) = (self.annotated(&from, &middle, 1), self.annotated(&middle, ty, depth - 1));
                let value = self.known(&from, 1);
                format!("compose({first}, {second})({value})")
            }
        }
    }

    /// A closure with its types written down.
    fn annotated(&mut self, from: &Type, to: &Type, depth: u32) -> String {
        let name = self.name("y");
        let vars = self.vars.len();
        self.bind(&name, from.clone(), false, false);
        let factor = std::mem::replace(&mut self.factor, COST);
        let value = self.expr(to, depth);
        self.factor = factor;
        self.vars.truncate(vars);
        format!("|{name}: {from}| -> {to} {{ {value} }}")
    }

    /// A part of a value that a name is bound to.
    fn part(&mut self, ty: &Type, depth: u32) -> String {
        let mut parts = Vec::new();
        for var in &self.vars {
            let name = &var.name;
            match &var.ty {
                Type::Tuple(types) => {
                    parts.extend(
                        types.iter().enumerate().filter(|(_, part)| *part == ty).map(|(at, _)| format!("{name}.{at}")),
                    );
                }
                Type::Record(index) => {
                    let fields = self.records[*index].fields.iter().filter(|(_, part, _)| part == ty);
                    parts.extend(fields.map(|(field, _, _)| format!("{name}.{field}")));
                }
                Type::Pair(left, _) if **left == *ty => parts.push(format!("{name}.left")),
                Type::Pair(_, right) if **right == *ty => parts.push(format!("{name}.right")),
                Type::List(element) if **element == *ty => {
                    parts.push(format!("{name}[0]"));
                    parts.push(format!("{name}.last().unwrap()"));
                }
                _ => {}
            }
        }
        // Those that may not be there come less often: each ends the program then.
        parts.retain(|part| !(part.ends_with("[0]") || part.ends_with("unwrap()")) || self.choices.percent(25));
        if parts.is_empty() { self.operation(ty, depth) } else { self.choices.pick(&parts).clone() }
    }

    /// An operator or method of a type.
    fn operation(&mut self, ty: &Type, depth: u32) -> String {
        let depth = depth - 1;
        match ty {
            Type::Int => self.int(depth),
            Type::Bool => self.bool(depth),
            Type::Float => {
                let op = *self.choices.pick(&["+", "-", "*", "/"]);
                format!("({} {op} {})", self.expr(ty, depth), self.expr(ty, depth))
            }
            Type::String => self.string(depth),
            Type::List(element) => self.list(element, depth),
            Type::Map(key, value) => {
                let name = self.name("y");
                let (map, vars) = (self.known(&Type::Map(key.clone(), value.clone()), depth), self.vars.len());
                self.bind(&name, (**value).clone(), false, false);
                let factor = std::mem::replace(&mut self.factor, COST);
                let changed = self.expr(value, depth);
                self.factor = factor;
                self.vars.truncate(vars);
                format!("{map}.map_values(|{name}| {changed})")
            }
            Type::Option(inner) => match self.choices.below(3) {
                0 => {
                    let list = self.known(&Type::List(inner.clone()), depth);
                    format!("{list}.{}()", self.choices.pick(&["first", "last"]))
                }
                1 => format!("{}.get({})", self.known(&Type::List(inner.clone()), depth), self.expr(&Type::Int, depth)),
                _ => {
                    let key = self.key_type();
                    let map = self.known(&Type::Map(Box::new(key.clone()), inner.clone()), depth);
                    format!("{map}.get({})", self.expr(&key, depth))
                }
            },
            Type::Result(inner) if **inner == Type::Int => format!("positive({})", self.expr(&Type::Int, depth)),
            Type::Result(inner) => {
                let option = self.known(&Type::Option(inner.clone()), depth);
                format!("{option}.ok_or(Failure.Text(\"none\"))")
            }
            Type::Pair(left, right) => {
                format!("{}.swap()", self.known(&Type::Pair(right.clone(), left.clone()), depth))
            }
            Type::Tree => format!("{}.insert({})", self.known(ty, depth), self.expr(&Type::Int, depth)),
            Type::Record(index) => {
                let (name, fields) = (self.known(ty, depth), self.records[*index].fields.clone());
                let (field, field_ty, _) = self.choices.pick(&fields).clone();
                format!("R{index} {{ {field}: {}, ..{name} }}", self.expr(&field_ty, depth))
            }
            ty => self.literal(ty, depth),
        }
    }

    fn int(&mut self, depth: u32) -> String {
        let int = |this: &mut Self| this.expr(&Type::Int, depth);
        match self.choices.below(16) {
            0 if self.choices.percent(15) => format!("(({}) * ({}))", int(self), int(self)),
            0 => format!("(({}) + ({})) % 1000", int(self), int(self)),
            1 => format!("(({}) % 1000 * (({}) % 1000))", int(self), int(self)),
            2 => format!("(({}) - ({}))", int(self), int(self)),
            3 => {
                let op = *self.choices.pick(&["/", "%"]);
                let by = if self.choices.percent(15) { int(self) } else { (2 + self.choices.below(9)).to_string() };
                format!("(({}) {op} ({by}))", int(self))
            }
            4 => {
                let op = *self.choices.pick(&["&", "|", "^"]);
                format!("(({}) {op} ({}))", int(self), int(self))
            }
            5 => format!("(({}) % 1000 << {})", int(self), self.choices.below(8)),
            6 => format!("({}).wrapping_mul({})", int(self), int(self)),
            7 => {
                let element = self.data_type(1);
                format!("{}.len()", self.known(&Type::List(Box::new(element)), depth))
            }
            8 => format!("{}.sum()", self.known(&Type::Tree, depth)),
            9 => format!("{}.iter().map(|x| x % 100).sum()", self.known(&Type::list(Type::Int), depth)),
            10 => {
                format!("{}.iter().fold(1, |a, b| (a * 3 + b % 50) % 977)", self.known(&Type::list(Type::Int), depth))
            }
            11 => format!("{}.score({})", self.known(&Type::Dyn, depth), int(self)),
            12 => format!("best({}, {})", self.known(&Type::list(Type::Int), depth), int(self)),
            13 => format!("general({}).map(|n| n + 1).or(0)", int(self)),
            14 if self.choices.percent(15) => {
                format!("{}.unwrap()", self.known(&Type::Option(Box::new(Type::Int)), depth))
            }
            15 if self.choices.percent(15) => format!("{}[{}]", self.known(&Type::list(Type::Int), depth), int(self)),
            14 => format!("{}.or(7)", self.known(&Type::Option(Box::new(Type::Int)), depth)),
            _ => format!("(({}) + ({}))", int(self), int(self)),
        }
    }

    fn bool(&mut self, depth: u32) -> String {
        match self.choices.below(6) {
            0 => format!("!({})", self.expr(&Type::Bool, depth)),
            1 => {
                let op = *self.choices.pick(&["&&", "||"]);
                format!("(({}) {op} ({}))", self.expr(&Type::Bool, depth), self.expr(&Type::Bool, depth))
            }
            2 | 3 => {
                let ty = *self.choices.pick(&[0, 0, 1, 2, 3]);
                let ty = [Type::Int, Type::Char, Type::Float, Type::String][ty].clone();
                let op = *self.choices.pick(&["<", "<=", ">", ">=", "==", "!="]);
                format!("(({}) {op} ({}))", self.expr(&ty, depth), self.expr(&ty, depth))
            }
            4 => {
                let ty = self.data_type(2);
                let ops: &[&str] = if has_map(&ty) { &["==", "!="] } else { &["==", "!=", "<", ">="] };
                let op = *self.choices.pick(ops);
                format!("({} {op} {})", self.known(&ty, depth), self.known(&ty, depth))
            }
            _ => {
                let element = self.data_type(0);
                let list = self.known(&Type::list(element.clone()), depth);
                format!("{list}.iter().contains({})", self.expr(&element, depth))
            }
        }
    }

    fn string(&mut self, depth: u32) -> String {
        match self.choices.below(6) {
            0 if self.texts < 2 => {
                let (one, other) = (self.data_type(1), self.data_type(1));
                self.texts += 1;
                let (one, other) = (self.known(&one, depth.min(1)), self.known(&other, depth.min(1)));
                self.texts -= 1;
                format!("\"<{{{one}}} {{{other}}}>\"")
            }
            1 => format!("(({}) + ({}))", self.expr(&Type::String, depth), self.expr(&Type::String, depth)),
            2 => format!("({}).take({})", self.expr(&Type::String, depth), self.choices.below(5)),
            3 => format!("{}.label()", self.known(&Type::Dyn, depth)),
            4 => format!("{}.iter().join(\"-\")", self.known(&Type::list(Type::Int), depth)),
            _ => format!("({}).reverse()", self.expr(&Type::String, depth)),
        }
    }

    fn list(&mut self, element: &Type, depth: u32) -> String {
        let own = Type::list(element.clone());
        match self.choices.below(7) {
            0 => {
                let from = self.data_type(1);
                let list = self.known(&Type::list(from.clone()), depth);
                let name = self.name("y");
                let vars = self.vars.len();
                self.bind(&name, from, false, false);
                let factor = std::mem::replace(&mut self.factor, COST);
                let value = self.expr(element, depth);
                self.factor = factor;
                self.vars.truncate(vars);
                format!("{list}.iter().map(|{name}| {value}).to_list()")
            }
            1 => {
                let list = self.known(&own, depth);
                let name = self.name("y");
                let vars = self.vars.len();
                self.bind(&name, element.clone(), false, false);
                let factor = std::mem::replace(&mut self.factor, COST);
                let value = self.expr(&Type::Bool, depth);
                self.factor = factor;
                self.vars.truncate(vars);
                format!("{list}.iter().filter(|{name}| {value}).to_list()")
            }
            2 => format!("{}.iter().take(5).skip({}).to_list()", self.known(&own, depth), self.choices.below(3)),
            3 if element.is_structural() && !has_map(element) => format!("{}.iter().sorted()", self.known(&own, depth)),
            4 => format!("{}.concat({})", self.known(&own, depth), self.expr(&own, depth)),
            5 if *element == Type::Int => format!("(0..{}).map(|n| n * n).to_list()", self.choices.below(6)),
            _ => format!("{}.reversed()", self.known(&own, depth)),
        }
    }
}
