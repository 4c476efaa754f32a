//! Signatures: what is written of types, resolved.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::declare::{Code, ImplSource, Sketch, Written as WrittenFunction};
use super::scope::{AliasId, Builtin, Def, PRELUDE};
use super::traits::Head;
use super::types::{BoundsOf, TypeScope};
use super::written::{Written, access_tree};
use super::{Checker, Owner, function_ids};
use crate::diagnostic::Diagnostic;
use crate::names::Name;
use crate::session::transfer;
use crate::source::Span;
use crate::syntax::{self, Access, FnKind, ItemKind, TypeKind};
use crate::typed::{
    AccessTree, EnumId, Field, FnId, FunctionKind, Generic, ImplId, ModuleId, Parameter, RecordId, TraitId, Ty, TyKind,
};

/// How many traits a trait may ask for, directly or not.
const MAX_SUPERS: usize = 100;

impl<'a> Checker<'a> {
    /// Resolves all signatures.
    pub(super) fn resolve_signatures(&mut self) {
        self.resolve_traits();
        if self.stopped {
            return;
        }
        self.resolve_records();
        self.resolve_enums();
        for alias in 0..self.declared.aliases.len() {
            self.resolve_alias(AliasId(alias as u32));
        }
        for id in 0..self.program.constants.len() {
            let (module, written) = (self.program.constants[id].module, self.declared.consts[id]);
            let scope = self.plain_scope(module);
            self.program.constants[id].ty = self.resolve_type(&written.ty, &scope).0;
        }
        for index in 0..self.program.impls.len() {
            let id = ImplId(index as u32);
            let sketch = self.sketch(id);
            if sketch.is_some() && !self.is_eager(self.program.impls[index].module) {
                self.declared.impls[index].sketch = sketch;
            } else {
                self.resolve_impl(id);
                debug_assert!(sketch.is_none_or(|sketch| sketch.is_of(self.impl_head(id))), "{sketch:?}");
            }
        }
        for id in function_ids(&self.program) {
            if self.is_eager(self.program.functions[id.index()].module) {
                self.sign(id);
            }
        }
        for id in 0..self.program.traits.len() {
            if self.is_eager(self.program.traits[id].module) {
                for method in 0..self.program.traits[id].methods.len() as u32 {
                    self.find_dispatchable(TraitId(id as u32), method);
                }
            }
        }
        self.index_impls();
        self.find_lang_functions();
    }

    fn plain_scope(&self, module: ModuleId) -> TypeScope {
        TypeScope { module, params: Vec::new(), self_ty: None, owner: BoundsOf::Nothing, holes: false }
    }

    fn resolve_traits(&mut self) {
        for index in 0..self.program.traits.len() {
            let (id, written) = (TraitId(index as u32), self.declared.traits[index]);
            let module = self.program.traits[index].module;
            let params = self.generic_names(&[self.words.self_type], &written.generics);
            let self_ty = Some(self.program.types.intern(TyKind::Param(0)));
            let scope = TypeScope { module, params, self_ty, owner: BoundsOf::Trait(id), holes: false };
            let mut generics = self.new_generics(&scope.params[1..]);
            self.resolve_bounds(&mut generics, 1, &written.generics, &scope);
            self.program.traits[index].generics = generics;
            let supers = written.supers.iter().filter_map(|of| self.resolve_trait_ref(of, &scope)).collect();
            self.program.traits[index].supers = supers;
        }
        for index in 0..self.program.traits.len() {
            if !self.stopped {
                self.check_supers(TraitId(index as u32));
            }
        }
    }

