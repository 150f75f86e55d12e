"""One sync of a state with a Label Studio project: what is new comes in, is fitted, and what was found goes back.

Each step does what is missing, and nothing else: done twice it changes nothing, and killed anywhere it is done by the
next sync.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consensus.errors import ConfigError, ServerError, StateError
from consensus.formats import writing
from consensus.inputs.counted import counted
from consensus.live import label_studio_notes as noting
from consensus.live.calls import RefusedError, shown
from consensus.live.label_studio_answers import OURS, Answers, answers, prediction, question_of
from consensus.live.label_studio_notes import FOLDER, Coming, Notes
from consensus.live.label_studio_server import NEEDED, PRIORITY, VIEW
from consensus.runs.listening import SILENT
from consensus.state import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from consensus.config import RunConfig
    from consensus.live.label_studio_server import Project, Question, Server
    from consensus.runs import Run
    from consensus.runs.listening import Listener

WORKERS = "workers.csv"
TRIES = 3
"""Times that predictions are sent from their beginning, where an answer was lost."""
SAVED_EACH = 1_000
"""Tasks that are told something, before that is noted."""
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
        version = OURS + state.manifest.chain[:8]
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
    models = len({model for of in coming.after.votes.values() for model in of})
    said = [line + (f"; new votes of {counted(models, 'model')}" if coming.has_votes else "")]
    if damaged:
        said.append(f"note: {counted(damaged, 'annotation')} can't be read: they count as skipped")
    return said


def _predict(server: Server, run: Run, notes: Notes, question: Question, version: str, listener: Listener) -> int:
    """Send the labels as predictions, unless they are there; older ones are deleted then. How many were sent."""
    table = run.labels[["item", "label", "confidence"]]
    rows = table[table["label"].notna() & table["item"].isin(notes.judged.keys() | notes.votes.keys())]
    made = [
        prediction(item, question, label, round(float(score), 6), version)
        for item, label, score in rows.itertuples(index=False)
    ]
    there = server.predictions()
    sent = 0
    if there.get(version, 0) != len(made):
        listener.stage("sending predictions")
        _send(server, made, version, is_there=version in there)
        sent = len(made)
    for old in sorted(there):
        if old.startswith(OURS) and old != version:
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
    """Set meta and fields of tasks where they are others; how many there were, and how many need an annotator."""
    wanted = _facts(run, notes)
    changed = [task for task, facts in wanted.items() if notes.told.get(task) != facts]
    for n, task in enumerate(changed):
        listener.stage("telling tasks", n / len(changed))
        agreement, needed, priority, reason = wanted[task]
        now = server.task(task)
        meta = {**(now.get("meta") or {}), "consensus": {"agreement": agreement, "needed": needed, "reason": reason}}
        fields: dict[str, Any] = {"meta": meta}
        data = dict(now["data"])
        if needed or NEEDED in data:
            fields["data"] = {**data, NEEDED: needed, PRIORITY: priority}
        server.change(task, fields)
        notes.told[task] = wanted[task]
        if n % SAVED_EACH == SAVED_EACH - 1:
            notes.write(folder)
    if changed:
        notes.write(folder)
    return len(changed), sum(bool(facts[1]) for facts in wanted.values())


def _facts(run: Run, notes: Notes) -> dict[str, list[Any]]:
    """By task: the share of its judgments that say its label, judgments needed, priority, reason."""
    asked = run.escalations
    columns = [asked[name].tolist() for name in ("item", "judgments_needed", "priority", "reason")]
    why = {
        item: (int(needed) if needed == needed else 0, round(float(priority), 6), reason)
        for item, needed, priority, reason in zip(*columns, strict=True)
    }
    found: dict[str, list[Any]] = {}
    labels = run.labels
    labels = labels[labels["item"].isin(notes.judged.keys() | notes.votes.keys())]
    for item, label in zip(labels["item"], labels["label"], strict=True):
        given = [one[2] for one in notes.judged.get(item, {}).values() if one[2] is not None]
        agreement = round(given.count(label) / len(given), 4) if given else None
        found[item] = [agreement, *why.get(item, (0, 0.0, None))]
    return found
