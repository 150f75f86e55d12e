"""The sentences of the page: the measured error first, and none where nothing is measured."""

from typing import Any

import pytest

from consensus.report import page_words, words


def promise(**gold: Any) -> dict[str, Any]:
    of_gold = None
    if gold:
        of_gold = {"accepted": {"errors": 1, "items": 91, "measured_error": 1 / 91, "low": 0.0003, "high": 0.06} | gold}
    audited = of_gold is not None and of_gold["accepted"]["items"] > 0
    return {
        "target": 0.95,
        "items": 200,
        "accepted": 150,
        "audited": audited,
        "expected_error": 0.009,
        "gold": of_gold,
    }


def test_what_was_measured_comes_before_what_is_expected() -> None:
    assert page_words.usable(promise(items=91)) == (
        "150 of 200 labels without gold are sure enough to use at a target of 95%. 1 of 91 gold items that the same "
        "rule would accept is wrong: 1.1% [0.0% to 6.0%]. The model expects 0.9% of them to be wrong."
    )
    assert page_words._wrong(promise(items=91)) == (
        "1.1%",
        "measured on 91 gold items: 0.0% to 6.0%; the model expects 0.9%",
    )


def test_few_gold_items_are_no_number_in_large_type() -> None:
    few = promise(items=7, errors=0)
    assert "0 of 7 gold items that the same rule would accept are wrong: too few gold items to tell." in (
        page_words.usable(few)
    )
    assert page_words._wrong(few) == ("too few gold items to tell", "0 of 7 wrong; the model expects 0.9%")


def test_without_gold_nothing_is_measured() -> None:
    assert "Nothing has measured them, they are unaudited: no gold was given. The model expects 0.9%" in (
        page_words.usable(promise())
    )
    none = promise(items=0)
    assert "they are unaudited: the rule would accept no gold item." in page_words.usable(none)
    assert page_words._wrong(promise()) == ("not measured", "the model expects 0.9%, unaudited")


def test_nothing_is_accepted() -> None:
    nothing = promise() | {"accepted": 0, "expected_error": None}
    assert page_words.usable(nothing) == "0 of 200 labels are sure enough to use at a target of 95%."
    assert page_words._wrong(nothing) == ("no error to state", "nothing is accepted")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"gold_items": None}, "not told"),
        ({"gold_items": 0}, "not measured"),
        ({"gold_items": 6, "gold_errors": 1}, "1 of 6: too few gold items to tell"),
        ({"gold_items": 50, "measured_error": 0.1, "low": 0.03, "high": 0.22}, "10.0% [3.0% to 22.0%]"),
    ],
)
def test_measured(row: dict[str, Any], said: str) -> None:
    assert page_words.measured(row) == said


def test_wrong_gold_is_told_beside_what_it_measured() -> None:
    assert page_words.wrong_gold(0, promise(items=91)) == ""
    assert page_words.wrong_gold(3, promise()) == ""
    assert page_words.wrong_gold(1, promise(items=91)).startswith(
        " 1 gold item is probably wrong and counts against the labels: correct the gold first"
    )
    assert page_words.wrong_gold(6, promise(items=91)).startswith(" 6 gold items are probably wrong and count against")


def test_titles_say_what_to_see() -> None:
    assert page_words._largest([]) == "No label was given"
    assert (
        page_words._largest([{"label": "a", "items": 3, "share": 0.75}])
        == "a is the most frequent label: 75% of the items"
    )
    fine = {"confidence": 0.9, "right": 0.88, "low": 0.7, "high": 0.97}
    assert page_words._reliable([fine]).startswith("Confidence and gold agree")
    low = fine | {"right": 0.5, "low": 0.3, "high": 0.7}
    assert page_words._reliable([fine, low]) == (
        "Labels with a confidence of about 90% are right less often on gold: 50%"
    )
    high = {"confidence": 0.5, "right": 1.0, "low": 0.8, "high": 1.0}
    assert "right more often on gold: 100%" in page_words._reliable([high])
    assert page_words._spread(None) == "Nobody's accuracy is known"
    assert page_words._reason([]) == "Every item is settled"
    assert page_words._reason([{"reason": "weak_workers", "items": 2}]) == (
        "Why most of the items are not settled: weak workers"
    )
    assert page_words._budget([]) == "More judgments would bring nothing"
    assert page_words._sure(promise()) == "150 of 200 labels can be used"
    assert page_words._sure(promise(items=9) | {"items": 1, "accepted": 1}) == "1 of 1 label without gold can be used"
    assert page_words._sure(promise() | {"accepted": 0}) == "No label is sure enough yet"


def test_tiles_of_nothing_say_so() -> None:
    told: dict[str, Any] = {"quality": promise(), "counts": {"status": {}}, "escalation": {"items_listed": 0}}
    notes = {name: (value, note) for name, value, note in page_words.tiles(told, 0)}
    assert notes["need more judgments"] == ("0", "nothing to ask")
    assert notes["wait for an expert"] == ("0", "no item")
    assert notes["labels accepted"] == ("150", "75% of all")
    of_gold = {name: note for name, _, note in page_words.tiles(told | {"quality": promise(items=91)}, 0)}
    assert of_gold["labels accepted"] == "75% of those without gold"
    told["counts"]["status"] = {"escalate": 1, "needs_expert": 2}
    notes = {name: (value, note) for name, value, note in page_words.tiles(told, 0)}
    assert notes["need more judgments"] == ("1", "0 of them on the list below")
    assert notes["wait for an expert"] == ("2", "more judgments won't help")


@pytest.mark.parametrize(
    ("weight", "said"), [(1.335, "x 3.8"), (-1.335, "/ 3.8"), (0.0, "x 1"), (6.0, "x 403"), (-99.0, "/ 485,165,195")]
)
def test_odds(weight: float, said: str) -> None:
    assert words.odds(weight) == said
