//! Rhai, with its limits. From source it walks the tree, as it does by default; programs that are kept, and loops, are run by its virtual machine
//! (the feature `grain`), which is faster there.

use pinfold_embedding::{Bench, CALLS, FUEL, Order, PARCELS, TOTAL, TURNS, Text, mix, sum_of_numbers, sum_of_rates};
use rhai::grain::{Compiler, Program, Vm};
use rhai::{AST, CallFnOptions, Dynamic, Engine, FuncArgs, INT, Map, Scope};

const SCRIPT: &str = include_str!("../../programs/script.rhai");
const FUNCTIONS: &str = include_str!("../../programs/calls.rhai");
const WORK: &str = include_str!("../../programs/work.rhai");

/// Bytes of a text, elements of an array, entries of a map.
const TEXT: usize = 16 << 20;
const ELEMENTS: usize = 1 << 20;

fn main() {
    pinfold_embedding::main(times, memory);
}

fn engine() -> Engine {
    let mut engine = Engine::new();
    engine.set_max_operations(FUEL);
    engine.set_max_string_size(TEXT).set_max_array_size(ELEMENTS).set_max_map_size(ELEMENTS);
    engine
}

/// Calls a function; there is nothing else in these programs that would have to be run first.
fn call<T: Clone + Send + Sync + 'static>(engine: &Engine, ast: &AST, name: &str, arguments: impl FuncArgs) -> T {
    let options = CallFnOptions::new().eval_ast(false);
    engine.call_fn_with_options(options, &mut Scope::new(), ast, name, arguments).unwrap()
}

/// The same of bytecode.
fn call_in<T: Clone + 'static>(vm: &mut Vm<'_>, program: &Program<'_>, name: &str, arguments: impl FuncArgs) -> T {
    let options = CallFnOptions::new().eval_ast(false);
    vm.call_fn_with_options(options, &mut Scope::new(), program, name, arguments).unwrap()
}

fn times(bench: &mut Bench) {
    let whole = || {
        let engine = engine();
        call(&engine, &engine.compile(SCRIPT).unwrap(), "total", (PARCELS,))
    };
    bench.first("source.first", TOTAL, whole);
    bench.each("source", TOTAL, whole);
    let kept = engine();
    bench.each("source.kept", TOTAL, || call(&kept, &kept.compile(SCRIPT).unwrap(), "total", (PARCELS,)));

    let ast = kept.compile(SCRIPT).unwrap();
    let program = Compiler::new().compile(&ast);
    let bytes = program.write().unwrap();
    bench.each("compiled", TOTAL, || {
        let engine = engine();
        call_in(&mut Vm::new(&engine), &Program::read(&bytes).unwrap(), "total", (PARCELS,))
    });
    bench.each("compiled.kept", TOTAL, || call_in(&mut Vm::new(&kept), &program, "total", (PARCELS,)));
    bench.each("compiled.tree", TOTAL, || call(&kept, &ast, "total", (PARCELS,)));

    calls(bench);
    work(bench);
}

fn memory(bench: &mut Bench) {
    let engine = engine();
    let program = Compiler::new().compile(&engine.compile(SCRIPT).unwrap());
    bench.memory(|| call_in(&mut Vm::new(&engine), &program, "total", (PARCELS,)));
}

fn map(order: &Order) -> Map {
    let mut map = Map::new();
    map.insert("id".into(), order.id.into());
    map.insert("price".into(), order.price.into());
    map.insert("name".into(), order.name.as_str().into());
    map.insert("paid".into(), order.paid.into());
    map
}

fn order(map: &Map) -> Option<Order> {
    let field = |name: &str| map.get(name);
    Some(Order {
        id: field("id")?.as_int().ok()?,
        price: field("price")?.as_float().ok()?,
        name: field("name")?.clone().into_string().ok()?,
        paid: field("paid")?.as_bool().ok()?,
    })
}

fn calls(bench: &mut Bench) {
    let mut engine = engine();
    engine.register_fn("desk_add", |a: INT, b: INT| a.wrapping_add(b));
    engine.register_fn("desk_rate", |from: Map| order(&from).map_or(Dynamic::UNIT, |order| order.rate().into()));
    let program = Compiler::new().compile(&engine.compile(FUNCTIONS).unwrap());
    // The limit of operations is one of a machine, so each call has its own, as it has with a tree.
    let order = Order::example();
    bench.each_of("call.nothing", CALLS, (), || {
        (0..CALLS).for_each(|_| call_in(&mut Vm::new(&engine), &program, "nothing", ()));
    });
    bench.each_of("call.numbers", CALLS, sum_of_numbers(CALLS), || {
        (0..CALLS).fold(0, |sum, turn| call_in(&mut Vm::new(&engine), &program, "add", (sum, turn)))
    });
    bench.each_of("call.record", CALLS, CALLS as f64 * order.rate(), || {
        (0..CALLS).map(|_| call_in::<f64>(&mut Vm::new(&engine), &program, "rate", (map(&order),))).sum()
    });
    bench.each_of("host.numbers", CALLS, sum_of_numbers(CALLS), || {
        call_in(&mut Vm::new(&engine), &program, "numbers", (CALLS,))
    });
    bench.each_of("host.record", CALLS, sum_of_rates(CALLS), || {
        call_in(&mut Vm::new(&engine), &program, "records", (CALLS,))
    });
}

fn work(bench: &mut Bench) {
    let turns = TURNS / 10;
    let text = Text::default();
    let counted = engine();
    let program = Compiler::new().compile(&counted.compile(WORK).unwrap());
    bench.each_of("loop", turns, mix(turns), || call_in(&mut Vm::new(&counted), &program, "mix", (turns,)));
    bench.each_of("words", text.words, text.answer, || {
        call_in(&mut Vm::new(&counted), &program, "words", (text.text.clone(),))
    });
    let free = Engine::new();
    bench.each_of("loop.uncounted", turns, mix(turns), || call_in(&mut Vm::new(&free), &program, "mix", (turns,)));
}
