//! Types of generated programs.

use std::fmt;

use super::Generator;

/// A type.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Type {
    Unit,
    Int,
    Bool,
    Float,
    Char,
    String,
    Tuple(Vec<Type>),
    List(Box<Type>),
    Map(Box<Type>, Box<Type>),
    Option(Box<Type>),
    /// With `Failure` as its error.
    Result(Box<Type>),
    /// By its number in the program.
    Record(usize),
    /// By its number in the program.
    Enum(usize),
    /// The generic record of each program.
    Pair(Box<Type>, Box<Type>),
    /// The recursive enum of each program.
    Tree,
    /// What implements the trait of each program.
    Dyn,
    Fn(Vec<Type>, Box<Type>),
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, all: &[Type]| {
            for (index, ty) in all.iter().enumerate() {
                write!(f, "{}{ty}", if index > 0 { ", " } else { "" })?;
            }
            Ok(())
        };
        match self {
            Type::Unit => write!(f, "()"),
            Type::Int => write!(f, "Int"),
            Type::Bool => write!(f, "Bool"),
            Type::Float => write!(f, "Float"),
            Type::Char => write!(f, "Char"),
            Type::String => write!(f, "String"),
            Type::Tuple(parts) => {
                write!(f, "(")?;
                list(f, parts)?;
                write!(f, ")")
            }
            Type::List(element) => write!(f, "List<{element}>"),
            Type::Map(key, value) => write!(f, "Map<{key}, {value}>"),
            Type::Option(inner) => write!(f, "Option<{inner}>"),
            Type::Result(inner) => write!(f, "Result<{inner}, Failure>"),
            Type::Record(index) => write!(f, "R{index}"),
            Type::Enum(index) => write!(f, "E{index}"),
            Type::Pair(left, right) => write!(f, "Pair<{left}, {right}>"),
            Type::Tree => write!(f, "Tree"),
            Type::Dyn => write!(f, "dyn Scored"),
            Type::Fn(params, result) => {
                write!(f, "fn(")?;
                list(f, params)?;
                write!(f, ") -> {result}")
            }
        }
    }
}

impl Type {
    pub(super) fn list(element: Type) -> Self {
        Type::List(Box::new(element))
    }

    /// Whether values have `==`, an order, a text and copies.
    pub(super) fn is_structural(&self) -> bool {
        match self {
            Type::Dyn | Type::Fn(..) => false,
            Type::Tuple(parts) => parts.iter().all(Type::is_structural),
            Type::List(inner) | Type::Option(inner) | Type::Result(inner) => inner.is_structural(),
            Type::Map(left, right) | Type::Pair(left, right) => left.is_structural() && right.is_structural(),
            _ => true,
        }
    }

    /// Whether there is `dyn` in it.
    pub(super) fn has_dyn(&self) -> bool {
        *self == Type::Dyn || matches!(self, Type::List(element) if element.has_dyn())
    }

    /// Whether an expression of it may leave parts of its type open: `None`, `[]`.
    pub(super) fn is_open(&self) -> bool {
        match self {
            Type::List(_) | Type::Map(..) | Type::Option(_) | Type::Result(_) | Type::Dyn | Type::Fn(..) => true,
            Type::Tuple(parts) => parts.iter().any(Type::is_open),
            Type::Pair(left, right) => left.is_open() || right.is_open(),
            _ => false,
        }
    }
}

impl Generator<'_> {
    /// A type of keys.
    pub(super) fn key_type(&mut self) -> Type {
        match self.choices.below(5) {
            0 | 1 => Type::Int,
            2 => Type::String,
            3 => Type::Char,
            _ => Type::Tuple(vec![Type::Int, Type::Bool]),
        }
    }

    /// A type whose values have a structure.
    pub(super) fn data_type(&mut self, depth: u32) -> Type {
        let inner = |this: &mut Self| Box::new(this.data_type(depth - 1));
        let choice = self.choices.below(if depth == 0 { 6 } else { 16 });
        match choice {
            0 | 1 => Type::Int,
            2 => Type::Bool,
            3 => Type::String,
            4 => Type::Char,
            5 => Type::Float,
            6 | 7 => Type::List(inner(self)),
            8 => Type::Option(inner(self)),
            9 => Type::Result(inner(self)),
            10 => Type::Tuple(vec![self.data_type(depth - 1), self.data_type(depth - 1)]),
            11 => Type::Map(Box::new(self.key_type()), inner(self)),
            12 => Type::Pair(inner(self), inner(self)),
            13 => Type::Tree,
            14 if !self.records.is_empty() => Type::Record(self.choices.below(self.records.len() as u64) as usize),
            15 if !self.enums.is_empty() => Type::Enum(self.choices.below(self.enums.len() as u64) as usize),
            _ => Type::Int,
        }
    }
}
