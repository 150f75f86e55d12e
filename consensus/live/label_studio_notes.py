"""What a state knows of a Label Studio project, and what is to be done to it, so that a kill loses and doubles nothing.

In the folder ``label_studio`` of a state: ``notes.json``, what was pulled and came into the state. What is about to
come is written first: files of judgments, votes, what is taken back, and then ``next.json``, the notes for afterwards.
Who finds that file does what it says, from its beginning: what was done already is told by its id or digest.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import asdict, dataclass, replace
from dataclasses import field as made_by
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consensus.errors import StateError
from consensus.state import durable
from consensus.state.appending import standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consensus.live.label_studio_answers import Answers, Judged
    from consensus.state import State

FOLDER, NOTES, NEXT = "label_studio", "notes.json", "next.json"


@dataclass(frozen=True, slots=True)
class Notes:
    """What is known."""

    url: str
    project: int
    field: str
    worker: str
    """What workers are called by: id, or email."""
    since: str | None = None
    """When the newest task that was seen was changed, by the clock of the server."""
    judged: dict[str, dict[str, list[Any]]] = made_by(default_factory=dict)
    """By task and worker: id of the annotation, when it was updated, label."""
    votes: dict[str, dict[str, list[Any]]] = made_by(default_factory=dict)
    """By task and model: label, probability."""
    told: dict[str, list[Any]] = made_by(default_factory=dict)
    """What tasks were told: agreement, judgments needed, priority, reason."""

    @property
    def n_judged(self) -> int:
        """How many judgments there are."""
        return sum(map(len, self.judged.values()))

    @property
    def n_models(self) -> int:
        """How many models voted."""
        return len(_models(self.votes))

    @classmethod
    def read(cls, state: Path, name: str = NOTES) -> Notes | None:
        """The notes in a state; None where there are none.

        Raises
        ------
        StateError
            They are damaged.
        """
        path = state / FOLDER / name
        if not path.exists():
            return None
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return cls(**(found["notes"] if name == NEXT else found))
        except (ValueError, KeyError, TypeError):
            raise StateError("these are no notes of a sync; restore them, or sync into a new state", path) from None

    def write(self, state: Path) -> None:
        """Take the place of the notes before."""
        (state / FOLDER).mkdir(exist_ok=True)
        durable.put(state / FOLDER / NOTES, _as_json(asdict(self)))


@dataclass(slots=True)
class Coming:
    """What is new on the server."""

    after: Notes
    rows: list[list[str]] = made_by(default_factory=list)
    """judgment_id, item, worker, label, timestamp, duration."""
    gone: list[tuple[str, str]] = made_by(default_factory=list)
    """Items and workers whose judgments are taken back."""
    has_votes: bool = False
    """Votes are other than they were."""
    models_gone: frozenset[str] = frozenset()
    """Models that voted, and whose votes are all deleted."""
    n_new: int = 0
    n_corrected: int = 0
    n_taken_back: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing is new."""
        return not (self.rows or self.gone or self.has_votes)


def compared(notes: Notes, found: Answers, tasks: Iterable[str], since: str | None, n_events: int) -> Coming:
    """What is new in what was ``found`` of tasks; ``tasks`` are all that are left on the server."""
    left = set(tasks)
    judged = {task: of for task, of in notes.judged.items() if task in left or task in found.judged}
    votes = {task: of for task, of in notes.votes.items() if task in left or task in found.votes}
    coming = Coming(notes)
    for task in notes.judged.keys() - judged.keys():
        coming.gone += [(task, worker) for worker in notes.judged[task]]
    for task, now in found.judged.items():
        _compare(task, notes.judged.get(task, {}), now, coming, n_events)
        judged[task] = {worker: [one.annotation, one.updated, one.label] for worker, one in now.items()}
    for task, given in found.votes.items():
        votes[task] = {model: list(vote) for model, vote in given.items()}
    votes = {task: of for task, of in votes.items() if of}
    judged = {task: of for task, of in judged.items() if of}
    coming.has_votes = votes != notes.votes
    coming.models_gone = frozenset(_models(notes.votes) - _models(votes))
    coming.gone.sort()
    coming.n_taken_back = len(set(coming.gone) - {(row[1], row[2]) for row in coming.rows})
    told = {task: of for task, of in notes.told.items() if task in left or task in found.judged}
    coming.after = replace(notes, since=since, judged=judged, votes=votes, told=told)
    return coming


