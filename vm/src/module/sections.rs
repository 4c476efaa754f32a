//! Where the sections of a module stand, for inspection.

use std::ops::Range;

use wasmparser::{Chunk, Parser, Payload};

use super::Module;

/// A section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its kind: `type`, `code`, `custom` and so on.
    pub kind: &'static str,
    /// The name of a custom section. The guest's words.
    pub name: Option<String>,
    /// Its contents' place in the module.
    pub bytes: Range<usize>,
    /// How many entries it has, where it has entries.
    pub entries: Option<u32>,
}

impl Module {
    /// The contents of the first custom section of a name.
    pub fn custom_section(&self, name: &str) -> Option<&[u8]> {
        let mut found = None;
        self.each_section(|payload| match payload {
            Payload::CustomSection(section) if section.name() == name => {
                found = Some(section.data());
                false
            }
            _ => true,
        });
        found
    }

    /// The sections in their order, function bodies not looked at.
    pub fn sections(&self) -> Vec<Section> {
        let mut sections = Vec::new();
        self.each_section(|payload| {
            sections.extend(section(&payload));
            true
        });
        sections
    }

    /// Shows sections in their order, function bodies left out, until one is what was looked for.
    fn each_section<'a>(&'a self, mut goes_on: impl FnMut(Payload<'a>) -> bool) {
        let bytes = self.bytes();
        let (mut parser, mut at) = (Parser::new(0), 0);
        while let Some(Ok(Chunk::Parsed { consumed, payload })) = bytes.get(at..).map(|rest| parser.parse(rest, true)) {
            at += consumed;
            if let Payload::CodeSectionStart { size, .. } = payload {
                at += size as usize;
                parser.skip_section();
            }
            if matches!(payload, Payload::End(_)) || !goes_on(payload) {
                return;
            }
        }
    }
}

fn section(payload: &Payload<'_>) -> Option<Section> {
    let mut name = None;
    let (kind, entries) = match payload {
        Payload::TypeSection(s) => ("type", Some(s.count())),
        Payload::ImportSection(s) => ("import", Some(s.count())),
        Payload::FunctionSection(s) => ("function", Some(s.count())),
        Payload::TableSection(s) => ("table", Some(s.count())),
        Payload::MemorySection(s) => ("memory", Some(s.count())),
        Payload::GlobalSection(s) => ("global", Some(s.count())),
        Payload::ExportSection(s) => ("export", Some(s.count())),
        Payload::StartSection { .. } => ("start", None),
        Payload::ElementSection(s) => ("element", Some(s.count())),
        Payload::DataCountSection { .. } => ("data count", None),
        Payload::CodeSectionStart { count, .. } => ("code", Some(*count)),
        Payload::DataSection(s) => ("data", Some(s.count())),
        Payload::CustomSection(s) => {
            name = Some(s.name().to_owned());
            ("custom", None)
        }
        _ => return None,
    };
    let (_, range) = payload.as_section()?;
    Some(Section { kind, name, bytes: range.start as usize..range.end as usize, entries })
}
