"""Who is right on gold, and answers at random elsewhere: they know which items are gold, and their labels.

What a worker does elsewhere is read off the others. Off gold, everybody has one accuracy, errors spread evenly; it is
fitted by EM, beginning where the result stands, and s_j is then the posterior of the label of a judgment j without the
judgment itself. So an accuracy a has, with n_w judgments on gold of which k_w are right, the likelihoods::

    E_w(a)    = prod_j [s_j a + (1 - s_j) (1 - a) / (K - 1)]                             over their judgments off gold
    usual     sum_m share_m  integral Beta_m(a) E_w(a) p^k (1 - p)^(n - k) da,           logit p = logit a + d
    random    integral Beta_0(a) E_w(a) da  prod_g c_w[label of g] or 1 - c_w            c_w: shares of their labels
    aware     integral Beta_0(a) E_w(a) da  (1 - SLIP)^k SLIP^(n - k)

Beta_m are N_KINDS distributions around evenly spaced accuracies, Beta_0 is around chance. Their shares, that of those
who are random, that of those who are aware, and d, by how many logits gold is easier for everybody who is not aware,
are learnt by EM from all workers. So gold that is easy for all condemns nobody; nor does it whoever gives one label on
all gold; nor does chance whoever is weak and was lucky.

Nobody is named where gold contradicts the better workers: then the consensus is wrong, and whoever knows better looks
random. Nor is anybody unless the data speak for any (the gain of log likelihood over nobody, ANY). Then they are named
in the order of their probability, as long as the expected share of false ones among them is at most LEVEL (the false
discovery rate of a mixture: Newton et al. 2004, as Benjamini & Hochberg 1995 control it by tests), and none whose own
probability is below PROBABLY.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.found.cautions import Caution
from consensus.found.gold_aware import GoldAware
from consensus.found.posterior import DensePosterior
from consensus.inputs.counted import counted
from consensus.models.two_means import two
from consensus.probabilities import normalised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.result import Consensus
    from consensus.inputs.gold import AlignedGold
    from consensus.inputs.judgments import Judgments

    Flags = NDArray[np.bool_]
    Reals = NDArray[np.float64]

LEVEL = 0.03  # expected share of false ones among those who are named
PROBABLY = 0.7
ANY = 5.0  # nats by which the data must speak for anybody who is aware
LEAST_GOLD, LEAST_OTHERS = 2, 10  # judgments of gold, and of other items that somebody else judged, of who is named
SLIP = 0.03  # share of the gold that those who know it get wrong
POINTS = (np.arange(60) + 0.5) / 60  # accuracies
N_KINDS, WIDTH = 10, 20.0  # Beta distributions of accuracies, and the judgments that each equals
CHANCE_WIDTH = 40.0  # those that the distribution around chance equals
EASIER = np.arange(-1.0, 6.01, 0.1)  # logits by which gold may be easier than other items
BINS = 40  # of s
CREDIT = 2.0  # judgments at the usual accuracy that each worker's coin is credited with
MOST_PASSES, STILL = 60, 1e-4  # of the coins
ROUNDS, OFTEN = 100, 5  # of EM over the workers, and every so many of them d is found anew
BEGINNING = 0.1  # share of those who are aware
COIN = (0.02, 0.98)  # accuracies stay within
MOST_LEARNT = 2000  # workers, evenly spaced, that shares and d are learnt from
SMALLEST = 1e-300


@dataclass(frozen=True, slots=True, eq=False)
class _Evidence:
    """Of every worker."""

    of_accuracy: Reals
    """(W, P) E at POINTS, the largest 1."""
    n_gold: NDArray[np.int64]
    n_right: NDArray[np.int64]
    n_others: NDArray[np.int64]
    varied: Flags
    """(W,) they gave several labels on gold: who always gives one is right wherever it is."""
    log_by_shares: Reals
    """(W,) log P(their gold judgments), if they answer in the shares of their labels, whatever the item."""

    def some(self, workers: NDArray[np.int64]) -> _Evidence:
        """Of some ``workers``."""
        return _Evidence(
            self.of_accuracy[workers],
            self.n_gold[workers],
            self.n_right[workers],
            self.n_others[workers],
            self.varied[workers],
            self.log_by_shares[workers],
        )


def found(result: Consensus, gold: AlignedGold) -> tuple[GoldAware, Reals] | None:
    """Who is right on ``gold`` beyond what they are elsewhere, and beyond what gold is easier for all; None: nobody.

    And (W,) how often everybody is right off gold, by one coin each. Nobody is looked for beside weights and clusters,
    where there is one label or very many, or no second judgments.
    """
    judgments = result.judgments
    if result.units is not None or not result.identified or judgments.n_labels < 2:
        return None
    if not isinstance(result.beliefs, DensePosterior):
        return None
    seen, coin = _evidence(result, gold)
    tested = (seen.n_gold >= LEAST_GOLD) & (seen.n_others >= LEAST_OTHERS) & seen.varied & judgments.is_person
    if not tested.any() or not _holds(seen, coin, judgments):
        return None
    aware = _probable(seen, judgments.n_labels)
    if aware is None:
        return None
    order = np.flatnonzero(tested)
    order = order[np.argsort(-aware[order], kind="stable")]
    false = np.cumsum(1.0 - aware[order]) / np.arange(1, len(order) + 1)
    named = np.zeros(judgments.n_workers, np.bool_)
    named[order[(false <= LEVEL) & (aware[order] >= PROBABLY)]] = True
    if not named.any():
        return None
    accuracy = np.where(seen.n_others > 0, normalised(seen.of_accuracy) @ POINTS, np.nan)
    usual = float(np.median(accuracy[tested]))
    return GoldAware(named, aware, seen.n_gold, seen.n_right, seen.n_others, accuracy, usual), coin


def _holds(seen: _Evidence, coin: Reals, judgments: Judgments) -> bool:
    """Whether gold bears out whom the others bear out: else the consensus is wrong, and not those it contradicts.

    The better of two camps, by one coin each off gold, is at least half as far above chance on gold.
    """
    weaker, _, high = two(coin, judgments.per_worker)
    n_gold, n_right = seen.n_gold[~weaker].sum(), seen.n_right[~weaker].sum()
    return bool(n_right >= n_gold * (1.0 / judgments.n_labels + high) / 2)


def told(result: Consensus, aware: GoldAware) -> Consensus:
    """The ``result`` with who knows the gold, and the warning that they do."""
    named, judgments = aware.named, result.judgments
    share = float(judgments.per_worker[named].sum() / judgments.n_judgments)
    n_gold, n_right = int(aware.n_gold[named].sum()), int(aware.n_right[named].sum())
    elsewhere = float(np.average(aware.accuracy[named], weights=aware.n_others[named]))
    caution = Caution(
        "gold_known",
        f"{counted(int(named.sum()), 'worker')} ({share:.0%} of all judgments) may know the gold: right on "
        f"{n_right:,} of {n_gold:,} gold judgments, but on {elsewhere:.0%} elsewhere by what others say; their gold "
        "counts for nothing; read their reasons (consensus audit) before you stop them, and give other items as gold",
        {"n_workers": int(named.sum()), "share": share, "n_gold": n_gold, "n_right": n_right, "elsewhere": elsewhere},
    )
    return replace(result, gold_aware=aware, warnings=(*result.warnings, caution))


def _evidence(result: Consensus, gold: AlignedGold) -> tuple[_Evidence, Reals]:
    judgments = result.judgments
    W, K = judgments.n_workers, judgments.n_labels
    code = np.full(judgments.n_items, -1)
    code[gold.items] = np.arange(len(gold.items))
    own = code[judgments.item]
    on = np.flatnonzero(own >= 0)
    off = np.flatnonzero((own < 0) & (judgments.per_item[judgments.item] > 1))
    worker = judgments.worker[on]
    right = gold.accepted[own[on], judgments.label[on]]
    given = np.bincount(judgments.worker[off].astype(np.int64) * K + judgments.label[off], minlength=W * K)
    shares = normalised(np.asarray(given.reshape(W, K) + 1.0, np.float64))
    chance = np.where(right, 1.0, -1.0) * (shares[worker] * gold.accepted[own[on]]).sum(axis=1) + ~right
    coin = _coins(result, off)
    s = _without_own(judgments, off, coin)
    place = np.minimum((s * BINS).astype(np.int64), BINS - 1)
    total = np.maximum(np.bincount(place, minlength=BINS), 1)
    mean = np.bincount(place, s, BINS) / total
    n = np.bincount(judgments.worker[off].astype(np.int64) * BINS + place, minlength=W * BINS).reshape(W, BINS)
    logs = n @ np.log(mean[:, None] * POINTS + (1.0 - mean)[:, None] * (1.0 - POINTS) / (K - 1))
    seen = _Evidence(
        np.exp(logs - logs.max(axis=1, keepdims=True)),
        np.bincount(worker, minlength=W),
        np.bincount(worker[right], minlength=W),
        n.sum(axis=1),
        np.bincount(np.unique(worker.astype(np.int64) * K + judgments.label[on]) // K, minlength=W) > 1,
        np.bincount(worker, np.log(np.maximum(chance, 1e-9)), W).astype(np.float64),
    )
    return seen, coin


def _coins(result: Consensus, off: NDArray[np.int64]) -> Reals:
    """(W,) accuracies by EM over the judgments ``off`` gold, beginning where the result stands."""
    judgments = result.judgments
    worker, label, item, W = judgments.worker[off], judgments.label[off], judgments.item[off], judgments.n_workers
    n = np.bincount(worker, minlength=W)
    z = result.beliefs.dense(slice(None))
    coin = np.zeros(W)
    for _ in range(MOST_PASSES):
        right = np.bincount(worker, z[item, label], W)
        usual = right.sum() / max(n.sum(), 1)
        before, coin = coin, np.clip((right + CREDIT * usual) / (n + CREDIT), *COIN)
        if np.abs(coin - before).max(initial=0.0) < STILL:
            break
        z = normalised(np.exp(_centred(_votes(judgments, off, coin))))
    return coin


def _votes(judgments: Judgments, off: NDArray[np.int64], coin: Reals) -> Reals:
    """(I, K) log posterior by one coin a worker, up to a constant of each item."""
    K = judgments.n_labels
    code = judgments.item[off].astype(np.int64) * K + judgments.label[off]
    found = np.bincount(code, weight(coin, K)[judgments.worker[off]], judgments.n_items * K)
    return np.asarray(found.reshape(-1, K), np.float64)


def weight(coin: Reals, n_labels: int) -> Reals:
    """(W,) log odds of a label against any other that one judgment adds, by accuracies ``coin`` (W,)."""
    return np.asarray(np.log(coin / (1.0 - coin) * (n_labels - 1)), np.float64)


def _centred(logs: Reals) -> Reals:
    return np.asarray(logs - logs.max(axis=1, keepdims=True), np.float64)


def _without_own(judgments: Judgments, off: NDArray[np.int64], coin: Reals) -> Reals:
    """(n,) s of the judgments ``off`` gold (n,)."""
    item, label = judgments.item[off], judgments.label[off]
    logs = _votes(judgments, off, coin)[item]
    rows = np.arange(len(off))
    logs[rows, label] -= weight(coin, judgments.n_labels)[judgments.worker[off]]
    return np.asarray(normalised(np.exp(_centred(logs)))[rows, label], np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class _Mixture:
    """What was learnt of all workers."""

    share: Reals
    """(M,) of the kinds of usual accuracies, and last of those who are random, among who is not aware."""
    easier: float
    """d."""
    aware: float
    """The share of those who are aware."""
    log_likelihood: float


def _learnt(densities: tuple[list[Reals], Reals], beginning: float) -> _Mixture:
    """EM over workers of ``densities``, with a share ``beginning`` who are aware at first; with 0 nobody is."""
    each, of_aware = densities
    n_kinds = each[0].shape[1]
    share, place = np.full(n_kinds, 1.0 / n_kinds), int(np.abs(EASIER).argmin())
    some = beginning
    for times in range(ROUNDS):
        density = np.maximum(each[place] @ share, SMALLEST)
        aware = some * of_aware / (some * of_aware + (1.0 - some) * density)
        of_kind = each[place] * share / density[:, None] * (1.0 - aware)[:, None]
        share = (of_kind.sum(axis=0) + 1.0 / n_kinds) / (of_kind.sum() + 1.0)
        if beginning > 0.0:
            some = float(np.clip(aware.mean(), 1e-9, 1.0 - 1e-9))
        if times % OFTEN == 0:
            told = [(1.0 - aware) @ np.log(np.maximum(one @ share, SMALLEST)) for one in each]
            place = int(np.argmax(told))
    density = np.maximum(each[place] @ share, SMALLEST)
    return _Mixture(share, float(EASIER[place]), some, float(np.log(some * of_aware + (1.0 - some) * density).sum()))


def _densities(seen: _Evidence, n_labels: int, easier: Reals) -> tuple[list[Reals], Reals]:
    """Of workers (n,): for each d in ``easier``, (n, M) likelihoods of the usual kinds and of who is random; (n,) of
    who is aware. All of a worker are up to a factor, so that they do not vanish with many gold items.
    """  # noqa: D205
    from scipy.special import expit, logit, xlog1py, xlogy

    n, k = seen.n_gold[:, None], seen.n_right[:, None]
    best = xlogy(k, k / np.maximum(n, 1)) + xlog1py(n - k, -k / np.maximum(n, 1))
    kinds = _around((np.arange(N_KINDS) + 0.5) / N_KINDS, WIDTH)
    at_random = seen.of_accuracy @ _around(np.array([1.0 / n_labels]), CHANCE_WIDTH)[0]
    random = at_random * np.exp(np.minimum(seen.log_by_shares - best[:, 0], 0.0))
    of_aware = at_random * np.exp(xlogy(k, 1.0 - SLIP) + xlogy(n - k, SLIP) - best)[:, 0]
    each = []
    for p in (expit(logit(POINTS) + d) for d in easier):
        of_gold = np.exp(xlogy(k, p) + xlog1py(n - k, -p) - best)
        each.append(np.c_[(seen.of_accuracy * of_gold) @ kinds.T, random])
    return each, np.asarray(of_aware, np.float64)


def _probable(seen: _Evidence, n_labels: int) -> Reals | None:
    """(W,) P(aware), by what a sample of the workers tells of all; None where nothing speaks for anybody."""
    known = np.flatnonzero((seen.n_gold > 0) & (seen.n_others > 0))
    densities = _densities(seen.some(known[:: -(-len(known) // MOST_LEARNT)]), n_labels, EASIER)
    none, mixed = (_learnt(densities, beginning) for beginning in (0.0, BEGINNING))
    if mixed.log_likelihood - none.log_likelihood <= ANY:
        return None
    (usual,), of_aware = _densities(seen, n_labels, np.array([mixed.easier]))
    density = np.maximum(usual @ mixed.share, SMALLEST)
    return np.asarray(mixed.aware * of_aware / (mixed.aware * of_aware + (1.0 - mixed.aware) * density), np.float64)


def _around(middle: Reals, width: float) -> Reals:
    """(n, P) Beta distributions around accuracies ``middle`` (n,), each worth ``width`` judgments."""
    right = width * middle[:, None]
    logs = np.log(POINTS) * right + np.log1p(-POINTS) * (width - right)
    return np.asarray(normalised(np.exp(_centred(logs))), np.float64)
