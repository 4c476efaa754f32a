//! What is kept of programs from run to run.

use std::os::unix::fs::PermissionsExt;

use pinfold_vm::api::{Config, Engine, Module, Tier};
use pinfold_vm::runtime::kept::sum;

use super::*;

/// A cache of a test's own.
pub struct Kept {
    pub scratch: Scratch,
}

impl Kept {
    pub fn new(name: &str) -> Self {
        Self { scratch: Scratch::new(&format!("cache-{name}")) }
    }

    pub fn folder(&self) -> PathBuf {
        self.scratch.0.join("cache")
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = pinfold(args);
        command.env("PINFOLD_CACHE", self.folder());
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(&[&["run"], args].concat()).output().unwrap()
    }

    /// The entries' files.
    pub fn entries(&self) -> Vec<PathBuf> {
        let folders = std::fs::read_dir(self.folder()).into_iter().flatten().map(|folder| folder.unwrap().path());
        folders.flat_map(|folder| std::fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap().path()).collect()
    }

    /// The only entry's file.
    pub fn entry(&self) -> PathBuf {
        let [entry] = &self.entries()[..] else { panic!("{:?}", self.entries()) };
        entry.clone()
    }
}

/// How many functions were compiled at the end of a run, and how many had been by an earlier one.
pub fn compiled(output: &Output) -> [usize; 2] {
    let told = stderr(output);
    let Some(line) = told.lines().find(|line| line.contains("compiled functions:")) else { return [0, 0] };
    let numbers: Vec<usize> = line.split(|c: char| !c.is_ascii_digit()).filter_map(|text| text.parse().ok()).collect();
    numbers.try_into().unwrap()
}

pub const COUNT: [&str; 3] = ["--stats", "--invoke", "count"];

#[test]
fn the_next_run_finds_compiled_code() {
    let kept = Kept::new("next");
    let program = kept.scratch.program();
    let run = || kept.run(&[&COUNT[..], &[&program, "30000000"]].concat());
    let (first, second) = (run(), run());
    assert_eq!((stdout(&first), stdout(&second)), ("0\n".to_owned(), "0\n".to_owned()), "{}", stderr(&second));
    let [count, before] = compiled(&first);
    assert!(count > 0 && before == 0, "{}", stderr(&first));
    assert_eq!(compiled(&second), [count, count], "{}", stderr(&second));
    // The settings are others, and so is the code.
    let fuel = || kept.run(&[&["--fuel", "1000000000"], &COUNT[..], &[&program, "30000000"]].concat());
    let used = |output: &Output| stderr(output).lines().find(|line| line.contains("fuel used")).unwrap().to_owned();
    let (first, second) = (fuel(), fuel());
    assert_eq!((compiled(&first)[1], compiled(&second)[1] > 0), (0, true), "{}", stderr(&second));
    assert_eq!(used(&first), used(&second));
    assert_eq!(kept.entries().len(), 2);
}

#[test]
fn tiers_share_it_and_the_interpreter_does_without() {
    let kept = Kept::new("tiers");
    let program = kept.scratch.program();
    let turns = |tier, turns| kept.run(&[&["--tier", tier], &COUNT[..], &[&program, turns]].concat());
    let run = |tier| turns(tier, "10");
    // Long enough for the code to come; of its loop there may be some more.
    let long = || compiled(&turns("auto", "100000000"));
    // It has nothing to keep but the module that the text stands for.
    for _ in 0..2 {
        assert_eq!(stdout(&run("interpreter")), "0\n");
        assert_eq!(kept.entries().len(), 1);
    }
    let all = compiled(&run("jit"));
    assert!(all[0] > 5 && all[1] == 0);
    assert_eq!(long()[1], all[0]);
    let interpreter = run("interpreter");
    assert_eq!((compiled(&interpreter), stdout(&interpreter).as_str()), ([0, 0], "0\n"));
    // Neither has left less than it found.
    run("auto");
    assert!(long()[1] >= all[0]);
}

