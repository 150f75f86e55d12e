"""Columns of all types that Arrow, pandas and polars have: read, or refused in a line that names the column."""

from __future__ import annotations

import datetime
import decimal
import uuid
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from consensus import memory, read, read_model_votes
from consensus.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from consensus.inputs.judgments import Judgments

KEYS = [uuid.UUID(int=n) for n in (1, 2)]
ZONED = pa.array([0, 2**62], pa.int64())


def table(items: Any, **others: Any) -> pa.Table:
    return pa.table({"item": items, "worker": ["v"] * len(items), "label": ["x"] * len(items), **others})


def both(made: pa.Table, tmp_path: Path, **settings: Any) -> tuple[Judgments, Judgments]:
    """What is read of a table, and of a Parquet file of it."""
    pq.write_table(made, tmp_path / "j.parquet")
    return read(made, **settings), read(tmp_path / "j.parquet", **settings)


def stored(kind: Any, cells: list[Any], storage: pa.DataType) -> Any:
    return pa.ExtensionArray.from_storage(kind, pa.array(cells, storage))


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (stored(pa.uuid(), [one.bytes for one in KEYS], pa.binary(16)), list(map(str, KEYS))),
        (stored(pa.bool8(), [1, 0], pa.int8()), ["false", "true"]),
        (stored(pa.json_(), ["1", "[2]"], pa.string()), ["1", "[2]"]),
        (pa.array([b"ab", b"cd"], pa.binary(2)), ["ab", "cd"]),
        (pa.array([b"a", b"b"], pa.binary_view()), ["a", "b"]),
        (pa.array(["a", "b"], pa.string_view()), ["a", "b"]),
        (pa.array([b"a", b"b"]).dictionary_encode(), ["a", "b"]),
        (pa.array([1, 2]).dictionary_encode(), ["1", "2"]),
        (pa.array([decimal.Decimal("1.50"), decimal.Decimal(2)], pa.decimal256(50, 2)), ["1.50", "2.00"]),
        (pa.array([2**64 - 1, 0], pa.uint64()), ["0", str(2**64 - 1)]),
        (pa.array([2**53 + 1, 2**53 + 3]), [str(2**53 + 1), str(2**53 + 3)]),
        (pa.array([0, 86_400_000], pa.date64()), ["1970-01-01", "1970-01-02"]),
    ],
)
def test_cells_of_one_value(items: Any, expected: list[str], tmp_path: Path) -> None:
    for found in both(table(items), tmp_path):
        assert found.item_ids.to_pylist() == expected
        assert found.tally.used == 2


def test_rows_without_a_cell_are_rejected(tmp_path: Path) -> None:
    for items in (
        stored(pa.uuid(), [KEYS[0].bytes, None], pa.binary(16)),
        pa.array(["a", None], pa.string_view()),
        pa.array(["a", None], pa.binary_view()),
    ):
        for found in both(table(items), tmp_path):
            assert [(one.line, one.reason) for one in found.rejects] == [(2, "the item is missing")]


def test_runs_of_one_value() -> None:
    assert read(table(pc.run_end_encode(pa.array(["a", "a", "b"]))), repeats="last").item_ids.to_pylist() == ["a", "b"]


@pytest.mark.parametrize(
    ("items", "told"),
    [
        (
            pa.array([pa.MonthDayNano([1, 2, 3])] * 2),
            "month_day_nano_interval, which no text can be made of; make text",
        ),
        (ZONED.view(pa.timestamp("s", "Mars/Phobos")), "timestamp[s, tz=Mars/Phobos], which no text can be made of"),
        (stored(pa.fixed_shape_tensor(pa.int32(), [1]), [[1], [2]], pa.list_(pa.int32(), 1)), "not single values"),
        (pa.array([[("a", 1)]] * 2, pa.map_(pa.string(), pa.int64())), "map<string, int64>, not single values"),
        (pa.array([{"a" * 90: 1}] * 2), f"struct<{'a' * 53}..., not single values"),
        (pa.UnionArray.from_sparse(pa.array([0, 0], pa.int8()), [pa.array(["a", "b"])]), "union<0: string=0>, not"),
    ],
)
def test_cells_of_no_single_value(items: Any, told: str) -> None:
    with pytest.raises(FormatError, match="^data frame: the item column holds ") as caught:
        read(table(items))
    assert told in str(caught.value)


