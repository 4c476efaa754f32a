//! Pinfold's virtual machine: a verifier, two execution tiers and a host API table.
//!
//! A module walks through this crate once, from top to bottom: [`verifier`] turns bytes into a
//! [`module::Module`], [`runtime`] gives it state, [`interpreter`] or [`jit`] runs it, and
//! whatever it wants of the world goes through [`host`]. Embedders see [`api`].

pub mod api;
pub mod heap;
pub mod host;
pub mod interpreter;
pub mod jit;
pub mod metering;
pub mod module;
pub mod relaxed;
pub mod runtime;
pub mod types;
pub mod verifier;
