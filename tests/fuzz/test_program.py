"""The fuzz program: a fixed sample of its areas, what it prints, and what it does when a process ends."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

import consensus
from tests.fuzz import __main__ as program
from tests.fuzz import areas, frames, tables

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("area", "first", "n"), [("frames", 0, 300), ("settings", 0, 400), ("arguments", 0, 120)])
def test_a_fixed_sample(area: str, first: int, n: int) -> None:
    told = areas.batch(area, first, n)
    assert told.findings == []
    assert told.ends["tables"] + told.ends["held"] > 0.05 * n
    assert told.ends["errors"] > 0.2 * n
    assert told.ends[tables.NOT_MADE] < 0.02 * n


def test_a_case_is_the_same_each_time(tmp_path: Path) -> None:
    for case in range(20):
        one, other = (frames.made(case, tmp_path) for _ in range(2))
        assert (one.kind, one.header, one.n_rows, type(one.source)) == (
            other.kind,
            other.header,
            other.n_rows,
            type(other.source),
        )


def test_what_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--areas", "settings", "--most", "30", "--seed", "5", "--minutes", "1"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("settings: 30 cases (errors ")
    assert out[1].startswith("seed 5: 30 cases in ")
    assert out[1].endswith("findings 0")


@pytest.mark.parametrize("case", ["frames:3", "settings:3"])
def test_one_case_is_shown(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--one", case]) == 0
    assert capsys.readouterr().out.endswith(": as it should be\n")


@pytest.mark.parametrize("area", ["settings", "arguments"])
def test_it_finds_other_errors(area: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> Any:
        raise KeyError("x")

    monkeypatch.setattr(consensus, "read", fails)
    monkeypatch.setattr("consensus.config.settings_base.Settings.of", fails)
    monkeypatch.setattr("consensus.config.settings_base.Settings.from_toml", fails)
    outcome = areas.AREAS[area].outcome
    faults = [fault for case in range(40) if (fault := outcome(case, tmp_path)[1])]
    assert any("KeyError" in one for one in faults)


def _ends(case: int, _folder: Path) -> tuple[str, str | None]:
    if case % areas.OF_A_SEED == 3:
        os._exit(1)
    return "held", None


def test_a_process_that_ends_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(areas, "AREAS", {"settings": areas.Area(_ends, 1.0)})
    monkeypatch.setattr(areas, "AT_ONCE", 5)
    monkeypatch.setattr("multiprocessing.get_context", lambda _: __import__("multiprocessing").context.ForkContext())
    told = areas.fuzzed(2, 20.0, 1, ["settings"], 10)["settings"]
    assert told.findings == [(2 * areas.OF_A_SEED + 3, areas.ENDED)]
    assert told.ends == {"ended": 1, "held": 5}