def test_periods_of_pandas_in_parquet(tmp_path: Path) -> None:
    """They count months, say, which nothing in a file tells."""
    frame = pd.DataFrame({"item": pd.period_range("2020-01", periods=2, freq="M"), "worker": "v", "label": "x"})
    frame.to_parquet(tmp_path / "j.parquet")
    with pytest.raises(FormatError, match="the item column holds extension<.*, which no text can be made of"):
        read(tmp_path / "j.parquet")
    assert read(frame).item_ids.to_pylist() == ["2020-01", "2020-02"]


class TestTimes:
    def test_no_year_beyond_9999_is_one(self, tmp_path: Path) -> None:
        far = pa.array([0, 3_876_000_000_000_000_000, 2**62, None]).view(pa.timestamp("us"))
        for found in both(table(list("abcd"), timestamp=far), tmp_path):
            assert found.unreadable_times == 2
            assert found.unreadable_time is not None
            assert found.unreadable_time.endswith('2: "<value out of range: 3876000000000000000..."')
            assert found.timestamp is not None
            assert int(np.isnat(found.timestamp).sum()) == 3

    @pytest.mark.parametrize(
        ("times", "n_known"),
        [
            (pa.array([0, 2**31 - 1], pa.int32()).view(pa.date32()), 1),
            (pa.array([0, 2**30 * 86_400_000]).view(pa.date64()), 1),
            (pa.array([1 - 2**63, 2**63 - 1]).view(pa.timestamp("ns")), 2),
            (pa.array([0, 2**62]).view(pa.timestamp("us", "Mars/Phobos")), 1),
            (pa.array([0, 60]).view(pa.timestamp("s", "Asia/Tokyo")), 2),
        ],
    )
    def test_of_all_units(self, times: Any, n_known: int) -> None:
        found = read(table(["a", "b"], timestamp=times))
        assert found.timestamp is not None
        assert int((~np.isnat(found.timestamp)).sum()) == n_known

    def test_what_is_none_is_counted(self) -> None:
        for cells in ([[1], [2]], [pa.MonthDayNano([1, 2, 3]), None]):
            found = read(table(["a", "b"], timestamp=pa.array(cells)))
            assert found.unreadable_times == sum(one is not None for one in cells)

    def test_a_reject_shows_them(self) -> None:
        made = table(pa.array(["a", None]), timestamp=pa.array([0, 2**62]).view(pa.timestamp("s")))
        (reject,) = read(made).rejects
        assert reject.row == f",v,x,<value out of range: {2**62}>"


def test_whole_numbers_beyond_2_to_53_beside_judgments(tmp_path: Path) -> None:
    large = pa.array([2**53 + 1, 2**62])
    for found in both(table(["a", "b"], seconds=large, price=large), tmp_path):
        assert found.duration is not None
        assert found.duration.tolist() == [float(2**53), 2.0**62]


def test_durations_and_decimals_beside_judgments(tmp_path: Path) -> None:
    took = pa.array([1_500, 2_000]).view(pa.duration("ms"))
    paid = pa.array([decimal.Decimal("0.05"), decimal.Decimal("0.10")], pa.decimal128(9, 2))
    for found in both(table(["a", "b"], seconds=took, price=paid), tmp_path):
        assert found.duration is not None
        assert found.price is not None
        assert (found.duration.tolist(), found.price.tolist()) == ([1.5, 2.0], [0.05, 0.1])


