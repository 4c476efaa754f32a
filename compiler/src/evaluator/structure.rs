//! What the compiler makes of a type's structure: equality, order, hashes, texts, copies.
//!
//! Parts are treated by their own types' implementations, which may be written in Fold.

use std::cmp::Ordering;

use super::PanicKind;
use super::machine::{Eval, Machine};
use super::value::Value;
use crate::typed::{Field, Lang, TraitId, Ty, TyKind};

/// A function that follows from a type's structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Structural {
    /// `Eq.eq`
    Eq,
    /// `Ord.cmp`
    Cmp,
    /// `Hash.hash`
    Hash,
    /// `Show.show` and `Show.debug`
    Show,
    /// `Copy.copy`
    Copy,
}

impl Structural {
    /// Which one a function of a trait is.
    pub(super) fn of(lang: &Lang, of: TraitId) -> Option<Self> {
        let of = Some(of);
        [
            (lang.eq, Structural::Eq),
            (lang.ord, Structural::Cmp),
            (lang.hash, Structural::Hash),
            (lang.show, Structural::Show),
            (lang.copy, Structural::Copy),
        ]
        .into_iter()
        .find_map(|(known, what)| (known == of).then_some(what))
    }

    fn trait_of(self, lang: &Lang) -> Option<TraitId> {
        match self {
            Structural::Eq => lang.eq,
            Structural::Cmp => lang.ord,
            Structural::Hash => lang.hash,
            Structural::Show => lang.show,
            Structural::Copy => lang.copy,
        }
    }
}

/// Parts of a value with their types.
type Parts<'p> = Vec<(Ty, Value<'p>)>;

