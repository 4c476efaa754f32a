//! What a supervisor tells a worker, and what it hears from it.
//!
//! The job is one JSON document in a sealed file. Messages are JSON documents too, one a datagram; those of a worker are read by
//! someone who assumes that it was taken over.

use std::path::PathBuf;

use pinfold_sandbox::Plan;
use pinfold_vm::api::{Tier, TierEvent, TrapKind};
use pinfold_vm::host::{Capability, Event, Grants};
use serde::{Deserialize, Serialize};

use crate::finding::Finding;
pub use crate::fold::Stage;
use crate::question::{Candidate, Explore, Phase};

/// Descriptors that a worker starts with, after the standard streams.
pub mod descriptors {
    /// Datagrams to and from the supervisor.
    pub const CHANNEL: i32 = 3;
    /// The [`Job`](super::Job), sealed.
    pub const JOB: i32 = 4;
    /// The program, sealed.
    pub const PROGRAM: i32 = 5;
    /// The first of the connections that were granted, in their order.
    pub const SOCKETS: i32 = 6;

    /// Where the program's calls are told, and what the tiers do, if the supervisor wants to know of either.
    pub fn notes(run: &super::Run) -> Option<i32> {
        let after = after_sockets(run)?;
        run.tells().then_some(after)
    }

    /// Where what is kept of the program is read, all that there is, and where it is written.
    pub fn kept(run: &super::Run) -> Option<[i32; 2]> {
        let after = after_notes(run)?;
        run.keeps.map(|_| [after, after + 1])
    }

    /// Where its [profile](crate::profile) is written, if one is made.
    pub fn profile(run: &super::Run) -> Option<i32> {
        let after = after_compiler(run);
        run.insight.profile.and(after)
    }

    /// The program's own file, if a part of it is mapped from there.
    pub fn image(run: &super::Run) -> Option<i32> {
        let after = after_compiler(run)?.checked_add(run.insight.profile.is_some().into())?;
        run.image.map(|_| after)
    }

    /// Where arguments are read and a result is written, if a function is called: see [`exchange`](crate::exchange).
    pub fn exchange(run: &super::Run) -> Option<i32> {
        after_compiler(run)
    }

    /// Where the compiler is asked, and the code memory that it writes, if it is a process of its own.
    pub fn compiler(run: &super::Run) -> Option<[i32; 2]> {
        let first = after_kept(run)?;
        run.compiler.then_some([first, first + 1])
    }

    fn after_sockets(run: &super::Run) -> Option<i32> {
        SOCKETS.checked_add(i32::try_from(run.grants.net.len()).ok()?)
    }

    fn after_notes(run: &super::Run) -> Option<i32> {
        after_sockets(run)?.checked_add(run.tells().into())
    }

    fn after_kept(run: &super::Run) -> Option<i32> {
        after_notes(run)?.checked_add(if run.keeps.is_some() { 2 } else { 0 })
    }

    fn after_compiler(run: &super::Run) -> Option<i32> {
        after_kept(run)?.checked_add(if run.compiler { 2 } else { 0 })
    }

    /// Of a compiler: where it is asked, and the code memory.
    pub const COMPILER: [i32; 2] = [6, 7];
    /// Of one whose program's code is kept: where that is read, all that there is, and where it is written.
    pub const COMPILER_KEPT: [i32; 2] = [8, 9];

    /// The same of calls of the host, if it has objects of its own.
    pub fn calls(run: &super::Run) -> Option<i32> {
        exchange(run)?.checked_add(1)
    }
}

/// The answer to a [`Message::Call`] that came to its end.
pub const GIVEN: u8 = b'g';
/// The answer to one that did not.
pub const FAILED: u8 = b'f';

/// Bytes in the largest message that is read.
pub const LARGEST_MESSAGE: usize = 64 << 10;

/// Bytes in the longest note that is read: four paths of the greatest length, each character escaped.
pub const LARGEST_NOTE: usize = 128 << 10;