    /// Whether a trait asks for itself, or for too many others; then it asks for none.
    fn check_supers(&mut self, id: TraitId) {
        let mut all: Vec<TraitId> = self.program.traits[id.index()].supers.iter().map(|(of, _)| *of).collect();
        let mut next = 0;
        while next < all.len() && all.len() <= MAX_SUPERS && all[next] != id {
            for i in 0..self.program.traits[all[next].index()].supers.len() {
                let above = self.program.traits[all[next].index()].supers[i].0;
                if !all.contains(&above) {
                    all.push(above);
                }
            }
            next += 1;
        }
        if next == all.len() {
            return;
        }
        let found = &self.program.traits[id.index()];
        let (name, span) = (self.text(found.name).to_owned(), found.span);
        self.program.traits[id.index()].supers.clear();
        self.stopped = all.len() > MAX_SUPERS;
        self.report(if self.stopped {
            let message = format!("trait `{name}` asks for more than {MAX_SUPERS} others");
            Diagnostic::error("F0733", span, message)
        } else {
            Diagnostic::error("F0413", span, format!("trait `{name}` asks for itself"))
        });
    }

    fn resolve_records(&mut self) {
        for index in 0..self.program.records.len() {
            let written = self.declared.records[index];
            let module = self.program.records[index].module;
            let params = self.generic_names(&[], &written.generics);
            let owner = BoundsOf::Record(RecordId(index as u32));
            let scope = TypeScope { module, params, self_ty: None, owner, holes: false };
            let mut generics = self.new_generics(&scope.params);
            self.resolve_bounds(&mut generics, 0, &written.generics, &scope);
            self.program.records[index].generics = generics;
            self.program.records[index].fields = self.resolve_fields(&written.fields, &scope);
        }
    }

    fn resolve_enums(&mut self) {
        for index in 0..self.program.enums.len() {
            let written = self.declared.enums[index];
            let module = self.program.enums[index].module;
            let params = self.generic_names(&[], &written.generics);
            let owner = BoundsOf::Enum(EnumId(index as u32));
            let scope = TypeScope { module, params, self_ty: None, owner, holes: false };
            let mut generics = self.new_generics(&scope.params);
            self.resolve_bounds(&mut generics, 0, &written.generics, &scope);
            self.program.enums[index].generics = generics;
            for (tag, variant) in written.variants.iter().enumerate() {
                let fields = match &variant.payload {
                    syntax::Payload::Unit => Vec::new(),
                    syntax::Payload::Named(fields) => {
                        let mut fields = self.resolve_fields(fields, &scope);
                        fields.iter_mut().for_each(|field| field.public = true);
                        fields
                    }
                    syntax::Payload::Tuple(types) => types
                        .iter()
                        .enumerate()
                        .map(|(i, ty)| {
                            let name = self.names.intern(&i.to_string());
                            let (resolved, written) = self.resolve_type(ty, &scope);
                            let access = self.access_tree(resolved, &written, Some(Access::Read));
                            Field { name, ty: resolved, access, mutable: false, public: true, span: ty.span }
                        })
                        .collect(),
                };
                self.program.enums[index].variants[tag].fields = fields;
            }
        }
    }

    fn resolve_fields(&mut self, fields: &[syntax::Field], scope: &TypeScope) -> Vec<Field> {
        let mut seen = FxHashMap::default();
        let mut resolved = Vec::with_capacity(fields.len());
        for field in fields {
            if let Some(first) = seen.insert(field.name.name, field.name.span) {
                self.report_twice("field", field.name, first);
            }
            let (ty, written) = self.resolve_type(&field.ty, scope);
            let default = if field.mutable { Access::Mutable } else { Access::Read };
            resolved.push(Field {
                name: field.name.name,
                ty,
                access: self.access_tree(ty, &written, Some(default)),
                mutable: field.mutable,
                public: field.public,
                span: field.name.span,
            });
        }
        resolved
    }

