"""Loops over votes of models against their naive twins, on random small votes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.backends import Threads
from consensus.inputs.gold import AlignedGold
from consensus.inputs.judgments import Judgments
from consensus.inputs.model_doubts import Echoes
from consensus.inputs.model_votes import AlignedVotes, Weights
from consensus.kernels import SMALLEST, em
from consensus.kernels import votes_loops as kernels
from consensus.models import votes_contact, votes_prior
from consensus.models.dense_layout import Rows
from consensus.models.priors import VotedPriors
from consensus.models.problem import Problem
from consensus.models.votes_families import one_coin_of_agreement
from consensus.models.votes_prior import VotesPrior
from tests import naive_votes
from tests.strategies import encoded, examples, tables, voted, voted_crowds

ONE = Threads(1)
small = examples(60)
Case = tuple[Judgments, AlignedVotes, dict[int, set[int]]]


def laid_out(
    case: Case, believed: list[bool] | None = None, circular: list[bool] | None = None, echo: int = 0
) -> tuple[VotesPrior, naive_votes.Spoken]:
    """The votes as EM uses them, and as the twin does; every model is believed unless told otherwise.

    From an ``echo`` of 1 on, models repeat the majority of people as often as this seed says.
    """
    judgments, votes, accepted = case
    believed, circular = believed or [True] * votes.n_models, circular or [False] * votes.n_models
    gold = gold_of(accepted, judgments.n_labels) if accepted else None
    echoes = Echoes.none(votes.n_models)
    if echo:
        rng = np.random.default_rng(echo)
        echoes.share[:] = rng.uniform(0, 1, votes.n_models) * (rng.random(votes.n_models) < 0.7)
        echoes.astray[:] = rng.uniform(0.001, 0.5, votes.n_models)
    every = np.ones(votes.n_models, np.bool_)
    found = VotesPrior.of(votes, judgments, gold, np.array(believed), np.array(circular), every, echoes, ONE)
    e_and_nu = list(zip(echoes.share.tolist(), echoes.astray.tolist(), strict=True))
    return found, naive_votes.spoken(votes, judgments, believed, circular, e_and_nu)


def gold_of(accepted: dict[int, set[int]], n_labels: int) -> AlignedGold:
    items = np.array(sorted(accepted), np.int32)
    mask = np.array([[k in accepted[i] for k in range(n_labels)] for i in items.tolist()], np.bool_)
    return AlignedGold(items, mask.reshape(len(items), n_labels), {})


def random_weights(votes: VotesPrior, seed: int) -> Weights:
    rng = np.random.default_rng(seed)
    K, M, F = votes.n_labels, votes.n_models, len(votes.alone)
    return Weights(
        weight=rng.uniform(0, 2, 1 + M),
        log_shares=np.log(rng.dirichlet(np.full(K, 3.0))),
        Cm=rng.dirichlet(np.full(K, 0.7), (M, K)) * 0.99 + 0.01 / K,
        CF=rng.dirichlet(np.full(K, 0.7), (F, K)) * 0.99 + 0.01 / K,
    )


def problem_of(case: Case, votes: VotesPrior) -> Problem:
    judgments, _, accepted = case
    prior_row = np.zeros(judgments.n_items, np.int32)
    prior_row[sorted(accepted)] = np.arange(1, len(accepted) + 1)
    mask = gold_of(accepted, judgments.n_labels).accepted
    A = np.ones((judgments.n_labels,) * 2)
    rows = Rows.of(judgments, ONE)
    return Problem(judgments, rows, rows, mask, prior_row, "fixed", A, 1, 1e-9, votes=votes)


flags = st.lists(st.booleans(), min_size=5, max_size=5)  # of up to five models
seeds = st.integers(0, 2**32 - 1)


@small
@given(st.data(), voted_crowds(max_labels=6), seeds, flags, flags)
def test_priors(data: st.DataObject, case: Case, seed: int, believed: list[bool], circular: list[bool]) -> None:
    """Soft, hard and mixed, families and models alone, circular ones, echoes; the scale that makes up the evidence."""
    n_models = case[1].n_models
    votes, said = laid_out(case, believed[:n_models], circular[:n_models], seed % 3)
    weights, pi = random_weights(votes, seed), data.draw(tables(case[0].n_labels))
    out = np.full((len(votes.item), max(votes.n_labels, 4)), 7.0)
    log_scale = votes.priors(weights, pi, slice(0, len(votes.item)), ONE, out)
    expected = [naive_votes.item_prior(said, i, weights, pi) for i in votes.item.tolist()]
    assert sorted(votes.item.tolist()) == [i for i in range(case[0].n_items) if said.voted(i)]
    for found, joint in zip(out, expected, strict=True):
        np.testing.assert_allclose(found[: votes.n_labels], joint / joint.sum(), rtol=1e-5)  # log_q in float32
        assert (found[votes.n_labels :] == 7).all()
    assert log_scale == pytest.approx(sum(np.log(joint.sum()) for joint in expected), rel=1e-5, abs=1e-5)
    assert [bool(said.soft[i]) for i in votes.item.tolist()] == [r >= votes.first_soft for r in range(len(votes.item))]
    items = np.array(data.draw(st.lists(st.sampled_from(votes.item.tolist()))) if len(votes.item) else [], np.int32)
    place = {i: r for r, i in enumerate(votes.item.tolist())}
    again = votes.of_items(items, weights, pi)
    assert again.shape == (len(items), votes.n_labels)
    assert np.array_equal(again, np.maximum(out[[place[i] for i in items.tolist()], : votes.n_labels], SMALLEST))


@small
@given(st.data(), voted_crowds(max_labels=5), seeds)
def test_em_pass_and_expectations(data: st.DataObject, case: Case, seed: int) -> None:
    """The evidence, the counts, whose mass is that of the class, and the posterior of the voted items; with gold."""
    judgments, _, accepted = case
    votes, said = laid_out(case, echo=seed % 3)
    weights, pi = random_weights(votes, seed), data.draw(tables(judgments.n_labels))
    confusion = data.draw(tables(judgments.n_workers, judgments.n_labels, judgments.n_labels))
    problem = problem_of(case, votes)
    z, log_evidence = naive_votes.posteriors(judgments, said, confusion, weights, pi, accepted)
    rows = problem.rows
    tables_ = rows.tables()
    tables_.C[:, : rows.n_labels] = confusion[rows.worker, :, rows.label]
    priors = VotedPriors(problem, votes)
    made = priors.made(pi, weights, ONE)
    evidence = rows.em_pass(made, tables_, ONE)
    counted = [i for i in range(judgments.n_items) if judgments.per_item[i] or i in accepted or said.voted(i)]
    assert evidence == pytest.approx(log_evidence[counted].sum(), rel=1e-5, abs=1e-5)
    own = [i for i in counted if said.soft[i]]
    np.testing.assert_allclose(tables_.own_mass, z[own].sum(axis=0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(tables_.mass, z[np.setdiff1d(counted, own)].sum(axis=0), rtol=1e-4, atol=1e-6)
    found = rows.expectations(made, votes.item, np.arange(priors.rows.start, priors.rows.stop), tables_, ONE)
    np.testing.assert_allclose(found, z[votes.item], rtol=1e-4, atol=1e-6)
    again = priors.made(pi[::-1].copy(), replace(weights, weight=weights.weight[::-1].copy()), ONE)
    assert priors.made(pi, weights, ONE).log_scale == pytest.approx(made.log_scale)
    assert again.own_from == made.own_from == 1 + len(accepted) + votes.first_soft


def test_expectations_of_items_with_many_judgments() -> None:
    """More than may be multiplied at once."""
    judgments = encoded([(f"i{i}", f"w{w}", f"l{(w * i) % 2}") for i in range(3) for w in range(40)])
    rows, rng = Rows.of(judgments, ONE), np.random.default_rng(1)
    C = np.ascontiguousarray(rng.uniform(0.01, 1, (len(rows.worker), 2)))
    item, priors = np.array([2, 0], np.int32), np.array([[0.3, 0.7, 0], [0.0, 1.0, 0]])
    out = np.empty((2, 2))
    em.expectations(item, rows.item_start, rows.row, C, priors, out)
    for found, i, prior in zip(out, item, priors, strict=True):
        logs = np.log(C[rows.row[judgments.item == i]]).sum(axis=0)
        joint = prior[:2] * np.exp(logs - logs.max())
        np.testing.assert_allclose(found, joint / joint.sum(), rtol=1e-9, atol=1e-300)


@small
@given(voted_crowds(max_labels=5, kinds="soft"), seeds)
def test_weight_terms(case: Case, seed: int) -> None:
    """Value, gradient and curvature, which also are the differences of the value and of the gradient."""
    votes, said = laid_out(case)
    weights, rng = random_weights(votes, seed), np.random.default_rng(seed)
    posterior = rng.dirichlet(np.full(votes.n_labels, 0.5), case[0].n_items)
    z = np.ascontiguousarray(posterior[votes.item])
    n = 1 + votes.n_models
    shares = np.exp(weights.log_shares)

    def terms(weight: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        gradient, upper = np.zeros(n), np.zeros((n, n))
        soft = kernels.Soft(votes.soft_start, votes.soft_model, votes.log_q)
        value = kernels.weight_terms(soft, weight, weights.log_shares, z, np.empty(0), gradient, upper)
        assert (np.tril(upper, -1) == 0).all()
        return float(value), gradient, np.triu(upper) + np.triu(upper, 1).T

    value, gradient, curvature = terms(weights.weight)
    expected, curved = naive_votes.weight_slopes(said, weights.weight, shares, posterior)
    assert value == pytest.approx(naive_votes.weight_value(said, weights.weight, shares, posterior), rel=1e-5, abs=1e-5)
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(curvature, curved, rtol=1e-4, atol=1e-4)
    for a in range(n):
        step = 1e-5 * (np.arange(n) == a)
        (above, slope_above, _), (below, slope_below, _) = terms(weights.weight + step), terms(weights.weight - step)
        assert gradient[a] == pytest.approx((above - below) / 2e-5, rel=1e-4, abs=1e-4)
        np.testing.assert_allclose(curvature[a], -(slope_above - slope_below) / 2e-5, rtol=1e-4, atol=1e-4)


@small
@given(voted_crowds(max_labels=5), seeds, flags)
def test_count_families(case: Case, seed: int, believed: list[bool]) -> None:
    votes, said = laid_out(case, believed[: case[1].n_models], echo=seed % 3)
    weights = random_weights(votes, seed)
    posterior = np.random.default_rng(seed).dirichlet(np.full(votes.n_labels, 0.5), case[0].n_items)
    of_models, of_families = np.zeros_like(weights.Cm), np.zeros_like(weights.CF)
    hard = votes._hard(slice(0, len(votes.item)))
    z = np.ascontiguousarray(posterior[votes.item])
    kernels.count_families(hard, weights.Cm, weights.CF, z, of_models, of_families)
    expected_models, expected_families = naive_votes.count_families(said, weights, posterior)
    np.testing.assert_allclose(of_models, expected_models, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(of_families, expected_families, rtol=1e-9, atol=1e-12)
    assert votes.alone.tolist() == [f in said.alone for f in range(len(votes.alone))]
    for f in range(len(votes.alone)):
        assert votes.agreement(f) == naive_votes.agreement(said, f)


@pytest.mark.parametrize("together", [True, False], ids=["one family", "each its own"])
def test_two_thousand_models_do_not_underflow(together: bool) -> None:
    """Each right with .6: half of them say the one label, half and one more the other."""
    names = [f"m{m:04}" for m in range(2001)]
    given = voted([("i", name, f"l{m % 2}") for m, name in enumerate(names)], ("l0", "l1"), dict.fromkeys(names, "f"))
    judgments, votes = (given if together else replace(given, families=given.models)).align(
        encoded([("i", "w", "l0"), ("i", "v", "l1")]), None
    )
    laid, _ = laid_out((judgments, votes, {}))
    accuracy = np.array([[0.6, 0.4], [0.4, 0.6]])
    CF = np.array([[0.9, 0.1], [0.1, 0.9]])
    weights = replace(laid.start, Cm=np.stack([accuracy] * 2001), CF=np.stack([CF] * len(laid.alone)))
    out = np.empty((1, 2))
    logs = laid.priors(weights, np.array([0.5, 0.5]), slice(0, 1), ONE, out)
    u = np.array([0.6, 0.4])  # what the one vote more tells; all others cancel
    joint = 0.5 * (CF @ u if together else u)
    np.testing.assert_allclose(out[0], joint / joint.sum(), rtol=1e-9)
    assert logs == pytest.approx(1000 * np.log(0.24) + np.log(joint.sum()), rel=1e-9)


@pytest.mark.parametrize(("accuracy", "n_labels"), [(0.9, 2), (0.7, 3), (0.8, 10)])
def test_accuracy_that_agreement_supports(accuracy: float, n_labels: int) -> None:
    """Of independent models whose errors are spread evenly it is their accuracy."""
    agree = accuracy**2 + (1 - accuracy) ** 2 / (n_labels - 1)
    found = one_coin_of_agreement(round(agree * 10**9), 10**9, n_labels)
    np.testing.assert_allclose(np.diag(found), accuracy, atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_allclose(one_coin_of_agreement(0, 100, n_labels), 1 / n_labels)
    assert one_coin_of_agreement(10**9, 10**9, n_labels)[0, 0] == pytest.approx(0.99)
    assert one_coin_of_agreement(3, 3, 1).tolist() == [[1.0]]


@small
@given(voted_crowds(), st.booleans())
def test_meetings_with_people(case: Case, repeated: bool) -> None:
    judgments, votes, accepted = case
    if repeated:  # one worker gave all judgments: however many, they are one person
        judgments = replace(judgments, worker=np.zeros_like(judgments.worker), worker_ids=judgments.worker_ids[:1])
    full, single = np.zeros(votes.n_models), np.zeros(votes.n_models)
    for item, model in zip(votes.item.tolist(), votes.model.tolist(), strict=True):
        on = slice(judgments.item_start[item], judgments.item_start[item + 1])
        people = len(set(judgments.worker[on].tolist()))
        if item in accepted or people >= 2:
            full[model] += 1
        elif people:
            single[model] += 1
    gold = gold_of(accepted, judgments.n_labels) if accepted else None
    np.testing.assert_allclose(votes_contact.meetings(votes, judgments, gold, ONE), full + single / 10)


def test_a_step_too_long_is_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model is all but certain, and right of 98 %: from a weight of .5 the longest step leads far past the top."""
    votes = voted([(f"i{i:03}", "m", [1.0, 0.0]) for i in range(100)], ("l0", "l1"))
    judgments = encoded([(f"i{i:03}", "w", f"l{i % 2}") for i in range(100)])
    laid, said = laid_out((*votes.align(judgments, None), {}))
    weights, shares = replace(laid.start, weight=np.array([0.0, 0.5])), np.array([0.5, 0.5])
    posterior = np.tile([0.98, 0.02], (100, 1))
    monkeypatch.setattr(votes_prior, "NEWTON_STEPS", 1)
    better = laid.improved_weight(weights, posterior, ONE).weight
    value = [naive_votes.weight_value(said, np.array([0.0, w]), shares, posterior) for w in (0.0, 0.5, better[1])]
    assert value[0] < value[1] < value[2]
    monkeypatch.setattr(votes_prior, "HALVINGS", 1)
    assert laid.improved_weight(weights, posterior, ONE).weight.tolist() == [0.0, 0.5]
