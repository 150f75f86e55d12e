"""What the silence of workers with one label says: the equations, the objective, and what follows for labels."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from consensus import audit, escalate, fit, read, read_gold
from consensus.backends import Threads
from consensus.config import FitConfig
from consensus.evaluation import evaluate
from consensus.explanation import explain
from consensus.found.result import Consensus
from consensus.models import starts
from consensus.models.base import Execution
from consensus.models.expectation_maximisation import climb
from consensus.models.problem import Problem
from consensus.models.silences import MOST, Silences
from consensus.simulation import simulate
from consensus.worker_audit.copying.groups_as_one import fit_without_copies
from tests.one_label_crowds import Crowd, Recipe, draw

pytestmark = pytest.mark.compiled  # whole fits; no loop of their own

ONE = Threads(1)
CROWD = draw(Recipe(n_labels=3, largest=0.5, spammers=1), 1)
TO_BE_STOPPED = ["spammer", "adversarial", "careless"]


def posed(crowd: Crowd = CROWD, n_gold: int = 0, **settings: Any) -> Problem:
    judgments = read(crowd.table)
    gold = read_gold(crowd.gold(n_gold)).align(judgments) if n_gold else None
    problem = Problem.of(judgments, gold, FitConfig(**settings), ONE)
    assert problem.one_label is not None
    return problem


def started(problem: Problem) -> tuple[Silences, Any]:
    tables = problem.layout.tables()
    problem.layout.count(starts.usual(problem), problem.prior_row, tables, ONE)
    return Silences(problem, tables), tables


def right(result: Consensus, crowd: Crowd) -> float:
    return evaluate(result.posteriors, read_gold(crowd.truth))[0].accuracy


def test_silences_are_the_equations() -> None:
    problem = posed()
    one = problem.one_label
    assert one is not None
    plain = problem.layout.tables()
    problem.layout.count(starts.usual(problem), problem.prior_row, plain, ONE)
    silences, tables = started(problem)
    N, M, K = plain.n[one.worker], tables.own_mass, 3
    D = np.ones(K)
    for _ in range(200):
        c = np.minimum(N / M * D, MOST)
        D = np.array([1.0 - np.prod([1.0 - c[f, k] for f in range(len(N))]) for k in range(K)])
    expected = np.zeros_like(N)
    for f, label in enumerate(one.label):
        for k in range(K):
            if k != label:
                own = c[f, label] / (1 - c[f, label])
                expected[f, k] = max(M[k] * (1 - c[f, k]) / D[k] * own - N[f, k], 0.0)
    added = tables.n[one.worker] - N
    assert added == pytest.approx(expected, rel=1e-4, abs=1e-6)
    assert expected.sum(axis=1).min() > 0
    for f, k in np.ndindex(added.shape):
        assert tables.N[one.row[f, k], k] - plain.N[one.row[f, k], k] == pytest.approx(added[f, k])
    table = silences.priors(np.array([0.2, 0.3, 0.5]), tables)
    shares = (M + 1) / (M + 1).sum()
    answered = {problem.judgments.item[j] for j in np.flatnonzero(np.isin(problem.judgments.worker, one.worker))}
    for item in range(problem.judgments.n_items):
        tilted = shares * np.prod(1 - c, axis=0) / D
        prior = tilted if item in answered else [0.2, 0.3, 0.5]
        assert table.table[table.row[item]] == pytest.approx(prior, rel=1e-4)
        assert silences.of_items(np.array([item]))[0] == pytest.approx(prior / np.sum(prior), rel=1e-4)
    assert tables.mass.sum() == pytest.approx(problem.judgments.n_items - len(answered))
    assert M.sum() == pytest.approx(len(answered))


@pytest.mark.parametrize("prior", ["learnt", "fixed", "none"])
@pytest.mark.parametrize("n_gold", [0, 60])
def test_objective_never_falls_once_the_prior_is_frozen(prior: Any, n_gold: int) -> None:
    problem = replace(posed(n_gold=n_gold, prior=prior), tolerance=1e-9)
    for start in (None, starts.gold(problem, ONE)):
        estimate = climb(problem, start, Execution(ONE))
        steps = np.diff(estimate.convergence.objective[estimate.convergence.frozen_at :])
        assert len(steps) > 1
        assert steps.min() > -1e-8 * abs(estimate.objective)
        assert estimate.item_priors is estimate.silences


def test_who_says_the_same_whatever_the_item_is_not_heard() -> None:
    problem = posed()
    estimate = climb(problem, None, Execution(ONE))
    (mute,) = problem.one_label.mute  # type: ignore[union-attr]
    assert (estimate.C[problem.rows.worker == mute] == 1.0).all()
    without = fit(read(CROWD.table.query("worker != 'spammer0'")), model="dawid_skene")
    heard = fit(read(CROWD.table), model="dawid_skene")
    assert heard.labels["label"].tolist() == without.labels["label"].tolist()


@pytest.mark.parametrize("n_labels", [2, 3])
@pytest.mark.parametrize("coverage", [0.2, 0.5])
@pytest.mark.parametrize("per_item", [1, 3])
@pytest.mark.parametrize("largest", [None, 0.8])
def test_labels_are_as_right_as_the_majority(
    n_labels: int, coverage: float, per_item: int, largest: float | None
) -> None:
    gained, found = [], 0
    for seed in range(2):
        recipe = Recipe(400, n_labels, largest, per_item=per_item, coverage=coverage, spammers=seed, spam=0.3)
        crowd = draw(recipe, seed)
        judgments = read(crowd.table)
        result = fit(judgments, model="dawid_skene")
        gained.append(right(result, crowd) - right(fit(judgments, model="majority_vote"), crowd))
        verdict = audit(result).set_index("worker")["verdict"]
        rules = crowd.workers.index[(crowd.workers["kind"] == "rule") & (crowd.workers["n"] >= 20)]
        found += int(verdict[rules].isin(TO_BE_STOPPED).sum())
    assert min(gained) > -0.02
    assert found == 0


def rules_alone(recipe: Recipe, seed: int) -> Crowd:
    """A crowd without its people."""
    crowd = draw(recipe, seed)
    return replace(crowd, table=crowd.table[crowd.table["worker"].str.startswith("rule")])


@pytest.mark.parametrize(("n_labels", "coverage"), [(2, 0.2), (3, 0.3)])
def test_rules_alone_are_held_by_the_majority(n_labels: int, coverage: float) -> None:
    """Else those of one label look ever better: labels were up to 38 points less right than the majority's."""
    gained = []
    for seed in range(6):
        crowd = rules_alone(Recipe(150, n_labels, n_rules=3, coverage=coverage), seed)
        judgments = read(crowd.table)
        result = fit(judgments, model="dawid_skene")
        gained.append(right(result, crowd) - right(fit(judgments, model="majority_vote"), crowd))
    assert min(gained) > -0.05
    assert np.mean(gained) > -0.01


