//! F08xx: modules and packages.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        code: "F0801",
        title: "a module that does not exist",
        explanation: "`import path/name` means the file `path/name.fold` of this package, a package that `fold.toml` names, or a \
                      module of the standard library. Nothing is fetched.",
        rejected: "import text/cvs\n",
        accepted: "import text/csv\npub fn first(text: String) -> Int { csv.rows(text).count() }\n",
    },
    Code {
        code: "F0802",
        title: "modules that import one another in a circle",
        explanation: "Each module comes after those that it imports. What two modules need of each other is moved to a third.",
        rejected: "import main\npub fn f() { main.f() }\n",
        accepted: "pub fn f() {}\n",
    },
    Code {
        code: "F0803",
        title: "a module of the package with a standard module's path",
        explanation: "A path means one module, whatever package it is used in: so a package has no file with the path of a \
                      standard module.",
        rejected: "",
        accepted: "",
    },
    Code {
        code: "F0804",
        title: "a module that cannot be read",
        explanation: "There is such a file, but it cannot be read, or is no text.",
        rejected: "",
        accepted: "",
    },
];
