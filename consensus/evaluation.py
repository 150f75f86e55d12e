"""Scores of labels and posteriors against known truth."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.errors import JudgmentError
from consensus.found.posterior import TIE
from consensus.found.truth_labels import gold_left_out, unknown_labels, without_a_label
from consensus.intervals import wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from consensus.inputs.gold import Gold

N_BINS = 10
SMALLEST = 1e-6  # log loss clips probabilities here


@dataclass(frozen=True, slots=True)
class Scores:
    """How good labels are; None where the table does not tell."""

    n_items: int
    """Items that have both a label and a truth."""
    accuracy: float
    """Share that is right, with its 95 % Wilson interval."""
    accuracy_low: float
    accuracy_high: float
    log_loss: float | None
    """Mean of -log P(truth), in nats, P clipped at 1e-6."""
    brier: float | None
    """Mean squared distance of the posterior to the truth, 0 to 2 (Brier 1950)."""
    ece: float | None
    """Expected calibration error of the top label, ten equal bins, 0 to 1."""
    notes: tuple[str, ...] = ()
    """What to know about them: items that are left out, truths that no label could be. In words."""

    def as_dict(self) -> dict[str, Any]:
        """The scores by name."""
        return asdict(self)


def of_posterior(posterior: NDArray[np.float64], accepted: NDArray[np.bool_]) -> Scores:
    """Score posteriors (N, K) against accepted labels (N, K); tied best labels share the credit.

    With several accepted labels, P(truth) is their sum.
    """
    peak = posterior.max(axis=1)
    tied = posterior >= peak[:, None] - TIE
    right = (tied & accepted).sum(axis=1) / tied.sum(axis=1)
    p_truth = np.where(accepted, posterior, 0.0).sum(axis=1)
    nearest = np.where(accepted, posterior, 0.0)
    none = p_truth <= 0
    nearest[none] = accepted[none]
    nearest /= nearest.sum(axis=1, keepdims=True)
    return Scores(
        **_accuracy(right),
        log_loss=float(-np.log(np.clip(p_truth, SMALLEST, 1.0)).mean()),
        brier=float(((posterior - nearest) ** 2).sum(axis=1).mean()),
        ece=calibration_error(peak, right),
    )


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """Mean over items of |accuracy - confidence| of their bin (Guo et al. 2017, equation 3)."""
    in_bin = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    gap = np.bincount(in_bin, weights=right - confidence, minlength=N_BINS)
    return float(np.abs(gap).sum() / len(confidence))


def evaluate(labels: pd.DataFrame, truth: Gold, label_set: Sequence[str] | None = None) -> tuple[Scores, pd.DataFrame]:
    """Score a table of labels or of posteriors against truth.

    Parameters
    ----------
    labels
        Either item and label (and, for the calibration error, confidence), as labels.csv; or item and one column
        of probabilities a label, as posteriors.csv.
        Items whose ``source`` is gold are left out: their label was given, not found.
    truth
        Accepted labels of items, from ``read_gold``.
    label_set
        All labels that could have been given. Default: those that have a column of probabilities; of a table of labels
        it is not known whether there are more than it holds.

    Returns
    -------
    scores, confusion
        ``confusion`` has one row a true label and label: true_label, label, count, share (of the true label). Items
        with several accepted labels count under the one that was given, else under the first. ``scores.notes`` say
        which items are left out as gold or for want of a label, and which truths are none of the labels.

    Raises
    ------
    JudgmentError
        No item has both a label and a truth, or only gold has; the truth has no label in common with the labels; an
        item has several rows, or a probability is none.
    """
    repeated = labels["item"].duplicated()
    if repeated.any():
        raise JudgmentError(
            f'item "{labels["item"][repeated].iloc[0]}" stands in several rows; give labels with one row an item'
        )
    every = labels
    if "source" in labels.columns:
        labels = labels[labels["source"] != "gold"]
    accepted: dict[str, list[str]] = {}
    for item, label in zip(truth.item, truth.label, strict=True):
        accepted.setdefault(item, []).append(label)
    known = labels[labels["item"].isin(list(accepted))]
    notes = gold_left_out(int(every["item"].isin(list(accepted)).sum()) - len(known), len(known))
    if not len(known):
        sample = f'items like "{every["item"].iloc[0]}"' if len(every) else "no items"
        raise JudgmentError(
            f"no item has both a label and a truth: the labels have {sample}, the truth has items like "
            f'"{truth.item[0]}"; check that both name items alike'
        )
    named = set(every["item"])
    notes += without_a_label(len(accepted), [item for item in accepted if item not in named])
    truths = [accepted[item] for item in known["item"]]
    if "label" in labels.columns:
        found = [label for label in every["label"].unique() if isinstance(label, str) and label]
        notes += unknown_labels(truths, [*found, *(label_set or ())], label_set is not None)
        given = known["label"].astype(object).to_list()
        right = np.array([label in true for label, true in zip(given, truths, strict=True)], np.float64)
        ece = None
        if "confidence" in labels.columns and known["confidence"].notna().all():
            _check_shares(known["confidence"].to_numpy(np.float64), 0.0, 1.0, "a confidence is")
            ece = calibration_error(known["confidence"].to_numpy(np.float64), right)
        scores = Scores(**_accuracy(right), log_loss=None, brier=None, ece=ece)
    else:
        names = [str(name) for name in labels.columns if name not in {"item", "source"}]
        notes += unknown_labels(truths, names, True)
        posterior = known[names].to_numpy(np.float64)
        _check_shares(posterior.sum(axis=1), 0.99, 1.01, "the probabilities of an item add up to")
        _check_shares(posterior.ravel(), 0.0, 1.0, "a probability is")
        mask = np.array([[name in true for name in names] for true in truths], np.bool_)
        scores = of_posterior(
            np.hstack([posterior, np.zeros((len(mask), 1))]),  # a column for truths outside the label set
            np.hstack([mask, ~mask.any(axis=1, keepdims=True)]),
        )
        given = [names[best] for best in posterior.argmax(axis=1)]
    return replace(scores, notes=notes), _confusion(given, truths)


def _check_shares(shares: NDArray[np.float64], least: float, most: float, what: str) -> None:
    outside = ~((shares >= least) & (shares <= most))  # NaN is outside
    if outside.any():
        raise JudgmentError(f"{what} {shares[outside][0]:g}; expected {least:g} to {most:g}")


def _accuracy(right: NDArray[np.float64]) -> dict[str, Any]:
    low, high = wilson(right.sum(), len(right))
    return {
        "n_items": len(right),
        "accuracy": float(right.mean()),
        "accuracy_low": float(low),
        "accuracy_high": float(high),
    }


def _confusion(given: Sequence[Any], truths: Sequence[Sequence[str]]) -> pd.DataFrame:
    import pandas as pd

    pairs = pd.DataFrame(
        {
            "true_label": [label if label in true else true[0] for label, true in zip(given, truths, strict=True)],
            "label": [label if isinstance(label, str) else "" for label in given],
        }
    )
    counts = pairs.value_counts(["true_label", "label"]).rename("count").reset_index()
    counts["share"] = counts["count"] / counts.groupby("true_label")["count"].transform("sum")
    return counts.sort_values(["true_label", "count", "label"], ascending=[True, False, True], ignore_index=True)
