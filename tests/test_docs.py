"""README and docs are true: their sessions give this output, their Python runs, nothing is left out."""

import doctest
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from consensus import agreement, audit, escalate, fit, simulate, worker_audit
from consensus.cli import app
from tests import command_line_page, outputs_page, sessions
from tests.conftest import ROOT, Run

README = (ROOT / "README.md").read_text()
COMMANDS = (ROOT / "docs" / "command-line.md").read_text()
MOST_LINES = 180  # of README


@pytest.fixture
def beside_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    sessions.beside_the_data(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def named(pages: list[Path]) -> dict[str, Any]:
    """A test for each of some pages, with its name."""
    return {"argvalues": pages, "ids": [str(page.relative_to(ROOT)) for page in pages]}


@pytest.mark.slow
@pytest.mark.usefixtures("beside_the_data")
@pytest.mark.parametrize("page", **named(sessions.pages_with("console")))
def test_sessions_print_what_they_show(page: Path, run: Run) -> None:
    every = [pair for block in sessions.blocks(page, "console") for pair in sessions.commands(block)]
    assert every
    for command, output in every:
        own, _, into = command.partition(" | ")
        program, *arguments = shlex.split(own)
        if program == "consensus":
            ran = run(*arguments, report=True)
            assert ran.status == 0, command
            assert not (ran.err and ran.out), command  # else their order would be another matter
            assert ran.err + sessions.piped(ran.out, into) == output, command
        else:
            assert sessions.piped("", command) == output, command


@pytest.mark.slow
@pytest.mark.usefixtures("beside_the_data")
@pytest.mark.parametrize("page", **named(sessions.pages_with("python")))
def test_python_prints_what_it_shows(page: Path) -> None:
    names: dict[str, Any] = {}
    for block in sessions.blocks(page, "python"):
        test = doctest.DocTestParser().get_doctest(block, names, page.name, page.name, 0)
        results = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, clear_globs=False)
        assert results.attempted, block
        assert results.failed == 0
        names = test.globs


def test_sessions_are_there() -> None:
    with_sessions = {page.name for page in sessions.pages_with("console")}
    assert {"README.md", "getting-started.md", "audit.md", "escalation.md", "models-and-people.md"} <= with_sessions
    assert {"README.md", "api.md"} <= {page.name for page in sessions.pages_with("python")}


def test_readme_is_short() -> None:
    assert len(README.splitlines()) <= MOST_LINES


def test_first_two_blocks_are_one_command_each() -> None:
    found = sessions.blocks(ROOT / "README.md", "sh")
    assert len(found) == 2
    for block in found:
        assert len(block.replace("\\\n", "").strip().splitlines()) == 1


def test_every_command_is_documented_and_helps() -> None:
    commands = command_line_page.every(get_command(app))
    assert len(commands) == 25
    for name, command in commands.items():
        assert f"`consensus {name}" in COMMANDS
        assert command.help
        command.complete()
        for parameter in command.params:
            assert getattr(parameter, "help", "") or parameter.name == "help", (name, parameter.name)


def test_tables_are_documented_as_they_are() -> None:
    assert outputs_page.PAGE.read_text() == outputs_page.made(), "python -m tests.outputs_page writes it anew"


def test_every_column_is_documented() -> None:
    page = outputs_page.PAGE.read_text()
    result = fit(simulate(60, 6, 3, 4, seed=1).judgments)
    tables = [result.labels, audit(result), worker_audit.confusions(result), escalate(result, target=0.999)]
    for table in (*tables, agreement(result.judgments)):
        for column in table.columns:
            assert f"`{column}`" in page, column


@pytest.mark.parametrize(
    "page", [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda page: page.name
)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        assert target.startswith("http") or (page.parent / target).exists(), target


@pytest.mark.parametrize("page", ["docs/architecture.md", "docs/contributing.md"])
def test_files_that_are_named_exist(page: str) -> None:
    """But for those that a newcomer would write."""
    named = re.findall(r"`((?:consensus|tests|docs|report)/[\w/.]+)`", (ROOT / page).read_text())
    assert len(named) > 5
    for path in named:
        if "labelbox" not in path and "ordinal" not in path:
            assert (ROOT / path).exists() or (ROOT / "consensus" / path).exists(), path


def test_every_room_is_described() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    table = page[page.index("| room |") : page.index("import-linter holds")]
    first = [line.split("|")[1] for line in table.splitlines() if line.startswith("|")]
    rooms = {name for cell in first for name in re.findall(r"`(\w+)`", cell)}
    (layers, *_) = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    linted = {name.strip().removeprefix("consensus.") for layer in layers["layers"] for name in layer.split("|")}
    assert rooms == linted - {"__main__"}


def test_names_that_stand_beside_a_file_are_in_it() -> None:
    """Such as ```reasons`` behind a comma, or ```TIE`` before a file."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    named = re.findall(r"`(consensus/[\w/]+\.py)`, `(\w+)`", page)
    named += [(file, name) for name, file in re.findall(r"`(\w+)` in `(consensus/[\w/]+\.py)`", page)]
    assert len(named) > 10
    for file, name in named:
        assert re.search(rf"^ *(?:def |class )?{name}\b *[(:=]", (ROOT / file).read_text(), flags=re.M), (file, name)
