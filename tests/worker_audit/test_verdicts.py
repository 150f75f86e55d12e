"""Verdicts on workers: kinds, regions, reasons."""

import itertools
import re
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import beta

from consensus import audit, fit, simulate
from consensus.backends import even_parts
from consensus.config import AuditConfig
from consensus.errors import ConfigError
from consensus.found.result import Consensus
from consensus.models import one_label
from consensus.worker_audit import WorkerAudit, verdict_counts
from consensus.worker_audit.accuracy import accuracy_posterior, contradictions, likelihoods, verdicts, worker_kinds
from tests import naive_audit
from tests.strategies import encoded

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

GOOD = np.full((3, 3), 0.1) + 0.7 * np.eye(3)


def planted(*others: Any, n_good: int = 10, n_gold: int = 0) -> Any:
    """The audit of a crowd of good workers and ``others``, who come first: w00, w01, ..."""
    table = np.stack([*(np.asarray(one) for one in others), *[GOOD] * n_good])
    drawn = simulate(600, confusion=table, per_item=6, seed=0)
    return audit(fit(drawn.judgments, gold=drawn.truth_table(n_gold) if n_gold else None))


class TestRegions:
    @pytest.mark.compiled
    def test_each_kind_gets_its_verdict(self) -> None:
        random = [[0.5, 0.3, 0.2]] * 3
        constant = [[1.0, 0.0, 0.0]] * 3
        against = np.full((3, 3), 0.475) - 0.425 * np.eye(3)
        biased = [[0.15, 0.8, 0.05], [0.08, 0.84, 0.08], [0.08, 0.08, 0.84]]
        expert = np.full((3, 3), 0.005) + 0.985 * np.eye(3)
        careless = np.full((3, 3), 0.24) + 0.28 * np.eye(3)
        table = planted(random, constant, against, biased, expert, careless, n_gold=200)
        told = table["verdict"].tolist()
        assert told[:6] == ["spammer", "spammer", "adversarial", "biased", "expert", "careless"]
        assert set(told[6:]) == {"good"}
        assert (table["verdict_probability"][:6] > 0.7).all()
        unaudited = planted(random, constant, against, biased, expert, careless)
        assert unaudited["verdict"].tolist() == [*told[:4], "good", *told[5:]]

    def test_who_is_wrong_in_a_regular_way_is_not_called_usable(self) -> None:
        """Four labels, each mostly called the next one: right as often as by chance, though it tells much."""
        turned = 0.1 + 0.1 * np.eye(4) + 0.5 * np.roll(np.eye(4), 1, axis=1)
        good = np.full((4, 4), 0.06) + 0.76 * np.eye(4)
        drawn = simulate(600, confusion=np.stack([turned, *[good] * 10]), per_item=6, seed=0)
        first = audit(fit(drawn.judgments)).iloc[0]
        assert first["verdict"] == "biased"
        assert first["accuracy"] < 0.3
        assert first["reason"].startswith("wrong in a regular way: label")

    @pytest.mark.compiled
    def test_an_expert_has_judged_gold(self) -> None:
        """Two equally good ones; one of them met four gold items, the other five."""
        expert = np.full((3, 3), 0.005) + 0.985 * np.eye(3)
        table = np.stack([expert, expert, *[GOOD] * 8])
        drawn = simulate(500, confusion=table, per_item=6, seed=3)
        items = [drawn.judgments.item[drawn.judgments.worker == w] for w in (0, 1)]
        gold = drawn.truth_table()
        alone = [np.setdiff1d(items[w], items[1 - w]) for w in (0, 1)]
        neither = np.setdiff1d(np.arange(500), np.concatenate(items))
        met = np.concatenate([neither, alone[0][:4], alone[1][:5]])
        assert len(met) >= 100
        result = fit(drawn.judgments, gold=gold.iloc[np.sort(met)])
        found = audit(result)
        assert found["gold_n"][:2].tolist() == [4, 5]
        assert found["verdict"][:2].tolist() == ["good", "expert"]
        assert found["reason"][0].startswith("agrees with the crowd like a worker who is right on 9")
        assert found["reason"][0].endswith("; unaudited")
        assert found["reason"][1].startswith("right on 9")

    @pytest.mark.compiled
    def test_two_labels_ask_for_more(self) -> None:
        drawn = simulate(600, 30, 2, 4, accuracy=0.75, spammers=0.3, seed=3)
        result = fit(drawn.judgments)
        same = audit(result, condemned_of_two=0.8)["verdict"].isin(["spammer", "adversarial"])
        more = audit(result)["verdict"].isin(["spammer", "adversarial"])
        assert same.sum() > more.sum() > 0
        assert (audit(result)["verdict"][same & ~more] == "too_few").all()
        audits = [audit(result, condemned=condemned)["verdict"] for condemned in (0.5, 0.99)]
        assert audits[0].equals(audits[1])  # that one is for more labels

    @pytest.mark.compiled
    def test_of_two_labels_only_one_sided_mistakes_are_a_bias(self) -> None:
        table = np.stack([[[0.35, 0.65], [0.02, 0.98]], *[[[0.85, 0.15], [0.15, 0.85]]] * 8])
        told = audit(fit(simulate(500, confusion=table, per_item=5, seed=1).judgments))
        assert told["verdict"].tolist() == ["biased", *["good"] * 8]
        assert "label_0 called label_1 in" in told["reason"][0]

    @pytest.mark.compiled
    def test_hard_labels_make_nobody_careless(self) -> None:
        """Right on .95 of one label and .5 of the other, as all are; one who saw the second one only."""
        C = np.array([[0.95, 0.05], [0.45, 0.55]])
        drawn = simulate(900, confusion=np.stack([C] * 9), per_item=5, seed=2)
        keep = (drawn.judgments.worker != 0) | (drawn.truth[drawn.judgments.item] == 1)
        result = fit(drawn.judgments.subset(keep), gold=drawn.truth_table())
        accuracy = WorkerAudit(result).accuracy
        assert accuracy.mean[0] < accuracy.mean[1:].min() - 0.1
        _, careless = verdicts._apart(accuracy, np.ones(9, np.bool_), 2.0, np.full(9, np.nan))
        alone = replace(accuracy, label_mix=np.zeros(9))
        assert careless[0] < 0.5 < verdicts._apart(alone, np.ones(9, np.bool_), 2.0, np.full(9, np.nan))[1][0]

    @pytest.mark.compiled
    def test_nothing_is_said_on_few_judgments(self) -> None:
        drawn = simulate(400, 12, 3, 5, accuracy=0.8, seed=4)
        judgments = drawn.judgments
        few = np.flatnonzero((judgments.worker == 0) & (np.cumsum(judgments.worker == 0) > 19))
        keep = np.ones(judgments.n_judgments, np.bool_)
        keep[few] = False
        result = fit(judgments.subset(keep))
        table = audit(result)
        assert table["n_judgments"][0] == 19
        assert table["verdict"][0] == "too_few"
        assert np.isnan(table["verdict_probability"][0])
        assert table["reason"][0].startswith("19 judgments; a verdict needs 20; right on ")
        assert audit(result, min_worker_judgments=19)["verdict"][0] != "too_few"
        assert (audit(result, min_worker_judgments=10**6)["verdict"] == "too_few").all()
        with pytest.raises(ConfigError, match="min_worker_judgments = 4: input should be greater than or equal to 5"):
            audit(result, min_worker_judgments=4)

    def test_one_judgment(self) -> None:
        table = audit(fit(encoded([("a", "v", "x"), ("a", "w", "x"), ("b", "v", "y"), ("b", "u", "y")])))
        assert table["reason"][0].startswith("1 judgment; a verdict needs 20")

    def test_nothing_to_hold_it_against(self) -> None:
        table = audit(fit(encoded([("a", "v", "x"), ("b", "w", "y")])))
        assert table["verdict"].tolist() == ["too_few"] * 2
        assert set(table["reason"]) == {"every item has one judgment and nothing to compare it with"}

    @pytest.mark.compiled
    def test_thresholds_move_verdicts(self) -> None:
        drawn = simulate(500, 20, 3, 5, accuracy=0.75, spammers=0.1, seed=2)
        result = fit(drawn.judgments, gold=drawn.truth_table(250))
        counts = [verdict_counts(WorkerAudit(result, AuditConfig(apart=apart, sure=0.6))) for apart in (1.2, 5.0)]
        assert counts[0]["expert"] > counts[1].get("expert", 0)
        assert sum(counts[0].values()) == 20
        swapped = [
            verdict_counts(WorkerAudit(result, AuditConfig(swapped=share))).get("biased", 0) for share in (0.05, 0.9)
        ]
        assert swapped[0] >= swapped[1] == 0

    def test_what_is_unsettled_is_said_to_be(self) -> None:
        drawn = simulate(90, 12, 2, 3, accuracy=0.7, spammers=0.3, seed=6)
        table = audit(fit(drawn.judgments), min_worker_judgments=5)
        unsettled = table[table["reason"].str.contains("do not settle it")]
        assert len(unsettled) > 0
        assert set(unsettled["verdict"]) == {"too_few"}
        for text in unsettled["reason"]:
            share = float(re.search(r"with probability (\S+);", text)[1])  # type: ignore[index]
            assert 0.1 <= share <= 0.95


