"""Accuracy of workers: what the others say, records of judgments, posteriors."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.stats import beta

from consensus import audit, fit, read, simulate
from consensus.backends import Threads
from consensus.found.calibration import Calibration
from consensus.found.confusions import Confusions
from consensus.found.posterior import DensePosterior, SparsePosterior
from consensus.found.result import Consensus
from consensus.found.tempering import Tempering
from consensus.found.units import ONE_EACH
from consensus.kernels import agreement_loops
from consensus.kernels import others_loops as kernels
from consensus.models import layout, pooled_prior, unfounded
from consensus.worker_audit import WorkerAudit
from consensus.worker_audit.accuracy import (
    accuracy_posterior,
    against_others,
    agreement_posterior,
    gridded,
    likelihoods,
)
from tests import naive_audit
from tests.strategies import encoded

pytestmark = pytest.mark.usefixtures("by_dawid_skene")


def crowd(n_labels: int, n_gold: int = 0, seed: int = 0, **settings: Any) -> Consensus:
    drawn = simulate(30, 6, n_labels, 3.5, accuracy=0.7, seed=seed)
    return fit(drawn.judgments, gold=drawn.truth_table(n_gold, seed) if n_gold else None, **settings)


def priors_of(result: Consensus) -> Any:
    """(I, K) prior of each item: gold or the class shares."""
    found = np.tile(result.prior_shares, (result.judgments.n_items, 1))
    if result.gold is not None:
        found[result.gold.items] = np.where(result.gold.accepted, found[result.gold.items], 0.0)
    return found


CASES = [(2, 0), (3, 0), (4, 5), (5, 0), (6, 5)]


def test_bins_are_as_fine_for_hostile_workers_as_for_good_ones() -> None:
    edges = np.array(likelihoods.EDGES)
    assert (edges + edges[::-1] == likelihoods.FINE).all()
    assert (np.diff(edges) > 0).all()


class TestOthers:
    @pytest.mark.parametrize(("n_labels", "n_gold"), CASES)
    def test_the_own_judgment_is_taken_out(self, n_labels: int, n_gold: int) -> None:
        result = crowd(n_labels, n_gold)
        j, C, priors = result.judgments, result.confusions.dense(), priors_of(result)
        expected = np.array([naive_audit.cavity(j, n, C, priors) for n in range(j.n_judgments)])
        found = against_others.cavities(result, np.arange(j.n_judgments))
        np.testing.assert_allclose(found, expected, rtol=2e-3, atol=1e-3)  # EM ended just before C was made
        mine = found[np.arange(j.n_judgments), j.label]
        np.testing.assert_allclose(against_others.right(result), mine, rtol=1e-9, atol=1e-12)

    def test_of_a_label_that_a_worker_never_met_all_answers_are_alike(self) -> None:
        judged = [(f"i{i}", w, f"l{i % 2}") for i in range(8) for w in ("v", "w") if w == "v" or i % 2]
        gold = {"item": [f"i{i}" for i in range(8)], "label": [f"l{i % 2}" for i in range(8)]}
        result = fit(encoded(judged), gold=gold, prior="none", rho=0.3)
        cells = result.confusions
        never = (cells.worker == 1) & (cells.true == 0)
        assert never.any()
        assert set(against_others.cell_likelihoods(result)[never]) == {0.5}
        again = against_others.likelihoods(result, np.array([1, 1], np.int32), np.array([0, 1], np.int32))
        np.testing.assert_allclose(again, [[0.5, 0.0], [0.5, 1.0]], atol=1e-9)
        assert against_others._cells(result).C_rest.tolist() == [0.5, 0.5]  # of labels that nobody has given an item

    @pytest.mark.compiled
    def test_with_very_many_labels(self, monkeypatch: pytest.MonkeyPatch) -> None:
        drawn = simulate(200, 30, 40, 4, accuracy=0.7, seed=1)
        monkeypatch.setattr(layout, "MOST_CELLS", 0)
        result = fit(drawn.judgments)
        assert isinstance(result.beliefs, SparsePosterior)
        right = against_others.right(result)
        assert ((right >= 0) & (right <= 1)).all()
        truly = drawn.truth[drawn.judgments.item] == drawn.judgments.label
        assert right[truly].mean() > 0.8 > 0.3 > right[~truly].mean()
        table = audit(result)
        planted = np.einsum("k,wkk->w", drawn.prior, drawn.confusion)
        assert np.abs(table["accuracy"] - planted).mean() < 0.1

    @pytest.mark.parametrize("prior", ["learnt", "none"])
    def test_with_very_many_labels_by_the_formula(self, prior: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """The judgment is divided out; of labels that nobody gave the item, as the crowd's prior has it on average."""
        monkeypatch.setattr(layout, "FEW_LABELS", 0)
        monkeypatch.setattr(layout, "MOST_CELLS", 0)
        table = np.stack([np.full((5, 5), 0.06) + 0.7 * np.eye(5)] * 8)
        table[:, 1] = [0.5, 0.3, 0.1, 0.05, 0.05]
        result = fit(simulate(40, confusion=table, per_item=3, seed=1).judgments, prior=prior, rho=0.4)
        beliefs, cells, j = result.beliefs, result.confusions, result.judgments
        assert isinstance(beliefs, SparsePosterior)
        N, A = cells.dense_counts(), cells.pseudo_counts
        totals = cells.totals() + A.sum(axis=1)
        usual = (A / A.sum(axis=1, keepdims=True)).mean(axis=0) if prior == "learnt" else np.full(5, 0.2)
        expected = []
        for i, w, label in zip(j.item.tolist(), j.worker.tolist(), j.label.tolist(), strict=True):
            power = 1 / (1 + 0.4 * (j.per_item[i] - 1))
            listed = beliefs.candidate[beliefs.start[i] : beliefs.start[i + 1]].tolist()
            left = {}
            for k, z in enumerate(beliefs.dense(np.array([i]))[0]):
                said = (N[w, k, label] + A[k, label]) / totals[w, k] if totals[w, k] > 0 else 0.2
                left[k] = z ** (1 / power) / (max(said, 1e-10) if k in listed else usual[label])
            expected.append(left[label] / sum(left.values()))
        np.testing.assert_allclose(against_others.right(result), expected, rtol=1e-6, atol=1e-12)

    def test_items_without_judgments_and_a_worker_whose_repeats_are_kept(self) -> None:
        rows = {"item": ["a", "a", "a", "b"], "worker": ["v", "v", "w", "w"], "label": ["x", "y", "x", None]}
        result = fit(read(rows, repeats="keep"))
        assert len(against_others.right(result)) == 3


