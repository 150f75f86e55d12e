"""Items have priors of their own where workers, or groups of items, see different labels."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus import audit, fit
from consensus.backends import Threads
from consensus.config import FitConfig
from consensus.errors import JudgmentError
from consensus.escalation import escalate
from consensus.explanation import explain
from consensus.found.posterior import SparsePosterior
from consensus.found.result import Consensus
from consensus.inputs.gold import AlignedGold
from consensus.inputs.judgments import Judgments
from consensus.models import label_mixes, layout, starts
from consensus.models.base import Execution
from consensus.models.expectation_maximisation import climb
from consensus.models.label_mixes import LabelMixes
from consensus.models.problem import Problem
from consensus.models.sparse_layout import Cells
from consensus.simulation import simulate, simulate_votes
from tests import naive_class_prior as naive
from tests.strategies import crowds, encoded, examples, tables

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

ONE = Threads(1)
crowd = examples(30)


def problem_of(judgments: Judgments, gold: AlignedGold | None = None, differ: bool | None = True) -> Problem:
    return replace(Problem.of(judgments, gold, FitConfig(), ONE), differ=differ)


def topics(n_labels: int = 3, n_items: int = 300, n_workers: int = 30, own: float = 0.97, seed: int = 0) -> Consensus:
    """Workers right on 90 %, each with nearly all work in a topic that has one label only; truth is the item's name."""
    judgments = judged(n_labels, n_items, n_workers, own, seed)
    return fit(judgments)


def judged(n_labels: int, n_items: int, n_workers: int, own: float, seed: int) -> Judgments:
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n_items):
        k = i % n_labels
        at_home = np.arange(n_workers) % n_labels == k
        p = np.where(at_home, own / at_home.sum(), (1 - own) / (~at_home).sum())
        for w in rng.choice(n_workers, 5, replace=False, p=p):
            said = k if rng.random() < 0.9 else (k + rng.integers(1, n_labels)) % n_labels
            rows.append((f"i{i:04}-l{k}", f"w{w:02}", f"l{said}"))
    return encoded(rows)


def right(result: Consensus) -> float:
    table = result.labels
    return float((table["label"] == table["item"].str[-2:]).mean())


def of_majority(result: Consensus) -> float:
    table = result.labels
    return float((table["majority_label"] == table["item"].str[-2:]).mean())


@crowd
@given(st.data(), crowds(), st.booleans())
def test_priors_are_the_formula(data: st.DataObject, judgments: Judgments, grouped: bool) -> None:
    K, W = judgments.n_labels, judgments.n_workers
    if grouped:
        codes = st.lists(st.integers(-1, 2), min_size=judgments.n_judgments, max_size=judgments.n_judgments)
        judgments = replace(judgments, group=np.array(data.draw(codes), np.int32), group_ids=pa.array(list("abc")))
    problem, pi = problem_of(judgments), data.draw(tables(K))
    work = problem.layout.tables()
    start = data.draw(tables(judgments.n_items, K))
    problem.layout.count(start, problem.prior_row, work, ONE)
    mixes = LabelMixes(problem, work, ONE)
    owner: np.ndarray
    if judgments.group is not None:
        owner, z = judgments.group, starts.dense(problem)(slice(0, judgments.n_items))
        n = np.zeros((3, K))
        for i, g in zip(judgments.item, judgments.group, strict=True):
            if g >= 0:
                n[g] += z[i] / judgments.per_item[i]
        per_item = 1.0
    else:
        owner, n = judgments.worker, np.zeros((W, K))
        for i, w in zip(judgments.item, judgments.worker, strict=True):
            n[w] += start[i]
        per_item = judgments.n_judgments / (judgments.per_item > 0).sum()
    shares = work.mass / work.mass.sum()
    s = naive.concentration(n, shares, 10.0, 30)
    assert mixes.concentration == pytest.approx(s, rel=1e-6)
    assert mixes.gain == pytest.approx(naive.evidence(n, shares, s, per_item), rel=1e-6, abs=1e-6)
    mixes.learn(0, pi, work, ONE)
    s = naive.concentration(n, pi, s, 10)
    expected = naive.mixed_priors(judgments, owner, n, pi, s)
    found = mixes.priors.table[mixes.priors.row][:, :K]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    items = np.arange(judgments.n_items, dtype=np.int32)
    np.testing.assert_allclose(mixes.of_items(items), expected, rtol=1e-6)
    np.testing.assert_allclose(mixes.of_all(ONE), expected, rtol=1e-6)


