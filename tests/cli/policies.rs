//! `--policy` and `--learn`: what a program is granted by a file, and such files made from what it asked for.

use super::records::{asks, documentation, example, path, place};
use super::*;

#[test]
fn the_learned_policy_is_the_least_that_the_run_needed() {
    let (scratch, program) = place("learn");
    let (policy, again) = (path(&scratch, "policy.toml"), path(&scratch, "again.toml"));
    let output = asks(&scratch, &["--learn", &policy], &program);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let text = std::fs::read_to_string(&policy).unwrap();
    let expected = r#"
clock = true # imported, not used
random = true # used
stdin = false
console = true # used

# a change was wanted, and refused in this run
[[dir]]
host = "data"
guest = "/data"
rw = true

# changed, or tried to be
[[dir]]
host = "out"
guest = "/out"
rw = true

# All of them: a program reads its environment as a whole.
[env]
LANG = "C"
PATH = true

# With room for a quarter more than was used; time and stack are those of the run.
[limits]
timeout = 60
max_memory = "1MiB"
max_stack = "8MiB"
max_output = "64KiB"
"#;
    let (comment, rest) = text.split_once("\n\n").unwrap();
    assert_eq!(rest, expected.trim_start());
    assert!(comment.lines().all(|line| line.starts_with("# ")), "{comment}");
    // It is enough, wherever the command is run, and what is learned with it is nothing less.
    let mut command = pinfold(&["run", "--policy", &policy, "--learn", &again, &program]);
    let output = command.current_dir("/").output().unwrap();
    assert_eq!((output.status.code(), stdout(&output).len()), (Some(3), 32), "{}", stderr(&output));
    let again = std::fs::read_to_string(again).unwrap();
    let changed = |text: &str| text.replace("a change was wanted, and refused in this run", "changed, or tried to be");
    assert_eq!(again, changed(&text));
}

#[test]
fn a_policy_can_be_learned_anew_over_itself() {
    let scratch = Scratch::new("learn-over");
    let policy = scratch.file("policy.toml", b"clock = true\nrandom = true\nconsole = true\nstdin = true\n");
    let output = run(&["run", "--policy", &policy, "--learn", &policy, &scratch.program()]);
    let text = std::fs::read_to_string(&policy).unwrap();
    assert!(output.status.success() && text.contains("stdin = false\nconsole = true # used\n"), "{text}");
}

#[test]
fn nothing_is_learned_from_a_worker_that_is_none() {
    let (scratch, program) = place("learn-nothing");
    let policy = scratch.file("policy.toml", b"clock = true\n");
    let mut command = pinfold(&["run", "--learn", &policy, &program]);
    let output = command.env("PINFOLD_WORKER", "/bin/true").output().unwrap();
    assert!(stderr(&output).contains("no policy was learned"), "{}", stderr(&output));
    assert_eq!(std::fs::read_to_string(&policy).unwrap(), "clock = true\n");
}

#[test]
fn learning_is_the_same_every_time() {
    let (scratch, program) = place("learn-again");
    let policy = path(&scratch, "policy.toml");
    let learn = || {
        asks(&scratch, &["--learn", &policy, "--fuel", "100000"], &program);
        std::fs::read_to_string(&policy).unwrap()
    };
    let first = learn();
    assert!(first.contains("\nfuel = "), "{first}");
    for _ in 0..5 {
        assert_eq!(learn(), first);
    }
}

#[test]
fn what_was_refused_is_learned_as_wanted() {
    let (scratch, program) = place("learn-wanted");
    let policy = path(&scratch, "policy.toml");
    let run = |flags: &[&str]| {
        let output = pinfold(&["run", "--none", "--learn", &policy]).args(flags).arg(&program).output().unwrap();
        (output.status.code(), std::fs::read_to_string(&policy).unwrap())
    };
    // Refused before it ran: all that is known is what it imports.
    let (code, text) = run(&[]);
    assert!(code == Some(125) && text.contains("\nclock = true # wanted, and refused in this run\n"), "{text}");
    assert!(text.contains("random = true # wanted") && text.contains("console = false\n"), "{text}");
    // Let through: what it called until it trapped.
    let (code, text) = run(&["--trap-unknown-imports"]);
    assert!(code == Some(134) && text.contains("clock = false\nrandom = true # wanted"), "{text}");
    assert!(text.contains("trap_unknown_imports = true\n"), "{text}");
    // What it writes is discarded.
    let output = pinfold(&["run", "--none", "--learn", &policy, &scratch.program()]).output().unwrap();
    let text = std::fs::read_to_string(&policy).unwrap();
    assert!(output.status.success() && text.contains("console = true # wanted, and refused in this run\n"), "{text}");
}

