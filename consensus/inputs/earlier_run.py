"""What an earlier run said of the items."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.inputs import formulas
from consensus.inputs.renaming import NO_ANSWER
from consensus.inputs.vocabulary import positions

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.inputs.judgments import Judgments

STATUSES = ("accepted", "escalate", "needs_expert", "gold", "unaudited")
"""Of an item, in a table of labels."""
FORMER = {"expert": "needs_expert"}
"""What runs up to 0.4 called a status: that word is also a verdict about workers."""
SETTLED = ("accepted", "unaudited")
"""Those of items that are accepted, be it that gold does not speak for them."""


@dataclass(frozen=True, slots=True, eq=False)
class Previous:
    """Its labels, and what the items needed that it escalated."""

    item: pa.StringArray
    label: pa.StringArray
    """Null where it was left open."""
    status: pa.StringArray
    n_judgments: NDArray[np.int64]
    escalated: pa.StringArray
    """Items that were escalated then; none where that is not known."""
    needed: NDArray[np.float64]
    """Judgments that each of these needed; NaN where that was not said."""
    correction: float = 1.0
    """By which these had been multiplied."""
    file: str = "previous"
    """What holds the labels."""
    is_exact: bool = True
    """No text can be one that got a ``'`` for spreadsheets: it is known how they were written."""

    @classmethod
    def of(
        cls,
        item: Sequence[str],
        label: Sequence[str | None],
        status: Sequence[str],
        n_judgments: NDArray[np.int64],
        escalated: Sequence[str] | None = None,
        needed: NDArray[np.float64] | None = None,
        correction: float = 1.0,
        file: str = "previous",
        is_exact: bool = True,
    ) -> Previous:
        """From columns."""
        import pyarrow as pa

        texts = [pa.array(column, pa.string()) for column in (item, label, status, escalated or [])]
        foretold = np.zeros(0) if needed is None else needed
        return cls(texts[0], texts[1], texts[2], n_judgments, texts[3], foretold, correction, file, is_exact)

    def among(self, judgments: Judgments) -> Previous:
        """The same, with items and labels called what they are called among ``judgments``, where these were renamed.

        A label that means no answer now is one that was left open. Items that are one now, and were not told alike
        then, were escalated.
        """
        import pyarrow as pa

        self = self.beside(judgments.item_ids, pa.array(judgments.labels, pa.string()))
        renaming = judgments.renaming
        if not (renaming.fold or renaming.label_map):
            return self
        labels = self.label.dictionary_encode()
        became = renaming.labels(labels.dictionary.to_pylist(), judgments.labels)
        names = pa.array([None if one == NO_ANSWER else one for one in became], pa.string())
        found = replace(
            self,
            item=_called(self.item, judgments),
            escalated=_called(self.escalated, judgments),
            label=names.take(labels.indices),
        )
        return found._merged()

    def beside(self, item_ids: pa.StringArray, labels: pa.StringArray) -> Previous:
        """The same without the ``'`` that texts got for spreadsheets, where it isn't known and only so they are there.

        ``item_ids`` and ``labels`` are what is there.
        """
        import pyarrow as pa

        if self.is_exact:
            return self

        def called(column: pa.StringArray, known: pa.StringArray) -> pa.StringArray:
            coded = column.dictionary_encode()
            texts = coded.dictionary.to_pylist()
            if not any(map(formulas.DEFUSED.match, texts)):
                return column
            at = formulas.matched(texts, lambda some: positions(some, known)).tolist()
            names = [one if n < 0 else known[n].as_py() for one, n in zip(texts, at, strict=True)]
            return pa.array(names, pa.string()).take(coded.indices)

        item, escalated = (called(column, item_ids) for column in (self.item, self.escalated))
        label = called(self.label, labels)
        if item is self.item and escalated is self.escalated and label is self.label:
            return self
        return replace(self, item=item, label=label, escalated=escalated)

    def _merged(self) -> Previous:
        """Each item once."""
        import pyarrow as pa

        first: dict[str, int] = {}
        label, status, n = self.label.to_pylist(), self.status.to_pylist(), self.n_judgments.copy()
        for row, item in enumerate(self.item.to_pylist()):
            kept = first.setdefault(item, row)
            if kept != row:
                n[kept] += n[row]
                if (label[kept], status[kept]) != (label[row], status[row]):
                    label[kept], status[kept] = None, "escalate"
        rows = list(first.values())
        once: dict[str, int] = {}
        for row, item in enumerate(self.escalated.to_pylist()):
            once.setdefault(item, row)
        return replace(
            self,
            item=self.item.take(pa.array(rows, pa.int64())),
            label=pa.array([label[row] for row in rows], pa.string()),
            status=pa.array([status[row] for row in rows], pa.string()),
            n_judgments=n[rows],
            escalated=pa.array(list(once), pa.string()),
            needed=self.needed[list(once.values())],
        )

    def rows(self, item_ids: pa.StringArray) -> NDArray[np.int64]:
        """(I,) row of each item, -1 where it is not there."""
        return positions(item_ids, self.item)


def _called(items: pa.StringArray, judgments: Judgments) -> pa.StringArray:
    """What ``items`` are called among the judgments; what is not there stays."""
    import pyarrow as pa
    import pyarrow.compute as pc

    at = judgments.renaming.positions(items, judgments.item_ids, "items")
    return pc.coalesce(judgments.item_ids.take(pa.array(at, mask=at < 0)), items)
