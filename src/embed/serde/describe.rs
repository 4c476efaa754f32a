//! What type of Fold a type is that serde knows: found by deserializers that have no value to give, only look what is asked of them, and end each
//! time when they know one thing more.
//!
//! ```text
//!  T::deserialize(Probe) ──► "a struct Order, with customer and lines" ──► its first field that is not known ──► "a string" ──► end
//!  T::deserialize(Probe) ──►            …                              ──► the next one                     ──► "a map"  … ──► end
//! ```
//!
//! Parts of tuples come in order, so that those before the one that is looked at need values: a [`Stand`] gives them.

use std::collections::BTreeMap;

use ::serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess,
    Visitor, value::StrDeserializer,
};

use super::Problem;
use crate::embed::types::{Declarations, Declared, Kind};

/// Things that are found out of one type: a million would be a mistake.
const MOST: usize = 1 << 14;

/// How deep types may nest, and values that stand for others.
const DEPTH: u32 = 64;

/// The type as which values of `T` cross.
///
/// # Errors
/// Why there is none, in words.
pub(super) fn describe<T: DeserializeOwned>(declarations: &mut Declarations) -> Result<Declared, String> {
    let of = std::any::type_name::<T>();
    let mut book = Book { nodes: vec![Node::Unknown], ..Book::default() };
    while book.leads_to_unknown(0, &mut Vec::new()) {
        let known = book.known;
        book.open.clear();
        book.depth = 0;
        let ended = book.probe(0).and_then(T::deserialize);
        if book.known == known || book.known > MOST {
            return Err(match ended {
                Err(problem) => format!("what {of} is in Fold cannot be told: {problem}"),
                Ok(_) => format!("what {of} is in Fold cannot be told: it takes anything"),
            });
        }
    }
    Ok(book.declare(0, declarations))
}

/// What is known so far.
#[derive(Default)]
struct Book {
    nodes: Vec<Node>,
    /// Records and enums by their names.
    named: BTreeMap<&'static str, usize>,
    /// Those of them that are being looked into.
    open: Vec<usize>,
    /// How many things were found.
    known: usize,
    /// How deep the present look is.
    depth: u32,
}

