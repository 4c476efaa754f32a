//! The words of generated texts of 1,000 words each: how many, how many different ones, and the most frequent; so many texts.

use std::collections::HashMap;

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

fn vocabulary(source: &mut Source) -> Vec<String> {
    let mut words = Vec::new();
    for _ in 0..3000 {
        let length = 2 + source.below(8);
        words.push((0..length).map(|_| char::from(b'a' + source.below(26) as u8)).collect());
    }
    words
}

/// Lines of ten words; those at the beginning of the vocabulary are more frequent.
fn generate(words: &[String], source: &mut Source) -> String {
    let mut lines = Vec::new();
    for _ in 0..100 {
        let mut line = Vec::new();
        for _ in 0..10 {
            line.push(words[(source.below(3000) * source.below(3000) / 3000) as usize].as_str());
        }
        lines.push(line.join(" "));
    }
    lines.join("\n")
}

fn count(text: &str, counts: &mut HashMap<String, u32>) {
    for line in text.lines() {
        for word in line.split_whitespace() {
            match counts.get_mut(word) {
                Some(n) => *n += 1,
                None => {
                    counts.insert(word.to_string(), 1);
                }
            }
        }
    }
}

fn main() {
    let texts: usize = std::env::args().nth(1).map_or(0, |n| n.parse().expect("a number"));
    let mut source = Source { seed: 42 };
    let words = vocabulary(&mut source);
    let mut counts = HashMap::new();
    for _ in 0..texts {
        count(&generate(&words, &mut source), &mut counts);
    }
    let mut ranking: Vec<(&String, &u32)> = counts.iter().collect();
    ranking.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let total: u32 = counts.values().sum();
    let top: Vec<String> = ranking.iter().take(5).map(|(word, n)| format!("{word}:{n}")).collect();
    println!("wordcount {total} {} {}", ranking.len(), top.join(" "));
}
