"""About what is to be asked: why, what first, and what it would bring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from consensus import escalation
from consensus.escalation import REASONS
from consensus.report.page_data.plain_records import plain, records

if TYPE_CHECKING:
    from consensus.config import EscalateConfig
    from consensus.escalation import Escalation
    from consensus.found.result import Consensus

    Records = list[dict[str, Any]]

TOP = 25
N_POINTS = 40


def reason_records(found: Escalation) -> Records:
    """How many items are not settled, by reason."""
    n = np.bincount(found.reason[found.reason >= 0], minlength=len(REASONS))
    return [{"reason": REASONS[r], "items": int(n[r])} for r in np.flatnonzero(n).tolist()]


def top_records(result: Consensus, found: Escalation) -> Records:
    """The first rows of escalations.csv."""
    columns = found.columns(result, slice(0, TOP))
    return records(columns, columns)


def budget_records(result: Consensus, found: Escalation, rule: EscalateConfig) -> Records:
    """Expected accuracy of all labels without gold against the number of more judgments, each where it saves most."""
    spent, saved = escalation.budget_curve(result, found, rule)
    if not len(spent):
        return []
    of = np.ones(result.judgments.n_items, np.bool_)
    if result.gold is not None:
        of[result.gold.items] = False
    now = float(result.confidence[of].mean())
    at = np.unique(np.searchsorted(spent, np.linspace(0, spent[-1], N_POINTS)))
    points = [(0.0, 0.0), *((float(spent[i]), float(saved[i])) for i in at.tolist())]
    return [{"judgments": plain(n, 1), "accuracy": plain(now + more / int(of.sum()))} for n, more in points]
