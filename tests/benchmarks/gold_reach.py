"""Does the promise hold where gold lies in one of two teams: each part of what is accepted against its interval.

    python tests/benchmarks/gold_reach.py [--draws 100] [--teams NAME ...]

Two teams judge items of their own, and gold is drawn from those of the first. The second reads all of its items the
other way round, or a quarter of them (all of its workers the same ones), or is right on 65 %, or judges as well as the
first. In some rows a worker of the first team judges items of the second, too ("bridged"). Difficulty and skill are
normal on the scale of log odds, activity has a long tail. Prints a Markdown table: how much gold speaks for, and in how
many draws the true error of what was accepted there lies outside the interval that was measured on gold; below it, none
is wrong where a gold item was. Last, the share within the reach of random gold.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import consensus
from consensus.found.gold_reach import Judged, reached
from consensus.runs import Run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.inputs.judgments import Judgments
    from tests.benchmarks import markdown_tables
    from tests.benchmarks.accuracy import DATASETS
else:  # run as a script, its own folder is on the path
    import markdown_tables
    from accuracy import DATASETS

N_GOLD = 100  # of public sets

HEAD = [
    *("second team", "accepted", "within reach", "wrong there", "measured on gold", "wrong beyond"),
    *("draws", "wrong above the interval", "below it"),
]
ORDINARY = (
    (400, 40, 5, 20),
    (400, 40, 5, 40),
    (400, 40, 3, 20),
    (400, 400, 5, 20),
    (400, 400, 5, 40),
    (400, 400, 3, 40),
)
"""Items, workers, judgments an item and random gold of ordinary crowds."""


@dataclass(frozen=True)
class Teams:
    """Two teams."""

    misread: float = 1.0
    """Share of its items that the second one misreads, together."""
    right: float | None = None
    """How often its workers are right, each for themselves; else as those of the first."""
    bridge: int = 0
    """Items of the second that a worker of the first judges."""
    n_items: int = 120
    """Of each."""
    n_labels: int = 2
    n_gold: int = 60
    in_second: int = 0
    """Of these, in the second team."""
    n_workers: int = 10
    """Of each."""


TEAMS = {
    "reversed": Teams(),
    "reversed, 120 gold": Teams(n_items=300, n_gold=120),
    "reversed, five labels": Teams(n_labels=5),
    "reversed, one gold item": Teams(in_second=1),
    "reversed, 100 workers each, 10 bridged": Teams(bridge=10, n_workers=100),
    "a quarter misread, 100 workers each, 20 bridged": Teams(0.25, bridge=20, n_workers=100),
    "a quarter misread": Teams(0.25),
    "a quarter misread, 120 gold": Teams(0.25, n_items=300, n_gold=120),
    "right on 65 %": Teams(0.0, 0.65),
    "reversed, 10 bridged": Teams(bridge=10),
    "reversed, 40 bridged": Teams(bridge=40),
    "a quarter misread, 10 bridged": Teams(0.25, bridge=10),
    "a quarter misread, 20 bridged": Teams(0.25, bridge=20),
    "a quarter misread, 40 bridged": Teams(0.25, bridge=40),
    "a quarter misread, 40 bridged, 120 gold": Teams(0.25, bridge=40, n_items=300, n_gold=120),
    "right on 65 %, 40 bridged": Teams(0.0, 0.65, bridge=40),
    "as good": Teams(0.0),
    "as good, 20 bridged": Teams(0.0, bridge=20),
    "as good, 40 bridged": Teams(0.0, bridge=40),
}


def crowd(teams: Teams, rng: np.random.Generator) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Judgments (item, worker, label), and the true label of each item; those of the second team come last."""
    n, K, W = 2 * teams.n_items, teams.n_labels, teams.n_workers
    truth = rng.integers(0, K, n)
    second = np.arange(n) >= teams.n_items
    read = np.where(second & (rng.random(n) < teams.misread), (truth + 1) % K, truth)
    skill, difficulty = rng.normal(2.5, 0.5, 2 * W), rng.normal(0.0, 0.7, n)
    activity = rng.pareto(2.0, W) + 0.5
    bridged = set(rng.choice(teams.n_items, teams.bridge, replace=False) + teams.n_items)
    rows = []
    for i in range(n):
        own = rng.choice(W, 4, replace=False, p=activity / activity.sum()) + W * int(second[i])
        for w in [*own.tolist(), *([0] if i in bridged else [])]:
            means = truth[i] if w < W else read[i]
            p = 1.0 / (1.0 + np.exp(difficulty[i] - skill[w]))
            if teams.right is not None and w >= W:
                p = teams.right
            label = means if rng.random() < p else (means + rng.integers(1, K)) % K
            rows.append((f"i{i:04}", f"w{w:02}", f"l{label}"))
    return pd.DataFrame(rows, columns=["item", "worker", "label"]), truth


