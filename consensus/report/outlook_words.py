"""What the judgments that are asked for will bring, in words."""

from __future__ import annotations

import math
from typing import Any

from consensus.escalation.corrections import HORIZON
from consensus.inputs.counted import counted

ROUNDS = 3  # lists that a budget is better spent in
WORTH_ROUNDS = 30  # judgments, from which it is worth the trouble


def lines(told: dict[str, Any], settings: dict[str, Any]) -> list[str]:
    """What the judgments that are needed will bring, and what the list asks for."""
    return [*_foretold(told, settings), *_list(told, settings)]


def _foretold(told: dict[str, Any], settings: dict[str, Any]) -> list[str]:
    """What the judgments that are needed will bring; nothing where none are."""
    needed, settled = told["judgments_needed"], told["settled"]
    if needed is None or math.isnan(needed):
        return []
    most = settings["max_judgments"]
    factor = told["correction"]
    corrected = "" if factor == 1.0 else f" (the prediction times {factor:.2f}, since the last one was wrong by that)"
    far = f" of the next {HORIZON}" if most > HORIZON else ""
    said = [
        f"about {counted(round(needed), 'judgment')}{far} would settle {settled:,.0f} of "
        f"{counted(told['items'], 'item')}, with at most {most} an item{corrected}"
    ]
    if told["ceiling"]:
        reached = told["reachable_accuracy"]
        right = "" if reached is None or math.isnan(reached) else f"; their labels would be right in {reached:.0%}"
        said.append(
            f"limit: with {most} judgments an item, most of these items stay below "
            f"{100 * settings['target']:.3g}%{right}; what helps: {'; '.join(told['advice']) or 'an expert'}"
        )
    available = told["available"]
    if available is not None and needed > available:  # NaN is not
        said.append(f"but the workers who can be asked are available for {available:,.0f} judgments only")
    return said


def _list(told: dict[str, Any], settings: dict[str, Any]) -> list[str]:
    """What the list asks for, where a budget or workers are given."""
    said = []
    if told["workers_unknown"]:
        names = ", ".join(f'"{name}"' for name in told["unknown_named"])
        more = ", ..." if told["workers_unknown"] > len(told["unknown_named"]) else ""
        said.append(
            f"{told['workers_unknown']:,} of the {counted(told['workers_named'], 'worker')} who can be asked "
            f"{'is' if told['workers_unknown'] == 1 else 'are'} not in the "
            f"data, so nothing is known of them and they are not suggested{names and ': '}{names}{more}"
        )
    if told["judgments_unassigned"] and told["workers_named"]:
        said.append(
            f"{told['judgments_unassigned']:,} of the {told['judgments_listed']:,} judgments on the list have no "
            "suggested worker: all who can be asked have judged the item or are not available for more"
        )
    said += _untested(told, settings)
    if settings["budget"] is None:
        return said
    tests = f" and {counted(told['retests'], 'retest')}" if told["retests"] else ""
    money = told["money"]
    paid = "" if money is None or math.isnan(money) else f" for {money:,.6g}"
    said.append(
        f"the list asks for {counted(told['judgments_listed'], 'judgment')} of {counted(told['items_listed'], 'item')}"
        f"{tests}{paid}, of a budget of {settings['budget']:,.6g}"
    )
    if told["judgments_listed"] >= WORTH_ROUNDS:
        said.append(
            f"one list gains about half of what asking one by one would; {ROUNDS} lists of a third each, with a new "
            "run after each, gain most of it"
        )
    return said


def _untested(told: dict[str, Any], settings: dict[str, Any]) -> list[str]:
    """Why retests that were asked for are not on the list; nothing where everybody gets one, or none was asked for."""
    n, tested = told["verdicts_open"], told["workers_tested"]
    if n == 0:
        return ["no retest is listed: no worker's verdict is open"]
    if n is None or tested >= n:
        return []
    who = "no retest is listed" if not tested else f"{counted(n - tested, 'worker gets', 'workers get')} no retest"
    can_be_asked = ", and workers who are available" if told["workers_named"] else ""
    return [
        f"{who}, though {counted(n, 'verdict is', 'verdicts are')} open: it takes gold items, or accepted ones whose "
        f"label is all but certain, with fewer judgments than --max-judgments ({settings['max_judgments']})"
        f"{can_be_asked}; give gold, or raise --max-judgments"
    ]
