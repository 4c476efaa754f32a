//! Modules that were not made by Fold's compiler, and ask Fold's host functions for what they were not handed.
//!
//! A module that somebody wrote by hand can import each function of the host, and make whatever the rules of WebAssembly allow: structs
//! of the shapes that Fold's have, `externref`s from its own objects, handles in places where others are meant. Whatever it is, the call
//! ends the run, or fails with a number, and nothing outside has changed.

#![allow(missing_docs, clippy::unwrap_used)]

use std::fmt::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use pinfold_vm::api::{
    Config, Engine, Error, ExternRef, Instance, Linker, Module, Store, Tier, TrapKind, Val, ValType,
};
use pinfold_vm::heap::Checks;
use pinfold_vm::host::fold::{HostValue, MODULE, Need};
use pinfold_vm::host::table::{Row, rows};
use pinfold_vm::host::{Console, DirGrant, Grants, HostError, HostState, NetGrant, Stdin};

const TIERS: [Tier; 2] = [Tier::Interpreter, Tier::Jit];
const EVERY: Checks = Checks { every_allocation: true, poison: true, verify: true, timed: false };

/// The path that functions are called with.
const PATH: &str = "inside";
/// What is in the directory that is granted for writing, and what is beside it.
const TEXT: &str = "as it was";

/// Kinds of capabilities, by the parameters that take them; the directory comes in two.
const KINDS: [&str; 9] = ["console", "dir", "file", "net", "connection", "clock", "random", "env", "args"];

/// Rows that take handles.
fn handle_rows() -> impl Iterator<Item = &'static Row> {
    rows().iter().filter(|row| row.module == MODULE && row.params.contains(&ValType::EXTERN))
}

/// The kind that a parameter takes.
fn kind(parameter: &str) -> &str {
    match parameter {
        "to_dir" => "dir",
        other => other,
    }
}

fn ty(ty: &ValType) -> &'static str {
    match *ty {
        ValType::EXTERN => "(ref extern)",
        ValType::EXTERNREF => "externref",
        ValType::BYTES => "(ref $bytes)",
        ValType::NULLABLE_BYTES => "(ref null $bytes)",
        ValType::I64 => "i64",
        ValType::I32 => "i32",
        ValType::F64 => "f64",
        other => panic!("{other:?} is in no row"),
    }
}

