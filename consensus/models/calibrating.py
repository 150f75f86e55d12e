"""Posteriors of a fit without gold, calibrated on gold: what is scaled, on which items, and how they are averaged.

Several *candidates* are averaged by how well they predict gold (``calibration.vector_scaling``): each scales one
reading of the items, or pools two of them.

==============  ============================================================  =================================
candidate       reading: x                                                    slopes beforehand (mean, deviation)
==============  ============================================================  =================================
fit             the fit without gold, tempered: log z~                        1, .15 or .5
weighted        worker-weighted shares: log (s n + 1/K) / (n + 1)             1, .6
both            these two                                                     1, .15 or .5;  0, .5
votes           votes of models that alone judged: log(votes + .5)            .5, .25
fit and votes   the fit, and these                                            0, .25;  .5, .25
each model      the votes, and each model: 0 for the label it names, else -1  .5, .25;  0, .03 or .1 or .3
fit, each model the fit, and these                                            0, .25;  and as these
clamped         a fit that has seen gold; of gold items: their cavity         1, .15 or .5
==============  ============================================================  =================================

Models that vote share most of their mistakes: hence slopes around a half. A model's own slope is what its vote weighs
more than those of the others, or less: it alone may be negative, and is left out of panels of more than MOST_MODELS.

Items that people judged are calibrated on gold that people judged, and those that models alone judged on gold that
models alone judged. With very many labels, or more than MOST_INTERCEPTS, labels get no intercepts: the fit is only
stretched.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.backends import even_parts, number_of_shards
from consensus.calibration import vector_scaling
from consensus.calibration.vector_scaling import Belief, Known
from consensus.found.calibration import N_FOLDS
from consensus.found.posterior import DensePosterior, SparsePosterior
from consensus.inputs.vocabulary import hashed
from consensus.kernels import calibration_loops
from consensus.models import worker_weighted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.calibration.vector_scaling import Average
    from consensus.found.posterior import Posterior
    from consensus.inputs.gold import AlignedGold
    from consensus.inputs.judgments import Judgments
    from consensus.inputs.model_votes import AlignedVotes

    Reals = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Items = NDArray[np.int64]

T = (0.03, 0.1, 0.3, 1.0, 2.0)
"""Standard deviations of the intercepts, in nats, that are averaged over."""
CANDIDATES: dict[str, dict[str, tuple[float, tuple[float, ...]]]] = {
    "fit": {"fit": (1.0, (0.15, 0.5))},
    "weighted": {"weighted": (1.0, (0.6,))},
    "both": {"fit": (1.0, (0.15, 0.5)), "weighted": (0.0, (0.5,))},
    "votes": {"votes": (0.5, (0.25,))},
    "fit and votes": {"fit": (0.0, (0.25,)), "votes": (0.5, (0.25,))},
    "each model": {"votes": (0.5, (0.25,)), "model": (0.0, (0.03, 0.1, 0.3))},
    "fit and each model": {"fit": (0.0, (0.25,)), "votes": (0.5, (0.25,)), "model": (0.0, (0.03, 0.1, 0.3))},
    "clamped": {"clamped": (1.0, (0.15, 0.5))},
}
"""Of every candidate the readings that it scales, and mean and standard deviations of their slopes beforehand."""
MOST_INTERCEPTS = 100  # labels
MOST_MODELS = 30  # that have a slope each
MOST_CELLS = 200_000  # gold items times labels that are fitted on: some hundred numbers need no more
BLOCK = 400_000  # probabilities of readings that are worked on at once


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What one reading says of items."""

    name: str
    of: Callable[[Items], Reals]
    """(n, K) of some items (n,): its logarithms, the largest 0."""
    of_gold: Reals | None = None
    """(G, K) of the gold items without their gold, where it has seen that."""


def of_beliefs(name: str, beliefs: Posterior, of_gold: Reals | None = None) -> Reading:
    """A posterior as a reading; ``of_gold`` (G, K) what it would be of gold items without their gold."""
    return Reading(
        name,
        lambda items: vector_scaling.centred(beliefs.dense(items)),
        None if of_gold is None else vector_scaling.centred(of_gold),
    )


