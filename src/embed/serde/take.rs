//! To the host: a deserializer that tells what it takes of a value of the program's type.

use ::serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
    value::{SeqDeserializer, StrDeserializer},
};

use super::Problem;
use crate::embed::convert::FromFold;
use crate::embed::mismatch::Mismatch;
use crate::embed::types::{Field, Kind, Type};
use crate::embed::wire::Reader;

/// Where one value is taken from.
pub(super) struct Take<'a, 'r, 'w> {
    pub ty: Type<'a>,
    pub from: &'r mut Reader<'w>,
}

impl<'a, 'w> Take<'a, '_, 'w> {
    fn wrong<T>(&self, found: impl Into<String>) -> Result<T, Problem> {
        Err(Mismatch::new(self.ty, found).into())
    }

    fn value<T: FromFold>(self) -> Result<T, Problem> {
        Ok(T::from_fold(self.ty, self.from)?)
    }

    fn elements<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.ty.kind() {
            Kind::List(of) | Kind::Set(of) => {
                let (of, left) = (self.ty.other(*of), self.from.count()?);
                self.from.nested(|from| visitor.visit_seq(Elements { of, at: 0, left, from }))
            }
            Kind::Bytes => visitor.visit_seq(SeqDeserializer::new(self.from.bytes()?.iter().copied())),
            _ => self.wrong("a list"),
        }
    }

    fn parts<'de, V: Visitor<'de>>(self, parts: &[usize], visitor: V) -> Result<V::Value, Problem> {
        if parts.is_empty() {
            self.from.word()?;
        }
        let types: Vec<Type<'a>> = parts.iter().map(|part| self.ty.other(*part)).collect();
        self.from.nested(|from| visitor.visit_seq(Parts { types: &types, at: 0, from }))
    }

    fn record<'de, V: Visitor<'de>>(self, fields: &[Field], visitor: V) -> Result<V::Value, Problem> {
        if fields.is_empty() {
            self.from.word()?;
        }
        let Self { ty, from } = self;
        from.nested(|from| visitor.visit_map(Named { ty, fields, at: 0, from }))
    }

    fn entries<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.ty.kind() {
            Kind::Map(key, value) => {
                let (key, value, left) = (self.ty.other(*key), self.ty.other(*value), self.from.count()?);
                self.from.nested(|from| visitor.visit_map(Entries { key, value, left, from }))
            }
            Kind::Record(_, fields) => self.record(fields, visitor),
            _ => self.wrong("a map"),
        }
    }

    /// Which variant it is, and its fields.
    fn variant(self) -> Result<Chosen<'a, Self>, Problem> {
        match self.ty.kind() {
            Kind::Enum(_, variants) => {
                let tag = usize::try_from(self.from.word()?).ok();
                let (name, fields) = tag.and_then(|tag| variants.get(tag)).ok_or_else(Mismatch::malformed)?;
                Ok(Chosen { name, payload: Payload::Fields(fields), take: self })
            }
            Kind::Result(good, bad) => {
                let (name, of) = match self.from.word()? {
                    0 => ("Ok", good),
                    1 => ("Err", bad),
                    _ => return Err(Mismatch::malformed().into()),
                };
                Ok(Chosen { name, payload: Payload::One(self.ty.other(*of)), take: self })
            }
            _ => self.wrong("an enum"),
        }
    }

    fn option<'de, V: Visitor<'de>>(self, of: usize, visitor: V) -> Result<V::Value, Problem> {
        let of = self.ty.other(of);
        match self.from.word()? {
            0 => visitor.visit_none(),
            1 => {
                let some = self.from.nested(|from| visitor.visit_some(Take { ty: of, from }));
                some.map_err(|problem| problem.of(of).into())
            }
            _ => Err(Mismatch::malformed().into()),
        }
    }
}

