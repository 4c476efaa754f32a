//! Tests of what programs become.

mod golden;
mod limits;
mod module;
mod rules;

use crate::check::{Memory, Options as Check};
use crate::driver::{self, Checked};
use crate::{Options, compile, ir_text};

/// A checked program of one module.
fn checked(source: &str) -> Checked {
    let mut modules = Memory::new().with("main", "main.fold", source);
    let options = Check { needs_main: false, ..Check::default() };
    driver::check("main", &mut modules, options).unwrap_or_else(|rejected| panic!("{:#?}", rejected.diagnostics))
}

/// The code of the functions with these names.
fn code(source: &str, names: &[&str], optimise: bool) -> String {
    let checked = checked(source);
    let options = Options { optimise, ..Options::default() };
    let text = ir_text(&checked.program, &checked.names, options).unwrap();
    let functions = text.split_inclusive("\n}\n");
    let wanted = functions.filter(|function| {
        let name = function.split_once(' ').and_then(|(_, rest)| rest.split_once('(')).map_or("", |(name, _)| name);
        names.contains(&name)
    });
    wanted.map(without_number).collect()
}

/// The text of a function without its number, which depends on the standard library.
fn without_number(function: &str) -> String {
    match function.split_once(' ') {
        Some((_, rest)) => format!("fn {rest}"),
        None => function.to_owned(),
    }
}

/// The module of a program.
fn module(source: &str, options: Options) -> Vec<u8> {
    let checked = checked(source);
    let bytes = compile(&checked.program, &checked.names, &checked.sources, options).unwrap();
    if let Err(error) = wasmparser::Validator::new_with_features(wasmparser::WasmFeatures::all()).validate_all(&bytes) {
        panic!("{error}");
    }
    bytes
}
