"""Crowds under attack: honest workers, and hostile ones who do a share of the judgments.

    crowd = draw(Recipe("sybils", hostile=0.3), seed=1)
    result = consensus.fit(consensus.read(crowd.table), gold=crowd.gold)

Rows stand in the order in which they came. An honest judgment is right with the worker's own accuracy, and its errors
are even over the other labels. What hostile workers do:

=============  ======================================================================================================
spammers       guess, evenly
constant       give one label, each their own
colluders      give one shared label an item, which is wrong
adversaries    judge as honest workers do, and then give another label, each by themselves
gold_aware     know the gold items and are right there; they guess elsewhere
sybils         accounts of 1 to 3 judgments that give one shared label an item, which is wrong
sleepers       are honest in the first half of their judgments, and guess in the second
newcomers      are honest, in accounts of 1 to 3 judgments: no attack, but what the cure of one may hurt
=============  ======================================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

Attack = Literal["spammers", "constant", "colluders", "adversaries", "gold_aware", "sybils", "sleepers", "newcomers"]
ATTACKS: tuple[Attack, ...] = tuple(attack for attack in get_args(Attack) if attack != "newcomers")
TINY: tuple[Attack, ...] = ("sybils", "newcomers")
LEAST, MOST = 1, 3  # judgments of a tiny account


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a crowd under attack is like."""

    attack: Attack = "spammers"
    hostile: float = 0.3
    """Share of the judgments that hostile workers (or newcomers) do; 0: nobody attacks."""
    n_labels: int = 2
    gold: float = 0.0
    """Share of the items whose true label is given."""
    newcomers: float = 0.0
    """Share of the judgments that honest newcomers do beside the attack."""
    n_items: int = 600
    per_item: int = 5
    n_honest: int = 40
    accuracy: float = 0.8
    """Mean accuracy of honest workers; each has their own, within .1 of it."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Judgments with what is true of them."""

    table: pd.DataFrame
    """Columns item, worker, label, in the order in which the judgments came."""
    truth: dict[str, str]
    gold: dict[str, str]
    hostile: frozenset[str]
    """Names of the accounts that attack."""

    @property
    def clean(self) -> pd.DataFrame:
        """The judgments of those who do not attack."""
        return self.table[~self.table["worker"].isin(self.hostile)].reset_index(drop=True)


def draw(recipe: Recipe, seed: int) -> Crowd:
    """The same crowd for the same ``recipe`` and ``seed``."""
    rng = np.random.default_rng([seed, 20261201])
    n_labels, n_judgments = recipe.n_labels, recipe.n_items * recipe.per_item
    truth = rng.integers(n_labels, size=recipe.n_items)
    is_gold = np.zeros(recipe.n_items, bool)
    is_gold[rng.permutation(recipe.n_items)[: round(recipe.gold * recipe.n_items)]] = True
    item = np.repeat(np.arange(recipe.n_items), recipe.per_item)
    side = _sides(rng, recipe, n_judgments)
    lure = _another(rng, truth, n_labels)
    accuracy = np.clip(rng.uniform(recipe.accuracy - 0.1, recipe.accuracy + 0.1, recipe.n_honest), 0.0, 1.0)

    worker = np.empty(n_judgments, object)
    label = np.empty(n_judgments, np.int64)
    order = rng.permutation(n_judgments)  # the times at which they came
    when = np.argsort(order)

    honest = np.flatnonzero(side == 0)
    who = _apart(rng, item[honest], recipe.n_honest)
    worker[honest] = [f"h{w}" for w in who]
    label[honest] = _judged(rng, truth[item[honest]], accuracy[who], n_labels)

    for code, attack in ((1, recipe.attack), (2, "newcomers")):
        own = np.flatnonzero(side == code)
        if not len(own):
            continue
        prefix = "n" if attack == "newcomers" else "x"
        if attack in TINY:
            who = _tiny(rng, item[own])
        else:
            n_workers = max(recipe.per_item, round(recipe.n_honest * recipe.hostile / (1.0 - recipe.hostile)))
            who = _apart(rng, item[own], n_workers)
        worker[own] = [f"{prefix}{w}" for w in who]
        label[own] = _attacked(rng, attack, item[own], who, when[own], truth, lure, is_gold, recipe)

    table = pd.DataFrame(
        {
            "item": [f"i{i}" for i in item[order]],
            "worker": worker[order].astype(str),
            "label": [f"c{k}" for k in label[order]],
        }
    )
    names = [f"i{i}" for i in range(recipe.n_items)]
    return Crowd(
        table,
        {name: f"c{k}" for name, k in zip(names, truth, strict=True)},
        {names[i]: f"c{truth[i]}" for i in np.flatnonzero(is_gold)},
        frozenset(name for name in worker if name.startswith("x")),
    )


