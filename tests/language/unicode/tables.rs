//! `stdlib/text/unicode/tables.fold`, made from what other libraries know of each character.
//!
//! A table is a text of entries that are all as long and in order, so that an entry is found by halving, in the text as it is. Numbers
//! are digits of base 92, the characters from `#` to `~`, so that a raw text holds them.

use std::collections::BTreeMap;
use std::fmt::Write;

use unicode_normalization::char::{canonical_combining_class, compose, decompose_canonical};
use unicode_normalization::is_nfc;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthChar;

/// Numbers of a digit.
const BASE: u32 = 92;

/// General categories, by their numbers in tables: the order of the variants of `Category`.
pub const CATEGORIES: [(GeneralCategory, &str); 29] = [
    (GeneralCategory::UppercaseLetter, "Lu"),
    (GeneralCategory::LowercaseLetter, "Ll"),
    (GeneralCategory::TitlecaseLetter, "Lt"),
    (GeneralCategory::ModifierLetter, "Lm"),
    (GeneralCategory::OtherLetter, "Lo"),
    (GeneralCategory::NonspacingMark, "Mn"),
    (GeneralCategory::SpacingMark, "Mc"),
    (GeneralCategory::EnclosingMark, "Me"),
    (GeneralCategory::DecimalNumber, "Nd"),
    (GeneralCategory::LetterNumber, "Nl"),
    (GeneralCategory::OtherNumber, "No"),
    (GeneralCategory::ConnectorPunctuation, "Pc"),
    (GeneralCategory::DashPunctuation, "Pd"),
    (GeneralCategory::OpenPunctuation, "Ps"),
    (GeneralCategory::ClosePunctuation, "Pe"),
    (GeneralCategory::InitialPunctuation, "Pi"),
    (GeneralCategory::FinalPunctuation, "Pf"),
    (GeneralCategory::OtherPunctuation, "Po"),
    (GeneralCategory::MathSymbol, "Sm"),
    (GeneralCategory::CurrencySymbol, "Sc"),
    (GeneralCategory::ModifierSymbol, "Sk"),
    (GeneralCategory::OtherSymbol, "So"),
    (GeneralCategory::SpaceSeparator, "Zs"),
    (GeneralCategory::LineSeparator, "Zl"),
    (GeneralCategory::ParagraphSeparator, "Zp"),
    (GeneralCategory::Control, "Cc"),
    (GeneralCategory::Format, "Cf"),
    (GeneralCategory::PrivateUse, "Co"),
    (GeneralCategory::Unassigned, "Cn"),
];

/// Capital and small letters in turn, the capitals at even codes.
const CAPITALS_EVEN: u32 = 29;
/// The same, the capitals at odd codes.
const CAPITALS_ODD: u32 = 30;

/// All characters.
pub fn all() -> impl Iterator<Item = char> {
    ('\0'..='\u{10FFFF}').filter(|&c| is_regular(c))
}

/// Whether a character has a key; between the planes of letters and those of tags and private use nothing is assigned.
fn is_regular(c: char) -> bool {
    !matches!(u32::from(c), 0x40000..0xE0000)
}

/// By which a character is found in tables.
fn key(c: char) -> u32 {
    let code = u32::from(c);
    if code < 0x40000 { code } else { code - 0xA0000 }
}

/// A number of so many digits.
fn digits(value: u32, count: u32) -> String {
    assert!(value < BASE.pow(count), "{value} does not fit {count} digits");
    let digit = |i: u32| char::from_u32(u32::from('#') + value / BASE.pow(i) % BASE).expect("ASCII");
    (0..count).rev().map(digit).collect()
}

pub fn category(c: char) -> u32 {
    let category = c.general_category();
    CATEGORIES.iter().position(|(other, _)| *other == category).expect("a category of characters") as u32
}

/// Where a value begins that holds up to the next one: three digits for the key, one for the value.
fn changes(value: impl Fn(char) -> u32) -> String {
    let (mut table, mut last) = (String::new(), None);
    for c in all() {
        let value = value(c);
        if last != Some(value) {
            table += &(digits(key(c), 3) + &digits(value, 1));
            last = Some(value);
        }
    }
    table
}

