//! Messages.

use rustc_hash::FxHashSet;

use super::Checker;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Span;
use crate::typed::{Body, ConstId, EnumId, Expr, ExprKind, Field, FnId, LocalId, RecordId};

/// What has fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    /// A record.
    Record(RecordId),
    /// A variant.
    Variant(EnumId, u32),
}

/// Why something is read-only.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source<'p> {
    /// It is bound by a name without `var`, perhaps in a `let` with no other name.
    Local(&'p Body, LocalId, Option<Span>),
    /// It is a parameter without `var`.
    Param(FnId, u32),
    /// It is in a field without `var`.
    Field(Owner, u32),
    /// It is in a constant.
    Const(ConstId),
    /// A function gives it so.
    Result(FnId),
    /// A function takes it so, in something that can be changed otherwise.
    Taken(FnId, u32),
    /// Only a bound of a type parameter is known of it.
    Bound,
    /// It was taken out of a `dyn`.
    Cast,
}

/// Why something has to be mutable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CauseKind {
    /// A method changes it.
    Method(FnId),
    /// It is handed to a `var` parameter.
    Argument(FnId, u32),
    /// A field of it is assigned.
    Assign,
    /// It is kept in a `var` field.
    Keep(Owner, u32),
    /// It goes into a `var` parameter, as its type says.
    Declared(FnId, u32),
    /// A function gives it as mutable.
    Result(FnId),
    /// A function gives it as `Self`, for a trait.
    Implemented(FnId),
    /// It goes to a function of which only a trait is known.
    Instance(FnId),
    /// A function value takes it as mutable.
    Function,
}

/// A cause of demands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cause<'p> {
    /// What it is.
    pub(super) kind: CauseKind,
    /// Where.
    pub(super) span: Span,
    /// The value that has to be mutable.
    pub(super) value: Option<&'p Expr>,
    /// The body that it is in.
    pub(super) body: Option<&'p Body>,
}

/// A parameter of an implementation that demands more than the trait's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stricter {
    pub(super) function: FnId,
    pub(super) declared: FnId,
    pub(super) index: u32,
}

/// How many errors are told.
const MAX_ERRORS: usize = 300;

impl<'p> Checker<'p> {
    /// Tells what is wrong.
    pub(super) fn report(&self, diagnostics: &mut Diagnostics) {
        let mut told = FxHashSet::default();
        for (flag, source) in self.graph.wrong() {
            let root = self.graph.root(flag);
            let Some(cause) = root.cause else { continue };
            let (cause, source) = (&self.causes[cause as usize], &self.sources[source as usize]);
            let wrong = match root.call {
                None if root.filled => {
                    let path = cause.value.and_then(|value| self.path(cause.body, value));
                    let place = path.map_or("something that can be changed".to_owned(), |path| format!("`{path}`"));
                    let message =
                        format!("cannot put a read-only value into {place}, of which each part can be changed");
                    Diagnostic::error("F0602", root.last.unwrap_or(cause.span), message).label("put in here")
                }
                Some(call) => Diagnostic::error("F0602", call, "a read-only value is changed by what is called here")
                    .label("called here")
                    .also(cause.span, "this changes it"),
                None => self.wrong(cause, root.first),
            };
            let diagnostic = self.mend(wrong, source);
            let places = diagnostic.secondary.last().map(|label| label.span);
            if told.insert((diagnostic.primary.span, places)) {
                diagnostics.push(diagnostic);
                if told.len() == MAX_ERRORS {
                    break;
                }
            }
        }
        for stricter in &self.stricter {
            diagnostics.push(self.stricter(*stricter));
        }
    }

