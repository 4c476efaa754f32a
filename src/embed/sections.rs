//! Custom sections of a module's bytes, where nothing else of them is to be looked at.

/// The section in which a program has the module `host` that it was compiled with, if there was one.
pub(super) const HOST: &str = "pinfold.host";

/// Bytes before the sections: a magic number and a version.
const HEAD: usize = 8;

/// The first section of a name. The bytes may be anything: what is malformed has none.
pub(super) fn find<'a>(module: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut rest = module.get(HEAD..)?;
    while let Some((id, after)) = rest.split_first() {
        let (section, next) = part(after)?;
        if *id == 0
            && let Some((found, content)) = part(section)
            && found == name.as_bytes()
        {
            return Some(content);
        }
        rest = next;
    }
    None
}

/// As many bytes as a length before them says, and what follows.
fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length = 0_u64;
    for (at, byte) in bytes.iter().take(5).enumerate() {
        length |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return bytes.get(at + 1..)?.split_at_checked(usize::try_from(length).ok()?);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::compile::append;
    use super::*;

    #[test]
    fn a_section_that_was_appended_is_found() {
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        let long = vec![7; 300];
        append(&mut module, "a", b"1");
        append(&mut module, "long", &long);
        append(&mut module, "a", b"2");
        append(&mut module, "", b"");
        let found = ["a", "long", "", "b"].map(|name| find(&module, name));
        assert_eq!(found, [Some(&b"1"[..]), Some(&long[..]), Some(&b""[..]), None]);
    }

    #[test]
    fn bytes_of_any_kind_are_looked_through() {
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        append(&mut module, "long", &[7; 300]);
        append(&mut module, "last", b"x");
        for end in 0..module.len() {
            assert_eq!(find(&module[..end], "last"), None, "{end}");
        }
        for bytes in [
            &[0xff; 40][..],
            &[0; 40],
            b"\0asm\x01\0\0\0\0\xff\xff\xff\xff\x0f",
            b"\0asm\x01\0\0\0\0\x80\x80\x80\x80\x80\0",
        ] {
            assert_eq!(find(bytes, "x"), None);
        }
    }
}
