"""Kernels against their naive twins, compiled (or not, with NUMBA_DISABLE_JIT=1)."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import digamma, gammaln

from consensus.backends import Threads
from consensus.found.posterior import TIE
from consensus.found.units import ONE_EACH
from consensus.inputs.judgments import Judgments
from consensus.kernels import SMALLEST, em, held_out_loops, look_ahead_loops, mix_loops, tallies
from consensus.models import pooled_prior
from consensus.models.dense_layout import IN_REGISTERS, Rows, Tables
from consensus.models.expectation_maximisation import log_confusion_density
from consensus.models.priors import Priors
from tests import naive, naive_class_prior
from tests.strategies import Row, crowds, encoded, examples, tables

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

crowd = examples(60)
ONE = Threads(1)


def by_row(rows: Rows, dense: np.ndarray) -> np.ndarray:
    """The observed rows (R, K) of a dense [w, true, observed] table."""
    return np.ascontiguousarray(dense[rows.worker, :, rows.label])


def to_dense(rows: Rows, table: np.ndarray) -> np.ndarray:
    dense = np.zeros((rows.n_workers, rows.n_labels, rows.n_labels))
    dense[rows.worker, :, rows.label] = table
    return dense


def in_shards(judgments: Judgments, n_shards: int) -> Rows:
    """Rows cut into ``n_shards``, however few judgments there are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("consensus.models.dense_layout.number_of_shards", lambda *_: n_shards)
        return Rows.of(judgments, Threads(1))


def golds(judgments: Judgments) -> st.SearchStrategy[dict[int, set[int]]]:
    """Accepted labels of some items, judged or not."""
    labels = st.sets(st.integers(0, judgments.n_labels - 1), min_size=1)
    return st.dictionaries(st.integers(0, judgments.n_items - 1), labels)


def with_gold(judgments: Judgments, prior: np.ndarray, gold: dict[int, set[int]]) -> tuple[np.ndarray, np.ndarray]:
    """``priors`` (1 + G, K) and ``prior_row`` (I,)."""
    labels = np.arange(judgments.n_labels)
    prior_row = np.zeros(judgments.n_items, np.int32)
    prior_row[list(gold)] = np.arange(1, len(gold) + 1)
    return np.vstack([prior, *(np.where(np.isin(labels, list(one)), prior, 0.0) for one in gold.values())]), prior_row


def filled(rows: Rows, N: np.ndarray) -> Tables:
    """Tables that hold the counts ``N`` [w, true, observed]."""
    found = rows.tables()
    found.N[:], found.n[:] = by_row(rows, N), N.sum(axis=2)
    return found


@crowd
@given(st.data(), crowds(), st.floats(0, 2))
def test_posteriors(data: st.DataObject, judgments: Judgments, rho: float) -> None:
    K = judgments.n_labels
    confusion, prior = data.draw(tables(judgments.n_workers, K, K)), data.draw(tables(K))
    gold = data.draw(golds(judgments))
    priors, prior_row = with_gold(judgments, prior, gold)
    rows = in_shards(judgments, 2)
    C = by_row(rows, confusion)
    expected, _ = naive.posteriors(judgments, confusion, prior, gold)
    found = rows.posterior(C, Priors(priors, prior_row, len(priors)), np.ones(judgments.n_items), ONE)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    power = 1 / (1 + rho * np.maximum(judgments.per_item - 1, 0))
    found = rows.posterior(C, Priors(priors, prior_row, len(priors)), power, ONE)
    np.testing.assert_allclose(found, naive.tempered(expected, judgments.per_item, rho), rtol=1e-9, atol=1e-12)


