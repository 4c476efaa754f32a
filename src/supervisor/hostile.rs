//! A worker that says anything: for tests and for fuzzing.

use std::io::Write;

use pinfold_vm::host::Grants;

use super::*;

/// What the supervisor makes of a worker that sent these datagrams and ended; `None` is a worker that ended without a word.
///
/// # Errors
/// None may come of anything that is sent.
pub fn hear(datagrams: &[&[u8]]) -> io::Result<Option<Verdict>> {
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    let watch = watch(ended()?, ours, true);
    for datagram in datagrams {
        // One that is larger than a socket takes is not sent at all.
        let _ = send(&theirs, datagram, SendFlags::DONTWAIT);
    }
    drop(theirs);
    decided(watch)
}

fn watch(child: Child, channel: OwnedFd, notifies: bool) -> Watch {
    Watch {
        child,
        cgroup: None,
        compiler: None,
        compiles: false,
        channel: channel.into(),
        listener: None,
        clock: Clock::start(Some(Duration::from_secs(5)), None),
        notifies,
        seals_late: false,
        is_locked: false,
        readiness: Readiness::Expected,
        signals: None,
        cancel: None,
        answer: None,
        conversation: None,
        interval: None,
        ticker: None,
    }
}

fn decided(mut watch: Watch) -> io::Result<Option<Verdict>> {
    let (mut streams, _) = Streams::new(0, false, [None, None])?;
    Ok(match watch.until(Until::End, &mut streams, None)? {
        Decided::Verdict(verdict) => Some(verdict),
        Decided::Ready | Decided::Ended => None,
    })
}

/// What the supervisor makes of a worker that told this of its program's calls.
///
/// # Errors
/// None may come of anything that is told.
pub fn hear_notes(told: &[u8]) -> io::Result<Result<(), Unrecorded>> {
    let recording = Recording { sink: Box::new(|_| Ok(0)), limit: 0 };
    let (recorder, theirs) = Recorder::new(recording, Grants::command())?;
    // As much as the pipe holds: nobody is waited for then.
    let most = rustix::pipe::fcntl_getpipe_size(&theirs)?;
    File::from(theirs).write_all(&told[..told.len().min(most)])?;
    recorder.finish(None, None).map(|(_, result)| result)
}

