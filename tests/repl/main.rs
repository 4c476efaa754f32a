//! `pinfold repl`, as its users meet it: a recorded session through pipes, and the line editor in a pseudo-terminal.

mod explore;
mod json;
mod terminal;
mod tools;

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use terminal::Terminal;

const PINFOLD: &str = env!("CARGO_BIN_EXE_pinfold");
/// What is asked after each entry, and the answer by which its output ends.
const MARK: (&str, &str) = (":end", "pinfold: there is no command :end; :help lists them");

/// A session through pipes, both of whose outputs are one.
struct Piped {
    child: Child,
    input: ChildStdin,
    output: BufReader<File>,
}

impl Piped {
    fn new(args: &[&str]) -> Self {
        let (from, to) = std::io::pipe().expect("a pipe");
        let errors = to.try_clone().expect("a descriptor");
        let mut child = Command::new(PINFOLD)
            .arg("repl")
            .args(args)
            .stdin(Stdio::piped())
            .stdout(to)
            .stderr(errors)
            .spawn()
            .expect("pinfold runs");
        let input = child.stdin.take().expect("it was asked for");
        Self { child, input, output: BufReader::new(File::from(OwnedFd::from(from))) }
    }

    /// Enters something, and gives what came of it.
    fn enter(&mut self, entry: &str) -> String {
        writeln!(self.input, "{entry}\n{}", MARK.0).expect("it reads");
        let mut told = String::new();
        loop {
            let mut line = String::new();
            let length = self.output.read_line(&mut line).expect("it writes text");
            assert!(length > 0, "it ended; before that it wrote {told}");
            if line.trim_end() == MARK.1 {
                return told;
            }
            // Places in the standard library change with it.
            let place = line.find("  std/").and_then(|at| Some(at + line[at..].find(".fold")? + ".fold".len()));
            match place {
                Some(end) => told.extend([&line[..end], "\n"]),
                None => told.push_str(&line),
            }
        }
    }

    /// Ends the input: what else it writes, and its exit code.
    fn end(self) -> (String, Option<i32>) {
        let Self { mut child, input, mut output } = self;
        drop(input);
        let mut rest = String::new();
        output.read_to_string(&mut rest).expect("it writes text");
        (rest, child.wait().expect("it ends").code())
    }
}

/// Entries with what comes of each, as they stand in a file: lines with `> ` and `| ` are entered, the others are the answer.
fn recorded(text: &str) -> Vec<(String, String)> {
    let mut entries: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("> "), line.strip_prefix("| "), entries.last_mut()) {
            (Some(entry), ..) => entries.push((entry.to_owned(), String::new())),
            (_, Some(more), Some((entry, _))) => {
                entry.push('\n');
                entry.push_str(more);
            }
            (_, _, Some((_, answer))) => {
                answer.push_str(line);
                answer.push('\n');
            }
            _ => {}
        }
    }
    entries
}

/// `RECORD=1` writes the answers anew.
#[test]
fn a_recorded_session_gives_the_recorded_answers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repl/session.txt");
    let text = std::fs::read_to_string(&path).expect("the session is there");
    let records = std::env::var_os("RECORD").is_some();
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("names.txt"), "ada\ngrace\n").expect("a file");
    let grant = format!("data={}", dir.path().display());
    let mut session = Piped::new(&["--dir", &grant]);
    let (mut told, mut wrong) = (String::new(), Vec::new());
    let entries = recorded(&text);
    for (entry, expected) in &entries {
        let answer = session.enter(entry);
        told += &format!("> {}\n{answer}", entry.replace('\n', "\n| "));
        if !records && answer.trim_end() != expected.trim_end() {
            wrong.push(format!("> {entry}\n{answer}instead of\n{expected}"));
        }
    }
    if records {
        std::fs::write(&path, told).expect("it can be written");
    }
    assert_eq!(session.end(), (String::new(), Some(1)), "entries failed, as some are meant to");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(entries.len() >= 200, "{} entries", entries.len());
    println!("{} entries", entries.len());
}

