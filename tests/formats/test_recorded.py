"""Readings that are kept give the rows that they were read with."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from consensus.formats import read, recorded
from consensus.formats.recorded import Recorded, record
from consensus.formats.tables.blocks import Block, Reading
from consensus.inputs.judgments import Reject
from consensus.inputs.vocabulary import Vocabulary


def reading(*blocks: Block, **more: Any) -> Reading:
    return Reading("a.csv", (one for one in blocks), **more)


def block(columns: dict[str, Any], lines: Any = 2, rejects: tuple[Reject, ...] = ()) -> Block:
    made = {role: pa.chunked_array([cells]) for role, cells in columns.items()}
    return Block(made, lines, lambda rows: [f"row {n}" for n in rows], list(rejects), 0.5)


def test_blocks_come_back_with_their_lines_rejects_and_kinds(tmp_path: Path) -> None:
    reject = Reject("a.csv", 4, "half", "x")
    first = block({"item": pa.array(["a", None]), "worker": pa.array([b"w", b"\xff"])}, rejects=(reject,))
    second = block({"item": pa.array(["b"]).dictionary_encode(), "worker": pa.array([b"v"])}, np.array([9]), rejects=())
    label_order = ("no", "yes")
    digest, n_rows = record(
        reading(first, second, label_order=label_order, not_utf8=lambda: "odd", header=("item", "worker")),
        tmp_path / "000001",
    )
    found = recorded.replayed(tmp_path / "000001")
    assert found.source is not None
    assert (found.source.sha256, n_rows) == (digest, 3)
    assert found.digest is not None
    assert found.digest.digest().hex() == digest
    assert found.label_order == label_order
    assert found.not_utf8 is not None
    assert found.not_utf8() == "odd"
    again = list(found.blocks)
    assert [one.columns["item"].to_pylist() for one in again] == [["a", None], ["b"]]
    assert again[0].columns["worker"].to_pylist() == [b"w", b"\xff"]
    assert [np.asarray(one.lines).tolist() for one in again] == [[2, 3], [9]]
    assert again[0].describe([1]) == ["row 1"], "it may be rejected, so the whole of it is kept"
    assert again[0].rejects == [reject]
    assert not recorded.Recorded((tmp_path / "000001",)).of_exports()


def test_a_source_without_rows(tmp_path: Path) -> None:
    assert record(reading(), tmp_path / "000001")[1] == 0
    assert list(recorded.replayed(tmp_path / "000001").blocks) == []


def test_text_of_several_kinds_becomes_one(tmp_path: Path) -> None:
    kinds = (pa.large_string(), pa.string())
    record(
        reading(*(block({role: pa.array(["a"], kind) for role in ("item", "price")}) for kind in kinds)), tmp_path / "1"
    )
    for role in ("item", "price"):
        cells = [one.columns[role] for one in recorded.replayed(tmp_path / "1").blocks]
        assert [one.to_pylist() for one in cells] == [["a"], ["a"]]


def test_what_is_left_out_is_not_read(tmp_path: Path) -> None:
    columns = {"item": pa.array(["a", "b"]), "worker": pa.array(["w", "v"]), "label": pa.array(["x", "y"])}
    record(reading(block(columns), header=tuple(columns), columns={one: one for one in columns}), tmp_path / "000001")

    def choose(_: int, one: Reading) -> Reading:
        return recorded.without(one, lambda cells: np.array(cells["item"].to_pylist()) == "a")

    found = read(Recorded((tmp_path / "000001",), ("a note",), choose=choose))
    assert found.to_pandas().to_numpy().tolist() == [["b", "v", "y"]]
    assert found.notes[0] == "a note"
    assert recorded.column_of(tmp_path / "000001", "label") is not None
    assert recorded.column_of(tmp_path / "000001", "gone") is None


def test_ids_and_labels_are_kept_once(tmp_path: Path) -> None:
    columns = {"item": pa.array(["b", "a", None, "b"]), "label": pa.array(["x"] * 4), "price": pa.array(["1"] * 4)}
    record(reading(block(columns), block(columns)), tmp_path / "000001")
    rows = parquet.read_table(tmp_path / "000001.parquet")
    assert rows.column("cells item").to_pylist() == [0, 1, None, 0] * 2
    assert rows.column("cells price").to_pylist() == ["1"] * 8, "numbers are no ids"
    texts = parquet.read_table(tmp_path / "000001-texts-of-item.parquet").column(0).to_pylist()
    assert texts == ["b", "a", ""], "the last one lies below the null"
    cells = [one.columns["item"] for one in recorded.replayed(tmp_path / "000001").blocks]
    assert [one.to_pylist() for one in cells] == [["b", "a", None, "b"]] * 2
    known = Vocabulary()
    assert [known.add(one).tolist() for one in cells] == [[0, 1, -1, 0]] * 2
    kept = recorded.column_of(tmp_path / "000001", "item")
    assert kept is not None
    assert kept.to_pylist() == ["b", "a", None, "b"] * 2
    every = recorded.files_of(tmp_path / "000001")
    assert sorted(path.name for path in every) == sorted(path.name for path in tmp_path.iterdir())


def test_ids_that_are_no_text_stay_as_they_are(tmp_path: Path) -> None:
    some = [block({"item": pa.array([n, n + 1]), "worker": pa.array(["w", "v"])}) for n in (7, 8)]
    record(reading(*some), tmp_path / "000001")
    cells = [one.columns["item"] for one in recorded.replayed(tmp_path / "000001").blocks]
    assert [one.type for one in cells] == [pa.int64()] * 2
    assert [one.to_pylist() for one in cells] == [[7, 8], [8, 9]]
