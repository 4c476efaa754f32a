//! Modules that bring their machine code: what `pinfold compile -o` writes.
//!
//! ```text
//!  the program, a module ─ custom section "pinfold.code": ─ facts ─ code ─ where all that begins, and for what it is
//! ```
//!
//! Any engine runs it as the module that it is. Its code is machine code of whoever made the file: nothing can verify it, and it is no more looked
//! at here than that of a [cache entry](crate::cache). It is taken from files only that this very worker made for this user, which a mark in the user's
//! cache says, under the hash of all of the file that a run
//! looks at; or from others, if the user says so. The mark holds no secret: to forge one is to write the
//! cache, and whoever can do that can leave code there in any case.
//!
//! *Invariant: what is found lies in the bytes that were hashed, which nobody can write any more.*

use std::io;

use pinfold_vm::module::Bytes;
use pinfold_vm::runtime::kept::sum;

use crate::cache::{Cache, Entry, LARGEST, Maker, Place};
use crate::embed::compile::{append, put_length};
use crate::job::Run;

/// The custom section.
const SECTION: &str = "pinfold.code";
/// What its end begins with.
const MAGIC: &[u8; 16] = b"pinfold made 1\r\n";
/// Bytes of its end: where the module ends, how long facts and code are, who made it and for what.
const END: usize = MAGIC.len() + 3 * 8 + 40 + 8;

/// The code that a module brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Precompiled {
    /// Bytes of the module without it.
    module: u64,
    /// Where the facts begin, and their bytes; and those of the code behind them.
    facts: (u64, u64),
    code: u64,
    maker: Maker,
    settings: u64,
}

/// Why the code that a module brings is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The run counts fuel and the code does not, or the other way, or the same with what is deterministic.
    #[error("it was compiled for runs with other settings: compile with --fuel or --deterministic as you run it")]
    Settings,
    /// Somebody else made it, or it was changed since.
    #[error(
        "it was not compiled here, by this user, or it was changed since; --precompiled takes it from whom you trust with it"
    )]
    Foreign,
    /// This user made it, with another worker.
    #[error(
        "another version of Pinfold compiled it, or this one was installed anew since: compile it again; --precompiled takes what fits, \
         from whom you trust with it"
    )]
    Maker,
    /// There is no place where it would say that it is this user's.
    #[error("nothing says whose it is, since there is no cache; --precompiled takes it from whom you trust with it")]
    NoCache,
    /// It turned out to be for another processor or build.
    #[error("it is for another processor or another build of Pinfold, or it is damaged; compile it here")]
    Unfit,
}

/// What code depends on, of a run.
fn settings(run: &Run) -> u64 {
    u64::from(run.fuel.is_some()) | u64::from(run.deterministic) << 1
}

impl Precompiled {
    /// What a module brings, if it does. The bytes may be anything: where the last of them do not say exactly where everything is, there is nothing.
    pub fn find(bytes: &[u8]) -> Option<Self> {
        let (before, end) = bytes.split_last_chunk::<END>()?;
        let (magic, end) = end.split_first_chunk()?;
        if magic != MAGIC || !bytes.starts_with(b"\0asm") {
            return None;
        }
        let (numbers, end) = end.split_at_checked(24)?;
        let [module, facts, code] = numbers.as_chunks().0 else { return None };
        let [module, facts, code] = [module, facts, code].map(|number| u64::from_le_bytes(*number));
        let (maker, end) = end.split_first_chunk()?;
        let settings = u64::from_le_bytes(*end.first_chunk()?);
        let parts = facts.checked_add(code).filter(|parts| *parts <= LARGEST)?;
        let start = (before.len() as u64).checked_sub(parts)?;
        let found = Self { module, facts: (start, facts), code, maker: Maker::of(*maker), settings };
        // What comes between the module and the facts is the section's head, as it is written.
        let head = bytes.get(usize::try_from(module).ok()?..usize::try_from(start).ok()?)?;
        (head == found.head()).then_some(found)
    }

    /// What the section begins with.
    fn head(&self) -> Vec<u8> {
        let mut head = Vec::new();
        let name = (SECTION.len() + 1 + END) as u64;
        let length = name.saturating_add(self.facts.1).saturating_add(self.code);
        head.push(0);
        put_length(&mut head, usize::try_from(length).unwrap_or(usize::MAX));
        put_length(&mut head, SECTION.len());
        head.extend_from_slice(SECTION.as_bytes());
        head
    }

