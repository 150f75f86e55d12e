"""How fast masks are decoded, by format, beside pycocotools, scikit-image and the SDK of Label Studio.

    python tests/benchmarks/masks.py [--side N] [--runs N] [--seed N] [--sdk-python PATH]

One mask of --side x --side pixels with round blobs in it is written in every format, read --runs times, and the best
time counts. The SDK is looked for in another Python. Prints a Markdown table; the exit status is 1 where two formats do
not give the same label map.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

sys.path.append(str(Path(__file__).resolve().parents[2]))

from consensus.masks.classes import Classes
from consensus.masks.coding import Coder
from consensus.masks.mask_files import MaskFile
from consensus.masks.mask_set import Entry
from consensus.masks.outlines import Brush, CocoRuns, Rings
from consensus.masks.shapes import PaintedShapes, Shape

if TYPE_CHECKING:
    from collections.abc import Callable

Mask = NDArray[np.uint8]
PLACE = Entry.named("made", "mask")
IN_THE_SDK = """
import json, sys, time
from label_studio_sdk.converter import brush
held = json.load(open(sys.argv[1]))
times = []
for _ in range(int(sys.argv[2])):
    begin = time.perf_counter()
    values = brush.decode_rle(held["rle"])
    times.append(time.perf_counter() - begin)
print(json.dumps([min(times), int((values.reshape(-1, 4)[:, 3] > 0).sum())]))
"""


def blobs(side: int, seed: int) -> Mask:
    """(side, side) discs of 1 on 0."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    mask = np.zeros((side, side), np.uint8)
    for _ in range(12):
        row, column, radius = rng.uniform(0, side, 3) * [1, 1, 0.15]
        mask |= np.hypot(y - row, x - column) < radius
    return mask


def brush_of(mask: Mask) -> list[int]:
    """A mask as Label Studio writes it, a repeated word a run."""
    flat = np.concatenate([[2], mask.ravel(), [2]])
    ends = np.flatnonzero(np.diff(flat))
    pieces = [f"{4 * mask.size:032b}{7:05b}0011011110111111"]
    for begin, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        left, value = 4 * (end - begin), 255 * int(mask.ravel()[begin])
        while left:
            n = min(left, 1 << 16)
            which = next(k for k, wide in enumerate((4, 8, 12, 16)) if n <= 1 << wide)
            pieces.append(f"1{which:02b}{n - 1:0{(4, 8, 12, 16)[which]}b}{value:08b}")
            left -= n
    bits = "".join(pieces)
    bits += "0" * (-len(bits) % 8)
    return [int(bits[n : n + 8], 2) for n in range(0, len(bits), 8)]


def best(read: Callable[[], Any], runs: int) -> tuple[float, Any]:
    """The least time of several, and what was read; one more warms up."""
    found, times = read(), []
    for _ in range(runs):
        begin = time.perf_counter()
        read()
        times.append(time.perf_counter() - begin)
    return min(times), found


def files(mask: Mask, folder: Path) -> dict[str, Path]:
    """The mask in files."""
    named = {name: folder / f"{n}.png" for n, name in enumerate(("PNG, mode L", "PNG, mode P", "PNG, mode 1"))}
    grey = Image.fromarray(mask)
    grey.save(named["PNG, mode L"])
    palette = grey.copy()
    palette.putpalette([0, 0, 0, 255, 0, 0])
    palette.save(named["PNG, mode P"])
    Image.fromarray(mask > 0).save(named["PNG, mode 1"])
    np.save(folder / "mask.npy", mask)
    return {**named, "NPY": folder / "mask.npy"}


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sdk-python", default=None)
    options = parser.parse_args()
    mask = blobs(options.side, options.seed)
    rows: list[tuple[str, int, float]] = []
    same = True
    coder = Coder(Classes.of_values([0, 1], ["background", "blob"]))

    def add(name: str, n_bytes: int, read: Callable[[], Any], expected: Mask | None = mask) -> None:
        nonlocal same
        seconds, found = best(read, options.runs)
        same = same and (expected is None or np.array_equal(found, expected))
        rows.append((name, n_bytes, seconds))

    def painted(outline: Any) -> Callable[[], Any]:
        shapes = PaintedShapes([Shape("blob", PLACE, outline)], {"blob": 1}, 0)
        return lambda: shapes.read(options.side, options.side, PLACE, Counter())

    from pycocotools import mask as tools
    from skimage.draw import polygon2mask

    with tempfile.TemporaryDirectory() as folder:
        for name, path in files(mask, Path(folder)).items():
            one = MaskFile(path, coder)
            add(name, path.stat().st_size, lambda one=one: one.read(*mask.shape, PLACE, Counter()))  # type: ignore[misc]
        coded = tools.encode(np.asfortranarray(mask))
        text = CocoRuns.of({"size": list(mask.shape), "counts": coded["counts"].decode()})
        add("COCO RLE, text", len(coded["counts"]), painted(text))
        add("COCO RLE, text: pycocotools", len(coded["counts"]), lambda: tools.decode(coded))
        rle = brush_of(mask)
        add("Label Studio brush", len(rle), painted(Brush.of(rle)))
        held = Path(folder) / "brush.json"
        held.write_text(json.dumps({"rle": rle}))
        if options.sdk_python:
            command = [options.sdk_python, "-c", IN_THE_SDK, str(held), "1"]
            seconds, n_inside = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
            same = same and n_inside == mask.sum()
            rows.append(("Label Studio brush: its SDK", len(rle), seconds))
        turn = np.linspace(0, 2 * np.pi, 400, endpoint=False)
        ring = (np.stack([np.cos(turn), np.sin(turn)], 1) * 0.4 + 0.5) * options.side
        add("polygon of 400 points", 0, painted(Rings((ring,))), None)
        add("polygon of 400 points: scikit-image", 0, lambda: polygon2mask(mask.shape, ring[:, ::-1]), None)  # type: ignore[no-untyped-call]
    print("| format | bytes | ms | Mpx/s |", "|---|--:|--:|--:|", sep="\n")  # noqa: T201
    for name, n_bytes, seconds in rows:
        speed = f"{1e3 * seconds:.2f} | {mask.size / 1e6 / seconds:,.0f}"
        print(f"| {name} | {n_bytes:,} | {speed} |")  # noqa: T201
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
