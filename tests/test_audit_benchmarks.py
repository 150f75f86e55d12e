"""The parts of the benchmark of the worker audit that need neither its peers nor large crowds."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from consensus import fit, read, simulate
from consensus.worker_audit import WorkerAudit
from tests.conftest import ROOT

if TYPE_CHECKING:
    from tests.benchmarks import (
        audit,
        audit_behaviour,
        audit_clusters,
        audit_coverage,
        audit_crowds,
        audit_rank,
        audit_speed,
        drift_crowds,
        gold_reach,
        markdown_tables,
    )
else:  # scripts: their own folder is on the path
    sys.path.append(str(ROOT / "tests" / "benchmarks"))
    import audit
    import audit_behaviour
    import audit_clusters
    import audit_coverage
    import audit_crowds
    import audit_rank
    import audit_speed
    import drift_crowds
    import gold_reach
    import markdown_tables


def test_markdown() -> None:
    assert markdown_tables.table(["a", "b"], [("x", 1), ("y", "2")]) == "| a | b |\n|---|--:|\n| x | 1 |\n| y | 2 |"
    assert markdown_tables.share(1, 8) == "12.5"
    assert not markdown_tables.share(0, 0)


class TestAudit:
    @pytest.mark.parametrize("kind", audit_crowds.KINDS)
    @pytest.mark.parametrize("n_labels", [2, 5])
    def test_planted_confusions(self, kind: str, n_labels: int) -> None:
        rng = np.random.default_rng(1)
        for _ in range(20):
            C = audit_crowds.confusion_of(rng, kind, n_labels)
            assert np.allclose(C.sum(axis=1), 1.0)
            assert C.min() >= 0
            right, at_random = np.diag(C), np.ptp(C, axis=0).max() < 1e-12
            assert at_random == (kind == "spammer")
            if kind == "good":
                assert right.min() >= 0.6
            elif kind == "adversarial":
                assert right.max() <= 0.15
            elif kind == "biased":
                assert (C.max(axis=1) > right).sum() == 1
                assert right.sum() > 1.2  # 1 of who tells nothing

    def test_planted_kinds(self) -> None:
        drawn, kind = audit_crowds.planted(3, 1)
        n = {name: int((kind == name).sum()) for name in audit_crowds.KINDS}
        assert sum(n.values()) == len(kind) == drawn.judgments.n_workers
        assert all(n[name] == max(round(share * len(kind)), 1) for name, share in audit_crowds.SHARES.items())
        again, _ = audit_crowds.planted(3, 1)
        other, _ = audit_crowds.planted(3, 2)
        assert np.array_equal(drawn.confusion, again.confusion)
        assert not np.array_equal(drawn.confusion, other.confusion)

    def test_what_was_found_stands_beside_what_was_planted(self) -> None:
        drawn = simulate(300, 12, 3, 6, prior=[0.5, 0.3, 0.2], seed=4)
        workers, cells = audit_crowds.covered(drawn, 7)
        assert len(workers) == 12
        assert len(cells) == 12 * 9
        own = drawn.truth[drawn.judgments.item[drawn.judgments.worker == 3]]
        assert workers["planted"][3] == pytest.approx(drawn.confusion[3, own, own].mean())
        for table in (workers, cells):  # in the same order: else they would have nothing in common
            assert np.corrcoef(table["found"], table["planted"])[0, 1] > 0.8
            assert (table["crowd"] == 7).all()

    def test_rows_by_judgments(self) -> None:
        table = pd.DataFrame({"n": [1, 4, 5, 20, 21, 100, 5000]})
        found = {name: table["n"][chosen].tolist() for name, chosen in audit_crowds.binned(table)}
        assert found["1-4"] == [1, 4]
        assert found["5-9"] == [5]
        assert found["10-20"] == [20]
        assert not found["50-99"]
        assert found["100+"] == [100, 5000]
        assert found["all"] == table["n"].tolist()

    @pytest.mark.slow
    def test_simulated_parts_are_told(self) -> None:
        assert "2 of 2 crowds" in audit_crowds.coverage(5, 2)
        assert "| either of them: recall % |" in audit_crowds.verdicts(5, 2)

    def test_true_accuracy_of_those_with_enough_items(self) -> None:
        table = pd.DataFrame(
            [(f"i{n}", "often", "a" if n < 15 else "b") for n in range(25)]
            + [(f"i{n}", "seldom", "a") for n in range(19)],
            columns=["item", "worker", "label"],
        )
        truth = pd.DataFrame({"item": [f"i{n}" for n in range(20)], "label": "a"})
        found = audit_rank.true_accuracy(read(table), truth)
        assert found.to_dict() == {"often": 0.75}

    def test_which_posterior_holds_the_true_accuracy(self) -> None:
        drawn = simulate(200, 8, 3, 4, seed=2)
        audited = WorkerAudit(fit(drawn.judgments))
        ids = drawn.judgments.worker_ids.to_pylist()
        true = pd.Series(audited.accuracy.by_record.mean, ids)[1:]
        table: Any = audit_coverage.held(audited, true).set_index("way")
        assert table.index.value_counts().to_dict() == dict.fromkeys(audit_coverage.WAYS, 7)
        assert table.loc["record", "inside"].all()
        assert np.allclose(table.loc["record", "error"], 0.0)
        assert table.loc["average", "inside"].all()
        nowhere = audit_coverage.held(audited, true + 1.0)
        assert not nowhere["inside"].any()
        low, high = audited.accuracy.interval
        assert np.allclose(table.loc["average", "width"], (high - low)[1:])

    @pytest.mark.compiled
    def test_posteriors_of_sets_and_crowds(self, monkeypatch: pytest.MonkeyPatch) -> None:
        drawn = simulate(150, 6, 2, 3, seed=2)
        monkeypatch.setattr(audit_rank, "read", lambda _: (drawn.judgments, drawn.truth_table()))
        monkeypatch.setattr(audit_coverage, "GOLD_SEEDS", (0,))
        told = audit_coverage.posteriors(["made up"], 1, 2)
        for start in ("| made up, no gold | 6 |", "| made up, 100 gold | 6 |", "| simulated, independent judgments |"):
            assert start in told

    def test_correlations_are_over_common_workers(self) -> None:
        true = pd.Series({"a": 0.1, "b": 0.2, "c": 0.3, "z": 0.0})
        ratings = pd.DataFrame(
            {"same": [1.0, 2.0, 3.0, 0.0], "reverse": [3.0, 2.0, 1.0, 9.0], "few": [np.nan, np.nan, 1.0, 1.0]},
            index=["a", "b", "c", "y"],
        )
        found = audit_rank.correlations(ratings, true)
        assert found[["same", "reverse"]].tolist() == pytest.approx([1.0, -1.0])
        assert np.isnan(found["few"])

    def test_our_ratings_are_by_worker(self) -> None:
        drawn = simulate(200, 6, 3, 4, seed=2)
        ratings = audit_rank.our_ratings(drawn.judgments, drawn.truth_table(50))
        assert ratings.index.tolist() == drawn.judgments.worker_ids.to_pylist()
        assert ratings.notna().all(axis=None)
        table = audit_rank.table_of(drawn.judgments)
        by = ["item", "worker"]
        drawn_table = drawn.judgments_table().sort_values(by)
        assert table.to_numpy(str).tolist() == drawn_table.to_numpy(str).tolist()

    def test_a_ring_copies(self) -> None:
        table, truth = audit_behaviour.ringed(3)
        assert len(truth) == audit_behaviour.HONEST_ITEMS
        source = table[table["worker"] == "source"].set_index("item")["label"]
        assert len(source) == audit_behaviour.RING_ITEMS
        for n in range(audit_behaviour.RING):
            copied = table[table["worker"] == f"copy{n}"]
            assert 0.9 < (copied["label"] == copied["item"].map(source)).mean() < 1.0
        by_chance = (source == truth.set_index("item")["label"][source.index]).mean()
        assert by_chance < 0.35  # of five labels

    def test_times_are_spread_at_random(self) -> None:
        judgments = simulate(200, 6, 3, 4, seed=2).judgments
        timed = audit_behaviour.timed(judgments, 1).timestamp
        assert timed is not None
        assert timed.dtype == "datetime64[us]"
        assert np.ptp(timed).astype("timedelta64[D]").astype(int) == audit_behaviour.DAYS - 1

    @pytest.mark.compiled
    def test_where_items_get_harder_nobody_drifts(self) -> None:
        drawn = drift_crowds.crowd("easy first", 3)
        assert not drawn.changing
        found = drift_crowds.flagged(drawn)
        assert found.n_steady == drift_crowds.N_WORKERS
        assert found.false_alone >= 10
        assert found.false <= 1
        assert found.everyone == 1
        assert found.steady_now <= found.steady_by_all + 1
        assert not found.changing_now

    @pytest.mark.compiled
    def test_crowds_with_changing_workers_are_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(drift_crowds, "N_ITEMS", 300)
        first, second = drift_crowds.told(0, 8).split("\n\n")
        assert "| joining: workers come and go, the later ones worse | 20 |" in first
        assert "| all | 120 |" in first
        *_, n_changing, n_found, n_alone, _, _, n_bad = (
            cell.strip() for cell in second.splitlines()[-1].split("|")[:-1]
        )
        assert int(n_changing) == 6 * drift_crowds.N_CHANGING
        assert int(n_found) <= int(n_alone)
        assert int(n_bad) <= int(n_changing)

    @pytest.mark.parametrize("scenario", drift_crowds.SCENARIOS)
    def test_crowds_are_drawn_by_their_seed(self, scenario: str) -> None:
        drawn = drift_crowds.crowd(scenario, 2, changing=True, scale=9)
        again = drift_crowds.crowd(scenario, 2, changing=True, scale=9).judgments
        judgments = drawn.judgments
        assert np.array_equal(judgments.label, again.label)
        assert len(drawn.changing) == drift_crowds.N_CHANGING
        assert (judgments.per_item == drift_crowds.PER_ITEM).all()
        assert judgments.timestamp is not None
        assert not np.isnat(judgments.timestamp).any()

    @pytest.mark.compiled
    def test_wrong_gold(self) -> None:
        assert "| seed 0 |" in audit_behaviour.wrong_gold(4, 1)

    @pytest.mark.compiled
    def test_seconds_of_tables(self) -> None:
        told = audit_speed.times(1, 20_000)
        assert told.startswith("500 judgments by 20 workers")
        assert "| confusions |" in told

    def test_every_part_has_a_flag(self) -> None:
        options = argparse.Namespace(seed=0, scale=1, sets=audit_rank.SETS, no_peers=True)
        assert set(audit.parts(options)) == {
            "coverage",
            "posteriors",
            "verdicts",
            "rank",
            "drift",
            "copying",
            "gold",
            "time",
        }


class TestGoldReach:
    @pytest.mark.compiled
    def test_each_part_of_two_teams(self) -> None:
        told = gold_reach.drawn(gold_reach.Teams(n_items=90, n_gold=45), 0)
        assert 0 < told["within"] < 0.7
        assert told["beyond_wrong"] > 0.9 > 0.1 > told["wrong"]
        assert (told["promised"], told["above"]) == (1, 0)

    def test_crowds_are_as_described(self) -> None:
        rng = np.random.default_rng(0)
        table, truth = gold_reach.crowd(gold_reach.Teams(0.25, bridge=30, n_items=800, n_workers=20), rng)
        second = table["item"] >= "i0800"
        of_second = table["worker"] >= "w20"
        assert (of_second <= second).all()
        assert (second & ~of_second).sum() == 30
        assert set(table.loc[second & ~of_second, "worker"]) == {"w00"}
        means = table["label"].str[1:].astype(int).to_numpy() == truth[table["item"].str[1:].astype(int)]
        assert means[~of_second].mean() - means[of_second].mean() == pytest.approx(0.2, abs=0.05)
        weak, _ = gold_reach.crowd(gold_reach.Teams(0.0, 0.65, n_items=800), rng)
        assert len(weak) == 6400

    @pytest.mark.compiled
    def test_ordinary_crowds_are_reached(self) -> None:
        assert gold_reach.share_reached(gold_reach.ordinary(120, 20, 3, 1), 12, 1) > 0.9


class TestClusters:
    @pytest.mark.parametrize("whole", [True, False])
    def test_errors_go_together_in_a_cluster(self, whole: bool) -> None:
        shape = audit_clusters.Shape(30, 20, 8, 4, 3, apart=1.5, hard=1.0, misleading=0.1, whole=whole)
        judgments, over_all, own = audit_clusters.drawn(shape, 1)
        assert judgments.n_judgments == 30 * 20 * 4
        assert (judgments.per_item == 4).all()
        assert judgments.cluster is not None
        judges = pd.Series(judgments.worker).groupby(judgments.cluster[judgments.item]).nunique()
        assert (judges == 4).all() == whole
        assert np.abs(over_all - own).mean() < 0.15
        assert (own < 1).all()

    def test_a_crowd_is_audited_in_three_ways(self) -> None:
        shape = audit_clusters.Shape(40, 5, 8, 4, 2, apart=1.0)
        with pytest.warns(match="small_data|items_without|unaudited"):
            found = audit_clusters.measured(shape, 3)
        means = found.groupby("way")[["width", "units"]].mean()
        assert means["units"]["one item each"] < means["units"]["clusters"] < means["units"]["separate"]
        assert means["width"]["separate"] < means["width"]["clusters"]
