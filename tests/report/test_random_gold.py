"""The warning about gold that does not look drawn at random: one for the certificate and the shares together."""

from types import SimpleNamespace
from typing import Any

import pytest

from consensus.guarantees.randomness import Drawing
from consensus.report.random_gold import cautions

RANDOM = Drawing(40, 160, 0.01, 0.1, 0.6)
SURER = Drawing(40, 160, 0.21, 0.5, 1e-6)
ONE_LABEL = Drawing(30, 120, -0.02, 0.1, 0.5, means_p=3e-5)


def told(of_certificate: Drawing, of_shares: Drawing | None) -> list[Any]:
    found: Any = SimpleNamespace(drawing=of_certificate)
    shares: Any = SimpleNamespace(drawing=of_shares)
    return cautions(found, shares)


@pytest.mark.parametrize("of_shares", [None, RANDOM])
def test_random_gold_is_no_warning(of_shares: Drawing | None) -> None:
    assert told(RANDOM, of_shares) == []


def test_what_is_certified_comes_first() -> None:
    (one,) = told(SURER, ONE_LABEL)
    assert one.code == "gold_not_random"
    assert one.message == (
        "the 40 gold items do not look drawn at random: their mean confidence is 0.21 higher than that of the 160 "
        "others (Kolmogorov-Smirnov distance 0.50, p-value 1e-06), so they measure nothing about the others and "
        "certify nothing; draw gold with consensus plan-gold, or pass --random-gold if it was drawn at random"
    )
    assert one.values == {"ks_distance": 0.5, "ks_p": 1e-6, "means_p": 1.0, "n_gold": 40.0}


def test_shares_alone() -> None:
    (one,) = told(RANDOM, ONE_LABEL)
    assert one.message == (
        "the 30 gold items do not look drawn at random: their mean confidence is 0.02 lower than that of the 120 "
        "others (p-value of the difference at most 3e-05), so the shares of labels made from them are not valid; draw "
        "gold with consensus plan-gold, or pass --random-gold if it was drawn at random"
    )
