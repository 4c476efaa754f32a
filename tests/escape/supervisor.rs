//! Attacks on the supervisor: whatever a worker says, writes or leaves undone, it is not believed, not waited for, and ended.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use pinfold::exit;
use pinfold::job::descriptors::{self, CHANNEL};
use pinfold::job::{EndKind, LARGEST_MESSAGE, Message, Note};
use pinfold_sandbox::{Cgroup, Limits};
use pinfold_vm::host::Event;

use crate::attack::{Attack, Attempt, End, Ground, Streams, Targets, attack, escaped, gives, refused, sys};
use crate::payload::{REFUSED, announce, ending, on_other_thread, say, send};

/// Works on for ever, without a call.
fn spin() -> ! {
    loop {
        std::hint::spin_loop();
    }
}

/// Tells a number that is not the listener's.
fn lies(g: &Ground<'_>, listener: Option<i32>) -> Attempt {
    if g.listener.is_none() {
        return refused("there is no filter to lie of");
    }
    announce(g.plan, listener)?;
    // Believed: from here on nobody would see what is refused.
    escaped("the supervisor believes it")
}

/// Writes until nobody reads.
fn floods(fd: i32) -> ! {
    let line = [b'x'; 4096];
    loop {
        let _ = sys!(libc::SYS_write, fd, line.as_ptr(), line.len());
    }
}

pub fn attacks() -> Vec<Attack> {
    let mut all = messages();
    all.extend(announcements());
    all.extend(endings());
    all.extend(streams());
    all.extend(refusals_to_end());
    all.extend(notes());
    all
}

