//! F02xx: names.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        code: "F0201",
        title: "a name that means nothing here",
        explanation: "Nothing of this name is in scope: no local, no item of this module, no import, nothing of the prelude. \
                      Names of a script's statements belong to these statements; functions get what they need as parameters. \
                      Variants of enums other than `Option` and `Result` are written with their enum.",
        rejected: "fn double(count: Int) -> Int { cuont * 2 }\n",
        accepted: "fn double(count: Int) -> Int { count * 2 }\n",
    },
    Code {
        code: "F0202",
        title: "a type that does not exist",
        explanation: "No type of this name is in scope. Types of other modules are written `module.Type`, or imported by name: \
                      `import module {Type}`. `Self` is known in traits and `impl`s.",
        rejected: "pub fn length(text: Sting) -> Int { text.len() }\n",
        accepted: "pub fn length(text: String) -> Int { text.len() }\n",
    },
    Code {
        code: "F0203",
        title: "what is no trait, where one is needed",
        explanation: "Bounds, `dyn` and `impl … for` name traits. Records and enums are types, which are named where values are \
                      described.",
        rejected: "record Dog {}\npub fn pet<T: Dog>(_pet: T) {}\n",
        accepted: "trait Pet {}\npub fn pet<T: Pet>(_pet: T) {}\n",
    },
    Code {
        code: "F0204",
        title: "a name that is declared twice in a module",
        explanation: "All items of a module, and what it imports, share one set of names. An import can be given another name: \
                      `import path/name as other`, `import module {name as other}`.",
        rejected: "fn size() -> Int { 1 }\nrecord size {}\n",
        accepted: "fn size() -> Int { 1 }\nrecord Size {}\n",
    },
    Code {
        code: "F0205",
        title: "something private",
        explanation: "An item without `pub` is seen by its own module only; so is a function of an `impl`.",
        rejected: "pub fn f() { Dir.from_handle(1) }\n",
        accepted: "pub fn f() -> Dir { Dir.fake([:]) }\n",
    },
    Code {
        code: "F0206",
        title: "a name that a module does not have",
        explanation: "The module that is named has nothing of this name.",
        rejected: "import text/csv {lines}\n",
        accepted: "import text/csv {rows}\npub fn first(text: String) -> Int { rows(text).count() }\n",
    },
    Code {
        code: "F0207",
        title: "an import that is not used",
        explanation: "Nothing in the module uses what is imported.",
        rejected: "import text/csv\n",
        accepted: "import text/csv\npub fn first(text: String) -> Int { csv.rows(text).count() }\n",
    },
    Code {
        code: "F0208",
        title: "a name that is bound and not used",
        explanation: "A local is bound, and its value never looked at. Often another name was meant. If it is there on purpose, \
                      let its name begin with `_`.",
        rejected: "pub fn area(width: Int, height: Int) -> Int { width * width }\n",
        accepted: "pub fn area(width: Int, height: Int) -> Int { width * height }\n",
    },
    Code {
        code: "F0209",
        title: "two of the same name in one declaration",
        explanation: "Fields of a record, variants of an enum, functions of a trait, parameters and type parameters have \
                      different names.",
        rejected: "record Point { x: Int, x: Int }\n",
        accepted: "record Point { x: Int, y: Int }\n",
    },
    Code {
        code: "F0210",
        title: "a name of another sort than is needed",
        explanation: "A type, a module or a trait is no value, and a function or a constant is no type.",
        rejected: "record Point { x: Int }\npub fn make() -> Point { Point }\n",
        accepted: "record Point { x: Int }\npub fn make() -> Point { Point { x: 1 } }\n",
    },
    Code {
        code: "F0211",
        title: "`self` outside of traits and `impl`s",
        explanation: "`self` is the value that a method is called on. Functions that stand by themselves have parameters only.",
        rejected: "fn double(self) -> Int { 2 }\n",
        accepted: "fn double(number: Int) -> Int { number * 2 }\n",
    },
    Code {
        code: "F0212",
        title: "a field that does not exist",
        explanation: "The type has no field of this name, or the tuple no part of this number. Methods are called with \
                      parentheses. What is in an `Option` or `Result` is reached by `?` or `match`.",
        rejected: "pub fn f(pair: (Int, Int)) -> Int { pair.2 }\n",
        accepted: "pub fn f(pair: (Int, Int)) -> Int { pair.1 }\n",
    },
    Code {
        code: "F0213",
        title: "a variant that does not exist",
        explanation: "The enum has no variant of this name. In patterns, a name that begins with a capital is a variant of the \
                      matched type, or a constant; names that a pattern binds begin with a small letter.",
        rejected: "enum Light { Red, Green }\npub fn f() -> Light { Light.Gren }\n",
        accepted: "enum Light { Red, Green }\npub fn f() -> Light { Light.Green }\n",
    },
    Code {
        code: "F0214",
        title: "a method that does not exist",
        explanation: "Methods of a type are the functions in its `impl`s and those of traits that it implements and that are in \
                      scope: declared or imported in the module, or of the prelude. A type parameter has the methods of its \
                      bounds.",
        rejected: "pub fn f(list: List<Int>) -> Int { list.length() }\n",
        accepted: "pub fn f(list: List<Int>) -> Int { list.len() }\n",
    },
    Code {
        code: "F0215",
        title: "`break` or `continue` without its loop",
        explanation: "They stand in a loop, and name one around them if they have a label. A closure is a function of its own: \
                      it cannot leave a loop that is around it.",
        rejected: "pub fn f() { break }\n",
        accepted: "pub fn f() { while true { break } }\n",
    },
    Code {
        code: "F0216",
        title: "a field that is private",
        explanation: "Fields without `pub` are seen by the record's module only. A record that has such fields is made by its \
                      module's functions.",
        rejected: "pub fn f(list: List<Int>) -> Int { list.length }\n",
        accepted: "pub fn f(list: List<Int>) -> Int { list.len() }\n",
    },
    Code {
        code: "F0217",
        title: "a function of a type that does not exist",
        explanation: "Neither the type's `impl`s nor the traits that it implements have a function of this name.",
        rejected: "pub fn f() -> List<Int> { List.create() }\n",
        accepted: "pub fn f() -> List<Int> { List.new() }\n",
    },
];
