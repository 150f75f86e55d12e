"""Twenty typical mistakes on the command line: each is one clear sentence with the way out, and JSON for programs."""

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from consensus.errors import CODES, EXIT_CODES, INPUT, SETTINGS, STOPPED, USAGE, WARNED
from tests.cli.test_cli import JUDGED, Write
from tests.conftest import Run, csv


class Mistake(NamedTuple):
    """What is typed, and what comes of it."""

    command: str
    status: int
    code: str
    said: str
    """The sentence; ``{}`` stands for the folder of the test."""
    file: str | None = None
    line: int | None = None


MISTAKES = {
    "a file that is not there": Mistake(
        "run vote.csv",
        INPUT,
        "file_not_found",
        "vote.csv: no such file; check the name, or the folder you are in",
        "vote.csv",
    ),
    "an empty file": Mistake(
        "run empty.csv",
        INPUT,
        "empty_file",
        "empty.csv: the file is empty; expected a table with a header",
        "empty.csv",
    ),
    "a picture": Mistake(
        "audit picture.csv",
        INPUT,
        "no_table",
        "picture.csv:3: this is not text (it holds a zero byte); expected CSV, TSV, JSON lines or Parquet",
        "picture.csv",
        3,
    ),
    "a column of another name": Mistake(
        "aggregate colours.csv",
        INPUT,
        "column_not_found",
        'colours.csv: no column holds the label; it could be "colour" (2 values); name it with --label, such as '
        "--label colour",
        "colours.csv",
    ),
    "a column named wrongly": Mistake(
        "aggregate j.csv --label anser",
        INPUT,
        "column_not_found",
        'j.csv: no column "anser" for the label; the columns are: item, worker, label; correct --label',
        "j.csv",
    ),
    "two columns that could be meant": Mistake(
        "check twice.csv",
        INPUT,
        "column_not_clear",
        'twice.csv: several columns could hold the label: "label" (2 values), "answer" (2 values); choose with '
        "--label, such as --label label",
        "twice.csv",
    ),
    "another encoding": Mistake(
        "aggregate latin.csv",
        INPUT,
        "bad_encoding",
        "latin.csv:2: the file is not UTF-8; it looks like cp1252, in which this line reads: i0,w0,caf\u00e9; name its "
        "encoding with --encoding cp1252, or another",
        "latin.csv",
        2,
    ),
    "repeated judgments": Mistake(
        "run again.csv --repeats error",
        INPUT,
        "repeated_judgment",
        'again.csv:122: worker "w0" judged item "i0" twice ("l0", then "l1"); keep one row or pass --repeats=last',
        "again.csv",
        122,
    ),
    "gold of other items": Mistake(
        "run j.csv --gold others.csv",
        INPUT,
        "unknown_item",
        'others.csv:2: gold item "q1" and the 0 other gold items occur nowhere in the judgments, whose items look like '
        '"i0"; check that both files name items alike (--item chooses the column)',
        "others.csv",
        2,
    ),
    "a gold label that nobody gave": Mistake(
        "audit j.csv --gold blue.csv",
        INPUT,
        "unknown_label",
        'blue.csv:2: gold label "blue" of item "i1" is not in the label set "l0", "l1"; correct it, or name the whole '
        "set with --labels",
        "blue.csv",
        2,
    ),
    "a cost that is no number": Mistake(
        "escalate j.csv --costs costs.csv",
        INPUT,
        "bad_row",
        'costs.csv:2: the cost is "much"; expected a finite number, 0 or more, below 1e+12',
        "costs.csv",
        2,
    ),
    "a folder that is no run": Mistake(
        "explain . i1",
        INPUT,
        "no_run",
        ".: no summary.json in it; name the output folder of consensus run",
        ".",
    ),
    "an option misspelt": Mistake(
        "run j.csv --taget 0.9",
        USAGE,
        "usage",
        "there is no option --taget (did you mean --target, --state?); see consensus run --help",
    ),
    "words for a number": Mistake(
        "aggregate j.csv --target high",
        USAGE,
        "usage",
        "--target takes a share such as 0.95; see consensus aggregate --help",
    ),
    "no files": Mistake(
        "run",
        USAGE,
        "usage",
        "give files of judgments, or of model votes with --model-votes; see consensus run --help",
    ),
    "a warning misspelt": Mistake(
        "run j.csv --fail-on smal_data",
        USAGE,
        "usage",
        '--fail-on: no warning has the code "smal_data" (did you mean small_data?); see consensus run --help',
    ),
    "percent": Mistake(
        "escalate j.csv --target 95",
        SETTINGS,
        "bad_setting",
        "setting target = 95.0: input should be less than 1; 95 % is 0.95",
    ),
    "a setting misspelt in a file": Mistake(
        "run j.csv --config misspelt.toml",
        SETTINGS,
        "unknown_setting",
        'misspelt.toml: unknown setting "targt"; did you mean target?',
        "misspelt.toml",
    ),
    "an output that is there": Mistake(
        "run j.csv -o there",
        SETTINGS,
        "output_exists",
        "there: exists already; choose another folder with --output, or pass --overwrite",
        "there",
    ),
    "a worker that nobody is": Mistake(
        "audit j.csv --evidence w99",
        SETTINGS,
        "unknown_name",
        'no worker "w99" among 4 workers; consensus audit lists their ids',
    ),
}
FILES: dict[str, str | bytes] = {
    "j.csv": csv(JUDGED),
    "empty.csv": "",
    "picture.csv": b"\x89PNG\r\n\x1a\n\0\0",
    "colours.csv": csv(JUDGED, "item,worker,colour"),
    "twice.csv": csv([(*row, row[2]) for row in JUDGED], "item,worker,label,answer"),
    "latin.csv": csv([(item, worker, "caf\u00e9") for item, worker, _ in JUDGED]).encode("cp1252"),
    "again.csv": csv([*JUDGED, ("i0", "w0", "l1")]),
    "others.csv": "item,label\nq1,l0\n",
    "blue.csv": "item,label\ni1,blue\n",
    "costs.csv": "true,decided,cost\nl0,l1,much\n",
    "misspelt.toml": "targt = 0.9\n",
}


