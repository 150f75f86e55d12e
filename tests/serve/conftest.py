"""A small state, made once."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import consensus
from consensus import simulate
from consensus.config import RunConfig
from consensus.state import State, Stream


@pytest.fixture(scope="package")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served") / "state"
    state = State.create(folder, RunConfig(model="dawid_skene", target=0.99, labels=("label_0", "label_1", "label_2")))
    state.append(simulate(120, 12, 3, 3, seed=3).judgments_table())
    state.update()
    return folder


@pytest.fixture
def folder(once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(once, tmp_path / "state"))


@pytest.fixture
def stream(folder: Path) -> Iterator[Stream]:
    with consensus.open(folder) as one:
        yield one
