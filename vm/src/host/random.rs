//! Random bytes: the kernel's, or a sequence that a seed decides.

use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};

use super::grants::Grants;

/// Where random bytes come from.
#[derive(Debug)]
pub enum Random {
    /// Nowhere.
    Denied,
    /// The kernel.
    Kernel,
    /// A seed.
    Seeded(Generator),
}

impl Random {
    /// What is granted.
    pub fn new(grants: &Grants) -> Self {
        match grants.deterministic {
            Some(seed) => Self::Seeded(Generator::new(seed)),
            None if grants.random => Self::Kernel,
            None => Self::Denied,
        }
    }

    /// Fills bytes; `ACCESS` if nothing is granted, `INTR` if a signal came before all was done.
    pub fn fill(&mut self, mut bytes: &mut [u8]) -> Result<(), Errno> {
        match self {
            Self::Denied => Err(Errno::ACCESS),
            Self::Seeded(generator) => {
                generator.fill(bytes);
                Ok(())
            }
            Self::Kernel => {
                while !bytes.is_empty() {
                    let done = getrandom(&mut *bytes, GetRandomFlags::empty())?;
                    bytes = bytes.get_mut(done..).unwrap_or_default();
                }
                Ok(())
            }
        }
    }
}

/// xoshiro256**, its state filled by splitmix64 as its authors (Blackman and Vigna) advise. Not for
/// secrets: who chooses determinism chooses predictable bytes.
#[derive(Debug)]
pub struct Generator {
    state: [u64; 4],
}

impl Generator {
    /// The generator of a seed.
    pub fn new(seed: u64) -> Self {
        let mut mix = seed;
        let state = std::array::from_fn(|_| {
            mix = mix.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (mix ^ (mix >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        });
        Self { state }
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let (c2, d2) = (c ^ a, d ^ b);
        self.state = [a ^ d2, b ^ c2, c2 ^ (b << 17), d2.rotate_left(45)];
        result
    }

    /// Fills bytes with the next numbers, little-endian; a number that is begun is used up.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let number = self.next().to_le_bytes();
            chunk.copy_from_slice(number.get(..chunk.len()).unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first outputs for the state 1, 2, 3, 4, worked out from the authors' definition.
    #[test]
    fn the_generator_is_xoshiro256_starstar() {
        let mut generator = Generator { state: [1, 2, 3, 4] };
        let first: [u64; 4] = std::array::from_fn(|_| generator.next());
        assert_eq!(first, [11520, 0, 1_509_978_240, 1_215_971_899_390_074_240]);
    }

    #[test]
    fn splitmix_fills_the_state() {
        assert_eq!(Generator::new(0).state[0], 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let bytes = |seed| {
            let mut bytes = [0; 21];
            Random::new(&Grants { deterministic: Some(seed), ..Grants::none() }).fill(&mut bytes).unwrap();
            bytes
        };
        assert_eq!(bytes(7), bytes(7));
        assert_ne!(bytes(7), bytes(8));
    }

    #[test]
    fn without_a_grant_there_are_no_bytes() {
        assert_eq!(Random::new(&Grants::none()).fill(&mut [0; 4]), Err(Errno::ACCESS));
    }
}
