"""Judgments as validated columns of integer codes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.errors import JudgmentError
from consensus.inputs import shown
from consensus.inputs.counted import counted
from consensus.inputs.renaming import Renaming
from consensus.inputs.vocabulary import positions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.config import ReadConfig
    from consensus.inputs.gold import Gold
    from consensus.inputs.kept import KeptColumn
    from consensus.inputs.model_votes import ModelVotes
    from consensus.inputs.notices import Notice
    from consensus.inputs.repeats import RepeatCounts
    from consensus.inputs.understood import Column


BESIDE = ("timestamp", "duration", "price", "group", "read_row")
"""Columns that a judgment may have besides its codes."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of every row that was read: these are all the others together."""

    read: int
    used: int
    abstained: int = 0
    """Rows without a label (or with one that means "no answer")."""
    repeated: int = 0
    """Rows that gave way to another judgment of the same item by the same worker."""
    rejected: int = 0
    dropped: int = 0
    """Rows that were left out on demand, by the value of a column."""
    as_gold: int = 0
    """Judgments that are taken as gold (``gold_workers``)."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that could not be used."""

    file: str
    line: int
    reason: str
    row: str
    """The row as it stood in the file; bytes that are not UTF-8 as ``\\xNN``."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was read, and the SHA-256 of its bytes."""

    file: str
    sha256: str


