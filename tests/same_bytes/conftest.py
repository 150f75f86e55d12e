"""The crowd, its files, and what a plain run of it wrote."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

import consensus
from tests.same_bytes.crowd import SETTINGS, Tables, drawn
from tests.same_bytes.outputs import neutral


@pytest.fixture(scope="package")
def tables() -> Tables:
    return drawn()


@pytest.fixture(scope="package")
def given(tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files of gold, votes, workers and costs."""
    return tables.written(tmp_path_factory.mktemp("given"))


def ran(folder: Path, judgments: Any, **more: Any) -> dict[str, Any]:
    """What a run of some ``judgments`` wrote below a folder, but for names of files; with ``more`` it is given."""
    folder.mkdir(exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", consensus.ConsensusWarning)
        found = consensus.run(judgments, **SETTINGS, **more)
        found.save(folder / "out", posteriors=True)
    listed = judgments if isinstance(judgments, list) else [judgments]
    return neutral(folder / "out", [one for one in (*listed, *more.values()) if isinstance(one, Path)])


@pytest.fixture(scope="package")
def reference(tables: Tables, given: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the run of one CSV file wrote."""
    folder = tmp_path_factory.mktemp("reference")
    tables.judgments.to_csv(folder / "judged.csv", index=False)
    return ran(folder, folder / "judged.csv", **given)
