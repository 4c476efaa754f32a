//! What a worker tells of its program's calls: read by a thread of its own, so that whoever takes them may be slow without a deadline
//! passing unnoticed. A worker that tells more than is read waits; one that tells nonsense, or more than is allowed, is ended.

use std::io::{self, BufRead, BufReader, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use pinfold_vm::host::Grants;
use rustix::event::{PollFd, PollFlags};
use rustix::pipe::{PipeFlags, pipe_with};

use super::verdict::Unrecorded;
use crate::job::{LARGEST_NOTE, Note};

/// Who takes what is told. It says how many bytes it wrote for that.
pub type Sink = Box<dyn FnMut(&Note) -> io::Result<u64> + Send>;

/// What is to be recorded.
pub struct Recording {
    /// Who takes it.
    pub sink: Sink,
    /// Bytes that may be written for it.
    pub limit: u64,
}

/// What was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// How many calls.
    pub calls: u64,
    /// Whether all that was told was taken.
    pub complete: bool,
}

/// The thread that reads.
pub(super) struct Recorder {
    /// Ends when the thread does.
    ended: OwnedFd,
    thread: Option<JoinHandle<Result<(), Unrecorded>>>,
    calls: Arc<AtomicU64>,
    trouble: bool,
}

impl Recorder {
    /// Starts it, and gives the worker's end.
    pub fn new(recording: Recording, grants: Grants) -> io::Result<(Self, OwnedFd)> {
        let (from, theirs) = pipe_with(PipeFlags::CLOEXEC)?;
        let (ended, alive) = pipe_with(PipeFlags::CLOEXEC)?;
        let calls = Arc::new(AtomicU64::new(0));
        let mut reading = Reading { grants, recording, written: 0, calls: calls.clone() };
        let read = move || {
            let result = reading.read(from);
            drop(alive);
            result
        };
        let thread = std::thread::Builder::new().name("pinfold-records".into()).spawn(read)?;
        Ok((Self { ended, thread: Some(thread), calls, trouble: false }, theirs))
    }

    /// What is to be waited for, as long as there is anything.
    pub fn waits(&self) -> Option<PollFd<'_>> {
        self.thread.as_ref().map(|_| PollFd::new(&self.ended, PollFlags::IN))
    }

    /// After waiting: what went wrong, if anything did.
    pub fn collect(&mut self) -> Result<(), Unrecorded> {
        let result = match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            // Whoever takes the records has failed.
            Some(Err(_)) => Err(Unrecorded::Failed("it was not expected".to_owned())),
            None => Ok(()),
        };
        self.trouble |= result.is_err();
        result
    }

    /// After the worker's end: takes what is left, until then or until a signal comes; and what went wrong with that.
    pub fn finish(
        mut self,
        bound: Option<Instant>,
        signals: Option<BorrowedFd<'_>>,
    ) -> io::Result<(Recorded, Result<(), Unrecorded>)> {
        let mut result = Ok(());
        while self.thread.is_some() {
            let left = bound.map(|bound| bound.saturating_duration_since(Instant::now()));
            let mut all = vec![PollFd::from_borrowed_fd(self.ended.as_fd(), PollFlags::IN)];
            all.extend(signals.map(|signals| PollFd::from_borrowed_fd(signals, PollFlags::IN)));
            super::wait(&mut all, left)?;
            let happened: Vec<bool> = all.iter().map(|fd| !fd.revents().is_empty()).collect();
            if happened[0] {
                result = self.collect();
            } else if happened.contains(&true) || left.is_some_and(|left| left.is_zero()) {
                self.trouble = true;
                result = Err(Unrecorded::Failed("nobody takes it".to_owned()));
                break;
            }
        }
        let complete = !self.trouble;
        Ok((Recorded { calls: self.calls.load(Ordering::Relaxed), complete }, result))
    }
}

struct Reading {
    grants: Grants,
    recording: Recording,
    written: u64,
    calls: Arc<AtomicU64>,
}

impl Reading {
    /// Reads until the worker's end: one JSON document a line.
    fn read(&mut self, from: OwnedFd) -> Result<(), Unrecorded> {
        let mut reader = BufReader::with_capacity(64 << 10, std::fs::File::from(from));
        let mut line = Vec::new();
        loop {
            line.clear();
            let most = LARGEST_NOTE as u64 + 1;
            reader.by_ref().take(most).read_until(b'\n', &mut line).map_err(|error| Unrecorded::new(&error))?;
            match line.pop() {
                Some(b'\n') => self.take(&line)?,
                Some(_) if line.len() >= LARGEST_NOTE => return Err(Unrecorded::Nonsense),
                // It ended in the middle of a word.
                Some(_) | None => return Ok(()),
            }
        }
    }

