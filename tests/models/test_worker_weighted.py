"""The worker-weighted fit: its loops, its ends, its sample, where it is better than a count of votes, and what is said
where it gives other labels than the average.
"""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus import fit, read, read_gold, simulate
from consensus.backends import Threads
from consensus.found.readings import Readings, disputed_columns
from consensus.found.result import framed
from consensus.inputs.judgments import Judgments, nothing
from consensus.kernels import worker_weighted_loops
from consensus.models import average, worker_weighted
from tests import naive_worker_weighted
from tests.conftest import dataset
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
    shares = worker_weighted.shares(judgments, found.weight)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    some = np.arange(judgments.n_items)[::-2]
    assert worker_weighted.shares(judgments, found.weight, some).tolist() == shares[some].tolist()
    if found.n_passes == 1:  # everybody agrees
        assert (naive_worker_weighted.distances(judgments, shares) == 0).all()
        assert (found.weight == 1).all()
        return
    expected, weight = naive_worker_weighted.fit(judgments, worker_weighted.PRIOR, found.n_passes)
    np.testing.assert_allclose(shares, expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.weight, weight, rtol=1e-9)


def test_nothing_and_agreement_weigh_all_alike() -> None:
    empty = worker_weighted.fit(nothing(), ONE)
    assert (len(empty.weight), empty.converged) == (0, True)
    assert worker_weighted.shares(nothing(), empty.weight).shape == (0, 0)
    judgments = encoded([(i, w, i) for i in "abc" for w in "uv"])
    agreed = worker_weighted.fit(judgments, ONE)
    assert worker_weighted.shares(judgments, agreed.weight).tolist() == np.eye(3).tolist()
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


def test_ends_where_no_share_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    judgments = simulate(200, 10, 3, 5, seed=1).judgments
    usual = worker_weighted.fit(judgments, ONE)
    monkeypatch.setattr(worker_weighted, "STILL", 0.05)
    early = worker_weighted.fit(judgments, ONE)
    assert usual.converged
    assert early.converged
    assert 2 <= early.n_passes < usual.n_passes


@pytest.mark.compiled
@pytest.mark.parametrize("sample", [300_000, 60_000])
def test_the_same_bits_for_any_number_of_threads(sample: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_weighted, "SAMPLE", sample)
    judgments = simulate(40_000, 50, 3, 5, seed=1).judgments
    one, three = (worker_weighted.fit(judgments, Threads(n)) for n in (1, 3))
    assert one.weight.tobytes() == three.weight.tobytes()
    assert one.n_passes == three.n_passes


