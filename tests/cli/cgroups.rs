//! Cgroups: what they bound is said in words of its own, and none is left.

use std::os::unix::process::CommandExt;

use pinfold_sandbox::{Cgroup, Limits};

use super::*;

/// Whether this host gives cgroups with all that is tested here; says so if not.
fn has_groups() -> bool {
    let limits = Limits { memory: 1 << 30, descriptors: 1, processes: 1, cpu_time: None, cpu_percent: None };
    let found = Cgroup::new(&limits);
    if let Err(why) = &found {
        eprintln!("skipped: {why}");
    }
    found.is_ok()
}

/// The groups of a supervisor, wherever they are mounted below the usual place.
fn groups(supervisor: u32) -> Vec<PathBuf> {
    fn below(directory: &Path, prefix: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        let directories = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        directories
            .flat_map(|entry| match entry.file_name().to_string_lossy().starts_with(prefix) {
                true => vec![entry.path()],
                false => below(&entry.path(), prefix),
            })
            .collect()
    }
    below("/sys/fs/cgroup".as_ref(), &format!("pinfold-{supervisor}-"))
}

/// Whether something holds within a few seconds.
fn soon(mut holds: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::yield_now();
    }
    true
}

#[test]
fn processor_time_is_a_limit_of_its_own_with_a_cgroup_and_without() {
    let scratch = Scratch::new("processors");
    for without in [&[][..], &["--without", "cgroup"], &["--without", "cgroup,rlimits"]] {
        for tier in TIERS {
            let program = scratch.program();
            let mut args = vec!["run", "--tier", tier, "--max-cpu", "0.2", "--invoke", "spin"];
            args.splice(1..1, without.iter().copied());
            args.push(&program);
            let output = run(&args);
            let told = stderr(&output);
            assert_eq!(output.status.code(), Some(155), "{tier} {without:?}: {told}");
            assert!(told.contains("0.2 s of processor time; --max-cpu"), "{tier} {without:?}: {told}");
        }
    }
    // What waits uses none.
    let mut child = pinfold(&["run", "--max-cpu", "30", "--timeout", "0.3", "--invoke", "wait", &scratch.program()])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let held = child.stdin.take();
    assert_eq!(child.wait().unwrap().code(), Some(124));
    drop(held);
}

#[test]
fn a_run_leaves_no_group_however_it_ends() {
    if !has_groups() {
        return;
    }
    let scratch = Scratch::new("leaves");
    for (args, code) in [
        (&["run"][..], 0),
        (&["run", "--invoke", "trap"], 134),
        (&["run", "--timeout", "0.2", "--invoke", "spin"], 124),
        (&["run", "--invoke", "nothing"], 125),
        (&["run", "--max-memory", "200MiB", "--invoke", "fill"], 137),
        (&["inspect"], 0),
    ] {
        let child = pinfold(args).arg(scratch.program()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let supervisor = child.id();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}");
        assert!(soon(|| groups(supervisor).is_empty()), "{args:?}: {:?}", groups(supervisor));
    }
}

#[test]
fn what_a_supervisor_left_that_was_killed_is_swept_by_the_next_run() {
    if !has_groups() {
        return;
    }
    let scratch = Scratch::new("swept");
    let start = || {
        let child = pinfold(&["run", "--invoke", "spin", &scratch.program()]).spawn().unwrap();
        wait_until_running(child.id());
        assert!(soon(|| !groups(child.id()).is_empty()));
        child
    };
    let (mut live, mut killed) = (start(), start());
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(!groups(killed.id()).is_empty(), "nobody could have removed it");
    assert!(soon(|| run(&["run", &scratch.program()]).status.success() && groups(killed.id()).is_empty()));
    assert!(!groups(live.id()).is_empty(), "one that runs was swept");
    assert!(live.try_wait().unwrap().is_none(), "one that runs was ended");
    live.kill().unwrap();
    live.wait().unwrap();
    assert!(soon(|| run(&["run", &scratch.program()]).status.success() && groups(live.id()).is_empty()));
}

#[test]
fn what_holds_the_limits_is_said() {
    let scratch = Scratch::new("held");
    let explained = |flags: &[&str]| {
        let output = pinfold(&["explain"]).args(flags).arg(scratch.program()).output().unwrap();
        let text = stdout(&output);
        text.lines().find(|line| line.contains("held by")).unwrap_or_default().to_owned()
    };
    if has_groups() {
        assert!(explained(&[]).contains("a cgroup of version"), "{}", explained(&[]));
        let doctor = stdout(&run(&["doctor"]));
        assert!(doctor.lines().any(|line| line.starts_with("cgroup ") && line.contains("holds")), "{doctor}");
        assert!(doctor.contains("version") && doctor.contains(": memory"), "{doctor}");
    }
    assert!(explained(&["--without", "cgroup"]).ends_with("held by limits of the process alone"));
    let output = run(&["run", "--cpus", "0.5", "--without", "cgroup", &scratch.program()]);
    let told = stderr(&output);
    assert!(output.status.code() == Some(125) && told.contains("--cpus takes the layer cgroup"), "{told}");
    assert!(explained(&["--without", "cgroup,rlimits"]).ends_with("held by the virtual machine alone"));
}

#[test]
fn limits_of_the_process_stand_in_where_no_group_may_be_made() {
    // Only root can be someone else, and only where others may run what is tested.
    let as_nobody = |args: &[&str]| pinfold(args).current_dir("/").uid(65534).gid(65534).output();
    if !rustix::process::geteuid().is_root() || !as_nobody(&["--version"]).is_ok_and(|output| output.status.success()) {
        return eprintln!("skipped: the command cannot be run as someone else");
    }
    let doctor = stdout(&as_nobody(&["doctor"]).unwrap());
    let words = doctor.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("cgroup replaced") && words.contains("by limits of the process: version"), "{doctor}");
    let hello = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/hello.wat");
    let hello = hello.to_str().unwrap();
    let told = stdout(&as_nobody(&["explain", hello]).unwrap());
    assert!(told.contains("held by limits of the process alone, for there is no cgroup: version"), "{told}");
    // Refused where nothing stands in: without the limits of the process, or for a share of the processors.
    for flags in [["--without", "rlimits"], ["--cpus", "0.5"]] {
        let output = as_nobody(&[&["run"], &flags[..], &[hello]].concat()).unwrap();
        let told = stderr(&output);
        assert!(output.status.code() == Some(125) && told.contains("the layer cgroup"), "{flags:?}: {told}");
    }
}
