//! What embedders see: [`Engine`], [`Module`], [`Store`], [`Linker`], [`Instance`] and the things
//! that instances export.
//!
//! # Objects and host values
//!
//! What is in a store's garbage-collected heap the host holds by handles: [`StructRef`] and [`ArrayRef`], [`EqRef`] and [`AnyRef`]
//! for what may be either, [`ExnRef`] for exceptions; an [`I31`] is a number and of no store. In the other direction guests hold
//! values of the host by [`ExternRef`].
//!
//! * A handle keeps what it refers to alive until it and its clones are dropped, in any order and on any thread; there are no scopes
//!   to enter, and nothing is to be released by hand. What a call hands over to a host function goes with its arguments. Objects
//!   move, and handles follow.
//! * A handle is good for its own store. Used with another one, or after its store's end, it is an [`Error::Stale`].
//! * References are parameters and results like numbers: of [`TypedFunc`], of closures that are host functions
//!   ([`IntoHostFunc`]), of [`Func::call`] as [`Val`]. A closure that takes a [`StructRef`] takes structs of whichever type the import
//!   names; what it returns is looked at, so that no guest gets a struct that is not what its module says.
//! * Types are described by [`StructType`], [`ArrayType`] and [`DefinedFuncType`]; those that refer to one another, or have
//!   supertypes, by a [`TypeGroup`]. Equal descriptions are equal types, those in modules too.
//! * A collection happens when something is allocated, or when [asked for](Store::gc). [`Store::heap_statistics`] says what it left.
//!
//! ```
//! use pinfold_vm::api::{ArrayRef, ArrayType, Caller, Config, Engine, FieldType, Linker, Module, Result, StorageType, Store};
//!
//! # fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::new(&Config::new())?;
//! let bytes = ArrayType::new(&engine, FieldType::mutable(StorageType::I8))?;
//! let mut linker = Linker::new(&engine);
//! // Takes the guest's text where it is, and gives it another one.
//! linker.func_wrap("host", "greet", move |mut caller: Caller<'_, Vec<String>>, name: ArrayRef| -> Result<ArrayRef> {
//!     let greeting = format!("Hello, {}!", String::from_utf8_lossy(name.bytes(&caller)?));
//!     let array = ArrayRef::from_bytes(&mut caller, &bytes, greeting.as_bytes())?;
//!     caller.data_mut().push(greeting);
//!     Ok(array)
//! });
//! let text = r#"(module
//!     (type $text (array (mut i8)))
//!     (import "host" "greet" (func $greet (param (ref $text)) (result (ref $text))))
//!     (data $name "stray")
//!     (func (export "run") (result i32)
//!         (array.len (call $greet (array.new_data $text $name (i32.const 0) (i32.const 5))))))"#;
//! let mut store = Store::new(&engine, Vec::new());
//! let instance = linker.instantiate(&mut store, &Module::new(&engine, wat::parse_str(text)?)?)?;
//! let run = instance.get_typed_func::<(), u32>(&store, "run")?;
//! assert_eq!(run.call(&mut store, ())?, 13);
//! assert_eq!(store.data()[..], ["Hello, stray!"]);
//! # Ok(())
//! # }
//! ```

mod advance;
mod any;
mod arrays;
mod caller;
mod debug;
mod elsewhere;
mod engine;
mod error;
mod exception;
mod externref;
mod externs;
mod func;
mod host;
mod instance;
mod lent;
mod linker;
mod samples;
mod snapshot;
mod store;
mod structs;
mod table;
mod typed;
mod types;
mod val;

pub use advance::{Advance, sample_from_outside, stop_from_outside};
pub use any::{AnyRef, EqRef, I31};
pub use arrays::ArrayRef;
pub use caller::Caller;
pub use debug::{Debugger, Stopped};
pub use elsewhere::{CompilerService, Compiling, code_memory, readable};
pub use engine::{Config, Engine, Module};
pub use error::{Error, LinkProblem, Result};
pub use exception::ExnRef;
pub use externref::ExternRef;
pub use externs::{Extern, Global, Memory, Table, Tag};
pub use func::{Func, TypedFunc};
pub use host::IntoHostFunc;
pub use instance::Instance;
pub use lent::{LendingFunc, Lent};
pub use linker::Linker;
pub use samples::{Sampled, SampledPlace, Samples};
pub use snapshot::Resumable;
pub use store::{AsContext, AsContextMut, InterruptHandle, Store};
pub use structs::StructRef;
pub use typed::{GuestResults, HostParams, HostResults, WasmType};
pub use types::{ArrayType, DefinedFuncType, StructType, TypeGroup};
pub use val::Val;

pub use crate::runtime::config::{MemoryKind, Tier};
pub use crate::runtime::events::{Heat, Named, TierEvent};
pub use crate::runtime::host_objects::HeapStatistics;
pub use crate::runtime::snapshot::SnapshotError;
pub use crate::runtime::store::StoreLimits;
pub use crate::runtime::threads::available;
pub use crate::runtime::trap::{Frame, Trap, TrapKind};
pub use crate::types::{
    AddressType, CompositeType, ExternType, FieldType, FuncType, GlobalType, HeapType, Kind, Limits, MemoryType,
    RefType, StorageType, SubType, TableType, ValType,
};
