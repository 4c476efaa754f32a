//! Values that cross between a program and its host.

use std::ffi::c_char;

use pinfold::Value as Of;

use crate::entry::{delete, entry, handle, quiet, text, there_mut, values};
use crate::error::Error;

/// A value of a program in Fold. For one thread at a time.
///
/// Makers give values that are the caller's to delete. What a value is put into takes it over. Parts are looked at where they
/// are: valid as long as the whole, and not to be deleted.
// Written so that the header has an opaque type: of a plain `repr(transparent)` it would make an alias.
#[cfg_attr(all(), repr(transparent))]
pub struct Value(pub(crate) Of);

/// What a value is.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No value: NULL.
    Nothing,
    /// `Int`
    Int,
    /// `Float`
    Float,
    /// `Bool`
    Bool,
    /// `Char`
    Char,
    /// `String`, or the message of a `dyn Error`
    String,
    /// `Bytes`
    Bytes,
    /// A tuple; the unit `()` has no parts.
    Tuple,
    /// `List<T>`
    List,
    /// `Set<T>`
    Set,
    /// `Map<K, V>`
    Map,
    /// `None`
    None,
    /// `Some(_)`: its part is what is in it.
    Some,
    /// `Ok(_)`: its part is what is in it.
    Ok,
    /// `Err(_)`: its part is what is in it.
    Err,
    /// A record: its parts are its fields.
    Record,
    /// A variant of an enum: its parts are its fields.
    Variant,
}

fn made(make: impl FnOnce() -> Option<Of>) -> *mut Value {
    quiet(std::ptr::null_mut(), || make().map_or(std::ptr::null_mut(), |value| handle(Value(value))))
}

/// Takes a value over from the caller.
///
/// # Safety
/// The pointer is null, or a value of the caller's that is not used again.
unsafe fn taken(value: *mut Value) -> Option<Of> {
    // SAFETY: by contract it came from `handle`.
    (!value.is_null()).then(|| unsafe { Box::from_raw(value) }.0)
}

/// The unit `()`: a tuple without parts.
#[unsafe(no_mangle)]
pub extern "C" fn pinfold_value_unit() -> *mut Value {
    made(|| Some(Of::UNIT))
}

/// An `Int`.
#[unsafe(no_mangle)]
pub extern "C" fn pinfold_value_int(value: i64) -> *mut Value {
    made(|| Some(Of::Int(value)))
}

/// A `Float`.
#[unsafe(no_mangle)]
pub extern "C" fn pinfold_value_float(value: f64) -> *mut Value {
    made(|| Some(Of::Float(value)))
}

/// A `Bool`.
#[unsafe(no_mangle)]
pub extern "C" fn pinfold_value_bool(value: bool) -> *mut Value {
    made(|| Some(Of::Bool(value)))
}

/// A `Char`: a Unicode scalar value. NULL if it is none.
#[unsafe(no_mangle)]
pub extern "C" fn pinfold_value_char(value: u32) -> *mut Value {
    made(|| char::from_u32(value).map(Of::Char))
}

/// A `String` from UTF-8 with a zero byte at its end, which is copied. NULL if it is no UTF-8, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_value_string(value: *const c_char) -> *mut Value {
    // SAFETY: the caller gives a text or null.
    made(|| unsafe { text(value, "value") }.ok().map(Of::from))
}

/// A `String` from `length` bytes of UTF-8, which are copied and may have zeros among them. NULL if they are no UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_value_string_of(value: *const c_char, length: usize) -> *mut Value {
    made(|| {
        // SAFETY: the caller gives so many bytes.
        let bytes = unsafe { values(value.cast::<u8>(), length, "value") }.ok()?;
        std::str::from_utf8(bytes).ok().map(Of::from)
    })
}

/// `Bytes` from `length` bytes, which are copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_value_bytes(value: *const u8, length: usize) -> *mut Value {
    // SAFETY: the caller gives so many bytes.
    made(|| unsafe { values(value, length, "value") }.ok().map(|bytes| Of::Bytes(bytes.to_vec())))
}

/// A tuple, to which parts are added (`pinfold_value_push`).
#[unsafe(no_mangle)]
pub extern "C" fn pinfold_value_tuple() -> *mut Value {
    made(|| Some(Of::Tuple(Vec::new())))
}

/// A list, to which elements are added (`pinfold_value_push`).
#[unsafe(no_mangle)]
pub extern "C" fn pinfold_value_list() -> *mut Value {
    made(|| Some(Of::List(Vec::new())))
}

