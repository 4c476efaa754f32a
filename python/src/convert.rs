//! Python's objects as values of Fold, and back.
//!
//! Towards Fold the type says what is wanted: `1` is an `Int` or a `Float`, a `dict` a map or a record. From there a value says all.

use pinfold::{Arguments, Mismatch, Shape, ToFold, Type, Value, Writer};
use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMapping, PySet, PyString, PyTuple, PyType,
};

use crate::error::class;

/// How deep objects may be nested in one another, as values that cross may.
const MAX_DEPTH: u32 = 128;

static SOME: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static OK: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static ERR: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static VARIANT: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static RECORD: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// What a function is called with.
pub struct Objects(pub Vec<Py<PyAny>>);

impl Arguments for Objects {
    fn put<'a>(
        &self,
        params: impl ExactSizeIterator<Item = (&'a str, Type<'a>)>,
        to: &mut Writer,
    ) -> Result<(), Mismatch> {
        let values = |params: Vec<(&'a str, Type<'a>)>| {
            Python::attach(|py| {
                let value = |((name, ty), object): ((&'a str, Type<'a>), &Py<PyAny>)| {
                    let value = to_value(ty, object.bind(py), MAX_DEPTH).map_err(|error| error.within(name))?;
                    Ok((name, ty, value))
                };
                params.into_iter().zip(&self.0).map(value).collect::<Result<Vec<_>, Mismatch>>()
            })
        };
        if params.len() != self.0.len() {
            // Which says how many there are.
            let none = vec![Value::UNIT; self.0.len()];
            return none.as_slice().put(params, to);
        }
        let put =
            |(name, ty, value): (&str, Type<'a>, Value)| value.to_fold(ty, to).map_err(|error| error.within(name));
        values(params.collect())?.into_iter().try_for_each(put)
    }
}

