//! The standard library's text.

/// Each file of the standard library by its path below `stdlib`, with its text; ordered by path.
pub static STANDARD: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/standard.rs"));