    /// What has to be mutable and is not.
    fn wrong(&self, cause: &Cause<'p>, first: Option<Span>) -> Diagnostic {
        let value = cause.value.and_then(|value| self.path(cause.body, value));
        let what = value.as_ref().map_or("this value".to_owned(), |path| format!("`{path}`"));
        let function = |id: FnId| self.names.text(self.program.functions[id.index()].name);
        let changed = format!("cannot change {what}: it is read-only");
        match cause.kind {
            CauseKind::Method(id) => {
                Diagnostic::error("F0601", cause.span, changed).label(format!("`{}` changes it", function(id)))
            }
            CauseKind::Assign => Diagnostic::error("F0601", cause.span, changed).label("changed here"),
            CauseKind::Argument(id, index) => {
                let param = &self.program.functions[id.index()].params[index as usize];
                let var = if param.mutable { "var " } else { "" };
                let place = format!("`{var}{}` of `{}`", self.names.text(param.name), function(id));
                let message = format!("cannot hand {what} to {place}: it is read-only");
                Diagnostic::error("F0602", cause.span, message).label(format!("`{}` may change it", function(id)))
            }
            CauseKind::Keep(owner, index) => {
                let (field, name) = (self.field_of(owner, index), self.owner(owner));
                let var = if field.mutable { "var " } else { "" };
                let place = match self.names.text(field.name) {
                    number if is_number(number) => format!("`{name}`"),
                    field => format!("`{var}{field}` of `{name}`"),
                };
                let message = format!("cannot keep {what} in {place}: it is read-only");
                Diagnostic::error("F0602", cause.span, message).label("it may be changed there")
            }
            CauseKind::Declared(id, index) => {
                let param = &self.program.functions[id.index()].params[index as usize];
                let name = self.names.text(param.name);
                let message = format!("a read-only value goes into `var {name}`");
                Diagnostic::error("F0602", first.unwrap_or(cause.span), message)
                    .label(format!("who handed in `{name}` may change what is in it"))
            }
            CauseKind::Result(id) | CauseKind::Implemented(id) => {
                let message = format!("`{}` gives a read-only value as mutable", function(id));
                let diagnostic = Diagnostic::error("F0602", first.unwrap_or(cause.span), message);
                match cause.kind {
                    CauseKind::Implemented(_) => diagnostic.label("the trait gives `Self`, which may be changed"),
                    _ => diagnostic.label("its result is declared with `var`"),
                }
            }
            CauseKind::Instance(id) => {
                let message =
                    format!("cannot hand a read-only value to `{}`, of which only the trait is known", function(id));
                Diagnostic::error("F0602", first.unwrap_or(cause.span), message).label("it may be changed there")
            }
            CauseKind::Function => {
                let message = "cannot hand a read-only value to a function that may change it";
                Diagnostic::error("F0602", first.unwrap_or(cause.span), message).label("it may be changed there")
            }
        }
    }