    /// What is known of an implementation of the standard library by the names in its first line.
    fn sketch(&mut self, id: ImplId) -> Option<Sketch> {
        let module = self.program.impls[id.index()].module;
        let ImplSource::Outline(place) = self.declared.impls[id.index()].source else { return None };
        let (of, ty) = place.outline.implemented(place.entry(), self.names)?;
        let of = match of {
            None => None,
            Some(name) => match self.lookup(module, name)? {
                Def::Trait(id) => Some(id),
                _ => return None,
            },
        };
        let head = match self.lookup(module, ty)? {
            Def::Record(id) => Head::Record(id),
            Def::Enum(id) => Head::Enum(id),
            Def::Trait(id) => Head::Dyn(id),
            Def::Builtin(Builtin::Plain(ty)) => self.head(ty)?,
            Def::Builtin(Builtin::Array) => Head::Array,
            _ => return None,
        };
        Some(Sketch { of, head })
    }

    /// What an implementation is of and for; nothing where it is for types of all sorts, or wrong.
    pub(super) fn impl_head(&self, id: ImplId) -> (Option<TraitId>, Option<Head>) {
        match self.declared.impls.get(id.index()).and_then(|written| written.sketch) {
            Some(sketch) => (sketch.of, Some(sketch.head)),
            None => {
                let found = &self.program.impls[id.index()];
                (found.of.as_ref().map(|(of, _)| *of), self.head(found.self_ty))
            }
        }
    }

    /// Resolves what an implementation is of and for, if that was not done.
    ///
    /// Invariant: who reads the trait, the type or the type parameters of an implementation, or the functions of one of a trait, has called
    /// this before, or asked for no more than [`impl_head`](Self::impl_head).
    pub(super) fn sign_impl(&mut self, id: ImplId) {
        let sketch = self.declared.impls.get_mut(id.index()).and_then(|written| written.sketch.take());
        if let Some(sketch) = sketch {
            self.meanwhile(|checker| checker.resolve_impl(id));
            debug_assert!(sketch.is_of(self.impl_head(id)), "{sketch:?}");
        }
    }

    /// Resolves something in the middle of something else.
    fn meanwhile(&mut self, resolve: impl FnOnce(&mut Self)) {
        let env = std::mem::take(&mut self.env);
        let exceeded = self.program.types.take_exceeded();
        resolve(self);
        self.program.types.set_exceeded(exceeded);
        self.env = env;
    }

    fn resolve_impl(&mut self, id: ImplId) {
        let written = match self.declared.impls[id.index()].source {
            ImplSource::Tree(written) => written,
            ImplSource::Outline(place) => match &self.parsed(place).kind {
                ItemKind::Impl(written) => written,
                _ => return,
            },
        };
        let module = self.program.impls[id.index()].module;
        let params = self.generic_names(&[], &written.generics);
        let mut scope = TypeScope { module, params, self_ty: None, owner: BoundsOf::Impl(id), holes: false };
        let self_ty = match self.inherent_target(written, &scope) {
            Some(ty) => ty,
            None => self.resolve_type(&written.ty, &scope).0,
        };
        scope.self_ty = Some(self_ty);
        let mut generics = self.new_generics(&scope.params);
        self.resolve_bounds(&mut generics, 0, &written.generics, &scope);
        self.resolve_bounds(&mut generics, 0, &written.wheres, &scope);
        let of = written.trait_ref.as_ref().map(|of| self.resolve_trait_ref(of, &scope));
        let found = &mut self.program.impls[id.index()];
        (found.self_ty, found.generics, found.span) = (self_ty, generics, written.head);
        match of {
            None => {}
            Some(Some(of)) => found.of = Some(of),
            // Its functions are checked, but it implements nothing.
            Some(None) => found.self_ty = if written.trait_ref.is_some() { Ty::ERROR } else { self_ty },
        }
        if !self.is_eager(module) {
            self.order_members(id);
        }
    }

