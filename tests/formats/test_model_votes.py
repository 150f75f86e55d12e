"""Votes of models in: long, wide, mixed; samples are averaged, scores completed, every row accounted for."""

import csv as csv_module
import gzip
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus import memory, read_model_votes
from consensus.errors import ConfigError, FormatError
from consensus.formats import vote_samples
from consensus.inputs.model_votes import OTHERS, ModelVotes
from consensus.inputs.vote_tally import VoteTally
from tests import naive_reader
from tests.conftest import DIGITS, csv, dataset
from tests.formats.test_blocks import blocks_of
from tests.strategies import examples

Write = Callable[[str, str | bytes], Path]
LONG = "item,model,label,probability"
WIDE = "item,model,p_cat,p_dog"
FULL = [("a", "m", "0.75", "0.25"), ("b", "m", "0.5", "0.5"), ("a", "n", "0", "1")]


def said(votes: ModelVotes) -> dict[tuple[str, str], Any]:
    """What each model says about each item: a label, or the probability of each label that has one, rounded."""
    items = votes.item_ids.to_pylist()
    found: dict[tuple[str, str], Any] = {}
    for i, m, k, row in zip(votes.item, votes.model, votes.label, votes.row, strict=True):
        shares = zip(votes.labels, votes.probability[row].tolist(), strict=True)
        told = {label: round(share, 5) for label, share in shares if share}
        found[items[i], votes.models[m]] = votes.labels[k] if row < 0 else told
    return found


def balanced(votes: ModelVotes) -> bool:
    tally = votes.tally
    pairs = list(zip(votes.item.tolist(), votes.model.tolist(), strict=True))
    return (
        tally.read == tally.used + tally.abstained + tally.merged + tally.rejected
        and (tally.used, tally.rejected) == (votes.n_votes, len(votes.rejects))
        and pairs == sorted(set(pairs))
        and votes.row[votes.row >= 0].tolist() == list(range(len(votes.probability)))
        and bool(np.allclose(votes.probability.sum(axis=1), 1, atol=1e-6))
    )


def rejects(votes: ModelVotes) -> list[tuple[int, str, str]]:
    return [(one.line, one.reason, one.row) for one in votes.rejects]