#[test]
fn a_session_through_pipes_ends_with_its_input() {
    let mut session = Piped::new(&[]);
    assert_eq!(session.enter("1 + 1"), "2: Int\n");
    // The mark is a wrong command.
    assert_eq!(session.end(), (String::new(), Some(1)));
    let output = Command::new("sh").args(["-c", &format!("echo '1 + 1' | {PINFOLD} repl")]).output().expect("sh runs");
    assert_eq!((output.stdout.as_slice(), output.status.code()), (&b"2: Int\n"[..], Some(0)));
}

#[test]
fn without_console_nothing_is_printed_and_values_are_told() {
    let mut session = Piped::new(&["--none"]);
    assert_eq!(session.enter("[1, 2].len()"), "2: Int\n");
    assert!(session.enter("console").contains("F0201"));
    session.end();
}

#[test]
fn an_entry_that_runs_too_long_costs_itself_alone() {
    let mut session = Piped::new(&["--timeout", "0.2"]);
    session.enter("var n = 1");
    let told = session.enter("n = 2\nwhile true {}");
    assert!(told.starts_with("pinfold: the entry was ended after 0.2 s; --timeout gives it more\n"), "{told}");
    assert_eq!(session.enter("n"), "2: Int\n");
    session.end();
}

#[test]
fn what_an_entry_wrote_that_was_stopped_is_shown() {
    let mut session = Piped::new(&["--timeout", "0.5"]);
    let told = session.enter("console.print(\"begun\"); while true {}");
    assert!(told.contains("begun\n") && told.contains("was ended after"), "{told}");
}

#[test]
fn an_entry_that_is_too_long_costs_itself_alone() {
    let mut session = Piped::new(&[]);
    session.enter("let kept = 7");
    let told = session.enter(&format!("let long = \"{}\"", "x".repeat(70_000)));
    assert!(told.contains("this is too long for an entry") && !told.contains("lost"), "{told}");
    assert_eq!(session.enter("kept"), "7: Int\n");
}

#[test]
fn an_entry_whose_findings_are_too_many_has_failed() {
    let mut session = Piped::new(&[]);
    let unused: String = (0..2000).map(|n| format!("let u{n} = 1\\n")).collect();
    let told = session.enter(&format!("fn f() {{ {} unknown }}", unused.replace("\\n", ";")));
    assert!(told.contains("more findings are not shown"), "{}", &told[told.len().saturating_sub(500)..]);
    assert_eq!(session.end().1, Some(1));
}

#[test]
fn a_session_does_without_namespaces_where_that_is_said() {
    let mut session = Piped::new(&["--without", "namespaces"]);
    let told = session.enter("6 * 7");
    assert!(told.ends_with("42: Int\n") && !told.contains("lost"), "{told}");
}

#[test]
fn input_that_is_no_text_is_an_error() {
    let mut session = Piped::new(&[]);
    session.input.write_all(b"1\n\xff\n2\n").expect("it reads");
    let (told, code) = session.end();
    assert!(told.starts_with("1: Int\n") && told.contains("cannot be read") && !told.contains('2'), "{told}");
    assert_eq!(code, Some(1));
}

#[test]
fn output_and_memory_without_end_cost_the_entry_alone() {
    let mut session = Piped::new(&["--max-output", "10kB", "--max-memory", "32MiB"]);
    let told = session.enter("while true { console.print(\"x\") }");
    assert!(told.contains("wrote more than"), "{}", &told[told.len().saturating_sub(300)..]);
    assert_eq!(session.enter("console.print(\"again\")"), "again\n");
    let told = session.enter("var all: List<List<Int>> = []\nwhile true { all.push(List.repeat(1, 100000)) }");
    assert!(told.contains("memory"), "{told}");
    assert_eq!(session.enter("1"), "1: Int\n");
    session.end();
}

