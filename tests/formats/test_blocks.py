"""Where a file is cut into blocks does not matter, nor how many threads read it."""

import csv as stdlib_csv
import io
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus import read
from consensus.errors import ConfigError, ConsensusError, FormatError
from consensus.formats import writing
from consensus.formats.tables import delimited, frames, json_lines
from consensus.formats.tables.quoted_lines import starts_of
from consensus.inputs.judgments import Judgments
from tests.conftest import csv
from tests.strategies import examples

Write = Callable[[str, str | bytes], Path]


@contextmanager
def blocks_of(size: int) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "BLOCK", size)
        patch.setattr(delimited, "PART", max(1, size // 3))
        patch.setattr(json_lines, "BLOCK", size)
        patch.setattr(frames, "BATCH", size)
        yield


def told(judgments: Judgments) -> tuple[Any, ...]:
    """All that was read."""
    codes = tuple(getattr(judgments, name).tolist() for name in ("item", "worker", "label", "item_start"))
    ids = judgments.item_ids.to_pylist(), judgments.worker_ids.to_pylist(), judgments.labels
    when = None if judgments.timestamp is None else judgments.timestamp.astype(np.int64).tolist()
    kept = judgments.tally, judgments.rejects, judgments.sources, judgments.unreadable_times
    return *codes, *ids, when, *kept, judgments.repeats_by_row_order, judgments.notes


def outcome(path: Path, size: int, **how: Any) -> tuple[Any, ...]:
    with blocks_of(size):
        try:
            return told(read(path, **how))
        except FormatError:
            return ("refused",)
        except ConsensusError as error:
            return ("error", str(error))


cell = st.sampled_from(
    ["a", "b", "", '""', '"a"', '"b,c"', '"a""b"', 'a"b', '"two\nlines"', '"two\r\nlines"', "é", "x" * 40]
)
stray = st.sampled_from(['"a', 'b"', '"', '"a"b', "\r", "two\rlines", "\xff"])
headers = st.sampled_from(["item,worker,label", "item,worker,label,note"])
ends = st.sampled_from(["\n", "\n", "\n", "\r\n", "\n\n", "\r\n\r\n", "\n\n\n"])


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """CSV text, more or less well-formed."""
    cells = st.one_of(cell, cell, cell, stray) if draw(st.booleans()) else cell
    widths = st.sampled_from([3, 3, 3, 3, 2, 4]) if draw(st.booleans()) else st.just(3)
    text = draw(st.sampled_from(["", "", "\xef\xbb\xbf", "\n", "\r\n\n"])) + draw(headers) + draw(ends)
    for width in draw(st.lists(widths, max_size=12)):
        text += ",".join(draw(cells) for _ in range(width)) + draw(ends)
    if draw(st.booleans()):
        text = text.rstrip("\r\n")
    return text.replace("é", "\xc3\xa9").encode("latin-1")


@examples(80)
@given(files(), st.integers(1, 64), st.sampled_from(["last", "first", "keep", "error"]))
def test_any_blocks_tell_the_same(
    tmp_path_factory: pytest.TempPathFactory, text: bytes, size: int, repeats: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "blocks.csv"
    path.write_bytes(text)
    assert outcome(path, size, repeats=repeats) == outcome(path, 1 << 20, repeats=repeats)


@pytest.mark.compiled
@pytest.mark.parametrize("size", [1, 10, 100])
@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".jsonl", ".parquet"])
def test_every_format_in_blocks(tmp_path: Path, size: int, ending: str) -> None:
    rng = np.random.default_rng(5)
    times = [f"3/{day}/2025 10:00:00" for day in rng.integers(1, 30, 60)]
    times[7] = "?"
    table = {
        "item": [f"i{n}" for n in rng.integers(0, 9, 60)],
        "worker": rng.integers(0, 9, 60).astype(float),
        "label": rng.choice(["x", "y", None], 60),  # type: ignore[arg-type]
        "timestamp": times,
    }
    path = tmp_path / f"judgments{ending}"
    if ending == ".parquet":
        pq.write_table(pa.table(table), path, row_group_size=25)
    else:
        writing.write(pd.DataFrame(table), path.with_suffix("") if ending.endswith("gz") else path)
        if ending.endswith("gz"):
            path.write_bytes(pa.compress(path.with_suffix("").read_bytes(), "gzip", asbytes=True))
    whole = outcome(path, 1 << 20)
    assert outcome(path, size) == outcome(path, size, threads=1) == whole
    assert len(whole) > 2


def test_reals_are_whole_or_not_in_all_batches(tmp_path: Path) -> None:
    for reals, expected in (([1.0, 2.0, None], ("1", "2")), ([1.0, 2.0, 0.5], ("0.5", "1", "2"))):
        table = pa.table({"item": ["a", "b", "c"], "worker": ["v"] * 3, "label": pa.array(reals, pa.float64())})
        pq.write_table(table, tmp_path / "j.parquet")
        with blocks_of(1):
            assert read(tmp_path / "j.parquet").labels == expected


def test_categories_in_parquet(tmp_path: Path) -> None:
    columns = {
        name: pa.array(cells).dictionary_encode()
        for name, cells in {"item": ["a", "b", "a"], "worker": ["v", "v", "w"], "label": ["x", None, "y"]}.items()
    }
    pq.write_table(pa.table(columns), tmp_path / "j.parquet", row_group_size=2)
    judgments = read(tmp_path / "j.parquet")
    assert (judgments.labels, judgments.tally.abstained) == (("x", "y"), 1)


def test_shuffled_rows_are_the_same_judgments(write: Write) -> None:
    rng = np.random.default_rng(1)
    rows = [(f"i{i}", f"w{w}", f"l{(i * w) % 3}") for i in range(40) for w in range(5)]
    found = []
    for n in range(4):
        path = write(f"{n}.csv", csv([rows[k] for k in rng.permutation(len(rows))]))
        with blocks_of(200):
            found.append(told(read(path)))
    for other in found[1:]:
        assert (other[:8], other[8]) == (found[0][:8], found[0][8])


def test_odd_rows_do_not_make_a_whole_file_slow(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(f"i{n}", "v", "x") for n in range(3000)]
    text = csv([*rows[:1500], ("malformed",), *rows[1500:]]) + "\n" * 50
    looked_at: list[int] = []
    second_look = delimited._second_look

    def counting(data: bytes, *more: Any) -> Any:
        looked_at.append(len(data))
        return second_look(data, *more)

    monkeypatch.setattr(delimited, "_second_look", counting)
    monkeypatch.setattr(delimited, "BLOCK", 8192)
    monkeypatch.setattr(delimited, "PART", 512)
    judgments = read(write("j.csv", text))
    assert (judgments.tally.used, [one.line for one in judgments.rejects]) == (3000, [1502])
    assert 0 < sum(looked_at) < 1200


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("size", [100, 700, 1 << 20])
def test_line_breaks_between_quotes_need_no_second_look(
    write: Write, monkeypatch: pytest.MonkeyPatch, end: str, size: int
) -> None:
    """Not where the columns that are read have none; rejects keep their lines."""
    rows = [f'"i{n}","v","x",", said ""he"",\n\n and, {n}"' for n in range(300)]
    rows[200] = rows[200].replace('"i200"', "")
    text = end.join(['"item","worker","label","text","more","still more"', *rows]) + end
    looked_at: list[int] = []
    second_look = delimited._second_look

    def counting(data: bytes, *more: Any) -> Any:
        looked_at.append(len(data))
        return second_look(data, *more)

    monkeypatch.setattr(delimited, "_second_look", counting)
    with blocks_of(size):
        judgments = read(write("j.csv", text))
    assert (judgments.tally.used, [one.line for one in judgments.rejects]) == (299, [602])
    assert judgments.rejects[0].row == rows[200]
    assert "300 rows end before" in judgments.notes[0]
    assert "first on line 2" in judgments.notes[0]
    if end == "\r\n" or size > len(text):
        assert not looked_at


@pytest.mark.parametrize(
    "data",
    [b"a,b\n", b'"a"', b'"a\n', b'a"b,"\n', b'"a" ,b\n', b'"a\n",b\n\n', b'\n"a\n",b\n', b'\r\n"a\n",b\n', b'a""b\n'],
)
def test_rows_are_not_told_where_quotes_are_odd(data: bytes) -> None:
    assert starts_of(data, ",") is None


def test_where_rows_begin() -> None:
    for data in (b'"a\n","""b"""\nc,"d"\r\n"",""\n', b'"\n"\n"\n"\n'):
        starts = starts_of(data, ",")
        assert starts is not None
        rows = [data[a:b].decode() for a, b in itertools.pairwise(starts)]
        read_back = list(stdlib_csv.reader(io.StringIO(data.decode(), newline="")))
        assert [next(stdlib_csv.reader(io.StringIO(row, newline=""))) for row in rows] == read_back


def test_progress(write: Write) -> None:
    stages: list[tuple[str, float]] = []
    with blocks_of(300):
        read(write("j.csv", csv([(f"i{n}", "v", "x") for n in range(99)])), progress=lambda *told: stages.append(told))
    reading = [done for stage, done in stages if stage == "reading j.csv"]
    assert (reading[0], reading[-1], len(reading) > 3, reading == sorted(reading)) == (0.0, 1.0, True, True)
    assert stages[-2:] == [("sorting", 0.0), ("sorting", 1.0)]
    stages.clear()
    read({"item": ["a"], "worker": ["v"], "label": ["x"]}, progress=lambda *told: stages.append(told))
    assert stages[:2] == [("reading data frame", 0.0), ("reading data frame", 1.0)]


@pytest.mark.parametrize("threads", [1, 2])
def test_a_reader_that_is_stopped(write: Write, threads: int) -> None:
    def stop(_stage: str, done: float) -> None:
        if done > 0:
            raise KeyboardInterrupt

    path = write("j.csv", csv([("a", "v", "x")] * 50))
    with blocks_of(20), pytest.raises(KeyboardInterrupt):
        read(path, progress=stop, threads=threads)


def test_threads_are_positive() -> None:
    with pytest.raises(ConfigError, match="setting threads = 0"):
        read({"item": ["a"], "worker": ["v"], "label": ["x"]}, threads=0)
