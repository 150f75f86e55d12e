"""docs/data.md is true: its commands run, on tables as it describes them, and every kind that it lists is read."""

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest

from consensus import read, read_model_votes
from consensus.formats import sources
from tests.conftest import ROOT, Run
from tests.formats.test_export_questions import label_studio
from tests.runs.test_questions import answers, wide

PAGE = (ROOT / "docs" / "data.md").read_text()
pytestmark = pytest.mark.usefixtures("by_dawid_skene")


@pytest.fixture(autouse=True)
def _tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    long = answers(names=("language", "tone"))
    tone = long[long["question"] == "tone"]
    grid = tone.pivot(index="item", columns="worker", values="label").reset_index()
    counted = tone.groupby(["item", "label"]).size().rename("n").reset_index()
    tally = counted.pivot(index="item", columns="label", values="n").fillna(0).reset_index()
    grid = grid.rename(columns={"w0": "ann", "w1": "bob", "w2": "cy", "w3": "dee"})
    tables = {"answers": long, "by_worker": wide(long), "grid": grid, "counted": counted, "tally": tally}
    texts = tone.assign(text=[f"text, {item}" for item in tone["item"]], url=[f"u/{item}" for item in tone["item"]])
    tables["texts"] = texts.drop(columns="question")
    for name, table in tables.items():
        table.to_csv(f"{name}.csv", index=False)
    Path("answers.json").write_text(label_studio())


def test_commands_run(run: Run) -> None:
    commands = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
    assert len(commands) > 6
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == "consensus"
        ran = run(*arguments)
        assert ran.status == 0, (command, ran.err)
    assert {path.name for path in Path("out").iterdir()} == {"language", "tone", "summary.json"}
    tone = pd.read_csv("out/tone/labels.csv")
    for other in ("tone-only", "out-wide/tone", "out-grid"):
        pd.testing.assert_frame_equal(pd.read_csv(f"{other}/labels.csv"), tone)
    kept = pd.read_csv("out-kept/labels.csv")
    pd.testing.assert_frame_equal(kept.drop(columns=["text", "url"]), tone)
    assert kept["text"].tolist() == [f"text, {item}" for item in kept["item"]]
    counts, tally = (pd.read_csv(f"{name}/labels.csv") for name in ("out-counts", "out-tally"))
    pd.testing.assert_frame_equal(counts, tally)
    assert counts["n_judgments"].tolist() == tone["n_judgments"].tolist()


def test_all_kinds_are_listed() -> None:
    listed = set(re.findall(r"`(\.\w+)`", PAGE))
    assert set(sources.TABLES) - {".tab"} <= listed


def test_shares_are_votes() -> None:
    assert "`item, p_yes, p_no`" in PAGE
    assert len(read_model_votes({"item": ["a"], "p_yes": [0.5], "p_no": [0.5]}).models) == 1


def test_an_open_file() -> None:
    with Path("answers.csv").open() as file:
        assert read(file, by="question", only="tone").n_judgments == 48
