"""The class prior: what majority labels count for where judgments say little."""

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus import FitConfig, fit
from consensus.backends import Threads
from consensus.inputs.judgments import Judgments
from consensus.models import class_prior, state_priors
from consensus.models.base import Execution
from consensus.models.class_prior import ClassPrior
from consensus.models.expectation_maximisation import climb
from consensus.models.problem import Problem
from consensus.models.sparse_layout import Cells
from consensus.models.state_priors import StatePrior
from consensus.models.states import States
from consensus.simulation import simulate
from tests import naive_class_prior as naive
from tests.strategies import crowds, encoded, examples, tables

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

ONE = Threads(1)
crowd = examples(30)


def problem_of(judgments: Judgments, **settings: object) -> Problem:
    return Problem.of(judgments, None, FitConfig.of(None, **settings), ONE)


@crowd
@given(st.data(), crowds())
def test_u_is_the_formula(data: st.DataObject, judgments: Judgments) -> None:
    K, problem = judgments.n_labels, problem_of(judgments)
    judged = np.flatnonzero(judgments.per_item).astype(np.int32)
    if K == 1:
        return
    C = data.draw(tables(judgments.n_workers, K, K))
    work = problem.rows.tables()
    work.C[:, :K] = C[problem.rows.worker, :, problem.rows.label]
    assert problem.rows.untold(judged, work, ONE) == pytest.approx(naive.untold(judgments, C, judged.tolist()))


@crowd
@given(st.data(), crowds())
def test_u_beside_very_many_labels_is_the_formula(data: st.DataObject, judgments: Judgments) -> None:
    """Where all labels were given to every item nothing is left for the background: the formula as it stands."""
    K = max(judgments.n_labels, 2)
    everything = encoded([(f"i{i}", f"w{k}", f"l{(i + k) % K}") for i in range(3) for k in range(K)])
    cells = Cells.of(everything, problem_of(everything).rows, None)
    C = data.draw(tables(K, K, K))
    work = cells.tables()
    work.background[:] = -np.inf
    work.left[:] = 0.0
    work.C[:] = np.log(C[np.repeat(np.arange(K), np.diff(cells.worker_start)), cells.true, cells.label])
    items = np.arange(3, dtype=np.int32)
    assert cells.untold(items, work, ONE) == pytest.approx(naive.untold(everything, C, items.tolist()))


def test_labels_that_nobody_gave_the_item_are_in_u() -> None:
    """One judgment that says nothing: its label and three others are as likely."""
    judgments = encoded([("i0", "w0", "a")]).with_labels(["a", "b", "c", "d"])
    cells = Cells.of(judgments, problem_of(judgments).rows, None)
    work = cells.tables()
    work.C[:] = np.log(0.25)
    work.left[:] = 0.6
    work.background[:] = np.log(0.6) + np.log(0.25)
    assert cells.untold(np.array([0], np.int32), work, ONE) == pytest.approx(1.0)


def test_majority_labels_count_by_what_judgments_leave_open() -> None:
    judgments = encoded([(f"i{i}", f"w{w}", "a" if i < 3 else "b") for i in range(4) for w in range(3)])
    problem = problem_of(judgments)
    work = problem.layout.tables()
    prior = ClassPrior(problem, work, ONE)
    np.testing.assert_allclose(work.mass, [3.0, 1.0])
    np.testing.assert_allclose(prior.pseudo_items, 1 + 0.5 * 0.5 * np.array([3.0, 1.0]))
    mass = np.array([2.0, 2.0])
    total = mass + prior.pseudo_items
    np.testing.assert_allclose(prior.shares(mass), total / total.sum())


@pytest.mark.parametrize("prior", ["learnt", "fixed"])
def test_density_of_the_class_prior(prior: str) -> None:
    """Log Dirichlet(pi; 2 + s U V), with s = U = .5."""
    judgments = encoded([(f"i{i}", f"w{w}", "abc"[max(i - 3, 0)]) for i in range(6) for w in range(3)])
    problem = problem_of(judgments, prior=prior)
    of_class = ClassPrior(problem, problem.layout.tables(), ONE)
    pi, alpha = np.array([0.5, 0.3, 0.2]), 2 + 0.25 * np.array([4.0, 1.0, 1.0])
    expected = math.lgamma(alpha.sum()) + sum(
        (a - 1) * math.log(p) - math.lgamma(a) for a, p in zip(alpha, pi, strict=True)
    )
    assert of_class.log_density(pi) == pytest.approx(expected, rel=1e-12)
    assert class_prior.log_density(pi, 1.0) == pytest.approx(math.lgamma(6) + np.log(pi).sum(), rel=1e-12)


