//! A guest's linear memory as a host function sees it: every access checked.
//!
//! An address outside is a value ([`OutOfBounds`]), which WASI rows hand to the guest as the
//! error number `fault`, as an operating system does: the guest did nothing to its own memory
//! that it could not do itself, and programs that probe get an answer they know.

/// An address range that does not lie in the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("address out of bounds")]
pub struct OutOfBounds;

/// A borrowed linear memory. Little-endian; addresses need no alignment.
pub struct GuestMemory<'a> {
    bytes: &'a mut [u8],
}

/// A range of guest memory, from an `iovec` or `ciovec`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffer {
    /// Address of the first byte.
    pub address: u32,
    /// Bytes.
    pub len: u32,
}

macro_rules! numbers {
    ($($read:ident $write:ident $number:ty;)*) => {$(
        #[doc = concat!("Reads a `", stringify!($number), "`.")]
        pub fn $read(&self, address: u32) -> Result<$number, OutOfBounds> {
            let bytes = self.array(address)?;
            Ok(<$number>::from_le_bytes(bytes))
        }

        #[doc = concat!("Writes a `", stringify!($number), "`.")]
        pub fn $write(&mut self, address: u32, value: $number) -> Result<(), OutOfBounds> {
            self.write(address, &value.to_le_bytes())
        }
    )*};
}

impl<'a> GuestMemory<'a> {
    /// Borrows the bytes of a linear memory.
    pub fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes }
    }

    /// Bytes in the memory.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether the memory has no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    numbers! {
        read_u8 write_u8 u8;
        read_u16 write_u16 u16;
        read_u32 write_u32 u32;
        read_u64 write_u64 u64;
    }

    /// The bytes of a range.
    pub fn slice(&self, address: u32, len: u32) -> Result<&[u8], OutOfBounds> {
        let start = address as usize;
        self.bytes.get(start..start + len as usize).ok_or(OutOfBounds)
    }

    /// The bytes of a range, to be changed.
    pub fn slice_mut(&mut self, address: u32, len: u32) -> Result<&mut [u8], OutOfBounds> {
        let start = address as usize;
        self.bytes.get_mut(start..start + len as usize).ok_or(OutOfBounds)
    }

    /// Copies bytes into the memory.
    pub fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), OutOfBounds> {
        let start = address as usize;
        let end = start.checked_add(bytes.len()).ok_or(OutOfBounds)?;
        self.bytes.get_mut(start..end).ok_or(OutOfBounds)?.copy_from_slice(bytes);
        Ok(())
    }

    /// Reads an array of `iovec` or `ciovec` and checks that each range lies in the memory.
    /// `count` is bounded by the caller.
    pub fn buffers(&self, address: u32, count: u32) -> Result<Vec<Buffer>, OutOfBounds> {
        let bytes = self.slice(address, count.checked_mul(8).ok_or(OutOfBounds)?)?;
        let (pairs, _) = bytes.as_chunks::<8>();
        pairs
            .iter()
            .map(|&[a, b, c, d, e, f, g, h]| {
                let buffer =
                    Buffer { address: u32::from_le_bytes([a, b, c, d]), len: u32::from_le_bytes([e, f, g, h]) };
                self.slice(buffer.address, buffer.len).map(|_| buffer)
            })
            .collect()
    }

    fn array<const N: usize>(&self, address: u32) -> Result<[u8; N], OutOfBounds> {
        let start = address as usize;
        self.bytes.get(start..).and_then(|rest| rest.first_chunk()).copied().ok_or(OutOfBounds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_little_endian_and_unaligned() {
        let mut bytes = [0; 16];
        let mut memory = GuestMemory::new(&mut bytes);
        memory.write_u32(1, 0x0403_0201).unwrap();
        assert_eq!(memory.read_u8(1), Ok(1));
        assert_eq!(memory.read_u16(2), Ok(0x0302));
        assert_eq!(memory.read_u64(1), Ok(0x0403_0201));
    }

    #[test]
    fn the_last_byte_can_be_reached_and_the_next_cannot() {
        let mut bytes = [0; 16];
        let mut memory = GuestMemory::new(&mut bytes);
        assert_eq!(memory.write_u64(8, 1), Ok(()));
        assert_eq!(memory.write_u64(9, 1), Err(OutOfBounds));
        assert_eq!(memory.read_u32(u32::MAX), Err(OutOfBounds));
        assert_eq!(memory.slice(16, 0), Ok(&[][..]));
        assert_eq!(memory.slice(17, 0), Err(OutOfBounds));
        assert_eq!(memory.slice(u32::MAX, u32::MAX), Err(OutOfBounds));
        assert_eq!(memory.write(15, &[1, 2]), Err(OutOfBounds));
    }

    #[test]
    fn every_range_of_an_array_of_buffers_is_checked() {
        let mut bytes = [0; 32];
        let mut memory = GuestMemory::new(&mut bytes);
        memory.write_u32(4, 32).unwrap();
        assert_eq!(memory.buffers(0, 1), Ok(vec![Buffer { address: 0, len: 32 }]));
        memory.write_u32(12, 33).unwrap();
        assert_eq!(memory.buffers(0, 2), Err(OutOfBounds));
        assert_eq!(memory.buffers(0, u32::MAX), Err(OutOfBounds));
    }
}
