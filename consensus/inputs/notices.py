"""What reading found that the user should know: told among the warnings, before those of the fit."""

from __future__ import annotations

from typing import NamedTuple


class Notice(NamedTuple):
    """Something odd about the judgments as they stood in their sources."""

    code: str
    """Stable name, one of ``CODES`` in ``consensus.found.cautions``."""
    message: str
    """One sentence or two: the fact, and what to do."""
    values: dict[str, float]
    """The numbers behind it."""
    options: tuple[str, ...] = ()
    """Words of the command line that would do something about it, such as ``("--item", "record")``."""
