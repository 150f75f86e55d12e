"""The search for copies again, slow and obvious, in probability space: the specification of ``kernels.copying``."""

from collections import Counter, defaultdict
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from consensus.inputs.judgments import Judgments

Reals = NDArray[np.float64]


def answers(judgments: Judgments) -> list[dict[int, int]]:
    """Of each item, the label by worker."""
    found: list[dict[int, int]] = [{} for _ in range(judgments.n_items)]
    for i, w, label in zip(judgments.item.tolist(), judgments.worker.tolist(), judgments.label.tolist(), strict=True):
        found[i][w] = label
    return found


def pairs(judgments: Judgments, least: int) -> dict[tuple[int, int], tuple[int, int]]:
    """Items shared, and those with the same label, of all pairs that share ``least``."""
    shared, same = Counter[tuple[int, int]](), Counter[tuple[int, int]]()
    for said in answers(judgments):
        for a, b in combinations(sorted(said), 2):
            shared[a, b] += 1
            same[a, b] += said[a] == said[b]
    return {pair: (n, same[pair]) for pair, n in sorted(shared.items()) if n >= least}


def without(said: dict[int, int], workers: set[int], C: Reals, posterior: Reals, power: float) -> Reals:
    """Posterior of an item (K,) if ``workers`` had not judged it."""
    z: Reals = posterior ** (1 / power)
    for w in workers & set(said):
        z = z / C[w, :, said[w]]
    return np.asarray(z / z.sum(), np.float64)


def both_say_the_same(a: Reals, b: Reals, z: Reals) -> float:
    """P(workers with confusions a and b (K, K) give the same label | z)."""
    K = len(z)
    return sum(float(z[k] * a[k, label] * b[k, label]) for k in range(K) for label in range(K))


def expected(judgments: Judgments, a: int, b: int, C: Reals, posterior: Reals, power: Reals) -> float:
    """Agreements that are expected of two workers."""
    total = 0.0
    for i, said in enumerate(answers(judgments)):
        if a in said and b in said:
            total += both_say_the_same(C[a], C[b], without(said, {a, b}, C, posterior[i], power[i]))
    return total


def excess_of_workers(
    judgments: Judgments, counted: Judgments, C: Reals, posterior: Reals, power: Reals
) -> dict[int, tuple[float, int]]:
    """Agreements less the expected ones of all ``counted`` pairs of judgments of a worker, and how many there are."""
    found: dict[int, tuple[float, int]] = defaultdict(lambda: (0.0, 0))
    for i, (said, pairable) in enumerate(zip(answers(judgments), answers(counted), strict=True)):
        for a, b in combinations(pairable, 2):
            rate = both_say_the_same(C[a], C[b], without(said, {a, b}, C, posterior[i], power[i]))
            for w in (a, b):
                found[w] = (found[w][0] + (said[a] == said[b]) - rate, found[w][1] + 1)
    return found


def own_confusion(
    judgments: Judgments,
    worker: int,
    near: set[int],
    C: Reals,
    posterior: Reals,
    power: Reals,
    strength: float,
    n_passes: int,
    step: int = 1,
) -> Reals:
    """Confusion (K, K) of a worker by EM, given what those say who are not near it; every ``step``-th item counts."""
    mine = [(i, said) for i, said in enumerate(answers(judgments)) if worker in said][::step]
    own: Reals = C[worker]
    for _ in range(n_passes):
        N = strength * C[worker]
        for i, said in mine:
            z = without(said, near, C, posterior[i], power[i]) * own[:, said[worker]]
            N[:, said[worker]] += z / z.sum()
        own = N / N.sum(axis=1, keepdims=True)
    return own


def expected_of_suspects(
    judgments: Judgments,
    pair: tuple[int, int],
    near: set[int],
    own: tuple[Reals, Reals],
    C: Reals,
    z: Reals,
    power: Reals,
) -> float:
    """Agreements that are expected of two suspects, given what those say who are near neither."""
    return sum(
        both_say_the_same(*own, without(said, near, C, z[i], power[i]))
        for i, said in enumerate(answers(judgments))
        if set(pair) <= set(said)
    )


def merged(rows: list[tuple[str, str, str]], group: dict[str, str]) -> list[tuple[str, str, str]]:
    """Rows of item, worker, label with each group's judgments of an item as one, by the worker it is named by."""
    found = []
    together = defaultdict(list)
    for item, worker, label in rows:
        if worker in group:
            together[item, group[worker]].append((worker, label))
        else:
            found.append((item, worker, label))
    for (item, first), said in together.items():
        counts = Counter(label for _, label in said)
        most = max(counts.values())
        found.append((item, first, min((worker, label) for worker, label in said if counts[label] == most)[1]))
    return sorted(found)


def grow(
    evidence: dict[tuple[int, int], float], n_workers: int, seed: int, needed: Reals
) -> tuple[float, set[int], Reals]:
    """The group about ``seed`` that has most beyond what is ``needed``: by how much, who, and all workers' gain."""
    joined: list[int] = []
    gain = np.zeros(n_workers)
    total, best, size = 0.0, -np.inf, 0
    while len(joined) + 1 < len(needed):
        rest = [w for w in range(n_workers) if w not in joined and gain[w] > 0]
        if joined and not rest:
            break
        w = max(rest, key=lambda v: (gain[v], -v)) if joined else seed
        total += gain[w]
        joined.append(w)
        for v in range(n_workers):
            gain[v] += evidence.get((min(v, w), max(v, w)), 0.0)
        if total - needed[len(joined)] > best:
            best, size = total - needed[len(joined)], len(joined)
    return best, set(joined[:size]), gain


def beside_group(
    judgments: Judgments, members: set[int], z: Reals, C: Reals
) -> tuple[tuple[float, float, float, float, float], dict[int, tuple[int, float, float]]]:
    """Sums over the items, and of each worker: items, shares of members who say the same, and what is expected."""
    echoes = across = across_same = apart = apart_same = 0.0
    found: dict[int, tuple[int, float, float]] = defaultdict(lambda: (0, 0.0, 0.0))
    for i, said in enumerate(answers(judgments)):
        inside, outside = sorted(set(said) & members), sorted(set(said) - members)
        m = len(inside)
        if not inside or not outside:
            continue
        echoes, across = echoes + m - 1, across + m
        across_same += m * float(np.mean([said[a] == said[b] for a in inside for b in outside]))
        if len(outside) > 1:
            apart += m
            apart_same += m * float(np.mean([said[a] == said[b] for a, b in combinations(outside, 2)]))
        for w in said:
            others = [b for b in inside if b != w]
            if not others or outside == [w]:
                continue
            n, same, expected = found[w]
            by_fit = np.mean([both_say_the_same(C[w], C[b], z[i]) for b in others])
            found[w] = (n + 1, same + float(np.mean([said[b] == said[w] for b in others])), expected + float(by_fit))
    return (echoes, across, across_same, apart, apart_same), found
