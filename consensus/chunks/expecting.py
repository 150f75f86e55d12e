"""How good a picture is expected to be, by the probabilities of its labels, and how good clicks would make it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]

CLICK_ACCURACY = 0.95
"""How often a click is taken to be right, when it is told beforehand what clicks would bring."""


@dataclass(frozen=True, slots=True, eq=False)
class Overlap:
    """Expected pixels of each class, of what is painted and of what is true."""

    both: Reals
    """(K,) E|A and B|: painted, and it is there."""
    either: Reals
    """(K,) E|A or B|"""
    painted: NDArray[np.bool_]
    """(K,) classes that are painted anywhere."""

    @property
    def iou(self) -> Reals:
        """(K,) E|A and B| / E|A or B|; missing of a class that is not painted."""
        found = np.full(len(self.both), np.nan)
        np.divide(self.both, self.either, out=found, where=self.painted)
        return found

    @property
    def mean(self) -> float:
        """Mean IoU over the classes that are painted; missing without any."""
        return float(self.iou[self.painted].mean()) if self.painted.any() else float("nan")


def overlap(area: NDArray[np.int64], posterior: Reals, label: NDArray[np.int64]) -> Overlap:
    """The expected overlap of some parts of a picture.

    Parameters
    ----------
    area
        (n,) pixels of each part.
    posterior
        (n, K) P(true label).
    label
        (n,) what is painted, -1 for nothing.
    """
    K = posterior.shape[1]
    expected = area @ posterior
    on = label >= 0
    painted = np.bincount(label[on], weights=area[on], minlength=K)
    both = np.bincount(label[on], weights=area[on] * posterior[on, label[on]], minlength=K).astype(np.float64)
    return Overlap(both, expected + painted - both, painted > 0)


def clicks_to(
    target: float,
    before: Overlap,
    area: NDArray[np.int64],
    posterior: Reals,
    label: NDArray[np.int64],
    n: NDArray[np.int64],
) -> int:
    """Clicks after which a picture is expected to have the mean IoU ``target``; -1 where all of them do not bring it.

    The chunks ``area`` (n,), ``posterior`` (n, K), ``label`` (n,) are clicked in their order, ``n`` (n,) times each. A
    click names the true label, up to ``CLICK_ACCURACY``, and changes nothing of what is more certain.
    """
    both, either, done = before.both.copy(), before.either.copy(), 0
    if before.mean >= target:
        return 0
    for chunk in range(len(area)):
        done += int(n[chunk])
        z, k = area[chunk] * posterior[chunk], label[chunk]
        if posterior[chunk, k] >= CLICK_ACCURACY:
            continue
        both[k] -= z[k]
        either -= z
        either[k] -= area[chunk] - z[k]
        both += CLICK_ACCURACY * z
        either += (2.0 - CLICK_ACCURACY) * z
        if Overlap(both, either, before.painted).mean >= target:
            return done
    return -1