@pytest.fixture
def _files(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, content in FILES.items():
        write(name, content)
    (tmp_path / "there").mkdir()
    write("there/notes.md", "mine")
    monkeypatch.chdir(tmp_path)


def test_there_are_twenty() -> None:
    assert len(MISTAKES) == 20
    assert {one.status for one in MISTAKES.values()} == {INPUT, USAGE, SETTINGS}


@pytest.mark.usefixtures("_files")
@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_sentence_with_the_way_out(run: Run, mistake: Mistake) -> None:
    ran = run(*mistake.command.split())
    assert (ran.status, ran.out) == (mistake.status, "")
    *words, last = ran.err.splitlines()
    assert words == []
    assert last.startswith(f"consensus: {mistake.said}")
    assert last == f"consensus: {mistake.said}" or mistake.said.endswith(": ")


@pytest.mark.usefixtures("_files")
@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_programs_are_told_the_same(run: Run, mistake: Mistake) -> None:
    ran = run(*mistake.command.split(), "--json")
    assert (ran.status, ran.out) == (mistake.status, "")
    told = json.loads(ran.err.splitlines()[-1])
    assert list(told) == ["code", "message", "file", "line"]
    assert (told["code"], told["file"], told["line"]) == (mistake.code, mistake.file, mistake.line)
    assert told["message"].startswith(mistake.said)
    assert CODES[told["code"]][0] == mistake.status


def test_codes_and_exit_codes_are_described() -> None:
    assert {status for status, _ in CODES.values()} == {INPUT, USAGE, SETTINGS, WARNED, STOPPED}
    assert list(EXIT_CODES) == [0, INPUT, USAGE, SETTINGS, WARNED, STOPPED]
    for code, (status, about) in CODES.items():
        assert code.replace("_", "").isalpha()
        assert status in EXIT_CODES
        assert about.endswith(".")
