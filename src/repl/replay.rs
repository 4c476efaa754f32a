//! Which entries can be run again in another worker, with nothing outside that shows it.
//!
//! A process that is confined cannot be given more, and cannot be made to forget what it holds: another authority is another worker, and the
//! session is made there anew from its entries. That is possible because an entry reaches the world through capabilities only, which it
//! has by name: one that names none, or the console alone, does the same again. What it writes is not shown again.
//!
//! An entry that names another capability is not run again, nor one that was stopped. What it did to variables is not known
//! then, so all that it names are lost, and with them all entries that name one of these: two names that stood in one entry may since be of one
//! value. This is more than what is really lost, and never less.

use std::collections::{BTreeSet, HashSet};

/// An entry that was run.
#[derive(Clone, Debug)]
pub struct Ran {
    /// What was entered.
    pub text: String,
    /// How it went.
    pub end: End,
    /// Whether it gave a value, which is `it` since.
    pub gave: bool,
}

/// How an entry went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It came to its end.
    Done,
    /// It failed as it would again.
    Failed,
    /// Something ended it that will not come at the same place again.
    Stopped,
}

/// What is run again, and what is not.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    /// Whether each entry is.
    pub again: Vec<bool>,
    /// The variables and declarations that are lost.
    pub lost: BTreeSet<String>,
}

/// Decides for entries in their order. `variables` are the names of all variables but what was granted; entries that name one of `unrepeatable` are not
/// run again.
pub fn plan(entries: &[Ran], variables: &HashSet<String>, unrepeatable: &HashSet<String>) -> Plan {
    let words: Vec<HashSet<&str>> = entries.iter().map(|entry| words(&entry.text).collect()).collect();
    let declared: Vec<HashSet<&str>> = entries.iter().map(|entry| declared(&entry.text)).collect();
    let names_any = |at: usize| words[at].iter().any(|word| unrepeatable.contains(*word) || *word == "needs");
    let mut again: Vec<bool> = (0..entries.len()).map(|at| entries[at].end != End::Stopped && !names_any(at)).collect();
    let is_it = |at: usize, other: usize| {
        // `it` is the value of the last entry before that gave one.
        words[at].contains("it") && entries[..at].iter().rposition(|entry| entry.gave) == Some(other)
    };
    let is_tied = |at: usize, other: usize| {
        let share = words[at].intersection(&words[other]).any(|word| *word != "it" && variables.contains(*word));
        let uses =
            |user: usize, maker: usize| user > maker && words[user].intersection(&declared[maker]).next().is_some();
        // What was declared holds nothing that could have changed: only those that use it later are lost with it.
        share || is_it(at, other) || is_it(other, at) || uses(at, other)
    };
    let mut lost: Vec<usize> = (0..entries.len()).filter(|&at| !again[at]).collect();
    while let Some(other) = lost.pop() {
        for (at, again) in again.iter_mut().enumerate() {
            if *again && is_tied(at, other) {
                *again = false;
                lost.push(at);
            }
        }
    }
    let mut names = BTreeSet::new();
    for at in (0..entries.len()).filter(|&at| !again[at]) {
        let mine = words[at].iter().filter(|word| variables.contains(**word)).chain(&declared[at]);
        names.extend(mine.map(|name| (*name).to_owned()));
    }
    if entries.iter().rposition(|entry| entry.gave).is_some_and(|last| !again[last]) {
        names.insert("it".to_owned());
    }
    Plan { again, lost: names }
}

/// All words of a text, also those in texts and comments: one that uses a name has it among them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// The names behind words that declare something, and more where such words stand elsewhere.
fn declared(text: &str) -> HashSet<&str> {
    const DECLARING: [&str; 8] = ["fn", "record", "enum", "trait", "const", "type", "impl", "import"];
    let mut names = HashSet::new();
    let mut before = "";
    for word in words(text) {
        if DECLARING.contains(&before) {
            names.insert(word);
        }
        before = word;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(entries: &[&str], variables: &[&str]) -> Plan {
        let entries: Vec<Ran> = entries
            .iter()
            .map(|text| match text.strip_prefix("stopped ") {
                Some(text) => Ran { text: text.into(), end: End::Stopped, gave: false },
                None => Ran {
                    text: (*text).into(),
                    end: End::Done,
                    gave: !["let ", "var ", "fn "].iter().any(|word| text.contains(word)),
                },
            })
            .collect();
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        plan(&entries, &set(variables), &set(&["data", "clock"]))
    }

    fn lost(plan: &Plan) -> Vec<&str> {
        plan.lost.iter().map(String::as_str).collect()
    }

    #[test]
    fn what_names_no_capability_is_run_again() {
        let plan = of(&["let a = 1", "console.print(\"{a}\")", "let b = a + 1"], &["a", "b"]);
        assert_eq!((plan.again.as_slice(), lost(&plan)), (&[true; 3][..], vec![]));
    }

    #[test]
    fn what_names_one_is_lost_with_all_that_it_may_have_changed() {
        let plan = of(
            &["var n = 1", "let far = 2", "let add = || { n += 1 }", "let t = data.read(\"x\")", "add(t)", "far + 1"],
            &["n", "far", "add", "t"],
        );
        // `add` was called with `t`, and changes `n`.
        assert_eq!(plan.again, [false, true, false, false, false, true]);
        assert_eq!(lost(&plan), ["add", "n", "t"]);
    }

    #[test]
    fn what_was_stopped_is_lost() {
        let plan = of(&["var n = 1", "let m = 2", "stopped while true { n += 1 }"], &["n", "m"]);
        assert_eq!((plan.again.as_slice(), lost(&plan)), (&[false, true, false][..], vec!["n"]));
    }

    #[test]
    fn declarations_stay_when_an_entry_that_uses_them_is_lost() {
        let plan =
            of(&["fn twice(n: Int) -> Int { 2 * n }", "let a = twice(clock.now())", "let b = twice(2)"], &["a", "b"]);
        assert_eq!((plan.again.as_slice(), lost(&plan)), (&[true, false, true][..], vec!["a"]));
        // But one that is lost is not taken for an older one.
        let plan = of(&["fn f() { 1 }", "fn f() { 2 }\nlet t = clock.now()", "let b = f()"], &["t", "b"]);
        assert_eq!((plan.again.as_slice(), lost(&plan)), (&[true, false, false][..], vec!["b", "f", "t"]));
    }

    #[test]
    fn the_last_value_is_tied_to_the_entry_that_gave_it() {
        let plan = of(&["1", "let a = it", "data.list()", "let b = it"], &["a", "b"]);
        assert_eq!((plan.again.as_slice(), lost(&plan)), (&[true, true, false, false][..], vec!["b", "it"]));
    }

    #[test]
    fn names_in_texts_count() {
        let plan = of(&["let a = 1", "let b = \"{data.list()} {a}\"", "needs x: Clock\nx.now()"], &["a", "b"]);
        assert_eq!(plan.again, [false; 3]);
    }
}
