//! Capabilities that are written in Fold, and where functions of the host run.

use pinfold::{Cancel, Capability, Error, Value, Vm, grants};

#[test]
fn a_written_capability_has_the_types_that_it_names() {
    let tree = Capability::<()>::declared(
        "
        /// Trees.
        capability Trees {
            /// All numbers in one.
            fn sum(self, tree: Tree) -> Result<Int, String>
            fn grow(self, numbers: List<(Int, Option<Char>)>) -> Tree
            fn count(self, all: Map<String, Set<Float>>, bytes: Bytes, wrong: dyn Error, is_empty: Bool)
        }
        enum Tree { Leaf, Node(Fork), Named { name: String, tree: List<Tree> } }
        record Fork { left: Tree, number: Int, right: Tree }
        ",
    )
    .unwrap();
    assert_eq!(tree.functions(), ["sum", "grow", "count"]);
    let text = tree.declaration();
    let lines = [
        "/// Trees.",
        "    /// All numbers in one.",
        "    fn sum(self, tree: Tree) -> Result<Int, String>",
        "    fn grow(self, numbers: List<(Int, Option<Char>)>) -> Tree",
        "    fn count(self, all: Map<String, Set<Float>>, bytes: Bytes, wrong: dyn Error, is_empty: Bool) -> ()",
        "pub record Fork { pub left: Tree, pub number: Int, pub right: Tree }",
        "    Named { name: String, tree: List<Tree> }",
    ];
    lines.iter().for_each(|line| assert!(text.contains(line), "{line}\n{text}"));
    fn sum(tree: &Value) -> i64 {
        let Value::Variant(name, fields) = tree else { return 0 };
        let fork = fields.iter().find(|_| &**name == "Node").map(|(_, fork)| fork);
        fork.map_or(0, |fork| {
            let Some(Value::Int(number)) = fork.field("number") else { return 0 };
            number + ["left", "right"].iter().filter_map(|side| fork.field(side)).map(sum).sum::<i64>()
        })
    }
    let leaf = |(): &(), _: Vec<Value>, _: pinfold::Type<'_>| Ok(Value::Variant("Leaf".into(), Vec::new()));
    let tree = tree
        .implement("sum", |(), arguments, _| Ok(Value::Result(Ok(Box::new(sum(&arguments[0]).into())))))
        .and_then(|tree| tree.implement("grow", leaf))
        .and_then(|tree| tree.implement("count", |(), _, _| Ok(Value::UNIT)))
        .unwrap();
    let vm = Vm::builder().capability(&tree).build().unwrap();
    let source = "
        import host {Fork, Tree, Trees}
        fn node(left: Tree, number: Int, right: Tree) -> Tree { Tree.Node(Fork { left, number, right }) }
        pub fn sum(trees: Trees) -> Int {
            trees.sum(node(node(Tree.Leaf, 1, Tree.Leaf), 2, node(Tree.Leaf, 4, Tree.Leaf))).or(0)
        }
        pub fn grow(trees: Trees) -> Bool { match trees.grow([]) { Tree.Leaf => true, _ => false } }
        ";
    let program = vm.compile("trees.fold", source).unwrap();
    let mut session = program.session(grants! { trees: tree.with(()) }).unwrap();
    assert_eq!(session.call::<i64>("sum", ()).unwrap(), 7);
    assert!(session.call::<bool>("grow", ()).unwrap());
}

#[test]
fn what_is_not_implemented_is_an_error_before_anything_runs() {
    let some = Capability::<()>::declared("capability Some {\n    fn yes(self)\n    fn no(self)\n}").unwrap();
    let some = some.implement("yes", |(), _, _| Ok(Value::UNIT)).unwrap();
    let vm = Vm::builder().capability(&some).build().unwrap();
    let source = "import host\nneeds out: Console, some: host.Some\nout.print(\"begun\")\nsome.yes()";
    let program = vm.compile("some.fold", source).unwrap();
    let out = pinfold::Console::capture();
    let refused = program.run(grants! { out: out.clone(), some: some.with(()) }).unwrap_err();
    assert_eq!(refused.code(), "grant");
    let why = "some: Some: the host declares the function no, and does not implement it";
    assert_eq!((refused.to_string().as_str(), out.text().as_str()), (why, ""));
    let whole = some.implement("no", |(), _, _| Ok(Value::UNIT)).unwrap();
    program.run(grants! { out: out.clone(), some: whole.with(()) }).unwrap();
    assert_eq!(out.text(), "begun\n");
    // A test of a program has something that stands in for it, and needs nothing implemented.
    let test = r#"
        import host
        record Fake {}
        impl host.Some for Fake {
            fn yes(self) {}
            fn no(self) {}
        }
        pub fn ask(some: host.Some) { some.yes() }
        test "it is there" { ask(Fake {}) }
    "#;
    let tested = vm.test("some.fold", test);
    assert!(tested.unwrap()[0].ended.is_ok());
}

