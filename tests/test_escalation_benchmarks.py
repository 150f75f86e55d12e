"""The parts of the benchmark of escalation, on small simulated crowds."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import consensus
from consensus import Consensus, Replay, fit, simulate
from tests.conftest import ROOT

if TYPE_CHECKING:
    from tests.benchmarks import (
        escalation,
        escalation_curves,
        escalation_policies,
        escalation_replay,
        escalation_rules,
        escalation_spending,
    )
else:  # scripts: their own folder is on the path
    sys.path.append(str(ROOT / "tests" / "benchmarks"))
    import escalation
    import escalation_curves
    import escalation_policies
    import escalation_replay
    import escalation_rules
    import escalation_spending

pytestmark = pytest.mark.usefixtures("by_dawid_skene")


@pytest.fixture(scope="module")
def crowd() -> escalation_curves.Crowd:
    drawn = simulate(40, 12, 2, 9, seed=6)
    return escalation_curves.thinned(drawn.judgments_table(), drawn.truth_table(40), 0, 1000)


@pytest.fixture(scope="module")
def result(crowd: escalation_curves.Crowd) -> Consensus:
    return next(Replay(crowd.judgments, start=3, seed=1, rho=0.3)).result


@pytest.fixture
def sets(crowd: escalation_curves.Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever set is read, it is this crowd; and no processes."""

    class Here:
        map = staticmethod(map)

        def __init__(self, _: int) -> None:
            """As the pool of processes is made."""

        def __enter__(self) -> "Here":
            return self

        def __exit__(self, *_: object) -> None:
            """Nothing to end."""

    monkeypatch.setattr(escalation_curves, "crowd", lambda *_: crowd)
    for module in (escalation_replay, escalation_rules):
        monkeypatch.setattr(module, "ProcessPoolExecutor", Here)


class TestCurves:
    def test_thinned(self) -> None:
        drawn = simulate(50, 6, 3, 4, seed=1)
        table, truth = drawn.judgments_table(), drawn.truth_table(40)
        found = escalation_curves.thinned(table, truth, 3, 20)
        assert found.judgments.n_items == 20
        known = dict(truth.itertuples(index=False, name=None))
        ids = found.judgments.item_ids.to_pylist()
        assert [known.get(item, "") for item in ids] == [
            found.judgments.labels[k] if k >= 0 else "" for k in found.truth
        ]
        assert found.fixed(3) == 60
        assert found.fixed(9) == found.judgments.n_judgments == 80

    def test_simulated_crowds(self) -> None:
        found = escalation_curves.crowd("95 : 5", 0, 200)
        assert (found.judgments.n_items, found.judgments.n_judgments) == (200, 1600)
        assert 0.9 < max(np.bincount(found.truth)) / 200 < 1

    def test_crowds_of_another_family(self) -> None:
        found = escalation_curves.crowd("very hard, 4 labels", 0, 100)
        assert (found.judgments.n_items, found.judgments.n_judgments) == (100, 800)
        assert found.judgments.n_labels == 4
        assert set(escalation_curves.OTHER) < set(escalation_curves.SETS)

    def test_tied_labels_share_the_credit(self) -> None:
        rows = [("i1", "u", "a"), ("i1", "v", "b"), ("i2", "u", "b"), ("i2", "v", "a")]
        table = pd.DataFrame(rows, columns=["item", "worker", "label"])
        assert escalation_curves.accuracy(fit(table, prior="fixed"), np.array([0, -1])) == 0.5

    @pytest.mark.parametrize(
        ("level", "expected"),
        [(0.0, 1.0), (0.25, 1.5), (0.5, 3.0), (0.75, 4.5), (1.0, 5.0), (2.0, 5.0)],  # half-way is a plateau from 2 to 4
    )
    def test_crossing(self, level: float, expected: float) -> None:
        x, y = np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([0.0, 0.5, 0.5, 0.5, 1.0])
        assert escalation_curves.crossing(x, y, level) == pytest.approx(expected)

    def test_ratio(self) -> None:
        x = np.linspace(100.0, 800.0, 36)
        rng = np.random.default_rng(1)

        def curves(speed: float) -> list[escalation_curves.Curve]:
            return [(x, 1 - np.exp(-speed * x / 300) + rng.normal(0, 1e-4, len(x))) for _ in range(5)]

        uniform = curves(1.0)
        same, _ = escalation_curves.ratio(uniform, uniform, [500.0] * 5)
        assert same == pytest.approx(1.0)
        fast, error = escalation_curves.ratio(curves(2.0), uniform, [500.0] * 5)
        assert fast == pytest.approx(0.5, abs=0.01)
        assert 0 < error < 0.01
        assert np.isnan(escalation_curves.ratio(uniform[:1], uniform[:1], [500.0])[1])

    def test_jackknife_of_a_mean(self) -> None:
        uniform = [(np.array([0.0, 1000.0]), np.array([0.0, 1.0]))] * 4
        shifted = [(np.array([0.0, 1000.0]), np.array([0.0, 1.0]) + d) for d in (-0.02, -0.01, 0.01, 0.02)]
        ratio, error = escalation_curves.ratio(shifted, uniform, [500.0] * 4)
        assert ratio == pytest.approx(1.0)
        assert error == pytest.approx(2 * np.std([0.02, 0.01, -0.01, -0.02], ddof=1) / 2, rel=1e-6)