/// What a worker is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// How it is confined.
    pub plan: Plan,
    /// What it does then.
    pub task: Task,
}

/// What a worker is for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Task {
    /// Running a program.
    Run(Box<Run>),
    /// Compiling for the worker that runs a program.
    Compile(Box<Run>),
    /// Calling a function of a program in Fold, for a host that embeds it.
    Call(Call),
    /// Showing a module.
    Inspect(Inspect),
    /// Looking at sources in Fold: the program is a [bundle](crate::bundle).
    Fold(Fold),
    /// Running entries of a session as they come over the channel; of what a run is, grants and limits count.
    Session(Box<Run>),
    /// Exploring a module, as it is asked for over the channel.
    Explore(Box<Run>),
    /// Writing a program down that has begun.
    Snapshot(Box<Snapshot>),
}

/// Running a program until its snapshot can be taken. The worker [answers](crate::answer) on its standard output, which the program has no part in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    /// How it is run until then.
    pub run: Run,
    /// Whether it may read clocks.
    pub clock: bool,
    /// Whether it may draw random numbers, which all runs that go on then have.
    pub random: bool,
    /// The export to call, and to take the snapshot after.
    pub after: Option<String>,
}

/// What the worker of a session is asked, one a datagram, once it is locked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// To run an entry.
    Enter(String),
    /// To say what type the value of an entry has, without running it.
    Type(String),
    /// To list the variables.
    Variables,
    /// To say what can stand between two parts of an entry.
    Complete {
        /// What stands before it.
        before: String,
        /// What closes what is open there.
        after: String,
    },
    /// To say what is documented of a name, a path or something of a value.
    Doc(String),
    /// To say what a phase makes of an entry, without running it.
    Show(Phase, String),
    /// To end entries after so much work, or never.
    Fuel(Option<u64>),
    /// Of a module that is explored.
    Explore(Explore),
}

/// What it answers to each.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The value and its type, or whatever was asked for. Not safe to print as it is.
    pub value: Option<Told>,
    /// What is wrong with an entry, or was perhaps not meant.
    pub findings: Vec<Finding>,
    /// Findings that are left out.
    pub omitted: usize,
    /// How it was ended, if it was.
    pub ended: Option<Ending>,
    /// What the entry is called in messages and traces.
    pub entry: Option<String>,
    /// Names, types, and whether they can be assigned.
    pub variables: Vec<(String, String, bool)>,
    /// What can stand at a place.
    pub candidates: Vec<Candidate>,
    /// Seconds to check and compile, and to run.
    pub seconds: [f64; 2],
    /// Units of work that the entry did.
    pub fuel: u64,
}

/// A text that a worker tells, perhaps its beginning only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The text.
    pub text: String,
    /// Of a value, its type.
    pub ty: Option<String>,
    /// Bytes that are left out.
    pub omitted: usize,
}

impl Reply {
    /// Leaves away what there is most of, until it can be sent.
    ///
    /// # Errors
    /// Those of serialization.
    pub fn into_message(mut self) -> serde_json::Result<Vec<u8>> {
        loop {
            let message = Message::Answer(Box::new(self));
            let text = serde_json::to_vec(&message)?;
            let Message::Answer(reply) = message else { return Ok(text) };
            if text.len() <= LARGEST_MESSAGE {
                return Ok(text);
            }
            self = reply.halved();
        }
    }

    fn halved(mut self) -> Self {
        let (findings, variables) = (self.findings.len() / 2, self.variables.len() / 2);
        self.candidates.truncate(self.candidates.len() / 2);
        self.omitted += self.findings.len() - findings;
        self.findings.truncate(findings);
        self.variables.truncate(variables);
        if let Some(told) = &mut self.value {
            let half = told.text.floor_char_boundary(told.text.len() / 2);
            told.omitted += told.text.len() - half;
            told.text.truncate(half);
        }
        self.ended = self.ended.map(Ending::halved);
        self
    }
}