/// A module that imports all of Fold's host functions and exports each that takes handles, as `call NAME`: it takes two externrefs, for the
/// handles, and gives the number that the function gives, how many bytes (-1: none), or
/// whether it gives a handle. It makes false handles too.
fn hostile() -> String {
    let mut text = String::from("(module (type $bytes (array (mut i8)))\n");
    for row in rows().iter().filter(|row| row.module == MODULE) {
        let params: Vec<_> = row.params.iter().map(ty).collect();
        let results: Vec<_> = row.results.iter().map(ty).collect();
        let (params, results) = (params.join(" "), results.join(" "));
        let name = row.name;
        writeln!(text, r#"(import "fold" "{name}" (func ${name} (param {params}) (result {results})))"#).unwrap();
    }
    let bytes: String = PATH.bytes().map(|byte| format!("(i32.const {byte})")).collect();
    for row in handle_rows() {
        let mut handles = 0..;
        let arguments: String = row
            .params
            .iter()
            .map(|param| match *param {
                ValType::EXTERN => format!("(ref.as_non_null (local.get {}))", handles.next().unwrap()),
                ValType::BYTES => format!("(array.new_fixed $bytes {} {bytes})", PATH.len()),
                ValType::I64 => "(i64.const 1)".into(),
                other => panic!("{other:?}"),
            })
            .collect();
        let call = format!("(call ${} {arguments})", row.name);
        let result = match row.results {
            [] => format!("{call} (i64.const 0)"),
            [ValType::I64] => call,
            [ValType::I32] => format!("(i64.extend_i32_u {call})"),
            [ValType::BYTES] => format!("(i64.extend_i32_u (array.len {call}))"),
            [ValType::NULLABLE_BYTES] => format!(
                "(local $given (ref null $bytes)) (local.set $given {call})
                (if (result i64) (ref.is_null (local.get $given)) (then (i64.const -1))
                    (else (i64.extend_i32_u (array.len (local.get $given)))))"
            ),
            _ => format!("(i64.extend_i32_u (i32.eqz (ref.is_null {call})))"),
        };
        writeln!(text, r#"(func (export "call {}") (param externref externref) (result i64) {result})"#, row.name)
            .unwrap();
    }
    text += r#"
    ;; What Fold's compiler makes of a capability: the record that holds the handle, alone and below a tagged base.
    (type $record (struct (field externref)))
    (rec (type $base (sub (struct (field i32)))) (type $tagged (sub final $base (struct (field i32) (field externref)))))
    (func (export "a struct that holds the handle") (param externref) (result externref)
        (extern.convert_any (struct.new $record (local.get 0))))
    (func (export "a tagged struct that holds the handle") (param externref) (result externref)
        (extern.convert_any (struct.new $tagged (i32.const 0) (local.get 0))))
    (func (export "an empty struct") (param externref) (result externref)
        (extern.convert_any (struct.new_default $record)))
    (func (export "a small integer") (param externref) (result externref)
        (extern.convert_any (ref.i31 (i32.const 3))))
    (func (export "zero") (param externref) (result externref)
        (extern.convert_any (ref.i31 (i32.const 0))))
    (func (export "bytes") (param externref) (result externref)
        (extern.convert_any (array.new_default $bytes (i32.const 64))))
    (func (export "null") (param externref) (result externref)
        (ref.null extern))
    (func (export "null of another hierarchy") (param externref) (result externref)
        (extern.convert_any (ref.null none)))
    ;; The handle itself, by a way round.
    (func (export "the handle again") (param externref) (result externref)
        (extern.convert_any (any.convert_extern (local.get 0))))
    ;; Kept by the guest.
    (global $kept (mut externref) (ref.null extern))
    (func (export "keep") (param externref) (result i64) (global.set $kept (local.get 0)) (i64.const 0))
    (func (export "read") (result i64)
        (i64.extend_i32_u (i32.eqz (ref.is_null (call $dir_read (ref.as_non_null (global.get $kept)) PATH)))))
    ;; What is in a handle.
    (func (export "open as a struct") (param externref) (result externref)
        (struct.get $record 0 (ref.cast (ref $record) (any.convert_extern (local.get 0)))))
    (func (export "open as bytes") (param externref) (result externref)
        (drop (array.get_u $bytes (ref.cast (ref $bytes) (any.convert_extern (local.get 0))) (i32.const 0))) (ref.null extern))
    (func (export "open as a small integer") (param externref) (result externref)
        (drop (i31.get_u (ref.cast (ref i31) (any.convert_extern (local.get 0))))) (ref.null extern))
    (func (export "compare") (param externref externref) (result externref)
        (drop (ref.eq (ref.cast eqref (any.convert_extern (local.get 0)))
            (ref.cast eqref (any.convert_extern (local.get 1))))) (ref.null extern))
    )"#;
    text.replace("PATH", &format!("(array.new_fixed $bytes {} {bytes})", PATH.len()))
}

/// A program in a store of its own, with everything granted that there is.
struct Program {
    folder: tempfile::TempDir,
    output: Arc<Mutex<Vec<u8>>>,
    store: Store<HostState>,
    instance: Instance,
    handles: Vec<(&'static str, HostValue)>,
    /// The other end of its connection.
    peer: TcpStream,
}

impl Program {
    fn new(tier: Tier) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for place in ["data", "read"] {
            std::fs::create_dir(folder.path().join(place)).unwrap();
            std::fs::write(folder.path().join(place).join(PATH), TEXT).unwrap();
        }
        std::fs::write(folder.path().join("outside"), TEXT).unwrap();
        let dir = |name: &str, writable| DirGrant {
            name: Some(name.into()),
            host: folder.path().join(name),
            guest: format!("/{name}"),
            writable,
        };
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let origin = server.local_addr().unwrap().to_string();
        let inside = TcpStream::connect(&origin).unwrap();
        let (peer, _) = server.accept().unwrap();
        let output = Arc::<Mutex<Vec<u8>>>::default();
        let grants = Grants {
            dirs: vec![dir("data", true), dir("read", false)],
            net: vec![NetGrant::connect(&format!("net={origin}")).unwrap()],
            console: Console::Capture { stdout: output.clone(), stderr: output.clone() },
            stdin: Stdin::Bytes(b"input\n".as_slice().into()),
            deterministic: Some(1),
            ..Grants::command()
        };
        let mut host = HostState::new(&grants).unwrap();
        host.add_socket(inside.into()).unwrap();
        let kinds = [
            ("console", "console", "Console"),
            ("dir", "data", "Dir"),
            ("read-only dir", "read", "Dir"),
            ("net", "net", "Net"),
            ("clock", "clock", "Clock"),
            ("random", "random", "Random"),
            ("env", "env", "Env"),
            ("args", "args", "Args"),
        ];
        let needs: Vec<Need> =
            kinds.iter().map(|(_, name, kind)| Need { name: (*name).into(), kind: (*kind).into() }).collect();
        let values = host.capabilities(&grants, &needs).unwrap();
        let handles = kinds.iter().map(|(kind, _, _)| *kind).zip(values).collect();
        let engine = Engine::new(Config::new().tier(tier).heap_checks(EVERY)).unwrap();
        let module = Module::new(&engine, wat::parse_str(hostile()).unwrap()).unwrap();
        let mut store = Store::new(&engine, host);
        store.connect(|host| host);
        let mut linker = Linker::new(&engine);
        linker.host_table(&grants, |host: &mut HostState| host);
        let instance = linker.instantiate(&mut store, &module).unwrap();
        Self { folder, output, store, instance, handles, peer }
    }

    /// What it was handed of a kind; a file and a connection are made from what it was.
    fn handle(&mut self, kind: &str) -> ExternRef {
        match kind {
            "file" => self.made("dir_open", "dir"),
            "connection" => self.made("net_connect", "net"),
            _ => ExternRef::of(self.handles.iter().find(|(name, _)| *name == kind).unwrap().1.clone()),
        }
    }

    /// What a function makes that gives a handle, of a handle: a module of its own is what hands it on.
    fn made(&mut self, row: &str, of: &str) -> ExternRef {
        let path = match row {
            "net_connect" => self.peer.local_addr().unwrap().to_string(),
            _ => PATH.to_owned(),
        };
        let of = self.handle(of);
        self.give(row, &of, &path, 0).unwrap().unwrap()
    }

    /// Calls a function that takes a handle, perhaps a text, perhaps a number, and gives a handle.
    fn give(&mut self, name: &str, of: &ExternRef, path: &str, mode: i64) -> Result<Option<ExternRef>, Error> {
        let row = rows().iter().find(|row| row.module == MODULE && row.name == name).unwrap();
        let params: Vec<_> = row.params.iter().map(ty).collect();
        let bytes: String = path.bytes().map(|byte| format!("(i32.const {byte})")).collect();
        let arguments: String = row.params[1..]
            .iter()
            .map(|param| match *param {
                ValType::BYTES => format!("(array.new_fixed $bytes {} {bytes})", path.len()),
                _ => format!("(i64.const {mode})"),
            })
            .collect();
        let (params, result) = (params.join(" "), ty(&row.results[0]));
        let text = format!(
            r#"(module (type $bytes (array (mut i8))) (import "fold" "{name}" (func $it (param {params}) (result {result})))
            (func (export "it") (param externref) (result externref)
                (call $it (ref.as_non_null (local.get 0)) {arguments})))"#
        );
        let module = Module::new(self.store.engine(), wat::parse_str(text).unwrap()).unwrap();
        let mut linker = Linker::new(&self.store.engine().clone());
        linker.host_table(&Grants::command(), |host: &mut HostState| host);
        let instance = linker.instantiate(&mut self.store, &module)?;
        self.export(instance, "it", &[Some(of.clone())]).map(|value| value.extern_ref().unwrap().cloned())
    }

    fn export(&mut self, instance: Instance, name: &str, arguments: &[Option<ExternRef>]) -> Result<Val, Error> {
        let func = instance.get_func(&self.store, name).unwrap();
        let arguments: Vec<Val> = arguments.iter().cloned().map(Val::ExternRef).collect();
        let mut results = [Val::zero(func.ty(&self.store).unwrap().results()[0])];
        func.call(&mut self.store, &arguments, &mut results)?;
        Ok(results[0].clone())
    }

    /// Calls a row with handles; the number that it gives.
    fn call(&mut self, row: &Row, first: Option<ExternRef>, second: Option<ExternRef>) -> Result<i64, Error> {
        self.export(self.instance, &format!("call {}", row.name), &[first, second]).map(|value| value.i64().unwrap())
    }

    /// All that it could have changed outside.
    fn outside(&mut self) -> Vec<(String, String)> {
        fn look(folder: &Path, found: &mut Vec<(String, String)>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_symlink() {
                    continue;
                }
                if path.is_dir() {
                    found.push((path.display().to_string(), String::new()));
                    look(&path, found);
                } else {
                    found.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
                }
            }
        }
        self.store.data_mut().flush();
        let mut found = vec![("output".into(), String::from_utf8(self.output.lock().unwrap().clone()).unwrap())];
        look(self.folder.path(), &mut found);
        found.sort();
        self.peer.set_nonblocking(true).unwrap();
        let mut sent = [0; 64];
        let sent = std::io::Read::read(&mut self.peer, &mut sent);
        found.push(("sent".into(), format!("{:?}", sent.map_err(|error| error.kind()))));
        found
    }
}

