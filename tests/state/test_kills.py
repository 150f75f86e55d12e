"""The benchmark of kills of updates, in short."""

from pathlib import Path

import pytest

from tests.benchmarks import state_kills


@pytest.mark.slow
@pytest.mark.compiled
def test_no_judgment_is_lost_or_doubled(tmp_path: Path) -> None:
    found = state_kills.killed(4, 1, tmp_path, n_items=200)
    assert found.wrong == []
    assert found.n_killed + found.n_done == 4
