"""Workers who stand for many people: found by name, declared, and kept out of the audit of workers."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import consensus
from consensus import agreement, audit, escalate, fit, read, worker_audit
from consensus.errors import JudgmentError
from consensus.runs.finished import inputs_of
from tests.conftest import Run, csv

NOTICED = {"shared_identity", "many_repeats"}
Write = Callable[[str, str | bytes], Path]
Row = tuple[str, str, str]


def crowd(guest: str, n_guests: int = 4, n_items: int = 40) -> list[Row]:
    """Three people and some guests judge each item; all but one guest are right."""
    rows = []
    for i in range(n_items):
        label, other = ("x", "y") if i % 3 else ("y", "x")
        rows += [(f"i{i:02}", f"w{w}", label) for w in range(3)]
        rows += [(f"i{i:02}", guest, other if n == i % 5 else label) for n in range(n_guests)]
    return rows


def frame(rows: list[Row]) -> dict[str, list[str]]:
    item, worker, label = (list(column) for column in zip(*rows, strict=True))
    return {"item": item, "worker": worker, "label": label}


class TestPlain:
    @pytest.mark.parametrize(
        "name", ["not-logged-in", "NULL", "anonymous", "", "None", "guest", " Guest ", "Not Logged In", "nan", "N/A"]
    )
    def test_a_name_that_is_nobodys_counts_as_many(self, name: str) -> None:
        judgments = read(frame(crowd(name)))
        assert judgments.anonymous == (name,)
        assert (judgments.tally.repeated, judgments.n_judgments) == (0, 280)
        (told,) = judgments.cautions
        assert told.code == "shared_identity"
        shown = " ".join(name.split())
        assert told.message == (
            f'worker "{shown}" gave 160 judgments, up to 4 of one item, so these are many people: each judgment counts '
            "as that of another person, and none of them is audited; if they are one person, pass --repeats last"
        )
        assert told.values == {"n_judgments": 160, "most_of_an_item": 4}
        assert judgments.notes == (
            f'160 judgments by "{shown}" count as those of different people; none of them is audited',
        )

    def test_said_otherwise_they_are_one(self) -> None:
        judgments = read(frame(crowd("guest")), repeats="last")
        assert (judgments.anonymous, judgments.tally.repeated) == ((), 120)
        assert [one.code for one in judgments.cautions] == ["shared_identity", "many_repeats"]
        assert "if these are many people, say so with --anonymous guest" in judgments.cautions[0].message
        assert judgments.cautions[0].options == ("--anonymous", "guest")

    def test_without_repeats_they_may_be_one(self) -> None:
        judgments = read(frame(crowd("unknown", 1)))
        assert judgments.anonymous == ()
        (told,) = judgments.cautions
        assert told.message == (
            'worker "unknown" gave 40 judgments: if these are many people, say so with --anonymous unknown'
        )

    def test_who_abstained_always_is_nobody_at_all(self) -> None:
        judgments = read({"item": list("ab"), "worker": ["guest", "w"], "label": ["", "x"]}, abstain=("",))
        assert judgments.cautions == ()

    def test_one_judgment_is_nothing_to_speak_of(self) -> None:
        assert read({"item": list("ab"), "worker": ["guest", "w"], "label": ["x", "x"]}).cautions == ()


class TestFarBeyondOthers:
    def test_another_name_is_an_error_that_says_so(self) -> None:
        with pytest.raises(JudgmentError) as caught:
            read(frame(crowd("web form", 8)))
        assert str(caught.value) == (
            'data frame: 280 of 440 judgments (64%) repeat the same item and worker, most of them worker "web form" '
            '(280) and item "i00" (7); worker "web form" gave 320 judgments, up to 8 of one item: if these are '
            "many people, say so with --anonymous 'web form'; or choose with --repeats last, first or keep"
        )

    @pytest.mark.parametrize("rows", [crowd("tim", 2), crowd("tim", 3, 4), [*crowd("tim", 1), *crowd("tim", 1)]])
    def test_people_who_repeat_themselves_are_not(self, rows: list[Row]) -> None:
        """Twice an item, on a few items, or as all others do."""
        assert "shared_identity" not in {one.code for one in read(frame(rows), repeats="last").cautions}


class TestDeclared:
    def test_each_judgment_counts(self, write: Write) -> None:
        judgments = read(write("j.csv", csv(crowd("web"))), anonymous=("web",))
        assert (judgments.n_judgments, judgments.anonymous, judgments.cautions) == (280, ("web",), ())
        assert dict(zip(judgments.worker_ids.to_pylist(), judgments.is_person.tolist(), strict=True)) == {
            "w0": True,
            "w1": True,
            "w2": True,
            "web": False,
        }
        assert judgments.notes[-1].startswith('160 judgments by "web" count as those of different people')

    def test_others_keep_the_last(self) -> None:
        rows = [*crowd("web", 2), ("i00", "w0", "x"), ("i00", "w0", "y")]
        for times in (None, list(range(len(rows)))):
            table = frame(rows) | ({} if times is None else {"timestamp": times, "seconds": times})
            judgments = read(table, anonymous=("web",))
            assert judgments.tally.repeated == 2
            own = (judgments.item == 0) & (judgments.worker == 0)
            assert [judgments.labels[code] for code in judgments.label[own]] == ["y"]
            codes = np.stack([judgments.item, judgments.worker, judgments.label])
            assert (np.lexsort(codes[::-1]) == np.arange(judgments.n_judgments)).all()

    def test_the_order_of_rows_does_not_matter(self) -> None:
        rows = [(*row, n % 7, n) for n, row in enumerate(crowd("web"))]
        found = []
        for some in (rows, rows[::-1]):
            item, worker, label, at, took = zip(*some, strict=True)
            table = {"item": item, "worker": worker, "label": label, "timestamp": at, "seconds": took}
            found.append(read(table, anonymous=("web",)))
        for name in ("item", "worker", "label", "timestamp", "duration"):
            assert (getattr(found[0], name) == getattr(found[1], name)).all()

    def test_an_error_about_repeats_spares_them(self) -> None:
        assert read(frame(crowd("web")), anonymous=("web",), repeats="error").n_judgments == 280
        with pytest.raises(JudgmentError, match='worker "w0" judged item "i00" twice'):
            read(frame([*crowd("web"), ("i00", "w0", "x")]), anonymous=("web",), repeats="error")

    def test_an_absent_worker_may_be_nobody(self, write: Write) -> None:
        path = write("j.csv", csv([("a", "", "x"), ("a", "", "y"), ("a", "w", "x"), ("b", '""', "x")]))
        judgments = read(path, anonymous=("",))
        assert (judgments.n_judgments, judgments.rejects, judgments.anonymous) == (4, (), ("",))

    def test_many_rows_without_a_worker_are_told(self, write: Write) -> None:
        path = write("j.csv", csv([(f"i{i}", "" if w else "ann", "x") for i in range(15) for w in range(3)]))
        judgments = read(path)
        assert judgments.tally.rejected == 30
        assert [one[:2] + one[3:] for one in judgments.cautions] == [
            (
                "shared_identity",
                "30 of 45 rows name no worker and are not used; with --anonymous '' each of them counts as the "
                "judgment of another person",
                ("--anonymous", ""),
            )
        ]
        assert consensus.check(path).command == f"consensus run {path} --anonymous ''"
        assert read(path, anonymous=("",)).n_judgments == 45

    def test_a_name_that_is_not_there_is_told(self) -> None:
        (told,) = read(frame(crowd("web", 1)), anonymous=("Web",)).cautions
        assert (told.code, told.message) == ("option_without_effect", "--anonymous Web: no worker is called that")


@pytest.fixture(scope="module")
def result() -> consensus.Consensus:
    return fit(read(frame(crowd("guest", 4, 60))))


@pytest.mark.compiled
class TestAudit:
    def test_they_are_in_no_table_of_workers(self, result: consensus.Consensus) -> None:
        for table in (
            audit(result),
            worker_audit.behaviours(result),
            worker_audit.confusions(result),
            worker_audit.drifting(result),
        ):
            assert set(table["worker"].dropna()) == {"w0", "w1", "w2"}
        assert sum(worker_audit.verdict_counts(worker_audit.WorkerAudit(result)).values()) == 3

    def test_nobody_asks_them(self, result: consensus.Consensus) -> None:
        asked = escalate(result, target=0.9999, min_judgments=7, max_judgments=9)
        assert "guest" not in " ".join(asked["suggested_workers"].dropna())
        retests = worker_audit.retest_table(result)
        assert "guest" not in set(retests["worker"])

    def test_they_copy_from_nobody(self, result: consensus.Consensus) -> None:
        copies = worker_audit.groups(result)
        guest = result.judgments.worker_ids.index("guest").as_py()
        assert copies.group[guest] == -1

    @pytest.mark.parametrize("n_each", [1, 4, 7])
    def test_their_row_is_that_of_the_mean_of_them(self, n_each: int) -> None:
        """Also where nobody has a name: then the judgments of an item are held against each other all the same."""
        rng = np.random.default_rng(n_each)
        truth, rows = rng.integers(2, size=150), []
        for i, true in enumerate(truth.tolist()):
            who = [*(f"w{w}" for w in range(7 - n_each)), *["guest"] * n_each]
            skill = [0.8] * (7 - n_each) + rng.choice([0.5, 0.9, 0.95], n_each).tolist()
            rows += [(f"i{i:03}", w, "xy"[true ^ (rng.random() > p)]) for w, p in zip(who, skill, strict=True)]
        found = fit(read(frame(rows), anonymous=("guest",)), model="dawid_skene", rho=0.0)
        own = [label == "xy"[truth[int(item[1:])]] for item, worker, label in rows if worker == "guest"]
        assert np.diag(found.confusion("guest")).mean() == pytest.approx(np.mean(own), abs=0.05)
        labels = found.labels
        right = labels["label"] == ["xy"[truth[int(item[1:])]] for item in labels["item"]]
        assert right.mean() > 0.9
        assert labels["confidence"].mean() == pytest.approx(right.mean(), abs=0.05)

    def test_they_agree_with_each_other(self, result: consensus.Consensus) -> None:
        """As if each judgment were one of a worker of its own."""
        rows = crowd("guest", 4, 60)
        apart = [(i, f"{w}{n}" if w == "guest" else w, label) for n, (i, w, label) in enumerate(rows)]
        found = agreement(result.judgments, n_bootstrap=0)["value"]
        assert found.tolist() == pytest.approx(agreement(frame(apart), n_bootstrap=0)["value"].tolist(), nan_ok=True)

    def test_a_run_says_how_many_judgments(self, run: Run, write: Write, tmp_path: Path) -> None:
        path = write("j.csv", csv(crowd("web")))
        ran = run("run", path, "--output", tmp_path / "out", "--anonymous", "web")
        assert '\n160 judgments by "web" count as those of different people; none of them is audited\n' in ran.err
        told = json.loads((tmp_path / "out" / "summary.json").read_text())
        assert told["settings"]["anonymous"] == ["web"]
        assert sum(told["verdicts"].values()) == 3
        assert "web" not in (tmp_path / "out" / "workers.csv").read_text()

    def test_a_finished_run_knows_them_again(self, run: Run, write: Write, tmp_path: Path) -> None:
        path = write("j.csv", csv(crowd("guest")))
        for n, repeats in enumerate(([], ["--repeats", "first"])):
            out = tmp_path / str(n)
            assert run("run", path, "--output", out, *repeats).status == 0
            again = inputs_of(out).judgments
            assert again is not None
            assert again.anonymous == (() if repeats else ("guest",))
            codes = [one["code"] for one in json.loads((out / "summary.json").read_text())["warnings"]]
            assert [one.code for one in again.cautions] == [code for code in codes if code in NOTICED]
