"""The pages of platforms are true: their sessions give this output on the examples in tests/platforms."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from consensus.formats.platforms import PLATFORMS, judge_panels
from tests.conftest import ROOT, Run

FOLDER = ROOT / "docs" / "platforms"
INDEX = FOLDER / "README.md"
PAGES = sorted({*FOLDER.glob("*.md")} - {INDEX})
SHELL = " 2>&1 | "


def sessions(page: Path) -> list[tuple[str, str]]:
    """Commands of a page, and the output below each."""
    blocks = re.findall(r"^```console\n(.*?)^```", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    parts = [part for block in blocks for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    return [(command, output) for command, _, output in (part.partition("\n") for part in parts)]


@pytest.mark.usefixtures("by_dawid_skene")
@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_sessions_print_what_they_show(page: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    monkeypatch.chdir(tmp_path)
    assert sessions(page)
    for command, output in sessions(page):
        own, _, into = command.partition(SHELL)
        program, *arguments = shlex.split(own)
        assert program == "consensus"
        ran = run(*arguments)
        told = ran.err + ran.out
        if into:
            told = subprocess.run(
                ["bash", "-c", into], input=told, stdout=subprocess.PIPE, text=True, check=True
            ).stdout
        assert told == output, command


def test_each_platform_has_one() -> None:
    assert {page.stem for page in PAGES} == {*(platform.NAME for platform in PLATFORMS), judge_panels.PAGE}


def test_all_are_in_the_index() -> None:
    rows = re.findall(r"^\| \[`(.+)`\]\((.+)\.md\) \|", INDEX.read_text(), flags=re.MULTILINE)
    assert rows == [(platform.NAME, platform.NAME) for platform in PLATFORMS]
    assert f"({judge_panels.PAGE}.md)" in INDEX.read_text()


def test_all_are_listed() -> None:
    listed = (ROOT / "docs" / "platforms" / "README.md").read_text()
    for name in (*(platform.NAME for platform in PLATFORMS), judge_panels.PAGE):
        assert f"({name}.md)" in listed, name
