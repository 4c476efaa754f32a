//! Programs in Fold through the library's interface.

#![allow(clippy::unwrap_used, missing_docs)]

mod modules;
mod page;
mod ports;
mod serde;
mod traits;
mod workers;
mod written;

use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use pinfold::{
    Args, Cancel, Capability, Clock, Console, Dir, Env, Error, Failure, FoldType, FromFold, Grants, Limit, Limits, Net,
    Random, Tier, ToFold, Value, Vm, grants,
};

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
    let too_deep = program.call::<Value>("chain", (100_000,)).unwrap_err();
    assert_eq!(too_deep.code(), "limit.stack");
}

/// The same program on a machine for each kind of code.
fn machines() -> [Vm; 2] {
    [Tier::Interpreter, Tier::Jit].map(|tier| Vm::builder().tier(tier).build().unwrap())
}

#[test]
fn how_a_program_ended_is_told_with_its_stack_and_what_it_used() {
    let source = r#"
pub fn half(n: Int) -> Int {
    assert n % 2 == 0, "{n} is odd"
    n / 2
}
pub fn quarter(n: Int) -> Int { half(half(n)) }
pub fn divide(a: Int, b: Int) -> Int { a / b }
pub fn third(list: List<Int>) -> Int { list[2] }
pub fn endless() { while true {} }
pub fn deep(n: Int) -> Int { if n == 0 { 0 } else { 1 + deep(n - 1) } }
pub fn large(n: Int) -> Int { List.repeat(1, n).len() }
pub fn long(n: Int) -> String { "x".repeat(n) }
fn main(out: Console) -> Result<()> {
    out.print("begun")
    Err("it went wrong")
}
"#;
    for vm in machines() {
        let program = vm.compile("half.fold", source).unwrap();
        assert_eq!(program.call::<i64>("quarter", (12,)).unwrap(), 3);
        let error = program.call::<i64>("quarter", (6,)).unwrap_err();
        let Error::Panicked { message, stack, usage } = &error else { panic!("{error:?}") };
        assert!(message.contains("3 is odd"), "{message}");
        let lines: Vec<String> = stack.iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["half  half.fold:3:5", "quarter  half.fold:6:33"], "{error}");
        assert!(usage.fuel > Some(0));
        for (name, arguments) in [("divide", Value::Int(0)), ("third", Value::List(vec![]))] {
            let error = match name {
                "divide" => program.call::<Value>(name, (Value::Int(1), arguments)),
                _ => program.call::<Value>(name, (arguments,)),
            };
            let error = error.unwrap_err();
            assert_eq!(error.code(), "panicked");
            assert_eq!(error.place().unwrap().file, "half.fold", "{error}");
        }
        let limited = |name: &str, n: i64, limit: fn(&mut Limits)| match name {
            "endless" => program.with_limits(limit).call::<Value>(name, ()).unwrap_err(),
            _ => program.with_limits(limit).call::<Value>(name, (n,)).unwrap_err(),
        };
        let fuel = limited("endless", 0, |limits| limits.fuel = Some(10_000));
        assert_eq!(
            (fuel.code(), fuel.exceeded().unwrap().limit, fuel.exceeded().unwrap().allowed),
            ("limit.fuel", Limit::Fuel, 10_000)
        );
        assert!(
            fuel.to_string().starts_with("the program used up its fuel, 10000 units; `fuel` allows more"),
            "{fuel}"
        );
        let time = limited("endless", 0, |limits| {
            (limits.fuel, limits.deadline) = (Some(u64::MAX), Some(Duration::from_millis(30)))
        });
        assert_eq!(time.exceeded().map(|exceeded| exceeded.limit), Some(Limit::Time));
        assert!(time.usage().unwrap().time >= Duration::from_millis(30));
        assert_eq!(limited("deep", 10_000_000, |_| {}).code(), "limit.stack");
        assert_eq!(limited("large", 10_000_000, |limits| limits.memory = 1 << 20).code(), "limit.memory");
        assert_eq!(limited("long", 10_000, |limits| limits.output = 1000).code(), "limit.output");
        // None of that is the end of anything else.
        assert_eq!(program.call::<i64>("quarter", (12,)).unwrap(), 3);

        let out = Console::capture();
        let failed = program.run(grants! { out: out.clone() }).unwrap_err();
        assert_eq!((failed.code(), out.text().as_str()), ("failed", "begun\n"));
        assert_eq!(failed.to_string(), "it went wrong");
        assert_eq!(failed.usage().unwrap().output, 6);
    }
}

