"""Rows of models to votes: what several rows of one item and model say together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus import memory

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend

    Flags = NDArray[np.bool_]
    Positions = NDArray[np.int32]

CELLS = 1 << 20  # of the table of samples that a thread works on at once
TOLERANCE = 1e-3  # of the sum of probabilities, before they count as normalised


@dataclass(frozen=True, slots=True, eq=False)
class ModelRows:
    """Rows as they were read: each names a label (long) or has scores of all labels that have a column (wide)."""

    item: NDArray[np.int32]
    """(R,)"""
    model: NDArray[np.int32]
    """(R,)"""
    label: NDArray[np.int32]
    """(R,) -1 in wide rows, and where it is absent."""
    score: NDArray[np.float32]
    """(R,) of the label; NaN where it has none."""
    wide: NDArray[np.int32]
    """(R,) row of ``table``, -1 for long rows."""
    table: NDArray[np.float32]
    """(W, K) scores of wide rows, NaN where a label has none."""
    file_ends: NDArray[np.int64]
    """(F,) rows up to and with each file."""
    n_models: int

    def answered(self) -> Positions:
        """Rows that are no abstains."""
        answers = self.label >= 0
        is_wide = np.flatnonzero(self.wide >= 0)
        given = np.zeros(len(self.table), np.bool_)
        for scores in self.table.T:  # many rows, few labels
            given |= ~np.isnan(scores)
        answers[is_wide] = given[self.wide[is_wide]]
        return np.flatnonzero(answers).astype(np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Combined:
    """One vote an item and model, ordered by these."""

    item: NDArray[np.int32]
    model: NDArray[np.int32]
    label: NDArray[np.int32]
    row: NDArray[np.int32]
    """(V,) row of ``probability``, -1 for hard votes."""
    probability: NDArray[np.float32]
    normalised: int
    """Votes with scores whose sum was not near 1 and which had to be divided by it."""
    zero: Positions
    """Rows that are no vote because all scores of their item and model are 0."""
    n_answered: int
    """Rows that are no abstains."""
    named: NDArray[np.int32]
    """(V,) the only label that a vote names or gives a score to; -1 where there are several."""


def combined(rows: ModelRows, backend: Backend) -> Combined:
    """One vote of each item and model that somebody answered for.

    A row with a label and no score is a sample with probability 1. Rows with scores of different labels are one list
    of scores; where the same labels recur, the rows of each file are, and where they recur in a file, each row is one.
    Each list is completed to probabilities, and the vote is the average of all samples and lists.
    """
    row, first = _by_vote(rows)
    n_answered = len(row)
    start = np.flatnonzero(first)
    says = np.logical_or.reduceat(rows.score[row] != 0, start)  # a row without a score does: NaN is not 0
    zero = row[:0]
    if not says.all():
        used = np.repeat(says, np.diff(start, append=len(row)))
        zero, row, first = row[~used], row[used], first[used]
        start = np.flatnonzero(first)
    count, lead = np.diff(start, append=len(row)), row[start]
    soft = (count > 1) | (rows.wide[lead] >= 0) | ~np.isnan(rows.score[lead])
    probability, normalised = np.empty((0, rows.table.shape[1]), np.float32), 0
    label, at = rows.label[lead], np.full(len(lead), -1, np.int32)
    if soft.any():
        of_soft = np.repeat(soft, count)
        probability, normalised = _averages(rows, row[of_soft], first[of_soft], backend)
        label[soft] = probability.argmax(axis=1)
        at[soft] = np.arange(len(probability))
    named = _named(rows, row, first)
    return Combined(rows.item[lead], rows.model[lead], label, at, probability, normalised, zero, n_answered, named)


def _named(rows: ModelRows, row: Positions, first: Flags) -> NDArray[np.int32]:
    """(V,) the only label of each vote, whose rows begin at ``first`` (N,); -1 where it has several, or a wide row."""
    start = np.flatnonzero(first)
    low, high = (np.asarray(pick.reduceat(rows.label[row], start), np.int32) for pick in (np.minimum, np.maximum))
    return np.where((low == high) & (rows.wide[row[start]] < 0), low, np.int32(-1))


def _by_vote(rows: ModelRows) -> tuple[Positions, Flags]:
    """The answered rows by item, model, long before wide, and order of reading; and which is the first of a vote."""
    row = rows.answered()
    key = (rows.item[row].astype(np.int64) * rows.n_models + rows.model[row]) << 1
    key |= rows.wide[row] >= 0
    order = np.argsort(key, kind="stable")
    row, key = row[order], key[order] >> 1
    return row, _changes(key)


def _changes(codes: NDArray[np.int64]) -> Flags:
    """Whether each entry (N,) differs from the one before it; True for the first."""
    found = np.ones(len(codes), np.bool_)
    np.not_equal(codes[1:], codes[:-1], out=found[1:])
    return found


def _averages(rows: ModelRows, row: Positions, first: Flags, backend: Backend) -> tuple[NDArray[np.float32], int]:
    """Probabilities (S, K) of soft votes, and how many had to be normalised.

    ``row`` (N,) are their rows, vote by vote, and ``first`` (N,) tells where each begins.
    """
    begins = _samples(rows, row, first)
    sample = np.cumsum(begins, dtype=np.int32) - 1
    row_start = np.append(np.flatnonzero(first), len(row))
    n_votes, n_labels = len(row_start) - 1, rows.table.shape[1]
    room(n_votes, n_labels)
    probability = np.empty((n_votes, n_labels), np.float32)
    normalised = np.zeros(n_votes, np.bool_)
    sample_start = np.append(sample[row_start[:-1]], begins.sum())

    def part(votes: slice) -> None:
        at, bounds = slice(row_start[votes.start], row_start[votes.stop]), sample_start[votes.start : votes.stop + 1]
        lists = _lists(rows, row[at], sample[at] - bounds[0], int(bounds[-1] - bounds[0]))
        changed = _complete(lists)
        if len(lists) > votes.stop - votes.start:
            lists = np.add.reduceat(lists, bounds[:-1] - bounds[0], axis=0, dtype=np.float64)
            lists /= np.diff(bounds)[:, None]
            changed = np.logical_or.reduceat(changed, bounds[:-1] - bounds[0])
        probability[votes], normalised[votes] = lists, changed

    backend.map(part, _parts(sample_start, max(CELLS // n_labels, 1)))
    return probability, int(normalised.sum())


def _samples(rows: ModelRows, row: Positions, first: Flags) -> Flags:
    """Whether each row is the first of a sample or list."""
    is_wide = rows.wide[row] >= 0
    if is_wide.all() or first.all():
        return np.ones(len(row), np.bool_)
    file = np.searchsorted(rows.file_ends, row, side="right")
    apart = first | (_changes(file) & ~_is_list(rows, row, np.cumsum(first, dtype=np.int32) - 1))
    return apart | is_wide | ~_is_list(rows, row, np.cumsum(apart, dtype=np.int32) - 1)


def _is_list(rows: ModelRows, row: Positions, group: Positions) -> Flags:
    """Whether each row is in a group (N,) whose long rows are all scores of different labels."""
    label, is_long = rows.label[row], rows.wide[row] < 0
    pair = np.sort(group[is_long].astype(np.int64) * rows.table.shape[1] + label[is_long])
    fine = np.ones(group[-1] + 1, np.bool_)
    fine[pair[1:][pair[1:] == pair[:-1]] // rows.table.shape[1]] = False
    fine[group[is_long & np.isnan(rows.score[row])]] = False
    return fine[group]


def _lists(rows: ModelRows, row: Positions, sample: Positions, n_samples: int) -> NDArray[np.float32]:
    """Scores (samples, K) of rows, NaN where a label has none."""
    wide = rows.wide[row]
    if n_samples == len(row) and wide.min(initial=0) >= 0:
        return rows.table[wide]
    found = np.full((n_samples, rows.table.shape[1]), np.nan, np.float32)
    is_wide = wide >= 0
    found[sample[is_wide]] = rows.table[wide[is_wide]]
    row, sample = row[~is_wide], sample[~is_wide]
    score = rows.score[row]
    found[sample, rows.label[row]] = np.where(np.isnan(score), np.float32(1), score)
    return found


def _complete(lists: NDArray[np.float32]) -> Flags:
    """Turn scores (N, K) into probabilities, in place; and tell which had to be normalised."""
    n_labels = lists.shape[1]
    missing = np.isnan(lists)
    n_missing = missing.sum(axis=1)
    lists[missing] = 0
    total = lists.sum(axis=1, dtype=np.float64)
    partial = np.flatnonzero((n_missing > 0) & (total < 1))
    lists[partial] += missing[partial] * ((1 - total[partial]) / n_missing[partial])[:, None].astype(np.float32)
    divided = np.ones(len(lists), np.bool_)
    divided[partial] = False
    silent = divided & (total == 0)  # one of several samples
    lists[silent], total[silent] = 1, n_labels
    np.divide(lists, np.where(divided, total, 1)[:, None], out=lists, casting="same_kind")  # in float64
    changed: Flags = divided & (np.abs(total - 1) > TOLERANCE) & ~silent
    return changed


def _parts(sample_start: Positions, most: int) -> list[slice]:
    """Votes in slices of about ``most`` samples."""
    n_votes, begin = len(sample_start) - 1, 0
    found = []
    while begin < n_votes:
        end = int(np.searchsorted(sample_start, sample_start[begin] + most, side="right")) - 1
        found.append(slice(begin, max(end, begin + 1)))
        begin = found[-1].stop
    return found


def room(n_rows: int, n_labels: int) -> None:
    """Refuse a table of probabilities that does not fit into memory.

    Raises
    ------
    ConfigError
        It does not.
    """
    memory.refuse(4 * n_rows * n_labels, None, f"a table of {n_rows:,} model votes and {n_labels:,} labels")
