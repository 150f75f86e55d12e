"""Models beside people where both find the same items hard, and are drawn to the same wrong labels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import consensus

if TYPE_CHECKING:
    from tests.benchmarks import markdown_tables
    from tests.benchmarks import other_families as families
else:  # run as a script, its own folder is on the path
    import markdown_tables
    import other_families as families

from tests.other_crowds import Crowd, Recipe, draw, mean_logit

PEOPLE = Recipe(n_items=2000, n_workers=3, n_labels=5, per_item=3, accuracy=0.75, activity_sd=0.0)
N_MODELS, MODEL, SHARED = 5, 0.8, 0.6
WAYS = ("people only", "with model votes", "models as more workers")


def votes(crowd: Crowd, seed: int) -> pd.DataFrame:
    """(item, model, label): models of one family, who find hard what people find hard.

    All of them give an item's lure together with probability ``SHARED`` times that of a mistake; else each errs alone.
    """
    rng = np.random.default_rng([seed, 9])
    mean = mean_logit(replace(crowd.recipe, accuracy=MODEL, skill_sd=0.0))
    mistakes = 1.0 / (1.0 + np.exp(mean - crowd.items["difficulty"].to_numpy()))
    truth, lure = (
        crowd.truth["label"].str[1:].astype(int).to_numpy(),
        crowd.items["lure"].str[1:].astype(int).to_numpy(),
    )
    together = rng.random(len(truth)) < SHARED * mistakes
    parts = []
    for m in range(N_MODELS):
        alone = rng.random(len(truth)) < (1.0 - SHARED) * mistakes / (1.0 - SHARED * mistakes)
        another = (truth + rng.integers(1, crowd.recipe.n_labels, len(truth))) % crowd.recipe.n_labels
        label = np.where(together, lure, np.where(alone, another, truth))
        items = crowd.truth["item"]
        parts.append(pd.DataFrame({"item": items, "model": f"m{m}", "label": [f"l{k}" for k in label]}))
    return pd.concat(parts, ignore_index=True)


def models(seed: int, n_crowds: int, n_items: int = PEOPLE.n_items) -> str:
    """Errors and calibration of three people and five models, by how much items differ."""
    rows = []
    for family, sd in families.SPREADS.items():
        found: list[list[tuple[float, ...]]] = []
        for number in range(n_crowds):
            crowd = draw(replace(PEOPLE, n_items=n_items, difficulty_sd=sd), seed + number)
            said = votes(crowd, seed + number)
            more = pd.concat([crowd.table, said.rename(columns={"model": "worker"})], ignore_index=True)
            people = consensus.read(crowd.table)
            results = consensus.fit(people), consensus.fit(people, model_votes=said), families.ours(more)
            scored = [families.scores(one, crowd.truth) for one in results]
            found.append([(100 - 100 * s.accuracy, s.log_loss or 0.0, 100 * (s.ece or 0.0)) for s in scored])
        for way, figures in zip(WAYS, np.array(found).transpose(1, 2, 0), strict=True):
            error, log_loss, ece = (
                families.spread(one, digits, max) for one, digits in zip(figures, (1, 3, 1), strict=True)
            )
            rows.append((f"{family}: {way}", error, log_loss, ece))
    return markdown_tables.table(["three people, five models", "wrong %", "log loss", "ECE %"], rows)
