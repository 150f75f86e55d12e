"""The layout for very many labels: only those given to an item are weighed, the others share a background."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import digamma

import consensus
from consensus import fit
from consensus.backends import Threads
from consensus.config import Prior
from consensus.escalation import escalate
from consensus.found.convergence import Convergence
from consensus.found.posterior import TIE, DensePosterior, SparsePosterior
from consensus.inputs.coding import encode
from consensus.inputs.gold import AlignedGold
from consensus.inputs.judgments import Judgments
from consensus.inputs.ordering import RepeatRule
from consensus.kernels import SMALLEST, em, sparse
from consensus.models import layout, pooled_prior, starts
from consensus.models.base import Execution
from consensus.models.dense_layout import Rows
from consensus.models.expectation_maximisation import Estimate, climb
from consensus.models.priors import Priors
from consensus.models.problem import Problem
from consensus.models.sparse_layout import Cells
from consensus.simulation import simulate
from consensus.worker_audit import audit, confusions
from tests import naive
from tests.conftest import Run
from tests.strategies import Row, coded, crowds, encoded, examples, tables

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

crowd = examples(60)
ONE = Threads(1)
Golden = dict[int, set[int]]


@pytest.fixture
def only_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every fit weighs only the labels given to an item."""
    monkeypatch.setattr(layout, "FEW_LABELS", 0)
    monkeypatch.setattr(layout, "MOST_CELLS", 0)


@st.composite
def repeated(draw: st.DrawFn) -> Judgments:
    """Crowds in which a worker may judge an item several times, all of which count."""
    answer = st.tuples(st.integers(0, 4), st.integers(0, 2), st.none() | st.integers(0, 7))
    judged: list[Row] = [("i0", "w0", "l0")]
    judged += [(f"i{i}", f"w{w}", None if k is None else f"l{k}") for i, w, k in draw(st.lists(answer, max_size=20))]
    item, worker, label = (coded([row[n] for row in judged]) for n in range(3))
    return encode(item, worker, label, None, repeats=RepeatRule("keep"), locate=str, backend=ONE)


@st.composite
def laid_out(draw: st.DrawFn) -> tuple[Judgments, Golden, Cells]:
    """Small crowds in up to 4 shards; some labels may be given by nobody, gold accepts one or several labels."""
    judgments = draw(crowds(max_labels=8) | repeated())
    unused = [f"unused{n}" for n in range(draw(st.integers(0, 3)))]
    judgments = judgments.with_labels([*judgments.labels, *unused])
    some = st.sets(st.integers(0, judgments.n_labels - 1), min_size=1)
    known: Golden = draw(st.dictionaries(st.integers(0, judgments.n_items - 1), some, max_size=3))
    return judgments, known, in_shards(judgments, known, draw(st.integers(1, 4)))


def in_shards(judgments: Judgments, known: Golden, n_shards: int) -> Cells:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("consensus.models.sparse_layout.number_of_shards", lambda *_: n_shards)
        return Cells.of(judgments, Rows.of(judgments, ONE), aligned(judgments, known))


def aligned(judgments: Judgments, known: Golden) -> AlignedGold | None:
    if not known:
        return None
    items = sorted(known)
    accepted = np.array([[k in known[i] for k in range(judgments.n_labels)] for i in items])
    return AlignedGold(np.array(items, np.int32), accepted, {})


def candidates(judgments: Judgments, known: Golden, i: int) -> list[int]:
    given = {int(k) for n, k in zip(judgments.item, judgments.label, strict=True) if n == i}
    return sorted(known.get(i, given))


def background(judgments: Judgments, known: Golden, i: int, pi: np.ndarray, A: np.ndarray) -> float:
    """b[i], from the formula in ``models.cells``."""
    S, K = candidates(judgments, known, i), judgments.n_labels
    if i in known or (S and (len(S) == K or not A.any())):
        return 0.0
    b = 1.0 - sum(pi[k] for k in S)
    for n, observed in zip(judgments.item, judgments.label, strict=True):
        if n == i:
            b *= sum(pi[k] * A[k, observed] / A[k].sum() for k in range(K) if k != observed) / (1 - pi[observed])
    return float(b)


def posterior(
    judgments: Judgments, known: Golden, C: np.ndarray, pi: np.ndarray, A: np.ndarray, power: np.ndarray
) -> tuple[np.ndarray, float]:
    """(I, K) with the background spread evenly over the labels that are no candidates; the log evidence."""
    K, evidence = judgments.n_labels, 0.0
    out = np.zeros((judgments.n_items, K))
    for i in range(judgments.n_items):
        S = candidates(judgments, known, i)
        b = background(judgments, known, i, pi, A)
        for k in range(K):
            if k in S:
                out[i, k] = pi[k]
                for n, w, observed in zip(judgments.item, judgments.worker, judgments.label, strict=True):
                    if n == i:
                        out[i, k] *= C[w, k, observed]
            else:
                out[i, k] = b / (K - len(S))
        evidence += math.log(out[i].sum())
        out[i] = out[i] ** power[i]
        out[i] /= out[i].sum()
    return out, evidence


