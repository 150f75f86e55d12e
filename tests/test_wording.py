"""Messages in the caller's words: options on the command line, arguments in Python."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus import wording
from consensus.config import RunConfig
from consensus.errors import ConfigError, ConsensusError, OutputError
from consensus.found.cautions import Caution
from tests.sentences import sentences

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run

FLAG = re.compile(r"(?<![\w-])--([a-z][a-z-]*)(?![\w-])")
OF_COMMANDS = {"config", "dead-letters", "evidence", "fail-on", "field", "forgive", "host", "port", "resume"}
"""Options in descriptions of tables that only commands print, and of exit codes."""


def met_by_python() -> list[str]:
    """Sentences that may be told to Python: all but those of commands, and of the page."""
    return [one.text for one in sentences() if "/cli/" not in one.file and "/templates/" not in one.file]


def test_no_option_that_python_can_meet_is_unknown() -> None:
    named = {option for text in met_by_python() for option in FLAG.findall(text)}
    assert {"gold", "gold-label", "max-iterations", "overwrite"} < named
    assert {option for option in named if not wording.is_known(option)} == OF_COMMANDS


def test_no_option_is_left_for_python() -> None:
    for text in met_by_python():
        left = set(FLAG.findall(re.sub(r'"[^"]*"', "", wording.in_python(text)))) - OF_COMMANDS
        assert not left, text


def test_every_setting_is_known_by_its_option(run: Run) -> None:
    said = run("run", "--help").out
    for name, field in RunConfig.model_fields.items():
        mark = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        option = str(mark.get("option") or name).replace("_", "-")
        assert wording.is_known(option)
        if f"--{option} " in said:
            assert wording.in_python(f"see --{option}, or not").startswith(f"see {name}=")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("raise --max-iterations", "raise max_iterations="),
        ("exists; pass --overwrite", "exists; pass overwrite=True"),
        ("correct --gold-item or --columns", "correct gold_item= or wide_columns="),
        ("pass --fold labels, or --repeats=last", 'pass fold="labels", or repeats="last"'),
        ("run with --retest 20, --audit-sample 0.05", "run with retest=20, audit_sample=0.05"),
        ("--score-scale 100 takes them for percent", 'score_scale="100" takes them for percent'),
        ("--item worker --worker item swaps them", 'item="worker" worker="item" swaps them'),
        ("--label names it", "label= names it"),
        ("such as --label tone, or more", 'such as label="tone", or more'),
        ("not used, such as --rho with votes", "not used, such as rho= with votes"),
        ("--wide --columns", "wide= wide_columns="),
        ("--random-gold if it was", "random_gold=True if it was"),
        ("--no-header reads it", "no_header=True reads it"),
        ("with --anonymous '' each", 'with anonymous="" each'),
        ("--drop a=b: no row", 'drop="a=b": no row'),
        ("--keep mood: not UTF-8", 'keep="mood": not UTF-8'),
        ("(--model-votes none)", '(model_votes="none")'),
        ("--no-report leaves it out", "report=False leaves it out"),
        ("draw some with consensus plan-gold", "draw some with consensus.plan_gold"),
        ("plan-gold: nothing is left", "plan_gold: nothing is left"),
        ("(`consensus escalate --audit-sample 0.05` draws)", "(`consensus.escalate(audit_sample=0.05)` draws)"),
        ("consensus run --model-votes x.jsonl", 'consensus.run(model_votes="x.jsonl")'),
        ("consensus run --gold", "consensus.run gold="),
        ("look at `consensus audit --table gold`", "look at `run.gold_health`"),
        ("look at consensus audit --table other", 'look at run.table("other")'),
        ("the consensus of others", "the consensus of others"),
        ("--no-such-thing and a-b--gold", "--no-such-thing and a-b--gold"),
    ],
)
def test_in_python(written: str, told: str) -> None:
    assert wording.in_python(written) == told
    assert wording.in_python(told) == told


@given(st.text())
def test_what_stands_between_quotes_is_data(text: str) -> None:
    data = text.replace('"', "")
    told = wording.in_python(f'item "{data} --gold" is unknown; correct --item')
    assert told == f'item "{data} --gold" is unknown; correct item='


def test_errors_and_cautions_are_told_in_the_callers_words(as_written: None) -> None:
    del as_written
    error, caution = ConsensusError("name it with --gold"), Caution("switch_risk", "give gold (--gold)")
    assert (str(error), str(caution)) == ("name it with --gold", "switch_risk: give gold (--gold)")
    token = wording.ON_THE_COMMAND_LINE.set(False)
    assert (str(error), str(caution)) == ("name it with gold=", "switch_risk: give gold (gold=)")
    assert caution.message == "give gold (--gold)"  # as it stands in summary.json
    wording.ON_THE_COMMAND_LINE.reset(token)


def test_the_command_line_speaks_of_options(run: Run, write: Callable[[str, str], Path], tmp_path: Path) -> None:
    path = write("j.csv", "item,worker,label\na,v,x\na,w,x\n")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "labels.csv").write_text("")
    ran = run("run", path, "--output", tmp_path / "out")
    assert ran.status == 3
    assert ran.err.endswith("exists already; choose another folder with --output, or pass --overwrite\n")
    assert not wording.ON_THE_COMMAND_LINE.get()
    with pytest.raises(OutputError, match="choose another folder with folder=, or pass overwrite=True"):
        raise OutputError("choose another folder with --output, or pass --overwrite")


def test_settings_name_one_that_is_near() -> None:
    with pytest.raises(ConfigError, match=r'^unknown setting "max_iteration"; did you mean max_iterations\?$'):
        RunConfig.of(None, max_iteration=3)
    with pytest.raises(ConfigError, match='^unknown setting "xyz"; the settings are: '):
        RunConfig.of(None, xyz=3)
