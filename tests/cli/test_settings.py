"""Settings are described once: their fields make the options, the help, the file of settings and its errors."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from consensus import config, simulate
from consensus.cli import help_text, options
from consensus.cli.settings import BODIES
from consensus.config import RunConfig
from consensus.errors import EXIT_CODES, SETTINGS
from tests.cli.test_cli import Write
from tests.conftest import Run, csv

READING = "abstain anonymous drop group item label labels platform price-column repeats timestamp duration worker"
READING += " worker-from-file fold label-map encoding delimiter no-header time-format"
READING += " pseudonyms sheet by only wide columns questions counts"
COMPARING = READING
READING += " weight cluster"
FITTING = "calibration collusion max-iterations memory model model-tests prior rho seed threads tolerance "
FITTING += "trained-on-consensus"
ASKING = "audit-sample budget costs expert-below margin max-judgments min-judgments previous price-per-judgment skill "
ASKING += "target workers"
ASKING += " promise random-gold ask-anyone"
BESIDE = "score-scale vote-item vote-model vote-label vote-score gold-item gold-label gold-worker"
FILES = f"config gold model-votes {BESIDE}"
CHUNKS = "target clicks least-area two-clicks-above cut-above audit-sample rho background seed threads"
PRINTED = "json output quiet raw-cells"
WARNED = f"{PRINTED} fail-on"
OPTIONS = {
    "run": f"keep {FILES} {READING} {FITTING} {ASKING} ties retest min-worker-judgments format json no-report "
    "output fail-on overwrite posteriors quiet report raw-cells timings drift-by title item-url state "
    "requeue",
    "update": "model-votes gold retract full full-after wait output overwrite timings json quiet fail-on threads",
    "serve": "host port refit-after refit-judgments wait access-log quiet",
    "push": "url table page-size dead-letters resume state threads attempts timeout quiet",
    "label-studio sync": "project state field worker target min-judgments margin max-judgments budget ask-anyone skill "
    "price-per-judgment expert-below audit-sample dry-run every threads quiet",
    "check": f"keep config {READING} model threads memory json quiet fail-on",
    "plan-budget": f"{BESIDE} abstain anonymous config delimiter drop encoding fold gold group item items json label "
    "fail-on label-map labels max-judgments memory min-judgments model-votes no-header output platform "
    "price-per-judgment price-column prior quiet repeats rho seed target threads time-format votes without worker "
    "worker-from-file sheet by only wide columns questions counts weight cluster raw-cells pseudonyms",
    "plan-gold": f"{FILES} {READING} {FITTING} {WARNED} items min-judgments random-gold target ties",
    "aggregate": f"keep {FILES} {READING} {FITTING} {WARNED} audit-sample max-judgments min-judgments posteriors "
    "promise random-gold target ties",
    "audit": f"{FILES} {READING} {FITTING} {WARNED} confusions costs drift-by evidence forgive "
    "min-worker-judgments price-per-judgment table",
    "agreement": f"config {COMPARING} {WARNED} bootstrap memory ordinal seed threads",
    "escalate": f"{FILES} {READING} {FITTING} {ASKING} {WARNED} summary drift-by retest ties state",
    "shares": f"{FILES} {READING} {FITTING} {WARNED}",
    "requeue": "source to output until-settled top gold quiet threads state",
    "export": "source to output approve quiet threads state",
    "report": "output quiet threads title item-url pseudonyms state",
    "explain": "json quiet threads state",
    "diff": f"{PRINTED} threads state",
    "evaluate": "json raw-cells",
    "chunks make": "method size output quiet",
    "chunks run": f"classes gold model-masks images columns worker-from-file void cuts config {CHUNKS} output "
    "overwrite crops pseudonyms raw-cells no-report report json quiet fail-on",
    "chunks answers": "item worker label platform crops pseudonyms no-report report json quiet fail-on",
    "chunks evaluate": "boundary images void json quiet raw-cells",
    "simulate": "accuracy adversaries biased gold items labels overwrite per-item quiet seed spammers workers",
    "demo": "overwrite quiet seed",
}
"""Options of each command: those that it does not ignore."""


@pytest.fixture
def judged(write: Write) -> Path:
    return write("j.csv", csv([(f"i{i}", f"w{w}", f"l{(i + w // 2) % 2}") for i in range(12) for w in range(3)]))


def sections(told: str) -> dict[str, str]:
    """What stands below each heading of a help text."""
    parts = re.split(r"^(\w[^\n]*):\n", told, flags=re.MULTILINE)
    return {heading: " ".join(text.split()) for heading, text in zip(parts[1::2], parts[2::2], strict=True)}


@pytest.mark.parametrize("name", RunConfig.model_fields)
def test_every_setting_is_described_and_has_a_group(name: str) -> None:
    field = RunConfig.model_fields[name]
    assert field.description is not None
    assert re.fullmatch(r"[A-Z].*[^.]\.", field.description)
    assert isinstance(field.json_schema_extra, dict)
    assert field.json_schema_extra["group"] in config.GROUPS


def test_every_kind_of_settings_is_described() -> None:
    kinds = [kind for kind in vars(config).values() if isinstance(kind, type) and issubclass(kind, BaseModel)]
    described = [kind for kind in kinds if kind.__name__.endswith("Config")]
    assert RunConfig in described
    for kind in described:
        assert kind.__doc__
        assert kind.__doc__.partition("\n\n")[0].endswith(".")
        for field in kind.model_fields.values():
            assert field.description is not None
            assert re.fullmatch(r"[A-Z].*[^.]\.", field.description)


def test_sizes_of_a_crowd_have_one_default() -> None:
    sizes = list(inspect.signature(simulate).parameters.values())[:4]
    assert {one.name: one.default for one in sizes} == {
        one.name: config.CrowdConfig.model_fields[one.name].default for one in sizes
    }


def test_no_command_is_forgotten() -> None:
    assert set(OPTIONS) == set(BODIES)


@pytest.mark.parametrize("command", OPTIONS)
def test_help_lists_what_a_command_takes_and_nothing_else(run: Run, command: str) -> None:
    ran = run(*command.split(), "--help-all")
    shown = re.findall(r"^  (?:-\w, )?--([\w-]+)(?:(?: / |, )--([\w-]+))?", ran.out, flags=re.MULTILINE)
    options = [name for pair in shown for name in pair if name]
    assert ran.status == 0
    assert sorted(options) == sorted([*OPTIONS[command].split(), "help", "help-all"])
    short = run(*command.split(), "--help").out
    for name in options:
        assert re.search(rf"--{name}\b", short), name


def test_help_all_has_bounds_defaults_and_choices(run: Run) -> None:
    told = sections(run("run", "--help-all").out)
    assert list(told) == [*config.GROUPS, "Examples"]
    assert options.GROUPS == config.GROUPS
    assert "--target SHARE Confidence at which an item is accepted. [0 < x < 1; default: 0.95]" in told[
        "Acceptance"
    ].replace("  ", " ")
    assert "EM passes at most. [1 <= x <= 1000000; default: 500]" in told["Model"]
    assert "log likelihood, for each judgment. [0 < x <= 1000000; default: 1e-07]" in told["Model"]
    assert "is opened again. [0 <= x < 1; default: 0.02]" in told["Acceptance"]
    assert "--prior learnt|fixed|none" in told["Model"]
    assert "such as NA. [may be repeated]" in told["Labels and workers"]
    assert "Default: the labels that occur, sorted." in told["Labels and workers"]
    assert "--threads NUMBER" in told["Performance"]
    assert "-o, --output FOLDER" in told["Output"]


@pytest.mark.parametrize("command", OPTIONS)
def test_help_is_short(run: Run, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """Grouped, an option a line, on two screens."""
    monkeypatch.setenv("COLUMNS", "100")
    lines = run(*command.split(), "--help").out.splitlines()
    assert len(lines) <= 100
    assert max(map(len, lines)) <= 100
    headings = [line.removesuffix(":") for line in lines if re.fullmatch(r"[A-Z][\w ]+:", line)]
    assert headings[-1] == "Examples"
    order = [*config.GROUPS, "Examples"]
    assert [order.index(one) for one in headings if one != help_text.OTHERS] == sorted(
        order.index(one) for one in headings if one != help_text.OTHERS
    )
    started = [line for line in lines if re.match(r"  (-\w, )?--", line)]
    wrapped = [line for line in lines if re.match(r" {12,}\S", line)]
    assert len(wrapped) <= len(started) / 8
    for line in started:
        assert " None " not in line
        assert not re.search(r"<|\bTEXT\b|INTEGER|FLOAT|PATH", line) or "TEXT" in line


def test_help_of_run_holds_at_80_columns(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = run("run", "--help").out.splitlines()
    examples = lines.index("Examples:")
    assert max(len(line) for line in lines[:examples]) <= 80
    assert len(lines) <= 150


def test_summaries_are_whole_sentences(run: Run) -> None:
    ran = run("--help")
    told = " ".join(
        [*ran.out.split(), *run("chunks", "--help").out.split(), *run("label-studio", "--help").out.split()]
    )
    assert "..." not in told.partition("Commands:")[2].replace("[ARGS]...", "")
    for code, about in EXIT_CODES.items():
        assert f"{code} {about.removesuffix('.')}" in told
    for body in BODIES.values():
        assert " ".join((body.__doc__ or "").split("\n\n")[0].split()) in told


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--prior", "best"), "setting prior = 'best': input should be 'learnt', 'fixed' or 'none'"),
        (("--target", "95"), "setting target = 95.0: input should be less than 1; 95 % is 0.95"),
        (("--labels", "a,a"), "the same label stands there twice"),
        (("--memory", "much"), "setting memory = 'much': "),
        (("--min-judgments", "9"), "min_judgments 9 is above max_judgments 7"),
    ],
)
def test_bad_values_are_one_line(run: Run, judged: Path, given: tuple[str, ...], said: str) -> None:
    ran = run("aggregate", judged, *given)
    assert (ran.status, ran.err.count("\n")) == (SETTINGS, 1)
    assert said in ran.err


def test_what_is_no_number_is_usage(run: Run, judged: Path) -> None:
    assert run("aggregate", judged, "--target", "high").status == 2
    assert run("diff", judged, judged, "--threads", "many").status == 2


def test_threads_of_finished_runs_are_checked(run: Run, tmp_path: Path) -> None:
    for arguments in (("diff", tmp_path, tmp_path), ("explain", tmp_path, "i"), ("report", tmp_path)):
        ran = run(*arguments, "--threads", "0")
        assert (ran.status, "setting threads = 0" in ran.err) == (SETTINGS, True)


def test_options_overrule_the_file(run: Run, judged: Path, write: Write) -> None:
    file = write("s.toml", 'abstain = ["l0"]\nlabels = ["l1", "l2", "a, b"]\nmemory = "1B"\n')
    ran = run("aggregate", judged, "--config", file)
    assert (ran.status, "more than the 0 MB of --memory" in ran.err) == (SETTINGS, True)
    ran = run("aggregate", judged, "--config", file, "--memory", "4GB", "--posteriors", "-q")
    assert ran.out.splitlines()[0] == '"item","l1","l2","a, b"'
    again = ("--abstain", "l1", "--labels", 'l2, l0, "a, b"')
    ran = run("aggregate", judged, "--config", file, "--memory", "4GB", "--posteriors", "-q", *again)
    assert ran.out.splitlines()[0] == '"item","l2","l0","a, b"'


def test_votes_alone_will_do_but_not_nothing(run: Run) -> None:
    for command in ("run", "aggregate", "audit", "escalate"):
        ran = run(command)
        assert ran.status == 2
        assert "give files of judgments, or of model votes with --model-votes" in " ".join(ran.err.split())


def test_a_help_text_needs_neither_screen_nor_tables() -> None:
    ran = subprocess.run(
        [
            sys.executable,
            "-c",
            "import atexit, sys\n"
            "heavy = {'rich', 'numpy', 'pandas', 'pyarrow', 'numba', 'pydantic.plugin._loader'}\n"
            "atexit.register(lambda: print('too many:', sorted(heavy & set(sys.modules))))\n"
            "from consensus.__main__ import main\n"
            "main(['run', '--help'])",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.endswith("too many: []\n")
