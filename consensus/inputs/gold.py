"""Gold labels: accepted labels of items, as they were read and as codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.errors import JudgmentError
from consensus.inputs import formulas, shown
from consensus.inputs.counted import counted
from consensus.inputs.judgments import listed
from consensus.inputs.renaming import NO_ANSWER

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from consensus.inputs.judgments import Judgments, Source


@dataclass(frozen=True, slots=True, repr=False)
class Gold:
    """Accepted labels of items, one row a pair; an item with several rows accepts several labels.

    Examples
    --------
    >>> consensus.read_gold({"img0": "cat", "img1": ["dog", "cat"]})
    Gold(2 items, 2 labels)
    """

    item: tuple[str, ...]
    label: tuple[str, ...]
    place: tuple[str, ...]
    """Where each row stood, such as ``gold.csv:17``."""
    sources: tuple[Source, ...] = ()
    """Files that it was read from, unless they are those of the judgments."""
    has_synonyms: bool = False
    """Where an item accepts a label that is in the label set, others that are not say nothing."""
    notes: tuple[str, ...] = ()
    """How columns were found, where that is not plain, in words."""

    def __len__(self) -> int:
        return len(set(self.item))

    def __repr__(self) -> str:
        return f"Gold({counted(len(self), 'item')}, {counted(len(set(self.label)), 'label')})"

    def _repr_html_(self) -> str:
        return shown.gold_card(self)

    def to_pandas(self) -> pd.DataFrame:
        """One row an item and accepted label: item, label."""
        return shown.gold_frame(self)

    def align(self, judgments: Judgments) -> AlignedGold:
        """Gold as codes of ``judgments``.

        Raises
        ------
        JudgmentError
            A gold label is not in the label set, or no gold item was judged at all.
        """
        position = {label: code for code, label in enumerate(judgments.labels)}
        renaming = judgments.renaming
        found = formulas.matched(
            self.item, lambda texts: renaming.positions(texts, judgments.item_ids, "items")
        ).tolist()
        labels = renaming.labels(formulas.called(self.label, position), judgments.labels)
        spared = {item for item, label in zip(self.item, labels, strict=True) if label in position}
        spared = spared if self.has_synonyms else set()
        accepted: dict[int, NDArray[np.bool_]] = {}
        unjudged: dict[str, tuple[str, ...]] = {}
        for item, label, place, code in zip(self.item, labels, self.place, found, strict=True):
            if label not in position:
                if item in spared or (label == NO_ANSWER and renaming.label_map):
                    continue
                raise JudgmentError(
                    f'gold label "{label}" of item "{item}" is not in the label set '
                    f"{listed(judgments.labels)}; correct it, or name the whole set with --labels",
                    place,
                    code="unknown_label",
                )
            if code < 0:
                unjudged[item] = (*unjudged.get(item, ()), label)
            else:
                accepted.setdefault(code, np.zeros(len(position), np.bool_))[position[label]] = True
        if unjudged and not accepted:
            raise JudgmentError(
                f'gold item "{self.item[0]}" and the {len(unjudged) - 1:,} other gold items '
                f'occur nowhere in the judgments, whose items look like "{judgments.item_ids[0].as_py()}"; '
                "check that both files name items alike (--item chooses the column)",
                self.place[0],
                code="unknown_item",
            )
        items = np.array(sorted(accepted), np.int32)
        mask = np.array([accepted[i] for i in items.tolist()], np.bool_).reshape(len(items), len(position))
        others = {item: unjudged[item] for item in sorted(unjudged, key=str.encode)}  # as the judged ones stand
        return AlignedGold(items, mask, others)


@dataclass(frozen=True, slots=True, eq=False)
class AlignedGold:
    """Gold as codes."""

    items: NDArray[np.int32]
    """(G,) codes of the gold items that were judged, ascending."""
    accepted: NDArray[np.bool_]
    """(G, K) which labels are right."""
    unjudged: dict[str, tuple[str, ...]]
    """Accepted labels of the gold items that do not occur in the judgments; sorted by item."""
