"""Workers rated in units: an item of weight 3 is three items, and items of a cluster count for less than they are."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from consensus import audit, fit, simulate
from consensus.found.posterior import SparsePosterior
from consensus.found.result import Consensus
from consensus.found.units import Units
from consensus.inputs.judgments import Judgments
from consensus.models import layout
from consensus.worker_audit import (
    WorkerAudit,
    behaviours,
    confusions,
    copies,
    fit_without_copies,
    missing_judgments,
)
from consensus.worker_audit.accuracy import (
    agreement_posterior,
    confusion_table,
    contradictions,
    likelihoods,
    one_label_verdicts,
    skills,
    units_of_workers,
    verdicts,
)
from consensus.worker_audit.copying import shared_items
from consensus.worker_audit.over_time import since_change
from tests.strategies import encoded

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

COUNTS = ["n_judgments", "n_items", "gold_n", "effective_judgments", "reason"]
EXACT: dict[str, Any] = {"rho": 0.3, "tolerance": 1e-12, "max_iterations": 2000}


def in_clusters(judgments: Judgments, cluster: Any) -> Judgments:
    """The judgments with a cluster (I,) of each item; -1 where it has none."""
    code = np.asarray(cluster, np.int32)
    ids = pa.array([f"c{n}" for n in range(int(code.max()) + 1)], pa.string())
    return replace(judgments, cluster=code, cluster_ids=ids)


def weighted_and_tripled(n_labels: int, n_gold: int) -> tuple[Consensus, Consensus]:
    """A crowd whose items have weights 1 to 3, and the same with as many items each."""
    drawn = simulate(120, 8, n_labels, 4.0, accuracy=0.75, seed=n_labels)
    weight = np.random.default_rng(n_labels).integers(1, 4, 120)
    times = dict(zip(drawn.judgments.item_ids.to_pylist(), weight.tolist(), strict=True))

    def repeated(table: pd.DataFrame) -> pd.DataFrame:
        found = table.loc[table.index.repeat(table["item"].map(times))].reset_index(drop=True)
        columns = [name for name in found.columns if name != "label"]
        found["item"] += "-" + found.groupby(columns).cumcount().astype(str)
        return found

    gold = drawn.truth_table(n_gold, 1) if n_gold else None
    one = fit(replace(drawn.judgments, weight=weight.astype(np.float64)), gold=gold, **EXACT)
    other = fit(repeated(drawn.judgments_table()), gold=None if gold is None else repeated(gold), **EXACT)
    return one, other


@pytest.mark.parametrize("n_labels", [2, 4, 5])
def test_a_record_is_the_sum_of_its_items_as_often_as_they_count(n_labels: int) -> None:
    result = fit(simulate(12, 4, n_labels, 3.0, accuracy=0.7, seed=n_labels).judgments, rho=0.3)
    item = result.judgments.item
    times = np.random.default_rng(1).uniform(0.2, 3.0, 12)

    def counted(of_items: Any) -> likelihoods.Records:
        return likelihoods.records(replace(result, units=Units(of_items, of_items[item])))

    apart, found, plain = [counted(one) for one in np.eye(12)], counted(times), likelihoods.records(result)
    of_all = counted(np.ones(12))
    for name in ("own", "even"):
        expected = sum(n * getattr(one, name).n for n, one in zip(times, apart, strict=True))
        np.testing.assert_allclose(getattr(found, name).n, expected)
        assert np.array_equal(getattr(of_all, name).n, getattr(plain, name).n)
        np.testing.assert_allclose(getattr(of_all, name).s, getattr(plain, name).s)
    np.testing.assert_allclose(found.predicted, sum(n * one.predicted for n, one in zip(times, apart, strict=True)))
    np.testing.assert_allclose(of_all.predicted, plain.predicted)


@pytest.mark.compiled
class TestWeights:
    @pytest.mark.parametrize(("n_labels", "n_gold"), [(2, 0), (3, 0), (5, 0), (2, 20), (5, 20)])
    def test_every_number_is_that_of_as_many_items(self, n_labels: int, n_gold: int) -> None:
        one, other = weighted_and_tripled(n_labels, n_gold)
        table, of_copies = audit(one, min_worker_judgments=5), audit(other, min_worker_judgments=5)
        np.testing.assert_allclose(table["effective_judgments"], of_copies["n_judgments"], rtol=1e-12)
        assert "n_clusters" not in table
        assert (table["n_judgments"] < of_copies["n_judgments"]).all()
        for name in of_copies.columns.drop(COUNTS, errors="ignore"):
            if of_copies[name].dtype.kind == "f":
                np.testing.assert_allclose(table[name], of_copies[name], rtol=1e-9, atol=1e-9, err_msg=name)
            else:
                assert table[name].tolist() == of_copies[name].tolist()
        cells, of_many = confusions(one), confusions(other)
        for name in ("count", "probability", "low", "high"):
            np.testing.assert_allclose(cells[name], of_many[name], rtol=1e-9, atol=1e-9)
        for name in ("accuracy", "right"):
            of_one, of_other = (getattr(skills.elsewhere(result), name) for result in (one, other))
            np.testing.assert_allclose(of_one, of_other, rtol=1e-9)

    def test_with_very_many_labels_all_is_counted_twice_where_each_counts_for_two(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(layout, "MOST_CELLS", 0)
        drawn = simulate(200, 30, 40, 4, accuracy=0.7, seed=1).judgments
        result = fit(drawn, rho=0.3)
        assert isinstance(result.beliefs, SparsePosterior)
        twice = replace(result, units=Units(np.full(200, 2.0), np.full(drawn.n_judgments, 2.0)))
        one, other = likelihoods.records(result), likelihoods.records(twice)
        assert np.array_equal(2 * one.own.n, other.own.n)
        np.testing.assert_allclose(one.own.s, other.own.s)
        np.testing.assert_allclose(2 * agreement_posterior._sums(result), agreement_posterior._sums(twice))
        np.testing.assert_allclose(confusion_table.known_share(result), confusion_table.known_share(twice))

    def test_threads_change_no_bit(self) -> None:
        drawn = simulate(30_000, 9, 3, 4.0, accuracy=0.7, seed=3).judgments
        weight = np.random.default_rng(1).uniform(0.5, 2.0, drawn.n_items)
        result = fit(replace(drawn, weight=weight), rho=0.3, max_iterations=3, threads=1)
        found = [WorkerAudit(replace(result, config=result.config.model_copy(update={"threads": n}))) for n in (1, 3)]
        for one, other in zip(*(of.accuracy.interval for of in found), strict=True):
            assert np.array_equal(one, other)
        assert np.array_equal(found[0].records.own.n, found[1].records.own.n)
        np.testing.assert_allclose(found[0].records.own.n.sum(axis=1), units_of_workers.per_worker(result))

    def test_contradictions_count_by_weight(self) -> None:
        rows = [(f"i{i}", w, "b") for i in range(2) for w in "abcd"] + [(f"i{i}", "eve", "a") for i in range(2)]
        rows += [(f"j{i}", w, "a") for i in range(8) for w in "abcd"]
        apart = fit(encoded(rows), rho=0.0)
        eve, favourite = np.array([4]), np.array([0])
        assert not contradictions.contradicted(apart, eve, favourite).enough[0]
        units = Units(np.full(10, 3.0), np.full(apart.judgments.n_judgments, 3.0))
        assert contradictions.contradicted(replace(apart, units=units), eve, favourite).enough[0]

    def test_who_changed_is_shared_out_by_weight(self) -> None:
        rows = [(f"i{i}", w, "ab"[i % 2]) for i in range(6) for w in "abc"]
        judged = encoded(rows)
        result = fit(replace(judged, weight=np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])), rho=0.0)
        mine = np.flatnonzero(judged.worker == 0)
        before, after = since_change._weights(result, mine, mine < mine[3])
        assert before.sum() == pytest.approx(1 + 2 + 3)
        assert after.sum() == pytest.approx(4 + 5 + 6)


class TestVerdicts:
    def crowd(self, n_clusters: int, per_cluster: int, **settings: Any) -> Consensus:
        drawn = simulate(n_clusters * per_cluster, 6, 3, 5.0, accuracy=0.8, seed=1).judgments
        return fit(in_clusters(drawn, np.repeat(np.arange(n_clusters), per_cluster)), rho=0.3, **settings)

    def test_a_verdict_needs_five_clusters(self) -> None:
        result = self.crowd(3, 200)
        table = audit(result, min_worker_judgments=5)
        assert set(table["verdict"]) == {"too_few"}
        assert table["reason"].str.startswith("3 clusters; 5 are needed; right on ").all()
        assert (table["n_clusters"] == 3).all()
        enough = audit(self.crowd(5, 120), min_worker_judgments=5)
        assert "too_few" not in set(enough["verdict"])

    def test_and_as_many_judgments_as_ever_as_they_count(self) -> None:
        result = self.crowd(6, 50)
        assert result.units is not None
        few = replace(result.units, judgment=np.full(result.judgments.n_judgments, 0.05))
        scarce = replace(result, units=few)
        table = audit(scarce)
        n = 0.05 * table["n_judgments"]
        np.testing.assert_allclose(table["effective_judgments"], n)
        assert set(table["verdict"]) == {"too_few"}
        first = f"{table['n_judgments'][0]:,} judgments that count as {n[0]:.1f}; a verdict needs 20; right on "
        assert table["reason"][0].startswith(first)
        short = replace(scarce, units=replace(few, n_clusters=np.full(6, 2)))
        assert "; a verdict needs 20; 2 clusters; 5 are needed; right" in audit(short)["reason"][0]

    def test_what_is_missing_for_a_verdict_is_counted_in_units(self) -> None:
        result = self.crowd(6, 50)
        assert result.units is not None
        scarce = replace(result, units=replace(result.units, judgment=np.full(result.judgments.n_judgments, 0.01)))
        missing = missing_judgments(WorkerAudit(scarce))
        assert missing.dtype == np.int64
        assert (missing >= 17).all()

    def test_gold_is_counted_in_units(self) -> None:
        rows = [(f"i{i}", w, "ab"[i % 2]) for i in range(8) for w in ("ann", "bob", "eve")]
        gold = {"item": ["i0", "i1"], "label": ["a", "a"]}
        apart = fit(encoded(rows), gold=gold)
        result = replace(apart, units=Units(np.full(8, 2.5), np.full(24, 2.5)))
        n, right = one_label_verdicts.on_gold(result)
        assert n.tolist() == [5.0] * 3
        assert right.tolist() == [2.5] * 3
        table = audit(result)
        assert table["gold_n"].tolist() == [2] * 3
        assert (table["gold_accuracy"] == 0.5).all()
        assert (table["gold_high"] < audit(apart)["gold_high"]).all()
        everyone = np.ones(3, np.bool_)
        sided = one_label_verdicts.OneSided(everyone, np.ones(3), n, right)
        said = one_label_verdicts.in_words(sided, 0, "a", 8, "right")
        assert "right on 2.5 of 5 gold items; right" in said
        assert verdicts._gold_judgments(result).tolist() == [5.0] * 3


def test_doubt_that_clusters_tell_is_not_counted_twice() -> None:
    """The interval by agreement is narrower where n_eff was estimated than where it was not."""
    drawn = simulate(600, 8, 3, 5.0, accuracy=0.75, seed=2).judgments
    result = fit(in_clusters(drawn, np.repeat(np.arange(30), 20)), rho=0.3)
    assert result.units is not None
    assert result.units.told
    by_guess = replace(result, units=replace(result.units, told=False))
    told, guessed = (agreement_posterior.agreement(one) for one in (result, by_guess))
    np.testing.assert_allclose(told.mean, guessed.mean, atol=0.01)
    assert (told.variance < guessed.variance).all()


def test_how_much_of_the_doubt_clusters_do_not_tell() -> None:
    """As many judgments as a worker's count for, over as many as they are by weight."""
    drawn = simulate(600, 8, 3, 5.0, accuracy=0.75, seed=2).judgments
    judged = replace(in_clusters(drawn, np.repeat(np.arange(30), 20)), weight=np.full(600, 3.0))
    result = fit(judged, rho=0.3)
    assert result.units is not None
    n = units_of_workers.per_worker(result).astype(np.float64)
    expected = n / np.bincount(drawn.worker, np.full(drawn.n_judgments, 3.0))
    np.testing.assert_allclose(agreement_posterior._untold(result, n), expected)
    assert (expected < 0.8).all()
    assert agreement_posterior._untold(replace(result, units=replace(result.units, n_eff=None)), n) == 1.0