/// A process that has ended, and is not waited for: its number is nobody else's.
fn ended() -> io::Result<Child> {
    thread_local! {
        static ENDED: i32 = {
            // SAFETY: the child ends at once.
            match unsafe { libc::fork() } {
                // SAFETY: as said.
                0 => unsafe { libc::_exit(0) },
                pid => pid,
            }
        };
    }
    let pid = ENDED.with(|pid| *pid);
    let number = rustix::process::Pid::from_raw(pid).ok_or(io::ErrorKind::OutOfMemory)?;
    Ok(Child { pid, pidfd: rustix::process::pidfd_open(number, rustix::process::PidfdFlags::empty())? })
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use pinfold_vm::api::{TierEvent, TrapKind};

    use pinfold_vm::host::{Capability, Event};

    use crate::job::{EndKind, Ending, Note, Used};

    /// A generator of numbers (xorshift64).
    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 % bound.max(1) as u64) as usize
        }
    }

    #[test]
    fn a_worker_is_told_to_begin_once_and_one_that_is_gone_is_not() {
        for is_gone in [false, true] {
            let (ours, theirs) =
                socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
            let mut watch = watch(ended().unwrap(), ours, false);
            watch.readiness = Readiness::Waiting;
            let theirs = (!is_gone).then(|| File::from(theirs));
            assert_eq!(watch.begin().unwrap(), !is_gone);
            assert!(decided(watch).unwrap().is_none());
            let mut told = Vec::new();
            theirs.map(|mut theirs| theirs.read_to_end(&mut told).unwrap());
            assert_eq!(told, if is_gone { vec![] } else { vec![GIVEN] });
        }
    }

    fn messages() -> Vec<Vec<u8>> {
        let ending = Ending {
            frames: vec!["f at 0x10".into()],
            omitted: 3,
            trap: Some(TrapKind::Unreachable),
            used: Used { fuel: Some(7), ..Used::default() },
            ..Ending::new(EndKind::Trap, 134, Some("trapped".into()))
        };
        let messages = [
            Message::Locked { listener: Some(3) },
            Message::Locked { listener: None },
            Message::Ready,
            Message::Call { object: 0, function: 7 },
            Message::Ended(ending.clone()),
            Message::Ended(Ending { kind: EndKind::Timeout, ..ending }),
            Message::Answer(Box::default()),
        ];
        messages.iter().map(|message| serde_json::to_vec(message).unwrap()).collect()
    }

    /// A message in which something was changed, cut, doubled or put in.
    fn mutant(random: &mut Random, messages: &[Vec<u8>]) -> Vec<u8> {
        const WORDS: [&str; 12] = [
            "-1",
            "1e999",
            "null",
            "{",
            "[[[[[[[[",
            "\"\\ud800\"",
            "\u{0}",
            "\u{202e}",
            "\"Ended\":",
            "18446744073709551616",
            ",",
            "\"\\u001b[31m\"",
        ];
        let mut message = messages[random.below(messages.len())].clone();
        for _ in 0..random.below(6) {
            let at = random.below(message.len());
            match random.below(4) {
                0 if !message.is_empty() => message[at] = random.below(256) as u8,
                1 => message.truncate(at),
                2 => message.extend_from_within(at..),
                _ => drop(message.splice(at..at, WORDS[random.below(WORDS.len())].bytes())),
            }
        }
        message
    }

    #[test]
    fn whatever_a_worker_says_there_is_a_verdict() {
        let (messages, mut random) = (messages(), Random(0x5eed));
        let (mut ended, mut nonsense) = (0, 0);
        for _ in 0..20_000 {
            let sent: Vec<Vec<u8>> = (0..random.below(4)).map(|_| mutant(&mut random, &messages)).collect();
            let sent: Vec<&[u8]> = sent.iter().map(Vec::as_slice).collect();
            match hear(&sent).unwrap() {
                Some(Verdict::Ended(_) | Verdict::Timeout { .. }) => ended += 1,
                Some(Verdict::Nonsense) => nonsense += 1,
                None => {}
                Some(other) => panic!("{other:?} of {sent:?}"),
            }
        }
        assert!(ended > 500 && nonsense > 1000, "{ended} were heard, {nonsense} were none");
    }

    #[test]
    fn whatever_a_worker_tells_of_calls_is_a_note_or_nonsense() {
        let event = |name| Event::not_granted("wasi_snapshot_preview1", name);
        let notes = [
            Note::Call(event("fd_close")),
            Note::Call(event("no_such")),
            Note::Imports(Capability::ALL.into()),
            Note::Tier(TierEvent::Kept { functions: 7, loops: 1 }),
        ];
        let notes = notes.map(|note| [serde_json::to_vec(&note).unwrap(), b"\n".to_vec()].concat());
        let (mut random, mut good, mut bad) = (Random(0x5eed), 0, 0);
        for _ in 0..5_000 {
            let told: Vec<u8> = (0..random.below(4)).flat_map(|_| mutant(&mut random, &notes)).collect();
            match hear_notes(&told).unwrap() {
                Ok(()) => good += 1,
                Err(Unrecorded::Nonsense) => bad += 1,
                Err(other) => panic!("{other:?} of {told:?}"),
            }
        }
        assert!(good > 500 && bad > 500, "{good} were notes, {bad} were none");
    }

    #[test]
    fn a_message_that_is_too_large_is_none() {
        let large = vec![b' '; LARGEST_MESSAGE + 1];
        let message = [large.as_slice(), br#"{"Locked":{"listener":null}}"#].concat();
        assert!(matches!(hear(&[&message]).unwrap(), Some(Verdict::Nonsense)));
    }

    #[test]
    fn a_worker_that_answers_without_reading_is_not_waited_for() {
        let pair = || socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
        let ((ours, theirs), (asks, asked)) = (pair(), pair());
        let say = |message: &Message| {
            let text = serde_json::to_vec(message).unwrap();
            send(&theirs, &text, SendFlags::NOSIGNAL).is_ok()
        };
        let (replies, replied) = std::sync::mpsc::channel();
        let conversation = Conversation::new(asked, replies, None);
        let us = rustix::process::getpid();
        let pidfd = rustix::process::pidfd_open(us, rustix::process::PidfdFlags::empty()).unwrap();
        let child = Child { pid: us.as_raw_nonzero().get(), pidfd };
        let watch = Watch { conversation: Some(conversation), ..watch(child, ours, false) };
        assert!(say(&Message::Locked { listener: None }));
        let verdict = std::thread::scope(|scope| {
            let supervisor = scope.spawn(|| decided(watch).unwrap());
            // The answer is there when the question is passed on.
            while send(&asks, &[b' '; 60 << 10], SendFlags::NOSIGNAL).is_ok()
                && say(&Message::Answer(Box::default()))
                && replied.recv().is_ok()
            {}
            supervisor.join().unwrap()
        });
        assert!(matches!(verdict, Some(Verdict::Nonsense)), "{verdict:?}");
    }
}
