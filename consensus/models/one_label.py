"""Who gives one label only, and whether they answer because it is true: labelling functions, keyword rules, one class.

A rule that says "spam" where it fires never gives another label. With a row of the confusions for each true label, it
looks like somebody who says "spam" to everything, and its votes count for nothing. Yet it answers where its label is
true and is silent elsewhere, and who says the same to everything answers everywhere. Which of both a worker of one
label l does, others tell. On the n items that they answer, X is how many of the votes of others (a mean over each item)
are l, and q what these others say of all their items; and x is how many workers with one other label answer as well,
m and s^2 the mean and the variance of that among the items of the same others::

    G = log int_q^1 t^X (1 - t)^(n - X) / (1 - q) dt - X log q - (n - X) log(1 - q)
        + max(z, 0)^2 n / (n + 1) / 2 - log(n + 1) / 2,        z = (m - x / n) sqrt(n) / s

in nats: a share above q by as much as may be, against q itself, and a mean below m (a normal distribution with the
prior of one observation). With w the share of those who answer where their label is true among all with one label,
learnt by EM, they are set apart if the data speak for any (sum log(1 - w + w exp G) > ANY), each who is more probably
one of them than not. The others with one label answer whatever the item, for all that is known: they are not heard.

Nobody is looked at whose one label may be an accident: others must be expected to give other labels on NO_ACCIDENT of
so many items. What follows of the silence is in ``silences``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus import segments
from consensus.kernels import tallies

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.inputs.gold import AlignedGold
    from consensus.inputs.judgments import Judgments
    from consensus.models.dense_layout import Rows
    from consensus.segments import Segment

    Reals = NDArray[np.float64]
    Positions = NDArray[np.int64]

LEAST = 5  # judgments of a worker
FAITHFUL = 0.99  # share of them that give the one label
NO_ACCIDENT = 3.0  # items on which workers like all others would have given another label, in the mean
ANY = 3.0  # nats by which the data must speak for workers who answer where their label is true
PROBABLY = 0.5
ROUNDS, BEGINNING = 50, 0.5  # of EM for their share, and where it begins
EVERYONE = 1.0  # items that the usual shares of all count for beside those of the others on the same items
NO_SPREAD = 1e-9  # variance below which the answers of others are the same on all items


@dataclass(frozen=True, slots=True, eq=False)
class OneLabel:
    """Who answers where their one label is true, and is silent elsewhere."""

    worker: Positions
    """(F,) codes."""
    label: Positions
    """(F,) the label of each."""
    n: Reals
    """(F,) how many judgments each made."""
    mute: Positions
    """(M,) others who give one label only, for all that is known whatever the item: their votes count for nothing."""
    row: Positions
    """(F, K) the row of each and every label; those of labels never given hold no judgment."""
    probability: Reals
    """(W,) that a worker with one label answers where it is true, and not whatever the item; NaN of others."""

    def heard(self, judgments: Judgments) -> Judgments:
        """The judgments of all who are not mute."""
        said = np.ones(judgments.n_workers, np.bool_)
        said[self.mute] = False
        return judgments.subset(said[judgments.worker])


def set_apart(
    judgments: Judgments, gold: AlignedGold | None, rows: Rows, backend: Backend
) -> tuple[Rows, OneLabel | None]:
    """Who is silent where their one label is not true, and ``rows`` with a row of theirs for every label."""
    worker, label = of_one_label(judgments, rows, backend)
    if not len(worker):
        return rows, None
    probable = _probable(_gains(judgments, gold, worker, label))
    chosen = probable > PROBABLY
    if not chosen.any():
        return rows, None
    probability = np.full(judgments.n_workers, np.nan)
    probability[worker] = probable
    mute, worker, label = worker[~chosen], worker[chosen], label[chosen]
    rows, row = rows.with_all_labels(judgments, worker)
    return rows, OneLabel(worker, label, judgments.per_worker[worker].astype(np.float64), mute, row, probability)


def labels_of_workers(judgments: Judgments, backend: Backend) -> Reals:
    """(W, K) how often each worker gave each label."""
    W, K = judgments.n_workers, judgments.n_labels
    parts = segments.shards(judgments, W * K)
    found = backend.scatter(segments.cut(judgments, parts, (judgments.worker, judgments.label)))
    return np.asarray(np.sum(backend.each(_labels_of_workers, found, W, K), axis=0), np.float64)


def _labels_of_workers(segment: Segment, W: int, K: int) -> Reals:
    counts = np.zeros((W, K))
    begin, end = segment.start[0], segment.start[-1]
    worker, label = (one[begin:end] for one in segment.columns)
    tallies.labels_of_workers(worker, label, counts)
    return counts


def of_one_label(judgments: Judgments, rows: Rows, backend: Backend) -> tuple[Positions, Positions]:
    """(n,) workers who give one label only, or nearly so, and by no accident; and (n,) which."""
    n, K = judgments.per_worker, judgments.n_labels
    few = (n >= LEAST) & (np.diff(rows.worker_start) <= 1 + (1.0 - FAITHFUL) * n)
    if K < 2 or not few.any():
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    given, J = labels_of_workers(judgments, backend), judgments.n_judgments
    label = given.argmax(axis=1)
    elsewhere = 1.0 - (given.sum(axis=0) / J)[label]
    found = np.flatnonzero(few & (given.max(axis=1) >= FAITHFUL * n) & (n * elsewhere >= NO_ACCIDENT))
    return found, label[found]


@dataclass(frozen=True, slots=True, eq=False)
class _Others:
    """What stands beside every judgment (m,) of workers with one label."""

    of: Positions
    """(m,) whose judgment."""
    known: Reals
    """(m,) 1 where others (or gold) label the item, else 0."""
    agreed: Reals
    """(m,) the share of these that say the worker's label."""
    opposed: Reals
    """(m,) workers with one other label who answer as well."""
    usual: Reals
    """(m, 3) mean over the others of the item: the share of the label among all their judgments, and the mean and the
    mean square of ``opposed`` among their items."""
    everyone: Reals
    """(n, 3) the same over all items, for each worker with one label."""


