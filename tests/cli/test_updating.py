"""``consensus run --state``, ``consensus update``, and ``--state`` of the commands that look at a fit."""

import json
from pathlib import Path

import pytest

import consensus
from consensus.config import RunConfig
from consensus.state import State
from tests.conftest import Run
from tests.state.crowds import LABELS, rows, write

TABLES = ("labels.csv", "workers.csv", "confusions.csv", "escalations.csv", "rejects.csv", "posteriors.csv")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    return [write(Path(f"{n}.csv"), rows(120, n)).name for n in range(2)]


@pytest.fixture
def kept(files: list[str], run: Run) -> list[str]:
    run("run", files[0], "--state", "state", "-o", "out", "--posteriors", "-q")
    return files


def test_a_run_with_a_state_writes_what_one_without_does(kept: list[str], run: Run) -> None:
    run("run", kept[0], "-o", "plain", "--posteriors", "-q")
    assert {path.name: path.read_bytes() for path in Path("out").iterdir()} == {
        path.name: path.read_bytes() for path in Path("plain").iterdir()
    }


def test_an_update_writes_the_output_of_a_run_of_all(kept: list[str], run: Run) -> None:
    told = run("update", "state", kept[1])
    assert "120 judgments are new; fitted from nothing" in told.err
    assert "since the last run: " in told.err
    run("run", *kept, "-o", "plain", "--posteriors", "-q")
    for name in TABLES:
        assert Path("out", name).read_bytes() == Path("plain", name).read_bytes()
    assert Path("out", "changes.csv").read_text().startswith("item,label_before,label,status_before,status\n")
    summary = json.loads(Path("out", "summary.json").read_text())
    assert summary["state"]["fit"] == "full"
    assert summary["state"]["judgments_came"] == 240


def test_what_came_before_is_passed_over_and_said(kept: list[str], run: Run) -> None:
    before = Path("out", "labels.csv").read_bytes()
    told = run("update", "state", kept[0], "--json")
    assert "note: 0.csv: the same judgments came before" in told.err
    assert "0 judgments are new" in told.err
    assert json.loads(told.out)["state"]["judgments_came"] == 120
    assert Path("out", "labels.csv").read_bytes() == before


def test_what_a_stream_left_comes_in(kept: list[str], run: Run) -> None:
    with consensus.open("state") as stream:
        stream.add([{"item": "i000", "worker": "somebody", "label": "cat"}])
    told = run("update", "state", kept[1])
    assert "1 judgment that a stream left came in, too" in told.err
    assert json.loads(Path("out", "summary.json").read_text())["state"]["judgments_came"] == 241
    assert "a stream left" not in run("update", "state").err


def test_gold_votes_and_retractions(kept: list[str], run: Run) -> None:
    gold = write(Path("gold.csv"), [("i000", "cat"), ("i001", "dog")], ("item", "label"))
    votes = write(Path("votes.csv"), [(f"i{n:03d}", "gpt", "cat") for n in range(30)], ("item", "model", "label"))
    taken = write(Path("taken.csv"), [("w1",)], ("worker",))
    args = ("--gold", str(gold), "--model-votes", str(votes), "--retract", str(taken), "--full", "-o", "other")
    run("update", "state", kept[1], *args, "-q")
    summary = json.loads(Path("other", "summary.json").read_text())
    assert summary["counts"]["gold_items"] == 2
    assert [one["model"] for one in summary["models"]["models"]] == ["gpt"]
    assert "w1" not in Path("other", "workers.csv").read_text()
    told = run("update", "state", "-o", "other")
    assert told.status == 3
    assert "other: exists already; choose another folder with --output, or pass --overwrite" in told.err


