//! `text/unicode` of the standard library, compared with other libraries on all characters, and on texts made of those that
//! matter.

mod tables;

use std::fmt::Write;
use std::path::Path;

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::program::{End, World, check, lines, run, run_fast};
use super::random::Random;

#[test]
fn tables_are_those_of_unicode() {
    assert_eq!(unicode_properties::UNICODE_VERSION, (17, 0, 0));
    assert_eq!(unicode_segmentation::UNICODE_VERSION, (17, 0, 0));
    assert_eq!(unicode_normalization::UNICODE_VERSION, (17, 0, 0));
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("stdlib/text/unicode/tables.fold");
    let expected = tables::file();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&place, &expected).expect("written");
    }
    let found = std::fs::read_to_string(&place).expect("the tables");
    assert!(found == expected, "{} is not what is made from Unicode's data; UPDATE=1 writes it anew", place.display());
}

/// What a program writes that gets these lines; in the fastest way, since there are many, or in others too.
fn written(program: &str, input: String, fast: bool) -> String {
    let checked = check(program).unwrap_or_else(|rejected| panic!("{}", lines(&rejected)));
    let world = World { input, ..World::default() };
    let done = if fast { run_fast(&checked, &world) } else { run(&checked, &world) };
    let done = done.unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(done.end, End::Good, "{}", done.output);
    done.output
}

/// Fails at the first lines that differ.
fn same(found: &str, expected: &str, inputs: &str) {
    assert_eq!(found.lines().count(), expected.lines().count());
    for ((found, expected), input) in found.lines().zip(expected.lines()).zip(inputs.lines()) {
        assert_eq!(found, expected, "of {input}");
    }
}

fn codes(text: &str) -> String {
    text.chars().map(|c| format!("{:x}", u32::from(c))).collect::<Vec<_>>().join(" ")
}

/// Beyond those that `text/unicode` looks up, planes in which nothing is assigned and those for private use: their borders, where that
/// is enough.
const FAR: [u32; 14] = [
    0x40000, 0x40001, 0x9FFFF, 0xDFFFD, 0xDFFFF, 0xE1000, 0xEFFFF, 0xF0000, 0xFFFFD, 0xFFFFE, 0xFFFFF, 0x100000,
    0x10FFFD, 0x10FFFF,
];

fn near_and_far() -> impl Iterator<Item = char> {
    (0..0x40000).chain(0xE0000..0xE1000).chain(FAR).filter_map(char::from_u32)
}

/// What a program writes that looks at these.
fn near_and_far_written(program: &str) -> String {
    let codes = format!("(0..0x40000).iter().chain((0xE0000..0xE1000).iter()).chain({FAR:?}.iter())");
    written(&program.replace("CODES", &codes), String::new(), true)
}

/// Characters as codes, and what is said of each: a line for each run of characters of which the same is said.
#[test]
fn of_each_character_the_same_is_said() {
    let program = r#"
import text/unicode
needs out: Console
var last = ""
for code in 0..0x110000 {
    let Some(c) = Char.from_int(code) else { continue }
    let said = "{unicode.category(c).code()} {unicode.char_width(c)}"
    if said != last { out.print("{code:x} {said}") }
    last = said
}
"#;
    let (mut expected, mut last) = (String::new(), String::new());
    for c in '\0'..=char::MAX {
        let said = format!("{} {}", tables::CATEGORIES[tables::category(c) as usize].1, tables::columns(c));
        if said != last {
            let _ = writeln!(expected, "{:x} {said}", u32::from(c));
        }
        last = said;
    }
    assert!(expected.lines().count() > 3_000);
    same(&written(program, String::new(), true), &expected, &expected);
}