#[test]
fn a_script_is_compiled_once_and_traced_as_before() {
    let kept = Kept::new("script");
    let text = "needs out: Console, args: Args\n\nfn half(n: Int) -> Int {\n    if n % 2 == 1 { panic(\"odd\") }\n    \
                n / 2\n}\n\nout.print(\"{half(args.all().len())}\")\n";
    let file = kept.scratch.file("half.fold", text.as_bytes());
    assert_eq!(stdout(&kept.run(&[&file, "a", "b"])), "1\n");
    let before = std::fs::read(kept.entry()).unwrap();
    // With the same module, since there is nothing but the entry to tell of it: a source that is damaged in it is found.
    let first = kept.run(&[&file, "a"]);
    let anew = kept.run(&["--no-cache", &file, "a"]);
    assert_eq!(first.status.code(), Some(exit::TRAP.into()));
    assert_eq!(stderr(&first), stderr(&anew));
    assert!(stderr(&first).contains("half.fold:4"), "{}", stderr(&first));
    // A program that did not come to its end leaves nothing, and takes nothing away.
    assert_eq!(std::fs::read(kept.entry()).unwrap(), before);
    // Another text is another program.
    kept.scratch.file("half.fold", text.replace("n / 2", "n / 1").as_bytes());
    assert_eq!(stdout(&kept.run(&[&file, "a", "b"])), "2\n");
    assert_eq!(kept.entries().len(), 2);
}

#[test]
fn nothing_is_kept_where_nobody_wants_it() {
    let kept = Kept::new("none");
    let program = kept.scratch.program();
    let count = [&COUNT[..], &[&program, "30000000"]].concat();
    let without = |flags: &[&str]| assert_eq!(stdout(&kept.run(&[flags, &count].concat())), "0\n");
    without(&["--no-cache"]);
    // What a worker left is for workers behind all walls.
    without(&["--unsafe-no-sandbox"]);
    without(&["--without", "landlock"]);
    assert!(kept.entries().is_empty());
    assert!(kept.run(&count).status.success());
    let entry = std::fs::read(kept.entry()).unwrap();
    let unconfined = kept.run(&[&["--unsafe-no-sandbox"], &count[..]].concat());
    assert_eq!(compiled(&unconfined)[1], 0);
    assert_eq!(std::fs::read(kept.entry()).unwrap(), entry);
    let off = kept.command(&["cache"]).env("PINFOLD_CACHE", "").output().unwrap();
    assert!(stdout(&off).contains("nothing is kept"), "{}", stdout(&off));
}

#[test]
fn a_damaged_entry_is_none() {
    let kept = Kept::new("damaged");
    let program = kept.scratch.program();
    let count = [&COUNT[..], &[&program, "30000000"]].concat();
    kept.run(&count);
    let (entry, sound) = (kept.entry(), std::fs::read(kept.entry()).unwrap());
    for at in (0..sound.len()).step_by(sound.len() / 23) {
        let mut damaged = sound.clone();
        damaged[at] ^= 0x41;
        std::fs::write(&entry, &damaged).unwrap();
        let output = kept.run(&count);
        assert_eq!((compiled(&output)[1], stdout(&output).as_str()), (0, "0\n"), "byte {at}: {}", stderr(&output));
        // It was replaced.
        assert!(compiled(&kept.run(&count))[1] > 0, "byte {at}");
        std::fs::write(&entry, &sound[..at]).unwrap();
        assert_eq!(stdout(&kept.run(&count)), "0\n", "cut at {at}");
    }
}

