//! `fmt`: the one way in which a program is laid out.
//!
//! There are no options: 4 spaces a level, 100 columns. What a line break says is kept where it says something: an empty line between
//! statements or declarations stays (one of several), and a block, `match` or declaration that was in one line stays so if it fits.
//! Comments stay where they are. Numbers and texts are written as they were.

mod comments;
mod doc;
mod expr;
mod item;
mod pattern;

use crate::diagnostic::Diagnostics;
use crate::names::Names;
use crate::parser;
use crate::source::FileId;
use crate::syntax::{self, File};

use comments::{Layout, plain_comment};

/// The most times that a layout is laid out again; the second time nothing changes, except where comments are in odd places.
const ROUNDS: usize = 6;

/// Lays a file out. `None` if it has errors.
///
/// The result is a file with the same tree and the same comments. Laying it out again changes nothing.
pub fn format(text: &str) -> Option<String> {
    let (tree, before) = parse(text)?;
    // Better not laid out than another program.
    Some(settle(text, &tree, &before).unwrap_or_else(|_| text.to_owned()))
}

/// Lays out until nothing changes any more. The error is a layout that says something else than the text, or goes on changing.
fn settle(text: &str, tree: &File, before: &Content) -> Result<String, String> {
    let mut laid_out = Layout::new(text, tree).file(tree);
    for _ in 0..ROUNDS {
        let Some((tree, _)) = parse(&laid_out).filter(|(_, now)| now == before) else { break };
        let again = Layout::new(&laid_out, &tree).file(&tree);
        if again == laid_out {
            return Ok(laid_out);
        }
        laid_out = again;
    }
    Err(laid_out)
}

/// What must not change: the tree as text, and the comments.
type Content = (String, Vec<String>);

fn parse(text: &str) -> Option<(File, Content)> {
    let mut names = Names::default();
    let mut diagnostics = Diagnostics::default();
    let tree = parser::parse(FileId(0), text, &mut names, &mut diagnostics);
    if diagnostics.has_errors() {
        return None;
    }
    let mut comments: Vec<String> =
        tree.comments.iter().map(|comment| plain_comment(&text[comment.span.range()]).into_owned()).collect();
    comments.sort_unstable();
    let dump = syntax::dump(&tree, &names);
    Some((tree, (dump, comments)))
}

#[cfg(test)]
mod tests;
