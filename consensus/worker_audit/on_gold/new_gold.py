"""Items that could become gold: their label is all but certain, by many strong workers. And who is to be tested."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.backends import even_slices, number_of_shards
from consensus.errors import ConfigError
from consensus.found.result import framed, named
from consensus.worker_audit.accuracy import against_others
from consensus.worker_audit.audit_of_result import WorkerAudit

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from consensus.found.result import Columns, Consensus
    from consensus.worker_audit.accuracy.skills import Skills

    Positions = NDArray[np.int64]
    Reals = NDArray[np.float64]

PROPOSED = 50
LEAST_JUDGMENTS, LEAST_STRONG = 3, 2
MOST_AGAINST = 0.1  # share of the judgments by strong workers that may say something else
CONFIDENT, CONFIDENT_WITHOUT = 0.95, 0.9  # with all judgments; without any one of them


def proposals(result: Consensus | WorkerAudit, n: int = PROPOSED) -> pd.DataFrame:
    """Items that could serve as new gold, best first, as many of each label as there are.

    An item is proposed if it is no gold yet and has three judgments or more, two of them by strong workers who say the
    same (up to a tenth may not); if its confidence is .95 or more, and .9 or more without any one of its judgments.
    Strong workers are as good as the median worker off the gold, and at least half the way from chance to flawless. The
    best item of each label comes first, then the second best of each, and so on: best is what is most certain without
    any one judgment, then what more strong workers judged.

    Parameters
    ----------
    result
        A fit; where it can state no confidence, nothing is proposed.
    n
        How many items at most.

    Returns
    -------
    pandas.DataFrame
        item, label, confidence
            As in the labels.
        n_judgments, n_strong
            Judgments, and strong workers among those who gave them.
        reason
            What supports it.

    Raises
    ------
    ConfigError
        ``n`` is below 1.
    """
    return framed(proposal_columns(WorkerAudit.of(result), n))


def proposal_columns(audit: WorkerAudit, n: int = PROPOSED) -> Columns:
    """The columns that ``proposals`` shows."""
    import pyarrow as pa

    if n < 1:
        raise ConfigError(f"{n} items of new gold are asked for; ask for 1 or more")
    result, judgments = audit.result, audit.result.judgments
    found = Candidates.of(result, audit.skills)
    chosen = found.chosen(found.dealt(n))
    n_each = judgments.per_item[chosen.items]
    reasons = [
        f"{strong - against} of {strong} strong workers say so; {_percent(least)} certain without any one judgment"
        for strong, against, least in zip(
            chosen.n_strong.tolist(), chosen.n_against.tolist(), chosen.least.tolist(), strict=True
        )
    ]
    return {
        "item": judgments.item_ids.take(pa.array(chosen.items)),
        "label": named(chosen.label, judgments.labels),
        "confidence": result.peaks.confidence[chosen.items],
        "n_judgments": n_each,
        "n_strong": chosen.n_strong,
        "reason": pa.array(reasons, pa.string()),
    }


def _percent(share: float) -> str:
    """Never rounded up to certainty: ``99.9 %``."""
    return f"{np.floor(1000 * share) / 10:.1f} %"


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Items fit to be gold."""

    items: Positions
    """(C,) their codes, ascending."""
    label: NDArray[np.int32]
    """(C,)"""
    n_strong: Positions
    """(C,) strong workers who judged each."""
    n_against: Positions
    """(C,) judgments by strong workers that say something else."""
    least: Reals
    """(C,) tempered confidence without the one judgment that supports it most."""

    @classmethod
    def of(cls, result: Consensus, skill: Skills) -> Candidates:
        """All that there are."""
        judgments, peaks = result.judgments, result.peaks
        if not result.identified or not judgments.n_judgments:
            none, codes = np.zeros(0, np.int64), np.zeros(0, np.int32)
            return cls(none, codes, none, none, np.zeros(0))
        support, least = _support(result, skill)
        n = judgments.per_item
        fit = (n >= LEAST_JUDGMENTS) & ~peaks.tied & (peaks.confidence >= CONFIDENT)
        fit &= (support[:, 0] >= LEAST_STRONG) & (support[:, 1] <= MOST_AGAINST * support[:, 0])
        if result.gold is not None:
            fit[result.gold.items] = False
        items = np.flatnonzero(fit)
        without = _tempered(least[items], result.tempering.power(n[items] - 1, items), judgments.n_labels)
        sure = without >= CONFIDENT_WITHOUT
        items = items[sure]
        return cls(items, peaks.best[items], support[items, 0], support[items, 1], without[sure])

    def chosen(self, at: Positions) -> Candidates:
        """Some of them, in that order."""
        return Candidates(self.items[at], self.label[at], self.n_strong[at], self.n_against[at], self.least[at])

    def dealt(self, n: int) -> Positions:
        """The first ``n``, or all: the best of each label in turn."""
        order = np.argsort(self.label, kind="stable")
        bounds = np.flatnonzero(np.diff(self.label[order], prepend=-1, append=-1))
        best = [self._best(order[a:b], n) for a, b in itertools.pairwise(bounds)]
        rank = np.concatenate([np.zeros(0, np.int64), *(np.arange(len(one)) for one in best)])
        return np.concatenate([order[:0], *best])[np.argsort(rank, kind="stable")[:n]]

    def _best(self, at: Positions, n: int) -> Positions:
        """The best ``n`` of those ``at``, best first."""
        least = self.least[at]
        if len(at) > n:  # to sort millions would take long
            enough = least >= np.partition(least, len(at) - n)[len(at) - n]
            at, least = at[enough], least[enough]
        return at[np.lexsort((self.items[at], -self.n_strong[at], -least))][:n]


def _support(result: Consensus, skill: Skills) -> tuple[Positions, Reals]:
    """(I, 2) and (I,): what ``kernels.support`` finds about the best label of every item."""
    from consensus.kernels import support

    judgments = result.judgments
    right = against_others.right(result)
    found, least = np.empty((judgments.n_items, 2), np.int64), np.empty(judgments.n_items)

    def shard(part: slice) -> None:
        support.by_strong(
            judgments.item_start[part.start : part.stop + 1],
            judgments.worker,
            judgments.label,
            result.peaks.best[part],
            skill.strong,
            right,
            found[part],
            least[part],
        )

    result.backend.map(shard, even_slices(judgments.item_start, number_of_shards(judgments.n_judgments)))
    return found, least


def _tempered(p: Reals, power: Reals, n_labels: int) -> Reals:
    """Tempered probabilities of labels that have ``p``, what is left being spread evenly over the other labels."""
    own, rest = p**power, np.maximum((1.0 - p) / max(n_labels - 1, 1), 0.0) ** power
    found: Reals = own / (own + (n_labels - 1) * rest)
    return found
