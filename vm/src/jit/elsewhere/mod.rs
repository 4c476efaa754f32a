//! The compiler in a process of its own: whoever runs code cannot write any, and whoever writes it sees nothing of what runs.
//!
//! ```text
//!  runs code                                             compiles
//!  Remote ── module, what was found in it ─────────────► Service   decodes it for itself, verifies each body before it compiles it
//!         ◄─────────────────── target, its types ──────
//!         ── order ────────────────────────────────────►  Cranelift ─► writes the arena's file
//!         ◄──── where it stands, what explains it ──────
//!         ── what was kept? ───────────────────────────►  reads and places it
//!         ── keep ─────────────────────────────────────►  writes it down
//!  maps the file to execute it                           maps it to write it
//! ```
//!
//! Everything is words of four bytes on a stream. Either side assumes of the other that it was taken over. The service believes what it is told of bodies that
//! it has not seen: a lie makes wrong code, which runs where the lie came from. Whoever runs code checks that what it is told of is inside of the
//! arena, is nobody else's, and is all in range; what the code does nobody checks.

mod remote;
mod service;

pub use remote::{Placed, Remote, Told, ToldOfKept};
pub use service::{Earlier, Later, Service, ServiceError};

use std::io::{self, Read, Write};

use super::Trampoline;
use super::words::{Reader, Writer};
use crate::types::{FuncType, HeapType, RefType, ValType};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    /// To take a module. Comes first.
    Module = 0,
    /// To make functions.
    Functions = 1,
    /// To make code that is entered at a loop.
    Loop = 2,
    /// To make a trampoline for a type of the module, by its place there.
    Trampoline = 3,
    /// To make a trampoline for a type of others.
    Foreign = 4,
    /// To place what was kept of the module.
    Adopt = 5,
    /// To write down what is to be kept. It is not answered, and may come while an answer is waited for.
    Keep = 6,
}

impl Ask {
    const ALL: [Self; 7] =
        [Self::Module, Self::Functions, Self::Loop, Self::Trampoline, Self::Foreign, Self::Adopt, Self::Keep];
}

/// How it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// There is nothing that can be made.
    Nothing = 0,
    /// It was made.
    Made = 1,
    /// It was not, since no room is left.
    Full = 2,
}

impl Answer {
    const ALL: [Self; 3] = [Self::Nothing, Self::Made, Self::Full];
}

/// Bytes of the longest message but for a module.
const LONGEST: usize = 1 << 30;
/// Bytes that are read at a time: who announces many and sends few takes no more memory than that.
const PIECE: usize = 1 << 20;

/// Sends a message: what it is, its length, itself.
fn send(mut to: impl Write, what: u32, message: &[u8]) -> io::Result<()> {
    let length = u32::try_from(message.len()).map_err(io::Error::other)?;
    let mut all = Vec::with_capacity(message.len() + 8);
    all.extend_from_slice(&what.to_le_bytes());
    all.extend_from_slice(&length.to_le_bytes());
    all.extend_from_slice(message);
    to.write_all(&all)
}

/// Receives one; `None` if there is none any more.
fn receive(mut from: impl Read) -> io::Result<Option<(u32, Vec<u8>)>> {
    let mut head = [0; 8];
    let mut read = 0;
    while read < head.len() {
        match from.read(&mut head[read..]) {
            Ok(0) if read == 0 => return Ok(None),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => read += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let mut head = Reader(&head);
    let (Ok(what), Ok(length)) = (head.word(), head.word()) else { unreachable!("eight bytes are two words") };
    let length = length as usize;
    if length > LONGEST {
        return Err(io::Error::other("a message is too long"));
    }
    let mut message = Vec::new();
    while message.len() < length {
        let at = message.len();
        message.resize(length.min(at + PIECE), 0);
        from.read_exact(&mut message[at..])?;
    }
    Ok(Some((what, message)))
}

const FUNC: ValType = ValType::Ref(RefType { nullable: true, heap: HeapType::Func });
const OBJECT: ValType = ValType::Ref(RefType { nullable: true, heap: HeapType::Any });
/// How values are passed: of all types that are passed alike, one.
const PASSED: [ValType; 7] = [ValType::I32, ValType::I64, ValType::F32, ValType::F64, ValType::V128, FUNC, OBJECT];

fn passed(ty: &ValType) -> [u32; 1] {
    let like = match ty {
        ValType::Ref(_) if ty.is_func() => FUNC,
        ValType::Ref(_) => OBJECT,
        number => *number,
    };
    // Each is in the list.
    [PASSED.iter().position(|other| *other == like).unwrap_or(0) as u32]
}

/// Writes how a function type's values are passed, which is all that a trampoline depends on.
fn write_passing(to: &mut Writer, ty: &FuncType) {
    to.list(ty.params().iter().map(passed));
    to.list(ty.results().iter().map(passed));
}

/// Reads it as a function type.
fn read_passing(from: &mut Reader<'_>) -> Option<FuncType> {
    let mut list = || -> Option<Vec<ValType>> {
        from.list::<1>().ok()?.map(|[number]| PASSED.get(number as usize).copied()).collect()
    };
    Some(FuncType::new(list()?, list()?))
}

fn trampoline(number: u32) -> Option<Trampoline> {
    Trampoline::ALL.get(number as usize).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_as_they_were_sent_or_not_at_all() {
        let mut sent = Vec::new();
        send(&mut sent, 7, b"what there is to say").unwrap();
        assert_eq!(receive(&sent[..]).unwrap(), Some((7, b"what there is to say".to_vec())));
        assert_eq!(receive(&b""[..]).unwrap(), None);
        for length in 1..sent.len() {
            assert!(receive(&sent[..length]).is_err(), "{length}");
        }
        sent[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(receive(&sent[..]).is_err());
    }

    #[test]
    fn a_type_crosses_as_far_as_it_is_passed() {
        let extern_ref = ValType::Ref(RefType { nullable: false, heap: HeapType::Extern });
        let ty = FuncType::new([ValType::V128, FUNC, extern_ref, ValType::F32], [ValType::I64]);
        let mut to = Writer::default();
        write_passing(&mut to, &ty);
        let same = FuncType::new([ValType::V128, FUNC, OBJECT, ValType::F32], [ValType::I64]);
        assert_eq!(read_passing(&mut Reader(&to.0)), Some(same));
        assert_eq!(read_passing(&mut Reader(&[1, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0])), None);
        assert_eq!(read_passing(&mut Reader(&to.0[..to.0.len() - 1])), None);
    }
}