/// The value of a type that an object is.
///
/// # Errors
/// If it is none.
pub fn to_value(ty: Type<'_>, from: &Bound<'_, PyAny>, room: u32) -> Result<Value, Mismatch> {
    let other = || Mismatch::new(ty, described(from));
    let room = room.checked_sub(1).ok_or_else(|| Mismatch::new(ty, "one that is nested too deep"))?;
    let part = |ty: Type<'_>, from: &Bound<'_, PyAny>, name: &str| {
        to_value(ty, from, room).map_err(|error| error.within(name))
    };
    Ok(match ty.shape() {
        Shape::Int if !from.is_instance_of::<PyBool>() && !from.is_instance_of::<PyFloat>() => {
            Value::Int(from.extract().map_err(|_| other())?)
        }
        Shape::Float if !from.is_instance_of::<PyBool>() && !from.is_instance_of::<PyString>() => {
            Value::Float(from.extract().map_err(|_| other())?)
        }
        Shape::Bool => Value::Bool(from.cast::<PyBool>().map_err(|_| other())?.is_true()),
        Shape::Char => {
            let text: String = from.extract().map_err(|_| other())?;
            let mut chars = text.chars();
            Value::Char(chars.next().filter(|_| chars.next().is_none()).ok_or_else(other)?)
        }
        Shape::String => Value::String(from.extract().map_err(|_| other())?),
        Shape::Error if from.is_instance_of::<PyBaseException>() => Value::String(from.to_string()),
        Shape::Error => Value::String(from.extract().map_err(|_| other())?),
        Shape::Bytes => match (from.cast::<PyBytes>(), from.cast::<PyByteArray>()) {
            (Ok(bytes), _) => Value::Bytes(bytes.as_bytes().to_vec()),
            (_, Ok(bytes)) => Value::Bytes(bytes.to_vec()),
            _ => return Err(other()),
        },
        Shape::Tuple(parts) if parts.is_empty() && from.is_none() => Value::UNIT,
        Shape::Tuple(parts) => {
            let found = from.cast::<PyTuple>().ok().filter(|found| found.len() == parts.len()).ok_or_else(other)?;
            let parts = parts.into_iter().zip(found.iter()).enumerate();
            Value::Tuple(
                parts.map(|(place, (ty, from))| part(ty, &from, &place.to_string())).collect::<Result<_, _>>()?,
            )
        }
        Shape::List(of) => Value::List(elements(ty, of, from, &part)?),
        Shape::Set(of) => Value::Set(elements(ty, of, from, &part)?),
        Shape::Map(key, value) => {
            let items = from.cast::<PyMapping>().map_err(|_| other())?.items().map_err(|_| other())?;
            let entry = |item: Bound<'_, PyAny>| {
                let (from_key, from_value): (Bound<'_, PyAny>, Bound<'_, PyAny>) =
                    item.extract().map_err(|_| other())?;
                let name = described(&from_key);
                Ok((part(key, &from_key, &name)?, part(value, &from_value, &name)?))
            };
            Value::Map(items.iter().map(entry).collect::<Result<_, _>>()?)
        }
        Shape::Option(_) if from.is_none() => Value::Option(None),
        Shape::Option(of) => {
            let inner = inside(from, &SOME, "Some")?;
            Value::Option(Some(Box::new(part(of, inner.as_ref().unwrap_or(from), "Some")?)))
        }
        Shape::Result(good, bad) => {
            if let Some(inner) = inside(from, &OK, "Ok")? {
                Value::Result(Ok(Box::new(part(good, &inner, "Ok")?)))
            } else if let Some(inner) = inside(from, &ERR, "Err")? {
                Value::Result(Err(Box::new(part(bad, &inner, "Err")?)))
            } else {
                return Err(other());
            }
        }
        Shape::Record(fields) => {
            let mapping = from.cast::<PyMapping>().ok();
            let count = mapping.map(|mapping| mapping.len()).transpose().map_err(|_| other())?;
            if count.is_some_and(|count| count != fields.len()) {
                let count = count.unwrap_or_default();
                return Err(Mismatch::new(ty, format!("a mapping of {count} instead of {} fields", fields.len())));
            }
            let field = |(name, of): (&str, Type<'_>)| {
                let found = mapping.map_or_else(|| from.getattr(name), |mapping| mapping.get_item(name));
                let found = found.map_err(|_| Mismatch::new(ty, format!("{}, without {name}", described(from))))?;
                Ok((name.into(), part(of, &found, name)?))
            };
            Value::Record(fields.into_iter().map(field).collect::<Result<_, Mismatch>>()?)
        }
        Shape::Enum(variants) => {
            let (name, given) = variant(from).ok_or_else(other)?;
            let found = variants.into_iter().find(|(other, _)| **other == *name);
            let (_, fields) = found.ok_or_else(|| Mismatch::new(ty, format!("the variant {name}")))?;
            if given.len() != fields.len() {
                let found = format!("{name} with {} instead of {} fields", given.len(), fields.len());
                return Err(Mismatch::new(ty, found));
            }
            let field = |(field, of): (&str, Type<'_>)| {
                let found = given.get_item(field).ok().flatten();
                let found = found.ok_or_else(|| Mismatch::new(ty, format!("{name} without {field}")))?;
                Ok((field.into(), part(of, &found, field)?))
            };
            Value::Variant(name.as_str().into(), fields.into_iter().map(field).collect::<Result<_, Mismatch>>()?)
        }
        _ => return Err(other()),
    })
}

/// What converts a part, which has this name.
type Part<'a> = dyn Fn(Type<'_>, &Bound<'_, PyAny>, &str) -> Result<Value, Mismatch> + 'a;

/// The elements of whatever can be gone through, but is no text and no mapping.
fn elements(ty: Type<'_>, of: Type<'_>, from: &Bound<'_, PyAny>, part: &Part<'_>) -> Result<Vec<Value>, Mismatch> {
    let other = || Mismatch::new(ty, described(from));
    if from.is_instance_of::<PyString>() || from.is_instance_of::<PyBytes>() || from.cast::<PyMapping>().is_ok() {
        return Err(other());
    }
    let elements = from.try_iter().map_err(|_| other())?.enumerate();
    elements.map(|(place, element)| part(of, &element.map_err(|_| other())?, &place.to_string())).collect()
}

