//! Values that cross as serde describes them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use pinfold::{Program, Serde, Vm};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

const SOURCE: &str = r#"
record Row { name: String, qty: Int, tags: List<String>, note: Option<String> }
record Empty {}
record Point { x: Int, y: Int }
enum Shape { Point, Circle(Float), Box(Int, Int), Rect { w: Float, h: Float }, Named { note: Option<Int>, name: String } }
enum Tree { Leaf, Node(Tree, Int, Tree) }
enum Chain { End, Link(Chain) }

pub fn int(x: Int) -> Int { x }
pub fn float(x: Float) -> Float { x }
pub fn bool(x: Bool) -> Bool { x }
pub fn char(x: Char) -> Char { x }
pub fn string(x: String) -> String { x }
pub fn bytes(x: Bytes) -> Bytes { x }
pub fn unit(x: ()) { x }
pub fn tuple(x: (Int, (String, Bool))) -> (Int, (String, Bool)) { x }
pub fn ints(x: List<Int>) -> List<Int> { x }
pub fn units(x: List<()>) -> List<()> { x }
pub fn options(x: List<Option<Int>>) -> List<Option<Int>> { x }
pub fn nested(x: Option<Option<Int>>) -> Option<Option<Int>> { x }
pub fn map(x: Map<String, List<Int>>) -> Map<String, List<Int>> { x }
pub fn numbers(x: Map<Int, String>) -> Map<Int, String> { x }
pub fn set(x: Set<String>) -> Set<String> { x }
pub fn result(x: Result<Int, String>) -> Result<Int, String> { x }
pub fn row(x: Row) -> Row { x }
pub fn rows(x: List<Row>) -> List<Row> { x }
pub fn empty(x: Empty) -> Empty { x }
pub fn point(x: Point) -> Point { x }
pub fn shape(x: Shape) -> Shape { x }
pub fn shapes(x: List<Shape>) -> List<Shape> { x }
pub fn tree(x: Tree) -> Tree { x }
pub fn chain(x: Chain) -> Chain { x }
pub fn long(n: Int) -> Chain {
    var chain = Chain.End
    for _ in 0..n { chain = Chain.Link(chain) }
    chain
}
pub fn everything() -> (Row, List<Shape>, Bytes, Result<Int, String>, Option<Int>, (), Map<String, Int>) {
    (
        Row { name: "nails", qty: 6, tags: ["a"], note: None },
        [Shape.Point, Shape.Circle(1.5), Shape.Box(1, 2), Shape.Rect { w: 2.0, h: 3.0 }],
        "ab".to_bytes(), Err("no"), Some(1), (), ["k": 7],
    )
}
"#;

fn program() -> Program {
    Vm::new().unwrap().compile("types.fold", SOURCE).unwrap()
}

