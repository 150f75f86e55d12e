"""Units again, slow and obvious: what items of a cluster count for, and counts and evidence by them."""

import math

import numpy as np
from numpy.typing import NDArray

from consensus.inputs.judgments import Judgments
from tests import naive

Reals = NDArray[np.float64]


def units(judgments: Judgments, n_eff: float) -> tuple[Reals, Reals]:
    """Of items (I,) and of judgments (J,)."""
    I, J = judgments.n_items, judgments.n_judgments  # noqa: E741
    weight = [1.0 if judgments.weight is None else float(judgments.weight[i]) for i in range(I)]
    cluster = [-1 if judgments.cluster is None else int(judgments.cluster[i]) for i in range(I)]
    total: dict[int, float] = {}
    for w, g in zip(weight, cluster, strict=True):
        total[g] = total.get(g, 0.0) + w
    item = np.array(weight)
    for i, g in enumerate(cluster):
        if g >= 0:
            effective = total[g] / (1 + (max(total[g], 1.0) - 1) / n_eff)
            item[i] = weight[i] / total[g] * effective
    judged = [0.0] * J
    for j, (i, w) in enumerate(zip(judgments.item, judgments.worker, strict=True)):
        for other, its_worker in zip(judgments.item, judgments.worker, strict=True):
            if its_worker == w and cluster[other] == cluster[i] >= 0:
                judged[j] += weight[other]
    judgment = np.array(
        [weight[i] / (1 + (max(n, 1.0) - 1) / n_eff) for i, n in zip(judgments.item, judged, strict=True)]
    )
    return item, judgment


def label_units(judgments: Judgments, q: Reals, n_eff: float) -> tuple[Reals, Reals]:
    """The same counted label by label: of items (I,) and of judgments (J,), these by what their workers judged."""
    I, K = q.shape  # noqa: E741
    assert judgments.cluster is not None
    cluster = judgments.cluster.tolist()
    weight = [1.0 if judgments.weight is None else float(judgments.weight[i]) for i in range(I)]

    def units(i: int, among: list[int]) -> float:
        if cluster[i] < 0:
            return weight[i]
        same = [m for m in among if cluster[m] == cluster[i]]
        n = [sum(weight[m] * float(q[m, k]) for m in same) for k in range(K)]
        return weight[i] * sum(float(q[i, k]) / (1 + max(n[k] - 1, 0) / n_eff) for k in range(K))

    item = np.array([units(i, list(range(I))) for i in range(I)])
    judgment = item[judgments.item]
    for j, (i, w) in enumerate(zip(judgments.item.tolist(), judgments.worker.tolist(), strict=True)):
        judgment[j] = units(i, judgments.item[judgments.worker == w].tolist())
    return item, judgment


def n_clusters(judgments: Judgments) -> list[int]:
    """Of each worker; an item without a cluster is one of its own."""
    assert judgments.cluster is not None
    met: list[set[tuple[int, int]]] = [set() for _ in range(judgments.n_workers)]
    for i, w in zip(judgments.item.tolist(), judgments.worker.tolist(), strict=True):
        g = int(judgments.cluster[i])
        met[w].add((g, i if g < 0 else 0))
    return [len(one) for one in met]


def all_judge_whole_clusters(judgments: Judgments) -> bool:
    """Whether who judges an item of a cluster judges all of its items, once."""
    assert judgments.cluster is not None
    given = list(zip(judgments.item.tolist(), judgments.worker.tolist(), strict=True))
    for i, w in given:
        g = judgments.cluster[i]
        if g >= 0 and any(given.count((int(other), w)) != 1 for other in np.flatnonzero(judgments.cluster == g)):
            return False
    return True


def em_pass(
    judgments: Judgments, confusion: Reals, prior: Reals, gold: dict[int, set[int]], item: Reals, judgment: Reals
) -> tuple[float, Reals, Reals]:
    """Log evidence, counts N[w, true, observed] and mass, in units."""
    posterior, log_evidence = naive.posteriors(judgments, confusion, prior, gold)
    used = [i for i in range(judgments.n_items) if judgments.per_item[i] or i in gold]
    evidence = sum(float(item[i] * log_evidence[i]) for i in used)
    mass = np.sum([item[i] * posterior[i] for i in used], axis=0)
    N = np.zeros((judgments.n_workers, judgments.n_labels, judgments.n_labels))
    for j, (i, w, observed) in enumerate(zip(judgments.item, judgments.worker, judgments.label, strict=True)):
        N[w, :, observed] += judgment[j] * posterior[i]
    return evidence, N, mass


def n_eff(judgments: Judgments, right: Reals) -> float:
    """1 / icc by an analysis of variance, before it is cut to its range; ``right`` (J,) is how right judgments are."""
    assert judgments.cluster is not None
    of: dict[int, dict[int, list[tuple[float, float]]]] = {}
    for j, (i, w) in enumerate(zip(judgments.item.tolist(), judgments.worker.tolist(), strict=True)):
        if judgments.cluster[i] >= 0:
            weight = 1.0 if judgments.weight is None else float(judgments.weight[i])
            of.setdefault(w, {}).setdefault(int(judgments.cluster[i]), []).append((weight, float(right[j])))
    within = between = 0.0
    for clusters in of.values():
        n = [sum(weight for weight, _ in one) for one in clusters.values()]
        m = len(n)
        if m < 2 or sum(n) <= m:
            continue
        r = [sum(a * x for a, x in one) / size for one, size in zip(clusters.values(), n, strict=True)]
        apart = sum(a * (x - mean) ** 2 for one, mean in zip(clusters.values(), r, strict=True) for a, x in one)
        variance = apart / (sum(n) - m)
        within += (m - 1) * variance
        between += sum((one - sum(r) / m) ** 2 for one in r)
        between -= (1 - 1 / m) * variance * sum(1 / size for size in n)
    return (between + within) / between if between > 0 else math.inf
