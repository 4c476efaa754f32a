//! The compiler of Fold, Pinfold's language.
//!
//! A program goes one way: source text, tokens (`lexer`), syntax tree (`parser`), typed tree (`check`), its own small language of
//! monomorphic functions (`ir`), one WebAssembly module (`bytecode`). Each phase knows the one before it, and no more.
//! There is no I/O in here, and nothing of the virtual machine.

#![deny(unsafe_code)]

pub mod access;
pub mod authority;
mod bytecode;
pub mod check;
#[cfg(test)]
mod checked;
mod compile;
pub mod diagnostic;
pub mod driver;
#[cfg(any(test, feature = "evaluator"))]
pub mod evaluator;
pub mod examples;
pub mod exhaustive;
pub mod format;
#[cfg(any(test, feature = "evaluator"))]
pub mod generate;
mod ir;
pub mod lexer;
pub mod names;
pub mod parser;
pub mod session;
pub mod source;
pub mod syntax;
pub mod typed;

pub use compile::{Options, compile, ir_text, needs};