#[test]
fn each_character_has_its_cases_and_normal_forms() {
    let program = r#"
import text/unicode
needs out: Console
fn codes(text: String) -> String { text.chars().map(|c| "{c.to_int():x}").join(" ") }
for code in CODES {
    let Some(c) = Char.from_int(code) else { continue }
    let text = c.to_string()
    let (upper, lower, nfc, nfd) = (unicode.upper(text), unicode.lower(text), unicode.nfc(text), unicode.nfd(text))
    if upper != text || lower != text || nfc != text || nfd != text {
        out.print("{code:x}: {codes(upper)}, {codes(lower)}, {codes(nfc)}, {codes(nfd)}")
    }
}
"#;
    let mut expected = String::new();
    for c in near_and_far() {
        let text = c.to_string();
        let cased = |to: fn(char) -> String| tables::cased(c, to).unwrap_or_else(|| text.clone());
        let (upper, lower) = (cased(tables::upper), cased(tables::lower));
        let (nfc, nfd) = (text.nfc().collect::<String>(), text.nfd().collect::<String>());
        if [&upper, &lower, &nfc, &nfd].iter().any(|other| **other != text) {
            let [upper, lower, nfc, nfd] = [&upper, &lower, &nfc, &nfd].map(|text| codes(text));
            let _ = writeln!(expected, "{:x}: {upper}, {lower}, {nfc}, {nfd}", u32::from(c));
        }
    }
    assert!(expected.lines().count() > 15_000);
    same(&near_and_far_written(program), &expected, &expected);
}

/// Texts of characters that have to do with each other, as codes.
fn texts(seed: u64, count: usize, of: &[&str]) -> Vec<String> {
    let mut random = Random::new(seed);
    let mut text = || {
        let alphabet: Vec<char> = random.pick(of).chars().collect();
        let length = 1 + random.below(9);
        (0..length).map(|_| *random.pick(&alphabet)).collect()
    };
    (0..count).map(|_| text()).collect()
}

/// What `line`, an expression, is of each text.
fn of_each(texts: &[String], line: &str, fast: bool) -> String {
    let program = format!(
        r#"
import text/unicode
needs out: Console
fn codes(text: String) -> String {{ text.chars().map(|c| "{{c.to_int():x}}").join(" ") }}
while let Some(line) = out.read_line()? {{
    let text = String.from_chars(line.words().map(|code| Char.from_int(code.to_int_base(16).unwrap()).unwrap()).to_list())
    out.print({line})
}}
"#
    );
    written(&program, inputs(texts), fast)
}

fn inputs(texts: &[String]) -> String {
    texts.iter().map(|text| codes(text) + "\n").collect()
}

/// Of each kind that the rules of clusters tell apart some.
const CLUSTERS: [&str; 5] = [
    "a\r\n\u{301}\u{200D}\u{1F600}\u{1F1E6}\u{600}\u{903}\u{1100}\u{1160}\u{11A8}\u{AC00}\u{AC01}\u{915}\u{94D}\u{200C}\u{7}",
    "\u{1F600}\u{200D}\u{1F3FB}\u{2764}\u{FE0F}\u{308}\u{903}a",
    "\u{1F1E6}\u{1F1E7}\u{200D}\u{301}\u{600}",
    "\u{915}\u{937}\u{94D}\u{93C}\u{200D}\u{200C}\u{93E}\u{995}\u{9CD}\u{600}",
    "\u{1100}\u{1160}\u{11A8}\u{AC00}\u{AC01}\u{D7A3}\u{301}",
];

#[test]
fn clusters_end_where_they_should() {
    let texts = texts(17, 20_000, &CLUSTERS);
    let line = r#"unicode.graphemes(text).map(codes).join("|") + " {unicode.count_graphemes(text)}""#;
    let expected: String = texts
        .iter()
        .map(|text| {
            let parts: Vec<String> = text.graphemes(true).map(codes).collect();
            format!("{} {}\n", parts.join("|"), parts.len())
        })
        .collect();
    same(&of_each(&texts, line, true), &expected, &inputs(&texts));
    let few = &texts[..200];
    same(&of_each(few, line, false), &expected.lines().take(200).collect::<Vec<_>>().join("\n"), &inputs(few));
}

