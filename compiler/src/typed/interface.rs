//! What a program offers to a host that embeds it: its public functions, and the types of what crosses.

use std::fmt::Write;

use super::{FnId, Program, Ty};
use crate::names::{Name, Names};

/// See the module. Types that cross are numbered, and name one another by their numbers.
#[derive(Clone, Debug, Default)]
pub struct Interface {
    /// Types that cross.
    pub types: Vec<(Ty, Crossing)>,
    /// Functions that the host can call.
    pub functions: Vec<Export>,
    /// Public functions that it cannot call, and why.
    pub kept: Vec<(FnId, String)>,
}

/// How a type crosses.
#[derive(Clone, Debug)]
pub enum Crossing {
    /// One that has nothing in it to be said: its name.
    Plain(&'static str),
    /// One of others: its name, and theirs.
    Of(&'static str, Vec<usize>),
    /// A record: its name and fields.
    Record(Name, Vec<(Name, usize)>),
    /// An enum: its name and variants.
    Enum(Name, Vec<Variant>),
}

/// A variant of an enum that crosses: its name and fields.
pub type Variant = (Name, Vec<(Name, usize)>);

/// A function that a host can call.
#[derive(Clone, Debug)]
pub struct Export {
    /// The function.
    pub function: FnId,
    /// What it takes.
    pub params: Vec<Param>,
    /// The type of what it gives.
    pub result: usize,
}

/// What a function takes.
#[derive(Clone, Copy, Debug)]
pub enum Param {
    /// A capability of this trait.
    Capability(super::TraitId),
    /// A value of this type.
    Value(usize),
}

impl Interface {
    /// The interface as a module has it in its section `fold.interface`: a line for each type, in order, then one for each function.
    ///
    /// ```text
    /// Int
    /// List 0
    /// Record Row name:2 qty:0
    /// Enum LoadError Missing/0:2 Bad/line:0/why:2
    /// fn load dir=Dir name:2 -> 5
    /// no each its parameter `f` is of type `fn(Int) -> Int`
    /// ```
    pub fn text(&self, program: &Program, names: &Names) -> String {
        let mut out = String::new();
        for (_, crossing) in &self.types {
            match crossing {
                Crossing::Plain(name) => out.push_str(name),
                Crossing::Of(name, others) => {
                    out.push_str(name);
                    others.iter().for_each(|other| push(&mut out, format_args!(" {other}")));
                }
                Crossing::Record(name, fields) => {
                    push(&mut out, format_args!("Record {}", names.text(*name)));
                    for (name, ty) in fields {
                        push(&mut out, format_args!(" {}:{ty}", names.text(*name)));
                    }
                }
                Crossing::Enum(name, variants) => {
                    push(&mut out, format_args!("Enum {}", names.text(*name)));
                    for (name, fields) in variants {
                        push(&mut out, format_args!(" {}", names.text(*name)));
                        for (name, ty) in fields {
                            push(&mut out, format_args!("/{}:{ty}", names.text(*name)));
                        }
                    }
                }
            }
            out.push('\n');
        }
        for export in &self.functions {
            let function = &program.functions[export.function.index()];
            push(&mut out, format_args!("fn {}", names.text(function.name)));
            for (declared, param) in function.params.iter().zip(&export.params) {
                let name = names.text(declared.name);
                match param {
                    Param::Value(ty) => push(&mut out, format_args!(" {name}:{ty}")),
                    Param::Capability(of) => {
                        let of = names.text(program.traits[of.index()].name);
                        push(&mut out, format_args!(" {name}={of}"));
                    }
                }
            }
            push(&mut out, format_args!(" -> {}\n", export.result));
        }
        for (function, why) in &self.kept {
            let name = names.text(program.functions[function.index()].name);
            push(&mut out, format_args!("no {name} {why}\n"));
        }
        out
    }
}

/// Adds to a text, which does not fail.
fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}
