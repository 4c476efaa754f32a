//! Copying a module into sealed memory while whoever is to read it makes ready.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use rustix::fs::fcntl_add_seals;

use super::bytes::{Bytes, Piece, SIZE, memory, seal};
use super::unread;

/// Bytes that are copied before anyone is told of them.
const AT_ONCE: u64 = 1 << 20;

/// Sealed memory in the making: as large as it will be. What [is not read](unread) stays empty in it.
#[derive(Debug)]
pub struct Filling {
    file: File,
    len: u64,
    source: File,
    image: Option<u64>,
    /// What is copied, in its order.
    parts: Vec<Range<u64>>,
}

impl Filling {
    /// Of a file; what has no size, like a pipe, is filled before anyone can wait for it.
    ///
    /// # Errors
    /// Those of reading its size, and of making the memory.
    pub fn of(source: File) -> io::Result<Self> {
        let len = source.metadata()?.len();
        let file = memory()?;
        file.set_len(len)?;
        fcntl_add_seals(&file, SIZE)?;
        let unread = unread::find(&source, len);
        let (image, parts) = (unread.image, unread.others(len).collect());
        Ok(Self { file, len, source, image, parts })
    }

    /// The memory.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Where the image of a snapshot's memories begins that is not copied, if it is one: whoever reads it [maps it](Bytes::over) from the file.
    pub fn image(&self) -> Option<(&File, u64)> {
        self.image.map(|start| (&self.source, start))
    }

    /// How many bytes it will hold.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether that is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Fills it, telling of each piece once that is there, and seals it.
    ///
    /// # Errors
    /// Those of reading; also if the file has fewer bytes by now.
    pub fn finish(&self, mut tell: impl FnMut(Piece)) -> io::Result<Bytes> {
        let Self { file, len, source, parts, .. } = self;
        let (mut file, mut source) = (file, source);
        // Perhaps nobody reads it here.
        let bytes = Bytes::map(file.try_clone()?.into(), *len, false)?;
        for &Range { mut start, end } in parts {
            source.seek(SeekFrom::Start(start))?;
            file.seek(SeekFrom::Start(start))?;
            while start < end {
                let length = AT_ONCE.min(end - start);
                if io::copy(&mut source.take(length), &mut file)? != length {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it was cut off while it was read"));
                }
                // It has been mapped, so these are in range.
                tell(bytes.piece(start as usize..(start + length) as usize));
                start += length;
            }
        }
        seal(file)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(contents: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(contents).unwrap();
        file
    }

    #[test]
    fn what_is_being_filled_can_be_mapped_before_and_read_after() {
        let filling = Filling::of(file(b"contents")).unwrap();
        let theirs = Bytes::of_filling(filling.file().try_clone().unwrap().into()).unwrap();
        assert!(Bytes::of_sealed(filling.file().try_clone().unwrap().into()).is_err());
        let ours = filling.finish(|piece| assert_eq!(*piece, *b"contents")).unwrap();
        assert_eq!((&*ours, &*theirs), (&b"contents"[..], &b"contents"[..]));
        Bytes::of_sealed(ours.sealed_file().unwrap().try_clone().unwrap()).unwrap();
    }

    #[test]
    fn pieces_are_all_that_was_copied() {
        let contents: Vec<u8> = (0..3 * AT_ONCE + 5).map(|at| (at % 251) as u8).collect();
        let mut pieces = Vec::new();
        let bytes = Filling::of(file(&contents)).unwrap().finish(|piece| pieces.push(piece)).unwrap();
        assert_eq!(pieces.iter().map(|piece| piece.len()).collect::<Vec<_>>(), [1 << 20, 1 << 20, 1 << 20, 5]);
        let copied: Vec<u8> = pieces.iter().flat_map(|piece| piece.iter().copied()).collect();
        assert!(copied == contents && *bytes == *contents);
    }

    #[test]
    fn what_no_run_reads_is_not_copied() {
        let section = |name: &str, contents: &[u8]| {
            let mut all = vec![0, (1 + name.len() + contents.len()) as u8, name.len() as u8];
            all.extend(name.bytes());
            all.extend(contents);
            all
        };
        let head = b"\0asm\x01\0\0\0";
        let of = |contents: &[u8]| [head, &*section(".debug_info", contents), &*section("name", b"\0\x01x")].concat();
        let mut pieces = Vec::new();
        let bytes = Filling::of(file(&of(b"lines"))).unwrap().finish(|piece| pieces.push(piece.to_vec())).unwrap();
        assert_eq!(*bytes, *of(&[0; 5]));
        assert_eq!(
            pieces,
            [&of(b"")[..22], &section("name", b"\0\x01x")].map(<[u8]>::to_vec).map(|mut piece| {
                // How long the section is, though it is empty here.
                if piece.len() == 22 {
                    piece[9] += 5;
                }
                piece
            })
        );
    }

    #[test]
    fn a_file_that_is_cut_off_while_it_is_read_is_an_error() {
        let source = tempfile::tempfile().unwrap();
        source.set_len(5000).unwrap();
        let filling = Filling::of(source.try_clone().unwrap()).unwrap();
        source.set_len(100).unwrap();
        assert_eq!(filling.finish(drop).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        // Nobody takes for such what can still be cut off.
        let file = memory().unwrap();
        assert!(Bytes::of_filling(file.into()).is_err());
    }
}
