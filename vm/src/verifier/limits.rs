//! How large a module may be.
//!
//! The defaults leave room for the largest programs in use (CPython: 26 MB, 12,000 functions)
//! several times over, and keep what a hostile module can make the verifier allocate in a fixed
//! proportion to its bytes.

use std::fmt;

use super::error::{Place, VerifyError};

macro_rules! limits {
    ($($(#[doc = $doc:literal])* $field:ident: $kind:ident = $default:expr, $text:literal;)*) => {
        /// How large a module may be, part by part. What is imported counts as what is defined.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Limits {
            $($(#[doc = $doc])* #[doc = concat!("\n\nDefault: `", stringify!($default), "`.")] pub $field: u64,)*
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        /// A limit of [`Limits`].
        ///
        /// ```
        /// use pinfold_vm::verifier::{LimitKind, Limits};
        ///
        /// assert_eq!(LimitKind::Functions.field(), "functions");
        /// assert_eq!(Limits::default().get(LimitKind::Functions), Limits::default().functions);
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum LimitKind {
            $($(#[doc = $doc])* $kind,)*
        }

        impl LimitKind {
            /// All limits.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// The name of the field in [`Limits`].
            pub const fn field(self) -> &'static str {
                match self { $(Self::$kind => stringify!($field),)* }
            }
        }

        impl fmt::Display for LimitKind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$kind => $text,)* })
            }
        }

        impl Limits {
            /// The value of a limit.
            pub const fn get(&self, kind: LimitKind) -> u64 {
                match kind { $(LimitKind::$kind => self.$field,)* }
            }

            /// Sets a limit.
            pub const fn set(&mut self, kind: LimitKind, value: u64) {
                match kind { $(LimitKind::$kind => self.$field = value,)* }
            }
        }
    };
}

// Those of a single function, of segments and of memories are ceilings of the decoder as well, the same as in
// other engines: raising them further has no effect.
limits! {
    /// Bytes of the whole module.
    module_bytes: ModuleBytes = 256 << 20, "bytes in the module";
    /// Function types.
    types: Types = 100_000, "types";
    /// Imports.
    imports: Imports = 100_000, "imports";
    /// Exports.
    exports: Exports = 100_000, "exports";
    /// Functions.
    functions: Functions = 500_000, "functions";
    /// Tables.
    tables: Tables = 1_000, "tables";
    /// Linear memories.
    memories: Memories = 100, "memories";
    /// Globals.
    globals: Globals = 100_000, "globals";
    /// Exception tags.
    tags: Tags = 10_000, "exception tags";
    /// Element segments.
    element_segments: ElementSegments = 100_000, "element segments";
    /// Items in all element segments together.
    element_items: ElementItems = 1_000_000, "items in element segments";
    /// Data segments.
    data_segments: DataSegments = 100_000, "data segments";
    /// Elements that one table has at the start.
    table_elements: TableElements = 10_000_000, "elements in a table at the start";
    /// Pages of 64 KiB that one memory has at the start.
    memory_pages: MemoryPages = 1 << 24, "pages in a memory at the start";
    /// Bytes of one function's body.
    function_bytes: FunctionBytes = 7_654_321, "bytes in a function";
    /// Parameters and local variables of one function.
    locals: Locals = 50_000, "parameters and locals in a function";
    /// Values on the operand stack of one function.
    operands: Operands = 50_000, "values on a function's operand stack";
    /// Blocks within one another in a function.
    nesting: Nesting = 10_000, "blocks within one another";
}

impl Limits {
    /// An error if `found` is more than the limit.
    pub(super) fn check(&self, kind: LimitKind, found: u64, place: impl FnOnce() -> Place) -> Result<(), VerifyError> {
        let allowed = self.get(kind);
        if found <= allowed { Ok(()) } else { Err(VerifyError::Limit { kind, found, allowed, place: place() }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_is_finite_and_can_be_set() {
        let mut limits = Limits::default();
        for (n, &kind) in LimitKind::ALL.iter().enumerate() {
            assert!(limits.get(kind) < u64::from(u32::MAX), "{kind}");
            limits.set(kind, n as u64);
        }
        for (n, &kind) in LimitKind::ALL.iter().enumerate() {
            assert_eq!(limits.get(kind), n as u64, "{kind}");
        }
    }
}
