"""Which model is believed what: a stated rule, and the evidence that goes round in a circle."""

from typing import Any

import numpy as np
import pytest

from consensus import fit
from consensus.errors import JudgmentError
from consensus.inputs.judgments import Judgments
from consensus.inputs.model_votes import ModelVotes
from consensus.models import votes_contact
from consensus.simulation import simulate
from tests.models.test_votes_prior import K3, speaking, warned
from tests.strategies import Vote, encoded, voted

pytestmark = pytest.mark.usefixtures("by_dawid_skene")


class TestTrust:
    def judged(self, n_double: int, n_single: int) -> Judgments:
        """Items d000, ... that two people judged, and s000, ... that one did."""
        rows: list[tuple[str, str, str | None]] = [(f"d{i:03}", w, K3[i % 3]) for i in range(n_double) for w in "vw"]
        return encoded(rows + [(f"s{i:03}", "vw"[i % 2], K3[i % 3]) for i in range(n_single)])

    def said(self, judgments: Judgments, hard: bool = False) -> ModelVotes:
        q = {0: [0.5, 0.3, 0.2], 1: [0.1, 0.8, 0.1], 2: [0.2, 0.2, 0.6]}
        pairs = list(enumerate(judgments.item_ids.to_pylist()))
        rows: list[Vote] = [(item, "m", K3[n % 3] if hard else q[n % 3]) for n, item in pairs]
        return voted([*rows, ("new", "m", K3[0] if hard else q[0])], K3)

    @pytest.mark.parametrize(
        ("n_double", "n_single", "n_gold", "met"),
        [
            (49, 9, 0, 49.9),
            (49, 10, 0, 50),
            (50, 0, 0, 50),
            (45, 9, 5, 50.4),
            (45, 0, 4, 45),
            (0, 499, 0, 49.9),
            (0, 500, 0, 50),
        ],
    )
    @pytest.mark.compiled
    def test_below_fifty_items_only_the_label_counts(
        self, n_double: int, n_single: int, n_gold: int, met: float
    ) -> None:
        """Gold counts 1 however many judged it, one person a tenth."""
        judgments = self.judged(n_double, n_single)
        golden = [f"s{i:03}" for i in range(n_gold)] if n_single else [f"d{i:03}" for i in range(n_gold)]
        gold = {"item": golden, "label": [K3[i % 3] for i in range(n_gold)]} if n_gold else None
        soft, hard = (
            fit(judgments, model_votes=self.said(judgments, kind), gold=gold, rho=0.3) for kind in (False, True)
        )
        assert soft.models is not None
        assert soft.models.met.tolist() == [pytest.approx(met)]
        believed = met >= votes_contact.MET
        assert soft.models.believed.tolist() == soft.models.known.tolist() == [believed]
        assert soft.models.vouched.tolist() == [believed] * len(soft.labels)
        assert np.array_equal(soft.posterior, hard.posterior) != believed
        assert hard.models is not None
        assert hard.models.believed.tolist() == [False]
        warning = warned(soft, "models_unverified")
        assert (warning is None) == believed
        if warning is not None:
            needed = int(np.ceil(50 - met))
            assert '"m" voted on too few items that two people judged' in warning.message
            assert f"have people judge {needed:,} more such items" in warning.message
            assert warning.values == {"n_models": 1, "items_needed": needed}

    def test_many_unverified_models_are_not_all_named(self) -> None:
        judgments = self.judged(10, 0)
        result = fit(judgments, model_votes=voted([("d000", m, "label_0") for m in "abcde"]), rho=0.3)
        warning = warned(result, "models_unverified")
        assert warning is not None
        assert warning.message.startswith('"a", "b", "c" and 2 more models voted on too few items')
        assert warning.values == {"n_models": 5, "items_needed": 49}
        result = fit(judgments, model_votes=voted([("d000", m, "label_0") for m in "abc"]), rho=0.3)
        warning = warned(result, "models_unverified")
        assert warning is not None
        assert warning.message.startswith('"a", "b", "c" voted on too few items')

    def test_votes_for_no_label(self) -> None:
        judgments = self.judged(10, 0)
        votes = voted([("d000", "m", "label_0"), ("d001", "m", "a refusal"), ("d002", "m", "label_2")])
        result = fit(judgments, model_votes=votes, rho=0.3)
        warning = warned(result, "unparsed_votes")
        assert warning is not None
        assert warning.message.startswith("1 model votes name no label of the label set and do not count")
        assert result.labels.n_model_votes.tolist()[:3] == [1, 0, 1]


