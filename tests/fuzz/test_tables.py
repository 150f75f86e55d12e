"""A fixed sample of the fuzz of the readers, and that it finds what is wrong."""

from pathlib import Path
from typing import Any

import pytest

import consensus
from consensus.errors import FormatError
from consensus.formats.tables.row_choice import RowChoice
from tests.fuzz import areas, tables


@pytest.mark.parametrize("first", range(0, 600, 150))
def test_rows_add_up_or_one_line_says_why_not(first: int) -> None:
    told = areas.batch("tables", first, 150)
    assert told.findings == []
    assert told.ends["tables"] > 30
    assert told.ends["errors"] > 40


def test_several_processes_find_the_same() -> None:
    alone = areas.batch("tables", 7 * areas.OF_A_SEED, 30)
    found = areas.fuzzed(7, 60.0, 2, ["tables"], 30)["tables"]
    assert (found.ends, found.findings) == (alone.ends, alone.findings)


def _raises(error: BaseException) -> Any:
    def fails(*_: object, **__: object) -> None:
        raise error

    return fails


@pytest.mark.parametrize(
    ("broken", "found"),
    [
        (_raises(KeyError("x")), "KeyError"),
        (_raises(tables.HangError("more than 5 seconds")), "more than 5 seconds"),
        (_raises(FormatError("no file is named")), "does not name the file"),
    ],
)
def test_it_finds_what_is_no_outcome(broken: Any, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consensus, "read", broken)
    faults = [fault for seed in range(20) if (fault := tables.outcome(seed, tmp_path)[1])]
    assert faults
    assert all(found in one for one in faults)


def test_it_finds_rows_that_are_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RowChoice, "of", lambda _, opened: _shorter(opened))
    faults = [fault for seed in range(60) if (fault := tables.outcome(seed, tmp_path)[1])]
    assert any("rows, but" in one for one in faults)


def _shorter(opened: Any) -> Any:
    """A reading without the last row of each block."""
    from dataclasses import replace

    def blocks() -> Any:
        for block in opened.blocks:
            yield replace(block, columns={role: cells[:-1] for role, cells in block.columns.items()})

    return replace(opened, blocks=blocks())
