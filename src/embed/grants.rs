//! What a host hands to a program: capabilities, by the names that the program has for them.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pinfold_vm::host::{self, ClockGrant, DirGrant, NetGrant, Role, Stdin};

use super::capability::Object;
use super::error::{Error, Result};

/// A parameter by which a program is handed a capability.
///
/// ```
/// use pinfold::Vm;
///
/// # fn main() -> Result<(), pinfold::Error> {
/// let program = Vm::new()?.compile("copy.fold", "fn main(out: Console, data: Dir) {}")?;
/// assert_eq!(program.needs(), [("out", "Console"), ("data", "Dir")]);
/// assert_eq!(program.needs()[1].to_string(), "data: Dir");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Need {
    /// Its name.
    pub name: String,
    /// Its type: `Console`, `Dir`, `Net`, `Clock`, `Random`, `Env`, `Args`, or a [capability of the host's own](crate::Capability).
    pub kind: String,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.kind)
    }
}

impl PartialEq<(&str, &str)> for Need {
    fn eq(&self, other: &(&str, &str)) -> bool {
        (self.name.as_str(), self.kind.as_str()) == *other
    }
}

/// What is granted, by name. Nothing is, unless it is put in; [`grants!`](crate::grants) writes it down.
///
/// A program gets of it what it has parameters for. The rest is not even opened.
///
/// ```
/// use pinfold::{Args, Console, Grants, Vm, grants};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// let program = Vm::new()?.compile("echo.fold", "fn main(out: Console, args: Args) { for arg in args.all() { out.print(arg) } }")?;
/// // Names that are known when the host is compiled, or only when it runs.
/// let out = Console::capture();
/// let mut granted = grants! { out: out.clone() };
/// granted.insert("args", Args::new(["pound"]));
/// program.run(granted)?;
/// assert_eq!(out.text(), "pound\n");
/// let refused = program.run(Grants::none()).unwrap_err();
/// assert_eq!(refused.code(), "not_granted");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Grants(BTreeMap<String, Grant>);

/// Something that can be granted: a [`Console`], [`Dir`], [`Net`], [`Clock`], [`Random`], [`Env`] or [`Args`], or an object of a
/// [`Capability`](crate::Capability).
///
/// ```
/// use pinfold::{Console, Grant, Grants, Random};
///
/// /// What a program asks for by its kind, as far as this host has it.
/// fn grant(kind: &str) -> Option<Grant> {
///     match kind {
///         "Console" => Some(Console::inherit().into()),
///         "Random" => Some(Random::system().into()),
///         _ => None,
///     }
/// }
/// let mut grants = Grants::none();
/// if let Some(console) = grant("Console") {
///     grants.insert("out", console);
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Grant {
    #[doc(hidden)]
    Console(Console),
    #[doc(hidden)]
    Dir(Dir),
    #[doc(hidden)]
    Net(Net),
    #[doc(hidden)]
    Clock(Clock),
    #[doc(hidden)]
    Random(Random),
    #[doc(hidden)]
    Env(Env),
    #[doc(hidden)]
    Args(Args),
    #[doc(hidden)]
    Object(Object),
}

/// Grants, written as a program's parameters are: `grants! { out: console, data: dir }`. The names are those of the program.
///
/// ```
/// use pinfold::{Clock, Console, grants};
///
/// let granted = grants! { out: Console::inherit(), now: Clock::system() };
/// let nothing = grants! {};
/// ```
#[macro_export]
macro_rules! grants {
    ($($name:ident: $grant:expr),* $(,)?) => {{
        #[allow(unused_mut, reason = "without a name nothing is inserted")]
        let mut grants = $crate::Grants::none();
        $(grants.insert(stringify!($name), $grant);)*
        grants
    }};
}

impl Grants {
    /// Nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Grants something under a name, instead of what had it before.
    pub fn insert(&mut self, name: &str, grant: impl Into<Grant>) -> &mut Self {
        self.0.insert(name.to_owned(), grant.into());
        self
    }

