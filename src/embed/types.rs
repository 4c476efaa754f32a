//! The types of what crosses between a program and its host, as the program's module describes them.

use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Write};
use std::sync::Arc;

use super::wire::MAX_DEPTH;

/// How many types one without a name may consist of, as the compiler has it.
const MAX_SIZE: usize = 4096;

/// How long the name of a type or field can be, as the compiler has it.
const MAX_NAME: usize = 255;

/// The custom section in which a program describes what it offers.
pub(crate) const SECTION: &str = "fold.interface";

/// What a program offers: functions, and the types of what they take and give.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interface {
    types: Types,
    functions: BTreeMap<String, Signature>,
    /// Public functions that the host cannot call, and why.
    kept: BTreeMap<String, String>,
}

/// Types by number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Types(Vec<Kind>);

/// What a type is. Others are named by their numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Int,
    Float,
    Bool,
    Char,
    String,
    Bytes,
    /// `dyn Error`, which crosses as its message.
    Error,
    Tuple(Vec<usize>),
    List(usize),
    Set(usize),
    Map(usize, usize),
    Option(usize),
    Result(usize, usize),
    Record(Arc<str>, Vec<Field>),
    Enum(Arc<str>, Vec<(Arc<str>, Vec<Field>)>),
}

/// A field: its name, or its place if it has none, and its type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Field {
    pub name: Arc<str>,
    pub ty: usize,
}

/// A function that a host can call.
#[derive(Clone, Debug)]
pub(crate) struct Signature {
    pub name: String,
    /// Capabilities that it is to be granted: name and kind.
    pub needs: Vec<(String, String)>,
    /// Names and types of the other parameters.
    params: Vec<Field>,
    result: usize,
}

/// A type of a program in Fold, by which a value is put into its form or read from it.
///
/// ```
/// use pinfold::{Mismatch, ToFold, Type, Vm, Writer};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// /// Seconds, for programs that have them as a number with a point, and for those that count them.
/// struct Seconds(u32);
///
/// impl ToFold for Seconds {
///     fn to_fold(&self, ty: Type<'_>, to: &mut Writer) -> Result<(), Mismatch> {
///         match ty.to_string().as_str() {
///             "Float" => f64::from(self.0).to_fold(ty, to),
///             _ => self.0.to_fold(ty, to),
///         }
///     }
/// }
///
/// let program = Vm::new()?.compile("wait.fold", r#"
///     pub fn exact(s: Float) -> Float { s / 2.0 }
///     pub fn whole(s: Int) -> Int { s / 2 }
/// "#)?;
/// assert_eq!(program.call::<f64>("exact", (Seconds(3),))?, 1.5);
/// assert_eq!(program.call::<i64>("whole", (Seconds(3),))?, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct Type<'a> {
    types: &'a Types,
    index: usize,
}