/// A set, to which elements are added (`pinfold_value_push`).
#[unsafe(no_mangle)]
pub extern "C" fn pinfold_value_set() -> *mut Value {
    made(|| Some(Of::Set(Vec::new())))
}

/// A map, to which entries are added (`pinfold_value_insert`).
#[unsafe(no_mangle)]
pub extern "C" fn pinfold_value_map() -> *mut Value {
    made(|| Some(Of::Map(Vec::new())))
}

/// `None`
#[unsafe(no_mangle)]
pub extern "C" fn pinfold_value_none() -> *mut Value {
    made(|| Some(Of::Option(None)))
}

/// `Some(value)`; takes the value over. NULL if that is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_value_some(value: *mut Value) -> *mut Value {
    // SAFETY: the caller gives up its value.
    made(|| unsafe { taken(value) }.map(|value| Of::Option(Some(Box::new(value)))))
}

/// `Ok(value)`; takes the value over. NULL if that is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_value_ok(value: *mut Value) -> *mut Value {
    // SAFETY: the caller gives up its value.
    made(|| unsafe { taken(value) }.map(|value| Of::Result(Ok(Box::new(value)))))
}

/// `Err(value)`; takes the value over. NULL if that is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_value_err(value: *mut Value) -> *mut Value {
    // SAFETY: the caller gives up its value.
    made(|| unsafe { taken(value) }.map(|value| Of::Result(Err(Box::new(value)))))
}

/// A record, whose fields are added (`pinfold_value_field_add`) by their names, in any order.
#[unsafe(no_mangle)]
pub extern "C" fn pinfold_value_record() -> *mut Value {
    made(|| Some(Of::Record(Vec::new())))
}

/// A variant of an enum. Fields with names are added (`pinfold_value_field_add`) by these, others in their order (`pinfold_value_push`).
/// NULL if the name is NULL or no UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_value_variant(name: *const c_char) -> *mut Value {
    // SAFETY: the caller gives a text or null.
    made(|| unsafe { text(name, "name") }.ok().map(|name| Of::Variant(name.into(), Vec::new())))
}

/// Adds the next part to a tuple, list or set, or the next field without a name to a variant. Takes the part over, also where
/// that fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_value_push(whole: *mut Value, part: *mut Value) -> *mut Error {
    entry(|| {
        // SAFETY: the caller gives up the part, and gives a value that it alone uses.
        let (part, whole) = unsafe { (taken(part), there_mut(whole, "whole")?) };
        let part = part.ok_or_else(|| Error::new("argument", "part is NULL"))?;
        match &mut whole.0 {
            Of::Tuple(parts) | Of::List(parts) | Of::Set(parts) => parts.push(part),
            Of::Variant(_, fields) => fields.push((fields.len().to_string().into(), part)),
            _ => return Err(wrong_kind("a tuple, list, set or variant")),
        }
        Ok(())
    })
}

/// Adds an entry to a map. Takes key and value over, also where that fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_value_insert(map: *mut Value, key: *mut Value, value: *mut Value) -> *mut Error {
    entry(|| {
        // SAFETY: the caller gives up key and value, and gives a value that it alone uses.
        let (key, value, map) = unsafe { (taken(key), taken(value), there_mut(map, "map")?) };
        let entry = key.zip(value).ok_or_else(|| Error::new("argument", "key or value is NULL"))?;
        let Of::Map(entries) = &mut map.0 else { return Err(wrong_kind("a map")) };
        entries.push(entry);
        Ok(())
    })
}

/// Adds a field to a record or variant. Takes the value over, also where that fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_value_field_add(
    whole: *mut Value,
    name: *const c_char,
    value: *mut Value,
) -> *mut Error {
    entry(|| {
        // SAFETY: the caller gives up the value, and gives a text, and a value that it alone uses.
        let (value, whole) = unsafe { (taken(value), there_mut(whole, "whole")?) };
        // SAFETY: as above.
        let name = unsafe { text(name, "name")? };
        let value = value.ok_or_else(|| Error::new("argument", "value is NULL"))?;
        let (Of::Record(fields) | Of::Variant(_, fields)) = &mut whole.0 else {
            return Err(wrong_kind("a record or variant"));
        };
        fields.push((name.into(), value));
        Ok(())
    })
}

fn wrong_kind(wanted: &str) -> Error {
    Error::new("argument", &format!("the value is not {wanted}"))
}

