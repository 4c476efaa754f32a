//! Whole modules: valid, always the same, with what others need to know in their sections.

use super::module;
use crate::Options;

const PROGRAM: &str = "
    enum Tree { Leaf, Node(Tree, Int, Tree) }
    record Point { x: Int, var names: List<String> }
    fn sum(t: Tree) -> Int { match t { Leaf => 0, Node(l, x, r) => sum(l) + x + sum(r) } }
    fn boom(xs: List<Int>, i: Int) -> Int { xs[i] + 1 }
    test \"a\" { assert sum(Tree.Leaf) == 0 }
    test \"b\" { assert boom([1], 0) == 2, \"no\" }
    fn main(out: Console, data: Dir) -> Result<()> {
        let p = Point { x: 1, names: [\"a\", \"b\"] }
        var q = p.copy()
        q.names.push(\"c\")
        out.print(\"{p} {q} {sum(Tree.Node(Tree.Leaf, 3, Tree.Leaf))} {1.5:.2}\")
        for name in data.list(\"\")? { out.print(name) }
        out.print(\"{boom([1, 2], 7)} a text that is long enough to be made only when it is needed, and no earlier\")
        Ok(())
    }";

#[test]
fn modules_are_valid_in_every_form() {
    for optimise in [false, true] {
        for portable in [false, true] {
            for tests in [false, true] {
                module(PROGRAM, Options { optimise, portable, tests });
            }
        }
    }
}

#[test]
fn the_same_program_gives_the_same_bytes() {
    let first = module(PROGRAM, Options::default());
    for _ in 0..3 {
        assert_eq!(first, module(PROGRAM, Options::default()));
    }
}

fn sections(bytes: &[u8]) -> Vec<wasmparser::Payload<'_>> {
    wasmparser::Parser::new(0).parse_all(bytes).map(Result::unwrap).collect()
}

fn custom<'a>(bytes: &'a [u8], name: &str) -> &'a [u8] {
    let found = sections(bytes).into_iter().find_map(|payload| match payload {
        wasmparser::Payload::CustomSection(section) if section.name() == name => Some(section.data()),
        _ => None,
    });
    found.unwrap()
}

fn exports(bytes: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    for payload in sections(bytes) {
        if let wasmparser::Payload::ExportSection(exports) = payload {
            names.extend(exports.into_iter().map(|export| export.unwrap().name.to_owned()));
        }
    }
    names
}

fn imports(bytes: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    for payload in sections(bytes) {
        if let wasmparser::Payload::ImportSection(imports) = payload {
            names.extend(imports.into_imports().map(|import| import.unwrap().name.to_owned()));
        }
    }
    names
}

#[test]
fn needs_are_listed_by_name_and_type() {
    assert_eq!(custom(&module(PROGRAM, Options::default()), "fold.needs"), b"out Console\ndata Dir\n");
}

#[test]
fn accessors_main_and_tests_are_exported() {
    let accessors = ["bytes_new", "bytes_len", "bytes_get", "bytes_set"];
    let plain = exports(&module(PROGRAM, Options::default()));
    assert_eq!(plain, [&accessors[..], &["main"]].concat());
    let tests = exports(&module(PROGRAM, Options { tests: true, ..Options::default() }));
    assert_eq!(tests, [&accessors[..], &["main", "test 0", "test 1"]].concat());
}

#[test]
fn portable_modules_import_nothing_that_fold_can_do_itself() {
    let source = "fn main(out: Console) { out.print(if \"a\" + \"b\" == \"ab\" { \"x\" } else { \"y\" }) }";
    assert!(imports(&module(source, Options::default())).contains(&"bytes_equal".to_owned()));
    assert!(
        !imports(&module(source, Options { portable: true, ..Options::default() })).contains(&"bytes_equal".to_owned())
    );
}

#[test]
fn what_is_not_reached_is_not_there() {
    let source = "fn main(out: Console) { out.print(\"hello\") }";
    assert!(module(source, Options::default()).len() < 2000);
}

/// Reads the source map as `bytecode/sources.rs` describes it.
struct Map<'a>(&'a [u8]);

impl Map<'_> {
    fn number(&mut self) -> u32 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = self.0[0];
            self.0 = &self.0[1..];
            value |= u32::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return value;
            }
        }
    }

    fn text(&mut self) -> String {
        let length = self.number() as usize;
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        String::from_utf8(text.to_vec()).unwrap()
    }
}

#[test]
fn the_source_map_tells_where_code_comes_from() {
    for optimise in [false, true] {
        let bytes = module(PROGRAM, Options { optimise, ..Options::default() });
        let mut map = Map(custom(&bytes, "fold.sources"));
        assert_eq!(map.number(), 1);
        let files: Vec<String> = (0..map.number()).map(|_| map.text()).collect();
        let functions: Vec<String> = (0..map.number()).map(|_| map.text()).collect();
        let count = map.number();
        let mut positions = Vec::new();
        for index in 0..count {
            let (file, line, column) = (map.number(), map.number(), map.number());
            let (function, caller) = (map.number(), map.number());
            assert!(caller <= index, "a caller comes before what it calls");
            positions.push((files[file as usize].clone(), line, column, functions[function as usize].clone(), caller));
        }
        // The sum in `boom`, in its own function or where it was put.
        let sum = positions.iter().find(|(file, line, _, name, _)| file == "main.fold" && *line == 5 && name == "boom");
        assert!(sum.is_some(), "{positions:?}");
        let bodies: Vec<usize> = sections(&bytes)
            .into_iter()
            .filter_map(|payload| match payload {
                wasmparser::Payload::CodeSectionEntry(body) => Some((body.range().end - body.range().start) as usize),
                _ => None,
            })
            .collect();
        assert_eq!(map.number() as usize, bodies.len());
        for length in bodies {
            let mut offset = 0;
            for _ in 0..map.number() {
                offset += map.number();
                assert!((offset as usize) < length, "an entry beyond the function");
                assert!(map.number() < count);
            }
        }
        assert!(map.0.is_empty());
    }
}

#[test]
fn versions_that_come_out_equal_are_one() {
    let source = "
        fn first<T>(xs: List<T>, n: Int) -> Int { if n == 0 { xs.len() } else { first(xs, n - 1) ^ n } }
        record A { x: Int }
        record B { y: Int }
        fn main(out: Console) { out.print(\"{first([A { x: 1 }], 3)} {first([B { y: 1 }], 3)} {first([1], 2)}\") }";
    let bytes = module(source, Options::default());
    let names = sections(&bytes).into_iter().find_map(|payload| match payload {
        wasmparser::Payload::CustomSection(section) if section.name() == "name" => match section.as_known() {
            wasmparser::KnownCustom::Name(names) => Some(names),
            _ => None,
        },
        _ => None,
    });
    let mut count = 0;
    for name in names.unwrap() {
        if let wasmparser::Name::Function(map) = name.unwrap() {
            count += map.into_iter().filter(|naming| naming.as_ref().unwrap().name == "first").count();
        }
    }
    assert_eq!(count, 2, "A and B look the same");
}
