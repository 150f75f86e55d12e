"""What a fit with votes of models obeys: the objective, the bits, gold, and what there is without people."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus import fit
from consensus.backends import Threads
from consensus.config import Prior
from consensus.errors import ConfigError, JudgmentError
from consensus.found.cautions import Caution
from consensus.found.result import Consensus
from consensus.inputs.judgments import Judgments
from consensus.inputs.model_votes import ModelVotes
from consensus.models import layout, memory_needs, pooled_prior, starts, votes_prior
from consensus.models.base import Execution
from consensus.models.expectation_maximisation import Estimate, climb
from consensus.models.problem import Problem
from consensus.models.votes_families import one_coin_of_agreement, unknown_counts
from consensus.models.votes_learner import VotesLearner
from consensus.simulation import simulate
from tests import naive, naive_votes
from tests.models.test_votes_prior_kernels import Case, laid_out, problem_of
from tests.strategies import Vote, encoded, examples, voted, voted_crowds

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

ONE = Threads(1)
small = examples(40)
K3 = ("label_0", "label_1", "label_2")


def warned(result: Consensus, code: str) -> Caution | None:
    return next((one for one in result.warnings if one.code == code), None)


def speaking(
    judgments: Judgments,
    truth: np.ndarray,
    kinds: str,
    accuracy: float = 0.85,
    items: slice = slice(None),
    seed: int = 0,
    families: dict[str, str] | None = None,
) -> ModelVotes:
    """Models "a", "b", ..., one a letter of ``kinds``: s states probabilities, h only a label."""
    rng, labels = np.random.default_rng(seed), judgments.labels
    rows: list[Vote] = []
    for name, kind in zip("abcdef", kinds, strict=False):
        for item, true in list(zip(judgments.item_ids.to_pylist(), truth.tolist(), strict=True))[items]:
            label = true if rng.random() < accuracy else int(rng.integers(len(labels)))
            q = np.full(len(labels), 0.1 / (len(labels) - 1)) + (0.9 - 0.1 / (len(labels) - 1)) * (
                np.arange(len(labels)) == label
            )
            rows.append((item, name, labels[label] if kind == "h" else [float(p) for p in q]))
    return voted(rows, labels, families)


def climbed(case: Case, prior: Prior, believed: list[bool], passes: int) -> tuple[Problem, Estimate]:
    votes, _ = laid_out(case, believed)
    K = case[0].n_labels
    A = np.zeros((K, K)) if prior == "none" else pooled_prior.fixed(K)
    problem = replace(problem_of(case, votes), prior=prior, pseudo_counts=A, max_iterations=passes)
    return problem, climb(problem, starts.usual(problem), Execution(ONE))


def naive_objective(case: Case, believed: list[bool], problem: Problem, found: Estimate) -> float:
    """At the parameters found; without a prior, the log evidence and that of the weights."""
    judgments, votes, accepted = case
    said = naive_votes.spoken(votes, judgments, believed, [False] * votes.n_models)
    rows, weights, A = problem.rows, found.weights, found.A
    assert weights is not None
    assert problem.votes is not None
    C = np.zeros((judgments.n_workers, judgments.n_labels, judgments.n_labels))
    C[rows.worker, :, rows.label] = found.C
    left = np.where(C > 0, 0.0, A)
    total = left.sum(axis=2, keepdims=True)
    C += np.divide(left, total, out=np.zeros_like(left), where=total > 0) * (1 - C.sum(axis=2, keepdims=True))
    _, log_evidence = naive_votes.posteriors(judgments, said, C, weights, np.maximum(found.pi, 1e-10), accepted)
    counted = [i for i in range(judgments.n_items) if judgments.per_item[i] or i in accepted or said.voted(i)]
    known = {i for i in range(judgments.n_items) if judgments.per_item[i]} | set(accepted)
    learnt = sorted({said.family[m] for i in known for m, _ in said.hard[i]})
    density = naive_votes.log_density(said, weights, problem.votes.start.weight, learnt)
    if problem.prior != "none":
        density += naive.log_dirichlet(found.pi, np.full(len(found.pi), 2.0))
        density += sum(naive.log_dirichlet(row, a + 1) for of_worker in C for row, a in zip(of_worker, A, strict=True))
    return float(log_evidence[counted].sum()) + density


class TestObjective:
    @small
    @given(voted_crowds(), st.sampled_from(["learnt", "fixed", "none"]), st.lists(st.booleans(), min_size=5))
    def test_never_falls_once_the_prior_is_frozen(self, case: Case, prior: Prior, believed: list[bool]) -> None:
        _, estimate = climbed(case, prior, believed[: case[1].n_models], 60)
        found = estimate.convergence
        objective = np.array(found.objective[found.frozen_at :])
        assert np.isfinite(objective).all()
        assert (np.diff(objective) >= -1e-9 * np.maximum(np.abs(objective[:-1]), 1.0)).all()
        if prior == "none":
            assert found.frozen_at == 0

    @small
    @given(voted_crowds(), st.sampled_from(["fixed", "none"]), st.lists(st.booleans(), min_size=5), st.integers(2, 30))
    def test_is_that_of_the_formula(self, case: Case, prior: Prior, believed: list[bool], passes: int) -> None:
        """What the climb gained since its first pass: constants of the weights' densities fall out."""
        believed = believed[: case[1].n_models]
        with pytest.MonkeyPatch.context() as patch:  # pi is of majority labels, too: tested with the class prior
            patch.setattr("consensus.models.class_prior.VOTES", 0.0)
            self._gained(case, prior, believed, passes)

    def _gained(self, case: Case, prior: Prior, believed: list[bool], passes: int) -> None:
        (first, start), (last, end) = (climbed(case, prior, believed, n) for n in (1, passes))
        expected = naive_objective(case, believed, last, end) - naive_objective(case, believed, first, start)
        assert end.objective - start.objective == pytest.approx(expected, rel=1e-5, abs=1e-4)

    @pytest.mark.compiled
    @pytest.mark.parametrize(
        ("tolerance", "kinds"),
        [*((10.0**-n, "sh") for n in range(1, 7)), (1e-2, "ss"), (1e-4, "ss"), (1e-2, "hh"), (1e-4, "hh")],
    )
    def test_weights_are_learnt_before_it_is_said_to_have_converged(
        self, tolerance: float, kinds: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        learnt, asked = [], []

        class Watched(VotesLearner):
            def learn(self, *arguments: Any) -> None:
                asked.append(self.wanted)
                super().learn(*arguments)
                learnt.append(self.settled)
                assert not (self.wanted and learnt[-1])

        monkeypatch.setattr("consensus.models.expectation_maximisation.VotesLearner", Watched)
        drawn = simulate(200, 8, 3, 2, seed=3)
        votes = speaking(drawn.judgments, drawn.truth, kinds, seed=1)
        result = fit(drawn.judgments, model_votes=votes, rho=0.3, tolerance=tolerance)
        assert result.converged
        assert learnt[result.convergence.iterations - 1]
        passes = range(result.convergence.iterations)
        assert [n for n in passes if learnt[n]] == [n for n in passes if n and (n == 2 or n % 8 == 0 or asked[n])]

    def test_the_weights_are_where_the_slope_is_that_of_the_ridge(self) -> None:
        drawn = simulate(80, 8, 3, 3, seed=3)
        votes = speaking(drawn.judgments, drawn.truth, "ss", 0.6, seed=1)
        case: Case = (*votes.align(drawn.judgments, None), {})
        believed = [True, True]
        problem, estimate = climbed(case, "fixed", believed, 2000)
        assert problem.votes is not None
        assert estimate.weights is not None
        said = naive_votes.spoken(case[1], case[0], believed, [False, False])
        weight, z = estimate.weights.weight, estimate.posterior(problem, ONE)
        slope, _ = naive_votes.weight_slopes(said, weight, np.exp(estimate.weights.log_shares), z)
        away = weight - problem.votes.start.weight
        assert np.exp(estimate.weights.log_shares).sum() == pytest.approx(1)
        assert np.abs(away).max() > 0.1
        assert (weight[1:] > 0).all()
        np.testing.assert_allclose(slope[1:], 20 * away[1:], atol=0.01)

    @given(voted_crowds(kinds="soft"), st.integers(0, 2**32 - 1))
    @small
    def test_a_step_of_the_weights_never_lowers_what_it_climbs(self, case: Case, seed: int) -> None:
        """From weights far off, too, where a whole Newton step leads astray."""
        votes, said = laid_out(case)
        rng = np.random.default_rng(seed)
        posterior = rng.dirichlet(np.full(votes.n_labels, 0.1), case[0].n_items)
        shares = rng.dirichlet(np.ones(votes.n_labels))
        weights = replace(votes.start, weight=rng.uniform(0, 4, 1 + votes.n_models), log_shares=np.log(shares))
        better = votes.improved_weight(weights, posterior[votes.item[votes.sample.rows]], ONE)

        def climbed_to(weight: np.ndarray) -> float:
            away = weight - votes.start.weight
            return naive_votes.weight_value(said, weight, shares, posterior) - 10 * float((away**2).sum())

        assert (better.weight >= 0).all()
        assert climbed_to(better.weight) >= climbed_to(weights.weight) - 1e-4

    @pytest.mark.compiled
    @pytest.mark.parametrize("kinds", ["ss", "sh"])
    def test_weights_from_a_sample_are_kept_before_the_objective_counts(
        self, kinds: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        drawn = simulate(1500, 8, 3, 2, seed=3)
        votes = speaking(drawn.judgments, drawn.truth, kinds, 0.6, seed=1)
        whole = fit(drawn.judgments, model_votes=votes, rho=0.3, prior="fixed")
        monkeypatch.setattr(votes_prior, "MOST_LEARNT_FROM", 500)
        sampled = fit(drawn.judgments, model_votes=votes, rho=0.3, prior="fixed")
        assert whole.models is not None
        assert sampled.models is not None
        assert whole.convergence.frozen_at < sampled.convergence.frozen_at <= 16
        assert sampled.converged
        objective = np.array(sampled.convergence.objective[sampled.convergence.frozen_at :])
        assert (np.diff(objective) >= -1e-9 * np.abs(objective[:-1])).all()
        found, expected = sampled.models.weights.weight, whole.models.weights.weight
        assert (found != expected).any()
        np.testing.assert_allclose(found[1:], expected[1:], atol=0.1)
        np.testing.assert_allclose(sampled.posterior, whole.posterior, atol=0.1)

    def test_families_that_nobody_checked_are_held_to_their_agreement(self) -> None:
        """Until people, or gold, tell more: agreement of 2 of 3 pairs, and of all."""
        rows: list[Vote] = [(f"n{i}", m, K3[i % 3] if m != "c" or i % 2 else K3[0]) for i in range(30) for m in "abc"]
        judgments = encoded([(f"i{i}", w, K3[i % 3]) for i in range(6) for w in "vw"])
        families = {"a": "f", "b": "f", "c": "f", "d": "g", "e": "g"}
        rows += [(f"i{i}", m, K3[i % 3]) for i in range(6) for m in "de"]
        found = fit(judgments, model_votes=voted(rows, K3, families), rho=0.3)
        checked = fit(
            judgments, model_votes=voted(rows, K3, families), gold={"item": ["n0"], "label": [K3[0]]}, rho=0.3
        )
        assert found.models is not None
        assert checked.models is not None
        f = found.models.votes.families.index("f")
        agreeing = 30 + 2 * 20  # c says label 0 of every other item, which is right of a third of those
        np.testing.assert_allclose(found.models.weights.CF[f], one_coin_of_agreement(agreeing, 90, 3))
        assert not np.allclose(found.models.weights.CF[1 - f], one_coin_of_agreement(6, 6, 3))
        assert not np.allclose(checked.models.weights.CF[f], found.models.weights.CF[f])

    @pytest.mark.parametrize("n_labels", [2, 3, 10])
    def test_a_model_that_nobody_checked_is_right_with_four_fifths(self, n_labels: int) -> None:
        found = unknown_counts(n_labels)
        np.testing.assert_allclose(np.diag(found) / found.sum(axis=1), 0.8)


class TestBits:
    @pytest.mark.compiled
    def test_threads_and_order_of_rows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("consensus.backends.SMALLEST_SHARD", 50)
        drawn = simulate(300, 12, 3, 2, seed=5)
        votes = speaking(drawn.judgments, drawn.truth, "sshh", seed=2, families={"c": "f", "d": "f"})
        order = np.random.default_rng(1).permutation(len(votes.probability))
        row = np.where(votes.row >= 0, np.argsort(order)[votes.row], -1).astype(np.int32)
        reordered = replace(votes, probability=votes.probability[order], row=row)
        j = drawn.judgments
        texts = [(j.item_ids[i].as_py(), j.worker_ids[w].as_py(), j.labels[k]) for i, w, k in _rows(j)]
        shuffled = encoded([texts[n] for n in np.random.default_rng(2).permutation(len(texts))])
        first, *others = [
            fit(judgments, model_votes=said, threads=threads)
            for judgments, said, threads in ((j, votes, 1), (j, votes, 2), (j, reordered, 3), (shuffled, votes, 2))
        ]
        assert first.models is not None
        assert (first.models.weights.weight[1:3] > 0).all()
        for other in others:
            assert other.models is not None
            assert np.array_equal(first.posterior, other.posterior)
            assert first.convergence == other.convergence
            for name in ("weight", "Cm", "CF", "log_shares"):
                assert np.array_equal(getattr(first.models.weights, name), getattr(other.models.weights, name))

    @pytest.mark.compiled
    def test_names_of_models_do_not_matter(self) -> None:
        drawn = simulate(150, 8, 3, 2, seed=5)
        votes = speaking(drawn.judgments, drawn.truth, "sh", seed=2)
        swapped = np.lexsort((1 - votes.model, votes.item))
        other = replace(
            votes,
            model=1 - votes.model[swapped],
            label=votes.label[swapped],
            row=votes.row[swapped],
            models=("A", "B"),
            families=("B", "A"),
        )
        first, second = (fit(drawn.judgments, model_votes=one, rho=0.3) for one in (votes, other))
        np.testing.assert_allclose(first.posterior, second.posterior, rtol=1e-6, atol=1e-9)


def _rows(judgments: Judgments) -> Any:
    return zip(judgments.item.tolist(), judgments.worker.tolist(), judgments.label.tolist(), strict=True)


class TestSources:
    def test_models_speak_for_items_that_nobody_judged(self) -> None:
        drawn = simulate(90, 6, 3, 3, seed=4)
        votes = speaking(drawn.judgments, drawn.truth, "sh", 0.9)
        kept = drawn.judgments.subset(drawn.judgments.item < 70)
        some = replace(votes, **{n: getattr(votes, n)[votes.item >= 10] for n in ("item", "model", "label", "row")})
        result = fit(kept, model_votes=some, rho=0.3)
        table = result.labels
        assert table.source.tolist() == ["consensus"] * 70 + ["model"] * 20
        assert table.n_model_votes.tolist() == [0] * 10 + [2] * 80
        assert (result.consensus_label == drawn.truth)[70:].mean() > 0.8
        assert warned(result, "items_without_judgments") is None
        assert result.models is not None
        assert result.models.vouched.tolist() == [False] * 10 + [True] * 80

    def test_items_without_votes_have_the_class_prior(self) -> None:
        rows: list[tuple[str, str, str | None]] = [(f"i{i:02}", w, K3[i % 2]) for i in range(60) for w in "vw"]
        judgments = encoded([*rows, ("silent", "v", None)])
        votes = voted([(f"i{i:02}", "m", [0.8, 0.2] if i % 2 == 0 else [0.2, 0.8]) for i in range(50)], K3[:2])
        result = fit(judgments, model_votes=votes, prior="fixed", rho=0, tolerance=1e-12)
        own = (
            result.posterior[50:60].sum(axis=0) + 1
        )  # the class prior is that of the items without a prior of their own
        np.testing.assert_allclose(result.posterior[-1], own / own.sum(), rtol=1e-4)
        assert warned(result, "items_without_judgments") is not None

    @pytest.mark.compiled
    @pytest.mark.parametrize("kinds", ["ss", "hh", "sh"])
    def test_gold_stays_and_its_audit_leaves_it_out(self, kinds: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("consensus.models.class_prior.VOTES", 0.0)  # pi is of posteriors alone
        drawn = simulate(120, 6, 3, 3, accuracy=0.7, seed=4)
        judgments = drawn.judgments.subset(drawn.judgments.item >= 2)  # two gold items only models spoke of
        votes = speaking(judgments, drawn.truth, kinds, 0.8, slice(0, 100), families={"a": "f", "b": "f"})
        ids = drawn.judgments.item_ids.to_pylist()
        golden = [0, 1, 2, 3, 4, 50, 51, 52, 110]
        wrong = {3: (int(drawn.truth[3]) + 1) % 3}  # whatever models and people say
        gold = {"item": [ids[i] for i in golden], "label": [K3[wrong.get(i, int(drawn.truth[i]))] for i in golden]}
        result = fit(judgments, model_votes=votes, gold=gold, rho=0.3, prior="fixed", tolerance=1e-10)
        assert result.gold is not None
        assert result.gold_posterior is not None
        assert result.models is not None
        assert (result.posterior[result.gold.items][result.gold.accepted] == 1).all()
        assert (result.labels.source[golden] == "gold").all()
        weights, believed = result.models.weights, result.models.believed.tolist()
        said = naive_votes.spoken(result.models.votes, result.judgments, believed, [False, False])
        others = [i for i in range(120) if not said.soft[i]]
        untempered = fit(judgments, model_votes=votes, gold=gold, rho=0, prior="fixed", tolerance=1e-10).posterior
        pi = (untempered[others].sum(axis=0) + 1) / (len(others) + 3)
        N, A = naive.counts(result.judgments, untempered), result.confusions.pseudo_counts
        for g, i in enumerate(golden):
            prior = naive_votes.item_prior(said, i, weights, pi)
            z = result.gold.accepted[g].astype(float)
            expected = naive.without_own(result.judgments, i, z, N, A, prior / prior.sum(), 0.3, 1 / 3)
            np.testing.assert_allclose(result.gold_posterior[g], expected, rtol=2e-3, atol=1e-6)

    def test_votes_on_gold_items_only(self) -> None:
        drawn = simulate(120, 6, 3, 3, seed=4)
        votes = speaking(drawn.judgments, drawn.truth, "sh", 0.9, slice(0, 60))
        result = fit(drawn.judgments, model_votes=votes, gold=drawn.truth_table().iloc[:60], rho=0.3)
        assert result.models is not None
        assert result.models.met.tolist() == [60, 60]
        assert (np.diagonal(result.models.weights.Cm[1]) > 0.75).all()
        assert np.isfinite(result.posterior).all()

    @pytest.mark.compiled
    def test_gold_that_the_models_rule_out(self) -> None:
        """So many alike that the gold label is left a prior of 0."""
        drawn = simulate(60, 6, 2, 3, seed=4)
        names, labels = [f"m{m:03}" for m in range(300)], drawn.judgments.labels
        votes = voted([(f"item{i:02}", name, labels[0]) for i in range(60) for name in names], labels)
        gold = {"item": ["item00", "item01"], "label": [labels[1]] * 2}
        result = fit(drawn.judgments, model_votes=votes, gold=gold, rho=0.3)
        assert np.isfinite(result.posterior).all()
        assert result.posterior[:2].tolist() == [[0, 1], [0, 1]]


class TestAlone:
    def test_models_only(self) -> None:
        """Two of .9 that share no mistakes: no more than their agreement supports, be they ever so sure."""
        drawn = simulate(500, 5, 3, 3, seed=6)
        votes = speaking(drawn.judgments, drawn.truth, "ss", 0.85, families={"a": "f", "b": "f"})
        result = fit(None, model_votes=votes)
        assert {"models_only", "unaudited", "models_unverified"} <= {one.code for one in result.warnings}
        assert result.identified
        assert (result.labels.source == "model").all()
        assert (result.consensus_label == drawn.truth).mean() > 0.85
        assert result.models is not None
        first, second = result.models.votes.label.reshape(-1, 2).T
        agreeing = int((first == second).sum())
        bound = one_coin_of_agreement(agreeing, 500, 3)[0, 0]
        even = 1.1 * result.prior_shares.max() / result.prior_shares.min()  # the shares are nearly even
        assert result.confidence.max() <= bound * even / (bound * even + 1 - bound)
        assert result.confidence.max() > 0.8

    @pytest.mark.parametrize("kind", ["s", "h"])
    def test_one_model_only(self, kind: str) -> None:
        drawn = simulate(60, 5, 3, 3, seed=6)
        votes = speaking(drawn.judgments, drawn.truth, kind)
        result = fit(None, model_votes=votes)
        assert result.convergence.status == "not_identified"
        assert result.labels[["confidence", "margin", "entropy"]].isna().all(axis=None)
        assert (result.labels.source == "model").all()
        assert (result.labels.n_model_votes == 1).all()
        assert np.array_equal(result.consensus_label, votes.label)
        assert {"models_only", "unaudited", "models_unverified"} <= {one.code for one in result.warnings}
        warning = warned(result, "one_judgment_per_item")
        assert warning is not None
        assert warning.message.startswith("no item has a second opinion, of a person or a model")
        assert warned(result, "small_data") is None
        assert result.models is not None
        np.testing.assert_allclose(result.models.weights.CF.sum(axis=2), 1)
        assert result.prior.sum() == pytest.approx(1)
        gold = {"item": ["item00"], "label": [K3[int(drawn.truth[0])]]}
        audited = fit(None, model_votes=votes, gold=gold)
        assert audited.identified
        assert warned(audited, "one_judgment_per_item") is None

    def test_one_person_and_one_model_on_other_items(self) -> None:
        judgments = encoded([(f"i{i}", "w", K3[i % 3]) for i in range(6)])
        votes = voted([(f"n{i}", "m", K3[i % 3]) for i in range(3)])
        result = fit(judgments, model_votes=votes)
        assert not result.identified
        assert result.labels.label.tolist() == [K3[i % 3] for i in (0, 1, 2, 3, 4, 5, 0, 1, 2)]
        assert result.labels.source.tolist() == ["consensus"] * 6 + ["model"] * 3
        assert warned(result, "models_only") is None
        met = fit(judgments, model_votes=voted([("i0", "m", K3[0])]))
        assert met.identified
        circular = fit(judgments, model_votes=voted([("i0", "m", K3[1])]), trained_on_consensus=("m",))
        assert not circular.identified
        assert circular.labels.label[0] == K3[0]

    @pytest.mark.parametrize("kinds", ["ss", "hh"])
    def test_one_label(self, kinds: str) -> None:
        judgments = encoded([(f"i{i:02}", w, "l") for i in range(60) for w in "vw"])
        vote: dict[str, str | list[float]] = {"s": [1.0], "h": "l"}
        votes = voted([(f"i{i:02}", f"m{n}", vote[k]) for i in range(60) for n, k in enumerate(kinds)], ["l"])
        for given_ in (judgments, None):
            result = fit(given_, model_votes=votes)
            assert (result.posterior == 1).all()
            assert warned(result, "one_label") is not None


class TestLimits:
    def test_too_many_labels_for_a_table(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(layout, "MOST_CELLS", 1)
        monkeypatch.setattr(layout, "FEW_LABELS", 2)
        drawn = simulate(60, 5, 3, 3, seed=6)
        with pytest.raises(JudgmentError, match="model votes beside 3 labels on 60 items: too many for a table of all"):
            fit(drawn.judgments, model_votes=speaking(drawn.judgments, drawn.truth, "s"))

    def test_memory_of_votes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        drawn = simulate(300, 5, 3, 3, seed=6)
        judgments, votes = speaking(drawn.judgments, drawn.truth, "sssh").align(drawn.judgments, None)
        more = memory_needs.of(judgments, votes).fitting - memory_needs.of(judgments).fitting
        assert more >= 900 * 3 * (4 + 4 + 4) + 300 * 3 * 8 * 2
        monkeypatch.setattr(memory_needs, "A_VOTE", 10**9)
        with pytest.raises(ConfigError, match="needs about"):
            fit(drawn.judgments, model_votes=speaking(drawn.judgments, drawn.truth, "s"))

    def test_few_people_beside_models_have_the_fixed_prior(self) -> None:
        drawn = simulate(200, 4, 3, 3, seed=6)
        fixed = pooled_prior.fixed(3)
        beside = fit(drawn.judgments, model_votes=speaking(drawn.judgments, drawn.truth, "s"), rho=0.3)
        assert np.array_equal(beside.confusions.pseudo_counts, fixed)
        some = fit(drawn.judgments, model_votes=speaking(drawn.judgments, drawn.truth, "s", 0.9, slice(0, 90)), rho=0.3)
        assert not np.array_equal(some.confusions.pseudo_counts, fixed)