#[test]
fn a_deadline_is_each_calls_own() {
    let vm = Vm::builder().fuel(None).deadline(Duration::from_millis(40)).build().unwrap();
    let program = vm
        .compile(
            "wait.fold",
            r#"
        pub fn spin(n: Int) -> Int { var x = 1
            for i in 0..n { x = x ^ i }
            x }
    "#,
        )
        .unwrap();
    let mut session = program.session(Grants::none()).unwrap();
    let start = Instant::now();
    // Many that are short, for longer than one may take.
    while start.elapsed() < Duration::from_millis(120) {
        session.call::<i64>("spin", (1000,)).unwrap();
    }
    assert_eq!(session.call::<i64>("spin", (i64::MAX,)).unwrap_err().code(), "limit.time");
    session.call::<i64>("spin", (1000,)).unwrap();
}

#[test]
fn a_source_is_rejected_for_its_first_error_and_not_for_a_warning_before_it() {
    let wrong = Vm::new().unwrap().compile("wrong.fold", "pub fn double(n: Int) -> Int { 2 * m }").unwrap_err();
    let codes: Vec<&str> = wrong.findings().iter().map(|finding| finding.diagnostic.code.as_str()).collect();
    let [warning, error] = codes[..] else { panic!("{codes:?}") };
    assert_eq!((warning, wrong.code()), ("F0208", error));
    assert_eq!(wrong.span().map(|place| place.column), Some(36));
}

#[test]
fn what_is_wrong_with_a_source_is_data() {
    let error =
        Vm::new().unwrap().compile("wrong.fold", "pub fn f() -> Int { x }\npub fn g() -> String { 1 }").unwrap_err();
    let codes: Vec<&str> = error.findings().iter().map(|finding| finding.diagnostic.code.as_str()).collect();
    assert_eq!(codes.len(), 2, "{error}");
    assert_eq!(error.code(), codes[0]);
    let span = error.span().unwrap();
    assert_eq!((span.file.as_str(), span.line, span.column), ("wrong.fold", 1, 21));
    assert!(error.to_string().contains("wrong.fold:2:24"), "{error}");
}

#[test]
fn what_is_not_granted_is_told_before_anything_runs() {
    let program = Vm::new()
        .unwrap()
        .compile("needs.fold", "needs out: Console, data: Dir, log: Console\nout.print(\"\")")
        .unwrap();
    let error = program.run(Grants::none()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the program was not run, since it was not granted out: Console, data: Dir, log: Console"
    );
    // What has the name but another kind is not what is wanted.
    let error =
        program.run(grants! { out: Console::capture(), data: Clock::system(), log: Console::capture() }).unwrap_err();
    assert_eq!(error.code(), "grant");
    let out = Console::capture();
    let error = program.run(grants! { out: out.clone(), data: Clock::system(), log: out }).unwrap_err();
    assert_eq!(error.to_string(), "the program was not run, since it was not granted data: Dir");
}

