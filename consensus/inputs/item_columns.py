"""What the rows of an item say of the item itself: its weight, and the cluster that it errs with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.errors import JudgmentError
from consensus.inputs.counted import counted
from consensus.inputs.understood import quoted

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.inputs.judgments import Judgments

    Codes = NDArray[np.int32]

UNSET = -2  # no weight, and no code


def of_items(
    role: str,
    rows: NDArray[Any],
    items: tuple[Codes, pa.StringArray],
    locate: Callable[[int], str],
    shown: Callable[[Any], str],
) -> NDArray[Any]:
    """What the rows of each item say, (I,): all of them the same. An abstain is a row like another.

    Parameters
    ----------
    role
        "weight" or "cluster", for messages.
    rows
        (rows,) float64 weights, or int32 codes.
    items
        Code of the item of each row (rows,), and the ids that the codes are positions in: each occurs.
    locate, shown
        The place of a row, and what it says, for messages.

    Raises
    ------
    JudgmentError
        Two rows of an item differ.
    """
    from consensus.kernels import order

    item, item_ids = items
    found = np.full(len(item_ids), UNSET, rows.dtype)
    other = order.of_items(item, rows, UNSET, found)
    if other >= 0:
        row = int(np.argmax(item == item[other]))
        raise JudgmentError(
            f"item {quoted(item_ids[item[other]].as_py())} has the {role} {shown(rows[other])} here and "
            f"{shown(rows[row])} in {locate(row)}; all rows of an item have one {role}: correct them, or choose "
            f"another column with --{role}",
            locate(other),
        )
    return found


def weights(rows: NDArray[np.float64], items: tuple[Codes, pa.StringArray], locate: Callable[[int], str]) -> Any:
    """(I,) the weight of each item; see ``of_items``."""
    return of_items("weight", rows, items, locate, lambda weight: f"{weight:.15g}")


def clusters(
    coded: tuple[Codes, pa.StringArray], items: tuple[Codes, pa.StringArray], locate: Callable[[int], str]
) -> tuple[Codes, list[str]]:
    """(I,) the code of the cluster of each item, -1 where its rows name none; and what is to be said of these.

    ``coded`` are the code of each row (rows,), -1 where the cell is empty, and the ids; see ``of_items``.
    """
    rows, ids = coded
    found = of_items("cluster", rows, items, locate, lambda one: "(none)" if one < 0 else quoted(ids[int(one)].as_py()))
    n_alone = int((found < 0).sum())
    alone = counted(n_alone, "item has no cluster, and stands", "items have no cluster, and each stands")
    return found, [f"{alone} for itself"] if n_alone else []


def of(judgments: Judgments, items: slice) -> dict[str, Any]:
    """Those of some items by name, where there are any; missing of what stands behind the last of the items."""
    import pyarrow as pa

    found: dict[str, Any] = {}
    behind = max(items.stop - max(items.start, judgments.n_items), 0)
    if judgments.weight is not None:
        found["weight"] = np.append(judgments.weight[items], np.full(behind, np.nan))
    if judgments.cluster is not None:
        assert judgments.cluster_ids is not None
        code = np.append(judgments.cluster[items], np.full(behind, np.int32(-1)))
        found["cluster"] = judgments.cluster_ids.take(pa.array(code, mask=code < 0))
    return found


def moved(judgments: Judgments, code: Codes, n_items: int) -> dict[str, Any]:
    """The columns of items over ``n_items``, of which each item of before has the position ``code`` (I,).

    The others are not in the judgments: they weigh 1, and are in no cluster.
    """
    found: dict[str, Any] = {"kept": tuple(one.moved(code, n_items) for one in judgments.kept)}
    if judgments.weight is not None:
        found["weight"] = np.ones(n_items)
        found["weight"][code] = judgments.weight
    if judgments.cluster is not None:
        found["cluster"] = np.full(n_items, np.int32(-1))
        found["cluster"][code] = judgments.cluster
    return found