impl<'p> Machine<'p> {
    /// Calls a function that follows from a type's structure.
    pub(super) fn structural(&mut self, what: Structural, ty: Ty, args: Vec<Value<'p>>) -> Eval<'p> {
        match what {
            Structural::Eq => Ok(Value::Bool(self.equal(ty, &args[0], &args[1])?)),
            Structural::Cmp => {
                let order = self.compare(ty, &args[0], &args[1])?;
                let Some(id) = self.program.lang.ordering else { unreachable!("no Ordering") };
                Ok(Value::Variant(id, (order as i8 + 1) as u32, std::rc::Rc::from([])))
            }
            Structural::Hash => self.hash(ty, &args[0], args[1].clone()),
            Structural::Show => {
                self.show(ty, &args[0], &args[1])?;
                Ok(Value::unit())
            }
            Structural::Copy => self.copy(ty, &args[0]),
        }
    }

    /// The text of a value.
    pub(super) fn text_of(&mut self, ty: Ty, value: Value<'p>) -> Eval<'p, String> {
        let lang = self.program.lang;
        let (Some(new), Some(finish), Some(show)) = (lang.text_new, lang.text_finish, lang.show) else {
            unreachable!("no Text")
        };
        let out = self.call_function(new, Vec::new(), Vec::new())?;
        let target = self.resolve(show, 0, ty, Vec::new());
        self.call_target(target, vec![value, out.clone()])?;
        Ok(self.call_function(finish, Vec::new(), vec![out])?.to_text())
    }

    fn part(&mut self, what: Structural, method: u32, ty: Ty, args: Vec<Value<'p>>) -> Eval<'p> {
        let Some(of) = what.trait_of(&self.program.lang) else { unreachable!("no trait for {what:?}") };
        let target = self.resolve(of, method, ty, Vec::new());
        self.call_target(target, args)
    }

    /// The parts of a tuple, record or enum.
    fn parts(&mut self, ty: Ty, value: &Value<'p>) -> Parts<'p> {
        let program = self.program;
        let fields = |this: &mut Self, fields: &'p [Field], args: &[Ty]| -> Vec<Ty> {
            fields.iter().map(|field| this.types.substitute(field.ty, args)).collect()
        };
        let (types, values) = match (self.types.kind(ty).clone(), value) {
            (TyKind::Tuple(types), Value::Tuple(values)) => (types.to_vec(), values.to_vec()),
            (TyKind::Record(id, args), Value::Record(record)) => {
                let types = fields(self, &program.records[id.index()].fields, &args);
                (types, record.fields.iter().map(|field| field.borrow().clone()).collect())
            }
            (TyKind::Enum(id, args), Value::Variant(_, tag, values)) => {
                let types = fields(self, &program.enums[id.index()].variants[*tag as usize].fields, &args);
                (types, values.to_vec())
            }
            (kind, value) => unreachable!("{value:?} of {kind:?} has no structure"),
        };
        types.into_iter().zip(values).collect()
    }

    fn equal(&mut self, ty: Ty, a: &Value<'p>, b: &Value<'p>) -> Eval<'p, bool> {
        match (a, b) {
            (Value::Int(a), Value::Int(b)) => return Ok(a == b),
            (Value::Float(a), Value::Float(b)) => return Ok(a == b),
            (Value::Bool(a), Value::Bool(b)) => return Ok(a == b),
            (Value::Char(a), Value::Char(b)) => return Ok(a == b),
            (Value::Bytes(_), Value::Bytes(_)) => return Ok(a.to_vec() == b.to_vec()),
            (Value::Variant(_, a, _), Value::Variant(_, b, _)) if a != b => return Ok(false),
            _ => {}
        }
        let (a, b) = (self.parts(ty, a), self.parts(ty, b));
        for ((ty, a), (_, b)) in a.into_iter().zip(b) {
            if !self.part(Structural::Eq, 0, ty, vec![a, b])?.is_true() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn compare(&mut self, ty: Ty, a: &Value<'p>, b: &Value<'p>) -> Eval<'p, Ordering> {
        match (a, b) {
            (Value::Int(a), Value::Int(b)) => return Ok(a.cmp(b)),
            // What has no order counts as equal.
            (Value::Float(a), Value::Float(b)) => return Ok(a.partial_cmp(b).unwrap_or(Ordering::Equal)),
            (Value::Bool(a), Value::Bool(b)) => return Ok(a.cmp(b)),
            (Value::Char(a), Value::Char(b)) => return Ok(a.cmp(b)),
            (Value::Bytes(_), Value::Bytes(_)) => return Ok(a.to_vec().cmp(&b.to_vec())),
            (Value::Variant(_, a, _), Value::Variant(_, b, _)) if a != b => return Ok(a.cmp(b)),
            _ => {}
        }
        let (a, b) = (self.parts(ty, a), self.parts(ty, b));
        for ((ty, a), (_, b)) in a.into_iter().zip(b) {
            match self.part(Structural::Cmp, 0, ty, vec![a, b])? {
                Value::Variant(_, 0, _) => return Ok(Ordering::Less),
                Value::Variant(_, 2, _) => return Ok(Ordering::Greater),
                _ => {}
            }
        }
        Ok(Ordering::Equal)
    }

    fn hash(&mut self, ty: Ty, value: &Value<'p>, seed: Value<'p>) -> Eval<'p> {
        let mut hash = match value {
            Value::Variant(_, tag, _) => {
                self.part(Structural::Hash, 0, Ty::INT, vec![Value::Int(i64::from(*tag)), seed])?
            }
            Value::Tuple(_) | Value::Record(_) => seed,
            // The prelude has the others.
            other => return self.panic(PanicKind::Unreachable, format!("{other:?} has no hash")),
        };
        for (ty, part) in self.parts(ty, value) {
            hash = self.part(Structural::Hash, 0, ty, vec![part, hash])?;
        }
        Ok(hash)
    }

    fn copy(&mut self, ty: Ty, value: &Value<'p>) -> Eval<'p> {
        let id = match value {
            Value::Tuple(_) | Value::Record(_) | Value::Variant(..) => value,
            other => return Ok(other.clone()),
        };
        let mut parts = Vec::new();
        for (ty, part) in self.parts(ty, value) {
            parts.push(self.part(Structural::Copy, 0, ty, vec![part])?);
        }
        Ok(match id {
            Value::Record(record) => Value::record(record.id, parts),
            Value::Variant(id, tag, _) => Value::Variant(*id, *tag, parts.into()),
            _ => Value::Tuple(parts.into()),
        })
    }

    fn push(&mut self, out: &Value<'p>, text: &str) -> Eval<'p, ()> {
        let Some(push) = self.program.lang.text_push else { unreachable!("no Text") };
        self.call_function(push, Vec::new(), vec![out.clone(), Value::text(text)])?;
        Ok(())
    }

    /// `Row { name: "a" }`, `Some(1)`, `(1, 2)`
    fn show(&mut self, ty: Ty, value: &Value<'p>, out: &Value<'p>) -> Eval<'p, ()> {
        let program = self.program;
        let (name, fields, named) = match (self.types.kind(ty), value) {
            (TyKind::Record(id, _), _) => {
                let record = &program.records[id.index()];
                (self.names.text(record.name), &record.fields[..], true)
            }
            (TyKind::Enum(id, _), Value::Variant(_, tag, _)) => {
                let variant = &program.enums[id.index()].variants[*tag as usize];
                (self.names.text(variant.name), &variant.fields[..], variant.named)
            }
            (TyKind::Tuple(_), _) => ("", &[][..], false),
            (kind, _) => unreachable!("no text of {kind:?}"),
        };
        let parts = self.parts(ty, value);
        let bare = parts.is_empty() && !named && !name.is_empty();
        self.push(out, name)?;
        if bare {
            return Ok(());
        }
        self.push(out, if named { " { " } else { "(" })?;
        for (index, (ty, part)) in parts.into_iter().enumerate() {
            if index > 0 {
                self.push(out, ", ")?;
            }
            if named {
                self.push(out, &format!("{}: ", self.names.text(fields[index].name)))?;
            }
            self.part(Structural::Show, 1, ty, vec![part, out.clone()])?;
        }
        self.push(out, if named { " }" } else { ")" })
    }
}
