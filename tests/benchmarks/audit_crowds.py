"""How well the audit recovers planted workers: coverage of its intervals, and its verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import consensus
from consensus import worker_audit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from consensus.simulation import Simulation
    from tests.benchmarks import markdown_tables
else:  # run as a script, its own folder is on the path
    import markdown_tables

BINS = ((1, 4), (5, 9), (10, 20), (21, 49), (50, 99), (100, None))
"""Judgments of a worker."""
JUDGED, FEW = 30, 5  # precision and recall are those of workers with so many judgments; below, nothing may be said
KINDS = ("good", "biased", "spammer", "adversarial")
CONDEMNED = ("spammer", "adversarial")
SHARES = {"spammer": 0.1, "adversarial": 0.05, "biased": 0.1}  # of the workers; the others are good
CONSTANT = 0.3  # of the spammers give one label in CONSTANTLY of their judgments
CONSTANTLY = 0.95
SWAPPED = (0.6, 0.8)  # share of the items of a label that a biased worker takes for another one
SWAPPED_OF_TWO, OTHER_OF_TWO = (0.6, 0.7), 0.98
"""With two labels: then they are right so often on the other one. Else hardly anything would be left that they tell."""


def varied(seed: int, number: int) -> Simulation:
    """A crowd of any usual kind: sizes, sparsity, skill, bad workers and class priors vary."""
    rng = np.random.default_rng([seed, number, 1])
    n_labels = int(rng.integers(2, 9))
    n_items = round(np.exp(rng.uniform(np.log(100), np.log(1500))))
    per_item = float(rng.uniform(2, 7))
    per_worker = np.exp(rng.uniform(np.log(6), np.log(200)))
    return consensus.simulate(
        n_items,
        max(round(n_items * per_item / per_worker), 8),
        n_labels,
        per_item,
        accuracy=float(rng.uniform(0.65, 0.88)),
        spammers=float(rng.uniform(0, 0.2)),
        adversaries=float(rng.uniform(0, 0.05)),
        prior=rng.dirichlet(np.full(n_labels, 8.0)),
        seed=int(rng.integers(2**31)),
    )


def on_own_items(drawn: Simulation) -> NDArray[np.float64]:
    """(W,) expected share right of every worker on the items that they judged; 0 without any."""
    of = drawn.judgments
    expected = drawn.confusion[of.worker, drawn.truth[of.item], drawn.truth[of.item]]
    total = np.bincount(of.worker, weights=expected, minlength=of.n_workers)
    return np.asarray(total / np.maximum(of.per_worker, 1))


def covered(drawn: Simulation, number: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row a worker who judged, and one a cell of a confusion matrix of these: what was found beside the planted."""
    judgments = drawn.judgments
    result = consensus.fit(judgments)
    n = judgments.per_worker
    agrees = result.consensus_label[judgments.item] == judgments.label
    workers = consensus.audit(result)[["accuracy", "accuracy_low", "accuracy_high", "verdict"]]
    workers.columns = ["found", "low", "high", "verdict"]
    workers = workers.assign(
        crowd=number,
        n=n,
        planted=on_own_items(drawn),
        agreement=np.bincount(judgments.worker, weights=agrees, minlength=len(n)) / np.maximum(n, 1),
    )
    cells = worker_audit.confusions(result, every=True)[["probability", "low", "high"]]
    cells.columns = ["found", "low", "high"]
    planted = drawn.confusion.ravel()  # in the order of the table: worker, true label, label
    cells = cells.assign(crowd=number, n=np.repeat(n, drawn.confusion[0].size), planted=planted)
    return workers[workers["n"] > 0].dropna(), cells[cells["n"] > 0].dropna()


