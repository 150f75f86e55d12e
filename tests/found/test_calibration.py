"""How a posterior is tempered, and that the audit knows it, calibrated on gold or not."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from consensus import fit, simulate, worker_audit
from consensus.found.calibration import Calibration
from consensus.found.tempering import Tempering
from consensus.worker_audit.accuracy import against_others
from tests import naive_calibration

pytestmark = pytest.mark.usefixtures("by_dawid_skene")


def drawn_posterior(n: int, n_labels: int) -> NDArray[np.float64]:
    """(n, K)"""
    return np.random.default_rng(1).dirichlet(np.full(n_labels, 0.3), n)


class TestTempering:
    def test_power_by_its_formula(self) -> None:
        n = np.array([0, 1, 2, 5])
        assert Tempering(0.3).power(n).tolist() == [1, 1, 1 / 1.3, 1 / 2.2]
        assert Tempering().power(n).tolist() == [1, 1, 1, 1]

    def test_there_and_back(self) -> None:
        posterior = drawn_posterior(30, 4)
        n, by = np.arange(30), Tempering(0.2)
        there = by.tempered(np.log(posterior), n)
        expected = [naive_calibration.tempered(posterior[at].tolist(), 1 + 0.2 * max(at - 1, 0)) for at in range(30)]
        np.testing.assert_allclose(there, expected)
        back = np.exp(by.untempered(there, n))
        np.testing.assert_allclose(back / back.sum(axis=1, keepdims=True), posterior, rtol=1e-9)
        assert np.isfinite(by.untempered(np.eye(4), np.arange(4))).all()


def test_a_calibration_in_short() -> None:
    told = Calibration(30, weights={"fit": 1.0}, overstated=np.array([0.1, -0.1]), items=np.array([True, False]))
    assert told.in_short(("a", "b"))["overstated"] == {"a": 0.1, "b": -0.1}
    assert told.in_short(())["overstated"] is None
    assert (told.in_short(())["fitted"], told.in_short(())["not_reached"]) == (True, 1)
    assert Calibration(3, "too few").in_short(("a",)) == {
        "gold_items": 3,
        "fitted": False,
        "left_out": "too few",
        "weights": {},
        "overstated": None,
        "relabelled": 0,
        "by_label": True,
        "not_reached": 0,
    }


def crowd(n_items: int = 400, n_labels: int = 3, seed: int = 1) -> Any:
    """A crowd whose judgments of an item err together: copies of a few of them."""
    drawn = simulate(n_items, 12, n_labels, 3, accuracy=0.75, seed=seed)
    table = drawn.judgments_table()
    return drawn, pd.concat([table, table.assign(worker=table["worker"] + "b")], ignore_index=True)


class TestAudit:
    def test_what_the_others_say_does_not_depend_on_rho(self) -> None:
        drawn, table = crowd()
        one, other = (fit(table, gold=drawn.truth_table(150, 1), rho=rho) for rho in (0, 0.4))
        judgments = np.arange(0, one.judgments.n_judgments, 7)
        np.testing.assert_allclose(against_others.right(one), against_others.right(other), rtol=1e-7, atol=1e-12)
        found, expected = against_others.cavities(one, judgments), against_others.cavities(other, judgments)
        np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-12)
        by_record, same = (worker_audit.WorkerAudit(result).accuracy.by_record for result in (one, other))
        np.testing.assert_allclose(by_record.points, same.points, rtol=1e-6)
        np.testing.assert_allclose(by_record.weight, same.weight, rtol=1e-6, atol=1e-12)
        pd.testing.assert_frame_equal(
            worker_audit.gold(one).drop(columns="confidence"),
            worker_audit.gold(other).drop(columns="confidence"),
            rtol=1e-6,
        )

    @pytest.mark.compiled
    def test_copies_are_found_all_the_same(self) -> None:
        drawn, table = crowd()
        gold = drawn.truth_table(150, 1)
        result, other = (worker_audit.fit_without_copies(table, gold=gold, calibration=one) for one in ("gold", "none"))
        assert result.calibration is not None
        assert result.calibration.fitted
        assert result.copies is not None
        assert other.copies is not None
        assert result.copies.n_groups > 0
        np.testing.assert_array_equal(result.copies.group, other.copies.group)
        assert result.members is not None

    def test_evidence_is_tempered_like_the_confidence(self) -> None:
        drawn, table = crowd()
        one, plain = (fit(table, gold=drawn.truth_table(150, 1), rho=rho) for rho in (0.4, 0))
        worker = one.judgments.worker_ids[0].as_py()
        weights = [worker_audit.evidence(result, worker)["weight"].abs().max() for result in (one, plain)]
        assert weights[0] < weights[1]