def test_of_optional_columns_called_alike_the_first_is_read(tmp_path: Path) -> None:
    times = [pa.array([0, 60]).view(pa.timestamp("s")), pa.array([7, 7]).view(pa.timestamp("s"))]
    columns = [pa.array(["x", "x"]), times[0], pa.array(["a", "b"]), times[1], pa.array(["v", "v"])]
    made = pa.Table.from_arrays(columns, ["label", "timestamp", "item", "timestamp", "worker"])
    for found in both(made, tmp_path):
        assert found.timestamp is not None
        assert found.timestamp.astype("datetime64[s]").astype(int).tolist() == [0, 60]
        assert found.item_ids.to_pylist() == ["a", "b"]


def test_columns_that_parquet_calls_alike(tmp_path: Path) -> None:
    inner = pa.array([{"b": 1}, {"b": 2}])
    made = pa.Table.from_arrays([inner, pa.array(["x", "y"]), pa.array(["v", "v"]), pa.array(["p", "q"])],
                                ["a", "a.b", "worker", "label"])  # fmt: skip
    pq.write_table(made, tmp_path / "j.parquet")
    with pytest.raises(FormatError, match="columns can't be told apart: .*; rename them"):
        read(tmp_path / "j.parquet", item="a.b")


class TestPolars:
    @pytest.mark.parametrize(
        ("labels", "expected"),
        [
            (pl.Series([2**100, 1], dtype=pl.Int128), ("1", str(2**100))),
            (pl.Series([1, "a"], dtype=pl.Object), ("1", "a")),
            (pl.Series([datetime.timedelta(1), None], dtype=pl.Duration), ("1 day, 0:00:00",)),
            (pl.Series([datetime.time(1), None], dtype=pl.Time), ("01:00:00.000000000",)),
            (pl.Series(["q", "p"], dtype=pl.Enum(["q", "p"])), ("q", "p")),
            (pl.Series(["q", "p"], dtype=pl.Categorical), ("p", "q")),
            (pl.Series(["1.5", "2.5"]).cast(pl.Decimal(9, 1)), ("1.5", "2.5")),
        ],
    )
    def test_types_of_its_own(self, labels: pl.Series, expected: tuple[str, ...]) -> None:
        frame = pl.DataFrame({"item": ["a", "b"], "worker": ["v", "v"], "label": labels})
        assert read(frame).labels == expected

    def test_arrays_are_refused(self) -> None:
        frame = pl.DataFrame(
            {"item": ["a"], "worker": ["v"], "label": pl.Series([[1, 2]], dtype=pl.Array(pl.Int64, 2))}
        )
        with pytest.raises(FormatError, match=r"the label column holds fixed_size_list.*, not single values"):
            read(frame)


class Awkward:
    def __str__(self) -> str:
        raise RuntimeError

    __repr__ = __str__


def raising() -> Any:
    yield "a"
    raise RuntimeError


class TestObjects:
    @pytest.mark.parametrize(
        ("column", "told"),
        [
            ([Awkward()], "holds objects of type Awkward, which no text can be made of"),
            (Awkward(), "is of type Awkward; give one entry a judgment"),
            (np.array(5), r"is array\(5\); give one entry a judgment"),
            (raising(), "is <generator object raising.*, and gives no cells"),
        ],
    )
    def test_that_tell_nothing(self, column: Any, told: str) -> None:
        with pytest.raises(FormatError, match=f"the label column {told}"):
            read({"item": ["a"], "worker": ["v"], "label": column})

    def test_over_which_arrow_would_end_the_process(self) -> None:
        labels = [np.datetime64("2024"), np.int64(2**62), np.datetime64("NaT")]
        found = read({"item": list("abc"), "worker": ["v"] * 3, "label": labels})
        assert (found.labels, found.tally.abstained) == (("2024", str(2**62)), 1)
        assert (
            read({"item": list("ab"), "worker": ["v"] * 2, "label": np.array(["2024", "2025"], "M8[s]")}).n_labels == 2
        )

    def test_a_table_that_is_none(self) -> None:
        class Stream:
            def __arrow_c_stream__(self, _: object = None) -> object:
                raise RuntimeError("no\nstream")

        with pytest.raises(FormatError, match="data frame: can't be read as a table: no$"):
            read(Stream())


