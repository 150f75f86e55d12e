"""Crowds with rules that give one label only: labels beside majority vote, and whom the verdicts stop."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

import consensus

if TYPE_CHECKING:
    from tests.benchmarks import markdown_tables
    from tests.benchmarks import other_families as families
else:  # run as a script, its own folder is on the path
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    import markdown_tables
    import other_families as families

from tests.one_label_crowds import Recipe, draw

STOPPED = ("spammer", "adversarial", "careless")
CLEAR = 0.05  # by which a rule must be right more often than whoever says its label whatever the item, to be spared
SPAMMERS = {"no spammers": (0, 1.0), "2 on everything": (2, 1.0), "2 on 30 %": (2, 0.3)}
PEOPLE = (1, 2, 3)
"""Judgments an item by people."""
RULES = tuple(itertools.product((2, 4, 6), (0.2, 0.5), (0.8, 0.9, 0.97)))
"""How many for each label, their coverage, and how often they are right: by turns."""


def rules(seed: int, n: int) -> str:
    """For labels, the share of the largest, judgments by people and spammers: means over ``n`` crowds, worst beside."""
    told = []
    for K, largest, per_item in itertools.product((2, 3), (None, 0.8), PEOPLE):
        for name, (spammers, spam) in SPAMMERS.items():
            found = pd.concat(
                [_one(seed, number, Recipe(300, K, largest, per_item), spammers, spam) for number in range(n)]
            )
            crowds = found.drop_duplicates("crowd")
            rule = found[(found["kind"] == "rule") & (found["share_right"] > found["chance"] + CLEAR)]
            spammer = found[found["kind"] == "spammer"]
            told.append(
                {
                    "labels": K,
                    "largest": largest or "even",
                    "people an item": per_item,
                    "spammers": name,
                    "majority": families.spread(crowds["majority"]),
                    "ours": families.spread(crowds["ours"]),
                    "ours less majority": families.spread(crowds["ours"] - crowds["majority"]),
                    "rules stopped": families.told_share(rule["verdict"].isin(STOPPED)),
                    "spammers stopped": families.told_share(spammer["verdict"].isin(STOPPED)),
                    "spammers too_few": families.told_share(spammer["verdict"] == "too_few"),
                }
            )
    return markdown_tables.table(list(told[0]), [list(row.values()) for row in told])


def _one(seed: int, number: int, recipe: Recipe, spammers: int, spam: float) -> pd.DataFrame:
    """One crowd: its workers with their verdicts, and how right the labels are, in per cent."""
    n_rules, coverage, right = RULES[number % len(RULES)]
    crowd = draw(
        Recipe(
            recipe.n_items,
            recipe.n_labels,
            recipe.largest,
            recipe.per_item,
            n_rules=n_rules,
            coverage=coverage,
            right=right,
            spammers=spammers,
            spam=spam,
        ),
        1000 * seed + number,
    )
    result = families.ours(crowd.table)
    verdict = consensus.audit(result).set_index("worker")["verdict"]
    return crowd.workers.assign(
        verdict=verdict,
        crowd=number,
        ours=100 * families.scores(result, crowd.truth).accuracy,
        majority=100 * families.scores(families.majority(crowd.table), crowd.truth).accuracy,
    )