def problem_of(case: tuple[Judgments, Golden, Cells], prior: Prior) -> Problem:
    judgments, known, cells = case
    K, gold = judgments.n_labels, aligned(judgments, known)
    prior_row = np.zeros(judgments.n_items, np.int32)
    prior_row[sorted(known)] = np.arange(1, len(known) + 1)
    accepted = np.zeros((0, K), np.bool_) if gold is None else gold.accepted
    A = np.zeros((K, K)) if prior == "none" else pooled_prior.fixed(K)
    return Problem(judgments, cells.rows, cells, accepted, prior_row, prior, A, max_iterations=60, tolerance=1e-9)


def dense_of(cells: Cells, values: np.ndarray) -> np.ndarray:
    """[w, true, observed] of values by cell; 0 elsewhere."""
    out = np.zeros((cells.n_workers, cells.n_labels, cells.n_labels))
    worker = np.repeat(np.arange(cells.n_workers), np.diff(cells.worker_start))
    out[worker, cells.true, cells.label] = values
    return out


def of_candidates(cells: Cells, table: np.ndarray) -> np.ndarray:
    item = np.repeat(np.arange(cells.n_items), np.diff(cells.candidate_start))
    return np.ascontiguousarray(table[item, cells.candidate])


@crowd
@given(laid_out())
def test_candidates_and_cells(case: tuple[Judgments, Golden, Cells]) -> None:
    judgments, known, cells = case
    for i in range(judgments.n_items):
        found = cells.candidate[cells.candidate_start[i] : cells.candidate_start[i + 1]].tolist()
        assert found == candidates(judgments, known, i)
        pairs = iter(cells.cell[cells.pair_start[i] : cells.pair_start[i + 1]].tolist())
        for j in range(judgments.item_start[i], judgments.item_start[i + 1]):
            for k in found:
                cell = next(pairs)
                assert (cells.true[cell], cells.label[cell]) == (k, judgments.label[j])
                row = int(np.searchsorted(cells.cell_start, cell, side="right")) - 1
                assert cells.rows.worker[row] == judgments.worker[j]
    worker = np.repeat(np.arange(cells.n_workers), np.diff(cells.worker_start))
    assert len(set(zip(worker, cells.label, cells.true, strict=True))) == len(cells.true)


@crowd
@given(laid_out())
def test_starts_are_votes_over_the_candidates(case: tuple[Judgments, Golden, Cells]) -> None:
    judgments, known, cells = case
    for hard in (False, True):
        expected = naive.vote_posterior(judgments, hard)
        for i, labels in known.items():
            expected[i] = [1 / len(labels) if k in labels else 0 for k in range(judgments.n_labels)]
        np.testing.assert_allclose(cells.votes(hard), of_candidates(cells, expected), atol=1e-12)


@crowd
@given(laid_out())
def test_the_mirrored_start_is_the_formula(case: tuple[Judgments, Golden, Cells]) -> None:
    """Who agrees with the majority counts as inaccurate; labels that nobody gave are left out."""
    judgments, known, cells = case
    K, W = judgments.n_labels, judgments.n_workers
    agreed, majority = np.zeros(W), naive.vote_posterior(judgments, True)
    for i, w, observed in zip(judgments.item, judgments.worker, judgments.label, strict=True):
        agreed[w] += majority[i, observed]
    C = np.empty((W, K, K))
    for w in range(W):
        accuracy = 1 - (agreed[w] + 1) / (judgments.per_worker[w] + 2)
        C[w] = (1 - accuracy) / max(K - 1, 1)
        np.fill_diagonal(C[w], accuracy)
    expected, _ = posterior(judgments, known, C, np.full(K, 1 / K), np.zeros((K, K)), np.ones(judgments.n_items))
    found = starts.mirrored(problem_of(case, "learnt"), starts.by_majority(judgments, ONE)[0], ONE)
    np.testing.assert_allclose(found, of_candidates(cells, expected), rtol=1e-9)


