"""Signs that labels are switched: that the data can be read the opposite way as well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.found.cautions import Caution
from consensus.kernels import tallies
from consensus.models import opposed_camps, starts
from consensus.models.expectation_maximisation import climb

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.inputs.judgments import Judgments
    from consensus.models.base import Execution
    from consensus.models.expectation_maximisation import Estimate
    from consensus.models.opposed_camps import OpposedCamps
    from consensus.models.problem import Problem

MOST_FITTED = 1_000_000  # judgments up to which the opposite is fitted without a sign that calls for it
OPPOSITE = 0.5  # share of the items that two solutions must agree on to be the same one
MOST_PAIRS = 2_000_000  # pairs of judgments looked at; beyond that a random subset of the items
LEAST_SHARED = 10  # items that two workers must share to be compared
PAIR_LEVEL = 0.01  # chance of calling any pair of independent workers contradictory, over all pairs
MINORITY_SHARE = 0.25  # of the judgments: one adversary among four is no risk, three good against four bad are (.43)
LEAST_GAP = 0.5  # nats by which the objective of the opposite solution must fall short
BLOCK = 1_000_000  # probabilities that are added up at once
LEAST_MASS = 10  # items (or judgments) a label needs before its share or its diagonal is read


def risks(problem: Problem, estimate: Estimate, run: Execution) -> list[Caution]:
    """Look for switched labels; in large data the opposite is fitted only where some workers contradict each other."""
    judgments, backend = problem.judgments, run.backend
    items, alike = _items_for_pairs(judgments, run.seed), repeats(problem)
    sides = camps(judgments, run.seed, alike, items)
    two = opposed_camps.found(judgments, items, run.seed, backend, alike)
    n_agreed, majority = starts.by_majority(judgments, backend, problem.units)
    gap = None
    if sides.contradicting or judgments.n_judgments <= MOST_FITTED:
        opposite = climb(problem, starts.mirrored(problem, n_agreed, backend), run, "fitting the opposite")
        best, other = (one.beliefs(problem, backend).peaks(backend).best for one in (estimate, opposite))
        if np.mean(best == other) < OPPOSITE:  # else the mirrored start led back to the same solution
            gap = estimate.objective - opposite.objective
    return [
        *_switch_risk(sides, gap, problem.rows.n_opinions, two),
        *moved_labels(problem, estimate, _mass_of_judged(problem, estimate, backend), majority),
    ]


def _switch_risk(
    camps: Camps, mirrored_gap: float | None, n_judgments: float, two: OpposedCamps | None = None
) -> list[Caution]:
    """Without gold: signs that labels may be switched, because the data can be read the opposite way as well.

    ``mirrored_gap`` is the objective lost by the opposite solution, in nats, where one was found; ``n_judgments`` are
    in units, as it is. ``two`` camps, if opposed, are told where no pairs of workers tell as much.
    """
    values: dict[str, float] = {
        "pairs_agreeing": camps.agreeing,
        "pairs_contradicting": camps.contradicting,
        "minority_share": camps.minority_share,
    }
    signs = []
    if camps.minority_share > MINORITY_SHARE:
        signs.append(
            f"{camps.minority:,} of the {camps.workers:,} workers with a clear tendency contradict the others more "
            f"often than chance ({camps.contradicting:,} of {camps.agreeing + camps.contradicting:,} pairs)"
        )
    elif two is not None and two.opposed:
        values |= {
            "camp_share": two.share,
            "camps_agreeing": two.agreed[opposed_camps.ACROSS],
            "camps_agreeing_by_chance": two.by_chance[opposed_camps.ACROSS],
        }
        signs.append(opposed_camps.in_words(two))
    if mirrored_gap is not None:
        values["mirrored_gap"] = mirrored_gap / n_judgments
        if mirrored_gap < LEAST_GAP:
            signs.append("the opposite reading of the data fits as well")
    if not signs:
        return []
    return [
        Caution(
            "switch_risk",
            f"labels may be switched: {'; '.join(signs)}. Only gold can tell: give some with --gold",
            values,
        )
    ]


def _mass_of_judged(problem: Problem, estimate: Estimate, backend: Backend) -> NDArray[np.float64]:
    """(K,) items of each label by the fit, of those that people judged: models may have voted on others, too."""
    judged = problem.judgments.per_item > 0
    if problem.votes is None or judged.all():
        return estimate.mass
    beliefs, items = estimate.beliefs(problem, backend), np.flatnonzero(judged)
    step = max(1, BLOCK // beliefs.n_labels)
    blocks = [items[begin : begin + step] for begin in range(0, len(items), step)]
    each = None if problem.units is None else problem.units.item
    parts = [beliefs.dense(own).sum(axis=0) if each is None else each[own] @ beliefs.dense(own) for own in blocks]
    return np.asarray(np.sum(parts, axis=0), np.float64)


def moved_labels(
    problem: Problem, estimate: Estimate, mass: NDArray[np.float64], majority_shares: NDArray[np.float64]
) -> list[Caution]:
    """Labels that the fit uses quite otherwise than the judgments do: right where they are rare, else suspicious.

    ``mass`` (K,) counts items by the fit, and ``majority_shares`` (K,) by majority vote: of the items that people
    judged, both.
    """
    signs, labels = [], problem.judgments.labels
    pooled = problem.layout.pooled_counts(estimate.counts)
    for k in np.flatnonzero(pooled.sum(axis=1) >= LEAST_MASS):
        most = int(pooled[k].argmax())
        if pooled[k, most] > pooled[k, k]:
            signs.append(f'items taken as "{labels[k]}" are mostly judged "{labels[most]}"')
    ratio = mass / np.maximum(majority_shares, 1e-9)
    moved = ((ratio < 0.5) | (ratio > 2.0)) & (np.maximum(mass, majority_shares) >= LEAST_MASS)
    signs += [
        f'"{labels[k]}" has {mass[k]:,.0f} items where the majority vote has {majority_shares[k]:,.0f}'
        for k in np.flatnonzero(moved)
    ]
    if not signs:
        return []
    return [
        Caution(
            "moved_labels",
            f"the labels differ much from the judgments: {'; '.join(signs[:4])}; look at some of these items",
            {"n_signs": len(signs)},
        )
    ]


@dataclass(frozen=True, slots=True)
class Camps:
    """Workers who clearly agree or contradict each other, in pairs."""

    agreeing: int
    """Pairs that agree more often than chance."""
    contradicting: int
    """Pairs that agree less often than chance."""
    workers: int
    """Workers in such a pair."""
    minority: int
    """Workers of the smaller camp: without them, nobody contradicts anybody (or their opponents are taken)."""
    minority_share: float
    """Their share of the judgments of all ``workers``, 0 to .5."""


def repeats(problem: Problem) -> float:
    """How many judgments tell as much as one would that errs alone: 1 without clusters."""
    in_clusters = problem.judgments.cluster is not None
    return max(problem.rows.n_judgments / problem.rows.n_opinions, 1.0) if in_clusters else 1.0


def camps(judgments: Judgments, seed: int, repeats: float = 1.0, items: NDArray[np.int32] | None = None) -> Camps:
    """Find the workers who contradict the others.

    Agreement on shared items is held against what two independent workers with these label shares would reach
    (Cohen 1960), by a normal test at ``PAIR_LEVEL`` over all pairs (Bonferroni), where so many judgments (``repeats``)
    tell as much as one. The camp is a greedy vertex cover of
    the contradicting pairs: the worker in most of them first, until none is left. ``items`` are those to look at, if
    they were chosen already.
    """
    chosen = _items_for_pairs(judgments, seed) if items is None else items
    agreeing, contradicting = _clear_pairs(judgments, chosen, repeats)
    activity = judgments.per_worker
    involved = np.unique(np.concatenate([agreeing, contradicting]))
    left, cover = contradicting, []
    while len(left):
        degree = np.bincount(left.ravel(), minlength=judgments.n_workers)
        cover.append(int(np.lexsort((-activity, -degree))[0]))  # ties: the busier worker, whatever the names
        left = left[~(left == cover[-1]).any(axis=1)]
    total = int(activity[involved].sum())
    share = int(activity[cover].sum()) / max(total, 1)
    minority = len(cover) if share <= 0.5 else len(involved) - len(cover)
    return Camps(len(agreeing), len(contradicting), len(involved), minority, min(share, 1.0 - share))


def _clear_pairs(
    judgments: Judgments, items: NDArray[np.int32], repeats: float = 1.0
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(n, 2) workers of the pairs that clearly agree, and of those that clearly contradict each other."""
    from scipy.special import ndtri

    n = judgments.per_item[items]
    key = np.empty(int((n * (n - 1) // 2).sum()), np.int64)
    n_pairs = tallies.worker_pairs(
        items, judgments.item_start, judgments.worker, judgments.label, judgments.n_workers, key
    )
    key = key[:n_pairs]
    key.sort()
    pair, shared, agreed = np.empty((3, n_pairs // LEAST_SHARED), np.int64)
    n_found = tallies.frequent_pairs(key, LEAST_SHARED, pair, shared, agreed)
    pair, shared, agreed = pair[:n_found], shared[:n_found], agreed[:n_found]
    shares = np.zeros((judgments.n_workers, judgments.n_labels))
    tallies.labels_of_workers(judgments.worker, judgments.label, shares)
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1.0)
    workers = np.stack(np.divmod(pair, judgments.n_workers), axis=1)
    by_chance = np.einsum("pk,pk->p", shares[workers[:, 0]], shares[workers[:, 1]])
    spread = shared * by_chance * (1.0 - by_chance)
    enough = spread >= repeats
    z = (agreed - shared * by_chance) / np.sqrt(np.where(enough, spread * repeats, np.inf))
    bound = -ndtri(PAIR_LEVEL / max(int(enough.sum()), 1))
    return workers[z > bound], workers[z < -bound]


def _items_for_pairs(judgments: Judgments, seed: int) -> NDArray[np.int32]:
    """Items with at least two judgments; a random subset of them where they hold too many pairs."""
    n = judgments.per_item
    items = np.flatnonzero(n > 1).astype(np.int32)
    n_pairs = n[items] * (n[items] - 1) // 2
    if n_pairs.sum() <= MOST_PAIRS:
        return items
    order = np.random.default_rng(seed).permutation(len(items))[:MOST_PAIRS]  # each has a pair at least
    n_pairs = n_pairs[order]
    fits = n_pairs <= MOST_PAIRS // LEAST_SHARED  # a few huge items would fill the sample alone
    order, n_pairs = order[fits], n_pairs[fits]
    return np.sort(items[order[: np.searchsorted(np.cumsum(n_pairs), MOST_PAIRS, "right")]])