def test_votes_of_an_export_that_are_left_out_stay_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    export = Path(__file__).parent.parent / "platforms" / "label-studio.json"
    monkeypatch.chdir(tmp_path)
    for state in (("--state", "state"), ()):
        run("run", str(export), "--model-votes", "none", "-o", f"o{len(state)}", "-q", *state)
    assert Path("o2", "labels.csv").read_bytes() == Path("o0", "labels.csv").read_bytes()
    run("update", "state", "--full", "-q")
    assert Path("o2", "labels.csv").read_bytes() == Path("o0", "labels.csv").read_bytes()


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (
            ("run", "1.csv", "--state", "state", "-o", "o"),
            3,
            "state: a state is there already; add to it with consensus update",
        ),
        (("run", "1.csv", "--state", "out", "-o", "o"), 3, "which is no part of a state"),
        (("run", "1.csv", "--state", "s", "-o", "s"), 3, "--state s: it and the output s would lie in each other"),
        (
            ("run", "1.csv", "--state", "s", "-o", "o", "--pseudonyms", "k"),
            3,
            "--pseudonyms: a state has to know workers by name",
        ),
        (("run", "1.csv", "--state", "s", "-o", "o", "--by", "q"), 3, "--state keeps one question"),
        (("update", "gone"), 1, "gone: no such folder; name the folder of a state"),
        (("update", "out"), 1, "out: no manifest.json in it, so it is no state"),
        (("update", "state", "gone.csv"), 1, "gone.csv"),
        (("update", "python"), 1, "it was made in Python and names no output folder; give one with --output"),
        (("report", "--state", "python"), 1, "it names no output folder; name a file with --output"),
        (("report", "out", "--state", "state"), 2, "give RESULT_DIR or --state, not both"),
        (("report",), 2, "give RESULT_DIR, the output folder of a run, or a state with --state"),
        (("report", "--state", "state", "--pseudonyms", "k"), 3, "--pseudonyms: a state knows workers by name"),
        (("explain", "out", "i000", "--state", "state"), 2, "give RESULT_DIR or --state, not both"),
        (("explain", "--state", "state"), 2, "give RESULT_DIR and ITEM, or --state STATE and ITEM"),
        (("explain", "out"), 2, "give RESULT_DIR and ITEM, or --state STATE and ITEM"),
        (("diff", "out", "out", "--state", "state"), 2, "give NEW or --state, not both"),
        (("diff", "out"), 2, "give NEW, the output folder of a later run, or a state with --state"),
        (
            ("escalate", "1.csv", "--state", "state"),
            2,
            "--state holds what was read; add files to it with consensus update",
        ),
        (("escalate", "--state", "state", "--seed", "3"), 3, "setting seed: the state was fitted with another one"),
        (("escalate", "--state", "python"), 1, "python: nothing was fitted yet; do that with consensus update"),
    ],
)
def test_what_is_refused(kept: list[str], run: Run, args: tuple[str, ...], code: int, told: str) -> None:
    del kept
    State.create("python", RunConfig())
    found = run(*args)
    assert found.status == code
    assert told in found.err
    assert found.err.count("\n") == 1 or code == 2


def test_a_state_of_python_is_written_where_that_is_said(files: list[str], run: Run) -> None:
    State.create("python", RunConfig())
    assert run("update", "python", files[0], "-o", "out", "-q").status == 0
    run("run", files[0], "-o", "plain", "-q")
    assert Path("out", "labels.csv").read_bytes() == Path("plain", "labels.csv").read_bytes()


def test_a_run_that_fails_leaves_no_state(files: list[str], run: Run) -> None:
    bad = write(Path("bad.csv"), [("i1", "w1", "")])
    assert run("run", str(bad), "--state", "state", "-o", "out").status == 1
    assert not Path("state").exists()
    run("run", files[0], files[0], "--state", "state", "-o", "out")
    assert len(State.open("state").manifest.events) == 1


def test_the_commands_that_look_at_a_fit_take_that_of_a_state(kept: list[str], run: Run) -> None:
    run("run", *kept, "-o", "all", "-q")
    run("update", "state", kept[1], "-o", "all2", "-q")
    assert run("explain", "--state", "state", "i000").out == run("explain", "all", "i000").out
    args = ("--target", "0.9", "-q")
    assert run("escalate", "--state", "state", *args).out == run("escalate", *kept, *args).out
    assert run("diff", "out", "--state", "state", "--json").out == run("diff", "out", "all", "--json").out
    run("report", "--state", "state", "-o", "kept.html")
    run("report", "all", "-o", "again.html")
    assert len(Path("kept.html").read_text()) > 10_000
    run("report", "--state", "state", "-q")
    assert Path("out", "report.html").exists()
    for path in Path("out").iterdir():
        path.unlink()
    Path("out").rmdir()
    told = run("report", "--state", "state")
    assert told.status == 1
    assert "out is gone; name a file with --output" in told.err


def test_what_can_not_be_used_leaves_the_state_as_it_was(kept: list[str], run: Run) -> None:
    Path("gold.csv").write_text("item,label\ni000,Nope\n")
    before = Path("state", "manifest.json").read_bytes()
    told = run("update", "state", kept[1], "--gold", "gold.csv")
    assert told.status == 1
    assert 'gold.csv:2: gold label "Nope"' in told.err
    assert Path("state", "manifest.json").read_bytes() == before
    assert {path.name.split(".")[0].split("-")[0] for path in Path("state", "parts").iterdir()} == {"000001"}
    told = run("update", "state", kept[1])
    assert "120 judgments are new" in told.err


@pytest.mark.usefixtures("kept")
def test_most_of_a_later_file_may_be_corrections(run: Run) -> None:
    for n in range(3):
        corrected = [(item, worker, LABELS[n]) for item, worker, _ in rows(120, 0)]
        write(Path(f"more{n}.csv"), corrected)
        run("update", "state", f"more{n}.csv", "-q")
    assert set(State.open("state").last().labels["label"]) == {"owl"}
