"""Models that repeat the majority of people: what is found, what is said, and what their votes are then worth."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from consensus import fit
from consensus.backends import Threads
from consensus.found.result import Consensus
from consensus.inputs.gold import AlignedGold
from consensus.inputs.judgments import Judgments
from consensus.inputs.model_doubts import Echoes
from consensus.models import votes_echo, votes_people
from consensus.models.votes_people import PeopleAlone
from consensus.models.votes_prior import VotesPrior
from consensus.simulation import Simulation, simulate
from consensus.votes_audit import model_ratings, models_table
from tests import naive_votes
from tests.models.test_votes_prior import speaking, warned
from tests.models.test_votes_prior_trust import contested, majority_votes
from tests.strategies import Vote, encoded, voted

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

NONE = np.zeros(1, np.bool_)


def beside(seed: int, n: int = 60, K: int = 3) -> votes_echo.Beside:
    """Votes of one model on items of random people."""
    rng = np.random.default_rng(seed)
    h = rng.dirichlet(np.full(K, 0.4), (4, n))
    label = rng.integers(0, K, n).astype(np.int32)
    leads = rng.choice([0.0, 0.5, 1.0], n)
    return votes_echo.Beside(np.arange(n), h, label, leads, np.ones(n, np.bool_))


def echoing(judgments: Judgments, noise: float, seed: int = 0, extra: tuple[str, ...] = ()) -> Any:
    """A model that repeats the majority, tied ones by chance, and at times names any label."""
    rng, rows = np.random.default_rng(seed), list[Vote]()
    for i, item in enumerate(judgments.item_ids.to_pylist()):
        given = np.bincount(judgments.label[judgments.item == i], minlength=judgments.n_labels)
        label = int((given + rng.random(judgments.n_labels) / 2).argmax())
        label = int(rng.integers(judgments.n_labels)) if rng.random() < noise else label
        rows.append((item, "echo", judgments.labels[label]))
    return voted([*rows, *((item, "echo", judgments.labels[0]) for item in extra)], judgments.labels)


def accepted(result: Consensus, drawn: Simulation, least: float = 0.95) -> tuple[int, int]:
    """Labels at least so sure, and how many of them are wrong."""
    n = len(drawn.truth)
    sure = result.confidence[:n] >= least
    return int(sure.sum()), int((result.consensus_label[:n] != drawn.truth)[sure].sum())


class TestFitted:
    @pytest.mark.parametrize("seed", range(4))
    @pytest.mark.parametrize("e", [0.0, 0.3])
    def test_as_the_equations_say(self, seed: int, e: float, monkeypatch: pytest.MonkeyPatch) -> None:
        votes = beside(seed)
        monkeypatch.setattr(votes_echo, "STEPS", 5)
        monkeypatch.setattr(votes_echo, "STILL", -np.inf)
        found = votes_echo.fitted(votes, votes.h[0], e)
        C, share, nu, value = naive_votes.echo_fit(votes.h[0], votes.label.tolist(), votes.leads, e, 5)
        np.testing.assert_allclose(found.C, C, rtol=1e-9)
        assert (found.e, found.value) == pytest.approx((share, value), rel=1e-9)
        assert found.nu == pytest.approx(nu, rel=1e-9)
        assert (found.e == 0) == (e == 0)

    def test_it_climbs_and_stops(self, monkeypatch: pytest.MonkeyPatch) -> None:
        votes = beside(1)
        values = []
        for steps in (1, 3, 10, 200):
            monkeypatch.setattr(votes_echo, "STEPS", steps)
            values.append(votes_echo.fitted(votes, votes.h[0], 0.3).value)
        assert values == sorted(values)
        monkeypatch.setattr(votes_echo, "STEPS", 10_000)
        assert votes_echo.fitted(votes, votes.h[0], 0.3).value == pytest.approx(values[-1], abs=0.05)

    def test_each_side_has_the_rho_that_suits_it(self) -> None:
        """By what is believed of it and what the others tell, and by the votes alone."""
        votes = [beside(2), beside(3)]
        sides = votes_echo.Sides(3, 4)  # one is not tested
        for m in (0, 1):
            sides.add(m, votes[m])
        own, both = ([[votes_echo.fitted(v, h, e).value for h in v.h] for v in votes] for e in (0.0, 0.3))
        before = [-0.5 * ((rho - 0.25) / 0.125) ** 2 for rho in (0.0, 0.15, 0.3, 0.45)]
        told = [[p + max(a, b - 4) for p, a, b in zip(before, own[m], both[m], strict=True)] for m in (0, 1)]
        LR, sure, echo = sides.evidence(0)
        best = [max(v + p for v, p in zip(side[0], told[1], strict=True)) for side in (own, both)]
        assert pytest.approx(2 * (best[1] - best[0]), abs=0.01) == LR
        assert sure == pytest.approx(2 * (max(both[0]) - max(own[0])), abs=0.01)
        assert echo.value in [pytest.approx(one, abs=0.01) for one in both[0]]
        np.testing.assert_allclose(sides.of_rho(1), np.array(told[0], float), atol=0.01)
        every = np.array(told[0], float) + np.array(told[1], float) - np.array(before, float)
        np.testing.assert_allclose(sides.of_rho(), every, atol=0.01)


class TestPeopleAlone:
    JUDGED = (
        *(("a", w, "x") for w in "uvw"),  # all agree
        *(("b", w, k) for w, k in zip("uvw", "xxy", strict=True)),  # divided
        *(("c", w, k) for w, k in zip("uvw", "xyz", strict=True)),  # tied
        *(("d", w, k) for w, k in zip("uv", "xy", strict=True)),
        ("e", "u", "y"),
    )

    def test_what_an_echo_says(self) -> None:
        judgments, votes = voted([(i, "m", "x") for i in "abcdef"], ("x", "y", "z")).align(encoded(self.JUDGED), None)
        items = votes_people.tested(judgments, votes, None)
        assert items.tolist() == [0, 1, 2, 3]
        gold = AlignedGold(np.array([2, 4], np.int32), np.array([[True, True, False], [False, False, True]]), {})
        items = votes_people.tested(judgments, votes, gold)
        assert items.tolist() == [0, 1, 2, 3, 4]
        h = np.tile([0.6, 0.2, 0.2], (2, 5, 1))
        alone = votes_people.of(judgments, gold, items, h)
        third = 1 / 3
        leads = np.array([[1.0, 0, 0], [1, 0, 0], [third] * 3, [0.5, 0.5, 0], [0, 1, 0]])
        np.testing.assert_allclose(alone.leads, leads)
        assert alone.several.tolist() == [True] * 4 + [False]
        assert alone.gold.tolist() == [False, False, True, False, True]
        assert alone.divided.tolist() == [False, True, False, False, False]
        assert len(alone.h) == 4  # of few workers also as if all were equally good
        for h_of_rho in alone.h[:2]:
            np.testing.assert_allclose(h_of_rho[[0, 2, 4]], np.array([[0.6, 0.2, 0.2], [0.75, 0.25, 0], [0, 0, 1]]))

    def test_of_few_workers_also_as_if_all_were_equally_good(self, monkeypatch: pytest.MonkeyPatch) -> None:
        judgments = encoded(self.JUDGED)
        given = votes_people.counts(judgments, np.arange(5))
        h = np.full((5, 3), 0.2) + 0.4 * np.eye(3)[[0, 0, 1, 2, 1]]
        found = votes_people.alike(given, h)
        assert found.max(axis=1).mean() == pytest.approx(0.6)
        one = np.log(found[0, 0] / found[0, 1]) / 3  # log odds that one judgment adds
        expected = np.exp(one * given)
        np.testing.assert_allclose(found, expected / expected.sum(axis=1, keepdims=True))
        monkeypatch.setattr(votes_people, "FEW_WORKERS", 3)
        assert votes_people.of(judgments, None, np.arange(5), h[None]).h.tolist() == [h.tolist()]

    def test_of_many_items_those_with_the_smallest_hashes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whatever else is in the data; and people are fitted on these alone."""
        drawn = contested(2, 120)
        monkeypatch.setattr(votes_people, "MOST_ITEMS", 60)
        monkeypatch.setattr(votes_people, "MOST_TESTED", 55)
        names = []
        for n in (120, 80):
            few = drawn.judgments.subset(drawn.judgments.item < n)
            judgments, votes = echoing(few, 0.0).align(few, None)
            items = votes_people.tested(judgments, votes, None)
            assert len(items) == 60
            few_items = votes_people.by_hash(judgments, items, 10)
            assert len(few_items) == 10
            assert set(few_items) <= set(items)
            assert (np.diff(few_items) > 0).all()
            names.append(set(judgments.item_ids.take(items).to_pylist()))
        assert len(names[0] & names[1]) >= 35
        result = fit(drawn.judgments, model_votes=echoing(drawn.judgments, 0.0), rho=0.3)
        assert result.models is not None
        assert result.models.echoes.share[0] > 0.5

    def test_the_vote_of_an_echo(self) -> None:
        """By people's leading label, or none where nobody judged."""
        judgments, votes = voted([(i, "m", "x") for i in "abcdef"], ("x", "y", "z")).align(encoded(self.JUDGED), None)
        echoes = replace(Echoes.none(1), share=np.array([0.8]), astray=np.array([0.3]))
        found = votes_echo.echoed(votes, judgments, echoes, np.arange(6))
        T = np.array([1, 1, 1 / 3, 0.5, 0])
        np.testing.assert_allclose(found, [*(0.8 * (0.7 * T + 0.1)), 0.8 / 3])
        assert votes_echo.echoed(votes, judgments, Echoes.none(1), np.arange(6)).tolist() == [0] * 6


