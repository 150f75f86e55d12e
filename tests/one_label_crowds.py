"""Crowds of people who judge anything, and of rules that give one label only and are silent elsewhere.

A rule answers on a share (its coverage) of the items of its label, and by mistake on so many others that it is right on
a given share of what it answers: keyword rules, labelling functions (Ratner et al. 2016, "Data programming"), people
who were asked to mark one class. Spammers of one label beside them answer whatever the item is.

    crowd = draw(Recipe(n_rules=4, coverage=0.5), seed=3)
    result = consensus.fit(consensus.read(crowd.table))
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a crowd is like."""

    n_items: int = 300
    n_labels: int = 2
    largest: float | None = None
    """Share of the first label; the others are even. By default all are."""
    per_item: int = 1
    """Judgments by people that each item gets."""
    accuracy: tuple[float, float] = (0.7, 0.9)
    """Of people, drawn evenly in between; what is wrong is even."""
    each: int = 75
    """About how many items a person judges; there are so many people, three at least."""
    n_rules: int = 4
    """Of each label."""
    coverage: float = 0.5
    """Share of the items of its label on which a rule answers."""
    right: float = 0.9
    """Share of its answers that are right."""
    spammers: int = 0
    """Who say one label, drawn for each of them, whatever the item."""
    spam: float = 1.0
    """Share of the items on which they do."""


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """Judgments and what they were drawn from."""

    recipe: Recipe
    table: pd.DataFrame
    """One row a judgment: item, worker, label."""
    truth: pd.DataFrame
    """One row an item that was judged: item, label."""
    workers: pd.DataFrame
    """One row a worker who judged, by id: kind (person, rule, spammer), label (the only one; NaN of people), n, how
    many judgments; share_right of them; chance, the share of the items that have their label (NaN of people)."""

    def gold(self, n: int, seed: int = 0) -> pd.DataFrame:
        """The truth of ``n`` drawn items."""
        return self.truth.sample(n, random_state=seed).sort_values("item", ignore_index=True)


def draw(recipe: Recipe, seed: int) -> Crowd:
    """Draw a crowd."""
    rng = np.random.default_rng([seed, 8])
    r, K = recipe, recipe.n_labels
    prior = np.full(K, 1.0 / K)
    if r.largest is not None:
        prior = np.array([r.largest] + [(1.0 - r.largest) / (K - 1)] * (K - 1))
    truth = rng.choice(K, r.n_items, p=prior)
    share = np.bincount(truth, minlength=K) / r.n_items
    votes, kinds = [_people(rng, r, truth)], {}
    for k in range(K):
        elsewhere = r.coverage * share[k] * (1.0 - r.right) / (r.right * max(1.0 - share[k], 1e-9))
        for number in range(r.n_rules):
            answers = rng.random(r.n_items) < np.where(truth == k, r.coverage, min(elsewhere, 1.0))
            votes.append(_votes(np.flatnonzero(answers), f"rule{k}_{number}", k))
            kinds[f"rule{k}_{number}"] = ("rule", k)
    for number in range(r.spammers):
        k = int(rng.integers(K))
        votes.append(_votes(np.flatnonzero(rng.random(r.n_items) < r.spam), f"spammer{number}", k))
        kinds[f"spammer{number}"] = ("spammer", k)
    made = pd.concat(votes, ignore_index=True)
    true = truth[made["item"]]
    right = (made["label"] == true).groupby(made["worker"]).agg(["size", "mean"])
    kind = [kinds.get(worker, ("person", -1)) for worker in right.index]
    of_label = np.array([k for _, k in kind])
    workers = pd.DataFrame(
        {
            "kind": [name for name, _ in kind],
            "label": [f"l{k}" if k >= 0 else None for k in of_label],
            "n": right["size"],
            "share_right": right["mean"],
            "chance": np.where(of_label >= 0, share[of_label], np.nan),
        },
        right.index,
    )
    judged = np.unique(made["item"])
    table = pd.DataFrame(
        {"item": _named(made["item"]), "worker": made["worker"], "label": [f"l{k}" for k in made["label"]]}
    )
    of_items = pd.DataFrame({"item": _named(judged), "label": [f"l{k}" for k in truth[judged]]})
    return Crowd(r, table, of_items, workers)


def _people(rng: np.random.Generator, recipe: Recipe, truth: NDArray[np.int64]) -> pd.DataFrame:
    r, K = recipe, recipe.n_labels
    n_people = max(3, r.n_items * r.per_item // r.each)
    accuracy = rng.uniform(*r.accuracy, n_people)
    item = np.repeat(np.arange(r.n_items), r.per_item)
    who = np.argsort(rng.random((r.n_items, n_people)), axis=1)[:, : r.per_item].ravel()
    wrong = (truth[item] + rng.integers(1, K, len(item))) % K
    label = np.where(rng.random(len(item)) < accuracy[who], truth[item], wrong)
    return pd.DataFrame({"item": item, "worker": [f"person{w}" for w in who], "label": label})


def _votes(items: NDArray[np.int64], worker: str, label: int) -> pd.DataFrame:
    return pd.DataFrame({"item": items, "worker": worker, "label": label})


def _named(items: pd.Series | NDArray[np.int64]) -> list[str]:
    return [f"i{item:05d}" for item in items]
