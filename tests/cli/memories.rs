//! Programs with several memories, and with 64-bit ones, in a worker that made all its address space in advance.

use std::fmt::Write;

use super::{Scratch, TIERS, run, stderr, stdout};

/// As many memories as a module may have, every second one of 64 bits, each written to; says `many` if all of them kept it.
fn many_memories() -> String {
    let address = |n: u32| if n.is_multiple_of(2) { "i32" } else { "i64" };
    let (mut memories, mut writes, mut sum) = (String::new(), String::new(), "(i32.const 0)".to_owned());
    for n in 0..99 {
        let at = address(n);
        let _ = writeln!(memories, "(memory {} 1)", if at == "i64" { at } else { "" });
        let _ = writeln!(writes, "(i32.store {n} ({at}.const 65532) (i32.const {n}))");
        sum = format!("(i32.add {sum} (i32.load {n} ({at}.const 65532)))");
    }
    format!(
        r#"(module (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
            {memories} (memory $last (export "memory") 1)
            (data (memory $last) (i32.const 64) "many\n")
            (func (export "_start") {writes}
                (i32.store $last (i32.const 0) (i32.const 64)) (i32.store $last (i32.const 4) (i32.const 5))
                (if (i32.ne {sum} (i32.const {})) (then unreachable))
                (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32)))))"#,
        (0..99).sum::<i32>()
    )
}

#[test]
fn a_program_may_have_many_memories() {
    let scratch = Scratch::new("memories");
    let program = scratch.file("many.wat", many_memories().as_bytes());
    for tier in TIERS {
        let output = run(&["run", "--tier", tier, &program]);
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), "many\n"), "{}", stderr(&output));
    }
}

#[test]
fn the_memory_limit_holds_for_all_memories_together() {
    let scratch = Scratch::new("memory64");
    let program = scratch.file(
        "grow.wat",
        br#"(module (memory $a 1) (memory $b i64 1)
            (func (export "_start") (loop
                (drop (memory.grow $a (i32.const 8))) (drop (memory.grow $b (i64.const 8)))
                (memory.fill $b (i64.const 0) (i32.const 7) (i64.mul (memory.size $b) (i64.const 65536))) (br 0))))"#,
    );
    for tier in TIERS {
        let output = run(&["run", "--tier", tier, "--max-memory", "32MiB", &program]);
        assert_eq!(output.status.code(), Some(137), "{}", stderr(&output));
        assert!(stderr(&output).contains("--max-memory"), "{}", stderr(&output));
    }
}

#[test]
fn inspection_shows_which_memories_and_tables_have_64_bits() {
    let scratch = Scratch::new("inspect64");
    let program = scratch.file("types.wat", b"(module (memory 1) (memory i64 2 3) (table i64 4 funcref))");
    let shown = stdout(&run(&["inspect", &program]));
    for line in ["0: 1 pages or more", "1: i64 2 to 3 pages", "0: i64 4 elements or more funcref"] {
        assert!(shown.contains(line), "{shown}");
    }
}