#[test]
fn directories_are_what_was_granted_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "inside").unwrap();
    std::fs::write(folder.path().join("../outside.txt"), "outside").ok();
    let program = Vm::new()
        .unwrap()
        .compile(
            "files.fold",
            r#"
        pub fn read(data: Dir, name: String) -> Result<String> { Ok(data.read_text(name)?) }
        pub fn write(data: Dir, name: String, text: String) -> Result<()> { Ok(data.write_text(name, text)?) }
    "#,
        )
        .unwrap();
    let dir = Dir::open(folder.path()).unwrap();
    let mut reads = program.session(grants! { data: dir.clone() }).unwrap();
    assert_eq!(reads.call::<Result<String, String>>("read", ("a.txt",)).unwrap().unwrap(), "inside");
    assert!(reads.call::<Result<String, String>>("read", ("../outside.txt",)).unwrap().is_err());
    assert!(reads.call::<Result<(), String>>("write", ("b.txt", "x")).unwrap().is_err());
    let mut writes = program.session(grants! { data: dir.writable() }).unwrap();
    writes.call::<Result<(), String>>("write", ("b.txt", "new")).unwrap().unwrap();
    assert_eq!(std::fs::read_to_string(folder.path().join("b.txt")).unwrap(), "new");
    assert!(program.call::<Value>("read", ("a.txt",)).unwrap_err().to_string().contains("data: Dir"));
    assert!(Dir::open(folder.path().join("none")).is_err());
    assert!(Dir::open(folder.path().join("a.txt")).is_err());
}

#[test]
fn clocks_chance_variables_and_arguments_are_granted_by_name() {
    let program = Vm::new()
        .unwrap()
        .compile(
            "all.fold",
            r#"
        pub fn all(clock: Clock, random: Random, env: Env, args: Args) -> (Bool, Int, Option<String>, List<String>) {
            (clock.now() > 1600000000000000000, random.between(3, 4), env.get("HOME"), args.all())
        }
    "#,
        )
        .unwrap();
    let mut session = program
        .session(grants! {
            clock: Clock::system(),
            random: Random::system(),
            env: Env::new([("HOME", "nowhere")]),
            args: Args::new(["-v", "x"]),
        })
        .unwrap();
    let found: (bool, i64, Option<String>, Vec<String>) = session.call("all", ()).unwrap();
    assert_eq!(found, (true, 3, Some("nowhere".into()), vec!["-v".into(), "x".into()]));
}

#[derive(Clone, Debug, PartialEq, ToFold, FromFold, FoldType)]
struct Hit {
    title: String,
    score: f64,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, ToFold, FromFold, FoldType)]
enum Kind {
    Page,
    Image(i64, i64),
    #[fold(name = "Film")]
    Movie {
        seconds: i64,
        r#loop: bool,
    },
}

#[derive(Debug, Default)]
struct Index {
    asked: Mutex<Vec<String>>,
}

