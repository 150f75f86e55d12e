"""Columns of seconds and of money beside judgments."""

import datetime
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from consensus import fit, read, worker_audit
from consensus.errors import FormatError
from consensus.formats import writing
from consensus.formats.tables import roles
from consensus.found.copies import Copies
from consensus.inputs.judgments import Judgments
from consensus.models import memory_needs
from tests.conftest import Run, csv
from tests.formats.test_blocks import blocks_of
from tests.strategies import examples

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

Write = Callable[[str, str | bytes], Path]
HEADER = "item,worker,label,duration,price\n"
SECOND = datetime.timedelta(seconds=1)
TABLE: dict[str, Any] = {"item": list("dbca"), "worker": ["v"] * 4, "label": list("xyxy")}


def numbers(column: NDArray[np.float64] | None) -> list[float | None] | None:
    """A column with None for unknown."""
    return None if column is None else [None if np.isnan(one) else one for one in column.tolist()]


@pytest.mark.parametrize("size", [1, 30, 1 << 20])
@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".parquet", ""])
def test_every_source_reads_them_alike(tmp_path: Path, ending: str, size: int) -> None:
    table = pd.DataFrame({**TABLE, "duration": [4.5, 2.0, None, 1.0], "price": [0.04, 0.02, 0.03, 0.01]})
    source: Any = table
    if ending:
        source = tmp_path / f"judgments{ending}"
        writing.write(table, source)
    with blocks_of(size):
        judgments = read(source)
    assert numbers(judgments.duration) == [1.0, 2.0, None, 4.5]
    assert numbers(judgments.price) == [0.01, 0.02, 0.03, 0.04]
    assert judgments.unreadable_amounts == {}
    assert judgments.tally.used == 4


def test_no_such_columns(write: Write) -> None:
    judgments = read(write("j.csv", csv([("a", "v", "x")])))
    assert (judgments.duration, judgments.price, judgments.unreadable_amounts) == (None, None, {})


@pytest.mark.parametrize("role", roles.AMOUNTS)
def test_names_that_are_recognised(role: str, write: Write) -> None:
    for name in roles.NAMES[role]:
        for written in (name, "_" + name.upper(), name.title().replace("_", "")):
            judgments = read(write("j.csv", f"item,worker,label,{written}\na,v,x,2.5\n"))
            assert numbers(getattr(judgments, role)) == [2.5]
    first, second, *_ = roles.NAMES[role]
    judgments = read(write("j.csv", f"{second},item,worker,label,{first}\n1,a,v,x,2\n"))
    assert numbers(getattr(judgments, role)) == [2.0]


def test_columns_that_are_named(write: Write) -> None:
    path = write("j.csv", "item,worker,seconds,price,t,$\na,v,1,2,3,4\n")
    judgments = read(path, label="price", duration="t", price_column="$")
    assert (judgments.labels, numbers(judgments.duration), numbers(judgments.price)) == (("2",), [3.0], [4.0])
    judgments = read(path, label="seconds", price_column="t")  # the label is no duration because of its name
    assert (judgments.labels, judgments.duration, numbers(judgments.price)) == (("1",), None, [3.0])
    assert numbers(read(path, label="t", price_column="seconds").price) == [1.0]
    with pytest.raises(FormatError, match=r'j.csv: no column "money" for the price; .*; correct --price-column'):
        read(path, label="t", price_column="money")
    with pytest.raises(FormatError, match=r'j.csv: column "t" can.t be both label and price'):
        read(path, label="t", price_column="t")


@pytest.mark.parametrize(
    ("cells", "expected", "n_unreadable"),
    [
        ([1, 2, None, 4], [1, 2, None, 4], 0),
        (["1e1", " 2 ", "", "+.5"], [10, 2, None, 0.5], 0),
        (["1", "2s", None, "4"], [1, None, None, 4], 1),
        (["1", "-2", "3", "-0.5"], [1, None, 3, None], 2),
        ([-1.0, -2.0, -3.0, 4.0], [None, None, None, 4], 3),
        (["1", "inf", "1e400", "4"], [1, None, None, 4], 2),
        ([1.0, np.inf, np.nan, 4.0], [1, None, None, 4], 1),
        (np.array([1, 2, 3, np.nan], np.float32), [1, 2, 3, None], 0),
        ([Decimal("0.1"), None, Decimal(2), Decimal(3)], [0.1, None, 2, 3], 0),
        ([SECOND, None, -SECOND, 60 * SECOND], [1, None, None, 60], 1),
        (pd.Series(pd.to_timedelta(["1.5s", None, "2s", "3s"])), [1.5, None, 2, 3], 0),
        (pa.chunked_array([[1000, None, 3000, 1]], pa.duration("ms")), [1, None, 3, 0.001], 0),
        (pl.Series([1.0, float("nan"), None, 4.0]), [1, None, None, 4], 0),
        (pd.Categorical(["1", "2", "x", "1"]), [1, 2, None, 1], 1),
        ([None] * 4, None, 0),
    ],
)  # fmt: skip
def test_cells_of_any_kind(cells: Any, expected: list[float | None] | None, n_unreadable: int) -> None:
    for judgments in (read({**TABLE, "elapsed": cells}), read({**TABLE, "elapsed": cells}, duration="elapsed")):
        items = judgments.item_ids.to_pylist()
        found = numbers(judgments.duration)
        assert (found and [found[items.index(item)] for item in TABLE["item"]]) == expected
        assert judgments.unreadable_amounts == ({"duration": n_unreadable} if n_unreadable else {})


