"""Workers who agree with nobody beyond chance, and fits that hold them to that."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import consensus
from consensus import read
from consensus.backends import Threads
from consensus.config import FitConfig
from consensus.found.result import Consensus
from consensus.inputs.judgments import Judgments
from consensus.kernels import loner_loops
from consensus.models import dawid_skene, loners
from consensus.models.base import Execution
from consensus.models.cavity import without_gold
from consensus.models.fit_stages import Candidates
from consensus.models.loners import Loners, _Halves, _Looked, _Mean
from consensus.models.newcomers import EXPERIENCED
from consensus.models.preparing import prepared
from consensus.models.problem import Problem
from tests import naive_loners
from tests.attack_crowds import Crowd, Recipe, draw

ONE = Threads(1)
TINY = Recipe("spammers", hostile=0.4, n_labels=3, n_items=30, n_honest=8)
SMALL = Recipe("spammers", hostile=0.4, n_labels=6, n_items=250, n_honest=15)


def named(judgments: Judgments, found: Loners) -> set[str]:
    return {judgments.worker_ids[w].as_py() for w in np.flatnonzero(found.members).tolist()}


def right(result: Consensus, crowd: Crowd) -> float:
    labels = result.labels
    return float(np.mean([crowd.truth[i] == said for i, said in zip(labels["item"], labels["label"], strict=True)]))


def looked(judgments: Judgments) -> _Looked:
    return _Looked.at(judgments, judgments.per_worker >= EXPERIENCED, ONE)


class TestAgreement:
    def test_is_summed_over_pairs(self) -> None:
        judgments = read(draw(TINY, 1).table)
        judgments = judgments.subset(np.arange(judgments.n_judgments) % 4 != 1)  # items of other sizes
        by = naive_loners.shares(judgments)
        weight = np.linspace(-0.5, 1.0, judgments.n_workers)
        told = np.zeros((judgments.n_workers, 5))
        loner_loops.beyond_chance(judgments.item_start, judgments.worker, judgments.label, by, weight, told)
        np.testing.assert_allclose(told, naive_loners.beyond_chance(judgments, by, weight), rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(looked(judgments).beside(weight), told, rtol=1e-12, atol=1e-12)

    def test_an_item_with_one_judgment_says_nothing(self) -> None:
        table = pd.DataFrame({"item": ["a", "b"], "worker": ["v", "w"], "label": ["x", "y"]})
        assert not looked(read(table)).beside(np.ones(2)).any()

    @pytest.mark.parametrize("passes", [1, 50])
    def test_skills_are_found_in_turn(self, passes: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(loners, "MOST_PASSES", passes)
        judgments = read(draw(TINY, 2).table)
        known = judgments.per_worker >= EXPERIENCED
        expected = naive_loners.skills(judgments, known.tolist(), loners.CREDIT, passes, loners.STILL)
        np.testing.assert_allclose(looked(judgments).skills(), expected, rtol=1e-9, atol=1e-12)

    @pytest.mark.compiled
    def test_skills_are_those_of_one_coin(self) -> None:
        """The accuracy that they stand for is that of the workers; who guesses or gives one label has none."""
        for attack in ("spammers", "constant"):
            attacked: Any = attack
            crowd = draw(Recipe(attacked, hostile=0.4, n_labels=6), 3)
            judgments = read(crowd.table)
            skill = looked(judgments).skills()
            names = judgments.worker_ids.to_pylist()
            is_right = crowd.table["label"] == crowd.table["item"].map(crowd.truth)
            accuracy = is_right.groupby(crowd.table["worker"]).mean().reindex(names).to_numpy()
            hostile = np.array([name in crowd.hostile for name in names])
            assert np.abs(skill[hostile]).max() < 0.2
            assert np.abs((1 + 5 * skill[~hostile]) / 6 - accuracy[~hostile]).max() < 0.15

    def test_nobody_agrees_with_anybody(self) -> None:
        """Each item's judgments are all different."""
        rows = [(f"i{i}", f"w{w}", f"c{(i + w) % 3}") for i in range(30) for w in range(3)]
        judgments = read(pd.DataFrame(rows, columns=["item", "worker", "label"]))
        assert not looked(judgments).skills().any()
        assert loners.found(judgments, ONE) is None

    def test_nobody_has_enough_judgments(self) -> None:
        judgments = read(draw(Recipe("sybils", hostile=1.0, n_labels=3, n_items=100), 1).table)
        found, skill = looked(judgments).camp()
        assert found is None
        assert not skill.any()
        assert loners.found(judgments, ONE) is None

    def test_skills_of_loners_are_drawn_together(self) -> None:
        """Nearly to one value where all guess; those who differ by more than chance keep apart."""
        crowd = draw(replace(SMALL, hostile=0.5), 5)
        judgments = read(crowd.table)
        at = looked(judgments)
        members, skill = at.camp()
        assert members is not None
        drawn = at.drawn(skill, members)
        assert np.ptp(drawn[members]) < np.ptp(skill[members]) / 2
        assert abs(drawn[members].mean()) < 0.03
        np.testing.assert_array_equal(drawn[~members], skill[~members])
        both = np.flatnonzero(members)
        own = crowd.table["worker"] == judgments.worker_ids[int(both[0])].as_py()
        table = crowd.table.assign(label=np.where(own, crowd.table["item"].map(crowd.truth), crowd.table["label"]))
        at = looked(read(table))
        drawn = at.drawn(at.skills(), members)
        assert drawn[both[0]] > 0.5
        assert np.abs(drawn[both[1:]]).max() < 0.3


