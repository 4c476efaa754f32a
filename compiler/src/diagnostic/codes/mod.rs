//! The table of all errors and warnings: what each means, with a program that has it and one that has not.
//!
//! Codes are stable: one that is no longer given is not used again. A file of this folder holds the codes of one subject.

mod access;
mod lexer;
mod limits;
mod modules;
mod names;
mod parser;
mod patterns;
mod traits;
mod types;

/// An error or warning, explained.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// `F` and four digits.
    pub code: &'static str,
    /// What it is about, in a few words.
    pub title: &'static str,
    /// Why it is an error, and what to do.
    pub explanation: &'static str,
    /// A program that has it.
    pub rejected: &'static str,
    /// One that has not, as near to the other as can be.
    pub accepted: &'static str,
}

/// All tables, in the order of their codes.
const TABLES: [&[Code]; 9] = [
    lexer::CODES,
    parser::CODES,
    names::CODES,
    types::CODES,
    traits::CODES,
    patterns::CODES,
    access::CODES,
    limits::CODES,
    modules::CODES,
];

/// All codes, in order.
pub fn all() -> impl Iterator<Item = &'static Code> {
    TABLES.into_iter().flatten()
}

/// The explanation of a code, which may be written without `F` and zeros before the number.
pub fn find(code: &str) -> Option<&'static Code> {
    let number: u16 = code.trim_start_matches(['F', 'f']).parse().ok()?;
    all().find(|entry| entry.code[1..].parse() == Ok(number))
}