@pytest.mark.parametrize(
    ("cells", "n_unreadable"),
    [
        (["high", "low", "1", "low"], 3),
        ([True, False, None, True], 3),
        (["true", "false", "true", "1"], 3),
        ([datetime.date(2025, 1, 1)] * 4, 4),
        ([datetime.time(0, 1)] * 4, 4),
        ([b"\xff"] * 4, 4),
    ],
)
def test_a_column_of_something_else_is_passed_over_unless_it_is_named(cells: list[Any], n_unreadable: int) -> None:
    judgments = read({**TABLE, "paid": cells})
    assert (judgments.price, judgments.unreadable_amounts, judgments.rejects) == (None, {}, ())
    judgments = read({**TABLE, "paid": cells}, price_column="paid")
    assert judgments.unreadable_amounts == {"price": n_unreadable}
    assert judgments.tally.used == 4


@pytest.mark.parametrize(
    ("cells", "expected", "n_unreadable"),
    [
        (["$0.01", "$1", " $ .5 ", None], [0.01, 1, 0.5, None], 0),
        (["£0.05", "0.04", "", "2"], [0.05, 0.04, None, 2], 0),
        (["€ 1.50", "€1,50", "1€", "€2"], [1.5, None, None, 2], 2),
        (["$-1", "$$2", "$3 4", "$5"], [None, None, None, 5], 3),
        ([b"$0.01", "£".encode(), b"$2", b"$\xff"], [0.01, None, 2, None], 2),
        (pl.Series(["$1", "2", None, "$3"]), [1, 2, None, 3], 0),
        (pd.Categorical(["$1", "$2", "$1", "$2"]), [1, 2, 1, 2], 0),
    ],
)  # fmt: skip
def test_money_may_have_a_sign_in_front(cells: Any, expected: list[float | None], n_unreadable: int) -> None:
    judgments = read({**TABLE, "reward": cells}, price_column="reward")
    items = judgments.item_ids.to_pylist()
    found = numbers(judgments.price) or []
    assert [found[items.index(item)] for item in TABLE["item"]] == expected
    assert judgments.unreadable_amounts == ({"price": n_unreadable} if n_unreadable else {})
    assert read({**TABLE, "seconds": ["$1", "$2", "$3", "$4"]}).duration is None


def test_money_of_two_currencies_can_not_be_added(write: Write) -> None:
    head = "item,worker,label,reward\n"
    path = write("j.csv", head + ",v,x,$9\na,v,x,$0.05\nb,v,x,0.05\nc,v,x,€0.05\n")
    with pytest.raises(
        FormatError,
        match=r'j.csv:5: "€0.05" of column "reward" and "\$0.05" \(.*j.csv:3\) are money of two currencies, which '
        "can't be added; write all in one, or choose another column with --price-column",
    ):
        read(path, price_column="reward")
    dollars, pounds = write("d.csv", head + "a,v,x,$1\n"), write("p.csv", head + "b,v,x,£1\n")
    with pytest.raises(FormatError, match=r'p.csv:2: "£1" of column "reward" and "\$1" \(.*d.csv:2\) are money of two'):
        read([dollars, pounds], price_column="reward")
    assert numbers(read([dollars, write("n.csv", head + "b,v,x,2\n")]).price) == [1.0, 2.0]


def test_money_of_two_currencies_is_passed_over_where_nobody_named_it(write: Write) -> None:
    head = "item,worker,label,reward\n"
    mixed = write("j.csv", head + "a,v,x,$0.05\nb,v,x,0.05\nc,v,x,€0.05\n")
    found = read(mixed)
    assert (found.price, found.n_judgments) == (None, 3)
    (note,) = found.notes
    assert note.startswith(f'{mixed}:4: "€0.05" of column "reward" and "$0.05" ({mixed}:2) are money of two currencies')
    assert note.endswith(
        f"which can't be added: prices of {mixed} are not used; write all in one currency, or name another column with "
        "--price-column"
    )
    euros = [write(f"{n}.csv", head + f"{n},v,x,€{n}\n") for n in (1, 2)]
    found = read([euros[0], write("d.csv", head + "3,v,x,$3\n"), mixed, euros[1]], repeats="last")
    assert [one for one in numbers(found.price) or [] if one is not None] == [1.0, 2.0]
    assert ["prices of" in one for one in found.notes] == [True, True]


