//! Traits that are capabilities.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use pinfold::{Capability, Error, Failure, FoldType, FromFold, Grant, Tier, ToFold, Vm, grants};

#[derive(Clone, Debug, PartialEq, ToFold, FromFold, FoldType)]
pub struct Document {
    title: String,
    tags: Vec<String>,
}

/// A library
/// of documents.
#[pinfold::capability]
pub trait Library {
    /// Those with all of these tags.
    ///
    /// The first ones first.
    fn tagged(&self, tags: &[String], limit: usize) -> Vec<Document>;
    /// What is called so.
    fn find(&self, title: &str) -> Result<Document, Failure>;
    fn put(&self, document: &Document);
    fn name(&self) -> &str;
    #[fold(name = "weigh")]
    fn weight(&self, #[fold(name = "bytes")] r#in: &[u8], by: BTreeMap<String, Option<i64>>) -> (usize, i64);
    /// Provided, and not there to be implemented.
    fn count(&self) -> usize {
        self.tagged(&[], usize::MAX).len()
    }
    fn many(&self, a: i64, b: i64, c: i64, d: i64, e: i64, f: i64, g: i64, h: i64) -> i64;
    #[cfg(any())]
    fn never(&self, there: Nowhere);
}

#[derive(Default)]
struct Shelf {
    documents: Mutex<Vec<Document>>,
}

impl Library for Shelf {
    fn tagged(&self, tags: &[String], limit: usize) -> Vec<Document> {
        let documents = self.documents.lock().unwrap();
        let found = documents.iter().filter(|document| tags.iter().all(|tag| document.tags.contains(tag)));
        found.take(limit).cloned().collect()
    }

    fn find(&self, title: &str) -> Result<Document, Failure> {
        let documents = self.documents.lock().unwrap();
        let found = documents.iter().find(|document| document.title == title).cloned();
        found.ok_or_else(|| Failure(format!("there is no {title}")))
    }

    fn put(&self, document: &Document) {
        assert!(!document.title.is_empty(), "a document has a title");
        self.documents.lock().unwrap().push(document.clone());
    }

    fn name(&self) -> &str {
        "shelf"
    }

    fn weight(&self, r#in: &[u8], by: BTreeMap<String, Option<i64>>) -> (usize, i64) {
        (r#in.len(), by.values().flatten().sum())
    }

    fn many(&self, a: i64, b: i64, c: i64, d: i64, e: i64, f: i64, g: i64, h: i64) -> i64 {
        [a, b, c, d, e, f, g, h].iter().fold(0, |all, digit| all * 10 + digit)
    }
}

const PROGRAM: &str = r#"
import host

pub fn store(library: host.Library, titles: List<String>) -> Int {
    for title in titles { library.put(host.Document { title, tags: ["new", title] }) }
    library.count()
}
pub fn both(library: host.Library, tag: String) -> List<host.Document> { library.tagged(["new", tag], 10) }
pub fn first(library: host.Library, title: String) -> String {
    match library.find(title) {
        Ok(document) => document.title + " on the " + library.name(),
        Err(error) => error.message(),
    }
}
pub fn numbers(library: host.Library) -> (Int, Int, Int) {
    let (bytes, sum) = library.weigh("four".to_bytes(), ["a": Some(40), "b": None, "c": Some(2)])
    (bytes, sum, library.many(1, 2, 3, 4, 5, 6, 7, 8))
}
pub fn limits(library: host.Library, limit: Int) -> Int { library.tagged([], limit).len() }

record Fake { title: String }
impl host.Library for Fake {
    fn tagged(self, tags: List<String>, limit: Int) -> List<host.Document> { [] }
    fn find(self, title: String) -> Result<host.Document> { Ok(host.Document { title: self.title, tags: [] }) }
    fn put(self, document: host.Document) {}
    fn name(self) -> String { "fake" }
    fn weigh(self, bytes: Bytes, by: Map<String, Option<Int>>) -> (Int, Int) { (0, 0) }
    fn count(self) -> Int { 0 }
    fn many(self, a: Int, b: Int, c: Int, d: Int, e: Int, f: Int, g: Int, h: Int) -> Int { 0 }
}
pub fn faked() -> String { first(Fake { title: "x" }, "y") }
"#;

#[test]
fn a_trait_is_declared_as_it_is_written() {
    assert_eq!(
        Library.declaration(),
        r#"pub record Document { pub title: String, pub tags: List<String> }

/// A library
/// of documents.
pub capability Library {
    /// Those with all of these tags.
    ///
    /// The first ones first.
    fn tagged(self, tags: List<String>, limit: Int) -> List<Document>
    /// What is called so.
    fn find(self, title: String) -> Result<Document, dyn Error>
    fn put(self, document: Document) -> ()
    fn name(self) -> String
    fn weigh(self, bytes: Bytes, by: Map<String, Option<Int>>) -> (Int, Int)
    /// Provided, and not there to be implemented.
    fn count(self) -> Int
    fn many(self, a: Int, b: Int, c: Int, d: Int, e: Int, f: Int, g: Int, h: Int) -> Int
}
"#
    );
}

#[test]
fn functions_of_a_trait_are_called_with_values() {
    for tier in [Tier::Interpreter, Tier::Jit] {
        let vm = Vm::builder().tier(tier).capability(&Library).build().unwrap();
        let program = vm.compile("library.fold", PROGRAM).unwrap();
        let shelf = Arc::new(Shelf::default());
        let mut session = program.session(grants! { library: Library.with_shared(shelf.clone()) }).unwrap();
        assert_eq!(session.call::<usize>("store", (["a", "b", "a"].as_slice(),)).unwrap(), 3);
        let a = Document { title: "a".into(), tags: vec!["new".into(), "a".into()] };
        assert_eq!(session.call::<Vec<Document>>("both", ("a",)).unwrap(), [a.clone(), a.clone()]);
        assert_eq!(session.call::<String>("first", ("b",)).unwrap(), "b on the shelf");
        assert_eq!(session.call::<String>("first", ("c",)).unwrap(), "there is no c");
        assert_eq!(session.call::<(i64, i64, i64)>("numbers", ()).unwrap(), (4, 42, 12_345_678));
        assert_eq!(shelf.documents.lock().unwrap().len(), 3);
        // What does not fit is no value of the function's.
        let error = session.call::<i64>("limits", (-1,)).unwrap_err();
        assert!(
            error.to_string().contains("limit: the program has Int, the host usize, in which -1 does not fit"),
            "{error}"
        );
        // A panic is the program's end, with its stack.
        let error = session.call::<usize>("store", ([""].as_slice(),)).unwrap_err();
        let Error::Host { source, .. } = &error else { panic!("{error:?}") };
        assert!(source.to_string().contains("a document has a title"), "{source}");
        assert_eq!(error.place().map(|place| place.line), Some(5), "{error}");
    }
}

struct Empty;

impl Library for Empty {
    fn tagged(&self, _: &[String], _: usize) -> Vec<Document> {
        Vec::new()
    }
    fn find(&self, title: &str) -> Result<Document, Failure> {
        Err(Failure(title.to_uppercase()))
    }
    fn put(&self, _: &Document) {}
    fn name(&self) -> &str {
        "empty"
    }
    fn weight(&self, _: &[u8], _: BTreeMap<String, Option<i64>>) -> (usize, i64) {
        (0, 0)
    }
    fn count(&self) -> usize {
        7
    }
    fn many(&self, _: i64, _: i64, _: i64, _: i64, _: i64, _: i64, _: i64, _: i64) -> i64 {
        0
    }
}

#[test]
fn another_implementation_stands_in_for_it_in_rust_and_in_fold() {
    let vm = Vm::builder().capability(&Library).build().unwrap();
    let program = vm.compile("library.fold", PROGRAM).unwrap();
    for (grant, found) in
        [(Grant::from(Library.with(Empty)), "X"), (Library.with(Shelf::default()).into(), "there is no x")]
    {
        let mut session = program.session(grants! { library: grant }).unwrap();
        assert_eq!(session.call::<String>("first", ("x",)).unwrap(), found);
    }
    let mut session = program.session(grants! { library: Library.with(Empty) }).unwrap();
    assert_eq!(session.call::<i64>("store", (["a"].as_slice(),)).unwrap(), 7);
    // Nothing is granted for it.
    assert_eq!(program.call::<String>("faked", ()).unwrap(), "x on the fake");
}

/// Of another module, and no more to be seen than that.
mod counters {
    #[pinfold::capability]
    pub(super) trait Counter: Send + Sync + std::fmt::Debug {
        fn next(&self) -> u64;
    }

