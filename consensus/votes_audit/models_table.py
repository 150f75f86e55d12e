"""What is known about models as tables, and why each counts as it does in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from consensus.intervals import wilson
from consensus.models.votes_contact import MET
from consensus.votes_audit import model_ratings

if TYPE_CHECKING:
    from consensus.found.result import Columns, Consensus
    from consensus.inputs.model_votes import ModelFindings
    from consensus.votes_audit.model_ratings import Ratings

NO_WEIGHT = 0.02  # below, a model adds nothing
COLUMNS = (
    *("model", "family", "label", "n_votes", "n_rated", "accuracy", "accuracy_low", "accuracy_high", "weight"),
    *("temperature", "ece", "ece_calibrated", "worth", "echo", "declared_family", "n_effective", "reason"),
)


class Audited(Protocol):
    """What the table needs of the audit of a result."""

    @property
    def result(self) -> Consensus:
        """What was fitted."""

    @property
    def models(self) -> Ratings | None:
        """What every model is worth."""


def beside_workers(columns: Columns, audit: Audited) -> Columns:
    """The columns of workers.csv with a row for each model, and for each family of several."""
    import pyarrow as pa

    models, rated = _known(audit)
    ratings, median = rated.models, rated.median_worker
    rows: list[dict[str, Any]] = []
    for m, rating in enumerate(ratings):
        gold_low, gold_high = wilson(rating.gold_right, rating.gold_n)
        row = {"worker": models.votes.models[m], "kind": "model", "n_judgments": rating.n_votes}
        row |= {"n_items": rating.n_votes, "accuracy": rating.accuracy, "accuracy_low": rating.low}
        row |= {
            "accuracy_high": rating.high,
            "label_adjusted_accuracy": rating.accuracy,
            "gold_n": rating.gold_n,
            "gold_low": float(gold_low),
            "gold_high": float(gold_high),
        }
        row |= {"gold_accuracy": rating.gold_right / rating.gold_n if rating.gold_n else np.nan}
        row |= {"agreement": rating.agreement, "informativeness": rating.information / np.log(2.0)}
        row |= {"worth": model_ratings.worth(rating.information, median)}
        rows.append(row | {"reason": reason(rating, models, m)})
    for family in rated.families:
        votes = [ratings[models.votes.models.index(name)].n_votes for name in family.models]
        row = {"worker": family.name, "kind": "family", "n_judgments": sum(votes), "n_items": max(votes)}
        rows.append(row | {"gold_n": 0, "reason": family_reason(family)})
    found: Columns = {}
    for name, column in columns.items():
        if isinstance(column, np.ndarray):
            unknown = 0 if column.dtype.kind == "i" else np.nan
            more = np.array([row.get(name, unknown) for row in rows]).astype(column.dtype)
            found[name] = np.concatenate([column, more])
        else:
            found[name] = pa.concat_arrays([column, pa.array([row.get(name) for row in rows], pa.string())])
    return found


def family_reason(family: model_ratings.FamilyRating) -> str:
    """What the models of a family are worth together, in words."""
    shown = f"{len(family.models)} models count as {family.n_effective:.2f} independent ones"
    if np.isfinite(family.shared_mistakes):
        shown += f"; {family.shared_mistakes:.0%} of their mistakes are shared"
    if family.worst:
        shown += "; most often " + "; ".join(f"{wrong} for {true} ({n} times)" for true, wrong, n in family.worst)
    return shown


def table(audit: Audited) -> Columns:
    """Columns of models.csv: a row a model, then one for each true label; families last.

    model, family, label (null: overall), n_votes, n_rated (items that people judged), accuracy, accuracy_low,
    accuracy_high, weight, temperature, ece, ece_calibrated, worth (judgments of the median worker that one vote
    equals beside the people: of its own answers, echoes of them left out), echo (share of its votes that repeat the
    majority of people), declared_family (where it is another one), n_effective (of a family), reason.
    """
    import pyarrow as pa

    judgments, (models, rated) = audit.result.judgments, _known(audit)
    ratings, median, median_by_label = rated.models, rated.median_worker, rated.median_worker_by_label
    rows: list[dict[str, Any]] = []
    for m, rating in enumerate(ratings):
        shared = {"model": models.votes.models[m], "family": models.votes.families[models.votes.family[m]]}
        shared |= {"n_votes": rating.n_votes, "n_rated": rating.n_rated}
        shared |= {"echo": float(models.echoes.share[m])}
        declared = models.shared.declared[m]
        shared |= {"declared_family": None if declared == shared["family"] else declared}
        whole = {"accuracy": rating.accuracy, "accuracy_low": rating.low, "accuracy_high": rating.high}
        whole |= {"weight": rating.weight, "temperature": rating.temperature, "ece": rating.ece}
        whole |= {"ece_calibrated": rating.ece_calibrated, "worth": model_ratings.worth(rating.information, median)}
        rows.append(shared | whole | {"reason": reason(rating, models, m)})
        for k, label in enumerate(judgments.labels):
            told = model_ratings.worth(float(rating.information_by_label[k]), float(median_by_label[k]))
            rows.append(shared | {"label": label, "accuracy": float(rating.by_label[k]), "worth": told})
    for family in rated.families:
        n_votes = sum(ratings[models.votes.models.index(name)].n_votes for name in family.models)
        one = {"family": family.name, "n_votes": n_votes, "n_effective": family.n_effective}
        rows.append(one | {"reason": family_reason(family)})
    texts, counts = ("model", "family", "label", "declared_family", "reason"), ("n_votes", "n_rated")
    found: Columns = {}
    for name in COLUMNS:
        if name in texts:
            found[name] = pa.array([row.get(name) for row in rows], pa.string())
        elif name in counts:
            found[name] = np.array([row.get(name, 0) for row in rows], np.int64)
        else:
            found[name] = np.array([row.get(name, np.nan) for row in rows], np.float64)
    return found


def _known(audit: Audited) -> tuple[ModelFindings, Ratings]:
    """What models said, and what each is worth: there are some."""
    models, rated = audit.result.models, audit.models
    assert models is not None
    assert rated is not None
    return models, rated


def _echoing(models: ModelFindings, m: int) -> str:
    """What a model is worth that repeats the majority of people, in words."""
    shown = (
        f"repeats the majority of people in {models.echoes.share[m]:.0%} of its votes, so that agreeing with it tells"
    )
    shown += " next to nothing" if models.echoes.mostly[m] else " less"
    if not models.echoes.accused[m]:
        shown += "; that cannot be told from a model that errs on the same items"
    return f"{shown}; only the label that it names counts"


def reason(rating: model_ratings.Rating, models: ModelFindings, m: int) -> str:
    """Why a model counts as it does, in words."""
    if models.circular[m]:
        return "circular: trained on these judgments; counts only where nobody judged"
    if models.echoes.share[m] > 0 and not models.believed[m]:
        return _echoing(models, m)
    if not models.known[m]:
        met = f"met {models.met[m]:.0f} items that two people judged ({MET} needed)"
        return f"{met}: only the label that it names counts"
    if not models.believed[m]:
        return "names labels without probabilities: one voice of its family"
    temperature, weight = f"temperature {rating.temperature:.2f}", f"weight {rating.weight:.2f}"
    if not rating.temperature < model_ratings.MEANINGLESS:
        return f"its probabilities tell next to nothing ({temperature}); {weight}"
    sure = "calibrated"
    if not 0.9 <= rating.temperature <= 1.1:
        sure = "too sure of itself" if rating.temperature > 1.0 else "too modest"
    if rating.weight < NO_WEIGHT:
        weight += ": it tells nothing that the others do not"
    return f"{sure} ({temperature}); {weight}"