class TestIsEcho:
    @pytest.mark.parametrize(("LR", "e"), [(2.0, 0.1), (6.5, 0.3), (12.0, 0.5), (30.0, 0.45)])
    def test_the_mean_likelihood_over_e_against_that_without(self, LR: float, e: float) -> None:
        """Quadratic through no gain at e = 0 and LR / 2 at the best; one model in five is an echo before."""
        grid = np.linspace(-3.0, 3.0, 60_001)
        likelihood = np.exp(LR / 2 * (1 - (grid / e - 1) ** 2))
        mean = float(likelihood.sum() * (grid[1] - grid[0]))  # what lies outside of 0 to 1 is little
        assert votes_echo.is_echo(LR, e) == pytest.approx(mean / (mean + 4.0), rel=1e-3)

    def test_bounds(self) -> None:
        assert votes_echo.is_echo(1e-9, 0.1) == pytest.approx(0.2)  # nothing is told
        assert votes_echo.is_echo(-2.0, 0.1) == pytest.approx(np.exp(-1) / (np.exp(-1) + 4))
        assert votes_echo.is_echo(0.0, 0.0) == pytest.approx(0.2)
        assert votes_echo.is_echo(3.0, 0.0) < 1e-200
        assert votes_echo.is_echo(4000.0, 0.9) == 1.0