    impl Counter for std::sync::atomic::AtomicU64 {
        fn next(&self) -> u64 {
            self.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
        }
    }
}

#[test]
fn traits_and_closures_are_capabilities_of_one_machine() {
    use counters::Counter;
    let adder = Capability::new("Adder").method("add", ["a", "b"], |base: &i64, a: i64, b: i64| base + a + b);
    let vm = Vm::builder().capability(&Counter).capability(&adder).capability(&Library).build().unwrap();
    let source = "import host\npub fn both(counter: host.Counter, adder: host.Adder) -> Int { adder.add(counter.next(), counter.next()) }";
    let program = vm.compile("both.fold", source).unwrap();
    let counter = Counter.with(std::sync::atomic::AtomicU64::new(20));
    let mut session = program.session(grants! { counter: counter.clone(), adder: adder.with(1) }).unwrap();
    assert_eq!(session.call::<i64>("both", ()).unwrap(), 42);
    assert_eq!(counter.state().load(std::sync::atomic::Ordering::Relaxed), 22);
}

#[test]
fn tests_in_fold_make_what_stands_in_for_it() {
    let vm = Vm::builder().capability(&Library).build().unwrap();
    let source = format!(
        "{PROGRAM}
test \"the fake is called\" {{ assert first(Fake {{ title: \"x\" }}, \"y\") == \"x on the fake\" }}
test \"it is not the shelf\" {{ assert first(Fake {{ title: \"x\" }}, \"y\") == \"x on the shelf\" }}
test \"it ends\" {{ while true {{}} }}
"
    );
    let tests = vm.test("library.fold", &source).unwrap();
    let line = PROGRAM.lines().count() as u32 + 2;
    let found: Vec<_> = tests
        .iter()
        .map(|test| (test.name.as_str(), test.line, test.ended.as_ref().map_or_else(Error::code, |_| "passed")))
        .collect();
    let expected = [("the fake is called", "passed"), ("it is not the shelf", "panicked"), ("it ends", "limit.fuel")];
    assert_eq!(found, [0, 1, 2].map(|at| (expected[at].0, line + at as u32, expected[at].1)));
    assert_eq!(tests[1].ended.as_ref().unwrap_err().place().map(|place| place.line), Some(line + 1));
    assert_eq!(vm.test("library.fold", "test \"x\" { y }").unwrap_err().code(), "F0201");
    let confined = super::workers::builder().build().unwrap();
    assert_eq!(confined.test("library.fold", "test \"x\" {}").unwrap_err().code(), "worker");
}
