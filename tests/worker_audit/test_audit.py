"""Rating workers."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import beta

from consensus import audit, fit, simulate, worker_audit
from consensus.found.result import Consensus
from consensus.intervals import beta_quantiles, of_moments, wilson
from consensus.worker_audit.accuracy import confusion_table, verdicts
from tests import naive
from tests.strategies import encoded

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

COLUMNS = (
    "worker kind n_judgments n_items accuracy accuracy_low accuracy_high gold_n gold_accuracy gold_low gold_high "
    "agreement informativeness worth verdict reason verdict_probability label_adjusted_accuracy"
).split()


@pytest.fixture(scope="module")
def fitted() -> tuple[Consensus, Any]:
    drawn = simulate(400, 10, 3, 4, accuracy=0.75, spammers=0.2, seed=11)
    return fit(drawn.judgments, gold=drawn.truth_table(150)), drawn


def test_columns_and_counts(fitted: tuple[Consensus, Any]) -> None:
    result, _ = fitted
    table = audit(result)
    assert list(table.columns)[: len(COLUMNS)] == COLUMNS
    assert table["worker"].tolist() == result.judgments.worker_ids.to_pylist()
    assert table["n_judgments"].sum() == result.judgments.n_judgments
    assert (table["kind"] == "human").all()
    assert table["verdict"].isin(verdicts.VERDICTS).all()
    assert (table["reason"].str.len() > 0).all()
    assert (table["verdict_probability"].isna() == (table["verdict"] == "too_few")).all()
    assert (table["accuracy_low"] < table["accuracy"]).all()
    assert (table["accuracy"] < table["accuracy_high"]).all()


def test_gold_accuracy_is_counted_by_hand(fitted: tuple[Consensus, Any]) -> None:
    result, drawn = fitted
    gold = dict(drawn.truth_table(150).itertuples(index=False))
    j = drawn.judgments
    items, workers = j.item_ids.to_pylist(), j.worker_ids.to_pylist()
    table = audit(result).set_index("worker")
    for w, name in enumerate(workers):
        answers = [
            (gold[items[i]], j.labels[k])
            for i, v, k in zip(j.item, j.worker, j.label, strict=True)
            if v == w and items[i] in gold
        ]
        right = sum(true == given for true, given in answers)
        row = table.loc[name]
        assert row["gold_n"] == len(answers)
        assert row["gold_accuracy"] == pytest.approx(right / len(answers))
        low, high = wilson(right, len(answers))
        assert (row["gold_low"], row["gold_high"]) == (pytest.approx(float(low)), pytest.approx(float(high)))


@pytest.mark.compiled
def test_agreement_is_counted_by_hand(fitted: tuple[Consensus, Any]) -> None:
    result, drawn = fitted
    agreeing, peers, items = naive.peer_agreement(drawn.judgments)
    np.testing.assert_allclose(audit(result)["agreement"], agreeing / peers)
    assert audit(result)["n_items"].tolist() == items.tolist()


def test_informativeness_in_bits(fitted: tuple[Consensus, Any]) -> None:
    result, _ = fitted
    C = result.confusions.dense()
    expected = [naive.mutual_information(result.prior_shares, one) / np.log(2) for one in C]
    np.testing.assert_allclose(audit(result)["informativeness"], expected, rtol=1e-9)


def test_confusion_table_is_the_matrix(fitted: tuple[Consensus, Any]) -> None:
    result, _ = fitted
    table = worker_audit.confusions(result, every=True)
    assert list(table.columns) == ["worker", "true_label", "label", "count", "probability", "low", "high"]
    assert len(table) == 10 * 9
    one = table[table["worker"] == "w3"].pivot(index="true_label", columns="label", values="probability")
    np.testing.assert_allclose(one, result.confusion("w3"))
    cell = table.iloc[40]
    k, observed = (result.judgments.labels.index(cell[name]) for name in ("true_label", "label"))
    A = result.confusions.pseudo_counts
    n = table[(table["worker"] == cell["worker"]) & (table["true_label"] == cell["true_label"])]["count"].sum()
    known = confusion_table.known_share(result)[result.judgments.worker_ids.to_pylist().index(cell["worker"])]
    assert known < 1
    less = (n * known + A[k].sum()) / (n + A[k].sum())  # of an uncertain truth the counts are worth less
    right = cell["count"] + A[k, observed]
    posterior = beta(right * less, (n + A[k].sum() - right) * less)
    assert (cell["low"], cell["high"]) == (pytest.approx(posterior.ppf(0.025)), pytest.approx(posterior.ppf(0.975)))
    assert table["count"].sum() == pytest.approx(result.judgments.n_judgments)

    given = worker_audit.confusions(result)
    assert len(given) == ((table["count"] >= 0.01) | (table["true_label"] == table["label"])).sum()
    both = given.merge(table, on=["worker", "true_label", "label"])
    assert len(both) == len(given)
    for name in ("count", "probability", "low", "high"):
        np.testing.assert_allclose(both[f"{name}_x"], both[f"{name}_y"])


def test_cells_without_judgments_are_left_out() -> None:
    result = fit(encoded([(f"i{i}", f"w{w}", "no" if w == 0 else f"l{i % 2}") for i in range(40) for w in range(4)]))
    assert len(worker_audit.confusions(result, every=True)) == 4 * 3 * 3
    shown = worker_audit.confusions(result)
    right = shown["true_label"] == shown["label"]
    assert (shown["count"][~right] >= 0.01).all()
    assert shown[right & (shown["worker"] == "w0")]["label"].tolist() == ["l0", "l1"]  # they said neither, ever
    assert (shown[right & (shown["worker"] == "w0")]["count"] == 0).all()


@pytest.mark.slow
def test_intervals_cover_the_planted_accuracy() -> None:
    """Over 24 varied crowds, and of workers with 5 to 20 judgments."""
    covered: list[bool] = []
    sparse: list[bool] = []
    for seed in range(24):
        rng = np.random.default_rng(seed)
        n_workers = int(rng.integers(20, 80))
        drawn = simulate(
            int(n_workers * rng.choice([4, 10, 25])),
            n_workers,
            int(rng.choice([2, 3, 4, 8])),
            float(rng.choice([3, 4, 5])),
            accuracy=rng.uniform(0.65, 0.9),
            spammers=float(rng.choice([0, 0.1])),
            seed=seed,
        )
        table = audit(fit(drawn.judgments))
        planted = np.einsum("k,wkk->w", drawn.prior, drawn.confusion)[[int(name[1:]) for name in table["worker"]]]
        inside = (table["accuracy_low"] <= planted) & (planted <= table["accuracy_high"])
        covered += inside.tolist()
        sparse += inside[table["n_judgments"].between(5, 20)].tolist()
    assert len(sparse) > 150
    assert 0.92 <= np.mean(covered) <= 0.985
    assert 0.92 <= np.mean(sparse) <= 0.985


def test_a_flawless_record_is_no_certainty() -> None:
    judged = [(f"i{i}", f"w{w}", f"l{i % 2}") for i in range(100) for w in range(3)]
    judged += [("i0", "new", "l0"), ("i1", "new", "l1")]
    table = audit(fit(encoded(judged))).set_index("worker")
    assert (table["accuracy_low"] <= table["accuracy"]).all()
    assert (table["accuracy"] <= table["accuracy_high"]).all()
    width = table["accuracy_high"] - table["accuracy_low"]
    assert width["new"] > 0.2 > width["w0"] > 0.01


@pytest.mark.compiled
def test_intervals_are_as_wide_as_the_evidence_makes_them() -> None:
    """Where the labels are all but certain, about as wide as counting right answers would make them."""
    drawn = simulate(400, confusion=[np.full((4, 4), 0.04) + 0.84 * np.eye(4)] * 9, per_item=9, seed=1)
    table = audit(fit(drawn.judgments, rho=0))
    low, high = wilson(table["accuracy"] * 400, 400)
    ratio = (table["accuracy_high"] - table["accuracy_low"]) / (high - low)
    assert ratio.between(0.8, 1.4).all()


def test_no_peers_no_gold_no_confidence() -> None:
    result = fit(encoded([("a", "v", "x"), ("b", "w", "y")]))
    assert worker_audit.confusions(result)["probability"].isna().all()
    assert result.posteriors[["x", "y"]].isna().all(axis=None)
    table = audit(result)
    assert table["informativeness"].isna().all()
    for name in ("agreement", "gold_accuracy", "gold_low", "gold_high", "accuracy", "accuracy_low", "accuracy_high"):
        assert table[name].isna().all()


def test_a_worker_whose_repeats_are_kept() -> None:
    from consensus import read

    rows = {"item": ["a", "a", "a"], "worker": ["v", "v", "w"], "label": ["x", "y", "x"]}
    table = audit(fit(read(rows, repeats="keep")))
    assert table[["n_judgments", "n_items"]].to_numpy().tolist() == [[2, 1], [1, 1]]
    assert table["agreement"].tolist() == [0.5, 0.5]


def test_majority_votes_are_audited_too() -> None:
    drawn = simulate(200, 6, 2, 3, accuracy=0.9, seed=1)
    table = audit(fit(drawn.judgments, model="majority_vote"))
    assert table["accuracy"].between(0.5, 1).all()


def test_maximum_likelihood_has_cells_without_an_interval() -> None:
    drawn = simulate(60, 4, 2, 3, accuracy=0.95, seed=1)
    table = worker_audit.confusions(fit(drawn.judgments, prior="none"))
    certain = table[table["probability"].isin([0, 1])]
    assert (certain["low"] == certain["probability"]).all()


class TestIntervals:
    def test_wilson_as_published(self) -> None:
        """Newcombe 1998, Statistics in Medicine 17:857, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
        low, high = wilson([81, 15, 0, 1], [263, 148, 20, 29])
        np.testing.assert_allclose(low, [0.2553, 0.0624, 0.0000, 0.0061], atol=5e-5)
        np.testing.assert_allclose(high, [0.3662, 0.1605, 0.1611, 0.1718], atol=5e-5)

    def test_of_nothing(self) -> None:
        low, high = wilson(0, 0)
        assert np.isnan(low)
        assert np.isnan(high)

    def test_beta(self) -> None:
        low, high = beta_quantiles(np.array([3.0]), np.array([5.0]))
        np.testing.assert_allclose([low[0], high[0]], beta(3, 5).ppf([0.025, 0.975]))
        mean, variance = np.array([3 / 8, 1.0]), np.array([15 / 64 / 9, 0.0])
        low, high = of_moments(mean, variance)
        np.testing.assert_allclose([low[0], high[0]], beta(3, 5).ppf([0.025, 0.975]))
        assert (low[1], high[1]) == (1, 1)


