"""One sync of a state with a Label Studio project: what is new comes in, is fitted, and what was found goes back.

Each step does what is missing, and nothing else: done twice it changes nothing, and killed anywhere it is done by the
next sync.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consensus.errors import ConfigError, ServerError, StateError
from consensus.formats import writing
from consensus.inputs.counted import counted
from consensus.live import label_studio_notes as noting
from consensus.live.calls import RefusedError, shown
from consensus.live.label_studio_answers import VERSION, Answers, answers, prediction, question_of
from consensus.live.label_studio_notes import FOLDER, Coming, Notes
from consensus.live.label_studio_server import NEEDED, PRIORITY, VIEW
from consensus.requeue.tasks import EXPERT, RETEST
from consensus.runs.listening import SILENT
from consensus.state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from consensus.config import RunConfig
    from consensus.live.label_studio_server import Project, Question, Server
    from consensus.runs import Run
    from consensus.runs.listening import Listener

WORKERS = "workers.csv"
TRIES = 3
"""Times that predictions are sent from their beginning, where an answer was lost."""
TOLD = 100
"""Tasks that are read, and told something, before that is noted."""
AT_ONCE = 4
"""Requests that change tasks at once."""
MOVED = 0.05
"""Share of a priority by which it may move before a task is told."""
BLOCK = 2_000
"""Tasks that are read at once."""


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync did."""

    new: int = 0
    corrected: int = 0
    taken_back: int = 0
    predictions: int = 0
    """That were sent."""
    told: int = 0
    """Tasks whose meta, or fields, were changed."""
    asked: int = 0
    """Tasks that need another annotator."""
    said: tuple[str, ...] = ()
    """All of it in words."""


def sync(
    server: Server,
    folder: Path,
    settings: RunConfig,
    *,
    url: str,
    field: str | None = None,
    worker: str = "id",
    dry_run: bool = False,
    listener: Listener = SILENT,
) -> Synced:
    """Bring a state and a project to the same.

    Parameters
    ----------
    folder
        Of the state; it is made, with the ``settings``, where it does not exist.
    url
        Of the server, as the notes of the state name it.
    field
        The question, by the name of its control tag; None: the only one.
    worker
        "id" or "email": what workers are called by.
    dry_run
        Look at what is new, and change nothing.

    Raises
    ------
    ServerError
        The server can't be reached, or refuses something.
    StateError
        The folder is a state of something else, or can't be written.
    ConfigError
        A setting is not the one that the state was made with, or the question is not clear.
    """
    project = server.project()
    question = question_of(project.questions, field)
    begun = Notes(shown(url).rstrip("/"), server.project_id, question.name, worker)
    if dry_run:
        notes = _known(folder, begun) if folder.exists() else begun
        coming, damaged = _pulled(server, project, notes, 0, listener)
        return Synced(coming.n_new, coming.n_corrected, coming.n_taken_back, said=tuple(_came(coming, damaged)))
    if not folder.exists():
        State.create(folder, settings)
        begun.write(folder)
    state = State.open(folder)
    _refuse_other(state.config, settings)
    with state.locked():
        _known(folder, begun)
        noting.carry_out(state)
        notes = _known(folder, begun)
        coming, damaged = _pulled(server, project, notes, len(state.manifest.events), listener)
        if coming.is_empty:
            coming.after.write(folder)
        else:
            noting.plan(state, coming)
            noting.carry_out(state)
        said = _came(coming, damaged)
        notes = coming.after
        if not any(one[2] is not None for of in notes.judged.values() for one in of.values()):
            return Synced(coming.n_new, said=(*said, "nobody judged anything yet: there is nothing to fit"))
        done = state.update(listener=listener)
        version = VERSION + state.manifest.chain[:8]
        sent = _predict(server, done.run, notes, question, version, listener)
        n_told, n_asked = _tell(server, done.run, notes, folder, listener)
    made = server.view()
    path = folder / FOLDER / WORKERS
    writing.write(done.run.workers, path)
    said += [
        f"{counted(sent, 'prediction')} sent as {version}" if sent else f"the predictions of {version} are there",
        f"{counted(n_told, 'task was', 'tasks were')} told what is known of it"
        if n_told == 1
        else f"{n_told:,} tasks were told what is known of them",
        f'{counted(n_asked, "task needs", "tasks need")} another annotator: view "{VIEW}"{" (new)" if made else ""}',
        f"wrote {path}",
    ]
    return Synced(coming.n_new, coming.n_corrected, coming.n_taken_back, sent, n_told, n_asked, tuple(said))