    /// The module without it.
    pub fn module<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        usize::try_from(self.module).ok().and_then(|end| bytes.get(..end)).unwrap_or(bytes)
    }

    /// It as an entry, of the program that it was found in, if it may be taken for a run: `is_trusted` says that its user trusts whoever made it.
    /// Otherwise it is looked up whether that was this worker for this user, under the program's place, which is [found](Place::find).
    ///
    /// # Errors
    /// Why it may not.
    pub fn entry(
        &self,
        program: &Bytes,
        run: &Run,
        cache: Option<&Cache>,
        place: &Place,
        is_trusted: bool,
    ) -> Result<Entry, Refused> {
        if self.settings != settings(run) {
            return Err(Refused::Settings);
        }
        if !is_trusted {
            let cache = cache.ok_or(Refused::NoCache)?;
            if !cache.is_marked(place) {
                return Err(if place.is_of(self.maker) { Refused::Foreign } else { Refused::Maker });
            }
        }
        let file = program.sealed_file().and_then(|file| file.try_clone().ok()).ok_or(Refused::Unfit)?;
        Ok(Entry::of(file.into(), [self.facts, (self.facts.0 + self.facts.1, self.code)]))
    }
}

/// Puts a program together with what a worker of this kind and its compiler left of it: the module that it is, or was translated to, and that.
/// `None` if what they left is not as it should be.
pub fn assemble(program: &[u8], parts: [&[u8]; 2], run: &Run, maker: Maker) -> Option<Vec<u8>> {
    let [left, code] = parts;
    let (length, rest) = left.split_first_chunk()?;
    let (source, rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    let (_, facts) = rest.split_first_chunk::<8>()?;
    // What was a module before is left as it is, whatever the worker says.
    let module = if program.starts_with(b"\0asm") { program } else { source };
    let none = [0_u64.to_le_bytes(), sum(&[]).to_le_bytes()];
    let numbers = [module.len(), facts.len() + 16, code.len()].map(|number| (number as u64).to_le_bytes());
    let settings = settings(run).to_le_bytes();
    let content =
        [none.as_flattened(), facts, code, &MAGIC[..], numbers.as_flattened(), &maker.bytes()[..], &settings].concat();
    let mut all = module.to_vec();
    append(&mut all, SECTION, &content);
    // If not, what was left is no module.
    Precompiled::find(&all).map(|_| all)
}

/// Whether a file brings code, as far as a look at its end says: it may be another file in a moment.
pub fn is_likely(file: &std::fs::File) -> io::Result<bool> {
    use std::os::unix::fs::FileExt;
    let Some(at) = file.metadata()?.len().checked_sub(END as u64) else { return Ok(false) };
    let mut magic = [0; MAGIC.len()];
    file.read_exact_at(&mut magic, at)?;
    Ok(magic == *MAGIC)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Hasher;

    fn maker() -> Maker {
        Maker::of([7; 40])
    }

    /// What a worker leaves of a module that was translated to this, if it was.
    fn left(source: &[u8]) -> Vec<u8> {
        [&(source.len() as u64).to_le_bytes()[..], source, &sum(source).to_le_bytes(), b"what is known of it"].concat()
    }

    const MODULE: &[u8] = b"\0asm\x01\0\0\0";

    fn run(fuel: Option<u64>) -> Run {
        let text = r#"{"grants":null,"file":"a","max_memory":0,"max_stack":0,"fuel":null,"tier":"Auto","deterministic":false,"invoke":null,
            "invoke_args":[],"trap_unknown_imports":false,"records":false,"keeps":null,"compiler":true,
            "insight":{"tiers":false,"profile":null},"image":null,"ahead":false}"#;
        let mut run: serde_json::Value = serde_json::from_str(text).unwrap();
        run["grants"] = serde_json::to_value(pinfold_vm::host::Grants::none()).unwrap();
        Run { fuel, ..serde_json::from_value(run).unwrap() }
    }

    #[test]
    fn what_was_put_together_is_found() {
        let of_module = assemble(MODULE, [&left(b""), b"code"], &run(None), maker()).unwrap();
        let of_text = assemble(b"(module)", [&left(MODULE), b"code"], &run(None), maker()).unwrap();
        assert!(of_module == of_text && of_module.starts_with(MODULE));
        // A worker does not replace a module by another.
        let replaced = [MODULE, b"\0\x01\0"].concat();
        assert!(assemble(MODULE, [&left(&replaced), b"code"], &run(None), maker()).unwrap() == of_module);
        let found = Precompiled::find(&of_module).unwrap();
        assert_eq!(found.module(&of_module), MODULE);
        let part = |(start, length): (u64, u64)| &of_module[start as usize..][..length as usize];
        assert_eq!(part(found.facts), [&left(b"")[..8], &sum(&[]).to_le_bytes(), b"what is known of it"].concat());
        assert_eq!(part((found.facts.0 + found.facts.1, found.code)), b"code");
        // Nothing of it is looked at but where it is.
        let mut other = of_module.clone();
        other[found.facts.0 as usize] ^= 1;
        assert_eq!(Precompiled::find(&other), Some(found));
        // What is no module, or is cut off, brings nothing.
        for source in [&b"(module)"[..], b"", b"\0as"] {
            assert!(assemble(b"(module)", [&left(source), b"code"], &run(None), maker()).is_none());
        }
        for left in [&b""[..], &[0; 15], &[0xff; 16], &9_u64.to_le_bytes()] {
            assert!(assemble(MODULE, [left, b"code"], &run(None), maker()).is_none());
        }
    }

    #[test]
    fn it_is_taken_from_who_made_it_only_or_who_is_trusted() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path()).unwrap();
        let whole = assemble(MODULE, [&left(b""), b"code"], &run(None), maker()).unwrap();
        let sealed = |bytes: &[u8]| Bytes::sealed(bytes, u64::MAX).unwrap();
        let taken = |bytes: &[u8], run: &Run, cache: Option<&Cache>, by, is_trusted| {
            let program = sealed(bytes);
            let place = Place::of(program.len() as u64, run, by);
            place.find(Hasher::of(&program));
            Precompiled::find(&program).unwrap().entry(&program, run, cache, &place, is_trusted).map(|_| ())
        };
        let other = Maker::of([8; 40]);
        assert_eq!(taken(&whole, &run(None), Some(&cache), maker(), false), Err(Refused::Foreign));
        assert_eq!(taken(&whole, &run(None), Some(&cache), other, false), Err(Refused::Maker));
        assert_eq!(taken(&whole, &run(None), None, maker(), false), Err(Refused::NoCache));
        assert_eq!(taken(&whole, &run(None), None, other, true), Ok(()));
        assert_eq!(taken(&whole, &run(Some(1)), None, other, true), Err(Refused::Settings));
        let place = Place::of(whole.len() as u64, &run(None), maker());
        place.find(Hasher::of(&whole));
        cache.mark(&place).unwrap();
        assert_eq!(taken(&whole, &run(None), Some(&cache), maker(), false), Ok(()));
        // It is no entry, and what is another's or was changed is not marked.
        assert!(cache.get(&place).is_none());
        assert_eq!(cache.kept().unwrap().entries, 0);
        assert_eq!(taken(&whole, &run(None), Some(&cache), other, false), Err(Refused::Maker));
        let mut changed = whole.clone();
        changed[whole.len() - END - 1] ^= 1;
        assert_eq!(taken(&changed, &run(None), Some(&cache), maker(), false), Err(Refused::Foreign));
        cache.clear().unwrap();
        assert_eq!(taken(&whole, &run(None), Some(&cache), maker(), false), Err(Refused::Foreign));
    }

    /// Whatever the bytes are, what is found lies in them, behind a module.
    #[test]
    fn mutants_bring_what_is_inside_of_them_or_nothing() {
        let code: Vec<u8> = (0..300_u32).map(|byte| byte as u8).collect();
        let whole = assemble(MODULE, [&left(b""), &code], &run(None), maker()).unwrap();
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below as u64) as usize
        };
        let mut found = 0;
        for _ in 0..200_000 {
            let mut bytes = whole.clone();
            for _ in 0..=random(3) {
                // Most of them where it matters.
                let reach = if random(3) > 0 { END.min(bytes.len()) } else { bytes.len() };
                let at = bytes.len() - 1 - random(reach);
                match random(5) {
                    0 => bytes.truncate(at + 1),
                    1 => bytes.insert(at, random(256) as u8),
                    2 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random(5)],
                    3 => drop(bytes.remove(at)),
                    _ => bytes[at] ^= 1 << random(8),
                }
                if bytes.is_empty() {
                    break;
                }
            }
            let Some(brought) = Precompiled::find(&bytes) else { continue };
            found += 1;
            let Precompiled { module, facts: (start, facts), code, .. } = brought;
            assert!(module < start && start + facts + code + END as u64 == bytes.len() as u64, "{brought:?}");
            assert!(brought.module(&bytes).len() as u64 == module, "{brought:?}");
        }
        assert!(found > 1000, "{found}");
    }
}
