//! The program that a worker is given: copied, and never looked at but for where its sections are.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use pinfold_vm::module::{Bytes, Filling, Piece, parts_read};

use super::SupervisorError;
use crate::bundle::{self, Bundle};

/// Copies a program's file, of one in Fold also the files that it may import; `-` is standard input. Nothing of it is looked at.
///
/// # Errors
/// If it cannot be read, or is too large.
pub fn read_program(path: &Path, limit: u64) -> Result<Bytes, SupervisorError> {
    if bundle::is_fold(path) {
        return Ok(Bundle::gather(path, limit)?.sealed()?);
    }
    let file = match path.to_str() {
        // Past the buffer of `Stdin`, which nobody has filled.
        Some("-") => io::stdin().as_fd().try_clone_to_owned().map(File::from),
        _ => File::open(path),
    };
    let bytes = file.and_then(|file| Bytes::sealed(file, limit));
    let bytes = bytes.map_err(|error| SupervisorError::Program { path: path.into(), error })?;
    if bytes.len() as u64 > limit {
        return Err(SupervisorError::TooLarge { path: path.into(), limit });
    }
    Ok(bytes)
}

/// A program that is going to be run.
pub enum Program {
    /// All of it is there.
    Whole(Bytes),
    /// It is copied while its worker starts.
    Filling(Filling),
}

/// Bytes of a program that it takes as long to copy as to start its worker.
const LARGE: u64 = 1 << 20;

impl Program {
    /// What is in a file, or comes from standard input, as [`read_program`] has it.
    ///
    /// # Errors
    /// As there.
    pub fn open(path: &Path, limit: u64) -> Result<Self, SupervisorError> {
        let large = || -> io::Result<Option<Filling>> {
            let file = File::open(path)?;
            let stat = file.metadata()?;
            if stat.is_file() && (LARGE..=limit).contains(&stat.len()) { Filling::of(file).map(Some) } else { Ok(None) }
        };
        match if path.as_os_str() == "-" || bundle::is_fold(path) { Ok(None) } else { large() } {
            Ok(None) => read_program(path, limit).map(Self::Whole),
            Ok(Some(filling)) => Ok(Self::Filling(filling)),
            Err(error) => Err(SupervisorError::Program { path: path.into(), error }),
        }
    }

    /// How many bytes it has.
    pub fn len(&self) -> u64 {
        match self {
            Self::Whole(bytes) => bytes.len() as u64,
            Self::Filling(filling) => filling.len(),
        }
    }

    /// Whether that is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The file that a worker gets.
    pub(super) fn file(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Whole(bytes) => bytes.sealed_file().map(AsFd::as_fd),
            Self::Filling(filling) => Some(filling.file().as_fd()),
        }
    }

    /// What of it is not copied but [mapped from its file](Filling::image), if anything is: the file, and where that begins.
    pub fn image(&self) -> Option<(&File, u64)> {
        match self {
            Self::Whole(_) => None,
            Self::Filling(filling) => filling.image(),
        }
    }

    /// All of it, once it is there; `tell` is told of each piece before.
    ///
    /// # Errors
    /// Those of reading.
    pub fn finish(&self, path: &Path, mut tell: impl FnMut(Piece)) -> Result<Bytes, SupervisorError> {
        match self {
            Self::Whole(bytes) => {
                parts_read(bytes).into_iter().for_each(|part| tell(bytes.piece(part)));
                Ok(bytes.clone())
            }
            Self::Filling(filling) => {
                filling.finish(tell).map_err(|error| SupervisorError::Program { path: path.into(), error })
            }
        }
    }
}
