"""Whether the labels of a truth are those that could have been given, told before they are scored."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from consensus.errors import JudgmentError
from consensus.inputs.counted import counted
from consensus.inputs.judgments import listed
from consensus.inputs.understood import quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

MOST_NAMED = 5  # labels in a note


def unknown_labels(truths: Sequence[Sequence[str]], label_set: Collection[str], whole: bool) -> tuple[str, ...]:
    """Say which labels of a truth are not among the labels, and of how many items they are all that is right.

    Parameters
    ----------
    truths
        The accepted labels of each item that is scored.
    label_set
        The labels; where these are only the ones that some item got, not the ``whole`` set.
    whole
        Whether other labels could not have been given.

    Raises
    ------
    JudgmentError
        No item accepts any of the labels.
    """
    known = set(label_set)
    if not known:
        return ()
    if not any(known.intersection(true) for true in truths):
        theirs = sorted({label for true in truths for label in true}, key=str.encode)
        more = "" if whole else "; or score posteriors.csv, or the folder of the run, which know all labels"
        raise JudgmentError(
            f"the labels of the truth are {listed(theirs)}, the labels to score {listed(sorted(known, key=str.encode))}"
            f": none is the same; write them alike{more}"
        )
    lost = Counter(true[0] for true in truths if not known.intersection(true))
    if not lost:
        return ()
    names = [f'"{label}" ({counted(n, "item")})' for label, n in lost.most_common(MOST_NAMED)]
    more = f" and {len(lost) - MOST_NAMED:,} more" if len(lost) > MOST_NAMED else ""
    if len(lost) == 1:
        why = "is not in the label set, so that nobody could give it" if whole else "was given to no item"
    else:
        why = "are not in the label set, so that nobody could give them" if whole else "were given to no item"
    return (
        f"the truth {', '.join(names)}{more} {why}: no label can be right there; correct it if it is another way to "
        "write a label, else name the whole set with --labels when you run",
    )


def gold_left_out(n_gold: int, n_scored: int) -> tuple[str, ...]:
    """Say that items whose label was given are not scored.

    Raises
    ------
    JudgmentError
        There are no others.
    """
    if not n_gold:
        return ()
    if not n_scored:
        raise JudgmentError(
            f"all {n_gold:,} labelled items with a truth are gold: their label was given, not found, so there is "
            "nothing to score; run without --gold, or keep some items with a known label out of it"
        )
    are = "item with a truth is" if n_gold == 1 else "items with a truth are"
    return (f"{n_gold:,} {are} gold and left out: given, not found",)


def without_a_label(n_truths: int, missing: Sequence[str]) -> tuple[str, ...]:
    """Say that items of the truth are not among those that are scored: ``missing`` of ``n_truths``."""
    if not missing:
        return ()
    have = "has no label and is" if len(missing) == 1 else "have no label and are"
    return (
        f"{len(missing):,} of {n_truths:,} items with a truth {have} left out, such as {quoted(missing[0])}; check "
        "whether items are named alike in both",
    )
