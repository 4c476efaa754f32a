//! Programs in Fold through the library's interface.

#![allow(clippy::unwrap_used, missing_docs)]

use pinfold::{Console, Value, Vm, grants};

#[test]
fn a_call_takes_and_gives_values() {
    let vm = Vm::new().unwrap();
    let program =
        vm.compile("report.fold", "pub fn score(word: String, weight: Int) -> Int { word.len() * weight }").unwrap();
    assert_eq!(program.functions(), ["fn score(word: String, weight: Int) -> Int"]);
    assert_eq!(program.call::<i64>("score", ("abc", 3)).unwrap(), 9);
    assert_eq!(program.call::<Value>("score", ("abcd", 3)).unwrap(), Value::Int(12));
}

#[test]
fn a_script_writes_to_a_console() {
    let vm = Vm::new().unwrap();
    let program = vm.compile("hello.fold", "needs out: Console\nout.print(\"hello\")").unwrap();
    assert_eq!(program.needs(), [("out", "Console")]);
    let out = Console::capture();
    let usage = program.run(grants! { out: out.clone() }).unwrap();
    assert_eq!(out.text(), "hello\n");
    println!("{usage:?}");
}

const TYPES: &str = r#"
record Row { name: String, qty: Int, tags: List<String> }
record Empty {}
record Pair<A, B> { a: A, b: B }
enum Shape { Point, Circle(Float), Rect { w: Float, h: Float } }
enum Tree { Leaf, Node(Tree, Int, Tree) }

pub fn int(x: Int) -> Int { x }
pub fn float(x: Float) -> Float { x }
pub fn bool(x: Bool) -> Bool { !x }
pub fn char(x: Char) -> Char { x }
pub fn string(x: String) -> String { x + "!" }
pub fn bytes(x: Bytes) -> Bytes { x }
pub fn unit(x: ()) { x }
pub fn tuple(x: (Int, String, (Float, Bool))) -> (Int, String, (Float, Bool)) { x }
pub fn wide(x: (Int, Int, Int, Int, Int, Int, Int, Int)) -> (Int, Int, Int, Int, Int, Int, Int, Int) { x }
pub fn ints(x: List<Int>) -> List<Int> { x.map(|n| n + 1).to_list() }
pub fn floats(x: List<Float>) -> List<Float> { x }
pub fn strings(x: List<String>) -> List<String> { x }
pub fn units(x: List<()>) -> List<()> { x }
pub fn lists(x: List<List<Int>>) -> List<List<Int>> { x }
pub fn map(x: Map<String, List<Int>>) -> Map<String, List<Int>> { x }
pub fn set(x: Set<Int>) -> Set<Int> { x }
pub fn option(x: Option<Int>) -> Option<Int> { x }
pub fn texts(x: Option<String>) -> Option<String> { x }
pub fn nested(x: Option<Option<String>>) -> Option<Option<String>> { x }
pub fn result(x: Result<Int, String>) -> Result<Int, String> { x }
pub fn fails(x: Bool) -> Result<Int> { if x { Err("it was to") } else { Ok(1) } }
pub fn error(x: dyn Error) -> dyn Error { x }
pub fn row(x: Row) -> Row { Row { name: x.name, qty: x.qty + 1, tags: x.tags } }
pub fn empty(x: Empty) -> Empty { x }
pub fn empties(x: List<Empty>) -> List<Empty> { x }
pub fn pair(x: Pair<Int, Pair<String, Bool>>) -> Pair<Int, Pair<String, Bool>> { x }
pub fn shape(x: Shape) -> Shape { x }
pub fn shapes(x: List<Shape>) -> List<Shape> { x }
pub fn tree(x: Tree) -> Tree { x }
pub fn order(a: Int, b: Int) -> Ordering { a.cmp(b) }

pub fn each(f: fn(Int) -> Int) -> Int { f(1) }
pub fn any<T>(x: T) -> Int { 1 }
pub fn changes(var x: List<Int>) { x.push(1) }
pub fn iterator(x: Int) -> Range { 0..x }
fn private(x: Int) -> Int { x }
"#;

fn text(text: &str) -> Value {
    Value::String(text.into())
}

fn some(value: Value) -> Value {
    Value::Option(Some(Box::new(value)))
}

fn record<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Record(fields.map(|(name, value)| (name.into(), value)).into())
}

fn variant<const N: usize>(name: &str, fields: [(&str, Value); N]) -> Value {
    Value::Variant(name.into(), fields.map(|(name, value)| (name.into(), value)).into())
}