def of_workers(name: str, judgments: Judgments, weight: Reals) -> Reading:
    """Shares of the judgments by the ``weight`` (W,) of the workers as a reading: a judgment more for all labels alike.

    They are made of the items that are asked for, so that they cost nothing where gold does not believe them.
    """

    def of(items: Items) -> Reals:
        n = judgments.per_item[items, None]
        return vector_scaling.centred(worker_weighted.shares(judgments, weight, items) * n + 1.0 / judgments.n_labels)

    return Reading(name, of)


def of_counts(name: str, counts: Reals) -> Reading:
    """Votes (I, K) as a reading: half a vote more for every label."""
    return Reading(name, lambda items: vector_scaling.centred(counts[items] + 0.5))


def of_models(name: str, votes: AlignedVotes, n_labels: int) -> list[Reading]:
    """Every model as a reading, all of one name: 0 for the label that it names, -1 for others; 0 where it is silent."""

    def reading(label: NDArray[np.int32]) -> Reading:
        def of(items: Items) -> Reals:
            own = label[items, None]
            return np.where((own < 0) | (own == np.arange(n_labels)), 0.0, -1.0)

        return Reading(name, of)

    named = np.full((votes.n_models, len(votes.per_item)), -1, np.int32)
    named[votes.model, votes.item] = votes.label
    return [reading(label) for label in named]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Items that are calibrated together, and the gold items among them."""

    items: Flags
    """(I,) all of them."""
    gold: Flags
    """(G,) gold items that are fitted on."""
    readings: tuple[Reading, ...]
    unit: Reals | None = None
    """(G,) how many independent items each gold item counts as; None: each as one."""

    @property
    def of_gold(self) -> Reals | None:
        """The units of those that are fitted on."""
        return None if self.unit is None else self.unit[self.gold]

    @property
    def n_gold(self) -> float:
        """How many independent items these are."""
        return float(self.gold.sum()) if self.of_gold is None else float(self.of_gold.sum())

    @property
    def names(self) -> list[str]:
        """The candidates that these readings allow."""
        have = {reading.name for reading in self.readings}
        return [name for name, needs in CANDIDATES.items() if set(needs) <= have and _is_wanted(name, have)]


def _is_wanted(name: str, have: set[str]) -> bool:
    """Where models alone judged and votes are counted, the fit joins them only; else it stands for itself, too."""
    return name != "fit" or "votes" not in have


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated:
    """What comes of it."""

    beliefs: Posterior
    """Of all items; the gold items are what gold says."""
    gold_posterior: Reals
    """(G, K) of the gold items as if they were none: those of a part as calibrated without their fold."""
    weights: dict[str, float]
    """How far each candidate is believed, in the mean over parts by their gold items."""
    by_label: bool
    """Labels had intercepts."""


def calibrated(
    before: Posterior,
    of_gold: Reals,
    gold: AlignedGold,
    judgments: Judgments,
    parts: Sequence[Part],
    backend: Backend,
) -> Calibrated:
    """Calibrate the items of all ``parts``; others stay as they were ``before``, but for what gold says of them.

    ``of_gold`` (G, K) is what was said of the gold items before, as if they were none.
    """
    import pyarrow as pa

    code = hashed(judgments.item_ids.take(pa.array(gold.items)))
    if judgments.cluster is not None:  # what is known of a cluster is not to be foretold from the cluster
        cluster = judgments.cluster[gold.items]
        code[cluster >= 0] = hashed(judgments.cluster_ids)[cluster[cluster >= 0]]
    fold = (code % np.uint64(N_FOLDS)).astype(np.int64)
    gold_posterior = of_gold.copy()
    work = _Sparse(before) if isinstance(before, SparsePosterior) else _Dense(before, backend)
    weights: dict[str, float] = {}
    n_gold = sum(part.n_gold for part in parts)
    for part in parts:
        names, beliefs = _beliefs(part, work.by_label)
        known = work.known(part, gold)
        average = vector_scaling.averaged(_thinned(known), beliefs)
        for weight, place in zip(average.weight.tolist(), average.place.tolist(), strict=True):
            share = weight * part.n_gold / n_gold
            weights[names[place]] = weights.get(names[place], 0.0) + share
        own = fold[part.gold]
        found = np.empty(gold_posterior[part.gold].shape)
        for f in np.unique(own).tolist():
            others = vector_scaling.averaged(_thinned(known.some(own != f)), beliefs)
            found[own == f] = work.predicted(others, known.some(own == f), gold.items[part.gold][own == f])
        gold_posterior[part.gold] = found
        work.apply(part, average)
    return Calibrated(work.beside(gold), gold_posterior, weights, work.by_label)


def _beliefs(part: Part, by_label: bool) -> tuple[list[str], list[Belief]]:
    """What is believed of every scaling beforehand, and which candidate it belongs to."""
    readings = [reading.name for reading in part.readings]
    least = np.array([-np.inf if one == "model" else vector_scaling.LEAST_SLOPE for one in readings])
    names, found = [], []
    for name in part.names:
        given = CANDIDATES[name]
        mean = np.array([given[one][0] if one in given else 0.0 for one in readings])
        for *chosen, t in itertools.product(*(sds for _, sds in given.values()), T if by_label else (None,)):
            sd = dict(zip(given, chosen, strict=True))
            names.append(name)
            found.append(Belief(mean, np.array([sd.get(one, 0.0) for one in readings]), t, least))
    return names, found


def _thinned(known: Known) -> Known:
    """Every so-manieth gold item, where they are very many."""
    n_gold, n_entries = known.log_accepted.shape
    return known.some(slice(None, None, -(-n_gold * n_entries // MOST_CELLS) or 1))


class _Dense:
    """A probability for every label of every item."""

    def __init__(self, before: Posterior, backend: Backend) -> None:
        self.table: Reals = before.dense(slice(None)).copy()
        self.by_label = self.table.shape[1] <= MOST_INTERCEPTS
        self._backend = backend

    def known(self, part: Part, gold: AlignedGold) -> Known:
        items = gold.items[part.gold].astype(np.int64)
        x = [one.of(items) if one.of_gold is None else one.of_gold[part.gold] for one in part.readings]
        return Known.of_labels(np.stack(x), gold.accepted[part.gold], part.of_gold)

    def predicted(self, average: Average, known: Known, items: NDArray[np.int32]) -> Reals:
        del items
        return average.predicted(known.x)

    def apply(self, part: Part, average: Average) -> None:
        """In place, block by block."""
        items, K = np.flatnonzero(part.items), self.table.shape[1]
        used = np.flatnonzero((average.slope != 0.0).any(axis=0))
        step = max(BLOCK // (K * len(used)), 1)
        slope = np.ascontiguousarray(average.slope[:, used])

        def shard(own: slice) -> None:
            for begin in range(own.start, own.stop, step):
                block = items[begin : min(begin + step, own.stop)]
                x = np.stack([part.readings[f].of(block) for f in used])
                out = np.empty(x.shape[1:])
                calibration_loops.mixed(x, slope, average.intercept, average.weight, out)
                self.table[block] = out

        n_cells = len(items) * K * len(average.weight)
        self._backend.map(shard, even_parts(len(items), number_of_shards(n_cells)))

    def beside(self, gold: AlignedGold) -> DensePosterior:
        self.table[gold.items] = restricted(self.table[gold.items], gold.accepted)
        return DensePosterior(self.table)


class _Sparse:
    """Probabilities of the labels given to each item, and of each other one: they are only stretched."""

    by_label = False

    def __init__(self, before: SparsePosterior) -> None:
        self._before = before
        n_each = np.diff(before.start)
        self._own = np.repeat(np.arange(before.n_items), n_each)
        self._n_others = before.n_labels - n_each
        rest = np.where(self._n_others > 0, before.rest, 0.0)
        peak = rest.copy()
        np.maximum.at(peak, self._own, before.z)
        with np.errstate(divide="ignore"):
            self._x = np.maximum(np.log(before.z / peak[self._own]), vector_scaling.FLOOR)
            self._x_rest = np.maximum(np.log(rest / peak), vector_scaling.FLOOR)
        self._z, self._rest = before.z.copy(), before.rest.copy()

    def known(self, part: Part, gold: AlignedGold) -> Known:
        """Entries: the labels given, padded, and last all others."""
        items, accepted = gold.items[part.gold], gold.accepted[part.gold]
        start, n_each = self._before.start[items], np.diff(self._before.start)[items]
        n_entries = int(n_each.max(initial=0)) + 1
        x, log_count, log_accepted = np.zeros((len(items), n_entries)), *np.full((2, len(items), n_entries), -np.inf)
        for g, (begin, n) in enumerate(zip(start.tolist(), n_each.tolist(), strict=True)):
            right = accepted[g, self._before.candidate[begin : begin + n]]
            x[g, :n], log_count[g, :n] = self._x[begin : begin + n], 0.0
            log_accepted[g, :n][right] = 0.0
            with np.errstate(divide="ignore"):
                log_accepted[g, -1] = np.log(accepted[g].sum() - right.sum())
        x[:, -1] = self._x_rest[items]
        with np.errstate(divide="ignore"):
            log_count[:, -1] = np.log(self._n_others[items])
        return Known(x[None], log_count, log_accepted, part.of_gold)

    def predicted(self, average: Average, known: Known, items: NDArray[np.int32]) -> Reals:
        """(n, K) of gold items."""
        entries = average.predicted(known.x, known.log_count)
        found = np.repeat(entries[:, -1:], self._before.n_labels, axis=1)
        start, n_each = self._before.start[items], np.diff(self._before.start)[items]
        for g, (begin, n) in enumerate(zip(start.tolist(), n_each.tolist(), strict=True)):
            found[g, self._before.candidate[begin : begin + n]] = entries[g, :n]
        return found

    def apply(self, part: Part, average: Average) -> None:
        """In place."""
        mine = part.items[self._own]
        own, items = self._own[mine], part.items
        z, rest = np.zeros(int(mine.sum())), np.zeros(self._before.n_items)
        for slope, weight in zip(average.slope[:, 0].tolist(), average.weight.tolist(), strict=True):
            one, other = np.exp(slope * self._x[mine]), np.exp(slope * self._x_rest)
            total = np.bincount(own, weights=one, minlength=len(rest)) + self._n_others * other
            z += weight * one / total[own]
            rest += weight * other / total
        self._z[mine], self._rest[items] = z, rest[items]

    def beside(self, gold: AlignedGold) -> SparsePosterior:
        """Gold items have their accepted labels, and no other."""
        before, is_gold = self._before, np.zeros(self._before.n_items, np.bool_)
        is_gold[gold.items] = True
        own_posterior = restricted(self._dense(gold.items), gold.accepted)
        n_each = np.diff(before.start)
        n_each[gold.items] = gold.accepted.sum(axis=1)
        start = np.concatenate([np.zeros(1, np.int64), np.cumsum(n_each, dtype=np.int64)])
        candidate, z = np.empty(start[-1], np.int32), np.empty(start[-1])
        of_gold = np.repeat(is_gold, n_each)
        candidate[of_gold], z[of_gold] = np.nonzero(gold.accepted)[1], own_posterior[gold.accepted]
        kept = ~is_gold[self._own]
        candidate[~of_gold], z[~of_gold] = before.candidate[kept], self._z[kept]
        rest = np.where(is_gold, 0.0, self._rest)
        return SparsePosterior(start, candidate, z, rest, before.n_labels)

    def _dense(self, items: NDArray[np.int32]) -> Reals:
        return replace(self._before, z=self._z, rest=self._rest).dense(items.astype(np.int64))


def restricted(posterior: Reals, accepted: Flags) -> Reals:
    """(n, K) ``posterior`` (n, K) with nothing left but ``accepted`` (n, K) labels."""
    found = np.where(accepted, np.maximum(posterior, np.finfo(np.float64).tiny), 0.0)
    return np.asarray(found / found.sum(axis=1, keepdims=True), np.float64)
