//! The syntax tree, as the parser makes it: what is written, nothing that is meant.
//!
//! Where the parser recovered from an error, the tree holds `Error` nodes; later phases say nothing about them.

mod dump;

use std::cell::OnceCell;
use std::rc::Rc;

use crate::names::Name;
use crate::source::{FileId, Span};

pub use dump::dump;

/// A name where it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ident {
    /// The name.
    pub name: Name,
    /// Where.
    pub span: Span,
}

/// A source file.
#[derive(Clone, Debug)]
pub struct File {
    /// Which.
    pub id: FileId,
    /// The `//!` lines, without the marks.
    pub doc: Option<Rc<str>>,
    /// `needs …`, in scripts.
    pub needs: Option<Needs>,
    /// Items, in order.
    pub items: Vec<Item>,
    /// Statements of a script, in order.
    pub body: Vec<Stmt>,
    /// Comments that are no documentation, in order, for the formatter.
    pub comments: Vec<Comment>,
}

/// A comment.
#[derive(Clone, Debug)]
pub struct Comment {
    /// With its marks.
    pub span: Span,
    /// Whether something stands before it in its line.
    pub trailing: bool,
}

/// `needs out: Console, data: Dir`
#[derive(Clone, Debug)]
pub struct Needs {
    /// What the script is handed.
    pub params: Vec<Param>,
    /// All of it.
    pub span: Span,
}

/// Something declared in a module.
#[derive(Clone, Debug)]
pub struct Item {
    /// The `///` lines before it, without the marks.
    pub doc: Option<Rc<str>>,
    /// Where the first of these lines is.
    pub doc_span: Option<Span>,
    /// Whether other modules see it.
    pub public: bool,
    /// What it is.
    pub kind: ItemKind,
    /// From `pub` or the keyword to the end.
    pub span: Span,
}

/// See [`Item`].
#[derive(Clone, Debug)]
pub enum ItemKind {
    /// `import path as name {names}`
    Import(Import),
    /// A function.
    Fn(Fn),
    /// A record.
    Record(Record),
    /// An enum.
    Enum(Enum),
    /// A trait, or an interface of capabilities.
    Trait(Trait),
    /// Methods for a type.
    Impl(Impl),
    /// A constant.
    Const(Const),
    /// A name for a type.
    Alias(Alias),
    /// A test.
    Test(Test),
    /// What could not be parsed.
    Error,
}

/// `import text/csv as c {rows, Reader as R}`
#[derive(Clone, Debug)]
pub struct Import {
    /// `text`, `csv`.
    pub path: Vec<Ident>,
    /// `c`: the module's name here instead of the path's last part.
    pub alias: Option<Ident>,
    /// What is imported by name, each with its other name here.
    pub names: Option<Vec<(Ident, Option<Ident>)>>,
}

/// How a function comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FnKind {
    /// It has a body.
    Plain,
    /// The compiler knows what it does (`intrinsic`; standard library only).
    Intrinsic,
    /// The host table has it (`host`; standard library only).
    Host,
}

/// A function or method, with or without a body.
#[derive(Clone, Debug)]
pub struct Fn {
    /// How it comes about.
    pub kind: FnKind,
    /// Its name.
    pub name: Ident,
    /// Its type parameters.
    pub generics: Vec<Generic>,
    /// `self` or `var self`.
    pub receiver: Option<Receiver>,
    /// The other parameters.
    pub params: Vec<Param>,
    /// The written result; `()` where there is none.
    pub result: Option<Type>,
    /// `where T: Bound`: more bounds for type parameters in scope, those around the function among them.
    pub wheres: Vec<Generic>,
    /// What it does.
    pub body: Option<Body>,
    /// From `fn` to the end of the result type.
    pub head: Span,
}

/// What a function does.
#[derive(Clone, Debug)]
pub enum Body {
    /// Its statements.
    Here(Block),
    /// It is not parsed before somebody asks for it (standard library only): where it stands.
    Later(Span, OnceCell<Block>),
}

