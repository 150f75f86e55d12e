"""Rating models by what people judged: accuracy, calibration, worth in human judgments, and what a family shares.

A model is held against the people alone, its own vote and those of the other models taken out: h[i, k], the likelihood
of the judgments of item i (or its gold) were k its label. People err, too, so that agreement with them is not accuracy:
the confusions and the temperature of a model are those under which what people said is most probable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.intervals import of_moments
from consensus.models.votes_families import pseudo_counts
from consensus.models.votes_prior import LEAST_Q
from consensus.probabilities import normalised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.result import Consensus
    from consensus.inputs.model_votes import ModelFindings

    Reals = NDArray[np.float64]

MOST_ITEMS = 100_000  # that a model is rated on, evenly spaced: more would change no digit that is shown
ROUNDS = 50  # of EM for the confusions of one model
N_BINS = 10  # of the expected calibration error
COLDEST, HOTTEST = 0.02, 50.0  # temperatures that are tried
MEANINGLESS = 10.0  # temperature from which probabilities tell next to nothing
SURE = 0.9  # probability by people alone at which a label counts as known, to find shared mistakes


@dataclass(frozen=True, slots=True, eq=False)
class Rating:
    """What people's judgments tell about one model. NaN where there are none on its items."""

    n_votes: int
    n_rated: int
    """Items that people judged, or gold, among those it voted on."""
    by_label: Reals
    """(K,) P(names the label | true label)."""
    accuracy: float
    """P(right), over items in the proportions of the labels."""
    low: float
    high: float
    gold_n: int
    gold_right: int
    agreement: float
    """Share of the judgments by people on its items that name the same label."""
    weight: float
    """Beta in the prior of items; NaN where only its labels count."""
    temperature: float
    """By which its log probabilities must be divided to be right as often as they say: above 1, it is too sure."""
    ece: float
    """Expected calibration error of its probabilities (ten bins of the best label)."""
    ece_calibrated: float
    """The same at its temperature."""
    information: float
    """Nats about the label in one of its votes; of a model that repeats people, beyond what they say."""
    information_by_label: Reals
    """(K,) by true label."""


@dataclass(frozen=True, slots=True, eq=False)
class FamilyRating:
    """What the models of a family are worth together."""

    name: str
    models: tuple[str, ...]
    n_effective: float
    """How many independent models of their mean quality carry as much evidence when all agree."""
    shared_mistakes: float
    """Share of the mistakes of its models that another of them makes, too: same item, same wrong label."""
    worst: tuple[tuple[str, str, int], ...]
    """True label, wrong label and how many items, where two models or more made the same mistake; the commonest."""


@dataclass(frozen=True, slots=True, eq=False)
class Ratings:
    """What is known about all models of a result."""

    models: list[Rating]
    """In the order of the models."""
    families: list[FamilyRating]
    """Of the families with more than one model."""
    median_worker: float
    """Nats about the label in a judgment of the median worker; NaN without workers."""
    median_worker_by_label: Reals
    """(K,) by true label."""


def rated(result: Consensus) -> Ratings:
    """Ratings of the models of a result."""
    ratings = rate(result)
    return Ratings(ratings, families(result, ratings), *median_worker(result))


def rate(result: Consensus) -> list[Rating]:
    """A rating of every model, in their order."""
    models = result.models
    assert models is not None
    gold_code = np.full(result.judgments.n_items, -1, np.int64)
    if result.gold is not None:
        gold_code[result.gold.items] = np.arange(len(result.gold.items))
    return [_rated(result, models, m, gold_code) for m in range(models.votes.n_models)]


def families(result: Consensus, ratings: list[Rating]) -> list[FamilyRating]:
    """A rating of every family with more than one model."""
    models = result.models
    assert models is not None
    found = []
    for f, name in enumerate(models.votes.families):
        members = np.flatnonzero(models.votes.family == f)
        if len(members) > 1:
            shared, worst = _mistakes(result, models, members)
            names = tuple(models.votes.models[m] for m in members)
            found.append(FamilyRating(name, names, _n_effective(result, models, members, f, ratings), shared, worst))
    return found