    /// Why it is read-only, and how to mend that.
    fn mend(&self, diagnostic: Diagnostic, source: &Source<'p>) -> Diagnostic {
        let insert = |diagnostic: Diagnostic, span: Span, name: &str| {
            diagnostic.repair(format!("`var {name}` lets it be changed"), span.begin(), "var ")
        };
        let declared = |diagnostic: Diagnostic, span: Span, name: &str| {
            let text = format!("the type of `{name}` says that it is read-only");
            diagnostic.also(span, text).help("`var` in the type, in the place of `let`, lets it be changed")
        };
        let copy = "`.copy()` makes a copy that can be changed";
        match source {
            Source::Local(body, id, binding) => {
                let local = &body.locals[id.index()];
                let name = self.names.text(local.name);
                if local.mutable {
                    return declared(diagnostic, local.span, name);
                }
                match binding {
                    Some(stmt) => {
                        let word = Span { end: stmt.start + 3, ..*stmt };
                        diagnostic.also(local.span, format!("`{name}` is read-only: it is bound by `let`")).repair(
                            format!("`var {name}` lets it be changed"),
                            word,
                            "var",
                        )
                    }
                    None => {
                        let diagnostic = diagnostic.also(local.span, format!("`{name}` is read-only"));
                        insert(diagnostic, local.span, name)
                    }
                }
            }
            Source::Param(id, index) => {
                let param = &self.program.functions[id.index()].params[*index as usize];
                let name = self.names.text(param.name);
                if param.mutable {
                    return declared(diagnostic, param.span, name);
                }
                insert(diagnostic.also(param.span, format!("parameter `{name}` is read-only")), param.span, name)
            }
            Source::Field(owner, index) => {
                let field = self.field_of(*owner, *index);
                let name = self.names.text(field.name);
                if field.mutable {
                    return declared(diagnostic, field.span, name);
                }
                if is_number(name) {
                    let text = format!("what `{}` holds is read-only", self.owner(*owner));
                    diagnostic.also(field.span, text).help("`var` before its type lets it be changed")
                } else {
                    insert(diagnostic.also(field.span, format!("field `{name}` is read-only")), field.span, name)
                }
            }
            Source::Const(id) => {
                let constant = &self.program.constants[id.index()];
                let name = self.names.text(constant.name);
                diagnostic.also(constant.span, format!("`{name}` is a constant")).help(copy)
            }
            Source::Result(id) => {
                let function = &self.program.functions[id.index()];
                let text = format!("`{}` gives it read-only", self.names.text(function.name));
                diagnostic.also(function.span, text).help(copy)
            }
            Source::Taken(id, index) => {
                let function = &self.program.functions[id.index()];
                let param = &function.params[*index as usize];
                let name = self.names.text(param.name);
                let text = format!("`{name}` of `{}` takes it read-only", self.names.text(function.name));
                diagnostic.also(param.span, text).help("say `var` in the parameter's type")
            }
            Source::Bound => diagnostic.note("what a bound of a type parameter names is read-only").help(copy),
            Source::Cast => diagnostic.note("what is taken out of a `dyn` is read-only").help(copy),
        }
    }

    fn stricter(&self, stricter: Stricter) -> Diagnostic {
        let (function, declared) =
            (&self.program.functions[stricter.function.index()], &self.program.functions[stricter.declared.index()]);
        let (param, wanted) = (&function.params[stricter.index as usize], &declared.params[stricter.index as usize]);
        let (name, method) = (self.names.text(param.name), self.names.text(function.name));
        Diagnostic::error(
            "F0603",
            param.span,
            format!("`{method}` may change `{name}`, which its trait does not allow"),
        )
        .label("mutable here")
        .also(wanted.span, "read-only here")
        .help("say the same in both")
    }

    fn field_of(&self, owner: Owner, index: u32) -> &'p Field {
        match owner {
            Owner::Record(id) => &self.program.records[id.index()].fields[index as usize],
            Owner::Variant(id, tag) => &self.program.enums[id.index()].variants[tag as usize].fields[index as usize],
        }
    }

    fn owner(&self, owner: Owner) -> &'p str {
        self.names.text(match owner {
            Owner::Record(id) => self.program.records[id.index()].name,
            Owner::Variant(id, tag) => self.program.enums[id.index()].variants[tag as usize].name,
        })
    }

    /// How a value is written, if it is a name, or something reached from one.
    fn path(&self, body: Option<&Body>, value: &Expr) -> Option<String> {
        match &value.kind {
            ExprKind::Local(id) => {
                let name = self.names.text(body?.locals[id.index()].name);
                (!name.starts_with('$')).then(|| name.to_owned())
            }
            ExprKind::Const(id) => Some(self.names.text(self.program.constants[id.index()].name).to_owned()),
            ExprKind::Field(base, id, index) => {
                let field = &self.program.records[id.index()].fields[*index as usize];
                Some(format!("{}.{}", self.path(body, base)?, self.names.text(field.name)))
            }
            ExprKind::TupleField(base, index) => Some(format!("{}.{index}", self.path(body, base)?)),
            ExprKind::Call(_, args) => Some(format!("{}[…]", self.path(body, args.first()?)?.trim_end_matches("[…]"))),
            ExprKind::ToDyn(base, ..) | ExprKind::Try(base, _) => self.path(body, base),
            _ => None,
        }
    }
}

/// Whether a field's name is its place.
fn is_number(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_digit())
}
