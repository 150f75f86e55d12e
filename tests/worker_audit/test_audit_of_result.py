"""One audit for all tables about a result: nothing is made twice, and every table takes it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from consensus import audit, fit, read, read_costs, simulate, simulation, worker_audit
from consensus.config import AuditConfig
from consensus.errors import ConfigError, FormatError, JudgmentError
from consensus.found.result import Consensus
from consensus.inputs.judgments import Judgments
from consensus.runs import Run, folder
from consensus.votes_audit import model_ratings
from consensus.worker_audit import WorkerAudit
from consensus.worker_audit.accuracy import (
    accuracy_posterior,
    likelihoods,
    peer_agreement,
    skills,
    verdicts,
    worker_kinds,
)
from consensus.worker_audit.over_time import drift
from tests.strategies import encoded
from tests.worker_audit.test_copying import ringed

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

MAKERS: list[tuple[ModuleType, str]] = [
    (likelihoods, "records"),
    (accuracy_posterior, "accuracy"),
    (worker_kinds, "kinds"),
    (verdicts, "verdicts"),
    (drift, "drifts"),
    (skills, "elsewhere"),
    (peer_agreement, "peer_agreement"),
    (model_ratings, "rate"),
]
FRAMES: dict[str, Callable[[Any], pd.DataFrame]] = {
    "workers": audit,
    "confusions": worker_audit.confusions,
    "labels": worker_audit.accuracy_by_label,
    "gold": worker_audit.gold,
    "new_gold": worker_audit.proposals,
    "retests": worker_audit.retest_table,
    "copies": worker_audit.copies,
    "drifting": worker_audit.drifting,
    "behaviours": worker_audit.behaviours,
    "evidence": partial(worker_audit.evidence, worker="w1"),
    "forgiven": partial(worker_audit.forgive, items=["item000"]),
}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each part was made."""
    counts: Counter[str] = Counter()

    def counted(make: Callable[..., Any], *given: Any) -> Any:
        counts[make.__name__] += 1
        return make(*given)

    for module, name in MAKERS:
        monkeypatch.setattr(module, name, partial(counted, getattr(module, name)))
    return counts


def timed(judgments: Judgments) -> Judgments:
    times = np.arange(judgments.n_judgments, dtype=np.int64) % 997 * 60_000_000
    return replace(judgments, timestamp=times.view("datetime64[us]"))


@pytest.fixture(scope="module")
def result() -> Consensus:
    drawn = simulate(240, 10, 3, 4, accuracy=0.75, spammers=0.2, seed=4)
    votes = simulation.simulate_votes(drawn, 2)
    return fit(timed(drawn.judgments), model_votes=votes, gold=drawn.truth_table(40))


@pytest.fixture(scope="module")
def two_labels() -> Consensus:
    return fit(encoded([(f"i{i:02}", f"w{w}", f"l{(i + (w == i % 5)) % 2}") for i in range(40) for w in range(4)]))


@pytest.mark.slow
def test_a_whole_run_makes_every_part_once(tmp_path: Path, made: Counter[str]) -> None:
    drawn = simulate(240, 10, 3, 4, accuracy=0.75, spammers=0.2, seed=4)
    votes = simulation.simulate_votes(drawn, 2)
    result = worker_audit.fit_without_copies(
        timed(drawn.judgments), model_votes=votes, gold=drawn.truth_table(40), collusion="report"
    )
    folder.write(Run.of(result, target=0.99, retest=2), tmp_path / "out", folder.Output(report=True))
    assert "retest" in (tmp_path / "out" / "escalations.csv").read_text()
    assert made == {name: 1 for _, name in MAKERS}


@pytest.mark.compiled
def test_nothing_is_made_before_it_is_asked_for(result: Consensus, made: Counter[str]) -> None:
    audited = WorkerAudit(result)
    assert not made
    assert audited.accuracy is audited.accuracy
    assert made == {"records": 1, "accuracy": 1}


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.compiled
def test_an_audit_in_place_of_the_result(name: str, result: Consensus) -> None:
    pd.testing.assert_frame_equal(FRAMES[name](WorkerAudit(result)), FRAMES[name](result))