def drawn(teams: Teams, seed: int) -> dict[str, float]:
    """What was accepted in one draw, within and beyond the reach of gold, and what is wrong of it."""
    rng = np.random.default_rng(seed)
    table, truth = crowd(teams, rng)
    first = rng.choice(teams.n_items, teams.n_gold - teams.in_second, replace=False)
    gold = np.concatenate([first, rng.choice(teams.n_items, teams.in_second, replace=False) + teams.n_items])
    names = pd.DataFrame({"item": [f"i{i:04}" for i in gold], "label": [f"l{truth[i]}" for i in gold]})
    found = Run.of(consensus.fit(table, gold=names, seed=seed, model="dawid_skene"))
    labels, measured = found.labels, found.promise["gold"]["accepted"]
    wrong = labels["label"].to_numpy() != np.array([f"l{truth[int(i[1:])]}" for i in labels["item"]])
    within, beyond = (labels["status"] == "accepted").to_numpy(), (labels["status"] == "unaudited").to_numpy()
    error = wrong[within].mean() if within.any() else np.nan
    return {
        "accepted": float(within.sum() + beyond.sum()),
        "within": float(within.sum() / max(within.sum() + beyond.sum(), 1)),
        "wrong": float(error),
        "measured": float(measured["measured_error"]),
        "beyond_wrong": float(wrong[beyond].mean()) if beyond.any() else np.nan,
        "promised": float(within.any() and measured["items"] > 0),
        "above": float(error > measured["high"]),
        "below": float(error < measured["low"]),
    }


def share_reached(judgments: Judgments, n_gold: int, seed: int) -> float:
    """Share of the items that are within the reach of gold drawn at random from them."""
    gold = np.random.default_rng(seed).choice(judgments.n_items, n_gold, replace=False).astype(np.int32)
    judged = Judged(judgments.item_start, judgments.worker, judgments.label, judgments.n_workers, judgments.n_labels)
    return float(reached(judged, np.sort(gold)).items.mean())


def ordinary(n_items: int, n_workers: int, per_item: int, seed: int) -> Judgments:
    """A crowd with long-tailed activity, in which everybody meets everybody."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, n_items)
    skill, difficulty = rng.normal(2.0, 1.0, n_workers), rng.normal(0.0, 1.0, n_items)
    activity = rng.pareto(1.2, n_workers) + 0.1
    rows = []
    for i in range(n_items):
        for w in rng.choice(n_workers, per_item, replace=False, p=activity / activity.sum()).tolist():
            right = rng.random() < 1.0 / (1.0 + np.exp(difficulty[i] - skill[w]))
            rows.append((f"i{i}", f"w{w}", f"l{truth[i] if right else (truth[i] + rng.integers(1, 3)) % 3}"))
    return consensus.read(pd.DataFrame(rows, columns=["item", "worker", "label"]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--teams", nargs="+", choices=TEAMS, default=list(TEAMS), metavar="NAME")
    parser.add_argument("--sets", nargs="*", default=[], metavar="NAME", help="public sets, for the last table")
    options = parser.parse_args()
    rows: list[list[object]] = []
    for name in options.teams:
        found = pd.DataFrame([drawn(TEAMS[name], seed) for seed in range(options.draws)])
        m, sums = found.mean(), found[["promised", "above", "below"]].sum().astype(int).tolist()
        shares = [f"{100 * m[one]:.1f}" for one in ("within", "wrong", "measured", "beyond_wrong")]
        rows.append([name, f"{m['accepted']:.0f}", *shares, *sums])
    sys.stdout.write(markdown_tables.table(HEAD, rows) + "\n\n")
    reached_of = {
        f"{n} items, {w} workers, {k} an item, {n_gold} gold": [
            share_reached(ordinary(n, w, k, seed), n_gold, seed) for seed in range(20)
        ]
        for n, w, k, n_gold in ORDINARY
    }
    for name in options.sets:
        judgments = consensus.read(DATASETS / name / "judgments.csv")
        n_gold = min(N_GOLD, judgments.n_items // 2)
        reached_of[f"{name}, {n_gold} gold"] = [share_reached(judgments, n_gold, seed) for seed in range(20)]
    rows = [[name, f"{100 * np.mean(of):.1f}", f"{100 * min(of):.1f}"] for name, of in reached_of.items()]
    sys.stdout.write(markdown_tables.table(["random gold", "items within reach", "least of 20 draws"], rows) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
