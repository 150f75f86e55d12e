"""How many judgments by people a model's vote saves, where people are asked for what it leaves open."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import consensus
from consensus import Replay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consensus.inputs.model_votes import ModelVotes
    from tests.benchmarks import escalation_curves as curves
    from tests.benchmarks import escalation_policies as policies
    from tests.benchmarks import markdown_tables
    from tests.benchmarks.escalation_replay import BATCH, RHO
    from tests.benchmarks.escalation_rules import over_seeds
else:  # run as a script, its own folder is on the path
    import escalation_curves as curves
    import escalation_policies as policies
    import markdown_tables
    from escalation_replay import BATCH, RHO
    from escalation_rules import over_seeds

SET = "rte"
CONFIDENCE = (0.6, 1.0)  # of the model, even in this range: so it is right on 80 %
SHARPER = {"calibrated": 1.0, "logits x 2": 2.0}
REDUNDANCIES = (2, 3, 5)
UPTO = 7.0  # judgments an item


def votes(crowd: curves.Crowd, seed: int, sharper: float) -> ModelVotes:
    """A model that is right as often as it says; its logits times ``sharper``."""
    rng = np.random.default_rng([seed, 11])
    labels, items = crowd.judgments.labels, crowd.judgments.item_ids.to_pylist()
    p = rng.uniform(*CONFIDENCE, len(items)).clip(max=1.0 - 1e-6)
    truth = np.where(crowd.truth >= 0, crowd.truth, 0)
    said = np.where(rng.random(len(items)) < p, truth, (truth + rng.integers(1, len(labels), len(items))) % len(labels))
    p = 1.0 / (1.0 + (1.0 / p - 1.0) ** sharper)
    table = np.repeat(((1.0 - p) / (len(labels) - 1))[:, None], len(labels), axis=1)
    table[np.arange(len(items)), said] = p
    return consensus.read_model_votes(
        pd.DataFrame({"item": items, "model": "model", **{f"p_{label}": table[:, k] for k, label in enumerate(labels)}})
    )


def replayed(crowd: curves.Crowd, seed: int, sharper: float, ours: bool) -> curves.Curve:
    """Accuracy by judgments of people, from none on."""
    n_items = crowd.judgments.n_items
    tie, batch = np.random.default_rng([seed, 77]).random(n_items), max(round(BATCH * n_items), 1)
    replay = Replay(
        crowd.judgments,
        start=0,
        seed=seed,
        model_votes=votes(crowd, seed, sharper),
        rho=RHO,
        threads=1,
        model="dawid_skene",
    )
    x, y = [], []
    for step in replay:
        x.append(float(step.n_judgments))
        y.append(curves.accuracy(step.result, crowd.truth))
        if step.n_judgments >= UPTO * n_items:
            break
        score = policies.ours(step.result) if ours else policies.uniform(step.result)
        replay.ask_codes(policies.most_urgent(score, step.left, batch, tie))
    return np.array(x), np.array(y)


def _both(crowd: curves.Crowd, seed: int, sharper: float) -> tuple[curves.Curve, curves.Curve, list[int]]:
    ours, uniform = (replayed(crowd, seed, sharper, which) for which in (True, False))
    return ours, uniform, [crowd.fixed(r) for r in REDUNDANCIES]


def saved(seeds: Sequence[int], scale: int) -> str:
    """Judgments to match fixed redundancy with the same model, as a share of its."""
    rows = []
    for name, sharper in SHARPER.items():
        found = over_seeds(partial(_both, sharper=sharper), SET, seeds, scale)
        ours, uniform = [one[0] for one in found], [one[1] for one in found]
        cells = [name, f"{100 * np.mean([y[0] for _, y in ours]):.1f}"]
        for n in range(len(REDUNDANCIES)):
            ratio, error = curves.ratio(ours, uniform, [one[2][n] for one in found])
            cells.append(f"{ratio:.2f} ±{error:.2f}")
        rows.append(cells)
    told = f"{SET}, {len(seeds)} seeds, a simulated model that is right on 80 %; from no judgment by people."
    head = ["model", "alone: right %", *(f"as right as {r} an item" for r in REDUNDANCIES)]
    return told + "\n\n" + markdown_tables.table(head, rows)
