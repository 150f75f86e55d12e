"""How good label maps are, held against a truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.chunks import folder
from consensus.chunks.tables import framed
from consensus.chunks.whole_run import ChunkRun
from consensus.errors import ConfigError, JudgmentError
from consensus.masks.mask_set import MaskSet
from consensus.masks.reading import read_masks
from consensus.runs.columns import Column

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from consensus.chunks.painting import Painted
    from consensus.masks.mask_set import Mask

    Reals = NDArray[np.float64]

LEAST_PROBABILITY = 1e-15  # of the true label, as the log loss takes it
N_BINS = 10  # of confidences, of equal width
SCORES = (
    Column("image", "text", "Name of the picture."),
    Column("n_pixels", "count", "Pixels whose truth is known."),
    Column("mean_iou", "number", "Mean IoU over the classes that are painted or true."),
    Column(
        "foreground_iou",
        "number",
        "IoU of everything but the background, its class right; missing where there is none.",
    ),
    Column("dice", "number", "Mean Dice over the same classes as mean_iou."),
    Column("boundary_f", "number", "F of outlines, mean over the same classes."),
    Column("accuracy", "number", "Share of the pixels that are right."),
    Column("log_loss", "number", "Mean of -log P(true label), natural logarithm."),
    Column("ece", "number", "Expected calibration error of the confidences, ten bins."),
)


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """What is counted of a picture, and added up over pictures."""

    both: Reals
    """(K,) pixels that are painted, and are."""
    painted: Reals
    """(K,)"""
    true: Reals
    """(K,)"""
    outlines: Reals
    """(K, 4) pixels of painted outlines, of these near a true one; of true outlines, of these near a painted one."""
    foreground: Reals
    """(2,) pixels of all but the background that are painted right; that are, or are painted as, anything but it. Zeros
    where there is no background."""
    loss: float
    bins: Reals
    """(N_BINS, 3) pixels, sum of confidences, right ones."""

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.both + other.both,
            self.painted + other.painted,
            self.true + other.true,
            self.outlines + other.outlines,
            self.foreground + other.foreground,
            self.loss + other.loss,
            self.bins + other.bins,
        )

    @property
    def scores(self) -> dict[str, Any]:
        """The columns of ``SCORES`` but for the name."""
        n = float(self.true.sum())
        there = (self.painted + self.true) > 0
        both, each = self.both[there], (self.painted + self.true)[there]
        outlines = self.outlines[there]
        outlined = (outlines[:, 0] + outlines[:, 2]) > 0
        return {
            "n_pixels": int(n),
            "mean_iou": _mean(both / (each - both)),
            "foreground_iou": float(self.foreground[0] / self.foreground[1]) if self.foreground[1] else None,
            "dice": _mean(2.0 * both / each),
            "boundary_f": _mean(_f(outlines[outlined])),
            "accuracy": float(self.both.sum()) / n if n else None,
            "log_loss": self.loss / n if n else None,
            "ece": float(np.abs(self.bins[:, 1] - self.bins[:, 2]).sum()) / n if n else None,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Evaluated:
    """Scores of pictures against a truth."""

    pooled: Mapping[str, float]
    """Of all pixels together: the columns of ``SCORES``."""
    means: Mapping[str, float]
    """Mean of each column over the pictures."""
    images: pd.DataFrame
    """One row a picture."""
    classes: pd.DataFrame
    """One row a class, over all pixels: label, n_pixels, iou, dice."""


def evaluate(run: ChunkRun | Path | str, truth: Any, *, boundary: int = 2, **reading: Any) -> Evaluated:
    """Hold the label maps of a run against a truth.

    Pixels whose truth is void are left out; pixels that nobody judged count as wrong.

    Parameters
    ----------
    run
        A run, or its folder.
    truth
        One mask a picture, as ``read_masks`` takes it, or a ``MaskSet``; pictures without one are left out.
    boundary
        Pixels by which an outline may be off.
    **reading
        Further arguments of ``read_masks``; ``images`` and ``void`` are those of the run where they are not given.

    Raises
    ------
    ConfigError
        ``boundary`` is out of range.
    JudgmentError
        The truth is of no picture of the run, or gives one twice.
    FormatError
        The truth can't be read.
    OutputError
        The folder is no run, or its masks have changed.
    """
    if not 0 <= boundary <= 1000:
        raise ConfigError(f"boundary = {boundary!r}: expected 0 to 1,000 pixels")
    made = run if isinstance(run, ChunkRun) else folder.load(run)
    known = _truths(made, truth, reading)
    rows, total = [], None
    for name, mask in known.items():
        painted = made.painted(name)
        found = sums(painted, mask.read(painted.picture.height, painted.picture.width), made.ground, boundary)
        rows.append({"image": name, **found.scores})
        total = found if total is None else total + found
    assert total is not None
    images = framed(rows, SCORES)
    means = {name: float(images[name].mean()) for name in images.columns[2:]}
    return Evaluated(total.scores, means, images, _by_class(total, made.labels))


def _truths(run: ChunkRun, truth: Any, reading: Mapping[str, Any]) -> dict[str, Mask]:
    as_before = {name: (run.inputs or {}).get(name) for name in ("images", "void")}
    options: Any = {**as_before, **reading}
    given = truth if isinstance(truth, MaskSet) else read_masks(None, gold=truth, classes=run.masks.classes, **options)
    if given.classes.labels != run.labels:
        raise JudgmentError("the truth has other classes than the run", code="unknown_label")
    found = {}
    for picture in given.pictures:
        masks = [*picture.masks, *([] if picture.gold is None else [picture.gold])]
        if picture.name not in run.names:
            continue
        if len(masks) != 1:
            raise JudgmentError(f'the truth of "{picture.name}" is given {len(masks)} times; keep one mask')
        found[picture.name] = masks[0]
    if not found:
        raise JudgmentError(
            f'the truth is of no picture of the run, which are called like "{run.names[0]}"', code="unknown_item"
        )
    return found


def sums(painted: Painted, truth: NDArray[np.int16], ground: int, boundary: int) -> Sums:
    """What is counted of one picture, given its ``truth`` (H, W), -1 for void."""
    K = painted.posterior.shape[1]
    label = painted.label[painted.chunk_of_pixel]
    known = truth >= 0
    t, p = truth[known].astype(np.int64), label[known]
    joint = np.bincount(t * (K + 1) + (p + 1), minlength=K * (K + 1)).reshape(K, K + 1).astype(np.float64)
    both = np.diagonal(joint[:, 1:]).copy()
    said, true = joint[:, 1:].sum(axis=0), joint.sum(axis=1)
    on = np.arange(K) != ground
    either = float(said[on].sum() + true[on].sum() - joint[:, 1:][np.ix_(on, on)].sum())
    chunk = painted.chunk_of_pixel[known]
    z = painted.posterior[chunk, t]
    confidence = painted.confidence[chunk]
    bin_of = np.minimum((confidence * N_BINS).astype(np.int64), N_BINS - 1)
    counted = [np.bincount(bin_of, weights=one, minlength=N_BINS) for one in (np.ones(len(t)), confidence, t == p)]
    return Sums(
        both,
        said,
        true,
        np.array([_outlines(label, truth, known, k, boundary) for k in range(K)], np.float64).reshape(K, 4),
        np.array([both[on].sum(), either]) if ground >= 0 else np.zeros(2),
        float(-np.log(np.maximum(z, LEAST_PROBABILITY)).sum()),
        np.stack(counted, axis=1),
    )


def _outlines(
    label: NDArray[np.int64], truth: NDArray[np.int16], known: NDArray[np.bool_], k: int, boundary: int
) -> tuple[int, int, int, int]:
    """Pixels of the painted outline of class k, of these near a true one; and the other way round."""
    from scipy import ndimage

    lines = [outline(np.where(known, one == k, False)) & known for one in (label, truth)]
    found = []
    for one, other in (lines, lines[::-1]):
        n_near = 0
        if one.any() and other.any():
            n_near = int((ndimage.distance_transform_edt(~other)[one] <= boundary).sum())
        found += [int(one.sum()), n_near]
    return found[0], found[1], found[2], found[3]


def outline(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels ``inside`` (H, W) that have a side in common with one outside; the border of the picture is no outline."""
    found = np.zeros_like(inside)
    across, down = inside[:, 1:] != inside[:, :-1], inside[1:] != inside[:-1]
    found[:, 1:] |= across
    found[:, :-1] |= across
    found[1:] |= down
    found[:-1] |= down
    return found & inside


