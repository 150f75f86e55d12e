"""The script of the charts is bundled once for each version of its library, and never half of it is used."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from consensus.report import charts_script

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

vl_convert = pytest.importorskip("vl_convert")


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the script is kept, in a folder of the test's own that is not there yet."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path = tmp_path / "cache" / "charts.js"
    monkeypatch.setattr(charts_script, "_place", lambda _: path)
    return path


@pytest.fixture
def bundled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was bundled so far; it is a short text here."""
    made: list[str] = []

    def bundle() -> str:
        made.append("var vega = '</script>' // ü")
        return made[-1]

    monkeypatch.setattr(vl_convert, "javascript_bundle", bundle)
    return made


script: Callable[[], str] = charts_script.charts_script.__wrapped__
EXPECTED = "var vega = '<\\/script>' // ü"


def test_it_is_bundled_once(kept: Path, bundled: list[str]) -> None:
    assert [script(), script(), script()] == [EXPECTED] * 3
    assert len(bundled) == 1
    assert [path.name for path in kept.parent.iterdir()] == ["charts.js"]


@pytest.mark.parametrize("damage", [b"", b"cut", b"0" * 64 + b"\nother"], ids=["empty", "cut", "other"])
def test_what_is_damaged_is_bundled_again(kept: Path, bundled: list[str], damage: bytes) -> None:
    script()
    whole = kept.read_bytes()
    kept.write_bytes(damage or whole[:-1])
    assert script() == EXPECTED
    assert len(bundled) == 2
    assert kept.read_bytes() == whole


def test_it_is_kept_nowhere_where_python_keeps_nothing(
    kept: Path, bundled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert [script(), script()] == [EXPECTED] * 2
    assert len(bundled) == 2
    assert not kept.parent.exists()


def test_where_it_cannot_be_kept_it_is_bundled_each_time(kept: Path, bundled: list[str]) -> None:
    kept.parent.write_text("a file stands where the folder should")
    assert [script(), script()] == [EXPECTED] * 2
    assert len(bundled) == 2


def test_its_place_is_told_by_the_version() -> None:
    one, other = charts_script._place("1.2"), charts_script._place("1.3")
    assert one.parent == other.parent
    assert one != other
