"""Which paths lead to a file that can be read twice and ends."""

from __future__ import annotations

from stat import S_ISDIR, S_ISREG
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def is_file(path: Path) -> bool:
    """Whether there is such a file; false of folders, pipes and devices, and of names that no file can have."""
    try:
        return path.is_file()
    except OSError:  # such as a name that is too long
        return False


def is_pipe_or_device(path: Path) -> bool:
    """Whether there is something that may never end."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not (S_ISREG(mode) or S_ISDIR(mode))
