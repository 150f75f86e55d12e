"""The sentences of the page: what can be used, what was measured, and titles that say what to see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consensus.inputs.counted import counted
from consensus.report import counting_words, words

if TYPE_CHECKING:
    Facts = dict[str, Any]

FEW_GOLD = 20
"""Accepted gold items below which the measured error is too vague to be the number in large type."""
NO_GOLD_EXCESS = "on public crowds without gold a median of 3.5 times as many were wrong as the model expected"


def usable(promise: Facts) -> str:
    """What there is and whether it can be used: labels accepted, then what was measured, then what is expected."""
    if promise.get("beyond_gold") is not None:
        return words.sentence(words.acceptance(promise))
    n, of = promise["accepted"], promise["items"]
    without = "" if promise["gold"] is None else " without gold"
    are = "is" if n == 1 else "are"
    begin = f"{n:,} of {counted(of, 'label')}{without} {are} sure enough to use at a target of "
    begin += f"{100 * promise['target']:.3g}%{counting_words.accepted(promise)}"
    if not n:
        return f"{begin}."
    of_them = counting_words.of(promise) or " of them"
    expected = f"The model expects {promise['expected_error']:.1%}{of_them} to be wrong"
    if not promise["audited"]:
        why = "no gold was given" if promise["gold"] is None else "the rule would accept no gold item"
        return f"{begin}. Nothing has measured them, they are unaudited: {why}. {expected}; {NO_GOLD_EXCESS}."
    gold = promise["gold"]["accepted"]
    are = "is" if gold["errors"] == 1 else "are"
    measured = (
        f"{gold['errors']:,} of {counted(gold['items'], 'gold item')} that the same rule would accept {are} wrong"
    )
    if gold["items"] < FEW_GOLD:
        return f"{begin}. {measured}: too few gold items to tell. {expected}."
    return f"{begin}. {measured}: {gold['measured_error']:.1%} [{gold['low']:.1%} to {gold['high']:.1%}]. {expected}."


def wrong_gold(n: int, promise: Facts) -> str:
    """What to know of the measured error where ``n`` gold items are probably wrong; empty where it tells nothing."""
    if not n or not promise["audited"]:
        return ""
    counts = "counts" if n == 1 else "count"
    return (
        f" {counted(n, 'gold item is', 'gold items are')} probably wrong and {counts} against the labels: correct the "
        "gold first, then the measured error can be trusted."
    )


def some_labels(shown: Facts, told: Facts) -> dict[str, str]:
    """Which labels are told of, where that is not all."""
    n, promise, of = told["counts"]["labels"], told["quality"], len(shown["labels"])
    n_gold, n_shares = len(promise["by_label"]), len(shown["shares"])
    gold = promise["gold"] is not None and n_gold < n
    return {
        "more_labels": f" The {of} most frequent of {n:,} labels." if of < n else "",
        "gold_labels": f" Gold is told of the {n_gold} labels with the most accepted items, of {n:,}." if gold else "",
        "more_shares": f" The {n_shares} most common of {n:,} labels." if n_shares < n else "",
    }


def tiles(told: Facts, n_decisions: int) -> list[tuple[str, str, str]]:
    """The numbers in large type: name, number, what to know about it."""
    counts, promise = told["counts"], told["quality"]
    status = counts["status"]
    listed = told["escalation"]["items_listed"]
    of = "all" if promise["gold"] is None else "those without gold"
    share = f"{promise['accepted'] / promise['items']:.0%} of {of}" if promise["items"] else ""
    share += counting_words.accepted(promise)
    to_ask, for_expert = status.get("escalate", 0), status.get("needs_expert", 0)
    on_list = (
        "nothing to ask"
        if not to_ask
        else "on the list below"
        if listed >= to_ask
        else f"{listed:,} of them on the list below"
    )
    return [
        ("labels accepted", f"{promise['accepted']:,}", share),
        ("wrong among them", *_wrong(promise)),
        *unaudited(promise),
        ("need a decision", f"{n_decisions:,}", "see below" if n_decisions else "nothing to decide"),
        ("need more judgments", f"{to_ask:,}", on_list if to_ask else "nothing to ask"),
        ("wait for an expert", f"{for_expert:,}", "more judgments won't help" if for_expert else "no item"),
    ]


def _wrong(promise: Facts) -> tuple[str, str]:
    """The measured error, if gold can tell it; what the model expects stands below it."""
    if promise["expected_error"] is None:
        return "no error to state", "nothing is accepted"
    expected = f"the model expects {promise['expected_error']:.1%}{counting_words.of(promise)}"
    if not promise["audited"]:
        return "not measured", f"{expected}, unaudited"
    gold = promise["gold"]["accepted"]
    if gold["items"] < FEW_GOLD:
        return "too few gold items to tell", f"{gold['errors']:,} of {gold['items']:,} wrong; {expected}"
    return (
        f"{gold['measured_error']:.1%}",
        f"measured on {gold['items']:,} gold items: {gold['low']:.1%} to {gold['high']:.1%}; {expected}",
    )


def unaudited(promise: Facts) -> list[tuple[str, str, str]]:
    """The tile of what is accepted beyond gold's reach, if there is any."""
    beyond = promise.get("beyond_gold")
    return (
        [] if beyond is None else [("unaudited", f"{beyond['accepted']:,}", "settled, but beyond what gold can check")]
    )


