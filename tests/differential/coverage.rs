//! The operators of WebAssembly 3.0, and which of them modules contain.

use std::collections::HashMap;

use wasmparser::{Operator, Parser, Payload};

/// An operator, its name in the text format, how many operands it takes and whether it has a
/// result where that is fixed, and its immediates' names.
#[derive(Clone, Debug)]
pub struct Entry {
    pub name: String,
    pub operands: usize,
    pub result: bool,
    pub immediates: Vec<&'static str>,
    /// Whether it is about objects, or about functions that references refer to.
    pub about_objects: bool,
}

impl Entry {
    /// Whether wasmi means the same by it: it has no exceptions and objects, its multiply-add rounds once, and its dot product
    /// of bytes wraps.
    pub fn is_known_to_peer(&self) -> bool {
        let name = self.name.as_str();
        let apart = self.is_about_exceptions() || self.about_objects;
        !(apart || name.ends_with("madd") || name.contains("relaxed_dot"))
    }

    /// Whether wasmtime means the same by it: its multiply-add rounds once, even where it is deterministic.
    pub fn is_known_to_wasmtime(&self) -> bool {
        !self.name.ends_with("madd")
    }

    /// Whether it is a relaxed vector operator.
    pub fn is_relaxed(&self) -> bool {
        self.name.contains(".relaxed_")
    }

    /// Whether it throws or catches.
    pub fn is_about_exceptions(&self) -> bool {
        ["try_table", "throw", "throw_ref"].contains(&self.name.as_str())
    }
}

/// The text format's name of an operator: `visit_i32_trunc_sat_f32_s` is `i32.trunc_sat_f32_s`.
fn mnemonic(visit: &str) -> String {
    let name = visit.strip_prefix("visit_").unwrap_or(visit);
    if let Some(rest) = name.strip_prefix("typed_") {
        return if rest == "select" { "select (result)".into() } else { "select (results)".into() };
    }
    match name {
        "br_if"
        | "br_table"
        | "return_call"
        | "return_call_indirect"
        | "call_indirect"
        | "try_table"
        | "throw_ref"
        | "call_ref"
        | "return_call_ref"
        | "br_on_null"
        | "br_on_non_null"
        | "br_on_cast"
        | "br_on_cast_fail" => name.into(),
        "ref_test_non_null" => "ref.test (ref)".into(),
        "ref_test_nullable" => "ref.test (ref null)".into(),
        "ref_cast_non_null" => "ref.cast (ref)".into(),
        "ref_cast_nullable" => "ref.cast (ref null)".into(),
        _ => name.replacen('_', ".", 1),
    }
}

fn entry(proposal: &str, visit: &str, arity: &str, immediates: Vec<&'static str>) -> Entry {
    let digits: Vec<usize> = arity.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    Entry {
        name: mnemonic(visit),
        operands: digits.first().copied().unwrap_or(0),
        result: digits.get(1) == Some(&1),
        immediates,
        about_objects: ["gc", "function_references"].contains(&proposal),
    }
}

macro_rules! in_scope {
    (mvp) => {
        true
    };
    (sign_extension) => {
        true
    };
    (saturating_float_to_int) => {
        true
    };
    (bulk_memory) => {
        true
    };
    (reference_types) => {
        true
    };
    (tail_call) => {
        true
    };
    (simd) => {
        true
    };
    (exceptions) => {
        true
    };
    (relaxed_simd) => {
        true
    };
    (function_references) => {
        true
    };
    (gc) => {
        true
    };
    ($other:ident) => {
        false
    };
}

macro_rules! define {
    ($( @$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        /// All operators of the scope: WebAssembly 3.0.
        pub fn scope() -> Vec<Entry> {
            let mut all = Vec::new();
            $(
                if in_scope!($proposal) {
                    let immediates: Vec<&'static str> = vec![$($(stringify!($arg)),*)?];
                    all.push(entry(stringify!($proposal), stringify!($visit), stringify!($($ann)*), immediates));
                }
            )*
            // Only valid with one type, and then the same as `select (result)`.
            all.retain(|entry| entry.name != "select (results)");
            all
        }

        fn visit_name(op: &Operator<'_>) -> &'static str {
            match op {
                $(Operator::$op { .. } => stringify!($visit),)*
                _ => "visit_unknown",
            }
        }
    };
}

wasmparser::for_each_operator!(define);

/// How often each operator was hit.
#[derive(Clone, Default)]
pub struct Counts(pub HashMap<&'static str, u64>);

impl Counts {
    /// Counts the operators in a module's bodies, each where it stands.
    pub fn add_module(&mut self, bytes: &[u8]) {
        for payload in Parser::new(0).parse_all(bytes) {
            let Ok(Payload::CodeSectionEntry(body)) = payload else { continue };
            let Ok(reader) = body.get_operators_reader() else { continue };
            for op in reader.into_iter().map_while(Result::ok) {
                *self.0.entry(visit_name(&op)).or_default() += 1;
            }
        }
    }

    pub fn add(&mut self, other: &Self) {
        for (name, count) in &other.0 {
            *self.0.entry(name).or_default() += count;
        }
    }

    /// Counts by the text format's names.
    pub fn by_mnemonic(&self) -> HashMap<String, u64> {
        self.0.iter().map(|(visit, count)| (mnemonic(visit), *count)).collect()
    }
}

/// Whether a module's bodies contain an operator whose name ends so.
pub fn uses(bytes: &[u8], ending: &str) -> bool {
    let mut counts = Counts::default();
    counts.add_module(bytes);
    counts.by_mnemonic().keys().any(|name| name.ends_with(ending))
}
