//! F03xx: types.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        code: "F0301",
        title: "a value of another type than is needed",
        explanation: "The types of what is given and what is wanted differ. Nothing is converted by itself, but any value \
                      becomes a `dyn` of a trait that it implements where that is wanted. Numbers are converted by `.to_float()` \
                      and `.to_int()`.",
        rejected: "pub fn f() -> String { 1 }\n",
        accepted: "pub fn f() -> String { \"{1}\" }\n",
    },
    Code {
        code: "F0302",
        title: "a type that does not follow from anything",
        explanation: "What is written leaves open which type is meant. A type at the binding decides, as do type arguments: \
                      `List::<Int>.new()`.",
        rejected: "pub fn f() -> Int {\n    let list = []\n    list.len()\n}\n",
        accepted: "pub fn f() -> Int {\n    let list: List<Int> = []\n    list.len()\n}\n",
    },
    Code {
        code: "F0303",
        title: "a wrong number of arguments",
        explanation: "A call has one argument for each parameter. There are no default arguments.",
        rejected: "fn add(a: Int, b: Int) -> Int { a + b }\npub fn f() -> Int { add(1) }\n",
        accepted: "fn add(a: Int, b: Int) -> Int { a + b }\npub fn f() -> Int { add(1, 2) }\n",
    },
    Code {
        code: "F0304",
        title: "a call of what is no function",
        explanation: "Only functions, closures and variants are called.",
        rejected: "pub fn f(n: Int) -> Int { n(2) }\n",
        accepted: "pub fn f(n: Int) -> Int { n * 2 }\n",
    },
    Code {
        code: "F0306",
        title: "a wrong number of type arguments",
        explanation: "A type has one argument for each of its type parameters. (`Result<T>` is short for `Result<T, dyn \
                      Error>`.)",
        rejected: "pub fn f(map: Map<String>) -> Int { map.len() }\n",
        accepted: "pub fn f(map: Map<String, Int>) -> Int { map.len() }\n",
    },
    Code {
        code: "F0307",
        title: "an operator that these values do not have",
        explanation: "Arithmetic is of two Ints or two Floats, `+` of two texts also, `%` and bits of two Ints. Both operands \
                      have the same type: nothing is converted by itself.",
        rejected: "pub fn f(n: Int, x: Float) -> Float { n * x }\n",
        accepted: "pub fn f(n: Int, x: Float) -> Float { n.to_float() * x }\n",
    },
    Code {
        code: "F0308",
        title: "what cannot be indexed",
        explanation: "Lists, maps and bytes are indexed. Of a text, `text[a..b]` is the part between two bytes; a character has \
                      no fixed place in it.",
        rejected: "pub fn f(text: String) -> Char { text[0] }\n",
        accepted: "pub fn f(text: String) -> Option<Char> { text.chars().nth(0) }\n",
    },
    Code {
        code: "F0309",
        title: "what cannot be gone through",
        explanation: "`for` goes through iterators, and through what has a method `iter` that gives one: ranges, lists, maps, \
                      sets, bytes.",
        rejected: "pub fn f(n: Int) -> Int {\n    var sum = 0\n    for i in n { sum += i }\n    sum\n}\n",
        accepted: "pub fn f(n: Int) -> Int {\n    var sum = 0\n    for i in 0..n { sum += i }\n    sum\n}\n",
    },
    Code {
        code: "F0310",
        title: "`?` where it cannot be",
        explanation: "`?` takes a `Result`, in what gives a `Result`, or an `Option`, in what gives an `Option`. The errors are \
                      of the same type, or the function's implements `From` of the other, or is `dyn Error`, and the other \
                      implements `Error`.",
        rejected: "pub fn f(text: String) -> Int { text.to_int()? }\n",
        accepted: "pub fn f(text: String) -> Option<Int> { Some(text.to_int()? + 1) }\n",
    },
    Code {
        code: "F0311",
        title: "an assignment to what cannot be assigned",
        explanation: "A local can be assigned that is declared with `var`, a field that is `var`, and an element of a list, a \
                      map or bytes.",
        rejected: "pub fn f() -> Int {\n    let n = 1\n    n = 2\n    n\n}\n",
        accepted: "pub fn f() -> Int {\n    var n = 1\n    n = n + 1\n    n\n}\n",
    },
    Code {
        code: "F0312",
        title: "fields that are missing",
        explanation: "A record has a value for each field, or takes the others from another one: `..base`. A pattern names each \
                      field, or says with `..` that others do not matter.",
        rejected: "record Point { x: Int, y: Int }\npub fn f() -> Point { Point { x: 1 } }\n",
        accepted: "record Point { x: Int, y: Int }\npub fn f() -> Point { Point { x: 1, y: 2 } }\n",
    },
    Code {
        code: "F0313",
        title: "a field that is given twice",
        explanation: "Each field has one value.",
        rejected: "record Point { x: Int }\npub fn f() -> Point { Point { x: 1, x: 2 } }\n",
        accepted: "record Point { x: Int }\npub fn f() -> Point { Point { x: 1 } }\n",
    },
    Code {
        code: "F0314",
        title: "an `if` without `else` where a value is wanted",
        explanation: "Without `else`, there is no value if the condition does not hold.",
        rejected: "pub fn f(n: Int) -> Int {\n    if n > 0 { n }\n}\n",
        accepted: "pub fn f(n: Int) -> Int {\n    if n > 0 { n } else { 0 }\n}\n",
    },
    Code {
        code: "F0315",
        title: "a `return` that does not fit",
        explanation: "`return` stands in a function or a closure, and has a value if that gives one.",
        rejected: "pub fn f(n: Int) -> Int {\n    if n > 0 { return }\n    n\n}\n",
        accepted: "pub fn f(n: Int) -> Int {\n    if n > 0 { return 0 }\n    n\n}\n",
    },
    Code {
        code: "F0316",
        title: "a constant whose value is not known before anything runs",
        explanation: "Constants are made of literals, operators, tuples, lists, maps, records, variants and other constants. \
                      Nothing is called for them.",
        rejected: "fn two() -> Int { 2 }\npub const FOUR: Int = two() * 2\n",
        accepted: "const TWO: Int = 2\npub const FOUR: Int = TWO * 2\n",
    },
    Code {
        code: "F0317",
        title: "a constant that needs its own value",
        explanation: "A constant's value is made of others', in a circle.",
        rejected: "pub const A: Int = B + 1\nconst B: Int = A + 1\n",
        accepted: "pub const A: Int = B + 1\nconst B: Int = 1\n",
    },
    Code {
        code: "F0318",
        title: "a name for a type that stands for itself",
        explanation: "`type` gives a name to a type that exists without it. A type that has itself in it is a record or an enum.",
        rejected: "type Tree = List<Tree>\n",
        accepted: "record Tree { branches: List<Tree> }\n",
    },
    Code {
        code: "F0320",
        title: "a `main` that cannot begin a program",
        explanation: "A program begins with `fn main`, whose parameters are capabilities, or is a script: a file with \
                      statements. It gives nothing, or a `Result<()>` whose error has a text.",
        rejected: "fn main(count: Int) { panic(\"{count}\") }\n",
        accepted: "fn main(out: Console) { out.print(\"hello\") }\n",
    },
    Code {
        code: "F0321",
        title: "a value that is not used",
        explanation: "The statement does nothing but make a value that nobody takes; or it may fail, and nobody looks. `?` \
                      passes errors on; `let _ = …` says that the value does not matter.",
        rejected: "pub fn f(n: Int) {\n    n + 1\n}\n",
        accepted: "pub fn f(n: Int) {\n    let _ = n + 1\n}\n",
    },
    Code {
        code: "F0324",
        title: "a format that the value does not have",
        explanation: "Ints have bases, signs, prefixes and zeros; Floats signs, zeros, a precision and `e`; everything else a \
                      width, a precision, which is the most characters, and `?`.",
        rejected: "pub fn f(n: Int) -> String { \"{n:.2}\" }\n",
        accepted: "pub fn f(n: Float) -> String { \"{n:.2}\" }\n",
    },
    Code {
        code: "F0325",
        title: "the `else` of a `let` that does not leave",
        explanation: "If the pattern does not match, nothing is bound: so what follows cannot run. The block ends with `return`, \
                      `break`, `continue` or `panic(…)`.",
        rejected: "pub fn f(o: Option<Int>) -> Int {\n    let Some(n) = o else { }\n    n\n}\n",
        accepted: "pub fn f(o: Option<Int>) -> Int {\n    let Some(n) = o else { return 0 }\n    n\n}\n",
    },
    Code {
        code: "F0326",
        title: "a signature without a type",
        explanation: "Parameters, results, fields and constants say their types; types are inferred in bodies only.",
        rejected: "pub fn f(n: _) {}\n",
        accepted: "pub fn f(_n: Int) {}\n",
    },
    Code {
        code: "F0327",
        title: "what only the standard library may have",
        explanation: "`intrinsic` and `host` functions and capabilities are declared by the standard library: a program reaches \
                      the world only through values that it was handed.",
        rejected: "host fn now() -> Int\n",
        accepted: "pub fn now(clock: Clock) -> Int { clock.now() }\n",
    },
    Code {
        code: "F0329",
        title: "type arguments or bounds where they mean nothing",
        explanation: "`::<T>` follows functions and types. An alias has no bounds: those of the type that it stands for hold.",
        rejected: "type Bag<T: Show> = List<T>\n",
        accepted: "type Bag<T> = List<T>\n",
    },
    Code {
        code: "F0330",
        title: "a variant or tuple in another form than it is declared",
        explanation: "A variant with values is written `Name(a, b)`, one with fields `Name { field: a }`, one with neither \
                      `Name`; so are their patterns.",
        rejected: "enum Shape { Circle(Int), Empty }\npub fn f(s: Shape) -> Int {\n    match s {\n        Circle => 1\n        Empty => 0\n    }\n}\n",
        accepted: "enum Shape { Circle(Int), Empty }\npub fn f(s: Shape) -> Int {\n    match s {\n        Circle(r) => r\n        Empty => 0\n    }\n}\n",
    },
    Code {
        code: "F0331",
        title: "a name that only some alternatives bind",
        explanation: "Whichever alternative of `a | b` matches, the same names are bound.",
        rejected: "pub fn f(o: Option<Int>) -> Int {\n    match o { Some(n) | None => n }\n}\n",
        accepted: "pub fn f(o: Option<Int>) -> Int {\n    match o { Some(n) => n, None => 0 }\n}\n",
    },
    Code {
        code: "F0332",
        title: "a name that a pattern binds twice",
        explanation: "Each name of a pattern stands for one value. Two values are compared in a guard: `(a, b) if a == b`.",
        rejected: "pub fn f(p: (Int, Int)) -> Bool {\n    match p { (a, a) => true, _ => false }\n}\n",
        accepted: "pub fn f(p: (Int, Int)) -> Bool {\n    match p { (a, b) if a == b => true, _ => false }\n}\n",
    },
    Code {
        code: "F0333",
        title: "what is no pattern",
        explanation: "Literals, ranges of Ints or Chars that are not empty, and constants whose value is a literal are patterns. \
                      Others are compared in a guard.",
        rejected: "pub fn f(n: Int) -> Bool {\n    match n { 9..=1 => true, _ => false }\n}\n",
        accepted: "pub fn f(n: Int) -> Bool {\n    match n { 1..=9 => true, _ => false }\n}\n",
    },
    Code {
        code: "F0334",
        title: "code that is never reached",
        explanation: "What stands before it leaves the block, or never ends.",
        rejected: "pub fn f() -> Int {\n    return 1\n    f()\n}\n",
        accepted: "pub fn f() -> Int {\n    return 1\n}\n",
    },
    Code {
        code: "F0335",
        title: "statements in a module that is imported",
        explanation: "No code runs on import. Only the file that is run may have statements: it is a script.",
        rejected: "",
        accepted: "",
    },
];
