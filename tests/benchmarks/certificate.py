"""Does the certificate hold: in how many draws of random gold is more of the certified set wrong than it says.

    python tests/benchmarks/certificate.py [--draws 500] [--seed 0] [--sets NAME ...] [--no-simulated]
        [--figure FILE]

Public sets (CONSENSUS_DATASETS names their folder) and twelve crowds of the other family (``tests/other_crowds.py``),
whose items differ in difficulty by 0 to 3 logits. The fit knows no gold, so that one of each is enough. Prints Markdown
tables; the exit status is 1 where an acceptance figure is not met. ``--figure`` also writes the shares that were
certified at target .90 as JSON, which ``docs/certificate/draw.py`` draws.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import consensus
from consensus.formats import read_model_votes
from consensus.guarantees.certificate import DELTA, LEAST_GOLD_OF_LABEL, N_LEVELS_OF_LABEL, NOTHING, certificate
from consensus.guarantees.certified_items import MOST_LABELS
from consensus.guarantees.randomness import BY_CHANCE, kolmogorov_smirnov

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tests.benchmarks import accuracy, markdown_tables
else:  # run as a script, its own folder is on the path
    import accuracy
    import markdown_tables

from tests.other_crowds import Recipe, draw

SETS = (*accuracy.SETS, "llm_panel_dev", "cifar10h_dev")
N_GOLD = (50, 100, 200, 500)
TARGETS = (0.95, 0.9, 0.8)
LEAST_SHARE = {"rte": 0.93, "sentiment": 0.98, "sp": 0.65, "web": 0.65, "llm_panel_dev": 0.8}
"""That is certified at target .90 with 200 gold items."""
DIFFICULTIES, N_LABELS = (0.0, 1.0, 2.0, 3.0), (2, 3, 5)
HEAD = ("crowd", "gold", *(f"{what} {target:.2f}" for target in TARGETS for what in ("certified", "violated %")))


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A crowd as its fit without gold leaves it: the items with a known truth (N,)."""

    confidence: NDArray[np.float64]
    label: NDArray[np.int64]
    wrong: NDArray[np.bool_]
    n_labels: int


@dataclass(frozen=True, slots=True)
class Cell:
    """What came of all draws of so much gold, at one target."""

    certified: float
    """Mean share of the items without gold."""
    violated: float
    """Share of the draws in which more than 1 - target of these is wrong."""
    by_label: float
    """Mean share that is certified by label; NaN where labels are not certified by themselves."""
    by_label_violated: float
    """Share of the draws in which that is wrong of any label."""


def fitted(table: pd.DataFrame | None, truth: pd.DataFrame, votes: Path | None = None) -> Fitted:
    """Fit judgments, or votes of models, or both."""
    models = None if votes is None else read_model_votes(votes)
    result = consensus.fit(None if table is None else consensus.read(table), model_votes=models)
    labels = result.judgments.labels
    known = pd.Series(truth["label"].to_numpy(), truth["item"].to_numpy())
    known = known[~known.index.duplicated()].reindex(result.judgments.item_ids.to_pylist())
    kept = known.notna().to_numpy()
    best = result.peaks.best[kept].astype(np.int64)
    wrong = np.array(labels, object)[best] != known[kept].to_numpy()
    return Fitted(result.peaks.confidence[kept], best, wrong.astype(np.bool_), len(labels))


def public(name: str) -> Fitted:
    """A public set."""
    folder = accuracy.DATASETS / name
    judgments, votes = folder / "judgments.csv", folder / "model_votes.csv"
    table = pd.read_csv(judgments, dtype=str, keep_default_na=False) if judgments.exists() else None
    truth = pd.read_csv(folder / "truth.csv", dtype=str, keep_default_na=False)
    return fitted(table, truth, votes if votes.exists() else None)