@pytest.mark.parametrize(
    ("categories", "order"),
    [
        (pa.array(["b", "a", "b", None]), ("b", "a")),
        (pa.array([b"\xff", b"b", b"a"]), ("a", "b")),
        (pa.array([2.0, 1.0]), ("2", "1")),
    ],
)
def test_orders_of_odd_categories(categories: Any, order: tuple[str, ...]) -> None:
    n = len(categories)
    labels = pa.DictionaryArray.from_arrays(pa.array(range(n)), categories, ordered=True)
    assert read(table([f"i{i}" for i in range(n)]).set_column(2, "label", labels)).labels == order


class TestBombs:
    def test_a_text_for_many_rows_stays_one(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        labels = pa.DictionaryArray.from_arrays(pa.array([0] * 2000), pa.array(["x" * 1_000_000]))
        made = table([f"i{n}" for n in range(2000)]).set_column(2, "label", labels)
        pq.write_table(made, tmp_path / "j.parquet", store_schema=False)
        assert (tmp_path / "j.parquet").stat().st_size < 100_000
        before = pa.total_allocated_bytes()
        pool = pa.default_memory_pool()
        assert read(tmp_path / "j.parquet").n_labels == 1
        assert (pool.max_memory() or 0) - before < 1_000_000_000 or pool.backend_name != "system"
        pq.write_table(made.append_column("price", labels), tmp_path / "j.parquet", store_schema=False)
        monkeypatch.setattr(memory, "there_is", lambda: 4_000_000_000)
        with pytest.raises(FormatError, match="the price column holds 2.0 GB of text in 2,000 rows; choose another"):
            read(tmp_path / "j.parquet")

    def test_more_rows_than_memory_holds(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        pq.write_table(table(["a", "b"]), tmp_path / "j.parquet")
        monkeypatch.setattr(memory, "there_is", lambda: 1_000)
        with pytest.raises(FormatError, match=r"j\.parquet: 2 rows need about 260 MB of memory, and there is 0 MB"):
            read(tmp_path / "j.parquet")


def test_groups_without_rows(tmp_path: Path) -> None:
    """Arrow ends the process over some."""
    kind = pa.opaque(pa.binary(), "t", "v")
    items = pa.ExtensionArray.from_storage(kind, pa.array([], pa.binary()))
    pq.write_table(table(items), tmp_path / "j.parquet", use_dictionary=True)
    with pytest.raises(FormatError, match="a header but no rows"):
        read(tmp_path / "j.parquet")


def test_no_groups_at_all(tmp_path: Path) -> None:
    with pq.ParquetWriter(tmp_path / "j.parquet", table(["a"]).schema):
        pass
    with pytest.raises(FormatError, match="a header but no rows"):
        read(tmp_path / "j.parquet")


def test_a_file_that_has_fewer_rows_than_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pq.write_table(table(["a", "b"]), tmp_path / "j.parquet")
    whole: Callable[..., Any] = pq.ParquetFile.iter_batches
    monkeypatch.setattr(
        pq.ParquetFile, "iter_batches", lambda self, *a, **k: (b.slice(1) for b in whole(self, *a, **k))
    )
    with pytest.raises(FormatError, match="2 rows are announced, and there are 1; write the file again"):
        read(tmp_path / "j.parquet")


def test_what_a_library_says_is_one_short_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("\x1b" + "x" * 999 + "\ny")

    pq.write_table(table(["a", "b"]), tmp_path / "j.parquet")
    monkeypatch.setattr(pq, "read_schema", fails)
    with pytest.raises(FormatError, match=r"j\.parquet: can't be read as Parquet: \\x1bx{196}\.\.\.$"):
        read(tmp_path / "j.parquet")


def test_times_as_probabilities() -> None:
    far = pa.array([2**62]).view(pa.timestamp("s"))
    with pytest.raises(FormatError, match="out of range"):
        read_model_votes(pa.table({"item": ["a"], "model": ["m"], "label": ["x"], "probability": far}))
