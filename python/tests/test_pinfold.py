"""The package as it is used."""

import gc
import os
import signal
import threading
import weakref
from dataclasses import dataclass
from typing import Optional

import pytest

import pinfold
from pinfold import Console, Dir, Err, Ok, Some, Variant

TYPES = """
pub record Row { name: String, qty: Int, tags: List<String> }
pub enum Shape { Point, Circle(Float), Rect { w: Float, h: Float } }
pub enum Tree { Leaf, Node(Tree, Int, Tree) }
pub fn int(x: Int) -> Int { x }
pub fn float(x: Float) -> Float { x }
pub fn bool(x: Bool) -> Bool { x }
pub fn char(x: Char) -> Char { x }
pub fn string(x: String) -> String { x }
pub fn bytes(x: Bytes) -> Bytes { x }
pub fn unit(x: ()) { x }
pub fn tuple(x: (Int, (String, Bool))) -> (Int, (String, Bool)) { x }
pub fn list(x: List<Int>) -> List<Int> { x }
pub fn set(x: Set<String>) -> Set<String> { x }
pub fn map(x: Map<String, List<Int>>) -> Map<String, List<Int>> { x }
pub fn option(x: Option<Int>) -> Option<Int> { x }
pub fn nested(x: Option<Option<Int>>) -> Option<Option<Int>> { x }
pub fn result(x: Result<Int, String>) -> Result<Int, String> { x }
pub fn row(x: Row) -> Row { x }
pub fn shape(x: Shape) -> Shape { x }
pub fn tree(x: Tree) -> Tree { x }
pub fn error(x: dyn Error) -> dyn Error { x }
"""

ROW = {"name": "nails", "qty": 6, "tags": ["a", ""]}

VALUES = [
    ("int", -(2**63)),
    ("int", 2**63 - 1),
    ("float", 1.5),
    ("bool", True),
    ("char", "ä"),
    ("string", "a\0b"),
    ("bytes", b"\x00\xff"),
    ("unit", None),
    ("tuple", (1, ("x", False))),
    ("list", [1, 2, 3]),
    ("set", {"a", "b"}),
    ("map", {"b": [2], "a": []}),
    ("option", None),
    ("option", 7),
    ("nested", None),
    ("nested", Some(None)),
    ("nested", Some(7)),
    ("result", Ok(1)),
    ("result", Err("no")),
    ("row", ROW),
    ("shape", Variant("Point")),
    ("shape", Variant("Circle", 1.5)),
    ("shape", Variant("Rect", h=2.0, w=1.0)),
    ("tree", Variant("Node", Variant("Leaf"), 1, Variant("Leaf"))),
    ("error", "broken"),
]


@pytest.fixture(scope="module")
def types():
    return pinfold.Vm().compile("types.fold", TYPES)


@pytest.mark.parametrize("name, value", VALUES)
def test_values_cross_and_come_back(types, name, value):
    assert types.call(name, value) == value


def test_what_is_like_a_value_is_one(types):
    @dataclass
    class Row:
        name: str
        qty: int
        tags: list

    assert types.call("row", Row(**ROW)) == ROW
    assert types.call("row", Row(**ROW)).name == "nails"
    assert types.call("float", 2) == 2.0
    assert types.call("list", range(3)) == [0, 1, 2]
    assert types.call("bytes", bytearray(b"x")) == b"x"
    assert types.call("shape", "Point") == Variant("Point")
    assert types.call("error", ValueError("broken")) == "broken"
    assert types.call("unit", ()) is None


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("int", "1", "int: x: the program has Int, the host '1'"),
        ("int", 2**63, "the host 9223372036854775808"),
        ("int", True, "the host True"),
        ("int", 1.0, "the host float"),
        ("float", False, "the host False"),
        ("bool", 1, "the host 1"),
        ("char", "ab", "the host 'ab'"),
        ("string", b"x", "the host bytes"),
        ("string", "\ud800", "the host '"),
        ("list", "abc", "the host 'abc'"),
        ("list", [1, "2"], "list: x.1: the program has Int, the host '2'"),
        ("tuple", (1, ("x", 2)), "tuple: x.1.1:"),
        ("map", {"a": [1, None]}, "map: x.'a'.1:"),
        ("result", 1, "the host 1"),
        ("row", {"name": "x", "qty": 1}, "2 instead of 3 fields"),
        ("row", {"name": "x", "qty": 1, "other": 2}, "without tags"),
        ("row", object(), "without name"),
        ("shape", "Square", "the variant Square"),
        ("shape", Variant("Rect", 1.0, 2.0), "Rect without w"),
    ],
)
def test_what_is_no_value_is_an_error_that_says_where(types, name, value, message):
    with pytest.raises(pinfold.Error) as raised:
        types.call(name, value)
    assert raised.value.code == "type"
    assert message in str(raised.value)


