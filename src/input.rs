//! Reading modules: from files or standard input, binary or text.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use pinfold_vm::module::{Bytes, Escaped};

/// Why a module could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file system says no.
    #[error("cannot read {}: {error}", .path.display())]
    File {
        /// What was to be read.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// More than the verifier would take.
    #[error("{} is larger than the {limit} bytes that a module may have", .path.display())]
    TooLarge {
        /// What was to be read.
        path: PathBuf,
        /// Bytes allowed.
        limit: u64,
    },
    /// Text that is no module.
    #[error("{} is not valid in WebAssembly's text format:\n{message}", .path.display())]
    Text {
        /// What was to be read.
        path: PathBuf,
        /// What is wrong and where, in several lines; safe to print.
        message: String,
    },
}

/// Reads a module of at most `limit` bytes; `-` is standard input. The text format is translated
/// to the binary one. Nothing is verified.
///
/// # Errors
/// See [`ReadError`].
pub fn read_module(path: &Path, limit: u64) -> Result<Bytes, ReadError> {
    let file = match path.to_str() {
        // Past the buffer of `Stdin`, which nobody has filled.
        Some("-") => io::stdin().as_fd().try_clone_to_owned().map(File::from),
        _ => File::open(path),
    };
    let bytes = file
        .and_then(|mut file| Bytes::sealed(&mut file, limit))
        .map_err(|error| ReadError::File { path: path.into(), error })?;
    if bytes.len() as u64 > limit {
        return Err(ReadError::TooLarge { path: path.into(), limit });
    }
    if !is_text(path, &bytes) {
        return Ok(bytes);
    }
    match wat::Parser::new().parse_bytes(Some(path), &bytes) {
        Ok(binary) => Ok(binary.into_owned().into()),
        Err(error) => {
            let message = error.to_string().lines().map(|line| format!("  {}\n", Escaped(line))).collect();
            Err(ReadError::Text { path: path.into(), message })
        }
    }
}

/// Modules in the text format start with `(`, or a comment.
fn is_text(path: &Path, bytes: &[u8]) -> bool {
    let named = path.extension().is_some_and(|extension| extension == "wat");
    let start = bytes.trim_ascii_start();
    !bytes.starts_with(b"\0asm") && (named || start.starts_with(b"(") || start.starts_with(b";;"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, contents: &[u8]) -> PathBuf {
        let path = std::env::temp_dir().join(format!("pinfold-input-{}-{name}", std::process::id()));
        std::fs::write(&path, contents).expect("the temporary directory is writable");
        path
    }

    #[test]
    fn text_is_translated_and_binaries_are_left_alone() {
        let text = read_module(&file("a.wat", b"(module)"), 100).expect("valid text");
        assert_eq!(text[..], *b"\0asm\x01\0\0\0");
        assert_eq!(read_module(&file("b", b";; comment\n (module)"), 100).expect("valid text")[..], text[..]);
        assert_eq!(read_module(&file("c", b"\0asm..."), 100).expect("not looked at")[..], *b"\0asm...");
        assert_eq!(read_module(&file("d", b"#!/bin/sh"), 100).expect("not looked at")[..], *b"#!/bin/sh");
    }

    #[test]
    fn what_is_wrong_in_text_is_shown_without_control_characters() {
        let Err(ReadError::Text { message, .. }) = read_module(&file("e.wat", b"(module \x1b[31m(fun))"), 100) else {
            panic!("must be refused");
        };
        assert!(message.lines().count() > 1 && !message.chars().any(|c| c.is_control() && c != '\n'), "{message:?}");
    }

    #[test]
    fn no_more_is_read_than_is_allowed() {
        assert!(matches!(read_module(&file("f", b"12345"), 4), Err(ReadError::TooLarge { limit: 4, .. })));
        assert!(matches!(read_module(Path::new("/dev/zero"), 1000), Err(ReadError::TooLarge { .. })));
        assert!(matches!(read_module(Path::new("/nowhere/x.wasm"), 4), Err(ReadError::File { .. })));
    }
}
