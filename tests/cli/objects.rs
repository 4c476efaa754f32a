//! Programs that make objects, in a worker that made its heap's address space in advance.

use super::{Scratch, TIERS, run, stderr, stdout};

/// Builds binary trees, counts their nodes and forgets them, many times what the memory limit allows; then a list that is
/// kept. `$keep`: the length of the list.
const TREES: &str = r#"(module
    (type $node (struct (field (ref null $node)) (field (ref null $node))))
    (global $list (mut (ref null $node)) (ref.null $node))
    (func $make (param i32) (result (ref null $node))
        (if (result (ref null $node)) (i32.eqz (local.get 0))
            (then (struct.new_default $node))
            (else (struct.new $node
                (call $make (i32.sub (local.get 0) (i32.const 1)))
                (call $make (i32.sub (local.get 0) (i32.const 1)))))))
    (func $count (param (ref null $node)) (result i32)
        (if (result i32) (ref.is_null (local.get 0))
            (then (i32.const 0))
            (else (i32.add (i32.const 1) (i32.add
                (call $count (struct.get $node 0 (local.get 0)))
                (call $count (struct.get $node 1 (local.get 0))))))))
    (func (export "trees") (param $turns i32) (param $keep i32) (result i32) (local $sum i32)
        (loop $again
            (local.set $sum (i32.add (local.get $sum) (call $count (call $make (i32.const 11)))))
            (br_if $again (local.tee $turns (i32.sub (local.get $turns) (i32.const 1)))))
        (loop $longer
            (global.set $list (struct.new $node (global.get $list) (ref.null none)))
            (br_if $longer (local.tee $keep (i32.sub (local.get $keep) (i32.const 1)))))
        (local.get $sum)))"#;

#[test]
fn garbage_takes_no_memory_for_good() {
    let scratch = Scratch::new("objects");
    let program = scratch.file("trees.wat", TREES.as_bytes());
    for tier in TIERS {
        // Four times the limit in all.
        let args = ["run", "--none", "--max-memory", "8MiB", "--tier", tier, "--invoke", "trees", &program, "512", "1"];
        let output = run(&args);
        let sum = (512 * ((1 << 12) - 1)).to_string();
        assert_eq!((output.status.code(), stdout(&output).trim()), (Some(0), sum.as_str()), "{}", stderr(&output));
    }
}

#[test]
fn objects_count_against_the_memory_limit() {
    let scratch = Scratch::new("objects-limit");
    let program = scratch.file("list.wat", TREES.as_bytes());
    for tier in TIERS {
        let args = ["run", "--max-memory", "8MiB", "--tier", tier, "--invoke", "trees", &program, "1", "10000000"];
        let output = run(&args);
        assert!(!output.status.success() && stderr(&output).contains("--max-memory"), "{}", stderr(&output));
    }
}