@pytest.mark.parametrize("n_gold", [0, 30])
def test_objective_never_falls_where_rules_are_alone(n_gold: int) -> None:
    problem = replace(posed(rules_alone(Recipe(150, n_rules=3), 1), n_gold), tolerance=1e-9)
    estimate = climb(problem, None, Execution(ONE))
    steps = np.diff(estimate.convergence.objective[estimate.convergence.frozen_at :])
    assert len(steps) > 1
    assert steps.min() > -1e-8 * abs(estimate.objective)


def test_rules_alone_are_the_equations() -> None:
    """M is the mean of itself and of that by the majority, which the shares are credited with."""
    problem = posed(rules_alone(Recipe(150, n_rules=3), 1))
    silences, tables = started(problem)
    by_majority = tables.own_mass.copy()
    tables.own_mass[:] = by_majority + np.array([20.0, -20.0])
    shares = silences.priors(np.full(2, 0.5), tables)
    expected = (tables.own_mass + by_majority + 1.0) * silences._tilt
    assert shares.table[shares.row[0]] / shares.table[shares.row[0]].sum() == pytest.approx(expected / expected.sum())
    tables.own_mass[:] = 3 * by_majority
    held = silences._learnt(tables)
    assert started(posed())[0]._held is None  # where there are people
    silences._held = None
    tables.own_mass[:] = 2 * by_majority
    assert silences._learnt(tables) == pytest.approx(held)


