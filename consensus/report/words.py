"""The summary of a run in words."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.escalation import STATUSES
from consensus.inputs import understood
from consensus.inputs.counted import counted
from consensus.inputs.understood import Column, one_line
from consensus.models import diagnostics
from consensus.report import beyond_gold, counting_words, outlook_words, set_promise, terms

if TYPE_CHECKING:
    from consensus.found.cautions import Caution
    from consensus.inputs.judgments import Judgments
    from consensus.runs.whole_run import Run

CALIBRATED = {
    "fit": "the fit without gold",
    "weighted": "worker-weighted votes",
    "both": "that fit with worker-weighted votes",
    "votes": "counts of votes",
    "fit and votes": "the fit and counts of votes",
    "each model": "weighed votes",
    "fit and each model": "the fit and weighed votes",
    "clamped": "a fit with gold",
}
"""What each candidate of ``models.calibrating`` is called."""
MOST_ODDS = 20.0  # logarithm of the greatest odds that are told
LEAST_MOVED = 0.005  # share of a label whose change by calibration is worth words
MOST_MOVED = 3  # labels


def lines(run: Run) -> list[str]:
    """A few lines that say what came in, what came out, and how far it can be trusted."""
    warnings = [warning(one) for one in run.warnings]
    return [line for part in paragraphs(run.summary).values() for line in part] + warnings


def paragraphs(summary: dict[str, Any]) -> dict[str, list[str]]:
    """The same lines by what they are about, without the warnings."""
    counts = summary["counts"]
    return {
        "rows": _rows(counts),
        "columns": _columns(summary),
        "units": counting_words.lines(summary.get("units")),
        "notes": summary.get("notes", []),
        "fit": [_fit(summary)],
        "readings": _readings(summary),
        "calibration": calibration(summary["convergence"]["calibration"]),
        "models": [] if summary["models"] is None else _models(summary["models"]),
        "promise": [acceptance(summary["quality"]), *_promises(summary)],
        "waiting": _waiting(counts["status"]),
        "outlook": outlook_words.lines(summary["escalation"], summary["settings"]),
        "changes": _changes(summary["changes"]),
        "verdicts": _verdicts(summary["verdicts"]),
    }


def of_result(run: Run) -> list[str]:
    """What to know beside a single table: the balance of rows, and what to beware of."""
    return [*_read(run.result.judgments), *(warning(one) for one in run.result.warnings)]


def of_escalation(run: Run, *, of_workers: bool = True) -> list[str]:
    """The same beside a table of what is accepted or escalated; with how far it can be trusted, and what comes next.

    Warnings ``of_workers`` need an audit, which takes its time: not beside labels alone.
    """
    counts = np.bincount(run.status, minlength=len(STATUSES)).tolist()
    return [
        *_read(run.result.judgments),
        acceptance(run.promise),
        *set_promise.lines(run.certificate, run.rule.target, weighed=run.result.judgments.is_weighed),
        *_waiting({name: n for name, n in zip(STATUSES, counts, strict=True) if n}),
        *outlook_words.lines(asdict(run.outlook), run.rule.model_dump()),
        *_changes(run.changes),
        *(warning(one) for one in (run.warnings if of_workers else run.label_warnings)),
    ]


def of_judgments(judgments: Judgments) -> list[str]:
    """The same where nothing is fitted: no item gets a label, so those without judgments need no caution."""
    return [*_read(judgments), *map(warning, cautions(judgments))]


def cautions(judgments: Judgments) -> list[Caution]:
    """What to beware of where nothing is fitted."""
    return [one for one in diagnostics.of_judgments(judgments) if one.code != "items_without_judgments"]


def _read(judgments: Judgments) -> list[str]:
    """The balance of rows, what the columns were taken for, and what was understood of exports of platforms."""
    columns = [understood.line(judgments.understood, judgments.unused)] if judgments.understood else []
    return [balance(asdict(judgments.tally)), *columns, *judgments.notes]


def _columns(summary: dict[str, Any]) -> list[str]:
    """What the columns were taken for; nothing where judgments were not read."""
    told = summary.get("understood")
    return [] if told is None else [understood.line([Column(**one) for one in told["columns"]], told["unused"])]


def balance(rows: dict[str, int]) -> str:
    """The balance of rows, such as ``5,984 rows read = 5,980 used + 4 rejected``."""
    parts = [f"{rows['used']:,} used"]
    names = {
        "abstained": "without a label",
        "repeated": "replaced by a repeat",
        "rejected": "rejected",
        "dropped": "left out",
        "as_gold": "taken as gold",
    }
    parts += [f"{rows[key]:,} {name}" for key, name in names.items() if rows.get(key)]
    return f"{counted(rows['read'], 'row')} read = {' + '.join(parts)}"


def _rows(counts: dict[str, Any]) -> list[str]:
    gold = f", {counted(counts['gold_items'], 'gold item')}" if counts["gold_items"] else ""
    return [
        balance(counts["rows"]),
        f"{crowd(counts)}, {counts['judgments_per_item']:.2f} judgments an item{gold}",
    ]


def crowd(counts: dict[str, int]) -> str:
    """Such as ``1,797 items, 20 workers, 10 labels``."""
    return ", ".join(counted(counts[f"{one}s"], one) for one in ("item", "worker", "label"))


def _models(models: dict[str, Any]) -> list[str]:
    names = {"abstained": "without a label", "merged": "put together", "rejected": "rejected"}
    votes = models["votes"]
    rows = " + ".join(
        [counted(votes["used"], "vote"), *(f"{votes[key]:,} {name}" for key, name in names.items() if votes[key])]
    )
    found = [f"{counted(votes['read'], 'row')} of model votes read = {rows}; {counted(len(models['models']), 'model')}"]
    for family in models["families"]:
        share = family["shared_mistakes"]
        shared = "" if share is None else f"; {share:.0%} of their mistakes are shared"
        worth = (
            f"{counted(len(family['models']), 'model counts', 'models count')} as "
            f"{family['n_effective']:.2f} independent ones"
        )
        found.append(f"family {family['name']}: {worth}{shared}")
    if models["judgments_saved"]:
        found.append(
            f"models settled {counted(models['items_settled_by_models_alone'], 'item')} that nobody "
            "judged, and saved at "
            f"least {counted(models['judgments_saved'], 'judgment')}"
        )
    return found


def _fit(summary: dict[str, Any]) -> str:
    convergence = summary["convergence"]
    said = {
        "converged": f"converged after {counted(convergence['iterations'], 'pass', 'passes')}",
        "iteration_limit": f"stopped after {counted(convergence['iterations'], 'pass', 'passes')} without converging",
        "not_iterative": "vote shares, nothing to converge",
        "not_identified": "one judgment an item, nothing to fit",
    }[convergence["status"]]
    by = ""
    if convergence["rho_range"] is not None:
        low, high = convergence["rho_range"]
        spread = f" ({low:.3g} to {high:.3g} over splits)" if low < high else " on judgments held out"
        by = f"; judgments on one item correlate by {convergence['rho']:.2f} (rho), measured{spread}"
    return f"{terms.called(summary['settings']['model'])}: {said}{by}"


def calibration(told: dict[str, Any] | None) -> list[str]:
    """What gold's calibration was made of, and what it changed; or why there is none. Nothing without gold."""
    if told is None:
        return []
    if not told["fitted"]:
        return [f"confidences are not calibrated on gold: {told['left_out']}"]
    weights = ", ".join(f"{CALIBRATED[name]} {fraction(weight)}" for name, weight in told["weights"].items())
    said = f"confidences are calibrated on {told['gold_items']:,} judged gold items (weights: {weights})"
    moved = {label: points for label, points in (told["overstated"] or {}).items() if abs(points) >= LEAST_MOVED}
    for word, sign in (("often", 1), ("seldom", -1)):
        labels = sorted((label for label in moved if sign * moved[label] > 0), key=lambda one: -abs(moved[one]))
        named = [f"{label} by {100 * abs(moved[label]):.1f}" for label in labels[:MOST_MOVED]]
        if named:
            more = f" and {len(labels) - MOST_MOVED:,} more" if len(labels) > MOST_MOVED else ""
            said += f"; stated too {word}: {', '.join(named)}{more} points"
    if told["not_reached"]:
        said += f"; {told['not_reached']:,} items beyond what gold can check stay as they were"
    if not told["by_label"]:
        said += "; there are too many labels to correct each by itself, so all are corrected alike"
    items = counted(told["relabelled"], "item")
    return [f"{said}; it changes the label of {items} (--calibration none turns it off)"]


