"""Do the 95 % intervals of workers' accuracies hold the true ones where items of a cluster err together?

``python tests/benchmarks/audit_clusters.py [first seed] [crowds]``; simulated crowds of four shapes. In each cluster
(document, picture) a worker is right with a probability of their own, logit-normal around their accuracy, and the whole
cluster may be hard for everybody; where they err on items of a true label, a share of these errors gives the one label
that they take it for in the whole cluster. The true accuracy is that over all clusters there could be; beside it stands
that on the items that they judged. Every crowd is fitted and audited three times: as if items were separate, with their
clusters, and by the first item of each cluster alone.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

import consensus
from consensus.inputs.judgments import Judgments
from consensus.worker_audit import WorkerAudit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tests.benchmarks import markdown_tables

    Reals = NDArray[np.float64]
else:  # run as a script, its own folder is on the path
    import markdown_tables

DRAWS = 400  # clusters that an accuracy over all clusters is the mean of
FALLEN = 0.6  # of the judgments of misleading items, those that are misled
REPEATED = 0.6  # of the errors on items of a label in a cluster, those that give the same wrong label


@dataclass(frozen=True)
class Shape:
    """How a crowd is made."""

    clusters: int
    items: int
    """Of a cluster."""
    workers: int
    per_item: int
    labels: int
    apart: float
    """Standard deviation, in logits, of a worker's accuracy between clusters."""
    hard: float = 0.0
    """The same of what is hard for everybody in a cluster."""
    misleading: float = 0.0
    """Mean share of the items of a cluster that mislead everybody to the same wrong label, FALLEN of the time."""
    whole: bool = True
    """Who judges a cluster judges all of its items; else workers are drawn item by item."""


PICTURES = Shape(12, 2000, 6, 5, 3, 0.8, 0.3)
DOCUMENTS = Shape(40, 25, 15, 5, 3, 0.8, 0.3)
SHAPES = {
    "12 pictures of 2,000, 5 of 6 workers": PICTURES,
    "the same, 3 of 6, clusters harder": replace(PICTURES, per_item=3, hard=0.6),
    "the same, a tenth misleads": replace(PICTURES, misleading=0.1),
    "16 pictures of 5,000, 5 workers, 2 labels": Shape(16, 5000, 5, 5, 2, 0.8, 0.3),
    "40 documents of 25, 5 of 15 workers": DOCUMENTS,
    "the same, clusters as hard as unlike": replace(DOCUMENTS, hard=1.0),
    "the same, 15 % mislead": replace(DOCUMENTS, misleading=0.15),
    "60 dialogues of 10, 5 of 20, by item": Shape(60, 10, 20, 5, 3, 0.8, 0.3, whole=False),
    "20 documents of 200, 5 of 20, by item": Shape(20, 200, 20, 5, 3, 0.8, 0.3, whole=False),
    "20 documents of 40, 5 of 60, by item": Shape(20, 40, 60, 5, 3, 0.8, 0.3, whole=False),
    "300 pairs, 5 of 20 workers": Shape(300, 2, 20, 5, 3, 1.0, 0.3),
}


def _sigmoid(x: Reals) -> Reals:
    return np.asarray(1.0 / (1.0 + np.exp(-x)), np.float64)


