"""Small random tables of typed columns: Arrow, pandas, polars, mappings, records, and Parquet files, sound or damaged.

Each is told by its seed. Cells are of every type that these libraries know, also of those that no judgment has.
"""

from __future__ import annotations

import datetime
import decimal
import random
import uuid
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.feather as feather
import pyarrow.parquet as pq

from tests.fuzz import kinds, tables

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    Cells = Sequence[str]
    Column = Callable[[random.Random, Cells], Any]

BESIDE = ("timestamp", "created_at", "seconds", "price", "duration", "reward", "weight", "family", "probability")
"""Columns that may stand beside the needed ones, several of one name, too."""
FAR = (0, 1, 1_700_000_000, 2**31, 2**53 + 1, -(2**53) - 1, 2**61, 2**63 - 1, -(2**63), 3_876_000_000_000, 10**15)
FLOATS = (0.0, -0.0, 1.5, 2.0**53, 2.0**60, 1e300, 5e-324, float("nan"), float("inf"), float("-inf"))


def _some(rng: random.Random, cells: Cells, values: Sequence[Any]) -> list[Any]:
    return [None if rng.random() < 0.1 else rng.choice(values) for _ in cells]


def _typed(kind: pa.DataType, values: Sequence[Any]) -> Column:
    """Cells of a ``kind``, made of whole numbers that it holds without a look at what they mean."""
    return lambda rng, cells: pa.array(_some(rng, cells, values), kind)


def _whole(kind: pa.DataType, bits: int = 64) -> Column:
    """Cells of a ``kind`` that whole numbers stand for."""
    near = [one for one in FAR if -(2 ** (bits - 1)) <= one < 2 ** (bits - 1)]
    stored = pa.int64() if bits == 64 else pa.int32()
    return lambda rng, cells: pa.array(_some(rng, cells, near), stored).view(kind)


def _text(kind: pa.DataType) -> Column:
    return lambda rng, cells: pa.array([None if rng.random() < 0.1 else one for one in cells], pa.string()).cast(kind)


def _bytes(kind: pa.DataType) -> Column:
    return lambda rng, cells: pa.array(
        [None if rng.random() < 0.1 else one.encode(rng.choice(("utf-8", "utf-8", "utf-16"))) for one in cells]
    ).cast(kind)


def _fixed(rng: random.Random, cells: Cells) -> Any:
    return pa.array([None if rng.random() < 0.1 else one.encode()[:2].ljust(2) for one in cells], pa.binary(2))


def _uuids(rng: random.Random, cells: Cells) -> Any:
    made = [None if rng.random() < 0.1 else uuid.UUID(int=rng.randrange(4)).bytes for _ in cells]
    return pa.ExtensionArray.from_storage(pa.uuid(), pa.array(made, pa.binary(16)))


def _dictionary(rng: random.Random, cells: Cells) -> Any:
    """Categories: of text and of others, some of them null or twice, with an order or without one."""
    inner = rng.choice((*TEXTS, *ODD))(rng, ["a", "b", "a"])
    index = pa.array(_some(rng, cells, (0, 1, 2)), rng.choice((pa.int8(), pa.int32(), pa.uint32(), pa.int64())))
    return pa.DictionaryArray.from_arrays(index, inner, ordered=rng.random() < 0.3)


def _run_ends(rng: random.Random, cells: Cells) -> Any:
    return pc.run_end_encode(rng.choice(TEXTS[:2])(rng, cells))


def _nested(rng: random.Random, cells: Cells) -> Any:
    kind = rng.choice(
        (pa.list_(pa.string()), pa.large_list(pa.string()), pa.list_(pa.string(), 1), pa.list_view(pa.string()))
    )
    return pa.array([[one] for one in cells], kind)


def _struct(_rng: random.Random, cells: Cells) -> Any:
    return pa.array([{"value": one} for one in cells], pa.struct({"value": pa.string()}))


