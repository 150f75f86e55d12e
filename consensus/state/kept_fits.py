"""The last fit on disk: what it read, what it found, and what the next one begins with. It can be made again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus import escalation
from consensus.errors import StateError
from consensus.found.result import named
from consensus.inputs.earlier_run import Previous
from consensus.inputs.vocabulary import positions
from consensus.runs import Run
from consensus.state import kept_objects
from consensus.version import VERSION

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.found.result import Consensus
    from consensus.state.manifest import Manifest

FIT = "fit"


@dataclass(frozen=True, slots=True, eq=False)
class Summit:
    """What the last fit from nothing said of the items, to see how far others went from it."""

    item_ids: pa.StringArray
    label: NDArray[np.int32]
    """(I,) a position in ``labels``; -1 where a tie was left open."""
    confidence: NDArray[np.float64]
    """(I,)"""
    labels: tuple[str, ...]

    @classmethod
    def of(cls, result: Consensus) -> Summit:
        """That of a fit."""
        judgments = result.judgments
        return cls(judgments.item_ids, result.consensus_label, result.confidence, judgments.labels)

    def distance(self, result: Consensus) -> dict[str, Any]:
        """How many of its items there still are, how many have another label now, and how their confidence moved."""
        import pyarrow as pa

        at = positions(self.item_ids, result.judgments.item_ids)
        here = np.flatnonzero(at >= 0)
        names = [pa.array(labels, pa.string()) for labels in (self.labels, result.judgments.labels)]
        same = positions(names[0], names[1])
        code = np.append(same, -1)[self.label[here]]
        moved = np.abs(result.confidence[at[here]] - self.confidence[here])
        moved = moved[~np.isnan(moved)]
        return {
            "items_of_full": len(here),
            "labels_changed_since_full": int((code != result.consensus_label[at[here]]).sum()),
            "confidence_moved_mean": float(moved.mean()) if len(moved) else 0.0,
            "confidence_moved_most": float(moved.max()) if len(moved) else 0.0,
        }


def write(folder: Path, name: str, run: Run, beside: dict[str, Any]) -> None:
    """Keep what a ``run`` read and found, and what stands ``beside`` it, as ``fit/NAME``.

    Raises
    ------
    OSError
        It can't be written.
    """
    kept = {
        "version": VERSION,
        "inputs": replace(run.inputs, tables={}),
        "result": run.result,
        "previous": previous_of(run),
        **beside,
    }
    kept_objects.write(kept, folder / FIT / name)


def previous_of(run: Run) -> Previous:
    """What a run says of the items, as ``Run.as_previous`` does, without a Python text for each of them."""
    import pyarrow as pa

    result, plan = run.result, run.plan
    judgments, unjudged = result.judgments, {} if result.gold is None else result.gold.unjudged
    names = judgments.labels
    label = named(result.consensus_label, names)
    more = [min(accepted, key=names.index) for accepted in unjudged.values()]
    asked = plan.columns(result, slice(None))
    return Previous(
        pa.concat_arrays([judgments.item_ids, pa.array(list(unjudged), pa.string())]),
        pa.concat_arrays([label, pa.array(more, pa.string())]),
        named(run.status, escalation.STATUSES),
        np.concatenate([judgments.per_item, np.zeros(len(more), np.int64)]),
        asked["item"],  # ids are texts of Arrow
        np.asarray(asked["judgments_needed"], np.float64),
        plan.correction,
    )


def read(folder: Path, manifest: Manifest) -> dict[str, Any] | None:
    """What was kept; None where there is nothing, or it is of another version.

    Raises
    ------
    FileNotFoundError
        It was there when the manifest was read.
    """
    if manifest.fit is None:
        return None
    try:
        found = kept_objects.read(folder / FIT / manifest.fit.file)
    except (StateError, ValueError, KeyError, TypeError, AttributeError, ImportError):
        return None
    return found if found.get("version") == VERSION else None


def last(folder: Path, manifest: Manifest) -> Run:
    """The run of the last fit.

    Raises
    ------
    StateError
        There was none, or what was kept of it is of another version.
    """
    if manifest.fit is None:
        raise StateError("nothing was fitted yet; do that with consensus update", folder)
    kept = read(folder, manifest)
    if kept is None:
        raise StateError(
            "its fit was made by another version of consensus, or is damaged; fit again with consensus update --full",
            folder,
        )
    return Run(kept["inputs"], result=kept["result"])
