"""Damage of every kind ends in one line that names the file, and allocates no more than the picture."""

import random
import struct
import tracemalloc
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from consensus.errors import FormatError
from consensus.masks.coco import read_coco
from consensus.masks.given_masks import AsShapes, GivenMasks
from consensus.masks.label_studio import read_label_studio
from consensus.masks.mask_set import Entry
from consensus.masks.reading import read_masks
from consensus.masks.shapes import PaintedShapes
from tests.masks import writers

MASK = writers.lopsided()
SIZE = MASK.shape[0], MASK.shape[1]
BYTES = 2 * MASK.size  # of the label map
N_DAMAGED = 1_000  # of each way
PLACE = Entry.named("a.json", "annotation 1")
CLASSES = {0: "background", 1: "cat", 2: "dog"}


def painted(masks: GivenMasks) -> Any:
    """The label map of the only mask."""
    content = masks.masks[0].content
    assert isinstance(content, AsShapes)
    shapes = PaintedShapes(content.shapes, {"cat": 1, "dog": 2}, 0)
    return shapes.read(*SIZE, masks.masks[0].place, Counter())


def of_coco(counts: Any) -> Any:
    shape = {"category_id": 1, "segmentation": {"counts": counts, "size": list(SIZE)}, "worker": "ann"}
    return painted(read_coco(writers.coco([shape], SIZE), "a.json", Path(), None))


def of_label_studio(rle: Any) -> Any:
    result = writers.region({"format": "rle", "rle": rle, "brushlabels": ["cat"]}, SIZE)
    return painted(read_label_studio([writers.task([result])], "a.json", Path(), None))


def damaged(rng: random.Random, given: list[int], least: int, most: int) -> list[int]:
    """Numbers of which some are changed, lost, doubled or swapped, or of which only the beginning is left."""
    made = list(given)
    for _ in range(rng.choice([1, 1, 2, 5])):
        at = rng.randrange(len(made))
        kind = rng.randrange(5)
        if kind == 0:
            made[at] = rng.randint(least, most)
        elif kind == 1:
            del made[at]
        elif kind == 2:
            made.insert(at, made[at])
        elif kind == 3:
            made[at:] = made[at:][::-1]
        else:
            del made[max(1, at) :]
        made = made or [least]
    return made


RUNS = writers.column_runs((MASK == 1).astype(np.uint8))
WAYS: dict[str, tuple[list[int], int, int, Callable[[list[int]], Any]]] = {
    "list": (RUNS, -50, 2 * MASK.size, of_coco),
    "text": (
        list(writers.coco_text(RUNS).encode()),
        0,
        127,
        lambda made: of_coco(bytes(made).decode("ascii", "replace")),
    ),
    "brush": (writers.label_studio_rle(np.where(MASK == 1, MASK, 0).astype(np.uint8)), 0, 255, of_label_studio),
}


@pytest.mark.compiled
@pytest.mark.parametrize("way", WAYS)
def test_damaged_runs(way: str) -> None:
    """Refused, or decoded within the picture."""
    whole, least, most, read = WAYS[way]
    assert np.array_equal(read(whole), MASK == 1)
    rng = random.Random(5)
    n_refused, told = 0, set()
    tracemalloc.start()
    for _ in range(N_DAMAGED):
        made = damaged(rng, whole, least, most)
        try:
            found = read(made)
        except FormatError as error:
            n_refused += 1
            told.add(str(error))
        else:
            assert found.shape == SIZE
            assert set(np.unique(found).tolist()) <= {0, 1}
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert n_refused > N_DAMAGED / 2
    assert all(one.startswith("a.json: ") and "\n" not in one for one in told)
    assert peak < 1 << 20


def png(width: int, height: int, data: bytes, *, bits: int = 8, colour: int = 0) -> bytes:
    """A PNG that announces a size, whatever the ``data`` hold."""

    def chunk(name: bytes, held: bytes) -> bytes:
        return struct.pack(">I", len(held)) + name + held + struct.pack(">I", zlib.crc32(name + held))

    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def npy(shape: str, data: bytes = b"", dtype: str = "|u1") -> bytes:
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}}}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


def look(folder: Path, file: str, held: bytes, *, picture: bool = True) -> Any:
    """Read a mask whose file holds these bytes."""
    if picture:
        Image.new("L", SIZE[::-1]).save(folder / "pic.png")
    (folder / file).write_bytes(held)
    (folder / "manifest.csv").write_text(f"image,worker,mask\npic.png,ann,{file}\n")
    (found,) = read_masks(folder / "manifest.csv", classes=CLASSES).pictures
    return found.masks[0].read(found.height, found.width)


