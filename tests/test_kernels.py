"""Kernels against their naive twins, compiled (or not, with NUMBA_DISABLE_JIT=1)."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consensus.judgments import Judgments
from consensus.kernels import em, tallies
from consensus.models import pooled_prior
from consensus.models.expectation_maximisation import log_confusions, log_prior_density
from consensus.models.rows import Rows
from tests import naive
from tests.conftest import ROOT
from tests.strategies import crowds, tables

crowd = settings(max_examples=60, deadline=None)


def rows_of(judgments: Judgments) -> Rows:
    return Rows.of(judgments)


def by_row(rows: Rows, dense: np.ndarray) -> np.ndarray:
    """The observed rows (R, K) of a dense [w, true, observed] table."""
    return np.ascontiguousarray(dense[rows.worker, :, rows.label])


def to_dense(rows: Rows, table: np.ndarray) -> np.ndarray:
    dense = np.zeros((rows.n_workers, rows.n_labels, rows.n_labels))
    dense[rows.worker, :, rows.label] = table
    return dense


@crowd
@given(st.data(), crowds(), st.floats(0, 2))
def test_posteriors(data: st.DataObject, judgments: Judgments, rho: float) -> None:
    K = judgments.n_labels
    confusion, prior = data.draw(tables(judgments.n_workers, K, K)), data.draw(tables(K))
    gold = data.draw(st.dictionaries(st.integers(0, judgments.n_items - 1), st.sets(st.integers(0, K - 1), min_size=1)))
    rows = rows_of(judgments)
    log_priors = np.log(
        np.vstack([prior, *(np.where(np.isin(np.arange(K), list(s)), prior, 1e-300) for s in gold.values())])
    )
    log_priors[log_priors < -600] = -np.inf
    prior_row = np.zeros(judgments.n_items, np.int32)
    prior_row[list(gold)] = np.arange(1, len(gold) + 1)
    posterior, evidence = np.empty((judgments.n_items, K)), np.empty(judgments.n_items)
    log_rows = np.log(by_row(rows, confusion))
    for power in (np.ones(judgments.n_items), 1 / (1 + rho * np.maximum(judgments.per_item - 1, 0))):
        em.posteriors(rows.item_start, rows.row, log_rows, log_priors, prior_row, power, posterior, evidence)
        expected, log_evidence = naive.posteriors(judgments, confusion, prior, gold)
        if not np.all(power == 1):
            expected = naive.tempered(expected, judgments.per_item, rho)
        np.testing.assert_allclose(posterior, expected, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(evidence, log_evidence, rtol=1e-9, atol=1e-12)


@crowd
@given(st.data(), crowds())
def test_expected_counts(data: st.DataObject, judgments: Judgments) -> None:
    posterior = data.draw(tables(judgments.n_items, judgments.n_labels))
    rows = rows_of(judgments)
    found = np.empty((len(rows.worker), judgments.n_labels))
    em.expected_counts(rows.row_start, rows.row_item, posterior, found)
    N = naive.counts(judgments, posterior)
    np.testing.assert_allclose(to_dense(rows, found), N, rtol=1e-9)
    np.testing.assert_allclose(rows.worker_totals(found), N.sum(axis=2), rtol=1e-9)


@crowd
@given(crowds())
def test_rows_hold_every_judgment_once(judgments: Judgments) -> None:
    rows = rows_of(judgments)
    assert np.array_equal(rows.worker[rows.row], judgments.worker)
    assert np.array_equal(rows.label[rows.row], judgments.label)
    for r in range(len(rows.worker)):
        items = judgments.item[rows.row == r]
        assert np.array_equal(rows.row_item[rows.row_start[r] : rows.row_start[r + 1]], items)


@crowd
@given(crowds())
def test_label_counts_and_peer_agreement(judgments: Judgments) -> None:
    votes = np.empty((judgments.n_items, judgments.n_labels))
    tallies.label_counts(judgments.item_start, judgments.label, votes)
    assert np.array_equal(votes, naive.label_counts(judgments))
    agreeing, peers = (np.empty(judgments.n_judgments) for _ in range(2))
    tallies.peer_agreement(judgments.item_start, judgments.worker, judgments.label, judgments.n_labels, agreeing, peers)
    for found, expected in zip((agreeing, peers), naive.peer_agreement(judgments), strict=True):
        assert np.array_equal(found, expected)


def test_peer_agreement_leaves_out_a_workers_own_repeats() -> None:
    start, worker, label = np.array([0, 4]), np.array([0, 0, 1, 2], np.int32), np.array([0, 1, 1, 1], np.int32)
    agreeing, peers = np.empty(4), np.empty(4)
    tallies.peer_agreement(start, worker, label, 2, agreeing, peers)
    assert agreeing.tolist() == [0, 2, 2, 2]
    assert peers.tolist() == [2, 2, 3, 3]


@crowd
@given(crowds())
def test_worker_pairs(judgments: Judgments) -> None:
    items = np.flatnonzero(judgments.per_item > 1).astype(np.int32)
    expected = naive.worker_pairs(judgments, items)
    first, second, agree = (np.empty(len(expected), np.int32) for _ in range(3))
    tallies.worker_pairs(items, judgments.item_start, judgments.worker, judgments.label, first, second, agree)
    assert list(zip(first.tolist(), second.tolist(), agree.tolist(), strict=True)) == expected


@crowd
@given(st.data(), st.integers(1, 4))
def test_held_out_scores(data: st.DataObject, n_labels: int) -> None:
    z, likelihood = data.draw(tables(3, n_labels)), data.draw(tables(5, n_labels))
    item = np.array(data.draw(st.lists(st.integers(0, 2), min_size=5, max_size=5)), np.int32)
    n, rhos = np.array([0, 1, 5]), np.array([0.0, 0.3, 1.3])
    found = np.empty((5, 3))
    log_z = np.log(z) - np.log(z).max(axis=1, keepdims=True)
    em.held_out_scores(item, np.log(likelihood), log_z, n, rhos, found)
    for h in range(5):
        for g in range(3):
            expected = naive.held_out_score(z[item[h]], int(n[item[h]]), rhos[g], likelihood[h])
            assert found[h, g] == pytest.approx(expected, rel=1e-9)


@crowd
@given(st.data(), st.integers(1, 4), st.integers(1, 3))
def test_information_gain(data: st.DataObject, n_labels: int, n_workers: int) -> None:
    q, C = data.draw(tables(4, n_labels)), data.draw(tables(n_workers, n_labels, n_labels))
    q[0] = np.eye(n_labels)[0]
    C[0, :, 0] = 0.0  # an answer that is never given
    C[0] = np.eye(n_labels)[-1] if n_labels == 1 else C[0] / C[0].sum(axis=1, keepdims=True)
    found = np.empty(4)
    tallies.information_gain(q, C, np.array([[naive.entropy(row) for row in one] for one in C]), found)
    np.testing.assert_allclose(found, [naive.information_gain(row, C) for row in q], rtol=1e-9, atol=1e-12)
    assert found[0] == pytest.approx(0, abs=1e-12)


@crowd
@given(st.data(), crowds())
def test_m_steps_and_prior_density(data: st.DataObject, judgments: Judgments) -> None:
    K = judgments.n_labels
    rows = rows_of(judgments)
    posterior, pi = data.draw(tables(judgments.n_items, K)), data.draw(tables(K))
    A = data.draw(tables(K, K)) * data.draw(st.floats(0.5, 50))
    N = naive.counts(judgments, posterior)
    counts, n = by_row(rows, N), N.sum(axis=2)
    C = naive.confusions(N, A)
    log_rows = log_confusions(rows, counts, n, A)
    np.testing.assert_allclose(np.exp(log_rows), by_row(rows, C), rtol=1e-9)
    if K > 1:
        np.testing.assert_allclose(pooled_prior.improved(A, rows, counts, n), naive.improved_prior(A, N), rtol=1e-8)
    _, log_evidence = naive.posteriors(judgments, C, pi)
    density = log_prior_density(rows, log_rows, n, pi, A, "learnt")
    assert log_evidence.sum() + density == pytest.approx(naive.objective(judgments, C, pi, A), rel=1e-8, abs=1e-8)
    assert log_prior_density(rows, log_rows, n, pi, A, "none") == 0


@pytest.mark.slow
def test_kernels_stay_inside_their_arrays(tmp_path: Path) -> None:
    program = (
        "import consensus\n"
        "truth = consensus.simulate(60, 8, 3, 4, seed=1)\n"
        "result = consensus.fit(truth.judgments)\n"
        "consensus.audit(result), consensus.escalate(result)\n"
    )
    environment = {**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
