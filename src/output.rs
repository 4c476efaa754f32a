//! Files that are written about a run. They are opened before it, so that a place that cannot be written is known in time, and no link
//! that the program made meanwhile is followed: it may have been given the directory that they are in.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, Write};
use std::path::Path;

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