@pytest.mark.parametrize("mode", ["L", "P", "1", "I;16", "RGB"])
def test_truncated_and_damaged_png(mode: str, tmp_path: Path) -> None:
    image = Image.fromarray(MASK.astype(np.uint16) if mode == "I;16" else MASK)
    if mode == "P":
        image.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    (image.convert(mode) if mode in {"1", "RGB"} else image).save(tmp_path / "whole.png")
    whole = (tmp_path / "whole.png").read_bytes()
    rng = random.Random(7)
    told = set()
    for n in [*range(0, len(whole) - 20, 5), *(-1 for _ in range(60))]:
        held = bytearray(whole[: n if n >= 0 else None])
        if n < 0:
            held[rng.randrange(len(held))] = rng.randrange(256)
        try:
            assert look(tmp_path, "mask.png", bytes(held)).shape == SIZE
        except FormatError as error:
            told.add(str(error))
        else:
            assert n < 0  # what breaks off is refused
    begin = f"{tmp_path}/manifest.csv:2: {tmp_path}/mask.png "
    assert all(one.startswith(begin) and "\n" not in one for one in told)
    with pytest.raises(FormatError, match="mask.png is damaged: it breaks off; export it again"):
        look(tmp_path, "mask.png", whole[:20])
    with pytest.raises(FormatError, match="mask.png is damaged: its header is missing; export it again"):
        look(tmp_path, "mask.png", whole[:12] + b"JUNK" + whole[16:])
    with pytest.raises(FormatError, match=r"mask.png is damaged: .*; export it again"):
        look(tmp_path, "mask.png", whole[:45])


@pytest.mark.parametrize("bits", [2, 4])
def test_grey_of_few_bits_keeps_its_values(bits: int, tmp_path: Path) -> None:
    data = b""
    for row in MASK:
        text = "".join(f"{one:0{bits}b}" for one in row)
        text += "0" * (-len(text) % 8)
        data += b"\0" + bytes(int(text[n : n + 8], 2) for n in range(0, len(text), 8))
    assert np.array_equal(look(tmp_path, "mask.png", png(41, 23, data, bits=bits)), MASK)


@pytest.mark.parametrize(
    ("file", "held", "message"),
    [
        (
            "a.png",
            png(10**9, 10**9, b"\0" * 99),
            "a.png is 1,000,000,000 x 1,000,000,000 pixels, more than 89,478,485;",
        ),
        ("a.png", png(0, 9, b""), "a.png is 0 x 9 pixels; expected one pixel or more"),
        ("a.png", png(9_000, 9_000, b"\0" * 99), "a.png is 9,000 x 9,000 pixels, and the picture 41 x 23"),
        ("a.npy", npy("(1000000000, 1000000000)"), "a.npy is damaged: "),
        ("a.npy", npy("(4000000000, 4000000000, 4000000000)"), "a.npy is damaged: "),
        ("a.npy", npy("(23, 41)", b"\0" * 50), "a.npy is damaged: "),
        ("a.npy", npy("(23, 41)", b"\0" * 943, "|O"), "a.npy holds objects; expected numbers"),
        ("a.npy", npy("(23, 41", b"\0" * 943), "a.npy is damaged: "),
        ("a.npy", npy("(0, 41)"), r"a.npy is damaged: its shape is \(0, 41\), and it holds 0 bytes; save it again"),
        ("a.npy", npy("(-23, -41)", b"\0" * 943), r"a.npy is damaged: its shape is \(-23, -41\)"),
        ("a.npy", b"\x93NUMPY", "a.npy is damaged: "),
        ("a.npy", npy("(943,)", b"\0" * 943), r"a.npy holds uint8 of shape \(943,\); expected whole numbers"),
        ("a.npy", npy("(23, 41)", b"\0" * 943 * 4, "<f4"), r"a.npy holds float32 of shape \(23, 41\)"),
    ],
    ids=lambda one: f"{len(one)}",
)
def test_bombs(file: str, held: bytes, message: str, tmp_path: Path) -> None:
    look(tmp_path, "good.png", png(41, 23, b"\0" * 42 * 23))  # imports what is needed
    tracemalloc.start()
    with pytest.raises(FormatError, match=f"manifest.csv:2: .*{message}") as caught:
        look(tmp_path, file, held)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "\n" not in str(caught.value)
    assert peak < 6 << 20  # reading a table takes 4 MB


def test_a_picture_that_is_a_bomb(tmp_path: Path) -> None:
    (tmp_path / "pic.png").write_bytes(png(30_000, 30_000, b""))
    with pytest.raises(FormatError, match=r"pic.png is damaged: Image size .* exceeds limit of .* pixels"):
        look(tmp_path, "a.png", png(30_000, 30_000, b""), picture=False)
    (tmp_path / "pic.png").write_bytes(png(10_000, 10_000, b""))
    with pytest.raises(FormatError, match="pic.png is 10,000 x 10,000 pixels, more than 89,478,485; cut it, and its"):
        look(tmp_path, "a.png", png(10_000, 10_000, b""), picture=False)
    (tmp_path / "pic.png").unlink()
    with pytest.raises(
        FormatError, match=r"a.npy is damaged: its shape is \(100000, 100000\), and it holds 0 bytes; save it again"
    ):
        look(tmp_path, "a.npy", npy("(100000, 100000)"), picture=False)


@pytest.mark.compiled
def test_shapes_allocate_no_more_than_the_picture() -> None:
    """A polygon far beyond the picture, in a map of a megapixel: the map, and a byte a pixel."""
    far = [-1e8, -1e8, 1e8, -1e8, 1e8, 1e8, -1e8, 1e8]
    shapes = [{"category_id": 1, "segmentation": [far] * 3, "worker": "ann"}] * 5
    masks = read_coco(writers.coco(shapes, (1000, 1000)), "a.json", Path(), None)
    content = masks.masks[0].content
    assert isinstance(content, AsShapes)
    tracemalloc.start()
    found = PaintedShapes(content.shapes, {"cat": 1}, 0).read(1000, 1000, PLACE, Counter())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.all()
    assert peak < 3_300_000
