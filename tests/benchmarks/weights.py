"""What weights and clusters cost, and how well the effective items of a cluster are found.

    python tests/benchmarks/weights.py [--scale S] [--runs N] [--seeds N] [--first SEED]

The first table is about a fit of ``2 S`` million items of five judgments each, by 20,000 workers in clusters of 20
items, one thread: time and peak without weights and clusters, with weights, and with both, in turn. The second one is
about crowds whose workers err together in clusters with a known intraclass correlation icc: the effective items of a
large cluster, of which the truth is 1 / icc, by the model and by the formula over r (1 - r) that it does not use (both
by the same tempered posteriors; geometric means, and how far single crowds lie from the truth).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from consensus.backends import Threads
from consensus.models import units
from consensus.models.base import fit
from tests.clustered_crowds import Clustered, unclustered

if TYPE_CHECKING:
    from consensus.inputs.judgments import Judgments
    from tests.benchmarks import measured
else:
    sys.path.append(str(Path(__file__).resolve().parent))
    import measured

KINDS = ("plain", "weights", "weights and clusters")
LARGE = Clustered(n_clusters=100_000, per_cluster=20, n_workers=20_000, per_item=5, n_labels=4, icc=0.1)
CROWDS = {
    "60 clusters of 12 items": Clustered(),
    "12 of 100": Clustered(n_clusters=12, per_cluster=100),
    "200 of 4": Clustered(n_clusters=200, per_cluster=4),
    "30 of 30, two labels": Clustered(n_clusters=30, per_cluster=30, per_item=3, n_labels=2),
    "2,000 of 10, 200 workers": Clustered(n_clusters=2_000, per_cluster=10, n_workers=200, n_labels=6, per_item=3),
}
CORRELATIONS = (0.05, 0.15, 0.4)


def judged(kind: str, scale: float) -> Judgments:
    """The judgments of the first table."""
    judgments = replace(LARGE, n_clusters=max(int(LARGE.n_clusters * scale), 1)).drawn(0)[0]
    if kind != KINDS[2]:
        judgments = unclustered(judgments)
    if kind == KINDS[0]:
        return judgments
    return replace(judgments, weight=np.random.default_rng(0).integers(1, 4, judgments.n_items).astype(float))


def fitted(kind: str, scale: float) -> dict[str, float]:
    """Seconds and passes of a fit, after a small one that finds the loops compiled."""
    fit(judged(kind, 1e-3), model="dawid_skene", threads=1)
    judgments = judged(kind, scale)
    begun = time.perf_counter()
    found = fit(judgments, model="dawid_skene", threads=1)
    return {"seconds": time.perf_counter() - begun, "passes": found.convergence.iterations}


def costs(scale: float, runs: int) -> list[str]:
    """The first table."""
    command = [sys.executable, __file__, "--scale", str(scale), "--fit"]
    told: dict[str, list[tuple[float, float]]] = {kind: [] for kind in KINDS}
    for _ in range(runs):
        for kind in KINDS:
            run = measured.run([*command, kind])
            told[kind].append((json.loads(run.stdout)["seconds"], run.peak_mb))
    lines = ["| fit | s, median | s, least | peak MB |", "| --- | --: | --: | --: |"]
    for kind, found in told.items():
        seconds = [one for one, _ in found]
        peak = max(mb for _, mb in found)
        lines.append(f"| {kind} | {np.median(seconds):.2f} | {min(seconds):.2f} | {peak:,.0f} |")
    return lines


def over_all(sums: units.Reals) -> float:
    """1 / icc over r (1 - r), by the sums over clusters of each worker."""
    m, of_r, of_squares, of_inverses = sums[sums[:, 0] >= 2.0, :4].T
    r = of_r / m
    v = (1.0 - 1.0 / m) * r * (1.0 - r)
    between = (of_squares - m * r * r).sum() - (v * of_inverses).sum()
    together = (v * (m - of_inverses)).sum()
    return float(np.clip(together / between, 1.0, units.MOST)) if between > 0 else units.MOST


def one_crowd(crowd: Clustered, seed: int) -> tuple[float, float, float, float]:
    """1 / icc by the model and by the other formula; shares of right labels with and without clusters."""
    judgments, truth, _ = crowd.drawn(seed)
    found, plain = (fit(j, model="dawid_skene", threads=1) for j in (judgments, unclustered(judgments)))
    assert found.units is not None
    assert found.units.n_eff is not None
    other = over_all(units._sums(judgments, found.beliefs, Threads(1)))
    right = [float((one.posterior.argmax(axis=1) == truth).mean()) for one in (found, plain)]
    return found.units.n_eff, other, right[0], right[1]


def estimates(seeds: range) -> list[str]:
    """The second table."""
    head = "| crowd | 1 / icc | found | range | over r (1 - r) | right | without clusters |"
    lines = [head, "| --- | --: | --: | --: | --: | --: | --: |"]
    for name, crowd in CROWDS.items():
        for icc in CORRELATIONS:
            found = np.array([one_crowd(replace(crowd, icc=icc), seed) for seed in seeds])
            mean, other = np.exp(np.log(found[:, :2]).mean(axis=0))
            spread = f"{found[:, 0].min():.1f} to {found[:, 0].max():.1f}"
            right = " | ".join(f"{one:.2%}" for one in found[:, 2:].mean(axis=0))
            lines.append(f"| {name} | {1 / icc:.1f} | {mean:.1f} | {spread} | {other:.1f} | {right} |")
    return lines


def main(arguments: list[str] | None = None) -> None:
    """Print both tables; or fit once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=100)
    parser.add_argument("--fit", choices=KINDS)
    options = parser.parse_args(arguments)
    if options.fit is not None:
        sys.stdout.write(json.dumps(fitted(options.fit, options.scale)))
        return
    told = costs(options.scale, options.runs) if options.runs else []
    told += ["", *estimates(range(options.first, options.first + options.seeds))] if options.seeds else []
    sys.stdout.write("\n".join(told) + "\n")


if __name__ == "__main__":
    main()
