//! The range: one attack after the other layer taken away, in a process that the suite can end.
//!
//! ```text
//!  suite ──► range, for one attack ──► supervisor ═══ worker that attacks
//!    ▲            │  targets: files, a process with a secret, servers, a terminal
//!    └── a line for each run
//! ```

use std::fs::{self, File};
use std::io::{self, BufRead, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pinfold::job::{Insight, Job, Run, Task, TierName};
use pinfold::policy;
use pinfold::supervisor::{self, Bounds, SupervisorError, Verdict};
use pinfold_sandbox::{Exit, Layer, Layers, Refusal};
use serde::{Deserialize, Serialize};

use crate::attack::{Attack, SECRET, Streams, Targets, sys};
use crate::payload;

/// Bytes of output that a worker may let out here, and of memory for its program.
pub const OUTPUT: u64 = 256 << 10;
pub const MEMORY: u64 = 16 << 20;

/// One way to confine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walls {
    pub kind: Kind,
    pub layers: Layers,
    pub refusal: Refusal,
}

/// Which layers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    None,
    All,
    /// In the place of a compiler, with all.
    Compiler,
    /// The same where user namespaces are forbidden.
    CompilerNoNamespaces,
    /// What is left where user namespaces are forbidden.
    NoNamespaces,
    /// All, and refused calls fail instead of being told.
    Failing,
    Without(Layer),
    Alone(Layer),
}

/// In how many ways an attack is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Without any layer, with all, and without namespaces.
    Few,
    /// And with each layer taken away.
    Usual,
    /// And with each layer alone.
    Deep,
}

/// The ways in which an attack is tried.
pub fn walls(attack: &Attack, depth: Depth) -> Vec<Walls> {
    let walls = |kind, layers| Walls { kind, layers, refusal: Refusal::Notify };
    let all = Layers::all();
    let no_namespaces = Layer::NAMESPACES.iter().fold(all, |layers, layer| layers.without(*layer));
    let mut ways =
        vec![walls(Kind::None, Layers::NONE), walls(Kind::All, all), walls(Kind::NoNamespaces, no_namespaces)];
    if !attack.on_supervisor {
        ways.push(walls(Kind::Compiler, all));
        ways.push(walls(Kind::CompilerNoNamespaces, no_namespaces));
    }
    if !attack.on_supervisor && depth != Depth::Few {
        ways.push(Walls { kind: Kind::Failing, layers: all, refusal: Refusal::Fail });
        ways.extend(Layer::ALL.iter().map(|layer| walls(Kind::Without(*layer), all.without(*layer))));
        if depth == Depth::Deep {
            ways.extend(Layer::ALL.iter().map(|layer| walls(Kind::Alone(*layer), Layers::NONE.with(*layer))));
        }
    }
    ways
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Seen {
    Escaped(String),
    Refused(String),
    /// The host has not what is attacked.
    Lacks(String),
    /// The walls cannot be put up in this combination.
    NoStart(String),
    Violation(String),
    /// By the kernel, for want of memory.
    Memory,
    Killed(i32),
    Exited(i32),
    Timeout,
    Output,
    Nonsense,
    /// The supervisor gave up instead of saying how the run ended.
    Failed(String),
}

/// A run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    pub seen: Seen,
    /// Seconds that it took, and that the supervisor was busy.
    pub took: f64,
    pub busy: f64,
    /// Whether a worker was still there a second later, dead or alive.
    pub left_over: bool,
}

/// Runs an attack in all ways, and prints a line for each.
pub fn main(attack: &Attack, depth: Depth) -> io::Result<()> {
    let mut lines = File::from(io::stdout().as_fd_owned()?);
    // SAFETY: a plain call.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    let range = Range::new()?;
    let ways = walls(attack, depth);
    for (index, walls) in ways.iter().enumerate() {
        range.fill()?;
        range.disconnect()?;
        if index == 0 || attack.streams == Streams::Secret {
            range.streams(attack.streams)?;
        }
        let start = Instant::now();
        let before = busy();
        let seen = range.run(attack, walls);
        let (took, busy) = (start.elapsed().as_secs_f64(), (busy() - before).as_secs_f64());
        // The last is when all that was left over would be there.
        let left_over = index + 1 == ways.len() && range.has_children();
        let report = Report { seen, took, busy, left_over };
        serde_json::to_writer(&mut lines, &report)?;
        lines.write_all(b"\n")?;
    }
    Ok(())
}

