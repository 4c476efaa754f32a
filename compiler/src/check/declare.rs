//! Declarations: each item of each module gets a number, and its name a meaning in the module's scope.

use std::rc::Rc;

use rustc_hash::FxHashSet;

use super::modules::{File, Module};
use super::outline::{Kind, Outline, Place};
use super::scope::{AliasId, Builtin, Def, Entry, ImportUse, ModuleScope, PRELUDE};
use super::traits::Head;
use super::{Checker, Owner};
use crate::diagnostic::Diagnostic;
use crate::names::Name;
use crate::source::Span;
use crate::syntax::{self, Ident, Item, ItemKind};
use crate::typed::{
    Body, ConstId, Constant, Enum, EnumId, Expr, ExprKind, FnId, Function, FunctionKind, Impl, ImplId, ModuleId,
    Record, RecordId, Test, Trait, TraitId, Ty,
};

/// Where each thing of the program is written, by its number.
#[derive(Default)]
pub(super) struct Declared<'a> {
    pub records: Vec<&'a syntax::Record>,
    pub enums: Vec<&'a syntax::Enum>,
    pub traits: Vec<&'a syntax::Trait>,
    pub impls: Vec<WrittenImpl<'a>>,
    pub consts: Vec<&'a syntax::Const>,
    pub aliases: Vec<Alias<'a>>,
    pub fns: Vec<Written<'a>>,
    /// Functions of traits of which it is known whether they can be called on `dyn`.
    pub dispatch: FxHashSet<FnId>,
    /// What functions are called before their signatures are known.
    no_path: Rc<str>,
    /// The file of the root.
    pub root: Option<&'a syntax::File>,
}

/// A function as it is written.
#[derive(Clone, Copy)]
pub(super) struct Written<'a> {
    pub source: Code<'a>,
    pub owner: Owner,
    /// Whether its signature is resolved: see [`Checker::sign`].
    pub signed: bool,
}

/// An implementation as it is written.
#[derive(Clone, Copy)]
pub(super) struct WrittenImpl<'a> {
    pub source: ImplSource<'a>,
    /// What is known of it before its types are resolved: of those of the standard library that nothing asked for.
    pub sketch: Option<Sketch>,
}

/// Where an implementation is written.
#[derive(Clone, Copy)]
pub(super) enum ImplSource<'a> {
    Tree(&'a syntax::Impl),
    /// One of the standard library, that is parsed when somebody asks for it.
    Outline(Place<'a>),
}

/// Which trait is implemented, if one is, and for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sketch {
    pub of: Option<TraitId>,
    pub head: Head,
}

impl Sketch {
    /// Whether it is right.
    pub fn is_of(self, (of, head): (Option<TraitId>, Option<Head>)) -> bool {
        self.of == of && Some(self.head) == head
    }
}

/// Where a function's code is.
#[derive(Clone, Copy)]
pub(super) enum Code<'a> {
    Fn(&'a syntax::Fn),
    /// A function of the standard library, that is parsed when somebody asks for it.
    Outline(Place<'a>),
    Test(&'a syntax::Test),
    Script(&'a syntax::File),
}

impl Code<'_> {
    /// Whether it does something.
    pub fn has_body(self) -> bool {
        match self {
            Code::Fn(function) => function.body.is_some(),
            Code::Outline(place) => place.entry().has_body,
            Code::Test(_) | Code::Script(_) => true,
        }
    }
}

/// A function of a trait or an `impl`.
struct Member<'a> {
    name: Ident,
    public: bool,
    changes_self: bool,
    source: Code<'a>,
}

impl<'a> Member<'a> {
    fn new(member: &'a syntax::Member) -> Self {
        let function = &member.function;
        let changes_self = function.receiver.is_some_and(|receiver| receiver.mutable);
        Self { name: function.name, public: member.public, changes_self, source: Code::Fn(function) }
    }
}

/// An alias of types.
pub(super) struct Alias<'a> {
    pub written: &'a syntax::Alias,
    pub module: ModuleId,
    pub state: AliasState,
}

/// How far an alias is resolved.
#[derive(Clone, Debug)]
pub(super) enum AliasState {
    New,
    Resolving,
    Done(Ty, super::written::Written),
}

