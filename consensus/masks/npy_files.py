"""Masks and probabilities as NPY: mapped into memory, never unpickled."""

from __future__ import annotations

from math import prod
from os import SEEK_END
from tokenize import TokenError
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.errors import FormatError
from consensus.masks.mask_set import refuse_bomb
from consensus.masks.real_files import is_file

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from consensus.errors import Place

MAGIC = b"\x93NUMPY"
TOLERANCE = 0.01  # how far the probabilities of a pixel may be from a sum of 1: float16, or eight bits a class
STRIP = 1 << 20  # numbers that are looked at together


def is_npy(path: Path) -> bool:
    """Whether a file begins as NPY; false if there is none, and of pipes and devices."""
    if not is_file(path):
        return False
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def npy_array(path: Path, what: str, place: Place) -> NDArray[Any]:
    """What a file holds, as a map into it.

    Raises
    ------
    FormatError
        It is damaged, or holds Python objects.
    """
    try:
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, by_columns, dtype = read(file)
            begin = file.tell()
            n_bytes = file.seek(0, SEEK_END) - begin
    except (OSError, ValueError, EOFError, SyntaxError, TypeError, TokenError) as error:
        reason = " ".join(f"{error}".split())
        raise FormatError(f"{what} is damaged: {reason:.120}; save it again", place) from None
    if dtype.hasobject:
        raise FormatError(f"{what} holds objects; expected numbers", place)
    n_held = prod(shape) * dtype.itemsize
    if not 0 < n_held <= n_bytes or min(shape, default=1) < 1:
        raise FormatError(
            f"{what} is damaged: its shape is {shape}, and it holds {n_bytes:,} bytes; save it again", place
        )
    return np.asarray(np.memmap(path, dtype, "r", begin, shape, "F" if by_columns else "C"))


def npy_labels(path: Path, what: str, place: Place) -> NDArray[Any]:
    """(H, W) whole numbers of a mask.

    Raises
    ------
    FormatError
        It can't be read, or holds something else.
    """
    found = npy_array(path, what, place)
    if found.ndim != 2 or found.dtype.kind not in "bui":
        raise FormatError(
            f"{what} holds {found.dtype} of shape {found.shape}; expected whole numbers, or booleans, of height x "
            "width (and of models, probabilities of height x width x classes)",
            place,
        )
    height, width = found.shape
    refuse_bomb(height, width, what, place)
    return found.view(np.uint8) if found.dtype == np.bool_ else found


def npy_probabilities(path: Path, n_classes: int, what: str, place: Place) -> NDArray[np.float32]:
    """(H, W, K) float32 probabilities of each class, in the order of the classes.

    Raises
    ------
    FormatError
        It can't be read, holds something else, or a pixel's numbers are below 0, or far from a sum of 1.
    """
    found = npy_array(path, what, place)
    if found.ndim != 3 or found.dtype.kind != "f" or found.shape[2] != n_classes:
        raise FormatError(
            f"{what} holds {found.dtype} of shape {found.shape}; expected probabilities (float) of height x width x "
            f"{n_classes} classes, the classes last",
            place,
        )
    refuse_bomb(found.shape[0], found.shape[1], what, place)
    made = np.empty(found.shape, np.float32)
    step = max(1, STRIP // max(1, found.shape[1] * n_classes))
    for top in range(0, len(found), step):
        strip = made[top : top + step]
        strip[:] = found[top : top + step]
        sums = strip.sum(axis=2)
        wrong = ~(np.abs(sums - 1) <= TOLERANCE) | (strip < 0).any(axis=2)
        if wrong.any():
            y, x = np.argwhere(wrong)[0].tolist()
            raise FormatError(
                f"{what} is no probability of {n_classes} classes in {int(wrong.sum()):,} pixels from x = {x}, y = "
                f"{top + y} on: {', '.join(f'{one:g}' for one in strip[y, x].tolist()[:5])}; expected numbers of 0 or "
                "more that sum to 1",
                place,
            )
        strip /= sums[..., None]
    return made