class TestWhoIsFound:
    @pytest.mark.compiled
    @pytest.mark.parametrize("attack", ["spammers", "constant", "adversaries"])
    @pytest.mark.parametrize("hostile", [0.3, 0.6])
    def test_who_guesses_or_is_wrong_alone(self, attack: Any, hostile: float) -> None:
        crowd = draw(Recipe(attack, hostile=hostile, n_labels=10), 1)
        judgments = read(crowd.table)
        found = loners.found(judgments, ONE)
        assert found is not None
        assert named(judgments, found) == crowd.hostile
        assert found.share == pytest.approx(hostile)
        assert found.bounds.held is found.members
        assert found.bounds.accuracy is found.accuracy
        chance = 0.1 if attack != "adversaries" else 0.03
        assert np.abs(found.accuracy[found.members] - chance).max() < 0.06
        assert found.accuracy[~found.members].min() > 0.5
        assert found.agreed == pytest.approx(0.1 if attack != "adversaries" else 0.04, abs=0.02)
        assert found.expected == pytest.approx(0.1, abs=0.01)
        assert found.others == pytest.approx(0.65, abs=0.05)

    @pytest.mark.compiled
    @pytest.mark.parametrize("attack", ["newcomers", "colluders", "sybils", "sleepers"])
    @pytest.mark.parametrize("n_labels", [3, 10])
    def test_none_where_somebody_agrees(self, attack: Any, n_labels: int) -> None:
        """Among themselves, or a little."""
        for hostile in (0.3, 0.6):
            assert loners.found(read(draw(Recipe(attack, hostile=hostile, n_labels=n_labels), 1).table), ONE) is None

    def test_none_where_halves_do_not_tell(self, monkeypatch: pytest.MonkeyPatch) -> None:
        judgments = read(draw(SMALL, 1).table)
        for told in (None, replace(TestHalves.GUESSING, above=mean(-0.1))):
            monkeypatch.setattr(loners, "_halves", lambda _, told=told: told)
            assert loners.found(judgments, ONE) is None

    def test_none_among_two_labels_or_beside_weights_and_groups(self) -> None:
        crowd = draw(SMALL, 1)
        judgments = read(crowd.table)
        assert loners.found(judgments, ONE) is not None
        assert loners.found(read(draw(replace(SMALL, n_labels=2), 1).table), ONE) is None
        for column in ("cluster", "group"):
            same: dict[str, Any] = {column: column}
            assert loners.found(read(crowd.table.assign(**{column: crowd.table["item"]}), **same), ONE) is None

    def test_anonymous_judgments_are_no_workers(self) -> None:
        crowd = draw(SMALL, 1)
        judgments = read(crowd.table)
        nobody = replace(judgments, anonymous=tuple(sorted(crowd.hostile)))
        assert loners.found(nobody, ONE) is None

    @pytest.mark.compiled
    def test_honest_workers_who_see_one_label_only(self) -> None:
        """They agree with each other by chance alone, if chance is made by what they see."""
        rng = np.random.default_rng(7)
        n_items, K = 400, 4
        truth = np.where(np.arange(n_items) < 200, 0, rng.integers(K, size=n_items))
        rows = []
        for i, k in enumerate(truth):
            usual = rng.permutation(20)[:3] if i < 200 else 20 + rng.permutation(20)[:3]
            for w in [*usual, *(40 + rng.permutation(20)[:2])]:
                said = k if rng.random() < 0.85 else rng.integers(K)
                rows.append((f"i{i}", f"w{w}", f"c{said}"))
        assert loners.found(read(pd.DataFrame(rows, columns=["item", "worker", "label"])), ONE) is None

    @pytest.mark.compiled
    def test_weak_workers_beside_a_ring_are_no_loners(self) -> None:
        """Who copies agrees always; the others agree a little with each other."""
        rng = np.random.default_rng(3)
        rows = []
        for i in range(600):
            truth, stream = rng.integers(3, size=2)
            rows += [(f"i{i}", f"r{w}", f"c{stream}") for w in rng.permutation(12)[:2]]
            for w in rng.permutation(30)[:4]:
                rows.append((f"i{i}", f"h{w}", f"c{truth if rng.random() < 0.35 else rng.integers(3)}"))
        judgments = read(pd.DataFrame(rows, columns=["item", "worker", "label"]))
        halves = loners._halves(looked(judgments))
        assert halves is not None
        assert not halves.alone
        assert loners.found(judgments, ONE) is None

    @pytest.mark.parametrize("threads", [1, 3])
    def test_threads_change_nothing(self, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("consensus.backends.SMALLEST_SHARD", 100)
        judgments = read(draw(SMALL, 1).table)
        one, many = (loners.found(judgments, Threads(n)) for n in (1, threads))
        assert one is not None
        assert many is not None
        np.testing.assert_array_equal(one.members, many.members)
        np.testing.assert_array_equal(one.accuracy, many.accuracy)

    def test_many_judgments_are_looked_at_in_part_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        crowd = draw(replace(SMALL, n_labels=10, n_items=400), 1)
        judgments = read(crowd.table)
        monkeypatch.setattr(loners, "SAMPLE", 1500)
        part = loners._sampled(judgments)
        assert 1200 < part.n_judgments < 1800
        assert set(part.per_item.tolist()) == {0, 5}
        found = loners.found(judgments, ONE)
        assert found is not None
        assert named(judgments, found) == crowd.hostile
        seen = _Looked.camp
        monkeypatch.setattr(
            _Looked, "camp", lambda at, *least: (None, np.zeros(0)) if at.judgments is judgments else seen(at, *least)
        )
        assert loners.found(judgments, ONE) is None  # all judgments say otherwise than the part


def mean(value: float, error: float = 0.001, n: float = 1000.0) -> _Mean:
    return _Mean(value, error**2, n)


class TestHalves:
    GUESSING = _Halves(mean(0.0), mean(0.0), mean(0.0), mean(0.5), mean(0.1), mean(0.6), 500)

    def test_who_agrees_with_nobody(self) -> None:
        assert self.GUESSING.alone
        opposed = replace(self.GUESSING, across=mean(-0.2), anywhere=mean(-0.2), within=mean(0.08))
        assert opposed.alone  # as the opposite of others must agree with each other

    @pytest.mark.parametrize(
        "otherwise",
        [
            {"within": mean(0.0, n=99)},
            {"across": mean(0.0, n=200)},
            {"above": mean(-0.1)},
            {"across": mean(0.124)},
            {"anywhere": mean(0.124)},
            {"across": mean(0.0, 0.1)},
            {"within": mean(0.012, 0.001)},
            {"within": mean(0.07, 0.02)},
        ],
        ids=["few pairs", "apart", "nobody agrees", "weak", "one label", "unsure", "a little alike", "perhaps alike"],
    )
    def test_else_they_are_none(self, otherwise: dict[str, Any]) -> None:
        assert not replace(self.GUESSING, **otherwise).alone

    def test_a_mean_and_its_variance(self) -> None:
        found = _Mean.of([np.array([[1.0, 4.0, 9, 9, 9], [3.0, 4.0, 9, 9, 9]]), np.array([[2.0, 2.0, 9, 9, 9]])])
        assert (found.value, found.n) == (0.6, 10.0)
        assert found.variance == pytest.approx((1.4**2 + 0.6**2 + 0.8**2) / 100)
        assert _Mean.of([np.zeros((0, 5))]).value == 0.0

    def test_no_camps_on_a_half(self) -> None:
        assert loners._halves(looked(read(draw(Recipe("newcomers", hostile=0.0, n_labels=4), 1).table))) is None


class TestProblem:
    def test_loners_bound_what_is_fitted(self) -> None:
        crowd = draw(SMALL, 1)
        judgments = read(crowd.table)
        problem = Problem.of(judgments, None, FitConfig(), ONE)
        assert problem.loners is not None
        assert problem.bounds is not None
        np.testing.assert_array_equal(problem.bounds.held, problem.loners.members)
        for prior in ("fixed", "none"):
            chosen: Any = prior
            assert Problem.of(judgments, None, FitConfig(prior=chosen), ONE).loners is None

    def test_what_is_said_of_them(self) -> None:
        found = Loners(np.array([True, True, False]), np.full(3, 0.5), 0.402, 0.111, 0.099, 0.651)
        said = loners.told(found)
        assert said.code == "agree_with_nobody"
        assert said.message == (
            "2 workers (40% of all judgments) agree with the others in 11% of the cases, where chance makes 10%, and "
            "as little with each other; the others agree with each other in 65%. So these workers count only as far as "
            "they agree beyond chance; read their reasons in workers.csv (consensus audit) before you stop anybody"
        )
        assert said.values == {"n_workers": 2, "share": 0.402, "agreed": 0.111, "expected": 0.099, "others": 0.651}

    def test_a_fit_begins_at_their_agreement_and_keeps_it_beside_few_gold_items(self) -> None:
        crowd = draw(replace(SMALL, gold=0.02), 1)
        settings = FitConfig(model="dawid_skene", max_iterations=3)
        judgments, gold, _ = prepared(read(crowd.table), crowd.gold, settings)
        assert gold is not None
        result = dawid_skene.fit(judgments, None, gold, settings, Execution(ONE))
        assert set(result.starts) == {"agreement"}
        assert "agree_with_nobody" in {one.code for one in result.warnings}
        problem = Problem.of(judgments, gold, settings, ONE)
        found = Candidates.of(problem, Execution(ONE))
        assert problem.loners is not None
        logs = without_gold(problem, found.best, gold)
        own, judgment = judgments.of_items(gold.items)
        held = problem.loners.members[judgments.worker[judgment]]
        coin = problem.loners.accuracy[judgments.worker[judgment]]
        label = judgments.label[judgment]
        each = np.where(np.arange(6) == label[:, None], coin[:, None], (1.0 - coin[:, None]) / 5.0)
        learnt = without_gold(replace(problem, loners=None), found.best, gold)
        rows = problem.rows.gathered(found.best, judgment)[2]
        np.testing.assert_allclose(rows[held], each[held], rtol=1e-9)
        assert not np.allclose(logs, learnt)
        untouched = ~np.isin(np.arange(len(gold.items)), own[held])
        np.testing.assert_array_equal(logs[untouched], learnt[untouched])


@pytest.mark.compiled
class TestLabels:
    @pytest.mark.parametrize("seed", [200, 201])
    @pytest.mark.parametrize(
        ("attack", "n_labels", "hostile", "least"),
        [
            ("constant", 10, 0.6, 0.74),
            ("constant", 10, 0.5, 0.8),
            ("spammers", 10, 0.4, 0.85),
            ("spammers", 4, 0.4, 0.83),
            ("adversaries", 10, 0.6, 0.74),
            ("adversaries", 4, 0.6, 0.8),
        ],
    )
    def test_loners_do_no_harm(self, attack: Any, n_labels: int, hostile: float, least: float, seed: int) -> None:
        crowd = draw(Recipe(attack, hostile=hostile, n_labels=n_labels), seed)
        result = consensus.fit(read(crowd.table))
        assert right(result, crowd) > least
        assert set(result.starts) == {"agreement"}
        caution = next(one for one in result.warnings if one.code == "agree_with_nobody")
        assert caution.values["share"] == pytest.approx(hostile, abs=0.03)
        assert f" workers ({caution.values['share']:.0%} of all judgments) agree with the others in " in caution.message
        workers = consensus.audit(result).set_index("worker")
        stopped = workers["verdict"].isin(["spammer", "adversarial"])
        assert not stopped[workers.index.str.startswith("h")].any()
        assert stopped[workers.index.str.startswith("x")].mean() > 0.8

    @pytest.mark.parametrize("model", ["average", "dawid_skene"])
    @pytest.mark.parametrize("gold", [0.01, 0.05])
    def test_gold_beside_them(self, model: str, gold: float) -> None:
        crowd = draw(Recipe("constant", hostile=0.5, n_labels=10, gold=gold), 201)
        result = consensus.fit(read(crowd.table), gold=crowd.gold, model=model)
        assert right(result, crowd) > 0.8
        assert result.gold is not None
        assert result.gold_posterior is not None
        said = result.gold_posterior.argmax(axis=1)  # as if their gold were unknown
        assert np.mean(result.gold.accepted[np.arange(len(said)), said]) >= 0.5

    def test_where_there_are_none_nothing_changes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        table = draw(replace(SMALL, attack="newcomers"), 1).table
        usual = consensus.fit(read(table))
        monkeypatch.setattr(loners, "found", lambda *_: None)
        np.testing.assert_array_equal(usual.posterior, consensus.fit(read(table)).posterior)
        assert "agree_with_nobody" not in {one.code for one in usual.warnings}
