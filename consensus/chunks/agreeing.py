"""How far the people of a picture agree, and how each paints beside what the others say."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from consensus.chunks import patterns
from consensus.kernels import mask_loops

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from consensus.chunks.clicks import Rows
    from consensus.chunks.counting import Counted
    from consensus.chunks.painting import Painted
    from consensus.chunks.patterns import Regions
    from consensus.found.result import Consensus

    Reals = NDArray[np.float64]

DIAGONAL = (
    np.pi / 4
)  # sides of pixels along a line that runs in any direction, on the mean, are 4 / pi times its length
MATCHED = 0.1  # share of a part from which the others have painted it, too


def class_iou(first: NDArray[np.int64], second: NDArray[np.int64], area: NDArray[np.int64], K: int) -> float:
    """Mean IoU of two label maps, given as the labels (n,) of parts of ``area`` (n,), over the classes in either.

    Where one has no label (-1), the part is left out. Missing where nothing is left.
    """
    known = (first >= 0) & (second >= 0)
    first, second, area = first[known], second[known], area[known]
    same = first == second
    both = np.bincount(first[same], weights=area[same], minlength=K)
    either = np.bincount(first, weights=area, minlength=K) + np.bincount(second, weights=area, minlength=K) - both
    found = either > 0
    return float((both[found] / either[found]).mean()) if found.any() else float("nan")


def agreement(counted: Counted, K: int) -> tuple[float, float]:
    """Mean IoU over all pairs of people, and their agreement on a pixel beyond chance: 1 always, 0 as by chance.

    The second is (p - e) / (1 - e), with p the share of pixels on which a pair agrees and e that by chance, given how
    much of each class each of them painted; both on the mean over pairs. Missing where there are no two.
    """
    ious, agreed, by_chance = [], [], []
    for one, other in combinations(counted.of_kind("human"), 2):
        first, second = counted.votes[:, one].astype(np.int64), counted.votes[:, other].astype(np.int64)
        both = (first >= 0) & (second >= 0) & (counted.area > 0)
        if not both.any():
            continue
        area = counted.area[both]
        shares = [np.bincount(labels[both], weights=area, minlength=K) / area.sum() for labels in (first, second)]
        ious.append(class_iou(first[both], second[both], area, K))
        agreed.append(area[first[both] == second[both]].sum() / area.sum())
        by_chance.append(float(shares[0] @ shares[1]))
    if not ious:
        return float("nan"), float("nan")
    p, e = float(np.mean(agreed)), float(np.mean(by_chance))
    return float(np.mean(ious)), (p - e) / (1.0 - e) if e < 1.0 else 1.0


def without_each(counted: Counted, rows: Rows, result: Consensus, codes: Mapping[str, int]) -> NDArray[np.int64]:
    """(R, P) the label of each row by the judgments of all people but one, of each of P people; -1 without any.

    ``codes`` are those of the workers, by name. Where gold is known, it is that. What
    models say, and clicks, is left out: the others are those who paint.
    """
    people = counted.of_kind("human")
    votes = rows.votes[:, people].astype(np.int64)
    logs = np.zeros((*votes.shape, len(result.prior_shares)))
    for place, column in enumerate(people):
        code = codes[counted.columns[column].name]
        C = np.log(np.maximum(result.confusions.matrix(code), 1e-300))
        given = votes[:, place] >= 0
        logs[given, place] = C[:, votes[given, place]].T
    others = logs.sum(axis=1)[:, None] - logs + np.log(np.maximum(result.prior_shares, 1e-300))
    n_others = (votes >= 0).sum(axis=1)[:, None] - (votes >= 0)
    found = np.where(n_others > 0, others.argmax(axis=2), -1)
    gold = counted.gold[rows.pattern].astype(np.int64)[:, None]
    return np.asarray(np.where(gold >= 0, gold, found), np.int64)


@dataclass(frozen=True, slots=True)
class Parts:
    """How one person paints one picture, beside what the others say."""

    iou: float
    """Mean over the classes."""
    n_missed: int
    """Parts that the others say are there, of which they painted less than a tenth."""
    n_extra: int
    """Parts that they painted, of which the others say so of less than a tenth."""
    grown: float
    """Pixels that the parts of both are larger than those of the others; negative: smaller."""
    outline: float
    """Length of the outline of the others' parts, in pixels."""
    judged: int
    """Pixels that they judged."""


def parts(painted: Painted, reference: NDArray[np.int64], column: int, ground: int, least: int) -> Parts:
    """How the person of a ``column`` paints, by the label of the others ``reference`` (R,).

    Parts are connected regions of one class other than ``ground``, of ``least`` pixels or more.
    """
    own_row = painted.rows.votes[:, column].astype(np.int64)
    iou = class_iou(own_row, reference, painted.rows.area, painted.row_posterior.shape[1])
    known = (own_row >= 0) & (reference >= 0)
    row_of_pixel = painted.row[painted.chunk_of_pixel]
    maps = [np.where(known, one, -1).astype(np.int16)[row_of_pixel] for one in (reference, own_row)]
    of_others, of_own = (patterns.regions(one.astype(np.int32)) for one in maps)
    n_of, n_by = np.zeros((len(of_others.area), 3), np.int64), np.zeros((len(of_own.area), 2), np.int64)
    mask_loops.compare(*maps, of_others.region, of_own.region, n_of, n_by)
    there, made = (_are_parts(found, one, ground, least) for found, one in zip((of_others, of_own), maps, strict=True))
    met, matched = n_of[:, 1] >= MATCHED * n_of[:, 0], n_by[:, 1] >= MATCHED * n_by[:, 0]
    return Parts(
        iou,
        int((there & ~met).sum()),
        int((made & ~matched).sum()),
        float(n_by[made & matched, 0].sum() - n_of[there & met, 0].sum()),
        float(n_of[there & met, 2].sum() * DIAGONAL),
        int(painted.rows.area[own_row >= 0].sum()),
    )


def _are_parts(found: Regions, labels: NDArray[np.int16], ground: int, least: int) -> NDArray[np.bool_]:
    label = labels.ravel()[found.first]
    return np.asarray((label >= 0) & (label != ground) & (found.area >= least))
