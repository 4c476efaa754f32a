//! `pinfold repl --json`: the session for tools. Requests and answers are lines of JSON, as `docs/repl.md` describes them.
//!
//! ```text
//!  standard input ─► reader ─► queue ─► this thread ─► session's worker
//!                      │ cancels                            │ output, through pipes
//!                      ▼                                    ▼
//!                    canceller          standard output ◄─ relay
//! ```
//!
//! What the worker tells and what programs write goes into texts of JSON, with nothing in them that a terminal would obey.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read, Write};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use pinfold::answer;
use pinfold::exit;
use pinfold::job::{EndKind, Ending, Request};
use pinfold::question::{Candidate, Phase};
use pinfold::supervisor::{Canceller, Replied, Session, Stopped};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Args, begin, completion, lost};
use crate::json;
use crate::run::Settings;

/// The version of the protocol. It changes when something is taken away or means something else; additions do not change it.
const VERSION: u32 = 1;

/// Bytes in the longest line that is read: longer than any request that is passed on.
const LONGEST: u64 = 1 << 20;

/// Bytes of output in an event at most.
const CHUNK: usize = 8 << 10;

/// A request: a line.
#[derive(Debug, Deserialize)]
struct Line {
    /// What answers are known by: any JSON value.
    #[serde(default)]
    id: Value,
    #[serde(flatten)]
    asked: Asked,
}

/// What is asked.
#[derive(Debug, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
enum Asked {
    /// To run an entry.
    Enter { text: String },
    /// What type an entry's value has.
    Type { text: String },
    /// What can stand at a place, in bytes; its end if there is none.
    Complete { text: String, at: Option<usize> },
    /// What a name, or something of a value, is documented to be.
    Doc { text: String },
    /// What a phase makes of an entry.
    Show { phase: Phase, text: String },
    /// The variables.
    Variables,
    /// What was granted.
    Caps,
    /// To begin anew.
    Reset,
    /// To stop what another request runs, or to forget it if it has not begun.
    Cancel {
        /// The other one's id.
        which: Value,
    },
}

/// What is written: a line each.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Event<'a> {
    /// The session is there.
    Ready { protocol: u32, version: &'a str, granted: Vec<Granted> },
    /// The program wrote something.
    Output { id: &'a Value, stream: &'static str, text: String },
    /// The answer to a request, and the last of it.
    Done {
        id: &'a Value,
        #[serde(flatten)]
        answer: Box<Answer<'a>>,
    },
    /// A request was none, or nothing came of it; the last of it.
    Error {
        id: &'a Value,
        message: String,
        /// Whether the session has gone with all that it had, and this is another one.
        lost: bool,
    },
}

#[derive(Debug, Serialize)]
struct Granted {
    name: String,
    kind: String,
}

/// See [`Event::Done`]. What there is nothing of is left out.
#[derive(Debug, Default, Serialize)]
struct Answer<'a> {
    /// Whether it came to its end.
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Shown<'a>>,
    /// What a phase made of it, or a documentation.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Shown<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    findings: &'a [answer::Finding],
    #[serde(skip_serializing_if = "is_zero")]
    findings_omitted: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<Ended<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variables: Option<Vec<Variable<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completions: Option<&'a [Candidate]>,
    /// The first byte of what a completion takes the place of.
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    granted: Option<Vec<Granted>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<Seconds>,
    /// Units of work.
    #[serde(skip_serializing_if = "Option::is_none")]
    fuel: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Shown<'a> {
    text: &'a str,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    ty: Option<&'a str>,
    /// Bytes that are left out.
    omitted: usize,
}

#[derive(Debug, Serialize)]
struct Ended<'a> {
    kind: EndKind,
    message: Option<&'a str>,
    frames: &'a [String],
    frames_omitted: usize,
}

#[derive(Debug, Serialize)]
struct Variable<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    ty: &'a str,
    mutable: bool,
}