impl Body {
    /// Its statements, if they were parsed.
    pub fn block(&self) -> Option<&Block> {
        match self {
            Body::Here(block) => Some(block),
            Body::Later(_, parsed) => parsed.get(),
        }
    }
}

/// `self` or `var self`
#[derive(Clone, Copy, Debug)]
pub struct Receiver {
    /// Whether the method changes it.
    pub mutable: bool,
    /// Where.
    pub span: Span,
}

/// `T: Bound + Bound`
#[derive(Clone, Debug)]
pub struct Generic {
    /// The parameter.
    pub name: Ident,
    /// What its arguments have to implement.
    pub bounds: Vec<TraitRef>,
}

/// A trait that is referred to, with arguments.
#[derive(Clone, Debug)]
pub struct TraitRef {
    /// Its name.
    pub path: Path,
    /// Its arguments.
    pub args: Vec<Type>,
    /// All of it.
    pub span: Span,
}

/// `name: Type` or `var name: Type`
#[derive(Clone, Debug)]
pub struct Param {
    /// Whether it is `var`.
    pub mutable: bool,
    /// Its name.
    pub name: Ident,
    /// Its type; closures may leave it out.
    pub ty: Option<Type>,
    /// All of it.
    pub span: Span,
}

/// A record.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its name.
    pub name: Ident,
    /// Its type parameters.
    pub generics: Vec<Generic>,
    /// Its fields.
    pub fields: Vec<Field>,
}

/// A field of a record or of a variant.
#[derive(Clone, Debug)]
pub struct Field {
    /// Documentation.
    pub doc: Option<Rc<str>>,
    /// Whether other modules see it.
    pub public: bool,
    /// Whether it can be assigned.
    pub mutable: bool,
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub ty: Type,
    /// All of it.
    pub span: Span,
}

/// An enum.
#[derive(Clone, Debug)]
pub struct Enum {
    /// Its name.
    pub name: Ident,
    /// Its type parameters.
    pub generics: Vec<Generic>,
    /// Its variants.
    pub variants: Vec<Variant>,
}

/// A variant of an enum.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Documentation.
    pub doc: Option<Rc<str>>,
    /// Its name.
    pub name: Ident,
    /// What it holds.
    pub payload: Payload,
    /// All of it.
    pub span: Span,
}

/// What a variant holds.
#[derive(Clone, Debug)]
pub enum Payload {
    /// Nothing.
    Unit,
    /// `(Int, String)`
    Tuple(Vec<Type>),
    /// `{ line: Int }`
    Named(Vec<Field>),
}

/// A trait.
#[derive(Clone, Debug)]
pub struct Trait {
    /// Whether it is declared with `capability`.
    pub capability: bool,
    /// Its name.
    pub name: Ident,
    /// Its type parameters.
    pub generics: Vec<Generic>,
    /// Traits that whatever implements it has to implement.
    pub supers: Vec<TraitRef>,
    /// Its functions.
    pub members: Vec<Member>,
}

/// A function in a trait or an `impl`.
#[derive(Clone, Debug)]
pub struct Member {
    /// Documentation.
    pub doc: Option<Rc<str>>,
    /// Whether other modules see it (inherent ones).
    pub public: bool,
    /// The function.
    pub function: Fn,
    /// All of it.
    pub span: Span,
}

/// `impl<T> Trait for Type { … }` or `impl<T> Type { … }`
#[derive(Clone, Debug)]
pub struct Impl {
    /// Its type parameters.
    pub generics: Vec<Generic>,
    /// The trait, if it is for one.
    pub trait_ref: Option<TraitRef>,
    /// The type.
    pub ty: Type,
    /// `where T: Bound`: more bounds.
    pub wheres: Vec<Generic>,
    /// The functions.
    pub members: Vec<Member>,
    /// From `impl` to the type's end.
    pub head: Span,
}

/// `const NAME: Type = value`
#[derive(Clone, Debug)]
pub struct Const {
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub ty: Type,
    /// Its value.
    pub value: Expr,
}

