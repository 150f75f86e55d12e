"""Loops over states finer than labels against their naive twins."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import digamma

from consensus.backends import Threads
from consensus.inputs.judgments import Judgments
from consensus.kernels import em, states_loops
from consensus.models import lure, pooled_prior, subtypes
from consensus.models.dense_layout import Rows
from consensus.models.states import States
from tests import naive_readings
from tests.strategies import crowds, encoded, examples, tables

crowd = examples(50)
ONE = Threads(1)
MODULES = [subtypes, lure]


def priors_of(data: st.DataObject, judgments: Judgments, n_states: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A table of two priors, the second of which forbids states, which of them each item has, and these (I, S)."""
    table = np.stack([data.draw(tables(n_states)), data.draw(tables(n_states))])
    if n_states > 1:
        table[1, : n_states // 2] = 0.0
    row = np.array(data.draw(st.lists(st.integers(0, 1), min_size=judgments.n_items, max_size=judgments.n_items)))
    return table, row.astype(np.int32), table[row]


@crowd
@given(st.data(), crowds(), st.integers(1, 3), st.floats(0, 2))
def test_label_posteriors(data: st.DataObject, judgments: Judgments, per_label: int, rho: float) -> None:
    S = judgments.n_labels * per_label
    rows = Rows.of(judgments, ONE)
    C = data.draw(tables(judgments.n_workers, S, judgments.n_labels))
    table, own, prior = priors_of(data, judgments, S)
    power = 1 / (1 + rho * np.maximum(judgments.per_item - 1, 0))
    found = np.full((judgments.n_items, judgments.n_labels), np.nan)
    log_rows = np.log(C[rows.worker, :, rows.label])
    states_loops.label_posteriors(rows.item_start, rows.row, log_rows, table, own, power, found)
    expected = naive_readings.label_posteriors(judgments, C, prior, power)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_labels_far_behind_are_not_lost_in_the_sum() -> None:
    log_rows = np.array([[-1.0, -2.0, -800.0, -801.0]])
    found = np.empty((1, 2))
    one = np.zeros(1, np.int32)
    states_loops.label_posteriors(np.array([0, 1]), one, log_rows, np.full((1, 4), 0.25), one, np.array([0.01]), found)
    odds = (np.logaddexp(-1, -2) - np.logaddexp(-800, -801)) * 0.01
    assert np.log(found[0, 0] / found[0, 1]) == pytest.approx(odds)


@crowd
@given(st.data(), crowds(), st.integers(1, 3), st.floats(0, 2))
def test_predictions(data: st.DataObject, judgments: Judgments, per_label: int, rho: float) -> None:
    S = judgments.n_labels * per_label
    rows = Rows.of(judgments, ONE)
    C = data.draw(tables(judgments.n_workers, S, judgments.n_labels))
    held = np.array(data.draw(st.lists(st.booleans(), min_size=judgments.n_judgments, max_size=judgments.n_judgments)))
    kept = judgments.subset(~held)
    table, own, prior = priors_of(data, judgments, S)
    power = 1 / (1 + rho * np.maximum(kept.per_item - 1, 0))
    starts = np.searchsorted(judgments.item[held], np.arange(judgments.n_items + 1)).astype(np.int64)
    judged = states_loops.Parted(kept.item_start, rows.row[~held], starts, rows.row[held])
    C_rows = C[rows.worker, :, rows.label]
    found = np.full(int(held.sum()), np.nan)
    states_loops.predictions(judged, np.log(C_rows), C_rows, table, own, power, found)
    z = naive_readings.joint(kept, C, prior)
    for h, j in enumerate(np.flatnonzero(held)):
        i, likelihood = judgments.item[j], C[judgments.worker[j], :, judgments.label[j]]
        expected = naive_readings.prediction(z[i] / z[i].sum(), int(kept.per_item[i]), rho, likelihood)
        assert found[h] == pytest.approx(expected, rel=1e-8)


@crowd
@given(st.data(), st.integers(1, 20), st.integers(1, 4), st.integers(1, 5))
def test_mixture_weights(data: st.DataObject, n: int, n_readings: int, n_passes: int) -> None:
    likelihood = data.draw(tables(n, n_readings))
    weight = np.full(n_readings, 1 / n_readings)
    states_loops.mixture_weights(likelihood, n_passes, -1.0, weight)
    np.testing.assert_allclose(weight, naive_readings.mixture_weights(likelihood, n_passes), rtol=1e-9)


def test_mixture_weights_end_when_they_stand_still() -> None:
    likelihood = np.array([[0.9, 0.1]] * 50)
    once, loose, close, never = (np.full(2, 0.5) for _ in range(4))
    states_loops.mixture_weights(likelihood, 1, -1.0, once)
    states_loops.mixture_weights(likelihood, 200, 1.0, loose)
    states_loops.mixture_weights(likelihood, 200, 1e-12, close)
    states_loops.mixture_weights(likelihood, 200, -1.0, never)
    assert np.array_equal(loose, once)
    np.testing.assert_allclose(close, never, atol=1e-11)
    assert never[0] > once[0] + 0.05


@crowd
@given(st.data(), crowds(), st.integers(2, 3))
def test_one_pass_over_states(data: st.DataObject, judgments: Judgments, per_label: int) -> None:
    K, states = judgments.n_labels, States(judgments.n_labels, per_label)
    rows = Rows.of(judgments, ONE).over(states.n)
    posterior = data.draw(tables(judgments.n_items, states.n))
    N = np.zeros((judgments.n_workers, states.n, K))
    for i, w, observed in zip(judgments.item, judgments.worker, judgments.label, strict=True):
        N[w, :, observed] += posterior[i]
    found = rows.tables()
    rows.count(posterior, np.zeros(judgments.n_items, np.int32), found, ONE)
    np.testing.assert_allclose(found.N, N[rows.worker, :, rows.label])
    np.testing.assert_allclose(found.n, N.sum(axis=2))
    A = data.draw(tables(states.n, K)) * data.draw(st.floats(0.5, 50))
    if K > 1:
        learnt = pooled_prior.improved(A, rows, found, ONE, states)
        np.testing.assert_allclose(learnt, naive_readings.improved_prior(A, N), rtol=1e-8)
    rows.maximise(A, 1e-10, found, ONE)
    C = (N + A) / (N + A).sum(axis=2, keepdims=True)
    np.testing.assert_allclose(found.C[:, : states.n], C[rows.worker, :, rows.label], rtol=1e-9)


def test_digamma_of_the_sums_is_read_from_the_last_row() -> None:
    """There are fewer observed labels than states: the row after the last label is not that after the last state."""
    A, counts, totals = np.full((4, 2), 1.5), np.full((1, 4), 0.7), np.full((1, 4), 0.7)
    psi = np.vstack([digamma(A.T), digamma(A.sum(axis=1))])
    gain = np.zeros((2, 4))
    d = em.prior_gains(
        np.array([0, 1]), np.zeros(1, np.int32), counts, totals, A.sum(axis=1), np.ascontiguousarray(A.T), psi, gain
    )
    assert d == pytest.approx(4 * (digamma(3.7) - digamma(3.0)))


@crowd
@given(st.data(), crowds())
def test_starts(data: st.DataObject, judgments: Judgments) -> None:
    of_labels = data.draw(tables(judgments.n_items, judgments.n_labels))
    for module, twin in ((subtypes, naive_readings.subtypes_start), (lure, naive_readings.lure_start)):
        start = module.start(judgments, of_labels.__getitem__, ONE)
        cut = judgments.n_items // 2
        found = np.concatenate([start(slice(0, cut)), start(slice(cut, judgments.n_items))])
        np.testing.assert_allclose(found, twin(judgments, of_labels), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(found.sum(axis=1), 1)
        states = module.states(judgments.n_labels)
        np.testing.assert_allclose(states.by_label(found), of_labels)


def test_clear_items_start_apart_from_divided_ones() -> None:
    judged = [("clear", f"w{w}", "a") for w in range(5)]
    judged += [("middling", f"w{w}", "a" if w < 4 else "b") for w in range(5)]
    judged += [("hard", f"w{w}", "a" if w < 3 else "b") for w in range(5)]
    judgments = encoded(judged)
    of_labels = np.tile([1.0, 0.0], (3, 1))
    found = subtypes.start(judgments, of_labels.__getitem__, ONE)(slice(0, 3))
    kind = dict(zip(judgments.item_ids.to_pylist(), found[:, :3].argmax(axis=1).tolist(), strict=True))
    assert kind == {"clear": 0, "middling": 1, "hard": 2}


class TestStates:
    @crowd
    @given(st.data(), st.integers(1, 4), st.integers(2, 4))
    def test_priors_and_their_density(self, data: st.DataObject, n_labels: int, per_label: int) -> None:
        states = States(n_labels, per_label)
        pi, mass = data.draw(tables(n_labels)), data.draw(tables(states.n)) * 30
        prior = states.prior(pi, mass, 1.0)
        psi = np.array([(one + 1) / (one.sum() + per_label) for one in mass.reshape(n_labels, per_label)])
        np.testing.assert_allclose(prior, (pi[:, None] * psi).ravel())
        np.testing.assert_allclose(states.by_label(prior), pi)
        assert states.log_density(prior) == pytest.approx(naive_readings.log_density(psi), rel=1e-9, abs=1e-9)

    def test_without_smoothing(self) -> None:
        found = States(2, 2).prior(np.array([0.4, 0.6]), np.array([3.0, 1.0, 0.0, 0.0]), 0.0)
        np.testing.assert_allclose(found, [0.3, 0.1, 0.3, 0.3])

    def test_labels_themselves(self) -> None:
        states, table = States(3), np.arange(6.0).reshape(2, 3)
        assert states.n == 3
        assert states.over(table) is table
        assert states.by_label(table) is table
        pi = np.array([0.2, 0.3, 0.5])
        assert states.prior(pi, table[1], 1.0) is pi
        assert states.log_density(pi) == 0

    def test_several_to_a_label(self) -> None:
        states = States(2, 3)
        assert states.over(np.array([[True, False]])).tolist() == [[True, True, True, False, False, False]]
        assert states.by_label(np.arange(6.0)).tolist() == [3, 12]


def test_tables_of_many_states_are_cut_into_fewer_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consensus.backends.SMALLEST_SHARD", 10)
    judgments = encoded([(f"i{i}", f"w{w}", f"l{(i + w) % 3}") for i in range(40) for w in range(5)])
    rows = Rows.of(judgments, ONE)
    many = rows.over(300)
    assert len(many.item_shards) == 2 < len(rows.item_shards)
    assert many.tables().N.shape == (len(rows.worker), 300)
