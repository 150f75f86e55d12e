"""The manifest of a state: which files are current, what came in which order, and the chain of their digests."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from consensus.errors import StateError
from consensus.state import durable
from consensus.version import VERSION

if TYPE_CHECKING:
    from pathlib import Path

FILE = "manifest.json"
FORMAT = 1
"""The version of the format of a state; one of another version is refused."""
Kind = Literal["judgments", "model_votes", "gold", "retraction"]
START = hashlib.sha256(b"consensus state").hexdigest()
"""Begins the chain of digests."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A source that was written, and that no manifest names yet."""

    file: str
    sha256: str
    part: str
    rows: int
    notes: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    n_again: int = 0
    """Rows left out, for a judgment of their id came before."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that came."""

    kind: Kind
    file: str
    """What it was called where it came from."""
    sha256: str
    """Of what came: the bytes of a file; of a table in memory, those of the part that it became."""
    chain: str
    """SHA-256 of the chain before, the kind and ``sha256``."""
    part: str
    """Its file in the folder of the state, without an ending."""
    rows: int
    """Rows that it holds."""
    notes: tuple[str, ...] = ()
    """What was understood of how files were chosen, in words."""
    models: tuple[str, ...] = ()
    """Those that vote in it."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """The fit that is kept."""

    file: str
    """Its file in the folder of the state, without an ending."""
    n_events: int
    """Events that it knows."""
    n_read: int
    """Rows of judgments that it read."""
    n_changed: int
    """Rows of judgments that came, or were taken back, since the last full fit."""
    full: bool
    """It was fitted from nothing, as a run does, and not from the parameters before."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What ``manifest.json`` says."""

    settings: dict[str, Any]
    """Of the run: those that were given."""
    options: dict[str, Any] = field(default_factory=dict)
    """What ``consensus run`` was told besides: where and how the output folder is written ("output"), and that the
    votes of models in exports are left out ("model_votes")."""
    events: tuple[Event, ...] = ()
    fit: Fitted | None = None

    @property
    def chain(self) -> str:
        """The digest of all that came, in its order."""
        return self.events[-1].chain if self.events else START

    @property
    def n_judgments(self) -> int:
        """Rows of judgments that came."""
        return sum(event.rows for event in self.events if event.kind == "judgments")

    def with_event(self, kind: Kind, came: Kept) -> Manifest:
        """The same with one more event."""
        chain = hashlib.sha256(f"{self.chain} {kind} {came.sha256}".encode()).hexdigest()
        event = Event(kind, came.file, came.sha256, chain, came.part, came.rows, came.notes, came.models)
        return replace(self, events=(*self.events, event))

    def write(self, folder: Path) -> None:
        """Take the place of the manifest in a ``folder``: from then on its files count."""
        told = {"format": FORMAT, "consensus": VERSION, "chain": self.chain, **asdict(self)}
        told["sha256"] = _digest(told)
        durable.put(folder / FILE, (json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode("utf-8"))

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The manifest in a ``folder``.

        Raises
        ------
        StateError
            There is none, it is of another version, or it was changed.
        """
        path = folder / FILE
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
        except OSError:
            what = "no such folder" if not folder.exists() else f"no {FILE} in it, so it is no state"
            raise StateError(f"{what}; name the folder of a state", folder) from None
        except ValueError:
            raise StateError("not the manifest of a state; restore it, or make the state anew", path) from None
        version = told.get("format") if isinstance(told, dict) else None
        if version != FORMAT:
            raise StateError(
                f"format {version!r} of a state, and this version of consensus knows {FORMAT}; use the version that "
                "made it, or make the state anew",
                path,
            )
        if told.pop("sha256", None) != _digest(told):
            raise StateError("was changed since it was written; restore it, or make the state anew", path)
        try:
            events = tuple(
                Event(**{**one, "notes": tuple(one["notes"]), "models": tuple(one["models"])}) for one in told["events"]
            )
            fit = None if told["fit"] is None else Fitted(**told["fit"])
            found = cls(told["settings"], told["options"], events, fit)
        except (KeyError, TypeError):
            raise StateError("not the manifest of a state; restore it, or make the state anew", path) from None
        chain = START
        for event in events:
            chain = hashlib.sha256(f"{chain} {event.kind} {event.sha256}".encode()).hexdigest()
            if chain != event.chain:
                raise StateError(
                    f"the chain of digests breaks at {event.file}: somebody changed it; restore it, or make the "
                    "state anew",
                    path,
                )
        return found


def _digest(told: dict[str, Any]) -> str:
    """SHA-256 of what a manifest says, however it is laid out."""
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode("ascii")).hexdigest()
