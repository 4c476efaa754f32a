//! Wasmtime, with modules that were written by hand for the same work: its source is WebAssembly's binary format.
//!
//! It has fuel and a limit of memory. Where the engine is kept, instances are pooled, which is faster then; an engine that is made for one run has none.

use pinfold_embedding::{
    Bench, CALLS, FUEL, MEMORY, Order, PARCELS, TOTAL, TURNS, Text, mix, sum_of_numbers, sum_of_rates,
};
use wasmtime::{
    Caller, Config, Engine, Instance, Linker, Memory, Module, PoolingAllocationConfig, Store, StoreLimits,
    StoreLimitsBuilder, TypedFunc,
};

const SCRIPT: &str = include_str!("../../programs/script.wat");
const FUNCTIONS: &str = include_str!("../../programs/calls.wat");
const WORK: &str = include_str!("../../programs/work.wat");

/// What a store holds.
struct Host {
    limits: StoreLimits,
    /// Where the guest has its texts.
    memory: Option<Memory>,
}

fn main() {
    pinfold_embedding::main(times, memory);
}

fn config() -> Config {
    let mut config = Config::new();
    config.consume_fuel(true);
    config
}

/// An engine that is made for one run.
fn engine() -> Engine {
    Engine::new(&config()).unwrap()
}

/// One that is kept for many.
fn pooling() -> Engine {
    let mut pool = PoolingAllocationConfig::new();
    pool.max_memory_size(MEMORY);
    Engine::new(config().allocation_strategy(pool)).unwrap()
}

fn store(engine: &Engine) -> Store<Host> {
    let limits = StoreLimitsBuilder::new().memory_size(MEMORY).build();
    let mut store = Store::new(engine, Host { limits, memory: None });
    store.limiter(|host| &mut host.limits);
    store.set_fuel(FUEL).unwrap();
    store
}

fn total(store: &mut Store<Host>, instance: &Instance) -> i64 {
    let total = instance.get_typed_func::<i64, i64>(&mut *store, "total").unwrap();
    total.call(store, PARCELS).unwrap()
}

fn run(engine: &Engine, module: &Module) -> i64 {
    let mut store = store(engine);
    let instance = Linker::new(engine).instantiate(&mut store, module).unwrap();
    total(&mut store, &instance)
}

fn times(bench: &mut Bench) {
    let script = wat::parse_str(SCRIPT).unwrap();
    let whole = || {
        let engine = engine();
        run(&engine, &Module::new(&engine, &script).unwrap())
    };
    bench.first("source.first", TOTAL, whole);
    bench.each("source", TOTAL, whole);
    let kept = pooling();
    bench.each("source.kept", TOTAL, || run(&kept, &Module::new(&kept, &script).unwrap()));

    let compiled = engine().precompile_module(&script).unwrap();
    bench.each("compiled", TOTAL, || {
        let engine = engine();
        // SAFETY: this engine made it, just now.
        let module = unsafe { Module::deserialize(&engine, &compiled) };
        run(&engine, &module.unwrap())
    });
    bench.each("compiled.kept", TOTAL, fresh(&kept, &script));

    calls(bench);
    work(bench);
}

/// A run in a store and an instance of its own.
fn fresh(engine: &Engine, module: &[u8]) -> impl FnMut() -> i64 {
    let compiled = engine.precompile_module(module).unwrap();
    // SAFETY: this engine made it, just now.
    let module = unsafe { Module::deserialize(engine, compiled) }.unwrap();
    let made = Linker::new(engine).instantiate_pre(&module).unwrap();
    move || {
        let mut store = store(made.module().engine());
        let instance = made.instantiate(&mut store).unwrap();
        total(&mut store, &instance)
    }
}

fn memory(bench: &mut Bench) {
    bench.memory(fresh(&pooling(), &wat::parse_str(SCRIPT).unwrap()));
}

/// An order whose fields are arguments.
fn order(caller: &Caller<'_, Host>, id: i64, price: f64, name: (u32, u32), paid: u32) -> wasmtime::Result<Order> {
    let memory = caller.data().memory.ok_or_else(|| wasmtime::Error::msg("no memory"))?;
    let from = name.0 as usize;
    let name = memory.data(caller).get(from..from.saturating_add(name.1 as usize));
    let name = name.ok_or_else(|| wasmtime::Error::msg("a text is not in memory"))?;
    Ok(Order { id, price, name: String::from_utf8(name.to_vec())?, paid: paid != 0 })
}

