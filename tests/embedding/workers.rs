//! Programs in workers against those in this process.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pinfold::Cache;
use pinfold::{Cancel, Capability, Console, Dir, Isolation, Limits, Tier, Value, Vm, VmBuilder, grants};

use super::{TYPES, values};

/// A machine whose programs run in workers.
fn confined() -> Vm {
    builder().build().unwrap()
}

pub fn builder() -> VmBuilder {
    Vm::builder().isolation(Isolation::Worker).worker(env!("CARGO_BIN_EXE_pinfold-worker"))
}

#[test]
fn in_a_worker_values_cross_as_they_do_here() {
    let program = confined().compile("types.fold", TYPES).unwrap();
    for (name, value) in values().into_iter().filter(|(name, _)| ["bytes", "map", "shapes", "tree"].contains(name)) {
        assert_eq!(program.call::<Value>(name, (value.clone(),)).unwrap(), value, "{name}");
    }
    assert_eq!(program.call::<i64>("int", ("x",)).unwrap_err().code(), "type");
    assert_eq!(program.call::<i64>("each", (1,)).unwrap_err().code(), "no_function");
}

#[test]
fn in_a_worker_a_program_ends_as_it_does_here() {
    let source = r#"
pub fn half(n: Int) -> Int {
    assert n % 2 == 0, "{n} is odd"
    n / 2
}
pub fn endless() { while true {} }
pub fn deep(n: Int) -> Int { if n == 0 { 0 } else { 1 + deep(n - 1) } }
pub fn large(n: Int) -> Int { List.repeat(1, n).len() }
pub fn long(n: Int) -> String { "x".repeat(n) }
pub fn said(log: Console, data: Dir, what: String) -> Result<String> {
    log.print("asked for {what}")
    log.print_error("an error")
    Ok(data.read_text(what)?)
}
fn main(out: Console, data: Dir) -> Result<()> {
    out.print("read {data.read_text("a.txt")?}, asked {out.read_line()?.or("nothing")}")
    Err("it went wrong")
}
"#;
    let program = confined().compile("half.fold", source).unwrap();
    let error = program.call::<i64>("half", (3,)).unwrap_err();
    assert_eq!((error.code(), error.stack()[0].to_string().as_str()), ("panicked", "half  half.fold:3:5"), "{error}");
    assert!(error.to_string().starts_with("assertion failed: n % 2 == 0: 3 is odd\n"), "{error}");
    let limited = |name: &str, n: i64, limit: fn(&mut Limits)| match name {
        "endless" => program.with_limits(limit).call::<Value>(name, ()).unwrap_err().code().to_owned(),
        _ => program.with_limits(limit).call::<Value>(name, (n,)).unwrap_err().code().to_owned(),
    };
    assert_eq!(limited("endless", 0, |limits| limits.fuel = Some(10_000)), "limit.fuel");
    let time =
        |limits: &mut Limits| (limits.fuel, limits.deadline) = (Some(u64::MAX), Some(Duration::from_millis(300)));
    assert_eq!(limited("endless", 0, time), "limit.time");
    assert_eq!(limited("deep", 10_000_000, |_| {}), "limit.stack");
    assert_eq!(limited("large", 10_000_000, |limits| limits.memory = 1 << 20), "limit.memory");
    assert_eq!(limited("long", 10_000, |limits| limits.output = 1000), "limit.output");

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "inside").unwrap();
    let (out, data) = (Console::capture().with_input("a line\n"), Dir::open(folder.path()).unwrap());
    let failed = program.run(grants! { out: out.clone(), data: data.clone() }).unwrap_err();
    assert_eq!((failed.code(), failed.to_string().as_str()), ("failed", "it went wrong"), "{failed:?}");
    assert_eq!(out.text(), "read inside, asked a line\n");
    let log = Console::capture();
    let mut session = program.session(grants! { log: log.clone(), data: data }).unwrap();
    assert_eq!(session.call::<Result<String, String>>("said", ("a.txt",)).unwrap().unwrap(), "inside");
    assert!(session.call::<Result<String, String>>("said", ("../a.txt",)).unwrap().is_err());
    assert_eq!(
        (log.text().as_str(), log.errors().as_str()),
        ("asked for a.txt\nasked for ../a.txt\n", "an error\nan error\n")
    );
    assert_eq!(program.call::<Value>("said", ("a.txt",)).unwrap_err().code(), "not_granted");
}

