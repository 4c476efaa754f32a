//! What happens inside of one process: calls into the host, instances made and dropped.
//!
//!     cargo bench --bench in_process [-- calls | rows | instances | fold]
//!
//! Prints medians over rounds. Nothing is compared with a fixed time: machines differ.

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Instant;

use pinfold::{FromFold, Grants, Session, ToFold, Vm};
use pinfold_vm::api::{Config, Engine, Linker, Module, Store, StoreLimits, Tier};
use pinfold_vm::host::{self, HostState};

const ROUNDS: usize = 15;

const CALLS: &str = r#"(module
    (import "host" "add" (func $host (param i32 i32) (result i32)))
    (table 1 funcref) (elem (i32.const 0) $guest)
    (func $guest (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "nothing") (param $n i32) (result i32) (local $sum i32)
        (loop $again
            (local.set $sum (i32.add (local.get $sum) (local.get $n)))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $sum))
    (func (export "guest") (param $n i32) (result i32) (local $sum i32)
        (loop $again
            (local.set $sum (call $guest (local.get $sum) (local.get $n)))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $sum))
    (func (export "host") (param $n i32) (result i32) (local $sum i32)
        (loop $again
            (local.set $sum (call $host (local.get $sum) (local.get $n)))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $sum)))"#;

const SMALL: &str = r#"(module (memory (export "memory") 1 4) (table 10 funcref) (elem (i32.const 0) $f)
    (global (mut i32) (i32.const 1)) (data (i32.const 16) "hello")
    (func $f (export "f") (result i32) (i32.store (i32.const 8) (i32.const 9)) (i32.load (i32.const 8))))"#;

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// The median of what `run` takes for one of its `turns`, in nanoseconds.
fn each(turns: u32, mut run: impl FnMut(u32)) -> f64 {
    run(turns / 10);
    let round = |run: &mut dyn FnMut(u32)| {
        let start = Instant::now();
        run(turns);
        start.elapsed().as_nanos() as f64 / f64::from(turns)
    };
    median((0..ROUNDS).map(|_| round(&mut run)).collect())
}

fn calls(tier: Tier) {
    let engine = Engine::new(Config::new().tier(tier)).unwrap();
    let module = Module::new(&engine, wat::parse_str(CALLS).unwrap()).unwrap();
    let mut linker = Linker::new(&engine);
    linker.func_wrap("host", "add", |a: i32, b: i32| a.wrapping_add(b)).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let figures = ["nothing", "guest", "host"].map(|export| {
        let run = instance.get_typed_func::<(i32,), i32>(&store, export).unwrap();
        each(2_000_000, |turns| {
            black_box(run.call(&mut store, (turns as i32,)).unwrap());
        })
    });
    let [nothing, guest, host] = figures;
    println!(
        "{tier:?}: a loop's turn {nothing:.1} ns, with a call inside {guest:.1} ns, with a host call {host:.1} ns"
    );
    println!("{tier:?}: a host call costs {:.1} ns more than a call inside", host - guest);
    let enter = instance.get_typed_func::<(i32,), i32>(&store, "guest").unwrap();
    let entered = each(100_000, |turns| {
        for _ in 0..turns {
            black_box(enter.call(&mut store, (1,)).unwrap());
        }
    });
    println!("{tier:?}: a call from the host costs {entered:.1} ns");
}

const ROWS: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $stat (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "run") (param $n i32) (result i32)
        (loop $again
            (drop (call $stat (i32.const 1) (i32.const 0)))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $n)))"#;

/// Calls of a row of the host table: as they are, and told to someone who does nothing with it.
fn rows(tier: Tier) {
    let engine = Engine::new(Config::new().tier(tier)).unwrap();
    let module = Module::new(&engine, wat::parse_str(ROWS).unwrap()).unwrap();
    let [plain, recorded] = [false, true].map(|is_recorded| {
        let grants = host::Grants::none();
        let mut host = HostState::new(&grants).unwrap();
        let mut linker = Linker::new(&engine);
        if is_recorded {
            host.record_to(Box::new(|event| {
                black_box(event);
                Ok(())
            }));
            linker.recorded_host_table(&grants, |host| host);
        } else {
            linker.host_table(&grants, |host| host);
        }
        let mut store = Store::new(&engine, host);
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let run = instance.get_typed_func::<(i32,), i32>(&store, "run").unwrap();
        each(1_000_000, |turns| {
            black_box(run.call(&mut store, (turns as i32,)).unwrap());
        })
    });
    println!(
        "{tier:?}: a loop's turn with a call of the host table {plain:.1} ns, {recorded:.1} ns where calls are recorded"
    );
}

