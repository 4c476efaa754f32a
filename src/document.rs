//! What a module of Fold documents: what others see of it, with signatures as they are written.

use pinfold_compiler::source::Span;
use pinfold_compiler::syntax::{Field, File, Item, ItemKind, Member};
use serde::{Deserialize, Serialize};

/// A module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Module {
    /// Its path.
    pub path: String,
    /// What it says of itself.
    pub doc: String,
    /// What it declares.
    pub entries: Vec<Entry>,
}

/// Something that is declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// As it is written, without what it does.
    pub signature: String,
    /// Its documentation.
    pub doc: String,
    /// What belongs to it: fields, variants, methods.
    pub members: Vec<Entry>,
}

/// What a module documents: what is `pub`, and `main`.
pub fn module(path: &str, text: &str, tree: &File) -> Module {
    let entries = tree.items.iter().filter_map(|item| entry(text, item)).collect();
    let mut module = Module { path: path.into(), doc: tree.doc.as_deref().unwrap_or_default().into(), entries };
    if let Some(needs) = &tree.needs {
        module.entries.insert(0, Entry { signature: slice(text, needs.span), doc: String::new(), members: Vec::new() });
    }
    module
}

fn entry(text: &str, item: &Item) -> Option<Entry> {
    let doc = item.doc.as_deref().unwrap_or_default().to_owned();
    let visible = |fields: &[Field]| {
        fields.iter().filter(|field| field.public).map(|field| part(text, field.span, &field.doc)).collect()
    };
    let (signature, members): (String, Vec<Entry>) = match &item.kind {
        ItemKind::Fn(function) if item.public || &text[function.name.span.range()] == "main" => {
            (slice(text, function.head), Vec::new())
        }
        // An implementation of a trait is seen by whoever sees both.
        ItemKind::Impl(of) => {
            let members: Vec<Entry> =
                of.members.iter().filter(|member| member.public).map(|of| member(text, of)).collect();
            if members.is_empty() && of.trait_ref.is_none() {
                return None;
            }
            (slice(text, of.head), members)
        }
        _ if !item.public => return None,
        ItemKind::Record(record) => (head(text, item), visible(&record.fields)),
        ItemKind::Enum(of) => {
            (head(text, item), of.variants.iter().map(|variant| part(text, variant.span, &variant.doc)).collect())
        }
        ItemKind::Trait(of) => (head(text, item), of.members.iter().map(|of| member(text, of)).collect()),
        ItemKind::Const(constant) => (slice(text, Span { start: item.span.start, ..constant.ty.span }), Vec::new()),
        ItemKind::Alias(_) => (slice(text, item.span), Vec::new()),
        _ => return None,
    };
    Some(Entry { signature, doc, members })
}

fn member(text: &str, member: &Member) -> Entry {
    part(text, member.function.head, &member.doc)
}

fn part(text: &str, span: Span, doc: &Option<std::rc::Rc<str>>) -> Entry {
    Entry { signature: slice(text, span), doc: doc.as_deref().unwrap_or_default().into(), members: Vec::new() }
}

/// What stands before the first brace.
fn head(text: &str, item: &Item) -> String {
    let all = slice(text, item.span);
    all.split('{').next().unwrap_or_default().trim_start_matches("pub ").trim_end().to_owned()
}

fn slice(text: &str, span: Span) -> String {
    text.get(span.range()).unwrap_or_default().trim_start_matches("pub ").trim_end().to_owned()
}
