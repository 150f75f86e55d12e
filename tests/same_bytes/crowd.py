"""A small crowd with everything that a run takes, and with names that are hard to sort, to quote and to encode.

Times tell what is later. A worker judges some items twice, at different times; some labels, workers, times and
durations are missing; gold accepts two labels of an item, and knows items that nobody judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import consensus
from consensus.simulation import simulate_votes, votes_table

if TYPE_CHECKING:
    from pathlib import Path

SEED = 26
LABELS = ('=chat, "noir"', "dög", "猫 | a'b")
WORKERS = ("Zoë", "zoe", "Zoe ", "anna", "Anna", "-bob", "o'neil", "li, wei", '"q"', "@x", "w 7", "Ωmega", "007", "7")
FORM = "%Y-%m-%dT%H:%M:%S.%f"
SETTINGS: dict[str, Any] = {"group": "batch", "keep": ["note"], "budget": 6.0, "retest": 1, "audit_sample": 0.1}


@dataclass(frozen=True, slots=True)
class Tables:
    """What a run is given."""

    judgments: pd.DataFrame
    """All cells are text, or None."""
    gold: pd.DataFrame
    votes: pd.DataFrame
    pool: pd.DataFrame
    costs: pd.DataFrame

    def shuffled(self, seed: int) -> Tables:
        """The same, each in another order of rows."""
        parts = (self.judgments, self.gold, self.votes, self.pool, self.costs)
        return Tables(*(one.sample(frac=1, random_state=seed).reset_index(drop=True) for one in parts))

    def beside(self) -> dict[str, pd.DataFrame]:
        """What is given beside the judgments."""
        return {"gold": self.gold, "model_votes": self.votes, "workers": self.pool, "costs": self.costs}

    def written(self, folder: Path) -> dict[str, Path]:
        """The files of what is given beside the judgments."""
        found = {}
        for name, table in self.beside().items():
            found[name] = folder / f"{name}.csv"
            table.to_csv(found[name], index=False)
        return found


def drawn(n_items: int = 120) -> Tables:
    """The same for the same number of items."""
    crowd = consensus.simulate(n_items, len(WORKERS), len(LABELS), 5, spammers=0.1, seed=SEED)
    rng = np.random.default_rng(SEED)
    label_of = dict(zip(crowd.judgments.labels, LABELS, strict=True))
    worker_of = dict(zip(crowd.judgments.worker_ids.to_pylist(), WORKERS, strict=True))
    ids = crowd.judgments.item_ids.to_pylist()
    item_of = {one: f"img {n}, «é»" if n % 7 == 0 else f"{n:03d}" for n, one in enumerate(ids)}
    table = crowd.judgments_table()
    of_item = pd.factorize(table["item"])[0]
    table["item"], table["worker"] = table["item"].map(item_of), table["worker"].map(worker_of)
    table["label"] = table["label"].map(label_of)
    n = len(table)
    seconds = pd.to_timedelta(rng.permutation(n) * 97 + 0.25, unit="s")
    table["timestamp"] = (pd.Timestamp("2025-03-29T22:00:00") + seconds).strftime(FORM)  # over the start of summer time
    table["duration"] = [str(one) for one in rng.lognormal(2, 0.6, n).round(2).tolist()]
    table["price"] = np.where(rng.random(n) < 0.5, "0.1", "0.3")
    table["batch"] = [f"b{one}" for one in rng.integers(0, 4, n).tolist()]
    table["note"] = [f"text {one} é" for one in of_item.tolist()]
    again = table.sample(8, random_state=SEED)
    later = pd.Timestamp("2025-04-20") + pd.to_timedelta(np.arange(8), unit="h")
    table = pd.concat([table, again.assign(timestamp=later.strftime(FORM), label=LABELS[0])], ignore_index=True)
    table = table.astype(object)
    for column, missing in (("label", 6), ("worker", 3), ("timestamp", 3), ("duration", 5)):
        table.loc[rng.choice(n, missing, replace=False), column] = None
    return Tables(table.where(table.notna(), None), *_beside(crowd, item_of, label_of))


def _beside(crowd: Any, item_of: dict[str, str], label_of: dict[str, str]) -> tuple[pd.DataFrame, ...]:
    """Gold, votes of models, who can be asked, and costs."""
    known = crowd.truth_table(30)
    gold = pd.DataFrame({"item": known["item"].map(item_of), "label": known["label"].map(label_of)})
    rows = [("zz", LABELS[1]), ("aa", LABELS[2]), ("aa", LABELS[0]), ("mm", LABELS[1])]
    rows += [(gold["item"][0], one) for one in LABELS[:2] if one != gold["label"][0]]
    gold = pd.concat([gold, pd.DataFrame(rows, columns=["item", "label"])], ignore_index=True)
    votes = votes_table(simulate_votes(crowd, 3, soft=True, families=2, seed=SEED))
    votes["item"] = votes["item"].map(item_of)
    unjudged = votes.iloc[:6].assign(item=["new 2", "new 2", "new 2", "new 1", "new 1", "new 1"])
    votes = pd.concat([votes, unjudged], ignore_index=True)
    votes = votes.rename(columns={f"p_{old}": f"p_{new}" for old, new in label_of.items()})
    n = len(WORKERS) - 2
    able = [str(5 + w) for w in range(n)]
    pool = pd.DataFrame({"worker": [*WORKERS[:n], "un", "ab"], "available": [*able, "3", "4"]})
    pool["price"] = [f"0.{1 + w % 3}" for w in range(n + 2)]
    pairs = [(true, said) for true in LABELS for said in LABELS if true != said]
    costs = pd.DataFrame(pairs, columns=["true", "decided"]).assign(cost=["1", "2", "3", "4", "5", "6.5"])
    return gold, votes, pool, costs
