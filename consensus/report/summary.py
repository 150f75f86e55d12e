"""What a run found, in numbers: the content of summary.json and of the words on screen."""

from __future__ import annotations

import importlib.metadata
import platform
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus import __version__, model_audit, model_tables, worker_audit
from consensus.config import AuditConfig
from consensus.escalation import STATUSES, change_counts, outlook
from consensus.report import quality

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.config import EscalateConfig
    from consensus.escalation import Escalation
    from consensus.judgments import Gold
    from consensus.previous import Previous
    from consensus.result import Consensus
    from consensus.votes import ModelFindings

LIBRARIES = ("numpy", "numba", "scipy", "pandas", "pyarrow")


def summary(
    result: Consensus,
    found: Escalation,
    escalate: EscalateConfig,
    gold: Gold | None,
    reading: dict[str, Any],
    audit: AuditConfig | None = None,
    previous: Previous | None = None,
) -> dict[str, Any]:
    """Everything that summary.json holds. It depends on the input and the settings alone, not on time or threads.

    Keys: provenance, settings, counts, verdicts, label_shares, convergence, quality, escalation (what the judgments
    that are needed will bring), changes (since the ``previous`` run; null without), models (null without), warnings;
    with the export of a platform also notes (what was understood of it).
    Numbers that do not exist are null, never words.
    """
    audit = audit or AuditConfig()
    judgments = result.judgments
    tally = judgments.tally
    convergence, tempering, models = result.convergence, result.tempering, result.models
    status = found.status(result)
    promise = quality.quality(result, status, escalate)
    told: dict[str, Any] = without_nan(
        {
            "provenance": {
                "consensus": __version__,
                "python": platform.python_version(),
                **{name: importlib.metadata.version(name) for name in LIBRARIES},
                "judgments": [asdict(source) for source in judgments.sources],
                "gold": [] if gold is None else [asdict(source) for source in gold.sources],
                "model_votes": [] if models is None else [asdict(source) for source in models.votes.sources],
                "seed": result.config.seed,
            },
            "settings": {
                **result.settings(),
                **escalate.model_dump(mode="json"),
                **audit.model_dump(mode="json"),
                **{name: value for name, value in reading.items() if name != "platform" or value is not None},
                **_collusion(result),
                "model": result.model,
            },
            "counts": {
                "rows": asdict(tally),
                "judgments": judgments.n_judgments,
                "items": judgments.n_items,
                "items_without_gold": judgments.n_items - (0 if result.gold is None else len(result.gold.items)),
                "workers": judgments.n_workers,
                "labels": judgments.n_labels,
                "gold_items": 0 if result.gold is None else len(result.gold.items) + len(result.gold.unjudged),
                "judgments_per_item": judgments.n_judgments / max(judgments.n_items, 1),
                "status": {STATUSES[code]: int(n) for code, n in enumerate(np.bincount(status)) if n},
            },
            "verdicts": worker_audit.verdict_counts(result, audit),
            "label_shares": dict(zip(judgments.labels, result.prior_shares.tolist(), strict=True)),
            "convergence": {
                "status": convergence.status,
                "converged": convergence.converged,
                "iterations": convergence.iterations,
                "prior_frozen_at": convergence.frozen_at,
                "objective": list(convergence.objective),
                "starts": result.starts,
                "confidence_by": "vote shares" if result.model == "majority_vote" else tempering.by,
                "rho": tempering.rho,
                "temperature": tempering.temperature,
                "temperature_gold_items": tempering.n_gold,
                "pseudo_counts": result.confusions.pseudo_counts.tolist()
                if judgments.n_labels <= quality.MOST_SHOWN
                else None,
            },
            "quality": promise,
            "escalation": asdict(outlook(result, found)),
            "changes": None if previous is None else change_counts(previous, result, status),
            "models": None if models is None else _models(result, models, status, escalate),
            "warnings": [asdict(warning) for warning in (*result.warnings, *quality.cautions(promise))],
            **({"notes": list(judgments.notes)} if judgments.notes else {}),
        }
    )
    return told


def _collusion(result: Consensus) -> dict[str, Any]:
    """The setting about workers who copy, where they were looked for."""
    return {} if result.copies is None else {"collusion": "merge" if result.copies.merged else "report"}


def _models(
    result: Consensus, models: ModelFindings, status: NDArray[np.int32], escalate: EscalateConfig
) -> dict[str, Any]:
    """What models did: votes, worth, and the judgments that they saved at this target.

    An item that is accepted with fewer judgments than people alone would have needed saves the difference, at least.
    """
    rated = model_audit.rated(result)
    ratings, median = rated.models, rated.median_worker
    n = result.judgments.per_item
    missing = np.maximum(escalate.min_judgments - n, 0)[status[: len(n)] == STATUSES.index("accepted")]
    return {
        "votes": asdict(models.votes.tally),
        "models": [
            {
                "model": name,
                "family": models.votes.families[models.votes.family[m]],
                "votes": ratings[m].n_votes,
                "rated_on": ratings[m].n_rated,
                "accuracy": ratings[m].accuracy,
                "weight": ratings[m].weight,
                "temperature": ratings[m].temperature,
                "worth": model_audit.worth(ratings[m].information, median),
                "reason": model_tables.reason(ratings[m], models, m),
            }
            for m, name in enumerate(models.votes.models)
        ],
        "families": [asdict(family) for family in rated.families],
        "weight_of_class_prior": float(models.weights.weight[0]),
        "items_settled_by_models_alone": int(((status[: len(n)] == STATUSES.index("accepted")) & (n == 0)).sum()),
        "judgments_saved": int(missing.sum()),
    }


def without_nan(value: Any) -> Any:
    """The same with None for NaN: JSON has no NaN."""
    if isinstance(value, dict):
        return {key: without_nan(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(one) for one in value]
    return None if isinstance(value, float) and np.isnan(value) else value
