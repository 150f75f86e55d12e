"""SageMaker Ground Truth: jobs whose answers join by item and not by number, and manifests that lose nothing."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import consensus
from consensus.errors import ConfigError, FormatError, RunError
from consensus.formats import read_model_votes
from consensus.requeue import export, manifests, requeue
from tests.conftest import Run
from tests.naive_platforms import EXAMPLES
from tests.requeue.answers import lay, sagemaker
from tests.requeue.test_requeue import asked_of, n_judgments
from tests.strategies import examples

CLASSES = ["red", "green", "blue"]
ELEMENT = "crowd-image-classifier"
N = 24
LABELS = ["".join("rgb"[(i + (w == 3) * (i % 5 == 0)) % 3] for w in range(4 - i % 2)) for i in range(N)]
"""Of each object, a letter an answer: mostly the same, so that some are settled and some are not."""


def metadata(name: str, job: str = "labeling-job/colour", **more: Any) -> dict[str, Any]:
    told = {"class-name": name, "confidence": 0.95, "type": "groundtruth/image-classification", "job-name": job}
    return {**told, "human-annotated": "yes", "creation-date": "2020-05-01T10:00:00.000000", **more}


def lines_of(key: str = "source-ref", n: int = N, names: list[str] = CLASSES) -> list[str]:
    """An output manifest, written with blanks that json.dumps would not write."""
    made = []
    for i in range(n):
        name = names[i % len(names)]
        source = f'"{key}" :"s3://b/{i}.png" , "size": 1.50e1,"note" : "caf\\u00e9 {i}"'
        made.append(f'{{{source}, "colour": {names.index(name)}, "colour-metadata": {json.dumps(metadata(name))}}}')
    return made


def job(folder: Path, said: list[str], lines: list[str] | None, element: str = ELEMENT) -> Path:
    """The folder of a job: letters of colours by object, a worker a letter."""
    files = {}
    for i, letters in enumerate(said):
        for w, letter in enumerate(letters):
            label = next((one for one in CLASSES if one.startswith(letter)), "")
            told = {"answerContent": {element: {"label": label}}, "workerId": f"w{w}"}
            told |= {"submissionTime": f"2020-05-01T10:{w:02}:{i:02}.500Z"}
            files[f"annotations/worker-response/iteration-1/{i}/{w}.json"] = json.dumps({"answers": [told]})
    if lines is not None:
        files["manifests/output/output.manifest"] = "".join(line + "\n" for line in lines)
    lay(folder, files)
    return folder


def objects(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.decode().removesuffix("\n").split("\n")]


@pytest.mark.parametrize("key", ["source-ref", "source"])
def test_two_jobs_and_a_third_join_by_item(key: str, tmp_path: Path, run: Run) -> None:
    """Texts are called by their number, which another job gives to another text."""
    first = job(tmp_path / "job", LABELS, lines_of(key))
    folders: list[Path] = [first]
    for step in range(2):
        out = tmp_path / f"out{step}"
        assert run("run", *folders, "-o", out).status == 0
        made = run("requeue", out, "-o", tmp_path / f"again{step}.manifest")
        assert made.status == 0, made.err
        listed = asked_of(out)
        sent = objects((tmp_path / f"again{step}.manifest").read_bytes())
        assert [one["consensus_item"] for one in sent] == listed["item"].tolist()
        assert [one["consensus_judgments"] for one in sent] == listed["judgments"].tolist()
        assert 0 < len(sent) < N
        assert sent[0]["consensus_item"] != "0"
        folders.append(tmp_path / f"again{step}")
        lay(folders[-1], sagemaker(tmp_path / f"again{step}.manifest", "red", ELEMENT, f"n{step}"))
        assert run("run", *folders, "-o", tmp_path / f"after{step}").status == 0
        before, after = n_judgments(out), n_judgments(tmp_path / f"after{step}")
        assert after == {item: n + (item in set(listed["item"])) for item, n in before.items()}


def test_what_goes_out_is_the_line_without_the_label_of_the_job(tmp_path: Path) -> None:
    lines = lines_of()
    other = f'"indoors":1, "indoors-metadata": {json.dumps(metadata("yes", "labeling-job/indoors"))}'
    lines = [f"{line[:-1]}, {other}, " + '"source-ref-metadata": {"type": "groundtruth/x"}}' for line in lines]
    found = consensus.run(job(tmp_path / "Colour", LABELS, lines))
    for text in requeue(found).content.decode().splitlines():
        one = json.loads(text)
        i = int(one["source-ref"].removeprefix("s3://b/").removesuffix(".png"))
        begin = (
            f'{{"source-ref": "s3://b/{i}.png", "size": 1.50e1, "note": "caf\\u00e9 {i}", "indoors": 1, "indoors-meta'
        )
        assert text.startswith(begin)
        assert one["consensus_item"] == one["source-ref"]
        assert "colour" not in one
        assert one["indoors-metadata"] == metadata("yes", "labeling-job/indoors")
    (tmp_path / "Colour").rename(tmp_path / "moved")
    told = (
        '^to="sagemaker": the manifest has labels of several jobs: colour \\(job colour\\), indoors \\(job indoors\\); '
        "give the folder the name of the job"
    )
    with pytest.raises(ConfigError, match=told):
        requeue(found, source=[tmp_path / "moved"])


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
names = st.text(max_size=6).filter(lambda one: not one.startswith(("$", "consensus_", "source")))


@examples(30)
@given(st.lists(st.dictionaries(names, values, max_size=4), min_size=2, max_size=4), st.booleans(), st.integers(0, 3))
def test_attributes_are_as_they_were(told: list[dict[str, Any]], escaped: bool, blanks: int) -> None:
    """Every value comes back to the byte, in requeue and in export."""
    apart = (" " * blanks + ",\t", ":" + " " * blanks)
    with TemporaryDirectory() as name:
        lines = [
            json.dumps({"source": f"t{i}", **one}, ensure_ascii=escaped, separators=apart) for i, one in enumerate(told)
        ]
        path = job(Path(name, "job"), ["rgb"] * len(told), lines)
        held = list(manifests.manifests_of((path,), None)[0].entries)
        assert [entry.item for entry in held] == [str(i) for i in range(len(told))]
        for entry, line, one in zip(held, lines, told, strict=True):
            assert [key for key, _ in entry.pairs] == ["source", *one]
            for key, value in entry.pairs:
                assert value in line
                assert json.loads(value) == {"source": entry.value("source"), **one}[key]
        found = consensus.run(path)
        for sent in (requeue(found), export(found)):
            by_text = {one["source"]: one for one in objects(sent.content)}
            assert set(by_text) == {f"t{i}" for i in range(len(told))}
            for i, one in enumerate(told):
                assert {key: by_text[f"t{i}"][key] for key in one} == one


class TestReport:
    def test_fields_are_those_of_the_platform(self, tmp_path: Path) -> None:
        path = job(tmp_path / "job", LABELS, lines_of())
        found = consensus.run(path)
        sent = export(found)
        labels = found.labels.set_index("item")
        every = objects(sent.content)
        assert [one["source-ref"] for one in every] == [f"s3://b/{i}.png" for i in range(N)]
        for i, one in enumerate(every):
            label, sure = labels.loc[one["source-ref"], ["label", "confidence"]]
            last = len(LABELS[i]) - 1
            assert one["colour"] == CLASSES.index(label)
            assert one["colour-metadata"] == {
                "class-name": label,
                "confidence": round(sure, 6),
                "type": "groundtruth/image-classification",
                "job-name": "labeling-job/colour",
                "human-annotated": "yes",
                "creation-date": f"2020-05-01T10:{last:02}:{i:02}.500000",
            }
            assert list(one) == ["source-ref", "size", "note", "colour", "colour-metadata"]
        assert sent.said == ("confidence is the probability of the label, creation-date the time of its last judgment",)
        assert export(consensus.run(path)).content == sent.content
        (tmp_path / "output.manifest").write_bytes(sent.content)
        votes = read_model_votes(tmp_path / "output.manifest")
        assert votes.n_votes == N

    def test_numbers_that_the_manifest_does_not_tell_are_guessed_and_said(self, tmp_path: Path) -> None:
        lines = [
            line.replace('"colour": 0', '"colour": "0"').replace('"colour": 2', '"colour": "2"') for line in lines_of()
        ]
        lines = [line for line in lines if '"green"' not in line]
        said = [letters for i, letters in enumerate(LABELS) if i % 3 != 1]
        sent = export(consensus.run(job(tmp_path / "job", ["ggg", *said[1:]], lines)))
        first = objects(sent.content)[0]
        assert (first["colour"], first["colour-metadata"]["class-name"]) == ("1", "green")
        assert 'the manifest does not tell the numbers of some classes, which are guessed: green = "1"' in sent.said

    def test_a_manifest_without_labels_and_old_answers(self, tmp_path: Path) -> None:
        """Objects that nobody judged stay as they are, and open labels stay out."""
        lines = [f'{{"source": "t{i}"}}' for i in range(N + 1)]
        path = job(tmp_path / "job", ["---", *LABELS[1:]], lines, "crowd-classifier")
        for file in path.rglob("*.json"):
            file.write_text(file.read_text().replace("submissionTime", "sent"))
        sent = export(consensus.run(path))
        made = objects(sent.content)
        assert made[0] == {"source": "t0"}
        assert made[-1] == {"source": f"t{N}"}
        assert made[1]["consensus"] == made[1]["consensus-metadata"]["class-name"] == "green"
        assert made[1]["consensus-metadata"]["type"] == "groundtruth/text-classification"
        assert "creation-date" not in made[1]["consensus-metadata"]
        assert sent.said == (
            'nothing tells the label attribute and the job: both are "consensus"',
            "nothing tells the numbers of the classes: labels are their names",
            "confidence is the probability of the label, creation-date the time of its last judgment",
            "1 object whose label is open: without a label",
            "1 object that nobody judged: as the manifest has them",
            f"{N - 1} labels without creation-date, for no judgment tells its time",
        )

    def test_what_only_a_model_said_is_annotated_by_no_human(self, tmp_path: Path) -> None:
        path = job(tmp_path / "job", ["---", *LABELS[1:]], lines_of())
        items = [f"s3://b/{i}.png" for i in range(N)]
        votes = pd.DataFrame({"item": items, "model": "m", "label": [CLASSES[i % 3] for i in range(N)]})
        every = objects(export(consensus.run(path, model_votes=votes)).content)
        assert [one["colour-metadata"]["human-annotated"] for one in every] == ["no"] + ["yes"] * (N - 1)
        assert "creation-date" not in every[0]["colour-metadata"]

    def test_of_two_jobs_each_item_stands_once(self, tmp_path: Path) -> None:
        path = job(tmp_path / "job", LABELS, lines_of())
        (tmp_path / "again.manifest").write_bytes(requeue(consensus.run(path)).content)
        lay(tmp_path / "again", sagemaker(tmp_path / "again.manifest", "red", ELEMENT))
        every = objects(export(consensus.run([path, tmp_path / "again"])).content)
        assert [one["source-ref"] for one in every] == [f"s3://b/{i}.png" for i in range(N)]
        assert not any("again" in one or "consensus_item" in one for one in every)

    def test_several_classes_are_refused(self, tmp_path: Path) -> None:
        lines = [line.replace("image-classification", "image-classification-multilabel") for line in lines_of()]
        found = consensus.run(job(tmp_path / "job", LABELS, lines))
        with pytest.raises(ConfigError, match="an object has several classes, and a label is one; use labels.csv"):
            export(found)
        assert requeue(found).n_items > 0


class TestRefused:
    def test_answers_without_a_manifest(self, tmp_path: Path) -> None:
        found = consensus.run(job(tmp_path / "a/b/c/job", LABELS, None))
        with pytest.raises(
            ConfigError, match="job has no manifest beside it, so nothing tells what was shown; fetch the"
        ):
            requeue(found)

    def test_items_by_another_field(self, tmp_path: Path) -> None:
        found = consensus.run(job(tmp_path / "job", LABELS, lines_of()), item="object")
        told = "items are named by object, which the answers of another job do not tell; run without item="
        with pytest.raises(ConfigError, match=told):
            requeue(found)
        assert len(objects(export(found).content)) == N
        with pytest.raises(
            RunError, match='no line of a manifest is about item "1" \\(1 items are missing\\); read the'
        ):
            export(consensus.run(tmp_path / "job", item="iteration", repeats="first"))

    def test_a_request_that_does_not_tell_what_was_shown(self, tmp_path: Path) -> None:
        asked = json.loads((EXAMPLES / "sagemaker.json").read_text())
        del asked[1]["dataObject"]
        (tmp_path / "r.json").write_text(json.dumps(asked))
        told = 'object "1" of .*r.json has neither dataObject.s3Uri nor dataObject.content'
        with pytest.raises(ConfigError, match=told):
            requeue(consensus.run(tmp_path / "r.json"))
        for one in asked:
            one["dataObject"] = {"content": f"text {one['datasetObjectId']} \ud800", "s3Uri": "s3://b/x"}
        (tmp_path / "r.json").write_text(json.dumps(asked))
        sent = objects(requeue(consensus.run(tmp_path / "r.json")).content)
        assert {one["source"] for one in sent} <= {f"text {i} \ud800" for i in range(9)}
        assert not any("source-ref" in one for one in sent)

    @pytest.mark.parametrize("line", ["[1]", '{"source": ', '"text"'])
    def test_a_line_that_is_none(self, tmp_path: Path, line: str) -> None:
        lines = lines_of()
        found = consensus.run(job(tmp_path / "job", LABELS[:-1], [*lines[:-1], "", line]))
        with pytest.raises(
            FormatError, match=f"output.manifest:{N + 1}: the line is no JSON object; correct it, for no"
        ):
            export(found)

    def test_lines_that_are_longer_than_a_job_takes(self, tmp_path: Path) -> None:
        lines = [line[:-1] + ', "x": "' + "x" * 99_950 + '"}' for line in lines_of()]
        sent = requeue(consensus.run(job(tmp_path / "job", LABELS, lines)))
        told = (
            f"{sent.n_items} lines are longer than a job takes (100,000 characters, 20,000 an attribute): shorten what"
        )
        assert sent.said[0].startswith(told)

    def test_what_was_read_is_not_written_over(self, tmp_path: Path, run: Run) -> None:
        path = job(tmp_path / "job", LABELS, lines_of())
        assert run("run", path / "annotations", "-o", tmp_path / "out").status == 0
        for file in ("manifests/output/output.manifest", "annotations/new"):
            made = run("export", tmp_path / "out", "-o", path / file)
            assert made.status != 0
            assert made.err.endswith(
                "this is the export that was read, and it would be lost; choose another --output\n"
            )


def test_as_many_judgments_as_each_needs_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = consensus.run(job(tmp_path / "job", LABELS, lines_of()))
    told = "all objects of a job go to as many workers; consensus_judgments tells how many each needs"
    listed = found.escalations.assign(judgments=2, reason="disagreement")
    monkeypatch.setattr(type(found), "escalations", property(lambda _: listed))
    assert told not in requeue(found).said
    listed.loc[listed.index[0], "judgments"] = 3
    sent = requeue(found)
    assert told in sent.said
    assert [one["consensus_judgments"] for one in objects(sent.content)] == [3] + [2] * (len(listed) - 1)
    assert sent.n_judgments == 2 * len(listed) + 1


def test_labels_of_a_template_are_called_by_their_names(tmp_path: Path) -> None:
    """What the function of a template made is no number."""
    lines = [line.replace('"colour": ', '"colour": {"by": 2}, "was": ') for line in lines_of()]
    lines = [line.replace("groundtruth/image-classification", "groundTruth/custom") for line in lines]
    sent = export(consensus.run(job(tmp_path / "job", LABELS, lines)))
    for one in objects(sent.content):
        assert one["colour"] == one["colour-metadata"]["class-name"]
        assert one["colour-metadata"]["type"] == "groundTruth/custom"
    assert "nothing tells the numbers of the classes: labels are their names" in sent.said


def test_answers_that_are_named_by_themselves_and_odd_metadata(tmp_path: Path) -> None:
    """The manifest of several files is one, and what is beside no label of a job stays."""
    more = ', "size-metadata": "x", "camera-metadata": {"type": "reflex"}}'
    lines = [line[:-1] + more for line in lines_of()]
    lines[0] = lines[0].replace(json.dumps(metadata("red")), '"none"')
    path = job(tmp_path / "job", LABELS, lines)
    whole = consensus.run(path)
    apart = consensus.run(sorted(path.rglob("*.json")))
    for made in (requeue, export):
        assert made(apart).content == made(whole).content
        for one in objects(made(whole).content):
            assert (one["size-metadata"], one["camera-metadata"]) == ("x", {"type": "reflex"})