def _map(_rng: random.Random, cells: Cells) -> Any:
    return pa.array([[(one, 1)] for one in cells], pa.map_(pa.string(), pa.int64()))


def _union(_rng: random.Random, cells: Cells) -> Any:
    return pa.UnionArray.from_sparse(pa.array([0] * len(cells), pa.int8()), [pa.array(cells, pa.string())])


def _extension(rng: random.Random, cells: Cells) -> Any:
    kind, stored = rng.choice(
        (
            (pa.bool8(), pa.array(_some(rng, cells, (0, 1)), pa.int8())),
            (pa.json_(), pa.array(list(cells), pa.string())),
            (pa.opaque(pa.binary(), "t", "v"), pa.array([one.encode() for one in cells], pa.binary())),
            (
                pa.fixed_shape_tensor(pa.int32(), [1]),
                pa.array([[1] for _ in cells], pa.list_(pa.int32(), 1)),
            ),
        )
    )
    return pa.ExtensionArray.from_storage(kind, stored)


def _zoned(rng: random.Random, cells: Cells) -> Any:
    zone = rng.choice(("UTC", "Europe/Berlin", "+05:30", "Mars/Phobos", ""))
    return pa.array(_some(rng, cells, FAR), pa.int64()).view(pa.timestamp(rng.choice(("s", "ms", "us", "ns")), zone))


def _decimal(rng: random.Random, cells: Cells) -> Any:
    kind = rng.choice((pa.decimal32(9, 2), pa.decimal64(18, 4), pa.decimal128(38, -3), pa.decimal256(70, 10)))
    return pa.array(_some(rng, cells, (decimal.Decimal(1000), decimal.Decimal(0), decimal.Decimal(-5000))), kind)


def _damaged(rng: random.Random, cells: Cells) -> Any:
    """Text whose bytes are none."""
    sound = pa.array(list(cells), pa.string())
    bytes_ = bytearray(sound.buffers()[2] or b"")
    if bytes_:
        bytes_[rng.randrange(len(bytes_))] = rng.choice((0, 0xFF, 0xC0))
    return pa.Array.from_buffers(pa.string(), len(cells), [None, sound.buffers()[1], pa.py_buffer(bytes(bytes_))])


def _astray(rng: random.Random, cells: Cells) -> Any:
    """Text that is said to lie where there is nothing: what writes such a column to a file ends the process."""
    sound = pa.array(list(cells), pa.string())
    starts = np.frombuffer(sound.buffers()[1] or b"", np.int32).copy()
    if len(starts) > 2:  # the first and the last one are looked at when it is made
        starts[rng.randrange(1, len(starts) - 1)] = rng.choice((-1, 2**31 - 1, 1 << 20))
    return pa.Array.from_buffers(pa.string(), len(cells), [None, pa.py_buffer(starts), sound.buffers()[2]])


