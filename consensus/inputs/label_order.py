"""The order of labels, where they have one: as it was given, or as numbers."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from consensus.errors import ConfigError
from consensus.inputs.judgments import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consensus.inputs.judgments import Judgments


def as_declared(judgments: Judgments, orders: Sequence[tuple[str, ...] | None]) -> Judgments:
    """The judgments over their labels in the order that their columns declare (ordered categories, pandas or Arrow).

    ``orders`` are those of all sources. Where they differ, or lack a label, the labels stay sorted.
    """
    declared = set(orders)
    order = declared.pop() if len(declared) == 1 else None
    if order is None or not set(judgments.labels).issubset(order):
        return judgments
    return judgments.with_labels([label for label in order if label in judgments.labels])


def in_order(judgments: Judgments) -> Judgments:
    """The judgments over labels whose order means something: as it was given, else that of numbers.

    Raises
    ------
    ConfigError
        There are three labels or more, no order was given, and not all are numbers, or two are the same number.
    """
    labels = judgments.labels
    if judgments.labels_ordered or len(labels) < 3:  # turned around, two are the same
        return judgments
    numbers = {label: number for label in labels if (number := _number(label)) is not None}
    words = [label for label in labels if label not in numbers]
    way_out = "name them in their order with --labels (in Python: judgments.with_labels)"
    if words and len(words) < len(numbers):
        raise ConfigError(
            f"level ordinal: {listed(words)} {'is no number' if len(words) == 1 else 'are no numbers'} as the other "
            f"labels are; if that means no answer, pass --abstain; else {way_out}"
        )
    if words:
        raise ConfigError(f"level ordinal needs an order, and nothing tells that of {listed(labels)}; {way_out}")
    found = sorted(labels, key=numbers.__getitem__)
    for one, other in pairwise(found):
        if numbers[one] == numbers[other]:
            raise ConfigError(
                f'level ordinal: the labels "{one}" and "{other}" are the same number; write them alike, or {way_out}'
            )
    return judgments.with_labels(found)


def _number(label: str) -> float | None:
    """The finite number that a label is, as people write numbers; None where it is none."""
    if not label.isascii() or "_" in label:
        return None
    try:
        number = float(label)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