def _known(folder: Path, begun: Notes) -> Notes:
    """The notes of a state.

    Raises
    ------
    StateError
        It was not made by a sync, or with something else.
    """
    found = Notes.read(folder)
    if found is None:
        raise StateError("this was not made by a sync; name another folder with --state", folder)
    for name, what in (("url", "server"), ("project", "project"), ("field", "question"), ("worker", "--worker")):
        then, now = getattr(found, name), getattr(begun, name)
        if then != now:
            raise StateError(f"it was made with the {what} {then}, not {now}; give each a state of its own", folder)
    return found


def _refuse_other(kept: RunConfig, settings: RunConfig) -> None:
    for name in sorted(settings.model_fields_set):
        if getattr(kept, name) != getattr(settings, name) and name != "threads":
            raise ConfigError(f"setting {name}: the state was made with another one; leave it out, or make a new state")


def _pulled(server: Server, project: Project, notes: Notes, n_events: int, listener: Listener) -> tuple[Coming, int]:
    """What is new; all is looked at where what changed does not explain how much there is: something was deleted."""
    people = server.people() if notes.worker == "email" else None
    listener.stage("reading what changed")
    found, since = _read(server, notes, notes.since, people)
    left: Iterable[str] = {*notes.judged, *notes.votes, *notes.told, *found.judged}
    coming = noting.compared(notes, found, left, since, n_events)
    if notes.since is not None and not _agree(project, coming.after, found):
        listener.stage("reading all tasks")
        found, since = _read(server, notes, None, people)
        coming = noting.compared(notes, found, found.judged, since, n_events)
    return coming, found.n_damaged


def _agree(project: Project, after: Notes, found: Answers) -> bool:
    """Whether there are as many annotations as there should be; several of a worker on a task count once here."""
    judged: dict[str, Any] = {**after.judged, **found.judged}
    n_here = sum(len(of) for of in judged.values())
    return n_here == project.n_annotations


def _read(
    server: Server, notes: Notes, since: str | None, people: Mapping[str, str] | None
) -> tuple[Answers, str | None]:
    """What tasks hold that changed since, and when the last one was changed."""
    whole = Answers({}, {}, 0)
    newest, block = notes.since, list[dict[str, Any]]()

    def take() -> None:
        nonlocal whole
        part = answers(block, notes.field, people)
        whole = Answers(whole.judged | part.judged, whole.votes | part.votes, whole.n_damaged + part.n_damaged)
        block.clear()

    for task in server.tasks(since):
        newest = max(newest or "", str(task["updated_at"]))
        block.append(task)
        if len(block) == BLOCK:
            take()
    take()
    return whole, newest


def _came(coming: Coming, damaged: int) -> list[str]:
    line = (
        f"{counted(coming.n_new, 'judgment is', 'judgments are')} new, {coming.n_corrected:,} corrected, "
        f"{coming.n_taken_back:,} taken back"
    )
    models = coming.after.n_models
    said = [line + (f"; new votes of {counted(models, 'model')}" if coming.has_votes and models else "")]
    if coming.models_gone:
        gone = counted(len(coming.models_gone), "model")
        said.append(f"all votes of {gone} were deleted, and count no more: {', '.join(sorted(coming.models_gone))}")
    if damaged:
        said.append(f"note: {counted(damaged, 'annotation')} can't be read: they count as skipped")
    return said


