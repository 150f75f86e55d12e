"""The posterior of every item, and what is read off it: best label, runner-up, confidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from consensus.backends import even_parts, even_slices, number_of_shards
from consensus.found.units import ONE_EACH
from consensus.kernels import sparse, tallies
from consensus.probabilities import entropy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.found.units import Each
    from consensus.inputs.judgments import Judgments

TIE = 1e-12  # labels whose probabilities differ by less are tied


@dataclass(frozen=True, slots=True, eq=False)
class Peaks:
    """The top of each item's posterior."""

    best: NDArray[np.int32]
    """(I,) most probable label; of several within ``TIE`` the first in label order."""
    tied: NDArray[np.bool_]
    """(I,) several labels are within ``TIE`` of the best."""
    runner_up: NDArray[np.int32]
    """(I,) most probable of the other labels, of equal ones the first; -1 where none has a probability above 0.

    In a ``SparsePosterior`` also -1 where the labels that nobody gave the item are more probable than any other one
    that was given: they are not told apart, so that none stands out, be there several of them or one.
    """
    confidence: NDArray[np.float64]
    """(I,) probability of the best label."""
    margin: NDArray[np.float64]
    """(I,) that of the best less that of the second."""
    entropy: NDArray[np.float64]
    """(I,) in nats."""

    @classmethod
    def empty(cls, n_items: int) -> Peaks:
        """Room for ``n_items``."""
        best, runner_up = (np.empty(n_items, np.int32) for _ in range(2))
        confidence, margin, entropy = (np.empty(n_items) for _ in range(3))
        return cls(best, np.empty(n_items, np.bool_), runner_up, confidence, margin, entropy)


