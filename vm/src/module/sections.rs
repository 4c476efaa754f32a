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
        let section = self.sections().into_iter().find(|section| section.name.as_deref() == Some(name))?;
        let contents = self.bytes().get(section.bytes)?;
        // Its name comes first.
        contents.windows(name.len()).position(|at| at == name.as_bytes()).map(|at| &contents[at + name.len()..])
    }

    /// The sections in their order, function bodies not looked at.
    pub fn sections(&self) -> Vec<Section> {
        let bytes = self.bytes();
        let (mut sections, mut parser, mut at) = (Vec::new(), Parser::new(0), 0);
        while let Some(Ok(Chunk::Parsed { consumed, payload })) = bytes.get(at..).map(|rest| parser.parse(rest, true)) {
            at += consumed;
            if let Payload::End(_) = payload {
                break;
            }
            if let Payload::CodeSectionStart { size, .. } = payload {
                at += size as usize;
                parser.skip_section();
            }
            sections.extend(section(&payload));
        }
        sections
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
