"""Groups of workers whose judgments are too alike to be counted one by one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.config import Collusion
    from consensus.inputs.judgments import Judgments


@dataclass(frozen=True, slots=True, eq=False)
class PeerAgreement:
    """How often each worker says what others say of the same items."""

    judgments: Judgments
    """Those that were counted."""
    agreeing: NDArray[np.int64] | NDArray[np.float64]
    """(W,) judgments by others on the items of each worker that say the same, in units where there are any."""
    peers: NDArray[np.int64] | NDArray[np.float64]
    """(W,) all judgments by others on these items, in units where there are any."""
    n_items: NDArray[np.int64]
    """(W,) the items."""


@dataclass(frozen=True, slots=True, eq=False)
class Copies:
    """Pairs of workers that agree far beyond what two independent workers would, and the groups that they form.

    P pairs, sorted by group and workers; G groups, in the order of their first workers; W workers.
    """

    worker_a: NDArray[np.int32]
    """(P,) code of the first worker."""
    worker_b: NDArray[np.int32]
    """(P,) code of the second, which is higher."""
    n_shared: NDArray[np.int64]
    """(P,) items that both judged."""
    n_same: NDArray[np.int64]
    """(P,) those to which both gave the same label."""
    expected_same: NDArray[np.float64]
    """(P,) how many these would be if the two were independent."""
    p_value: NDArray[np.float64]
    """(P,) chance of as many or more."""
    q_value: NDArray[np.float64]
    """(P,) share of false alarms if this pair and all stronger ones are reported; of a pair that only its group gives
    away, the chance of such a group."""
    group: NDArray[np.int32]
    """(W,) group of each worker, -1 for those in none."""
    n_effective: NDArray[np.float64]
    """(G,) independent votes that the group is worth: 1 where all copy, its size where none does."""
    sure: NDArray[np.bool_]
    """(G,) whether the group is one beyond doubt, by what all of its pairs tell together."""
    n_tested: int
    """Pairs that share enough items to be tested one by one."""
    collusion: Collusion = "report"
    """What was to be done about the groups."""
    n_merged: int = 0
    """Judgments that do not count since a group counts as one worker: each that is ``sure``, or with merge all."""
    peers: PeerAgreement | None = None
    """How often workers agree with others, where that was counted over all judgments."""

    @classmethod
    def none(cls, n_workers: int, n_tested: int = 0) -> Copies:
        """No pair at all."""
        codes, counts, reals = np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0)
        group = np.full(n_workers, -1, np.int32)
        return cls(codes, codes, counts, counts, reals, reals, reals, group, reals, reals.astype(np.bool_), n_tested)

    def only(self, kept: NDArray[np.bool_]) -> Copies:
        """The groups where ``kept`` (G,), and their pairs."""
        number = np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32)
        pairs = kept[self.group[self.worker_a]]
        columns = ("worker_a", "worker_b", "n_shared", "n_same", "expected_same", "p_value", "q_value")
        return replace(
            self,
            **{name: getattr(self, name)[pairs] for name in columns},
            group=np.where(self.group >= 0, number[self.group], np.int32(-1)),
            n_effective=self.n_effective[kept],
            sure=self.sure[kept],
        )

    @property
    def merged(self) -> bool:
        """Whether groups count as one worker."""
        return self.n_merged > 0

    @property
    def n_groups(self) -> int:
        """G."""
        return len(self.n_effective)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """(G,) workers of each group."""
        return np.bincount(self.group[self.group >= 0], minlength=self.n_groups)

    @property
    def first_members(self) -> NDArray[np.int32]:
        """(W,) code of the first worker of each worker's group, -1 for those in none."""
        members = np.flatnonzero(self.group >= 0)
        first = np.full(self.n_groups, len(self.group), np.int64)
        np.minimum.at(first, self.group[members], members)
        found = np.full(len(self.group), -1, np.int32)
        found[members] = first[self.group[members]]
        return found