    pub(crate) fn get(&self, need: &Need) -> Option<&Grant> {
        self.0.get(&need.name).filter(|grant| grant.kind() == need.kind)
    }

    /// Those of the needs that nothing was granted for.
    pub(crate) fn missing(&self, needs: &[Need]) -> Vec<Need> {
        needs.iter().filter(|need| self.get(need).is_none()).cloned().collect()
    }

    /// What the machine is to open for these needs, as far as it was granted.
    pub(crate) fn of_machine(&self, needs: &[Need], limits: host::Grants) -> Result<host::Grants> {
        let mut machine = host::Grants { args: vec!["program".into()], ..limits };
        let mut console: Option<&Console> = None;
        let (mut env, mut args): (Option<&Env>, Option<&Args>) = (None, None);
        for need in needs {
            match self.get(need) {
                Some(Grant::Console(other)) => only(&mut console, other, need)?,
                Some(Grant::Env(other)) => only(&mut env, other, need)?,
                Some(Grant::Args(other)) => only(&mut args, other, need)?,
                Some(Grant::Dir(dir)) => machine.dirs.push(DirGrant {
                    name: Some(need.name.clone()),
                    host: dir.path()?.to_owned(),
                    guest: format!("/{}", need.name),
                    writable: dir.writable,
                }),
                Some(Grant::Net(net)) => {
                    let named = |grant: &NetGrant| NetGrant { name: Some(need.name.clone()), ..grant.clone() };
                    machine.net.extend(net.0.iter().map(named));
                }
                Some(Grant::Clock(clock)) => machine.clock = Some(ClockGrant { resolution: clock.resolution }),
                Some(Grant::Random(_)) => machine.random = true,
                Some(Grant::Object(object)) => {
                    if let Some(function) = object.missing() {
                        let why = format!("the host declares the function {function}, and does not implement it");
                        return Err(Error::Grant(format!("{need}: {why}")));
                    }
                }
                None => {}
            }
        }
        if let Some(console) = console {
            (machine.console, machine.stdin) = (console.output.clone(), console.input.clone());
        }
        machine.env.extend(env.into_iter().flat_map(|env| env.0.clone()));
        machine.args.extend(args.into_iter().flat_map(|args| args.0.clone()));
        Ok(machine)
    }
}

/// A program has one of these at a time, under however many names.
fn only<'a, T: PartialEq>(before: &mut Option<&'a T>, grant: &'a T, need: &Need) -> Result<()> {
    match before.replace(grant) {
        Some(other) if other != grant => {
            Err(Error::Grant(format!("{need}: a program has only one of these, and was granted another one too")))
        }
        _ => Ok(()),
    }
}

impl Grant {
    /// The type of the parameters that it is for.
    fn kind(&self) -> &str {
        match self {
            Self::Console(_) => "Console",
            Self::Dir(_) => "Dir",
            Self::Net(_) => "Net",
            Self::Clock(_) => "Clock",
            Self::Random(_) => "Random",
            Self::Env(_) => "Env",
            Self::Args(_) => "Args",
            Self::Object(object) => object.kind(),
        }
    }
}

macro_rules! grant_from {
    ($($name:ident)*) => {$(
        impl From<$name> for Grant {
            fn from(grant: $name) -> Self {
                Self::$name(grant)
            }
        }
    )*};
}

grant_from! { Console Dir Net Clock Random Env Args }

/// A place where texts are written, and lines read.
///
/// ```
/// use pinfold::{Console, Vm, grants};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// let vm = Vm::new()?;
/// let program = vm.compile("greet.fold", r#"
///     needs out: Console
///     out.print("Hello, {out.read_line()?.or("nobody")}!")
/// "#)?;
/// let out = Console::capture().with_input("Ada\n");
/// program.run(grants! { out: out.clone() })?;
/// assert_eq!(out.text(), "Hello, Ada!\n");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Console {
    output: host::Console,
    input: Stdin,
}

impl Console {
    /// One that keeps what is written, for [`text`](Self::text). Clones are the same one.
    pub fn capture() -> Self {
        let output = host::Console::Capture { stdout: Arc::default(), stderr: Arc::default() };
        Self { output, input: Stdin::Empty }
    }

