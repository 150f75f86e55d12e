"""The program of standard streams, in short: each command with a full one, and one of each kind with all."""

from pathlib import Path

import pytest

from tests.benchmarks import streams

KINDS = ("help", "shares", "simulate")
"""Prints words; prints a table; prints nothing."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("streams")
    streams.prepare(made)
    return made


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("name", streams.COMMANDS)
def test_no_traceback(name: str, folder: Path) -> None:
    kinds = streams.STREAMS if name in KINDS else ("full output",)
    assert streams.tried(name, folder, kinds) == []