fn search() -> Capability<Index> {
    Capability::new("Search")
        .doc("Looks for things.")
        .method("search", ["query", "limit"], |index: &Index, query: String, limit: usize| -> Vec<Hit> {
            index.asked.lock().unwrap().push(query.clone());
            let hit = |n: usize| Hit { title: format!("{query} {n}"), score: n as f64, kind: Kind::Image(1, n as i64) };
            (0..limit).map(hit).collect()
        })
        .doc("At most `limit` hits, the best last.")
        .method("open", ["hit"], |_: &Index, hit: Hit| -> Result<Kind, Failure> {
            let number: i64 = hit.title.parse()?;
            Ok(Kind::Movie { seconds: number, r#loop: true })
        })
        .method("count", [], |index: &Index| index.asked.lock().unwrap().len())
        .method("breaks", [], |_: &Index| -> () { panic!("of the host's own") })
}

#[test]
fn a_capability_of_the_hosts_own_is_called_with_values() {
    let capability = search();
    assert_eq!(
        capability.declaration(),
        r#"pub record Hit { pub title: String, pub score: Float, pub kind: Kind }

pub enum Kind {
    Page,
    Image(Int, Int),
    Film { seconds: Int, loop: Bool }
}

/// Looks for things.
pub capability Search {
    /// At most `limit` hits, the best last.
    fn search(self, query: String, limit: Int) -> List<Hit>
    fn open(self, hit: Hit) -> Result<Kind, dyn Error>
    fn count(self) -> Int
    fn breaks(self) -> ()
}
"#
    );
    let _held = workers::spares();
    let here = [Tier::Interpreter, Tier::Jit].map(|tier| Vm::builder().tier(tier));
    let confined = [0, 2].map(|spare| workers::builder().spare_workers(spare));
    for builder in here.into_iter().chain(confined) {
        let vm = builder.capability(&capability).build().unwrap();
        let program = vm.compile("tool.fold", r#"
            import host

            pub fn best(search: host.Search, query: String) -> Option<host.Hit> { search.search(query, 300).last() }
            pub fn open(search: host.Search, title: String) -> String {
                let hit = host.Hit { title, score: 0.0, kind: host.Kind.Page }
                match search.open(hit) {
                    Ok(Film { seconds, loop }) => "{seconds} {loop}",
                    Ok(_) => "other",
                    Err(why) => why.message(),
                }
            }
            pub fn breaks(search: host.Search) { search.breaks() }

            record Fake {}
            impl host.Search for Fake {
                fn search(self, query: String, limit: Int) -> List<host.Hit> { [] }
                fn open(self, hit: host.Hit) -> Result<host.Kind> { Ok(host.Kind.Page) }
                fn count(self) -> Int { 7 }
                fn breaks(self) {}
            }
            pub fn faked() -> Int {
                let fake: host.Search = Fake {}
                fake.count()
            }

            fn main(search: host.Search, out: Console) { out.print("{search.search("main", 1).len()} {search.count()}") }
        "#).unwrap();
        assert_eq!(program.needs(), [("search", "Search"), ("out", "Console")]);
        let object = capability.with(Index::default());
        let mut session = program.session(grants! { search: object.clone() }).unwrap();
        let best: Option<Hit> = session.call("best", ("pound",)).unwrap();
        assert_eq!(best, Some(Hit { title: "pound 299".into(), score: 299.0, kind: Kind::Image(1, 299) }));
        assert_eq!(session.call::<String>("open", ("12",)).unwrap(), "12 true");
        assert_eq!(session.call::<String>("open", ("x",)).unwrap(), "invalid digit found in string");
        assert_eq!(session.call::<i64>("faked", ()).unwrap(), 7);
        let broken = session.call::<()>("breaks", ()).unwrap_err();
        assert_eq!(broken.code(), "host");
        assert!(broken.to_string().contains("the host function panicked: of the host's own"), "{broken}");
        assert!(broken.stack().iter().any(|frame| frame.function.contains("breaks")), "{broken}");
        assert_eq!(*object.state().asked.lock().unwrap(), ["pound"]);
        let out = Console::capture();
        program.run(grants! { search: object.clone(), out: out.clone() }).unwrap();
        assert_eq!(out.text(), "1 2\n");
        let error = program.run(grants! { out: out }).unwrap_err();
        assert_eq!(error.to_string(), "the program was not run, since it was not granted search: Search");
    }
}

#[test]
fn a_declaration_that_is_none_in_fold_is_an_error() {
    for (name, method, parameter) in
        [("search", "f", "x"), ("Search", "F!", "x"), ("Search", "f", "match"), ("Se\nx", "f", "x")]
    {
        let wrong = Capability::<()>::new(name).method(method, [parameter], |_: &(), x: i64| x);
        assert!(Vm::builder().capability(&wrong).build().is_err(), "{name} {method} {parameter}");
    }
}

#[test]
fn programs_and_machines_are_used_on_many_threads() {
    let vm = Vm::new().unwrap();
    // The second is compiled in the background while they call it, from its loop on and from its start.
    let text = "pub fn sum(list: List<Int>) -> Int { list.sum() }\n\
                pub fn spin(n: Int) -> Int { var (left, all) = (n, 0)\n while left > 0 { all += left; left -= 1 }\n all }";
    let program = vm.compile("sum.fold", text).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let program = &program;
            scope.spawn(move || {
                let mut session = program.session(Grants::none()).unwrap();
                for n in 0..100 {
                    let list: Vec<i64> = (0..n * thread).collect();
                    assert_eq!(program.call::<i64>("sum", (&list,)).unwrap(), list.iter().sum::<i64>());
                    assert_eq!(session.call::<i64>("spin", (n * 10,)).unwrap(), 5 * n * (n * 10 + 1));
                }
            });
        }
    });
}

