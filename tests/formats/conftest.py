"""Sentences are tested as they are written; what Python is told instead, ``tests/test_wording.py`` tests."""

import pytest


@pytest.fixture(autouse=True)
def _sentences_as_written(as_written: None) -> None:
    del as_written
