//! A pseudo-terminal with a command in it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// How long something may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where in a sequence for the terminal a byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escape {
    None,
    Begun,
    Control,
}

impl Escape {
    /// Takes the next byte; whether it is text.
    fn is_text(&mut self, byte: u8) -> bool {
        let before = *self;
        *self = match (before, byte) {
            (Escape::None, 0x1b) => Escape::Begun,
            (Escape::Begun, b'[') => Escape::Control,
            (Escape::Control, 0x20..=0x3f) => Escape::Control,
            _ => Escape::None,
        };
        before == Escape::None && byte != 0x1b
    }
}

/// See the module.
pub struct Terminal {
    file: File,
    child: Child,
    /// All that was written.
    seen: Vec<u8>,
    /// The same without what moves the cursor, and how far it was waited for.
    plain: Vec<u8>,
    escape: Escape,
    at: usize,
    answered: usize,
    _state: tempfile::TempDir,
}

impl Terminal {
    /// Runs a command, with so many columns.
    pub fn new(command: &str, args: &[&str], columns: u16) -> Self {
        let (ours, theirs) = pair();
        resize(&ours, columns);
        let state = tempfile::tempdir().expect("a directory");
        let stream = || theirs.try_clone().expect("a descriptor");
        let mut command = Command::new(command);
        command.args(args).stdin(stream()).stdout(stream()).stderr(stream());
        command.env("TERM", "xterm").env("NO_COLOR", "1").env("XDG_STATE_HOME", state.path());
        // SAFETY: plain system calls between fork and exec.
        unsafe {
            command.pre_exec(|| {
                if libc::setsid() < 0 || libc::ioctl(0, libc::TIOCSCTTY, 0) < 0 {
                    return Err(std::io::Error::last_os_error());
                }
                Ok(())
            });
        }
        let child = command.spawn().expect("it runs");
        Self {
            file: ours,
            child,
            seen: Vec::new(),
            plain: Vec::new(),
            escape: Escape::None,
            at: 0,
            answered: 0,
            _state: state,
        }
    }

    /// Types something.
    pub fn enter(&mut self, keys: &str) -> &mut Self {
        self.file.write_all(keys.as_bytes()).expect("the terminal is there");
        self
    }

    /// Waits until this was written, after what was waited for before.
    pub fn until(&mut self, text: &str) -> &mut Self {
        let end = Instant::now() + PATIENCE;
        loop {
            let found = self.plain[self.at..].windows(text.len()).position(|window| window == text.as_bytes());
            if let Some(found) = found {
                self.at += found + text.len();
                return self;
            }
            // What was looked through need not be looked through again.
            self.at = self.at.max(self.plain.len().saturating_sub(text.len()));
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && self.read(left), "{text:?} was not written, but {:?}", self.tail());
        }
    }

    /// Reads what there is; `false` at the end.
    fn read(&mut self, timeout: Duration) -> bool {
        let mut poll = libc::pollfd { fd: self.file.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        let timeout = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: one valid entry.
        if unsafe { libc::poll(&mut poll, 1, timeout) } <= 0 {
            return false;
        }
        let mut buffer = [0; 1 << 16];
        // An error means that nobody has the other end any more.
        let Ok(length @ 1..) = self.file.read(&mut buffer) else { return false };
        self.seen.extend(&buffer[..length]);
        let Self { plain, escape, .. } = self;
        plain.extend(buffer[..length].iter().filter(|byte| escape.is_text(**byte)));
        // Whoever asks where the cursor is waits for the answer.
        while let Some(found) = self.seen[self.answered..].windows(4).position(|window| window == b"\x1b[6n") {
            self.answered += found + 4;
            self.file.write_all(b"\x1b[10;1R").expect("the terminal is there");
        }
        self.answered = self.answered.max(self.seen.len().saturating_sub(3));
        true
    }

    fn tail(&self) -> String {
        String::from_utf8_lossy(&self.seen[self.seen.len().saturating_sub(2000)..]).into_owned()
    }

    /// All that was written.
    pub fn all(&self) -> String {
        String::from_utf8_lossy(&self.seen).into_owned()
    }

    /// Changes how many columns there are.
    pub fn resize(&mut self, columns: u16) -> &mut Self {
        resize(&self.file, columns);
        self
    }

    /// Goes away, and waits for the command's end; the exit code.
    pub fn hang_up(mut self) -> Option<i32> {
        // The last descriptor of this end.
        self.file = File::open("/dev/null").expect("it is always there");
        self.child.wait().expect("it ends").code()
    }

    /// Waits for its end; the exit code.
    pub fn end(mut self) -> Option<i32> {
        while self.read(PATIENCE) {}
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Where a test failed it may still be there.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Both ends of a new terminal.
fn pair() -> (File, OwnedFd) {
    let (mut ours, mut theirs) = (-1, -1);
    // SAFETY: valid places for two descriptors; nothing else is asked for.
    let done = unsafe {
        libc::openpty(&mut ours, &mut theirs, std::ptr::null_mut(), std::ptr::null_mut(), std::ptr::null_mut())
    };
    assert_eq!(done, 0, "no pseudo-terminal: {}", std::io::Error::last_os_error());
    // SAFETY: just made for us.
    let (ours, theirs) = unsafe { (OwnedFd::from_raw_fd(ours), OwnedFd::from_raw_fd(theirs)) };
    // SAFETY: a plain call. The command's session is to end with our end.
    unsafe { libc::fcntl(ours.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) };
    (ours.into(), theirs)
}

fn resize(terminal: &File, columns: u16) {
    let size = libc::winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: a valid size.
    unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSWINSZ, &size) };
}
