"""What newcomers and experienced workers say of the same items, again: slow and obvious, pair by pair."""

from itertools import combinations

import numpy as np

from consensus.inputs.judgments import Judgments
from tests.naive import Reals


def per_item(judgments: Judgments, band: list[int], b: int, n_bands: int) -> list[tuple[float, float, float]]:
    """(a, x, y) of every item that two of the experienced or more judged, and anybody of band ``b``."""
    found = []
    for i in range(judgments.n_items):
        said = [
            (band[w], k) for n, w, k in zip(judgments.item, judgments.worker, judgments.label, strict=True) if n == i
        ]
        new, old = [k for one, k in said if one == b], [k for one, k in said if one == n_bands]
        if not new or len(old) < 2:
            continue
        x = sum(sum(k == other for other in old) / len(old) for k in new)
        pairs = [one == other for one, other in combinations(old, 2)]
        found.append((float(len(new)), x, len(new) * sum(pairs) / len(pairs)))
    return found


def chances(judgments: Judgments, band: list[int], b: int, n_bands: int) -> tuple[float, float]:
    """Agreement by chance of band ``b`` with the experienced, and of these with each other."""
    K = judgments.n_labels
    new, old = np.zeros(K), np.zeros(K)
    for i in range(judgments.n_items):
        said = [
            (band[w], k) for n, w, k in zip(judgments.item, judgments.worker, judgments.label, strict=True) if n == i
        ]
        mine, theirs = [k for one, k in said if one == b], [k for one, k in said if one == n_bands]
        if mine and len(theirs) >= 2:
            for k in mine:
                new[k] += 1
                for other in theirs:
                    old[other] += 1 / len(theirs)
    new, old = new / new.sum(), old / old.sum()
    return float(sum(new * old)), float(sum(old * old))


def errors(told: list[tuple[float, float, float]], weight: tuple[float, float, float]) -> float:
    """How many standard errors the mean of weight . (a, x, y), a judgment of the band, lies above 0."""
    values = [sum(w * one for w, one in zip(weight, each, strict=True)) for each in told]
    n = sum(a for a, _, _ in told)
    mean = sum(values) / n
    apart = [value - a * mean for value, (a, _, _) in zip(values, told, strict=True)]
    return float(sum(values) / np.sqrt(sum(one**2 for one in apart)))


def within(judgments: Judgments, band: list[int], b: int) -> tuple[int, int]:
    """Pairs of judgments of band ``b`` on one item, and those that agree."""
    pairs = same = 0
    for i in range(judgments.n_items):
        said = [
            k
            for n, w, k in zip(judgments.item, judgments.worker, judgments.label, strict=True)
            if (n, band[w]) == (i, b)
        ]
        for one, other in combinations(said, 2):
            pairs, same = pairs + 1, same + (one == other)
    return pairs, same


def with_newcomers(judgments: Judgments, band: list[int], experienced: int) -> Reals:
    """(W, 3) of every experienced worker: judgments beside newcomers, their shares that say the same, squares."""
    found = np.zeros((judgments.n_workers, 3))
    for i, w, k in zip(judgments.item, judgments.worker, judgments.label, strict=True):
        if band[w] != experienced:
            continue
        new = [
            other
            for n, v, other in zip(judgments.item, judgments.worker, judgments.label, strict=True)
            if n == i and 0 <= band[v] < experienced
        ]
        if new:
            share = sum(other == k for other in new) / len(new)
            found[w] += [1.0, share, share**2]
    return found


def one_number(counts: Reals, tempts: bool, n_labels: int) -> Reals:
    """(S, K) C of newcomers from their expected judgments (S, K) [state, observed], cell by cell."""
    S, K = counts.shape
    Q = S // K

    def group(s: int) -> int:
        k, q = divmod(s, Q)
        return int(q != k) if tempts else q

    def kind(s: int, observed: int) -> tuple[int, str]:
        k, q = divmod(s, Q)
        if observed == k:
            return group(s), "right"
        return group(s), "tempted" if tempts and q not in (k,) and observed == q else "wrong"

    C = np.zeros((S, K))
    for s in range(S):
        for observed in range(K):
            alike = [(t, o) for t in range(S) for o in range(K) if kind(t, o) == kind(s, observed)]
            own = [(t, o) for t, o in alike if t == s]
            total = sum(counts[t].sum() for t in range(S) if group(t) == group(s))
            p = (sum(counts[t, o] for t, o in alike) + len(own) / n_labels) / (total + 1)
            C[s, observed] = p / len(own)
    return C
