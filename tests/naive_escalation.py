"""What more judgments would do again, slow and obvious."""

import heapq
import itertools
import math

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]


def curve(
    q: Reals,
    walked: Reals,
    power: Reals,
    cost: Reals,
    target: float,
    least: int,
    paths_of: NDArray[np.int64] | None = None,
) -> tuple[list[float], list[float]]:
    """Expected cost after 0 to M more judgments, never rising, and P(settled by exactly so many).

    q (K,) is the posterior now, tempered by power[0]; walked (K, S, M, K) are likelihoods of paths; cost[k, d]. Of each
    true label as many paths are walked as is its share of them in q, or ``paths_of`` (K,).
    """
    K, S, M, _ = walked.shape
    z = q ** (1 / power[0])
    loss = [min(sum(q[k] * cost[k, d] for k in range(K)) for d in range(K))]
    settled = [0.0] * (M + 1)
    for m in range(1, M + 1):
        total = 0.0
        for k in range(K):
            some = math.ceil(S * min(q[k], 1.0)) if paths_of is None else int(paths_of[k])
            for s in range(some):
                posterior = (z * walked[k, s, m - 1]) ** power[m]
                posterior = posterior / posterior.sum()
                decided = int(np.argmin([sum(posterior[j] * cost[j, d] for j in range(K)) for d in range(K)]))
                total += q[k] / some * cost[k, decided]
                before = [(z * walked[k, s, n - 1]) ** power[n] for n in range(max(least, 1), m)]
                was = any(one.max() >= target * one.sum() for one in before)
                if not was and m >= least and posterior.max() >= target:
                    settled[m] += q[k] / some
        loss.append(min(total, loss[-1]))
    return loss, settled


def first_settled(settled: list[float], level: float) -> int:
    """Judgments by which P(settled) reaches ``level``, else all of them."""
    reached = list(itertools.accumulate(settled))
    return next((m for m, p in enumerate(reached) if m and p >= level), len(settled) - 1)


def by_heap(loss: Reals, budget: int, may_ask: list[bool]) -> list[int]:
    """Judgments of each item: always those with the steepest fall per judgment over any number of steps."""
    n, M = loss.shape[0], loss.shape[1] - 1
    given = [0] * n

    def steepest(i: int) -> tuple[float, int]:
        at = given[i]
        falls = [((loss[i, at] - loss[i, m]) / (m - at), m - at) for m in range(at + 1, M + 1)]
        slope, length = max(falls, key=lambda one: (one[0], -one[1]), default=(0.0, 0))
        return slope, length

    heap = [(-steepest(i)[0], i) for i in range(n) if may_ask[i] and steepest(i)[0] > 0]
    heapq.heapify(heap)
    while heap and budget:
        _, i = heapq.heappop(heap)
        step = min(steepest(i)[1], budget)
        given[i] += step
        budget -= step
        if steepest(i)[0] > 0:
            heapq.heappush(heap, (-steepest(i)[0], i))
    for i in range(n):
        if budget and may_ask[i] and not given[i]:
            given[i], budget = 1, budget - 1
    return given


def information(q: Reals, C: Reals) -> float:
    """Mutual information of the true label and a judgment, in nats; C[true, observed]."""
    K = len(q)
    joint = [[q[k] * C[k, observed] for observed in range(K)] for k in range(K)]
    of_observed = [sum(joint[k][observed] for k in range(K)) for observed in range(K)]
    total = sum(
        joint[k][observed] * math.log(joint[k][observed] / (q[k] * of_observed[observed]))
        for k in range(K)
        for observed in range(K)
        if joint[k][observed] > 0
    )
    return float(total)


def changes(log_likelihood: Reals, log_prior: Reals) -> int:
    """How often the best label changed, judgment by judgment."""
    best = [int(np.argmax(log_prior + log_likelihood[: n + 1].sum(axis=0))) for n in range(len(log_likelihood))]
    return sum(a != b for a, b in itertools.pairwise(best))
