//! Attacks on the supervisor: whatever a worker says, writes or leaves undone, it is not believed, not waited for, and ended.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use pinfold::job::descriptors::CHANNEL;
use pinfold::job::{EndKind, LARGEST_MESSAGE, Message};
use pinfold_sandbox::{Cgroup, Limits};

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
    announce(listener)?;
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
            announce(g.listener)?;
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

/// The command, with the payload as its worker and this attack as its program.
fn command(worker: &Path, attack: &str, flags: &[&str]) -> std::io::Result<(Command, PathBuf)> {
    let program = std::env::temp_dir().join(format!("pinfold-escape-{attack}-{}", std::process::id()));
    std::fs::write(&program, format!("{attack}\n{}", serde_json::to_string(&Targets::default())?))?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_pinfold"));
    command.args(["run", "--none", "--timeout", "10"]).args(flags).arg(&program).env("PINFOLD_WORKER", worker);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    Ok((command, program))
}

/// What the command prints of a worker's words can be printed.
pub fn prints_no_control(worker: &Path) -> Result<(), String> {
    let run = || -> std::io::Result<Output> {
        let (mut command, program) = command(worker, "unprintable", &[])?;
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

/// A worker ends with its supervisor, however that ends.
pub fn leaves_no_orphan(worker: &Path) -> Result<(), String> {
    let run = || -> std::io::Result<bool> {
        let (mut command, program) = command(worker, "ignore_requests", &[])?;
        let mut supervisor = command.stderr(Stdio::null()).spawn()?;
        let children = format!("/proc/{0}/task/{0}/children", supervisor.id());
        let mut child = String::new();
        while child.is_empty() && supervisor.try_wait()?.is_none() {
            child = std::fs::read_to_string(&children)?.trim().to_owned();
        }
        // Some way into its work, so that what it does itself for this is done.
        std::thread::sleep(Duration::from_millis(300));
        supervisor.kill()?;
        supervisor.wait()?;
        std::fs::remove_file(program)?;
        let is_gone = || !Path::new(&format!("/proc/{child}/exe")).exists();
        Ok((0..100).any(|_| {
            is_gone() || {
                std::thread::sleep(Duration::from_millis(10));
                false
            }
        }))
    };
    match run() {
        Ok(true) => Ok(()),
        Ok(false) => Err("the worker goes on without its supervisor".into()),
        Err(error) => Err(format!("the command cannot be tried: {error}")),
    }
}

/// A worker that takes all memory is killed by the kernel where its own limits do not hold, and that is said.
pub fn tells_of_memory(worker: &Path) -> Result<(), String> {
    let limits = Limits { memory: 1 << 20, descriptors: 1, processes: 1, cpu_time: None, cpu_percent: None };
    if let Err(why) = Cgroup::new(&limits) {
        println!("skipped: a worker that takes all memory, for there is no cgroup: {why}");
        return Ok(());
    }
    let run = || -> std::io::Result<Output> {
        let flags = ["--without", "rlimits", "--max-memory", "16MiB", "--max-stack", "1MiB"];
        let (mut command, program) = command(worker, "bomb_heap", &flags)?;
        let output = command.output();
        std::fs::remove_file(program)?;
        output
    };
    let output = run().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stderr);
    let is_told = output.status.code() == Some(pinfold::exit::MEMORY.into()) && text.contains("--max-memory");
    if is_told { Ok(()) } else { Err(format!("memory that is used up is told as {:?}: {text}", output.status)) }
}