impl Task {
    /// How a program is run, if one is.
    pub fn program(&self) -> Option<&Run> {
        match self {
            Self::Run(run) | Self::Session(run) | Self::Explore(run) => Some(run),
            Self::Call(call) => Some(&call.run),
            Self::Snapshot(snapshot) => Some(&snapshot.run),
            Self::Compile(_) | Self::Inspect(_) | Self::Fold(_) => None,
        }
    }
}

/// Calling a function, or running its program from the beginning, once the supervisor says so: until then all is prepared. What it takes and
/// gives are [exchanged](crate::exchange).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Call {
    /// How its program is run.
    pub run: Box<Run>,
    /// Its name; none of the program's beginning.
    pub function: Option<String>,
    /// The capabilities that it takes: names and kinds.
    pub needs: Vec<(String, String)>,
    /// Those of them, by their places, that are objects of the host's own, whose functions are [called](Message::Call) there.
    pub own: Vec<usize>,
}

/// What is done with sources in Fold. The worker [answers](crate::answer) on its standard output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fold {
    /// Saying what is wrong with a program or a module.
    Check {
        /// Whether it is also said what its functions can be given.
        authority: bool,
    },
    /// Compiling it to a module.
    Build {
        /// Whether the code is improved.
        optimise: bool,
        /// Whether what can be written in Fold is not asked of the host.
        portable: bool,
    },
    /// Compiling it for a host that embeds it, with the module `host` of its capabilities, if it has any.
    Embed(Option<String>),
    /// Laying out the first source.
    Format,
    /// Showing what a phase of the compiler makes of it.
    Show(Stage),
    /// Telling what the first source documents.
    Document,
    /// Telling where the packages are that the packages of the bundle depend on.
    Paths,
    /// Telling what their hashes are, as `fold.lock` has them.
    Lock,
    /// Running its tests and examples.
    Test(Test),
}

/// Which tests are run, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Test {
    /// A file of the standard library to be tested, instead of a bundle's first source.
    pub standard: Option<String>,
    /// Only those with this in their names.
    pub filter: Option<String>,
    /// So many are left out at the beginning.
    pub skip: usize,
    /// Bytes of memory, for all of them.
    pub max_memory: u64,
    /// Bytes of guest stack.
    pub max_stack: u64,
}

/// Showing a module, without running it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Inspect {
    /// The name of the module's file, for messages.
    pub file: PathBuf,
    /// What is shown.
    pub view: View,
}

/// What of a module is shown. Functions are named by index, by name, or as they are exported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum View {
    /// Sections, imports, exports.
    Summary,
    /// The same as JSON.
    Json,
    /// Bytecode of one function, or of all.
    Code(Option<String>),
    /// The interpreter's instructions.
    Ir(String),
    /// What the compiler starts from.
    Clif(String),
    /// Machine code.
    Asm(String),
}

/// Running a program.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    /// What the program may do. Directories are named as they are on the host.
    pub grants: Grants,
    /// The name of the program's file, for messages.
    pub file: PathBuf,
    /// Bytes of memory.
    pub max_memory: u64,
    /// Bytes of guest stack.
    pub max_stack: u64,
    /// Units of fuel, if they are counted.
    pub fuel: Option<u64>,
    /// How code is run.
    pub tier: TierName,
    /// Whether every run is to be the same.
    pub deterministic: bool,
    /// The export to call, if not `_start`.
    pub invoke: Option<String>,
    /// Its arguments.
    pub invoke_args: Vec<String>,
    /// Whether unknown imports become traps.
    pub trap_unknown_imports: bool,
    /// Whether the supervisor wants to know of the program's calls.
    pub records: bool,
    /// Bytes that there is room for what is found out about the program, if it is kept for its next run: see [`cache`](crate::cache).
    pub keeps: Option<u64>,
    /// Whether another process compiles. Only where a program is [run](Task::Run), or a function [called](Task::Call).
    pub compiler: bool,
    /// What is to be told of how its code runs.
    pub insight: Insight,
    /// Where in the program's file the image of a snapshot's memories begins, if that is not copied but mapped. Only where a program is [run](Task::Run).
    pub image: Option<u64>,
    /// Whether all of it is compiled, and nothing of it runs: what was made is kept.
    pub ahead: bool,
}

