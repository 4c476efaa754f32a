//! The programs of `examples/` write what is in `examples/expected`.

use std::path::{Path, PathBuf};

use super::program::{End, World, check, lines, run};
use super::wrong;

/// An example: its input, words, directories with the folder whose copy each is, and how it ends.
struct Example {
    name: &'static str,
    input: &'static str,
    args: &'static [&'static str],
    dirs: &'static [(&'static str, Option<&'static str>)],
}

const fn plain(name: &'static str) -> Example {
    Example { name, input: "", args: &[], dirs: &[] }
}

/// All of them, but `http-client`, which needs a server: the tests of the command have one.
const EXAMPLES: &[Example] = &[
    Example { input: "look\ntake key\neast\ntake key\nwest\nuse key\ncarry\ndance\nnorth\n", ..plain("adventure") },
    Example {
        input: "1 + 2 * 3\n(1 + 2) * 3\nx = 4\nx * x - 1 / 8\nsqrt(x) + -2\n2 *\n7 $ 7\n1 / 0\ny\n",
        ..plain("calculator")
    },
    Example { dirs: &[("data", Some("stock"))], ..plain("csv-report") },
    plain("hello"),
    Example { input: include_str!("../../examples/data/orders.json"), ..plain("json-transform") },
    Example { dirs: &[("store", None)], args: &["key-value", "set", "colour", "green"], ..plain("key-value") },
    plain("life"),
    Example { dirs: &[("logs", Some("logs"))], ..plain("log-analysis") },
    plain("mandelbrot"),
    Example { dirs: &[("notes", Some("notes"))], ..plain("markdown") },
    plain("queens"),
    Example { dirs: &[("source", Some("site")), ("target", None)], ..plain("site") },
    Example {
        input: "The sheeep walks to the poond\nand the gaet is locked\n",
        dirs: &[("words", Some("words"))],
        ..plain("spell-check")
    },
    plain("sudoku"),
    Example { input: "the gate and the wall and the shed\nThe End\n", ..plain("word-count") },
];

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

#[test]
fn examples_write_what_is_expected() {
    let found = wrong(EXAMPLES, |example| look(example).map_err(|why| format!("{}: {why}", example.name)));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_example_is_left_out() {
    for path in super::case::files(&examples(), "fold") {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        assert!(name == "http-client" || EXAMPLES.iter().any(|example| example.name == name), "{name}");
    }
}

fn look(example: &Example) -> Result<(), String> {
    let path = examples().join(format!("{}.fold", example.name));
    let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let checked = check(&text).map_err(|rejected| lines(&rejected))?;
    let copies: Vec<(&str, tempfile::TempDir)> = example
        .dirs
        .iter()
        .map(|(name, from)| {
            let copy = tempfile::tempdir().expect("a folder");
            if let Some(from) = from {
                for entry in std::fs::read_dir(examples().join("data").join(from)).expect("a folder") {
                    let entry = entry.expect("an entry");
                    std::fs::copy(entry.path(), copy.path().join(entry.file_name())).expect("a copy");
                }
            }
            (*name, copy)
        })
        .collect();
    let world = World {
        input: example.input.to_owned(),
        args: example.args.iter().map(|&arg| arg.to_owned()).collect(),
        dirs: copies.iter().map(|(name, copy)| (*name, copy.path())).collect(),
    };
    let done = run(&checked, &world)?;
    let mut output = done.output;
    match done.end {
        End::Good => {}
        End::Failed(why) => output += &format!("error: {why}\n"),
        End::Panic(why) | End::Trap(why) => return Err(why),
    }
    let expected = examples().join("expected").join(format!("{}.txt", example.name));
    if std::env::var_os("EXPECT").is_some() {
        std::fs::write(&expected, &output).map_err(|error| error.to_string())?;
    }
    let expected = std::fs::read_to_string(&expected).map_err(|error| format!("{}: {error}", expected.display()))?;
    if output == expected { Ok(()) } else { Err(format!("it wrote\n{output}  and not\n{expected}")) }
}
