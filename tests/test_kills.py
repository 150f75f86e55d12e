"""The benchmark of kills, in short."""

import signal
from pathlib import Path

import pytest

from tests.benchmarks import kills


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_output_stays_whole(tmp_path: Path, number: signal.Signals) -> None:
    found = kills.killed(4, 1, tmp_path, number, n_items=300)
    assert found.wrong == []
    assert found.n_killed + found.n_done == 4


@pytest.mark.slow
@pytest.mark.compiled
def test_two_runs_at_once(tmp_path: Path) -> None:
    n_refused, wrong = kills.pairs(2, 1, tmp_path, n_items=300)
    assert wrong == []
    assert n_refused == 1  # of the pair that may write over nothing
