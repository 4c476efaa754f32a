//! The header is what the sources say; with `RECORD=1` it is made so.

#![allow(clippy::unwrap_used)]

use std::path::Path;

/// Sources in the order of the header: what others name first.
const SOURCES: [&str; 17] = [
    "error",
    "limits",
    "cancel",
    "console",
    "value",
    "capability",
    "grants",
    "vm",
    "program",
    "session",
    "entry",
    "wasm/value",
    "wasm/engine",
    "wasm/store",
    "wasm/caller",
    "wasm/linker",
    "wasm/instance",
];

fn generated(root: &Path) -> String {
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap();
    let sources = SOURCES.iter().map(|name| root.join(format!("src/{name}.rs")));
    let builder = sources.fold(cbindgen::Builder::new().with_config(config), |builder, path| builder.with_src(path));
    let mut text = Vec::new();
    builder.generate().unwrap().write(&mut text);
    // The names of types end with `_t`, those of what is in an enum are without it.
    String::from_utf8(text).unwrap().replace("_T_", "_")
}

#[test]
fn the_header_is_what_the_sources_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (path, text) = (root.join("include/pinfold.h"), generated(root));
    if std::env::var_os("RECORD").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == text, "{} is not what the sources say; RECORD=1 makes it so", path.display());
}

#[test]
fn the_header_has_every_function() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let header = generated(root);
    let mut count = 0;
    for entry in ["src", "src/wasm"].iter().flat_map(|folder| std::fs::read_dir(root.join(folder)).unwrap()) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let source = std::fs::read_to_string(path).unwrap();
        for (_, rest) in
            source.match_indices("extern \"C\" fn pinfold_").map(|(at, found)| (at, &source[at + found.len()..]))
        {
            let name = rest.split('(').next().unwrap();
            assert!(header.contains(&format!("pinfold_{name}(")), "{name}");
            count += 1;
        }
    }
    assert!(count > 90, "{count}");
}
