"""Who changed is judged by what they are since; what they were is a worker of its own."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from consensus import audit, fit, read, simulate, worker_audit
from consensus.config import AuditConfig
from consensus.found.posterior import SparsePosterior
from consensus.found.result import Consensus
from consensus.inputs.judgments import Judgments
from consensus.models import layout
from consensus.probabilities import normalised
from consensus.worker_audit import WorkerAudit, fallen
from consensus.worker_audit.accuracy import against_others, verdict_reasons
from consensus.worker_audit.accuracy.verdicts import VERDICTS
from consensus.worker_audit.over_time import since_change
from consensus.worker_audit.over_time.drift import CrowdChange, Drifts

pytestmark = [pytest.mark.usefixtures("by_dawid_skene"), pytest.mark.compiled]

MARCH = np.datetime64("2025-03-01", "us")
BAD = {"careless", "spammer", "adversarial"}
MINUTE = np.timedelta64(60_000_000, "us")
GOOD = {3: np.full((3, 3), 0.05) + 0.85 * np.eye(3), 40: np.full((40, 40), 0.1 / 39) + (0.9 - 0.1 / 39) * np.eye(40)}


def changing(
    n_labels: int = 3, *, to: str = "against", worker: int = 2, of_rest: float = 0.5, n_items: int = 500
) -> tuple[Judgments, NDArray[np.bool_]]:
    """A crowd of nine good workers, one of whom changes after so much ``of_rest``; and the judgments after it."""
    rng = np.random.default_rng(5)
    drawn = simulate(n_items, confusion=np.stack([GOOD[n_labels]] * 9), per_item=5, seed=2)
    j = drawn.judgments
    minutes = rng.permutation(j.n_judgments)
    mine = np.flatnonzero(j.worker == worker)
    after = np.zeros(j.n_judgments, np.bool_)
    after[mine[np.argsort(minutes[mine])[int(of_rest * len(mine)) :]]] = True
    said: dict[str, NDArray[np.int64]] = {
        "against": (drawn.truth[j.item].astype(np.int64) + 1) % n_labels,
        "random": rng.integers(0, n_labels, j.n_judgments),
        "one label": np.zeros(j.n_judgments, np.int64),
    }
    wrong = (j.worker == worker) & ~after if to == "good" else after  # who gets good was against the truth until then
    label = np.where(wrong, said["against" if to == "good" else to], j.label)
    return replace(j, label=label.astype(np.int32), timestamp=MARCH + minutes * MINUTE), after


def since(result: Consensus) -> since_change.SinceChange:
    found = since_change.since_change(result, worker_audit.drifts(result))
    assert found is not None
    return found


class TestWhoChanged:
    @pytest.mark.parametrize(
        ("to", "verdict"),
        [("against", "adversarial"), ("random", "spammer"), ("one label", "spammer"), ("good", "good")],
    )
    def test_is_what_they_are_now(self, to: str, verdict: str) -> None:
        judgments, _ = changing(to=to)
        row = audit(fit(judgments)).iloc[2]
        assert row["verdict"] == verdict
        before = float(worker_audit.drifting(fit(judgments))["accuracy_before"][2])
        assert row["reason"].startswith(f"{verdict} since 2025-03-0")
        assert f"; right on {before:.0%} before 2025-03-0" in row["reason"]
        assert "changed:" not in row["reason"]

    @pytest.mark.parametrize("n_labels", [3, 40])
    def test_as_if_they_were_two_workers(self, n_labels: int) -> None:
        """Fitted with what they were as a worker of their own, they get the same accuracy and verdict."""
        judgments, after = changing(n_labels)
        result = fit(judgments)
        found = WorkerAudit(result)
        worker = judgments.worker.copy()
        worker[(worker == 2) & ~after] = 9
        rows = pd.DataFrame({"item": judgments.item, "worker": worker, "label": judgments.label}).astype(str)
        two = audit(fit(rows)).set_index("worker")
        assert VERDICTS[found.verdicts.verdict[2]] == two.loc["2", "verdict"] == "adversarial"
        assert found.verdicts.accuracy[2] == pytest.approx(two.loc["2", "accuracy"], abs=0.02)
        others = [w for w in range(9) if w != 2]
        assert found.verdicts.accuracy[others].tolist() == found.accuracy.mean[others].tolist()
        assert found.verdicts.by_all.tolist() == [w != 2 for w in range(9)]

    def test_all_judgments_are_in_the_columns(self) -> None:
        judgments, _ = changing()
        found = WorkerAudit(fit(judgments))
        row = worker_audit.audit(found).iloc[2]
        assert row["n_judgments"] == judgments.per_worker[2] > found.verdicts.n_judgments[2] > 20
        assert row["accuracy"] == found.accuracy.mean[2] > found.verdicts.accuracy[2] + 0.2

    def test_with_too_few_judgments_since(self) -> None:
        judgments, after = changing(of_rest=0.8)
        assert 20 < after.sum() < 60
        row = audit(fit(judgments), min_worker_judgments=60).iloc[2]
        assert row["verdict"] == "too_few"
        assert np.isnan(row["verdict_probability"])
        n = WorkerAudit(fit(judgments), AuditConfig(min_worker_judgments=60)).verdicts.n_judgments[2]
        assert n <= after.sum()
        assert row["reason"].startswith("since 2025-03-0")
        assert f": {n} judgments; a verdict needs 60; right on " in row["reason"]
        retests = worker_audit.retest_table(fit(judgments), AuditConfig(min_worker_judgments=60)).set_index("worker")
        assert retests.empty or set(retests.loc[["w2"], "n_needed"]) == {60 - n}

    def test_nobody_changed(self) -> None:
        judgments, _ = changing()
        steady = replace(judgments, timestamp=None)
        assert since_change.since_change(fit(steady), worker_audit.drifts(fit(steady))) is None
        assert WorkerAudit(fit(steady)).verdicts.by_all.all()

    def test_who_gives_one_label_only_is_judged_by_where_they_answer(self) -> None:
        result = fit(changing()[0])
        rules = np.full(9, np.nan)
        rules[2] = 0.9
        found = worker_audit.drifts(result)
        assert since_change.since_change(replace(result, one_label=rules), found) is None
        rules = np.full(9, np.nan)
        apart = since_change.since_change(replace(result, one_label=rules), found)
        assert apart is not None
        assert apart.result.one_label is not None
        assert np.isnan(apart.result.one_label).sum() == 10

    def test_whoever_is_judged_by_all_judgments_has_a_remark(self) -> None:
        rules = np.full(9, np.nan)
        rules[2] = 0.0
        found = WorkerAudit(replace(fit(changing()[0]), one_label=rules))
        assert found.drifts.changed[2]
        assert found.verdicts.by_all.all()
        (remark,) = (reason for reason in verdict_reasons.remarked(found) if "; changed: right on " in reason)
        assert remark == verdict_reasons.remarked(found)[2]

    def test_who_stands_for_many_is_nobody(self) -> None:
        result = fit(changing()[0])
        many = replace(result, judgments=replace(result.judgments, anonymous=("w2",)))
        assert since_change.since_change(many, worker_audit.drifts(result)) is None


def moving(*, chance: bool = True, per_item: int = 5, seed: int = 4) -> tuple[Judgments, NDArray[np.int64]]:
    """Nine workers, and one who got easy items until half of the time and hard ones since, where all guess.

    Unless it is by ``chance`` for all: then only that worker guesses since. And the truth of the items.
    """
    rng = np.random.default_rng(seed)
    n_items, n_labels = 900, 4
    truth, late = rng.integers(0, n_labels, n_items), np.arange(n_items) >= n_items // 2
    hard = rng.random(n_items) < 0.5
    rows = []
    for i in range(n_items):
        mine = [9] if hard[i] == late[i] and rng.random() < 0.5 else []
        for w in [*mine, *rng.choice(9, per_item - len(mine), replace=False).tolist()]:
            guesses = hard[i] if chance else w == 9 and late[i]
            right = rng.random() < (0.25 if guesses else 0.85)
            rows.append((i, w, truth[i] if right else (truth[i] + rng.integers(1, n_labels)) % n_labels))
    table = pd.DataFrame(rows, columns=["item", "worker", "label"])
    times = MARCH + table["item"].to_numpy() * MINUTE
    return read(table.astype(str).assign(timestamp=times)), truth


class TestItemsThatAreHardForAll:
    @pytest.mark.parametrize(("per_item", "seed"), [(2, 4), (3, 2)])
    def test_condemn_nobody(self, per_item: int, seed: int) -> None:
        """The likelihoods alone do; what others achieved on the same items does not let them."""
        found = WorkerAudit(fit(moving(per_item=per_item, seed=seed)[0]))
        assert found.drifts.changed[9]
        apart = since(found.result)
        assert np.isneginf(apart.easier[9])
        now = WorkerAudit(apart.result)
        condemned = now._by_all(np.where(np.isneginf(apart.easier), 0.0, apart.easier))
        assert VERDICTS[condemned.verdict[9]] in BAD
        assert VERDICTS[found.verdicts.verdict[9]] == "too_few"
        reason = found.verdicts.reason[9]
        assert ": on these items others are hardly better, or too few; right on " in reason
        assert " do not settle it" in reason

    @pytest.mark.parametrize("per_item", [3, 5])
    def test_do_not_excuse_who_alone_guesses_since(self, per_item: int) -> None:
        found = WorkerAudit(fit(moving(chance=False, per_item=per_item)[0]))
        assert np.isfinite(since(found.result).easier[9])
        assert VERDICTS[found.verdicts.verdict[9]] == "spammer"

    def test_two_judgments_an_item_do_not_tell_whose_fault_it_is_but_gold_does(self) -> None:
        judgments, truth = moving(chance=False, per_item=2)
        assert np.isneginf(since(fit(judgments)).easier[9])
        gold = pd.DataFrame({"item": np.arange(900), "label": truth}).astype(str)
        found = WorkerAudit(fit(judgments, gold=gold[::3]))
        assert np.isfinite(since(found.result).easier[9])
        assert VERDICTS[found.verdicts.verdict[9]] in BAD


class TestSplit:
    @pytest.mark.parametrize("n_labels", [3, 40])
    def test_shares_out_the_judgments_and_what_they_count(self, n_labels: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(layout, "MOST_CELLS", 0)
        judgments, after = changing(n_labels)
        result = fit(judgments)
        assert isinstance(result.beliefs, SparsePosterior) == (n_labels == 40)
        split = since(result)
        assert split.workers.tolist() == [2]
        now = split.result.judgments.worker
        assert now[after].tolist().count(9) <= 0.1 * after.sum()  # of the 95 %, some may be from before
        assert set(now[(judgments.worker == 2) & ~after].tolist()) == {9}
        assert np.array_equal(np.where(now == 9, 2, now), judgments.worker)
        assert split.result.judgments.worker_ids.to_pylist()[9] == "w2"
        one, two = result.confusions, split.result.confusions
        dense = two.dense_counts()
        np.testing.assert_allclose(dense[2] + dense[9], one.dense_counts()[2], rtol=1e-12)
        others = [w for w in range(9) if w != 2]
        np.testing.assert_array_equal(dense[others], one.dense_counts()[others])
        for confused, of, row in ((one, judgments.worker, result.row), (two, now, split.result.row)):
            assert np.array_equal(confused.row_worker[row], of)
            assert np.array_equal(confused.row_label[row], judgments.label)
        assert two.n_workers == 10
        assert (np.diff(two.row_worker) >= 0).all()

    def test_counts_are_those_of_the_posteriors(self) -> None:
        """Expected judgments of either part: sums of the untempered posteriors, as the fit itself has them."""
        result = fit(changing()[0])
        found = since(result).result
        power = result.tempering.power(result.judgments.per_item, slice(None))
        z = normalised(result.posterior ** (1.0 / power[:, None]))
        naive = np.zeros((10, 3, 3))
        for i, w, k in zip(result.judgments.item, found.judgments.worker, result.judgments.label, strict=True):
            naive[w, :, k] += z[i]
        np.testing.assert_allclose(found.confusions.dense_counts(), naive, atol=0.01)

    def test_in_blocks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        result = fit(changing(40)[0])
        whole = since(result).result.confusions.counts
        monkeypatch.setattr(since_change, "BLOCK", 400)
        np.testing.assert_allclose(since(result).result.confusions.counts, whole, rtol=1e-12)

    def test_what_is_in_no_cell_goes_with_what_they_are(self) -> None:
        result = fit(changing()[0])
        cells = replace(
            result.confusions,
            missed=np.arange(9.0),
            silences=np.zeros(len(result.confusions.row_worker)),
        )
        found = since(replace(result, confusions=cells)).result.confusions
        assert found.missed is not None
        assert found.missed.tolist() == [*range(9), 0.0]
        assert found.silences is not None
        assert len(found.silences) == len(found.row_worker)

    def test_judgments_of_unknown_time_are_from_before(self) -> None:
        judgments, after = changing()
        assert judgments.timestamp is not None
        times = judgments.timestamp.copy()
        lost = np.flatnonzero(after)[::7]
        times[lost] = np.datetime64("NaT", "us")
        found = since(fit(replace(judgments, timestamp=times)))
        assert set(found.result.judgments.worker[lost].tolist()) == {9}


@pytest.mark.parametrize(
    ("others", "own", "spared"),
    [
        (0.9, 0.4, False),
        (0.42, 0.0, True),  # the others are near chance, 1/3, however bad the worker is
        (0.9, 0.88, True),  # the others are not surely better than the worker
    ],
)
def test_either_reason_spares(others: float, own: float, spared: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    judgments, after = changing()
    result = fit(judgments)
    mine = np.flatnonzero(judgments.worker == 2)
    noise = 0.3 * (-1.0) ** np.arange(judgments.n_judgments)
    monkeypatch.setattr(against_others, "right_of_others", lambda _, at: np.full(len(at), others))
    monkeypatch.setattr(against_others, "right", lambda _: own + noise)
    monkeypatch.setattr(against_others, "is_checked", lambda _, item, __: np.ones(len(item), np.bool_))
    easier = since_change._easier(result, mine, ~after[mine])
    assert (easier[2] == -np.inf) == spared
    assert np.isfinite(easier[2]) != spared


class TestFallen:
    @staticmethod
    def drifts(before: list[float], after: list[float], changed: list[bool], n_after: int = 60) -> Drifts:
        n, unknown = len(before), np.zeros(len(before), np.int64)
        tested = ~np.isnan(before)
        nobody = np.zeros(n, np.bool_)
        return Drifts(
            changed=np.array(changed),
            with_items=nobody,
            with_others=nobody,
            when=unknown,
            earliest=unknown,
            latest=unknown,
            before=np.array(before),
            after=np.array(after),
            p=np.zeros(n),
            n_before=np.where(tested, 60, 0),
            n_after=np.where(tested, n_after, 0),
            crowd=CrowdChange(),
            with_crowd=nobody,
        )

    def test_who_is_clearly_below_the_median_worker_since(self) -> None:
        """Not who rose, who is hardly below, who did not change beyond chance, or who can't be looked at."""
        before = [0.9, 0.4, 0.99, 0.9, *[0.8] * 7, np.nan]
        after = [0.5, 0.6, 0.75, 0.5, *[0.8] * 7, np.nan]
        changed = [True, True, True, *[False] * 9]
        assert fallen(self.drifts(before, after, changed)).tolist() == [True, *[False] * 11]
        assert fallen(self.drifts(before, after, changed, n_after=4000)).tolist() == [True, False, True, *[False] * 9]

    def test_nobody_can_be_looked_at(self) -> None:
        assert not fallen(self.drifts([np.nan] * 2, [np.nan] * 2, [False] * 2)).any()
        assert not len(fallen(self.drifts([], [], [])))
