"""Crowds of two families, the engine's own and one that it does not assume, in the same shape and of the same sizes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import consensus
from consensus import evaluation, worker_audit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from consensus.found.result import Consensus
    from tests.benchmarks import audit_crowds, markdown_tables

    Fit = Callable[[pd.DataFrame, pd.DataFrame | None], Consensus]
    """Judgments (item, worker, label and perhaps group) and gold (item, label), or none; what is measured."""
else:  # run as a script, its own folder is on the path
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    import audit_crowds
    import markdown_tables

from tests.other_crowds import Crowd, Recipe, draw

OWN = "engine's own"
SPREADS = {"other, sd 0": 0.0, "other, sd 1": 1.0, "other, sd 2": 2.0}
"""Families that are measured, and the spread of their difficulties in logits."""
FAMILIES = (OWN, *SPREADS)
LABELS = (2, 3, 5)  # by turns
ITEMS, WORKERS = (300, 1500), (20, 80)  # as in audit_crowds.planted
PLAIN = ["item", "worker", "label"]
CONDEMNED = ("spammer", "adversarial")
CLEAR = 0.1
"""Who is no bad worker is to be spared if they are right so much more often than by chance; else nothing is asked."""


def ours(table: pd.DataFrame, gold: pd.DataFrame | None = None) -> Consensus:
    """The engine with its default settings, which is not told of groups."""
    return consensus.fit(consensus.read(table[PLAIN]), gold=gold)


def ran(table: pd.DataFrame, gold: pd.DataFrame | None = None) -> Consensus:
    """The same as ``consensus run`` fits it: workers who judge too much alike were looked for."""
    return worker_audit.fit_without_copies(consensus.read(table[PLAIN]), collusion=None, gold=gold)


def grouped(table: pd.DataFrame, gold: pd.DataFrame | None = None) -> Consensus:
    """The same, told which judgments are of one batch, topic or HIT."""
    return consensus.fit(consensus.read(table, group="group"), gold=gold)


def majority(table: pd.DataFrame, gold: pd.DataFrame | None = None) -> Consensus:
    return consensus.fit(consensus.read(table[PLAIN]), gold=gold, model="majority_vote")


def crowd(family: str, seed: int, number: int) -> Crowd:
    """A crowd with a few bad workers, whose sizes and accuracy vary in the same ranges in all families.

    In the engine's own, a tenth of the workers are spammers, a twentieth adversaries and a tenth biased. In the other,
    a tenth give one label or guess, a twentieth are adversaries, and a tenth careless.
    """
    if family == OWN:
        return _own(*audit_crowds.planted(seed, number))
    rng = np.random.default_rng([seed, number, 3])
    recipe = Recipe(
        n_items=int(rng.integers(*ITEMS)),
        n_workers=int(rng.integers(*WORKERS)),
        n_labels=LABELS[number % len(LABELS)],
        per_item=float(rng.uniform(3, 7)),
        accuracy=float(rng.uniform(0.7, 0.86)),
        difficulty_sd=SPREADS[family],
        careless=0.1,
        one_label=0.05,
        random=0.05,
        adversarial=0.05,
    )
    return draw(recipe, int(rng.integers(2**31)))


def _own(drawn: consensus.simulation.Simulation, kind: np.ndarray[tuple[int], np.dtype[np.str_]]) -> Crowd:
    """A crowd of the engine's own family in the other one's shape."""
    of = drawn.judgments
    accuracy = np.einsum("wkk,k->w", drawn.confusion, drawn.prior)
    n = np.maximum(of.per_worker, 1)
    right = of.label == drawn.truth[of.item]
    expected = drawn.confusion[of.worker, drawn.truth[of.item], drawn.truth[of.item]]
    workers = pd.DataFrame(
        {
            "kind": np.where(kind == "good", "honest", kind),
            "accuracy": accuracy,
            "share_right": np.bincount(of.worker, weights=right, minlength=of.n_workers) / n,
            "expected_right": np.bincount(of.worker, weights=expected, minlength=of.n_workers) / n,
            "n": of.per_worker,
            "stop": np.isin(kind, audit_crowds.CONDEMNED),
        },
        pd.Index(of.worker_ids.to_pylist(), name="worker"),
    )
    items = pd.DataFrame({"difficulty": 0.0, "lure": "", "group": 0}, of.item_ids.to_pylist())
    recipe = Recipe(of.n_items, of.n_workers, of.n_labels)
    return Crowd(recipe, drawn.judgments_table(), drawn.truth_table(), workers[of.per_worker > 0], items)


def scores(result: Consensus, truth: pd.DataFrame) -> evaluation.Scores:
    """How right labels and confidences are, gold items left out."""
    table = result.posteriors
    if result.gold is not None:
        known = set(result.labels.query("source == 'gold'")["item"])
        table, truth = table[~table["item"].isin(known)], truth[~truth["item"].isin(known)]
    return evaluation.evaluate(table, consensus.read_gold(truth))[0]


def alike(result: Consensus) -> set[str]:
    """Workers who are said to judge too much alike; none where they were not looked for."""
    if result.copies is None:
        return set()
    ids = result.judgments.worker_ids.to_pylist()
    return {ids[w] for w in np.flatnonzero(result.copies.group >= 0)}


def codes(result: Consensus) -> set[str]:
    """Codes of the warnings."""
    return {one.code for one in result.warnings}


def spread(values: Iterable[float], digits: int = 1, worst: Callable[[pd.Series[float]], float] = min) -> str:
    """Mean, and the worst in brackets."""
    some = pd.Series(list(values), dtype=float).dropna()
    return f"{some.mean():.{digits}f} ({worst(some):.{digits}f})" if len(some) else ""


def condemned(found: pd.DataFrame, kinds: tuple[str, ...] = ("honest",), clear: float = CLEAR) -> pd.Series[bool]:
    """Whether those of some kinds who are to be spared are called spammers or adversaries.

    ``found`` has a row a worker: kind, accuracy, K labels, verdict.
    """
    spared = found[found["kind"].isin(kinds) & (found["accuracy"] >= 1.0 / found["K"] + clear)]
    return spared["verdict"].isin(CONDEMNED)


def told_share(which: pd.Series[bool]) -> str:
    """Per cent, and how many of how many."""
    return f"{markdown_tables.share(which.sum(), len(which))} ({which.sum()} of {len(which):,})"
