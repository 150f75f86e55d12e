"""Two camps of workers who each agree among themselves and contradict the other, with any number of labels.

If every item has one true label and workers err alone, two workers who know anything agree at least as often as chance,
however good they are and however hard the items: what they say goes along with the same thing. Colluders who share one
wrong label an item agree with each other, too, and less often than chance with all others. With two labels that is the
opposite reading of the data; with more there is no single opposite, but the camps are there all the same. Nothing but
gold tells which of the two is right.

Camps are found on one half of the items and tested on the other half, then the other way round, so that what fits by
chance is no camp. On a half, let r[v, w] be the agreements of two workers less those by chance (Cohen 1960), divided by
the root of both workers' pairs: a signed graph, the leading eigenvectors of which split the workers (Kunegis et al.
2010). The split is improved worker by worker, each joining the camp with whom their agreement beyond chance is larger.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from consensus.kernels import camp_loops as kernels
from consensus.kernels import tallies
from consensus.kernels.camp_loops import Pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.inputs.judgments import Judgments

    Reals = NDArray[np.float64]

LEAST_SHARE = 0.2  # of the judgments that the smaller camp must have made: fewer change few labels
CONTRADICTING = 4.0  # deviations below chance at which two camps contradict each other
AGREEING = 3.0  # deviations above chance at which a camp agrees among itself
LEAST_SPREAD = 10.0  # pairs: the variance of their agreements by chance, below which deviations are not normal
MOST_PAIRS = 300_000  # pairs of judgments that are looked at
MOST_WORK = 20_000_000  # the same, times labels
PASSES = 12  # of orthogonal iteration
MOST_MOVES = 20  # rounds in which all workers may change their camp
SHIFT = 0.2  # added to all eigenvalues, which lie in [-1, 1]: then the largest leads, not the one farthest from 0
FIRST, SECOND, ACROSS = range(3)  # both workers of a pair are in a camp, or one in each


@dataclass(frozen=True, slots=True)
class OpposedCamps:
    """Two camps of workers."""

    workers: tuple[int, int]
    """In the smaller camp, by judgments, and in the larger."""
    share: float
    """Share of their judgments that the smaller made, 0 to .5."""
    agreed: tuple[float, float, float]
    """Share of the pairs of judgments of one item that agree: in the smaller camp, in the larger, across them."""
    by_chance: tuple[float, float, float]
    """Of these, how many would by chance."""
    deviations: tuple[float, float, float]
    """By how many deviations they agree more often."""

    @property
    def opposed(self) -> bool:
        """Whether they are more than chance makes, and the smaller one is large enough to matter."""
        first, second, across = self.deviations
        inside = min(first, second) > AGREEING
        return self.share > LEAST_SHARE and inside and across < -CONTRADICTING


def found(
    judgments: Judgments, items: NDArray[np.int32], seed: int, backend: Backend, repeats: float = 1.0
) -> OpposedCamps | None:
    """The two camps that contradict each other most on some ``items``; None where there are too few judgments to tell.

    So many judgments (``repeats``) tell as much as one that errs alone.
    """
    rng = np.random.default_rng(seed)
    items = _bounded(judgments, rng.permutation(items))
    pairs = _pairs(judgments, items)
    half = np.arange(len(items)) % 2  # they come in random order
    of_half = half[pairs.place]
    start = rng.standard_normal((judgments.n_workers, 2))

    def learn(one: int) -> Reals:
        return _leaning(_chosen(pairs, of_half == one), start)

    leaning = backend.map(learn, [0, 1])
    if (judgments.per_worker * np.sign(leaning[0]) * np.sign(leaning[1])).sum() < 0:
        leaning[1] = -leaning[1]  # which camp is called which is chance
    sums = [_sums(pairs, of_half == 1 - one, np.sign(leaning[one]), len(items)) for one in (0, 1)]
    total = _Sums(*(one + other for one, other in zip(*sums, strict=True)))
    if (total.spread < LEAST_SPREAD).any():
        return None
    return _told(judgments, np.sign(leaning[0] + leaning[1]), total, repeats)


def in_words(two: OpposedCamps) -> str:
    """Such as ``the workers fall into two camps (40 of them with 40% of the judgments, 60 with 60%): ...``."""
    smaller, larger = two.workers
    inside, others, across = two.agreed
    return (
        f"the workers fall into two camps ({smaller:,} of them with {two.share:.0%} of the judgments, {larger:,} with "
        f"{1.0 - two.share:.0%}), who agree with their own camp on {inside:.0%} and {others:.0%} of shared items, but "
        f"with the other on {across:.0%} ({two.by_chance[ACROSS]:.0%} by chance)"
    )


def _bounded(judgments: Judgments, items: NDArray[np.int32]) -> NDArray[np.int32]:
    """As many of the ``items`` as can be worked on."""
    n = judgments.per_item[items]
    most = min(MOST_PAIRS, MOST_WORK // max(judgments.n_labels, 1))
    return items[: np.searchsorted(np.cumsum(n * (n - 1) // 2), most, "right")]


def _pairs(judgments: Judgments, items: NDArray[np.int32]) -> Pairs:
    shares = np.zeros((judgments.n_workers, judgments.n_labels))
    tallies.labels_of_workers(judgments.worker, judgments.label, shares)
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1.0)
    n = judgments.per_item[items]
    most = int((n * (n - 1) // 2).sum())
    place, first, second = np.empty((3, most), np.int32)
    room = Pairs(place, first, second, np.empty(most, np.bool_), np.empty(most))
    n_pairs = kernels.pairs(items, judgments.item_start, judgments.worker, judgments.label, shares, room)
    return _chosen(room, slice(n_pairs))


def _chosen(pairs: Pairs, of: NDArray[np.bool_] | slice) -> Pairs:
    return Pairs(pairs.place[of], pairs.first[of], pairs.second[of], pairs.agreed[of], pairs.chance[of])


def _leaning(pairs: Pairs, start: Reals) -> Reals:
    """(W,) agreement of every worker beyond chance with the one camp less that with the other; 0 without any pair."""
    first, second, residual = pairs.first, pairs.second, pairs.agreed - pairs.chance
    n_pairs = np.bincount(first, minlength=len(start)) + np.bincount(second, minlength=len(start))
    scale = 1.0 / np.sqrt(np.maximum(n_pairs, 1))
    weight = residual * scale[first] * scale[second]
    x = _orthonormal(start)
    for _ in range(PASSES):
        moved = SHIFT * x
        kernels.signed_sums(first, second, weight, x, moved)
        x = _orthonormal(moved)
    lead, next_one = x.T
    splits = (lead, next_one, np.abs(lead) - np.abs(next_one))
    return max((_improved(first, second, residual, np.sign(one)) for one in splits), key=lambda one: np.abs(one).sum())


def _improved(first: NDArray[np.int32], second: NDArray[np.int32], residual: Reals, camp: Reals) -> Reals:
    """(W,) leaning of every worker, once all have joined the camp that they lean to; ``camp`` (W,) is 1 or -1."""
    for _ in range(MOST_MOVES):
        leaning = np.zeros((len(camp), 1))
        kernels.signed_sums(first, second, residual, camp[:, None], leaning)
        joined = np.sign(leaning[:, 0])
        if np.array_equal(joined, camp):
            break
        camp = joined
    return leaning[:, 0]


def _orthonormal(x: Reals) -> Reals:
    """The two columns of ``x`` (W, 2) as orthonormal ones; sums in an order of their own, whatever the threads."""
    first, second = x.T
    first = first / max(np.sqrt((first * first).sum()), 1e-300)
    second = second - (first * second).sum() * first
    return np.stack([first, second / max(np.sqrt((second * second).sum()), 1e-300)], axis=1)


class _Sums(NamedTuple):
    """Over pairs in the first camp, in the second, and across them, each (3,)."""

    n: Reals
    agreed: Reals
    by_chance: Reals
    spread: Reals
    """Variance of ``agreed`` by chance."""
    squares: Reals
    """Sum over items of the square of what agreed there less what would by chance."""


def _sums(pairs: Pairs, chosen: NDArray[np.bool_], camp: Reals, n_items: int) -> _Sums:
    """Over the ``chosen`` (N,) pairs of workers who have a ``camp`` (W,), 1 or -1."""
    chosen = chosen & (camp[pairs.first] != 0) & (camp[pairs.second] != 0)
    place, first, second, agreed, chance = _chosen(pairs, chosen)
    kind = np.where(camp[first] != camp[second], ACROSS, np.where(camp[first] > 0, FIRST, SECOND))
    beyond = agreed - chance
    squares = np.bincount(3 * place.astype(np.int64) + kind, beyond, 3 * n_items).reshape(n_items, 3)

    def over(weights: Reals) -> Reals:
        return np.asarray(np.bincount(kind, weights, 3), np.float64)

    n, spread = over(np.ones(len(kind))), over(chance * (1.0 - chance))
    return _Sums(n, over(agreed.astype(np.float64)), over(chance), spread, (squares**2).sum(axis=0))


def _told(judgments: Judgments, camp: Reals, total: _Sums, repeats: float) -> OpposedCamps:
    """The camps in numbers, the smaller one first."""
    made = [int(judgments.per_worker[camp == side].sum()) for side in (1, -1)]
    order = [FIRST, SECOND] if made[0] <= made[1] else [SECOND, FIRST]
    workers = [int((camp == side).sum()) for side in (1, -1)]
    gain = total.agreed - total.by_chance
    deviations = gain / np.sqrt(np.maximum(total.spread, total.squares) * repeats)
    kinds = [*order, ACROSS]
    agreed, by_chance = total.agreed / total.n, total.by_chance / total.n

    def three(values: Reals) -> tuple[float, float, float]:
        smaller, larger, across = values[kinds].tolist()
        return smaller, larger, across

    return OpposedCamps(
        (workers[order[0]], workers[order[1]]),
        min(made) / max(sum(made), 1),
        three(agreed),
        three(by_chance),
        three(deviations),
    )
