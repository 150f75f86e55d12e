"""Whether anything contradicts a worker whose answers seem to say nothing.

Answers that do not depend on the truth, and the answers of a good worker whose items all have one label, look alike. So
nobody is condemned whom the others do not contradict: on items that surely are not what the worker says most often, or
in many of the judgments of items whose label is sure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.worker_audit.accuracy import against_others, units_of_workers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.result import Consensus

    Positions = NDArray[np.int64]
    Reals = NDArray[np.float64]

SURE = 0.9  # probability by the others from which they contradict
LEAST = 3.0  # contradictions that are needed
MOST_SLIPS = 1 / 3  # share of the judgments of sure items in which somebody who looks at them may be contradicted
FIRST = 64  # judgments that are looked at to begin with: most who are contradicted are in these
BLOCK = 4_000_000  # judgments times labels that are worked on at once


@dataclass(frozen=True, slots=True, eq=False)
class Contradicted:
    """What the others say of the items of some workers (n,)."""

    enough: NDArray[np.bool_]
    """(n,) they contradict the worker often enough to condemn."""
    share_of_favourite: Reals
    """(n,) mean probability that an item is what the worker says most often; 1 where nobody else judged any."""


def contradicted(result: Consensus, workers: Positions, favourite: Positions) -> Contradicted:
    """Whether the others contradict ``workers`` (n,), who give the label ``favourite`` (n,) most often.

    Let q be the posterior of an item by its other judgments, its gold and models, untempered. Of judgments where q is
    sure (``SURE``), those count whose item is not the favourite label: with ``LEAST`` of them, the worker is
    contradicted. So they are, too, if ``LEAST`` judgments, and a third of those of sure items, give a label that is
    surely wrong: who gives many labels in a crowd that nearly always sees one.
    """
    judgments = result.judgments
    place = np.full(judgments.n_workers, -1)
    place[workers] = np.arange(len(workers))
    mine = np.flatnonzero((place >= 0)[judgments.worker])  # the flags alone: there may be very many judgments
    own = place[judgments.worker[mine]]
    order = np.argsort(own, kind="stable")
    mine, own = mine[order], own[order]
    nth = np.arange(len(own)) - np.searchsorted(own, own)
    first = _sums(result, mine[nth < FIRST], own[nth < FIRST], favourite)
    open_ones = ~_enough(first)
    more = (nth >= FIRST) & open_ones[own]
    found = first + _sums(result, mine[more], own[more], favourite)
    checked, of_favourite = found[:, 3], found[:, 4]
    share = np.divide(of_favourite, checked, out=np.ones(len(found)), where=checked > 0)
    return Contradicted(_enough(found), share)


def _enough(sums: Reals) -> NDArray[np.bool_]:
    elsewhere, wrong, sure = sums[:, 0], sums[:, 1], sums[:, 2]
    return np.asarray((elsewhere >= LEAST) | ((wrong >= LEAST) & (wrong >= MOST_SLIPS * sure)))


def _sums(result: Consensus, judgment: Positions, own: Positions, favourite: Positions) -> Reals:
    """(n, 5) sums over some judgments of each worker that can be held against anything.

    P(the item is not the favourite label) and P(the label given is wrong), each where it is SURE or more; how many
    items have a sure label; how many judgments; P(the item is the favourite label).
    """
    judgments, unit = result.judgments, units_of_workers.of_judgments(result)
    kept = against_others.is_checked(result, judgments.item[judgment])
    judgment, own = judgment[kept], own[kept]
    found = np.zeros((len(favourite), 5))
    step = max(BLOCK // judgments.n_labels, 1)
    for begin in range(0, len(judgment), step):
        some, whose = judgment[begin : begin + step], own[begin : begin + step]
        q = against_others.cavities(result, some)
        rows = np.arange(len(some))
        of_favourite = q[rows, favourite[whose]]
        elsewhere, wrong = 1.0 - of_favourite, 1.0 - q[rows, judgments.label[some]]
        terms = (
            np.where(elsewhere >= SURE, elsewhere, 0.0),
            np.where(wrong >= SURE, wrong, 0.0),
            q.max(axis=1) >= SURE,
            np.ones(len(some)),
            of_favourite,
        )
        for column, term in enumerate(terms):
            weights = term * unit[some] if len(unit) else term
            found[:, column] += np.bincount(whose, weights=weights, minlength=len(favourite))
    return found