    /// `impl Trait { … }`: functions of the trait itself, which are those of its `dyn`.
    fn inherent_target(&mut self, written: &syntax::Impl, scope: &TypeScope) -> Option<Ty> {
        let TypeKind::Named(path, args) = &written.ty.kind else { return None };
        let [name] = path.parts.as_slice() else { return None };
        if written.trait_ref.is_some() || scope.params.contains(&name.name) {
            return None;
        }
        let Some(Def::Trait(id)) = self.lookup(scope.module, name.name) else { return None };
        let args: Vec<Ty> = args.iter().map(|arg| self.resolve_type(arg, scope).0).collect();
        (args.len() == self.declared.traits[id.index()].generics.len())
            .then(|| self.program.types.intern(TyKind::Dyn(id, args.into())))
    }

    /// The names of type parameters, those around them first.
    pub(super) fn generic_names(&mut self, around: &[Name], generics: &[syntax::Generic]) -> Vec<Name> {
        let mut names = around.to_vec();
        for generic in generics {
            if names.contains(&generic.name.name) {
                let message = format!("the type parameter `{}` is declared twice", self.text(generic.name.name));
                self.report(Diagnostic::error("F0209", generic.name.span, message));
            }
            names.push(generic.name.name);
        }
        names
    }

    fn new_generics(&self, names: &[Name]) -> Vec<Generic> {
        names.iter().map(|&name| Generic { name, bounds: Vec::new() }).collect()
    }

    /// Adds written bounds to type parameters, the first of which has number `offset` in the scope.
    fn resolve_bounds(
        &mut self,
        generics: &mut [Generic],
        offset: usize,
        written: &[syntax::Generic],
        scope: &TypeScope,
    ) {
        for generic in written {
            if generic.bounds.is_empty() {
                continue;
            }
            let place = scope.params.iter().position(|&name| name == generic.name.name);
            let Some(target) = place.and_then(|place| place.checked_sub(offset)).filter(|&i| i < generics.len()) else {
                let message = format!("there is no type parameter `{}` here", self.text(generic.name.name));
                self.report(Diagnostic::error("F0202", generic.name.span, message));
                continue;
            };
            for bound in &generic.bounds {
                if let Some(bound) = self.resolve_trait_ref(bound, scope) {
                    generics[target].bounds.push(bound);
                }
            }
        }
    }

    /// Resolves a function's signature, if that was not done: those of the standard library's functions are when something names them.
    ///
    /// Invariant: who reads the parameters, the result, the type parameters or the kind of a function has signed it before.
    pub(super) fn sign(&mut self, id: FnId) {
        // One that was made from a type's structure has its signature from the beginning.
        let Some(written) = self.declared.fns.get_mut(id.index()).filter(|written| !written.signed) else { return };
        written.signed = true;
        self.meanwhile(|checker| checker.resolve_function(id));
    }

    fn resolve_function(&mut self, id: FnId) {
        let WrittenFunction { source, owner, .. } = self.declared.fns[id.index()];
        let module = self.program.functions[id.index()].module;
        match source {
            Code::Fn(function) => self.resolve_written_function(id, module, owner, function),
            Code::Outline(place) => {
                if let ItemKind::Fn(function) = &self.parsed(place).kind {
                    self.resolve_written_function(id, module, owner, function);
                }
            }
            Code::Test(test) => {
                let function = &mut self.program.functions[id.index()];
                function.path = Rc::from(format!("test {:?}", &*test.name));
                function.result = Ty::UNIT;
            }
            Code::Script(file) => self.resolve_script(id, module, file),
        }
    }

