"""Votes of models for labels outside of the label set: counted by model and text, refused where they are many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.errors import JudgmentError
from consensus.inputs.judgments import listed
from consensus.inputs.notices import Notice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MOST = 0.05  # share of a model's votes
LEAST = 2  # votes; one alone is no habit
MODELS_NAMED, TEXTS_NAMED, LONGEST = 3, 3, 40


def told(
    model: NDArray[np.int32],
    label: NDArray[np.int32],
    off: NDArray[np.bool_],
    models: Sequence[str],
    texts: Sequence[str],
    labels: Sequence[str],
    given: bool,
    file: str | None = None,
) -> tuple[Notice, ...]:
    """Say whose votes name which other labels, and how often.

    Parameters
    ----------
    model, label, off
        (V,) the model of each vote, the label that it names, and whether that is outside of the label set.
    models, texts
        What the codes of these stand for.
    labels
        The label set.
    given
        Whether the user named it: then others are known to be none.
    file
        That the votes were read from.

    Raises
    ------
    JudgmentError
        More than ``MOST`` of the votes of a model are, and the label set was not given.
    """
    if not off.any():
        return ()
    n_votes = np.bincount(model, minlength=len(models))
    n_off = np.bincount(model[off], minlength=len(models))
    order = np.argsort(-n_off, kind="stable")
    worst = [m for m in order.tolist() if n_off[m]]
    said = [f'"{models[m]}" {_texts(label[off & (model == m)], texts)}' for m in worst[:MODELS_NAMED]]
    more = f"; {len(worst) - MODELS_NAMED:,} more models" if len(worst) > MODELS_NAMED else ""
    many = [m for m in worst if n_off[m] > MOST * n_votes[m] and n_off[m] >= LEAST]
    if many and not given:
        m = max(many, key=lambda one: (n_off[one] / n_votes[one], -one))
        raise JudgmentError(
            f'model "{models[m]}": {n_off[m]:,} of {n_votes[m]:,} votes name a label that is not in the label set '
            f"{listed(labels)}: {_texts(label[off & (model == m)], texts)}; fold spellings with --fold labels, map "
            "labels with --label-map, pass --abstain for what means no answer, or name the whole set with --labels: "
            "then votes for others do not count",
            file,
        )
    n = int(off.sum())
    return (
        Notice(
            "unparsed_votes",
            f"{n:,} model votes name no label of the label set and do not count: {'; '.join(said)}{more}; if it lacks "
            "one, name the whole set with --labels",
            {"n_votes": n},
        ),
    )


def _texts(label: NDArray[np.int32], texts: Sequence[str]) -> str:
    """Such as ``"FAIL" (40), "ERROR" (2)``, the most frequent first."""
    code, n = np.unique(label, return_counts=True)
    order = np.argsort(-n, kind="stable")
    shown = [f'"{texts[code[k]]:.{LONGEST}}" ({n[k]:,})' for k in order[:TEXTS_NAMED].tolist()]
    more = f" and {len(code) - TEXTS_NAMED:,} more" if len(code) > TEXTS_NAMED else ""
    return ", ".join(shown) + more
