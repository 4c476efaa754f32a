//! What is shown of a module, as data. Names in it are the guest's words as they are.

use std::collections::BTreeSet;

use pinfold_vm::host::table;
use pinfold_vm::module::{ExportKind, ImportKind, Module};
use pinfold_vm::types::{AddressType, ExternType, FuncType, GlobalType, Limits, MemoryType, TableType};
use serde::Serialize;

/// A module's parts.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The module's own name.
    pub name: Option<String>,
    /// Its size.
    pub bytes: usize,
    /// Sections in their order.
    pub sections: Vec<Section>,
    /// What it imports.
    pub imports: Vec<Import>,
    /// The capabilities that its imports need.
    pub capabilities: BTreeSet<&'static str>,
    /// Memories, imported ones first.
    pub memories: Vec<Bounds>,
    /// Tables, imported ones first.
    pub tables: Vec<Table>,
    /// Globals, imported ones included.
    pub globals: usize,
    /// Functions, imported ones included.
    pub functions: usize,
    /// What it exports.
    pub exports: Vec<Export>,
    /// The function that runs at instantiation.
    pub start: Option<Function>,
}

/// A section.
#[derive(Debug, Serialize)]
pub struct Section {
    /// `type`, `code`, `custom` and so on.
    pub kind: &'static str,
    /// A custom section's name.
    pub name: Option<String>,
    /// Where its contents start.
    pub offset: usize,
    /// How long they are.
    pub bytes: usize,
    /// How many entries it has.
    pub entries: Option<u32>,
}

/// An import.
#[derive(Debug, Serialize)]
pub struct Import {
    /// First name.
    pub module: String,
    /// Second name.
    pub name: String,
    /// What it must be.
    #[serde(flatten)]
    pub item: Item,
    /// What the host table has for it.
    pub host: Host,
}

/// What the host table has for an import.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "status")]
pub enum Host {
    /// A row of this type.
    Provided {
        /// What it needs.
        capability: &'static str,
        /// How that is granted.
        grant: &'static str,
    },
    /// A row of another type.
    OtherType {
        /// The row's type.
        expected: String,
    },
    /// Nothing: a host program must define it.
    Unknown,
}

/// A thing with a type.
#[derive(Debug, Serialize)]
pub struct Item {
    /// `function`, `table`, `memory` or `global`.
    pub kind: &'static str,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: String,
}

/// An export.
#[derive(Debug, Serialize)]
pub struct Export {
    /// Its name.
    pub name: String,
    /// Its index among those of its kind.
    pub index: u32,
    /// What it is.
    #[serde(flatten)]
    pub item: Item,
}

/// A function.
#[derive(Debug, Serialize)]
pub struct Function {
    /// Its index.
    pub index: u32,
    /// Its name.
    pub name: Option<String>,
}

/// Bounds of a memory in pages of 64 KiB, or of a table in elements.
#[derive(Debug, Serialize)]
pub struct Bounds {
    /// Type of addresses or indices: `i32` or `i64`.
    pub address: &'static str,
    /// At the start.
    pub initial: u64,
    /// At most.
    pub maximum: Option<u64>,
}

/// A table.
#[derive(Debug, Serialize)]
pub struct Table {
    /// Type of the elements.
    pub element: String,
    /// Size in elements.
    #[serde(flatten)]
    pub bounds: Bounds,
}

impl Report {
    /// What there is to say of a module.
    pub fn new(module: &Module) -> Self {
        let imports: Vec<Import> = module.imports().iter().map(|i| import(module, i)).collect();
        let capabilities = imports.iter().filter_map(|import| match import.host {
            Host::Provided { capability, .. } => Some(capability),
            _ => None,
        });
        Self {
            name: module.names().module().map(str::to_owned),
            bytes: module.bytes().len(),
            sections: module.sections().into_iter().map(section).collect(),
            capabilities: capabilities.collect(),
            imports,
            memories: module.memories().iter().map(|memory| bounds(memory.address, memory.limits)).collect(),
            tables: module.tables().iter().map(table_of).collect(),
            globals: module.globals().len(),
            functions: module.function_count(),
            exports: module.exports().iter().map(|(name, kind)| export(module, name, *kind)).collect(),
            start: module
                .start()
                .map(|func| Function { index: func.0, name: module.names().function(func).map(str::to_owned) }),
        }
    }
}

fn section(section: pinfold_vm::module::Section) -> Section {
    Section {
        kind: section.kind,
        name: section.name,
        offset: section.bytes.start,
        bytes: section.bytes.len(),
        entries: section.entries,
    }
}

fn import(module: &Module, import: &pinfold_vm::module::Import) -> Import {
    let ty = module.import_type(import);
    let host = match (table::lookup(&import.module, &import.name), import.kind, &ty) {
        (Some(row), ImportKind::Func(_), ExternType::Func(ty)) if row.func_type() == *ty => {
            Host::Provided { capability: row.capability.name(), grant: row.capability.flag() }
        }
        (Some(row), ..) => Host::OtherType { expected: item(&ExternType::Func(row.func_type())).ty },
        (None, ..) => Host::Unknown,
    };
    Import { module: import.module.clone(), name: import.name.clone(), item: item(&ty), host }
}

fn export(module: &Module, name: &str, kind: ExportKind) -> Export {
    let index = match kind {
        ExportKind::Func(i) => i.0,
        ExportKind::Table(i) => i.0,
        ExportKind::Memory(i) => i.0,
        ExportKind::Global(i) => i.0,
        ExportKind::Tag(i) => i.0,
    };
    Export { name: name.to_owned(), index, item: item(&module.export_type(kind)) }
}

fn table_of(table: &TableType) -> Table {
    Table { element: table.element.to_string(), bounds: bounds(table.address, table.limits) }
}

fn bounds(address: AddressType, limits: Limits) -> Bounds {
    Bounds { address: if address.is_64() { "i64" } else { "i32" }, initial: limits.min, maximum: limits.max }
}

fn item(ty: &ExternType) -> Item {
    let (kind, ty) = match ty {
        ExternType::Func(ty) => ("function", signature(ty)),
        ExternType::Table(TableType { address, element, limits }) => {
            ("table", format!("{}{} {element}", address.prefix(), range(*limits, "elements")))
        }
        ExternType::Memory(MemoryType { address, limits }) => {
            ("memory", format!("{}{}", address.prefix(), range(*limits, "pages")))
        }
        ExternType::Global(GlobalType { value, mutable }) => {
            ("global", format!("{}{value}", if *mutable { "mutable " } else { "" }))
        }
        ExternType::Tag(ty) => ("tag", signature(ty)),
    };
    Item { kind, ty }
}

fn signature(ty: &FuncType) -> String {
    ty.to_string()
}

fn range(limits: Limits, unit: &str) -> String {
    match limits.max {
        Some(max) => format!("{} to {max} {unit}", limits.min),
        None => format!("{} {unit} or more", limits.min),
    }
}

/// The report as JSON, one line for each value. Characters outside of ASCII are escaped, so that none acts on
/// a terminal.
pub fn json(report: &Report) -> String {
    // Maps have text keys and nothing in a report fails to serialize.
    let plain = serde_json::to_string_pretty(report).unwrap_or_default();
    let mut escaped = String::with_capacity(plain.len() + 1);
    for c in plain.chars() {
        match c {
            ' '..='~' | '\n' => escaped.push(c),
            _ => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| escaped.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    escaped.push('\n');
    escaped
}