/// Values of all kinds of types, each with the function that gives it back.
fn values() -> Vec<(&'static str, Value)> {
    use Value::*;
    let leaf = || variant("Leaf", []);
    let node = |left, n, right| variant("Node", [("0", left), ("1", Int(n)), ("2", right)]);
    let shapes = vec![
        variant("Point", []),
        variant("Circle", [("0", Float(1.5))]),
        variant("Rect", [("w", Float(2.0)), ("h", Float(-0.0))]),
    ];
    let row = record([("name", text("nails")), ("qty", Int(6)), ("tags", List(vec![text("a"), text("")]))]);
    let mut all = vec![
        ("int", Int(i64::MIN)),
        ("float", Float(1e300)),
        ("char", Char('\u{10ffff}')),
        ("bytes", Bytes(vec![0, 255, 128])),
        ("bytes", Bytes(vec![7; 5000])),
        ("unit", Value::UNIT),
        ("tuple", Tuple(vec![Int(1), text("zwei"), Tuple(vec![Float(3.0), Bool(true)])])),
        ("wide", Tuple((0..8).map(Int).collect())),
        ("floats", List(vec![Float(0.1), Float(f64::INFINITY)])),
        ("strings", List((0..200).map(|n| text(&"ä".repeat(n))).collect())),
        ("units", List(vec![Value::UNIT; 3])),
        ("lists", List(vec![List(vec![]), List(vec![Int(1), Int(2)])])),
        ("map", Map(vec![(text("b"), List(vec![Int(2)])), (text("a"), List(vec![]))])),
        ("set", Set(vec![Int(3), Int(1), Int(2)])),
        ("option", Option(None)),
        ("option", some(Int(7))),
        ("texts", Option(None)),
        ("texts", some(text(""))),
        ("nested", some(Option(None))),
        ("nested", some(some(text("x")))),
        ("result", Result(Ok(Box::new(Int(1))))),
        ("result", Result(Err(Box::new(text("no"))))),
        ("error", text("broken")),
        ("empty", record([])),
        ("empties", List(vec![record([]); 4])),
        ("pair", record([("a", Int(1)), ("b", record([("a", text("x")), ("b", Bool(true))]))])),
        ("shapes", List(shapes.clone())),
        ("tree", node(node(leaf(), 1, leaf()), 2, node(leaf(), 3, leaf()))),
    ];
    all.push(("row", row));
    all.extend(shapes.into_iter().map(|shape| ("shape", shape)));
    all
}

#[test]
fn values_of_all_types_cross_and_come_back() {
    let vm = Vm::new().unwrap();
    let program = vm.compile("types.fold", TYPES).unwrap();
    for (name, value) in values() {
        let found: Value = program.call(name, (value.clone(),)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let expected = match (name, value) {
            ("row", Value::Record(mut fields)) => {
                fields[1].1 = Value::Int(7);
                Value::Record(fields)
            }
            (_, value) => value,
        };
        assert_eq!(found, expected, "{name}");
    }
    assert_eq!(program.call::<Vec<i64>>("ints", ([1, 2, 3].as_slice(),)).unwrap(), [2, 3, 4]);
    assert_eq!(program.call::<Vec<u8>>("ints", (vec![1_u8, 254],)).unwrap(), [2, 255]);
    assert_eq!(program.call::<String>("string", ("a",)).unwrap(), "a!");
    assert!(!program.call::<bool>("bool", (true,)).unwrap());
    assert_eq!(program.call::<Result<i64, String>>("fails", (true,)).unwrap(), Err("it was to".into()));
    assert_eq!(program.call::<Result<i64, String>>("fails", (false,)).unwrap(), Ok(1));
    assert_eq!(program.call::<Value>("order", (1, 2)).unwrap(), variant("Less", []));
}

#[test]
fn what_does_not_cross_is_not_called_and_the_reason_is_told() {
    let program = Vm::new().unwrap().compile("types.fold", TYPES).unwrap();
    for (name, why) in [
        ("each", "its parameter `f` is of type `fn(Int) -> Int`"),
        ("any", "it has type parameters"),
        ("changes", "its parameter `x` is `var`"),
        ("iterator", "it gives a `Range`"),
        ("private", "those of the program are bool, bytes, char"),
    ] {
        let error = program.call::<Value>(name, (1,)).unwrap_err();
        assert_eq!(error.code(), "no_function");
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[test]
fn a_value_of_another_type_is_an_error_that_says_where() {
    let program = Vm::new().unwrap().compile("types.fold", TYPES).unwrap();
    let error = |name: &str, value: Value| program.call::<Value>(name, (value,)).unwrap_err().to_string();
    assert_eq!(error("int", text("x")), "int: x: the program has Int, the host a string");
    let row =
        record([("name", text("a")), ("qty", Value::Int(1)), ("tags", Value::List(vec![text("a"), Value::Int(1)]))]);
    assert_eq!(error("row", row), "row: x.tags.1: the program has String, the host i64");
    assert!(
        error("row", record([("name", text("a"))])).contains("the program has Row, the host 1 fields instead of 3")
    );
    assert!(error("shape", variant("Square", [])).contains("the program has Shape, the host the variant Square"));
    let wrong_number = program.call::<i64>("int", (1, 2)).unwrap_err().to_string();
    assert_eq!(wrong_number, "int: the program has 1 argument, the host 2 arguments");
    assert!(
        program.call::<String>("int", (1,)).unwrap_err().to_string().contains("the program has Int, the host a string")
    );
    assert!(program.call::<u8>("int", (256,)).unwrap_err().to_string().contains("256 does not fit"));
    assert!(program.call::<i64>("int", (u64::MAX,)).unwrap_err().to_string().contains("does not fit"));
    assert_eq!(program.call::<i64>("int", (1,)).unwrap(), 1);
}

#[test]
fn what_nests_without_end_is_an_error_and_not_the_end_of_the_host() {
    let program = Vm::new()
        .unwrap()
        .compile(
            "list.fold",
            r#"
        enum Chain { End, Link(Chain) }
        pub fn chain(length: Int) -> Chain {
            var chain = Chain.End
            for _ in 0..length { chain = Chain.Link(chain) }
            chain
        }
        pub fn length(chain: Chain) -> Int {
            match chain { End => 0, Link(rest) => 1 + length(rest) }
        }
    "#,
        )
        .unwrap();
    let short: Value = program.call("chain", (100,)).unwrap();
    assert_eq!(program.call::<i64>("length", (short,)).unwrap(), 100);
    assert!(program.call::<Value>("chain", (1000,)).unwrap_err().to_string().contains("nested more than 128 deep"));
    let too_deep = program.call::<Value>("chain", (1_000_000,)).unwrap_err();
    assert_eq!(too_deep.code(), "limit.stack");
}
