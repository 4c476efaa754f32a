//! A small program's types, and patterns for them from text.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::names::{Name, Names};
use crate::source::{FileId, Span};
use crate::typed::{
    AccessTree, Arm, Body, Constant, Enum, EnumId, Expr, ExprKind, Field, Generic, LocalId, ModuleId, Pattern,
    PatternKind, Program, Record, RecordId, Stmt, StmtKind, Ty, TyKind, Variant,
};

/// A variant: its name, its fields, whether they are written by name.
pub(super) type Written<'a> = (&'a str, &'a [(&'a str, Ty)], bool);

/// The types and what was said of patterns.
pub(super) struct World {
    pub(super) program: Program,
    pub(super) names: Names,
}

impl World {
    /// With `Option`, `List`, and more to match.
    pub(super) fn new() -> Self {
        let mut world = Self { program: Program::default(), names: Names::default() };
        let param = world.program.types.intern(TyKind::Param(0));
        let second = world.program.types.intern(TyKind::Param(1));
        let option = world.add_enum("Option", 1, &[("None", &[], false), ("Some", &[("0", param)], false)]);
        world.program.lang.option = Some(option);
        world.add_enum("Result", 2, &[("Ok", &[("0", param)], false), ("Err", &[("0", second)], false)]);
        world.add_enum("Color", 0, &[("Red", &[], false), ("Green", &[], false), ("Blue", &[], false)]);
        let fields: &[(&str, Ty)] = &[("line", Ty::INT), ("why", Ty::STRING)];
        world.add_enum("Load", 0, &[("Missing", &[("0", Ty::STRING)], false), ("Bad", fields, true)]);
        world.add_enum("Void", 0, &[]);
        world.add_enum("One", 0, &[("Only", &[("0", Ty::BOOL)], false)]);
        let seven: Vec<Written> =
            ["A", "B", "C", "D", "E", "F", "G"].iter().map(|name| (*name, &[] as &[(&str, Ty)], false)).collect();
        world.add_enum("Seven", 0, &seven);
        let array = world.program.types.intern(TyKind::Array(param));
        let list = world.add_record("List", 1, &[("array", array), ("length", Ty::INT)]);
        world.program.lang.list = Some(list);
        world.add_record("Row", 0, &[("name", Ty::STRING), ("sold", Ty::BOOL), ("qty", Ty::INT)]);
        world
    }

    fn fields(&mut self, fields: &[(&str, Ty)]) -> Vec<Field> {
        fields
            .iter()
            .map(|(name, ty)| Field {
                name: self.names.intern(name),
                ty: *ty,
                access: AccessTree::Leaf,
                mutable: false,
                public: true,
                span: Span::default(),
            })
            .collect()
    }

    fn generics(&mut self, count: usize) -> Vec<Generic> {
        (0..count).map(|index| Generic { name: self.names.intern(&format!("T{index}")), bounds: Vec::new() }).collect()
    }

    pub(super) fn add_enum(&mut self, name: &str, generics: usize, variants: &[Written]) -> EnumId {
        let variants = variants
            .iter()
            .map(|(name, fields, named)| Variant {
                name: self.names.intern(name),
                fields: self.fields(fields),
                named: *named,
                span: Span::default(),
            })
            .collect();
        let (name, generics) = (self.names.intern(name), self.generics(generics));
        let module = ModuleId(0);
        self.program.enums.push(Enum { name, module, generics, variants, span: Span::default(), public: true });
        EnumId(self.program.enums.len() as u32 - 1)
    }

    fn add_record(&mut self, name: &str, generics: usize, fields: &[(&str, Ty)]) -> RecordId {
        let (name, generics, fields) = (self.names.intern(name), self.generics(generics), self.fields(fields));
        let module = ModuleId(0);
        self.program.records.push(Record { name, module, generics, fields, span: Span::default(), public: true });
        RecordId(self.program.records.len() as u32 - 1)
    }

    /// A type from text.
    pub(super) fn ty(&mut self, text: &str) -> Ty {
        Parser { world: self, rest: text }.ty()
    }

    /// A pattern of a type from text.
    pub(super) fn pattern(&mut self, ty: Ty, text: &str) -> Pattern {
        let mut parser = Parser { world: self, rest: text };
        let pattern = parser.pattern(ty);
        assert_eq!(parser.rest.trim(), "", "in {text}");
        pattern
    }

