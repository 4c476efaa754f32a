//! What bodies become, on each architecture: every module in `golden/` has a snapshot for each.
//!
//! A first line `;; settings: …` says what the code is made under. After a change that is meant,
//! `INSTA_UPDATE=always cargo test -p pinfold-vm golden` writes the snapshots anew; read the difference.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use cranelift_codegen::isa;

use super::*;
use crate::module::FuncIndex;
use crate::runtime::config::MemoryKind;
use crate::runtime::types::TypeRegistry;
use crate::verifier::{self, Options};

fn settings(text: &str) -> CodeConfig {
    let mut config = CodeConfig::default();
    for word in text.lines().next().and_then(|line| line.strip_prefix(";; settings: ")).unwrap_or("").split(' ') {
        match word {
            "" => {}
            "fuel" => config.fuel = true,
            "dynamic" => config.memory = MemoryKind::Dynamic,
            other => panic!("no such setting: {other}"),
        }
    }
    config
}

/// Every function of a module: CLIF before optimisation, and machine code for the plainest
/// processor of an architecture.
fn listing(text: &str, architecture: &str) -> String {
    let bytes: Arc<[u8]> = wat::parse_str(text).unwrap().into();
    let module = verifier::verify(bytes.into(), &Options::default(), &TypeRegistry::default());
    let config = settings(text);
    let code = ModuleCode::new(module.unwrap(), config);
    let isa = isa::lookup_by_name(architecture).unwrap().finish(flags(&config).unwrap()).unwrap();
    let own = (0..code.module.defined_count() as u32).map(DefinedFunc).collect();
    let mut out = String::new();
    for func in (0..code.module.defined_count() as u32).map(DefinedFunc) {
        let index: FuncIndex = code.module.func_index(func);
        let mut worker = Worker::new(&*isa);
        let clif = lower::function(&*isa, &code, func, None, &own, &mut worker.builder).ok().unwrap().func;
        let machine = worker.function(&code, func, None, &own, true).unwrap().unwrap();
        if architecture == "x86_64" {
            write!(out, ";; function {}\n{clif}\n", index.0).unwrap();
        }
        writeln!(out, ";; function {} on {architecture}\n{}", index.0, machine.disassembly.unwrap()).unwrap();
    }
    out
}

#[test]
fn golden_code() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/jit/golden");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "wat"));
    files.sort();
    assert!(!files.is_empty());
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        for architecture in ["x86_64", "aarch64"] {
            insta::with_settings!({ snapshot_path => "golden", prepend_module_to_snapshot => false, omit_expression => true }, {
                insta::assert_snapshot!(format!("{name}.{architecture}"), listing(&text, architecture));
            });
        }
    }
}
