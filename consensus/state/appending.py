"""What comes is written, and only then named: one new manifest for all of it, or none."""

from __future__ import annotations

import hashlib
import itertools
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.formats import given, recorded, sealed
from consensus.inputs.counted import counted
from consensus.inputs.judgments import nothing
from consensus.inputs.understood import Column
from consensus.runs.run_inputs import are_of_judges, gold_by
from consensus.state import durable, sources_kept
from consensus.state.manifest import Event, Kept, Kind, Manifest
from consensus.state.retractions import Retraction, read_retraction

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pyarrow as pa

    from consensus.config import RunConfig
    from consensus.inputs.judgments import Judgments
    from consensus.runs.listening import Listener

PARTS = "parts"


@dataclass
class Appending:
    """Sources that are written into a folder, for a new manifest."""

    folder: Path
    manifest: Manifest
    """The one before, with what was written until now."""
    config: RunConfig
    listener: Listener
    said: list[str] = field(default_factory=list)
    n_judgments: int = 0
    n_sources: int = 0
    n_again: int = 0

    def __post_init__(self) -> None:
        last = max((int(event.part) for event in self.manifest.events), default=0)
        self._numbers = itertools.count(last + 1)
        self._written: list[Path] = []

    def add(self, judgments: Any, model_votes: Any, gold: Any, retract: Any) -> None:
        """Write all of it."""
        if judgments is not None:
            source = given.table(judgments, given.JUDGMENTS)
            if are_of_judges(source) and self.config.platform is None:
                self._votes(source)
            else:
                self._judgments(source)
        if model_votes is not None:
            self._votes(given.table(model_votes, given.MODEL_VOTES))
        if gold is not None:
            self._gold(gold)
        if retract is not None:
            self._retraction(retract)

    def settle(self) -> None:
        """Wait until all of it is on the disk."""
        for path in self._written:
            durable.settle(path)
        durable.settle(self.folder / PARTS)

    def undo(self) -> None:
        """Remove what was written."""
        for path in self._written:
            with suppress(OSError):
                path.unlink()

    def _place(self) -> Path:
        return self.folder / PARTS / f"{next(self._numbers):06d}"

    def _judgments(self, source: Any) -> None:
        self.listener.stage("reading what is new")
        notes: tuple[str, ...] = ()  # they stand at the first file that counts
        for kept in sources_kept.keep_judgments(source, self.config, self._place, self._ids):
            self._written += recorded.files_of(self.folder / PARTS / kept.part)
            if kept.n_again:
                self.n_again += kept.n_again
                rows = counted(kept.n_again, "row has", "rows have")
                self.said.append(f"{kept.file}: {rows} the judgment_id of a judgment that came before: left out")
            notes += kept.notes
            if self._takes("judgments", replace(kept, notes=notes)):
                self.n_judgments += kept.rows
                notes = ()

    def _votes(self, source: Any) -> None:
        for kept in sources_kept.keep_votes(source, self.config, self._place):
            self._written += recorded.files_of(self.folder / PARTS / kept.part)
            self._takes("model_votes", kept)

    def _gold(self, source: Any) -> None:
        gold = gold_by(self.config, given.readable(source, given.GOLD), self._judged())
        content = sources_kept.gold_as_json(gold)
        named = gold.sources[0] if len(gold.sources) == 1 else None
        digest = hashlib.sha256(content).hexdigest() if named is None else named.sha256
        self._small("gold", "a table of gold" if named is None else named.file, digest, content, len(gold.item))

    def _retraction(self, source: Any) -> None:
        taken, file, digest = read_retraction(source)
        self._small("retraction", file, digest, taken.as_json(), len(taken))

    def _small(self, kind: Kind, file: str, digest: str, content: bytes, n_rows: int) -> None:
        path = self._place().with_suffix(".json")
        path.write_bytes(sealed.sealed(content))
        self._written.append(path)
        self._takes(kind, Kept(file, digest, path.stem, n_rows))

    def _takes(self, kind: Kind, kept: Kept) -> bool:
        """Whether it is new: then it is an event; the same again is passed over, and that is said."""
        if self._is_again(kind, kept.sha256):
            name = kind.replace("_", " ")
            self.said.append(f"{kept.file}: the same {name} came before (SHA-256 {kept.sha256[:12]}): passed over")
            return False
        self.manifest = self.manifest.with_event(kind, kept)
        self.n_sources += 1
        return True

    def _is_again(self, kind: Kind, sha256: str) -> bool:
        """Whether the same came before and still is what counts.

        Judgments: unless they were taken back as a file. Votes and gold: unless they were, or something else of their
        kind came since. Retractions: unless judgments came since, on which they work again.
        """
        if kind == "judgments":
            return any(event.sha256 == sha256 for event in self._standing())
        if kind == "retraction":
            since = [event for event in self.manifest.events if event.kind in {kind, "judgments"}]
        else:
            since = standing(self.folder, self.manifest, kind)
        return bool(since) and (since[-1].kind, since[-1].sha256) == (kind, sha256)

    def _standing(self) -> Iterable[Any]:
        """Events of judgments that were not taken back as a file."""
        return standing(self.folder, self.manifest, "judgments")

    def _ids(self) -> Any:
        """The ids of all judgments that stand: what was taken back may come again."""
        import pyarrow as pa

        found = [self._ids_of(event) for event in self._standing()]
        texts = [chunk for column in found if column is not None for chunk in column.chunks]
        return pa.chunked_array(texts, pa.large_string())

    def _ids_of(self, event: Event) -> pa.ChunkedArray | None:
        path = self.folder / PARTS / event.part
        ids = recorded.column_of(path, recorded.ID)
        after = retractions_after(self.folder, self.manifest, event)
        if ids is None or not after:
            return ids
        columns = {role: recorded.column_of(path, role) for role in ("item", "worker")}
        gone = np.logical_or.reduce([taken.out(columns) for taken in after])
        return ids.take(np.flatnonzero(~gone))

    def _judged(self) -> Judgments | None:
        """What gold has to know of the judgments that are there: their files, and the column of their label."""
        from consensus.config import ReadConfig
        from consensus.inputs.judgments import Source

        events = [event for event in self.manifest.events if event.kind == "judgments"]
        if not events:
            return None
        told = [recorded.known_of(self.folder / PARTS / event.part) for event in events]
        labels = dict.fromkeys(one["columns"]["label"] for one in told if "label" in one["columns"])
        settings = {name: getattr(self.config, name) for name in sources_kept.given_of(self.config)}
        return replace(
            nothing(),
            sources=tuple(Source(one["file"], one["sha256"]) for one in told if one["sha256"]),
            understood=tuple(Column("label", name, "", 0) for name in labels),
            reading=ReadConfig.of(None, **settings),
        )


def standing(folder: Path, manifest: Manifest, kind: Kind) -> list[Any]:
    """The events of a kind that were not taken back as a file since."""
    found: list[Any] = []
    for event in manifest.events:
        if event.kind == "retraction":
            taken = retraction_of(folder, event.part)
            found = [one for one in found if not taken.takes_file(one.file, one.sha256)]
        elif event.kind == kind:
            found.append(event)
    return found


def retractions_after(folder: Path, manifest: Manifest, event: Event) -> list[Retraction]:
    """The retractions that came after an event."""
    later = manifest.events[manifest.events.index(event) + 1 :]
    return [retraction_of(folder, one.part) for one in later if one.kind == "retraction"]


def retraction_of(folder: Path, part: str) -> Retraction:
    """A retraction that was kept."""
    return Retraction.from_json(sealed.unsealed((folder / PARTS / part).with_suffix(".json")))
