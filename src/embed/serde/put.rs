//! From the host: a serializer that puts what it is told as a value of the program's type.

use std::sync::LazyLock;

use ::serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::Problem;
use crate::embed::convert::ToFold;
use crate::embed::mismatch::Mismatch;
use crate::embed::types::{Declarations, Declared, Field, Kind, Type};
use crate::embed::wire::Writer;

type Done = Result<(), Problem>;

/// Where one value is put.
pub(super) struct Put<'a, 'w> {
    pub ty: Type<'a>,
    pub to: &'w mut Writer,
}

impl<'a, 'w> Put<'a, 'w> {
    fn value(self, value: &(impl ToFold + ?Sized)) -> Done {
        Ok(value.to_fold(self.ty, self.to)?)
    }

    fn wrong<T>(&self, found: impl Into<String>) -> Result<T, Problem> {
        Err(Mismatch::new(self.ty, found).into())
    }

    /// Begins what has any number of parts.
    fn elements(self) -> Result<Parts<'a, 'w>, Problem> {
        let of = match self.ty.kind() {
            Kind::List(of) | Kind::Set(of) => Of::All(self.ty.other(*of)),
            Kind::Bytes => Of::Bytes,
            _ => return self.wrong("a list"),
        };
        Ok(Parts { of, at: 0, ty: self.ty, count: Some(self.to.later()), nests: false, to: self.to })
    }

    /// Begins what has as many parts as the host says.
    fn tuple(self, count: usize) -> Result<Parts<'a, 'w>, Problem> {
        match self.ty.kind() {
            Kind::Tuple(parts) if parts.len() == count => {
                let of = Of::Each(parts.iter().map(|part| self.ty.other(*part)).collect());
                Ok(Parts { of, at: 0, ty: self.ty, count: None, nests: false, to: self.to })
            }
            Kind::Tuple(_) => self.wrong(format!("a tuple of {count}")),
            _ => self.elements(),
        }
    }

    fn record(self) -> Result<Named<'a, 'w>, Problem> {
        match self.ty.kind() {
            Kind::Record(_, fields) => Named::new(self.ty, fields, self.to),
            _ => self.wrong("a record"),
        }
    }

    /// Begins a variant: its fields.
    fn variant(&mut self, name: &str) -> Result<&'a [Field], Problem> {
        let found = match self.ty.kind() {
            Kind::Enum(_, variants) => variants.iter().enumerate().find(|(_, (other, _))| **other == *name),
            _ => None,
        };
        let Some((tag, (_, fields))) = found else { return self.wrong(format!("the variant {name}")) };
        self.to.count(tag);
        Ok(fields)
    }
}

/// Those of a variant, if they have no names and are so many.
fn unnamed<'a>(ty: Type<'a>, fields: &'a [Field], count: usize) -> Result<Vec<Type<'a>>, Problem> {
    let is_named = fields.iter().any(|field| !field.name.starts_with(|c: char| c.is_ascii_digit()));
    if fields.len() != count || is_named {
        return Err(Mismatch::new(ty, format!("a variant with {count} unnamed fields")).into());
    }
    Ok(fields.iter().map(|field| ty.other(field.ty)).collect())
}

macro_rules! plain {
    ($($name:ident: $ty:ty)*) => {$(
        fn $name(self, value: $ty) -> Done {
            self.value(&value)
        }
    )*};
}

impl<'a, 'w> Serializer for Put<'a, 'w> {
    type Ok = ();
    type Error = Problem;
    type SerializeSeq = Parts<'a, 'w>;
    type SerializeTuple = Parts<'a, 'w>;
    type SerializeTupleStruct = Parts<'a, 'w>;
    type SerializeTupleVariant = Parts<'a, 'w>;
    type SerializeMap = Entries<'a, 'w>;
    type SerializeStruct = Entries<'a, 'w>;
    type SerializeStructVariant = Named<'a, 'w>;

    plain! {
        serialize_bool: bool
        serialize_i8: i8
        serialize_i16: i16
        serialize_i32: i32
        serialize_i64: i64
        serialize_i128: i128
        serialize_u8: u8
        serialize_u16: u16
        serialize_u32: u32
        serialize_u64: u64
        serialize_u128: u128
        serialize_f32: f32
        serialize_f64: f64
        serialize_char: char
        serialize_str: &str
    }

    fn serialize_bytes(self, value: &[u8]) -> Done {
        match self.ty.kind() {
            Kind::Bytes => self.to.bytes(value),
            _ => return self.wrong("bytes"),
        }
        Ok(())
    }

    fn serialize_none(self) -> Done {
        match self.ty.kind() {
            Kind::Option(_) => self.to.word(0),
            _ => return self.wrong("an option"),
        }
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        let Kind::Option(of) = self.ty.kind() else { return self.wrong("an option") };
        self.to.word(1);
        let of = self.ty.other(*of);
        value.serialize(Put { ty: of, to: self.to }).map_err(|problem| problem.of(of).into())
    }

