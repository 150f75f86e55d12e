"""The command line speaks of options: so do its messages here, also where a test calls what it calls."""

import pytest


@pytest.fixture(autouse=True)
def _sentences_as_written(as_written: None) -> None:
    del as_written