macro_rules! plain {
    ($($name:ident $visit:ident: $ty:ty;)*) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
            visitor.$visit(self.value::<$ty>()?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Take<'_, '_, '_> {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.ty.kind() {
            Kind::Int => self.deserialize_i64(visitor),
            Kind::Float => self.deserialize_f64(visitor),
            Kind::Bool => self.deserialize_bool(visitor),
            Kind::Char => self.deserialize_char(visitor),
            Kind::String | Kind::Error => self.deserialize_str(visitor),
            Kind::Bytes | Kind::List(_) | Kind::Set(_) => self.elements(visitor),
            Kind::Tuple(parts) if parts.is_empty() => self.deserialize_unit(visitor),
            Kind::Tuple(parts) => self.parts(parts, visitor),
            Kind::Map(..) => self.entries(visitor),
            Kind::Option(of) => self.option(*of, visitor),
            Kind::Record(_, fields) => self.record(fields, visitor),
            Kind::Enum(..) | Kind::Result(..) => {
                let chosen = self.variant()?;
                match chosen.payload {
                    Payload::Fields([]) => visitor.visit_str(chosen.name),
                    _ => visitor.visit_map(One { chosen: Some(chosen), payload: None }),
                }
            }
        }
    }

    plain! {
        deserialize_bool visit_bool: bool;
        deserialize_i8 visit_i8: i8;
        deserialize_i16 visit_i16: i16;
        deserialize_i32 visit_i32: i32;
        deserialize_i64 visit_i64: i64;
        deserialize_i128 visit_i128: i128;
        deserialize_u8 visit_u8: u8;
        deserialize_u16 visit_u16: u16;
        deserialize_u32 visit_u32: u32;
        deserialize_u64 visit_u64: u64;
        deserialize_u128 visit_u128: u128;
        deserialize_f32 visit_f32: f32;
        deserialize_f64 visit_f64: f64;
        deserialize_char visit_char: char;
        deserialize_string visit_string: String;
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.ty.kind() {
            Kind::String | Kind::Error => visitor.visit_str(self.from.text()?),
            _ => self.wrong("a string"),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.ty.kind() {
            Kind::Bytes => visitor.visit_bytes(self.from.bytes()?),
            _ => self.wrong("bytes"),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.ty.kind() {
            Kind::Option(of) => self.option(*of, visitor),
            _ => self.wrong("an option"),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.value::<()>()?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Problem> {
        match self.ty.kind() {
            Kind::Record(_, fields) if fields.is_empty() => {
                self.from.word()?;
                visitor.visit_unit()
            }
            _ => self.deserialize_unit(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.elements(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, count: usize, visitor: V) -> Result<V::Value, Problem> {
        match self.ty.kind() {
            Kind::Tuple(parts) if parts.len() == count => self.parts(parts, visitor),
            Kind::Tuple(_) => self.wrong(format!("a tuple of {count}")),
            _ => self.elements(visitor),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        count: usize,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.deserialize_tuple(count, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.entries(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        match self.ty.kind() {
            Kind::Record(..) | Kind::Map(..) => self.entries(visitor),
            _ => self.wrong("a record"),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_enum(self.variant()?)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_any(visitor)
    }
}

/// Elements of a list or set.
struct Elements<'a, 'r, 'w> {
    of: Type<'a>,
    at: usize,
    left: usize,
    from: &'r mut Reader<'w>,
}

impl<'de> SeqAccess<'de> for Elements<'_, '_, '_> {
    type Error = Problem;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Problem> {
        if self.left == 0 {
            return Ok(None);
        }
        let taken = seed.deserialize(Take { ty: self.of, from: self.from });
        let taken = taken.map_err(|problem| problem.within(&self.at.to_string(), self.of))?;
        (self.at, self.left) = (self.at + 1, self.left - 1);
        Ok(Some(taken))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// Parts of a tuple, or fields without names.
struct Parts<'a, 'r, 'w> {
    types: &'r [Type<'a>],
    at: usize,
    from: &'r mut Reader<'w>,
}

impl<'de> SeqAccess<'de> for Parts<'_, '_, '_> {
    type Error = Problem;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Problem> {
        let Some(&ty) = self.types.get(self.at) else { return Ok(None) };
        let taken = seed.deserialize(Take { ty, from: self.from });
        let taken = taken.map_err(|problem| problem.within(&self.at.to_string(), ty))?;
        self.at += 1;
        Ok(Some(taken))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.types.len() - self.at)
    }
}

/// Fields of a record or variant.
struct Named<'a, 'r, 'w> {
    ty: Type<'a>,
    fields: &'r [Field],
    /// The field whose name was told last, counted from 1.
    at: usize,
    from: &'r mut Reader<'w>,
}

impl<'de> MapAccess<'de> for Named<'_, '_, '_> {
    type Error = Problem;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Problem> {
        let Some(field) = self.fields.get(self.at) else { return Ok(None) };
        self.at += 1;
        let name: StrDeserializer<'_, Problem> = (*field.name).into_deserializer();
        seed.deserialize(name).map(Some).map_err(|problem| problem.of(self.ty).into())
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Problem> {
        let field = self.at.checked_sub(1).and_then(|at| self.fields.get(at));
        let Some(field) = field else { return Err(Mismatch::malformed().into()) };
        let ty = self.ty.other(field.ty);
        let taken = seed.deserialize(Take { ty, from: self.from });
        taken.map_err(|problem| problem.within(&field.name, ty))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.fields.len() - self.at)
    }
}

/// Keys of a map and what they stand for.
struct Entries<'a, 'r, 'w> {
    key: Type<'a>,
    value: Type<'a>,
    left: usize,
    from: &'r mut Reader<'w>,
}

impl<'de> MapAccess<'de> for Entries<'_, '_, '_> {
    type Error = Problem;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Problem> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let key = seed.deserialize(Take { ty: self.key, from: self.from });
        key.map(Some).map_err(|problem| problem.of(self.key).into())
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Problem> {
        let value = seed.deserialize(Take { ty: self.value, from: self.from });
        value.map_err(|problem| problem.of(self.value).into())
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// A variant whose name is known.
struct Chosen<'a, From> {
    name: &'a str,
    payload: Payload<'a>,
    take: From,
}

/// What a variant holds.
#[derive(Clone, Copy)]
enum Payload<'a> {
    Fields(&'a [Field]),
    /// That of a result.
    One(Type<'a>),
}

impl<'a, 'r, 'w, 'de> EnumAccess<'de> for Chosen<'a, Take<'a, 'r, 'w>> {
    type Error = Problem;
    type Variant = Held<'a, 'r, 'w>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), Problem> {
        let Take { ty, from } = self.take;
        let name: StrDeserializer<'_, Problem> = self.name.into_deserializer();
        let chosen = seed.deserialize(name).map_err(|problem| problem.of(ty))?;
        Ok((chosen, Held { name: self.name, payload: self.payload, ty, from }))
    }
}

/// What a variant holds, to be taken.
struct Held<'a, 'r, 'w> {
    name: &'a str,
    payload: Payload<'a>,
    ty: Type<'a>,
    from: &'r mut Reader<'w>,
}

impl<'a> Held<'a, '_, '_> {
    fn wrong<T>(&self, with: &str) -> Result<T, Problem> {
        Err(Mismatch::new(self.ty, format!("{} with {with}", self.name)).into())
    }

    /// The types of what it holds, if that has no names.
    fn unnamed(&self) -> Option<Vec<Type<'a>>> {
        match self.payload {
            Payload::One(of) => Some(vec![of]),
            Payload::Fields(fields) => {
                let is_named = |field: &Field| !field.name.starts_with(|c: char| c.is_ascii_digit());
                let is_unnamed = !fields.iter().any(is_named);
                is_unnamed.then(|| fields.iter().map(|field| self.ty.other(field.ty)).collect())
            }
        }
    }
}