class TestSample:
    """Of many judgments."""

    @pytest.fixture(autouse=True)
    def _smaller(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(worker_weighted, "SAMPLE", 5000)

    def test_weighs_nearly_as_all_do(self, monkeypatch: pytest.MonkeyPatch) -> None:
        judgments = simulate(2000, 20, 3, 5, spammers=0.3, seed=1).judgments
        found = worker_weighted.fit(judgments, ONE)
        monkeypatch.setattr(worker_weighted, "SAMPLE", 10_000)
        of_all = worker_weighted.fit(judgments, ONE)
        assert 0 < np.abs(np.log(found.weight / of_all.weight)).max() < 1
        assert np.corrcoef(found.weight, of_all.weight)[0, 1] > 0.9

    def test_is_not_drawn_where_there_are_no_more(self, monkeypatch: pytest.MonkeyPatch) -> None:
        judgments = simulate(100, 10, 3, 5, seed=1).judgments
        usual = worker_weighted.fit(judgments, ONE).weight.tobytes()
        monkeypatch.setattr(worker_weighted, "SAMPLE", 500)
        assert worker_weighted.fit(judgments, ONE).weight.tobytes() == usual
        monkeypatch.setattr(worker_weighted, "SAMPLE", 400)
        assert worker_weighted.fit(judgments, ONE).weight.tobytes() != usual

    def test_holds_items_by_their_ids(self) -> None:
        """Half the judgments, those of whole items."""
        sample = worker_weighted._sampled(simulate(2000, 20, 3, 5, seed=1).judgments)
        assert len(sample.judged.label) == pytest.approx(5000, abs=500)
        assert set(np.diff(sample.judged.item_start)) == {5}
        assert sample.judged.item_start[-1] == len(sample.judged.worker)

    def test_of_workers_whom_it_misses(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """They weigh 1, and the others nearly, by a single item."""
        monkeypatch.setattr(worker_weighted, "SAMPLE", 1)
        found = worker_weighted.fit(simulate(2000, 20, 3, 5, seed=1).judgments, ONE)
        assert (found.weight == 1).sum() == 15
        np.testing.assert_allclose(found.weight, 1, atol=0.1)


def test_better_than_a_count_of_votes_where_few_are_good() -> None:
    """Two in ten workers are nearly always right and the others on two items in five, of three labels."""
    confusion = np.array([np.eye(3) * p + (1 - np.eye(3)) * (1 - p) / 2 for p in [0.95] * 2 + [0.4] * 8])
    drawn = simulate(1000, 10, 3, 5, confusion=confusion, seed=1)
    found = worker_weighted.fit(drawn.judgments, ONE)
    votes = naive_worker_weighted.shares(drawn.judgments, np.ones(10)).argmax(axis=1)
    assert found.weight[:2].min() > 2 * found.weight[2:].max()
    label = worker_weighted.shares(drawn.judgments, found.weight).argmax(axis=1)
    assert (label == drawn.truth).mean() > (votes == drawn.truth).mean() + 0.05


def readings(judgments: Judgments, n_disputed: int, n_otherwise: int) -> Readings:
    """Two sure ones that differ on the first items; the worker-weighted fit differs on the last."""
    n = judgments.n_items
    label, every = np.zeros((2, n), np.int32), np.arange(n)
    label[1, :n_disputed] = 1
    otherwise = every >= n - n_otherwise
    sure, usual = np.full((2, n), 0.9), np.ones(judgments.n_workers)
    return Readings(("a", "b"), np.full(2, 0.5), label, sure, 0, usual, otherwise.astype(np.int32), otherwise)


class TestOtherwise:
    """Of the warning `worker_weighted_differs`."""

    JUDGMENTS = encoded([(f"i{i:03}", w, "xy"[(i + (w == "u")) % 2]) for i in range(200) for w in "uv"])
    SURE = np.full(200, 0.1)

    def said(self, n_disputed: int, n_otherwise: int, doubt: np.ndarray | None = SURE) -> list[Any]:
        return average._disagreement(readings(self.JUDGMENTS, n_disputed, n_otherwise), self.JUDGMENTS, doubt)

    def test_names_the_items_and_how_to_tell(self) -> None:
        (caution,) = self.said(5, 32)
        assert caution.code == "worker_weighted_differs"
        assert caution.message == (
            "32 of 200 items (16.0%) get another label from a simpler model, with one weight for each worker, such as "
            "i168, i169, i170 (all in readings.csv); 50 random gold items tell which is right (--gold)"
        )
        assert caution.values == {"n_items": 32, "share": 0.16}

    def test_is_one_with_that_of_readings_that_disagree(self) -> None:
        (caution,) = self.said(20, 32)
        assert caution.code == "readings_disagree"
        assert caution.message == (
            "20 of 200 items (10.0%) get different labels from different models of how workers err, and 32 (16.0%) "
            "from one weight for each worker, such as i000, i001, i002 (all in readings.csv): workers may share "
            "mistakes there; 50 random gold items tell which is right (--gold)"
        )
        assert caution.values == {
            "n_items": 20,
            "share": 0.1,
            "n_worker_weighted": 32,
            "share_worker_weighted": 0.16,
        }
        (alone,) = self.said(20, 14)
        assert "by the weights" not in alone.message
        assert alone.message.endswith("have some of them checked, and give them as gold")
        assert alone.values == {"n_items": 20, "share": 0.1}

    def test_is_silent_below_seven_in_a_hundred(self) -> None:
        assert self.said(0, 14) == []
        assert len(self.said(0, 15)) == 1

    def test_is_silent_where_the_average_doubts_so_many_itself(self) -> None:
        assert self.said(0, 32, np.full(200, 0.41)) == []
        assert len(self.said(0, 32, np.full(200, 0.39))) == 1

    def test_is_silent_on_a_few_items(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(average, "LEAST_DISPUTED", 33)
        assert self.said(5, 32) == []

    def test_is_silent_where_there_is_gold(self) -> None:
        assert self.said(5, 32, None) == []
        assert "by the weights" not in self.said(20, 32, None)[0].message

    def test_gold_and_unjudged_items_and_ties_have_no_other_label(self) -> None:
        rows = [("a", "u", "x"), ("a", "v", "y"), ("b", "u", "x"), ("c", "v", "x"), ("d", "u", None)]
        judgments = encoded(rows)
        posterior = np.array([[0.4, 0.6], [0.4, 0.6], [0.4, 0.6], [0.4, 0.6]])
        weight = worker_weighted.fit(judgments, ONE).weight
        label, otherwise = average._weighed(judgments, weight, None, posterior)
        assert otherwise.tolist() == [False, True, True, False]
        assert label.tolist() == [1, 0, 0, 1]
        gold = fit(judgments, gold={"item": ["b"], "label": ["y"]}).gold
        label, otherwise = average._weighed(judgments, weight, gold, posterior)
        assert otherwise.tolist() == [False, False, True, False]
        assert label.tolist() == [1, 1, 0, 1]

    @pytest.mark.compiled
    def test_stands_in_the_table(self) -> None:
        result = fit(simulate(300, 12, 2, 5, accuracy=0.65, seed=1).judgments, model="average")
        found = result.readings
        assert found is not None
        assert found.worker_weight.tolist() == worker_weighted.fit(result.judgments, ONE).weight.tolist()
        label = worker_weighted.shares(result.judgments, found.worker_weight).argmax(axis=1)
        assert found.otherwise.tolist() == (label != result.consensus_label).tolist()
        assert found.worker_weighted.tolist() == label.tolist()
        table = framed(disputed_columns(result))
        assert len(table) == found.listed.sum() > max(found.otherwise.sum(), found.disputed.sum())
        names = np.array(result.judgments.labels)
        items = [result.judgments.item_ids.index(item).as_py() for item in table["item"]]
        assert table["worker_weighted"].tolist() == names[label[items]].tolist()
        assert found.in_short()["worker_weighted"] == found.otherwise.sum()

    @pytest.mark.compiled
    @pytest.mark.parametrize("n_labels", [2, 4])
    def test_honest_crowds_are_not_suspected(self, n_labels: int) -> None:
        for seed in range(4):
            result = fit(simulate(600, 20, n_labels, 5, accuracy=0.8, seed=seed).judgments, model="average")
            assert "worker_weighted_differs" not in {one.code for one in result.warnings}


@pytest.mark.real
@pytest.mark.slow
class TestPublic:
    def test_is_as_accurate_as_promised(self) -> None:
        """The mean of eight sets, and the one where it is seven points above Dawid-Skene and five above the average."""
        right = {}
        for name in ("bluebird", "cf_amt", "face", "rte", "sentiment", "sp", "web", "zencrowd_us"):
            judgments, gold = read(dataset(name) / "judgments.csv"), read_gold(dataset(name) / "truth.csv")
            truth = dict(zip(gold.item, gold.label, strict=True))
            found = worker_weighted.fit(judgments, ONE)
            assert found.converged
            assert 5 <= found.n_passes <= 60
            label = worker_weighted.shares(judgments, found.weight).argmax(axis=1)
            said = zip(judgments.item_ids.to_pylist(), label.tolist(), strict=True)
            right[name] = np.mean([judgments.labels[k] == truth[item] for item, k in said if item in truth])
        assert np.mean(list(right.values())) == pytest.approx(0.8452, abs=0.0005)
        assert right["zencrowd_us"] == pytest.approx(0.9127, abs=0.001)

    @pytest.mark.parametrize(
        ("name", "code"),
        [
            ("bluebird", "worker_weighted_differs"),
            ("web", "worker_weighted_differs"),
            ("zencrowd_us", "readings_disagree"),
            ("face", "readings_disagree"),
            ("cf_amt", None),
            ("rte", None),
            ("sentiment", None),
            ("sp", None),
        ],
    )
    def test_is_said_of_half_of_them(self, name: str, code: str | None) -> None:
        result = fit(read(dataset(name) / "judgments.csv"))
        told = [one for one in result.warnings if "50 random gold items" in one.message]
        assert [one.code for one in told] == ([] if code is None else [code])
        assert len({"worker_weighted_differs", "readings_disagree"} & {one.code for one in result.warnings}) == len(
            told
        )
