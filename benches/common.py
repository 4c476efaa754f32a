"""What benches/run and benches/fold/run have in common: finding Pinfold and its peers, timing processes, comparing what they print."""

import math
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
CACHE = HERE / "cache"
GUESTS = ROOT / "tests" / "guests"

WASMTIME, WASMI, NODE, WASM_TOOLS = "48.0.8", "2.0.0", "24.9.0", "1.255.0"

def say(text):
    print(text, file=sys.stderr, flush=True)


def command(arguments, **options):
    say("$ " + " ".join(map(str, arguments)))
    subprocess.run([str(a) for a in arguments], check=True, stdout=sys.stderr, **options)


def find_pinfold(given):
    if given:
        return pathlib.Path(given).resolve()
    command(["cargo", "build", "--release", "--locked"], cwd=ROOT)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "release" / "pinfold"


def find_peer(name, folder):
    """The path of a peer: in the folder that the caller named, or installed below the cache."""
    if folder and (pathlib.Path(folder) / name).exists():
        return (pathlib.Path(folder) / name).resolve()
    peers = CACHE / "peers"
    if name == "node":
        binary = peers / "node_modules" / "node" / "bin" / "node"
        if not binary.exists():
            peers.mkdir(parents=True, exist_ok=True)
            command(["npm", "install", "--no-fund", "--no-audit", "--prefix", peers, f"node@{NODE}"], cwd=peers)
        return binary
    package, *options = {
        "wasmtime": [f"wasmtime-cli@{WASMTIME}"],
        "wasmi": [f"wasmi_cli@{WASMI}"],
        "wasm-tools": [f"wasm-tools@{WASM_TOOLS}", "--no-default-features", "--features", "parse"],
    }[name]
    binary = peers / "bin" / name
    if not binary.exists():
        command(["cargo", "install", "--locked", "--root", peers, package, *options])
    return binary


def version_of(binary):
    answer = subprocess.run([str(binary), "--version"], capture_output=True, text=True)
    return (answer.stdout.strip().splitlines() or ["?"])[0]


def compiler():
    path = subprocess.run([str(GUESTS / "fetch"), "--zig"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    os.environ.setdefault("ZIG_GLOBAL_CACHE_DIR", str(CACHE / "zig-cache"))
    os.environ.setdefault("ZIG_LOCAL_CACHE_DIR", str(CACHE / "zig-cache"))
    return path


# Wasmtime notes the stack where it makes an error, also one that no one sees (each collection, each throw), if this is set.
# What Pinfold keeps of programs, where that is measured.
KEPT = CACHE / "kept"
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.endswith("_BACKTRACE")}
ENVIRONMENT["PINFOLD_CACHE"] = str(KEPT)


class Failure(Exception):
    """A program that ended badly, or printed something else than it should."""


class Fed(list):
    """A program and its arguments, with a file as its standard input."""

    def __init__(self, stdin, argv):
        super().__init__(argv)
        self.stdin = stdin


def run_once(measure, argv):
    """Runs a program; returns its seconds, its peak in MiB and what it printed to either stream."""
    with tempfile.NamedTemporaryFile() as report, open(getattr(argv, "stdin", os.devnull), "rb") as stdin:
        done = subprocess.run([str(measure), report.name, *map(str, argv)], stdin=stdin,
                              capture_output=True, text=True, env=ENVIRONMENT)
        figures = pathlib.Path(report.name).read_text().split()
    if len(figures) != 4:
        raise Failure("it could not be started")
    if figures[3] != "0":
        raise Failure(f"exit status {figures[3]}: {done.stderr.strip()[:300]}")
    return int(figures[0]) / 1e9, int(figures[2]) / 1024, done.stdout, done.stderr


def in_turn(measure, jobs, runs):
    """Runs all jobs (name → argv) one after the other, `runs` times; returns name → list of (seconds, MiB, both outputs)."""
    results = {name: [] for name in jobs}
    failures = {}
    for _ in range(runs):
        for name, argv in jobs.items():
            if name in failures:
                continue
            try:
                results[name].append(run_once(measure, argv))
            except Failure as failure:
                failures[name] = str(failure)
                say(f"  {name}: {failure}")
    return {name: samples for name, samples in results.items() if name not in failures}, failures


def summary(samples):
    seconds = sorted(s[0] for s in samples)
    return {"seconds": statistics.median(seconds), "least": seconds[0], "most": seconds[-1],
            "mib": statistics.median(s[1] for s in samples)}


def check_outputs(results, name):
    """Every engine must have printed the same at every run."""
    outputs = {s[2] for samples in results.values() for s in samples}
    if len(outputs) > 1:
        say(f"  {name}: DIFFERENT OUTPUT " + ", ".join(
            f"{engine}={samples[0][2].strip()[:60]}" for engine, samples in results.items()))
    return len(outputs) <= 1


def mean(ratios):
    return math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else None


def machine():
    model = "?"
    try:
        for line in open("/proc/cpuinfo"):
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    return {"processor": model, "cores": os.cpu_count(), "system": platform.platform(),
            "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
            "load": os.getloadavg()[0]}