    fn serialize_unit(self) -> Done {
        self.value(&())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Done {
        match self.ty.kind() {
            Kind::Record(..) => SerializeStruct::end(self.serialize_struct("", 0)?),
            _ => self.value(&()),
        }
    }

    fn serialize_unit_variant(mut self, _: &'static str, _: u32, variant: &'static str) -> Done {
        let fields = self.variant(variant)?;
        if fields.is_empty() { Ok(()) } else { self.wrong(format!("{variant} without fields")) }
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Done {
        if let (Kind::Result(good, bad), "Result", "Ok" | "Err") = (self.ty.kind(), name, variant) {
            let is_error = variant == "Err";
            self.to.word(is_error.into());
            let of = self.ty.other(if is_error { *bad } else { *good });
            return value.serialize(Put { ty: of, to: self.to }).map_err(|problem| problem.of(of).into());
        }
        let fields = self.variant(variant)?;
        let of = Of::Each(unnamed(self.ty, fields, 1)?);
        self.to.enter()?;
        let mut parts = Parts { of, at: 0, ty: self.ty, count: None, nests: true, to: self.to };
        parts.add(value)?;
        parts.finish()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Problem> {
        self.elements()
    }

    fn serialize_tuple(self, count: usize) -> Result<Self::SerializeTuple, Problem> {
        self.tuple(count)
    }

    fn serialize_tuple_struct(self, _: &'static str, count: usize) -> Result<Self::SerializeTupleStruct, Problem> {
        self.tuple(count)
    }

    fn serialize_tuple_variant(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        count: usize,
    ) -> Result<Self::SerializeTupleVariant, Problem> {
        let fields = self.variant(variant)?;
        let of = Of::Each(unnamed(self.ty, fields, count)?);
        self.to.enter()?;
        Ok(Parts { of, at: 0, ty: self.ty, count: None, nests: true, to: self.to })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Problem> {
        match self.ty.kind() {
            Kind::Map(key, value) => {
                let (key, value) = (self.ty.other(*key), self.ty.other(*value));
                Ok(Entries::Map { key, value, at: self.to.later(), count: 0, to: self.to })
            }
            Kind::Record(..) => Ok(Entries::Record { fields: self.record()?, key: String::new() }),
            _ => self.wrong("a map"),
        }
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Problem> {
        match self.ty.kind() {
            Kind::Map(..) => self.serialize_map(None),
            _ => Ok(Entries::Record { fields: self.record()?, key: String::new() }),
        }
    }

    fn serialize_struct_variant(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        count: usize,
    ) -> Result<Self::SerializeStructVariant, Problem> {
        let fields = self.variant(variant)?;
        if fields.is_empty() && count > 0 {
            return self.wrong(format!("{variant} with fields"));
        }
        Named::variant(self.ty, fields, self.to)
    }
}

/// Parts that follow one another.
pub(super) struct Parts<'a, 'w> {
    of: Of<'a>,
    at: usize,
    ty: Type<'a>,
    /// Where it is to stand how many there are, if it is.
    count: Option<usize>,
    /// Whether what they are in counts as deeper.
    nests: bool,
    to: &'w mut Writer,
}

/// The types of parts.
enum Of<'a> {
    All(Type<'a>),
    Each(Vec<Type<'a>>),
    Bytes,
}

impl Parts<'_, '_> {
    fn add<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        let ty = match &self.of {
            Of::All(of) => *of,
            Of::Each(types) => match types.get(self.at) {
                Some(of) => *of,
                None => return Err(Mismatch::new(self.ty, "more parts than it has").into()),
            },
            Of::Bytes => {
                let wrong = || Mismatch::new(self.ty, "what is no byte").within(&self.at.to_string());
                self.to.bytes.push(byte(value).ok_or_else(wrong)?);
                self.at += 1;
                return Ok(());
            }
        };
        let put = value.serialize(Put { ty, to: self.to });
        put.map_err(|problem| problem.within(&self.at.to_string(), ty))?;
        self.at += 1;
        Ok(())
    }

    fn finish(self) -> Done {
        match (self.count, &self.of) {
            (Some(place), _) => self.to.set_count(place, self.at),
            (None, Of::Each(types)) if types.len() != self.at => {
                return Err(Mismatch::new(self.ty, format!("{} parts", self.at)).into());
            }
            // The empty tuple.
            _ if self.at == 0 => self.to.word(0),
            _ => {}
        }
        if self.nests {
            self.to.leave();
        }
        Ok(())
    }
}

macro_rules! parts {
    ($($of:ident $add:ident;)*) => {$(
        impl $of for Parts<'_, '_> {
            type Ok = ();
            type Error = Problem;

            fn $add<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
                self.add(value)
            }

            fn end(self) -> Done {
                self.finish()
            }
        }
    )*};
}

parts! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}

/// Fields of a record or variant, in whatever order they come: those that come early wait.
pub(super) struct Named<'a, 'w> {
    ty: Type<'a>,
    fields: &'a [Field],
    /// Those that came before one that stands before them.
    early: Vec<Option<Writer>>,
    /// How many have been put.
    put: usize,
    to: &'w mut Writer,
}

impl<'a, 'w> Named<'a, 'w> {
    fn new(ty: Type<'a>, fields: &'a [Field], to: &'w mut Writer) -> Result<Self, Problem> {
        if fields.is_empty() {
            to.word(0);
        }
        Self::variant(ty, fields, to)
    }

    /// A variant without fields is its tag.
    fn variant(ty: Type<'a>, fields: &'a [Field], to: &'w mut Writer) -> Result<Self, Problem> {
        to.enter()?;
        Ok(Self { ty, fields, early: Vec::new(), put: 0, to })
    }

    fn add<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Done {
        let is_next = self.fields.get(self.put).is_some_and(|field| *field.name == *name);
        let found = if is_next { Some(self.put) } else { self.fields.iter().position(|field| *field.name == *name) };
        let Some(at) = found else { return Err(Mismatch::new(self.ty, format!("a field {name} more")).into()) };
        if at < self.put || self.early.get(at).is_some_and(Option::is_some) {
            return Err(Mismatch::new(self.ty, format!("two fields {name}")).into());
        }
        let ty = self.ty.other(self.fields[at].ty);
        let within = |problem: Problem| problem.within(name, ty);
        if at == self.put {
            value.serialize(Put { ty, to: self.to }).map_err(within)?;
            self.put += 1;
            self.put_early();
        } else {
            let mut beside = self.to.beside();
            value.serialize(Put { ty, to: &mut beside }).map_err(within)?;
            self.early.resize_with(self.fields.len(), || None);
            self.early[at] = Some(beside);
        }
        Ok(())
    }

    fn put_early(&mut self) {
        while let Some(early) = self.early.get_mut(self.put).and_then(Option::take) {
            self.to.append(&early);
            self.put += 1;
        }
    }

    fn finish(mut self) -> Done {
        while let Some(field) = self.fields.get(self.put) {
            // What the host leaves out is nothing.
            match self.ty.other(field.ty).kind() {
                Kind::Option(_) => self.to.word(0),
                _ => return Err(Mismatch::new(self.ty, format!("no field {}", field.name)).into()),
            }
            self.put += 1;
            self.put_early();
        }
        self.to.leave();
        Ok(())
    }
}

impl SerializeStructVariant for Named<'_, '_> {
    type Ok = ();
    type Error = Problem;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Done {
        self.add(key, value)
    }

    fn end(self) -> Done {
        self.finish()
    }
}

/// What has keys.
pub(super) enum Entries<'a, 'w> {
    Map {
        key: Type<'a>,
        value: Type<'a>,
        /// Where it is to stand how many there are.
        at: usize,
        count: usize,
        to: &'w mut Writer,
    },
    Record {
        fields: Named<'a, 'w>,
        /// That of the value that comes next.
        key: String,
    },
}

impl Entries<'_, '_> {
    fn finish(self) -> Done {
        match self {
            Self::Map { at, count, to, .. } => {
                to.set_count(at, count);
                Ok(())
            }
            Self::Record { fields, .. } => fields.finish(),
        }
    }
}

impl SerializeMap for Entries<'_, '_> {
    type Ok = ();
    type Error = Problem;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, next: &T) -> Done {
        match self {
            Self::Map { key, to, .. } => {
                next.serialize(Put { ty: *key, to }).map_err(|problem| problem.of(*key).into())
            }
            Self::Record { fields, key } => {
                *key = name(next).ok_or_else(|| Mismatch::new(fields.ty, "a key that is no string"))?;
                Ok(())
            }
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, next: &T) -> Done {
        match self {
            Self::Map { value, count, to, .. } => {
                *count += 1;
                next.serialize(Put { ty: *value, to }).map_err(|problem| problem.of(*value).into())
            }
            Self::Record { fields, key } => fields.add(key, next),
        }
    }

    fn end(self) -> Done {
        self.finish()
    }
}

impl SerializeStruct for Entries<'_, '_> {
    type Ok = ();
    type Error = Problem;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Done {
        match self {
            Self::Map { .. } => self.serialize_entry(key, value),
            Self::Record { fields, .. } => fields.add(key, value),
        }
    }

    fn end(self) -> Done {
        self.finish()
    }
}

/// Types of what stands for something else: an element of bytes, and the name of a field where it is the key of a map.
struct Plain {
    declarations: Declarations,
    byte: Declared,
    name: Declared,
}

static PLAIN: LazyLock<Plain> = LazyLock::new(|| {
    let mut declarations = Declarations::default();
    let (byte, name) = (declarations.plain(Kind::Int), declarations.plain(Kind::String));
    Plain { declarations, byte, name }
});

/// A value as a byte, if it is one.
fn byte(value: &(impl Serialize + ?Sized)) -> Option<u8> {
    let mut to = Writer::default();
    value.serialize(Put { ty: PLAIN.declarations.get(PLAIN.byte), to: &mut to }).ok()?;
    let word = to.words.first_chunk()?;
    u8::try_from(i64::from_le_bytes(*word)).ok()
}

/// A value as a name, if it is a text.
fn name(value: &(impl Serialize + ?Sized)) -> Option<String> {
    let mut to = Writer::default();
    value.serialize(Put { ty: PLAIN.declarations.get(PLAIN.name), to: &mut to }).ok()?;
    String::from_utf8(to.bytes).ok()
}