def pictures(seed: int, n_pictures: int = 16, n_pixels: int = 400, n_workers: int = 12) -> Judgments:
    """Pictures in which each worker draws edges too wide, too narrow, or about right; neighbours err together."""
    rng = np.random.default_rng(seed)
    style = rng.integers(0, 3, n_workers)
    labels = np.zeros((n_pictures, n_pixels, n_workers), np.int32)
    for g in range(n_pictures):
        truth = np.zeros(n_pixels, np.int32)
        cuts = np.sort(rng.choice(np.arange(30, n_pixels - 30), 6, replace=False))
        for b in range(0, 6, 2):
            truth[cuts[b] : cuts[b + 1]] = 1 + rng.integers(0, 2)
        edges = np.flatnonzero(np.diff(truth))
        for w in range(n_workers):
            drawn = truth.copy()
            for edge in edges:
                width = int(abs(rng.normal(0, 6))) + 6 * int(style[w] > 0)
                if style[w] == 1:
                    drawn[edge + 1 : edge + 1 + width] = truth[edge]
                elif style[w] == 2:
                    drawn[max(edge - width, 0) : edge + 1] = truth[edge + 1]
            labels[g, :, w] = drawn
    n = n_pictures * n_pixels
    found = Judgments(
        item=np.repeat(np.arange(n, dtype=np.int32), n_workers),
        worker=np.tile(np.arange(n_workers, dtype=np.int32), n),
        label=labels.ravel(),
        item_start=np.arange(n + 1, dtype=np.int64) * n_workers,
        item_ids=pa.array([f"i{i:05d}" for i in range(n)], pa.string()),
        worker_ids=pa.array([f"w{w:02d}" for w in range(n_workers)], pa.string()),
        labels=("a", "b", "c"),
    )
    return in_clusters(found, np.repeat(np.arange(n_pictures), n_pixels))


