"""What items count for, where they have weights or stand in clusters: in numbers and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.inputs.counted import counted

if TYPE_CHECKING:
    from consensus.found.result import Consensus


def told(result: Consensus) -> dict[str, Any]:
    """``{"units": ...}`` for summary.json; nothing where each item counts as one.

    - ``weights``: their ``sum``, the ``smallest`` and the ``largest``.
    - ``clusters``: how many, ``items_per_cluster`` (the mean), ``largest`` (items of that), items ``alone``, without
      one; ``independent_items``, how many one counts as (the mean); ``n_eff``, the most that one counts as, however
      large; whether that was ``estimated``. Null where the model counts no units.
    - ``items``: how many independent items all of them count as.
    """
    judgments, units = result.judgments, result.units
    found: dict[str, Any] = {}
    if judgments.weight is not None and judgments.n_items:
        weight = judgments.weight
        found["weights"] = {
            "sum": float(weight.sum()),
            "smallest": float(weight.min()),
            "largest": float(weight.max()),
        }
    if judgments.cluster is not None:
        n_each = np.bincount(judgments.cluster[judgments.cluster >= 0], minlength=judgments.n_clusters)
        n_units = 0.0 if units is None else units.item[judgments.cluster >= 0].sum()
        found["clusters"] = {
            "count": judgments.n_clusters,
            "items_per_cluster": float(n_each.mean()) if len(n_each) else None,
            "largest": int(n_each.max(initial=0)),
            "alone": judgments.n_items - int(n_each.sum()),
            "independent_items": None if units is None or not len(n_each) else float(n_units / len(n_each)),
            "n_eff": None if units is None else units.n_eff,
            "estimated": None if units is None else units.told,
        }
    if found and units is not None:
        found["items"] = float(units.item.sum())
    return {"units": found} if found else {}


def lines(units: dict[str, Any] | None) -> list[str]:
    """The same in words: a line about weights, and one about clusters."""
    weights, clusters = (None if units is None else units.get(name) for name in ("weights", "clusters"))
    said = []
    if weights is not None:
        said.append(
            f"items count by weight: {weights['sum']:,.6g} in all, {weights['smallest']:,.6g} to "
            f"{weights['largest']:,.6g} each"
        )
    if clusters is not None:
        several = clusters["items_per_cluster"]
        sizes = "" if several is None else f" of {several:,.1f} items on average ({clusters['largest']:,} at most)"
        said.append(f"{counted(clusters['count'], 'cluster')}{sizes}{_worth(clusters)}")
    return said


def _worth(clusters: dict[str, Any]) -> str:
    """How many independent items a large cluster counts as."""
    if clusters["n_eff"] is None or not clusters["count"]:
        return ""
    how = "" if clusters["estimated"] else " (assumed: fewer than five workers judged two clusters)"
    return (
        "; the items of one err together, so one counts as "
        f"{clusters['independent_items']:,.3g} independent items on average, and at most {clusters['n_eff']:,.3g}{how}"
    )


def of(promise: dict[str, Any]) -> str:
    """What the shares of a ``quality`` are of, behind a percentage; nothing where items count alike."""
    return " of the weight" if "weight" in promise else ""


def accepted(promise: dict[str, Any]) -> str:
    """Such as `` (83.1% of the weight)``: what of the weight is accepted; nothing where items count alike."""
    weight = promise.get("weight")
    if weight is None or not weight["items"]:
        return ""
    share = (weight["accepted"] + promise.get("beyond_gold", {}).get("weight", 0.0)) / weight["items"]
    return f" ({share:.1%} of the weight)"
