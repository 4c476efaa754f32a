//! Entries of a session: each sees what those before it declared and bound, and joins the store in which they ran.

use std::sync::{Arc, Mutex};

use pinfold::session::{Entered, Live};
use pinfold_vm::api::{Config, Engine, Error, ExternRef, Linker, Store, StoreLimits, Tier, TrapKind, Val};
use pinfold_vm::host::HostState;

use crate::program::{World, grants, lines};

struct Host(HostState);

/// What a session does with these entries: what each writes, then its value and type, or what is wrong.
fn session(tier: Tier, entries: &[&str]) -> String {
    let mut config = Config::new();
    config.tier(tier);
    let engine = Engine::new(&config).expect("any tier is there");
    let output = Arc::<Mutex<Vec<u8>>>::default();
    let grants = grants(&World::default(), &output);
    let host = HostState::new(&grants).expect("it can be had");
    let mut store = Store::with_limits(&engine, Host(host), StoreLimits { stack: 1 << 20, ..StoreLimits::default() });
    store.connect(|host| &mut host.0);
    let mut linker = Linker::new(&engine);
    linker.host_table(&grants, |host: &mut Host| &mut host.0);
    let mut live = Live::new(&engine, store, linker).expect("there is memory");
    let mut told = String::new();
    for entry in entries {
        let entered = live.enter(entry, |store, needs| {
            let handed =
                store.data().0.capabilities(&grants, needs).map_err(|missing| Error::host(format!("{missing:?}")))?;
            Ok(handed.into_iter().map(|value| Val::ExternRef(Some(ExternRef::of(value)))).collect())
        });
        live.store().data_mut().0.flush();
        told += &String::from_utf8(std::mem::take(&mut *output.lock().expect("nobody panicked"))).expect("it is text");
        match entered {
            Entered::Done { value: Some(value), .. } => told += &format!("{}: {}\n", value.text, value.ty),
            Entered::Done { value: None, .. } => {}
            Entered::Rejected(rejected) => told += &format!("{}\n", lines(&rejected)),
            Entered::Failed(Error::Trap(trap)) => {
                let source = trap.source.as_ref().map(ToString::to_string).unwrap_or_default();
                match trap.kind {
                    TrapKind::Host | TrapKind::Exit => told += &format!("failed: {source}\n"),
                    kind => told += &format!("failed: {kind:?}\n"),
                }
            }
            Entered::Failed(error) => told += &format!("failed: {error}\n"),
        }
    }
    told
}

/// Checks that a session does this on both tiers; entries are separated by lines of `---`.
fn check(entries: &str, expected: &str) {
    let entries: Vec<&str> = entries.split("---\n").map(str::trim).collect();
    for tier in [Tier::Interpreter, Tier::Jit] {
        let told = session(tier, &entries);
        assert_eq!(told.trim(), expected.trim(), "{tier:?}");
    }
}

#[test]
fn values_are_told_with_their_types() {
    check(
        "let it = 4\n---\n1 + 2\n---\nit * 2\n---\n\"a\" + \"b\"\n---\n[1, 2].map(|x| x * 2).to_list()\n---\nlet x = 5\n---\n()\n---\n|x: Int| x + 1\n---\n(1, \"x\", 2.5)\n---\nSome('c')",
        "3: Int\n6: Int\n\"ab\": String\n[2, 4]: List<Int>\n<fn(Int) -> Int>: fn(Int) -> Int\n(1, \"x\", 2.5): (Int, String, Float)\nSome('c'): Option<Char>",
    );
}

#[test]
fn later_entries_see_variables_and_assign_those_that_vary() {
    check(
        "let x = 5\nvar n = x\n---\nn += 10\n---\nn + x\n---\nx = 1\n---\nlet x = \"now a text\"\n---\nx",
        "20: Int\nentry 4:1:1: F0311 cannot assign `x`; it is not `var`; declare it with `var`\n\"now a text\": String",
    );
}

