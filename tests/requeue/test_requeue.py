"""What goes out again: an export, a run, the file, answers, and a run of both; and what is refused."""

import csv
import io
import json
import os
import re
import shlex
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import consensus
from consensus.errors import RunError
from consensus.inputs.counted import counted
from consensus.requeue import PLATFORMS, REPORTS, export, objects, requeue
from tests.conftest import DIGITS, Run
from tests.naive_platforms import EXAMPLES
from tests.requeue.answers import ANSWERED, lay
from tests.strategies import examples

EXPORTS = {
    "argilla": ("argilla.json", "pos"),
    "crowdflower": ("crowdflower.csv", "red"),
    "crowdflower-json": ("crowdflower-json.json", "red"),
    "doccano": ("doccano.jsonl", "pos"),
    "label-studio": ("label-studio.json", "good"),
    "mturk": ("mturk.csv", "good"),
    "prodigy": ("prodigy.jsonl", "cat"),
    "sagemaker": ("sagemaker.json", "red"),
    "toloka": ("toloka.tsv", "cat"),
    "zooniverse": ("zooniverse.csv", "No"),
}
"""By platform: a made-up export, and an answer to its question."""


def asked_of(folder: Path) -> pd.DataFrame:
    listed = pd.read_csv(folder / "escalations.csv", dtype={"item": "str"})
    return listed[~listed["reason"].isin(["retest", "needs_expert"])]


def n_judgments(folder: Path) -> dict[str, int]:
    labels = pd.read_csv(folder / "labels.csv", dtype={"item": "str"})
    return dict(zip(labels["item"], labels["n_judgments"], strict=True))


def test_every_platform_has_a_test() -> None:
    assert set(EXPORTS) == set(ANSWERED) == set(PLATFORMS)


