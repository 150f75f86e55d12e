"""Which model finds the labels where nobody named one, and what is said about it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from consensus import FitConfig, fit, simulate
from consensus.inputs.judgments import Judgments
from consensus.models import layout, readings
from consensus.models.base import MODELS, chosen
from consensus.models.choice import Choice
from consensus.report import words
from consensus.simulation import simulate_votes

SMALL = simulate(60, 8, 3, 4, seed=1)
BY_DEFAULT = FitConfig()


def sized(n_judgments: int, n_labels: int, n_workers: int = 100, n_items: int = 1000) -> Judgments:
    """Judgments of which nothing but the sizes is right."""
    return replace(
        SMALL.judgments,
        item=np.broadcast_to(np.int32(0), n_judgments),
        labels=tuple(f"l{k}" for k in range(n_labels)),
        worker_ids=SMALL.judgments.worker_ids.take([0] * n_workers),
        item_ids=SMALL.judgments.item_ids.take([0] * n_items),
    )


class TestByDefault:
    @pytest.mark.compiled
    def test_it_is_the_average(self) -> None:
        result, named = fit(SMALL.judgments), fit(SMALL.judgments, model="average")
        assert (result.model, result.chosen_because, result.config.model) == ("average", None, None)
        assert np.array_equal(result.posterior, named.posterior)
        assert "one_reading" not in {one.code for one in result.warnings}

    @pytest.mark.parametrize("name", MODELS)
    def test_a_model_that_is_named_is_taken(self, name: Any) -> None:
        assert chosen(sized(5_000_000, 40), None, FitConfig(model=name)) == Choice(name)

    @pytest.mark.compiled
    def test_beside_model_votes_it_is_one_reading_in_a_plain_line(self) -> None:
        votes = simulate_votes(SMALL, 2)
        result = fit(SMALL.judgments, model_votes=votes)
        assert result.model == "dawid_skene"
        assert result.chosen_because == "models voted, and only one reading can learn how far to believe them"
        assert "one_reading" not in {one.code for one in result.warnings}
        named = fit(SMALL.judgments, model_votes=votes, model="dawid_skene")
        assert np.array_equal(result.posterior, named.posterior)
        assert named.chosen_because is None

    @pytest.mark.compiled
    def test_maximum_likelihood_is_of_one_reading(self) -> None:
        because = "--prior none asks for the classic maximum likelihood"
        assert chosen(SMALL.judgments, None, FitConfig(prior="none")) == Choice("dawid_skene", because)
        assert fit(SMALL.judgments, prior="none", model="average").readings is not None

    def test_a_million_judgments_are_the_most(self) -> None:
        assert chosen(sized(1_000_000, 5), None, BY_DEFAULT) == Choice("average")
        because = "there are more than 1,000,000 judgments (--model average takes about 9 times as long)"
        assert chosen(sized(1_000_001, 5), None, BY_DEFAULT) == Choice("dawid_skene", because)

    @pytest.mark.parametrize(
        ("judgments", "n_labels", "n_workers", "name"),
        [
            (1_000_000, 10, 3_000, "average"),
            (1_000_000, 11, 3_000, "dawid_skene"),  # 121 states of each judgment
            (97_000, 32, 200, "average"),
            (98_000, 32, 200, "dawid_skene"),
            (900_000, 10, 30_000, "average"),
            (900_000, 10, 30_001, "dawid_skene"),  # 300,010 rows of 100 states
        ],
    )
    def test_many_labels_make_it_long(self, judgments: int, n_labels: int, n_workers: int, name: str) -> None:
        found = chosen(sized(judgments, n_labels, n_workers), None, BY_DEFAULT)
        assert found.name == name
        because = (
            f"there are {n_labels} labels in {judgments:,} judgments (--model average takes about {4 + n_labels} times "
            "as long)"
        )
        assert found.because == (None if name == "average" else because)

    def test_too_many_labels_to_weigh_all(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(layout, "FEW_LABELS", 2)
        monkeypatch.setattr(layout, "MOST_CELLS", 0)
        found = chosen(SMALL.judgments, None, BY_DEFAULT)
        assert found == Choice("dawid_skene", "3 labels on 60 items are too many to weigh all of them")

    def test_states_are_those_of_the_finest_reading(self) -> None:
        assert readings.most_states(10) == 100
        assert readings.most_states(2) == 6


class TestWords:
    def test_the_weights_of_the_readings(self) -> None:
        weights = {"dawid_skene": 0.414, "subtypes": 0.33, "lure": 0.256}
        told = {"readings": {"weights": weights, "held_out": 1234, "disputed": 7}}
        assert words._readings(told) == [
            "average of 3 readings (models of how workers err), weighted Dawid-Skene .41, subtypes .33, lure .26 by "
            "1,234 judgments held out; they disagree on 7 items"
        ]
        told["readings"]["held_out"] = 0
        assert words._readings(told) == [
            "average of 3 readings (models of how workers err), Dawid-Skene, subtypes, lure, weighted alike, for "
            "there are too few judgments to hold out; they disagree on 7 items"
        ]
        told["readings"]["disputed"] = 1
        (line,) = words._readings(told)
        assert line.endswith("; they disagree on 1 item")

    def test_why_one_alone(self) -> None:
        told = {
            "readings": None,
            "settings": {"model": "dawid_skene"},
            "convergence": {"model_because": "they are many"},
        }
        assert words._readings(told) == ["Dawid-Skene alone, because they are many"]
        assert words._readings({**told, "convergence": {}}) == []
