"""The benchmark of crowds under attack: its draws, what it counts, and the script at a tiny size."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from tests import attack_crowds
from tests.attack_crowds import Crowd, Recipe, draw
from tests.conftest import ROOT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tests.benchmarks import attacks, peers
    from tests.benchmarks import attacks_fits as fits
    from tests.benchmarks import attacks_told as told
else:  # scripts: their own folder is on the path
    sys.path.append(str(ROOT / "tests" / "benchmarks"))
    import attacks
    import attacks_fits as fits
    import attacks_told as told
    import peers

SMALL = Recipe(n_items=80, hostile=0.4, gold=0.1, n_labels=3)


def rows(table: str) -> dict[str, list[str]]:
    """Cells by the first of each line of a Markdown table."""
    lines = [line[2:-2].split(" | ") for line in table.splitlines() if line.startswith("| ")]
    return {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in lines}


class TestCrowds:
    @pytest.mark.parametrize("attack", [*attack_crowds.ATTACKS, "newcomers"])
    def test_honest_judgments_are_those_of_every_attack(self, attack: Any) -> None:
        recipe = Recipe(attack, 0.4, 3, 0.1, n_items=80)
        crowd = draw(recipe, 3)
        assert draw(recipe, 3).table.equals(crowd.table)
        honest = crowd.table[crowd.table["worker"].str.startswith("h")].reset_index(drop=True)
        assert honest.equals(draw(SMALL, 3).clean)
        assert (len(honest), len(crowd.table)) == (240, 400)
        assert not crowd.table.duplicated(["item", "worker"]).any()
        assert (crowd.gold, crowd.truth) == (draw(SMALL, 3).gold, draw(SMALL, 3).truth)
        assert len(crowd.gold) == 8

    def test_what_hostile_workers_do(self) -> None:
        def right(attack: Any, gold: bool | None = None) -> "NDArray[np.bool_]":
            crowd = draw(Recipe(attack, 0.5, 4, 0.5, n_items=400), 1)
            own = crowd.table[crowd.table["worker"].isin(crowd.hostile)]
            own = own if gold is None else own[own["item"].isin(crowd.gold) == gold]
            return (own["label"] == own["item"].map(crowd.truth)).to_numpy(np.bool_)

        assert right("spammers").mean() == pytest.approx(0.25, abs=0.04)
        assert right("constant").mean() == pytest.approx(0.25, abs=0.04)
        assert not right("colluders").any()
        assert not right("sybils").any()
        assert right("adversaries").mean() == pytest.approx(0.2 / 3, abs=0.02)
        assert right("gold_aware", gold=True).all()
        assert right("gold_aware", gold=False).mean() == pytest.approx(0.25, abs=0.05)
        assert right("sleepers").mean() == pytest.approx((0.8 + 0.25) / 2, abs=0.05)

    def test_sybils_beside_newcomers(self) -> None:
        crowd = draw(fits.Cell(fits.BESIDE, 2, 0.0, 0.4, 0).recipe, 0)
        kinds = crowd.table["worker"].str[0].value_counts(normalize=True)
        assert kinds.round(2).to_dict() == {"h": 0.45, "x": 0.4, "n": 0.15}


class TestScores:
    crowd = Crowd(
        pd.DataFrame(
            [("i0", "a", "c0"), ("i0", "b", "c1"), ("i1", "a", "c1"), ("i2", "a", "c0"), ("i3", "a", "c1")],
            columns=["item", "worker", "label"],
        ),
        {"i0": "c0", "i1": "c1", "i2": "c2", "i3": "c0"},
        {"i3": "c0"},
        frozenset(),
    )

    def test_majority_shares_ties_and_leaves_gold_out(self) -> None:
        assert fits.majority(self.crowd) == pytest.approx(100 * (0.5 + 1.0 + 0.0) / 3)

    def test_an_item_without_label_is_a_guess(self) -> None:
        assert fits.score({"i0": "c0", "i1": "c0", "i3": "c1"}, self.crowd, 4) == pytest.approx(100 * 1.25 / 3)


def crowds(**changed: Any) -> pd.DataFrame:
    """Two seeds of one cell."""
    first = {
        "attack": "sybils",
        "labels": 2,
        "gold": 0.05,
        "hostile": 0.4,
        "seed": 0,
        "majority": 80.0,
        "crowd_kit": 81.0,
        "ours": 82.0,
        "clean": 83.0,
        "n_items": 100,
        "accepted": 40,
        "wrong": 1,
        "n_hostile": 10,
        "named": 4,
        "n_honest": 20,
        "condemned": 0,
        "codes": "bad_workers unaudited",
        **changed,
    }
    return pd.DataFrame([first, {**first, "seed": 1, "ours": first["ours"] - 2.0, "codes": "bad_workers switch_risk"}])


class TestTold:
    def test_a_row(self) -> None:
        cells = told.cells(crowds())
        title = "sybils, 2, 5 % gold"
        assert rows(told.accuracy(cells))[title] == ["81.0", "80.0", "80.0", "81.0", "83.0", "+1.0 (40 %)"]
        assert rows(told.trust(cells))[title] == [
            *("40.0", "2.5", "2.5 (40 %)", "40.0", "0 of 40"),
            "`bad_workers`, `switch_risk` 1",
        ]

    def test_nothing_accepted(self) -> None:
        seen = rows(told.trust(told.cells(crowds(accepted=0, wrong=0, n_hostile=0))))["sybils, 2, 5 % gold"]
        assert seen[:4] == ["0.0", "", "", ""]

    def test_the_last_share_stands_for_the_shown_one(self) -> None:
        both = pd.concat([crowds(hostile=0.1), crowds(hostile=0.2, ours=70.0)])
        seen = rows(told.accuracy(told.cells(both)))
        assert seen["attack, labels, gold"][:3] == ["10 %", "20 %", "at 20 %: worst crowd"]
        assert seen["sybils, 2, 5 % gold"][:3] == ["81.0", "69.0", "68.0"]
        assert seen["sybils, 2, 5 % gold"][-1] == "-11.0 (20 %)"

    def test_every_cell_meets_the_figures(self) -> None:
        assert [one.met for one in told.of_table(told.cells(crowds()))] == [True, True, True]

    def test_cells_that_miss_are_listed(self) -> None:
        majority, clean, wrong = told.of_table(told.cells(crowds(ours=78.0, wrong=20)))
        cell = "sybils, 2 labels, 5 % gold, 40 %"
        assert majority.misses == (f"{cell}: -3.0 points (worst seed -4.0)",)
        assert clean.misses == (f"{cell}: 6.0 points (worst seed 7.0)",)
        assert wrong.misses == (f"{cell}: 20 wrong of 40 accepted",)  # the other crowd has a warning that says so
        assert str(clean) == (
            "- NOT MET: 5 % gold, 40 % hostile: within 3 points of the honest judgments alone in 1 cells; 1 miss\n"
            f"    - {cell}: 6.0 points (worst seed 7.0)"
        )

    def test_wrong_by_chance_is_no_miss(self) -> None:
        wrong = told.of_table(told.cells(crowds(wrong=3)))[-1]
        assert wrong.met
        assert wrong.text.endswith("in 1 cells; 1 are above, 0 of them by more than chance")

    def test_without_gold_nothing_is_asked_beside_majority(self) -> None:
        texts = [one.text for one in told.of_table(told.cells(crowds(gold=0.0, ours=10.0)))]
        assert texts[0].startswith("no gold, 40 % hostile")
        assert len(texts) == 2

    def test_sybils(self) -> None:
        some = crowds(ours=89.0)
        assert rows(told.of_sybils(some))["2"] == ["88.0 (87.0)", "80.0", "0"]
        assert [one.met for one in told.figures_of_sybils(some)] == [True, True]
        some.loc[0, "condemned"] = 1
        assert [one.met for one in told.figures_of_sybils(some.assign(ours=87.0))] == [False, False]

    def test_newcomers_against_an_earlier_run(self) -> None:
        now, before = crowds(attack="newcomers"), crowds(attack="newcomers", ours=83.5)
        assert rows(told.of_newcomers(now))["2 labels, 5 % gold"] == ["81.00 (80.0)", "80.0", "0 of 40"]
        assert rows(told.of_newcomers(now, before))["2 labels, 5 % gold"][-1] == "+1.50 (+1.5)"
        assert [one.met for one in told.figures_of_newcomers(now, before)] == [False]
        assert [one.met for one in told.figures_of_newcomers(before, now)] == [True]
        assert not rows(told.of_newcomers(now, before.assign(seed=9)))["2 labels, 5 % gold"][-1]

    def test_cheats(self) -> None:
        some = pd.DataFrame(
            [(2, 0.2, 0, 9, 1, 10, 30, 40, 90.0), (2, 0.2, 1, 10, 0, 10, 40, 40, 92.0)],
            columns=["labels", "cheats", "seed", "found", "false", "n_cheats", "leaked", "n_gold", "ours"],
        )
        assert rows(told.of_cheats(some))["2 labels, 20 % cheats"] == ["95.0", "95.0", "1", "87.5", "91.0"]
        assert [one.met for one in told.figures_of_cheats(some)] == [True]
        assert [one.met for one in told.figures_of_cheats(some.assign(found=0, false=0))] == [False]

    def test_changes_are_of_the_same_crowds(self) -> None:
        now, before = crowds(ours=90.0), crowds()
        cell = "sybils, 2 labels, 5 % gold, 40 %"
        assert rows(told.changes(now, before))[cell] == ["81.0", "89.0", "+8.0"]
        assert rows(told.changes(now[:1], before))[cell] == ["82.0", "90.0", "+8.0"]
        assert len(rows(told.changes(crowds(ours=82.9), before))) == 1


class Pretended:
    """crowd-kit, which answers that every item has the true label."""

    def __init__(self, folder: Path, wrong: int = 0) -> None:
        self.peer = fits.Peer(folder, self)  # type: ignore[arg-type]
        self.stdin, self.wrong = self, wrong
        self.stdout: list[str] = []

    def write(self, line: str) -> None:
        crowd = self.peer.asked.get(int(line))
        given = np.load(self.peer.folder / f"{int(line)}.npz")
        self.seen = given["judgments"], given["gold"]
        assert crowd is not None
        labels = np.array([int(label[1:]) for label in crowd.truth.values()])
        labels[: self.wrong] += 1
        np.save(self.peer.folder / f"{int(line)}.npy", labels)
        self.stdout.append(line)

    def flush(self) -> None:
        """As a stream does."""

    close = flush


def test_the_peer_gets_codes(tmp_path: Path) -> None:
    crowd = draw(SMALL, 0)
    peer = Pretended(tmp_path, wrong=8)
    peer.peer.ask(7, crowd)
    judgments, gold = peer.seen
    assert [f"i{i}" for i in judgments[:, 0]] == crowd.table["item"].tolist()
    assert [f"c{k}" for k in judgments[:, 2]] == crowd.table["label"].tolist()
    assert pd.Series(judgments[:, 1]).groupby(crowd.table["worker"]).nunique().eq(1).all()
    assert {f"i{i}": f"c{k}" for i, k in gold.tolist()} == crowd.gold
    counted: list[tuple[int, int]] = []
    wrong = sum(f"i{i}" not in crowd.gold for i in range(8))
    answers = peer.peer.answers(lambda n, of: counted.append((n, of)))
    assert answers[7] == pytest.approx(100 * (1 - wrong / 72))
    assert counted == [(1, 1)]
    peer.stdout.clear()
    with pytest.raises(SystemExit, match="crowd-kit failed"):
        peer.peer.answers(lambda *_: None)


PEER = """
import sys
import numpy as np
print({version!r}, flush=True)
for line in sys.stdin:
    crowd = np.load(sys.argv[1] + "/" + line.strip() + ".npz")
    np.save(sys.argv[1] + "/" + line.strip() + ".npy", np.zeros(crowd["judgments"][:, 0].max() + 1, int))
    print(line.strip(), flush=True)