#[test]
fn what_is_cancelled_ends_and_what_is_not_does_not() {
    let vm = Vm::builder().fuel(None).build().unwrap();
    let program = vm.compile("endless.fold", "pub fn endless() { while true {} }\npub fn one() -> Int { 1 }").unwrap();
    let cancel = Cancel::new();
    let cancelled = program.with_cancel(&cancel);
    assert_eq!(cancelled.call::<i64>("one", ()).unwrap(), 1);
    std::thread::scope(|scope| {
        let endless = scope.spawn(|| cancelled.call::<()>("endless", ()));
        std::thread::sleep(Duration::from_millis(30));
        assert_eq!(program.call::<i64>("one", ()).unwrap(), 1);
        cancel.cancel();
        assert_eq!(endless.join().unwrap().unwrap_err().code(), "cancelled");
    });
    assert_eq!(cancelled.call::<()>("endless", ()).unwrap_err().code(), "cancelled");
    assert_eq!(program.call::<i64>("one", ()).unwrap(), 1);
}

#[test]
fn a_program_may_have_several_files() {
    let vm = Vm::new().unwrap();
    let program = vm
        .compile_modules(
            "main.fold",
            [
                ("main.fold", "import shapes/square\npub fn area(side: Int) -> square.Area { square.area(side) }"),
                (
                    "shapes/square.fold",
                    "pub record Area { pub size: Int }\npub fn area(side: Int) -> Area { Area { size: side * side } }",
                ),
            ],
        )
        .unwrap();
    assert_eq!(program.call::<Value>("area", (3,)).unwrap().field("size"), Some(&Value::Int(9)));
}

#[path = "../../examples/embedding/main.rs"]
#[expect(dead_code, reason = "the examples' own beginning")]
mod examples;

#[test]
fn the_examples_do_what_they_say() {
    let golden = [
        (
            "plugins",
            "  strict.fold refuses: line 2 is not done\n  broken.fold failed: limit.time\n  [\"one\", \"two TODO\"], trimmed notes.txt\n",
        ),
        ("rules", "  Ada: large order 6.30\n  Ada: ten of nails 0.50\n  Ada: welcome 5.00\n  to pay: 114.20\n"),
        ("formulas", "  [10.00, 10.00, 1.90, 11.90, 11.90]\n  [24.99, 24.99, 4.75, 29.74, 29.74]\n"),
        (
            "handler",
            "  PUT /pig: 204 \n  GET /pig: 200 in the pound\n  GET /cow: 404 there is no cow\n  PUT /cow: 500 panicked\n",
        ),
        (
            "tools",
            "Oslo: -3.5 degrees\nRome: 14.0 degrees, rain\nboth cost 2 calls\n  failed: there is no weather in Atlantis\n",
        ),
        ("game", "  kept as it was: F"),
        ("confined", "  good.fold: six times seven is 42\n  greedy.fold: limit.memory\n  curious.fold: not_granted\n"),
        (
            "pool",
            "  0: 1, the longest is \"one\"\n  1: 2, the longest is \"lines\"\n  2: limit.time\n  3: panicked\n  4: 3, the longest is \"is the longest\"\n  5: 1, the longest is \"last\"\n",
        ),
    ];
    assert_eq!(examples::EXAMPLES.len(), golden.len());
    let _held = workers::spares();
    for ((name, run), (expected, text)) in examples::EXAMPLES.iter().zip(golden) {
        let mut out = Vec::new();
        let ran = run(&mut out);
        let out = String::from_utf8(out).unwrap();
        assert!(ran.is_ok(), "{name}: {ran:?}\n{out}");
        assert_eq!(*name, expected);
        assert!(out.contains(text), "{name}:\n{out}");
    }
}

#[test]
fn python_is_a_guest_like_others() {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests/cache/python.wasm");
    if !module.exists() {
        return println!("SKIPPED: python.wasm is not there; tests/guests/fetch gets it");
    }
    if cfg!(debug_assertions) {
        return println!("SKIPPED: CPython in a debug build; cargo test --release --test embedding runs it");
    }
    let mut out = Vec::new();
    let ran = examples::python::run(&module, &mut out);
    let out = String::from_utf8(out).unwrap();
    assert!(ran.is_ok(), "{ran:?}\n{out}");
    let expected = "  sums: {\"pig\": 7, \"cow\": 2}
  greedy: made do with less
  curious failed: FileNotFoundError: [Errno 44] No such file or directory: '/etc/passwd'
  endless was ended: out of fuel
";
    assert_eq!(out, expected);
}