#[test]
fn a_recursion_without_end_costs_the_entry_alone() {
    let mut session = Piped::new(&[]);
    session.enter("fn down(n: Int) -> Int { 1 + down(n + 1) }");
    let told = session.enter("down(0)");
    assert!(told.starts_with("pinfold: call stack exhausted"), "{told}");
    assert!(told.contains("down  entry 2:1:30") && told.contains(" more frames"), "{told}");
    assert_eq!(session.enter("1"), "1: Int\n");
    session.end();
}

#[test]
fn fuel_is_given_anew_to_each_entry() {
    let mut session = Piped::new(&["--fuel", "100000"]);
    assert!(session.enter("while true {}").contains("used up its fuel"));
    assert_eq!(session.enter("2"), "2: Int\n");
    session.end();
}

#[test]
fn a_session_is_saved_loaded_and_reset() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("kept.fold");
    let mut session = Piped::new(&[]);
    session.enter("let a = 2");
    session.enter("fn twice(x: Int) -> Int { x * 2 }");
    session.enter("wrong");
    assert!(session.enter(&format!(":save {}", file.display())).contains("2 entries"));
    assert_eq!(session.enter(":reset"), "");
    assert!(session.enter("a").contains("F0201"));
    assert_eq!(session.enter(&format!(":load {}", file.display())), "");
    assert_eq!(session.enter("twice(a)"), "4: Int\n");
    assert!(session.enter(":load /none.fold").contains("No such file"));
    session.end();
}

#[test]
fn an_editor_shows_values_completes_and_goes_on_in_the_next_line() {
    let mut terminal = Terminal::new(PINFOLD, &["repl"], 80);
    terminal.until("fold> ");
    terminal.enter("1 + 2\r").until("3: Int");
    terminal.until("fold> ").enter("let double = |x: Int| {\r").until("  | ");
    terminal.enter("x * 2\r").until("  | ").enter("}; console.print(\"declared\")\r").until("declared\r\n");
    terminal.until("fold> ").enter("let value_of_a_name = double(4); console.print(\"bound\")\r").until("bound\r\n");
    terminal.until("fold> ").enter("value_of\t").until("VALUE_OF_A_NAME");
    terminal.enter("\r").until("fold> value_of_a_name").enter("\r").until("8: Int");
    // The last entry again, from the history.
    terminal.until("fold> ").enter("5 * 5\r").until("25: Int");
    terminal.until("fold> ").enter("\x1b[A\r").until("25: Int");
    terminal.until("fold> ").enter("\x04");
    assert_eq!(terminal.end(), Some(0));
}

#[test]
fn members_are_completed_with_their_types() {
    let mut terminal = Terminal::new(PINFOLD, &["repl"], 80);
    terminal.until("fold> ").enter("let words = [\"a\"]; console.print(\"bound\")\r").until("bound\r\n");
    terminal.until("fold> ").enter("words.is_em\t").until("FN IS_EMPTY(SELF) -> BOOL").enter("\r");
    terminal.until("words.is_empty").enter("()\r").until("false: Bool");
    terminal.until("fold> ").enter(":st\t").until("SHOW WHAT EACH PHASE MAKES").enter("\r").until(":stages");
    terminal.enter("\x03").until("fold> ").enter("\x04");
    assert_eq!(terminal.end(), Some(0));
}

#[test]
fn what_is_documented_is_shown_with_what_belongs_to_it() {
    let mut session = Piped::new(&[]);
    assert!(session.enter(":doc List.push").starts_with("fn push(var self, "));
    let told = session.enter(":doc text/csv");
    assert!(told.starts_with("text/csv\n\nComma-separated") && told.contains("  fn rows(text: String)"), "{told}");
    session.enter("/// Twice as much.\nfn twice(n: Int) -> Int { 2 * n }");
    assert_eq!(session.enter(":doc twice"), "fn twice(n: Int) -> Int\n\nTwice as much.\n");
    assert_eq!(session.enter("let n = 1"), "");
    assert_eq!(session.enter(":doc n"), "n: Int\n");
    assert_eq!(session.enter(":doc nothing.at_all"), "pinfold: nothing is known of `nothing.at_all`\n");
}