fn host_error(error: &Error) -> Option<&HostError> {
    error.trap()?.source.as_ref()?.downcast_ref()
}

/// Whether the run ended since what was handed over is no such capability.
fn is_refused(result: &Result<i64, Error>) -> bool {
    result.as_ref().err().and_then(host_error).is_some_and(|error| matches!(error, HostError::NoCapability))
}

/// The arguments with one that is false in each place in turn, and the right ones in the others.
fn with_one_false(program: &mut Program, row: &Row, wrong: &ExternRef) -> Vec<[Option<ExternRef>; 2]> {
    let handles: Vec<&str> = row
        .params
        .iter()
        .zip(row.param_names)
        .filter(|(ty, _)| **ty == ValType::EXTERN)
        .map(|(_, name)| *name)
        .collect();
    let places = 0..handles.len();
    let mut all = Vec::new();
    for place in places {
        let mut arguments = [None, None];
        for (at, name) in handles.iter().enumerate() {
            arguments[at] = Some(if at == place { wrong.clone() } else { program.handle(kind(name)) });
        }
        all.push(arguments);
    }
    all
}

/// That each row refuses a value in each place where a handle is wanted, but for the places of these kinds.
fn each_row_refuses(program: &mut Program, wrong: &ExternRef, what: &str, but: &str) {
    let before = program.outside();
    let mut refused = 0;
    for row in handle_rows() {
        if row.param_names.iter().any(|name| kind(name) == but) {
            continue;
        }
        for [first, second] in with_one_false(program, row, wrong) {
            let result = program.call(row, first, second);
            assert!(is_refused(&result), "{what} in {}: {result:?}", row.name);
            refused += 1;
        }
    }
    assert!(refused > 25, "{refused}");
    assert_eq!(program.outside(), before, "{what}");
}

