//! Literals and patterns.

use super::types::Type;
use super::{Generator, Var};

impl Generator<'_> {
    /// A value as it is written, without operators and calls.
    pub(super) fn literal(&mut self, ty: &Type, depth: u32) -> String {
        let depth = depth.saturating_sub(1);
        match ty {
            Type::Unit => "()".into(),
            Type::Int => match self.choices.below(12) {
                0..=7 => self.choices.below(10).to_string(),
                8 | 9 => self.choices.below(1000).to_string(),
                10 => format!("(-{})", 1 + self.choices.below(50)),
                _ => (*self.choices.pick(&["0x7fff_ffff", "(-1)", "4294967296", "0b1010"])).into(),
            },
            Type::Bool => if self.choices.percent(50) { "true" } else { "false" }.into(),
            Type::Float => (*self.choices.pick(&["0.0", "1.5", "-2.25", "3.0", "1e3", "0.125"])).into(),
            Type::Char => (*self.choices.pick(&["'a'", "'b'", "'z'", "'0'", "' '", "'é'", "'\\n'"])).into(),
            Type::String => {
                (*self.choices.pick(&["\"\"", "\"a\"", "\"xyz\"", "\"a b\"", "\"é\"", "\"12\"", "\"q\\\"\""])).into()
            }
            Type::Tuple(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| self.expr(part, depth)).collect();
                format!("({})", parts.join(", "))
            }
            Type::List(element) => {
                let count = if depth == 0 { 1 } else { self.choices.below(4) };
                let parts: Vec<String> = (0..count).map(|_| self.expr(element, depth)).collect();
                format!("[{}]", parts.join(", "))
            }
            Type::Map(key, value) => self.map_literal(key, value, depth),
            Type::Option(_) if self.choices.percent(30) => "None".into(),
            Type::Option(inner) => format!("Some({})", self.expr(inner, depth)),
            Type::Result(_) if self.choices.percent(30) => {
                if self.choices.percent(50) {
                    format!("Err(Failure.Small({}))", self.expr(&Type::Int, depth))
                } else {
                    "Err(Failure.Text(\"bad\"))".into()
                }
            }
            Type::Result(inner) => format!("Ok({})", self.expr(inner, depth)),
            Type::Record(index) => self.record_literal(*index, depth),
            Type::Enum(index) => {
                let variants = self.enums[*index].variants.clone();
                let place = if depth == 0 { 0 } else { self.choices.below(variants.len() as u64) as usize };
                let (fields, named) = &variants[place];
                let parts: Vec<String> = fields.iter().map(|field| self.expr(field, depth)).collect();
                let name = format!("E{index}.V{index}x{place}");
                if parts.is_empty() {
                    name
                } else if *named {
                    let parts: Vec<String> =
                        parts.iter().enumerate().map(|(at, part)| format!("x{at}: {part}")).collect();
                    format!("{name} {{ {} }}", parts.join(", "))
                } else {
                    format!("{name}({})", parts.join(", "))
                }
            }
            Type::Pair(left, right) => {
                format!("Pair {{ left: {}, right: {} }}", self.expr(left, depth), self.expr(right, depth))
            }
            Type::Tree => {
                let mut tree = "Tree.Leaf".to_owned();
                for _ in 0..self.choices.below(4) {
                    tree = format!("{tree}.insert({})", self.choices.below(9));
                }
                tree
            }
            Type::Dyn => self.dyn_value(depth),
            Type::Fn(params, result) => {
                let names: Vec<String> = params.iter().map(|_| self.name("y")).collect();
                let vars = self.vars.len();
                for (name, ty) in names.iter().zip(params) {
                    self.bind(name, ty.clone(), false, false);
                }
                let factor = std::mem::replace(&mut self.factor, super::COST);
                let value = self.expr(result, depth);
                self.factor = factor;
                self.vars.truncate(vars);
                format!("|{}| {value}", names.join(", "))
            }
        }
    }

    fn dyn_value(&mut self, depth: u32) -> String {
        match self.choices.below(5) {
            0 => self.expr(&Type::Int, depth),
            1 => self.expr(&Type::String, depth),
            2 => self.literal(&Type::Tree, depth),
            3 if !self.records.is_empty() => {
                let index = self.choices.below(self.records.len() as u64) as usize;
                self.record_literal(index, depth)
            }
            4 if !self.enums.is_empty() => {
                let index = self.choices.below(self.enums.len() as u64) as usize;
                self.literal(&Type::Enum(index), depth)
            }
            _ => self.known(&Type::list(Type::Int), depth),
        }
    }

    pub(super) fn map_literal(&mut self, key: &Type, value: &Type, depth: u32) -> String {
        let count = self.choices.below(3);
        if count == 0 {
            return "[:]".into();
        }
        let pairs: Vec<String> = (0..count)
            .map(|_| format!("{}: {}", self.literal(key, 1), self.expr(value, depth.saturating_sub(1))))
            .collect();
        format!("[{}]", pairs.join(", "))
    }

    pub(super) fn record_literal(&mut self, index: usize, depth: u32) -> String {
        let fields = self.records[index].fields.clone();
        let parts: Vec<String> =
            fields.iter().map(|(name, ty, _)| format!("{name}: {}", self.expr(ty, depth.saturating_sub(1)))).collect();
        format!("R{index} {{ {} }}", parts.join(", "))
    }

    /// Patterns that together match every value, with what each binds.
    pub(super) fn arms(&mut self, ty: &Type) -> Vec<(String, Vec<Var>)> {
        let mut arms = Vec::new();
        match ty {
            Type::Bool => arms.extend([("true".to_owned(), Vec::new()), ("false".to_owned(), Vec::new())]),
            Type::Int => {
                let low = self.choices.below(5);
                arms.push((format!("..={low}"), Vec::new()));
                arms.push((format!("{} | {}", low + 1, low + 3), Vec::new()));
                arms.push(self.rest(ty));
            }
            Type::Char => {
                arms.push(("'a'..='m'".to_owned(), Vec::new()));
                arms.push(self.rest(ty));
            }
            Type::String => {
                arms.push(("\"a\" | \"xyz\"".to_owned(), Vec::new()));
                arms.push(self.rest(ty));
            }
            Type::Option(inner) => {
                let (pattern, vars) = self.rest(inner);
                arms.push((format!("Some({pattern})"), vars));
                arms.push(("None".to_owned(), Vec::new()));
            }
            Type::Result(inner) => {
                let (pattern, vars) = self.rest(inner);
                arms.push((format!("Ok({pattern})"), vars));
                arms.push(("Err(Small(1..=9))".to_owned(), Vec::new()));
                arms.push(("Err(_)".to_owned(), Vec::new()));
            }
            Type::List(element) => {
                let ((first, mut vars), (last, more)) = (self.rest(element), self.rest(element));
                vars.extend(more);
                arms.push((format!("[{first}, .., {last}]"), vars));
                let (only, vars) = self.rest(element);
                arms.push((format!("[{only}]"), vars));
                arms.push(("[]".to_owned(), Vec::new()));
            }
            Type::Tuple(parts) => {
                let mut vars = Vec::new();
                let mut patterns = Vec::new();
                for part in parts {
                    let (pattern, more) = self.rest(part);
                    patterns.push(pattern);
                    vars.extend(more);
                }
                arms.push((format!("({})", patterns.join(", ")), vars));
            }
            Type::Enum(index) => {
                for (place, (fields, named)) in self.enums[*index].variants.clone().iter().enumerate() {
                    let (mut parts, mut vars) = (Vec::new(), Vec::new());
                    for (at, field) in fields.iter().enumerate() {
                        let (pattern, more) = self.rest(field);
                        parts.push(if *named { format!("x{at}: {pattern}") } else { pattern });
                        vars.extend(more);
                    }
                    let parts = match (parts.is_empty(), *named) {
                        (true, _) => String::new(),
                        (_, true) => format!(" {{ {} }}", parts.join(", ")),
                        (_, false) => format!("({})", parts.join(", ")),
                    };
                    arms.push((format!("V{index}x{place}{parts}"), vars));
                }
            }
            Type::Tree => {
                let name = self.name("m");
                let var = Var { name: name.clone(), ty: Type::Int, assignable: false, owned: false };
                arms.push((format!("Node(Leaf, {name}, _)"), vec![var]));
                arms.push(("Node(Node(_, 1..=4, _), _, Leaf)".to_owned(), Vec::new()));
                arms.push(self.rest(ty));
            }
            _ => arms.push(self.rest(ty)),
        }
        arms
    }

    /// A pattern that matches anything.
    fn rest(&mut self, ty: &Type) -> (String, Vec<Var>) {
        if self.choices.percent(30) {
            return ("_".to_owned(), Vec::new());
        }
        let name = self.name("m");
        (name.clone(), vec![Var { name, ty: ty.clone(), assignable: false, owned: false }])
    }
}