class TestFound:
    def test_nothing_where_nothing_tells(self) -> None:
        _, votes = voted([("a", "m", "x")]).align(encoded([("a", "v", "x"), ("a", "w", "x")]), None)
        every = ~NONE
        for alone in (None, PeopleAlone(np.arange(1), np.ones((4, 1, 1)), np.ones((1, 1)), every, NONE, NONE)):
            found, rho = votes_echo.found(votes, alone, every)
            assert rho == 0
            assert np.isnan(found.evidence).all()
            assert (found.share[0], found.accused[0]) == (0, False)

    @pytest.mark.parametrize(
        ("LR", "sure", "e", "divided", "accused"),
        [
            (0.5, 50, 0.12, 60, False),
            (8.1, 50, 0.9, 60, False),
            (20.1, 20.1, 0.35, 50, True),
            (20.1, 20.0, 0.35, 50, False),
            (20.0, 50, 0.35, 50, False),
            (50, 50, 0.34, 50, False),
            (50, 50, 0.9, 49, False),
        ],
    )
    def test_who_is_told(
        self, LR: float, sure: float, e: float, divided: int, accused: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        n = 60
        judgments = encoded([(f"i{i:02}", w, "xy"[i % 2]) for i in range(n) for w in "uvw"])
        judgments, votes = voted([(f"i{i:02}", "m", "x") for i in range(n)]).align(judgments, None)
        told = LR, sure, votes_echo.Fitted(np.eye(2), e, 0.1, 0.0)
        monkeypatch.setattr(votes_echo.Sides, "evidence", lambda *_: told)
        every, h = np.ones(n, np.bool_), np.full((4, n, 2), 0.5)
        alone = PeopleAlone(np.arange(n), h, np.full((n, 2), 0.5), every, np.arange(n) < divided, ~every)
        found, _ = votes_echo.found(votes, alone, ~NONE)
        assert found.evidence.tolist() == [LR]
        assert found.divided.tolist() == [divided]
        probability = votes_echo.is_echo(LR, e)
        assert found.share.tolist() == [probability * e if LR > 1 else 0]
        assert found.astray.tolist() == [0.1 if LR > 1 else 0]
        assert found.probability.tolist() == [probability if LR > 1 else 0]
        assert found.mostly.tolist() == [LR > 10 and e >= 0.35]
        assert found.accused.tolist() == [accused]
        fewer, _ = votes_echo.found(votes, replace(alone, several=np.arange(n) < 49), ~NONE)
        assert np.isnan(fewer.evidence).all()
        assert np.isnan(votes_echo.found(votes, alone, NONE)[0].evidence).all()


@pytest.mark.compiled
def test_what_only_gold_shows_is_told_and_changes_no_label() -> None:
    """Labels that gold calibrates may not depend on it otherwise."""
    drawn = contested(2, 200)
    votes, gold = echoing(drawn.judgments, 0.4, 2), drawn.truth_table(100)
    result, without = fit(drawn.judgments, model_votes=votes, gold=gold), fit(drawn.judgments, model_votes=votes)
    assert warned(without, "copies_majority") is None
    assert result.calibration is not None
    assert result.calibration.before is not None
    assert without.models is not None
    np.testing.assert_array_equal(result.calibration.before.dense(slice(None)), without.posterior)
    warning = warned(result, "copies_majority")
    assert warning is not None
    assert warning.message.startswith('gold shows that "echo" repeats the majority of people in up to 6')
    assert warning.message.endswith("say so with --trained-on-consensus")
    assert warning.values == {"n_models": 1}
    honest = fit(drawn.judgments, model_votes=speaking(drawn.judgments, drawn.truth, "h", 0.8), gold=gold)
    assert warned(honest, "copies_majority") is None


def test_what_looks_from_outside() -> None:
    """Not what is sure to repeat people; of the others, how far they may is the mean over their votes."""
    judgments = encoded([(f"i{i}", w, "xy"[i % 2]) for i in range(4) for w in "vw"])
    rows = [(f"i{i}", m, "x") for m, n in (("a", 4), ("b", 2), ("c", 1)) for i in range(n)]
    judgments, votes = voted(rows, ("x", "y"), {m: m for m in "abc"}).align(judgments, None)
    every, none = np.ones(3, np.bool_), Echoes.none(3)

    def of(*probability: float) -> VotesPrior:
        echoes = replace(none, probability=np.array(probability), share=np.array(probability) / 2)
        return VotesPrior.of(votes, judgments, None, ~every, ~every, every, echoes, Threads(1))

    assert [(of(*p).share_beside, of(*p).doubt) for p in ((0, 0, 0), (0.94, 0, 0), (0.95, 0.3, 0), (1, 1, 1))] == [
        (1.0, 0.0),
        (1.0, pytest.approx(0.94 * 4 / 7)),
        (0.5, pytest.approx(0.2)),
        (0.0, 0.0),
    ]


@pytest.mark.compiled
class TestBesidePeople:
    @pytest.mark.parametrize("kind", ["hard", "soft"])
    def test_a_copy_changes_next_to_nothing(self, kind: str) -> None:
        drawn = contested(1)
        alone = fit(drawn.judgments, rho=0.3)
        result = fit(drawn.judgments, model_votes=majority_votes(drawn.judgments, kind, ("new",)), rho=0.3)
        assert result.models is not None
        assert result.models.echoes.share[0] > 0.9
        assert result.models.known.tolist() == result.models.believed.tolist() == [False]
        assert np.abs(result.posterior[: len(alone.posterior)] - alone.posterior).max() < 0.1
        assert result.posterior[-1].max() < 0.5  # of an item that nobody judged it knows little
        warning = warned(result, "copies_majority")
        assert warning is not None
        assert warning.message.startswith('"copy" repeats the majority of people, even where they were divided, in up ')
        assert "pass --model-tests off" in warning.message
        assert warning.values == {"n_models": 1}
        assert warned(result, "models_unverified") is None

    def test_believed_where_nobody_tests_it(self) -> None:
        """It settles what people leave open, wrongly: that is what the test is for."""
        drawn = simulate(400, 12, 3, 3, accuracy=0.7, seed=3)
        votes = echoing(drawn.judgments, 0.1)
        alone, tested, untested = (
            fit(drawn.judgments, rho=0.3, model_votes=said, model_tests=tests)
            for said, tests in ((None, "auto"), (votes, "auto"), (votes, "off"))
        )
        assert untested.models is not None
        assert np.isnan(untested.models.echoes.evidence).all()
        assert warned(untested, "copies_majority") is None
        assert warned(tested, "copies_majority") is not None
        (n, wrong), (n_alone, wrong_alone) = accepted(tested, drawn), accepted(alone, drawn)
        n_off, wrong_off = accepted(untested, drawn)
        assert n < n_alone + 20
        assert wrong <= wrong_alone + 2
        assert (n_off, wrong_off) > (2 * n, 10)

    def test_where_it_contradicts_people_it_still_counts(self) -> None:
        """Half of its answers are its own."""
        drawn = contested(4, 800)
        echo, honest = echoing(drawn.judgments, 0.0), speaking(drawn.judgments, drawn.truth, "h", 0.9)
        half = np.random.default_rng(1).random(len(echo.label)) < 0.5
        votes = replace(echo, label=np.where(half, echo.label, honest.label))
        result, alone = fit(drawn.judgments, model_votes=votes, rho=0.3), fit(drawn.judgments, rho=0.3)
        assert result.models is not None
        assert result.models.echoes.share[0] == pytest.approx(0.5, abs=0.15)
        right = [(one.consensus_label == drawn.truth).mean() for one in (result, alone)]
        assert right[0] > right[1] + 0.03

    def test_a_model_that_looks_for_itself_is_no_copy(self) -> None:
        drawn = contested(1)
        result = fit(drawn.judgments, model_votes=speaking(drawn.judgments, drawn.truth, "h", 0.95), rho=0.3)
        assert result.models is not None
        assert result.models.echoes.share.tolist() == [0]
        assert warned(result, "copies_majority") is None
        few = contested(1, 40)
        result = fit(few.judgments, model_votes=majority_votes(few.judgments, "hard"), rho=0.3)
        assert warned(result, "copies_majority") is None  # too few items to tell

    def test_two_people_an_item_accuse_nobody(self) -> None:
        drawn = simulate(600, 10, 3, 2, accuracy=0.75, seed=5)
        result = fit(drawn.judgments, model_votes=echoing(drawn.judgments, 0.05), rho=0.3)
        assert result.models is not None
        assert result.models.echoes.mostly.tolist() == [True]
        assert warned(result, "copies_majority") is None
        (rating,) = model_ratings.rate(result)
        reason = models_table.reason(rating, result.models, 0)
        assert reason.startswith("repeats the majority of people in 9")
        assert "so that agreeing with it tells next to nothing; that cannot be told from a model that errs on" in reason

    def test_worth_beside_people(self) -> None:
        """What it repeats adds nothing; what it is rated by is how often it is right."""
        drawn = contested(1, 600)
        votes = echoing(drawn.judgments, 0.1)
        result, believed = (fit(drawn.judgments, model_votes=votes, rho=0.3, model_tests=on) for on in ("auto", "off"))
        (echo,), (taken,) = model_ratings.rate(result), model_ratings.rate(believed)
        assert echo.information < 0.15 * taken.information
        assert echo.accuracy == pytest.approx(taken.accuracy, abs=0.05)
        assert result.models is not None
        own = (1 - result.models.echoes.share[0]) * result.models.weights.Cm[0]
        e, nu = result.models.echoes.share[0], result.models.echoes.astray[0]
        shares, told = result.prior_shares, 0.0
        for t in range(3):
            channel = own + e * nu / 3 + e * (1 - nu) * (np.arange(3) == t)
            named = shares @ channel
            told += shares[t] * sum(shares[k] * channel[k, v] * np.log(channel[k, v] / named[v])
                                    for k in range(3) for v in range(3))  # fmt: skip
        assert echo.information == pytest.approx(told, rel=1e-6)

    def test_less_than_mostly(self) -> None:
        drawn = contested(1)
        result = fit(drawn.judgments, model_votes=echoing(drawn.judgments, 0.1), rho=0.3)
        assert result.models is not None
        (rating,) = model_ratings.rate(result)
        some = replace(result.models.echoes, mostly=NONE, share=np.array([0.2]))
        assert "in 20% of its votes, so that agreeing with it tells less; only the label" in models_table.reason(
            rating, replace(result.models, echoes=some), 0
        )