/// `type Name<T> = Type`
#[derive(Clone, Debug)]
pub struct Alias {
    /// Its name.
    pub name: Ident,
    /// Its type parameters.
    pub generics: Vec<Generic>,
    /// What it stands for.
    pub ty: Type,
}

/// `test "name" { … }`
#[derive(Clone, Debug)]
pub struct Test {
    /// What it is called.
    pub name: Rc<str>,
    /// Where that is.
    pub name_span: Span,
    /// What it does.
    pub body: Block,
}

/// `a` or `a.b`, or more.
#[derive(Clone, Debug)]
pub struct Path {
    /// The parts: at least one.
    pub parts: Vec<Ident>,
    /// All of it.
    pub span: Span,
}

/// A type as it is written.
#[derive(Clone, Debug)]
pub struct Type {
    /// What it is.
    pub kind: TypeKind,
    /// Where.
    pub span: Span,
}

/// See [`Type`].
#[derive(Clone, Debug)]
pub enum TypeKind {
    /// `path<args>`; also `Self`.
    Named(Path, Vec<Type>),
    /// `(A, B)`; `()` with none.
    Tuple(Vec<Type>),
    /// `fn(A, B) -> R`
    Fn(Vec<Type>, Option<Box<Type>>),
    /// `dyn Trait<A>`
    Dyn(TraitRef),
    /// `var T` or `let T`
    Access(Access, Box<Type>),
    /// `_`
    Infer,
    /// What could not be parsed.
    Error,
}

/// Whether what is mutable may be changed through a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// `let`: no.
    Read,
    /// `var`: yes.
    Mutable,
}

/// `{ statements; value }`
#[derive(Clone, Debug)]
pub struct Block {
    /// In order. The value is that of the last one, if it is an expression and nothing ends it with `;`.
    pub stmts: Vec<Stmt>,
    /// With its braces.
    pub span: Span,
}

/// A statement.
#[derive(Clone, Debug)]
pub struct Stmt {
    /// What it is.
    pub kind: StmtKind,
    /// Where, without what ends it.
    pub span: Span,
}

/// See [`Stmt`].
#[derive(Clone, Debug)]
pub enum StmtKind {
    /// `let pattern: Type = value else { … }`; for `var name`, the pattern is a mutable name, for `var (a, b)` a tuple of them.
    Let {
        /// What is bound.
        pattern: Pattern,
        /// The written type.
        ty: Option<Type>,
        /// The value.
        value: Expr,
        /// What runs where the pattern does not match; must not end.
        otherwise: Option<Block>,
    },
    /// `place = value`, `place += value`
    Assign {
        /// What is assigned to: a name, field or element; without an operator also a tuple of places, `(a, b) = (b, a)`, for which the
        /// value is computed first.
        place: Expr,
        /// The operator before `=`.
        op: Option<BinaryOp>,
        /// The value.
        value: Expr,
    },
    /// `while condition { … }`
    While {
        /// Its label.
        label: Option<Ident>,
        /// Its condition.
        condition: Expr,
        /// Its body.
        body: Block,
    },
    /// `for pattern in value { … }`
    For {
        /// Its label.
        label: Option<Ident>,
        /// What is bound at each turn.
        pattern: Pattern,
        /// What is gone through.
        value: Expr,
        /// Its body.
        body: Block,
    },
    /// An expression; `ended` if `;` follows it and it is the last one of its block.
    Expr {
        /// The expression.
        expr: Expr,
        /// Whether it is no value of its block.
        ended: bool,
    },
    /// What could not be parsed.
    Error,
}

/// An expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where.
    pub span: Span,
}