fn on_supervisor(name: &'static str, end: End, tries: &'static str, run: fn(&Ground<'_>) -> Attempt) -> Attack {
    attack(name, "", tries, run).on_supervisor(end).stopped_anyway("it is the supervisor's to stop, not a layer's")
}

fn messages() -> Vec<Attack> {
    vec![
        on_supervisor("flood_announcements", End::Nonsense, "announce again and again, and read no answer", |g| {
            loop {
                send(&Message::Locked { listener: g.listener })?;
            }
        }),
        on_supervisor("two_announcements", End::Nonsense, "announce a second time", |g| {
            announce(g.plan, g.listener)?;
            escaped("it was answered again")
        }),
        on_supervisor("flood_nonsense", End::Nonsense, "send what is no message until nobody reads", |_| {
            loop {
                say(b"{}")?;
            }
        }),
        on_supervisor("malformed", End::Nonsense, "send a message that is cut off", |_| {
            say(br#"{"Ended":{"kind":"exit","code":0"#)?;
            spin()
        }),
        on_supervisor("deep", End::Nonsense, "send one that is nested deeply", |_| {
            let text = [b'['; LARGEST_MESSAGE];
            say(&text)?;
            spin()
        }),
        on_supervisor("unknown_field", End::Nonsense, "send an end of a kind that there is not", |_| {
            say(br#"{"Ended":{"kind":"granted","code":0,"message":null,"frames":[],"omitted":0,"used":{}}}"#)?;
            spin()
        }),
        on_supervisor("large_number_told", End::Nonsense, "send numbers that no number can hold", |_| {
            let used = r#"{"verify":1e999,"instantiate":0,"run":0,"guest_memory":1e99,"fuel":null}"#;
            let text = format!(
                r#"{{"Ended":{{"kind":"exit","code":300,"message":null,"frames":[],"omitted":-1,"used":{used}}}}}"#
            );
            say(text.as_bytes())?;
            spin()
        }),
        on_supervisor("huge_datagram", End::Refused, "send one of 1 MB", |_| {
            let text = vec![b' '; 1 << 20];
            say(&text)?;
            escaped("it was sent")
        }),
        on_supervisor("large_datagram", End::Nonsense, "send the largest that the kernel takes", |_| {
            let text = vec![b' '; 200_000];
            say(&text)?;
            spin()
        }),
        on_supervisor("not_text", End::Nonsense, "send bytes that are no text", |_| {
            say(&[0xff, 0xfe, 0, 0xc0])?;
            spin()
        }),
        on_supervisor("empty_datagram", End::Timeout, "send nothing, which looks like the end of the channel", |_| {
            say(b"")?;
            spin()
        })
        .timeout(400)
        .idly(),
    ]
}

fn announcements() -> Vec<Attack> {
    let lie = |name, tries, run| on_supervisor(name, End::Nonsense, tries, run).announcing();
    vec![
        lie("listener_none", "say that there is no listener", |g| lies(g, None)),
        lie("listener_negative", "say that it is -1", |g| lies(g, Some(-1))),
        lie("listener_smallest", "say that it is the smallest number", |g| lies(g, Some(i32::MIN))),
        lie("listener_closed", "name a descriptor that there is not", |g| lies(g, Some(999))),
        lie("listener_stream", "name its output, which the supervisor would then hold open", |g| lies(g, Some(1))),
        lie("listener_input", "name its input", |g| lies(g, Some(0))),
        lie("listener_channel", "name the channel", |g| lies(g, Some(CHANNEL))),
        lie("listener_file", "name a file, which is always ready", |g| {
            lies(g, Some(pinfold::job::descriptors::PROGRAM))
        }),
        on_supervisor("announce_and_end", End::Exited, "announce, and be gone when the answer comes", |g| {
            send(&Message::Locked { listener: g.listener })?;
            sys!(libc::SYS_exit_group, 7)?;
            spin()
        })
        .announcing(),
        on_supervisor("never_announce", End::Timeout, "say nothing at all", |_| spin())
            .announcing()
            .timeout(300)
            .idly(),
        on_supervisor("end_unannounced", End::Refused, "end without having announced", |_| refused("ended"))
            .announcing(),
        on_supervisor(
            "hide_refused_call",
            End::Timeout,
            "make a refused call before the supervisor can see any",
            |_| {
                sys!(libc::SYS_getppid)?;
                spin()
            },
        )
        .announcing()
        .timeout(300)
        .idly(),
    ]
}

/// A text that would be dangerous on a terminal, and is long.
fn unprintable() -> String {
    let mut text = String::from("\u{1b}]0;title\u{7}\u{1b}[2J\u{0}\r\n\u{9b}31m\u{202e}");
    while text.len() < 20_000 {
        text.push_str("\u{1b}[31mred\u{8}\u{8}");
    }
    text
}

fn endings() -> Vec<Attack> {
    vec![
        on_supervisor("unprintable", End::Refused, "end with 60 KB of control characters", |_| {
            send(&Message::Ended(ending(REFUSED, unprintable())))?;
            spin()
        }),
        on_supervisor("end_and_go_on", End::Refused, "say that it ended, and go on", |_| {
            send(&Message::Ended(ending(REFUSED, "ended".into())))?;
            spin()
        }),
        on_supervisor("two_endings", End::Refused, "end twice, the second time well", |_| {
            send(&Message::Ended(ending(REFUSED, "ended".into())))?;
            // The supervisor may be gone.
            let _ = send(&Message::Ended(ending(0, "well".into())));
            spin()
        }),
        on_supervisor("false_timeout", End::Timeout, "say that its time is over, with a long stack", |_| {
            let mut told = ending(REFUSED, String::new());
            (told.kind, told.frames, told.omitted) = (EndKind::Timeout, vec!["f".into(); 5000], usize::MAX);
            send(&Message::Ended(told))?;
            spin()
        }),
        on_supervisor("exit_silently", End::Exited, "end without a word", |_| {
            sys!(libc::SYS_exit_group, 0)?;
            spin()
        }),
        on_supervisor("crash", End::Killed(libc::SIGILL), "crash", |_| {
            // SAFETY: ends the process, which is the point.
            unsafe { std::arch::asm!("ud2", options(noreturn)) }
        }),
        on_supervisor("refused_call_elsewhere", End::Violation("getppid"), "hide a refused call in a thread", |_| {
            let _ = on_other_thread(libc::SYS_getppid);
            spin()
        })
        .timeout(1000),
    ]
}

fn streams() -> Vec<Attack> {
    vec![
        on_supervisor("flood_output", End::Output, "write without end", |_| floods(1)),
        on_supervisor("flood_errors", End::Output, "write errors without end", |_| floods(2)).streams(Streams::Silent),
        on_supervisor("flood_deaf", End::Timeout, "write without end where nobody reads", |_| floods(1))
            .streams(Streams::Deaf)
            .timeout(400),
        on_supervisor("spin_deaf", End::Timeout, "write where nobody reads, and go on", |_| {
            let _ = sys!(libc::SYS_write, 1, c"x".as_ptr(), 1);
            spin()
        })
        .streams(Streams::Deaf)
        .timeout(400)
        .idly(),
        on_supervisor("wait_for_input", End::Timeout, "wait for a word that does not come", |_| {
            let mut byte = 0u8;
            sys!(libc::SYS_read, CHANNEL, &raw mut byte, 1)?;
            spin()
        })
        .timeout(300)
        .idly(),
        on_supervisor("input_ungranted", End::Refused, "read the supervisor's input, which was not granted", |_| {
            crate::files::holds_secret(0)
        })
        .streams(Streams::Secret),
        on_supervisor("input_written", End::Refused, "write to the input, which was granted for reading", |_| {
            gives(sys!(libc::SYS_write, 0, c"x".as_ptr(), 1))
        })
        .granted(crate::attack::console)
        .streams(Streams::Secret),
        on_supervisor("input_directory", End::Refused, "go on from a directory that is the input", |_| {
            crate::files::lists(0, "secret")
        })
        .granted(crate::attack::console_and_readable)
        .streams(Streams::Directory),
        terminal("terminal_push", "push a command into the terminal through a stream", |_| {
            for fd in 0..3 {
                let _ = push(fd);
            }
            refused("no stream is a terminal")
        }),
        terminal("terminal_paste", "paste into the console through a stream", |_| {
            let paste = [3u8];
            for fd in 0..3 {
                let _ = sys!(libc::SYS_ioctl, fd, libc::TIOCLINUX, paste.as_ptr());
            }
            refused("no stream is a console")
        }),
        attack("terminal_by_path", "openat", "push a command into a terminal by its path", |g| {
            let path = std::ffi::CString::new(g.targets.terminal.as_os_str().as_encoded_bytes()).unwrap_or_default();
            let fd = crate::files::openat(&path, libc::O_RDWR | libc::O_NOCTTY)?;
            push(fd as i32).map(|()| "a command was pushed".to_owned()).map_err(Into::into)
        })
        .streams(Streams::Terminal),
        on_supervisor("terminal_of_session", End::Violation("openat"), "open the terminal of the session", |_| {
            crate::files::openat(c"/dev/tty", libc::O_RDWR)?;
            escaped("it was opened")
        })
        .streams(Streams::Terminal),
    ]
}

fn terminal(name: &'static str, tries: &'static str, run: fn(&Ground<'_>) -> Attempt) -> Attack {
    on_supervisor(name, End::Violation("ioctl"), tries, run).streams(Streams::Terminal)
}

/// Pushes a character as if it was typed.
fn push(fd: i32) -> std::io::Result<()> {
    sys!(libc::SYS_ioctl, fd, libc::TIOCSTI, c"x".as_ptr()).map(drop)
}

fn refusals_to_end() -> Vec<Attack> {
    vec![
        on_supervisor("close_and_spin", End::Timeout, "close every descriptor, and go on", |_| {
            for fd in 0..1024 {
                let _ = sys!(libc::SYS_close, fd);
            }
            spin()
        })
        .granted(crate::attack::readable)
        .timeout(400)
        .idly(),
        on_supervisor(
            "close_and_violate",
            End::Violation("getppid"),
            "close the listener, then make a refused call",
            |_| {
                for fd in 0..1024 {
                    let _ = sys!(libc::SYS_close, fd);
                }
                let _ = sys!(libc::SYS_getppid);
                spin()
            },
        )
        .granted(crate::attack::readable)
        .timeout(1000),
        on_supervisor("stop_itself", End::Violation("kill"), "stop, as process 1 of its namespace", |_| {
            sys!(libc::SYS_kill, 0, libc::SIGSTOP)?;
            spin()
        })
        .timeout(400),
        on_supervisor("ignore_requests", End::Timeout, "not stop when it is asked to", |_| spin()).timeout(300).idly(),
        on_supervisor("block_requests", End::Violation("rt_sigprocmask"), "block what it would be asked with", |_| {
            let all = u64::MAX;
            sys!(libc::SYS_rt_sigprocmask, libc::SIG_BLOCK, &raw const all, 0, 8)?;
            spin()
        })
        .timeout(300),
        on_supervisor("exit_thread", End::Violation("exit"), "end the first thread, and leave the other", |_| {
            sys!(libc::SYS_exit, 0)?;
            spin()
        })
        .timeout(400),
    ]
}

/// Where notes go in a worker that was granted no connections.
const NOTES: i32 = descriptors::SOCKETS;

/// What is told of the program's calls. Without being asked there is no descriptor to tell it to; [`bounds_records`] asks.
fn notes() -> Vec<Attack> {
    let attack = |name, tries, run| on_supervisor(name, End::Refused, tries, run);
    vec![
        attack("notes_flood", "tell of calls that never were, without end", |_| {
            let event = Event::not_granted("wasi_snapshot_preview1", "fd_close");
            let line = [serde_json::to_vec(&Note::Call(event)).unwrap_or_default(), b"\n".to_vec()].concat();
            loop {
                note(&line)?;
            }
        }),
        attack("notes_nonsense", "tell of what is no call", |_| {
            note(b"{\"Call\":{}}\n")?;
            spin()
        }),
        attack("notes_endless", "tell one thing without end", |_| {
            loop {
                note(&[b' '; 4096])?;
            }
        }),
        attack("notes_half", "begin to tell, and go on", |_| {
            note(b"{\"Call\":")?;
            spin()
        }),
    ]
}

fn note(bytes: &[u8]) -> std::io::Result<()> {
    sys!(libc::SYS_write, NOTES, bytes.as_ptr(), bytes.len()).map(drop)
}

/// The command, with the payload as its worker and this attack as its program.
fn command(worker: &Path, attack: &str, flags: &[&str]) -> std::io::Result<(Command, PathBuf)> {
    let program = std::env::temp_dir().join(format!("pinfold-escape-{attack}-{}", std::process::id()));
    std::fs::write(&program, format!("{attack}\n{}", serde_json::to_string(&Targets::default())?))?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_pinfold"));
    command.args(["run", "--none"]).args(flags).arg(&program);
    command.env("PINFOLD_WORKER", worker).env("PINFOLD_CACHE", "");
    command.stdin(Stdio::null()).stdout(Stdio::null());
    Ok((command, program))
}

/// What the command prints of a worker's words can be printed.
pub fn prints_no_control(worker: &Path) -> Result<(), String> {
    let run = || -> std::io::Result<Output> {
        let (mut command, program) = command(worker, "unprintable", &["--timeout", "10"])?;
        let output = command.output();
        std::fs::remove_file(program)?;
        output
    };
    let errors = run().map_err(|error| error.to_string())?.stderr;
    let text = String::from_utf8(errors).map_err(|error| error.to_string())?;
    match text.chars().find(|c| c.is_control() && *c != '\n' || *c == '\u{202e}') {
        Some(c) => Err(format!("the command prints {c:?}")),
        None if text.contains("red") => Ok(()),
        None => Err(format!("the command says nothing of it: {text}")),
    }
}

/// Whatever a worker tells of its program's calls, it ends in time, with a verdict of its own, and little is written.
pub fn bounds_records(worker: &Path) -> Result<(), String> {
    const LIMIT: u64 = 1 << 20;
    let audit = std::env::temp_dir().join(format!("pinfold-escape-audit-{}", std::process::id()));
    let run = |attack: &str| -> std::io::Result<(Option<i32>, u64)> {
        let path = audit.display().to_string();
        let flags = ["--timeout", "2", "--audit", &path, "--max-audit", &LIMIT.to_string()];
        let (mut command, program) = command(worker, attack, &flags)?;
        let code = command.stderr(Stdio::null()).status()?.code();
        let written = std::fs::metadata(&audit)?.len();
        std::fs::remove_file(program)?;
        std::fs::remove_file(&audit)?;
        Ok((code, written))
    };
    let expected = [
        ("notes_flood", exit::RECORDS, LIMIT),
        ("notes_nonsense", exit::CRASH, 0),
        ("notes_endless", exit::CRASH, 0),
        ("notes_half", exit::TIMEOUT, 0),
    ];
    for (attack, code, most) in expected {
        let (ended, written) = run(attack).map_err(|error| error.to_string())?;
        // The last line may pass the limit.
        if ended != Some(code.into()) || written > most + 1000 {
            return Err(format!("{attack} with --audit ends with {ended:?}, and {written} bytes are written"));
        }
    }
    Ok(())
}

/// A report names the system call that was refused.
pub fn reports_violations(worker: &Path) -> Result<(), String> {
    let report = std::env::temp_dir().join(format!("pinfold-escape-report-{}", std::process::id()));
    let run = || -> std::io::Result<serde_json::Value> {
        let (mut command, program) =
            command(worker, "stop_itself", &["--timeout", "10", "--report", &report.display().to_string()])?;
        command.stderr(Stdio::null()).status()?;
        let text = std::fs::read_to_string(&report)?;
        std::fs::remove_file(program)?;
        std::fs::remove_file(&report)?;
        Ok(serde_json::from_str(&text)?)
    };
    let report = run().map_err(|error| error.to_string())?;
    let end = &report["end"];
    let is_told = end["kind"] == "violation"
        && end["syscall"]["name"] == "kill"
        && end["syscall"]["number"] == libc::SYS_kill
        && end["syscall"]["arguments"][1] == format!("{:#x}", libc::SIGSTOP);
    if is_told { Ok(()) } else { Err(format!("the report of a violation does not tell it: {end}")) }
}

/// A worker that takes all memory is killed by the kernel where its own limits do not hold, and that is said.
pub fn tells_of_memory(worker: &Path) -> Result<(), String> {
    let limits = Limits { memory: 1 << 20, descriptors: 1, processes: 1, cpu_time: None, cpu_percent: None };
    if let Err(why) = Cgroup::new(&limits) {
        println!("skipped: a worker that takes all memory, for there is no cgroup: {why}");
        return Ok(());
    }
    let run = || -> std::io::Result<Output> {
        let flags = ["--timeout", "10", "--without", "rlimits", "--max-memory", "16MiB", "--max-stack", "1MiB"];
        let (mut command, program) = command(worker, "bomb_heap", &flags)?;
        let output = command.output();
        std::fs::remove_file(program)?;
        output
    };
    let output = run().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stderr);
    let is_told = output.status.code() == Some(exit::MEMORY.into()) && text.contains("--max-memory");
    if is_told { Ok(()) } else { Err(format!("memory that is used up is told as {:?}: {text}", output.status)) }
}
