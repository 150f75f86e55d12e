"""Simulated crowds whose workers err together within clusters of items: pictures, documents, dialogues."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from consensus.inputs.judgments import Judgments

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Clustered:
    """Clusters of as many items each, all judged by the same workers, drawn for every cluster.

    In a cluster, a worker is right with a probability of its own, drawn from Beta(a s, (1 - a) s): a is the worker's
    accuracy and s = 1 / icc - 1. So the intraclass correlation of being right is ``icc``.
    """

    n_clusters: int = 60
    per_cluster: int = 12
    n_workers: int = 15
    per_item: int = 4
    n_labels: int = 3
    icc: float = 0.15
    least: float = 0.6
    most: float = 0.95
    """Range of the workers' accuracies."""

    def drawn(self, seed: int) -> tuple[Judgments, NDArray[np.int32], Reals]:
        """Judgments with their clusters, the true labels (I,) and the workers' accuracies (W,)."""
        rng = np.random.default_rng(seed)
        G, K, n = self.n_clusters, self.n_labels, self.per_item
        I, W = G * self.per_cluster, self.n_workers  # noqa: E741
        truth = rng.integers(0, K, I).astype(np.int32)
        accuracy = rng.uniform(self.least, self.most, W)
        s = 1.0 / self.icc - 1.0
        step = W // n
        first = rng.integers(0, W, G)
        who = np.sort((first[:, None] + step * np.arange(n) + rng.integers(0, step, (G, n))) % W, axis=1)
        who = who.astype(np.int32)
        own = rng.beta(accuracy[who] * s, (1.0 - accuracy[who]) * s)
        cluster = np.repeat(np.arange(G, dtype=np.int32), self.per_cluster)
        right = rng.random((I, n)) < own[cluster]
        wrong = (truth[:, None] + rng.integers(1, max(K, 2), (I, n))) % K
        label = np.where(right, truth[:, None], wrong).astype(np.int32)
        judgments = Judgments(
            item=np.repeat(np.arange(I, dtype=np.int32), n),
            worker=np.ascontiguousarray(who[cluster].ravel()),
            label=np.ascontiguousarray(label.ravel()),
            item_start=np.arange(I + 1, dtype=np.int64) * n,
            item_ids=ids("i", I),
            worker_ids=ids("w", W),
            labels=tuple(f"l{k}" for k in range(K)),
            cluster=cluster,
            cluster_ids=ids("g", G),
        )
        return judgments, truth, accuracy


def ids(prefix: str, n: int) -> pa.StringArray:
    """So many names, in order."""
    return pa.array([f"{prefix}{place:08}" for place in range(n)], pa.string())


def unclustered(judgments: Judgments) -> Judgments:
    """The same without clusters."""
    return replace(judgments, cluster=None, cluster_ids=None)


def repeated(judgments: Judgments, times: NDArray[np.int64]) -> tuple[Judgments, NDArray[np.int64]]:
    """Every item as often as ``times`` (I,) says, and which item each copy is of."""
    of = np.repeat(np.arange(judgments.n_items), times)
    own, judgment = judgments.of_items(of)
    names = judgments.item_ids.to_pylist()
    copy = np.arange(len(of)) - np.repeat(np.cumsum(times) - times, times)
    return replace(
        judgments,
        item=own.astype(np.int32),
        worker=judgments.worker[judgment],
        label=judgments.label[judgment],
        item_start=np.concatenate([[0], np.cumsum(judgments.per_item[of])]).astype(np.int64),
        item_ids=pa.array([f"{names[i]} {n:06}" for i, n in zip(of.tolist(), copy.tolist(), strict=True)]),
        cluster=None if judgments.cluster is None else judgments.cluster[of],
    ), of
