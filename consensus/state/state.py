"""``State``: a folder that keeps what came and what the last fit found, so that new judgments don't begin anew.

The folder holds ``manifest.json``, which names all other files that count; ``parts/``, one recording a source of
judgments or model votes, gold and retractions; ``fit/``, the last fit; ``lock``. A file is written, brought to the
disk, and only then named by a manifest that takes the place of the one before at once: whoever is killed leaves the
state as it was, and files that nobody names, which the next writer removes. Nothing in it is code or pickled.
"""

from __future__ import annotations

import hashlib
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consensus.errors import StateError
from consensus.runs.listening import SILENT
from consensus.state import durable
from consensus.state.manifest import FILE, Manifest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consensus.config import RunConfig
    from consensus.runs import Inputs, Run
    from consensus.runs.listening import Listener

PARTS, FIT = "parts", "fit"
WAIT = 60.0
FULL_AFTER = 0.1


@dataclass(frozen=True, slots=True)
class Appended:
    """What came of what was appended."""

    judgments: int = 0
    """Rows of judgments that are new."""
    sources: int = 0
    """Sources of any kind that are new."""
    again: int = 0
    """Rows that were left out, for a judgment of their id came before."""
    said: tuple[str, ...] = ()
    """One line for each thing that changed nothing, or less than it seems."""


@dataclass(frozen=True, slots=True, eq=False)
class Updated:
    """An update: what it found."""

    run: Run
    """All that a run has: tables, plan, audit, explanations."""
    full: bool
    """It was fitted from nothing, and not from the parameters before."""
    n_new: int
    """Rows of judgments since the last full fit."""
    changes: Any
    """Table (``diff``'s columns but ``by``) of what is different from the fit before; None for the first."""
    said: tuple[str, ...] = ()


@dataclass(eq=False)
class State:
    """A state on disk. Any number of processes may read it; one at a time writes (``locked``).

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.mkdtemp() + "/state"
    >>> state = State.create(folder, consensus.RunConfig())
    >>> state.append(judgments).judgments
    36
    >>> state.update().full
    True
    """

    folder: Path
    manifest: Manifest = field(repr=False)
    """As it was when the state was opened, or last written or reloaded by this object."""

    @classmethod
    def create(cls, folder: Path | str, config: RunConfig, *, output: dict[str, Any] | None = None) -> State:
        """Make a state without judgments.

        Parameters
        ----------
        folder
            Must not exist, or be empty. Its parent must exist.
        config
            The settings of each fit.
        output
            Where and how the output folder is written by ``consensus update``, as JSON; None: nowhere.

        Raises
        ------
        StateError
            Something stands there, it can't be written, or a setting can't be kept: pseudonyms (the state has to know
            workers by name to add to what they did), several questions.
        """
        raise NotImplementedError

    @classmethod
    def open(cls, folder: Path | str) -> State:
        """Open a state that is there; leftovers are not touched.

        Raises
        ------
        StateError
            It is none, of another version, or was changed.
        """
        raise NotImplementedError

    @property
    def config(self) -> RunConfig:
        """The settings of each fit."""
        raise NotImplementedError

    @contextmanager
    def locked(self, wait: float = WAIT) -> Iterator[None]:
        """Be the one writer; the manifest is read again, and leftovers are removed. May be entered again within.

        Raises
        ------
        StateError
            Another process writes for longer than ``wait`` seconds (it is named).
        """
        raise NotImplementedError
        yield

    def reload(self) -> bool:
        """Read the manifest again; whether it is another one than before."""
        raise NotImplementedError

    def append(
        self,
        judgments: Any = None,
        *,
        model_votes: Any = None,
        gold: Any = None,
        retract: Any = None,
        wait: float = WAIT,
        listener: Listener = SILENT,
    ) -> Appended:
        """Add what came; when this returns, it is on the disk, and counts. Nothing is fitted.

        ``judgments``, ``model_votes`` and ``gold`` are what ``consensus.run`` takes (paths, tables; read before: no);
        ``retract`` is a table of item and worker, worker alone, or file (name or SHA-256) alone. All of them become
        one new manifest: they count together or not at all, in the order judgments, model votes, gold, retractions.

        The same source twice (by SHA-256) is passed over, and rows whose ``judgment_id`` came before are, too; both is
        said in what is returned.

        Raises
        ------
        ConsensusError
            Something can't be read, or the lock can't be had; then the state is as it was.
        """
        raise NotImplementedError

    def inputs(self, listener: Listener = SILENT) -> Inputs:
        """All that a run from nothing would read, in the order in which it came, without what was taken back."""
        raise NotImplementedError

    def update(
        self,
        *,
        full: bool = False,
        full_after: float = FULL_AFTER,
        wait: float = WAIT,
        listener: Listener = SILENT,
    ) -> Updated:
        """Fit what came since the last fit, and keep what is found.

        From nothing (as ``consensus.run``) if ``full``, if there was no fit, if more than ``full_after`` (a share) of
        the judgments came since the last full one, or where the data are so small that it takes no time anyway; else
        from the last parameters.

        Raises
        ------
        ConsensusError
            There are no judgments, they can't be fitted, or the lock can't be had.
        """
        raise NotImplementedError

    def last(self, listener: Listener = SILENT) -> Run:
        """The run of the last fit, without fitting again: its tables are those that were written.

        Raises
        ------
        StateError
            There was no fit.
        """
        raise NotImplementedError
