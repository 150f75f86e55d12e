"""Crowds of another family than those of ``consensus.simulation``: item response models.

The engine's own simulator draws each judgment from the worker's confusion matrix, so that nothing but the true label
makes an item hard, and workers err independently. That is what the engine assumes. Here items differ, and errors are
shared. A judgment is right with probability ``sigmoid(skill - difficulty)``: the model of Rasch (1960) and, with
guessing, Birnbaum (1968); GLAD (Whitehill et al. 2009, "Whose vote should count more") has the same parameters,
multiplied. What is wrong gathers on the item's lure, the more the harder the item is. Workers may see mostly one label
(topics, HITs), and some are careless, bad, or copy from one stream.

    crowd = draw(Recipe(n_labels=2, difficulty_sd=1.0, one_label=0.1), seed=3)
    result = consensus.fit(consensus.read(crowd.table))
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("honest", "careless", "one_label", "random", "adversarial", "ring")
TO_BE_STOPPED = ("one_label", "random", "adversarial")
"""Kinds whose judgments say nothing about the truth, or the reverse."""
FAITHFUL = 0.95  # share of their judgments in which spammers of one label give it; the rest are even
NODES = 60  # of the quadrature over skills and difficulties


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a crowd is like. Sizes are for tests: all workers times all items are held at once."""

    n_items: int = 600
    n_workers: int = 60
    n_labels: int = 3
    per_item: float = 5.0
    """Mean judgments an item: each gets the whole number below or above."""

    accuracy: float = 0.8
    """Mean of honest workers over items, whatever the spreads."""
    skill_sd: float = 0.7
    """Of the honest workers' skills, in logits."""
    difficulty_sd: float = 0.0
    """Of the items' difficulties, in logits; shared by all workers."""
    guessing: float = 0.0
    """0: on the hardest items nobody is right. 1: everybody is right there as often as by chance (1/K)."""
    tempting: float = 1.0
    """Share of the wrong labels on an item of which everybody errs that are its lure; on others in proportion."""
    activity_sd: float = 1.0
    """Of the logarithm of how much a worker does: at 1 the busiest of 60 do ten times what the median does."""
    largest: float | None = None
    """Share of the first label (of the first topic); the others are even. By default all are."""

    layout: Literal["mixed", "topics", "hits"] = "mixed"
    """mixed: anybody judges anything. topics: workers and items belong to one topic a label. hits: items come in HITs
    of one label; a HIT's workers judge all of it, then wander to HITs of any label."""
    purity: float = 1.0
    """Share of the items of a topic, or HIT, that have its label; the others are even."""
    own: float = 1.0
    """Share of one's work that is in one's own topic; at 1 topics are batches that share no worker."""
    hit_size: int = 20
    """Items of a HIT."""

    careless: float = 0.0
    """Share of workers who look at every second item, and guess the others."""
    one_label: float = 0.0
    """Share of workers who give one label, nearly always."""
    random: float = 0.0
    """Share of workers who guess."""
    adversarial: float = 0.0
    """Share of workers who judge as honest ones do, and then give another label."""
    ring: float = 0.0
    """Share of workers who copy one stream of labels."""
    ring_right: float = 0.6
    """How often the stream is right; its wrong labels are even."""


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """Judgments and what they were drawn from."""

    recipe: Recipe
    table: pd.DataFrame
    """One row a judgment, in random order: item, worker, label; and group, unless anybody judges anything."""
    truth: pd.DataFrame
    """One row an item: item, label."""
    workers: pd.DataFrame
    """One row a worker who judged, by id: kind; accuracy, expected over all items; share_right, of their own judgments;
    expected_right, the mean probability of these to be right; n, how many; stop, whether they are to be stopped."""
    items: pd.DataFrame
    """One row an item, by id: difficulty in logits, lure, group."""

    def gold(self, n: int, seed: int = 0) -> pd.DataFrame:
        """The truth of ``n`` drawn items."""
        return self.truth.sample(n, random_state=seed).sort_values("item", ignore_index=True)


