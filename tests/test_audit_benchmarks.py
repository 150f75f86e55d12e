"""The parts of the benchmark of the worker audit that need neither its peers nor large crowds."""

import argparse
import sys
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from consensus import read, simulate
from tests.conftest import ROOT

if TYPE_CHECKING:
    from tests.benchmarks import audit, audit_behaviour, audit_crowds, audit_rank, audit_speed, gold_reach, markdown
else:  # scripts: their own folder is on the path
    sys.path.append(str(ROOT / "tests" / "benchmarks"))
    import audit
    import audit_behaviour
    import audit_crowds
    import audit_rank
    import audit_speed
    import gold_reach
    import markdown


def test_markdown() -> None:
    assert markdown.table(["a", "b"], [("x", 1), ("y", "2")]) == "| a | b |\n|---|--:|\n| x | 1 |\n| y | 2 |"
    assert markdown.share(1, 8) == "12.5"
    assert not markdown.share(0, 0)


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
        assert np.allclose(workers["planted"], np.einsum("wkk,k->w", drawn.confusion, drawn.prior))
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
    def test_wrong_gold(self) -> None:
        assert "| seed 0 |" in audit_behaviour.wrong_gold(4, 1)

    @pytest.mark.compiled
    def test_seconds_of_tables(self) -> None:
        told = audit_speed.times(1, 20_000)
        assert told.startswith("500 judgments by 20 workers")
        assert "| confusions |" in told

    def test_every_part_has_a_flag(self) -> None:
        options = argparse.Namespace(seed=0, scale=1, sets=audit_rank.SETS, no_peers=True)
        assert set(audit.parts(options)) == {"coverage", "verdicts", "rank", "drift", "copying", "gold", "time"}


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
