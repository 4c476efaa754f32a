//! What programs for WASI reach the system by, as far as they are granted it.
//!
//! [`Grants`] are what the owner of a program allows, plain data of which the default is nothing; a [`HostState`] is what came of them, opened
//! once, for one store. [`Linker::host_table`](crate::Linker::host_table) links the functions that are granted: what is not granted is not there to
//! be imported, and no path is resolved except below a directory that was granted.
//!
//! ```
//! use std::sync::Arc;
//! use pinfold::host::{Console, Grants, HostState};
//! use pinfold::wasm::{Engine, Linker, Module, Store};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let written = Arc::default();
//! let console = Console::Capture { stdout: Arc::clone(&written), stderr: Arc::default() };
//! let grants = Grants { args: vec!["hello".into()], console, ..Grants::none() };
//!
//! let engine = Engine::default();
//! // As a compiler for `wasm32-wasi` makes it.
//! let module = Module::new(&engine, wat::parse_str(r#"(module
//!     (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
//!     (memory (export "memory") 1)
//!     (data (i32.const 0) "\08\00\00\00\06\00\00\00hello\n")
//!     (func (export "_start") (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32)))))"#)?)?;
//! let mut linker = Linker::new(&engine);
//! linker.host_table(&grants, |host: &mut HostState| host);
//! let mut store = Store::new(&engine, HostState::new(&grants)?);
//! // What waits in a function of the host notices deadlines, and interrupts.
//! store.connect(|host| host);
//! linker.instantiate(&mut store, &module)?.get_typed_func::<(), ()>(&store, "_start")?.call(&mut store, ())?;
//! assert_eq!(*written.lock().expect("nobody panics with it"), b"hello\n");
//! # Ok(())
//! # }
//! ```

pub use pinfold_vm::host::{
    ClockGrant, Console, DirGrant, DirGrantError, Grants, HostError, HostSetupError, HostState, NetGrant,
    NetGrantError, Role, Stdin,
};
