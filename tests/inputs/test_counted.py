"""Counts in words."""

import pytest

from consensus.inputs.counted import counted


@pytest.mark.parametrize(
    ("n", "names", "told"),
    [
        (1, ("row",), "1 row"),
        (0, ("row",), "0 rows"),
        (2000, ("row",), "2,000 rows"),
        (1, ("pass", "passes"), "1 pass"),
        (2, ("row is", "rows are"), "2 rows are"),
    ],
)
def test_one_is_no_plural(n: int, names: tuple[str, ...], told: str) -> None:
    assert counted(n, *names) == told