@pytest.mark.compiled
def test_settings_are_those_of_the_audit(result: Consensus) -> None:
    strict = WorkerAudit(result, AuditConfig(min_worker_judgments=10**6))
    assert set(audit(strict)["verdict"].dropna()) == {"too_few"}
    assert set(worker_audit.retest_table(strict)["verdict"]) == {"too_few"}
    for given in ({"price": 1.0}, {"costs": "costs.csv"}, {"config": AuditConfig()}, {"sure": 0.8}):
        with pytest.raises(ConfigError, match="an audit has its settings already; give the result to audit it with"):
            audit(strict, **given)


def test_without_models_there_is_nothing_to_rate() -> None:
    assert WorkerAudit(fit(simulate(30, 4, 2, 3, seed=1).judgments)).models is None


class TestMembers:
    def test_are_audited_apart_with_the_same_settings(self) -> None:
        rows, _ = ringed(2, n_items=150, n_honest=14, ring_items=60, ring=4, most=3)
        result = worker_audit.fit_without_copies(encoded(rows), rho=0.3)
        audited = WorkerAudit(result, AuditConfig(sure=0.8), costs=1.0 - np.eye(3), price=0.5)
        members = audited.of_members
        assert result.members is not None
        assert members.result is result.members
        assert members.of_members is members
        assert (members.config, members.price) == (audited.config, 0.5)
        assert members.costs is audited.costs
        assert members.accuracy is not audited.accuracy
        assert not np.array_equal(members.records.own.n, audited.records.own.n)

    def test_nobody_copies(self, result: Consensus) -> None:
        audited = WorkerAudit(result)
        assert audited.of_members is audited


class TestPeers:
    rows, _ = ringed(2, n_items=150, n_honest=14, ring_items=60, ring=4, most=3)

    def test_are_counted_when_copies_are_looked_for(self) -> None:
        result = worker_audit.fit_without_copies(encoded(self.rows), collusion="report", rho=0.3)
        assert result.copies is not None
        assert result.copies.n_groups
        assert WorkerAudit(result).peers is result.copies.peers

    def test_of_members_where_copies_are_merged(self) -> None:
        result = worker_audit.fit_without_copies(encoded(self.rows), collusion="merge", rho=0.3)
        assert result.copies is not None
        merged, members = WorkerAudit(result).peers, WorkerAudit(result).of_members.peers
        assert members is result.copies.peers
        assert merged.peers.sum() < members.peers.sum()

    def test_of_all_judgments_where_some_were_not_compared(self) -> None:
        twice = pd.DataFrame([*self.rows, self.rows[0]], columns=["item", "worker", "label"])
        judgments = read(twice, repeats="keep")
        result = worker_audit.fit_without_copies(judgments, collusion="report", rho=0.3)
        assert result.copies is not None
        assert result.copies.n_groups
        assert result.copies.peers is None
        found, n = WorkerAudit(result).peers, judgments.per_item
        assert found.n_items.sum() == judgments.n_judgments - 1
        assert found.peers.sum() == (n * (n - 1)).sum() - 2


class TestCosts:
    table = pd.DataFrame({"true": ["l0", "l1"], "decided": ["l1", "l0"], "cost": [1.0, 9.0]})

    def test_as_a_path_a_table_or_read(self, two_labels: Consensus, tmp_path: Path) -> None:
        path = tmp_path / "costs.csv"
        self.table.to_csv(path, index=False)
        tables = [audit(two_labels, costs=one) for one in (path, str(path), self.table, read_costs(path))]
        assert (tables[0]["expected_cost"] > 0).all()
        for one in tables[1:]:
            pd.testing.assert_frame_equal(one, tables[0])

    def test_refused(self, two_labels: Consensus, tmp_path: Path) -> None:
        with pytest.raises(FormatError, match="no-costs"):
            audit(two_labels, costs=tmp_path / "no-costs.csv")
        with pytest.raises(JudgmentError, match="is not in the label set"):
            audit(two_labels, costs=self.table.replace("l0", "elsewhere"))