def contested(seed: int, n_items: int = 400) -> Any:
    """Three people of .7 an item: divided on more than fifty."""
    return simulate(n_items, 6, 3, 3, accuracy=0.7, seed=seed)


def majority_votes(judgments: Judgments, kind: str, extra: tuple[str, ...] = ()) -> ModelVotes:
    majority, _ = fit(judgments, model="majority_vote").votes
    rows: list[Vote] = []
    for i, item in enumerate(judgments.item_ids.to_pylist()):
        label = int(majority[i]) if majority[i] >= 0 else int(judgments.label[judgments.item_start[i]])
        q = [0.98 if k == label else 0.01 for k in range(judgments.n_labels)]
        rows.append((item, "copy", judgments.labels[label] if kind == "hard" else q))
    return voted([*rows, *((item, "copy", judgments.labels[0]) for item in extra)], judgments.labels)


class TestCircular:
    @pytest.mark.compiled
    @pytest.mark.parametrize("kind", ["hard", "soft"])
    def test_what_was_trained_on_these_labels_has_no_effect_where_people_judged(self, kind: str) -> None:
        drawn, trained = contested(1), ("copy",)
        votes = majority_votes(drawn.judgments, kind, ("new",))
        result = fit(drawn.judgments, model_votes=votes, prior="fixed", rho=0.3, trained_on_consensus=trained)
        alone = fit(drawn.judgments, model_votes=voted([("new", "copy", K3[0])], K3), prior="fixed", rho=0.3)
        assert np.array_equal(result.posterior, alone.posterior)
        nothing_new = fit(
            drawn.judgments, model_votes=majority_votes(drawn.judgments, kind), trained_on_consensus=trained
        )
        assert np.array_equal(nothing_new.posterior, fit(drawn.judgments).posterior)
        assert result.models is not None
        assert result.models.circular.tolist() == [True]
        assert result.models.known.tolist() == result.models.believed.tolist() == [False]
        assert np.isnan(result.models.echoes.evidence).all()  # it is told already
        warning = warned(result, "trained_on_consensus")
        assert warning is not None
        assert warning.message.startswith('"copy" was trained on labels made from these judgments, so its')
        assert "votes count only on items that nobody judged" in warning.message
        assert warned(result, "models_unverified") is None
        assert warned(result, "copies_majority") is None

    def test_a_model_whose_votes_all_fall_on_items_where_they_do_not_count(self) -> None:
        drawn = contested(1, 60)
        votes = speaking(drawn.judgments, drawn.truth, "sh")
        result = fit(drawn.judgments, model_votes=votes, trained_on_consensus=("a", "b"), rho=0.3)
        assert np.array_equal(result.posterior, fit(drawn.judgments, rho=0.3).posterior)
        assert result.models is not None
        assert result.models.weights.weight.tolist() == [0, 0, 0]

    def test_unknown_model(self) -> None:
        drawn = contested(1, 60)
        votes = speaking(drawn.judgments, drawn.truth, "hh")
        with pytest.raises(
            JudgmentError, match='trained_on_consensus names "x", of which there is no vote; the models are: a, b'
        ):
            fit(drawn.judgments, model_votes=votes, trained_on_consensus=("x", "a"))

    @pytest.mark.compiled
    @pytest.mark.parametrize("seed", [1, 2, 3])
    def test_a_copy_does_not_make_wrong_labels_surer(self, seed: int) -> None:
        drawn = contested(seed)
        plain = fit(drawn.judgments, rho=0.3)
        result = fit(drawn.judgments, model_votes=majority_votes(drawn.judgments, "soft"), rho=0.3)
        wrong = [one.confidence[one.consensus_label != drawn.truth].mean() for one in (plain, result)]
        assert wrong[1] <= wrong[0] + 1e-6