#[test]
fn each_phase_shows_what_it_makes_and_runs_nothing() {
    let mut session = Piped::new(&[]);
    session.enter("fn thrice(n: Int) -> Int { var sum = 0\n for i in 0..3 { sum += n * i }\n sum }");
    let entry = "console.print(\"ran\"); thrice(14)";
    for (command, expected) in [
        (":ir", "mul("),
        (":wat", "i64.mul"),
        (":slots", " slots, header at "),
        (":asm", "ret"),
        (":stages", "words of slot code"),
    ] {
        let told = session.enter(&format!("{command} {entry}"));
        assert!(told.contains(expected) && !told.contains("ran\n"), "{command}: {told}");
        assert!(command == ":stages" || told.contains("main"), "{command}: {told}");
        assert!(session.enter(&format!("{command} 1 + true")).contains("error[F"), "{command}");
    }
    assert_eq!(session.enter("thrice(14)"), "42: Int\n");
}

#[test]
fn fuel_is_counted_and_limited_when_somebody_says_so() {
    let mut session = Piped::new(&[]);
    assert_eq!(session.enter(":fuel"), "entries may do as much work as they like\n");
    assert_eq!(session.enter(":fuel 10000"), "an entry is ended after 10000 units of work\n");
    assert!(session.enter("while true {}").contains("used up its fuel"));
    assert_eq!(session.enter(":fuel 0"), "entries may do as much work as they like\n");
    assert_eq!(session.enter("var n = 0\nwhile n < 100000 { n += 1 }\nn"), "100000: Int\n");
    assert!(session.enter(":fuel much").contains("no number of units"));
    session.enter(":time");
    assert!(session.enter("1").contains(" units of work"));
}

#[test]
fn a_person_grants_and_revokes_and_is_told_what_that_costs() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("a.txt"), "content").expect("a file");
    let mut terminal = Terminal::new(PINFOLD, &["repl"], 200);
    terminal.until("fold> ").enter("var n = 20; console.print(\"shown once\")\r").until("shown once\r\n");
    terminal.until("fold> ").enter("n += 1; console.print(\"n is {n}\")\r").until("n is 21\r\n");
    terminal.until("fold> ").enter("let t = clock.now(); console.print(\"timed\")\r").until("timed\r\n");
    terminal.until("fold> ").enter(&format!(":grant dir data={}\r", dir.path().display()));
    terminal.until("would be lost,").until("`t`").until(":grant! dir data=");
    terminal.until("fold> ").enter(&format!(":grant! dir data={}\r", dir.path().display()));
    terminal.until("2 of 3 entries were run again\r\n").until("lost: `t`\r\n").until("data: Dir");
    // What was made is there again, and the prompt shows what is held.
    terminal.until("fold [data]> ").enter("n * 2\r").until("42: Int");
    terminal.until("fold [data]> ").enter("let text = data.read_text(\"a.txt\")?; text\r").until("\"content\": String");
    terminal.until("fold [data]> ").enter(":grant dir n=/\r").until("there is a variable `n` already");
    terminal.until("fold [data]> ").enter(":grant dir /\r").until("entries use it by its name");
    terminal.until("fold [data]> ").enter(":revoke! data\r").until("lost: `it`, `text`");
    terminal.until("fold> ").enter("n * 3\r").until("63: Int");
    terminal.until("fold> ").enter("data\r").until("F0201");
    terminal.until("fold> ").enter(":grant! dir data=/does/not/exist\r").until("/does/not/exist");
    terminal.until("fold> ").enter("n\r").until("21: Int").until("fold> ");
    assert_eq!(terminal.all().matches("shown once\r\n").count(), 1, "what is run again is not shown again");
    terminal.enter("\x04");
    assert_eq!(terminal.end(), Some(0));
}