    /// The standard streams of this process.
    pub fn inherit() -> Self {
        Self { output: host::Console::Inherit, input: Stdin::Inherit }
    }

    /// The same with this input.
    #[must_use]
    pub fn with_input(self, input: impl Into<Vec<u8>>) -> Self {
        Self { input: Stdin::Bytes(input.into().into()), ..self }
    }

    /// What was written, where it is kept. What is no UTF-8 is replaced.
    pub fn text(&self) -> String {
        self.read(false)
    }

    /// What was written where errors go.
    pub fn errors(&self) -> String {
        self.read(true)
    }

    fn read(&self, errors: bool) -> String {
        let host::Console::Capture { stdout, stderr } = &self.output else { return String::new() };
        let written: &Mutex<Vec<u8>> = if errors { stderr } else { stdout };
        String::from_utf8_lossy(&written.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl PartialEq for Console {
    /// Whether both are the same place.
    fn eq(&self, other: &Self) -> bool {
        let output = match (&self.output, &other.output) {
            (host::Console::Capture { stdout: a, .. }, host::Console::Capture { stdout: b, .. }) => Arc::ptr_eq(a, b),
            (host::Console::Inherit, host::Console::Inherit) => true,
            _ => false,
        };
        let input = match (&self.input, &other.input) {
            (Stdin::Bytes(a), Stdin::Bytes(b)) => a == b,
            (Stdin::Empty, Stdin::Empty) | (Stdin::Inherit, Stdin::Inherit) => true,
            _ => false,
        };
        output && input
    }
}

/// A directory of the host, and what is below it. For reading, unless it is [`writable`](Self::writable).
///
/// ```
/// use pinfold::{Dir, Vm, grants};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let folder = tempfile::tempdir()?;
/// std::fs::write(folder.path().join("name.txt"), "pound")?;
/// let program = Vm::new()?.compile("read.fold", r#"
///     pub fn read(data: Dir) -> String { data.read_text("name.txt").or("") }
///     pub fn write(data: Dir) -> Bool { data.write_text("name.txt", "gate").is_ok() }
/// "#)?;
/// let data = Dir::open(folder.path())?;
/// let mut session = program.session(grants! { data: data.clone() })?;
/// assert_eq!(session.call::<String>("read", ())?, "pound");
/// assert!(!session.call::<bool>("write", ())?);
/// // For writing, it has to be said.
/// let mut session = program.session(grants! { data: data.writable() })?;
/// assert!(session.call::<bool>("write", ())?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dir {
    path: PathBuf,
    /// Device and inode: what is found there later must be the same.
    pub(super) identity: (u64, u64),
    writable: bool,
}

impl Dir {
    /// The directory at a path, for reading.
    ///
    /// # Errors
    /// If there is none.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let fail = |error: io::Error| Error::Grant(format!("the directory {}: {error}", path.display()));
        let found = std::fs::canonicalize(path).map_err(fail)?;
        let meta = std::fs::symlink_metadata(&found).map_err(fail)?;
        if !meta.is_dir() {
            return Err(fail(io::ErrorKind::NotADirectory.into()));
        }
        Ok(Self { path: found, identity: (meta.dev(), meta.ino()), writable: false })
    }

    /// Its path, where it is still there: a program that may write beside it could have put another in its place, or a link.
    fn path(&self) -> Result<&Path> {
        let found = std::fs::symlink_metadata(&self.path);
        match found.map(|meta| (meta.dev(), meta.ino())) {
            Ok(identity) if identity == self.identity => Ok(&self.path),
            _ => {
                Err(Error::Grant(format!("the directory {}: it is not the one that was granted", self.path.display())))
            }
        }
    }

    /// The same for reading and writing.
    #[must_use]
    pub fn writable(self) -> Self {
        Self { writable: true, ..self }
    }

    /// The same for reading.
    #[must_use]
    pub fn read_only(self) -> Self {
        Self { writable: false, ..self }
    }
}

/// Connections to named origins, which the host opens when the program begins.
///
/// ```
/// use pinfold::{Error, Net};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// let both = Net::connect("example.com:443")?.and_connect("example.org:443")?;
/// let server = Net::listen("127.0.0.1:8080")?;
/// assert!(matches!(Net::connect("example.com"), Err(Error::Grant(_))), "it has no port");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Net(Vec<NetGrant>);

impl Net {
    /// A connection to `HOST:PORT`. A name has to lead to a public address.
    ///
    /// # Errors
    /// If it is not written so.
    pub fn connect(origin: &str) -> Result<Self> {
        Self::default().and(NetGrant::connect(origin))
    }

