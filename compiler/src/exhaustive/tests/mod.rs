//! Cases with their messages, and random patterns compared with trying every value.

mod random;
mod world;

use world::{World, made};

use crate::typed::{PatternKind, Ty};

/// What is said of the arms: codes with what is missing, or the numbers of the arms.
fn said(ty: &str, arms: &[&str]) -> String {
    let mut world = World::new();
    let all = world.arms(ty, arms);
    let said: Vec<String> = all
        .iter()
        .map(|diagnostic| match diagnostic.code {
            "F0501" => diagnostic.message.replace("this `match` has no arm for ", "missing "),
            "F0503" => format!("arm {} unreachable", diagnostic.primary.span.start / 10),
            "F0504" => "alternative unreachable".to_owned(),
            other => other.to_owned(),
        })
        .collect();
    said.join("; ")
}

#[test]
fn covered() {
    for (ty, arms) in [
        ("Bool", &["true", "false"] as &[&str]),
        ("Bool", &["_"]),
        ("Option<Int>", &["Some(x)", "None"]),
        ("Option<Bool>", &["None", "Some(true)", "Some(false)"]),
        ("Option<Bool>", &["None | Some(true)", "Some(false)"]),
        ("(Bool, Bool)", &["(true, _)", "(_, true)", "(false, false)"]),
        ("Color", &["Red | Green", "Blue"]),
        ("Int", &["..=-1", "0", "1.."]),
        ("Int", &["0..=9", "..=-1", "10.."]),
        ("Char", &["'a'..='z'", "_"]),
        ("Char", &["'\0'..='\u{d7ff}'", "'\u{e000}'..='\u{10ffff}'"]),
        ("String", &["\"a\"", "\"b\"", "other"]),
        ("Float", &["0", "1", "_"]),
        ("List<Int>", &["[]", "[x]", "[x, y, ..rest]"]),
        ("List<Int>", &["[x, ..]", "[]"]),
        ("List<Bool>", &["[]", "[true, ..]", "[.., false]", "[false, .., true]"]),
        ("List<Bool>", &["[..all]"]),
        ("List<Bool>", &["[true, ..[..rest, x]]", "[_]", "[]", "[false, _, ..]"]),
        ("Load", &["Missing(_)", "Bad { line, .. }"]),
        ("Load", &["Missing(name)", "Bad { line: 0, .. }", "Bad { why, .. }"]),
        ("Row", &["Row { sold: true, .. }", "Row { sold: false, qty }"]),
        ("Never", &[]),
        ("Void", &[]),
        ("Result<Int, Never>", &["Ok(x)"]),
        ("Result<(Int, Void), Int>", &["Err(x)"]),
        ("Option<Option<Int>>", &["None", "Some(None)", "Some(Some(x))"]),
        ("Option<Int>", &["x @ Some(1..)", "y @ None", "Some(..=0)"]),
        ("(Option<Int>, Option<Int>)", &["(Some(a), Some(b))", "(None, _)", "(_, None)"]),
    ] {
        assert_eq!(said(ty, arms), "", "{ty}: {arms:?}");
    }
}

#[test]
fn missing() {
    for (ty, arms, expected) in [
        ("Bool", &["true"] as &[&str], "missing `false`"),
        ("Bool", &[], "missing `_`"),
        ("Option<Int>", &[], "missing `None` and `Some(_)`"),
        ("Option<Int>", &["None"], "missing `Some(_)`"),
        ("Option<Int>", &["Some(0)", "None"], "missing `Some(..=-1)` and `Some(1..)`"),
        ("Option<Int>", &["Some(x) if", "None"], "missing `Some(_)`"),
        ("Int", &["0"], "missing `..=-1` and `1..`"),
        ("Int", &["..=4", "6.."], "missing `5`"),
        ("Int", &["..=4", "8..=9", "11.."], "missing `5..=7` and `10`"),
        ("Char", &["'a'..='y'"], "missing `..='`'` and `'z'..`"),
        ("Char", &["..='a'"; 0], "missing `_`"),
        ("String", &["\"a\""], "missing `_`"),
        ("(String, Bool)", &["(\"a\", true)", "(_, false)"], "missing `(_, true)`"),
        ("(String, Bool)", &["(\"a\", true)", "(\"b\", _)", "(\"a\", false)", "(_, true)"], "missing `(_, false)`"),
        ("(String, Bool)", &["(\"a\", true)", "(\"b\", _)", "(_, true)"], "missing `(\"a\", false)` and `(_, false)`"),
        ("Float", &["1"], "missing `_`"),
        ("Seven", &["B"], "missing `A`, `C`, `D` and 3 more"),
        ("(Seven, Bool)", &["(A, true)"], "missing `(A, false)`, `(B, _)`, `(C, _)` and 4 more"),
        (
            "Load",
            &["Bad { line: 0, .. }"],
            "missing `Missing(_)`, `Bad { line: ..=-1, .. }` and `Bad { line: 1.., .. }`",
        ),
        ("Load", &["Missing(_)"], "missing `Bad { .. }`"),
        ("Row", &["Row { sold: true, .. }"], "missing `Row { sold: false, .. }`"),
        ("List<Int>", &["[]"], "missing `[_, ..]`"),
        ("List<Int>", &["[x]"], "missing `[]` and `[_, _, ..]`"),
        ("List<Int>", &["[a, .., b]"], "missing `[]` and `[_]`"),
        ("List<Bool>", &["[]", "[true, ..]"], "missing `[false, ..]`"),
        ("List<Bool>", &["[]", "[_]", "[.., true]"], "missing `[_, .., false]`"),
        ("List<Int>", &["[a, ..[b]]"], "missing `[]`, `[_]` and `[_, _, _, ..]`"),
        ("Result<Int, Bool>", &["Ok(_)", "Err(true)"], "missing `Err(false)`"),
        ("Option<Option<Bool>>", &["None", "Some(Some(true))"], "missing `Some(None)` and `Some(Some(false))`"),
        ("((Bool, Bool), Bool)", &["((true, _), _)", "(_, true)"], "missing `((false, _), false)`"),
    ] {
        assert_eq!(said(ty, arms), expected, "{ty}: {arms:?}");
    }
}

