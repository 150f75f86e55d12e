"""The sentences of the program: no private jargon, and the script that lists them misses none of a sample."""

import re

import pytest

from tests.sentences import sentences

JARGON = re.compile(r"\bnats?\b|\bpush(es|ed)\b|\bworth\b|nothing has audited|\ba row an item\b")
EVERY = sentences()


def test_no_jargon() -> None:
    held = [one for one in EVERY if JARGON.search(re.sub(r'\("\w+", ', "", one.text))]
    assert held == []


@pytest.mark.parametrize(
    "text",
    [
        "no gold labels were given: a confidence only tells how far competent workers agree",  # a message
        "Also write posteriors.csv.",  # help
        "Merge JUDGMENTS into labels, rate workers, list what to escalate: all in a folder.",
        "The second most probable label; missing where none is possible or stands out.",  # a column
        "What needs a decision",  # the page
        "Open this item where people judge it",  # its script
    ],
)
def test_every_kind_is_listed(text: str) -> None:
    assert any(text in one.text for one in EVERY)
