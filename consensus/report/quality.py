"""The promise about the accepted items: how many of them are expected to be wrong, and what gold says to that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.escalation import STATUSES, unaudited
from consensus.found.cautions import Caution
from consensus.inputs.earlier_run import SETTLED
from consensus.intervals import LEVEL, Z, clopper_pearson
from consensus.report import beyond_gold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.config import EscalateConfig
    from consensus.found.result import Consensus
    from consensus.guarantees import Certified

    Reals = NDArray[np.float64]
    Flags = NDArray[np.bool_]

MOST_SHOWN = 20  # labels told one by one; of more, those with the most accepted items


def quality(
    result: Consensus, status: NDArray[np.int32], escalate: EscalateConfig, certified: Certified | None = None
) -> dict[str, Any]:
    """Expected error of the accepted items, and the measured error on gold items judged by the same rule.

    ``expected_error`` is the mean of 1 - confidence; its interval is the spread of that many errors (normal) *if the
    confidences are right*. ``gold`` compares each gold item with what its label would have been without its gold
    (``Consensus.gold_posterior``), over all of them and over those that the rule would have accepted; intervals are
    exact (Clopper & Pearson 1934). Where confidences were calibrated on gold, each gold item is calibrated on gold of
    other folds (five, by a hash of the id): it has no say in whether it is accepted. The rule asks for the least
    confidence that was accepted: after an earlier run that may be below the target. Where a ``certified`` set is
    accepted, it takes the gold items that are as sure in the fit that has not seen gold, with the labels of that one.
    ``audited`` is true if the rule would have accepted any gold item. ``by_label`` tells the same of each label.

    All this is about what gold speaks for (``found.gold_reach``), where there is gold. ``beyond_gold`` tells what else
    is accepted (``report.beyond_gold.told``); it is not there if there is nothing else.
    """
    n_items = result.judgments.n_items
    accepted = status[:n_items] == STATUSES.index("accepted")
    label, wrong = result.consensus_label[accepted], 1.0 - result.confidence[accepted]
    n = len(wrong)
    spread = Z * np.sqrt(float((wrong * (1 - wrong)).sum())) / max(n, 1)
    expected = _mean(wrong)
    found: dict[str, Any] = {
        "target": escalate.target,
        "items": n_items - (0 if result.gold is None else len(result.gold.items)),
        "accepted": n,
        "audited": False,
        "expected_error": expected,
        "expected_error_low": max(expected - spread, 0.0),
        "expected_error_high": min(expected + spread, 1.0),
        "interval_level": LEVEL,
        "gold": None,
    }
    best, right, settled = np.zeros(0, np.int64), np.zeros(0, np.bool_), np.zeros(0, np.bool_)
    if result.gold is not None and result.gold_posterior is not None:
        posterior = result.gold_posterior
        best = posterior.argmax(axis=1)
        right = result.gold.accepted[np.arange(len(best)), best]
        per_item = result.judgments.per_item[result.gold.items]
        enough = per_item >= escalate.min_judgments
        if result.models is not None:
            enough |= result.models.vouched[result.gold.items]
        bar = min(escalate.target, float(result.confidence[accepted].min(initial=1.0)))
        settled = (posterior.max(axis=1) >= bar) & enough
        if result.reach is not None:
            settled &= result.reach.items[result.gold.items]
        if certified is not None:
            posterior, settled = certified.of_gold(result)
            best = posterior.argmax(axis=1)
            right = result.gold.accepted[np.arange(len(best)), best]
        alone = settled & (per_item == 0)
        found["audited"] = bool(settled.any())
        found["gold"] = {"all": _measured(right, posterior), "accepted": _measured(right[settled], posterior[settled])}
        if result.models is not None:
            found["gold"]["accepted_by_models_alone"] = _measured(right[alone], posterior[alone])
    counts = np.bincount(label, minlength=result.judgments.n_labels)  # a tie is never accepted
    shown = np.sort(np.argsort(-counts, kind="stable")[:MOST_SHOWN])
    found["by_label"] = {
        result.judgments.labels[k]: _of_label(wrong[label == k], right[settled & (best == k)]) for k in shown.tolist()
    }
    if result.reach is not None:
        why = unaudited.why(result, np.isin(status[:n_items], [STATUSES.index(name) for name in SETTLED]))
        if (why >= 0).any():
            found["beyond_gold"] = beyond_gold.told(result, result.reach, why, right)
    return found


def cautions(quality: dict[str, Any]) -> list[Caution]:
    """Say so where gold contradicts the expected error, or does not speak for what is accepted."""
    beyond = beyond_gold.caution(quality)
    found = [] if beyond is None else [beyond]
    if not (quality["audited"] and quality["accepted"]):
        return found
    gold, expected = quality["gold"]["accepted"], quality["expected_error"]
    if gold["low"] <= expected:
        return found
    return [
        *found,
        Caution(
            "overconfident",
            f"{gold['errors']:,} of the {gold['items']:,} gold items that would be accepted are wrong "
            f"({gold['measured_error']:.1%} [{gold['low']:.1%}, {gold['high']:.1%}]), and {expected:.1%} are "
            "expected: trust the measured error, and raise --target, give more gold or check the gold (consensus "
            "audit --table gold)",
            {"measured_error": gold["measured_error"], "low": gold["low"], "expected_error": expected},
        ),
    ]


def _of_label(wrong: Reals, right: Flags) -> dict[str, float]:
    """Accepted items of a label that are expected to be ``wrong``, and gold items accepted as it that are ``right``."""
    return {"accepted": len(wrong), "expected_error": _mean(wrong), **_counted(right)}


def _measured(right: Flags, posterior: Reals) -> dict[str, float]:
    counted = _counted(right)
    return {
        "items": counted.pop("gold_items"),
        "errors": counted.pop("gold_errors"),
        **counted,
        "claimed_error": _mean(1.0 - posterior.max(axis=1, initial=0.0)),
    }


def _counted(right: Flags) -> dict[str, float]:
    n, n_wrong = len(right), int((~right).sum())
    low, high = clopper_pearson(n_wrong, n)
    return {
        "gold_items": n,
        "gold_errors": n_wrong,
        "measured_error": n_wrong / n if n else np.nan,
        "low": float(low),
        "high": float(high),
    }


def _mean(values: Reals) -> float:
    return float(values.mean()) if len(values) else np.nan