@crowd
@given(st.data(), crowds())
def test_beside_very_many_labels_the_same(data: st.DataObject, judgments: Judgments) -> None:
    problem, pi = problem_of(judgments), data.draw(tables(judgments.n_labels))
    cells = Cells.of(judgments, problem.rows, None)
    sparse = replace(problem, layout=cells)
    dense_work, work = problem.layout.tables(), cells.tables()
    problem.layout.count(starts.usual(problem), problem.prior_row, dense_work, ONE)
    cells.count(cells.votes(True), problem.prior_row, work, ONE)
    one, other = LabelMixes(problem, dense_work, ONE), LabelMixes(sparse, work, ONE)
    assert other.gain == pytest.approx(one.gain, rel=1e-6, abs=1e-6)
    one.learn(0, pi, dense_work, ONE)
    other.learn(0, pi, work, ONE)
    item = np.repeat(np.arange(judgments.n_items), np.diff(cells.candidate_start))
    expected = one.priors.table[one.priors.row[item], cells.candidate]
    expected = np.where(judgments.per_item[item] > 0, expected, pi[cells.candidate])
    assert other.priors.by_candidate is not None
    np.testing.assert_allclose(other.priors.by_candidate, expected, rtol=1e-6)
    np.testing.assert_allclose(other.of_all(ONE), expected, rtol=1e-6)
    items = np.arange(judgments.n_items, dtype=np.int32)
    np.testing.assert_allclose(other.of_items(items)[item, cells.candidate], expected, rtol=1e-6)


class TestTopics:
    """Honest workers who see nearly one label only."""

    @pytest.mark.parametrize("n_labels", [2, 3])
    def test_labels_and_workers_are_right(self, n_labels: int) -> None:
        result = topics(n_labels)
        assert right(result) >= of_majority(result) - 0.005
        assert not audit(result)["verdict"].isin(["spammer", "adversarial"]).any()
        (told,) = [one for one in result.warnings if one.code == "different_labels"]
        assert "--group" in told.message
        assert f"({told.values['concentration']:.1f} judgments weigh as much as" in told.message

    def test_with_gold(self) -> None:
        judgments = judged(3, 300, 30, 0.97, 0)
        names = judgments.item_ids.to_pylist()[:60]
        result = fit(judgments, gold={"item": names, "label": [name[-2:] for name in names]})
        assert right(result) >= of_majority(result)
        assert result.gold_posterior is not None
        assert result.gold is not None
        accepted = result.gold.accepted
        assert result.gold_posterior[accepted].mean() > 0.9

    def test_beside_very_many_labels(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(layout, "FEW_LABELS", 0)
        monkeypatch.setattr(layout, "MOST_CELLS", 0)
        result = topics()
        assert right(result) >= of_majority(result)
        assert result.terms is not None
        assert result.terms.priors is not None
        items = np.arange(20)
        found, beliefs = result.terms.log_priors(items, result.beliefs), result.beliefs
        assert isinstance(beliefs, SparsePosterior)
        for i in items:
            own = slice(beliefs.start[i], beliefs.start[i + 1])
            np.testing.assert_allclose(found[i, beliefs.candidate[own]], np.log(result.terms.priors[own]))
        for said, item in zip(explain(result, items), items, strict=True):
            assert said.confidence == pytest.approx(result.confidence[item], abs=1e-6)

    def test_all_parts_use_the_same_prior(self) -> None:
        """An explanation adds up to the posterior; the list of escalations is made."""
        result = topics()
        items = np.argsort(result.confidence)[:20]
        for item, said in zip(items, explain(result, items), strict=True):
            assert said.confidence == pytest.approx(result.confidence[item], abs=1e-6)
            assert said.prior + sum(vote.push for vote in said.votes) == pytest.approx(said.log_odds)
            assert said.top[0][1] == pytest.approx(result.posterior[item].max())
        assert len(escalate(result, target=0.99)) > 0

    def test_items_without_judgments_have_the_class_prior(self) -> None:
        judgments = judged(3, 120, 15, 0.97, 0)
        rows = list(
            zip(judgments.item_ids.take(judgments.item).to_pylist(), judgments.worker, judgments.label, strict=True)
        )
        silent = encoded([(i, f"w{w:02}", f"l{k}") for i, w, k in rows] + [("silent", "w00", None)])
        result = fit(silent)
        assert result.terms is not None
        assert result.terms.priors is not None
        where = result.judgments.item_ids.index("silent").as_py()
        np.testing.assert_allclose(result.terms.priors[where], result.terms.pi)


class TestGate:
    """Mixes are used only where workers do see different labels."""

    @pytest.mark.parametrize(("n_labels", "prior"), [(2, [0.5, 0.5]), (2, [0.95, 0.05]), (3, None)])
    def test_all_see_the_same(self, n_labels: int, prior: list[float] | None) -> None:
        result = fit(simulate(600, 40, n_labels, 5, prior=prior, seed=2).judgments)
        assert not [one for one in result.warnings if one.code == "different_labels"]
        assert result.terms is not None
        assert result.terms.priors is None

    def test_given_up_is_as_if_never_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        judgments = simulate(200, 20, 3, 5, seed=2).judgments
        problem = problem_of(judgments, differ=None)
        never = climb(problem, None, Execution(ONE))
        monkeypatch.setattr(label_mixes, "DIFFER", -np.inf)
        tried = climb(problem, None, Execution(ONE))
        assert tried.mixes is None
        np.testing.assert_array_equal(tried.C, never.C)
        monkeypatch.setattr(label_mixes, "ALIKE", -np.inf)
        assert climb(problem, None, Execution(ONE)).mixes is not None

    def test_not_beside_model_votes_or_under_maximum_likelihood(self) -> None:
        judgments = judged(3, 120, 15, 0.97, 0)
        assert not [one for one in fit(judgments, prior="none").warnings if one.code == "different_labels"]
        drawn = simulate(120, 12, 3, 5, seed=0)
        found = fit(drawn.judgments, model_votes=simulate_votes(drawn, 2, seed=0))
        assert not [one for one in found.warnings if one.code == "different_labels"]


def test_groups_that_the_user_names() -> None:
    """Workers wander between HITs of one label each: by worker nothing differs, by HIT everything."""
    rng = np.random.default_rng(0)
    rows, group = [], {}
    for hit in range(30):
        k = hit % 2
        for n in range(20):
            item = f"i{hit:02}{n:02}-l{k}"
            group[item] = hit
            for w in rng.choice(30, 3, replace=False):
                said = k if rng.random() < 0.8 else 1 - k
                rows.append((item, f"w{w:02}", f"l{said}"))
    judgments = encoded(rows)
    ids = judgments.item_ids.to_pylist()
    codes = np.array([group[ids[i]] for i in judgments.item], np.int32)
    judgments = replace(judgments, group=codes, group_ids=pa.array([f"{hit:02}" for hit in range(30)]))
    result = fit(judgments)
    assert right(result) >= 0.98 > of_majority(result)
    assert [one.message for one in result.warnings if "as --group asks" in one.message]


def test_groups_beside_very_many_labels_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "FEW_LABELS", 0)
    monkeypatch.setattr(layout, "MOST_CELLS", 0)
    judgments = simulate(30, 5, 3, 3, seed=0).judgments
    judgments = replace(judgments, group=np.zeros(judgments.n_judgments, np.int32), group_ids=pa.array(["g"]))
    with pytest.raises(JudgmentError, match=r"groups beside 3 labels on 30 items: .* or group="):
        fit(judgments)