/// Letters of both cases in turn are one run, where at least four follow each other.
fn categories() -> String {
    let of: Vec<(char, u32)> = all().map(|c| (c, category(c))).collect();
    let mut values: BTreeMap<char, u32> = of.iter().copied().collect();
    let is_cased = |value: u32| value < 2;
    let mut at = 0;
    while at < of.len() {
        let mut end = at + 1;
        while end < of.len() && is_cased(of[end].1) && is_cased(of[end - 1].1) && of[end].1 != of[end - 1].1 {
            end += 1;
        }
        if end - at >= 4 {
            let even = key(of[at].0).is_multiple_of(2) == (of[at].1 == 0);
            for (c, _) in &of[at..end] {
                values.insert(*c, if even { CAPITALS_EVEN } else { CAPITALS_ODD });
            }
        }
        at = end;
    }
    changes(|c| values[&c])
}

/// Whether no grapheme cluster ends in these.
fn is_one(parts: &[char]) -> bool {
    parts.iter().collect::<String>().graphemes(true).count() == 1
}

/// What a character does to the borders of grapheme clusters: the numbers of `stdlib/text/unicode.fold`. Found out by trying.
fn cluster_class(c: char) -> u32 {
    let (face, ka, virama, joiner) = ('\u{1F600}', '\u{915}', '\u{94D}', '\u{200D}');
    let (lead, vowel, trail) = ('\u{1100}', '\u{1160}', '\u{11A8}');
    match c {
        '\r' => 1,
        '\n' => 2,
        // Syllables of Hangul are told apart by their codes.
        '\u{AC00}'..='\u{D7A3}' => 0,
        _ if is_one(&['a', c]) => match c {
            _ if is_one(&[face, c, face]) => 5,
            _ if !is_one(&[face, c, joiner, face]) => 8,
            _ if is_one(&[ka, c, ka]) => 14,
            _ if is_one(&[ka, c, virama, ka]) => 4,
            _ => 15,
        },
        _ if !is_one(&[c, '\u{308}']) => 3,
        _ if is_one(&[c, 'a']) => 7,
        _ if is_one(&[c, '\u{1F1E6}']) => 6,
        _ if is_one(&[c, lead]) => 9,
        _ if is_one(&[trail, c]) => 11,
        _ if is_one(&[vowel, c]) => 10,
        _ if is_one(&[face, joiner, c]) => 12,
        _ if is_one(&[ka, virama, c]) => 13,
        _ => 0,
    }
}

/// The canonical decomposition, all the way down; empty if a character is its own. Syllables of Hangul are left out.
fn decomposition(c: char) -> Vec<char> {
    let mut parts = Vec::new();
    if !matches!(c, '\u{AC00}'..='\u{D7A3}') {
        decompose_canonical(c, |part| parts.push(part));
    }
    if parts == [c] { Vec::new() } else { parts }
}

/// What single characters, and pairs, are decomposed to in one step; and the pairs that are composed again, ordered by what they are
/// composed of, by their numbers among all pairs.
fn decompositions() -> (String, String, String) {
    let whole: Vec<(char, Vec<char>)> =
        all().map(|c| (c, decomposition(c))).filter(|(_, parts)| !parts.is_empty()).collect();
    let mut by_parts: BTreeMap<&[char], char> = BTreeMap::new();
    for (c, parts) in &whole {
        // Of several, the one that text is composed to.
        if is_nfc(&c.to_string()) || !by_parts.contains_key(parts.as_slice()) {
            by_parts.insert(parts, *c);
        }
    }
    let (mut singles, mut pairs, mut composed, mut count) = (String::new(), String::new(), Vec::new(), 0);
    for (c, parts) in &whole {
        let (last, before) = parts.split_last().expect("parts");
        let first = match before {
            [] => {
                singles += &(digits(key(*c), 3) + &digits(u32::from(*last), 3));
                continue;
            }
            [first] => *first,
            _ => by_parts[before],
        };
        pairs += &(digits(key(*c), 3) + &digits(u32::from(first), 3) + &digits(u32::from(*last), 3));
        if compose(first, *last) == Some(*c) {
            composed.push((first, *last, count));
        }
        count += 1;
    }
    composed.sort_unstable();
    (singles, pairs, composed.into_iter().map(|(_, _, number)| digits(number, 2)).collect())
}

