"""How much memory a fit and its tables need, from the counts alone; held against measured peaks in the tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus import memory
from consensus.backends import number_of_shards
from consensus.inputs.judgments import BESIDE
from consensus.kernels import tallies
from consensus.models import votes_people
from consensus.models.dense_layout import IN_REGISTERS
from consensus.models.layout import weighs_all_labels

if TYPE_CHECKING:
    from consensus.inputs.judgments import Judgments
    from consensus.inputs.model_votes import AlignedVotes

PAIRS_COMPARED = 200_000_000  # bytes of the pairs of judgments that the switch risk is read from
A_PAIR = 60  # bytes of a judgment with a candidate label, where not all labels are weighed
A_VOTE = 40  # bytes of a model's vote, besides its probabilities
CONFUSIONS = 6  # tables of all models: pseudo-counts, those to begin with, of families, learnt, and tested
A_CELL = 110  # bytes of a row of confusions.csv while it is made
AN_ITEM_TOLD = 200  # bytes of an item's summary, look-ahead, rank and status
A_CELL_BESIDE = 24  # bytes of a time, duration, price, group, weight or cluster while it is read and put in order
A_REPORT = 150_000_000  # bytes of what draws report.html; it comes last, when the blocks may not be given back yet
BLOCKS = 300_000_000  # bytes of the blocks of tables that are encoded at once


@dataclass(frozen=True, slots=True)
class Needs:
    """Bytes at the peak of each stage."""

    reading: int
    fitting: int
    tables: int

    @property
    def peak(self) -> int:
        """Bytes of the whole job."""
        return max(self.reading, self.fitting, self.tables)


def of(
    judgments: Judgments,
    votes: AlignedVotes | None = None,
    *,
    report: bool = False,
    n_states: int = 0,
    gold: bool = False,
) -> Needs:
    """What a job on ``judgments`` needs, with ``votes`` of models beside them; with a ``report`` in the end.

    With ``n_states``, also readings finer than labels are fitted, of so many states at most; with ``gold``, posteriors
    are calibrated on it.
    """
    J, I, W, K = judgments.n_judgments, judgments.n_items, judgments.n_workers, judgments.n_labels  # noqa: E741
    every = judgments.item_ids, judgments.worker_ids, judgments.group_ids, judgments.cluster_ids
    ids = [one for one in every if one is not None]
    n_ids, id_bytes = sum(map(len, ids)), sum(one.nbytes for one in ids)
    n_beside = sum(getattr(judgments, name) is not None for name in BESIDE)
    n_of_items = sum(one is not None for one in (judgments.weight, judgments.cluster))
    held = memory.LIBRARIES + (12 + 8 * n_beside) * J + 8 * (1 + n_of_items) * I + id_bytes
    rows = min(J, W * K)
    if weighs_all_labels(I, rows, K):
        width, cut = max(K, IN_REGISTERS, n_states), max(K, n_states)
        tables = 8 * rows * (width * (number_of_shards(J, rows * cut) + 1) + cut) + 8 * W * cut
        fitting = 4 * J + max(8 * J, tables + 8 * I * K + 12 * I, PAIRS_COMPARED)
        if n_states:  # what other readings found, where they start, what they say of items, and judgments held out
            fitting += 8 * rows * (2 * n_states + 3 * K) + I * (8 * n_states + 32 * K + 36) + 24 * J
        calibrated = 8 * I * K if gold else 0  # of the fit without gold, which is kept
        fitting += 2 * calibrated  # and what workers' weights make of the shares
        kept, cells = 8 * I * K + calibrated + 12 * rows * K, rows * K
    else:
        distinct = np.empty(I, np.int32)
        tallies.votes(judgments.item_start, judgments.label, K, np.empty_like(distinct), distinct)
        pairs = int((judgments.per_item * distinct).sum())
        candidates = int(distinct.sum())
        fitting = 4 * J + A_PAIR * pairs + 40 * K * K + 28 * candidates + 40 * I
        calibrated = 12 * candidates + 8 * I if gold else 0
        fitting += calibrated + 40 * candidates * gold
        kept, cells = 12 * candidates + 8 * I + calibrated + 12 * pairs, pairs
    if votes is not None:
        n_soft, n_voted = len(votes.probability), int(np.count_nonzero(votes.per_item))
        held += 8 * n_soft * K + A_VOTE * len(votes.model)  # as they were read, and as they are aligned
        fitting += 12 * n_soft * K + A_VOTE * len(votes.model) + 8 * n_voted * (max(K, IN_REGISTERS) + 2 * K)
        fitting += _of_models(votes, n_voted, W, K, gold)
    if judgments.is_weighed:  # the units; those by label, what workers judged of clusters, how right they are
        fitting += 8 * (J + I) + (0 if judgments.cluster is None else 8 * (3 * J + I) + kept)
    return Needs(
        reading=memory.of_reading(judgments.tally.read, n_ids, id_bytes)
        + A_CELL_BESIDE * (n_beside + n_of_items) * judgments.tally.read,
        fitting=held + fitting,
        tables=held + 4 * J + kept + AN_ITEM_TOLD * I + max(BLOCKS, A_CELL * cells) + (A_REPORT if report else 0),
    )


def _of_models(votes: AlignedVotes, n_voted: int, n_workers: int, n_labels: int, gold: bool) -> int:
    """Bytes of what models are tested on (``votes_people``), once more with gold that is held, and of confusions."""
    M, K = votes.n_models, n_labels
    n_tested = min(n_voted, votes_people.most_tested(K, M) * (2 if gold else 1))
    n_h = len(votes_people.RHOS) * (2 if n_workers < votes_people.FEW_WORKERS else 1)
    tables = 3 * n_h + 2  # as people say, of the items of one model, and of those among them that several judged
    tested = n_tested * (8 * K * (tables + n_h * gold) + 8 * M)  # and which model named what
    of_shards = 2 * number_of_shards(len(votes.model) - len(votes.probability))
    return tested + 8 * M * K * K * (CONFUSIONS + of_shards)
