"""Canonical order and repeats, against plain Python."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus import backends
from consensus.backends import Threads
from consensus.inputs import ordering
from consensus.inputs.ordering import RepeatRule, ordered
from tests.strategies import examples

Row = tuple[int, int, int, int | None]
rows = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 2), st.one_of(st.none(), st.integers(0, 2))),
    max_size=25,
)


def naive(
    judged: list[Row], repeats: str, kept: set[int]
) -> tuple[list[tuple[int, int, int]], bool, tuple[int, int] | None]:
    """The rows that count, whether row order decided between different labels, and the first clash."""
    time = [-1 if row[3] is None else row[3] for row in judged]
    pairs: dict[tuple[int, int], list[int]] = {}
    for n in sorted(range(len(judged)), key=lambda n: (time[n], n)):
        pairs.setdefault(judged[n][:2], []).append(n)
    chosen, by_row_order, clash = [], False, None
    for _, found in sorted(pairs.items()):
        if repeats == "keep" or len(found) == 1 or judged[found[0]][1] in kept:
            chosen += found
            continue
        if repeats == "error":
            clash = clash or (found[0], found[1])
            continue
        wins, loses = (found[-1], found[-2]) if repeats == "last" else (found[0], found[1])
        chosen.append(wins)
        by_row_order |= time[wins] == time[loses] and judged[wins][2] != judged[loses][2]
    return sorted(judged[n][:3] for n in chosen), by_row_order, clash


@pytest.mark.parametrize("key_bits", [63, 1])
@pytest.mark.parametrize("timed", [False, True])
@examples(150)
@given(
    judged=rows,
    repeats=st.sampled_from(["last", "first", "keep", "error"]),
    kept=st.one_of(st.just(set()), st.sets(st.integers(0, 3))),
)
def test_order_and_repeats(key_bits: int, timed: bool, judged: list[Row], repeats: str, kept: set[int]) -> None:
    judged = judged if timed else [(*row[:3], None) for row in judged]
    item, worker, label = (np.array([row[n] for row in judged], np.int32) for n in range(3))
    when = np.array([row[3] for row in judged], "datetime64[us]")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ordering, "KEY_BITS", key_bits)
        rule = RepeatRule(repeats, np.isin(np.arange(4), list(kept)) if kept else None)
        found = ordered(item, worker, label, when if timed else None, (5, 4, 3), rule, Threads(1))
    expected, by_row_order, clash = naive(judged, repeats, kept)
    assert found.clash == clash
    assert found.by_row_order == by_row_order
    assert {codes.dtype for codes in (found.item, found.worker, found.label)} == {np.dtype(np.int32)}
    if clash is None:
        assert list(zip(found.item.tolist(), found.worker.tolist(), found.label.tolist(), strict=True)) == expected
        gone = Counter(row[:2] for row in judged) - Counter(row[:2] for row in expected)
        told = [] if found.repeated is None else zip(*(codes.tolist() for codes in found.repeated), strict=True)
        assert Counter(told) == gone
    if timed:
        assert found.when is not None
        assert len(found.when) == len(found.item)


@pytest.mark.parametrize("sizes", [(3, 2, 2), (3_000, 40, 5), (200_000, 1, 1)])
@pytest.mark.parametrize("repeats", ["last", "keep"])
def test_many_rows_in_buckets_and_parts(
    monkeypatch: pytest.MonkeyPatch, sizes: tuple[int, int, int], repeats: str
) -> None:
    monkeypatch.setattr(backends, "SMALLEST_SHARD", 1_000)
    rng = np.random.default_rng(sizes[0])
    item, worker, label = (rng.integers(0, size, 20_000).astype(np.int32) for size in sizes)
    by_row: dict[tuple[int, int], int] = {}
    for row in zip(item.tolist(), worker.tolist(), label.tolist(), strict=True):
        by_row[row[:2]] = row[2]
    expected = sorted(zip(item.tolist(), worker.tolist(), label.tolist(), strict=True))
    if repeats == "last":
        expected = [(*pair, code) for pair, code in sorted(by_row.items())]
    for threads in (1, 3):
        found = ordered(item, worker, label, None, sizes, RepeatRule(repeats), Threads(threads))
        assert list(zip(found.item.tolist(), found.worker.tolist(), found.label.tolist(), strict=True)) == expected