def simulated(n_labels: int, difficulty: float, n_items: int = 2_000) -> Fitted:
    """A crowd of the other family."""
    crowd = draw(Recipe(n_items=n_items, n_workers=100, n_labels=n_labels, difficulty_sd=difficulty), seed=n_labels)
    return fitted(crowd.table[["item", "worker", "label"]], crowd.truth)


def crowds(sets: tuple[str, ...], with_simulated: bool) -> dict[str, Callable[[], Fitted]]:
    """What makes each crowd, by its name."""
    found: dict[str, Callable[[], Fitted]] = {name: partial(public, name) for name in sets}
    for K in N_LABELS if with_simulated else ():
        for sd in DIFFICULTIES:
            found[f"simulated, {K} labels, difficulty {sd:g}"] = partial(simulated, K, sd)
    return found


def tried(of: Fitted, n_gold: int, target: float, n_draws: int, first: int = 0) -> Cell:
    """Draw gold by seeds from the ``first`` on, certify, and look at the truth."""
    alpha, N = 1.0 - target, len(of.wrong)
    outcomes = np.full((n_draws, 4), np.nan)
    for seed in range(n_draws):
        gold = np.sort(np.random.default_rng(first + seed).choice(N, n_gold, replace=False))
        others = np.ones(N, np.bool_)
        others[gold] = False
        found = certificate(of.confidence, gold, of.wrong[gold], alpha)
        outcomes[seed, :2] = outcome(of, others & (of.confidence >= found.least), others, alpha)
        if of.n_labels <= MOST_LABELS:
            outcomes[seed, 2:] = by_label(of, gold, others, alpha)
    share, violated, of_labels, labels_violated = outcomes.mean(axis=0).tolist()
    return Cell(share, violated, of_labels, labels_violated)


def outcome(of: Fitted, chosen: NDArray[np.bool_], others: NDArray[np.bool_], alpha: float) -> tuple[float, float]:
    """Share of the ``others`` that is ``chosen``, and whether (1 or 0) more than ``alpha`` of these is wrong."""
    n, n_wrong = int(chosen.sum()), int(of.wrong[chosen].sum())
    return n / int(others.sum()), float(n_wrong > alpha * n + 1e-9)


def by_label(of: Fitted, gold: NDArray[np.int64], others: NDArray[np.bool_], alpha: float) -> tuple[float, float]:
    """Share that is certified label by label, and whether that is wrong of any label."""
    share, violated = 0.0, 0.0
    for k in range(of.n_labels):
        own = of.label == k
        mine = own[gold]
        found = NOTHING
        if mine.sum() >= LEAST_GOLD_OF_LABEL:
            position = (np.cumsum(own) - 1)[gold[mine]]
            how = (of.confidence[own], position, of.wrong[gold[mine]], alpha)
            found = certificate(*how, delta=DELTA / of.n_labels, n_levels=N_LEVELS_OF_LABEL)
        one, wrong = outcome(of, own & others & (of.confidence >= found.least), others, alpha)
        share, violated = share + one, max(violated, wrong)
    return share, violated


