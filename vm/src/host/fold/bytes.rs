//! Operations on bytes: what Fold's standard library could do itself, and the host does faster.

use super::call::Answer;
use super::{Call, Code, Text, rows};

rows! {
    bytes_equal(a: text, b: text) -> flag, Process, "Whether both are the same.";
    bytes_compare(a: text, b: text) -> int, Process, "-1, 0 or 1: how they compare, byte by byte.";
    bytes_find(text: text, from: int, needle: text) -> int, Process, "Where bytes are first, from a place on, or -1.";
    bytes_hash(text: text) -> int, Process, "A number that is equal for equal bytes.";
    utf8_valid(text: text) -> int, Process, "Where bytes are no UTF-8 first, or -1.";
}

fn bytes_equal(call: &mut Call<'_>, a: Text, b: Text) -> Answer<bool> {
    Ok(call.bytes(a) == call.bytes(b))
}

fn bytes_compare(call: &mut Call<'_>, a: Text, b: Text) -> Answer<Code> {
    Ok(Code(call.bytes(a).cmp(call.bytes(b)) as i64))
}

fn bytes_find(call: &mut Call<'_>, text: Text, from: i64, needle: Text) -> Answer<Code> {
    let (text, needle) = (call.bytes(text), call.bytes(needle));
    let Some(rest) = usize::try_from(from).ok().and_then(|from| text.get(from..)) else { return Ok(Code(-1)) };
    Ok(Code(memchr::memmem::find(rest, needle).map_or(-1, |at| from + at as i64)))
}

/// As Fold's own `bytes_hash`.
fn bytes_hash(call: &mut Call<'_>, text: Text) -> Answer<Code> {
    let bytes = call.bytes(text);
    let mut hash = (bytes.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    for byte in bytes {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x2545_F491_4F6C_DD1D);
        hash ^= hash >> 29;
    }
    Ok(Code(hash as i64))
}

fn utf8_valid(call: &mut Call<'_>, text: Text) -> Answer<Code> {
    Ok(Code(std::str::from_utf8(call.bytes(text)).map_or_else(|error| error.valid_up_to() as i64, |_| -1)))
}