/// A copy, which is the caller's to delete. NULL if the value is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_value_copy(value: *const Value) -> *mut Value {
    // SAFETY: the caller gives a value or null.
    made(|| unsafe { value.as_ref() }.map(|value| value.0.clone()))
}

/// Frees a value with its parts; NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_value_delete(value: *mut Value) {
    // SAFETY: the caller does not use it again.
    unsafe { delete(value) }
}

/// What a value is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_value_kind(value: *const Value) -> Kind {
    // SAFETY: the caller gives a value or null.
    let Some(value) = (unsafe { value.as_ref() }) else { return Kind::Nothing };
    match &value.0 {
        Of::Int(_) => Kind::Int,
        Of::Float(_) => Kind::Float,
        Of::Bool(_) => Kind::Bool,
        Of::Char(_) => Kind::Char,
        Of::String(_) => Kind::String,
        Of::Bytes(_) => Kind::Bytes,
        Of::Tuple(_) => Kind::Tuple,
        Of::List(_) => Kind::List,
        Of::Set(_) => Kind::Set,
        Of::Map(_) => Kind::Map,
        Of::Option(None) => Kind::None,
        Of::Option(Some(_)) => Kind::Some,
        Of::Result(Ok(_)) => Kind::Ok,
        Of::Result(Err(_)) => Kind::Err,
        Of::Record(_) => Kind::Record,
        Of::Variant(..) => Kind::Variant,
    }
}

/// Whether it is an `Int`; `to` is written only then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_value_get_int(value: *const Value, to: *mut i64) -> bool {
    // SAFETY: the caller gives a value or null, and room or null.
    unsafe { get(value, to, |value| if let Of::Int(value) = value { Some(*value) } else { None }) }
}

/// Whether it is a `Float`; `to` is written only then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_value_get_float(value: *const Value, to: *mut f64) -> bool {
    // SAFETY: the caller gives a value or null, and room or null.
    unsafe { get(value, to, |value| if let Of::Float(value) = value { Some(*value) } else { None }) }
}

/// Whether it is a `Bool`; `to` is written only then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_value_get_bool(value: *const Value, to: *mut bool) -> bool {
    // SAFETY: the caller gives a value or null, and room or null.
    unsafe { get(value, to, |value| if let Of::Bool(value) = value { Some(*value) } else { None }) }
}

/// Whether it is a `Char`; `to` is written only then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_value_get_char(value: *const Value, to: *mut u32) -> bool {
    // SAFETY: the caller gives a value or null, and room or null.
    unsafe { get(value, to, |value| if let Of::Char(value) = value { Some(u32::from(*value)) } else { None }) }
}

/// # Safety
/// The pointers lead to what they say, or are null.
unsafe fn get<T>(value: *const Value, to: *mut T, get: impl FnOnce(&Of) -> Option<T>) -> bool {
    // SAFETY: by contract.
    let (value, to) = unsafe { (value.as_ref(), to.as_mut()) };
    let found = value.and_then(|value| get(&value.0)).zip(to);
    found.map(|(found, to)| *to = found).is_some()
}

/// The bytes of a `String`, which are UTF-8, or of `Bytes`: `length` of them, without a zero behind them. NULL for other values, with a
/// length of 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_value_text(value: *const Value, length: *mut usize) -> *const c_char {
    // SAFETY: the caller gives a value or null.
    let bytes = unsafe { value.as_ref() }.and_then(|value| match &value.0 {
        Of::String(text) => Some(text.as_bytes()),
        Of::Bytes(bytes) => Some(bytes.as_slice()),
        _ => None,
    });
    // SAFETY: the caller gives room or null.
    unsafe { told(bytes, length) }
}

/// The name of a variant: `length` bytes, without a zero behind them. NULL for other values.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_value_variant_name(value: *const Value, length: *mut usize) -> *const c_char {
    // SAFETY: the caller gives a value or null.
    let name = unsafe { value.as_ref() }
        .and_then(|value| if let Of::Variant(name, _) = &value.0 { Some(name.as_bytes()) } else { None });
    // SAFETY: the caller gives room or null.
    unsafe { told(name, length) }
}

/// Whether a value is the variant of this name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_value_is_variant(value: *const Value, name: *const c_char) -> bool {
    // SAFETY: the caller gives a value or null, and a text or null.
    let (value, name) = unsafe { (value.as_ref(), text(name, "name")) };
    let is = |value: &Value| matches!((&value.0, &name), (Of::Variant(own, _), Ok(name)) if **own == **name);
    quiet(false, || value.is_some_and(is))
}