TEXTS: tuple[Column, ...] = tuple(map(_text, (pa.string(), pa.large_string(), pa.string_view())))
ODD: tuple[Column, ...] = (
    *map(_bytes, (pa.binary(), pa.large_binary(), pa.binary_view())),
    _fixed,
    _uuids,
    *(_whole(pa.timestamp(unit)) for unit in ("s", "ms", "us", "ns")),
    *(_whole(pa.duration(unit)) for unit in ("s", "ms", "us", "ns")),
    _whole(pa.date64()),
    _whole(pa.date32(), 32),
    _whole(pa.time64("us")),
    _whole(pa.time32("s"), 32),
    _whole(pa.int64()),
    _typed(pa.uint64(), (0, 1, 2**64 - 1)),
    _typed(pa.int8(), (0, 1, -128)),
    _typed(pa.float64(), FLOATS),
    _typed(pa.float32(), FLOATS),
    _typed(pa.float16(), [np.float16(one) for one in (0.5, 1.0, 2.0)]),
    _typed(pa.bool_(), (True, False)),
    _typed(pa.month_day_nano_interval(), [pa.MonthDayNano([1, 2, 3]), pa.MonthDayNano([0, 0, -1])]),
    lambda _rng, cells: pa.nulls(len(cells)),
    _decimal,
    _zoned,
    _run_ends,
    _nested,
    _struct,
    _map,
    _union,
    _extension,
    _damaged,
)
ANYTHING: tuple[Any, ...] = (
    1, "a", None, 2.5, True, b"\xff", float("nan"), 2**70, -(2**70), [1], {"a": 1}, "\ud800", object, (), {1},
    datetime.date(1, 1, 1), datetime.datetime(9999, 12, 31, 23), datetime.timedelta.max, datetime.time(1),
    decimal.Decimal("NaN"), decimal.Decimal("1e999"), uuid.UUID(int=1), 1 + 2j, pd.NA, pd.NaT, np.float32(1), range(3),
    np.datetime64("NaT"), np.array([1, 2]), pd.Timestamp(0), pd.Interval(0, 1), pd.Period("2024"), pl.Series([1]), iter,
    memoryview(b"a"), Exception("x"), np.str_("s"), np.bytes_(b"b"), np.bool_(True), np.int64(2**62), "x" * 300, "",
)  # fmt: skip


class Awkward:
    """An object of which nothing can be told."""

    def __str__(self) -> str:
        raise RuntimeError("not to be told")

    __repr__ = __str__

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("not to be compared")

    __hash__ = None  # type: ignore[assignment]


def _pandas(rng: random.Random, cells: Cells) -> Any:
    """A series of a type that only pandas knows."""
    n = len(cells)
    numbers = [rng.randrange(4) for _ in cells]
    ways: tuple[Callable[[], Any], ...] = (
        lambda: pd.Series(pd.Categorical(list(cells), ordered=rng.random() < 0.5)),
        lambda: pd.Series(pd.Categorical(numbers, [0, 1, 2, 3])),
        lambda: pd.Series(pd.Categorical([None if one < 1 else one for one in numbers])),
        lambda: pd.Series(pd.arrays.SparseArray(numbers)),
        lambda: pd.Series(numbers).astype(rng.choice(("Int64", "UInt8", "Float64", "string", "complex"))),
        lambda: pd.Series(pd.interval_range(0, n)) if n else pd.Series([], dtype="interval"),
        lambda: pd.Series(pd.period_range("2024", periods=n, freq=rng.choice("DMY"))),
        lambda: pd.Series(pd.to_timedelta(numbers, unit="D")),
        lambda: pd.Series(pd.date_range("2024", periods=n, tz=rng.choice((None, "UTC", "Asia/Kolkata")))),
        lambda: pd.Series([rng.choice(ANYTHING) for _ in cells], dtype=object),
        lambda: pd.Series([Awkward() for _ in cells], dtype=object),
        lambda: pd.Series(cells, dtype=rng.choice(("str", "object", "category"))),
        lambda: pd.Series(pd.cut(numbers, 2)) if n else pd.Series(dtype=object),
        lambda: pd.Series(np.array(numbers, rng.choice(("f2", "f8", "u8", "?", "M8[s]", "m8[ns]", "i1")))),
        lambda: pd.Series(cells).astype(pd.ArrowDtype(rng.choice((pa.string(), pa.large_string())))),
    )
    return rng.choice(ways)()