def draw(recipe: Recipe, seed: int) -> Crowd:
    """Draw a crowd.

    Raises
    ------
    ValueError
        Shares of workers exceed 1, or an item can't have so many judgments.
    """
    rng = np.random.default_rng([seed, 19])
    r = recipe
    kind = _kinds(rng, r)
    topic, truth, group = _items(rng, r)
    difficulty = r.difficulty_sd * rng.standard_normal(r.n_items)
    lure = (truth + rng.integers(1, max(r.n_labels, 2), r.n_items)) % r.n_labels
    mean = mean_logit(r)
    skill = mean + r.skill_sd * rng.standard_normal(r.n_workers)
    favourite = rng.integers(r.n_labels, size=r.n_workers)
    stream = np.where(rng.random(r.n_items) < r.ring_right, truth, _another(rng, truth, r.n_labels))
    right = _right(r, skill[:, None] - difficulty, kind, favourite[:, None] == truth, stream == truth)

    item, worker = _assigned(rng, r, topic, group)
    t, k, p = truth[item], kind[worker], right[worker, item]
    tempted = rng.random(len(item)) < r.tempting * (1.0 - _chance(r, mean - difficulty))[item]
    wrong = np.where(tempted & np.isin(k, ("honest", "careless")), lure[item], _another(rng, t, r.n_labels))
    label = np.where(rng.random(len(item)) < p, t, wrong)
    faithful = rng.random(len(item)) < FAITHFUL
    constant = np.where(faithful, favourite[worker], rng.integers(r.n_labels, size=len(item)))
    label = np.where(k == "one_label", constant, np.where(k == "ring", stream[item], label))

    item_ids, worker_ids, label_ids = _ids("i", r.n_items), _ids("w", r.n_workers), _ids("l", r.n_labels)
    order = rng.permutation(len(item))
    table = pd.DataFrame({"item": item_ids[item], "worker": worker_ids[worker], "label": label_ids[label]}, order)
    if r.layout != "mixed":
        table["group"] = _ids("g", int(group.max()) + 1)[group[item]]
    n = np.bincount(worker, minlength=r.n_workers)

    def own(value: NDArray[np.float64] | NDArray[np.bool_]) -> NDArray[np.float64]:
        return np.asarray(np.bincount(worker, weights=value, minlength=r.n_workers) / np.maximum(n, 1))

    workers = pd.DataFrame(
        {
            "kind": kind,
            "accuracy": right.mean(axis=1),
            "share_right": own(label == t),
            "expected_right": own(p),
            "n": n,
            "stop": np.isin(kind, TO_BE_STOPPED),
        },
        pd.Index(worker_ids, name="worker"),
    )
    return Crowd(
        recipe=r,
        table=table.sort_index(ignore_index=True),
        truth=pd.DataFrame({"item": item_ids, "label": label_ids[truth]}),
        workers=workers[n > 0],
        items=pd.DataFrame({"difficulty": difficulty, "lure": label_ids[lure], "group": group}, item_ids),
    )


def mean_logit(recipe: Recipe) -> float:
    """Mean skill at which honest workers are right with the recipe's accuracy, over skills and difficulties."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    spread = np.hypot(recipe.skill_sd, recipe.difficulty_sd) * nodes
    low, high = -30.0, 30.0
    for _ in range(60):
        middle = (low + high) / 2
        if (weights * _chance(recipe, middle + spread)).sum() / weights.sum() < recipe.accuracy:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _chance(recipe: Recipe, logit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability that an honest worker is right."""
    floor = recipe.guessing / recipe.n_labels
    return np.asarray(floor + (1.0 - floor) / (1.0 + np.exp(-logit)))


