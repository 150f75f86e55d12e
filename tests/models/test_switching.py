"""Signs that labels are switched: pairs of workers, camps, labels that move; each rule at its border."""

import itertools
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from consensus.backends import Threads
from consensus.inputs.judgments import Judgments
from consensus.models import opposed_camps, starts, switching
from consensus.models.base import Execution, fit
from consensus.models.switching import Camps
from consensus.simulation import simulate, simulate_votes
from tests.strategies import encoded

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

ONE = Execution(Threads(1))
QUIET = Camps(agreeing=9, contradicting=3, workers=8, minority=2, minority_share=0.25)


def clear_pairs(judgments: Judgments) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """Workers who agree, and who contradict each other, beyond chance: by a normal test of their shared items."""
    said: dict[int, dict[int, int]] = {w: {} for w in range(judgments.n_workers)}
    for i, w, k in zip(judgments.item.tolist(), judgments.worker.tolist(), judgments.label.tolist(), strict=True):
        said[w][i] = k
    z = {}
    for a, b in itertools.combinations(said, 2):
        both = said[a].keys() & said[b].keys()
        labels = [np.bincount(list(said[w].values()), minlength=judgments.n_labels) / len(said[w]) for w in (a, b)]
        chance = float(labels[0] @ labels[1])
        variance = len(both) * chance * (1 - chance)
        if len(both) >= 10 and variance >= 1:
            z[a, b] = (sum(said[a][i] == said[b][i] for i in both) - len(both) * chance) / variance**0.5
    bound = norm.isf(0.01 / max(len(z), 1))
    return {pair for pair in z if z[pair] > bound}, {pair for pair in z if z[pair] < -bound}


