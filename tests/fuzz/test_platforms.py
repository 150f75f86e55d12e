"""A fixed sample of the fuzz of platforms, and that it finds what is wrong."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import consensus
from consensus import read
from consensus.errors import FormatError
from tests.formats.test_platforms import SECRETS
from tests.fuzz import areas, exports, kinds, platforms

EXAMPLE = exports.EXAMPLES / "crowdflower.csv"


@pytest.mark.parametrize("first", range(0, 400, 100))
def test_rows_add_up_or_one_line_says_why_not(first: int) -> None:
    told = areas.batch("exports", first, 100)
    assert told.findings == []
    assert told.ends["tables"] > 25
    assert told.ends["errors"] > 25


@pytest.mark.parametrize("export", exports.EXPORTS, ids=[one.name for one in exports.EXPORTS])
def test_what_is_damaged_is_sound_before(export: exports.Export, tmp_path: Path) -> None:
    path = tmp_path / f"export{export.ending}"
    for name, content in export.files.items() or [("", export.content)]:
        place = path / name if name else path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    if export.name in platforms.VOTES_OF_MODELS:
        assert consensus.read_model_votes(path).n_votes >= 8
    else:
        settings: dict[str, Any] = {"label": export.question} if export.several else {}
        assert read(path, **settings).tally.used >= 10
        assert any(" is a" in note for note in read(path, **settings).notes)


def _made(settings: Any, *header: str) -> kinds.Made:
    return kinds.Made("judgments", EXAMPLE, settings, header=header)


@pytest.mark.parametrize(
    ("settings", "header", "finds"),
    [
        ({}, ["in place"], True),
        ({}, [], False),  # damage moved a cell
        ({"label": "_city"}, ["in place"], False),
        ({"platform": "none"}, ["in place"], False),
        ({"platform": "crowdflower"}, ["in place"], True),
    ],
)
def test_it_finds_whereabouts_of_workers(settings: Any, header: list[str], finds: bool) -> None:
    error = FormatError("x.csv:3: Waco is no colour")
    assert bool(platforms.told(error, _made(settings, *header))) == finds
    plain = kinds.Made("judgments", Path("x.csv"), header=["in place"])
    assert platforms.told(error, plain) is None
    assert platforms.SECRETS == SECRETS


def test_it_finds_whereabouts_in_rejects() -> None:
    found = read(EXAMPLE)
    assert platforms.told(found, _made({}, "in place")) is None
    (first, *_) = found.rejects
    leaking = replace(found, rejects=(replace(first, row="7001,Waco"),))
    assert platforms.told(leaking, _made({}, "in place")) == "tells Waco"


def test_it_finds_an_error_that_shows_the_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(consensus, "read", fails)
    faults = [fault for seed in range(20) if (fault := platforms.outcome(seed, tmp_path)[1])]
    assert faults
    assert all("KeyError" in one for one in faults)