trait OwnedCopy {
    fn as_fd_owned(&self) -> io::Result<OwnedFd>;
}

impl<T: std::os::fd::AsFd> OwnedCopy for T {
    fn as_fd_owned(&self) -> io::Result<OwnedFd> {
        self.as_fd().try_clone_to_owned()
    }
}

/// Processor time of this process.
fn busy() -> Duration {
    // SAFETY: a valid place for the answer.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let of = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
    of(usage.ru_utime) + of(usage.ru_stime)
}

/// The directory of a range, by its process.
fn scratch(range: u32) -> PathBuf {
    std::env::temp_dir().join(format!("pinfold-escape-{range}"))
}

/// Makes a segment of shared memory under a key that nobody has, and writes that down where [`clean`] finds it.
fn segment(scratch: &Path) -> io::Result<i32> {
    let first = 0x7069_0000 | std::process::id() as i32 & 0xffff;
    for key in first.. {
        match sys!(libc::SYS_shmget, key, 4096, libc::IPC_CREAT | libc::IPC_EXCL | 0o600) {
            Ok(_) => {
                fs::write(scratch.join("segment"), key.to_string())?;
                return Ok(key);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::StorageFull.into())
}

/// Takes away what outlives a range, however that ended.
pub fn clean(range: u32) {
    let key = fs::read_to_string(scratch(range).join("segment")).ok().and_then(|key| key.parse::<i32>().ok());
    let _ = fs::remove_dir_all(scratch(range));
    if let Some(key) = key {
        let _ =
            sys!(libc::SYS_shmget, key, 4096, 0).and_then(|segment| sys!(libc::SYS_shmctl, segment, libc::IPC_RMID, 0));
    }
}

/// The targets, and what keeps them there.
struct Range {
    targets: Targets,
    victim: Child,
    other: TcpListener,
    _servers: (TcpListener, Option<TcpListener>, UdpSocket, [UnixListener; 2]),
    _terminal: File,
}

impl Range {
    fn new() -> io::Result<Self> {
        // What a suite that was ended left there under the same number would be taken for a target.
        clean(std::process::id());
        let scratch = scratch(std::process::id());
        fs::create_dir(&scratch)?;
        fs::create_dir(scratch.join("granted"))?;
        fs::create_dir(scratch.join("mount"))?;
        let executable = std::env::current_exe()?;
        let mut victim = Command::new(&executable).arg("--victim").stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        io::BufReader::new(victim.stdout.as_mut().ok_or(io::ErrorKind::BrokenPipe)?).read_line(&mut line)?;
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        other.set_nonblocking(true)?;
        let tcp6 = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).ok();
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let abstract_name = format!("pinfold-escape-{}", std::process::id());
        let hidden = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&abstract_name)?)?;
        let visible = UnixListener::bind(scratch.join("socket"))?;
        // SAFETY: plain calls with valid arguments; the descriptor is new.
        let terminal = unsafe {
            let fd = libc::posix_openpt(libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC);
            if fd < 0 || libc::grantpt(fd) != 0 || libc::unlockpt(fd) != 0 {
                return Err(io::Error::last_os_error());
            }
            File::from_raw_fd(fd)
        };
        let targets = Targets {
            executable,
            supervisor: std::process::id() as i32,
            victim: victim.id() as i32,
            secret_at: line.trim().parse().map_err(io::Error::other)?,
            tcp: tcp.local_addr()?.port(),
            udp: udp.local_addr()?.port(),
            tcp6: tcp6.as_ref().map(|tcp6| Ok::<_, io::Error>(tcp6.local_addr()?.port())).transpose()?,
            other: other.local_addr()?.port(),
            own_address: own_address().to_string(),
            abstract_name,
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            segment: segment(&scratch)?,
            handle: Vec::new(),
            without_device: true,
            terminal: terminal_name(&terminal)?,
            scratch,
        };
        let mut range =
            Self { targets, victim, other, _servers: (tcp, tcp6, udp, [hidden, visible]), _terminal: terminal };
        range.fill()?;
        range.targets.handle = handle(&range.targets.scratch.join("secret")).unwrap_or_default();
        let device =
            std::ffi::CString::new(range.targets.scratch.join("granted/device").as_os_str().as_encoded_bytes())?;
        // `/dev/zero`
        let made = sys!(libc::SYS_mknod, device.as_ptr(), libc::S_IFCHR | 0o600, libc::makedev(1, 5));
        range.targets.without_device = made.is_err();
        // What is not closed at the start of a worker: it must not get there all the same.
        let leak = File::open(range.targets.scratch.join("secret"))?.into_raw_fd();
        // SAFETY: descriptors of this process, made for this.
        unsafe { libc::dup2(leak, 77) };
        Ok(range)
    }

    /// Forgets the connections of the attack before: another one between the same ports could not be made beside them.
    fn disconnect(&self) -> io::Result<()> {
        loop {
            match self.other.accept() {
                Ok((connection, _)) => {
                    rustix::net::sockopt::set_socket_linger(&connection, Some(Duration::ZERO))?;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Puts the files there, whatever the attack before left of them.
    fn fill(&self) -> io::Result<()> {
        let scratch = &self.targets.scratch;
        for name in ["made", "granted/made", "granted/moved", "granted/stolen", "victim"] {
            let _ = fs::remove_file(scratch.join(name)).or_else(|_| fs::remove_dir(scratch.join(name)));
        }
        for name in ["secret", "victim", "granted/inside"] {
            fs::write(scratch.join(name), SECRET)?;
        }
        for (name, to) in [("granted/absolute", scratch.join("secret")), ("granted/relative", "../secret".into())] {
            match std::os::unix::fs::symlink(to, scratch.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Gives this process the streams that the attack is to meet.
    fn streams(&self, kind: Streams) -> io::Result<()> {
        let place = |fd: &File, numbers: &[i32]| {
            numbers.iter().for_each(|number| {
                // SAFETY: a standard stream of this process is replaced.
                unsafe { libc::dup2(fd.as_raw_fd(), *number) };
            });
        };
        match kind {
            Streams::Nothing => place(&File::options().read(true).write(true).open("/dev/null")?, &[0, 1]),
            Streams::Silent => place(&File::options().read(true).write(true).open("/dev/null")?, &[0, 1, 2]),
            Streams::Deaf => {
                let (_, to) = rustix::pipe::pipe()?;
                place(&File::from(to), &[1]);
            }
            Streams::Directory => {
                place(&File::open(&self.targets.scratch)?, &[0]);
                place(&File::options().write(true).open("/dev/null")?, &[1]);
            }
            Streams::Secret => {
                place(&File::options().read(true).write(true).open(self.targets.scratch.join("victim"))?, &[0]);
                place(&File::options().write(true).open("/dev/null")?, &[1]);
            }
            Streams::Terminal => {
                // SAFETY: plain calls: a session of its own, whose terminal is the one that is opened next.
                unsafe { libc::setsid() };
                let far = File::options().read(true).write(true).open(&self.targets.terminal)?;
                sys!(libc::SYS_ioctl, far.as_raw_fd(), libc::TIOCSCTTY, 0)?;
                place(&far, &[0, 1]);
            }
        }
        Ok(())
    }

    fn run(&self, attack: &Attack, walls: &Walls) -> Seen {
        let grants = (attack.grants)(&self.targets);
        let plan = match policy::plan(&grants, MEMORY, 1 << 20, walls.layers) {
            Ok(plan) if matches!(walls.kind, Kind::Compiler | Kind::CompilerNoNamespaces) => policy::of_compiler(&plan),
            Ok(plan) => pinfold_sandbox::Plan { refusal: walls.refusal, ..plan },
            Err(error) => return Seen::Failed(error.to_string()),
        };
        let run = Run {
            grants,
            file: PathBuf::from("attack"),
            max_memory: MEMORY,
            max_stack: 1 << 20,
            fuel: None,
            tier: TierName::Interpreter,
            deterministic: false,
            invoke: None,
            invoke_args: Vec::new(),
            trap_unknown_imports: false,
            records: false,
            keeps: None,
            compiler: attack.beside_compiler,
            insight: Insight::default(),
            image: None,
            ahead: false,
        };
        let program = match payload::program(attack, &self.targets) {
            Ok(program) => program,
            Err(error) => return Seen::Failed(error.to_string()),
        };
        let bounds = Bounds { timeout: Some(attack.timeout), output: OUTPUT };
        match supervisor::run(&Job { plan, task: Task::Run(Box::new(run)) }, &program, &bounds) {
            Ok(verdict) => Seen::of(verdict),
            Err(SupervisorError::Spawn(error)) => Seen::NoStart(error.to_string()),
            // The filter's listener cannot be taken: an ordinary user needs a user namespace for that.
            Err(SupervisorError::Io(error)) if error.kind() == io::ErrorKind::PermissionDenied => {
                Seen::NoStart(error.to_string())
            }
            Err(error) => Seen::Failed(error.to_string()),
        }
    }

    /// Whether there are children besides the victim, after a second at most.
    fn has_children(&self) -> bool {
        let path = format!("/proc/self/task/{}/children", std::process::id());
        for _ in 0..100 {
            let children = fs::read_to_string(&path).unwrap_or_default();
            if children.split_whitespace().all(|child| child == self.targets.victim.to_string()) {
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        true
    }
}

impl Drop for Range {
    fn drop(&mut self) {
        let _ = self.victim.kill();
        let _ = self.victim.wait();
    }
}

impl Seen {
    fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Ended(ending) => {
                let message = ending.message.unwrap_or_default();
                match ending.code {
                    payload::ESCAPED => Self::Escaped(message),
                    payload::REFUSED => Self::Refused(message),
                    payload::LACKS => Self::Lacks(message),
                    _ => Self::NoStart(message),
                }
            }
            Verdict::Timeout { .. } => Self::Timeout,
            Verdict::Memory { .. } => Self::Memory,
            verdict @ (Verdict::Cpu { .. } | Verdict::Processes { .. }) => Self::Refused(format!("{verdict:?}")),
            Verdict::Interrupted { signal } => Self::Failed(format!("signal {signal}")),
            Verdict::Output { .. } => Self::Output,
            Verdict::Violation(violation) => {
                Self::Violation(violation.name.unwrap_or_else(|| format!("{:#x}", violation.number)))
            }
            Verdict::Crash { exit: Exit::Signal(signal) } => Self::Killed(signal),
            Verdict::Crash { exit: Exit::Code(code) } => Self::Exited(code),
            Verdict::Nonsense => Self::Nonsense,
            Verdict::Unrecorded(why) => Self::Failed(why.to_string()),
        }
    }
}

/// By the number of this process.
fn own_address() -> Ipv4Addr {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 78, high, low)
}

fn terminal_name(terminal: &File) -> io::Result<PathBuf> {
    let mut name = [0u8; 64];
    // SAFETY: a descriptor of ours and a buffer of this length.
    let result = unsafe { libc::ptsname_r(terminal.as_raw_fd(), name.as_mut_ptr().cast(), name.len()) };
    if result != 0 {
        return Err(io::Error::from_raw_os_error(result));
    }
    let len = name.iter().position(|byte| *byte == 0).unwrap_or(0);
    Ok(PathBuf::from(String::from_utf8_lossy(&name[..len]).into_owned()))
}

/// The handle of a file: `struct file_handle`.
fn handle(path: &Path) -> io::Result<Vec<u8>> {
    let mut handle = vec![0u8; 8 + 128];
    handle[..4].copy_from_slice(&128u32.to_ne_bytes());
    let mut mount = 0i32;
    let path = std::ffi::CString::new(path.as_os_str().as_encoded_bytes())?;
    sys!(libc::SYS_name_to_handle_at, libc::AT_FDCWD, path.as_ptr(), handle.as_mut_ptr(), &raw mut mount, 0)?;
    Ok(handle)
}

/// The victim: it has a secret in its memory, tells where, and waits until nobody holds its other end.
pub fn victim() -> ! {
    let secret = SECRET.to_owned();
    println!("{}", secret.as_ptr() as usize);
    // SAFETY: a plain call: the victim ends with the range.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    let _ = io::stdin().read(&mut [0]);
    loop {
        std::thread::park();
    }
}