#[test]
fn parameters_that_take_handles_are_those_that_are_tried() {
    let found: std::collections::BTreeSet<&str> = handle_rows()
        .flat_map(|row| row.params.iter().zip(row.param_names).filter(|(ty, _)| **ty == ValType::EXTERN))
        .map(|(_, name)| kind(name))
        .collect();
    assert_eq!(found, KINDS.into_iter().collect());
    assert!(handle_rows().count() > 30);
}

#[test]
fn what_the_guest_made_is_no_handle() {
    for tier in TIERS {
        let mut program = Program::new(tier);
        for kind in ["dir", "console"] {
            let real = program.handle(kind);
            for way in [
                "a struct that holds the handle",
                "a tagged struct that holds the handle",
                "an empty struct",
                "a small integer",
                "zero",
                "bytes",
            ] {
                let made = program.export(program.instance, way, &[Some(real.clone())]).unwrap();
                let made = made.extern_ref().unwrap().unwrap();
                each_row_refuses(&mut program, made, way, "");
            }
        }
    }
}

#[test]
fn null_is_no_handle() {
    for tier in TIERS {
        let mut program = Program::new(tier);
        let before = program.outside();
        for way in ["null", "null of another hierarchy"] {
            let null = program.export(program.instance, way, &[None]).unwrap();
            assert!(null.extern_ref().unwrap().is_none());
            for row in handle_rows() {
                let error = program.call(row, None, None).unwrap_err();
                assert_eq!(error.trap().unwrap().kind, TrapKind::NullReference, "{}", row.name);
            }
        }
        assert_eq!(program.outside(), before);
    }
    // A module that does not ask whether it is null does not verify: the type says that a handle is there.
    let engine = Engine::new(&Config::new()).unwrap();
    for value in ["(ref.null extern)", "(local.get 0)", "(extern.convert_any (ref.null none))"] {
        let text = format!(
            r#"(module (import "fold" "file_close" (func $close (param (ref extern))))
            (func (export "f") (param externref) (call $close {value})))"#
        );
        assert!(matches!(Module::new(&engine, wat::parse_str(text).unwrap()), Err(Error::Verify(_))), "{value}");
    }
    // And one that says otherwise of the import does not fit.
    let text = r#"(module (import "fold" "file_close" (func (param externref))))"#;
    let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
    let mut store = Store::new(&engine, HostState::new(&Grants::none()).unwrap());
    let mut linker = Linker::new(&engine);
    linker.host_table(&Grants::none(), |host: &mut HostState| host);
    assert!(linker.instantiate(&mut store, &module).is_err());
}