/// Whoever can write the cache can have any code run, but only where the program would: behind the walls.
#[test]
fn code_that_somebody_planted_is_held_by_the_walls() {
    let kept = Kept::new("planted");
    let text = "(module (func (export \"count\") (param i32) (result i32)\
                (loop (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br_if 0 (local.get 0))) (local.get 0)))";
    let program = kept.scratch.file("planted.wat", text.as_bytes());
    let count = [&["--tier", "jit"], &COUNT[..], &[&program, "3"]].concat();
    kept.run(&count);
    assert!(compiled(&kept.run(&count))[1] > 0);
    let engine = Engine::new(Config::new().tier(Tier::Jit)).unwrap();
    let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
    let code = module.code().batches()[0].code().to_vec();
    let mut entry = std::fs::read(kept.entry()).unwrap();
    let at = entry.windows(code.len()).position(|bytes| bytes == code).unwrap();
    // socket(AF_INET, SOCK_STREAM, 0), and then what ends a process that may do that.
    let planted = [0xb8, 41, 0, 0, 0, 0xbf, 2, 0, 0, 0, 0xbe, 1, 0, 0, 0, 0x31, 0xd2, 0x0f, 0x05, 0x0f, 0x0b];
    assert!(code.len() >= planted.len());
    entry[at..][..planted.len()].copy_from_slice(&planted);
    // The sum of the code follows its name, which stands before the facts too.
    let body = entry.windows(16).rposition(|bytes| bytes == b"pinfold code 1\r\n").unwrap() + 16;
    let expected = sum(&entry[body + 8..]).to_le_bytes();
    entry[body..][..8].copy_from_slice(&expected);
    std::fs::write(kept.entry(), &entry).unwrap();
    let output = kept.run(&count);
    assert_eq!(output.status.code(), Some(exit::VIOLATION.into()), "{}", stderr(&output));
    assert!(stderr(&output).contains("socket"), "{}", stderr(&output));
}

#[test]
fn a_cache_that_cannot_be_used_stops_no_program() {
    let kept = Kept::new("unusable");
    let program = kept.scratch.program();
    std::fs::create_dir(kept.folder()).unwrap();
    std::fs::set_permissions(kept.folder(), PermissionsExt::from_mode(0o777)).unwrap();
    let output = kept.run(&[&COUNT[..], &[&program, "30000000"]].concat());
    assert_eq!((stdout(&output).as_str(), kept.entries().len()), ("0\n", 0), "{}", stderr(&output));
    let told = kept.command(&["cache"]).output().unwrap();
    assert!(!told.status.success() && stderr(&told).contains("can be written by others"), "{}", stderr(&told));
    // A file stands in its place, and there is no home.
    let file = kept.scratch.file("file", b"");
    for (name, value) in [("PINFOLD_CACHE", file.as_str()), ("HOME", "")] {
        let mut command = pinfold(&["run", &program]);
        command.env_remove("PINFOLD_CACHE").env_remove("XDG_CACHE_HOME").env(name, value);
        assert_eq!(stdout(&command.output().unwrap()), "hello\n");
    }
}

#[test]
fn nothing_is_left_in_the_home_of_another_user() {
    let kept = Kept::new("home");
    let run = || {
        let mut command = pinfold(&[&["run"], &COUNT[..], &[&kept.scratch.program(), "30000000"]].concat());
        command.env_remove("PINFOLD_CACHE").env_remove("XDG_CACHE_HOME").env("HOME", &kept.scratch.0);
        assert_eq!(stdout(&command.output().unwrap()), "0\n");
        kept.scratch.0.join(".cache").exists()
    };
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(&kept.scratch.0, Some(12345), None).unwrap();
        assert!(!run());
        std::os::unix::fs::chown(&kept.scratch.0, Some(0), None).unwrap();
    }
    assert!(run());
}

#[test]
fn it_is_shown_and_cleared() {
    let kept = Kept::new("shown");
    let show = |flags: &[&str]| stdout(&kept.command(&[&["cache"], flags].concat()).output().unwrap());
    assert!(show(&[]).contains("0.0 MiB of 0 programs kept"), "{}", show(&[]));
    kept.run(&[&COUNT[..], &[&kept.scratch.program(), "30000000"]].concat());
    let told: serde_json::Value = serde_json::from_str(&show(&["--json"])).unwrap();
    assert_eq!((&told["programs"], &told["cleared"]), (&1.into(), &false.into()));
    assert!(told["bytes"].as_u64().is_some_and(|bytes| bytes > 500), "{told}");
    assert!(show(&["--clear"]).contains("1 program removed"));
    assert!(kept.entries().is_empty() && show(&[]).contains("0 programs kept"));
}