def _f(outlines: Reals) -> Reals:
    """F of each class: harmonic mean of the share of the painted outline that is near, and of the true one."""
    n_painted, near_true, n_true, near_painted = outlines.T
    precision = np.divide(near_true, n_painted, out=np.zeros(len(outlines)), where=n_painted > 0)
    recall = np.divide(near_painted, n_true, out=np.zeros(len(outlines)), where=n_true > 0)
    total = precision + recall
    found = np.zeros(len(outlines))
    np.divide(2.0 * precision * recall, total, out=found, where=total > 0)
    return found


def _mean(values: Reals) -> float | None:
    return float(values.mean()) if len(values) else None


def _by_class(total: Sums, labels: tuple[str, ...]) -> pd.DataFrame:
    each = total.painted + total.true
    none = np.full(len(labels), np.nan)
    iou = np.divide(total.both, each - total.both, out=none.copy(), where=each > 0)
    dice = np.divide(2.0 * total.both, each, out=none.copy(), where=each > 0)
    columns = (
        Column("label", "text", "The class."),
        Column("n_pixels", "count", "True ones."),
        Column("iou", "number", "Missing where it is neither painted nor true."),
        Column("dice", "number", "As iou."),
    )
    rows = [
        {"label": label, "n_pixels": int(total.true[k]), "iou": float(iou[k]), "dice": float(dice[k])}
        for k, label in enumerate(labels)
    ]
    return framed(rows, columns)
