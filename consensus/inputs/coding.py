"""Rows in any order to ``Judgments``: ids become codes here and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.errors import JudgmentError
from consensus.inputs.judgments import Judgments, Tally
from consensus.inputs.ordering import ordered
from consensus.inputs.repeats import RepeatCounts
from consensus.inputs.understood import quoted_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.inputs.ordering import RepeatRule


def encode(
    items: tuple[NDArray[np.int32], pa.StringArray],
    workers: tuple[NDArray[np.int32], pa.StringArray],
    labels: tuple[NDArray[np.int32], pa.StringArray],
    when: NDArray[np.datetime64] | None,
    *,
    beside: Mapping[str, NDArray[Any]] | None = None,
    repeats: RepeatRule,
    locate: Callable[[int], str],
    backend: Backend,
) -> Judgments:
    """Judgments in canonical order from rows in any.

    Parameters
    ----------
    items, workers, labels
        Code of each row (rows,) and the sorted texts that the codes are positions in; a label of -1 is an abstain.
    when
        (rows,) time of each judgment, or None.
    beside
        (rows,) its "duration", "price" and code of the "group", where there are such columns.
    repeats
        Which judgments of an (item, worker) pair count.
    locate
        Gives the place of a row, for messages.
    backend
        The threads that sort.

    Raises
    ------
    JudgmentError
        The policy about ``repeats`` is "error" and there is one.
    """
    from consensus.kernels import order

    (item, item_ids), (worker, worker_ids), (label, label_ids) = items, workers, labels
    n_read = len(item)
    given: NDArray[np.int64] | None = None  # rows with a label, or None for all
    if n_read and label.min() < 0:
        given = np.flatnonzero(label >= 0)
        item, worker, label = item[given], worker[given], label[given]
        when = None if when is None else when[given]
        beside = {name: column[given] for name, column in (beside or {}).items()}
    sizes = len(item_ids), len(worker_ids), len(label_ids)
    found = ordered(item, worker, label, when, sizes, repeats, backend, beside)
    if found.clash is not None:
        first, second = found.clash
        place = second if given is None else int(given[second])
        who, what = (quoted_text(ids[code[second]].as_py()) for ids, code in ((worker_ids, worker), (item_ids, item)))
        then, now = (quoted_text(label_ids[label[row]].as_py()) for row in (first, second))
        raise JudgmentError(
            f"worker {who} judged item {what} twice ({then}, then {now}); keep one row or pass --repeats=last",
            locate(place),
            code="repeated_judgment",
        )
    start = np.empty(len(item_ids) + 1, np.int64)
    order.item_starts(found.item, start)
    n_given, n_used = len(item), len(found.item)
    return Judgments(
        item=found.item,
        worker=found.worker,
        label=found.label,
        item_start=start,
        item_ids=item_ids,
        worker_ids=worker_ids,
        labels=tuple(label_ids.to_pylist()),
        timestamp=found.when,
        duration=found.beside.get("duration"),
        price=found.beside.get("price"),
        group=found.beside.get("group"),
        read_row=found.beside["read_row"].astype(np.int64) if "read_row" in found.beside else None,
        tally=Tally(n_read, n_used, abstained=n_read - n_given, repeated=n_given - n_used),
        repeats_by_row_order=found.by_row_order,
        repeats=None if found.repeated is None else RepeatCounts.of(found.item, found.worker, found.repeated),
    )
