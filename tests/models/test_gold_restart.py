"""Whom gold contradicts, and whether a fit begins again."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import consensus
from consensus import simulate
from consensus.backends import Threads
from consensus.config import FitConfig
from consensus.inputs.gold import AlignedGold
from consensus.models import gold_restart, two_means
from consensus.models.base import fit
from consensus.models.gold_restart import Camp
from consensus.models.preparing import prepared
from consensus.models.problem import Problem
from consensus.models.two_means import two
from tests.attack_crowds import Crowd, Recipe, draw

SETTINGS, LOCAL = FitConfig(), Threads(1)


def aligned(crowd: Crowd, **read: Any) -> tuple[Any, Any]:
    judgments, gold, _ = prepared(consensus.read(crowd.table, **read), crowd.gold, SETTINGS)
    return judgments, gold


def camp(crowd: Crowd) -> Camp | None:
    judgments, gold = aligned(crowd)
    return gold_restart.camp(judgments, gold, SETTINGS, LOCAL)


class TestCamp:
    @pytest.mark.parametrize("attack", ["colluders", "adversaries", "spammers"])
    def test_is_found_among_four_labels_and_few_gold_items(self, attack: Any) -> None:
        crowd = draw(Recipe(attack, hostile=0.4, n_labels=4, gold=0.05), 1)
        found = camp(crowd)
        assert found is not None
        judgments, gold = aligned(crowd)
        named = {judgments.worker_ids[w].as_py() for w in np.flatnonzero(found.members).tolist()}
        assert named == crowd.hostile
        assert found.share == pytest.approx(0.4, abs=0.01)
        assert found.bounds.held is found.members
        assert found.bounds.accuracy is found.accuracy
        assert sum(found.n_gold) == judgments.per_item[gold.items].sum() == 150
        in_table = crowd.table[crowd.table["item"].isin(crowd.gold)]
        right = in_table["label"] == in_table["item"].map(crowd.gold)
        hostile = in_table["worker"].isin(crowd.hostile)
        assert found.n_right == (int((right & hostile).sum()), int((right & ~hostile).sum()))
        assert found.n_gold[0] == hostile.sum()

    @pytest.mark.parametrize(
        "recipe",
        [
            Recipe("newcomers", hostile=0.0, n_labels=4, gold=0.05),
            Recipe("sleepers", hostile=0.4, n_labels=4, gold=0.05),
            Recipe("colluders", hostile=0.1, n_labels=4, gold=0.05),
            Recipe("gold_aware", hostile=0.4, n_labels=4, gold=0.05),
            Recipe("colluders", hostile=0.4, n_labels=4, gold=0.005),
        ],
        ids=["honest", "half honest", "few", "right on gold", "hardly any gold"],
    )
    def test_is_none_where_gold_does_not_tell(self, recipe: Recipe) -> None:
        assert camp(draw(recipe, 3)) is None

    def test_is_not_looked_for_beside_what_one_coin_does_not_know(self) -> None:
        crowd = draw(Recipe("colluders", hostile=0.4, n_labels=4, gold=0.05), 3)
        judgments, gold = aligned(crowd)
        n = judgments.n_items
        for other in (
            replace(judgments, weight=np.full(n, 2.0)),
            replace(judgments, cluster=np.zeros(n, np.int32)),
            replace(judgments, group=np.zeros(judgments.n_judgments, np.int32)),
        ):
            assert gold_restart.camp(other, gold, SETTINGS, LOCAL) is None
        one = replace(judgments, labels=judgments.labels[:1], label=np.zeros_like(judgments.label))
        assert gold_restart.camp(one, replace(gold, accepted=gold.accepted[:, :1]), SETTINGS, LOCAL) is None

    def test_nor_with_so_many_labels_that_not_all_are_weighed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Problem, "weighs_all_labels", False)
        assert camp(draw(Recipe("colluders", hostile=0.4, n_labels=4, gold=0.05), 3)) is None

    def test_coins_are_those_of_the_formula(self) -> None:
        crowd = draw(Recipe("colluders", hostile=0.4, n_labels=3, gold=0.1, n_items=60, n_honest=6), 1)
        judgments, gold = aligned(crowd)
        problem = Problem.of(judgments, gold, SETTINGS, LOCAL)
        W, K = judgments.n_workers, judgments.n_labels
        of_gold = dict(zip(gold.items.tolist(), gold.accepted, strict=True))
        rows = list(zip(judgments.item.tolist(), judgments.worker.tolist(), judgments.label.tolist(), strict=True))
        start, n, k = [], np.zeros(W), np.zeros(W)
        for i, w, label in rows:
            n[w] += i in of_gold
            k[w] += i in of_gold and of_gold[i][label]
        start = (k + 2.0 / K) / (n + 2.0)
        a = start
        for _ in range(gold_restart.MOST_PASSES):
            z = np.ones((judgments.n_items, K))
            for i, w, label in rows:
                p = min(max(a[w], 1e-3), 1 - 1e-3)
                z[i] *= [p if j == label else (1 - p) / (K - 1) for j in range(K)]
            for i, accepted in of_gold.items():
                z[i] *= accepted
            z /= z.sum(axis=1, keepdims=True)
            right = np.zeros(W)
            for i, w, label in rows:
                right[w] += z[i, label]
            before, a = a, (right + 2.0 / K) / (np.bincount(judgments.worker, minlength=W) + 2.0)
            if np.abs(a - before).max() < 1e-4:
                break
        np.testing.assert_allclose(gold_restart._accuracies(problem, start, LOCAL), a, rtol=1e-9)


class TestTwo:
    def test_camps_and_their_means(self) -> None:
        values, weight = np.array([0.1, 0.2, 0.8, 0.9, 0.85]), np.array([1, 3, 1, 1, 2])
        members, low, high = two(values, weight)
        assert members.tolist() == [True, True, False, False, False]
        assert [low, high] == pytest.approx([0.175, 0.85])

    def test_nobody_where_all_are_alike_and_those_without_judgments_do_no_harm(self) -> None:
        assert not two(np.full(4, 0.7), np.ones(4))[0].any()
        members, low, _ = two(np.array([0.25, 0.8, 0.8, 0.9]), np.array([0, 5, 5, 5]))
        assert members.tolist() == [True, False, False, False]
        assert low == pytest.approx(0.25)

    def test_it_ends_at_the_limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(two_means, "ROUNDS", 1)
        monkeypatch.setattr(gold_restart, "MOST_PASSES", 1)
        assert two(np.array([0.1, 0.9]), np.ones(2))[0].tolist() == [True, False]
        assert camp(draw(Recipe("spammers", hostile=0.4, n_labels=4, gold=0.5), 3)) is not None


def test_gold_items_count_once_each() -> None:
    item, right = np.array([0, 0, 0, 1, 2]), np.array([True, True, False, True, False])
    n_right, n = gold_restart._pooled(item, right, np.array([True, True, True, True, False]))
    assert n_right == pytest.approx(5 / 3)
    assert n == 2


@pytest.mark.compiled
class TestKept:
    @pytest.fixture
    def fits(self) -> Any:
        crowd = draw(Recipe("colluders", hostile=0.4, n_labels=4, gold=0.05), 3)
        judgments, gold = aligned(crowd)
        hostile = np.array([name in crowd.hostile for name in judgments.worker_ids.to_pylist()])
        return fit(judgments), fit(judgments.subset(~hostile[judgments.worker])), gold

    def test_what_gold_supports(self, fits: Any) -> None:
        usual, clean, gold = fits
        every = np.ones(len(gold.items), bool)
        by_usual, by_clean = (gold_restart.log_probability(one, gold, every) for one in (usual, clean))
        assert by_clean > by_usual + gold_restart.SUPPORT
        parts = (
            gold_restart.log_probability(clean, gold, one) for one in (every & (gold.items % 2 == n) for n in (0, 1))
        )
        assert sum(parts) == pytest.approx(by_clean)

    def test_other_labels(self, fits: Any) -> None:
        usual, clean, gold = fits
        assert gold_restart.is_otherwise(usual, clean, gold)
        assert not gold_restart.is_otherwise(usual, usual, gold)

    def test_not_where_all_is_gold(self, fits: Any) -> None:
        usual, clean, _ = fits
        n = usual.judgments.n_items
        every = AlignedGold(np.arange(n, dtype=np.int32), np.ones((n, 4), bool), {})
        assert not gold_restart.is_otherwise(usual, clean, every)

    def test_what_is_told_of_gold_leaves_the_gold_itself_out(self, fits: Any) -> None:
        usual, _, gold = fits
        even = np.full((len(gold.items), 4), 0.25)
        clamped = replace(usual, gold=gold, gold_posterior=even)
        some = np.arange(len(gold.items)) < 7
        assert gold_restart.log_probability(clamped, gold, some) == pytest.approx(7 * np.log(0.25))

    def test_folds_are_even_and_hang_on_ids_alone(self, fits: Any) -> None:
        usual, _, gold = fits
        fold = gold_restart.folds(usual.judgments, gold)
        assert np.ptp(np.bincount(fold, minlength=gold_restart.FOLDS)) <= 1
        some = fold != 2
        fewer = AlignedGold(gold.items[some], gold.accepted[some], {})
        assert len(gold_restart.folds(usual.judgments, fewer)) == some.sum()


@pytest.mark.compiled
@pytest.mark.parametrize("seed", [20, 21, 22, 23])
def test_nobody_is_accused_by_gold_that_chose_them(seed: int) -> None:
    """Honest workers of two labels, some of them weak: gold that tells camps apart always speaks for these."""
    crowd = simulate(400, 40, 2, 3, accuracy=0.7, seed=seed)
    result = fit(crowd.judgments, gold=crowd.truth_table(100), model="dawid_skene")
    assert "gold_contradicts" not in {one.code for one in result.warnings}


@pytest.mark.compiled
def test_the_warning_has_the_numbers() -> None:
    crowd = draw(Recipe("colluders", hostile=0.4, n_labels=4, gold=0.05), 3)
    result = fit(consensus.read(crowd.table), gold=crowd.gold)
    (told,) = (one for one in result.warnings if one.code == "gold_contradicts")
    assert told.message == (
        "gold contradicts the judgments of 27 workers (40% of all judgments): they are right on 0 of 58 gold "
        "judgments, others on 69 of 92; so they count only as far as gold goes; read their reasons in workers.csv "
        "(consensus audit) before you stop anybody"
    )
    assert told.values == {"n_workers": 27, "share": 0.4, "n_gold": 58, "n_right": 0}
