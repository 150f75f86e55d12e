"""Is the gold itself in order: wrong, too easy, or known to those who should be tested by it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.backends import even_parts, number_of_shards
from consensus.found.result import BETWEEN, framed, named
from consensus.found.tempering import Tempering
from consensus.inputs.counted import counted
from consensus.inputs.gold import AlignedGold
from consensus.models import held_out_rho
from consensus.probabilities import normalised
from consensus.worker_audit.audit_of_result import WorkerAudit
from consensus.worker_audit.on_gold.gold_answers import GoldAnswers

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from consensus.found.result import Columns, Consensus

    Flags = NDArray[np.bool_]
    Reals = NDArray[np.float64]

USUAL_SHARE = 0.03  # mean of the exponential prior of the share of wrong gold
SHARES = np.geomspace(0.001, 0.3, 18)  # of wrong gold, that are weighed
CROWD_ERRS = 1e-4  # P(a crowd is wrong together) is never taken to be less
SUSPECT = 0.15  # p_wrong from which an item may be suspect: rather too low than too high, by all measurements
FALSE_ALARMS, FALSE_SHARE = 5.0, 0.3  # expected among the suspects at most, by p_wrong: so many, or such a share


def gold(result: Consensus | WorkerAudit) -> pd.DataFrame:
    """How the gold items fare, one row each that was judged; empty without gold.

    Returns
    -------
    pandas.DataFrame
        item, gold_label
            Id, and the accepted label; several joined by " | ".
        n_judgments, n_right
            Judgments of it, and how many of them give an accepted label.
        label, confidence
            What the crowd would say were it not gold, and how certainly: its own judgments are taken out of its
            workers' confusions for that.
        p_wrong
            P(the gold is wrong).
        suspect
            It probably is: someone should look at it.
        information
            What one judgment of it tells about whether a worker is weak, in bits; missing where no worker is weak.
        too_easy
            All are right, at least three judgments by weak workers among them, and it tells less than a quarter of what
            the median gold item is expected to.
        leaked
            Weak workers are right on it far beyond what their judgments elsewhere predict: they may know the answer. Or
            a worker is right on it who seems to know the gold (``gold_aware``).
        reason
            Why it is suspect, too easy or leaked.

    Notes
    -----
    p_wrong. With q[k] the crowd's posterior without the gold and e the share of wrong gold, a gold label is wrong with
    odds e / (K - 1) sum of q over the other labels to (1 - e) sum of q over the accepted ones. How far judgments of an
    item err together (rho, as for the tempering of confidence) and e are both unknown: p_wrong is the mean over a grid
    of both, each pair weighed by how well it predicts the gold. So an honest crowd is believed, and one that errs
    together is not. The prior of e is exponential with mean 3 %.

    Suspect are the items of highest p_wrong, from .15 on, as long as they hold no more than five expected false alarms,
    or 30 %. Measured, ten wrong of 200 gold items in crowds of 30 workers, 10 % of them spammers, accuracy .75 to .8,
    1,500 items, five judgments each, 30 crowds for each number of labels: found are 7.1 of ten with two labels, 8.6
    with three, 9.3 with four, 9.2 with five; beside 1.9, 1.6, .8 and 1.0 false alarms on average, five at most. Where
    no gold is wrong, .2 to .7 of 200 items are suspect.

    Weak workers are those less than half as far above chance as the median worker, off the gold. Leaked is tested by
    the exact distribution of how many of them are right (the normal one above 200). The gold may be as much easier than
    other items as better workers find it, and items may spread as widely as they do where weak workers do worse than
    expected. Benjamini & Hochberg 1995 bound false discoveries to 5 %. An item that is merely very easy may be taken
    for leaked; either way it tests nobody. Where nearly all items are gold, nothing is known of workers off the gold,
    and no item is found too easy or leaked. Beside clusters none is found leaked: a worker may be better at a whole
    cluster than elsewhere, which looks the same.
    """
    return framed(gold_columns(WorkerAudit.of(result)))


def gold_columns(audit: WorkerAudit) -> Columns:
    """The columns that ``gold`` shows."""
    import pyarrow as pa

    result, judgments = audit.result, audit.result.judgments
    known, posterior = _judged(result)
    wrong = _p_wrong(result, known, _before(result, known, posterior))
    suspect = _suspects(wrong)
    answers = GoldAnswers.of(result, known, audit.skills)
    information, too_easy = answers.information()
    leaked, expected = answers.leaked()
    leaked &= ~suspect  # who gives a wrong label that the gold has, too, need not know it
    known_by = _known_by(result, known)
    leaked |= known_by > 0
    if judgments.cluster is not None:  # a worker may be good at a whole cluster, and need not know the answer
        leaked[:] = False
    best = posterior.argmax(axis=1).astype(np.int32)
    accepted = names_of(known, judgments.labels)
    reasons: list[str | None] = [None] * len(best)
    for n in np.flatnonzero(suspect | too_easy | leaked).tolist():
        told = []
        if suspect[n]:
            told.append(answers.against(n, int(best[n]), judgments.labels[best[n]], BETWEEN.join(accepted[n])))
        if leaked[n]:
            told.append(
                answers.beyond(n, float(expected[n]))
                if not known_by[n]
                else f"{counted(int(known_by[n]), 'worker')} who seem to know the gold are right on it"
            )
        if too_easy[n]:
            told.append(answers.by_all(n))
        reasons[n] = "; ".join(told)
    return {
        "item": judgments.item_ids.take(pa.array(known.items)),
        "gold_label": pa.array(accepted, pa.list_(pa.string())),
        "n_judgments": answers.n,
        "n_right": answers.n_right,
        "label": named(best, judgments.labels),
        "confidence": posterior.max(axis=1, initial=0.0),
        "p_wrong": wrong,
        "suspect": suspect,
        "information": information,
        "too_easy": too_easy,
        "leaked": leaked,
        "reason": pa.array(reasons, pa.string()),
    }


def _known_by(result: Consensus, known: AlignedGold) -> NDArray[np.int64]:
    """(G,) workers who seem to know the gold and are right on each item of it."""
    found = np.zeros(len(known.items), np.int64)
    if result.gold_aware is not None:
        own, judgment = result.judgments.of_items(known.items.astype(np.int64))
        right = known.accepted[own, result.judgments.label[judgment]]
        mine = own[right & result.gold_aware.named[result.judgments.worker[judgment]]]
        found += np.bincount(mine, minlength=len(found))
    return found


def names_of(gold: AlignedGold, labels: Sequence[str]) -> list[list[str]]:
    """(G,) the accepted labels of each gold item."""
    found = [[labels[k]] for k in gold.accepted.argmax(axis=1).tolist()]
    for n in np.flatnonzero(gold.accepted.sum(axis=1) > 1).tolist():
        found[n] = [labels[k] for k in np.flatnonzero(gold.accepted[n]).tolist()]
    return found


def _judged(result: Consensus) -> tuple[AlignedGold, Reals]:
    """The gold items with a judgment by someone, and their posterior without the gold (G, K)."""
    K = result.judgments.n_labels
    if result.gold is None or result.gold_posterior is None:
        return AlignedGold(np.zeros(0, np.int32), np.zeros((0, K), np.bool_), {}), np.zeros((0, K))
    chosen = result.judgments.per_item[result.gold.items] > 0
    known = replace(result.gold, items=result.gold.items[chosen], accepted=result.gold.accepted[chosen])
    return known, result.gold_posterior[chosen]


def _before(result: Consensus, known: AlignedGold, posterior: Reals) -> Reals:
    """(G, K) the ``posterior`` of the gold items before calibration, in which wrong gold has its say."""
    told = result.calibration
    if told is None or told.gold_before is None or result.gold is None:
        return posterior
    return told.gold_before[np.isin(result.gold.items, known.items)]


def _p_wrong(result: Consensus, known: AlignedGold, posterior: Reals) -> Reals:
    """(G,) P(the gold of an item is wrong); see ``gold``."""
    n_items, K = posterior.shape
    n = result.judgments.per_item[known.items]
    if result.model == "majority_vote":  # shares of votes: one vote is no certainty
        posterior = (posterior * n[:, None] + 1.0 / K) / (n[:, None] + 1.0)
    fitted = result.tempering.power(n, known.items)
    right = np.empty((len(held_out_rho.GRID), n_items))

    def shard(part: slice) -> None:
        logs = np.log(np.maximum(posterior[part], 1e-300)) / fitted[part, None]
        logs -= logs.max(axis=1, keepdims=True)
        for at, rho in enumerate(held_out_rho.GRID):
            q = normalised(np.exp(logs * Tempering(rho).power(n[part])[:, None]))
            right[at, part] = (q * known.accepted[part]).sum(axis=1)

    result.backend.map(shard, even_parts(n_items, number_of_shards(posterior.size)))
    right = right * (1.0 - CROWD_ERRS) + CROWD_ERRS * known.accepted.mean(axis=1)
    pairs = list(itertools.product(right, SHARES))
    logs = np.array([np.log(np.add(*_weighed(right_at, share, K))).sum() for right_at, share in pairs])
    logs += [np.log(share) - share / USUAL_SHARE for _, share in pairs]  # the grid is even in log(share)
    weight = np.exp(logs - logs.max())
    found = np.zeros(n_items)
    for (right_at, share), one in zip(pairs, weight / weight.sum(), strict=True):
        is_right, is_wrong = _weighed(right_at, share, K)
        found += one * is_wrong / (is_right + is_wrong)
    return found


def _weighed(right: Reals, share: float, n_labels: int) -> tuple[Reals, Reals]:
    """P(this gold and it is right), P(this gold and it is wrong), with a ``share`` of wrong gold."""
    return right * (1.0 - share), (1.0 - right) * share / max(n_labels - 1, 1)


def suspect_gold(result: Consensus) -> tuple[NDArray[np.int64], int]:
    """The gold items that are probably wrong (n,), the likeliest first, and how many gold items were judged."""
    known, posterior = _judged(result)
    wrong = _p_wrong(result, known, _before(result, known, posterior))
    found = np.flatnonzero(_suspects(wrong))
    return known.items[found[np.argsort(-wrong[found], kind="stable")]].astype(np.int64), len(wrong)


def _suspects(wrong: Reals) -> Flags:
    """(G,) the items of highest ``p_wrong``, as long as few false alarms are to be expected among them."""
    order = np.argsort(-wrong, kind="stable")
    false_alarms = np.cumsum(1.0 - wrong[order])
    allowed = np.maximum(FALSE_ALARMS, FALSE_SHARE * np.arange(1, len(order) + 1))
    found = np.zeros(len(wrong), np.bool_)
    found[order[(false_alarms <= allowed) & (wrong[order] >= SUSPECT)]] = True
    return found