def drawn(shape: Shape, seed: int) -> tuple[Judgments, Reals, Reals]:
    """The judgments with their clusters; (W,) accuracy over all clusters; (W,) that on the items judged."""
    rng = np.random.default_rng(seed)
    G, m, W, K = shape.clusters, shape.items, shape.workers, shape.labels
    skill = rng.normal(1.5, 0.7, W)
    cluster = np.repeat(np.arange(G), m)
    truth = rng.choice(K, G * m, p=rng.dirichlet(np.full(K, 5.0)))
    hard = shape.hard * rng.normal(size=G)
    logit = skill[:, None] + hard + shape.apart * rng.normal(size=(W, G))
    taken_for = (np.arange(K) + rng.integers(1, K, (W, G, K))) % K
    rows = []
    for g in range(G):
        of_cluster = rng.permutation(W)[: shape.per_item]
        items = np.flatnonzero(cluster == g)
        by = [of_cluster if shape.whole else rng.permutation(W)[: shape.per_item] for _ in items]
        rows.append((np.repeat(items, shape.per_item), np.concatenate(by)))
    item, worker = (np.concatenate(column) for column in zip(*rows, strict=True))
    right = rng.random(len(item)) < _sigmoid(logit[worker, cluster[item]])
    other = (truth[item] + rng.integers(1, K, len(item))) % K
    repeated = rng.random(len(item)) < REPEATED
    wrong = np.where(repeated, taken_for[worker, cluster[item], truth[item]], other)
    label = np.where(right, truth[item], wrong)
    share = rng.beta(1.0, 1.0 / max(shape.misleading, 1e-9) - 1.0, G) if shape.misleading else np.zeros(G)
    misled = (rng.random(G * m) < share[cluster])[item] & (rng.random(len(item)) < FALLEN)
    label, right = np.where(misled, (truth[item] + 1) % K, label), right & ~misled
    order = np.lexsort((label, worker, item))
    ids, workers = (pa.array([f"{x}{n:06d}" for n in range(N)], pa.string()) for x, N in (("i", G * m), ("w", W)))
    judgments = Judgments(
        item=item[order].astype(np.int32),
        worker=worker[order].astype(np.int32),
        label=label[order].astype(np.int32),
        item_start=np.concatenate([[0], np.cumsum(np.bincount(item, minlength=G * m))]).astype(np.int64),
        item_ids=ids,
        worker_ids=workers,
        labels=tuple("abcdefgh"[:K]),
        cluster=cluster.astype(np.int32),
        cluster_ids=pa.array([f"g{g:06d}" for g in range(G)], pa.string()),
    )
    spread = np.hypot(shape.hard, shape.apart) * rng.normal(size=(W, DRAWS * 25))
    over_all = _sigmoid(skill[:, None] + spread).mean(axis=1) * (1.0 - FALLEN * shape.misleading)
    own = np.bincount(worker, right, W) / np.maximum(np.bincount(worker, minlength=W), 1)
    return judgments, over_all, own


def ways(judgments: Judgments) -> dict[str, Judgments]:
    """What is fitted of a crowd."""
    assert judgments.cluster is not None
    first = np.concatenate([[True], judgments.cluster[1:] != judgments.cluster[:-1]])
    apart = replace(judgments, cluster=None, cluster_ids=None)
    return {"separate": apart, "clusters": judgments, "one item each": apart.subset(first[judgments.item])}


def measured(shape: Shape, seed: int) -> pd.DataFrame:
    """One row a worker and way: inside, width, error; and what their judgments count for."""
    judgments, over_all, own = drawn(shape, seed)
    parts = []
    for way, of in ways(judgments).items():
        result = consensus.fit(of, model="dawid_skene")
        if not result.identified:
            continue
        audit = WorkerAudit(result)
        low, high = audit.accuracy.interval
        units = of.per_worker if result.units is None else np.bincount(of.worker, result.units.judgment)
        told = {
            "way": way,
            "inside": (low <= over_all) & (over_all <= high),
            "inside_own": (low <= own) & (own <= high),
            "width": high - low,
            "error": audit.accuracy.mean - over_all,
            "units": units,
            "n_eff": np.nan if result.units is None or result.units.n_eff is None else result.units.n_eff,
            "condemned": np.isin(audit.verdicts.verdict, (5, 6)),
        }
        parts.append(pd.DataFrame(told))
    return pd.concat(parts)


def report(seed: int, crowds: int) -> str:
    """A table of all shapes and ways."""
    rows = []
    for name, shape in SHAPES.items():
        n = max(crowds, -(-100 // shape.workers))
        found = pd.concat([measured(shape, seed + number) for number in range(n)])
        for way, of in found.groupby("way", sort=False):
            shares = [f"{of[one].mean():.3f}" for one in ("inside", "inside_own", "width")]
            counts = [f"{of['error'].mean():+.3f}", f"{of['units'].mean():,.1f}", f"{of['n_eff'].mean():.1f}"]
            rows.append([name, str(way), f"{len(of):,}", *shares, *counts, f"{of['condemned'].mean():.3f}"])
    head = ["crowd", "counted", "workers", "holds the accuracy over all clusters", "that on their items", "width"]
    return markdown_tables.table([*head, "mean error", "units", "n_eff", "condemned"], rows)


if __name__ == "__main__":
    first_seed, n_crowds = [*map(int, sys.argv[1:]), *(1000, 8)[len(sys.argv) - 1 :]]
    sys.stdout.write(report(first_seed, n_crowds) + "\n")
