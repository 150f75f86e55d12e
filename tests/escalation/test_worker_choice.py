"""Whom to ask: who tells most, under quotas; and who can be asked at all."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from consensus import escalate, fit, read, read_previous, read_workers, simulate
from consensus.config import EscalateConfig
from consensus.errors import ConfigError, FormatError, JudgmentError
from consensus.escalation import budget_curve, offers, planned, worker_choice
from consensus.escalation.look_ahead import LookAhead
from consensus.escalation.reasons import AUDIT, EXPERT
from consensus.found.result import Consensus
from consensus.kernels import worker_choice_loops as kernels
from consensus.kernels.look_ahead_loops import hulls
from consensus.probabilities import entropy
from consensus.worker_audit import WorkerAudit
from consensus.worker_audit.accuracy import accuracy_posterior
from tests import naive_escalation
from tests.conftest import DIGITS
from tests.strategies import encoded

pytestmark = pytest.mark.usefixtures("by_dawid_skene")


@pytest.fixture(scope="module")
def result() -> Consensus:
    """Good workers, two hostile ones (w00, w01), and one (w02) who answers at random."""
    good = np.full((3, 3), 0.1) + 0.7 * np.eye(3)
    against, random = np.full((3, 3), 0.48) - 0.44 * np.eye(3), np.full((3, 3), 1 / 3)
    table = np.stack([against, against, random, *[good] * 9])
    return fit(simulate(700, confusion=table, per_item=4, seed=1).judgments, rho=0.3)


class TestKernel:
    @pytest.mark.parametrize("by_item", [True, False])
    def test_the_one_who_tells_most_of_those_drawn(self, by_item: bool) -> None:
        rng = np.random.default_rng(0)
        n, W, K = 40, 6, 3
        q, C = rng.dirichlet(np.ones(K), n), rng.dirichlet(np.ones(K), (W, K))
        C[0] = [[0.5, 0.5, 0.0], [0.9, 0.1, 0.0], [0.2, 0.8, 0.0]]  # a label that they never give
        starts = np.arange(n + 1) * 2
        worker = np.concatenate([rng.choice(W, 2, replace=False) for _ in range(n)]).astype(np.int32)
        usual, price = rng.random(W), rng.uniform(0.5, 2, W)
        wanted = rng.integers(0, 4, n)
        found, told = np.empty((n, 4), np.int32), np.empty(n)
        asked = kernels.Wanted(np.arange(n), wanted, q if by_item else np.zeros((0, 1)))
        code = np.arange(W, dtype=np.int32) + 3  # of all workers, some can't be asked
        worker += 3
        workers = kernels.Workers(
            code, C if by_item else np.zeros((0, 1, 1)), entropy(C), usual, price, np.arange(64, dtype=np.int32) % W
        )
        candidates = 64  # all who are drawn
        kernels.choose(asked, kernels.Judged(starts, worker), workers, 7, candidates, np.full(W, 1000), found, told)
        best = 0
        for i in range(n):
            chosen = found[i][found[i] >= 0].tolist()
            assert len(chosen) == wanted[i]
            able = set(range(W)) - set((worker[2 * i : 2 * i + 2] - 3).tolist())
            assert len(set(chosen)) == len(chosen)
            assert set(chosen) <= able
            tells = [naive_escalation.information(q[i], C[w]) if by_item else usual[w] for w in range(W)]
            assert told[i] == pytest.approx(np.mean([tells[w] for w in chosen]) if chosen else 0.0, abs=1e-12)
            if chosen:
                best += chosen[0] == max(able, key=lambda w: tells[w] / price[w])
        assert best > 0.75 * (wanted > 0).sum()  # of twelve draws some miss the best one

    def test_quotas_and_whoever_is_left(self) -> None:
        n, W = 30, 5
        quota = np.array([3, 3, 0, 3, 100])
        found = np.empty((n, 1), np.int32)
        none_drawn = np.zeros(8, np.int32)  # only the first one is ever drawn
        asked = kernels.Wanted(np.arange(n), np.ones(n, np.int64), np.zeros((0, 1)))
        judged = kernels.Judged(np.arange(n + 1), np.full(n, 4, np.int32))  # one has judged everything
        code, nothing = np.arange(W, dtype=np.int32), np.zeros((0, 1))
        workers = kernels.Workers(code, np.zeros((0, 1, 1)), nothing, np.ones(W), np.ones(W), none_drawn)
        kernels.choose(asked, judged, workers, 0, 3, quota, found, np.empty(n))
        assert np.bincount(found[found >= 0], minlength=W).tolist() == [3, 3, 0, 3, 0]
        assert (found < 0).sum() == n - 9
        assert quota.tolist() == [0, 0, 0, 0, 100]


def hostile(result: Consensus) -> Any:
    """(W,) who is right less often than by chance."""
    found = WorkerAudit(result).accuracy.label_adjusted < 1 / result.judgments.n_labels
    assert found[:2].all()
    assert not found[3:].any()  # the third one answers at random
    return found


class TestLowerConfidence:
    """Confusions as right as workers surely are."""

    @pytest.mark.parametrize("seed", range(3))
    def test_right_as_often_as_the_audit_finds_less_a_deviation(self, seed: int) -> None:
        found = fit(simulate(300, 20, 3, 3, accuracy=0.75, seed=seed).judgments, rho=0.2)
        C = found.confusions.dense()
        made = accuracy_posterior.lower_confidence(WorkerAudit(found), C, np.arange(20))
        np.testing.assert_allclose(made.sum(axis=2), 1.0)
        audited = WorkerAudit(found).accuracy
        for w in range(20):
            halves = (audited.by_record, audited.by_agreement)
            points = np.concatenate([half.points[w] for half in halves])
            p = np.concatenate([half.weight[w] / 2 for half in halves])
            mean = (p * points).sum()
            goal = mean - np.sqrt((p * (points - mean) ** 2).sum())
            mistakes = (1 - goal) / (1 - found.prior_shares @ C[w].diagonal())
            for k in range(3):
                expected = np.clip(
                    1 - (1 - C[w, k, k]) * mistakes, accuracy_posterior.LEAST_RIGHT, accuracy_posterior.MOST_RIGHT
                )
                assert made[w, k, k] == pytest.approx(expected)
                others = [made[w, k, other] / (1 - made[w, k, k]) for other in range(3) if other != k]
                before = [C[w, k, other] / (1 - C[w, k, k]) for other in range(3) if other != k]
                assert others == pytest.approx(before, abs=1e-6)

    @pytest.mark.compiled
    def test_some_workers_are_those_of_all(self, result: Consensus) -> None:
        C = result.confusions.dense()
        some = np.array([1, 4, 7])
        assert np.array_equal(
            accuracy_posterior.lower_confidence(WorkerAudit(result), C[some], some),
            accuracy_posterior.lower_confidence(WorkerAudit(result), C, np.arange(12))[some],
        )

    @pytest.mark.compiled
    def test_who_is_known_better_is_preferred(self) -> None:
        """Of equally good workers, the busy ones are surely so."""
        rng = np.random.default_rng(0)
        rows = [(i, w) for i in range(400) for w in rng.choice(8, 3, replace=False)]
        rows += [(i, 8 + i % 60) for i in range(400)]  # 60 workers of some seven judgments
        truth = rng.integers(0, 2, 400)
        label = [truth[i] if rng.random() < 0.8 else 1 - truth[i] for i, _ in rows]
        table = pd.DataFrame({"item": [i for i, _ in rows], "worker": [f"w{w:02}" for _, w in rows], "label": label})
        found = fit(table, rho=0.2)
        share_right = accuracy_posterior.lower_confidence(
            WorkerAudit(found), found.confusions.dense(), np.arange(68)
        ).diagonal(axis1=1, axis2=2)
        assert share_right[:8].mean() > share_right[8:].mean() + 0.05


class TestSuggestions:
    @pytest.mark.compiled
    def test_items_for_whom_a_good_worker_is_found_come_first(self, result: Consensus) -> None:
        config = EscalateConfig(target=0.999, max_judgments=9)
        plain, found = planned(result, config, suggest=False), planned(result, config)
        priority = dict(zip(plain.items.tolist(), plain.ahead.priority[plain.at].tolist(), strict=True))
        asked = found.reason[found.items] != EXPERT
        wanted = np.ones(int(asked.sum()), np.int64)
        choice = worker_choice.suggested(WorkerAudit(result), found.items[asked], wanted)
        assert 1.0 < np.median(choice.worth) < 3.0  # the best of three
        C = accuracy_posterior.lower_confidence(WorkerAudit(result), result.confusions.dense(), np.arange(12))
        known = [naive_escalation.information(result.prior_shares, one) for one in C]
        share = np.where(hostile(result), 0, result.judgments.per_worker)
        order = sorted(range(12), key=lambda w: known[w])
        done = np.cumsum(share[order]) / share.sum()
        usual = [order[int(np.searchsorted(done, (g + 0.5) / 12))] for g in range(12)]
        for n, item in enumerate(found.items[asked][:20].tolist()):
            q = result.posterior[item]
            told = naive_escalation.information(q, C[choice.workers[n, 0]])
            usually = np.mean([naive_escalation.information(q, C[w]) for w in usual])
            assert choice.worth[n] == pytest.approx(told / usually, rel=1e-6)
        listed = asked & (found.reason[found.items] != AUDIT)
        now = found.ahead.priority[found.at][listed]
        assert (np.diff(now) <= 1e-12).all()
        before = np.array([priority[item] for item in found.items[listed].tolist()])
        assert 1.0 < np.median(now / before) < 3.0
        assert (np.diff(before) > 0).any()  # another order

    @pytest.mark.compiled
    def test_nobody_twice_nobody_hostile_and_quotas(self, result: Consensus) -> None:
        table = escalate(result, target=0.999, max_judgments=9, budget=200)
        judged = _pairs(result)
        given: dict[str, int] = {}
        row: Any
        for row in table.itertuples():
            names = row.suggested_workers.split(" | ")
            assert len(names) == len(set(names)) == row.judgments
            assert not any((row.item, name) in judged for name in names)
            for name in names:
                given[name] = given.get(name, 0) + 1
        assert not {"w00", "w01"} & set(given)
        share = np.where(hostile(result), 0, result.judgments.per_worker)
        for w, name in enumerate(result.judgments.worker_ids.to_pylist()):
            assert given.get(name, 0) <= np.ceil(2 * 200 * share[w] / share.sum()) + 1
        assert "w02" not in given  # who tells nothing

    def test_nobody_is_asked_who_is_called_hostile_or_a_spammer(self, result: Consensus) -> None:
        audit = WorkerAudit(result)
        assert worker_choice.trusted(audit).tolist() == [False, False, False, *[True] * 9]
        items, wanted = np.arange(600), np.ones(600, np.int64)
        chosen = worker_choice.suggested(audit, items, wanted).workers
        assert not {0, 1, 2} & set(chosen.ravel().tolist())

    def test_nobody_rather_than_whom_nobody_trusts(self, result: Consensus, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(worker_choice, "trusted", lambda _: np.zeros(12, np.bool_))
        assert escalate(result, target=0.999)["suggested_workers"].isna().all()
        assert escalate(result, target=0.999, ask_anyone=True)["suggested_workers"].notna().any()

    @pytest.mark.slow
    def test_of_the_digits_nobody_who_was_planted_to_be_bad(self) -> None:
        given = fit(DIGITS / "judgments.csv", gold=DIGITS / "gold.csv")
        trusted = worker_choice.trusted(WorkerAudit(given))
        ids = given.judgments.worker_ids.to_pylist()
        bad = {"w14", "w32", "w15", "w20", "w21", "w34"}  # two fell, one is hostile, three answer at random
        assert {name for name, one in zip(ids, trusted, strict=True) if not one} == bad

        def asked(**settings: Any) -> set[str]:
            told = escalate(given, **settings)["suggested_workers"].dropna()
            assert len(told) > 200
            return set(told.str.split(" | ", regex=False).explode())

        assert not bad & asked()
        assert {"w14", "w32"} <= asked(ask_anyone=True)

    @pytest.mark.compiled
    def test_many_items_are_not_weighed_one_by_one(self, result: Consensus, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(worker_choice, "MOST_WEIGHED", 10)
        monkeypatch.setattr(worker_choice, "BLOCK", 50)
        found = planned(result, EscalateConfig(target=0.999, max_judgments=9))
        workers = found.workers[found.workers >= 0]
        assert len(workers) == len(found.items)
        assert not np.isin(workers, [0, 1]).any()

    @pytest.mark.slow
    def test_threads_never_matter(self, result: Consensus, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(worker_choice, "BLOCK", 20)
        tables = []
        for threads in (1, 2, 4):
            again = fit(result.judgments, rho=0.3, threads=threads)
            tables.append(escalate(again, target=0.999, max_judgments=9)["suggested_workers"])
        assert tables[0].equals(tables[1])
        assert tables[0].equals(tables[2])

    @pytest.mark.parametrize("n_items", [100, 101, 139])
    def test_blocks_share_the_quotas_evenly(
        self, result: Consensus, n_items: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As many judgments of each worker as without blocks; no block has two more of somebody than another."""
        parts: list[Any] = []

        def choose(asked: Any, *of: Any) -> None:
            parts.append((asked.item.tolist(), of[-3]))
            of[-2][:], of[-1][:] = -1, 0.0

        monkeypatch.setattr(kernels, "choose", choose)
        items, audit = np.arange(n_items), WorkerAudit(result)
        monkeypatch.setattr(worker_choice, "BLOCK", n_items)
        worker_choice.suggested(audit, items, np.full(n_items, 3))
        (_, whole), *_ = parts
        assert whole.sum() > 3 * n_items
        parts.clear()
        monkeypatch.setattr(worker_choice, "BLOCK", 20)
        worker_choice.suggested(audit, items, np.full(n_items, 3))
        quotas = np.stack([one for _, one in parts])
        assert len(quotas) == -(-n_items // 20)
        assert quotas.sum(axis=0).tolist() == whole.tolist()
        assert (quotas.max(axis=0) - quotas.min(axis=0) <= 1).all()
        assert sorted(item for block, _ in parts for item in block) == items.tolist()

    @pytest.mark.compiled
    def test_of_a_few_who_are_asked_among_many(self, result: Consensus, monkeypatch: pytest.MonkeyPatch) -> None:
        pool = read_workers({"worker": ["w03", "w04", "w05"]})
        whole = escalate(result, workers=pool, target=0.999)
        monkeypatch.setattr(worker_choice, "MOST_CELLS", 3 * 9)  # of three workers, not of all twelve
        assert escalate(result, workers=pool, target=0.999).equals(whole)

    @pytest.mark.compiled
    def test_very_many_labels_are_not_weighed_one_by_one(
        self, result: Consensus, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(worker_choice, "MOST_CELLS", 10)
        monkeypatch.setattr(worker_choice, "_confusions", None)  # none are made
        found = planned(result, EscalateConfig(target=0.999, max_judgments=9), suggest=True)
        assert (found.workers[:, 0] >= 2).all()

    def test_nobody_can_be_asked(self, result: Consensus) -> None:
        nobody = read_workers({"worker": ["w03"], "available": ["0"]})
        assert escalate(result, workers=nobody)["suggested_workers"].isna().all()
        assert len(worker_choice.names(result, np.zeros((0, 1), np.int32))) == 0


class TestPool:
    @pytest.mark.compiled
    def test_only_who_is_available(self, result: Consensus) -> None:
        pool = read_workers({"Worker": ["w03", "w04", "nobody"], "available": ["5", "", "9"]})
        table = escalate(result, target=0.999, max_judgments=9, workers=pool)
        asked = table["suggested_workers"].dropna()
        assert set(asked) == {"w03", "w04"}
        assert (asked == "w03").sum() <= 5

    @pytest.mark.compiled
    def test_who_is_scarce_is_kept_for_the_most_urgent(self, result: Consensus) -> None:
        pool = read_workers({"worker": ["w03", "w04"], "available": ["5", "4"]})
        table = escalate(result, target=0.999, max_judgments=9, workers=pool)
        free = escalate(result, target=0.999, max_judgments=9, workers=read_workers({"worker": ["w03", "w04"]}))
        asked = table["suggested_workers"].notna()
        assert asked.tolist() == [True] * 9 + [False] * (len(table) - 9)
        assert (table["priority"].gt(0) == asked).all()
        judged = _pairs(result)
        some = [i for i in free["item"] if (i, "w03") not in judged or (i, "w04") not in judged]
        assert len(set(table["item"][:9]) & set(some[:40])) >= 8
        paid = escalate(result, target=0.999, max_judgments=9, workers=pool, budget=20)
        assert paid["judgments"].sum() == 9
        none = read_workers({"worker": ["w03"], "available": ["0"], "price": ["2"]})
        assert escalate(result, workers=none, budget=20).empty
        assert escalate(result, workers=none)["suggested_workers"].isna().all()

    @pytest.mark.compiled
    def test_no_more_judgments_than_workers_who_have_not_judged(self, result: Consensus) -> None:
        settings: Any = {"target": 0.999, "max_judgments": 9}
        table = escalate(result, workers=read_workers({"worker": ["w03", "w04"]}), **settings).set_index("item")
        judged = _pairs(result)
        left = [sum((item, w) not in judged for w in ("w03", "w04")) for item in table.index]
        assert {0, 1, 2} == set(left)
        assert (table["judgments_needed"].fillna(0) <= left).all()
        assert (table["judgments_needed"].isna() == (np.array(left) == 0)).all()
        everyone = escalate(result, **settings).set_index("item").reindex(table.index)
        assert (everyone["reason"] == table["reason"]).all()  # who is there today makes nobody an expert

    @pytest.mark.compiled
    def test_more_money_or_workers_buy_no_less(self, result: Consensus) -> None:
        price = {"w03": 1.0, "w04": 1.0, "w05": 40.0}

        def bought(names: list[str], budget: float) -> tuple[int, float]:
            pool = read_workers({"worker": names, "price": [str(price[name]) for name in names]})
            table = escalate(result, target=0.999, max_judgments=9, workers=pool, budget=budget)
            asked = [name for row in table["suggested_workers"] for name in row.split(" | ")]
            assert len(asked) == table["judgments"].sum()
            assert table["priority"].is_monotonic_decreasing
            return len(asked), sum(price[name] for name in asked)

        for budget in (3, 39, 90, 200):
            assert bought(["w03", "w05"], budget) == bought(["w03"], budget) == (budget, budget)
        spent = [bought(["w03", "w04"], budget)[1] for budget in (20, 100, 300, 1000, 3000)]
        assert spent[:3] == [20, 100, 300]
        assert spent[3] == spent[4] > 300  # all they can do

    def test_offers_of_one_price_are_taken_as_by_the_heap(self) -> None:
        rng = np.random.default_rng(0)
        curves = np.minimum.accumulate(rng.uniform(0, 1, (30, 5)), axis=1)
        curves[3:6] = 0.5  # nothing to gain
        length, slope = np.empty((30, 4), np.int64), np.empty((30, 4))
        hulls(curves, length, slope)
        ahead = LookAhead(np.zeros((30, 7)), length, slope)
        order, free = np.arange(30), np.zeros(30, np.bool_)
        for budget in (1, 10, 50):
            most = np.maximum(length.sum(axis=1), 1)
            price = np.where(np.arange(4) < most[:, None], 0.5, np.inf)
            found = offers.taken(ahead, price, np.ones(30), budget / 2, order, free)
            assert found.tolist() == naive_escalation.by_heap(curves, budget, [True] * 30)
            forced = order == 3
            assert offers.taken(ahead, price, np.ones(30), budget / 2, order, forced)[3] == 1

    def test_offers_by_what_they_save_for_their_price(self) -> None:
        length, slope = np.ones((3, 2), np.int64), np.array([[0.5, 0.4], [0.4, 0.1], [0.3, 0.2]])
        ahead = LookAhead(np.zeros((3, 7)), length, slope)
        price = np.array([[5.0, 1.0], [1.0, 1.0], [1.0, np.inf]])
        worth, order, free = np.array([1.0, 1.0, 2.0]), np.arange(3), np.zeros(3, np.bool_)
        taken = [offers.taken(ahead, price, worth, budget, order, free).tolist() for budget in (1, 2, 6, 7, 8.5, 9)]
        assert taken == [[0, 0, 1], [0, 1, 1], [0, 2, 1], [1, 1, 1], [2, 1, 1], [2, 2, 1]]

    def test_skills(self, result: Consensus) -> None:
        pool = read_workers({"worker": ["w03", "w04", "w05"], "skills": ["dutch|es", "es; fr", ""]})
        assert pool.skills == (frozenset({"dutch", "es"}), frozenset({"es", "fr"}), frozenset())
        found = set(escalate(result, workers=pool, skill="es")["suggested_workers"].dropna())
        assert found == {"w03", "w04"}
        message = 'no worker in the data has the skill "de"; the skills are "dutch", "es", "fr"$'
        with pytest.raises(JudgmentError, match=message):
            escalate(result, workers=pool, skill="de")

    @pytest.mark.compiled
    def test_money(self, result: Consensus) -> None:
        pool = read_workers({"worker": ["w03", "w04"], "price": ["0.02", "0.5"], "capacity": ["100", "100"]})
        table = escalate(result, target=0.999, max_judgments=9, workers=pool, budget=1.0)
        spent = sum(
            {"w03": 0.02, "w04": 0.5}[name] for names in table["suggested_workers"] for name in names.split(" | ")
        )
        assert 0.99 < spent <= 1.0 + 1e-9
        plain = escalate(result, target=0.999, max_judgments=9, budget=0.5, price_per_judgment=0.01)
        assert plain["judgments"].sum() == 50

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("worker\n", "w.csv: a header but no rows; expected a worker in each"),
            ("name,price\na,1\n", "no column holds the worker; the columns are: name, price; rename one to worker"),
            ("worker,price\n,1\n", "w.csv:2: the worker is missing: .*; correct the workers"),
            ("worker\na\nb\na\n", 'w.csv:4: worker "a" stands here and in .*w.csv:2; keep one row'),
            ("worker,price\na,0\n", r'w.csv:2: the price is "0"; expected a number from 1e-09 to 1e\+09'),
            ("worker,price\na,inf\n", r'w.csv:2: the price is "inf"; expected a number from 1e-09 to 1e\+09'),
            (
                "worker,available\na,-1\n",
                r'w.csv:2: the number of judgments is "-1"; expected a number from 0 to 1e\+12',
            ),
            ("worker,available\na,lots\n", 'w.csv:2: the number of judgments is "lots"; expected'),
        ],
    )
    def test_bad_files(self, tmp_path: Path, text: str, message: str) -> None:
        (tmp_path / "w.csv").write_text(text)
        with pytest.raises(FormatError, match=message):
            read_workers(tmp_path / "w.csv")

    @pytest.mark.parametrize(
        ("columns", "message"),
        [
            (
                {"worker": ["x", "y"]},
                'none of the 2 workers is in the data, whose workers are "w00", "w01", .*, "w07" and 4 more; nothing '
                "is known of how others judge$",
            ),
            (
                {"worker": ["w03", "w04"], "price": ["1", ""]},
                'no price of worker "w04"; give one for every worker, or for none$',
            ),
        ],
    )
    def test_what_does_not_fit_the_data(self, result: Consensus, columns: Any, message: str) -> None:
        pool = read_workers(columns)
        with pytest.raises(JudgmentError, match=message):
            escalate(result, workers=pool)

    def test_names_that_are_one_worker_in_the_data_say_the_same_of_them(self) -> None:
        judged = {
            "item": ["i0", "i1", "i0", "i1"],
            "worker": ["Ann", "ann", "bob", "bob"],
            "label": ["x", "x", "y", "x"],
        }
        folded = read(judged, fold=["workers"])
        assert folded.worker_ids.to_pylist() == ["Ann", "bob"]
        pool: dict[str, list[Any]] = {"worker": ["Ann", "ann", "zoe", "Zoe"], "available": [3, 3, 1, 2]}
        for order in (slice(None), slice(None, None, -1)):
            found = read_workers({name: cells[order] for name, cells in pool.items()}).align(folded)
            assert found.available.tolist() == [3, 0]
            assert found.strangers == ("Zoe", "zoe")
        for column, cells in (("available", [3, 4]), ("price", [1, 2]), ("skills", ["a", "b"])):
            differs = {"worker": ["Ann", "ann"], column: cells}
            with pytest.raises(
                JudgmentError,
                match='"Ann" and "ann" are one worker in the data, and what is said of them differs; keep one row$',
            ):
                read_workers(differs).align(folded)

    @pytest.mark.compiled
    def test_strangers_and_what_is_left_open_are_told(
        self, run: Callable[..., Any], tmp_path: Path, result: Consensus
    ) -> None:
        table = pd.DataFrame(sorted(_triples(result)), columns=["item", "worker", "label"])
        table.to_csv(tmp_path / "j.csv", index=False)
        (tmp_path / "w.csv").write_text("worker,available,price\nw03,5,2\nw3,9,1\nW04,9,1\nx,9,1\ny,9,1\n")
        given = ("escalate", tmp_path / "j.csv", "--target", 0.999, "--workers", tmp_path / "w.csv", "-o", "/dev/null")
        ran = run(*given[:-2], "-o", tmp_path / "e.csv")
        assert ran.status == 0
        assert (
            "4 of the 5 workers who can be asked are not in the data, so nothing is known of them and they are not "
            'suggested: "W04", "w3", "x", ...'
        ) in ran.err
        (tmp_path / "one.csv").write_text("worker\nw3\nw03\n")
        one = run(*given[:4], "--workers", tmp_path / "one.csv", "-o", tmp_path / "one_e.csv")
        assert "1 of the 2 workers who can be asked is not in the data" in one.err
        n = int(pd.read_csv(tmp_path / "e.csv")["judgments"].sum())
        assert (
            f"{n - 5:,} of the {n:,} judgments on the list have no suggested worker: all who can be asked "
            "have" in ran.err
        )
        assert "but the workers who can be asked are available for 5 judgments only" in ran.err
        out = tmp_path / "out"
        ran = run("run", *given[1:-2], "--budget", 7, "--output", out)
        assert "the list asks for 3 judgments of 3 items for 6, of a budget of 7" in ran.err
        told = json.loads((out / "summary.json").read_text())["escalation"]
        assert (told["items_listed"], told["judgments_listed"], told["judgments_unassigned"]) == (3, 3, 0)
        assert (told["money"], told["available"], told["workers_named"], told["workers_unknown"]) == (6, 5, 5, 4)
        assert len(pd.read_csv(out / "escalations.csv")) == 3

    @pytest.mark.compiled
    def test_the_chart_goes_as_far_as_they_are_available(self, result: Consensus) -> None:
        config = EscalateConfig(target=0.999, max_judgments=9)
        pools = [{"worker": ["w03", "w04"]}, {"worker": ["w03", "w04"], "available": ["20", "10"]}]
        found = [planned(result, config, pool=read_workers(one).align(result.judgments)) for one in pools]
        (free, saved), (spent, less) = (budget_curve(result, one, config) for one in found)
        assert 25 < spent[-1] <= 30 < free[-1]
        np.testing.assert_array_equal(saved[: len(less)], less)
        everyone = budget_curve(result, planned(result, config), config)[0]
        assert free[-1] < everyone[-1]

    def test_no_chart_where_nothing_is_left_to_ask(self) -> None:
        settled = fit(encoded([(f"i{i}", f"w{w}", f"l{i % 2}") for i in range(60) for w in range(5)]), rho=0.1)
        config = EscalateConfig(target=0.6)
        spent, saved = budget_curve(settled, planned(settled, config), config)
        assert len(spent) == len(saved) == 0

    def test_anything_that_can_be_read(self, result: Consensus, tmp_path: Path) -> None:
        (tmp_path / "w.csv").write_text("worker\nw03\nw04\n")
        result.labels.assign(status="accepted").to_csv(tmp_path / "labels.csv", index=False)
        by_path = escalate(result, workers=tmp_path / "w.csv", previous=tmp_path / "labels.csv", margin=0.2)
        read_before = read_previous(tmp_path / "labels.csv")
        by_table = escalate(result, workers=read_workers({"worker": ["w03", "w04"]}), previous=read_before, margin=0.2)
        pd.testing.assert_frame_equal(by_path, by_table)

    def test_models_alone(self) -> None:
        votes = {"item": ["a", "b"], "model": ["m", "m"], "label": ["x", "y"]}
        with pytest.raises(JudgmentError, match="its worker is not in the data, which has no judgments by people"):
            escalate(fit(None, model_votes=votes), workers=read_workers({"worker": ["w"]}))

    def test_a_skill_without_workers(self, run: Callable[..., Any], tmp_path: Path) -> None:
        (tmp_path / "j.csv").write_text("item,worker,label\na,v,x\na,w,y\n")
        ran = run("escalate", tmp_path / "j.csv", "--skill", "es")
        assert ran.status == 3
        assert 'skill "es": nothing tells who has it; name a file of workers with --workers' in ran.err
        with pytest.raises(ConfigError, match="budget 0.5 in money pays for 0 judgments|setting"):
            escalate(fit({"item": ["a", "a"], "worker": ["v", "w"], "label": ["x", "y"]}), budget=-1)


def _triples(result: Consensus) -> list[tuple[str, str, str]]:
    """Item, worker and label of every judgment."""
    judgments = result.judgments
    items, workers = judgments.item_ids.to_pylist(), judgments.worker_ids.to_pylist()
    codes = zip(judgments.item, judgments.worker, judgments.label, strict=True)
    return [(items[i], workers[w], judgments.labels[k]) for i, w, k in codes]


def _pairs(result: Consensus) -> Any:
    """Item and worker of every judgment."""
    judgments = result.judgments
    items, workers = judgments.item_ids.to_pylist(), judgments.worker_ids.to_pylist()
    return {(items[i], workers[w]) for i, w in zip(judgments.item, judgments.worker, strict=True)}
