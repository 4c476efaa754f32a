//! The functions of the host as the standard library declares them, and as the machine has them: the same names, the same types.
//!
//! What declares one is not asked what it becomes: all of them are called by one program, and the machine says what that imports.

use std::collections::BTreeMap;
use std::fmt::Write;

use pinfold_compiler::check::{self, STANDARD};
use pinfold_compiler::driver;
use pinfold_vm::api::{Config, Engine, Linker, Module, Store};
use pinfold_vm::host::fold::{MODULE, NEEDS, Need};
use pinfold_vm::host::{DirGrant, Grants, HostState, NetGrant, Stdin, table};

use super::program::{lines, modules};

/// A function as it is declared: its name, the types of its parameters, and what it gives.
struct Declared<'a> {
    name: &'a str,
    params: Vec<&'a str>,
    result: &'a str,
}

fn declared() -> Vec<Declared<'static>> {
    let lines = STANDARD.iter().flat_map(|(_, text)| text.lines());
    let heads = lines.filter_map(|line| line.strip_prefix("host fn ").or_else(|| line.strip_prefix("pub host fn ")));
    heads
        .map(|head| {
            let (name, rest) = head.split_once('(').expect("parameters");
            let (params, result) = rest.split_once(')').expect("their end");
            let params = params.split(", ").filter_map(|param| param.split_once(": ")).map(|(_, ty)| ty).collect();
            let result = result.trim_end_matches(" {").strip_prefix(" -> ").unwrap_or("()");
            Declared { name, params, result }
        })
        .collect()
}

/// A module that calls all of them.
fn caller(declared: &[Declared<'_>]) -> Vec<u8> {
    let mut text = String::from(
        "fn no_handle() -> Extern { panic(\"\") }\n\
         fn call_all(handle: Extern, text: String, int: Int, float: Float) {\n",
    );
    for function in declared {
        let arguments = function.params.iter().map(|ty| match *ty {
            "Extern" => "handle",
            "String" => "text",
            "Int" => "int",
            "Float" => "float",
            other => panic!("{}: a parameter is {other}", function.name),
        });
        let call = format!("{}({})", function.name, arguments.collect::<Vec<_>>().join(", "));
        // What gives nothing would end it.
        let _ = match function.result {
            "Never" => writeln!(text, "    if int == 0 {{ {call} }}"),
            "()" => writeln!(text, "    {call}"),
            _ => writeln!(text, "    let _ = {call}"),
        };
    }
    text += "}\npub fn every_row() { call_all(no_handle(), \"\", 1, 1.0) }\n";
    let mut standard = STANDARD.to_vec();
    standard.push(("prelude/rows.fold", &text));
    standard.sort_unstable();
    let options = check::Options { standard: &standard, ..check::Options::default() };
    let checked = driver::check("main", &mut modules("fn main() { every_row() }\n"), options);
    let checked = checked.unwrap_or_else(|rejected| panic!("{}", lines(&rejected)));
    let options = pinfold_compiler::Options { optimise: false, ..pinfold_compiler::Options::default() };
    checked.compile(options).unwrap_or_else(|rejected| panic!("{}", lines(&rejected)))
}

#[test]
fn the_library_declares_the_functions_that_the_machine_has() {
    let declared = declared();
    let engine = Engine::new(&Config::new()).unwrap();
    let module = Module::new(&engine, caller(&declared)).expect("a module");
    let imports: BTreeMap<String, String> = module
        .imports()
        .map(|(module, name, ty)| {
            assert_eq!(module, MODULE, "{name}");
            (name.to_owned(), format!("{ty:?}"))
        })
        .collect();
    let names = |names: Vec<&str>| {
        let mut names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        names.sort_unstable();
        names
    };
    let declared_names = names(declared.iter().map(|function| function.name).collect());
    let rows: Vec<&table::Row> = table::rows().iter().filter(|row| row.module == MODULE).collect();
    assert_eq!(declared_names, names(rows.iter().map(|row| row.name).collect()));
    assert_eq!(declared_names, names(imports.keys().map(String::as_str).collect()), "what is imported");
    for row in rows {
        let ty = pinfold_vm::types::ExternType::Func(row.func_type());
        assert_eq!(imports[row.name], format!("{ty:?}"), "{}", row.name);
    }
    // And it fits by the machine's own rules.
    let grants = Grants::command();
    let mut store = Store::new(&engine, HostState::new(&Grants::none()).expect("a host"));
    let mut linker = Linker::new(&engine);
    linker.host_table(&grants, |host: &mut HostState| host);
    linker.instantiate(&mut store, &module).expect("an instance");
}

/// All that can be granted, under the name `it`.
fn everything() -> Grants {
    let dir = DirGrant { name: Some("it".into()), host: "/".into(), guest: "/it".into(), writable: false };
    Grants {
        dirs: vec![dir],
        net: vec![NetGrant::connect("it=127.0.0.1:1").expect("a grant")],
        stdin: Stdin::Bytes(Vec::new().into()),
        ..Grants::command()
    }
}

/// What the compiler takes for something that `main` is handed, the machine hands over; and nothing else.
#[test]
fn what_main_can_be_handed_can_be_granted() {
    let capabilities = STANDARD.iter().flat_map(|(_, text)| text.lines());
    let capabilities = capabilities.filter_map(|line| line.strip_prefix("pub capability ")?.strip_suffix(" {"));
    let (mut handed, mut not) = (Vec::new(), Vec::new());
    for name in capabilities {
        let text = format!("fn main(it: {name}) {{ let _ = it }}\n");
        let need = Need { name: "it".into(), kind: name.into() };
        let can_be_granted = everything().missing(&[need]).is_empty();
        let options = check::Options::default();
        match driver::check("main", &mut modules(&text), options) {
            Ok(checked) => {
                let bytes = checked.compile(pinfold_compiler::Options::default()).expect("a module");
                let module = Module::new(&Engine::new(&Config::new()).unwrap(), bytes).expect("a module");
                let needs = module.custom_section(NEEDS).and_then(Need::parse).expect("needs");
                assert_eq!(needs, [Need { name: "it".into(), kind: name.into() }]);
                assert!(can_be_granted, "{name}");
                handed.push(name);
            }
            Err(rejected) => {
                assert!(!can_be_granted, "{name}: {}", lines(&rejected));
                not.push(name);
            }
        }
    }
    handed.sort_unstable();
    assert_eq!(handed, ["Args", "Clock", "Console", "Dir", "Env", "Net", "Random"]);
    assert_eq!(not, ["File", "Connection"]);
}
