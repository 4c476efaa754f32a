//! What crosses when a function is called in a worker: a file in memory with the arguments, behind which the worker writes what the function gives.
//!
//! The file has its size from the beginning, and cannot grow: that bounds what a worker can write. Its place moves on as it is read and
//! written, so that a worker needs no other calls than those.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};

/// Words and bytes, each with its length before it.
const HEAD: usize = 16;

/// A file with these arguments, and room for so many bytes of a result.
///
/// # Errors
/// If there can be none.
pub fn new(words: &[u8], bytes: &[u8], room: u64) -> io::Result<File> {
    let mut file = File::from(memfd_create("exchange", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
    write(&mut file, words, bytes)?;
    let size = file.stream_position()?.saturating_add(room).saturating_add(HEAD as u64);
    ftruncate(&file, size)?;
    fcntl_add_seals(&file, SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    file.rewind()?;
    Ok(file)
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
    let mut part = |length: u64| {
        let mut part = vec![0; usize::try_from(length).map_err(|_| too_much())?];
        from.read_exact(&mut part).map(|()| part)
    };
    Ok((part(words)?, part(bytes)?))
}

/// What a worker wrote behind the arguments, of which there were so many words and bytes.
///
/// # Errors
/// If it wrote nothing, or something else.
pub fn result(file: &mut File, arguments: (usize, usize), limit: u64) -> io::Result<(Vec<u8>, Vec<u8>)> {
    file.seek(SeekFrom::Start((HEAD + arguments.0 + arguments.1) as u64))?;
    read(file, limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_and_a_result_is_found_behind_them() {
        let mut file = new(b"12345678", b"abc", 20).unwrap();
        let mut worker = file.try_clone().unwrap();
        assert_eq!(read(&mut worker, 100).unwrap(), (b"12345678".to_vec(), b"abc".to_vec()));
        write(&mut worker, b"87654321", b"x").unwrap();
        assert_eq!(result(&mut file, (8, 3), 100).unwrap(), (b"87654321".to_vec(), b"x".to_vec()));
        // There is no room for more, and a length that cannot be is refused before anything is made for it.
        assert!(write(&mut worker, &[0; 100], b"").is_err());
        assert!(read(&mut &[0xff; 16][..], u64::MAX).is_err());
        assert!(read(&mut &[1; 16][..], 100).is_err());
        assert!(read(&mut &b""[..], 100).is_err());
    }
}