/// What a [`Type`] is, with the types in it.
///
/// ```
/// use pinfold::{FromFold, Mismatch, Reader, Shape, Type, Vm};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// /// A number, however the program has it.
/// struct Number(f64);
///
/// impl FromFold for Number {
///     fn from_fold(ty: Type<'_>, from: &mut Reader<'_>) -> Result<Self, Mismatch> {
///         match ty.shape() {
///             Shape::Int => i64::from_fold(ty, from).map(|n| Self(n as f64)),
///             Shape::Float => f64::from_fold(ty, from).map(Self),
///             _ => Err(Mismatch::new(ty, "a number")),
///         }
///     }
/// }
///
/// let program = Vm::new()?.compile("give.fold", "pub fn int() -> Int { 2 }\npub fn float() -> Float { 2.5 }")?;
/// assert_eq!(program.call::<Number>("int", ())?.0 + program.call::<Number>("float", ())?.0, 4.5);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Shape<'a> {
    /// `Int`
    Int,
    /// `Float`
    Float,
    /// `Bool`
    Bool,
    /// `Char`
    Char,
    /// `String`
    String,
    /// `Bytes`
    Bytes,
    /// `dyn Error`
    Error,
    /// A tuple, with the types of its parts.
    Tuple(Vec<Type<'a>>),
    /// `List<T>`
    List(Type<'a>),
    /// `Set<T>`
    Set(Type<'a>),
    /// `Map<K, V>`
    Map(Type<'a>, Type<'a>),
    /// `Option<T>`
    Option(Type<'a>),
    /// `Result<T, E>`
    Result(Type<'a>, Type<'a>),
    /// A record: the names and types of its fields.
    Record(Vec<(&'a str, Type<'a>)>),
    /// An enum: its variants, each with its name and fields, which are called by their places where they have no names.
    Enum(Vec<(&'a str, Vec<(&'a str, Type<'a>)>)>),
}

impl Interface {
    /// From a section's bytes. None if that is malformed: what wrote it may be hostile.
    pub fn parse(section: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(section).ok()?;
        let mut interface = Self::default();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("fn ") {
                let signature = signature(rest)?;
                interface.functions.insert(signature.name.clone(), signature);
            } else if let Some(rest) = line.strip_prefix("no ") {
                let (name, why) = rest.split_once(' ')?;
                interface.kept.insert(name.to_owned(), why.to_owned());
            } else {
                interface.types.0.push(kind(line)?);
            }
        }
        interface.is_whole().then_some(interface)
    }

    /// Whether every type that is named is there.
    fn is_whole(&self) -> bool {
        let count = self.types.0.len();
        let fields = |fields: &[Field]| fields.iter().all(|field| field.ty < count);
        let whole = |kind: &Kind| match kind {
            Kind::Tuple(parts) => parts.iter().all(|part| *part < count),
            Kind::List(of) | Kind::Set(of) | Kind::Option(of) => *of < count,
            Kind::Map(a, b) | Kind::Result(a, b) => *a < count && *b < count,
            Kind::Record(_, all) => fields(all),
            Kind::Enum(_, variants) => variants.iter().all(|(_, all)| fields(all)),
            _ => true,
        };
        self.types.0.iter().all(whole)
            && self.types.are_small()
            && self.functions.values().all(|function| function.result < count && fields(&function.params))
    }

    pub fn function(&self, name: &str) -> Option<&Signature> {
        self.functions.get(name)
    }

    pub fn functions(&self) -> impl Iterator<Item = &Signature> {
        self.functions.values()
    }

    /// Why a function that is there cannot be called.
    pub fn kept(&self, name: &str) -> Option<&str> {
        self.kept.get(name).map(String::as_str)
    }

    /// The types of a function's parameters, with their names.
    pub fn params<'a>(&'a self, of: &'a Signature) -> impl ExactSizeIterator<Item = (&'a str, Type<'a>)> {
        of.params.iter().map(|field| (&*field.name, Type { types: &self.types, index: field.ty }))
    }

    pub fn result(&self, of: &Signature) -> Type<'_> {
        Type { types: &self.types, index: of.result }
    }

    /// A function as it is written.
    pub fn show(&self, of: &Signature) -> String {
        let needs = of.needs.iter().map(|(name, kind)| format!("{name}: {kind}"));
        let params = self.params(of).map(|(name, ty)| format!("{name}: {ty}"));
        let params: Vec<String> = needs.chain(params).collect();
        format!("fn {}({}) -> {}", of.name, params.join(", "), self.result(of))
    }
}

impl Types {
    /// Whether all of them can be written down, and looked at by recursion: those that have no names consist of few others, and not of
    /// themselves.
    fn are_small(&self) -> bool {
        let mut sizes = vec![None; self.0.len()];
        (0..self.0.len()).all(|index| self.size(index, &mut sizes, MAX_DEPTH).is_some())
    }

    /// How many types one consists of, each counted as often as it occurs, and how deep they nest; none if that is too many or too deep.
    fn size(&self, index: usize, sizes: &mut [Option<(usize, u32)>], room: u32) -> Option<(usize, u32)> {
        if let Some(size) = sizes[index] {
            return Some(size).filter(|(_, depth)| *depth <= room);
        }
        let room = room.checked_sub(1)?;
        let parts: &[usize] = match &self.0[index] {
            Kind::Tuple(parts) => parts,
            Kind::List(of) | Kind::Set(of) | Kind::Option(of) => &[*of],
            Kind::Map(a, b) | Kind::Result(a, b) => &[*a, *b],
            _ => &[],
        };
        let size = parts.iter().try_fold((1, 1), |(all, depth): (usize, u32), part| {
            let (size, below) = self.size(*part, sizes, room)?;
            Some((all.checked_add(size).filter(|all| *all <= MAX_SIZE)?, depth.max(below + 1)))
        });
        sizes[index] = size;
        size
    }
}

fn kind(line: &str) -> Option<Kind> {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let numbers = || rest.split_terminator(' ').map(|word| word.parse().ok()).collect::<Option<Vec<usize>>>();
    let one = || match numbers()?[..] {
        [a] => Some(a),
        _ => None,
    };
    let two = || match numbers()?[..] {
        [a, b] => Some((a, b)),
        _ => None,
    };
    Some(match word {
        "Int" => Kind::Int,
        "Float" => Kind::Float,
        "Bool" => Kind::Bool,
        "Char" => Kind::Char,
        "String" => Kind::String,
        "Bytes" => Kind::Bytes,
        "Error" => Kind::Error,
        "Tuple" => Kind::Tuple(numbers()?),
        "List" => Kind::List(one()?),
        "Set" => Kind::Set(one()?),
        "Option" => Kind::Option(one()?),
        "Map" => two().map(|(a, b)| Kind::Map(a, b))?,
        "Result" => two().map(|(a, b)| Kind::Result(a, b))?,
        "Record" => {
            let mut words = rest.split(' ');
            Kind::Record(named(words.next()?)?, words.map(field).collect::<Option<_>>()?)
        }
        "Enum" => {
            let mut words = rest.split(' ');
            let variant = |word: &str| {
                let mut parts = word.split('/');
                Some((named(parts.next()?)?, parts.map(field).collect::<Option<_>>()?))
            };
            Kind::Enum(named(words.next()?)?, words.map(variant).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

fn field(word: &str) -> Option<Field> {
    let (name, ty) = word.split_once(':')?;
    Some(Field { name: named(name)?, ty: ty.parse().ok()? })
}

fn named(word: &str) -> Option<Arc<str>> {
    (1..=MAX_NAME).contains(&word.len()).then(|| word.into())
}

fn signature(line: &str) -> Option<Signature> {
    let (taken, result) = line.split_once(" -> ")?;
    let mut words = taken.split(' ');
    let name = named(words.next()?)?;
    let (mut needs, mut params) = (Vec::new(), Vec::new());
    for word in words {
        match word.split_once('=') {
            Some((name, kind)) => needs.push((name.to_owned(), kind.to_owned())),
            None => params.push(field(word)?),
        }
    }
    Some(Signature { name: name.to_string(), needs, params, result: result.parse().ok()? })
}

impl<'a> Type<'a> {
    pub(crate) fn kind(self) -> &'a Kind {
        // Every number was looked at when the interface was read.
        self.types.0.get(self.index).unwrap_or(&Kind::Int)
    }

    /// What it is.
    pub fn shape(self) -> Shape<'a> {
        let fields = |fields: &'a [Field]| fields.iter().map(|field| (&*field.name, self.other(field.ty))).collect();
        match self.kind() {
            Kind::Int => Shape::Int,
            Kind::Float => Shape::Float,
            Kind::Bool => Shape::Bool,
            Kind::Char => Shape::Char,
            Kind::String => Shape::String,
            Kind::Bytes => Shape::Bytes,
            Kind::Error => Shape::Error,
            Kind::Tuple(parts) => Shape::Tuple(parts.iter().map(|part| self.other(*part)).collect()),
            Kind::List(of) => Shape::List(self.other(*of)),
            Kind::Set(of) => Shape::Set(self.other(*of)),
            Kind::Map(key, value) => Shape::Map(self.other(*key), self.other(*value)),
            Kind::Option(of) => Shape::Option(self.other(*of)),
            Kind::Result(good, bad) => Shape::Result(self.other(*good), self.other(*bad)),
            Kind::Record(_, all) => Shape::Record(fields(all)),
            Kind::Enum(_, variants) => Shape::Enum(variants.iter().map(|(name, all)| (&**name, fields(all))).collect()),
        }
    }

    /// Another type of the same program.
    pub(crate) fn other(self, index: usize) -> Self {
        Self { types: self.types, index }
    }
}

impl fmt::Display for Type<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            Kind::Int => f.write_str("Int"),
            Kind::Float => f.write_str("Float"),
            Kind::Bool => f.write_str("Bool"),
            Kind::Char => f.write_str("Char"),
            Kind::String => f.write_str("String"),
            Kind::Bytes => f.write_str("Bytes"),
            Kind::Error => f.write_str("dyn Error"),
            Kind::Tuple(parts) => {
                f.write_str("(")?;
                for (place, part) in parts.iter().enumerate() {
                    let before = if place == 0 { "" } else { ", " };
                    write!(f, "{before}{}", self.other(*part))?;
                }
                f.write_str(")")
            }
            Kind::List(of) => write!(f, "List<{}>", self.other(*of)),
            Kind::Set(of) => write!(f, "Set<{}>", self.other(*of)),
            Kind::Map(key, value) => write!(f, "Map<{}, {}>", self.other(*key), self.other(*value)),
            Kind::Option(of) => write!(f, "Option<{}>", self.other(*of)),
            Kind::Result(good, bad) => write!(f, "Result<{}, {}>", self.other(*good), self.other(*bad)),
            Kind::Record(name, _) | Kind::Enum(name, _) => f.write_str(name),
        }
    }
}

impl fmt::Debug for Type<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The types that Rust types are in Fold, while a capability of the host's own is declared.
///
/// ```
/// use pinfold::{Capability, Declarations, Declared, FoldType, Mismatch, ToFold, Type, Writer};
///
/// /// As the derived traits of a struct with these two fields do it.
/// struct Point(f64, f64);
///
/// impl FoldType for Point {
///     fn fold_type(declarations: &mut Declarations) -> Declared {
///         declarations.record("Point", |declarations| {
///             vec![("x", f64::fold_type(declarations)), ("y", f64::fold_type(declarations))]
///         })
///     }
/// }
///
/// impl ToFold for Point {
///     fn to_fold(&self, ty: Type<'_>, to: &mut Writer) -> Result<(), Mismatch> {
///         to.record(ty, &["x", "y"], |at, ty, to| [self.0, self.1][at].to_fold(ty, to))
///     }
/// }
///
/// let mouse = Capability::new("Mouse").method("at", [], |_: &()| Point(1.0, 2.0));
/// assert!(mouse.declaration().contains("record Point { pub x: Float, pub y: Float }"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Declarations {
    pub(crate) types: Types,
    numbers: HashMap<Kind, usize>,
    named: BTreeMap<String, usize>,
    /// Why there is no type in Fold for one that was to be declared.
    problem: Option<String>,
}

/// A type among [`Declarations`].
///
/// ```
/// use pinfold::{Declarations, FoldType};
///
/// let mut declarations = Declarations::default();
/// let (one, same) = (<Vec<i64>>::fold_type(&mut declarations), <Vec<i32>>::fold_type(&mut declarations));
/// assert_eq!(one, same, "both are List<Int>");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Declared(pub(crate) usize);

impl Declarations {
    pub(crate) fn plain(&mut self, kind: Kind) -> Declared {
        if let Some(&number) = self.numbers.get(&kind) {
            return Declared(number);
        }
        let number = self.types.0.len();
        self.types.0.push(kind.clone());
        self.numbers.insert(kind, number);
        Declared(number)
    }

    /// The record of a name, with these fields where it was not declared before.
    pub fn record<N: Into<String>>(
        &mut self,
        name: &str,
        fields: impl FnOnce(&mut Self) -> Vec<(N, Declared)>,
    ) -> Declared {
        self.named(name, |declarations| {
            let fields = fields(declarations).into_iter();
            Kind::Record(name.into(), fields.map(|(name, ty)| Field { name: name.into().into(), ty: ty.0 }).collect())
        })
    }

    /// The enum of a name, likewise: of each variant its name and fields, which are called by their places where they have no names.
    pub fn enumeration<N: Into<String>>(
        &mut self,
        name: &str,
        variants: impl FnOnce(&mut Self) -> Vec<(N, Vec<(N, Declared)>)>,
    ) -> Declared {
        self.named(name, |declarations| {
            let variants = variants(declarations).into_iter();
            let variant = |(name, fields): (N, Vec<(N, Declared)>)| {
                let fields = fields.into_iter().map(|(name, ty)| Field { name: name.into().into(), ty: ty.0 });
                (name.into().into(), fields.collect())
            };
            Kind::Enum(name.into(), variants.map(variant).collect())
        })
    }

    /// That there is no type for something: the machine that is to have the capability is not made.
    #[cfg(feature = "serde")]
    pub(crate) fn cannot(&mut self, why: String) -> Declared {
        self.problem.get_or_insert(why);
        self.plain(Kind::Tuple(Vec::new()))
    }

    /// Why one of the types cannot be declared.
    pub(crate) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// What a type has in it may be of the same type, so it gets its number first.
    fn named(&mut self, name: &str, make: impl FnOnce(&mut Self) -> Kind) -> Declared {
        if let Some(known) = self.find(name) {
            return known;
        }
        let declared = self.reserve(name);
        let kind = make(self);
        self.fill(declared, kind);
        declared
    }

    /// The record or enum of a name.
    pub(crate) fn find(&self, name: &str) -> Option<Declared> {
        self.named.get(name).copied().map(Declared)
    }

    /// The number of a record or enum that is [filled](Self::fill) in later.
    pub(crate) fn reserve(&mut self, name: &str) -> Declared {
        let number = self.types.0.len();
        self.types.0.push(Kind::Record(name.into(), Vec::new()));
        self.named.insert(name.to_owned(), number);
        Declared(number)
    }

    pub(crate) fn fill(&mut self, declared: Declared, kind: Kind) {
        if let Some(place) = self.types.0.get_mut(declared.0) {
            *place = kind;
        }
    }

    pub(crate) fn get(&self, declared: Declared) -> Type<'_> {
        Type { types: &self.types, index: declared.0 }
    }

    /// The records and enums as they are written in Fold.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        for &number in self.named.values() {
            let ty = self.get(Declared(number));
            let _ = match ty.kind() {
                Kind::Record(name, fields) => {
                    let fields = fields.iter().map(|field| format!("pub {}: {}", field.name, ty.other(field.ty)));
                    writeln!(out, "pub record {name} {{ {} }}\n", fields.collect::<Vec<_>>().join(", "))
                }
                Kind::Enum(name, variants) => {
                    let variants = variants.iter().map(|(name, fields)| format!("    {name}{}", payload(ty, fields)));
                    writeln!(out, "pub enum {name} {{\n{}\n}}\n", variants.collect::<Vec<_>>().join(",\n"))
                }
                _ => Ok(()),
            };
        }
        out
    }
}

