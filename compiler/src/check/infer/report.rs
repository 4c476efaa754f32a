//! What is said of wrong types, and of locals that nothing uses.

use super::{Infer, Obligation};
use crate::check::traits::Wanted;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::typed::{TraitId, Ty, TyKind};

impl Infer<'_, '_> {
    pub(super) fn annotate(&mut self, span: Span, label: &str) {
        self.report(
            Diagnostic::error("F0302", span, "a type is not known")
                .label(label)
                .help("write the type where the name is bound, as in `let name: Type = …` or `|name: Type| …`"),
        );
    }

    pub(super) fn does_not_implement(&mut self, obligation: &Obligation, because: Option<Wanted>) {
        let (ty, of) = obligation.root;
        let ty = self.c.resolve(ty);
        let inner = because.map_or(obligation.wanted.ty, |because| because.ty);
        let error = self.not_implemented(ty, of, inner, obligation.span);
        self.report(error);
    }

    /// That a type does not implement a trait, since a part of it does not.
    pub(super) fn not_implemented(&mut self, ty: Ty, of: TraitId, inner: Ty, span: Span) -> Diagnostic {
        let text = self.c.show(ty);
        let name = self.c.show_trait(of, &[]);
        let mut error = Diagnostic::error("F0401", span, format!("`{text}` does not implement `{name}`"));
        let inner = self.c.resolve(inner);
        if inner != ty {
            error = error.note(format!("`{}`, which is in it, does not", self.c.show(inner)));
        }
        if let TyKind::Param(index) = self.c.program.types.kind(inner) {
            let param = self.c.env.get(*index as usize).map(|generic| generic.name);
            if let Some(param) = param {
                error = error.help(format!("ask for it: `{}: {name}`", self.c.text(param)));
            }
        } else if let Some(field) = self.c.unreadable(inner, of) {
            let field = self.c.text(field);
            error = error.note(format!("its field `{field}` is private, so that only its own module can make it"));
        } else if self.c.is_automatic(of) {
            let lang = self.c.program.lang;
            error = error.note(if lang.hash == Some(of) {
                "types that hold Floats, functions, capabilities or `dyn` have no hash".to_owned()
            } else {
                format!("types that hold functions, capabilities or `dyn` have no `{name}`")
            });
        }
        error
    }

    pub(super) fn takes_too_long(&mut self, obligation: &Obligation) {
        let ty = self.c.show(obligation.root.0);
        let name = self.c.show_trait(obligation.root.1, &[]);
        let message = format!("whether `{ty}` implements `{name}` takes too long to find out");
        self.report(
            Diagnostic::error("F0733", obligation.span, message).note("bounds follow from one another too often"),
        );
    }

    /// Says that a value has another type than is wanted.
    pub(super) fn mismatch(&mut self, span: Span, expected: Ty, found: Ty) {
        let (expected, found) = (self.c.resolve(expected), self.c.resolve(found));
        if self.c.program.types.has_error(expected) || self.c.program.types.has_error(found) {
            self.c.poison(expected);
            self.c.poison(found);
            return;
        }
        let (want, have) = (self.c.show(expected), self.c.show(found));
        let error = Diagnostic::error("F0301", span, format!("expected `{want}`, found `{have}`"));
        let error = self.explain_mismatch(error, span, expected, found);
        self.report(error);
        self.c.poison(expected);
        self.c.poison(found);
    }

    pub(super) fn explain_mismatch(&self, error: Diagnostic, span: Span, expected: Ty, found: Ty) -> Diagnostic {
        let lang = &self.c.program.lang;
        let literal = self.c.sources.text(span);
        match (self.kind(expected), self.kind(found)) {
            (TyKind::Float, TyKind::Int) if literal.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_') => {
                error.repair("a Float has a point", span.after(), ".0")
            }
            (TyKind::Float, TyKind::Int) => error.help("`.to_float()` makes a Float of it"),
            (TyKind::Int, TyKind::Float) => error.help("`.to_int()` makes an Int of it"),
            (TyKind::Enum(id, args), _) if lang.option == Some(*id) && args[0] == found => {
                error.repair("a value that may be missing is wrapped", span, format!("Some({literal})"))
            }
            (TyKind::Enum(id, args), _) if lang.result == Some(*id) && args[0] == found => {
                error.repair("a value that may fail is wrapped", span, format!("Ok({literal})"))
            }
            (_, TyKind::Enum(id, args)) if lang.option == Some(*id) && args[0] == expected => {
                error.help("use `?`, `.or(…)`, or `match` for the case that there is none")
            }
            (_, TyKind::Enum(id, args)) if lang.result == Some(*id) && args[0] == expected => {
                error.help("use `?` to pass the error on, or `match` to handle it")
            }
            (TyKind::String, _) => error.help("interpolation makes a text of it: `\"{value}\"`"),
            (TyKind::Param(index), _) => match self.c.env.get(*index as usize) {
                Some(generic) => {
                    error.note(format!("`{}` is any type that the caller chooses", self.c.text(generic.name)))
                }
                None => error,
            },
            _ => error,
        }
    }

    pub(super) fn warn_unused(&mut self) {
        if self.standard() {
            return;
        }
        for index in 0..self.locals.len() {
            let (name, span) = (self.locals[index].name, self.locals[index].span);
            let text = self.c.text(name);
            if self.used[index] || text.starts_with(['_', '$']) || name == self.c.words.self_value {
                continue;
            }
            let message = format!("`{text}` is not used");
            let other = format!("_{text}");
            let warning = Diagnostic::warning("F0208", span, message);
            let warning = if self.c.sources.text(span) == text {
                warning.repair("where that is meant, let its name begin with `_`", span, other)
            } else {
                warning
            };
            self.report(warning);
        }
    }
}
