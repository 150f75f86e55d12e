"""The promise about the accepted items: how many of them are expected to be wrong, and what gold says to that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.escalation import STATUSES, unaudited
from consensus.found.cautions import Caution
from consensus.found.counting import Counting, mean, some
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

    Where items have weights or stand in clusters, all shares and means are of weight, and their intervals those of as
    many independent items as they are worth (``found.counting``); numbers of items count each as one. ``weight`` tells
    the summed weight of the ``items`` and of those ``accepted``; it is not there if nothing has a weight.
    """
    n_items, counting = result.judgments.n_items, Counting.of(result.judgments, result.units)
    accepted = status[:n_items] == STATUSES.index("accepted")
    label, wrong = result.consensus_label[accepted], 1.0 - result.confidence[accepted]
    n = len(wrong)
    own = some(counting, accepted)
    spread = Z * (np.sqrt(float((wrong * (1 - wrong)).sum())) / max(n, 1) if own is None else own.deviation(wrong))
    expected = mean(wrong, own)
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
    if counting is not None and result.judgments.weight is not None:
        without = np.ones(n_items, np.bool_)
        without[[] if result.gold is None else result.gold.items] = False
        found["weight"] = {"items": counting.at(without).total, "accepted": counting.at(accepted).total}
    of_gold = None
    best, right, settled = np.zeros(0, np.int64), np.zeros(0, np.bool_), np.zeros(0, np.bool_)
    if result.gold is not None and result.gold_posterior is not None:
        posterior = result.gold_posterior
        of_gold = some(counting, result.gold.items)
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
        every = np.ones(len(right), np.bool_)
        sets = {"all": every, "accepted": settled}
        if result.models is not None:
            sets["accepted_by_models_alone"] = alone
        found["gold"] = {name: _measured(right, posterior, of_gold, one) for name, one in sets.items()}
    counts = np.bincount(label, minlength=result.judgments.n_labels)  # a tie is never accepted
    shown = np.sort(np.argsort(-counts, kind="stable")[:MOST_SHOWN])
    found["by_label"] = {
        result.judgments.labels[k]: {
            "accepted": int(counts[k]),
            "expected_error": mean(wrong[label == k], some(own, label == k)),
            **_counted(right[settled & (best == k)], some(of_gold, settled & (best == k))),
        }
        for k in shown.tolist()
    }
    if result.reach is not None:
        why = unaudited.why(result, np.isin(status[:n_items], [STATUSES.index(name) for name in SETTLED]))
        if (why >= 0).any():
            found["beyond_gold"] = beyond_gold.told(result, why, right, counting)
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
    of = " of the weight" if "weight" in quality else ""
    return [
        *found,
        Caution(
            "overconfident",
            f"{gold['errors']:,} of the {gold['items']:,} gold items that would be accepted are wrong "
            f"({gold['measured_error']:.1%}{of} [{gold['low']:.1%}, {gold['high']:.1%}]), and {expected:.1%} are "
            "expected: trust the measured error, and raise --target, give more gold or check the gold (consensus "
            "audit --table gold)",
            {"measured_error": gold["measured_error"], "low": gold["low"], "expected_error": expected},
        ),
    ]


def _measured(right: Flags, posterior: Reals, counting: Counting | None, chosen: Flags) -> dict[str, float]:
    """How many of the ``chosen`` gold items (G,) are ``right`` (G,), and should be by their ``posterior`` (G, K)."""
    own = some(counting, chosen)
    counted = _counted(right[chosen], own)
    return {
        "items": counted.pop("gold_items"),
        "errors": counted.pop("gold_errors"),
        **counted,
        "claimed_error": mean(1.0 - posterior[chosen].max(axis=1, initial=0.0), own),
    }


def _counted(right: Flags, counting: Counting | None) -> dict[str, float]:
    n, n_wrong = len(right), int((~right).sum())
    share = n_wrong / n if n else np.nan
    low, high = clopper_pearson(n_wrong, n)
    if counting is not None:
        share = counting.share(~right)
        low, high = clopper_pearson(share * counting.effective if n else 0.0, counting.effective)
    return {"gold_items": n, "gold_errors": n_wrong, "measured_error": share, "low": float(low), "high": float(high)}
