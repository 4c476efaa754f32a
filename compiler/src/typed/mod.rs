//! The typed tree: a program that is right, every name resolved and every type known.
//!
//! It is what the checker makes, and all that later phases see: the evaluator of the tests, and `ir`, which makes each generic
//! function anew for each list of type arguments. Shorthands are gone: indexing, interpolation, literals of lists and maps,
//! compound assignments and operators on anything but numbers, truth values, characters and texts are calls.

pub mod dump;
pub mod interface;
pub mod text;
pub mod types;
mod visit;

use std::rc::Rc;

pub use types::{Ty, TyKind, Types};

use crate::names::Name;
use crate::source::Span;
use crate::syntax::Access;
pub use crate::syntax::{BinaryOp, UnaryOp};

/// Declares the number of a thing in a list of the [`Program`].
macro_rules! ids {
    ($($(#[$doc:meta])* $id:ident)*) => {
        $($(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $id(pub u32);

        impl $id {
            /// As an index.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        })*
    };
}

ids! {
    /// Of [`Program::modules`].
    ModuleId
    /// Of [`Program::records`].
    RecordId
    /// Of [`Program::enums`].
    EnumId
    /// Of [`Program::traits`].
    TraitId
    /// Of [`Program::impls`].
    ImplId
    /// Of [`Program::functions`].
    FnId
    /// Of [`Program::constants`].
    ConstId
    /// Of [`Body::locals`].
    LocalId
    /// Of a loop in a body.
    LoopId
}

impl Program {
    /// What a function does, if it is written in Fold.
    pub fn body(&self, id: FnId) -> Option<&Body> {
        match &self.functions[id.index()].kind {
            FunctionKind::Plain(body) | FunctionKind::Host(Some(body)) => Some(body),
            _ => None,
        }
    }
}

/// A whole program, the standard modules that it uses among it.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// All types.
    pub types: Types,
    /// All modules.
    pub modules: Vec<Module>,
    /// All records.
    pub records: Vec<Record>,
    /// All enums.
    pub enums: Vec<Enum>,
    /// All traits.
    pub traits: Vec<Trait>,
    /// All implementations, inherent ones too.
    pub impls: Vec<Impl>,
    /// All functions, methods and tests.
    pub functions: Vec<Function>,
    /// All constants.
    pub constants: Vec<Constant>,
    /// Tests, in order.
    pub tests: Vec<Test>,
    /// `main`, or the body of a script.
    pub main: Option<Main>,
    /// What it offers to a host that embeds it, where that is wanted.
    pub interface: interface::Interface,
    /// What the compiler knows by name.
    pub lang: Lang,
}

/// What the program is handed, and where it begins.
#[derive(Clone, Debug)]
pub struct Main {
    /// The function; its parameters are capabilities.
    pub function: FnId,
    /// Names and types of the parameters.
    pub needs: Vec<(Name, TraitId)>,
    /// Of an entry of a session: what it shares with others.
    pub entry: Option<EntryMain>,
}

/// Variables that a session's entry shares with other entries. They live in boxes, as if closures captured and something assigned them.
#[derive(Clone, Debug, Default)]
pub struct EntryMain {
    /// Those of earlier entries: the locals behind those for what it is handed.
    pub earlier: Vec<Earlier>,
    /// Those that it binds, each with the name of its global.
    pub binds: Vec<(LocalId, Rc<str>)>,
    /// Where in the table earlier entries put the methods of types, as `dyn` of traits: a type is told from others by that place.
    pub rows: Vec<(Implemented, u32)>,
}

/// A type, as `dyn` of a trait with arguments.
pub type Implemented = (Ty, TraitId, Rc<[Ty]>);

/// A variable of an earlier entry.
#[derive(Clone, Debug)]
pub struct Earlier {
    /// The name of its global.
    pub global: Rc<str>,
    /// Its type.
    pub ty: Ty,
}

/// A module.
#[derive(Clone, Debug)]
pub struct Module {
    /// Its path, as in `text/csv`.
    pub path: Rc<str>,
    /// Whether it is of the standard library.
    pub standard: bool,
}

/// A type parameter.
#[derive(Clone, Debug)]
pub struct Generic {
    /// Its name.
    pub name: Name,
    /// Traits that an argument implements, with their arguments.
    pub bounds: Vec<(TraitId, Vec<Ty>)>,
}

/// A record.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its name.
    pub name: Name,
    /// Where it is declared.
    pub module: ModuleId,
    /// Its type parameters.
    pub generics: Vec<Generic>,
    /// Its fields, in order.
    pub fields: Vec<Field>,
    /// Where its name is.
    pub span: Span,
    /// Whether other modules see it.
    pub public: bool,
}

/// A field of a record or a variant.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name; `0`, `1` … where it has none.
    pub name: Name,
    /// Its type.
    pub ty: Ty,
    /// What the written type says of access.
    pub access: AccessTree,
    /// Whether it can be assigned.
    pub mutable: bool,
    /// Whether other modules see it.
    pub public: bool,
    /// Where its name is.
    pub span: Span,
}

/// What a written type says of access, in the shape of the type: for a record, enum or trait object with its arguments, a
/// tuple or array with its parts, a function with its parameters and then its result.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AccessTree {
    /// A type in which nothing can be changed, or a type parameter.
    Leaf,
    /// Others.
    Node {
        /// As it is written or follows from the position; `None` is found by inference.
        access: Option<Access>,
        /// Of the parts.
        parts: Box<[AccessTree]>,
    },
}

/// An enum.
#[derive(Clone, Debug)]
pub struct Enum {
    /// Its name.
    pub name: Name,
    /// Where it is declared.
    pub module: ModuleId,
    /// Its type parameters.
    pub generics: Vec<Generic>,
    /// Its variants, in order: their places are their tags.
    pub variants: Vec<Variant>,
    /// Where its name is.
    pub span: Span,
    /// Whether other modules see it.
    pub public: bool,
}

/// A variant of an enum.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Its name.
    pub name: Name,
    /// What it holds.
    pub fields: Vec<Field>,
    /// Whether the fields are written by name.
    pub named: bool,
    /// Where its name is.
    pub span: Span,
}

