//! Programs that ask for too much end in an error that names the limit.

use super::checked;
use crate::check::{Memory, Options as Check, STANDARD};
use crate::driver::{self, Checked};
use crate::typed::{ExprKind, FunctionKind};
use crate::{Options, compile};

fn errors(source: &str) -> Vec<(String, String)> {
    errors_of(&checked(source))
}

fn errors_of(checked: &Checked) -> Vec<(String, String)> {
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

/// No source is known that becomes an expression so deep: the parser's limit comes first.
#[test]
fn expressions_that_are_too_deep_end_in_a_limit() {
    let nested = |levels: usize| {
        let mut checked = checked("fn deep() -> Int { 1 }\nfn main(out: Console) { out.print(\"{deep()}\") }");
        let names = &checked.names;
        let mut functions = checked.program.functions.iter_mut();
        let deep = functions.find(|function| names.text(function.name) == "deep").unwrap();
        let FunctionKind::Plain(body) = &mut deep.kind else { panic!("{:?}", deep.kind) };
        for _ in 0..levels {
            let inner = body.value.clone();
            body.value.kind = ExprKind::Block(Vec::new(), Some(Box::new(inner)));
        }
        compile(&checked.program, &checked.names, &checked.sources, Options::default())
            .map_err(|errors| errors.into_iter().map(|error| error.code).collect::<Vec<_>>())
    };
    assert!(nested(1_900).is_ok());
    assert_eq!(nested(2_100), Err(vec!["F0712"]));
}

/// The standard library alone declares them.
#[test]
fn intrinsic_functions_that_nobody_knows_are_named() {
    let more = "intrinsic fn no_such_thing(a: Int) -> Int\npub fn use_it() -> Int { no_such_thing(1) }\n";
    let mut standard = STANDARD.to_vec();
    standard.push(("prelude/more.fold", more));
    standard.sort_unstable();
    let mut modules = Memory::new().with("main", "main.fold", "fn main(out: Console) { out.print(\"{use_it()}\") }");
    let options = Check { standard: &standard, ..Check::default() };
    let checked = driver::check("main", &mut modules, options).unwrap();
    let error = compile(&checked.program, &checked.names, &checked.sources, Options::default()).unwrap_err().remove(0);
    assert_eq!((error.code, &*error.message), ("F0713", "the compiler knows no intrinsic function no_such_thing"));
}

#[test]
fn long_chains_of_operators_are_no_problem() {
    let sum = vec!["n"; 200].join(" + ");
    super::module(&format!("fn main(out: Console) {{ let n = 1\n out.print(\"{{{sum}}}\") }}"), Options::default());
}
