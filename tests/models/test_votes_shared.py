"""Families of models that share mistakes: what is found, and what is said."""

from dataclasses import replace

import numpy as np
import pytest

from consensus import fit
from consensus.found.result import framed
from consensus.inputs.gold import AlignedGold
from consensus.inputs.model_doubts import Echoes
from consensus.inputs.model_votes import ModelVotes
from consensus.models import votes_people, votes_shared
from consensus.models.votes_people import PeopleAlone
from consensus.simulation import Simulation, simulate, simulate_votes
from consensus.votes_audit import models_table
from consensus.worker_audit import WorkerAudit
from tests import naive_votes
from tests.models.test_votes_prior import warned
from tests.strategies import encoded, voted

pytestmark = [pytest.mark.usefixtures("by_dawid_skene"), pytest.mark.compiled]


def panel(drawn: Simulation, n: int = 4, shared: float = 0.9, accuracy: float = 0.8, families: int = 4) -> ModelVotes:
    """Models whose mistakes are one and the same, declared as so many families."""
    votes = simulate_votes(drawn, n, accuracy=accuracy, shared=shared, seed=3)
    names = tuple(f"f{m % families}" for m in range(n))
    return replace(votes, families=names)


@pytest.mark.parametrize("seed", range(5))
def test_agreement_beyond_what_is_expected(seed: int) -> None:
    """With and without echoes, and where one did not vote."""
    rng, n, K = np.random.default_rng(seed), 40, 3
    h = rng.dirichlet(np.full(K, 0.5), (1, n))
    T = np.eye(K)[rng.integers(0, K, n)]
    alone = PeopleAlone(np.arange(n), h, T, *(np.arange(n) < one for one in (n, 0, 0)))
    rows = [(f"i{i:02}", m, f"l{rng.integers(K)}") for i in range(n) for m in "ab" if rng.random() < 0.8]
    rows += [("new", "a", "l0"), ("new", "b", "l1"), ("new", "c", "l2")]
    _, votes = voted(rows, ("l0", "l1", "l2"), {"a": "a", "b": "b", "c": "c"}).align(
        encoded([(f"i{i:02}", "w", f"l{i % K}") for i in range(n)]), None
    )
    echoes = Echoes.none(3)
    if seed:
        echoes.share[:2] = [0.6, 0.5 * (seed > 2)]
        echoes.astray[:2] = [0.2, 0.4]
    voters = [votes_shared.Voter(votes, alone, echoes, m) for m in range(3)]
    assert (voters[2].label == -1).all()
    agreement = votes_shared.Agreement(n)
    agreement.add(voters[0], voters[1], alone)
    labels = voters[0].label.tolist(), voters[1].label.tolist()
    C = np.stack([one.C for one in voters[:2]])
    e_and_nu = list(zip(echoes.share[:2].tolist(), echoes.astray[:2].tolist(), strict=True))
    expected = naive_votes.agreement_beyond(h[0], T, labels, C, e_and_nu)
    assert (agreement.beyond.sum(), agreement.variance, agreement.room) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("S", "variance", "room", "pooled", "shared"),
    [
        (10.01, 4.0, 25.0, False, True),
        (9.99, 4.0, 24.0, False, False),  # z
        (10.01, 4.0, 25.1, False, False),  # excess
        (30.01, 0.0, 200.0, True, True),
        (30.01, 0.0, 200.1, True, False),
        (0.0, 0.0, 0.0, False, False),
    ],
)
def test_what_is_enough(S: float, variance: float, room: float, pooled: bool, shared: bool) -> None:
    """Beside people z = 5 and excess = .4, beside gold alone z = 3 and .15, by the spread over items."""
    agreement = votes_shared.Agreement(100)
    agreement.beyond[:] = S / 100
    agreement.variance, agreement.room = variance, room
    assert agreement.shared(pooled) == shared


def test_pooled_by_the_spread_over_items() -> None:
    agreement = votes_shared.Agreement(100)
    agreement.room = 20.0
    agreement.beyond[:9] = 1.0
    assert agreement.shared(pooled=True)  # 9 / sqrt(9) = 3
    agreement.beyond[8] = 0.0
    assert not agreement.shared(pooled=True)
    agreement.room = (8 + 2 * 8**0.5) / 0.15 - 0.01
    assert agreement.open
    agreement.room += 0.02
    assert not agreement.open


