"""Judgments laid out for EM with all labels possible everywhere: a row for each observed pair (worker, label)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.backends import even_parts, even_slices, number_of_shards
from consensus.found.confusions import Confusions
from consensus.found.posterior import DensePosterior
from consensus.kernels import em, mix_loops, tallies
from consensus.models import item_parts
from consensus.models.item_parts import Held, Part
from consensus.models.priors import Priors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.found.units import Units
    from consensus.inputs.judgments import Judgments
    from consensus.models.expectation_maximisation import Estimate

IN_REGISTERS = 4  # labels up to which tables are filled up to this width, for the faster loop


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """What EM works on, allocated once a fit."""

    N: NDArray[np.float64]
    """(R, K) expected counts by observed row and true label."""
    n: NDArray[np.float64]
    """(W, K) their sums by worker."""
    mass: NDArray[np.float64]
    """(K,) sum of the posterior over the items that were judged or are gold, and have the class prior."""
    own_mass: NDArray[np.float64]
    """(K,) the same over items with a prior of their own."""
    C: NDArray[np.float64]
    """(R, K) P(observed | true), or wider: see ``IN_REGISTERS``."""
    by_shard: NDArray[np.float64]
    """(S, R, K) the counts of each shard, as wide as ``C``."""
    background: NDArray[np.float64]
    """(0,): every label is weighed."""
    held: Held = field(default_factory=Held)
    """Where the items are worked on."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The judgments by item, each with its row, and how items and workers are cut into shards."""

    item_start: NDArray[np.int64]
    """(I+1,) judgments of item i."""
    row: NDArray[np.int32]
    """(J,) row of each judgment, in item order."""
    worker: NDArray[np.int32]
    """(R,) worker of each row; sorted by worker, then label."""
    label: NDArray[np.int32]
    """(R,) observed label of each row."""
    worker_start: NDArray[np.int64]
    """(W+1,) rows of worker w."""
    n_labels: int
    """K; or how many states an item may be in."""
    item_shards: tuple[slice, ...]
    worker_shards: tuple[slice, ...]
    units: Units | None = None
    """What items and judgments count for; None where each counts as one."""

    @classmethod
    def of(cls, judgments: Judgments, backend: Backend, units: Units | None = None) -> Rows:
        """Lay out ``judgments``, which count for ``units``; rows are numbered by worker, then label."""
        n_labels = judgments.n_labels
        n_pairs = judgments.n_workers * n_labels
        if n_pairs <= 4 * judgments.n_judgments + 1000:  # a table of all pairs is small: no sorting
            parts = even_parts(judgments.n_judgments, number_of_shards(judgments.n_judgments))
            seen, row = np.zeros(n_pairs, np.bool_), np.empty(judgments.n_judgments, np.int32)

            def mark(part: slice) -> None:
                tallies.mark_pairs(judgments.worker[part], judgments.label[part], n_labels, seen)

            def number(part: slice) -> None:
                tallies.rows_of_pairs(judgments.worker[part], judgments.label[part], n_labels, row_of_pair, row[part])

            backend.map(mark, parts)
            pairs = np.flatnonzero(seen)
            row_of_pair = np.cumsum(seen, dtype=np.int32) - np.int32(1)
            backend.map(number, parts)
        else:
            kind = np.int32 if n_pairs < 2**31 else np.int64
            pairs, inverse = np.unique(judgments.worker * kind(n_labels) + judgments.label, return_inverse=True)
            row = inverse.astype(np.int32)
        worker, label = (part.astype(np.int32) for part in np.divmod(pairs, n_labels))
        return replace(cls.numbered(judgments, row, worker, label), units=units)

    def restricted(self, kept: Judgments, keep: NDArray[np.bool_]) -> Rows:
        """Only the judgments ``kept``, those where ``keep`` (J,), over the same rows (some then hold no judgment)."""
        units = None if self.units is None else self.units.kept(keep)
        return replace(self.numbered(kept, self.row[keep], self.worker, self.label), units=units)

    @classmethod
    def numbered(
        cls, judgments: Judgments, row: NDArray[np.int32], worker: NDArray[np.int32], label: NDArray[np.int32]
    ) -> Rows:
        """Lay out ``judgments`` whose rows have numbers already: ``row`` (J,), and what each row is (R,)."""
        worker_start = np.searchsorted(worker, np.arange(judgments.n_workers + 1)).astype(np.int64)
        n_shards = number_of_shards(len(row), len(worker) * judgments.n_labels)
        return cls(
            item_start=judgments.item_start,
            row=row,
            worker=worker,
            label=label,
            worker_start=worker_start,
            n_labels=judgments.n_labels,
            item_shards=even_slices(judgments.item_start, n_shards),
            worker_shards=even_slices(worker_start, n_shards),
        )

    def with_all_labels(self, judgments: Judgments, workers: NDArray[np.int64]) -> tuple[Rows, NDArray[np.int64]]:
        """The same with a row of some ``workers`` (F,) for every label, and which these are (F, K)."""
        K = judgments.n_labels
        pairs = self.worker * np.int64(K) + self.label
        wanted = workers[:, None] * np.int64(K) + np.arange(K)
        every = np.union1d(pairs, wanted)
        row = np.searchsorted(every, pairs).astype(np.int32)[self.row]
        worker, label = (part.astype(np.int32) for part in np.divmod(every, K))
        return self.numbered(judgments, row, worker, label), np.searchsorted(every, wanted)

    def over(self, n_states: int) -> Rows:
        """The same judgments over states that items may be in: every table has a column for each, not for a label."""
        n_shards = number_of_shards(len(self.row), len(self.worker) * n_states)
        return replace(
            self,
            n_labels=n_states,
            item_shards=even_slices(self.item_start, n_shards),
            worker_shards=even_slices(self.worker_start, n_shards),
        )

    @property
    def n_items(self) -> int:
        """I."""
        return len(self.item_start) - 1

    @property
    def n_workers(self) -> int:
        """W."""
        return len(self.worker_start) - 1

    @property
    def n_judgments(self) -> int:
        """J."""
        return len(self.row)

    @property
    def n_opinions(self) -> float:
        """What all judgments count for: J, or the sum of their units."""
        return self.n_judgments if self.units is None else self.units.n_judgments

    def per_worker(self, judgments: Judgments) -> NDArray[np.int64] | NDArray[np.float64]:
        """(W,) what each worker's ``judgments``, those that are laid out, count for together."""
        if self.units is None:
            return judgments.per_worker
        return np.bincount(judgments.worker, self.units.judgment, self.n_workers).astype(np.float64)

    def mean(self, values: NDArray[np.float64], items: NDArray[np.integer]) -> float:
        """The mean of the ``values`` (n,) of some items (n,), in units."""
        return float(values.mean()) if self.units is None else self.units.mean(values, items)

    def tables(self) -> Tables:
        """Room for ``count``, ``maximise`` and ``em_pass``."""
        shape = (len(self.worker), self.n_labels)
        wide = (len(self.worker), max(self.n_labels, IN_REGISTERS))
        return Tables(
            N=np.empty(shape),
            n=np.empty((self.n_workers, self.n_labels)),
            mass=np.empty(self.n_labels),
            own_mass=np.zeros(self.n_labels),
            C=np.ones(wide),
            by_shard=np.empty((len(self.item_shards), *wide)),
            background=np.empty(0),
        )

    def count(
        self,
        posterior: NDArray[np.float64] | Callable[[slice], NDArray[np.float64]],
        prior_row: NDArray[np.int32],
        tables: Tables,
        backend: Backend,
    ) -> None:
        """M1: expected counts N, n and mass of ``posterior``, into ``tables``; ``prior_row`` as in em_pass.

        ``posterior`` (I, K), or what makes it for some of the items.
        """
        of = posterior if callable(posterior) else posterior.__getitem__
        parts = self._parts(prior_row, tables, backend)
        masses = backend.each(
            item_parts.count, parts, into=list(tables.by_shard), apart=lambda n: of(self.item_shards[n])
        )
        self._merge(masses, tables, backend)

    def em_pass(self, priors: Priors, tables: Tables, backend: Backend) -> float:
        """E and M1: N, n and mass of the posterior that ``tables.C`` implies, into ``tables``; the log evidence."""
        width = tables.C.shape[1]
        table = priors.table
        if width > table.shape[1]:
            table = np.zeros((len(table), width))
            table[:, : self.n_labels] = priors.table

        parts = self._parts(priors.row, tables, backend)
        found = backend.each(item_parts.em_pass, parts, tables.C, table, priors.own_from, into=list(tables.by_shard))
        self._merge([mass for mass, _ in found], tables, backend)
        return sum(evidence for _, evidence in found) + priors.log_scale

    def expectations(
        self,
        priors: Priors,
        items: NDArray[np.int32],
        rows: NDArray[np.int64],
        tables: Tables,
        backend: Backend,
    ) -> NDArray[np.float64]:
        """E: posterior (n, K) of some ``items`` (n,), whose priors are ``rows`` (n,) of the table."""
        out = np.empty((len(items), self.n_labels))

        def shard(part: slice) -> None:
            em.expectations(items[part], self.item_start, self.row, tables.C, priors.table[rows[part]], out[part])

        backend.map(shard, even_parts(len(items), number_of_shards(len(items) + self.n_judgments)))
        return out

    def untold(self, items: NDArray[np.int32], tables: Tables, backend: Backend) -> float:
        """How much the judgments of ``items`` (n,) leave open under ``tables.C``: 0 nothing, 1 everything.

        One less the mean of the best probability of an item under a uniform class prior, scaled from [1/K, 1] to
        [0, 1].
        """
        even = Priors(np.full((1, self.n_labels), 1.0 / self.n_labels), np.zeros(0, np.int32), 1)
        z = self.expectations(even, items, np.zeros(len(items), np.int64), tables, backend)
        best = self.mean(z.max(axis=1), items)
        return 1.0 - (best - 1.0 / self.n_labels) / (1.0 - 1.0 / self.n_labels)

    def label_counts(self, tables: Tables) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
        """(W K,) expected judgments of each worker by true label, their true labels, and (W,) each worker's sum."""
        return tables.n.ravel(), np.tile(np.arange(self.n_labels), self.n_workers), tables.n.sum(axis=1)

    def mixed_priors(
        self,
        owner: NDArray[np.int32],
        theta: NDArray[np.float64],
        out_priors: NDArray[np.float64],
        backend: Backend,
    ) -> None:
        """``out_priors`` (I, K): the mean of ``theta`` (S, K) over the ``owner`` (J,) of an item's judgments.

        Both may be wider, and then equally wide. Items without judgments are left as they are.
        """

        def shard(part: slice) -> None:
            mix_loops.mixed_priors(self.item_start[part.start : part.stop + 1], owner, theta, out_priors[part])

        backend.map(shard, self.item_shards)

    def _parts(self, prior_row: NDArray[np.int32], tables: Tables, backend: Backend) -> Sequence[Any]:
        """The items in parts, where the backend has them: brought there once a fit."""
        held = tables.held
        if held.backend is not backend or held.prior_row is not prior_row:
            held.parts = backend.scatter([self._part(part, prior_row) for part in self.item_shards])
            held.backend, held.prior_row = backend, prior_row
        return held.parts

    def _part(self, part: slice, prior_row: NDArray[np.int32]) -> Part:
        starts = self.item_start[part.start : part.stop + 1]
        if self.units is None:
            return Part(starts, self.row, prior_row[part])
        return Part(starts, self.row, prior_row[part], self.units.item[part], self.units.apart)

    def _merge(self, masses: list[NDArray[np.float64]], tables: Tables, backend: Backend) -> None:
        tables.mass[:], tables.own_mass[:] = np.sum(masses, axis=0)[:, : self.n_labels]

        def shard(part: slice) -> None:
            starts = self.worker_start[part.start : part.stop + 1]
            em.merge_counts(tables.by_shard, starts, tables.N, tables.n[part])

        backend.map(shard, self.worker_shards)

    def prior_gains(
        self, A: NDArray[np.float64], psi: NDArray[np.float64], tables: Tables, backend: Backend
    ) -> tuple[NDArray[np.float64], float]:
        """Sums of psi(N + A) - psi(A), by [observed, true] label, in the shape of A.T, and of psi(n + A.) - psi(A.).

        ``psi`` is the digamma of A by [observed, true] label, and of A. in its last row.
        """
        by_observed = np.ascontiguousarray(A.T)

        def shard(part: slice) -> tuple[NDArray[np.float64], float]:
            gain = np.zeros_like(by_observed)
            starts = self.worker_start[part.start : part.stop + 1]
            d = em.prior_gains(starts, self.label, tables.N, tables.n[part], A.sum(axis=1), by_observed, psi, gain)
            return gain, d

        found = backend.map(shard, self.worker_shards)
        return np.sum([gain for gain, _ in found], axis=0), sum(d for _, d in found)

    def maximise(self, A: NDArray[np.float64], smallest: float, tables: Tables, backend: Backend) -> float:
        """M3: C from N, n and A, into ``tables``; the part of the log prior density that the counts decide."""

        def shard(part: slice) -> float:
            starts = self.worker_start[part.start : part.stop + 1]
            by_observed = np.ascontiguousarray(A.T)
            return float(
                em.confusions(
                    starts, self.label, tables.N, tables.n[part], A.sum(axis=1), by_observed, smallest, tables.C
                )
            )

        return sum(backend.map(shard, self.worker_shards))

    def settle_others(
        self, pi: NDArray[np.float64], A: NDArray[np.float64], priors: Priors, tables: Tables, backend: Backend
    ) -> None:
        """Nothing to settle: every label is weighed."""

    def one_coin(self, accuracy: NDArray[np.float64]) -> NDArray[np.float64]:
        """C (R, K) of workers with one ``accuracy`` (W,) each, errors spread evenly."""
        wrong = (1.0 - accuracy) / max(self.n_labels - 1, 1)
        C = np.repeat(wrong[self.worker][:, None], self.n_labels, axis=1)
        C[np.arange(len(self.label)), self.label] = accuracy[self.worker]
        return C

    def start_of(self, C: NDArray[np.float64], priors: Priors, backend: Backend) -> NDArray[np.float64]:
        """(I, K) posterior to start from, given ``C``."""
        return self.posterior(C, priors, np.ones(self.n_items), backend)

    def beliefs(
        self,
        estimate: Estimate,
        priors: Priors,
        power: NDArray[np.float64],
        backend: Backend,
    ) -> DensePosterior:
        """E: posterior of all items, to ``power`` (I,) and normalised."""
        return DensePosterior(self.posterior(estimate.C, priors, power, backend))

    def confusions(self, estimate: Estimate, backend: Backend) -> Confusions:
        """The confusions of all workers."""
        del backend
        found = Confusions.of_rows(self.worker, self.label, estimate.counts, estimate.A, self.n_workers)
        silences = None if estimate.silences is None else estimate.silences.by_row(len(self.worker))
        return replace(found, silences=silences)

    def gathered(
        self, estimate: Estimate, judgment: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """N and C of the row, and n of the worker of some judgments, each (n, K) by true label."""
        row = self.row[judgment]
        return estimate.counts[row], estimate.totals[self.worker[row]], estimate.C[row]

    def pooled_counts(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """(K, K) expected judgments of all workers together, [true, observed]."""
        by_label = np.zeros((self.n_labels, self.n_labels))
        tallies.sums_by_label(self.label, counts, by_label)
        return by_label.T

    def posterior(
        self,
        C: NDArray[np.float64],
        priors: Priors,
        power: NDArray[np.float64],
        backend: Backend,
    ) -> NDArray[np.float64]:
        """E: posterior (I, K) of all items, raised to ``power`` (I,) and normalised; in logs, nothing underflows."""
        out = np.empty((self.n_items, self.n_labels))
        parts = backend.scatter([self._part(part, priors.row) for part in self.item_shards])
        backend.each(
            item_parts.posteriors,
            parts,
            np.log(C[:, : self.n_labels]),
            priors.table,
            into=[out[part] for part in self.item_shards],
            apart=lambda n: power[self.item_shards[n]],
        )
        return out
