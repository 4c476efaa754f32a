//! A terminal: the program never holds it, and is told of it all the same, or it would not talk as one does at a terminal.

use std::fs::File;
use std::io::Read;
use std::os::fd::{FromRawFd, OwnedFd};

use super::*;

/// Prints the kinds of its standard streams, a digit each: 2 is a terminal.
const PROGRAM: &str = r#"
(module
  (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $stat (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\03\00\00\00")
  (func $kind (param i32)
    (if (call $stat (local.get 0) (i32.const 64)) (then unreachable))
    (i32.store8 (i32.add (i32.const 16) (local.get 0)) (i32.add (i32.const 48) (i32.load8_u (i32.const 64)))))
  (func (export "_start")
    (call $kind (i32.const 0)) (call $kind (i32.const 1)) (call $kind (i32.const 2))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 100)))))
"#;

/// A terminal: its own end, and the one for programs.
pub fn terminal() -> (File, OwnedFd) {
    let (mut own, mut programs) = (-1, -1);
    let null = std::ptr::null_mut();
    // SAFETY: valid places for the descriptors, which are new.
    unsafe {
        assert_eq!(libc::openpty(&mut own, &mut programs, null, std::ptr::null(), std::ptr::null()), 0);
        (File::from_raw_fd(own), OwnedFd::from_raw_fd(programs))
    }
}

/// What is printed where the streams are a terminal.
fn printed(flags: &[&str]) -> String {
    let scratch = Scratch::new("terminal");
    let program = scratch.file("kinds.wat", PROGRAM.as_bytes());
    let (mut own, programs) = terminal();
    let stream = || Stdio::from(programs.try_clone().unwrap());
    let mut command = pinfold(&["run"]);
    command.args(flags).arg(program).stdin(stream()).stdout(stream()).stderr(stream());
    assert!(command.status().unwrap().success());
    let mut text = [0; 100];
    let len = own.read(&mut text).unwrap();
    String::from_utf8_lossy(&text[..len]).into_owned()
}

#[test]
fn a_program_at_a_terminal_knows() {
    assert_eq!(printed(&[]), "222");
    assert_eq!(printed(&["--no-stdin"]), "022");
    assert_eq!(printed(&["--deterministic"]), "000");
}

#[test]
fn a_program_in_a_pipe_knows_too() {
    let scratch = Scratch::new("no-terminal");
    let program = scratch.file("kinds.wat", PROGRAM.as_bytes());
    assert_eq!(stdout(&run(&["run", &program])), "000");
}
