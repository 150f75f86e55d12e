"""Labels that platforms made of judgments: no judgments, but votes of one model."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consensus import read, read_gold
from consensus.errors import FormatError
from consensus.formats import read_model_votes
from consensus.formats.platforms import aggregates
from consensus.formats.platforms.seam import Head
from consensus.inputs.model_votes import ModelVotes
from tests.conftest import Run, csv

Write = Callable[[str, str | bytes], Path]
HEADER = "_unit_id,_golden,_unit_state,_trusted_judgments,_last_judgment_at,colour,colour:confidence,img"
REPORT = [
    '1,false,finalized,3,x,red,0.75,"a,b.png"',
    "2,true,golden,3,x,blue,1.0,b.png",
    '3,false,finalized,3,x,"red\nblue",0.5,c.png',
    "4,false,finalized,3,x,red,0,d.png",
    "5,false,finalized,3,x,red,high,e.png",
    "6,false,new,0,x,,,f.png",
]


def report(rows: list[str], header: str = HEADER) -> str:
    return "\n".join([header, *rows]) + "\n"


def manifest(*lines: Any) -> str:
    kind = {"type": "groundtruth/image-classification", "human-annotated": "yes"}
    told = [
        {**one, "c-metadata": {**one["c-metadata"], **kind}} if isinstance(one, dict) and "c-metadata" in one else one
        for one in lines
    ]
    return "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in told)


def told_by(votes: ModelVotes) -> dict[str, tuple[str, float | None]]:
    """By item, the label and what is said of its probability."""
    found = {}
    for item, label, row in zip(votes.item.tolist(), votes.label.tolist(), votes.row.tolist(), strict=True):
        share = None if row < 0 else round(float(votes.probability[row, label]), 4)
        found[votes.item_ids[item].as_py()] = (votes.labels[label], share)
    return found


class TestReport:
    @pytest.mark.parametrize("confidence", ["colour:confidence", "colour_confidence", "colour.confidence"])
    def test_gives_votes(self, write: Write, confidence: str) -> None:
        path = write("a1.csv", report(REPORT, HEADER.replace("colour:confidence", confidence)))
        votes = read_model_votes(path)
        assert votes.models == ("CrowdFlower",)
        assert told_by(votes) == {
            "1": ("red", 0.75),
            "2": ("blue", 1.0),
            "3": ("blue | red", 0.5),
            "4": ("red", None),
            "5": ("red", None),
        }
        assert (votes.tally.read, votes.tally.abstained) == (6, 1)
        (notice,) = votes.cautions
        assert notice.code == "votes_from_judgments"
        assert (
            'a1.csv holds labels that a platform made of judgments (label "colour"): they count as v' in notice.message
        )

    def test_of_several_labels(self, write: Write) -> None:
        header = HEADER.replace("img", "size,size:confidence,shine:confidence")
        path = write("a1.csv", report(["1,false,finalized,3,x,red,0.75,big,1,0.5"], header))
        with pytest.raises(
            FormatError, match="a1.csv: this is an aggregated report of CrowdFlower, whose labels are: col"
        ):
            read_model_votes(path)
        with pytest.raises(FormatError, match='labels are: colour, size; there is no "img": correct --vote-label'):
            read_model_votes(path, named={"label": "img"})
        assert told_by(read_model_votes(path, named={"label": "size"})) == {"1": ("big", 1.0)}
        assert told_by(read_model_votes([path], label="colour")) == {"1": ("red", 0.75)}
        none = write("a2.csv", report(["1,false,finalized,3,x,red"], HEADER.rpartition(",colour:")[0]))
        with pytest.raises(FormatError, match="whose labels are: none$"):
            read_model_votes(none)

    def test_items_by_another_column(self, write: Write) -> None:
        path = write("a1.csv", report(REPORT[:1]))
        for given in ({"item": "img"}, {"named": {"item": "img"}}):
            assert list(told_by(read_model_votes(path, **given))) == ["a,b.png"]
        assert list(told_by(read_model_votes(path, item="elsewhere"))) == ["1"]
        with pytest.raises(FormatError, match='a1.csv: no column "elsewhere" for the item; .*; correct --vote-item'):
            read_model_votes(path, named={"item": "elsewhere"})

    def test_damaged_rows_are_rejected(self, write: Write) -> None:
        path = write("a1.csv", report([*REPORT, "7,false,finalized,3,x,red,1,x,y", ",false,finalized,3,x,red,1,x"]))
        votes = read_model_votes(path)
        assert [(one.line, one.reason) for one in votes.rejects] == [
            (9, "too many fields: 9 instead of 8"),
            (10, "the item is missing"),
        ]

    def test_is_a_plain_table_with_a_model_of_its_own(self, write: Write) -> None:
        path = write("a1.csv", report(["1,false,finalized,3,x,red,0.75,m"]))
        votes = read_model_votes(path, item="_unit_id", label="colour", named={"model": "img"})
        assert (votes.models, votes.cautions) == (("m",), ())

    def test_beside_judgments(self, write: Write, run: Run) -> None:
        judgments = write("j.csv", csv([(n, w, "red") for n in range(1, 4) for w in "ab"]))
        ran = run("aggregate", judgments, "--model-votes", write("a1.csv", report(REPORT[:1])))
        assert ran.status == 0, ran.err
        assert "warning votes_from_judgments: " in ran.err
        with pytest.raises(
            FormatError, match="one row an item, which the platform made of the judgments, and no judgmen"
        ):
            read_gold(write("a1.csv", report(REPORT)))


class TestManifest:
    lines = (
        {"source-ref": "s3://b/0.png", "c": 1, "c-metadata": {"class-name": "red", "confidence": 0.62}},
        {"source": "a text", "c": 0, "c-metadata": {"class-name": "blue", "confidence": 0.95}},
        {"source-ref": "s3://b/2.png", "c": [0, 1], "c-metadata": {"class-map": {"1": "red", "0": "blue"}}},
        {"source-ref": "s3://b/3.png"},
        {"source-ref": "s3://b/4.png", "c-metadata": {"class-name": 4}},
        {"source-ref": "s3://b/5.png", "c-metadata": "x"},
    )

    def test_names_items_that_went_out_again(self, write: Write) -> None:
        line = {"source": "a text", "consensus_item": "17", "c": 0, "c-metadata": {"class-name": "red"}}
        assert told_by(read_model_votes(write("output.manifest", manifest(line)))) == {"17": ("red", None)}

    def test_gives_votes(self, write: Write) -> None:
        votes = read_model_votes(
            write("output.manifest", manifest(*self.lines[:5]) + json.dumps(self.lines[5]) + "\n[\n")
        )
        assert votes.models == ("SageMaker Ground Truth",)
        assert told_by(votes) == {
            "s3://b/0.png": ("red", 0.62),
            "1": ("blue", 0.95),
            "s3://b/2.png": ("blue | red", None),
            "s3://b/4.png": ("4", None),
        }
        assert [one.line for one in votes.rejects] == [7]

    def test_of_several_labels(self, write: Write) -> None:
        line = {**self.lines[0], "d-metadata": {"class-name": "big", "confidence": 1}}
        path = write("output.manifest", manifest(line))
        with pytest.raises(
            FormatError, match="an output manifest of .*, whose labels are: c, d; choose one with --vote-la"
        ):
            read_model_votes(path)
        assert told_by(read_model_votes(path, named={"label": "d"})) == {"s3://b/0.png": ("big", 1.0)}
        with pytest.raises(
            FormatError, match="one row an item, .*; give the folder annotations/worker-response of the j"
        ):
            read(path)


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (HEADER, aggregates.REPORT),
        (HEADER.replace(",", "\t"), aggregates.REPORT),
        (HEADER.replace("_unit_state", "state"), ""),
        ('{"a-metadata": {"type": "groundtruth/x"}}\n', aggregates.MANIFEST),
        ('{"a": 1}\n{"a-metadata": {"type": "groundtruth/x"}}\n', ""),
        ('{"a-metadata": {"type": "x"}}\n', ""),
        ("", ""),
    ],
)
def test_knows_its_own(start: str, kind: str) -> None:
    assert aggregates.kind_of(Head(Path("x"), start.encode())) == kind
