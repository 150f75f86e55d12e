"""After an earlier run: what stays accepted, how far its forecast was off, what changed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from numpy.typing import NDArray

import consensus
from consensus import escalate, fit, read, read_previous, simulate
from consensus.config import EscalateConfig
from consensus.errors import FormatError
from consensus.escalation import change_counts, changes, planned, reopening
from consensus.found.result import Consensus, framed
from consensus.inputs.earlier_run import Previous
from consensus.report import words
from consensus.runs import folder
from tests.conftest import Run

pytestmark = pytest.mark.usefixtures("by_dawid_skene")


@pytest.fixture(scope="module")
def result() -> Consensus:
    return fit(simulate(200, 10, 3, 3, accuracy=0.75, seed=4).judgments, rho=0.3)


def counted(previous: Previous, result: Consensus, status: NDArray[np.int32]) -> dict[str, int]:
    return change_counts(previous, result, changes(previous, result, status))


def labels_of(result: Consensus, **settings: Any) -> pd.DataFrame:
    from consensus.escalation import statuses

    return result.labels.assign(status=statuses(result, **settings))


class TestReading:
    @pytest.mark.compiled
    @pytest.mark.parametrize("ending", [".csv", ".parquet", ".jsonl"])
    def test_a_folder_and_its_labels_alone(self, result: Consensus, tmp_path: Path, ending: str) -> None:
        folder.write(consensus.Run.of(result, target=0.8), tmp_path / "out", folder.Output(ending))
        whole = read_previous(tmp_path / "out")
        alone = read_previous(tmp_path / "out" / f"labels{ending}")
        table = labels_of(result, target=0.8)
        for one in (whole, alone):
            assert one.item.to_pylist() == table["item"].tolist()
            assert one.status.to_pylist() == table["status"].tolist()
            assert one.n_judgments.tolist() == table["n_judgments"].tolist()
        listed = escalate(result, target=0.8)
        assert whole.escalated.to_pylist() == listed["item"].tolist()
        np.testing.assert_allclose(whole.needed, listed["judgments_needed"], atol=1e-5)
        assert len(alone.escalated) == 0
        same = planned(result, EscalateConfig(target=0.8), previous=whole)
        assert same.correction == 1.0  # nothing was asked since
        assert counted(whole, result, same.status(result)) == {
            "labels": 0,
            "opened_again": 0,
            "newly_accepted": 0,
            "new_items": 0,
            "gone_items": 0,
        }

    def test_a_status_that_was_called_otherwise_is_read(self, tmp_path: Path) -> None:
        (tmp_path / "labels.csv").write_text("item,label,status,n_judgments\na,x,expert,7\nb,x,needs_expert,7\n")
        assert read_previous(tmp_path).status.to_pylist() == ["needs_expert"] * 2

    def test_retests_are_no_escalations(self, tmp_path: Path) -> None:
        (tmp_path / "labels.csv").write_text("item,label,status,n_judgments\na,x,escalate,2\nb,,escalate,2\n")
        (tmp_path / "escalations.csv").write_text("item,reason,judgments_needed\nb,retest,1\na,disagreement,2.5\n")
        found = read_previous(tmp_path)
        assert (found.escalated.to_pylist(), found.needed.tolist()) == (["a"], [2.5])
        assert found.label.to_pylist() == ["x", None]

    @pytest.mark.parametrize(
        ("labels", "escalations", "message"),
        [
            (None, None, "no labels.csv in this folder; name the output folder of an earlier run"),
            ("item,label\na,x\n", None, "no column holds the status"),
            ("item,label,status,n_judgments\n", None, "a header but no rows; name the output of a run"),
            ("item,label,status,n_judgments\na,x,,1\n", None, "labels.csv:2: the status is missing: .*; name the"),
            ("item,label,status,n_judgments\na,x,gold,many\n", None, 'labels.csv:2: n_judgments is "many"; expec'),
            ("item,label,status,n_judgments\na,x,gold,-3\n", None, 'labels.csv:2: n_judgments is "-3"; expected'),
            ("item,label,status,n_judgments\na,x,gold,1e300\n", None, 'labels.csv:2: n_judgments is "1e300"; exp'),
            (
                "item,label,status,n_judgments\na,x,gold,1\nb,x,foo,1\n",
                None,
                'labels.csv:3: the status is "foo"; expected accepted, escalate, needs_expert, gold, unaudited; name',
            ),
            ("item,label,status,n_judgments\na,x,gold,1\na,x,gold,1\n", None, "an item stands there twice"),
            (
                "item,label,status,n_judgments\na,x,gold,1\n",
                "item,reason\na,b\n",
                "no column holds the judgments_needed",
            ),
        ],
    )
    def test_bad_files(self, tmp_path: Path, labels: str | None, escalations: str | None, message: str) -> None:
        for name, text in (("labels", labels), ("escalations", escalations)):
            if text is not None:
                (tmp_path / f"{name}.csv").write_text(text)
        with pytest.raises(FormatError, match=message):
            read_previous(tmp_path)

    @pytest.mark.parametrize("text", ["{", "[]", '{"escalation": {"correction": "much"}}'])
    def test_bad_summaries(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "labels.csv").write_text("item,label,status,n_judgments\na,x,gold,1\n")
        assert read_previous(tmp_path).correction == 1.0
        (tmp_path / "summary.json").write_text("{}")  # of an older version
        assert read_previous(tmp_path).correction == 1.0
        (tmp_path / "summary.json").write_text(text)
        with pytest.raises(FormatError, match=r"summary.json: not the summary of a run; name the output folder of one"):
            read_previous(tmp_path)

    def test_nothing_there_or_of_other_items(self, run: Run, tmp_path: Path) -> None:
        with pytest.raises(FormatError, match="nothing: no such file or folder; name the output folder of an earlier"):
            read_previous(tmp_path / "nothing")
        (tmp_path / "j.csv").write_text("item,worker,label\na,v,x\na,w,y\n")
        (tmp_path / "labels.csv").write_text("item,label,status,n_judgments\nb,x,accepted,1\nc,x,accepted,1\n")
        given = ("escalate", tmp_path / "j.csv", "--previous", tmp_path / "labels.csv")
        ran = run(*given)
        assert ran.status == 1
        assert "labels.csv: none of its 2 items is in the data; name an earlier run over the same items" in ran.err
        for previous, output in ((tmp_path / "labels.csv", "labels.csv"), (tmp_path, "labels.csv")):
            ran = run("escalate", tmp_path / "j.csv", "--previous", previous, "-o", tmp_path / output)
            assert ran.status == 3
            assert "labels.csv: this file is to be read; choose another with --output" in ran.err

    def test_items_that_are_gone(self, result: Consensus) -> None:
        table = labels_of(result)
        more = pd.concat([table, table.iloc[:3].assign(item=["x", "y", "z"])], ignore_index=True)
        status = planned(result, EscalateConfig()).status(result)
        counts = counted(read_previous(more), result, status)
        assert counts == {"labels": 0, "opened_again": 0, "newly_accepted": 0, "new_items": 0, "gone_items": 3}
        assert words._changes(counts)[0].endswith(", 0 new; 3 items of the last run are not in the data")
        assert words._changes({**counts, "gone_items": 0})[0].endswith(", 0 new")


class TestHysteresis:
    def test_accepted_items_stay_so_unless_clearly_unsure(self, result: Consensus) -> None:
        before = read_previous(labels_of(result, target=0.5).assign(status="accepted"))
        target = float(np.quantile(result.confidence, 0.6))
        plain = set(escalate(result, target=target)["item"])
        kept = set(escalate(result, target=target, margin=0.05, previous=before)["item"])
        confidence = dict(zip(result.labels["item"], result.labels["confidence"], strict=True))
        assert kept < plain
        assert all(target - 0.05 <= confidence[item] < target for item in plain - kept)
        assert all(confidence[item] < target - 0.05 for item in kept)
        assert escalate(result, target=target, margin=0.0, previous=before)["item"].tolist() == sorted(
            plain, key=escalate(result, target=target)["item"].tolist().index
        )

    def test_not_with_another_label_nor_what_was_not_accepted(self, result: Consensus) -> None:
        table = labels_of(result)
        target = float(np.quantile(result.confidence, 0.6))
        plain = set(escalate(result, target=target)["item"])
        for changed in (table.assign(status="accepted", label="label_9"), table.assign(status="escalate")):
            again = escalate(result, target=target, margin=0.3, previous=read_previous(changed))
            assert set(again["item"]) == plain


class TestCorrection:
    def previous(self, result: Consensus, n: int, needed: float, n_before: int) -> Any:
        table = labels_of(result).assign(status="escalate", n_judgments=n_before)
        found = read_previous(table)
        return replace(found, escalated=found.item[:n], needed=np.full(n, needed))

    def test_what_was_used_and_is_needed_over_what_was_foretold(self, result: Consensus) -> None:
        items = np.arange(100)
        needed = np.full(100, 1.5)
        used = float((result.judgments.per_item[:100] - 1).mean())
        before = self.previous(result, 100, 2.0, 1)
        assert reopening.correction(before, result, items, needed) == pytest.approx((used + 1.5) / 2.0)
        assert reopening.correction(self.previous(result, 100, 0.01, 1), result, items, needed) == 5.0
        assert reopening.correction(self.previous(result, 100, 1000.0, 1), result, items, needed) == pytest.approx(0.2)
        assert reopening.correction(self.previous(result, 20, 2.0, 1), result, items, needed) == 1.0

    @pytest.mark.parametrize(("n", "told"), [(29, False), (30, True)])
    def test_thirty_predictions_are_enough(self, result: Consensus, n: int, told: bool) -> None:
        """Also of one item that is there no more, and of others that stand at what they were."""
        before = replace(self.previous(result, n, 2.0, 1), correction=1.25)
        factor = reopening.correction(before, result, np.arange(100), np.full(100, 1.5))
        assert (factor != 1.25) == told
        strangers = replace(before, escalated=pa.array([*before.escalated.to_pylist()[:-1], "elsewhere"]))
        assert reopening.correction(strangers, result, np.arange(100), np.full(100, 1.5)) == 1.25
        unchanged = replace(before, n_judgments=result.judgments.per_item.copy())
        assert reopening.correction(unchanged, result, np.arange(100), np.full(100, 1.5)) == 1.25

    def test_it_holds_over_rounds(self, result: Consensus) -> None:
        """Items that truly take twice what is foretold: after a round, and whatever was corrected before, it is 2."""
        items, used = np.arange(100), result.judgments.per_item[:100] - 1
        raw_now, raw_before = np.full(100, 1.5), 1.5 + used.mean() / 2
        for before in (1.0, 2.0, 0.5):
            previous = replace(self.previous(result, 100, raw_before * before, 1), correction=before)
            factor = reopening.correction(previous, result, items, raw_now)
            assert abs(factor - 2.0) < abs(before - 2.0) or factor == pytest.approx(2.0)
            assert factor == pytest.approx((used.mean() + before * 1.5) / raw_before)
        few = replace(self.previous(result, 20, 2.0, 1), correction=1.7)
        assert reopening.correction(few, result, items, raw_now) == 1.7

    @pytest.mark.compiled
    def test_it_multiplies_what_is_needed(self, result: Consensus) -> None:
        rule = EscalateConfig(target=0.99, max_judgments=40)
        plain = planned(result, rule)
        corrected = planned(result, rule, previous=self.previous(result, 200, 12.0, 1))
        assert corrected.correction < 0.9
        np.testing.assert_allclose(corrected.ahead.needed, plain.ahead.needed * corrected.correction)
        assert (corrected.ahead.low <= corrected.ahead.high).all()


class TestChanges:
    def test_labels_statuses_and_new_items(self, result: Consensus) -> None:
        table = labels_of(result, target=0.8)
        before = table.iloc[1:].copy()
        accepted = before.index[before["status"] == "accepted"][0]
        waiting = before.index[before["status"] == "escalate"][0]
        before.loc[accepted, "status"] = "escalate"
        before.loc[waiting, "status"] = "accepted"
        before.loc[before.index[-1], "label"] = None
        previous = read_previous(before)
        status = planned(result, EscalateConfig(target=0.8)).status(result)
        found = framed(changes(previous, result, status))
        expected = {table["item"][n] for n in (0, accepted, waiting, before.index[-1])}
        assert set(found["item"]) == expected
        assert list(found.columns) == ["item", "label_before", "label", "status_before", "status"]
        first = found.set_index("item").loc[table["item"][0]]
        assert first[["label_before", "status_before"]].isna().all()
        assert counted(previous, result, status) == {
            "labels": 1,
            "opened_again": 1,
            "newly_accepted": 1,
            "new_items": 1,
            "gone_items": 0,
        }

    def test_new_items_are_no_changed_labels(self, result: Consensus) -> None:
        before = labels_of(result).iloc[3:].copy()
        before.loc[before.index[:2], "label"] = "label_9"
        counts = counted(read_previous(before), result, planned(result, EscalateConfig()).status(result))
        assert (counts["labels"], counts["new_items"]) == (2, 3)

    def test_one_item_in_common_is_enough(self, result: Consensus) -> None:
        reopening.check(read_previous(labels_of(result).iloc[:1]), result)

    @pytest.mark.compiled
    def test_on_the_command_line(self, run: Callable[..., Any], tmp_path: Path) -> None:
        drawn = simulate(120, 8, 3, 4, accuracy=0.75, seed=4)
        table = drawn.judgments_table()
        table.iloc[:300].to_csv(tmp_path / "few.csv", index=False)
        table.to_csv(tmp_path / "all.csv", index=False)
        assert run("run", tmp_path / "few.csv", "--output", tmp_path / "one").status == 0
        ran = run("run", tmp_path / "all.csv", "--output", tmp_path / "two", "--previous", tmp_path / "one")
        assert ran.status == 0
        written = pd.read_csv(tmp_path / "two" / "changes.csv")
        assert "since the last run: " in ran.err
        assert f"{written['status_before'].isna().sum()} new" in ran.err
        printed = run("escalate", tmp_path / "all.csv", "--previous", tmp_path / "one" / "labels.csv")
        assert "since the last run: " in printed.err


class TestRenamed:
    """An earlier run that spelled items and labels in its own way."""

    BEFORE: ClassVar[Any] = {
        "item": ["A", "a ", "b", "C", "d", "e"],
        "label": ["Yes", "Yes", "NO", "1", None, "skip"],
        "status": ["accepted", "accepted", "accepted", "unaudited", "escalate", "accepted"],
        "n_judgments": [2, 1, 3, 3, 2, 1],
    }
    NOW: ClassVar[Any] = {
        "item": ["a", "a", "b", "b", "c", "c", "d", "d", "f", "f"],
        "worker": ["v", "w"] * 5,
        "label": ["yes", "yes", "no", "no", "1", "yes", "no", "no", "skip", "no"],
    }

    def settings(self, tmp_path: Path) -> dict[str, Any]:
        (tmp_path / "map.csv").write_text("from,to\n1,yes\nskip,\n")
        return {"fold": ("labels", "items"), "label_map": tmp_path / "map.csv"}

    def test_is_called_as_the_judgments_are(self, tmp_path: Path) -> None:
        judgments = read(self.NOW, **self.settings(tmp_path))
        before = read_previous(self.BEFORE)
        found = before.among(judgments)
        assert found.item.to_pylist() == ["a", "b", "c", "d", "e"]
        assert found.label.to_pylist() == ["yes", "no", "yes", None, None]
        assert found.status.to_pylist() == ["accepted", "accepted", "unaudited", "escalate", "accepted"]
        assert found.n_judgments.tolist() == [3, 3, 3, 2, 1]
        assert before.item.to_pylist() == self.BEFORE["item"]
        assert before.n_judgments.tolist() == self.BEFORE["n_judgments"]
        assert before.among(read(self.NOW)) is before

    def test_items_that_are_one_now_and_differed_were_open(self, tmp_path: Path) -> None:
        judgments = read(self.NOW, **self.settings(tmp_path))
        table = {**self.BEFORE, "label": ["Yes", "no", "NO", "1", None, "skip"]}
        found = read_previous(table).among(judgments)
        assert (found.label[0].as_py(), found.status[0].as_py()) == (None, "escalate")

    def test_what_was_escalated_stands_once(self, tmp_path: Path) -> None:
        (tmp_path / "labels.csv").write_text("item,label,status,n_judgments\nA,x,escalate,2\na ,,escalate,2\n")
        (tmp_path / "escalations.csv").write_text("item,reason,judgments_needed\nA,tie,1\na ,tie,2.5\nZ,tie,3\n")
        found = read_previous(tmp_path).among(read(self.NOW, fold=("items",)))
        assert (found.escalated.to_pylist(), found.needed.tolist()) == (["a", "Z"], [1.0, 3.0])

    def test_everywhere_where_one_is_named(self, tmp_path: Path) -> None:
        settings = self.settings(tmp_path)
        judgments = read(self.NOW, **settings)
        made = consensus.run(judgments, previous=self.BEFORE, collusion="off")
        followed = consensus.Run.of(made.result, previous=self.BEFORE)
        for one in (made, followed):
            assert one.changes is not None
            assert (one.changes["labels"], one.changes["new_items"], one.changes["gone_items"]) == (1, 1, 1)
        escalate(made.result, previous=self.BEFORE)
        alone = {**self.BEFORE, "item": ["A", " A", "B", "C ", "D", "E"]}  # none is the same as it is written
        escalate(made.result, previous=alone)
