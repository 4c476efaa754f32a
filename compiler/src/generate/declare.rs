//! Declarations.

use std::fmt::Write;

use super::types::Type;
use super::{COST, Function, Generator};

/// A record: names and types of fields, and whether each is `var`.
#[derive(Clone)]
pub(super) struct Record {
    pub(super) fields: Vec<(String, Type, bool)>,
}

/// An enum: for each variant its fields, and whether they are written by name.
#[derive(Clone)]
pub(super) struct Enum {
    pub(super) variants: Vec<(Vec<Type>, bool)>,
}

/// What each program has.
const FIXED: &str = r#"record Pair<A, B> { left: A, right: B }

impl<A, B> Pair<A, B> {
    fn swap(self) -> Pair<B, A> { Pair { left: self.right, right: self.left } }

    fn map_left<C>(self, change: fn(A) -> C) -> Pair<C, B> { Pair { left: change(self.left), right: self.right } }
}

enum Tree { Leaf, Node(Tree, Int, Tree) }

impl Tree {
    fn insert(self, n: Int) -> Tree {
        match self {
            Leaf => Tree.Node(Tree.Leaf, n, Tree.Leaf)
            Node(left, m, right) if n < m => Tree.Node(left.insert(n), m, right)
            Node(left, m, right) if n > m => Tree.Node(left, m, right.insert(n))
            _ => self
        }
    }

    fn sum(self) -> Int {
        match self {
            Leaf => 0
            Node(left, n, right) => left.sum() + n + right.sum()
        }
    }
}

enum Failure { Small(Int), Text(String) }

impl Error for Failure {
    fn message(self) -> String {
        match self { Small(n) => "small {n}", Text(text) => text }
    }
}

trait Scored {
    fn score(self, k: Int) -> Int

    fn label(self) -> String { "scored {self.score(1)}" }
}

impl Scored for Int {
    fn score(self, k: Int) -> Int { self.wrapping_mul(k) }
}

impl Scored for String {
    fn score(self, k: Int) -> Int { self.len() + k }

    fn label(self) -> String { "text {self}" }
}

impl<T: Scored> Scored for List<T> {
    fn score(self, k: Int) -> Int {
        var total = 0
        for x in self { total = total.wrapping_add(x.score(k)) }
        total
    }
}

impl Scored for Tree {
    fn score(self, k: Int) -> Int { self.sum().wrapping_add(k) }
}

fn best<T: Scored>(xs: List<T>, k: Int) -> Int {
    var best = 0
    for x in xs {
        if x.score(k) > best { best = x.score(k) }
    }
    best
}

fn pick<T>(first: Bool, a: T, b: T) -> T {
    if first { a } else { b }
}

fn apply<T, U>(x: T, change: fn(T) -> U) -> U {
    change(x)
}

fn compose<A, B, C>(f: fn(A) -> B, g: fn(B) -> C) -> fn(A) -> C {
    |x| g(f(x))
}

fn positive(n: Int) -> Result<Int, Failure> {
    if n > 0 { Ok(n) } else { Err(Failure.Small(n)) }
}

fn general(n: Int) -> Result<Int> {
    let m = positive(n)?
    if m > 500 { return Err("large") }
    Ok(m)
}

"#;

