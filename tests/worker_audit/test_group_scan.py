"""Groups of workers who say the same, found by what all of their pairs tell together."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import consensus
from consensus import fit, read, worker_audit
from consensus.backends import Threads
from consensus.found.cautions import Caution
from consensus.found.copies import Copies
from consensus.found.result import Consensus
from consensus.inputs.judgments import Judgments
from consensus.kernels import group_loops as kernels
from consensus.worker_audit.accuracy.peer_agreement import peer_agreement
from consensus.worker_audit.copying import counted_apart, group_scan, groups_as_one, joined_groups, shared_items
from consensus.worker_audit.copying.group_scan import Group
from consensus.worker_audit.copying.shared_items import ByWorker, Pairs
from tests import naive_copying as naive
from tests.other_crowds import Crowd, Recipe, draw
from tests.strategies import crowds, encoded, examples

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

RING = Recipe(n_items=240, n_workers=20, n_labels=2, accuracy=0.75, skill_sd=0.5, activity_sd=0.3, ring=0.3)
SEED = 2
ONE = Threads(1)


def judgments_of(crowd: Crowd) -> Judgments:
    return read(crowd.table[["item", "worker", "label"]])


def ring_of(crowd: Crowd) -> set[str]:
    return set(crowd.workers.index[crowd.workers["kind"] == "ring"])


def found_in(judgments: Judgments) -> list[Group]:
    pairs = shared_items.pairs_sharing(ByWorker.of(judgments), group_scan.least_shared(judgments), ONE)
    return group_scan.found_groups(judgments, pairs, peer_agreement(judgments, ONE), ONE)


def names(judgments: Judgments, members: Any) -> set[str]:
    ids = judgments.worker_ids.to_pylist()
    return {ids[w] for w in members}


def codes(judgments: Judgments, named: set[str]) -> Any:
    return np.isin(judgments.worker_ids.to_pylist(), sorted(named))


@pytest.fixture(scope="module")
def ringed() -> Crowd:
    return draw(RING, SEED)


@pytest.fixture(scope="module")
def judged(ringed: Crowd) -> Judgments:
    return judgments_of(ringed)


@pytest.fixture(scope="module")
def automatic(judged: Judgments) -> Consensus:
    """With the default setting."""
    return worker_audit.fit_without_copies(judged, collusion=None, model="dawid_skene", rho=0.3)


class TestKernels:
    @examples(60)
    @given(st.integers(0, 10_000), st.integers(2, 9), st.floats(0.1, 1), st.integers(0, 8))
    def test_grow(self, seed: int, n_workers: int, density: float, most: int) -> None:
        rng = np.random.default_rng(seed)
        a, b = np.triu_indices(n_workers, 1)
        some = rng.random(len(a)) < density
        pairs = list(zip(a[some].tolist(), b[some].tolist(), strict=True))
        evidence = dict(zip(pairs, rng.normal(0.3, 1.0, len(pairs)).tolist(), strict=True))
        both = [(v, w, told) for (a, b), told in evidence.items() for v, w in ((a, b), (b, a))]
        both.sort()
        start = np.searchsorted([v for v, _, _ in both], np.arange(n_workers + 1)).astype(np.int64)
        links = kernels.Links(start, np.array([w for _, w, _ in both], np.int32), np.array([t for _, _, t in both]))
        needed = np.sort(rng.uniform(0, 2, most + 1))
        needed[:2] = np.inf
        member, gain = np.ones(n_workers, np.bool_), np.ones(n_workers)
        best = kernels.grow(links, seed % n_workers, needed, member, gain)
        expected = naive.grow(evidence, n_workers, seed % n_workers, needed)
        assert best == pytest.approx(expected[0])
        assert set(np.flatnonzero(member).tolist()) == expected[1]
        np.testing.assert_allclose(gain, expected[2], atol=1e-12)

    @examples(60)
    @given(crowds(), st.integers(0, 10_000))
    def test_beside_group(self, judgments: Judgments, seed: int) -> None:
        rng = np.random.default_rng(seed)
        judgments = shared_items.compared(judgments)
        I, W, K = judgments.n_items, judgments.n_workers, judgments.n_labels  # noqa: E741
        member, z, C = rng.random(W) < 0.5, rng.dirichlet(np.ones(K), I), rng.dirichlet(np.ones(K), (W, K))
        items, same, expected = np.zeros(W), np.zeros(W), np.zeros(W)
        sums = kernels.beside_group(
            shared_items.judged(judgments), member, kernels.Outside(z, C), items, same, expected
        )
        of_items, of_workers = naive.beside_group(judgments, set(np.flatnonzero(member).tolist()), z, C)
        np.testing.assert_allclose(sums, of_items)
        by_hand = np.array([of_workers[w] for w in range(W)]).reshape(W, 3)
        np.testing.assert_allclose(np.stack([items, same, expected], axis=1), by_hand)


class TestFinding:
    def test_a_ring_that_no_pair_gives_away(self, ringed: Crowd, judged: Judgments) -> None:
        (group,) = found_in(judged)
        assert names(judged, group.members) == ring_of(ringed)
        assert group.same == 1.0
        assert group.excess == 1.0
        assert 0.5 < group.expected < 0.75
        assert group.evidence > group_scan.SURE

    @pytest.mark.compiled
    def test_threads_change_nothing(self, judged: Judgments) -> None:
        plain = worker_audit.copies(fit(judged, threads=1))
        assert len(plain) > 10
        for threads in (2, 3):
            assert worker_audit.copies(fit(judged, threads=threads)).equals(plain)

    @pytest.mark.compiled
    def test_two_rings(self) -> None:
        """The second is looked for without the first; no more than MOST_GROUPS are."""
        crowd = draw(replace(RING, n_items=500, n_workers=36, ring=0.25, activity_sd=0.1), SEED)
        table, ring = crowd.table, sorted(ring_of(crowd))
        other = sorted(set(crowd.workers.index) - set(ring))[:8]
        said = np.random.default_rng(1).choice(["l0", "l1"], 500)
        of_other = table["worker"].isin(other)
        table.loc[of_other, "label"] = said[table["item"][of_other].str[1:].astype(int)]
        judgments = read(table)
        groups = found_in(judgments)
        assert {frozenset(names(judgments, group.members)) for group in groups} == {frozenset(ring), frozenset(other)}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(group_scan, "MOST_GROUPS", 1)
            assert len(found_in(judgments)) == 1

    @pytest.mark.compiled
    @pytest.mark.parametrize("n_labels", [2, 3])
    @pytest.mark.parametrize("more", [{}, {"difficulty_sd": 2.0}, {"one_label": 0.3}, {"adversarial": 0.3}])
    def test_honest_crowds(self, n_labels: int, more: dict[str, Any]) -> None:
        for seed in range(3):
            assert found_in(judgments_of(draw(replace(RING, ring=0.0, n_labels=n_labels, **more), seed))) == []

    def test_workers_who_give_one_label_are_no_group(self) -> None:
        crowd = draw(replace(RING, ring=0.0, one_label=0.3), SEED)
        judgments = judgments_of(crowd)
        lazy = codes(judgments, set(crowd.workers.index[crowd.workers["kind"] == "one_label"]))
        assert group_scan._tested(judgments, lazy, ONE) is None

    def test_experts_among_guessers_are_no_group(self) -> None:
        """Others don't agree with each other: who agrees may be right."""
        accuracies = np.where(np.arange(12) < 5, 0.97, 0.5)
        confusion = np.array([[[a, 1 - a], [1 - a, a]] for a in accuracies])
        judgments = consensus.simulate(300, confusion=confusion, per_item=5, seed=1).judgments
        experts = np.arange(12) < 5
        beside = group_scan._beside(judgments, experts, ONE)
        assert beside is not None
        assert beside.rate == 1.0
        assert group_scan._tested(judgments, experts, ONE) is None

    def test_nobody_beside_them(self) -> None:
        """Six who judge everything alone; then with one other, who has nobody to agree with."""
        alone = [(f"i{i:02}", f"w{w}", f"l{i % 2}") for i in range(40) for w in range(6)]
        member = np.arange(7) < 6
        for one in ([("z", "x", "l0")], [(f"i{i:02}", "x", f"l{i // 2 % 2}") for i in range(40)]):
            assert group_scan._beside(encoded(alone + one), member, ONE) is None

    def test_with_very_many_labels_nothing_is_looked_for(
        self, judged: Judgments, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("MOST_CELLS", "MOST_PAIRS"):
            with monkeypatch.context() as patch:
                patch.setattr(group_scan, name, 1)
                assert found_in(judged) == []
        monkeypatch.setattr(group_scan, "DensePosterior", str)
        assert found_in(judged) == []

    def test_in_large_crowds_one_shared_item_does_not_count(
        self, judged: Judgments, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        n = judged.per_item
        n_pairs = int((n * (n - 1) // 2).sum())
        for most, least in ((n_pairs, 1), (n_pairs - 1, 2)):
            monkeypatch.setattr(group_scan, "MOST_COMPARED", most)
            assert group_scan.least_shared(judged) == least
            assert len(found_in(judged)) == 1

    @pytest.mark.compiled
    def test_members_are_left_out_and_taken_in(self) -> None:
        """A start with one honest worker, and without one of the ring."""
        crowd = draw(replace(RING, n_items=400, n_workers=30), SEED)
        judged = judgments_of(crowd)
        ring = codes(judged, ring_of(crowd))
        laziest = np.argsort(judged.per_worker, kind="stable")
        start = ring.copy()
        start[laziest[~ring[laziest]][0]], start[laziest[ring[laziest]][0]] = True, False
        group = group_scan._tested(judged, start, ONE)
        assert group is not None
        assert group.members.tolist() == np.flatnonzero(ring).tolist()

    def test_a_group_has_to_settle(self, ringed: Crowd, judged: Judgments, monkeypatch: pytest.MonkeyPatch) -> None:
        ring = codes(judged, ring_of(ringed))
        start = ring.copy()
        start[np.flatnonzero(~ring)[np.argmin(judged.per_worker[~ring])]] = True
        group = group_scan._tested(judged, start, ONE)
        assert group is not None
        assert group.members.tolist() == np.flatnonzero(ring).tolist()
        monkeypatch.setattr(group_scan, "ROUNDS", 1)
        assert group_scan._tested(judged, start, ONE) is None
        assert group_scan._tested(judged, ring, ONE) is not None

    @pytest.mark.parametrize(("name", "value"), [("SURE", 1e9), ("LEAST_EXCESS", 1.01), ("LEAST_MEMBERS", 7)])
    def test_not_sure(
        self, name: str, value: float, ringed: Crowd, judged: Judgments, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(group_scan, name, value)
        assert group_scan._tested(judged, codes(judged, ring_of(ringed)), ONE) is None

    def test_what_agreement_tells(self) -> None:
        """All 10 the same, where half is expected: log(.925 / .5) each; one in ten is an honest slip."""
        shared, expected = np.array([10, 10]), np.array([0.5, 0.5])
        found = group_scan.told(np.array([10, 9]), shared, expected)
        assert found.tolist() == pytest.approx([10 * np.log(1.85), 9 * np.log(1.85) + np.log(0.15)])

    def test_what_all_groups_of_a_size_have_by_chance(self) -> None:
        needed = group_scan._needed(10, 5)
        assert needed[:4].tolist() == [np.inf] * 4
        assert needed[4:].tolist() == pytest.approx([np.log(210) + np.log(10), np.log(252) + np.log(10)])


class TestJoining:
    def test_with_groups_by_pairs(self) -> None:
        """A pair that touches the group joins it, another stays; numbered by first workers."""
        by_pairs = replace(
            Copies.none(9, 50),
            worker_a=np.array([1, 2, 3], np.int32),
            worker_b=np.array([8, 3, 4], np.int32),
            n_shared=np.array([30, 20, 20]),
            n_same=np.array([29, 20, 20]),
            expected_same=np.array([15.0, 10.0, 10.0]),
            p_value=np.array([1e-6, 1e-5, 1e-5]),
            q_value=np.array([1e-4, 1e-3, 1e-3]),
            group=np.array([-1, 0, 1, 1, 1, -1, -1, -1, 0], np.int32),
            n_effective=np.array([1.25, 1.0]),
            sure=np.zeros(2, np.bool_),
        )
        a, b = np.array([0, 0, 4, 4, 5, 1], np.int32), np.array([4, 5, 5, 6, 6, 2], np.int32)
        pairs = Pairs(a, b, np.array([4, 4, 4, 2, 4, 9]), np.array([4, 4, 4, 2, 3, 9]))
        group = Group(np.array([0, 4, 5, 6], np.int32), 0.5, 0.95, 20.0)
        assert group.excess == pytest.approx(0.9)
        found = joined_groups.joined(by_pairs, [group], pairs)
        assert found.group.tolist() == [0, 1, 0, 0, 0, 0, 0, -1, 1]
        assert found.sure.tolist() == [True, False]
        assert found.worker_a.tolist() == [0, 0, 2, 3, 4, 4, 5, 1]
        assert found.worker_b.tolist() == [4, 5, 3, 4, 5, 6, 6, 8]
        assert found.expected_same.tolist() == [2, 2, 10, 10, 2, 1, 2, 15]
        assert found.q_value[[0, 2, 7]].tolist() == pytest.approx([np.exp(-20), 1e-3, 1e-4])
        assert found.p_value[[0, 2]].tolist() == pytest.approx([1 / 16, 1e-5])
        surplus, room = 10 + 10 + 2 + 2 + 2 + 1 + 1, 10 + 10 + 2 + 2 + 2 + 1 + 2
        assert found.n_effective.tolist() == pytest.approx([6 / (1 + 5 * surplus / room), 1.25])
        assert found.n_tested == 50
        assert joined_groups.joined(by_pairs, [], pairs) is by_pairs

    def test_without_others(self) -> None:
        pairs = Pairs(np.array([0, 2], np.int32), np.array([1, 3], np.int32), np.array([4, 4]), np.array([4, 4]))
        found = joined_groups.joined(Copies.none(5), [Group(np.arange(4, dtype=np.int32), 0.5, 1.0, 9.0)], pairs)
        assert (found.group.tolist(), found.n_effective.tolist()) == ([0, 0, 0, 0, -1], [1.0])
        assert found.only(np.array([False])).sure.tolist() == []


class TestSetting:
    def test_by_default_a_sure_group_counts_as_one(
        self, ringed: Crowd, judged: Judgments, automatic: Consensus
    ) -> None:
        assert automatic.copies is not None
        assert automatic.copies.sure.tolist() == [True]
        (warning,) = (one for one in automatic.warnings if one.code in {"merged_copies", "copying"})
        ring = sorted(ring_of(ringed))
        mine = ringed.table["worker"].isin(ring)
        before, after = int(mine.sum()), ringed.table["item"][mine].nunique()
        assert warning.message == (
            f"workers {', '.join(f'{chr(34)}{one}{chr(34)}' for one in ring)} give the same labels far more often than "
            "independent people would: a group of 6 workers, who count as 1.0 votes; each group counts as one worker, "
            f"so that {before} judgments count as {after}; --collusion report counts them apart"
        )
        assert automatic.copies.n_merged == before - after == len(judged.item) - automatic.judgments.n_judgments
        truth = ringed.truth["label"].to_numpy()
        apart = worker_audit.fit_without_copies(judged, collusion="report", model="dawid_skene", rho=0.3)
        assert np.mean(automatic.labels["label"] == truth) > np.mean(apart.labels["label"] == truth) + 0.05
        (warning,) = (one for one in apart.warnings if one.code in {"merged_copies", "copying"})
        assert (warning.code, warning.values["workers"]) == ("copying", 6)
        moved = (apart.labels["label"] != automatic.labels["label"]).to_numpy()
        (warning,) = (one for one in automatic.warnings if one.code == "readings_disagree")
        first = ", ".join(apart.labels["item"][moved][:3])
        assert warning.message == (
            f"{moved.sum()} of {len(moved)} items ({moved.mean():.1%}) get another label if the workers of each group "
            f"count one by one, such as {first} (--collusion report gives these labels); have some of them checked, "
            "and give them as gold"
        )
        reason = worker_audit.copies(automatic)["reason"][0]
        assert reason.endswith("; the group of 6, sure by what all its pairs tell, counts as 1.0 votes")

    @pytest.mark.compiled
    def test_the_labels_of_both_ways_stand_in_a_file(self, ringed: Crowd) -> None:
        found = consensus.run(ringed.table, model="average")
        apart = (
            consensus.run(ringed.table, model="average", collusion="report").table("labels").set_index("item")["label"]
        )
        table = found.table("readings").set_index("item")
        assert (table["counted_apart"] == apart[table.index]).all()
        warning = [one for one in found.warnings if one.code == "readings_disagree"][-1]
        assert int(warning.values["n_items"]) == (table["counted_apart"] != table["label"]).sum()
        assert " (all in readings.csv); " in warning.message

    def test_gold_is_no_item_that_moved(self, ringed: Crowd, judged: Judgments, automatic: Consensus) -> None:
        apart = worker_audit.fit_without_copies(judged, collusion="report", model="dawid_skene", rho=0.3)
        moved = automatic.labels["item"][(apart.labels["label"] != automatic.labels["label"]).to_numpy()]
        known = ringed.truth[ringed.truth["item"].isin(moved[:5])]
        gold = consensus.read_gold(known).align(automatic.judgments)
        results = [replace(automatic, gold=one, warnings=()) for one in (None, gold)]
        told = [counted_apart.compared(apart, one).warnings[0].values["n_items"] for one in results]
        assert told[1] == told[0] - 5

    def test_what_the_fit_warns_of_stays(self, judged: Judgments, automatic: Consensus) -> None:
        """Readings that differ in how workers may err together are another doubt than groups that count as one."""
        apart = worker_audit.fit_without_copies(judged, collusion="report", model="dawid_skene", rho=0.3)
        own = Caution("readings_disagree", "two readings of the fit differ", {"n_items": 9})
        found = counted_apart.compared(apart, replace(automatic, warnings=(own,)))
        assert found.warnings[0] is own
        assert [one.code for one in found.warnings] == ["readings_disagree"] * 2

    def test_an_honest_crowd_is_left_alone(self) -> None:
        judgments = judgments_of(draw(replace(RING, ring=0.0), SEED))
        result = worker_audit.fit_without_copies(judgments, collusion="auto", rho=0.3)
        assert np.array_equal(result.posterior, fit(judgments, rho=0.3).posterior)
        assert result.copies is not None
        assert (result.copies.collusion, result.copies.merged) == ("auto", False)

    @pytest.mark.parametrize(
        ("setting", "said", "n_merged"), [("auto", ["merged_copies", "copying"], 1), ("merge", ["merged_copies"], 2)]
    )
    def test_what_is_not_sure_is_reported(
        self, setting: Any, said: list[str], n_merged: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows = [(f"i{i:02}", f"w{w}", f"l{(i * (w + 3)) % 2}") for i in range(30) for w in range(6)]
        group = np.array([0, 0, 1, 1, -1, -1], np.int32)
        pair = {"worker_a": np.array([0, 2], np.int32), "worker_b": np.array([1, 3], np.int32)}
        counts = {"n_shared": np.array([30, 30]), "n_same": np.array([30, 30])}
        more = {name: np.zeros(2) for name in ("expected_same", "p_value", "q_value")}
        two: Any = {
            "group": group,
            "n_effective": np.ones(2),
            "sure": np.array([True, False]),
            **pair,
            **counts,
            **more,
        }
        monkeypatch.setattr(groups_as_one, "found_copies", lambda _: replace(Copies.none(6), **two))
        result = worker_audit.fit_without_copies(encoded(rows), collusion=setting, rho=0.3)
        told = [one for one in result.warnings if one.code in {"merged_copies", "copying"}]
        assert [one.code for one in told] == said
        assert [one.values["workers"] for one in told] == ([2, 2] if len(said) == 2 else [4])
        assert result.copies is not None
        assert result.copies.n_groups == 2
        assert result.copies.n_merged == 30 * n_merged

    @pytest.mark.compiled
    def test_the_summary_balances(self, ringed: Crowd) -> None:
        found = consensus.run(ringed.table, model="dawid_skene", rho=0.3)
        counts = found.summary["counts"]
        assert counts["judgments"] + counts["judgments_merged"] == counts["rows"]["used"]
        assert found.summary["settings"]["collusion"] == "auto"
        assert "merged_copies" in {one["code"] for one in found.summary["warnings"]}
        apart = consensus.run(ringed.table, model="dawid_skene", rho=0.3, collusion="report").summary
        assert "judgments_merged" not in apart["counts"]
        assert apart["settings"]["collusion"] == "report"
