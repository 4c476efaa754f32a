//! Reading and writing JSON by structure: implementations of `Encode` and `Decode` (of `text/json`) that nobody wrote.
//!
//! A record or an enum of a program has them if all that it holds does, as it has `Show`. What a type lacks is noted where it is
//! asked for; once all bodies are checked, an implementation with typed bodies is made for each type, and from there on it is like
//! a written one. It is generic as its type is, and has no bounds: nobody calls it for arguments without the trait.
//!
//! A `pub` record with private fields has no `Decode`: what other modules cannot make, they cannot read either.

use std::rc::Rc;

use rustc_hash::FxHashSet;

use super::scope::Def;
use super::traits::Head;
use super::written::{Written, access_tree};
use super::{Checker, Owner};
use crate::names::Name;
use crate::source::Span;
use crate::syntax::Access;
use crate::typed::{
    Arm, Body, Callee, Conversion, EnumId, Expr, ExprKind, FnId, Function, FunctionKind, Impl, ImplId, Local, LocalId,
    Parameter, Pattern, PatternKind, RecordId, Stmt, StmtKind, TraitId, Ty, TyKind, Variant,
};

/// Where the traits are.
const MODULE: &str = "text/json";

/// What `text/json` has.
#[derive(Clone, Copy, Debug)]
struct Json {
    encode: TraitId,
    decode: TraitId,
    value: EnumId,
    error: RecordId,
    calls: Calls,
}

/// The functions that implementations are made of.
#[derive(Clone, Copy, Debug)]
struct Calls {
    new_fields: FnId,
    encode_field: FnId,
    encode_variant: FnId,
    decode_field: FnId,
    decode_variant: FnId,
    decode_unit: FnId,
    decode_part: FnId,
    decode_named: FnId,
    no_variant: FnId,
}

/// What is to be implemented.
#[derive(Debug, Default)]
pub(super) struct Derive {
    json: Option<Json>,
    wanted: Vec<(TraitId, Head)>,
    seen: FxHashSet<(TraitId, Head)>,
}

