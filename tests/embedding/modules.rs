//! Programs that come as modules, compiled elsewhere.

use pinfold::{Capability, Console, Vm, grants};

const SOURCE: &str =
    "pub fn double(n: Int) -> Int { 2 * n }\nfn main(out: Console) { out.print(\"four is {double(2)}\") }";

#[test]
fn a_program_is_compiled_once_and_run_on_another_machine() {
    let compiled = Vm::new().unwrap().compile("double.fold", SOURCE).unwrap();
    let loaded = Vm::builder().fuel(None).build().unwrap().load(compiled.module()).unwrap();
    assert_eq!((loaded.needs(), loaded.functions()), (compiled.needs(), compiled.functions()));
    assert_eq!(loaded.call::<i64>("double", (21,)).unwrap(), 42);
    let out = Console::capture();
    loaded.run(grants! { out: out.clone() }).unwrap();
    assert_eq!(out.text(), "four is 4\n");
    // As often as one likes.
    assert_eq!(Vm::new().unwrap().load(loaded.module()).unwrap().module(), compiled.module());
}

#[test]
fn what_is_no_module_or_for_another_machine_is_an_error() {
    let adder = |base: i64| Capability::new("Adder").method("add", ["n"], move |_: &(), n: i64| base + n);
    let other = Capability::new("Adder").method("add", ["m"], |_: &(), m: i64| m);
    let source = "import host\npub fn add(adder: host.Adder, n: Int) -> Int { adder.add(n) }";
    let machine = |adder: &Capability<()>| Vm::builder().capability(adder).build().unwrap();
    let compiled = machine(&adder(1)).compile("add.fold", source).unwrap().module().to_vec();
    let program = machine(&adder(2)).load(compiled.as_slice()).unwrap();
    let mut session = program.session(grants! { adder: adder(2).with(()) }).unwrap();
    assert_eq!(session.call::<i64>("add", (40,)).unwrap(), 42);
    for vm in [machine(&other), Vm::new().unwrap()] {
        let error = vm.load(compiled.as_slice()).unwrap_err();
        assert_eq!(
            (error.code(), error.to_string().as_str()),
            ("grant", "the program was compiled for other capabilities of its host")
        );
    }
    let vm = Vm::new().unwrap();
    for bytes in [&b""[..], b"\0asm\x01\0\0\0\x7f", SOURCE.as_bytes(), &compiled[..compiled.len() / 2]] {
        assert_eq!(vm.load(bytes).unwrap_err().code(), "machine");
    }
    // One that offers nothing can be run, if it has a beginning.
    let empty = vm.load(b"\0asm\x01\0\0\0".as_slice()).unwrap();
    assert_eq!(empty.run(grants! {}).unwrap_err().code(), "no_function");
}

#[test]
fn a_worker_runs_what_was_compiled_elsewhere() {
    let confined = super::workers::builder().build().unwrap();
    let here = Vm::new().unwrap().compile("double.fold", SOURCE).unwrap();
    let loaded = confined.load(here.module()).unwrap();
    assert_eq!(loaded.functions(), here.functions());
    assert_eq!(loaded.call::<i64>("double", (21,)).unwrap(), 42);
    assert_eq!(confined.compile("double.fold", SOURCE).unwrap().module(), here.module());
    // What it is, only a worker finds out.
    let broken = confined.load(b"\0asm\x01\0\0\0\x7f".as_slice()).unwrap();
    assert_eq!(broken.run(grants! {}).unwrap_err().code(), "worker");
}
