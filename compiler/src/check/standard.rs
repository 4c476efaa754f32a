//! The standard library's text.

/// Each file of the standard library by its path below `stdlib`, with its text; ordered by path.
pub const STANDARD: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/standard.rs"));
