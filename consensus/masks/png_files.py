"""Masks as PNG: their numbers as they were stored, palettes untouched; and what is told of a picture by its header."""

from __future__ import annotations

import struct
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.errors import ConfigError, FormatError
from consensus.masks.mask_set import refuse_bomb
from consensus.masks.real_files import is_pipe_or_device

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from consensus.errors import Place
    from consensus.masks.classes import Colours

EXTRA = "pip install 'crowd-consensus[image]'"
SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER = struct.Struct(">8s4x4sIIBB")
"""Signature, name of the first chunk, width, height, bits of a sample, kind of colour."""
GREY, PALETTE = 0, 3  # kinds of colour
SPREAD = {2: 85, 4: 17}  # Pillow spreads grey of these bits over 0 to 255: what it multiplies them by
MODES = {"1", "L", "P", "I;16", "I", "RGB", "RGBA"}
KINDS = ((b"\xff\xd8\xff", "JPEG"), (b"GIF8", "GIF"), (b"BM", "BMP"), (b"II*\0", "TIFF"), (b"MM\0*", "TIFF"))
LOSSY = "JPEG changes the values of pixels, so it can't hold a mask; export the masks as PNG"
ORIENTATION, UPRIGHT = 0x0112, 1  # the tag of EXIF
FAULTS = (OSError, ValueError, SyntaxError, EOFError, struct.error, KeyError, TypeError, OverflowError)
"""What Pillow and NumPy raise of damaged files."""


@dataclass(frozen=True, slots=True, eq=False)
class PngHeader:
    """What stands before the pixels."""

    height: int
    width: int
    palette: Colours | None
    """(n, 3), n up to 256; None without a palette."""


def pillow() -> Any:
    """The module ``PIL.Image``.

    Raises
    ------
    ConfigError
        It is not installed.
    """
    try:
        from PIL import Image
    except ImportError:
        raise ConfigError(f"pictures need Pillow: {EXTRA}", code="missing_library") from None
    return Image


def png_header(path: Path, what: str, place: Place) -> PngHeader:
    """The size of a mask, and its palette; no pixel is decoded.

    Raises
    ------
    FormatError
        It can't be read, is no PNG, or is too large.
    """
    height, width, _, colour = _checked(path, what, place)
    if colour != PALETTE:
        return PngHeader(height, width, None)
    try:
        with pillow().open(path) as image:
            return PngHeader(height, width, _palette(image))
    except FAULTS as error:
        raise _damaged(what, error, place) from None


def png_pixels(path: Path, what: str, place: Place) -> tuple[NDArray[Any], Colours | None]:
    """(H, W) numbers of a mask with its palette, if it has one; or (H, W, 3) colours.

    Raises
    ------
    FormatError
        It can't be read, is no PNG, is too large, or its colours are partly transparent.
    """
    _, _, bits, colour = _checked(path, what, place)
    try:
        with pillow().open(path) as image:
            mode, palette = image.mode, _palette(image) if image.mode == "P" else None
            pixels = np.asarray(image)
    except FAULTS as error:
        raise _damaged(what, error, place) from None
    if mode not in MODES:
        raise FormatError(
            f"{what} is a PNG of mode {mode}; expected numbers (mode P, L, 1 or I;16) or colours (RGB)", place
        )
    if mode == "RGBA":
        if (pixels[..., 3] != 255).any():
            raise FormatError(f"{what} is partly transparent; export it as PNG without transparency", place)
        pixels = pixels[..., :3]
    if colour == GREY and bits in SPREAD:
        pixels = pixels // SPREAD[bits]
    if mode == "1":  # Pillow's booleans are bytes of 0 and 255
        pixels = (pixels.view(np.uint8) > 0).view(np.uint8)
    return pixels, palette


def picture_size(path: Path, what: str, place: Place) -> tuple[int, int, bool] | None:
    """Height and width of a picture, as it is stored, and whether its EXIF rotates it; None if its kind is unknown.

    Raises
    ------
    FormatError
        It can't be read, or is too large.
    """
    image_module = pillow()
    from PIL import UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a bomb is refused below
            with image_module.open(path) as image:
                width, height = image.size
                # of a PNG, all pixels would be decoded to see whether EXIF stands behind them
                turned = image.format != "PNG" and image.getexif().get(ORIENTATION, UPRIGHT) != UPRIGHT
    except UnidentifiedImageError:
        return None
    except (*FAULTS, image_module.DecompressionBombError) as error:
        raise _damaged(what, error, place) from None
    refuse_bomb(height, width, what, place)
    return height, width, turned


def _checked(path: Path, what: str, place: Place) -> tuple[int, int, int, int]:
    """Height, width, bits of a sample and kind of colour, from the first bytes."""
    if is_pipe_or_device(path):
        raise FormatError(f"{what} is a pipe or a device; correct the path of the mask", place)
    try:
        with path.open("rb") as file:
            start = file.read(HEADER.size)
    except OSError as error:
        code = "file_not_found" if isinstance(error, FileNotFoundError) else None
        reason = "there is no such file" if code else error.strerror
        raise FormatError(f"{what}: {reason}; correct the path of the mask", place, code=code) from None
    if not start.startswith(SIGNATURE):
        kind = next((name for begin, name in KINDS if start.startswith(begin)), "")
        if kind == "JPEG":
            raise FormatError(f"{what} is a JPEG; {LOSSY}", place)
        raise FormatError(f"{what} is {f'a {kind}' if kind else 'no PNG'}; masks are PNG or NPY", place)
    if len(start) < HEADER.size:
        raise _damaged(what, "it breaks off", place)
    _, chunk, width, height, bits, colour = HEADER.unpack(start)
    if chunk != b"IHDR":
        raise _damaged(what, "its header is missing", place)
    refuse_bomb(height, width, what, place)
    return height, width, bits, colour


def _palette(image: Any) -> Colours:
    """(n, 3) the colours of an image of mode P."""
    return np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)


def _damaged(what: str, error: object, place: Place) -> FormatError:
    return FormatError(f"{what} is damaged: {f'{error}'.strip() or type(error).__name__}; export it again", place)