def test_worth_in_judgments_of_the_median_worker(fitted: tuple[Consensus, Any]) -> None:
    result, _ = fitted
    table = audit(result)
    informativeness = np.sort(table["informativeness"])
    np.testing.assert_allclose(
        table["worth"], table["informativeness"] / informativeness[(len(informativeness) - 1) // 2], rtol=1e-9
    )
    assert (table["worth"] == 1.0).any()


def test_accuracy_by_label_is_the_diagonal(fitted: tuple[Consensus, Any]) -> None:
    result, _ = fitted
    table = worker_audit.accuracy_by_label(result)
    assert list(table.columns) == ["worker", "label", "count", "accuracy", "accuracy_low", "accuracy_high"]
    assert len(table) == 10 * 3
    one = table[table["worker"] == "w3"]
    np.testing.assert_allclose(one["accuracy"], np.diag(result.confusion("w3")))
    np.testing.assert_allclose(one["count"], result.confusions.totals()[3])
    assert (table["accuracy_low"] < table["accuracy"]).all()
    assert (table["accuracy"] < table["accuracy_high"]).all()


@pytest.mark.compiled
def test_tables_of_the_command_line(run: Any, tmp_path: Any) -> None:
    drawn = simulate(60, 6, 2, 4, seed=1)
    path = tmp_path / "j.csv"
    drawn.judgments_table().to_csv(path, index=False)
    assert run("audit", path, "--table", "labels", "-q").out.startswith("worker,label,count,accuracy,")
    retests = run("audit", path, "--table", "retest", "--min-worker-judgments", "100", "-q")
    assert retests.out.startswith("worker,verdict,n_needed,item,label")
    ran = run("audit", path, "--table", "nothing")
    assert (ran.status, 'there is no table "nothing"; there are workers, ' in ran.err) == (2, True)
    plain = run("escalate", path, "-q").out.splitlines()
    more = run("escalate", path, "--retest", "2", "-q").out.splitlines()
    assert more[: len(plain)] == plain
    assert all(",retest," in line for line in more[len(plain) :])


def test_what_workers_are_worth_in_money(fitted: tuple[Consensus, Any]) -> None:
    from consensus.formats import read_costs
    from consensus.worker_audit import WorkerAudit
    from consensus.worker_audit.accuracy import worker_worth

    result, _ = fitted
    plain = audit(result)
    for name in ("expected_cost", "price", "bits_per_price"):
        assert plain[name].isna().all()
    np.testing.assert_allclose(
        plain["chance_corrected"], worker_worth.chance_corrected(result, plain["label_adjusted_accuracy"].to_numpy())
    )
    assert (plain["chance_corrected"] < plain["label_adjusted_accuracy"]).all()
    pairs = [(k, d) for k in result.judgments.labels for d in result.judgments.labels if k != d]
    rows = {"true": [k for k, _ in pairs], "decided": [d for _, d in pairs], "cost": [float(n) for n in range(1, 7)]}
    costs = read_costs(rows)
    table = audit(result, costs=costs, price=0.25)
    np.testing.assert_allclose(
        table["expected_cost"],
        worker_worth.expected_cost(WorkerAudit(result), costs.align(result.judgments)),
        rtol=1e-12,
    )
    assert table["expected_cost"].gt(0).all()
    assert (table["price"] == 0.25).all()
    np.testing.assert_allclose(table["bits_per_price"], table["informativeness"] * 4)
