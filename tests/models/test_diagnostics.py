"""What the user must know before trusting a fit: each warning at its border."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from consensus import read
from consensus.backends import Threads
from consensus.inputs.judgments import Judgments
from consensus.inputs.notices import Notice
from consensus.models import diagnostics
from consensus.probabilities import entropy
from tests.strategies import crowds, encoded, examples

ONE = Threads(1)
crowd = examples(60)


def repeated(n: int) -> Judgments:
    """Two workers, so many judgments each of as many items, two labels."""
    return encoded([(f"i{i:04}", w, f"l{i % 2}") for i in range(n) for w in "vw"])


def codes(found: Any) -> list[str]:
    return [one.code for one in found]


class TestOfJudgments:
    @pytest.mark.parametrize(
        ("n_labels", "n_judgments", "many"), [(100, 20, False), (101, 20, True), (101, 1008, True), (101, 1010, False)]
    )
    def test_more_than_a_hundred_labels_that_are_a_tenth_of_the_judgments(
        self, n_labels: int, n_judgments: int, many: bool
    ) -> None:
        judgments = replace(repeated(n_judgments // 2), labels=tuple(f"l{k}" for k in range(n_labels)))
        found = diagnostics.of_judgments(judgments)
        assert codes(found) == ["many_labels"] * many
        if many:
            assert found[0].message == (
                f"{n_labels:,} labels in {n_judgments:,} judgments are many; check that --label names the right column"
            )
            assert found[0].values == {"n_labels": n_labels}

    def test_what_could_not_be_read_is_counted(self) -> None:
        judgments = replace(repeated(3), unreadable_times=1200, unreadable_amounts={"price": 2, "duration": 3})
        times, prices, durations = diagnostics.of_judgments(judgments)
        assert times.message.startswith("1,200 timestamps could not be read")
        assert (prices.code, durations.code) == ("unreadable_prices", "unreadable_durations")
        assert prices.message.startswith("2 prices could not be read")
        assert [one.values["n_judgments"] for one in (times, prices, durations)] == [1200, 2, 3]

    def test_what_reading_found_comes_first(self) -> None:
        notice = Notice("no_answer_texts", "3 judgments have labels that look like no answer", {"n_judgments": 3})
        judgments = replace(repeated(3), cautions=(notice,), unreadable_times=1)
        found = diagnostics.of_judgments(judgments)
        assert (found[0].code, found[0].message, found[0].values) == notice[:3]
        assert codes(found) == ["no_answer_texts", "unreadable_times"]

    def test_items_that_neither_people_nor_models_label(self) -> None:
        judgments = encoded([("a", "v", "x"), ("a", "w", "y"), ("b", "v", None), ("c", "v", None), ("d", "v", None)])
        (found,) = diagnostics.of_judgments(judgments)
        assert (found.code, found.values) == ("items_without_judgments", {"n_items": 3})
        votes: Any = SimpleNamespace(per_item=np.array([0, 1, 0, 1]))
        (found,) = diagnostics.of_judgments(judgments, votes)
        assert found.values == {"n_items": 1}
        votes = SimpleNamespace(per_item=np.array([0, 1, 2, 1]))
        assert diagnostics.of_judgments(judgments, votes) == []


class TestSecondOpinions:
    def test_of_one_who_is_many(self) -> None:
        judgments = read({"item": ["a", "a"], "worker": ["v", "v"], "label": ["x", "y"]}, repeats="keep")
        assert not diagnostics.has_second_opinions(judgments)
        assert diagnostics.has_second_opinions(replace(judgments, anonymous=("v",)))

    @crowd
    @given(crowds())
    def test_two_workers_of_one_item(self, judgments: Judgments) -> None:
        pairs = set(zip(judgments.item.tolist(), judgments.worker.tolist(), strict=True))
        items = [item for item, _ in pairs]
        assert diagnostics.has_second_opinions(judgments) == (len(items) > len(set(items)))

    def test_people_without_a_name_are_different_ones(self) -> None:
        table = {"item": ["a", "a", "b"], "worker": ["guest"] * 3, "label": ["x", "y", "x"]}
        assert not diagnostics.has_second_opinions(read(table, repeats="keep"))
        assert diagnostics.has_second_opinions(read(table, anonymous=("guest",)))
        assert not diagnostics.has_second_opinions(read({**table, "item": list("abc")}, anonymous=("guest",)))

    @pytest.mark.parametrize(
        ("item", "model", "circular", "expected"),
        [
            ([0], [0], [False], True),  # one person and one model
            ([0], [0], [True], False),  # a model that was made from what the person said
            ([2], [0], [False], False),
            ([2, 2], [0, 1], [False, False], True),  # two models
            ([2, 2], [0, 1], [True, False], True),  # of which nobody says where a third comes from
            ([0, 1, 2], [0, 0, 1], [True, False], False),
        ],
    )
    def test_a_person_and_a_model(
        self, item: list[int], model: list[int], circular: list[bool], expected: bool
    ) -> None:
        judgments = encoded([("a", "v", "x"), ("b", "w", "y"), ("c", "v", None)])
        votes = SimpleNamespace(item=np.array(item), model=np.array(model))
        models: Any = SimpleNamespace(votes=votes, circular=np.array(circular))
        assert diagnostics.has_second_opinions(judgments, models) == expected


class TestSmallData:
    @pytest.mark.parametrize(
        ("n_judged", "n_judgments", "n_workers", "small"),
        [(50, 200, 10, False), (49, 200, 10, True), (50, 199, 10, True), (50, 200, 11, True)],
    )
    def test_fifty_items_and_twenty_judgments_a_worker(
        self, n_judged: int, n_judgments: int, n_workers: int, small: bool
    ) -> None:
        per_item = np.array([3] * (n_judged - 1) + [1, 0, 0])
        judgments: Any = SimpleNamespace(per_item=per_item, n_judgments=n_judgments, n_workers=n_workers, weight=None)
        assert diagnostics.is_small(judgments) == small

    def test_in_words(self) -> None:
        judgments: Any = SimpleNamespace(per_item=np.array([2] * 1234 + [0]), n_judgments=2468, n_workers=1000)
        found = diagnostics.small_data(judgments)
        assert found.message.startswith("1,234 items and 2.5 judgments a worker are too few")
        assert found.values == {"n_items": 1234, "judgments_per_worker": 2.468}


def test_gold_that_met_no_judgment_is_counted() -> None:
    gold: Any = SimpleNamespace(unjudged={f"i{n}": ("x",) for n in range(1200)})
    (found,) = diagnostics.of_gold(gold)
    assert (found.code, found.values) == ("gold_without_judgments", {"n_items": 1200})
    assert found.message.startswith("1,200 gold items were never judged")
    assert diagnostics.of_gold(SimpleNamespace(unjudged={})) == []  # type: ignore[arg-type]
    assert codes(diagnostics.of_gold(None)) == ["unaudited"]


class TestQuestionsOfGold:
    def told(self, n_judged: int, n_unjudged: int, gold: list[int], accepted: int) -> list[str]:
        judgments: Any = SimpleNamespace(per_item=np.array([2] * n_judged + [0] * n_unjudged))
        mask = np.zeros((len(gold), 4), np.bool_)
        mask.ravel()[np.arange(accepted) % mask.size if mask.size else []] = True
        known: Any = SimpleNamespace(items=np.array(gold, np.int64), accepted=mask)
        return codes(diagnostics.questions_of_gold(known, judgments))

    def test_all_items_that_were_judged(self) -> None:
        assert self.told(3, 1, [0, 1, 2], 3) == ["gold_covers_all"]
        assert self.told(3, 1, [0, 1, 3], 3) == []
        assert self.told(3, 1, [0, 1, 2, 3], 4) == ["gold_covers_all"]
        assert self.told(1, 0, [0], 1) == []

    def test_more_labels_than_one_and_a_fifth(self) -> None:
        assert self.told(30, 0, [0, 1, 2, 3, 4], 6) == []
        assert self.told(30, 0, [0, 1, 2, 3, 4], 7) == ["gold_accepts_many"]
        assert self.told(30, 0, [], 0) == []

    def test_in_words(self) -> None:
        assert diagnostics.questions_of_gold(None, SimpleNamespace()) == []  # type: ignore[arg-type]
        known: Any = SimpleNamespace(items=np.arange(2), accepted=np.ones((2, 3), np.bool_))
        all_of_them, many = diagnostics.questions_of_gold(known, SimpleNamespace(per_item=np.array([1, 2])))  # type: ignore[arg-type]
        assert all_of_them.message.startswith("all 2 judged items are gold, so no label is left to find; to score")
        assert all_of_them.values == {"n_items": 2}
        assert many.message.startswith("gold accepts 3.0 labels for each item on average, as judgments do; check")
        assert many.values == {"accepted": 3.0, "n_items": 2}


class TestOfFit:
    def told(
        self, right: float, share_told: float, pi: tuple[float, ...] = (0.5, 0.5), judgments: Judgments | None = None
    ) -> list[str]:
        """Warnings where all are right so often, and one judgment tells so much of the entropy of the labels."""
        judgments, K = judgments or repeated(30), len(pi)
        nats = share_told * float(entropy(np.array([pi]))[0])
        pooled = 50 * ((1 - right) / (K - 1) + (right - (1 - right) / (K - 1)) * np.eye(K))
        by_worker = np.array([0.5, 1.5]) * nats  # of equally busy ones
        layout = SimpleNamespace(
            pooled_counts=lambda _: pooled,
            confusions=lambda *_: SimpleNamespace(informativeness=lambda _: by_worker),
        )
        rows = SimpleNamespace(per_worker=lambda own: own.per_worker, n_opinions=judgments.n_judgments)
        problem: Any = SimpleNamespace(judgments=judgments, rows=rows, layout=layout, one_label=None, units=None)
        convergence = SimpleNamespace(converged=True, iterations=7)
        estimate: Any = SimpleNamespace(counts=None, pi=np.array(pi), convergence=convergence, mixes=None)
        return codes(diagnostics.of_fit(problem, estimate, ONE))

    def test_near_chance(self) -> None:
        """Right on less than chance and a tenth more, telling less than a tenth."""
        assert self.told(0.599, 0.099) == ["near_chance"]
        assert self.told(0.6, 0.099) == []
        assert self.told(0.601, 0.099) == []
        assert self.told(0.599, 0.101) == []
        assert self.told(0.3, 0.101) == []

    def test_the_class_prior_weighs_how_often_they_are_right(self) -> None:
        K3 = replace(repeated(30), labels=("a", "b", "c"))
        assert self.told(0.432, 0.05, (0.6, 0.3, 0.1), K3) == ["near_chance"]
        assert self.told(0.434, 0.05, (0.6, 0.3, 0.1), K3) == []

    def test_not_converged(self) -> None:
        convergence = SimpleNamespace(converged=False, iterations=7)
        nothing = SimpleNamespace(n_judgments=0)
        problem: Any = SimpleNamespace(judgments=nothing)
        estimate: Any = SimpleNamespace(convergence=convergence)
        (found,) = diagnostics.of_fit(problem, estimate, ONE)
        assert (found.code, found.values) == ("not_converged", {"iterations": 7})
        assert found.message.startswith("stopped after 7 passes without converging")


@crowd
@given(crowds())
def test_groups_that_share_no_worker_and_no_item(judgments: Judgments) -> None:
    left = list(zip(judgments.item.tolist(), judgments.worker.tolist(), strict=True))
    sizes = []
    while left:
        group, grown = [left[0]], True
        while grown:
            items, workers = {item for item, _ in group}, {worker for _, worker in group}
            more = [one for one in left if one[0] in items or one[1] in workers]
            grown, group = len(more) > len(group), more
        left = [one for one in left if one not in group]
        sizes.append(len(group))
    n, largest = diagnostics.components(judgments)
    assert n == len(sizes)
    assert largest == pytest.approx(max(sizes) / judgments.n_judgments)
