//! Cgroups on the host that the tests run on, whichever version it has. Where it gives none, that is said and nothing is tested.

#![allow(missing_docs, clippy::unwrap_used)]

use std::ffi::CString;
use std::fs::{self, File};
use std::io::Read;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pinfold_sandbox::cgroup::{Controller, OutOfMemory};
use pinfold_sandbox::{Cgroup, Exit, Launch, Layer, Layers, Limits, spawn_in};

const LIMITS: Limits = Limits {
    memory: 64 << 20,
    descriptors: 64,
    processes: 16,
    cpu_time: Some(Duration::from_secs(60)),
    cpu_percent: None,
};

fn group(limits: &Limits) -> Option<Cgroup> {
    match Cgroup::new(limits) {
        Ok(cgroup) => Some(cgroup),
        Err(why) => {
            eprintln!("skipped: {why}");
            None
        }
    }
}

/// Runs a script of the shell in a group, and gives what it wrote.
fn run(cgroup: Cgroup, layers: Layers, script: &str) -> (Exit, String, Cgroup) {
    let shell = File::open("/bin/sh").unwrap();
    let null = File::open("/dev/null").unwrap();
    let (from, to) = rustix::pipe::pipe().unwrap();
    let arguments = [c"sh".to_owned(), c"-c".to_owned(), CString::new(script).unwrap()];
    let launch = Launch {
        program: shell.as_fd(),
        arguments: &arguments.each_ref().map(|argument| argument.as_c_str()),
        descriptors: &[null.as_fd(), to.as_fd(), to.as_fd()],
        layers,
        enters: false,
    };
    let (child, cgroup) = spawn_in(&launch, Some(cgroup)).unwrap();
    drop(to);
    let mut text = String::new();
    File::from(from).read_to_string(&mut text).unwrap();
    (child.wait().unwrap(), text, cgroup.unwrap())
}

/// The groups of this process that are there, by their directories.
fn groups(below: &Path) -> Vec<PathBuf> {
    let prefix = format!("pinfold-{}-", std::process::id());
    let entries = fs::read_dir(below).into_iter().flatten().flatten();
    let directories = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    directories
        .flat_map(|entry| {
            let is_one = entry.file_name().to_string_lossy().starts_with(&prefix);
            if is_one { vec![entry.path()] } else { groups(&entry.path()) }
        })
        .collect()
}

/// Groups are looked for by name, so that one test at a time has any.
static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

fn alone() -> std::sync::MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(|e| e.into_inner())
}

/// A user namespace is how others than root have the other.
fn hidden() -> Layers {
    Layers::NONE.with(Layer::User).with(Layer::CgroupNs)
}

#[test]
fn a_process_is_in_its_group_from_the_beginning_and_the_group_is_gone_in_the_end() {
    let _alone = alone();
    let Some(cgroup) = group(&LIMITS) else { return };
    let place = format!("/pinfold-{}-0", std::process::id());
    // What the shell makes is there too.
    let (exit, text, cgroup) = run(cgroup, Layers::NONE, "cat /proc/self/cgroup");
    assert_eq!(exit, Exit::Code(0));
    let controllers = groups("/sys/fs/cgroup".as_ref());
    assert!(!controllers.is_empty());
    assert_eq!(text.lines().filter(|line| line.ends_with(&place)).count(), controllers.len(), "{text}");
    drop(cgroup);
    assert!(groups("/sys/fs/cgroup".as_ref()).is_empty());
}

#[test]
fn a_process_does_not_see_where_its_group_is() {
    let _alone = alone();
    let Some(cgroup) = group(&LIMITS) else { return };
    let (exit, text, _cgroup) = run(cgroup, hidden(), "cat /proc/self/cgroup");
    assert_eq!(exit, Exit::Code(0), "{text}");
    assert!(text.lines().count() > 0 && text.lines().all(|line| line.ends_with(":/")), "{text}");
}

#[test]
fn memory_is_bounded_for_all_processes_together() {
    let _alone = alone();
    let Some(cgroup) = group(&LIMITS) else { return };
    assert_eq!(cgroup.out_of_memory(), None);
    let (exit, text, cgroup) = run(cgroup, Layers::NONE, "dd if=/dev/zero of=/dev/null bs=16M count=1");
    assert_eq!((exit, cgroup.out_of_memory()), (Exit::Code(0), None), "{text}");
    let (exit, text, cgroup) = run(cgroup, Layers::NONE, "exec dd if=/dev/zero of=/dev/null bs=200M count=1");
    assert_eq!((exit, cgroup.out_of_memory()), (Exit::Signal(libc::SIGKILL), Some(OutOfMemory::Limit)), "{text}");
}

#[test]
fn processes_are_bounded() {
    let _alone = alone();
    let Some(cgroup) = group(&LIMITS) else { return };
    if !cgroup.has(Controller::Pids) {
        return eprintln!("skipped: {:?}", cgroup.missing());
    }
    let (exit, text, cgroup) = run(cgroup, Layers::NONE, "true & true & true & wait");
    assert_eq!((exit, cgroup.was_crowded()), (Exit::Code(0), false), "{text}");
    // The process namespace takes with it what was made.
    let layers = Layers::NONE.with(Layer::User).with(Layer::Pid);
    let (exit, text, cgroup) = run(cgroup, layers, "for i in $(seq 1100); do sleep 1000 & done 2>/dev/null");
    assert!(exit != Exit::Code(0) && cgroup.was_crowded(), "{exit:?} {text}");
}

#[test]
fn processor_time_is_counted() {
    let _alone = alone();
    let Some(cgroup) = group(&LIMITS) else { return };
    let before = cgroup.cpu_time().unwrap();
    let (exit, _, cgroup) = run(cgroup, Layers::NONE, "i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done");
    let used = cgroup.cpu_time().unwrap() - before;
    assert!(exit == Exit::Code(0) && used > Duration::from_millis(10), "{used:?}");
}

#[test]
fn a_share_of_the_processors_is_kept_to() {
    let _alone = alone();
    let Some(cgroup) = group(&Limits { cpu_percent: Some(10), ..LIMITS }) else { return };
    if !cgroup.has(Controller::Cpu) {
        return eprintln!("skipped: {:?}", cgroup.missing());
    }
    let start = std::time::Instant::now();
    let (_, _, cgroup) = run(cgroup, Layers::NONE, "i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done");
    let (used, took) = (cgroup.cpu_time().unwrap(), start.elapsed());
    // What is left of a period when it begins may be used at once.
    assert!(used < took / 4 + Duration::from_millis(50), "{used:?} in {took:?}");
}