def test_half_of_the_filled_cells_must_be_numbers() -> None:
    assert read({**TABLE, "cost": ["1", "low", None, None]}).unreadable_amounts == {"price": 1}
    assert read({**TABLE, "cost": ["1", "low", "high", None]}).unreadable_amounts == {}
    assert read({**TABLE, "cost": ["-1", "-2", "high", None]}).unreadable_amounts == {"price": 3}


def test_lists_and_records(write: Write, tmp_path: Path) -> None:
    for cells in ([[1], [2], [3], [4]], [1, "a", [2], None]):
        assert read({**TABLE, "cost": cells}).price is None
        with pytest.raises(FormatError, match="the price column holds lis.*; choose another with --price-column"):
            read({**TABLE, "cost": cells}, price_column="cost")
    path = tmp_path / "j.parquet"
    pq.write_table(pa.table({**TABLE, "cost": [[1], [2], [3], [4]]}), path)
    assert read(path).price is None
    with pytest.raises(FormatError, match="j.parquet: the price column holds list"):
        read(path, price_column="cost")
    lines = [
        '{"item": "a", "worker": "v", "label": "x", "seconds": 1.5, "cost": [1]}',
        '{"item": "b", "worker": "v", "label": "x", "seconds": {"s": 2}, "cost": "\\ud800"}',
        '{"item": "c", "worker": "v", "label": "x", "seconds": 3, "cost": null}',
    ]
    judgments = read(write("j.jsonl", "\n".join(lines)))
    assert (numbers(judgments.duration), judgments.price, judgments.rejects) == ([1.5, None, 3.0], None, ())
    assert judgments.unreadable_amounts == {"duration": 1}
    assert read(write("j.jsonl", "\n".join(lines)), price_column="cost").unreadable_amounts == {
        "duration": 1,
        "price": 2,
    }


def test_no_row_is_rejected_for_them(write: Write) -> None:
    judgments = read(write("j.csv", HEADER.encode() + b"a,v,x,\xff,1\nb,v,x,2,2\n,v,x,3,3\nd,v,x,4\ne,v,x,5,5\n"))
    assert [(one.line, one.reason) for one in judgments.rejects] == [
        (4, "the item is missing"),
        (5, "too few fields: 4 instead of 5"),
    ]
    assert numbers(judgments.duration) == [None, 2.0, 5.0]
    assert numbers(judgments.price) == [1.0, 2.0, 5.0]
    assert judgments.unreadable_amounts == {"duration": 1}


def test_several_files_of_which_some_have_the_columns(write: Write) -> None:
    none = write("none.csv", csv([("a", "v", "x"), ("b", "v", "x")]))
    both = write("both.csv", HEADER + "c,v,x,1,.1\nd,v,x,2,.2\n")
    text = write("text.csv", "item,worker,label,price,seconds\ne,v,x,cheap,3\n")
    judgments = read([none, both, text])
    assert numbers(judgments.duration) == [None, None, 1.0, 2.0, 3.0]
    assert numbers(judgments.price) == [None, None, 0.1, 0.2, None]
    assert judgments.unreadable_amounts == {}
    assert numbers(read([text, none]).price) is None


def test_they_stay_with_their_judgments() -> None:
    table = {**TABLE, "label": ["x", "y", None, "x"], "duration": [4, 2, 3, 1], "price": [0.4, 0.2, 0.3, 0.1]}
    judgments = read(table)
    assert numbers(judgments.duration) == [1.0, 2.0, 4.0]
    assert numbers(judgments.subset(np.array([False, True, True])).price) == [0.2, 0.4]
    assert numbers(judgments.with_labels(["y", "z", "x"]).price) == [0.1, 0.2, 0.4]
    twice = read({"item": ["a", "a"], "worker": ["v", "v"], "label": ["x", "y"], "price": [1, 2]}, repeats="keep")
    assert numbers(twice.price) == [1.0, 2.0]
    assert numbers(twice.with_labels(["y", "x"]).price) == [2.0, 1.0]


rows = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from("vw"),
        st.sampled_from(["x", "y", None]),
        st.sampled_from([None, "2025-01-01", "2025-01-02"]),
        st.sampled_from([None, 1.0, 2.0]),
    ),
    min_size=1,
    max_size=15,
)