    fn take(&mut self, line: &[u8]) -> Result<(), Unrecorded> {
        let note: Note = serde_json::from_slice(line).map_err(|_| Unrecorded::Nonsense)?;
        if let Note::Call(event) = &note {
            if !event.is_sound(&self.grants) {
                return Err(Unrecorded::Nonsense);
            }
            self.calls.fetch_add(1, Ordering::Relaxed);
        }
        let written = (self.recording.sink)(&note).map_err(|error| Unrecorded::new(&error))?;
        self.written = self.written.saturating_add(written);
        if self.written > self.recording.limit {
            return Err(Unrecorded::Limit(self.recording.limit));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;
    use std::sync::mpsc;

    use pinfold_vm::host::record::{Argument, Callee, Event, Origin, Outcome};

    use super::*;

    /// What comes of these bytes, each note taking so much of a limit of 100; and the notes that were taken.
    fn hear(bytes: &[u8], each: u64) -> (Recorded, Result<(), Unrecorded>, Vec<Note>) {
        let (tell, taken) = mpsc::channel();
        let sink = Box::new(move |note: &Note| {
            tell.send(note.clone()).map_err(io::Error::other)?;
            Ok(each)
        });
        let (recorder, theirs) = Recorder::new(Recording { sink, limit: 100 }, Grants::command()).unwrap();
        // Whoever is not listened to any more learns it.
        let _ = File::from(theirs).write_all(bytes);
        let (recorded, result) = recorder.finish(None, None).unwrap();
        (recorded, result, taken.iter().collect())
    }

    fn event(arguments: Vec<Argument>) -> Event {
        let row = pinfold_vm::host::table::position("wasi_snapshot_preview1", "fd_close").unwrap();
        Event { callee: Callee::Row(row), arguments, outcome: Outcome::Done, given: None, took: 0 }
    }

    fn line(event: Event) -> Vec<u8> {
        [serde_json::to_vec(&Note::Call(event)).unwrap(), b"\n".to_vec()].concat()
    }

    fn closing(origin: Option<Origin>) -> Event {
        event(vec![Argument::Descriptor { number: 3, origin, path: None }])
    }

    #[test]
    fn what_is_told_is_taken_in_order() {
        let bytes = [line(closing(None)), line(closing(Some(Origin::Stdin)))].concat();
        let (recorded, result, notes) = hear(&bytes, 50);
        assert_eq!((recorded, result), (Recorded { calls: 2, complete: true }, Ok(())));
        assert_eq!(notes, [Note::Call(closing(None)), Note::Call(closing(Some(Origin::Stdin)))]);
    }

    #[test]
    fn a_word_that_was_cut_off_is_not_taken() {
        let (whole, part) = (line(closing(None)), line(closing(None)));
        let (recorded, result, notes) = hear(&[&whole[..], &part[..20]].concat(), 0);
        assert_eq!((recorded.complete, result, notes.len()), (true, Ok(()), 1));
    }

    #[test]
    fn nonsense_is_told_from_notes() {
        let row = |callee| Event { callee, ..closing(None) };
        let unknown = Callee::Unknown { module: "a".into(), name: "b".into() };
        for bytes in [
            b"\n".to_vec(),
            b"{}\n".to_vec(),
            b"\xff\n".to_vec(),
            vec![b'['; LARGEST_NOTE + 2],
            [vec![b' '; LARGEST_NOTE], line(closing(None))].concat(),
            // A directory, a connection, a row that there is not; arguments that the row has not.
            line(closing(Some(Origin::Directory(0)))),
            line(closing(Some(Origin::Socket(7)))),
            line(row(Callee::Row(usize::MAX))),
            line(row(unknown)),
            line(event(Vec::new())),
            line(event(vec![Argument::Path("x".into())])),
            line(event(vec![Argument::Hidden, Argument::Hidden])),
        ] {
            let (recorded, result, notes) = hear(&bytes, 0);
            assert_eq!((recorded.complete, result, notes), (false, Err(Unrecorded::Nonsense), Vec::new()));
        }
    }

    #[test]
    fn a_limit_ends_the_record() {
        let bytes = line(closing(None)).repeat(1000);
        let (recorded, result, notes) = hear(&bytes, 60);
        assert_eq!((result, notes.len()), (Err(Unrecorded::Limit(100)), 2));
        assert_eq!(recorded, Recorded { calls: 2, complete: false });
    }

    #[test]
    fn a_record_that_cannot_be_written_is_trouble() {
        let sink = Box::new(|_: &Note| Err(io::Error::from(io::ErrorKind::StorageFull)));
        let (recorder, theirs) = Recorder::new(Recording { sink, limit: 100 }, Grants::command()).unwrap();
        File::from(theirs).write_all(&line(closing(None))).unwrap();
        let (recorded, result) = recorder.finish(None, None).unwrap();
        assert!(!recorded.complete && matches!(result, Err(Unrecorded::Failed(_))), "{result:?}");
    }

    #[test]
    fn a_slow_taker_is_not_waited_for_longer_than_the_bound() {
        let (release, wait) = mpsc::channel::<()>();
        let sink = Box::new(move |_: &Note| {
            let _ = wait.recv();
            Ok(0)
        });
        let (recorder, theirs) = Recorder::new(Recording { sink, limit: 100 }, Grants::command()).unwrap();
        File::from(theirs).write_all(&line(closing(None))).unwrap();
        let (recorded, result) = recorder.finish(Some(Instant::now()), None).unwrap();
        assert!(!recorded.complete && matches!(result, Err(Unrecorded::Failed(_))), "{result:?}");
        drop(release);
    }
}