/// What is in a `Some`, `Ok` or `Err`, if it is one.
fn inside<'py>(
    from: &Bound<'py, PyAny>,
    of: &'static PyOnceLock<Py<PyType>>,
    name: &str,
) -> Result<Option<Bound<'py, PyAny>>, Mismatch> {
    let missing = |error: PyErr| Mismatch { wanted: name.to_owned(), found: error.to_string(), path: Vec::new() };
    let class = class(from.py(), of, name).map_err(missing)?;
    if !from.is_instance(class).map_err(missing)? {
        return Ok(None);
    }
    from.getattr("value").map(Some).map_err(missing)
}

/// The name and fields of a variant. A text is one without fields.
fn variant<'py>(from: &Bound<'py, PyAny>) -> Option<(String, Bound<'py, PyDict>)> {
    if let Ok(name) = from.extract::<String>() {
        return Some((name, PyDict::new(from.py())));
    }
    if !from.is_instance(class(from.py(), &VARIANT, "Variant").ok()?).ok()? {
        return None;
    }
    let fields = from.getattr("fields").ok()?.cast_into().ok()?;
    Some((from.getattr("name").ok()?.extract().ok()?, fields))
}

/// What an object is, for messages.
fn described(object: &Bound<'_, PyAny>) -> String {
    let kind = object.get_type().qualname().map_or_else(|_| "an object".into(), |name| name.to_string());
    match object.is_instance_of::<PyInt>() || object.is_instance_of::<PyString>() {
        true => object.repr().map_or(kind, |text| text.to_string().chars().take(40).collect()),
        false => kind,
    }
}

/// The object that a value is.
///
/// # Errors
/// If Python cannot make it: a set or map whose elements or keys it cannot hash.
pub fn from_value<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    let all = |values: &[Value]| values.iter().map(|value| from_value(py, value)).collect::<PyResult<Vec<_>>>();
    let wrapped = |of, name, value| class(py, of, name)?.call1((from_value(py, value)?,));
    Ok(match value {
        Value::Int(value) => value.into_pyobject(py)?.into_any(),
        Value::Float(value) => value.into_pyobject(py)?.into_any(),
        Value::Bool(value) => value.into_pyobject(py)?.to_owned().into_any(),
        Value::Char(value) => value.into_pyobject(py)?.into_any(),
        Value::String(value) => value.into_pyobject(py)?.into_any(),
        Value::Bytes(value) => PyBytes::new(py, value).into_any(),
        Value::Tuple(parts) if parts.is_empty() => py.None().into_bound(py),
        Value::Tuple(parts) => PyTuple::new(py, all(parts)?)?.into_any(),
        Value::List(elements) => PyList::new(py, all(elements)?)?.into_any(),
        Value::Set(elements) => PySet::new(py, all(elements)?)?.into_any(),
        Value::Map(entries) => {
            let dict = PyDict::new(py);
            for (key, value) in entries {
                dict.set_item(from_value(py, key)?, from_value(py, value)?)?;
            }
            dict.into_any()
        }
        Value::Option(None) => py.None().into_bound(py),
        // What is `None` itself.
        Value::Option(Some(inner)) if matches!(**inner, Value::Option(_)) || **inner == Value::UNIT => {
            wrapped(&SOME, "Some", inner)?
        }
        Value::Option(Some(inner)) => from_value(py, inner)?,
        Value::Result(Ok(inner)) => wrapped(&OK, "Ok", inner)?,
        Value::Result(Err(inner)) => wrapped(&ERR, "Err", inner)?,
        Value::Record(fields) => {
            let record = class(py, &RECORD, "Record")?.call0()?;
            for (name, value) in fields {
                record.set_item(&**name, from_value(py, value)?)?;
            }
            record
        }
        Value::Variant(name, fields) => {
            let made = class(py, &VARIANT, "Variant")?.call1((&**name,))?;
            let dict = made.getattr("fields")?;
            for (name, value) in fields {
                dict.set_item(&**name, from_value(py, value)?)?;
            }
            made
        }
    })
}
