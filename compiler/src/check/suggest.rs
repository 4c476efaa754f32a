//! What a wrong name was meant to be.

use crate::names::{Name, Names};

/// Names longer than this have no suggestions.
const MAX_LENGTH: usize = 40;

/// The name that is closest to a wrong one, if one is close; the first of several that are as close.
pub(super) fn closest(names: &Names, wrong: Name, candidates: impl Iterator<Item = Name>) -> Option<Name> {
    closest_text(names.text(wrong), candidates.map(|name| (name, names.text(name)))).map(|(name, _)| name)
}

/// The same for texts, each with a thing that it stands for.
pub(super) fn closest_text<'t, T>(wrong: &str, candidates: impl Iterator<Item = (T, &'t str)>) -> Option<(T, &'t str)> {
    let limit = match wrong.len() {
        0..=1 => return None,
        2..=3 => 1,
        4..=7 => 2,
        8..=MAX_LENGTH => 3,
        _ => return None,
    };
    let mut best: Option<(usize, (T, &str))> = None;
    for (thing, text) in candidates {
        if text == wrong || text.starts_with('$') || text.len().abs_diff(wrong.len()) > limit {
            continue;
        }
        let limit = best.as_ref().map_or(limit, |(distance, _)| distance - 1);
        if let Some(distance) = distance(wrong, text, limit) {
            best = Some((distance, (thing, text)));
            if distance == 1 {
                break;
            }
        }
    }
    best.map(|(_, found)| found)
}

/// How many letters are added, left out, changed or swapped with their neighbour from one text to the other, if not more
/// than `limit`; capitals for small letters count nothing, but then the answer is 1 at least.
fn distance(from: &str, to: &str, limit: usize) -> Option<usize> {
    let from: Vec<char> = from.chars().flat_map(char::to_lowercase).collect();
    let to: Vec<char> = to.chars().flat_map(char::to_lowercase).collect();
    let mut older = vec![0; to.len() + 1];
    let mut old: Vec<usize> = (0..=to.len()).collect();
    let mut new = vec![0; to.len() + 1];
    for i in 0..from.len() {
        new[0] = i + 1;
        for j in 0..to.len() {
            let change = old[j] + usize::from(from[i] != to[j]);
            new[j + 1] = change.min(old[j + 1] + 1).min(new[j] + 1);
            if i > 0 && j > 0 && from[i] == to[j - 1] && from[i - 1] == to[j] {
                new[j + 1] = new[j + 1].min(older[j - 1] + 1);
            }
        }
        std::mem::swap(&mut older, &mut old);
        std::mem::swap(&mut old, &mut new);
    }
    let distance = old[to.len()].max(1);
    // A name of two letters is not meant where both are others.
    (distance <= limit && distance < from.len().max(to.len())).then_some(distance)
}

#[cfg(test)]
mod tests {
    use super::{closest_text, distance};

    fn closest<'t>(wrong: &str, names: &[&'t str]) -> Option<&'t str> {
        closest_text(wrong, names.iter().map(|name| ((), *name))).map(|(_, name)| name)
    }

    #[test]
    fn a_letter_more_less_other_or_swapped_is_one_step() {
        for (from, to) in
            [("count", "counts"), ("count", "cont"), ("count", "mount"), ("count", "cuont"), ("count", "Count")]
        {
            assert_eq!(distance(from, to, 3), Some(1), "{from} {to}");
        }
        assert_eq!(distance("count", "account", 3), Some(2));
    }

    #[test]
    fn the_closest_name_is_meant_and_a_distant_one_is_not() {
        assert_eq!(closest("lenght", &["width", "length", "len"]), Some("length"));
        assert_eq!(closest("ab", &["xy", "ac"]), Some("ac"));
        assert_eq!(closest("ab", &["xy", "cd"]), None);
        assert_eq!(closest("completely", &["different", "names"]), None);
        assert_eq!(closest("x", &["y"]), None);
    }
}
