//! Types as they are written, resolved.

use super::Checker;
use super::declare::AliasState;
use super::scope::{AliasId, Builtin, Def};
use super::written::{Written, graft};
use crate::diagnostic::Diagnostic;
use crate::names::Name;
use crate::source::Span;
use crate::syntax::{self, TypeKind};
use crate::typed::{EnumId, FnId, ImplId, ModuleId, RecordId, TraitId, Ty, TyKind};

/// How many aliases may stand for one another in turn.
const MAX_ALIAS_DEPTH: usize = 100;

/// What type names mean where a type is written.
pub(super) struct TypeScope {
    pub module: ModuleId,
    /// The type parameters, by their numbers.
    pub params: Vec<Name>,
    /// `Self`.
    pub self_ty: Option<Ty>,
    /// Whose bounds hold.
    pub owner: BoundsOf,
    /// Whether `_` is allowed.
    pub holes: bool,
}

/// Whose type parameters are in scope.
#[derive(Clone, Copy, Debug)]
pub(super) enum BoundsOf {
    Nothing,
    Record(RecordId),
    Enum(EnumId),
    Trait(TraitId),
    Impl(ImplId),
    Fn(FnId),
}

/// A type whose arguments have to implement what its parameters ask for.
pub(super) struct PendingBound {
    pub owner: BoundsOf,
    pub ty: Ty,
    pub span: Span,
}

/// What a path means as a type.
#[derive(Clone, Copy, Debug)]
pub(super) enum TypeDef {
    Param(u32),
    SelfType(Ty),
    Def(Def),
}

