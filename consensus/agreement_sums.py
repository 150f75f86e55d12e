"""What measures of agreement are made of, summed up over the units that samples of a bootstrap are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from consensus.kernels import overlaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.inputs.judgments import Judgments

    Reals: TypeAlias = NDArray[np.float64]
    Times: TypeAlias = NDArray[np.int64] | Reals

MOST_CELLS = 4_000_000  # of the sums that samples are drawn from
LEAST_UNITS, MOST_UNITS = 200, 4096  # 200 blocks tell the spread to within 5 % of it


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """What the statistics are made of, summed up over items; one row for each of R sets of items."""

    n_items: Reals
    """(R,)"""
    given: Reals
    """(R, K) judgments of each label."""
    alike: Reals
    """(R, K) coincidences of each label with itself: c (c - 1) / (n - 1), summed up."""
    share: Reals
    """(R, K) c / n, summed up."""
    agreed: Reals
    """(R,) share of agreeing pairs of each item, summed up."""
    pairs: Reals | None
    """(R, K, K) coincidences, for the ordinal alpha."""

    def weighted(self, weights: Times) -> Sums:
        """The sums over the rows with each of ``weights`` (B, R), one row each."""
        w = weights.astype(np.float64)
        pairs = None if self.pairs is None else np.tensordot(w, self.pairs, 1)
        return Sums(w @ self.n_items, w @ self.given, w @ self.alike, w @ self.share, w @ self.agreed, pairs)

    def overall(self) -> dict[str, Reals]:
        """Statistics of everything (R,)."""
        n, K = self.given.sum(axis=1), self.given.shape[1]
        expected = (self.given * (n[:, None] - self.given)).sum(axis=1)
        found = {"krippendorff_alpha": corrected((n - 1) * (n - self.alike.sum(axis=1)), expected)}
        if self.pairs is not None:
            rank = np.cumsum(self.given, axis=1) - self.given / 2  # mean rank of each label, among these judgments
            distance = (rank[:, :, None] - rank[:, None, :]) ** 2
            expected = np.einsum("rk,rl,rkl->r", self.given, self.given, distance)
            observed = (self.pairs * distance).sum(axis=(1, 2))
            found["krippendorff_alpha_ordinal"] = corrected((n - 1) * observed, expected)
        share, agreed = self.share / self.n_items[:, None], self.agreed / self.n_items
        by_chance = (share * (1 - share)).sum(axis=1)
        found["fleiss_kappa"] = corrected(1 - agreed, by_chance)
        found["gwet_ac1"] = corrected(1 - agreed, 1 - by_chance / (K - 1) if K > 1 else np.zeros_like(agreed))
        found["percent_agreement"] = agreed
        return found

    def by_label(self) -> dict[str, Reals]:
        """Statistics of each label against the rest (R, K)."""
        n = self.given.sum(axis=1, keepdims=True)
        alpha = corrected((n - 1) * (self.given - self.alike), self.given * (n - self.given))
        return {"krippendorff_alpha": alpha, "share": self.given / n}


def corrected(disagreement: Reals, expected: Reals) -> Reals:
    """1 - disagreement / expected, missing where chance can't disagree."""
    return 1 - np.divide(disagreement, expected, out=np.full_like(expected, np.nan), where=expected > 0)


def units(
    judged: Judgments, items: NDArray[np.int32], rng: np.random.Generator, *, by_pairs: bool = False
) -> tuple[Sums, Times]:
    """Sums over ``items`` (n,) by what samples are drawn from, and how often each of them occurs (U,).

    Items with the same label counts are one unit; where these are too many, blocks of items are; with clusters, each of
    these, and each item without one, or blocks of them. An item of weight 3 occurs three times. ``by_pairs`` also sums
    up coincidences of labels.
    """
    K, start = judged.n_labels, judged.item_start
    most = min(max(MOST_CELLS // (K * K if by_pairs else 3 * K), LEAST_UNITS), MOST_UNITS)
    weight = np.zeros(0) if judged.weight is None else judged.weight
    times: Times
    if judged.cluster is not None:
        cluster = judged.cluster[items].astype(np.int64)
        of_cluster = np.unique(np.where(cluster < 0, -1 - items.astype(np.int64), cluster), return_inverse=True)[1]
        n = int(of_cluster.max()) + 1
        dealt = np.arange(n, dtype=np.int32) if n <= most else rng.permutation(np.arange(n, dtype=np.int32) % most)
        unit, times = dealt[of_cluster].astype(np.int32), np.ones(min(n, most), np.int64)
    else:
        # a random number a label; their sum, modulo 2^64, names the counts of an item whatever the order of judgments
        code = np.random.default_rng(0).integers(-(2**63), 2**63 - 1, K, np.int64)
        total = np.concatenate([[0], np.cumsum(code[judged.label])])
        of_item = total[start[items + 1]] - total[start[items]]
        _, first, times = np.unique(of_item, return_index=True, return_counts=True)
        if len(first) <= most:
            if len(weight):
                times = np.bincount(np.searchsorted(of_item[first], of_item), weight[items])
            items, unit, weight = items[first], np.arange(len(first), dtype=np.int32), np.zeros(0)
        else:
            unit = rng.permutation(np.arange(len(items), dtype=np.int32) % np.int32(most))
            times = np.ones(most, np.int64)
    n_items = np.bincount(unit, weight[items] if len(weight) else None).astype(np.float64)
    by_label, agreed = np.zeros((3, len(times), K)), np.zeros(len(times))
    overlaps.pairable(items, unit, start, judged.label, weight, by_label, agreed)
    pairs = None
    if by_pairs:
        pairs = np.zeros((len(times), K, K))
        overlaps.coincidences(items, unit, start, judged.label, weight, pairs)
    given, alike, share = by_label
    return Sums(n_items, given, alike, share, agreed, pairs), times
