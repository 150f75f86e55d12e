"""The worker-weighted fit: its loops, its ends, its sample, and where it is better than a count of votes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus import simulate
from consensus.backends import Threads
from consensus.inputs.judgments import Judgments, nothing
from consensus.kernels import worker_weighted_loops
from consensus.models import worker_weighted
from tests import naive_worker_weighted
from tests.strategies import crowds, encoded, examples

ONE = Threads(1)


@examples(50)
@given(st.data(), crowds())
def test_a_pass(data: st.DataObject, judgments: Judgments) -> None:
    some = st.lists(st.floats(0.1, 10), min_size=judgments.n_workers, max_size=judgments.n_workers)
    weight = np.array(data.draw(some))
    before = np.full((judgments.n_items, judgments.n_labels), 0.25)
    found, error = before.copy(), np.ones(judgments.n_workers)
    judged = worker_weighted_loops.Judged(judgments.item_start, judgments.worker, judgments.label)
    moved = worker_weighted_loops.weigh(judged, weight, found, error)
    expected = naive_worker_weighted.shares(judgments, weight)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    e = naive_worker_weighted.distances(judgments, expected)
    summed = np.bincount(judgments.worker, e, minlength=judgments.n_workers)
    np.testing.assert_allclose(error, 1 + summed, rtol=1e-12)
    assert moved == pytest.approx(np.abs(expected - before).max())


@examples(30)
@given(crowds())
def test_the_fit(judgments: Judgments) -> None:
    found = worker_weighted.fit(judgments, ONE)
    assert found.converged
    np.testing.assert_allclose(found.shares.sum(axis=1), 1)
    if found.n_passes == 1:  # everybody agrees
        assert (naive_worker_weighted.distances(judgments, found.shares) == 0).all()
        assert (found.weight == 1).all()
        return
    shares, weight = naive_worker_weighted.fit(judgments, worker_weighted.PRIOR, found.n_passes)
    np.testing.assert_allclose(found.shares, shares, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.weight, weight, rtol=1e-9)
    assert found.label.tolist() == found.shares.argmax(axis=1).tolist()


def test_nothing_and_agreement_weigh_all_alike() -> None:
    empty = worker_weighted.fit(nothing(), ONE)
    assert (empty.shares.shape, len(empty.weight), empty.converged) == ((0, 0), 0, True)
    agreed = worker_weighted.fit(encoded([(i, w, i) for i in "abc" for w in "uv"]), ONE)
    assert agreed.shares.tolist() == np.eye(3).tolist()
    assert (agreed.weight.tolist(), agreed.n_passes, agreed.converged) == ([1, 1], 1, True)


def test_a_worker_of_the_usual_distance_weighs_one() -> None:
    """Two agree always, and the third of them never: the one who is off weighs less, the one who never judged 1."""
    rows = [(f"i{i}", w, "x" if w != "c" else "y") for i in range(30) for w in "abc"]
    judgments = encoded(rows)
    weight = worker_weighted.fit(judgments, ONE).weight
    assert weight[0] == weight[1] > 1 > weight[2]


def test_stops_at_the_limit_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_weighted, "MOST_PASSES", 3)
    found = worker_weighted.fit(simulate(100, 10, 3, 5, seed=1).judgments, ONE)
    assert (found.n_passes, found.converged) == (3, False)


def test_the_change_at_which_it_ends_can_be_larger() -> None:
    judgments = simulate(200, 10, 3, 5, seed=1).judgments
    usual = worker_weighted.fit(judgments, ONE)
    early = worker_weighted.fit(judgments, ONE, still=0.05)
    assert early.converged
    assert 2 <= early.n_passes < usual.n_passes


@pytest.mark.compiled
@pytest.mark.parametrize("sample", [None, 60_000])
def test_the_same_bits_for_any_number_of_threads(sample: int | None) -> None:
    judgments = simulate(40_000, 50, 3, 5, seed=1).judgments
    one, three = (worker_weighted.fit(judgments, Threads(n), sample) for n in (1, 3))
    assert one.shares.tobytes() == three.shares.tobytes()
    assert one.weight.tobytes() == three.weight.tobytes()
    assert one.n_passes == three.n_passes


class TestSample:
    def test_weighs_by_some_items_and_labels_all(self) -> None:
        drawn = simulate(2000, 20, 3, 5, spammers=0.3, seed=1)
        of_all = worker_weighted.fit(drawn.judgments, ONE)
        found = worker_weighted.fit(drawn.judgments, ONE, sample=4000)
        assert found.shares.shape == (2000, 3)
        np.testing.assert_allclose(found.shares, naive_worker_weighted.shares(drawn.judgments, found.weight))
        assert 0 < np.abs(np.log(found.weight / of_all.weight)).max() < 1
        assert np.corrcoef(found.weight, of_all.weight)[0, 1] > 0.9

    def test_is_not_drawn_where_there_are_no_more(self) -> None:
        judgments = simulate(100, 10, 3, 5, seed=1).judgments
        of_all = worker_weighted.fit(judgments, ONE)
        for sample in (500, 10_000):
            assert worker_weighted.fit(judgments, ONE, sample).weight.tobytes() == of_all.weight.tobytes()

    def test_holds_items_by_their_ids(self) -> None:
        """Half the judgments, those of whole items, and the same ones whatever other items there are."""
        judgments = simulate(2000, 20, 3, 5, seed=1).judgments
        sample = worker_weighted._sampled(judgments, 5000)
        assert len(sample.judged.label) == pytest.approx(5000, abs=500)
        assert set(np.diff(sample.judged.item_start)) == {5}
        assert sample.judged.item_start[-1] == len(sample.judged.worker)

    def test_of_workers_whom_it_misses(self) -> None:
        """They weigh 1, and the others nearly, by a single item."""
        judgments = simulate(2000, 20, 3, 5, seed=1).judgments
        found = worker_weighted.fit(judgments, ONE, sample=1)
        assert (found.weight == 1).sum() == 15
        np.testing.assert_allclose(found.weight, 1, atol=0.1)
        np.testing.assert_allclose(found.shares, naive_worker_weighted.shares(judgments, found.weight))


def test_better_than_a_count_of_votes_where_few_are_good() -> None:
    """Two in ten workers are nearly always right and the others on two items in five, of three labels."""
    confusion = np.array([np.eye(3) * p + (1 - np.eye(3)) * (1 - p) / 2 for p in [0.95] * 2 + [0.4] * 8])
    drawn = simulate(1000, 10, 3, 5, confusion=confusion, seed=1)
    found = worker_weighted.fit(drawn.judgments, ONE)
    votes = naive_worker_weighted.shares(drawn.judgments, np.ones(10)).argmax(axis=1)
    assert found.weight[:2].min() > 2 * found.weight[2:].max()
    assert (found.label == drawn.truth).mean() > (votes == drawn.truth).mean() + 0.05
