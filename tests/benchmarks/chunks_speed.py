"""How fast masks become a label map once they are decoded: code, count, connect, fit, paint; and the memory of a run.

``python -m tests.benchmarks.chunks_speed [MEGAPIXELS]`` draws one picture of 10 million pixels, and three masks of it
whose outlines differ. Figures are CPU seconds of this process on one thread, the best of three; memory is the peak of
the whole process, with the masks in it.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np
from scipy import ndimage

from consensus import chunks
from consensus.chunks import clicks, counting, cutting, fitting
from consensus.chunks.painting import Painted
from consensus.config import ChunksConfig
from tests.chunks.drawn_pictures import mask_set, picture

LABELS = ("background", "one", "two", "three")
N_MASKS = 3
TIMES = 3


def field(rng: np.random.Generator, height: int, width: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """A smooth random surface."""
    small = ndimage.gaussian_filter(rng.standard_normal((height // 10, width // 10)).astype(np.float32), 4)
    return np.asarray(ndimage.zoom(small / small.std(), 10, order=1), np.float32)


def masks(megapixels: float, seed: int = 0) -> list[np.ndarray[tuple[int, ...], np.dtype[np.int16]]]:
    """Masks of one picture, the lines of which everybody draws a little elsewhere."""
    rng = np.random.default_rng(seed)
    height = round(np.sqrt(megapixels * 1e6 * 0.625)) // 10 * 10
    width = round(megapixels * 1e6 / height) // 10 * 10
    shared = field(rng, height, width)
    edges = np.quantile(shared[::7, ::7], [0.5, 0.7, 0.9])
    return [
        np.digitize(shared + np.float32(0.1) * field(rng, height, width), edges).astype(np.int16)
        for _ in range(N_MASKS)
    ]


def main(megapixels: float) -> None:
    """Print the figures."""
    drawn = mask_set([picture("drawn", {f"w{n}": one for n, one in enumerate(masks(megapixels))})], LABELS)
    one, config = drawn.pictures[0], ChunksConfig(threads=1)
    best: dict[str, float] = {}
    for _ in range(TIMES + 1):  # the first one compiles
        took: dict[str, float] = {}
        begin = time.process_time()

        def lap(name: str, took: dict[str, float] = took) -> None:
            nonlocal begin
            now = time.process_time()
            took[name], begin = now - begin, now

        counted, pixels = counting.look(one, len(LABELS))
        lap("code, count, digest")
        fitted = fitting.fitted([counted], LABELS, config)
        lap("fit")
        partition = cutting.partition(pixels, counted)
        lap("connect")
        painted = Painted(one, pixels.ids, counted, partition, clicks.rows(counted), fitted.of(0))
        _ = painted.pixels
        lap("paint")
        took["together"] = sum(took.values())
        if not best or took["together"] < best["together"]:
            best = took
    n = one.height * one.width
    for name, seconds in best.items():
        print(f"{name:<20} {seconds:.3f} s")  # noqa: T201
    rate = n * N_MASKS / best["together"] / 1e6
    shape = f"{n / 1e6:.1f} M pixels x {N_MASKS} masks, {len(counted.area):,} patterns, {len(painted.label):,} chunks"
    print(f"{shape}: {rate:.0f} M pixel judgments/s")  # noqa: T201
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")  # noqa: T201
    begin = time.process_time()
    _ = chunks.run(drawn, config).workers
    print(f"whole run with all tables: {time.process_time() - begin:.2f} s")  # noqa: T201
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")  # noqa: T201


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0)
