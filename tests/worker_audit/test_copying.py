"""Finding workers who copy, and counting them as one."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from consensus import audit, fit, read, simulate, worker_audit
from consensus.backends import Threads
from consensus.errors import ConfigError
from consensus.found.copies import Copies
from consensus.found.result import Consensus
from consensus.inputs.judgments import Judgments
from consensus.kernels import copying_loops as kernels
from consensus.worker_audit.accuracy import peer_agreement
from consensus.worker_audit.copying import copying_groups, shared_items
from consensus.worker_audit.copying.shared_items import ByWorker, Pairs
from tests import naive_copying as naive
from tests.conftest import Run, csv, dataset
from tests.strategies import crowds, encoded, examples, rows

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

COLUMNS = "group worker_a worker_b n_shared n_same expected_same p_value q_value n_effective reason".split()
crowd = examples(60)
FOLLOWED = 15
RING = [f"ring{r}" for r in range(6)]


def ringed(
    seed: int,
    *,
    n_items: int = 600,
    n_labels: int = 3,
    n_honest: int = 60,
    ring: int = 6,
    ring_items: int = 150,
    most: int = 4,
    copying: float = 1.0,
) -> tuple[list[tuple[str, str, str]], dict[str, str]]:
    """Five judgments an item, up to ``most`` of them by a ring on the items that it works on; rows, and the truth.

    The ring copies one spammer, each of its members with probability ``copying``. Honest accuracies are .65 to .9;
    every eighth worker takes one label for the next most of the time; on a tenth of the items all are right with .4,
    and mostly take the true label for the next.
    """
    rng = np.random.default_rng(seed)
    K = n_labels
    C = np.empty((n_honest, K, K))
    for w, accuracy in enumerate(rng.uniform(0.65, 0.9, n_honest)):
        for k in range(K):
            C[w, k] = np.insert(rng.dirichlet(np.full(K - 1, 2.0)) * (1 - accuracy), k, accuracy)
        if w % 8 == 0:
            C[w, w % K] = 0.1 / K + 0.9 * np.roll(np.eye(K), 1, axis=1)[w % K] * 0.6 + 0.9 * np.eye(K)[w % K] * 0.4
    hard = 0.1 / K + 0.9 * (0.4 * np.eye(K) + 0.6 * np.roll(np.eye(K), 1, axis=1))
    truth, is_hard = rng.integers(0, K, n_items), rng.random(n_items) < 0.1
    load = rng.uniform(20, 150, n_honest)
    of_ring = set(rng.choice(n_items, ring_items, replace=False).tolist())
    found = []
    for i in range(n_items):
        copied = rng.integers(0, K)
        ringing = rng.permutation(ring)[: most if i in of_ring else 0]
        for r in ringing:
            label = copied if rng.random() < copying else rng.integers(0, K)
            found.append((f"i{i:04}", RING[r], f"l{label}"))
        for w in rng.choice(n_honest, 5 - len(ringing), replace=False, p=load / load.sum()):
            chances = (hard if is_hard[i] else C[w])[truth[i]]
            found.append((f"i{i:04}", f"honest{w:02}", f"l{rng.choice(K, p=chances / chances.sum())}"))
    return found, {f"i{i:04}": f"l{truth[i]}" for i in range(n_items)}


def names(result: Consensus, copies: Copies) -> set[str]:
    ids = result.judgments.worker_ids.to_pylist()
    return {ids[w] for w in np.flatnonzero(copies.group >= 0)}


def right(result: Consensus, truth: dict[str, str]) -> float:
    labels = result.labels
    return float(np.mean(labels["label"] == labels["item"].map(truth)))


@pytest.fixture(scope="module")
def small() -> list[tuple[str, str, str]]:
    return ringed(2, n_items=150, n_honest=14, ring_items=60, ring=4, most=3)[0]


@pytest.fixture(scope="module")
def found(small: list[tuple[str, str, str]]) -> Consensus:
    return fit(encoded(small), rho=0.3)


class TestKernels:
    @crowd
    @given(crowds(), st.integers(1, 3))
    def test_pairs(self, judgments: Judgments, least: int) -> None:
        found = shared_items.pairs_sharing(ByWorker.of(judgments), least, Threads(1))
        by_pair = zip(found.shared.tolist(), found.same.tolist(), strict=True)
        assert dict(zip(zip(found.a.tolist(), found.b.tolist(), strict=True), by_pair, strict=True)) == naive.pairs(
            judgments, least
        )
        assert len(found) == len(found.take(np.arange(len(found))))

    @crowd
    @given(crowds())
    def test_by_worker(self, judgments: Judgments) -> None:
        found = ByWorker.of(judgments)
        for w in range(judgments.n_workers):
            mine = found.judgment[found.worker_start[w] : found.worker_start[w + 1]]
            assert mine.tolist() == np.flatnonzero(judgments.worker == w).tolist()
        last = np.append(judgments.item[1:] != judgments.item[:-1], True)
        for j, code in enumerate(found.told.tolist()):
            label = judgments.label[j]
            assert code == 2 * (judgments.worker[j] * 2**found.n_bits + label) + last[j]
            assert label < 2**found.n_bits

    @pytest.mark.parametrize("n_labels", [2, 3])
    def test_expectations(self, n_labels: int) -> None:
        rng = np.random.default_rng(n_labels)
        judgments = simulate(12, 5, n_labels, 3.5, seed=1).judgments
        C = rng.dirichlet(np.ones(n_labels), (5, n_labels))
        posterior, power = rng.dirichlet(np.ones(n_labels), 12), rng.uniform(0.4, 1, 12)
        by_worker = ByWorker.of(judgments)
        pairs = shared_items.pairs_sharing(by_worker, 1, Threads(1))
        start = np.searchsorted(pairs.a, np.arange(6)).astype(np.int64)
        out, fitted = np.empty(len(pairs)), kernels.Fitted(C, posterior, power)
        kernels.expected_same(0, by_worker.made(slice(0, 5)), judgments.item, start, pairs.b, fitted, out)
        both = list(zip(pairs.a.tolist(), pairs.b.tolist(), strict=True))
        np.testing.assert_allclose(out, [naive.expected(judgments, a, b, C, posterior, power) for a, b in both])

        some, excess, shared = np.arange(0, 12, 2, dtype=np.int32), np.zeros(5), np.zeros(5, np.int64)
        of_some = kernels.Fitted(C, posterior[some], power[some])
        left_out = np.array([False, False, True, False, False])
        kernels.excess_of_workers(some, shared_items.judged(judgments), of_some, left_out, excess, shared)
        counted = judgments.subset((judgments.item % 2 == 0) & (judgments.worker != 2))
        by_hand = naive.excess_of_workers(judgments, counted, C, posterior, power)
        np.testing.assert_allclose(excess, [by_hand[w][0] for w in range(5)])
        assert shared.tolist() == [by_hand[w][1] for w in range(5)]

    @pytest.mark.parametrize("most", [3, 100])
    def test_suspects(self, most: int) -> None:
        rng = np.random.default_rng(3)
        K = 3
        judgments = simulate(30, 6, K, 3.5, seed=1).judgments
        C = rng.dirichlet(np.ones(K), (6, K))
        posterior, power = rng.dirichlet(np.ones(K), 30), rng.uniform(0.4, 1, 30)
        posterior[4] = [0, 1, 0]  # gold
        near = {1: {1, 2, 4}, 4: {4, 1}, 5: {5}}
        by_worker = ByWorker.of(judgments)
        own = [by_worker.judgment[slice(*by_worker.worker_start[w : w + 2])] for w in near]
        own_start, near_start = (np.cumsum([0, *map(len, some)]) for some in (own, near.values()))
        all_near = np.array([w for group in near.values() for w in sorted(group)], np.int32)
        suspects = kernels.Suspects(
            np.array(list(near), np.int32), own_start, np.concatenate(own), near_start, all_near
        )
        given, fitted = shared_items.judged(judgments), kernels.Fitted(C, posterior, power)
        C_own = np.empty((3, K, K))
        kernels.own_confusions(suspects, given, fitted, 1.5, 4, most, C_own)
        positive = np.maximum(posterior, 1e-300)
        for s, w in enumerate(near):
            step = len(own[s]) // most + 1
            expected = naive.own_confusion(judgments, w, near[w], C, positive, power, 1.5, 4, step)
            np.testing.assert_allclose(C_own[s], expected, rtol=1e-9)
        first, second, out = np.array([0, 0], np.int32), np.array([1, 2], np.int32), np.empty(2)
        kernels.expected_of_suspects(first, second, suspects, given, fitted, C_own, out)
        for p, (a, b) in enumerate([(1, 4), (1, 5)]):
            tables = (C_own[first[p]], C_own[second[p]])
            by_hand = naive.expected_of_suspects(judgments, (a, b), near[a] | near[b], tables, C, positive, power)
            assert out[p] == pytest.approx(by_hand)

    @crowd
    @given(rows(abstains=False), st.lists(st.sampled_from(["a", "b", ""]), min_size=5, max_size=5))
    def test_merged(self, judged: list[tuple[str, str, str]], drawn: list[str]) -> None:
        judgments = encoded(judged)
        ids = judgments.worker_ids.to_pylist()
        of_worker = {w: drawn[int(w[1:])] for w in ids}
        firsts = {g: min(w for w in ids if of_worker[w] == g) for g in {of_worker[w] for w in ids} - {""}}
        names = sorted(firsts.values())
        group = np.array([names.index(firsts[of_worker[w]]) if of_worker[w] else -1 for w in ids], np.int32)
        copies = replace(Copies.none(len(ids)), group=group, n_effective=np.ones(len(names)))
        assert copies.sizes.sum() == (group >= 0).sum()
        merged = worker_audit.merged(judgments, copies)
        seen = [
            (judgments.item_ids[i].as_py(), ids[w], judgments.labels[label])
            for i, w, label in zip(merged.item, merged.worker, merged.label, strict=True)
        ]
        assert seen == naive.merged(judged, {w: firsts[g] for w, g in of_worker.items() if g})
        assert merged.item_start[-1] == len(seen)


class TestFinding:
    def test_a_ring_in_a_small_crowd(self, found: Consensus) -> None:
        copies = worker_audit.groups(found)
        assert names(found, copies) == set(RING[:4])
        table = worker_audit.copies(found)
        assert list(table.columns) == COLUMNS
        assert len(table) == 6
        assert (table["n_same"] == table["n_shared"]).all()
        assert table["n_effective"].tolist() == pytest.approx([1.0] * 6)
        first = table.iloc[0]
        assert first["reason"] == (
            f"same label on {first['n_shared']} of {first['n_shared']} shared items, {first['expected_same']:.1f} "
            "expected if independent; the group of 4, sure by what all its pairs tell, counts as 1.0 votes"
        )
        assert not copies.merged

    def test_what_was_found_is_not_looked_for_again(self, found: Consensus) -> None:
        none = Copies.none(18)
        assert worker_audit.groups(replace(found, copies=none)) is none
        assert list(worker_audit.copies(replace(found, copies=none)).columns) == COLUMNS

    @pytest.mark.compiled
    def test_shuffled_rows_and_threads_change_nothing(self, small: list[tuple[str, str, str]]) -> None:
        order = np.random.default_rng(1).permutation(len(small))
        table = [small[n] for n in order]
        columns = {name: [row[n] for row in table] for n, name in enumerate(("item", "worker", "label"))}
        plain = worker_audit.copies(fit(encoded(small), rho=0.3, threads=1))
        for threads in (1, 2, 3):
            again = worker_audit.copies(fit(read(columns), rho=0.3, threads=threads))
            assert again.equals(plain)

    @pytest.mark.slow
    def test_shards_change_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        judgments = encoded(ringed(5)[0])
        plain = worker_audit.copies(fit(judgments, rho=0.3))
        monkeypatch.setattr(shared_items, "number_of_shards", lambda *_: 7)
        monkeypatch.setattr("consensus.worker_audit.copying.suspects.number_of_shards", lambda *_: 3)
        for threads in (1, 3):
            assert worker_audit.copies(fit(judgments, rho=0.3, threads=threads)).equals(plain)

    def test_an_honest_crowd(self) -> None:
        result = fit(encoded(ringed(1, n_items=120, n_honest=8, ring_items=0)[0]), rho=0.3)
        copies = worker_audit.groups(result)
        assert copies.n_groups == 0
        assert copies.n_tested >= 25
        assert worker_audit.copies(result).empty

    def test_workers_who_always_say_the_same_are_no_copies(self) -> None:
        honest = ringed(1, n_items=120, n_honest=8, ring_items=0)[0]
        lazy = [(f"i{i:04}", f"lazy{w}", "l0") for i in range(0, 120, 2) for w in range(3)]
        assert worker_audit.groups(fit(encoded(honest + lazy), rho=0.3)).n_groups == 0

    def test_experts_among_spammers_are_no_copies(self) -> None:
        accuracies = np.array([0.95, 0.95, 1 / 3, 1 / 3, 1 / 3])
        wrong = (1 - accuracies[:, None, None]) / 2
        confusion = wrong + np.eye(3) * (accuracies[:, None, None] - wrong)
        result = fit(simulate(200, confusion=confusion, per_item=5, seed=1).judgments, rho=0.3)
        assert worker_audit.groups(result).n_groups == 0

    def test_two_of_three_can_not_be_told_from_two_experts(self) -> None:
        """Nobody is left to calibrate on; only that it ends well is asked for."""
        rng = np.random.default_rng(1)
        judged = [
            (f"i{i:02}", w, f"l{label}")
            for i in range(60)
            for w, label in zip("abc", rng.integers(0, 3, 3), strict=True)
        ]
        copied = [(i, "b", label) if w == "a" else (i, w, label) for i, w, label in judged if w != "b"]
        assert worker_audit.groups(fit(encoded(judged + copied), rho=0.3)).n_tested == 3

    def test_a_follower_of_the_whole_group(self) -> None:
        """It shares too few items with each member, but many with the group."""
        judged = ringed(3, n_items=200, n_honest=14, ring_items=0)[0]
        rng = np.random.default_rng(1)
        said = rng.integers(0, 3, 200)
        for i in range(60):
            members = [r for r in range(3) if r != i % 3]
            judged += [(f"i{i:04}", f"ring{r}", f"l{said[i]}") for r in members]
            if i < FOLLOWED:
                judged.append((f"i{i:04}", "shadow", f"l{said[i]}"))
        result = fit(encoded(judged), rho=0.3)
        found = names(result, worker_audit.groups(result))
        assert found == {"ring0", "ring1", "ring2", "shadow"}
        table = worker_audit.copies(result)
        of_shadow = table[table["worker_b"] == "shadow"]
        assert (of_shadow["q_value"] > shared_items.LEVEL).any()

    def test_p_value_is_a_binomial_tail(self, found: Consensus) -> None:
        copies = worker_audit.groups(found)
        tail = binom.sf(copies.n_same - 1, copies.n_shared, copies.expected_same / copies.n_shared)
        np.testing.assert_allclose(copies.p_value, tail, rtol=1e-6)
        assert (copies.q_value >= copies.p_value).all()

    def test_how_widely_honest_pairs_spread(self) -> None:
        """Three deviations below what is expected: nine times the variance of independent pairs."""
        n = 30
        code, shared = np.zeros(n, np.int32), np.full(n, 100)
        pairs, clean = Pairs(code, code, shared, np.full(n, 35)), np.ones(n, np.bool_)
        assert copying_groups._spread(pairs, np.full(n, 50.0), clean) == pytest.approx(9.0)
        assert copying_groups._spread(pairs, np.full(n, 35.0), clean) == 1.0
        assert copying_groups._spread(pairs, np.full(n, 50.0), np.arange(n) < 10) == 1.0

    def test_the_more_pairs_the_less_may_chance_alone_make_suspicious(self) -> None:
        code, p = np.zeros(2, np.int32), np.array([0.005, 0.0005])
        pairs, expected = Pairs(code, code, np.full(2, 100), np.full(2, 95)), np.full(2, 50.0)
        assert copying_groups._is_suspicious(pairs, expected, p, 1_000).tolist() == [True, True]
        assert copying_groups._is_suspicious(pairs, expected, p, 10_000).tolist() == [False, True]

    def test_agreement_by_chance_where_nearly_all_say_the_same(self) -> None:
        """Six pairs of four workers on two items each; they differ on the last, and say yes to two."""
        judged = []
        for n, pair in enumerate(itertools.combinations(range(4), 2)):
            for i in (2 * n, 2 * n + 1):
                judged += [(f"i{i:02}", f"w{w}", "yes" if i < 2 or (i == 11 and w == 3) else "no") for w in pair]
        judgments = encoded(judged)
        pairs = shared_items.pairs_sharing(ByWorker.of(judgments), 1, Threads(1))
        found = shared_items.expected_by_agreement(pairs, peer_agreement.peer_agreement(judgments, Threads(1)))
        usual = np.array([19, 5]) / 24
        counts, agreeing = np.array([[4, 2], [4, 2], [6, 0], [5, 1]]), np.array([6, 6, 5, 5])
        q = (counts + usual) / 7
        chance, by_chance = q @ usual, usual @ usual
        kappa_all = (11 / 12 - by_chance) / (1 - by_chance)
        kappa = ((agreeing + 2 * (chance + (1 - chance) * kappa_all)) / 8 - chance) / (1 - chance)
        for at, (a, b) in enumerate(itertools.combinations(range(4), 2)):
            c = q[a] @ q[b]
            both = np.clip(kappa[a] * kappa[b] / kappa_all, 0, 1)
            assert found[at] == pytest.approx(np.clip(2 * (c + (1 - c) * both), 2e-6, 1.998))

    def test_few_shared_items_are_not_tested(self) -> None:
        assert shared_items.least_shared(66, 3) == 11
        assert shared_items.least_shared(36, 10) == 5
        assert shared_items.least_shared(2, 1) == shared_items.least_shared(2, 2)
        result = fit(simulate(30, 6, 2, 2, seed=1).judgments)
        assert worker_audit.groups(result).n_tested == 0

    def test_nobody_shares_an_item(self) -> None:
        assert worker_audit.groups(fit(encoded([("a", "v", "x"), ("b", "w", "y")]))).n_groups == 0
        votes = {"item": ["a", "b"], "model": ["m", "m"], "label": ["x", "y"]}
        assert worker_audit.groups(fit(None, model_votes=votes)).n_groups == 0

    def test_with_very_many_labels_agreement_counts(self, found: Consensus, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("consensus.worker_audit.copying.copying_groups.MOST_CELLS", 1)
        assert names(found, worker_audit.groups(found)) == set(RING[:4])
        monkeypatch.setattr(shared_items, "MOST_CELLS", 1)
        assert names(found, worker_audit.groups(found)) == set(RING[:4])

    def test_many_labels_and_workers_want_wide_codes(self, found: Consensus) -> None:
        narrow = ByWorker.of(found.judgments)
        wide = ByWorker.of(replace(found.judgments, labels=range(2**28)))  # type: ignore[arg-type]
        assert (narrow.told.itemsize, wide.told.itemsize) == (4, 8)
        pairs = [shared_items.pairs_sharing(one, 5, Threads(1)) for one in (narrow, wide)]
        assert pairs[0].same.tolist() == pairs[1].same.tolist()

    def test_items_that_too_many_judged_are_left_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        judged = encoded([(f"i{i}", f"w{w}", "x") for i in range(9) for w in range(2 + i)])
        monkeypatch.setattr(shared_items, "MOST_COMPARED", 0)
        kept = shared_items.compared(judged)
        assert kept.per_item[kept.per_item > 0].tolist() == [2, 3, 4, 5, 6, 7, 8, 9, 10]
        monkeypatch.setattr(shared_items, "MOST_COMPARED", 20)
        crowd = encoded([(f"i{i}", f"w{w:02}", "x") for i in range(3) for w in range(30 if i else 4)])
        kept = shared_items.compared(crowd)
        assert kept.per_item.tolist() == [4, 0, 0]

    def test_repeats_are_left_out(self) -> None:
        table = {"item": ["a", "a", "a", "b"], "worker": ["v", "v", "w", "v"], "label": ["x", "y", "x", "x"]}
        kept = shared_items.compared(read(table, repeats="keep"))
        assert kept.worker.tolist() == [1, 0]

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("crowd", "most"),
        [
            ({"n_labels": 3}, 0.01),
            ({"n_labels": 2}, 0.01),
            ({"n_labels": 5, "n_items": 1500}, 0.01),
            ({"n_labels": 3, "n_items": 1000, "copying": 0.9}, 0.01),
            ({"n_labels": 4, "n_items": 300, "ring_items": 60}, 0.02),  # many items are left with one honest judgment
            ({"n_labels": 2, "n_items": 2000, "copying": 0.9}, 0.01),
        ],
    )
    def test_rings_are_found_and_counted_as_one(self, crowd: dict[str, Any], most: float) -> None:
        lost = []
        for seed in range(5):
            judged, truth = ringed(seed, **crowd)
            result = worker_audit.fit_without_copies(encoded(judged), rho=0.3)
            assert result.copies is not None
            assert names(result, result.copies) == set(RING)
            alone = fit(encoded([row for row in judged if row[1] not in RING]), rho=0.3)
            lost.append(right(alone, truth) - right(result, truth))
        assert np.mean(lost) < most

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "crowd", [{"n_labels": 2}, {"n_labels": 3}, {"n_labels": 5}, {"n_labels": 3, "n_honest": 12}]
    )
    def test_honest_crowds_are_not_accused(self, crowd: dict[str, Any]) -> None:
        for seed in range(6):
            result = fit(encoded(ringed(seed, ring_items=0, **crowd)[0]), rho=0.3)
            assert worker_audit.groups(result).n_groups == 0

    @pytest.mark.real
    @pytest.mark.slow
    def test_few_are_accused_in_real_crowds(self) -> None:
        pairs = {
            name: len(worker_audit.copies(fit(read(dataset(name) / "judgments.csv"))))
            for name in ("bluebird", "cf_amt", "face", "rte", "sentiment", "sp", "web", "zencrowd_us")
        }
        assert sum(pairs.values()) <= 8, pairs


class TestMerging:
    @pytest.mark.compiled
    def test_members_are_rated_by_the_merged_consensus(self, small: list[tuple[str, str, str]]) -> None:
        judgments = encoded(small)
        result = worker_audit.fit_without_copies(judgments, rho=0.3)
        assert result.copies is not None
        assert result.copies.merged
        (warning,) = (one for one in result.warnings if one.code == "merged_copies")
        n_ring = sum(worker in RING for _, worker, _ in small)
        fewer = n_ring - len({item for item, worker, _ in small if worker in RING})
        assert warning.message == (
            'workers "ring0", "ring1", "ring2", "ring3" give the same labels far more often than independent people '
            f"would: a group of 4 workers, who count as 1.0 votes; each group counts as one worker, so that {n_ring} "
            f"judgments count as {n_ring - fewer}; --collusion report counts them apart"
        )
        assert warning.values["judgments_merged"] == fewer
        assert result.judgments.n_judgments == len(small) - fewer
        table = audit(result).set_index("worker")
        assert table["n_judgments"].to_dict() == {
            name: sum(worker == name for _, worker, _ in small) for name in table.index
        }
        before = audit(fit(judgments, rho=0.3)).set_index("worker")
        assert (table.loc[RING[:4], "accuracy"] < before.loc[RING[:4], "accuracy"] - 0.2).all()
        counts = worker_audit.confusions(result, every=True).groupby("worker")["count"].sum()
        np.testing.assert_allclose(counts, table["n_judgments"])
        assert len(worker_audit.copies(result)) == 6

    def test_members_are_held_against_the_same_beliefs(self, small: list[tuple[str, str, str]]) -> None:
        """Without tempering, their view has the posterior of the merged fit."""
        result = worker_audit.fit_without_copies(encoded(small), rho=0)
        assert result.members is not None
        assert result.members.copies is not None
        assert result.members.copies.merged
        np.testing.assert_allclose(result.members.posterior, result.posterior, atol=1e-12)
        for one in (result, result.members):  # each with the rows of its own judgments
            assert np.array_equal(one.confusions.row_worker[one.row], one.judgments.worker)
            assert np.array_equal(one.confusions.row_label[one.row], one.judgments.label)
        others = result.members.confusions.matrix(0)
        np.testing.assert_allclose(others, result.confusions.matrix(0), atol=1e-4)

    def test_reported_only(self, small: list[tuple[str, str, str]]) -> None:
        judgments = encoded(small)
        stages = []
        result = worker_audit.fit_without_copies(
            judgments, collusion="report", rho=0.3, progress=lambda stage, *_: stages.append(stage)
        )
        assert "comparing workers" in stages
        assert result.members is None
        np.testing.assert_array_equal(result.posterior, fit(judgments, rho=0.3).posterior)
        (warning,) = (one for one in result.warnings if one.code == "copying")
        assert warning.message.endswith("--collusion merge counts each group as one worker")
        assert warning.values == {"groups": 1, "workers": 4, "pairs": 6, "n_effective": pytest.approx(1.0)}

    @pytest.mark.compiled
    def test_groups_that_only_a_ring_made_alike_are_dropped(
        self, small: list[tuple[str, str, str]], found: Consensus, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from consensus.worker_audit.copying import copying_groups, groups_as_one

        ring = copying_groups.found_copies(found)
        honest = np.flatnonzero(ring.group < 0)[:2].astype(np.int32)
        group = ring.group.copy()
        group[honest] = 1
        pair: dict[str, Any] = {"worker_a": honest[:1], "worker_b": honest[1:], "n_shared": 20, "n_same": 18}
        pair |= {"expected_same": 8.0, "p_value": 1e-6, "q_value": 1e-5}
        more: dict[str, Any] = {name: np.append(getattr(ring, name), value) for name, value in pair.items()}
        both = replace(ring, **more, group=group, n_effective=np.append(ring.n_effective, 1.2))
        both = replace(both, sure=np.append(ring.sure, False))
        assert both.n_groups == 2
        answers = iter([both, Copies.none(len(group)), both, both])
        monkeypatch.setattr(groups_as_one, "found_copies", lambda _: next(answers))
        dropped = worker_audit.fit_without_copies(encoded(small), collusion="report", rho=0.3).copies
        assert dropped is not None
        np.testing.assert_array_equal(dropped.group, ring.group)
        np.testing.assert_array_equal(dropped.worker_a, ring.worker_a)
        kept = worker_audit.fit_without_copies(encoded(small), collusion="report", rho=0.3).copies
        assert kept is not None
        np.testing.assert_array_equal(kept.group, both.group)

    @pytest.mark.slow
    @pytest.mark.parametrize("seed", [10, 12])
    def test_a_ring_that_rules_its_items_accuses_nobody_else(self, seed: int) -> None:
        """Without the second look pairs of good workers were found here, wrong together by the ring."""
        rows, _ = ringed(seed, n_items=300, n_honest=30, ring_items=120, ring=5, most=6)
        result = worker_audit.fit_without_copies(encoded(rows), collusion="report", rho=0.3)
        pairs = worker_audit.copies(result)
        assert pairs["worker_a"].str.startswith("ring").all()
        assert pairs["worker_b"].str.startswith("ring").all()

    @pytest.mark.compiled
    def test_not_looked_for(self, small: list[tuple[str, str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("consensus.worker_audit.copying.groups_as_one.MOST_COMPARED", len(small) - 1)
        assert worker_audit.fit_without_copies(encoded(small), collusion=None, rho=0.3).copies is None
        monkeypatch.setattr("consensus.worker_audit.copying.groups_as_one.MOST_COMPARED", len(small))
        assert worker_audit.fit_without_copies(encoded(small), collusion=None, rho=0.3).copies is not None
        result = worker_audit.fit_without_copies(encoded(small), collusion="off", rho=0.3)
        assert result.copies is None
        with pytest.raises(
            ConfigError, match="setting collusion = 'forbid': input should be 'auto', 'report', 'merge' or 'off'"
        ):
            worker_audit.fit_without_copies(encoded(small), collusion="forbid")  # type: ignore[arg-type]

    def test_nothing_to_merge(self) -> None:
        judgments = simulate(60, 6, 2, 4, seed=1).judgments
        result = worker_audit.fit_without_copies(judgments)
        assert result.copies is not None
        assert not result.copies.merged
        assert result.warnings == fit(judgments).warnings

    @pytest.mark.compiled
    def test_with_very_many_labels_the_first_member_stands_for_its_group(
        self, small: list[tuple[str, str, str]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("consensus.worker_audit.copying.groups_as_one.DensePosterior", str)
        result = worker_audit.fit_without_copies(encoded(small), rho=0.3)
        assert result.members is None
        table = audit(result).set_index("worker")
        assert table.loc[RING[:4], "n_judgments"].gt(0).tolist() == [True, False, False, False]

    def test_times_go_with_the_judgments_that_are_kept(self) -> None:
        table = {
            "item": ["a", "a", "a"],
            "worker": ["u", "v", "w"],
            "label": ["x", "y", "y"],
            "timestamp": ["2025-01-01", "2025-01-02", "2025-01-03"],
        }
        copies = replace(Copies.none(3), group=np.array([0, 0, 0], np.int32), n_effective=np.ones(1))
        merged = worker_audit.merged(read(table), copies)
        assert merged.timestamp is not None
        assert merged.timestamp.astype("datetime64[D]").astype(str).tolist() == ["2025-01-02"]
        assert (merged.worker.tolist(), merged.label.tolist()) == ([0], [1])

    @pytest.mark.compiled
    def test_many_groups_are_told_shortly(self) -> None:
        rng = np.random.default_rng(1)
        honest = simulate(200, 12, 3, 5, accuracy=0.8, seed=1)
        judged = [
            (f"i{i:03}", f"w{w:02}", f"l{label}")
            for i, w, label in zip(honest.judgments.item, honest.judgments.worker, honest.judgments.label, strict=True)
        ]
        for ring in "ab":
            said = rng.integers(0, 3, 200)
            judged += [(f"i{i:03}", f"{ring}{r}", f"l{said[i]}") for i in range(0, 200, 4) for r in range(4)]
        result = worker_audit.fit_without_copies(encoded(judged), collusion="report", rho=0.3)
        (warning,) = (one for one in result.warnings if one.code == "copying")
        assert '"b1" and 2 more give the same labels' in warning.message
        assert "2 groups of 8 workers, who count as 2.0 votes" in warning.message


class TestCommands:
    @pytest.mark.compiled
    def test_report_merge_off(
        self,
        small: list[tuple[str, str, str]],
        write: Callable[[str, str], Path],
        run: Run,
        tmp_path: Path,
    ) -> None:
        file = write("judgments.csv", csv(small))
        ran = run("audit", file, "--table", "copying", "--collusion", "report")
        assert ran.status == 0
        printed = pd.read_csv(StringIO(ran.out))
        assert list(printed.columns) == COLUMNS
        assert len(printed) == 6
        assert "warning copying: workers" in ran.err
        off = run("audit", file, "--collusion", "off")
        assert off.status == 0
        assert "copying" not in off.err
        bad = run("aggregate", file, "--collusion", "forbid")
        assert (bad.status, bad.err.count("\n")) == (3, 1)
        assert "setting collusion = 'forbid'" in bad.err

        settings = write("settings.toml", 'collusion = "merge"\n')
        for name, arguments in (("merge", ["--collusion", "merge"]), ("toml", ["--config", settings])):
            assert "warning merged_copies: " in run("run", file, "--output", tmp_path / name, *arguments).err
        tables = [pd.read_csv(tmp_path / name / "workers.csv") for name in ("merge", "toml")]
        assert tables[0].equals(tables[1])
        listed = dict(zip(tables[0]["worker"], tables[0]["n_judgments"], strict=True))
        assert listed == {name: sum(row[1] == name for row in small) for name in {row[1] for row in small}}
        assert '"collusion": "merge"' in (tmp_path / "merge" / "summary.json").read_text()
        escalated = run("escalate", file, "--collusion", "merge")
        assert escalated.status == 0
        assert "warning merged_copies" in escalated.err