/// That a value comes back as it was from the function of this name.
fn same<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(program: &Program, name: &str, value: T) {
    let found = program.call::<Serde<T>>(name, (Serde(&value),)).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(found.0, value, "{name}");
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    tags: Vec<String>,
    #[serde(rename = "qty")]
    count: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    name: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Rect {
        h: f64,
        w: f64,
    },
    Circle(f32),
    Point,
    #[serde(rename = "Box")]
    Square(u8, i64),
    Named {
        name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<i32>,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Tree {
    Leaf,
    Node(Box<Tree>, i64, Box<Tree>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Chain {
    End,
    Link(Box<Chain>),
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Meters(f64);

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Empty {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Flat {
    x: i64,
    #[serde(flatten)]
    rest: BTreeMap<String, i64>,
}

/// Something that is put as bytes.
#[derive(Debug, PartialEq)]
struct Blob(Vec<u8>);

impl Serialize for Blob {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Taken;
        impl serde::de::Visitor<'_> for Taken {
            type Value = Blob;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Blob, E> {
                Ok(Blob(bytes.to_vec()))
            }
        }
        from.deserialize_byte_buf(Taken)
    }
}

fn row(note: Option<&str>) -> Row {
    Row { tags: vec!["a".into(), "ä".repeat(90)], count: 65535, note: note.map(Into::into), name: "nails".into() }
}

#[test]
fn what_serde_describes_crosses_and_comes_back() {
    let program = program();
    let all = &program;
    same(all, "int", i64::MIN);
    same(all, "int", u8::MAX);
    same(all, "int", i128::from(i64::MAX));
    same(all, "float", 1e300);
    same(all, "float", Meters(0.5));
    same(all, "bool", true);
    same(all, "char", '\u{10ffff}');
    same(all, "string", String::from("ä"));
    same(all, "string", "127.0.0.1".parse::<IpAddr>().unwrap());
    same(all, "bytes", vec![0_u8, 255, 128]);
    same(all, "bytes", [1_u8, 2, 3]);
    same(all, "bytes", Blob(vec![9; 1000]));
    same(all, "unit", ());
    same(all, "unit", Unit);
    same(all, "tuple", (1_u32, (String::from("zwei"), false)));
    same(all, "ints", vec![1_i8, -2, 3]);
    same(all, "ints", [7_i64; 3]);
    same(all, "ints", Vec::<i64>::new());
    same(all, "units", vec![(); 3]);
    same(all, "options", vec![None, Some(1), None]);
    same(all, "nested", Some(Some(1)));
    same(all, "nested", None::<Option<i64>>);
    same(all, "map", BTreeMap::from([("b".to_owned(), vec![2]), ("a".to_owned(), vec![])]));
    same(all, "numbers", BTreeMap::from([(-1, "x".to_owned()), (1, "y".to_owned())]));
    same(all, "set", BTreeSet::from(["x".to_owned(), "y".to_owned()]));
    same(all, "result", Ok::<i64, String>(1));
    same(all, "result", Err::<i64, String>("no".into()));
    same(all, "row", row(Some("new")));
    same(all, "row", row(None));
    same(all, "rows", vec![row(None), row(Some(""))]);
    same(all, "empty", Empty {});
    same(all, "empty", Unit);
    same(all, "point", Flat { x: 1, rest: [("y".to_owned(), 2)].into() });
    same(all, "point", BTreeMap::from([("y".to_owned(), 2), ("x".to_owned(), 1)]));
    let shapes = [
        Shape::Point,
        Shape::Circle(0.5),
        Shape::Rect { h: 1.0, w: 2.0 },
        Shape::Square(3, -4),
        Shape::Named { name: "n".into(), note: None },
        Shape::Named { name: "n".into(), note: Some(5) },
    ];
    same(all, "shapes", shapes.to_vec());
    shapes.into_iter().for_each(|shape| same(all, "shape", shape));
    let node = |left, n, right| Tree::Node(Box::new(left), n, Box::new(right));
    same(all, "tree", node(node(Tree::Leaf, 1, Tree::Leaf), 2, Tree::Leaf));
}

#[test]
fn a_type_that_holds_anything_holds_what_a_program_gives() {
    let Serde(found): Serde<serde_json::Value> = program().call("everything", ()).unwrap();
    let expected = json!([
        {"name": "nails", "qty": 6, "tags": ["a"], "note": null},
        ["Point", {"Circle": 1.5}, {"Box": [1, 2]}, {"Rect": {"w": 2.0, "h": 3.0}}],
        [97, 98], {"Err": "no"}, 1, null, {"k": 7},
    ]);
    assert_eq!(found, expected);
    // And gives it, where the program's types are those of JSON.
    let value = json!({"name": "nails", "tags": [], "qty": 6});
    let Serde(found): Serde<Row> = program().call("row", (Serde(value),)).unwrap();
    assert_eq!((found.name.as_str(), found.count, found.note), ("nails", 6, None));
}

#[test]
fn what_a_host_does_not_know_is_passed_over() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Part {
        qty: i64,
        #[serde(default)]
        more: Vec<i64>,
    }
    let program = program();
    let found: Serde<Part> = program.call("row", (Serde(row(Some("x"))),)).unwrap();
    assert_eq!(found.0, Part { qty: 65535, more: vec![] });
    let found: Serde<Vec<Part>> = program.call("rows", (Serde([row(None), row(Some("x"))]),)).unwrap();
    assert_eq!(found.0.len(), 2);
}

#[test]
fn what_does_not_fit_is_an_error_that_says_where() {
    let program = program();
    fn given(program: &Program, name: &str, value: impl Serialize) -> String {
        program.call::<pinfold::Value>(name, (Serde(value),)).unwrap_err().to_string()
    }
    for (found, error) in [
        (
            given(&program, "int", u64::MAX),
            "int: x: the program has Int, the host 18446744073709551615, which does not fit",
        ),
        (given(&program, "int", "x"), "int: x: the program has Int, the host a string"),
        (given(&program, "int", Some(1)), "int: x: the program has Int, the host an option"),
        (given(&program, "nested", 1), "nested: x: the program has Option<Option<Int>>, the host i32"),
        (given(&program, "string", 1), "string: x: the program has String, the host i32"),
        (given(&program, "ints", ["a"]), "ints: x.0: the program has Int, the host a string"),
        (given(&program, "ints", (1, 2.5)), "ints: x.1: the program has Int, the host a float"),
        (given(&program, "tuple", (1, 2, 3)), "tuple: x: the program has (Int, (String, Bool)), the host a tuple of 3"),
        (given(&program, "tuple", (1, ("a", 1))), "tuple: x.1.1: the program has Bool, the host i32"),
        (given(&program, "bytes", [1, 256]), "bytes: x.1: the program has Bytes, the host what is no byte"),
        (
            given(&program, "row", json!({"name": "a", "qty": 1, "tags": ["x", 1]})),
            "row: x.tags.1: the program has String, the host u64",
        ),
        (given(&program, "row", json!({"name": "a", "qty": 1})), "row: x: the program has Row, the host no field tags"),
        (
            given(&program, "row", json!({"name": "a", "size": 1})),
            "row: x: the program has Row, the host a field size more",
        ),
        (
            given(&program, "point", BTreeMap::from([(1, 2)])),
            "point: x: the program has Point, the host a key that is no string",
        ),
        (given(&program, "shape", Tree::Leaf), "shape: x: the program has Shape, the host the variant Leaf"),
        (given(&program, "tree", Shape::Point), "tree: x: the program has Tree, the host the variant Point"),
        (given(&program, "chain", Tree::Leaf), "chain: x: the program has Chain, the host the variant Leaf"),
        (
            given(&program, "string", Refuses),
            "string: x: the program has String, the host a value that cannot be given: it is secret",
        ),
    ] {
        assert_eq!(found, error);
    }
    fn taken<T: DeserializeOwned + std::fmt::Debug>(program: &Program, name: &str, value: impl Serialize) -> String {
        program.call::<Serde<T>>(name, (Serde(value),)).unwrap_err().to_string()
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "it is never there")]
    struct Other {
        name: String,
        size: i64,
    }
    #[derive(Debug, Deserialize)]
    enum Few {
        Point,
        #[expect(dead_code, reason = "it is never there")]
        Circle(i64),
    }
    for (found, error) in [
        (taken::<u8>(&program, "int", 256), "int: the program has Int, the host u8, in which 256 does not fit"),
        (taken::<String>(&program, "int", 1), "int: the program has Int, the host a string"),
        (
            taken::<Vec<u8>>(&program, "ints", [1, 256]),
            "ints: 1: the program has Int, the host u8, in which 256 does not fit",
        ),
        (
            taken::<[i64; 2]>(&program, "ints", [1]),
            "ints: the program has List<Int>, the host a type that cannot take it: invalid length 1, expected an array of length 2",
        ),
        (
            taken::<(i64,)>(&program, "tuple", (1, ("a", true))),
            "tuple: the program has (Int, (String, Bool)), the host a tuple of 1",
        ),
        (taken::<Other>(&program, "row", row(None)), "row: the program has Row, the host a field size more"),
        (
            taken::<IpAddr>(&program, "string", "x"),
            "string: the program has String, the host a type that cannot take it: invalid IP address syntax",
        ),
        (taken::<Few>(&program, "shape", Shape::Circle(1.0)), "shape: 0: the program has Float, the host i64"),
        (taken::<Few>(&program, "shape", Shape::Square(1, 2)), "shape: the program has Shape, the host no variant Box"),
        (
            taken::<Vec<Few>>(&program, "shapes", [Shape::Point, Shape::Square(1, 2)]),
            "shapes: 1: the program has Shape, the host no variant Box",
        ),
        (
            taken::<Result<i64, bool>>(&program, "result", Err::<i64, _>("x")),
            "result: the program has String, the host a bool",
        ),
    ] {
        assert_eq!(found, error);
    }
    assert!(matches!(program.call::<Serde<Few>>("shape", (Serde(Shape::Point),)).unwrap().0, Few::Point));
}

/// What has no form.
struct Refuses;

impl Serialize for Refuses {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("it is secret"))
    }
}

