"""Wrong, too easy and leaked gold; what forgiving it would change."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from consensus import fit, simulate, worker_audit
from consensus.errors import ConfigError
from consensus.found.posterior import SparsePosterior
from consensus.found.result import Consensus
from consensus.inputs.gold import Gold
from consensus.models import held_out_rho, layout
from consensus.simulation import Simulation, simulate_votes
from consensus.worker_audit.accuracy import skills
from consensus.worker_audit.on_gold import gold_answers, gold_health
from tests import naive
from tests.conftest import Run, csv
from tests.strategies import encoded

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

COLUMNS = (
    "item gold_label n_judgments n_right label confidence p_wrong suspect information too_easy leaked reason".split()
)


def with_wrong_gold(n_wrong: int, n_gold: int = 200, *, seed: int, **crowd: Any) -> tuple[Simulation, Gold, set[str]]:
    """A crowd, gold of which ``n_wrong`` items are wrong, and these."""
    drawn = simulate(per_item=5, n_workers=30, spammers=0.1, seed=seed, **crowd)
    rng = np.random.default_rng(seed + 1000)
    items = np.sort(rng.choice(len(drawn.truth), n_gold, replace=False))
    label, wrong = drawn.truth[items], rng.choice(n_gold, n_wrong, replace=False)
    label[wrong] = (label[wrong] + rng.integers(1, len(drawn.prior), n_wrong)) % len(drawn.prior)
    ids = drawn.judgments.item_ids.to_pylist()
    names = tuple(ids[i] for i in items)
    gold = Gold(names, tuple(drawn.judgments.labels[k] for k in label), ("gold",) * n_gold)
    return drawn, gold, {names[n] for n in wrong}


@pytest.mark.slow
@pytest.mark.parametrize("n_labels", [4, 5])
def test_wrong_gold_is_found(n_labels: int) -> None:
    n_found = []
    for seed in range(5):
        drawn, gold, wrong = with_wrong_gold(10, seed=seed, n_items=1500, n_labels=n_labels, accuracy=0.8)
        table = worker_audit.gold(fit(drawn.judgments, gold=gold))
        suspects = set(table["item"][table["suspect"]])
        assert len(suspects - wrong) <= 2
        n_found.append(len(suspects & wrong))
    assert np.mean(n_found) >= 8


@pytest.mark.slow
def test_right_gold_is_not_suspect() -> None:
    n_suspects = []
    for seed in range(4):
        drawn, gold, _ = with_wrong_gold(0, seed=seed, n_items=1000, n_labels=3, accuracy=0.75)
        n_suspects.append(worker_audit.gold(fit(drawn.judgments, gold=gold))["suspect"].sum())
    assert sum(n_suspects) <= 2


@pytest.fixture(scope="module")
def fitted() -> tuple[Consensus, Gold, set[str]]:
    drawn, gold, wrong = with_wrong_gold(4, 40, seed=3, n_items=300, n_labels=3, accuracy=0.85)
    return fit(drawn.judgments, gold=gold), gold, wrong


@pytest.mark.compiled
def test_columns(fitted: tuple[Consensus, Gold, set[str]]) -> None:
    result, gold, wrong = fitted
    assert result.gold is not None
    assert result.gold_posterior is not None
    table = worker_audit.gold(result)
    assert list(table.columns) == COLUMNS
    assert table["item"].tolist() == sorted(gold.item)
    assert dict(zip(table["item"], table["gold_label"], strict=True)) == dict(zip(gold.item, gold.label, strict=True))
    labels = np.array(result.judgments.labels)
    assert table["label"].tolist() == labels[result.gold_posterior.argmax(axis=1)].tolist()
    np.testing.assert_array_equal(table["confidence"], result.gold_posterior.max(axis=1))
    j, answers = result.judgments, dict(zip(gold.item, gold.label, strict=True))
    for row in table.itertuples():
        own = np.flatnonzero(np.array(j.item_ids.to_pylist())[j.item] == row.item)
        assert row.n_judgments == len(own)
        assert row.n_right == sum(labels[j.label[own]] == answers[str(row.item)])
    assert (table["reason"].notna() == table[["suspect", "too_easy", "leaked"]].any(axis=1)).all()
    assert set(table["item"][table["suspect"]]) <= wrong
    assert table["suspect"].any()
    reasons = table["reason"][table["suspect"]]
    assert reasons.str.fullmatch(
        r"\d of \d workers \(\d+ to \d+ % right elsewhere\) say label_\d but the gold says label_\d"
    ).all()


@pytest.mark.compiled
def test_beside_a_majority_vote_one_vote_is_no_certainty() -> None:
    """One more vote is spread evenly over the labels; else it is the same as beside any other model."""
    drawn, gold, _ = with_wrong_gold(5, 40, n_items=120, n_labels=3, accuracy=0.8, seed=1)
    result = fit(drawn.judgments, gold=gold, model="majority_vote")
    known, shares = gold_health._judged(result)
    n = result.judgments.per_item[known.items][:, None]
    other = replace(result, model="dawid_skene")
    expected = gold_health._p_wrong(other, known, (shares * n + 1 / 3) / (n + 1))
    np.testing.assert_allclose(gold_health._p_wrong(result, known, shares), expected, rtol=1e-9)
    assert not np.allclose(gold_health._p_wrong(other, known, shares), expected)


def test_p_wrong_by_its_formula(fitted: tuple[Consensus, Gold, set[str]]) -> None:
    result, _, _ = fitted
    assert result.gold is not None
    assert result.gold_posterior is not None
    n = result.judgments.per_item[result.gold.items]
    assert result.calibration is not None
    before = result.calibration.gold_before
    assert before is not None
    untempered = before ** (1 / result.tempering.power(n))[:, None]
    untempered /= untempered.sum(axis=1, keepdims=True)
    accepted = [set(np.flatnonzero(row).tolist()) for row in result.gold.accepted]
    expected = naive.p_wrong(untempered, n.tolist(), accepted, held_out_rho.GRID, gold_health.SHARES)
    np.testing.assert_allclose(worker_audit.gold(result)["p_wrong"], expected, rtol=1e-6, atol=1e-12)


def test_suspects_are_few_false_alarms() -> None:
    assert gold_health._suspects(np.array([0.99, 0.1, 0.5, 0.14])).tolist() == [True, False, True, False]
    assert gold_health._suspects(np.array([0.16, 0.29])).tolist() == [True, True]
    many = gold_health._suspects(np.full(20, 0.5))
    assert many.tolist() == [True] * 10 + [False] * 10  # five false alarms are expected among ten


def leaky(n_leaked: int, seed: int = 2) -> tuple[Consensus, set[str]]:
    """A crowd a quarter of which guesses, but knows the answers of ``n_leaked`` of 60 gold items; and these."""
    rng = np.random.default_rng(seed)
    good, guess = np.full((4, 4), 0.05) + 0.8 * np.eye(4), np.full((4, 4), 0.25)
    drawn = simulate(400, confusion=[good] * 18 + [guess] * 6, per_item=22, seed=seed)
    j = drawn.judgments
    guessing = np.array([int(name[1:]) >= 18 for name in j.worker_ids.to_pylist()])
    gold = np.sort(rng.choice(400, 60, replace=False))
    leaked = rng.choice(gold, n_leaked, replace=False)
    knows = guessing[j.worker] & np.isin(j.item, leaked)
    ids = j.item_ids.to_pylist()
    judgments = replace(j, label=np.where(knows, drawn.truth[j.item], j.label).astype(np.int32))
    labels = tuple(j.labels[k] for k in drawn.truth[gold])
    known = Gold(tuple(ids[i] for i in gold), labels, ("gold",) * 60)
    return fit(judgments, gold=known, rho=0.2), {ids[i] for i in leaked}


@pytest.mark.slow
def test_beside_clusters_nothing_is_leaked() -> None:
    result, _ = leaky(40)
    assert worker_audit.gold(result)["leaked"].any()
    cluster = np.arange(result.judgments.n_items, dtype=np.int32) // 5
    judgments = replace(result.judgments, cluster=cluster)
    assert not worker_audit.gold(replace(result, judgments=judgments))["leaked"].any()


@pytest.mark.compiled
@pytest.mark.parametrize(("n_leaked", "found"), [(0, 0), (8, 4), (60, 40)])
def test_leaked_gold_is_found(n_leaked: int, found: int) -> None:
    result, leaked = leaky(n_leaked)
    table = worker_audit.gold(result)
    told = set(table["item"][table["leaked"]])
    assert len(told & leaked) >= found
    assert len(told - leaked) <= 1
    for reason in table["reason"][table["leaked"]]:
        by_weak = "right elsewhere are right here" in reason and "they may know the answer" in reason
        assert by_weak or "who seem to know the gold are right on it" in reason


@pytest.mark.compiled
def test_gold_that_everyone_knows_is_too_easy() -> None:
    good, guess = np.full((4, 4), 0.05) + 0.8 * np.eye(4), np.full((4, 4), 0.25)
    drawn = simulate(300, confusion=[good] * 12 + [guess] * 8, per_item=18, seed=4)
    j = drawn.judgments
    easy = j.item < 3
    judgments = replace(j, label=np.where(easy, drawn.truth[j.item], j.label).astype(np.int32))
    table = worker_audit.gold(fit(judgments, gold=drawn.truth_table().iloc[:60]))
    assert table["too_easy"][:3].all()
    assert not table["too_easy"][3:].any()
    assert table["reason"][0].endswith("right elsewhere: it tells little about workers")
    assert "all of 18 workers are right with " in table["reason"][0]
    assert (table["information"][:3] < 0.25 * table["information"].median()).all()


def test_information_by_hand() -> None:
    answers = gold_answers.GoldAnswers(
        own=np.array([0, 0, 0, 1]),
        label=np.zeros(4, np.int32),
        right=np.array([True, True, False, True]),
        predicted=np.array([0.9, 0.3, 0.3, 0.9]),
        accuracy=np.array([0.9, 0.3, 0.4, 0.9]),
        weak=np.array([False, True, True, False]),
        usual=np.array([[0.9, 0.9], [0.3, 0.3]]),
    )
    found, easy = answers.information()
    for n, (a, b) in enumerate([((1 + 1.8) / 3, (1 + 0.6) / 4), ((1 + 1.8) / 3, 0.3)]):
        C = np.array([[a, 1 - a], [b, 1 - b]])
        assert found[n] == pytest.approx(naive.mutual_information(np.array([0.5, 0.5]), C) / np.log(2))
    assert not easy.any()


def test_an_item_that_sets_strong_workers_apart_is_not_too_easy() -> None:
    """All are right; where few strong ones are among them, it tells less than a quarter of what was to be expected."""
    for n_strong, too_easy in ((1, True), (20, False)):
        n = n_strong + 3
        answers = gold_answers.GoldAnswers(
            own=np.zeros(n, np.int64),
            label=np.zeros(n, np.int32),
            right=np.ones(n, np.bool_),
            predicted=np.full(n, 0.5),
            accuracy=np.full(n, 0.5),
            weak=np.arange(n) < 3,
            usual=np.array([[0.9], [0.3]]),
        )
        assert answers.information()[1].tolist() == [too_easy]


def test_tails_by_all_outcomes(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    own = np.repeat([0, 2, 3], [3, 5, 1])
    chance, n_right, tested = rng.uniform(0.05, 0.95, 9), np.array([2, 0, 4, 0]), np.array([0, 2, 3])
    tail, middle = gold_answers._tails(own, chance, n_right, tested)
    for n, item in enumerate(tested):
        more, just = naive.poisson_binomial(chance[own == item].tolist(), int(n_right[item]))
        assert (tail[n], middle[n]) == (pytest.approx(more), pytest.approx(more - just / 2))
    own, chance = np.repeat([0, 1], [150, 2]), np.concatenate([rng.uniform(0.2, 0.6, 150), [0.5, 0.5]])
    exact = gold_answers._tails(own, chance, np.array([70, 1]), np.array([0, 1]))
    monkeypatch.setattr(gold_answers, "MOST_EXACT", 100)
    normal = gold_answers._tails(own, chance, np.array([70, 1]), np.array([0, 1]))
    np.testing.assert_allclose(normal, exact, rtol=0.05)
    np.testing.assert_allclose(
        gold_answers._tails(own[:150], chance[:150], np.array([70]), np.array([0])), [[normal[0][0]], [normal[1][0]]]
    )


def test_skills_are_those_off_the_gold() -> None:
    drawn = simulate(200, 6, 3, 5, accuracy=0.8, seed=1)
    result = fit(drawn.judgments, gold=drawn.truth_table(50), prior="none", rho=0)
    assert result.gold is not None
    found, j, pi = skills.elsewhere(result), result.judgments, result.prior_shares
    N = naive.counts(j.subset(~np.isin(j.item, result.gold.items)), result.posterior)
    right, totals = np.einsum("wkk->wk", N), N.sum(axis=2)
    pooled = right.sum(axis=0) / totals.sum(axis=0)
    accuracy = ((right + 2 * pi * pooled) / (totals + 2 * pi)) @ pi
    np.testing.assert_allclose(found.accuracy, accuracy, atol=1e-3)  # the last pass of the fit moves counts a little
    np.testing.assert_allclose(found.right, (right + 4 * accuracy[:, None]) / (totals + 4), atol=1e-3)
    skill = (accuracy - 1 / 3) / (2 / 3)
    assert found.weak.tolist() == (skill < np.median(skill) / 2).tolist()
    assert found.strong.tolist() == ((skill >= np.median(skill)) & (skill >= 0.5)).tolist()
    assert found.strong.any()


def test_several_accepted_labels() -> None:
    drawn = simulate(200, 8, 4, 5, accuracy=0.8, seed=2)
    rows = [(f"item{i:03}", drawn.judgments.labels[k]) for i in range(30) for k in {0, int(drawn.truth[i])}]
    gold = Gold(tuple(i for i, _ in rows), tuple(k for _, k in rows), ("gold",) * len(rows))
    table = worker_audit.gold(fit(drawn.judgments, gold=gold)).set_index("item")
    for i in range(30):
        true = drawn.judgments.labels[drawn.truth[i]]
        name = true if true == "label_0" else f"label_0 | {true}"
        assert table.loc[f"item{i:03}", "gold_label"] == name
    assert table["p_wrong"].max() < 0.5


class TestOddCases:
    def test_no_gold(self) -> None:
        table = worker_audit.gold(fit(simulate(50, 5, 2, 3).judgments))
        assert list(table.columns) == COLUMNS
        assert table.empty

    def test_gold_that_nobody_judged_is_left_out(self) -> None:
        judged = [(f"i{i}", f"w{w}", f"l{i % 2}") for i in range(6) for w in range(3)] + [("silent", "w0", None)]
        gold = Gold(("i0", "silent", "elsewhere"), ("l0", "l1", "l1"), ("gold",) * 3)
        table = worker_audit.gold(fit(encoded(judged), gold=gold))
        assert table["item"].tolist() == ["i0"]
        assert table["information"].isna().all()  # no worker is weak
        assert not table[["suspect", "too_easy", "leaked"]].any(axis=None)

    def test_one_label(self) -> None:
        judged = [(f"i{i}", f"w{w}", "yes") for i in range(6) for w in range(3)]
        table = worker_audit.gold(fit(encoded(judged), gold=Gold(("i0",), ("yes",), ("gold",))))
        assert table["p_wrong"].tolist() == [0]

    def test_nobody_says_what_the_crowd_would_say(self) -> None:
        """Adversaries who avoid the truth agree on it without a word."""
        answers = gold_answers.GoldAnswers(
            own=np.zeros(2, np.int64),
            label=np.array([0, 1], np.int32),
            right=np.zeros(2, np.bool_),
            predicted=np.full(2, 0.5),
            accuracy=np.array([0.5, 0.5]),
            weak=np.zeros(2, np.bool_),
            usual=np.full((2, 1), 0.5),
        )
        assert answers.against(0, 2, "c", "d") == "none of 2 workers says d as the gold does"
        assert answers.against(0, 1, "b", "d") == "1 of 2 workers (50 % right elsewhere) say b but the gold says d"
        assert gold_answers._workers(1) == "1 worker"

    def test_majority_votes_are_no_certainties(self) -> None:
        judged = [(f"i{i}", f"w{w}", f"l{i % 2}") for i in range(40) for w in range(4)]
        judged.append(("alone", "w0", "l1"))
        names = tuple(f"i{i}" for i in range(20))
        labels = ("l1", *(f"l{i % 2}" for i in range(1, 20)))
        gold = Gold((*names, "alone"), (*labels, "l0"), ("gold",) * 21)
        table = worker_audit.gold(fit(encoded(judged), gold=gold, model="majority_vote"))
        p = dict(zip(table["item"], table["p_wrong"], strict=True))
        assert p["i0"] > p["alone"]
        assert p["alone"] < 0.5
        assert max(p[item] for item in p if item not in {"i0", "alone"}) < 0.01


class TestForgiving:
    @pytest.mark.compiled
    def test_what_would_change(self, fitted: tuple[Consensus, Gold, set[str]]) -> None:
        result, gold, wrong = fitted
        item = min(wrong)
        table = worker_audit.forgive(result, [item])
        assert list(table.columns) == ["kind", "id", "field", "before", "after"]
        kept = [n for n in range(40) if gold.item[n] != item]
        item_left, label_left = (tuple(column[n] for n in kept) for column in (gold.item, gold.label))
        left = Gold(item_left, label_left, ("gold",) * len(kept))
        after = fit(result.judgments, gold=left)
        labels = result.labels.set_index("item")["label"], after.labels.set_index("item")["label"]
        changed = labels[0].index[labels[0] != labels[1]]
        told = table[table["kind"] == "label"].set_index("id")
        assert sorted(told.index) == sorted(changed)
        assert item in told.index
        assert told["before"].tolist() == labels[0][told.index].tolist()
        assert told["after"].tolist() == labels[1][told.index].tolist()
        before, now = (worker_audit.audit(one).set_index("worker") for one in (result, after))
        for field in ("gold_accuracy", "accuracy"):
            differs = (before[field] - now[field]).abs() >= 0.001
            differs |= before[field].isna() != now[field].isna()
            told = table[table["field"] == field]
            assert told["id"].tolist() == before.index[differs].tolist()
            for column, one in (("before", before), ("after", now)):
                values = one[field][told["id"]]
                assert told[column].fillna("-").tolist() == [f"{p:.3f}" if p == p else "-" for p in values]

    @pytest.mark.compiled
    def test_a_changed_verdict(self, fitted: tuple[Consensus, Gold, set[str]], monkeypatch: pytest.MonkeyPatch) -> None:
        import pyarrow as pa

        from consensus.worker_audit.on_gold import forgiving

        result, _, wrong = fitted
        n = result.judgments.n_workers
        verdicts = iter([["good"] * n, ["good", None, *["good"] * (n - 2)]])

        def columns(_: worker_audit.WorkerAudit) -> Any:
            known = np.full(n, 0.5)
            return {"verdict": pa.array(next(verdicts), pa.string()), "gold_accuracy": known, "accuracy": known}

        monkeypatch.setattr(forgiving, "worker_columns", columns)
        table = worker_audit.forgive(result, sorted(wrong))
        told = table[table["kind"] == "worker"]
        name = result.judgments.worker_ids[1].as_py()
        assert told[["id", "field", "before"]].to_numpy().tolist() == [[name, "verdict", "good"]]
        assert told["after"].isna().all()

    def test_gold_that_nobody_judged_loses_its_label(self) -> None:
        judged = [(f"i{i}", f"w{w}", f"l{i % 2}") for i in range(6) for w in range(3)]
        gold = Gold(("i0", "elsewhere", "elsewhere", "far"), ("l0", "l1", "l0", "l1"), ("gold",) * 4)
        result = fit(encoded(judged), gold=gold)
        told = worker_audit.forgive(result, ["elsewhere"])
        assert told[["kind", "id", "field", "before"]].to_numpy().tolist() == [["label", "elsewhere", "label", "l0"]]
        assert told["after"].isna().all()
        everything = worker_audit.forgive(result, ["i0", "elsewhere", "far"])
        assert everything["field"].tolist()[0] == "label"
        assert "gold_accuracy" in everything["field"].tolist()

    def test_nothing_changes(self) -> None:
        judged = [(f"i{i}", f"w{w}", f"l{i % 2}") for i in range(60) for w in range(3)]
        gold = Gold(tuple(f"i{i}" for i in range(40)), tuple(f"l{i % 2}" for i in range(40)), ("gold",) * 40)
        assert worker_audit.forgive(fit(encoded(judged), gold=gold), ["i7"]).empty

    @pytest.mark.compiled
    def test_other_models(self) -> None:
        drawn = simulate(100, 6, 2, 3, seed=1)
        gold = drawn.truth_table(20)
        flipped = gold.assign(label=gold["label"].map({"label_0": "label_1", "label_1": "label_0"}))
        wrong = pd.concat([flipped.iloc[:1], gold.iloc[1:]])
        item = wrong["item"].iloc[0]
        for result, after in (
            (
                fit(drawn.judgments, gold=wrong, model="majority_vote"),
                fit(drawn.judgments, gold=gold.iloc[1:], model="majority_vote"),
            ),
            (
                fit(drawn.judgments, gold=wrong, model_votes=simulate_votes(drawn, 2, families=2)),
                fit(drawn.judgments, gold=gold.iloc[1:], model_votes=simulate_votes(drawn, 2, families=2)),
            ),
        ):
            told = worker_audit.forgive(result, [item])
            changed = told[told["kind"] == "label"].set_index("id")["after"]
            labels = after.labels.set_index("item")["label"]
            before = result.labels.set_index("item")["label"]
            assert changed.to_dict() == labels[before != labels].to_dict()

    @pytest.mark.compiled
    def test_errors(self, fitted: tuple[Consensus, Gold, set[str]]) -> None:
        result, gold, _ = fitted
        with pytest.raises(ConfigError, match=rf'"{gold.item[0]}x" is no gold item \(did you mean {gold.item[0]}'):
            worker_audit.forgive(result, [f"{gold.item[0]}x"])
        with pytest.raises(ConfigError, match='"xyz" is no gold item; run.gold_health lists'):
            worker_audit.forgive(result, ["xyz"])
        with pytest.raises(ConfigError, match="there is no gold, so no item of it can be left out"):
            worker_audit.forgive(fit(result.judgments), ["xyz"])


def test_command_line(run: Run, write: Any) -> None:
    rows = [(f"i{i}", f"w{w}", f"l{(i if w < 3 else i // 2) % 2}") for i in range(30) for w in range(4)]
    judged = write("j.csv", csv(rows))
    known = write("gold.csv", csv([("i0", "l1"), *((f"i{i}", f"l{i % 2}") for i in range(1, 12))], "item,label"))
    ran = run("audit", judged, "--gold", known, "--table", "gold", "--quiet")
    assert (ran.status, ran.out.splitlines()[0]) == (0, ",".join(COLUMNS))
    assert len(ran.out.splitlines()) == 13
    ran = run("audit", judged, "--gold", known, "--forgive", "i0", "--forgive", "i1", "--quiet")
    assert ran.out.splitlines()[:2] == ["kind,id,field,before,after", "label,i0,label,l1,l0"]
    ran = run("audit", judged, "--table", "gold")
    assert (ran.status, "there is no gold to look at; give its file with --gold" in ran.err) == (3, True)
    ran = run("audit", judged, "--gold", known, "--forgive", "i20")
    assert (ran.status, ran.err.count("\n")) == (3, 1)
    assert '"i20" is no gold item' in ran.err
    ran = run("audit", judged, "--gold", known, "--forgive", "i0", "--evidence", "w0")
    assert ran.status == 2


def every_table(result: Consensus) -> list[pd.DataFrame]:
    forgiven = worker_audit.gold(result)["item"].tolist()[:2]
    return [
        worker_audit.gold(result),
        worker_audit.proposals(result),
        worker_audit.evidence(result, "w0"),
        worker_audit.retest_table(result, min_worker_judgments=1000),
        worker_audit.forgive(result, forgiven),
    ]


@pytest.mark.compiled
@pytest.mark.parametrize("few_labels", [32, 0])
def test_threads_change_nothing(few_labels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consensus.backends.SMALLEST_SHARD", 10)
    monkeypatch.setattr(layout, "FEW_LABELS", few_labels)
    monkeypatch.setattr(layout, "MOST_CELLS", 0)
    drawn = simulate(120, 8, 4, 5, accuracy=0.85, spammers=0.2, seed=5)
    gold = drawn.truth_table(30)
    gold.loc[0, "label"] = next(label for label in drawn.judgments.labels if label != gold["label"][0])
    one, *others = [every_table(fit(drawn.judgments, gold=gold, rho=0.2, threads=n)) for n in (1, 2, 4)]
    for other in others:
        for a, b in zip(one, other, strict=True):
            assert not a.empty
            pd.testing.assert_frame_equal(a, b, check_exact=True)


@pytest.mark.compiled
def test_few_candidates_weighed_one_by_one_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, gold, wrong = with_wrong_gold(3, 30, seed=7, n_items=300, n_labels=3, accuracy=0.9)
    monkeypatch.setattr(layout, "FEW_LABELS", 0)
    monkeypatch.setattr(layout, "MOST_CELLS", 0)
    result = fit(drawn.judgments, gold=gold)
    assert isinstance(result.beliefs, SparsePosterior)
    table = worker_audit.gold(result)
    assert set(table["item"][table["suspect"]]) == wrong
