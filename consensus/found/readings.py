"""What several models read in the same judgments, and how far each is believed."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.found.result import named

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.result import Columns, Consensus


@dataclass(frozen=True, eq=False)  # without slots: who disagrees is computed when first asked for
class Readings:
    """Several readings of the judgments, whose tempered posteriors are averaged into the one that is reported."""

    names: tuple[str, ...]
    """M of them; the first is the model that the others are finer than."""
    weight: NDArray[np.float64]
    """(M,) by how well each predicts judgments that were held out; sums to 1."""
    label: NDArray[np.int32]
    """(M, I) the label that each would give; of equally probable ones the first."""
    confidence: NDArray[np.float64]
    """(M, I) its probability."""
    n_held_out: int
    """Judgments that the weights were learnt from; 0 where none could be held out, and all weigh alike."""
    worker_weight: NDArray[np.float64]
    """(W,) of the worker-weighted fit, which weighs workers and learns nothing else; positive, 1 for a usual one."""
    worker_weighted: NDArray[np.int32]
    """(I,) the label by these weights; of several that weigh alike the reported one if it is among them. It has no part
    in the average."""
    otherwise: NDArray[np.bool_]
    """(I,) judged items without gold to which that fit gives another label than the reported one."""
    counted_apart: NDArray[np.int32] | None = None
    """(I,) the label where every worker counts, of a group that counts as one, too; None where no group does."""
    moved: NDArray[np.bool_] | None = None
    """(I,) judged items without gold to which that is another label than the reported one; None where no group does."""

    @cached_property
    def disputed(self) -> NDArray[np.bool_]:
        """(I,) items that not all of them give the same label."""
        found: NDArray[np.bool_] = (self.label != self.label[0]).any(axis=0)
        return found

    @property
    def listed(self) -> NDArray[np.bool_]:
        """(I,) items that are disputed, or have another label by the weights of the workers alone, or counted apart."""
        found = self.disputed | self.otherwise
        return found if self.moved is None else found | self.moved

    def contradictory(self, sure: float) -> NDArray[np.bool_]:
        """(I,) items to which two of them give different labels, each with a probability of ``sure`` or more."""
        found = np.zeros(self.label.shape[1], np.bool_)
        for a, b in itertools.combinations(range(len(self.names)), 2):
            found |= (self.label[a] != self.label[b]) & (np.minimum(self.confidence[a], self.confidence[b]) >= sure)
        return found

    def in_short(self) -> dict[str, Any]:
        """Their weights by name, from how many judgments these were learnt, how many items are disputed among them, or
        have another label by the weights of the workers alone, and how many of both kinds there are.
        """  # noqa: D205
        return {
            "weights": dict(zip(self.names, self.weight.tolist(), strict=True)),
            "held_out": self.n_held_out,
            "disputed": int(self.disputed.sum()),
            "worker_weighted": int(self.otherwise.sum()),
            "listed": int(self.listed.sum()),
        }


def disputed_columns(result: Consensus) -> Columns:
    """The items with several labels, the least certain first: what is reported, what the weights of the workers alone
    say, and the label and confidence of every reading.
    """  # noqa: D205
    import pyarrow as pa

    found, judgments = result.readings, result.judgments
    assert found is not None
    items = np.flatnonzero(found.listed)
    items = items[np.argsort(result.peaks.confidence[items], kind="stable")]
    columns: Columns = {
        "item": judgments.item_ids.take(pa.array(items)),
        "label": named(result.consensus_label[items], judgments.labels),
        "confidence": result.peaks.confidence[items],
        "n_judgments": judgments.per_item[items],
        "majority_label": named(result.votes[0][items], judgments.labels),
    }
    for m, name in enumerate(found.names):
        columns[name] = named(found.label[m, items], judgments.labels)
        columns[f"{name}_confidence"] = found.confidence[m, items]
    columns["worker_weighted"] = named(found.worker_weighted[items], judgments.labels)
    apart = np.full(len(items), -1, np.int32) if found.counted_apart is None else found.counted_apart[items]
    columns["counted_apart"] = named(apart, judgments.labels)
    return columns