def alarms(of: Fitted, n_gold: int, n_draws: int) -> float:
    """Share of draws of random gold that do not look random."""
    found = 0
    for seed in range(n_draws):
        order = np.random.default_rng(seed).permutation(len(of.wrong))
        _, p = kolmogorov_smirnov(of.confidence[order[:n_gold]], of.confidence[order[n_gold:]])
        found += p < BY_CHANCE
    return found / n_draws


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0, help="of the first draw")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS, metavar="NAME", help=" ".join(SETS))
    parser.add_argument("--no-simulated", action="store_true")
    parser.add_argument("--figure", type=Path, help="JSON file of certified shares to write")
    options = parser.parse_args()
    cells: dict[tuple[str, int, float], Cell] = {}
    false_alarms: dict[str, float] = {}
    for name, make in crowds(tuple(options.sets), not options.no_simulated).items():
        of = make()
        for n_gold in (n for n in N_GOLD if n < len(of.wrong)):
            for target in TARGETS:
                cells[name, n_gold, target] = tried(of, n_gold, target, options.draws, options.seed)
            false_alarms[f"{name}, {n_gold}"] = alarms(of, n_gold, options.draws)
        sys.stderr.write(f"{name}: {of.wrong.mean():.1%} wrong of {len(of.wrong):,}\n")
    sys.stdout.write(told(cells, false_alarms, options.draws))
    if options.figure is not None:
        shares: dict[str, dict[str, float]] = {name: {} for name, _, _ in cells}
        for (name, n_gold, target), cell in cells.items():
            if target == 0.9:
                shares[name][str(n_gold)] = round(cell.certified, 3)
        options.figure.write_text(json.dumps(shares, indent=1) + "\n", encoding="utf-8")
    figures = acceptance(cells)
    for text, met in figures.items():
        sys.stdout.write(f"- {'met' if met else 'NOT MET'}: {text}\n")
    return 0 if all(figures.values()) else 1


def told(cells: dict[tuple[str, int, float], Cell], false_alarms: dict[str, float], n_draws: int) -> str:
    """The tables: over all labels, then label by label."""
    names = list(dict.fromkeys((name, n_gold) for name, n_gold, _ in cells))

    def rows(share: str, violated: str) -> list[list[object]]:
        found: list[list[object]] = []
        for name, n_gold in names:
            of = [cells[name, n_gold, target] for target in TARGETS]
            numbers = [(getattr(one, share), getattr(one, violated)) for one in of]
            if not np.isnan(numbers).any():
                found.append(
                    [
                        name,
                        n_gold,
                        *(f"{n:.2f}" if i == 0 else f"{100 * n:.1f}" for p in numbers for i, n in enumerate(p)),
                    ]
                )
        return found

    worst = max(cells, key=lambda one: cells[one].violated)
    labelled = {one: cell for one, cell in cells.items() if not np.isnan(cell.by_label_violated)}
    worst_label = max(labelled, key=lambda one: labelled[one].by_label_violated, default=None)
    loudest = max(false_alarms, key=lambda one: false_alarms[one])
    lines = [
        f"{n_draws} draws a cell. Worst cell: {worst}, {100 * cells[worst].violated:.1f} %; mean "
        f"{100 * float(np.mean([one.violated for one in cells.values()])):.2f} %.",
        f"Random gold taken for not random: {100 * float(np.mean(list(false_alarms.values()))):.2f} %, at worst "
        f"{100 * false_alarms[loudest]:.1f} % ({loudest}).",
        "",
        markdown_tables.table(HEAD, rows("certified", "violated")),
        "",
    ]
    if worst_label is not None:
        lines += [
            f"Label by label. Worst cell: {worst_label}, {100 * cells[worst_label].by_label_violated:.1f} %.",
            "",
            markdown_tables.table(HEAD, rows("by_label", "by_label_violated")),
            "",
        ]
    return "\n".join(lines) + "\n"


def acceptance(cells: dict[tuple[str, int, float], Cell]) -> dict[str, bool]:
    """The acceptance figures and whether they are met."""
    worst = max(cell.violated for cell in cells.values())
    labels = [cell.by_label_violated for cell in cells.values() if not np.isnan(cell.by_label_violated)]
    found = {f"violated in {100 * worst:.1f} % of the draws of the worst cell, at most 5": worst <= DELTA}
    if labels:
        found[f"label by label in {100 * max(labels):.1f} %, at most 5"] = max(labels) <= DELTA
    for name, least in LEAST_SHARE.items():
        cell = cells.get((name, 200, 0.9))
        if cell is not None:
            text = f"{name}, target .90, 200 gold: {cell.certified:.3f} certified, at least {least:g}"
            found[text] = cell.certified >= least
    return found


if __name__ == "__main__":
    sys.exit(main())