def median_worker(result: Consensus) -> tuple[float, Reals]:
    """Nats about the label in a judgment of the median worker, overall and by true label (K,); NaN without workers."""
    if not result.judgments.n_workers:
        return np.nan, np.full(result.judgments.n_labels, np.nan)
    told = result.informativeness
    worker = int(np.argsort(told, kind="stable")[(len(told) - 1) // 2])
    return float(told[worker]), _information_by_label(result.confusions.matrix(worker), result.prior_shares)


def worth(information: float, median: float) -> float:
    """How many judgments of the median worker tell as much; NaN where they tell nothing."""
    return float(worths(np.array([information]), median)[0])


def worths(information: Reals, median: float) -> Reals:
    """(n,) the same of several."""
    return np.maximum(information, 0.0) / (median if median > 1e-6 else np.nan)


def people_likelihood(result: Consensus, items: NDArray[np.int64]) -> Reals:
    """H (n, K), rows that sum to 1: the likelihood of the judgments of some items by label; of gold, its labels."""
    judgments, confusions, K = result.judgments, result.confusions, result.judgments.n_labels
    own, judgment = judgments.of_items(items)
    worker, label = judgments.worker[judgment], judgments.label[judgment]
    row = confusions.rows_of(worker, label)
    counts = confusions.counts.reshape(-1, K)[row]
    A = confusions.pseudo_counts
    C = (counts + A.T[label]) / np.maximum(confusions.totals()[worker] + A.sum(axis=1), 1e-300)
    logs = np.zeros((len(items), K))
    np.add.at(logs, own, np.log(np.maximum(C, 1e-10)))
    if result.gold is not None:
        code = np.full(judgments.n_items, -1, np.int64)
        code[result.gold.items] = np.arange(len(result.gold.items))
        on = np.flatnonzero(code[items] >= 0)
        logs[on] = np.where(result.gold.accepted[code[items[on]]], 0.0, -np.inf)
    return normalised(np.exp(logs - logs.max(axis=1, keepdims=True)))


def _rated(result: Consensus, models: ModelFindings, m: int, gold_code: NDArray[np.int64]) -> Rating:
    votes, judgments, K = models.votes, result.judgments, result.judgments.n_labels
    mine = np.flatnonzero(votes.model == m)
    item = votes.item[mine].astype(np.int64)
    on_gold = np.flatnonzero(gold_code[item] >= 0)
    gold_right = 0
    if result.gold is not None:
        gold_right = int(result.gold.accepted[gold_code[item[on_gold]], votes.label[mine[on_gold]]].sum())
    met = np.flatnonzero((judgments.per_item[item] > 0) | (gold_code[item] >= 0))
    unknown = np.full(K, np.nan)
    if not len(met):
        nothing = (np.nan,) * 3
        return Rating(len(mine), 0, unknown, *nothing, 0, 0, *(np.nan,) * 6, unknown)
    chosen = met[:: -(-len(met) // MOST_ITEMS)]
    h, label = people_likelihood(result, item[chosen]), votes.label[mine[chosen]]
    confusion, right = _confusion(h, label, result.prior_shares)
    by_label = np.diag(confusion)
    accuracy = float(by_label @ result.prior_shares)
    unsure = float((right * (1 - right)).mean()) / max(accuracy * (1 - accuracy), 1e-3)
    n = len(met) * min(max(1.0 - unsure, 0.1), 1.0) + 2.0
    low, high = of_moments(
        np.array([(accuracy * (n - 2) + 1) / n]), np.array([accuracy * (1 - accuracy) / n + 0.25 / n**2])
    )
    calibration = _calibrated(models, mine[chosen], h) if models.believed[m] else None
    by_true = _information_by_label(confusion, result.prior_shares)
    if models.echoes.share[m] > 0:
        by_true = _beside_people(models, m, result.prior_shares)
    information = float(result.prior_shares @ by_true)
    temperature, ece, ece_calibrated = np.nan, np.nan, np.nan
    if calibration is not None:
        temperature, ece, ece_calibrated, information, by_true = calibration
    return Rating(
        n_votes=len(mine),
        n_rated=len(met),
        by_label=by_label,
        accuracy=accuracy,
        low=min(float(low[0]), accuracy),
        high=max(float(high[0]), accuracy),
        gold_n=len(on_gold),
        gold_right=gold_right,
        agreement=_agreement(result, item[chosen], label),
        weight=float(models.weights.weight[1 + m]) if models.believed[m] else np.nan,
        temperature=temperature,
        ece=ece,
        ece_calibrated=ece_calibrated,
        information=information,
        information_by_label=by_true,
    )


def _confusion(h: Reals, label: NDArray[np.int32], shares: Reals) -> tuple[Reals, Reals]:
    """(K, K) P(named | true) of one model by EM, and (n,) the probability that each of its labels is right."""
    K = len(shares)
    A = pseudo_counts(K) / 4.0
    confusion = normalised(A)
    w = h
    for _ in range(ROUNDS):
        before = confusion
        w = normalised(h * shares * confusion[:, label].T)
        counts = np.stack([np.bincount(label, weights=w[:, k], minlength=K) for k in range(K)])
        confusion = normalised(counts + A)
        if np.abs(confusion - before).max() < 1e-5:
            break
    return confusion, w[np.arange(len(label)), label]


def _calibrated(models: ModelFindings, votes: NDArray[np.int64], h: Reals) -> tuple[float, float, float, float, Reals]:
    """Temperature, ECE before and after it, and what a vote tells at it: overall and by true label."""
    from scipy.optimize import minimize_scalar

    soft = models.votes.row[votes] >= 0
    h = h[soft]
    log_q = np.log(np.maximum(models.votes.probability[models.votes.row[votes[soft]]].astype(np.float64), LEAST_Q))

    def at(power: float) -> Reals:
        logs = power * log_q
        return normalised(np.exp(logs - logs.max(axis=1, keepdims=True)))

    def loss(log_power: float) -> float:
        return -float(np.log((at(np.exp(log_power)) * h).sum(axis=1)).mean())

    found = minimize_scalar(loss, bounds=(-np.log(HOTTEST), -np.log(COLDEST)), method="bounded")
    power = float(np.exp(found.x))
    q = at(power)
    w = normalised(q * h)
    told = np.log(np.maximum(q, 1e-300)) - np.log(np.maximum(q.mean(axis=0), 1e-300))
    by_label = (w * told).sum(axis=0) / np.maximum(w.sum(axis=0), 1e-300)
    return 1.0 / power, _ece(at(1.0), w), _ece(q, w), float((w * told).sum(axis=1).mean()), by_label


def _ece(q: Reals, w: Reals) -> float:
    """Expected calibration error of the best label of ``q`` (n, K), against soft labels ``w`` (n, K)."""
    best = q.argmax(axis=1)
    rows = np.arange(len(q))
    claimed, right = q[rows, best], w[rows, best]
    bins = np.minimum((claimed * N_BINS).astype(np.int64), N_BINS - 1)
    off = np.bincount(bins, weights=right - claimed, minlength=N_BINS)
    return float(np.abs(off).sum() / len(q))


def _information_by_label(confusion: Reals, shares: Reals) -> Reals:
    """(K,) nats that an answer tells when the true label is k."""
    from scipy.special import xlogy

    answers = np.maximum(shares @ confusion, 1e-300)
    return np.asarray((xlogy(confusion, confusion) - confusion * np.log(answers)).sum(axis=1), np.float64)


def _beside_people(models: ModelFindings, m: int, shares: Reals) -> Reals:
    """(K,) nats that an answer of a model that repeats the majority t tells beyond t when the true label is k."""
    K, e, nu = len(shares), models.echoes.share[m], models.echoes.astray[m]
    own = (1.0 - e) * models.weights.Cm[m] + e * nu / K
    echo = e * (1.0 - nu) * np.eye(K)
    each = [_information_by_label(own + echo[t], shares) for t in range(K)]
    return np.asarray(shares @ np.array(each), np.float64)


def _agreement(result: Consensus, items: NDArray[np.int64], label: NDArray[np.int32]) -> float:
    own, judgment = result.judgments.of_items(items)
    return float((result.judgments.label[judgment] == label[own]).mean()) if len(own) else np.nan


def _n_effective(
    result: Consensus, models: ModelFindings, members: NDArray[np.intp], family: int, ratings: list[Rating]
) -> float:
    soft = [m for m in members.tolist() if models.believed[m] and ratings[m].temperature < MEANINGLESS]
    if soft:  # each weight over the one that the model would get alone, which is 1 / temperature
        return float(sum(models.weights.weight[1 + m] * ratings[m].temperature for m in soft))
    CF, Cm, shares = models.weights.CF[family], models.weights.Cm[members], result.prior_shares
    joint = np.log(np.maximum(CF @ np.exp(np.log(Cm).sum(axis=0)), 1e-300))  # [true, v] were all to name v
    single = np.log(np.maximum(CF @ Cm, 1e-300))
    alone = float(np.mean([_odds(one, shares) for one in single]))
    return _odds(joint, shares) / alone if alone else 1.0  # votes that speak for nothing, however many


def _odds(logs: Reals, shares: Reals) -> float:
    """Mean log odds, in nats, by which a vote speaks for the label that it names: [true, named]."""
    K = len(shares)
    others = (np.exp(logs - logs.max(axis=0)).sum(axis=0) - np.exp(np.diag(logs) - logs.max(axis=0))) / max(K - 1, 1)
    return float(shares @ (np.diag(logs) - logs.max(axis=0) - np.log(np.maximum(others, 1e-300))))


def _mistakes(
    result: Consensus, models: ModelFindings, members: NDArray[np.intp]
) -> tuple[float, tuple[tuple[str, str, int], ...]]:
    """Share of mistakes that are shared, and the commonest shared ones, where people leave no doubt."""
    votes, judgments, K = models.votes, result.judgments, result.judgments.n_labels
    mine = np.flatnonzero(np.isin(votes.model, members))
    item = votes.item[mine].astype(np.int64)
    voted = np.zeros(judgments.n_items, np.bool_)
    voted[item] = True
    met = np.flatnonzero(voted & (judgments.per_item > 0))
    met = met[:: -(-len(met) // MOST_ITEMS)] if len(met) else met
    if not len(met):
        return np.nan, ()
    z = normalised(people_likelihood(result, met) * result.prior_shares)
    met, true = met[z.max(axis=1) >= SURE], z.argmax(axis=1)[z.max(axis=1) >= SURE]
    truth = np.full(judgments.n_items, -1, np.int64)
    truth[met] = true
    label = votes.label[mine]
    wrong = np.flatnonzero((truth[item] >= 0) & (label != truth[item]))
    if not len(wrong):
        return np.nan, ()
    mistake, n = np.unique(item[wrong] * K + label[wrong], return_counts=True)
    shared = mistake[n > 1]
    pairs, times = np.unique(truth[shared // K] * K + shared % K, return_counts=True)
    order = np.argsort(-times, kind="stable")[:3]
    names = judgments.labels
    worst = tuple((names[pairs[o] // K], names[pairs[o] % K], int(times[o])) for o in order)
    return float(n[n > 1].sum() / n.sum()), worst