/// Combining classes by their rank, since their order is all that counts.
fn combining() -> String {
    let mut classes: Vec<u8> = all().map(canonical_combining_class).collect();
    classes.sort_unstable();
    classes.dedup();
    changes(|c| classes.binary_search(&canonical_combining_class(c)).expect("a class") as u32)
}

/// A character in another case, if that is of this version of Unicode.
pub fn cased(c: char, to: impl Fn(char) -> String) -> Option<String> {
    let is_known = |c: char| c.general_category() != GeneralCategory::Unassigned;
    let other = to(c);
    (is_known(c) && other.chars().all(is_known) && !other.chars().eq([c])).then_some(other)
}

pub fn upper(c: char) -> String {
    c.to_uppercase().collect()
}

pub fn lower(c: char) -> String {
    c.to_lowercase().collect()
}

/// Runs of characters that are as far from what they become: three digits for the first one's key, two for how many there are, one for how
/// far they are apart, three for the distance and 2^17. Of one that becomes several, these are 0, and where it is among `more`.
fn cases(to: fn(char) -> String, more: &mut String) -> String {
    struct Run {
        first: char,
        last: char,
        count: u32,
        step: u32,
        distance: u32,
    }
    let mut runs: Vec<Run> = Vec::new();
    for c in all() {
        let Some(other) = cased(c, to) else { continue };
        let mut chars = other.chars();
        let (Some(single), None) = (chars.next(), chars.next()) else {
            let place = more.len() as u32;
            *more += &other;
            runs.push(Run { first: c, last: c, count: other.len() as u32, step: 0, distance: place });
            continue;
        };
        let distance = (1 << 17) + u32::from(single) - u32::from(c);
        if let Some(run) = runs.last_mut() {
            let step = u32::from(c) - u32::from(run.last);
            if run.step > 0 && run.distance == distance && step <= 2 && (run.count == 1 || run.step == step) {
                (run.last, run.count, run.step) = (c, run.count + 1, step);
                continue;
            }
        }
        runs.push(Run { first: c, last: c, count: 1, step: 1, distance });
    }
    let entry =
        |run: &Run| digits(key(run.first), 3) + &digits(run.count, 2) + &digits(run.step, 1) + &digits(run.distance, 3);
    runs.iter().map(entry).collect()
}

/// How many columns a character takes.
pub fn columns(c: char) -> u32 {
    c.width().unwrap_or(0) as u32
}

/// The whole file.
pub fn file() -> String {
    let mut out = String::from(
        "//! The tables of `text/unicode`: made by a test of it from the Unicode Character Database, version 17.0\n\
         //! (Unicode License v3, <https://www.unicode.org/license.txt>). Not for other modules.\n",
    );
    let (singles, pairs, composed) = decompositions();
    let mut more = String::new();
    let (upper, lower) = (cases(upper, &mut more), cases(lower, &mut more));
    let tables = [
        ("CATEGORIES", "General categories, from each key on.", categories()),
        (
            "CLUSTERS",
            "What a character does to the borders of grapheme clusters, from each key on.",
            changes(cluster_class),
        ),
        ("COMBINING", "Ranks of combining classes, from each key on.", combining()),
        ("WIDTHS", "Columns, from each key on.", changes(columns)),
        ("SINGLES", "Characters that are decomposed to one.", singles),
        ("PAIRS", "Characters that are decomposed to two.", pairs),
        ("COMPOSED", "Of the pairs those that are composed again, in the order of their parts.", composed),
        ("UPPER", "Runs of characters that have capitals.", upper),
        ("LOWER", "Runs of characters that have small letters.", lower),
    ];
    for (name, of, table) in tables {
        let _ = write!(out, "\n/// {of}\npub const {name}: String = r\"{table}\"\n");
    }
    let _ = write!(out, "\n/// What characters become that become several.\npub const SEVERAL: String = r\"{more}\"\n");
    out
}
