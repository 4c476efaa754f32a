//! Modules that need a proposal are refused by that proposal's name.

use super::*;

fn needed(bytes: Arc<[u8]>) -> Vec<Proposal> {
    match verify_bytes(bytes, &Options::default()).map(|_| ()) {
        Err(VerifyError::Proposal { proposals, .. }) => proposals,
        other => panic!("must be refused for a proposal, got {other:?}"),
    }
}

/// A module that needs this proposal and no other.
fn module_of(proposal: Proposal) -> Arc<[u8]> {
    wasm(match proposal {
        Proposal::MultibyteArrayAccess => {
            "(module (type $a (array i8)) (func (param (ref $a)) (drop (i32.load (type $a) (local.get 0) (i32.const 0)))))"
        }
        Proposal::AcquireReleaseAtomics => {
            "(module (memory 1 1 shared) (func (drop (i32.atomic.load acqrel (i32.const 0)))))"
        }
        Proposal::CustomDescriptors => {
            "(module (rec (type $a (descriptor $b) (struct)) (type $b (describes $a) (struct))))"
        }
        Proposal::MemoryControl => "(module (memory 1) (func (memory.discard (i32.const 0) (i32.const 0))))",
        Proposal::CustomPageSizes => "(module (memory 1 (pagesize 1)))",
        Proposal::CompactImports => return b"\0asm\x01\0\0\0\x02\x0b\x01\x01a\0\x7f\x01\x01b\x03\x7f\0\0"[..].into(),
        Proposal::WideArithmetic => {
            "(module (func (param i64 i64) (result i64 i64) local.get 0 local.get 1 i64.mul_wide_u))"
        }
        Proposal::StackSwitching => "(module (func (param contref)))",
        Proposal::LegacyExceptions => "(module (func try catch_all end))",
        Proposal::SharedEverythingThreads => r#"(module (import "a" "b" (global (shared i32))))"#,
        Proposal::Threads => "(module (memory 1 1 shared))",
    })
}

#[test]
fn each_proposal_is_recognised() {
    for &proposal in Proposal::ALL {
        let found = needed(module_of(proposal));
        match proposal {
            // These extend others.
            Proposal::AcquireReleaseAtomics => assert_eq!(found, [Proposal::Threads, proposal]),
            _ => assert_eq!(found, [proposal]),
        }
    }
}

#[test]
fn all_that_a_module_needs_is_listed() {
    let found = needed(wasm(
        "(module (memory 1 1 shared) (func (param i64) (result i64 i64) local.get 0 local.get 0 i64.mul_wide_u))",
    ));
    assert_eq!(found, [Proposal::Threads, Proposal::WideArithmetic]);
}

#[test]
fn each_operator_of_other_proposals_is_recognised() {
    let cases = [
        ("atomic.fence", Proposal::Threads),
        ("i32.const 0 i32.atomic.load drop", Proposal::Threads),
        ("i64.const 0 i64.const 0 i64.mul_wide_s drop drop", Proposal::WideArithmetic),
        (
            "block (result i32) try (result i32) i32.const 1 catch_all i32.const 2 end end drop",
            Proposal::LegacyExceptions,
        ),
    ];
    for (operators, proposal) in cases {
        let found = needed(wasm(&format!("(module (memory 1) (elem declare func 0) (func {operators}))")));
        assert!(found.contains(&proposal), "{operators}: {found:?}");
    }
}

#[test]
fn a_module_that_is_wrong_anyhow_is_not_blamed_on_a_proposal() {
    for text in ["(module (func drop))", "(module (func i32.const 1))", "(module (func (result i32) i64.const 1))"] {
        assert!(matches!(refuse(text), VerifyError::Invalid { .. }), "{text}");
    }
}

#[test]
fn a_module_that_needs_a_proposal_and_is_wrong_after_that_is_blamed_on_the_proposal() {
    let error = refuse("(module (memory 1 1 shared) (func drop))");
    assert!(matches!(&error, VerifyError::Proposal { proposals, .. } if proposals == &[Proposal::Threads]), "{error}");
}

#[test]
fn what_pinfold_runs_needs_no_proposal() {
    accept("(module (func (param i32) local.get 0 return_call 0))");
    accept("(module (table 1 funcref) (func i32.const 0 return_call_indirect))");
    accept("(module (func (param i32) (result i32 i32) local.get 0 i32.extend8_s local.get 0))");
    accept("(module (func (param f32) (result i32) local.get 0 i32.trunc_sat_f32_s))");
    accept("(module (memory 1) (func i32.const 0 i32.const 0 i32.const 0 memory.copy))");
    accept("(module (func (param v128) (result v128) local.get 0 i8x16.popcnt))");
    accept("(module (memory 1) (memory i64 1) (func (drop (i32.load 1 offset=0x1_0000_0000 (i64.const 0)))))");
    accept("(module (table i64 1 funcref) (func (drop (table.get (i64.const 0)))))");
    accept("(module (func (param v128) (result v128) local.get 0 local.get 0 i8x16.relaxed_swizzle))");
    accept("(module (global i32 (i32.add (i32.const 1) (i32.const 2))))");
    accept("(module (type $f (func (param (ref $f)))) (func (param (ref $f)) local.get 0 local.get 0 call_ref $f))");
    accept("(module (type $s (struct (field i8))) (global (ref $s) (struct.new $s (i32.const 1))))");
    accept(r#"(module (import "a" "b" (global (mut i32))) (func (param externref)))"#);
}
