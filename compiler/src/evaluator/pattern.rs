//! Patterns: tried from left to right, names bound on the way.

use super::machine::{Frame, Machine};
use super::value::Value;
use crate::typed::{Pattern, PatternKind};

impl<'p> Machine<'p> {
    /// Whether a value matches. Names of a pattern that does not match may be bound; nothing reads them.
    pub(super) fn matches(&mut self, frame: &mut Frame<'p>, pattern: &'p Pattern, value: &Value<'p>) -> bool {
        match (&pattern.kind, value) {
            (PatternKind::Wildcard, _) => true,
            (PatternKind::Bind(id, part), _) => {
                if let Some(part) = part
                    && !self.matches(frame, part, value)
                {
                    return false;
                }
                frame.bind(*id, value.clone());
                true
            }
            (PatternKind::Int(a), Value::Int(b)) => a == b,
            (PatternKind::Float(a), Value::Float(b)) => a == b,
            (PatternKind::Bool(a), Value::Bool(b)) => a == b,
            (PatternKind::Char(a), Value::Char(b)) => *a as u32 == *b,
            (PatternKind::String(a), Value::Bytes(_)) => a.as_bytes() == value.to_vec(),
            (PatternKind::IntRange(from, to), Value::Int(n)) => from <= n && n <= to,
            (PatternKind::CharRange(from, to), Value::Char(c)) => (*from as u32..=*to as u32).contains(c),
            (PatternKind::Tuple(parts), Value::Tuple(values)) => self.match_all(frame, parts, values),
            (PatternKind::Record(_, fields), Value::Record(_)) => {
                fields.iter().all(|(index, part)| self.matches(frame, part, &value.field(*index)))
            }
            (PatternKind::Variant(_, tag, parts), Value::Variant(_, other, values)) => {
                tag == other && self.match_all(frame, parts, values)
            }
            (PatternKind::List { before, rest, after }, Value::Record(record)) => {
                let elements = list_elements(value);
                let (n, first, last) = (elements.len(), before.len(), after.len());
                if n < first + last || (rest.is_none() && n != first) {
                    return false;
                }
                if !self.match_all(frame, before, &elements[..first]) {
                    return false;
                }
                if let Some(Some(rest)) = rest {
                    let part = elements[first..n - last].to_vec();
                    let length = Value::Int(part.len() as i64);
                    let array = Value::array(part.into_iter().map(Some));
                    if !self.matches(frame, rest, &Value::record(record.id, vec![array, length])) {
                        return false;
                    }
                }
                self.match_all(frame, after, &elements[n - last..])
            }
            (PatternKind::Or(parts), _) => parts.iter().any(|part| self.matches(frame, part, value)),
            (pattern, value) => unreachable!("{value:?} and {pattern:?} differ in type"),
        }
    }

    fn match_all(&mut self, frame: &mut Frame<'p>, patterns: &'p [Pattern], values: &[Value<'p>]) -> bool {
        patterns.iter().zip(values).all(|(pattern, value)| self.matches(frame, pattern, value))
    }
}

/// The elements of a List.
fn list_elements<'p>(list: &Value<'p>) -> Vec<Value<'p>> {
    let length = list.field(1).int() as usize;
    list.field(0).as_array().iter().take(length).filter_map(|element| element.borrow().clone()).collect()
}
