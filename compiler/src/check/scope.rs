//! What names mean in modules.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Checker, suggest};
use crate::diagnostic::Diagnostic;
use crate::names::{Name, Names};
use crate::source::Span;
use crate::syntax::Ident;
use crate::typed::{ConstId, EnumId, FnId, ModuleId, RecordId, TraitId, Ty};

/// The module whose public items are visible everywhere.
pub(super) const PRELUDE: ModuleId = ModuleId(0);

/// The number of an alias of types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct AliasId(pub u32);

/// What a name of a module means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Def {
    Module(ModuleId),
    Builtin(Builtin),
    Record(RecordId),
    Enum(EnumId),
    Trait(TraitId),
    Alias(AliasId),
    Fn(FnId),
    Const(ConstId),
    Variant(EnumId, u32),
}

/// A type that no module declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Builtin {
    /// A type without arguments.
    Plain(Ty),
    /// `Array<T>`
    Array,
}

/// A name of a module.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub def: Def,
    pub public: bool,
    pub span: Span,
    /// Of an import: its number in [`Checker::imports`].
    pub import: Option<u32>,
    /// Whether it is of an earlier entry of a session, which this one may hide.
    pub inherited: bool,
}

/// An import, for the warning where it is not used.
#[derive(Clone, Debug)]
pub(super) struct ImportUse {
    pub name: Name,
    pub span: Span,
    pub used: bool,
}

/// What a module declares and imports.
#[derive(Clone, Debug, Default)]
pub(super) struct ModuleScope {
    pub entries: FxHashMap<Name, Entry>,
    /// The names in their order.
    pub order: Vec<Name>,
    /// Traits whose functions are methods here, beside the prelude's; with the import that brought them.
    pub traits: FxHashMap<TraitId, Option<u32>>,
    /// Names that an import was to bind which failed.
    pub failed: FxHashSet<Name>,
    pub package: u32,
    /// Whether it is an entry of a session.
    pub session: bool,
}

/// Declares [`Words`].
macro_rules! words {
    ($($field:ident = $text:literal),* $(,)?) => {
        /// Names that mean something to the checker.
        #[derive(Clone, Copy, Debug)]
        pub(super) struct Words {
            $(pub $field: Name,)*
        }

        impl Words {
            pub fn new(names: &mut Names) -> Self {
                Self { $($field: names.intern($text),)* }
            }
        }
    };
}

words! {
    self_value = "self",
    self_type = "Self",
    main = "main",
    iter = "iter",
    index = "index",
    set_index = "set_index",
    slice = "slice",
    len = "len",
    underscore = "_",
    from_handle = "from_handle",
    text = "$text",
    map = "$map",
    base = "$base",
    value = "$value",
    place = "$place",
    key = "$key",
    param = "$param",
    debug = "debug",
}

impl Checker<'_> {
    /// What a name means in a module: what the module has, otherwise what the prelude has.
    pub(super) fn lookup(&mut self, module: ModuleId, name: Name) -> Option<Def> {
        if let Some(entry) = self.scopes[module.index()].entries.get(&name).copied() {
            if let Some(import) = entry.import {
                self.imports[import as usize].used = true;
            }
            return Some(entry.def);
        }
        let entry = self.scopes[PRELUDE.index()].entries.get(&name)?;
        self.is_visible(PRELUDE, entry.public, module).then_some(entry.def)
    }

    /// Whether a name means nothing because its import failed, which was told.
    pub(super) fn has_failed(&self, module: ModuleId, name: Name) -> bool {
        self.scopes[module.index()].failed.contains(&name)
    }

    /// A name of another module; says what is wrong if there is none.
    pub(super) fn member(&mut self, of: ModuleId, name: Ident, from: ModuleId) -> Option<Def> {
        let entry = self.scopes[of.index()].entries.get(&name.name).copied();
        if let Some(entry) = entry
            && self.is_visible(of, entry.public, from)
        {
            return Some(entry.def);
        }
        let path = self.program.modules[of.index()].path.clone();
        let text = self.text(name.name).to_owned();
        let error = match entry {
            Some(entry) if entry.import.is_none() => {
                Diagnostic::error("F0205", name.span, format!("`{text}` is private to module `{path}`"))
                    .label("not `pub`")
                    .also(entry.span, "declared here")
            }
            _ => {
                let error = Diagnostic::error("F0206", name.span, format!("module `{path}` has no `{text}`"));
                let scope = &self.scopes[of.index()];
                let visible = scope.order.iter().copied().filter(|name| scope.entries[name].public);
                match suggest::closest(self.names, name.name, visible) {
                    Some(close) => {
                        let close = self.text(close).to_owned();
                        error.repair(format!("there is `{close}`"), name.span, close)
                    }
                    None => error,
                }
            }
        };
        self.report(error);
        None
    }

    /// The name closest to a wrong one that means something of the right sort in a module.
    pub(super) fn closest_name(
        &self,
        module: ModuleId,
        wrong: Name,
        more: impl Iterator<Item = Name>,
        fits: impl Fn(Def) -> bool,
    ) -> Option<Name> {
        let own = &self.scopes[module.index()];
        let prelude = &self.scopes[PRELUDE.index()];
        let own_names = own.order.iter().copied().filter(|name| fits(own.entries[name].def));
        let prelude_names = prelude.order.iter().copied().filter(|name| {
            let entry = prelude.entries[name];
            fits(entry.def) && self.is_visible(PRELUDE, entry.public, module)
        });
        suggest::closest(self.names, wrong, more.chain(own_names).chain(prelude_names))
    }

    /// A module, and that one only, in whose scope a public thing of this name is: for hints at an import.
    pub(super) fn module_that_has(&self, name: Name, fits: impl Fn(Def) -> bool) -> Option<ModuleId> {
        let has = |scope: &ModuleScope| {
            scope.entries.get(&name).is_some_and(|entry| entry.public && entry.import.is_none() && fits(entry.def))
        };
        let mut found = self.scopes.iter().enumerate().skip(1).filter(|(_, scope)| has(scope));
        let (first, _) = found.next()?;
        found.next().is_none().then_some(ModuleId(first as u32))
    }

    /// Warns of imports that nothing uses.
    pub(super) fn report_imports(&mut self) {
        let mut told = FxHashSet::default();
        for import in std::mem::take(&mut self.imports) {
            if !import.used && told.insert(import.span) {
                let message = format!("`{}` is imported and not used", self.text(import.name));
                self.report(Diagnostic::warning("F0207", import.span, message).help("take the import out"));
            }
        }
    }
}