def test_the_group_of_an_item_is_that_of_its_first_judgment() -> None:
    judgments = encoded([("a", "w0", "x"), ("a", "w1", "x"), ("b", "w0", "y"), ("c", "w0", None)])
    assert judgments.group_of_item is None
    judgments = replace(judgments, group=np.array([1, 0, -1], np.int32), group_ids=pa.array(["g", "h"]))
    assert judgments.group_of_item is not None
    assert judgments.group_of_item.tolist() == [1, 2, 2]


@pytest.mark.parametrize(
    ("how", "why"), [("votes", "beside model votes"), ("none", "with --prior none"), ("", "the same mix of labels")]
)
def test_groups_that_change_nothing_are_told(how: str, why: str) -> None:
    drawn = simulate(60, 6, 3, 4, seed=0)
    judgments = drawn.judgments
    grouped = replace(judgments, group=np.zeros(judgments.n_judgments, np.int32), group_ids=pa.array(["g"]))
    votes = simulate_votes(drawn, 2, seed=0) if how == "votes" else None
    prior = "none" if how == "none" else "learnt"
    (told,) = [one for one in fit(grouped, model_votes=votes, prior=prior).warnings if one.code == "groups_unused"]
    assert told.message.startswith("--group changes nothing here")
    assert why in told.message
    assert not [one for one in fit(judgments, prior=prior).warnings if one.code == "groups_unused"]


def test_judgments_without_a_group_are_counted() -> None:
    """Items of three labels in a group each; the group of the first ten was left empty."""
    judgments = encoded([(f"i{i:03}", f"w{w}", f"l{i // 40}") for i in range(120) for w in range(4)])
    codes = np.where(judgments.item < 10, -1, judgments.item // 40).astype(np.int32)
    result = fit(replace(judgments, group=codes, group_ids=pa.array(list("abc"))))
    (told,) = [one for one in result.warnings if one.code == "different_labels"]
    assert "; 40 judgments have no group" in told.message