"""


@pytest.fixture
def constant_peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In place of crowd-kit, a peer that gives every item the first label."""
    version = dict(line.split("==") for line in peers.REQUIREMENTS.read_text().split() if "==" in line)["crowd-kit"]
    (tmp_path / "peer_attacks.py").write_text(PEER.format(version=version))
    monkeypatch.setattr(peers, "HERE", tmp_path)
    return Path(sys.executable)


@pytest.mark.compiled
def test_the_script(
    constant_peer: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, csv = tmp_path / "page.md", tmp_path / "crowds.csv"
    page.write_text(f"Above.\n\n{attacks.BEGINS}\n\nOld.\n\n{attacks.ENDS}\n\nBelow.\n")
    monkeypatch.setattr(attacks, "CHEATS", (0.2,))
    small = ["attacks.py", "--quick", "--attacks", "colluders", "gold_aware", "--crowds", "1"]
    monkeypatch.setattr(
        sys, "argv", [*small, "--peers-python", str(constant_peer), "--save", str(csv), "--write", str(page)]
    )
    attacks.main()
    out = capsys.readouterr().out
    text = page.read_text()
    assert text.startswith(f"Above.\n\n{attacks.BEGINS}\n\n### Labels right, per cent\n")
    assert text.endswith(f"{attacks.ENDS}\n\nBelow.\n")
    assert "Old." not in text
    seen = rows(out)
    assert set(seen) >= {"colluders, 2, no gold", "colluders, 2, 5 % gold", "gold_aware, 2, 5 % gold"}
    assert "gold_aware, 2, no gold" not in seen
    saved = pd.read_csv(csv)
    assert saved["part"].value_counts().to_dict() == {"table": 6, "sybils": 2, "newcomers": 4, "cheats": 1}
    of_table = saved[saved["part"] == "table"]
    assert of_table["crowd_kit"].between(20, 80).all()
    assert of_table[["majority", "ours", "clean"]].notna().all(axis=None)

    again = [*small, "--no-peers", "--only", "table", "newcomers", "--against", str(csv)]
    monkeypatch.setattr(sys, "argv", again)
    attacks.main()
    out = capsys.readouterr().out
    assert "points lost (worst crowd)" in out
    assert "met: honest newcomers, 2 labels, no gold: +0.00 points lost, at most 1" in out
    changed = out.split("### Changed by a point or more")[1].split("###")[0]
    assert len(rows(changed)) == 1  # the same commit: only the head