/// A type. Others are named by their numbers.
enum Node {
    Unknown,
    Plain(Kind),
    /// Of these, whether they are bytes is known when they are.
    List(usize),
    Option(usize),
    Map(usize, usize),
    Tuple(Vec<usize>),
    Record(&'static str, Vec<Field>),
    Enum(&'static str, Vec<Variant>),
    /// A record or enum that is there already.
    Same(usize),
}

struct Field {
    name: String,
    node: usize,
}

struct Variant {
    name: &'static str,
    /// What it holds, once that is known.
    fields: Option<Vec<Field>>,
}

/// The end of a look: something more is known.
fn found<T>() -> Result<T, Problem> {
    Err(Problem::Words("it was looked at".into()))
}

impl Book {
    fn probe(&mut self, at: usize) -> Result<Probe<'_>, Problem> {
        self.depth += 1;
        match self.depth <= DEPTH {
            true => Ok(Probe { book: self, at }),
            false => Err(Problem::Words("it nests too deep".into())),
        }
    }

    fn unknown(&mut self) -> usize {
        self.nodes.push(Node::Unknown);
        self.nodes.len() - 1
    }

    fn fields<N: ToString>(&mut self, names: impl IntoIterator<Item = N>) -> Vec<Field> {
        names.into_iter().map(|name| Field { name: name.to_string(), node: self.unknown() }).collect()
    }

    /// Fills in what is not known yet.
    fn learn(&mut self, at: usize, make: impl FnOnce(&mut Self) -> Node) {
        if matches!(self.nodes[at], Node::Unknown) {
            self.nodes[at] = make(self);
            self.known += 1;
        }
    }

    /// Whether there is something unknown in a type, or in those that it is made of, but for what was seen on the way.
    fn leads_to_unknown(&self, at: usize, seen: &mut Vec<usize>) -> bool {
        if seen.contains(&at) {
            return false;
        }
        match &self.nodes[at] {
            Node::Unknown => true,
            Node::Plain(_) => false,
            Node::List(of) | Node::Option(of) | Node::Same(of) => self.leads_to_unknown(*of, seen),
            Node::Map(key, value) => self.leads_to_unknown(*key, seen) || self.leads_to_unknown(*value, seen),
            Node::Tuple(parts) => parts.iter().any(|part| self.leads_to_unknown(*part, seen)),
            Node::Record(_, fields) => {
                seen.push(at);
                fields.iter().any(|field| self.leads_to_unknown(field.node, seen))
            }
            Node::Enum(_, variants) => {
                seen.push(at);
                variants.iter().any(|variant| match &variant.fields {
                    None => true,
                    Some(fields) => fields.iter().any(|field| self.leads_to_unknown(field.node, seen)),
                })
            }
        }
    }

    fn is_open_ended(&self, at: usize) -> bool {
        self.leads_to_unknown(at, &mut self.open.clone())
    }

    /// Has a value made of a node: one that is looked at, or if nothing is to be learned there one that stands for it.
    fn give<'de, S: DeserializeSeed<'de>>(&mut self, at: usize, seed: S) -> Result<S::Value, Problem> {
        if self.is_open_ended(at) {
            seed.deserialize(self.probe(at)?)
        } else {
            seed.deserialize(Stand { book: self, at, room: DEPTH })
        }
    }

    /// The node of the record or enum of this name: this one, if it is the first. Another one has to be the same.
    fn named(
        &mut self,
        at: usize,
        name: &'static str,
        is_same: impl Fn(&Node) -> bool,
        make: impl FnOnce(&mut Self) -> Node,
    ) -> Result<usize, Problem> {
        let Some(&other) = self.named.get(name) else {
            self.learn(at, make);
            self.named.insert(name, at);
            return Ok(at);
        };
        if !is_same(&self.nodes[other]) {
            return Err(Problem::Words(format!("there are two types {name}")));
        }
        if other != at {
            self.learn(at, |_| Node::Same(other));
        }
        Ok(other)
    }

    fn declare(&self, at: usize, declarations: &mut Declarations) -> Declared {
        let fields = |fields: &[Field], declarations: &mut Declarations| {
            let field = |field: &Field| (field.name.clone(), self.declare(field.node, declarations));
            fields.iter().map(field).collect::<Vec<_>>()
        };
        match &self.nodes[at] {
            Node::Unknown => declarations.plain(Kind::Tuple(Vec::new())),
            Node::Plain(kind) => declarations.plain(kind.clone()),
            Node::List(of) => {
                let of = self.declare(*of, declarations);
                declarations.plain(Kind::List(of.0))
            }
            Node::Option(of) => {
                let of = self.declare(*of, declarations);
                declarations.plain(Kind::Option(of.0))
            }
            Node::Map(key, value) => {
                let (key, value) = (self.declare(*key, declarations), self.declare(*value, declarations));
                declarations.plain(Kind::Map(key.0, value.0))
            }
            Node::Tuple(parts) => {
                let parts = parts.iter().map(|part| self.declare(*part, declarations).0).collect();
                declarations.plain(Kind::Tuple(parts))
            }
            Node::Record(name, all) => declarations.record(name, |declarations| fields(all, declarations)),
            Node::Enum("Result", variants) if is_result(variants) => {
                let of = |place: usize| variants.get(place)?.fields.as_ref()?.first();
                let mut part = |place| of(place).map_or(0, |field| self.declare(field.node, declarations).0);
                let (good, bad) = (part(0), part(1));
                declarations.plain(Kind::Result(good, bad))
            }
            Node::Enum(name, variants) => declarations.enumeration(name, |declarations| {
                let mut all = Vec::new();
                for variant in variants {
                    all.push((
                        variant.name.to_owned(),
                        fields(variant.fields.as_deref().unwrap_or_default(), declarations),
                    ));
                }
                all
            }),
            Node::Same(other) => self.declare(*other, declarations),
        }
    }
}

/// Whether it is the enum that is known to Fold too.
fn is_result(variants: &[Variant]) -> bool {
    variants.iter().map(|variant| variant.name).eq(["Ok", "Err"])
}

/// Looks what is asked of it.
struct Probe<'b> {
    book: &'b mut Book,
    at: usize,
}