fn calls(bench: &mut Bench) {
    let engine = pooling();
    let module = Module::new(&engine, wat::parse_str(FUNCTIONS).unwrap()).unwrap();
    let mut linker = Linker::new(&engine);
    linker.func_wrap("desk", "add", |a: i64, b: i64| a.wrapping_add(b)).unwrap();
    let rate = |caller: Caller<'_, Host>, id: i64, price: f64, name: u32, len: u32, paid: u32| {
        Ok(order(&caller, id, price, (name, len), paid)?.rate())
    };
    linker.func_wrap("desk", "rate", rate).unwrap();
    let mut store = store(&engine);
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let memory = instance.get_memory(&mut store, "memory").unwrap();
    store.data_mut().memory = Some(memory);

    let nothing = instance.get_typed_func::<(), ()>(&mut store, "nothing").unwrap();
    let add = instance.get_typed_func::<(i64, i64), i64>(&mut store, "add").unwrap();
    let room = instance.get_typed_func::<u32, u32>(&mut store, "room").unwrap();
    let rate = instance.get_typed_func::<(i64, f64, u32, u32, u32), f64>(&mut store, "rate").unwrap();
    let numbers = instance.get_typed_func::<i64, i64>(&mut store, "numbers").unwrap();
    let records = instance.get_typed_func::<i64, f64>(&mut store, "records").unwrap();
    let order = Order::example();

    bench.each_of("call.nothing", CALLS, (), || {
        for _ in 0..CALLS {
            store.set_fuel(FUEL).unwrap();
            nothing.call(&mut store, ()).unwrap();
        }
    });
    bench.each_of("call.numbers", CALLS, sum_of_numbers(CALLS), || {
        (0..CALLS).fold(0, |sum, turn| {
            store.set_fuel(FUEL).unwrap();
            add.call(&mut store, (sum, turn)).unwrap()
        })
    });
    bench.each_of("call.record", CALLS, CALLS as f64 * order.rate(), || {
        (0..CALLS)
            .map(|_| {
                store.set_fuel(FUEL).unwrap();
                let (name, len) = put(&mut store, (memory, &room), &order.name);
                rate.call(&mut store, (order.id, order.price, name, len, order.paid.into())).unwrap()
            })
            .sum()
    });
    bench.each_of("host.numbers", CALLS, sum_of_numbers(CALLS), || {
        store.set_fuel(FUEL).unwrap();
        numbers.call(&mut store, CALLS).unwrap()
    });
    bench.each_of("host.record", CALLS, sum_of_rates(CALLS), || {
        store.set_fuel(FUEL).unwrap();
        records.call(&mut store, CALLS).unwrap()
    });
}

/// Copies a text to where the guest has room for it.
fn put(store: &mut Store<Host>, (memory, room): (Memory, &TypedFunc<u32, u32>), text: &str) -> (u32, u32) {
    let len = u32::try_from(text.len()).unwrap();
    let at = room.call(&mut *store, len).unwrap();
    memory.write(store, at as usize, text.as_bytes()).unwrap();
    (at, len)
}

fn work(bench: &mut Bench) {
    let module = wat::parse_str(WORK).unwrap();
    let text = Text::default();
    let engine = pooling();
    let mut store = store(&engine);
    let instance = instance(&engine, &mut store, &module);
    let mix_in_guest = instance.get_typed_func::<i64, i64>(&mut store, "mix").unwrap();
    bench.each_of("loop", TURNS, mix(TURNS), || {
        store.set_fuel(FUEL).unwrap();
        mix_in_guest.call(&mut store, TURNS).unwrap()
    });
    let memory = instance.get_memory(&mut store, "memory").unwrap();
    let room = instance.get_typed_func::<u32, u32>(&mut store, "room").unwrap();
    let words = instance.get_typed_func::<(u32, u32), i64>(&mut store, "words").unwrap();
    bench.each_of("words", text.words, text.answer, || {
        store.set_fuel(FUEL).unwrap();
        let place = put(&mut store, (memory, &room), &text.text);
        words.call(&mut store, place).unwrap()
    });

    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let mix_in_guest =
        self::instance(&engine, &mut store, &module).get_typed_func::<i64, i64>(&mut store, "mix").unwrap();
    bench.each_of("loop.uncounted", TURNS, mix(TURNS), || mix_in_guest.call(&mut store, TURNS).unwrap());
}

fn instance<T: 'static>(engine: &Engine, store: &mut Store<T>, module: &[u8]) -> Instance {
    Linker::new(engine).instantiate(store, &Module::new(engine, module).unwrap()).unwrap()
}
