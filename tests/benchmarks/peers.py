"""The environment of the peers, and what a peer script finds in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import argparse

    from numpy.typing import NDArray

    from tests.benchmarks import measured
else:  # run as a script, its own folder is on the path
    import measured

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
REQUIREMENTS = HERE / "peers.txt"


@dataclass(frozen=True, slots=True)
class Found:
    """What a peer found."""

    name: str
    """The peer with its version, such as "crowd-kit 1.4.2 DawidSkene"."""
    posteriors: pd.DataFrame
    """One row an item: item, then the probability of each label in a column of its name."""
    passes: int
    fit_seconds: float
    """Of the fit alone, without imports, reading and writing."""
    run: measured.Measured
    """The whole process."""


def add_option(parser: argparse.ArgumentParser) -> None:
    """``--peers-python``."""
    parser.add_argument(
        "--peers-python",
        type=Path,
        metavar="PATH",
        help="interpreter that has peers.txt installed; by default that of the folder CONSENSUS_PEERS or .venv-peers, "
        "which is made on first use and when peers.txt changes",
    )


def interpreter(chosen: Path | None) -> Path:
    """The peers' Python; its environment is made if it does not exist or holds other requirements."""
    if chosen is not None:
        return chosen
    folder = Path(os.environ.get("CONSENSUS_PEERS") or ROOT / ".venv-peers")
    python, installed = folder / "bin" / "python", folder / REQUIREMENTS.name
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    if not installed.exists() or installed.read_text(encoding="utf-8") != wanted:
        sys.stderr.write(f"installing {REQUIREMENTS.name} into {folder}\n")
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", REQUIREMENTS], check=True)
        installed.write_text(wanted, encoding="utf-8")  # last: its presence says that the environment is whole
    return python


def check_version(python: Path, name: str, version: str) -> None:
    """End the script if the peers' Python has another version of a package than peers.txt pins."""
    pinned = dict(line.split("==") for line in REQUIREMENTS.read_text(encoding="utf-8").split() if "==" in line)
    if version != pinned[name]:
        raise SystemExit(f"{python}: has {name} {version}, but {REQUIREMENTS} pins {pinned[name]}")


def dawid_skene(python: Path, judgments: Path, iterations: int) -> Found:
    """Fit crowd-kit's Dawid-Skene to the judgments of a CSV file, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "posteriors.csv"
        script = HERE / "peer_dawid_skene.py"
        run = measured.run([python, "-W", "ignore", script, judgments, out, "--iterations", str(iterations)])
        posteriors = pd.read_csv(out, dtype={"item": str}, keep_default_na=False)
    told = json.loads(run.stdout)
    check_version(python, "crowd-kit", told["version"])
    name = f"crowd-kit {told['version']} DawidSkene"
    return Found(name, posteriors, told["iterations"], told["seconds"], run)


def ensemble(
    python: Path, labels: NDArray[Any], probabilities: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Merge labels (I, H) of people and probabilities (M, I, K) of models with cleanlab, in a process of its own.

    Returns the code of the consensus label (I,), and its quality score (I,).
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "labels.npy", labels)
        np.save(folder / "probabilities.npy", probabilities)
        run = measured.run([python, "-W", "ignore", HERE / "peer_ensemble.py", folder])
        label, quality = np.load(folder / "label.npy"), np.load(folder / "quality.npy")
    check_version(python, "cleanlab", json.loads(run.stdout)["version"])
    return label, quality


def workers(python: Path, judgments: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, str]]:
    """Rate the workers of judgments (item, worker, label; no repeats) with all peers, in a process of its own.

    Returns one row a worker, its id the index, and one column a method; and why a method did not run.
    """
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder) / "judgments.csv", Path(folder) / "workers.csv"
        judgments.to_csv(path, index=False)
        run = measured.run([python, "-W", "ignore", HERE / "peer_workers.py", path, out])
        ratings = pd.read_csv(out, dtype={"worker": str}, keep_default_na=False, na_values=[""])
    told = json.loads(run.stdout)
    for name, version in told["versions"].items():
        check_version(python, name, version)
    return ratings.set_index("worker"), told["refused"]