/// What a variant holds, as it is written.
fn payload(ty: Type<'_>, fields: &[Field]) -> String {
    let is_named = fields.iter().any(|field| !field.name.starts_with(|c: char| c.is_ascii_digit()));
    let field = |field: &Field| match is_named {
        true => format!("{}: {}", field.name, ty.other(field.ty)),
        false => ty.other(field.ty).to_string(),
    };
    let all = fields.iter().map(field).collect::<Vec<_>>().join(", ");
    match (fields.is_empty(), is_named) {
        (true, _) => String::new(),
        (false, true) => format!(" {{ {all} }}"),
        (false, false) => format!("({all})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Int\nString\nRecord Row name:1 next:3\nOption 2\nEnum E A B/0:1/why:0\nResult 2 4\nTuple\n\
        fn load dir=Dir name:1 -> 5\nfn stop -> 6\nno each its parameter `f` is of type `fn() -> Int`\n";

    #[test]
    fn an_interface_is_read_and_shown_as_it_is_written_in_fold() {
        let interface = Interface::parse(TEXT.as_bytes()).unwrap();
        let shown: Vec<String> = interface.functions().map(|function| interface.show(function)).collect();
        assert_eq!(shown, ["fn load(dir: Dir, name: String) -> Result<Row, E>", "fn stop() -> ()"]);
        assert_eq!(interface.kept("each"), Some("its parameter `f` is of type `fn() -> Int`"));
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for line in ["List", "List 9", "List 0 0", "Map 0", "Record", "Record R x", "Record R x:9", "Enum E A/x", "Odd"]
        {
            assert!(Interface::parse(format!("Int\n{line}").as_bytes()).is_none(), "{line}");
        }
        for line in ["fn f", "fn f ->", "fn f -> 9", "fn f x:9 -> 0", "fn f x -> 0", "no f"] {
            assert!(Interface::parse(format!("Int\n{line}").as_bytes()).is_none(), "{line}");
        }
        assert!(Interface::parse(&[0xff]).is_none());
        // Types that consist of themselves, or of more than can be written down.
        let doubling: String = (1..30).map(|next| format!("Tuple {next} {next}\n")).chain(["Int\n".into()]).collect();
        let deep: String = (1..200).map(|next| format!("List {next}\n")).chain(["Int\n".into()]).collect();
        for text in ["List 0", "Option 1\nTuple 0", &doubling, &deep] {
            assert!(Interface::parse(text.as_bytes()).is_none(), "{text}");
        }
        assert!(Interface::parse(b"List 1\nRecord R x:0").is_some());
        // No damage is a panic.
        for at in 0..TEXT.len() {
            for byte in [b' ', b'/', b'9', b'\n'] {
                let mut text = TEXT.as_bytes().to_vec();
                text[at] = byte;
                if let Some(interface) = Interface::parse(&text) {
                    interface.functions().for_each(|function| drop(interface.show(function)));
                }
            }
        }
    }
}