def _polars(rng: random.Random, cells: Cells) -> Any:
    """A series of a type of polars."""
    numbers = [rng.randrange(4) for _ in cells]
    some = _some(rng, cells, numbers or [0])
    distinct = list(dict.fromkeys(cells))
    ways: tuple[Callable[[], Any], ...] = (
        lambda: pl.Series("", some, dtype=rng.choice((pl.Int128, pl.UInt128, pl.Int8, pl.UInt64, pl.Float16))),
        lambda: pl.Series("", [2**100 for _ in cells], dtype=pl.Int128),
        lambda: pl.Series("", [rng.choice(ANYTHING[:17]) for _ in cells], dtype=pl.Object),
        lambda: pl.Series("", [Awkward() for _ in cells], dtype=pl.Object),
        lambda: pl.Series("", [datetime.timedelta(one) for one in numbers], dtype=pl.Duration),
        lambda: pl.Series("", [datetime.time(one) for one in numbers], dtype=pl.Time),
        lambda: pl.Series("", [datetime.date(2024, 1, 1 + one) for one in numbers], dtype=pl.Date),
        lambda: pl.Series("", some, dtype=pl.Int64).cast(pl.Datetime(rng.choice(("ms", "us", "ns")), "Asia/Tokyo")),
        lambda: pl.Series("", [[one, one] for one in numbers], dtype=pl.Array(pl.Int64, 2)),
        lambda: pl.Series("", [[one] for one in cells], dtype=pl.List(pl.String)),
        lambda: pl.Series("", [{"a": one} for one in cells], dtype=pl.Struct({"a": pl.String})),
        lambda: pl.Series("", cells, dtype=pl.Enum(distinct)),
        lambda: pl.Series("", cells, dtype=pl.Categorical),
        lambda: pl.Series("", [f"{one}.5" for one in numbers]).cast(pl.Decimal(20, 2)),
        lambda: pl.Series("", [None for _ in cells], dtype=pl.Null),
        lambda: pl.Series("", [one.encode("utf-16") for one in cells], dtype=pl.Binary),
        lambda: pl.Series("", some, dtype=pl.Float64),
        lambda: pl.Series("", cells, dtype=pl.String),
    )
    return rng.choice(ways)()


def _table(rng: random.Random) -> tuple[str, list[str], list[list[str]], int]:
    """A kind of table, its columns, the cells of each, and how many rows there are."""
    kind = rng.choices(tuple(kinds.ROLES), (60, 20, 10, 4, 3, 3))[0]
    header, roles = kinds.header_of(rng, kind)
    for _ in range(rng.choices((0, 1, 2, 3), (5, 3, 2, 1))[0]):
        header.append(rng.choice(BESIDE))
        roles.append(None)
    rows = kinds.rows_of(rng, roles, rng.choice((0.0, 0.0, 0.1)))
    return kind, header, [[row[n] for row in rows] for n in range(len(header))], len(rows)


def _known(kind: str, header: Sequence[str], columns: Sequence[Any], path: Any, n: int) -> kinds.Made:
    """A table of Arrow columns, whose cells are known where all that are needed hold text."""
    found = kinds.Made(kind, path, {}, n, tuple(header))
    needed = [column for name, column in zip(header, columns, strict=True) if name in kinds.PLAIN_NAMES]
    if all(_is_text(column.type) for column in needed):
        try:
            cells = [column.to_pylist() if _is_text(column.type) else [None] * n for column in columns]
        except UnicodeDecodeError:
            return found
        found.rows = [list(row) for row in zip(*cells, strict=True)]
    return found


def _is_text(kind: pa.DataType) -> bool:
    return kind in {pa.string(), pa.large_string(), pa.string_view()}


def _column(rng: random.Random, cells: Cells, odd: float) -> pa.Array:
    ways = ODD if rng.random() < odd else (*TEXTS, TEXTS[0])
    way = _dictionary if rng.random() < 0.1 else rng.choice(ways)
    made = way(rng, cells)
    if rng.random() < 0.1 and len(made) > 1 and way is not _damaged:  # with an offset, and in several chunks
        cut = rng.randrange(len(made))
        return pa.chunked_array([made.slice(0, cut), made.slice(cut)])
    return made


