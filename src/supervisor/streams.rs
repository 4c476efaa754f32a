//! The worker's standard streams. It never holds a terminal, or any descriptor of ours that could be written: its output comes through
//! pipes, and is counted here, whatever it counts itself.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use pinfold_vm::module::Printable;
use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags};
use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};

/// Bytes that are read at a time.
const BUFFER: usize = 64 << 10;
/// Bytes that a descriptor which is ready takes without blocking, whatever it is (`PIPE_BUF`).
const ATOMIC: usize = 4096;

/// Output on its way.
pub struct Streams {
    /// What the worker's input is copied from and to, once somebody reads it.
    input: Option<[OwnedFd; 2]>,
    outputs: [Output; 2],
    left: u64,
    limit: u64,
}

/// Output that is kept, in memory.
pub struct Captured(File);

impl Captured {
    /// Nothing yet.
    pub fn new() -> io::Result<Self> {
        let file = rustix::fs::memfd_create("output", rustix::fs::MemfdFlags::CLOEXEC)?;
        Ok(Self(file.into()))
    }

    /// Where it is written to.
    pub fn end(&self) -> io::Result<OwnedFd> {
        self.0.try_clone().map(Into::into)
    }

    /// What was written.
    pub fn finish(mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.0.rewind()?;
        self.0.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// Output or errors.
struct Output {
    /// From the worker; none after its end.
    from: Option<OwnedFd>,
    to: OwnedFd,
    /// What was read and not written yet, from this place on.
    pending: Vec<u8>,
    written: usize,
    /// Whether nothing is waited for that was not written yet.
    closing: bool,
    /// Where what a terminal would obey is shown instead: the beginning of a character whose end has not come.
    begun: Option<Vec<u8>>,
    /// Whether it goes anywhere.
    shown: bool,
}

impl Streams {
    /// Streams that let this many bytes out, and our input in if that `is_granted`; and the worker's ends: input, output, errors.
    /// Output goes to ours, or elsewhere.
    pub fn new(limit: u64, is_granted: bool, to: [Option<OwnedFd>; 2]) -> io::Result<(Self, [OwnedFd; 3])> {
        let output = |to: OwnedFd| -> io::Result<(Output, OwnedFd)> {
            let (from, theirs) = pipe_with(PipeFlags::CLOEXEC)?;
            Ok((
                Output {
                    from: Some(from),
                    to,
                    pending: Vec::new(),
                    written: 0,
                    closing: false,
                    begun: None,
                    shown: true,
                },
                theirs,
            ))
        };
        let (stdin, input) = input(is_granted)?;
        let [to, to_errors] = to;
        let (out, stdout) = output(to.map_or_else(|| io::stdout().as_fd().try_clone_to_owned(), Ok)?)?;
        let (errors, stderr) = output(to_errors.map_or_else(|| io::stderr().as_fd().try_clone_to_owned(), Ok)?)?;
        Ok((Self { input, outputs: [out, errors], left: limit, limit }, [stdin, stdout, stderr]))
    }

    /// Begins to let input in: while the worker starts, since making a thread takes a tenth of the time that it does.
    pub fn let_in(&mut self) -> io::Result<()> {
        let Some([from, to]) = self.input.take() else { return Ok(()) };
        let copier = std::thread::Builder::new().name("pinfold-input".into());
        copier.spawn(move || copy(from.as_fd(), to.as_fd())).map(drop)
    }

    /// Bytes that are allowed.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Bytes that came and were allowed.
    pub fn seen(&self) -> u64 {
        self.limit - self.left
    }

    /// Allows as many bytes again, which are shown or go nowhere.
    pub fn renew(&mut self, shown: bool) {
        self.left = self.limit;
        self.outputs.iter_mut().for_each(|output| output.shown = shown);
    }

    /// Whether something was read that is not written yet.
    pub fn is_pending(&self) -> bool {
        self.outputs.iter().any(|output| !output.pending.is_empty())
    }

    /// Shows what a terminal would obey, where our output is one.
    pub fn escape(&mut self) {
        for output in &mut self.outputs {
            output.begun = io::IsTerminal::is_terminal(&output.to).then(Vec::new);
        }
    }

    /// Of what comes, only that is still delivered which was written already.
    pub fn close(&mut self) {
        for output in &mut self.outputs {
            if let Some(from) = &output.from {
                // A pipe of ours: where there is nothing left, reading says so instead of waiting.
                let _ = rustix::io::ioctl_fionbio(from, true);
            }
            output.closing = true;
        }
    }

    /// Whether all that came is out, and nothing more will come.
    pub fn is_finished(&self) -> bool {
        self.outputs.iter().all(|output| output.from.is_none() && output.pending.is_empty())
    }

    /// What is to be waited for: for each stream its next byte, or room for those that came; nothing once it has ended.
    pub fn waits(&self) -> [Option<PollFd<'_>>; 2] {
        self.outputs.each_ref().map(|output| match &output.from {
            _ if !output.pending.is_empty() => Some(PollFd::new(&output.to, PollFlags::OUT)),
            Some(from) => Some(PollFd::new(from, PollFlags::IN)),
            None => None,
        })
    }

    /// After [`Self::close`]: which streams can move, once one can that waits for room, or after this long.
    pub fn room(&self, timeout: Option<Duration>) -> io::Result<[bool; 2]> {
        // What can be read needs no waiting.
        let reads = self.outputs.each_ref().map(|output| output.pending.is_empty() && output.from.is_some());
        let timeout = if reads.contains(&true) { Some(Duration::ZERO) } else { timeout };
        let mut all = Vec::new();
        let places = self.waits().map(|fd| super::add(&mut all, fd));
        super::wait(&mut all, timeout)?;
        let can = places.map(|at| at.and_then(|at| all.get(at)).is_some_and(|fd| !fd.revents().is_empty()));
        Ok([reads[0] || can[0], reads[1] || can[1]])
    }

    /// Moves what can be moved, after waiting. `false` once more came than is allowed.
    pub fn step(&mut self, ready: [bool; 2]) -> bool {
        let Self { outputs, left, .. } = self;
        outputs.iter_mut().zip(ready).filter(|(_, ready)| *ready).all(|(output, _)| output.step(left))
    }
}

impl Output {
    fn step(&mut self, left: &mut u64) -> bool {
        if !self.pending.is_empty() {
            self.write();
            return true;
        }
        let Some(from) = &self.from else { return true };
        self.pending.reserve(BUFFER);
        self.written = 0;
        match rustix::io::read(from, spare_capacity(&mut self.pending)) {
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) if !self.closing => {}
            Ok(0) | Err(_) => self.from = None,
            Ok(len) => {
                let allowed = usize::try_from(*left).unwrap_or(usize::MAX).min(len);
                self.pending.truncate(allowed);
                *left -= allowed as u64;
                if !self.shown {
                    self.pending.clear();
                }
                if let Some(begun) = &mut self.begun {
                    begun.append(&mut self.pending);
                    self.pending = shown(begun).into_bytes();
                }
                if allowed < len {
                    return false;
                }
            }
        }
        true
    }

    fn write(&mut self) {
        let rest = self.pending.get(self.written..).unwrap_or_default();
        match rustix::io::write(&self.to, &rest[..rest.len().min(ATOMIC)]) {
            Ok(done) => self.written += done,
            Err(Errno::INTR | Errno::AGAIN) => {}
            // Nobody reads any more: the worker learns it at its next write.
            Err(_) => {
                self.written = self.pending.len();
                self.from = None;
            }
        }
        if self.written == self.pending.len() {
            self.pending.clear();
        }
    }
}

/// Bytes as a terminal is to show them; the beginning of a character at their end stays.
fn shown(bytes: &mut Vec<u8>) -> String {
    let (mut text, mut begun) = (String::new(), 0);
    let mut chunks = bytes.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        for (number, part) in chunk.valid().split('\t').enumerate() {
            let tab = if number > 0 { "\t" } else { "" };
            text += &format!("{tab}{}", Printable(part));
        }
        match std::str::from_utf8(chunk.invalid()) {
            Err(error) if error.error_len().is_none() && chunks.peek().is_none() => begun = chunk.invalid().len(),
            Err(_) => text.push(char::REPLACEMENT_CHARACTER),
            Ok(_) => {}
        }
    }
    bytes.drain(..bytes.len() - begun);
    text
}