    /// A `match` over a type with arms from text, those that end in ` if` with a guard. What is said of it.
    pub(super) fn arms(&mut self, ty: &str, arms: &[&str]) -> Vec<Diagnostic> {
        let ty = self.ty(ty);
        let patterns: Vec<(Pattern, bool)> = arms
            .iter()
            .map(|text| match text.strip_suffix(" if") {
                Some(text) => (self.pattern(ty, text), true),
                None => (self.pattern(ty, text), false),
            })
            .collect();
        self.check_arms(ty, patterns)
    }

    /// The same with patterns.
    pub(super) fn check_arms(&mut self, ty: Ty, patterns: Vec<(Pattern, bool)>) -> Vec<Diagnostic> {
        let unit = || expr(ExprKind::Tuple(Vec::new()), Ty::UNIT);
        let arms = (0..)
            .zip(patterns)
            .map(|(index, (mut pattern, guard))| {
                pattern.span = Span { file: FileId(0), start: 10 * (index + 1), end: 10 * (index + 1) + 1 };
                Arm { pattern, guard: guard.then(|| expr(ExprKind::Bool(true), Ty::BOOL)), body: unit() }
            })
            .collect();
        let value = expr(ExprKind::Local(LocalId(0)), ty);
        self.check(expr(ExprKind::Match(Box::new(value), arms), Ty::UNIT))
    }

    /// `let` with a pattern.
    pub(super) fn check_let(&mut self, ty: &str, pattern: &str) -> Vec<Diagnostic> {
        let ty = self.ty(ty);
        let pattern = self.pattern(ty, pattern);
        let value = expr(ExprKind::Local(LocalId(0)), ty);
        let stmt = Stmt { kind: StmtKind::Let(pattern, value, None), span: Span::default() };
        self.check(expr(ExprKind::Block(vec![stmt], None), Ty::UNIT))
    }

    fn check(&mut self, value: Expr) -> Vec<Diagnostic> {
        let name = self.names.intern("main");
        let body = Body { locals: Vec::new(), params: 0, loops: 0, value };
        let span = Span::default();
        self.program.constants = vec![Constant { name, module: ModuleId(0), ty: Ty::UNIT, body, span, public: false }];
        let mut diagnostics = Diagnostics::default();
        super::super::check(&self.program, &self.names, &mut diagnostics);
        diagnostics.into_sorted()
    }

    /// The fields of a variant or record of a type.
    pub(super) fn parts(&mut self, ty: Ty, tag: Option<u32>) -> Vec<(Name, Ty)> {
        let (fields, args) = match (self.program.types.kind(ty).clone(), tag) {
            (TyKind::Enum(id, args), Some(tag)) => {
                (self.program.enums[id.index()].variants[tag as usize].fields.clone(), args)
            }
            (TyKind::Record(id, args), _) => (self.program.records[id.index()].fields.clone(), args),
            other => panic!("{other:?}"),
        };
        fields.iter().map(|field| (field.name, self.program.types.substitute(field.ty, &args))).collect()
    }
}

fn expr(kind: ExprKind, ty: Ty) -> Expr {
    Expr { kind, ty, span: Span::default() }
}

/// A pattern without place.
pub(super) fn made(kind: PatternKind, ty: Ty) -> Pattern {
    Pattern { kind, ty, span: Span::default() }
}

struct Parser<'w, 't> {
    world: &'w mut World,
    rest: &'t str,
}

