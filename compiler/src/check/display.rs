//! Types and things as messages call them.

use super::Checker;
use super::scope::{Builtin, Def};
use crate::typed::text::TypeText;
use crate::typed::{TraitId, Ty, TyKind};

impl Checker<'_> {
    /// A type as it would be written; `_` for what is not known.
    pub(super) fn show(&self, ty: Ty) -> String {
        self.type_text(|text| text.ty(ty))
    }

    /// A trait with its arguments.
    pub(super) fn show_trait(&self, of: TraitId, args: &[Ty]) -> String {
        self.type_text(|text| text.of(of, args))
    }

    fn type_text(&self, write: impl FnOnce(&TypeText<'_>) -> String) -> String {
        let known = |ty| self.shallow(ty);
        write(&TypeText { program: &self.program, names: self.names, generics: &self.env, known: &known })
    }

    /// A type without its arguments.
    pub(super) fn show_head(&self, ty: Ty) -> String {
        match self.kind(ty) {
            TyKind::Record(id, _) => self.text(self.program.records[id.index()].name).to_owned(),
            TyKind::Enum(id, _) => self.text(self.program.enums[id.index()].name).to_owned(),
            TyKind::Dyn(id, _) => self.text(self.program.traits[id.index()].name).to_owned(),
            _ => self.show(ty),
        }
    }

    /// What a name means, with an article.
    pub(super) fn describe_def(&self, def: Def) -> String {
        let (what, name) = match def {
            Def::Module(id) => return format!("module `{}`", self.program.modules[id.index()].path),
            Def::Builtin(Builtin::Plain(ty)) => return format!("type `{}`", self.show(ty)),
            Def::Builtin(Builtin::Array) => return "type `Array`".to_owned(),
            Def::Record(id) => ("record", self.program.records[id.index()].name),
            Def::Enum(id) => ("enum", self.program.enums[id.index()].name),
            Def::Trait(id) => ("trait", self.program.traits[id.index()].name),
            Def::Alias(id) => ("type", self.declared.aliases[id.0 as usize].written.name.name),
            Def::Fn(id) => ("function", self.program.functions[id.index()].name),
            Def::Const(id) => ("constant", self.program.constants[id.index()].name),
            Def::Variant(id, tag) => ("variant", self.program.enums[id.index()].variants[tag as usize].name),
        };
        format!("{what} `{}`", self.text(name))
    }
}