class Posterior(Protocol):
    """P(true label | judgments) of every item, however it is stored."""

    @property
    def n_items(self) -> int:
        """I."""

    @property
    def n_labels(self) -> int:
        """K."""

    def dense(self, items: slice | NDArray[np.int64]) -> NDArray[np.float64]:
        """(n, K) of some items; rows sum to 1."""

    def peaks(self, backend: Backend) -> Peaks:
        """The top of each item's posterior."""

    def moments(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(K,) means over all items of each label's probability, and of its square."""

    def doubt(self, judgments: Judgments, backend: Backend, unit: Each = ONE_EACH) -> NDArray[np.float64]:
        """(W,) sum of r (1 - r) over the judgments of each worker, r the probability that the judgment is right.

        ``unit`` (J,) is what each counts for.
        """

    def information_gain(
        self, items: NDArray[np.int64], confusions: NDArray[np.float64], backend: Backend
    ) -> NDArray[np.float64]:
        """(n,) expected drop of the entropy of ``items`` by one more judgment, in nats.

        The mean over representative workers ``confusions[g, true, observed]`` (G, K, K).
        """


@dataclass(frozen=True, slots=True, eq=False)
class DensePosterior:
    """A probability for every label of every item."""

    table: NDArray[np.float64]
    """(I, K); rows sum to 1."""

    @property
    def n_items(self) -> int:
        """I."""
        return len(self.table)

    @property
    def n_labels(self) -> int:
        """K."""
        return int(self.table.shape[1])

    def dense(self, items: slice | NDArray[np.int64]) -> NDArray[np.float64]:
        """(n, K) of some items; rows sum to 1."""
        return self.table[items] if isinstance(items, slice) else self.table.take(items, axis=0)

    def peaks(self, backend: Backend) -> Peaks:
        """The top of each item's posterior."""
        found = Peaks.empty(self.n_items)

        def shard(part: slice) -> None:
            tallies.peaks(
                self.table[part],
                TIE,
                found.best[part],
                found.tied[part],
                found.runner_up[part],
                found.confidence[part],
                found.margin[part],
                found.entropy[part],
            )

        backend.map(shard, even_parts(self.n_items, number_of_shards(self.table.size)))
        return found

    def moments(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(K,) means over all items of each label's probability, and of its square."""
        n = max(self.n_items, 1)
        return self.table.sum(axis=0) / n, np.einsum("ik,ik->k", self.table, self.table) / n

    def doubt(self, judgments: Judgments, backend: Backend, unit: Each = ONE_EACH) -> NDArray[np.float64]:
        """(W,) sum of r (1 - r) over the judgments of each worker, r the probability that the judgment is right.

        ``unit`` (J,) is what each counts for.
        """
        parts = even_slices(judgments.item_start, number_of_shards(judgments.n_judgments, judgments.n_workers))

        def shard(part: slice) -> NDArray[np.float64]:
            doubt = np.zeros(judgments.n_workers)
            starts = judgments.item_start[part.start : part.stop + 1]
            tallies.doubt(starts, judgments.worker, judgments.label, unit, self.table[part], doubt)
            return doubt

        return np.asarray(np.sum(backend.map(shard, parts), axis=0), np.float64)

    def information_gain(
        self, items: NDArray[np.int64], confusions: NDArray[np.float64], backend: Backend
    ) -> NDArray[np.float64]:
        """(n,) expected drop of the entropy of ``items`` by one more judgment, in nats."""
        gain = np.empty(len(items))
        row_entropy = entropy(confusions)

        def shard(part: slice) -> None:
            tallies.information_gain(self.table[items[part]], confusions, row_entropy, gain[part])

        backend.map(shard, even_parts(len(items), number_of_shards(len(items) * confusions[0].size)))
        return gain


@dataclass(frozen=True, slots=True, eq=False)
class SparsePosterior:
    """With very many labels: the probability of the labels given to each item; the other labels share the rest."""

    start: NDArray[np.int64]
    """(I+1,) candidates of each item."""
    candidate: NDArray[np.int32]
    """(candidates,) their labels, ascending within an item."""
    z: NDArray[np.float64]
    """(candidates,) their probabilities."""
    rest: NDArray[np.float64]
    """(I,) probability of each of the other labels."""
    n_labels: int

    @property
    def n_items(self) -> int:
        """I."""
        return len(self.rest)

    def dense(self, items: slice | NDArray[np.int64]) -> NDArray[np.float64]:
        """(n, K) of some items; rows sum to 1."""
        chosen = np.arange(self.n_items)[items]
        found = np.repeat(self.rest[chosen][:, None], self.n_labels, axis=1)
        n_each = self.start[chosen + 1] - self.start[chosen]
        row = np.repeat(np.arange(len(chosen)), n_each)
        place = np.arange(len(row)) + np.repeat(self.start[chosen] - np.cumsum(n_each) + n_each, n_each)
        found[row, self.candidate[place]] = self.z[place]
        return found

    def peaks(self, backend: Backend) -> Peaks:
        """The top of each item's posterior."""
        codes, numbers = np.empty((3, self.n_items), np.int32), np.empty((3, self.n_items))

        def shard(part: slice) -> None:
            starts = self.start[part.start : part.stop + 1]
            sparse.peaks(
                starts, self.candidate, self.z, self.rest[part], self.n_labels, TIE, codes[:, part], numbers[:, part]
            )

        backend.map(shard, self._shards())
        return Peaks(codes[0], codes[1].astype(np.bool_), codes[2], *numbers)

    def moments(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(K,) means over all items of each label's probability, and of its square."""
        rest = np.repeat(self.rest, np.diff(self.start))

        def mean(z: NDArray[np.float64], rest: NDArray[np.float64], of_all: float) -> NDArray[np.float64]:
            return (of_all + np.bincount(self.candidate, z - rest, self.n_labels)) / max(self.n_items, 1)

        squares = self.rest * self.rest
        return mean(self.z, rest, self.rest.sum()), mean(self.z * self.z, rest * rest, squares.sum())

    def doubt(self, judgments: Judgments, backend: Backend, unit: Each = ONE_EACH) -> NDArray[np.float64]:
        """(W,) sum of r (1 - r) over the judgments of each worker, r the probability that the judgment is right.

        ``unit`` (J,) is what each counts for.
        """

        def shard(part: slice) -> NDArray[np.float64]:
            items = slice(part.start, part.stop + 1)
            doubt = np.zeros(judgments.n_workers)
            sparse.doubt(
                judgments.item_start[items],
                judgments.worker,
                judgments.label,
                unit,
                self.start[items],
                self.candidate,
                self.z,
                doubt,
            )
            return doubt

        return np.asarray(np.sum(backend.map(shard, self._shards(judgments.n_workers)), axis=0), np.float64)

    def information_gain(
        self, items: NDArray[np.int64], confusions: NDArray[np.float64], backend: Backend
    ) -> NDArray[np.float64]:
        """(n,) expected drop of the entropy of ``items`` by one more judgment, in nats."""
        gain = np.empty(len(items))
        row_entropy = entropy(confusions)

        def shard(part: slice) -> None:
            chosen = items[part]
            sparse.information_gain(
                chosen, self.start, self.candidate, self.z, self.rest, confusions, row_entropy, gain[part]
            )

        backend.map(shard, even_parts(len(items), number_of_shards(len(items) * self.n_labels)))
        return gain

    def _shards(self, table_size: int = 0) -> tuple[slice, ...]:
        return even_slices(self.start, number_of_shards(len(self.z), table_size))