class TestPolicies:
    @pytest.mark.parametrize("policy", [*escalation_policies.SCORES, *escalation_policies.HEDGES])
    def test_scores(self, result: Consensus, policy: str) -> None:
        score = {**escalation_policies.SCORES, **escalation_policies.HEDGES}[policy](result)
        assert score.shape == (40,)
        assert np.isfinite(score).all()
        if policy != escalation_policies.UNIFORM:
            doubt = -result.peaks.confidence
            assert np.corrcoef(score, doubt)[0, 1] > 0.3

    def test_active_lab_is_its_formula(self) -> None:
        """By plain loops, of the two rounds that cleanlab makes (its consensus_method "best_quality")."""
        result = next(Replay(simulate(30, 7, 3, 4, seed=2).judgments, start=3, seed=1, rho=0.3)).result
        of = result.judgments
        says: list[dict[int, int]] = [{} for _ in range(30)]
        for i, w, k in zip(of.item.tolist(), of.worker.tolist(), of.label.tolist(), strict=True):
            says[i][w] = k
        top = [
            max(range(3), key=lambda k: (list(said.values()).count(k), result.posterior[i, k]))
            for i, said in enumerate(says)
        ]
        weight = dict.fromkeys(range(7), 0.0)
        for _ in range(2):
            P = np.mean([np.mean([k == top[i] for k in said.values()]) for i, said in enumerate(says)])
            chance = 1 - max(top.count(k) for k in range(3)) / 30
            for w in weight:
                same = [k == said[w] for said in says if w in said for v, k in said.items() if v != w]
                weight[w] = max(1 - (1 - float(np.mean(same))) / chance, 1e-6)
            quality = [
                [
                    np.average(
                        [P if label == k else (1 - P) / 2 for label in said.values()], weights=[weight[w] for w in said]
                    )
                    for k in range(3)
                ]
                for said in says
            ]
            before, top = top, [int(np.argmax(one)) for one in quality]
        usual = float(np.mean(list(weight.values())))
        expected = [
            np.average([quality[i][before[i]], 1 / 3], weights=[sum(weight[w] for w in said), usual])
            for i, said in enumerate(says)
        ]
        assert np.allclose(-escalation_policies.active_lab(result), expected, atol=1e-6)

    def test_most_urgent_of_what_is_left(self) -> None:
        score, left = np.array([5.0, 4.0, 3.0, 3.0, 1.0]), np.array([0, 1, 1, 2, 0])
        tie = np.array([0.0, 0.0, 1.0, 0.0, 0.0])
        assert escalation_policies.most_urgent(score, left, 2, tie).tolist() == [1, 3]
        assert escalation_policies.most_urgent(score, left, 5, tie).tolist() == [1, 3, 2]

    def test_most_urgent_pairs(self, crowd: escalation_curves.Crowd) -> None:
        replay = Replay(crowd.judgments, start=3, seed=1, rho=0.3)
        step = next(replay)
        score, rng = escalation_policies.ours(step.result), np.random.default_rng(1)
        items, worker = escalation_policies.most_urgent_pairs(replay, step.result, score, 20, rng.random(80), rng)
        assert len(set(items.tolist())) == 20
        assert score[items].mean() > score.mean()
        own, held = replay.withheld_workers(items)
        assert set(zip(range(20), worker.tolist(), strict=True)) <= set(zip(own.tolist(), held.tolist(), strict=True))
        tells = step.result.confusions.informativeness(step.result.prior_shares)
        assert tells[worker].mean() > tells[held].mean()
        assert replay.ask_codes(items, worker) == 20


