"""A state that was damaged says so in one line, with the file and the way out, and never counts what it can't know."""

import random
import re
from pathlib import Path

import pytest

from consensus.config import RunConfig
from consensus.errors import StateError
from consensus.formats import sealed
from consensus.state import State
from tests.state.crowds import rows, write

HEADER = ("item", "worker", "label", "judgment_id")


@pytest.fixture
def state(tmp_path: Path) -> State:
    made = State.create(tmp_path / "state", RunConfig())
    some = [(*row, f"j{n}") for n, row in enumerate(rows(60, 1))]
    made.append(write(tmp_path / "a.csv", some, HEADER), gold={"i000": "cat"})
    made.append(write(tmp_path / "b.csv", rows(20, 2)), retract=[{"item": "i000", "worker": "w1"}])
    return made


def found(folder: Path) -> str:
    state = State.open(folder)
    inputs = state.inputs()
    judgments = inputs.judgments
    assert judgments is not None
    arrays = [judgments.item.tolist(), judgments.worker.tolist(), judgments.label.tolist()]
    names = judgments.item_ids.to_pylist(), judgments.worker_ids.to_pylist(), judgments.labels, judgments.tally
    return repr((arrays, names, inputs.gold, state.manifest))


def kept(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "lock")


def test_each_file_that_is_gone_or_cut_is_named_with_the_way_out(state: State) -> None:
    paths = kept(state.folder)
    assert len(paths) == 13
    for path in paths:
        content = path.read_bytes()
        for left in (None, 0, len(content) // 2, len(content) - 5):
            path.unlink() if left is None else path.write_bytes(content[:left])
            with pytest.raises(StateError) as told:
                found(state.folder)
            path.write_bytes(content)
            assert told.value.file == str(path if path.name != "manifest.json" or left is not None else state.folder)
            assert re.search("restore|no manifest.json in it", str(told.value))
            assert "\n" not in str(told.value)


def test_a_byte_that_changed_is_told_or_changes_nothing(state: State) -> None:
    drawn, before, n_told = random.Random(7), found(state.folder), 0
    for path in kept(state.folder):
        content = path.read_bytes()
        for _ in range(12):
            other = bytearray(content)
            other[drawn.randrange(len(other))] ^= 1 << drawn.randrange(8)
            path.write_bytes(other)
            try:
                assert found(state.folder) == before, path.name
            except StateError:
                n_told += 1
        path.write_bytes(content)
    assert n_told > 60


def test_a_column_that_is_called_otherwise_is_told(state: State) -> None:
    path = state.folder / "parts" / "000001.parquet"
    path.write_bytes(path.read_bytes().replace(b"cells label", b"cells babel"))
    with pytest.raises(StateError, match=r"parquet: the file is not as it was written; the state is damaged: restore"):
        found(state.folder)


def test_a_file_that_may_not_be_read_is_no_damage(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="a: may not be read; ask whoever owns it"), sealed.whole(tmp_path / "a"):
        raise PermissionError


def test_a_manifest_that_was_edited_is_refused(state: State) -> None:
    path = state.folder / "manifest.json"
    path.write_text(path.read_text().replace('"rows": 60', '"rows": 61'))
    with pytest.raises(StateError, match="was changed since it was written; restore it, or make the state anew"):
        State.open(state.folder)