/// A trait. Its functions have the type parameters `Self`, then the trait's, then their own.
#[derive(Clone, Debug)]
pub struct Trait {
    /// Its name.
    pub name: Name,
    /// Where it is declared.
    pub module: ModuleId,
    /// Its type parameters, without `Self`.
    pub generics: Vec<Generic>,
    /// Traits that whatever implements it implements too, with arguments in terms of its own parameters.
    pub supers: Vec<(TraitId, Vec<Ty>)>,
    /// Its functions, in order.
    pub methods: Vec<TraitMethod>,
    /// Whether one of them changes what it is called on.
    pub changes_self: bool,
    /// Whether it is a capability's interface.
    pub capability: bool,
    /// Where its name is.
    pub span: Span,
    /// Whether other modules see it.
    pub public: bool,
}

/// A function of a trait.
#[derive(Clone, Debug)]
pub struct TraitMethod {
    /// Its name.
    pub name: Name,
    /// Its signature; it has a body where the trait provides one.
    pub function: FnId,
    /// Whether it can be called on `dyn`: it has a receiver, no type parameters of its own, and `Self` nowhere else.
    pub dispatchable: bool,
    /// Whether something calls it on `dyn`, so that its code has to be found through the value.
    pub dynamic: bool,
}

/// An implementation.
#[derive(Clone, Debug)]
pub struct Impl {
    /// Where it is declared.
    pub module: ModuleId,
    /// Its type parameters.
    pub generics: Vec<Generic>,
    /// The trait, with arguments; none of an inherent one.
    pub of: Option<(TraitId, Vec<Ty>)>,
    /// The type that it is for.
    pub self_ty: Ty,
    /// For a trait: its functions in the trait's order, `None` where the trait's own is meant. Otherwise as they are written.
    pub methods: Vec<Option<FnId>>,
    /// Where it begins.
    pub span: Span,
}

/// A function.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name.
    pub name: Name,
    /// What traces and listings call it: `csv.rows`, `csv.Reader.next`, `main`.
    pub path: Rc<str>,
    /// Where it is declared.
    pub module: ModuleId,
    /// What its body is.
    pub kind: FunctionKind,
    /// Its type parameters: those around it first (see [`TyKind::Param`]), each with all bounds that hold in the body.
    pub generics: Vec<Generic>,
    /// Whether the first parameter is `self`.
    pub receiver: bool,
    /// Parameters, with `self`.
    pub params: Vec<Parameter>,
    /// What it gives.
    pub result: Ty,
    /// What the written result says of access.
    pub result_access: AccessTree,
    /// Where its name is.
    pub span: Span,
    /// Whether other modules see it.
    pub public: bool,
}