impl<'a> Checker<'a> {
    /// Declares all items of all modules, each after the modules that it imports.
    pub(super) fn declare(&mut self, modules: &'a [Module]) {
        let outlines = modules.iter().flat_map(|module| &module.files).filter_map(|file| match file {
            File::Outline(outline) => Some(outline.entries),
            File::Tree(_) => None,
        });
        let functions = outlines.flatten().filter(|entry| entry.kind == Kind::Fn).count();
        self.program.functions.reserve(functions);
        self.declared.fns.reserve(functions);
        for module in modules {
            let id = ModuleId(self.program.modules.len() as u32);
            self.program.modules.push(crate::typed::Module { path: module.path.clone(), standard: module.standard });
            let scope = self.first_scope(module);
            self.scopes.push(scope);
            if id == PRELUDE {
                self.declare_builtins();
            }
            let mut imports = module.imports.iter().copied();
            for file in &module.files {
                let file = match file {
                    File::Tree(file) => file,
                    File::Outline(outline) => {
                        self.declare_outline(id, outline, &mut imports);
                        continue;
                    }
                };
                file.items.iter().for_each(|item| self.declare_item(id, item, &mut imports));
                if id.index() + 1 == modules.len() {
                    self.declared.root = Some(file);
                    if file.needs.is_some() || !file.body.is_empty() || module.session {
                        self.add_script(id, file);
                    }
                }
                if !module.session {
                    self.check_script_place(file, id, modules.len());
                }
            }
            if id == PRELUDE {
                self.find_lang();
            }
        }
    }

    /// What a module begins with: an entry of a session with all that those before it have.
    fn first_scope(&self, module: &Module) -> ModuleScope {
        let mut scope = ModuleScope { package: module.package, session: module.session, ..ModuleScope::default() };
        let before = self.scopes.iter().rev().find(|scope| scope.session);
        if let Some(before) = before.filter(|_| module.session) {
            scope.order.clone_from(&before.order);
            scope.traits = before.traits.keys().map(|&id| (id, None)).collect();
            let inherited = before.entries.iter();
            let inherited = inherited.map(|(&name, &entry)| (name, Entry { import: None, inherited: true, ..entry }));
            scope.entries = inherited.collect();
        }
        scope
    }

    fn check_script_place(&mut self, file: &syntax::File, id: ModuleId, modules: usize) {
        if id.index() + 1 != modules
            && let Some(span) = file.body.first().map(|stmt| stmt.span).or(file.needs.as_ref().map(|needs| needs.span))
        {
            self.report(
                Diagnostic::error("F0335", span, "a module that is imported has no statements")
                    .label("nothing runs on import")
                    .help("put it into a function"),
            );
        }
    }

    fn declare_builtins(&mut self) {
        let plain = [
            ("Int", Ty::INT, true),
            ("Float", Ty::FLOAT, true),
            ("Bool", Ty::BOOL, true),
            ("Char", Ty::CHAR, true),
            ("String", Ty::STRING, true),
            ("Never", Ty::NEVER, true),
            ("Buffer", Ty::BUFFER, false),
            ("Extern", Ty::EXTERN, false),
        ];
        for (name, ty, public) in plain {
            let name = self.names.intern(name);
            self.enter(PRELUDE, name, Def::Builtin(Builtin::Plain(ty)), public, Span::default(), None);
        }
        let array = self.names.intern("Array");
        self.enter(PRELUDE, array, Def::Builtin(Builtin::Array), false, Span::default(), None);
    }