#[test]
fn a_handle_is_of_one_kind() {
    for tier in TIERS {
        let mut program = Program::new(tier);
        for kind in KINDS {
            // One connection is all that there is.
            let mut program = if kind == "connection" {
                Program::new(tier)
            } else {
                std::mem::replace(&mut program, Program::new(tier))
            };
            let handle = program.handle(kind);
            each_row_refuses(&mut program, &handle, kind, kind);
        }
    }
}

#[test]
fn a_value_of_the_host_is_no_handle() {
    for tier in TIERS {
        let mut program = Program::new(tier);
        each_row_refuses(&mut program, &ExternRef::new(7_u32), "a number", "");
        each_row_refuses(&mut program, &ExternRef::new("dir"), "a text", "");
        // A handle within another value is no handle either.
        let inner = program.handles[1].1.clone();
        each_row_refuses(&mut program, &ExternRef::new(inner), "a handle in a value", "");
    }
}

#[test]
fn a_handle_of_another_program_is_none() {
    for tier in TIERS {
        let (mut program, mut other) = (Program::new(tier), Program::new(tier));
        for kind in ["console", "dir", "file", "net", "connection", "clock", "random", "env", "args"] {
            let handle = other.handle(kind);
            let before = other.outside();
            each_row_refuses(&mut program, &handle, kind, "");
            assert_eq!(other.outside(), before, "{kind}");
        }
    }
}

#[test]
fn what_was_closed_is_closed_for_all_who_have_it() {
    for tier in TIERS {
        let mut program = Program::new(tier);
        for (kind, close) in [("file", "file_close"), ("connection", "conn_close")] {
            let handle = program.handle(kind);
            let close = handle_rows().find(|row| row.name == close).unwrap();
            let limited = (kind == "file").then(|| program.give("file_limit", &handle, "", 100).unwrap().unwrap());
            assert_eq!(program.call(close, Some(handle.clone()), None).unwrap(), 0);
            // What is opened next has the number of what was closed.
            let _next = program.handle("file");
            let before = program.outside();
            for row in handle_rows().filter(|row| row.param_names[0] == kind && row.name != close.name) {
                for handle in [Some(&handle), limited.as_ref()].into_iter().flatten() {
                    if row.name == "file_limit" {
                        continue;
                    }
                    let error = program.call(row, Some(handle.clone()), None).unwrap_err();
                    assert!(matches!(host_error(&error), Some(HostError::ClosedCapability)), "{}: {error}", row.name);
                }
            }
            // To close it once more closes nothing.
            assert_eq!(program.call(close, Some(handle), None).unwrap(), 0);
            assert_eq!(program.outside(), before);
        }
        let _still = program.handle("file");
    }
}

#[test]
fn what_the_embedder_took_away_is_no_handle() {
    for tier in TIERS {
        let mut program = Program::new(tier);
        let handle = program.handle("dir");
        program.export(program.instance, "keep", &[Some(handle.clone())]).unwrap();
        assert_eq!(program.export(program.instance, "read", &[]).unwrap().i64(), Some(1));
        assert!(handle.close(&mut program.store).unwrap());
        let read = program.export(program.instance, "read", &[]).map(|value| value.i64().unwrap());
        assert!(is_refused(&read), "{read:?}");
    }
}

#[test]
fn a_handle_can_be_looked_into_by_nobody() {
    for tier in TIERS {
        let mut program = Program::new(tier);
        let handle = program.handle("dir");
        for way in ["open as a struct", "open as bytes", "open as a small integer", "compare"] {
            let arguments = vec![Some(handle.clone()); if way == "compare" { 2 } else { 1 }];
            let error = program.export(program.instance, way, &arguments).unwrap_err();
            assert_eq!(error.trap().unwrap().kind, TrapKind::CastFailure, "{way}");
        }
        // By a way round it is what it was, and no more.
        let again = program.export(program.instance, "the handle again", &[Some(handle.clone())]).unwrap();
        let again = again.extern_ref().unwrap().cloned();
        let (read, open) = ("dir_read", "file_read");
        let row = |name: &str| handle_rows().find(|row| row.name == name).unwrap();
        assert_eq!(program.call(row(read), again.clone(), None).unwrap(), TEXT.len() as i64);
        assert!(is_refused(&program.call(row(open), again, None)));
    }
}