def _compare(task: str, before: dict[str, list[Any]], now: dict[str, Judged], coming: Coming, n_events: int) -> None:
    """Add what is new in one task."""
    coming.gone += [(task, worker) for worker in before.keys() - now.keys()]
    for worker, one in sorted(now.items()):
        known = before.get(worker)
        if known is not None and known[2] == one.label:
            continue
        name = f"{one.annotation}@{one.updated}"
        if known is None:
            coming.n_new += 1
        else:
            coming.n_corrected += 1
            if one.label is None or one.annotation < known[0]:  # else the later row takes its place
                coming.gone.append((task, worker))
                name += f"~{n_events}"  # it may have come before
        coming.rows.append([name, task, worker, one.label or "", one.timestamp, one.duration])


def plan(state: State, coming: Coming) -> None:
    """Write what is to be done; from then on it is done, by whoever opens the state next."""
    folder = state.folder / FOLDER
    folder.mkdir(exist_ok=True)
    n_events = len(state.manifest.events)
    names = {kind: f"{kind}-{n_events:06d}.csv" for kind in ("gone", "judgments", "votes")}
    header = ["judgment_id", "item", "worker", "label", "timestamp", "duration"]
    gone = [(*pair, "") for pair in coming.gone]
    if coming.models_gone:  # the last votes of a model count until its file is taken back
        counted = standing(state.folder, state.manifest, "model_votes")
        gone += [("", "", event.sha256) for event in counted if Path(event.file).match(f"{FOLDER}/votes-*.csv")]
    ballots = [
        [task, model, label, share or ""]
        for task, of in coming.after.votes.items()
        for model, (label, share) in of.items()
    ]
    tables: dict[str, tuple[list[str], Sequence[Sequence[str]]]] = {
        "gone": (["item", "worker", "file"], gone),
        "judgments": (header, coming.rows),
        "votes": (["item", "model", "label", "probability"], ballots if coming.has_votes else []),
    }
    files: dict[str, str] = {}
    for kind, (columns, rows) in tables.items():
        if rows:
            content = _as_csv(columns, rows)
            durable.put(folder / names[kind], content)
            files[names[kind]] = hashlib.sha256(content).hexdigest()
    told = {"n_events": n_events, "files": files, "notes": asdict(coming.after)}
    durable.put(folder / NEXT, _as_json(told))


def carry_out(state: State) -> bool:
    """Do what was planned, if anything was; the state is locked. Whether something was.

    What is taken back comes first, and only if it did not yet: what comes after it counts.
    """
    folder = state.folder / FOLDER
    notes = Notes.read(state.folder, NEXT)
    if notes is None:
        return False
    planned = json.loads((folder / NEXT).read_text(encoding="utf-8"))
    events = state.manifest.events[planned["n_events"] :]
    for name, digest in planned["files"].items():
        path = folder / name
        if name.startswith("gone"):
            if not any((event.kind, event.sha256) == ("retraction", digest) for event in events):
                state.append(retract=path)
        elif name.startswith("judgments"):
            state.append(judgments=path)
        else:
            state.append(model_votes=path)
    notes.write(state.folder)
    (folder / NEXT).unlink()
    for path in folder.glob("*-*.csv"):
        path.unlink()
    return True


def _models(votes: dict[str, dict[str, list[Any]]]) -> set[str]:
    return {model for of in votes.values() for model in of}


def _as_json(told: Any) -> bytes:
    return (json.dumps(told, ensure_ascii=False) + "\n").encode("utf-8")


def _as_csv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return file.getvalue().encode("utf-8")