#[derive(Debug, Serialize)]
struct Seconds {
    compile: f64,
    run: f64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Answers until the input ends.
///
/// # Errors
/// If there is no session to be had, or nobody reads the answers.
pub(super) fn run(args: &Args, settings: Settings) -> Result<u8, String> {
    let told = |error: io::Error| error.to_string();
    let pipe = || pipe_with(PipeFlags::CLOEXEC).map_err(|error| error.to_string());
    let ((from, to), (from_errors, to_errors)) = (pipe()?, pipe()?);
    let sinks = [to, to_errors];
    let session = begin(args, &settings, Some(clones(&sinks).map_err(told)?))?;
    let relay = Relay::new([from, from_errors]).map_err(told)?;
    let relay = Arc::new(Mutex::new(relay));
    let queue = Arc::new(Queue::default());
    lock(&queue.state).canceller = Some(session.canceller());
    let granted = granted(&settings);
    lock(&relay)
        .tell(&Event::Ready { protocol: VERSION, version: env!("CARGO_PKG_VERSION"), granted })
        .map_err(told)?;
    let spawn = |name: &str, run: Box<dyn FnOnce() + Send>| std::thread::Builder::new().name(name.into()).spawn(run);
    let (of_reader, of_relay) = (relay.clone(), relay.clone());
    let to_queue = queue.clone();
    spawn("pinfold-requests", Box::new(move || to_queue.read(io::stdin().lock(), &of_reader))).map_err(told)?;
    spawn("pinfold-output", Box::new(move || Relay::pass_on(&of_relay))).map_err(told)?;
    let mut tool = Tool { args, settings, session, sinks, relay, queue };
    tool.serve().map_err(told)?;
    Ok(exit::SUCCESS)
}

fn clones(sinks: &[OwnedFd; 2]) -> io::Result<[OwnedFd; 2]> {
    Ok([sinks[0].try_clone()?, sinks[1].try_clone()?])
}

/// Whoever panicked with it left it as it was between two lines.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn granted(settings: &Settings) -> Vec<Granted> {
    settings.grants.offers().into_iter().map(|need| Granted { name: need.name, kind: need.kind }).collect()
}

/// Whoever asks the worker.
struct Tool<'a> {
    args: &'a Args,
    settings: Settings,
    session: Session,
    /// Where the worker's output goes.
    sinks: [OwnedFd; 2],
    relay: Arc<Mutex<Relay>>,
    queue: Arc<Queue>,
}

impl Tool<'_> {
    fn serve(&mut self) -> io::Result<()> {
        while let Some(Line { id, asked }) = self.queue.next() {
            lock(&self.relay).id = id.clone();
            self.answer(&id, asked)?;
        }
        Ok(())
    }

    fn answer(&mut self, id: &Value, asked: Asked) -> io::Result<()> {
        let request = match asked {
            Asked::Enter { text } => Request::Enter(text),
            Asked::Type { text } => Request::Type(text),
            Asked::Doc { text } => Request::Doc(text),
            Asked::Show { phase, text } => Request::Show(phase, text),
            Asked::Variables => Request::Variables,
            Asked::Caps => {
                let granted = Some(granted(&self.settings));
                return self.done(id, Answer { ok: true, granted, ..Answer::default() });
            }
            Asked::Reset => return self.reset(id),
            // Taken by the reader.
            Asked::Cancel { .. } => return Ok(()),
            Asked::Complete { text, at } => {
                let at = at.unwrap_or(text.len());
                let Some(before) = text.get(..at) else {
                    let message = format!("{at} is no place between two characters of the text");
                    return self.tell(&Event::Error { id, message, lost: false });
                };
                let (start, request) = completion(before);
                return self.ask(id, &request, Some((start, &before[start..])));
            }
        };
        self.ask(id, &request, None)
    }

    fn ask(&mut self, id: &Value, request: &Request, place: Option<(usize, &str)>) -> io::Result<()> {
        match self.session.ask(request) {
            Ok(Some(replied)) => self.replied(id, request, replied, place),
            Ok(None) => {
                let message = lost(&mut self.session, self.args);
                self.begin_again(id, Some(message))
            }
            Err(error) => self.tell(&Event::Error { id, message: error.to_string(), lost: false }),
        }
    }

    /// Tells an answer; `place` is where a completion begins, and the word that is there.
    fn replied(
        &mut self,
        id: &Value,
        request: &Request,
        replied: Replied,
        place: Option<(usize, &str)>,
    ) -> io::Result<()> {
        let Replied { mut reply, stopped } = replied;
        reply.candidates.retain(|found| place.is_some_and(|(_, word)| found.name.starts_with(word)));
        let is_error = |found: &answer::Finding| found.diagnostic.severity == answer::Severity::Error;
        let failed = reply.ended.is_some() || reply.omitted > 0 || reply.findings.iter().any(is_error);
        let shown =
            reply.value.as_ref().map(|told| Shown { text: &told.text, ty: told.ty.as_deref(), omitted: told.omitted });
        let is_value = matches!(request, Request::Enter(_) | Request::Type(_));
        let (value, text) = if is_value { (shown, None) } else { (None, shown) };
        let variables = reply.variables.iter().map(|(name, ty, mutable)| Variable { name, ty, mutable: *mutable });
        self.done(
            id,
            Answer {
                ok: !failed,
                entry: reply.entry.as_deref(),
                value,
                text,
                findings: &reply.findings,
                findings_omitted: reply.omitted,
                ended: reply.ended.as_ref().map(ended),
                stopped: stopped.filter(|_| reply.ended.is_some()).map(|stopped| match stopped {
                    Stopped::Time => "time",
                    Stopped::Interrupt => "cancelled",
                }),
                variables: matches!(request, Request::Variables).then(|| variables.collect()),
                completions: place.map(|_| &*reply.candidates),
                start: place.map(|(start, _)| start),
                granted: None,
                fuel: matches!(request, Request::Enter(_)).then_some(reply.fuel),
                seconds: matches!(request, Request::Enter(_))
                    .then(|| Seconds { compile: reply.seconds[0], run: reply.seconds[1] }),
            },
        )
    }

    fn reset(&mut self, id: &Value) -> io::Result<()> {
        if let Some(Ok(outcome)) = self.session.end() {
            outcome.remains.finish();
        }
        self.begin_again(id, None)
    }

    /// Begins another session, after one that is lost, which is told, or was to end.
    fn begin_again(&mut self, id: &Value, message: Option<String>) -> io::Result<()> {
        let session = begin(self.args, &self.settings, Some(clones(&self.sinks)?));
        match session {
            Ok(session) => {
                self.session = session;
                lock(&self.queue.state).canceller = Some(self.session.canceller());
                match message {
                    Some(message) => self.tell(&Event::Error { id, message, lost: true }),
                    None => self.done(id, Answer { ok: true, ..Answer::default() }),
                }
            }
            Err(message) => self.tell(&Event::Error { id, message, lost: true }),
        }
    }

    fn done(&self, id: &Value, answer: Answer<'_>) -> io::Result<()> {
        self.tell(&Event::Done { id, answer: Box::new(answer) })
    }

    /// Tells something that is the last of a request: what was written before it is told first.
    fn tell(&self, event: &Event<'_>) -> io::Result<()> {
        // From here on there is nothing to cancel.
        lock(&self.queue.state).running = None;
        let mut relay = lock(&self.relay);
        relay.drain()?;
        relay.finish_texts()?;
        relay.tell(event)
    }
}

