"""The README is true: its sessions give this output, its Python runs, nothing is left out of it."""

import doctest
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from consensus import agreement, audit, escalate, fit, simulate, worker_audit
from consensus.cli import app
from tests import tables_page
from tests.conftest import ROOT, Run

README = (ROOT / "README.md").read_text()


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture
def beside_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sessions() -> list[tuple[str, str]]:
    """Commands of the README's sessions with the output that stands below them."""
    found = []
    for block in blocks("console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            if "consensus" in command and "ruff" not in command:
                found.append((command, output))
    return found


def piped(text: str, into: str) -> str:
    """What a shell prints where a text is piped into other programs, if any."""
    if not into:
        return text
    return subprocess.run(["bash", "-c", into], input=text, stdout=subprocess.PIPE, text=True, check=True).stdout


@pytest.mark.slow
@pytest.mark.usefixtures("beside_the_data")
def test_sessions_print_what_they_show(run: Run) -> None:
    assert len(sessions()) >= 6
    for command, output in sessions():
        own, _, into = command.partition(" | ")
        program, *arguments = shlex.split(own)
        if program == "consensus":
            ran = run(*arguments, report=True)
            assert ran.status == 0, command
            assert not (ran.err and ran.out), command  # else their order would be another matter
            assert ran.err + piped(ran.out, into) == output, command
        else:
            assert piped("", command) == output, command


@pytest.mark.slow
@pytest.mark.usefixtures("beside_the_data")
def test_python_prints_what_it_shows() -> None:
    (block,) = blocks("python")
    options = doctest.NORMALIZE_WHITESPACE
    test = doctest.DocTestParser().get_doctest(block, {}, "README", "README.md", 0)
    results = doctest.DocTestRunner(optionflags=options).run(test)
    assert results.attempted > 8
    assert results.failed == 0


def test_first_two_blocks_are_one_command_each() -> None:
    for block in blocks("sh")[:2]:
        assert len(block.replace("\\\n", "").strip().splitlines()) == 1
    assert len(blocks("sh")) == 2


def test_every_command_is_documented_and_helps() -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    assert len(commands) == 15
    for name, command in commands.items():
        assert f"`consensus {name}" in README
        assert command.help
        command.complete()
        for parameter in command.params:
            assert getattr(parameter, "help", "") or parameter.name == "help", (name, parameter.name)


def test_tables_are_documented_as_they_are() -> None:
    assert tables_page.PAGE.read_text() == tables_page.made(), "python -m tests.tables_page writes it anew"
    assert tables_page.in_short() in README


def test_every_column_is_documented() -> None:
    page = tables_page.PAGE.read_text()
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


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md"])
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