impl Checker<'_> {
    /// Finds the traits, if the program has their module.
    pub(super) fn find_derived(&mut self) {
        self.derive.json =
            self.program.modules.iter().position(|module| module.standard && &*module.path == MODULE).and_then(
                |module| {
                    let scope = &self.scopes[module];
                    let def = |name: &str| Some(scope.entries.get(&self.names.find(name)?)?.def);
                    let function = |name: &str| match def(name) {
                        Some(Def::Fn(id)) => Some(id),
                        _ => None,
                    };
                    let calls = Calls {
                        new_fields: function("new_fields")?,
                        encode_field: function("encode_field")?,
                        encode_variant: function("encode_variant")?,
                        decode_field: function("decode_field")?,
                        decode_variant: function("decode_variant")?,
                        decode_unit: function("decode_unit")?,
                        decode_part: function("decode_part")?,
                        decode_named: function("decode_named")?,
                        no_variant: function("no_variant")?,
                    };
                    match (def("Encode")?, def("Decode")?, def("Json")?, def("JsonError")?) {
                        (Def::Trait(encode), Def::Trait(decode), Def::Enum(value), Def::Record(error)) => {
                            Some(Json { encode, decode, value, error, calls })
                        }
                        _ => None,
                    }
                },
            );
    }

    /// Whether a type implements a trait that is made for it, if all that it holds does.
    pub(super) fn is_derived(&self, ty: Ty, of: TraitId) -> bool {
        let Some(json) = &self.derive.json else { return false };
        if of != json.encode && of != json.decode {
            return false;
        }
        let module = match self.kind(ty) {
            TyKind::Record(id, _) => self.program.records[id.index()].module,
            TyKind::Enum(id, _) => self.program.enums[id.index()].module,
            _ => return false,
        };
        !self.program.modules[module.index()].standard && self.unreadable(ty, of).is_none()
    }

    /// The private field that keeps a type from being read by its structure.
    pub(super) fn unreadable(&self, ty: Ty, of: TraitId) -> Option<Name> {
        let TyKind::Record(id, _) = self.kind(ty) else { return None };
        let record = &self.program.records[id.index()];
        let root = record.module.index() + 1 == self.program.modules.len();
        if self.derive.json.is_none_or(|json| of != json.decode) || !record.public || root {
            return None;
        }
        record.fields.iter().find(|field| !field.public).map(|field| field.name)
    }

    /// That an implementation is needed.
    pub(super) fn want_derived(&mut self, ty: Ty, of: TraitId) {
        if let Some(head) = self.head(ty)
            && self.derive.seen.insert((of, head))
        {
            self.derive.wanted.push((of, head));
        }
    }

    /// Makes what is needed. Whether there was something.
    pub(super) fn make_derived(&mut self) -> bool {
        let wanted = std::mem::take(&mut self.derive.wanted);
        let Some(json) = self.derive.json else { return false };
        for &(of, head) in &wanted {
            let shape = match head {
                Head::Record(id) => Shape::Record(id),
                Head::Enum(id) => Shape::Enum(id),
                _ => continue,
            };
            self.implement(json, of, shape);
        }
        !wanted.is_empty()
    }

    fn implement(&mut self, json: Json, of: TraitId, shape: Shape) {
        let (module, generics, span) = match shape {
            Shape::Record(id) => {
                let record = &self.program.records[id.index()];
                (record.module, record.generics.clone(), record.span)
            }
            Shape::Enum(id) => {
                let declared = &self.program.enums[id.index()];
                (declared.module, declared.generics.clone(), declared.span)
            }
        };
        let params = 0..generics.len() as u32;
        let args: Box<[Ty]> = params.map(|index| self.program.types.intern(TyKind::Param(index))).collect();
        let self_ty = self.program.types.intern(match shape {
            Shape::Record(id) => TyKind::Record(id, args),
            Shape::Enum(id) => TyKind::Enum(id, args),
        });
        let name = if of == json.encode { "encode" } else { "decode" };
        let name = self.names.intern(name);
        let owner = ImplId(self.program.impls.len() as u32);
        let implemented = Some((of, Vec::new()));
        self.program.impls.push(Impl {
            module,
            generics: generics.clone(),
            of: implemented,
            self_ty,
            methods: Vec::new(),
            span,
        });
        let path = self.function_path(module, Owner::Impl(owner), name);
        let value_ty = self.program.types.intern(TyKind::Enum(json.value, Box::new([])));
        let error = self.program.types.intern(TyKind::Record(json.error, Box::new([])));
        let mut maker = Maker { c: self, json, self_ty, value_ty, error, span, locals: Vec::new() };
        let (param, result) =
            if of == json.encode { (self_ty, value_ty) } else { (value_ty, maker.result_of(self_ty)) };
        let param_name = maker.c.words.self_value;
        let input = maker.local_named(param_name, param, false);
        let value = match (of == json.encode, shape) {
            (true, Shape::Record(id)) => maker.encode_record(id, input),
            (true, Shape::Enum(id)) => maker.encode_enum(id, input),
            (false, Shape::Record(id)) => maker.decode_record(id, input),
            (false, Shape::Enum(id)) => maker.decode_enum(id, input),
        };
        let locals = maker.locals;
        let access = |access| access_tree(&self.program.types, param, &Written::Nothing, access);
        let params =
            vec![Parameter { name: param_name, ty: param, mutable: false, access: access(Some(Access::Read)), span }];
        let result_access = access_tree(&self.program.types, result, &Written::Nothing, None);
        let id = FnId(self.program.functions.len() as u32);
        self.program.functions.push(Function {
            name,
            path,
            module,
            kind: FunctionKind::Plain(Body { locals, params: 1, loops: 0, value }),
            generics,
            receiver: of == json.encode,
            params,
            result,
            result_access,
            span,
            public: true,
        });
        // What stands for a missing value, and what is left out: the trait's own.
        let methods = self.program.traits[of.index()].methods.iter();
        self.program.impls[owner.index()].methods = methods.map(|method| (method.name == name).then_some(id)).collect();
    }
}