@pytest.mark.parametrize("platform", EXPORTS)
def test_out_and_back(platform: str, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name, label = EXPORTS[platform]
    shutil.copy(EXAMPLES / name, tmp_path)
    assert run("run", name, "-o", "before").status == 0
    sent = run("requeue", "before")
    assert sent.status == 0
    listed = asked_of(tmp_path / "before")
    file = Path(f"before-{platform}{PLATFORMS[platform].ENDING}")
    lines = sent.err.splitlines()
    n = len(listed)
    wanted = f"{counted(n, 'item')}, {counted(int(listed['judgments'].sum()), 'judgment')} to ask for"
    assert lines[-1] == f"wrote {tmp_path / file} for {platform}: {wanted}"
    step = next(line for line in lines if line.startswith("when the answers are there: "))
    answers = tmp_path / ("answers" + file.suffix)
    lay(answers, ANSWERED[platform](tmp_path / file, label))
    command = shlex.split(step.removeprefix("when the answers are there: consensus "))
    again = run(*(answers.name if one == "ANSWERS" else one for one in command), "-o", "after")
    assert again.status == 0, again.err
    before, after = n_judgments(tmp_path / "before"), n_judgments(tmp_path / "after")
    assert after == {item: n + (item in set(listed["item"])) for item, n in before.items()}
    workers = pd.read_csv(tmp_path / "after" / "workers.csv")
    assert len(workers) == len(pd.read_csv(tmp_path / "before" / "workers.csv")) + 1
    models = [tmp_path / folder / "models.csv" for folder in ("before", "after")]
    assert models[0].exists() == models[1].exists()
    if models[0].exists():  # what went out is no vote
        assert len(pd.read_csv(models[0])) == len(pd.read_csv(models[1]))
    again = run("requeue", "after", "-o", "again")  # a second round
    assert again.status == 0, again.err
    assert f"{counted(len(asked_of(tmp_path / 'after')), 'item')}, " in again.err


@pytest.mark.parametrize("platform", REPORTS)
def test_labels_as_the_platform_reports_them(platform: str, tmp_path: Path, run: Run) -> None:
    assert run("run", EXAMPLES / EXPORTS[platform][0], "-o", tmp_path / "out").status == 0
    labels = pd.read_csv(tmp_path / "out" / "labels.csv", dtype="str", keep_default_na=False)
    text = run("export", tmp_path / "out", "-o", "-").out
    if platform == "label-studio":
        found = [
            (
                one["data"]["consensus_item"],
                one["predictions"][0]["result"][0]["value"]["choices"][0],
                one["predictions"][0]["score"],
            )
            for one in json.loads(text)
        ]
    elif platform == "argilla":
        moods = [(one["id"], one["suggestions"]["mood"]) for one in json.loads(text)]
        found = [(item, mood["value"], mood["score"]) for item, mood in moods]
    elif platform == "doccano":
        lines = [json.loads(line) for line in text.splitlines()]
        assert [str(one["id"]) for one in lines] == [one["consensus_item"] for one in lines]
        said = [(one["consensus_item"], " | ".join(one["label"]), one["consensus_confidence"]) for one in lines]
        found = [(item, label, "" if sure is None else sure) for item, label, sure in said if label]
    elif platform == "prodigy":
        lines = [json.loads(line) for line in text.splitlines()]
        found = [(str(one["_input_hash"]), one["accept"][0], one["meta"]["p"]) for one in lines]
    elif platform == "sagemaker":
        ids = {
            one["dataObject"]["s3Uri"]: one["datasetObjectId"]
            for one in json.loads((EXAMPLES / EXPORTS[platform][0]).read_text())
        }
        lines = [json.loads(line) for line in text.splitlines()]
        told = [(ids[one["source-ref"]], one["consensus"], one["consensus-metadata"]) for one in lines]
        found = sorted((item, label, f"{metadata['confidence']:g}") for item, label, metadata in told)
    elif platform == "toloka":
        rows = list(csv.DictReader(text.splitlines(), delimiter="\t"))
        found = [(one["INPUT:image"], one["OUTPUT:result"], one["CONFIDENCE:result"]) for one in rows]
        labels["confidence"] = [f"{100 * float(one):.2f}%" for one in labels["confidence"]]
    elif platform == "zooniverse":
        rows = list(csv.DictReader(text.splitlines()))
        found = [(one["subject_id"], one["data.most_likely"], one["data.probability"]) for one in rows]
        for one in rows:
            of_label = one[f"data.probability.{one['data.most_likely']}"]
            assert float(one["data.probability"]) == pytest.approx(float(of_label), abs=1e-5)
            assert (one["workflow_id"], one["task"], one["reducer"]) == ("7", "T0", "consensus")
    else:
        rows = list(csv.DictReader(text.splitlines()))
        found = [(one["_unit_id"], one["colour"], one["colour:confidence"]) for one in rows]
        states = {"accepted": "finalized", "gold": "golden"}
        assert [one["_unit_state"] for one in rows] == [states.get(one, "judgable") for one in labels["status"]]
        assert [one["_golden"] for one in rows] == [str(one == "gold").lower() for one in labels["status"]]
        assert [one["_trusted_judgments"] for one in rows] == labels["n_judgments"].tolist()
        assert rows[0]["img"] == f"{rows[0]['_unit_id']}.png"
    expected = labels[(labels["n_judgments"] != "0") | (labels["n_model_votes"] != "0")]  # else it is a guess
    assert [one[:2] for one in found] == list(zip(expected["item"], expected["label"], strict=True))
    assert [str(one[2]) for one in found] == expected["confidence"].tolist()


def prodigy_lines(said: list[str], n_judged: int = 99) -> str:
    """An export of Prodigy with an answer a letter; of the items behind the first ``n_judged`` nothing is known."""
    tasks = []
    for i, answers in enumerate(said):
        task = {
            "text": f"t{i}",
            "options": [{"id": one, "text": one} for one in "ab"],
            "_input_hash": i,
            "_task_hash": i,
        }
        for w, label in enumerate(answers):
            by = {"_annotator_id": f"w{w}", "_timestamp": 1_700_000_000 + w}
            tasks.append({**task, "accept": [label], "answer": "accept" if i < n_judged else "ignore", **by})
    return "".join(json.dumps(one) + "\n" for one in tasks)


def test_items_whose_label_is_open_stand_in_no_report(tmp_path: Path, run: Run) -> None:
    (tmp_path / "j.jsonl").write_text(prodigy_lines(["aa", "bb", "aa"], 2) + "[1]\n{cut\n")
    assert run("run", tmp_path / "j.jsonl", "-o", tmp_path / "out").status == 0
    made = run("export", tmp_path / "out", "-o", "-")
    assert [json.loads(line)["_input_hash"] for line in made.out.splitlines()] == [0, 1]
    assert "1 item whose label is open is left out" in made.err


def test_a_probability_that_is_not_known_is_left_out(tmp_path: Path, run: Run) -> None:
    """Of one judgment an item nothing is known."""
    (tmp_path / "j.jsonl").write_text(prodigy_lines(["a", "b", "a", "b"]))
    assert run("run", tmp_path / "j.jsonl", "-o", tmp_path / "out").status == 0
    made = [json.loads(line) for line in run("export", tmp_path / "out", "-o", "-").out.splitlines()]
    assert [(one["accept"], one["meta"]["p"]) for one in made] == [([label], None) for label in "abab"]


def refused(run: Run, *command: object) -> str:
    made = run(*command)
    assert made.status != 0
    (line,) = made.err.splitlines()
    return line


class TestRefused:
    @pytest.fixture
    def report(self, tmp_path: Path, run: Run) -> Path:
        """A run of a report of CrowdFlower."""
        shutil.copy(EXAMPLES / "crowdflower.csv", tmp_path / "f1.csv")
        assert run("run", tmp_path / "f1.csv", "-o", tmp_path / "out").status == 0
        return tmp_path / "out"

    def test_a_plain_table_does_not_tell_the_platform(self, tmp_path: Path, run: Run) -> None:
        assert run("run", DIGITS / "judgments.csv", "-o", tmp_path / "out").status == 0
        known = "argilla, crowdflower, crowdflower-json, doccano, label-studio, mturk, prodigy, sagemaker, toloka, "
        known += "zooniverse"
        said = refused(run, "requeue", tmp_path / "out")
        assert said == f"consensus: the judgments are a plain table; name a platform with --to: {known}"
        said = refused(run, "requeue", tmp_path / "out", "--to", "toloca")
        assert said == f'consensus: --to: unknown platform "toloca"; known are {known}'
        said = refused(run, "requeue", tmp_path / "out", "--to", "toloka")
        assert "the judgments have no columns INPUT:, so nothing tells what a task shows" in said
        assert "the judgments have no columns Input." in refused(run, "requeue", tmp_path / "out", "--to", "mturk")

    def test_a_platform_that_nothing_goes_back_to(self, tmp_path: Path, run: Run) -> None:
        assert run("run", EXAMPLES / "mace.csv", "-o", tmp_path / "out").status == 0
        assert "no file goes back to mace yet; name a platform with --to" in refused(run, "requeue", tmp_path / "out")

    def test_the_export_of_another_platform(self, report: Path, run: Run) -> None:
        said = refused(run, "requeue", report, "--to", "prodigy")
        assert said == (
            "consensus: --to prodigy: the judgments are an export of crowdflower, and the file needs what one of "
            "prodigy holds"
        )

    def test_test_questions_and_reports_where_there_are_none(self, tmp_path: Path, run: Run) -> None:
        assert run("run", EXAMPLES / "mturk.csv", "-o", tmp_path / "out").status == 0
        said = refused(run, "requeue", tmp_path / "out", "--gold")
        assert said.endswith(
            "mturk takes no test questions in a file of tasks (crowdflower and crowdflower-json do); leave it out"
        )
        said = refused(run, "export", tmp_path / "out")
        assert said == "consensus: --to mturk: the platform has no report of labels; use labels.csv, or --approve"

    def test_numbers_and_places(self, report: Path, run: Run, tmp_path: Path) -> None:
        assert refused(run, "requeue", report, "--top", "0") == "consensus: --top = 0: expected 1 or more"
        said = refused(run, "requeue", report, "-o", tmp_path / "f1.csv")
        assert said.endswith("this is the export that was read, and it would be lost; choose another --output")
        said = refused(run, "requeue", report, "-o", tmp_path)
        assert said.endswith("a folder stands there; name a file")
        assert run("requeue").status == 2
        assert run("requeue", report, "--state", report).status == 2

    def test_an_export_that_moved_or_changed(self, report: Path, tmp_path: Path) -> None:
        result = consensus.load(report)
        (tmp_path / "f1.csv").rename(tmp_path / "f2.csv")
        gone = f"{tmp_path}/f1.csv: its input {tmp_path}/f1.csv is not there; name where it is now with source="
        with pytest.raises(RunError, match=f"^{re.escape(gone)}$"):
            requeue(result)
        assert requeue(result, source=[tmp_path / "f2.csv"]).n_items == 3
        (tmp_path / "f1.csv").write_text("other")
        with pytest.raises(RunError, match="f1.csv has changed since; name the one that was read with source="):
            requeue(result)

    def test_an_export_that_moved_by_the_command(self, report: Path, tmp_path: Path, run: Run) -> None:
        sent = run("requeue", report, "-o", "-").out
        (tmp_path / "f1.csv").rename(tmp_path / "f2.csv")
        said = refused(run, "requeue", report, "-o", "-")
        assert said.endswith(f"its input {tmp_path}/f1.csv is not there; name where it is now with --source")
        for command in ("requeue", "export"):
            assert run(command, report, "-o", "-", "--source", tmp_path / "f2.csv").status == 0
        assert run("requeue", report, "-o", "-", "--source", tmp_path / "f2.csv").out == sent
        with (tmp_path / "f2.csv").open("a") as file:
            file.write("\n")
        said = refused(run, "requeue", report, "-o", "-", "--source", tmp_path / "f2.csv")
        assert said.endswith("f2.csv has changed since; name the one that was read with --source, or run again")

    def test_a_pipe_is_written_to_and_stays_one(self, report: Path, tmp_path: Path, run: Run) -> None:
        os.mkfifo(tmp_path / "pipe")
        with ThreadPoolExecutor(1) as pool:
            got = pool.submit((tmp_path / "pipe").read_bytes)
            assert run("requeue", report, "-o", tmp_path / "pipe").status == 0
            assert got.result(60).startswith(b"consensus_item,")
        assert (tmp_path / "pipe").is_fifo()

    @pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="this system has no /dev/full")
    def test_a_device_is_written_to_and_stays_one(self, report: Path, run: Run) -> None:
        assert refused(run, "requeue", report, "-o", "/dev/full").startswith("consensus: /dev/full: ")
        assert Path("/dev/full").is_char_device()

    def test_tables_in_memory(self) -> None:
        drawn = consensus.simulate(20, 5, 2, 3, seed=1)
        with pytest.raises(RunError, match="its judgments were tables in memory; write them to a file, and run that"):
            requeue(consensus.run(drawn.judgments_table()), "crowdflower")

    def test_label_studio_without_tasks_or_choices(self, tmp_path: Path, run: Run) -> None:
        tasks = json.loads((EXAMPLES / "label-studio.json").read_text())
        for task in tasks:
            for one in task["annotations"]:
                for answer in one["result"]:
                    if isinstance(answer, dict) and answer["from_name"] == "mood":
                        answer |= {"type": "rating", "value": {"rating": len(answer["value"]["choices"][0])}}
            task["predictions"] = []
        (tmp_path / "ratings.json").write_text(json.dumps(tasks))
        assert run("run", tmp_path / "ratings.json", "--label", "mood", "-o", tmp_path / "ratings").status == 0
        said = refused(run, "requeue", tmp_path / "ratings")
        assert said.endswith('"mood" is no question of choices, so nothing tells how a label is written')
        rows = [
            {"id": i, "text": f"t{i}", "mood": label, "annotator": w, "annotation_id": 10 * i + w, "lead_time": 2.0,
             "created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z"}
            for i in range(3) for w, label in enumerate("aba")
        ]  # fmt: skip
        (tmp_path / "flat.json").write_text(json.dumps(rows))
        assert run("run", tmp_path / "flat.json", "-o", tmp_path / "flat", "--label", "mood").status == 0
        said = refused(run, "requeue", tmp_path / "flat")
        assert said.endswith("a flat export (CSV, JSON-MIN) has no tasks; export JSON, and run that")

        pd.DataFrame(rows).to_csv(tmp_path / "flat.csv", index=False)
        assert run("run", tmp_path / "flat.csv", "-o", tmp_path / "csv", "--label", "mood").status == 0
        assert refused(run, "requeue", tmp_path / "csv").endswith("has no tasks; export JSON, and run that")

    def test_items_that_have_other_names_in_the_run(self, tmp_path: Path, run: Run) -> None:
        """Several spellings are one item, so that no task has its name."""
        (tmp_path / "j.jsonl").write_text(
            prodigy_lines(["ab", "ba"]).replace('"_input_hash": 0', '"_input_hash": "T 0"')
        )
        assert run("run", tmp_path / "j.jsonl", "-o", tmp_path / "out").status == 0
        result = consensus.load(tmp_path / "out")
        ids = result.result.judgments.item_ids.to_pylist()
        with pytest.raises(RunError, match='no task in it is about item "other" \\(1 items are missing\\)'):
            objects.by_item((tmp_path / "j.jsonl",), lambda _: [], lambda _: None, {"other"})
        assert ids == ["1", "T 0"]

    def test_prodigy_without_options_or_of_a_part(self, tmp_path: Path, run: Run) -> None:
        binary = "".join(
            json.dumps({"text": f"t{i}", "label": "spam", "answer": one, "_task_hash": i, "_input_hash": i,
                        "_annotator_id": f"w{w}", "_timestamp": 1}) + "\n"
            for i, said in enumerate(["aar", "rra", "ara"])
            for w, one in enumerate({"a": "accept", "r": "reject"}[letter] for letter in said)
        )  # fmt: skip
        (tmp_path / "binary.jsonl").write_text(binary)
        assert run("run", tmp_path / "binary.jsonl", "-o", tmp_path / "binary").status == 0
        assert run("requeue", tmp_path / "binary", "-o", "-").status == 0
        assert refused(run, "export", tmp_path / "binary").endswith("a report needs tasks with options; use labels.csv")
        parts = [
            {"text": f"t{i}", "options": [{"id": one} for one in ("x: a", "x: b", "y: c", "y: d")], "_input_hash": i,
             "_task_hash": i, "accept": [f"x: {said}", "y: c"], "answer": "accept", "_annotator_id": w, "_timestamp": 1}
            for i in range(3) for w, said in zip("uvw", "aba", strict=True)
        ]  # fmt: skip
        (tmp_path / "parts.jsonl").write_text("".join(json.dumps(one) + "\n" for one in parts))
        assert run("run", tmp_path / "parts.jsonl", "--label", "x", "-o", tmp_path / "parts").status == 0
        assert refused(run, "requeue", tmp_path / "parts").endswith(
            '"x" is a part of a question; nothing tells how to ask it'
        )