/// A parameter of a function.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Ty,
    /// Whether it is `var`.
    pub mutable: bool,
    /// What the written type says of access.
    pub access: AccessTree,
    /// Where it is.
    pub span: Span,
}

/// See [`Function`].
#[derive(Clone, Debug)]
pub enum FunctionKind {
    /// Written in Fold.
    Plain(Body),
    /// Of a trait, without body.
    Required,
    /// The compiler makes its code, by its name.
    Intrinsic,
    /// The host has it, as import `fold` and its name; the body is what does the same without it.
    Host(Option<Body>),
    /// Of a standard module, and nothing in the program reaches it: its body was not looked at, nor its signature, unless that is asked for.
    Unreached,
}

/// What a function does.
#[derive(Clone, Debug)]
pub struct Body {
    /// All names that are bound in it, in closures too; parameters first.
    pub locals: Vec<Local>,
    /// How many of them are parameters.
    pub params: usize,
    /// How many loops it has.
    pub loops: u32,
    /// Its value.
    pub value: Expr,
}

/// A bound name.
#[derive(Clone, Debug)]
pub struct Local {
    /// Its name; made-up ones begin with `$`, and give the access that their value has.
    pub name: Name,
    /// Its type.
    pub ty: Ty,
    /// Whether it is `var`.
    pub mutable: bool,
    /// Whether it is assigned after it was bound.
    pub assigned: bool,
    /// Whether a closure captures it. Captured and assigned, it lives in a box, made anew each time it is bound.
    pub captured: bool,
    /// What its written type says of access.
    pub access: Option<AccessTree>,
    /// Where it is bound.
    pub span: Span,
}

/// An expression. Parts are evaluated from left to right.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// The type of its value.
    pub ty: Ty,
    /// Where.
    pub span: Span,
}

/// See [`Expr`].
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// A character.
    Char(char),
    /// A text.
    String(Rc<str>),
    /// Raw bytes of a literal, as a `Buffer` that is made anew.
    Buffer(Rc<[u8]>),
    /// A local's value.
    Local(LocalId),
    /// A constant's value. It is made once; nothing can change it.
    Const(ConstId),
    /// Values together; none: `()`.
    Tuple(Vec<Expr>),
    /// A part of a tuple.
    TupleField(Box<Expr>, u32),
    /// A new record; each field once, in the order of evaluation.
    Record(RecordId, Vec<(u32, Expr)>),
    /// A field's value.
    Field(Box<Expr>, RecordId, u32),
    /// A variant of an enum, with all its fields in their order.
    Variant(EnumId, u32, Vec<Expr>),
    /// A new raw array.
    Array(Vec<Expr>),
    /// A call.
    Call(Callee, Vec<Expr>),
    /// A function as a value; `Trait` and `Fn` callees only.
    Function(Callee),
    /// A variant's constructor as a function value.
    Constructor(EnumId, u32),
    /// A closure. Its locals are in its function's list.
    Closure(Closure),
    /// A value as `dyn` of a trait that it implements, with the trait's arguments.
    ToDyn(Box<Expr>, TraitId, Vec<Ty>),
    /// `-` of Int and Float, `!` of Bool, `~` of Int.
    Unary(UnaryOp, Box<Expr>),
    /// Of two Ints, Floats, Bools or Chars (comparisons; `And` and `Or` of Bools evaluate the second only if they need it).
    /// Arithmetic of Int panics on overflow. Also `Eq`, `Ne`, `Lt` … of two Strings, and `Add`, which joins them.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// Whether a value matches a pattern, whose names are bound if it does.
    Is(Box<Expr>, Box<Pattern>),
    /// Statements, then a value, `()` if there is none.
    Block(Vec<Stmt>, Option<Box<Expr>>),
    /// Conditional; a missing `else` is `()`.
    If(Box<Expr>, Box<Expr>, Option<Box<Expr>>),
    /// The first arm that matches; one does.
    Match(Box<Expr>, Vec<Arm>),
    /// `?`
    Try(Box<Expr>, Conversion),
    /// Ends the function, or the closure that it is in.
    Return(Option<Box<Expr>>),
    /// Ends a loop.
    Break(LoopId),
    /// Begins a loop's next turn.
    Continue(LoopId),
    /// Assigns a local. The value is `()`.
    AssignLocal(LocalId, Box<Expr>),
    /// Assigns a field of a record. The value is `()`.
    AssignField(Box<Expr>, RecordId, u32, Box<Expr>),
    /// Panics unless the condition holds, with the source of it and the message. The value is `()`.
    Assert(Box<Expr>, Rc<str>, Option<Box<Expr>>),
}