    /// To be a server at `ADDRESS:PORT` of this host.
    ///
    /// # Errors
    /// If it is not written so.
    pub fn listen(address: &str) -> Result<Self> {
        Self::default().and(NetGrant::listen(address))
    }

    /// The same, and a connection to another origin.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub fn and_connect(self, origin: &str) -> Result<Self> {
        self.and(NetGrant::connect(origin))
    }

    fn and(mut self, grant: Result<NetGrant, host::NetGrantError>) -> Result<Self> {
        let grant = grant.map_err(|error| Error::Grant(error.to_string()))?;
        debug_assert!(matches!(grant.role, Role::Connect | Role::Listen));
        self.0.push(grant);
        Ok(self)
    }
}

/// The time.
///
/// ```
/// use pinfold::{Clock, Vm, grants};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// use std::time::Duration;
///
/// let program = Vm::new()?.compile("time.fold", "pub fn now(clock: Clock) -> Int { clock.now() }")?;
/// let hourly = Clock::system().with_resolution(Duration::from_secs(3600));
/// let now: i64 = program.session(grants! { clock: hourly })?.call("now", ())?;
/// assert_eq!(now % 3_600_000_000_000, 0, "nanoseconds");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    resolution: Duration,
}

impl Clock {
    /// The host's clock, to the millisecond: a finer one tells a program what else the machine does.
    pub fn system() -> Self {
        Self { resolution: ClockGrant::default().resolution }
    }

    /// The same, rounded down to multiples of this.
    #[must_use]
    pub fn with_resolution(self, resolution: Duration) -> Self {
        Self { resolution }
    }
}

/// Random numbers.
///
/// ```
/// use pinfold::{Random, Vm, grants};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// let program = Vm::new()?.compile("dice.fold", "pub fn roll(random: Random) -> Int { random.between(1, 7) }")?;
/// let rolled: i64 = program.session(grants! { random: Random::system() })?.call("roll", ())?;
/// assert!((1..=6).contains(&rolled));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Random(());

impl Random {
    /// Those of the kernel.
    pub fn system() -> Self {
        Self(())
    }
}

/// Environment variables, which need not be those of this process.
///
/// ```
/// use pinfold::{Env, Vm, grants};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// let program = Vm::new()?.compile("home.fold", "pub fn home(env: Env) -> Option<String> { env.get(\"HOME\") }")?;
/// let env = Env::new([("HOME", "/home/ada")]);
/// let home: Option<String> = program.session(grants! { env: env })?.call("home", ())?;
/// assert_eq!(home.as_deref(), Some("/home/ada"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Env(Vec<(String, String)>);

impl Env {
    /// These, each a name and a value.
    pub fn new<K: Into<String>, V: Into<String>>(variables: impl IntoIterator<Item = (K, V)>) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// What a program is called with on a command line.
///
/// ```
/// use pinfold::{Args, Vm, grants};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// let program = Vm::new()?.compile("count.fold", "pub fn count(args: Args) -> Int { args.len() }")?;
/// let count: usize = program.session(grants! { args: Args::new(["-v", "pound"]) })?.call("count", ())?;
/// assert_eq!(count, 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Args(Vec<String>);

impl Args {
    /// These, without the program's name.
    pub fn new<T: Into<String>>(args: impl IntoIterator<Item = T>) -> Self {
        Self(args.into_iter().map(Into::into).collect())
    }
}