fn ended(ending: &Ending) -> Ended<'_> {
    Ended {
        kind: ending.kind,
        message: ending.message.as_deref(),
        frames: &ending.frames,
        frames_omitted: ending.omitted,
    }
}

/// Requests that wait, and the one that runs.
#[derive(Default)]
struct Queue {
    state: Mutex<Waiting>,
    came: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: VecDeque<Line>,
    running: Option<Value>,
    canceller: Option<Canceller>,
    ended: bool,
}

impl Queue {
    /// The next request, which runs from now on; none at the end.
    fn next(&self) -> Option<Line> {
        let mut state = lock(&self.state);
        loop {
            if let Some(line) = state.lines.pop_front() {
                state.running = Some(line.id.clone());
                return Some(line);
            }
            if state.ended {
                return None;
            }
            state = self.came.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes requests as they come.
    fn read(&self, mut input: impl BufRead, relay: &Mutex<Relay>) {
        let mut line = Vec::new();
        let complain = |id: &Value, message: String| lock(relay).tell(&Event::Error { id, message, lost: false });
        loop {
            line.clear();
            let told = match (&mut input).take(LONGEST).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => break,
                Ok(_) if line.len() as u64 == LONGEST && line.last() != Some(&b'\n') => {
                    let rest = skip_line(&mut input);
                    let message = format!("a line is longer than {LONGEST} bytes");
                    rest.and_then(|()| complain(&Value::Null, message))
                }
                Ok(_) if line.trim_ascii().is_empty() => Ok(()),
                Ok(_) => match serde_json::from_slice::<Line>(&line) {
                    Ok(Line { id, asked: Asked::Cancel { which } }) => self.cancel(&id, &which, relay),
                    Ok(line) => {
                        lock(&self.state).lines.push_back(line);
                        self.came.notify_one();
                        Ok(())
                    }
                    Err(error) => {
                        let value: Option<Value> = serde_json::from_slice(&line).ok();
                        let id = value.and_then(|value| value.get("id").cloned()).unwrap_or_default();
                        complain(&id, format!("this is no request: {error}"))
                    }
                },
            };
            // Nobody reads any more.
            if told.is_err() {
                break;
            }
        }
        lock(&self.state).ended = true;
        self.came.notify_one();
    }

    /// Stops a request, wherever it is. Its own answer tells of it; that of the cancelling one, whether there was something to stop.
    fn cancel(&self, id: &Value, which: &Value, relay: &Mutex<Relay>) -> io::Result<()> {
        let mut state = lock(&self.state);
        let runs = state.running.as_ref() == Some(which);
        if runs && let Some(canceller) = &state.canceller {
            // As long as this is locked, what runs is this.
            canceller.cancel();
        }
        let before = state.lines.len();
        state.lines.retain(|line| line.id != *which);
        let forgotten = before - state.lines.len();
        drop(state);
        let relay = lock(relay);
        for _ in 0..forgotten {
            let answer = Box::new(Answer { stopped: Some("cancelled"), ..Answer::default() });
            relay.tell(&Event::Done { id: which, answer })?;
        }
        relay.tell(&Event::Done { id, answer: Box::new(Answer { ok: runs || forgotten > 0, ..Answer::default() }) })
    }
}

/// Reads to the end of a line, and keeps nothing of it.
fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let bytes = input.fill_buf()?;
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let (length, is_end) = (end.map_or(bytes.len(), |end| end + 1), end.is_some() || bytes.is_empty());
        input.consume(length);
        if is_end {
            return Ok(());
        }
    }
}

