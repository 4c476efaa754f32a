//! Parts of a module's file that are not read where it is copied to: what only debuggers want, which is more than half of many files, and what a
//! [snapshot](crate::runtime::snapshot) has of memories, which is mapped from the file itself.
//!
//! ```text
//!  "\0asm" version ─ section ─ section ─ 0 size ".debug_info" ▒▒▒▒▒▒▒ ─ section ─ 0 size "pinfold.state" state, to the next page ▒▒▒▒▒▒▒▒▒
//!                                                             contents                                                         image
//! ```
//!
//! Whoever copies a program is no place to parse it, so this only goes from section to section, and believes nothing: what it says of a file that is
//! no module is of no consequence, since that is rejected whatever else is in it.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use crate::runtime::snapshot::SECTION;
use crate::runtime::space::HOST_PAGE;

/// What the names of such sections begin with: DWARF's.
const DEBUG: &[u8] = b".debug_";
/// Bytes of an image that it takes as long to map as to copy.
const LARGE: u64 = 256 << 10;
/// Sections that are gone through. A module has no reason to have as many.
const MAX_SECTIONS: usize = 1000;
/// Bytes that the head of a section is in: what it is, its size, the length of its name and that, and a number.
const HEAD: usize = 1 + 5 + 5 + 64 + 4;

/// See the [module](self).
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// Where the contents of debugging sections are, in their order.
    pub debugging: Vec<Range<u64>>,
    /// Where the image of a snapshot's memories begins, which goes to the end of the file, if it is large.
    pub image: Option<u64>,
}

/// Goes through a file of so many bytes.
pub fn find(file: &File, len: u64) -> Unread {
    look(len, |at, bytes| file.read_at(bytes, at).unwrap_or(0))
}

/// The parts of a module that a run of it looks at, in their order.
pub fn parts_read(module: &[u8]) -> Vec<Range<usize>> {
    let unread = look(module.len() as u64, |at, bytes| {
        let from = usize::try_from(at).ok().and_then(|at| module.get(at..)).unwrap_or_default();
        let length = from.len().min(bytes.len());
        bytes[..length].copy_from_slice(&from[..length]);
        length
    });
    // They are in a slice.
    unread.others(module.len() as u64).map(|Range { start, end }| start as usize..end as usize).collect()
}

impl Unread {
    /// What else is in a file of so many bytes.
    pub fn others(self, len: u64) -> impl Iterator<Item = Range<u64>> {
        let starts: Vec<u64> = [0].into_iter().chain(self.debugging.iter().map(|range| range.end)).collect();
        let ends = self.debugging.into_iter().map(|range| range.start).chain([self.image.unwrap_or(len)]);
        starts.into_iter().zip(ends).map(|(start, end)| start..end)
    }
}

fn look(len: u64, read: impl Fn(u64, &mut [u8]) -> usize) -> Unread {
    let (mut found, mut at) = (Unread::default(), 8);
    let mut magic = [0; 8];
    if read(0, &mut magic) < 8 || &magic != b"\0asm\x01\0\0\0" {
        return found;
    }
    for _ in 0..MAX_SECTIONS {
        let mut head = [0; HEAD];
        let length = read(at, &mut head);
        let Some(section) = Section::parse(&head[..length]) else { break };
        let (start, end) = (at + section.contents, at + section.end);
        if end > len {
            break;
        }
        match section.kind {
            Kind::Debugging if start < end => found.debugging.push(start..end),
            Kind::State { length } => {
                let image = (start + 4 + u64::from(length)).next_multiple_of(HOST_PAGE as u64);
                found.image = (end == len && image + LARGE <= end).then_some(image);
            }
            _ => {}
        }
        at = end;
    }
    found
}

/// A section, from its beginning.
struct Section {
    kind: Kind,
    /// Where what comes after its name is.
    contents: u64,
    end: u64,
}

enum Kind {
    Debugging,
    /// Of a snapshot: its state, of so many bytes, and after that the image.
    State {
        length: u32,
    },
    Other,
}

impl Section {
    fn parse(head: &[u8]) -> Option<Self> {
        let (&id, rest) = head.split_first()?;
        let (size, rest) = number(rest)?;
        let end = (head.len() - rest.len()) as u64 + u64::from(size);
        let name = || {
            let (length, rest) = number(rest)?;
            let (name, rest) = rest.split_at_checked(length as usize)?;
            Some((name, rest, (head.len() - rest.len()) as u64))
        };
        let (kind, contents) = match name().filter(|_| id == 0) {
            Some((name, _, contents)) if name.starts_with(DEBUG) => (Kind::Debugging, contents),
            Some((name, rest, contents)) if name == SECTION.as_bytes() => {
                (Kind::State { length: u32::from_le_bytes(*rest.first_chunk()?) }, contents)
            }
            _ => (Kind::Other, end),
        };
        Some(Self { kind, contents, end })
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

    fn all(contents: &[u8]) -> Unread {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(contents).unwrap();
        find(&file, contents.len() as u64)
    }

    fn found(contents: &[u8]) -> Vec<Range<u64>> {
        all(contents).debugging
    }

    #[test]
    fn the_image_of_a_snapshot_is_what_follows_its_state_to_the_end() {
        let image = LARGE as usize;
        let snapshot = |before: u32, image: usize, after: &[u8]| {
            let size = (1 + SECTION.len() + 4 + before as usize + image) as u32;
            let size = [0, 7, 14, 21, 28].map(|shift| (size >> shift) as u8 & 0x7f | if shift < 28 { 0x80 } else { 0 });
            let head = [&b"\0asm\x01\0\0\0\0"[..], &size, &[SECTION.len() as u8], SECTION.as_bytes()].concat();
            [&head, &before.to_le_bytes()[..], &vec![0; before as usize + image], after].concat()
        };
        // Eight bytes of a module, and six, one, and the name of the section, and the length of the state.
        let state = HOST_PAGE as u32 - (8 + 6 + 1 + SECTION.len() as u32 + 4);
        assert_eq!(all(&snapshot(state, image, b"")).image, Some(HOST_PAGE as u64));
        assert_eq!(all(&snapshot(state + 1, image + HOST_PAGE, b"")).image, Some(2 * HOST_PAGE as u64));
        assert_eq!(all(&snapshot(state, image - 1, b"")).image, None);
        assert_eq!(all(&snapshot(state, image, b"\0\x01\0")).image, None);
        // A length that leads out of the file.
        let mut damaged = snapshot(state, image, b"");
        let at = HOST_PAGE - state as usize - 4;
        damaged[at..at + 4].fill(0xff);
        assert_eq!(all(&damaged).image, None);
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
