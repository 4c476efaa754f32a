//! What crosses when a function is called in a worker: a file in memory with the arguments, behind which the worker writes what the function gives.
//!
//! The file has its size from the beginning, and cannot grow: that bounds what a worker can write. Its place moves on as it is read and
//! written, so that a worker needs no other calls than those.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;

use pinfold_vm::api::{self, ArrayRef, Caller};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};

/// Bytes of the largest file: what more is allowed than this has no room.
const LARGEST: u64 = 1 << 40;
/// Words and bytes, each with its length before it.
pub const HEAD: usize = 16;

/// The import by which a program calls functions of the host's own objects.
pub const HOST_CALL: (&str, &str) = ("fold", "host_call");

/// The array with these bytes at its beginning, or another one of its type if it has no room for them.
///
/// # Errors
/// If there is no memory for another one.
pub fn filled<T: 'static>(caller: &mut Caller<'_, T>, array: ArrayRef, with: &[u8]) -> api::Result<ArrayRef> {
    if let Some(start) = array.bytes_mut(caller)?.get_mut(..with.len()) {
        start.copy_from_slice(with);
        return Ok(array);
    }
    let ty = array.ty(&*caller)?;
    ArrayRef::from_bytes(caller, &ty, with)
}

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

/// Where a worker that calls functions of its host writes arguments, and finds what they give.
///
/// What is given stands at the beginning. The next arguments stand behind it, where reading it has left the file's place.
pub struct Calls {
    file: File,
    at: u64,
    room: u64,
}

impl Calls {
    /// A file for a worker that begins. Arguments, and what is given, have room for so many bytes each.
    ///
    /// # Errors
    /// If there can be none.
    pub fn new(room: u64) -> io::Result<(Self, File)> {
        let file = new(room, room)?;
        let theirs = file.try_clone()?;
        Ok((Self { file, at: 0, room }, theirs))
    }

    /// The arguments of the next call.
    ///
    /// # Errors
    /// If they are not there, or too many.
    pub fn arguments(&self) -> io::Result<(Vec<u8>, Vec<u8>)> {
        // Its place is the worker's to move; what it says that it wrote is where it should be, or something else.
        let mut head = [0; HEAD];
        self.file.read_exact_at(&mut head, self.at)?;
        let mut rest = At { file: &self.file, at: self.at + HEAD as u64 };
        read(&mut head.as_slice().chain(&mut rest), self.room)
    }

    /// Gives the worker what a call gave.
    ///
    /// # Errors
    /// If there is no room for it.
    pub fn give(&mut self, words: &[u8], bytes: &[u8]) -> io::Result<()> {
        if (words.len() + bytes.len()) as u64 > self.room {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        put(&self.file, words, bytes)?;
        self.at = (HEAD + words.len() + bytes.len()) as u64;
        Ok(())
    }
}

/// Reads a file from a place on, whatever the file's own place is.
struct At<'a> {
    file: &'a File,
    at: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read_at(buffer, self.at)?;
        self.at += length as u64;
        Ok(length)
    }
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

    #[test]
    fn calls_of_a_host_follow_one_another() {
        let (mut calls, mut worker) = Calls::new(100).unwrap();
        for round in 0..3_u8 {
            write(&mut worker, &[round; 8], b"arguments").unwrap();
            assert_eq!(calls.arguments().unwrap(), (vec![round; 8], b"arguments".to_vec()));
            calls.give(&[round; 16], &[round]).unwrap();
            assert_eq!(read(&mut worker, 100).unwrap(), (vec![round; 16], vec![round]));
        }
        // Room for both is not room for one of them.
        assert!(calls.give(&[0; 101], b"").is_err());
        write(&mut worker, &[0; 101], b"").unwrap();
        assert!(calls.arguments().is_err());
        // One that says that it has written, and has not.
        let (calls, _) = Calls::new(100).unwrap();
        assert_eq!(calls.arguments().unwrap(), (Vec::new(), Vec::new()));
        worker.set_len(0).unwrap_err();
    }
}
