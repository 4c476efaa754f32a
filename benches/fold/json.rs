//! A document of 50 records is printed as JSON, parsed, and walked; so many documents.

use std::collections::HashMap;
use std::fmt::Write;

enum Json {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Json>),
    Object(HashMap<String, Json>),
}

fn object<const N: usize>(fields: [(&str, Json); N]) -> Json {
    Json::Object(fields.into_iter().map(|(name, field)| (name.to_string(), field)).collect())
}

fn item(id: i64) -> Json {
    let note = "a \"quoted\" word,\na new line and a \\";
    let tags = ["red", "green", "blue"];
    object([
        ("id", Json::Int(id)),
        ("name", Json::Text(format!("item number {id}"))),
        ("price", Json::Float((id * 37 % 1000) as f64 + 0.25)),
        ("in stock", Json::Bool(id % 3 == 0)),
        ("note", if id % 4 == 0 { Json::Text(note.to_string()) } else { Json::Null }),
        ("tags", Json::List(tags.iter().take((id % 4) as usize).map(|tag| Json::Text(tag.to_string())).collect())),
        ("size", object([("width", Json::Int(id % 50)), ("height", Json::Int(-id))])),
    ])
}

fn document(number: i64) -> Json {
    let items = (0..50).map(|i| item(number % 1000 + i)).collect();
    object([("number", Json::Int(number)), ("items", Json::List(items))])
}

fn print_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            _ => out.push(c),
        }
    }
    out.push('"');
}

fn print_value(value: &Json, out: &mut String) {
    match value {
        Json::Null => out.push_str("null"),
        Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Json::Int(value) => write!(out, "{value}").expect("a String"),
        Json::Float(value) => write!(out, "{value:?}").expect("a String"),
        Json::Text(text) => print_text(text, out),
        Json::List(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                print_value(item, out);
            }
            out.push(']');
        }
        Json::Object(fields) => {
            out.push('{');
            for (i, (name, field)) in fields.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                print_text(name, out);
                out.push(':');
                print_value(field, out);
            }
            out.push('}');
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    fn skip_space(&mut self) {
        while self.peek() == b' ' || self.peek() == b'\n' {
            self.at += 1;
        }
    }

    /// Goes over a byte if it is the next one after white space.
    fn eat(&mut self, byte: u8) -> bool {
        self.skip_space();
        let found = self.peek() == byte;
        if found {
            self.at += 1;
        }
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), String> {
        if self.eat(byte) { Ok(()) } else { Err(format!("byte {byte} expected at {}", self.at)) }
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json, String> {
        for byte in word.bytes() {
            self.expect(byte)?;
        }
        Ok(value)
    }

    fn value(&mut self) -> Result<Json, String> {
        self.skip_space();
        match self.peek() {
            b'{' => self.object(),
            b'[' => self.list(),
            b'"' => Ok(Json::Text(self.string()?)),
            b'n' => self.word("null", Json::Null),
            b't' => self.word("true", Json::Bool(true)),
            b'f' => self.word("false", Json::Bool(false)),
            _ => self.number(),
        }
    }

    fn object(&mut self) -> Result<Json, String> {
        self.at += 1;
        let mut fields = HashMap::new();
        if self.eat(b'}') {
            return Ok(Json::Object(fields));
        }
        loop {
            self.skip_space();
            let name = self.string()?;
            self.expect(b':')?;
            fields.insert(name, self.value()?);
            if !self.eat(b',') {
                break;
            }
        }
        self.expect(b'}')?;
        Ok(Json::Object(fields))
    }

    fn list(&mut self) -> Result<Json, String> {
        self.at += 1;
        let mut items = Vec::new();
        if self.eat(b']') {
            return Ok(Json::List(items));
        }
        loop {
            items.push(self.value()?);
            if !self.eat(b',') {
                break;
            }
        }
        self.expect(b']')?;
        Ok(Json::List(items))
    }

    fn string(&mut self) -> Result<String, String> {
        self.expect(b'"')?;
        let mut out = String::new();
        let mut start = self.at;
        while self.peek() != b'"' {
            if self.peek() == b'\\' {
                out.push_str(&self.text[start..self.at]);
                self.at += 1;
                match self.peek() {
                    b'"' => out.push('"'),
                    b'\\' => out.push('\\'),
                    b'n' => out.push('\n'),
                    _ => return Err(format!("no such escape at {}", self.at)),
                }
                start = self.at + 1;
            }
            self.at += 1;
            if self.at >= self.text.len() {
                return Err("a text without end".to_string());
            }
        }
        out.push_str(&self.text[start..self.at]);
        self.at += 1;
        Ok(out)
    }

    fn number(&mut self) -> Result<Json, String> {
        let start = self.at;
        let mut whole = true;
        loop {
            match self.peek() {
                b'.' | b'e' => whole = false,
                b'-' | b'0'..=b'9' => {}
                _ => break,
            }
            self.at += 1;
        }
        let digits = &self.text[start..self.at];
        let value = if whole { digits.parse().map(Json::Int).ok() } else { digits.parse().map(Json::Float).ok() };
        value.ok_or_else(|| format!("no number at {start}"))
    }
}

/// Adds up numbers, lengths of texts, and how many values there are.
fn walk(value: &Json) -> f64 {
    match value {
        Json::Null => 1.0,
        Json::Bool(value) => {
            if *value {
                2.0
            } else {
                1.0
            }
        }
        Json::Int(value) => *value as f64 + 1.0,
        Json::Float(value) => value + 1.0,
        Json::Text(text) => text.len() as f64,
        Json::List(items) => items.iter().map(walk).sum::<f64>() + 1.0,
        Json::Object(fields) => fields.iter().map(|(name, field)| walk(field) + name.len() as f64).sum(),
    }
}

fn main() -> Result<(), String> {
    let rounds: i64 = std::env::args().nth(1).map_or(0, |n| n.parse().expect("a number"));
    let (mut length, mut sum) = (0, 0.0);
    for round in 0..rounds {
        let mut text = String::new();
        print_value(&document(round), &mut text);
        sum += walk(&Parser { text: &text, at: 0 }.value()?);
        length += text.len();
    }
    println!("json {length} {sum:.2}");
    Ok(())
}
