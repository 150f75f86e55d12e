"""``State``: a folder that keeps what came and what the last fit found, so that new judgments don't begin anew.

The folder holds ``manifest.json``, which names all other files that count; ``parts/``, one recording a source of
judgments or model votes, gold and retractions; ``fit/``, the last fit; ``lock``. A file is written, brought to the
disk, and only then named by a manifest that takes the place of the one before at once: whoever is killed leaves the
state as it was, and files that nobody names, which the next writer removes. Nothing in it is code or pickled.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consensus.errors import ConfigError, JudgmentError, StateError
from consensus.runs.listening import SILENT
from consensus.state import durable
from consensus.state.manifest import FILE, Manifest
from consensus.state.results import Appended, Updated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consensus.config import RunConfig
    from consensus.runs import Inputs, Run
    from consensus.runs.listening import Listener

PARTS, FIT = "parts", "fit"
WAIT = 60.0
FULL_AFTER = 0.1


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
    _holder: int | None = field(default=None, init=False, repr=False)
    """The thread that has the lock."""

    @classmethod
    def create(cls, folder: Path | str, config: RunConfig, *, options: dict[str, Any] | None = None) -> State:
        """Make a state without judgments.

        Parameters
        ----------
        folder
            Must not exist, or be empty, or hold a state that nothing came to. Its parent must exist.
        config
            The settings of each fit.
        options
            ``Manifest.options``: where and how ``consensus update`` writes, and "model_votes": "none" where the votes
            of exports are left out.

        Raises
        ------
        StateError
            Something stands there, it can't be written, or a setting can't be kept: pseudonyms (the state has to know
            workers by name to add to what they did), several questions.
        """
        path = Path(folder)
        refuse_settings(config)
        refuse_folder(path)
        settings = config.model_dump(mode="json", exclude_unset=True)
        try:
            path.mkdir(exist_ok=True)
            (path / PARTS).mkdir(exist_ok=True)
            (path / FIT).mkdir(exist_ok=True)
        except OSError as error:
            raise StateError(f"can't be written: {(error.strerror or str(error)).lower()}", path) from None
        found = cls(path, Manifest(settings, options or {}))
        with durable.locked(path, 0.0):
            found.manifest.write(path)
        return found

    @classmethod
    def open(cls, folder: Path | str) -> State:
        """Open a state that is there; leftovers are not touched.

        Raises
        ------
        StateError
            It is none, of another version, or was changed.
        """
        return cls(Path(folder), Manifest.read(Path(folder)))

    @property
    def config(self) -> RunConfig:
        """The settings of each fit."""
        from consensus.config import RunConfig

        return RunConfig.of(None, **self.manifest.settings)

    @contextmanager
    def locked(self, wait: float = WAIT) -> Iterator[None]:
        """Be the one writer; the manifest is read again, and leftovers are removed. May be entered again within.

        Raises
        ------
        StateError
            Another process, or another thread of this one, writes for longer than ``wait`` seconds.
        """
        if self._holder == threading.get_ident():
            yield
            return
        with durable.locked(self.folder, wait):
            self._holder = threading.get_ident()
            try:
                self.reload()
                self._tidy()
                yield
            finally:
                self._holder = None

    def reload(self) -> bool:
        """Read the manifest again; whether it is another one than before."""
        found = Manifest.read(self.folder)
        if found == self.manifest:
            return False
        self.manifest = found
        return True

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
        from consensus.state.appending import Appending

        with self.locked(wait):
            coming = Appending(self.folder, self.manifest, self.config, listener)
            try:
                coming.add(judgments, model_votes, gold, retract)
                coming.settle()
            except OSError as error:
                coming.undo()
                raise StateError(f"can't be written: {(error.strerror or str(error)).lower()}", self.folder) from None
            except BaseException:
                coming.undo()
                raise
            if coming.manifest != self.manifest:
                self._name(coming.manifest)
            self._tidy()
        return Appended(coming.n_judgments, coming.n_sources, coming.n_again, tuple(coming.said))

    @contextmanager
    def tried(self, wait: float = WAIT) -> Iterator[None]:
        """Within, the lock is held, and what is appended is taken back again if it then can't be used.

        Raises
        ------
        ConsensusError
            What was raised within; nothing that was appended is kept if it is of data or settings.
        """
        with self.locked(wait):
            before = self.manifest
            try:
                yield
            except (ConfigError, JudgmentError):
                if self.manifest.events != before.events:
                    self._name(before)
                    self._tidy()
                raise

    def inputs(self, listener: Listener = SILENT) -> Inputs:
        """All that a run from nothing would read, in the order in which it came, without what was taken back.

        Raises
        ------
        ConsensusError
            It can't be used together.
        """
        from consensus.state.all_inputs import inputs_of

        return inputs_of(self.folder, self.manifest, self.config, listener)

    def update(
        self,
        *,
        full: bool = False,
        full_after: float = FULL_AFTER,
        wait: float = WAIT,
        threads: int | None = None,
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
        from consensus.state import updating

        with self.locked(wait):
            config = self.config.model_copy(update={"threads": threads})
            found = updating.update(self.folder, self.manifest, config, full, full_after, listener)
            if found.manifest != self.manifest:
                self._name(found.manifest)
            self._tidy()
        return found.updated

    def last(self) -> Run:
        """The run of the last fit, without fitting again: its tables are those that were written.

        Raises
        ------
        StateError
            There was no fit, or what was kept of it is gone, damaged or of another version.
        """
        from consensus.state import kept_fits

        try:
            return kept_fits.last(self.folder, self.manifest)
        except FileNotFoundError:  # a writer put another one in its place meanwhile
            self.reload()
        try:
            return kept_fits.last(self.folder, self.manifest)
        except FileNotFoundError as error:
            raise StateError("the file of its fit is gone; fit again with consensus update", error.filename) from None

    def _name(self, manifest: Manifest) -> None:
        """Go by another manifest, on disk, too."""
        with durable.written(self.folder):
            manifest.write(self.folder)
        self.manifest = manifest

    def _tidy(self) -> None:
        """Remove files that the manifest does not name: who wrote them is gone."""
        named = {PARTS: {event.part for event in self.manifest.events}, FIT: set()}
        if self.manifest.fit is not None:
            named[FIT].add(self.manifest.fit.file)
        for place, parts in named.items():
            for path in (self.folder / place).iterdir():
                if path.name.split(".")[0].split("-")[0] not in parts:
                    path.unlink(missing_ok=True)


def refuse_settings(config: RunConfig) -> None:
    """Refuse settings that a state can't keep.

    Raises
    ------
    ConfigError
        There is such a one.
    """
    if config.pseudonyms is not None:
        raise ConfigError("--pseudonyms: a state has to know workers by name to add to what they did; leave it out")
    if config.are_several:
        raise ConfigError("--state keeps one question; name it with --only, and give each question a state of its own")


def refuse_folder(path: Path) -> None:
    """Refuse a folder in which something stands, and one that can't be made.

    Raises
    ------
    StateError
        It is such a one.
    """
    if not path.exists():
        if not path.parent.is_dir():
            raise StateError(f"there is no folder {path.parent}; create it first", path, code="bad_output")
        return
    if not path.is_dir():
        raise StateError("a file stands there; choose another folder with --state", path, code="output_exists")
    if (path / FILE).exists():
        if Manifest.read(path).events:
            raise StateError(
                "a state is there already; add to it with consensus update, or choose another folder with --state",
                path,
                code="output_exists",
            )
        return
    names = {one.name for one in path.iterdir()} - {PARTS, FIT, durable.LOCK, f".{FILE}.partial"}
    if names:
        raise StateError(
            f"holds {min(names)}, which is no part of a state; choose another folder with --state",
            path,
            code="output_exists",
        )