def made(seed: int, folder: Path) -> kinds.Made:
    """The table of a seed, with its file in ``folder`` if it has one."""
    rng = random.Random(f"frame {seed}")
    way = rng.choices((_arrow, _parquet, _of_pandas, _of_polars, _mapping, _records), (5, 8, 4, 4, 4, 1))[0]
    table = way(rng, folder)
    if table.kind == "judgments":
        if rng.random() < 0.4:
            table.settings |= kinds.settings_of(rng, folder)
        if rng.random() < 0.15 and table.header:
            role = rng.choice(("timestamp", "duration", "price_column", "group", "weight", "cluster", "item", "label"))
            table.settings[role] = rng.choice(list(table.header))
        if table.settings.keys() & {"item", "worker", "label"}:  # whose cells may be of any type
            table.rows = ()
        if rng.random() < 0.1 and table.header:
            table.settings["keep"] = (rng.choice(list(table.header)),)
        table.then = rng.choices(("", "check", "run"), (190, 9, 1))[0]
    elif table.kind == "votes" and rng.random() < 0.3:
        table.settings = {"score_scale": rng.choice(("1", "10", "100", "logit", "log")), "abstain": ["a"]}
    return table


def outcome(seed: int, folder: Path) -> tuple[str, str | None]:
    """How the table of a seed ends: in a word, and what is wrong about that, or None."""
    return tables.outcome_of(lambda: made(seed, folder), folder)


def _arrow_columns(rng: random.Random) -> tuple[str, list[str], list[Any], int]:
    kind, header, cells, n = _table(rng)
    odd = rng.choice((0.0, 0.2, 0.6))
    return kind, header, [_column(rng, one, odd) for one in cells], n


def _arrow(rng: random.Random, _folder: Path) -> kinds.Made:
    """An Arrow table, a batch of one, or a stream."""
    kind, header, columns, n = _arrow_columns(rng)
    if rng.random() < 0.02 and columns:
        columns[rng.randrange(len(columns))] = _astray(rng, [f"{one}" for one in range(n)])
        return kinds.Made(kind, pa.Table.from_arrays(columns, header), {}, n)
    table = pa.Table.from_arrays(columns, header)
    way = rng.randrange(8)
    if way == 0:
        return _known(kind, header, columns, table.to_reader(), n)
    if way == 1 and not any(isinstance(one, pa.ChunkedArray) for one in columns):
        return _known(kind, header, columns, pa.RecordBatch.from_arrays(columns, header), n)
    return _known(kind, header, columns, table, n)


def _parquet(rng: random.Random, folder: Path) -> kinds.Made:
    """A Parquet file, some damaged; some of another kind under its name."""
    kind, header, columns, n = _arrow_columns(rng)
    path = folder / rng.choice(("table.parquet", "table.parquet", "table.pq", "table.csv", "table"))
    table = pa.Table.from_arrays(columns, header)
    try:
        if rng.random() < 0.03:
            feather.write_feather(table, path, rng.choice(("lz4", "uncompressed")))
        else:
            pq.write_table(
                table,
                path,
                row_group_size=rng.choice((None, 1, 7)),
                compression=rng.choice(("snappy", "gzip", "zstd", "none", "lz4")),
                use_dictionary=rng.random() < 0.5,
                data_page_version=rng.choice(("1.0", "2.0")),
                version=rng.choice(("1.0", "2.4", "2.6")),
                write_statistics=rng.random() < 0.5,
                store_schema=rng.random() < 0.8,
                store_decimal_as_integer=rng.random() < 0.2,
            )
    except (pa.ArrowException, OSError, KeyError):  # no such column can be written
        plain = pa.table({name: one for name, one in zip(header, columns, strict=True) if _is_text(one.type)})
        pq.write_table(plain, path)
        return kinds.Made(kind, path, {}, n if plain.num_columns else None)
    if rng.random() < 0.4:
        data = path.read_bytes()
        for _ in range(rng.choice((1, 1, 2, 5))):
            data = _broken(rng, data)
        path.write_bytes(data)
        return kinds.Made(kind, path)
    return _known(kind, header, columns, path, n)