#[test]
fn what_nests_without_end_is_an_error_in_either_direction() {
    let program = program();
    let chain = |length: usize| (0..length).fold(Chain::End, |chain, _| Chain::Link(Box::new(chain)));
    same(&program, "chain", chain(100));
    let error = program.call::<Serde<Chain>>("chain", (Serde(chain(1000)),)).unwrap_err();
    assert!(error.to_string().ends_with("nested more than 128 deep"), "{error}");
    let error = program.call::<Serde<Chain>>("long", (1000,)).unwrap_err();
    assert!(error.to_string().ends_with("nested more than 128 deep"), "{error}");
    let error = program.call::<Serde<serde_json::Value>>("long", (1000,)).unwrap_err();
    assert!(error.to_string().ends_with("nested more than 128 deep"), "{error}");
}

mod declared {
    //! Types of functions of the host's own.

    use pinfold::{Capability, Error, FoldType, Serde, Vm, grants};

    use super::*;

    #[derive(Deserialize, Serialize)]
    struct Order {
        customer: String,
        #[serde(rename = "lines")]
        items: BTreeMap<String, u32>,
        note: Option<(char, f32)>,
        raw: Vec<u8>,
        shape: Shape,
        before: Vec<Order>,
        weight: Meters,
        tried: Result<Row, String>,
    }

