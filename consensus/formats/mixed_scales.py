"""Scores in percent beside scores from 0 to 1: .73 and 73 in one file, of which one is not what it seems.

Lists of scores of all labels are divided by their sum, so that they are right on any scale.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.errors import FormatError
from consensus.formats.score_scales import LEAST, MOST
from consensus.formats.vote_samples import TOLERANCE
from consensus.inputs.notices import Notice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from consensus.formats.tables.coded_rows import Rows
    from consensus.formats.vote_samples import ModelRows

PERCENT = 0.01  # of what scores in percent are, as they were read


def told(rows: ModelRows, models: Sequence[str], source: Rows) -> Notice | None:
    """Say whose scores, read as percent, are at most 1 in all of a vote, beside others above 1; None where nobody's.

    Raises
    ------
    FormatError
        All of a model's are, but not those of others; or more than ``MOST`` of the votes of a model that names several
        labels: who names one only may well give it less than 1 %.
    """
    at = np.flatnonzero((rows.label >= 0) & ~np.isnan(rows.score))
    wide = np.flatnonzero(rows.wide >= 0)
    score = np.concatenate([rows.score[at], np.nansum(rows.table[rows.wide[wide]], axis=1)]).astype(np.float64)
    row = np.concatenate([at, wide])
    vote = np.unique(rows.item[row].astype(np.int64) * rows.n_models + rows.model[row], return_inverse=True)[1]
    n_each = np.concatenate([np.ones(len(at)), (~np.isnan(rows.table[rows.wide[wide]])).sum(axis=1)])
    partial = np.bincount(vote, weights=n_each) < rows.table.shape[1]  # lists of all labels have no scale
    total = np.where(partial, np.bincount(vote, weights=score), 0.0)
    model = np.zeros(len(total), np.int32)
    model[vote] = rows.model[row]
    small = (total > 0) & (total <= PERCENT * (1 + TOLERANCE))
    n_small = np.bincount(model[small], minlength=len(models))
    n_votes = np.bincount(model[total > 0], minlength=len(models))
    if (n_small < n_votes).any():
        for m in np.flatnonzero((n_small == n_votes) & (n_small >= LEAST)).tolist():
            place = source.place(int(row[np.flatnonzero(rows.model[row] == m)[0]]))
            other = models[int(np.argmax(n_votes - n_small))]
            raise FormatError(
                f'model "{models[m]}": all {n_small[m]:,} scores are at most 1, beside those of "{other}", '
                "and --score-scale 100 takes them all for percent; if two scales are mixed, mend the file",
                place,
            )
    some = [m for m in np.argsort(-n_small, kind="stable").tolist() if 0 < n_small[m] < n_votes[m]]
    if not some:
        return None
    for m in some:
        if n_small[m] > MOST * n_votes[m] and n_small[m] >= LEAST and _names_several(rows, at, wide, m):
            own = np.flatnonzero(rows.model[row] == m)
            low, high = (int(own[np.flatnonzero(small[vote[own]] == is_low)[0]]) for is_low in (True, False))
            raise FormatError(
                f'model "{models[m]}": {n_small[m]:,} of {n_votes[m]:,} scores are at '
                f"most 1, such as {_as_read(score[low])}, beside others such as {_as_read(score[high])}, and "
                "--score-scale 100 takes them all for percent; if two scales are mixed, mend the file",
                source.place(int(row[low])),
            )
    listed = "; ".join(f'"{models[m]}" {n_small[m]:,} of {n_votes[m]:,}' for m in some)
    return Notice(
        "mixed_scales",
        f"{int(n_small[some].sum()):,} scores of models are at most 1, beside others above 1, and count as less than "
        f"1 %: {listed}; if two scales are mixed, mend the file",
        {"n_votes": int(n_small[some].sum())},
    )


def _names_several(rows: ModelRows, at: NDArray[np.int64], wide: NDArray[np.int64], model: int) -> bool:
    """Whether a model has scores of several labels."""
    labels = np.unique(rows.label[at[rows.model[at] == model]])
    table = rows.table[rows.wide[wide[rows.model[wide] == model]]]
    return len(labels) + int((~np.isnan(table)).any(axis=0).sum()) > 1


def _as_read(score: float) -> str:
    """A score as it stood in the file."""
    return f"{score / PERCENT:.4g}"