#[test]
fn sets_and_maps_cross_by_what_is_a_key_only() {
    let source = "pub fn errors(x: Set<dyn Error>) -> Int { 0 }
pub fn floats(x: Map<Float, Int>) -> Int { 0 }
record Key { name: String }
pub fn keys(x: Map<Key, Int>) -> Int { x.len() }";
    let program = Vm::new().unwrap().compile("keys.fold", source).unwrap();
    assert_eq!(program.functions(), ["fn keys(x: Map<Key, Int>) -> Int"]);
    assert_eq!(program.call::<i64>("errors", (Value::Set(Vec::new()),)).unwrap_err().code(), "no_function");
}

#[test]
fn records_in_records_without_end_are_no_danger() {
    let chain: String = (0..20_000).map(|n| format!("record R{n} {{ next: Option<R{}> }}\n", n + 1)).collect();
    let source = format!(
        "{chain}record R20000 {{}}\npub fn f(r: R0) -> Int {{ 0 }}\npub fn g(r: R19990) -> Int {{ if r.next.is_some() {{ 1 }} else {{ 2 }} }}"
    );
    let program = Vm::new().unwrap().compile("chain.fold", &source).unwrap();
    assert_eq!(program.functions().len(), 1);
    let end = Value::Record(vec![("next".into(), Value::Option(None))]);
    assert_eq!(program.call::<i64>("g", (end,)).unwrap(), 2);
}

#[test]
fn parameters_of_capabilities_are_called_as_the_host_likes() {
    let odd = Capability::new("Odd")
        .method("sum", ["wire", "wire_", "host"], |_: &(), a: i64, b: i64, c: i64| a + 10 * b + 100 * c);
    let vm = Vm::builder().capability(&odd).build().unwrap();
    let program = vm.compile("odd.fold", "import host\npub fn sum(odd: host.Odd) -> Int { odd.sum(1, 2, 3) }").unwrap();
    let mut session = program.session(grants! { odd: odd.with(()) }).unwrap();
    assert_eq!(session.call::<i64>("sum", ()).unwrap(), 321);
}

#[test]
fn a_connection_is_taken_once_in_a_session() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = server.local_addr().unwrap().to_string();
    let source = r#"
pub fn connects(net: Net) -> Result<Bool> {
    for origin in net.origins() {
        var connection = net.connect(origin)?
        connection.write("x".to_bytes())?
    }
    Ok(true)
}
pub fn opens(data: Dir, net: Net) -> Result<String> {
    let _file = data.open("a.txt", OpenMode.Read)?
    for origin in net.origins() { net.connect(origin)? }
    Ok("connected")
}"#;
    let program = Vm::new().unwrap().compile("net.fold", source).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "inside").unwrap();
    let granted = grants! { net: Net::connect(&origin).unwrap(), data: Dir::open(folder.path()).unwrap() };
    let mut session = program.session(granted).unwrap();
    assert!(session.call::<Result<bool, String>>("connects", ()).unwrap().unwrap());
    assert!(session.call::<Result<bool, String>>("connects", ()).unwrap().is_err());
    assert!(session.call::<Result<String, String>>("opens", ()).unwrap().is_err());
}

#[test]
fn another_directory_under_its_name_is_not_the_one_that_was_granted() {
    let folder = tempfile::tempdir().unwrap();
    let (stock, other) = (folder.path().join("stock"), folder.path().join("other"));
    std::fs::create_dir(&stock).unwrap();
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("secret"), "x").unwrap();
    let granted = Dir::open(&stock).unwrap();
    std::fs::rename(&stock, folder.path().join("away")).unwrap();
    std::os::unix::fs::symlink(&other, &stock).unwrap();
    let program = Vm::new().unwrap().compile("read.fold", "needs data: Dir\ndata.read_text(\"secret\")?").unwrap();
    assert_eq!(program.run(grants! { data: granted }).unwrap_err().code(), "grant");
}