impl Parser<'_, '_> {
    fn eat(&mut self, token: &str) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn word(&mut self) -> String {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '-' && c != '_').unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word.to_owned()
    }

    fn all<T>(&mut self, close: &str, mut one: impl FnMut(&mut Self, usize) -> T) -> Vec<T> {
        let mut all = Vec::new();
        while !self.eat(close) {
            let next = one(self, all.len());
            all.push(next);
            self.eat(",");
        }
        all
    }

    fn ty(&mut self) -> Ty {
        if self.eat("(") {
            let parts = self.all(")", |parser, _| parser.ty());
            return self.world.program.types.tuple(&parts);
        }
        let word = self.word();
        let args = if self.eat("<") { self.all(">", |parser, _| parser.ty()) } else { Vec::new() };
        let name = self.world.names.intern(&word);
        let program = &mut self.world.program;
        match word.as_str() {
            "Int" => Ty::INT,
            "Float" => Ty::FLOAT,
            "Bool" => Ty::BOOL,
            "Char" => Ty::CHAR,
            "String" => Ty::STRING,
            "Never" => Ty::NEVER,
            _ => {
                let record = program.records.iter().position(|record| record.name == name);
                let kind = match record {
                    Some(index) => TyKind::Record(RecordId(index as u32), args.into()),
                    None => {
                        let index = program.enums.iter().position(|e| e.name == name).unwrap();
                        TyKind::Enum(EnumId(index as u32), args.into())
                    }
                };
                program.types.intern(kind)
            }
        }
    }

    fn pattern(&mut self, ty: Ty) -> Pattern {
        let mut all = vec![self.single(ty)];
        while self.eat("|") {
            all.push(self.single(ty));
        }
        if all.len() == 1 { all.remove(0) } else { made(PatternKind::Or(all), ty) }
    }

    fn single(&mut self, ty: Ty) -> Pattern {
        let kind = if self.eat("(") {
            let TyKind::Tuple(parts) = self.world.program.types.kind(ty).clone() else { panic!() };
            PatternKind::Tuple(self.all(")", |parser, index| parser.pattern(parts[index])))
        } else if self.eat("[") {
            self.list(ty)
        } else if self.eat("\"") {
            let (text, rest) = self.rest.split_once('"').unwrap();
            self.rest = rest;
            PatternKind::String(text.into())
        } else if self.eat("'") {
            let from = self.char();
            if self.eat("..='") { PatternKind::CharRange(from, self.char()) } else { PatternKind::Char(from) }
        } else if self.eat("..=") {
            let to = self.word();
            PatternKind::IntRange(i64::MIN, to.parse().unwrap())
        } else {
            self.named(ty)
        };
        made(kind, ty)
    }

    fn char(&mut self) -> char {
        let (text, rest) = self.rest.split_once('\'').unwrap();
        self.rest = rest;
        text.chars().next().unwrap()
    }

    fn list(&mut self, ty: Ty) -> PatternKind {
        let TyKind::Record(_, args) = self.world.program.types.kind(ty).clone() else { panic!() };
        let (mut before, mut rest, mut after) = (Vec::new(), None, Vec::new());
        while !self.eat("]") {
            if self.eat("..") {
                let more = !self.rest.starts_with(',') && !self.rest.starts_with(']');
                rest = Some(more.then(|| Box::new(self.pattern(ty))));
            } else {
                let part = self.pattern(args[0]);
                if rest.is_none() { before.push(part) } else { after.push(part) }
            }
            self.eat(",");
        }
        PatternKind::List { before, rest, after }
    }

    fn named(&mut self, ty: Ty) -> PatternKind {
        let word = self.word();
        if let Ok(number) = word.parse::<i64>() {
            if ty == Ty::FLOAT {
                return PatternKind::Float(number as f64);
            }
            if self.eat("..=") {
                return PatternKind::IntRange(number, self.word().parse().unwrap());
            }
            return if self.eat("..") { PatternKind::IntRange(number, i64::MAX) } else { PatternKind::Int(number) };
        }
        match word.as_str() {
            "_" => return PatternKind::Wildcard,
            "true" | "false" => return PatternKind::Bool(word == "true"),
            _ => {}
        }
        if word.starts_with(char::is_lowercase) {
            return PatternKind::Bind(LocalId(0), self.eat("@").then(|| Box::new(self.single(ty))));
        }
        let name = self.world.names.intern(&word);
        match self.world.program.types.kind(ty).clone() {
            TyKind::Record(id, _) => {
                let parts = self.world.parts(ty, None);
                PatternKind::Record(id, self.fields(&parts))
            }
            TyKind::Enum(id, _) => {
                let variants = &self.world.program.enums[id.index()].variants;
                let tag = variants.iter().position(|variant| variant.name == name).unwrap() as u32;
                let named = variants[tag as usize].named;
                let parts = self.world.parts(ty, Some(tag));
                let mut all: Vec<Pattern> = parts.iter().map(|(_, ty)| made(PatternKind::Wildcard, *ty)).collect();
                if named {
                    for (index, pattern) in self.fields(&parts) {
                        all[index as usize] = pattern;
                    }
                } else if self.eat("(") {
                    all = self.all(")", |parser, index| parser.pattern(parts[index].1));
                }
                PatternKind::Variant(id, tag, all)
            }
            other => panic!("{word} of {other:?}"),
        }
    }

    fn fields(&mut self, parts: &[(Name, Ty)]) -> Vec<(u32, Pattern)> {
        assert!(self.eat("{"));
        let all = self.all("}", |parser, _| {
            if parser.eat("..") {
                return None;
            }
            let name = parser.word();
            let name = parser.world.names.intern(&name);
            let index = parts.iter().position(|(other, _)| *other == name).unwrap();
            let pattern = if parser.eat(":") {
                parser.pattern(parts[index].1)
            } else {
                made(PatternKind::Wildcard, parts[index].1)
            };
            Some((index as u32, pattern))
        });
        all.into_iter().flatten().collect()
    }
}
