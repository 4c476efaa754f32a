//! The examples of the low layer are programs for wasmtime too, but for their `use` lines.

#[path = "../../../examples/wasm/main.rs"]
#[expect(dead_code, reason = "the examples' own beginning")]
mod with_pinfold;
mod with_wasmtime;

#[test]
fn the_same_program_does_the_same_with_wasmtime() {
    let golden = [
        ("hello", "  hello, number 1\n  hello, number 2\n"),
        (
            "memory",
            "  the module's data: [1, 2, 3, 4]\n  changed from both sides: [1, 2, 70, 80], 70\n  2 pages before growth, 3 after\n  what is new is 0\n  in the host's: 55\n",
        ),
        ("multi", "  47 = 5 * (9, 2).0 + (9, 2).1\n  reversed: Some(3), Some(2.5), Some(1)\n"),
        ("linking", "  said: [\"pound\", \"gate\"]\n"),
        (
            "fuel",
            "  the tenth is 55\n  the tenth is 55\n  both cost the same: true\n  for that much there is the tenth: true\n  and the eleventh: false\n",
        ),
    ];
    assert_eq!(with_pinfold::EXAMPLES.map(|(name, _)| name), golden.map(|(name, _)| name));
    assert_eq!(with_wasmtime::EXAMPLES.len(), golden.len());
    for (which, ports) in [("pinfold", with_pinfold::EXAMPLES), ("wasmtime", with_wasmtime::EXAMPLES)] {
        for ((name, run), (_, text)) in ports.iter().zip(golden) {
            let mut out = Vec::new();
            let ran = run(&mut out);
            let out = String::from_utf8(out).unwrap();
            assert!(ran.is_ok(), "{name} with {which}: {ran:?}\n{out}");
            assert_eq!(out, text, "{name} with {which}");
        }
    }
}
