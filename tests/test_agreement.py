"""How far workers agree, held against published packages, naive formulas and cases with an obvious answer."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import krippendorff
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from numpy.typing import NDArray
from statsmodels.stats import inter_rater

import consensus
from consensus import ConsensusError, agreement, agreement_sums, read, simulate, worker_agreement
from consensus.inputs.judgments import Judgments
from consensus.kernels import overlaps
from tests import naive
from tests.cli.test_cli import Write
from tests.conftest import Run, csv
from tests.strategies import crowds, encoded

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

COLUMNS = "statistic scope label worker_a worker_b value low high n_items n_judgments reason".split()
OVERALL = ["krippendorff_alpha", "krippendorff_alpha_ordinal", "fleiss_kappa", "gwet_ac1", "percent_agreement"]
NOMINAL = [name for name in OVERALL if "ordinal" not in name]
SHAPES = [(60, 9, 4, 3.5), (40, 5, 2, 2.0), (30, 6, 7, 6.0), (200, 30, 3, 2.4)]


def crowd(shape: tuple[int, int, int, float], seed: int) -> Judgments:
    n_items, n_workers, n_labels, per_item = shape
    return in_order(simulate(n_items, n_workers, n_labels, per_item, accuracy=0.6, seed=seed).judgments)


def in_order(judgments: Judgments) -> Judgments:
    """As if the order of the labels had been given."""
    return judgments.with_labels(judgments.labels)


def values(table: pd.DataFrame, scope: str = "overall") -> dict[Any, float]:
    """Values by statistic; of labels and pairs, by that first."""
    keys = {"overall": ["statistic"], "label": ["label", "statistic"], "pair": ["worker_a", "worker_b", "statistic"]}
    rows = table[table["scope"] == scope]
    return dict(rows.set_index(keys[scope])["value"].items())


def ratings(judgments: Judgments) -> NDArray[np.float64]:
    """(W, I) codes, NaN where a worker did not judge an item."""
    found = np.full((judgments.n_workers, judgments.n_items), np.nan)
    found[judgments.worker, judgments.item] = judgments.label
    return found


def assert_complete(table: pd.DataFrame) -> None:
    """No number is missing without a reason, and no value lies out of its range."""
    assert list(table.columns) == COLUMNS
    missing = table[["value", "low", "high"]].isna().any(axis=1)
    assert (table["reason"].notna() == (missing | (table["statistic"] == "worker_pairs"))).all()
    assert (table["low"] <= table["high"]).where(table["low"].notna(), True).all()
    measured = table[(table["statistic"] != "worker_pairs") & table["value"].notna()]
    assert measured["value"].between(-1 - 1e-12, 1).all()


def test_what_read_takes(tmp_path: Path) -> None:
    drawn = simulate(60, 6, 3, 3, accuracy=0.6, seed=1)
    path = tmp_path / "judgments.csv"
    drawn.judgments_table().to_csv(path, index=False)
    expected = agreement(consensus.read(path))
    for source in (path, str(path), drawn.judgments_table()):
        pd.testing.assert_frame_equal(agreement(source), expected)


class TestNumbers:
    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize("seed", range(3))
    def test_alpha_as_the_package_krippendorff(self, shape: tuple[int, int, int, float], seed: int) -> None:
        judgments = crowd(shape, seed)
        table = agreement(judgments, level="ordinal", n_bootstrap=0)
        found, by_label, given = values(table), values(table, "label"), ratings(judgments)
        labels = list(range(judgments.n_labels))
        nominal = krippendorff.alpha(given, level_of_measurement="nominal", value_domain=labels)
        ordinal = krippendorff.alpha(given, level_of_measurement="ordinal", value_domain=labels)
        assert found["krippendorff_alpha"] == pytest.approx(nominal, abs=1e-9)
        assert found["krippendorff_alpha_ordinal"] == pytest.approx(ordinal, abs=1e-9)
        for k, label in enumerate(judgments.labels):
            against = np.where(np.isnan(given), np.nan, given == k)
            expected = krippendorff.alpha(against, level_of_measurement="nominal", value_domain=[0, 1])
            assert by_label[label, "krippendorff_alpha"] == pytest.approx(expected, abs=1e-9)

    @pytest.mark.parametrize("shape", [(60, 9, 4, 3.0), (40, 5, 2, 2.0), (30, 6, 7, 6.0)])
    def test_fleiss_kappa_as_statsmodels(self, shape: tuple[int, int, int, float]) -> None:
        """With as many judgments of every item."""
        judgments = crowd(shape, 5)
        table = np.zeros((judgments.n_items, judgments.n_labels))
        np.add.at(table, (judgments.item, judgments.label), 1)
        found = values(agreement(judgments, n_bootstrap=0))
        assert found["fleiss_kappa"] == pytest.approx(inter_rater.fleiss_kappa(table), abs=1e-9)

    def test_cohens_kappa_as_statsmodels(self) -> None:
        judgments = crowd((60, 5, 3, 3.5), 2)
        table = agreement(judgments, by="worker-pair", n_bootstrap=20)
        assert_complete(table)
        assert not (table["scope"] == "label").any()
        found, answered = values(table, "pair"), ratings(judgments)
        names, n_pairs = judgments.worker_ids.to_pylist(), 0
        for a in range(5):
            for b in range(a + 1, 5):
                both = ~np.isnan(answered[a]) & ~np.isnan(answered[b])
                if both.sum() < 10:
                    continue
                n_pairs += 1
                cells = np.zeros((3, 3))
                np.add.at(cells, (answered[a][both].astype(int), answered[b][both].astype(int)), 1)
                kappa = inter_rater.cohens_kappa(cells, return_results=False)
                assert found[names[a], names[b], "cohen_kappa"] == pytest.approx(kappa, abs=1e-9)
                alike = np.trace(cells) / cells.sum()
                assert found[names[a], names[b], "percent_agreement"] == pytest.approx(alike, abs=1e-9)
                row = table[(table["worker_a"] == names[a]) & (table["worker_b"] == names[b])].iloc[0]
                assert (row["n_items"], row["n_judgments"]) == (both.sum(), 2 * both.sum())
        assert len(found) == 2 * n_pairs > 8
        assert values(table)["worker_pairs"] == n_pairs

    @given(crowds())
    def test_all_as_naive(self, judgments: Judgments) -> None:
        table = agreement(in_order(judgments), level="ordinal", n_bootstrap=3)
        assert_complete(table)
        items, K = naive.answers(judgments), judgments.n_labels
        found, by_label = values(table), values(table, "label")
        assert set(table["n_items"]) == {len(items)}
        assert set(table["n_judgments"]) == {sum(map(len, items))}
        if not items:
            assert table["value"].isna().all()
            assert set(table["reason"]) == {"no item was judged by two workers"}
            return
        o = naive.coincidences(items, K)
        expected: list[float] = [
            naive.krippendorff_alpha(o),
            naive.krippendorff_alpha(o, ordinal=True),
            naive.fleiss_kappa(items, K),
            naive.gwet_ac1(items, K),
            sum(naive.item_agreement(labels) for labels in items) / len(items),
        ]
        assert list(found) == OVERALL
        np.testing.assert_allclose(np.array(list(found.values())), np.array(expected), atol=1e-9)
        for k, label in enumerate(judgments.labels):
            against = naive.coincidences([[int(one == k) for one in labels] for labels in items], 2)
            expected_alpha = naive.krippendorff_alpha(against)
            assert by_label[label, "krippendorff_alpha"] == pytest.approx(expected_alpha, abs=1e-9, nan_ok=True)
            assert by_label[label, "share"] == pytest.approx(o[k].sum() / o.sum(), abs=1e-9)

    @pytest.mark.parametrize("seed", range(3))
    def test_ac1_and_fleiss_of_unequal_items_as_naive(self, seed: int) -> None:
        judgments = crowd(SHAPES[0], seed)
        items, found = naive.answers(judgments), values(agreement(judgments, n_bootstrap=0))
        assert len({len(labels) for labels in items}) > 1
        assert found["gwet_ac1"] == pytest.approx(naive.gwet_ac1(items, 4), abs=1e-9)
        assert found["fleiss_kappa"] == pytest.approx(naive.fleiss_kappa(items, 4), abs=1e-9)

    def test_as_published(self) -> None:
        """Krippendorff 2011, example C: 4 observers, 12 units, nominal .743, ordinal .815."""
        rows = {
            "a": "1 2 3 3 2 1 4 1 2 . . .",
            "b": "1 2 3 3 2 2 4 1 2 5 . 3",
            "c": ". 3 3 3 2 3 4 2 2 5 1 .",
            "d": "1 2 3 3 2 4 4 1 2 5 1 .",
        }
        judged = [
            (f"u{unit:02}", worker, label)
            for worker, line in rows.items()
            for unit, label in enumerate(line.split())
            if label != "."
        ]
        found = values(agreement(encoded(judged), level="ordinal", n_bootstrap=0))
        assert found["krippendorff_alpha"] == pytest.approx(0.743, abs=5e-4)
        assert found["krippendorff_alpha_ordinal"] == pytest.approx(0.815, abs=5e-4)


class TestEdges:
    def test_no_overlap_and_nothing(self) -> None:
        for by in ("label", "worker-pair"):
            table = agreement(encoded([("a", "v", "x"), ("b", "w", "y")]), by=by)
            assert_complete(table)
            measured = table[table["statistic"] != "worker_pairs"]
            assert set(measured["reason"]) == {"no item was judged by two workers"}
            assert set(table["n_items"]) == {0}
        assert table["reason"].tolist()[-1] == "no two workers share 10 items"
        assert agreement(encoded([("a", "v", None)]))["statistic"].tolist() == NOMINAL

    @pytest.mark.parametrize("more", [(), ("never",)])
    def test_one_label(self, more: tuple[str, ...]) -> None:
        judgments = encoded([(f"i{i}", f"w{w}", "x") for i in range(12) for w in range(3)])
        judgments = judgments.with_labels((*judgments.labels, *more))
        table = agreement(judgments, by="worker-pair")
        assert_complete(table)
        found = values(table)
        assert found["percent_agreement"] == 1
        assert np.isnan([found["krippendorff_alpha"], found["fleiss_kappa"]]).all()
        assert found["gwet_ac1"] == pytest.approx(1 if more else np.nan, nan_ok=True)  # chance needs two categories
        alpha = table[table["statistic"] == "krippendorff_alpha"]["reason"]
        assert set(alpha) == {"every judgment is the same label"}
        cohen = table[table["statistic"] == "cohen_kappa"]
        assert set(cohen["reason"]) == {"both workers gave the same label every time"}
        labels = agreement(judgments)
        rows = labels[labels["scope"] == "label"].set_index(["label", "statistic"])
        assert rows.loc[("x", "share"), "value"] == 1
        assert rows.loc[("x", "krippendorff_alpha"), "reason"] == "every judgment is the same label"
        if more:
            never = labels[(labels["label"] == "never") & (labels["statistic"] == "share")]
            assert (never[["value", "low", "high"]] == 0).all(axis=None)
            assert rows.loc[("never", "krippendorff_alpha"), "reason"] == "no judgment is this label"

    def test_perfect_agreement(self) -> None:
        judged = [(f"i{i}", f"w{w}", f"l{i % 3}") for i in range(30) for w in range(2 + i % 2)]
        table = agreement(in_order(encoded(judged)), level="ordinal")
        assert_complete(table)
        measured = table[table["statistic"] != "share"]
        assert (measured[["value", "low", "high"]] == 1).all(axis=None)
        pairs = agreement(encoded(judged), by="worker-pair")
        assert (pairs[pairs["scope"] == "pair"][["value", "low", "high"]] == 1).all(axis=None)

    def test_one_item(self) -> None:
        table = agreement(encoded([("a", "v", "x"), ("a", "w", "y")]))
        assert_complete(table)
        assert values(table) == {
            "krippendorff_alpha": 0.0,
            "fleiss_kappa": -1.0,
            "gwet_ac1": -1.0,
            "percent_agreement": 0.0,
        }
        assert set(table["reason"]) == {"an interval needs two items"}

    def test_items_without_a_second_judgment_and_abstains_do_not_count(self) -> None:
        judgments = crowd(SHAPES[0], 1)
        rows = [
            (f"i{i:03}", f"w{w}", judgments.labels[k])
            for i, w, k in zip(judgments.item, judgments.worker, judgments.label, strict=True)
        ]
        more = [*rows, ("j1", "w1", judgments.labels[0]), ("j2", "w1", judgments.labels[0]), ("j2", "w2", None)]
        pd.testing.assert_frame_equal(agreement(encoded(rows)), agreement(encoded(more)))

    def test_repeats_of_a_worker(self) -> None:
        """Alone they are no agreement; alike they count once; contradicting ones do not count."""
        rows = [
            *(("alone", "v", label) for label in "xx"),
            *(("alike", "v", label) for label in "xx"),
            ("alike", "w", "x"),
            *(("torn", "v", label) for label in "xyx"),
            *(("torn", "w", label) for label in "yz"),
            ("torn", "u", "y"),
            ("torn", "t", "z"),
        ]
        item, worker, label = zip(*rows, strict=True)
        judgments = consensus.read({"item": item, "worker": worker, "label": label}, repeats="keep")
        assert naive.answers(judgments) == [[0, 0], [2, 1]]
        table = agreement(judgments, n_bootstrap=0)
        assert values(table)["percent_agreement"] == 0.5
        assert set(zip(table["n_items"], table["n_judgments"], strict=True)) == {(2, 4)}


class TestIntervals:
    def test_seeded_and_whatever_the_order_of_rows(self) -> None:
        judgments = crowd(SHAPES[0], 3)
        table = agreement(judgments, seed=4)
        assert_complete(table)
        pd.testing.assert_frame_equal(table, agreement(judgments, seed=4))
        other = agreement(judgments, seed=5)
        assert (other["value"] == table["value"]).all()
        assert (other["low"] != table["low"]).any()
        found = table[table["scope"] == "overall"]
        assert ((found["low"] < found["value"]) & (found["value"] < found["high"])).all()

    @pytest.mark.compiled
    def test_as_resampled_item_by_item(self) -> None:
        judgments = crowd((80, 6, 3, 2.5), 1)
        items, rng = naive.answers(judgments), np.random.default_rng(0)
        drawn = [[items[i] for i in rng.integers(0, len(items), len(items))] for _ in range(1500)]
        table = agreement(judgments, level="ordinal", n_bootstrap=3000).iloc[: len(OVERALL)]
        table = table.set_index("statistic")[["low", "high"]]
        matrices = [naive.coincidences(sample, 3) for sample in drawn]
        for name, samples in {
            "krippendorff_alpha": [naive.krippendorff_alpha(o) for o in matrices],
            "krippendorff_alpha_ordinal": [naive.krippendorff_alpha(o, ordinal=True) for o in matrices],
            "fleiss_kappa": [naive.fleiss_kappa(sample, 3) for sample in drawn],
            "gwet_ac1": [naive.gwet_ac1(sample, 3) for sample in drawn],
        }.items():
            low, high = np.quantile(samples, [0.025, 0.975])
            row = table.loc[name]
            np.testing.assert_allclose(row.astype(float), [low, high], atol=0.15 * (high - low))

    @pytest.mark.parametrize("level", ["nominal", "ordinal"])
    def test_blocks_of_items_where_counts_are_many(self, level: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        judgments = crowd((3000, 20, 8, 4.0), 2)
        exact = agreement(judgments, level=level)
        monkeypatch.setattr(agreement_sums, "MOST_CELLS", 100)
        blocks = agreement(judgments, level=level)
        assert (blocks["low"] != exact["low"]).all()
        np.testing.assert_allclose(blocks["value"], exact["value"], atol=1e-9)
        ratio = (blocks["high"] - blocks["low"]) / (exact["high"] - exact["low"])
        assert ratio.between(0.7, 1.4).all()

    def test_no_bootstrap_and_no_sample_with_a_value(self) -> None:
        judgments = encoded([("a", "v", "x"), ("a", "w", "x"), ("b", "v", "y"), ("b", "w", "y")])
        assert set(agreement(judgments, n_bootstrap=0)["reason"]) == {"no bootstrap was asked for"}
        reasons = [agreement(judgments, n_bootstrap=1, seed=seed)["reason"][0] for seed in range(20)]
        assert "no sample of the items has a value" in reasons  # it drew one item twice
        assert pd.isna(reasons).any()

    @pytest.mark.slow
    def test_cover_what_many_items_have(self) -> None:
        whole = crowd((40_000, 12, 3, 4.0), 7)
        truth, covered = values(agreement(whole, n_bootstrap=0)), []
        for begin in range(0, 40_000, 400):
            part = whole.subset((whole.item >= begin) & (whole.item < begin + 400))
            table = agreement(part, n_bootstrap=300).set_index("statistic").iloc[: len(NOMINAL)]
            covered += [table["low"][name] <= truth[name] <= table["high"][name] for name in NOMINAL]
        assert 0.9 <= np.mean(covered) <= 0.99


class TestPairs:
    def test_only_the_most_shared_are_listed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        judgments = crowd((80, 6, 3, 3.5), 1)
        full = agreement(judgments, by="worker-pair", n_bootstrap=0)
        assert full["reason"][4] == "all that share 10 items are listed"
        monkeypatch.setattr(worker_agreement, "MOST_PAIRS", 3)
        table = agreement(judgments, by="worker-pair", n_bootstrap=0)
        assert table["reason"][4] == "the 3 that share the most items are listed"
        assert table["value"][4] == full["value"][4] > 3
        shared = full[full["statistic"] == "cohen_kappa"].sort_values("n_items", ascending=False, kind="stable")
        listed = table[table["statistic"] == "cohen_kappa"]
        keys = ["worker_a", "worker_b", "value"]
        pd.testing.assert_frame_equal(
            listed[keys].reset_index(drop=True), shared.iloc[:3].sort_values(keys)[keys].reset_index(drop=True)
        )

    def test_too_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(worker_agreement, "MOST_COMPARED", 10)
        with pytest.raises(ConsensusError, match="would compare 40 pairs of judgments, and can 10; give fewer items"):
            agreement(crowd((40, 5, 2, 2.0), 0), by="worker-pair")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"level": "interval"}, 'level "interval" is unknown; choose nominal or ordinal'),
        ({"by": "worker"}, 'by "worker" is unknown; choose label or worker-pair'),
        ({"n_bootstrap": -1}, "n_bootstrap is -1; it must be 0 or more"),
        ({"n_bootstrap": 10**9}, "n_bootstrap is 1000000000; it must be at most 100,000"),
        ({"seed": -1}, "seed is -1; it must be 0 or more"),
    ],
)
def test_settings_out_of_range(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConsensusError, match=message):
        agreement(encoded([("a", "v", "x")]), **settings)


def test_too_many_labels_in_order() -> None:
    judgments = encoded([(f"i{n}", "w", f"l{n}") for n in range(201)])
    with pytest.raises(ConsensusError, match="level ordinal takes up to 200 labels, not 201; merge some of them"):
        agreement(judgments, level="ordinal")


class TestUnits:
    """Items that have weights, or err together in clusters."""

    def judged(self, n_labels: int = 3) -> tuple[Judgments, Judgments]:
        """A crowd whose items have weights 1 to 3, and the same with as many items each."""
        one = simulate(80, 6, n_labels, 3.5, accuracy=0.7, seed=2)
        weight = np.random.default_rng(1).integers(1, 4, 80)
        table = one.judgments_table()
        times = dict(zip(one.judgments.item_ids.to_pylist(), weight.tolist(), strict=True))
        table = table.loc[table.index.repeat(table["item"].map(times))].reset_index(drop=True)
        table["item"] += "-" + table.groupby(["item", "worker"]).cumcount().astype(str)
        return replace(one.judgments, weight=weight.astype(np.float64)), read(table)

    @pytest.mark.parametrize("level", ["nominal", "ordinal"])
    def test_weight_three_is_the_item_three_times(self, level: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        weighted, repeated = (one.with_labels(["label_0", "label_1", "label_2"]) for one in self.judged())
        found, expected = (agreement(one, level=level, n_bootstrap=50) for one in (weighted, repeated))
        for name in ("value", "low", "high"):
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-9)
        assert (found["n_items"] < expected["n_items"]).all()
        monkeypatch.setattr(agreement_sums, "MOST_UNITS", 10)
        monkeypatch.setattr(agreement_sums, "LEAST_UNITS", 10)
        in_blocks = agreement(weighted, level=level, n_bootstrap=50)
        np.testing.assert_allclose(in_blocks["value"], expected["value"], rtol=1e-9)
        assert (in_blocks["low"] != expected["low"]).all()

    @pytest.mark.parametrize("most", [4096, 40])
    def test_whole_clusters_are_drawn(self, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of items of which one in three clusters has all that nobody agrees on, an interval is twice as wide."""
        monkeypatch.setattr(agreement_sums, "MOST_UNITS", most)
        monkeypatch.setattr(agreement_sums, "LEAST_UNITS", 30)
        hard = np.arange(1200) // 20 % 3 == 0
        rows = [
            (f"i{i:04d}", w, f"l{i % 2 if w == 'a' or not hard[i] else 1 - i % 2}") for i in range(1200) for w in "ab"
        ]
        apart = encoded(rows)
        cluster = (np.arange(1200) // 20).astype(np.int32)
        ids = pa.array([f"c{n:02d}" for n in range(60)], pa.string())
        together = replace(apart, cluster=cluster, cluster_ids=ids)
        one, other = (agreement(found).set_index("statistic").loc["percent_agreement"] for found in (apart, together))
        assert other["value"] == pytest.approx(one["value"])
        assert other["high"] - other["low"] > 2 * (one["high"] - one["low"])

    def test_an_item_without_a_cluster_is_drawn_by_itself(self) -> None:
        apart = encoded([(f"i{i}", w, "x" if i % 3 or w == "a" else "y") for i in range(9) for w in "ab"])
        ids = pa.array(["c"], pa.string())
        alone = replace(apart, cluster=np.full(9, -1, np.int32), cluster_ids=ids)
        assert agreement(alone, n_bootstrap=20)["low"].notna().any()
        whole = agreement(replace(alone, cluster=np.zeros(9, np.int32)), n_bootstrap=20)
        assert set(whole["reason"].dropna()) == {"an interval needs two clusters"}
        assert whole["low"].isna().all()

    def test_pairs_of_workers_are_not_compared(self) -> None:
        with pytest.raises(ConsensusError, match="by worker-pair counts every item once, and these have weights or"):
            agreement(self.judged()[0], by="worker-pair")


class TestKernels:
    @given(crowds())
    def test_as_naive(self, judgments: Judgments) -> None:
        K, start = judgments.n_labels, judgments.item_start
        items = np.flatnonzero(judgments.per_item > 1).astype(np.int32)
        unit = (np.arange(len(items)) % 2).astype(np.int32)
        agreed, pairs = np.zeros(2), np.zeros((2, K, K))
        by_label, once = np.zeros((3, 2, K)), np.zeros(0)
        overlaps.pairable(items, unit, start, judgments.label, once, by_label, agreed)
        overlaps.coincidences(items, unit, start, judgments.label, once, pairs)
        given, alike, share = by_label
        said = [judgments.label[a:b].tolist() for a, b in pairwise(start) if b - a > 1]
        for u in range(2):
            own = said[u::2]
            o = naive.coincidences(own, K)
            np.testing.assert_allclose(pairs[u], o, atol=1e-12)
            np.testing.assert_allclose(alike[u], np.diag(o), atol=1e-12)
            np.testing.assert_allclose(given[u], o.sum(axis=1), atol=1e-12)
            np.testing.assert_allclose(share[u], np.multiply(naive.mean_shares(own, K) if own else 0, len(own)))
            assert agreed[u] == pytest.approx(sum(naive.item_agreement(labels) for labels in own))


class TestCommand:
    ROWS = tuple((f"i{i}", f"w{w}", f"l{(i if w < 3 else i // 2) % 2}") for i in range(30) for w in range(4))

    def test_prints_the_table(self, run: Run, write: Write) -> None:
        path = write("j.csv", csv(self.ROWS))
        ran = run("agreement", path)
        rows, columns = ran.err.splitlines()
        assert (ran.status, rows) == (0, "120 rows read = 120 used")
        assert columns.startswith(
            'columns: item is "item" (by its name, 30 values), worker is "worker" (by its name, 4'
        )
        lines = ran.out.splitlines()
        assert lines[0] == ",".join(COLUMNS)
        assert [line.split(",")[0] for line in lines[1:5]] == NOMINAL
        assert len(lines) == 1 + 4 + 2 * 2
        ran = run("agreement", path, "--by", "worker-pair", "--ordinal", "--bootstrap", "10", "--json", "--quiet")
        assert (ran.err, ran.out.count("\n")) == ("", 5 + 1 + 2 * 6)
        assert '"statistic":"krippendorff_alpha_ordinal"' in ran.out.replace(": ", ":")

    def test_files_labels_and_seed(self, run: Run, write: Write, tmp_path: Any) -> None:
        path, out = write("j.csv", csv(self.ROWS)), tmp_path / "a.parquet"
        ran = run("agreement", path, "-o", out, "--labels", "l1,l0,other", "--seed", "3", "--bootstrap", "50")
        assert (ran.status, ran.out) == (0, "")
        expected = agreement(consensus.read(path).with_labels(("l1", "l0", "other")), n_bootstrap=50, seed=3)
        pd.testing.assert_frame_equal(pd.read_parquet(out), expected, check_dtype=False)

    def test_refuses(self, run: Run, write: Write) -> None:
        path = write("j.csv", csv(self.ROWS))
        assert "this file is to be read" in run("agreement", path, "-o", path).err
        ran = run("agreement", path, "--by", "label-pair")
        assert (ran.status, 'by "label-pair" is unknown' in ran.err) == (3, True)

    def test_tells_what_to_beware_of(self, run: Run, write: Write) -> None:
        rows = [*self.ROWS, ("x",), ("silent", "w1", "")]
        ran = run("agreement", write("j.csv", csv(rows)))
        assert "warning rejected_rows: 1 of 122 rows could not be used" in ran.err
        assert "items_without_judgments" not in ran.err  # nothing is guessed here
