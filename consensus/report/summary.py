"""What a run found, in numbers: the content of summary.json and of the words on screen."""

from __future__ import annotations

import importlib.metadata
import platform
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus import __version__, model_audit, model_tables, worker_audit
from consensus.config import AuditConfig
from consensus.escalation import STATUSES
from consensus.intervals import LEVEL, Z, wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.config import EscalateConfig
    from consensus.judgments import Gold
    from consensus.result import Consensus
    from consensus.votes import ModelFindings

MOST_SHOWN = 20  # labels up to which the prior of the confusions stands in the summary
LIBRARIES = ("numpy", "numba", "scipy", "pandas", "pyarrow")


def summary(
    result: Consensus,
    status: NDArray[np.int32],
    escalate: EscalateConfig,
    gold: Gold | None,
    reading: dict[str, Any],
    audit: AuditConfig | None = None,
) -> dict[str, Any]:
    """Everything that summary.json holds. It depends on the input and the settings alone, not on time or threads.

    Keys: provenance, settings, counts, verdicts, label_shares, convergence, quality, models (null without), warnings.
    Numbers that do not exist are null, never words.
    """
    audit = audit or AuditConfig()
    judgments = result.judgments
    tally = judgments.tally
    convergence, models = result.convergence, result.models
    found: dict[str, Any] = _without_nan(
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
                **reading,
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
                "rho": result.rho,
                "pseudo_counts": result.confusions.pseudo_counts.tolist() if judgments.n_labels <= MOST_SHOWN else None,
            },
            "quality": quality(result, status, escalate),
            "models": None if models is None else _models(result, models, status, escalate),
            "warnings": [asdict(warning) for warning in result.warnings],
        }
    )
    return found


def quality(result: Consensus, status: NDArray[np.int32], escalate: EscalateConfig) -> dict[str, Any]:
    """Expected error of the accepted items, and the measured error on gold items judged by the same rule.

    ``expected_error`` is the mean of 1 - confidence; its interval is the spread of that many errors (normal) *if the
    confidences are right*. ``gold`` compares each gold item with what its label would have been without its gold
    (``models.cavity``), over all of them and over those that the rule would have accepted; intervals are Wilson's.
    ``audited`` is true if the rule would have accepted any gold item.
    """
    accepted = status[: result.judgments.n_items] == STATUSES.index("accepted")
    wrong = 1.0 - result.confidence[accepted]
    n = len(wrong)
    spread = Z * np.sqrt(float((wrong * (1 - wrong)).sum())) / max(n, 1)
    expected = float(wrong.mean()) if n else np.nan
    found: dict[str, Any] = {
        "target": escalate.target,
        "accepted": n,
        "audited": False,
        "expected_error": expected,
        "expected_error_low": max(expected - spread, 0.0),
        "expected_error_high": min(expected + spread, 1.0),
        "interval_level": LEVEL,
        "gold": None,
    }
    if result.gold is not None and result.gold_posterior is not None:
        posterior = result.gold_posterior
        best = posterior.argmax(axis=1)
        right = result.gold.accepted[np.arange(len(best)), best]
        per_item = result.judgments.per_item[result.gold.items]
        enough = per_item >= escalate.min_judgments
        if result.models is not None:
            enough |= result.models.vouched[result.gold.items]
        settled = (posterior.max(axis=1) >= escalate.target) & enough
        alone = settled & (per_item == 0)
        found["audited"] = bool(settled.any())
        found["gold"] = {"all": _measured(right, posterior), "accepted": _measured(right[settled], posterior[settled])}
        if result.models is not None:
            found["gold"]["accepted_by_models_alone"] = _measured(right[alone], posterior[alone])
    return found


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


def _measured(right: np.ndarray[Any, Any], posterior: np.ndarray[Any, Any]) -> dict[str, float]:
    n, n_wrong = len(right), int((~right).sum())
    low, high = wilson(n_wrong, n)
    return {
        "items": n,
        "errors": n_wrong,
        "measured_error": n_wrong / n if n else np.nan,
        "low": float(low),
        "high": float(high),
        "claimed_error": float(1.0 - posterior.max(axis=1).mean()) if n else np.nan,
    }


def _without_nan(value: Any) -> Any:
    """The same with None for NaN: JSON has no NaN."""
    if isinstance(value, dict):
        return {key: _without_nan(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and np.isnan(value) else value
