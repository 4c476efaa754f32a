//! What embedders see: [`Engine`], [`Module`], [`Store`], [`Linker`], [`Instance`] and the things
//! that instances export.

mod advance;
mod any;
mod caller;
mod engine;
mod error;
mod exception;
mod externs;
mod func;
mod host;
mod instance;
mod linker;
mod store;
mod table;
mod val;

pub use advance::{Advance, stop_from_outside};
pub use any::AnyRef;
pub use caller::Caller;
pub use engine::{Config, Engine, Module};
pub use error::{Error, LinkProblem, Result};
pub use exception::ExnRef;
pub use externs::{Extern, Global, Memory, Table, Tag};
pub use func::{Func, TypedFunc};
pub use host::{GuestResults, HostParams, HostResults, IntoHostFunc};
pub use instance::Instance;
pub use linker::Linker;
pub use store::{AsContext, AsContextMut, InterruptHandle, Store};
pub use val::{ExternRef, Val, WasmType};

pub use crate::runtime::config::{MemoryKind, Tier};
pub use crate::runtime::store::StoreLimits;
pub use crate::runtime::threads::available;
pub use crate::runtime::trap::{Frame, Trap, TrapKind};
pub use crate::types::{
    AddressType, ExternType, FuncType, GlobalType, HeapType, Limits, MemoryType, RefType, TableType, ValType,
};
