"""What was planted in simulated models comes back, and real model votes help as much as promised."""

import csv
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from consensus import fit, read, read_gold
from consensus.evaluation import Scores, of_posterior
from consensus.found.result import Consensus
from consensus.inputs.judgments import Judgments
from consensus.inputs.model_votes import ModelVotes
from consensus.simulation import simulate
from tests.conftest import dataset
from tests.strategies import Vote, voted

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

Reals = np.ndarray


def probabilities(truth: Reals, n_labels: int, sharpness: float, rng: np.random.Generator) -> Reals:
    """(I, K) true posterior, even shares, of one measurement a label, with mean ``sharpness`` for the true one."""
    x = rng.normal(size=(len(truth), n_labels))
    x[np.arange(len(truth)), truth] += sharpness
    return powered(np.exp(x), sharpness)


def powered(q: Reals, power: float) -> Reals:
    return np.asarray(q**power / (q**power).sum(axis=1, keepdims=True))


def stated(judgments: Judgments, *models: Reals) -> ModelVotes:
    ids = judgments.item_ids.to_pylist()
    rows: list[Vote] = [(i, f"m{m}", p) for m, q in enumerate(models) for i, p in zip(ids, q.tolist(), strict=True)]
    return voted(rows, judgments.labels)


def beta(result: Consensus) -> Reals:
    assert result.models is not None
    return result.models.weights.weight[1:]


def crowd_and_model() -> tuple[Any, Reals]:
    """3,000 items, five people of .8 on each, and a model that is as sure as it may be."""
    drawn = simulate(3000, 10, 4, 5, accuracy=0.8, seed=1)
    return drawn, probabilities(drawn.truth, 4, 1.8, np.random.default_rng(1))


class TestWeights:
    @pytest.mark.compiled
    @pytest.mark.parametrize("power", [0.5, 1, 2, 3])
    def test_confidence_is_set_right(self, power: float) -> None:
        drawn, q = crowd_and_model()
        (found,) = beta(fit(drawn.judgments, model_votes=stated(drawn.judgments, powered(q, power)), rho=0.3))
        assert found * power == pytest.approx(1, abs=0.12)

    @pytest.mark.compiled
    def test_copies_share_the_weight(self) -> None:
        drawn, q = crowd_and_model()
        (one,) = beta(fit(drawn.judgments, model_votes=stated(drawn.judgments, q), rho=0.3))
        two = beta(fit(drawn.judgments, model_votes=stated(drawn.judgments, q, q), rho=0.3))
        assert two[0] == pytest.approx(two[1], rel=1e-6)
        assert two.sum() == pytest.approx(one, rel=0.02)

    @pytest.mark.compiled
    def test_a_useless_model_gets_no_weight(self) -> None:
        drawn, q = crowd_and_model()
        noise = np.random.default_rng(2).dirichlet(np.ones(4), 3000)
        found = beta(fit(drawn.judgments, model_votes=stated(drawn.judgments, q, noise), rho=0.3))
        assert found[1] < 0.05
        assert found[0] == pytest.approx(1, abs=0.12)

    @pytest.mark.compiled
    def test_shares_of_the_labels_are_known_without_votes(self) -> None:
        drawn = simulate(3000, 10, 3, 5, prior=[0.7, 0.2, 0.1], seed=2)
        weak = probabilities(drawn.truth, 3, 0.7, np.random.default_rng(1))  # as if the labels were equally frequent
        result = fit(drawn.judgments, model_votes=stated(drawn.judgments, weak), rho=0.3)
        assert result.models is not None
        gamma, found = result.models.weights.weight
        assert gamma == pytest.approx(1, abs=0.4)  # of the shares by majority, more even than they are
        assert found == pytest.approx(1, abs=0.15)
        np.testing.assert_allclose(result.prior_shares, [0.7, 0.2, 0.1], atol=0.02)


@pytest.mark.slow
def test_a_family_and_its_models_come_back() -> None:
    """What the family tends to say is right with .8, and each of its models says so with .85."""
    drawn, rng = simulate(6000, 10, 3, 5, accuracy=0.85, seed=1), np.random.default_rng(1)
    CF, Cm = (p * np.eye(3) + (1 - p) / 2 * (1 - np.eye(3)) for p in (0.8, 0.85))
    u = np.array([rng.choice(3, p=CF[k]) for k in drawn.truth])
    ids, labels = drawn.judgments.item_ids.to_pylist(), drawn.judgments.labels
    rows: list[Vote] = [
        (item, f"m{m}", labels[rng.choice(3, p=Cm[node])]) for item, node in zip(ids, u, strict=True) for m in range(5)
    ]
    votes = voted(rows, labels, {f"m{m}": "f" for m in range(5)})
    result = fit(drawn.judgments, model_votes=votes, rho=0.3)
    assert result.models is not None
    np.testing.assert_allclose(result.models.weights.CF[0], CF, atol=0.03)
    np.testing.assert_allclose(result.models.weights.Cm, np.stack([Cm] * 5), atol=0.03)