impl Run {
    /// Whether anything is told [in notes](Note).
    pub fn tells(&self) -> bool {
        self.records || self.insight.tiers
    }
}

/// What is to be told of how code runs.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Insight {
    /// Whether it is told what the tiers do.
    pub tiers: bool,
    /// Bytes that there is room for a profile, if one is made: see [`profile`](crate::profile).
    pub profile: Option<u64>,
}

/// A tier by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "command", derive(clap::ValueEnum))]
pub enum TierName {
    /// Interpret everything.
    Interpreter,
    /// Compile everything before it runs.
    Jit,
    /// Start in the interpreter, compile what turns hot.
    #[default]
    Auto,
}

impl From<Tier> for TierName {
    fn from(tier: Tier) -> Self {
        match tier {
            Tier::Interpreter => Self::Interpreter,
            Tier::Jit | Tier::JitLazy => Self::Jit,
            // What others there are is for tests.
            _ => Self::Auto,
        }
    }
}

impl From<TierName> for Tier {
    fn from(name: TierName) -> Self {
        match name {
            TierName::Interpreter => Self::Interpreter,
            TierName::Jit => Self::Jit,
            TierName::Auto => Self::Auto,
        }
    }
}

/// From a worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Message {
    /// All walls are up. The supervisor takes the filter's listener, if there is one, and answers with a byte.
    Locked {
        /// Its number in the worker.
        listener: Option<i32>,
    },
    /// The function can be called at once; it is when the supervisor answers with a byte.
    Ready,
    /// The program calls a function of one of the host's own objects; its arguments were [written](crate::exchange). The supervisor answers with a
    /// byte, [`GIVEN`] if there is a result.
    Call {
        /// The object's place among those that it was handed.
        object: usize,
        /// The function's place among those of the object.
        function: i64,
    },
    /// The program has ended, or was not run.
    Ended(Ending),
    /// What is to be kept of a program that has ended was written, so many bytes. Comes only after an [`Ending`] that says so.
    Kept(u64),
    /// To a [`Request`].
    Answer(Box<Reply>),
}

/// From a worker that is to tell what its program does: one a line, in a pipe of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Note {
    /// What the program's imports need, before it runs.
    Imports(Vec<Capability>),
    /// A call of a host function.
    Call(Event),
    /// What a tier did.
    Tier(TierEvent),
    /// Of a program that is compiled [ahead](Run::ahead): how much there is to compile.
    Ahead {
        /// Functions.
        functions: u64,
        /// Bytes of their bodies.
        bytes: u64,
    },
}

/// How a program ended, as its worker tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ending {
    /// In a word.
    pub kind: EndKind,
    /// The exit code of the command.
    pub code: u8,
    /// For people, if there is something to say; not safe to print as it is.
    pub message: Option<String>,
    /// The program's stack, newest frame first.
    pub frames: Vec<String>,
    /// How many frames more there are.
    pub omitted: usize,
    /// What kind of trap it was, if it was one.
    pub trap: Option<TrapKind>,
    /// The imports for which it was not run.
    pub refused: Vec<RefusedImport>,
    /// How many more of them there are.
    pub more_refused: usize,
    /// What was used.
    pub used: Used,
    /// Whether it is also told what is to be [kept](Message::Kept).
    pub keeps: bool,
}

impl Ending {
    /// An end of which nothing else is known.
    pub fn new(kind: EndKind, code: u8, message: Option<String>) -> Self {
        Self {
            kind,
            code,
            message,
            frames: Vec::new(),
            omitted: 0,
            trap: None,
            refused: Vec::new(),
            more_refused: 0,
            used: Used::default(),
            keeps: false,
        }
    }

