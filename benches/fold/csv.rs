//! Tables of 100 rows are written as CSV and read again; amounts are grouped and summed by city. So many tables.

use std::collections::HashMap;
use std::fmt::Write;

struct Source {
    seed: u32,
}

impl Source {
    /// A number from 0 up to `end`, which is at most 65,536.
    fn below(&mut self, end: u32) -> u32 {
        self.seed = self.seed.wrapping_mul(1664525).wrapping_add(1013904223);
        (self.seed >> 16) % end
    }
}

#[derive(Default)]
struct Group {
    count: u64,
    sum: u64,
    most: u64,
}

const CITIES: [&str; 20] = [
    "Amberg",
    "Bad Tölz",
    "Celle, North",
    "Dahn",
    "Emden",
    "Furth \"the old\"",
    "Gera",
    "Hof, \"upper\"",
    "Ilmenau",
    "Jena",
    "Kehl",
    "Lahr",
    "Marl",
    "Naila",
    "Olpe",
    "Passau",
    "Rain, Lech",
    "Selb",
    "Thale",
    "Uelzen",
];

fn write_field(out: &mut String, field: &str) {
    if field.contains(',') || field.contains('"') || field.contains('\n') {
        out.push('"');
        out.push_str(&field.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(field);
    }
}

fn generate(source: &mut Source) -> String {
    let mut out = String::new();
    out.push_str("id,city,amount,note\n");
    for id in 0..100 {
        write!(out, "{id},").expect("a String");
        write_field(&mut out, CITIES[source.below(20) as usize]);
        write!(out, ",{},", source.below(10000)).expect("a String");
        write_field(&mut out, if id % 10 == 0 { "first of ten,\nchecked" } else { "" });
        out.push('\n');
    }
    out
}

/// A field in quotes that begins at a byte, and where what follows it begins.
fn quoted(text: &str, start: usize) -> (String, usize) {
    let bytes = text.as_bytes();
    let mut field = String::new();
    let mut from = start + 1;
    let mut at = from;
    loop {
        if bytes[at] != b'"' {
            at += 1;
            continue;
        }
        field.push_str(&text[from..at]);
        if at + 1 == bytes.len() || bytes[at + 1] != b'"' {
            break;
        }
        from = at + 1;
        at += 2;
    }
    (field, at + 1)
}

fn parse(text: &str) -> Vec<Vec<String>> {
    let bytes = text.as_bytes();
    let mut rows = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let mut row = Vec::new();
        loop {
            if bytes[at] == b'"' {
                let (field, end) = quoted(text, at);
                row.push(field);
                at = end;
            } else {
                let start = at;
                while bytes[at] != b',' && bytes[at] != b'\n' {
                    at += 1;
                }
                row.push(text[start..at].to_string());
            }
            at += 1;
            if bytes[at - 1] == b'\n' {
                break;
            }
        }
        rows.push(row);
    }
    rows
}

fn collect(rows: Vec<Vec<String>>, groups: &mut HashMap<String, Group>) {
    for row in &rows[1..] {
        let amount: u64 = row[2].parse().unwrap_or(0);
        if !groups.contains_key(&row[1]) {
            groups.insert(row[1].clone(), Group::default());
        }
        let group = groups.get_mut(&row[1]).expect("it was put in");
        group.count += 1;
        group.sum += amount;
        group.most = group.most.max(amount);
    }
}

fn main() {
    let tables: usize = std::env::args().nth(1).map_or(0, |n| n.parse().expect("a number"));
    let mut source = Source { seed: 7 };
    let mut groups = HashMap::new();
    for _ in 0..tables {
        collect(parse(&generate(&mut source)), &mut groups);
    }
    let mut cities: Vec<&String> = groups.keys().collect();
    cities.sort();
    let (mut count, mut sum, mut check) = (0, 0, 0);
    for city in cities {
        let group = &groups[city];
        count += group.count;
        sum += group.sum;
        check = (check * 31 + group.sum + group.most * group.count + city.chars().count() as u64) % 1_000_003;
    }
    println!("csv {} {count} {sum} {check}", groups.len());
}
