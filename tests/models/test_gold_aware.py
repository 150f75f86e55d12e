"""Who knows the gold: named where they do, nobody where gold is merely easy; the likelihoods by their formulas."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import beta, binom

import consensus
from consensus.found.gold_aware import GoldAware
from consensus.found.result import Consensus
from consensus.models import gold_aware
from consensus.models.base import fit
from tests import attack_crowds, gold_crowds
from tests.gold_crowds import Recipe
from tests.worker_audit.test_gold_health import with_wrong_gold

pytestmark = pytest.mark.compiled


def fitted(recipe: Any, seed: int) -> Consensus:
    crowd = (
        attack_crowds.draw(recipe, seed) if isinstance(recipe, attack_crowds.Recipe) else gold_crowds.draw(recipe, seed)
    )
    return fit(consensus.read(crowd.table), gold=crowd.gold)


def names(result: Consensus) -> set[str]:
    aware = result.gold_aware
    return (
        set() if aware is None else {result.judgments.worker_ids[int(w)].as_py() for w in np.flatnonzero(aware.named)}
    )


class TestWho:
    def test_cheats_with_ten_gold_judgments_and_thirty_others(self) -> None:
        found = [names(fitted(Recipe(), seed)) for seed in range(6)]
        n_true = sum(name.startswith("x") for one in found for name in one)
        assert n_true >= 50
        assert sum(map(len, found)) - n_true <= 3
        assert names(fitted(Recipe(n_labels=4), 1)) == {f"x{w}" for w in range(30, 40)}

    @pytest.mark.parametrize(
        "recipe",
        [
            Recipe(honest=40, cheats=0),
            Recipe(honest=40, cheats=0, easier=1.5, difficulty_sd=1.0),
            Recipe(honest=40, cheats=0, easier=3.0, difficulty_sd=1.0, accuracy=0.72, spread=0.2),
            Recipe(cheats=0, spammers=10, easier=1.5, difficulty_sd=1.0),
            attack_crowds.Recipe("spammers", hostile=0.4, gold=0.25),
            attack_crowds.Recipe("sleepers", hostile=0.4, n_labels=4, gold=0.25),
        ],
        ids=["honest", "easy gold", "easier gold, weak workers", "spammers", "many spammers", "sleepers"],
    )
    def test_nobody_honest_nor_who_merely_guesses(self, recipe: Any) -> None:
        for seed in range(3):
            assert names(fitted(recipe, seed)) == set()

    def test_nobody_who_says_one_label_where_gold_has_one(self) -> None:
        crowd = gold_crowds.draw(Recipe(honest=30, cheats=0, spammers=10, n_labels=3), 2)
        table = crowd.table.copy()
        spam = table["worker"].str.startswith("s")
        table.loc[spam, "label"] = "c1"
        gold = {item: label for item, label in crowd.gold.items() if label == "c1"}
        result = fit(consensus.read(table), gold=gold)
        assert names(result) == set()

    def test_few_gold_items_are_enough_where_many_cheat(self) -> None:
        recipe = attack_crowds.Recipe("gold_aware", hostile=0.4, n_labels=4, gold=0.05)
        named = names(fitted(recipe, 1))
        assert len(named) >= 10
        assert all(name.startswith("x") for name in named)


class TestNotLookedFor:
    def test(self, monkeypatch: pytest.MonkeyPatch) -> None:
        result = fitted(Recipe(n_labels=4), 1)
        assert result.gold is not None
        assert gold_aware.found(result, result.gold) is not None
        one = replace(result.judgments, labels=("c0",))
        counted: Any = object()
        unlike: Any = object()
        never = replace(result.convergence, status="not_identified")
        for other in (
            replace(result, units=counted),
            replace(result, beliefs=unlike),
            replace(result, convergence=never),
            replace(result, judgments=one),
        ):
            assert gold_aware.found(other, result.gold) is None
        for name, value in (("LEAST_GOLD", 99), ("PROBABLY", 1.1), ("ANY", 1e9)):
            with monkeypatch.context() as context:
                context.setattr(gold_aware, name, value)
                assert gold_aware.found(result, result.gold) is None


class TestFormulas:
    def seen(self) -> Any:
        rng = np.random.default_rng(1)
        n = np.array([0, 1, 5, 10, 400])
        return gold_aware._Evidence(
            rng.random((5, 60)), n, np.array([0, 0, 5, 7, 300]), np.array([30, 20, 10, 40, 90]), n > 1, np.log(0.4) * n
        )

    def test_densities(self) -> None:
        seen, points = self.seen(), gold_aware.POINTS
        each, of_aware = gold_aware._densities(seen, 3, np.array([0.0, 1.5]))
        right = np.maximum(seen.n_gold, 1)
        best = binom.pmf(seen.n_right, seen.n_gold, seen.n_right / right)
        chance = beta.pdf(points, 1 + 40 / 3, 1 + 80 / 3)
        at_random = seen.of_accuracy @ (chance / chance.sum())
        np.testing.assert_allclose(of_aware, at_random * binom.pmf(seen.n_right, seen.n_gold, 0.97) / best, rtol=1e-9)
        for d, table in zip((0.0, 1.5), each, strict=True):
            p = 1.0 / (1.0 + np.exp(-(np.log(points / (1 - points)) + d)))
            like = binom.pmf(seen.n_right[:, None], seen.n_gold[:, None], p) / best[:, None]
            for m in range(10):
                kind = beta.pdf(points, 1 + 20 * (m + 0.5) / 10, 1 + 20 * (9.5 - m) / 10)
                expected = (seen.of_accuracy * like) @ (kind / kind.sum())
                np.testing.assert_allclose(table[:, m], expected, rtol=1e-8, atol=1e-300)
        log_best = np.array([0.0, 0.0, 0.0, 7 * np.log(0.7) + 3 * np.log(0.3), 300 * np.log(0.75) + 100 * np.log(0.25)])
        np.testing.assert_allclose(each[0][:, 10], at_random * np.minimum(np.exp(seen.log_by_shares - log_best), 1.0))

    def test_evidence_holds_every_judgment_against_the_others(self) -> None:
        result = fitted(Recipe(honest=8, cheats=2, n_labels=3, n_gold=4, n_others=12), 1)
        gold, judgments = result.gold, result.judgments
        assert gold is not None
        seen, coin = gold_aware._evidence(result, gold)
        K, known = judgments.n_labels, set(gold.items.tolist())
        rows = list(zip(judgments.item.tolist(), judgments.worker.tolist(), judgments.label.tolist(), strict=True))
        by_item: dict[int, list[tuple[int, int]]] = {}
        for i, w, label in rows:
            by_item.setdefault(i, []).append((w, label))
        expected = np.ones((judgments.n_workers, 60))
        for i, w, label in rows:
            if i in known:
                continue
            others = np.array(
                [
                    np.prod([coin[v] if said == k else (1 - coin[v]) / (K - 1) for v, said in by_item[i] if v != w])
                    for k in range(K)
                ]
            )
            s = others[label] / others.sum()
            expected[w] *= s * gold_aware.POINTS + (1 - s) * (1 - gold_aware.POINTS) / (K - 1)
        expected /= expected.max(axis=1, keepdims=True)
        np.testing.assert_allclose(
            seen.of_accuracy @ gold_aware.POINTS / seen.of_accuracy.sum(axis=1),
            expected @ gold_aware.POINTS / expected.sum(axis=1),
            atol=0.02,
        )
        assert seen.n_gold.tolist() == [4] * 10
        assert seen.n_others.tolist() == [12] * 10
        for w in range(10):
            own = [label for i, v, label in rows if v == w and i not in known]
            share = (np.bincount(own, minlength=K) + 1) / (len(own) + K)
            logs = 0.0
            for i, v, label in rows:
                if v == w and i in known:
                    true = int(gold.accepted[gold.items.tolist().index(i)].argmax())
                    logs += np.log(share[true] if label == true else 1 - share[true])
            assert seen.log_by_shares[w] == pytest.approx(logs)

    def test_coins_end_at_the_limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        result = fitted(Recipe(n_labels=4), 1)
        off = np.arange(result.judgments.n_judgments)
        settled = gold_aware._coins(result, off)
        monkeypatch.setattr(gold_aware, "MOST_PASSES", 1)
        first = gold_aware._coins(result, off)
        assert 0 < np.abs(first - settled).max() < 0.2


def test_a_sample_of_the_workers_teaches_the_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gold_aware, "MOST_LEARNT", 20)
    assert len(names(fitted(Recipe(n_labels=4), 1))) >= 9


def test_the_warning_and_the_reason() -> None:
    result = fitted(Recipe(n_labels=4), 1)
    (told,) = (one for one in result.warnings if one.code == "gold_known")
    assert told.message.startswith("10 workers (25% of all judgments) may know the gold: right on 100 of 100 gold")
    assert told.message.endswith("stop them, and give other items as gold")
    assert told.values["n_right"] == 100
    aware = GoldAware(
        named=np.array([True]),
        probability=np.array([0.97]),
        n_gold=np.array([10]),
        n_right=np.array([9]),
        n_others=np.array([40]),
        accuracy=np.array([0.25]),
        usual=0.8,
    )
    assert aware.reason(0) == (
        "right on 9 of 10 gold items but on 25% of 40 others by what others say (the median worker on 80%): they seem "
        "to know the gold (probability 0.97); their gold counts for nothing"
    )


def test_wrong_gold_names_nobody() -> None:
    simulated, gold, _ = with_wrong_gold(10, 200, seed=3, n_labels=3)
    assert fit(simulated.judgments, gold=gold).gold_aware is None