def test_u_is_looked_at_every_third_pass_until_it_settles() -> None:
    judgments = simulate(200, 20, 3, 3, seed=1).judgments
    problem = problem_of(judgments)
    work = problem.layout.tables()
    prior = ClassPrior(problem, work, ONE)
    for sure, iteration in ((0.9, 0), (0.9, 1), (0.9, 2)):
        work.C[:] = sure
        prior.look(iteration, work, ONE)
        np.testing.assert_allclose(prior.pseudo_items, 1 + 0.25 * prior._votes)  # not its time
    rows = problem.rows
    work.C[:, :3] = np.where(np.arange(3) == rows.label[:, None], 1.0, 1e-9)
    prior.look(3, work, ONE)
    once = prior.pseudo_items
    assert (once < 1 + 0.1 * prior._votes).all()
    assert not prior.settled
    prior.look(6, work, ONE)
    assert prior.settled
    work.C[:] = 1.0
    prior.look(9, work, ONE)
    np.testing.assert_allclose(prior.pseudo_items, once, rtol=0.01)


def test_a_sample_of_very_many_items_stands_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    judgments = simulate(300, 20, 3, 3, seed=1).judgments
    problem = problem_of(judgments)
    monkeypatch.setattr(class_prior, "MOST_ITEMS", 100)
    prior = ClassPrior(problem, problem.layout.tables(), ONE)
    assert prior._items.tolist() == list(range(0, 300, 3))
    problem = replace(problem, prior_row=np.where(np.arange(300) < 150, 1, 0).astype(np.int32))
    assert (ClassPrior(problem_of(judgments), problem.layout.tables(), ONE)._items < 300).all()


def test_maximum_likelihood_has_no_class_prior() -> None:
    judgments = simulate(100, 10, 3, 3, seed=1).judgments
    problem = problem_of(judgments, prior="none")
    prior = ClassPrior(problem, problem.layout.tables(), ONE)
    np.testing.assert_allclose(prior.shares(np.array([1.0, 2.0, 1.0])), [0.25, 0.5, 0.25])
    np.testing.assert_allclose(prior.shares(np.zeros(3)), np.full(3, 1 / 3))
    assert prior.log_density(np.full(3, 1 / 3)) == 0.0
    assert prior.settled


@pytest.mark.parametrize("prior", ["learnt", "fixed"])
def test_the_objective_never_falls_once_it_is_frozen(prior: str) -> None:
    found = climb(problem_of(simulate(300, 20, 3, 2, seed=3).judgments, prior=prior), None, Execution(ONE)).convergence
    assert found.frozen_at > 0
    assert (np.diff(found.objective[found.frozen_at :]) >= -1e-9).all()


def test_passes_learn_until_u_has_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    settled = []

    class Watched(ClassPrior):
        def look(self, *of: Any) -> None:
            super().look(*of)
            settled.append(self.settled)

    monkeypatch.setattr("consensus.models.expectation_maximisation.ClassPrior", Watched)
    drawn = simulate(300, 20, 3, 2, seed=3).judgments
    frozen_at = climb(problem_of(drawn, prior="fixed"), None, Execution(ONE)).convergence.frozen_at
    assert frozen_at >= 2 * class_prior.EVERY
    assert settled == [False] * frozen_at + [True]


@pytest.mark.compiled
def test_few_judgments_an_item_do_not_let_one_label_take_all() -> None:
    """Two judgments an item, workers right on 60 %, labels of 40, 30, 20 and 10 %: the shares stay near."""
    planted = np.array([0.4, 0.3, 0.2, 0.1])
    drawn = [simulate(400, 40, 4, 2, accuracy=0.6, prior=planted, seed=seed).judgments for seed in range(4)]
    assert max(np.abs(fit(judgments).prior_shares - planted).max() for judgments in drawn) < 0.15


@pytest.mark.parametrize("prior", ["learnt", "fixed", "none"])
def test_states_are_held_but_under_maximum_likelihood(prior: str) -> None:
    of_labels = SimpleNamespace(pseudo_items=1.0, mixes=None)
    problem: Any = SimpleNamespace(states=States(2, 2), of_labels=of_labels, prior=prior)
    found, mixes = state_priors.of(problem)
    assert mixes is None
    mass = np.array([1.0, 2.0, 2.0, 0.0])
    shares = [4 / 7 / 3, 4 / 7 * 2 / 3, 3 / 7, 0.0] if prior == "none" else [8 / 35, 12 / 35, 9 / 28, 3 / 28]
    np.testing.assert_allclose(found.shares(mass), shares)
    assert (found.log_density(np.array([0.1, 0.2, 0.3, 0.4])) == 0.0) == (prior == "none")


def test_states_without_any_item_are_even() -> None:
    prior = StatePrior(States(2, 2), 0.0, holds=False)
    np.testing.assert_allclose(prior.shares(np.zeros(4)), np.full(4, 0.25))
    np.testing.assert_allclose(prior.shares(np.array([1.0, 3.0, 2.0, 2.0])), np.array([1.0, 3.0, 2.0, 2.0]) / 8)
