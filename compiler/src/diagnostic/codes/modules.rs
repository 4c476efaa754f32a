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
    Code {
        code: "F0805",
        title: "a `fold.toml` that describes no package",
        explanation: "It is written in TOML. Below `[dependencies]` stand the packages whose modules this one imports, each with the \
                      path of its folder: `shapes = { path = \"../shapes\" }`. Nothing is fetched, so there are no versions.",
        rejected: "",
        accepted: "",
    },
    Code {
        code: "F0806",
        title: "a package that is not where `fold.toml` says",
        explanation: "The path leads from the folder of this package to another one with a `fold.toml` in it. Symbolic links are not \
                      followed, so that the path says where the package is.",
        rejected: "",
        accepted: "",
    },
    Code {
        code: "F0807",
        title: "a name that no package can have here",
        explanation: "Paths that begin with a package's name mean its modules. So modules of this package, and those of the standard \
                      library, begin otherwise.",
        rejected: "",
        accepted: "",
    },
    Code {
        code: "F0808",
        title: "packages that depend on each other in a circle",
        explanation: "Each package comes after those that it depends on. What two need of each other is moved to a third.",
        rejected: "",
        accepted: "",
    },
    Code {
        code: "F0809",
        title: "a package that is not locked",
        explanation: "`fold.lock` has a hash of each package that a program is made of, so that what runs is what was looked at. \
                      `pinfold lock` writes it.",
        rejected: "",
        accepted: "",
    },
    Code {
        code: "F0810",
        title: "a package that is not what was locked",
        explanation: "The package's files have changed since its hash was written to `fold.lock`. If that was meant, `pinfold lock` \
                      writes the new one.",
        rejected: "",
        accepted: "",
    },
];