#[test]
fn only_a_person_grants() {
    let mut session = Piped::new(&[]);
    assert!(session.enter(":grant dir data=/").starts_with("pinfold: :grant is for a person at a terminal"));
    assert!(session.enter(":revoke! console").contains("is for a person"));
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("grants.fold");
    std::fs::write(&file, ":grant dir data=/\n").expect("a file");
    assert!(session.enter(&format!(":load {}", file.display())).contains("error[F"));
    assert!(!session.enter(":caps").contains("Dir"));
}

#[test]
fn control_c_stops_an_entry_and_keeps_the_session() {
    let mut terminal = Terminal::new(PINFOLD, &["repl"], 80);
    terminal.until("fold> ").enter("var n = 7; console.print(\"set\")\r").until("set\r\n");
    terminal
        .until("fold> ")
        .enter("console.print(\"begun\"); while true {}\r")
        .until("begun\r\n")
        .enter("\x03")
        .until("interrupted");
    terminal.until("fold> ").enter("n\r").until("7: Int");
    terminal.until("fold> ").enter("not finished\x03").until("fold> ");
    terminal.enter("n + 1\r").until("8: Int").until("fold> ").enter("\x04");
    assert_eq!(terminal.end(), Some(0));
}

#[test]
fn what_a_program_writes_is_shown_and_not_obeyed() {
    let mut terminal = Terminal::new(PINFOLD, &["repl"], 80);
    terminal
        .until("fold> ")
        .enter("let text = \"\\u{1b}]0;owned\\u{7}\\u{9b}31m\\u{8}\"; console.print(\"bound\")\r")
        .until("bound\r\n");
    terminal.until("fold> ");
    terminal.enter("console.print(\"<{text}>\")\r");
    terminal.until("<\\u{1b}]0;owned\\u{7}\\u{9b}31m\\u{8}>");
    terminal.until("fold> ").enter("text\r").until("\": String");
    assert!(!terminal.all().contains("\x1b]0;owned"), "what is written was obeyed");
    terminal.until("fold> ").enter("\x04");
    assert_eq!(terminal.end(), Some(0));
}

#[test]
fn much_output_comes_out_whole_and_the_prompt_after_it() {
    let mut terminal = Terminal::new(PINFOLD, &["repl", "--timeout", "0"], 80);
    terminal.until("fold> ").enter("for i in 0..100000 { console.print(\"line {i} of a hundred thousand, which is long enough: ten million bytes in all, of which none is lost\") }; console.print(\"the end\")\r");
    terminal.until("line 99999 of").until("\nthe end\r\n");
    assert!(terminal.all().len() > 10_000_000, "{} bytes", terminal.all().len());
    terminal.until("fold> ").enter("\x04");
    assert_eq!(terminal.end(), Some(0));
}

#[test]
fn a_terminal_that_is_gone_ends_the_session() {
    let mut terminal = Terminal::new(PINFOLD, &["repl"], 80);
    terminal.until("fold> ").enter("1 + 2\r").until("3: Int").until("fold> ");
    assert_eq!(terminal.hang_up(), Some(128 + libc::SIGHUP));
}

#[test]
fn a_signal_ends_a_session_that_waits_for_input() {
    let mut session = Piped::new(&[]);
    assert_eq!(session.enter("1"), "1: Int\n");
    // SAFETY: a plain call; the process is ours and was not waited for.
    unsafe { libc::kill(session.child.id() as i32, libc::SIGTERM) };
    assert_eq!(session.child.wait().expect("it ends").code(), Some(128 + libc::SIGTERM));
}

#[test]
fn a_terminal_that_changes_its_size_is_written_to_as_it_is() {
    let mut terminal = Terminal::new(PINFOLD, &["repl"], 80);
    terminal.until("fold> ").resize(20);
    terminal.enter("\"a text that is longer than a line of this terminal\".len()\r").until("50: Int");
    terminal.until("fold> ").enter("\x04");
    assert_eq!(terminal.end(), Some(0));
}
