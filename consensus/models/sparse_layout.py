"""Judgments laid out for EM with very many labels: of an item, only the labels that somebody gave it are weighed.

A table of every row by every label does not fit there, and nearly all of it would be zeros. The truth is then either
one of the labels given to the item, its candidates, or (the background) one of the others, under which its judgments
are explained by how the crowd errs on average::

    log b[i] = log (1 - sum of pi over the candidates) + sum_j log o[l_j]
    o[l]     = sum over k != l of pi[k] A[k,l] / A[k,.], divided by 1 - pi[l]

The background is fixed once A is: from there on EM is exact for this model and its objective never falls (it is EM
with a restricted support, Neal & Hinton 1998). While A is learnt, the judgments that the background explains count as
single errors, spread over the true labels as pi is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.backends import even_slices, number_of_shards
from consensus.found.confusions import Confusions
from consensus.found.posterior import SparsePosterior
from consensus.kernels import SMALLEST, sparse, tallies, weighted_em
from consensus.models import sparse_mixes
from consensus.models.cell_tables import CellTables
from consensus.models.priors import Priors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.inputs.gold import AlignedGold
    from consensus.inputs.judgments import Judgments
    from consensus.models.dense_layout import Rows
    from consensus.models.expectation_maximisation import Estimate


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The judgments by item, each with its cells (worker, observed label, true label)."""

    judgments: Judgments
    known: NDArray[np.bool_]
    """(I,) gold items: their candidates are the accepted labels."""
    candidate_start: NDArray[np.int64]
    """(I+1,) candidates of item i."""
    candidate: NDArray[np.int32]
    """(candidates,) their labels, ascending within an item."""
    pair_start: NDArray[np.int64]
    """(I+1,) where the pairs of a judgment and a candidate of item i begin in ``cell``."""
    cell: NDArray[np.int32]
    """(pairs,) number of the cell."""
    rows: Rows
    cell_start: NDArray[np.int64]
    """(R+1,) cells of each row."""
    true: NDArray[np.int32]
    """(cells,) true label of each cell; sorted by row, then true label."""
    label: NDArray[np.int32]
    """(cells,) observed label of each cell."""
    worker_start: NDArray[np.int64]
    """(W+1,) cells of each worker."""
    item_shards: tuple[slice, ...]
    worker_shards: tuple[slice, ...]

    @classmethod
    def of(cls, judgments: Judgments, rows: Rows, gold: AlignedGold | None) -> Cells:
        """Lay out ``judgments``, whose ``rows`` are numbered already."""
        K, starts = judgments.n_labels, judgments.item_start
        distinct = np.empty(judgments.n_items, np.int32)
        tallies.votes(starts, judgments.label, K, np.empty_like(distinct), distinct)
        known = np.zeros(judgments.n_items, np.bool_)
        n_candidates = distinct.astype(np.int64)
        if gold is not None:
            known[gold.items] = True
            n_candidates[gold.items] = gold.accepted.sum(axis=1)
        candidate_start = _offsets(n_candidates)
        candidate = np.empty(candidate_start[-1], np.int32)
        if gold is not None:
            candidate[np.repeat(known, n_candidates)] = np.nonzero(gold.accepted)[1]
        sparse.candidates(starts, judgments.label, candidate_start, known, candidate)

        pair_start = _offsets(judgments.per_item * n_candidates)
        key = np.empty(pair_start[-1], np.int64)
        sparse.touched(starts, rows.row, candidate_start, candidate, K, key)
        key.sort()
        key = key[np.concatenate([[True], key[1:] != key[:-1]])]
        row, true = np.divmod(key, K)
        cell_start = np.searchsorted(row, np.arange(len(rows.worker) + 1)).astype(np.int64)
        true = true.astype(np.int32)
        cell = np.empty(pair_start[-1], np.int32)
        sparse.numbered(starts, rows.row, candidate_start, candidate, cell_start, true, cell)
        worker_start = cell_start[rows.worker_start]
        n_shards = number_of_shards(judgments.n_judgments, len(true))
        return cls(
            judgments=judgments,
            known=known,
            candidate_start=candidate_start,
            candidate=candidate,
            pair_start=pair_start,
            cell=cell,
            rows=rows,
            cell_start=cell_start,
            true=true,
            label=rows.label[row],
            worker_start=worker_start,
            item_shards=even_slices(pair_start, n_shards),
            worker_shards=even_slices(worker_start, n_shards),
        )

    @property
    def n_items(self) -> int:
        """I."""
        return self.judgments.n_items

    @property
    def n_workers(self) -> int:
        """W."""
        return self.judgments.n_workers

    @property
    def n_labels(self) -> int:
        """K."""
        return self.judgments.n_labels

    def tables(self) -> CellTables:
        """Room for ``count``, ``maximise`` and ``em_pass``."""
        K = self.n_labels
        return CellTables(
            N=np.empty(len(self.true)),
            n=np.empty((0, K)),
            mass=np.empty(K),
            own_mass=np.zeros(K),
            C=np.empty(len(self.true)),
            by_shard=np.empty((len(self.item_shards), len(self.true))),
            background=np.empty(self.n_items),
            rest=np.zeros(self.n_items),
            pi=np.full(K, 1.0 / K),
            left=np.ones(self.n_items),
        )

    def votes(self, hard: bool) -> NDArray[np.float64]:
        """(candidates,) share of the item's judgments, or all of it to the majority label (evenly to tied ones).

        Gold items have their accepted labels evenly.
        """
        judgments = self.judgments
        item = np.repeat(np.arange(self.n_items), np.diff(self.candidate_start))
        code = item * np.int64(self.n_labels) + self.candidate  # ascending
        given = judgments.item * np.int64(self.n_labels) + judgments.label
        place = np.minimum(np.searchsorted(code, given), len(code) - 1)
        z = np.bincount(place[code[place] == given], minlength=len(code)).astype(np.float64)
        z[self.known[item]] = 1.0
        judged = np.flatnonzero(np.diff(self.candidate_start))
        first = self.candidate_start[judged]
        if hard:
            most = np.zeros(self.n_items)
            most[judged] = np.maximum.reduceat(z, first)
            z = (z == most[item]).astype(np.float64)
        total = np.ones(self.n_items)
        total[judged] = np.add.reduceat(z, first)
        return np.asarray(z / total[item], np.float64)

    def count(
        self, posterior: NDArray[np.float64], prior_row: NDArray[np.int32], tables: CellTables, backend: Backend
    ) -> None:
        """M1: expected counts N and mass of ``posterior`` (candidates,), into ``tables``."""
        del prior_row  # gold shows in the candidates

        def shard(s: int) -> None:
            part, units = self.item_shards[s], self.rows.units
            tables.by_shard[s] = 0.0
            offsets, cell = self._of(part), self.cell[self.pair_start[part.start] :]
            if units is None:
                sparse.scatter(*offsets, cell, posterior, tables.by_shard[s])
            else:
                weighted_em.scatter_cells(*offsets, cell, units.judgment, posterior, tables.by_shard[s])

        backend.map(shard, range(len(self.item_shards)))
        np.sum(tables.by_shard, axis=0, out=tables.N)
        mass = (
            posterior
            if self.rows.units is None
            else posterior * np.repeat(self.rows.units.item, np.diff(self.candidate_start))
        )
        tables.mass[:] = np.bincount(self.candidate, weights=mass, minlength=self.n_labels)

    def em_pass(self, priors: Priors, tables: CellTables, backend: Backend) -> float:
        """E and M1: N and mass of the posterior that ``tables.C`` implies, into ``tables``; the log evidence."""
        z = np.empty(len(self.candidate))
        power = np.ones(self.n_items)
        log_evidence = self._expect(
            self._log_prior(priors), tables.C, tables.background, power, z, tables.rest, backend
        )
        self.count(z, priors.row, tables, backend)
        return log_evidence

    def untold(self, items: NDArray[np.int32], tables: CellTables, backend: Backend) -> float:
        """As ``Rows.untold``: labels that are no candidates are as likely as the background makes each of them."""
        z, n_candidates = np.empty(len(self.candidate)), np.diff(self.candidate_start)
        with np.errstate(divide="ignore", invalid="ignore"):
            others = tables.background + np.log(self.n_labels - n_candidates) - np.log(tables.left)
        others[n_candidates == self.n_labels] = -np.inf
        even = np.zeros(len(self.candidate))
        self._expect(even, tables.C, others, np.ones(self.n_items), z, np.empty(self.n_items), backend)
        best = np.maximum.reduceat(np.append(z, 0.0), self.candidate_start[items])
        return 1.0 - (self.rows.mean(best, items) - 1.0 / self.n_labels) / (1.0 - 1.0 / self.n_labels)

    def label_counts(self, tables: CellTables) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
        """As ``Rows.label_counts``, of the pairs (worker, true label) that have cells; the background left out."""
        return sparse_mixes.label_counts(self, tables)

    def settle_others(
        self, pi: NDArray[np.float64], A: NDArray[np.float64], priors: Priors, tables: CellTables, backend: Backend
    ) -> None:
        """Fix the background: what a label that nobody gave the item explains."""
        tables.pi[:] = pi
        A_true = A.sum(axis=1)
        n_candidates = np.diff(self.candidate_start)
        judged, left = np.flatnonzero(n_candidates), tables.left
        left[:] = 1.0
        left[judged] -= np.add.reduceat(np.exp(self._log_prior(priors)), self.candidate_start[judged])
        if not A_true.all():  # maximum likelihood knows no crowd: only the labels given
            left[judged] = 0.0
        left[n_candidates == self.n_labels] = 0.0
        m = np.divide(A, A_true[:, None], out=np.zeros_like(A), where=A_true[:, None] > 0)
        other = (pi @ m - pi * np.diag(m)) / np.maximum(1.0 - pi, 1e-300)
        log_other = np.log(np.maximum(other, 1e-300))

        def shard(part: slice) -> None:
            starts, b = self._of(part)[0], tables.background[part]
            sparse.backgrounds(starts, self.judgments.label, log_other, left[part], self.known[part], b)

        backend.map(shard, self.item_shards)

    def _log_prior(self, priors: Priors) -> NDArray[np.float64]:
        """(candidates,) log prior of each candidate."""
        own = priors.by_candidate
        found: NDArray[np.float64] = np.log(priors.table[0])[self.candidate] if own is None else np.log(own)
        return found

    def _expect(
        self,
        log_prior: NDArray[np.float64],
        log_C: NDArray[np.float64],
        background: NDArray[np.float64],
        power: NDArray[np.float64],
        out_z: NDArray[np.float64],
        out_rest: NDArray[np.float64],
        backend: Backend,
    ) -> float:
        def shard(part: slice) -> float:
            item_start, candidate_start = self._of(part)
            cell = self.cell[self.pair_start[part.start] :]
            sparse.log_posterior(item_start, candidate_start, cell, log_C, log_prior, out_z)
            units, b, weighed = self.rows.units, background[part], None
            if units is not None:
                weighed = weighted_em.log_evidence(candidate_start, b, units.item[part], out_z)
            evidence = sparse.normalise(candidate_start, b, power[part], self.n_labels, out_z, out_rest[part])
            return float(evidence if weighed is None else weighed)

        return sum(backend.map(shard, self.item_shards))

    def prior_gains(
        self, A: NDArray[np.float64], psi: NDArray[np.float64], tables: CellTables, backend: Backend
    ) -> tuple[NDArray[np.float64], float]:
        """As ``Rows.prior_gains``, with the errors that the background explains as single ones."""
        A_true, by_observed = A.sum(axis=1), np.ascontiguousarray(A.T)

        def shard(part: slice) -> tuple[NDArray[np.float64], float]:
            gain = np.zeros_like(A)
            starts = self.worker_start[part.start : part.stop + 1]
            d = sparse.prior_gains(starts, self.true, self.label, tables.N, A_true, by_observed, psi, gain)
            return gain, d

        found = backend.map(shard, self.worker_shards)
        gain = np.sum([one for one, _ in found], axis=0)
        missed = np.bincount(self.judgments.label, weights=self._missed(tables.rest), minlength=self.n_labels)
        pi = tables.pi
        spread = (missed / np.maximum(1.0 - pi, 1e-300))[:, None] * pi  # of the errors, by [observed, true] label
        np.fill_diagonal(spread, 0.0)
        d = sum(d for _, d in found) + float((spread.sum(axis=0) / A_true).sum())
        return np.asarray(gain + spread / by_observed, np.float64), d

    def _rest_of_all(self, rest: NDArray[np.float64]) -> NDArray[np.float64]:
        """(I,) posterior of all labels together that are no candidates."""
        return np.asarray(rest * (self.n_labels - np.diff(self.candidate_start)), np.float64)

    def _missed(self, rest: NDArray[np.float64]) -> NDArray[np.float64]:
        """(J,) how far each judgment, in units, is about a label that is no candidate."""
        found, units = self._rest_of_all(rest)[self.judgments.item], self.rows.units
        return found if units is None else found * units.judgment

    def maximise(self, A: NDArray[np.float64], smallest: float, tables: CellTables, backend: Backend) -> float:
        """M3: log C from N and A, into ``tables``; the part of the log prior density that the counts decide."""
        A_true, by_observed = A.sum(axis=1), np.ascontiguousarray(A.T)

        def shard(part: slice) -> float:
            starts = self.worker_start[part.start : part.stop + 1]
            return float(
                sparse.confusions(starts, self.true, self.label, tables.N, A_true, by_observed, smallest, tables.C)
            )

        without_counts = float((A_true[A_true > 0] * np.log(A_true[A_true > 0])).sum())
        return float(sum(backend.map(shard, self.worker_shards))) - self.n_workers * without_counts

    def one_coin(self, accuracy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log C (cells,) of workers with one ``accuracy`` (W,) each, errors spread evenly."""
        worker = np.repeat(np.arange(self.n_workers), np.diff(self.worker_start))
        wrong = (1.0 - accuracy) / max(self.n_labels - 1, 1)
        return np.asarray(np.log(np.where(self.true == self.label, accuracy[worker], wrong[worker])), np.float64)

    def start_of(self, C: NDArray[np.float64], priors: Priors, backend: Backend) -> NDArray[np.float64]:
        """(candidates,) posterior to start from, given ``C``; other labels are left out."""
        z = np.empty(len(self.candidate))
        nothing = np.where(np.diff(self.candidate_start) > 0, -np.inf, 0.0)
        rest = np.empty(self.n_items)
        self._expect(self._log_prior(priors), C, nothing, np.ones(self.n_items), z, rest, backend)
        return z

    def beliefs(
        self,
        estimate: Estimate,
        priors: Priors,
        power: NDArray[np.float64],
        backend: Backend,
    ) -> SparsePosterior:
        """E: posterior of all items, to ``power`` (I,) and normalised."""
        z, rest = np.empty(len(self.candidate)), np.empty(self.n_items)
        self._expect(self._log_prior(priors), estimate.C, estimate.background, power, z, rest, backend)
        return SparsePosterior(self.candidate_start, self.candidate, z, rest, self.n_labels)

    def confusions(self, estimate: Estimate, backend: Backend) -> Confusions:
        """The confusions of all workers."""
        priors = Priors(np.maximum(estimate.pi, SMALLEST)[None], np.zeros(0, np.int32), 1)
        rest = self.beliefs(estimate, priors, np.ones(self.n_items), backend).rest
        missed = np.bincount(self.judgments.worker, weights=self._missed(rest), minlength=self.n_workers)
        return Confusions(
            self.rows.worker,
            self.rows.label,
            self.cell_start,
            self.true,
            estimate.counts,
            estimate.A,
            self.n_workers,
            missed.astype(np.float64),
        )

    def pooled_counts(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """(K, K) expected judgments of all workers together, [true, observed]."""
        code = self.true * np.int64(self.n_labels) + self.label
        pooled = np.bincount(code, weights=counts, minlength=self.n_labels**2)
        return pooled.reshape(self.n_labels, self.n_labels).astype(np.float64)

    def gathered(
        self, estimate: Estimate, judgment: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """N and C of the row, and n of the worker of some judgments, each (n, K) by true label."""
        row, K = self.rows.row[judgment], self.n_labels
        label, worker = self.rows.label[row], self.rows.worker[row]
        N = _spread(self.cell_start, row, self.true, estimate.counts, K)
        n = np.zeros((len(row), K))
        for w in np.unique(worker):
            cells = slice(self.worker_start[w], self.worker_start[w + 1])
            n[worker == w] = np.bincount(self.true[cells], weights=estimate.counts[cells], minlength=K)
        total = n + estimate.A.sum(axis=1)
        C = np.divide(N + estimate.A.T[label], total, out=np.full_like(N, 1.0 / K), where=total > 0)
        return N, n, C

    def _of(self, part: slice) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Offsets of the judgments and of the candidates of some items."""
        items = slice(part.start, part.stop + 1)
        return self.judgments.item_start[items], self.candidate_start[items]


def _spread(
    start: NDArray[np.int64], chosen: NDArray[np.int32], code: NDArray[np.int32], values: NDArray[np.float64], n: int
) -> NDArray[np.float64]:
    """(len(chosen), n) the values of the chosen parts (``start`` delimits them) at their codes, else 0."""
    found = np.zeros((len(chosen), n))
    for place, part in enumerate(chosen.tolist()):
        entries = slice(start[part], start[part + 1])
        found[place, code[entries]] = values[entries]
    return found


def _offsets(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n+1,) where each of n parts begins."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)])
