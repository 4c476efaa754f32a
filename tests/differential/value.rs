//! Values as all engines know them, and the ones worth trying.

use pinfold_vm::api::ValType;
use pinfold_vm::types::{Family, HeapType};

use crate::random::Random;

/// A value of no engine in particular. References to functions are compared by whether they are
/// null only; each engine has its own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Value {
    I32(u32),
    I64(u64),
    F32(u32),
    F64(u64),
    V128(u128),
    /// Whether it is there.
    Func(bool),
    /// The host's number behind it.
    Extern(Option<u32>),
    /// Whether there is one.
    Exn(bool),
    /// Whether there is one, and its value if it is a small integer.
    Any(bool, Option<i32>),
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::I32(v) => write!(f, "i32:{v:#x}"),
            Self::I64(v) => write!(f, "i64:{v:#x}"),
            Self::F32(v) => write!(f, "f32:{v:#x}={}", f32::from_bits(*v)),
            Self::F64(v) => write!(f, "f64:{v:#x}={}", f64::from_bits(*v)),
            Self::V128(v) => write!(f, "v128:{v:#034x}"),
            Self::Func(there) => write!(f, "func:{there}"),
            Self::Extern(v) => write!(f, "extern:{v:?}"),
            Self::Exn(there) => write!(f, "exn:{there}"),
            Self::Any(there, integer) => write!(f, "any:{there}:{integer:?}"),
        }
    }
}

const INTERESTING_32: &[u32] =
    &[0, 1, 2, 7, 8, 15, 16, 31, 32, 33, 63, 64, 127, 128, 255, 256, 0x7fff, 0x8000, 0xffff, 0x1_0000, 0x7fff_ffff];
const INTERESTING_F32: &[f32] = &[
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    1.5,
    2.5,
    -2.5,
    0.1,
    3.5e9,
    -3.5e9,
    1.0e20,
    -1.0e20,
    255.5,
    65536.0,
    8388609.0,
    2147483648.0,
    -2147483648.0,
    2147483520.0,
    4294967296.0,
    4294967040.0,
    9223372036854775808.0,
    -9223372036854775808.0,
    18446744073709551616.0,
    f32::MIN_POSITIVE,
    f32::MAX,
    f32::MIN,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
    1.0e-45,
    f32::EPSILON,
];
const INTERESTING_F64: &[f64] = &[
    2147483647.0,
    2147483647.9,
    -2147483648.9,
    -2147483649.0,
    4294967295.9,
    -0.9999,
    4503599627370497.5,
    9007199254740993.0,
    f64::MAX,
    f64::MIN,
    f64::MIN_POSITIVE,
    5.0e-324,
    3.4028235677973366e38,
    1.0e308,
    9223372036854774784.0,
    f64::NAN,
    f64::EPSILON,
    0.49999999999999994,
];

fn bits_32(random: &mut Random) -> u32 {
    match random.below(6) {
        0 => random.next() as u32,
        1 => 1 << random.below(32),
        2 => u32::MAX - random.below(4) as u32,
        3 => (1 << 31) + random.below(3) as u32 - 1,
        _ => *random.pick(INTERESTING_32),
    }
}

fn bits_64(random: &mut Random) -> u64 {
    match random.below(6) {
        0 => random.next(),
        1 => 1 << random.below(64),
        2 => u64::MAX - random.below(4) as u64,
        3 => (1 << 63) + random.below(3) as u64 - 1,
        4 => bits_32(random) as i32 as i64 as u64,
        _ => u64::from(bits_32(random)),
    }
}

fn bits_f32(random: &mut Random) -> u32 {
    let bits = if random.one_in(4) { random.next() as u32 } else { random.pick(INTERESTING_F32).to_bits() };
    // One NaN payload is as good as another, and engines may differ in what becomes of them.
    if f32::from_bits(bits).is_nan() { 0x7fc0_0000 } else { bits }
}

fn bits_f64(random: &mut Random) -> u64 {
    let bits = match random.below(4) {
        0 => random.next(),
        1 => f64::from(f32::from_bits(bits_f32(random))).to_bits(),
        _ => random.pick(INTERESTING_F64).to_bits() ^ (random.next() & 1) << 63,
    };
    if f64::from_bits(bits).is_nan() { 0x7ff8_0000_0000_0000 } else { bits }
}

impl Value {
    /// A value that is likely to find an edge. NaNs are canonical.
    pub fn random(ty: ValType, random: &mut Random) -> Self {
        match ty {
            ValType::I32 => Self::I32(bits_32(random)),
            ValType::I64 => Self::I64(bits_64(random)),
            ValType::F32 => Self::F32(bits_f32(random)),
            ValType::F64 => Self::F64(bits_f64(random)),
            ValType::V128 => Self::V128(vector(random)),
            ValType::Ref(ty) => match ty.heap.family() {
                Family::Func => Self::Func(false),
                Family::Exn => Self::Exn(false),
                Family::Any => Self::Any(false, None),
                Family::Extern if ty.heap == HeapType::NoExtern => Self::Extern(None),
                Family::Extern => Self::Extern((!ty.nullable || !random.one_in(3)).then(|| random.below(5) as u32)),
            },
        }
    }

    /// Whether [`Self::random`] has values of a type: it makes no functions, exceptions and objects.
    pub fn has(ty: ValType) -> bool {
        match ty {
            ValType::Ref(ty) => ty.nullable || ty.heap == HeapType::Extern,
            _ => true,
        }
    }
}

fn vector(random: &mut Random) -> u128 {
    let lane = match random.below(6) {
        0 => return u128::from(random.next()) << 64 | u128::from(random.next()),
        kind => kind,
    };
    (0..16).fold(0, |vector, byte| match lane {
        1 if byte % 4 == 0 => vector | u128::from(bits_f32(random)) << (byte * 8),
        2 if byte % 8 == 0 => vector | u128::from(bits_f64(random)) << (byte * 8),
        3 if byte % 4 == 0 => vector | u128::from(bits_32(random)) << (byte * 8),
        4 => vector | u128::from(bits_32(random) as u8) << (byte * 8),
        5 if byte % 2 == 0 => vector | u128::from(bits_32(random) as u16) << (byte * 8),
        _ => vector,
    })
}
