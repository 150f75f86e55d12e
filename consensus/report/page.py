"""report.html: one page that needs nothing else, for people who forward it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus import worker_agreement
from consensus.found.cautions import CODES
from consensus.report import charts, class_shares, page_data, rendering

if TYPE_CHECKING:
    from collections.abc import Callable

    from consensus.found.result import Consensus
    from consensus.report.page_options import PageOptions
    from consensus.runs.whole_run import Run

    Facts = dict[str, Any]

FILE = "report.html"
N_BOOTSTRAP = 200
MOST_BYTES = 2_900_000  # of the page, so that it can be mailed
DECIDED = ("bad_workers", "workers_changed", "wrong_gold")  # warnings that stand among the decisions
MOST_REASONS = 12  # of refused rows
MOST_LABELS = 40  # whose agreement is told one by one


def made(run: Run, progress: Callable[[str], None] = lambda _: None, options: PageOptions | None = None) -> bytes:
    """The page of a run; ``progress`` is called with what is done next.

    Raises
    ------
    OutputError
        The extra ``report`` is not installed.
    """
    charts.check()
    told = run.summary
    progress("reporting: choosing what is shown")
    always = _always(run)
    for part in (1.0, 0.5, 0.25, 0.1):
        shown = always | _some(run, part)
        progress("reporting: drawing")
        page = rendering.rendered(shown, told, options).encode()
        if len(page) <= MOST_BYTES:
            break
    return page


def collected(run: Run, part: float = 1.0) -> Facts:
    """Everything that the page shows, as plain records; ``part`` of the workers and items that usually are."""
    return _always(run) | _some(run, part)


def _some(run: Run, part: float) -> Facts:
    """What fewer are shown of where the page would get too large: workers and items."""
    result, audit, workers = run.result, run.audit, run.worker_columns
    people = page_data.worker_records(workers, page_data.chosen_workers(workers, int(part * page_data.MOST_WORKERS)))
    names = page_data.most_in_question(people)
    n_evidence = int(part * page_data.MOST_EVIDENCE)
    return {
        "workers": people,
        "confusions": page_data.confusion_records(run.confusion_cells, names, int(part * page_data.MOST_CELLS)),
        "evidence": page_data.evidence_records(audit, names, n_evidence) if result.identified else {},
        "items": page_data.item_facts(result, run.plan, int(part * page_data.MOST_ITEMS)),
    }


def _always(run: Run) -> Facts:
    """What is shown however large the page gets, and so is made once."""
    result, audit, plan = run.result, run.audit, run.plan
    workers = run.worker_columns
    people = page_data.worker_records(workers, page_data.chosen_workers(workers, page_data.MOST_WORKERS))
    drift, lines = page_data.drift_records(audit)
    models, families = page_data.model_records(audit)
    majority, n_majority = page_data.majority_records(result)
    return {
        "newest": _newest(result),
        "decisions": page_data.decision_records(run, people, drift),
        "warnings": _warnings(run),
        "n_suspect": page_data.n_suspect(audit),
        "wasted": page_data.waste_records(run),
        "targets": page_data.target_records(run),
        "confused": page_data.confused_pairs(run),
        "majority": majority,
        "n_majority": n_majority,
        "labels": page_data.label_records(result, run.summary["quality"]["by_label"], run.status),
        "shares": class_shares.records(run.summary["class_shares"]),
        "confidences": page_data.confidence_records(result, run.status),
        "reliability": page_data.reliability_records(result),
        "n_workers": page_data.n_people(workers),
        "accuracies": page_data.accuracies(audit),
        "drift": drift,
        "n_changed": page_data.n_changed(audit),
        "drift_lines": lines,
        "copying": page_data.copying_records(audit),
        "models": models,
        "families": families,
        "disputed": page_data.disputed_records(result),
        "n_items": result.judgments.n_items,
        "all_labels": list(result.judgments.labels),
        "reasons": page_data.reason_records(plan),
        "budget": page_data.budget_records(result, plan, run.rule),
        "top": page_data.top_records(result, plan),
        "n_escalated": len(plan.items),
        "agreement": _agreement(result),
        "rejects": _rejects(result),
    }


def _newest(result: Consensus) -> str:
    """The day of the newest judgment; empty where there are no times."""
    times = result.judgments.timestamp
    known = None if times is None else times[~np.isnat(times)]
    return "" if known is None or not len(known) else str(known.max().astype("datetime64[D]"))


def _warnings(run: Run) -> list[Facts]:
    """What to beware of: its name, what it says, and what its code means in general, which names nobody."""
    return [
        {"title": one.code.replace("_", " "), "message": one.message, "general": CODES[one.code].means}
        for one in run.warnings
        if one.code not in DECIDED
    ]


def _agreement(result: Consensus) -> list[dict[str, Any]]:
    """All statistics over all labels; then Krippendorff's alpha of each label against the others."""
    judgments = result.judgments
    if not judgments.n_judgments:
        return []
    table = worker_agreement.agreement(judgments, n_bootstrap=N_BOOTSTRAP, seed=result.config.seed)
    overall = table["scope"] == "overall"
    by_label = (table["scope"] == "label") & (table["statistic"] == "krippendorff_alpha")
    shown = table[overall | (by_label & (by_label.cumsum() <= MOST_LABELS))]
    rows = shown.assign(of=shown["label"].where(~overall, "all labels"))
    wanted = ("statistic", "of", "value", "low", "high", "n_items", "reason")
    return [
        {str(key): None if value != value else value for key, value in one.items()}
        for one in rows[list(wanted)].astype(object).to_dict("records")
    ]


def _rejects(result: Consensus) -> list[dict[str, Any]]:
    rejects = (*result.judgments.rejects, *(() if result.models is None else result.models.votes.rejects))
    return [{"reason": why, "rows": n} for why, n in Counter(one.reason for one in rejects).most_common(MOST_REASONS)]
