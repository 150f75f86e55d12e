"""What people's judgments tell about models: planted accuracy, temperature and shared mistakes are found."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from consensus import audit, fit
from consensus.found.result import Consensus, framed
from consensus.inputs.model_votes import ModelVotes
from consensus.votes_audit import model_ratings, models_table
from consensus.worker_audit import WorkerAudit
from tests.strategies import Row, encoded, voted

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

LABELS = ("a", "b", "c")
N_ITEMS = 1500
APART = 1.8


def crowd(seed: int, accuracy: float = 0.8, n_workers: int = 3) -> tuple[NDArray[np.int64], list[Row]]:
    """Truth, and judgments of workers who are all equally good."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, N_ITEMS)
    rows: list[Row] = []
    for w in range(n_workers):
        said = wrong(rng, truth, rng.random(N_ITEMS) >= accuracy)
        rows += [(f"i{i:04}", f"w{w}", LABELS[k]) for i, k in enumerate(said.tolist())]
    return truth, rows


def wrong(rng: np.random.Generator, truth: NDArray[np.int64], where: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The truth, and another label ``where`` it is to be wrong."""
    return np.where(where, (truth + rng.integers(1, 3, len(truth))) % 3, truth)


def hard(name: str, label: NDArray[np.int64]) -> list[tuple[str, str, str]]:
    return [(f"i{i:04}", name, LABELS[k]) for i, k in enumerate(label.tolist())]


def soft(name: str, truth: NDArray[np.int64], seed: int, power: float) -> list[tuple[str, str, list[float]]]:
    """Probabilities that are right as often as they say, then to ``power``: above 1, the model is too sure."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0.0, 1.0, (len(truth), 3))
    logits[np.arange(len(truth)), truth] += APART
    q = np.exp(APART * (logits - logits.max(axis=1, keepdims=True)))  # Bayes' rule for normals so far apart
    q = (q / q.sum(axis=1, keepdims=True)) ** power
    q /= q.sum(axis=1, keepdims=True)
    return [(f"i{i:04}", name, row) for i, row in enumerate(q.tolist())]


def fitted(rows: Sequence[Row], votes: ModelVotes, **settings: Any) -> Consensus:
    return fit(encoded(rows), model_votes=votes, **settings)


@pytest.mark.compiled
@pytest.mark.parametrize("seed", range(3))
def test_accuracy_is_that_of_the_truth_not_of_people(seed: int) -> None:
    """People err on a fifth of the items; a model that is right on 90 % agrees with them on far fewer."""
    truth, rows = crowd(seed)
    rng = np.random.default_rng(100 + seed)
    said = wrong(rng, truth, rng.random(N_ITEMS) >= 0.9)
    result = fitted(rows, voted(hard("m", said)))
    (found,) = model_ratings.rate(result)
    right = float((said == truth).mean())
    assert found.low <= right <= found.high
    assert 0.02 < found.high - found.low < 0.08
    assert found.agreement == pytest.approx(right * 0.8 + (1 - right) * 0.1, abs=0.02)
    assert (found.n_votes, found.n_rated, found.gold_n) == (N_ITEMS, N_ITEMS, 0)
    assert np.isnan([found.weight, found.temperature, found.ece]).all()


@pytest.mark.parametrize("power", [1.0, *(pytest.param(power, marks=pytest.mark.compiled) for power in (0.5, 3.0))])
def test_temperature_is_found(power: float) -> None:
    truth, rows = crowd(1)
    result = fitted(rows, voted(soft("m", truth, 2, power), LABELS))
    (found,) = model_ratings.rate(result)
    assert found.temperature == pytest.approx(power, rel=0.15)
    assert found.weight == pytest.approx(1.0 / power, rel=0.2)
    assert found.ece_calibrated < 0.035
    if power != 1.0:
        assert found.ece > found.ece_calibrated
    assert result.models is not None
    useless = replace(found, weight=0.001)
    assert models_table.reason(useless, result.models, 0).endswith("it tells nothing that the others do not")
    word = {0.5: "too modest", 1.0: "calibrated", 3.0: "too sure of itself"}[power]
    assert models_table.reason(found, result.models, 0).startswith(word)


@pytest.mark.compiled
def test_confusions_after_the_last_round_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    truth, rows = crowd(4)
    result = fitted(rows, voted(hard("m", truth)))
    (whole,) = model_ratings.rate(result)
    monkeypatch.setattr(model_ratings, "ROUNDS", 1)
    (early,) = model_ratings.rate(result)
    assert 0.5 < early.accuracy < whole.accuracy


@pytest.mark.compiled
def test_a_model_that_tells_nothing_says_so() -> None:
    truth, rows = crowd(3)
    q = np.random.default_rng(0).dirichlet(np.ones(3), N_ITEMS)
    votes = [(f"i{i:04}", "random", row) for i, row in enumerate(q.tolist())]
    result = fitted(rows, voted([*votes, *soft("useful", truth, 4, 1.0)], LABELS, {"random": "f", "useful": "f"}))
    random, useful = model_ratings.rate(result)
    assert result.models is not None
    assert models_table.reason(random, result.models, 0).startswith("its probabilities tell next to nothing")
    assert random.weight < 0.1 < useful.weight
    assert random.information == pytest.approx(0.0, abs=0.01)
    table = framed(models_table.table(WorkerAudit(result))).set_index(["model", "label"])
    assert table.loc[("random", slice(None)), "worth"].max() < 0.05
    assert table["n_effective"].dropna().tolist() == pytest.approx([1.0], abs=0.15)


@pytest.mark.compiled
def test_worth_in_judgments_of_people() -> None:
    """A model as good as the workers is worth one of their judgments, overall and by label: if it repeats nobody."""
    truth, rows = crowd(5, n_workers=5)
    rng = np.random.default_rng(6)
    said = wrong(rng, truth, rng.random(N_ITEMS) >= 0.8)
    table = framed(models_table.table(WorkerAudit(fitted(rows, voted(hard("m", said)), model_tests="off"))))
    assert table["label"].isna().tolist() == [True, False, False, False]
    assert table["worth"].tolist() == pytest.approx([1.0] * 4, abs=0.25)
    assert table["accuracy"].tolist() == pytest.approx([0.8] * 4, abs=0.05)


@pytest.mark.compiled
def test_what_a_family_shares() -> None:
    truth, rows = crowd(7)
    rng = np.random.default_rng(8)
    together = rng.random(N_ITEMS) < 0.12
    common = wrong(rng, truth, together)
    said = [np.where(together, common, wrong(rng, truth, rng.random(N_ITEMS) < 0.09)) for _ in range(4)]
    families = {f"m{m}": "llms" for m in range(4)}
    votes = voted([vote for m in range(4) for vote in hard(f"m{m}", said[m])], LABELS, families)
    result = fitted(rows, votes)
    (family,) = model_ratings.families(result, model_ratings.rate(result))
    assert family.models == ("m0", "m1", "m2", "m3")
    assert 1.0 < family.n_effective < 2.0
    wrongs = [said[m] != truth for m in range(4)]
    shared = [np.any([(said[m] == said[o]) & wrongs[o] for o in range(4) if o != m], axis=0) for m in range(4)]
    expected = sum((wrongs[m] & shared[m]).sum() for m in range(4)) / sum(w.sum() for w in wrongs)
    assert family.shared_mistakes == pytest.approx(float(expected), abs=0.08)
    assert all(true != named and n > 5 for true, named, n in family.worst)
    each = voted([vote for m in range(4) for vote in hard(f"m{m}", said[m])], LABELS)
    alone = fitted(rows, each, model_tests="off")
    assert model_ratings.families(alone, model_ratings.rate(alone)) == []


@pytest.mark.compiled
def test_rows_beside_the_workers() -> None:
    truth, rows = crowd(9)
    gold = {"item": [f"i{i:04}" for i in range(50)], "label": [LABELS[k] for k in truth[:50]]}
    votes = voted([*soft("b", truth, 1, 1.0), *hard("a", truth)], LABELS, {"a": "f", "b": "f"})
    table = audit(fitted(rows, votes, gold=gold))
    assert table["kind"].tolist() == ["human"] * 3 + ["model", "model", "family"]
    models = table.set_index("worker").loc[["a", "b", "f"]]
    assert models["n_judgments"].tolist() == [N_ITEMS, N_ITEMS, 2 * N_ITEMS]
    assert models["n_items"].tolist() == [N_ITEMS] * 3
    assert models["gold_n"].tolist() == [50, 50, 0]
    assert models.loc["a", "gold_accuracy"] == 1.0
    assert 0.9 < models["gold_low"].tolist()[0] < 1.0
    assert models["reason"].notna().all()
    assert table["worth"].notna().tolist() == [True] * 5 + [False]
    assert table["n_judgments"].dtype == np.int64
    with_votes, without = table[:3], audit(fit(encoded(rows), gold=gold))
    assert (with_votes["agreement"] == without["agreement"]).all()


@pytest.mark.compiled
def test_models_that_nobody_checked() -> None:
    truth, _ = crowd(10)
    votes = voted([*hard("a", truth), *hard("b", truth), *soft("c", truth, 1, 1.0)], LABELS)
    result = fit(None, model_votes=votes)
    table = audit(result)
    assert table["kind"].tolist() == ["model"] * 3
    assert table["accuracy"].isna().all()
    assert table["worth"].isna().all()
    assert table["reason"].str.startswith("met 0 items that two people judged (50 needed)").all()
    together = voted([*hard("a", truth), *hard("b", truth)], LABELS, {"a": "f", "b": "f"})
    result = fit(None, model_votes=together)
    (family,) = model_ratings.families(result, model_ratings.rate(result))
    assert np.isnan(family.shared_mistakes)
    assert family.worst == ()


@pytest.mark.compiled
def test_a_family_without_a_mistake() -> None:
    truth, rows = crowd(11, accuracy=0.97, n_workers=4)
    votes = voted([*hard("a", truth), *hard("b", truth)], LABELS, {"a": "f", "b": "f"})
    result = fitted(rows[: 3 * N_ITEMS], votes)
    known = [(i, w, label) for i, w, label in rows if LABELS[truth[int(i[1:])]] == label]
    result = fitted(known, votes)
    (family,) = model_ratings.families(result, model_ratings.rate(result))
    assert (np.isnan(family.shared_mistakes), family.worst) == (True, ())
    assert "mistakes" not in models_table.family_reason(family)


@pytest.mark.compiled
def test_circular_models_say_so() -> None:
    truth, rows = crowd(12)
    result = fitted(rows, voted(soft("m", truth, 1, 1.0), LABELS), trained_on_consensus=("m",))
    (found,) = model_ratings.rate(result)
    assert result.models is not None
    assert models_table.reason(found, result.models, 0).startswith("circular")
    assert np.isnan(found.weight)
