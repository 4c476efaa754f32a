//! A spreadsheet whose formulas are Fold: each cell is a function of the cells before it.

use std::error::Error;
use std::io::Write;

use pinfold::{Program, Vm};

/// A column: its name and formula, in terms of those before it.
const COLUMNS: [(&str, &str); 4] = [
    ("price", "input * 1.0"),
    ("tax", "price * 0.19"),
    ("total", "price + tax"),
    ("rounded", "(total * 100.0).round() / 100.0"),
];

/// A program with a function for each column, which takes what is before it.
fn compile(vm: &Vm, columns: &[(&str, &str)]) -> Result<Program, pinfold::Error> {
    let mut source = String::new();
    let mut before = vec!["input: Float".to_owned()];
    for (name, formula) in columns {
        source += &format!("pub fn {name}({}) -> Float {{ {formula} }}\n", before.join(", "));
        before.push(format!("{name}: Float"));
    }
    vm.compile("sheet.fold", &source)
}

pub fn run(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    // A formula is short work: one that is not is wrong.
    let vm = Vm::builder().fuel(10_000).build()?;
    let sheet = compile(&vm, &COLUMNS)?;
    for input in [10.0, 24.99] {
        let mut row = vec![input];
        for (name, _) in COLUMNS {
            row.push(sheet.call(name, row.as_slice())?);
        }
        writeln!(out, "  {row:.2?}")?;
    }
    // What is wrong with a formula is told where it is wrong.
    if let Err(error) = compile(&vm, &[("price", "input * rate")])
        && let Some(place) = error.span()
    {
        writeln!(out, "  {} in column {}: {}", error.code(), place.column, error.findings()[0].diagnostic.message)?;
    }
    Ok(())
}