#[test]
fn a_worker_is_ended_when_its_program_is_cancelled() {
    let program = confined().compile("endless.fold", "pub fn endless() { while true {} }").unwrap();
    let cancel = Cancel::new();
    let endless = program.with_cancel(&cancel).with_limits(|limits| limits.fuel = Some(u64::MAX));
    std::thread::scope(|scope| {
        let start = Instant::now();
        let endless = scope.spawn(|| endless.call::<()>("endless", ()));
        std::thread::sleep(Duration::from_millis(300));
        cancel.cancel();
        assert_eq!(endless.join().unwrap().unwrap_err().code(), "cancelled");
        assert!(start.elapsed() < Duration::from_secs(4));
    });
    assert_eq!(endless.call::<()>("endless", ()).unwrap_err().code(), "cancelled");
}

#[test]
fn a_source_is_looked_at_in_a_worker_too() {
    let error = confined().compile("wrong.fold", "pub fn f() -> Int { x }").unwrap_err();
    assert_eq!((error.findings().len(), error.span().unwrap().line), (1, 1), "{error:?}");
    for vm in [confined(), Vm::new().unwrap()] {
        assert_eq!(vm.compile_modules("a.fold", [("b.fold", "pub fn f() {}")]).unwrap_err().code(), "grant");
    }
    let nowhere = Vm::builder().isolation(Isolation::Worker).worker("/nowhere/pinfold-worker").build().unwrap();
    assert_eq!(nowhere.compile("a.fold", "").unwrap_err().code(), "worker");
}

/// Held by tests that keep workers ready: they count and kill those.
static SPARES: Mutex<()> = Mutex::new(());

pub fn spares() -> MutexGuard<'static, ()> {
    SPARES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Processes that threads of this name made, and that are there: workers that are ready or becoming so.
fn children(thread: &str) -> Vec<i32> {
    let mut all = Vec::new();
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        // A thread may end meanwhile.
        let read = |what: &str| std::fs::read_to_string(task.path().join(what)).unwrap_or_default();
        if read("comm").trim_end() == thread {
            all.extend(read("children").split_whitespace().map(|number| number.parse::<i32>().unwrap()));
        }
    }
    all
}

const MAKERS: &str = "pinfold-workers";

fn kill(process: i32) {
    // SAFETY: a plain call on a child that nobody has waited for: its number is no other's.
    unsafe { libc::kill(process, libc::SIGKILL) };
}

/// Waits until so many workers are ready, which shows in their waiting for a word.
fn until_ready(count: usize) {
    let start = Instant::now();
    let waits = |process: &i32| std::fs::read_to_string(format!("/proc/{process}/wchan")).is_ok_and(|what| what != "0");
    while children(MAKERS).iter().filter(|process| waits(process)).count() < count {
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", children(MAKERS));
        std::thread::yield_now();
    }
}