def test_objects_that_hold_themselves_are_no_values(types):
    node = Variant("Node", "Leaf", 1, "Leaf")
    node.fields["0"] = node
    with pytest.raises(pinfold.Error, match="nested too deep"):
        types.call("tree", node)


def test_functions_are_called_with_what_they_take(types):
    with pytest.raises(pinfold.Error, match="the program has 1 argument, the host 2 arguments"):
        types.call("int", 1, 2)
    with pytest.raises(pinfold.Error) as raised:
        types.call("ind")
    assert raised.value.code == "no_function"


SCRIPT = """
needs out: Console, data: Dir, env: Env, args: Args, clock: Clock, random: Random
out.print("{data.read_text("a.txt")?} {out.read_line()?.or("nothing")} {env.get("K").or("-")} {args.all().join(",")}")
out.print_error("to errors")
"""


@pytest.mark.parametrize("isolation", ["process", "worker"])
def test_a_script_has_what_it_is_granted(tmp_path, isolation):
    (tmp_path / "a.txt").write_text("inside")
    program = pinfold.Vm(isolation=isolation).compile("script.fold", SCRIPT)
    assert program.needs()[:2] == [("out", "Console"), ("data", "Dir")]
    out = Console.capture("a line\n")
    usage = program.run(
        out=out,
        data=Dir(tmp_path),
        env=pinfold.Env({"K": "v"}),
        args=pinfold.Args(["-x", "y"]),
        clock=pinfold.Clock(),
        random=pinfold.Random(),
    )
    assert out.text == "inside a line v -x,y\n"
    assert out.errors == "to errors\n"
    assert usage.fuel > 0 and usage.time > 0 and usage.output > 0
    with pytest.raises(pinfold.Error) as raised:
        program.run(out=out)
    assert raised.value.code == "not_granted" and "data: Dir" in str(raised.value)


def test_run_tells_settings_from_grants(tmp_path):
    out = Console.capture()
    source = 'needs fuel: Console, data: Dir\ndata.write_text("b.txt", "x")?\nfuel.print("done")'
    pinfold.run(source, memory=64 << 20, data=Dir(tmp_path, writable=True), grants={"fuel": out}, isolation="worker")
    assert out.text == "done\n" and (tmp_path / "b.txt").read_text() == "x"
    with pytest.raises(TypeError, match="int is nothing that can be granted"):
        pinfold.run(source, data=1)
    with pytest.raises(TypeError, match="speed is no limit"):
        pinfold.Vm(speed=1)
    with pytest.raises(ValueError, match="isolation"):
        pinfold.Vm(isolation="none")
    with pytest.raises(pinfold.Error, match="/nowhere"):
        Dir("/nowhere")


def test_what_is_wrong_with_a_source_is_told():
    with pytest.raises(pinfold.Error) as raised:
        pinfold.Vm().compile("wrong.fold", "pub fn one() -> Int {\n    true\n}")
    error = raised.value
    assert error.code == error.findings[0]["code"] == "F0301"
    assert (error.findings[0]["spans"][0]["file"], error.findings[0]["spans"][0]["line"]) == ("wrong.fold", 2)
    assert error.usage is None and error.stack == []


ENDS = """
pub fn half(n: Int) -> Int {
    assert n % 2 == 0, "{n} is odd"
    n / 2
}
pub fn endless() { while true {} }
pub fn deep(n: Int) -> Int { if n == 0 { 0 } else { 1 + deep(n - 1) } }
pub fn large(n: Int) -> Int { List.repeat(1, n).len() }
fn main() -> Result<()> { Err("it went wrong") }
"""


@pytest.mark.parametrize("isolation", ["process", "worker"])
def test_a_program_ends_otherwise(isolation):
    program = pinfold.Vm(isolation=isolation).compile("ends.fold", ENDS)
    with pytest.raises(pinfold.Error) as raised:
        program.call("half", 3)
    error = raised.value
    assert error.code == "panicked" and "3 is odd" in str(error)
    assert error.stack[0] == pinfold.Frame("half", pinfold.Place("ends.fold", 3, 5))
    assert error.usage.fuel > 0
    with pytest.raises(pinfold.Error, match="it went wrong") as raised:
        program.run()
    assert raised.value.code == "failed"
    for code, limits, call in [
        ("limit.fuel", {"fuel": 10_000}, ("endless",)),
        ("limit.time", {"fuel": 2**63, "deadline": 0.1}, ("endless",)),
        ("limit.stack", {}, ("deep", 10_000_000)),
        ("limit.memory", {"memory": 1 << 20}, ("large", 10_000_000)),
    ]:
        with pytest.raises(pinfold.Error) as raised:
            program.with_limits(**limits).call(*call)
        assert raised.value.code == code


