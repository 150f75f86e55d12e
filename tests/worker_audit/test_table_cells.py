"""Cells of the tables about workers, each again from what it is made of."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta, hypergeom

from consensus import fit, read, simulate, worker_audit
from consensus.backends import Threads
from consensus.config import AuditConfig
from consensus.formats import writing
from consensus.found.result import Consensus
from consensus.runs import Run
from consensus.worker_audit import WorkerAudit
from consensus.worker_audit.accuracy import against_others, confusion_table, one_label_verdicts, verdicts, workers_table
from consensus.worker_audit.on_gold import retest_items
from consensus.worker_audit.over_time import behaviour
from tests.strategies import encoded

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

ONE = Threads(1)
MINUTE = np.timedelta64(60_000_000, "us")
MARCH = np.datetime64("2025-03-01T00:00", "us")


def never_met() -> Consensus:
    """By maximum likelihood; w judged no item of the first label, and is always right."""
    judged = [(f"i{i}", w, f"l{i % 2}") for i in range(8) for w in ("v", "w") if w == "v" or i % 2]
    gold = {"item": [f"i{i}" for i in range(8)], "label": [f"l{i % 2}" for i in range(8)]}
    return fit(encoded(judged), gold=gold, prior="none", rho=0.3)


class TestConfusions:
    def test_of_a_label_that_a_worker_never_met(self) -> None:
        table: Any = worker_audit.confusions(never_met(), every=True).set_index(["worker", "true_label", "label"])
        never = table.loc[("w", "l0")]
        assert (never["count"] == 0).all()
        assert never[["probability", "low", "high"]].isna().all(axis=None)
        sure = table.loc[("w", "l1", "l1")]
        assert sure[["count", "probability", "low", "high"]].tolist() == [4, 1, 1, 1]

    @pytest.mark.parametrize("prior", ["fixed", "none"])
    def test_every_cell(self, prior: Any) -> None:
        """Counts of an uncertain truth are worth what is known of it, a tenth at least."""
        drawn = simulate(40, 6, 3, 3, accuracy=0.55, spammers=0.3, seed=2)
        result = fit(drawn.judgments, prior=prior, rho=0.3)
        N, A, j = result.confusions.dense_counts(), result.confusions.pseudo_counts, result.judgments
        known = confusion_table.known_share(result)
        for w in range(6):
            right = (np.trace(N[w]) + 1) / (N[w].sum() + 2)
            r = result.posterior[j.item[j.worker == w], j.label[j.worker == w]]
            expected = 1 - (r * (1 - r)).sum() / max(len(r), 1) / (right * (1 - right))
            assert known[w] == pytest.approx(min(max(expected, 0.1), 1.0))
        columns = worker_audit.ConfusionCells.of(WorkerAudit(result), every=True).columns(slice(None))
        cell = 0
        for w in range(6):
            for k in range(3):
                for observed in range(3):
                    a, total = N[w, k, observed] + A[k, observed], N[w, k].sum() + A[k].sum()
                    assert columns["count"][cell] == pytest.approx(N[w, k, observed])
                    assert columns["probability"][cell] == pytest.approx(a / total)
                    less = (N[w, k].sum() * known[w] + A[k].sum()) / total
                    if a > 0 and total - a > 1e-12 and less > 1e-9:
                        of = beta(a * less, (total - a) * less)
                        assert columns["low"][cell] == pytest.approx(of.ppf(0.025), abs=1e-9)
                        assert columns["high"][cell] == pytest.approx(of.ppf(0.975), abs=1e-9)
                    cell += 1
        assert cell == len(columns["count"])

    def test_what_the_least_known_share_is(self) -> None:
        """Whose judgments are all a coin's toss, nobody knows whether right: a tenth of them counts."""
        totals = np.array([[10.0, 10.0]])
        result: Any = SimpleNamespace(
            judgments=SimpleNamespace(per_worker=np.array([20])),
            confusions=SimpleNamespace(totals=lambda: totals, right=lambda: totals / 2),
            beliefs=SimpleNamespace(doubt=lambda *_: np.array([20 * 0.25])),
            backend=ONE,
            units=None,
        )
        assert confusion_table.known_share(result).tolist() == [0.1]
        result.beliefs.doubt = lambda *_: np.array([20 * 0.225])
        assert confusion_table.known_share(result).tolist() == [pytest.approx(0.1)]
        result.beliefs.doubt = lambda *_: np.array([20 * 0.2])
        assert confusion_table.known_share(result).tolist() == [pytest.approx(0.2)]

    def test_cells_with_a_hundredth_of_a_judgment_are_shown(self) -> None:
        result = fit(simulate(60, 5, 3, 3, accuracy=0.9, seed=0).judgments, rho=0.3)
        found = result.confusions.counts
        assert ((found > 0.005) & (found < 0.01)).any()
        assert ((found > 0.01) & (found < 0.02)).any()
        right = result.confusions.true == result.confusions.label
        assert (result.confusions.totals() > 0.01).all()
        assert len(worker_audit.confusions(result)) == (found[~right] >= 0.01).sum() + 5 * 3

    def test_the_order_is_that_of_all_cells(self) -> None:
        result = fit(simulate(60, 5, 3, 3, accuracy=0.9, seed=0).judgments, rho=0.3)
        some, every = worker_audit.confusions(result), worker_audit.confusions(result, every=True)
        kept = every.merge(some[["worker", "true_label", "label"]], on=["worker", "true_label", "label"])
        assert kept.equals(some)

    def test_long_labels_are_written_block_by_block(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A table of workers x labels x labels as text did not fit into one array: here no more than 7 rows at once."""
        sizes = []
        real = worker_audit.ConfusionCells.columns

        def counted(cells: worker_audit.ConfusionCells, rows: Any, backend: Any = None) -> Any:
            sizes.append(len(cells.worker[rows]))
            return real(cells, rows, backend)

        monkeypatch.setattr(worker_audit.ConfusionCells, "columns", counted)
        monkeypatch.setattr(writing, "BLOCK", 7)
        judged = [(f"i{i}", f"w{w}", f"label {i % 40} " * 20) for i in range(120) for w in range(3)]
        found = Run.of(fit(encoded(judged), rho=0.3))
        found.save(tmp_path / "out", report=False)
        assert max(sizes) == 7
        rows = pd.read_csv(tmp_path / "out" / "confusions.csv")
        assert len(rows) == len(found.confusion_cells) < 3 * 40 * 40 / 5
        assert rows["count"].sum() == pytest.approx(360, rel=0.05)


class TestWorkers:
    def test_every_column(self) -> None:
        drawn = simulate(80, 6, 2, 3, accuracy=0.8, seed=4)
        result = fit(drawn.judgments, gold=drawn.truth_table(20), rho=0.3)
        audit = WorkerAudit(result, price=0.5)
        table = worker_audit.audit(audit)
        known, j = audit.accuracy, result.judgments
        np.testing.assert_allclose(table["accuracy"], known.mean)
        np.testing.assert_allclose(table["accuracy_low"], known.interval[0])
        np.testing.assert_allclose(table["accuracy_high"], known.interval[1])
        np.testing.assert_allclose(table["label_adjusted_accuracy"], np.clip(known.mean + known.label_mix, 0, 1))
        assert result.gold is not None
        for w in range(6):
            own = (j.worker == w) & np.isin(j.item, result.gold.items)
            right = (drawn.truth[j.item[own]] == j.label[own]).sum()
            assert table["gold_n"][w] == own.sum()
            assert table["gold_accuracy"][w] == pytest.approx(right / own.sum())
            assert table["n_judgments"][w] == (j.worker == w).sum()
        bits = result.informativeness / np.log(2)
        np.testing.assert_allclose(table["informativeness"], bits)
        assert 1.0 in table["worth"].tolist()  # of the median worker
        np.testing.assert_allclose(table["worth"] / table["worth"].max(), bits / bits.max())
        assert (table["price"] == 0.5).all()
        np.testing.assert_allclose(table["bits_per_price"], 2 * bits)
        assert table["expected_cost"].isna().all()
        assert table["verdict"].tolist() == [verdicts.VERDICTS[code] for code in audit.verdicts.verdict]
        assert workers_table.verdict_counts(audit) == table["verdict"].value_counts().to_dict()

    def test_gold_of_several_labels_is_counted_once(self) -> None:
        judged = [(f"i{i}", f"w{w}", f"l{(i + w) % 3}") for i in range(9) for w in range(3)]
        gold = {"item": ["i0", "i0", "i5", "i7"], "label": ["l0", "l1", "l2", "l0"]}
        n, right = one_label_verdicts.on_gold(fit(encoded(judged), gold=gold))
        assert n.tolist() == [3, 3, 3]
        assert right.tolist() == [1 + 1 + 0, 1 + 0 + 0, 0 + 0 + 1]


class TestRetests:
    def columns(self, monkeypatch: pytest.MonkeyPatch, n_items: int = 20, identified: bool = True) -> Any:
        """Six workers: open with few judgments, open with enough, near, settled, not near, nothing needed."""
        judged = SimpleNamespace(
            verdict=np.array([verdicts.TOO_FEW] * 2 + [verdicts.GOOD] * 4, np.int32),
            n_judgments=np.array([15, 20, 40, 40, 40, 40]),
            accuracy=np.zeros(6),
            near=np.array([True, True, True, True, False, True]),
            careless_below=0.6,
        )
        needed = {0: 3, 1: 4, 2: 30, 3: 0, 4: 50, 5: 1}
        monkeypatch.setattr(retest_items, "needed", lambda *_: np.array(list(needed.values())))
        asked: list[Any] = []

        def proposed(_: Any, __: Any, workers: Any, n: Any, ___: Any) -> Any:
            asked.append((workers.tolist(), n.tolist()))
            own = np.repeat(np.arange(len(workers)), n)
            return own, np.zeros(len(own), np.int64), np.zeros(len(own), np.int32)

        monkeypatch.setattr(retest_items, "proposed", proposed)
        import pyarrow as pa

        judgments = SimpleNamespace(
            is_person=np.ones(6, np.bool_),
            worker_ids=pa.array(list("abcdef")),
            item_ids=pa.array(["i"]),
            labels=("x",),
        )
        audit: Any = SimpleNamespace(
            result=SimpleNamespace(judgments=judgments, identified=identified),
            config=AuditConfig(min_worker_judgments=20),
            verdicts=judged,
            skills=None,
        )
        audit.of_members = audit
        return retest_items.retest_columns(audit, n_items), asked[0]

    def test_whose_verdict_is_open_and_with_how_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is missing; as many again where enough did not settle it; else what settles the accuracy."""
        columns, (workers, n) = self.columns(monkeypatch)
        assert workers == [0, 1, 2, 5]
        assert n == [5, 20, 20, 1]
        needed = dict(zip(columns["worker"].to_pylist(), columns["n_needed"].tolist(), strict=True))
        assert needed == {"a": 5, "b": 20, "c": 30, "f": 1}

    def test_nobody_without_items_or_where_nothing_tells(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.columns(monkeypatch, n_items=0)[1][0] == []
        assert self.columns(monkeypatch, identified=False)[1][0] == []


class TestBehaviour:
    def result(self, seed: int = 1) -> Consensus:
        """Three workers with pauses of some minutes, some of which are a second longer than half an hour."""
        rng = np.random.default_rng(seed)
        judgments = simulate(60, 3, 2, 3, accuracy=0.75, seed=seed).judgments
        table: dict[str, Any] = {"item": [], "worker": [], "label": [], "timestamp": []}
        clock = dict.fromkeys(range(3), MARCH)
        for n in rng.permutation(judgments.n_judgments).tolist():
            w = int(judgments.worker[n])
            clock[w] = clock[w] + np.timedelta64(1, "s") * int(rng.choice([60, 120, 180, 1800, 1801]))
            table["item"].append(judgments.item_ids[int(judgments.item[n])].as_py())
            table["worker"].append(f"w{w}")
            table["label"].append(judgments.labels[judgments.label[n]])
            table["timestamp"].append(str(clock[w]) + "Z")
        return fit(read(table), rho=0.3)

    def test_early_and_late_in_sessions(self) -> None:
        """The first and the last third of each, and Fisher's exact test of where the wrong ones are."""
        result = self.result()
        j, right = result.judgments, against_others.right(result)
        assert j.timestamp is not None
        table = worker_audit.behaviours(result)
        for w in range(3):
            own = np.flatnonzero(j.worker == w)
            own = own[np.argsort(j.timestamp[own], kind="stable")]
            pauses = np.flatnonzero(np.diff(j.timestamp[own]) > 30 * MINUTE) + 1
            sessions = np.split(own, pauses)
            assert table["n_sessions"][w] == len(sessions)
            early = np.concatenate([one[: len(one) // 3] for one in sessions])
            late = np.concatenate([one[len(one) - len(one) // 3 :] for one in sessions])
            assert len(early) > 3
            assert table["early_right"][w] == pytest.approx(right[early].mean())
            assert table["late_right"][w] == pytest.approx(right[late].mean())
            n = len(early)
            wrong = round(2 * n - right[early].sum() - right[late].sum())
            wrong_late = int(np.floor(n - right[late].sum()))
            assert table["fatigue_p"][w] == pytest.approx(hypergeom.sf(wrong_late - 1, 2 * n, wrong, n))
            seconds = np.diff(j.timestamp[own]).astype(np.int64) / 1e6
            assert table["seconds_median"][w] == np.median(seconds[seconds <= 1800])

    def test_too_fast_beside_the_usual_time_of_an_item(self) -> None:
        """Below three tenths of the median of an item with three known times; else of all."""
        seconds = np.array([10.0, 20.0, 30.0, 5.99, 6.0, np.nan, 1.0, np.nan])
        judgments = SimpleNamespace(n_judgments=8, n_items=3, item_start=np.array([0, 3, 6, 8]))
        result: Any = SimpleNamespace(judgments=judgments, backend=ONE)
        usual = behaviour._usual(result, seconds)
        overall = np.median([10.0, 20.0, 30.0, 5.99, 6.0, 1.0])
        assert usual.tolist() == [20.0, overall, overall]
        assert np.isnan(behaviour._usual(result, np.full(8, np.nan))).all()

    @pytest.mark.parametrize(("n", "step"), [(1_000_000, 1), (1_000_001, 2), (2_000_001, 3)])
    def test_the_median_of_all_is_that_of_a_sample(self, n: int, step: int) -> None:
        seconds = np.where(np.arange(n) % step == 0, 3.0, 9.0) if step > 1 else np.full(n, 3.0)
        if step == 1:
            seconds[1::2] = 5.0
        judgments = SimpleNamespace(n_judgments=n, n_items=1, item_start=np.array([0, 0]))
        result: Any = SimpleNamespace(judgments=judgments, backend=ONE)
        assert behaviour._usual(result, seconds).tolist() == [4.0 if step == 1 else 3.0]

    @pytest.mark.compiled
    def test_who_is_always_wrong_in_the_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Or at the beginning; and who has no session long enough."""

        def sessions(_: Any, __: Any, ___: Any, found: Any) -> None:
            found[:] = [[3, 0, 0, 2.5], [4, 3.5, 0, 0.0], [0, 0, 0, 0]]

        monkeypatch.setattr(behaviour.kernels, "sessions", sessions)  # type: ignore[attr-defined]
        monkeypatch.setattr(behaviour.against_others, "right", lambda _: None)  # type: ignore[attr-defined]
        lines: Any = SimpleNamespace(
            n_timed=np.ones(3), of_workers=lambda _: None, map=lambda _, shard: [shard(slice(0, 3))]
        )
        result: Any = SimpleNamespace(judgments=SimpleNamespace(n_workers=3), identified=True)
        early, late, p = behaviour._tired(result, lines)
        np.testing.assert_allclose(early, [0.0, 0.875, np.nan])
        np.testing.assert_allclose(late, [2.5 / 3, 0.0, np.nan])
        expected = [hypergeom.sf(-1, 6, 4, 3), hypergeom.sf(3, 8, 4, 4), np.nan]
        np.testing.assert_allclose(p, expected)
        result.identified = False
        for one in behaviour._tired(result, lines):
            assert np.isnan(one).all()
