"""The benchmark of the certificate on planted confidences, and the figure that is drawn from it."""

import json
import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.conftest import ROOT, dataset

if TYPE_CHECKING:
    from tests.benchmarks import certificate as benchmark
else:  # a script: its own folder is on the path
    sys.path.append(str(ROOT / "tests" / "benchmarks"))
    import certificate as benchmark

FIGURE = ROOT / "docs" / "certificate"


def planted(wrong: float, n: int = 400) -> benchmark.Fitted:
    """Confidences that say nothing: a share is wrong at any of them."""
    rng = np.random.default_rng(3)
    return benchmark.Fitted(rng.random(n), rng.integers(0, 2, n), rng.random(n) < wrong, 2)


def test_share_and_violations() -> None:
    good = benchmark.tried(planted(0.0), 100, 0.9, 5)
    assert (good.certified, good.violated) == (1.0, 0.0)
    assert 0.8 < good.by_label < 1.0  # each label has its part of the gold
    bad = benchmark.tried(planted(0.5), 100, 0.9, 5)
    assert (bad.certified, bad.by_label, bad.violated, bad.by_label_violated) == (0.0, 0.0, 0.0, 0.0)
    of = planted(0.5)
    everything = np.ones(400, np.bool_)
    assert benchmark.outcome(of, everything, everything, 0.1) == (1.0, 1.0)


def test_other_draws_by_another_seed() -> None:
    of = planted(0.06)
    assert benchmark.tried(of, 60, 0.9, 5) == benchmark.tried(of, 60, 0.9, 5)
    assert benchmark.tried(of, 60, 0.9, 5) != benchmark.tried(of, 60, 0.9, 5, 1_000)


def test_random_gold_looks_random() -> None:
    assert benchmark.alarms(planted(0.1), 50, 60) <= 0.1


def test_tables_and_acceptance() -> None:
    cells = {
        ("rte", 200, target): benchmark.Cell(0.9, violated, 0.5, 0.02)
        for target, violated in zip(benchmark.TARGETS, (0.01, 0.06, 0.0), strict=True)
    }
    told = benchmark.told(cells, {"rte, 200": 0.01}, 500)
    assert "Worst cell: ('rte', 200, 0.9), 6.0 %; mean 2.33 %" in told
    assert "| rte | 200 | 0.90 | 1.0 | 0.90 | 6.0 | 0.90 | 0.0 |" in told
    assert "| rte | 200 | 0.50 | 2.0 |" in told
    assert benchmark.acceptance(cells) == {
        "violated in 6.0 % of the draws of the worst cell, at most 5": False,
        "label by label in 2.0 %, at most 5": True,
        "rte, target .90, 200 gold: 0.900 certified, at least 0.93": False,
    }


def test_the_script(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(benchmark, "public", lambda _: planted(0.02))
    monkeypatch.setattr(benchmark, "N_GOLD", (100, 500))
    figure = tmp_path / "figure.json"
    monkeypatch.setattr(sys, "argv", ["x", "--draws", "3", "--sets", "face", "--no-simulated", "--figure", str(figure)])
    assert benchmark.main() == 0
    assert list(json.loads(figure.read_text())["face"]) == ["100"]
    assert "- met: violated in 0.0 % of the draws" in capsys.readouterr().out


def test_crowds_of_the_other_family() -> None:
    made = benchmark.crowds((), True)
    assert len(made) == 12
    of = benchmark.simulated(3, 1.0, 200)
    assert len(of.wrong) == 200
    assert 0.0 < of.wrong.mean() < 0.4


@pytest.mark.real
def test_a_public_set() -> None:
    dataset("rte")
    of = benchmark.public("rte")
    assert len(of.wrong) == 800
    assert benchmark.tried(of, 200, 0.9, 20).certified > 0.9


def test_the_figure_is_what_was_measured() -> None:
    drawn = runpy.run_path(str(FIGURE / "draw.py"))["drawn"]
    measured = json.loads((FIGURE / "certified.json").read_text())
    assert (FIGURE / "certified.svg").read_text() == drawn(measured)
    assert set(measured) >= {"rte", "sentiment", "face"}
