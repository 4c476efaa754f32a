//! What is printed: the table of attacks and layers, and the summary.

use std::time::Duration;

use pinfold_sandbox::Layer;

use crate::Outcome;
use crate::attack::Bare;
use crate::range::{Kind, Seen};

/// What a layer is to an attack.
fn cell(outcome: &Outcome, layer: Layer) -> &'static str {
    let escapes = |kind| matches!(outcome.seen(kind), Some(Seen::Escaped(_)));
    let succeeds = escapes(Kind::None);
    match outcome.seen(Kind::Alone(layer)) {
        _ if escapes(Kind::Without(layer)) => "ONLY",
        _ if !succeeds => "",
        None | Some(Seen::NoStart(_) | Seen::Failed(_)) => "?",
        Some(Seen::Escaped(_)) => ".",
        Some(_) => "stops",
    }
}

/// Layers that are the only wall, and others that stop an attack when they are alone.
fn walls(outcome: &Outcome) -> (Vec<Layer>, Vec<Layer>) {
    let all = || Layer::ALL.iter().copied();
    let only = all().filter(|layer| cell(outcome, *layer) == "ONLY").collect();
    (only, all().filter(|layer| cell(outcome, *layer) == "stops").collect())
}

/// The table.
pub fn print(outcomes: &[Outcome]) {
    println!("stops: alone it stops the attack.  ONLY: without it the attack succeeds.  .: alone it does not stop it.");
    println!("empty: stopped without any layer.  ?: it cannot be put up alone.\n");
    print!("{:<34}", "attack");
    Layer::ALL.iter().for_each(|layer| print!(" {:>8}", &layer.name()[..layer.name().len().min(8)]));
    println!("  walls");
    let mut group = "";
    for outcome in outcomes.iter().filter(|outcome| !outcome.attack.on_supervisor) {
        if outcome.group != group {
            group = outcome.group;
            println!("-- {group}");
        }
        print!("{:<34}", outcome.attack.name);
        Layer::ALL.iter().for_each(|layer| print!(" {:>8}", cell(outcome, *layer)));
        let (only, stops) = walls(outcome);
        match (only.as_slice(), stops.len()) {
            _ if outcome.is_skipped() => println!("  this host lacks it"),
            ([layer], _) => println!("  {} only", layer.name()),
            ([], 0) => println!("  none needed, or together"),
            ([], 1) => println!("  one, and others together"),
            (_, count) => println!("  {count} independent"),
        }
    }
    println!();
}

/// Numbers, reasons and problems.
pub fn summary(outcomes: &[Outcome], took: Duration) {
    let stopped: Vec<_> = outcomes.iter().filter(|outcome| !outcome.attack.on_supervisor).collect();
    println!("stopped without any layer:");
    for outcome in stopped {
        if let Bare::Stopped(why) = outcome.attack.bare {
            println!("  {}: {why}", outcome.attack.name);
        }
    }
    println!("known to succeed where namespaces are forbidden:");
    for outcome in outcomes.iter().filter(|o| matches!(o.seen(Kind::NoNamespaces), Some(Seen::Escaped(_)))) {
        println!("  {}: {}", outcome.attack.name, outcome.attack.without_namespaces.unwrap_or("WRONG"));
    }
    if let Some(Seen::NoStart(why)) = outcomes.first().and_then(|outcome| outcome.seen(Kind::NoNamespaces)) {
        println!("  nothing can be tried so by this user: {why}");
    }
    println!("stopped by one layer only:");
    for layer in Layer::ALL {
        let names: Vec<_> = outcomes
            .iter()
            .filter(|outcome| matches!(outcome.seen(Kind::Without(*layer)), Some(Seen::Escaped(_))))
            .map(|outcome| outcome.attack.name)
            .collect();
        if !names.is_empty() {
            println!("  {} ({}): {}", layer.name(), names.len(), names.join(", "));
        }
    }
    let skipped: Vec<_> = outcomes.iter().filter(|outcome| outcome.is_skipped()).collect();
    println!("skipped, since this host lacks what they attack:");
    for outcome in &skipped {
        if let Some(Seen::Lacks(what) | Seen::Refused(what)) = outcome.seen(Kind::None) {
            println!("  {}: {what}", outcome.attack.name);
        }
    }
    let problems: Vec<_> = outcomes.iter().filter(|outcome| !outcome.problems.is_empty()).collect();
    for outcome in &problems {
        println!("WRONG {} ({}): {}", outcome.attack.name, outcome.attack.tries, outcome.problems.join("\n      "));
    }
    let escapes = |kind| outcomes.iter().filter(|o| matches!(o.seen(kind), Some(Seen::Escaped(_)))).count();
    println!(
        "\n{} attacks, {} skipped, {} as expected; {} succeed without layers, {} with all, {} without namespaces; {} runs in {:.1} s",
        outcomes.len(),
        skipped.len(),
        outcomes.len() - problems.len(),
        escapes(Kind::None),
        escapes(Kind::All),
        escapes(Kind::NoNamespaces),
        outcomes.iter().map(|outcome| outcome.runs.len()).sum::<usize>(),
        took.as_secs_f64(),
    );
}
