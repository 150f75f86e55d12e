"""Who changed over time, and when."""

import re
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import norm

from consensus import audit, fit, read, read_gold, simulate
from consensus.found.result import Consensus
from consensus.inputs.judgments import Judgments
from consensus.kernels import drift_loops as kernels
from consensus.kernels import timeline_loops as order
from consensus.report import audit_cautions
from consensus.worker_audit import WorkerAudit, drift_columns, drifting, drifts, tells_drift
from consensus.worker_audit.over_time import drift, others_change, same_label_items, timelines
from consensus.worker_audit.over_time.timelines import Timelines
from tests import attack_crowds
from tests import naive_timelines as naive
from tests.conftest import DIGITS, Run
from tests.strategies import encoded

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

DAY = 86_400_000_000
ALL = slice(0, 3)  # of the workers of ``crowds``
MARCH = int(np.datetime64("2025-03-01", "us").astype(np.int64))


def stamped(judgments: Judgments, times: NDArray[np.int64]) -> Judgments:
    return replace(judgments, timestamp=times.view("datetime64[us]"))


def at_random(judgments: Judgments, seed: int) -> Judgments:
    """The same judgments, spread over March at random."""
    rng = np.random.default_rng(seed)
    return stamped(judgments, MARCH + rng.integers(0, 30 * DAY, judgments.n_judgments))


@st.composite
def crowds(draw: st.DrawFn) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float64]]:
    """Worker, time (some unknown, many equal) and P(right) of some judgments of three workers."""
    n = draw(st.integers(0, 40))
    worker = draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    time = draw(st.lists(st.sampled_from([naive.UNKNOWN, *range(12)]), min_size=n, max_size=n))
    right = draw(st.lists(st.sampled_from([0.0, 0.0, 0.3, 0.9, 1.0, 1.0, 1.0]), min_size=n, max_size=n))
    return np.array(worker, np.int32), np.array(time, np.int64), np.array(right)


def lines_of(worker: NDArray[np.int32], time: NDArray[np.int64], most_bits: int = 62) -> Timelines:
    start = np.concatenate([[0], np.cumsum(np.bincount(worker, minlength=3))]).astype(np.int64)
    judgment, when = np.empty(len(worker), np.int32), np.empty(len(worker), np.int64)
    base, first = np.empty(3, np.int64), np.empty(3, np.int64)
    order.by_worker(worker, start[:-1].copy(), judgment)
    order.keys(start, judgment, time, most_bits, when, base)
    for w in range(3):
        when[start[w] : start[w + 1]].sort()
    order.in_time(start, base, time, judgment, when, first)
    return Timelines(start, first, judgment, when)


