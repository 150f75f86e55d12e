"""The last fit on disk: what it read, what it found, and what the next one begins with. It can be made again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from consensus.errors import StateError
from consensus.runs import Run
from consensus.state import kept_objects
from consensus.version import VERSION

if TYPE_CHECKING:
    from pathlib import Path

    from consensus.state.manifest import Manifest

FIT = "fit"


def write(folder: Path, name: str, run: Run, warm: Any) -> None:
    """Keep what a ``run`` read and found, and what a fit that goes on from it needs (``warm``), as ``fit/NAME``.

    Raises
    ------
    OSError
        It can't be written.
    """
    kept = {
        "version": VERSION,
        "inputs": replace(run.inputs, tables={}),
        "result": run.result,
        "previous": run.as_previous(),
        "warm": warm,
    }
    kept_objects.write(kept, folder / FIT / name)


def read(folder: Path, manifest: Manifest) -> dict[str, Any] | None:
    """What was kept; None where there is nothing, or it is of another version.

    Raises
    ------
    FileNotFoundError
        It was there when the manifest was read.
    """
    if manifest.fit is None:
        return None
    try:
        found = kept_objects.read(folder / FIT / manifest.fit.file)
    except (ValueError, KeyError, TypeError, AttributeError, ImportError):
        return None
    return found if found.get("version") == VERSION else None


def last(folder: Path, manifest: Manifest) -> Run:
    """The run of the last fit.

    Raises
    ------
    StateError
        There was none, or what was kept of it is of another version.
    """
    if manifest.fit is None:
        raise StateError("nothing was fitted yet; do that with consensus update", folder)
    kept = read(folder, manifest)
    if kept is None:
        raise StateError(
            "its fit was made by another version of consensus, or is damaged; fit again with consensus update --full",
            folder,
        )
    return Run(kept["inputs"], result=kept["result"])