def naive(judged: list[Any], repeats: str) -> list[tuple[Any, ...]]:
    """The judgments that count, each with its duration and with the number of its row."""
    pairs: dict[tuple[str, str], list[Any]] = {}
    for n, (item, worker, label, time, duration) in enumerate(judged):
        if label is not None:
            pairs.setdefault((item, worker), []).append((time or "", n, item, worker, label, duration))
    chosen = []
    for found in pairs.values():
        found.sort(key=lambda one: one[:2])
        chosen += found if repeats == "keep" else [found[-1] if repeats == "last" else found[0]]
    return [(item, worker, label, duration, n) for _, n, item, worker, label, duration in chosen]


@pytest.mark.parametrize("timed", [False, True])
@examples(60)
@given(judged=rows, repeats=st.sampled_from(["last", "first", "keep"]))
@pytest.mark.compiled
def test_repeats_keep_what_belongs_to_them(timed: bool, judged: list[Any], repeats: Any) -> None:
    judged = judged if timed else [(*row[:3], None, row[4]) for row in judged]
    table = pd.DataFrame(judged, columns=["item", "worker", "label", "timestamp", "duration"], dtype=object)
    table = table.assign(price=range(len(judged)), batch=range(len(judged)))
    judgments = read(table, repeats=repeats, group="batch")
    n = judgments.n_judgments
    duration = numbers(judgments.duration) or [None] * n
    price = numbers(judgments.price) or []
    items, workers = judgments.item_ids.to_pylist(), judgments.worker_ids.to_pylist()
    codes = zip(judgments.item, judgments.worker, judgments.label, duration, price, strict=True)
    found = [(items[i], workers[w], judgments.labels[k], *amounts) for i, w, k, *amounts in codes]
    assert sorted(found, key=str) == sorted(naive(judged, repeats), key=str)
    assert [one[:3] for one in found] == sorted(one[:3] for one in found)
    assert judgments.group is not None
    assert judgments.group_ids is not None
    assert [float(one) for one in judgments.group_ids.take(judgments.group).to_pylist()] == price


def test_kept_repeats_in_any_order_are_the_same_arrays() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({name: rng.integers(0, 2, 60) for name in ("item", "worker", "label", "duration", "price")})
    table["duration"] = table["duration"].where(rng.random(60) > 0.2)
    table["timestamp"] = rng.choice(["2025-01-01", "2025-01-02"], 60)

    def told(judgments: Judgments) -> list[Any]:
        assert judgments.timestamp is not None
        columns = (judgments.item, judgments.worker, judgments.label, judgments.timestamp.astype(np.int64))
        return [*(column.tolist() for column in columns), numbers(judgments.duration), numbers(judgments.price)]

    first = told(read(table, repeats="keep"))
    for seed in range(5):
        assert told(read(table.sample(frac=1, random_state=seed), repeats="keep")) == first


def test_memory_counts_them() -> None:
    judgments = read({**TABLE, "duration": [1, 2, 3, 4]})
    assert memory_needs.of(judgments).fitting == memory_needs.of(replace(judgments, duration=None)).fitting + 8 * 4
    assert memory_needs.of(judgments).reading == memory_needs.of(replace(judgments, duration=None)).reading + 24 * 4


def test_what_could_not_be_read_is_told() -> None:
    result = fit(read({**TABLE, "duration": [1, -2, 3, 4], "price": ["5", "free", "?", "1"]}))
    told = {one.code: one for one in result.warnings}
    assert told["unreadable_durations"].message == (
        "1 duration could not be read (expected a number, 0 or more, such as 12.5) and counts as unknown"
    )
    assert told["unreadable_prices"].values == {"n_judgments": 2}


@pytest.mark.parametrize("command", ["run", "aggregate", "audit", "agreement", "escalate", "check"])
def test_columns_on_the_command_line(run: Run, write: Write, tmp_path: Path, command: str) -> None:
    judged = [f"i{i},w{w},l{i % 2},{i}s,{w}" for i in range(6) for w in range(3)]
    path = write("j.csv", "\n".join(["item,worker,label,took,$", *judged]))
    options = ["--output", tmp_path / "out"] if command == "run" else []
    ran = run(command, path, "--duration", "took", "--price-column", "$", *options)
    assert ran.status == 0
    assert "warning unreadable_durations: 18 durations could not be read" in (
        ran.out if command == "check" else ran.err
    )
    assert "unreadable_prices" not in ran.err
    ran = run(command, path, "--price-column", "money", *(["--output", tmp_path / "2"] if options else []))
    assert (ran.status, ran.out) == (1, "")
    assert 'j.csv: no column "money" for the price; the columns are: item, worker, label, took, $; correct' in ran.err


def test_copies_that_are_merged_keep_what_belongs_to_them() -> None:
    judged = {"item": list("aabb"), "worker": list("vwvw"), "label": list("xxyx"), "price": [1, 2, 3, 4]}
    judgments = read(judged)
    copies = replace(Copies.none(2), group=np.zeros(2, np.int32), n_effective=np.ones(1))
    assert numbers(worker_audit.merged(judgments, copies).price) == [1.0, 3.0]
