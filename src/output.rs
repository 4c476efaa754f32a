//! Files that are written about a run. They are opened before it, so that a place that cannot be written is known in time, and no link
//! that the program made meanwhile is followed: it may have been given the directory that they are in.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, Write};
use std::path::Path;

/// Writes a file as a whole: whoever reads it finds what was there before, or all that is written now. A link stays one, and so do the
/// rights of a file that is there.
///
/// # Errors
/// Those of the file system, with the file's name.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let error = |error: io::Error| format!("cannot write {}: {error}", path.display());
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let rights = fs::metadata(&target).ok();
    if rights.as_ref().is_some_and(|there| !there.is_file()) {
        // A device, or a pipe: nothing can take its place.
        let file = OpenOptions::new().write(true).open(&target).map_err(error)?;
        return (&file).write_all(bytes).map_err(error);
    }
    let name = target.file_name().ok_or_else(|| error(io::ErrorKind::InvalidInput.into()))?;
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}", std::process::id()));
    let beside = target.with_file_name(hidden);
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).open(&beside)?;
        file.write_all(bytes)?;
        if let Some(rights) = &rights {
            file.set_permissions(rights.permissions())?;
        }
        fs::rename(&beside, &target)
    })();
    written.map_err(|why| {
        let _ = fs::remove_file(&beside);
        error(why)
    })
}

/// A file that is open for writing.
pub struct Output(File);

impl Output {
    /// Opens a file. What is in it stays until something else is written.
    ///
    /// # Errors
    /// Those of the file system, with the file's name.
    pub fn open(path: &Path) -> Result<Self, String> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        file.map(Self).map_err(|error| format!("cannot write {}: {error}", path.display()))
    }

    /// Empties it, if it is something that can be emptied.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn clear(&mut self) -> io::Result<()> {
        if self.0.metadata()?.is_file() {
            self.0.set_len(0)?;
            self.0.rewind()?;
        }
        Ok(())
    }

    /// Writes a text in the place of what is there.
    ///
    /// # Errors
    /// Those of writing.
    pub fn replace(&mut self, text: &str) -> io::Result<()> {
        self.clear()?;
        self.0.write_all(text.as_bytes())
    }

    /// Empties it, and gives it to whoever writes on.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn into_file(mut self) -> io::Result<File> {
        self.clear()?;
        Ok(self.0)
    }
}