/// What the worker reads: nothing, unless it was granted. What can be read and nothing else is handed over as it is; of the rest a copy is:
/// a program could push characters into a terminal, write to a file that is open for that too, and go on from a directory. Also what is to be
/// copied, from and to.
fn input(is_granted: bool) -> io::Result<(OwnedFd, Option<[OwnedFd; 2]>)> {
    if !is_granted {
        let (theirs, _) = pipe_with(PipeFlags::CLOEXEC)?;
        return Ok((theirs, None));
    }
    let stdin = io::stdin();
    if can_only_be_read(stdin.as_fd())? && !io::IsTerminal::is_terminal(&stdin) {
        return Ok((stdin.as_fd().try_clone_to_owned()?, None));
    }
    let (theirs, to) = pipe_with(PipeFlags::CLOEXEC)?;
    Ok((theirs, Some([stdin.as_fd().try_clone_to_owned()?, to])))
}

fn can_only_be_read(fd: BorrowedFd<'_>) -> io::Result<bool> {
    let kind = FileType::from_raw_mode(rustix::fs::fstat(fd)?.st_mode);
    let can_be_written = rustix::fs::fcntl_getfl(fd)?.intersects(OFlags::WRONLY | OFlags::RDWR);
    Ok(matches!(kind, FileType::RegularFile | FileType::Fifo | FileType::CharacterDevice) && !can_be_written)
}