#[test]
fn each_character_is_in_clusters_what_it_should_be() {
    // Between others, each of which goes with some: whether it goes with what is before and after.
    let around =
        ["a", "\u{600}", "\u{1F600}\u{200D}", "\u{915}\u{94D}", "\u{1F1E6}", "\u{1100}", "\u{1160}", "\u{11A8}"];
    let after =
        ["a", "\u{308}", "\u{200D}\u{1F600}", "\u{94D}\u{915}", "\u{1F1E6}", "\u{1100}", "\u{1160}", "\u{11A8}"];
    let program = format!(
        r#"
import text/unicode
needs out: Console
var last = ""
let around = [{}]
for code in CODES {{
    let Some(c) = Char.from_int(code) else {{ continue }}
    let said = around.map(|(before, after)| "{{unicode.count_graphemes(before + c.to_string() + after)}}").join("")
    if said != last {{ out.print("{{code:x}} {{said}}") }}
    last = said
}}
"#,
        around.iter().zip(after).map(|(a, b)| format!("({a:?}, {b:?})")).collect::<Vec<_>>().join(", ")
    );
    let (mut expected, mut last) = (String::new(), String::new());
    for c in near_and_far() {
        let count = |(a, b): (&&str, &str)| format!("{a}{c}{b}").graphemes(true).count().to_string();
        let said: String = around.iter().zip(after).map(count).collect();
        if said != last {
            let _ = writeln!(expected, "{:x} {said}", u32::from(c));
        }
        last = said;
    }
    assert!(expected.lines().count() > 1_000);
    same(&near_and_far_written(&program), &expected, &expected);
}

#[test]
fn texts_have_their_normal_forms() {
    let texts = texts(
        23,
        20_000,
        &[
            "aeoAU\u{300}\u{301}\u{308}\u{323}\u{31B}\u{345}\u{1EAD}\u{1FB4}\u{E9}\u{212B}\u{200D}",
            "\u{1100}\u{1161}\u{1175}\u{11A8}\u{11A7}\u{AC00}\u{AC01}\u{AC1C}\u{D7A3}",
            "\u{915}\u{93C}\u{958}\u{9C7}\u{9BE}\u{9D7}\u{CC6}\u{CC2}\u{CD5}\u{CCB}\u{301}",
            "\u{1D158}\u{1D165}\u{1D16E}\u{1D160}\u{2ADC}\u{F900}\u{FB2C}\u{5E9}\u{5BC}\u{5C1}\u{344}",
        ],
    );
    let line = r#"codes(unicode.nfc(text)) + ", " + codes(unicode.nfd(text))"#;
    let form = |text: &String| {
        format!("{}, {}\n", codes(&text.nfc().collect::<String>()), codes(&text.nfd().collect::<String>()))
    };
    same(&of_each(&texts, line, true), &texts.iter().map(form).collect::<String>(), &inputs(&texts));
    let few = &texts[..200];
    same(&of_each(few, line, false), &few.iter().map(form).collect::<String>(), &inputs(few));
}

#[test]
fn words_have_their_cases() {
    let texts = texts(5, 20_000, &["ΟΔΣσςΣ '.\u{301}1-Σ", "ßŉǰΐİıIiaÀé ﬁᾳ", "Ǆǅǆ Σ\u{AD}Σ:Σ"]);
    let line = r#"codes(unicode.upper(text)) + ", " + codes(unicode.lower(text))"#;
    let cases = |text: &String| format!("{}, {}\n", codes(&text.to_uppercase()), codes(&text.to_lowercase()));
    same(&of_each(&texts, line, true), &texts.iter().map(cases).collect::<String>(), &inputs(&texts));
}

#[test]
fn texts_are_as_wide_as_they_are_shown() {
    let clusters = [
        "a",
        "é",
        "e\u{301}",
        "字",
        "ｱ",
        "한",
        "\u{1112}\u{1161}\u{11AB}",
        "क",
        "क्ष",
        "नि",
        "ก",
        "กำ",
        "ا",
        "😀",
        "👍🏽",
        "👩‍🚒",
        "👨‍👩‍👧‍👦",
        "❤\u{FE0F}",
        "1\u{FE0F}\u{20E3}",
        "🇳🇱",
        "🏳\u{FE0F}‍🌈",
        "☎",
        "½",
        "\u{200B}",
    ];
    let mut random = Random::new(3);
    let mut text = || (0..1 + random.below(6)).map(|_| *random.pick(&clusters)).collect();
    let texts: Vec<String> = (0..5_000).map(|_| text()).collect();
    let expected: String = texts.iter().map(|text| format!("{}\n", text.width())).collect();
    same(&of_each(&texts, r#""{unicode.width(text)}""#, true), &expected, &inputs(&texts));
}