#[test]
fn unreachable() {
    for (ty, arms, expected) in [
        ("Bool", &["_", "true"] as &[&str], "arm 2 unreachable"),
        ("Bool", &["true", "false", "_"], "arm 3 unreachable"),
        ("Option<Int>", &["Some(x) if", "Some(1..=5)", "Some(2..=3)", "_"], "arm 3 unreachable"),
        ("Int", &["0..=5", "6..=10", "3..=8", "_"], "arm 3 unreachable"),
        ("Color", &["Red | Red", "_"], "alternative unreachable"),
        ("Option<Bool>", &["None", "Some(true | false)", "None | Some(_)"], "arm 3 unreachable"),
        ("Option<Bool>", &["Some(true)", "Some(true | false)", "None"], "alternative unreachable"),
        ("List<Int>", &["[_, ..]", "[1, 2]", "[]"], "arm 2 unreachable"),
        ("String", &["\"a\"", "\"a\"", "_"], "arm 2 unreachable"),
        ("Float", &["0", "-0", "_"], "arm 2 unreachable"),
        ("Int", &["5..=1", "_"], "arm 1 unreachable"),
        ("Result<Int, Never>", &["Ok(_)", "Err(_)"], ""),
        ("Int", &["1", "1 if"], "missing `..=0` and `2..`; arm 2 unreachable"),
    ] {
        assert_eq!(said(ty, arms), expected, "{ty}: {arms:?}");
    }
}

#[test]
fn what_has_to_match_always() {
    for (ty, pattern, expected) in [
        ("(Int, Bool)", "(a, b)", ""),
        ("One", "Only(x)", ""),
        ("Row", "Row { name, .. }", ""),
        ("Result<Int, Never>", "Ok(x)", ""),
        ("Bool", "true | false", ""),
        ("Option<Int>", "Some(x)", "`None` is not covered"),
        ("List<Int>", "[a, b]", "`[]`, `[_]` and `[_, _, _, ..]` are not covered"),
        ("One", "Only(true)", "`Only(false)` is not covered"),
    ] {
        let found = World::new().check_let(ty, pattern);
        let found: Vec<&str> = found.iter().map(|diagnostic| diagnostic.primary.text.as_str()).collect();
        assert_eq!(found.join("; "), expected, "{ty}: {pattern}");
    }
}

#[test]
fn messages() {
    let found = World::new().arms("Option<Int>", &["Some(x) if", "Some(1)"]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].message, "this `match` has no arm for `None`, `Some(..=0)` and `Some(2..)`");
    assert_eq!(found[0].primary.text, "`None`, `Some(..=0)` and `Some(2..)` are not covered");
    assert_eq!(found[0].notes, ["an arm with a guard covers nothing by itself: the guard may be false"]);
    let found = World::new().arms("Bool", &["all", "true"]);
    assert_eq!(found[0].secondary[0].text, "this one takes every value");
}

/// `(true, _, …), (_, true, …), …` repeated for parts that do not help: exponential without a limit.
#[test]
fn too_complex_patterns_end_in_an_error() {
    let mut world = World::new();
    let width = 24;
    let ty = format!("({})", "Bool, ".repeat(width));
    let mut arms = Vec::new();
    for index in 0..width {
        for pair in 0..width {
            let part = |at: usize| if at == index || at == pair { ["true", "false"][at % 2] } else { "_" };
            arms.push(format!("({})", (0..width).map(part).collect::<Vec<_>>().join(", ")));
        }
    }
    let arms: Vec<&str> = arms.iter().map(String::as_str).filter(|arm| arm.matches(['t', 'f']).count() == 2).collect();
    let found = world.arms(&ty, &arms);
    assert_eq!(found[0].code, "F0720");
    assert_eq!(found.len(), 1);
}

#[test]
fn too_deep_patterns_end_in_an_error() {
    let mut world = World::new();
    let ty = world.ty("List<Bool>");
    for (length, code) in [(399, None), (1_000, Some("F0721")), (100_000, Some("F0720"))] {
        let before: Vec<_> = (0..length).map(|_| made(PatternKind::Bool(true), Ty::BOOL)).collect();
        let long = made(PatternKind::List { before, rest: None, after: Vec::new() }, ty);
        let found = world.check_arms(ty, vec![(long, false), (made(PatternKind::Wildcard, ty), false)]);
        assert_eq!(found.first().map(|diagnostic| diagnostic.code), code);
    }
}

#[test]
fn many_arms_take_time_in_proportion() {
    let mut world = World::new();
    let mut arms: Vec<_> = (0..20_000).map(|n| (made(PatternKind::Int(2 * n), Ty::INT), false)).collect();
    arms.push((made(PatternKind::Int(7), Ty::INT), false));
    let found = world.check_arms(Ty::INT, arms);
    assert_eq!(found[0].message, "this `match` has no arm for `..=-1`, `1`, `3` and 19997 more");
    let arms = (0..20_000).map(|n| (made(PatternKind::String(format!("{n}").into()), Ty::STRING), false)).collect();
    assert_eq!(world.check_arms(Ty::STRING, arms)[0].message, "this `match` has no arm for `_`");
}
