//! Parts of a module's file that no run reads: what only debuggers want, which is more than half of many files.
//!
//! ```text
//!  "\0asm" version ─ section ─ section ─ 0 size ".debug_info" ▒▒▒▒▒▒▒ ─ section
//!                                                             contents
//! ```
//!
//! Whoever copies a program is no place to parse it, so this only goes from section to section, and believes nothing: what it says of a file that is
//! no module is of no consequence, since that is rejected whatever else is in it.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;

/// What the names of such sections begin with: DWARF's.
const DEBUG: &[u8] = b".debug_";
/// Sections that are gone through. A module has no reason to have as many.
const MAX_SECTIONS: usize = 1000;
/// Bytes that the head of a section is in: what it is, its size, and the length of its name and that.
const HEAD: usize = 1 + 5 + 5 + 64;

/// Where the contents of such sections are, in their order.
pub fn sections(file: &File, len: u64) -> Vec<Range<u64>> {
    let (mut found, mut at) = (Vec::new(), 8);
    let mut magic = [0; 8];
    if file.read_exact_at(&mut magic, 0).is_err() || &magic != b"\0asm\x01\0\0\0" {
        return found;
    }
    for _ in 0..MAX_SECTIONS {
        let mut head = [0; HEAD];
        let Ok(length) = file.read_at(&mut head, at) else { break };
        let Some(section) = Section::parse(&head[..length]) else { break };
        let (start, end) = (at + section.contents, at + section.end);
        if end > len {
            break;
        }
        if section.is_unread && start < end {
            found.push(start..end);
        }
        at = end;
    }
    found
}

/// A section, from its beginning.
struct Section {
    is_unread: bool,
    /// Where what comes after its name is.
    contents: u64,
    end: u64,
}

impl Section {
    fn parse(head: &[u8]) -> Option<Self> {
        let (&id, rest) = head.split_first()?;
        let (size, rest) = number(rest)?;
        let end = (head.len() - rest.len()) as u64 + u64::from(size);
        let name = || {
            let (length, rest) = number(rest)?;
            Some((rest.get(..length as usize)?, (head.len() - rest.len()) as u64 + u64::from(length)))
        };
        match name() {
            Some((name, contents)) if id == 0 && name.starts_with(DEBUG) => {
                Some(Self { is_unread: true, contents, end })
            }
            _ => Some(Self { is_unread: false, contents: end, end }),
        }
    }
}

/// A number of 32 bits in LEB128, and what comes after it.
fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = 0_u32;
    for (at, &byte) in bytes.iter().enumerate().take(5) {
        value |= u32::from(byte & 0x7f).checked_shl(7 * at as u32)?;
        if byte < 0x80 {
            return Some((value, &bytes[at + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn found(contents: &[u8]) -> Vec<Range<u64>> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(contents).unwrap();
        sections(&file, contents.len() as u64)
    }

    #[test]
    fn contents_of_debugging_sections_are_found_and_nothing_else() {
        let module = [
            &b"\0asm\x01\0\0\0"[..],
            b"\x01\x01\0",
            b"\0\x0d\x0a.debug_strab",
            b"\0\x08\x04name\0\x01x",
            // A size that takes more bytes than it needs, and a section without contents.
            b"\0\x8e\x80\0\x0b.debug_infoab",
            b"\0\x0b\x0a.debug_loc",
        ]
        .concat();
        let at = |text: &[u8]| module.windows(text.len()).position(|at| at == text).unwrap() as u64 + text.len() as u64;
        let [first, second] = [at(b".debug_str"), at(b".debug_info")];
        assert_eq!(found(&module), [first..first + 2, second..second + 2]);
        // Cut off anywhere, or no module at all.
        for length in 0..module.len() {
            let found = found(&module[..length]);
            assert!(found.iter().all(|range| range.end <= length as u64 && range.start < range.end));
        }
        assert!(found(&module[1..]).is_empty());
    }

    #[test]
    fn a_name_never_reaches_out_of_its_section() {
        // The name would be longer than the section that it is in.
        let module = [&b"\0asm\x01\0\0\0"[..], b"\0\x02\x0a.debug_strab", &[0; 100]].concat();
        assert!(found(&module).iter().all(|range| range.start < range.end));
        assert!(found(b"\0asm\x01\0\0\0\0\xff\xff\xff\xff\xff").is_empty());
    }
}
