//! Which proposal a refused module would need.
//!
//! The decoder's own message for, say, an exception handler is "unknown operator" or a type
//! error. So when a module fails, it is validated again with every proposal the decoder knows.
//! If it gets further with them, those that cannot be left out are what it needs.

use std::fmt;

use wasmparser::{Parser, ValidPayload, Validator, WasmFeatures};

use super::FEATURES;

macro_rules! proposals {
    ($($(#[$doc:meta])* $variant:ident($feature:ident) $title:literal $name:literal, $hint:literal;)*) => {
        /// A proposal for WebAssembly that Pinfold does not run.
        ///
        /// ```
        /// use pinfold_vm::verifier::Proposal;
        ///
        /// for proposal in Proposal::ALL {
        ///     println!("{}: {}", proposal.name(), proposal.hint());
        /// }
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Proposal {
            $($(#[$doc])* $variant,)*
        }

        impl Proposal {
            /// All that are known. Those that others build on come last.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name under which it is developed.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What to do about it.
            pub const fn hint(self) -> &'static str {
                match self { $(Self::$variant => $hint,)* }
            }

            const fn features(self) -> WasmFeatures {
                match self { $(Self::$variant => WasmFeatures::$feature,)* }
            }
        }

        impl fmt::Display for Proposal {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => concat!($title, " (proposal ", $name, ")"),)* })
            }
        }
    };
}

proposals! {
    /// Array access of several bytes.
    MultibyteArrayAccess(MULTIBYTE_ARRAY_ACCESS) "multibyte array access" "multibyte-array-access",
        "compile it without that feature";
    /// Atomics with acquire and release order.
    AcquireReleaseAtomics(ACQUIRE_RELEASE_ATOMICS) "acquire-release atomics" "acquire-release-atomics",
        "compile it for a single thread";
    /// Custom type descriptors.
    CustomDescriptors(CUSTOM_DESCRIPTORS) "custom type descriptors" "custom-descriptors",
        "compile it without that feature";
    /// Control over memory protection.
    MemoryControl(MEMORY_CONTROL) "memory control" "memory-control", "compile it without that feature";
    /// Memories with pages of another size.
    CustomPageSizes(CUSTOM_PAGE_SIZES) "custom page sizes" "custom-page-sizes",
        "compile it with the standard page size of 64 KiB";
    /// Several imports under one module name.
    CompactImports(COMPACT_IMPORTS) "a compact import section" "compact-import-section",
        "compile it without `-mcompact-imports`";
    /// Arithmetic on 128 bits.
    WideArithmetic(WIDE_ARITHMETIC) "wide arithmetic" "wide-arithmetic", "compile it with `-mno-wide-arithmetic`";
    /// Continuations.
    StackSwitching(STACK_SWITCHING) "stack switching" "stack-switching", "compile it without that feature";
    /// The first version of exceptions.
    LegacyExceptions(LEGACY_EXCEPTIONS) "exceptions in their old form" "exception-handling (legacy)",
        "compile it with exceptions in their present form (`-mllvm -wasm-use-legacy-eh=false`), or without any";
    /// Everything shared between threads.
    SharedEverythingThreads(SHARED_EVERYTHING_THREADS) "shared functions and types" "shared-everything-threads",
        "compile it for a single thread";
    /// Shared memory and atomic operators.
    Threads(THREADS) "threads and atomics" "threads",
        "compile it for a single thread (`-mno-atomics`, without `-pthread`)";
}

/// How far validation came: nothing but function bodies is left to check in the second phase.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reached {
    Sections(u64),
    Bodies(u64),
    End,
}

/// The proposals without which `bytes`, refused with [`FEATURES`], would get no further. None
/// if none helps.
pub(super) fn needed(bytes: &[u8]) -> Vec<Proposal> {
    let mut features = Proposal::ALL.iter().fold(FEATURES, |all, p| all | p.features());
    let goal = validate(bytes, features);
    if goal <= validate(bytes, FEATURES) {
        return Vec::new();
    }
    let mut needed = Vec::new();
    for &proposal in Proposal::ALL {
        let without = (features - proposal.features()) | FEATURES;
        if validate(bytes, without) >= goal {
            features = without;
        } else {
            needed.push(proposal);
        }
    }
    needed.reverse();
    needed
}

fn validate(bytes: &[u8], features: WasmFeatures) -> Reached {
    let mut validator = Validator::new_with_features(features);
    let mut parser = Parser::new(0);
    parser.set_features(features);
    let mut bodies = Vec::new();
    for payload in parser.parse_all(bytes) {
        match payload.and_then(|payload| validator.payload(&payload)) {
            Ok(ValidPayload::Func(function, body)) => bodies.push((function, body)),
            Ok(_) => {}
            Err(error) => return Reached::Sections(error.offset()),
        }
    }
    let mut allocations = Default::default();
    for (function, body) in bodies {
        let mut validator = function.into_validator(allocations);
        let mut check = || {
            let mut reader = body.get_binary_reader();
            validator.read_locals(&mut reader)?;
            reader.set_features(features);
            while !reader.eof() {
                reader.visit_operator(&mut validator.visitor(reader.original_position()))??;
            }
            reader.finish_expression(&validator.visitor(reader.original_position()))
        };
        if let Err(error) = check() {
            return Reached::Bodies(wasmparser::Error::offset(&error));
        }
        allocations = validator.into_allocations();
    }
    Reached::End
}
