"""A state of which a file is gone or damaged says which one, and what to do; no other value is read in its place."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from consensus.config import RunConfig
from consensus.errors import StateError
from consensus.formats.sealed import WAY_OUT, whole
from consensus.simulation import simulate
from consensus.state import State
from tests.conftest import Run

FILES = (
    "000001.parquet",
    "000001.json",
    "000001-texts-of-item.parquet",
    "000001-texts-of-label.parquet",
    "000002.json",
    "000003.json",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state with judgments, gold and a retraction, none of which was fitted yet; and a file of more judgments."""
    folder = tmp_path_factory.mktemp("made")
    drawn = simulate(40, 8, 3, 4, seed=1)
    table = drawn.judgments_table()
    table[:120].to_csv(folder / "first.csv", index=False)
    table[120:].to_csv(folder / "more.csv", index=False)
    state = State.create(folder / "state", RunConfig())
    state.append(folder / "first.csv")
    state.append(None, gold=drawn.truth_table(5, 0))
    (folder / "back.csv").write_text(f"worker\n{table['worker'].iloc[0]}\n")
    state.append(None, retract=folder / "back.csv")
    return folder


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def one_byte(path: Path) -> None:
    """Of what a row or text is, not of what is told about it."""
    content = bytearray(path.read_bytes())
    content[len(content) // 4] ^= 1
    path.write_bytes(content)


def said(made: Path, tmp_path: Path, file: str, how: Callable[[Path], None], run: Run) -> str:
    shutil.copytree(made / "state", tmp_path / "state")
    how(tmp_path / "state" / "parts" / file)
    ran = run("update", tmp_path / "state", made / "more.csv", "-o", tmp_path / "out")
    assert ran.status == 1
    assert not (tmp_path / "out").exists()
    assert len(ran.err.splitlines()) == 1
    return ran.err


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_is_gone(made: Path, tmp_path: Path, run: Run, file: str) -> None:
    path = tmp_path / "state" / "parts" / file
    assert said(made, tmp_path, file, Path.unlink, run) == f"consensus: {path}: the file is gone; {WAY_OUT}\n"


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_is_cut(made: Path, tmp_path: Path, run: Run, file: str) -> None:
    path = tmp_path / "state" / "parts" / file
    assert said(made, tmp_path, file, cut, run) == f"consensus: {path}: the file is not as it was written; {WAY_OUT}\n"


@pytest.mark.parametrize("file", [file for file in FILES if "label" not in file])
def test_a_byte_that_changed(made: Path, tmp_path: Path, run: Run, file: str) -> None:
    path = tmp_path / "state" / "parts" / file
    assert (
        said(made, tmp_path, file, one_byte, run)
        == f"consensus: {path}: the file is not as it was written; {WAY_OUT}\n"
    )


def test_a_file_that_others_may_not_read(tmp_path: Path) -> None:
    with pytest.raises(StateError, match=re.escape("may not be read; ask whoever owns it")), whole(tmp_path / "x"):
        raise PermissionError(13, "Permission denied")
