"""Journals become parts of a state: named by its manifest first, removed then, so that each counts once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consensus.config import ReadConfig, RunConfig
from consensus.errors import StateError
from consensus.runs.listening import SILENT
from consensus.state import durable, journal
from consensus.state.appending import Appending

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from consensus.state.records import Record
    from consensus.state.state import State


def waiting(state: State) -> list[tuple[Path, list[Record]]]:
    """The journals that are not parts yet, and their judgments; what is empty or a part already is removed.

    By whoever has the folder of journals.

    Raises
    ------
    StateError
        A line is no judgment.
    """
    named = {event.sha256 for event in state.manifest.events}
    found = []
    for path in journal.files(state.folder / journal.FOLDER):
        records = journal.mended(path)
        if records and journal.digest(path) not in named:
            found.append((path, records))
        else:
            path.unlink()
    return found


def absorb(state: State, paths: Sequence[Path], wait: float) -> int:
    """Take in whole journals that nobody writes any more; how many rows are new.

    Whoever is killed in between leaves journals that the manifest names already: they are known by digest.

    Raises
    ------
    ConsensusError
        They can't be read, or the lock can't be had; then the state is as it was.
    """
    with state.locked(wait):
        named = {event.sha256 for event in state.manifest.events if event.kind == "judgments"}
        new = [path for path in paths if journal.digest(path) not in named]
        coming = Appending(state.folder, state.manifest, as_plain(state.config), SILENT)
        try:
            if new:
                coming.add(new, None, None, None)
                coming.settle()
        except BaseException as error:
            coming.undo()
            if isinstance(error, OSError):
                reason = (error.strerror or str(error)).lower()
                raise StateError(f"can't be written: {reason}", state.folder, code="bad_output") from None
            raise
        if new:
            with durable.written(state.folder):
                coming.manifest.write(state.folder)
            state.manifest = coming.manifest
        for path in paths:
            path.unlink()
    return coming.n_judgments


def absorb_left(state: State, wait: float) -> int:
    """Take in the journals that a stream left, unless one writes them at this moment; how many rows are new.

    Raises
    ------
    ConsensusError
        They can't be read, or the lock can't be had.
    """
    folder = state.folder / journal.FOLDER
    if not journal.files(folder):
        return 0
    try:
        with journal.held(folder, 0.0):
            state.reload()
            return absorb(state, [path for path, _ in waiting(state)], wait)
    except StateError as error:
        if error.file == str(folder) and error.code == "no_state":  # a stream has them, and takes them in itself
            return 0
        raise


def as_plain(config: RunConfig) -> RunConfig:
    """The settings by which a journal is read: those of a plain table with our own names of columns."""
    kept = {name: getattr(config, name) for name in config.model_fields_set if name not in ReadConfig.model_fields}
    return RunConfig.of(None, **kept, platform="none", item="item", worker="worker", label="label")
