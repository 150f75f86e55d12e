"""The whole product in Python: a script as in a notebook, typical mistakes, warnings, pickling."""

from __future__ import annotations

import copy
import pickle
import re
import warnings
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
import pytest

import consensus
from consensus.backends import Threads
from consensus.simulation import simulate_votes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run

SCRIPT = """
import pandas as pd
import consensus

labels = {"ann": "cdcdcdcdcd", "bob": "cdcdcdcdcc", "eve": "cdcdcdcddd", "kim": "cdcdcdcdcd"}
names = {"c": "cat", "d": "dog"}
judgments = pd.DataFrame(
    [(f"img{i}", worker, names[one]) for worker, said in labels.items() for i, one in enumerate(said)],
    columns=["item", "worker", "label"],
)
run = consensus.run(judgments, gold={"img0": "cat", "img1": ["dog", "cat"]}, target=0.9)
run  # sizes, statuses, warnings
run.labels[["item", "label", "confidence", "status"]]
run.workers[["worker", "accuracy", "verdict"]]
page = run.report(title="Animals")
page.save("animals.html")
page  # shows itself
run.explain("img8")
run.save("first", report=False)
again = consensus.load("first")
assert again.labels.equals(run.labels)
later = consensus.run(judgments[judgments["worker"] != "kim"], previous=run)
changes = consensus.diff("first", later)
score = consensus.evaluate(again, truth={"img2": "cat", "img3": "dog"})
print(len(run), score.accuracy, sorted(set(changes["change"])))
"""


def test_a_script_as_in_a_notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(SCRIPT.strip().splitlines()) <= 25
    assert not re.search(r"[.\s]_\w", SCRIPT)
    known: dict[str, Any] = {}
    exec(compile(SCRIPT, "script", "exec"), known)
    assert capsys.readouterr().out.startswith("10 1.0 ['")
    assert "Animals" in (tmp_path / "animals.html").read_text()
    assert known["page"]._repr_html_().startswith('<iframe srcdoc="&lt;!doctype html')


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return consensus.simulate(40, 6, 2, 4, accuracy=0.85, seed=5).judgments_table()


@pytest.fixture(scope="module")
def plain(table: pd.DataFrame) -> consensus.Run:
    return consensus.run(table, model="dawid_skene")


