"""Which texts look alike, and what they are folded onto."""

import pyarrow as pa
import pytest

from consensus.inputs import look_alikes


def groups(texts: list[str], is_label: bool = True) -> list[list[str]]:
    found = look_alikes.alike(pa.array(texts, pa.string()), is_label=is_label)
    return [] if found is None else [[texts[n] for n in group.tolist()] for group in look_alikes.groups_of(found)]


@pytest.mark.parametrize(
    "texts",
    [
        ["yes", "Yes", "YES"],
        ["yes", "yes ", " yes", "\tyes"],
        ["yes", "yes\u00a0", "\u2003yes"],
        ["not ok", "not  ok", "not\tok"],
        ["yes", "yes.", "Yes. "],
        ["caf\u00e9", "cafe\u0301", "CAF\u00c9"],
        ["yes", "ye\u200bs", "\ufeffyes"],
        ["\uff59\uff45\uff53", "yes"],
        ["1", "1.0", "1.", "+1", "1.000"],
        ["1.5", "1.50"],
        ["01", "1"],
        ["-1", "-1.0"],
        ["a|b", "b|a"],
        ["a;b", "b; a"],
        ["a, b", "b, a"],
        ['["a","b"]', '["b", "a"]', "b|A"],
        ['{"x": 1, "y": 2}', '{"y": 2, "x": 1}'],
        ["", " ", "\u00a0"],
        ["a|b", "b|a|b"],
        ["yes", '"yes"', "'Yes'", "**yes**", "\u201cyes.\u201d", "`yes` ", "\u00abyes\u00bb"],
        ["not spam", "not_spam", "Not-Spam", "NOT__spam"],
        ["a b c", "a-b-c", "a_b_c"],
    ],
)
def test_labels_that_look_alike(texts: list[str]) -> None:
    assert groups([*texts, "other", "different"]) == [texts]
    assert groups([*texts[:1], "other"]) == []


@pytest.mark.parametrize(
    "texts",
    [
        ["yes", "no", "maybe"],
        ["A+", "A", "A-"],
        ["1", "2", "10", "-1"],
        ["?", "-", "--", "..."],
        ["a, b", "a, c"],
        ["1,000", "0,001"],
        ["1.1", "1.01"],
        ["01", "02", "2"],  # as many with a twin as without: no rule
        ['["a"]', "[b"],
        ['{"x": 1}', '{"x": 2}', "{x"],
        ["A*", "A", "*", "**", "'"],
        ["1-2", "1 2", "a-1", "a 1"],
        [],
    ],
)
def test_labels_that_do_not(texts: list[str]) -> None:
    assert groups(texts) == []


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["Q1", "q1", "q2"], [["Q1", "q1"]]),
        (["1", "1.0", "2", "2.0"], [["1", "1.0"], ["2", "2.0"]]),
        (["1", "1.0", "1.1", "1.10"], []),  # sections
        (["01234", "1235", "02345"], []),  # zip codes
        (["01", "1", "02", "2", "10"], [["01", "1"], ["02", "2"]]),
        (["a|b", "b|a"], []),  # no lists among ids
        (["", " "], [["", " "]]),
        (["", ""][:1], []),
        (["a.", "a"], [["a.", "a"]]),
        (["+1", "1"], [["+1", "1"]]),
        (["q1", "q\u00b9"], [["q1", "q\u00b9"]]),
        (["q1", "q2", "r"], []),
        (["Q1", "Q2"], []),
        (["q_1", "q-1", "a_b", "a-b", '"q"', "q"], []),  # names of files differ so
        (["0", "1", "22"], []),
        (["001", "002"], []),
        ([], []),
    ],
)
def test_ids(texts: list[str], expected: list[list[str]]) -> None:
    assert groups(texts, is_label=False) == expected


@pytest.mark.parametrize(
    ("texts", "counts", "expected"),
    [
        (["Yes", "yes"], [3, 4], "yes"),
        (["Yes", "yes"], [4, 4], "Yes"),
        (["no", "no."], [3, 40], "no"),
        (["no ", " no"], [3, 4], " no"),
        (["cafe\u0301", "caf\u00e9"], [9, 1], "caf\u00e9"),
        (["0.0", "0"], [54, 39], "0"),
        (["+1", " 1.0"], [5, 1], "1"),
        (["safety|policy", "policy|safety"], [22, 19], "policy|safety"),
        (["c; b; a", "b; c; a"], [2, 1], "a; b; c"),
        (['["b", "a"]', '["a","b"]'], [2, 1], '["a", "b"]'),
        (['["b","a"]', '["a","b"]'], [2, 1], '["a","b"]'),
        (['{"y": 1, "x": 2}', '{"x": 2, "y": 1}'], [2, 1], '{"x": 2, "y": 1}'),
        (["A|B", "a|b"], [1, 2], "a|b"),
        (['"yes"', "yes"], [9, 1], "yes"),
        (["not-spam", "not spam"], [9, 1], "not-spam"),
    ],
)
def test_the_spelling_that_is_chosen(texts: list[str], counts: list[int], expected: str) -> None:
    assert look_alikes.chosen(texts, counts) == expected


def test_parts_of_lists() -> None:
    assert look_alikes.parts_of('["a", 1]') == ["a", "1"]
    assert look_alikes.parts_of('{"a": "x", "b": 2}') == ['a: "x"', "b: 2"]
    assert look_alikes.parts_of("a|b") == ["a", "b"]
    for text in ('["a"]', '{"a": 1}', "a", "a|", "1,5", "[" * 100_000):
        assert look_alikes.parts_of(text) is None
    assert [look_alikes.is_json(text) for text in ("[1]", '{"a": 1}', "[", "1")] == [True, True, False, False]


def test_a_million_clean_ids_are_left_alone() -> None:
    ids = pa.array([f"q{n}" for n in range(1000)])
    assert look_alikes.keys_of(ids, is_label=False).equals(ids)
