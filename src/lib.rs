//! Pinfold: a process virtual machine for untrusted code.
//!
//! The crate is two layers. The high one compiles and runs programs in Fold, which reach what they are granted by the names of their parameters, and is
//! what is here: [`Vm`], [`Program`], [`Session`], [`Grants`]. The low one, [`wasm`], is WebAssembly in whatever language it was written, with [`host`] for
//! programs that were compiled for WASI. `docs/embedding.md` tells of both, `docs/api.md` has all names on one page.
//!
//! ```
//! use pinfold::{Console, Vm, grants};
//!
//! # fn main() -> Result<(), pinfold::Error> {
//! let program = Vm::new()?.compile("hello.fold", r#"
//!     needs out: Console
//!     out.print("Hello!")
//! "#)?;
//! let out = Console::capture();
//! program.run(grants! { out: out.clone() })?;
//! assert_eq!(out.text(), "Hello!\n");
//! # Ok(())
//! # }
//! ```
//!
//! A [`Vm`] runs programs in this process, or, if it [is told](Isolation::Worker), each in a process of its own, the *worker*, which is confined before
//! it reads a byte of it, as the command does:
//!
//! ```text
//!  flags ─► Grants ─► Job { Plan, Task } ─► supervisor ═══ namespaces, limits, filter ═══ worker ─► vm
//!                                              ▲  Verdict ◄─────── Message ───────────────┘
//! ```
//!
//! What comes out of a worker (its messages, its output, how it ended) is treated as hostile.
//!
//! Features say what is built along: `compiler` ([`Vm`] takes sources), `jit`, `workers`, `serde`, and `command`, for the executables, which all but
//! `serde` is part of. Modules that are not in this documentation are what library and executables share: they are no interface, and change
//! at any time.

mod embed;
#[doc(hidden)]
pub mod exchange;
pub mod finding;
pub mod host;
#[doc(hidden)]
pub mod network;
pub mod trace;
pub mod wasm;

#[cfg(feature = "compiler")]
#[doc(hidden)]
pub mod answer;
#[cfg(feature = "compiler")]
#[doc(hidden)]
pub mod begun;
#[cfg(feature = "compiler")]
#[doc(hidden)]
pub mod bundle;
#[cfg(feature = "compiler")]
#[doc(hidden)]
pub mod document;
#[cfg(feature = "compiler")]
#[doc(hidden)]
pub mod fold;
#[cfg(feature = "compiler")]
#[doc(hidden)]
pub mod packages;

#[cfg(feature = "workers")]
#[doc(hidden)]
pub mod cache;
#[cfg(feature = "workers")]
#[doc(hidden)]
pub mod exit;
#[cfg(feature = "workers")]
#[doc(hidden)]
pub mod job;
#[cfg(feature = "workers")]
#[doc(hidden)]
pub mod policy;
#[cfg(feature = "workers")]
#[doc(hidden)]
pub mod precompiled;
#[cfg(feature = "workers")]
#[doc(hidden)]
pub mod profile;
#[cfg(feature = "workers")]
#[doc(hidden)]
pub mod question;
#[cfg(feature = "workers")]
#[doc(hidden)]
pub mod supervisor;

#[cfg(feature = "command")]
#[doc(hidden)]
pub mod session;
#[cfg(feature = "command")]
#[doc(hidden)]
pub mod text;

#[cfg(feature = "workers")]
pub use cache::Cache;
pub use embed::capability::{Capability, Declares, Failed, Failure, Granted, IntoMethod};
pub use embed::capability_of::{CapabilityOf, ImplementedBy};
#[cfg(feature = "compiler")]
pub use embed::compile::Tested;
pub use embed::convert::{Arguments, FromFold, ToFold};
pub use embed::declare::FoldType;
pub use embed::error::{Error, Exceeded, Limit, Result, Usage};
pub use embed::grants::{Args, Clock, Console, Dir, Env, Grant, Grants, Need, Net, Random};
pub use embed::mismatch::Mismatch;
pub use embed::program::{Cancel, Program, Session};
#[cfg(feature = "serde")]
pub use embed::serde::Serde;
pub use embed::types::{Declarations, Declared, Shape, Type};
pub use embed::value::Value;
pub use embed::vm::{Isolation, Limits, Vm, VmBuilder};
pub use embed::wire::{Reader, Variant, Writer};
/// ```
/// use pinfold::{Vm, grants};
///
/// #[pinfold::capability]
/// pub trait Weather {
///     /// Degrees, now.
///     fn degrees(&self, place: &str) -> i64;
/// }
///
/// struct Cold;
/// impl Weather for Cold {
///     fn degrees(&self, _: &str) -> i64 { -3 }
/// }
///
/// # fn main() -> Result<(), pinfold::Error> {
/// let vm = Vm::builder().capability(&Weather).build()?;
/// let program = vm.compile("coat.fold", r#"
///     import host
///     pub fn needs_coat(weather: host.Weather) -> Bool { weather.degrees("here") < 10 }
/// "#)?;
/// let mut session = program.session(grants! { weather: Weather.with(Cold) })?;
/// assert!(session.call::<bool>("needs_coat", ())?);
/// # Ok(())
/// # }
/// ```
pub use pinfold_derive::capability;
/// ```
/// use pinfold::{FoldType, FromFold, ToFold, Vm};
///
/// #[derive(Debug, FoldType, FromFold, PartialEq, ToFold)]
/// struct Point {
///     x: f64,
///     #[fold(name = "height")]
///     y: f64,
/// }
///
/// # fn main() -> Result<(), pinfold::Error> {
/// let program = Vm::new()?.compile("swap.fold", r#"
///     record Point { x: Float, height: Float }
///     pub fn swap(point: Point) -> Point { Point { x: point.height, height: point.x } }
/// "#)?;
/// let swapped: Point = program.call("swap", (Point { x: 1.0, y: 2.0 },))?;
/// assert_eq!(swapped, Point { x: 2.0, y: 1.0 });
/// # Ok(())
/// # }
/// ```
pub use pinfold_derive::{FoldType, FromFold, ToFold};
pub use wasm::{Caller, Config, Engine, Instance, Linker, Module, Store, Tier, TypedFunc};
