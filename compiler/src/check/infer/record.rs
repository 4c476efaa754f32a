//! Records: fields, and record literals.

use super::path::Path;
use super::{Infer, Want};
use crate::check::suggest;
use crate::diagnostic::Diagnostic;
use crate::names::Name;
use crate::source::Span;
use crate::syntax::{self, Ident};
use crate::typed::{EnumId, Expr, ExprKind, RecordId, Ty, TyKind};

impl<'a> Infer<'_, 'a> {
    /// The types of a record's fields.
    pub(super) fn record_fields(&mut self, ty: Ty) -> Vec<Ty> {
        let ty = self.c.shallow(ty);
        let TyKind::Record(id, args) = self.c.program.types.kind(ty) else { return Vec::new() };
        let (id, args) = (*id, args.clone());
        (0..self.c.program.records[id.index()].fields.len())
            .map(|i| {
                let field = self.c.program.records[id.index()].fields[i].ty;
                self.c.program.types.substitute(field, &args)
            })
            .collect()
    }

    /// The names of the fields of a record or a variant.
    pub(super) fn field_names(&self, ty: Ty, variant: Option<(EnumId, u32)>) -> Vec<Name> {
        let fields = match (variant, self.kind(ty)) {
            (Some((id, tag)), _) => &self.c.program.enums[id.index()].variants[tag as usize].fields,
            (None, TyKind::Record(id, _)) => &self.c.program.records[id.index()].fields,
            _ => return Vec::new(),
        };
        fields.iter().map(|field| field.name).collect()
    }

    /// Whether a function is in a field of this name that this module sees.
    pub(super) fn has_function_field(&self, ty: Ty, name: Name) -> bool {
        let TyKind::Record(id, _) = self.kind(ty) else { return false };
        let record = &self.c.program.records[id.index()];
        record.fields.iter().any(|field| {
            field.name == name
                && matches!(self.kind(field.ty), TyKind::Fn(..))
                && self.c.is_visible(record.module, field.public, self.module)
        })
    }

    /// The place of a field of a record or a variant, if this module sees it; says so if not.
    pub(super) fn field_place(&mut self, ty: Ty, variant: Option<(EnumId, u32)>, name: Ident) -> Option<usize> {
        let names = self.field_names(ty, variant);
        let text = self.c.text(name.name).to_owned();
        let Some(place) = names.iter().position(|&found| found == name.name) else {
            let shown = match variant {
                Some((id, tag)) => {
                    let variant = &self.c.program.enums[id.index()].variants[tag as usize];
                    self.c.text(variant.name).to_owned()
                }
                None => self.c.show(ty),
            };
            let error = Diagnostic::error("F0212", name.span, format!("`{shown}` has no field `{text}`"));
            if variant.is_none() && self.has_method(ty, name.name) {
                self.report(error.repair("there is a method of this name", name.span.after(), "()"));
                return None;
            }
            self.report(match suggest::closest(self.c.names, name.name, names.into_iter()) {
                Some(close) => {
                    let close = self.c.text(close).to_owned();
                    error.repair(format!("there is `{close}`"), name.span, close)
                }
                None => error,
            });
            return None;
        };
        if let (None, TyKind::Record(id, _)) = (variant, self.kind(ty)) {
            let record = &self.c.program.records[id.index()];
            let field = &record.fields[place];
            let (module, public, at) = (record.module, field.public, field.span);
            if !self.c.is_visible(module, public, self.module) {
                let shown = self.c.show_head(ty);
                let error = Diagnostic::error("F0216", name.span, format!("field `{text}` of `{shown}` is private"));
                self.report(error.label("not `pub`").also(at, "declared here"));
                return None;
            }
        }
        Some(place)
    }

    /// The record, place and type of a field that is assigned.
    pub(super) fn find_field(&mut self, ty: Ty, name: Ident) -> Option<(RecordId, u32, Ty)> {
        let ty = self.c.shallow(ty);
        match *self.c.program.types.kind(ty) {
            TyKind::Record(id, _) => {
                let place = self.field_place(ty, None, name)?;
                let args = self.c.program.types.parts(ty).to_vec();
                let field = self.c.program.records[id.index()].fields[place].ty;
                let field = self.c.program.types.substitute(field, &args);
                Some((id, place as u32, field))
            }
            TyKind::Error | TyKind::Never => None,
            _ => {
                self.no_field(ty, name);
                None
            }
        }
    }

    /// `base.name`
    pub(super) fn field(&mut self, base: Expr, name: Ident, span: Span) -> Expr {
        match self.find_field(base.ty, name) {
            Some((id, place, ty)) => Expr { kind: ExprKind::Field(Box::new(base), id, place), ty, span },
            None => self.error(span),
        }
    }

    fn has_method(&self, ty: Ty, name: Name) -> bool {
        self.c.head(ty).is_some_and(|head| self.c.own_function(head, name).is_some())
    }

    fn no_field(&mut self, ty: Ty, name: Ident) {
        let (text, shown) = (self.c.text(name.name).to_owned(), self.c.show(ty));
        let error = Diagnostic::error("F0212", name.span, format!("`{shown}` has no field `{text}`"));
        let lang = self.c.program.lang;
        let error = match self.kind(ty) {
            _ if self.has_method(ty, name.name) => {
                error.repair("there is a method of this name", name.span.after(), "()")
            }
            TyKind::Enum(id, _) if Some(*id) == lang.option => {
                error.help("the value may be missing: use `?`, `.or(…)` or `match` first")
            }
            TyKind::Enum(id, _) if Some(*id) == lang.result => {
                error.help("this may have failed: use `?` or `match` first")
            }
            TyKind::Enum(..) => error.help("use `match` to look into it"),
            _ => error,
        };
        self.report(error);
    }

    /// `Path { name: value, ..base }`
    pub(super) fn record(
        &mut self,
        path: &'a syntax::Expr,
        fields: &'a [syntax::FieldInit],
        base: Option<&'a syntax::Expr>,
        hint: Option<Ty>,
        span: Span,
    ) -> Expr {
        let made = match self.path(path) {
            Path::Type(def, types) => {
                let ty = self.instantiate_type(def, types, path.span);
                match self.kind(ty) {
                    TyKind::Record(..) => Some((ty, None)),
                    TyKind::Error => None,
                    _ => {
                        let shown = self.c.show(ty);
                        let error = Diagnostic::error("F0210", path.span, format!("`{shown}` is no record"));
                        self.report(match self.kind(ty) {
                            TyKind::Enum(..) => {
                                error.help(format!("a value of it is written `{shown}.Variant {{ … }}`"))
                            }
                            _ => error,
                        });
                        None
                    }
                }
            }
            Path::Associated(ty, name, _) => match self.find_variant(ty, name.name) {
                Some(found) => Some((ty, Some(found))),
                None => {
                    let _ = self.associated(ty, name, None, path.span);
                    None
                }
            },
            Path::Variant(id, tag) => Some((self.fresh_enum(id, span), Some((id, tag)))),
            Path::Error => None,
            _ => {
                let text = self.c.sources.text(path.span).to_owned();
                self.report(Diagnostic::error("F0210", path.span, format!("`{text}` is no record")));
                None
            }
        };
        let Some((ty, variant)) = made else {
            for field in fields {
                self.expr(&field.value, Want::Value(None));
            }
            if let Some(base) = base {
                self.expr(base, Want::Value(None));
            }
            return self.error(span);
        };
        if let Some(hint) = hint {
            self.c.try_unify(ty, hint);
        }
        match variant {
            Some((id, tag)) if !self.c.program.enums[id.index()].variants[tag as usize].named => {
                let text = self.c.text(self.c.program.enums[id.index()].variants[tag as usize].name).to_owned();
                let error = Diagnostic::error("F0330", span, format!("`{text}` has no fields with names"));
                self.report(error.help(format!("its values are written in parentheses: `{text}(…)`")));
                for field in fields {
                    self.expr(&field.value, Want::Value(None));
                }
                self.error(span)
            }
            _ => self.record_of(ty, variant, fields, base, path.span, span),
        }
    }

    fn record_of(
        &mut self,
        ty: Ty,
        variant: Option<(EnumId, u32)>,
        fields: &'a [syntax::FieldInit],
        base: Option<&'a syntax::Expr>,
        head: Span,
        span: Span,
    ) -> Expr {
        let types = match variant {
            Some((id, tag)) => self.variant_fields(ty, id, tag),
            None => self.record_fields(ty),
        };
        self.oblige_record(ty, span);
        let mut values: Vec<(u32, Expr)> = Vec::with_capacity(types.len());
        let mut known = vec![false; types.len()];
        let mut complete = true;
        for field in fields {
            let Some(place) = self.field_place(ty, variant, field.name) else {
                complete = false;
                self.expr(&field.value, Want::Value(None));
                continue;
            };
            let value = self.expr(&field.value, Want::Exactly(types[place]));
            if std::mem::replace(&mut known[place], true) {
                let text = self.c.text(field.name.name).to_owned();
                self.report(Diagnostic::error("F0313", field.name.span, format!("field `{text}` is given twice")));
                continue;
            }
            values.push((place as u32, value));
        }
        let mut before = Vec::new();
        match (base, variant) {
            (Some(base), None) => self.take_base(base, ty, &types, &known, &mut values, &mut before),
            (Some(base), Some(_)) => {
                self.report(Diagnostic::error("F0312", base.span, "a variant takes no fields from another value"));
            }
            (None, _) if complete && known.contains(&false) => self.missing_fields(ty, variant, &known, head, span),
            (None, _) => {}
        }
        let kind = match (variant, self.kind(ty)) {
            (None, TyKind::Record(id, _)) => ExprKind::Record(*id, values),
            (Some((id, tag)), _) => return self.variant_record(ty, id, tag, values, span),
            _ => return self.error(span),
        };
        self.after(before, Expr { kind, ty, span })
    }

    /// A variant with named fields. They are evaluated as they are written; then they are in the variant's order.
    fn variant_record(&mut self, ty: Ty, id: EnumId, tag: u32, mut values: Vec<(u32, Expr)>, span: Span) -> Expr {
        let mut before = Vec::new();
        if !values.is_sorted_by_key(|(place, _)| *place) {
            let name = self.c.words.value;
            values = values.into_iter().map(|(place, value)| (place, self.once(value, name, &mut before))).collect();
            values.sort_by_key(|(place, _)| *place);
        }
        let values = values.into_iter().map(|(_, value)| value).collect();
        self.after(before, Expr { kind: ExprKind::Variant(id, tag, values), ty, span })
    }

    /// The fields that are not given, from another record, which is evaluated before those that are.
    fn take_base(
        &mut self,
        base: &'a syntax::Expr,
        ty: Ty,
        types: &[Ty],
        known: &[bool],
        values: &mut Vec<(u32, Expr)>,
        before: &mut Vec<crate::typed::Stmt>,
    ) {
        let TyKind::Record(id, _) = *self.kind(ty) else { return };
        let base = self.expr(base, Want::Exactly(ty));
        let span = base.span;
        let base = self.once(base, self.c.words.base, before);
        for place in 0..types.len() {
            if known[place] {
                continue;
            }
            let name = self.c.program.records[id.index()].fields[place].name;
            if self.field_place(ty, None, Ident { name, span }).is_none() {
                return;
            }
            let kind = ExprKind::Field(Box::new(base.clone()), id, place as u32);
            values.push((place as u32, Expr { kind, ty: types[place], span }));
        }
    }

    fn missing_fields(&mut self, ty: Ty, variant: Option<(EnumId, u32)>, known: &[bool], head: Span, span: Span) {
        let names = self.field_names(ty, variant);
        let missing: Vec<Name> = names.iter().zip(known).filter(|(_, known)| !**known).map(|(&name, _)| name).collect();
        // Those that this module does not see cannot be given at all.
        if let (None, TyKind::Record(id, _)) = (variant, self.kind(ty)) {
            let record = &self.c.program.records[id.index()];
            let private =
                record.fields.iter().any(|field| !self.c.is_visible(record.module, field.public, self.module));
            if private {
                let shown = self.c.show_head(ty);
                let error = Diagnostic::error("F0216", head, format!("`{shown}` has private fields"));
                self.report(error.help("only its module makes one this way: use a function of it"));
                return;
            }
        }
        let list: Vec<String> = missing.iter().map(|&name| format!("`{}`", self.c.text(name))).collect();
        let s = if list.len() == 1 { "" } else { "s" };
        let error = Diagnostic::error(
            "F0312",
            span,
            format!("the field{s} {} {} missing", list.join(", "), if list.len() == 1 { "is" } else { "are" }),
        );
        self.report(error);
    }

    /// Asks for what the parameters of a record's or enum's type ask of their arguments.
    pub(super) fn oblige_record(&mut self, ty: Ty, span: Span) {
        let any = match self.kind(ty) {
            TyKind::Record(id, _) => {
                self.c.program.records[id.index()].generics.iter().any(|generic| !generic.bounds.is_empty())
            }
            TyKind::Enum(id, _) => {
                self.c.program.enums[id.index()].generics.iter().any(|generic| !generic.bounds.is_empty())
            }
            _ => false,
        };
        if any {
            for (ty, of, args) in self.c.wanted_of(ty) {
                self.oblige(ty, of, args, span);
            }
        }
    }
}
