"""The bundled digits: rebuilt bit for bit, and what was planted is found."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from consensus import audit, fit, read, read_gold
from tests.conftest import DIGITS, ROOT

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
