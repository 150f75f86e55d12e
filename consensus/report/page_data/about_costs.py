"""About what it costs and saves: judgments that brought nothing, and what each target takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from consensus import escalation
from consensus.config import EscalateConfig
from consensus.escalation import STATUSES
from consensus.escalation.spare_judgments import spare
from consensus.report import quality
from consensus.report.page_data.plain_records import plain

if TYPE_CHECKING:
    from consensus.found.result import Columns
    from consensus.runs.whole_run import Run

    Records = list[dict[str, Any]]

TARGETS = (0.9, 0.95, 0.99)
USELESS = ("spammer", "adversarial", "gold_aware")
PLANNED = 50_000  # items up to which the judgments that another target takes are foretold


def waste_records(run: Run) -> Records:
    """Judgments that brought nothing, a row a reason: ``what``, ``judgments``, their ``share`` of all, ``money``."""
    result, price = run.result, run.inputs.config.price_per_judgment
    n_all = max(result.judgments.n_judgments, 1)
    by_bad = _judgments_of(run.worker_columns, USELESS)
    told = [("by workers whose answers say nothing of the truth, or go against it", float(by_bad))]
    accepted = np.flatnonzero(run.status[: result.judgments.n_items] == STATUSES.index("accepted"))
    late = spare(result, accepted, run.rule)
    if late is not None:
        order = "" if late.in_time else ", if they came in any order"
        told.append((f"on accepted items after these were sure enough{order} (estimated)", late.spare))
    return [
        {
            "what": what,
            "judgments": plain(n, 0),
            "share": plain(n / n_all),
            "money": None if price is None else plain(n * price, 2),
        }
        for what, n in told
    ]


def target_records(run: Run) -> Records:
    """What each target would bring and take: accepted items, how many are wrong, and the judgments still needed.

    ``judgments`` are those until as many items as can be are settled, ``settled`` of them; None where items are more
    than ``PLANNED``.
    """
    result, rule = run.result, run.rule
    if not result.identified:
        return []
    n_items = result.judgments.n_items
    n_open = max(n_items - (0 if result.gold is None else len(result.gold.items)), 1)
    found = []
    for target in sorted({*TARGETS, rule.target}):
        at = EscalateConfig.of(rule, target=target, promise="item", budget=None)
        own = _is_own(target, run)  # also what an earlier run had accepted
        told = run.promise if own else quality.quality(result, escalation.settled_status(result, at), at)
        gold = told["gold"]["accepted"] if told["audited"] else None
        row = {
            "target": plain(target),
            "own": target == rule.target,
            "accepted": told["accepted"],
            "share": plain(told["accepted"] / n_open),
            "expected_error": plain(told["expected_error"]),
            "gold_items": 0 if gold is None else gold["items"],
            "gold_errors": 0 if gold is None else gold["errors"],
            **{name: None if gold is None else plain(gold[name]) for name in ("measured_error", "low", "high")},
            "judgments": None,
            "settled": None,
        }
        if n_items <= PLANNED:
            ahead = run.outlook if own else _outlook(run, at)
            row |= {"judgments": plain(ahead.judgments_needed, 0), "settled": plain(ahead.settled, 0)}
        found.append(row)
    return found


def _is_own(target: float, run: Run) -> bool:
    return target == run.rule.target and run.rule.promise == "item"


def _outlook(run: Run, rule: EscalateConfig) -> escalation.Outlook:
    result, previous = run.result, run.inputs.previous
    costs, pool, audit = run.costs, run.pool, run.audit
    plan = escalation.planned(result, rule, costs=costs, pool=pool, previous=previous, audit=audit, suggest=False)
    return escalation.outlook(result, plan)


def _judgments_of(workers: Columns, verdicts: tuple[str, ...]) -> int:
    import pyarrow as pa
    import pyarrow.compute as pc

    chosen = pc.is_in(workers["verdict"], value_set=pa.array(verdicts)).to_numpy(zero_copy_only=False)
    return int(np.asarray(workers["n_judgments"])[chosen].sum())