def _broken(rng: random.Random, data: bytes) -> bytes:
    """Bytes of a Parquet file with one thing wrong: in the pages, in the description at the end, or cut."""
    if len(data) < 20:
        return data
    held = bytearray(data)
    at = rng.randrange(4, len(data))
    if rng.random() < 0.5:  # the description
        length = int.from_bytes(data[-8:-4], "little")
        at = rng.randrange(max(4, len(data) - 8 - min(length, len(data))), len(data) - 4)
    way = rng.randrange(6)
    if way <= 2:
        held[at] ^= 1 << rng.randrange(8)
    elif way == 3:
        held[at] = rng.choice((0, 0xFF, 0x7F, 0x80))
    elif way == 4:
        del held[at : at + rng.choice((1, 8, len(held)))]
    else:
        held[at : at + 8] = rng.randbytes(8)
    return bytes(held)


def _of_pandas(rng: random.Random, _folder: Path) -> kinds.Made:
    kind, header, cells, n = _table(rng)
    odd = rng.choice((0.0, 0.3, 0.8))
    columns = [_pandas(rng, one) if rng.random() < odd else pd.Series(one, dtype="str") for one in cells]
    frame = pd.concat(columns, axis=1) if columns else pd.DataFrame()
    frame.columns = pd.Index(header)
    way = rng.randrange(12)
    if way == 0:
        frame.columns = pd.MultiIndex.from_tuples([(one, "x") for one in header]) if header else frame.columns
    elif way == 1 and header:
        frame = frame.set_index(frame.columns[0])
    elif way == 2:
        frame.columns = pd.Index([rng.choice((one, 1, None, 2.5, ("a", "b"))) for one in header], dtype=object)
    return kinds.Made(kind, frame, {}, n if len(frame.columns) else None)


def _of_polars(rng: random.Random, _folder: Path) -> kinds.Made:
    kind, header, cells, n = _table(rng)
    odd = rng.choice((0.0, 0.3, 0.8))
    columns = {
        name: _polars(rng, one) if rng.random() < odd else pl.Series("", one, dtype=pl.String)
        for name, one in zip(header, cells, strict=True)
    }
    frame = pl.DataFrame(columns)
    return kinds.Made(kind, frame.lazy() if rng.random() < 0.03 else frame, {}, n)


def _mapping(rng: random.Random, _folder: Path) -> kinds.Made:
    """A mapping of columns of any library, some no columns at all."""
    kind, header, cells, n = _table(rng)
    columns: dict[Any, Any] = {}
    for name, one in zip(header, cells, strict=True):
        way = rng.randrange(12)
        columns[name] = (
            (
                _pandas(rng, one)
                if way == 0
                else _polars(rng, one)
                if way == 1
                else _column(rng, one, 0.8)
                if way == 2
                else np.array(one, dtype=rng.choice(("U", "S", "O")))
                if "".join(one).isascii()
                else one
            )
            if way < 4
            else [rng.choice(ANYTHING) for _ in one]
            if way == 4
            else tuple(one)
            if way == 5
            else one
        )
    if columns and rng.random() < 0.05:
        wrong = rng.choice((["x"] * (n + 1), "x", None, 5, Awkward(), iter("ab"), {"a": 1}, np.array(5), object()))
        columns[rng.choice(list(columns))] = wrong
        return kinds.Made(kind, columns)
    return kinds.Made(kind, columns, {}, n)


def _records(rng: random.Random, _folder: Path) -> kinds.Made:
    """A list of records, some of which lack a key or have other ones."""
    kind, header, cells, n = _table(rng)
    records = [dict(zip(header, row, strict=True)) for row in zip(*cells, strict=True)]
    for one in records:
        if rng.random() < 0.1 and header:
            one[rng.choice(header)] = rng.choice(ANYTHING)
        if rng.random() < 0.05 and one:
            one.pop(rng.choice(list(one)))
    return kinds.Made(kind, records, {}, n if records and header else None)
