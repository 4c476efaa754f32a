//! Names and paths in expressions.

use super::{FrameKind, Infer, Member, Want};
use crate::check::scope::{Builtin, Def, PRELUDE};
use crate::check::types::TypeDef;
use crate::diagnostic::Diagnostic;
use crate::names::Name;
use crate::source::Span;
use crate::syntax::{self, Ident};
use crate::typed::{Callee, ConstId, EnumId, Expr, ExprKind, FnId, LocalId, ModuleId, Ty, TyKind};

/// What a path means.
#[derive(Clone, Copy)]
pub(super) enum Path<'a> {
    /// It is none, but an expression.
    Value,
    /// Something wrong, which was told.
    Error,
    Local(LocalId),
    Module(ModuleId),
    /// A type, with written arguments if there are some.
    Type(TypeDef, Option<&'a [syntax::Type]>),
    Fn(FnId, Option<&'a [syntax::Type]>),
    Const(ConstId),
    /// A variant that needs no type before it.
    Variant(EnumId, u32),
    /// A function or variant of a type.
    Associated(Ty, Ident, Option<&'a [syntax::Type]>),
}

impl<'a> Infer<'_, 'a> {
    /// Whether an expression is a path that does not begin with a local: of a module or a type.
    pub(super) fn is_path(&mut self, expr: &'a syntax::Expr) -> bool {
        let mut first = expr;
        loop {
            match &first.kind {
                syntax::ExprKind::Name(name) => {
                    // A constant is a value.
                    return !self.names.contains_key(&name.name)
                        && (self.type_name(name.name).is_some()
                            || !matches!(
                                self.c.lookup(self.module, name.name),
                                Some(Def::Const(_) | Def::Fn(_) | Def::Variant(..))
                            ));
                }
                syntax::ExprKind::Field(base, _) | syntax::ExprKind::Generic(base, _) => first = base,
                _ => return false,
            }
        }
    }

    /// A type parameter or `Self`.
    fn type_name(&mut self, name: Name) -> Option<TypeDef> {
        if name == self.c.words.self_type
            && let Some(ty) = self.scope.self_ty
        {
            return Some(TypeDef::SelfType(ty));
        }
        self.scope.params.iter().position(|&param| param == name).map(|index| TypeDef::Param(index as u32))
    }

    /// What an expression means as a path.
    pub(super) fn path(&mut self, expr: &'a syntax::Expr) -> Path<'a> {
        match &expr.kind {
            syntax::ExprKind::Name(name) => self.name_path(*name),
            syntax::ExprKind::Generic(inner, types) => match self.path(inner) {
                Path::Type(def, None) => Path::Type(def, Some(types)),
                Path::Fn(id, None) => Path::Fn(id, Some(types)),
                Path::Associated(ty, name, None) => Path::Associated(ty, name, Some(types)),
                Path::Error => Path::Error,
                Path::Value => Path::Value,
                _ => {
                    let message = format!("`{}` takes no type arguments", self.c.sources.text(inner.span));
                    self.report(Diagnostic::error("F0306", expr.span, message));
                    Path::Error
                }
            },
            syntax::ExprKind::Field(base, name) => {
                if !matches!(
                    base.kind,
                    syntax::ExprKind::Name(_) | syntax::ExprKind::Field(..) | syntax::ExprKind::Generic(..)
                ) || !self.is_path(base)
                {
                    return Path::Value;
                }
                match self.path(base) {
                    Path::Module(id) => {
                        self.probe_module(id, *name);
                        match self.c.member(id, *name, self.module) {
                            Some(def) => self.def_path(def),
                            None => Path::Error,
                        }
                    }
                    Path::Type(def, types) => match self.instantiate_type(def, types, base.span) {
                        Ty::ERROR => Path::Error,
                        ty => {
                            self.probe_type(ty, *name);
                            Path::Associated(ty, *name, None)
                        }
                    },
                    Path::Error => Path::Error,
                    _ => Path::Value,
                }
            }
            _ => Path::Value,
        }
    }

    fn name_path(&mut self, name: Ident) -> Path<'a> {
        self.probe_name(name);
        if let Some(&local) = self.names.get(&name.name) {
            return Path::Local(local);
        }
        if let Some(def) = self.type_name(name.name) {
            return Path::Type(def, None);
        }
        match self.c.lookup(self.module, name.name) {
            Some(def) => self.def_path(def),
            None => {
                self.unknown(name);
                Path::Error
            }
        }
    }

    fn def_path(&self, def: Def) -> Path<'a> {
        match def {
            Def::Module(id) => Path::Module(id),
            Def::Fn(id) => Path::Fn(id, None),
            Def::Const(id) => Path::Const(id),
            Def::Variant(id, tag) => Path::Variant(id, tag),
            Def::Builtin(_) | Def::Record(_) | Def::Enum(_) | Def::Trait(_) | Def::Alias(_) => {
                Path::Type(TypeDef::Def(def), None)
            }
        }
    }

    fn unknown(&mut self, name: Ident) {
        if self.c.has_failed(self.module, name.name) {
            return;
        }
        let text = self.c.text(name.name).to_owned();
        let mut error = Diagnostic::error("F0201", name.span, format!("there is no `{text}` here"));
        let mut locals: Vec<(LocalId, Name)> = self.names.iter().map(|(&name, &local)| (local, name)).collect();
        locals.sort_unstable();
        let locals = locals.into_iter().rev().map(|(_, name)| name);
        if name.name == self.c.words.self_value {
            error = error.label("this function has no `self`");
        } else if let Some(span) = self.script_name(name.name) {
            error = error
                .also(span, "this belongs to the script's statements")
                .help("let the function take it as a parameter");
        } else if let Some(close) = self.c.closest_name(self.module, name.name, locals, |_| true) {
            let close = self.c.text(close).to_owned();
            error = error.repair(format!("there is `{close}`"), name.span, close);
        } else if let Some(module) = self.c.module_that_has(name.name, |_| true) {
            let path = self.c.program.modules[module.index()].path.clone();
            error = error.help(format!("module `{path}` has it: `import {path} {{{text}}}`"));
        } else if let Some((id, tag)) = self.variant_anywhere(name.name) {
            let owner = self.c.text(self.c.program.enums[id.index()].name).to_owned();
            let _ = tag;
            error = error.repair("a variant is written with its enum", name.span, format!("{owner}.{text}"));
        } else if let Some(path) = self.standard_module(&text) {
            error = error.help(format!("there is a standard module: `import {path}`"));
        }
        self.report(error);
    }

    /// Where the script around a function binds a name.
    fn script_name(&self, name: Name) -> Option<Span> {
        let in_script = self.module.index() + 1 == self.c.program.modules.len() && self.module != PRELUDE;
        if self.frame.kind == FrameKind::Script || !in_script {
            return None;
        }
        let file = self.c.declared.root?;
        let needs = file.needs.iter().flat_map(|needs| &needs.params).map(|param| param.name);
        let lets = file.body.iter().take(1000).filter_map(|stmt| match &stmt.kind {
            syntax::StmtKind::Let { pattern, .. } => match &pattern.kind {
                syntax::PatternKind::Bind { name, .. } => Some(*name),
                _ => None,
            },
            _ => None,
        });
        needs.chain(lets).find(|found| found.name == name).map(|found| found.span)
    }

    /// A variant of this name of an enum of this module.
    fn variant_anywhere(&self, name: Name) -> Option<(EnumId, u32)> {
        self.c.program.enums.iter().enumerate().filter(|(_, found)| found.module == self.module).find_map(
            |(id, found)| {
                let tag = found.variants.iter().position(|variant| variant.name == name)?;
                Some((EnumId(id as u32), tag as u32))
            },
        )
    }

    /// A standard module whose path ends with this.
    fn standard_module(&self, name: &str) -> Option<&str> {
        let paths = self.c.options.standard.iter().filter_map(|(path, _)| path.strip_suffix(".fold"));
        paths.filter(|path| !path.starts_with("prelude/")).find(|path| path.rsplit('/').next() == Some(name))
    }

    /// A type that a path means, with holes where its arguments are not written.
    pub(super) fn instantiate_type(&mut self, def: TypeDef, types: Option<&'a [syntax::Type]>, span: Span) -> Ty {
        let def = match def {
            TypeDef::Param(index) => return self.c.program.types.intern(TyKind::Param(index)),
            TypeDef::SelfType(ty) => return ty,
            TypeDef::Def(def) => def,
        };
        let count = match def {
            Def::Record(id) => self.c.declared.records[id.index()].generics.len(),
            Def::Enum(id) => self.c.declared.enums[id.index()].generics.len(),
            Def::Trait(id) => self.c.declared.traits[id.index()].generics.len(),
            Def::Alias(id) => self.c.declared.aliases[id.0 as usize].written.generics.len(),
            Def::Builtin(Builtin::Array) => 1,
            _ => 0,
        };
        let args = match types {
            None => self.c.fresh_list(count, span),
            Some(types) => {
                let mut args: Vec<Ty> = types.iter().map(|ty| self.written_type(ty).0).collect();
                if let (Def::Enum(id), 1, 2) = (def, args.len(), count)
                    && Some(id) == self.c.program.lang.result
                    && let Some(error) = self.c.program.lang.error
                {
                    args.push(self.c.program.types.intern(TyKind::Dyn(error, Box::new([]))));
                }
                if args.len() != count {
                    let what = self.c.describe_def(def);
                    let message = format!("{what} has {count} type parameters, not {}", args.len());
                    self.report(Diagnostic::error("F0306", span, message));
                    return Ty::ERROR;
                }
                args
            }
        };
        match def {
            Def::Record(id) => self.c.program.types.intern(TyKind::Record(id, args.into())),
            Def::Enum(id) => self.c.program.types.intern(TyKind::Enum(id, args.into())),
            Def::Trait(id) => self.c.program.types.intern(TyKind::Dyn(id, args.into())),
            Def::Builtin(Builtin::Plain(ty)) => ty,
            Def::Builtin(Builtin::Array) => self.c.program.types.intern(TyKind::Array(args[0])),
            Def::Alias(id) => match &self.c.declared.aliases[id.0 as usize].state {
                crate::check::declare::AliasState::Done(ty, _) => {
                    let ty = *ty;
                    self.c.program.types.substitute(ty, &args)
                }
                _ => Ty::ERROR,
            },
            Def::Fn(_) | Def::Const(_) | Def::Variant(..) | Def::Module(_) => Ty::ERROR,
        }
    }

    /// A name or path as a value.
    pub(super) fn path_expr(&mut self, expr: &'a syntax::Expr, hint: Option<Ty>) -> Expr {
        let span = expr.span;
        match self.path(expr) {
            Path::Error => self.error(span),
            Path::Value => {
                if let syntax::ExprKind::Field(base, name) = &expr.kind {
                    let base = self.expr(base, Want::Value(None));
                    return self.member(base, Member::Field(*name), hint);
                }
                // Type arguments after what is no path.
                self.report(Diagnostic::error("F0329", span, "type arguments are for functions and types"));
                self.error(span)
            }
            Path::Local(local) => self.local(local, span),
            Path::Module(id) => {
                let path = self.c.program.modules[id.index()].path.clone();
                let message = format!("module `{path}` is no value");
                self.report(Diagnostic::error("F0210", span, message));
                self.error(span)
            }
            Path::Type(def, _) => {
                self.type_is_no_value(def, span);
                self.error(span)
            }
            Path::Const(id) => self.expr_of(ExprKind::Const(id), self.c.program.constants[id.index()].ty, span),
            Path::Fn(id, types) => self.function_value(id, types, span),
            Path::Variant(id, tag) => {
                let ty = self.fresh_enum(id, span);
                if let Some(hint) = hint {
                    self.c.try_unify(ty, hint);
                }
                self.variant_value(ty, id, tag, span)
            }
            Path::Associated(ty, name, types) => self.associated_value(ty, name, types, hint, span),
        }
    }

    pub(super) fn type_is_no_value(&mut self, def: TypeDef, span: Span) {
        let text = self.c.sources.text(span).to_owned();
        let error = Diagnostic::error("F0210", span, format!("the type `{text}` is no value"));
        let error = match def {
            TypeDef::Def(Def::Record(_)) => error.help(format!("a value of it is written `{text} {{ field: value }}`")),
            TypeDef::Def(Def::Enum(_)) => error.help(format!("a value of it is written `{text}.Variant`")),
            _ => error,
        };
        self.report(error);
    }

    /// An enum with holes for its arguments.
    pub(super) fn fresh_enum(&mut self, id: EnumId, span: Span) -> Ty {
        let count = self.c.program.enums[id.index()].generics.len();
        let args = self.c.fresh_list(count, span);
        self.c.program.types.intern(TyKind::Enum(id, args.into()))
    }

    /// A variant as a value: itself if it holds nothing, or the function that makes it.
    pub(super) fn variant_value(&mut self, ty: Ty, id: EnumId, tag: u32, span: Span) -> Expr {
        let variant = &self.c.program.enums[id.index()].variants[tag as usize];
        let (count, named, name) = (variant.fields.len(), variant.named, variant.name);
        if count == 0 && !named {
            return Expr { kind: ExprKind::Variant(id, tag, Vec::new()), ty, span };
        }
        if named {
            let text = self.c.text(name).to_owned();
            let error = Diagnostic::error("F0330", span, format!("the fields of `{text}` are missing"));
            self.report(error.help(format!("it is written `{text} {{ field: value }}`")));
            return self.error(span);
        }
        let fields = self.variant_fields(ty, id, tag);
        let function = self.c.program.types.function(&fields, ty);
        Expr { kind: ExprKind::Constructor(id, tag), ty: function, span }
    }

    /// The types of what a variant of a type holds.
    pub(super) fn variant_fields(&mut self, ty: Ty, id: EnumId, tag: u32) -> Vec<Ty> {
        let args: Vec<Ty> = self.c.program.types.parts(self.c.shallow(ty)).to_vec();
        let count = self.c.program.enums[id.index()].variants[tag as usize].fields.len();
        (0..count)
            .map(|i| {
                let field = self.c.program.enums[id.index()].variants[tag as usize].fields[i].ty;
                self.c.program.types.substitute(field, &args)
            })
            .collect()
    }

    /// A function as a value.
    pub(super) fn function_value(&mut self, id: FnId, types: Option<&'a [syntax::Type]>, span: Span) -> Expr {
        let count = self.generic_count(id);
        let Some(args) = self.own_args(count, 0, types, span) else { return self.error(span) };
        let (params, result) = self.instantiate(id, &args, span);
        let ty = self.c.program.types.function(&params, result);
        Expr { kind: ExprKind::Function(Callee::Fn(id, args)), ty, span }
    }

    /// The variant of this name of an enum.
    pub(super) fn find_variant(&self, ty: Ty, name: Name) -> Option<(EnumId, u32)> {
        let TyKind::Enum(id, _) = self.kind(ty) else { return None };
        let variants = &self.c.program.enums[id.index()].variants;
        let tag = variants.iter().position(|variant| variant.name == name)?;
        Some((*id, tag as u32))
    }

    fn associated_value(
        &mut self,
        ty: Ty,
        name: Ident,
        types: Option<&'a [syntax::Type]>,
        hint: Option<Ty>,
        span: Span,
    ) -> Expr {
        if let Some((id, tag)) = self.find_variant(ty, name.name) {
            if let Some(hint) = hint {
                self.c.try_unify(ty, hint);
            }
            return self.variant_value(ty, id, tag, span);
        }
        match self.associated(ty, name, types, span) {
            None => self.error(span),
            Some(found) => {
                let ty = self.c.program.types.function(&found.params, found.result);
                Expr { kind: ExprKind::Function(found.callee), ty, span }
            }
        }
    }
}
