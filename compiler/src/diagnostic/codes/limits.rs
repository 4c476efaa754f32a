//! F07xx: limits.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        code: "F0701",
        title: "a source file that is too large",
        explanation: "A source file has at most 16 MiB. Data of that size is better read while the program runs.",
        rejected: "",
        accepted: "",
    },
    Code {
        code: "F0702",
        title: "nesting that is too deep",
        explanation: "Expressions, types, patterns and blocks are at most 256 levels deep in each other. Each operator and each call of a chain \
                      counts: in `a + b + c`, `a + b` is a level below. Names for parts of it make it flat, as does a list with `.sum()` or \
                      `.join(…)`.",
        rejected: "",
        accepted: "",
    },
    Code {
        code: "F0703",
        title: "too many errors",
        explanation: "After 100 errors in a file, the rest of it is not looked at. Often one of the first is the cause of many others.",
        rejected: "",
        accepted: "",
    },
    Code {
        code: "F0704",
        title: "a source file with too many tokens",
        explanation: "A source file has at most 4194304 tokens: names, literals and signs. A program of that size is better divided into modules.",
        rejected: "",
        accepted: "",
    },
    Code {
        code: "F0705",
        title: "a name that is too long",
        explanation: "A name has at most 255 bytes.",
        rejected: "",
        accepted: "",
    },
    Code {
        code: "F0710",
        title: "too many versions of generic functions",
        explanation: "A generic function is compiled anew for each list of types that it is used with, and a program has at most 100000 such \
                      versions. A function that calls itself with other types each time has no end of them.",
        rejected: "",
        accepted: "",
    },
    Code {
        code: "F0711",
        title: "types that grow without end",
        explanation: "The types that a program needs when it runs are at most 100 levels deep. A generic function that calls itself with a \
                      greater type each time, as `f(x: T)` that calls `f([x])`, has no end of them; so has a record that holds itself with a \
                      greater type argument.",
        rejected: "",
        accepted: "",
    },
    Code {
        code: "F0712",
        title: "an expression that is nested too deep to compile",
        explanation: "Shorthands such as interpolated texts stand for expressions that are nested deeper than they are written. Names for parts \
                      of the expression make it flat.",
        rejected: "",
        accepted: "",
    },
    Code {
        code: "F0713",
        title: "an intrinsic function that the compiler does not know",
        explanation: "Functions that are declared `intrinsic` are the standard library's; the compiler has a list of them.",
        rejected: "",
        accepted: "",
    },
    Code {
        code: "F0720",
        title: "patterns that are too complex to check",
        explanation: "Whether a `match` covers every value takes, for some patterns, time that doubles with each part. Here it was not found in a \
                      million steps. Several `match`es, one for each part, say the same.",
        rejected: "",
        accepted: "",
    },
    Code {
        code: "F0721",
        title: "patterns with too many parts",
        explanation: "A pattern has at most 400 parts that are not plain names: numbers, texts, variants. For more, compare the values one after \
                      another, as in `list[..500] == EXPECTED`.",
        rejected: "",
        accepted: "",
    },
    Code {
        code: "F0722",
        title: "a program that is too large to check what it changes",
        explanation: "All values of a program together have at most 33554432 parts that could be changed. Types with many arguments, used very often, \
                      come to that.",
        rejected: "",
        accepted: "",
    },
    Code {
        code: "F0730",
        title: "a type that is too large",
        explanation: "A type nests at most 128 deep, and has at most 4096 parts, counted each time they occur. Records and enums \
                      count as one part, whatever they hold.",
        rejected: "pub fn f() -> Int {\n    let a1 = (1, 1)\n    let a2 = (a1, a1)\n    let a3 = (a2, a2)\n    let a4 = (a3, a3)\n    let a5 = (a4, a4)\n    let a6 = (a5, a5)\n    let a7 = (a6, a6)\n    let a8 = (a7, a7)\n    let a9 = (a8, a8)\n    let a10 = (a9, a9)\n    let a11 = (a10, a10)\n    let a12 = (a11, a11)\n    let a13 = (a12, a12)\n    let a14 = (a13, a13)\n    let a15 = (a14, a14)\n    let a16 = (a15, a15)\n    a16.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0\n}\n",
        accepted: "pub fn f() -> Int {\n    let a1 = (1, 1)\n    let a2 = (a1, a1)\n    a2.0.0\n}\n",
    },
    Code {
        code: "F0731",
        title: "too many modules",
        explanation: "A program has at most 10000 modules, and a chain of imports at most 200.",
        rejected: "",
        accepted: "",
    },
    Code {
        code: "F0732",
        title: "too many implementations for one sort of type",
        explanation: "A trait is implemented at most 600 times for one record or enum with different arguments, and so is a \
                      function of the same name declared.",
        rejected: "",
        accepted: "",
    },
    Code {
        code: "F0733",
        title: "bounds that follow from one another too often",
        explanation: "Whether a type implements a trait may depend on other types and traits. That these are looked at ends \
                      after 20000 steps.",
        rejected: "record Grow<T> { next: Option<Grow<(T, T)>>, value: T }\npub fn f(a: Grow<Int>, b: Grow<Int>) -> Bool { a == b }\n",
        accepted: "record Grow<T> { next: Option<Grow<T>>, value: T }\npub fn f(a: Grow<Int>, b: Grow<Int>) -> Bool { a == b }\n",
    },
    Code {
        code: "F0734",
        title: "aliases that stand for one another too often",
        explanation: "A name for a type may stand for another such name, through at most 100 of them.",
        rejected: "",
        accepted: "",
    },
    Code {
        code: "F0735",
        title: "a declaration with too many parts",
        explanation: "Functions have at most 255 parameters, records, variants and traits 1000 fields or functions, enums 4000 variants; \
                      there are at most 100 type parameters, with 100 bounds each.",
        rejected: "",
        accepted: "",
    },
];
