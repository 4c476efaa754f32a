//! The flags of `pinfold run`.

use std::path::PathBuf;
use std::str::FromStr;

use pinfold::job::TierName;
use pinfold_sandbox::{Layer, Layers};
use pinfold_vm::host::{DirGrant, NetGrant};

/// Run a program, with nothing of the host but what is granted.
///
/// Granted by default: console, random numbers, a clock of 1 ms.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = pinfold::exit::HELP)]
pub struct Args {
    /// The program: Fold (its name ends in .fold) or a WebAssembly module, binary or text; `-` takes a module from standard input.
    pub file: PathBuf,
    /// Arguments of the program.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub args: Vec<String>,

    /// Grant a directory, read-only unless `:rw` stands at the end. The program sees it as GUEST,
    /// as /NAME, or under HOST's own path.
    #[arg(long, value_name = "[NAME=]HOST[::GUEST][:rw]", help_heading = "Grants")]
    pub dir: Vec<DirGrant>,
    /// Grant a connection: it is open when the program starts, as the descriptor after those of the directories; with NAME
    /// the variable PINFOLD_FD_NAME holds its number. A name must lead to a public address.
    #[arg(long, value_name = "[NAME=]HOST:PORT", value_parser = NetGrant::connect, help_heading = "Grants")]
    pub net: Vec<NetGrant>,
    /// Grant to be a server at an address of this host; accepting takes connections from that descriptor.
    #[arg(long, value_name = "[NAME=]ADDR:PORT", value_parser = NetGrant::listen, help_heading = "Grants")]
    pub listen: Vec<NetGrant>,
    /// Grant an environment variable: this value, or the one it has here.
    #[arg(long, value_name = "KEY[=VALUE]", help_heading = "Grants")]
    pub env: Vec<String>,
    /// Grant no clock.
    #[arg(long, help_heading = "Grants")]
    pub no_clock: bool,
    /// Grant no random numbers.
    #[arg(long, help_heading = "Grants")]
    pub no_random: bool,
    /// Standard input is empty.
    #[arg(long, help_heading = "Grants")]
    pub no_stdin: bool,
    /// Grant nothing by default: no console, clock or random numbers.
    #[arg(long, help_heading = "Grants")]
    pub none: bool,
    /// Grant what this file says, and nothing by default; flags add to it. Its limits hold where no flag says otherwise.
    #[arg(long, value_name = "FILE", conflicts_with = "none", help_heading = "Grants")]
    pub policy: Option<PathBuf>,
    /// Let the program run although imports are unknown or not granted: calling one is a trap.
    #[arg(long, help_heading = "Grants")]
    pub trap_unknown_imports: bool,

    /// Go without these layers of the sandbox, where this host cannot give them. `pinfold doctor` says which it can; `namespaces`
    /// stands for all of these.
    #[arg(long, value_name = "LAYERS", value_delimiter = ',', value_parser = without, help_heading = "Sandbox")]
    pub without: Vec<Without>,
    /// Run without any sandbox: the program is held by the virtual machine alone.
    #[arg(long, help_heading = "Sandbox")]
    pub unsafe_no_sandbox: bool,

    /// Seconds until the program is ended; 0 for no deadline [default: 60].
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Limits")]
    pub timeout: Option<f64>,
    /// Memory of all kinds together [default: 1GiB].
    #[arg(long, value_name = "BYTES", help_heading = "Limits")]
    pub max_memory: Option<Bytes>,
    /// Stack of the program [default: 8MiB].
    #[arg(long, value_name = "BYTES", help_heading = "Limits")]
    pub max_stack: Option<Bytes>,
    /// Bytes of output [default: 256MiB].
    #[arg(long, value_name = "BYTES", help_heading = "Limits")]
    pub max_output: Option<Bytes>,
    /// Seconds of processor time, of all processors together; the deadline bounds it too.
    #[arg(long, value_name = "SECONDS", value_parser = processor_seconds, help_heading = "Limits")]
    pub max_cpu: Option<f64>,
    /// How many processors at a time, as in 0.5 or 2; takes a cgroup.
    #[arg(long, value_name = "N", value_parser = processors, help_heading = "Limits")]
    pub cpus: Option<f64>,
    /// Processes and threads of the worker, beside one for each processor [default: 16].
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub max_processes: Option<u64>,
    /// End the program after this much work; counted only if given.
    #[arg(long, value_name = "UNITS", help_heading = "Limits")]
    pub fuel: Option<u64>,

    /// Make every run the same: virtual clock, random numbers from a seed, canonical NaNs.
    #[arg(long, help_heading = "Running")]
    pub deterministic: bool,
    /// The seed of --deterministic, which it implies.
    #[arg(long, value_name = "N", help_heading = "Running")]
    pub seed: Option<u64>,
    /// How code is run.
    #[arg(long, value_enum, default_value = "auto", help_heading = "Running")]
    pub tier: TierName,
    /// Keep nothing of the program for its next run, and use nothing that was kept; see `pinfold cache`.
    #[arg(long, help_heading = "Running")]
    pub no_cache: bool,
    /// Take the machine code that the program brings (`pinfold compile -o`), whoever made it: nothing verifies that, so it is held by the
    /// sandbox alone. What this user's own Pinfold compiled needs no flag.
    #[arg(long, conflicts_with_all = ["without", "unsafe_no_sandbox"], help_heading = "Running")]
    pub precompiled: bool,
    /// Call this export with ARGS, and print its results; `_start` otherwise.
    #[arg(long, value_name = "FN", help_heading = "Running")]
    pub invoke: Option<String>,

