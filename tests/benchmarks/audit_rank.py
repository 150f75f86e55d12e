"""Whether accuracies rank workers as the truth does: on public crowds, beside peers; on face, with and without gold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

import consensus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from consensus.inputs.judgments import Judgments
    from tests.benchmarks import markdown_tables, peers
    from tests.benchmarks.accuracy import DATASETS
else:  # run as a script, its own folder is on the path
    import markdown_tables
    import peers
    from accuracy import DATASETS

SETS = ("bluebird", "rte", "sentiment", "sp", "web", "cf_amt", "zencrowd_us")
LEAST_KNOWN = 20  # judged items with truth, of a worker who is ranked
GOLD_SHARE, GOLD_SEEDS = 0.1, (0, 1, 2, 3, 4)
OURS, AGREEMENT = "consensus accuracy", "agreement with our consensus"
ADJUSTED = "consensus label_adjusted_accuracy"


def read(name: str) -> tuple[Judgments, pd.DataFrame]:
    """The judgments that count, and the truth: item, label."""
    folder = DATASETS / name
    return consensus.read(folder / "judgments.csv"), pd.read_csv(folder / "truth.csv", dtype=str, keep_default_na=False)


def true_accuracy(judgments: Judgments, truth: pd.DataFrame, least: int = LEAST_KNOWN) -> pd.Series[float]:
    """Share right of every worker with at ``least`` so many judged items with truth; by id."""
    known = consensus.read_gold(truth).align(judgments)
    place = np.full(judgments.n_items, -1)
    place[known.items] = np.arange(len(known.items))
    told = np.flatnonzero(place[judgments.item] >= 0)
    right = known.accepted[place[judgments.item[told]], judgments.label[told]]
    table = pd.DataFrame({"worker": judgments.worker[told], "right": right}).groupby("worker")["right"]
    share = table.mean()[table.count() >= least]
    ids = judgments.worker_ids.to_pylist()
    return pd.Series(share.to_numpy(), [ids[w] for w in share.index])


def our_ratings(judgments: Judgments, truth: pd.DataFrame | None = None) -> pd.DataFrame:
    """How we rate workers, with ``truth`` as gold; by id."""
    result = consensus.fit(judgments, gold=truth)
    found = consensus.audit(result).set_index("worker")
    agrees = result.consensus_label[judgments.item] == judgments.label
    n = np.maximum(judgments.per_worker, 1)
    return pd.DataFrame(
        {
            OURS: found["accuracy"],
            ADJUSTED: found["label_adjusted_accuracy"],
            AGREEMENT: np.bincount(judgments.worker, weights=agrees, minlength=len(n)) / n,
            "gold alone": found["gold_accuracy"],
        }
    )


def table_of(judgments: Judgments) -> pd.DataFrame:
    """item, worker, label of each judgment that counts: all methods get the same."""
    columns = {
        "item": judgments.item_ids.take(judgments.item),
        "worker": judgments.worker_ids.take(judgments.worker),
        "label": np.array(judgments.labels)[judgments.label],
    }
    return pd.DataFrame({name: np.array(column) for name, column in columns.items()})


def correlations(ratings: pd.DataFrame, true: pd.Series[float]) -> pd.Series[float]:
    """Spearman's rank correlation of each column with the truth, over the workers that both rate."""
    found = {}
    for name, column in ratings.items():
        both = pd.concat([column, true], axis=1, join="inner").dropna().to_numpy()
        found[str(name)] = float(spearmanr(both[:, 0], both[:, 1]).statistic) if len(both) > 2 else np.nan
    return pd.Series(found)


def ranks(sets: Sequence[str], python: Path | None) -> str:
    """All sets beside the peers, then face."""
    found, refused, n_workers = {}, [], []
    for name in sets:
        judgments, truth = read(name)
        true = true_accuracy(judgments, truth)
        ratings = our_ratings(judgments).drop(columns="gold alone")
        if python is not None:
            rated, why = peers.workers(python, table_of(judgments))
            ratings = ratings.join(rated)
            refused += [f"- {name}: {method} did not run: {reason}" for method, reason in why.items()]
        found[name] = correlations(ratings, true)
        n_workers.append(f"{name} {len(true)}")
    table = pd.DataFrame(found)
    table["mean"] = table.mean(axis=1, skipna=False)
    rows = [(name, *_figures(row)) for name, row in zip(table.index, table.to_numpy(), strict=True)]
    told = f"Workers with {LEAST_KNOWN} judged items with truth or more: {', '.join(n_workers)}."
    parts = [markdown_tables.table(["rank correlation", *table.columns], rows), told]
    return "\n\n".join([*parts, *(["\n".join(refused)] if refused else []), on_face()])


def on_face() -> str:
    """Where the consensus contradicts the truth: without gold, and with a tenth of the items as gold."""
    judgments, truth = read("face")
    rows = [("all items, no gold", *_of(our_ratings(judgments), true_accuracy(judgments, truth)))]
    items = truth["item"].unique()
    both: list[list[list[float]]] = [[], []]
    for seed in GOLD_SEEDS:
        drawn = np.random.default_rng(seed).choice(items, round(GOLD_SHARE * len(items)), replace=False)
        is_gold = truth["item"].isin(drawn)
        true = true_accuracy(judgments, truth[~is_gold])
        for found, gold in zip(both, (None, truth[is_gold]), strict=True):
            ratings = our_ratings(judgments, gold)
            found.append([len(true), *correlations(ratings, true)])
    for found, what in zip(both, ("no gold", f"{GOLD_SHARE:.0%} gold"), strict=True):
        for seed, row in zip(GOLD_SEEDS, found, strict=True):
            rows.append((f"the others, {what}, seed {seed}", f"{row[0]:.0f}", *_figures(row[1:])))
        mean = np.mean(found, axis=0)
        rows.append((f"the others, {what}, mean", f"{mean[0]:.0f}", *_figures(mean[1:])))
    return "face:\n\n" + markdown_tables.table(
        ["true accuracy on", "workers", OURS, ADJUSTED, AGREEMENT, "gold alone"], rows
    )


def _of(ratings: pd.DataFrame, true: pd.Series[float]) -> list[str]:
    return [str(len(true)), *_figures(correlations(ratings, true))]


def _figures(numbers: Sequence[float] | NDArray[np.float64] | pd.Series[float]) -> list[str]:
    return ["" if np.isnan(x) else f"{x:.4f}" for x in numbers]
