//! WebAssembly: the low layer, for guests in whatever language.
//!
//! An [`Engine`] has settings, and compiles. A [`Module`] is verified code, a [`Store`] holds what runs, an [`Instance`] is a module with its
//! state in a store. A [`Linker`] finds what modules import by its names: functions of the host, and, where they are granted, those of
//! [`host`](crate::host), by which programs for WASI reach the system. All of it means what it means in wasmtime.
//!
//! ```
//! use pinfold::wasm::{Caller, Config, Engine, Linker, Module, Store};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let bytes = wat::parse_str(r#"(module
//!     (import "host" "log" (func $log (param i64)))
//!     (func (export "run") (param i64) (result i64)
//!         (call $log (local.get 0))
//!         (i64.mul (local.get 0) (i64.const 2))))"#)?;
//! let engine = Engine::new(Config::new().consume_fuel(true))?;
//! let module = Module::new(&engine, bytes)?;
//! let mut linker = Linker::new(&engine);
//! linker.func_wrap("host", "log", |mut caller: Caller<'_, Vec<i64>>, number: i64| caller.data_mut().push(number))?;
//!
//! let mut store = Store::new(&engine, Vec::new());
//! store.set_fuel(1_000)?;
//! let instance = linker.instantiate(&mut store, &module)?;
//! let run = instance.get_typed_func::<i64, i64>(&store, "run")?;
//! assert_eq!(run.call(&mut store, 21)?, 42);
//! assert_eq!(store.data()[..], [21]);
//! # Ok(())
//! # }
//! ```
//!
//! # Objects
//!
//! What is in a store's garbage-collected heap the host holds by handles: [`StructRef`] and [`ArrayRef`], [`EqRef`] and [`AnyRef`] for what may be
//! either, [`ExnRef`] for exceptions; an [`I31`] is a number and of no store. In the other direction guests hold values of the host by
//! [`ExternRef`].
//!
//! A handle keeps what it refers to alive until it and its clones are dropped, in any order and on any thread; there are no scopes to enter.
//! It is good for its own store: used with another one, or after its store's end, it is an [`Error::Stale`]. Types are described by
//! [`StructType`], [`ArrayType`] and [`DefinedFuncType`]; those that refer to one another, or have supertypes, by a [`TypeGroup`]. Equal
//! descriptions are equal types, those in modules too.

// Running.
pub use pinfold_vm::api::{
    AsContext, AsContextMut, Caller, Config, Engine, Error, Extern, Func, Global, GuestResults, HostParams,
    HostResults, Instance, InterruptHandle, IntoHostFunc, Linker, Memory, MemoryKind, Module, Result, Store,
    StoreLimits, Table, Tag, Tier, TypedFunc, Val, WasmType,
};
// What went wrong, and where.
pub use pinfold_vm::api::{Frame, LinkProblem, Trap, TrapKind};
pub use pinfold_vm::jit::CompileError;
pub use pinfold_vm::runtime::instantiate::InstantiateError;
pub use pinfold_vm::verifier::{LimitKind, Place, Proposal, VerifyError};
// Objects, and the host's values.
pub use pinfold_vm::api::{
    AnyRef, ArrayRef, EqRef, ExnRef, ExternRef, HeapStatistics, I31, LendingFunc, Lent, StructRef,
};
// Types.
pub use pinfold_vm::api::{
    AddressType, ArrayType, CompositeType, DefinedFuncType, ExternType, FieldType, FuncType, GlobalType, HeapType,
    Kind, Limits, MemoryType, RefType, StorageType, StructType, SubType, TableType, TypeGroup, ValType,
};
pub use pinfold_vm::module::Bytes;
pub use pinfold_vm::types::TypeId;
// Programs that go on elsewhere.
pub use pinfold_vm::api::{Resumable, SnapshotError};
pub use pinfold_vm::interpreter::suspended::Unreadable;