def test_the_usual_share_of_an_answer_is_one_of_its_true_label() -> None:
    confusion = [[[0.6, 0.3, 0.1], [0.0, 0.9, 0.1], [0.2, 0.2, 0.6]]] * 5
    result = fit(simulate(200, prior=[0.7, 0.2, 0.1], confusion=confusion, per_item=4, seed=0).judgments)
    N = result.confusions.dense_counts().sum(axis=0)
    found = verdicts.usual_share(result.confusions)
    np.testing.assert_allclose(found, [row / row.sum() for row in N])


class TestReasons:
    @pytest.mark.compiled
    def test_they_hold_the_numbers_of_the_table(self) -> None:
        drawn = simulate(600, 24, 4, 5, accuracy=0.75, spammers=0.1, adversaries=0.1, biased=0.2, seed=3)
        table = audit(fit(drawn.judgments))
        row: Any
        for row in table.itertuples():
            right = f"right on {row.accuracy:.0%} [{row.accuracy_low:.0%} to {row.accuracy_high:.0%}]"
            assert right in row.reason
            assert "," not in row.reason
            if row.verdict in {"spammer", "adversarial"}:
                assert f"(probability {row.verdict_probability:.2f})" in row.reason
        enough = table["verdict"] != "too_few"
        usual = f"; the median worker on {table['accuracy'][enough | (table['n_judgments'] >= 20)].median():.0%}"
        good = table["reason"][table["verdict"] == "good"]
        assert good.str.startswith("agrees with the crowd like a worker who is right on ").all()
        assert good.str.endswith(f"{usual}; unaudited").all()
        audited = audit(fit(drawn.judgments, gold=drawn.truth_table(300)))
        assert (
            audited["reason"][audited["verdict"] == "good"].str.match(r"right on .*; the median worker on \d\d%$").all()
        )

    @pytest.mark.compiled
    def test_the_favourite_label_of_a_spammer(self) -> None:
        table = planted([[0.0, 1.0, 0.0]] * 3)
        assert "label_1 in 100%" in table["reason"][0]

    @pytest.mark.compiled
    def test_the_floor_of_the_weak(self) -> None:
        table = audit(fit(simulate(600, 20, 3, 6, accuracy=0.45, seed=0).judgments))
        weak = table[table["verdict"] == "weak"]
        assert len(weak) >= 2
        assert weak["reason"].str.fullmatch(r"not clearly above chance \(33%\): right on \d+% \[\d+% to \d+%\]").all()
        assert (weak["accuracy_low"] < 1 / 3).all()

    def test_the_floor_beside_a_good_crowd(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(verdicts, "FLOOR", 1.0)
        table = audit(fit(simulate(600, 20, 3, 6, accuracy=0.75, seed=0).judgments))
        weak = table[table["verdict"] == "weak"]
        median = f"{table['accuracy'].median():.0%}"
        assert len(weak) >= 2
        assert weak["reason"].str.startswith(f"not clearly above half of the median worker's {median}: right on ").all()

    def test_copying_is_remarked_and_who_changed_is_judged_by_now(self) -> None:
        from consensus import worker_audit

        rng = np.random.default_rng(0)
        drawn = simulate(400, confusion=np.stack([GOOD] * 8), per_item=6, seed=0)
        j = drawn.judgments
        label = j.label.copy()
        when = rng.permutation(j.n_judgments)
        late = (j.worker == 2) & (when > j.n_judgments // 2)
        label[late] = (drawn.truth[j.item[late]] + 1) % 3
        times = np.datetime64("2025-03-01", "us") + when.astype("timedelta64[m]")
        item_of = {(i, w): n for n, (i, w) in enumerate(zip(j.item.tolist(), j.worker.tolist(), strict=True))}
        for i in range(j.n_items):
            if (i, 0) in item_of and (i, 1) in item_of:
                label[item_of[i, 0]] = label[item_of[i, 1]] = rng.integers(0, 3)
        changed = replace(j, label=label.astype(np.int32), timestamp=times)
        result = worker_audit.fit_without_copies(changed, collusion="report")
        table = audit(result)
        assert table["reason"][2].startswith("adversarial since 2025-03-01: answers go against the truth")
        assert "; one of 2 workers who judge alike and count as" in table["reason"][0]


class TestKinds:
    def test_the_variational_bound_of_known_labels_is_the_evidence(self) -> None:
        """Where every item is gold, the confusions' evidence is that of a Dirichlet-multinomial."""
        from scipy.special import gammaln

        drawn = simulate(60, 4, 3, 4, accuracy=0.7, seed=0)
        result = fit(drawn.judgments, gold=drawn.truth_table(), prior="fixed")
        bounds = worker_kinds._of_confusions(result, likelihoods.records(result))
        hostile = 4 * (0.45 - 0.35 * np.eye(3))  # four judgments, right .3 times as often as by chance
        j = drawn.judgments
        for bound, A in zip(bounds, (result.confusions.pseudo_counts, hostile), strict=True):
            for w in range(4):
                N = np.zeros((3, 3))
                np.add.at(N, (drawn.truth[j.item[j.worker == w]], j.label[j.worker == w]), 1)
                exact = (gammaln(N + A).sum(1) - gammaln((N + A).sum(1)) - gammaln(A).sum(1) + gammaln(A.sum(1))).sum()
                assert bound[w] == pytest.approx(exact, rel=1e-6)

    def test_label_shares_by_the_chain_rule(self) -> None:
        drawn = simulate(40, 3, 3, 3, seed=1)
        result = fit(drawn.judgments)
        found = worker_kinds._of_label_shares(result)
        j = drawn.judgments
        pooled = (np.bincount(j.label, minlength=3) + 1) / (j.n_judgments + 3)
        for w in range(3):
            each = []
            for closeness in worker_kinds.CLOSENESS:
                seen, log = closeness * pooled, 0.0
                for label in j.label[j.worker == w]:
                    log += np.log(seen[label] / seen.sum())
                    seen[label] += 1
                each.append(log)
            assert found[w] == pytest.approx(np.logaddexp.reduce(each) - np.log(len(each)), rel=1e-9)

    @pytest.mark.parametrize("prior", ["learnt", "none"])
    def test_two_labels_by_loops_over_the_grid(self, prior: Any) -> None:
        flat, one_sided, against = [[0.7, 0.3]] * 2, [[0.45, 0.55], [0.04, 0.96]], [[0.2, 0.8], [0.8, 0.2]]
        good = [[0.85, 0.15], [0.15, 0.85]]
        table = np.stack([flat, one_sided, against, good, good, good])
        result = fit(simulate(120, confusion=table, per_item=3, seed=2).judgments, prior=prior)
        made = likelihoods.records(result)
        assert made.by_label is not None
        n, s = np.stack([half.n for half in made.by_label]), np.stack([half.s for half in made.by_label])
        points = (np.arange(worker_kinds.SIDE) + 0.5) / worker_kinds.SIDE
        densities, first = worker_kinds._densities_of_two(result, points)
        np.testing.assert_allclose(densities.sum(axis=1), 1.0)
        assert first.sum() == pytest.approx(1.0)
        expected = naive_audit.kinds_of_two(
            n, s, densities.reshape(-1, worker_kinds.SIDE, worker_kinds.SIDE), first, worker_kinds.BEGINNING
        )
        found = worker_kinds.kinds(result, made)
        np.testing.assert_allclose(np.column_stack([found.random, found.hostile]), expected, rtol=1e-9, atol=1e-12)
        assert found.random[0] > 0.5 > found.random[1:].max()
        assert found.hostile[2] > 0.9

    def test_three_labels_by_loops_over_the_grid(self) -> None:
        flat, near = np.tile([0.6, 0.3, 0.1], (3, 1)), np.full((3, 3), 0.28) + 0.16 * np.eye(3)
        against = np.full((3, 3), 0.45) - 0.35 * np.eye(3)
        table = np.stack([flat, near, against, *[GOOD] * 4])
        result = fit(simulate(150, confusion=table, per_item=3, seed=2).judgments)
        made = likelihoods.records(result)
        found, cells = worker_kinds.kinds(result, made), result.confusions
        often_right = (cells.right().sum(axis=1) + 1 / 3) / (cells.totals().sum(axis=1) + 1)
        others = np.stack([worker_kinds._of_label_shares(result), *worker_kinds._of_confusions(result, made)], axis=1)
        expected = naive_audit.kinds_of_many(made.even.n, made.even.s, made.even_log, others, often_right, 3)
        np.testing.assert_allclose(np.column_stack([found.random, found.hostile]), expected, rtol=1e-9, atol=1e-12)
        assert found.hostile[2] > 0.9

    def test_the_prior_of_hostile_answers_to_two_labels(self) -> None:
        """Right .15 of the time, worth four judgments, on either label."""
        points = (np.arange(20) + 0.5) / 20
        densities, _ = worker_kinds._densities_of_two(fit(simulate(60, 5, 2, 3, seed=0).judgments), points)
        expected = np.outer(beta(0.6, 3.4).pdf(points), beta(3.4, 0.6).pdf(points))
        np.testing.assert_allclose(densities[-1].reshape(20, 20), expected / expected.sum(), rtol=1e-9)

    def test_densities_of_two_labels_are_where_they_should_be(self) -> None:
        points = (np.arange(20) + 0.5) / 20
        densities, _ = worker_kinds._densities_of_two(fit(simulate(60, 5, 2, 3, seed=0).judgments), points)
        first, second = np.meshgrid(points, points, indexing="ij")
        *coins, shares, usual, one_sided, hostile = densities.reshape(-1, 20, 20)
        for m, coin in enumerate(coins):
            assert coin[~np.isclose(first + second, 1.0)].max() == 0.0  # as often right on either label
            assert (coin * first).sum() == pytest.approx((1 + worker_kinds.COIN_WIDTH * (m + 0.5) / 16) / 32, abs=0.02)
        assert shares[first != second].max() == 0.0
        assert (usual * (first - second)).sum() > 0.2
        assert one_sided[first <= second].max() == 0.0
        np.testing.assert_allclose(one_sided, one_sided.T[::-1, ::-1])
        assert (hostile * (first - second)).sum() < -0.2

    def test_one_label_and_nobody(self) -> None:
        result = fit(encoded([("a", "v", "x"), ("a", "w", "x"), ("b", "v", "x"), ("b", "w", "x")]))
        found = worker_kinds.kinds(result, likelihoods.records(result))
        assert found.random.tolist() == found.hostile.tolist() == [0.0, 0.0]
        assert audit(result)["verdict"].tolist() == ["too_few"] * 2

    @pytest.mark.parametrize(("at_once", "n_parts"), [(6, 1), (5, 2), (2, 3)])
    @pytest.mark.parametrize("module", [worker_kinds, accuracy_posterior])
    def test_grids_are_weighed_for_some_workers_at_once(
        self, module: Any, at_once: int, n_parts: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        result, parts = fit(simulate(60, 6, 2, 4, seed=1).judgments), []

        def even(n: int, n_parts: int) -> Any:
            parts.append((n, n_parts))
            return even_parts(n, n_parts)

        monkeypatch.setattr(module, "WORKERS_AT_ONCE", at_once)
        monkeypatch.setattr(module, "even_parts", even)
        assert len(audit(result)) == 6
        assert parts[-1] == (6, n_parts)

    @pytest.mark.compiled
    def test_maximum_likelihood(self) -> None:
        drawn = simulate(400, 10, 3, 5, accuracy=0.8, spammers=0.2, seed=0)
        flat = np.ptp(drawn.confusion, axis=1).max(axis=1) < 1e-12
        told = audit(fit(drawn.judgments, prior="none"))["verdict"]
        assert set(told[flat]) == {"spammer"}
        assert not set(told[~flat]) & {"spammer", "adversarial"}

    @pytest.mark.compiled
    def test_beside_very_many_labels(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from consensus.models import layout

        monkeypatch.setattr(layout, "MOST_CELLS", 0)
        drawn = simulate(600, 15, 40, 5, accuracy=0.8, spammers=0.2, seed=0)
        flat = np.ptp(drawn.confusion, axis=1).max(axis=1) < 1e-12
        told = audit(fit(drawn.judgments))["verdict"]
        assert set(told[flat]) <= {"spammer", "careless"}
        assert not set(told[~flat]) & {"spammer", "adversarial"}


@pytest.mark.slow
def test_planted_kinds_are_found_and_good_workers_spared() -> None:
    told: Counter[tuple[str, str]] = Counter()
    for seed, n_labels in itertools.product(range(5), (3, 4, 5)):
        shares: Any = {"spammers": 0.1, "adversaries": 0.05, "biased": 0.1}
        drawn = simulate(800, 40, n_labels, 5, accuracy=0.78, **shares, seed=50 + 10 * seed + n_labels)
        table = audit(fit(drawn.judgments))
        flat = np.ptp(drawn.confusion, axis=1).max(axis=1) < 1e-12
        right = np.einsum("wkk->w", drawn.confusion) / n_labels
        hostile = ~flat & (right < 0.7 / n_labels)
        kind = np.where(flat, "spammer", np.where(hostile, "adversarial", "other"))
        enough = table["n_judgments"] >= 30
        told.update(zip(kind[enough].tolist(), table["verdict"][enough].tolist(), strict=True))
    for name in ("spammer", "adversarial"):
        said = sum(n for (_, verdict), n in told.items() if verdict == name)
        true = sum(n for (kind, _), n in told.items() if kind == name)
        assert told[name, name] / said >= 0.9
        assert told[name, name] / true >= 0.85
    others = sum(n for (kind, _), n in told.items() if kind == "other")
    assert told["other", "spammer"] + told["other", "adversarial"] <= 0.01 * others


def test_words() -> None:
    mean, low, high = (np.array([one]) for one in (0.824, 0.75, 0.88))
    assert verdicts.right_words(mean, low, high) == ["right on 82% [75% to 88%]"]


class TestContradictions:
    """Nobody is condemned whom nothing contradicts."""

    @pytest.fixture(autouse=True)
    def nobody_set_apart(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Who gives one label only is judged like all others here."""
        monkeypatch.setattr(one_label, "ANY", np.inf)

    def one_sided(self, *answers: str, other: int = 0, n: int = 60) -> Consensus:
        """Five good workers with 60 items of both labels each; one more, with ``answers`` to ``n`` items.

        All of these but the last ``other`` are x, and two of the five judged each.
        """
        rng = np.random.default_rng(1)
        rows = []
        for i in range(120):
            truth = "xy"[i % 2]
            said = [truth if rng.random() < 0.95 else "xy"[1 - i % 2] for _ in range(4)]
            rows += [
                (f"i{i:03}", f"g{w}", label) for w, label in zip(rng.choice(5, 4, replace=False), said, strict=True)
            ]
        for i in range(n):
            truth = "y" if i >= n - other else "x"
            rows += [(f"k{i:03}", f"g{w}", truth) for w in rng.choice(5, 3, replace=False)]
            rows.append((f"k{i:03}", "me", answers[i % len(answers)]))
        return fit(encoded(rows), rho=0.3)

    def test_of_items_that_all_have_the_label(self) -> None:
        result = self.one_sided("x")
        found = contradictions.contradicted(result, np.array([5]), np.array([0]))
        assert not found.enough[0]
        assert found.share_of_favourite[0] == pytest.approx(1.0, abs=1e-3)

    def test_three_items_of_another_label_are_enough(self) -> None:
        for other, enough in ((2, False), (4, True)):
            found = contradictions.contradicted(self.one_sided("x", other=other), np.array([5]), np.array([0]))
            assert found.enough[0] == enough
            assert found.share_of_favourite[0] == pytest.approx(1 - other / 60, abs=5e-3)

    def test_any_answers_where_all_items_have_one_label(self) -> None:
        """Wrong in half of them: contradicted; in a tenth, as good workers are: not."""
        for answers, enough in (("xy", True), ("x" * 9 + "y", False)):
            found = contradictions.contradicted(self.one_sided(*answers), np.array([5]), np.array([0]))
            assert found.enough[0] == enough

    def test_the_first_judgments_and_the_rest_are_all(self, monkeypatch: pytest.MonkeyPatch) -> None:
        result = self.one_sided("x", other=4, n=100)
        whole = contradictions.contradicted(result, np.array([0, 5]), np.array([1, 0]))
        for name, value in (("FIRST", 7), ("BLOCK", 20)):
            monkeypatch.setattr(contradictions, name, value)
            found = contradictions.contradicted(result, np.array([0, 5]), np.array([1, 0]))
            assert found.enough.tolist() == whole.enough.tolist() == [True, True]
        assert found.share_of_favourite[1] == pytest.approx(0.96, abs=0.01)

    def test_a_judgment_that_stands_alone_contradicts_nobody(self) -> None:
        rows = [("i", "v", "x"), ("i", "w", "x"), *((f"j{n}", "w", "y") for n in range(9))]
        found = contradictions.contradicted(fit(encoded(rows)), np.array([1]), np.array([1]))
        assert not found.enough[0]
        alone = fit(encoded([*rows[2:], ("a", "u", "x"), ("a", "v", "x")]))
        nobody = contradictions.contradicted(alone, np.array([2]), np.array([1]))
        assert nobody.share_of_favourite.tolist() == [1.0]

    def test_the_verdict_says_so(self) -> None:
        result = self.one_sided("x")
        W = result.judgments.n_workers
        accuracy = WorkerAudit(result).accuracy
        surely = worker_kinds.Kinds(np.full(W, 0.99), np.zeros(W))
        found = verdicts.verdicts(result, accuracy, surely, AuditConfig())
        assert found.verdict.tolist() == [verdicts.SPAMMER] * 5 + [verdicts.TOO_FEW]
        assert found.near[5]
        assert np.isnan(found.probability[5])
        assert found.reason[5].startswith(
            "60 judgments do not settle it: x in 100% but nobody contradicts them (by the others 100% of their items "
            "are x); right on "
        )