    /// Leaves away what there is most of, until the message that tells of it can be sent: names in a module are as long as its maker
    /// likes.
    ///
    /// # Errors
    /// Those of serialization.
    pub fn into_message(mut self) -> serde_json::Result<Vec<u8>> {
        loop {
            let message = Message::Ended(self);
            let text = serde_json::to_vec(&message)?;
            let Message::Ended(ending) = message else { return Ok(text) };
            if text.len() <= LARGEST_MESSAGE {
                return Ok(text);
            }
            self = ending.halved();
        }
    }

    fn halved(mut self) -> Self {
        let (frames, refused) = (self.frames.len() / 2, self.refused.len() / 2);
        self.omitted += self.frames.len() - frames;
        self.more_refused += self.refused.len() - refused;
        self.frames.truncate(frames);
        self.refused.truncate(refused);
        self.message = self.message.map(|message| {
            let half = message.floor_char_boundary(message.len() / 2);
            format!("{}…", &message[..half])
        });
        self
    }
}

/// An import that was not given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedImport {
    /// Its first name.
    pub module: String,
    /// Its second name.
    pub name: String,
    /// What it needs, if it is one that could be given.
    pub capability: Option<Capability>,
    /// Why it was not given.
    pub why: String,
}

/// Kinds of ends that a worker can tell of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndKind {
    /// The program ended by itself.
    Exit,
    /// The worker cannot do its work.
    NotStarted,
    /// It is no module that Pinfold admits.
    NotAModule,
    /// It wants what was not granted.
    Refused,
    /// It trapped.
    Trap,
    /// Its fuel is used up.
    Fuel,
    /// It wanted more memory than it may have.
    Memory,
    /// It wrote more than it may.
    Output,
    /// It ran longer than it may.
    Timeout,
}

/// Time and memory that a run took.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Used {
    /// Seconds to verify, and to compile what is compiled ahead.
    pub verify: f64,
    /// Seconds to make memories and tables.
    pub instantiate: f64,
    /// Seconds that the program ran.
    pub run: f64,
    /// Most bytes of memories and tables at a time.
    pub guest_memory: u64,
    /// Fuel, if it was counted.
    pub fuel: Option<u64>,
    /// Functions that were compiled at its end, and of those the ones that an earlier run had compiled.
    pub compiled: [u64; 2],
    /// How many an earlier run had compiled, as far as it is known whether they fit; of none that do not.
    pub adopted: Option<u64>,
    /// How often the interpreter went on in compiled code in the middle of a loop.
    pub loops_entered: u64,
    /// Of the garbage-collected heap, if it had one.
    pub collections: Option<Box<Collections>>,
}

/// For how long a program stood still while its heap was collected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Collections {
    /// Of the young objects.
    pub nursery: Pauses,
    /// Of all objects.
    pub major: Pauses,
}

/// Pauses of one kind, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pauses {
    /// How many there were.
    pub number: u64,
    /// What half of them did not pass, to an eighth.
    pub median: f64,
    /// What 99 of 100 did not pass, to an eighth.
    pub p99: f64,
    /// The longest.
    pub longest: f64,
    /// All together.
    pub total: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ending_that_is_too_long_is_cut_until_it_can_be_sent() {
        let long = "\u{1b}ä".repeat(LARGEST_MESSAGE);
        let import = RefusedImport { module: long.clone(), name: long.clone(), capability: None, why: long.clone() };
        let ending = Ending {
            frames: vec![long.clone(), long.clone(), "short".into()],
            refused: vec![import],
            ..Ending::new(EndKind::Trap, 134, Some(long))
        };
        let text = ending.into_message().unwrap();
        assert!(text.len() <= LARGEST_MESSAGE);
        let Message::Ended(told) = serde_json::from_slice(&text).unwrap() else { panic!("another message") };
        assert_eq!((told.frames.len() + told.omitted, told.more_refused), (3, 1));
        assert!(told.message.is_some_and(|message| message.starts_with('\u{1b}') && message.ends_with('…')));
    }
}
