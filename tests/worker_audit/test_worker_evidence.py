"""The judgments that weigh most against a worker, and those that speak most for them; and --worker of audit."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from consensus import fit, read, simulate, worker_audit
from consensus.errors import ConfigError
from consensus.formats import columns_of
from consensus.found.result import Consensus
from consensus.inputs.gold import AlignedGold
from consensus.worker_audit.accuracy import against_others, evidence_table
from tests import naive
from tests.conftest import Run, csv
from tests.strategies import encoded, voted

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

Write = Callable[[str, str | bytes], Path]
COLUMNS = "side weight item label true_label p_right others gold".split()


@pytest.fixture(scope="module")
def fitted() -> Consensus:
    drawn = simulate(120, 8, 3, 4, accuracy=0.75, seed=3)
    return fit(drawn.judgments, gold=drawn.truth_table(20))


def test_weights_by_their_formula(fitted: Consensus) -> None:
    """All from the fitted confusions, judgment by judgment, in probability space."""
    assert fitted.gold is not None
    j, C, pi = fitted.judgments, fitted.confusions.dense(), fitted.prior_shares
    crowd = fitted.confusions.dense_counts().sum(axis=0) + fitted.confusions.pseudo_counts + 1 / 3
    crowd /= crowd.sum(axis=1, keepdims=True)
    accepted = {
        int(i): set(np.flatnonzero(row).tolist())
        for i, row in zip(fitted.gold.items, fitted.gold.accepted, strict=True)
    }
    for w in range(3):
        table = worker_audit.evidence(fitted, j.worker_ids[w].as_py(), 1000)
        own = np.flatnonzero(j.worker == w)
        shares = (np.bincount(j.label[own], minlength=3) + 1 / 3) / (len(own) + 1)
        expected: dict[str, list[tuple[float, str]]] = {"against": [], "for": []}
        p_right = {}
        for n in own.tolist():
            i, said = int(j.item[n]), int(j.label[n])
            rest = j.subset((j.item == i) & (np.arange(j.n_judgments) != n))
            q = naive.posteriors(rest, C, pi, accepted)[0][i]
            (q,) = naive.tempered(q[None], np.array([rest.n_judgments]), fitted.rho)
            weight = float(np.log(q @ crowd[:, said] / shares[said]))
            side = (
                "against" if weight < 0 and q.argmax() != said else "for" if weight > 0 and q.argmax() == said else ""
            )
            if side:
                expected[side].append((abs(weight), j.item_ids[i].as_py()))
            p_right[j.item_ids[i].as_py()] = float(q[said])
        for side, found in expected.items():
            told = table[table["side"] == side]
            np.testing.assert_allclose(told["weight"].abs(), sorted((p for p, _ in found), reverse=True), atol=5e-4)
            assert set(told["item"]) == {item for _, item in found}
            np.testing.assert_allclose(told["p_right"], [p_right[item] for item in told["item"]], atol=1e-3)


def test_columns(fitted: Consensus) -> None:
    j = fitted.judgments
    table = worker_audit.evidence(fitted, "w0", 5)
    assert list(table.columns) == COLUMNS
    assert table["side"].tolist() == ["against"] * 5 + ["for"] * 5
    assert (table["weight"].to_numpy()[:5] < 0).all()
    assert table["weight"][:5].is_monotonic_increasing
    assert table["weight"][5:].is_monotonic_decreasing
    assert ((table["label"] == table["true_label"]) == (table["side"] == "for")).all()
    known = worker_audit.gold(fitted).set_index("item")["gold_label"]
    ids, labels = j.item_ids.to_pylist(), np.array(j.labels)
    everything: Any = worker_audit.evidence(fitted, "w0", 1000)
    for row in everything.itertuples():
        i = ids.index(row.item)
        own = (j.item == i) & (j.worker != j.worker_ids.index("w0").as_py())
        said = pd.Series(labels[j.label[own]]).value_counts()
        assert row.others == " | ".join(
            f"{label} {n}" for label, n in sorted(said.items(), key=lambda pair: (-pair[1], str(pair[0])))
        )
        assert (pd.isna(row.gold) and row.item not in known) or row.gold == known[row.item]
        if row.item in known:
            assert row.p_right == float(row.label == known[row.item])


def test_habits_count_for_little() -> None:
    """Always the same label: right ones say nothing, wrong ones much."""
    drawn = simulate(
        200, confusion=[np.full((2, 2), 0.1) + 0.8 * np.eye(2)] * 6 + [[[1.0, 0.0], [1.0, 0.0]]], per_item=5, seed=1
    )
    table = worker_audit.evidence(fit(drawn.judgments), "w6")
    assert table["side"].tolist() == ["against"] * 10


def test_the_same_for_any_block(fitted: Consensus, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = worker_audit.evidence(fitted, "w1")
    monkeypatch.setattr(evidence_table, "BLOCK", 30)
    pd.testing.assert_frame_equal(worker_audit.evidence(fitted, "w1"), whole)


def test_ties_go_by_item() -> None:
    judged = [(f"i{i}", f"w{w}", f"l{i % 2}") for i in range(10) for w in range(3)]
    table = worker_audit.evidence(fit(encoded(judged)), "w1", 4)
    assert table["item"].tolist() == ["i0", "i1", "i2", "i3"]


def test_several_gold_labels_and_times() -> None:
    rows = {
        "item": ["a", "a", "b", "b", "c", "c"],
        "worker": ["v", "w"] * 3,
        "label": ["x", "x", "y", "x", "y", "y"],
        "timestamp": ["2025-03-03T08:06:22Z", "2025-03-03", "2025-03-04T08:00:00Z", "", "", "2025-03-03"],
    }
    gold = {"item": ["a", "a", "b"], "label": ["x", "y", "y"]}
    result = fit(read(rows), gold=gold)
    table: Any = worker_audit.evidence(result, "v").set_index("item")
    assert list(table.columns) == [*COLUMNS[:2], *COLUMNS[3:], "timestamp"]
    assert table.loc["b", ["gold", "timestamp"]].tolist() == ["y", "2025-03-04T08:00:00Z"]
    everything: Any = worker_audit.evidence(result, "w").set_index("item")
    assert everything.loc["b", "side"] == "against"
    assert pd.isna(everything.loc["b", "timestamp"])
    odd = {**rows, "timestamp": ["2025-03-03T08:06:22.5Z"] * 6}
    assert worker_audit.evidence(fit(read(odd), gold=gold), "v")["timestamp"][0] == "2025-03-03T08:06:22.500000Z"


class TestNothingToHoldItAgainst:
    def test_alone_on_an_item(self) -> None:
        judged = [(f"i{i}", f"w{w}", f"l{i % 2}") for i in range(10) for w in range(2)]
        judged += [("alone", "w0", "l0"), ("known", "w0", "l0"), ("voted", "w0", "l1")]
        gold = {"item": ["known"], "label": ["l0"]}
        table = worker_audit.evidence(fit(encoded(judged), gold=gold), "w0", 100)
        assert "known" in set(table["item"])
        assert not {"alone", "voted"} & set(table["item"])
        assert table.set_index("item")["others"].isna()["known"]
        models = voted([("voted", "m", "l1"), ("i0", "m", "l0")])
        table = worker_audit.evidence(fit(encoded(judged), model_votes=models), "w0", 100)
        assert "alone" not in set(table["item"])

    def test_no_confidence_no_evidence(self) -> None:
        assert worker_audit.evidence(fit(encoded([("a", "v", "x"), ("b", "w", "y")])), "v").empty

    def test_majority_votes(self) -> None:
        drawn = simulate(100, 6, 2, 3, accuracy=0.9, seed=1)
        assert set(worker_audit.evidence(fit(drawn.judgments, model="majority_vote"), "w0")["side"]) == {
            "against",
            "for",
        }

    def test_one_label(self) -> None:
        judged = [(f"i{i}", f"w{w}", "yes") for i in range(6) for w in range(3)]
        assert worker_audit.evidence(fit(encoded(judged)), "w0").empty


def test_errors(fitted: Consensus) -> None:
    with pytest.raises(
        ConfigError, match=r'no worker "w_0" among 8 workers \(did you mean w0\?\); consensus.audit lists'
    ):
        worker_audit.evidence(fitted, "w_0")
    with pytest.raises(ConfigError, match='no worker "xyz" among 8 workers; consensus.audit lists their ids'):
        worker_audit.evidence(fitted, "xyz")
    with pytest.raises(ConfigError, match="0 judgments of evidence are asked for; ask for 1 or more"):
        worker_audit.evidence(fitted, "w0", 0)


ROWS = [(f"i{i}", f"w{w}", f"l{(i if w < 3 else i // 2) % 2}") for i in range(30) for w in range(4)]


class TestCommandLine:
    @pytest.fixture
    def judged(self, write: Write) -> Path:
        return write("j.csv", csv(ROWS))

    def test_a_worker_or_a_column(self, run: Run, judged: Path, write: Write) -> None:
        shown = run("audit", judged, "--worker", "w3", "--quiet")
        assert (shown.status, shown.out.splitlines()[0]) == (0, ",".join(COLUMNS))
        assert run("audit", judged, "--evidence", "w3", "--quiet").out == shown.out
        assert "note: --worker is the column" in run("audit", judged, "--worker", "w3").err
        of_one = json.loads(run("audit", judged, "--evidence", "w3", "--json", "-q").out.splitlines()[0])
        assert isinstance(of_one["others"], list)
        assert run("audit", judged, "--worker", "worker", "--evidence", "w3", "--quiet").out == shown.out
        assert run("audit", judged, "--worker", "worker", "--quiet").out == run("audit", judged, "-q").out
        other = write("k.csv", csv(ROWS, "item,who,label"))
        assert run("audit", other, "--worker", "who", "-q").out == run("audit", judged, "-q").out
        assert run("audit", other, "--worker", "who", "--evidence", "w3", "-q").out == shown.out
        settings = write("c.toml", 'worker = "who"\n')
        assert run("audit", other, "--config", settings, "--evidence", "w3", "-q").out == shown.out

    def test_a_column_that_is_called_like_a_worker(self, run: Run, write: Write) -> None:
        both = write("b.csv", csv([(*row, "x") for row in ROWS], "item,worker,label,w3"))
        assert (
            run("audit", both, "--worker", "w3", "--repeats", "last", "-q").out.splitlines()[1].startswith("x,human,")
        )
        assert run("audit", both, "--evidence", "w3", "-q").out.startswith("side,weight,")

    def test_neither(self, run: Run, judged: Path, write: Write) -> None:
        ran = run("audit", judged, "--worker", "w33")
        assert (ran.status, ran.err.count("\n")) == (3, 1)
        assert (
            'j.csv: no column "w33", and no worker "w33" among 4 workers (did you mean w3?); consensus audit lists'
        ) in ran.err
        ran = run("audit", judged, "--evidence", "worker")
        assert 'no worker "worker" among 4 workers' in ran.err
        assert "no column" not in ran.err
        other = write("k.csv", csv(ROWS, "item,who,label"))
        ran = run("audit", other, "--worker", "whom")
        assert 'no column "whom" for the worker; the columns are: item, who, label; correct --worker' in ran.err
        ran = run("audit", "nowhere.csv", "--worker", "w3")
        assert (ran.status, ran.err) == (1, run("audit", "nowhere.csv").err)
        votes = write("v.csv", csv([("a", "m", "x"), ("b", "m", "y")], "item,model,label"))
        ran = run("audit", "--model-votes", votes, "--worker", "w3", "-q")
        assert ran.out.startswith("worker,kind")

    def test_any_format(self, run: Run, judged: Path, tmp_path: Path) -> None:
        frame = pd.read_csv(judged)
        files = [tmp_path / f"j.{ending}" for ending in ("tsv", "jsonl", "parquet", "csv.gz")]
        frame.to_csv(files[0], sep="\t", index=False)
        frame.to_json(files[1], orient="records", lines=True)
        frame.to_parquet(files[2])
        files[3].write_bytes(gzip.compress(judged.read_bytes()))
        expected = run("audit", judged, "--worker", "w3", "-q").out
        for file in files:
            assert columns_of(file) == ["item", "worker", "label"]
            assert run("audit", file, "--worker", "w3", "-q").out == expected


class TestParts:
    """What a row is made of."""

    def test_what_is_held_against_something(self) -> None:
        """Another judgment, gold, or what a model says."""
        judgments = SimpleNamespace(per_item=np.array([2, 1, 1, 1, 0]))
        result: Any = SimpleNamespace(judgments=judgments, gold=None, models=None, identified=True)
        items: Any = np.array([4, 3, 2, 1, 0, 0])
        assert against_others.is_checked(result, items).tolist() == [False] * 4 + [True] * 2
        result.gold = SimpleNamespace(items=np.array([1]))
        assert against_others.is_checked(result, items).tolist() == [False] * 3 + [True] * 3
        result.models = SimpleNamespace(votes=SimpleNamespace(per_item=np.array([0, 0, 1, 2, 0])))
        assert against_others.is_checked(result, items).tolist() == [False] + [True] * 5
        result.identified = False
        assert not against_others.is_checked(result, items).any()

    def test_what_others_said(self) -> None:
        judgments = SimpleNamespace(
            item=np.array([0] * 6 + [1]),
            item_start=np.array([0, 6, 7]),
            worker=np.array([0, 1, 2, 3, 4, 0, 0]),
            label=np.array([2, 1, 0, 1, 0, 2, 1]),
            labels=("a", "b", "c"),
        )
        result: Any = SimpleNamespace(judgments=judgments)
        assert evidence_table._said(result, 0) == ["a 2", "b 2"]
        assert evidence_table._said(result, 1) == ["a 2", "c 2", "b 1"]
        assert evidence_table._said(result, 6) is None

    def test_gold_of_items(self) -> None:
        accepted = np.array([[True, False], [True, True], [False, True]])
        gold = AlignedGold(np.array([1, 4, 6], np.int32), accepted, {})
        result: Any = SimpleNamespace(gold=gold, judgments=SimpleNamespace(labels=("x", "y")))
        items: Any = np.array([6, 0, 4, 6], np.int32)
        assert evidence_table._gold(result, items) == [["y"], None, ["x", "y"], ["y"]]
        result.gold = None
        assert evidence_table._gold(result, items) == [None] * 4