def lines(path: Path, records: Sequence[dict[Any, Any]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def parquet(path: Path, table: Any) -> Path:
    pq.write_table(pa.table(table), path)
    return path


def wide_table(kind: Any = float) -> dict[str, list[Any]]:
    item, model, cat, dog = (list(column) for column in zip(*FULL, strict=True))
    return {"item": item, "model": model, "p_cat": [kind(one) for one in cat], "p_dog": [kind(one) for one in dog]}


@pytest.mark.parametrize(
    "source",
    [
        lambda path: _text(path / "v.csv", csv(FULL, WIDE)),
        lambda path: _text(path / "v.tsv", csv(FULL, WIDE).replace(",", "\t")),
        lambda path: _text(path / "v.csv", csv(FULL, "Task,ModelName,prob_cat,prob_dog")),
        lambda path: _text(path / "v.csv", csv(FULL, "item,worker,score.cat,score.dog")),
        lambda path: _text(path / "v.csv", csv(FULL, "item,judge,clf-v2:cat,clf-v2:dog")),
        lambda path: _text(path / "v.csv", csv([(*row, "x", "7") for row in FULL], WIDE + ",note,p")),
        lambda path: _text(path / "v.csv", csv([(i, m, f" {p}", f"+{q} ") for i, m, p, q in FULL], WIDE)),
        lambda path: _packed(path / "v.csv.gz", gzip.compress(csv(FULL, WIDE).encode())),
        lambda path: _packed(path / "v.csv.zst", pa.compress(csv(FULL, WIDE).encode(), "zstd", asbytes=True)),
        lambda path: lines(path / "v.jsonl", pd.DataFrame(wide_table()).to_dict("records")),
        lambda path: parquet(path / "v.parquet", wide_table()),
        lambda path: parquet(path / "v.parquet", wide_table(str)),
        lambda _: wide_table(),
        lambda _: wide_table(lambda one: one.encode()),
        lambda _: pd.DataFrame(wide_table()).astype({"p_cat": "float32"}),
        lambda _: pd.DataFrame(wide_table(str)).astype("category"),
        lambda _: pl.DataFrame(wide_table()),
        lambda _: pa.table(wide_table()),
        lambda path: [
            str(_text(path / "1.csv", csv(FULL[:1], WIDE))),
            _text(path / "2.csv", csv([("b", "m", "cat", 0.5), ("b", "m", "dog", 0.5), ("a", "n", "dog", 1)], LONG)),
        ],
        lambda path: _text(path / "v.csv", csv(_as_long(), LONG)),
        lambda path: _text(path / "v.csv", csv(_as_long()[::-1], "unit,llm,answer,score")),
    ],
)
def test_every_source_reads_alike(source: Callable[[Path], Any], tmp_path: Path) -> None:
    votes = read_model_votes(source(tmp_path))
    assert said(votes) == {
        ("a", "m"): {"cat": 0.75, "dog": 0.25},
        ("a", "n"): {"dog": 1},
        ("b", "m"): {"cat": 0.5, "dog": 0.5},
    }
    assert (votes.models, votes.labels, votes.families) == (("m", "n"), ("cat", "dog"), ("models", "models"))
    assert [votes.labels[k] for k in votes.label] == ["cat", "dog", "cat"]  # of two as probable, the first
    assert balanced(votes)


def _text(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def _packed(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _as_long() -> list[tuple[str, str, str, str]]:
    return [(i, m, label, p) for i, m, *shares in FULL for label, p in zip(("cat", "dog"), shares, strict=True)]


class TestRowsOfOneItemAndModel:
    def test_labels_are_shares_of_the_samples(self, write: Write) -> None:
        rows = [("a", "m", "x"), ("a", "m", "y"), ("a", "m", "x"), ("b", "m", "y"), ("b", "m", "y"), ("c", "m", "x")]
        votes = read_model_votes(write("v.csv", csv(rows, "item,model,label")))
        assert said(votes) == {("a", "m"): {"x": 0.66667, "y": 0.33333}, ("b", "m"): {"y": 1}, ("c", "m"): "x"}
        assert votes.tally == VoteTally(read=6, used=3, merged=3)
        assert votes.row.tolist() == [0, 1, -1]
        assert votes.declared == frozenset()

    def test_scores_of_different_labels_are_one_list(self, write: Write) -> None:
        rows = [
            ("a", "m", "x", 0.5),
            ("a", "m", "y", 0.3),
            ("b", "m", "z", 0.8),
            ("b", "n", "w", 3),
            ("b", "n", "x", 1),
        ]
        votes = read_model_votes(write("v.csv", csv(rows, LONG)))
        assert said(votes) == {
            ("a", "m"): {"w": 0.1, "x": 0.5, "y": 0.3, "z": 0.1},
            ("b", "m"): {"w": 0.06667, "x": 0.06667, "y": 0.06667, "z": 0.8},
            ("b", "n"): {"w": 0.75, "x": 0.25},
        }
        assert votes.tally == VoteTally(read=5, used=3, merged=2, normalised=1)

    def test_a_label_that_recurs_makes_samples(self, write: Write) -> None:
        rows = [("a", "m", "x", 0.9), ("a", "m", "x", 0.7), ("a", "m", "y", 0.6), ("a", "m", "y", "")]
        votes = read_model_votes(write("v.csv", csv(rows, LONG)))
        assert said(votes) == {("a", "m"): {"x": 0.5, "y": 0.5}}
        with_zero = read_model_votes(write("v.csv", csv([("a", "m", "x", 0), ("a", "m", "x", 1)], LONG)))
        assert said(with_zero) == {("a", "m"): {OTHERS: 0.5, "x": 0.5}}

    def test_lists_that_recur_in_another_file_are_averaged(self, write: Write) -> None:
        first = write("1.csv", csv([("a", "m", "x", 0.8), ("a", "m", "y", 0.1), ("a", "m", "z", 0.1)], LONG))
        second = write("2.csv", csv([("a", "m", "x", 0.6), ("a", "m", "y", 0.4), ("a", "m", "z", 0)], LONG))
        assert said(read_model_votes([first, second])) == {("a", "m"): {"x": 0.7, "y": 0.25, "z": 0.05}}
        assert said(read_model_votes([first, first])) == {("a", "m"): {"x": 0.8, "y": 0.1, "z": 0.1}}
        silent = write("3.csv", csv([("a", "m", "x", 0), ("a", "m", "y", 0), ("a", "m", "z", 0)], LONG))
        assert said(read_model_votes([first, silent])) == {("a", "m"): {"x": 0.56667, "y": 0.21667, "z": 0.21667}}

    def test_a_list_that_two_files_share_is_one(self, write: Write) -> None:
        first, second = (
            write("1.csv", csv([("a", "m", "x", 0.8)], LONG)),
            write("2.csv", csv([("a", "m", "y", 0.2)], LONG)),
        )
        assert said(read_model_votes([first, second])) == {("a", "m"): {"x": 0.8, "y": 0.2}}

    def test_wide_rows_are_samples(self, write: Write) -> None:
        rows = [("a", "m", 1, 0), ("a", "m", 0.5, ""), ("b", "m", 3, 1), ("b", "n", "", "")]
        votes = read_model_votes(write("v.csv", csv(rows, WIDE)))
        assert said(votes) == {("a", "m"): {"cat": 0.75, "dog": 0.25}, ("b", "m"): {"cat": 0.75, "dog": 0.25}}
        assert votes.tally == VoteTally(read=4, used=2, abstained=1, merged=1, normalised=1)
        assert votes.declared == {"cat", "dog"}

    def test_empty_cells_share_what_is_left_with_labels_of_other_files(self, write: Write) -> None:
        wide, long = (
            write("1.csv", csv([("a", "m", 0.4, 0.3)], WIDE)),
            write("2.csv", csv([("b", "m", "elk", "")], LONG)),
        )
        votes = read_model_votes([wide, long])
        assert said(votes) == {("a", "m"): {"cat": 0.4, "dog": 0.3, "elk": 0.3}, ("b", "m"): "elk"}
        assert votes.declared == {"cat", "dog"}
        assert votes.labels == ("cat", "dog", "elk")


def test_numbers_of_any_size(write: Write) -> None:
    rows = [("a", "m", "3e38", "3e38"), ("b", "m", "1e-40", "3e-40"), ("c", "m", "1e38", "0")]
    votes = read_model_votes(write("v.csv", csv(rows, WIDE)))
    assert said(votes) == {
        ("a", "m"): {"cat": 0.5, "dog": 0.5},
        ("b", "m"): {"cat": 0.25, "dog": 0.75},
        ("c", "m"): {"cat": 1},
    }


def test_abstains(write: Write) -> None:
    rows = [
        ("a", "m", "", 0.5),
        ("b", "m", "NA", "oops"),
        ("c", "m", '""', ""),
        ("d", "m", "x", 0.5),
        ("e", "m", "", "?"),
    ]
    path = write("v.csv", csv(rows, LONG))
    votes = read_model_votes(path, abstain=["NA"])
    assert said(votes) == {("c", "m"): "", ("d", "m"): {"": 0.5, "x": 0.5}}
    assert votes.tally == VoteTally(read=5, used=2, abstained=3)
    assert votes.item_ids.to_pylist() == list("abcde")
    assert rejects(read_model_votes(path)) == [(3, 'the probability of "NA" is "oops", no number', "b,m,NA,oops")]
    wide = read_model_votes(write("v.csv", csv([("a", "m", 0.5, 0.3, 0.2)], WIDE + ",p_NA")), abstain=["NA"])
    assert said(wide) == {("a", "m"): {"cat": 0.625, "dog": 0.375}}
    with pytest.raises(FormatError, match="of 1 row, 1 abstains and 0 are rejected; expected"):
        read_model_votes(write("v.csv", csv([("a", "m", 0.5, 0.3)], WIDE)), abstain=["cat", "dog"])


def test_rejects(write: Write) -> None:
    rows = [
        ("a", "m", "x", "abc"),
        ("", "m", "x", 1),
        ("a", "", "x", -1),
        ("a", "m", "x", -0.2),
        ("a", "m", "x", "inf"),
    ]
    rows += [
        ("a", "m", "x", "nan"),
        ("b", "m", "x", 0),
        ("a", "m", "y", ".5"),
        ("a", "m", "x", "1e99"),
        ("b", "m", "y", "0.0"),
    ]
    votes = read_model_votes(write("v.csv", csv(rows, LONG)))
    assert rejects(votes) == [
        (2, 'the probability of "x" is "abc", no number', "a,m,x,abc"),
        (3, "the item is missing", ",m,x,1"),
        (4, "the model is missing", "a,,x,-1"),
        (5, 'the probability of "x" is -0.2, negative', "a,m,x,-0.2"),
        (6, 'the probability of "x" is inf, no finite number', "a,m,x,inf"),
        (7, 'the probability of "x" is "nan", no number', "a,m,x,nan"),
        (8, "all probabilities are 0", "b,m,x,0"),
        (10, 'the probability of "x" is 1e99, no finite number', "a,m,x,1e99"),
        (11, "all probabilities are 0", "b,m,y,0"),
    ]
    assert said(votes) == {("a", "m"): {"x": 0.5, "y": 0.5}}
    assert balanced(votes)


def test_rejects_of_wide_rows(write: Write) -> None:
    text = csv([("a", "m", 0, 0), ("b", "m", "", 0), ("c", "m", "1%", -1), ("d", "m", 1, -1)], WIDE).encode()
    votes = read_model_votes(write("v.csv", text + b"\xff,m,1,0\ne,m,\xff,0\nf,m,1\ng,m,1,0\n"))
    assert rejects(votes) == [
        (2, "all probabilities are 0", "a,m,0,0"),
        (3, "all probabilities are 0", "b,m,,0"),
        (4, 'the probability of "cat" is "1%", no number', "c,m,1%,-1"),
        (5, 'the probability of "dog" is -1, negative', "d,m,1,-1"),
        (6, "the item is not UTF-8", "\\xff,m,1,0"),
        (7, 'the probability of "cat" is "\\xff", no number', "e,m,\\xff,0"),
        (8, "too few fields: 3 instead of 4", "f,m,1"),
    ]
    assert balanced(votes)
    dated = [pd.Timestamp(0), None, None]
    frame = read_model_votes({"item": ["a", "b", "c"], "model": ["m"] * 3, "p_x": [1, -1.5, 1], "p_y": dated})
    assert [reason for _, reason, _ in rejects(frame)] == [
        'the probability of "y" is "1970-01-01 00:00:00.000000", no number',
        'the probability of "x" is -1.5, negative',
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (csv([], WIDE), "v.csv: a header but no rows; expected one vote in each row"),
        (
            csv([("a", "m", 1)], "item,model,p_cat"),
            "v.csv: no column holds the label, and no columns with a common prefix hold probabilities; the columns "
            "are: item, model, p_cat; name the one of the label with --label, or give some such as p_cat, p_dog",
        ),
        (csv([("a", "m", 1, 0)], "item,model,cat,dog"), "no columns with a common prefix"),
        (csv([("a", "m", 1, 0)], "item,model,label_1x,labels"), "no columns with a common prefix"),
        (csv([("a", "m", 1, 0, 1, 0)], "item,model,p_a,p_b,score_a,score_b"), "no columns with a common prefix"),
        (csv([("a", "m")], "item,model"), "no columns with a common prefix"),
        (csv([("a", "m", 1, 0)], "item,model,p_a,p_a"), 'v.csv: 2 columns are called "p_a"; rename all but one'),
        (
            b"item,model,p_a,p_\xe9\na,m,1,0\n",
            "v.csv:1: the file is not UTF-8; it looks like cp1252, in which this line reads: .*,p_é; save it as UTF-8",
        ),
        (
            csv([("a", "x")], "item,label"),
            "v.csv: no column holds the model; the columns are: item, label; rename one to",
        ),
        (
            csv([("a", "m", "1", "x")], "item,model,model_version,label"),
            "v.csv: several columns could hold the model; the",
        ),
        (csv([("a", "m", "1", "x")], "item,worker,user,label"), "v.csv: several columns could hold the model; the"),
        (
            csv([("m", "x")], "model,label"),
            "v.csv: no column holds the item; the columns are: model, label; rename one",
        ),
        (csv([("a", "m", "x", "y")], "item,model,label,answer"), "v.csv: several columns could hold the label; the"),
        (
            csv([("a", "m", "", ""), ("", "m", "x", 1), ("b", "m", "x", "z")], LONG),
            r"v.csv: no vote can be used: of 3 rows, 1 abstains and 2 are rejected; the first: \S*v.csv:3: the item is "
            "missing; expected a label, or probabilities, in every row",
        ),
        (csv([("a", "m", "x", 0)], LONG), r"of 1 row, 0 abstain and 1 is rejected; the first: \S*v.csv:2: all prob"),
        (
            csv([("a", "m", "x", "f"), ("b", "m", "x", ""), ("c", "m", "x", "g")], "item,model,label,family"),
            'v.csv:4: model "m" is of family "g" here, and of "f" before; name one family for each model',
        ),
    ],
)
def test_errors_say_what_and_where(write: Write, content: str | bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        read_model_votes(write("v.csv", content))
    assert "\n" not in str(caught.value)


def test_other_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nested = {"item": ["a"], "model": [["m"]], "p_x": [1.0], "p_y": [0.0]}
    with pytest.raises(FormatError, match="v.parquet: the model column holds list<.*give one value a row"):
        read_model_votes(parquet(tmp_path / "v.parquet", nested))
    with pytest.raises(FormatError, match="the model column holds lists or records, .*; give one value a row"):
        read_model_votes(nested | {"item": ["a", "b"], "model": [["m"], "n"]})
    with pytest.raises(FormatError, match='v.jsonl: column "p_.udc80" is not UTF-8'):
        read_model_votes(lines(tmp_path / "v.jsonl", [{"item": "a", "model": "m", "p_a": 1, "p_\udc80": 1}]))
    with pytest.raises(ConfigError, match="setting threads = 0"):
        read_model_votes(wide_table(), threads=0)
    with pytest.raises(ConfigError, match="setting abstain"):
        read_model_votes(wide_table(), abstain=["\udc80"])
    monkeypatch.setattr(memory, "there_is", lambda: 10)
    with pytest.raises(
        ConfigError, match="a table of 3 model votes and 2 labels needs about 0 MB of memory, more than"
    ):
        read_model_votes(wide_table())


def test_columns_that_the_user_names(write: Write) -> None:
    long = write("1.csv", csv([("a", 7, "m", "x", "y")], "image,item,model,label,verdict"))
    wide = write("2.csv", csv([("b", "m", 1, 0)], "task,model,p_x,p_y"))
    votes = read_model_votes([long, wide], item="image", label="verdict")
    assert said(votes) == {("a", "m"): "y", ("b", "m"): {"x": 1}}


def test_labels_are_what_follows_the_prefix(write: Write) -> None:
    for header, labels in (
        ("p_1.0,p_1.5", ("1.0", "1.5")),
        ("P_very_good,P_very_bad", ("very_bad", "very_good")),
        ("p_-1,p_-2", ("-1", "-2")),
        ("p_,p_x", ("", "x")),
        ("softmax.out.a,softmax.out.b", ("a", "b")),
        ("softmax a,softmax ab", ("a", "ab")),
    ):
        votes = read_model_votes(write("v.csv", csv([("a", "m", 1, 0)], "item,model," + header)))
        assert votes.labels == labels


def test_families(write: Write) -> None:
    rows = [
        ("a", "m", "x", "gpt"),
        ("a", "n", "x", ""),
        ("b", "m", "x", ""),
        ("b", "o", "", "gpt"),
        ("b", "p", "x", '""'),
    ]
    first = write("1.csv", csv(rows, "item,model,label,lineage"))
    second = write("2.csv", csv([("c", "n", "glm", 1, 0), ("c", "m", "gpt", 1, 0)], "item,model,family,p_x,p_y"))
    votes = read_model_votes([first, second])
    assert dict(zip(votes.models, votes.families, strict=True)) == {"m": "gpt", "n": "glm", "o": "gpt", "p": "models"}
    assert balanced(votes)
    with pytest.raises(FormatError, match='3.csv:2: model "m" is of family "glm" here, and of "gpt" before'):
        read_model_votes([first, write("3.csv", csv([("c", "m", "glm", 1, 0)], "item,model,family,p_x,p_y"))])


def test_digests_and_progress(write: Write) -> None:
    paths = [write("1.csv", csv(FULL, WIDE)), write("2.csv", csv([], WIDE))]
    told: list[tuple[str, float]] = []
    votes = read_model_votes(paths, progress=lambda stage, done: told.append((stage, done)))
    assert [(one.file, one.sha256) for one in votes.sources] == [
        (str(path), hashlib.sha256(path.read_bytes()).hexdigest()) for path in paths
    ]
    assert told[0] == ("reading 1.csv", 0.0)
    assert told[-2:] == [("sorting", 0.0), ("sorting", 1.0)]
    assert repr(votes) == "ModelVotes(3 votes on 2 items by 2 models, 3 with probabilities)"
    assert read_model_votes(wide_table()).sources == ()


scores = st.one_of(st.none(), st.integers(0, 30).map(lambda n: n / 30), st.just(0.0), st.sampled_from([0.25, 0.5, 1.0]))
names = st.sampled_from(["a", "b", "c"]), st.sampled_from(["m", "n"])
long_files = st.lists(st.tuples(*names, st.sampled_from(["x", "y", "z", "NA", None]), scores), max_size=10).map(
    lambda rows: ("long", rows)
)
wide_files = st.lists(st.tuples(*names, scores, scores, scores), max_size=6).map(lambda rows: ("wide", rows))


@examples(100)
@given(
    st.lists(
        st.tuples(st.one_of(long_files, wide_files), st.sampled_from([".csv", ".jsonl", ".parquet"])),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from([1, 7, 1 << 20]),
    st.sampled_from([1, 2]),
)
def test_against_a_reader_without_arrays(
    tmp_path_factory: pytest.TempPathFactory, files: list[Any], cells: int, threads: int
) -> None:
    folder = tmp_path_factory.getbasetemp()
    files = [(file, ending if file[1] else ".csv") for file, ending in files]  # JSON lines need a line
    paths = [_written(folder / f"random{n}{ending}", *file) for n, (file, ending) in enumerate(files)]
    expected = naive_reader.read([file for file, _ in files], ("x", "y", "w"), abstain={"NA"})
    with pytest.MonkeyPatch.context() as patch, blocks_of(40 if cells == 7 else 1 << 20):
        patch.setattr(vote_samples, "CELLS", cells)
        if not expected.votes:
            with pytest.raises(FormatError, match="no vote can be used|a header but no rows|no line holds"):
                read_model_votes(paths, abstain=["NA"], threads=threads)
            return
        votes = read_model_votes(paths, abstain=["NA"], threads=threads)
    assert balanced(votes)
    assert votes.tally == expected.tally
    assert votes.labels == expected.labels
    items = votes.item_ids.to_pylist()
    pairs = [(items[i], votes.models[m]) for i, m in zip(votes.item, votes.model, strict=True)]
    assert pairs == sorted(expected.votes)
    for pair, k, row in zip(pairs, votes.label.tolist(), votes.row.tolist(), strict=True):
        vote = expected.votes[pair]
        if isinstance(vote, str):
            assert (row, votes.labels[k]) == (-1, vote)
        else:
            np.testing.assert_allclose(votes.probability[row], vote, atol=2e-6)
            assert k == votes.probability[row].argmax()


def _written(path: Path, kind: str, rows: Sequence[Sequence[Any]]) -> Path:
    header = LONG.split(",") if kind == "long" else ["item", "model", "p_x", "p_y", "p_w"]
    if path.suffix == ".csv":
        with path.open("w", newline="") as file:
            csv_module.writer(file).writerows([header, *rows])
        return path
    if path.suffix == ".jsonl":
        return lines(path, [dict(zip(header, row, strict=True)) for row in rows])
    return parquet(path, {name: pa.array([row[n] for row in rows]) for n, name in enumerate(header)})


def test_digits() -> None:
    votes = read_model_votes(DIGITS / "model_votes.csv")
    assert (votes.n_votes, votes.n_models, len(votes.probability)) == (4 * 1797, 4, 4 * 1797)
    assert votes.labels == tuple("0123456789")
    assert balanced(votes)


@pytest.mark.real
def test_cifar() -> None:
    votes = read_model_votes(dataset("cifar10h_dev") / "model_votes.csv")
    assert (votes.n_votes, votes.n_models, len(votes.labels)) == (15_000, 3, 10)
    assert (votes.row >= 0).all()
    assert votes.declared == set(votes.labels)
    assert votes.tally == VoteTally(read=15_000, used=15_000)
    assert balanced(votes)


def test_a_column_whose_name_is_no_text() -> None:
    with pytest.raises(FormatError, match='column "p_.*" is not UTF-8, so its label can.t be told'):
        read_model_votes({"item": ["a"], "model": ["m"], "p_a": [1.0], "p_\ud800": [0.0]})


SHARES = [("a", {"cat": 0.75}), ("b", {"cat": 0.5, "dog": 0.5})]
PACKED = gzip.compress(csv([("a", 0.75, 0.25), ("b", 0.5, 0.5)], "item,p_cat,p_dog").encode(), mtime=0)


class TestSoftLabels:
    """Shares of labels that name no model are those of one."""

    @pytest.mark.parametrize(
        ("name", "content", "model"),
        [
            ("soft.csv", csv([("a", 0.75, 0.25), ("b", 0.5, 0.5)], "item,p_cat,p_dog"), "soft"),
            ("best model.csv", csv([("a", 75, 25), ("b", 50, 50)], "item,score.cat,score.dog"), "best model"),
            (
                "s.jsonl",
                '{"item": "a", "p": {"cat": 0.75, "dog": 0.25}}\n{"item": "b", "p": {"cat": 0.5, "dog": 0.5}}',
                "s",
            ),
            (
                "s.json",
                '[{"item": "a", "label": {"cat": 0.75}}, {"item": "b", "label": {"cat": 0.5, "dog": 0.5}}]',
                "s",
            ),
            ("s.csv.gz", PACKED, "s"),
        ],
    )
    def test_are_the_votes_of_one_model(self, name: str, content: str | bytes, model: str, write: Write) -> None:
        votes = read_model_votes(write(name, content))
        assert (votes.models, votes.labels) == ((model,), ("cat", "dog"))
        assert votes.probability.tolist() == [[0.75, 0.25], [0.5, 0.5]]
        (told,) = votes.cautions
        assert told.code == "unnamed_model"
        assert told.message.endswith(
            f'read as the votes of one model, "{model}"; add a column called model if there are several'
        )

    def test_of_a_frame(self) -> None:
        votes = read_model_votes(pd.DataFrame({"item": ["a", "b"], "p_x": [0.25, 1], "p_y": [0.75, 0]}))
        assert votes.models == ("soft labels",)

    def test_who_has_a_name_keeps_it(self, write: Write) -> None:
        assert read_model_votes(write("v.csv", csv(FULL, WIDE))).cautions == ()
        named = write("n.csv", csv([("a", "m", 1, 0)], "item,who,p_cat,p_dog"))
        assert read_model_votes(named, named={"model": "who"}).models == ("m",)

    def test_without_shares_the_model_is_missing(self, write: Write) -> None:
        with pytest.raises(FormatError, match=r"v\.csv: no column holds the model; the columns are: item, text"):
            read_model_votes(write("v.csv", "item,text\na,b\n"))