#[test]
fn workers_that_are_kept_ready_serve_one_call_each() {
    let _held = spares();
    let vm = builder().spare_workers(3).build().unwrap();
    let source = "pub fn double(n: Int) -> Int { n * 2 }
pub fn shout(text: String) -> String { text.repeat(2) }
pub fn half(n: Int) -> Int { assert n % 2 == 0, \"odd\"\n n / 2 }
pub fn said(log: Console, what: String) { log.print(what) }
pub fn endless() { while true {} }";
    let program = vm.compile("calls.fold", source).unwrap();
    let mut seen = HashSet::new();
    for n in 0..8 {
        assert_eq!(program.call::<i64>("double", (n,)).unwrap(), 2 * n);
        until_ready(1);
        seen.extend(children(MAKERS));
    }
    // More than there are at a time.
    assert!(seen.len() > 3 + 2, "{seen:?}");
    // Others are there for other functions, grants and limits; what they are asked for is not mixed up.
    for n in 0..6 {
        assert_eq!(program.call::<String>("shout", ("abc",)).unwrap(), "abcabc");
        assert_eq!(program.call::<i64>("half", (n,)).is_ok(), n % 2 == 0);
        let log = Console::capture();
        let what = format!("call {n}");
        program.session(grants! { log: log.clone() }).unwrap().call::<()>("said", (&what,)).unwrap();
        assert_eq!(log.text(), format!("{what}\n"));
    }
    let long = "x".repeat(100_000);
    assert_eq!(program.call::<String>("shout", (&long,)).unwrap(), long.repeat(2));
    let limited = program.with_limits(|limits| limits.fuel = Some(1000));
    (0..4).for_each(|_| assert_eq!(limited.call::<()>("endless", ()).unwrap_err().code(), "limit.fuel"));
    assert!(children(MAKERS).len() <= 3 + 2);
    // One that was killed while it waited is not asked.
    until_ready(1);
    let all = children(MAKERS);
    all.iter().copied().for_each(kill);
    // Its descriptors are open as long as any of its threads is there.
    let is_there = |process: &&i32| {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let threads = std::fs::read_dir(format!("/proc/{process}/task")).map_or(0, Iterator::count);
        stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z') || threads > 1)
    };
    while all.iter().any(|process| is_there(&process)) {
        std::thread::yield_now();
    }
    (0..4).for_each(|_| assert_eq!(limited.call::<()>("endless", ()).unwrap_err().code(), "limit.fuel"));
    let start = Instant::now();
    drop((program, limited, vm));
    while !children(MAKERS).is_empty() {
        assert!(start.elapsed() < Duration::from_secs(20), "they are not left behind");
        std::thread::yield_now();
    }
}

#[test]
fn a_worker_that_is_kept_ready_has_its_time_from_when_it_is_called() {
    let _held = spares();
    let vm = builder().fuel(None).spare_workers(1).deadline(Duration::from_millis(300)).build().unwrap();
    let program = vm.compile("endless.fold", "pub fn endless() { while true {} }").unwrap();
    for _ in 0..3 {
        let start = Instant::now();
        assert_eq!(program.call::<()>("endless", ()).unwrap_err().code(), "limit.time");
        assert!(start.elapsed() >= Duration::from_millis(290), "{:?}", start.elapsed());
        until_ready(1);
    }
    let cancel = Cancel::new();
    cancel.cancel();
    assert_eq!(program.with_cancel(&cancel).call::<()>("endless", ()).unwrap_err().code(), "cancelled");
}

/// A hundred of them, at random: some wait, some are becoming ready, some run.
#[test]
fn workers_that_are_killed_lose_no_run_but_their_own() {
    let _held = spares();
    const KILLS: usize = 100;
    const THREADS: usize = 3;
    let vm = builder().fuel(None).spare_workers(4).build().unwrap();
    let source = "pub fn sum(n: Int) -> Int { var sum = 0\n for k in 0..n { sum += k % 7 }\n sum }";
    let program = vm.compile("sum.fold", source).unwrap();
    let expected: i64 = (0..3000).map(|k| k % 7).sum();
    let (killed, lost, done) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let (ended, ends) = channel();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            let ended = ended.clone();
            let (program, killed, lost, done) = (&program, &killed, &lost, &done);
            let caller = move || {
                while killed.load(Ordering::Relaxed) < KILLS {
                    match program.call::<i64>("sum", (3000,)) {
                        Ok(sum) => assert_eq!(sum, expected),
                        Err(error) => {
                            assert_eq!(error.code(), "worker", "{error}");
                            lost.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                    ended.send(()).unwrap();
                }
            };
            std::thread::Builder::new().name("caller".into()).spawn_scoped(scope, caller).unwrap();
        }
        let mut random = 0x5eed_u64;
        while killed.load(Ordering::Relaxed) < KILLS && ends.recv().is_ok() {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let all = [children(MAKERS), children("caller")].concat();
            if let Some(process) = all.get((random >> 33) as usize % all.len().max(1)) {
                kill(*process);
                killed.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    let (lost, done) = (lost.into_inner(), done.into_inner());
    println!("{lost} of {done} runs were lost with {KILLS} workers");
    assert!(lost <= KILLS && done > lost, "{lost} of {done} runs were lost");
    assert_eq!(program.call::<i64>("sum", (3000,)).unwrap(), expected);
}

#[test]
fn a_pool_answers_in_order_whatever_becomes_of_its_workers() {
    use super::examples::pool::{Measure, PROGRAM, serve};
    let _held = spares();
    let vm = builder().spare_workers(3).build().unwrap();
    let program = vm.compile("measure.fold", PROGRAM).unwrap();
    let texts: Vec<String> = (0..60).map(|n| "x\n".repeat(n) + "the longest").collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut told = 0;
    let every = serve(&program, &texts, |index, answer| {
        assert_eq!(index, told);
        told += 1;
        match answer {
            Ok(measure) => assert_eq!(measure, Measure { lines: index as u64 + 1, longest: "the longest".into() }),
            Err(error) => assert_eq!(error.code(), "worker", "{error}"),
        }
        // One of those that wait, or become ready.
        children(MAKERS).first().copied().into_iter().for_each(kill);
        Ok::<_, ()>(())
    });
    assert_eq!((every, told), (Ok(()), texts.len()));
    // Who is told may have had enough.
    let mut told = 0;
    let stopped = serve(&program, &texts, |index, _| {
        told += 1;
        if index == 2 { Err("enough") } else { Ok(()) }
    });
    assert_eq!((stopped, told), (Err("enough"), 3));
}

#[test]
fn a_function_of_the_host_takes_and_gives_much_and_fails_alone() {
    let host = Capability::new("Host")
        .method("twice", ["text"], |_: &(), text: String| text.repeat(2))
        .method("much", ["count"], |_: &(), count: usize| "x".repeat(count))
        .method("slow", [], |_: &()| std::thread::sleep(Duration::from_millis(700)));
    let vm = builder().capability(&host).output(100 << 20).deadline(Duration::from_millis(600)).build().unwrap();
    let source = "import host
pub fn grow(host: host.Host, times: Int) -> Int { var text = \"x\"\n for _ in 0..times { text = host.twice(text) }\n text.len() }
pub fn much(host: host.Host, count: Int) -> Int { host.much(count).len() }
pub fn slow(host: host.Host) -> Int { host.slow()\n while true {} }";
    let program = vm.compile("calls.fold", source).unwrap();
    let mut session = program.session(grants! { host: host.with(()) }).unwrap();
    assert_eq!(session.call::<i64>("grow", (17,)).unwrap(), 1 << 17);
    assert_eq!(session.call::<i64>("much", (10 << 20,)).unwrap(), 10 << 20);
    // There is no room for so much; a fresh worker serves the next call.
    for count in [70 << 20, 200 << 20] {
        assert_eq!(session.call::<i64>("much", (count,)).unwrap_err().code(), "host");
    }
    assert_eq!(session.call::<i64>("slow", ()).unwrap_err().code(), "limit.time");
    assert_eq!(session.call::<i64>("grow", (3,)).unwrap(), 8);
    assert_eq!(program.call::<i64>("grow", (3,)).unwrap_err().code(), "not_granted");
}

/// What is kept in a folder: files, each with what tells it from one that took its place.
fn kept(folder: &std::path::Path) -> Vec<(std::path::PathBuf, u64)> {
    use std::os::unix::fs::MetadataExt;
    let folders = std::fs::read_dir(folder).unwrap().map(|folder| folder.unwrap().path());
    let files = folders.flat_map(|folder| std::fs::read_dir(folder).unwrap()).map(|file| file.unwrap().path());
    files.map(|file| (file.clone(), std::fs::metadata(&file).unwrap().ino())).collect()
}

const SUM: &str = "pub fn sum(n: Int) -> Int { var sum = 0\n for k in 0..n { sum += k % 7 }\n sum }
pub fn half(n: Int) -> Int { assert n % 2 == 0, \"odd\"\n n / 2 }";

#[test]
fn the_next_worker_of_a_program_finds_what_was_kept_of_it() {
    let _held = spares();
    let folder = tempfile::tempdir().unwrap();
    let vm = |spares| {
        let cache = Cache::at(folder.path()).unwrap();
        builder().tier(Tier::Jit).cache(cache).spare_workers(spares).build().unwrap()
    };
    let program = vm(0).compile("sum.fold", SUM).unwrap();
    assert!(kept(folder.path()).is_empty());
    assert_eq!(program.call::<i64>("sum", (7,)).unwrap(), 21);
    let [entry] = &kept(folder.path())[..] else { panic!("there is none, or more") };
    // Compiling anew is worth keeping, and would take the place of what is there; a damaged entry shows it.
    for spares in [0, 1] {
        let program = vm(spares).load(program.module()).unwrap();
        for n in 0..3 {
            assert_eq!(program.call::<i64>("sum", (7 * n,)).unwrap(), 21 * n);
            assert_eq!(program.call::<i64>("half", (3,)).unwrap_err().code(), "panicked");
            if spares > 0 {
                until_ready(1);
            }
        }
        assert_eq!(kept(folder.path()), std::slice::from_ref(entry));
    }
    let mut damaged = std::fs::read(&entry.0).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0x41;
    std::fs::write(&entry.0, damaged).unwrap();
    assert_eq!(program.call::<i64>("sum", (7,)).unwrap(), 21);
    let [anew] = &kept(folder.path())[..] else { panic!("there is none, or more") };
    assert!(anew.0 == entry.0 && anew.1 != entry.1);
    // Code is that of the settings.
    let unmetered = builder().tier(Tier::Jit).fuel(None).cache(Cache::at(folder.path()).unwrap()).build().unwrap();
    assert_eq!(unmetered.load(program.module()).unwrap().call::<i64>("sum", (7,)).unwrap(), 21);
    assert_eq!(kept(folder.path()).len(), 2);
}

#[test]
fn nothing_is_kept_unless_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let cache = || Cache::at(folder.path()).unwrap();
    // In this process nothing that was kept could be checked.
    let here = Vm::builder().tier(Tier::Jit).cache(cache()).build().unwrap();
    assert_eq!(here.compile("sum.fold", SUM).unwrap().call::<i64>("sum", (7,)).unwrap(), 21);
    assert!(kept(folder.path()).is_empty());
    // A folder that has gone meanwhile stops no program.
    let program = builder().cache(cache()).build().unwrap().compile("sum.fold", SUM).unwrap();
    drop(folder);
    assert_eq!(program.call::<i64>("sum", (7,)).unwrap(), 21);
}

/// Whoever can write what is kept can have any code run, but only where the program would: behind the walls.
#[cfg(target_arch = "x86_64")]
#[test]
fn code_that_somebody_planted_is_held_by_the_walls() {
    use pinfold_vm::runtime::kept::sum;

    let folder = tempfile::tempdir().unwrap();
    let vm = builder().tier(Tier::Jit).cache(Cache::at(folder.path()).unwrap()).build().unwrap();
    let program = vm.compile("sum.fold", SUM).unwrap();
    assert_eq!(program.call::<i64>("sum", (7,)).unwrap(), 21);
    let [(path, _)] = &kept(folder.path())[..] else { panic!("there is none, or more") };
    let mut entry = std::fs::read(path).unwrap();
    let body = entry.windows(16).rposition(|bytes| bytes == b"pinfold code 1\r\n").unwrap() + 16;
    // All functions begin with these two instructions; in their place stands getpid(), which nobody was granted.
    let begins = [0x55, 0x48, 0x89, 0xe5];
    let planted = [0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0x0f, 0x0b];
    let starts: Vec<usize> =
        (body..entry.len() - planted.len()).filter(|at| entry[*at..].starts_with(&begins)).collect();
    assert!(starts.len() > 3);
    starts.iter().for_each(|at| entry[*at..][..planted.len()].copy_from_slice(&planted));
    let expected = sum(&entry[body + 8..]).to_le_bytes();
    entry[body..][..8].copy_from_slice(&expected);
    std::fs::write(path, &entry).unwrap();
    let error = program.call::<i64>("sum", (7,)).unwrap_err();
    assert!(error.code() == "worker" && error.to_string().contains("getpid"), "{error}");
}