#[test]
fn closures_share_variables_with_later_entries() {
    check(
        "var n = 0\nlet more = || n += 1\n---\nmore()\nmore()\n---\nn\n---\nn = 40\n---\nmore()\n---\nn\n---\nlet count = || n\n---\nvar n = 1\n---\nmore()\ncount() + n",
        "2: Int\n41: Int\n43: Int",
    );
}

#[test]
fn declarations_are_seen_and_hidden() {
    check(
        "record Point { x: Int, y: Int }\n---\nlet p = Point { x: 1, y: 2 }\n---\nfn sum(p: Point) -> Int { p.x + p.y }\n---\nsum(p)\n---\nrecord Point { name: String }\n---\nlet q = Point { name: \"new\" }\nq\n---\np\n---\nsum(p)\n---\nsum(q)\n---\nfn sum(a: Int) -> Int { a }\n---\nsum(7)",
        "3: Int\nPoint { name: \"new\" }: Point\nPoint { x: 1, y: 2 }: Point\n3: Int\nentry 9:1:5: F0301 expected `Point`, found `Point`\n7: Int",
    );
}

#[test]
fn objects_function_values_and_interfaces_cross() {
    check(
        "enum Shape { Circle(Float), Square { side: Float } }\ntrait Area { fn area(self) -> Float }\nimpl Area for Shape {\n    fn area(self) -> Float { match self { Circle(r) => r * r * 3.0, Square { side } => side * side } }\n}\n---\nvar all: List<dyn Area> = [Shape.Circle(1.0)]\n---\nrecord Line { length: Float }\nimpl Area for Line { fn area(self) -> Float { 0.5 } }\n---\nall.push(Line { length: 3.0 })\nall.push(Shape.Square { side: 2.0 })\n---\nall.map(|one| one.area()).to_list()\n---\nvar tree: Map<String, List<fn(Int) -> Int>> = Map.new()\n---\ntree.insert(\"a\", [|x| x + 1])\n---\ntree[\"a\"].push(|x| x * 100)\n---\ntree[\"a\"].map(|f| f(2)).to_list()",
        "[3.0, 0.5, 4.0]: List<Float>\n[3, 200]: List<Int>",
    );
}

#[test]
fn errors_of_earlier_entries_are_known_by_their_types() {
    check(
        "record Broken { n: Int }\nimpl Error for Broken { fn message(self) -> String { \"broken {self.n}\" } }\nrecord Other {}\nimpl Error for Other { fn message(self) -> String { \"other\" } }\n---\nlet e: dyn Error = Broken { n: 1 }\n---\n(e.is::<Broken>(), e.is::<Other>())\n---\nlet all: List<dyn Error> = [Broken { n: 2 }, Other {}, e]\n---\nall.map(|e| e.is::<Broken>()).to_list()\n---\ne.as::<Broken>().map(|e| e.n).or(0)\n---\nall.map(|e| e.message()).to_list()\n---\nrecord Broken {}\nimpl Error for Broken { fn message(self) -> String { \"new\" } }\n---\nlet new: dyn Error = Broken {}\n---\n(e.is::<Broken>(), new.is::<Broken>(), new.message())",
        "(true, false): (Bool, Bool)\n[true, false, true]: List<Bool>\n1: Int\n[\"broken 2\", \"other\", \"broken 1\"]: List<String>\n(false, true, \"new\"): (Bool, Bool, String)",
    );
}

#[test]
fn what_an_entry_made_that_failed_is_known_by_its_type() {
    check(
        "record Broken { n: Int }\nimpl Error for Broken { fn message(self) -> String { \"broken\" } }\nvar all: List<dyn Error> = []\n---\nall.push(Broken { n: 1 })\npanic(\"no\")\n---\nall[0].is::<Broken>()\n---\nrecord Mine {}\nimpl Error for Mine { fn message(self) -> String { \"mine\" } }\nall.push(Mine {})\nassert all.len() == 1\n---\nrecord Other {}\nimpl Error for Other { fn message(self) -> String { \"other\" } }\n---\nlet other: dyn Error = Other {}\n---\n(other.is::<Other>(), all[1].is::<Other>(), all[0].is::<Broken>())",
        "failed: panic: no\ntrue: Bool\nfailed: panic: assertion failed: all.len() == 1\n(true, false, true): (Bool, Bool, Bool)",
    );
}

