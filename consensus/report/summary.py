"""What a run found, in numbers: the content of summary.json and of the words on screen."""

from __future__ import annotations

import importlib.metadata
import platform
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus import worker_audit
from consensus.escalation import STATUSES
from consensus.inputs.earlier_run import SETTLED
from consensus.inputs.understood import written
from consensus.report import class_shares, counting_words, quality
from consensus.report.nameless import nameless
from consensus.version import VERSION
from consensus.votes_audit import model_ratings, models_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.result import Consensus
    from consensus.inputs.judgments import Judgments
    from consensus.inputs.model_votes import ModelFindings
    from consensus.runs.whole_run import Run

LIBRARIES = ("numpy", "numba", "scipy", "pandas", "pyarrow")


def summary(run: Run) -> dict[str, Any]:
    """Everything that summary.json holds. It depends on the input and the settings alone, not on time or threads.

    Keys: provenance, settings, counts, verdicts, label_shares (estimated by the model), class_shares (by random gold,
    with intervals), convergence, quality (of what is accepted; beside a set, quality_item_by_item of what would be so
    one by one), certificate (what gold certifies as a set; null without), escalation (what the judgments that are
    needed will bring), changes (since the earlier run; null without), models (null without), readings (null where
    there is one), warnings; where items have weights or clusters also units (what they count for, after counts); where
    judgments were read also understood (what their columns were taken for), and with
    the export of a platform notes (what was understood of it).
    Numbers that do not exist are null, never words.
    """
    result, judgments = run.result, run.result.judgments
    told: dict[str, Any] = without_nan(
        {
            "provenance": _provenance(run),
            "settings": {
                **result.settings(),
                **run.rule.model_dump(mode="json"),
                **run.audit.config.model_dump(mode="json"),
                **run.reading,
                **_collusion(result),
                "model": result.model,
            },
            "counts": _counts(result, run.status),
            **counting_words.told(result),
            "verdicts": worker_audit.verdict_counts(run.audit),
            "label_shares": dict(zip(judgments.labels, result.prior_shares.tolist(), strict=True)),
            "class_shares": class_shares.in_numbers(run.shares),
            "convergence": _convergence(result),
            "quality": run.promise,
            **({} if run.rule.promise == "item" else {"quality_item_by_item": run.item_promise}),
            "certificate": run.certificate,
            "escalation": asdict(run.outlook),
            "changes": run.changes,
            "models": None if result.models is None else _models(run, result.models),
            "readings": None if result.readings is None else result.readings.in_short(),
            **({} if run.since is None else {"state": run.since.told}),
            "warnings": [asdict(warning) for warning in run.warnings],
            **_understood(judgments),
            **({"notes": list(judgments.notes)} if judgments.notes else {}),
        }
    )
    return told if judgments.renaming.key is None else nameless(told)


def _provenance(run: Run) -> dict[str, Any]:
    """Which versions read which files."""
    result, gold = run.result, run.inputs.gold
    models = result.models
    return {
        "consensus": VERSION,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in LIBRARIES},
        "judgments": [asdict(source) for source in result.judgments.sources],
        "gold": [] if gold is None else [asdict(source) for source in gold.sources],
        "model_votes": [] if models is None else [asdict(source) for source in models.votes.sources],
        "label_map": [asdict(source) for source in result.judgments.renaming.sources],
        "seed": result.config.seed,
    }


def _understood(judgments: Judgments) -> dict[str, Any]:
    """What the columns of the sources were taken for, where these were read; whether gold or model votes stand among
    them, how files and times are written where that was said or found out, and whether it was said which of the repeats
    count.
    """  # noqa: D205
    if not judgments.understood:
        return {}
    assert judgments.reading is not None
    return {
        "understood": {
            "columns": [column._asdict() for column in judgments.understood],
            "unused": list(judgments.unused),
            "gold": judgments.gold is not None,
            **({} if judgments.model_votes is None else {"model_votes": True}),
            **written(judgments.reading),
            "repeats": "named" if "repeats" in judgments.reading.model_fields_set else "default",
            **({} if judgments.time_format is None else {"time_format": judgments.time_format}),
        }
    }


def _counts(result: Consensus, status: NDArray[np.int32]) -> dict[str, Any]:
    """How much came in, and what became of it; rows used = judgments + judgments_merged, where groups count as one."""
    judgments, gold = result.judgments, result.gold
    return {
        "rows": asdict(judgments.tally),
        "judgments": judgments.n_judgments,
        **({"judgments_merged": result.copies.n_merged} if result.copies is not None and result.copies.merged else {}),
        "items": judgments.n_items,
        "items_without_gold": judgments.n_items - (0 if gold is None else len(gold.items)),
        "workers": judgments.n_workers,
        "labels": judgments.n_labels,
        "gold_items": 0 if gold is None else len(gold.items) + len(gold.unjudged),
        "judgments_per_item": judgments.n_judgments / max(judgments.n_items, 1),
        "status": {STATUSES[code]: int(n) for code, n in enumerate(np.bincount(status)) if n},
    }


def _convergence(result: Consensus) -> dict[str, Any]:
    """How the fit ended, and by what confidences are tempered."""
    convergence, tempering = result.convergence, result.tempering
    few = result.judgments.n_labels <= quality.MOST_SHOWN
    calibration = result.calibration
    calibrated = calibration is not None and calibration.fitted
    return {
        "status": convergence.status,
        "converged": convergence.converged,
        "iterations": convergence.iterations,
        "prior_frozen_at": convergence.frozen_at,
        "objective": list(convergence.objective),
        "starts": result.starts,
        "confidence_by": "vote shares"
        if result.model == "majority_vote"
        else "gold"
        if calibrated
        else "design effect",
        "rho": tempering.rho,
        "rho_range": tempering.rho_range,
        **({} if result.chosen_because is None else {"model_because": result.chosen_because}),
        "calibration": None if calibration is None else calibration.in_short(result.judgments.labels if few else ()),
        "pseudo_counts": result.confusions.pseudo_counts.tolist() if few else None,
    }


def _collusion(result: Consensus) -> dict[str, Any]:
    """The setting about workers who judge too much alike, where they were looked for."""
    return {} if result.copies is None else {"collusion": result.copies.collusion}


def _models(run: Run, models: ModelFindings) -> dict[str, Any]:
    """What models did: votes, worth, and the judgments that they saved at this target.

    An item that is accepted with fewer judgments than people alone would have needed saves the difference, at least.
    """
    rated = run.audit.models
    assert rated is not None
    ratings, median = rated.models, rated.median_worker
    n = run.result.judgments.per_item
    accepted = np.isin(run.status[: len(n)], [STATUSES.index(name) for name in SETTLED])
    missing = np.maximum(run.rule.min_judgments - n, 0)[accepted]
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
                "worth": model_ratings.worth(ratings[m].information, median),
                "echo": float(models.echoes.share[m]),
                "declared_family": models.shared.declared[m],
                "reason": models_table.reason(ratings[m], models, m),
            }
            for m, name in enumerate(models.votes.models)
        ],
        "families": [asdict(family) for family in rated.families],
        "weight_of_class_prior": float(models.weights.weight[0]),
        "items_settled_by_models_alone": int((accepted & (n == 0)).sum()),
        "judgments_saved": int(missing.sum()),
    }


def without_nan(value: Any) -> Any:
    """The same with None for NaN: JSON has no NaN."""
    if isinstance(value, dict):
        return {key: without_nan(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(one) for one in value]
    return None if isinstance(value, float) and np.isnan(value) else value
