//! What is done with a module, the same on every engine; and what was seen of it.

use pinfold_vm::api::{ExternType, FuncType, Module, TrapKind, ValType};

use crate::random::Random;
use crate::value::Value;

/// One import and what it is given.
#[derive(Clone, Debug)]
pub struct Import {
    pub module: String,
    pub name: String,
    pub ty: ExternType,
    /// For a global: its value.
    pub value: Option<Value>,
}

/// One call of an export.
#[derive(Clone, Debug)]
pub struct Call {
    pub export: String,
    pub args: Vec<Value>,
    pub results: Vec<ValType>,
}

/// What is done with a module.
#[derive(Clone, Debug)]
pub struct Plan {
    pub imports: Vec<Import>,
    pub calls: Vec<Call>,
    /// Fuel for instantiation and all calls together.
    pub fuel: u64,
}

impl Plan {
    /// Calls each exported function `each` times with random arguments, but no more than `most`
    /// calls in all. `None` if two imports have one name but different types.
    pub fn new(module: &Module, each: usize, most: usize, fuel: u64, random: &mut Random) -> Option<Self> {
        let mut imports: Vec<Import> = Vec::new();
        for (module, name, ty) in module.imports() {
            let value = if let ExternType::Global(ty) = &ty { Some(Value::random(ty.value, random)) } else { None };
            match imports.iter().find(|i| i.module == module && i.name == name) {
                Some(same) if same.ty == ty => {}
                Some(_) => return None,
                None => imports.push(Import { module: module.into(), name: name.into(), ty, value }),
            }
        }
        let mut calls = Vec::new();
        for (name, ty) in module.exports() {
            let ExternType::Func(ty) = ty else { continue };
            if !ty.params().iter().all(|ty| Value::has(*ty)) {
                continue;
            }
            for _ in 0..each {
                calls.push(Call {
                    export: name.into(),
                    args: ty.params().iter().map(|ty| Value::random(*ty, random)).collect(),
                    results: ty.results().to_vec(),
                });
            }
        }
        while calls.len() > most {
            calls.swap_remove(random.below(calls.len()));
        }
        Some(Self { imports, calls, fuel })
    }
}

/// Why something failed, in terms that engines share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    Trap(TrapKind),
    /// The module does not fit its imports, or a limit.
    Refused,
    /// The engine ran out of something that another may have more of. What follows means nothing.
    Exhausted,
}

impl Failure {
    /// The failure as an instantiation reports it: engines give active segments that do not fit
    /// different names.
    pub fn at_start(self) -> Self {
        match self {
            Self::Trap(TrapKind::MemoryOutOfBounds | TrapKind::TableOutOfBounds) => Self::Refused,
            other => other,
        }
    }
}

/// One thing that was seen.
#[derive(Clone, PartialEq)]
pub enum Step {
    Instantiated,
    Failed(Failure),
    Returned(Vec<Value>),
    /// What the host functions were called with, digested.
    Host(u64),
    Memory(String, Vec<u8>),
    Global(String, Value),
    Table(String, Vec<Value>),
}

impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Instantiated => write!(f, "instantiated"),
            Self::Failed(failure) => write!(f, "{failure:?}"),
            Self::Returned(values) => write!(f, "returned {values:?}"),
            Self::Host(digest) => write!(f, "host calls {digest:#x}"),
            Self::Memory(name, bytes) => write!(f, "memory {name:?} of {} bytes", bytes.len()),
            Self::Global(name, value) => write!(f, "global {name:?} {value:?}"),
            Self::Table(name, cells) => write!(f, "table {name:?} {cells:?}"),
        }
    }
}

/// What was seen of a whole plan.
#[derive(Clone, Debug, Default)]
pub struct Run {
    pub steps: Vec<Step>,
    /// Fuel left after each step; only Pinfold's own count.
    pub fuel: Vec<u64>,
    /// For each call of the plan, whether it was made.
    pub called: usize,
}

impl Run {
    pub fn instantiated(&self) -> bool {
        self.steps.first() == Some(&Step::Instantiated)
    }

    pub fn see(&mut self, step: Step, fuel: u64) {
        self.steps.push(step);
        self.fuel.push(fuel);
    }

    /// The run in wasmi's terms, which have one name for an index outside of a table, called or accessed.
    pub fn coarse(mut self) -> Self {
        for (i, step) in self.steps.iter_mut().enumerate() {
            if *step == Step::Failed(Failure::Trap(TrapKind::UndefinedElement)) {
                let failure = Failure::Trap(TrapKind::TableOutOfBounds);
                *step = Step::Failed(if i == 0 { failure.at_start() } else { failure });
            }
        }
        self
    }

    /// Adds what exports hold at the end, in the order of their names.
    pub fn see_state(&mut self, mut state: Vec<(String, Step)>) {
        state.sort_by(|a, b| a.0.cmp(&b.0));
        for (_, step) in state {
            self.see(step, 0);
        }
    }

    /// The first difference to another run of the same plan; `fuel` is compared too where asked for.
    pub fn differs(&self, other: &Self, fuel: bool) -> Option<String> {
        let exhausted = Step::Failed(Failure::Exhausted);
        for (i, (a, b)) in self.steps.iter().zip(&other.steps).enumerate() {
            if *a == exhausted || *b == exhausted {
                return None;
            }
            if a != b {
                return Some(format!("step {i}: {a:?}, but {b:?}{}", first_byte(a, b)));
            }
            if fuel && self.fuel[i] != other.fuel[i] {
                return Some(format!("step {i} ({a:?}): {} fuel left, but {}", self.fuel[i], other.fuel[i]));
            }
        }
        (self.steps.len() != other.steps.len())
            .then(|| format!("{} steps, but {}", self.steps.len(), other.steps.len()))
    }
}

fn first_byte(a: &Step, b: &Step) -> String {
    match (a, b) {
        (Step::Memory(_, a), Step::Memory(_, b)) => match a.iter().zip(b).position(|(a, b)| a != b) {
            Some(at) => format!("; at {at:#x}: {:#x}, but {:#x}", a[at], b[at]),
            None => "; of other sizes".into(),
        },
        _ => String::new(),
    }
}

/// The host functions' state: all of them act on it in the same way.
#[derive(Clone, Copy, Debug, Default)]
pub struct Host(pub u64);

impl Host {
    /// Answers a call. `None`: the host function fails.
    pub fn answer(&mut self, ty: &FuncType, args: &[Value]) -> Option<Vec<Value>> {
        for arg in args {
            let (low, high) = match *arg {
                Value::I32(v) | Value::F32(v) => (u64::from(v), 1),
                Value::I64(v) | Value::F64(v) => (v, 2),
                Value::V128(v) => (v as u64, (v >> 64) as u64),
                Value::Func(there) => (u64::from(there), 3),
                Value::Extern(v) => (v.map_or(0, |v| u64::from(v) + 1), 4),
                Value::Exn(there) => (u64::from(there), 5),
                Value::Any(there, integer) => (u64::from(there), integer.unwrap_or(6) as u64),
            };
            self.0 = Random::new(self.0 ^ low ^ high.rotate_left(32)).next();
        }
        let mut random = Random::new(self.0);
        self.0 = random.next();
        if !ty.results().iter().all(|ty| Value::has(*ty)) {
            return None;
        }
        (!random.one_in(24)).then(|| ty.results().iter().map(|ty| Value::random(*ty, &mut random)).collect())
    }
}
