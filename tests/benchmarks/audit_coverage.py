"""Which posterior of the accuracy holds the true one: by record, by agreement, and the average that is reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

import consensus
from consensus.intervals import LEVEL
from consensus.worker_audit import WorkerAudit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consensus.inputs.judgments import Judgments
    from tests.benchmarks import audit_crowds, audit_rank, markdown_tables

else:  # run as a script, its own folder is on the path
    import audit_crowds
    import audit_rank
    import markdown_tables

LEAST_KNOWN = 10  # judged items with truth, of a worker whose interval is held against it
N_GOLD, GOLD_SEEDS = 100, (0, 1, 2)
WAYS = ("record", "agreement", "average")


def held(audit: WorkerAudit, true: pd.Series[float]) -> pd.DataFrame:
    """One row a worker of whom the ``true`` accuracy (by id) is known, and way: inside, width, error."""
    found = audit.accuracy
    tail = (1.0 - LEVEL) / 2
    halves = {"record": found.by_record, "agreement": found.by_agreement}
    ways = {name: (half.mean, half.quantile(tail), half.quantile(1.0 - tail)) for name, half in halves.items()}
    ways["average"] = (found.mean, *found.interval)
    ids = audit.result.judgments.worker_ids.to_pylist()
    parts = []
    for name, columns in ways.items():
        of = pd.DataFrame(dict(zip(("mean", "low", "high"), columns, strict=True)), index=ids)
        of = of.join(true.rename("true"), how="inner")
        inside = of["true"].between(of["low"] - 1e-9, of["high"] + 1e-9)
        measured = {"inside": inside, "width": of["high"] - of["low"], "error": of["mean"] - of["true"]}
        parts.append(pd.DataFrame({"way": name, **measured}))
    return pd.concat(parts)


def on_set(judgments: Judgments, truth: pd.DataFrame, n_gold: int) -> pd.DataFrame:
    """``held`` of a public crowd: the true accuracy is the share right on items with truth."""
    true = audit_rank.true_accuracy(judgments, truth, LEAST_KNOWN)
    golds = [truth.sample(n_gold, random_state=seed) for seed in GOLD_SEEDS] if n_gold else [None]
    return pd.concat([held(WorkerAudit(consensus.fit(judgments, gold=gold)), true) for gold in golds])


def on_crowds(seed: int, n_crowds: int) -> pd.DataFrame:
    """``held`` of the engine's own simulated crowds: the true accuracy is that on the worker's own items."""
    parts = []
    for number in range(n_crowds):
        drawn = audit_crowds.varied(seed, number)
        of = drawn.judgments
        true = pd.Series(audit_crowds.on_own_items(drawn), of.worker_ids.to_pylist())[of.per_worker >= LEAST_KNOWN]
        result = consensus.fit(of)
        if result.identified:
            parts.append(held(WorkerAudit(result), true))
    return pd.concat(parts)


def posteriors(sets: Sequence[str], seed: int, n_crowds: int) -> str:
    """All ways on all sets, without gold and with a hundred items of it, and on simulated crowds."""
    rows, pooled = [], {}
    crowds = on_crowds(seed, n_crowds)
    for n_gold in (0, N_GOLD):
        of_sets = {name: on_set(*audit_rank.read(name), n_gold) for name in sets}
        rows += [_row(f"{name}, {n_gold or 'no'} gold", found) for name, found in of_sets.items()]
        pooled[f"all workers of these, {n_gold or 'no'} gold"] = pd.concat(of_sets.values())
    rows += [_row(name, found) for name, found in {**pooled, "simulated, independent judgments": crowds}.items()]
    head = [f"{way}: {what}" for way in WAYS for what in ("inside %", "width", "mean error")]
    return markdown_tables.table(["", "workers", *head], rows)


def _row(name: str, found: pd.DataFrame) -> list[str]:
    cells = [name, f"{len(found) // len(WAYS):,}"]
    for way in WAYS:
        of = found[found["way"] == way]
        cells += [f"{100 * of['inside'].mean():.1f}", f"{of['width'].mean():.3f}", f"{of['error'].mean():+.3f}"]
    return cells