def binned(table: pd.DataFrame) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Which rows have how many judgments; all of them last."""
    n = table["n"].to_numpy()
    for low, high in BINS:
        yield (f"{low}+", n >= low) if high is None else (f"{low}-{high}", (n >= low) & (n <= high))
    yield "all", n > 0


def inside(table: pd.DataFrame) -> pd.Series[bool]:
    return table["planted"].between(table["low"], table["high"])


def coverage(seed: int, n_crowds: int) -> str:
    """How often intervals hold what was planted, and how far off accuracies are."""
    found = [covered(varied(seed, number), number) for number in range(n_crowds)]
    workers, cells = (pd.concat(parts, ignore_index=True) for parts in zip(*found, strict=True))
    rows = []
    for (name, of_workers), (_, of_cells) in zip(binned(workers), binned(cells), strict=True):
        some, some_cells = workers[of_workers], cells[of_cells]
        error, naive = some["found"] - some["planted"], some["agreement"] - some["planted"]
        rows.append(
            (
                name,
                f"{len(some):,}",
                markdown_tables.share(inside(some).sum(), len(some)),
                f"{(some['high'] - some['low']).mean():.3f}",
                f"{error.mean():+.4f}",
                f"{naive.mean():+.4f}",
                f"{error.abs().mean():.4f}",
                f"{naive.abs().mean():.4f}",
                f"{len(some_cells):,}",
                markdown_tables.share(inside(some_cells).sum(), len(some_cells)),
                f"{(some_cells['high'] - some_cells['low']).mean():.3f}",
            )
        )
    head = ["judgments", "workers", "covered %", "width", "mean error", "of agreement", "mean absolute error"]
    head += ["of agreement", "cells", "covered %", "width"]
    by_crowd = inside(workers).groupby(workers["crowd"]).mean()
    cells_by_crowd = inside(cells).groupby(cells["crowd"]).mean()
    told = (
        f"{workers['crowd'].nunique()} of {n_crowds} crowds can be told apart. Mean over crowds, and the tenth with "
        f"the lowest: workers {100 * by_crowd.mean():.1f} %, {100 * by_crowd.quantile(0.1):.1f} % or less; cells "
        f"{100 * cells_by_crowd.mean():.1f} %, {100 * cells_by_crowd.quantile(0.1):.1f} % or less. {of_few(workers)}"
    )
    return f"{markdown_tables.table(head, rows)}\n\n{told}"


def planted(seed: int, number: int) -> tuple[Simulation, NDArray[np.str_]]:
    """A crowd with spammers, adversaries and biased workers, and the kind of each worker (W,)."""
    rng = np.random.default_rng([seed, number, 2])
    K, W = int(rng.integers(2, 6)), int(rng.integers(20, 80))
    kind = np.full(W, "good", dtype="<U11")
    order, at = rng.permutation(W), 0
    for name, share in SHARES.items():
        n = max(round(share * W), 1)
        kind[order[at : at + n]] = name
        at += n
    C = np.array([confusion_of(rng, name, K) for name in kind])
    n_items, per_item = int(rng.integers(300, 1500)), float(rng.uniform(3, 7))
    return consensus.simulate(n_items, confusion=C, per_item=per_item, seed=int(rng.integers(2**31))), kind


def confusion_of(rng: np.random.Generator, kind: str, K: int) -> NDArray[np.float64]:
    """(K, K) of a worker of some kind."""
    if kind == "spammer":
        constant = CONSTANTLY * np.eye(K)[rng.integers(K)] + (1 - CONSTANTLY) / K
        return np.tile(constant if rng.random() < CONSTANT else rng.dirichlet(np.full(K, 2.0)), (K, 1))
    if kind == "adversarial":
        return coin(rng.uniform(0.02, 0.15), K)
    C = coin(float(np.clip(rng.normal(0.78, 0.07), 0.6, 0.95)), K)
    if kind == "biased":
        true, label = rng.choice(K, 2, replace=False)
        swapped = rng.uniform(*(SWAPPED_OF_TWO if K == 2 else SWAPPED))
        C[true] *= (1 - swapped) / (1 - C[true, label])
        C[true, label] = swapped
        if K == 2:
            C[label, [true, label]] = 1 - OTHER_OF_TWO, OTHER_OF_TWO
    return C


def coin(accuracy: float, K: int) -> NDArray[np.float64]:
    """(K, K) right with ``accuracy`` whatever is true, wrong evenly."""
    return np.full((K, K), (1 - accuracy) / (K - 1)) + (accuracy - (1 - accuracy) / (K - 1)) * np.eye(K)


def judged(drawn: Simulation, kind: NDArray[np.str_]) -> pd.DataFrame:
    """One row a worker: labels of the crowd, judgments, planted kind, verdict."""
    found = consensus.audit(consensus.fit(drawn.judgments))
    columns = {"K": len(drawn.prior), "n": drawn.judgments.per_worker, "planted": kind, "verdict": found["verdict"]}
    return pd.DataFrame(columns)


def verdicts(seed: int, n_crowds: int) -> str:
    """What planted workers are called."""
    table = pd.concat([judged(*planted(seed, number)) for number in range(n_crowds)], ignore_index=True)
    enough = table[table["n"] >= JUDGED]
    columns = {f"{K} labels": (some, table[table["K"] == K]) for K, some in enough.groupby("K")}
    columns["all"] = (enough, table)
    figures = [_figures(*both) for both in columns.values()]
    rows = [(name, *(one[name] for one in figures)) for name in figures[0]]
    called = pd.crosstab(enough["planted"], enough["verdict"]).reindex(KINDS, fill_value=0)
    by_kind = [(name, *row) for name, row in zip(called.index, called.to_numpy().tolist(), strict=True)]
    return (
        f"{markdown_tables.table([f'workers with {JUDGED} judgments or more', *columns], rows)}\n\n"
        f"The same workers, by what they are and what they are called ({n_crowds} crowds):\n\n"
        f"{markdown_tables.table(['planted', *called.columns], by_kind)}\n\n"
        f"{of_few(table)}"
    )


def of_few(table: pd.DataFrame) -> str:
    """The verdicts on workers who did next to nothing."""
    told = table["verdict"][table["n"] < FEW].value_counts()
    listed = ", ".join(f"{n:,} {verdict}" for verdict, n in told.items())
    return f"Workers with fewer than {FEW} judgments: {listed or 'there are none'}."


def _figures(enough: pd.DataFrame, everyone: pd.DataFrame) -> dict[str, str]:
    found = {"workers": f"{len(enough):,}"}
    for what, names in (*((name, [name]) for name in CONDEMNED), ("either of them", list(CONDEMNED))):
        called, is_one = enough["verdict"].isin(names), enough["planted"].isin(names)
        found[f"{what}: precision %"] = markdown_tables.share((called & is_one).sum(), called.sum())
        found[f"{what}: recall %"] = markdown_tables.share((called & is_one).sum(), is_one.sum())
    biased = enough["planted"] == "biased"
    found["biased: recall %"] = markdown_tables.share((enough["verdict"][biased] == "biased").sum(), biased.sum())
    for what, some in (("good", enough), ("good, with however few judgments", everyone)):
        good = some[some["planted"] == "good"]
        condemned = good["verdict"].isin(CONDEMNED).sum()
        found[f"{what}: condemned %"] = f"{markdown_tables.share(condemned, len(good))} ({condemned} of {len(good):,})"
    return found
