"""Fits that begin again from gold, through ``fit``: when, what they say of gold, and that others stay as they are."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import consensus
from consensus.found.result import Consensus
from consensus.models import from_gold, gold_aware, gold_restart, loners
from consensus.models.base import fit
from tests import gold_crowds
from tests.attack_crowds import Crowd, Recipe, draw

pytestmark = pytest.mark.compiled

COLLUDERS = Recipe("colluders", hostile=0.4, n_labels=4, gold=0.05)


def right(result: Consensus, crowd: Crowd) -> float:
    labels = result.labels
    labels = labels[~labels["item"].isin(crowd.gold)]
    return float((labels["label"] == labels["item"].map(crowd.truth)).mean())


def codes(result: Consensus) -> set[str]:
    return {one.code for one in result.warnings}


class TestContradicted:
    @pytest.mark.parametrize("n_gold", [15, 30])
    def test_colluders_do_not_carry_the_crowd(self, n_gold: int) -> None:
        crowd = draw(COLLUDERS, 1)
        gold = dict(list(crowd.gold.items())[:n_gold])
        result = fit(consensus.read(crowd.table), gold=gold)
        assert result.calibration is not None
        assert result.calibration.fitted == (n_gold >= 25)
        assert "gold_contradicts" in codes(result)
        assert right(result, crowd) > 0.85 > 0.6 > right(fit(consensus.read(crowd.table)), crowd)

    def test_without_contradiction_nothing_is_fitted_anew(self, monkeypatch: pytest.MonkeyPatch) -> None:
        crowd = draw(Recipe("spammers", hostile=0.0, n_labels=4, gold=0.05), 1)
        usual = fit(consensus.read(crowd.table), gold=crowd.gold)

        def never(*_: Any) -> Any:
            raise AssertionError

        monkeypatch.setattr(from_gold, "_fitted", never)
        monkeypatch.setattr(gold_restart, "camp", lambda *_: None)
        same = fit(consensus.read(crowd.table), gold=crowd.gold)
        assert usual.posterior.tobytes() == same.posterior.tobytes()
        assert not codes(usual) & {"gold_contradicts", "gold_known"}

    def test_what_gold_does_not_support_is_left(self, monkeypatch: pytest.MonkeyPatch) -> None:
        crowd = draw(COLLUDERS, 1)
        monkeypatch.setattr(gold_restart, "SUPPORT", 1e9)
        assert "gold_contradicts" not in codes(fit(consensus.read(crowd.table), gold=crowd.gold))

    @pytest.mark.parametrize("settings", [{"model": "majority_vote"}, {}])
    def test_not_beside_votes_a_majority_vote_or_very_many_judgments(
        self, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        crowd = draw(COLLUDERS, 1)
        if not settings:
            items = list(crowd.truth)[:50]
            votes = pd.DataFrame({"item": items, "model": "m", "label": [crowd.truth[i] for i in items]})
            result = fit(consensus.read(crowd.table), gold=crowd.gold, model_votes=votes)
            assert "gold_contradicts" not in codes(result)
            monkeypatch.setattr(from_gold, "MOST_TRIED", 10)
        assert "gold_contradicts" not in codes(fit(consensus.read(crowd.table), gold=crowd.gold, **settings))


class TestKnown:
    @pytest.fixture
    def crowd(self) -> gold_crowds.Crowd:
        return gold_crowds.draw(gold_crowds.Recipe(n_labels=4), 1)

    @pytest.mark.parametrize("n_gold", [20, 80])
    def test_their_gold_is_in_no_confusion(self, crowd: gold_crowds.Crowd, n_gold: int) -> None:
        gold = dict(list(crowd.gold.items())[:n_gold])
        result = fit(consensus.read(crowd.table), gold=gold)
        aware = result.gold_aware
        assert aware is not None
        assert result.gold is not None
        known = aware.known(result.judgments, result.gold)
        ids = np.array(result.judgments.item_ids.to_pylist())
        assert known.sum() == aware.n_gold[aware.named].sum()
        assert set(ids[result.judgments.item[known]]) <= set(gold)
        total = result.confusions.totals().sum(axis=1)
        expected = result.judgments.per_worker - np.bincount(result.judgments.worker[known], minlength=len(total))
        np.testing.assert_allclose(total, expected, rtol=1e-6)

    def test_what_is_said_of_gold_as_if_it_were_none_leaves_them_out(self, crowd: gold_crowds.Crowd) -> None:
        result = fit(consensus.read(crowd.table), gold=crowd.gold)
        naive = fit(consensus.read(crowd.table[~crowd.table["worker"].str.startswith("x")]), gold=crowd.gold)
        assert result.gold_posterior is not None
        assert naive.gold_posterior is not None
        said = [(one.gold_posterior * one.gold.accepted).sum(axis=1).mean() for one in (result, naive)]  # type: ignore[union-attr,operator]
        with pytest.MonkeyPatch.context() as context:
            context.setattr(gold_aware, "found", lambda *_: None)
            before = fit(consensus.read(crowd.table), gold=crowd.gold)
        credulous = (before.gold_posterior * before.gold.accepted).sum(axis=1).mean()  # type: ignore[union-attr,operator]
        assert abs(said[0] - said[1]) < 0.05 < credulous - said[0]

    def test_the_rest_of_their_kind_is_believed_no_more(self) -> None:
        crowd = draw(Recipe("gold_aware", hostile=0.4, n_labels=4, gold=0.05), 1)
        with pytest.MonkeyPatch.context() as context:
            context.setattr(loners, "found", lambda *_: None)  # who would tell them apart, too
            result = fit(consensus.read(crowd.table), gold=crowd.gold)
            context.setattr(gold_aware, "found", lambda *_: None)
            before = fit(consensus.read(crowd.table), gold=crowd.gold)
        assert "gold_known" in codes(result)
        assert right(result, crowd) > right(before, crowd) + 0.02

    def test_beside_a_camp_that_gold_contradicts(self) -> None:
        """Ten know the gold and guess elsewhere, and colluders do 30 % of the judgments of others."""
        crowd = draw(Recipe("colluders", hostile=0.4, n_labels=4, gold=0.25), 2)
        rng = np.random.default_rng(1)
        rows = []
        for w in range(6):
            for item in rng.permutation(list(crowd.truth))[:60]:
                label = crowd.gold.get(item, f"c{rng.integers(4)}")
                rows.append((item, f"k{w}", label))
        table = pd.concat([crowd.table, pd.DataFrame(rows, columns=["item", "worker", "label"])], ignore_index=True)
        result = fit(consensus.read(table), gold=crowd.gold)
        assert {"gold_contradicts", "gold_known"} <= codes(result)
        aware = result.gold_aware
        assert aware is not None
        assert {result.judgments.worker_ids[int(w)].as_py() for w in np.flatnonzero(aware.named)} == {
            f"k{w}" for w in range(6)
        }
        assert right(result, crowd) > 0.85