/// What `?` does with what is not the good value.
#[derive(Clone, Debug)]
pub enum Conversion {
    /// Of an Option: returns `None`.
    Option,
    /// Returns the error as it is.
    Same,
    /// Converts it by a call with the error as its argument.
    Call(Callee),
    /// Makes it a `dyn` of a trait.
    Dyn(TraitId),
}

/// A closure.
#[derive(Clone, Debug)]
pub struct Closure {
    /// Its parameters: locals.
    pub params: Vec<LocalId>,
    /// What it uses of the locals around it, each once.
    pub captures: Vec<LocalId>,
    /// What it does. Patterns of parameters are taken apart in it.
    pub body: Box<Expr>,
}

/// What is called.
#[derive(Clone, Debug)]
pub enum Callee {
    /// A function, with an argument for each type parameter. Never a trait's.
    Fn(FnId, Vec<Ty>),
    /// A function of a trait, for a type: that of the implementation, found once the type is known.
    /// Equality, order, hashes, texts and copies of most types are made by the compiler.
    Trait {
        /// The trait.
        of: TraitId,
        /// Its arguments.
        args: Vec<Ty>,
        /// The function, by its place in the trait.
        method: u32,
        /// The type.
        self_ty: Ty,
        /// Arguments for the function's own type parameters.
        method_args: Vec<Ty>,
    },
    /// A function of a trait, of the `dyn` value that is the first argument.
    Dyn(TraitId, u32),
    /// A function value.
    Value(Box<Expr>),
}

/// A statement.
#[derive(Clone, Debug)]
pub struct Stmt {
    /// What it is.
    pub kind: StmtKind,
    /// Where.
    pub span: Span,
}

/// See [`Stmt`].
#[derive(Clone, Debug)]
pub enum StmtKind {
    /// Binds names. Without `else` the pattern always matches; what stands there has no value.
    Let(Pattern, Expr, Option<Expr>),
    /// For its effects.
    Expr(Expr),
    /// As long as the condition holds.
    While(LoopId, Expr, Expr),
    /// For each value that an iterator gives.
    For {
        /// The loop.
        id: LoopId,
        /// What is bound; always matches.
        pattern: Pattern,
        /// The iterator.
        iterator: Expr,
        /// Its `next`.
        next: Callee,
        /// What runs.
        body: Expr,
    },
}

/// An arm of a `match`.
#[derive(Clone, Debug)]
pub struct Arm {
    /// What it is for.
    pub pattern: Pattern,
    /// What must hold besides.
    pub guard: Option<Expr>,
    /// Its value.
    pub body: Expr,
}

/// A pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// What it is.
    pub kind: PatternKind,
    /// The type of what it is matched with.
    pub ty: Ty,
    /// Where.
    pub span: Span,
}

/// See [`Pattern`].
#[derive(Clone, Debug)]
pub enum PatternKind {
    /// Anything.
    Wildcard,
    /// Anything that the sub-pattern matches, bound to a local. Alternatives bind the same locals.
    Bind(LocalId, Option<Box<Pattern>>),
    /// This number.
    Int(i64),
    /// A number that is equal.
    Float(f64),
    /// This truth value.
    Bool(bool),
    /// This character.
    Char(char),
    /// This text.
    String(Rc<str>),
    /// Ints from the first to the last.
    IntRange(i64, i64),
    /// Chars from the first to the last.
    CharRange(char, char),
    /// Each part.
    Tuple(Vec<Pattern>),
    /// A record's fields; those that are not there match anything.
    Record(RecordId, Vec<(u32, Pattern)>),
    /// A variant, with all its fields.
    Variant(EnumId, u32, Vec<Pattern>),
    /// A List (the prelude's record) with these elements first and those last; without `rest` there are no others.
    List {
        /// The first ones.
        before: Vec<Pattern>,
        /// `Some` if there may be others in between; a pattern for the List of those.
        rest: Option<Option<Box<Pattern>>>,
        /// The last ones.
        after: Vec<Pattern>,
    },
    /// One of these.
    Or(Vec<Pattern>),
}

/// A constant.
#[derive(Clone, Debug)]
pub struct Constant {
    /// Its name.
    pub name: Name,
    /// Where it is declared.
    pub module: ModuleId,
    /// Its type.
    pub ty: Ty,
    /// Its value, with locals for what shorthands made of it need; `()` where it is of a standard module and nothing reaches it.
    pub body: Body,
    /// Where its name is.
    pub span: Span,
    /// Whether other modules see it.
    pub public: bool,
}

