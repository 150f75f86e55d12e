"""What spreadsheets take for formulas: defused in CSV, and understood where it is read back."""

import io
import json
import re
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import consensus
from consensus import evaluation
from consensus.formats import labels_table, writing
from consensus.inputs import formulas

TEXTS = st.text(st.sampled_from("'=+-@\t\r\n\uff1d\uff0b\uff0d\uff20a1.e \u0394"), max_size=6)


def naively(text: str) -> str:
    """The rule, written from the words."""
    bare = text.lstrip("'")
    if not bare or bare[0] not in "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20":
        return text
    number = re.fullmatch(r"[+-]([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text) is not None
    return text if number else f"'{text}"


@given(st.lists(st.none() | TEXTS))
def test_every_formula_gets_a_mark_and_loses_it_again(texts: list[str | None]) -> None:
    for kind in (pa.string(), pa.large_string()):
        column = pa.array(texts, kind)
        made = formulas.defused(column)
        assert made.to_pylist() == [None if one is None else naively(one) for one in texts]
        assert formulas.taken_back(made).to_pylist() == texts
        assert [None if one is None else formulas.as_given(one) for one in made.to_pylist()] == texts
        assert formulas.defused(pa.chunked_array([column, column])).to_pylist() == made.to_pylist() * 2
    assert formulas.defused(pa.array(texts, pa.string()).dictionary_encode()).to_pylist() == made.to_pylist()


def test_plain_numbers_are_no_formulas() -> None:
    numbers = ["-1", "+3.5", "-.5", "-1e-3", "-0", "+2.", "-1E+10"]
    assert formulas.defused(pa.array(numbers)).to_pylist() == numbers
    others = ["-1+1", "-", "+a", "-1 ", "--1", "-1\n", "-1e", "+."]
    assert formulas.defused(pa.array(others)).to_pylist() == [f"'{one}" for one in others]


def test_other_columns_are_left_alone() -> None:
    for column in (pa.array([-1, 2]), pa.array([], pa.string()), pa.array(["", None]), pa.array([["=a"]])):
        assert formulas.defused(column) is column


def test_what_is_known_counts_as_it_is() -> None:
    assert formulas.called(["'=a", "'=b", "c", "'d"], {"=a", "'=b", "=b"}) == ["=a", "'=b", "c", "'d"]


# ids of which some are what others become
ITEMS = ["=1+1", "'=1+1", "''=1+1", "-x", "@SUM(1)", "-1", "\uff1dq", "plain"]
LABELS = ["=yes", "+no"]
JUDGMENTS = pd.DataFrame(
    [(item, f"={w}", LABELS[(n + (w == 2)) % 2 if n < 2 else n % 2]) for n, item in enumerate(ITEMS) for w in range(3)],
    columns=["item", "worker", "label"],
)


@pytest.fixture(scope="module")
def found() -> consensus.Run:
    return consensus.run(JUDGMENTS)


@pytest.mark.parametrize("raw_cells", [False, True])
@pytest.mark.parametrize("format", ["csv", "parquet", "jsonl"])
def test_a_run_is_read_back_with_the_ids_that_it_had(
    found: consensus.Run, tmp_path: Path, raw_cells: bool, format: str
) -> None:
    found.save(tmp_path / "out", raw_cells=raw_cells, report=False, posteriors=True, format=format)
    previous = consensus.read_previous(tmp_path / "out")
    assert set(previous.item.to_pylist()) == set(ITEMS)
    assert set(previous.label.to_pylist()) <= {*LABELS, None}
    assert previous.escalated.to_pylist() == found.escalations["item"].tolist()
    assert consensus.diff(tmp_path / "out", found).empty
    for name in ("labels", "posteriors"):
        table = labels_table.read_scored(tmp_path / "out" / f"{name}.{format}")
        assert set(table["item"]) == set(ITEMS)
        assert name == "labels" or {*LABELS} <= set(table.columns)
    text = (tmp_path / "out" / f"labels.{format}").read_bytes()
    assert (b"''=1+1" in text) or format == "parquet"
    assert (b"'''=1+1" in text) == (format == "csv" and not raw_cells)
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["provenance"]["raw_cells"] is raw_cells


def test_labels_alone_are_understood_where_the_judgments_tell(tmp_path: Path) -> None:
    items = ["=a", "-b", "c"]
    run = consensus.run([{"item": i, "worker": w, "label": "=yes"} for i in items for w in "vw"])
    run.save(tmp_path / "out", report=False)
    for name in ("alone.csv", "frame"):
        if name == "frame":
            source: object = pd.read_csv(tmp_path / "out" / "labels.csv")
        else:
            source = (tmp_path / "out" / "labels.csv").rename(tmp_path / name)
            (tmp_path / name).rename(tmp_path / "out" / "labels.csv")
            source = tmp_path / name
            source.write_bytes((tmp_path / "out" / "labels.csv").read_bytes())
        previous = consensus.read_previous(source)
        assert set(previous.item.to_pylist()) == {"'=a", "'-b", "c"}
        mine = previous.among(run.result.judgments)
        assert set(mine.item.to_pylist()) == {"=a", "-b", "c"}
        assert set(mine.label.to_pylist()) == {"=yes"}
    assert consensus.diff(tmp_path / "alone.csv", run).empty


def test_gold_and_workers_with_and_without_marks() -> None:
    told = [{"item": f"={i}", "worker": f"@{w}", "label": f"-{'xy'[i % 2]}"} for i in range(6) for w in range(3)]
    for mark in ("", "'"):
        gold = consensus.read_gold([{"item": f"{mark}={i}", "label": f"{mark}-{'xy'[i % 2]}"} for i in range(3)])
        aligned = gold.align(consensus.read(told))
        assert (len(aligned.items), aligned.unjudged) == (3, {})
        pool = consensus.read_workers([{"worker": f"{mark}@{w}"} for w in range(3)]).align(consensus.read(told))
        assert pool.strangers == ()


def test_labels_and_truth_with_and_without_marks() -> None:
    labels = pd.DataFrame({"item": ["=a", "b", "-c"], "label": ["+x", "y", "+x"]})
    marked = pd.read_csv(io.StringIO(writing.text(labels)))
    assert marked["item"].tolist() == ["'=a", "b", "'-c"]
    posteriors = pd.DataFrame({"item": ["'=a", "b", "'-c"], "'+x": [0.9, 0.1, 0.8], "y": [0.1, 0.9, 0.2]})
    for truth in ({"=a": "+x", "b": "y", "-c": "y"}, {"'=a": "'+x", "b": "y", "'-c": "y"}):
        for table in (labels, marked, posteriors):
            scores, confusion = evaluation.evaluate(table, consensus.read_gold(truth))
            assert scores.n_items == 3
            assert scores.accuracy == pytest.approx(2 / 3)
            assert len(confusion) == 3
            assert scores.notes == ()


def test_the_argument_of_earlier_versions(found: consensus.Run, tmp_path: Path) -> None:
    with pytest.warns(FutureWarning, match="spreadsheet_safe is what is done anyway: leave it out; raw_cells=True"):
        found.save(tmp_path / "out", spreadsheet_safe=True, report=False)
