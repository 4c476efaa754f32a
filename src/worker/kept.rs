//! What an earlier run left of a program, and what this one leaves for the next.
//!
//! ```text
//!  entry:  the module, if the program is source of one, and its sum ─ what the virtual machine keeps of it
//! ```

use std::fs::File;
use std::io::{self, Read, Write};
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr::null_mut;

use pinfold::job::{Run, descriptors};
use pinfold::text;
use pinfold_vm::api::{Engine, Module};
use pinfold_vm::module::Bytes;
use pinfold_vm::runtime::kept::{Unfit, sum};

/// Bytes of a module from which that it is verified is worth keeping, though nothing of it was compiled.
const LARGE: usize = 256 << 10;
/// Bytes that come out of the supervisor's pipe at a time.
const AT_ONCE: usize = 1 << 20;

/// What is kept of one program.
pub struct Kept {
    /// Where what an earlier run left comes from.
    entry: Option<ManuallyDrop<File>>,
    /// Where the next entry is written.
    room: Option<ManuallyDrop<File>>,
    /// The program's module, once it is there.
    module: Option<Module>,
    /// Whether it was made from source.
    is_translated: bool,
    /// Whether what was kept fits.
    fits: Result<(), Unfit>,
}

impl Kept {
    /// Finds what the supervisor gave for it.
    pub fn prepare(run: &Run) -> io::Result<Self> {
        let (mut entry, mut room) = (None, None);
        if let Some(numbers) = descriptors::kept(run) {
            // SAFETY: the supervisor gives them; nobody else uses them.
            let [from, to] = numbers.map(|number| unsafe { OwnedFd::from_raw_fd(number) });
            entry = Some(forever(File::from(from)));
            room = Some(forever(File::from(to)));
        }
        Ok(Self { entry, room, module: None, is_translated: false, fits: Err(Unfit::Nothing) })
    }

    /// The program's module: as it was kept, or else made and verified now.
    ///
    /// # Errors
    /// What is wrong with it, in several lines.
    pub fn module(&mut self, engine: &Engine, run: &Run, program: Bytes) -> Result<Module, String> {
        self.is_translated = !program.starts_with(b"\0asm");
        let (bytes, kept) = if self.is_translated {
            match self.earlier() {
                Some((source, kept)) if !source.is_empty() => (source.into(), Some(kept)),
                _ => (text::translate(&run.file, program)?, None),
            }
        } else {
            (program, None)
        };
        let kept = || kept.or_else(|| Some(self.earlier()?.1));
        // SAFETY: it was kept of this program, says whoever gave it; if not, this process is held by the walls around it.
        let made = unsafe { Module::with_kept(engine, bytes, kept) };
        let (module, fits) = made.map_err(|error| error.to_string())?;
        self.fits = fits;
        self.module = Some(module.clone());
        Ok(module)
    }

    /// What an earlier run left, once: a module that was made from source, and what the virtual machine kept.
    fn earlier(&mut self) -> Option<(Vec<u8>, Vec<u8>)> {
        let file = self.entry.take()?;
        let number = || {
            let mut word = [0; 8];
            (&*file).read_exact(&mut word).ok().map(|()| u64::from_le_bytes(word))
        };
        let (length, mut source) = (number()?, Vec::new());
        (&*file).take(length).read_to_end(&mut source).ok()?;
        let expected = number()?;
        let mut kept = Vec::with_capacity(AT_ONCE);
        // Of a file as it is, its size would be asked.
        (&*file).take(u64::MAX).read_to_end(&mut kept).ok()?;
        (source.len() as u64 == length && expected == sum(&source)).then_some((source, kept))
    }

    /// How many functions are compiled now, and how many were before it began.
    pub fn compiled(&self) -> [u64; 2] {
        let adopted = self.module.as_ref().and_then(Module::adopted);
        [self.module.as_ref().map_or(0, Module::compiled), adopted.and_then(Result::ok).unwrap_or(0)]
            .map(|count| count as u64)
    }

    /// How many functions were compiled before it began, once it is known whether they fit.
    pub fn adopted(&self) -> Option<u64> {
        let known = self.module.as_ref().and_then(Module::adopted).map(|adopted| adopted.unwrap_or(0) as u64);
        known.or(if matches!(self.fits, Ok(()) | Err(Unfit::Nothing)) { None } else { Some(0) })
    }

    /// Whether the next run would gain from what is known now, compared with what it finds already.
    pub fn is_worth_it(&self) -> bool {
        let Some(module) = self.module.as_ref().filter(|_| self.room.is_some()) else { return false };
        let compiled = module.compiled();
        match module.adopted() {
            Some(Ok(before)) => compiled > before + before / 32,
            // What was kept did not come in time: all of it is better than what is new.
            None if self.fits.is_ok() => false,
            Some(Err(_)) | None => compiled > 0 || self.is_translated || module.inner().bytes().len() >= LARGE,
        }
    }

    /// Writes it down; tells how many bytes it is, none if there is no room for it.
    pub fn write(self) -> Option<u64> {
        let module = self.module?;
        module.engine().compile_no_more();
        let source = if self.is_translated { module.inner().bytes() } else { &[] };
        let kept = module.keep();
        let (length, expected) = ((source.len() as u64).to_le_bytes(), sum(source).to_le_bytes());
        let parts = [&length[..], source, &expected, &kept];
        let room = self.room?;
        // Its size is sealed: there is as much room as there is. Through a mapping each page would be made on its own.
        parts.iter().try_for_each(|part| (&*room).write_all(part)).ok()?;
        Some(parts.iter().map(|part| part.len() as u64).sum())
    }
}

/// A file that is never closed: that would be a system call.
pub fn forever(file: File) -> ManuallyDrop<File> {
    ManuallyDrop::new(file)
}

/// A file's first bytes, for as long as the process.
pub fn map(file: &OwnedFd, length: usize) -> io::Result<&'static mut [u8]> {
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_NORESERVE);
    // SAFETY: a fresh mapping, which nobody unmaps; the supervisor looks at the file only once this process is gone.
    unsafe {
        let base = libc::mmap(null_mut(), length, protection, flags, file.as_raw_fd(), 0);
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(std::slice::from_raw_parts_mut(base.cast(), length))
    }
}