impl Probe<'_> {
    fn plain<T>(self, kind: Kind) -> Result<T, Problem> {
        self.book.learn(self.at, |_| Node::Plain(kind));
        found()
    }

    fn tuple<'de, V: Visitor<'de>>(self, count: usize, visitor: V) -> Result<V::Value, Problem> {
        self.book.learn(self.at, |book| Node::Tuple((0..count).map(|_| book.unknown()).collect()));
        match &self.book.nodes[self.at] {
            Node::Tuple(parts) => {
                let parts = parts.clone();
                visitor.visit_seq(Parts { book: self.book, parts, next: 0 })
            }
            _ => found(),
        }
    }
}

macro_rules! plain {
    ($($kind:ident: $($name:ident)*;)*) => {$($(
        fn $name<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Problem> {
            self.plain(Kind::$kind)
        }
    )*)*};
}

fn anything<T>() -> Result<T, Problem> {
    Err(Problem::Words("only a value says what it is".into()))
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Problem;

    plain! {
        Bool: deserialize_bool;
        Int: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128;
        Int: deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128;
        Float: deserialize_f32 deserialize_f64;
        Char: deserialize_char;
        String: deserialize_str deserialize_string;
        Bytes: deserialize_bytes deserialize_byte_buf;
    }

    fn deserialize_u8<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Problem> {
        // A list of these is bytes.
        if let Some(list) = self.book.nodes.iter().position(|node| matches!(node, Node::List(of) if *of == self.at)) {
            self.book.nodes[list] = Node::Plain(Kind::Bytes);
        }
        self.plain(Kind::Int)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Problem> {
        anything()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.book.learn(self.at, |book| Node::Option(book.unknown()));
        match self.book.nodes[self.at] {
            Node::Option(at) => visitor.visit_some(self.book.probe(at)?),
            _ => found(),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Problem> {
        self.plain(Kind::Tuple(Vec::new()))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, _: V) -> Result<V::Value, Problem> {
        let is_same = |node: &Node| matches!(node, Node::Record(_, fields) if fields.is_empty());
        self.book.named(self.at, name, is_same, |_| Node::Record(name, Vec::new()))?;
        found()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.book.learn(self.at, |book| Node::List(book.unknown()));
        match self.book.nodes[self.at] {
            Node::List(of) => visitor.visit_seq(Parts { book: self.book, parts: vec![of], next: 0 }),
            _ => found(),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, count: usize, visitor: V) -> Result<V::Value, Problem> {
        self.tuple(count, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        count: usize,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.tuple(count, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.book.learn(self.at, |book| Node::Map(book.unknown(), book.unknown()));
        match self.book.nodes[self.at] {
            Node::Map(key, value) => visitor.visit_map(Entry { book: self.book, key, value }),
            _ => found(),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        let is_same = |node: &Node| {
            let known = |known: &[Field]| known.iter().map(|field| field.name.as_str()).eq(fields.iter().copied());
            matches!(node, Node::Record(_, all) if known(all))
        };
        let at = self.book.named(self.at, name, is_same, |book| Node::Record(name, book.fields(fields)))?;
        if self.book.open.contains(&at) {
            return found();
        }
        look_into(self.book, at, |book| fields_of(book, at), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        let make =
            |_: &mut Book| Node::Enum(name, variants.iter().map(|name| Variant { name, fields: None }).collect());
        // There are as many types of this name as it is used with.
        let at = match variants {
            ["Ok", "Err"] if name == "Result" => {
                self.book.learn(self.at, make);
                self.at
            }
            _ => {
                let known = |all: &[Variant]| all.iter().map(|variant| variant.name).eq(variants.iter().copied());
                let is_same = |node: &Node| matches!(node, Node::Enum(_, all) if known(all));
                self.book.named(self.at, name, is_same, make)?
            }
        };
        if self.book.open.contains(&at) {
            return found();
        }
        self.book.open.push(at);
        let Node::Enum(_, known) = &self.book.nodes[at] else { return found() };
        // What all of them hold first: a value may be needed meanwhile, and one without fields makes none deeper.
        let leads_on =
            |variant: &Variant| variant.fields.iter().flatten().any(|field| self.book.is_open_ended(field.node));
        let unseen = known.iter().position(|variant| variant.fields.is_none());
        let wanted = unseen.or_else(|| known.iter().position(leads_on));
        let Some(number) = wanted else { return found() };
        visitor.visit_enum(Chosen { book: self.book, at, number })
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Problem> {
        anything()
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Problem> {
        anything()
    }
}

/// The fields of a record.
fn fields_of(book: &Book, at: usize) -> Option<&[Field]> {
    match &book.nodes[at] {
        Node::Record(_, fields) => Some(fields),
        _ => None,
    }
}

/// Goes on with the first field in which something is not known.
fn look_into<'de, V: Visitor<'de>>(
    book: &mut Book,
    at: usize,
    fields: impl Fn(&Book) -> Option<&[Field]>,
    visitor: V,
) -> Result<V::Value, Problem> {
    if !book.open.contains(&at) {
        book.open.push(at);
    }
    let field = fields(book).unwrap_or_default().iter().find(|field| book.is_open_ended(field.node));
    let Some((name, node)) = field.map(|field| (field.name.clone(), field.node)) else { return found() };
    visitor.visit_map(One { book, name: Some(name), node })
}

/// Elements of a list, of which the first one is looked at, or parts of a tuple, up to the one that is.
struct Parts<'b> {
    book: &'b mut Book,
    parts: Vec<usize>,
    next: usize,
}

impl<'de> SeqAccess<'de> for Parts<'_> {
    type Error = Problem;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Problem> {
        let Some(&at) = self.parts.get(self.next) else { return Ok(None) };
        self.next += 1;
        self.book.give(at, seed).map(Some)
    }
}

/// An entry of a map: its key or its value is looked at.
struct Entry<'b> {
    book: &'b mut Book,
    key: usize,
    value: usize,
}

impl<'de> MapAccess<'de> for Entry<'_> {
    type Error = Problem;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Problem> {
        self.book.give(self.key, seed).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Problem> {
        seed.deserialize(self.book.probe(self.value)?)
    }
}

/// One field of a record.
struct One<'b> {
    book: &'b mut Book,
    name: Option<String>,
    node: usize,
}

impl<'de> MapAccess<'de> for One<'_> {
    type Error = Problem;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Problem> {
        let Some(name) = self.name.take() else { return Ok(None) };
        let name: StrDeserializer<'_, Problem> = name.as_str().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Problem> {
        seed.deserialize(self.book.probe(self.node)?)
    }
}

/// A variant that is looked at.
struct Chosen<'b> {
    book: &'b mut Book,
    at: usize,
    number: usize,
}

impl Chosen<'_> {
    fn fields(book: &Book, at: usize, number: usize) -> Option<&[Field]> {
        match &book.nodes[at] {
            Node::Enum(_, variants) => variants.get(number)?.fields.as_deref(),
            _ => None,
        }
    }

    fn learn<N: ToString>(&mut self, names: impl IntoIterator<Item = N>) {
        if Self::fields(self.book, self.at, self.number).is_none() {
            let fields = self.book.fields(names);
            if let Node::Enum(_, variants) = &mut self.book.nodes[self.at]
                && let Some(variant) = variants.get_mut(self.number)
            {
                variant.fields = Some(fields);
                self.book.known += 1;
            }
        }
    }

    fn parts(&self) -> Vec<usize> {
        Self::fields(self.book, self.at, self.number).unwrap_or_default().iter().map(|field| field.node).collect()
    }
}

impl<'de> EnumAccess<'de> for Chosen<'_> {
    type Error = Problem;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Problem> {
        let name = match &self.book.nodes[self.at] {
            Node::Enum(_, variants) => variants.get(self.number).map_or("", |variant| variant.name),
            _ => "",
        };
        let name: StrDeserializer<'_, Problem> = name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Chosen<'_> {
    type Error = Problem;

    fn unit_variant(mut self) -> Result<(), Problem> {
        self.learn::<&str>([]);
        found()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(mut self, seed: S) -> Result<S::Value, Problem> {
        self.learn([0]);
        match self.parts()[..] {
            [at] => seed.deserialize(self.book.probe(at)?),
            _ => found(),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(mut self, count: usize, visitor: V) -> Result<V::Value, Problem> {
        self.learn(0..count);
        let parts = self.parts();
        visitor.visit_seq(Parts { book: self.book, parts, next: 0 })
    }

    fn struct_variant<V: Visitor<'de>>(
        mut self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.learn(fields);
        let (at, number) = (self.at, self.number);
        look_into(self.book, at, |book| Self::fields(book, at, number), visitor)
    }
}

/// Gives a value of a type that is known, whichever.
struct Stand<'b> {
    book: &'b Book,
    at: usize,
    room: u32,
}

impl<'b> Stand<'b> {
    fn with(&self, at: usize) -> Result<Self, Problem> {
        let room = self.room.checked_sub(1);
        let room = room.ok_or_else(|| Problem::Words("each of its values has another one in it".into()))?;
        Ok(Self { book: self.book, at, room })
    }

    fn node(&self) -> &'b Node {
        match &self.book.nodes[self.at] {
            Node::Same(other) => &self.book.nodes[*other],
            node => node,
        }
    }

    fn all<'de, V: Visitor<'de>>(&self, parts: Vec<usize>, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_seq(Stands { of: self.with(self.at)?, parts: parts.into_iter() })
    }
}

impl<'de> Deserializer<'de> for Stand<'_> {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.node() {
            // None is zero, which some types leave out.
            Node::Plain(Kind::Int) => visitor.visit_u8(1),
            Node::Plain(Kind::Float) => visitor.visit_f64(1.0),
            Node::Plain(Kind::Bool) => visitor.visit_bool(true),
            Node::Plain(Kind::Char) => visitor.visit_char('a'),
            Node::Plain(Kind::Bytes) => visitor.visit_bytes(&[]),
            Node::Plain(Kind::Tuple(_)) => visitor.visit_unit(),
            Node::Plain(_) => visitor.visit_str(""),
            Node::List(_) => self.all(Vec::new(), visitor),
            Node::Option(_) => visitor.visit_none(),
            Node::Map(..) => visitor.visit_map(StandFields { of: self, fields: [].iter(), value: None }),
            Node::Tuple(parts) => self.all(parts.clone(), visitor),
            Node::Record(_, fields) => {
                let of = self.with(self.at)?;
                visitor.visit_map(StandFields { of, fields: fields.iter(), value: None })
            }
            Node::Enum(_, variants) => {
                // One without fields ends what has others of its type in it.
                let is_empty = |variant: &&Variant| variant.fields.as_ref().is_some_and(Vec::is_empty);
                let variant = variants.iter().find(is_empty).or(variants.first());
                let Some(variant) = variant else { return anything() };
                visitor.visit_enum(StandVariant { of: self.with(self.at)?, variant })
            }
            Node::Unknown | Node::Same(_) => anything(),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_unit()
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.all(Vec::new(), visitor)
    }

    ::serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// Values for the parts of something.
struct Stands<'b> {
    of: Stand<'b>,
    parts: std::vec::IntoIter<usize>,
}

impl<'de> SeqAccess<'de> for Stands<'_> {
    type Error = Problem;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Problem> {
        let Some(at) = self.parts.next() else { return Ok(None) };
        seed.deserialize(self.of.with(at)?).map(Some)
    }
}

/// Values for fields.
struct StandFields<'b> {
    of: Stand<'b>,
    fields: std::slice::Iter<'b, Field>,
    value: Option<usize>,
}

