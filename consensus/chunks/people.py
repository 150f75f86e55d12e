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

TAKEN = ("accuracy", "accuracy_low", "accuracy_high", "verdict", "verdict_probability", "reason")


def workers(result: Consensus, people: People, n_images: Mapping[str, int], believed: Believed) -> pd.DataFrame:
    """One row a worker (see ``columns.WORKERS``), then who clicks; ``n_images`` are the pictures that models saw."""
    rows = []
    audited = worker_audit.audit(result)
    for one in audited[audited["kind"] != "family"].to_dict("records"):
        name, kind = str(one["worker"]), str(one["kind"])
        told = people.of(name if kind == "human" else "")
        told["n_images"] = told["n_images"] or n_images.get(name, 0)
        units = one["effective_judgments"] if kind == "human" else None
        taken = {key: one[key] for key in TAKEN}
        taken["reason"] = str(taken["reason"]).replace("cluster", "picture")  # which is what clusters are here
        rows.append({"worker": name, "kind": kind, "n_eff": units, **told, **taken})
    for name, n in believed.n_clicks.items():
        a = believed.accuracy[name]
        strength = n + STRENGTH
        low, high = (float(one) for one in beta_quantiles(np.array(a * strength), np.array((1.0 - a) * strength)))
        told = dict.fromkeys(one.name for one in columns.WORKERS)
        row = {"worker": name + CLICKING, "kind": "clicks", "n_eff": float(n), "accuracy": a}
        rows.append({**told, **row, "accuracy_low": low, "accuracy_high": high})
    return framed(rows, columns.WORKERS)