def _predict(server: Server, run: Run, notes: Notes, question: Question, version: str, listener: Listener) -> int:
    """Send the labels as predictions, unless they are there; older ones are deleted then. How many were sent."""
    table = run.labels[["item", "label", "confidence"]]
    rows = table[table["label"].notna() & table["item"].isin(notes.judged.keys() | notes.votes.keys())]
    made = [
        prediction(item, question, label, round(score, 6) if score >= 0 else None, version)  # of too few: not known
        for item, label, score in rows.itertuples(index=False)
    ]
    there = server.predictions()
    sent = 0
    if there.get(version, 0) != len(made):
        listener.stage("sending predictions")
        _send(server, made, version, is_there=version in there)
        sent = len(made)
    for old in sorted(there):
        if old.startswith(VERSION) and old != version:
            server.forget(old)
    return sent


def _send(server: Server, made: list[dict[str, Any]], version: str, *, is_there: bool, tries: int = TRIES) -> None:
    """Send predictions; from the beginning again where an answer was lost, for what was added can't be known then."""
    if is_there:
        server.forget(version)
    try:
        server.predict(made)
    except ServerError as error:
        if tries == 1 or isinstance(error, RefusedError):
            raise
        _send(server, made, version, is_there=True, tries=tries - 1)


def _tell(server: Server, run: Run, notes: Notes, folder: Path, listener: Listener) -> tuple[int, int]:
    """Set meta and fields of tasks where they are others; how many there were, and how many need an annotator.

    Each block is read just before it is changed, so that what people change meanwhile stays.
    """
    wanted = _facts(run, notes)
    changed = [task for task, facts in wanted.items() if not _is_told(notes.told.get(task), facts)]

    def change(task: str, now: dict[str, Any]) -> None:
        agreement, needed, priority, reason = wanted[task]
        meta = {**(now["meta"] or {}), "consensus": {"agreement": agreement, "needed": needed, "reason": reason}}
        fields: dict[str, Any] = {"meta": meta}
        if needed or NEEDED in now["data"]:
            fields["data"] = {**now["data"], NEEDED: needed, PRIORITY: priority}
        server.change(task, fields)
        notes.told[task] = wanted[task]

    n_told = 0
    for begin in range(0, len(changed), TOLD):
        listener.stage("telling tasks", begin / len(changed))
        found = server.some(changed[begin : begin + TOLD])
        try:
            _at_once(change, found.items())
        finally:  # what was told before an error is noted, too
            notes.write(folder)
        n_told += len(found)
    return n_told, sum(bool(facts[1]) for facts in wanted.values())


def _at_once(change: Callable[[str, dict[str, Any]], None], tasks: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Change tasks, some at once; after an error no other is begun."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        begun = [pool.submit(change, *task) for task in tasks]
        try:
            for one in begun:
                one.result()
        except BaseException:
            for one in begun:
                one.cancel()
            raise


def _is_told(before: list[Any] | None, facts: list[Any]) -> bool:
    """Whether a task knows it, but for a priority that hardly moved: each task costs the server a tenth of a second."""
    if before is None:
        return False
    (*same, then, why), (*others, now, other) = before, facts
    return (same, why) == (others, other) and abs(now - then) <= MOVED * then


def _facts(run: Run, notes: Notes) -> dict[str, list[Any]]:
    """By task: the share of its judgments that say its label, judgments needed, priority, reason."""
    asked = run.escalations[run.escalations["reason"] != RETEST]
    columns = [asked[name].tolist() for name in ("item", "judgments", "judgments_needed", "priority", "reason")]
    why = {
        item: (
            0 if reason == EXPERT else math.ceil(needed) if needed > 0 else now,  # nothing can be expected of too few
            round(priority, 6) if priority > 0 else 0.0,
            reason,
        )
        for item, now, needed, priority, reason in zip(*columns, strict=True)
    }
    found: dict[str, list[Any]] = {}
    labels = run.labels
    labels = labels[labels["item"].isin(notes.judged.keys() | notes.votes.keys())]
    for item, label in zip(labels["item"], labels["label"], strict=True):
        given = [one[2] for one in notes.judged.get(item, {}).values() if one[2] is not None]
        agreement = round(given.count(label) / len(given), 4) if given else None
        found[item] = [agreement, *why.get(item, (0, 0.0, None))]
    return found
