"""What every model must obey, and what only Dawid-Skene does."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus import ConsensusError, FitConfig, fit, read
from consensus.backends import Threads, even_parts, even_slices, number_of_shards
from consensus.errors import ConfigError, JudgmentError
from consensus.found.cautions import Caution
from consensus.found.result import Consensus
from consensus.inputs.gold import Gold
from consensus.inputs.judgments import Judgments
from consensus.models import held_out_rho, pooled_prior, starts, switching, time_needs
from consensus.models.base import MODELS, Execution
from consensus.models.dense_layout import Rows
from consensus.models.expectation_maximisation import climb
from consensus.models.problem import Problem
from consensus.models.splits import Splits
from consensus.simulation import simulate, simulate_votes
from tests import naive
from tests.copying import Copying
from tests.strategies import Row, crowds, encoded, examples, rows

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

Fit = partial[Consensus]
crowd = examples(40)
ONE = Execution(Threads(1))


class Backwards(Threads):
    """Works on the last shard first."""

    def map(self, function: Any, shards: Any) -> Any:
        return [function(shard) for shard in reversed(shards)][::-1]


def problem_of(judgments: Judgments, *of: Any) -> Problem:
    rows = Rows.of(judgments, ONE.backend)
    return Problem(judgments, rows, rows, *of)


def gold_of(pairs: list[tuple[str, str]]) -> Gold:
    items, labels = zip(*pairs, strict=True)
    return Gold(tuple(items), tuple(labels), tuple(f"gold.csv:{n}" for n in range(2, len(pairs) + 2)))


def codes(result: Consensus, warning: str) -> bool:
    return warning in {one.code for one in result.warnings}


@pytest.mark.parametrize("fit", [pytest.param(partial(fit, model=name), id=name) for name in MODELS])
class TestEveryModel:
    """The contract. A new model earns its place by an entry in the registry."""

    @crowd
    @given(judgments=crowds())
    def test_rows_sum_to_one(self, fit: Fit, judgments: Judgments) -> None:
        result = fit(judgments)
        assert result.posterior.shape == (judgments.n_items, judgments.n_labels)
        np.testing.assert_allclose(result.posterior.sum(axis=1), 1)
        np.testing.assert_allclose(result.confusions.dense().sum(axis=2), 1)
        assert result.prior.sum() == pytest.approx(1)
        assert (result.posterior >= 0).all()

    @crowd
    @given(data=st.data(), judged=rows())
    def test_order_of_rows_does_not_matter(self, fit: Fit, data: st.DataObject, judged: list[Row]) -> None:
        shuffled = data.draw(st.permutations(judged))
        first, second = fit(encoded(judged)), fit(encoded(shuffled))
        assert np.array_equal(first.posterior, second.posterior)
        assert np.array_equal(first.confusions.counts, second.confusions.counts)

    @crowd
    @given(data=st.data(), judged=rows())
    def test_names_do_not_matter(self, fit: Fit, data: st.DataObject, judged: list[Row]) -> None:
        items, workers, labels = (sorted({str(row[n]) for row in judged if row[n] is not None}) for n in range(3))
        renamed_item = dict(zip(items, data.draw(st.permutations([f"x{n}" for n in range(len(items))])), strict=True))
        renamed_worker = dict(
            zip(workers, data.draw(st.permutations([f"y{n}" for n in range(len(workers))])), strict=True)
        )
        renamed_label = dict(
            zip(labels, data.draw(st.permutations([f"z{n}" for n in range(len(labels))])), strict=True)
        )
        other = [(renamed_item[i], renamed_worker[w], None if k is None else renamed_label[k]) for i, w, k in judged]
        first = fit(encoded(judged)).posteriors.set_index("item")
        second = fit(encoded(other)).posteriors.set_index("item")
        second = second.loc[[renamed_item[i] for i in first.index], [renamed_label[k] for k in first.columns]]
        np.testing.assert_allclose(first.to_numpy(), second.to_numpy(), rtol=1e-6, atol=1e-9)

    @crowd
    @given(data=st.data(), judgments=crowds())
    def test_gold_stays(self, fit: Fit, data: st.DataObject, judgments: Judgments) -> None:
        items = data.draw(st.sets(st.sampled_from(judgments.item_ids.to_pylist()), min_size=1))
        gold = gold_of([(item, data.draw(st.sampled_from(judgments.labels))) for item in sorted(items)])
        result = fit(judgments, gold=gold)
        table = result.labels.set_index("item")
        assert table.loc[list(gold.item), "label"].tolist() == list(gold.label)
        assert (table.loc[list(gold.item), "confidence"] == 1).all()
        assert table.loc[list(gold.item), "runner_up"].isna().all()
        assert (table.loc[list(gold.item), "source"] == "gold").all()
        assert result.gold is not None
        assert result.gold_posterior is not None
        np.testing.assert_allclose(result.gold_posterior.sum(axis=1), 1)

    @crowd
    @given(judgments=crowds())
    def test_every_judgment_knows_its_row(self, fit: Fit, judgments: Judgments) -> None:
        result = fit(judgments)
        assert result.judgments is judgments
        assert np.array_equal(result.confusions.row_worker[result.row], judgments.worker)
        assert np.array_equal(result.confusions.row_label[result.row], judgments.label)

    def test_it_is_the_model_that_was_asked_for(self, fit: Fit) -> None:
        name = fit.keywords["model"]
        result = fit(simulate(60, 6, 2, 3, seed=1).judgments, seed=4)
        assert result.model == result.config.model == name
        assert result.settings()["seed"] == 4
        assert result.settings().keys() == FitConfig.model_fields.keys() - {"threads", "memory", "model"}

    @pytest.mark.compiled
    def test_backends_give_the_same_bits(self, fit: Fit, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("consensus.backends.SMALLEST_SHARD", 10)
        drawn = simulate(300, 12, 3, 4, seed=5)
        first, *others = [
            fit(drawn.judgments, backend=backend, gold=drawn.truth_table(20, 1))
            for backend in (Threads(1), Threads(4), Backwards(7), Copying())
        ]
        for other in others:
            assert np.array_equal(first.posterior, other.posterior)
            assert np.array_equal(first.confusions.counts, other.confusions.counts)
            assert np.array_equal(first.gold_posterior, other.gold_posterior)  # type: ignore[arg-type]
            assert first.convergence == other.convergence

    def test_models_that_vote_are_heard_or_refused(self, fit: Fit) -> None:
        drawn = simulate(100, 8, 2, 3, seed=1)
        votes = simulate_votes(drawn, 2, soft=True)
        result, said = None, ""
        try:
            result = fit(drawn.judgments, model_votes=votes)
        except ConfigError as error:
            said = str(error)
        if result is None:
            assert said.startswith(f"setting model = '{fit.keywords['model']}': ")
            assert "leave out the model votes" in said
        else:
            assert result.models is not None
            assert result.models.votes.models == votes.models

    def test_what_needs_too_much_memory_is_refused(self, fit: Fit) -> None:
        with pytest.raises(ConfigError, match=r"^a fit of Judgments\(.*\) needs about .* of memory="):
            fit(simulate(60, 6, 2, 3, seed=1).judgments, memory="1MB")

    def test_what_its_passes_take_is_estimated(self, fit: Fit) -> None:
        name = fit.keywords["model"]
        drawn = simulate(200, 8, 3, 4, seed=2).judgments
        seconds = time_needs.of(drawn, name, FitConfig(model=name), 1)
        assert (seconds.a_pass > 0) == bool(seconds.passes) == bool(fit(drawn).convergence.objective)

    def test_unanimous_items_get_their_label(self, fit: Fit) -> None:
        judgments = encoded([(f"i{i}", f"w{w}", f"l{i % 2}") for i in range(6) for w in range(3)])
        assert fit(judgments).labels["label"].tolist() == ["l0", "l1"] * 3

    def test_label_set_may_hold_labels_nobody_gave(self, fit: Fit) -> None:
        judgments = encoded([(f"i{i}", f"w{w}", f"l{i % 2}") for i in range(6) for w in range(3)])
        result = fit(judgments, labels=("never", "l1", "l0"))
        assert result.judgments.labels == ("never", "l1", "l0")
        assert result.labels["label"].tolist() == ["l0", "l1"] * 3
        assert list(result.posteriors.columns) == ["item", "never", "l1", "l0"]

    def test_label_outside_the_given_set(self, fit: Fit) -> None:
        with pytest.raises(JudgmentError, match='label "l0" was given 1 time but is not in the label set "a", "b"'):
            fit(encoded([("i", "w", "l0")]), labels=("a", "b"))

    def test_no_judgments_name_the_files(self, fit: Fit, tmp_path: Path) -> None:
        for name in "ab":
            (tmp_path / f"{name}.csv").write_text("item,worker,label\ni,w,\n")
        message = "a.csv: there are no judgments to merge: 1 row was read"
        with pytest.raises(JudgmentError, match=message):
            fit(read(tmp_path / "a.csv"))
        with pytest.raises(JudgmentError, match="a.csv and 1 more: there are no judgments to merge: 2 rows were read"):
            fit(read([tmp_path / "a.csv", tmp_path / "b.csv"]))

    def test_no_judgments(self, fit: Fit) -> None:
        judgments = read({"item": ["a"], "worker": ["w"], "label": pa.array([None], pa.string())})
        with pytest.raises(JudgmentError, match="no judgments to merge: 1 row was read, of which 1 has no label"):
            fit(judgments)

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"prior": "loose"}, "setting prior = 'loose'"),
            ({"rho": -1}, "setting rho = -1: it should be a number from 0 to 100, or measured"),
            ({"rho": "much"}, "setting rho = 'much': it should be a number from 0 to 100, or measured"),
            ({"tolerances": 1}, r'unknown setting "tolerances"; did you mean tolerance\?'),
            ({"labels": ("a", "a")}, "same label stands there twice"),
            ({"labels": ()}, "setting labels"),
        ],
    )
    def test_bad_settings(self, fit: Fit, settings: dict[str, Any], message: str) -> None:
        with pytest.raises(ConfigError, match=message):
            fit(encoded([("i", "w", "l")]), **settings)

    def test_a_column_that_holds_no_labels(self, fit: Fit) -> None:
        measured = encoded([(f"i{i}", f"w{w}", f"{i}.{w}") for i in range(600) for w in range(2)])
        with pytest.raises(JudgmentError, match='1,200 labels in 1,200 judgments, such as "0.0": is this the right'):
            fit(measured)

    def test_config_and_settings_combine(self, fit: Fit) -> None:
        result = fit(encoded([("i", "w", "l")]), FitConfig(ties="abstain", seed=3), seed=4)
        assert (result.config.ties, result.config.seed) == ("abstain", 4)

    def test_ties(self, fit: Fit) -> None:
        judgments = encoded([(f"i{i}", f"w{w}", f"l{w}") for i in range(4) for w in range(2)])
        assert fit(judgments).labels["label"].tolist() == ["l0"] * 4
        open_ended = fit(judgments, ties="abstain").labels
        assert open_ended["label"].isna().all()
        assert open_ended["runner_up"].isna().all()
        assert open_ended["majority_label"].isna().all()

    def test_edges(self, fit: Fit) -> None:
        for judged in (
            [("i", "w", "l")],
            [("i", f"w{w}", "l") for w in range(3)],
            [(f"i{i}", "w", f"l{i}") for i in range(3)],
            [("i", "v", "a"), ("i", "w", "b"), ("silent", "w", None)],
        ):
            result = fit(encoded(judged))
            assert len(result.labels) == len({row[0] for row in judged})
            np.testing.assert_allclose(result.posterior.sum(axis=1), 1)

    def test_gold_of_items_nobody_judged_is_kept(self, fit: Fit) -> None:
        judgments = encoded([(f"i{i}", f"w{w}", f"l{i % 2}") for i in range(6) for w in range(3)])
        result = fit(judgments, gold={"item": ["i0", "new", "new"], "label": ["l0", "l1", "l0"]})
        last = result.labels.iloc[-1]
        assert (last["item"], last["label"], last["source"], last["n_judgments"]) == ("new", "l0", "gold", 0)
        assert len(result.labels) == 7
        assert codes(result, "gold_without_judgments")

    def test_gold_label_outside_the_set(self, fit: Fit) -> None:
        with pytest.raises(JudgmentError, match='gold.csv:2: gold label "x" of item "i" is not in the label set "l"'):
            fit(encoded([("i", "w", "l")]), gold=gold_of([("i", "x")]))

    def test_gold_of_other_items_only(self, fit: Fit) -> None:
        with pytest.raises(JudgmentError, match='gold.csv:2: gold item "1" .* whose items look like "i"'):
            fit(encoded([("i", "w", "l")]), gold=gold_of([("1", "l")]))

    def test_unknown_worker(self, fit: Fit) -> None:
        with pytest.raises(ConfigError, match='no worker "nobody" among the 1 worker'):
            fit(encoded([("i", "w", "l")])).confusion("nobody")

    def test_describes_itself(self, fit: Fit) -> None:
        result = fit(encoded([(f"i{i}", f"w{w}", f"l{i % 2}") for i in range(6) for w in range(3)]))
        assert repr(result).startswith(f"Consensus({result.model}: 6 items, ")
        convergence = replace(result.convergence, iterations=1)
        one = replace(result, convergence=convergence, warnings=(Caution("near_chance", "text"),))
        assert repr(one).endswith(" after 1 pass; warnings: near_chance)")
        assert repr(replace(one, warnings=())).endswith(" after 1 pass)")
        assert repr(result.judgments) == "Judgments(18 judgments of 6 items by 3 workers, 2 labels)"


class TestEM:
    @crowd
    @given(judgments=crowds(), prior=st.sampled_from(["learnt", "fixed", "none"]), data=st.data())
    def test_objective_never_falls_once_the_prior_is_frozen(
        self, judgments: Judgments, prior: Any, data: st.DataObject
    ) -> None:
        gold = data.draw(st.dictionaries(st.integers(0, judgments.n_items - 1), st.integers(0, judgments.n_labels - 1)))
        accepted = np.zeros((len(gold), judgments.n_labels), np.bool_)
        accepted[np.arange(len(gold)), list(gold.values())] = True
        prior_row = np.zeros(judgments.n_items, np.int32)
        prior_row[list(gold)] = np.arange(1, len(gold) + 1)
        A = np.zeros((judgments.n_labels,) * 2) if prior == "none" else pooled_prior.fixed(judgments.n_labels)
        problem = problem_of(judgments, accepted, prior_row, prior, A, 60, 1e-9)
        start = starts.usual(problem)
        assert callable(start)
        for g, i in enumerate(gold):
            assert np.array_equal(start(slice(i, i + 1))[0], accepted[g])
        found = climb(problem, start, ONE).convergence
        objective = np.array(found.objective[found.frozen_at :])
        slack = 1e-8 * np.abs(objective[:-1]) + 1e-12 * judgments.n_judgments
        assert (np.diff(objective) >= -slack).all()
        if prior == "none":
            assert found.frozen_at == 0

    def test_one_pass_is_the_formula(self) -> None:
        drawn = simulate(12, 5, 3, 3, seed=4).judgments
        A = np.ones((3, 3)) + 3 * np.eye(3)
        problem = problem_of(drawn, np.zeros((0, 3), bool), np.zeros(12, np.int32), "fixed", A, 1, 1e-9)
        rows = problem.rows
        start = starts.majority(drawn, Threads(1))
        found = climb(problem, start.copy(), ONE)
        pseudo_items = 1 + 0.5 * 0.5 * start.sum(axis=0)
        pi = (start.sum(axis=0) + pseudo_items) / (12 + pseudo_items.sum())
        C = naive.confusions(naive.counts(drawn, start), A)
        z, _ = naive.posteriors(drawn, C, pi)
        np.testing.assert_allclose(found.posterior(problem, Threads(1)), z, rtol=1e-9)
        np.testing.assert_allclose(found.mass, z.sum(axis=0), rtol=1e-9)
        N = naive.counts(drawn, z)
        np.testing.assert_allclose(found.counts, N[rows.worker, :, rows.label], rtol=1e-9)
        np.testing.assert_allclose(found.totals, N.sum(axis=2), rtol=1e-9)
        assert found.objective == pytest.approx(naive.objective(drawn, C, pi, A, pseudo_items), rel=1e-9)

    def test_iteration_limit_is_not_convergence(self) -> None:
        drawn = simulate(200, 8, 3, 4, accuracy=0.6, seed=2).judgments
        for prior in ("learnt", "fixed", "none"):
            result = fit(drawn, prior=prior, max_iterations=2)
            assert not result.converged
            assert result.convergence.status == "iteration_limit"
            assert result.convergence.iterations == len(result.convergence.objective) == 2
            assert codes(result, "not_converged")
        assert fit(drawn).converged

    @pytest.mark.compiled
    def test_threads_and_backends_give_the_same_bits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("consensus.backends.SMALLEST_SHARD", 10)

        drawn = simulate(300, 12, 3, 4, seed=5).judgments
        first, *others = [
            fit(drawn, backend=backend) for backend in (Threads(1), Threads(2), Threads(4), Backwards(7), Copying())
        ]
        for other in others:
            assert np.array_equal(first.posterior, other.posterior)
            assert np.array_equal(first.confusions.counts, other.confusions.counts)
            assert first.convergence == other.convergence
        assert first.rho == others[0].rho
        assert np.array_equal(fit(drawn, threads=3).posterior, first.posterior)

    def test_shards_cover_everything_once(self) -> None:
        for n_parts in (1, 2, 3, 50):
            parts = even_slices(np.arange(0, 2_000_001, 100), n_parts)
            assert [part.start for part in parts[1:]] == [part.stop for part in parts[:-1]]
            assert (parts[0].start, parts[-1].stop) == (0, 20_000)
            assert len(parts) == n_parts
        assert even_slices(np.array([0, 3, 9]), 4) == (slice(0, 2), slice(2, 2))
        assert even_slices(np.array([0]), 4) == (slice(0, 0),)
        assert even_slices(np.array([0, 0, 0, 900]), 3) == (
            slice(0, 3),
            slice(3, 3),
            slice(3, 3),
        )  # one item is all the work
        assert even_parts(10, 3) == (slice(0, 3), slice(3, 6), slice(6, 10))
        assert even_parts(2, 3) == (slice(0, 1), slice(1, 2))
        assert even_parts(0, 3) == (slice(0, 0),)

    @pytest.mark.parametrize(
        ("n_judgments", "table_size", "n_shards"),
        [
            (0, 0, 1),
            (99_999, 0, 1),
            (100_000, 0, 2),
            (10_000_000, 0, 16),
            (10_000_000, 1_000_000, 10),
            (10_000_000, 50_000_000, 2),  # two, however large the table
            (60_000, 50_000_000, 1),
        ],
    )
    def test_number_of_shards(self, n_judgments: int, table_size: int, n_shards: int) -> None:
        assert number_of_shards(n_judgments, table_size) == n_shards

    def test_progress_tells_every_pass(self) -> None:
        told: list[tuple[str, int, float, float]] = []
        drawn = simulate(60, 8, 3, 4, seed=5).judgments
        result = fit(drawn, gold={"item": ["item00"], "label": ["label_0"]}, progress=lambda *a: told.append(a))
        assert {"fitting", "fitting from gold"} <= {stage for stage, *_ in told}
        assert [done for stage, done, *_ in told if stage == "fitting"][:3] == [1, 2, 3]
        assert set(result.starts) == {"majority", "gold"}

    def test_progress_tells_the_objective_per_judgment(self) -> None:
        """Or, where only models voted, the whole objective."""
        drawn = simulate(60, 8, 3, 4, seed=5)
        votes = simulate_votes(drawn, 2, accuracy=0.8, soft=True, families=2, seed=1)
        for judged, of_models, n in ((drawn.judgments, None, drawn.judgments.n_judgments), (None, votes, 1)):
            told: list[float] = []

            def tell(stage: str, _: int, each: float, __: float, told: list[float] = told) -> None:
                told.extend([each] * (stage == "fitting"))

            objective = fit(judged, model_votes=of_models, progress=tell).convergence.objective
            assert len(objective) > 2
            np.testing.assert_allclose(told[-len(objective) :], np.array(objective) / n, rtol=1e-12)


class TestRecovery:
    @pytest.mark.slow
    def test_planted_confusions_and_prior_come_back(self) -> None:
        drawn = simulate(8000, 12, 3, 7, prior=[0.5, 0.3, 0.2], seed=7)
        result = fit(drawn.judgments)
        used = np.array([int(w[1:]) for w in result.judgments.worker_ids.to_pylist()])
        busy = np.bincount(result.judgments.worker) > 2000
        assert np.abs(result.confusions.dense() - drawn.confusion[used])[busy].max() < 0.05
        assert np.abs(result.prior.to_numpy() - drawn.prior).max() < 0.02

    @pytest.mark.slow
    def test_error_shrinks_with_more_judgments(self) -> None:
        wrong = []
        for per_item in (2, 4, 8):
            drawn = simulate(1500, 15, 3, per_item, accuracy=0.65, seed=1)
            wrong.append((fit(drawn.judgments).consensus_label != drawn.truth).mean())
        assert wrong[0] > wrong[1] + 0.03 > wrong[2] + 0.06

    @pytest.mark.slow
    def test_better_than_majority_where_workers_differ(self) -> None:
        drawn = simulate(2000, 20, 4, 5, accuracy=0.65, spammers=0.3, seed=3)
        ours = (fit(drawn.judgments).consensus_label == drawn.truth).mean()
        majority = (fit(drawn.judgments, model="majority_vote").consensus_label == drawn.truth).mean()
        assert ours > majority + 0.03

    def test_a_coin_flipping_worker_moves_little(self) -> None:
        confusion = np.stack([np.array([[0.9, 0.1], [0.1, 0.9]])] * 4 + [np.full((2, 2), 0.5)])
        drawn = simulate(300, per_item=5, confusion=confusion, seed=1)
        judgments = drawn.judgments
        without = judgments.subset(judgments.worker != 4)
        both = [fit(one, rho=0) for one in (judgments, without)]
        assert (both[0].consensus_label == both[1].consensus_label).mean() > 0.98
        assert both[0].confusions.informativeness(both[0].prior_shares)[4] < 0.02


class TestTempering:
    def test_never_changes_the_label(self) -> None:
        drawn = simulate(200, 10, 3, 4, seed=8).judgments
        plain, strong = fit(drawn, rho=0), fit(drawn, rho=1.3)
        assert np.array_equal(plain.consensus_label, strong.consensus_label)
        assert (strong.confidence <= plain.confidence + 1e-12).all()
        expected = naive.tempered(plain.posterior, drawn.per_item, 1.3)
        np.testing.assert_allclose(strong.posterior, expected, rtol=1e-6, atol=1e-9)

    def test_held_out_judgments_leave_one_with_every_item(self) -> None:
        drawn = simulate(300, 10, 3, 2.5, seed=8).judgments
        splits = [Splits(drawn).held_out(s) for s in range(3)]
        for held in splits:
            assert 0.1 < held.mean() < 0.25
            assert drawn.subset(~held).per_item.min() >= 1
        assert not np.array_equal(splits[0], splits[1])

    def test_what_is_held_out_hangs_on_ids_alone(self) -> None:
        """Half of the items are split as among all of them."""
        drawn = simulate(300, 10, 3, 4, seed=8).judgments
        half = drawn.item < 150
        held = Splits(drawn).held_out(0)
        np.testing.assert_array_equal(Splits(drawn.subset(half)).held_out(0), held[half])

    def test_held_out_judgments_are_scored_by_a_fit_without_them(self) -> None:
        drawn = simulate(60, 6, 2, 4, accuracy=0.8, seed=1).judgments
        problem = Problem.of(drawn, None, FitConfig(), ONE.backend)
        held = Splits(drawn).held_out(0)
        scores = held_out_rho._split_scores(problem, held, ONE, "")
        kept = drawn.subset(~held)
        alone = Problem.of(kept, None, FitConfig(tolerance=1e-5), ONE.backend)
        estimate = climb(alone, starts.majority(kept, ONE.backend), ONE)
        z = estimate.posterior(alone, Threads(1))
        C = naive.confusions(naive.counts(kept, z), estimate.A)
        for h, j in enumerate(np.flatnonzero(held)):
            likelihood = C[drawn.worker[j], :, drawn.label[j]]
            i = drawn.item[j]
            for g, rho in enumerate(held_out_rho.GRID):
                expected = naive.held_out_score(z[i], int(kept.per_item[i]), rho, likelihood)
                assert scores.score[h, g] == pytest.approx(expected, rel=1e-4)

    @pytest.mark.slow
    def test_errors_that_come_together_on_hard_items_are_found_out(self) -> None:
        easy, hard = (simulate(1000, per_item=7, confusion=[[[a, 1 - a], [1 - a, a]]] * 7, seed=2) for a in (0.95, 0.5))
        mixed: list[Row] = []
        for name, drawn in (("easy", easy), ("hard", hard)):
            j = drawn.judgments
            mixed += [(f"{name}{i}", f"w{w}", j.labels[k]) for i, w, k in zip(j.item, j.worker, j.label, strict=True)]
        even = simulate(2000, per_item=7, confusion=[[[0.725, 0.275], [0.275, 0.725]]] * 7, seed=2).judgments
        found = fit(encoded(mixed), rho="measured")
        assert found.rho > fit(even, rho="measured").rho == pytest.approx(held_out_rho.LEAST_RHO)
        assert found.tempering.rho_range is not None
        low, high = found.tempering.rho_range
        assert low <= found.rho <= high

    def test_three_judgments_an_item_are_enough_to_measure_it(self) -> None:
        assert (np.diff(held_out_rho.GRID) > 0).all()
        for per_item, measured in ((3, True), (2, False)):
            stages: list[str] = []
            told = Execution(Threads(1), progress=lambda stage, *_, stages=stages: stages.append(stage))
            drawn = simulate(60, 6, 2, per_item, seed=1).judgments
            held_out_rho.measured_rho(Problem.of(drawn, None, FitConfig(), told.backend), 5, told)
            assert ("held-out fit 1" in stages) == measured

    def test_without_gold_and_models_rho_is_the_same_for_all_data(self) -> None:
        for per_item in (2, 4, 7):
            drawn = simulate(100, 10, 2, per_item, seed=8).judgments
            assert fit(drawn).rho == held_out_rho.USUAL_RHO
        assert fit(drawn, rho=0.7).rho == 0.7
        assert fit(drawn).tempering.rho_range is None

    @pytest.mark.compiled
    def test_beside_model_votes_it_is_measured(self, monkeypatch: pytest.MonkeyPatch) -> None:
        drawn = simulate(200, 10, 2, 4, seed=8)
        votes = simulate_votes(drawn, 2, seed=8)
        assert fit(drawn.judgments, model_votes=votes).tempering.rho_range is not None
        monkeypatch.setattr(held_out_rho, "MOST_BESIDE_VOTES", 100)
        assert fit(drawn.judgments, model_votes=votes).rho == held_out_rho.USUAL_RHO

    def test_nothing_to_hold_out(self) -> None:
        judgments = encoded([(f"i{n}", f"w{n % 2}", f"l{n % 2}") for n in range(60)])
        result = fit(judgments, gold={"item": ["i0"], "label": ["l0"]})
        assert result.rho == held_out_rho.USUAL_RHO
        assert codes(result, "one_judgment_per_item")


class TestGold:
    def test_several_accepted_labels(self) -> None:
        judgments = encoded([(f"i{i}", f"w{w}", f"l{(i + w) % 3}") for i in range(9) for w in range(3)])
        result = fit(judgments, gold={"item": ["i0", "i0"], "label": ["l0", "l1"]})
        first = result.posteriors.set_index("item").loc["i0"]
        assert first["l2"] == 0
        assert first["l0"] + first["l1"] == pytest.approx(1)

    def test_gold_is_held_against_what_the_others_say(self) -> None:
        drawn = simulate(300, 10, 2, 5, accuracy=0.8, seed=1)
        gold = drawn.truth_table(100)
        result = fit(drawn.judgments, gold=gold)
        assert result.gold is not None
        assert result.gold_posterior is not None
        right = result.gold.accepted[np.arange(100), result.gold_posterior.argmax(axis=1)]
        assert 0.7 < right.mean() < 1
        shares = fit(drawn.judgments, gold=gold, model="majority_vote").gold_posterior
        assert shares is not None
        assert shares.shape == (100, 2)

    @pytest.mark.parametrize("prior", ["learnt", "none"])
    @pytest.mark.parametrize("repeats", ["last", "keep"])
    def test_audit_takes_every_own_judgment_out(self, prior: Any, repeats: Any) -> None:
        drawn = simulate(80, 6, 2, 4, accuracy=0.8, seed=1)
        table = drawn.judgments_table()
        judgments = read(pd.concat([table, table[:90]]), repeats=repeats)
        gold = drawn.truth_table(20)
        result = fit(judgments, gold=gold, prior=prior, rho=0.3)
        assert result.gold is not None
        assert result.gold_posterior is not None
        N = naive.counts(judgments, _untempered(result))
        for g, item in enumerate(result.gold.items.tolist()):
            z = result.gold.accepted[g].astype(float)
            arguments = (N, result.confusions.pseudo_counts, result.prior_shares, 0.3, 0.5)
            expected = naive.without_own(judgments, item, z, *arguments)
            np.testing.assert_allclose(result.gold_posterior[g], expected, rtol=1e-6, atol=1e-8)

    def test_gold_start_is_one_e_step_of_the_workers_accuracy_on_gold(self) -> None:
        judgments = encoded([(f"i{i}", f"w{w}", f"l{(i + w * (i > 2)) % 2}") for i in range(6) for w in range(2)])
        gold = gold_of([("i0", "l0"), ("i3", "l1"), ("i5", "l0"), ("i5", "l1")])
        aligned = gold.align(judgments)
        problem = Problem.of(judgments, aligned, FitConfig(), ONE.backend)
        found = starts.gold(problem, Threads(1))
        accuracy = [(3 + 1) / (3 + 2), (2 + 1) / (3 + 2)]  # of i0, i3 and i5, where both labels are right
        confusion = np.array([[[a, 1 - a], [1 - a, a]] for a in accuracy])
        accepted = {0: {0}, 3: {1}, 5: {0, 1}}
        expected, _ = naive.posteriors(judgments, confusion, np.array([0.5, 0.5]), accepted)
        np.testing.assert_allclose(found, expected)
        of = starts.usual(problem)
        assert callable(of)
        usual = np.concatenate([of(slice(0, 2)), of(slice(2, judgments.n_items))])
        assert usual[[0, 3, 5]].tolist() == [[1, 0], [0, 1], [0.5, 0.5]]
        assert np.array_equal(usual[[1, 2, 4]], starts.majority(judgments, Threads(1))[[1, 2, 4]])

    @pytest.mark.slow
    @pytest.mark.parametrize("n_gold", [5, 10])
    def test_gold_rights_a_switched_crowd(self, n_gold: int) -> None:
        accuracy = []
        for seed in range(20):
            drawn, gold = adversarial(seed), np.random.default_rng(seed).choice(300, n_gold, replace=False)
            table = drawn.truth_table().iloc[np.sort(gold)]
            result = fit(drawn.judgments, gold=table)
            others = np.setdiff1d(np.arange(300), gold)
            accuracy.append((result.consensus_label == drawn.truth)[others].mean())
        assert np.mean(accuracy) >= 0.95
        assert min(accuracy) >= 0.90


def _untempered(result: Consensus) -> Any:
    """The posterior behind the counts: that of the fit before tempering."""
    return fit(
        result.judgments,
        result.config,
        rho=0,
        gold={
            "item": [result.judgments.item_ids[int(i)].as_py() for i in result.gold.items],
            "label": [result.judgments.labels[int(k)] for k in result.gold.accepted.argmax(axis=1)],
        }
        if result.gold is not None
        else None,
    ).posterior


def binary(accuracies: list[float], seed: int, n_items: int = 300) -> Any:
    confusion = np.array([[[a, 1 - a], [1 - a, a]] for a in accuracies])
    return simulate(n_items, per_item=len(accuracies), confusion=confusion, seed=seed)


def adversarial(seed: int) -> Any:
    """3 good workers, 4 adversaries, 3 spammers, who hold the majority of the informed."""
    return binary([0.9] * 3 + [0.2] * 4 + [0.5] * 3, seed)


class TestWarnings:
    @pytest.mark.slow
    def test_switch_risk(self) -> None:
        fired = [codes(fit(adversarial(seed).judgments), "switch_risk") for seed in range(20)]
        assert sum(fired) >= 18
        honest = [0.9, 0.85, 0.8, 0.8, 0.75, 0.75, 0.7, 0.7, 0.6, 0.55]
        false = [codes(fit(binary(honest, seed).judgments), "switch_risk") for seed in range(20)]
        assert sum(false) == 0

    def test_switch_risk_says_why(self) -> None:
        result = fit(binary([0.9, 0.9, 0.1, 0.1], 1, 100).judgments, rho=0.3)
        (warning,) = (one for one in result.warnings if one.code == "switch_risk")
        assert "2 of the 4 workers with a clear tendency contradict the others" in warning.message
        assert "the opposite reading of the data fits as well" in warning.message
        assert warning.values["pairs_contradicting"] == 4
        assert abs(warning.values["mirrored_gap"]) < 0.02

    def test_one_adversary_among_many_is_no_switch_risk(self) -> None:
        drawn = binary([0.7] * 7 + [0.05], 1, 150).judgments
        found = switching.camps(drawn, 0)
        assert found.contradicting > 0
        assert found.minority == 1
        assert not codes(fit(drawn, rho=0.3), "switch_risk")

    def test_guessing_workers_form_no_camps(self) -> None:
        found = [switching.camps(binary([0.5] * 12, seed, 100).judgments, 0) for seed in range(5)]
        assert sum(one.agreeing + one.contradicting for one in found) <= 1  # of 330 pairs, at a level of .01 a crowd

    def test_camps_of_two_sides(self) -> None:
        found = switching.camps(binary([0.95] * 3 + [0.05] * 4, 1, 100).judgments, 0)
        assert (found.agreeing, found.contradicting, found.workers, found.minority) == (3 + 6, 12, 7, 3)
        assert found.minority_share == pytest.approx(3 / 7)

    def test_in_large_data_the_opposite_is_fitted_only_where_workers_contradict(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(switching, "MOST_FITTED", 100)
        for hostile, fitted in ((0.9, False), (0.1, True)):
            stages: list[str] = []
            drawn = binary([0.9, 0.9, hostile, hostile], 1, 100).judgments
            fit(drawn, rho=0.3, progress=lambda stage, *_, stages=stages: stages.append(stage))
            assert ("fitting the opposite" in stages) == fitted

    @pytest.mark.compiled
    def test_an_opposite_start_that_leads_back_is_no_opposite(self) -> None:
        right = np.full((6, 6), 0.06) + 0.64 * np.eye(6)
        wrong = np.roll(0.9 * np.eye(6) + 0.1 / 6, 1, axis=1)
        drawn = simulate(150, per_item=13, confusion=[*[right] * 12, wrong], seed=1).judgments
        assert not codes(fit(drawn, rho=0.3), "switch_risk")

    @pytest.mark.parametrize("seed", [7, 10])
    def test_another_solution_that_agrees_on_most_items_is_no_opposite(self, seed: int) -> None:
        """It even fits better, so that as the opposite it would raise the alarm."""
        C = [np.full((3, 3), (1 - a) / 2) + (a - (1 - a) / 2) * np.eye(3) for a in (0.8, 0.8, 0.2, 0.2)]
        drawn = simulate(60, per_item=4, confusion=C, seed=seed).judgments
        problem = replace(Problem.of(drawn, None, FitConfig(), ONE.backend), loners=None, bounds=None)
        usual, n_agreed = starts.usual(problem), starts.by_majority(drawn, ONE.backend)[0]
        found, other = (climb(problem, one, ONE) for one in (usual, starts.mirrored(problem, n_agreed, ONE.backend)))
        same = [one.posterior(problem, ONE.backend).argmax(axis=1) for one in (found, other)]
        assert 0.5 < np.mean(same[0] == same[1]) < 0.9
        assert found.objective < other.objective
        assert not codes(fit(drawn, rho=0.3), "switch_risk")

    def test_switched_labels_show_in_the_fit(self) -> None:
        """A model that says the opposite of the judgments is caught by its own diagonal and shares."""
        from consensus.found.convergence import Convergence
        from consensus.models.expectation_maximisation import Estimate

        drawn = binary([0.9] * 5, 1, 60).judgments
        rows = Rows.of(drawn, Threads(1))
        opposite = 1 - starts.majority(drawn, Threads(1))
        opposite[:20] = [1.0, 0.0]
        counts = np.array(
            [[opposite[drawn.item[rows.row == r], k].sum() for k in (0, 1)] for r in range(len(rows.worker))]
        )
        estimate = Estimate(
            pi=np.array([0.5, 0.5]),
            A=np.eye(2),
            C=np.full_like(counts, 0.5),
            counts=counts,
            totals=np.array([counts[rows.worker == w].sum(axis=0) for w in range(rows.n_workers)]),
            mass=opposite.sum(axis=0),
            background=np.empty(0),
            convergence=Convergence("converged", 1, (0.0,)),
        )
        (warning,) = switching.moved_labels(
            Problem.of(drawn, None, FitConfig(), ONE.backend), estimate, estimate.mass, np.array([59.0, 1.0])
        )
        assert warning.code == "moved_labels"
        assert 'items taken as "label_1" are mostly judged "label_0"' in warning.message
        assert '"label_1" has' in warning.message

    def test_near_chance(self) -> None:
        result = fit(binary([0.5] * 6, 3, 100).judgments)
        assert codes(result, "near_chance")

    def test_one_label_everywhere(self) -> None:
        result = fit(encoded([(f"i{i}", f"w{w}", "x") for i in range(60) for w in range(3)]))
        assert codes(result, "one_label")
        assert (result.confidence == 1).all()
        assert result.converged

    @pytest.mark.compiled
    def test_small_data_with_many_labels(self) -> None:
        """The fallback prior does not blur the confidence where there are many labels."""
        drawn = simulate(300, 100, 20, 3, seed=1)
        result = fit(drawn.judgments)
        assert codes(result, "small_data")
        right = (result.consensus_label == drawn.truth).mean()
        assert result.confidence.mean() > right - 0.2

    def test_right_a_little_more_often_than_by_chance_is_not_near_it(self) -> None:
        """Answers tell nothing, but nine in ten items have the label that seven in ten answers name: right on .66."""
        drawn = simulate(400, prior=[0.9, 0.1], confusion=[[[0.7, 0.3]] * 2] * 6, per_item=4, seed=1)
        assert not codes(fit(drawn.judgments, gold=drawn.truth_table()), "near_chance")
        drawn = simulate(400, prior=[0.5, 0.5], confusion=[[[0.7, 0.3]] * 2] * 6, per_item=4, seed=1)
        assert codes(fit(drawn.judgments, gold=drawn.truth_table()), "near_chance")

    def test_informative_adversaries_are_not_near_chance(self) -> None:
        drawn = binary([0.9] * 3 + [0.1] * 7, 1, 200)
        assert not codes(fit(drawn.judgments, gold=drawn.truth_table(20)), "near_chance")

    def test_rare_labels_that_move_are_no_switch(self) -> None:
        honest = binary([0.9, 0.8, 0.8, 0.7, 0.7, 0.6], 1, 300)
        assert not codes(fit(honest.judgments), "moved_labels")

    def test_many_labels(self) -> None:
        judged = [(f"i{i}", f"w{w}", f"l{i}{w}") for i in range(40) for w in range(3)]
        result = fit(encoded(judged), rho=0.3)
        assert codes(result, "many_labels")

    def test_a_huge_item_does_not_fill_the_sample_of_pairs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        judged = [("huge", f"v{n}", "x") for n in range(200)]
        judged += [(f"i{i}", f"w{w}", f"l{i % 2}") for i in range(40) for w in range(3)]
        monkeypatch.setattr(switching, "MOST_PAIRS", 1000)
        items = switching._items_for_pairs(encoded(judged), 0)
        assert len(items) == 40

    def test_one_worker_who_repeats_is_no_second_opinion(self) -> None:
        rows = {"item": ["a", "a", "b", "b"], "worker": ["v", "v", "w", "w"], "label": ["x", "x", "y", "y"]}
        result = fit(read(rows, repeats="keep"))
        assert codes(result, "one_judgment_per_item")
        assert result.labels["confidence"].isna().all()
        assert fit(read(rows), model="majority_vote").labels["confidence"].isna().all()

    def test_anything_readable_can_be_fitted(self) -> None:
        rows = pd.DataFrame({"item": ["a", "a"], "worker": ["v", "w"], "label": ["x", "x"]})
        assert fit(rows).labels["label"].tolist() == ["x"]

    def test_small_data(self) -> None:
        result = fit(simulate(40, 5, 2, 3, seed=1).judgments)
        assert codes(result, "small_data")
        assert result.rho == 0.4

    def test_one_judgment_an_item(self) -> None:
        result = fit(encoded([(f"i{n}", f"w{n % 3}", f"l{n % 2}") for n in range(60)]))
        assert not result.identified
        assert not result.converged
        assert codes(result, "one_judgment_per_item")
        assert result.labels["confidence"].isna().all()
        assert result.labels["label"].tolist() == [f"l{int(item[1:]) % 2}" for item in result.labels["item"]]

    def test_disconnected(self) -> None:
        judged = [(f"{side}{i}", f"{side}w{w}", f"l{i % 2}") for side in "ab" for i in range(30) for w in range(3)]
        (warning,) = (one for one in fit(encoded(judged)).warnings if one.code == "disconnected")
        assert warning.values == {"n_components": 2, "largest_share": 0.5}

    def test_unaudited_unless_gold(self) -> None:
        judgments = simulate(60, 6, 2, 3, seed=1).judgments
        assert codes(fit(judgments), "unaudited")
        assert not codes(fit(judgments, gold={"item": ["item00"], "label": ["label_0"]}), "unaudited")

    def test_what_the_judgments_alone_call_for(self) -> None:
        judgments = read(
            {
                "item": ["a", "a", "b", "c"],
                "worker": ["v", "v", "w", "w"],
                "label": ["", "x", "x", None],
                "timestamp": [None, None, "nonsense", None],
            }
        )
        found = {one.code for one in fit(judgments, model="majority_vote").warnings}
        usual = {"repeats_by_row_order", "unreadable_times", "items_without_judgments", "unaudited"}
        assert found == usual | {"one_judgment_per_item", "many_repeats"}
        only = fit(encoded([("a", "v", "x"), ("b", "v", "x")]), model="majority_vote")
        assert codes(only, "one_label")
        empty = fit(read({"item": ["a", "b"], "worker": ["v", "v"], "label": ["", "x"]}), model="majority_vote")
        assert codes(empty, "no_answer_texts")

    def test_pairs_are_a_sample_where_there_are_too_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        drawn = binary([0.9] * 6, 1, 200).judgments
        everything = switching.camps(drawn, 0)
        monkeypatch.setattr(switching, "MOST_PAIRS", 900)
        assert switching.camps(drawn, 0) == everything == switching.Camps(15, 0, 6, 0, 0.0)


def test_majority_start_splits_ties_and_knows_nothing_of_silent_items() -> None:
    judgments = encoded([("a", "v", "x"), ("a", "w", "y"), ("b", "v", "y"), ("c", "v", None)])
    assert starts.majority(judgments, Threads(1)).tolist() == [[0.5, 0.5], [0, 1], [0.5, 0.5]]


def test_rows_of_more_pairs_than_four_bytes_count() -> None:
    judgments = encoded([(f"i{i}", f"w{w}", f"l{(i + w) % 3}") for i in range(3) for w in range(4)])
    wide = replace(judgments, labels=range(2**30))  # type: ignore[arg-type]
    row, rows = Rows.of(judgments, ONE.backend), Rows.of(wide, ONE.backend)
    assert rows.row.tolist() == row.row.tolist()
    assert rows.worker.tolist() == row.worker.tolist()
    assert rows.label.tolist() == row.label.tolist()


def test_many_labels_and_few_judgments_need_no_dense_table() -> None:
    judged: list[Row] = [(f"i{i}", f"w{i % 50}{w}", f"l{i}") for i in range(400) for w in range(2)]
    judgments = encoded(judged)
    assert judgments.n_workers * judgments.n_labels > 4 * judgments.n_judgments + 1000
    rows = Rows.of(judgments, Threads(1))
    assert np.array_equal(rows.worker[rows.row], judgments.worker)
    assert np.array_equal(rows.label[rows.row], judgments.label)


def test_settings_name_every_model_of_the_registry() -> None:
    assert get_args(get_args(FitConfig.model_fields["model"].annotation)[0]) == tuple(MODELS)
    with pytest.raises(ConfigError, match="setting model = 'median': input should be 'average', 'dawid_skene' or"):
        fit(encoded([("i", "w", "l")]), model="median")


def test_errors_form_one_tree() -> None:
    assert issubclass(JudgmentError, ConsensusError)
    assert issubclass(ConfigError, ConsensusError)
