"""The table of workers: how well they paint or click, by the audit of the house and by their outlines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus import worker_audit
from consensus.chunks import columns
from consensus.chunks.clicks import CLICKING, STRENGTH
from consensus.chunks.tables import framed
from consensus.intervals import beta_quantiles

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from consensus.chunks.clicks import Believed
    from consensus.chunks.tables import People
    from consensus.found.result import Consensus

LEAST_IMAGES = 5
LEAST_UNITS = 20.0
"""Pictures, and independent judgments, below which nobody gets a verdict."""
TAKEN = ("accuracy", "accuracy_low", "accuracy_high", "verdict", "verdict_probability", "reason")


def workers(result: Consensus, people: People, n_images: Mapping[str, int], believed: Believed) -> pd.DataFrame:
    """One row a worker (see ``columns.WORKERS``), then who clicks; ``n_images`` are the pictures that models saw."""
    judgments, units = result.judgments, result.units
    assert units is not None
    counted = np.bincount(judgments.worker, weights=units.judgment, minlength=judgments.n_workers)
    n_units = dict(zip(judgments.worker_ids.to_pylist(), counted.tolist(), strict=True))
    rows = []
    audited = worker_audit.audit(result)
    for one in audited[audited["kind"] != "family"].to_dict("records"):
        name, kind = str(one["worker"]), str(one["kind"])
        told = people.of(name if kind == "human" else "")
        told["n_images"] = told["n_images"] or n_images.get(name, 0)
        row = {"worker": name, "kind": kind, "n_eff": n_units.get(name), **told, **{key: one[key] for key in TAKEN}}
        units_of = n_units.get(name, 0.0)
        if kind == "human" and (row["n_images"] < LEAST_IMAGES or units_of < LEAST_UNITS):
            row["verdict"], row["verdict_probability"] = "too_few", None
            row["reason"] = (
                f"{row['n_images']} pictures that count as {units_of:.1f} independent judgments: a verdict needs "
                f"{LEAST_IMAGES} and {LEAST_UNITS:.0f}"
            )
        rows.append(row)
    for name, n in believed.n_clicks.items():
        a = believed.accuracy[name]
        strength = n + STRENGTH
        low, high = (float(one) for one in beta_quantiles(np.array(a * strength), np.array((1.0 - a) * strength)))
        told = dict.fromkeys(one.name for one in columns.WORKERS)
        row = {"worker": name + CLICKING, "kind": "clicks", "n_eff": float(n), "accuracy": a}
        rows.append({**told, **row, "accuracy_low": low, "accuracy_high": high})
    return framed(rows, columns.WORKERS)