def test_as_many_as_they_need_and_the_first_ones(tmp_path: Path, run: Run) -> None:
    assert run("run", EXAMPLES / "crowdflower.csv", "-o", tmp_path / "out").status == 0
    listed = asked_of(tmp_path / "out")
    made = run("requeue", tmp_path / "out", "--until-settled", "--top", "2", "-o", "-")
    rows = list(csv.DictReader(made.out.splitlines()))
    assert [one["consensus_item"] for one in rows] == listed["item"].tolist()[:2]
    assert [int(one["consensus_judgments"]) for one in rows] == np.ceil(listed["judgments_needed"]).astype(
        int
    ).tolist()[:2]
    assert f"{len(listed) - 2} item behind the first 2: left out" in made.err


def test_proposed_test_questions(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "f9.csv"
    drawn = consensus.simulate(60, 12, 2, 6, accuracy=0.9, seed=3)
    table = drawn.judgments_table().rename(columns={"item": "_unit_id", "worker": "_worker_id", "label": "colour"})
    table = table.assign(_id=range(len(table)), _trust="1", _tainted="false", img=table["_unit_id"] + ".png")
    table.to_csv(path, index=False)
    assert run("run", path, "--label", "colour", "-o", tmp_path / "out").status == 0
    made = run("requeue", tmp_path / "out", "--gold", "-o", "-")
    rows = list(csv.DictReader(made.out.splitlines()))
    proposed = consensus.load(tmp_path / "out").table("new_gold")
    asked = set(asked_of(tmp_path / "out")["item"])
    expected = proposed[~proposed["item"].isin(asked)]
    found = [one for one in rows if one["_golden"] == "TRUE"]
    assert len(expected) > 0
    assert [(one["consensus_item"], one["colour_gold"]) for one in found] == list(
        zip(expected["item"], expected["label"], strict=True)
    )
    assert all(one["img"] == f"{one['consensus_item']}.png" for one in rows)
    assert {one["consensus_item"] for one in rows if one["_golden"] == "FALSE"} == asked
    assert f"{len(found)} test questions are proposed: look at each before use" in made.err


def test_experts_and_retests_are_left_out_and_that_is_said() -> None:
    run = consensus.run(EXAMPLES / "toloka.tsv")
    rows = run.escalations.head(3).assign(reason=["needs_expert", "retest", "disagreement"])
    rows = rows.assign(confidence=float("nan"), judgments_needed=float("nan"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(run), "escalations", property(lambda _: rows))
        sent = requeue(run, until_settled=True)
    assert sent.said[-2:] == (
        "1 item needs an expert, whom no crowd replaces: left out",
        "1 retest of workers: left out, for no file names the worker who gets a task",
    )
    assert sent.content.decode() == f"INPUT:image\tTASK:overlap\n{rows['item'].iloc[2]}\t1\n"


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=12)


@examples(40)
@given(st.lists(cells, min_size=3, max_size=6), st.sampled_from(["crowdflower", "toloka", "mturk"]))
def test_source_columns_are_as_they_were(texts: list[str], platform: str) -> None:
    texts = [text if text.strip() else "" for text in texts]
    with TemporaryDirectory() as name:
        path = Path(name, "export")
        shown = {"crowdflower": "", "toloka": "INPUT:", "mturk": "Input."}[platform]
        rows = []
        for n, text in enumerate(texts):
            for w in range(2):
                source = {f"{shown}key": f"k{n}", f"{shown}free text": text}
                if platform == "crowdflower":
                    own = {
                        "_unit_id": f"k{n}",
                        "_worker_id": f"w{w}",
                        "_id": "1",
                        "_trust": "1",
                        "colour": "ab"[(n + w) % 2],
                    }
                elif platform == "toloka":
                    own = {"OUTPUT:result": "ab"[(n + w) % 2], "ASSIGNMENT:worker_id": f"w{w}", "ASSIGNMENT:link": "x"}
                else:
                    own = {"HITId": f"h{n}", "AssignmentId": f"{n}-{w}", "WorkerId": f"w{w}", "HITTypeId": "t"}
                    own |= {"AssignmentStatus": "Approved", "Answer.colour": "ab"[(n + w) % 2]}
                rows.append({**own, **source})
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter="\t" if platform == "toloka" else ",")
            writer.writeheader()
            writer.writerows(rows)
        named = {"crowdflower": ("_unit_id", "colour"), "toloka": ("INPUT:key", "OUTPUT:result")}
        item, label = named.get(platform, ("Input.key", "Answer.colour"))
        run = consensus.run(path, item=item, label=label, platform=platform)
        sent = requeue(run)
        made = csv.DictReader(
            io.StringIO(sent.content.decode(), newline=""), delimiter="\t" if platform == "toloka" else ","
        )
        shown = "INPUT:" if platform == "toloka" else ""
        found = {one[f"{shown}key"]: one[f"{shown}free text"] for one in made}
        assert found == {f"k{n}": text for n, text in enumerate(texts) if f"k{n}" in found}
        assert len(found) == sent.n_items > 0