class TestKernels:
    @settings(deadline=None)  # the first call compiles
    @given(crowds(), st.integers(5, 10))
    def test_timelines(self, crowd: Any, most_bits: int) -> None:
        worker, time, _ = crowd
        lines = lines_of(worker, time, most_bits)
        for w, expected in enumerate(naive.timelines(worker, time, 3)):
            own = slice(lines.start[w], lines.start[w + 1])
            assert lines.judgment[own].tolist() == expected
            assert lines.time[own].tolist() == time[expected].tolist()
            assert lines.n_timed[w] == (time[expected] != naive.UNKNOWN).sum()

    @settings(deadline=None)  # the first call compiles
    @given(crowds())
    def test_changes_and_their_span(self, crowd: Any) -> None:
        worker, time, right = crowd
        lines, out = lines_of(worker, time), np.empty((3, 5))
        kernels.changes(lines.of_workers(ALL), right, 2, out)
        places = np.zeros((3, 2), np.int64)
        ends = np.stack([lines.first, lines.start[1:]], axis=1)
        kernels.span(ends, lines.judgment, lines.time, right, 2, out[:, 1] - 0.5, places)
        for w, judged in enumerate(naive.timelines(worker, time, 3)):
            timed = [j for j in judged if time[j] != naive.UNKNOWN]
            rights = right[timed].tolist()
            ratios = naive.ratios(rights, time[timed].tolist(), 2)
            assert out[w, 3:].tolist() == pytest.approx([sum(rights), sum(r * r for r in rights)])
            if not ratios:
                assert out[w, 0] == -1
                continue
            place = int(out[w, 0])
            assert out[w, 1] == pytest.approx(max(ratios.values()), abs=1e-9)
            assert ratios[place] == pytest.approx(max(ratios.values()), abs=1e-9)
            assert out[w, 2] == pytest.approx(sum(rights[:place]))
            near = [t for t, ratio in ratios.items() if ratio >= out[w, 1] - 0.5 - 1e-9]
            sure = [t for t, ratio in ratios.items() if ratio >= out[w, 1] - 0.5 + 1e-9]
            assert near[0] <= places[w, 0] <= sure[0]
            assert sure[-1] <= places[w, 1] <= near[-1]

    @settings(deadline=None)  # the first call compiles
    @given(st.integers(4, 11), st.data())
    def test_by_chance_counts_all_orders(self, n: int, data: st.DataObject) -> None:
        wrong = data.draw(st.integers(0, n))
        least = data.draw(st.integers(1, n // 2))
        ratio = data.draw(st.floats(0.01, 8))
        if data.draw(st.booleans()):  # one that is reached exactly
            rights = data.draw(st.permutations([0.0] * wrong + [1.0] * (n - wrong)))
            ratio = max(naive.ratios(rights, range(n), least).values())
        p = np.empty(1)
        kernels.by_chance(np.array([n]), np.array([wrong]), np.array([ratio]), least, p)
        assert p[0] == pytest.approx(naive.by_chance(n, wrong, ratio, least), rel=1e-9)

    @settings(deadline=None)  # the first call compiles
    @given(crowds(), st.lists(st.integers(0, 12), unique=True))
    def test_crowd(self, crowd: Any, places: list[int]) -> None:
        worker, time, right = crowd
        lines, at = lines_of(worker, time), np.array(sorted(places), np.int64)
        out = np.zeros((5, len(at)))
        kernels.crowd(lines.of_workers(ALL), right, at, 2, 1.5, out)
        expected = np.zeros((5, len(at)))
        for judged in naive.timelines(worker, time, 3):
            rights = [right[j] for j in judged if time[j] != naive.UNKNOWN]
            for g, place in enumerate(at):
                n_before = sum(naive.UNKNOWN < time[j] < place for j in judged)
                expected[2:4, g] += n_before, sum(rights[:n_before])
                if 2 <= n_before <= len(rights) - 2 and len(set(rights)) > 1:
                    z = naive.change_in_deviations(rights, n_before)
                    expected[:2, g] += min(max(z, -1.5), 1.5), 1
                    expected[4, g] += z
        np.testing.assert_allclose(out, expected, atol=1e-9)

    def test_clustered(self) -> None:
        rng = np.random.default_rng(1)
        item, worker = np.repeat(np.arange(5), [2, 0, 3, 1, 4]), rng.integers(0, 3, 10).astype(np.int32)
        known, right, mean, out = rng.random(10) < 0.7, rng.random(10), rng.random(3), np.zeros(2)
        kernels.clustered(np.array([0, 2, 2, 5, 6, 10]), worker, known, right, mean, out)
        d = np.where(known, right - mean[worker], 0.0)
        assert out[0] == pytest.approx(sum(d[item == i].sum() ** 2 for i in range(5)))
        assert out[1] == pytest.approx((d**2).sum())


@pytest.mark.slow
@pytest.mark.parametrize("gold", [None, "gold.csv"])
def test_the_drift_planted_in_the_digits(gold: str | None) -> None:
    result = fit(read(DIGITS / "judgments.csv"), gold=None if gold is None else read_gold(DIGITS / gold))
    table = drifting(result).set_index("worker")
    assert table.index[table["drifts"]].tolist() == ["w14", "w32"]
    for name, n_planted, day in (("w14", 144, "2025-03-14"), ("w32", 115, "2025-03-18")):
        row = table.loc[name]
        n = row["n_before"] + row["n_after"]
        assert abs(row["n_before"] - n_planted) <= 0.1 * n
        assert row["changed_earliest"] <= day <= row["changed_latest"]
        assert row["changed_earliest"] < row["changed_at"] <= row["changed_latest"]
        assert row["accuracy_before_low"] > row["accuracy_after_high"]
        assert row["reason"].startswith(f"right on {row['accuracy_before']:.0%} before 2025-03-")
    assert table["p_value"].isna().sum() == 3
    assert table.loc["w27", "reason"] == "6 judgments with a time; 20 are needed"
    assert table.loc[["w14", "w32"], "p_value"].max() < 1e-8
    everyone = table.iloc[-1]
    assert (everyone["scope"], everyone["drifts"]) == ("everyone", False)
    assert everyone["n_before"] + everyone["n_after"] == 5984


def guided(change: Callable[[NDArray[np.int32], NDArray[np.bool_]], NDArray[np.bool_]], seed: int) -> Judgments:
    """20 workers, 85 % right, whose right judgments after 15 March turn wrong where ``change`` says so."""
    drawn = simulate(2000, confusion=[np.full((3, 3), 0.075) + 0.775 * np.eye(3)] * 20, per_item=6, seed=seed)
    judgments = at_random(drawn.judgments, seed)
    assert judgments.timestamp is not None
    late = judgments.timestamp >= np.datetime64("2025-03-15")
    wrong = change(judgments.worker, late) & (np.random.default_rng(seed + 99).random(judgments.n_judgments) < 0.3)
    return replace(judgments, label=np.where(wrong, (judgments.label + 1) % 3, judgments.label).astype(np.int32))


@pytest.mark.compiled
def test_a_change_of_everyone_is_told_and_stands_in_the_reasons() -> None:
    table = drifting(fit(guided(lambda _, late: late, 1)))
    everyone = table.iloc[-1]
    assert everyone["drifts"]
    assert everyone["p_value"] < 0.01
    assert "2025-03-14" <= everyone["changed_at"] <= "2025-03-16"
    assert everyone["accuracy_after_high"] < everyone["accuracy_before_low"]
    changed = table[table["drifts"] & (table["scope"] == "worker")]
    assert len(changed) >= 15  # the others who judged the same items did so at any time
    together = changed["reason"].str.endswith("so did the whole crowd: ask what changed then")
    assert together.sum() >= 0.9 * len(changed)
    reason = everyone["reason"]
    assert re.match(
        r"judgments agree less since 2025-03-1\d: the crowd got worse or the items harder; a few gold items of each "
        r"date tell which \(right on \d+% before 2025-03-1\d and on \d+% since; \d+ of the 20 workers",
        reason,
    )
    assert f"changed then, {together.sum()} more than the others on the same items)" in reason
    n_then = int(reason.split(" of the 20 workers ")[0].rsplit(" ", 1)[1])
    assert together.sum() <= n_then <= 20


@pytest.mark.compiled
def test_a_few_who_drift_are_no_change_of_everyone() -> None:
    table = drifting(fit(guided(lambda worker, late: late & (worker < 3), 2)))
    assert table["drifts"].tolist() == [True] * 3 + [False] * 18
    assert table["changed_at"].iloc[:3].between("2025-03-14", "2025-03-16").all()
    assert not table["reason"].iloc[:3].str.contains("crowd").any()


@pytest.mark.compiled
def test_nobody_goes_with_a_crowd_that_goes_the_other_way() -> None:
    found = drifts(fit(guided(lambda worker, late: late == (worker > 2), 3)))
    assert found.crowd.changed
    assert found.changed[:3].all()
    assert not found.with_crowd[:3].any()
    assert found.with_crowd[3:].sum() >= 12


@pytest.mark.slow
@pytest.mark.parametrize(
    "crowd",
    [
        {"n_labels": 4, "per_item": 5},
        {"n_labels": 2, "per_item": 3, "accuracy": 0.85, "spammers": 0.1, "adversaries": 0.05},
        {"n_labels": 3, "per_item": 5, "accuracy": 0.98},
    ],
)
def test_steady_workers_are_not_said_to_drift(crowd: dict[str, Any]) -> None:
    """The rate holds for discoveries: without drift, any of 1,000 is flagged in one crowd of a hundred."""
    drawn = simulate(50_000, 1000, seed=4, **crowd)
    found = drifts(fit(at_random(drawn.judgments, 4)))
    p = found.p[~np.isnan(found.p)]
    assert len(p) > 900
    assert found.changed.sum() == 0
    assert not found.crowd.changed
    assert (p < 0.05).mean() < 0.07


@pytest.mark.slow
def test_items_of_varied_difficulty_are_no_drift() -> None:
    """Half of the items are easy, the others a coin's toss away from guessing."""
    rng = np.random.default_rng(5)
    drawn = simulate(20_000, confusion=[np.full((3, 3), 0.02) + 0.94 * np.eye(3)] * 100, per_item=5, seed=5)
    judgments = at_random(drawn.judgments, 5)
    hard = (rng.random(judgments.n_items) < 0.5)[judgments.item] & (rng.random(judgments.n_judgments) < 0.5)
    label = np.where(hard, rng.integers(0, 3, judgments.n_judgments), judgments.label).astype(np.int32)
    found = drifts(fit(replace(judgments, label=label)))
    assert found.changed.sum() == 0
    assert not found.crowd.changed
    assert (found.p < 0.05).mean() < 0.12


@pytest.mark.parametrize("mixed", [0, 3])
@pytest.mark.compiled
def test_a_steady_bias_is_no_drift_where_items_come_sorted_by_label(mixed: int) -> None:
    """With 0 items of the other label on either side of the switch, and with some."""
    table = np.stack([np.full((2, 2), 0.08) + 0.84 * np.eye(2)] * 9)
    table[0] = [[0.95, 0.05], [0.6, 0.4]]
    drawn = simulate(500, confusion=table, per_item=7, seed=4)
    order = np.where(np.arange(500) % 40 < mixed, 1 - drawn.truth, drawn.truth)
    times = MARCH + order[drawn.judgments.item].astype(np.int64) * DAY + np.arange(drawn.judgments.n_judgments) * 1000
    result = fit(stamped(drawn.judgments, times))
    found = drifts(result)
    assert found.p[0] < 1e-9
    assert not found.changed.any()
    assert found.with_items[0]
    assert not found.with_others.any()
    assert (
        drifting(result)["reason"].iloc[0].endswith(" since, but the change disappears among items of the same label")
    )


@pytest.mark.slow
def test_the_number_of_threads_changes_nothing() -> None:
    judgments = at_random(simulate(30_000, 40, 3, 5, seed=6).judgments, 6)
    one, two = (drifting(fit(judgments, threads=threads)) for threads in (1, 2))
    assert one.equals(two)


@pytest.mark.compiled
def test_long_timelines_have_the_limit_for_a_p_value(monkeypatch: pytest.MonkeyPatch) -> None:
    result = fit(at_random(simulate(1500, 4, 3, 4, seed=7).judgments, 7))
    exact = drifts(result).p
    monkeypatch.setitem(drifts.__globals__, "MOST_STEPS", 0)
    limit = drifts(result).p
    monkeypatch.setitem(drifts.__globals__, "MOST_STEPS", 20_000_000)
    monkeypatch.setitem(drifts.__globals__, "NEAR", 1.1)
    assert (drifts(result).p <= limit).all()
    assert (exact <= limit).all()


@pytest.mark.compiled
def test_shards_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    result = fit(guided(lambda _, late: late, 1))
    plain = drifting(result)
    assert plain["drifts"].iloc[-1]
    monkeypatch.setattr(timelines, "number_of_shards", lambda *_: 3)
    pd.testing.assert_frame_equal(drifting(result), plain)


def test_the_limit_of_long_timelines_by_its_formula() -> None:
    """Miller & Siegmund (1982), of a likelihood ratio of 8: four deviations."""
    expected = norm.pdf(4.0) * (1.0 + (4.0 - 1.0 / 4.0) * 2.0 * np.log((1000 - drift.LEAST) / drift.LEAST))
    assert drift._limit(np.array([1000]), np.array([8.0])) == pytest.approx(expected)


@pytest.mark.parametrize(("n_right", "stays"), [(12, False), (4, True)])
def test_a_change_stays_if_it_is_sure_within_a_label(n_right: int, stays: bool) -> None:
    """16 of 20 right before; 12 or 4 of 20 after, all on items of one label: 1.4 and 4 deviations."""
    right = np.concatenate([np.arange(20) < 16, np.arange(20) < n_right]).astype(np.float64)
    items: Any = np.arange(40)
    result: Any = SimpleNamespace(
        peaks=SimpleNamespace(best=np.zeros(40, np.int32)), judgments=SimpleNamespace(item=items)
    )
    lines: Any = SimpleNamespace(first=np.zeros(1, np.int64), n_timed=np.full(1, 40), judgment=items)
    found = same_label_items.staying(result, lines, right, np.ones(1, np.bool_), np.full(1, 20))
    assert found.tolist() == [stays]


def cut(n: int) -> tuple[slice, slice]:
    return slice(n), slice(n, None)


class TestAgainstTheOthers:
    @settings(deadline=None)
    @given(st.data(), st.integers(0, 14))
    def test_by_the_formula(self, data: st.DataObject, n_before: int) -> None:
        shares = st.sampled_from([0.0, 0.1, 0.5, 0.93, 1.0, 1.0])
        x = data.draw(st.lists(shares, min_size=14, max_size=14))
        o = data.draw(st.lists(st.one_of(shares, st.just(float("nan"))), min_size=14, max_size=14))
        found = others_change.beyond_others(np.array(x), np.array(o), np.arange(14) >= n_before)
        halves = [[a for a, b in zip(x[part], o[part], strict=True) if b == b] for part in cut(n_before)]
        if not all(halves) or abs(np.mean(halves[0]) - np.mean(halves[1])) > 1e-9:  # else there is no direction
            assert found == pytest.approx(naive.beyond_others(x, o, n_before), abs=1e-6)

    @pytest.mark.parametrize(("fall", "told"), [(0.0, True), (0.5, False)])
    def test_a_fall_counts_if_the_others_do_not_fall(self, fall: float, told: bool) -> None:
        rng = np.random.default_rng(1)
        late = np.arange(200) >= 100
        mine = (rng.random(200) < np.where(late, 0.4, 0.9)).astype(np.float64)
        others = (rng.random(200) < np.where(late, 0.9 - fall, 0.9)).astype(np.float64)
        for x, o in ((mine, others), (1.0 - mine, 1.0 - others)):  # a rise as a fall
            assert (others_change.beyond_others(x, o, late) > others_change.SURE) == told

    def test_nobody_knows_where_no_other_judged_on_one_side(self) -> None:
        x, o = np.repeat([1.0, 0.0], 20), np.repeat([0.9, np.nan], 20)
        assert others_change.beyond_others(x, o, np.arange(40) >= 20) == -np.inf
        assert others_change.beyond_others(x, o[::-1].copy(), np.arange(40) >= 20) == -np.inf

    @pytest.mark.compiled
    def test_harder_items_are_no_drift_of_workers(self) -> None:
        """Right on 95 % of the items of the first half, and on 60 % of the others; but for w00, who falls to 5 %."""
        rng = np.random.default_rng(3)
        late = np.repeat(np.arange(800) >= 400, 6)
        item, truth = np.repeat(np.arange(800), 6), np.repeat(rng.integers(0, 3, 800), 6)
        worker = rng.permuted(np.tile(np.arange(12), (800, 1)), axis=1)[:, :6].ravel()
        share = np.where(late, np.where(worker == 0, 0.05, 0.6), 0.95)
        label = (truth + (rng.random(4800) > share) * rng.integers(1, 3, 4800)) % 3
        rows = {"item": item, "worker": [f"w{w:02}" for w in worker], "label": label, "timestamp": 1_700_000_000 + item}
        table = drifting(fit(read(rows)))
        assert table["worker"][table["drifts"] & (table["scope"] == "worker")].tolist() == ["w00"]
        spared = table.iloc[1:-1]
        assert spared["p_value"].max() < 1e-4
        assert spared[["changed_earliest", "changed_latest"]].isna().all(axis=None)
        told = spared["reason"].str.fullmatch(
            r"no drift: right on \d\d% before 2023-11-14 and on \d\d% since, but the other judges of the same items "
            "changed as much"
        )
        assert told.all()
        assert table["reason"].iloc[0].endswith("since; so did the whole crowd: ask what changed then")
        assert "the crowd got worse or the items harder" in table["reason"].iloc[-1]
        assert "changed then, 1 more than" in table["reason"].iloc[-1]


@pytest.fixture(scope="module")
def by_rows() -> Consensus:
    """Eight workers, 85 % right; w0 says something else from row 1,001 of 2,000 on, and w8 judges twice."""
    drawn = simulate(400, confusion=[np.full((3, 3), 0.075) + 0.775 * np.eye(3)] * 8, per_item=5, seed=2)
    table = drawn.judgments_table().sort_values("item", ignore_index=True)
    late = (table["worker"] == "w0") & (table.index >= 1000)
    labels = drawn.judgments.labels
    table.loc[late, "label"] = table.loc[late, "label"].map(dict(zip(labels, (*labels[1:], labels[0]), strict=True)))
    few = pd.DataFrame({"item": table["item"].iloc[[0, -1]], "worker": "w8", "label": labels[0]})
    judgments = read(pd.concat([table, few]), drift_by="rows")
    assert judgments.timestamp is None
    assert judgments.read_row is not None
    ids = np.array(judgments.item_ids.to_pylist())[judgments.item]
    assert ids[np.argsort(judgments.read_row)].tolist() == [*table["item"], *few["item"]]
    return fit(judgments)


class TestByRows:
    @pytest.mark.compiled
    def test_who_changed_in_the_digits_is_found(self) -> None:
        """Data/digits without its times: the rows stand in order of arrival."""
        given = pd.read_csv(DIGITS / "judgments.csv", dtype=str)
        judgments = read(given.drop(columns="timestamp"), drift_by="rows")
        table = drifting(fit(judgments, gold=read_gold(DIGITS / "gold.csv"))).set_index("worker")
        assert table.index[table["drifts"]].tolist() == ["w14", "w32"]
        for worker, day in (("w14", "2025-03-14"), ("w32", "2025-03-18")):
            early, late = (
                int(str(table.loc[worker, name]).split()[1]) for name in ("changed_earliest", "changed_latest")
            )
            assert early <= (given["timestamp"] < day).sum() <= late

    def test_who_changed_is_told_with_the_guess(self, by_rows: Consensus) -> None:
        table = drifting(by_rows).set_index("worker")
        assert table.index[table["drifts"]].tolist() == ["w0"]
        row = table.loc["w0"]
        changed_at, earliest, latest = (
            int(str(row[name]).removeprefix("row ")) for name in ("changed_at", "changed_earliest", "changed_latest")
        )
        assert earliest < changed_at <= latest
        assert earliest <= 1001 <= latest
        assert row["reason"].endswith(
            f" before row {changed_at:,} and on {row['accuracy_after']:.0%} since, if rows stand in the order in which "
            "judgments were made"
        )
        assert table.loc["w8", "reason"] == "2 judgments with a place; 20 are needed"

    def test_the_same_as_by_time_where_rows_are_in_order(self, by_rows: Consensus) -> None:
        assert by_rows.judgments.read_row is not None
        stamps = MARCH + 60_000_000 * by_rows.judgments.read_row
        timed = replace(by_rows, judgments=replace(by_rows.judgments, timestamp=stamps.view("datetime64[us]")))
        one, two = drifts(by_rows), drifts(timed)
        assert one.p.tolist() == pytest.approx(two.p.tolist(), nan_ok=True)
        known = ~np.isnan(one.p)
        assert (MARCH + 60_000_000 * one.when[known]).tolist() == two.when[known].astype(np.int64).tolist()
        assert one.crowd.p == two.crowd.p

    def test_behaviour_over_time_stays_unknown(self, by_rows: Consensus) -> None:
        from consensus.worker_audit import behaviours

        assert (
            behaviours(by_rows)[["seconds_median", "longest_streak", "n_sessions", "fatigue_p"]].isna().all(axis=None)
        )

    def test_reasons_of_verdicts_and_the_chart(self, by_rows: Consensus) -> None:
        from consensus.report import charts, page_data

        told = audit(by_rows).set_index("worker")["reason"]
        assert re.match(r"\w+ since row [\d,]+: .*; right on \d+% before row [\d,]+, if rows", told["w0"])
        assert told["w0"].endswith("if rows stand in the order in which judgments were made")
        table, lines = page_data.drift_records(WorkerAudit(by_rows))
        first, changed, last = (one["row"] for one in lines[:3])
        assert 1 <= first < changed < last <= 2000
        assert table[0]["changed_at"] == f"row {changed}"
        x = charts.drift(lines).to_dict()["encoding"]["x"]
        assert (x["field"], x["title"]) == ("row", "row, if rows stand in order of time")

    @pytest.mark.compiled
    def test_on_the_screen_and_in_the_folder(self, run: Run, tmp_path: Any) -> None:
        path, out = tmp_path / "j.csv", tmp_path / "out"
        lines = (DIGITS / "judgments.csv").read_text().splitlines()[:1000]
        path.write_text("".join(line.rsplit(",", 1)[0] + "\n" for line in lines))
        ran = run("audit", path, "--table", "drift", "--drift-by", "rows")
        assert ran.status == 0
        assert "told by the order of rows, as if judgments stood in the order in which they were made" in ran.err
        assert ran.out.splitlines()[-1].startswith(",everyone,row ")
        assert "which is a guess" in run("run", path, "--output", out, "--drift-by", "rows").err
        assert (out / "drift.csv").read_text() == ran.out
        plain = run("run", path, "--output", tmp_path / "plain")
        assert "guess" not in plain.err
        assert not (tmp_path / "plain" / "drift.csv").exists()

    def test_nobody_is_asked(self) -> None:
        judgments = read({"item": ["a", "b"], "worker": ["v", "v"], "label": ["x", "y"]}, drift_by="rows")
        found = drifts(fit(judgments))
        assert not found.changed.any()
        assert found.crowd.when.astype(np.int64) == naive.UNKNOWN
        few = simulate(40, 3, 2, 3, seed=1).judgments
        table = drifting(fit(replace(few, read_row=np.arange(1, 121))))
        assert table["reason"].iloc[-1] == "fewer than 5 workers have 10 judgments before and after one place"


@pytest.fixture(scope="module")
def sleepers() -> attack_crowds.Crowd:
    """Ten labels, 20 honest workers, and those who guess in the second half of their judgments; no times."""
    return attack_crowds.draw(attack_crowds.Recipe("sleepers", 0.3, 10, n_honest=20), 41)


@pytest.mark.compiled
class TestGuessedOrder:
    """Nobody says that rows are in order, but they look like it."""

    def test_who_guesses_now_is_told_so(self, sleepers: attack_crowds.Crowd) -> None:
        result = fit(read(sleepers.table))
        assert result.judgments.rows_guessed
        told = audit(result).set_index("worker")
        hostile = told.index.isin(sleepers.hostile)
        bad = told["verdict"].isin({"careless", "spammer", "adversarial"})
        assert bad[hostile].mean() >= 0.8
        assert not bad[~hostile].any()
        reasons = told["reason"][hostile & bad]
        assert reasons.str.contains(r"^\w+ since row [\d,]+: ").mean() >= 0.8
        assert reasons.str.endswith("if rows stand in the order in which judgments were made").mean() >= 0.5

    def test_the_warning_says_that_it_is_a_guess(self, sleepers: attack_crowds.Crowd) -> None:
        found = audit_cautions.cautions(WorkerAudit(fit(read(sleepers.table))))
        (changed,) = (one for one in found if one.code == "workers_changed")
        assert "if rows stand in the order in which judgments were made" in changed.message

    def test_labels_stay_what_they_are(self, sleepers: attack_crowds.Crowd) -> None:
        plain, guessed = (fit(read(sleepers.table, drift_by=by)) for by in ("time", "auto"))
        assert np.array_equal(plain.posterior, guessed.posterior)
        assert not (audit(plain)["reason"].str.contains("since row")).any()

    def test_a_table_only_where_somebody_changed(self, sleepers: attack_crowds.Crowd) -> None:
        assert tells_drift(WorkerAudit(fit(read(sleepers.table))))
        steady = attack_crowds.draw(attack_crowds.Recipe(hostile=0.0, n_labels=4, n_honest=20), 42).table
        assert not tells_drift(WorkerAudit(fit(read(steady))))
        assert tells_drift(WorkerAudit(fit(read(steady, drift_by="rows"))))
        assert not tells_drift(WorkerAudit(fit(read(steady, drift_by="time"))))

    def test_sorted_rows_tell_nothing(self, sleepers: attack_crowds.Crowd) -> None:
        table = drifting(fit(read(sleepers.table.sort_values("item"))))
        assert set(table["reason"]) == {
            "no judgment has a time, and rows are sorted by item; drift_by=rows takes the order of rows for it"
        }

    def test_a_guess_must_be_surer(self, sleepers: attack_crowds.Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(drift, "GUESSED_RATE", 0.0)
        assert not drifts(fit(read(sleepers.table))).changed.any()
        assert drifts(fit(read(sleepers.table, drift_by="rows"))).changed.any()


class TestNothingToTell:
    def columns(self, result: Consensus) -> Any:
        table = drifting(result)
        assert table["p_value"].isna().all()
        assert not table["drifts"].any()
        assert table[["changed_at", "changed_earliest", "changed_latest"]].isna().all(axis=None)
        assert table[["accuracy_before", "accuracy_before_low", "accuracy_after_high"]].isna().all(axis=None)
        assert table["n_before"].tolist() == table["n_after"].tolist() == [0] * len(table)
        assert table["scope"].tolist() == ["worker"] * (len(table) - 1) + ["everyone"]
        return table

    def test_without_times(self) -> None:
        result = fit(simulate(100, 5, 2, 3, seed=1).judgments)
        table = self.columns(result)
        assert set(table["reason"]) == {"no judgment has a time; drift_by=rows takes the order of rows for it"}
        assert drifts(result).crowd.cluster == 1.0

    def test_with_unknown_times_only(self) -> None:
        judgments = simulate(100, 5, 2, 3, seed=1).judgments
        table = self.columns(fit(stamped(judgments, np.full(judgments.n_judgments, naive.UNKNOWN))))
        assert set(table["reason"].iloc[:-1]) == {"0 judgments with a time; 20 are needed"}
        assert "fewer than 5 workers have 10 judgments before and after" in table["reason"].iloc[-1]

    def test_at_one_time(self) -> None:
        judgments = simulate(100, 5, 2, 3, seed=1).judgments
        table = self.columns(fit(stamped(judgments, np.full(judgments.n_judgments, MARCH))))
        assert set(table["reason"].iloc[:-1]) == {"no two times with 10 judgments before and after"}

    def test_with_one_judgment_an_item(self) -> None:
        judgments = encoded([(f"i{i}", "w", f"l{i % 2}") for i in range(40)])
        table = self.columns(fit(stamped(judgments, MARCH + np.arange(40))))
        assert set(table["reason"]) == {"every item has one judgment and nothing to compare it with"}

    def test_with_nobody(self) -> None:
        votes = {"item": ["a", "b"], "model": ["m", "m"], "label": ["x", "y"]}
        result = fit(None, model_votes=votes)
        self.columns(result)
        timed = replace(result.judgments, timestamp=np.zeros(0, "datetime64[us]"))
        table = self.columns(replace(result, judgments=timed))
        assert len(table) == 1

    def test_with_one_label_and_nobody_ever_wrong(self) -> None:
        judged = [(f"i{i}", f"w{w}", "x") for i in range(30) for w in range(3)]
        judgments = encoded(judged)
        found = drifts(fit(stamped(judgments, MARCH + np.arange(90))))
        assert found.p.tolist() == [1.0] * 3
        assert found.before.tolist() == found.after.tolist() == [1.0] * 3


def test_majority_votes_and_kept_repeats() -> None:
    rows: dict[str, list[Any]] = {"item": [], "worker": [], "label": [], "timestamp": []}
    for n in range(60):
        rows["item"] += [f"i{n // 2}"] * 5
        rows["worker"] += ["s", "t", "u", "v", "w"]
        rows["label"] += ["x", "x", "x", "x", "x" if n < 30 else "y"]
        rows["timestamp"] += [MARCH // 1_000_000 + n] * 5
    found = drifts(fit(read(rows, repeats="keep"), model="majority_vote"))
    assert found.changed[4]
    assert found.n_before[4] == 30


@pytest.mark.compiled
def test_columns_and_command_line(run: Run, tmp_path: Any) -> None:
    columns = drift_columns(WorkerAudit(fit(simulate(60, 4, 2, 3, seed=1).judgments)))
    path = tmp_path / "j.csv"
    path.write_text("".join((DIGITS / "judgments.csv").read_text().splitlines(keepends=True)[:2000]))
    ran = run("audit", path, "--table", "drift")
    assert ran.status == 0
    lines = ran.out.splitlines()
    assert lines[0].split(",") == list(columns)
    assert lines[-1].startswith(",everyone,2025-03-")


@pytest.mark.compiled
def test_a_crowd_that_gets_better() -> None:
    table = drifting(fit(guided(lambda _, late: ~late, 4)))
    assert re.match(
        r"judgments agree more since 2025-03-1\d: the crowd got better or the items easier; a few gold items of each",
        table["reason"].iloc[-1],
    )