@dataclass(frozen=True, eq=False)
class Judgments:
    """Judgments in canonical order (item, worker, label): the same judgments are the same arrays in whatever order
    their rows came.

    Examples
    --------
    >>> found = consensus.read(judgments)
    >>> found
    Judgments(36 judgments of 12 items by 3 workers, 2 labels)
    >>> len(found), found.to_pandas().columns.tolist()
    (36, ['item', 'worker', 'label'])
    """  # noqa: D205

    item: NDArray[np.int32]
    """(J,) code of the item, a position in ``item_ids``."""
    worker: NDArray[np.int32]
    """(J,) code of the worker."""
    label: NDArray[np.int32]
    """(J,) code of the observed label."""
    item_start: NDArray[np.int64]
    """(I+1,) judgments of item i are ``item_start[i]:item_start[i + 1]``; none where all abstained."""
    item_ids: pa.StringArray
    worker_ids: pa.StringArray
    labels: tuple[str, ...]
    """The label set: sorted, unless it was given."""
    timestamp: NDArray[np.datetime64] | None = None
    """(J,) when, in microseconds UTC, NaT where unknown; None without such a column."""
    duration: NDArray[np.float64] | None = None
    """(J,) seconds that the judgment took, 0 or more, NaN where unknown; None without such a column."""
    price: NDArray[np.float64] | None = None
    """(J,) money paid for the judgment, 0 or more, NaN where unknown; None without such a column."""
    group: NDArray[np.int32] | None = None
    """(J,) code of the batch, topic or HIT, a position in ``group_ids``, -1 where the cell is empty; None unless its
    column was named."""
    group_ids: pa.StringArray | None = None
    """(n_groups,) sorted; None unless the column was named."""
    weight: NDArray[np.float64] | None = None
    """(I,) how many items each item counts as, above 0; None where each counts as one."""
    cluster: NDArray[np.int32] | None = None
    """(I,) code of the cluster (picture, document, dialogue) whose items err together, a position in ``cluster_ids``;
    -1 where an item is on its own; None unless the column was named."""
    cluster_ids: pa.StringArray | None = None
    """(n_clusters,) sorted; None unless the column was named."""
    read_row: NDArray[np.int64] | None = None
    """(J,) number of the row that it was read from, from 1, rejects not counted; None unless it may tell drift."""
    rows_guessed: bool = False
    """Nobody said that rows stand in the order in which judgments were made; they look like it."""
    unordered: str = ""
    """Why the order of rows is surely none in time, where that was looked at, such as "rows are sorted by item"."""
    tally: Tally = Tally(0, 0)
    rejects: tuple[Reject, ...] = ()
    sources: tuple[Source, ...] = ()
    repeats_by_row_order: bool = False
    """Contradicting repeats were resolved by the order of rows, for want of timestamps."""
    unreadable_times: int = 0
    """Timestamps that could not be read."""
    unreadable_time: str = ""
    """The first of them, and where it stands."""
    time_format: str | None = None
    """How times are written, where that was named, or told only by the whole of their column: "day-first", say."""
    unreadable_amounts: Mapping[str, int] = field(default_factory=dict)
    """Durations and prices ("duration", "price") that could not be read, or are negative; none where all could."""
    gold: Gold | None = None
    """Gold that the export of a platform held beside them, used where no other is given."""
    model_votes: ModelVotes | None = None
    """What models say in the export of a platform, used where no other votes are given."""
    notes: tuple[str, ...] = ()
    """What was understood of exports of platforms, and of the order of rows, in words."""
    reading: ReadConfig | None = None
    """What they were read with; None where they were not read."""
    cautions: tuple[Notice, ...] = ()
    """What reading found odd."""
    understood: tuple[Column, ...] = ()
    """Which columns of the sources they come from, and by which rule; none where they were not read."""
    unused: tuple[str, ...] = ()
    """Columns of the sources that were not used."""
    anonymous: tuple[str, ...] = ()
    """Workers who stand for many people: each of their judgments counts as one of a person of its own, and they share
    a confusion matrix, that of the mean of these persons. Nobody of them is audited or can be asked."""
    repeats: RepeatCounts | None = None
    """Whose rows gave way to others of the same item and worker; None where none did."""
    renaming: Renaming = field(default_factory=Renaming)
    """What labels, items and workers of other tables are called among these."""
    kept: tuple[KeptColumn, ...] = ()
    """Columns of the sources that are carried to the labels; none unless they were named."""
    labels_ordered: bool = False
    """The order of the labels was given, or is that of ordered categories; else they are sorted as text."""

    @property
    def n_judgments(self) -> int:
        """J."""
        return len(self.item)

    @property
    def n_items(self) -> int:
        """I, with the items that nobody labelled."""
        return len(self.item_ids)

    @property
    def n_workers(self) -> int:
        """W."""
        return len(self.worker_ids)

    @property
    def n_labels(self) -> int:
        """K."""
        return len(self.labels)

    @property
    def n_groups(self) -> int:
        """Groups, with those whose judgments all abstained; 0 unless their column was named."""
        return 0 if self.group_ids is None else len(self.group_ids)

    @property
    def n_clusters(self) -> int:
        """Clusters; 0 unless their column was named. An item without one is none."""
        return 0 if self.cluster_ids is None else len(self.cluster_ids)

    @property
    def is_weighed(self) -> bool:
        """Whether an item may count for more or less than one."""
        return self.weight is not None or self.cluster is not None

    @property
    def in_order(self) -> bool:
        """Whether anything tells in which order they were made: times, or, if these shall, their rows."""
        return self.timestamp is not None or self.read_row is not None

    @property
    def group_of_item(self) -> NDArray[np.int32] | None:
        """(I,) group of each item's first judgment, ``n_groups`` where it has none; None unless groups were named."""
        if self.group is None:
            return None
        found = np.full(self.n_items, np.int32(self.n_groups))
        judged = self.per_item > 0
        first = self.group[self.item_start[:-1][judged]]
        found[judged] = np.where(first < 0, self.n_groups, first)
        return found

    @cached_property
    def per_item(self) -> NDArray[np.int64]:
        """(I,) judgments of each item."""
        return np.diff(self.item_start)

    @cached_property
    def per_worker(self) -> NDArray[np.int64]:
        """(W,) judgments of each worker."""
        from consensus.kernels import order

        found = np.zeros(self.n_workers, np.int64)
        order.tally(self.worker, found)
        return found

    @cached_property
    def is_person(self) -> NDArray[np.bool_]:
        """(W,) whether a worker is one person, who can be audited and asked; false of the ``anonymous``."""
        found = np.ones(self.n_workers, np.bool_)
        if self.anonymous:
            code = positions(self.anonymous, self.worker_ids)
            found[code[code >= 0]] = False
        return found

    @cached_property
    def per_label(self) -> NDArray[np.int64]:
        """(K,) judgments that give each label."""
        from consensus.kernels import order

        found = np.zeros(self.n_labels, np.int64)
        order.tally(self.label, found)
        return found

    def of_items(self, items: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The judgments of ``items`` (n,), in order: the position in ``items`` that each belongs to, and its own."""
        n_each = self.per_item[items]
        own = np.repeat(np.arange(len(items)), n_each)
        offset = np.arange(len(own)) - np.repeat(np.cumsum(n_each) - n_each, n_each)
        return own, self.item_start[items][own] + offset

    def __repr__(self) -> str:
        facts = (
            f"{counted(self.n_judgments, 'judgment')} of {counted(self.n_items, 'item')} "
            f"by {counted(self.n_workers, 'worker')}, {counted(self.n_labels, 'label')}"
        )
        return shown.line("Judgments", facts, self.tally, [one.code for one in self.cautions])

    def _repr_html_(self) -> str:
        return shown.judgments_card(self)

    def __len__(self) -> int:
        return self.n_judgments

    def to_pandas(self) -> pd.DataFrame:
        """One row a judgment: item, worker, label; and timestamp, duration, price, group, and the weight and
        cluster of the item, where there are any.
        """  # noqa: D205
        return shown.judgments_frame(self)

    def with_labels(self, labels: Sequence[str]) -> Judgments:
        """The same judgments over the label set ``labels``, in that order; it may hold labels nobody gave.

        An order that was given means something where labels are held to have one (``labels_ordered``).

        Raises
        ------
        JudgmentError
            A label that was given is not in the set.
        """
        position = {label: code for code, label in enumerate(labels)}
        used = np.bincount(self.label, minlength=self.n_labels)
        ours = self.renaming.folded(self.labels, labels, "labels")
        for label, n in zip(ours, used, strict=True):
            if n and label not in position:
                raise JudgmentError(
                    f'label "{label}" was given {counted(n, "time")} but is not in the label set {listed(labels)}; '
                    "add it, or correct the judgments",
                    code="unknown_label",
                )
        recode = np.array([position.get(label, 0) for label in ours], np.int32)
        codes = recode[self.label] if self.n_judgments else self.label
        kept = [position[label] for label in ours if label in position]
        if kept == sorted(kept):  # canonical as it is
            return replace(self, label=codes, labels=tuple(labels), labels_ordered=True)
        order = np.lexsort((codes, self.worker, self.item))
        return replace(
            self,
            label=np.ascontiguousarray(codes[order], np.int32),
            labels=tuple(labels),
            labels_ordered=True,
            **self.beside(order),
        )

    def subset(self, keep: NDArray[np.bool_]) -> Judgments:
        """The judgments where ``keep`` (J,) is true, over the same items, workers and labels."""
        start = np.zeros_like(self.item_start)
        np.cumsum(np.bincount(self.item[keep], minlength=self.n_items), out=start[1:])
        return replace(
            self,
            item=self.item[keep],
            worker=self.worker[keep],
            label=self.label[keep],
            item_start=start,
            **self.beside(keep),
        )

    def beside(self, chosen: NDArray[Any]) -> dict[str, Any]:
        """The columns besides the codes of some judgments, by position or mask; None where there is no such column."""
        columns = {name: getattr(self, name) for name in BESIDE}
        return {name: None if column is None else column[chosen] for name, column in columns.items()}


def nothing() -> Judgments:
    """No judgments at all: where models alone have spoken."""
    import pyarrow as pa

    none, ids = np.zeros(0, np.int32), pa.array([], pa.string())
    return Judgments(none, none, none, np.zeros(1, np.int64), ids, ids, ())


def listed(labels: Sequence[str], most: int = 8) -> str:
    """``"a", "b", ... (12 labels)``: a label set, shortened for a message."""
    shown = ", ".join(f'"{label}"' for label in labels[:most])
    return shown if len(labels) <= most else f"{shown}, ... ({len(labels):,} labels)"