def test_gold_decides_about_a_rule() -> None:
    crowd = draw(Recipe(400), 2)
    rule = crowd.workers.query("kind == 'rule'").index[0]
    items = crowd.table.query("worker == @rule")["item"][:20]
    truth = crowd.truth.set_index("item")["label"]
    label = crowd.workers["label"][rule]
    right_gold = [(item, said) for item, said in truth[items].items() if said == label]
    wrong_gold = [(item, said) for item, said in truth[items].items() if said != label]
    none = audit(fit(read(crowd.table), model="dawid_skene")).set_index("worker").loc[rule]
    assert none["verdict"] == "good"
    n = int(crowd.workers["n"][rule])
    assert none["reason"].startswith(f"gives {label} only on {n} items and is silent elsewhere: right on ")
    assert none["reason"].endswith("whether they are right where they are silent can't be seen; unaudited")
    told = (
        audit(fit(read(crowd.table), gold=pd.DataFrame(right_gold, columns=["item", "label"]), model="dawid_skene"))
        .set_index("worker")
        .loc[rule]
    )
    assert told["verdict"] == "good"
    assert f"right on {len(right_gold)} of {len(right_gold)} gold items" in told["reason"]
    other = "l0" if label == "l1" else "l1"
    against = {item: other for item, _ in right_gold + wrong_gold}
    told = (
        audit(
            fit(read(crowd.table), gold=pd.DataFrame(against.items(), columns=["item", "label"]), model="dawid_skene")
        )
        .set_index("worker")
        .loc[rule]
    )
    assert told["verdict"] == "spammer"
    assert f"right on 0 of {len(against)} gold items" in told["reason"]


def test_everything_that_reads_a_result_takes_it() -> None:
    crowd = draw(Recipe(spammers=1), 1)
    judgments = read(crowd.table)
    result = fit(judgments, model="dawid_skene", gold=crowd.gold(110), rho="measured")
    assert result.terms is not None
    assert result.terms.priors is not None
    assert result.terms.priors.sum(axis=1) == pytest.approx(1.0)
    assert result.confusions.per_row().sum() == pytest.approx(judgments.n_judgments)
    ours = fit(judgments, model="dawid_skene", rho=0.0)
    assert ours.terms is not None
    for item in range(20):  # the terms make up the posterior
        (told,) = explain(ours, np.array([item]))
        assert told is not None
        logs = ours.terms.log_priors(np.array([item]), ours.beliefs)[0]
        logs = logs + np.log(ours.terms.C[ours.row[judgments.item == item], :2]).sum(axis=0)
        z = np.exp(logs - logs.max())
        assert ours.posterior[item] == pytest.approx(z / z.sum(), abs=1e-9)
    assert len(escalate(ours)) > 0


def test_merged_copies_keep_their_silence() -> None:
    table = draw(Recipe(400, n_rules=3), 1).table
    again = table.query("worker == 'person0'").assign(worker="copy")
    result = fit_without_copies(pd.concat([table, again]), collusion="merge", model="dawid_skene")
    assert result.members is not None
    assert result.members.confusions.silences is not None
    found = audit(result).set_index("worker")["verdict"]
    assert not found[found.index.str.startswith("rule")].isin(TO_BE_STOPPED).any()


def test_beside_mixes_and_model_votes_priors_are_theirs() -> None:
    problem = replace(posed(), differ=True)
    estimate = climb(problem, None, Execution(ONE))
    assert estimate.silences is not None
    assert not estimate.silences.make_priors
    assert estimate.item_priors is estimate.mixes
    steps = np.diff(estimate.convergence.objective[estimate.convergence.frozen_at :])
    assert steps.min() > -1e-8 * abs(estimate.objective)
    result = fit(read(CROWD.table), model_votes=CROWD.truth.assign(model="m"))
    assert result.confusions.silences is not None
    assert right(result, CROWD) > 0.95


def test_nobody_with_one_label_changes_nothing() -> None:
    judgments = simulate(n_items=300, n_workers=10, n_labels=3, per_item=3, seed=1).judgments
    problem = Problem.of(judgments, None, FitConfig(), ONE)
    tables = problem.layout.tables()
    silences = Silences(problem, tables)
    assert silences.settled
    assert silences.by_row(3) is None
    assert silences.seen(tables) is tables
    assert climb(problem, None, Execution(ONE)).item_priors is None
