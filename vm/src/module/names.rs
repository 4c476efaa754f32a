//! Names of functions, for messages: from the name section, or else from exports and imports.
//!
//! They are read when they are first asked for, since most runs never ask. Custom sections are
//! not part of what makes a module valid, so whatever is malformed in them is left out.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

use super::Bytes;
use wasmparser::{
    BinaryReader, ExportSectionReader, ExternalKind, ImportSectionReader, Name, NameSectionReader, Parser, Payload,
    TypeRef,
};

use super::FuncIndex;

/// Names that a module carries. They are the guest's words: show them through
/// [`Escaped`](super::Escaped).
#[derive(Clone, Debug, Default)]
pub struct Names {
    sections: Option<Sections>,
    read: OnceLock<Read>,
}

/// Where names may be found.
#[derive(Clone, Debug)]
struct Sections {
    bytes: Bytes,
    names: Vec<Range<usize>>,
    exports: Option<Range<usize>>,
    imports: Option<Range<usize>>,
}

/// What was found.
#[derive(Clone, Debug, Default)]
struct Read {
    module: Option<String>,
    functions: HashMap<u32, String>,
}

impl Names {
    /// The names in a binary, which need not be valid.
    pub(crate) fn of(bytes: Bytes) -> Self {
        let mut sections = Sections { bytes: bytes.clone(), names: Vec::new(), exports: None, imports: None };
        let range = |range: Range<u64>| range.start as usize..range.end as usize;
        let mut parser = Parser::new(0);
        let mut at = 0;
        while let Some(Ok(wasmparser::Chunk::Parsed { consumed, payload })) =
            bytes.get(at..).map(|rest| parser.parse(rest, true))
        {
            at += consumed;
            match payload {
                Payload::CustomSection(s) if s.name() == "name" => sections.names.push(range(s.data_range())),
                Payload::ExportSection(s) => sections.exports = Some(range(s.range())),
                Payload::ImportSection(s) => sections.imports = Some(range(s.range())),
                Payload::CodeSectionStart { size, .. } => {
                    at += size as usize;
                    parser.skip_section();
                }
                Payload::End(_) => break,
                _ => {}
            }
        }
        Self { sections: Some(sections), read: OnceLock::new() }
    }

    /// The module's own name.
    pub fn module(&self) -> Option<&str> {
        self.read().module.as_deref()
    }

    /// A function's name.
    pub fn function(&self, func: FuncIndex) -> Option<&str> {
        self.read().functions.get(&func.0).map(String::as_str)
    }

    fn read(&self) -> &Read {
        self.read.get_or_init(|| self.sections.as_ref().map(Sections::read).unwrap_or_default())
    }
}

impl Sections {
    /// The first name found for a function is the one that counts.
    fn read(&self) -> Read {
        let mut read = Read::default();
        for section in &self.names {
            self.read_name_section(section.clone(), &mut read);
        }
        self.read_exports(&mut read);
        self.read_imports(&mut read);
        read
    }

    fn reader(&self, range: Range<usize>) -> BinaryReader<'_> {
        BinaryReader::new(self.bytes.get(range.clone()).unwrap_or_default(), range.start as u64)
    }

    fn read_name_section(&self, range: Range<usize>, read: &mut Read) {
        for name in NameSectionReader::new(self.reader(range)).map_while(Result::ok) {
            match name {
                Name::Module { name, .. } => read.module = read.module.take().or(Some(name.to_owned())),
                Name::Function(map) => {
                    for naming in map.into_iter().map_while(Result::ok) {
                        read.functions.entry(naming.index).or_insert_with(|| naming.name.to_owned());
                    }
                }
                _ => {}
            }
        }
    }

    fn read_exports(&self, read: &mut Read) {
        let Some(section) = self.exports.clone().and_then(|range| ExportSectionReader::new(self.reader(range)).ok())
        else {
            return;
        };
        for export in section.into_iter().map_while(Result::ok) {
            if export.kind == ExternalKind::Func {
                read.functions.entry(export.index).or_insert_with(|| export.name.to_owned());
            }
        }
    }

    fn read_imports(&self, read: &mut Read) {
        let Some(section) = self.imports.clone().and_then(|range| ImportSectionReader::new(self.reader(range)).ok())
        else {
            return;
        };
        let functions = section.into_imports().map_while(Result::ok).filter(|i| matches!(i.ty, TypeRef::Func(_)));
        for (index, import) in (0..).zip(functions) {
            read.functions.entry(index).or_insert_with(|| format!("{}.{}", import.module, import.name));
        }
    }
}
