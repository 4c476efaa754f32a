//! A vector with holes whose keys go stale when what they named is removed.

/// Names an entry of a [`Slab`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Key {
    index: u32,
    generation: u32,
}

/// Values under keys that are never reused.
#[derive(Debug)]
pub struct Slab<T> {
    entries: Vec<(u32, Option<T>)>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Adds a value.
    pub fn insert(&mut self, value: T) -> Key {
        match self.free.pop() {
            Some(index) => {
                let entry = &mut self.entries[index as usize];
                entry.1 = Some(value);
                Key { index, generation: entry.0 }
            }
            None => {
                self.entries.push((0, Some(value)));
                Key { index: self.entries.len() as u32 - 1, generation: 0 }
            }
        }
    }

    /// The value under a key, unless it was removed.
    pub fn get(&self, key: Key) -> Option<&T> {
        let (generation, value) = self.entries.get(key.index as usize)?;
        if *generation == key.generation { value.as_ref() } else { None }
    }

    /// The value under a key, unless it was removed.
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let (generation, value) = self.entries.get_mut(key.index as usize)?;
        if *generation == key.generation { value.as_mut() } else { None }
    }

    /// Takes a value out.
    pub fn remove(&mut self, key: Key) -> Option<T> {
        let entry = self.entries.get_mut(key.index as usize).filter(|e| e.0 == key.generation)?;
        let value = entry.1.take()?;
        // A generation that would wrap is retired with its place.
        if let Some(next) = entry.0.checked_add(1) {
            entry.0 = next;
            self.free.push(key.index);
        }
        Some(value)
    }

    /// All values.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.entries.iter_mut().filter_map(|(_, value)| value.as_mut())
    }

    /// All values.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().filter_map(|(_, value)| value.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_key_stays_stale() {
        let mut slab = Slab::default();
        let a = slab.insert(1);
        assert_eq!(slab.remove(a), Some(1));
        let b = slab.insert(2);
        assert_ne!(a, b);
        assert_eq!((slab.get(a), slab.get(b)), (None, Some(&2)));
        assert_eq!(slab.remove(a), None);
    }
}