class TestMerged:
    def test_by_pairs_beside_people(self) -> None:
        """Two that are wrong on the same sixth of 120 items, and one that is wrong on another."""
        truth = np.arange(120) % 2
        wrong = {"a": np.arange(120) < 20, "b": np.arange(120) >= 100, "c": np.arange(120) < 20}
        rows = [(f"i{i:03}", m, f"l{truth[i] ^ wrong[m][i]}") for i in range(120) for m in "abc"]
        judgments = encoded([(f"i{i:03}", w, f"l{truth[i]}") for i in range(120) for w in "vw"])
        _, votes = voted(rows, families={m: m for m in "abc"}).align(judgments, None)
        every = np.ones(120, np.bool_)
        alone = PeopleAlone(np.arange(120), np.eye(2)[None, truth], np.eye(2)[truth], every, ~every, ~every)
        shared = votes_shared.found(votes, alone, Echoes.none(3), np.ones(3, np.bool_))
        assert shared.merged == (("a", "c"),)
        assert votes_shared.merged(votes, shared).family_names == ("a + c", "b", "a + c")
        two = votes_shared.found(votes, alone, Echoes.none(3), np.array([True, True, False]))
        assert two.merged == ()
        assert votes_shared.merged(votes, two) is votes

    @pytest.mark.compiled
    def test_families_that_share_mistakes_count_as_one(self) -> None:
        drawn = simulate(600, 12, 3, 3, accuracy=0.75, seed=1)
        votes = panel(drawn)
        result = fit(drawn.judgments, model_votes=votes, rho=0.3)
        one = fit(drawn.judgments, model_votes=panel(drawn, families=1), rho=0.3)
        declared = fit(drawn.judgments, model_votes=votes, rho=0.3, model_tests="off")
        assert result.models is not None
        names = tuple(result.models.votes.models)
        assert result.models.shared.declared == ("f0", "f1", "f2", "f3")
        assert result.models.shared.merged == (names,)
        assert result.models.votes.family_names == ("f0 + f1 + f2 and 1 more",) * 4
        assert np.array_equal(result.posterior, one.posterior)
        wrong = [(each.consensus_label != drawn.truth).mean() for each in (result, declared)]
        assert wrong[0] < wrong[1] - 0.03
        warning = warned(result, "families_share_mistakes")
        assert warning is not None
        assert warning.message.startswith(f'"{names[0]}", "{names[1]}", "{names[2]}" and 1 more models make the same ')
        assert "name one family for them in the column family" in warning.message
        assert "--model-tests off" in warning.message
        assert warning.values == {"n_models": 4}
        assert declared.models is not None
        assert declared.models.votes.family_names == ("f0", "f1", "f2", "f3")
        assert warned(declared, "families_share_mistakes") is None
        assert warned(one, "families_share_mistakes") is None
        table = framed(models_table.table(WorkerAudit(result)))
        assert table["family"][0] == "f0 + f1 + f2 and 1 more"
        assert table["declared_family"][0] == "f0"
        assert framed(models_table.table(WorkerAudit(one)))["declared_family"].isna().all()

    @pytest.mark.compiled
    def test_only_those_that_do(self) -> None:
        """Two and two, and one that errs alone, whatever the order."""
        drawn = simulate(900, 12, 3, 4, accuracy=0.8, seed=2)
        pairs = [simulate_votes(drawn, 2, accuracy=0.8, shared=1.0, seed=s) for s in (1, 2)]
        single = simulate_votes(drawn, 1, accuracy=0.8, seed=4)
        items, labels = drawn.judgments.item_ids.to_pylist(), drawn.judgments.labels
        said = {"a": pairs[0], "c": pairs[1], "d": pairs[0], "e": pairs[1], "b": single}
        rows = [(item, m, labels[v.label[v.item == i][0]]) for m, v in said.items() for i, item in enumerate(items)]
        votes = voted(rows, labels, {m: m for m in said})
        result = fit(drawn.judgments, model_votes=votes, rho=0.3)
        assert result.models is not None
        assert result.models.shared.merged == (("a", "d"), ("c", "e"))
        assert result.models.votes.family_names == ("a + d", "b", "c + e", "a + d", "c + e")

    @pytest.mark.parametrize("shared", [0.0, 0.9])
    def test_by_gold_alone(self, shared: float) -> None:
        """All pairs together; one pair has too few mistakes."""
        drawn = simulate(600, 12, 3, 3, accuracy=0.75, seed=1)
        gold = drawn.truth_table(200)
        result = fit(None, model_votes=panel(drawn, shared=shared), gold=gold, rho=0.3)
        assert result.models is not None
        assert [len(group) for group in result.models.shared.merged] == [4] * (shared > 0)
        assert not result.models.shared.untested
        few = fit(None, model_votes=panel(drawn, shared=0.0), gold=drawn.truth_table(10), rho=0.3)
        assert few.models is not None
        assert few.models.shared.untested  # ten gold items can't tell
        assert warned(few, "families_untested") is not None

    def test_by_gold_that_the_fit_does_not_see(self) -> None:
        """It tells, and changes no label: those that gold calibrates may not depend on it otherwise."""
        drawn = simulate(600, 12, 3, 3, accuracy=0.75, seed=1)
        votes, gold = panel(drawn), drawn.truth_table(200)
        result, without = fit(None, model_votes=votes, gold=gold), fit(None, model_votes=votes)
        assert warned(without, "families_untested") is not None
        assert result.calibration is not None
        assert result.calibration.before is not None
        np.testing.assert_array_equal(result.calibration.before.dense(slice(None)), without.posterior)
        assert warned(result, "families_untested") is None
        assert result.models is not None
        assert result.models.by_gold is not None
        assert result.models.by_gold.shared.merged == (tuple(votes.models),)
        assert result.models.shared.merged == ()
        warning = warned(result, "families_share_mistakes")
        assert warning is not None
        assert warning.message.startswith(f'gold shows that "{votes.models[0]}", ')
        assert "they still count apart: labels that" in warning.message
        honest = fit(None, model_votes=panel(drawn, shared=0.0), gold=gold)
        few = fit(None, model_votes=panel(drawn, shared=0.0), gold=drawn.truth_table(30))
        assert warned(honest, "families_share_mistakes") is warned(honest, "families_untested") is None
        assert warned(few, "families_untested") is not None
        assert warned(fit(None, model_votes=votes, gold=gold, model_tests="off"), "families_share_mistakes") is None

    def test_beside_people_gold_that_the_fit_does_not_see(self) -> None:
        """What people tell already is not told again."""
        drawn = simulate(600, 12, 3, 3, accuracy=0.75, seed=1)
        result = fit(drawn.judgments, model_votes=panel(drawn), gold=drawn.truth_table(60))
        assert result.models is not None
        assert result.models.by_gold is not None
        assert result.models.by_gold.shared.merged == result.models.shared.merged != ()
        told = [one.message for one in result.warnings if one.code == "families_share_mistakes"]
        assert len(told) == 1
        assert "so they count as one" in told[0]

    @pytest.mark.parametrize("judged", [0, 40])
    @pytest.mark.parametrize("n_gold", [12, 24, 100])
    def test_models_that_are_right_share_no_mistakes(self, judged: int, n_gold: int) -> None:
        """Nor does a handful of gold items test them, or a handful of items that people judged."""
        said = {f"i{i:03}": f"l{i % 2}" for i in range(120)}
        judged_items = list(said)[: judged or 2]
        people = encoded([(i, w, said[i]) for i in judged_items for w in "vw"[: 1 + (judged > 0)]])
        rows = [(i, m, label) for i, label in said.items() for m in "abc"]
        judgments, votes = voted(rows, families={m: m for m in "abc"}).align(people, None)
        accepted = np.eye(2, dtype=np.bool_)[np.arange(n_gold) % 2]
        gold = AlignedGold(np.arange(n_gold, dtype=np.int32), accepted, {})
        items = votes_people.tested(judgments, votes, gold)
        alone = votes_people.of(judgments, gold, items, np.full((4, len(items), 2), 0.5))
        shared = votes_shared.found(votes, alone.of_rho(0), Echoes.none(3), np.ones(3, np.bool_))
        assert shared.merged == ()
        assert shared.untested

    @pytest.mark.parametrize("families", [1, 4])
    def test_with_neither(self, families: int) -> None:
        drawn = simulate(200, 12, 3, 3, seed=1)
        result = fit(None, model_votes=panel(drawn, families=families), rho=0.3)
        assert result.models is not None
        assert result.models.shared.merged == ()
        assert result.models.shared.untested == (families > 1)
        warning = warned(result, "families_untested")
        assert (warning is None) == (families == 1)
        if warning is not None:
            assert warning.message.startswith("the models have 4 families that should err independently, and nei")
            assert warning.values == {"n_families": 4}

    @pytest.mark.compiled
    def test_honest_families_stay_apart(self) -> None:
        drawn = simulate(600, 12, 3, 3, accuracy=0.75, seed=1)
        result = fit(drawn.judgments, model_votes=panel(drawn, shared=0.0), rho=0.3)
        assert result.models is not None
        assert result.models.shared.merged == ()
        assert result.models.votes.families == ("f0", "f1", "f2", "f3")


def test_of_very_many_pairs_fewer_items(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = simulate(600, 12, 3, 3, accuracy=0.75, seed=1)
    seen, every = [], votes_shared.Agreement.__init__

    def watched(self: votes_shared.Agreement, n_items: int) -> None:
        seen.append(n_items)
        every(self, n_items)

    monkeypatch.setattr(votes_shared.Agreement, "__init__", watched)
    votes, gold = panel(drawn), drawn.truth_table(200)
    for most, n_people, n_gold in ((10**9, 600, 200), (6 * 3 * 150, 150, 100)):
        monkeypatch.setattr(votes_shared, "MOST_CELLS", most)
        seen.clear()
        fit(drawn.judgments, model_votes=votes, rho=0.3)
        assert set(seen) == {n_people}
        seen.clear()
        fit(None, model_votes=votes, gold=gold, rho=0.3, calibration="none")
        assert set(seen) == {n_gold}


def test_how_many_items_models_are_tested_on() -> None:
    assert [votes_people.most_tested(*size) for size in ((3, 14), (10, 14), (50, 14), (3, 200), (1000, 200))] == [
        20_000,
        20_000,
        4_285,
        5_000,
        1_000,
    ]
