"""Slow and obvious twins of the kernels for timelines, drift and behaviour, from the definitions."""

import itertools
import math
import statistics
from collections.abc import Sequence

UNKNOWN = -(2**63)


def timelines(worker: Sequence[int], time: Sequence[int], n_workers: int) -> list[list[int]]:
    """The judgments of each worker by time, then position."""
    return [
        sorted((j for j in range(len(worker)) if worker[j] == w), key=lambda j: (time[j], j)) for w in range(n_workers)
    ]


def log_likelihood(rights: Sequence[float]) -> float:
    """Of a binomial share, at its most likely value, in nats."""
    n, right = len(rights), sum(rights)
    found = 0.0
    for k in (right, n - right):
        if k > 0:
            found += k * math.log(k / n)
    return found


def ratios(rights: Sequence[float], times: Sequence[int], least: int) -> dict[int, float]:
    """The likelihood ratio of every place of a change."""
    return {
        t: log_likelihood(rights[:t]) + log_likelihood(rights[t:]) - log_likelihood(rights)
        for t in range(least, len(rights) - least + 1)
        if times[t] > times[t - 1]
    }


def by_chance(n: int, wrong: int, ratio: float, least: int) -> float:
    """The share of all orders of so many wrong judgments in which the largest likelihood ratio is ``ratio`` or more."""
    largest = []
    for places in itertools.combinations(range(n), wrong):
        rights = [float(place not in places) for place in range(n)]
        largest.append(max(ratios(rights, range(n), least).values()))
    limit = min(ratio, max(largest)) - 1e-9
    return sum(one >= limit for one in largest) / len(largest)


def change_in_deviations(rights: Sequence[float], n_before: int) -> float:
    """How much more is right after a place than a random order would have, in its deviations."""
    n, mean = len(rights), statistics.fmean(rights)
    n_after = n - n_before
    variance = n_after * statistics.variance(rights) * (1 - n_after / n)  # drawn without putting back
    return (sum(rights[n_before:]) - n_after * mean) / math.sqrt(variance)


def beyond_others(mine: Sequence[float], others: Sequence[float], n_before: int) -> float:
    """By how many deviations ``mine`` changed more than what follows from ``others``, in the direction of ``mine``."""
    pairs = [(x, o, n >= n_before) for n, (x, o) in enumerate(zip(mine, others, strict=True)) if not math.isnan(o)]
    parts = [[(x, o) for x, o, late in pairs if late == which] for which in (False, True)]
    if not all(parts):
        return -math.inf
    p, q = (min(max(statistics.fmean(pair[n] for pair in pairs), 0.02), 0.98) for n in (0, 1))
    shift = math.log(p / (1 - p)) - math.log(q / (1 - q))
    slope = min(max(p * (1 - p) / (q * (1 - q)), 0.3), 3.0)
    x, expected, variance, coins = [], [], 0.0, 0.0
    for part in parts:
        x.append(statistics.fmean(one for one, _ in part))
        near = [min(max(o, 1e-6), 1 - 1e-6) for _, o in part]
        expected.append(statistics.fmean(1 / (1 + math.exp(-math.log(o / (1 - o)) - shift)) for o in near))
        variance += statistics.pvariance([one - slope * o for one, o in part]) / len(part)
        coins += 0.25 * p * (1 - p) / len(part)
    change = x[1] - x[0]
    beyond = change - (expected[1] - expected[0])
    return (beyond > 0 or -1) * math.copysign(1, change) * abs(beyond) / math.sqrt(max(variance, coins))


def split_sessions(places: Sequence[int], times: Sequence[int], longest: int) -> list[list[int]]:
    """Places in sessions: a new one after every pause above ``longest``."""
    found: list[list[int]] = []
    for n, place in enumerate(places):
        if n and times[n] - times[n - 1] <= longest:
            found[-1].append(place)
        else:
            found.append([place])
    return found


def longest_run(labels: Sequence[int]) -> int:
    """The longest run of one label."""
    return max((len(list(run)) for _, run in itertools.groupby(labels)), default=0)


def expected_runs(labels: Sequence[int], streak: int) -> float:
    """How many runs of ``streak`` or more all orders of ``labels`` have on average."""
    orders = list(itertools.permutations(labels))
    return sum(len(list(run)) >= streak for order in orders for _, run in itertools.groupby(order)) / len(orders)


def tired(n: int, wrong_early: int, wrong_late: int) -> float:
    """The share of all ways to choose the wrong ones of ``n`` early and ``n`` late with as many late ones, or more."""
    ways = list(itertools.combinations(range(2 * n), wrong_early + wrong_late))
    return sum(sum(place >= n for place in way) >= wrong_late for way in ways) / len(ways)