    /// Print where time and memory went.
    #[arg(long, help_heading = "Records")]
    pub stats: bool,
    /// Write how the run ended, what it was allowed and what it used to this file, as JSON.
    #[arg(long, value_name = "FILE", value_parser = file, help_heading = "Records")]
    pub report: Option<PathBuf>,
    /// Write a line of JSON to this file for each call that the program makes of its host.
    #[arg(long, value_name = "FILE", value_parser = file, help_heading = "Records")]
    pub audit: Option<PathBuf>,
    /// Bytes that --audit, --trace and --trace-tiers may write; the program is ended when it makes them write more [default: 256MiB].
    #[arg(long, value_name = "BYTES", help_heading = "Records")]
    pub max_audit: Option<Bytes>,
    /// Show these calls on standard error while they are made.
    #[arg(long, help_heading = "Records")]
    pub trace: bool,
    /// Show on standard error which functions and loops turn hot, are compiled and are entered while the program runs; or write a
    /// line of JSON to this file for each.
    #[arg(
        long,
        value_name = "FILE",
        value_parser = file,
        num_args = 0..=1,
        require_equals = true,
        help_heading = "Records"
    )]
    pub trace_tiers: Option<Option<PathBuf>>,
    /// Write where the program's time went to this file: its stacks, sampled each millisecond, in the form of V8's .cpuprofile. The
    /// Firefox Profiler, speedscope, Chrome's developer tools and Visual Studio Code open it.
    #[arg(long, value_name = "FILE", value_parser = file, help_heading = "Records")]
    pub profile: Option<PathBuf>,
    /// Write the smallest policy to this file that such a run needs; see --policy.
    #[arg(long, value_name = "FILE", value_parser = file, help_heading = "Records")]
    pub learn: Option<PathBuf>,
}

/// A number of bytes: `4096`, `64KiB`, `1.5GiB`, `2MB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes(pub u64);

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        let unit: u64 = match unit.to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "k" | "kib" => 1 << 10,
            "m" | "mib" => 1 << 20,
            "g" | "gib" => 1 << 30,
            "kb" => 1_000,
            "mb" => 1_000_000,
            "gb" => 1_000_000_000,
            _ => return Err("the unit is none of B, KiB, MiB, GiB, KB, MB, GB".into()),
        };
        let wrong = |_| "write a number of bytes, as in 4096, 64KiB or 1.5GiB".to_owned();
        if let Ok(whole) = number.trim().parse::<u64>() {
            return whole.checked_mul(unit).map(Self).ok_or("that is more than any machine has".into());
        }
        let number: f64 = number.trim().parse().map_err(wrong)?;
        let bytes = number * unit as f64;
        if bytes.is_finite() && (0.0..1e18).contains(&bytes) {
            Ok(Self(bytes as u64))
        } else {
            Err("that is no number of bytes".into())
        }
    }
}

/// Layers to go without.
#[derive(Clone, Copy, Debug)]
pub struct Without(&'static [Layer]);

/// Reads the name of a layer, or of several together.
///
/// # Errors
/// If there is no such layer, or none goes without it.
pub fn without(text: &str) -> Result<Without, String> {
    if text == "namespaces" {
        return Ok(Without(Layer::NAMESPACES));
    }
    let layer = layer(text)?;
    let at = Layer::ALL.iter().position(|known| *known == layer);
    Ok(Without(at.and_then(|at| Layer::ALL.get(at..=at)).unwrap_or_default()))
}

fn layer(text: &str) -> Result<Layer, String> {
    let names = || Layer::ALL.iter().filter(|l| !l.is_indispensable()).map(|l| l.name()).collect::<Vec<_>>().join(", ");
    match Layer::by_name(text) {
        Some(layer) if layer.is_indispensable() => {
            Err(format!("{text} is indispensable; what can be left out is {}", names()))
        }
        Some(layer) => Ok(layer),
        None => Err(format!("there is no such layer; what can be left out is {}", names())),
    }
}

/// A number of seconds.
pub fn seconds(text: &str) -> Result<f64, String> {
    match text.strip_suffix('s').unwrap_or(text).parse::<f64>() {
        Ok(seconds) if seconds.is_finite() && seconds >= 0.0 => Ok(seconds),
        _ => Err("write a number of seconds, as in 60 or 0.5".into()),
    }
}

/// Seconds, of which there are some.
pub fn processor_seconds(text: &str) -> Result<f64, String> {
    seconds(text).and_then(|seconds| if seconds > 0.0 { Ok(seconds) } else { Err("that is no time at all".into()) })
}

/// How many processors.
pub fn processors(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if (0.01..=10_000.0).contains(&number) => Ok(number),
        _ => Err("write a number of processors from 0.01 on, as in 0.5 or 2".into()),
    }
}

/// A file to be written. Standard output is the program's.
fn file(text: &str) -> Result<PathBuf, String> {
    match text {
        "-" => Err("standard output is the program's; write /dev/stderr, or ./- for a file of that name".into()),
        path => Ok(path.into()),
    }
}

impl Args {
    /// The walls to put up.
    pub fn layers(&self) -> Layers {
        if self.unsafe_no_sandbox {
            return Layers::NONE;
        }
        self.without.iter().flat_map(|without| without.0).fold(Layers::all(), |layers, layer| layers.without(*layer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_and_without_units() {
        for (text, bytes) in [("4096", 4096), ("64KiB", 65536), ("1.5g", 3 << 29), ("2MB", 2_000_000), ("0", 0)] {
            assert_eq!(text.parse(), Ok(Bytes(bytes)), "{text}");
        }
        for text in ["", "x", "-1", "1XB", "99999999999999999999G", "NaN"] {
            assert!(text.parse::<Bytes>().is_err(), "{text}");
        }
    }
}