fn instances(tier: Tier) {
    let engine = Engine::new(Config::new().tier(tier)).unwrap();
    let module = Module::new(&engine, wat::parse_str(SMALL).unwrap()).unwrap();
    let linker = Linker::<()>::new(&engine);
    let mut store = Store::new(&engine, ());
    let both = each(10_000, |turns| {
        for _ in 0..turns {
            let instance = linker.instantiate(&mut store, &module).unwrap();
            instance.close(&mut store).unwrap();
        }
    });
    const MANY: usize = 500;
    let made = median(
        (0..ROUNDS)
            .map(|_| {
                let limits = StoreLimits { instances: MANY, ..StoreLimits::default() };
                let mut store = Store::with_limits(&engine, (), limits);
                let start = Instant::now();
                for _ in 0..MANY {
                    black_box(linker.instantiate(&mut store, &module).unwrap());
                }
                start.elapsed().as_nanos() as f64 / MANY as f64
            })
            .collect(),
    );
    let used = each(10_000, |turns| {
        for _ in 0..turns {
            let instance = linker.instantiate(&mut store, &module).unwrap();
            let f = instance.get_typed_func::<(), i32>(&store, "f").unwrap();
            black_box(f.call(&mut store, ()).unwrap());
            instance.close(&mut store).unwrap();
        }
    });
    let (made, both, used) = (made / 1e3, both / 1e3, used / 1e3);
    println!(
        "{tier:?}: an instance is made in {made:.2} µs; made and dropped in {both:.2} µs, and called once in {used:.2} µs"
    );
}

const FOLD: &str = r#"
record Order { id: Int, price: Float, name: String, paid: Bool }
pub fn nothing() {}
pub fn add(a: Int, b: Int) -> Int { a + b }
pub fn rate(order: Order) -> Float { if order.paid { order.price } else { 0.0 } }
pub fn same(order: Order) -> Order { order }
pub fn sum(list: List<Int>) -> Int { list.sum() }
"#;

#[derive(Clone, FromFold, ToFold)]
struct Order {
    id: i64,
    price: f64,
    name: String,
    paid: bool,
}

/// Calls of functions in Fold.
fn fold(tier: Tier) {
    let vm = Vm::builder().tier(tier).build().unwrap();
    let program = vm.compile("calls.fold", FOLD).unwrap();
    let mut session = program.session(Grants::none()).unwrap();
    let order = Order { id: 7, price: 9.5, name: "twenty bytes of text".into(), paid: true };
    let list: Vec<i64> = (0..1000).collect();
    let turns = 50_000;
    let mut each =
        |call: &mut dyn FnMut(&mut Session)| each(turns, |turns| (0..turns).for_each(|_| call(&mut session)));
    let nothing = each(&mut |session| session.call("nothing", ()).unwrap());
    let numbers = each(&mut |session| _ = black_box(session.call::<i64>("add", (1, 2)).unwrap()));
    let takes = each(&mut |session| _ = black_box(session.call::<f64>("rate", (&order,)).unwrap()));
    let gives = each(&mut |session| _ = black_box(session.call::<Order>("same", (&order,)).unwrap()));
    let long = each(&mut |session| _ = black_box(session.call::<i64>("sum", (&list,)).unwrap()));
    let pooled = self::each(turns, |turns| {
        (0..turns).for_each(|_| _ = black_box(program.call::<f64>("rate", (&order,)).unwrap()));
    });
    println!("{tier:?}: calls of Fold: {nothing:.0} ns; with two numbers {numbers:.0} ns");
    println!(
        "{tier:?}: with a record of four fields {takes:.0} ns, which comes back {gives:.0} ns, without a session {pooled:.0} ns"
    );
    println!("{tier:?}: with a list of 1000 numbers {long:.0} ns");
    let compiled =
        self::each(20, |turns| (0..turns).for_each(|_| drop(black_box(vm.compile("calls.fold", FOLD).unwrap()))));
    let run =
        self::each(200, |turns| (0..turns).for_each(|_| drop(black_box(program.session(Grants::none()).unwrap()))));
    println!("{tier:?}: compiled in {:.2} ms, a session made in {:.1} µs", compiled / 1e6, run / 1e3);
}

/// A part of the measurements, by its name.
type Part = (&'static str, fn(Tier));

fn main() {
    // `cargo test --benches` passes this: then it is enough that it builds.
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    let parts: [Part; 4] = [("calls", calls), ("rows", rows), ("instances", instances), ("fold", fold)];
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    for tier in [Tier::Jit, Tier::Interpreter] {
        for (_, run) in parts.iter().filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|other| other == name)) {
            run(tier);
        }
    }
}
