use std::path::Path;

use super::{format, parse, settle};

/// All programs in this repository.
fn programs() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders: Vec<_> = ["stdlib", "examples", "compiler/tests", "tests"].map(|folder| root.join(folder)).into();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "fold") {
                found.push((path.display().to_string(), std::fs::read_to_string(&path).expect("readable")));
            }
        }
    }
    found.sort();
    found
}

/// Lays a program out, if it has no errors, and fails if the layout is another program or does not settle.
fn check(name: &str, text: &str) -> Option<String> {
    let (tree, before) = parse(text)?;
    let laid_out = match settle(text, &tree, &before) {
        Ok(laid_out) => laid_out,
        Err(laid_out) => match parse(&laid_out) {
            None => panic!("{name}: the layout has errors:\n{laid_out}"),
            Some((_, now)) if now != before => {
                let lines = before.0.lines().zip(now.0.lines()).find(|(a, b)| a != b);
                panic!(
                    "{name}: the layout is another program: {lines:?}, comments {:?} {:?}\n{laid_out}",
                    before.1, now.1
                )
            }
            Some(_) => panic!("{name}: the layout does not settle:\n{laid_out}"),
        },
    };
    assert_eq!(format(&laid_out).as_ref(), Some(&laid_out), "{name}");
    Some(laid_out)
}

#[test]
fn programs_stay_the_same_programs() {
    let programs = programs();
    assert!(programs.len() > 30);
    let laid_out = programs.iter().filter_map(|(name, text)| check(name, text)).count();
    assert!(laid_out > 30, "{laid_out}");
}

/// Comments survive wherever they are put.
#[test]
fn comments_stay_wherever_they_are() {
    let mut state = 7u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below.max(1)
    };
    let mut tried = 0;
    for (name, text) in programs().iter().filter(|(_, text)| text.len() < 8_000) {
        for _ in 0..6 {
            let mut changed = text.clone();
            for _ in 0..1 + random(3) {
                let at = random(changed.len());
                let spot = changed[..changed.floor_char_boundary(at)].rfind(' ').unwrap_or(0);
                changed.insert_str(spot, [" /* c */ ", " // c\n", "\n// c\n", "\n\n/* c\n d */\n"][random(4)]);
            }
            tried += usize::from(check(name, &changed).is_some());
        }
    }
    assert!(tried > 100, "{tried}");
}
