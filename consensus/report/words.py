"""The summary of a run in words."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from consensus.models import diagnostics
from consensus.report import quality

if TYPE_CHECKING:
    from consensus.config import EscalateConfig
    from consensus.judgments import Judgments
    from consensus.result import Consensus


def lines(summary: dict[str, Any]) -> list[str]:
    """A few lines that say what came in, what came out, and how far it can be trusted."""
    counts = summary["counts"]
    return [
        *_rows(counts),
        _fit(summary),
        *([] if summary["models"] is None else _models(summary["models"])),
        acceptance(summary["quality"]),
        *_waiting(counts["status"]),
        *_verdicts(summary["verdicts"]),
        *(_warning(one["code"], one["message"]) for one in summary["warnings"]),
    ]


def of_result(result: Consensus, escalate: EscalateConfig | None = None) -> list[str]:
    """What to know beside a single table: the balance of rows, and what to beware of.

    If the table tells what is accepted (by ``escalate``), also how far that can be trusted.
    """
    warnings, found = list(result.warnings), [balance(asdict(result.judgments.tally))]
    if escalate is not None:
        promise = quality.of_result(result, escalate)
        found.append(acceptance(promise))
        warnings += quality.cautions(promise)
    return [*found, *(_warning(one.code, one.message) for one in warnings)]


def of_judgments(judgments: Judgments) -> list[str]:
    """The same where nothing is fitted: no item gets a label, so those without judgments need no caution."""
    cautions = [one for one in diagnostics.of_judgments(judgments) if one.code != "items_without_judgments"]
    return [balance(asdict(judgments.tally)), *(_warning(one.code, one.message) for one in cautions)]


def balance(rows: dict[str, int]) -> str:
    """The balance of rows, such as ``5,984 rows read = 5,980 used + 4 rejected``."""
    parts = [f"{rows['used']:,} used"]
    names = {"abstained": "without a label", "repeated": "replaced by a repeat", "rejected": "rejected"}
    parts += [f"{rows[key]:,} {name}" for key, name in names.items() if rows[key]]
    return f"{rows['read']:,} rows read = {' + '.join(parts)}"


def _rows(counts: dict[str, Any]) -> list[str]:
    gold = f", {counts['gold_items']:,} gold items" if counts["gold_items"] else ""
    return [
        balance(counts["rows"]),
        f"{counts['items']:,} items, {counts['workers']:,} workers, {counts['labels']:,} labels, "
        f"{counts['judgments_per_item']:.2f} judgments an item{gold}",
    ]


def _models(models: dict[str, Any]) -> list[str]:
    names = {"abstained": "without a label", "merged": "put together", "rejected": "rejected"}
    votes = models["votes"]
    rows = " + ".join(
        [f"{votes['used']:,} votes", *(f"{votes[key]:,} {name}" for key, name in names.items() if votes[key])]
    )
    found = [f"{votes['read']:,} rows of model votes read = {rows}; {len(models['models']):,} models"]
    for family in models["families"]:
        share = family["shared_mistakes"]
        shared = "" if share is None else f"; {share:.0%} of their mistakes are shared"
        worth = f"{len(family['models']):,} models count as {family['n_effective']:.2f} independent ones"
        found.append(f"family {family['name']}: {worth}{shared}")
    if models["judgments_saved"]:
        found.append(
            f"models settled {models['items_settled_by_models_alone']:,} items that nobody judged, and saved at least "
            f"{models['judgments_saved']:,} judgments"
        )
    return found


def _fit(summary: dict[str, Any]) -> str:
    convergence = summary["convergence"]
    said = {
        "converged": f"converged after {convergence['iterations']} passes",
        "iteration_limit": f"stopped after {convergence['iterations']} passes without converging",
        "not_iterative": "vote shares, nothing to converge",
        "not_identified": "one judgment an item, nothing to fit",
    }[convergence["status"]]
    by = ""
    if convergence["temperature_gold_items"]:
        by = (
            f"; confidence fitted on {convergence['temperature_gold_items']:,} gold items "
            f"(temperature {convergence['temperature']:.2f})"
        )
    return f"{summary['settings']['model'].replace('_', ' ')}: {said}{by}"


def acceptance(promise: dict[str, Any]) -> str:
    """The promise about the accepted items, given their ``quality``; says so where nothing audits it."""
    of = f"{promise['items']:,} items" if promise["gold"] is None else f"the {promise['items']:,} items without gold"
    return f"accepted {promise['accepted']:,} of {of} at target {100 * promise['target']:.3g}%: {_quality(promise)}"


def _waiting(status: dict[str, int]) -> list[str]:
    waiting = [
        f"{status[name]:,} {to}"
        for name, to in (("escalate", "need more judgments"), ("expert", "an expert"))
        if name in status
    ]
    return [", ".join(waiting)] if waiting else []


def _verdicts(verdicts: dict[str, int]) -> list[str]:
    """Such as ``workers: 3 expert, 12 good, 2 spammer, 5 with too few judgments``."""
    said = [f"{n:,} {'with too few judgments' if name == 'too_few' else name}" for name, n in verdicts.items()]
    return [f"workers: {', '.join(said)}"] if said else []


def _quality(promise: dict[str, Any]) -> str:
    if not promise["accepted"]:
        return "no error to state" if promise["audited"] else "no error to state, unaudited"
    claim = f"expected error {promise['expected_error']:.1%}"
    if not promise["audited"]:
        why = "" if promise["gold"] is None else " (no gold item would be accepted)"
        return f"{claim} if the confidences are right, unaudited{why}"
    gold = promise["gold"]["accepted"]
    return (
        f"{claim} [{promise['expected_error_low']:.1%}, {promise['expected_error_high']:.1%}], audited on "
        f"{gold['items']:,} gold items: measured {gold['measured_error']:.1%} [{gold['low']:.1%}, {gold['high']:.1%}]"
    )


def _warning(code: str, message: str) -> str:
    return f"warning {code}: {message}"