impl<'de> MapAccess<'de> for StandFields<'_> {
    type Error = Problem;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Problem> {
        let Some(field) = self.fields.next() else { return Ok(None) };
        self.value = Some(field.node);
        let name: StrDeserializer<'_, Problem> = field.name.as_str().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Problem> {
        match self.value.take() {
            Some(at) => seed.deserialize(self.of.with(at)?),
            None => anything(),
        }
    }
}

/// A variant with values for its fields.
struct StandVariant<'b> {
    of: Stand<'b>,
    variant: &'b Variant,
}

impl<'b> StandVariant<'b> {
    fn parts(&self) -> &'b [Field] {
        self.variant.fields.as_deref().unwrap_or_default()
    }
}

impl<'de> EnumAccess<'de> for StandVariant<'_> {
    type Error = Problem;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Problem> {
        let name: StrDeserializer<'_, Problem> = self.variant.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for StandVariant<'_> {
    type Error = Problem;

    fn unit_variant(self) -> Result<(), Problem> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Problem> {
        match self.parts() {
            [field] => seed.deserialize(self.of.with(field.node)?),
            _ => anything(),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Problem> {
        self.of.all(self.parts().iter().map(|field| field.node).collect(), visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Problem> {
        let fields = self.parts().iter();
        visitor.visit_map(StandFields { of: self.of, fields, value: None })
    }
}