/// Copies until either side has ended: nothing is taken for a reader that is gone.
fn copy(from: BorrowedFd<'_>, to: BorrowedFd<'_>) {
    let mut buffer = vec![0; ATOMIC];
    loop {
        let mut ends = [PollFd::new(&from, PollFlags::IN), PollFd::new(&to, PollFlags::empty())];
        if super::wait(&mut ends, None).is_err() || !ends[1].revents().is_empty() {
            return;
        }
        if ends[0].revents().is_empty() {
            continue;
        }
        let len = match rustix::io::read(from, &mut buffer[..]) {
            Ok(0) => return,
            Ok(len) => len,
            Err(Errno::INTR) => continue,
            Err(_) => return,
        };
        let mut rest = &buffer[..len];
        while !rest.is_empty() {
            match rustix::io::write(to, rest) {
                Ok(done) => rest = &rest[done..],
                Err(Errno::INTR) => {}
                Err(_) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown of bytes that come in these pieces, and what stays.
    fn pieces(pieces: &[&[u8]]) -> (String, Vec<u8>) {
        let mut begun = Vec::new();
        let mut text = String::new();
        for piece in pieces {
            begun.extend(*piece);
            text += &shown(&mut begun);
        }
        (text, begun)
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown_however_it_is_cut() {
        let whole = "a\tb\n\u{9b}31m\x1b]0;x\x07 \u{202e}ä→🦀".as_bytes();
        let expected = "a\tb\n\\u{9b}31m\\u{1b}]0;x\\u{7} \\u{202e}ä→🦀";
        for cut in 0..=whole.len() {
            let (before, after) = whole.split_at(cut);
            assert_eq!(pieces(&[before, after]), (expected.into(), Vec::new()), "cut at {cut}");
        }
        let single: Vec<&[u8]> = whole.chunks(1).collect();
        assert_eq!(pieces(&single), (expected.into(), Vec::new()));
    }

    #[test]
    fn what_is_no_text_is_replaced_and_never_kept_for_long() {
        assert_eq!(
            pieces(&[b"\x9b31m", b"\xff", b"\xc2", b"\x1b"]),
            ("\u{fffd}31m\u{fffd}\u{fffd}\\u{1b}".into(), vec![])
        );
        assert_eq!(pieces(&[b"\xf0\x9f\xa6"]), (String::new(), b"\xf0\x9f\xa6".to_vec()));
    }
}
