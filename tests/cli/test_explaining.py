"""``consensus report``, ``explain`` and ``diff``: finished runs, fitted again from their inputs."""

import itertools
import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import consensus
from consensus.cli.explaining import meaning
from consensus.errors import OutputError
from consensus.explanation import Explanation, Push, Say
from consensus.report import differences
from consensus.report.differences import Cause
from consensus.runs.finished import inputs_of, summary_of
from tests.conftest import DIGITS, Run, csv

CROWD = [
    (f"i{n:02}", f"w{w}", "cat" if (n % 2 == 0) != ((n * 7 + w * 5) % 9 == 0) else "dog")
    for n in range(40)
    for w in range(3)
]


@pytest.fixture
def ran(write: Any, run: Run, tmp_path: Path) -> Path:
    """The output of a run on a small crowd, with the settings that can't be guessed from the file."""
    path = write("crowd.csv", csv(CROWD, "unit,who,said"))
    out = tmp_path / "out"
    columns = ("--item", "unit", "--worker", "who", "--label", "said")
    assert run("run", path, *columns, "--labels", "dog,cat", "--rho", "0.2", "--output", out).status == 0
    return out


class TestReport:
    @pytest.mark.slow
    def test_is_the_page_that_run_would_have_written(self, run: Run, tmp_path: Path) -> None:
        given = ("run", DIGITS / "judgments.csv", "--gold", DIGITS / "gold.csv", "--target", "0.99", "--output")
        assert run(*given, tmp_path / "a", report=True).status == 0
        assert run(*given, tmp_path / "b").status == 0
        made = run("report", tmp_path / "b")
        assert made.status == 0
        assert made.err.splitlines() == [f"wrote {tmp_path / 'b' / 'report.html'}"]
        assert (tmp_path / "b" / "report.html").read_bytes() == (tmp_path / "a" / "report.html").read_bytes()
        assert not list((tmp_path / "b").glob("*.partial"))

    def test_with_everything_that_a_run_takes(self, ran: Path, run: Run, write: Any, tmp_path: Path) -> None:
        costs = write("costs.csv", "true,decided,cost\ncat,dog,5\ndog,cat,1\n")
        workers = write("pool.csv", "worker,available,price\nw0,9,0.5\nw1,9,0.1\n")
        votes = write(
            "votes.csv", "item,model,label\n" + "".join(f"i{n:02},m,{'cat' if n % 2 else 'dog'}\n" for n in range(40))
        )
        given = ("--item", "unit", "--worker", "who", "--label", "said", "--collusion", "off", "--costs", costs)
        more = ("--workers", workers, "--previous", ran, "--price-per-judgment", "0.2")
        out = tmp_path / "all"
        judged = ran.parent / "crowd.csv"
        renamed = write("votes2.csv", votes.read_text().replace("item,model,label", "unit,model,said"))
        assert run("run", judged, "--model-votes", renamed, *given, *more, "--output", out, report=True).status == 0
        page = (out / "report.html").read_bytes()
        assert run("report", out, "-o", tmp_path / "again.html", "--threads", "1").status == 0
        assert (tmp_path / "again.html").read_bytes() == page

    def test_where_it_can_not_go(self, ran: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        made = run("report", ran, "-o", tmp_path)
        assert (made.status, made.err) == (3, f"consensus: {tmp_path}: a folder stands there; name a file\n")
        made = run("report", ran, "-o", tmp_path / "no" / "x.html")
        said = f"consensus: {tmp_path / 'no' / 'x.html'}: its folder does not exist; create it first\n"
        assert (made.status, made.err) == (3, said)

        def full(*_: Any, **__: Any) -> None:
            raise OSError(28, "No space left on device")

        from consensus.report import page

        monkeypatch.setattr(page, "made", full)
        made = run("report", ran)
        assert (made.status, made.err) == (
            3,
            f"consensus: {ran / 'report.html'}: can't be written: no space left on device; make room there, or choose "
            "another place\n",
        )


class TestAgain:
    def test_inputs_that_are_gone_moved_or_changed(
        self, ran: Path, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        judged = ran.parent / "crowd.csv"
        text = judged.read_text()
        judged.write_text(text + "i99,w1,cat\n")
        assert run("explain", ran, "i01").err == f"consensus: {ran}: its input {judged} has changed since; run again\n"
        judged.unlink()
        assert (
            run("explain", ran, "i01").err
            == f"consensus: {ran}: its input {judged} is not there; put it back, or run again\n"
        )
        judged.write_text(text)
        told = json.loads((ran / "summary.json").read_text())
        told["provenance"]["judgments"][0]["file"] = "crowd.csv"
        told["provenance"]["consensus"] = "0.0.1"
        (ran / "summary.json").write_text(json.dumps(told))
        monkeypatch.chdir(tmp_path.parent)
        found = run("explain", ran, "i01")
        assert found.status == 0
        assert "was made by consensus 0.0.1; this is" in found.err

    @pytest.mark.parametrize(
        "text",
        [
            "{",
            "[]",
            "{}",
            '{"provenance": {}, "settings": 1}',
            '{"provenance": {"consensus": "1", "judgments": [], "gold": [], "model_votes": []}, "settings": {}}',
            "\xff",
            *(
                f'{{"provenance": {{"consensus": {version}, "judgments": [{file}], "gold": [], "model_votes": []}}, '
                '"settings": {}, "convergence": {"status": "converged"}}'
                for version, file in (('"1"', "7"), ('"1"', '{"file": "a.csv"}'), ("1", ""))
            ),
        ],
    )
    def test_no_summary_of_ours(self, text: str, tmp_path: Path) -> None:
        (tmp_path / "summary.json").write_bytes(text.encode("latin-1"))
        with pytest.raises(
            OutputError, match=r"summary\.json: not the summary of consensus run; name the output folder"
        ):
            summary_of(tmp_path)
        (tmp_path / "summary.json").unlink()
        with pytest.raises(OutputError, match="no summary.json in it; name the output folder of consensus run"):
            summary_of(tmp_path)
        with pytest.raises(OutputError, match="x: no such folder; name the output folder of consensus run"):
            summary_of(Path("x" * 300))
        with pytest.raises(OutputError, match="nowhere: no such folder; name the output folder") as caught:
            summary_of(tmp_path / "nowhere")
        assert caught.value.code == "file_not_found"

    def test_settings_of_another_version(self, ran: Path, run: Run) -> None:
        told = json.loads((ran / "summary.json").read_text())
        told["settings"]["target"] = 7
        (ran / "summary.json").write_text(json.dumps(told))
        found = run("explain", ran, "i01")
        assert found.status == 1
        assert found.err.startswith(f"consensus: {ran}: summary.json: setting target = 7: ")
        assert found.err.endswith("; run again with this version\n")

    @pytest.mark.parametrize("n_workers", [1, 3])
    def test_the_model_of_the_run(self, n_workers: int, run: Run, tmp_path: Path) -> None:
        """Votes that were counted because nothing else could be done are counted again, beside model votes too."""
        judged, votes, settings = (tmp_path / name for name in ("crowd.csv", "votes.csv", "settings.toml"))
        judged.write_text(csv([(f"i{n}", f"w{w}", f"l{n % 2}") for n in range(20) for w in range(n_workers)]))
        votes.write_text("item,model,label\nnew,m,l0\n")
        settings.write_text('model = "majority_vote"\n')
        more = ("--model-votes", votes) if n_workers == 1 else ("--config", settings)
        assert run("run", judged, *more, "--output", tmp_path / "out").status == 0
        told = json.loads((tmp_path / "out" / "summary.json").read_text())
        assert told["settings"]["model"] == "majority_vote"
        assert told["convergence"]["status"] == ("not_identified" if n_workers == 1 else "not_iterative")
        result = consensus.Run(inputs_of(tmp_path / "out")).result
        assert result.model == "majority_vote"
        assert result.config.model == (None if n_workers == 1 else "majority_vote")
        assert result.chosen_because is None


class TestExplain:
    def test_as_a_table(self, ran: Path, run: Run) -> None:
        found = run("explain", ran, "i06")
        assert found.status == 0
        lines = found.out.splitlines()
        assert lines[0].startswith("i06: cat, before dog, ")
        for text in ("everyone", "how common labels are", "w0", "w2", "together", "judgments say cat"):
            assert text in found.out
        assert "\x1b" not in found.out
        assert max(map(len, lines)) <= 100

    def test_as_json(self, ran: Path, run: Run) -> None:
        found = json.loads(run("explain", ran, "i06", "--json").out)
        assert found["item"] == "i06"
        parts = found["prior"] + sum(push["push"] for push in [*found["readings"], *found["votes"]])
        assert parts == pytest.approx(found["log_odds"], abs=1e-9)
        labels = pd.read_csv(ran / "labels.csv").set_index("item")
        assert found["confidence"] == pytest.approx(labels.at["i06", "confidence"], abs=1e-6)

    def test_an_unknown_item(self, ran: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        found = run("explain", ran, "i066")
        assert found.status == 3
        assert found.err == 'consensus: no item "i066" among the 40 that were judged (did you mean i06?)\n'
        monkeypatch.setattr("consensus.explanation.taking_apart.MOST_COMPARED", 3)
        assert run("explain", ran, "i066").err == 'consensus: no item "i066" among the 40 that were judged\n'

    def test_one_judgment_an_item(self, write: Any, run: Run, tmp_path: Path) -> None:
        path = write("single.csv", csv([(f"i{n}", f"w{n % 3}", "ab"[n % 2]) for n in range(9)]))
        assert run("run", path, "--output", tmp_path / "out").status == 0
        found = run("explain", tmp_path / "out", "i1")
        assert "nothing tells whom to believe" in found.out
        assert json.loads(run("explain", tmp_path / "out", "i1", "--json").out)["log_odds"] is None

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({}, ["1 of 2 judgments say a", "no single judgment decides it"]),
            ({"votes": ()}, ["nobody judged it"]),
            (
                {"power": 0.5},
                ["1 of 2 judgments say a", "no single judgment decides it", "each counts for 50% of its weight, "],
            ),
            (
                {"gold": "b"},
                ["1 of 2 judgments say a", "no single judgment decides it", "gold says b, and that is its"],
            ),
            (
                {"votes": (Push("w", "a", 2.0, "b"),), "models": (Push("m", "a", 2.0, "c"),)},
                [
                    "1 of 1 judgments say a",
                    "without any one of these the label would be another: m (then c), w (then b)",
                ],
            ),
            (
                {"says": (Say("lure", "b", 0.704, 0.25), Say("subtypes", "a", 0.9, 0.75))},
                [
                    "1 of 2 judgments say a",
                    "readings say (sure, weight): lure b (70%, .25), subtypes a (90%, .75)",
                    "no single judgment decides it",
                ],
            ),
            (
                {"readings": (Push("all readings", "beyond their judgments", 2.0, "b"),)},
                [
                    "1 of 2 judgments say a",
                    "without any one of these the label would be another: all readings (then b)",
                ],
            ),
        ],
    )
    def test_in_words(self, given: Any, said: list[str]) -> None:
        votes = (Push("w", "a", 1.0, None), Push("v", "b", -0.5, None))
        usual: dict[str, Any] = {"votes": votes, "models": (), "power": 1.0, "gold": None}
        one = Explanation("i", "a", "b", 0.9, 0.5, 0.0, top=(), **(usual | given))
        found = meaning(one)
        assert len(found) == len(said)
        for line, begin in zip(found, said, strict=True):
            assert line.startswith(begin)


class TestDiff:
    @pytest.fixture
    def later(self, run: Run, write: Any, tmp_path: Path) -> Path:
        """Three more workers, right as a rule, who turn the labels of two items round; one item is gone, one is new."""
        more = [row for row in CROWD if row[0] != "i39" and row[:2] != ("i06", "w1")]
        for w in (7, 8, 9):
            said = {f"i{n:02}": "cat" if n % 2 == 0 else "dog" for n in range(30)} | {
                "i06": "dog",
                "i08": "dog",
                "i50": "cat",
            }
            more += [(item, f"w{w}", label) for item, label in said.items()]
        path = write("later.csv", csv(more))
        assert run("run", path, "--labels", "dog,cat", "--rho", "0.2", "--output", tmp_path / "later").status == 0
        return tmp_path / "later"

    def test_tables(self, ran: Path, later: Path, run: Run, tmp_path: Path) -> None:
        found = run("diff", ran, later)
        assert found.status == 0
        for text in ("What is different", "i06", "Who did most", "w9 new", "cat -> dog"):
            assert text in found.out
        assert "1 new item, 1 item gone" in found.err
        assert run("diff", ran, later, "-o", tmp_path / "d.csv").out == ""
        table = pd.read_csv(tmp_path / "d.csv")
        old, new = (pd.read_csv(folder / "labels.csv").set_index("item") for folder in (ran, later))
        both = old.index.intersection(new.index)
        flipped = set(both[old.loc[both, "label"] != new.loc[both, "label"]])
        assert set(table[table["change"] == "label"]["item"]) == flipped != set()
        assert table[table["change"] == "label"]["by"].notna().all()
        assert set(table[table["change"] == "new"]["item"]) == {"i50"}
        assert set(table[table["change"] == "gone"]["item"]) == {"i39"}
        as_json = [json.loads(line) for line in run("diff", ran, later, "--json").out.splitlines()]
        assert [one["item"] for one in as_json] == table["item"].tolist()

    def test_causes_add_up_to_the_change_of_the_log_odds(self, ran: Path, later: Path) -> None:
        from consensus.cli import job
        from consensus.explanation import explain

        show = job.Show(quiet=True)
        old, new = (consensus.Run(inputs_of(one, show)).result for one in (ran, later))
        code = new.judgments.item_ids.index("i06").as_py()
        flipped = [("i06", "cat", "dog"), ("i07", "unheard of", "dog"), ("nowhere", "cat", "dog")]
        found = differences.causes(flipped, new, old)
        assert list(found) == ["i06"]
        import numpy as np

        pair = np.array([[0, 1]])
        now = explain(new, np.array([code]), pair)[0].log_odds
        was = explain(old, np.array([old.judgments.item_ids.index("i06").as_py()]), pair)[0].log_odds
        assert sum(one.push for one in found["i06"]) == pytest.approx(now - was, abs=0.2)  # less what is not noteworthy
        how = {(one.who, one.how) for one in found["i06"]}
        assert {("w7", "new"), ("w8", "new"), ("w9", "new"), ("w1", "gone")} <= how
        alone = differences.causes(flipped, new, None)["i06"]
        assert {one.who for one in alone} >= {"w7", "w8", "w9"}
        assert all(a.push >= b.push for a, b in itertools.pairwise(alone))

    def test_inputs_that_changed(self, ran: Path, later: Path, run: Run) -> None:
        (ran.parent / "crowd.csv").unlink()
        found = run("diff", ran, later)
        assert found.status == 0
        assert "is not there; put it back, or run again" in found.err
        assert "w9 dog x " in found.out
        (ran.parent / "later.csv").unlink()
        found = run("diff", ran, later)
        assert "What is different" in found.out
        assert "Who did most" not in found.out

    def test_no_difference(self, ran: Path, run: Run, tmp_path: Path) -> None:
        found = run("diff", ran, ran)
        assert (found.status, found.out, found.err) == (0, "", "no difference\n")
        found = run("diff", ran, tmp_path / "nowhere")
        assert found.status == 1
        assert run("diff", ran, ran, "-o", tmp_path / "x.xls").status == 3

    def test_parquet_and_many(self, ran: Path, later: Path, run: Run, tmp_path: Path, monkeypatch: Any) -> None:
        shutil.copytree(ran, tmp_path / "copy")
        pd.read_csv(ran / "labels.csv").to_parquet(tmp_path / "copy" / "labels.parquet")
        (tmp_path / "copy" / "labels.csv").unlink()
        monkeypatch.setattr("consensus.cli.comparing.SHOWN", 2)
        monkeypatch.setattr(differences, "MOST_EXPLAINED", 1)
        found = run("diff", tmp_path / "copy", later)
        assert found.status == 0
        assert "the first 2 of" in found.out
        assert "who did it is told of 1 of the" in found.err

    def test_words(self) -> None:
        causes = [Cause("w1", "new", 2.0), Cause(differences.PRIOR, "prior", 0.5), Cause("w2", "gone", -1.0)]
        assert differences.in_words(causes) == "w1 new x 7.4; how common labels are x 1.6"
        assert differences.by_worker({"a": causes, "b": [Cause("w2", "rated anew", 3.0)]}) == [
            {"who": "w2", "flips": 1, "log_odds": 3.0},
            {"who": "w1", "flips": 1, "log_odds": 2.0},
        ]

    def test_the_same_label_twice_and_another_one(self) -> None:
        def one(*votes: Push) -> Explanation:
            return Explanation("i", "a", "b", 0.9, 0.0, 0.1, (), votes, None, 1.0, ())

        was = differences._parts(one(Push("w", "a", 1.0, None), Push("w", "a", 1.0, None), Push("v", "b", -1.0, None)))
        now = differences._parts(one(Push("w", "a", 1.5, None), Push("v", "a", 1.0, None)))
        assert len(was) == 4
        found = {(cause.who, cause.how, cause.push) for cause in differences._compared(now, was)}
        assert found == {
            (differences.PRIOR, "prior", 0.0),
            ("w", "rated anew", 0.5),
            ("v", "says another label", 1.0),
            ("w", "gone", -1.0),
            ("v", "gone", 1.0),
        }

    def test_shares_of_votes_explain_nothing(self, write: Any, run: Run, tmp_path: Path) -> None:
        for name, labels in (("a", "ab"), ("b", "ba")):
            path = write(f"{name}.csv", csv([(f"i{n}", "w", labels[n % 2]) for n in range(6)]))
            assert run("run", path, "--output", tmp_path / name).status == 0
        found = run("diff", tmp_path / "a", tmp_path / "b")
        assert "6 other labels" in found.err
        assert "Who did most" not in found.out


def test_a_terminal_obeys_no_id(run: Run, write: Any, tmp_path: Path) -> None:
    evil = "\x1b[31mred"
    rows = [(f"i{n}", worker, "ab"[n % 2]) for n in range(8) for worker in ("u", "v", evil)]
    rows = [row for row in rows if row[0] != "i1" or row[1] == "u"]
    later = [*rows, ("i1", "v", "a"), ("i1", evil, "a")]
    for name, judged in (("old", rows), ("new", later)):
        assert run("run", write(f"{name}.csv", csv(judged)), "--output", tmp_path / name).status == 0
    for ran in (run("explain", tmp_path / "new", "i1"), run("diff", tmp_path / "old", tmp_path / "new")):
        assert ran.status == 0
        assert "\x1b" not in ran.out
        assert r"\x1b[31mred" in ran.out
