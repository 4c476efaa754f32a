//! Programs that ask for too much end in an error that names the limit.

use super::checked;
use crate::{Options, compile};

fn errors(source: &str) -> Vec<(String, String)> {
    let checked = checked(source);
    let result = compile(&checked.program, &checked.names, &checked.sources, Options::default());
    result.unwrap_err().into_iter().map(|error| (error.code.to_owned(), error.notes.join("; "))).collect()
}

#[test]
fn functions_that_use_themselves_with_greater_types_are_named() {
    let found = errors(
        "fn grow<T>(x: T, n: Int) -> Int { if n == 0 { 0 } else { grow((x, 1), n - 1) } }
        fn main(out: Console) { out.print(\"{grow(1, 5)}\") }",
    );
    assert_eq!(found, [("F0711".to_owned(), "the function is grow".to_owned())]);
}

#[test]
fn types_that_double_end_too() {
    let found = errors(
        "fn grow<T>(x: T, n: Int) -> Int { if n == 0 { 0 } else { grow((x, x), n - 1) } }
        fn main(out: Console) { out.print(\"{grow(1, 5)}\") }",
    );
    assert_eq!(found.first().map(|(code, _)| &**code), Some("F0711"));
}

#[test]
fn versions_of_a_function_are_counted() {
    let found = errors(
        "fn many<A, B>(a: A, b: B, n: Int) -> Int {
            if n == 0 { 0 } else { many((a, 1), b, n - 1) + many(a, (b, 1), n - 1) + many(b, a, n - 1) }
        }
        fn main(out: Console) { out.print(\"{many(1, true, 5)}\") }",
    );
    assert!(matches!(found.first().map(|(code, _)| &**code), Some("F0710" | "F0711")), "{found:?}");
}

#[test]
fn long_chains_of_operators_are_no_problem() {
    let sum = vec!["n"; 200].join(" + ");
    super::module(&format!("fn main(out: Console) {{ let n = 1\n out.print(\"{{{sum}}}\") }}"), Options::default());
}