impl Generator<'_> {
    /// Records, enums, and what implements the trait.
    pub(super) fn declarations(&mut self) {
        self.out.push_str(FIXED);
        for index in 0..self.choices.below(4) as usize {
            self.record(index);
        }
        for index in 0..self.choices.below(3) as usize {
            self.enumeration(index);
        }
    }

    fn record(&mut self, index: usize) {
        let mut fields = Vec::new();
        for place in 0..1 + self.choices.below(4) {
            let mutable = self.choices.percent(30);
            let ty = if mutable { Type::Int } else { self.data_type(2) };
            fields.push((format!("f{place}"), ty, mutable));
        }
        let mut text = format!("record R{index} {{ ");
        for (place, (name, ty, mutable)) in fields.iter().enumerate() {
            let _ =
                write!(text, "{}{}{name}: {ty}", if place > 0 { ", " } else { "" }, if *mutable { "var " } else { "" });
        }
        self.out.push_str(&format!("{text} }}\n\n"));
        let ints: Vec<&str> =
            fields.iter().filter(|(_, ty, _)| *ty == Type::Int).map(|(name, _, _)| name.as_str()).collect();
        let sum = ints.iter().fold("k".to_owned(), |sum, name| format!("{sum}.wrapping_add(self.{name})"));
        let _ = write!(self.out, "impl Scored for R{index} {{\n    fn score(self, k: Int) -> Int {{ {sum} }}\n}}\n\n");
        if let Some((name, _, _)) = fields.iter().find(|(_, _, mutable)| *mutable) {
            let _ = write!(
                self.out,
                "impl R{index} {{\n    fn bump(var self, by: Int) -> Int {{\n        self.{name} = self.{name}.wrapping_add(by)\n        \
                 self.{name}\n    }}\n}}\n\n"
            );
        }
        self.records.push(Record { fields });
    }

    fn enumeration(&mut self, index: usize) {
        let mut variants = Vec::new();
        for place in 0..2 + self.choices.below(3) {
            let count = if place == 0 { 0 } else { self.choices.below(3) };
            let fields: Vec<Type> = (0..count).map(|_| self.data_type(1)).collect();
            let named = !fields.is_empty() && self.choices.percent(30);
            variants.push((fields, named));
        }
        let mut text = format!("enum E{index} {{ ");
        let mut arms = String::new();
        for (place, (fields, named)) in variants.iter().enumerate() {
            let _ = write!(text, "{}V{index}x{place}", if place > 0 { ", " } else { "" });
            let (open, close) = if *named { (" { ", " }") } else { ("(", ")") };
            let part = |(at, ty): (usize, &Type)| if *named { format!("x{at}: {ty}") } else { ty.to_string() };
            if !fields.is_empty() {
                let parts: Vec<String> = fields.iter().enumerate().map(part).collect();
                let _ = write!(text, "{open}{}{close}", parts.join(", "));
            }
            let holes = if *named {
                " { .. }".to_owned()
            } else if fields.is_empty() {
                String::new()
            } else {
                format!("({})", vec!["_"; fields.len()].join(", "))
            };
            let _ = writeln!(arms, "            V{index}x{place}{holes} => {place}");
        }
        let _ = write!(self.out, "{text} }}\n\n");
        let _ = write!(
            self.out,
            "impl Scored for E{index} {{\n    fn score(self, k: Int) -> Int {{\n        k.wrapping_add(match self {{\n{arms}        \
             }})\n    }}\n}}\n\n"
        );
        self.enums.push(Enum { variants });
    }

    /// A function.
    pub(super) fn function(&mut self) {
        let name = self.name("f");
        let mut params: Vec<Type> = (0..self.choices.below(4)).map(|_| self.data_type(2)).collect();
        let changes = self.choices.percent(25);
        if changes {
            // Of values in which nothing can be changed: what is put in may come from anywhere.
            let element = self.data_type(0);
            params.push(Type::list(element));
        }
        self.result = self.data_type(2);
        (self.factor, self.cost) = (1, 1);
        self.vars.clear();
        let mut head = format!("fn {name}(out: Console");
        for (index, ty) in params.iter().enumerate() {
            let changed = changes && index + 1 == params.len();
            let param = format!("p{index}");
            let _ = write!(head, ", {}{param}: {ty}", if changed { "var " } else { "" });
            self.bind(&param, ty.clone(), changed, false);
        }
        let result = self.result.clone();
        let _ = write!(head, ") -> {result}");
        self.block(&head, |this| {
            // What is handed in may hold what may not be changed: only this list itself may.
            if changes && let Some(last) = this.vars.last_mut() {
                last.owned = true;
                last.assignable = false;
            }
            let count = 1 + this.choices.below(5);
            this.statements(count, 3);
            let value = this.expr(&result, 3);
            this.line(&value);
        });
        self.out.push('\n');
        self.functions.push(Function { name, params, changes, result, cost: self.cost.clamp(1, COST) });
    }

    /// `main`.
    pub(super) fn main(&mut self) {
        self.vars.clear();
        (self.factor, self.cost) = (1, 1);
        self.result = Type::Unit;
        self.block("fn main(out: Console)", |this| {
            let count = 4 + this.choices.below(8);
            this.statements(count, 3);
            for var in this.vars.clone() {
                if var.ty.is_structural() && var.ty != Type::Unit {
                    this.line(&format!("out.print(\"{} {{{}}}\")", var.name, var.name));
                }
            }
        });
    }
}