def assert_pass(
    judgments: Judgments, confusion: np.ndarray, prior: np.ndarray, gold: dict[int, set[int]], n_shards: int
) -> None:
    """Both the loop that fits the number of labels and the generic one, in some shards, tell what the twin does."""
    evidence, N, mass = naive.em_pass(judgments, confusion, prior, gold)
    priors, prior_row = with_gold(judgments, prior, gold)
    rows = in_shards(judgments, n_shards)
    found = rows.tables()
    assert found.C.shape[1] == max(judgments.n_labels, IN_REGISTERS)
    C = by_row(rows, confusion)
    found.C[:, : rows.n_labels] = C
    told = rows.em_pass(Priors(priors, prior_row, len(priors)), found, ONE)
    assert told == pytest.approx(evidence, rel=1e-9, abs=1e-9)
    np.testing.assert_allclose(to_dense(rows, found.N), N, rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(found.n, N.sum(axis=2), rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(found.mass, mass, rtol=1e-9, atol=1e-300)

    for wide, own_from in ((found.C, len(priors)), (C, len(priors)), (found.C, 1), (C, 1)):
        counts, total = np.zeros_like(wide), np.zeros((2, wide.shape[1]))
        table = np.pad(priors, ((0, 0), (0, wide.shape[1] - rows.n_labels)))
        told = em.em_pass(rows.item_start, rows.row, wide, table, prior_row, own_from, counts, total)
        assert told == pytest.approx(evidence, rel=1e-9, abs=1e-9)
        np.testing.assert_allclose(to_dense(rows, counts[:, : rows.n_labels]), N, rtol=1e-9, atol=1e-300)
        np.testing.assert_allclose(total.sum(axis=0)[: rows.n_labels], mass, rtol=1e-9, atol=1e-300)
        own = (prior_row >= own_from).astype(float)
        assert total.sum(axis=1)[1] == pytest.approx(own.sum())
    items = np.flatnonzero(judgments.per_item + prior_row).astype(np.int32)
    z = np.empty((len(items), rows.n_labels))
    em.expectations(items, rows.item_start, rows.row, C, priors[prior_row[items]], z)
    np.testing.assert_allclose(z.sum(axis=0), mass, rtol=1e-9, atol=1e-300)


@crowd
@given(st.data(), crowds(max_labels=6), st.integers(1, 4))
def test_em_pass(data: st.DataObject, judgments: Judgments, n_shards: int) -> None:
    K = judgments.n_labels
    confusion, prior = data.draw(tables(judgments.n_workers, K, K)), data.draw(tables(K))
    assert_pass(judgments, confusion, prior, data.draw(golds(judgments)), n_shards)


def deep(n_labels: int, answers: list[list[int]]) -> Judgments:
    """Items with the given answers, each by another worker; over ``n_labels`` labels."""
    judged: list[Row] = [(f"i{i}", f"w{w:03}", f"l{k}") for i, own in enumerate(answers) for w, k in enumerate(own)]
    return encoded(judged).with_labels([f"l{k}" for k in range(n_labels)])


@examples(25)
@given(st.data(), st.integers(1, 6))
def test_em_pass_of_items_with_many_judgments(data: st.DataObject, n_labels: int) -> None:
    answers = st.lists(st.integers(0, n_labels - 1), min_size=1, max_size=3 * em.SHORT + 2)
    judgments = deep(n_labels, data.draw(st.lists(answers, min_size=1, max_size=3)))
    exponents = st.lists(st.integers(0, 17), min_size=judgments.n_workers, max_size=judgments.n_workers)
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    shape = (judgments.n_workers, n_labels, n_labels)
    floor = 10.0 ** -np.array(data.draw(exponents), float)[:, None, None]
    confusion = np.clip(rng.random(shape) ** 20, floor, 1.0)  # probabilities down to 1e-17
    prior = np.maximum(rng.dirichlet(np.ones(n_labels)), 1e-10)
    assert_pass(judgments, confusion, prior, data.draw(golds(judgments)), 2)


@pytest.mark.parametrize("n_labels", [2, 3, 4, 5, 7])
@pytest.mark.parametrize("n_judgments", [em.SHORT, em.SHORT + 1, 2 * em.SHORT, 41, 64, 200])
def test_a_label_that_falls_behind_comes_back(n_labels: int, n_judgments: int) -> None:
    """The first half speaks against label 1 by up to 1e-1700, the second for it: in the end both are as likely."""
    judgments = deep(n_labels, [[0] * n_judgments, [0] * 3])
    confusion = np.full((n_judgments, n_labels, n_labels), 1e-17)
    half = n_judgments // 2
    confusion[:half, 0, 0], confusion[n_judgments - half :, 1, 0] = 0.5, 0.25
    confusion[half : n_judgments - half, :2, 0] = 1.0
    confusion[: half - 2, 0, 0] = 0.25
    prior = np.r_[0.1, 0.4, np.full(n_labels - 2, 0.5 / max(n_labels - 2, 1))]
    assert_pass(judgments, confusion, prior, {}, 1)
    rows = Rows.of(judgments, Threads(1))
    counts, mass = np.zeros((len(rows.worker), n_labels)), np.zeros((2, n_labels))
    C = by_row(rows, confusion)
    em.em_pass(rows.item_start[:2], rows.row, C, prior[None], np.zeros(1, np.int32), 1, counts, mass)
    np.testing.assert_allclose(mass[0, :2], [0.5, 0.5], rtol=1e-9)


@pytest.mark.parametrize("n_labels", [3, 4, 5])
def test_em_pass_does_not_underflow_between_items(n_labels: int) -> None:
    """Evidences of 1e-100 to 1e-280 follow each other."""
    answers = [[0] * n for n in (6, 16, 7, 8, 16, 16, 9, 11, 1, 16)]
    judgments = deep(n_labels, answers)
    confusion = np.full((16, n_labels, n_labels), 1e-17)
    prior = np.full(n_labels, 1 / n_labels)
    assert_pass(judgments, confusion, prior, {0: {1}, 3: {0, 2}}, 1)


@crowd
@given(st.data(), crowds(max_labels=6), st.integers(1, 4))
def test_counts(data: st.DataObject, judgments: Judgments, n_shards: int) -> None:
    posterior = data.draw(tables(judgments.n_items, judgments.n_labels))
    gold = data.draw(golds(judgments))
    prior_row = np.zeros(judgments.n_items, np.int32)
    prior_row[list(gold)] = np.arange(1, len(gold) + 1)
    N = naive.counts(judgments, posterior)
    mass = sum(posterior[i] for i in range(judgments.n_items) if judgments.per_item[i] or i in gold)

    rows = in_shards(judgments, n_shards)
    counts, total = np.zeros((len(rows.worker), rows.n_labels)), np.zeros(rows.n_labels)
    em.scatter_counts(rows.item_start, rows.row, posterior, prior_row, counts, total)
    np.testing.assert_allclose(to_dense(rows, counts), N, rtol=1e-9)
    np.testing.assert_allclose(total, mass, rtol=1e-9)

    found = rows.tables()
    rows.count(posterior, prior_row, found, ONE)
    np.testing.assert_allclose(to_dense(rows, found.N), N, rtol=1e-9)
    np.testing.assert_allclose(found.n, N.sum(axis=2), rtol=1e-9)
    np.testing.assert_allclose(found.mass, mass, rtol=1e-9)


@crowd
@given(st.data(), st.integers(1, 3), st.integers(1, 5), st.integers(1, 5), st.integers(0, 2))
def test_merge_counts(data: st.DataObject, n_shards: int, n_workers: int, n_labels: int, padding: int) -> None:
    """Workers without rows have totals of 0; columns beyond K are not looked at."""
    n_each = data.draw(st.lists(st.integers(0, 3), min_size=n_workers, max_size=n_workers))
    worker_start = np.r_[0, np.cumsum(n_each)].astype(np.int64)
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    tables = rng.random((n_shards, worker_start[-1], n_labels + padding))
    counts, totals = np.full((worker_start[-1], n_labels), np.nan), np.full((n_workers, n_labels), np.nan)
    em.merge_counts(tables, worker_start, counts, totals)
    for w in range(n_workers):
        for k in range(n_labels):
            of_rows = [sum(tables[s, r, k] for s in range(n_shards)) for r in range(*worker_start[w : w + 2])]
            assert counts[worker_start[w] : worker_start[w + 1], k].tolist() == pytest.approx(of_rows)
            assert totals[w, k] == pytest.approx(sum(of_rows))


@crowd
@given(crowds())
def test_rows_hold_every_judgment_once(judgments: Judgments) -> None:
    rows = in_shards(judgments, 3)
    assert np.array_equal(rows.worker[rows.row], judgments.worker)
    assert np.array_equal(rows.label[rows.row], judgments.label)
    assert len(set(zip(rows.worker.tolist(), rows.label.tolist(), strict=True))) == len(rows.worker)
    assert set(rows.row.tolist()) == set(range(len(rows.worker)))
    for w in range(rows.n_workers):
        assert set(rows.worker[rows.worker_start[w] : rows.worker_start[w + 1]].tolist()) <= {w}
    assert (rows.worker_start[0], rows.worker_start[-1]) == (0, len(rows.worker))
    for shards, n in ((rows.item_shards, rows.n_items), (rows.worker_shards, rows.n_workers)):
        assert [i for part in shards for i in range(part.start, part.stop)] == list(range(n))
        assert len(shards) == min(3, n)


@crowd
@given(st.floats(-6, 6))
def test_digamma(exponent: float) -> None:
    x = 10.0**exponent
    assert em.digamma(x) == pytest.approx(digamma(x), rel=1e-11, abs=1e-12)
    assert mix_loops.digamma(x) == pytest.approx(digamma(x), rel=1e-11, abs=1e-12)


@pytest.mark.parametrize("x", [1e-6, 0.5, 1.0, 1.4616321449683622, 2.0, 7.999, 8.0, 8.001, 1e6])
def test_digamma_at_its_seams(x: float) -> None:
    assert em.digamma(x) == pytest.approx(digamma(x), rel=1e-12, abs=1e-12)
    assert mix_loops.digamma(x) == pytest.approx(digamma(x), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("n_steps", [1, 30])
def test_concentration(n_steps: int) -> None:
    """As the formula has it, whatever nobody counted; at its bound it stands still."""
    n = np.array([[5.0, 0.0, 1.5], [0.0, 0.0, 0.0], [0.25, 9.0, 30.0]])
    pi = np.array([0.2, 0.3, 0.5])
    args = n.ravel(), np.tile(np.arange(3), 3), n.sum(axis=1), pi
    found = mix_loops.concentration(*args, 10.0, n_steps, (2.0, 0.02), (0.5, 1e4))
    assert found == pytest.approx(naive_class_prior.concentration(n, pi, 10.0, n_steps), rel=1e-12)
    assert mix_loops.concentration(*args, 10.0, n_steps, (2.0, 0.02), (20.0, 1e4)) == 20.0


def test_products_over_few_labels() -> None:
    rng = np.random.default_rng(0)
    z, ratio, factor, total = rng.random((5, 3)), rng.random(2), rng.random(3), rng.random(5)
    powers, scaled = np.empty((5, 2, 3)), np.empty((5, 3))
    look_ahead_loops.multiples(z, ratio, powers)
    look_ahead_loops.scaled(z, factor, total, scaled)
    assert (powers == z[:, None] * ratio[:, None]).all()
    assert (scaled == z * factor / total[:, None]).all()


@pytest.mark.parametrize("n_labels", [4, 5])
def test_mixed_priors(n_labels: int) -> None:
    theta = np.random.default_rng(0).dirichlet(np.ones(n_labels), 4)
    item_start, owner = np.array([0, 2, 2, 5]), np.array([1, -1, 0, 2, 2], np.int32)
    found = np.full((3, n_labels), 7.0)
    mix_loops.mixed_priors(item_start, owner, theta, found)
    expected = [(theta[1] + theta[3]) / 2, np.full(n_labels, 7.0), (theta[0] + 2 * theta[2]) / 3]
    np.testing.assert_allclose(found, expected, rtol=1e-14)


@crowd
@given(st.data(), crowds(), st.integers(1, 3))
def test_prior_gains(data: st.DataObject, judgments: Judgments, n_shards: int) -> None:
    K = judgments.n_labels
    posterior = data.draw(tables(judgments.n_items, K))
    if data.draw(st.booleans()):
        posterior = np.eye(K)[posterior.argmax(axis=1)]  # counts of 0 add nothing
    A = data.draw(tables(K, K)) * data.draw(st.floats(0.01, 50))
    N = naive.counts(judgments, posterior)
    rows = in_shards(judgments, n_shards)
    psi = np.vstack([digamma(A.T), digamma(A.sum(axis=1))])
    gain, d = rows.prior_gains(A, psi, filled(rows, N), ONE)
    expected_gain, expected_d = naive.prior_gains(A, N)
    np.testing.assert_allclose(gain, expected_gain, rtol=1e-8, atol=1e-9)
    assert d == pytest.approx(expected_d, rel=1e-8, abs=1e-9)


@crowd
@given(st.data(), crowds(), st.integers(1, 3))
def test_m_steps_and_prior_density(data: st.DataObject, judgments: Judgments, n_shards: int) -> None:
    K = judgments.n_labels
    rows = in_shards(judgments, n_shards)
    posterior, pi = data.draw(tables(judgments.n_items, K)), data.draw(tables(K))
    A = data.draw(tables(K, K)) * data.draw(st.floats(0.5, 50))
    N = naive.counts(judgments, posterior)
    found = filled(rows, N)
    C = naive.confusions(N, A)
    density = rows.maximise(A, SMALLEST, found, ONE)
    np.testing.assert_allclose(found.C[:, :K], by_row(rows, C), rtol=1e-9)
    if K > 1:
        np.testing.assert_allclose(pooled_prior.improved(A, rows, found, ONE), naive.improved_prior(A, N), rtol=1e-8)
    _, log_evidence = naive.posteriors(judgments, C, pi)
    log_prior = log_confusion_density(rows.n_workers, density, A, "learnt")
    log_prior += np.log(pi).sum() + gammaln(2 * K)  # Dirichlet(pi; 2)
    assert log_evidence.sum() + log_prior == pytest.approx(naive.objective(judgments, C, pi, A), rel=1e-8, abs=1e-8)
    assert log_confusion_density(rows.n_workers, density, A, "none") == 0


@crowd
@given(st.data(), crowds(), st.floats(0, 0.2))
def test_confusions_of_maximum_likelihood(data: st.DataObject, judgments: Judgments, smallest: float) -> None:
    K = judgments.n_labels
    posterior = np.eye(K)[data.draw(tables(judgments.n_items, K)).argmax(axis=1)]  # most counts are 0
    N = naive.counts(judgments, posterior)
    rows = in_shards(judgments, 2)
    found = filled(rows, N)
    assert rows.maximise(np.zeros((K, K)), smallest, found, ONE) == 0
    np.testing.assert_allclose(found.C[:, :K], by_row(rows, naive.likeliest_confusions(N, smallest)), rtol=1e-12)


@crowd
@given(crowds(), st.booleans())
def test_votes(judgments: Judgments, hard: bool) -> None:
    majority, distinct = (np.full(judgments.n_items, 9, np.int32) for _ in range(2))
    tallies.votes(judgments.item_start, judgments.label, judgments.n_labels, majority, distinct)
    assert list(zip(majority.tolist(), distinct.tolist(), strict=True)) == naive.votes(judgments)
    shares = np.full((judgments.n_items, judgments.n_labels), np.nan)
    tallies.vote_posterior(judgments.item_start, judgments.label, hard, shares)
    np.testing.assert_allclose(shares, naive.vote_posterior(judgments, hard), rtol=1e-12)


@pytest.mark.parametrize(
    ("label", "majority"),
    [([0, 1, 1, 0, 0], 0), ([1, 0, 0, 1], -1), ([0, 1, 2, 2], 2), ([0, 0, 1, 1, 2, 2], -1), ([2, 2, 0, 0, 2], 2)],
)
def test_votes_of_labels_in_any_order(label: list[int], majority: int) -> None:
    found, distinct = np.empty(1, np.int32), np.empty(1, np.int32)
    tallies.votes(np.array([0, len(label)]), np.array(label, np.int32), 3, found, distinct)
    assert (found[0], distinct[0]) == (majority, len(set(label)))


@crowd
@given(st.data(), crowds())
def test_sums_by_label(data: st.DataObject, judgments: Judgments) -> None:
    values = data.draw(tables(judgments.n_judgments, judgments.n_labels))
    found = np.zeros((judgments.n_labels, judgments.n_labels))
    tallies.sums_by_label(judgments.label, values, found)
    expected = [values[judgments.label == k].sum(axis=0) for k in range(judgments.n_labels)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@crowd
@given(crowds())
def test_peer_agreement(judgments: Judgments) -> None:
    found = np.zeros((3, judgments.n_workers), np.int64)
    tallies.peer_agreement(
        judgments.item_start, judgments.worker, judgments.label, judgments.n_labels, ONE_EACH, *found
    )
    assert np.array_equal(found, naive.peer_agreement(judgments))


def test_peer_agreement_leaves_out_a_workers_own_repeats() -> None:
    start, worker, label = np.array([0, 4]), np.array([0, 0, 1, 2], np.int32), np.array([0, 1, 1, 1], np.int32)
    agreeing, peers, items = np.zeros((3, 3), np.int64)
    tallies.peer_agreement(start, worker, label, 2, ONE_EACH, agreeing, peers, items)
    assert agreeing.tolist() == [0 + 2, 2, 2]
    assert peers.tolist() == [2 + 2, 3, 3]
    assert items.tolist() == [1, 1, 1]


def peaks_of(posterior: np.ndarray) -> list[tuple[int, bool, int, float, float, float]]:
    n = len(posterior)
    best, runner_up = (np.full(n, 99, np.int32) for _ in range(2))
    confidence, margin, entropy = (np.full(n, np.nan) for _ in range(3))
    tied = np.zeros(n, np.bool_)
    tallies.peaks(posterior, TIE, best, tied, runner_up, confidence, margin, entropy)
    columns = (best, tied, runner_up, confidence, margin, entropy)
    return list(zip(*(one.tolist() for one in columns), strict=True))


@crowd
@given(st.data(), st.integers(1, 5))
def test_peaks(data: st.DataObject, n_labels: int) -> None:
    """Rounded to tenths, many labels are tied; moved by parts of TIE, many are nearly so."""
    posterior = data.draw(tables(6, n_labels))
    posterior[:4] = np.round(posterior[:4], 1)
    steps = st.lists(st.integers(-3, 3), min_size=2 * n_labels, max_size=2 * n_labels)
    posterior[2:4] += np.array(data.draw(steps)).reshape(2, n_labels) * 0.3 * TIE
    posterior = np.maximum(posterior, 0.0)
    for found, q in zip(peaks_of(posterior), posterior, strict=True):
        expected = naive.peak(q, TIE)
        assert found[:3] == expected[:3]
        assert found[3:] == pytest.approx((*expected[3:5], max(expected[5], 0.0)), rel=1e-12, abs=1e-13)


@pytest.mark.parametrize(
    ("q", "best", "tied", "runner_up", "margin"),
    [
        ([1.0], 0, False, -1, 1.0),
        ([0.0, 1.0, 0.0], 1, False, -1, 1.0),  # no other label is possible
        ([0.0, 0.9, 0.1], 1, False, 2, 0.8),
        ([0.2, 0.4, 0.4], 1, True, 2, 0.0),
        ([0.4 - 5e-13, 0.2, 0.4], 0, True, 2, 0.0),  # within TIE the first one is the best, never by the last digit
        ([0.4 - 5e-12, 0.2, 0.4], 2, False, 0, 5e-12),
        ([0.25, 0.25, 0.25, 0.25], 0, True, 1, 0.0),
    ],
)
def test_peaks_of_ties(q: list[float], best: int, tied: bool, runner_up: int, margin: float) -> None:
    ((*codes, confidence, found_margin, _),) = peaks_of(np.array([q]))
    assert codes == [best, tied, runner_up]
    assert confidence == max(q)
    assert found_margin == pytest.approx(margin, abs=1e-15)


@crowd
@given(st.data(), crowds())
def test_doubt(data: st.DataObject, judgments: Judgments) -> None:
    posterior = data.draw(tables(judgments.n_items, judgments.n_labels))
    found = np.zeros(judgments.n_workers)
    tallies.doubt(judgments.item_start, judgments.worker, judgments.label, ONE_EACH, posterior, found)
    np.testing.assert_allclose(found, naive.doubt(judgments, posterior), rtol=1e-9, atol=1e-15)


@crowd
@given(st.lists(st.lists(st.integers(0, 14), max_size=4), min_size=1, max_size=12))
def test_join_workers(judged_by: list[list[int]]) -> None:
    """Long chains included; workers of whom nothing is known stay alone."""
    judged: list[Row] = [(f"i{i}", f"w{w:02}", "x") for i, workers in enumerate(judged_by) for w in workers]
    judged += [(f"silent{w}", f"w{w:02}", None) for w in range(15)]
    judgments = encoded(judged)
    group = np.arange(judgments.n_workers, dtype=np.int32)
    tallies.join_workers(judgments.item_start, judgments.worker, group)
    found = [set(np.flatnonzero(group == name).tolist()) for name in np.unique(group)]
    assert sorted(found, key=min) == naive.groups(judgments)
    assert all(name in members for name, members in zip(np.unique(group).tolist(), found, strict=True))


@crowd
@given(crowds(), st.integers(1, 3))
def test_worker_pairs(judgments: Judgments, least: int) -> None:
    items = np.flatnonzero(judgments.per_item > 1).astype(np.int32)
    expected = naive.worker_pairs(judgments, items)
    key = np.empty(judgments.n_judgments**2, np.int64)
    n_pairs = tallies.worker_pairs(
        items, judgments.item_start, judgments.worker, judgments.label, judgments.n_workers, key
    )
    pair = [divmod(code >> 1, judgments.n_workers) for code in key[:n_pairs].tolist()]
    agree = (key[:n_pairs] & 1).tolist()
    assert [(a, b, same) for (a, b), same in zip(pair, agree, strict=True)] == expected

    shared, agreed = Counter(pair), Counter(p for p, same in zip(pair, agree, strict=True) if same)
    found = np.empty((3, n_pairs // least), np.int64)
    n = tallies.frequent_pairs(np.sort(key[:n_pairs]), least, *found)
    often = sorted(p for p in shared if shared[p] >= least)
    assert [divmod(code, judgments.n_workers) for code in found[0, :n].tolist()] == often
    assert found[1:, :n].T.tolist() == [[shared[p], agreed[p]] for p in often]


@crowd
@given(st.data(), st.integers(1, 4))
def test_held_out_scores(data: st.DataObject, n_labels: int) -> None:
    z, likelihood = data.draw(tables(3, n_labels)), data.draw(tables(5, n_labels))
    item = np.array(data.draw(st.lists(st.integers(0, 2), min_size=5, max_size=5)), np.int32)
    n, rhos = np.array([0, 1, 5]), np.array([0.0, 0.3, 1.3])
    found = np.empty((5, 3))
    log_z = np.log(z) - np.log(z).max(axis=1, keepdims=True)
    held_out_loops.held_out_scores(item, np.log(likelihood), log_z, n, rhos, found)
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