def _readings(summary: dict[str, Any]) -> list[str]:
    """Such as ``average of three readings, weighted dawid_skene .53, subtypes .33, lure .14 by ...``; or why not."""
    told = summary["readings"]
    if told is None:
        because = summary["convergence"].get("model_because")
        return [] if because is None else [model(summary["settings"]["model"], because)]
    names = {name: terms.called(name) for name in told["weights"]}
    weights = ", ".join(f"{names[name]} {fraction(weight)}" for name, weight in told["weights"].items())
    how = (
        f"weighted {weights} by {counted(told['held_out'], 'judgment')} held out"
        if told["held_out"]
        else f"{', '.join(names.values())}, weighted alike, for there are too few judgments to hold out"
    )
    disputed = counted(told["disputed"], "item")
    return [
        f"average of {len(told['weights'])} readings (models of how workers err), {how}; they disagree on {disputed}"
    ]


def model(name: str, because: str | None) -> str:
    """Which model is used, and why not the usual one, the average of readings."""
    return terms.called(name) if because is None else f"{terms.called(name)} alone, because {because}"


def fraction(share: float) -> str:
    """Such as ``.53``."""
    return f"{share:.2f}".removeprefix("0")


def acceptance(promise: dict[str, Any]) -> str:
    """The promise about the accepted items, given their ``quality``; says so where nothing audits it."""
    of = counted(promise["items"], "item")
    of = of if promise["gold"] is None else f"the {of} without gold"
    beyond, n, claim = promise.get("beyond_gold"), promise["accepted"], _quality(promise)
    weighed = counting_words.accepted(promise)
    if beyond is not None:
        reached = f"{n:,} {beyond_gold.within(beyond)}: {claim}" if n else f"none {beyond_gold.within(beyond)}"
        of_weight = counting_words.of(promise)
        error = f"expected error {beyond['expected_error']:.1%}{of_weight} if the confidences are right, unaudited"
        n, claim = n + beyond["accepted"], f"{reached}; {beyond_gold.phrase(beyond)}: {error}"
    return f"accepted {n:,} of {of}{weighed} at target {100 * promise['target']:.3g}%: {claim}"