    /// The one that ends it comes last.
    #[derive(Debug, Deserialize, PartialEq, Serialize)]
    enum Late {
        Node(Box<Late>, std::num::NonZeroU8, Vec<Option<Late>>),
        Pair { left: Box<Late>, right: Box<Late> },
        Leaf,
    }

    fn declaration<T: DeserializeOwned>() -> String {
        let takes = Capability::<()>::new("Takes").method("take", ["it"], |_: &(), _: Serde<T>| {});
        takes.declaration()
    }

    #[test]
    fn structs_and_enums_are_records_and_enums() {
        let text = declaration::<Order>();
        for line in [
            "pub record Order { customer: String, lines: Map<String, Int>, note: Option<(Char, Float)>, raw: Bytes, \
             shape: Shape, before: List<Order>, weight: Float, tried: Result<Row, String> }",
            "pub record Row { tags: List<String>, qty: Int, note: Option<String>, name: String }",
            "    Rect { h: Float, w: Float },\n    Circle(Float),\n    Point,\n    Box(Int, Int),\n    \
             Named { name: String, note: Option<Int> }",
            "fn take(self, it: Order) -> ()",
        ] {
            let written = line.replace("pub record Order { ", "").replace("pub record Row { ", "");
            let found = text.replace("pub ", "");
            assert!(found.contains(&written.trim_end_matches(" }").replace("pub ", "")), "{line}\n{text}");
        }
    }

    #[test]
    fn what_has_itself_in_it_is_declared_once() {
        let text = declaration::<(Late, Tree, Late)>();
        assert_eq!(text.matches("enum Late").count(), 1, "{text}");
        assert!(text.contains("Node(Late, Int, List<Option<Late>>)"), "{text}");
        assert!(text.contains("Pair { left: Late, right: Late }"), "{text}");
        assert!(text.contains("fn take(self, it: (Late, Tree, Late))"), "{text}");
    }

    #[test]
    fn they_cross_as_they_are_declared() {
        let echo = Capability::new("Echo")
            .method("late", ["it"], |_: &(), it: Serde<Late>| it)
            .method("row", ["it"], |_: &(), Serde(row): Serde<Row>| Serde(Row { count: row.count + 1, ..row }))
            .method("unit", ["it"], |_: &(), it: Serde<(Unit, Empty, [i64; 2])>| it);
        let vm = Vm::builder().capability(&echo).build().unwrap();
        let program = vm
            .compile(
                "echo.fold",
                r#"
                import host
                pub fn late(echo: host.Echo, it: host.Late) -> host.Late { echo.late(it) }
                pub fn row(echo: host.Echo, it: host.Row) -> host.Row { echo.row(it) }
                pub fn unit(echo: host.Echo, it: (host.Unit, host.Empty, (Int, Int))) -> (host.Unit, host.Empty, (Int, Int)) { echo.unit(it) }
                "#,
            )
            .unwrap();
        let mut session = program.session(grants! { echo: echo.with(()) }).unwrap();
        let late = || Late::Pair {
            left: Box::new(Late::Node(Box::new(Late::Leaf), 7.try_into().unwrap(), vec![None, Some(Late::Leaf)])),
            right: Box::new(Late::Leaf),
        };
        let Serde(found) = session.call::<Serde<Late>>("late", (Serde(late()),)).unwrap();
        assert_eq!(found, late());
        let row = Row { tags: vec!["a".into()], count: 6, note: None, name: "nails".into() };
        let Serde(found) = session.call::<Serde<Row>>("row", (Serde(&row),)).unwrap();
        assert_eq!(found, Row { count: 7, ..row });
        let unit = (Unit, Empty {}, [1, 2]);
        let Serde(found) = session.call::<Serde<(Unit, Empty, [i64; 2])>>("unit", (Serde(&unit),)).unwrap();
        assert_eq!(found, unit);
    }

    /// Why there is no machine with a function that takes this.
    fn problem<T: DeserializeOwned + 'static>() -> String
    where
        Serde<T>: FoldType,
    {
        let takes = Capability::<()>::new("Takes").method("take", ["it"], |_: &(), _: Serde<T>| {});
        match Vm::builder().capability(&takes).build() {
            Err(Error::Grant(problem)) => problem,
            other => panic!("{other:?}"),
        }
    }

    #[derive(Deserialize)]
    struct Deeper(#[expect(dead_code, reason = "for its type")] Vec<Deeper>);

    mod other {
        #[derive(serde::Deserialize)]
        pub struct Row {
            #[expect(dead_code, reason = "for its name")]
            pub other: i64,
        }
    }

    #[test]
    fn what_is_no_type_in_fold_is_an_error() {
        assert!(problem::<serde_json::Value>().contains("only a value says what it is"));
        assert!(problem::<Flat>().contains("Flat is in Fold cannot be told"));
        assert!(problem::<Deeper>().contains("nests too deep"));
        assert!(problem::<(Row, other::Row)>().contains("there are two types Row"));
    }
}
