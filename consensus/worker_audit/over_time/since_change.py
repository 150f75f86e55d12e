"""Who changed is judged by what they are now: by their judgments since the change, as if these were all they made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.probabilities import normalised
from consensus.worker_audit.accuracy import against_others
from consensus.worker_audit.accuracy.verdicts import TOO_FEW, VERDICTS
from consensus.worker_audit.accuracy.worker_kinds import NEAR_CHANCE
from consensus.worker_audit.over_time import drift, moments

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.confusions import Confusions
    from consensus.found.result import Consensus
    from consensus.worker_audit.accuracy.verdicts import Verdicts
    from consensus.worker_audit.over_time.drift import Drifts

    Flags = NDArray[np.bool_]
    Positions = NDArray[np.int64]
    Reals = NDArray[np.float64]

EXTRA = 0.5  # judgments, right and wrong, that others are credited with
OTHERS = 2  # judgments of an item, beside the worker's, without which hard items look like a bad worker
SURE = 3.0  # deviations by which others must be more often right on the same items, for a worker to be condemned
BLOCK = 4_000_000  # judgments times labels that are worked on at once


@dataclass(frozen=True, slots=True, eq=False)
class SinceChange:
    """The same consensus, in which those who changed are two workers each: what they were, and what they are."""

    workers: Positions
    """(n,) who changed. Their codes stand for what they are; worker W + m is what the m-th of them was."""
    result: Consensus
    easier: Reals
    """(W + n,) log odds by which others are more often right on the items that these workers judged since than on all
    of theirs; -inf where others do so badly there that nobody is condemned; NaN of all others."""


def since_change(result: Consensus, drifts: Drifts) -> SinceChange | None:
    """Tell apart what those who changed were and are; None where nobody did.

    What they are now is told by the judgments that are surely from after the change (95 %), so that a change which may
    have come later condemns nobody. Judgments without a time count as earlier ones. The posteriors stay what they are:
    nothing is fitted again. Where items became harder for the other judges of them, nobody is to pay for that: where
    these do little better than chance, or not clearly better than the worker, nobody is condemned. Who gives one label
    only is left as they are, judged by where they answer.
    """
    judgments = result.judgments
    changed = drifts.changed & judgments.is_person
    if result.one_label is not None:
        changed &= np.isnan(result.one_label)
    workers = np.flatnonzero(changed)
    if not len(workers):
        return None
    mine, earlier = _earlier(result, changed, drifts)
    easier = np.full(judgments.n_workers + len(workers), np.nan)
    easier[workers] = _easier(result, mine, earlier)[workers]
    return SinceChange(workers, _split(result, workers, (mine, earlier)), easier)


def by_now(whole: Verdicts, now: Verdicts, since: SinceChange, drifts: Drifts) -> Verdicts:
    """The verdicts ``whole`` by all judgments, those on who changed replaced by what they are ``now``; reasons say so.

    >>> reason = "careless since 2025-03-19: right on 39% [31% to 47%]; the median worker on 81%; right on 80% before"
    """
    at, reason = since.workers, list(whole.reason)
    for w in at.tolist():
        name = "" if now.verdict[w] == TOO_FEW else f"{VERDICTS[now.verdict[w]]} "
        reason[w] = (
            f"{name}since {moments.words(drifts.latest[w])}: {now.reason[w]}; {drift.before_in_words(drifts, w)}"
        )

    of_now = np.zeros(len(reason), np.bool_)
    of_now[at] = True
    judged: dict[str, Any] = {}
    for name in ("verdict", "probability", "near", "n_judgments", "accuracy"):
        by_all, since_then = getattr(whole, name), getattr(now, name)
        judged[name] = np.where(of_now, since_then[: len(reason)], by_all)
    return replace(whole, reason=reason, by_all=~of_now, **judged)


def _earlier(result: Consensus, changed: Flags, drifts: Drifts) -> tuple[Positions, Flags]:
    """The judgments (n,) of those who ``changed`` (W,), and which of them are not surely from after their change."""
    judgments = result.judgments
    mine = np.flatnonzero(changed[judgments.worker])
    stamps = judgments.read_row if judgments.timestamp is None else judgments.timestamp
    assert stamps is not None
    since = stamps[mine] >= drifts.latest[judgments.worker[mine]]  # never of an unknown time
    return mine, np.asarray(~since, np.bool_)


def _easier(result: Consensus, judgment: Positions, earlier: Flags) -> Reals:
    """(W,) log odds by which others are more often right on what was not judged ``earlier`` (n,) than on all of it.

    -inf where what was not judged earlier can be held against nobody: the others are hardly more often right there than
    by chance, or not surely more often than the worker. Only items with OTHERS, gold or models tell.
    """
    worker, right = result.judgments.worker[judgment], against_others.right_of_others(result, judgment)

    def sums(kept: Flags, weights: Reals | None = None) -> Reals:
        some = None if weights is None else weights[kept]
        return np.asarray(np.bincount(worker[kept], some, result.judgments.n_workers), np.float64)

    def log_odds(kept: Flags) -> Reals:
        share = (sums(kept, right) + EXTRA) / (sums(kept) + 2.0 * EXTRA)
        return np.asarray(np.log(share / (1.0 - share)), np.float64)

    known = ~np.isnan(right)
    easier = log_odds(known & ~earlier) - log_odds(known)
    told = known & ~earlier & against_others.is_checked(result, result.judgments.item[judgment], OTHERS)
    better = right - against_others.right(result)[judgment]
    n, lead, chance = sums(told), sums(told, better), 1.0 / result.judgments.n_labels
    variance = sums(told, better**2) - lead**2 / np.maximum(n, 1.0)  # of the lead
    spared = sums(told, right) < n * (chance + NEAR_CHANCE * (1.0 - chance))
    spared |= lead <= SURE * np.sqrt(np.maximum(variance, 0.0))
    easier[spared] = -np.inf
    return easier


def _split(result: Consensus, workers: Positions, mine: tuple[Positions, Flags]) -> Consensus:
    """The result with the earlier ones of the judgments ``mine`` by workers of their own, behind all others."""
    import pyarrow as pa

    judgments, cells, W = result.judgments, result.confusions, result.judgments.n_workers
    begin, end = np.searchsorted(cells.row_worker, [workers, workers + 1])
    rows = _ranges(begin, end - begin)
    copy_of = np.full(len(cells.row_worker), -1, np.int64)
    copy_of[rows] = len(copy_of) + np.arange(len(rows))
    code = np.full(W, -1, np.int64)
    code[workers] = W + np.arange(len(workers))
    earlier = mine[0][mine[1]]
    worker, row = judgments.worker.copy(), result.row.copy()
    worker[earlier], row[earlier] = code[judgments.worker[earlier]], copy_of[result.row[earlier]]
    ids = pa.concat_arrays([judgments.worker_ids, judgments.worker_ids.take(pa.array(workers))])
    one_label = None if result.one_label is None else np.append(result.one_label, np.full(len(workers), np.nan))
    return replace(
        result,
        judgments=replace(judgments, worker=worker, worker_ids=ids),
        confusions=_of_both(result, rows, code, mine),
        row=row,
        one_label=one_label,
        copies=None,
        members=None,
    )


def _of_both(result: Consensus, rows: Positions, code: Positions, mine: tuple[Positions, Flags]) -> Confusions:
    """The confusions with the ``rows`` (r,) of who changed twice: what is left of them, and at the end what was before.

    ``code`` (W,) is that of what a worker was. Each cell is shared out as the posteriors of its judgments are.
    """
    cells = result.confusions
    n_each = np.diff(cells.cell_start)[rows]
    own = _ranges(cells.cell_start[rows], n_each)
    weight = _weights(result, *mine)[:, own]
    total = weight.sum(axis=0)
    before = cells.counts[own] * np.divide(weight[0], total, out=np.zeros(len(own)), where=total > 0)
    counts = cells.counts.copy()
    counts[own] -= before
    ends = cells.cell_start[-1] + np.cumsum(n_each)
    missed, silences = cells.missed, cells.silences
    return replace(
        cells,
        row_worker=np.append(cells.row_worker, code[cells.row_worker[rows]].astype(np.int32)),
        row_label=np.append(cells.row_label, cells.row_label[rows]),
        cell_start=np.append(cells.cell_start, ends),
        true=np.append(cells.true, cells.true[own]),
        counts=np.append(counts, before),
        n_workers=int(code.max()) + 1,
        missed=None if missed is None else np.append(missed, np.zeros(int((code >= 0).sum()))),
        silences=None if silences is None else np.append(silences, np.zeros(len(rows))),
        as_one=None
        if cells.as_one is None
        else np.vstack([cells.as_one, np.full((len(rows), cells.n_labels), np.nan)]),
    )


def _weights(result: Consensus, judgment: Positions, earlier: Flags) -> Reals:
    """(2, cells) sums of the untempered posterior over some judgments (n,): the ``earlier`` ones, and the others."""
    judgments, cells = result.judgments, result.confusions
    found = np.zeros((2, len(cells.true)))
    step = max(BLOCK // judgments.n_labels, 1)
    for first in range(0, len(judgment), step):
        some, before = judgment[first : first + step], earlier[first : first + step]
        item, row = judgments.item[some].astype(np.int64), result.row[some]
        power = result.tempering.power(judgments.per_item[item], item)
        z = normalised(result.beliefs.dense(item) ** (1.0 / power[:, None]))
        n_each = np.diff(cells.cell_start)[row]
        own, cell = np.repeat(np.arange(len(some)), n_each), _ranges(cells.cell_start[row], n_each)
        if result.units is not None:
            z *= result.units.judgment[some][:, None]
        for side, part in enumerate((before, ~before)):
            kept = part[own]
            weights = z[own[kept], cells.true[cell[kept]]]
            found[side] += np.bincount(cell[kept], weights=weights, minlength=len(cells.true))
    return found


def _ranges(start: Positions, length: Positions) -> Positions:
    """The numbers from each ``start`` (n,) on, ``length`` (n,) of them, one behind the other."""
    first = np.cumsum(length) - length
    return np.asarray(np.arange(length.sum()) + np.repeat(start - first, length), np.int64)