def _promises(summary: dict[str, Any]) -> list[str]:
    """What is certified as a set; and where that is what is accepted, what would be accepted item by item."""
    target, as_set = summary["settings"]["target"], "quality_item_by_item" in summary
    said = set_promise.lines(summary["certificate"], target, by_label=as_set, weighed="units" in summary)
    if as_set:
        said.append(f"item by item it would be: {acceptance(summary['quality_item_by_item'])}")
    return said


def _waiting(status: dict[str, int]) -> list[str]:
    waiting = [
        counted(status[name], one, many)
        for name, one, many in (
            ("escalate", "item needs more judgments", "items need more judgments"),
            ("needs_expert", "item needs an expert", "items need an expert"),
        )
        if name in status
    ]
    return [", ".join(waiting)] if waiting else []


def _changes(counts: dict[str, int] | None) -> list[str]:
    """Such as ``since the last run: 12 other labels, 3 items opened again, 41 newly accepted``."""
    if counts is None:
        return []
    return [
        f"since the last run: {counted(counts['labels'], 'other label')}, "
        f"{counted(counts['opened_again'], 'item')} opened again, "
        f"{counts['newly_accepted']:,} newly accepted, {counts['new_items']:,} new"
        + (
            f"; {counted(counts['gone_items'], 'item of the last run is', 'items of the last run are')} not in the data"
            if counts["gone_items"]
            else ""
        )
    ]


def _verdicts(verdicts: dict[str, int]) -> list[str]:
    """Such as ``workers: 3 expert, 12 good, 2 spammer, 5 with too few judgments``."""
    said = [f"{n:,} {'with too few judgments' if name == 'too_few' else name}" for name, n in verdicts.items()]
    return [f"workers: {', '.join(said)}"] if said else []


def _quality(promise: dict[str, Any]) -> str:
    if not promise["accepted"]:
        return "no error to state" if promise["audited"] else "no error to state, unaudited"
    of = counting_words.of(promise)
    claim = f"expected error {promise['expected_error']:.1%}{of}"
    if not promise["audited"]:
        why = "" if promise["gold"] is None else " (no gold item would be accepted)"
        return f"{claim} if the confidences are right, unaudited{why}"
    gold = promise["gold"]["accepted"]
    measured = f"measured error {gold['measured_error']:.1%}{of} [{gold['low']:.1%}, {gold['high']:.1%}]"
    allowed, above = 1.0 - promise["target"], ""
    if gold["measured_error"] > allowed + 1e-9:
        told = "the target is missed" if gold["low"] > allowed else "more gold tells whether the target is missed"
        above = f", above the {100.0 * allowed:.3g}% of the target ({told})"
    return f"{measured} on {counted(gold['items'], 'gold item')}{above}; {claim}"


def odds(weight: float) -> str:
    """What a weight (the logarithm of odds) does to the odds: such as ``x 3.8``, or ``/ 3.8`` where it is below 0."""
    factor = min(math.exp(min(abs(weight), MOST_ODDS)), math.exp(MOST_ODDS))
    return (
        f"{'/' if weight < 0 else 'x'} {factor:,.0f}" if factor >= 100 else f"{'/' if weight < 0 else 'x'} {factor:.2g}"
    )


def warning(one: Caution) -> str:
    """A warning as a line."""
    return f"warning {one.code}: {one_line(one.message)}"


def sentence(line: str) -> str:
    """The same with a capital letter and a full stop."""
    return f"{line[:1].upper()}{line[1:]}{'' if line.endswith('.') else '.'}"
