//! Pinfold, with its default limits.
//!
//!     pinfold times | memory [--tier auto|jit|interpreter]
//!     pinfold workers --worker FILE       fresh runs in confined processes

use std::path::PathBuf;
use std::time::{Duration, Instant};

use pinfold::{Grants, Isolation, Program, Tier, Vm, VmBuilder, grants};
use pinfold_embedding::{Bench, CALLS, Order, PARCELS, TOTAL, TURNS, Text, mix, sum_of_numbers, sum_of_rates};

const SCRIPT: &str = include_str!("../../programs/script.fold");
const FUNCTIONS: &str = include_str!("../../programs/calls.fold");
const WORK: &str = include_str!("../../programs/work.fold");

/// What the host does for the guest.
#[pinfold::capability]
pub trait Desk {
    fn add(&self, a: i64, b: i64) -> i64;
    fn rate(&self, order: &Order) -> f64;
}

struct Host;

impl Desk for Host {
    fn add(&self, a: i64, b: i64) -> i64 {
        a.wrapping_add(b)
    }

    fn rate(&self, order: &Order) -> f64 {
        order.rate()
    }
}

fn main() {
    let mut bench = Bench::from_arguments();
    match bench.part() {
        "workers" => workers(&mut bench),
        _ => return pinfold_embedding::main(times, memory),
    }
    bench.print();
}

fn option(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}

fn builder() -> VmBuilder {
    Vm::builder().tier(match option("--tier").as_deref() {
        None | Some("auto") => Tier::Auto,
        Some("jit") => Tier::Jit,
        Some("interpreter") => Tier::Interpreter,
        Some(other) => panic!("{other} is no tier"),
    })
}

fn machine() -> Vm {
    builder().build().unwrap()
}

fn total(program: &Program) -> i64 {
    program.call("total", (PARCELS,)).unwrap()
}

fn times(bench: &mut Bench) {
    let whole = || total(&machine().compile("script.fold", SCRIPT).unwrap());
    bench.first("source.first", TOTAL, whole);
    bench.each("source", TOTAL, whole);
    let vm = machine();
    bench.each("source.kept", TOTAL, || total(&vm.compile("script.fold", SCRIPT).unwrap()));

    let program = vm.compile("script.fold", SCRIPT).unwrap();
    let module = program.module().to_vec();
    bench.each("compiled", TOTAL, || total(&machine().load(module.as_slice()).unwrap()));
    bench.each("compiled.kept", TOTAL, || fresh(&program));
    bench.each("compiled.again", TOTAL, || total(&program));

    calls(bench);
    work(bench);
}

/// In an instance of its own.
fn fresh(program: &Program) -> i64 {
    program.session(Grants::none()).unwrap().call("total", (PARCELS,)).unwrap()
}

fn memory(bench: &mut Bench) {
    let program = machine().compile("script.fold", SCRIPT).unwrap();
    bench.memory(|| fresh(&program));
}

fn calls(bench: &mut Bench) {
    let vm = builder().capability(&Desk).build().unwrap();
    let program = vm.compile("calls.fold", FUNCTIONS).unwrap();
    let mut session = program.session(grants! { desk: Desk.with(Host) }).unwrap();
    let order = Order::example();
    bench.each_of("call.nothing", CALLS, (), || (0..CALLS).for_each(|_| session.call("nothing", ()).unwrap()));
    bench.each_of("call.numbers", CALLS, sum_of_numbers(CALLS), || {
        (0..CALLS).fold(0, |sum, turn| session.call("add", (sum, turn)).unwrap())
    });
    bench.each_of("call.record", CALLS, CALLS as f64 * order.rate(), || {
        (0..CALLS).map(|_| session.call::<f64>("rate", (&order,)).unwrap()).sum()
    });
    bench.each_of("host.numbers", CALLS, sum_of_numbers(CALLS), || session.call("numbers", (CALLS,)).unwrap());
    bench.each_of("host.record", CALLS, sum_of_rates(CALLS), || session.call("records", (CALLS,)).unwrap());
}

fn work(bench: &mut Bench) {
    let turns = if option("--tier").as_deref() == Some("interpreter") { TURNS / 10 } else { TURNS };
    let text = Text::default();
    let mut session = machine().compile("work.fold", WORK).unwrap().session(Grants::none()).unwrap();
    bench.each_of("loop", turns, mix(turns), || session.call("mix", (turns,)).unwrap());
    bench.each_of("words", text.words, text.answer, || session.call("words", (&text.text,)).unwrap());
    let uncounted = builder().fuel(None).build().unwrap();
    let mut session = uncounted.compile("work.fold", WORK).unwrap().session(Grants::none()).unwrap();
    bench.each_of("loop.uncounted", turns, mix(turns), || session.call("mix", (turns,)).unwrap());
}

/// Runs that are timed one by one; those of each thread, where there are several.
const RUNS: usize = 400;

/// Fresh runs, each in a process that is locked down: of those that are made for them, and of those that are kept ready.
fn workers(bench: &mut Bench) {
    let worker = PathBuf::from(option("--worker").expect("--worker FILE"));
    let runs = if bench.is_check() { 2 } else { RUNS };
    for (kind, spare) in [("made", 0), ("ready", 4)] {
        let vm = builder().isolation(Isolation::Worker).worker(&worker).spare_workers(spare).build().unwrap();
        let program = vm.compile("script.fold", SCRIPT).unwrap();
        // Those that are kept ready are so for calls like one that was made.
        assert_eq!(total(&program), TOTAL);
        for (how, pause) in [("alone", Duration::from_millis(10)), ("in_turn", Duration::ZERO)] {
            let mut times: Vec<Duration> = (0..runs)
                .map(|_| {
                    std::thread::sleep(pause);
                    let start = Instant::now();
                    assert_eq!(total(&program), TOTAL);
                    start.elapsed()
                })
                .collect();
            times.sort();
            bench.figure(&format!("workers.{kind}.{how}"), times[runs / 2].as_nanos() as f64);
            bench.figure(&format!("workers.{kind}.{how}.99"), times[runs * 99 / 100].as_nanos() as f64);
        }
        let start = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| (0..runs).for_each(|_| assert_eq!(total(&program), TOTAL)));
            }
        });
        bench.figure(&format!("workers.{kind}.a_second"), (2 * runs) as f64 / start.elapsed().as_secs_f64());
    }
}
