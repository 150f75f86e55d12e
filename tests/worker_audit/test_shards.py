"""However the work is cut into shards: every number of a fit, of its audit and of the plan stays what it was."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from consensus import backends, escalate, fit, simulate, worker_audit
from consensus.config import EscalateConfig
from consensus.escalation import budget_curve, planned
from consensus.found.posterior import SparsePosterior
from consensus.found.result import Consensus
from consensus.models import layout
from consensus.simulation import simulate_votes
from consensus.worker_audit.accuracy import confusion_table

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

MARCH = np.datetime64("2025-03-01", "us")
MINUTE = np.timedelta64(60_000_000, "us")


def crowd(n_labels: int, models: bool = False, gold: bool = True) -> Consensus:
    """Workers with times and prices, one of whom drifts, and two who copy."""
    rng = np.random.default_rng(1)
    drawn = simulate(160, 9, n_labels, 5, accuracy=0.8, spammers=0.1, seed=3)
    j = drawn.judgments
    minutes = rng.integers(0, 4_000, j.n_judgments)
    label = np.where((j.worker == 2) & (minutes > 2_000), (j.label + 1) % n_labels, j.label)
    said = rng.integers(0, n_labels, j.n_items)
    label = np.where(j.worker >= 7, said[j.item], label).astype(np.int32)
    judgments = replace(j, label=label, timestamp=MARCH + minutes * MINUTE, price=rng.uniform(0.1, 0.3, j.n_judgments))
    votes = simulate_votes(drawn, 3, accuracy=0.85, soft=True, families=2, seed=2) if models else None
    truth = drawn.truth_table(40, 1) if gold else None
    return fit(judgments, gold=truth, model_votes=votes, seed=2)


def tables(result: Consensus) -> dict[str, Any]:
    audit = worker_audit.WorkerAudit(result)
    config = EscalateConfig(target=0.999, max_judgments=12, expert_below=0.0, budget=60)
    found: dict[str, Any] = {
        "labels": result.labels,
        "posteriors": result.posteriors,
        "workers": worker_audit.audit(audit),
        "confusions": worker_audit.confusions(audit, every=True),
        "behaviour": worker_audit.behaviours(audit),
        "drift": worker_audit.drifting(audit),
        "copying": worker_audit.copies(audit),
        "gold": worker_audit.gold(audit),
        "new gold": worker_audit.proposals(audit),
        "evidence": worker_audit.evidence(audit, "w1"),
        "tests": worker_audit.retest_table(audit),
        "escalations": escalate(result, config),
    }
    curve = budget_curve(result, planned(result, config), config)
    found["budget"] = pd.DataFrame(dict(zip(("spent", "saved"), curve, strict=True)))
    found["fit"] = pd.DataFrame({"objective": [result.convergence.objective[-1]], "rho": [result.rho]})
    found["warnings"] = pd.DataFrame({"code": [one.code for one in result.warnings]})
    return found


@pytest.mark.compiled
@pytest.mark.parametrize(
    ("make", "sparse"),
    [
        pytest.param(lambda: crowd(3), False, id="all labels are weighed"),
        pytest.param(lambda: crowd(2, gold=False), False, id="two labels"),
        pytest.param(lambda: crowd(40), True, id="the labels given to an item"),
        pytest.param(lambda: crowd(3, models=True), False, id="models voted"),
    ],
)
def test_shards_change_nothing(make: Callable[[], Consensus], sparse: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "MOST_CELLS", 0)
    whole = make()
    assert isinstance(whole.beliefs, SparsePosterior) == sparse
    expected = tables(whole)
    empty = {name for name, table in expected.items() if table.empty}
    assert empty <= {"gold", "new gold", "tests", "copying", "warnings", "budget"}
    monkeypatch.setattr(backends, "SMALLEST_SHARD", 20)
    assert backends.number_of_shards(whole.judgments.n_judgments) == backends.MOST_SHARDS
    found = tables(make())
    for name, table in expected.items():
        pd.testing.assert_frame_equal(found[name], table, check_exact=False, rtol=1e-5, atol=1e-7, obj=name)


@pytest.mark.parametrize("prior", ["learnt", "fixed", "none"])
@pytest.mark.parametrize("gold", [True, False])
def test_who_only_abstained_is_in_every_table(prior: Any, gold: bool) -> None:
    """Beside an item without judgments, and a label that nobody gave; nothing is divided by nothing."""
    drawn = simulate(90, 6, 3, 3, accuracy=0.8, seed=3)
    rows = drawn.judgments_table()
    rows["timestamp"] = [str(MARCH + n * MINUTE) + "Z" for n in np.random.default_rng(0).permutation(len(rows))]
    nobody = pd.DataFrame({"item": ["silent", rows["item"][0]], "worker": ["mute", "mute"], "label": [None, None]})
    labels = (*drawn.judgments.labels, "unused")
    truth = drawn.truth_table(30, 1) if gold else None
    result = fit(pd.concat([rows, nobody]), labels=labels, gold=truth, prior=prior)
    assert result.judgments.per_worker.tolist()[0] == 0
    found = tables(result)
    mute = found["workers"].set_index("worker").loc["mute"]
    assert (mute["n_judgments"], mute["gold_n"], mute["verdict"]) == (0, 0, "too_few")
    assert mute[["agreement", "gold_accuracy", "chance_corrected"]].isna().all()
    assert 0.3 < mute["accuracy"] < 1
    assert mute["accuracy_low"] < mute["accuracy"] < mute["accuracy_high"]
    cells = found["confusions"].set_index("worker").loc["mute"]
    assert (cells["count"] == 0).all()
    assert cells["probability"].isna().all() == (prior == "none")
    behaviour = found["behaviour"].set_index("worker").loc["mute"]
    assert behaviour[["seconds_median", "too_fast", "constant", "early_right", "fatigue_p"]].isna().all()
    assert found["drift"]["reason"][0] == "0 judgments with a time; 20 are needed"
    silent = found["labels"].set_index("item").loc["silent"]
    assert silent["n_judgments"] == 0
    assert prior == "none" or "unused" not in set(found["labels"]["label"])  # of which maximum likelihood knows nothing
    assert confusion_table.known_share(result)[0] == 1.0