impl<'de> VariantAccess<'de> for Held<'_, '_, '_> {
    type Error = Problem;

    fn unit_variant(self) -> Result<(), Problem> {
        match self.payload {
            Payload::Fields([]) => Ok(()),
            _ => self.wrong("no fields"),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Problem> {
        let types = self.unnamed().unwrap_or_default();
        let [ty] = types[..] else { return self.wrong("one unnamed field") };
        let taken = self.from.nested(|from| seed.deserialize(Take { ty, from }));
        match self.payload {
            Payload::One(_) => taken.map_err(|problem| problem.of(ty).into()),
            Payload::Fields(_) => taken.map_err(|problem| problem.within("0", ty)),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, count: usize, visitor: V) -> Result<V::Value, Problem> {
        match self.unnamed() {
            Some(types) if types.len() == count && count > 0 => {
                self.from.nested(|from| visitor.visit_seq(Parts { types: &types, at: 0, from }))
            }
            _ => self.wrong(&format!("{count} unnamed fields")),
        }
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Problem> {
        let Self { payload: Payload::Fields(fields), ty, from, .. } = self else { return self.wrong("named fields") };
        from.nested(|from| visitor.visit_map(Named { ty, fields, at: 0, from }))
    }
}

/// A variant for who does not know that it is one: a map with its name, and what that holds.
struct One<'a, 'r, 'w> {
    chosen: Option<Chosen<'a, Take<'a, 'r, 'w>>>,
    payload: Option<Held<'a, 'r, 'w>>,
}

impl<'de> MapAccess<'de> for One<'_, '_, '_> {
    type Error = Problem;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Problem> {
        let Some(chosen) = self.chosen.take() else { return Ok(None) };
        let (name, payload) = chosen.variant_seed(seed)?;
        self.payload = Some(payload);
        Ok(Some(name))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Problem> {
        self.payload.take().map_or_else(|| Err(Mismatch::malformed().into()), |held| seed.deserialize(held))
    }
}

/// What a variant holds, for who does not know: one value, a sequence, or a map.
impl<'de> Deserializer<'de> for Held<'_, '_, '_> {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.unnamed() {
            Some(types) => match types[..] {
                [ty] => {
                    let taken = self.from.nested(|from| Take { ty, from }.deserialize_any(visitor));
                    taken.map_err(|problem| problem.of(ty).into())
                }
                _ => self.tuple_variant(types.len(), visitor),
            },
            None => self.struct_variant(&[], visitor),
        }
    }

    ::serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
