//! The steps of the optimiser one at a time, on code that is written for them.

use super::super::build::Builder;
use super::super::optimise;
use super::super::{At, BinaryOp as B, CheckedOp, Code, Expr, FuncId, Module, Stmt, Val, check, print};

/// A module of one function with these parameters.
fn optimised(params: &[Val], results: &[Val], make: impl FnOnce(&mut Builder)) -> String {
    let mut module = Module::default();
    module.names.push("f".into());
    let mut builder = Builder::new(params, At(0));
    make(&mut builder);
    module.functions.push(builder.finish(0, params.len(), results.to_vec()));
    module.exports.push(("f".to_owned(), FuncId(0)));
    assert_eq!(check::module(&module), Ok(()));
    optimise::run(&mut module);
    assert_eq!(check::module(&module), Ok(()));
    assert!(matches!(module.functions[0].code, Code::Body(_)));
    print::module(&module)
}

fn local(index: u32) -> Expr {
    Expr::Local(super::super::Local(index))
}

#[test]
fn what_traps_is_kept_even_if_nobody_uses_it() {
    let text = optimised(&[Val::I64, Val::I64], &[], |b| {
        let unused = b.local(Val::I64);
        let quotient = Expr::Checked(CheckedOp::DivS, Box::new([local(0), local(1)]), At(0));
        b.push(Stmt::Set(unused, quotient));
        let sum = b.local(Val::I64);
        b.push(Stmt::Set(sum, Expr::binary(B::Add, local(0), local(1))));
        b.push(Stmt::Return(Vec::new()));
    });
    assert_eq!(text, "fn0 f(v0: i64, v1: i64) {\n    drop divs!(v0, v1)\n    return \n}\n");
}

#[test]
fn a_copy_of_what_changes_stays_a_copy() {
    // `at` is the counter before it goes on: the two must not become one.
    let text = optimised(&[Val::I64], &[Val::I64], |b| {
        let counter = b.variable(Val::I64);
        let total = b.variable(Val::I64);
        b.push(Stmt::Set(counter, Expr::I64(0)));
        b.push(Stmt::Set(total, Expr::I64(0)));
        let end = b.begin_block();
        let head = b.begin_block();
        let at = b.local(Val::I64);
        b.push(Stmt::Set(at, Expr::Local(counter)));
        b.break_if(Expr::binary(B::GeS, Expr::Local(at), local(0)), end);
        b.push(Stmt::Set(counter, Expr::binary(B::Add, Expr::Local(at), Expr::I64(1))));
        b.push(Stmt::Set(total, Expr::binary(B::Xor, Expr::Local(total), Expr::Local(at))));
        b.push(Stmt::Break(head));
        b.end_loop(head);
        b.end_block(end);
        b.push(Stmt::Return(vec![Expr::Local(total)]));
    });
    assert!(text.contains("v3 = v1\n"), "{text}");
    assert!(text.contains("v2 = xor(v2, v3)"), "{text}");
}

#[test]
fn a_sum_is_checked_unless_it_fits_for_sure() {
    let text = optimised(&[Val::I64, Val::I64], &[Val::I64, Val::I64], |b| {
        let end = b.begin_block();
        b.break_if(Expr::binary(B::GeS, local(0), local(1)), end);
        // Below something: one more fits; two more may not.
        let one = Expr::Checked(CheckedOp::Add, Box::new([local(0), Expr::I64(1)]), At(0));
        let two = Expr::Checked(CheckedOp::Add, Box::new([local(0), Expr::I64(2)]), At(0));
        b.push(Stmt::Return(vec![one, two]));
        b.end_block(end);
        b.push(Stmt::Return(vec![Expr::I64(0), Expr::I64(0)]));
    });
    assert!(text.contains("return add(v0, 1), add!(v0, 2)"), "{text}");
}

#[test]
fn a_bound_that_a_loop_does_not_keep_is_forgotten() {
    // The counter begins at 0 but goes down as well: it may be negative.
    let text = optimised(&[Val::I64, Val::I64], &[Val::I64], |b| {
        let counter = b.variable(Val::I64);
        b.push(Stmt::Set(counter, Expr::I64(0)));
        let end = b.begin_block();
        let head = b.begin_block();
        b.break_if(Expr::binary(B::GeS, Expr::Local(counter), local(0)), end);
        b.push(Stmt::Set(
            counter,
            Expr::Checked(CheckedOp::Add, Box::new([Expr::Local(counter), Expr::I64(1)]), At(0)),
        ));
        b.break_if(Expr::binary(B::LtS, Expr::Local(counter), Expr::I64(0)), end);
        b.push(Stmt::Set(counter, Expr::Checked(CheckedOp::Sub, Box::new([Expr::Local(counter), local(1)]), At(0))));
        b.push(Stmt::Break(head));
        b.end_loop(head);
        b.end_block(end);
        b.push(Stmt::Return(vec![Expr::Local(counter)]));
    });
    assert!(text.contains("if lts(v2, 0)"), "{text}");
    assert!(text.contains("v2 = add(v2, 1)"), "{text}");
    assert!(text.contains("v2 = sub!(v2, v1)"), "{text}");
}
