//! Packages that are made of others: found by their paths, held to what was locked.

use std::fs;
use std::os::unix::fs::symlink;

use super::*;

/// A package: its folder, its `fold.toml`, its files with what is in them.
type Package<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

/// Packages below a scratch folder.
fn packages(name: &str, packages: &[Package<'_>]) -> Scratch {
    let scratch = Scratch::new(name);
    for (folder, manifest, modules) in packages {
        let folder = scratch.0.join(folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("fold.toml"), manifest).unwrap();
        for (module, text) in *modules {
            fs::create_dir_all(folder.join(module).parent().unwrap()).unwrap();
            fs::write(folder.join(module), text).unwrap();
        }
    }
    scratch
}

const MAIN: &str = "import shapes/area\n\nfn main(out: Console) { out.print(\"{area.square(3.0)}\") }\n";
const AREA: &str = "import base/number\n\n/// Of a square.\npub fn square(side: Float) -> Float { number.times(side, side) }\n\
                    pub fn load(dir: Dir) -> String { dir.read_text(\"a\").or(\"\") }\n\ntest \"never run here\" { assert false }\n";
const NUMBER: &str = "pub fn times(a: Float, b: Float) -> Float { a * b }\n";
const ON_SHAPES: &str = "name = \"app\"\n\n[dependencies]\nshapes = { path = \"../shapes\" }\n";
const ON_BASE: &str = "[dependencies]\nbase = { path = \"../base\" }\n";

/// A program of three packages.
fn three(name: &str) -> Scratch {
    packages(
        name,
        &[
            ("app", ON_SHAPES, &[("main.fold", MAIN)]),
            ("shapes", ON_BASE, &[("area.fold", AREA)]),
            ("base", "", &[("number.fold", NUMBER), ("unused.fold", "")]),
        ],
    )
}

fn at(scratch: &Scratch, args: &[&str]) -> (Option<i32>, String, String) {
    let output = pinfold(args).current_dir(&scratch.0).output().unwrap();
    (output.status.code(), stdout(&output), stderr(&output))
}

fn lock(scratch: &Scratch) {
    let (code, _, text) = at(scratch, &["lock", "app"]);
    assert_eq!(code, Some(0), "{text}");
}

#[test]
fn a_program_of_several_packages_runs_once_they_are_locked() {
    let scratch = three("packages");
    let (code, out, text) = at(&scratch, &["lock", "app"]);
    assert_eq!((code, out.as_str(), text.as_str()), (Some(0), "app/fold.lock: 2 packages\n", ""));
    let (code, out, text) = at(&scratch, &["run", "app/main.fold"]);
    assert_eq!((code, out.as_str()), (Some(0), "9.0\n"), "{text}");
    let (code, _, text) = at(&scratch, &["build", "app/main.fold", "-o", "main.wasm"]);
    assert_eq!((code, text.as_str()), (Some(0), ""));
    assert_eq!(at(&scratch, &["run", "main.wasm"]).1, "9.0\n");
    // From wherever it is done, the lock is the same, and so is what is run.
    let whole = fs::read_to_string(scratch.0.join("app/fold.lock")).unwrap();
    for place in ["app", "shapes"] {
        let run = |args: &[&str]| {
            let output = pinfold(args).current_dir(scratch.0.join(place)).output().unwrap();
            assert!(output.status.success(), "{}", stderr(&output));
            stdout(&output)
        };
        run(if place == "app" { &["lock"] } else { &["lock", "../app"] });
        assert_eq!(run(&["run", if place == "app" { "main.fold" } else { "../app/main.fold" }]), "9.0\n");
        assert_eq!(fs::read_to_string(scratch.0.join("app/fold.lock")).unwrap(), whole);
    }
    // Tests of other packages are theirs to run.
    let (code, out, text) = at(&scratch, &["test", "app"]);
    assert!(code == Some(0) && format!("{out}{text}").contains("there are no tests"), "{out}{text}");
}

#[test]
fn what_modules_of_other_packages_may_reach_is_told() {
    let scratch = three("packages-authority");
    lock(&scratch);
    let (code, out, text) = at(&scratch, &["check", "--authority", "app"]);
    assert_eq!((code, text.as_str()), (Some(0), ""));
    for line in ["main: Console\n", "shapes/area: Dir\n  load  Dir\n", "shapes/base/number: nothing\n"] {
        assert!(out.contains(line), "{out}");
    }
    // An error in one is told with the file that it is in.
    fs::write(scratch.0.join("shapes/area.fold"), "pub fn square(side: Float) -> Float { 1 }\n").unwrap();
    lock(&scratch);
    let (code, _, text) = at(&scratch, &["check", "app"]);
    assert!(code == Some(1) && text.contains("app/../shapes/area.fold:1:39"), "{text}");
}

#[test]
fn what_is_not_locked_does_not_run() {
    let scratch = three("packages-unlocked");
    for command in [&["run", "app/main.fold"][..], &["check", "app"], &["build", "app/main.fold", "-o", "a.wasm"]] {
        let (code, out, text) = at(&scratch, command);
        assert!(code != Some(0) && out.is_empty(), "{out}");
        for part in ["F0809", "the package `shapes` is not locked", "there is no app/fold.lock", "`pinfold lock app`"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
    assert!(!scratch.0.join("a.wasm").exists());
    // A lock of others, one of another version, one that is none.
    for (text, message) in [
        ("version = 1\n", "app/fold.lock has no ../shapes"),
        ("version = 2\n", "this version of it is not known"),
        ("version = 1\npackage = 3\n", "these are tables"),
        ("version = 1\n[[package]]\npath = \"../shapes\"\n", "a package has a `path` and a `hash`"),
        ("", "it does not say its version"),
        ("\u{1}", "app/fold.lock is no list of locked packages"),
    ] {
        fs::write(scratch.0.join("app/fold.lock"), text).unwrap();
        let (code, _, told) = at(&scratch, &["run", "app/main.fold"]);
        assert!(code == Some(126) && told.contains("F0809") && told.contains(message), "{message}: {told}");
    }
    lock(&scratch);
    assert_eq!(at(&scratch, &["run", "app/main.fold"]).0, Some(0));
    // A link is no lock, and none is written through one.
    let place = scratch.0.join("app/fold.lock");
    fs::rename(&place, scratch.0.join("elsewhere")).unwrap();
    symlink(scratch.0.join("elsewhere"), &place).unwrap();
    assert!(at(&scratch, &["run", "app/main.fold"]).2.contains("there is no app/fold.lock"));
    let before = fs::read(scratch.0.join("elsewhere")).unwrap();
    fs::write(scratch.0.join("base/number.fold"), "").unwrap();
    let (code, _, text) = at(&scratch, &["lock", "app"]);
    assert!(code == Some(1) && text.contains("app/fold.lock is a symbolic link"), "{text}");
    assert_eq!(fs::read(scratch.0.join("elsewhere")).unwrap(), before);
}

#[test]
fn what_is_not_as_it_was_locked_does_not_run() {
    let scratch = three("packages-changed");
    lock(&scratch);
    let whole = fs::read_to_string(scratch.0.join("app/fold.lock")).unwrap();
    let hash = |path: &str| whole.split_once(&format!("path = \"{path}\"\nhash = \"")).unwrap().1[..71].to_owned();
    let (base, shapes) = (hash("../base"), hash("../shapes"));
    assert_ne!(base, shapes);
    type Change<'a> = (&'a str, &'a str, &'a str, &'a str);
    let changes: [Change<'_>; 5] = [
        ("base/number.fold", "pub fn times(a: Float, b: Float) -> Float { a + b }\n", "base", &base),
        ("base/unused.fold", "// Another one.\n", "base", &base),
        ("base/more.fold", "", "base", &base),
        ("shapes/fold.toml", "# Not the same.\n[dependencies]\nbase = { path = \"../base\" }\n", "shapes", &shapes),
        ("shapes/below/more.fold", "", "shapes", &shapes),
    ];
    for (file, text, package, locked) in changes {
        let place = scratch.0.join(file);
        let before = fs::read(&place).ok();
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(&place, text).unwrap();
        let (code, out, told) = at(&scratch, &["run", "app/main.fold"]);
        assert_eq!((code, out.as_str()), (Some(126), ""), "{file}");
        for part in ["F0810", &format!("the package `{package}` is not what was locked"), locked, "`pinfold lock app`"]
        {
            assert!(told.contains(part), "{file}: {part}: {told}");
        }
        let hashes: Vec<&str> = told.match_indices("sha256:").map(|(at, _)| &told[at..at + 71]).collect();
        assert!(hashes.len() == 2 && hashes[0] == locked && hashes[1] != locked, "{told}");
        match before {
            Some(before) => fs::write(&place, before).unwrap(),
            None => fs::remove_file(&place).unwrap(),
        }
        assert_eq!(at(&scratch, &["run", "app/main.fold"]).1, "9.0\n", "{file}");
    }
    // What is no source is not of the package, and neither is what another package below it has.
    fs::write(scratch.0.join("base/notes.txt"), "text").unwrap();
    fs::create_dir(scratch.0.join("base/other")).unwrap();
    fs::write(scratch.0.join("base/other/fold.toml"), "").unwrap();
    fs::write(scratch.0.join("base/other/a.fold"), "").unwrap();
    assert_eq!(at(&scratch, &["run", "app/main.fold"]).1, "9.0\n");
}

#[test]
fn a_package_is_where_its_path_leads() {
    let scratch = three("packages-places");
    fs::create_dir(scratch.0.join("plain")).unwrap();
    symlink(scratch.0.join("shapes"), scratch.0.join("link")).unwrap();
    symlink("..", scratch.0.join("app/up")).unwrap();
    let absolute = scratch.0.join("shapes").display().to_string();
    for (path, message) in [
        ("../none", "there is no folder app/../none"),
        ("../plain", "there is no app/../plain/fold.toml"),
        ("../base/number.fold", "there is no folder"),
        ("../link", "app/../link is a symbolic link"),
        ("up/shapes", "app/up is a symbolic link"),
        ("", "by a path from the folder of this one"),
        (&absolute, "by a path from the folder of this one"),
    ] {
        let manifest = format!("[dependencies]\nshapes = {{ path = \"{path}\" }}\n");
        fs::write(scratch.0.join("app/fold.toml"), manifest).unwrap();
        for command in [["run", "app/main.fold"], ["lock", "app"]] {
            let (code, _, text) = at(&scratch, &command);
            assert_ne!(code, Some(0), "{path}");
            for part in ["F0806", "the package `shapes` cannot be had", "app/fold.toml:2:19", message] {
                assert!(text.contains(part), "{path}: {part}: {text}");
            }
        }
    }
    assert!(!scratch.0.join("app/fold.lock").exists());
}

#[test]
fn a_description_that_is_none_is_told() {
    let scratch = three("packages-descriptions");
    let nested = format!("dependencies = {}", "[".repeat(500_000));
    let many: String = (0..65).map(|i| format!("a{i} = {{ path = \"../a{i}\" }}\n")).collect();
    let many = format!("[dependencies]\n{many}");
    for (manifest, message) in [
        ("[dependencies]\nshapes = \"../shapes\"\n", "where it is is said by `path`"),
        ("[dependencies]\nshapes = {}\n", "where it is is said by `path`"),
        ("[dependencies]\nshapes = { path = 1 }\n", "a path is a text"),
        ("[dependencies]\nshapes = { path = \"../shapes\", version = \"1\" }\n", "nothing is fetched"),
        ("[dependencies]\nshapes = { git = \"https://example.com\" }\n", "nothing is fetched"),
        ("[dependencies]\nShapes = { path = \"../shapes\" }\n", "small letters"),
        ("[dependencies]\n\"a/b\" = { path = \"../shapes\" }\n", "small letters"),
        ("dependencies = 1\n", "this is a table"),
        ("[dependencies\n", "app/fold.toml is no description of a package"),
        ("[dependencies]\na = { path = \"../shapes\" }\na = { path = \"../base\" }\n", "duplicate"),
        (&nested, "recurse"),
        (&many, "a package depends on at most 64 others"),
    ] {
        fs::write(scratch.0.join("app/fold.toml"), manifest).unwrap();
        let (code, _, text) = at(&scratch, &["run", "app/main.fold"]);
        assert!(code == Some(126) && text.contains("F0805") && text.contains(message), "{manifest}: {text}");
    }
    fs::write(scratch.0.join("app/fold.toml"), b"# dependencies\n\xff").unwrap();
    assert!(at(&scratch, &["lock", "app"]).2.contains("F0805"));
    // It need not be the program's own.
    fs::write(scratch.0.join("app/fold.toml"), ON_SHAPES).unwrap();
    fs::write(scratch.0.join("shapes/fold.toml"), "[dependencies]\nbase = 1\n").unwrap();
    let (code, _, text) = at(&scratch, &["check", "app/main.fold"]);
    assert!(code == Some(1) && text.contains("F0805") && text.contains("app/../shapes/fold.toml:2:8"), "{text}");
}

#[test]
fn names_of_packages_mean_nothing_else() {
    let scratch = three("packages-names");
    for name in ["text", "http", "prelude"] {
        let manifest = format!("[dependencies]\n{name} = {{ path = \"../shapes\" }}\n");
        fs::write(scratch.0.join("app/fold.toml"), manifest).unwrap();
        let (code, _, text) = at(&scratch, &["lock", "app"]);
        assert!(code == Some(1) && text.contains("F0807") && text.contains("the standard library"), "{text}");
    }
    fs::write(scratch.0.join("app/fold.toml"), ON_SHAPES).unwrap();
    for own in ["app/shapes.fold", "app/shapes/other.fold"] {
        fs::create_dir_all(scratch.0.join(own).parent().unwrap()).unwrap();
        fs::write(scratch.0.join(own), "").unwrap();
        let (code, _, text) = at(&scratch, &["lock", "app"]);
        assert!(
            code == Some(1) && text.contains("F0807") && text.contains(&format!("{own} is of this package")),
            "{text}"
        );
        fs::remove_file(scratch.0.join(own)).unwrap();
    }
    lock(&scratch);
    // A package is no module, what it has not is not there, and what it depends on is its own.
    for (import, message) in [
        ("shapes", "it is a package: what is imported is one of its modules"),
        ("shapes/none", "there is no module `shapes/none`"),
        ("shapes/base/number", "there is no module `shapes/base/number`"),
        ("base/number", "there is no module `base/number`"),
        ("area", "there is no module `area`"),
    ] {
        fs::write(scratch.0.join("app/main.fold"), format!("import {import}\nfn main() {{}}\n")).unwrap();
        let (code, _, text) = at(&scratch, &["check", "app/main.fold"]);
        assert!(code == Some(1) && text.contains(message), "{import}: {text}");
    }
}

#[test]
fn packages_in_a_circle_are_told() {
    let scratch = three("packages-circle");
    fs::write(scratch.0.join("base/fold.toml"), "[dependencies]\nshapes = { path = \"../shapes\" }\n").unwrap();
    for command in [["lock", "app"], ["run", "app/main.fold"]] {
        let (code, _, text) = at(&scratch, &command);
        assert_ne!(code, Some(0));
        for part in ["F0808", "app/../shapes/fold.toml → app/../shapes/../base/fold.toml → app/../shapes/fold.toml"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
    fs::write(scratch.0.join("app/fold.toml"), "[dependencies]\nown = { path = \".\" }\n").unwrap();
    let (code, _, text) = at(&scratch, &["lock", "app"]);
    assert!(code == Some(1) && text.contains("app/fold.toml → app/fold.toml"), "{text}");
}

#[test]
fn a_package_that_two_depend_on_is_one() {
    let scratch = three("packages-shared");
    let both = "[dependencies]\nshapes = { path = \"../shapes\" }\nnumbers = { path = \"./.././base\" }\n";
    fs::write(scratch.0.join("app/fold.toml"), both).unwrap();
    // A type of it is the same, whichever way it came.
    fs::write(scratch.0.join("base/number.fold"), "pub record N { pub n: Int }\n").unwrap();
    fs::write(
        scratch.0.join("shapes/area.fold"),
        "import base/number {N}\npub fn next(n: N) -> N { N { n: n.n + 1 } }\n",
    )
    .unwrap();
    fs::write(
        scratch.0.join("app/main.fold"),
        "import shapes/area\nimport numbers/number {N}\nfn main(out: Console) { out.print(\"{area.next(N { n: 1 }).n}\") }\n",
    )
    .unwrap();
    lock(&scratch);
    let (code, out, text) = at(&scratch, &["run", "app/main.fold"]);
    assert_eq!((code, out.as_str()), (Some(0), "2\n"), "{text}");
    assert_eq!(fs::read_to_string(scratch.0.join("app/fold.lock")).unwrap().matches("[[package]]").count(), 2);
}

#[test]
fn packages_may_lie_in_one_another() {
    let scratch = packages(
        "packages-inner",
        &[
            ("app", "[dependencies]\nshapes = { path = \"shapes\" }\n", &[("main.fold", MAIN)]),
            ("app/shapes", "", &[("area.fold", "pub fn square(side: Float) -> Float { side * side }\n")]),
        ],
    );
    lock(&scratch);
    assert_eq!(at(&scratch, &["run", "app/main.fold"]).1, "9.0\n");
    // All programs of the folder are looked at, each as its package has it.
    let (code, _, text) = at(&scratch, &["check", "app"]);
    assert_eq!((code, text.as_str()), (Some(0), ""));
}

#[test]
fn without_end_packages_end_in_a_limit() {
    let scratch = Scratch::new("packages-limit");
    for i in 0..70 {
        let folder = scratch.0.join(if i == 0 { "app".into() } else { format!("p{i}") });
        fs::create_dir(&folder).unwrap();
        let next = i + 1;
        fs::write(folder.join("fold.toml"), format!("[dependencies]\np{next} = {{ path = \"../p{next}\" }}\n"))
            .unwrap();
    }
    let (code, _, text) = at(&scratch, &["lock", "app"]);
    assert!(code == Some(1) && text.contains("a program has at most 64 packages"), "{text}");
}

#[test]
fn there_is_nothing_to_lock_without_a_package() {
    let scratch = three("packages-none");
    let (code, _, text) = at(&scratch, &["lock", "none"]);
    assert!(code == Some(1) && text.contains("there is no fold.toml in none"), "{text}");
    let (code, out, _) = at(&scratch, &["lock", "base"]);
    assert_eq!((code, out.as_str()), (Some(0), "base/fold.lock: 0 packages\n"));
}
