"""Memory: what there is, and a refusal before the work begins instead of a process that is killed in the middle."""

from __future__ import annotations

import os
from pathlib import Path

from consensus.errors import ConfigError

LIBRARIES = 260_000_000  # bytes of a process that has loaded everything and read nothing
A_ROW_READ = 32  # bytes: three codes as they come, three as they stay, the key that is sorted
AN_ID_READ = 60  # bytes of a distinct id, besides its text (kept twice for a moment)
GROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def of_reading(n_rows: int, n_ids: int = 0, id_bytes: int = 0) -> int:
    """Bytes that reading takes at its peak, for ``n_rows`` and distinct ids whose texts hold ``id_bytes``."""
    return LIBRARIES + A_ROW_READ * n_rows + AN_ID_READ * n_ids + 2 * id_bytes


def there_is() -> int:
    """Bytes of this machine, or of the container that this process runs in."""
    found = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for name in GROUP_LIMITS:
        try:
            found = min(found, int(Path(name).read_text(encoding="ascii")))
        except (OSError, ValueError):  # no such limit, or "max"
            continue
    return found


def refuse(needed: int, limit: int | None, what: str) -> None:
    """Refuse work that needs more than ``limit`` bytes (by default all there is).

    Raises
    ------
    ConfigError
        It does.
    """
    most = there_is() if limit is None else limit
    if needed <= most:
        return
    had = f"the {told(most)} of this machine" if limit is None else f"the {told(most)} of --memory"
    way_out = "work on part of the items at a time" if limit is None else "raise --memory, or work on part of the items"
    raise ConfigError(
        f"{what} needs about {told(needed)} of memory, more than {had}; {way_out}", code="not_enough_memory"
    )


def told(n_bytes: float) -> str:
    """A size in words, such as ``1.3 GB``."""
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"
