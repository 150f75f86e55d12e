"""Crowds that judge gold and other items apart: some know the gold, or gold is easier than other items.

    crowd = draw(Recipe(cheats=10), seed=1)
    result = consensus.fit(consensus.read(crowd.table), gold=crowd.gold)

Everybody judges as many gold items as all others do, and as many other items. Cheats are right on gold and guess
elsewhere; spammers guess everywhere. An honest judgment is right with ``sigmoid(skill - difficulty)``, where the skill
is the logit of the worker's accuracy, and errors are even over the other labels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a crowd is like."""

    n_labels: int = 2
    honest: int = 30
    cheats: int = 10
    spammers: int = 0
    n_gold: int = 10
    """Gold items that each judges."""
    n_others: int = 30
    per_item: int = 5
    accuracy: float = 0.8
    spread: float = 0.1
    """Each honest worker's accuracy is within so much of the mean."""
    easier: float = 0.0
    """Logits by which gold items are easier than others."""
    difficulty_sd: float = 0.0
    """Of the items' difficulties, in logits."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Judgments, and what is gold of them. Honest workers are called h, cheats x, spammers s, each with a number."""

    table: pd.DataFrame
    gold: dict[str, str]
    truth: dict[str, str]


def draw(recipe: Recipe, seed: int) -> Crowd:
    """The same crowd for the same ``recipe`` and ``seed``."""
    rng = np.random.default_rng([seed, 20261202])
    kinds = ["h"] * recipe.honest + ["x"] * recipe.cheats + ["s"] * recipe.spammers
    n_workers, K = len(kinds), recipe.n_labels
    accuracy = rng.uniform(recipe.accuracy - recipe.spread, recipe.accuracy + recipe.spread, n_workers)
    skill = np.log(accuracy / (1.0 - accuracy))
    rows: list[tuple[str, str, str]] = []
    truth: dict[str, str] = {}
    for part, n_each in (("g", recipe.n_gold), ("o", recipe.n_others)):
        n_items = round(n_workers * n_each / recipe.per_item)
        true = rng.integers(K, size=n_items)
        difficulty = rng.normal(0.0, recipe.difficulty_sd, n_items) - (recipe.easier if part == "g" else 0.0)
        truth |= {f"{part}{i}": f"c{k}" for i, k in enumerate(true)}
        times = np.zeros(n_items, np.int64)
        for w in rng.permutation(n_workers):
            items = np.lexsort((rng.random(n_items), times))[:n_each]
            times[items] += 1
            right = rng.random(n_each) < 1.0 / (1.0 + np.exp(difficulty[items] - skill[w]))
            label = np.where(right, true[items], (true[items] + rng.integers(1, K, size=n_each)) % K)
            if kinds[w] != "h":
                label = rng.integers(K, size=n_each)
            if kinds[w] == "x" and part == "g":
                label = true[items]
            rows += [(f"{part}{i}", f"{kinds[w]}{w}", f"c{k}") for i, k in zip(items, label, strict=True)]
    table = pd.DataFrame(rows, columns=["item", "worker", "label"])
    return Crowd(table, {item: label for item, label in truth.items() if item.startswith("g")}, truth)