/// A test.
#[derive(Clone, Debug)]
pub struct Test {
    /// What it is called.
    pub name: Rc<str>,
    /// Where it is.
    pub module: ModuleId,
    /// A function without parameters.
    pub function: FnId,
    /// Where its name is.
    pub span: Span,
}

/// Declares [`Lang`]: fields with the names that the prelude has for them.
macro_rules! lang {
    ($($(#[$doc:meta])* $field:ident: $ty:ty = $name:literal),* $(,)?) => {
        /// What the compiler knows of the prelude (module `prelude`), by name.
        #[derive(Clone, Copy, Debug, Default)]
        pub struct Lang {
            $($(#[$doc])* pub $field: Option<$ty>,)*
        }

        impl Lang {
            /// Each with the name that the prelude declares it by; `Type.method` for static functions and methods.
            pub const NAMES: &[(&'static str, &'static str)] = &[$((stringify!($field), $name)),*];
        }
    };
}

lang! {
    /// The enum `None`, `Some`: in this order.
    option: EnumId = "Option",
    /// The enum `Ok`, `Err`: in this order.
    result: EnumId = "Result",
    /// The enum `Less`, `Equal`, `Greater`.
    ordering: EnumId = "Ordering",
    /// The record; its first field is the raw array, its second the length.
    list: RecordId = "List",
    /// The record.
    map: RecordId = "Map",
    /// The record.
    set: RecordId = "Set",
    /// The record; its first field is the raw bytes, its second the length.
    bytes: RecordId = "Bytes",
    /// The record; fields `start`, `end`.
    range: RecordId = "Range",
    /// The record that texts are built with.
    text: RecordId = "Text",
    /// `fn eq(self, other: Self) -> Bool`
    eq: TraitId = "Eq",
    /// `fn cmp(self, other: Self) -> Ordering`
    ord: TraitId = "Ord",
    /// `fn hash(self, seed: Int) -> Int`
    hash: TraitId = "Hash",
    /// `fn show(self, var out: Text)`, `fn debug(self, var out: Text)` (texts and characters in quotes)
    show: TraitId = "Show",
    /// `fn copy(self) -> Self`
    copy: TraitId = "Copy",
    /// `fn from(value: E) -> Self`
    from: TraitId = "From",
    /// `fn next(var self) -> Option<T>`
    iterator: TraitId = "Iterator",
    /// `fn message(self) -> String`
    error: TraitId = "Error",
    /// `fn from_array<T>(elements: Array<T>) -> List<T>`
    list_from_array: FnId = "List.from_array",
    /// `fn repeat<T: Copy>(value: T, count: Int) -> List<T>`
    list_repeat: FnId = "List.repeat",
    /// `fn new<K, V>() -> Map<K, V>`
    map_new: FnId = "Map.new",
    /// `fn insert(var self, key: K, value: V)`
    map_insert: FnId = "Map.insert",
    /// `fn from_buffer(bytes: Buffer) -> Bytes`
    bytes_from_buffer: FnId = "Bytes.from_buffer",
    /// `fn new() -> Text`
    text_new: FnId = "Text.new",
    /// `fn push(var self, text: String)`
    text_push: FnId = "Text.push",
    /// `fn finish(self) -> String`
    text_finish: FnId = "Text.finish",
    /// `fn push_int(var self, value: Int, fill: Char, align: Int, flags: Int, width: Int, kind: Int)`
    text_push_int: FnId = "Text.push_int",
    /// `fn push_float(var self, value: Float, fill: Char, align: Int, flags: Int, width: Int, precision: Int, kind: Int)`
    text_push_float: FnId = "Text.push_float",
    /// `fn push_padded(var self, text: String, fill: Char, align: Int, width: Int, precision: Int)`
    text_push_padded: FnId = "Text.push_padded",
    /// `fn concat(a: String, b: String) -> String`
    string_concat: FnId = "string_concat",
    /// `fn string_eq(a: String, b: String) -> Bool`
    string_eq: FnId = "string_eq",
    /// `fn string_cmp(a: String, b: String) -> Int`: below, equal to or above zero
    string_cmp: FnId = "string_cmp",
    /// `fn panic(message: String) -> Never`
    panic: FnId = "panic",
    /// `fn report(message: String)`: what `main` ends with where it failed
    fail: FnId = "fail",
}