#[test]
fn a_limit_at_which_the_run_ended_is_learned_as_it_was() {
    let scratch = Scratch::new("learn-limit");
    let policy = path(&scratch, "policy.toml");
    for (flags, line) in [
        (["--fuel", "1000"], "fuel = 1000 # the run ended at this limit"),
        (["--timeout", "0.1"], "timeout = 0.1 # the run ended at this limit"),
    ] {
        let program = scratch.program();
        pinfold(&["run", "--learn", &policy]).args(flags).args(["--invoke", "spin", &program]).output().unwrap();
        let text = std::fs::read_to_string(&policy).unwrap();
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn a_policy_grants_what_it_says_and_nothing_by_default() {
    let (scratch, program) = place("policy");
    let run = |policy: &str, flags: &[&str], program: &str| {
        let policy = scratch.file("policy.toml", policy.as_bytes());
        pinfold(&["run", "--policy", &policy]).args(flags).arg(program).output().unwrap()
    };
    let output = run("", &[], &program);
    assert!(output.status.code() == Some(125) && stderr(&output).contains("random_get"), "{}", stderr(&output));
    let said = |output: &Output| (output.status.code(), stdout(output).len());
    let all = "clock = true\nrandom = true\nconsole = true\n";
    assert_eq!(said(&run(all, &[], &program)), (Some(3), 32));
    assert_eq!(said(&run("clock = true\nrandom = true\n", &[], &program)), (Some(3), 0));
    // Flags take away, add, and set other limits.
    assert_eq!(said(&run(all, &["--no-random"], &program)), (Some(125), 0));
    let flood = ["--invoke", "flood"];
    let limit = format!("{all}[limits]\nmax_output = 12\n");
    assert_eq!(said(&run(&limit, &flood, &scratch.program())), (Some(153), 12));
    assert_eq!(said(&run(&limit, &["--max-output", "18", "--invoke", "flood"], &scratch.program())), (Some(153), 18));
    let dir = format!("{all}[[dir]]\nhost = \"data\"\nguest = \"/data\"\nrw = true\n");
    let traced = |flags: &[&str]| stderr(&run(&dir, &[&["--trace"], flags].concat(), &program));
    let removes = |trace: &str, how: &str| trace.contains(&format!("(dir /data, {how}"));
    assert!(removes(&traced(&[]), "rw"));
    assert!(removes(&traced(&["--dir", &format!("{}::/data", path(&scratch, "data"))]), "ro"));
    assert_eq!(run(all, &["--none"], &program).status.code(), Some(2), "there is nothing by default to take away");
}

#[test]
fn variables_of_a_policy_and_of_flags_add_up() {
    let (scratch, program) = place("policy-env");
    let learned = path(&scratch, "learned.toml");
    let text = "clock = true\nrandom = true\n[env]\nLANG = \"C\"\nPATH = true\nA = \"1\"\n";
    let policy = scratch.file("policy.toml", text.as_bytes());
    let flags = ["--env", "A=2", "--env", "B=3", "--learn", &learned];
    pinfold(&["run", "--policy", &policy]).args(flags).arg(&program).output().unwrap();
    let learned = std::fs::read_to_string(learned).unwrap();
    assert!(learned.contains("[env]\nLANG = \"C\"\nPATH = true\nA = \"2\"\nB = \"3\"\n"), "{learned}");
}

#[test]
fn what_is_wrong_in_a_policy_is_said_with_its_place() {
    let scratch = Scratch::new("policy-wrong");
    let policy = scratch.file("policy.toml", b"clock = true\n\n[limits]\n  max_memroy = \"1GiB\"\n");
    for command in ["run", "explain"] {
        let output = run(&[command, "--policy", &policy, &scratch.program()]);
        let told = stderr(&output);
        assert!(
            told.contains(&format!("{policy}:4:3: unknown key \"max_memroy\"; did you mean \"max_memory\"?")),
            "{told}"
        );
        assert!(!output.status.success());
    }
    let output = run(&["run", "--policy", "/nowhere/at-all.toml", &scratch.program()]);
    assert!(
        output.status.code() == Some(125) && stderr(&output).contains("/nowhere/at-all.toml"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_policy_is_explained() {
    let (scratch, program) = place("policy-explained");
    let text = "clock = true\n[[dir]]\nhost = \"data\"\n[limits]\nmax_memory = \"16MiB\"\n";
    let policy = scratch.file("policy.toml", text.as_bytes());
    let explained = stdout(&run(&["explain", "--policy", &policy, &program]));
    let data = std::fs::canonicalize(scratch.0.join("data")).unwrap();
    assert!(explained.contains(&format!("{} as /0 (read)", data.display())), "{explained}");
    assert!(explained.contains("clock_gettime") && !explained.contains("getrandom"), "{explained}");
}

#[test]
fn the_policy_in_the_documentation_is_one() {
    let (scratch, program) = place("policy-documented");
    let text = documentation("policy.md");
    let policy = scratch.file("policy.toml", example(&text, "toml").as_bytes());
    let explained = run(&["explain", "--policy", &policy, &program]);
    let told = stdout(&explained);
    assert!(explained.status.success(), "{}", stderr(&explained));
    for part in ["clock_gettime", "getrandom", "read and write", "api.example.com:443", "127.0.0.1:9000"] {
        assert!(told.contains(part), "{part}: {told}");
    }
}
