"""All that came, read again as a run would read it: in its order, without what was taken back or replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.errors import JudgmentError
from consensus.formats import recorded, sealed
from consensus.formats.recorded import Recorded
from consensus.formats.tables.by_column import as_text
from consensus.runs import Inputs, SideInputs
from consensus.state import sources_kept
from consensus.state.appending import PARTS, retractions_after, standing
from consensus.state.journal import number_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from consensus.config import RunConfig
    from consensus.formats.tables.blocks import Reading
    from consensus.inputs.gold import Gold
    from consensus.runs.listening import Listener
    from consensus.state.manifest import Event, Manifest


def inputs_of(folder: Path, manifest: Manifest, config: RunConfig, listener: Listener) -> Inputs:
    """What ``consensus run`` would have read.

    Raises
    ------
    ConsensusError
        It can't be used together.
    """
    try:
        return Inputs.read(
            config,
            judgments_of(folder, manifest),
            model_votes=votes_of(folder, manifest) or manifest.options.get("model_votes"),
            gold=gold_of(folder, manifest),
            beside=SideInputs.read(config),
            listener=listener,
        )
    except JudgmentError as error:
        if error.code != "empty_file" or not any(event.kind == "retraction" for event in manifest.events):
            raise
        raise JudgmentError(
            "no judgment is left, for all were taken back; take back fewer, or add others", folder, code="empty_file"
        ) from None


def judgments_of(folder: Path, manifest: Manifest) -> Recorded | None:
    """Judgments that stand; None where there are none."""
    events = standing(folder, manifest, "judgments")
    if not events:
        return None
    after = [retractions_after(folder, manifest, event) for event in events]

    def choose(n: int, reading: Reading) -> Reading:
        for taken in after[n]:
            reading = recorded.without(reading, taken.out)
        return reading

    is_begun = len(events) > 1 or number_of(events[0].file) > 0
    notes = tuple(note for event in events for note in event.notes)
    return Recorded(_paths(folder, events), notes, is_begun, choose)


def votes_of(folder: Path, manifest: Manifest) -> Recorded | None:
    """Model votes that stand: of each model those of the last source that has any; None where there are none."""
    events = standing(folder, manifest, "model_votes")
    replaced = [{model for later in events[n + 1 :] for model in later.models} for n in range(len(events))]
    left = [n for n, event in enumerate(events) if not replaced[n].issuperset(event.models)]
    if not left:
        return None

    def choose(n: int, reading: Reading) -> Reading:
        gone = replaced[left[n]]
        return recorded.without(reading, lambda columns: _are(columns["model"], gone)) if gone else reading

    return Recorded(_paths(folder, [events[n] for n in left]), choose=choose)


def gold_of(folder: Path, manifest: Manifest) -> Gold | None:
    """Gold that stands: of each item that of the last source that names it; None where there is none."""
    found: Gold | None = None
    for event in standing(folder, manifest, "gold"):
        gold = sources_kept.gold_of(sealed.unsealed((folder / PARTS / event.part).with_suffix(".json")))
        found = gold if found is None else sources_kept.together(found, gold)
    return found


def _paths(folder: Path, events: Sequence[Event]) -> tuple[Path, ...]:
    return tuple(folder / PARTS / event.part for event in events)


def _are(cells: Any, models: set[str]) -> NDArray[np.bool_]:
    import pyarrow as pa
    import pyarrow.compute as pc

    text = as_text(cells)
    return np.asarray(pc.is_in(text, pa.array(sorted(models), text.type)).to_numpy(zero_copy_only=False), np.bool_)