def _sides(rng: np.random.Generator, recipe: Recipe, n: int) -> NDArray[np.int64]:
    """(n,) who does a judgment: 0 honest workers, 1 hostile ones, 2 newcomers beside them."""
    n_hostile, n_new = round(recipe.hostile * n), round(recipe.newcomers * n)
    side = np.zeros(n, np.int64)
    side[:n_hostile] = 1
    side[n_hostile : n_hostile + n_new] = 2
    return rng.permutation(side)


def _apart(rng: np.random.Generator, item: NDArray[np.int64], n_workers: int) -> NDArray[np.int64]:
    """A worker a judgment, nobody twice on an item; ``item`` ascends, ``n_workers`` is at least as many as an item."""
    who = np.empty(len(item), np.int64)
    for each in np.split(np.arange(len(item)), np.flatnonzero(np.diff(item)) + 1):
        who[each] = rng.permutation(n_workers)[: len(each)]
    return who


def _tiny(rng: np.random.Generator, item: NDArray[np.int64]) -> NDArray[np.int64]:
    """Accounts of 1 to 3 judgments, nobody twice on an item (a judgment that would be is moved to an account alone)."""
    n = len(item)
    sizes = rng.integers(LEAST, MOST + 1, size=n)
    of_place = np.repeat(np.arange(n), sizes)[:n]
    who = np.empty(n, np.int64)
    who[rng.permutation(n)] = of_place
    twice = pd.DataFrame({"item": item, "who": who}).duplicated().to_numpy()
    who[twice] = n + np.arange(int(twice.sum()))
    return who


def _attacked(
    rng: np.random.Generator,
    attack: str,
    item: NDArray[np.int64],
    who: NDArray[np.int64],
    when: NDArray[np.int64],
    truth: NDArray[np.int64],
    lure: NDArray[np.int64],
    is_gold: NDArray[np.bool_],
    recipe: Recipe,
) -> NDArray[np.int64]:
    """The labels that those of ``attack`` give."""
    n_labels, true = recipe.n_labels, truth[item]
    guess = rng.integers(n_labels, size=len(item))
    honest = _judged(rng, true, np.full(len(item), recipe.accuracy), n_labels)
    if attack == "newcomers":
        return honest
    if attack == "spammers":
        return guess
    if attack == "constant":
        own: NDArray[np.int64] = rng.integers(n_labels, size=who.max() + 1)
        return own[who]
    if attack == "adversaries":
        return _another(rng, honest, n_labels)
    if attack == "gold_aware":
        return np.where(is_gold[item], true, guess)
    if attack == "sleepers":
        order = np.lexsort([when, who])
        place = np.empty(len(who), np.int64)
        begins = np.flatnonzero(np.diff(who[order], prepend=-1))
        sizes = np.diff(np.append(begins, len(who)))
        place[order] = np.arange(len(who)) - np.repeat(begins, sizes)
        of_all = np.bincount(who)[who]
        return np.where(2 * place < of_all, honest, guess)
    return lure[item]  # colluders, sybils


def _judged(
    rng: np.random.Generator, true: NDArray[np.int64], accuracy: NDArray[np.float64], n_labels: int
) -> NDArray[np.int64]:
    return np.where(rng.random(len(true)) < accuracy, true, _another(rng, true, n_labels))


def _another(rng: np.random.Generator, label: NDArray[np.int64], n_labels: int) -> NDArray[np.int64]:
    """Any label but ``label``, evenly."""
    return (label + rng.integers(1, n_labels, size=len(label))) % n_labels
