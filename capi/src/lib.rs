//! Pinfold for C: `include/pinfold.h` is made from this crate, and says what whoever calls it has to know.
//!
//! Each function here checks its pointers, calls the crate `pinfold`, and makes an error of what goes wrong; no panic leaves it
//! ([`entry`]). What a handle must not be used for twice at a time (sessions, stores) is behind a lock, so that even a callback that
//! uses the handle by which it is being called gets an error.

mod cancel;
mod capability;
mod console;
mod entry;
mod error;
mod grants;
mod limits;
mod program;
mod session;
mod value;
mod vm;
mod wasm;
