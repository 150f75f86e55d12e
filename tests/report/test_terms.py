"""What the words on the page mean: the same sentences as in the glossary, and every value has one."""

from pathlib import Path

import pytest

from consensus.escalation import REASONS, STATUSES
from consensus.report import terms
from consensus.worker_audit import VERDICTS

GLOSSARY = (Path(__file__).parents[2] / "docs" / "glossary.md").read_text()


@pytest.mark.parametrize("of", [terms.VERDICTS, terms.STATUSES, terms.REASONS, terms.WORDS])
def test_the_glossary_has_the_same_sentences(of: dict[str, str]) -> None:
    for name, text in of.items():
        assert f"- *{terms.plain(name)}*: {text}\n" in GLOSSARY


def test_every_value_is_explained() -> None:
    assert set(terms.VERDICTS) == set(VERDICTS)
    assert set(terms.STATUSES) == set(STATUSES)
    assert set(terms.REASONS) == set(REASONS)


def test_names_in_words() -> None:
    assert terms.plain("too_few") == "too few"
    assert terms.plain("krippendorff_alpha") == "Krippendorff's alpha"
    assert terms.plain("lure") == "a wrong label may tempt many"
