"""What is believed of models, and how their weights are learnt: the rules and their numbers."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from consensus import fit
from consensus.backends import Threads
from consensus.config import FitConfig
from consensus.errors import JudgmentError
from consensus.inputs.judgments import Judgments, Reject
from consensus.inputs.model_doubts import Echoes
from consensus.models import preparing, problem, votes_families, votes_prior
from consensus.models.layout import weighs_all_labels
from consensus.models.votes_learner import VotesLearner
from consensus.simulation import simulate
from tests.strategies import encoded, voted

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

ONE = Threads(1)


class TestFamilies:
    def test_pseudo_counts(self) -> None:
        assert votes_families.pseudo_counts(3).tolist() == [[4, 0.2, 0.2], [0.2, 4, 0.2], [0.2, 0.2, 4]]
        np.testing.assert_allclose(votes_families.one_coin(2), np.array([[4, 0.2], [0.2, 4]]) / 4.2)
        assert votes_families.unknown_counts(1).tolist() == [[4.0]]
        assert votes_families.unknown_counts(3).tolist() == [[4, 0.5, 0.5], [0.5, 4, 0.5], [0.5, 0.5, 4]]

    @pytest.mark.parametrize(("agreeing", "pairs", "K"), [(7, 9, 2), (3, 9, 3), (60, 90, 4), (0, 0, 2), (0, 0, 5)])
    def test_agreement_with_a_pair_that_agrees_and_one_that_does_not(self, agreeing: int, pairs: int, K: int) -> None:
        g = (agreeing + 1) / (pairs + 2)
        p = votes_families.one_coin_of_agreement(agreeing, pairs, K)[0, 0]
        least = 1 / K  # of guesses
        assert p**2 + (1 - p) ** 2 / (K - 1) == pytest.approx(max(g, least), rel=1e-9)


class TestLearner:
    def learner(self, n_soft: int = 1, n_hard: int = 0, scale: float = 1.0) -> tuple[VotesLearner, Any, list[str]]:
        """One whose weights move by what ``moves`` says next."""
        asked: list[str] = []
        moves: list[float] = []

        def improved_weight(weights: Any, *_: Any) -> Any:
            asked.append("weight")
            return SimpleNamespace(weight=weights.weight + moves.pop(0), Cm=None, CF=None)

        votes: Any = SimpleNamespace(
            soft_model=np.zeros(n_soft),
            hard_model=np.zeros(n_hard),
            sample=SimpleNamespace(rows=np.arange(3), scale=scale),
            item=np.arange(3),
            improved_weight=improved_weight,
        )
        found = VotesLearner.__new__(VotesLearner)
        found.weights = SimpleNamespace(weight=np.zeros(2))  # type: ignore[assignment]
        found.wanted = found.unsteady = found._learnt = False
        found._votes, found._last, found._passes = votes, None, 0
        found._priors = SimpleNamespace(rows=slice(1, 4))  # type: ignore[assignment]
        found._weighing = n_soft > 0
        return found, moves, asked

    def run(self, passes: int, moves: float, scale: float) -> tuple[list[int], list[bool]]:
        """Passes at which the weights were learnt, and whether each was unsteady."""
        learner, queue, asked = self.learner(scale=scale)
        of: Any = SimpleNamespace(rows=SimpleNamespace(expectations=lambda *_: None))
        learnt, unsteady = [], []
        for n in range(passes):
            queue[:] = [moves]
            before = len(asked)
            learner.learn(of, None, ONE)
            learnt += [n] * (len(asked) > before)
            unsteady.append(learner.unsteady)
            learner._last = SimpleNamespace()  # type: ignore[assignment]
        return learnt, unsteady

    def test_at_the_third_pass_and_then_every_eighth(self) -> None:
        learnt, unsteady = self.run(30, 1.0, scale=1.0)
        assert learnt == [2, 8, 16, 24]
        assert not any(unsteady)

    def test_from_a_sample_until_they_move_by_less_than_a_hundredth(self) -> None:
        """Or, however they move, up to the seventeenth pass."""
        assert self.run(40, 0.0099, scale=1.5)[0] == [2]
        learnt, unsteady = self.run(40, 0.01, scale=1.5)
        assert learnt == [2, 8, 16]
        assert [n for n, one in enumerate(unsteady) if one] == learnt

    def test_settled_once_all_that_is_wanted_is_learnt(self) -> None:
        for n_soft, n_hard, settled in ((0, 0, True), (1, 0, False), (0, 1, False), (1, 1, False)):
            learner, _, _ = self.learner(n_soft, n_hard)
            assert learner.settled == settled
            learner._learnt = True
            assert learner.settled


class TestSample:
    @pytest.mark.parametrize(("n", "step"), [(100_000, 1), (100_001, 2), (250_000, 3), (0, 1)])
    def test_of_100_000_items_all_are_learnt_from(self, n: int, step: int) -> None:
        soft_start = np.concatenate([np.zeros(5, np.int64), np.arange(n + 1)])
        whole: Any = SimpleNamespace(
            item=np.zeros(n + 5), first_soft=5, soft_start=np.append([0], soft_start), soft_model=np.zeros(n, np.int32)
        )
        whole.soft_start = np.concatenate([np.zeros(5, np.int64), np.arange(n + 1)])
        whole.log_q = np.zeros((n, 1), np.float32)
        whole._units = lambda rows: np.ones(len(rows))
        found: Any = votes_prior.VotesPrior.sample.func(whole)  # type: ignore[attr-defined]
        assert found.rows.tolist() == list(range(5, n + 5, step))
        assert found.scale == (1.0 if step == 1 else pytest.approx(n / len(found.rows)))
        assert len(found.start) == len(found.rows) + 1
        assert len(found.unit) == len(found.rows)

    def test_what_is_all_but_ruled_out_counts_as_a_millionth(self) -> None:
        votes: Any = SimpleNamespace(row=np.array([0, 1]), probability=np.array([[1, 0], [0.5, 5e-7]], np.float32))
        found = votes_prior._logs(votes, slice(None), ONE)
        np.testing.assert_allclose(found, np.log([[1, 1e-6], [0.5, 1e-6]]), rtol=1e-6, atol=1e-7)
        votes.row = np.array([1, 0])
        np.testing.assert_allclose(votes_prior._logs(votes, slice(None), ONE), found[::-1], rtol=1e-6)
        np.testing.assert_allclose(votes_prior._logs(votes, np.array([1]), ONE), found[:1], rtol=1e-6)

    def test_votes_that_count_have_their_own_probabilities(self) -> None:
        q = np.array([[0.9, 0.1], [0.4, 0.6], [0.7, 0.3]], np.float32)
        votes: Any = SimpleNamespace(row=np.arange(3), probability=q)
        for chosen in ([1, 2], [0, 2], [2], [0, 1, 2], [2, 0, 1]):
            found = votes_prior._logs(votes, np.array(chosen), ONE)
            np.testing.assert_allclose(found, np.log(q[chosen]), rtol=1e-6)


class TestPosed:
    def outside(self, share: float, n_workers: int = 4) -> Any:
        """A fit where models voted on this share of what few people judged."""
        judged = [(f"i{i:03}", f"w{(i + w) % n_workers}", f"l{i % 2}") for i in range(120) for w in range(3)]
        votes = voted([(f"i{i:03}", "m", f"l{i % 2}") for i in range(round(120 * share))], ("l0", "l1"))
        judgments, aligned = votes.align(encoded(judged), None)
        return problem.posed(judgments, aligned, None, FitConfig(), ONE)[0]

    def test_half_of_the_items_are_a_view_from_outside(self) -> None:
        assert self.outside(0.5).has_outside_view
        assert not self.outside(59 / 120).has_outside_view

    def test_few_people_learn_no_prior_beside_it(self) -> None:
        assert self.outside(0.5).prior == "fixed"
        assert self.outside(0.4).prior == "learnt"
        assert self.outside(0.5, n_workers=5).prior == "learnt"

    def test_the_tolerance_counts_judgments_and_votes(self) -> None:
        assert self.outside(0.5).n_opinions == 360 + 60


class TestPrepared:
    def judged(self, n_labels: int, n_judgments: int) -> Judgments:
        rows = [(f"i{n // 2:05}", "vw"[n % 2], f"l{min(n, n_labels - 1)}") for n in range(n_judgments)]
        return encoded(rows)

    @pytest.mark.parametrize(
        ("n_labels", "n_judgments", "many"),
        [(1000, 2000, False), (1001, 2000, True), (1001, 4003, True), (1001, 4004, False)],
    )
    def test_a_thousand_labels_that_are_a_quarter_of_the_judgments(
        self, n_labels: int, n_judgments: int, many: bool
    ) -> None:
        judgments = self.judged(n_labels, n_judgments)
        assert judgments.n_labels == n_labels
        if many:
            with pytest.raises(JudgmentError, match=rf'1,001 labels in {n_judgments:,} judgments, such as "l0": is'):
                preparing.prepared(judgments, None, FitConfig())
        else:
            assert preparing.prepared(judgments, None, FitConfig())[0] is judgments
        named = FitConfig(labels=judgments.labels)
        assert preparing.prepared(judgments, None, named)[0] is judgments

    def test_the_first_reject_is_told(self) -> None:
        rejects = (Reject("a.csv", 3, "no worker", "x"), Reject("a.csv", 9, "no item", "y"))
        assert preparing._first(SimpleNamespace(rejects=rejects)) == " (a.csv:3: no worker)"  # type: ignore[arg-type]
        assert preparing._first(SimpleNamespace(rejects=())) == ""  # type: ignore[arg-type]


@pytest.mark.parametrize("tolerance", [1e-2, 1e-3, 1e-4, 1e-5])
@pytest.mark.parametrize("with_votes", [True, False])
def test_converged_is_what_gains_less_than_the_tolerance_an_opinion(tolerance: float, with_votes: bool) -> None:
    """And nothing before, but while something was still to be learnt about models."""
    drawn = simulate(120, 8, 3, 3, accuracy=0.65, seed=4)
    ids, names = drawn.judgments.item_ids.to_pylist(), drawn.judgments.labels
    said = voted([(ids[i], "m", names[k]) for i, k in enumerate(drawn.truth)], names) if with_votes else None
    result = fit(drawn.judgments, model_votes=said, prior="fixed", rho=0.3, tolerance=tolerance)
    assert result.converged
    least = tolerance * (result.judgments.n_judgments + 120 * with_votes)
    gains = np.diff(result.convergence.objective)
    assert gains[-1] < least
    assert with_votes or (gains[result.convergence.frozen_at : -1] >= least).all()
    assert tolerance > 1e-4 or (gains[:-1] >= least).any()


def test_few_labels_or_a_small_table_are_weighed_all() -> None:
    assert weighs_all_labels(10**9, 10**9, 32)
    assert not weighs_all_labels(10**9, 10**9, 33)
    assert weighs_all_labels(60_000, 20_000, 50)  # five million cells
    assert not weighs_all_labels(60_001, 20_000, 50)
    assert not weighs_all_labels(60_000, 20_001, 50)


def test_longest_step_of_a_weight() -> None:
    """From far off, two steps of a half."""
    drawn = simulate(300, 6, 2, 3, seed=1)
    said = [(item, "m", [0.7, 0.3] if k == 0 else [0.3, 0.7])
            for item, k in zip(drawn.judgments.item_ids.to_pylist(), drawn.truth.tolist(), strict=True)]  # fmt: skip
    judgments, aligned = voted(said, drawn.judgments.labels).align(drawn.judgments, None)
    every = np.ones(1, np.bool_)
    votes = votes_prior.VotesPrior.of(aligned, judgments, None, every, ~every, every, Echoes.none(1), ONE)
    sure = np.eye(2)[drawn.truth] * 0.9999 + 0.00005
    start = SimpleNamespace(weight=np.array([0.0, 1.0]))
    assert votes.start.weight.tolist() == start.weight.tolist()
    better = votes.improved_weight(votes.start, sure[votes.item], ONE)
    assert better.weight[1] == pytest.approx(2.0)
    result = fit(judgments, model_votes=voted(said, drawn.judgments.labels), rho=0.3)
    assert result.models is not None
    assert result.models.weights.weight[1] > 1.0