@pytest.mark.compiled
class TestOrder:
    """Nobody is accused of what neighbours in a cluster do together."""

    def test_edges_drawn_alike_are_no_copies(self) -> None:
        judged = pictures(1)
        apart = fit_without_copies(replace(judged, cluster=None, cluster_ids=None), collusion="report", rho=0.3)
        assert apart.copies is not None
        assert apart.copies.n_groups  # pixel by pixel, honest people look like copies
        assert not {one.code for one in apart.warnings} & {"err_together"}
        found = fit_without_copies(judged, collusion="report", rho=0.3)
        assert found.copies is not None
        assert not found.copies.n_groups
        (told,) = [one for one in found.warnings if one.code == "err_together"]
        assert "copying is looked for on one item of each of 16 clusters; changes over time" in told.message
        (told,) = [one for one in fit_without_copies(judged, collusion="off", rho=0.3).warnings if "err" in one.code]
        assert told.message.startswith("items of a cluster err together: changes over time")

    def test_who_copies_is_found_on_one_item_of_each_cluster(self) -> None:
        drawn = simulate(900, 8, 3, 8.0, accuracy=0.7, seed=4).judgments
        label = drawn.label.copy()
        label[drawn.worker == 1] = label[drawn.worker == 0]
        cluster = np.repeat(np.arange(300), 3)
        result = fit_without_copies(in_clusters(replace(drawn, label=label), cluster), collusion="report", rho=0.3)
        table = copies(result)
        assert table[["worker_a", "worker_b"]].to_numpy().tolist() == [["w0", "w1"]]
        assert table["n_shared"].tolist() == [300]

    def test_where_copies_count_as_one_each_is_rated_by_their_own_judgments_in_units(self) -> None:
        drawn = simulate(600, 8, 3, 8.0, accuracy=0.7, seed=4).judgments
        label = drawn.label.copy()
        label[drawn.worker == 1] = label[drawn.worker == 0]
        judged = in_clusters(replace(drawn, label=label, weight=np.full(600, 2.0)), np.repeat(np.arange(200), 3))
        result = fit_without_copies(judged, collusion="merge", rho=0.3)
        assert result.copies is not None
        assert result.copies.n_merged == 600
        members = result.members
        assert members is not None
        assert members.units is not None
        np.testing.assert_allclose(members.confusions.totals().sum(axis=1), units_of_workers.per_worker(members))
        table = audit(result)
        assert table["accuracy"][0] == pytest.approx(table["accuracy"][1], abs=1e-9)
        assert (table["n_clusters"] == 200).all()
        assert len(table) == 8

    def test_the_item_with_most_judgments_is_compared_whatever_their_order(self) -> None:
        rows = [("i0", "ann"), ("i0", "bob"), ("i1", "ann"), ("i1", "bob"), ("i1", "eve"), ("i2", "ann"), ("i2", "bob")]
        rows += [("i3", "ann"), ("i3", "bob"), ("i4", "ann"), ("i4", "bob")]
        judged = in_clusters(encoded([(i, w, "x") for i, w in rows]), [0, 0, 0, -1, -1])
        found = shared_items.compared(replace(judged, weight=np.ones(5)))
        assert np.unique(found.item).tolist() == [1, 3, 4]
        assert found.cluster is None
        assert found.weight is None
        of_weight = shared_items.compared(replace(judged, cluster=None, cluster_ids=None, weight=np.full(5, 3.0)))
        assert of_weight.n_judgments == judged.n_judgments
        assert of_weight.weight is None

    def test_nobody_drifts_or_tires(self) -> None:
        drawn = simulate(400, 6, 2, 4.0, accuracy=0.9, seed=5)
        judged = drawn.judgments
        label = judged.label.copy()
        late = (judged.worker == 0) & (judged.item >= 200)
        label[late] = 1 - drawn.truth[judged.item[late]]
        when = np.datetime64("2025-01-01", "us") + judged.item.astype("timedelta64[m]")
        apart = replace(judged, label=label, timestamp=when)
        assert WorkerAudit(fit(apart, rho=0.3)).drifts.changed[0]
        assert behaviours(fit(apart, rho=0.3))["streak_p"].notna().all()
        together = WorkerAudit(fit(in_clusters(apart, np.repeat(np.arange(20), 20)), rho=0.3))
        assert not together.drifts.changed.any()
        assert together.verdicts.by_all.all()
        table = behaviours(together)
        assert table[["streak_p", "fatigue_p"]].isna().all(axis=None)
        assert table["longest_streak"].notna().all()


def test_no_units_no_columns() -> None:
    assert not {"effective_judgments", "n_clusters"} & set(audit(fit(simulate(30, 4, 2, 3.0, seed=1).judgments)))