@pytest.mark.usefixtures("sets")
class TestParts:
    @pytest.mark.slow
    def test_replay(self) -> None:
        some = (escalation_policies.UNIFORM, escalation_policies.ENTROPY)
        told = escalation_replay.table(["rte"], [3, 4], 1, None, some)
        assert told.count("| to match ") == 4
        uniform = [line for line in told.splitlines() if line.startswith("| uniform |")]
        assert len(uniform) == 4
        for line in uniform:
            assert 0.85 < float(line.split("|")[3].split("±")[0]) < 1.15
        assert told.count("| entropy |") == 4

    @pytest.mark.slow
    def test_hedges(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("consensus.escalation.paths.N_PATHS", 64)
        monkeypatch.setattr(escalation_replay, "BATCH", 0.4)
        monkeypatch.setattr(escalation_curves, "UNEVEN", {"95 : 5": escalation_curves.UNEVEN["95 : 5"]})
        told = escalation_replay.hedges(["rte"], [3], 1)
        for policy in escalation_policies.HEDGES:
            assert told.count(f"| {policy} |") == 2 * len(escalation_curves.REDUNDANCIES)

    @pytest.mark.slow
    def test_a_curve(self, crowd: escalation_curves.Crowd) -> None:
        x, y = escalation_replay.replayed(crowd, "uniform", 1, escalation_policies.uniform, 3.0)
        assert x.tolist() == list(range(80, 121, 2))
        assert 0.5 < y[0] < y[-1] <= 1.0
        everything = escalation_replay.replayed(crowd, "uniform", 1, escalation_policies.uniform, 99.0)[0]
        assert everything[-1] == crowd.judgments.n_judgments

    def test_mean_of_sets(self) -> None:
        figures = [(0.5, 0.1, True), (2.0, 0.4, True), (8.0, 0.0, False)]
        assert escalation_replay._mean(figures, only_enough=False).startswith("2.000")
        assert escalation_replay._mean(figures, only_enough=True) == "1.000 ±0.141"
        assert not escalation_replay._mean(figures[2:], only_enough=True)

    @pytest.mark.slow
    def test_stopping(self, crowd: escalation_curves.Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
        assert np.isnan(escalation_rules.share(np.zeros(0, np.bool_)))
        monkeypatch.setattr(escalation_rules, "TARGET", 0.8)
        found = escalation_rules.stopped(crowd, 1, 20)
        assert 0.6 < found.right <= 1.0
        assert 0.0 < found.accepted <= 1.0
        assert 2.0 <= found.per_item <= escalation_rules.CAP
        assert 0.0 <= found.gold_right <= 1.0
        assert np.isnan(escalation_rules.stopped(crowd, 1, 0).gold_right)
        assert escalation_rules.stopping([1, 2], 10).count("| sentiment |") == 2

    @pytest.mark.slow
    def test_needed(self, crowd: escalation_curves.Crowd) -> None:
        found = escalation_rules.foretold(crowd, 1, 2)
        assert 0.0 < found.used <= 5.0
        assert 0.0 < found.predicted <= 5.0
        assert found.predicted * found.correction > 0.0
        assert 0.0 <= found.inside <= 1.0
        with_gold = escalation_rules.foretold(crowd, 1, 3, 30)  # half of the items at most
        assert 0.0 < with_gold.unsettled <= 0.5
        told = escalation_rules.needed(["face"], [1], 1)
        assert told.startswith("From 3, worst: settled ")
        assert told.count("| face, from 3 |") == 2

    @pytest.mark.slow
    def test_budgets(self, crowd: escalation_curves.Crowd) -> None:
        found = escalation_spending.spent(crowd, 2)
        assert len(found) == 5
        assert max(found[1:]) >= found[0]
        assert "| batches of 5 % |" in escalation_spending.budgets([1, 2], 1)

    @pytest.mark.slow
    def test_costs(self, crowd: escalation_curves.Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(escalation_spending, "BATCH", 0.2)
        cost, right = escalation_spending.realised(crowd, 1, escalation_policies.UNIFORM)
        assert 1 - right - 1e-12 <= cost <= 5 * (1 - right)
        told = escalation_spending.costs([1], 1)
        assert all(f"| {policy} |" in told for policy in escalation_spending.COST_POLICIES)

    def test_every_part_has_a_flag(self) -> None:
        options = argparse.Namespace(
            seed=1, seeds=2, scale=1, sets=("rte",), policies=None, no_peers=True, peers_python=None
        )
        assert set(escalation.parts(options)) == {"replay", "hedge", "stop", "needed", "budget", "costs", "models"}


def test_a_public_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    drawn = simulate(20, 5, 3, 3, seed=1)
    (tmp_path / "rte").mkdir()
    drawn.judgments_table().to_csv(tmp_path / "rte" / "judgments.csv", index=False)
    drawn.truth_table(20).to_csv(tmp_path / "rte" / "truth.csv", index=False)
    monkeypatch.setattr(escalation_curves, "DATASETS", tmp_path)
    found = escalation_curves.crowd("rte", 0)
    assert (found.judgments.n_items, found.truth.min()) == (20, 0)
    assert escalation_curves.accuracy(consensus.fit(found.judgments), found.truth) > 0.5