/// See [`Expr`].
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// `12`; `None` if it does not fit 64 bits, which the parser has said. Numbers of base 2, 8 and 16 are the 64 bits of the value, those
    /// of base 10 go to 2^63 - 1, or to 2^63 directly below a minus.
    Int(Option<u64>),
    /// `1.5`
    Float(f64),
    /// `true`
    Bool(bool),
    /// `'c'`
    Char(char),
    /// A text without interpolation.
    String(Rc<str>),
    /// A text with it.
    Interpolation(Vec<Piece>),
    /// `b"…"`
    Bytes(Rc<[u8]>),
    /// A name, `self` and `Self` among them.
    Name(Ident),
    /// A path with type arguments, as in `List::<Int>`, `f::<T>`.
    Generic(Box<Expr>, Vec<Type>),
    /// `base.name`
    Field(Box<Expr>, Ident),
    /// `base.0`
    TupleField(Box<Expr>, u32, Span),
    /// `base[index]`
    Index(Box<Expr>, Box<Expr>),
    /// `f(args)`; a method call where `f` is a [`Field`](ExprKind::Field), perhaps in a [`Generic`](ExprKind::Generic).
    Call(Box<Expr>, Vec<Expr>),
    /// `base?`
    Try(Box<Expr>),
    /// `-e`, `!e`, `~e`
    Unary(UnaryOp, Box<Expr>),
    /// `a + b`
    Binary(BinaryOp, Box<Expr>, Box<Expr>, Span),
    /// `a..b`, `a..=b`, with open ends.
    Range {
        /// The beginning.
        start: Option<Box<Expr>>,
        /// The end.
        end: Option<Box<Expr>>,
        /// Whether the end is in it.
        inclusive: bool,
    },
    /// `(a, b)`; `()` with none.
    Tuple(Vec<Expr>),
    /// `(e)`, for the formatter.
    Paren(Box<Expr>),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `[value; count]`
    Repeat(Box<Expr>, Box<Expr>),
    /// `["k": v]`, `[:]`
    Map(Vec<(Expr, Expr)>),
    /// `Row { name, qty: 1, ..base }`; the path may be of a variant.
    Record {
        /// What is made: a name, path or generic expression.
        path: Box<Expr>,
        /// Its fields; the value is the field's name where none is written.
        fields: Vec<FieldInit>,
        /// Where the others come from.
        base: Option<Box<Expr>>,
    },
    /// `{ … }`; also an assignment or loop as the body of an arm, an assignment as that of a closure: `|x| sum += x`. The block then has
    /// the span of its only statement.
    Block(Block),
    /// `if condition { … } else …`
    If {
        /// The condition; may hold [`Let`](ExprKind::Let) below `&&`.
        condition: Box<Expr>,
        /// What runs if it holds.
        then: Block,
        /// What runs otherwise: a block or another `if`.
        otherwise: Option<Box<Expr>>,
    },
    /// `let pattern = value` as a condition.
    Let(Box<Pattern>, Box<Expr>),
    /// `match value { … }`
    Match {
        /// What is looked at.
        value: Box<Expr>,
        /// The arms.
        arms: Vec<Arm>,
    },
    /// `|a, b| e`
    Closure {
        /// Its parameters.
        params: Vec<ClosureParam>,
        /// Its result, if it is written: `|a| -> Int { … }`.
        result: Option<Box<Type>>,
        /// What it does.
        body: Box<Expr>,
    },
    /// `return e`
    Return(Option<Box<Expr>>),
    /// `break label`
    Break(Option<Ident>),
    /// `continue label`
    Continue(Option<Ident>),
    /// `assert e, message`
    Assert(Box<Expr>, Option<Box<Expr>>),
    /// What could not be parsed.
    Error,
}

/// A parameter of a closure.
#[derive(Clone, Debug)]
pub struct ClosureParam {
    /// What is bound.
    pub pattern: Pattern,
    /// Its type, if it is written.
    pub ty: Option<Type>,
}

/// A part of a text with interpolation.
#[derive(Clone, Debug)]
pub enum Piece {
    /// As it is.
    Text(Rc<str>),
    /// `{value:format}`
    Value(Box<Expr>, Option<Format>),
}

/// `[[fill]align][+][#][0][width][.precision][kind]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// What fills up.
    pub fill: char,
    /// Where the value is.
    pub align: Option<Align>,
    /// Whether `+` is written.
    pub plus: bool,
    /// Whether a prefix (`0x`) is written.
    pub prefix: bool,
    /// Whether zeros fill up after the sign.
    pub zero: bool,
    /// The least number of characters.
    pub width: u32,
    /// Digits after the point; most characters of a text.
    pub precision: Option<u32>,
    /// How.
    pub kind: FormatKind,
    /// Where it is written.
    pub span: Span,
}