TABLES = "give a path, a data frame, a mapping of columns, a list of records, or"
MISTAKES: dict[str, tuple[Callable[[pd.DataFrame, Any], object], str]] = {
    "nothing": (
        lambda _, __: consensus.run(None),
        f"judgments: None can't be read; {TABLES} what consensus.read returns",
    ),
    "a column": (
        lambda table, _: consensus.fit(table["label"]),
        f"judgments: a Series can't be read; {TABLES} what consensus.read returns",
    ),
    "a result in place of judgments": (
        lambda _, run: consensus.run(run.result),
        f"judgments: a Consensus can't be read; {TABLES} what consensus.read returns",
    ),
    "judgments in place of a result": (
        lambda table, _: consensus.audit(consensus.read(table)),  # type: ignore[arg-type]  # the mistake
        "result: it is of type Judgments, and no fitted result; fit them first: consensus.fit(judgments)",
    ),
    "a table in place of a result": (
        lambda table, _: consensus.escalate(table),  # type: ignore[arg-type]  # the mistake
        "result: it is of type DataFrame, and no fitted result; give what consensus.fit or consensus.run returns",
    ),
    "a setting that is mistyped": (
        lambda table, _: consensus.run(table, tagret=0.9),
        'unknown setting "tagret"; did you mean target?',
    ),
    "percent": (
        lambda table, _: consensus.run(table, target=95),
        "setting target = 95: input should be less than 1; 95 % is 0.95",
    ),
    "gold in place of settings": (
        lambda table, _: consensus.fit(table, {"item00": "label_0"}),  # type: ignore[arg-type]  # the mistake
        "config: it is of type dict; give a FitConfig, or name each setting, and what else there is, such as gold=...",
    ),
    "gold that is a list of ids": (
        lambda table, _: consensus.fit(table, gold=[1, 2, 3]),
        f'gold: a list of int can\'t be read; {TABLES} labels by item such as {{"img7": "cat"}}, or what '
        "consensus.read_gold returns",
    ),
    "gold with a label that nobody gave": (
        lambda table, _: consensus.fit(table, gold={"item00": "cat"}),
        'data frame:1: gold label "cat" of item "item00" is not in the label set "label_0", "label_1"; correct it, or '
        "name the whole set with labels=",
    ),
    "a folder twice": (
        lambda _, run: [run.save("out", report=False) for _ in range(2)],
        "out: exists already; choose another folder with folder=, or pass overwrite=True",
    ),
    "an item that nobody judged": (
        lambda _, run: run.explain("item0"),
        'no item "item0" among the 40 that were judged (did you mean item30, item20, item10?)',
    ),
    "a table that does not exist": (
        lambda _, run: run.table("escalation"),
        'there is no table "escalation"; there are labels, workers, confusions, escalations, rejects, changes, '
        "gold_health, drift, copying, readings, models, posteriors, label_accuracy, new_gold, retest, behaviour",
    ),
    "a file that is not there": (
        lambda _, __: consensus.run("answers.csv"),
        "answers.csv: no such file; check the name, or the folder you are in",
    ),
    "a run in place of a path": (
        lambda _, run: consensus.load(run),
        "folder: a Run is no path; give the folder that run.save wrote",
    ),
    "a table in place of a run": (
        lambda table, _: consensus.diff(table, table),  # type: ignore[arg-type]  # the mistake
        "old: a DataFrame is no run; give what consensus.run returns, or its folder",
    ),
    "a format that does not exist": (
        lambda _, run: run.save("out", format="xlsx"),
        "format = 'xlsx': expected one of csv, parquet, jsonl",
    ),
    "a mistyped word of the page": (
        lambda _, run: run.save("out", titel="Animals"),
        'unknown setting "titel"; did you mean title?',
    ),
    "a title without a page": (
        lambda _, run: run.save("out", report=False, item_url="https://x.org/{item}"),
        "item_url=: it is about the page, which report=False leaves out",
    ),
    "labels without items": (
        lambda table, _: consensus.evaluate(table.rename(columns={"item": "id"}), {"item00": "label_0"}),
        "labels: there is no item column; the columns are: id, worker, label",
    ),
    "a number as text": (
        lambda table, _: consensus.agreement(table, n_bootstrap="many"),  # type: ignore[arg-type]  # the mistake
        "n_bootstrap is many; it must be 0 or more",
    ),
    "half an item": (
        lambda _, run: consensus.plan_gold(run, n=0.5),  # type: ignore[arg-type]  # the mistake
        "n = 0.5: expected a whole number of items, 1 or more",
    ),
    "no start": (
        lambda table, _: consensus.Replay(table, start=None),  # type: ignore[arg-type]  # the mistake
        "start = None: of each item at least 1 must be there at the beginning; with model_votes, 0 will do",
    ),
    "a column for several questions": (
        lambda table, _: consensus.run_by(table["label"], "topic"),
        f"judgments: a Series can't be read; {TABLES} what consensus.read returns",
    ),
    "a table without columns": (
        lambda _, __: consensus.run(pd.DataFrame()),
        "data frame: it has no columns; expected item, worker and label",
    ),
    "an index in place of a column": (
        lambda table, _: consensus.run(table.set_index("item")),
        "data frame: no column holds the item; the columns are: worker, label; name it with item=; item is the index: "
        "reset_index() makes columns of it",
    ),
    "a table with an index and something else amiss": (
        lambda table, _: consensus.run(
            table.assign(label=np.array([["a"]] * len(table)).tolist()).set_index("item", drop=False)
        ),
        "data frame: the label column holds list<item: string>, not single values; choose another with label=",
    ),
    "what a file holds": (
        lambda _, __: consensus.run("item,worker,label\na,ann,cat\n"),
        "judgments: this text is no path; give io.StringIO(text) if it is what a file holds",
    ),
    "what a file holds, in a line": (
        lambda table, _: consensus.run(table, gold=["[" + "{}," * 100]),
        "gold: this text is no path; give io.StringIO(text) if it is what a file holds",
    ),
    "a zero byte in a name": (
        lambda _, run: consensus.evaluate("a\0b", run),
        "labels: this text is no path; give io.StringIO(text) if it is what a file holds",
    ),
    "half of a character": (
        lambda _, __: consensus.run("\ud800"),
        "judgments: this text is no path; give io.StringIO(text) if it is what a file holds",
    ),
    "an empty name": (
        lambda table, _: consensus.run(table, previous=""),
        "previous: an empty text is no path; name a file",
    ),
    "no gold at all": (
        lambda table, _: consensus.run(table, gold={}),
        f'gold: an empty dict can\'t be read; {TABLES} labels by item such as {{"img7": "cat"}}, or what '
        "consensus.read_gold returns",
    ),
    "settings in one": (
        lambda table, _: consensus.run(table, config={"target": 0.9}),
        'unknown setting "config"; give each setting by its name, such as target=0.95',
    ),
    "a setting where it is made": (
        lambda _, __: consensus.RunConfig(target=95),
        "setting target = 95: input should be less than 1; 95 % is 0.95",
    ),
    "a setting mistyped where it is made": (
        lambda _, __: consensus.FitConfig(priors="none"),  # type: ignore[call-arg]  # the mistake
        'unknown setting "priors"; did you mean prior?',
    ),
    "a table in place of a number": (
        lambda table, _: consensus.run(table, target=table),
        "setting target = a DataFrame: input should be a valid number",
    ),
    "labels as on the command line": (
        lambda table, _: consensus.run(table, labels="label_0,label_1"),
        "setting labels = 'label_0,label_1': input should be a list",
    ),
    "labels without an order": (
        lambda table, _: consensus.run(table, labels={"label_0"}),
        "setting labels = {'label_0'}: a set has no order; give a list",
    ),
    "no labels": (
        lambda table, _: consensus.run(table, labels=[]),
        "setting labels = (): it is empty; give at least one",
    ),
    "memory in words": (
        lambda table, _: consensus.run(table, memory="lots"),
        "setting memory = 'lots': give it in bytes, or with a unit, such as 4GB",
    ),
    "a folder that is none": (
        lambda _, run: run.save(None),
        "folder: None is no path; name one to write",
    ),
    "a page without a file": (
        lambda _, run: run.report().save(None),
        "path: None is no path; name a file, such as report.html",
    ),
    "a folder that is not there": (
        lambda _, __: consensus.load("nope"),
        "nope: no such folder; name the output folder of consensus.run",
    ),
    "a worker that nobody is": (
        lambda _, run: run.plot.confusion("zoe"),
        'no worker "zoe" among the 6 workers',
    ),
    "costs that are one number": (
        lambda _, run: consensus.decide(run, 5),
        f'costs: 5 can\'t be read; {TABLES} costs by true and decided label such as {{("cat", "dog"): 5}}, or what '
        "consensus.read_costs returns",
    ),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_mistakes(
    kind: str, table: pd.DataFrame, plain: consensus.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make, message = MISTAKES[kind]
    with pytest.raises(consensus.ConsensusError) as caught:
        make(table, plain)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("labels", "named"),
    [
        ([1, 0], ("1", "0")),
        ([1.0, 0.5], ("1", "0.5")),
        (np.array([True, False]), ("true", "false")),
        (("b", "a"), ("b", "a")),
    ],
)
def test_labels_may_be_numbers_as_in_tables(labels: Any, named: tuple[str, ...]) -> None:
    config = consensus.FitConfig(labels=labels)
    assert config.labels == named
    judgments = {"item": ["i", "j"], "worker": ["w", "w"], "label": list(labels)}
    assert consensus.fit(consensus.read(judgments), config).judgments.labels == named


@pytest.mark.parametrize("wrong", [None, 7, 0.5, True, [], (), [1, 2], {}, object(), pd.Series([1]), b"x", {"a": 1}])
def test_a_wrong_kind_is_told_by_argument(
    wrong: Any, table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    calls: dict[str, Callable[[], object]] = {
        "judgments": lambda: consensus.run(wrong),
        "result": lambda: consensus.audit(wrong),
        "costs": lambda: consensus.read_costs(wrong),
        "workers": lambda: consensus.read_workers(wrong),
        "previous": lambda: consensus.read_previous(wrong),
        "model_votes": lambda: consensus.read_model_votes(wrong),
        "folder": lambda: consensus.load(wrong),
        "new": lambda: consensus.diff("x", wrong),
    }
    if not isinstance(wrong, dict) or not wrong:  # which may be labels by item
        calls |= {
            "gold": lambda: consensus.read_gold(wrong),
            "truth": lambda: consensus.evaluate(table, wrong),
            "labels": lambda: consensus.evaluate(wrong, {"item00": "label_0"}),
        }
    for name, call in calls.items():
        with pytest.raises(consensus.ConsensusError) as caught:
            call()
        told = str(caught.value)
        assert told.startswith((f"{name}: ", "data frame: no ")), told
        assert "--" not in told


class TestWarnings:
    def test_are_given_once_each_at_the_line_of_the_caller(self, table: pd.DataFrame) -> None:
        for call in (consensus.fit, consensus.run):
            with pytest.warns(consensus.ConsensusWarning) as caught:
                found = call(table)
            assert [str(one.message).split(":")[0] for one in caught] == [one.code for one in found.warnings]
            assert {one.filename for one in caught} == {__file__}
            assert any("give it with gold=" in str(one.message) or "(gold=)" in str(one.message) for one in caught)

    def test_are_not_given_by_what_fits_inside(self, table: pd.DataFrame, tmp_path: Path, run: Run) -> None:
        table.to_csv(tmp_path / "j.csv", index=False)
        with warnings.catch_warnings():
            warnings.simplefilter("error", consensus.ConsensusWarning)
            assert run("run", tmp_path / "j.csv", "--out", tmp_path / "out").status == 0
            assert run("escalate", tmp_path / "j.csv", "--json").status == 0
            consensus.plan_budget(table, votes=[2], targets=[0.9])
            consensus.load(tmp_path / "out")

    def test_of_a_comparison_that_shows_no_causes(self, table: pd.DataFrame, tmp_path: Path) -> None:
        gold = {"item00": "label_0"}
        other = {"item00": "label_1"}
        consensus.run(consensus.read(table), gold=gold).save(tmp_path / "old", report=False)
        with pytest.warns(consensus.ConsensusWarning, match="nothing shows what its judgments did: .* in memory"):
            found = consensus.diff(consensus.run(table, gold=other), tmp_path / "old")
        assert found["change"][0] == "label"


class TestTables:
    """What has no rows where there is nothing to tell."""

    def test_of_what_is_not_there(self, plain: consensus.Run) -> None:
        run = plain
        for name in ("models", "drift", "gold_health", "copying"):
            made = getattr(run, name)
            assert len(made) == 0, name
            assert len(made.columns) > 3, name
        assert run.posteriors.columns.tolist() == ["item", "label_0", "label_1"]
        assert run.confusions["worker"].nunique() == 6
        assert run.to_pandas().equals(run.labels)
        assert consensus.audit(run).equals(consensus.audit(run.result))

    def test_of_what_is(self, table: pd.DataFrame) -> None:
        run = consensus.run(table, gold={"item00": "label_0"})
        assert run.gold_health["item"].tolist() == ["item00"]

    def test_a_page_that_can_not_be_written(self, plain: consensus.Run, tmp_path: Path) -> None:
        page = plain.report()
        assert re.fullmatch(r"Page\([\d,]+ bytes of HTML; save\(path\) writes it\)", repr(page))
        assert str(page) == page.html
        assert page.save(tmp_path / "page.html").read_text() == page.html
        with pytest.raises(consensus.ConsensusError, match="a folder stands there; name a file"):
            page.save(tmp_path)
        with pytest.raises(consensus.ConsensusError, match="its folder does not exist; create it first"):
            page.save(tmp_path / "none" / "page.html")

    def test_charts_follow_the_settings_of_the_run(self, table: pd.DataFrame) -> None:
        run = consensus.run(table, model="dawid_skene", target=0.6, min_worker_judgments=5)
        charts = [run.plot.confidences(), run.result.plot.confidences(target=0.6)]
        assert charts[0].to_dict() == charts[1].to_dict()
        assert run.plot.workers().to_dict() == run.result.plot.workers(min_worker_judgments=5).to_dict()

    def test_saved_as_the_command_does_by_default(
        self, plain: consensus.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = plain
        run.save(tmp_path / "a", title="Animals")
        assert "Animals" in (tmp_path / "a" / "report.html").read_text()
        run.save(tmp_path / "b", report=True)
        assert (tmp_path / "b" / "report.html").exists()
        monkeypatch.setattr("consensus.report.charts.are_there", lambda: False)
        run.save(tmp_path / "c")
        assert not (tmp_path / "c" / "report.html").exists()


class TestEvaluate:
    TRUTH: ClassVar = {"a": "x", "b": "y"}

    @pytest.mark.parametrize(
        "labels",
        [
            {"a": "x", "b": "x"},
            [{"item": "a", "label": "x"}, {"item": "b", "label": "x"}],
            pd.DataFrame({"item": ["a", "b"], "label": ["x", "x"]}),
            {"item": ["a", "b"], "label": ["x", "x"]},
        ],
    )
    def test_whatever_holds_labels(self, labels: Any) -> None:
        found = consensus.evaluate(labels, self.TRUTH)
        assert (found.n_items, found.accuracy, found.log_loss) == (2, 0.5, None)
        assert found.confusion is not None
        assert found.confusion["count"].tolist() == [1, 1]
        assert consensus.evaluate(labels, consensus.read_gold(self.TRUTH)).accuracy == 0.5

    def test_columns_of_different_lengths(self) -> None:
        with pytest.raises(consensus.ConsensusError, match="labels: a dict can't be read"):
            consensus.evaluate({"item": ["a", "b"], "label": ["x"]}, self.TRUTH)

    def test_a_run_and_its_folder_are_scored_alike(self, table: pd.DataFrame, tmp_path: Path) -> None:
        drawn = consensus.simulate(40, 6, 2, 4, accuracy=0.85, seed=5)
        run = consensus.run(table, gold=drawn.truth_table(5))
        run.save(tmp_path / "out", report=False, posteriors=True)
        mine = consensus.evaluate(run, drawn.truth_table())
        theirs = consensus.evaluate(tmp_path / "out", drawn.truth_table())
        assert mine.n_items == theirs.n_items == 35
        assert mine.accuracy == theirs.accuracy == consensus.evaluate(run.result, drawn.truth_table()).accuracy
        assert mine.log_loss == pytest.approx(theirs.log_loss)

    def test_where_no_confidence_can_be_stated(self) -> None:
        single = [{"item": f"i{n}", "worker": f"w{n % 2}", "label": "xy"[n % 3 == 0]} for n in range(9)]
        found = consensus.evaluate(consensus.run(single), {"i0": "y", "i1": "x"})
        assert (found.n_items, found.log_loss) == (2, None)


class TestGiven:
    """Whatever Python has in place of a file."""

    def test_records_of_several_questions(self) -> None:
        rows = [{"item": f"i{n}", "worker": w, "label": "xy"[n % 2], "topic": "t"} for n in range(6) for w in "abc"]
        gold = [{"item": "i0", "label": "x", "topic": "t"}]
        assert consensus.run_by(rows, "topic", gold=gold)["t"].labels["status"][0] == "gold"

    def test_records_with_gaps(self) -> None:
        rows = [{"item": "a", "worker": "v", "label": "x"}, {"item": "a", "worker": "w"}]
        assert consensus.read(rows).tally.abstained == 1

    def test_gold_by_item(self) -> None:
        gold = consensus.read_gold({"img7": ["cat", "lynx"], "img8": "cat"})
        assert (gold.item, gold.label) == (("img7", "img7", "img8"), ("cat", "lynx", "cat"))
        assert consensus.read_gold({"item": ["img7"], "label": ["cat"]}).item == ("img7",)
        with pytest.raises(consensus.ConsensusError, match="label column holds lists or records"):
            consensus.read_gold({"img7": np.array("cat")})  # an array of no axis
        with pytest.raises(consensus.ConsensusError, match="data frame: no "):
            consensus.read_gold({"item": ["a", "b"], "lable": ["x", "y"]})
        with pytest.raises(consensus.ConsensusError, match="no column|holds lists|data frame"):
            consensus.read_gold({"img7": {"cat": 1}})

    def test_costs_by_labels(self) -> None:
        flat = consensus.read_costs({("cat", "dog"): 5, ("dog", "cat"): 1})
        assert flat == consensus.read_costs({"cat": {"dog": 5}, "dog": {"cat": 1}})
        assert flat.true_label == ("cat", "dog")
        with pytest.raises(consensus.ConsensusError):
            consensus.read_costs({"cat": 5})

    def test_workers_and_votes(self) -> None:
        pool = consensus.read_workers({"ann": {"available": 3}, "bob": {"price": 0.5}})
        assert pool.available == (3.0, float("inf"))
        votes = consensus.read_model_votes({"gpt": {"a": "x", "b": "y"}, "tiny": {"a": "x"}})
        assert (votes.n_votes, votes.models) == (3, ("gpt", "tiny"))

    def test_an_earlier_run(self, table: pd.DataFrame, tmp_path: Path) -> None:
        first = consensus.run(table, model="dawid_skene", target=0.9)
        first.save(tmp_path / "first", report=False)
        by_folder = consensus.run(table, model="dawid_skene", target=0.97, previous=tmp_path / "first")
        by_run = consensus.run(table, model="dawid_skene", target=0.97, previous=first)
        assert by_run.labels.equals(by_folder.labels)
        assert by_run.escalations.equals(by_folder.escalations)
        assert len(consensus.escalate(by_run, target=0.97, previous=first)) == len(by_run.escalations)
        assert by_run.table("changes").equals(by_folder.table("changes"))


@pytest.fixture(scope="module")
def whole(table: pd.DataFrame) -> consensus.Run:
    drawn = consensus.simulate(40, 6, 2, 4, accuracy=0.85, seed=5)
    timed = table.assign(timestamp=pd.date_range("2025-01-01", periods=len(table), freq="min").astype(str))
    return consensus.run(timed, gold=drawn.truth_table(8), model_votes=simulate_votes(drawn, 2, soft=True, seed=1))


class TestPickle:
    def test_before_and_after_every_call(self, whole: consensus.Run, table: pd.DataFrame) -> None:
        fitted = consensus.fit(table, model="average")
        calls: list[Callable[[Any], object]] = [
            lambda _: None,
            lambda result: result.labels,
            lambda result: result.backend.map(len, [[], []]),
            consensus.audit,
            consensus.escalate,
            lambda result: result.plot.workers(),
        ]
        for one in (fitted, whole.result):
            for call in calls:
                call(one)
                again = pickle.loads(pickle.dumps(one))
                assert again.labels.equals(one.labels)
                assert consensus.audit(again).equals(consensus.audit(one))
        for call in (
            lambda run: run.labels,
            lambda run: run.report(),
            lambda run: run.escalations,
            lambda run: run.drift,
        ):
            call(whole)
            again = pickle.loads(pickle.dumps(whole))
            assert again.labels.equals(whole.labels)
            assert again.summary == whole.summary

    def test_holds_no_threads(self, whole: consensus.Run) -> None:
        _ = whole.result.backend
        data = pickle.dumps(whole.result)
        assert b"Threads" not in data
        assert b"ThreadPool" not in pickle.dumps(whole)
        backend = Threads(2)
        assert backend.map(len, [[1], []]) == [1, 0]
        assert pickle.loads(pickle.dumps(backend)).map(len, [[1], []]) == [1, 0]
        assert copy.deepcopy(whole.result).labels.equals(whole.result.labels)

    def test_of_inputs(self, whole: consensus.Run) -> None:
        for one in (whole.inputs.judgments, whole.inputs.gold, whole.inputs.model_votes):
            assert one is not None
            again = pickle.loads(pickle.dumps(one))
            assert again.to_pandas().equals(one.to_pandas())
            assert len(again) == len(one)


class TestShown:
    def test_in_a_line(self, whole: consensus.Run) -> None:
        assert repr(whole).startswith("Run(dawid_skene: 40 items, ")
        assert repr(whole.result).startswith("Consensus(dawid_skene: 40 items, converged after ")
        assert len(whole) == len(whole.result) == len(whole.result.to_pandas()) == 40
        assert repr(whole.inputs.gold) == "Gold(8 items, 2 labels)"
        odd = [("a", "v", "x"), ("a", "w", None), ("a", "v", "y"), ("b", "v", " x")]
        judgments = consensus.read(pd.DataFrame(odd, columns=["item", "worker", "label"]))
        assert repr(judgments).endswith(
            "; dropped: 1 abstained, 1 repeated; warnings: look_alike_labels, many_repeats)"
        )

    def test_in_a_notebook_ids_are_escaped(self, whole: consensus.Run) -> None:
        rows = [{"item": f"i{n}", "worker": f"<b>w{n % 3}", "label": f"<i>{n % 2}"} for n in range(12)]
        found = consensus.run(rows, gold={"i0": "<i>0"}, model_votes={"<s>": {"i1": "<i>1"}})
        shown: list[Any] = [found, found.result, found.inputs.judgments, found.inputs.gold, found.inputs.model_votes]
        for one in [*shown, whole, whole.inputs.judgments]:
            html = one._repr_html_()
            assert html.startswith("<div><b>")
            assert not re.search("<(i|s)>|<b>w", html)
        assert "2025-01-01" in whole.inputs.judgments._repr_html_()  # type: ignore[union-attr]

    def test_many_notes_are_cut(self) -> None:
        from consensus.inputs import shown

        html = shown.card("X", [("n", 1234)], [f"note {n}" for n in range(12)])
        assert html.count("<li>") == 9
        assert "and 4 more" in html
        assert "1,234" in html
        assert shown.shortened([str(n) for n in range(10)]) == "0, 1, 2, 3, 4, 5, 6, 7 and 2 more"

    def test_as_frames(self, whole: consensus.Run) -> None:
        judgments, votes, gold = whole.inputs.judgments, whole.inputs.model_votes, whole.inputs.gold
        assert judgments is not None
        assert votes is not None
        assert gold is not None
        assert judgments.to_pandas().columns.tolist() == ["item", "worker", "label", "timestamp"]
        again = consensus.read(judgments.to_pandas().assign(timestamp=lambda table: table["timestamp"].astype(str)))
        assert again.to_pandas().equals(judgments.to_pandas())
        assert consensus.read_gold(gold.to_pandas()).label == gold.label
        assert votes.to_pandas()["probability"].between(0.0, 1.0).all()
        hard = consensus.read_model_votes({"gpt": {"a": "x"}})
        assert hard.to_pandas()["probability"].isna().all()
        grouped = consensus.read(
            {"item": ["a", "b"], "worker": ["v", "v"], "label": ["x", "x"], "g": ["1", None]}, group="g"
        )
        assert grouped.to_pandas()["group"].isna().tolist() == [False, True]


class TestSaid:
    """What an explanation and a score look like."""

    def test_an_explanation(self) -> None:
        table = {"item": list("aaabbb"), "worker": list("uvwuvw"), "label": ["x", "x", "<y>", "x", "<y>", "<y>"]}
        run = consensus.run(table, gold={"a": "x"}, model="dawid_skene")
        why = run.explain("a")
        assert re.fullmatch(r"Explanation\(a: x \(\d+\.\d% sure\) before <y>, 3 judgments; gold says x\)", repr(why))
        told = why.to_pandas()
        assert told["who"].tolist() == ["everyone", "u", "v", "w"]
        assert told["said"].tolist()[1:] == ["x", "x", "<y>"]
        assert np.log(told["odds"]).sum() == pytest.approx(why.log_odds)
        html = why._repr_html_()
        assert "&lt;y&gt;: odds x " in html
        assert "<y>" not in html

    def test_one_judgment_an_item(self) -> None:
        why = consensus.run({"item": ["a", "b"], "worker": ["u", "v"], "label": ["x", "y"]}).explain("a")
        assert repr(why).startswith("Explanation(a: x")
        assert repr(why).endswith(", 1 judgment)")
        assert "sure" not in repr(why)

    def test_ids_of_several_lines_in_one(self) -> None:
        item = "a\nb\u202e"
        why = consensus.run({"item": [item] * 2, "worker": ["u", "v"], "label": ["x", "x"]}).explain(item)
        assert repr(why).startswith(r"Explanation(a\nb\u202e: x")

    def test_a_score(self) -> None:
        found = consensus.evaluate({"a": "x", "b": "y"}, {"a": "x", "b": "x"})
        assert repr(found) == "Evaluation(2 items: accuracy 50.0% [9.5% to 90.5%])"
        assert "50.0%" in found._repr_html_()
        assert repr(consensus.evaluate({"a": "x"}, {"a": "x"})).startswith("Evaluation(1 item: ")
        right = pd.DataFrame({"item": ["a", "b"], "x": [0.9, 0.2], "y": [0.1, 0.8]})
        assert repr(consensus.evaluate(right, {"a": "x", "b": "y"})).endswith(
            "log loss 0.164, Brier score 0.050, calibration error 0.150)"
        )
