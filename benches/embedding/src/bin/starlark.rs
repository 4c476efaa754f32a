//! starlark-rust, with its limits, of which it says itself that they are no wall. What is compiled cannot be written down; a frozen module is kept.

use pinfold_embedding::{
    Bench, CALLS, FUEL, MEMORY, Order, PARCELS, TOTAL, TURNS, Text, mix, sum_of_numbers, sum_of_rates,
};
use starlark::environment::{FrozenModule, Globals, GlobalsBuilder, LibraryExtension, Module};
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::syntax::{AstModule, Dialect};
use starlark::values::float::StarlarkFloat;
use starlark::values::structs::AllocStruct;
use starlark::values::{Heap, OwnedFrozenValue, UnpackValue, Value};

const SCRIPT: &str = include_str!("../../programs/script.star");
const FUNCTIONS: &str = include_str!("../../programs/calls.star");
const WORK: &str = include_str!("../../programs/work.star");

fn main() {
    pinfold_embedding::main(times, memory);
}

fn limit(eval: &mut Evaluator<'_, '_, '_>) {
    eval.set_max_tick_count(FUEL).unwrap();
    eval.set_max_heap_size(MEMORY).unwrap();
}

fn parse(source: &str) -> AstModule {
    AstModule::parse("script.star", source.to_owned(), &Dialect::Standard).unwrap()
}

fn from_source(globals: &Globals) -> i64 {
    Module::with_temp_heap(|module| {
        let mut eval = Evaluator::new(&module);
        limit(&mut eval);
        eval.eval_module(parse(SCRIPT), globals).unwrap();
        call(&mut eval, module.get("total").unwrap(), &[module.heap().alloc(PARCELS)])
    })
}

fn call<'v, T: UnpackValue<'v>>(eval: &mut Evaluator<'v, '_, '_>, function: Value<'v>, arguments: &[Value<'v>]) -> T {
    T::unpack_value_err(eval.eval_function(function, arguments, &[]).unwrap()).unwrap()
}

fn frozen(source: &str, globals: &Globals) -> FrozenModule {
    Module::with_temp_heap(|module| {
        Evaluator::new(&module).eval_module(parse(source), globals).unwrap();
        module.freeze().unwrap()
    })
}

/// Does something with a function of a frozen module, in a heap of its own.
fn with<T>(
    program: &FrozenModule,
    name: &str,
    act: impl FnOnce(&mut Evaluator<'_, '_, '_>, &OwnedFrozenValue) -> T,
) -> T {
    Module::with_temp_heap(|module| {
        let mut eval = Evaluator::new(&module);
        limit(&mut eval);
        act(&mut eval, &program.get(name).unwrap())
    })
}

/// One call in a heap of its own.
fn fresh(program: &FrozenModule, name: &str, argument: i64) -> i64 {
    with(program, name, |eval, function| {
        let heap = eval.heap();
        call(eval, heap.access_owned_frozen_value(function), &[heap.alloc(argument)])
    })
}

fn times(bench: &mut Bench) {
    let whole = || from_source(&Globals::standard());
    bench.first("source.first", TOTAL, whole);
    bench.each("source", TOTAL, whole);
    let globals = Globals::standard();
    bench.each("source.kept", TOTAL, || from_source(&globals));
    let program = frozen(SCRIPT, &globals);
    bench.each("compiled.kept", TOTAL, || fresh(&program, "total", PARCELS));

    calls(bench);
    work(bench);
}

fn memory(bench: &mut Bench) {
    let program = frozen(SCRIPT, &Globals::standard());
    bench.memory(|| fresh(&program, "total", PARCELS));
}

#[starlark_module]
fn desk(builder: &mut GlobalsBuilder) {
    fn desk_add(a: i64, b: i64) -> anyhow::Result<i64> {
        Ok(a.wrapping_add(b))
    }

    fn desk_rate<'v>(from: Value<'v>, eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<f64> {
        Ok(order(from, eval.heap())?.rate())
    }
}

fn order<'v>(from: Value<'v>, heap: Heap<'v>) -> starlark::Result<Order> {
    fn field<'v, T: UnpackValue<'v>>(from: Value<'v>, name: &str, heap: Heap<'v>) -> starlark::Result<T> {
        T::unpack_value_err(from.get_attr_error(name, heap)?)
    }
    Ok(Order {
        id: field(from, "id", heap)?,
        price: field::<StarlarkFloat>(from, "price", heap)?.0,
        name: field::<&str>(from, "name", heap)?.to_owned(),
        paid: field(from, "paid", heap)?,
    })
}

fn record<'v>(order: &Order, heap: Heap<'v>) -> Value<'v> {
    heap.alloc(AllocStruct([
        ("id", heap.alloc(order.id)),
        ("price", heap.alloc(order.price)),
        ("name", heap.alloc(order.name.as_str())),
        ("paid", Value::new_bool(order.paid)),
    ]))
}

/// Nothing is collected between calls of the host's, so each batch of them has a heap of its own.
fn calls(bench: &mut Bench) {
    let globals = GlobalsBuilder::extended_by(&[LibraryExtension::StructType]).with(desk).build();
    let program = frozen(FUNCTIONS, &globals);
    let example = Order::example();
    bench.each_of("call.nothing", CALLS, (), || {
        with(&program, "nothing", |eval, function| {
            let function = eval.heap().access_owned_frozen_value(function);
            (0..CALLS).for_each(|_| _ = eval.eval_function(function, &[], &[]).unwrap());
        });
    });
    bench.each_of("call.numbers", CALLS, sum_of_numbers(CALLS), || {
        with(&program, "add", |eval, function| {
            let heap = eval.heap();
            let function = heap.access_owned_frozen_value(function);
            (0..CALLS).fold(0, |sum, turn| call(eval, function, &[heap.alloc(sum), heap.alloc(turn)]))
        })
    });
    bench.each_of("call.record", CALLS, CALLS as f64 * example.rate(), || {
        with(&program, "rate", |eval, function| {
            let heap = eval.heap();
            let function = heap.access_owned_frozen_value(function);
            (0..CALLS).map(|_| call::<StarlarkFloat>(eval, function, &[record(&example, heap)]).0).sum()
        })
    });
    bench.each_of("host.numbers", CALLS, sum_of_numbers(CALLS), || fresh(&program, "numbers", CALLS));
    bench.each_of("host.record", CALLS, sum_of_rates(CALLS), || {
        with(&program, "records", |eval, function| {
            let heap = eval.heap();
            call::<StarlarkFloat>(eval, heap.access_owned_frozen_value(function), &[heap.alloc(CALLS)]).0
        })
    });
}

fn work(bench: &mut Bench) {
    let turns = TURNS / 10;
    let text = Text::default();
    let program = frozen(WORK, &Globals::standard());
    bench.each_of("loop", turns, mix(turns), || fresh(&program, "mix", turns));
    bench.each_of("words", text.words, text.answer, || {
        with(&program, "words", |eval, function| {
            let heap = eval.heap();
            call(eval, heap.access_owned_frozen_value(function), &[heap.alloc(text.text.as_str())])
        })
    });
    bench.each_of("loop.uncounted", turns, mix(turns), || {
        Module::with_temp_heap(|module| {
            let mut eval = Evaluator::new(&module);
            let function = module.heap().access_owned_frozen_value(&program.get("mix").unwrap());
            call(&mut eval, function, &[module.heap().alloc(turns)])
        })
    });
}
