"""How workers go about it."""

import itertools
import math
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consensus import fit, read, simulate
from consensus.inputs.judgments import Judgments
from consensus.kernels import behaviour_loops as kernels
from consensus.kernels.timeline_loops import Shard
from consensus.worker_audit import WorkerAudit, behaviour_columns, behaviours
from tests import naive_timelines as naive
from tests.conftest import DIGITS, Run
from tests.worker_audit.test_drift import ALL, MARCH, at_random, crowds, lines_of, stamped

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

SECOND = 1_000_000
WITHOUT_TIMES = "seconds_median too_fast longest_streak streak_p n_sessions early_right late_right fatigue_p".split()


def timed_of(worker: Any, time: Any) -> list[list[int]]:
    """The judgments with a time of each worker, in order."""
    return [[j for j in own if time[j] != naive.UNKNOWN] for own in naive.timelines(worker, time, 3)]


class TestKernels:
    @settings(deadline=None)  # the first call compiles
    @given(crowds())
    def test_pauses_and_sessions(self, crowd: Any) -> None:
        worker, time, right = crowd
        lines, seconds, n = lines_of(worker, time), np.empty(len(worker)), np.zeros(3, np.int64)
        kernels.pauses(lines.of_workers(ALL), 2, seconds, n)
        out = np.zeros((3, 4))
        kernels.sessions(lines.of_workers(ALL), right, 2, out)
        expected = np.full(len(worker), np.nan)
        for w, own in enumerate(timed_of(worker, time)):
            found = naive.split_sessions(own, time[own].tolist(), 2)
            assert n[w] == len(found)
            for session in found:
                for before, after in itertools.pairwise(session):
                    expected[after] = (time[after] - time[before]) / SECOND
            early = [j for session in found for j in session[: len(session) // 3]]
            late = [j for session in found for j in session[len(session) - len(session) // 3 :]]
            assert out[w].tolist() == pytest.approx([len(early), right[early].sum(), len(late), right[late].sum()])
        np.testing.assert_allclose(seconds, expected)

    @settings(deadline=None)
    @given(crowds(), st.lists(st.sampled_from([math.nan, 0.5, 1.0, 3.0, 8.0]), min_size=40, max_size=40))
    def test_speeds(self, crowd: Any, drawn: list[float]) -> None:
        worker, time, _ = crowd
        lines, seconds = lines_of(worker, time), np.array(drawn[: len(worker)])
        item = np.sort(np.arange(len(worker), dtype=np.int32) % 4)
        starts = np.searchsorted(item, np.arange(5)).astype(np.int64)
        usual, out = np.empty(4), np.empty((3, 2))
        kernels.usual(starts, seconds, 3, 2.5, usual)
        kernels.speeds(lines.start, lines.judgment, item, seconds, usual, 0.3, out)
        for i in range(4):
            known = [s for s in seconds[item == i].tolist() if not math.isnan(s)]
            assert usual[i] == (statistics.median(known) if len(known) >= 3 else 2.5)
        for w in range(3):
            own = [j for j in range(len(worker)) if worker[j] == w and not math.isnan(seconds[j])]
            median = statistics.median(seconds[own].tolist()) if own else math.nan
            fast = statistics.fmean(float(seconds[j] < 0.3 * usual[item[j]]) for j in own) if own else math.nan
            np.testing.assert_allclose(out[w], [median, fast])

    @settings(deadline=None)
    @given(crowds(), st.integers(1, 3), st.randoms(use_true_random=False))
    def test_answers(self, crowd: Any, n_labels: int, random: Any) -> None:
        worker, time, _ = crowd
        J = len(worker)
        lines = lines_of(worker, time)
        label = np.array([random.randrange(n_labels) for _ in range(J)], np.int32)
        item, consensus = (
            np.arange(J, dtype=np.int32) // 2,
            np.array([random.randrange(-1, n_labels) for _ in range(J)]),
        )
        streaks, constant = np.empty((3, 2)), np.empty((3, 2))
        consensus = consensus.astype(np.int32)
        kernels.answers(lines.of_workers(ALL), label, item, consensus, n_labels, streaks, constant)
        for w, own in enumerate(timed_of(worker, time)):
            every = np.flatnonzero(worker == w)
            if len(every):
                most = max(range(n_labels), key=lambda k: ((label[every] == k).sum(), -k))
                expected = [(label[every] == most).mean(), (consensus[item[every]] == most).mean()]
                np.testing.assert_allclose(constant[w], expected)
            else:
                assert np.isnan(constant[w]).all()
            if not own:
                assert np.isnan(streaks[w]).all()
                continue
            assert streaks[w, 0] == naive.longest_run(label[own].tolist())
            if len(own) <= 7:
                runs = naive.expected_runs(label[own].tolist(), int(streaks[w, 0]))
                assert streaks[w, 1] == pytest.approx(runs)

    @settings(deadline=None)
    @given(st.integers(0, 5), st.data())
    def test_tired(self, n: int, data: st.DataObject) -> None:
        early, late = data.draw(st.integers(0, n)), data.draw(st.integers(0, n))
        p = np.empty(1)
        kernels.tired(np.array([n]), np.array([early]), np.array([late]), p)
        assert p[0] == pytest.approx(naive.tired(n, early, late))


@pytest.mark.parametrize("n", [16, 17, 40])
def test_median_of_many(n: int) -> None:
    rng = np.random.default_rng(n)
    seconds, usual = rng.integers(0, 9, n).astype(np.float64), np.empty(1)
    kernels.usual(np.array([0, n]), seconds, 3, 2.5, usual)
    assert usual[0] == np.median(seconds)


def test_a_long_streak_is_no_chance() -> None:
    label = np.array([0, 1] * 200 + [0] * 200, np.int32)
    at, streaks, constant = np.arange(600, dtype=np.int32), np.empty((1, 2)), np.empty((1, 2))
    start = np.array([0, 600])
    kernels.answers(Shard(start, start[:1], at, at.astype(np.int64)), label, at, label, 2, streaks, constant)
    assert streaks[0].tolist() == [200.0 + 0, 0.0]  # too small to tell from nothing


def in_sessions(seed: int, tiring: int) -> Judgments:
    """Four workers with ten sessions of 60 judgments, 10 s apart; one is often wrong late in a session."""
    drawn = simulate(600, confusion=[np.full((3, 3), 0.04) + 0.88 * np.eye(3)] * 4, per_item=4, seed=seed)
    judgments = drawn.judgments
    rng = np.random.default_rng(seed)
    place = np.stack([rng.permutation(600) for _ in range(4)], axis=1).ravel()  # of item i and worker w
    times = MARCH + (place // 60 * 86_400 + place % 60 * 10) * SECOND
    wrong = (judgments.worker == tiring) & (place % 60 >= 40) & (rng.random(2400) < 0.4)
    label = np.where(wrong, (judgments.label + 1) % 3, judgments.label).astype(np.int32)
    return stamped(replace(judgments, label=label), times)


@pytest.mark.compiled
def test_sessions_pace_and_fatigue() -> None:
    table = behaviours(fit(in_sessions(1, tiring=2)))
    assert table["n_sessions"].tolist() == [10.0] * 4
    assert table["seconds_median"].tolist() == [10.0] * 4
    assert table["too_fast"].tolist() == [0.0] * 4
    assert (table["fatigue_p"] < 0.001).tolist() == [False, False, True, False]
    assert table["late_right"][2] < table["early_right"][2] - 0.2
    assert table["expected_constant"].between(0.2, 0.5).all()


class WithDurations:
    """Judgments with a column ``duration``."""

    def __init__(self, judgments: Judgments, duration: Any) -> None:
        self.judgments, self.duration = judgments, duration

    def __getattr__(self, name: str) -> Any:
        return getattr(self.judgments, name)


@pytest.mark.compiled
def test_durations_go_before_pauses() -> None:
    result = fit(in_sessions(2, tiring=0))
    worker = result.judgments.worker
    duration = np.where(worker == 1, 1.0, 20.0)
    duration[worker == 3] = np.nan
    judgments: Any = WithDurations(result.judgments, duration)
    table = behaviours(replace(result, judgments=judgments))
    np.testing.assert_allclose(table["seconds_median"], [20, 1, 20, np.nan])
    np.testing.assert_allclose(table["too_fast"], [0, 1, 0, np.nan])
    assert table["n_sessions"].tolist() == [10.0] * 4


@pytest.mark.slow
def test_a_constant_answer_in_the_digits() -> None:
    rows = pd.read_csv(DIGITS / "judgments.csv", parse_dates=["timestamp"]).sort_values(["worker", "timestamp"])
    pauses = rows.groupby("worker")["timestamp"].diff()
    table = behaviours(fit(read(DIGITS / "judgments.csv"))).set_index("worker")
    assert table[["constant", "longest_streak", "streak_p"]].to_numpy().tolist()[33] == [1.0, 142.0, 1.0]
    assert table.index[33] == "w34"
    assert table["expected_constant"].to_dict()["w34"] < 0.2
    assert (table["constant"] > 0.4).sum() == 1
    assert (table["streak_p"] > 0.001).all()
    assert table["seconds_median"].between(5, 20).all()
    assert table["too_fast"].between(0, 0.1).all()
    assert table["n_sessions"].sum() == 36 + (pauses > pd.Timedelta(minutes=30)).sum()


@pytest.mark.slow
def test_threads_change_nothing() -> None:
    judgments = at_random(simulate(30_000, 40, 3, 5, seed=6).judgments, 6)
    one, two = (behaviours(fit(judgments, threads=threads)) for threads in (1, 2))
    assert one.equals(two)


class TestMissing:
    def test_without_times(self) -> None:
        table = behaviours(fit(simulate(100, 5, 2, 3, seed=1).judgments))
        assert table[WITHOUT_TIMES].isna().all(axis=None)
        assert table[["constant", "expected_constant"]].notna().all(axis=None)

    def test_with_unknown_times_only(self) -> None:
        judgments = simulate(100, 5, 2, 3, seed=1).judgments
        table = behaviours(fit(stamped(judgments, np.full(judgments.n_judgments, naive.UNKNOWN))))
        assert table[WITHOUT_TIMES].isna().all(axis=None)

    def test_with_one_judgment_an_item(self) -> None:
        rows = {"item": list("abcd"), "worker": list("vvww"), "label": list("xyxx"), "timestamp": [1, 2, 1, 9]}
        table = behaviours(fit(read(rows)))
        assert table[["expected_constant", "early_right", "fatigue_p"]].isna().all(axis=None)
        assert table["longest_streak"].tolist() == [1, 2]
        assert table["seconds_median"].tolist() == [1, 8]

    def test_with_sessions_too_short_for_thirds(self) -> None:
        rows = {"item": list("aabb"), "worker": list("vwvw"), "label": list("xyxx"), "timestamp": [1, 2, 1, 9]}
        assert behaviours(fit(read(rows)))[["early_right", "late_right", "fatigue_p"]].isna().all(axis=None)

    def test_models_only(self) -> None:
        votes = {"item": ["a", "b"], "model": ["m", "m"], "label": ["x", "y"]}
        assert behaviours(fit(None, model_votes=votes)).empty


@pytest.mark.compiled
def test_columns_and_command_line(run: Run, tmp_path: Path) -> None:
    columns = behaviour_columns(WorkerAudit(fit(simulate(60, 4, 2, 3, seed=1).judgments)))
    rows = (DIGITS / "judgments.csv").read_text().splitlines(keepends=True)[:500]
    (tmp_path / "judgments.csv").write_text("".join(rows))
    ran = run("audit", tmp_path / "judgments.csv", "--table", "behaviour")
    assert ran.status == 0
    lines = ran.out.splitlines()
    assert lines[0].split(",") == list(columns)
    assert len(lines) == 1 + len({row.split(",")[1] for row in rows[1:]})
