//! Host handles: values of the host that references in the heap name by index.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

/// A value of the host.
pub type HostValue = Arc<dyn Any + Send + Sync>;

/// Handles that there may be at all: an index has 29 bits.
const MOST: usize = 1 << 29;

#[derive(Debug)]
enum Entry {
    Free,
    Live(HostValue),
    /// The value is gone, but references may remain: the index is not used again until a major collection finds none.
    Closed,
}

/// The handles of a heap.
#[derive(Debug)]
pub struct Handles {
    entries: Vec<Entry>,
    /// The live entry of each value, by its address: one that is given again is the same reference.
    places: HashMap<usize, u32>,
    free: Vec<u32>,
    marks: Vec<u64>,
    limit: usize,
}

/// What tells a value from all others that are there at the same time.
pub fn address_of(value: &HostValue) -> usize {
    Arc::as_ptr(value).addr()
}

/// Whether a reference is to a handle, be it live, closed, or none at all.
pub const fn is_handle(reference: u32) -> bool {
    index_of(reference).is_some()
}

/// The reference to a handle.
const fn reference_to(index: u32) -> u32 {
    index << 3 | 2
}

/// The index that a reference to a handle holds, if it is one.
const fn index_of(reference: u32) -> Option<usize> {
    if reference & 7 == 2 { Some((reference >> 3) as usize) } else { None }
}

impl Handles {
    /// None yet, at most `limit`.
    pub fn new(limit: usize) -> Self {
        Self {
            entries: Vec::new(),
            places: HashMap::new(),
            free: Vec::new(),
            marks: Vec::new(),
            limit: limit.min(MOST),
        }
    }

    /// Sets how many there may be, those counted that were closed and may still be referred to.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit.min(MOST);
    }

    /// How many there may be.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// How many are taken.
    pub fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// Whether none is taken.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there can be no more without a major collection.
    pub fn is_full(&self) -> bool {
        self.len() >= self.limit
    }

    /// Makes a reference to a value. The value comes back if there are too many.
    ///
    /// # Errors
    /// If [`Handles::is_full`].
    pub fn insert(&mut self, value: HostValue) -> Result<u32, HostValue> {
        if self.is_full() {
            return Err(value);
        }
        let index = self.free.pop().unwrap_or_else(|| {
            self.entries.push(Entry::Free);
            self.entries.len() as u32 - 1
        });
        self.places.insert(address_of(&value), index);
        self.entries[index as usize] = Entry::Live(value);
        Ok(reference_to(index))
    }

    /// The reference to a value, if it has one.
    pub fn find(&self, value: &HostValue) -> Option<u32> {
        self.places.get(&address_of(value)).copied().map(reference_to)
    }

    /// The value that a reference names, if it is a handle, and not closed.
    pub fn get(&self, reference: u32) -> Option<&HostValue> {
        match self.entries.get(index_of(reference)?)? {
            Entry::Live(value) => Some(value),
            _ => None,
        }
    }

    /// Takes a value out. References to it remain, and name nothing.
    pub fn close(&mut self, reference: u32) -> Option<HostValue> {
        let index = index_of(reference)?;
        let entry = self.entries.get_mut(index).filter(|entry| matches!(entry, Entry::Live(_)))?;
        let Entry::Live(value) = std::mem::replace(entry, Entry::Closed) else { return None };
        forget(&mut self.places, &value, index);
        Some(value)
    }

    /// Whether a reference names an entry that is live or closed.
    pub(super) fn is_taken(&self, reference: u32) -> bool {
        let entry = index_of(reference).and_then(|index| self.entries.get(index));
        entry.is_some_and(|entry| !matches!(entry, Entry::Free))
    }

    /// Begins to mark.
    pub(super) fn unmark(&mut self) {
        self.marks.clear();
        self.marks.resize(self.entries.len().div_ceil(64), 0);
    }

    /// Notes that a reference was reached. Whether it names an entry that is taken.
    #[inline]
    pub(super) fn mark(&mut self, reference: u32) -> bool {
        let index = (reference >> 3) as usize;
        match self.entries.get(index) {
            None | Some(Entry::Free) => false,
            Some(_) => {
                self.marks[index / 64] |= 1 << (index % 64);
                true
            }
        }
    }

    /// Frees the entries that were not reached; their values, for the caller to drop.
    pub(super) fn sweep(&mut self) -> Vec<HostValue> {
        let mut dead = Vec::new();
        for (index, entry) in self.entries.iter_mut().enumerate() {
            if self.marks[index / 64] & 1 << (index % 64) != 0 || matches!(entry, Entry::Free) {
                continue;
            }
            if let Entry::Live(value) = std::mem::replace(entry, Entry::Free) {
                forget(&mut self.places, &value, index);
                dead.push(value);
            }
            self.free.push(index as u32);
        }
        dead
    }
}

/// A value has no reference any more, if this was the entry that it had.
fn forget(places: &mut HashMap<usize, u32>, value: &HostValue, index: usize) {
    let address = address_of(value);
    if places.get(&address) == Some(&(index as u32)) {
        places.remove(&address);
    }
}
