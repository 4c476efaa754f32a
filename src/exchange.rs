//! What crosses when a function is called in a worker: a file in memory with the arguments, behind which the worker writes what the function gives.
//!
//! The file has its size from the beginning, and cannot grow: that bounds what a worker can write. Its place moves on as it is read and
//! written, so that a worker needs no other calls than those.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};

/// Bytes of the largest file: what more is allowed than this has no room.
const LARGEST: u64 = 1 << 40;
/// Words and bytes, each with its length before it.
const HEAD: usize = 16;

/// A file with room for so many bytes of arguments, and of a result. What is not used of it costs nothing.
///
/// # Errors
/// If there can be none.
pub fn new(arguments: u64, result: u64) -> io::Result<File> {
    let file = File::from(memfd_create("exchange", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
    let size = arguments.saturating_add(result).saturating_add(2 * HEAD as u64);
    ftruncate(&file, size.min(LARGEST))?;
    fcntl_add_seals(&file, SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(file)
}

/// Puts arguments where a worker will find them.
///
/// # Errors
/// If there is no room for them.
pub fn put(mut file: &File, words: &[u8], bytes: &[u8]) -> io::Result<()> {
    file.rewind()?;
    write(&mut file, words, bytes)?;
    file.rewind()
}

/// Writes words and bytes.
///
/// # Errors
/// If there is no room for them.
pub fn write(to: &mut impl Write, words: &[u8], bytes: &[u8]) -> io::Result<()> {
    let mut all = Vec::with_capacity(HEAD + words.len() + bytes.len());
    all.extend_from_slice(&(words.len() as u64).to_le_bytes());
    all.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    all.extend_from_slice(words);
    all.extend_from_slice(bytes);
    to.write_all(&all)
}

/// Reads what [`write`] wrote: no more than `limit` bytes in all.
///
/// # Errors
/// If it is not there.
pub fn read(from: &mut impl Read, limit: u64) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut head = [0; HEAD];
    from.read_exact(&mut head)?;
    let (words, bytes) = head.split_at(HEAD / 2);
    let length = |part: &[u8]| part.try_into().map(u64::from_le_bytes).unwrap_or(u64::MAX);
    let (words, bytes) = (length(words), length(bytes));
    let too_much = || io::Error::from(io::ErrorKind::InvalidData);
    if words.checked_add(bytes).is_none_or(|all| all > limit) {
        return Err(too_much());
    }
    // As much as is there, whatever length is claimed.
    let mut part = |length: u64| {
        let mut part = Vec::new();
        from.take(length).read_to_end(&mut part)?;
        if part.len() as u64 == length { Ok(part) } else { Err(too_much()) }
    };
    Ok((part(words)?, part(bytes)?))
}

/// What a worker wrote behind the arguments, of which there were so many words and bytes.
///
/// # Errors
/// If it wrote nothing, or something else.
pub fn result(mut file: &File, arguments: (usize, usize), limit: u64) -> io::Result<(Vec<u8>, Vec<u8>)> {
    file.seek(SeekFrom::Start((HEAD + arguments.0 + arguments.1) as u64))?;
    read(&mut file, limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_and_a_result_is_found_behind_them() {
        let file = new(11, 9).unwrap();
        put(&file, b"12345678", b"abc").unwrap();
        let mut worker = file.try_clone().unwrap();
        assert_eq!(read(&mut worker, 100).unwrap(), (b"12345678".to_vec(), b"abc".to_vec()));
        write(&mut worker, b"87654321", b"x").unwrap();
        assert_eq!(result(&file, (8, 3), 100).unwrap(), (b"87654321".to_vec(), b"x".to_vec()));
        // There is no room for more, and a length that cannot be is refused before anything is made for it.
        assert!(write(&mut worker, &[0; 100], b"").is_err());
        assert!(put(&file, &[0; 100], b"").is_err());
        assert!(read(&mut &[0xff; 16][..], u64::MAX).is_err());
        assert!(read(&mut &[1; 16][..], 100).is_err());
        assert!(read(&mut &b""[..], 100).is_err());
    }
}
