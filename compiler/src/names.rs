//! Names as numbers.

use std::fmt;
use std::hash::Hasher;

use rustc_hash::FxHasher;

/// A name, equal where the text is: see [`Names`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(u32);

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// The texts of all names of a compilation.
///
/// The parser looks each name up, so the table is made for that: hashes stand beside the numbers, and all texts in one piece.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// All texts, one after the other.
    text: String,
    /// Where each text ends.
    ends: Vec<u32>,
    /// Hashes of texts, and numbers plus one; 0 where nothing is. Its size is a power of two, of which at most half is in use.
    table: Vec<(u32, u32)>,
}

/// The size of the table at first.
const FIRST: usize = 256;

fn hash(text: &str) -> u32 {
    let mut hasher = FxHasher::default();
    hasher.write(text.as_bytes());
    let hash = hasher.finish();
    (hash ^ (hash >> 32)) as u32
}

impl Names {
    /// The name of this text.
    pub fn intern(&mut self, text: &str) -> Name {
        if self.ends.len() * 2 >= self.table.len() {
            self.grow();
        }
        let hash = hash(text);
        match self.look_up(text, hash) {
            Ok(name) => name,
            Err(place) => {
                self.text.push_str(text);
                self.ends.push(self.text.len() as u32);
                self.table[place] = (hash, self.ends.len() as u32);
                Name(self.ends.len() as u32 - 1)
            }
        }
    }

    /// The name of this text, if it occurred.
    pub fn find(&self, text: &str) -> Option<Name> {
        if self.table.is_empty() { None } else { self.look_up(text, hash(text)).ok() }
    }

    /// The text of a name.
    pub fn text(&self, name: Name) -> &str {
        let index = name.0 as usize;
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.text[start as usize..self.ends[index] as usize]
    }

    /// The name of a text, or the place in the table where it would be.
    #[inline]
    fn look_up(&self, text: &str, hash: u32) -> Result<Name, usize> {
        let mask = self.table.len() - 1;
        let mut place = hash as usize & mask;
        loop {
            let (found, number) = self.table[place];
            if number == 0 {
                return Err(place);
            }
            if found == hash && self.text(Name(number - 1)) == text {
                return Ok(Name(number - 1));
            }
            place = (place + 1) & mask;
        }
    }

    #[cold]
    fn grow(&mut self) {
        let size = (self.table.len() * 2).max(FIRST);
        let before = std::mem::replace(&mut self.table, vec![(0, 0); size]);
        for entry in before.into_iter().filter(|entry| entry.1 != 0) {
            let mut place = entry.0 as usize & (size - 1);
            while self.table[place].1 != 0 {
                place = (place + 1) & (size - 1);
            }
            self.table[place] = entry;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn equal_texts_have_one_name() {
        let mut names = Names::default();
        assert_eq!(names.find("x"), None);
        let text = |i: usize| format!("name{i}");
        let all: Vec<_> = (0..5000).map(|i| names.intern(&text(i))).collect();
        for (i, name) in all.iter().enumerate() {
            assert_eq!(names.text(*name), text(i));
            assert_eq!(names.intern(&text(i)), *name);
            assert_eq!(names.find(&text(i)), Some(*name));
        }
        assert!(all.is_sorted_by(|a, b| a < b));
        let empty = names.intern("");
        assert_eq!((names.text(empty), names.find("")), ("", Some(empty)));
        assert_eq!(names.find("other"), None);
    }
}
