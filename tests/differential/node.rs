//! The node that V8 is in.

use std::path::{Path, PathBuf};

/// The one in `PINFOLD_NODE`, or that which `tests/guests/fetch` left.
pub fn find() -> Option<PathBuf> {
    let fetched = || Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests/cache/node");
    let node = std::env::var_os("PINFOLD_NODE").map_or_else(fetched, PathBuf::from);
    node.exists().then_some(node)
}