class TestPairs:
    @pytest.mark.parametrize("seed", range(12))
    def test_by_the_normal_test(self, seed: int) -> None:
        """Crowds who agree a little, so that some pairs are near the bound; the labels are even, or hardly."""
        right = np.where(np.arange(9) < 6, 0.75, 0.25)[:, None, None]
        C = right * np.eye(2) + (1 - right) * (1 - np.eye(2))
        share = (0.5, 0.9, 0.97)[seed % 3]
        drawn = simulate(60, prior=[share, 1 - share], confusion=C, per_item=5, seed=seed).judgments
        agreeing, contradicting = (
            set(map(tuple, one.tolist())) for one in switching._clear_pairs(drawn, switching._items_for_pairs(drawn, 0))
        )
        assert (agreeing, contradicting) == clear_pairs(drawn)

    @pytest.mark.parametrize(("n_shared", "found"), [(9, 0), (10, 1)])
    def test_ten_shared_items_are_enough(self, n_shared: int, found: int) -> None:
        judgments = encoded([(f"i{i}", w, f"l{i % 2}") for i in range(n_shared) for w in "vw"])
        assert switching.camps(judgments, 0).agreeing == found

    @pytest.mark.parametrize(("n_others", "found"), [(40, 0), (20, 1)])
    def test_labels_that_hardly_vary_tell_nothing(self, n_others: int, found: int) -> None:
        """One says y on four of ten shared items, which is so many deviations; but hardly ever elsewhere."""
        judged = [(f"i{i}", w, "y" if w == "v" and i < 4 else "x") for i in range(10) for w in "vw"]
        judged += [(f"only{i}", "v", "x") for i in range(n_others)]
        share = 4 / (10 + n_others)
        assert (10 * share * (1 - share) >= 1) == bool(found)
        assert switching.camps(encoded(judged), 0).contradicting == found

    def test_up_to_two_million_pairs_are_all_looked_at(self) -> None:
        """Beyond them, an item with more than a tenth of these is left out."""
        for n_small, first in ((1_000, 0), (1_001, 1)):
            judgments: Any = SimpleNamespace(per_item=np.array([2_000] + [2] * n_small + [1, 0]))
            assert switching._items_for_pairs(judgments, 0).tolist() == list(range(first, n_small + 1))

    def test_a_sample_is_filled_to_the_brim(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(switching, "MOST_PAIRS", 100)
        few: Any = SimpleNamespace(per_item=np.full(150, 2))
        found = switching._items_for_pairs(few, 3)
        assert len(found) == len(set(found.tolist())) == 100
        assert (np.diff(found) > 0).all()
        mixed: Any = SimpleNamespace(per_item=np.array([5] * 9 + [6] * 9))  # of 10 and of 15 pairs
        assert switching._items_for_pairs(mixed, 0).tolist() == list(range(9))
        other = switching._items_for_pairs(few, 4)
        assert found.tolist() != other.tolist()


class TestCamps:
    def of(self, monkeypatch: pytest.MonkeyPatch, activity: list[int], agreeing: Any, contradicting: Any) -> Camps:
        pairs = tuple(np.array(one, np.int64).reshape(-1, 2) for one in (agreeing, contradicting))
        monkeypatch.setattr(switching, "_clear_pairs", lambda *_: pairs)
        monkeypatch.setattr(switching, "_items_for_pairs", lambda *_: None)
        judgments: Any = SimpleNamespace(per_worker=np.array(activity), n_workers=len(activity))
        found = switching.camps(judgments, 0)
        return replace(found, minority_share=round(found.minority_share, 12))

    def test_the_worker_in_most_contradictions_comes_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = self.of(monkeypatch, [10, 10, 10, 10, 99], [(0, 1)], [(0, 3), (1, 3), (2, 3)])
        assert found == Camps(1, 3, 4, 1, 0.25)

    def test_of_equals_the_busier_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.of(monkeypatch, [20, 30], [], [(0, 1)]) == Camps(0, 1, 2, 1, 0.4)
        assert self.of(monkeypatch, [30, 20], [], [(0, 1)]) == Camps(0, 1, 2, 1, 0.4)
        assert self.of(monkeypatch, [10, 30, 30, 30], [(1, 2), (1, 3)], [(0, 1)]).minority_share == 0.3

    def test_the_smaller_camp_is_the_minority(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One worker did most of what was done by the three; against their two opponents, who agree."""
        assert self.of(monkeypatch, [60, 20, 20], [(1, 2)], [(0, 1), (0, 2)]) == Camps(1, 2, 3, 2, 0.4)
        assert self.of(monkeypatch, [50, 25, 25], [(1, 2)], [(0, 1), (0, 2)]) == Camps(1, 2, 3, 1, 0.5)

    def test_nobody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.of(monkeypatch, [10, 10], [], []) == Camps(0, 0, 0, 0, 0.0)


class TestRisk:
    def told(self, *of: Any) -> Any:
        (one,) = switching._switch_risk(*of)
        assert one.code == "switch_risk"
        assert one.message.endswith("Only gold can tell: give some with --gold")
        return one

    def test_more_than_a_quarter_is_a_sign(self) -> None:
        assert switching._switch_risk(QUIET, None, 100) == []
        one = self.told(Camps(9, 3, 8, 2, 0.2501), None, 100)
        assert one.message.startswith(
            "labels may be switched: 2 of the 8 workers with a clear tendency contradict the others more often than "
            "chance (3 of 12 pairs). "
        )
        assert one.values == {"pairs_agreeing": 9, "pairs_contradicting": 3, "minority_share": 0.2501}

    def test_half_a_nat_tells_two_readings_apart(self) -> None:
        assert switching._switch_risk(QUIET, 0.5, 100) == []
        one = self.told(QUIET, 0.499, 100)
        assert one.message.startswith("labels may be switched: the opposite reading of the data fits as well. ")
        assert one.values["mirrored_gap"] == pytest.approx(0.00499)
        assert "pairs); the opposite reading" in self.told(Camps(9, 3, 8, 2, 0.3), -3.0, 100).message

    @pytest.mark.parametrize(("n_judgments", "fitted"), [(1_000_000, True), (1_000_001, False)])
    def test_up_to_a_million_judgments_the_opposite_is_fitted(
        self, n_judgments: int, fitted: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class FittedError(Exception):
            pass

        def climb(*_: Any) -> None:
            raise FittedError

        monkeypatch.setattr(switching, "camps", lambda *_: Camps(3, 0, 3, 0, 0.0))
        monkeypatch.setattr(starts, "by_majority", lambda *_: (None, None))
        monkeypatch.setattr(starts, "mirrored", lambda *_: None)
        monkeypatch.setattr(switching, "climb", climb)
        monkeypatch.setattr(switching, "_items_for_pairs", lambda *_: None)
        monkeypatch.setattr(opposed_camps, "found", lambda *_: None)
        monkeypatch.setattr(switching, "moved_labels", lambda *_: [])
        monkeypatch.setattr(switching, "_mass_of_judged", lambda *_: None)
        counted = SimpleNamespace(n_judgments=n_judgments, n_opinions=n_judgments)
        judged = SimpleNamespace(n_judgments=n_judgments, cluster=None)
        problem: Any = SimpleNamespace(judgments=judged, rows=counted, units=None)
        if fitted:
            with pytest.raises(FittedError):
                switching.risks(problem, None, ONE)  # type: ignore[arg-type]
        else:
            assert switching.risks(problem, None, ONE) == []  # type: ignore[arg-type]


class TestMovedLabels:
    def told(self, pooled: Any, mass: list[float], majority: list[float], n_signs: int | None = None) -> list[str]:
        layout = SimpleNamespace(pooled_counts=lambda _: np.array(pooled, np.float64))
        problem: Any = SimpleNamespace(judgments=SimpleNamespace(labels=tuple("abcdef"[: len(mass)])), layout=layout)
        estimate: Any = SimpleNamespace(counts=None)
        found = switching.moved_labels(problem, estimate, np.array(mass), np.array(majority))
        if not found:
            return []
        (one,) = found
        begin, end = "the labels differ much from the judgments: ", "; look at some of these items"
        assert one.message.startswith(begin)
        assert one.message.endswith(end)
        listed = one.message[len(begin) : -len(end)].split("; ")
        assert one.values == {"n_signs": n_signs or len(listed)}
        return listed

    def test_ten_judgments_are_read(self) -> None:
        even = [50.0, 50.0]
        assert self.told([[9.0, 1.0], [5.5, 4.4]], even, even) == []
        assert self.told([[9.0, 1.0], [5.0, 5.0]], even, even) == []
        assert self.told([[9.0, 1.0], [5.5, 4.5]], even, even) == ['items taken as "b" are mostly judged "a"']

    @pytest.mark.parametrize(
        ("mass", "majority", "moves"),
        [(10, 20, False), (9.9, 20, True), (20, 10, False), (20.1, 10, True), (4, 9.9, False), (4, 10, True),
         (9.9, 4, False), (10, 4, True), (12, 0, True)],
    )  # fmt: skip
    def test_half_or_twice_as_many_items_have_moved(self, mass: float, majority: float, moves: bool) -> None:
        told = self.told(np.eye(2) * 30, [mass, 30.0], [majority, 30.0])
        assert told == [f'"a" has {mass:,.0f} items where the majority vote has {majority:,.0f}'] * moves

    def test_four_signs_are_shown(self) -> None:
        told = self.told(np.roll(np.eye(6), 1, axis=1) * 20, [20.0] * 6, [20.0] * 6, n_signs=6)
        assert told == [f'items taken as "{a}" are mostly judged "{b}"' for a, b in zip("abcd", "bcde", strict=True)]

    @pytest.mark.parametrize("block", [1, 100, 1_000_000])
    def test_only_items_that_people_judged_are_compared(self, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """Models voted on 400 items, people judged 100 of them: "four times as many items" is no move of a label."""
        monkeypatch.setattr(switching, "BLOCK", block)
        drawn = simulate(400, 6, 2, 4, accuracy=0.9, seed=3)
        votes = simulate_votes(drawn, 2, accuracy=0.85, seed=3)
        some = drawn.judgments.subset(drawn.judgments.item < 100)
        result = fit(some, model_votes=votes)
        assert [one for one in result.warnings if one.code == "moved_labels"] == []
        judged = result.posterior[:100]

        seen: list[tuple[Any, ...]] = []
        real = switching.moved_labels

        def noted(*given: Any) -> Any:
            seen.append(given)
            return real(*given)

        monkeypatch.setattr(switching, "moved_labels", noted)
        fit(some, model_votes=votes, rho=0)
        _, _, mass, majority = seen[0]
        assert mass.sum() == pytest.approx(100)
        assert majority.sum() == pytest.approx(100)
        assert mass == pytest.approx(judged.sum(axis=0), abs=5)