    /// Finds what the compiler knows by name, but functions of types: those once signatures are known.
    fn find_lang(&mut self) {
        let scope = &self.scopes[PRELUDE.index()].entries;
        let find = |text: &str| self.names.find(text).and_then(|name| scope.get(&name)).map(|entry| entry.def);
        let record = |text| match find(text) {
            Some(Def::Record(id)) => Some(id),
            _ => None,
        };
        let enumeration = |text| match find(text) {
            Some(Def::Enum(id)) => Some(id),
            _ => None,
        };
        let of_trait = |text| match find(text) {
            Some(Def::Trait(id)) => Some(id),
            _ => None,
        };
        let lang = &mut self.program.lang;
        (lang.option, lang.result) = (enumeration("Option"), enumeration("Result"));
        lang.ordering = enumeration("Ordering");
        (lang.list, lang.map, lang.set) = (record("List"), record("Map"), record("Set"));
        (lang.bytes, lang.range, lang.text) = (record("Bytes"), record("Range"), record("Text"));
        (lang.eq, lang.ord, lang.hash) = (of_trait("Eq"), of_trait("Ord"), of_trait("Hash"));
        (lang.show, lang.copy, lang.from) = (of_trait("Show"), of_trait("Copy"), of_trait("From"));
        (lang.iterator, lang.error) = (of_trait("Iterator"), of_trait("Error"));
        // The variants that need no name before them.
        for id in [lang.option, lang.result].into_iter().flatten() {
            for tag in 0..self.program.enums[id.index()].variants.len() {
                let variant = &self.program.enums[id.index()].variants[tag];
                self.enter(PRELUDE, variant.name, Def::Variant(id, tag as u32), true, variant.span, None);
            }
        }
    }

    /// Gives a name its meaning in a module.
    fn enter(&mut self, module: ModuleId, name: Name, def: Def, public: bool, span: Span, import: Option<u32>) {
        let scope = &mut self.scopes[module.index()];
        if let Def::Trait(id) = def {
            scope.traits.insert(id, import);
        }
        match scope.entries.get(&name) {
            None => {
                scope.entries.insert(name, Entry { def, public, span, import, inherited: false });
                scope.order.push(name);
            }
            Some(first) if first.inherited => {
                scope.entries.insert(name, Entry { def, public, span, import, inherited: false });
            }
            Some(first) => {
                let first = first.span;
                let message = format!("the name `{}` is declared twice", self.text(name));
                self.report(Diagnostic::error("F0204", span, message).also(first, "first here"));
            }
        }
    }

    fn declare_import(&mut self, module: ModuleId, import: &syntax::Import, item: &Item, of: ModuleId) {
        let Some(names) = &import.names else {
            let Some(name) = import.alias.or(import.path.last().copied()) else { return };
            let number = self.new_import(name.name, item);
            self.enter(module, name.name, Def::Module(of), item.public, name.span, Some(number));
            return;
        };
        for (original, other) in names {
            let name = other.unwrap_or(*original);
            let Some(def) = self.member(of, *original, module) else {
                self.scopes[module.index()].failed.insert(name.name);
                continue;
            };
            let number = self.imports.len() as u32;
            let used = item.public || self.program.modules[module.index()].standard;
            self.imports.push(ImportUse { name: name.name, span: name.span, used });
            self.enter(module, name.name, def, item.public, name.span, Some(number));
        }
    }

    /// Notes the names of an import that failed, so that nothing more is said of them.
    fn note_failed(&mut self, module: ModuleId, import: &syntax::Import) {
        let failed = &mut self.scopes[module.index()].failed;
        match &import.names {
            Some(names) => failed.extend(names.iter().map(|(original, other)| other.unwrap_or(*original).name)),
            None => failed.extend(import.alias.or(import.path.last().copied()).map(|name| name.name)),
        }
    }

    fn new_import(&mut self, name: Name, item: &Item) -> u32 {
        self.imports.push(ImportUse { name, span: item.span, used: item.public });
        self.imports.len() as u32 - 1
    }

    /// Declares what a file of the standard library has; functions of it are not parsed for that.
    fn declare_outline(
        &mut self,
        module: ModuleId,
        outline: &'a Outline,
        imports: &mut impl Iterator<Item = Option<ModuleId>>,
    ) {
        let mut index = 0;
        while let Some(entry) = outline.entries.get(index) {
            let place = Place { outline, index };
            index += 1;
            match entry.kind {
                Kind::Fn => {
                    let name = outline.name(entry, self.names);
                    self.declare_fn(module, name, Code::Outline(place), entry.public);
                }
                Kind::Trait => {
                    let members = self.members(place);
                    index += members.len();
                    if let ItemKind::Trait(written) = &self.parsed(place).kind {
                        self.declare_trait(module, written, entry.public, members);
                    }
                }
                Kind::Impl => {
                    let members = self.members(place);
                    index += members.len();
                    self.declare_impl(module, ImplSource::Outline(place), members);
                }
                Kind::Import | Kind::Other => {
                    let item = self.parsed(place);
                    self.declare_item(module, item, imports);
                }
            }
        }
    }

