"""Workers whose accuracy a fit takes as given."""

from types import SimpleNamespace

import numpy as np

from consensus import simulate
from consensus.backends import Threads
from consensus.config import FitConfig
from consensus.inputs.gold import AlignedGold
from consensus.models.base import Execution
from consensus.models.bounds import Bounds
from consensus.models.expectation_maximisation import climb
from consensus.models.held import Held
from consensus.models.problem import Problem, posed
from consensus.models.states import States
from tests import naive

LOCAL = Threads(1)


def problem() -> Problem:
    return Problem.of(simulate(60, 6, 3, 4, seed=2).judgments, None, FitConfig(), LOCAL)


def test_those_who_are_held_teach_nothing() -> None:
    posed_ = problem()
    held = np.arange(6) < 2
    tables = SimpleNamespace(N=np.ones((len(posed_.rows.worker), 3)), n=np.ones((6, 3)))
    Bounds(np.full(6, 0.5), held).hide(posed_, tables)
    assert (tables.N.sum(axis=1) == np.where(held[posed_.rows.worker], 0.0, 3.0)).all()
    assert tables.n.sum(axis=1).tolist() == [0.0, 0.0, 3.0, 3.0, 3.0, 3.0]


def test_their_judgments_count_by_one_coin_also_over_states() -> None:
    posed_ = problem()
    rows, held, accuracy = posed_.rows, np.arange(6) == 4, np.linspace(0.1, 0.9, 6)
    for states in (None, States(3, 2)):
        width = 3 if states is None else 6
        fake = SimpleNamespace(rows=rows, states=states, layout=SimpleNamespace(n_labels=width))
        tables = SimpleNamespace(C=np.full((len(rows.worker), width), -1.0))
        Bounds(accuracy, held).hold(fake, tables)  # type: ignore[arg-type]
        for r, (w, label) in enumerate(zip(rows.worker, rows.label, strict=True)):
            expected = [accuracy[4] if k == label else (1 - accuracy[4]) / 2 for k in range(3)]
            expected = expected if states is None else np.repeat(expected, 2).tolist()
            np.testing.assert_allclose(tables.C[r], expected if w == 4 else -1.0)


def test_a_fit_in_which_all_are_held_is_one_e_step_by_their_coins() -> None:
    drawn = simulate(60, 6, 3, 4, seed=2)
    judgments = drawn.judgments
    known = AlignedGold(np.zeros(1, np.int32), np.eye(3, dtype=bool)[:1], {})
    accuracy = np.linspace(0.4, 0.9, 6)
    held = Held(known, begins=True, bounds=Bounds(accuracy, np.ones(6, bool)))
    settings = FitConfig(prior="fixed")
    posed_, _ = posed(judgments, None, None, settings, LOCAL, held=held)
    assert posed_.bounds is held.bounds
    estimate = climb(posed_, None, Execution(LOCAL))
    confusion = np.array([[[a if k == j else (1 - a) / 2 for j in range(3)] for k in range(3)] for a in accuracy])
    expected, _ = naive.posteriors(judgments, confusion, estimate.pi)
    np.testing.assert_allclose(estimate.posterior(posed_, LOCAL), expected, rtol=1e-9)
