//! Where choices come from.

/// A source of numbers: a seed, or bytes, after which it is all zeros.
pub struct Choices<'c> {
    state: u64,
    bytes: Option<&'c [u8]>,
}

impl Choices<'static> {
    /// Of a seed.
    pub fn seeded(seed: u64) -> Self {
        Self { state: seed, bytes: None }
    }
}

impl<'c> Choices<'c> {
    /// Of bytes, as a fuzzer has them.
    pub fn bytes(bytes: &'c [u8]) -> Self {
        Self { state: 0, bytes: Some(bytes) }
    }

    /// A number below a limit.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        let number = match &mut self.bytes {
            Some(bytes) => match bytes.split_first() {
                Some((&first, rest)) => {
                    *bytes = rest;
                    u64::from(first)
                }
                None => 0,
            },
            None => {
                // splitmix64
                self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                (mixed ^ (mixed >> 31)) >> 8
            }
        };
        number % limit.max(1)
    }

    /// Whether something of which so many in a hundred are is.
    pub(super) fn percent(&mut self, chance: u64) -> bool {
        // Zeros mean no, so that bytes that ran out end it.
        self.below(100) >= 100 - chance
    }

    /// One of several.
    pub(super) fn pick<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        let index = self.below(all.len() as u64) as usize;
        &all[index]
    }
}
