"""Builds wheels: maturin makes the extension, and the worker is put beside it in the package first."""

import json
import shutil
import subprocess
from pathlib import Path

import maturin

# What else a build backend has is maturin's.
from maturin import *  # noqa: F403

_HERE = Path(__file__).resolve().parent
_MANIFEST = ["--manifest-path", str(_HERE / "Cargo.toml")]


def _build_worker(settings):
    """Builds it with the profile that maturin is told to build with."""
    words = maturin.get_maturin_pep517_args(settings)
    profile = words[words.index("--profile") + 1] if "--profile" in words else "release"
    build = ["cargo", "build", *_MANIFEST, "--profile", profile, "-p", "pinfold", "--bin", "pinfold-worker"]
    subprocess.run(build, check=True)
    metadata = ["cargo", "metadata", *_MANIFEST, "--format-version", "1", "--no-deps"]
    target = json.loads(subprocess.run(metadata, check=True, stdout=subprocess.PIPE).stdout)["target_directory"]
    shutil.copy(Path(target) / profile / "pinfold-worker", _HERE / "pinfold")


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """A wheel with the extension, the worker, and what is written in Python."""
    _build_worker(config_settings)
    return maturin.build_wheel(wheel_directory, config_settings, metadata_directory)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    """A wheel that leads to this folder, into which the extension and the worker are put."""
    _build_worker(config_settings)
    return maturin.build_editable(wheel_directory, config_settings, metadata_directory)
