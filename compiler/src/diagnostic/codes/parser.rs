//! F01xx: how a program is written.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        code: "F0101",
        title: "an expression is missing",
        explanation: "At this place a value is expected: a literal, a name, a call, something in brackets, `if`, `match`, a closure or a block. \
                      Loops and declarations have no value.",
        rejected: "fn f() {\n    let x = \n}\n",
        accepted: "fn f() {\n    let x = 1\n}\n",
    },
    Code {
        code: "F0102",
        title: "something else is expected",
        explanation: "The message names what may stand at this place. Often a sign was left out or is that of another language: the result of a \
                      function follows `->`, the value of a field `:`, an arm of `match` `=>`.",
        rejected: "fn double(n: Int): Int {\n    n * 2\n}\n",
        accepted: "fn double(n: Int) -> Int {\n    n * 2\n}\n",
    },
    Code {
        code: "F0103",
        title: "a bracket that is not closed",
        explanation: "Each `(`, `[`, `{` and `<` needs its counterpart. Where a declaration begins at the left margin, or a statement in a line of \
                      its own, whatever is open cannot go on. In a block, a brace that is indented otherwise than the line it ends is a hint at \
                      where one is missing.",
        rejected: "fn f() {\n    print((1 + 2)\n}\n",
        accepted: "fn f() {\n    print((1 + 2))\n}\n",
    },
    Code {
        code: "F0104",
        title: "a bracket that closes nothing",
        explanation: "A closing bracket without one that opens before it, or of another kind than that one.",
        rejected: "fn f() -> Int {\n    (1 + 2))\n}\n",
        accepted: "fn f() -> Int {\n    (1 + 2)\n}\n",
    },
    Code {
        code: "F0105",
        title: "a declaration is missing",
        explanation: "After `pub` stands a declaration: `fn`, `record`, `enum`, `trait`, `const` or `type`. In a `trait` and an `impl` there are \
                      functions only.",
        rejected: "pub count = 3\n",
        accepted: "pub const COUNT: Int = 3\n",
    },
    Code {
        code: "F0106",
        title: "two statements in a line",
        explanation: "A statement or declaration ends at the end of its line, at `;` or before `}`. A line goes on in the next one if it ends in an \
                      operator or an open bracket, or if the next begins with `.` or an operator that cannot begin a value.",
        rejected: "fn f(n: Int) -> Int {\n    let m = n return m\n}\n",
        accepted: "fn f(n: Int) -> Int {\n    let m = n\n    return m\n}\n",
    },
    Code {
        code: "F0107",
        title: "a type is missing",
        explanation: "Types are written as `Int`, `List<Int>`, `csv.Row`, `(Int, String)`, `fn(Int) -> Bool`, `dyn Error`. There is no `T?`, which is \
                      `Option<T>`, and no `[T]`, which is `List<T>`.",
        rejected: "fn first(list: [Int]) -> Int {\n    list[0]\n}\n",
        accepted: "fn first(list: List<Int>) -> Int {\n    list[0]\n}\n",
    },
    Code {
        code: "F0108",
        title: "a pattern is missing",
        explanation: "Patterns are `_`, names, literals, ranges as `1..=9`, tuples, lists as `[first, ..rest]`, variants and records, and \
                      alternatives of these between `|`. A condition on what is matched goes into a guard: `n if n > 10 => …`.",
        rejected: "fn f(n: Int) -> Bool {\n    match n {\n        > 10 => true\n        _ => false\n    }\n}\n",
        accepted: "fn f(n: Int) -> Bool {\n    match n {\n        n if n > 10 => true\n        _ => false\n    }\n}\n",
    },
    Code {
        code: "F0109",
        title: "a reserved word as a name",
        explanation: "Reserved words are `assert break const continue dyn else enum false fn for if impl import in let match pub record return self \
                      Self trait true type var while`. Words like `as`, `test` and `needs` have a meaning at some places only and can be names.",
        rejected: "fn f(type: String) -> String {\n    type\n}\n",
        accepted: "fn f(kind: String) -> String {\n    kind\n}\n",
    },
    Code {
        code: "F0110",
        title: "comparisons or ranges that chain",
        explanation: "`a < b < c` would compare a truth value with `c`. Two comparisons go together by `&&`. A range has one beginning and one end.",
        rejected: "fn inside(n: Int) -> Bool {\n    0 <= n < 10\n}\n",
        accepted: "fn inside(n: Int) -> Bool {\n    0 <= n && n < 10\n}\n",
    },
    Code {
        code: "F0111",
        title: "type arguments without `::`",
        explanation: "In an expression `<` compares. Type arguments are written `::<…>` there; mostly they can be left out.",
        rejected: "fn f() {\n    let list = List<Int>.new()\n}\n",
        accepted: "fn f() {\n    let list = List::<Int>.new()\n}\n",
    },
    Code {
        code: "F0112",
        title: "a bare record in the head of a statement",
        explanation: "After the head of `if`, `while`, `for` and `match`, a `{` begins the body. A record in the head stands in parentheses.",
        rejected: "fn f(p: Point) -> Bool {\n    if p == Point { x: 0, y: 0 } { true } else { false }\n}\n",
        accepted: "fn f(p: Point) -> Bool {\n    if p == (Point { x: 0, y: 0 }) { true } else { false }\n}\n",
    },
    Code {
        code: "F0113",
        title: "an assignment to what is no place",
        explanation: "On the left of `=` stands a variable, a field, an element, or (without another operator) a tuple of such.",
        rejected: "fn f(var list: List<Int>) {\n    list.len() = 3\n}\n",
        accepted: "fn f(var list: List<Int>) {\n    list[0] = 3\n}\n",
    },
    Code {
        code: "F0114",
        title: "`let` where it is no condition",
        explanation: "`let pattern = value` is a condition in the head of `if` and `while`, alone or with others between `&&`. With `||` it could \
                      hold without the names of its pattern having values.",
        rejected: "fn f(a: Option<Int>, b: Bool) -> Bool {\n    if let Some(n) = a || b { true } else { false }\n}\n",
        accepted: "fn f(a: Option<Int>, b: Bool) -> Bool {\n    if let Some(n) = a && b { true } else { false }\n}\n",
    },
    Code {
        code: "F0115",
        title: "a range with an open end",
        explanation: "A range has both ends, except in an index: `list[1..]`, `list[..n]`. An endless loop over numbers is a `while`.",
        rejected: "fn f() {\n    for i in 0.. {}\n}\n",
        accepted: "fn f() {\n    for i in 0..10 {}\n}\n",
    },
    Code {
        code: "F0116",
        title: "a declaration in a body",
        explanation: "Functions, types, constants and imports stand at the top level of a module. A function in a function is a closure.",
        rejected: "fn f() -> Int {\n    fn g() -> Int { 1 }\n    g()\n}\n",
        accepted: "fn f() -> Int {\n    let g = || 1\n    g()\n}\n",
    },
    Code {
        code: "F0117",
        title: "`needs` at a wrong place",
        explanation: "A script states what it needs once, in its first lines, after its documentation and imports.",
        rejected: "let greeting = \"hello\"\nneeds out: Console\nout.print(greeting)\n",
        accepted: "needs out: Console\nlet greeting = \"hello\"\nout.print(greeting)\n",
    },
    Code {
        code: "F0118",
        title: "a function without a body",
        explanation: "A function has a body in braces. In a trait it can be left to the implementations.",
        rejected: "fn f() -> Int\n",
        accepted: "fn f() -> Int { 1 }\n",
    },
    Code {
        code: "F0119",
        title: "documentation of nothing",
        explanation: "`///` documents the declaration in the next line, `//!` at the beginning of a file the module. Elsewhere a comment begins with \
                      `//`.",
        rejected: "fn f() -> Int {\n    /// One.\n    1\n}\n",
        accepted: "/// One.\nfn f() -> Int {\n    1\n}\n",
    },
    Code {
        code: "F0120",
        title: "`var` before a pattern",
        explanation: "After `var` stands a name or a tuple of names. In other patterns `var` stands before each name that changes.",
        rejected: "fn f(list: List<Int>) {\n    var [first, ..] = list else { return }\n}\n",
        accepted: "fn f(list: List<Int>) {\n    let [var first, ..] = list else { return }\n}\n",
    },
    Code {
        code: "F0121",
        title: "a statement where a value is expected",
        explanation: "An assignment has no value, so it is no condition: values are compared with `==`. A declaration as the body of an arm stands \
                      in a block.",
        rejected: "fn f(n: Int) -> Bool {\n    if n = 1 { true } else { false }\n}\n",
        accepted: "fn f(n: Int) -> Bool {\n    if n == 1 { true } else { false }\n}\n",
    },
    Code {
        code: "F0122",
        title: "`pub` without a meaning",
        explanation: "What a variant holds and the functions of a trait are visible wherever the enum or trait is. An `impl`, an import and a test \
                      have no name that could be seen.",
        rejected: "enum Shape {\n    Circle { pub radius: Float },\n}\n",
        accepted: "enum Shape {\n    Circle { radius: Float },\n}\n",
    },
    Code {
        code: "F0123",
        title: "`self` at a wrong place",
        explanation: "`self` or `var self` is the first parameter of a method, and has the type of the `impl` or trait around it.",
        rejected: "impl Point {\n    fn distance(other: Point, self) -> Int { 0 }\n}\n",
        accepted: "impl Point {\n    fn distance(self, other: Point) -> Int { 0 }\n}\n",
    },
    Code {
        code: "F0124",
        title: "what another language has",
        explanation: "Fold has no `loop`, `class`, `switch`, `throw`, no default or named arguments, and no `mut`. The message says what is written \
                      instead.",
        rejected: "fn f() {\n    let mut n = 0\n}\n",
        accepted: "fn f() {\n    var n = 0\n}\n",
    },
    Code {
        code: "F0125",
        title: "a line that does not go on",
        explanation: "A line that begins with `-` or `|` begins a new statement, since a value can begin so. To go on in the next line, a line ends in \
                      the operator. If the value is really meant to be used for nothing, `;` after it says so.",
        rejected: "fn f(a: Int, b: Int) -> Int {\n    let c = a\n        - b\n    c\n}\n",
        accepted: "fn f(a: Int, b: Int) -> Int {\n    let c = a -\n        b\n    c\n}\n",
    },
    Code {
        code: "F0126",
        title: "`..` at a wrong place",
        explanation: "In a list pattern one `..` stands for the elements between others. In a record and its pattern `..` comes last.",
        rejected: "fn f(list: List<Int>) -> Bool {\n    match list {\n        [.., 1, ..] => true\n        _ => false\n    }\n}\n",
        accepted: "fn f(list: List<Int>) -> Bool {\n    match list {\n        [.., 1] => true\n        _ => false\n    }\n}\n",
    },
    Code {
        code: "F0127",
        title: "a list and a map in one",
        explanation: "Between `[` and `]` stand values (a list), values with keys (a map), or one value and a count (`[0; 10]`).",
        rejected: "fn f() {\n    let map = [\"a\": 1, 2]\n}\n",
        accepted: "fn f() {\n    let map = [\"a\": 1, \"b\": 2]\n}\n",
    },
];