def test_a_worker_that_is_not_there_is_an_error():
    with pytest.raises(pinfold.Error) as raised:
        pinfold.Vm(isolation="worker", worker="/nowhere/pinfold-worker").compile("a.fold", "pub fn f() {}")
    assert raised.value.code == "worker"


def test_modules_are_compiled_together(tmp_path):
    sources = {
        "main.fold": "import text/words\npub fn count(s: String) -> Int { words.count(s) }",
        "text/words.fold": 'pub fn count(s: String) -> Int { s.split(" ").count() }',
    }
    assert pinfold.Vm().compile_modules("main.fold", sources).call("count", "a b c") == 3
    (tmp_path / "one.fold").write_text("pub fn one() -> Int { 1 }")
    assert pinfold.Vm().compile_file(tmp_path / "one.fold").call("one") == 1


@dataclass
class Hit:
    title: str
    score: Optional[float]


@pinfold.capability
class Search:
    """Finds things."""

    def __init__(self, titles):
        self.titles = titles

    def find(self, query: str, limit: int) -> list[Hit]:
        """At most `limit` hits."""
        return [Hit(title, float(len(title))) for title in self.titles if query in title][:limit]

    def read(self, title: str) -> pinfold.Result[str]:
        if title not in self.titles:
            raise KeyError(title)
        return title.upper()

    def broken(self) -> None:
        raise LookupError("the index is gone")

    def wrong(self) -> int:
        return "no number"  # type: ignore[return-value]

    def stops(self) -> None:
        raise KeyboardInterrupt

    def deep(self, n: int) -> int:
        def sum_to(n):
            return 0 if n == 0 else n + sum([sum_to(n - 1)])

        return sum_to(n)


SEARCH = """
import host
pub fn titles(search: host.Search) -> List<String> { search.find("a", 2).map(|hit| "{hit.title} {hit.score.or(0.0)}").to_list() }
pub fn read(search: host.Search, title: String) -> String { match search.read(title) { Ok(text) => text, Err(_) => "none" } }
pub fn broken(search: host.Search) { search.broken() }
pub fn wrong(search: host.Search) -> Int { search.wrong() }
pub fn stops(search: host.Search) { search.stops() }
pub fn deep(search: host.Search) -> Int { search.deep(250) }
"""


@pytest.mark.parametrize("isolation", ["process", "worker"])
def test_methods_of_python_are_capabilities(isolation):
    assert "fn find(self, query: String, limit: Int) -> List<Hit>" in Search.__pinfold__.declaration
    assert "pub record Hit { pub title: String, pub score: Option<Float> }" in Search.__pinfold__.declaration
    vm = pinfold.Vm(isolation=isolation, capabilities=[Search])
    session = vm.compile("search.fold", SEARCH).session(search=Search(["a", "bc", "bar", "car"]))
    assert session.call("titles") == ["a 1", "bar 3"] or session.call("titles") == ["a 1.0", "bar 3.0"]
    assert session.call("read", "bar") == "BAR"
    assert session.call("read", "none") == "none"
    assert session.call("deep") == 250 * 251 // 2
    with pytest.raises(pinfold.Error) as raised:
        session.call("broken")
    error = raised.value
    assert error.code == "host" and isinstance(error.__cause__, LookupError) and "the index is gone" in str(error)
    assert any(frame.function == "broken" for frame in error.stack)
    with pytest.raises(pinfold.Error, match="wrong: the program has Int, the host 'no number'"):
        session.call("wrong")
    with pytest.raises(KeyboardInterrupt):
        session.call("stops")


def test_a_capability_is_written_in_fold_too():
    calls = []

    class Log:
        def note(self, level, what):
            calls.append((level, what))
            return Variant("Kept", at=len(calls))

    log = pinfold.Capability(
        """
        enum Level { Info, Warning(Int) }
        enum Noted { Dropped, Kept { at: Int } }
        capability Log { fn note(self, level: Level, what: String) -> Noted }
        """
    )
    program = pinfold.Vm(capabilities=[log]).compile(
        "log.fold",
        """
        import host {Level, Log, Noted}
        pub fn twice(log: Log) -> Int {
            log.note(Level.Info, "one")
            match log.note(Level.Warning(3), "two") { Noted.Kept { at } => at, Noted.Dropped => 0 }
        }
        """,
    )
    assert program.session(log=log.grant(Log())).call("twice") == 2
    assert calls == [(Variant("Info"), "one"), (Variant("Warning", 3), "two")]


@pytest.mark.parametrize(
    "declaration", ["capability A { fn f(self, x: Strange) }", "record A {}", "capability A { fn f() }", "capability {"]
)
def test_a_capability_that_is_none_is_an_error(declaration):
    with pytest.raises(pinfold.Error):
        pinfold.Capability(declaration)


