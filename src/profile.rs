//! Where a program's time went: what its worker writes down of that, in a file in memory that has its size from the beginning.
//!
//! ```text
//!  bytes of the text (8, low ones first; zero: there is none) │ a `Profile` as JSON │ nothing
//! ```
//!
//! It is written when the program has ended, before that is told, so that it is there however it ended, unless its worker was killed.
//! *Invariant: whoever reads it assumes that the worker was taken over: what is read is a tree, and everything in it has its place there.*

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use serde::{Deserialize, Serialize};

/// Bytes of the file.
pub const ROOM: u64 = 32 << 20;
/// Bytes before the text.
pub const HEAD: usize = 8;
/// Characters of a name, or of a file's name, that are kept.
pub const NAME: usize = 200;

/// Where a program's time went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// What was seen in stacks.
    pub functions: Vec<Function>,
    /// Each stack is a path through these, from the first, the root: which one comes before it, and the function.
    pub nodes: Vec<(u32, u32)>,
    /// Samples in the order of time: the node, and for how many microseconds it counts.
    pub samples: Vec<(u32, u32)>,
    /// The same by lines of the source: the node, the line, and the microseconds of the samples there.
    pub lines: Vec<(u32, u32, u64)>,
    /// Whether all stacks had room.
    pub is_complete: bool,
}

/// A function in stacks. The program's words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Function {
    /// Its name, or the beginning of that.
    pub name: String,
    /// The file that it is in; empty if it is in none.
    pub file: String,
    /// Where it begins there: line and column, both from 1. Of a function whose source is not known the column is its place in its module.
    pub begins: Option<(u32, u32)>,
}

/// What a worker has written is no profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the worker has written what is no profile")]
pub struct Nonsense;

/// A file for a worker to write one in.
///
/// # Errors
/// If there can be none.
pub fn room() -> io::Result<File> {
    let file = File::from(memfd_create("pinfold-profile", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
    ftruncate(&file, ROOM)?;
    fcntl_add_seals(&file, SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(file)
}

impl Profile {
    /// Writes it at the beginning of a room. If there is not enough of that, half of the samples go until there is; nothing is written if
    /// that does not help.
    pub fn write(mut self, room: &mut [u8]) {
        loop {
            let Ok(text) = serde_json::to_vec(&self) else { return };
            let length = (text.len() as u64).to_le_bytes();
            if let Some(place) = room.get_mut(HEAD..HEAD + text.len()) {
                place.copy_from_slice(&text);
                room[..HEAD].copy_from_slice(&length);
                return;
            }
            // Of one there is no half.
            if self.samples.len() < 2 {
                return;
            }
            self.thin_out();
        }
    }

    /// Leaves every other sample out; the one before it counts for both.
    fn thin_out(&mut self) {
        let pairs = self.samples.chunks(2);
        self.samples = pairs
            .map(|pair| (pair[0].0, pair.iter().fold(0, |all: u32, (_, micros)| all.saturating_add(*micros))))
            .collect();
    }

    /// What a worker has written; none if it has written nothing.
    ///
    /// # Errors
    /// If it is something else.
    pub fn read(file: &File) -> Result<Option<Self>, Nonsense> {
        let mut head = [0; HEAD];
        file.read_exact_at(&mut head, 0).map_err(|_| Nonsense)?;
        let length = u64::from_le_bytes(head);
        if length == 0 {
            return Ok(None);
        }
        if length > ROOM - HEAD as u64 {
            return Err(Nonsense);
        }
        let mut text = vec![0; length as usize];
        file.read_exact_at(&mut text, HEAD as u64).map_err(|_| Nonsense)?;
        let profile: Self = serde_json::from_slice(&text).map_err(|_| Nonsense)?;
        if profile.is_sound() { Ok(Some(profile)) } else { Err(Nonsense) }
    }

    /// Whether it is a tree from which nothing leads out.
    fn is_sound(&self) -> bool {
        let is_node = |node: u32| (node as usize) < self.nodes.len();
        let follows = |(at, (before, function)): (usize, &(u32, u32))| {
            ((*before as usize) < at || at == 0) && (*function as usize) < self.functions.len()
        };
        !self.nodes.is_empty()
            && self.nodes.iter().enumerate().all(follows)
            && self.samples.iter().all(|(node, _)| is_node(*node))
            && self.lines.iter().all(|(node, ..)| is_node(*node))
    }

    /// Microseconds that its samples count for.
    pub fn time(&self) -> u64 {
        self.samples.iter().map(|(_, micros)| u64::from(*micros)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile() -> Profile {
        let function = |name: &str| Function { name: name.into(), file: "a.fold".into(), begins: Some((1, 2)) };
        Profile {
            functions: vec![function("(root)"), function("f\u{1b}"), function("g")],
            nodes: vec![(0, 0), (0, 1), (1, 2)],
            samples: (0..9).map(|at| (at % 3, 1000 + at)).collect(),
            lines: vec![(2, 7, 3000)],
            is_complete: true,
        }
    }

    fn written(profile: Profile, room: usize) -> Result<Option<Profile>, Nonsense> {
        let mut bytes = vec![0; room];
        profile.write(&mut bytes);
        let file = self::room().unwrap();
        file.write_all_at(&bytes, 0).unwrap();
        Profile::read(&file)
    }

    #[test]
    fn a_profile_is_read_as_it_was_written() {
        assert_eq!(written(profile(), 1 << 10), Ok(Some(profile())));
        assert_eq!(Profile::read(&room().unwrap()), Ok(None));
    }

    #[test]
    fn one_that_has_too_little_room_loses_samples_and_no_time() {
        let whole = serde_json::to_vec(&profile()).unwrap().len();
        let cut = written(profile(), whole).unwrap().unwrap();
        assert!(cut.samples.len() < 9 && cut.time() == profile().time(), "{cut:?}");
        assert_eq!(written(profile(), 50), Ok(None));
    }

    #[test]
    fn nonsense_is_told_from_profiles() {
        type Change = fn(&mut Profile);
        let changes: [Change; 6] = [
            |profile| profile.nodes.clear(),
            |profile| profile.nodes[2].0 = 2,
            |profile| profile.nodes[1].1 = 3,
            |profile| profile.samples[0].0 = 3,
            |profile| profile.lines[0].0 = 99,
            |profile| profile.functions.clear(),
        ];
        for change in changes {
            let mut profile = profile();
            change(&mut profile);
            assert_eq!(written(profile.clone(), 1 << 10), Err(Nonsense), "{profile:?}");
        }
        let file = room().unwrap();
        for head in [ROOM, u64::MAX, 5] {
            file.write_all_at(&head.to_le_bytes(), 0).unwrap();
            assert_eq!(Profile::read(&file), Err(Nonsense));
        }
    }
}