@crowd
@given(st.data(), laid_out(), st.floats(0, 2), st.booleans())
def test_a_pass_is_the_formula(
    data: st.DataObject, case: tuple[Judgments, Golden, Cells], rho: float, likeliest: bool
) -> None:
    judgments, known, cells = case
    K, W, I = judgments.n_labels, judgments.n_workers, judgments.n_items  # noqa: E741
    C, pi = data.draw(tables(W, K, K)), data.draw(tables(K))
    A = np.zeros((K, K)) if likeliest else data.draw(tables(K, K)) * 7
    worker = np.repeat(np.arange(W), np.diff(cells.worker_start))
    work = cells.tables()
    work.C[:] = np.log(C[worker, cells.true, cells.label])
    priors = Priors(pi[None], np.zeros(I, np.int32), 1)
    cells.settle_others(pi, A, priors, work, ONE)
    evidence = cells.em_pass(priors, work, ONE)
    z, expected = posterior(judgments, known, C, pi, A, np.ones(I))
    assert evidence == pytest.approx(expected, rel=1e-8, abs=1e-8)
    item = np.repeat(np.arange(I), np.diff(cells.candidate_start))
    kept = np.zeros((I, K))
    kept[item, cells.candidate] = z[item, cells.candidate]
    np.testing.assert_allclose(dense_of(cells, work.N), naive.counts(judgments, kept), atol=1e-9)
    np.testing.assert_allclose(work.mass, kept.sum(axis=0), atol=1e-9)
    np.testing.assert_allclose(work.rest, [max((z[i] - kept[i]).max(), 0) for i in range(I)], atol=1e-9)

    power = 1 / (1 + rho * np.maximum(judgments.per_item - 1, 0))
    estimate = Estimate(pi, A, work.C, work.N, work.n, work.mass, work.background, Convergence("converged", 1, (0.0,)))
    found = cells.beliefs(estimate, Priors(pi[None], np.zeros(I, np.int32), 1), power, ONE)
    expected_z, _ = posterior(judgments, known, C, pi, A, power)
    np.testing.assert_allclose(found.dense(slice(None)), expected_z, atol=1e-9)
    np.testing.assert_allclose(found.dense(np.arange(I)[::-1]), expected_z[::-1], atol=1e-9)

    missed = np.zeros(W)
    for i, w in zip(judgments.item, judgments.worker, strict=True):
        missed[w] += 1.0 - kept[i].sum()
    told = cells.confusions(estimate, ONE)
    assert told.missed is not None
    np.testing.assert_allclose(told.missed, missed, atol=1e-9)
    N, n, C_of_row = cells.gathered(estimate, np.arange(judgments.n_judgments))
    counts = naive.counts(judgments, kept)
    np.testing.assert_allclose(N, counts[judgments.worker, :, judgments.label], atol=1e-9)
    np.testing.assert_allclose(n, counts.sum(axis=2)[judgments.worker], atol=1e-9)
    with np.errstate(invalid="ignore"):  # a label that the worker never met, under maximum likelihood
        expected_C = np.nan_to_num(naive.confusions(counts, A), nan=1.0 / K)
    np.testing.assert_allclose(C_of_row, expected_C[judgments.worker, :, judgments.label], atol=1e-9)
    np.testing.assert_allclose(cells.pooled_counts(work.N), counts.sum(axis=0), atol=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_nothing_is_left_where_every_label_was_given(seed: int) -> None:
    """Not even what rounding leaves of the class prior."""
    judgments = encoded([("i0", f"w{k}", f"l{k}") for k in range(7)] + [("i1", "w0", "l0")])
    cells = in_shards(judgments, {}, 1)
    work = cells.tables()
    pi = np.random.default_rng(seed).dirichlet(np.ones(7))
    cells.settle_others(pi, np.ones((7, 7)), Priors(pi[None], np.zeros(2, np.int32), 1), work, ONE)
    assert work.background[0] == -np.inf
    assert work.background[1] > -np.inf


def test_workers_of_whom_nothing_is_known_under_a_label() -> None:
    """Two workers, three labels; nothing counts for the second under any true label, for the first under the last."""
    start, true, label = np.array([0, 3, 4]), np.array([0, 1, 2, 1], np.int32), np.array([0, 0, 1, 2], np.int32)
    counts = np.array([1.5, 0.5, 0.0, 0.0])
    nothing, log_C = np.zeros((3, 3)), np.empty(4)
    assert sparse.confusions(start, true, label, counts, np.zeros(3), nothing, SMALLEST, log_C) == 0.0
    np.testing.assert_allclose(np.exp(log_C), [1, 1, 1 / 3, 1 / 3])
    C = np.empty((2, 3))
    rows, of_rows = np.array([0, 1, 2]), np.array([[1.5, 0.5, 0.0], [0.0, 0.0, 0.0]])
    assert em.confusions(rows, label[[0, 3]], of_rows, of_rows, np.zeros(3), nothing, SMALLEST, C) == 0.0
    np.testing.assert_allclose(C, [[1, 1, 1 / 3], [1 / 3, 1 / 3, 1 / 3]])

    A, gain = np.ones((3, 3)), np.zeros((3, 3))
    psi = np.vstack([digamma(A.T), digamma(A.sum(axis=1))])
    total = sparse.prior_gains(start, true, label, counts, A.sum(axis=1), A.T, psi, gain)
    assert total == pytest.approx(digamma(4.5) + digamma(3.5) - 2 * digamma(3))
    np.testing.assert_allclose(gain[0], [digamma(2.5) - digamma(1), digamma(1.5) - digamma(1), 0])
    assert not gain[1:].any()


def test_an_answer_that_nobody_gives_tells_nothing() -> None:
    C = np.array([[[0.8, 0.2, 0.0], [0.3, 0.7, 0.0], [0.5, 0.5, 0.0]]])
    one = SparsePosterior(np.array([0, 2]), np.array([0, 1], np.int32), np.array([0.6, 0.4]), np.zeros(1), 3)
    expected = DensePosterior(one.dense(slice(None))).information_gain(np.array([0]), C, ONE)
    np.testing.assert_allclose(one.information_gain(np.array([0]), C, ONE), expected, atol=1e-12)


@crowd
@given(st.data(), laid_out(), st.booleans())
def test_m_steps(data: st.DataObject, case: tuple[Judgments, Golden, Cells], likeliest: bool) -> None:
    judgments, _, cells = case
    K, W = judgments.n_labels, judgments.n_workers
    z, pi = data.draw(tables(judgments.n_items, K)), data.draw(tables(K))
    A = np.zeros((K, K)) if likeliest else data.draw(tables(K, K)) * data.draw(st.floats(0.5, 50))
    if data.draw(st.booleans()):
        z[data.draw(st.integers(0, judgments.n_items - 1))] = 0.0  # nobody was judged under some label
    work = cells.tables()
    cells.count(of_candidates(cells, z), np.zeros(judgments.n_items, np.int32), work, ONE)
    N = dense_of(cells, work.N)
    density = cells.maximise(A, SMALLEST, work, ONE)
    worker = np.repeat(np.arange(W), np.diff(cells.worker_start))
    if likeliest:
        C = naive.likeliest_confusions(N, SMALLEST)
        assert density == 0
    else:
        C = naive.confusions(N, A)
        expected = 0.0
        for w in range(W):
            for k in range(K):
                expected -= A[k].sum() * math.log(N[w, k].sum() + A[k].sum())
                expected += sum(A[k, o] * math.log((N[w, k, o] + A[k, o]) / A[k, o]) for o in range(K))
        assert density == pytest.approx(expected, rel=1e-8, abs=1e-8)
    np.testing.assert_allclose(np.exp(work.C), C[worker, cells.true, cells.label], rtol=1e-9)
    if likeliest:
        return
    psi = np.vstack([digamma(A.T), digamma(A.sum(axis=1))])
    work.rest[:] = data.draw(st.lists(st.floats(0, 0.1), min_size=cells.n_items, max_size=cells.n_items))
    work.pi[:] = pi
    gain, d = cells.prior_gains(A, psi, work, ONE)
    naive_gain, expected_d = naive.prior_gains(A, N)
    p = A * naive_gain.T
    for j in range(judgments.n_judgments):
        i, observed = judgments.item[j], judgments.label[j]
        others = K - (cells.candidate_start[i + 1] - cells.candidate_start[i])
        for k in range(K):
            if k != observed:
                error = work.rest[i] * others * pi[k] / (1 - pi[observed])
                p[k, observed] += error
                expected_d += error / A[k].sum()
    np.testing.assert_allclose(A * gain.T, p, rtol=1e-7, atol=1e-9)
    assert d == pytest.approx(expected_d, rel=1e-7, abs=1e-9)


@st.composite
def sparse_posteriors(draw: st.DrawFn) -> SparsePosterior:
    """Many labels are tied, nearly so, or of probability 0."""
    K = draw(st.integers(1, 6))
    nearly = st.sampled_from([0.0, 0.0, 0.3, 0.6, -0.3, -1.5])
    starts, labels, z, rest = [0], [], [], []
    for _ in range(draw(st.integers(1, 6))):
        S = sorted(draw(st.sets(st.integers(0, K - 1))))
        weights = [draw(st.sampled_from([1.0, 1.0, 2.0, 5.0, 0.0])) for _ in S]
        other = 0.0 if len(S) == K else draw(st.sampled_from([0.0, 0.5, 1.0, 3.0]))
        total = sum(weights) + other * (K - len(S))
        if total == 0:
            weights, other = [1.0] * len(S), 1.0 if len(S) < K else 0.0
            total = sum(weights) + other * (K - len(S))
        labels += S
        z += [max(weight / total + draw(nearly) * TIE, 0.0) for weight in weights]
        rest.append(other / total)
        starts.append(len(labels))
    return SparsePosterior(np.array(starts), np.array(labels, np.int32), np.array(z), np.array(rest), K)


@crowd
@given(sparse_posteriors())
def test_peaks_are_those_of_the_dense_posterior(sparse_one: SparsePosterior) -> None:
    dense = DensePosterior(sparse_one.dense(slice(None)))
    assert (sparse_one.n_items, sparse_one.n_labels) == (dense.n_items, dense.n_labels)
    assert np.array_equal(sparse_one.dense(slice(1, 4)), dense.table[1:4])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("consensus.backends.SMALLEST_SHARD", 2)
        found, expected = sparse_one.peaks(ONE), dense.peaks(ONE)
    assert found.best.tolist() == expected.best.tolist()
    assert found.tied.tolist() == expected.tied.tolist()
    for name in ("confidence", "margin", "entropy"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-9)
    for i in range(sparse_one.n_items):
        runner_up = found.runner_up[i]
        listed = sparse_one.candidate[sparse_one.start[i] : sparse_one.start[i + 1]]
        others = np.delete(dense.table[i], found.best[i])
        if runner_up >= 0:
            assert runner_up != found.best[i]
            assert runner_up in listed
            assert dense.table[i, runner_up] == pytest.approx(others.max())
        else:  # nothing else is listed, or what is not listed is more probable
            left = [dense.table[i, k] for k in listed if k != found.best[i]]
            assert not left or max(left) <= sparse_one.rest[i]


@pytest.mark.parametrize(
    ("listed", "z", "rest", "n_labels", "expected"),
    [
        ([0], [1.0], 0.0, 1, (0, False, -1, 1.0, 1.0)),
        ([1, 2], [1.0, 0.0], 0.0, 4, (1, False, -1, 1.0, 1.0)),  # no other label is possible
        ([1, 2], [0.6, 0.4], 0.0, 4, (1, False, 2, 0.6, 0.2)),
        ([1], [0.7], 0.1, 4, (1, False, -1, 0.7, 0.6)),  # the second place is shared by labels that nobody gave
        ([1, 3], [0.6, 0.1], 0.3, 3, (1, False, -1, 0.6, 0.3)),  # even by one of them: they are not told apart
        ([1, 2], [0.6, 0.2], 0.1, 4, (1, False, 2, 0.6, 0.4)),
        ([1, 2], [0.6, 0.1], 0.1, 5, (1, False, 2, 0.6, 0.5)),  # as good as the others: the one that was given
        ([], [], 0.25, 4, (0, True, -1, 0.25, 0.0)),
        ([0, 1], [0.1, 0.1], 0.4, 4, (2, True, -1, 0.4, 0.0)),  # the first that nobody gave
        ([0, 1, 3], [0.1, 0.1, 0.1], 0.7, 4, (2, False, 0, 0.7, 0.6)),
        ([0, 2], [0.25, 0.25], 0.25, 4, (0, True, 2, 0.25, 0.0)),
        ([1, 3], [0.25, 0.25], 0.25, 4, (0, True, 1, 0.25, 0.0)),
        ([1, 3], [0.3, 0.2], 0.25, 4, (1, False, -1, 0.3, 0.05)),
    ],
)
def test_peaks_of_ties(
    listed: list[int], z: list[float], rest: float, n_labels: int, expected: tuple[int, bool, int, float, float]
) -> None:
    start, candidate = np.array([0, len(listed)]), np.array(listed, np.int32)
    found = SparsePosterior(start, candidate, np.array(z), np.array([rest]), n_labels).peaks(ONE)
    assert (found.best[0], found.tied[0], found.runner_up[0]) == expected[:3]
    assert (found.confidence[0], found.margin[0]) == pytest.approx(expected[3:])


@crowd
@given(st.data(), sparse_posteriors())
def test_information_gain_is_that_of_the_dense_posterior(data: st.DataObject, sparse_one: SparsePosterior) -> None:
    K = sparse_one.n_labels
    C = data.draw(tables(2, K, K))
    if K > 1 and data.draw(st.booleans()):  # an answer that nobody gives
        C[:, :, 0] = 0.0
        C /= C.sum(axis=2, keepdims=True)
    items = np.arange(sparse_one.n_items)[::-1].copy()
    expected = DensePosterior(sparse_one.dense(slice(None))).information_gain(items, C, ONE)
    np.testing.assert_allclose(sparse_one.information_gain(items, C, ONE), expected, atol=1e-9)


@crowd
@given(laid_out(), st.data())
def test_doubt_is_that_of_the_dense_posterior(case: tuple[Judgments, Golden, Cells], data: st.DataObject) -> None:
    judgments, _, cells = case
    table = data.draw(tables(cells.n_items, cells.n_labels))
    own = SparsePosterior(
        cells.candidate_start, cells.candidate, of_candidates(cells, table), np.zeros(cells.n_items), cells.n_labels
    )
    dense = own.dense(slice(None))
    np.testing.assert_allclose(own.doubt(judgments, ONE), naive.doubt(judgments, dense), atol=1e-12)


class TestFits:
    @examples(40)
    @given(laid_out(), st.sampled_from(["learnt", "fixed", "none"]))
    def test_the_objective_never_falls(self, case: tuple[Judgments, Golden, Cells], prior: Prior) -> None:
        judgments, _, cells = case
        found = climb(problem_of(case, prior), cells.votes(prior != "none"), Execution(ONE)).convergence
        objective = np.array(found.objective[found.frozen_at :])
        assert np.isfinite(objective).all()
        slack = 1e-8 * np.abs(objective[:-1]) + 1e-12 * judgments.n_judgments
        assert (np.diff(objective) >= -slack).all()

    @examples(40)
    @given(laid_out(), st.sampled_from(["learnt", "fixed", "none"]))
    def test_the_estimate_is_what_em_ended_with(self, case: tuple[Judgments, Golden, Cells], prior: Prior) -> None:
        """A further E step with the reported parameters gives the counts and the mass of the last one."""
        judgments, _, cells = case
        problem = problem_of(case, prior)
        estimate = climb(problem, cells.votes(prior != "none"), Execution(ONE))
        again = cells.tables()
        posterior = estimate.beliefs(problem, ONE)
        assert isinstance(posterior, SparsePosterior)
        cells.count(posterior.z, problem.prior_row, again, ONE)
        np.testing.assert_allclose(again.N, estimate.counts, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(again.mass, estimate.mass, rtol=1e-9, atol=1e-9)
        told = cells.confusions(estimate, ONE)
        assert told.missed is not None
        found = told.dense_counts().sum(axis=(1, 2)) + told.missed
        np.testing.assert_allclose(found, judgments.per_worker, rtol=1e-9)

    @pytest.mark.usefixtures("only_given")
    @pytest.mark.parametrize("prior", ["learnt", "fixed"])
    def test_posterior_and_counts_belong_together(self, prior: Prior) -> None:
        """Most answers are wrong, so that the labels that nobody gave weigh much."""
        drawn = simulate(150, 7, 12, 3, accuracy=0.4, seed=1).judgments
        result = fit(drawn, prior=prior, rho=0)
        assert isinstance(result.beliefs, SparsePosterior)
        given = replace(result.beliefs, rest=np.zeros(drawn.n_items)).dense(slice(None))
        assert given.sum() < 0.95 * drawn.n_items
        counts = result.confusions.dense_counts()
        np.testing.assert_allclose(naive.counts(drawn, given), counts, rtol=1e-9, atol=1e-9)
        assert result.confusions.missed is not None
        np.testing.assert_allclose(result.confusions.missed + counts.sum(axis=(1, 2)), drawn.per_worker, rtol=1e-9)

    @pytest.mark.compiled
    @pytest.mark.usefixtures("only_given")
    @pytest.mark.parametrize("prior", ["learnt", "fixed", "none"])
    @pytest.mark.parametrize("n_gold", [0, 8])
    def test_where_every_label_is_given_it_is_the_dense_fit(
        self, prior: Prior, n_gold: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        drawn = simulate(60, 7, 4, 7, accuracy=0.6, seed=7)
        rows: list[Row] = [(f"i{i:02}", f"all{k}", f"l{k}") for i in range(60) for k in range(4)]
        for i, w, k in zip(drawn.judgments.item, drawn.judgments.worker, drawn.judgments.label, strict=True):
            rows.append((f"i{i:02}", f"w{w}", f"l{k}"))
        judgments = encoded(rows)
        gold = {"item": [f"i{i:02}" for i in range(n_gold)], "label": [f"l{k}" for k in drawn.truth[:n_gold]]}
        known = gold if n_gold else None
        given = fit(judgments, gold=known, prior=prior, rho=0.3)
        monkeypatch.setattr(layout, "FEW_LABELS", 32)
        dense = fit(judgments, gold=known, prior=prior, rho=0.3)
        assert isinstance(given.beliefs, SparsePosterior)
        assert isinstance(dense.beliefs, DensePosterior)
        np.testing.assert_allclose(given.convergence.objective, dense.convergence.objective, rtol=1e-9)
        np.testing.assert_allclose(given.posterior, dense.posterior, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(given.confusions.dense(), dense.confusions.dense(), rtol=1e-9, atol=1e-9)
        of_given, of_dense = (
            audit(one).drop(columns=["verdict", "verdict_probability", "reason"]) for one in (given, dense)
        )
        by_records = "accuracy accuracy_low accuracy_high label_adjusted_accuracy chance_corrected"
        rated = by_records.split()  # wrong answers have another likelihood beside very many labels
        pd.testing.assert_frame_equal(of_given.drop(columns=rated), of_dense.drop(columns=rated), rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(of_given[rated], of_dense[rated], atol=0.12)
        pd.testing.assert_frame_equal(escalate(given), escalate(dense), rtol=1e-7, atol=1e-8)
        if n_gold:
            assert given.gold_posterior is not None
            assert dense.gold_posterior is not None
            np.testing.assert_allclose(given.gold_posterior, dense.gold_posterior, rtol=1e-7, atol=1e-9)

    @pytest.mark.compiled
    @pytest.mark.usefixtures("only_given")
    def test_same_bits_for_any_number_of_threads(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("consensus.backends.SMALLEST_SHARD", 10)
        drawn = simulate(300, 12, 40, 4, seed=5).judgments
        first, *others = [fit(drawn, threads=n) for n in (1, 2, 4)]
        for other in others:
            assert np.array_equal(first.posterior, other.posterior)
            assert np.array_equal(first.confusions.counts, other.confusions.counts)
            assert first.convergence == other.convergence
            assert audit(first).equals(audit(other))
            assert escalate(first).equals(escalate(other))

    @pytest.mark.usefixtures("only_given")
    def test_the_order_of_rows_does_not_matter(self) -> None:
        table = simulate(80, 6, 9, 3, accuracy=0.6, seed=4).judgments_table()
        first, second = (fit(one) for one in (table, table.sample(frac=1.0, random_state=5)))
        assert isinstance(first.beliefs, SparsePosterior)
        assert np.array_equal(first.posterior, second.posterior)
        assert np.array_equal(first.confusions.counts, second.confusions.counts)
        assert first.convergence == second.convergence

    @pytest.mark.slow
    def test_it_agrees_with_the_dense_fit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        drawn = simulate(3000, 60, 40, 5, accuracy=0.7, seed=1)
        dense = fit(drawn.judgments, rho=0.3)
        monkeypatch.setattr(layout, "MOST_CELLS", 0)
        given = fit(drawn.judgments, rho=0.3)
        assert isinstance(given.beliefs, SparsePosterior)
        assert (given.consensus_label == dense.consensus_label).mean() > 0.97
        right = [(one.consensus_label == drawn.truth).mean() for one in (given, dense)]
        assert right[0] > right[1] - 0.01
        assert abs(given.confidence.mean() - dense.confidence.mean()) < 0.03
        np.testing.assert_allclose(given.posterior.sum(axis=1), 1)
        planted = np.einsum("k,wkk->w", drawn.prior, drawn.confusion)
        assert np.abs(audit(given).accuracy - planted).mean() < 0.05

    @pytest.mark.usefixtures("only_given")
    def test_gold_stays(self) -> None:
        """One label, or several, or one that nobody gave the item, or all; also items that nobody judged."""
        drawn = simulate(90, 8, 10, 3, accuracy=0.6, seed=2)
        judgments, names = drawn.judgments, drawn.judgments.labels
        missing = min(set(range(10)) - set(judgments.label[judgments.item == 2].tolist()))
        accepted = {0: {int(drawn.truth[0])}, 1: {0, 4}, 2: {missing}, 3: set(range(10))}
        pairs = [(judgments.item_ids[i].as_py(), names[k]) for i, own in accepted.items() for k in sorted(own)]
        result = fit(judgments, gold=pd.DataFrame([*pairs, ("new", names[3])], columns=["item", "label"]))
        assert isinstance(result.beliefs, SparsePosterior)
        for i, own in accepted.items():
            assert result.posterior[i, sorted(own)].sum() == pytest.approx(1.0, rel=1e-12)
            assert result.peaks.best[i] in own
        assert result.labels.runner_up[[0, 2]].isna().all()
        assert result.labels.iloc[-1][["item", "label", "source"]].tolist() == ["new", names[3], "gold"]

    @pytest.mark.usefixtures("only_given")
    @pytest.mark.parametrize("prior", ["learnt", "fixed"])
    def test_gold_audit_leaves_out_the_judgments_of_the_item(self, prior: Prior) -> None:
        drawn = simulate(70, 6, 8, 3, accuracy=0.6, seed=12)
        result = fit(drawn.judgments, gold=drawn.truth_table(9), prior=prior, rho=0.3)
        assert isinstance(result.beliefs, SparsePosterior)
        assert result.gold is not None
        assert result.gold_posterior is not None
        N, A = result.confusions.dense_counts(), result.confusions.pseudo_counts
        for found, item, own in zip(result.gold_posterior, result.gold.items, result.gold.accepted, strict=True):
            z = own.astype(np.float64)
            expected = naive.without_own(drawn.judgments, int(item), z, N, A, result.prior_shares, 0.3, 1 / 8)
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)

    @pytest.mark.usefixtures("only_given")
    @pytest.mark.compiled
    def test_gold_is_clamped_and_rights_a_switched_crowd(self) -> None:
        accuracy = np.array([0.9] * 3 + [0.2] * 4 + [0.5] * 3)
        C = np.array([[[a, 1 - a], [1 - a, a]] for a in accuracy])
        drawn = simulate(300, per_item=10, confusion=C, seed=3)
        result = fit(drawn.judgments, gold=drawn.truth_table(10, seed=1))
        assert set(result.starts) == {"majority", "gold"}
        assert (result.consensus_label == drawn.truth).mean() > 0.95
        assert result.gold is not None
        assert (result.posterior[result.gold.items].max(axis=1) == 1).all()
        blind = fit(drawn.judgments)
        assert "switch_risk" in [warning.code for warning in blind.warnings]

    @pytest.mark.usefixtures("only_given")
    def test_the_mirrored_start_finds_the_opposite(self) -> None:
        """Half of the workers say the opposite, so that the data reads both ways."""
        C = np.array([[[a, 1 - a], [1 - a, a]] for a in (0.9, 0.9, 0.1, 0.1)])
        result = fit(simulate(100, per_item=4, confusion=C, seed=1).judgments)
        assert isinstance(result.beliefs, SparsePosterior)
        (warning,) = (one for one in result.warnings if one.code == "switch_risk")
        assert "the opposite reading of the data fits as well" in warning.message

    @pytest.mark.usefixtures("only_given")
    @pytest.mark.compiled
    def test_everything_can_be_written(self, run: Run, tmp_path: Path) -> None:
        drawn = simulate(200, 10, 40, 3, seed=2)
        path, gold = tmp_path / "j.csv", tmp_path / "g.csv"
        drawn.judgments_table().to_csv(path, index=False)
        drawn.truth_table(20).to_csv(gold, index=False)
        assert run("run", path, "--gold", gold, "--output", tmp_path / "out", "--posteriors", "--quiet").status == 0
        result = consensus.fit(consensus.read(path), gold=consensus.read_gold(gold))
        assert audit(result)[["accuracy", "accuracy_low", "accuracy_high", "informativeness"]].notna().all().all()
        assert confusions(result)[["count", "probability", "low", "high"]].notna().all().all()
        assert escalate(result)["priority"].notna().all()

    @pytest.mark.usefixtures("only_given")
    @pytest.mark.parametrize("prior", ["learnt", "fixed", "none"])
    @pytest.mark.parametrize("n_gold", [0, 15])
    def test_every_number_is_finite(self, prior: Prior, n_gold: int) -> None:
        """Also of an item with nothing but abstains, and of labels that nobody gave."""
        drawn = simulate(120, 8, 10, 3, accuracy=0.6, seed=6)
        silent = pd.DataFrame({"item": ["silent"], "worker": ["w"], "label": [None]})
        names = (*drawn.judgments.labels, "unused", "unused too")
        gold = drawn.truth_table(n_gold) if n_gold else None
        table = pd.concat([drawn.judgments_table(), silent])
        result = fit(table, gold=gold, labels=names, prior=prior)
        assert isinstance(result.beliefs, SparsePosterior)
        assert result.labels.label.notna().all()
        assert np.isfinite(result.labels[["confidence", "margin", "entropy"]]).all().all()
        assert np.isfinite(escalate(result).priority).all()
        workers = audit(result)[1:]  # not the one who judged nothing
        assert np.isfinite(workers[["accuracy", "accuracy_low", "accuracy_high", "informativeness"]]).all().all()
        assert (workers.accuracy_low <= workers.accuracy).all()
        assert (workers.accuracy <= workers.accuracy_high).all()

    @pytest.mark.usefixtures("only_given")
    def test_maximum_likelihood_of_labels_that_nobody_gave(self) -> None:
        judgments = encoded([(f"i{i}", f"w{w}", f"l{(i + (w == i % 4)) % 3}") for i in range(60) for w in range(4)])
        gold = {"item": ["i0", "i1"], "label": ["l2", "l1"]}  # nobody said so of i0
        result = fit(judgments, gold=gold, prior="none", rho=0.3, labels=("l0", "l1", "l2", "unused"))
        assert result.gold_posterior is not None
        assert np.isfinite(result.gold_posterior).all()
        assert np.isfinite(result.posterior).all()
        assert result.posterior[0].tolist() == [0, 0, 1, 0]


class TestChoice:
    def test_few_labels_are_all_weighed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        drawn = simulate(50, 5, 32, 3).judgments
        monkeypatch.setattr(layout, "MOST_CELLS", 0)
        rows = Rows.of(drawn, ONE)
        assert layout.lay_out(drawn, rows, None) is rows
        monkeypatch.setattr(layout, "FEW_LABELS", 31)
        assert isinstance(layout.lay_out(drawn, rows, None), Cells)
        monkeypatch.setattr(layout, "MOST_CELLS", 10**6)
        assert layout.lay_out(drawn, rows, None) is rows

    @pytest.mark.parametrize(("n_labels", "all_of_them"), [(32, True), (99, True), (101, False)])
    def test_where_there_is_room(self, n_labels: int, all_of_them: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(layout, "MOST_CELLS", (12 + 2 * 6) * 100)
        assert layout.weighs_all_labels(n_items=12, n_rows=6, n_labels=n_labels) == all_of_them

    def test_the_majority_needs_no_layout(self) -> None:
        assert fit(simulate(50, 5, 40, 3).judgments, model="majority_vote").posterior.shape == (50, 40)