def test_methods_need_types():
    with pytest.raises(TypeError, match="x is no parameter with a type"):

        @pinfold.capability
        class Untyped:
            def f(self, x):
                pass

    with pytest.raises(TypeError, match="no type that crosses"):

        @pinfold.capability
        class Strange:
            def f(self, x: complex) -> None:
                pass


@pinfold.capability
class Again:
    def again(self) -> str:
        with pytest.raises(RuntimeError) as raised:
            self.session.call("again")
        return str(raised.value)

    def other(self, n: int) -> int:
        return self.program.call("plus", n)


def test_python_calls_programs_that_call_python():
    again = Again()
    program = pinfold.Vm(capabilities=[Again]).compile(
        "again.fold",
        """
        import host
        pub fn plus(n: Int) -> Int { n + 1 }
        pub fn again(a: host.Again) -> String { a.again() }
        pub fn other(a: host.Again) -> Int { a.other(41) }
        """,
    )
    again.session, again.program = program.session(a=again), program
    assert again.session.call("again") == "the session is in use"
    assert again.session.call("other") == 42


def test_objects_are_let_go_of():
    search = Search(["a"])
    gone = weakref.ref(search)
    session = pinfold.Vm(capabilities=[Search]).compile("search.fold", SEARCH).session(search=search)
    session.call("titles")
    del search
    assert gone() is not None
    del session
    gc.collect()
    assert gone() is None


@pinfold.capability
class Gate:
    """Lets another thread of Python run in the middle of a program."""

    def __init__(self):
        self.entered, self.opened = threading.Event(), threading.Event()

    def enter(self) -> None:
        self.entered.set()

    def wait(self) -> bool:
        return self.opened.wait(60)


GATE = """
import host
pub fn waits(gate: host.Gate) -> Bool {
    gate.enter()
    gate.wait()
}
pub fn endless(gate: host.Gate) {
    gate.enter()
    while true {}
}
"""


def gate_program(isolation="process"):
    vm = pinfold.Vm(fuel=None, deadline=None, isolation=isolation, capabilities=[Gate])
    return vm.compile("gate.fold", GATE)


def test_programs_run_beside_python():
    gate, found = Gate(), []
    session = gate_program().session(gate=gate)
    thread = threading.Thread(target=lambda: found.append(session.call("waits")))
    thread.start()
    assert gate.entered.wait(60)
    with pytest.raises(RuntimeError, match="in use"):
        session.call("waits")
    gate.opened.set()
    thread.join()
    assert found == [True]


def test_pythons_lock_is_not_held_while_a_program_runs():
    # With the lock held, this thread would not come to cancel the other one's program.
    gate, cancel, found = Gate(), pinfold.Cancel(), []
    session = gate_program().with_cancel(cancel).session(gate=gate)

    def run():
        with pytest.raises(pinfold.Error) as raised:
            session.call("endless")
        found.append(raised.value.code)

    thread = threading.Thread(target=run)
    thread.start()
    assert gate.entered.wait(60)
    cancel.cancel()
    thread.join()
    assert found == ["cancelled"] and cancel.is_cancelled


@pytest.mark.parametrize("isolation", ["process", "worker"])
def test_ctrl_c_ends_a_program(isolation):
    gate = Gate()
    session = gate_program(isolation).session(gate=gate)

    def interrupt():
        assert gate.entered.wait(60)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        session.call("endless")
    thread.join()
    # It costs that call only, and what was set before is set again.
    gate.opened.set()
    assert session.call("waits")
    assert signal.set_wakeup_fd(-1) == -1


def test_signals_are_still_written_where_they_were():
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer)
    try:
        gate = Gate()
        session = gate_program().session(gate=gate)

        def interrupt():
            assert gate.entered.wait(60)
            os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            session.call("endless")
        thread.join()
        assert os.read(reader, 10)[:1] == bytes([signal.SIGINT])
    finally:
        assert signal.set_wakeup_fd(before) == writer
        os.close(reader)
        os.close(writer)


def test_the_stub_has_what_the_extension_has():
    import ast

    import pinfold._pinfold as extension

    path = os.path.join(os.path.dirname(pinfold.__file__), "_pinfold.pyi")
    with open(path, encoding="utf-8") as stub:
        classes = {node.name: node for node in ast.parse(stub.read()).body if isinstance(node, ast.ClassDef)}
    found = {name: thing for name, thing in vars(extension).items() if isinstance(thing, type)}
    assert set(classes) == set(found)
    for name, node in classes.items():
        stubbed = {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
        own = {part for part in vars(found[name]) if not part.startswith("_")}
        assert stubbed - {"__new__"} == own, name
        assert ast.get_docstring(node).split("\n")[0].split(".")[0] == found[name].__doc__.strip().split("\n")[0].split(".")[0]
