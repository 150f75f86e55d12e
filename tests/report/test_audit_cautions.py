"""Warnings of what the audit found: one line a kind, which names the first few; none where it found nothing."""

import re
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

import consensus
from consensus import fit, simulate
from consensus.found.cautions import Caution
from consensus.inputs.judgments import Judgments
from consensus.report import audit_cautions
from consensus.report.terms import CONDEMNED
from consensus.worker_audit import VERDICTS, WorkerAudit, suspect_gold
from tests.conftest import Run

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

GOOD, AGAINST = np.full((3, 3), 0.05) + 0.85 * np.eye(3), np.full((3, 3), 0.48) - 0.44 * np.eye(3)
CARELESS, RANDOM = np.full((3, 3), 0.19) + 0.43 * np.eye(3), np.full((3, 3), 1 / 3)


def crowd(*bad: NDArray[np.float64], n_good: int = 12, n_items: int = 500) -> Judgments:
    return simulate(n_items, confusion=np.stack([*bad, *[GOOD] * n_good]), per_item=5, seed=3).judgments


def told(judgments: Judgments, gold: object = None) -> dict[str, Caution]:
    found = audit_cautions.cautions(WorkerAudit(fit(judgments, gold=gold)))
    assert len({one.code for one in found}) == len(found)
    assert not any("\n" in one.message for one in found)
    return {one.code: one for one in found}


def test_nothing_is_found_in_a_good_crowd() -> None:
    drawn = simulate(500, confusion=np.stack([GOOD] * 12), per_item=5, seed=3)
    judgments = replace(drawn.judgments, timestamp=_minutes(drawn.judgments.n_judgments))
    assert told(judgments, drawn.truth_table(60)) == {}


def test_bad_workers_are_named_by_kind_the_busiest_first() -> None:
    judgments = crowd(*[RANDOM] * 7, AGAINST, CARELESS, n_good=20, n_items=1200)
    audit = WorkerAudit(fit(judgments))
    verdict = audit.verdicts.verdict
    found = told(judgments)["bad_workers"]
    assert found.values["spammer"] == (verdict == VERDICTS.index("spammer")).sum() >= 6
    assert found.values["adversarial"] == found.values["careless"] == 1
    own = np.isin(verdict, [VERDICTS.index(name) for name in CONDEMNED])
    assert found.values["n_judgments"] == judgments.per_worker[own].sum()
    kinds = re.search(r"(\d+) spammer \((.*?) and (\d+) more\), 1 adversarial \(\"w07\"\), 1 careless", found.message)
    assert kinds is not None
    named = [int(name[1:]) for name in re.findall(r"w\d+", kinds[2])]
    assert len(named) + int(kinds[3]) == int(kinds[1]) == found.values["spammer"]
    work = judgments.per_worker[named].tolist()
    assert work == sorted(work, reverse=True)
    assert work[-1] >= min(judgments.per_worker[verdict == VERDICTS.index("spammer")])
    n_bad = own.sum()
    assert found.message.startswith(f"{n_bad} of 29 workers, with {judgments.per_worker[own].sum() / 6000:.0%} of the")


def test_who_stands_for_many_is_no_bad_worker() -> None:
    judgments = crowd(RANDOM, n_good=14)
    assert told(judgments)["bad_workers"].values["spammer"] == 1
    assert told(replace(judgments, anonymous=("w00",))) == {}


def test_who_changed_is_named_with_what_they_were_and_are() -> None:
    judgments = crowd(*[GOOD] * 5, n_good=11, n_items=900)
    when = _minutes(judgments.n_judgments)
    late = when > np.sort(when)[len(when) // 2]
    label = judgments.label.copy()
    for w in range(4):
        label[(judgments.worker == w) & late] = (label[(judgments.worker == w) & late] + 1) % 3
    label[(judgments.worker == 4) & ~late] = (label[(judgments.worker == 4) & ~late] + 1) % 3
    found = told(replace(judgments, label=label, timestamp=when))["workers_changed"]
    assert found.values == {"n_workers": 5, "n_worse": 4}
    assert found.message.startswith("5 workers changed over time, 4 for the worse: ")
    assert len(re.findall(r'"w0[0-3]" \(right on \d+% before 2025-03-0\d and on \d+% since\)', found.message)) == 3
    assert " and 2 more; ask them what happened then (consensus audit --table drift lists all)" in found.message
    assert "w04" not in found.message  # who rose comes last


def test_gold_that_good_workers_contradict() -> None:
    drawn = simulate(500, confusion=np.stack([GOOD] * 12), per_item=5, seed=3)
    gold = drawn.truth_table(60)
    labels = drawn.judgments.labels
    for row in range(7):
        gold.loc[row, "label"] = labels[(labels.index(gold.loc[row, "label"]) + 1) % 3]
    result = fit(drawn.judgments, gold=gold)
    items, n_gold = suspect_gold(result)
    assert n_gold == 60
    assert 6 <= len(items) <= 8
    found = told(drawn.judgments, gold)["wrong_gold"]
    assert found.values == {"n_items": len(items), "n_gold": 60}
    assert found.message.startswith(
        f"{len(items)} of 60 gold items are probably wrong, because good workers contradict them"
    )
    first = [f'"{drawn.judgments.item_ids[int(item)].as_py()}"' for item in items[:5]]
    assert f"{', '.join(first)} and {len(items) - 5} more; look at" in found.message
    one = gold.drop(index=range(1, 7))
    assert (
        "1 of 54 gold items is probably wrong, because good workers contradict it: "
        in told(drawn.judgments, one)["wrong_gold"].message
    )


def test_they_stand_among_the_findings_and_make_no_audit_where_none_is_needed(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = consensus.Run.of(fit(crowd(RANDOM, n_good=14)))
    assert [one.code for one in found.warnings][-1] == "bad_workers"
    assert found.summary["warnings"][-1]["code"] == "bad_workers"

    def never(*_: object) -> None:
        raise AssertionError("an audit was made")

    monkeypatch.setattr(audit_cautions, "cautions", never)
    from tests.conftest import DIGITS

    assert run("aggregate", DIGITS / "judgments.csv", "--model", "dawid_skene").status == 0


def _minutes(n: int) -> NDArray[np.datetime64]:
    minutes = np.random.default_rng(2).permutation(n) * np.timedelta64(60_000_000, "us")
    return np.datetime64("2025-03-01", "us") + minutes
