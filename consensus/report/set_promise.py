"""The promise about a set: what gold certifies, why not more, and how much gold that would take; numbers and words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from consensus import guarantees
from consensus.guarantees.gold_planning import certifiable, usual_errors
from consensus.inputs.counted import counted
from consensus.inputs.judgments import listed
from consensus.intervals import clopper_pearson

if TYPE_CHECKING:
    from consensus.config import EscalateConfig
    from consensus.found.result import Consensus
    from consensus.guarantees import Certified, GoldPlan, LabelCertificate, Need

    Facts = dict[str, Any]

MOST_SHOWN = 20  # labels told one by one; of more, those with the most gold items
SURE = f"{1 - guarantees.DELTA:.0%}"


def told(result: Consensus, found: Certified, config: EscalateConfig) -> Facts | None:
    """What is certified, for summary.json; None without gold.

    - ``items`` are certified, of which at most ``most_wrong`` are wrong; ``why_none`` names the reason if there are
      none. ``gold_items`` of the ``gold_drawn`` are as sure, ``gold_wrong`` of these wrong. ``other_label`` items are
      left out, since their label is another one now that gold is known.
    - ``reaching``: the items whose confidence reaches the target, and the highest target that gold could certify of
      them: ``certifiable`` if none of it were wrong, ``usual`` in the median of draws if the share of ``need`` is.
    - ``need``: the gold that certifies the surest ``items`` with a chance of 80 %, if a share ``error`` is wrong:
      ``accepted`` among these, so that ``draw`` have to be drawn of all, ``more`` than there are. ``pilot``: more
      to draw first, to measure that share; 0 if it need not. ``takes_most``: more than half of all, or no number
      is enough.
    - ``by_label``: the same of each label; up to four labels certified, with all of them at 95 % together. Of more
      than ``MOST_SHOWN`` of the ``labels``, those with the most gold items.
    """
    if result.gold is None:
        return None
    among, of_all, n_items = found.population, found.of_all, int(found.settled.sum())
    reaching = among.confidence >= config.target
    n_reaching, n_gold = int(reaching.sum()), int(reaching[among.gold].sum())
    what = guarantees.need(among, config.target, result.judgments.n_items)
    usual = usual_errors(n_gold, min(what.error, 1.0))
    return {
        "target": config.target,
        "level": 1.0 - guarantees.DELTA,
        "items": n_items,
        "most_wrong": min(of_all.most_wrong, n_items),
        "least_confidence": of_all.least,
        "gold_drawn": among.n_gold,
        "gold_items": of_all.n_gold,
        "gold_wrong": of_all.n_wrong,
        "other_label": found.n_other_label,
        "why_none": found.why_none,
        "looks_random": found.drawing.looks_random,
        "ks_distance": found.drawing.ks_distance,
        "ks_p": found.drawing.ks_p,
        "reaching": {
            "items": n_reaching - n_gold,
            "gold_items": n_gold,
            "certifiable": certifiable(n_reaching, n_gold),
            "usual": certifiable(n_reaching, n_gold, usual),
        },
        "need": _need(what, len(result.gold.items), result.judgments.n_items),
        "labels": len(found.of_label),
        "by_label": _by_label(result, found),
    }


def _need(what: Need, n_gold: int, n_all: int) -> Facts:
    """The gold that is needed, where ``n_gold`` of ``n_all`` items are gold already."""
    return {
        "items": what.n_items,
        "gold_items": what.n_gold,
        "error": what.error,
        "measured": what.measured,
        "accepted": what.accepted,
        "draw": what.draw,
        "more": None if what.draw is None else max(what.draw - n_gold, 0),
        "pilot": what.pilot(n_gold, n_all),
        "takes_most": what.takes_most(n_all),
    }


def _by_label(result: Consensus, found: Certified) -> Facts:
    """What is certified, or else only measured, of each label."""
    most = sorted(range(len(found.of_label)), key=lambda k: -found.of_label[k].n_gold)[:MOST_SHOWN]
    return {result.judgments.labels[k]: _of_label(found.of_label[k]) for k in sorted(most)}


def _of_label(one: LabelCertificate) -> Facts:
    low, high = clopper_pearson(one.n_wrong, one.n_gold)
    return {
        "items": None if one.found is None else one.n_items,
        "most_wrong": None if one.found is None else min(one.found.most_wrong, one.n_items),
        "gold_items": one.n_gold,
        "gold_errors": one.n_wrong,
        "measured_error": one.n_wrong / one.n_gold if one.n_gold else math.nan,
        "low": float(low),
        "high": float(high),
    }


def lines(facts: Facts | None, target: float, *, by_label: bool = False, weighed: bool = False) -> list[str]:
    """The promise in words: what is certified, and what more would take; ``by_label`` also label by label.

    Where items are ``weighed`` (or stand in clusters), no gold certifies anything.
    """
    if facts is None:
        return _without_gold(target, weighed)
    said = [_certified(facts)]
    if facts["why_none"] in {None, "too_few", "too_many_wrong"}:
        said += _more(facts)
    if by_label and facts["by_label"]:
        said.append(_labels(facts))
    return said


def _without_gold(target: float, weighed: bool) -> list[str]:
    by_crowds = (
        "nothing without gold; on 17 public crowds 0 to 21% of the labels accepted so at 95% were wrong, and 1.0 to "
        "3.5% were expected"
    )
    if weighed:
        return [
            f"certified: {by_crowds}",
            "items have weights or stand in clusters: gold would measure the error, but certify nothing",
        ]
    n = math.ceil(math.log(guarantees.DELTA) / math.log(target) - 1e-9)
    return [
        f"certified: {by_crowds}",
        f"{n:,} random gold items among the accepted ones, none of them wrong, would certify {_percent(target)}: draw "
        "them with consensus plan-gold",
    ]


def _certified(facts: Facts) -> str:
    begin = f"certified with {SURE} confidence: "
    wrong = _percent(1.0 - facts["target"])
    drawn = counted(facts["gold_drawn"], "gold item")
    are = "is" if facts["gold_drawn"] == 1 else "are"
    reasons = {
        "few_judgments": "nothing: no item that gold can check has enough judgments",
        "no_gold": "nothing: no gold item has enough judgments to count",
        "nothing_left": "nothing: all items that could be certified are gold",
        "weighed": "nothing: items have weights or stand in clusters, so gold is not drawn one by one",
        "not_random": "nothing: gold does not look drawn at random",
        "too_few": f"nothing: {drawn} {are} too few to show that at most {wrong} are wrong",
        "too_many_wrong": f"nothing: too many of the {drawn} are wrong, also of the surest, for at most {wrong}",
    }
    if facts["why_none"] is not None:
        return begin + reasons[facts["why_none"]]
    n, most, n_other = facts["items"], facts["most_wrong"], facts["other_label"]
    left_out, above = "", most > (1.0 - facts["target"]) * n + 1e-9
    has, is_ = ("has", "is") if n_other == 1 else ("have", "are")
    if above:  # the target holds of the whole set, and not quite of what is left of it
        left_out = (
            f"; {n_other:,} of them {has} another label now that gold is known: of the {n:,} others at "
            f"most {100 * math.ceil(1e3 * most / n) / 1e3:.1f}% are wrong"
        )
        n += n_other
    elif n_other:
        left_out = f"; {n_other:,} more {has} another label now that gold is known, and {is_} left out"
    n_gold, n_wrong = facts["gold_items"], facts["gold_wrong"]
    return (
        f"{begin}at most {wrong} of {n:,} items are wrong, if the {drawn} were drawn at random ({n_wrong:,} of the "
        f"{n_gold:,} gold items as sure as these {'is' if n_wrong == 1 else 'are'} wrong){left_out}"
    )


def _more(facts: Facts) -> list[str]:
    """What more would take, unless all that reaches the target is certified."""
    reaching, what, target = facts["reaching"], facts["need"], _percent(facts["target"])
    if facts["items"] + facts["other_label"] >= max(reaching["items"], 1) or not what["items"]:
        return []
    said = []
    if facts["why_none"] == "too_few" and reaching["gold_items"]:
        said.append(
            f"{counted(reaching['gold_items'], 'gold item reaches', 'gold items reach')} {target}: they can certify at "
            f"most {_floored(reaching['certifiable'])}, if none is wrong; {_floored(reaching['usual'])} is likely, "
            f"with {what['error']:.1%} wrong"
        )
    which = f"the {what['items']:,} surest items"
    if what["pilot"]:
        return [
            *said,
            f"too few gold items to plan with: by the confidences {what['error']:.1%} of {which} are wrong, and most "
            f"items would have to be gold to certify {target}; draw {what['pilot']:,} more at random to measure it "
            "(consensus plan-gold)",
        ]
    if what["takes_most"]:
        number = "no number of" if what["draw"] is None else f"no fewer than {what['draw']:,}"
        return [
            *said,
            f"{number} gold items would certify that {target} of {which} are right: about "
            f"{what['error']:.1%} are wrong",
        ]
    by = "as measured" if what["measured"] else "as the confidences predict"
    if not what["more"]:
        return [
            *said,
            f"in 80% of draws so many gold items certify that {target} of {which} are right, if "
            f"{what['error']:.1%} are wrong, {by}: this draw is one of the other 20%",
        ]
    return [
        *said,
        f"{what['more']:,} more gold items would certify that {target} of {which} are right, with a chance of 80%, if "
        f"{what['error']:.1%} are wrong, {by}: it takes {what['accepted']:,} gold items among these; draw them at "
        "random from all items (consensus plan-gold)",
    ]


def _labels(facts: Facts) -> str:
    certified = {name: one for name, one in facts["by_label"].items() if one["items"] is not None}
    n = len(facts["by_label"])
    some = f" (the {n} with the most gold items, of {facts['labels']:,})" if n < facts["labels"] else ""
    if not certified:
        measured = ", ".join(
            f'"{name}" {one["measured_error"]:.1%} [{one["low"]:.1%}, {one["high"]:.1%}]'
            for name, one in facts["by_label"].items()
            if one["gold_items"]
        )
        return f"by label nothing is certified; wrong on gold, of all items that get the label{some}: {measured}"
    told = ", ".join(
        f'"{name}" {one["items"]:,} items (at most {one["most_wrong"]:,} wrong)'
        if one["items"]
        else f'"{name}" nothing'
        for name, one in certified.items()
    )
    few = [name for name, one in facts["by_label"].items() if one["items"] is None]
    left = f"; too little gold for {listed(few)}" if few else ""
    return f"certified by label{some}, all of them with {SURE} confidence together: {told}{left}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g}%"


def _floored(share: float) -> str:
    """Per cent, rounded down: no more is claimed than holds."""
    return f"{math.floor(1e3 * share + 1e-9) / 10:.1f}%"


def of_plan(plan: GoldPlan) -> list[str]:
    """Why so many items are asked for, and what to do with them."""
    n, what, target = len(plan.items), plan.need, _percent(plan.target)
    said = [f"{n:,} of {plan.n_without_gold:,} items without gold, drawn at random, each as likely as any other"]
    which, by = (
        f"the {what.n_items:,} surest items",
        "as measured" if what.measured else "as the confidences predict",
    )
    if not plan.looks_random:
        said.append(
            f"the old gold does not look drawn at random (p-value {plan.ks_p:.2g}) and does not count: give the new "
            "gold alone with --gold, and leave the old items out of what is certified; or pass --random-gold if it "
            "was drawn at random"
        )
    elif plan.n_gold:
        said.append(f"give them together with the {plan.n_gold:,} gold items that there are")
    if plan.is_pilot:
        said.append(
            f"they measure how many are wrong: by the confidences {what.error:.1%} of {which} are, and most items "
            f"would have to be gold to certify {target}; plan again with their labels"
        )
    elif what.draw is None:
        said.append(
            f"no number of gold items would certify that {target} of {which} are right: about "
            f"{what.error:.1%} are wrong, {by}"
        )
    else:
        had = f", with the {plan.n_gold:,} there are," if plan.n_gold else ""
        said.append(
            f"{what.draw:,} gold items{had} would certify that {target} of {which} are right, with a chance of 80%, if "
            f"{what.error:.1%} are wrong, {by}: it takes {what.accepted:,} gold items among these"
        )
        if plan.asked is not None:
            said[-1] += f"; --items asks for {plan.asked:,}"
    if plan.if_worse is not None and not plan.is_pilot:
        worse = plan.if_worse
        takes = "no number is enough" if worse.draw is None else f"it takes {worse.draw:,}"
        said.append(
            f"if {worse.error:.1%} are wrong, {takes}: on 17 public crowds a median of 3.5 times as many were wrong as "
            "the confidences predict"
        )
    said.append(
        "have all of them labelled, whatever they look like, and look at the certificate once: if you look again and "
        "again until it is good, it is wrong in more than 5% of cases"
    )
    return said