def measured(row: Facts) -> str:
    """Such as ``1.1% [0.0% to 6.0%]``; or that gold can't tell."""
    n = row["gold_items"]
    if n is None:
        return "not told"
    if not n:
        return "not measured"
    if n < FEW_GOLD:
        return f"{row['gold_errors']:,} of {n:,}: too few gold items to tell"
    return f"{row['measured_error']:.1%} [{row['low']:.1%} to {row['high']:.1%}]"


def titles(shown: Facts, told: Facts) -> dict[str, str]:
    """Titles of charts that say what to see."""
    promise = told["quality"]
    return {
        "labels_title": _largest(shown["labels"]),
        "confidences_title": _sure(promise),
        "reliability_title": _reliable(shown["reliability"]),
        "workers_title": _spread(shown["accuracies"]),
        "drift_title": f"{counted(shown['n_changed'], 'worker')} changed",
        "drift_part": ""
        if shown["n_changed"] <= len(shown["drift"])
        else f"The {len(shown['drift'])} plainest; all stand in drift.csv. ",
        "reasons_title": _reason(shown["reasons"]),
        "budget_title": _budget(shown["budget"]),
        "majority_line": counted(shown["n_majority"], "label is not that", "labels are not those")
        + " of the majority"
        + (f", {_part(shown['n_majority'], told)} of all items" if told["counts"]["items"] else "")
        + ": good workers outweigh bad ones. Look at some of them.",
    }


def _largest(labels: list[Facts]) -> str:
    if not labels:
        return "No label was given"
    most = max(labels, key=lambda one: one["items"])
    return f"{most['label']} is the most frequent label: {most['share']:.0%} of the items"


def _sure(promise: Facts) -> str:
    n, of = promise["accepted"], promise["items"]
    if not n:
        return "No label is sure enough yet"
    return f"{n:,} of {counted(of, 'label')}{'' if promise['gold'] is None else ' without gold'} can be used"


def _reliable(bins: list[Facts]) -> str:
    off = [one for one in bins if not one["low"] <= one["confidence"] <= one["high"]]
    if not off:
        return "Confidence and gold agree, as far as so many gold items can tell"
    worst = max(off, key=lambda one: abs(one["right"] - one["confidence"]))
    way = "right less often" if worst["right"] < worst["confidence"] else "right more often"
    return f"Labels with a confidence of about {worst['confidence']:.0%} are {way} on gold: {worst['right']:.0%}"


def _spread(accuracies: tuple[float, float] | None) -> str:
    if accuracies is None:
        return "Nobody's accuracy is known"
    return f"The median worker is right on {accuracies[0]:.0%}, the worst on {accuracies[1]:.0%}"


def _reason(reasons: list[Facts]) -> str:
    if not reasons:
        return "Every item is settled"
    from consensus.report.terms import plain

    most = max(reasons, key=lambda one: one["items"])
    return f"Why most of the items are not settled: {plain(most['reason'])}"


def _budget(points: list[Facts]) -> str:
    if len(points) < 2:
        return "More judgments would bring nothing"
    first, last = points[0], points[-1]
    return (
        f"{last['judgments']:,.0f} more judgments would bring {first['accuracy']:.1%} right to {last['accuracy']:.1%}"
    )


def _part(n: int, told: Facts) -> str:
    return f"{n / told['counts']['items']:.1%}"