    /// A declaration of the standard library.
    pub(super) fn parsed(&mut self, place: Place<'a>) -> &'a Item {
        place.outline.item(place.index, self.names, self.diagnostics)
    }

    /// The functions of a trait or an `impl` of the standard library.
    fn members(&mut self, place: Place<'a>) -> Vec<Member<'a>> {
        let outline = place.outline;
        let member = |index: usize| {
            let entry = &outline.entries[index];
            let name = outline.name(entry, self.names);
            let source = Code::Outline(Place { outline, index });
            Member { name, public: entry.public, changes_self: entry.changes_self, source }
        };
        outline.members(place.index).map(member).collect()
    }

    fn declare_fn(&mut self, module: ModuleId, name: Ident, source: Code<'a>, public: bool) {
        let id = self.add_fn(module, name, source, Owner::Module, public);
        self.enter(module, name.name, Def::Fn(id), public, name.span, None);
    }

    fn declare_item(&mut self, module: ModuleId, item: &'a Item, imports: &mut impl Iterator<Item = Option<ModuleId>>) {
        let public = item.public;
        match &item.kind {
            ItemKind::Import(import) => match imports.next() {
                Some(Some(of)) => self.declare_import(module, import, item, of),
                _ => self.note_failed(module, import),
            },
            ItemKind::Error => {}
            ItemKind::Fn(function) => self.declare_fn(module, function.name, Code::Fn(function), public),
            ItemKind::Record(record) => {
                let id = RecordId(self.program.records.len() as u32);
                self.program.records.push(Record {
                    name: record.name.name,
                    module,
                    generics: Vec::new(),
                    fields: Vec::new(),
                    span: record.name.span,
                    public,
                });
                self.declared.records.push(record);
                self.enter(module, record.name.name, Def::Record(id), public, record.name.span, None);
            }
            ItemKind::Enum(written) => self.declare_enum(module, written, public),
            ItemKind::Trait(written) => {
                self.declare_trait(module, written, public, written.members.iter().map(Member::new).collect());
            }
            ItemKind::Impl(written) => {
                let members = written.members.iter().map(Member::new).collect();
                self.declare_impl(module, ImplSource::Tree(written), members);
            }
            ItemKind::Const(constant) => self.declare_const(module, constant, public),
            ItemKind::Alias(alias) => {
                let id = AliasId(self.declared.aliases.len() as u32);
                self.declared.aliases.push(Alias { written: alias, module, state: AliasState::New });
                self.enter(module, alias.name.name, Def::Alias(id), public, alias.name.span, None);
            }
            ItemKind::Test(test) => {
                let name = Ident { name: self.names.intern("test"), span: test.name_span };
                let function = self.add_fn(module, name, Code::Test(test), Owner::Module, false);
                self.program.tests.push(Test { name: test.name.clone(), module, function, span: test.name_span });
            }
        }
    }

    fn declare_enum(&mut self, module: ModuleId, written: &'a syntax::Enum, public: bool) {
        let id = EnumId(self.program.enums.len() as u32);
        let mut variants: Vec<crate::typed::Variant> = Vec::with_capacity(written.variants.len());
        let mut seen = rustc_hash::FxHashMap::default();
        for variant in &written.variants {
            if let Some(first) = seen.insert(variant.name.name, variant.name.span) {
                self.report_twice("variant", variant.name, first);
            }
            variants.push(crate::typed::Variant {
                name: variant.name.name,
                fields: Vec::new(),
                named: matches!(variant.payload, syntax::Payload::Named(_)),
                span: variant.name.span,
            });
        }
        let (name, span) = (written.name.name, written.name.span);
        self.program.enums.push(Enum { name, module, generics: Vec::new(), variants, span, public });
        self.declared.enums.push(written);
        self.enter(module, name, Def::Enum(id), public, span, None);
    }

    fn declare_trait(&mut self, module: ModuleId, written: &'a syntax::Trait, public: bool, members: Vec<Member<'a>>) {
        let id = TraitId(self.program.traits.len() as u32);
        let (name, span) = (written.name.name, written.name.span);
        if written.capability && !self.program.modules[module.index()].standard {
            self.report(
                Diagnostic::error("F0327", span, "only the standard library declares capabilities")
                    .help("declare a `trait`, and take it as `dyn`"),
            );
        }
        let mut seen = rustc_hash::FxHashMap::default();
        let changes_self = members.iter().any(|member| member.changes_self);
        let mut methods = Vec::with_capacity(members.len());
        for Member { name, source, .. } in members {
            if let Some(first) = seen.insert(name.name, name.span) {
                self.report_twice("function", name, first);
                continue;
            }
            let function = self.add_fn(module, name, source, Owner::Trait(id), public);
            // What an entry of a session makes a `dyn`, later ones may call whatever of.
            let dynamic = self.options.session.is_some();
            methods.push(crate::typed::TraitMethod { name: name.name, function, dispatchable: false, dynamic });
        }
        self.program.traits.push(Trait {
            name,
            module,
            generics: Vec::new(),
            supers: Vec::new(),
            methods,
            changes_self,
            capability: written.capability,
            span,
            public,
        });
        self.declared.traits.push(written);
        self.enter(module, name, Def::Trait(id), public, span, None);
    }

    fn declare_impl(&mut self, module: ModuleId, source: ImplSource<'a>, members: Vec<Member<'a>>) {
        let (has_trait, span) = match source {
            ImplSource::Tree(written) => (written.trait_ref.is_some(), written.head),
            ImplSource::Outline(place) => (place.entry().has_trait(), Span::default()),
        };
        let id = ImplId(self.program.impls.len() as u32);
        let mut seen = rustc_hash::FxHashMap::default();
        let mut methods = Vec::with_capacity(members.len());
        for Member { name, public, source, .. } in members {
            if let Some(first) = seen.insert(name.name, name.span) {
                self.report_twice("function", name, first);
                continue;
            }
            // Whoever sees a trait sees what implements it.
            let public = public || has_trait;
            methods.push(Some(self.add_fn(module, name, source, Owner::Impl(id), public)));
        }
        self.program.impls.push(Impl { module, generics: Vec::new(), of: None, self_ty: Ty::ERROR, methods, span });
        self.declared.impls.push(WrittenImpl { source, sketch: None });
    }

    fn declare_const(&mut self, module: ModuleId, constant: &'a syntax::Const, public: bool) {
        let id = ConstId(self.program.constants.len() as u32);
        let (name, span) = (constant.name.name, constant.name.span);
        let value = Expr { kind: ExprKind::Tuple(Vec::new()), ty: Ty::UNIT, span };
        self.program.constants.push(Constant {
            name,
            module,
            ty: Ty::ERROR,
            body: Body { locals: Vec::new(), params: 0, loops: 0, value },
            span,
            public,
        });
        self.declared.consts.push(constant);
        self.enter(module, name, Def::Const(id), public, span, None);
    }

    fn add_script(&mut self, module: ModuleId, file: &'a syntax::File) {
        let first = file.body.first().map_or(Span { file: file.id, start: 0, end: 0 }, |stmt| stmt.span.begin());
        let span = file.needs.as_ref().map_or(first, |needs| needs.span);
        self.add_fn(module, Ident { name: self.words.main, span }, Code::Script(file), Owner::Module, false);
    }

    /// Adds a function whose signature is not known yet.
    fn add_fn(&mut self, module: ModuleId, name: Ident, source: Code<'a>, owner: Owner, public: bool) -> FnId {
        let id = FnId(self.program.functions.len() as u32);
        self.program.functions.push(Function {
            name: name.name,
            path: self.declared.no_path.clone(),
            module,
            kind: if matches!(source, Code::Outline(_)) { FunctionKind::Unreached } else { FunctionKind::Required },
            generics: Vec::new(),
            receiver: false,
            params: Vec::new(),
            result: Ty::ERROR,
            result_access: crate::typed::AccessTree::Leaf,
            span: name.span,
            public,
        });
        self.declared.fns.push(Written { source, owner, signed: false });
        id
    }

    /// Says that a name is declared twice.
    pub(super) fn report_twice(&mut self, what: &str, name: Ident, first: Span) {
        let message = format!("{what} `{}` is declared twice", self.text(name.name));
        self.report(Diagnostic::error("F0209", name.span, message).also(first, "first here"));
    }
}
