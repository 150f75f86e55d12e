"""Costs of decisions: read, and aligned to a label set."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from consensus import decide, fit, read, simulate
from consensus.errors import FormatError, JudgmentError
from consensus.formats import read_costs, writing
from tests.conftest import Run, csv
from tests.strategies import encoded

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

Write = Callable[[str, str | bytes], Path]
JUDGED = encoded([("i", "v", "a"), ("i", "w", "b"), ("i", "x", "c")])
HEADER = "true,decided,cost\n"
FULL = "a,b,1\na,c,2.5\nb,a,3\nb,c,0\nc,a,1e1\nc,b,6\n"
EXPECTED = [[0, 1, 2.5], [3, 0, 0], [10, 6, 0]]


@pytest.mark.parametrize(
    "header", ["true,decided,cost", "true_label,label,cost", "True,DecidedLabel,_cost", "true_label,decided_label,COST"]
)
@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".parquet", ""])
def test_every_source_reads_alike(write: Write, tmp_path: Path, header: str, ending: str) -> None:
    source: Any = write("full.csv", f"{header}\n{FULL}")
    if ending != ".csv":
        source = pd.read_csv(source)
    if ending in {".tsv", ".jsonl", ".parquet"}:
        table, source = source, tmp_path / f"costs{ending}"
        writing.write(table, source)
    costs = read_costs(source)
    assert costs.align(JUDGED).tolist() == EXPECTED
    assert len(costs.sources) == (ending != "")


def test_the_label_set_is_that_of_the_judgments(write: Write) -> None:
    costs = read_costs([write("1.csv", HEADER + FULL[:14]), write("2.csv", HEADER + FULL[14:])])
    assert costs.align(JUDGED.with_labels(["c", "a", "b"])).tolist() == [[0, 10, 6], [2.5, 0, 1], [0, 3, 0]]
    assert read_costs(write("c.csv", HEADER + FULL + "b,b,7\n")).align(JUDGED)[1, 1] == 7
    boolean = read({"item": ["i", "i"], "worker": ["v", "w"], "label": [True, False]})
    assert read_costs({"true": [True, False], "label": [False, True], "cost": [1, 2]}).align(boolean).tolist() == [
        [0, 2],
        [1, 0],
    ]
    one = encoded([("i", "v", "a")])
    assert read_costs(write("c.csv", HEADER + "a,a,0\n")).align(one).tolist() == [[0]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"c.csv: the file is empty"),
        (HEADER, r"c.csv: a header but no rows; expected a true label, a decided label and a cost in each"),
        ("true,cost\na,1\n", r"c.csv: no column holds the decided_label; .* true, cost; rename one to decided_label"),
        ("decided,cost\na,1\n", r"c.csv: no column holds the true_label; .*; rename one to true_label"),
        ("true,label\na,b\n", r"c.csv: no column holds the cost; .*; rename one to cost"),
        ("true,label,decided,cost\na,b,b,1\n", r"c.csv: several columns could hold the decided_label"),
        (HEADER + "a,b\n", r"c.csv:2: too few fields: 2 instead of 3: a,b; correct the costs"),
        (HEADER + "a,b,1\na,,2\n", r"c.csv:3: the decided_label is missing: a,,2; correct the costs"),
        (HEADER + "a,b,\n", r"c.csv:2: the cost is missing: a,b,; correct the costs"),
        (HEADER + "a,b,1\nb,a,-1\n", r'c.csv:3: the cost is "-1"; expected a finite number, 0 or more'),
        (HEADER + "a,b,1e308\n", r'c.csv:2: the cost is "1e308"; expected a finite number, 0 or more, below 1e\+12'),
        (HEADER + "a,b,inf\n", r'c.csv:2: the cost is "inf"; expected a finite number, 0 or more'),
        (HEADER + "a,b,nan\n", r'c.csv:2: the cost is "nan"; expected a finite number, 0 or more'),
        (HEADER + "a,b,$5\n", r'c.csv:2: the cost is "\$5"; expected a finite number, 0 or more'),
        (
            HEADER + "a,b,1\nb,a,1\na,b,2\n",
            r'c.csv:4: the cost of deciding "a" as "b" stands here and in .*c.csv:2; keep one row',
        ),
    ],
)
def test_what_can_not_be_read(write: Write, text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        read_costs(write("c.csv", text))
    assert "\n" not in str(caught.value)


def test_what_does_not_fit_the_labels(write: Write) -> None:
    few = read_costs(write("few.csv", HEADER + "a,b,1\nb,a,1\n"))
    with pytest.raises(
        JudgmentError,
        match=r'few.csv: no cost of deciding "a" as "c", "b" as "c", "c" as "a" and 1 more; give a row for each pair '
        r"of the 3 labels \(those of a label as itself cost 0 unless given\)",
    ):
        few.align(JUDGED)
    most = read_costs(write("most.csv", HEADER + FULL[:-14]))
    with pytest.raises(JudgmentError, match='no cost of deciding "c" as "a", "c" as "b"; give'):
        most.align(JUDGED)
    for row, label in (("a,d,1\n", "d"), ("e,a,1\n", "e")):
        odd = read_costs(write("odd.csv", HEADER + FULL + row))
        with pytest.raises(
            JudgmentError, match=rf'odd.csv:8: label "{label}" is not in the label set "a", "b", "c"; correct it, or'
        ):
            odd.align(JUDGED)


def test_labels_that_are_one_in_the_data_have_one_cost(write: Write) -> None:
    rows = [("i", "v", "yes"), ("i", "w", "yes"), ("j", "v", "no"), ("j", "w", "Yes")]
    folded = read(write("j.csv", csv(rows)), fold=["labels"])
    assert folded.labels == ("no", "yes")
    for again, agrees in (("Yes,no,3", True), ("Yes,no,4", False)):
        costs = read_costs(write("c.csv", HEADER + f"yes,no,3\nno,yes,1\n{again}\n"))
        if agrees:
            assert costs.align(folded).tolist() == [[0, 1], [3, 0]]
            continue
        with pytest.raises(
            JudgmentError,
            match=r'c.csv:4: the cost of deciding "yes" as "no" is 4 here and 3 in .*c.csv:2, where labels are spelled '
            "in another way; keep one row$",
        ):
            costs.align(folded)


@pytest.mark.compiled
def test_many_labels() -> None:
    labels = [f"l{k:03}" for k in range(300)]
    rng = np.random.default_rng(0)
    table = rng.random((300, 300)).round(3)
    true, decided = np.indices(table.shape).reshape(2, -1)
    names = np.array(labels)
    costs = read_costs({"true": names[true], "decided": names[decided], "cost": table.ravel()})
    np.testing.assert_array_equal(costs.align(encoded([(f"i{k}", "v", one) for k, one in enumerate(labels)])), table)


@pytest.mark.parametrize("command", ["run", "audit"])
def test_on_the_command_line(run: Run, write: Write, tmp_path: Path, command: str) -> None:
    path = write("j.csv", csv([(f"i{i}", f"w{w}", f"l{i % 2}") for i in range(6) for w in range(3)]))
    good, bad = (write(f"{name}.csv", f"{HEADER}l0,l1,{cost}\nl1,l0,2\n") for name, cost in (("good", 1), ("bad", -1)))
    options = [command, path, *(["--output", tmp_path / "out"] if command == "run" else [])]
    ran = run(*options, "--costs", bad)
    assert (ran.status, ran.out) == (1, "")
    assert 'bad.csv:2: the cost is "-1"; expected a finite number, 0 or more' in ran.err
    ran = run(*options, "--price-per-judgment", "0")
    assert (ran.status, ran.err) == (
        3,
        "consensus: setting price_per_judgment = 0.0: input should be greater than or equal to 0.000000001\n",
    )
    ran = run(*options, "--config", write("c.toml", f"price = 0.1\ncosts = '{bad}'\n"))
    assert (ran.status, "bad.csv:2" in ran.err) == (1, True)
    assert run(*options, "--costs", good, "--price-per-judgment", "0.05").status == 0
    assert not (tmp_path / "bad").exists()


def test_costs_are_not_written_over(run: Run, write: Write) -> None:
    path = write("j.csv", csv([("a", "v", "x"), ("a", "w", "x")]))
    costs = write("c.csv", HEADER + "x,x,0\n")
    ran = run("audit", path, "--costs", costs, "--output", costs)
    assert (ran.status, costs.read_text()) == (3, HEADER + "x,x,0\n")
    assert "c.csv: this file is to be read; choose another with --output" in ran.err


@pytest.mark.compiled
def test_decisions(run: Run, write: Write, tmp_path: Path) -> None:
    drawn = simulate(120, 8, 3, 3, accuracy=0.7, seed=1)
    result = fit(drawn.judgments)
    cost = np.array([[0, 1, 1], [5, 0, 1], [1, 3, 0.0]])
    table = decide(result, read_costs(write("c.csv", HEADER + _rows(cost))))
    expected = result.posterior @ cost
    assert table["item"].tolist() == result.labels["item"].tolist()
    assert table["decision"].tolist() == [result.judgments.labels[d] for d in expected.argmin(axis=1)]
    np.testing.assert_allclose(table["expected_cost"], expected.min(axis=1))
    assert (table["decision"] != result.labels["label"]).mean() > 0.05
    pd.testing.assert_frame_equal(table, decide(result, tmp_path / "c.csv"))

    drawn.judgments_table().to_csv(tmp_path / "j.csv", index=False)
    gold = pd.concat([drawn.truth_table(10), pd.DataFrame({"item": ["nobody"], "label": ["label_0"]})])
    gold.to_csv(tmp_path / "g.csv", index=False)
    plain, given = tmp_path / "plain", ("run", tmp_path / "j.csv", "--output")
    assert run(*given, plain).status == 0
    assert "decision" not in pd.read_csv(plain / "labels.csv")
    assert run(*given, tmp_path / "out", "--costs", tmp_path / "c.csv", "--gold", tmp_path / "g.csv").status == 0
    labels = pd.read_csv(tmp_path / "out" / "labels.csv", dtype={"item": str})
    assert labels.columns[-3:].tolist() == ["status", "decision", "expected_cost"]
    assert labels.iloc[-1][["item", "label", "status"]].tolist() == ["nobody", "label_0", "gold"]
    assert labels.iloc[-1][["decision", "expected_cost"]].isna().all()
    by_gold = labels[labels["status"] == "gold"].iloc[:-1]
    assert (by_gold["decision"] == by_gold["label"]).all()
    assert (by_gold["expected_cost"] == 0).all()
    assert labels.iloc[:-1]["decision"].notna().all()


def test_nothing_is_decided_where_no_confidence_can_be_stated(write: Write) -> None:
    table = decide(
        fit(encoded([("i", "v", "a"), ("j", "w", "b")])), read_costs(write("c.csv", HEADER + "a,b,1\nb,a,2\n"))
    )
    assert table[["decision", "expected_cost"]].isna().all(axis=None)


def _rows(cost: Any) -> str:
    pairs = ((k, d) for k in range(len(cost)) for d in range(len(cost)) if k != d)
    return "".join(f"label_{k},label_{d},{cost[k, d]}\n" for k, d in pairs)