class TestRightOfOthers:
    def likelihoods(self, result: Consensus) -> Any:
        """(J, K) C of every judgment by true label."""
        j = result.judgments
        return np.maximum(against_others.likelihoods(result, j.worker, j.label), 1e-10)

    def expected(self, result: Consensus, likelihood: Any, most: int) -> Any:
        j = result.judgments
        z = result.beliefs.dense(j.item.astype(np.int64)) ** (1 / result.tempering.power(j.per_item)[j.item])[:, None]
        return [naive_audit.right_of_others(j, n, likelihood, z[n], most) for n in range(j.n_judgments)]

    @pytest.mark.parametrize("most", [50, 2])
    @pytest.mark.parametrize(("n_labels", "n_gold"), CASES)
    def test_against_the_formula(self, n_labels: int, n_gold: int, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
        result = crowd(n_labels, n_gold, seed=2)
        monkeypatch.setattr(against_others, "MOST_OTHERS", most)
        found = against_others.right_of_others(result, np.arange(result.judgments.n_judgments))
        expected = self.expected(result, self.likelihoods(result), most)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)

    def test_with_very_many_labels(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(unfounded, "FEW_LABELS", 40)
        drawn = simulate(100, 30, 40, 4, accuracy=0.6, seed=1)
        monkeypatch.setattr(layout, "MOST_CELLS", 0)
        result = fit(drawn.judgments)
        beliefs = result.beliefs
        assert isinstance(beliefs, SparsePosterior)
        monkeypatch.setattr(against_others, "MOST_OTHERS", 2)  # fewer than there are labels of an item
        j, cells = result.judgments, against_others._cells(result)
        likelihood = np.repeat(cells.C_rest[j.label][:, None], 40, axis=1)
        for n, row in enumerate(result.row):
            own, i = slice(cells.start[row], cells.start[row + 1]), j.item[n]
            given = np.isin(cells.true[own], beliefs.candidate[beliefs.start[i] : beliefs.start[i + 1]])
            likelihood[n, cells.true[own][given]] = cells.C[own][given]
        found = against_others.right_of_others(result, np.arange(j.n_judgments))
        np.testing.assert_allclose(found, self.expected(result, likelihood, 2), rtol=1e-9, atol=1e-12)

    def test_an_own_label_moves_nothing(self) -> None:
        """The first worker says something else, the confusions being the same: the others look as right as before."""
        result = crowd(3, seed=3)
        j, first = result.judgments, np.zeros(1, np.int64)
        power, other = result.tempering.power(j.per_item)[0], (j.label[:1] + 1) % 3
        said = against_others.likelihoods(result, j.worker[:1], other)[0]
        table, row = result.beliefs.dense(slice(None)).copy(), result.row.copy()
        z = (table[0] ** (1 / power) / self.likelihoods(result)[0] * said) ** power
        table[0], row[0] = z / z.sum(), result.confusions.rows_of(j.worker[:1], other)[0]
        assert row[0] >= 0
        changed = replace(result, beliefs=DensePosterior(table), row=row)
        before, after = (against_others.right_of_others(one, first)[0] for one in (result, changed))
        assert after == pytest.approx(before)

    def test_nobody_else_and_repeats_that_are_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rows = {"item": ["a", "a", "a", "b"], "worker": ["v", "v", "w", "w"], "label": ["x", "y", "x", "x"]}
        result = fit(read(rows, repeats="keep"))
        monkeypatch.setattr(against_others, "MOST_CELLS", 1)
        found = against_others.right_of_others(result, np.arange(4))
        assert found == pytest.approx(self.expected(result, self.likelihoods(result), 50), nan_ok=True)
        assert np.isnan(found).tolist() == [False, False, False, True]


class TestRecords:
    @pytest.mark.parametrize(("n_labels", "n_gold"), CASES)
    def test_against_the_formula(self, n_labels: int, n_gold: int) -> None:
        result = crowd(n_labels, n_gold, seed=2)
        j, C = result.judgments, result.confusions.dense()
        half = naive_audit.halfway(C, result.confusions.dense_counts(), likelihoods.PATIENCE)
        said = naive_audit.shares(j, C, half, priors_of(result))
        found = likelihoods.records(result)
        edges = np.array(likelihoods.EDGES) / likelihoods.FINE
        for column, record in enumerate((found.own, found.even)):
            bins = np.searchsorted(edges, np.floor(said[:, column] * likelihoods.FINE) / likelihoods.FINE, side="right")
            n = np.zeros((j.n_workers, len(edges) + 1))
            np.add.at(n, (j.worker, bins), 1)
            np.testing.assert_array_equal(record.n, n)
            sums = np.bincount(bins, weights=said[:, column], minlength=len(edges) + 1)
            used = n.sum(axis=0) > 0
            np.testing.assert_allclose(record.s[used], (sums / n.sum(axis=0).clip(1))[used], rtol=1e-6)
        assert (found.by_label is None) == (n_labels != 2)
        for label, record in enumerate(found.by_label or ()):
            given = j.label == label
            n = np.zeros((j.n_workers, len(edges) + 1))
            np.add.at(n, (j.worker[given], bins[given]), 1)
            np.testing.assert_array_equal(record.n, n)
            sums = np.bincount(bins[given], weights=said[given, 1], minlength=len(edges) + 1)
            used = n.sum(axis=0) > 0
            np.testing.assert_allclose(record.s[used], (sums / n.sum(axis=0).clip(1))[used], rtol=1e-6)
        predicted = np.bincount(j.worker, weights=said[:, 2], minlength=j.n_workers)
        np.testing.assert_allclose(found.predicted, predicted, rtol=1e-6)
        exact = np.zeros(j.n_workers)
        right = said[:, 1] / (said[:, 1] + (n_labels - 1) * (1 - said[:, 1]))
        np.add.at(exact, j.worker, np.log(right + (1 - right) / (n_labels - 1)))
        np.testing.assert_allclose(found.even_log, exact, rtol=0.03, atol=0.3)  # by the mean of each bin

    @pytest.mark.parametrize("prior", ["fixed", "none"])
    @pytest.mark.parametrize("K", [2, 3, 6])
    def test_what_others_are_weighed_with(self, K: int, prior: Any) -> None:
        """Half a coin of the worker's accuracy, between .02 and .98, with four judgments at the usual one."""
        always = np.stack([np.eye(K), np.roll(np.eye(K), 1, axis=1), *[np.full((K, K), 0.3 / (K - 1))
                           + (0.7 - 0.3 / (K - 1)) * np.eye(K)] * 5])  # fmt: skip
        drawn = simulate(400, confusion=always, per_item=6, seed=1)
        result = fit(drawn.judgments, gold=drawn.truth_table(), prior=prior, rho=0.3)
        cells = result.confusions
        N, K4 = cells.dense_counts(), max(K, 4)
        A = cells.pseudo_counts if prior == "fixed" else pooled_prior.one_coin(K)
        totals = N.sum(axis=2) + A.sum(axis=1)
        C = (N + A) / totals[:, :, None]
        half = naive_audit.halfway(C, N, 4.0)
        tables, doubt = likelihoods._tables(result)
        assert tables.shape == (len(cells.row_worker), 2, K4)
        rows = cells.row_worker, slice(None), cells.row_label
        np.testing.assert_allclose(tables[:, 0, :K], half[rows], rtol=1e-9)
        np.testing.assert_allclose(tables[:, 1, :K], C[rows], rtol=1e-9)
        np.testing.assert_allclose(doubt[:, :K], 1 / (1 - np.einsum("wkk->wk", C)), rtol=1e-9)
        right = np.einsum("wkk->w", N) / N.sum(axis=(1, 2))
        assert right.max() > 0.99
        assert right.min() < 0.01
        assert (tables[:, :, K:] == 1).all()

    def test_who_is_all_but_certainly_right_leaves_a_millionth_of_doubt(self) -> None:
        counts, A = np.array([[1e9, 0.0], [0.0, 1e9]]), np.full((2, 2), 1e-4)
        cells = Confusions.of_rows(np.zeros(2, np.int32), np.arange(2, dtype=np.int32), counts, A, 1)
        _, doubt = likelihoods._tables(SimpleNamespace(confusions=cells))  # type: ignore[arg-type]
        assert doubt[0, :2].tolist() == pytest.approx([1e6, 1e6])

    @pytest.mark.parametrize("n_labels", [2, 6])
    def test_items_with_very_many_judgments_do_not_underflow(self, n_labels: int) -> None:
        drawn = simulate(4, 900, n_labels, 900, accuracy=0.8, seed=0)
        found = likelihoods.records(fit(drawn.judgments, rho=0.2, max_iterations=2))
        assert np.isfinite(found.predicted).all()
        np.testing.assert_array_equal(found.own.n.sum(axis=1), drawn.judgments.per_worker)

    @pytest.mark.parametrize("n_labels", [pytest.param(2, marks=pytest.mark.compiled), 6])
    def test_a_long_product_becomes_a_logarithm(self, n_labels: int) -> None:
        """Three workers with 1,500 judgments that each have a probability of about a half, or less."""
        drawn = simulate(1500, 3, n_labels, 3, accuracy=0.6, seed=0)
        result = fit(drawn.judgments, max_iterations=4)
        found = likelihoods.records(result)
        assert (found.predicted < -np.log(1e200)).all()
        assert np.isfinite(found.predicted).all()

    @pytest.mark.compiled
    def test_with_model_votes(self) -> None:
        from consensus import simulation

        drawn = simulate(300, 8, 3, 3, accuracy=0.7, seed=3)
        votes = simulation.simulate_votes(drawn, 2, accuracy=0.9, soft=True, families=2, seed=3)
        result = fit(drawn.judgments, model_votes=votes)
        C = result.confusions.dense()
        some = np.arange(0, drawn.judgments.n_judgments, 7)
        logs = np.log(result.posterior) * (1 + result.rho * np.maximum(drawn.judgments.per_item - 1, 0))[:, None]
        np.subtract.at(logs, drawn.judgments.item, np.log(C[drawn.judgments.worker, :, drawn.judgments.label]))
        priors = np.exp(logs - logs.max(axis=1, keepdims=True))
        expected = [naive_audit.cavity(drawn.judgments, j, C, priors) for j in some.tolist()]
        np.testing.assert_allclose(against_others.cavities(result, some), expected, rtol=1e-6, atol=1e-9)
        half = naive_audit.halfway(C, result.confusions.dense_counts(), likelihoods.PATIENCE)
        said = naive_audit.shares(drawn.judgments, C, half, priors)
        predicted = np.bincount(drawn.judgments.worker, weights=said[:, 2])
        np.testing.assert_allclose(likelihoods.records(result).predicted, predicted, rtol=1e-5)

    @pytest.mark.compiled
    @pytest.mark.parametrize("n_labels", [3, 6])
    def test_bits_do_not_depend_on_threads_or_order(self, n_labels: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("consensus.backends.SMALLEST_SHARD", 200)
        drawn = simulate(500, 20, n_labels, 4, spammers=0.1, seed=5)
        tables = [audit(fit(drawn.judgments, threads=threads)) for threads in (1, 2, 3)]
        shuffled = read(drawn.judgments_table().sample(frac=1.0, random_state=1))
        tables.append(audit(fit(shuffled, threads=2, labels=drawn.judgments.labels)))
        for table in tables[1:]:
            assert table.drop(columns="worker").equals(tables[0].drop(columns="worker"))


class TestLikelihoods:
    def test_over_a_grid(self) -> None:
        rng = np.random.default_rng(0)
        n, s = rng.integers(0, 5, (3, 4)).astype(np.float64), np.array([0.0, 0.2, 0.7, 1.0])
        grid = rng.uniform(0.01, 0.99, (3, 5))
        found = likelihoods.Record(n, s).on_grids(grid, slice(1, 3))
        expected = [[naive_audit.log_likelihood(n[w], s, a) for a in grid[w]] for w in range(3)]
        np.testing.assert_allclose(found, expected[1:], rtol=1e-12)
        same = likelihoods.Record(n, s).log_likelihoods(grid[0])
        np.testing.assert_allclose(same[0], expected[0], rtol=1e-12)

    def test_mode_and_curvature(self) -> None:
        n, s = np.array([[3.0, 7.0], [0.0, 0.0], [0.0, 40.0]]), np.array([0.1, 0.95])
        mode, deviation = np.empty(3), np.empty(3)
        kernels.modes(n, s, 0.5, mode, deviation)
        points = np.linspace(0.001, 0.999, 9981)
        for w in range(3):
            logs = np.array([naive_audit.log_likelihood(n[w], s, a) for a in points])
            logs += 0.5 * np.log(points) + 0.5 * np.log(1 - points)
            assert mode[w] == pytest.approx(points[logs.argmax()], abs=2e-4)
            at = int(np.clip(logs.argmax(), 30, len(points) - 31))
            h = points[at + 30] - points[at]
            curvature = -(logs[at + 30] - 2 * logs[at] + logs[at - 30]) / h**2
            assert deviation[w] == pytest.approx(curvature**-0.5, rel=0.05)


class TestAccuracy:
    def test_known_labels_leave_the_binomial(self) -> None:
        """Where all items are gold, the posterior is that of right and wrong answers under the learnt prior."""
        judged = [
            (f"i{i:03}", f"w{w}", f"l{i % 2 if i % (w + 3) else 1 - i % 2}") for i in range(200) for w in range(6)
        ]
        gold = {"item": [f"i{i:03}" for i in range(200)], "label": [f"l{i % 2}" for i in range(200)]}
        result = fit(encoded(judged), gold=gold)
        both = accuracy_posterior.accuracy(result, likelihoods.records(result))
        found = both.by_record
        right = np.array([sum(i % (w + 3) != 0 for i in range(200)) for w in range(6)])
        np.testing.assert_allclose(found.mean, right / 200, atol=0.02)
        low, high = (found.quantile(level) for level in (0.025, 0.975))
        np.testing.assert_allclose(low, beta(right + 1, 201 - right).ppf(0.025), atol=0.02)
        np.testing.assert_allclose(high, beta(right + 1, 201 - right).ppf(0.975), atol=0.02)
        np.testing.assert_allclose(found.weight.sum(axis=1), 1.0)
        span = 10 * np.sqrt(right / 200 * (1 - right / 200) / 201)  # five deviations to both sides
        np.testing.assert_allclose((found.points[:, -1] - found.points[:, 0])[:3], span[:3] * 39 / 40, rtol=0.02)
        np.testing.assert_allclose(both.mean, right / 200, atol=0.02)
        assert both.above(np.zeros(6)) == pytest.approx(1.0)
        assert both.above(np.ones(6)) == pytest.approx(0.0)

    def test_the_average_of_two(self) -> None:
        """All of one in .2 to .4, all of the other in .6 to .8."""
        lower, higher = (
            gridded.Gridded(at + (np.arange(10)[None] + 0.5) / 50, np.full((1, 10), 0.1)) for at in (0.2, 0.6)
        )
        found = accuracy_posterior.Accuracy(lower, higher, np.array([0.1]))
        assert found.mean == pytest.approx(0.5)
        assert found.label_adjusted == pytest.approx(0.6)
        assert found.deviation == pytest.approx(np.sqrt((0.2**2 - 0.02**2) / 12 + 0.2**2))
        for level, expected in ((0.025, 0.21), (0.25, 0.3), (0.6, 0.64), (0.975, 0.79)):
            assert found.quantile(level) == pytest.approx(expected)
        for bound, above in zip(found.interval, (0.975, 0.025), strict=True):
            assert found.above(bound) == pytest.approx(above)
        assert found.above(np.array([0.3])) == pytest.approx(0.75)
        assert accuracy_posterior.Accuracy(lower, higher, np.array([0.9])).label_adjusted == pytest.approx(1.0)

    def test_quantiles_by_hand(self) -> None:
        points = ((np.arange(10) + 0.5) / 10)[None]
        even = gridded.Gridded(points, np.full((1, 10), 0.1))
        for level in (0.025, 0.33, 0.5, 0.975):
            assert even.quantile(level) == pytest.approx(level)
            assert even.below(np.array([level])) == pytest.approx(level)
        assert even.below(np.array([-0.5])) == 0.0
        assert even.below(np.array([1.5])) == pytest.approx(1.0)

    @pytest.mark.compiled
    def test_hard_labels_are_not_held_against_a_worker(self) -> None:
        """Everybody is right on .95 of one label and .55 of the other; one worker got mostly the hard one."""
        rng = np.random.default_rng(1)
        rows = []
        for i in range(1200):
            hard = i % 2
            crowd = list(rng.choice(12, 5, replace=False))
            if (i % 20 in (1, 3, 5, 7, 9)) and "unlucky" not in crowd:
                crowd.append("unlucky")
            for w in crowd:
                right = rng.random() < (0.6 if hard else 0.95)
                rows.append((f"i{i:04}", f"w{w}", f"l{hard if right else 1 - hard}"))
        gold = {"item": [f"i{i:04}" for i in range(0, 1200, 1)], "label": [f"l{i % 2}" for i in range(1200)]}
        table = audit(fit(encoded(rows), gold=gold)).set_index("worker")
        unlucky, usual = table.loc["wunlucky"], table.drop(index="wunlucky")["accuracy"].mean()
        assert unlucky["accuracy"] < usual - 0.12
        assert abs(unlucky["label_adjusted_accuracy"] - usual) < 0.06

    def test_nobody(self) -> None:
        from consensus import simulation

        drawn = simulate(60, 4, 2, 2, seed=0)
        result = fit(None, model_votes=simulation.simulate_votes(drawn, 2, soft=True))
        assert isinstance(result.beliefs, DensePosterior)
        assert accuracy_posterior.accuracy(result, likelihoods.records(result)).mean.shape == (0,)
        assert (audit(result)["kind"] != "human").all()

    @pytest.mark.slow
    def test_unbiased_where_agreement_is_optimistic(self) -> None:
        ours, naive = [], []
        for seed in range(12):
            drawn = simulate(400, 30, 2 + seed % 3, 4, accuracy=0.75, spammers=0.1, seed=seed)
            result = fit(drawn.judgments)
            planted = np.einsum("k,wkk->w", drawn.prior, drawn.confusion)
            j = drawn.judgments
            agreed = np.bincount(j.worker, weights=result.peaks.best[j.item] == j.label) / j.per_worker
            ours += (WorkerAudit(result).accuracy.by_record.mean - planted).tolist()
            naive += (agreed - planted).tolist()
        assert abs(np.mean(ours)) < 0.012
        assert np.mean(naive) > 0.015

    @pytest.mark.slow
    def test_intervals_cover_what_was_planted(self) -> None:
        covered: list[tuple[int, bool]] = []
        cells: list[tuple[int, bool]] = []
        rng = np.random.default_rng(7)
        for seed in range(30):
            n_labels, n_items = int(rng.choice([2, 3, 4, 5])), int(rng.choice([150, 400, 800]))
            per_item = float(rng.choice([3, 4, 5, 7]))
            n_workers = int(np.clip(n_items * per_item / rng.choice([8, 15, 40, 100]), 8, 200))
            drawn = simulate(n_items, n_workers, n_labels, per_item, accuracy=0.75, spammers=0.1, seed=900 + seed)
            result = fit(drawn.judgments)
            table, n = audit(result), drawn.judgments.per_worker
            planted = np.einsum("k,wkk->w", drawn.prior, drawn.confusion)
            inside = (table["accuracy_low"] <= planted) & (planted <= table["accuracy_high"])
            covered += list(zip(n.tolist(), inside.tolist(), strict=True))
            from consensus import worker_audit

            shown = worker_audit.confusions(result, every=True)
            inside = (shown["low"] <= drawn.confusion.ravel()) & (drawn.confusion.ravel() <= shown["high"])
            cells += list(zip(np.repeat(n, n_labels**2).tolist(), inside.tolist(), strict=True))
        for found in (covered, cells):
            assert 0.92 <= np.mean([inside for _, inside in found]) <= 0.98
            assert 0.92 <= np.mean([inside for m, inside in found if 5 <= m <= 20]) <= 0.98


class TestAgreement:
    """How far workers agree with the consensus."""

    @pytest.mark.parametrize(("n_labels", "n_gold"), CASES)
    def test_sums_against_the_formula(self, n_labels: int, n_gold: int) -> None:
        result = crowd(n_labels, n_gold, seed=3, rho=0.2)
        found = agreement_posterior._sums(result)
        np.testing.assert_allclose(found, naive_audit.agreement_sums(result.judgments, result.posterior, 0.2, 0.3))

    @pytest.mark.compiled
    def test_with_very_many_labels(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(unfounded, "FEW_LABELS", 40)
        drawn = simulate(60, 8, 40, 3, accuracy=0.7, seed=1)
        monkeypatch.setattr(layout, "MOST_CELLS", 0)
        result = fit(drawn.judgments, rho=0.3, gold=drawn.truth_table(10))
        assert isinstance(result.beliefs, SparsePosterior)
        found = agreement_posterior._sums(result)
        np.testing.assert_allclose(found, naive_audit.agreement_sums(result.judgments, result.posterior, 0.3, 0.3))

    def test_how_far_the_consensus_is_doubted(self) -> None:
        n = np.array([0, 1, 3, 11])
        for rho, calibration, expected in (
            (0.2, None, [1, 1, 1 / 1.6, 1 / 4]),
            (0.2, Calibration(24, "too few"), [1, 1, 1 / 1.6, 1 / 4]),
            (0.2, Calibration(25), [1, 1, 1 / 1.4, 1 / 3]),
            (0.5, None, [1, 1, 1 / 2, 1 / 6]),
            (0.0, None, [1, 1, 1, 1]),
        ):
            result: Any = SimpleNamespace(tempering=Tempering(rho), calibration=calibration)
            np.testing.assert_allclose(agreement_posterior._doubting(result, n, Tempering(rho).power(n)), expected)

    def test_moments(self) -> None:
        """n R + c m over n + c, and what is not known, by hand."""
        result = crowd(3, seed=4, rho=0.4)
        n = result.judgments.per_worker
        agreed, unknown, untempered = naive_audit.agreement_sums(result.judgments, result.posterior, 0.4, 0.4).T
        R, U = agreed / n, untempered / n
        m = R.mean()
        spread = max(np.mean((R - m) ** 2) - np.mean(R * (1 - R) / n), 1e-4)
        c = min(max(m * (1 - m) / spread - 1, 1), 20)
        mean = (n * R + c * m) / (n + c)
        variance = mean * (1 - mean) / (n + c + 1) + unknown / (n + c) ** 2 + (U - R) ** 2
        found = agreement_posterior.agreement(result)
        np.testing.assert_allclose(found.mean, mean, atol=0.01)
        np.testing.assert_allclose(found.variance, variance, rtol=0.1)

    def test_beta_distributions(self) -> None:
        a, b = np.array([2.0, 30.0, 8.0]), np.array([3.0, 4.0, 8.0])
        total = a + b
        found = agreement_posterior.beta(a / total, a * b / total**2 / (total + 1))
        for level in (0.025, 0.5, 0.975):
            np.testing.assert_allclose(found.quantile(level), beta(a, b).ppf(level), atol=0.01)
        np.testing.assert_allclose(found.below(np.array([0.3, 0.8, 0.5])), beta(a, b).cdf([0.3, 0.8, 0.5]), atol=0.01)
        sure = agreement_posterior.beta(np.array([0.0, 1.0]), np.zeros(2))
        np.testing.assert_allclose(sure.quantile(0.5), [0.0, 1.0], atol=1e-5)

    def test_who_did_nothing_is_as_usual(self) -> None:
        rows = {"item": ["a", "a", "b"], "worker": ["v", "w", "u"], "label": ["x", "x", None]}
        found = agreement_posterior.agreement(fit(read(rows)))
        assert np.isfinite(found.mean).all()
        assert agreement_posterior._usual(np.zeros(2), np.zeros(2)) == (0.5, 1.0)
        assert agreement_posterior._usual(np.array([0.9, 0.9, 0.0]), np.array([50.0, 50.0, 0.0])) == (0.9, 20.0)

    def test_what_is_known_very_well_is_narrow(self) -> None:
        found = agreement_posterior.beta(np.array([0.9, 0.4]), np.array([2e-5, 1e-5]))
        width = found.quantile(0.975) - found.quantile(0.025)
        np.testing.assert_allclose(width, 2 * 1.96 * np.sqrt([2e-5, 1e-5]), rtol=0.1)

    def test_of_many_judgments_likelihoods_do_not_underflow(self) -> None:
        """Of two workers with 4,000 judgments, nine in ten for what others are nearly sure of."""
        result: Any = SimpleNamespace(backend=Threads(1))
        record = likelihoods.Record(np.array([[3600.0, 400.0], [400.0, 3600.0]]), np.array([0.99, 0.01]))
        found = accuracy_posterior._by_record(result, record)
        np.testing.assert_allclose(found.mean, [0.907, 0.093], atol=0.005)
        width = found.quantile(0.975) - found.quantile(0.025)
        np.testing.assert_allclose(width, 2 * 1.96 * (0.9 * 0.1 / 4000) ** 0.5, rtol=0.1)

    def test_the_more_workers_differ_the_less_their_mean_is_worth(self) -> None:
        """The moments of a Beta distribution, less the chance in each worker's own judgments."""
        R, n = np.array([0.9, 0.6, 0.3, 0.1]), np.array([50.0, 50.0, 50.0, 0.0])
        by_chance = (0.9 * 0.1 + 0.6 * 0.4 + 0.3 * 0.7) / 3 / 50
        expected = 0.6 * 0.4 / (0.06 - by_chance) - 1
        assert agreement_posterior._usual(R, n) == pytest.approx((0.6, expected))


def test_a_candidate_that_is_ruled_out_agrees_with_nobody() -> None:
    judged = agreement_loops.Judged(np.array([0, 2]), np.array([0, 1], np.int32), np.array([0, 1], np.int32))
    candidates = agreement_loops.Candidates(
        start=np.array([0, 2]), label=np.array([0, 1], np.int32), z=np.array([1.0, 0.0]), rest=np.array([0.0])
    )
    found = np.zeros((2, 3))
    agreement_loops.sums_sparse(judged, candidates, agreement_loops.Powers(np.ones(1), np.ones(1)), ONE_EACH, 5, found)
    assert np.isfinite(found).all()
    assert found[0, 0] == pytest.approx(1.0)
    assert found[1, 0] == 0.0
