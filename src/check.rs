//! `pinfold check`: what is wrong with Fold programs, and what they could reach.

use std::path::PathBuf;

use pinfold::answer::{Answer, FunctionAuthority, ModuleAuthority};
use pinfold::exit;
use pinfold::job::Fold;
use pinfold_compiler::diagnostic::codes::{self, Code};
use pinfold_vm::module::Escaped;

use crate::ask::{self, Findings, MessageFormat};

/// Say what is wrong with Fold programs, without running them.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Programs and modules, `-` for standard input; of folders all files below them
    /// [default: this package].
    pub files: Vec<PathBuf>,

    /// Also say which capabilities each function can be given, and which take
    /// functions, `dyn` or generic values: those bring whatever is passed.
    #[arg(long)]
    pub authority: bool,

    /// How messages look: `json` is an object a line.
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub message_format: MessageFormat,

    /// Tell more of an error, by its code.
    #[arg(long, value_name = "CODE", conflicts_with_all = ["files", "authority"])]
    pub explain: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// If files cannot be read, or no worker can be had.
pub fn run(args: &Args) -> Result<u8, String> {
    if let Some(code) = &args.explain {
        let found =
            codes::find(code).ok_or_else(|| format!("there is no error {}; codes look like F0301", Escaped(code)))?;
        ask::print(&explanation(found));
        return Ok(exit::SUCCESS);
    }
    let mut findings = Findings::new(args.message_format);
    let mut reaches: Vec<ModuleAuthority> = Vec::new();
    for file in ask::files(&args.files)? {
        let told = ask::ask(Fold::Check { authority: args.authority }, &ask::sources(&file)?, ask::TIMEOUT)?;
        if !told.is_whole() {
            return Ok(told.explain(ask::TIMEOUT));
        }
        for answer in told.answers {
            match answer {
                Answer::Finding(finding) => findings.print(&finding),
                // A module that several programs import is told once.
                Answer::Authority(modules) => {
                    for module in modules {
                        match reaches.iter_mut().find(|known| known.module == module.module) {
                            // As the program's beginning it is known best.
                            Some(known) if module.functions.iter().any(|function| function.main) => *known = module,
                            Some(_) => {}
                            None => reaches.push(module),
                        }
                    }
                }
                _ => {}
            }
        }
    }
    reaches.sort_by_key(|module| module.standard);
    match args.message_format {
        MessageFormat::Text => reaches.iter().for_each(|module| ask::print(&authority(module))),
        MessageFormat::Json => reaches.iter().for_each(ask::print_json),
    }
    findings.finish();
    Ok(if findings.has_errors() { exit::FAILURE } else { exit::SUCCESS })
}

/// What a module's functions can be given, a line each.
fn authority(module: &ModuleAuthority) -> String {
    let kind = if module.standard { " (standard library)" } else { "" };
    let mut text = format!("{}{kind}: {}\n", Escaped(&module.module), summary(module));
    let width = module.functions.iter().map(|function| function.name.chars().count()).max().unwrap_or(0).min(30);
    for function in &module.functions {
        text += &format!("  {:<width$}  {}\n", Escaped(&function.name).to_string(), gets(function).join(", "));
    }
    text
}

/// All that its functions can be given.
fn summary(module: &ModuleAuthority) -> String {
    let mut all: Vec<String> = module.functions.iter().flat_map(|function| &function.capabilities).cloned().collect();
    all.sort();
    all.dedup();
    let mut all: Vec<String> = all.iter().map(|name| Escaped(name).to_string()).collect();
    if module.functions.iter().any(|function| !function.passed.is_empty()) {
        all.push("whatever is passed".into());
    }
    if all.is_empty() { "nothing".into() } else { all.join(", ") }
}

/// All that a function can be given; it can be printed.
pub fn gets(function: &FunctionAuthority) -> Vec<String> {
    let passed = function
        .passed
        .iter()
        .map(|passed| format!("{}: {} ({})", Escaped(&passed.parameter), Escaped(&passed.ty), Escaped(&passed.kind)));
    let mut all: Vec<String> =
        function.capabilities.iter().map(|name| Escaped(name).to_string()).chain(passed).collect();
    if all.is_empty() {
        all.push("nothing".into());
    }
    all
}

/// A code, explained.
fn explanation(code: &Code) -> String {
    let mut text = format!("{}: {}\n\n{}\n", code.code, code.title, wrapped(code.explanation));
    for (what, program) in [("Wrong:", code.rejected), ("Right:", code.accepted)] {
        if !program.is_empty() {
            let lines: Vec<String> = program.lines().map(|line| format!("    {line}").trim_end().to_owned()).collect();
            text += &format!("\n{what}\n\n{}\n", lines.join("\n"));
        }
    }
    text
}

/// A text in lines of at most 80 columns.
fn wrapped(text: &str) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let width = word.chars().count();
        if column > 0 {
            let fits = column + 1 + width <= 80;
            out.push(if fits { ' ' } else { '\n' });
            column = if fits { column + 1 } else { 0 };
        }
        out.push_str(word);
        column += width;
    }
    out
}
