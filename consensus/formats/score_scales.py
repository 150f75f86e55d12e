"""The scale of the scores of models: probabilities, or what can be turned into them; what is neither is told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.errors import FormatError
from consensus.formats.vote_samples import TOLERANCE
from consensus.inputs.counted import counted
from consensus.inputs.notices import Notice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from consensus.config import ScoreScale
    from consensus.formats.tables.coded_rows import Rows
    from consensus.formats.vote_samples import ModelRows

    Reals = NDArray[np.float32]

MOST = 0.05  # share of a model's rows with a score that is no probability
LEAST = 2  # rows; one alone is no scale
LEAST_P = 1e-30  # probability of what is almost impossible: a score of 0 alone says nothing


def of_numbers(cells: Reals, scale: ScoreScale | None) -> Reals:
    """Numbers of cells as probabilities; logits stay: what they mean hangs on the others of their list."""
    if scale in {"10", "100"}:
        return np.asarray(cells / np.float32(scale), np.float32)
    if scale == "log":
        with np.errstate(over="ignore"):
            return np.asarray(np.where(np.isneginf(cells), 0, np.maximum(np.exp(cells), LEAST_P)), np.float32)
    return cells


def of_logits(rows: ModelRows) -> ModelRows:
    """The rows with probabilities in place of logits: by softmax in a list, as log odds where one label has a score."""
    table = rows.table.astype(np.float64)
    single = (~np.isnan(table)).sum(axis=1) <= 1
    table[single] = _logistic(table[single])
    peak = _peaks(table[~single])
    e = np.exp(table[~single] - peak)
    table[~single] = e / np.nansum(e, axis=1, keepdims=True)
    score = rows.score.astype(np.float64)
    at = np.flatnonzero(~np.isnan(score) & (rows.label >= 0))
    lone, vote = _lone(rows, at)
    score[at[lone]] = _logistic(score[at[lone]])
    listed, vote = at[~lone], vote[~lone]
    if len(listed):
        best = np.full(vote.max() + 1, -np.inf)
        np.maximum.at(best, vote, score[listed])
        best[np.isneginf(best)] = 0.0
        score[listed] = np.exp(score[listed] - best[vote])
    return replace(rows, score=score.astype(np.float32), table=table.astype(np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class Odd:
    """Rows whose scores are no probabilities."""

    row: NDArray[np.int64]
    """(n,) positions among all rows, ascending."""
    label: NDArray[np.int32]
    """(n,) whose score it is."""
    value: NDArray[np.float64]
    """(n,)"""

    def reasons(self, labels: Sequence[str]) -> list[str]:
        """Why each row is rejected."""
        return [
            f'the probability of "{labels[k]}" is {value:g}, {"negative" if value < 0 else "above 1"}'
            for k, value in zip(self.label.tolist(), self.value.tolist(), strict=True)
        ]


def odd_rows(rows: ModelRows) -> Odd:
    """Rows with a negative score, or with one above 1 where no other label of the vote has a score, or without bound.

    Scores of several labels may be counts or percent: they are divided by their sum. A logarithm far above 0 is no
    logarithm of a probability, and has no bound as one.
    """
    row, label, value = [np.zeros(0, np.int64)], [np.zeros(0, np.int32)], [np.zeros(0)]
    if len(rows.table) and (np.nanmin(rows.table, initial=0) < 0 or np.nanmax(rows.table, initial=0) > 1 + TOLERANCE):
        place = np.flatnonzero(rows.wide >= 0)  # of the rows of the table, in its order
        single = (~np.isnan(rows.table)).sum(axis=1) == 1
        bad = (rows.table < 0) | (single[:, None] & (rows.table > 1 + TOLERANCE)) | np.isinf(rows.table)
        at = np.flatnonzero(bad.any(axis=1))
        first = bad[at].argmax(axis=1)
        row.append(place[np.argsort(rows.wide[place])][at])
        label.append(first.astype(np.int32))
        value.append(rows.table[at, first].astype(np.float64))
    if len(rows.score) and (np.nanmin(rows.score, initial=0) < 0 or np.nanmax(rows.score, initial=0) > 1 + TOLERANCE):
        at = np.flatnonzero(~np.isnan(rows.score) & (rows.label >= 0))
        lone, _ = _lone(rows, at)
        score = rows.score[at]
        at = at[(score < 0) | (lone & (score > 1 + TOLERANCE)) | np.isinf(score)]
        row.append(at)
        label.append(rows.label[at])
        value.append(rows.score[at].astype(np.float64))
    found = np.concatenate(row)
    order = np.argsort(found, kind="stable")
    return Odd(found[order], np.concatenate(label)[order], np.concatenate(value)[order])


def without(rows: ModelRows, odd: Odd) -> ModelRows:
    """The other rows: those that are odd say nothing."""
    label, table = rows.label.copy(), rows.table.copy()
    label[odd.row] = -1
    wide = rows.wide[odd.row]
    table[wide[wide >= 0]] = np.nan
    return replace(rows, label=label, table=table)


def told(rows: ModelRows, odd: Odd, models: Sequence[str], source: Rows, scale: ScoreScale | None) -> str | None:
    """Whose scores are no probabilities, and how many; None where all are.

    Raises
    ------
    FormatError
        More than ``MOST`` of a model's rows have such scores: their scale is another one.
    """
    if not len(odd.row):
        return None
    n_rows = np.bincount(rows.model[rows.answered()], minlength=len(models))
    n_odd = np.bincount(rows.model[odd.row], minlength=len(models))
    worst = [m for m in np.argsort(-n_odd, kind="stable").tolist() if n_odd[m]]
    many = [m for m in worst if n_odd[m] > MOST * n_rows[m] and n_odd[m] >= LEAST]
    for m in many[:1]:
        own = odd.value[rows.model[odd.row] == m]
        row = int(odd.row[rows.model[odd.row] == m][0])
        raise FormatError(
            f'model "{models[m]}": {n_odd[m]:,} of {n_rows[m]:,} scores are no probabilities, '
            f"such as {own[0]:g}; {_guess(own, n_odd[m] == n_rows[m] and not _others_fit(rows, n_odd), scale)}",
            source.place(row),
        )
    return "; ".join(f'"{models[m]}" {n_odd[m]:,} of {n_rows[m]:,}' for m in worst)


def _others_fit(rows: ModelRows, n_odd: NDArray[np.int64]) -> bool:
    """Whether there are models with scores, all of which are probabilities."""
    scored = ~np.isnan(rows.score) & (rows.label >= 0)
    wide = np.flatnonzero(rows.wide >= 0)
    scored[wide] = ~np.isnan(rows.table[rows.wide[wide]]).all(axis=1)
    return bool((n_odd[rows.model[scored]] == 0).any())


def _guess(values: NDArray[np.float64], is_all: bool, scale: ScoreScale | None) -> str:
    """What scores that are no probabilities may be, and the way out."""
    if scale not in {None, "1"}:
        return f"they do not suit --score-scale {scale}; choose 1, 10, 100, logit or log, or mend the file"
    mixed = "" if is_all else "others are from 0 to 1: if two scales are mixed, mend the file; else "
    if values.min() < 0 and values.max() <= 0:
        return f"{mixed}if they are log-probabilities, pass --score-scale log; if they are logits, --score-scale logit"
    if values.min() < 0:
        return f"{mixed}if they are logits, pass --score-scale logit"
    if values.max() > 100 * (1 + TOLERANCE):
        return f"{mixed}if they are logits, pass --score-scale logit; else divide them by the largest that may be"
    likely = "10" if values.max() <= 10 * (1 + TOLERANCE) else "100"
    name = {"10": "from 0 to 10", "100": "percent"}[likely]
    return f"{mixed}if they are {name}, pass --score-scale {likely}; if they are logits, --score-scale logit"


def _lone(rows: ModelRows, at: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Whether no other label of its vote has a score, of the long rows ``at`` (n,); and the vote of each."""
    key = rows.item[at].astype(np.int64) * rows.n_models + rows.model[at]
    _, vote = np.unique(key, return_inverse=True)
    low = np.full(vote.max(initial=-1) + 1, np.iinfo(np.int32).max, np.int32)
    high = np.full(len(low), -1, np.int32)
    np.minimum.at(low, vote, rows.label[at])
    np.maximum.at(high, vote, rows.label[at])
    return (low == high)[vote], vote


def _logistic(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 / (1 + exp(-x)), without overflow, and not 0 but for minus infinity."""
    e = np.exp(-np.abs(x))
    return np.where(np.isneginf(x), 0.0, np.maximum(np.where(x >= 0, 1.0, e) / (1.0 + e), LEAST_P))


def _peaks(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 1) the largest number of each row; 0 where all are minus infinity."""
    peak = np.fmax.reduce(table, axis=1, keepdims=True, initial=-np.inf)
    return np.where(np.isneginf(peak), 0.0, peak)


def beyond(told: str, n_rows: int) -> Notice:
    """Say whose scores are no probabilities."""
    n = counted(n_rows, "score of a model is no probability", "scores of models are no probabilities")
    way_out = "rows with such a score are rejected; mend them, or tell --score-scale 10, 100, logit or log"
    return Notice("scores_out_of_range", f"{n}: {told}; {way_out}", {"n_rows": n_rows})
