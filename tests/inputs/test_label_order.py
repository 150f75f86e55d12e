"""The order of labels: as given, of ordered categories, of numbers; words have none."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import consensus
from consensus.errors import ConfigError, FormatError
from consensus.inputs.judgments import Judgments
from consensus.inputs.label_order import in_order
from consensus.worker_agreement import agreement
from tests.cli.test_cli import Write
from tests.conftest import Run
from tests.strategies import encoded

WORDS = ["low", "medium", "high"]
GIVEN = [0, 1, 0, 2, 2, 1, 0, 0, 1, 2, 2, 2]


def judged(names: Sequence[str]) -> Judgments:
    return encoded([(f"i{n // 2}", f"w{n % 2}", names[k % len(names)]) for n, k in enumerate(GIVEN)])


def spread(names: Sequence[str]) -> Judgments:
    """Every label is given, neighbours to one item."""
    return encoded([(f"i{n}", f"w{w}", names[min(n + w, len(names) - 1)]) for n in range(len(names)) for w in (0, 1)])


def alpha(judgments: object) -> float:
    table = agreement(judgments, level="ordinal", n_bootstrap=0).set_index("statistic")["value"]
    return float(table["krippendorff_alpha_ordinal"])


@pytest.mark.parametrize(
    "names",
    [
        [str(n) for n in range(1, 12)],
        ["-10", "-9", "-1", "0", "1", "10", "100"],
        ["0.5", "1", "1.5", "2.25", "10.125"],
        ["8e1", "9", "1e3"],
        [" 2", "10 ", "1"],
        ["08", "9", "010"],
    ],
)
def test_numbers_stand_in_their_order(names: list[str]) -> None:
    ranked = sorted(names, key=float)
    assert in_order(spread(names)).labels == tuple(ranked)
    assert alpha(spread(ranked)) == pytest.approx(alpha(spread(ranked).with_labels(ranked)))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (WORDS, 'needs an order, and nothing tells that of "high", "low", "medium"; name them in their order with'),
        (["1 star", "2 stars", "10 stars"], "needs an order"),
        (["1_0", "2", "x"], "needs an order"),
        (["inf", "1", "b"], "needs an order"),
        (["nan", "a", "1"], "needs an order"),
        (["\u0661", "\u0662", "\u0663"], "needs an order"),
        (["1", "2", "NA"], 'level ordinal: "NA" is no number as the other labels are; if that means no answer, pass'),
        (["1", "2", "3", "x", "y"], 'level ordinal: "x", "y" are no numbers as the other labels are'),
        (["1", "1.0", "2"], 'the labels "1" and "1.0" are the same number; write them alike, or name them'),
        (["1", "01", "2"], 'the labels "01" and "1" are the same number'),
    ],
)  # fmt: skip
def test_what_has_no_order_is_asked_for(names: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        alpha(spread(names))
    alpha(spread(names).with_labels(names))


def test_two_labels_need_no_order() -> None:
    assert alpha(judged(["yes", "no"])) == pytest.approx(alpha(judged(["yes", "no"]).with_labels(["yes", "no"])))
    assert in_order(judged(["yes"])).labels == ("yes",)


def test_an_order_that_was_given_counts() -> None:
    expected = alpha(judged(["1", "2", "3"]))
    assert alpha(judged(WORDS).with_labels(WORDS)) == pytest.approx(expected)
    assert alpha(judged(WORDS).with_labels(WORDS[::-1])) == pytest.approx(expected)
    alphabet = judged(WORDS).with_labels(sorted(WORDS))
    assert alphabet.labels_ordered
    assert alpha(alphabet) != pytest.approx(expected)
    assert not judged(WORDS).labels_ordered


class TestCategories:
    FRAME = pd.DataFrame(
        {
            "item": [f"i{n // 2}" for n in range(12)],
            "worker": [f"w{n % 2}" for n in range(12)],
            "label": pd.Categorical([WORDS[k] for k in GIVEN], [*WORDS, "never"], ordered=True),
        }
    )

    @pytest.mark.parametrize("kind", ["pandas", "arrow", "polars", "parquet", "numbers"])
    def test_ordered_ones_keep_their_order(self, kind: str, tmp_path: Path) -> None:
        source: object = self.FRAME
        expected: tuple[str, ...] = tuple(WORDS)
        if kind == "arrow":
            source = pa.Table.from_pandas(self.FRAME)
        elif kind == "polars":
            made = self.FRAME.astype({"label": "str"}).to_dict("list")
            source = pl.DataFrame(made, schema_overrides={"label": pl.Enum(WORDS)})
        elif kind == "parquet":
            source = tmp_path / "j.parquet"
            self.FRAME.to_parquet(source)
        elif kind == "numbers":
            source = self.FRAME.assign(label=pd.Categorical([[3, 2, 1][k] for k in GIVEN], [3, 2, 1], ordered=True))
            expected = ("3", "2", "1")
        found = consensus.read(source)
        assert (found.labels, found.labels_ordered) == (expected, True)
        assert alpha(found) == pytest.approx(alpha(judged(["1", "2", "3"])))

    @pytest.mark.parametrize("unlike", ["unordered", "text", "another order", "a label without a place"])
    def test_others_are_sorted(self, unlike: str, tmp_path: Path) -> None:
        other: Any = {
            "unordered": pd.Categorical([WORDS[k] for k in GIVEN], WORDS),
            "text": pd.Series([WORDS[k] for k in GIVEN]),
            "another order": pd.Categorical([WORDS[k] for k in GIVEN], WORDS[::-1], ordered=True),
            "a label without a place": pd.Categorical(["huge"] * 12, ["huge"], ordered=True),
        }[unlike]
        paths = tmp_path / "a.parquet", tmp_path / "b.parquet"
        self.FRAME.to_parquet(paths[0])
        self.FRAME.assign(label=other, worker="v").to_parquet(paths[1])
        found = consensus.read(list(paths))
        assert (found.labels, found.labels_ordered) == (tuple(sorted(found.labels)), False)
        with pytest.raises(ConfigError, match="needs an order"):
            alpha(found)

    def test_chunks_of_other_categories(self) -> None:
        one, other = self.FRAME, self.FRAME.assign(label=self.FRAME["label"].cat.reorder_categories(["never", *WORDS]))
        chunks = [pa.array(part["label"], from_pandas=True) for part in (one, other)]
        table = pa.table({
            "item": [f"i{n // 2}" for n in range(24)], "worker": [f"w{n % 2}" for n in range(24)],
            "label": pa.chunked_array(chunks),
        })  # fmt: skip
        assert not consensus.read(table).labels_ordered

    def test_nothing_in_order(self) -> None:
        table = pa.Table.from_pandas(self.FRAME)
        empty = pa.table({name: pa.chunked_array([], table.schema.field(name).type) for name in table.column_names})
        with pytest.raises(FormatError, match="a header but no rows"):
            consensus.read(empty)

    def test_a_column_found_by_its_name_that_holds_lists_is_passed_over(self) -> None:
        prices: Any = [[1, 2]] * 12
        frame = self.FRAME.assign(price=prices)
        assert consensus.read(frame).labels == tuple(WORDS)


def test_the_command_says_the_order(run: Run, write: Write) -> None:
    path = write("j.csv", "item,worker,label\n" + "".join(f"i{n},w{w},{n + w}\n" for n in range(8, 11) for w in (0, 1)))
    ran = run("agreement", path, "--ordinal", "--bootstrap", "0")
    assert 'labels in the order "8", "9", "10", "11"\n' in ran.err
    assert "labels in the order" not in run("agreement", path, "--bootstrap", "0").err
    words = write("w.csv", "item,worker,label\n" + "".join(f"i{n},w{n},{WORDS[n]}\n" for n in range(3)))
    ran = run("agreement", words, "--ordinal")
    assert (ran.status, ran.out) == (3, "")
    assert "name them in their order with --labels" in ran.err
    assert run("agreement", words, "--ordinal", "--labels", "low,medium,high").status == 0
