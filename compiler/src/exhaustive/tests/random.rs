//! Random patterns of small types, compared with what trying every value tells.

use super::world::{World, made};
use crate::typed::{LocalId, Pattern, PatternKind, Ty, TyKind};

/// xorshift64*
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }
}

#[derive(Clone, Debug)]
enum Value {
    Bool(bool),
    Int(i64),
    Parts(Vec<Value>),
    Variant(u32, Vec<Value>),
    List(Vec<Value>),
}

fn product(parts: Vec<Vec<Value>>) -> Vec<Vec<Value>> {
    parts.into_iter().fold(vec![Vec::new()], |all, next| {
        all.iter()
            .flat_map(|before| next.iter().map(move |value| [before.clone(), vec![value.clone()]].concat()))
            .collect()
    })
}

/// All values of a type, as far as patterns of [`pattern`] can tell them apart.
fn values(world: &mut World, ty: Ty) -> Vec<Value> {
    match world.program.types.kind(ty).clone() {
        TyKind::Bool => vec![Value::Bool(false), Value::Bool(true)],
        TyKind::Int => (-1..=5).chain([i64::MIN, i64::MAX]).map(Value::Int).collect(),
        TyKind::Tuple(parts) => {
            let parts = parts.iter().map(|&part| values(world, part)).collect();
            product(parts).into_iter().map(Value::Parts).collect()
        }
        TyKind::Enum(id, _) => (0..world.program.enums[id.index()].variants.len() as u32)
            .flat_map(|tag| {
                let parts = world.parts(ty, Some(tag));
                let parts = parts.into_iter().map(|(_, part)| values(world, part)).collect();
                product(parts).into_iter().map(move |parts| Value::Variant(tag, parts)).collect::<Vec<_>>()
            })
            .collect(),
        TyKind::Record(_, args) => {
            let elements = values(world, args[0]);
            (0..=4).flat_map(|length| product(vec![elements.clone(); length])).map(Value::List).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn pattern(world: &mut World, random: &mut Random, ty: Ty, depth: u32) -> Pattern {
    if depth == 0 || random.below(4) == 0 {
        return made(
            if random.below(2) == 0 { PatternKind::Wildcard } else { PatternKind::Bind(LocalId(0), None) },
            ty,
        );
    }
    if random.below(6) == 0 {
        let alternatives = (0..2 + random.below(2)).map(|_| pattern(world, random, ty, depth - 1)).collect();
        return made(PatternKind::Or(alternatives), ty);
    }
    let kind = match world.program.types.kind(ty).clone() {
        TyKind::Bool => PatternKind::Bool(random.below(2) == 0),
        TyKind::Int => {
            let (a, b) = (random.below(5) as i64, random.below(5) as i64);
            match random.below(4) {
                0 => PatternKind::Int(a),
                1 => PatternKind::IntRange(i64::MIN, a),
                2 => PatternKind::IntRange(a, i64::MAX),
                _ => PatternKind::IntRange(a.min(b), a.max(b)),
            }
        }
        TyKind::Tuple(parts) => {
            PatternKind::Tuple(parts.iter().map(|&part| pattern(world, random, part, depth - 1)).collect())
        }
        TyKind::Enum(id, _) => {
            let tag = random.below(world.program.enums[id.index()].variants.len() as u64) as u32;
            let parts = world.parts(ty, Some(tag));
            let parts = parts.into_iter().map(|(_, part)| pattern(world, random, part, depth - 1)).collect();
            PatternKind::Variant(id, tag, parts)
        }
        TyKind::Record(_, args) => {
            let mut some = |most| (0..random.below(most)).map(|_| pattern(world, random, args[0], depth - 1)).collect();
            let (before, after): (Vec<_>, Vec<_>) = (some(3), some(2));
            let rest = (random.below(3) != 0)
                .then(|| (random.below(2) == 0).then(|| Box::new(made(PatternKind::Wildcard, ty))));
            let after = if rest.is_some() { after } else { Vec::new() };
            PatternKind::List { before, rest, after }
        }
        other => panic!("{other:?}"),
    };
    made(kind, ty)
}

fn matches(pattern: &Pattern, value: &Value) -> bool {
    let all = |patterns: &[Pattern], values: &[Value]| patterns.iter().zip(values).all(|(p, v)| matches(p, v));
    match (&pattern.kind, value) {
        (PatternKind::Wildcard | PatternKind::Bind(..), _) => true,
        (PatternKind::Or(alternatives), value) => alternatives.iter().any(|pattern| matches(pattern, value)),
        (PatternKind::Bool(a), Value::Bool(b)) => a == b,
        (PatternKind::Int(a), Value::Int(b)) => a == b,
        (PatternKind::IntRange(from, to), Value::Int(n)) => (from..=to).contains(&n),
        (PatternKind::Tuple(patterns), Value::Parts(values)) => all(patterns, values),
        (PatternKind::Variant(_, a, patterns), Value::Variant(b, values)) => a == b && all(patterns, values),
        (PatternKind::List { before, rest, after }, Value::List(values)) => {
            let fits = match rest {
                None => values.len() == before.len(),
                Some(_) => values.len() >= before.len() + after.len(),
            };
            fits && all(before, values) && all(after, &values[values.len() - after.len()..])
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn agrees_with_trying_every_value() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut world = World::new();
    let types = [
        "Bool",
        "Int",
        "Color",
        "(Bool, Color)",
        "Option<Bool>",
        "(Int, Option<Bool>)",
        "List<Bool>",
        "(List<Bool>, Bool)",
        "Option<(Bool, Int)>",
        "Result<Color, Option<Bool>>",
        "(Bool, Bool, Bool, Bool)",
    ];
    let mut complete = 0;
    for round in 0..6_000 {
        let ty = world.ty(types[round % types.len()]);
        let arms: Vec<(Pattern, bool)> =
            (0..1 + random.below(6)).map(|_| (pattern(&mut world, &mut random, ty, 3), random.below(6) == 0)).collect();
        let mut reached = vec![false; arms.len()];
        let mut left = false;
        for value in values(&mut world, ty) {
            let mut taken = false;
            for (reached, (pattern, guarded)) in reached.iter_mut().zip(&arms) {
                if !taken && matches(pattern, &value) {
                    *reached = true;
                    taken = !guarded;
                }
            }
            left |= !taken;
        }
        complete += usize::from(!left);
        let said = world.check_arms(ty, arms.clone());
        assert_eq!(said.iter().any(|d| d.code == "F0501"), left, "{arms:?}: {said:?}");
        for (index, reached) in reached.iter().enumerate() {
            let at = 10 * (index as u32 + 1);
            let told = said.iter().any(|d| d.code == "F0503" && d.primary.span.start == at);
            assert_eq!(told, !reached, "arm {index} of {arms:?}: {said:?}");
        }
    }
    // Both answers occur often.
    assert!((1_500..4_500).contains(&complete), "{complete}");
}