#[test]
fn what_is_written_wrong_is_an_error_with_its_line() {
    for (text, message) in [
        ("", "the text declares no capability"),
        ("record A {}", "the text declares no capability"),
        ("capability A {}\ncapability B {}", "line 2: a second capability"),
        ("capability A {\n    fn f(self, x: Strange)\n}", "line 2: `Strange` is no type that crosses"),
        ("capability A { fn f(self, x: fn() -> Int) }", "is no type that crosses"),
        ("capability A { fn f(self, x: List<Int, Int>) }", "is no type that crosses"),
        ("capability A { fn f(self, x: dyn A) }", "is no type that crosses"),
        ("capability A { fn f(x: Int) }", "takes `self`"),
        ("capability A { fn f(var self) }", "takes `self`"),
        ("capability A { fn f(self) { 1 } }", "nor a body"),
        ("capability A { fn f<T>(self, x: T) }", "neither type parameters"),
        ("capability A { fn f(self, var x: Int) }", "not `var`"),
        ("capability A<T> {}", "neither parameters"),
        ("trait A {}", "no capability, record or enum"),
        ("fn f() {}", "no capability, record or enum"),
        ("capability A {}\nrecord B<T> { x: T }", "line 2: types that cross have no parameters"),
        ("capability A {}\nrecord B {}\nenum B { C }", "line 3: another B"),
        ("needs out: Console\ncapability A {}", "`needs`"),
        ("capability A {}\nlet x = 1", "a statement"),
    ] {
        let error = Capability::<()>::declared(text).unwrap_err();
        assert!(error.to_string().contains(message), "{text}: {error}");
    }
    assert!(Capability::<()>::declared("capability A { fn").is_err_and(|error| error.code().starts_with('F')));
    let some = Capability::<()>::declared("capability A { fn f(self) }").unwrap();
    assert!(matches!(some.implement("g", |(), _, _| Ok(Value::UNIT)), Err(Error::Grant(_))));
}

#[test]
fn functions_of_the_host_have_its_stack_and_call_programs_in_turn() {
    fn deep(depth: i64) -> i64 {
        let filler = std::hint::black_box([depth; 64]);
        if depth == 0 { 0 } else { deep(depth - 1) + std::hint::black_box(filler[63]) / depth }
    }
    let inner = Vm::new().unwrap().compile("inner.fold", "pub fn next(n: Int) -> Int { n + 1 }").unwrap();
    let host = Capability::new("Deep")
        // Some MiB, of which guests have one.
        .method("deep", ["depth"], |_: &(), depth: i64| deep(depth))
        .method("next", ["n"], move |_: &(), n: i64| inner.call::<i64>("next", (n,)).unwrap() + deep(n))
        .method("fails", [], |_: &()| -> i64 { panic!("no more") });
    let vm = Vm::builder().capability(&host).build().unwrap();
    let program = vm.compile(
        "deep.fold",
        "
        import host
        pub fn deep(host: host.Deep, depth: Int) -> Int { host.deep(depth) + host.deep(1) }
        pub fn next(host: host.Deep, n: Int) -> Int { host.next(n) }
        pub fn fails(host: host.Deep) -> Int { host.fails() }
        ",
    );
    let program = program.unwrap();
    // Test threads have a stack of two MiB themselves.
    let run = move || {
        let mut session = program.session(grants! { host: host.with(()) }).unwrap();
        assert_eq!(session.call::<i64>("deep", (10_000,)).unwrap(), 10_001);
        assert_eq!(session.call::<i64>("next", (10_000,)).unwrap(), 20_001);
        let failed = session.call::<i64>("fails", ()).unwrap_err();
        assert!(failed.to_string().contains("the host function panicked: no more"), "{failed}");
        assert_eq!(session.call::<i64>("deep", (10_000,)).unwrap(), 10_001);
    };
    std::thread::Builder::new().stack_size(32 << 20).spawn(run).unwrap().join().unwrap();
}

#[test]
fn each_of_several_ends_a_program_and_those_of_a_call_end_with_it() {
    let vm = Vm::builder().fuel(None).deadline(None).build().unwrap();
    let source = "pub fn endless() { while true {} }\npub fn one() -> Int { 1 }";
    let program = vm.compile("endless.fold", source).unwrap();
    for number in 0..2 {
        let all = [Cancel::new(), Cancel::new()];
        let both = program.with_cancel(&all[0]).with_cancel(&all[1]);
        let other = all[number].clone();
        // Whichever comes first.
        let thread = std::thread::spawn(move || other.cancel());
        assert!(matches!(both.call::<Value>("endless", ()), Err(Error::Cancelled { .. })));
        thread.join().unwrap();
    }
    assert_eq!(program.call::<i64>("one", ()).unwrap(), 1);

    let mut session = program.session(grants! {}).unwrap();
    let cancel = Cancel::new();
    cancel.cancel();
    let ended = session.with_cancel(&cancel, |session| session.call::<Value>("endless", ()));
    assert!(matches!(ended, Err(Error::Cancelled { .. })));
    assert_eq!(session.call::<i64>("one", ()).unwrap(), 1);
}
