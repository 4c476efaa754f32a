//! Programs whose code takes the compiler more memory than their run may have: it has bounds of its own, and the interpreter does the rest.

use wasm_encoder::{
    BlockType, CodeSection, ExportKind, ExportSection, Function, FunctionSection, Instruction, Module, TypeSection,
    ValType,
};

use super::*;

/// Calls until a function is hot, and some more.
const CALLS: i32 = 1600;

/// A module whose export `run` calls the last of these functions often, each from a number to a number.
fn module(functions: impl Iterator<Item = Vec<Instruction<'static>>>) -> Vec<u8> {
    let (mut types, mut declared, mut bodies) = (TypeSection::new(), FunctionSection::new(), CodeSection::new());
    types.ty().function([ValType::I32], [ValType::I32]);
    let mut add = |locals: u32, code: Vec<Instruction<'static>>| {
        declared.function(0);
        let mut body = Function::new([(locals, ValType::I32)]);
        code.iter().chain([&Instruction::End]).for_each(|instruction| _ = body.instruction(instruction));
        bodies.function(&body);
    };
    let mut last = 0;
    for (index, code) in (0..).zip(functions) {
        add(0, code);
        last = index;
    }
    let (get, set) = (Instruction::LocalGet, Instruction::LocalSet);
    let turn = [get(0), Instruction::Call(last), set(0), get(1), Instruction::I32Const(1), Instruction::I32Sub];
    let begin = [Instruction::I32Const(CALLS), set(1), Instruction::Loop(BlockType::Empty)];
    let end = [Instruction::LocalTee(1), Instruction::BrIf(0), Instruction::End, get(0)];
    add(1, [&begin[..], &turn, &end].concat());
    let mut exports = ExportSection::new();
    exports.export("run", ExportKind::Func, last + 1);
    Module::new().section(&types).section(&declared).section(&exports).section(&bodies).clone().finish()
}

/// Runs it in both tiers with little memory; they have to agree.
fn runs_with_little_memory(name: &str, module: &[u8]) {
    if cfg!(debug_assertions) {
        println!("skipped: {name} takes minutes without optimisation");
        return;
    }
    let scratch = Scratch::new(name);
    let file = scratch.file("program.wasm", module);
    let run = |tier| {
        let output =
            run(&["run", "--tier", tier, "--max-memory", "16MiB", "--timeout", "300", "--invoke", "run", &file, "1"]);
        assert!(output.status.success(), "{tier}: {}", stderr(&output));
        stdout(&output)
    };
    assert_eq!(run("auto"), run("interpreter"));
}

#[test]
fn ninety_thousand_functions_turn_hot() {
    const FUNCTIONS: u32 = 90_000;
    let add = |number| vec![Instruction::LocalGet(0), Instruction::I32Const(number), Instruction::I32Add];
    let all = [Instruction::LocalGet(0)].into_iter().chain((0..FUNCTIONS).map(Instruction::Call)).collect();
    let small = (0..FUNCTIONS).map(|number| add(number as i32 % 1000));
    runs_with_little_memory("many", &module(small.chain([all])));
}

#[test]
fn one_function_of_a_megabyte_turns_hot() {
    let add = |number| [Instruction::I32Const(number), Instruction::I32Add];
    let all = [Instruction::LocalGet(0)].into_iter().chain((0..300_000).flat_map(add)).collect();
    runs_with_little_memory("large", &module([all].into_iter()));
}
