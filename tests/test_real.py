"""Real data sets, where they are at hand."""

from typing import Any

import numpy as np
import pytest

from consensus import fit, read, read_gold
from consensus.evaluation import of_posterior
from consensus.found import gold_reach
from tests.conftest import dataset

pytestmark = [pytest.mark.real, pytest.mark.slow]
WITH_TRUTH = ["bluebird", "cf_amt", "face", "rte", "sentiment", "sp", "web", "zencrowd_us"]
ALL = [*WITH_TRUTH, "cifar10h_dev", "anaesthesia_1979"]


def test_default_is_as_accurate_and_calibrated_as_promised() -> None:
    scores = []
    for name in WITH_TRUTH:
        result = fit(read(dataset(name) / "judgments.csv"))
        truth = dict(zip(*_columns(read_gold(dataset(name) / "truth.csv")), strict=True))
        items = result.judgments.item_ids.to_pylist()
        known = [i for i, item in enumerate(items) if item in truth]
        accepted = np.array([[label == truth[items[i]] for label in result.judgments.labels] for i in known])
        posterior = result.posterior[known]
        outside = ~accepted.any(axis=1, keepdims=True)
        scores.append(of_posterior(np.hstack([posterior, np.zeros_like(outside)]), np.hstack([accepted, outside])))
    assert np.mean([one.accuracy for one in scores]) >= 0.860
    assert np.mean([one.log_loss for one in scores if one.log_loss is not None]) <= 0.435
    assert np.mean([one.ece for one in scores if one.ece is not None]) <= 0.092


def _columns(gold: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return gold.item, gold.label


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("prior", ["learnt", "fixed", "none"])
def test_objective_never_falls(name: str, prior: Any) -> None:
    result = fit(read(dataset(name) / "judgments.csv"), prior=prior, rho=0.3)
    objective = np.array(result.convergence.objective[result.convergence.frozen_at :])
    assert len(objective) > 1
    assert (np.diff(objective) >= -1e-9 * np.abs(objective[:-1])).all()
    assert result.converged
    assert not fit(read(dataset(name) / "judgments.csv"), prior=prior, rho=0.3, max_iterations=2).converged


@pytest.mark.parametrize("name", WITH_TRUTH)
def test_random_gold_speaks_for_nearly_all(name: str) -> None:
    judgments = read(dataset(name) / "judgments.csv")
    start, worker, label = judgments.item_start, judgments.worker, judgments.label
    judged = gold_reach.Judged(start, worker, label, judgments.n_workers, judgments.n_labels)
    for seed in range(10):
        gold = np.random.default_rng(seed).choice(judgments.n_items, min(100, judgments.n_items // 2), replace=False)
        assert gold_reach.reached(judged, np.sort(gold).astype(np.int32)).items.mean() >= 0.99


def test_dawid_and_skene_1979() -> None:
    """Class shares as published, and the error rates of observer 1, who judged every patient three times.

    The first row can be counted by hand: the 18 patients of class 1 are certain, and 49 of the observer's 54 judgments
    of them say 1.
    """
    result = fit(read(dataset("anaesthesia_1979") / "judgments.csv", repeats="keep"), prior="none", rho=0)
    assert result.prior.round(2).tolist() == [0.40, 0.42, 0.11, 0.07]
    observer_1 = np.array([[0.91, 0.09, 0, 0], [0.07, 0.88, 0.05, 0], [0, 0.34, 0.66, 0], [0, 0, 0.56, 0.44]])
    np.testing.assert_allclose(result.confusion("1").round(2), observer_1, atol=1e-9)
