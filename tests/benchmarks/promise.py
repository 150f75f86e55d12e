"""Are accepted items as often wrong as is said: on public crowds, with 100 gold items, beside the design effect.

    python tests/benchmarks/promise.py [--sets NAME ...] [--draws 20]

Every draw takes other gold items, and other 3 or 5 judgments of each item. The true error is that of the accepted items
without gold. The data sets are no part of the project: CONSENSUS_DATASETS names their folder. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import consensus
from consensus.config import EscalateConfig
from consensus.report import quality
from consensus.runs import Run

if TYPE_CHECKING:
    from consensus.found.result import Consensus
    from consensus.inputs.judgments import Judgments
    from tests.benchmarks import markdown_tables
    from tests.benchmarks.accuracy import DATASETS
else:  # run as a script, its own folder is on the path
    import markdown_tables
    from accuracy import DATASETS

SETS = ("rte", "sentiment", "sp", "web", "cf_amt", "zencrowd_us", "cifar10h_dev")  # enough items with truth
CAPS = (3, 5, None)
N_GOLD = 100
HEAD = [
    *("data set", "judgments an item", "accepted", "wrong", "expected", "measured on gold", "wrong above its interval"),
    *("wrong below it", "warned", "design effect: accepted", "wrong", "expected"),
]


def some(judgments: pd.DataFrame, cap: int | None, seed: int) -> Judgments:
    """At most ``cap`` judgments of each item, drawn at random."""
    if cap is None:
        return consensus.read(judgments)
    return consensus.read(judgments.sample(frac=1.0, random_state=seed).groupby("item").head(cap))


def outcome(result: Consensus, truth: pd.DataFrame) -> tuple[float, float]:
    """Share of the items with ``truth`` and without gold that are accepted, and share of these that is wrong."""
    rule = EscalateConfig()
    table = result.labels.merge(truth.rename(columns={"label": "truth"}), on="item").query("source != 'gold'")
    accepted = (table["confidence"] >= rule.target) & (table["n_judgments"] >= rule.min_judgments)
    wrong = (table["label"] != table["truth"])[accepted]
    return float(accepted.mean()), float(wrong.mean()) if len(wrong) else np.nan


def drawn(name: str, cap: int | None, seed: int) -> list[float]:
    """The figures of one draw, in the order of HEAD."""
    table = pd.read_csv(DATASETS / name / "judgments.csv", dtype=str, keep_default_na=False)
    judgments = some(table, cap, seed)
    truth = pd.read_csv(DATASETS / name / "truth.csv", dtype=str, keep_default_na=False)[["item", "label"]]
    known = truth[truth["item"].isin(judgments.item_ids.to_pylist()) & truth["label"].isin(judgments.labels)]
    gold = known.sample(N_GOLD, random_state=seed)
    result = consensus.fit(judgments, gold=gold, model="dawid_skene")
    accepted, wrong = outcome(result, known)
    told = Run.of(result).promise
    measured = told["gold"]["accepted"]
    effect = consensus.fit(
        judgments, gold=gold, rho=consensus.fit(judgments, model="dawid_skene").rho, model="dawid_skene"
    )
    return [
        accepted,
        wrong,
        told["expected_error"],
        measured["measured_error"],
        wrong > measured["high"],
        wrong < measured["low"],
        bool(quality.cautions(told)),
        *outcome(effect, known),
        Run.of(effect).promise["expected_error"],
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS, metavar="NAME", help=" ".join(SETS))
    parser.add_argument("--draws", type=int, default=20)
    options = parser.parse_args()
    rows: list[list[object]] = []
    counts = np.zeros(3)
    n = 0
    for name in options.sets:
        for cap in CAPS:
            found = np.array([drawn(name, cap, seed) for seed in range(options.draws)], np.float64)
            audited = ~np.isnan(found[:, [1, 3]]).any(axis=1)
            sums = found[audited, 4:7].sum(axis=0)
            counts, n = counts + sums, n + int(audited.sum())
            means = [f"{100 * one:.1f}" for one in np.nanmean(found, axis=0)]
            told = [f"{int(one)} of {int(audited.sum())}" for one in sums]
            rows.append([name, "all" if cap is None else cap, *means[:4], *told, *means[7:]])
    above, below, warned = counts.astype(int).tolist()
    sys.stdout.write(markdown_tables.table(HEAD, rows) + "\n")
    sys.stdout.write(f"\nOf {n} draws the truth is above the interval in {above}, below in {below}; {warned} warned.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
