"""The worker-weighted fit again: slow and obvious. Shares no code with ``consensus``."""

import numpy as np

from consensus.inputs.judgments import Judgments
from tests.naive import Reals


def shares(judgments: Judgments, weight: Reals) -> Reals:
    """(I, K) weighted shares of the judgments; uniform without any."""
    found = np.zeros((judgments.n_items, judgments.n_labels))
    for i, w, observed in zip(judgments.item, judgments.worker, judgments.label, strict=True):
        found[i, observed] += weight[w]
    for i in range(judgments.n_items):
        found[i] = found[i] / found[i].sum() if found[i].sum() > 0 else 1 / judgments.n_labels
    return found


def distances(judgments: Judgments, z: Reals) -> Reals:
    """(J,) squared distance of every judgment, as a one-hot row, to the shares of its item."""
    return np.array(
        [
            ((np.eye(judgments.n_labels)[observed] - z[i]) ** 2).sum()
            for i, observed in zip(judgments.item, judgments.label, strict=True)
        ]
    )


def fit(judgments: Judgments, prior: float, n_passes: int) -> tuple[Reals, Reals]:
    """Shares (I, K) and weights (W,) after so many passes; the first has equal weights."""
    weight = np.ones(judgments.n_workers)
    z = shares(judgments, weight)
    e = distances(judgments, z)
    usual = e.mean()
    for _ in range(n_passes - 1):
        for w in range(judgments.n_workers):
            own = e[judgments.worker == w]
            weight[w] = usual * (prior + len(own)) / (prior * usual + own.sum())
        z = shares(judgments, weight)
        e = distances(judgments, z)
    return z, weight
