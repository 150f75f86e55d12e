"""Texts to codes: the kernels against a dictionary, whatever kind of Arrow array the texts come in."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from consensus.backends import Threads
from consensus.errors import JudgmentError
from consensus.inputs import vocabulary
from consensus.inputs.vocabulary import Vocabulary, hashed, mixed, positions, translated
from consensus.kernels import texts
from tests.strategies import examples

Text = str | None
few = st.text(alphabet="aé\0", max_size=3)
any_text = st.text(st.characters(codec="utf-8"), max_size=20)
cells = st.lists(st.one_of(st.none(), few, any_text, st.sampled_from(["a" * 8, "a" * 16, "a" * 17, "b" * 300])))
KINDS: list[Callable[[Sequence[Text]], pa.Array]] = [
    lambda cells: pa.array(cells, pa.string()),
    lambda cells: pa.array(cells, pa.large_string()),
    lambda cells: pa.array(cells, pa.binary()),
    lambda cells: pa.array(cells, pa.large_binary()),
    lambda cells: pa.array(cells, pa.string_view()),
    lambda cells: pa.array(cells, pa.string()).cast(pa.binary()).cast(pa.binary_view()),
    lambda cells: pa.array(cells, pa.string()).dictionary_encode(),
    lambda cells: pa.array(["unused", None, *cells], pa.string()).dictionary_encode("encode")[2:],
]


def naive_codes(chunks: Sequence[Sequence[Text]]) -> list[list[int]]:
    """Ranks among the sorted distinct texts, by a dictionary."""
    distinct = sorted({cell.encode() for chunk in chunks for cell in chunk if cell is not None})
    rank = {text: code for code, text in enumerate(distinct)}
    return [[-1 if cell is None else rank[cell.encode()] for cell in chunk] for chunk in chunks]


def ranked(known: Vocabulary, parts: list[NDArray[np.int32]]) -> tuple[NDArray[np.int32], pa.StringArray]:
    """Ranks of all rows, and the texts that they are positions in."""
    rank, found = known.ranks(parts)
    return translated(parts, rank, Threads(2)), found


def same_hash(starts: NDArray[np.int64], _words: Any, out_hash: NDArray[np.uint64]) -> None:
    out_hash[:] = 7
    assert len(out_hash) == len(starts) - 1


@examples(150)
@given(st.lists(cells, min_size=1, max_size=4), st.sampled_from(KINDS), st.sampled_from([1, 3, 1 << 16]), st.booleans())
def test_codes_are_those_of_a_dictionary(
    chunks: list[list[Text]], kind: Callable[[Sequence[Text]], pa.Array], batch: int, collide: bool
) -> None:
    known = Vocabulary()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vocabulary, "BATCH", batch)
        patch.setattr(vocabulary, "CASTED", batch)
        if collide:  # every hash is the same: only the bytes tell texts apart
            patch.setattr(texts, "hashes", same_hash)
        parts = [known.add(kind(chunk)) for chunk in chunks]
        codes, found = ranked(known, parts)
    expected = naive_codes(chunks)
    assert codes.tolist() == [code for chunk in expected for code in chunk]
    assert codes.dtype == np.int32
    assert found.type == pa.string()
    assert [text.encode() for text in found.to_pylist()] == sorted(
        {cell.encode() for chunk in chunks for cell in chunk if cell is not None}
    )


def test_codes_come_by_first_appearance() -> None:
    known = Vocabulary()
    assert known.add(pa.array(["b", "a", "b"])).tolist() == [0, 1, 0]
    assert known.add(pa.chunked_array([["c", "a", None], []], pa.string())).tolist() == [2, 1, -1]
    assert known.add(pa.chunked_array([], pa.string())).tolist() == []


def test_slices() -> None:
    column = pa.array(["skipped", "b", None, "a", "b", "skipped, too"])
    for chosen in (column[1:5], column.cast(pa.large_string())[1:5], column.dictionary_encode()[1:5]):
        codes, found = ranked(known := Vocabulary(), [known.add(chosen)])
        assert (codes.tolist(), found.to_pylist()) == ([1, -1, 0, 1], ["a", "b"])


def test_cells_that_are_no_text() -> None:
    for column, expected in (
        (pa.array([2, 10, None]), ["10", "2"]),
        (pa.array([True, False]), ["false", "true"]),
        (pa.array([b"xy", b"ab"], pa.binary(2)), ["ab", "xy"]),
        (pa.array([], pa.int64()), []),
    ):
        known = Vocabulary()
        assert known.ranks([known.add(column)])[1].to_pylist() == expected


def test_texts_that_no_row_holds_are_left_out() -> None:
    known = Vocabulary()
    codes = known.add(pa.array(["c", "b", "a"]))
    rank, left = known.ranks([codes[1:]], absent=["a", "never seen"])
    assert (rank.tolist(), left.to_pylist()) == ([-1, 0, -1], ["b"])


def test_texts_that_are_not_utf8() -> None:
    known = Vocabulary()
    codes = known.add(pa.array([b"a", b"\xff", "é".encode(), b"\xc3"]))
    assert known.not_utf8(codes).tolist() == [1, 3]
    assert known.not_utf8(codes[[0, 2]]).tolist() == []
    assert known.ranks([codes[[0, 2]]])[1].to_pylist() == ["a", "é"]


def test_too_much_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "MOST_BYTES", 3)
    known = Vocabulary()
    codes = known.add(pa.array(["ab", "cd"]))
    assert known.ranks([codes[:1]])[1].to_pylist() == ["ab"]
    with pytest.raises(JudgmentError, match="the 2 distinct texts of one column take 4 bytes, 3 at most fit; use shor"):
        known.ranks([codes])


def test_a_table_that_grows() -> None:
    rows = [f"{n * n % 7919}" for n in range(3000)]
    known = Vocabulary()
    parts = [known.add(pa.array(rows[n : n + 100])) for n in range(0, 3000, 100)]
    codes, found = ranked(known, parts)
    assert found.take(pa.array(codes)).to_pylist() == rows
    assert found.to_pylist() == sorted(set(rows))


def test_hashes_spread() -> None:
    """Ids that count up do not crowd in the table: few more than by chance share a slot."""
    rows = pa.array([f"item{n:07}" for n in range(1 << 12)])
    starts, data = (
        np.frombuffer(part, kind) for part, kind in zip(rows.buffers()[1:], (np.int32, np.uint8), strict=True)
    )
    buffer = np.zeros(len(data) + texts.PADDING, np.uint8)
    buffer[: len(data)] = data
    found = np.empty(len(rows), np.uint64)
    texts.hashes(starts[: len(rows) + 1].astype(np.int64), texts.words_of(buffer), found)
    assert len(np.unique(found)) == len(rows)
    for bits in (found & np.uint64(0xFFF), found >> np.uint64(52)):
        assert 0.6 < len(np.unique(bits)) / (1 << 12) < 0.66  # 1 - 1/e by chance


def test_order_of_texts_that_begin_alike() -> None:
    for prefix in ("", "p" * 5, "p" * 8, "p" * 23):
        rows = [prefix + tail for tail in ("", "\0", "a", "a\0", "a" * 8, "a" * 8 + "b", "a" * 9, "é", "z")]
        known = Vocabulary()
        found = known.ranks([known.add(pa.array(rows[::-1]))])[1]
        assert found.to_pylist() == sorted(rows, key=str.encode)


def test_hashes_are_of_the_text_alone() -> None:
    column = pa.array(["skipped", "", "a", "item 17", "a", "longer than eight bytes", "é"])
    found = hashed(column[1:]).tolist()
    assert found[1] == found[3]
    assert len(set(found)) == 5
    assert found[:3] == [hashed(pa.array([text]))[0] for text in ("", "a", "item 17")]
    assert (
        found[1] == 7273083162065965074
    )  # the same in every version: lists that are asked for twice must not be shuffled
    assert hashed(pa.array([], pa.string())).tolist() == []


def test_bits_are_mixed_as_by_splitmix() -> None:
    """The first numbers of SplitMix64 from seed 0, as its reference implementation prints them."""
    state = np.array([1, 2, 3], np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    assert mixed(state).tolist() == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]


@examples(300)
@given(st.lists(st.one_of(few, any_text)), st.lists(st.one_of(few, any_text)), st.booleans(), st.integers(0, 2))
def test_positions_in_one_pass_are_those_by_hash(one: list[str], other: list[str], ascend: bool, cut: int) -> None:
    def ordered(cells: list[str]) -> list[str]:
        return sorted(set(cells), key=str.encode) if ascend else cells

    sought, among = pa.array(ordered(one), pa.string())[cut:], pa.array(ordered(other), pa.string())[cut:]
    expected = [among.to_pylist().index(cell) if cell in among.to_pylist() else -1 for cell in sought.to_pylist()]
    assert positions(sought, among).tolist() == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vocabulary, "MANY", 0)
        assert positions(sought, among).tolist() == expected
    merged = vocabulary._merged(sought, among)
    assert merged.tolist() == expected if merged is not None else not ascend


def test_positions_where_some_text_is_missing() -> None:
    assert vocabulary._merged(pa.array(["a", None]), pa.array(["a"])) is None
    assert vocabulary._merged(pa.array(["a"]), pa.array(["a", None])) is None
