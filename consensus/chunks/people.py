"""The table of workers: how well they paint or click, by the audit of the house and by their outlines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus import worker_audit
from consensus.chunks import columns
from consensus.chunks.clicks import CLICKING, STRENGTH
from consensus.chunks.tables import framed
from consensus.found.result import BETWEEN
from consensus.intervals import beta_quantiles

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from consensus.chunks.clicks import Believed
    from consensus.chunks.tables import People
    from consensus.found.result import Consensus

CONFUSED, MOST_CONFUSED = 0.1, 3
"""The lower end of its interval from which a mistake is told, and how many are told."""
TAKEN = ("accuracy", "accuracy_low", "accuracy_high", "verdict", "verdict_probability", "reason")


def workers(
    result: Consensus, confusions: pd.DataFrame, people: People, n_images: Mapping[str, int], believed: Believed
) -> pd.DataFrame:
    """One row a worker (see ``columns.WORKERS``), then who clicks.

    ``confusions`` is the table of who takes what for what, ``n_images`` the pictures that models saw.
    """
    rows, confused = [], _confused(confusions)
    audited = worker_audit.audit(result)
    for one in audited[audited["kind"] != "family"].to_dict("records"):
        name, kind = str(one["worker"]), str(one["kind"])
        told = people.of(name if kind == "human" else "")
        told["n_images"] = told["n_images"] or n_images.get(name, 0)
        units = one["effective_judgments"] if kind == "human" else None
        taken = {key: one[key] for key in TAKEN}
        taken["reason"] = str(taken["reason"]).replace("cluster", "picture")  # which is what clusters are here
        rows.append({"worker": name, "kind": kind, "n_eff": units, **told, "confuses": confused.get(name), **taken})
    for name, n in believed.n_clicks.items():
        a = believed.accuracy[name]
        strength = n + STRENGTH
        low, high = (float(one) for one in beta_quantiles(np.array(a * strength), np.array((1.0 - a) * strength)))
        told = dict.fromkeys(one.name for one in columns.WORKERS)
        row = {"worker": name + CLICKING, "kind": "clicks", "n_eff": float(n), "accuracy": a}
        rows.append({**told, **row, "accuracy_low": low, "accuracy_high": high})
    return framed(rows, columns.WORKERS)


def _confused(confusions: pd.DataFrame) -> dict[str, str]:
    """By worker, what they take for what, most pixels first: mistakes that are surely no exceptions."""
    found: dict[str, list[str]] = {}
    clear = confusions[(confusions["true_label"] != confusions["label"]) & (confusions["low"] >= CONFUSED)]
    for one in clear.sort_values("count", ascending=False, kind="stable").to_dict("records"):
        pairs = found.setdefault(str(one["worker"]), [])
        if len(pairs) < MOST_CONFUSED:
            pairs.append(f"{one['true_label']} for {one['label']}: {one['probability']:.0%}")
    return {name: BETWEEN.join(pairs) for name, pairs in found.items()}
