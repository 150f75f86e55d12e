"""Label maps, confidences and cuts as PNG, by Pillow (extra ``image``)."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.errors import ConfigError, FormatError, OutputError
from consensus.formats import writing

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from numpy.typing import NDArray

UNSAID = (128, 128, 128)
"""Colour of pixels that nobody says anything of."""
MOST_16 = 1 << 16


def pillow() -> ModuleType:
    """Pillow's ``Image``.

    Raises
    ------
    ConfigError
        It is not installed.
    """
    try:
        from PIL import Image
    except ImportError:
        raise ConfigError("pictures need Pillow; install crowd-consensus[image]", code="missing_library") from None
    return Image


def write_labels(labels: NDArray[Any], colours: NDArray[np.uint8], path: Path) -> None:
    """Write a label map (H, W): bytes with a palette of the ``colours`` (K, 3), or 16 bit without one."""
    image = pillow().fromarray(labels)
    if labels.dtype == np.uint8:
        palette = np.tile(np.array(UNSAID, np.uint8), (256, 1))
        palette[: len(colours)] = colours
        image.putpalette(palette.tobytes())
    _write(image, path)


def write_confidences(confidences: NDArray[np.uint8], path: Path) -> None:
    """Write confidences (H, W) as a grey picture: 255 is sure."""
    _write(pillow().fromarray(confidences), path)


def write_cut(ids: NDArray[np.integer], path: Path) -> None:
    """Write the piece that each pixel is in (H, W), from 0: 16 bit grey up to 65,536 pieces, else 24 bit colour.

    In colours, the number is red + 256 green + 65,536 blue.

    Raises
    ------
    OutputError
        There are more than 2^24 pieces.
    """
    most = int(ids.max())
    if most < MOST_16:
        _write(pillow().fromarray(ids.astype(np.uint16)), path)
        return
    if most >= 1 << 24:
        raise OutputError(f"a cut has at most {1 << 24:,} pieces, and this one {most + 1:,}", path)
    bytes_ = np.stack([ids & 255, ids >> 8 & 255, ids >> 16], axis=-1).astype(np.uint8)
    _write(pillow().fromarray(bytes_), path)


def _write(image: Any, path: Path) -> None:
    """Write a picture as PNG: made before, since Pillow says of an error of the disk only that there was one."""
    made = io.BytesIO()
    image.save(made, "PNG")
    writing.write_bytes(made.getvalue(), path)


def read_cut(path: Path, height: int, width: int) -> NDArray[np.int32]:
    """The piece that each pixel of a picture (H, W) is in.

    Raises
    ------
    FormatError
        The file can't be read, is of another size, or is no cut.
    """
    Image = pillow()
    try:
        with Image.open(path) as image:
            if image.size != (width, height):
                raise FormatError(
                    f"the cut is {image.size[0]} x {image.size[1]} pixels, and the picture {width} x {height}; make "
                    "it anew from this picture",
                    path,
                )
            if image.mode not in {"L", "P", "I;16", "I", "RGB"}:
                raise FormatError(f"the cut has the mode {image.mode}; expected grey, a palette, or RGB", path)
            found = np.asarray(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise FormatError(f"can't be read as a cut: {error}", path) from None
    if found.ndim == 3:
        found = found.astype(np.int32) @ np.array([1, 1 << 8, 1 << 16], np.int32)
    return np.ascontiguousarray(found, np.int32)


def read_picture(path: Path) -> NDArray[np.uint8]:
    """A picture (H, W, 3), as it is stored.

    Raises
    ------
    FormatError
        It can't be read.
    """
    Image = pillow()
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"), np.uint8)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise FormatError(f"can't be read as a picture: {error}", path) from None
