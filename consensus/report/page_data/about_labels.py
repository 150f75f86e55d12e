"""About the labels: how many items have which, how sure that is, and whether gold agrees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.escalation import STATUSES
from consensus.intervals import clopper_pearson
from consensus.report.page_data.plain_records import plain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.result import Consensus

    Records = list[dict[str, Any]]

N_BINS = 20  # of the confidence
N_RELIABILITY_BINS = 10
MOST_LABELS = 40  # that are shown one by one; of more, those with most items


def label_records(
    result: Consensus, by_label: dict[str, dict[str, Any]], status: NDArray[np.int32] | None = None
) -> Records:
    """A row a label: items that have it, their share, the share that the model estimates, and how right it is.

    ``accepted_share`` is that of the items without gold; None where all have it.

    Parameters
    ----------
    result
        A fitted consensus.
    by_label
        What gold measured of the accepted items, by label, as in summary.json: where labels are many, of some of them.
    status
        (n_items, or more) position in ``escalation.STATUSES``, items first. Without, nothing is accepted.
    """
    labels = result.judgments.labels
    best = result.consensus_label
    n = np.bincount(best[best >= 0], minlength=len(labels))
    total = max(len(best), 1)
    accepted = np.zeros(len(best), np.bool_)
    if status is not None:
        accepted = status[: len(best)] == STATUSES.index("accepted")  # a tie never is
    n_accepted = np.bincount(best[accepted], minlength=len(labels))
    weight = result.judgments.weight
    own = np.ones(int(accepted.sum())) if weight is None else weight[accepted]
    mass = np.bincount(best[accepted], own, len(labels))
    wrong = np.bincount(best[accepted], (1.0 - result.confidence[accepted]) * own, len(labels))
    without_gold = best >= 0
    if result.gold is not None:
        without_gold[result.gold.items] = False
    n_open = np.bincount(best[without_gold], minlength=len(labels))
    shown = np.sort(np.argsort(-n, kind="stable")[:MOST_LABELS])
    found = []
    for k in shown.tolist():
        of = by_label.get(labels[k], {"gold_items": 0} if result.gold is None else {})
        found.append(
            {
                "label": labels[k],
                "items": int(n[k]),
                "share": plain(float(n[k]) / total),
                "estimated": plain(float(result.prior_shares[k])),
                "accepted": int(n_accepted[k]),
                "accepted_share": plain(float(n_accepted[k] / n_open[k])) if n_open[k] else None,
                "expected_error": plain(float(wrong[k] / mass[k])) if n_accepted[k] else None,
                **{
                    name: plain(of.get(name)) for name in ("gold_items", "gold_errors", "measured_error", "low", "high")
                },
            }
        )
    return found


def confidence_records(result: Consensus, status: NDArray[np.int32]) -> Records:
    """How many items have which confidence, by status: bins of 5 points, those with items."""
    if not result.identified:
        return []
    confidence = result.confidence
    bins = np.minimum((confidence * N_BINS).astype(np.int64), N_BINS - 1)
    codes = bins * len(STATUSES) + status[: len(bins)]
    counts = np.bincount(codes, minlength=N_BINS * len(STATUSES)).reshape(N_BINS, len(STATUSES))
    return [
        {
            "low": plain(b / N_BINS),
            "high": plain((b + 1) / N_BINS),
            "status": STATUSES[s],
            "rank": s,
            "items": int(counts[b, s]),
        }
        for b, s in np.argwhere(counts).tolist()
    ]


def reliability_records(result: Consensus) -> Records:
    """Gold items in bins of the confidence that they have without their gold: how many of each bin are right.

    With the exact 95 % interval (Clopper & Pearson 1934); nothing without gold.
    """
    if result.gold is None or result.gold_posterior is None or not result.identified:
        return []
    posterior = result.gold_posterior
    confidence, best = posterior.max(axis=1), posterior.argmax(axis=1)
    right = result.gold.accepted[np.arange(len(best)), best]
    bins = np.minimum((confidence * N_RELIABILITY_BINS).astype(np.int64), N_RELIABILITY_BINS - 1)
    found = []
    for b in np.flatnonzero(np.bincount(bins)).tolist():
        of = bins == b
        n, n_right = int(of.sum()), int(right[of].sum())
        low, high = clopper_pearson(n_right, n)
        found.append(
            {
                "confidence": plain(float(confidence[of].mean())),
                "right": plain(n_right / n),
                "low": plain(float(low)),
                "high": plain(float(high)),
                "items": n,
            }
        )
    return found