def test_a_state_and_items_that_nobody_judged(tmp_path: Path, run: Run) -> None:
    """What was uploaded is called without its beginning, and what nobody said anything of has no label."""
    tasks = []
    for i, said in enumerate(["aa", "ab", "--"]):
        choice = {"from_name": "q", "to_name": "t", "type": "choices"}
        answers = [
            {"id": 10 * i + w, "completed_by": w, "was_cancelled": one == "-", "lead_time": 2.0,
             "created_at": "2024-01-01T00:00:00Z", "ground_truth": False,
             "result": [] if one == "-" else [{**choice, "value": {"choices": [one]}}]}
            for w, one in enumerate(said)
        ]  # fmt: skip
        tasks.append({"id": i, "data": {"file": f"/data/upload/1/0a1b2c{i}d-p{i}.png"}, "annotations": answers})
    (tmp_path / "j.json").write_text(json.dumps(tasks))
    more = ["--item", "file", "--state", tmp_path / "state"]
    assert run("run", tmp_path / "j.json", *more, "-o", tmp_path / "out").status == 0
    made = run("export", "--state", tmp_path / "state", "-o", "-")
    found = {one["data"]["consensus_item"]: "predictions" in one for one in json.loads(made.out)}
    assert found == {"p0.png": True, "p1.png": True, "p2.png": False}
    assert run("export", "--state", tmp_path / "state", "-o", tmp_path / "x.json").status == 0
    assert json.loads((tmp_path / "x.json").read_text()) == json.loads(made.out)


