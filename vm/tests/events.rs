//! What the tiers do, as they tell of it.

#![allow(missing_docs, clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use pinfold_vm::api::{Config, Engine, Linker, Module, Store, Tier, TierEvent, Val};

/// A loop that calls a function, and runs until both are compiled and its code was entered.
const TEXT: &str = r#"(module
    (import "host" "more" (func $more (result i32)))
    (func $small (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
    (func $f (export "f") (param i32) (result i32)
        (loop (local.set 0 (call $small (local.get 0)))
            (br_if 0 (i32.and (local.get 0) (i32.const 0xff)))
            (br_if 0 (call $more)))
        (local.get 0)))"#;

/// What is told while `f` runs until that is enough.
fn told(tier: Tier, is_enough: fn(&[TierEvent]) -> bool) -> Vec<TierEvent> {
    let all: Arc<Mutex<Vec<TierEvent>>> = Arc::default();
    let (telling, asked) = (all.clone(), all.clone());
    let mut config = Config::new();
    config.tier(tier).tier_events(move |event| telling.lock().unwrap().push(event.clone()));
    let engine = Engine::new(&config).unwrap();
    let module = Module::new(&engine, wat::parse_str(TEXT).unwrap()).unwrap();
    let mut linker = Linker::new(&engine);
    linker.func_wrap("host", "more", move || i32::from(!is_enough(&asked.lock().unwrap()))).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let f = instance.get_func(&store, "f").unwrap();
    f.call(&mut store, &[Val::I32(0)], &mut [Val::I32(0)]).unwrap();
    all.lock().unwrap().clone()
}

/// An event in short: what, which function, which loop.
fn short(event: &TierEvent) -> String {
    let name = |function: &pinfold_vm::api::Named| format!("{} {}", function.index, function.name.as_deref().unwrap());
    match event {
        TierEvent::Hot { function, heat } => format!("hot {} {heat:?}", name(function)),
        TierEvent::Compiled { function, number, body, code, .. } => {
            assert!(*body > 0 && *code > 0, "{event:?}");
            format!("compiled {} {number:?}", name(function))
        }
        TierEvent::Entered { function, number } => format!("entered {} {number}", name(function)),
        other => format!("{other:?}"),
    }
}

#[test]
fn what_turns_hot_is_told_compiled_and_entered() {
    let is_enough = |events: &[TierEvent]| {
        let is_compiled = |event: &TierEvent| matches!(event, TierEvent::Compiled { number: None, .. });
        events.iter().any(is_compiled) && events.iter().any(|event| matches!(event, TierEvent::Entered { .. }))
    };
    let told: Vec<String> = told(Tier::Auto, is_enough).iter().map(short).collect();
    let at = |text: &str| told.iter().position(|event| event == text).unwrap_or_else(|| panic!("{text}: {told:?}"));
    assert!(at("hot 1 small Calls") < at("compiled 1 small None"));
    let number = told.iter().find_map(|event| event.strip_prefix("entered 2 f ")).unwrap();
    assert!(at(&format!("hot 2 f Loop({number})")) < at(&format!("compiled 2 f Some({number})")));
    assert!(at(&format!("compiled 2 f Some({number})")) < at(&format!("entered 2 f {number}")));
    let entered = told.iter().filter(|event| event.starts_with("entered")).count();
    assert_eq!(entered, 1, "{told:?}");
}

#[test]
fn what_is_compiled_ahead_is_told_and_an_interpreter_has_nothing_to_tell() {
    let told = |tier| told(tier, |_| true);
    let ahead = told(Tier::Jit);
    assert_eq!(ahead.iter().map(short).collect::<Vec<_>>(), ["compiled 1 small None", "compiled 2 f None"]);
    assert!(matches!(ahead[0], TierEvent::Compiled { together: 2, .. }));
    assert_eq!(told(Tier::Interpreter), []);
}

#[test]
fn a_function_that_the_compiler_leaves_out_is_told() {
    let all: Arc<Mutex<Vec<TierEvent>>> = Arc::default();
    let telling = all.clone();
    let mut config = Config::new();
    // There is no memory to compile anything in.
    config.tier(Tier::Jit).compile_memory(0).tier_events(move |event| telling.lock().unwrap().push(event.clone()));
    let engine = Engine::new(&config).unwrap();
    Module::new(&engine, wat::parse_str("(module (func $f (nop)))").unwrap()).unwrap();
    let told = all.lock().unwrap();
    let [TierEvent::Refused { function, number: None, why }] = &told[..] else { panic!("{told:?}") };
    assert!(function.name.as_deref() == Some("f") && why.contains("memory"), "{told:?}");
}
