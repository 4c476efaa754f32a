//! Binary trees: in each round many small ones and few large ones are built and counted; one stays for a round.

struct Tree {
    left: Option<Box<Tree>>,
    right: Option<Box<Tree>>,
}

fn build(depth: u32) -> Box<Tree> {
    if depth == 0 {
        return Box::new(Tree { left: None, right: None });
    }
    Box::new(Tree { left: Some(build(depth - 1)), right: Some(build(depth - 1)) })
}

fn count(tree: &Tree) -> u64 {
    match (&tree.left, &tree.right) {
        (Some(left), Some(right)) => 1 + count(left) + count(right),
        _ => 1,
    }
}

fn main() {
    let rounds: u32 = std::env::args().nth(1).map_or(0, |n| n.parse().expect("a number"));
    let mut sum = 0;
    let mut kept = build(0);
    for round in 0..rounds {
        for depth in [4, 6, 8, 10, 12, 14] {
            for _ in 0..1 << (14 - depth) {
                sum += count(&build(depth));
            }
        }
        sum += count(&kept);
        kept = build(12 + round % 3);
    }
    println!("trees {sum}");
}
