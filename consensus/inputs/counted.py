"""Counts in words: "1 row", "2,000 rows"."""

from __future__ import annotations


def counted(n: int, one: str, many: str | None = None) -> str:
    """How many there are: ``n`` and what ``one`` of it is called, or what ``many`` are; by default that with an s."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