/// What is implemented for.
#[derive(Clone, Copy)]
enum Shape {
    Record(RecordId),
    Enum(EnumId),
}

/// Makes the body of a function.
struct Maker<'c, 'a> {
    c: &'c mut Checker<'a>,
    json: Json,
    self_ty: Ty,
    value_ty: Ty,
    error: Ty,
    span: Span,
    locals: Vec<Local>,
}

/// A field, as far as it is needed.
type Part = (Rc<str>, Ty);

impl Maker<'_, '_> {
    fn encode_record(&mut self, id: RecordId, input: LocalId) -> Expr {
        let fields = &self.c.program.records[id.index()].fields;
        let fields = fields.iter().map(|field| (field.name, field.ty)).collect();
        let fields = self.parts(fields);
        let values = (0..fields.len() as u32)
            .map(|index| {
                let this = Box::new(self.local(input));
                self.expr(ExprKind::Field(this, id, index), fields[index as usize].1)
            })
            .collect();
        self.object(fields, values)
    }

    /// An object of fields.
    fn object(&mut self, fields: Vec<Part>, values: Vec<Expr>) -> Expr {
        let calls = self.json.calls;
        self.c.sign(calls.new_fields);
        let ty = self.c.program.functions[calls.new_fields.index()].result;
        let new = self.call(calls.new_fields, Vec::new(), Vec::new(), ty);
        let name = self.c.words.map;
        let object = self.local_named(name, ty, true);
        let bind = self.bind(object);
        let mut stmts = vec![self.stmt(StmtKind::Let(bind, new, None))];
        for ((name, ty), value) in fields.into_iter().zip(values) {
            let args = vec![self.local(object), self.text(name), value];
            let call = self.call(calls.encode_field, vec![ty], args, Ty::UNIT);
            stmts.push(self.stmt(StmtKind::Expr(call)));
        }
        let object = vec![self.local(object)];
        let value = self.json_variant("Object", object);
        self.block(stmts, value)
    }

    fn encode_enum(&mut self, id: EnumId, input: LocalId) -> Expr {
        let variants = self.c.program.enums[id.index()].variants.clone();
        let mut arms = Vec::with_capacity(variants.len());
        for (tag, variant) in (0..).zip(&variants) {
            let parts = self.parts_of(variant);
            let locals: Vec<LocalId> = parts.iter().map(|&(_, ty)| self.local_of(ty)).collect();
            let patterns = locals.iter().map(|&local| self.bind(local)).collect();
            let values: Vec<Expr> = locals.iter().map(|&local| self.local(local)).collect();
            let name: Rc<str> = Rc::from(self.c.text(variant.name));
            let pattern = self.pattern(PatternKind::Variant(id, tag, patterns), self.self_ty);
            let payload = match values.len() {
                0 => None,
                _ if variant.named => Some(self.object(parts, values)),
                1 => values.into_iter().next().map(|value| self.encoded(value)),
                _ => Some(self.list(values)),
            };
            let name = self.text(name);
            let body = match payload {
                None => self.json_variant("Text", vec![name]),
                Some(payload) => {
                    let encode_variant = self.json.calls.encode_variant;
                    self.call(encode_variant, Vec::new(), vec![name, payload], self.value_ty)
                }
            };
            arms.push(Arm { pattern, guard: None, body });
        }
        let value = Box::new(self.local(input));
        self.expr(ExprKind::Match(value, arms), self.value_ty)
    }

    fn list(&mut self, values: Vec<Expr>) -> Expr {
        let values = values.into_iter().map(|value| self.encoded(value)).collect();
        let lang = self.c.program.lang;
        let array = self.c.program.types.intern(TyKind::Array(self.value_ty));
        let array = self.expr(ExprKind::Array(values), array);
        let (Some(list), Some(make)) = (lang.list, lang.list_from_array) else { return array };
        let ty = self.c.program.types.intern(TyKind::Record(list, Box::new([self.value_ty])));
        let list = self.call(make, vec![self.value_ty], vec![array], ty);
        self.json_variant("List", vec![list])
    }

