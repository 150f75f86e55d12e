"""Files that a state keeps are read whole, or one sentence says which one is gone or damaged, and what to do."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from consensus.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WAY_OUT = "it held what came; bring it back from a copy of the state, or make the state anew from the files that came"


@contextmanager
def intact(file: Path) -> Iterator[None]:
    """Reading of a ``file`` that was written by this package.

    Raises
    ------
    StateError
        It is gone, can't be read, or is not as it was written.
    """
    try:
        yield
    except FileNotFoundError:
        raise StateError(f"is gone; {WAY_OUT}", file) from None
    except PermissionError:
        raise StateError("can't be read: permission denied; ask its owner for the right to read it", file) from None
    except (OSError, ValueError, KeyError, TypeError):  # pyarrow's are of these kinds
        raise StateError(f"is damaged; {WAY_OUT}", file) from None