/// What comes out of the worker, on its way into events; and the only one who writes events.
struct Relay {
    pipes: [Arc<OwnedFd>; 2],
    /// What was read and is no whole character yet.
    begun: [Vec<u8>; 2],
    /// The request that the output is of.
    id: Value,
}

impl Relay {
    fn new(pipes: [OwnedFd; 2]) -> io::Result<Self> {
        for pipe in &pipes {
            rustix::io::ioctl_fionbio(pipe, true)?;
        }
        Ok(Self { pipes: pipes.map(Arc::new), begun: [Vec::new(), Vec::new()], id: Value::Null })
    }

    /// Passes output on as it comes, until nobody reads events.
    fn pass_on(relay: &Mutex<Self>) {
        let pipes = lock(relay).pipes.clone();
        loop {
            let mut fds = pipes.each_ref().map(|pipe| PollFd::new(&**pipe, PollFlags::IN));
            match poll(&mut fds, None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(_) => return,
            }
            if lock(relay).drain().is_err() {
                return;
            }
        }
    }

    /// Tells of all that was written so far.
    fn drain(&mut self) -> io::Result<()> {
        for number in 0..self.pipes.len() {
            loop {
                let mut buffer = [0; CHUNK];
                match rustix::io::read(&*self.pipes[number], &mut buffer[..]) {
                    Ok(0) | Err(Errno::AGAIN) => break,
                    Ok(length) => {
                        self.begun[number].extend(&buffer[..length]);
                        self.output(number, false)?;
                    }
                    Err(Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    /// Tells of characters that did not come to their end: nothing more comes of this request.
    fn finish_texts(&mut self) -> io::Result<()> {
        (0..self.begun.len()).try_for_each(|number| self.output(number, true))
    }

    fn output(&mut self, number: usize, is_end: bool) -> io::Result<()> {
        let begun = &mut self.begun[number];
        let rest = if is_end { 0 } else { unfinished(begun) };
        let text = String::from_utf8_lossy(&begun[..begun.len() - rest]).into_owned();
        begun.drain(..begun.len() - rest);
        if text.is_empty() {
            return Ok(());
        }
        let stream = ["out", "err"][number];
        self.tell(&Event::Output { id: &self.id, stream, text })
    }

    fn tell(&self, event: &Event<'_>) -> io::Result<()> {
        let mut line = json::line(event)?;
        line.push('\n');
        let mut out = io::stdout().lock();
        out.write_all(line.as_bytes())?;
        out.flush()
    }
}

/// How many bytes at the end are the beginning of a character.
fn unfinished(bytes: &[u8]) -> usize {
    match bytes.utf8_chunks().last() {
        Some(chunk) if !chunk.invalid().is_empty() => match std::str::from_utf8(chunk.invalid()) {
            Err(error) if error.error_len().is_none() => chunk.invalid().len(),
            _ => 0,
        },
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_that_is_not_whole_waits_for_its_rest() {
        assert_eq!(unfinished("ä".as_bytes()), 0);
        assert_eq!(unfinished(b"a\xf0\x9f\xa6"), 3);
        assert_eq!(unfinished(b"a\xff"), 0);
        assert_eq!(unfinished(b""), 0);
    }

    #[test]
    fn a_request_is_what_its_line_says() {
        let line: Line = serde_json::from_str(r#"{"id": [1], "request": "enter", "text": "1"}"#).unwrap();
        assert!(matches!(line.asked, Asked::Enter { text } if text == "1"));
        assert_eq!(line.id, serde_json::json!([1]));
        assert!(serde_json::from_str::<Line>(r#"{"request": "grant", "text": "data=/"}"#).is_err());
        assert!(serde_json::from_str::<Line>(r#"{"request": "enter"}"#).is_err());
    }

    #[test]
    fn what_is_too_long_is_skipped_to_its_end() {
        let mut input = io::Cursor::new(b"abc\ndef\n".to_vec());
        skip_line(&mut input).unwrap();
        let mut rest = String::new();
        input.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "def\n");
    }
}