def test_columns_that_differ_within_an_item_are_answers(tmp_path: Path) -> None:
    rows = [
        {"_unit_id": f"u{n}", "_worker_id": f"w{w}", "_id": "1", "_trust": "1", "colour": "ab"[(n + w) % 2],
         "comment": f"{n}{w}", "img": f"{n}.png", "colour_gold": ""}
        for n in range(4) for w in range(2)
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(tmp_path / "f.csv", index=False)
    for made in (requeue, export):
        sent = made(consensus.run(tmp_path / "f.csv"))
        assert "differ between judgments of an item, so they are answers and left out: comment" in sent.said
        assert b"img" in sent.content
        assert b"comment" not in sent.content


def test_beside_a_run(tmp_path: Path, run: Run) -> None:
    shutil.copy(EXAMPLES / "toloka.tsv", tmp_path)
    assert run("run", tmp_path / "toloka.tsv", "-o", tmp_path / "out", "--requeue", "toloka").status == 0
    written = (tmp_path / "out-toloka.tsv").read_text()
    assert run("requeue", tmp_path / "out", "-o", "-").out == written
    said = refused(run, "run", tmp_path / "toloka.tsv", "-o", tmp_path / "out2", "--requeue", "no such")
    assert said.startswith('consensus: --to: unknown platform "no such"; known are argilla, crowdflower')
    said = refused(
        run, "run", tmp_path / "toloka.tsv", "-o", tmp_path / "out2", "--requeue", "toloka", "--by", "question"
    )
    assert said.startswith("consensus: --requeue: a run of several questions writes no file for a platform")
    assert not (tmp_path / "out2").exists()


def test_columns_that_only_some_files_have(tmp_path: Path, run: Run) -> None:
    every = pd.read_csv(EXAMPLES / "crowdflower.csv", dtype="str", keep_default_na=False)
    every[:14].to_csv(tmp_path / "a.csv", index=False)
    every[14:].assign(more="x").to_csv(tmp_path / "b.csv", index=False)
    assert run("run", tmp_path / "a.csv", tmp_path / "b.csv", "-o", tmp_path / "out").status == 0
    made = run("requeue", tmp_path / "out", "-o", "-")
    assert made.status == 0
    assert made.out.splitlines()[0] == "consensus_item,consensus_judgments,consensus_reason,index,img"
    assert "not in all files, so they are left out: more" in made.err


class TestApprove:
    @pytest.fixture
    def results(self, tmp_path: Path) -> Path:
        """Results of 12 workers, of whom one guesses; nobody decided yet, but for two assignments."""
        drawn = consensus.simulate(150, 12, 3, 8, accuracy=0.95, spammers=1 / 12, seed=5)
        table = drawn.judgments_table()
        rows = pd.DataFrame({
            "HITId": "h" + table["item"], "HITTypeId": "t", "AssignmentId": [f"a{n}" for n in range(len(table))],
            "WorkerId": table["worker"], "AssignmentStatus": "Submitted", "Input.id": table["item"],
            "Answer.mood": table["label"], "Approve": "", "Reject": "",
        })  # fmt: skip
        rows.loc[0, "AssignmentStatus"] = "Approved"
        rows.loc[1, "Reject"] = "by hand"
        rows.to_csv(tmp_path / "batch.csv", index=False)
        return tmp_path / "batch.csv"

    def test_who_is_sure_to_guess_is_rejected_with_the_reason(self, results: Path, run: Run, tmp_path: Path) -> None:
        assert run("run", results, "-o", tmp_path / "out").status == 0
        made = run("export", tmp_path / "out", "--approve", "-o", "-")
        assert made.status == 0
        found = pd.read_csv(io.StringIO(made.out), keep_default_na=False, dtype="str")
        before = pd.read_csv(results, keep_default_na=False, dtype="str")
        pd.testing.assert_frame_equal(
            found.drop(columns=["Approve", "Reject"]), before.drop(columns=["Approve", "Reject"])
        )
        workers = pd.read_csv(tmp_path / "out" / "workers.csv")
        bad = workers[workers["verdict"].isin(["spammer", "adversarial"]) & (workers["verdict_probability"] >= 0.99)]
        (who,) = bad["worker"]
        mine = (found["WorkerId"] == who).to_numpy() & (np.arange(len(found)) > 1)
        assert set(found["Reject"].to_numpy()[mine]) == {bad["reason"].iloc[0]}
        assert set(found["Approve"].to_numpy()[~mine & (np.arange(len(found)) > 1)]) == {"x"}
        assert found[["Approve", "Reject"]].iloc[0].tolist() == ["", ""]
        assert found[["Approve", "Reject"]].iloc[1].tolist() == ["", "by hand"]
        n = int(mine.sum())
        assert f"{len(found) - 2 - n:,} assignments approved, {n:,} rejected of 1 worker" in made.err
        assert "read each reason before you upload it: a rejection stays with a worker" in made.err

    def test_rows_that_end_before_the_decisions_are_read(self, results: Path, run: Run, tmp_path: Path) -> None:
        """Empty cells at the end may be missing."""
        whole = results.read_text()
        results.write_text("".join(f"{line.rstrip(',')}\n" for line in whole.splitlines()))
        assert len(results.read_text()) < len(whole)
        assert run("run", results, "-o", tmp_path / "out").status == 0
        short = run("export", tmp_path / "out", "--approve", "-o", "-").out
        results.write_text(whole)
        assert run("run", results, "-o", tmp_path / "whole").status == 0
        assert run("export", tmp_path / "whole", "--approve", "-o", "-").out == short

    def test_nobody_is_rejected_for_few_judgments(self, run: Run, tmp_path: Path) -> None:
        assert run("run", EXAMPLES / "mturk.csv", "-o", tmp_path / "out").status == 0
        made = run("export", tmp_path / "out", "--approve", "-o", "-")
        found = pd.read_csv(io.StringIO(made.out), keep_default_na=False, dtype="str")
        before = pd.read_csv(EXAMPLES / "mturk.csv", keep_default_na=False, dtype="str")
        assert (found["Reject"] == before["Reject"]).all()
        assert "0 rejected of 0 workers" in made.err

    def test_what_it_is_not_for(self, results: Path, run: Run, tmp_path: Path) -> None:
        (tmp_path / "key").write_bytes(b"a secret that only we know")
        assert run("run", results, "-o", tmp_path / "named", "--pseudonyms", tmp_path / "key").status == 0
        assert "--approve: workers have pseudonyms" in refused(run, "export", tmp_path / "named", "--approve")
        assert run("run", EXAMPLES / "toloka.tsv", "-o", tmp_path / "toloka").status == 0
        said = refused(run, "export", tmp_path / "toloka", "--approve")
        assert said.endswith("assignments are approved at mturk, and these files are of toloka; leave it out")
        text = results.read_text()
        results.write_text(text.replace("AssignmentStatus", "LifetimeApprovalRate"))
        assert run("run", results, "-o", tmp_path / "without").status == 0
        assert "is no results file with AssignmentStatus and WorkerId" in refused(
            run, "export", tmp_path / "without", "--approve"
        )
        results.write_text(text + "h1,t,too,many,cells,in,this,row,of,all\n")
        assert run("run", results, "-o", tmp_path / "odd").status == 0
        assert "for no row may be lost" in refused(run, "export", tmp_path / "odd", "--approve")
