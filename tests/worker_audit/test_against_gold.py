"""No verdict stands that gold contradicts; who knows the gold is called so, and rated without it."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import consensus
from consensus import worker_audit
from consensus.found.result import Consensus
from consensus.models.base import fit
from consensus.report import audit_cautions
from consensus.worker_audit import VERDICTS, WorkerAudit, audit, fit_without_copies
from consensus.worker_audit.accuracy import against_gold
from consensus.worker_audit.accuracy.one_label_verdicts import on_gold
from consensus.worker_audit.accuracy.verdicts import Verdicts
from consensus.worker_audit.on_gold import gold_health
from tests import gold_crowds
from tests.attack_crowds import Recipe, draw

pytestmark = pytest.mark.compiled

CODE = {name: code for code, name in enumerate(VERDICTS)}


def verdicts(*names: str) -> Verdicts:
    W = len(names)
    codes = np.array([CODE[name] for name in names], np.int32)
    true = np.ones(W, bool)
    return Verdicts(codes, np.full(W, 0.9), ["as such"] * W, ~true, np.full(W, 30), np.full(W, 0.8), true, 0.4)


@pytest.fixture
def result() -> Consensus:
    crowd = draw(Recipe("spammers", hostile=0.0, n_labels=3, gold=0.2, n_honest=6), 1)
    return fit(consensus.read(crowd.table), gold=crowd.gold)


def estimated(low: Any, high: Any) -> Any:
    return SimpleNamespace(interval=(np.array(low, np.float64), np.array(high, np.float64)))


class TestSettled:
    def test_a_verdict_is_open_where_both_intervals_are_disjoint(self, result: Consensus) -> None:
        found = verdicts("expert", "good", "spammer", "careless", "weak", "good")
        high, low = estimated([0.97] * 6, [0.99] * 6), estimated([0.1] * 6, [0.2] * 6)
        above = against_gold.settled(result, found, high)  # gold is worse than 97 %
        assert [VERDICTS[code] for code in above.verdict] == [
            "too_few",
            "too_few",
            "spammer",
            "careless",
            "weak",
            "too_few",
        ]
        n, right = (int(one[0]) for one in on_gold(result))
        assert above.reason[0] == (
            f"gold and the other judgments contradict each other: right on {right} of {n} gold items; without them "
            "expert (as such)"
        )
        assert np.isnan(above.probability).tolist() == [True, True, False, False, False, True]
        assert above.near.tolist() == [True, True, False, False, False, True]
        below = against_gold.settled(result, found, low)  # gold is better than 20 %
        assert [VERDICTS[code] for code in below.verdict] == ["expert", "good", "too_few", "too_few", "weak", "good"]
        same = against_gold.settled(result, found, estimated([0.1] * 6, [0.99] * 6))
        assert same.reason == found.reason
        assert against_gold.contradicted(result, high, above).tolist() == [0, 1, 5]
        assert against_gold.contradicted(result, high, found).tolist() == []

    def test_not_of_who_changed_nor_without_gold(self, result: Consensus) -> None:
        found = replace(verdicts(*["good"] * 6), by_all=np.arange(6) > 0)
        high = estimated([0.97] * 6, [0.99] * 6)
        assert (against_gold.settled(result, found, high).verdict == CODE["too_few"]).tolist() == [False] + [True] * 5
        assert against_gold.settled(replace(result, gold=None), found, high) is found
        never = replace(result, convergence=replace(result.convergence, status="not_identified"))
        assert not np.any(against_gold.disjoint(never, high))


class TestKnown:
    @pytest.fixture
    def known(self) -> Consensus:
        crowd = gold_crowds.draw(gold_crowds.Recipe(n_labels=4), 1)
        return fit(consensus.read(crowd.table), gold=crowd.gold)

    def test_they_are_called_gold_aware_and_rated_off_the_gold(self, known: Consensus) -> None:
        table = audit(known)
        cheats = table["worker"].str.startswith("x")
        assert (table["verdict"] == "gold_aware").tolist() == cheats.tolist()
        assert table.loc[cheats, "gold_accuracy"].eq(1.0).all()
        assert table.loc[cheats, "accuracy"].mean() == pytest.approx(0.25, abs=0.1)
        assert table.loc[cheats, "verdict_probability"].min() > 0.7
        assert table.loc[cheats, "reason"].str.contains("they seem to know the gold").all()
        assert known.gold_aware is not None
        tested = WorkerAudit(known).tested
        assert tested.gold_aware is None  # their codes would mean nothing where workers are split
        assert tested.judgments.n_judgments == len(tested.row) == known.judgments.n_judgments - 100
        skills = WorkerAudit(known).skills
        assert skills.accuracy[known.gold_aware.named].max() < 0.6

    def test_nobody_is_to_ask_them(self, known: Consensus) -> None:
        from consensus.escalation import worker_choice

        assert known.gold_aware is not None
        assert (worker_choice.trusted(WorkerAudit(known)) == ~known.gold_aware.named).all()

    def test_what_they_know_is_leaked(self, known: Consensus) -> None:
        table = gold_health.gold(known)
        judgments, gold, aware = known.judgments, known.gold, known.gold_aware
        assert gold is not None
        assert aware is not None
        mine = aware.known(judgments, gold)
        ids = judgments.item_ids.to_pylist()
        seen = {ids[i] for i in judgments.item[mine].tolist()}
        leaked = set(table["item"][table["leaked"]])
        assert leaked >= seen - set(table["item"][table["suspect"]])
        reasons = table["reason"][table["leaked"]]
        assert reasons.str.contains("who seem to know the gold are right on it").sum() == len(leaked & seen)

    def test_beside_copies_that_count_as_one_they_are_rated_off_the_gold_too(self) -> None:
        crowd = gold_crowds.draw(gold_crowds.Recipe(n_labels=4, n_others=60), 1)
        table = crowd.table
        copies = [table[table["worker"] == "h0"].assign(worker=name) for name in ("h0a", "h0b")]
        result = fit_without_copies(
            consensus.read(pd.concat([table, *copies], ignore_index=True)), gold=crowd.gold, collusion="merge"
        )
        members = result.members
        assert members is not None
        assert members.gold_aware is not None
        assert members.gold is not None
        named = members.gold_aware.named
        assert named.sum() >= 9
        np.testing.assert_allclose(members.confusions.totals().sum(axis=1)[named], 60.0, rtol=1e-6)
        assert (audit(result)["verdict"] == "gold_aware").sum() == named.sum()

    def test_the_warnings_name_them(self, known: Consensus) -> None:
        found = {one.code: one for one in audit_cautions.cautions(WorkerAudit(known))}
        assert found["bad_workers"].values["gold_aware"] == 10
        assert '10 gold_aware ("' in found["bad_workers"].message


def test_one_warning_for_all_whom_gold_contradicts(result: Consensus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(against_gold, "contradicted", lambda *_: np.array([0, 2]))
    own = WorkerAudit(result)
    (told,) = (one for one in audit_cautions.cautions(own) if one.code == "gold_contradicts")
    n, right = (int(one[[0, 2]].sum()) for one in on_gold(result))
    assert told.message == (
        f'gold contradicts what the other judgments say of 2 workers ("h0", "h2"): they are right on {right} of {n} '
        "gold judgments, and no verdict on them stands; look at them with consensus audit, and at the gold"
    )
    assert told.values["n_workers"] == 2
    said = replace(result, warnings=(told,))
    assert not [one for one in audit_cautions.cautions(WorkerAudit(said)) if one.code == "gold_contradicts"]


def test_ten_colluders_who_are_wrong_on_gold_are_no_experts() -> None:
    for n_labels in (2, 4):
        crowd = draw(Recipe("colluders", hostile=0.3, n_labels=n_labels, gold=0.1), 2)
        table = worker_audit.audit(fit(consensus.read(crowd.table), gold=crowd.gold))
        hostile = table["worker"].isin(crowd.hostile)
        assert not set(table.loc[hostile, "verdict"]) & {"expert", "good", "biased"}
        assert not set(table.loc[~hostile, "verdict"]) & {"spammer", "adversarial", "gold_aware"}