/// What a handle for reading is asked for fails with a number, and so does what leads out of any.
#[test]
fn a_weaker_handle_does_no_more_than_it_may() {
    const ROFS: i64 = 69;
    for tier in TIERS {
        let mut program = Program::new(tier);
        let whole = program.handle("dir");
        let granted = program.handle("read-only dir");
        let weaker = program.give("dir_read_only", &whole, "", 0).unwrap().unwrap();
        let below = {
            std::fs::create_dir(program.folder.path().join("data/sub")).unwrap();
            std::fs::write(program.folder.path().join("data/sub").join(PATH), TEXT).unwrap();
            program.give("dir_sub", &weaker, "sub", 0).unwrap().unwrap()
        };
        let strengthened = program.give("dir_append_only", &weaker, "", 0).unwrap().unwrap();
        let before = program.outside();
        for handle in [&granted, &weaker, &below, &strengthened] {
            for name in ["dir_write", "dir_make", "dir_remove"] {
                let row = handle_rows().find(|row| row.name == name).unwrap();
                assert_eq!(program.call(row, Some(handle.clone()), None).unwrap(), ROFS, "{name}");
            }
            let rename = handle_rows().find(|row| row.name == "dir_rename").unwrap();
            assert_eq!(program.call(rename, Some(handle.clone()), Some(whole.clone())).unwrap(), ROFS);
            assert_eq!(program.call(rename, Some(whole.clone()), Some(handle.clone())).unwrap(), ROFS);
            for mode in 1..=3 {
                assert!(program.give("dir_open", handle, PATH, mode).unwrap().is_none(), "{mode}");
            }
            // For reading it is open, and what is open is for reading.
            let file = program.give("dir_open", handle, PATH, 0).unwrap().unwrap();
            let write = handle_rows().find(|row| row.name == "file_write").unwrap();
            assert!(program.call(write, Some(file), None).unwrap() < 0);
        }
        assert_eq!(program.outside(), before);
    }
}

#[test]
fn no_path_leads_out_of_a_handle() {
    for tier in TIERS {
        let mut program = Program::new(tier);
        let root = program.folder.path().to_owned();
        std::fs::create_dir(root.join("data/sub")).unwrap();
        std::os::unix::fs::symlink("../../outside", root.join("data/sub/link")).unwrap();
        std::os::unix::fs::symlink("..", root.join("data/sub/up")).unwrap();
        let whole = program.handle("dir");
        let below = program.give("dir_sub", &whole, "sub", 0).unwrap().unwrap();
        let before = program.outside();
        let absolute = root.join("outside").display().to_string();
        let inside = root.join("data").join(PATH).display().to_string();
        for path in ["../outside", "sub/../../outside", "../data/../outside", "sub/link", &absolute, &inside] {
            for mode in 0..=3 {
                assert!(program.give("dir_open", &whole, path, mode).unwrap().is_none(), "{path} {mode}");
            }
        }
        for path in ["..", "../sub", "up", "../inside", "/", "link"] {
            let opened = program.give("dir_open", &below, path, 0).unwrap();
            assert!(opened.is_none(), "{path}");
        }
        for path in ["..", "up", "../sub", "up/sub", "/", &root.display().to_string()] {
            assert!(program.give("dir_sub", &below, path, 0).unwrap().is_none(), "{path}");
        }
        assert_eq!(program.outside(), before);
    }
}

/// Whatever is handed out of what may be read or written is taken from it.
#[test]
fn a_limit_is_not_had_twice() {
    for tier in TIERS {
        let mut program = Program::new(tier);
        let file = program.handle("file");
        let limited = program.give("file_limit", &file, "", 4).unwrap().unwrap();
        let read = handle_rows().find(|row| row.name == "file_read").unwrap();
        let mut left = 0;
        for more in [i64::MAX, 4, 100, -1] {
            let part = program.give("file_limit", &limited, "", more).unwrap().unwrap();
            // A byte at a time.
            while program.call(read, Some(part.clone()), None).unwrap() == 1 && left < 100 {
                left += 1;
            }
        }
        while program.call(read, Some(limited.clone()), None).unwrap() == 1 && left < 100 {
            left += 1;
        }
        assert_eq!(left, 4);
    }
}
