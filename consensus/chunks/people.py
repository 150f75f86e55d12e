"""The table of workers: how well they paint or click, by the audit of the house and by their outlines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus import worker_audit
from consensus.chunks import columns
from consensus.chunks.tables import framed

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from consensus.chunks.tables import People
    from consensus.found.result import Consensus

LEAST_IMAGES = 5
LEAST_UNITS = 20.0
"""Pictures, and independent judgments, below which nobody gets a verdict."""
TAKEN = ("accuracy", "accuracy_low", "accuracy_high", "verdict", "verdict_probability", "reason")


def workers(result: Consensus, people: People, n_images: Mapping[str, int]) -> pd.DataFrame:
    """One row a worker (see ``columns.WORKERS``); ``n_images`` are pictures that each clicked in, or each model saw."""
    judgments, units = result.judgments, result.units
    assert units is not None
    counted = np.bincount(judgments.worker, weights=units.judgment, minlength=judgments.n_workers)
    n_units = dict(zip(judgments.worker_ids.to_pylist(), counted.tolist(), strict=True))
    rows = []
    for one in worker_audit.audit(result).to_dict("records"):
        name, kind = str(one["worker"]), str(one["kind"])
        if kind == "family":
            continue
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
    return framed(rows, columns.WORKERS)
