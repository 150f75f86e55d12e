"""How far workers agree beyond chance, again: slow and obvious, pair by pair."""

import numpy as np

from consensus.inputs.judgments import Judgments
from tests.naive import Reals


def shares(judgments: Judgments) -> Reals:
    """(W, K) of the labels that each worker gives."""
    found = np.zeros((judgments.n_workers, judgments.n_labels))
    for w, k in zip(judgments.worker, judgments.label, strict=True):
        found[w, k] += 1
    n = found.sum(axis=1, keepdims=True)
    return np.asarray(found / np.maximum(n, 1))


def beyond_chance(judgments: Judgments, by: Reals, weight: Reals) -> Reals:
    """(W, 5) as ``loner_loops.beyond_chance``."""
    found = np.zeros((judgments.n_workers, 5))
    said = list(zip(judgments.item.tolist(), judgments.worker.tolist(), judgments.label.tolist(), strict=True))
    for j, (i, w, k) in enumerate(said):
        others = [(v, l) for h, (n, v, l) in enumerate(said) if n == i and h != j]  # noqa: E741
        x = sum(weight[v] * (float(l == k) - sum(by[w] * by[v])) for v, l in others)  # noqa: E741
        y = sum(weight[v] ** 2 for v, _ in others)
        found[w] += [x, y, x * x, x * y, y * y]
    return found


def skills(judgments: Judgments, known: list[bool], credit: float, passes: int, still: float) -> Reals:
    """(W,) s, as the module's equations have it."""
    by, K, n = shares(judgments), judgments.n_labels, judgments.per_worker
    s = np.array(known, float)
    for _ in range(passes):
        m = sum(max(s[w], 0) * n[w] * by[w] for w in range(len(s))) / sum(max(s[w], 0) * n[w] for w in range(len(s)))
        D = 1 - sum(m**2)
        mean = sum(n[w] * s[w] ** 2 for w in range(len(s))) / sum(n[w] for w in range(len(s)) if known[w])
        x = beyond_chance(judgments, by, s)
        new = [
            float(min(max(x[w, 0] / (D * (x[w, 1] + credit * mean)), -1 / (K - 1)), 1)) if known[w] else 0.0
            for w in range(len(s))
        ]
        new = [(a + b) / 2 for a, b in zip(new, s, strict=True)]
        moved = max(abs(a - b) for a, b in zip(new, s, strict=True))
        s = np.array(new)
        if moved < still:
            break
    return s