def _right(
    recipe: Recipe,
    logit: NDArray[np.float64],
    kind: NDArray[np.str_],
    favoured: NDArray[np.bool_],
    copied: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """(W, I) probability that each worker is right on each item.

    ``logit`` (W, I) is what an honest one would have; ``favoured`` (W, I) is whether the truth is the label that they
    would give as a spammer, ``copied`` (I,) whether the stream is right.
    """
    chance = 1.0 / recipe.n_labels
    honest = _chance(recipe, logit)
    by_kind = {
        "honest": honest,
        "careless": (honest + chance) / 2,
        "one_label": FAITHFUL * favoured + (1.0 - FAITHFUL) * chance,
        "random": np.full_like(honest, chance),
        "adversarial": (1.0 - honest) / max(recipe.n_labels - 1, 1),
        "ring": np.broadcast_to(copied, honest.shape).astype(float),
    }
    return np.select([(kind == name)[:, None] for name in by_kind], list(by_kind.values()))


def _kinds(rng: np.random.Generator, recipe: Recipe) -> NDArray[np.str_]:
    """(W,) what each worker is."""
    counts = [round(getattr(recipe, name) * recipe.n_workers) for name in KINDS[1:]]
    if sum(counts) > recipe.n_workers:
        raise ValueError(f"shares of {', '.join(KINDS[1:])} are more than 1 together")
    names = np.repeat(KINDS, [recipe.n_workers - sum(counts), *counts])
    return np.asarray(rng.permutation(names))


def _items(rng: np.random.Generator, recipe: Recipe) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """(I,) each: the label that the item's topic is of, its true label, its group."""
    K, I = recipe.n_labels, recipe.n_items  # noqa: E741
    prior = np.full(K, 1.0 / K)
    if recipe.largest is not None:
        prior = np.array([recipe.largest] + [(1.0 - recipe.largest) / (K - 1)] * (K - 1))
    if recipe.layout == "hits":
        group = np.arange(I) // recipe.hit_size
        topic = rng.choice(K, group[-1] + 1, p=prior)[group]
    else:
        topic = rng.choice(K, I, p=prior)
        group = topic if recipe.layout == "topics" else np.zeros(I, np.int64)
    strange = (rng.random(I) >= recipe.purity) & (recipe.layout != "mixed")
    return topic, np.where(strange, _another(rng, topic, K), topic), group


def _assigned(
    rng: np.random.Generator, recipe: Recipe, topic: NDArray[np.int64], group: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(J,) items and (J,) distinct workers of all judgments, drawn by how much workers do (and where)."""
    K, W = recipe.n_labels, recipe.n_workers
    activity = np.exp(recipe.activity_sd * rng.standard_normal(W))
    n = (np.floor(recipe.per_item) + (rng.random(recipe.n_items) < recipe.per_item % 1)).astype(np.int64)
    unit, weight = np.arange(recipe.n_items), np.broadcast_to(activity, (recipe.n_items, W))
    if recipe.layout == "topics":
        home = rng.permutation(np.arange(W) % K)
        activity = activity / np.bincount(home, weights=activity)[home]  # topics get equal shares of the work
        elsewhere = (1.0 - recipe.own) / max(K - 1, 1)
        weight = activity * np.where(home == topic[:, None], recipe.own, elsewhere)
    elif recipe.layout == "hits":
        first = np.flatnonzero(np.diff(group, prepend=-1))
        unit, weight, n = group, weight[first], n[first][group]
    if (n > (weight > 0).sum(axis=1)[unit]).any():
        raise ValueError(f"{recipe.per_item:g} judgments an item are more than there are workers for it")
    with np.errstate(divide="ignore"):
        place = np.log(weight) + rng.gumbel(size=weight.shape)  # the first n of this order: drawn without replacement
    ranked = np.argsort(-place, axis=1)
    item = np.repeat(np.arange(recipe.n_items), n)
    nth = np.arange(len(item)) - np.repeat(np.cumsum(n) - n, n)
    return item, ranked[unit[item], nth]


def _another(rng: np.random.Generator, label: NDArray[np.int64], n_labels: int) -> NDArray[np.int64]:
    """Any label but this one, each with the same probability."""
    return (label + rng.integers(1, max(n_labels, 2), label.shape)) % n_labels


def _ids(prefix: str, n: int) -> NDArray[np.str_]:
    return np.array([f"{prefix}{code:0{len(str(n - 1))}d}" for code in range(n)])
