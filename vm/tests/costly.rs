//! Functions that would take the compiler more memory or time than they are worth: the interpreter runs them.

#![allow(missing_docs, clippy::unwrap_used)]

use pinfold_vm::api::{Config, Engine, Linker, Module, Store, Tier};
use wasm_encoder::{
    BlockType, CodeSection, ExportKind, ExportSection, FieldType, Function, FunctionSection, HeapType, Instruction,
    RefType, StorageType, TypeSection, ValType,
};

/// The number of the only function's type: from a number to a number.
const NUMBER: u32 = 0;
/// That of a block's type with many results.
const WIDE: u32 = 1;
/// How many.
const WIDTH: usize = 100;
/// That of a struct.
const STRUCT: u32 = 2;

type I = Instruction<'static>;

/// A module with one function, of some locals, whose code gives back its argument plus one.
fn module(locals: &[(u32, ValType)], code: Vec<I>) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32], [ValType::I32]);
    types.ty().function([], [ValType::I32; WIDTH]);
    types.ty().struct_([FieldType { element_type: StorageType::Val(ValType::I32), mutable: true }]);
    let (mut functions, mut exports, mut bodies) = (FunctionSection::new(), ExportSection::new(), CodeSection::new());
    functions.function(NUMBER);
    exports.export("run", ExportKind::Func, 0);
    let mut body = Function::new(locals.iter().copied());
    code.iter().for_each(|instruction| _ = body.instruction(instruction));
    for last in [I::LocalGet(0), I::I32Const(1), I::I32Add, I::End] {
        body.instruction(&last);
    }
    bodies.function(&body);
    let mut module = wasm_encoder::Module::new();
    module.section(&types).section(&functions).section(&exports).section(&bodies);
    module.finish()
}

/// Loops in one another, with code in the innermost; each is left at its end.
fn nest(depth: usize, inside: Vec<I>) -> Vec<I> {
    let end = [I::I32Const(0), I::BrIf(0), I::End];
    let ends = (0..depth).flat_map(|_| end.clone());
    std::iter::repeat_n(I::Loop(BlockType::Empty), depth).chain(inside).chain(ends).collect()
}

/// Assigns each local from another.
fn assign(locals: u32) -> Vec<I> {
    (1..locals).flat_map(|local| [I::LocalGet(local * 13 % locals), I::LocalSet(local)]).collect()
}

/// What each is made to multiply, and the module.
fn costly() -> Vec<(&'static str, Vec<u8>)> {
    let numbers = |count| [(count, ValType::I32)];
    let reference = ValType::Ref(RefType { nullable: true, heap_type: HeapType::Concrete(STRUCT) });
    let join = |at: u32, locals: u32| {
        [
            I::Block(BlockType::Empty),
            I::LocalGet(0),
            I::BrIf(0),
            I::LocalGet(at % locals),
            I::LocalSet(at * 3 % locals),
            I::End,
        ]
    };
    let table = || {
        let wide = I::Block(BlockType::FunctionType(WIDE));
        let values = std::iter::repeat_n(I::LocalGet(0), WIDTH + 1);
        let jump = I::BrTable((0..3000).map(|at| at % 2).collect::<Vec<u32>>().into(), 0);
        let drop = std::iter::repeat_n(I::Drop, WIDTH);
        let again = std::iter::repeat_n(I::LocalGet(0), WIDTH).chain([I::End]).chain(drop.clone());
        [wide.clone(), wide].into_iter().chain(values).chain([jump, I::End]).chain(drop).chain(again)
    };
    let object = |at: u32| [I::StructNewDefault(STRUCT), I::LocalSet(1 + at % 1000)];
    vec![
        ("locals by loops", module(&numbers(2000), nest(490, assign(2000)))),
        ("loops by loops", module(&numbers(50), (0..400).flat_map(|_| nest(20, assign(50))).collect())),
        ("locals by joins", module(&numbers(3000), (0..1000).flat_map(|at| join(at, 3000)).collect())),
        ("results by jumps", module(&[], (0..10).flat_map(|_| table()).collect())),
        ("references by allocations", module(&[(1000, reference)], (0..2000).flat_map(object).collect())),
    ]
}

fn engine(tier: Tier) -> Engine {
    Engine::new(Config::new().tier(tier)).unwrap()
}

fn run(engine: &Engine, module: &Module) -> i32 {
    let mut store = Store::new(engine, ());
    let instance = Linker::new(engine).instantiate(&mut store, module).unwrap();
    instance.get_typed_func::<i32, i32>(&store, "run").unwrap().call(&mut store, 1).unwrap()
}

#[test]
fn what_multiplies_in_the_compiler_stays_in_the_interpreter() {
    for (what, bytes) in costly() {
        let engine = engine(Tier::Jit);
        let module = Module::new(&engine, &bytes).unwrap();
        assert_eq!((module.compiled(), run(&engine, &module)), (0, 2), "{what}");
    }
}

#[test]
fn a_little_of_each_is_compiled() {
    let reference = ValType::Ref(RefType { nullable: true, heap_type: HeapType::Concrete(STRUCT) });
    let object = |at: u32| [I::StructNewDefault(STRUCT), I::LocalSet(1 + at % 100)];
    for bytes in [
        module(&[(500, ValType::I32)], nest(8, assign(500))),
        module(&[(100, reference)], (0..1000).flat_map(object).collect()),
    ] {
        let engine = engine(Tier::Jit);
        let module = Module::new(&engine, &bytes).unwrap();
        assert_eq!((module.compiled(), run(&engine, &module)), (1, 2));
    }
}

#[test]
fn a_function_for_which_there_is_no_memory_stays_in_the_interpreter() {
    let bytes = module(&[], (0..10_000).flat_map(|at| [I::LocalGet(0), I::I32Const(at), I::I32Add, I::Drop]).collect());
    for (memory, compiled) in [(1 << 20, 0), (512 << 20, 1)] {
        let engine = Engine::new(Config::new().tier(Tier::Jit).compile_memory(memory)).unwrap();
        let module = Module::new(&engine, &bytes).unwrap();
        assert_eq!((module.compiled(), run(&engine, &module)), (compiled, 2), "{memory} bytes");
    }
}

#[test]
fn code_that_is_there_counts_and_what_is_gone_does_not() {
    let step = |at| [I::LocalGet(0), I::I32Const(2 * at + 3), I::I32Mul, I::I32Const(at), I::I32Xor, I::LocalSet(0)];
    let bytes = module(&[], (0..600).flat_map(step).collect());
    // Room for a function to be compiled, and the code of some.
    let engine = Engine::new(Config::new().tier(Tier::Jit).compile_memory((8 << 10) * 768)).unwrap();
    let modules: Vec<Module> = (0..2000).map(|_| Module::new(&engine, &bytes).unwrap()).collect();
    let compiled = |modules: &[Module]| modules.iter().filter(|module| module.compiled() == 1).count();
    let some = compiled(&modules);
    assert!((10..1990).contains(&some), "{some}");
    drop(modules);
    assert_eq!(Module::new(&engine, &bytes).unwrap().compiled(), 1);
}