    /// The signature of the function that a script's statements are.
    pub(super) fn resolve_script(&mut self, id: FnId, module: ModuleId, file: &syntax::File) {
        let scope = self.plain_scope(module);
        let params = file.needs.as_ref().map_or(&[][..], |needs| &needs.params);
        let mut params = self.resolve_params(params, &scope);
        let session = self.options.session;
        if let Some(session) = session {
            for variable in &session.variables {
                let ty = transfer(&session.types, variable.ty, &mut self.program.types);
                let (name, mutable) = (self.names.intern(&variable.name), variable.mutable);
                let span = Span::new(file.id, 0, 0);
                params.push(Parameter { name, ty, mutable, access: variable.access.clone(), span });
            }
        }
        // That of an entry's value is given, for whoever made the entry.
        let good = if session.is_some() { Ty::STRING } else { Ty::UNIT };
        let result = match (self.program.lang.result, self.program.lang.error) {
            (Some(result), Some(error)) => {
                let error = self.dyn_type(error, Vec::new());
                self.program.types.intern(TyKind::Enum(result, Box::new([good, error])))
            }
            _ => Ty::UNIT,
        };
        let access = self.access_tree(result, &Written::Nothing, None);
        let function = &mut self.program.functions[id.index()];
        function.path = Rc::from("main");
        function.params = params;
        function.result = result;
        function.result_access = access;
    }

    fn resolve_written_function(&mut self, id: FnId, module: ModuleId, owner: Owner, function: &syntax::Fn) {
        let (outer, mut generics, self_ty) = match owner {
            Owner::Module => (Vec::new(), Vec::new(), None),
            Owner::Impl(of) => {
                self.sign_impl(of);
                let found = &self.program.impls[of.index()];
                let names = found.generics.iter().map(|generic| generic.name).collect();
                (names, found.generics.clone(), Some(found.self_ty))
            }
            Owner::Trait(of) => {
                let found = self.program.traits[of.index()].generics.clone();
                let mut names = vec![self.words.self_type];
                names.extend(found.iter().map(|generic| generic.name));
                let args = (1..names.len() as u32).map(|i| self.program.types.intern(TyKind::Param(i))).collect();
                let mut generics = vec![Generic { name: self.words.self_type, bounds: vec![(of, args)] }];
                generics.extend(found);
                (names, generics, Some(self.program.types.intern(TyKind::Param(0))))
            }
        };
        let params = self.generic_names(&outer, &function.generics);
        generics.extend(self.new_generics(&params[outer.len()..]));
        let scope = TypeScope { module, params, self_ty, owner: BoundsOf::Fn(id), holes: false };
        self.resolve_bounds(&mut generics, 0, &function.generics, &scope);
        self.resolve_bounds(&mut generics, 0, &function.wheres, &scope);
        let mut params = Vec::with_capacity(function.params.len() + 1);
        match (function.receiver, self_ty) {
            (Some(receiver), Some(ty)) => {
                let default = if receiver.mutable { Access::Mutable } else { Access::Read };
                params.push(Parameter {
                    name: self.words.self_value,
                    ty,
                    mutable: receiver.mutable,
                    access: self.access_tree(ty, &Written::Nothing, Some(default)),
                    span: receiver.span,
                });
            }
            (Some(receiver), None) => {
                let message = "only functions of traits and `impl`s have `self`";
                self.report(Diagnostic::error("F0211", receiver.span, message));
            }
            (None, _) => {}
        }
        params.extend(self.resolve_params(&function.params, &scope));
        let (result, access) = match &function.result {
            Some(result) => self.resolve_type(result, &scope),
            None => (Ty::UNIT, Written::Nothing),
        };
        let access = self.access_tree(result, &access, None);
        self.check_kind(module, function);
        let path = self.function_path(module, owner, function.name.name);
        let found = &mut self.program.functions[id.index()];
        found.path = path;
        found.kind = match function.kind {
            FnKind::Plain if function.body.is_none() => FunctionKind::Required,
            FnKind::Plain => FunctionKind::Unreached,
            FnKind::Intrinsic => FunctionKind::Intrinsic,
            FnKind::Host => FunctionKind::Host(None),
        };
        found.generics = generics;
        found.receiver = function.receiver.is_some() && self_ty.is_some();
        found.params = params;
        found.result = result;
        found.result_access = access;
    }

