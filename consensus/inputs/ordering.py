"""Rows of codes in canonical order (item, worker, label), and which row counts where a pair was judged twice.

Item, worker and label are packed into one integer, a few bits each: sorting integers is many times faster than sorting
positions by three columns. Positions are sorted only where a row must be told from others of the same item: where
something was judged twice, or where times or other columns are carried along.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from consensus.backends import even_parts, even_slices, number_of_shards

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from consensus.backends import Backend

    Codes = NDArray[np.int32]
    Positions = NDArray[np.int64]
    Beside = Mapping[str, NDArray[Any]]

KEY_BITS = 63  # of the packed integers
BUCKET_BITS = 9  # 512 buckets: of 10 million keys, each is 160 KB


class RepeatRule(NamedTuple):
    """Which rows of an (item, worker) count."""

    policy: str
    """"last" or "first" by time, then by row; "keep" and "error" drop none."""
    kept: NDArray[np.bool_] | None = None
    """(W,) workers all of whose rows count whatever the policy: each stands for many people. None for nobody."""


@dataclass(frozen=True, slots=True, eq=False)
class Ordered:
    """Judgments in canonical order."""

    item: Codes
    worker: Codes
    label: Codes
    when: NDArray[np.datetime64] | None
    by_row_order: bool
    """Contradicting repeats were resolved by the order of rows, for want of times."""
    clash: tuple[int, int] | None
    """Rows of the first repeat, if repeats are an error."""
    beside: Beside = field(default_factory=dict)
    repeated: tuple[Codes, Codes] | None = None
    """Item and worker of each row that gave way to another of this pair; None where none did."""


class _Chosen(NamedTuple):
    """What counts of some rows."""

    rows: Positions
    """Their positions, in order."""
    by_row_order: bool = False
    clash: tuple[int, int] | None = None
    repeated: Positions | None = None
    """The pair of item and worker of each row that gave way; None where none did."""


NONE_CHOSEN = _Chosen(np.zeros(0, np.int64))


def ordered(
    item: Codes,
    worker: Codes,
    label: Codes,
    when: NDArray[np.datetime64] | None,
    sizes: tuple[int, int, int],
    repeats: RepeatRule,
    backend: Backend,
    beside: Beside | None = None,
) -> Ordered:
    """Put rows in order.

    Parameters
    ----------
    item, worker, label, when
        Codes (rows,) and times (rows,) of the rows, or None; codes are below ``sizes``. What becomes of the codes is
        written over them: memory that is touched for the first time is dear.
    repeats
        Which rows of an (item, worker) count.
    backend
        The threads that sort. The result does not depend on them.
    beside
        Columns (rows,) by name that are carried along.
    """
    bits = [max(size - 1, 0).bit_length() for size in sizes]
    beside = beside or {}
    if when is not None or beside or sum(bits) > KEY_BITS:
        chosen = _chosen(item, worker, label, when, bits, repeats, tuple(beside.values()))
        rows = chosen.rows
        when = None if when is None else when[rows]
        beside = {name: column[rows] for name, column in beside.items()}
        told = chosen.by_row_order, chosen.clash, beside, _codes_of(chosen.repeated, bits)
        return Ordered(item[rows], worker[rows], label[rows], when, *told)
    key, chosen = _sorted_keys(item, worker, label, bits, backend), NONE_CHOSEN
    if repeats.policy != "keep" and _any_twice(key, bits, backend):
        from consensus.kernels import order

        twice = np.flatnonzero((key[1:] ^ key[:-1]) < 1 << bits[2])
        again = np.zeros(sizes[0], np.bool_)
        again[key[twice] >> (bits[1] + bits[2])] = True
        rows = np.flatnonzero(again[item])  # all rows of the items that somebody judged twice
        chosen = _chosen(item[rows], worker[rows], label[rows], None, bits, repeats)
        if chosen.clash is not None:
            clash = int(rows[chosen.clash[0]]), int(rows[chosen.clash[1]])
            return Ordered(item, worker, label, None, chosen.by_row_order, clash)
        rows = rows[chosen.rows]
        once = key[~again[key >> (bits[1] + bits[2])]]
        key = key[: len(once) + len(rows)]
        key[: len(once)] = once
        order.packed(item[rows], worker[rows], label[rows], bits[1], bits[2], key[len(once) :])
        key.sort()
    codes = item[: len(key)], worker[: len(key)], label[: len(key)]
    _unpack(key, bits, codes, backend)
    return Ordered(*codes, None, chosen.by_row_order, None, repeated=_codes_of(chosen.repeated, bits))


def _chosen(
    item: Codes,
    worker: Codes,
    label: Codes,
    when: NDArray[np.datetime64] | None,
    bits: list[int],
    repeats: RepeatRule,
    beside: tuple[NDArray[Any], ...] = (),
) -> _Chosen:
    """The rows that count."""
    time = np.zeros(len(item), np.int64) if when is None else _time_rank(when)
    pair = (item.astype(np.int64) << bits[1]) | worker
    policy, kept = repeats.policy, _kept(worker, repeats)
    order = _order(pair, label, time, bits, beside, kept)
    pair = pair[order]
    repeated = np.flatnonzero(pair[1:] == pair[:-1])
    if kept is not None:
        repeated = repeated[~kept[order[repeated]]]
    if policy == "keep" or not len(repeated):
        return _Chosen(order)
    if policy == "error":
        return _Chosen(order, clash=(int(order[repeated[0]]), int(order[repeated[0] + 1])))
    decisive = repeated[~np.isin(repeated + 1 if policy == "last" else repeated - 1, repeated)]
    before, after = order[decisive], order[decisive + 1]
    by_row_order = bool(np.any((label[before] != label[after]) & (time[before] == time[after])))
    counts = np.ones(len(order), np.bool_)
    counts[repeated if policy == "last" else repeated + 1] = False
    return _Chosen(order[counts], by_row_order, repeated=pair[repeated])


def _kept(worker: Codes, repeats: RepeatRule) -> NDArray[np.bool_] | None:
    """(rows,) whether all rows of its worker count; None if that holds for nobody."""
    if repeats.policy == "keep":
        return np.ones(len(worker), np.bool_)
    return None if repeats.kept is None else repeats.kept[worker]


def _codes_of(pair: Positions | None, bits: list[int]) -> tuple[Codes, Codes] | None:
    """Item and worker of pairs of them."""
    if pair is None:
        return None
    return (pair >> bits[1]).astype(np.int32), (pair & ((1 << bits[1]) - 1)).astype(np.int32)


def _order(
    pair: Positions,
    label: Codes,
    time: NDArray[np.int64],
    bits: list[int],
    beside: tuple[NDArray[Any], ...],
    kept: NDArray[np.bool_] | None,
) -> Positions:
    """Positions by (item, worker), then by time and by row; where repeats are ``kept`` (rows,) by label first, and by
    the columns ``beside`` before the row.
    """  # noqa: D205
    order = np.argsort((pair << bits[2]) | label) if sum(bits) <= KEY_BITS else np.lexsort((label, pair))
    again = pair[order[1:]] == pair[order[:-1]]
    if kept is not None:
        again &= (label[order[1:]] == label[order[:-1]]) | ~kept[order[1:]]
    tied = np.zeros(len(order) + 1, np.bool_)
    tied[1:-1] = again
    positions = np.flatnonzero(tied[1:] | tied[:-1])
    rows = np.sort(order[positions])
    keys = [time[rows], pair[rows]]
    if kept is not None:
        here = kept[rows]
        others = [np.where(here, column[rows], np.zeros(1, column.dtype)) for column in reversed(beside)]
        keys = [*others, time[rows], np.where(here, label[rows], 0), pair[rows]]
    order[positions] = rows[np.lexsort(keys)]
    return order


def _sorted_keys(item: Codes, worker: Codes, label: Codes, bits: list[int], backend: Backend) -> NDArray[np.int64]:
    """One integer for the codes of each row, in the same order as these, sorted.

    First into buckets of neighbouring items: then threads sort a bucket each, and it stays in the processor's cache.
    """
    from consensus.kernels import order

    shift = max(bits[0] - BUCKET_BITS, 0)
    parts = even_parts(len(item), number_of_shards(len(item)))
    sizes = np.zeros((len(parts), 1 << BUCKET_BITS), np.int64)
    backend.map(lambda n: order.tally_buckets(item[parts[n]], shift, sizes[n]), range(len(parts)))
    ends = np.cumsum(sizes.T).reshape(sizes.T.shape).T  # rows by bucket, and within a bucket by part
    key = np.empty(len(item), np.int64)

    def place(n: int) -> None:
        begins = np.ascontiguousarray(ends[n] - sizes[n])
        order.packed_into_buckets(
            item[parts[n]], worker[parts[n]], label[parts[n]], bits[1], bits[2], shift, begins, key
        )

    backend.map(place, range(len(parts)))
    bounds = np.concatenate([[0], ends[-1]])
    backend.map(lambda part: _sort_each(key, bounds[part.start : part.stop + 1]), even_slices(bounds, len(parts)))
    return key


def _sort_each(key: NDArray[np.int64], bounds: NDArray[np.int64]) -> None:
    for begin, end in itertools.pairwise(bounds.tolist()):
        key[begin:end].sort()


def _any_twice(key: NDArray[np.int64], bits: list[int], backend: Backend) -> bool:
    """Whether some sorted key has the item and worker of the one before it."""
    from consensus.kernels import order

    parts = even_parts(len(key), number_of_shards(len(key)))
    return any(backend.map(lambda part: order.any_twice(key[max(part.start - 1, 0) : part.stop], bits[2]), parts))


def _unpack(key: NDArray[np.int64], bits: list[int], codes: tuple[Codes, Codes, Codes], backend: Backend) -> None:
    """Item, worker and label of sorted keys, into ``codes``."""
    from consensus.kernels import order

    def shard(part: slice) -> None:
        order.unpacked(key[part], bits[1], bits[2], *(code[part] for code in codes))

    backend.map(shard, even_parts(len(key), number_of_shards(len(key))))


def _time_rank(when: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Microseconds, unknown times before all others."""
    return when.astype("datetime64[us]").view(np.int64)  # NaT is the smallest integer