    /// What a value is written as.
    fn encoded(&mut self, value: Expr) -> Expr {
        let (of, self_ty) = (self.json.encode, value.ty);
        let method = self.c.program.traits[of.index()].methods.iter();
        let method = method.take_while(|method| self.c.text(method.name) != "encode").count() as u32;
        let callee = Callee::Trait { of, args: Vec::new(), method, self_ty, method_args: Vec::new() };
        self.c.reach_trait(of, method, self_ty);
        self.expr(ExprKind::Call(callee, vec![value]), self.value_ty)
    }

    fn decode_record(&mut self, id: RecordId, input: LocalId) -> Expr {
        let fields = &self.c.program.records[id.index()].fields;
        let fields = fields.iter().map(|field| (field.name, field.ty)).collect();
        let fields = self.parts(fields);
        let mut values = Vec::with_capacity(fields.len());
        for (index, (name, ty)) in (0..).zip(fields) {
            let args = vec![self.local(input), self.text(name)];
            values.push((index, self.tried(self.json.calls.decode_field, ty, args)));
        }
        let record = self.expr(ExprKind::Record(id, values), self.self_ty);
        self.good(record)
    }

    fn decode_enum(&mut self, id: EnumId, input: LocalId) -> Expr {
        let calls = self.json.calls;
        let pair = self.c.program.types.tuple(&[Ty::STRING, self.value_ty]);
        let (name, payload) = (self.local_of(Ty::STRING), self.local_of(self.value_ty));
        let args = vec![self.local(input)];
        let read = self.tried_plain(calls.decode_variant, pair, args);
        let both = vec![self.bind(name), self.bind(payload)];
        let both = self.pattern(PatternKind::Tuple(both), pair);
        let stmts = vec![self.stmt(StmtKind::Let(both, read, None))];
        let variants = self.c.program.enums[id.index()].variants.clone();
        let mut arms = Vec::with_capacity(variants.len() + 1);
        for (tag, variant) in (0..).zip(&variants) {
            let text: Rc<str> = Rc::from(self.c.text(variant.name));
            let body = self.decode_payload(id, tag, variant, &text, payload);
            let pattern = self.pattern(PatternKind::String(text), Ty::STRING);
            arms.push(Arm { pattern, guard: None, body });
        }
        let known: Vec<&str> = variants.iter().map(|variant| self.c.text(variant.name)).collect();
        let known = match known.split_last() {
            None => "nothing".to_owned(),
            Some((only, [])) => (*only).to_owned(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
        };
        let args = vec![self.local(name), self.text(known.into())];
        let result = self.result_of(self.self_ty);
        let body = self.call(calls.no_variant, vec![self.self_ty], args, result);
        arms.push(Arm { pattern: self.pattern(PatternKind::Wildcard, Ty::STRING), guard: None, body });
        let name = Box::new(self.local(name));
        let value = self.expr(ExprKind::Match(name, arms), result);
        self.block(stmts, value)
    }

    fn decode_payload(&mut self, id: EnumId, tag: u32, variant: &Variant, text: &Rc<str>, payload: LocalId) -> Expr {
        let calls = self.json.calls;
        let parts = self.parts_of(variant);
        let count = parts.len() as i64;
        let mut stmts = Vec::new();
        if parts.is_empty() {
            let args = vec![self.local(payload), self.text(text.clone())];
            let unit = self.tried_plain(calls.decode_unit, Ty::UNIT, args);
            stmts.push(self.stmt(StmtKind::Expr(unit)));
        }
        let mut values = Vec::with_capacity(parts.len());
        for (place, (name, ty)) in (0..).zip(parts) {
            let mut args = vec![self.local(payload), self.text(text.clone())];
            let call = if variant.named {
                args.push(self.text(name));
                calls.decode_named
            } else {
                args.push(self.expr(ExprKind::Int(place), Ty::INT));
                args.push(self.expr(ExprKind::Int(count), Ty::INT));
                calls.decode_part
            };
            values.push(self.tried(call, ty, args));
        }
        let made = self.expr(ExprKind::Variant(id, tag, values), self.self_ty);
        let made = self.good(made);
        self.block(stmts, made)
    }

    /// The fields of a variant.
    fn parts_of(&mut self, variant: &Variant) -> Vec<Part> {
        self.parts(variant.fields.iter().map(|field| (field.name, field.ty)).collect())
    }

    fn parts(&self, fields: Vec<(Name, Ty)>) -> Vec<Part> {
        fields.into_iter().map(|(name, ty)| (Rc::from(self.c.text(name)), ty)).collect()
    }

    /// `Ok` of a value.
    fn good(&mut self, value: Expr) -> Expr {
        let ty = self.result_of(value.ty);
        match self.c.program.lang.result {
            Some(result) => self.expr(ExprKind::Variant(result, 0, vec![value]), ty),
            None => value,
        }
    }

    fn result_of(&mut self, ty: Ty) -> Ty {
        match self.c.program.lang.result {
            Some(result) => self.c.program.types.intern(TyKind::Enum(result, Box::new([ty, self.error]))),
            None => Ty::ERROR,
        }
    }

    /// What a function for a type gives, or its error.
    fn tried(&mut self, function: FnId, ty: Ty, args: Vec<Expr>) -> Expr {
        let result = self.result_of(ty);
        let call = self.call(function, vec![ty], args, result);
        self.expr(ExprKind::Try(Box::new(call), Conversion::Same), ty)
    }

    fn tried_plain(&mut self, function: FnId, ty: Ty, args: Vec<Expr>) -> Expr {
        let result = self.result_of(ty);
        let call = self.call(function, Vec::new(), args, result);
        self.expr(ExprKind::Try(Box::new(call), Conversion::Same), ty)
    }

    /// A variant of the value's own enum.
    fn json_variant(&mut self, name: &str, fields: Vec<Expr>) -> Expr {
        let of = self.json.value;
        let variants = self.c.program.enums[of.index()].variants.iter();
        let tag = variants.take_while(|variant| self.c.text(variant.name) != name).count() as u32;
        self.expr(ExprKind::Variant(of, tag, fields), self.value_ty)
    }

    fn call(&mut self, function: FnId, types: Vec<Ty>, args: Vec<Expr>, ty: Ty) -> Expr {
        self.c.reach_fn(function);
        self.c.reach_arguments(function, &types);
        self.expr(ExprKind::Call(Callee::Fn(function, types), args), ty)
    }

    fn local_of(&mut self, ty: Ty) -> LocalId {
        let name = self.c.words.value;
        self.local_named(name, ty, false)
    }

    fn local_named(&mut self, name: Name, ty: Ty, mutable: bool) -> LocalId {
        let id = LocalId(self.locals.len() as u32);
        let (assigned, captured, access, span) = (false, false, None, self.span);
        self.locals.push(Local { name, ty, mutable, assigned, captured, access, span });
        id
    }

    fn local(&self, local: LocalId) -> Expr {
        self.expr(ExprKind::Local(local), self.locals[local.index()].ty)
    }

    fn bind(&self, local: LocalId) -> Pattern {
        self.pattern(PatternKind::Bind(local, None), self.locals[local.index()].ty)
    }

    fn text(&self, text: Rc<str>) -> Expr {
        self.expr(ExprKind::String(text), Ty::STRING)
    }

    fn block(&self, stmts: Vec<Stmt>, value: Expr) -> Expr {
        let ty = value.ty;
        self.expr(ExprKind::Block(stmts, Some(Box::new(value))), ty)
    }

    fn expr(&self, kind: ExprKind, ty: Ty) -> Expr {
        Expr { kind, ty, span: self.span }
    }

    fn stmt(&self, kind: StmtKind) -> Stmt {
        Stmt { kind, span: self.span }
    }

    fn pattern(&self, kind: PatternKind, ty: Ty) -> Pattern {
        Pattern { kind, ty, span: self.span }
    }
}