#[test]
fn types_that_only_code_is_made_for_are_known_later() {
    check(
        "record W<T> { x: T }\nimpl<T> Error for W<T> { fn message(self) -> String { \"w\" } }\nfn wrap<T>(x: T) -> dyn Error { W { x } }\n---\nlet e = wrap(1)\n---\n(e.is::<W<Int>>(), e.is::<W<String>>())\n---\nlet s = wrap(\"a\")\n---\n(s.is::<W<Int>>(), s.is::<W<String>>(), e.is::<W<Int>>())",
        "(true, false): (Bool, Bool)\n(false, true, true): (Bool, Bool, Bool)",
    );
}

#[test]
fn a_cycle_of_types_is_the_same_whichever_is_met_first() {
    check(
        "record A { p: Option<P>, q: Option<Q> }\nrecord P { n: Option<A> }\nrecord Q { n: Option<A> }\n---\nlet p: P = P { n: None }\n---\nlet a = A { p: Some(p), q: None }\n---\nlet p = 1\n---\na.p.is_some()\n---\nlet q: Q = Q { n: Some(a) }\n---\n(q.n.is_some(), a.q.is_some(), p)",
        "true: Bool\n(true, false, 1): (Bool, Bool, Int)",
    );
}

#[test]
fn types_that_refer_to_one_another_are_the_same_in_every_entry() {
    check(
        "record A { b: Option<B>, n: Int }\nrecord B { var a: Option<A>, c: List<C> }\nrecord C { of: Option<B> }\n---\nlet a = A { b: Some(B { a: None, c: [C { of: None }] }), n: 1 }\n---\nlet c: C = C { of: a.b }\n---\nc.of\n---\nlet b: B = B { a: Some(a), c: [c] }\n---\nb.c.len() + b.a.map(|a| a.n).or(0)",
        "Some(B { a: None, c: [C { of: None }] }): Option<B>\n2: Int",
    );
}

#[test]
fn what_fails_leaves_nothing_but_what_it_did() {
    check(
        "var n = 1\n---\nn = 2\nlet z = 5\nassert n == 3\n---\nn\n---\nz\n---\nfn broken() -> Int { \"text\" }\n---\nbroken()\n---\nlet _: Int = Err(\"no luck\")?\n---\nlet big = 9223372036854775807\n---\nbig + 1\n---\nlet f = |x: Int| x + n\nlet dead: Int = panic(\"gone\")\n---\nlet g = |x: Int| x + n\ng(1)\n---\nlet list = [1, 2]\n---\nlist[5]",
        "failed: panic: assertion failed: n == 3\n2: Int\nentry 4:1:1: F0201 there is no `z` here\nentry 5:1:22: F0301 expected `Int`, found `String`\nentry 6:1:1: F0201 there is no `broken` here\nfailed: no luck\nfailed: panic: integer overflow\nfailed: panic: gone\n3: Int\nfailed: panic: index 5 out of range: the list has 2 elements",
    );
}

#[test]
fn authority_is_what_the_first_entry_is_handed() {
    check(
        "needs out: Console, clock: Clock\nlet out = out\n---\nout.print(\"hello\")\n---\nlet say = |text: String| out.print(text)\n---\nsay(\"again\")\n---\nclock",
        "hello\nagain\nentry 5:1:1: F0201 there is no `clock` here; there is `Clock`; Clock",
    );
}

#[test]
fn imports_last() {
    check(
        "import text/json\nimport collections {Deque}\n---\njson.encode([1, 2])\n---\nrecord R { a: Int }\n---\nlet r: R = json.decode(r#\"{\"a\": 3}\"#)?\n---\nr.a\n---\nlet d: Deque<Int> = Deque.new()\n---\nd.len()",
        "\"[1,2]\": String\n3: Int\n0: Int",
    );
}
