"""How good probabilities of labels are on pictures whose truth is known, the same for all ways to find them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Reals = NDArray[np.float64]

LEAST = 1e-6
"""Of a probability, in the log loss: hard labels have zeros."""
BINS = 15


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Of one crowd: figures of each picture (G,), and of all their pixels."""

    foreground: Reals
    """IoU of everything but label 0."""
    mean: Reals
    """Mean IoU over the labels that the truth has."""
    accuracy: Reals
    log_loss: Reals
    ece: float
    """Over all pixels, bins of equal width."""


def scores(posteriors: Sequence[Reals], truths: Sequence[NDArray[np.int8]]) -> Scores:
    """Scores of (H, W, K) probabilities against (H, W) codes, -1 where nothing is known."""
    rows, bins = [], np.zeros((3, BINS))
    for posterior, truth in zip(posteriors, truths, strict=True):
        known = truth >= 0
        p, t = posterior[known], truth[known].astype(np.int64)
        label, confidence = p.argmax(axis=1), p.max(axis=1)
        K = p.shape[1]
        table = np.bincount(t * K + label, minlength=K * K).reshape(K, K).astype(np.float64)
        both, either = np.diag(table), table.sum(axis=0) + table.sum(axis=1) - np.diag(table)
        there = table.sum(axis=1) > 0
        foreground = table[1:, 1:].sum() / (table.sum() - table[0, 0])
        loss = -np.log(np.maximum(p[np.arange(len(t)), t], LEAST)).mean()
        rows.append((foreground, (both[there] / either[there]).mean(), both.sum() / table.sum(), loss))
        at = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
        bins += [np.bincount(at, weights, BINS) for weights in (np.ones(len(t)), confidence, label == t)]
    foreground, mean, accuracy, loss = np.array(rows).T
    return Scores(foreground, mean, accuracy, loss, float(np.abs(bins[1] - bins[2]).sum() / bins[0].sum()))