    fn resolve_params(&mut self, params: &[syntax::Param], scope: &TypeScope) -> Vec<Parameter> {
        let mut seen = FxHashMap::default();
        let mut resolved = Vec::with_capacity(params.len());
        for param in params {
            if param.name.name != self.words.underscore
                && let Some(first) = seen.insert(param.name.name, param.name.span)
            {
                self.report_twice("parameter", param.name, first);
            }
            let (ty, written) = match &param.ty {
                Some(ty) => self.resolve_type(ty, scope),
                None => {
                    let error = Diagnostic::error("F0326", param.span, "signatures say their types");
                    self.report(error.label("the type is missing"));
                    (Ty::ERROR, Written::Nothing)
                }
            };
            let default = if param.mutable { Access::Mutable } else { Access::Read };
            resolved.push(Parameter {
                name: param.name.name,
                ty,
                mutable: param.mutable,
                access: self.access_tree(ty, &written, Some(default)),
                span: param.span,
            });
        }
        resolved
    }

    fn access_tree(&self, ty: Ty, written: &Written, default: Option<Access>) -> AccessTree {
        access_tree(&self.program.types, ty, written, default)
    }

    /// Whether a function is one that its module may declare. That it has a body where it needs one, the parser sees.
    fn check_kind(&mut self, module: ModuleId, function: &syntax::Fn) {
        if function.kind != FnKind::Plain && !self.program.modules[module.index()].standard {
            let message = "only the standard library declares such functions";
            self.report(Diagnostic::error("F0327", function.head, message));
        }
    }

    /// What traces call a function.
    pub(super) fn function_path(&self, module: ModuleId, owner: Owner, name: Name) -> Rc<str> {
        let path = &self.program.modules[module.index()].path;
        let root = module.index() + 1 == self.program.modules.len();
        let mut text = String::new();
        if module != PRELUDE && !root {
            text.push_str(path.rsplit('/').next().unwrap_or(path));
            text.push('.');
        }
        match owner {
            Owner::Module => {}
            Owner::Trait(of) => {
                text.push_str(self.text(self.program.traits[of.index()].name));
                text.push('.');
            }
            Owner::Impl(of) => {
                text.push_str(&self.show_head(self.program.impls[of.index()].self_ty));
                text.push('.');
            }
        }
        text.push_str(self.text(name));
        Rc::from(text)
    }

    /// Whether a function of a trait can be called on `dyn`.
    pub(super) fn find_dispatchable(&mut self, id: TraitId, method: u32) -> bool {
        let function = self.program.traits[id.index()].methods[method as usize].function;
        if !self.declared.dispatch.insert(function) {
            return self.program.traits[id.index()].methods[method as usize].dispatchable;
        }
        self.sign(function);
        let around = self.program.traits[id.index()].generics.len() + 1;
        let self_ty = self.program.types.intern(TyKind::Param(0));
        let function = &self.program.functions[function.index()];
        let mut types: Vec<Ty> = function.params.iter().skip(1).map(|param| param.ty).collect();
        types.push(function.result);
        // A function with more bounds than its trait cannot be called for all that implements the trait.
        let own = &self.program.traits[id.index()].generics;
        let same = |(one, other): (&Generic, &Generic)| one.bounds.len() == other.bounds.len();
        let plain = function.receiver
            && function.generics.len() == around
            && function.generics[0].bounds.len() == 1
            && function.generics[1..].iter().zip(own).all(same);
        let dispatchable = plain && !types.iter().any(|&ty| self.mentions(ty, self_ty));
        self.program.traits[id.index()].methods[method as usize].dispatchable = dispatchable;
        dispatchable
    }

    /// Whether a type has another one in it.
    pub(super) fn mentions(&self, ty: Ty, part: Ty) -> bool {
        if ty == part {
            return true;
        }
        let types = &self.program.types;
        if !types.has_param(ty) && types.has_param(part) {
            return false;
        }
        let result = match types.kind(ty) {
            TyKind::Fn(_, result) => self.mentions(*result, part),
            _ => false,
        };
        result || types.parts(ty).iter().any(|&inner| self.mentions(inner, part))
    }
}