def shared_mistakes(seed: int) -> tuple[Any, ModelVotes]:
    """3 people of .75, and 5 models of .80 that share 60 % of their mistakes: all of them give the same wrong label."""
    K, n = 5, 2000
    right = 0.75 * np.eye(K) + 0.25 / (K - 1) * (1 - np.eye(K))
    drawn, rng = simulate(n, per_item=3, confusion=[right] * 3, seed=seed), np.random.default_rng(100 + seed)
    together = rng.random(n) < 0.2 * 0.6
    same = (drawn.truth + rng.integers(1, K, n)) % K
    rows: list[Vote] = []
    ids, labels = drawn.judgments.item_ids.to_pylist(), drawn.judgments.labels
    for m in range(5):
        errs = rng.random(n) < (0.2 - 0.12) / 0.88
        own = np.where(errs, (drawn.truth + rng.integers(1, K, n)) % K, drawn.truth)
        said = np.where(together, same, own)
        rows += [(item, f"m{m}", labels[k]) for item, k in zip(ids, said, strict=True)]
    return drawn, voted(rows, labels, {f"m{m}": "f" for m in range(5)})


def scored(result: Consensus, truth: Reals) -> Scores:
    return of_posterior(result.posterior, np.eye(result.judgments.n_labels, dtype=np.bool_)[truth])


@pytest.mark.slow
def test_models_that_share_mistakes_are_no_independent_witnesses() -> None:
    family, independent = [], []
    for seed in range(5):
        drawn, votes = shared_mistakes(seed)
        family.append(scored(fit(drawn.judgments, model_votes=votes), drawn.truth))
        apart = replace(votes, families=votes.models)
        tested = fit(drawn.judgments, model_votes=apart)
        assert [label for label in tested.models.shared.merged if len(label) == len(votes.models)]  # type: ignore[union-attr]
        believed = fit(drawn.judgments, model_votes=apart, model_tests="off")
        independent.append(scored(believed, drawn.truth))
    assert np.mean([1 - one.accuracy for one in family]) <= 0.046
    assert np.mean([one.ece for one in family if one.ece is not None]) <= 0.02
    assert 0.10 <= np.mean([1 - one.accuracy for one in independent]) <= 0.14


@pytest.fixture(scope="module")
def pictures() -> tuple[Judgments, ModelVotes, Reals]:
    """5,000 pictures of 10 kinds: 3 people, 3 models with probabilities, and the truth."""
    folder = dataset("cifar10h_dev")
    judgments = read(folder / "judgments.csv")
    gold = read_gold(folder / "truth.csv")
    of = dict(zip(gold.item, gold.label, strict=True))
    truth = np.array([judgments.labels.index(of[item]) for item in judgments.item_ids.to_pylist()])
    with (folder / "model_votes.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    votes: list[Vote] = []
    for row in rows:
        q = np.array([float(row[f"p_{label}"]) for label in judgments.labels])
        votes.append((row["item"], row["model"], (q / q.sum()).tolist()))
    return judgments, voted(votes, judgments.labels), truth


def of_people(judgments: Judgments, n: int) -> Judgments:
    workers = judgments.worker_ids.to_pylist()
    return judgments.subset(np.isin(judgments.worker, [workers.index(f"human_{h}") for h in range(1, n + 1)]))


@pytest.mark.real
@pytest.mark.slow
class TestPictures:
    @pytest.mark.parametrize(
        ("n_people", "error", "log_loss"), [(1, 0.020, 0.078), (2, 0.014, 0.075), (3, 0.012, 0.075)]
    )
    def test_error_and_log_loss(self, pictures: Any, n_people: int, error: float, log_loss: float) -> None:
        judgments, votes, truth = pictures
        found = scored(fit(of_people(judgments, n_people), model_votes=votes), truth)
        assert 1 - found.accuracy <= error
        assert found.log_loss is not None
        assert found.log_loss <= log_loss

    @pytest.mark.parametrize("n_people", [1, 2, 3])
    def test_models_that_boast_or_guess_do_no_harm(self, pictures: Any, n_people: int) -> None:
        judgments, votes, truth = pictures
        K, names = judgments.n_labels, judgments.labels
        first = votes.probability[votes.row[votes.model == 0]].astype(float)
        ids = votes.item_ids.to_pylist()
        items = [ids[i] for i in votes.item]
        rows: list[Vote] = [
            (item, votes.models[m], votes.probability[r].tolist())
            for item, m, r in zip(items, votes.model, votes.row, strict=True)
        ]
        theirs = [ids[i] for i in votes.item[votes.model == 0]]
        boast, noise = powered(first, 3), np.random.default_rng(0).dirichlet(np.ones(K), len(first))
        rows += [
            (item, name, p)
            for name, q in (("boast", boast), ("noise", noise))
            for item, p in zip(theirs, q.tolist(), strict=True)
        ]
        people = of_people(judgments, n_people)
        before, after = (scored(fit(people, model_votes=one), truth).accuracy for one in (votes, voted(rows, names)))
        assert abs(after - before) <= 0.001