/// See [`Format`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// `<`
    Left,
    /// `>`
    Right,
    /// `^`
    Center,
}

/// See [`Format`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormatKind {
    /// As `Show` does.
    Plain,
    /// `b`
    Binary,
    /// `o`
    Octal,
    /// `x`
    Hex,
    /// `X`
    UpperHex,
    /// `e`
    Exponent,
    /// `?`: texts in quotes.
    Debug,
}

/// A field in a record expression.
#[derive(Clone, Debug)]
pub struct FieldInit {
    /// The field.
    pub name: Ident,
    /// Its value.
    pub value: Expr,
    /// Whether only the name is written.
    pub short: bool,
}

/// `pattern if guard => body`
#[derive(Clone, Debug)]
pub struct Arm {
    /// What it is for.
    pub pattern: Pattern,
    /// What must hold besides.
    pub guard: Option<Expr>,
    /// What it gives.
    pub body: Expr,
    /// All of it.
    pub span: Span,
}

/// A pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// What it is.
    pub kind: PatternKind,
    /// Where.
    pub span: Span,
}

/// See [`Pattern`].
#[derive(Clone, Debug)]
pub enum PatternKind {
    /// `_`
    Wildcard,
    /// `name`, `var name`, `name @ pattern`
    Bind {
        /// Whether it is `var`.
        mutable: bool,
        /// The name.
        name: Ident,
        /// What has to match too.
        sub: Option<Box<Pattern>>,
    },
    /// A literal: `Int` (perhaps below a minus), `Float`, `Bool`, `Char`, `String`.
    Literal(Box<Expr>),
    /// `1..=9`; open ends allowed.
    Range {
        /// The beginning, a literal.
        start: Option<Box<Expr>>,
        /// The end, a literal.
        end: Option<Box<Expr>>,
        /// Whether the end is in it.
        inclusive: bool,
    },
    /// `(a, b)`
    Tuple(Vec<Pattern>),
    /// `[a, ..rest, b]`
    List {
        /// Before `..`.
        before: Vec<Pattern>,
        /// `..` with the name that is bound to it.
        rest: Option<Option<Box<Pattern>>>,
        /// After `..`.
        after: Vec<Pattern>,
    },
    /// `Variant`, `Enum.Variant(a, b)`, or a constant.
    Variant(Path, Vec<Pattern>),
    /// `Variant { a, b: p, .. }` or of a record.
    Record {
        /// Of what.
        path: Path,
        /// The fields.
        fields: Vec<(Ident, Pattern)>,
        /// Whether others are left out.
        open: bool,
    },
    /// `a | b`
    Or(Vec<Pattern>),
    /// What could not be parsed.
    Error,
}

/// See [`ExprKind::Unary`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// `-`
    Neg,
    /// `!`
    Not,
    /// `~`
    BitNot,
}

/// See [`ExprKind::Binary`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `|`
    BitOr,
    /// `^`
    BitXor,
    /// `&`
    BitAnd,
    /// `<<`
    Shl,
    /// `>>`
    Shr,
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Rem,
}

impl UnaryOp {
    /// How it is written.
    pub fn sign(self) -> &'static str {
        match self {
            UnaryOp::Neg => "-",
            UnaryOp::Not => "!",
            UnaryOp::BitNot => "~",
        }
    }
}

impl BinaryOp {
    /// How it is written.
    pub fn sign(self) -> &'static str {
        match self {
            BinaryOp::Or => "||",
            BinaryOp::And => "&&",
            BinaryOp::Eq => "==",
            BinaryOp::Ne => "!=",
            BinaryOp::Lt => "<",
            BinaryOp::Le => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::Ge => ">=",
            BinaryOp::BitOr => "|",
            BinaryOp::BitXor => "^",
            BinaryOp::BitAnd => "&",
            BinaryOp::Shl => "<<",
            BinaryOp::Shr => ">>",
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::Rem => "%",
        }
    }
}
