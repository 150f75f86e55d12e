"""A million judgments: time and memory of ``consensus run`` and of crowd-kit's Dawid-Skene on the same file.

    python tests/benchmarks/million.py [--peer-iterations N] [--peers-python PATH] [--no-peers] [--seed N]

Prints a Markdown table. The exit status is 1 where an acceptance figure is not met.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

import consensus
from consensus import evaluation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks import measured, peers
else:  # run as a script, its own folder is on the path
    import measured
    import peers

N_ITEMS, N_WORKERS, N_LABELS, PER_ITEM = 200_000, 2_000, 4, 5
MOST_SECONDS, MOST_MB = 15.0, 1500.0


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    method: str
    run: measured.Measured
    passes: str
    seconds_a_pass: float
    accuracy: float
    """Share right, of all items, against the planted truth."""


def simulated(folder: Path, seed: int) -> tuple[Path, consensus.Gold]:
    """The judgments as a CSV file, and the planted truth."""
    drawn = consensus.simulate(N_ITEMS, N_WORKERS, N_LABELS, PER_ITEM, seed=seed)
    path = folder / "judgments.csv"
    drawn.judgments_table().to_csv(path, index=False)
    return path, consensus.read_gold(drawn.truth_table())


def ours(path: Path, folder: Path, truth: consensus.Gold) -> Row:
    """``consensus run`` with all its outputs: once so that the kernels are compiled and cached, then timed.

    A third run, of the fit alone, times the passes.
    """
    out = folder / "out"
    command = [sys.executable, "-m", "consensus", "run", str(path), "--out", str(out), "--overwrite", "--quiet"]
    measured.run(command)
    run = measured.run(command)
    labels = pd.read_csv(out / "labels.csv", dtype={"item": str, "label": str}, keep_default_na=False)
    scores, _ = evaluation.evaluate(labels[["item", "label"]], truth)
    told = json.loads(measured.run([sys.executable, Path(__file__).with_name("pass_times.py"), path]).stdout)
    held_out = sum(n for stage, n in told["passes"].items() if stage != "fitting")
    passes = f"{told['passes']['fitting']} (+ {held_out} to measure rho and the switch risk)"
    return Row("consensus run", run, passes, told["seconds_a_pass"], scores.accuracy)


def crowd_kit(path: Path, python: Path, iterations: int, truth: consensus.Gold) -> Row:
    """Read, fit with ``iterations`` passes at most, write the posteriors. A pass is a share of the fit's time."""
    found = peers.dawid_skene(python, path, iterations)
    scores, _ = evaluation.evaluate(found.posteriors, truth)
    seconds_a_pass = found.fit_seconds / found.passes
    limit = " (the limit)" if found.passes == iterations else ""
    return Row(found.name, found.run, f"{found.passes}{limit}", seconds_a_pass, scores.accuracy)


def table(rows: Sequence[Row]) -> str:
    """Markdown: one line a method."""
    lines = ["| method | wall s | peak MB | passes | s a pass | accuracy % |", "|---|--:|--:|--:|--:|--:|"]
    lines += [
        f"| {row.method} | {row.run.seconds:.1f} | {row.run.peak_mb:,.0f} | {row.passes} "
        f"| {row.seconds_a_pass:.3f} | {100 * row.accuracy:.2f} |"
        for row in rows
    ]
    return "\n".join(lines)


def machine() -> str:
    """What it was measured on."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "numba", "pandas"))
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores, {system}, {versions}"


def acceptance(run: measured.Measured) -> dict[str, bool]:
    """The acceptance figures and whether they are met."""
    return {
        f"{run.seconds:.1f} s, under {MOST_SECONDS:g} s": run.seconds < MOST_SECONDS,
        f"{run.peak_mb:,.0f} MB at its peak, under {MOST_MB:,.0f} MB": run.peak_mb < MOST_MB,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--peer-iterations", type=int, default=10, help="limit of crowd-kit's passes (10; its own default is 100)"
    )
    parser.add_argument("--no-peers", action="store_true", help="leave the peers out")
    parser.add_argument("--seed", type=int, default=0, help="of the simulated crowd")
    peers.add_option(parser)
    options = parser.parse_args()

    python = None if options.no_peers else peers.interpreter(options.peers_python)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path, truth = simulated(folder, options.seed)
        rows = [ours(path, folder, truth)]
        if python is not None:
            rows.append(crowd_kit(path, python, options.peer_iterations, truth))
    size = f"{N_ITEMS * PER_ITEM:,} judgments of {N_ITEMS:,} items by {N_WORKERS:,} workers, {N_LABELS} labels"
    sys.stdout.write(f"{size}, seed {options.seed}. {machine()}.\n\n{table(rows)}\n")
    if python is not None:
        sys.stdout.write(
            f"\ncrowd-kit was allowed {options.peer_iterations} passes (--peer-iterations; its default is 100); "
            "its seconds a pass are those of the whole fit divided by the passes it made.\n"
        )
    figures = acceptance(rows[0].run)
    sys.stdout.write("\n" + "".join(f"- {text}: {'met' if met else 'not met'}\n" for text, met in figures.items()))
    return 0 if all(figures.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
