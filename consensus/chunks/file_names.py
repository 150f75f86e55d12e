"""Names of files for pictures, whatever these are called: safe on every system, and no two alike."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ODD = re.compile(r"[^A-Za-z0-9._-]+")
LONGEST = 80  # characters, before what tells it from others
ENDING = re.compile(r"\.(png|jpe?g|tiff?|bmp|webp|gif|npy)$", re.IGNORECASE)
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)  # on Windows


def plain(name: str) -> str:
    """A name of a file for one picture, without an ending: that of its image is left out, folders become ``_``.

    A name that had to be changed otherwise ends in a hash of it.
    """
    stem = ENDING.sub("", name)
    kept = ODD.sub("_", stem.replace("/", "_")).strip("._")[:LONGEST]
    if not kept or RESERVED.match(kept):
        kept = f"picture_{kept}".rstrip("_")
    return kept if kept == stem.replace("/", "_") else f"{kept}-{_hash(name)}"


def unique(names: Sequence[str]) -> list[str]:
    """A name of a file for each picture; those that would be alike, but for capitals, all end in a hash."""
    found = [plain(name) for name in names]
    times: dict[str, int] = {}
    for one in found:
        times[one.casefold()] = times.get(one.casefold(), 0) + 1
    return [
        one if times[one.casefold()] == 1 else f"{one}-{_hash(name)}" for one, name in zip(found, names, strict=True)
    ]


def _hash(name: str) -> str:
    return hashlib.blake2b(name.encode(), digest_size=4).hexdigest()