impl Checker<'_> {
    /// The type that an alias stands for, in terms of its parameters.
    pub(super) fn resolve_alias(&mut self, id: AliasId) -> (Ty, Written) {
        let alias = &self.declared.aliases[id.0 as usize];
        let (written, module) = (alias.written, alias.module);
        match &alias.state {
            AliasState::Done(ty, written) => return (*ty, written.clone()),
            AliasState::Resolving => {
                let message = format!("`{}` stands for itself", self.text(written.name.name));
                self.report(Diagnostic::error("F0318", written.name.span, message));
                return (Ty::ERROR, Written::Nothing);
            }
            AliasState::New => {}
        }
        if self.alias_depth >= MAX_ALIAS_DEPTH {
            let message = format!("`{}` stands for a type through too many others", self.text(written.name.name));
            self.report(Diagnostic::error("F0734", written.name.span, message));
            self.stopped = true;
            return (Ty::ERROR, Written::Nothing);
        }
        self.alias_depth += 1;
        self.declared.aliases[id.0 as usize].state = AliasState::Resolving;
        let params = self.generic_names(&[], &written.generics);
        if let Some(bound) = written.generics.iter().flat_map(|generic| &generic.bounds).next() {
            self.report(
                Diagnostic::error("F0329", bound.span, "an alias has no bounds")
                    .help("take them out: those of the type that it stands for hold"),
            );
        }
        let scope = TypeScope { module, params, self_ty: None, owner: BoundsOf::Nothing, holes: false };
        let before = self.pending_bounds.len();
        let (ty, access) = self.resolve_type(&written.ty, &scope);
        // They are checked for the arguments, wherever the alias is used with what they are.
        self.pending_bounds.truncate(before);
        self.alias_depth -= 1;
        self.declared.aliases[id.0 as usize].state = AliasState::Done(ty, access.clone());
        (ty, access)
    }

    /// A trait with its arguments.
    pub(super) fn resolve_trait_ref(&mut self, of: &syntax::TraitRef, scope: &TypeScope) -> Option<(TraitId, Vec<Ty>)> {
        self.resolve_trait_written(of, scope).map(|(id, args, _)| (id, args))
    }

    /// A trait with its arguments, and what these say of access.
    fn resolve_trait_written(
        &mut self,
        of: &syntax::TraitRef,
        scope: &TypeScope,
    ) -> Option<(TraitId, Vec<Ty>, Vec<Written>)> {
        let id = match self.resolve_type_path(&of.path, scope)? {
            TypeDef::Def(Def::Trait(id)) => id,
            _ => {
                let message = format!("`{}` is no trait", self.sources.text(of.path.span));
                self.report(Diagnostic::error("F0203", of.path.span, message));
                return None;
            }
        };
        let (args, written) = self.resolve_types(&of.args, scope);
        let (name, count) = (self.program.traits[id.index()].name, self.declared.traits[id.index()].generics.len());
        self.check_arg_count("trait", name, count, args.len(), of.span).then_some((id, args, written))
    }

    fn check_arg_count(&mut self, what: &str, name: Name, wanted: usize, found: usize, span: Span) -> bool {
        if wanted != found {
            let (name, s) = (self.text(name), if wanted == 1 { "" } else { "s" });
            let message = format!("{what} `{name}` has {wanted} type parameter{s}, not {found}");
            self.report(Diagnostic::error("F0306", span, message));
        }
        wanted == found
    }

    /// What a path means where a type is wanted; says so if it means none.
    pub(super) fn resolve_type_path(&mut self, path: &syntax::Path, scope: &TypeScope) -> Option<TypeDef> {
        let is_type = |def| !matches!(def, Def::Fn(_) | Def::Const(_) | Def::Variant(..) | Def::Module(_));
        let first = path.parts[0];
        let def = match path.parts.as_slice() {
            [name] => {
                if name.name == self.words.self_type
                    && let Some(ty) = scope.self_ty
                {
                    return Some(TypeDef::SelfType(ty));
                }
                if let Some(index) = scope.params.iter().position(|&param| param == name.name) {
                    return Some(TypeDef::Param(index as u32));
                }
                match self.lookup(scope.module, name.name) {
                    Some(def) => def,
                    None => {
                        self.unknown_type(*name, scope);
                        return None;
                    }
                }
            }
            [module, name] => match self.lookup(scope.module, module.name) {
                Some(Def::Module(of)) => self.member(of, *name, scope.module)?,
                _ if self.has_failed(scope.module, module.name) => return None,
                _ => {
                    let message = format!("there is no module `{}` here", self.text(module.name));
                    self.report(Diagnostic::error("F0202", module.span, message));
                    return None;
                }
            },
            _ => {
                let message = format!("there is no type `{}`", self.sources.text(path.span));
                self.report(Diagnostic::error("F0202", path.span, message).help("import the module by its path"));
                return None;
            }
        };
        if !is_type(def) {
            let what = self.describe_def(def);
            let message = format!("expected a type, found {what}");
            self.report(Diagnostic::error("F0210", first.span.to(path.span), message));
            return None;
        }
        Some(TypeDef::Def(def))
    }

    fn unknown_type(&mut self, name: syntax::Ident, scope: &TypeScope) {
        if self.has_failed(scope.module, name.name) {
            return;
        }
        let text = self.text(name.name).to_owned();
        let mut error = Diagnostic::error("F0202", name.span, format!("there is no type `{text}`"));
        let is_type = |def| !matches!(def, Def::Fn(_) | Def::Const(_) | Def::Variant(..) | Def::Module(_));
        if name.name == self.words.self_type {
            error = error.label("`Self` is known in traits and `impl`s");
        } else if let Some(close) = self.closest_name(scope.module, name.name, scope.params.iter().copied(), is_type) {
            let close = self.text(close).to_owned();
            error = error.repair(format!("there is `{close}`"), name.span, close);
        } else if let Some(module) = self.module_that_has(name.name, is_type) {
            let path = &self.program.modules[module.index()].path;
            error = error.help(format!("module `{path}` has it: `import {path} {{{text}}}`"));
        }
        self.report(error);
    }

    /// A written type, and what it says of access.
    pub(super) fn resolve_type(&mut self, ty: &syntax::Type, scope: &TypeScope) -> (Ty, Written) {
        let resolved = self.resolve_kind(ty, scope);
        self.report_exceeded(ty.span);
        resolved
    }

    fn resolve_kind(&mut self, ty: &syntax::Type, scope: &TypeScope) -> (Ty, Written) {
        match &ty.kind {
            TypeKind::Error => (Ty::ERROR, Written::Nothing),
            TypeKind::Infer if scope.holes => (self.fresh(ty.span), Written::Nothing),
            TypeKind::Infer => {
                let error = Diagnostic::error("F0326", ty.span, "signatures say their types").label("write the type");
                self.report(error);
                (Ty::ERROR, Written::Nothing)
            }
            TypeKind::Tuple(parts) => {
                let (types, written) = self.resolve_types(parts, scope);
                (self.program.types.tuple(&types), Written::of(written))
            }
            TypeKind::Fn(params, result) => {
                let (types, mut written) = self.resolve_types(params, scope);
                let (result, access) = match result {
                    Some(result) => self.resolve_type(result, scope),
                    None => (Ty::UNIT, Written::Nothing),
                };
                written.push(access);
                (self.program.types.function(&types, result), Written::of(written))
            }
            TypeKind::Dyn(of) => {
                let Some((id, args, written)) = self.resolve_trait_written(of, scope) else {
                    return (Ty::ERROR, Written::Nothing);
                };
                if self.is_eager(scope.module) {
                    self.pending_dyns.push((id, ty.span));
                }
                (self.dyn_type(id, args), Written::of(written))
            }
            TypeKind::Access(access, inner) => {
                let (ty, written) = self.resolve_type(inner, scope);
                (ty, written.with(*access))
            }
            TypeKind::Named(path, args) => self.resolve_named(path, args, ty.span, scope),
        }
    }

    pub(super) fn resolve_types(&mut self, types: &[syntax::Type], scope: &TypeScope) -> (Vec<Ty>, Vec<Written>) {
        types.iter().map(|ty| self.resolve_type(ty, scope)).unzip()
    }

    /// `dyn` of a trait. That its functions can be called so is checked where all signatures are known.
    pub(super) fn dyn_type(&mut self, id: TraitId, args: Vec<Ty>) -> Ty {
        self.program.types.intern(TyKind::Dyn(id, args.into()))
    }

    fn resolve_named(
        &mut self,
        path: &syntax::Path,
        args: &[syntax::Type],
        span: Span,
        scope: &TypeScope,
    ) -> (Ty, Written) {
        let def = self.resolve_type_path(path, scope);
        let (mut types, mut written) = self.resolve_types(args, scope);
        let Some(def) = def else { return (Ty::ERROR, Written::Nothing) };
        let def = match def {
            TypeDef::Param(_) | TypeDef::SelfType(_) if !args.is_empty() => {
                let message = format!("`{}` takes no type arguments", self.sources.text(path.span));
                self.report(Diagnostic::error("F0306", span, message));
                return (Ty::ERROR, Written::Nothing);
            }
            TypeDef::Param(index) => return (self.program.types.intern(TyKind::Param(index)), Written::Nothing),
            TypeDef::SelfType(ty) => return (ty, Written::Nothing),
            TypeDef::Def(def) => def,
        };
        // `Result<T>` is short for `Result<T, dyn Error>`.
        if let (Def::Enum(id), [_]) = (def, args)
            && self.program.lang.result == Some(id)
            && let Some(error) = self.program.lang.error
        {
            types.push(self.dyn_type(error, Vec::new()));
            written.push(Written::Nothing);
        }
        self.apply(def, types, written, span, scope)
    }

    /// A declared type with arguments.
    fn apply(
        &mut self,
        def: Def,
        args: Vec<Ty>,
        written: Vec<Written>,
        span: Span,
        scope: &TypeScope,
    ) -> (Ty, Written) {
        let error = (Ty::ERROR, Written::Nothing);
        match def {
            Def::Builtin(Builtin::Plain(ty)) => {
                if !args.is_empty() {
                    let message = format!("`{}` takes no type arguments", self.show(ty));
                    self.report(Diagnostic::error("F0306", span, message));
                }
                (ty, Written::Nothing)
            }
            Def::Builtin(Builtin::Array) => match args.as_slice() {
                [element] => (self.program.types.intern(TyKind::Array(*element)), Written::of(written)),
                _ => {
                    self.report(Diagnostic::error("F0306", span, "`Array` has 1 type parameter"));
                    error
                }
            },
            Def::Record(id) => {
                let (name, count) =
                    (self.program.records[id.index()].name, self.declared.records[id.index()].generics.len());
                if !self.check_arg_count("record", name, count, args.len(), span) {
                    return error;
                }
                let ty = self.program.types.intern(TyKind::Record(id, args.into()));
                self.pend_bounds(ty, span, scope);
                (ty, Written::of(written))
            }
            Def::Enum(id) => {
                let (name, count) =
                    (self.program.enums[id.index()].name, self.declared.enums[id.index()].generics.len());
                if !self.check_arg_count("enum", name, count, args.len(), span) {
                    return error;
                }
                let ty = self.program.types.intern(TyKind::Enum(id, args.into()));
                self.pend_bounds(ty, span, scope);
                (ty, Written::of(written))
            }
            Def::Alias(id) => {
                let (name, count) = {
                    let alias = self.declared.aliases[id.0 as usize].written;
                    (alias.name.name, alias.generics.len())
                };
                if !self.check_arg_count("alias", name, count, args.len(), span) {
                    return error;
                }
                let (ty, access) = self.resolve_alias(id);
                let access = graft(&self.program.types, ty, &access, &written);
                let ty = self.program.types.substitute(ty, &args);
                self.pend_bounds(ty, span, scope);
                (ty, access)
            }
            Def::Trait(id) => {
                let (name, capability) =
                    (self.program.traits[id.index()].name, self.program.traits[id.index()].capability);
                let count = self.declared.traits[id.index()].generics.len();
                if !self.check_arg_count("trait", name, count, args.len(), span) {
                    return error;
                }
                if !capability {
                    let message = format!("`{}` is a trait", self.text(name));
                    self.report(Diagnostic::error("F0417", span, message).label("a type is expected").repair(
                        "any value that implements it is",
                        span.begin(),
                        "dyn ",
                    ));
                }
                (self.dyn_type(id, args), Written::of(written))
            }
            Def::Fn(_) | Def::Const(_) | Def::Variant(..) | Def::Module(_) => error,
        }
    }

    /// Notes what the arguments of a declared type have to implement.
    pub(super) fn pend_bounds(&mut self, ty: Ty, span: Span, scope: &TypeScope) {
        // In bodies it tells types, whatever the module.
        if !scope.holes && !self.is_eager(scope.module) {
            return;
        }
        let generics = match self.program.types.kind(ty) {
            TyKind::Record(id, _) => &self.declared.records[id.index()].generics,
            TyKind::Enum(id, _) => &self.declared.enums[id.index()].generics,
            _ => return,
        };
        // What they ask for is looked up when all bounds are resolved.
        if generics.iter().any(|generic| !generic.bounds.is_empty()) {
            self.pending_bounds.push(PendingBound { owner: scope.owner, ty, span });
        }
    }

    /// What a pending bound asks for, now that all bounds are resolved: types with the traits that they have to implement.
    pub(super) fn wanted_of(&mut self, ty: Ty) -> Vec<(Ty, TraitId, Vec<Ty>)> {
        let (generics, args) = match self.program.types.kind(ty) {
            TyKind::Record(id, args) => (self.program.records[id.index()].generics.clone(), args.clone()),
            TyKind::Enum(id, args) => (self.program.enums[id.index()].generics.clone(), args.clone()),
            _ => return Vec::new(),
        };
        let mut wanted = Vec::new();
        for (generic, &arg) in generics.iter().zip(args.iter()) {
            for (of, trait_args) in &generic.bounds {
                let trait_args = trait_args.iter().map(|&ty| self.program.types.substitute(ty, &args)).collect();
                wanted.push((arg, *of, trait_args));
            }
        }
        wanted
    }
}
