"""Weighted loops against their naive twins, compiled or not."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.backends import Threads
from consensus.found.units import Units
from consensus.inputs.judgments import Judgments
from consensus.kernels import em, tallies, weighted_em
from consensus.models import units
from consensus.models.dense_layout import Rows
from consensus.models.priors import Priors
from tests import naive, naive_units
from tests.kernels.test_kernels import by_row, deep, golds, in_shards, to_dense, with_gold
from tests.strategies import crowds, examples, tables

ONE = Threads(1)
crowd = examples(40)


def weighed(data: st.DataObject, judgments: Judgments, own: bool) -> tuple[Judgments, Units]:
    """The judgments with weights of items; where judgments have their ``own``, in clusters judged in part."""
    n_items = judgments.n_items
    several = st.lists(st.one_of(st.just(2.5), st.floats(0.1, 9.0)), min_size=n_items, max_size=n_items)
    judgments = replace(judgments, weight=np.array(data.draw(several)))
    if own:
        codes = data.draw(st.lists(st.integers(-1, 2), min_size=n_items, max_size=n_items))
        ids = pa.array(["g0", "g1", "g2"])
        judgments = replace(judgments, cluster=np.array(codes, np.int32), cluster_ids=ids)
    counted = units.of(judgments, ONE)
    assert counted is not None
    return judgments, counted


def assert_pass(
    judgments: Judgments, counted: Units, confusion: np.ndarray, prior: np.ndarray, gold: dict[int, set[int]]
) -> None:
    """The loop over four labels, and the generic one, in some shards, tell what the twin does."""
    item, judgment = naive_units.units(judgments, units.START)
    np.testing.assert_allclose(counted.item, item, rtol=1e-12)
    np.testing.assert_allclose(counted.judgment, judgment, rtol=1e-12)
    evidence, N, mass = naive_units.em_pass(judgments, confusion, prior, gold, item, judgment)
    priors, prior_row = with_gold(judgments, prior, gold)
    rows = replace(in_shards(judgments, 3), units=counted)
    found = rows.tables()
    C = by_row(rows, confusion)
    found.C[:, : rows.n_labels] = C
    told = rows.em_pass(Priors(priors, prior_row, len(priors)), found, ONE)
    assert told == pytest.approx(evidence, rel=1e-9, abs=1e-9)
    np.testing.assert_allclose(to_dense(rows, found.N), N, rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(found.n, N.sum(axis=2), rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(found.mass, mass, rtol=1e-9, atol=1e-300)
    assert rows.n_opinions == pytest.approx(judgment.sum())
    for wide, own_from in ((found.C, len(priors)), (C, len(priors)), (found.C, 1), (C, 1)):
        counts, total = np.zeros_like(wide), np.zeros((2, wide.shape[1]))
        table = np.pad(priors, ((0, 0), (0, wide.shape[1] - rows.n_labels)))
        shard = weighted_em.Weighed(rows.item_start, rows.row, counted.item, counted.apart)
        each = np.empty(judgments.n_items)
        told = weighted_em.em_pass(shard, wide, table, prior_row, own_from, counts, total, each)
        told += counted.item @ np.log(each)
        assert told == pytest.approx(evidence, rel=1e-9, abs=1e-9)
        np.testing.assert_allclose(to_dense(rows, counts[:, : rows.n_labels]), N, rtol=1e-9, atol=1e-300)
        np.testing.assert_allclose(total.sum(axis=0)[: rows.n_labels], mass, rtol=1e-9, atol=1e-300)
        own = item[prior_row >= own_from].sum()
        assert total[1].sum() == pytest.approx(own)
    z, _ = naive.posteriors(judgments, confusion, prior, gold)
    rows.count(z, prior_row, found, ONE)
    np.testing.assert_allclose(to_dense(rows, found.N), N, rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(found.mass, mass, rtol=1e-9, atol=1e-300)


@crowd
@given(st.data(), crowds(max_labels=6), st.booleans())
def test_em_pass(data: st.DataObject, judgments: Judgments, own: bool) -> None:
    K = judgments.n_labels
    confusion, prior = data.draw(tables(judgments.n_workers, K, K)), data.draw(tables(K))
    gold = data.draw(golds(judgments))
    assert_pass(*weighed(data, judgments, own), confusion, prior, gold)


@pytest.mark.parametrize("n_labels", [3, 4])
def test_items_without_judgments_say_nothing(n_labels: int) -> None:
    judgments = deep(n_labels, [[0, 1], [0], [2, 2, 0], [1]])
    judgments = judgments.subset(np.isin(judgments.item, [0, 2]))
    judgments = replace(judgments, weight=np.array([1.0, 2.0, 3.0, 4.0]))
    counted = units.of(judgments, ONE)
    assert counted is not None
    even = np.full((judgments.n_workers, n_labels, n_labels), 1.0 / n_labels)
    assert_pass(judgments, counted, even, np.full(n_labels, 1.0 / n_labels), {3: {1}})


@pytest.mark.parametrize("n_labels", [3, 4, 5])
@pytest.mark.parametrize("weight", [1.0, 2.5])
def test_items_with_many_judgments_and_tiny_evidence(n_labels: int, weight: float) -> None:
    """Neither long items nor a row of items of evidences of 1e-100 to 1e-280 underflow, of equal units or not."""
    answers = [[0] * n for n in (6, 16, 7, 2 * em.SHORT + 3, 16, 16, 9, 11, 1, 16)]
    judgments = deep(n_labels, answers)
    each = np.full(len(answers), weight)
    each[7:] = 0.25
    judgments = replace(judgments, weight=each)
    confusion = np.full((judgments.n_workers, n_labels, n_labels), 1e-17)
    counted = units.of(judgments, ONE)
    assert counted is not None
    # the twin works in probability space and would underflow: the loop that is not weighed is the twin here
    rows = replace(Rows.of(judgments, ONE), units=counted)
    C, prior = by_row(rows, confusion), np.full((1, n_labels), 1 / n_labels)
    evidence, N, mass = 0.0, np.zeros_like(C), np.zeros((2, n_labels))
    for i in range(judgments.n_items):
        own, total = np.zeros_like(C), np.zeros((2, n_labels))
        start = rows.item_start[i : i + 2]
        evidence += each[i] * em.em_pass(start, rows.row, C, prior, np.zeros(1, np.int32), 1, own, total)
        N += each[i] * own
        mass += each[i] * total
    found = rows.tables()
    found.C[:, :n_labels] = C
    told = rows.em_pass(Priors(prior, np.zeros(judgments.n_items, np.int32), 1), found, ONE)
    assert told == pytest.approx(evidence, rel=1e-12)
    np.testing.assert_allclose(found.N, N, rtol=1e-9)
    np.testing.assert_allclose(found.mass, mass[0], rtol=1e-9)


@crowd
@given(st.data(), crowds(), st.integers(1, 4))
def test_agreement_in_clusters(data: st.DataObject, judgments: Judgments, n_shards: int) -> None:
    I, J = judgments.n_items, judgments.n_judgments  # noqa: E741
    cluster = data.draw(st.lists(st.integers(-1, 2), min_size=I, max_size=I))
    weight = data.draw(st.one_of(st.none(), st.lists(st.floats(0.5, 5), min_size=I, max_size=I)))
    judgments = replace(
        judgments, cluster=np.array(cluster, np.int32), weight=None if weight is None else np.array(weight)
    )
    right = np.array(data.draw(st.lists(st.floats(0, 1), min_size=J, max_size=J)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(units, "number_of_shards", lambda *_: n_shards)
        patch.setattr(units, "of_judgments", lambda *_: right)
        patch.setattr(units, "FEW_WORKERS", 1)
        sums = units._sums(judgments, None, ONE)  # type: ignore[arg-type]
        found = units._n_eff(sums)
    expected = naive_units.n_eff(judgments, right)
    if found is None:
        assert expected == np.inf
    else:
        assert found == pytest.approx(min(expected, units.MOST), rel=1e-6)


@crowd
@given(st.data(), crowds())
def test_majority_in_units(data: st.DataObject, judgments: Judgments) -> None:
    judgments, counted = weighed(data, judgments, own=True)
    agreed, mass = np.zeros(judgments.n_workers), np.zeros(judgments.n_labels)
    columns = judgments.item_start, judgments.worker, judgments.label
    tallies.by_majority(*columns, counted.item, counted.judgment, agreed, mass)
    votes = naive.label_counts(judgments)
    z = (votes == votes.max(axis=1, keepdims=True)).astype(float)
    z /= z.sum(axis=1, keepdims=True)
    z[judgments.per_item == 0] = 0.0
    np.testing.assert_allclose(mass, counted.item @ z)
    expected = np.bincount(judgments.worker, counted.judgment * z[judgments.item, judgments.label], judgments.n_workers)
    np.testing.assert_allclose(agreed, expected)


@crowd
@given(st.data(), crowds(), st.integers(1, 4))
def test_judged_in_clusters(data: st.DataObject, judgments: Judgments, n_shards: int) -> None:
    I = judgments.n_items  # noqa: E741
    cluster = np.array(data.draw(st.lists(st.integers(-1, 2), min_size=I, max_size=I)), np.int32)
    weight = data.draw(st.one_of(st.none(), st.lists(st.sampled_from([0.5, 1.0, 3.0]), min_size=I, max_size=I)))
    ids = pa.array(["a", "b", "c"], pa.string())
    judgments = replace(
        judgments, cluster=cluster, cluster_ids=ids, weight=None if weight is None else np.array(weight)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(units, "number_of_shards", lambda *_: n_shards)
        found = units.of(judgments, ONE, 4.0)
        later = units.of(judgments, ONE, 9.0, before=found)
    assert found is not None
    assert later is not None
    for one, n_eff in ((found, 4.0), (later, 9.0)):
        item, judgment = naive_units.units(judgments, n_eff)
        np.testing.assert_allclose(one.item, item, rtol=1e-12)
        np.testing.assert_allclose(one.judgment, judgment, rtol=1e-12)
        assert one.n_clusters is not None
        assert one.n_clusters.tolist() == naive_units.n_clusters(judgments)
        assert one.own == (not np.array_equal(one.judgment, one.item[judgments.item]) or one.judged is not None)
    assert (found.judged is None) == naive_units.all_judge_whole_clusters(judgments)