/// # Safety
/// `length` is null or leads to room.
unsafe fn told(bytes: Option<&[u8]>, length: *mut usize) -> *const c_char {
    // SAFETY: by contract.
    if let Some(length) = unsafe { length.as_mut() } {
        *length = bytes.map_or(0, <[u8]>::len);
    }
    bytes.map_or(std::ptr::null(), |bytes| bytes.as_ptr().cast())
}

/// How many parts a value has: elements, entries, fields, what is in `Some`, `Ok` and `Err`. 0 for those that have none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_value_count(value: *const Value) -> usize {
    // SAFETY: the caller gives a value or null.
    let Some(value) = (unsafe { value.as_ref() }) else { return 0 };
    match &value.0 {
        Of::Tuple(parts) | Of::List(parts) | Of::Set(parts) => parts.len(),
        Of::Map(entries) => entries.len(),
        Of::Option(Some(_)) | Of::Result(_) => 1,
        Of::Record(fields) | Of::Variant(_, fields) => fields.len(),
        _ => 0,
    }
}

/// A part by its place, from 0 on; of a map the value of an entry. NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_value_part(value: *const Value, place: usize) -> *const Value {
    // SAFETY: the caller gives a value or null.
    let part = unsafe { value.as_ref() }.and_then(|value| match &value.0 {
        Of::Tuple(parts) | Of::List(parts) | Of::Set(parts) => parts.get(place),
        Of::Map(entries) => entries.get(place).map(|(_, value)| value),
        Of::Option(Some(part)) | Of::Result(Ok(part) | Err(part)) => Some(&**part).filter(|_| place == 0),
        Of::Record(fields) | Of::Variant(_, fields) => fields.get(place).map(|(_, value)| value),
        _ => None,
    });
    pointer(part)
}

/// The key of an entry of a map by its place, from 0 on. NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_value_key(map: *const Value, place: usize) -> *const Value {
    // SAFETY: the caller gives a value or null.
    let Some(Value(Of::Map(entries))) = (unsafe { map.as_ref() }) else { return std::ptr::null() };
    pointer(entries.get(place).map(|(key, _)| key))
}

/// A field of a record or variant by its name; those without names are called `0`, `1` and so on. NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_value_field(value: *const Value, name: *const c_char) -> *const Value {
    // SAFETY: the caller gives a value or null, and a text or null.
    let (value, name) = unsafe { (value.as_ref(), text(name, "name")) };
    quiet(std::ptr::null(), || pointer(value.zip(name.ok()).and_then(|(value, name)| value.0.field(name))))
}

/// The name of a field of a record or variant by its place: `length` bytes, without a zero behind them. NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_value_field_name(
    value: *const Value,
    place: usize,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: the caller gives a value or null.
    let name = unsafe { value.as_ref() }.and_then(|value| match &value.0 {
        Of::Record(fields) | Of::Variant(_, fields) => fields.get(place).map(|(name, _)| name.as_bytes()),
        _ => None,
    });
    // SAFETY: the caller gives room or null.
    unsafe { told(name, length) }
}

fn pointer(value: Option<&Of>) -> *const Value {
    // The one is the other, by its representation.
    value.map_or(std::ptr::null(), |value| (&raw const *value).cast())
}

/// Values behind pointers, copied.
///
/// # Safety
/// There are so many pointers, each null or to a value.
pub(crate) unsafe fn arguments(pointers: *const *mut Value, count: usize) -> Result<Vec<Of>, Error> {
    // SAFETY: by contract.
    let pointers: &[*mut Value] = unsafe { values(pointers, count, "arguments")? };
    let value = |(place, pointer): (usize, &*mut Value)| {
        // SAFETY: by contract.
        let value = unsafe { pointer.as_ref() };
        value.map(|value| value.0.clone()).ok_or_else(|| Error::new("argument", &format!("argument {place} is NULL")))
    };
    pointers.iter().enumerate().map(value).collect()
}

/// Pointers to values, for a callback.
pub(crate) fn pointers(values: &mut [Of]) -> Vec<*mut Value> {
    values.iter_mut().map(|value| (&raw mut *value).cast()).collect()
}

/// The value that a callback left, which was its to give; the unit if it left none.
///
/// # Safety
/// The pointer is null, or a value of the callback's.
pub(crate) unsafe fn left(value: *mut Value) -> Of {
    // SAFETY: by contract.
    unsafe { taken(value) }.unwrap_or(Of::UNIT)
}
