"""Every worker's confusion matrix, stored by observed cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.probabilities import normalised

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

BLOCK = 5_000_000  # cells that are worked on at once


@dataclass(frozen=True, slots=True, eq=False)
class Confusions:
    """Every worker's confusion matrix, stored by observed row.

    A judgment touches only the row (worker, observed label), and at most J of those exist, where a dense (W, K, K)
    table may not fit. Each row lists the true labels under which the judgments of that row may have been made: all of
    them, or, with very many labels, those that were given to the same items.
    C[w, k, l] = (N[w, k, l] + A[k, l]) / (n[w, k] + A[k, .]): the mean of its Dirichlet posterior. It sums to 1 over l.
    """

    row_worker: NDArray[np.int32]
    """(R,) worker of each row; rows are sorted by worker, then label."""
    row_label: NDArray[np.int32]
    """(R,) observed label of each row."""
    cell_start: NDArray[np.int64]
    """(R+1,) cells of each row."""
    true: NDArray[np.int32]
    """(cells,) true label of each cell, ascending within a row."""
    counts: NDArray[np.float64]
    """(cells,) expected judgments N."""
    pseudo_counts: NDArray[np.float64]
    """(K, K) prior pseudo-judgments A[true, observed]."""
    n_workers: int
    missed: NDArray[np.float64] | None = None
    """(W,) expected judgments on items whose label nobody gave, which are in no cell; None: there are none."""
    silences: NDArray[np.float64] | None = None
    """(R,) of the counts of each row, those that are no judgments but silences of workers who give one label only, and
    elsewhere count as saying the true one (``consensus.models.one_label``); None: there are none."""
    as_one: NDArray[np.float64] | None = None
    """(R, K) P(observed | true) of the rows of workers who count as one with others, NaN of all others: it does not
    follow from their own counts (``consensus.models.newcomers_as_one``). None: everybody counts apart."""

    @classmethod
    def of_rows(
        cls,
        row_worker: NDArray[np.int32],
        row_label: NDArray[np.int32],
        counts: NDArray[np.float64],
        pseudo_counts: NDArray[np.float64],
        n_workers: int,
    ) -> Confusions:
        """From ``counts`` (R, K) with a cell for every true label."""
        n_rows, n_labels = counts.shape
        return cls(
            row_worker,
            row_label,
            cell_start=np.arange(n_rows + 1, dtype=np.int64) * n_labels,
            true=np.tile(np.arange(n_labels, dtype=np.int32), n_rows),
            counts=counts.ravel(),
            pseudo_counts=pseudo_counts,
            n_workers=n_workers,
        )

    @property
    def n_labels(self) -> int:
        """K."""
        return len(self.pseudo_counts)

    @property
    def worker(self) -> NDArray[np.int32]:
        """(cells,) worker of each cell."""
        return np.repeat(self.row_worker, np.diff(self.cell_start))

    @property
    def label(self) -> NDArray[np.int32]:
        """(cells,) observed label of each cell."""
        return np.repeat(self.row_label, np.diff(self.cell_start))

    def rows_of(self, worker: NDArray[np.integer], label: NDArray[np.integer]) -> NDArray[np.int64]:
        """(n,) the row of each pair of a worker and an observed label; -1 where they never gave it."""
        code = self.row_worker.astype(np.int64) * self.n_labels + self.row_label
        wanted = worker.astype(np.int64) * self.n_labels + label
        if not len(code):
            return np.full(len(wanted), -1)
        row = np.minimum(np.searchsorted(code, wanted), len(code) - 1)
        return np.where(code[row] == wanted, row, -1)

    def with_those_as_one(self, likelihoods: NDArray[np.float64]) -> NDArray[np.float64]:
        """P(observed | true) by cell (cells,) or by row (R, K), from what the counts of each worker say of it."""
        if self.as_one is None:
            return likelihoods
        known = self.as_one.reshape(likelihoods.shape)
        return np.where(np.isnan(known), likelihoods, known)

    def per_row(self) -> NDArray[np.float64]:
        """(R,) judgments of each row, but for those that are ``missed``, and without ``silences``."""
        row = np.repeat(np.arange(len(self.row_worker)), np.diff(self.cell_start))
        found = np.bincount(row, weights=self.counts, minlength=len(self.row_worker)).astype(np.float64)
        return found if self.silences is None else np.maximum(found - self.silences, 0.0)

    def totals(self, first: int = 0, last: int | None = None) -> NDArray[np.float64]:
        """n[w, true] (W, K) of the workers ``first`` to ``last``, all by default."""
        last = self.n_workers if last is None else last
        worker, _, true, counts = self._cells(first, last)
        code = (worker.astype(np.int64) - first) * self.n_labels + true
        found = np.bincount(code, weights=counts, minlength=(last - first) * self.n_labels)
        return found.reshape(last - first, self.n_labels).astype(np.float64)

    def right(self) -> NDArray[np.float64]:
        """N[w, k, k] (W, K): expected judgments that give the true label."""
        found = np.zeros((self.n_workers, self.n_labels))
        label = self.label
        on_diagonal = np.flatnonzero(label == self.true)
        found[self.worker[on_diagonal], label[on_diagonal]] = self.counts[on_diagonal]
        return found

    def matrix(self, worker: int) -> NDArray[np.float64]:
        """C[true, observed] (K, K) of one worker; rows sum to 1."""
        (one,) = self.dense(worker, worker + 1)
        return np.asarray(one, np.float64)

    def dense(self, first: int = 0, last: int | None = None) -> NDArray[np.float64]:
        """C[w, true, observed] (W, K, K) of the workers ``first`` to ``last``, all by default: 8 W K^2 bytes."""
        return normalised(self.dense_counts(first, last) + self.pseudo_counts)

    def dense_counts(self, first: int = 0, last: int | None = None) -> NDArray[np.float64]:
        """N[w, true, observed] (W, K, K) of the workers ``first`` to ``last``, all by default."""
        last = self.n_workers if last is None else min(last, self.n_workers)
        worker, label, true, counts = self._cells(first, last)
        table = np.zeros((last - first, self.n_labels, self.n_labels))
        table[worker - first, true, label] = counts
        return table

    def informativeness(self, prior: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mutual information (W,), in nats, of the true label, distributed as ``prior`` (K,), and the worker's answer.

        0 for a spammer; log K at most. With q[l] = sum_k prior[k] C[k, l] it is
        sum_kl prior[k] C[k, l] log C[k, l] - sum_l q[l] log q[l]; cells that were never observed enter both sums
        through the prior A alone.
        """
        from scipy.special import xlogy

        K, A = self.n_labels, self.pseudo_counts
        A_true, A_logs = A.sum(axis=1), xlogy(A, A)
        found = np.empty(self.n_workers)
        for first, last in self._blocks():
            worker, label, true, counts = self._cells(first, last)
            total = self.totals(first, last) + A_true
            known = total > 0
            weight = np.divide(prior, total, out=np.zeros_like(total), where=known)  # of a count, (workers, K)
            logs = np.where(known, np.log(total, out=np.zeros_like(total), where=known), np.log(K))
            weight_cell = weight[worker - first, true]
            a = A[true, label]
            gained = weight_cell * (xlogy(counts + a, counts + a) - A_logs[true, label])
            given_truth = weight @ A_logs.sum(axis=1) - logs @ prior
            given_truth += np.bincount(worker - first, weights=gained, minlength=last - first)
            answers = weight @ A + (np.where(known, 0.0, prior).sum(axis=1) / K)[:, None]
            code = (worker.astype(np.int64) - first) * K + label
            answers += np.bincount(code, weights=weight_cell * counts, minlength=answers.size).reshape(answers.shape)
            found[first:last] = given_truth - xlogy(answers, answers).sum(axis=1)
        return np.maximum(found, 0.0)

    def _cells(
        self, first: int, last: int
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
        """Worker, observed label, true label and count of the cells of the workers ``first`` to ``last``."""
        begin, end = np.searchsorted(self.row_worker, [first, last])
        n_each = np.diff(self.cell_start[begin : end + 1])
        cells = slice(self.cell_start[begin], self.cell_start[end])
        worker, label = (np.repeat(code[begin:end], n_each) for code in (self.row_worker, self.row_label))
        return worker, label, self.true[cells], self.counts[cells]

    def _blocks(self) -> Iterator[tuple[int, int]]:
        """First and last worker of blocks of about ``BLOCK`` cells."""
        n_cells = len(self.counts) + self.n_workers * self.n_labels
        step = max(1, int(self.n_workers * BLOCK // max(n_cells, 1)))
        for first in range(0, self.n_workers, step):
            yield first, min(first + step, self.n_workers)
