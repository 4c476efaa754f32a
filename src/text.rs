//! What is no module in the binary format is translated to one first: programs in Fold, and modules in the text format.

use std::path::Path;

use pinfold_vm::module::Bytes;

use crate::bundle::Bundle;
use crate::fold;

/// The module in the binary format. Binaries are left alone; nothing is verified.
///
/// # Errors
/// What is wrong in a text, and where, in several lines.
pub fn translate(path: &Path, bytes: Bytes) -> Result<Bytes, String> {
    if let Some(bundle) = Bundle::decode(&bytes) {
        return fold::compile(&bundle)
            .map(Into::into)
            .map_err(|why| format!("it does not compile\n\n{}", why.trim_end()));
    }
    if !is_text(path, &bytes) {
        return Ok(bytes);
    }
    match wat::Parser::new().parse_bytes(Some(path), &bytes) {
        Ok(binary) => Ok(binary.into_owned().into()),
        Err(error) => Err(format!("it is not valid in WebAssembly's text format:\n{error}")),
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

    #[test]
    fn text_is_translated_and_binaries_are_left_alone() {
        let translated = |name: &str, bytes: &[u8]| translate(Path::new(name), bytes.into()).unwrap().to_vec();
        let empty = translated("a.wat", b"(module)");
        assert_eq!(empty, b"\0asm\x01\0\0\0");
        assert_eq!(translated("b", b";; comment\n (module)"), empty);
        assert_eq!(translated("c", b"\0asm..."), b"\0asm...");
        assert_eq!(translated("d", b"#!/bin/sh"), b"#!/bin/sh");
        assert!(translate(Path::new("e.wat"), b"(module (fun))"[..].into()).unwrap_err().contains("fun"));
    }
}
