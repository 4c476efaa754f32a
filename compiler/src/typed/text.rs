//! Types as they are written.

use super::{Generic, Program, TraitId, Ty, TyKind};
use crate::names::Names;

/// How long the text of a type gets before the rest is left out.
const MAX_TEXT: usize = 160;

/// What is needed to write types.
pub struct TypeText<'p> {
    /// The program that they are of.
    pub program: &'p Program,
    /// Its names.
    pub names: &'p Names,
    /// The type parameters in scope.
    pub generics: &'p [Generic],
    /// What is known of a type.
    pub known: &'p dyn Fn(Ty) -> Ty,
}

impl<'p> TypeText<'p> {
    /// For types of a program that was checked.
    pub fn new(program: &'p Program, names: &'p Names, generics: &'p [Generic]) -> Self {
        Self { program, names, generics, known: &|ty| ty }
    }

    /// A type; `_` for what is not known.
    pub fn ty(&self, ty: Ty) -> String {
        let mut text = String::new();
        self.write(&mut text, ty);
        text
    }

    /// Types, separated by commas.
    pub fn list(&self, types: &[Ty]) -> String {
        let mut text = String::new();
        self.write_list(&mut text, types);
        text
    }

    /// A trait with its arguments.
    pub fn of(&self, of: TraitId, args: &[Ty]) -> String {
        let mut text = self.names.text(self.program.traits[of.index()].name).to_owned();
        self.write_args(&mut text, args);
        text
    }

    fn write(&self, text: &mut String, ty: Ty) {
        if text.len() > MAX_TEXT {
            if !text.ends_with('…') {
                text.push('…');
            }
            return;
        }
        let (program, names) = (self.program, self.names);
        match program.types.kind((self.known)(ty)) {
            TyKind::Int => text.push_str("Int"),
            TyKind::Float => text.push_str("Float"),
            TyKind::Bool => text.push_str("Bool"),
            TyKind::Char => text.push_str("Char"),
            TyKind::String => text.push_str("String"),
            TyKind::Buffer => text.push_str("Buffer"),
            TyKind::Extern => text.push_str("Extern"),
            TyKind::Never => text.push_str("Never"),
            TyKind::Infer(_) | TyKind::Error => text.push('_'),
            TyKind::Array(element) => {
                text.push_str("Array");
                self.write_args(text, &[*element]);
            }
            TyKind::Tuple(parts) => {
                text.push('(');
                self.write_list(text, parts);
                text.push(')');
            }
            TyKind::Record(id, args) => {
                text.push_str(names.text(program.records[id.index()].name));
                self.write_args(text, args);
            }
            TyKind::Enum(id, args) => {
                text.push_str(names.text(program.enums[id.index()].name));
                let short = program.lang.result == Some(*id) && self.is_dyn_error(args.last().copied());
                self.write_args(text, if short { &args[..1] } else { args });
            }
            TyKind::Dyn(id, args) => {
                let of = &program.traits[id.index()];
                if !of.capability {
                    text.push_str("dyn ");
                }
                text.push_str(names.text(of.name));
                self.write_args(text, args);
            }
            TyKind::Fn(params, result) => {
                text.push_str("fn(");
                self.write_list(text, params);
                text.push(')');
                if (self.known)(*result) != Ty::UNIT {
                    text.push_str(" -> ");
                    self.write(text, *result);
                }
            }
            TyKind::Param(index) => match self.generics.get(*index as usize) {
                Some(generic) => text.push_str(names.text(generic.name)),
                None => text.push_str(&format!("T{index}")),
            },
        }
    }

    fn is_dyn_error(&self, ty: Option<Ty>) -> bool {
        ty.is_some_and(|ty| {
            let kind = self.program.types.kind((self.known)(ty));
            matches!(kind, TyKind::Dyn(id, _) if Some(*id) == self.program.lang.error)
        })
    }

    fn write_args(&self, text: &mut String, args: &[Ty]) {
        if !args.is_empty() {
            text.push('<');
            self.write_list(text, args);
            text.push('>');
        }
    }

    fn write_list(&self, text: &mut String, types: &[Ty]) {
        for (i, &ty) in types.iter().enumerate() {
            if i > 0 {
                text.push_str(", ");
            }
            self.write(text, ty);
            if text.ends_with('…') {
                break;
            }
        }
    }
}
