"""The bundled data: rebuilt bit for bit (pictures: pixel for pixel), and what was planted is found."""

import csv
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from consensus import audit, chunks, fit, read, read_gold
from tests.conftest import DIGITS, ROOT

SHAPES = ROOT / "data" / "shapes"
FILES = ("judgments.csv", "model_votes.csv", "gold.csv", "truth.csv")


@pytest.mark.slow
def test_rebuilt_bit_for_bit(tmp_path: Path) -> None:
    made = subprocess.run([sys.executable, ROOT / "data" / "make_digits.py", tmp_path], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (DIGITS / name).read_bytes(), name


def test_small_enough() -> None:
    assert sum((DIGITS / name).stat().st_size for name in FILES) < 2_000_000


@pytest.mark.slow
def test_the_planted_workers_are_found() -> None:
    with (DIGITS / "truth.csv").open() as file:
        truth = {row["item"]: row["label"] for row in csv.DictReader(file)}
    with (DIGITS / "judgments.csv").open() as file:
        rows = list(csv.DictReader(file))
    result = fit(read(DIGITS / "judgments.csv"), gold=read_gold(DIGITS / "gold.csv"))
    table = audit(result).set_index("worker")
    covered = []
    for worker, row in table.iterrows():
        right = [truth[one["item"]] == one["label"] for one in rows if one["worker"] == worker]
        covered.append(row["accuracy_low"] <= sum(right) / len(right) <= row["accuracy_high"])
    assert sum(covered) >= 0.8 * len(covered)
    swaps = result.confusion("w05")  # planted: 60 % of the 4s called 9, 70 % of the 9s called 4
    assert swaps.to_numpy()[4, 9] > 0.35
    assert swaps.to_numpy()[9, 4] > 0.35
    assert table["accuracy"].idxmin() == "w15"  # the one adversary
    planted_experts = {"w01", "w04"}
    assert planted_experts <= set(table["accuracy"].nlargest(8).index)


@pytest.mark.slow
def test_shapes_are_rebuilt_pixel_for_pixel(tmp_path: Path) -> None:
    made = subprocess.run([sys.executable, ROOT / "data" / "make_shapes.py", tmp_path], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    names = sorted(path.relative_to(SHAPES) for path in SHAPES.rglob("*.*") if path.name != "answers.csv")
    assert names == sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.*"))
    for name in names:
        if name.suffix == ".png":
            with Image.open(tmp_path / name) as new, Image.open(SHAPES / name) as bundled:
                assert (new.mode, new.getpalette()) == (bundled.mode, bundled.getpalette()), name
                assert np.array_equal(np.asarray(new), np.asarray(bundled)), name
        else:
            assert (tmp_path / name).read_bytes() == (SHAPES / name).read_bytes(), name


def test_shapes_are_small_and_complete() -> None:
    assert sum(path.stat().st_size for path in SHAPES.rglob("*.*")) < 1_000_000
    with (SHAPES / "manifest.csv").open() as file:
        rows = list(csv.DictReader(file))
    with (SHAPES / "classes.csv").open() as file:
        values = {int(row["value"]) for row in csv.DictReader(file)}
    assert len({row["worker"] for row in rows}) == 6
    assert len({row["image"] for row in rows}) == 8
    assert min(Counter(row["worker"] for row in rows).values()) >= 5  # pictures that a verdict needs
    for row in rows:
        with Image.open(SHAPES / row["image"]) as picture, Image.open(SHAPES / row["mask"]) as mask:
            assert mask.mode == "P"
            assert mask.size == picture.size
            assert set(np.unique(np.asarray(mask)).tolist()) <= values


def test_the_answers_about_shapes_are_about_chunks_that_there_are() -> None:
    """And nearly all are right; which chunks are asked about first may change, and what a chunk is called may not."""
    run = chunks.run(SHAPES / "manifest.csv", classes=SHAPES / "classes.csv", threads=1)
    clicked = chunks.answers(run, SHAPES / "answers.csv")
    assert sum(len(one) for of in clicked.clicks.values() for one in of.values()) == 160
    before, after = (chunks.evaluate(one, SHAPES / "truth.csv").pooled["mean_iou"] for one in (run, clicked))
    assert after > before
