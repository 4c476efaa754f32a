//! A module that is explored.

use super::terminal::Terminal;
use super::{MARK, PINFOLD, Piped};

const MODULE: &str = r#"(module $demo
  (import "env" "missing" (func $missing))
  (memory (export "memory") 1)
  (global $count (mut i32) (i32.const 7))
  (data (i32.const 16) "Pinfold!")
  (func $add (param i32 i32) (result i32) local.get 0 local.get 1 i32.add)
  (func $twice (export "twice") (param i64) (result i64) (local f64)
    i64.const 2
    i32.const 1
    i32.const 4
    call $add
    global.set $count
    local.get 0
    i64.mul)
  (func (export "forever") (loop $again br $again))
  (func (export "call_missing") call $missing)
  (func (export "evil\\1b[2J")))"#;

/// A session that explores, and the file that it is of.
fn explored(args: &[&str]) -> (Piped, tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("demo.wat");
    std::fs::write(&file, MODULE.replace("\\\\", "\\")).expect("a file");
    let file = file.display().to_string();
    (Piped::new(&[&["--wasm", &file], args].concat()), dir)
}

#[test]
fn exports_are_called_and_memory_and_globals_are_read() {
    let (mut session, _dir) = explored(&[]);
    let told = session.enter(":exports");
    assert!(told.contains("twice  function(i64) -> (i64)\n") && told.contains("memory  memory of 1 pages\n"), "{told}");
    assert!(told.contains("evil\\u{1b}[2J"), "{told}");
    assert_eq!(session.enter("twice 21"), "42: i64\n");
    assert_eq!(session.enter("twice 0x10"), "32: i64\n");
    assert_eq!(session.enter(":globals"), "0: mutable i32 5\n");
    assert!(session.enter(":mem 16 8").starts_with("00000010  50 69 6e 66 6f 6c 64 21  "));
    assert!(session.enter(":mem 0:0xffff 1").starts_with("0000ffff  00 "));
    for (entry, expected) in [
        (":mem 0xffff 2", "memory 0 has 0x10000 bytes"),
        (":mem 18446744073709551615 1", "memory 0 has 0x10000 bytes"),
        (":mem 1:0", "there is no memory 1"),
        (":mem x", ":mem takes"),
        ("twice", "0 arguments were given"),
        ("twice many", "is no i64"),
        ("nothing", "no export"),
        ("memory", "no export"),
        ("call_missing", "missing"),
        (":locals", "nothing is stopped"),
        (":step", "nothing is stopped"),
        (":break nothing", "there is no function"),
        (":break missing", "is imported"),
        (":break 0x0", "no operator begins at 0x0"),
    ] {
        let told = session.enter(entry);
        assert!(told.contains(expected), "{entry}: {told}");
    }
    assert_eq!(session.enter("twice 1"), "2: i64\n");
    assert_eq!(session.end().1, Some(1));
}

#[test]
fn a_call_stops_where_it_is_told_to_and_shows_operands_with_their_types() {
    let (mut session, _dir) = explored(&["--timeout", "1"]);
    assert!(session.enter(":break twice").starts_with("stops at 0x"));
    assert!(session.enter(":break").contains("i64.const 2  in function 2 $twice"));
    let told = session.enter("twice 21");
    assert!(told.starts_with("function 2 $twice at 0x") && told.ends_with(": i64.const 2\n  stack: []\n"), "{told}");
    assert_eq!(session.enter(":locals"), "0: i64 21\n1: f64 0\n");
    let told = session.enter(":step 3");
    assert!(told.ends_with(": call 1 $add\n  stack: [i64 2, i32 1, i32 4]\n"), "{told}");
    assert_eq!(session.enter(":stack"), "0: i64 2\n1: i32 1\n2: i32 4\n");
    assert!(session.enter("twice 1").contains("a call is stopped"));
    // Into what is called, and out again.
    let told = session.enter(":step 3");
    assert!(told.contains("$add at 0x") && told.ends_with(": i32.add\n  stack: [i32 1, i32 4]\n"), "{told}");
    let told = session.enter(":where");
    assert!(told.contains("  0: function 1 $add at") && told.contains("  1: function 2 $twice at"), "{told}");
    let told = session.enter(":step 2");
    assert!(told.ends_with(": global.set 0\n  stack: [i64 2, i32 5]\n"), "{told}");
    // What is read is what is there now.
    assert_eq!(session.enter(":globals"), "0: mutable i32 7\n");
    session.enter(":step");
    assert_eq!(session.enter(":globals"), "0: mutable i32 5\n");
    assert_eq!(session.enter(":continue"), "42: i64\n");
    // It stops there again, and can be ended there.
    assert!(session.enter("twice 1").contains("i64.const 2"));
    assert_eq!(session.enter(":stop"), "the call is ended\n");
    assert_eq!(session.enter(":clear"), "");
    assert_eq!(session.enter("twice 4"), "8: i64\n");
    // A call without end costs itself alone.
    assert!(session.enter("forever").contains("was ended after 1 s"));
    assert_eq!(session.enter("twice 5"), "10: i64\n");
    session.end();
}

#[test]
fn what_is_no_module_is_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("wrong.wasm");
    std::fs::write(&file, "no module").expect("a file");
    let session = Piped::new(&["--wasm", &file.display().to_string()]);
    let (told, code) = session.end();
    assert!(told.starts_with("pinfold: ") && !told.contains(MARK.1), "{told}");
    assert_eq!(code, Some(1));
}

#[test]
fn commands_and_exports_are_completed() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("demo.wat");
    std::fs::write(&file, MODULE.replace("\\\\", "\\")).expect("a file");
    let mut terminal = Terminal::new(PINFOLD, &["repl", "--wasm", &file.display().to_string()], 80);
    terminal.until("wasm> ").enter("twi\t").until("FUNCTION(I64) -> (I64)").enter("\r").until("twice");
    terminal.enter(" 4\r").until("8: i64");
    terminal.until("wasm> ").enter(":break twice\r").until("stops at").until("wasm> ");
    terminal.enter("twice 4\r").until("stack: []").until("wasm> ").enter(":continue\r").until("8: i64");
    terminal.until("wasm> ").enter("\x04");
    assert_eq!(terminal.end(), Some(0));
}
