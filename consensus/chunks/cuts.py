"""Cuts of pictures into pieces that follow what is seen: stored, so that chunks keep their names."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from consensus.chunks import file_names, image_files
from consensus.errors import ConfigError, FormatError, OutputError
from consensus.formats import partials

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from consensus.masks.mask_set import Picture

Method = Literal["slic", "felzenszwalb"]
METHODS = ("slic", "felzenszwalb")
MOST_SIZE = 10**6


@dataclass(frozen=True, slots=True, eq=False)
class Cuts:
    """Where cuts are: at most one for each picture."""

    folder: Path | None = None
    """That ``make`` wrote."""
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """(H, W) by the name of the picture."""

    @classmethod
    def of(cls, given: Any) -> Cuts:
        """Those of a folder, or arrays by name.

        Raises
        ------
        FormatError
            There is no such folder, or it is neither.
        """
        if given is None:
            return cls()
        if isinstance(given, dict):
            return cls(arrays=given)
        if not isinstance(given, (str, Path)):
            raise FormatError(f"cuts: a {type(given).__name__}; give a folder, or arrays by the name of the picture")
        if not Path(given).is_dir():
            raise FormatError("there is no such folder of cuts", Path(given), code="file_not_found")
        return cls(Path(given))

    def cut(self, picture: Picture) -> NDArray[np.int32] | None:
        """(H, W) the piece of each pixel, from 0; None where there is no cut of the picture.

        Raises
        ------
        FormatError
            It can't be read, or is of another size.
        """
        shape = (picture.height, picture.width)
        if picture.name in self.arrays:
            found = np.asarray(self.arrays[picture.name])
            if found.shape != shape or found.dtype.kind not in "iu" or found.min() < 0:
                raise FormatError(
                    f'the cut of "{picture.name}" has the shape {found.shape} and the type {found.dtype}; expected '
                    f"whole numbers from 0, {shape}"
                )
            return np.ascontiguousarray(found, np.int32)
        if self.folder is None:
            return None
        for name in (picture.name, PurePosixPath(picture.name).name):
            path = self.folder / f"{file_names.plain(name)}.png"
            if path.is_file():
                return image_files.read_cut(path, *shape)
        return None


def make(
    images: Sequence[Path | str] | Path | str, out: Path | str, *, method: Method = "slic", size: int = 200
) -> list[Path]:
    """Cut pictures into superpixels; needs the extra ``image``.

    Parameters
    ----------
    images
        Pictures, or one of them.
    out
        Folder for ``NAME.png``, NAME that of the picture, with its folders where several have the same; it is made if
        needed.
    method
        "slic" (Achanta et al. 2012): pieces of even size; "felzenszwalb" (Felzenszwalb & Huttenlocher 2004): pieces
        as large as they look alike.
    size
        Pixels of a piece: about as many with SLIC, at least a fifth of it otherwise.

    Returns
    -------
    list of Path
        What was written: the piece of each pixel, as ``image_files.write_cut`` stores it.

    Raises
    ------
    ConfigError
        There is no such method, the size is out of range, or scikit-image is not installed.
    FormatError
        A picture can't be read.
    OutputError
        The folder can't be made or written, or a file stands there of the name of a cut: it could be a mask.
    """
    if method not in METHODS:
        raise ConfigError(f"method = {method!r}: expected one of {', '.join(METHODS)}")
    if not 2 <= size <= MOST_SIZE:
        raise ConfigError(f"size = {size!r}: expected 2 to {MOST_SIZE:,} pixels")
    paths = [Path(one) for one in ([images] if isinstance(images, (str, Path)) else images)]
    times = Counter(one.name for one in paths)
    names = [one.name if times[one.name] == 1 else one.as_posix() for one in paths]
    folder = Path(out)
    written = [folder / f"{name}.png" for name in file_names.unique(names)]
    try:
        for path in written:
            if path.exists():
                raise OutputError("stands there already, and may be no cut; choose another folder", path)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with partials.claimed(folder.absolute(), is_folder=True) as partial:
            for image, path in zip(paths, written, strict=True):
                place = partial / path.name
                image_files.write_cut(superpixels(image_files.read_picture(image), method, size), place)
            folder.mkdir(exist_ok=True)
            for path in written:  # when all are done
                (partial / path.name).rename(path)
    except OSError as error:
        raise OutputError.of(error, folder) from None
    return written


def superpixels(image: NDArray[np.uint8], method: Method, size: int) -> NDArray[np.int64]:
    """(H, W) the superpixel of each pixel of an ``image`` (H, W, 3), from 0.

    Raises
    ------
    ConfigError
        scikit-image is not installed.
    """
    try:
        from skimage import segmentation
    except ImportError:
        raise ConfigError(
            "superpixels need scikit-image; install crowd-consensus[image]", code="missing_library"
        ) from None
    if method == "slic":
        n = max(1, round(image.shape[0] * image.shape[1] / size))
        found = segmentation.slic(image, n_segments=n, start_label=0, channel_axis=-1)
    else:
        found = segmentation.felzenszwalb(image, scale=size / 2, sigma=0.8, min_size=max(size // 5, 1))
    return np.asarray(found, np.int64)
