//! From a checked program to a module.

use crate::diagnostic::Diagnostic;
use crate::ir::mono::{Context, Settings};
use crate::ir::{Module, optimise, print};
use crate::names::Names;
use crate::source::Sources;
use crate::typed::Program;
use crate::{bytecode, ir};

/// How a program is compiled.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether the code is improved.
    pub optimise: bool,
    /// Whether functions of the host that can be written in Fold are, so that the module needs less of its host.
    pub portable: bool,
    /// Whether tests are exported, as `test 0`, `test 1` and so on.
    pub tests: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { optimise: true, portable: false, tests: false }
    }
}

/// The program as one WebAssembly module.
///
/// # Errors
///
/// Limits that the program passes: types nested without end, too many versions of generic functions.
pub fn compile(
    program: &Program,
    names: &Names,
    sources: &Sources,
    options: Options,
) -> Result<Vec<u8>, Vec<Diagnostic>> {
    let module = lower(program, names, options)?;
    let interface = program.interface.text(program, names);
    let interface = (!interface.is_empty()).then_some(&*interface);
    Ok(bytecode::encode(module, &needs(program, names), interface, sources).0)
}

/// The program in the compiler's own language, as text for people.
///
/// # Errors
///
/// As [`compile`].
pub fn ir_text(program: &Program, names: &Names, options: Options) -> Result<String, Vec<Diagnostic>> {
    let mut module = lower(program, names, options)?;
    ir::reach::leave_out(&mut module);
    Ok(print::module(&module))
}

pub(crate) fn lower(program: &Program, names: &Names, options: Options) -> Result<Module, Vec<Diagnostic>> {
    let settings = Settings { portable: options.portable, tests: options.tests };
    let mut module = Context::new(program, names, settings).run()?;
    if options.optimise {
        optimise::run(&mut module);
    }
    // Always in debug builds, and where tests have optimised ones.
    if cfg!(any(debug_assertions, feature = "evaluator")) {
        ir::reach::leave_out(&mut module);
        assert_eq!(ir::check::module(&module), Ok(()), "the compiler's own rules");
    }
    Ok(module)
}

/// What the program is handed: the name and type of each.
pub fn needs(program: &Program, names: &Names) -> Vec<(String, String)> {
    let needs = program.main.iter().flat_map(|main| &main.needs);
    needs
        .map(|(name, of)| {
            let ty = program.traits[of.index()].name;
            (names.text(*name).to_owned(), names.text(ty).to_owned())
        })
        .collect()
}
