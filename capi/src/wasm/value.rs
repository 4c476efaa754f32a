//! Values of WebAssembly.

use pinfold::wasm::{FuncType, Val, ValType};

use crate::error::Error;

/// What a value of WebAssembly is.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum WasmKind {
    /// `i32`
    I32,
    /// `i64`
    I64,
    /// `f32`
    F32,
    /// `f64`
    F64,
    /// `v128`
    V128,
}

/// The number that a value is.
#[repr(C)]
#[derive(Clone, Copy)]
pub union WasmNumber {
    /// Of `PINFOLD_WASM_I32`.
    pub i32: i32,
    /// Of `PINFOLD_WASM_I64`.
    pub i64: i64,
    /// Of `PINFOLD_WASM_F32`.
    pub f32: f32,
    /// Of `PINFOLD_WASM_F64`.
    pub f64: f64,
    /// Of `PINFOLD_WASM_V128`: its bytes, the lowest first.
    pub v128: [u8; 16],
}

/// A value of WebAssembly. It is passed by copying, and owns nothing.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WasmValue {
    /// A `pinfold_wasm_kind_t`.
    pub kind: u32,
    /// The number, by its kind.
    pub of: WasmNumber,
}

impl WasmValue {
    /// The value, if it is of a kind that there is.
    pub(super) fn read(&self) -> Result<Val, Error> {
        // SAFETY: any bits are a value of any of these types; those that C did not write are its own affair.
        unsafe {
            Ok(match kind(self.kind)? {
                ValType::I32 => Val::I32(self.of.i32),
                ValType::I64 => Val::I64(self.of.i64),
                ValType::F32 => Val::F32(self.of.f32.to_bits()),
                ValType::F64 => Val::F64(self.of.f64.to_bits()),
                _ => Val::V128(u128::from_le_bytes(self.of.v128)),
            })
        }
    }

    pub(super) fn of(value: &Val) -> Result<Self, Error> {
        let (kind, of) = match value {
            Val::I32(value) => (WasmKind::I32, WasmNumber { i32: *value }),
            Val::I64(value) => (WasmKind::I64, WasmNumber { i64: *value }),
            Val::F32(bits) => (WasmKind::F32, WasmNumber { f32: f32::from_bits(*bits) }),
            Val::F64(bits) => (WasmKind::F64, WasmNumber { f64: f64::from_bits(*bits) }),
            Val::V128(value) => (WasmKind::V128, WasmNumber { v128: value.to_le_bytes() }),
            other => return Err(Error::new("type", &format!("a value of type {} does not cross to C", other.ty()))),
        };
        Ok(Self { kind: kind as u32, of })
    }
}

/// The type of values of a kind.
fn kind(number: u32) -> Result<ValType, Error> {
    let all = [ValType::I32, ValType::I64, ValType::F32, ValType::F64, ValType::V128];
    let found = usize::try_from(number).ok().and_then(|number| all.get(number));
    found.copied().ok_or_else(|| Error::new("argument", &format!("{number} is no kind of values")))
}

/// The type of a function, from kinds.
pub(super) fn func_type(params: &[u32], results: &[u32]) -> Result<FuncType, Error> {
    let types = |kinds: &[u32]| kinds.iter().map(|number| kind(*number)).collect::<Result<Vec<_>, _>>();
    Ok(FuncType::new(types(params)?, types(results)?))
}