def _gains(judgments: Judgments, gold: AlignedGold | None, worker: Positions, label: Positions) -> Reals:
    """(n,) G of workers (n,) who give one ``label`` (n,) only."""
    found = _others(judgments, gold, worker, label)

    def sums(values: Any) -> Reals:
        return np.bincount(found.of, values, minlength=len(worker)).astype(np.float64)

    n, n_known = sums(np.ones(len(found.of))), sums(found.known)
    beside = sums(np.asarray(found.usual.any(axis=1), np.float64)) + EVERYONE
    q, mean, square = ((sums(found.usual[:, c]) + EVERYONE * found.everyone[:, c]) / beside for c in range(3))
    agreed = above(n_known, sums(found.known * found.agreed), q)
    return agreed + below(n, sums(found.opposed), mean, square - mean**2)


def _others(judgments: Judgments, gold: AlignedGold | None, worker: Positions, label: Positions) -> _Others:
    """What others say, and how many with another one label answer, where those with one ``label`` (n,) do."""
    W, K = judgments.n_workers, judgments.n_labels
    place, only = np.full((2, W), -1)
    place[worker], only[worker] = np.arange(len(worker)), label
    items = np.flatnonzero(np.bincount(judgments.item[only[judgments.worker] >= 0], minlength=judgments.n_items))
    own, judgment = judgments.of_items(items)
    who, said = judgments.worker[judgment], judgments.label[judgment]
    several = only[who] < 0
    at, other = own[several], who[several]

    def by_item_and_label(item: Positions, labels: NDArray[np.integer]) -> Reals:
        found = np.bincount(item * K + labels, minlength=len(items) * K)
        return found.reshape(len(items), K).astype(np.float64)

    says = by_item_and_label(at, said[several])
    n_several = says.sum(axis=1)
    answers = by_item_and_label(own[~several], only[who[~several]])
    opposed = answers.sum(axis=1, keepdims=True) - answers
    mine = np.flatnonzero(~several)
    i, l = own[mine], only[who[mine]]  # noqa: E741
    usual, everyone = np.empty((len(mine), 3)), np.empty((K, 3))
    per_worker, n_judged = np.maximum(judgments.per_worker, 1), max(int((judgments.per_item > 0).sum()), 1)
    for k in range(K):
        gave = np.bincount(judgments.worker[judgments.label == k], minlength=W)
        met = [np.bincount(other, opposed[at, k] ** power, minlength=W) for power in (1, 2)]
        everyone[k] = [gave.sum() / judgments.n_judgments, *((opposed[:, k] ** p).sum() / n_judged for p in (1, 2))]
        for column, total in enumerate((gave, *met)):
            sums = np.bincount(at, (total / per_worker)[other], minlength=len(items))
            usual[l == k, column] = (sums / np.maximum(n_several, 1.0))[i[l == k]]
    share = says / np.maximum(n_several, 1.0)[:, None]
    known = n_several > 0
    if gold is not None:
        _, here, of_gold = np.intersect1d(items, gold.items, return_indices=True)
        share[here], known[here] = gold.accepted[of_gold], True
    return _Others(place[who[mine]], known[i].astype(np.float64), share[i, l], opposed[i, l], usual, everyone[label])


def above(n: Reals, x: Reals, usual: Reals) -> Reals:
    """(F,) log evidence, in nats, that ``x`` of ``n`` have a share above the ``usual`` one, less that of the usual."""
    from scipy.special import betainc, betaln

    q = np.clip(usual, 1e-6, 1.0 - 1e-6)
    rest = np.maximum(n - x, 0.0)
    log_above = np.log(np.maximum(betainc(rest + 1.0, x + 1.0, 1.0 - q), 1e-300))
    found = betaln(x + 1.0, rest + 1.0) + log_above - np.log1p(-q) - x * np.log(q) - rest * np.log1p(-q)
    return np.asarray(found, np.float64)


def below(n: Reals, x: Reals, usual: Reals, variance: Reals) -> Reals:
    """(F,) the same of a mean x / n below the ``usual`` one, by the normal distribution; 0 where nothing varies."""
    varies = variance > NO_SPREAD
    z = np.maximum(usual - x / n, 0.0) * np.sqrt(n / np.where(varies, variance, 1.0))
    return np.where(varies, z**2 * n / (n + 1.0) / 2 - np.log1p(n) / 2, 0.0)


def _probable(gain: Reals) -> Reals:
    """(n,) probability that each answers where their label is true; 0 unless the data speak for any."""
    odds, share = np.exp(np.minimum(gain, 500.0)), BEGINNING
    for _ in range(ROUNDS):
        probable = share * odds / (1.0 - share + share * odds)
        share = float(np.clip(probable.mean(), 1e-9, 1.0 - 1e-9))
    evidence = np.logaddexp(np.log(1.0 - share), np.log(share) + gain).sum()
    return np.asarray(probable if evidence > ANY else np.zeros_like(probable), np.float64)
